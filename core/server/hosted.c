/* hosted.c: a room in the server: its log, its seats, who is told what. */
#include "core/base/log.h"
#include "core/server/control_private.h"
#include "core/wire/room_json.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPIRY_STEP_US US_PER_S

struct hosted *hosted_find(struct control *c, const char *name) {
  return map_get(c->rooms, name, strlen(name));
}

struct seat *hosted_seat(struct hosted *h, uint32_t member) {
  return map_get_u32(h->seats, member);
}

struct hosted *hosted_create(struct control *c, const char *name, const char *stream) {
  struct hosted *h = calloc(1, sizeof *h);
  if (!h)
    abort();
  room_init(&h->room);
  if (stream)
    snprintf(h->stream, sizeof h->stream, "%s", stream);
  else /* a name may be used again after its room has ended: each life is a stream of its own */
    snprintf(h->stream, sizeof h->stream, "room:%s@%lld", name, (long long)c->wall_ms);
  h->handle = ++c->last_room;
  h->seats = map_create(rng_u64(c->cfg.rng));
  for (unsigned t = 1; t < c->cfg.media_threads; t++)
    if (c->threads_load[t] < c->threads_load[h->thread])
      h->thread = t;
  map_put(c->rooms, name, strlen(name), h);
  map_put_u32(c->media_rooms, h->handle, h);
  return h;
}

void hosted_destroy(struct control *c, struct hosted *h) {
  (void)c;
  struct seat *s;
  for (size_t at = 0; (s = map_next(h->seats, &at));) {
    free(s->offer);
    free(s);
  }
  map_destroy(h->seats);
  room_free(&h->room);
  free(h);
}

/* ---- log ---- */

static void append(struct control *c, const char *stream, const struct room_event *ev) {
  json_t *data = NULL, *payload = NULL;
  room_event_to_log(ev, &data, &payload);
  char *text = json_dumps(data, JSON_COMPACT | JSON_SORT_KEYS);
  char *sealed = payload ? json_dumps(payload, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
  char actor[16], target[16] = "";
  snprintf(actor, sizeof actor, "m:%u", ev->actor);
  if (ev->n_targets == 1)
    snprintf(target, sizeof target, "m:%u", ev->targets[0]);
  struct store_record r = {stream, ev->seq, ev->ts_ms, actor, room_ev_name(ev->kind), target, text, sealed};
  enum err e = text ? store_append(c->cfg.store, &r) : ERR_NOMEM;
  if (e != ERR_OK && c->group_err == ERR_OK)
    c->group_err = e;
  free(text);
  free(sealed);
  json_decref(data);
  json_decref(payload);
}

static enum err replay_one(void *ctx, const struct store_record *r) {
  struct room *room = ctx;
  json_t *data = json_loads(r->data, 0, NULL);
  json_t *payload = r->payload ? json_loads(r->payload, 0, NULL) : NULL;
  struct room_event ev = {0};
  uint32_t actor = r->actor[0] == 'm' ? (uint32_t)strtoul(r->actor + 2, NULL, 10) : 0;
  enum err e =
      data ? room_event_from_log(r->seq, r->ts_ms, actor, r->kind, data, payload, &ev) : ERR_DB_CORRUPT;
  if (e == ERR_OK && ev.seq > room->seq)
    room_apply(room, &ev);
  room_event_free(&ev);
  json_decref(data);
  json_decref(payload);
  return e;
}

static enum err replay(struct control *c, const char *stream, struct room *room) {
  room_free(room);
  room_init(room);
  return store_replay(c->cfg.store, stream, 0, replay_one, room);
}

static void drop_absent(struct control *c, struct hosted *h) {
  struct room_events evs = {0};
  for (size_t i = 0; i < h->room.n_members; i++) {
    struct seat *s = hosted_seat(h, h->room.members[i].id);
    if ((s && s->conn) || room_decide_drop(&h->room, h->room.members[i].id, c->wall_ms, &evs) != ERR_OK)
      continue;
    if (evs.n) { /* decisions number from the room's seq: run one at a time */
      hosted_run(c, h, &evs);
      i = (size_t)-1;
    }
  }
  room_events_free(&evs);
}

struct names {
  char (*v)[HOSTED_STREAM_MAX];
  size_t n, cap;
};
static enum err collect_name(void *ctx, const char *stream) {
  struct names *l = ctx;
  if (strlen(stream) >= sizeof l->v[0])
    return ERR_DB_CORRUPT;
  if (l->n == l->cap) {
    l->cap = l->cap ? l->cap * 2 : 64;
    l->v = realloc(l->v, l->cap * sizeof l->v[0]);
    if (!l->v)
      abort();
  }
  memcpy(l->v[l->n++], stream, strlen(stream) + 1);
  return ERR_OK;
}

enum err hosted_load_all(struct control *c, char why[256]) {
  struct names list = {0};
  enum err e = store_streams(c->cfg.store, "room:", collect_name, &list);
  for (size_t i = 0; e == ERR_OK && i < list.n; i++) {
    struct room room;
    room_init(&room);
    e = replay(c, list.v[i], &room);
    if (e != ERR_OK)
      snprintf(why, 256, "the log of %s cannot be read: %s", list.v[i], err_text(e));
    if (e != ERR_OK || room.ended) {
      room_free(&room);
      continue;
    }
    struct hosted *h = hosted_create(c, room.name, list.v[i]);
    h->room = room;
    drop_absent(c, h);
  }
  if (e == ERR_OK && list.n)
    c->next_expiry = c->now + EXPIRY_STEP_US;
  free(list.v);
  return e;
}

/* The seat goes; its connection, if any, stays and has no seat. */
static void forget_seat(struct control *c, struct hosted *h, struct seat *s) {
  seat_drop_media(c, h, s);
  if (s->conn) {
    s->conn->seat = NULL;
    s->conn->room = NULL;
  }
  map_del_u32(h->seats, s->member);
  free(s->offer);
  free(s);
}

void hosted_reload(struct control *c, struct hosted *h) {
  char name[sizeof h->room.name];
  memcpy(name, h->room.name, sizeof name);
  enum err e = replay(c, h->stream, &h->room);
  memcpy(h->room.name, name,
         sizeof name); /* also of a room whose beginning was lost: control_commit forgets it by name */
  if (e != ERR_OK) {   /* a stale room would give rights back; a restart replays it, or says why not */
    log_event(LOG_ERROR, "room cannot be rebuilt", "room", h->stream, "code", err_code(e), NULL);
    abort();
  }
  struct seat *s;
  for (size_t at = 0; (s = map_next(h->seats, &at));) {
    const struct member *m = room_member(&h->room, s->member);
    if (!m) { /* joined in the lost group: he was told disk_full */
      forget_seat(c, h, s);
      at = 0; /* the map has changed */
      continue;
    }
    if (s->conn && m->dropped_ms) { /* his return was lost: he asks again on the same connection */
      s->conn->seat = NULL;
      s->conn->room = NULL;
      s->conn = NULL;
    }
    s->view = room_view_of(&h->room, s->member);
    seat_bits(c, h, s);
  }
}

/* ---- telling people ---- */

static void touch(struct control *c, struct hosted *h) {
  if (h->touched)
    return;
  h->touched = true;
  if (c->n_touched == c->cap_touched) {
    c->cap_touched = c->cap_touched ? c->cap_touched * 2 : 16;
    c->touched = realloc(c->touched, c->cap_touched * sizeof(struct hosted *));
    if (!c->touched)
      abort();
  }
  c->touched[c->n_touched++] = h;
}

static bool leaves(enum room_ev kind) {
  return kind == ROOM_EV_LEFT || kind == ROOM_EV_REMOVED || kind == ROOM_EV_DENIED || kind == ROOM_EV_ENDED;
}

static bool is_target(const struct room_event *ev, uint32_t id) {
  for (size_t i = 0; i < ev->n_targets; i++)
    if (ev->targets[i] == id)
      return true;
  return false;
}

static void broadcast(struct control *c, struct hosted *h, const struct room_event *ev) {
  json_t *body = room_event_to_wire(ev);
  json_object_set_new(body, "room", json_string(h->room.name));
  struct msg *m = msg_take(rpc_notify("event", body));
  struct seat *s;
  for (size_t at = 0; (s = map_next(h->seats, &at));) {
    bool fresh = ev->kind == ROOM_EV_ADMITTED && is_target(ev, s->member); /* gets a whole room instead */
    if (s->conn && !fresh && room_event_visible(&h->room, ev, s->member))
      control_send(c, s->conn, m);
  }
  msg_unref(m);
}

static void bye(struct control *c, struct conn *k, enum err why, const char *reason) {
  json_t *body =
      json_pack("{s:s,s:s}", "code", err_code(why), "text", reason && *reason ? reason : err_text(why));
  control_notify(c, k, "bye", body);
  control_close(c, k);
}

static void seat_gone(struct control *c, struct hosted *h, uint32_t member, enum err why,
                      const char *reason) {
  struct seat *s = hosted_seat(h, member);
  if (!s)
    return;
  if (s->conn)
    bye(c, s->conn, why, reason);
  forget_seat(c, h, s);
}

static enum err why_gone(const struct room_event *ev) {
  switch (ev->kind) {
  case ROOM_EV_DENIED:
    return ERR_DENIED;
  case ROOM_EV_REMOVED:
    return ev->num ? ERR_BANNED : ERR_REMOVED;
  case ROOM_EV_LEFT:
    return ev->num ? ERR_NO_RESUME : ERR_OK;
  default:
    return ERR_ROOM_ENDED;
  }
}

static void everyone_gone(struct control *c, struct hosted *h, const struct room_event *ev) {
  for (;;) {
    size_t at = 0;
    struct seat *s = map_next(h->seats, &at);
    if (!s)
      break;
    seat_gone(c, h, s->member, why_gone(ev), ev->text);
  }
}

/* What an applied event means for seats: rights, views, admission, departure. */
static void after(struct control *c, struct hosted *h, const struct room_event *ev) {
  if (ev->kind == ROOM_EV_ENDED) {
    everyone_gone(c, h, ev);
    return;
  }
  for (size_t i = 0; i < ev->n_targets; i++) {
    if (leaves(ev->kind)) {
      seat_gone(c, h, ev->targets[i], why_gone(ev), ev->text);
      continue;
    }
    struct seat *s = hosted_seat(h, ev->targets[i]);
    if (!s)
      continue;
    if (ev->kind == ROOM_EV_ADMITTED)
      seat_admitted(c, h, s);
    seat_bits(c, h, s);
    enum view view = room_view_of(&h->room, s->member);
    if (view != s->view && s->conn && ev->kind != ROOM_EV_ADMITTED)
      control_notify(c, s->conn, "sync", json_pack("{s:o}", "room", room_to_wire(&h->room, s->member)));
    s->view = view;
  }
}

void hosted_lobby_places(struct control *c, struct hosted *h) {
  int waiting = (int)room_count(&h->room, PRESENCE_WAITING);
  struct seat *s;
  for (size_t at = 0; (s = map_next(h->seats, &at));) {
    size_t place = room_lobby_place(&h->room, s->member);
    if (place && s->conn)
      control_notify(c, s->conn, "lobby", json_pack("{s:i,s:i}", "place", (int)place, "waiting", waiting));
  }
}

void hosted_run(struct control *c, struct hosted *h, struct room_events *evs) {
  if (evs->n == 0)
    return;
  bool lobby_moved = false;
  touch(c, h);
  for (size_t i = 0; i < evs->n; i++) {
    const struct room_event *ev = &evs->v[i];
    append(c, h->stream, ev);
    broadcast(c, h, ev); /* before it is applied: who leaves is still there to be told */
    room_apply(&h->room, ev);
    after(c, h, ev);
    lobby_moved |= ev->kind == ROOM_EV_ADMITTED || ev->kind == ROOM_EV_DENIED || ev->kind == ROOM_EV_LEFT ||
                   ev->kind == ROOM_EV_REMOVED;
    c->count.events++;
  }
  if (lobby_moved)
    hosted_lobby_places(c, h);
  room_events_free(evs);
  if (c->next_expiry == US_NEVER)
    c->next_expiry = c->now + EXPIRY_STEP_US;
}

void hosted_forget(struct control *c, struct hosted *h) {
  struct media_cmd cmd = {.kind = MEDIA_ROOM_CLOSE, .room = h->handle};
  if (h->media_open)
    c->cfg.media(c->cfg.ctx, h->thread, &cmd);
  map_del(c->rooms, h->room.name, strlen(h->room.name));
  map_del_u32(c->media_rooms, h->handle);
  hosted_destroy(c, h);
}

void hosted_expire(struct control *c) {
  us_t next = US_NEVER;
  struct hosted *h;
  struct hosted *ended[16];
  size_t n_ended = 0;
  for (size_t at = 0; (h = map_next(c->rooms, &at));) {
    if (h->room.ended) {
      if (!h->touched && n_ended < 16)
        ended[n_ended++] = h;
      next = c->now + EXPIRY_STEP_US;
      continue;
    }
    drop_absent(c, h);
    struct room_events evs = {0};
    room_decide_expire(&h->room, c->wall_ms, &evs);
    hosted_run(c, h, &evs);
    int64_t due_ms = room_next_expiry(&h->room);
    if (due_ms != INT64_MAX)
      next = c->now + EXPIRY_STEP_US;
  }
  for (size_t i = 0; i < n_ended; i++) /* an ended room's name is free again once the end is on disk */
    hosted_forget(c, ended[i]);
  c->next_expiry = next;
}
