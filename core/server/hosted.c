/* hosted.c: a room in the server: its log, its seats, its timer. */
#include "core/base/bytes.h"
#include "core/base/log.h"
#include "core/server/monitor.h"
#include "core/server/ops.h"
#include "core/wire/room_json.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_US US_PER_S
#define DESERTED_US (600 * US_PER_S)
#define EXPIRIES_MOST 10000 /* acts at one instant: beyond that a rule undoes itself */

/* ---- names: a room is its application's; equal names of two are two rooms ---- */

struct hosted *hosted_find(struct control *c, const char *name) {
  return map_get_text(c->rooms, name);
}

void hosted_name(const char *app, const char *room, char out[HOSTED_NAME_MAX + 1]) {
  snprintf(out, HOSTED_NAME_MAX + 1, "%s%s%s", app, *app ? "/" : "", room);
}

/* Nobody takes more than half of the rooms there may be. */
static bool has_half(struct control *c, const char *app) {
  struct hosted *h;
  size_t n = 0;
  if (!*app || map_count(c->rooms) < CONTROL_ROOMS_MAX / 2)
    return false;
  for (size_t at = 0; (h = map_next(c->rooms, &at));)
    n += strcmp(h->app, app) == 0;
  return n >= CONTROL_ROOMS_MAX / 2;
}

enum err hosted_make(struct control *c, const char *app, const char *room, bool lobby, struct hosted **out) {
  char name[HOSTED_NAME_MAX + 1];
  struct room_events evs = {0};
  if (!text_slug_valid(room))
    return ERR_BAD_NAME;
  if (upkeep_admits(c, false, NULL) != ERR_OK)
    return ERR_DRAINING;
  if (map_count(c->rooms) >= CONTROL_ROOMS_MAX || has_half(c, app))
    return ERR_FULL;
  hosted_name(app, room, name);
  enum err e = room_decide_create(room, lobby, HOST_GONE_CONTINUE, c->wall_ms, &evs);
  if (e == ERR_OK) {
    *out = hosted_create(c, name, NULL);
    hosted_run(c, *out, &evs);
  }
  room_events_free(&evs);
  return e;
}

struct seat *hosted_seat(struct hosted *h, uint32_t member) {
  return map_get_u32(h->seats, member);
}

struct hosted *hosted_create(struct control *c, const char *name, const char *stream) {
  struct hosted *h = calloc(1, sizeof *h);
  if (!h)
    abort();
  room_init(&h->room);
  const char *slash = strchr(name, '/');
  snprintf(h->name, sizeof h->name, "%s", name);
  if (slash && (size_t)(slash - name) < sizeof h->app)
    memcpy(h->app, name, (size_t)(slash - name));
  if (stream)
    snprintf(h->stream, sizeof h->stream, "%s", stream);
  else /* a name may be used again after its room has ended: each life is a stream of its own */
    snprintf(h->stream, sizeof h->stream, "room:%s@%lld", h->name, (long long)c->wall_ms);
  h->timer = (struct timer)TIMER_IDLE;
  h->seats = map_create(rng_u64(c->cfg.rng));
  map_put_text(c->rooms, h->name, h);
  return h;
}

void hosted_destroy(struct control *c, struct hosted *h) {
  free(h->invite_joins);
  struct seat *s;
  for (size_t at = 0; (s = map_next(h->seats, &at));) {
    seat_claim(c, s, NULL);
    free(s->offer);
    free(s);
  }
  timers_set(&c->expiry, &h->timer, US_NEVER);
  attendance_forget(c, h);
  hosted_quiet(h, 0);
  map_destroy(h->seats);
  room_free(&h->room);
  free(h);
}

/* ---- log ---- */

static void append(struct control *c, const struct hosted *h, const struct room_event *ev) {
  char subject[ROOM_PID_MAX + 1];
  json_t *data = NULL, *payload = NULL;
  room_event_to_log(ev, &data, &payload);
  char *text = json_dumps(data, JSON_COMPACT | JSON_SORT_KEYS);
  char *sealed = payload ? json_dumps(payload, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
  char actor[16], target[16] = "";
  snprintf(actor, sizeof actor, "m:%u", ev->actor);
  if (ev->n_targets == 1)
    snprintf(target, sizeof target, "m:%u", ev->targets[0]);
  personal_subject(c, &h->room, ev, subject);
  struct store_record record = {h->stream, ev->seq, ev->ts_ms, actor,  room_ev_name(ev->kind),
                                target,    text,    sealed,    subject};
  enum err e = text ? store_append(c->cfg.store, &record) : ERR_NOMEM;
  if (e == ERR_OK)
    e = personal_deleted(c, h, ev);
  if (e != ERR_OK && c->group_err == ERR_OK)
    c->group_err = e;
  free(text);
  free(sealed);
  json_decref(data);
  json_decref(payload);
}

enum err hosted_event(const struct store_record *r, struct room_event *ev) {
  json_t *data = json_loads(r->data, 0, NULL);
  json_t *payload = r->payload ? json_loads(r->payload, 0, NULL) : NULL;
  uint32_t actor = r->actor[0] == 'm' ? (uint32_t)strtoul(r->actor + 2, NULL, 10) : 0;
  *ev = (struct room_event){0};
  enum err e =
      data ? room_event_from_log(r->seq, r->ts_ms, actor, r->kind, data, payload, ev) : ERR_DB_CORRUPT;
  json_decref(data);
  json_decref(payload);
  return e;
}

struct replay {
  struct room *room;
  struct meetings *meetings;
};
static enum err replay_one(void *ctx, const struct store_record *r) {
  struct replay *p = ctx;
  struct room_event ev;
  enum err e = hosted_event(r, &ev);
  if (e == ERR_OK && ev.seq > p->room->seq) {
    room_apply(p->room, &ev);
    personal_watch(p->meetings, p->room, ev.ts_ms);
  }
  room_event_free(&ev);
  return e;
}

static enum err replay(struct control *c, const char *stream, struct room *room, struct meetings *m) {
  struct replay p = {room, m};
  *m = (struct meetings){.from = m->from};
  room_free(room);
  room_init(room);
  return store_replay(c->cfg.store, stream, 0, replay_one, &p);
}

static enum err take_kind(void *ctx, const struct store_record *r) {
  *(bool *)ctx = strcmp(r->kind, room_ev_name(ROOM_EV_ENDED)) == 0;
  return ERR_OK;
}

/* Those that have ended are many: their last event says so. */
static enum err has_ended(struct control *c, const char *stream, bool *ended) {
  uint64_t seq = 0;
  uint8_t hash[32];
  *ended = false;
  enum err e = store_head(c->cfg.store, stream, &seq, hash);
  return e == ERR_OK && seq > 0 ? store_replay(c->cfg.store, stream, seq - 1, take_kind, ended) : e;
}

/* ---- the timer ---- */

/* A room of an application that nobody keeps: whoever joins next makes it again. */
static bool is_deserted(const struct room *r) {
  return !r->ended && r->n_members == 0 && r->n_invites == 0 && r->n_bans == 0 && r->n_trusted == 0;
}

static void arm(struct control *c, struct hosted *h) {
  us_t due = h->room.ended || h->absent ? c->now + RETRY_US : US_NEVER;
  int64_t next_ms = h->room.ended ? INT64_MAX : room_next_expiry(&h->room);
  int64_t purge_ms = h->room.ended ? INT64_MAX : personal_due_ms(c, h);
  next_ms = purge_ms < next_ms ? purge_ms : next_ms;
  if (next_ms != INT64_MAX) {
    int64_t wait_ms = next_ms > c->wall_ms ? next_ms - c->wall_ms : 0;
    us_t at = c->now + (wait_ms < CONTROL_SLEEP_MS ? wait_ms : CONTROL_SLEEP_MS) * US_PER_MS;
    due = at < due ? at : due;
  }
  if (!h->app[0] || !is_deserted(&h->room))
    h->empty_at = 0;
  else if (!h->empty_at)
    h->empty_at = c->now;
  if (h->empty_at && h->empty_at + DESERTED_US < due)
    due = h->empty_at + DESERTED_US;
  timers_set(&c->expiry, &h->timer, due);
}

/* Who is here without a connection is away: after a restart, or when his drop could not be recorded. */
static void drop_absent(struct control *c, struct hosted *h) {
  h->absent = false;
  for (size_t i = 0; i < h->room.n_members; i++) { /* being away moves nobody in the list */
    struct seat *s = hosted_seat(h, h->room.members[i].id);
    struct room_events evs = {0};
    if (!(s && s->conn) && room_decide_drop(&h->room, h->room.members[i].id, c->wall_ms, &evs) == ERR_OK)
      hosted_run(c, h, &evs);
    room_events_free(&evs);
  }
}

/* Everything that is due now, one act after the other. */
static void expire(struct control *c, struct hosted *h) {
  struct room_events evs = {0};
  if (h->absent)
    drop_absent(c, h);
  for (unsigned i = 0; i < EXPIRIES_MOST; i++) {
    room_decide_expire(&h->room, c->wall_ms, &evs);
    if (evs.n == 0)
      break;
    hosted_run(c, h, &evs);
  }
  struct room_cmd end = {.act = ACT_END, .has_num2 = true}; /* at once */
  if (h->empty_at && h->empty_at + DESERTED_US <= c->now &&
      room_decide(&h->room, &end, c->wall_ms, &evs) == ERR_OK)
    hosted_run(c, h, &evs);
  room_events_free(&evs);
  if (!h->room.ended && personal_due_ms(c, h) <= c->wall_ms)
    personal_purge(c, h);
  arm(c, h);
  if (h->timer.due <= c->now)
    timers_set(&c->expiry, &h->timer, c->now + RETRY_US);
}

void hosted_expire(struct control *c) {
  struct timer *t;
  while ((t = timers_pop(&c->expiry, c->now))) {
    struct hosted *h = (struct hosted *)t;
    if (h->room.ended && !h->touched) /* the name is free again once the end is on disk */
      hosted_forget(c, h);
    else
      expire(c, h);
  }
}

/* ---- life: from the log, and back to it ---- */

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

/* "room:APP/ROOM@TIME" */
static void name_of_stream(const char *stream, char out[HOSTED_NAME_MAX + 1]) {
  const char *name = stream + strlen("room:"), *at = strrchr(name, '@');
  snprintf(out, HOSTED_NAME_MAX + 1, "%.*s", (int)(at ? (size_t)(at - name) : strlen(name)), name);
}

enum err hosted_load_all(struct control *c, char why[256]) {
  struct names list = {0};
  enum err e = store_streams(c->cfg.store, "room:", collect_name, &list);
  for (size_t i = 0; e == ERR_OK && i < list.n; i++) {
    struct room room;
    struct meetings meetings = {.from =
                                    c->now + 60 * US_PER_S + (us_t)(rng_u64(c->cfg.rng) % (3600 * US_PER_S))};
    bool ended;
    room_init(&room);
    e = has_ended(c, list.v[i], &ended);
    if (e == ERR_OK && ended)
      continue;
    if (e == ERR_OK)
      e = replay(c, list.v[i], &room, &meetings);
    if (e != ERR_OK)
      snprintf(why, 256, "the log of %s cannot be read: %s", list.v[i], err_text(e));
    if (e != ERR_OK || room.ended) {
      room_free(&room);
      continue;
    }
    char name[HOSTED_NAME_MAX + 1];
    name_of_stream(list.v[i], name);
    struct hosted *h = hosted_create(c, name, list.v[i]);
    h->room = room;
    h->meetings = meetings;
    h->monitors = monitor_announced_in(&h->room);
    drop_absent(c, h);
    monitor_restarted(c, h);
    arm(c, h);
  }
  free(list.v);
  return e;
}

/* Who came in the lost group: he was told disk_full, and has no seat. */
static void forget_strangers(struct control *c, struct hosted *h) {
  struct seat *s, **list = malloc((map_count(h->seats) + 1) * sizeof(struct seat *));
  size_t n = 0;
  if (!list)
    abort();
  for (size_t at = 0; (s = map_next(h->seats, &at));)
    if (!room_member(&h->room, s->member))
      list[n++] = s;
  for (size_t i = 0; i < n; i++)
    seat_forget(c, h, list[i]);
  free(list);
}

void hosted_reload(struct control *c, struct hosted *h) {
  char name[sizeof h->room.name];
  memcpy(name, h->room.name, sizeof name);
  enum err e = replay(c, h->stream, &h->room, &h->meetings);
  memcpy(h->room.name, name,
         sizeof name); /* also of a room whose beginning was lost: control_commit forgets it by name */
  if (e != ERR_OK) {   /* a stale room would give rights back; a restart replays it, or says why not */
    log_event(LOG_ERROR, "room cannot be rebuilt", "room", h->stream, "code", err_code(e), NULL);
    abort();
  }
  attendance_forget(c, h);
  forget_strangers(c, h);
  struct seat *s;
  for (size_t at = 0; (s = map_next(h->seats, &at));) {
    const struct member *m = room_member(&h->room, s->member);
    if (s->conn && m->dropped_ms) { /* his return was lost: he asks again on the same connection */
      s->conn->seat = NULL;
      s->conn->room = NULL;
      s->conn = NULL;
    }
    s->view = room_view_of(&h->room, s->member);
    bool waits = m->presence == PRESENCE_WAITING;
    if (waits) /* again: his admission was lost, and its answer; the next one answers the same offer */
      seat_drop_media(c, h, s);
    seat_bits(c, h, s);
    if (s->conn && !s->peer && m->audio && !(waits && s->offer))
      tell_lost(c, s, ERR_ICE, false);
  }
  seat_close_rooms(c, h, h->room.sides + 1U);
  h->absent = true;
  h->monitors = monitor_announced_in(&h->room);
  arm(c, h);
  ops_touch(c, h);
}

static void count(const struct control *c, struct hosted *h) {
  bool inside = !h->room.ended && h->room.n_members > room_count(&h->room, PRESENCE_WAITING);
  h->inside_ms = !inside ? 0 : h->inside_ms ? h->inside_ms : c->wall_ms;
}

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

/* Whether an event, not applied yet, changes a place in the line of those who wait. */
static bool moves_lobby(const struct room *r, const struct room_event *ev) {
  bool moves = ev->kind == ROOM_EV_ADMITTED || ev->kind == ROOM_EV_DENIED || ev->kind == ROOM_EV_HELD;
  bool leaves = ev->kind == ROOM_EV_LEFT || ev->kind == ROOM_EV_REMOVED;
  for (size_t i = 0; leaves && !moves && i < ev->n_targets; i++) {
    const struct member *m = room_member(r, ev->targets[i]);
    moves = m && m->presence == PRESENCE_WAITING;
  }
  return moves;
}

void hosted_rebuild(struct control *c, struct hosted *h) {
  struct seat *s;
  touch(c, h);
  hosted_reload(c, h);
  for (size_t at = 0; (s = map_next(h->seats, &at));)
    if (s->conn && room_may_hear(&h->room, s->member))
      control_notify(c, s->conn, "sync", json_pack("{s:o}", "room", room_to_wire(&h->room, s->member)));
  for (size_t i = 0; (s = monitor_seat(c, h, i)); i++)
    control_notify(c, s->conn, "sync", json_pack("{s:o}", "room", room_to_wire(&h->room, ROOM_SILENT)));
}

void hosted_run(struct control *c, struct hosted *h, struct room_events *evs) {
  if (evs->n == 0)
    return;
  bool lobby_moved = false;
  touch(c, h);
  for (size_t i = 0; i < evs->n; i++) {
    const struct room_event *ev = &evs->v[i];
    struct told t;
    append(c, h, ev);
    audited_event(c, h, ev);
    hooks_event(c, h, ev);
    lobby_moved |= moves_lobby(&h->room, ev);
    tell_event(c, h, ev, &t); /* before it is applied: who leaves is still there to be told */
    room_apply(&h->room, ev);
    personal_watch(&h->meetings, &h->room, ev->ts_ms);
    tell_after(c, h, ev, &t);
    c->count.events++;
  }
  count(c, h);
  seat_tell_admitted(c, h);
  if (lobby_moved)
    tell_lobby_places(c, h);
  room_events_free(evs);
  arm(c, h);
  ops_touch(c, h);
  monitor_ran(c, h);
}

void hosted_forget(struct control *c, struct hosted *h) {
  ops_gone(c, h);
  seat_close_rooms(c, h, 0);
  map_del_text(c->rooms, h->name);
  hosted_destroy(c, h);
}
