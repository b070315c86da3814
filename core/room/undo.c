#include "core/room/room_private.h"

#include <stdlib.h>
#include <string.h>

/* ---- recording: what an act changed, with the former values ---- */

struct room_undo *undo_state(struct room *r) {
  if (!r->undo && !(r->undo = calloc(1, sizeof *r->undo)))
    abort();
  return r->undo;
}

static void items_free(struct undo_record *rec) {
  for (size_t i = 0; i < rec->n; i++) {
    free(rec->items[i].text_before);
    free(rec->items[i].text_after);
  }
  free(rec->items);
  rec->items = NULL;
  rec->n = rec->cap = 0;
}

static void record_drop(struct room_undo *u, size_t i) {
  items_free(&u->rec[i]);
  memmove(&u->rec[i], &u->rec[i + 1], (--u->n - i) * sizeof u->rec[0]);
}

void undo_forget(struct room *r, uint64_t group) {
  for (size_t i = r->undo ? r->undo->n : 0; i-- > 0;)
    if (group == 0 || r->undo->rec[i].group == group)
      record_drop(r->undo, i);
}

/* Room for a new act: those too old keep only their head (so that undo says "too late"); when the list is
 * full the oldest act on oneself goes first, so that a crowd raising hands cannot push out what a host did.
 */
static struct undo_record *record_new(struct room_undo *u, const struct room_event *ev) {
  for (size_t i = 0; i < u->n; i++)
    if (ev->ts_ms - u->rec[i].ts_ms > ROOM_UNDO_MS)
      items_free(&u->rec[i]);
  if (u->n == ROOM_UNDO_KEPT) {
    size_t victim = 0;
    while (victim < u->n && !u->rec[victim].self)
      victim++;
    record_drop(u, victim < u->n ? victim : 0);
  }
  struct undo_record *rec = &u->rec[u->n++];
  *rec = (struct undo_record){.group = ev->group, .ts_ms = ev->ts_ms, .actor = ev->actor, .self = true};
  return rec;
}

void undo_note(struct room *r, const struct room_event *ev, struct undo_item item) {
  struct room_undo *u = undo_state(r);
  struct undo_record *rec = u->n && u->rec[u->n - 1].group == ev->group ? &u->rec[u->n - 1] : NULL;
  /* Being asked to unmute is undone only as a part of `next`. */
  if (u->undoing == ev->group || (!rec && item.kind == ROOM_EV_ASKED)) {
    free(item.text_before);
    free(item.text_after);
    return;
  }
  if (!rec)
    rec = record_new(u, ev);
  rec->self = rec->self && item.id != 0 && item.id == ev->actor;
  rec->items = room_grow(rec->items, rec->n, &rec->cap, sizeof *rec->items);
  rec->items[rec->n++] = item;
}

/* ---- deciding: the inverse of each item that still stands as the act left it ---- */

static int64_t room_value(const struct room *r, enum room_ev kind) {
  switch (kind) {
  case ROOM_EV_LOCKED:
    return r->locked;
  case ROOM_EV_LOBBY:
    return r->lobby;
  case ROOM_EV_POLICY:
    return (int64_t)r->policy;
  case ROOM_EV_CHAT_MODE:
    return (int64_t)r->chat_mode;
  default:
    return room_mute_level(r);
  }
}

static void invert_room(struct decision *d, const struct undo_item *it) {
  if (it->kind == ROOM_EV_TOPIC) {
    if (strcmp(d->r->topic, it->text_after) != 0)
      return;
    struct room_event *ev = decide_event(d, it->kind, 0, 0);
    ev->text = room_strdup(it->text_before);
    ev->text2 = room_strdup(it->text_after);
  } else if (room_value(d->r, it->kind) == it->after) {
    (void)decide_event(d, it->kind, it->before, it->after);
  }
}

/* Undo unmutes a person only while he is muted by that very act, no mute-all came after it, and nobody but
 * himself is asked to give up what holds him. */
static void invert_mute(struct decision *d, const struct undo_record *rec, const struct member *m) {
  bool all_since = d->r->undo->mute_all > rec->group && !ROLE_IS_MODERATOR(m->role);
  if (!m->muted || m->muted_by != rec->actor || all_since)
    return;
  if (m->id == d->actor_id && !member_may_unmute(d->r, m))
    return;
  decide_target(d, ROOM_EV_UNMUTED, 0, m->id);
}

static void invert_floor(struct decision *d, const struct undo_item *it, const struct member *m) {
  bool taking = !it->before && m->role >= d->rank;
  if (m->floor == it->after && !taking && m->role != ROLE_MONITOR)
    decide_target(d, ROOM_EV_FLOOR, it->before, m->id);
}

static void invert_hand(struct decision *d, const struct undo_item *it, const struct member *m) {
  if ((int64_t)m->hand != it->after || m->role == ROLE_MONITOR)
    return;
  if (it->before)
    room_event_target(decide_event(d, ROOM_EV_HAND, 1, it->before), m->id);
  else
    decide_target(d, ROOM_EV_HAND, 0, m->id);
}

static void invert_role(struct decision *d, const struct undo_item *it, const struct member *m) {
  if ((int64_t)m->role != it->after || m->role >= d->rank || it->before > (int64_t)d->rank)
    return;
  room_event_target(decide_event(d, ROOM_EV_ROLE, it->before, it->after), m->id);
}

static void invert(struct decision *d, const struct undo_record *rec, const struct undo_item *it) {
  if (it->id == 0) {
    invert_room(d, it);
    return;
  }
  const struct member *m = room_member(d->r, it->id);
  if (!m)
    return;
  if (it->kind == ROOM_EV_MUTED)
    invert_mute(d, rec, m);
  else if (it->kind == ROOM_EV_FLOOR)
    invert_floor(d, it, m);
  else if (it->kind == ROOM_EV_HAND)
    invert_hand(d, it, m);
  else if (it->kind == ROOM_EV_ROLE)
    invert_role(d, it, m);
  else if (m->exempt == it->after)
    decide_target(d, ROOM_EV_EXEMPT, it->before, m->id);
}

/* He may have lost the role since: then he may not do what undoing would do either. */
static enum role undo_least(const struct undo_record *rec) {
  enum role least = rec->self ? ROLE_AUDIENCE : ROLE_COHOST;
  for (size_t i = 0; i < rec->n; i++)
    if (rec->items[i].kind == ROOM_EV_POLICY)
      least = ROLE_HOST;
  return least;
}

enum err decide_undo(struct decision *d) {
  const struct room_undo *u = d->r->undo;
  size_t i = u ? u->n : 0;
  while (i > 0 && u->rec[i - 1].actor != d->actor_id)
    i--;
  if (i == 0)
    return ERR_NOTHING;
  const struct undo_record *rec = &u->rec[i - 1];
  if (d->now_ms - rec->ts_ms > ROOM_UNDO_MS)
    return ERR_TOO_LATE;
  if (d->rank < undo_least(rec))
    return ERR_NOT_ALLOWED;
  (void)decide_event(d, ROOM_EV_UNDONE, (int64_t)rec->group, 0);
  for (size_t k = rec->n; k-- > 0;)
    invert(d, rec, &rec->items[k]);
  return d->out->n > d->start + 1 ? ERR_OK : ERR_NOTHING;
}
