/* floor.c: who may speak at all: the floor, hands, one speaker at a time, the talk timer. */
#include "core/room/room_private.h"

/* ---- how many may have it; moderators do not count ---- */

static bool counts(const struct member *m) {
  return m->presence != PRESENCE_WAITING && !ROLE_IS_MODERATOR(m->role);
}

static size_t floors(const struct room *r) {
  size_t n = 0;
  for (size_t i = 0; i < r->n_members; i++)
    n += r->members[i].floor && counts(&r->members[i]);
  return n;
}

bool floor_on_entry(const struct room *r, const struct member *m) {
  if (m->role < ROLE_SPEAKER || m->silenced)
    return false;
  return ROLE_IS_MODERATOR(m->role) || (!r->one_speaker && (!r->max_speakers || floors(r) < r->max_speakers));
}

/* What an event of this act changes in that number, from where one has counted on. */
static void floors_count(struct decision *d, const struct room_event *ev) {
  size_t *i = &d->floors.target;
  if (ev->entry && *i == 0) {
    d->floors.n += ev->entry->floor && counts(ev->entry);
    *i = 1;
  }
  for (; !ev->entry && ev->kind == ROOM_EV_FLOOR && *i < ev->n_targets; ++*i)
    if (counts(room_member(d->r, ev->targets[*i])))
      d->floors.n = ev->num ? d->floors.n + 1 : d->floors.n - 1;
}

/* How many have it after what this act has decided so far: counted on, for acts on thousands ask for each.
 * The last event may still grow. */
static size_t floors_then(struct decision *d) {
  if (!d->floors.begun) {
    d->floors.begun = true;
    d->floors.n = floors(d->r);
    d->floors.ev = d->start;
  }
  while (d->floors.ev < d->out->n) {
    floors_count(d, &d->out->v[d->floors.ev]);
    if (d->floors.ev + 1 == d->out->n)
      break;
    d->floors.ev++;
    d->floors.target = 0;
  }
  return d->floors.n;
}

bool decide_floor_free(struct decision *d) {
  bool one = d->r->one_speaker;
  for (size_t i = d->start; i < d->out->n; i++)
    if (d->out->v[i].kind == ROOM_EV_ONE_SPEAKER)
      one = d->out->v[i].num != 0;
  /* Most speakers binds who gives, and takes from nobody: what was above a lowered limit, undo restores. */
  bool undo = d->cmd && d->cmd->act == ACT_UNDO;
  size_t most = one ? 1 : undo ? 0 : d->r->max_speakers;
  return most == 0 || floors_then(d) < most;
}

/* ---- giving and taking ---- */

void decide_floor_set(struct decision *d, const struct member *m, bool on) {
  if (m->floor != on)
    decide_target(d, ROOM_EV_FLOOR, on, m->id);
}

/* A floor that is given for a turn: the talk timer runs. */
static enum err floor_turn(struct decision *d, const struct member *m) {
  if (counts(m) && !decide_floor_free(d))
    return ERR_SPEAKERS_FULL;
  decide_target_num2(d, ROOM_EV_FLOOR, 1, counts(m) ? d->now_ms : 0, m->id);
  return ERR_OK;
}

static void floor_take_but(struct decision *d, uint32_t keep) {
  for (size_t i = 0; i < d->r->n_members; i++)
    if (counts(&d->r->members[i]) && d->r->members[i].id != keep)
      decide_floor_set(d, &d->r->members[i], false);
}

static enum err floor_give(struct decision *d) {
  enum err e = d->r->one_speaker && d->n_ids > 1 ? ERR_BAD_ARG : ERR_OK;
  for (size_t i = 0; i < 2 * d->n_ids && !e; i++) { /* hosts, who have no turn, after the others */
    const struct member *m = decide_member(d, i % d->n_ids);
    if (m->floor || counts(m) == (i >= d->n_ids))
      continue;
    if (d->r->one_speaker)
      floor_take_but(d, m->id);
    e = floor_turn(d, m);
  }
  for (size_t i = 0; i < d->n_ids && !e; i++) /* that was what the hand was for */
    if (decide_member(d, i)->hand)
      decide_target(d, ROOM_EV_HAND, 0, d->ids[i]);
  return e ? e : decide_any(d);
}

enum err decide_floor(struct decision *d) {
  char reason[TEXT_LINE_MAX + 1];
  if (d->cmd->act == ACT_FLOOR_GIVE)
    return floor_give(d);
  enum err e = decide_line(d, reason);
  for (size_t i = 0; i < d->n_ids && !e; i++)
    decide_floor_set(d, decide_member(d, i), false);
  decide_reason(d, ROOM_EV_FLOOR, reason);
  return e ? e : decide_any(d);
}

/* Who keeps the floor: the one who has it, or of many the only one who is not muted. */
static uint32_t one_of_many(const struct room *r) {
  uint32_t talks = 0, has = 0;
  size_t n_talk = 0, n_has = 0;
  for (size_t i = 0; i < r->n_members; i++) {
    const struct member *m = &r->members[i];
    if (!m->floor || !counts(m))
      continue;
    has = m->id, n_has++;
    if (!m->muted)
      talks = m->id, n_talk++;
  }
  return n_has == 1 ? has : n_talk == 1 ? talks : 0;
}

/* The setting comes last: then at no moment are there two where one is allowed. */
void decide_one_on(struct decision *d) {
  floor_take_but(d, one_of_many(d->r));
  (void)decide_event(d, ROOM_EV_ONE_SPEAKER, 1, 0);
}

enum err decide_one_speaker(struct decision *d) {
  if (d->cmd->num < 0 || d->cmd->num > 1)
    return ERR_BAD_ARG;
  if (d->cmd->num == 0 || d->r->one_speaker)
    return decide_number(d, ROOM_EV_ONE_SPEAKER, d->cmd->num);
  decide_one_on(d);
  return ERR_OK;
}

/* Who steps down from the hosts counts from then on: he keeps the floor only while there is room. */
bool decide_floor_fits(struct decision *d, const struct member *m, enum role now) {
  return !ROLE_IS_MODERATOR(m->role) || ROLE_IS_MODERATOR(now) || decide_floor_free(d);
}

/* Between audience and speaker the floor changes with the role; above, a floor that was taken stays taken. */
void decide_role_down(struct decision *d, const struct member *m, enum role now) {
  bool loses = now < ROLE_SPEAKER && (m->role >= ROLE_SPEAKER || now == ROLE_MONITOR);
  if (loses || !decide_floor_fits(d, m, now))
    decide_floor_set(d, m, false);
}

enum err decide_role_up(struct decision *d, const struct member *m, enum role now) {
  if (m->role >= ROLE_SPEAKER || now < ROLE_SPEAKER || m->floor || m->silenced)
    return ERR_OK;
  if (now == ROLE_SPEAKER && d->r->one_speaker)
    return ERR_OK;
  if (now == ROLE_SPEAKER && !decide_floor_free(d))
    return ERR_SPEAKERS_FULL;
  decide_floor_set(d, m, true);
  return ERR_OK;
}

/* ---- hands ---- */

enum err decide_hand(struct decision *d) {
  if (d->actor->silenced)
    return ERR_SILENCED;
  if (d->actor->hand)
    return ERR_NO_CHANGE;
  decide_target(d, ROOM_EV_HAND, 1, d->actor_id);
  return ERR_OK;
}

enum err decide_hand_lower(struct decision *d) {
  for (size_t i = 0; i < d->n_ids; i++)
    if (decide_member(d, i)->hand)
      decide_target(d, ROOM_EV_HAND, 0, d->ids[i]);
  return decide_any(d);
}

enum err decide_hands_down(struct decision *d) {
  for (size_t i = 0; i < d->r->n_members; i++)
    if (d->r->members[i].hand)
      decide_target(d, ROOM_EV_HAND, 0, d->r->members[i].id);
  return decide_any(d) ? ERR_NOTHING : ERR_OK;
}

/* The first hand; but nobody gives himself back a floor that was taken from him. */
enum err decide_next(struct decision *d) {
  const struct member *first = NULL;
  for (size_t i = 0; i < d->r->n_members; i++) {
    const struct member *m = &d->r->members[i];
    if (m->hand && !m->silenced && (m->id != d->actor_id || m->floor) && (!first || m->hand < first->hand))
      first = m;
  }
  if (!first)
    return ERR_NOTHING;
  if (d->r->one_speaker)
    floor_take_but(d, first->id);
  enum err e = first->floor ? ERR_OK : floor_turn(d, first);
  if (e)
    return e;
  decide_target(d, ROOM_EV_HAND, 0, first->id);
  if (first->muted)
    decide_target(d, ROOM_EV_ASKED, 0, first->id);
  return ERR_OK;
}

/* ---- talk time ---- */

enum err decide_talk_time(struct decision *d) {
  int64_t s = d->cmd->num2;
  if (s < 0 || s > ROOM_SECONDS_MAX)
    return ERR_BAD_ARG;
  return decide_number(d, ROOM_EV_TALK_TIME, s ? 2 * s + !!(d->cmd->flags & FLAG_TAKE) : 0);
}

/* When his time is up, INT64_MAX: never, or he was told and keeps the floor. */
static int64_t time_up_ms(const struct room *r, const struct member *m) {
  return m->floor_ms && (!m->time_up || r->talk_take) ? m->floor_ms + r->talk_s * 1000 : INT64_MAX;
}

void voice_expire(struct decision *d) {
  const struct room *r = d->r;
  if (!r->talk_s)
    return;
  for (int take = 0; take <= r->talk_take; take++)
    for (size_t i = 0; i < r->n_members; i++)
      if (time_up_ms(r, &r->members[i]) <= d->now_ms)
        decide_target(d, take ? ROOM_EV_FLOOR : ROOM_EV_TIME_UP, 0, r->members[i].id);
  decide_reason(d, ROOM_EV_FLOOR, "time is up");
}

int64_t voice_next(const struct room *r) {
  int64_t first = INT64_MAX;
  for (size_t i = 0; r->talk_s && i < r->n_members; i++) {
    int64_t at = time_up_ms(r, &r->members[i]);
    first = at < first ? at : first;
  }
  return first;
}

/* ---- applying ---- */

int64_t floor_value(const struct member *m) {
  return m->floor ? 1 + m->floor_ms : 0;
}

void floor_apply(struct room *r, struct member *m, const struct room_event *ev) {
  int64_t before = floor_value(m);
  m->floor = ev->num != 0;
  m->floor_ms = m->floor && !ROLE_IS_MODERATOR(m->role) && ev->num2 > 0 ? ev->num2 : 0;
  m->time_up = false;
  if ((before != 0) != m->floor)
    room_note_change(r, ev, ROOM_EV_FLOOR, m->id, before, floor_value(m));
}

static void hand_apply(struct room *r, struct member *m, const struct room_event *ev, size_t i) {
  uint64_t place = 0;
  if (ev->num)
    place = ev->num2 > 0 ? (uint64_t)ev->num2 + i : r->hand_last + 1;
  room_note_change(r, ev, ROOM_EV_HAND, m->id, (int64_t)m->hand, (int64_t)place);
  m->hand = place;
  if (r->hand_last < place)
    r->hand_last = place;
}

void hands_apply(struct room *r, const struct room_event *ev) {
  for (size_t i = 0; i < ev->n_targets; i++) {
    struct member *m = room_find(r, ev->targets[i]);
    if (m)
      hand_apply(r, m, ev, i);
  }
}

static const char *check_one(const struct member *m) {
  if ((m->floor_ms || m->time_up) && (!m->floor || !counts(m)))
    return "the talk timer of someone without a turn runs";
  return m->time_up && !m->floor_ms ? "the time of an untimed turn is up" : NULL;
}

const char *voice_check(const struct room *r) {
  const char *why = r->one_speaker && floors(r) > 1 ? "two have the floor where one may" : NULL;
  for (size_t i = 0; i < r->n_members && !why; i++)
    why = check_one(&r->members[i]);
  return why;
}
