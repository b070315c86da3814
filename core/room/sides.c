/* sides.c: side rooms: parts of one room whose people hear and read each other only. */
#include "core/room/room_private.h"

#define RECALL_S 60

static void move_one(struct decision *d, const struct member *m, int64_t side) {
  if (m->side != side)
    decide_target(d, ROOM_EV_MOVED, side, m->id);
}

/* People leave a side room before it is closed. */
static void sides_set(struct decision *d, int64_t n) {
  for (size_t i = 0; i < d->r->n_members; i++)
    if (d->r->members[i].side > n)
      move_one(d, &d->r->members[i], 0);
  (void)decide_event(d, ROOM_EV_BREAKOUTS, n, d->r->sides);
}

enum err decide_breakouts(struct decision *d) {
  int64_t n = d->cmd->num;
  if (n < 0 || n > ROOM_SIDES_MAX)
    return ERR_BAD_ARG;
  if (n == d->r->sides)
    return ERR_NO_CHANGE;
  sides_set(d, n);
  return ERR_OK;
}

enum err decide_move(struct decision *d) {
  if (d->cmd->num < 0 || d->cmd->num > d->r->sides)
    return ERR_NO_SIDE;
  for (size_t i = 0; i < d->n_ids; i++)
    move_one(d, decide_member(d, i), d->cmd->num);
  return decide_any(d);
}

/* Hosts go where they like, a monitor takes nobody's place, and who is away may not come back. */
static bool is_dealt(const struct member *m) {
  return m->presence == PRESENCE_HERE && !ROLE_IS_MODERATOR(m->role) && m->role != ROLE_MONITOR;
}

/* Room by room, so that each needs one event. */
enum err decide_distribute(struct decision *d) {
  const struct room *r = d->r;
  if (!r->sides)
    return ERR_NO_SIDE;
  for (size_t side = 1; side <= r->sides; side++) {
    size_t place = 0;
    for (size_t i = 0; i < r->n_members; i++)
      if (is_dealt(&r->members[i]) && place++ % r->sides == side - 1)
        move_one(d, &r->members[i], (int64_t)side);
  }
  return decide_any(d);
}

enum err decide_recall(struct decision *d) {
  int64_t s = d->cmd->has_num2 ? d->cmd->num2 : RECALL_S;
  if (s < 0 || s > ROOM_SECONDS_MAX)
    return ERR_BAD_ARG;
  return d->r->sides ? decide_number(d, ROOM_EV_RECALL, d->now_ms + s * 1000) : ERR_NOTHING;
}

void sides_expire(struct decision *d) {
  if (d->now_ms >= sides_next(d->r))
    sides_set(d, 0);
}

int64_t sides_next(const struct room *r) {
  return r->recall_ms ? r->recall_ms : INT64_MAX;
}

static void moved_apply(struct room *r, const struct room_event *ev) {
  for (size_t i = 0; i < ev->n_targets; i++) {
    struct member *m = room_find(r, ev->targets[i]);
    if (!m)
      continue;
    room_note_change(r, ev, ROOM_EV_MOVED, m->id, m->side, ev->num);
    m->side = (uint8_t)ev->num;
  }
}

bool sides_apply(struct room *r, const struct room_event *ev) {
  bool possible = ev->num >= 0 && ev->num <= ROOM_SIDES_MAX;
  if (ev->kind == ROOM_EV_MOVED && possible)
    moved_apply(r, ev);
  if (ev->kind == ROOM_EV_BREAKOUTS && possible) {
    r->sides = (uint8_t)ev->num;
    chat_close_sides(r, r->sides);
    r->recall_ms = r->sides ? r->recall_ms : 0;
  }
  return ev->kind == ROOM_EV_MOVED || ev->kind == ROOM_EV_BREAKOUTS;
}

const char *sides_check(const struct room *r) {
  if (r->sides > ROOM_SIDES_MAX)
    return "too many side rooms";
  if (r->recall_ms && !r->sides)
    return "a recall without side rooms";
  for (size_t i = 0; i < r->n_members; i++)
    if (r->members[i].side > r->sides || (r->members[i].side && r->members[i].presence == PRESENCE_WAITING))
      return "someone is in a side room that is not open to him";
  return NULL;
}
