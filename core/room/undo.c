#include "core/room/room_private.h"

#include <stdio.h>
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

/* Acts that undo cannot take back, whatever else they change besides. */
static bool is_final(enum room_ev kind) {
  return kind == ROOM_EV_UNDONE || kind == ROOM_EV_BANNED || kind == ROOM_EV_SILENCED ||
         kind == ROOM_EV_HELD || kind == ROOM_EV_DECLINED || kind == ROOM_EV_TIME_UP ||
         kind == ROOM_EV_BREAKOUTS || kind == ROOM_EV_CHAT_PURGED;
}

void undo_begin(struct room *r, const struct room_event *ev) {
  if (ev->kind == ROOM_EV_UNDONE)
    undo_forget(r, (uint64_t)ev->num);
  if (!is_final(ev->kind))
    return;
  undo_forget(r, ev->group);
  undo_state(r)->undoing = ev->group;
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

static const char *room_text(const struct room *r, enum room_ev kind) {
  if (kind == ROOM_EV_AGENDA)
    return r->agenda ? r->agenda : "";
  return kind == ROOM_EV_LOCKED ? r->lock_text : r->topic;
}

/* What the room is set to again: a time that has passed is no time, a message that is gone is not pinned. */
static int64_t room_before(const struct decision *d, const struct undo_item *it) {
  if (it->kind == ROOM_EV_PINNED) {
    const struct chat *c = room_chat_by_id(d->r, (uint64_t)it->before);
    return c && !c->deleted ? it->before : 0;
  }
  bool deadline = it->kind == ROOM_EV_ENDING || it->kind == ROOM_EV_RECALL;
  return deadline && it->before <= d->now_ms ? 0 : it->before;
}

static void invert_room(struct decision *d, const struct undo_item *it) {
  bool is_text = it->text_after != NULL;
  if (is_text && strcmp(room_text(d->r, it->kind), it->text_after) != 0)
    return;
  int64_t now = room_setting(d->r, it->kind);
  int64_t before = room_before(d, it);
  if (now != -1 && (now != it->after || (now == before && !is_text)))
    return;
  if (it->kind == ROOM_EV_ONE_SPEAKER && it->before) {
    decide_one_on(d);
    return;
  }
  struct room_event *ev = decide_event(d, it->kind, before, it->after);
  if (is_text) {
    ev->text = room_strdup(it->text_before);
    ev->text2 = room_strdup(it->text_after);
    memcpy(ev->of, it->of_before, sizeof ev->of);
  }
}

/* One value of one person, to be put back. */
struct undone {
  const struct undo_record *rec;
  const struct undo_item *it;
  const struct member *m;
};

/* Undo unmutes a person only while he is muted by that very act, no mute-all came after it, and nobody but
 * himself is asked to give up what holds him. */
static void invert_mute(struct decision *d, const struct undone *u) {
  bool all_since = d->r->undo->mute_all > u->rec->group && !ROLE_IS_MODERATOR(u->m->role);
  if (!u->m->muted || u->m->muted_by != u->rec->actor || all_since)
    return;
  if (u->m->id == d->actor_id && !member_may_unmute(d->r, u->m))
    return;
  decide_target(d, ROOM_EV_UNMUTED, 0, u->m->id);
}

/* His role after what the undo has decided so far. */
static enum role role_then(const struct decision *d, const struct member *m) {
  enum role role = m->role;
  for (size_t i = d->start; i < d->out->n; i++)
    if (d->out->v[i].kind == ROOM_EV_ROLE && d->out->v[i].targets[0] == m->id)
      role = (enum role)d->out->v[i].num;
  return role;
}

/* A floor and a hand are taken back here; what is given back comes in few events: see restore. */
static void invert_floor(struct decision *d, const struct undone *u) {
  if (!u->it->before && u->m->floor && u->m->role != ROLE_MONITOR && u->m->role < d->rank)
    decide_target(d, ROOM_EV_FLOOR, 0, u->m->id);
}

static void invert_hand(struct decision *d, const struct undone *u) {
  if (!u->it->before && u->m->hand)
    decide_target(d, ROOM_EV_HAND, 0, u->m->id);
}

static void invert_role(struct decision *d, const struct undone *u) {
  if ((int64_t)u->m->role != u->it->after || u->m->role >= d->rank || u->it->before > (int64_t)d->rank ||
      (u->m->needs_mfa && ROLE_IS_MODERATOR(u->it->before)))
    return;
  /* A floor the act had changed too has been seen to already. */
  if (u->rec->n == 1 && !decide_floor_fits(d, u->m, (enum role)u->it->before))
    decide_floor_set(d, u->m, false);
  room_event_target(decide_event(d, ROOM_EV_ROLE, u->it->before, u->it->after), u->m->id);
}

static void invert_name(struct decision *d, const struct undone *u) {
  char name[TEXT_NAME_MAX + 1];
  if (strcmp(u->m->name, u->it->text_after) != 0 || u->m->role >= d->rank)
    return;
  (void)snprintf(name, sizeof name, "%s", u->it->text_before);
  name_make_unique(d->r, u->m->id, u->m->presence == PRESENCE_WAITING, name);
  struct room_event *ev = decide_event(d, ROOM_EV_RENAMED, 0, 0);
  ev->text = room_strdup(name);
  ev->text2 = room_strdup(u->it->text_after);
  room_event_target(ev, u->m->id);
}

static void invert_exempt(struct decision *d, const struct undone *u) {
  if (u->m->exempt == u->it->after)
    decide_target(d, ROOM_EV_EXEMPT, u->it->before, u->m->id);
}

static void invert_priority(struct decision *d, const struct undone *u) {
  if (u->m->priority == u->it->after && !(u->it->before && u->m->role == ROLE_MONITOR))
    decide_target(d, ROOM_EV_PRIORITY, u->it->before, u->m->id);
}

static void invert_gain(struct decision *d, const struct undone *u) {
  if (u->m->gain_db == u->it->after)
    decide_target_num2(d, ROOM_EV_GAIN, u->it->before, u->it->after, u->m->id);
}

static void (*const INVERT[ROOM_EV__COUNT])(struct decision *, const struct undone *) = {
    [ROOM_EV_MUTED] = invert_mute,        [ROOM_EV_FLOOR] = invert_floor,  [ROOM_EV_HAND] = invert_hand,
    [ROOM_EV_ROLE] = invert_role,         [ROOM_EV_ASKED] = invert_exempt, [ROOM_EV_EXEMPT] = invert_exempt,
    [ROOM_EV_PRIORITY] = invert_priority, [ROOM_EV_GAIN] = invert_gain,    [ROOM_EV_RENAMED] = invert_name,
};

static void invert(struct decision *d, const struct undo_record *rec, const struct undo_item *it) {
  struct undone u = {.rec = rec, .it = it, .m = room_member(d->r, it->id)};
  if (it->id == 0)
    invert_room(d, it);
  else if (u.m && INVERT[it->kind] && (u.m->presence != PRESENCE_WAITING || it->kind == ROOM_EV_RENAMED))
    INVERT[it->kind](d, &u);
}

/* ---- deciding: what many get back at once, in few events ---- */

#define FEW_EVENTS 50

struct restored {
  const struct member *m;
  int64_t value; /* since when he had the floor; the place of his hand; the side room */
  bool has;      /* a hand that is up now */
};

static bool may_have_again(const struct decision *d, const struct undo_item *it, const struct member *m) {
  if (!m || m->presence == PRESENCE_WAITING)
    return false;
  if (it->kind == ROOM_EV_MOVED)
    return m->side == it->after && it->before <= d->r->sides && (m->role < d->rank || m->id == d->actor_id);
  bool has = it->kind == ROOM_EV_FLOOR ? m->floor : m->hand != 0;
  return it->before && !has && m->role != ROLE_MONITOR && !m->silenced;
}

/* Whom the act took a floor or a hand, or whom it moved, and who may have that again. */
static size_t restorable(const struct decision *d, const struct undo_record *rec, enum room_ev kind,
                         struct restored *list) {
  size_t n = 0;
  for (size_t i = 0; i < rec->n; i++) {
    const struct undo_item *it = &rec->items[i];
    const struct member *m = it->kind == kind ? room_member(d->r, it->id) : NULL;
    if (may_have_again(d, it, m))
      list[n++] = (struct restored){.m = m, .value = it->before};
  }
  return n;
}

static int by_value(const void *a, const void *b) {
  const struct restored *x = a, *y = b;
  if (x->value != y->value)
    return x->value < y->value ? -1 : 1;
  return x->has != y->has ? (x->has ? -1 : 1) : (x->m->id > y->m->id) - (x->m->id < y->m->id);
}

/* The latest first. Of very many, neighbours in time get the later one's, so that few events tell of them;
 * nobody gets less time than he had left. */
static void restore_floors(struct decision *d, struct restored *list, size_t n) {
  struct room_event *ev = NULL;
  size_t least = (n + FEW_EVENTS - 1) / FEW_EVENTS;
  for (size_t i = n; i-- > 0;) {
    const struct member *m = list[i].m;
    int64_t since_ms = list[i].value - 1;
    if (!ROLE_IS_MODERATOR(role_then(d, m)) && !decide_floor_free(d))
      continue;
    if (!ev || (ev->num2 != since_ms && (ev->n_targets >= least || since_ms == 0)))
      ev = decide_event(d, ROOM_EV_FLOOR, 1, since_ms);
    room_event_target(ev, m->id);
  }
}

static int by_place(const void *a, const void *b) {
  int64_t x = ((const struct restored *)a)->value, y = ((const struct restored *)b)->value;
  return (x > y) - (x < y);
}

/* Each gets his very place again when it is free, and when those that follow one another are not too many
 * groups. */
static bool restore_places(struct decision *d, const struct restored *list, size_t n) {
  size_t groups = 1;
  for (size_t i = 1; i < n; i++) {
    groups += list[i].value != list[i - 1].value + 1;
    if (list[i].value == list[i - 1].value || groups > FEW_EVENTS)
      return false;
  }
  for (size_t i = 0; i < d->r->n_members; i++) {
    struct restored up = {.value = (int64_t)d->r->members[i].hand};
    if (up.value && bsearch(&up, list, n, sizeof *list, by_place))
      return false;
  }
  struct room_event *ev = NULL;
  for (size_t i = 0; i < n; i++) {
    if (!ev || list[i].value != list[i - 1].value + 1)
      ev = decide_event(d, ROOM_EV_HAND, 1, list[i].value);
    room_event_target(ev, list[i].m->id);
  }
  return true;
}

/* Else in their old order among those who have a hand up now, from the place of the first on. Who stands
 * between them, or is met by them, is named too: one event gives each the next place. */
static void restore_hands(struct decision *d, struct restored *list, size_t n) {
  size_t left = n;
  if (n == 0 || restore_places(d, list, n))
    return;
  for (size_t i = 0; i < d->r->n_members; i++) {
    const struct member *m = &d->r->members[i];
    if (m->hand && (int64_t)m->hand >= list[0].value)
      list[n++] = (struct restored){.m = m, .value = (int64_t)m->hand, .has = true};
  }
  qsort(list, n, sizeof *list, by_value);
  struct room_event *ev = decide_event(d, ROOM_EV_HAND, 1, list[0].value);
  for (size_t i = 0; i < n && (left || list[i].value < ev->num2 + (int64_t)i); i++) {
    room_event_target(ev, list[i].m->id);
    left -= !list[i].has;
  }
}

static void restore_sides(struct decision *d, struct restored *list, size_t n) {
  for (size_t i = 0; i < n; i++)
    decide_target(d, ROOM_EV_MOVED, list[i].value, list[i].m->id);
}

static void restore(struct decision *d, const struct undo_record *rec) {
  static const struct {
    enum room_ev kind;
    void (*all)(struct decision *, struct restored *, size_t);
  } KINDS[] = {
      {ROOM_EV_FLOOR, restore_floors}, {ROOM_EV_HAND, restore_hands}, {ROOM_EV_MOVED, restore_sides}};
  struct restored *list = malloc((rec->n + d->r->n_members + 1) * sizeof *list);
  if (!list)
    abort();
  for (size_t k = 0; k < sizeof KINDS / sizeof KINDS[0]; k++) {
    size_t n = restorable(d, rec, KINDS[k].kind, list);
    qsort(list, n, sizeof *list, by_value);
    KINDS[k].all(d, list, n);
  }
  free(list);
}

/* What only a host may set. */
static bool is_hosts(enum room_ev kind) {
  return kind == ROOM_EV_POLICY || kind == ROOM_EV_AUTO_ADMIT || kind == ROOM_EV_NAME_HOSTS ||
         kind == ROOM_EV_MAX_PEOPLE || kind == ROOM_EV_MAX_SPEAKERS || kind == ROOM_EV_ENDING;
}

/* He may have lost the role since: then he may not do what undoing would do either. */
static enum role undo_least(const struct undo_record *rec) {
  enum role least = ROLE_AUDIENCE;
  for (size_t i = 0; i < rec->n; i++) {
    enum room_ev kind = rec->items[i].kind;
    bool own = rec->self && (kind == ROOM_EV_MUTED || kind == ROOM_EV_HAND);
    enum role need = is_hosts(kind) ? ROLE_HOST : own ? ROLE_AUDIENCE : ROLE_COHOST;
    least = need > least ? need : least;
  }
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
  restore(d, rec);
  return d->out->n > d->start + 1 ? ERR_OK : ERR_NOTHING;
}
