/* seat.c: how a connection gets a seat: joining and resuming. */
#include "core/base/bytes.h"
#include "core/base/log.h"
#include "core/server/monitor.h"
#include "core/server/seat_private.h"
#include "core/wire/room_json.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STORM_RETRY_MS 1000 /* to twice that */

/* ---- seats ---- */

static struct seat *take_seat(struct control *c, struct conn *k, struct hosted *h, uint32_t member) {
  struct seat *s = hosted_seat(h, member);
  if (!s) {
    s = calloc(1, sizeof *s);
    if (!s)
      abort();
    s->member = member;
    map_put_u32(h->seats, member, s);
  }
  if (s->conn && s->conn != k) { /* the same secret from elsewhere: the newer one wins */
    json_t *body = json_pack("{s:s,s:s}", "code", err_code(ERR_REPLACED), "text", err_text(ERR_REPLACED));
    control_notify(c, s->conn, "bye", body);
    s->conn->seat = NULL;
    s->conn->room = NULL;
    control_close(c, s->conn);
  }
  s->conn = k;
  memcpy(s->addr, k->addr, sizeof s->addr);
  s->view = room_view_of(&h->room, member);
  k->seat = s;
  k->room = h;
  return s;
}

unsigned seats_of(const struct control *c, const char *user) {
  return *user ? (unsigned)(uintptr_t)map_get_text(c->seats_of, user) : 0;
}

static void count_seat(struct control *c, const char *user, int by) {
  uintptr_t n = seats_of(c, user) + (uintptr_t)by;
  if (*user && n > 0)
    map_put_text(c->seats_of, user, (void *)n); /* a number, not a place */
  else if (*user)
    map_del_text(c->seats_of, user);
}

void seat_claim(struct control *c, struct seat *s, const struct grant *g) {
  count_seat(c, s->grant.user, -1);
  s->grant = g ? *g : (struct grant){0};
  count_seat(c, s->grant.user, 1);
}

void seat_dropped(struct control *c, struct conn *k) {
  struct seat *s = k->seat;
  struct hosted *h = k->room;
  if (!s)
    return;
  if (monitor_listens(k)) {
    monitor_dropped(c, k);
    return;
  }
  s->conn = NULL;
  struct room_events evs = {0};
  if (room_decide_drop(&h->room, s->member, c->wall_ms, &evs) == ERR_OK)
    hosted_run(c, h, &evs);
  room_events_free(&evs);
}

void seat_forget(struct control *c, struct hosted *h, struct seat *s) {
  seat_drop_media(c, h, s);
  if (s->conn) {
    s->conn->seat = NULL;
    s->conn->room = NULL;
  }
  map_del_u32(h->seats, s->member);
  seat_claim(c, s, NULL);
  free(s->offer);
  free(s);
}

/* ---- room.join ---- */

static bool secret_hash(const char *text, uint8_t out[32]) {
  uint8_t raw[32];
  if (b64url_decode(text, strlen(text), raw, sizeof raw) != 32)
    return false;
  sha256(raw, sizeof raw, out);
  OPENSSL_cleanse(raw, sizeof raw);
  return true;
}

static enum err join_read(struct control *c, const json_t *p, struct join *j) {
  if (!json_only_keys(p, "room", "app", "name", "client", "sdp", "device", "invite", "resume", "password",
                      "token", "consent", "monitor", NULL))
    return ERR_BAD_ARG;
  j->room = json_str(p, "room", "");
  j->app = json_str(p, "app", NULL);
  j->token = json_str(p, "token", NULL);
  j->consent = json_str(p, "consent", NULL);
  j->monitor_asked = json_object_get(p, "monitor");
  j->name = json_str(p, "name", "");
  j->client = json_str(p, "client", "");
  j->sdp = json_str(p, "sdp", NULL);
  j->device = json_str(p, "device", "");
  j->invite = json_str(p, "invite", NULL);
  j->resume = json_str(p, "resume", NULL);
  j->password = json_str(p, "password", NULL);
  if (j->invite && !secret_hash(j->invite, j->invite_hash))
    return ERR_BAD_INVITE;
  if (j->resume && !secret_hash(j->resume, j->resume_hash))
    return ERR_NO_RESUME;
  if (j->resume) { /* the secret stays: if this answer is lost, the same one resumes again */
    memcpy(j->new_hash, j->resume_hash, sizeof j->new_hash);
    snprintf(j->secret, sizeof j->secret, "%s", j->resume);
  } else {
    uint8_t raw[32];
    c->cfg.rng->fill(c->cfg.rng, raw, sizeof raw);
    b64url_encode(raw, sizeof raw, j->secret);
    sha256(raw, sizeof raw, j->new_hash);
    OPENSSL_cleanse(raw, sizeof raw);
  }
  if (*j->device) {
    uint8_t h[32];
    sha256(j->device, strlen(j->device), h);
    memcpy(j->device_hash, h, sizeof j->device_hash);
  }
  return ERR_OK;
}

static enum err join_resume(struct control *c, struct join *j, struct room_events *evs) {
  const struct room *r = &j->h->room;
  enum err e =
      room_decide_resume(r, j->resume_hash, j->new_hash, j->sdp != NULL, c->wall_ms, &j->member, evs);
  for (size_t i = 0; e == ERR_OK && i < evs->n; i++)
    if (evs->v[i].entry) /* without an offer he keeps the path he had */
      evs->v[i].entry->audio |= room_member(r, j->member)->audio;
  struct seat *s = e == ERR_OK ? hosted_seat(j->h, j->member) : NULL;
  if (s && !limit_take(c, &s->resumes, LIMIT_RESUMES))
    return ERR_RATE;
  return e == ERR_OK && !s && seats_of(c, j->grant.user) >= LIMIT_VALUE_SESSIONS ? ERR_SESSIONS : e;
}

/* Whether those who wait from his address (an IPv6 /64) have all the places of the lobby that one may have:
 * no address keeps all others out, and a school behind one still fits. */
static bool floods(const struct control *c, const struct conn *k, struct hosted *h) {
  size_t same = addr_network(k->addr), n = 0;
  struct seat *s;
  for (size_t at = 0; addr_known(k->addr) && (s = map_next(h->seats, &at));) {
    const struct member *m = room_member(&h->room, s->member);
    n += m && m->presence == PRESENCE_WAITING && memcmp(s->addr, k->addr, same) == 0;
  }
  return c->cfg.limits.waiting_per_address && n >= c->cfg.limits.waiting_per_address;
}

static struct bucket *joins_of_invite(struct hosted *h, uint64_t invite) {
  for (size_t i = 0; i < h->n_invite_joins; i++)
    if (h->invite_joins[i].invite == invite)
      return &h->invite_joins[i].left;
  h->invite_joins = realloc(h->invite_joins, (h->n_invite_joins + 1) * sizeof *h->invite_joins);
  if (!h->invite_joins)
    abort();
  h->invite_joins[h->n_invite_joins] = (struct invite_joins){.invite = invite};
  return &h->invite_joins[h->n_invite_joins++].left;
}

/* Who may come in: does he come in too big a crowd? */
static enum err join_rates(struct control *c, const struct conn *k, struct hosted *h,
                           const struct room_events *evs) {
  const struct room_event *last = &evs->v[evs->n - 1];
  if (addr_known(k->addr) && !limit_counts(&c->cfg.limits, k->addr))
    return ERR_OK;
  if (last->kind == ROOM_EV_KNOCKED && floods(c, k, h)) {
    limit_hit(c, LIMIT_WAITING_ADDRESS);
    return ERR_LOBBY_FULL;
  }
  uint64_t invite = 0;
  for (size_t i = 0; i < evs->n; i++)
    if (evs->v[i].entry)
      invite = evs->v[i].entry->invite;
  if (!limit_take_set(c, &h->joins, LIMIT_JOINS_ROOM, c->cfg.limits.joins_per_room))
    return ERR_RATE;
  bool fine = !invite || limit_take_set(c, joins_of_invite(h, invite), LIMIT_JOINS_INVITE,
                                        c->cfg.limits.joins_per_invite);
  if (!fine)
    bucket_give(&h->joins);
  return fine ? ERR_OK : ERR_RATE;
}

enum err seat_address(struct control *c, struct conn *k) {
  int ms = limit_blocked(c, k->addr);
  if (ms) {
    c->retry_ms = ms;
    k->close_code = CONTROL_CLOSE_SLOW;
    control_close(c, k);
    return ERR_RATE;
  }
  bool counts = limit_counts(&c->cfg.limits, k->addr);
  struct bucket *b = counts ? limit_book_bucket(c->book, k->addr, c->now, LIMIT_KIND_JOIN) : NULL;
  return !b || limit_take_set(c, b, LIMIT_JOINS_ADDRESS, c->cfg.limits.joins_per_address) ? ERR_OK : ERR_RATE;
}

/* More come than can shake hands now: they come again, not all at once. Those who are inside, or were, never
 * wait for them. */
static enum err join_storm(struct control *c, struct conn *k, const struct join *j) {
  unsigned most = c->cfg.limits.handshakes_waiting;
  if (!most || j->resume || !c->cfg.handshakes || c->cfg.handshakes(c->cfg.ctx) < most)
    return ERR_OK;
  limit_hit(c, LIMIT_HANDSHAKES);
  c->retry_ms = STORM_RETRY_MS + (int)rng_below(c->cfg.rng, STORM_RETRY_MS);
  k->close_code = CONTROL_CLOSE_SLOW;
  control_close(c, k);
  return ERR_AGAIN;
}

/* Nobody's name: a ban of him holds on to his device. */
static bool is_nameless(const char *user) {
  return strncmp(user, TOKEN_NAMELESS, strlen(TOKEN_NAMELESS)) == 0;
}

/* He comes again; his connection does not wait for that. */
static enum err join_drained(struct control *c, struct conn *k, const struct join *j) {
  enum err e = upkeep_admits(c, j->resume != NULL, NULL);
  if (e != ERR_OK) {
    k->close_code = CONTROL_CLOSE_SLOW;
    control_close(c, k);
  }
  return e;
}

static enum err join_new(struct control *c, struct conn *k, struct join *j, struct room_events *evs) {
  struct pass pass;
  grant_pass(&j->grant, &pass);
  struct room_join in = {.name = j->shown,
                         .client = j->client,
                         .user = is_nameless(j->grant.user) ? "" : j->grant.user,
                         .pid = j->grant.pid,
                         .no_chat = !(j->grant.scopes & SCOPE_CHAT),
                         .invite_hash = j->invite ? j->invite_hash : NULL,
                         .role = j->role,
                         .most = j->most,
                         .needs_mfa = grant_needs_mfa(c, j),
                         .pass = &pass,
                         .addr = addr_known(k->addr) ? k->addr : NULL,
                         .audio = j->sdp != NULL,
                         .monitor = j->monitor_asked != NULL};
  memcpy(in.device, j->device_hash, sizeof in.device);
  memcpy(in.resume, j->new_hash, sizeof in.resume);
  enum err e = room_decide_join(&j->h->room, &in, c->wall_ms, evs);
  if (e == ERR_NEED_PASSWORD && j->password) { /* scrypt costs: only for whom it decides */
    e = act_shell_password(c, j->h, k, j->password);
    in.password_ok = e == ERR_OK;
    if (in.password_ok)
      e = room_decide_join(&j->h->room, &in, c->wall_ms, evs);
  }
  for (size_t i = 0; e == ERR_OK && i < evs->n; i++)
    if (evs->v[i].entry)
      j->member = evs->v[i].entry->id;
  if (e == ERR_LOBBY_FULL)
    limit_hit(c, LIMIT_WAITING);
  if (e == ERR_OK)
    e = join_rates(c, k, j->h, evs);
  return e == ERR_OK ? grant_accept(c, j) : e;
}

/* The refusal, and what a host wants said with it. */
static void join_refuse(struct control *c, struct conn *k, json_int_t id, enum err e, const struct join *j) {
  char locked[TEXT_LINE_MAX + 64];
  const char *detail = e == ERR_BAD_REQUEST ? "this connection has joined already" : NULL;
  char drained[320];
  if (e == ERR_DRAINING && upkeep_admits(c, j->resume != NULL, drained) == ERR_DRAINING)
    detail = drained;
  if (e == ERR_BAD_TOKEN && j->grant.forged)
    limit_strike(c, k->addr);
  if (e == ERR_ROOM_LOCKED && j->h->room.lock_text[0]) {
    snprintf(locked, sizeof locked, "%s: %s", err_text(e), j->h->room.lock_text);
    detail = locked;
  }
  control_refuse_with(c, k, id, e, detail,
                      e == ERR_NEED_CONSENT      ? grant_consent(c)
                      : e == ERR_SILENT_APPROVAL ? monitor_wish(c, j)
                                                 : NULL);
  if (k->wrong >= WRONG_PASSWORDS_MAX || (j->resume && e == ERR_RATE))
    control_close(c, k);
}

static json_t *join_result(struct control *c, struct conn *k, struct join *j, const char **why) {
  struct hosted *h = j->h;
  struct seat *s = k->seat;
  const struct member *m = room_member(&h->room, j->member);
  assert(m);
  bool waits = m->presence == PRESENCE_WAITING;
  json_t *body = json_pack("{s:s,s:I,s:s}", "state", waits ? "lobby" : "joined", "me", (json_int_t)j->member,
                           "resume", j->secret);
  if (h->app[0]) { /* what it is to be called when he resumes */
    json_object_set_new(body, "app", json_string(h->app));
    json_object_set_new(body, "name", json_string(h->room.name));
  }
  if (waits) {
    json_object_set_new(body, "place", json_integer((json_int_t)room_lobby_place(&h->room, j->member)));
    json_object_set_new(body, "waiting", json_integer((json_int_t)room_count(&h->room, PRESENCE_WAITING)));
  } else
    json_object_set_new(body, "room", room_to_wire(&h->room, j->member));
  if (waits && !k->whip) { /* nobody can answer WHIP later: his path comes up, silent both ways */
    free(s->offer);
    s->offer = j->sdp ? strdup(j->sdp) : NULL;
    return body;
  }
  char *a = j->sdp ? seat_answer(c, h, s, j->sdp, why) : NULL;
  if (a)
    json_object_set_new(body, "sdp", json_string(a));
  else if (j->sdp)
    json_object_set_new(body, "sdp_error", json_string(*why ? *why : "not acceptable"));
  free(a);
  return body;
}

void seat_join(struct control *c, struct conn *k, json_int_t id, const json_t *params) {
  struct join j = {0};
  struct room_events evs = {0};
  const char *why = NULL;
  enum err e = k->seat || k->admin ? ERR_BAD_REQUEST : join_read(c, params, &j);
  if (e == ERR_OK)
    e = join_drained(c, k, &j);
  if (e == ERR_OK)
    e = join_storm(c, k, &j);   /* first: who is sent away has not used up what his address may */
  if (e == ERR_OK && !j.resume) /* who resumes shows a secret of 32 bytes and had a place */
    e = seat_address(c, k);
  if (e == ERR_OK)
    e = j.monitor_asked ? monitor_claim(c, k, &j) : j.resume ? grant_again(c, k, &j) : grant_claim(c, k, &j);
  if (e == ERR_OK)
    probe_forget(c, k);
  if (e == ERR_OK && j.monitor.silent) {
    monitor_silent(c, k, id, &j);
    return;
  }
  if (e == ERR_OK)
    e = j.resume ? join_resume(c, &j, &evs) : join_new(c, k, &j, &evs);
  if (e != ERR_OK) {
    room_events_free(&evs);
    audited_join(c, k, j.h ? j.h->room.name : "", grant_method(&j), e, j.monitor_asked ? j.grant.pid : "");
    join_refuse(c, k, id, e, &j);
    return;
  }
  hosted_run(c, j.h, &evs);
  take_seat(c, k, j.h, j.member);
  seat_claim(c, k->seat, &j.grant);
  if (j.monitor_asked)
    monitor_announced(c, &j);
  if (!j.resume) /* his line broke: he was here all the time */
    audited_join(c, k, j.h->room.name, grant_method(&j), ERR_OK, "");
  if (j.resume) {
    c->count.resumes++;
    k->told_tier = TIER_N; /* what changed while he was away, nobody has told him */
  } else
    c->count.joins++;
  json_t *body = join_result(c, k, &j, &why);
  OPENSSL_cleanse(j.secret, sizeof j.secret);
  control_reply(c, k, id, body);
  upkeep_greet(c, k);
  struct msg *lines = room_may_hear(&j.h->room, j.member) ? lines_now(j.h) : NULL;
  if (lines)
    control_send(c, k, lines);
  msg_unref(lines);
  if (room_may_hear(&j.h->room, j.member))
    monitor_notice(c, k, j.h);
  const struct member *m = room_member(&j.h->room, j.member);
  if (!j.sdp && m->audio && m->presence == PRESENCE_HERE &&
      !k->seat->peer) /* he thinks he has a path: a restart took it */
    tell_lost(c, k->seat, ERR_ICE, false);
}
