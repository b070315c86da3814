/* acts.c: room.<act> for members and, with "room", for the operator; what else the operator may ask. */
#include "core/base/bytes.h"
#include "core/base/log.h"
#include "core/server/control_private.h"
#include "core/wire/room_json.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

/* ---- invites: the secret exists only in the reply; the room keeps its hash ---- */

static void invite_secret(struct control *c, struct link *link, struct invite *inv) {
  c->cfg.rng->fill(c->cfg.rng, link->secret, sizeof link->secret);
  link->has_secret = true;
  sha256(link->secret, sizeof link->secret, inv->hash);
}

static enum err make_invite(struct control *c, struct hosted *h, enum role role, bool bypass,
                            struct link *out) {
  struct invite inv = {.role = role, .bypass = bypass};
  *out = c->cfg.link;
  memcpy(out->room, h->room.name, sizeof out->room);
  invite_secret(c, out, &inv);
  struct room_cmd cmd = {.act = ACT_INVITE, .actor = 0, .invite = &inv};
  struct room_events evs = {0};
  enum err e = room_decide(&h->room, &cmd, c->wall_ms, &evs);
  if (e == ERR_OK)
    hosted_run(c, h, &evs);
  room_events_free(&evs);
  return e;
}

static enum err found(struct control *c, const char *name, bool lobby, struct hosted **out) {
  if (!text_slug_valid(name))
    return ERR_BAD_NAME;
  if (map_count(c->rooms) >= CONTROL_ROOMS_MAX)
    return ERR_FULL;
  struct room_events evs = {0};
  enum err e = room_decide_create(name, lobby, HOST_GONE_CONTINUE, c->wall_ms, &evs);
  if (e == ERR_OK) {
    *out = hosted_create(c, name, NULL);
    hosted_run(c, *out, &evs);
  }
  room_events_free(&evs);
  return e;
}

enum err control_room_create(struct control *c, const char *name, bool lobby, struct link *host,
                             struct link *guest) {
  struct hosted *h = NULL;
  enum err e = hosted_find(c, name) ? ERR_ROOM_EXISTS : found(c, name, lobby, &h);
  if (e == ERR_OK)
    e = make_invite(c, h, ROLE_OWNER, true, host);
  if (e == ERR_OK)
    e = make_invite(c, h, ROLE_SPEAKER, false, guest);
  return e;
}

static void link_text(const struct link *l, json_t *body, const char *key) {
  char text[LINK_MAX];
  link_format(l, text);
  json_object_set_new(body, key, json_string(text));
}

/* ---- acts ---- */

static enum err act_run(struct control *c, struct hosted *h, struct room_cmd *cmd, const json_t *params,
                        json_t *reply) {
  struct invite inv = {0};
  struct link link = c->cfg.link;
  if (cmd->act == ACT_INVITE) { /* the params bring role and limits, the shell the secret */
    enum err bad = room_invite_from_params(params, &inv);
    if (bad != ERR_OK)
      return bad;
    memcpy(link.room, h->room.name, sizeof link.room);
    invite_secret(c, &link, &inv);
    cmd->invite = &inv;
  }
  struct room_events evs = {0};
  enum err e = room_decide(&h->room, cmd, c->wall_ms, &evs);
  if (e == ERR_OK) {
    json_object_set_new(reply, "seq", json_integer((json_int_t)(evs.n ? evs.v[evs.n - 1].seq : h->room.seq)));
    if (cmd->act == ACT_INVITE)
      link_text(&link, reply, "link");
    hosted_run(c, h, &evs);
  }
  room_events_free(&evs);
  OPENSSL_cleanse(&link, sizeof link);
  return e;
}

static bool is_chat(enum act a) {
  return a == ACT_CHAT || a == ACT_CHAT_TO || a == ACT_CHAT_HOSTS;
}

static void act_call(struct control *c, struct conn *k, json_int_t id, enum act act, json_t *params) {
  struct hosted *h = k->room;
  if (k->admin) {
    h = hosted_find(c, json_str(params, "room", ""));
    json_object_del(params, "room");
  }
  enum err e = ERR_OK;
  if (!h)
    e = k->admin ? ERR_NO_ROOM : ERR_NOT_JOINED;
  else if (!k->admin && is_chat(act) && !bucket_take(&k->chat, c->now, RATE_CHAT_PER_S, RATE_CHAT_BURST))
    e = ERR_RATE;
  uint32_t *ids = malloc(sizeof(uint32_t) * ROOM_MEMBERS_MAX);
  if (!ids)
    abort();
  struct room_cmd cmd = {0};
  if (e == ERR_OK)
    e = room_cmd_from_params(act, params, &cmd, ids, ROOM_MEMBERS_MAX);
  json_t *reply = json_object();
  if (e == ERR_OK) {
    cmd.actor = k->admin ? 0 : k->seat->member;
    e = act_run(c, h, &cmd, params, reply);
  }
  if (e == ERR_OK)
    control_reply(c, k, id, reply);
  else {
    json_decref(reply);
    control_refuse(c, k, id, e, NULL);
  }
  free(ids);
}

/* ---- the operator's questions ---- */

static json_t *room_line(const struct hosted *h) {
  return json_pack("{s:s,s:i,s:i,s:i,s:b,s:b}", "room", h->room.name, "here",
                   (int)room_count(&h->room, PRESENCE_HERE), "away", (int)room_count(&h->room, PRESENCE_AWAY),
                   "waiting", (int)room_count(&h->room, PRESENCE_WAITING), "locked", h->room.locked, "lobby",
                   h->room.lobby);
}

static void rooms_list(struct control *c, struct conn *k, json_int_t id, json_t *params) {
  (void)params;
  json_t *list = json_array();
  struct hosted *h;
  for (size_t at = 0; (h = map_next(c->rooms, &at));)
    if (!h->room.ended)
      json_array_append_new(list, room_line(h));
  control_reply(c, k, id, json_pack("{s:o}", "rooms", list));
}

static void room_show(struct control *c, struct conn *k, json_int_t id, json_t *params) {
  struct hosted *h = hosted_find(c, json_str(params, "room", ""));
  if (!h)
    control_refuse(c, k, id, ERR_NO_ROOM, NULL);
  else
    control_reply(c, k, id, json_pack("{s:o}", "room", room_to_wire(&h->room, 0)));
}

static void room_create(struct control *c, struct conn *k, json_int_t id, json_t *params) {
  struct link host, guest;
  enum err e = json_only_keys(params, "room", "lobby", NULL) ? ERR_OK : ERR_BAD_ARG;
  if (e == ERR_OK)
    e = control_room_create(c, json_str(params, "room", ""), json_flag(params, "lobby", true), &host, &guest);
  if (e != ERR_OK) {
    control_refuse(c, k, id, e, NULL);
    return;
  }
  json_t *body = json_object();
  link_text(&host, body, "host");
  link_text(&guest, body, "guest");
  control_reply(c, k, id, body);
}

static void server_info(struct control *c, struct conn *k, json_int_t id, json_t *params) {
  (void)params;
  struct control_counters n;
  control_counters(c, &n);
  control_reply(c, k, id,
                json_pack("{s:s,s:i,s:i,s:I,s:I,s:I,s:I,s:I,s:I}", "version", GAVEL_VERSION, "rooms",
                          (int)n.rooms, "connections", (int)n.conns, "messages", (json_int_t)n.messages,
                          "refusals", (json_int_t)n.refusals, "events", (json_int_t)n.events, "commits",
                          (json_int_t)n.commits, "joins", (json_int_t)n.joins, "resumes",
                          (json_int_t)n.resumes));
}

static const struct {
  const char *method;
  void (*run)(struct control *c, struct conn *k, json_int_t id, json_t *params);
} ADMIN[] = {{"rooms.list", rooms_list},
             {"room.show", room_show},
             {"room.create", room_create},
             {"server.info", server_info}};

void acts_call(struct control *c, struct conn *k, json_int_t id, const char *method, json_t *params) {
  for (size_t i = 0; i < sizeof ADMIN / sizeof ADMIN[0]; i++)
    if (strcmp(method, ADMIN[i].method) == 0) {
      if (k->admin)
        ADMIN[i].run(c, k, id, params);
      else
        control_refuse(c, k, id, ERR_NOT_ALLOWED, NULL);
      return;
    }
  enum act act = strncmp(method, "room.", 5) == 0 ? act_find(method + 5) : ACT__COUNT;
  if (act == ACT__COUNT)
    control_refuse(c, k, id, ERR_BAD_METHOD, NULL);
  else
    act_call(c, k, id, act, params);
}

/* ---- what the media threads report ---- */

static void tell_levels(struct control *c, const struct media_event *ev) {
  struct hosted *h = map_get_u32(c->media_rooms, ev->room);
  if (!h)
    return;
  struct msg *m = NULL; /* only for those without sound of their own: the others read CSRC levels */
  struct seat *s;
  for (size_t at = 0; (s = map_next(h->seats, &at));) {
    if (!s->conn || s->peer || !room_may_hear(&h->room, s->member))
      continue;
    if (!m) {
      json_t *who = json_array();
      for (unsigned i = 0; i < ev->n; i++)
        json_array_append_new(who, json_pack("[i,i]", (int)ev->level[i].member, (int)ev->level[i].level));
      m = msg_take(rpc_notify("levels", json_pack("{s:o}", "who", who)));
    }
    control_send(c, s->conn, m);
  }
  msg_unref(m);
}

/* 0 good, 1 weak, 2 bad: by the worse of both directions. */
static uint8_t quality_of(const struct media_event *ev) {
  unsigned loss = ev->stats.loss_up > ev->stats.loss_down ? ev->stats.loss_up : ev->stats.loss_down;
  if (loss >= 15 || ev->stats.rtt_ms >= 800)
    return 2;
  return loss >= 4 || ev->stats.rtt_ms >= 400 || ev->stats.jitter_ms >= 80;
}

void acts_qualities(struct control *c, struct hosted *h, struct conn *k) {
  json_t *who = json_array();
  struct seat *s;
  for (size_t at = 0; (s = map_next(h->seats, &at));)
    if (s->quality)
      json_array_append_new(who, json_pack("[i,i]", (int)s->member, (int)s->quality));
  if (json_array_size(who))
    control_notify(c, k, "quality", json_pack("{s:O}", "who", who));
  json_decref(who);
}

/* Everyone inside hears of it when someone's line becomes better or worse, and only then. */
static void tell_quality(struct control *c, struct hosted *h, struct seat *about,
                         const struct media_event *ev) {
  uint8_t quality = quality_of(ev);
  if (quality == about->quality)
    return;
  about->quality = quality;
  struct msg *m =
      msg_take(rpc_notify("quality", json_pack("{s:[[i,i]]}", "who", (int)about->member, (int)quality)));
  struct seat *s;
  for (size_t at = 0; (s = map_next(h->seats, &at));)
    if (s->conn && room_may_hear(&h->room, s->member))
      control_send(c, s->conn, m);
  msg_unref(m);
}

void control_media_event(struct control *c, unsigned thread, const struct media_event *ev) {
  (void)thread;
  if (ev->kind == MEDIA_LEVELS) {
    tell_levels(c, ev);
    return;
  }
  struct peer_ref *ref = map_get_u32(c->peers, ev->peer);
  struct seat *s = ref ? hosted_seat(ref->room, ref->member) : NULL;
  if (!s || s->peer != ev->peer)
    return;
  switch (ev->kind) {
  case MEDIA_CONNECTED:
    if (s->conn)
      control_notify(c, s->conn, "media",
                     json_pack("{s:s,s:s}", "state", "connected", "profile", srtp_profile_text(ev->profile)));
    break;
  case MEDIA_FAILED:
  case MEDIA_LOST:
    log_event(LOG_INFO, "media path ended", "room", ref->room->room.name, "member", log_int(s->member), "why",
              err_code(ev->why), NULL);
    if (s->conn)
      control_notify(c, s->conn, "media",
                     json_pack("{s:s,s:s,s:s}", "state", ev->kind == MEDIA_FAILED ? "failed" : "lost", "code",
                               err_code(ev->why), "text", err_text(ev->why)));
    seat_drop_media(c, ref->room, s);
    break;
  default:
    tell_quality(c, ref->room, s, ev);
  }
}
