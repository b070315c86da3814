/* seat.c: how a connection gets a seat: join, resume, admission, and the media path that belongs to the seat.
 */
#include "core/base/bytes.h"
#include "core/base/log.h"
#include "core/server/control_private.h"
#include "core/wire/room_json.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECRET_TEXT 44 /* 32 bytes as base64url, and NUL */

/* ---- media path ---- */

void seat_bits(struct control *c, struct hosted *h, struct seat *s) {
  bool send = room_may_send(&h->room, s->member), hear = room_may_hear(&h->room, s->member);
  if (!s->peer || (send == s->may_send && hear == s->may_hear))
    return;
  s->may_send = send;
  s->may_hear = hear;
  struct media_cmd cmd = {.kind = MEDIA_PEER_SET,
                          .room = h->handle,
                          .peer = s->peer,
                          .member = s->member,
                          .may_send = send,
                          .may_hear = hear};
  c->cfg.media(c->cfg.ctx, h->thread, &cmd);
}

void seat_drop_media(struct control *c, struct hosted *h, struct seat *s) {
  if (!s->peer)
    return;
  struct media_cmd cmd = {.kind = MEDIA_PEER_DEL, .room = h->handle, .peer = s->peer};
  c->cfg.media(c->cfg.ctx, h->thread, &cmd);
  free(map_del_u32(c->peers, s->peer));
  s->peer = 0;
  s->may_send = s->may_hear = false;
  assert(c->threads_load[h->thread] > 0);
  c->threads_load[h->thread]--;
}

static void open_room(struct control *c, struct hosted *h) {
  if (h->media_open)
    return;
  struct media_cmd cmd = {.kind = MEDIA_ROOM_OPEN, .room = h->handle};
  c->cfg.media(c->cfg.ctx, h->thread, &cmd);
  h->media_open = true;
}

static void fill_params(struct control *c, const struct sdp *offer, struct media_peer_params *p) {
  rng_token(c->cfg.rng, p->local_ufrag, 8);
  rng_token(c->cfg.rng, p->local_pwd, 24);
  memcpy(p->hash, offer->hash, sizeof p->hash);
  memcpy(p->fingerprint, offer->fingerprint, sizeof p->fingerprint);
  p->fingerprint_len = offer->fingerprint_len;
  p->opus_pt = offer->opus_pt;
  p->red_pt = offer->red_pt;
  p->level_id = offer->level_id;
  p->csrc_level_id = offer->csrc_level_id;
  p->ssrc_in = offer->ssrc;
  do
    p->ssrc_out = (uint32_t)rng_u64(c->cfg.rng);
  while (p->ssrc_out == 0 || p->ssrc_out == offer->ssrc);
  p->recv = offer->recv;
  p->send = offer->send;
}

/* Gives the seat a new media path for this offer (an old one ends) and returns the answer, malloc'd; NULL
 * with *why. */
static char *answer(struct control *c, struct hosted *h, struct seat *s, const char *text, const char **why) {
  struct sdp offer;
  if (sdp_parse(text, strlen(text), &offer, why) != ERR_OK)
    return NULL;
  struct media_cmd cmd = {.kind = MEDIA_PEER_ADD,
                          .room = h->handle,
                          .peer = c->last_peer + 1,
                          .member = s->member,
                          .may_send = room_may_send(&h->room, s->member),
                          .may_hear = room_may_hear(&h->room, s->member)};
  fill_params(c, &offer, &cmd.params);
  struct sdp_local me = {.ufrag = cmd.params.local_ufrag,
                         .pwd = cmd.params.local_pwd,
                         .fingerprint = c->cfg.dtls_sha256,
                         .ssrc = cmd.params.ssrc_out,
                         .cand = c->cfg.candidates[h->thread],
                         .n_cand = c->cfg.n_candidates[h->thread],
                         .lite = true};
  char *out = sdp_write_answer(&offer, &me);
  if (!out) {
    *why = "the offer must leave the passive side to the server (a=setup:actpass or active)";
    return NULL;
  }
  seat_drop_media(c, h, s);
  open_room(c, h);
  struct peer_ref *ref = malloc(sizeof *ref);
  if (!ref)
    abort();
  *ref = (struct peer_ref){h, s->member};
  map_put_u32(c->peers, cmd.peer, ref);
  c->last_peer = s->peer = cmd.peer;
  s->may_send = cmd.may_send;
  s->may_hear = cmd.may_hear;
  c->threads_load[h->thread]++;
  c->cfg.media(c->cfg.ctx, h->thread, &cmd);
  return out;
}

/* The server is the passive side and answers each offer once: a restart is a new offer with a new path. */
void seat_media(struct control *c, struct conn *k, json_int_t id, const json_t *params) {
  const char *sdp = json_str(params, "sdp", NULL), *why = NULL;
  if (!json_only_keys(params, "sdp", NULL) || !sdp) {
    control_refuse(c, k, id, ERR_BAD_ARG, "room.media wants sdp");
    return;
  }
  if (!k->seat) {
    control_refuse(c, k, id, ERR_NOT_JOINED, NULL);
    return;
  }
  if (room_view_of(&k->room->room, k->seat->member) == VIEW_NOTHING) { /* waits: answered on admission */
    free(k->seat->offer);
    k->seat->offer = strdup(sdp);
    control_reply(c, k, id, json_object());
    return;
  }
  char *a = answer(c, k->room, k->seat, sdp, &why);
  if (!a)
    control_refuse(c, k, id, ERR_BAD_SDP, why);
  else
    control_reply(c, k, id, json_pack("{s:s}", "sdp", a));
  free(a);
}

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
  s->view = room_view_of(&h->room, member);
  k->seat = s;
  k->room = h;
  return s;
}

void seat_dropped(struct control *c, struct conn *k) {
  struct seat *s = k->seat;
  struct hosted *h = k->room;
  if (!s)
    return;
  s->conn = NULL;
  struct room_events evs = {0};
  if (room_decide_drop(&h->room, s->member, c->wall_ms, &evs) == ERR_OK)
    hosted_run(c, h, &evs);
  room_events_free(&evs);
}

void seat_admitted(struct control *c, struct hosted *h, struct seat *s) {
  s->view = room_view_of(&h->room, s->member);
  const char *why = NULL;
  char *a = s->offer ? answer(c, h, s, s->offer, &why) : NULL;
  if (s->conn) {
    json_t *body = json_pack("{s:o}", "room", room_to_wire(&h->room, s->member));
    if (a)
      json_object_set_new(body, "sdp", json_string(a));
    else if (s->offer)
      json_object_set_new(body, "sdp_error", json_string(why ? why : "not acceptable"));
    control_notify(c, s->conn, "admitted", body);
    acts_qualities(c, h, s->conn);
  }
  free(a);
  free(s->offer);
  s->offer = NULL;
}

/* ---- room.join ---- */

struct join {
  const char *room, *name, *client, *sdp, *device, *invite, *resume;
  struct hosted *h;
  uint32_t member;
  char secret[SECRET_TEXT];
  uint8_t invite_hash[32], resume_hash[32], new_hash[32];
};

static bool secret_hash(const char *text, uint8_t out[32]) {
  uint8_t raw[32];
  if (b64url_decode(text, strlen(text), raw, sizeof raw) != 32)
    return false;
  sha256(raw, sizeof raw, out);
  OPENSSL_cleanse(raw, sizeof raw);
  return true;
}

static enum err join_read(struct control *c, const json_t *p, struct join *j) {
  if (!json_only_keys(p, "room", "name", "client", "sdp", "device", "invite", "resume", NULL))
    return ERR_BAD_ARG;
  j->room = json_str(p, "room", "");
  j->name = json_str(p, "name", "");
  j->client = json_str(p, "client", "");
  j->sdp = json_str(p, "sdp", NULL);
  j->device = json_str(p, "device", "");
  j->invite = json_str(p, "invite", NULL);
  j->resume = json_str(p, "resume", NULL);
  if (!text_slug_valid(j->room))
    return ERR_NO_ROOM;
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
  j->h = hosted_find(c, j->room);
  return ERR_OK;
}

static enum err join_decide(struct control *c, struct join *j, struct room_events *evs) {
  const struct room *r = &j->h->room;
  if (j->resume) {
    enum err e =
        room_decide_resume(r, j->resume_hash, j->new_hash, j->sdp != NULL, c->wall_ms, &j->member, evs);
    for (size_t i = 0; e == ERR_OK && i < evs->n; i++)
      if (evs->v[i].entry) /* without an offer he keeps the path he had */
        evs->v[i].entry->audio |= room_member(r, j->member)->audio;
    return e;
  }
  struct room_join in = {.name = j->name,
                         .client = j->client,
                         .user = "",
                         .invite_hash = j->invite ? j->invite_hash : NULL,
                         .role = ROLE_NONE,
                         .audio = j->sdp != NULL};
  if (*j->device) {
    uint8_t h[32];
    sha256(j->device, strlen(j->device), h);
    memcpy(in.device, h, sizeof in.device);
  }
  memcpy(in.resume, j->new_hash, sizeof in.resume);
  enum err e = room_decide_join(r, &in, c->wall_ms, evs);
  for (size_t i = 0; e == ERR_OK && i < evs->n; i++)
    if (evs->v[i].entry)
      j->member = evs->v[i].entry->id;
  return e;
}

static json_t *join_result(struct control *c, struct conn *k, struct join *j, const char **why) {
  struct hosted *h = j->h;
  struct seat *s = k->seat;
  const struct member *m = room_member(&h->room, j->member);
  assert(m);
  bool waits = m->presence == PRESENCE_WAITING;
  json_t *body = json_pack("{s:s,s:I,s:s}", "state", waits ? "lobby" : "joined", "me", (json_int_t)j->member,
                           "resume", j->secret);
  if (waits) {
    json_object_set_new(body, "place", json_integer((json_int_t)room_lobby_place(&h->room, j->member)));
    json_object_set_new(body, "waiting", json_integer((json_int_t)room_count(&h->room, PRESENCE_WAITING)));
    free(s->offer);
    s->offer = j->sdp ? strdup(j->sdp) : NULL;
    return body;
  }
  json_object_set_new(body, "room", room_to_wire(&h->room, j->member));
  char *a = j->sdp ? answer(c, h, s, j->sdp, why) : NULL;
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
  if (e == ERR_OK && !j.h)
    e = ERR_NO_ROOM;
  if (e == ERR_OK)
    e = join_decide(c, &j, &evs);
  if (e != ERR_OK) {
    room_events_free(&evs);
    control_refuse(c, k, id, e, e == ERR_BAD_REQUEST ? "this connection has joined already" : NULL);
    return;
  }
  hosted_run(c, j.h, &evs);
  take_seat(c, k, j.h, j.member);
  if (j.resume)
    c->count.resumes++;
  else
    c->count.joins++;
  json_t *body = join_result(c, k, &j, &why);
  OPENSSL_cleanse(j.secret, sizeof j.secret);
  control_reply(c, k, id, body);
  if (room_may_hear(&j.h->room, j.member))
    acts_qualities(c, j.h, k);
  const struct member *m = room_member(&j.h->room, j.member);
  if (!j.sdp && m->audio && m->presence == PRESENCE_HERE &&
      !k->seat->peer) /* he thinks he has a path: a restart took it */
    control_notify(
        c, k, "media",
        json_pack("{s:s,s:s,s:s}", "state", "lost", "code", err_code(ERR_ICE), "text", err_text(ERR_ICE)));
}
