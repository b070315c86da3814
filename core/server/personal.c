/* personal.c: what of a room's log is personal: under whose key it is sealed, what of it a deletion takes
 * along, and when the rest has been kept long enough. */
#include "core/server/control_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHAT "chat.sent,chat.edited"

/* ---- whose ---- */

static const char *pid_of(const struct room *r, uint32_t id) {
  const struct member *m = room_member(r, id);
  return m ? m->pid : "";
}

/* Of the person it holds, never of who made it: erasing him must not let others in. */
static void of_ban(const struct control *c, const struct ban *b, char pid[ROOM_PID_MAX + 1]) {
  char known[ACCESS_PID_MAX + 1] = "";
  if (b->user[0] && !b->pid[0] && access_subject(c->access, b->user, known) == ERR_NO_USER)
    known[0] = 0;
  snprintf(pid, ROOM_PID_MAX + 1, "%s", b->pid[0] ? b->pid : known);
}

static const struct ban *ban_by_id(const struct room *r, uint64_t id) {
  for (size_t i = 0; i < r->n_bans; i++)
    if (r->bans[i].id == id)
      return &r->bans[i];
  return NULL;
}

/* Of who wrote it; what the operator writes to one person is that person's. */
static const char *of_chat(const struct room *r, const struct room_event *ev) {
  const struct chat *old = ev->kind == ROOM_EV_CHAT_EDITED ? room_chat_by_id(r, (uint64_t)ev->num) : NULL;
  bool alone = old ? old->kind == CHAT_PRIVATE : ev->kind == ROOM_EV_CHAT && ev->num == CHAT_PRIVATE;
  uint32_t to = old ? old->to : (uint32_t)ev->num2;
  return pid_of(r, ev->actor == 0 && alone ? to : ev->actor);
}

void personal_subject(const struct control *c, const struct room *r, const struct room_event *ev,
                      char pid[ROOM_PID_MAX + 1]) {
  const struct ban *b = ev->kind == ROOM_EV_BAN_EDITED ? ban_by_id(r, (uint64_t)ev->num) : ev->ban;
  const char *of = "";
  if (b) {
    of_ban(c, b, pid);
    return;
  }
  if (ev->of[0])
    of = ev->of;
  else if (ev->entry)
    of = ev->entry->pid;
  else if (ev->kind == ROOM_EV_CHAT || ev->kind == ROOM_EV_CHAT_EDITED)
    of = of_chat(r, ev);
  else if (ev->n_targets <= 1) /* of several people it is nobody's: see personal_shared */
    of = pid_of(r, ev->n_targets ? ev->targets[0] : ev->actor);
  snprintf(pid, ROOM_PID_MAX + 1, "%s", of);
}

/* ---- deleted ---- */

enum err personal_deleted(struct control *c, const struct hosted *h, const struct room_event *ev) {
  bool one = ev->kind == ROOM_EV_CHAT_DELETED || ev->kind == ROOM_EV_CHAT_EDITED;
  bool all = ev->kind == ROOM_EV_CHAT_CLEARED;
  if (!one && !all && ev->kind != ROOM_EV_CHAT_PURGED)
    return ERR_OK;
  const struct chat *m = one ? room_chat_by_id(&h->room, (uint64_t)ev->num) : NULL;
  const char **held = access_held(c->access);
  struct store *s = c->cfg.store;
  char actor[16];
  uint64_t n;
  enum err e = ERR_OK;
  if (m && ev->kind == ROOM_EV_CHAT_DELETED && m->said != m->id)
    e = store_erase_payload(s, h->stream, m->id, held);
  if (m && e == ERR_OK)
    e = store_erase_payload(s, h->stream, m->said, held);
  else if (all)
    e = store_erase_before(s, h->stream, CHAT, INT64_MAX, held, &n);
  else if (ev->kind == ROOM_EV_CHAT_PURGED && ev->n_targets) {
    snprintf(actor, sizeof actor, "m:%u", ev->targets[0]);
    e = store_erase_by(s, h->stream, actor, CHAT, held);
  }
  free(held);
  return e;
}

/* ---- meetings that are over ---- */

/* When there are too many, of two one after the other the later counts for both. */
static void thin(struct meetings *m) {
  for (size_t i = 0; i < MEETINGS_MAX / 2; i++)
    m->end_ms[i] = m->end_ms[2 * i + 1];
  m->n = MEETINGS_MAX / 2;
}

void personal_watch(struct meetings *m, const struct room *r, int64_t ts_ms) {
  bool ended = m->inside && r->n_members == 0;
  m->inside = r->n_members > 0;
  if (!ended)
    return;
  if (m->n == MEETINGS_MAX)
    thin(m);
  m->end_ms[m->n++] = ts_ms;
}

int64_t personal_due_ms(const struct control *c, const struct hosted *h) {
  const struct meetings *m = &h->meetings;
  int64_t due = access_purge_next_ms(c->access, m->end_ms, m->n, &m->kept);
  int64_t from = m->from > c->now ? c->wall_ms + (m->from - c->now + 999) / US_PER_MS : 0;
  return due > from ? due : from;
}

void personal_purge(struct control *c, struct hosted *h) {
  struct meetings *m = &h->meetings;
  struct access_purged kept = m->kept;
  if (access_purge_room(c->access, h->stream, m->end_ms, m->n, &kept) > 0)
    hosted_rebuild(c, h); /* also out of memory */
  m->kept = kept;
}

/* ---- of several people, and he is one ---- */

struct shared {
  const char *pid;
  struct map *his; /* member ids */
  uint64_t *seq;   /* whose content tells of him too */
  size_t n, cap;
};

static enum err take_shared(void *ctx, const struct store_record *r) {
  struct shared *s = ctx;
  struct room_event ev;
  enum err e = hosted_event(r, &ev);
  bool his = e == ERR_OK && map_get_u32(s->his, ev.actor) != NULL;
  if (e == ERR_OK && ev.entry && strcmp(ev.entry->pid, s->pid) == 0)
    map_put_u32(s->his, ev.entry->id, s);
  for (size_t i = 0; e == ERR_OK && !his && i < ev.n_targets; i++)
    his = map_get_u32(s->his, ev.targets[i]) != NULL;
  if (his && r->payload && !(r->subject && *r->subject) && ev.n_targets > 1) {
    if (s->n == s->cap) {
      s->cap = s->cap ? s->cap * 2 : 16;
      s->seq = realloc(s->seq, s->cap * sizeof *s->seq);
      if (!s->seq)
        abort();
    }
    s->seq[s->n++] = r->seq;
  }
  room_event_free(&ev);
  return e;
}

static enum err forget_shared(struct control *c, const char *pid, const char *stream) {
  struct shared s = {.pid = pid, .his = map_create(rng_u64(c->cfg.rng))};
  enum err e = store_replay(c->cfg.store, stream, 0, take_shared, &s);
  for (size_t i = 0; e == ERR_OK && i < s.n; i++)
    e = store_erase_payload(c->cfg.store, stream, s.seq[i], NULL);
  map_destroy(s.his);
  free(s.seq);
  return e;
}

enum err personal_shared(struct control *c, const char *pid, const char *user, json_t *streams) {
  const char *stream;
  json_t *v;
  struct hosted *h;
  enum err e = ERR_OK;
  json_object_foreach(streams, stream, v) if (e == ERR_OK && strncmp(stream, "room:", 5) == 0) e =
      forget_shared(c, pid, stream);
  for (size_t at = 0; e == ERR_OK && *user && (h = map_next(c->rooms, &at));)
    for (size_t i = 0; e == ERR_OK && i < h->room.n_bans; i++) {
      const struct ban *b = &h->room.bans[i];
      if (b->pid[0] || strcmp(b->user, user) != 0)
        continue;
      e = store_erase_payload(c->cfg.store, h->stream, b->id, NULL);
      json_object_set_new(streams, h->stream, json_true());
    }
  return e;
}
