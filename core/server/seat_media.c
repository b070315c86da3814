/* seat_media.c: the media path of a seat: offer and answer, in which media room it is, and what it may there.
 * A side room is a media room of its own, opened when the first person is moved to it. A room too large for
 * its media thread has edges on others (mediaedge.h); a person stays on the thread of his path. */
#include "core/base/bytes.h"
#include "core/server/control_private.h"
#include "core/server/monitor.h"
#include "core/server/turn.h"
#include "core/wire/room_json.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- media rooms ---- */

static uint32_t room_handle(struct control *c, struct hosted *h, unsigned side) {
  assert(side <= ROOM_SIDES_MAX);
  if (h->media[side] == 0) {
    struct media_cmd cmd = {.kind = MEDIA_ROOM_OPEN, .room = ++c->last_room};
    h->media[side] = cmd.room;
    map_put_u32(c->media_rooms, cmd.room, h);
    c->cfg.media(c->cfg.ctx, h->thread, &cmd);
  }
  return h->media[side];
}

/* The same, open on `thread`. */
static uint32_t room_on(struct control *c, struct hosted *h, unsigned side, unsigned thread) {
  uint32_t room = room_handle(c, h, side);
  if (thread == h->thread || h->edges[side] & 1U << thread)
    return room;
  h->edges[side] |= 1U << thread;
  struct media_cmd open = {.kind = MEDIA_EDGE_OPEN, .room = room, .thread = h->thread},
                   add = {.kind = MEDIA_EDGE_ADD, .room = room, .thread = thread};
  c->cfg.media(c->cfg.ctx, thread, &open);
  c->cfg.media(c->cfg.ctx, h->thread, &add);
  return room;
}

void seat_close_rooms(struct control *c, struct hosted *h, unsigned from) {
  for (unsigned side = from; side <= ROOM_SIDES_MAX; side++) {
    struct media_cmd cmd = {.kind = MEDIA_ROOM_CLOSE, .room = h->media[side]};
    if (!cmd.room)
      continue;
    for (unsigned t = 0; t < CONTROL_THREADS_MAX; t++)
      if (t == h->thread || h->edges[side] & 1U << t)
        c->cfg.media(c->cfg.ctx, t, &cmd);
    map_del_u32(c->media_rooms, cmd.room);
    h->media[side] = h->edges[side] = 0;
  }
  hosted_quiet(h, from);
}

/* By what a thread really does, and by its paths, so that those who have just come count before they are
 * heard: five of them as a thousandth of a core. */
static unsigned thread_load(struct control *c, unsigned t) {
  unsigned busy = c->cfg.media_load ? c->cfg.media_load(c->cfg.ctx, t) : 0;
  return 5 * busy + c->threads_load[t];
}

/* The thread with the least to do takes a room that begins to sound. */
static void place(struct control *c, struct hosted *h) {
  unsigned best = h->thread, least = UINT_MAX;
  if (h->peers > 0 || c->cfg.media_threads < 2)
    return;
  for (unsigned t = 0; t < c->cfg.media_threads; t++) {
    unsigned load = thread_load(c, t);
    best = load < least ? t : best;
    least = load < least ? load : least;
  }
  if (best != h->thread)
    seat_close_rooms(c, h, 0);
  h->thread = best;
}

/* Where the next one's path goes: the room's own thread, until that has enough of the room's people. */
static unsigned choose_thread(struct control *c, const struct hosted *h) {
  unsigned best = h->thread;
  if (c->cfg.edge_from == 0 || h->at_home < c->cfg.edge_from)
    return best;
  for (unsigned t = 0; t < c->cfg.media_threads; t++)
    if (thread_load(c, t) < thread_load(c, best))
      best = t;
  return best;
}

/* ---- rights ---- */

static struct seat_bits wanted(struct control *c, struct hosted *h, const struct seat *s) {
  const struct member *m = room_member(&h->room, s->member);
  if (s->member == ROOM_SILENT)
    return (struct seat_bits){.room = room_on(c, h, 0, s->thread), .may_hear = true, .kbps = s->kbps};
  assert(m);
  return (struct seat_bits){.room = room_on(c, h, m->side, s->thread),
                            .may_send = room_may_send(&h->room, s->member),
                            .may_hear = room_may_hear(&h->room, s->member),
                            .priority = m->priority,
                            .gain_db = m->gain_db,
                            .kbps = s->kbps};
}

static struct media_cmd command(const struct seat *s, struct seat_bits b) {
  return (struct media_cmd){.room = b.room,
                            .peer = s->peer,
                            .member = s->member,
                            .may_send = b.may_send,
                            .may_hear = b.may_hear,
                            .priority = b.priority,
                            .gain_db = b.gain_db,
                            .hidden = s->member == ROOM_SILENT,
                            .kbps = b.kbps};
}

static bool same_bits(const struct seat_bits *a, const struct seat_bits *b) {
  return a->room == b->room && a->may_send == b->may_send && a->may_hear == b->may_hear &&
         a->priority == b->priority && a->gain_db == b->gain_db && a->kbps == b->kbps;
}

/* At the room's home: whether what he says on an edge may be heard. */
static void tell_home(struct control *c, struct hosted *h, const struct seat *s, struct seat_bits b,
                      bool may_send) {
  if (s->thread == h->thread)
    return;
  struct media_cmd cmd = command(s, b);
  cmd.kind = MEDIA_REMOTE;
  cmd.thread = s->thread;
  cmd.may_send = may_send;
  c->cfg.media(c->cfg.ctx, h->thread, &cmd);
}

void seat_bits(struct control *c, struct hosted *h, struct seat *s) {
  if (!s->peer)
    return;
  struct seat_bits b = wanted(c, h, s);
  if (same_bits(&b, &s->told))
    return;
  if (b.room != s->told.room)
    tell_home(c, h, s, s->told, false);
  tell_home(c, h, s, b, b.may_send);
  s->told = b;
  struct media_cmd cmd = command(s, b);
  cmd.kind = MEDIA_PEER_SET;
  c->cfg.media(c->cfg.ctx, s->thread, &cmd);
}

void seat_drop_media(struct control *c, struct hosted *h, struct seat *s) {
  if (!s->peer)
    return;
  struct media_cmd cmd = {.kind = MEDIA_PEER_DEL, .room = s->told.room, .peer = s->peer};
  tell_home(c, h, s, s->told, false);
  c->cfg.media(c->cfg.ctx, s->thread, &cmd);
  free(map_del_u32(c->peers, s->peer));
  s->peer = 0;
  s->told = (struct seat_bits){0};
  assert(c->threads_load[s->thread] > 0);
  c->threads_load[s->thread]--;
  h->peers--;
  h->at_home -= s->thread == h->thread && s->member != ROOM_SILENT;
}

/* ---- offer and answer ---- */

static void fill_params(struct control *c, const struct sdp *offer, struct media_peer_params *p) {
  rng_token(c->cfg.rng, p->local_ufrag, 8);
  rng_token(c->cfg.rng, p->local_pwd, 24);
  memcpy(p->hash, offer->hash, sizeof p->hash);
  memcpy(p->fingerprint, offer->fingerprint, sizeof p->fingerprint);
  p->fingerprint_len = offer->fingerprint_len;
  p->opus_pt = offer->opus_pt;
  p->red_pt = offer->red_pt;
  p->nack = offer->nack && offer->rtcp_rsize;
  p->level_id = offer->level_id;
  p->csrc_level_id = offer->csrc_level_id;
  p->ssrc_in = offer->ssrc;
  do
    p->ssrc_out = (uint32_t)rng_u64(c->cfg.rng);
  while (p->ssrc_out == 0 || p->ssrc_out == offer->ssrc);
  p->recv = offer->recv;
  p->send = offer->send;
}

char *seat_answer_text(struct control *c, const struct sdp *offer, unsigned thread,
                       struct media_peer_params *params, const char **why) {
  fill_params(c, offer, params);
  struct sdp_local me = {.ufrag = params->local_ufrag,
                         .pwd = params->local_pwd,
                         .fingerprint = c->cfg.dtls_sha256,
                         .ssrc = params->ssrc_out,
                         .cand = c->cfg.candidates[thread],
                         .n_cand = c->cfg.n_candidates[thread],
                         .lite = true,
                         .rekey_s = c->cfg.rekey_s};
  char *out = sdp_write_answer(offer, &me);
  if (!out)
    *why = "the offer must leave the passive side to the server (a=setup:actpass or active)";
  return out;
}

char *seat_answer(struct control *c, struct hosted *h, struct seat *s, const char *text, const char **why) {
  struct sdp offer;
  struct media_peer_params params = {0};
  if (sdp_parse(text, strlen(text), &offer, why) != ERR_OK)
    return NULL;
  if (s->conn && s->conn->whip)
    whip_direction(s->conn->whip, &offer);
  place(c, h);
  unsigned thread = s->peer ? s->thread : choose_thread(c, h);
  char *out = seat_answer_text(c, &offer, thread, &params, why);
  if (!out)
    return NULL;
  seat_drop_media(c, h, s);
  struct peer_ref *ref = malloc(sizeof *ref);
  if (!ref)
    abort();
  *ref = (struct peer_ref){h, s->member};
  s->thread = thread;
  s->peer = ++c->last_peer;
  map_put_u32(c->peers, s->peer, ref);
  s->told = wanted(c, h, s);
  lines_path(c, s, false);
  struct media_cmd cmd = command(s, s->told);
  cmd.kind = MEDIA_PEER_ADD;
  cmd.params = params;
  c->threads_load[thread]++;
  h->at_home += thread == h->thread && s->member != ROOM_SILENT; /* he moves nobody to another thread */
  tell_home(c, h, s, s->told, s->told.may_send);
  h->peers++;
  c->cfg.media(c->cfg.ctx, thread, &cmd);
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
  char *a = seat_answer(c, k->room, k->seat, sdp, &why);
  free(k->seat->offer);
  k->seat->offer = NULL;
  if (!a)
    control_refuse(c, k, id, ERR_BAD_SDP, why);
  else
    control_reply(c, k, id, json_pack("{s:s}", "sdp", a));
  free(a);
}

void seat_bandwidth(struct control *c, struct conn *k, json_int_t id, const json_t *params) {
  json_int_t kbps = json_int(params, "kbps", -1);
  if (!json_only_keys(params, "kbps", NULL) ||
      (kbps != 0 && (kbps < LADDER_KBPS_MIN || kbps > LADDER_KBPS_MAX))) {
    control_refuse(c, k, id, ERR_BAD_ARG, "media.bandwidth wants kbps: 6 to 1000, or 0 for automatic");
    return;
  }
  if (!k->seat) {
    control_refuse(c, k, id, ERR_NOT_JOINED, NULL);
    return;
  }
  k->seat->kbps = (uint16_t)kbps;
  seat_bits(c, k->room, k->seat);
  control_reply(c, k, id, json_object());
}

json_t *seat_relays(struct control *c, const struct conn *k) {
  char text[HOSTED_STREAM_MAX + 16], seat[2 * 8 + 1];
  uint8_t hash[32];
  snprintf(text, sizeof text, "%s %u", k->room->stream, k->seat->member);
  sha256(text, strlen(text), hash);
  hex_encode(hash, 8, seat);
  c->count.turn_minted += c->cfg.turn != NULL;
  return turn_servers(c->cfg.turn, c->wall_ms / 1000, seat);
}

/* Relays, for who is inside and has found no direct way. */
void seat_ice(struct control *c, struct conn *k, json_int_t id, const json_t *params) {
  bool inside = k->seat && room_view_of(&k->room->room, k->seat->member) != VIEW_NOTHING;
  if (json_object_size(params) > 0) {
    control_refuse(c, k, id, ERR_BAD_ARG, NULL);
    return;
  }
  if (!inside) {
    control_refuse(c, k, id, k->seat ? ERR_IN_LOBBY : ERR_NOT_JOINED, NULL);
    return;
  }
  if (!limit_take(c, &k->seat->relays, LIMIT_RELAYS)) {
    control_refuse(c, k, id, ERR_RATE, NULL);
    return;
  }
  control_reply(c, k, id, seat_relays(c, k));
}

/* ---- through the lobby's door, both ways ---- */

void seat_admitted(struct hosted *h, struct seat *s, bool first) {
  s->view = room_view_of(&h->room, s->member);
  s->fresh = first ? FRESH_NEW : FRESH_OWN;
  h->fresh = true;
}

/* Who was never inside has nothing of his own in a room but what was written to him while he waited. */
static void find_own(struct hosted *h) {
  for (size_t i = 0; i < h->room.n_chat; i++) {
    struct seat *s = h->room.chat[i].kind == CHAT_PRIVATE ? hosted_seat(h, h->room.chat[i].to) : NULL;
    if (s && s->fresh)
      s->fresh = FRESH_OWN;
  }
}

static struct msg *whole_room(const struct hosted *h, uint32_t viewer) {
  return msg_take(rpc_notify("admitted", json_pack("{s:o}", "room", room_to_wire(&h->room, viewer))));
}

static void tell_answer(struct control *c, struct hosted *h, struct seat *s) {
  const char *why = NULL;
  char *a = s->offer ? seat_answer(c, h, s, s->offer, &why) : NULL;
  if (a && s->conn)
    control_notify(c, s->conn, "answer", json_pack("{s:s}", "sdp", a));
  else if (s->offer && s->conn)
    control_notify(c, s->conn, "answer", json_pack("{s:s}", "sdp_error", why ? why : "not acceptable"));
  if (!a) {
    free(s->offer);
    s->offer = NULL;
  }
  free(a);
}

void seat_tell_admitted(struct control *c, struct hosted *h) {
  if (!h->fresh)
    return;
  h->fresh = false;
  find_own(h);
  struct msg *all[VIEW_MODERATOR + 1] = {0}, *lines = lines_now(h);
  struct seat *s;
  for (size_t at = 0; (s = map_next(h->seats, &at));) {
    struct msg **room = &all[s->view], *own = NULL;
    if (!s->fresh)
      continue;
    if (s->conn && s->fresh == FRESH_OWN)
      room = &own;
    if (s->conn && !*room)
      *room = whole_room(h, s->member);
    if (s->conn)
      control_send(c, s->conn, *room);
    s->fresh = FRESH_NOT;
    tell_answer(c, h, s);
    if (s->conn && lines)
      control_send(c, s->conn, lines);
    if (s->conn)
      monitor_notice(c, s->conn, h);
    msg_unref(own);
  }
  for (unsigned i = 0; i <= VIEW_MODERATOR; i++)
    msg_unref(all[i]);
  msg_unref(lines);
}

void seat_held(struct control *c, struct hosted *h, struct seat *s, const char *by, const char *reason) {
  if (!s->conn || !s->conn->whip) /* he cannot ask for another: his stays, and carries nothing */
    seat_drop_media(c, h, s);
  free(s->offer);
  s->offer = NULL;
  s->quality = 0;
  s->fresh = FRESH_NOT;
  s->view = VIEW_NOTHING;
  if (!s->conn)
    return;
  json_t *body = json_pack("{s:i,s:i,s:b}", "place", (int)room_lobby_place(&h->room, s->member), "waiting",
                           (int)room_count(&h->room, PRESENCE_WAITING), "held", true);
  if (*by)
    json_object_set_new(body, "by", json_string(by));
  if (*reason)
    json_object_set_new(body, "text", json_string(reason));
  control_notify(c, s->conn, "lobby", body);
}
