/* voice.c: who may be heard, and how loud: mute, mute-all and its hold, asking, priority, gain. */
#include "core/room/room_private.h"

/* Those whom mute-all leaves out by their role. */
static bool spared(const struct member *m, bool speakers_free) {
  return ROLE_IS_MODERATOR(m->role) || (speakers_free && m->role == ROLE_SPEAKER);
}

void member_enter(const struct room *r, struct member *m, bool waiting) {
  m->presence = waiting ? PRESENCE_WAITING : m->dropped_ms ? PRESENCE_AWAY : PRESENCE_HERE;
  m->floor = !waiting && floor_on_entry(r, m);
  if (!m->muted) /* who was muted stays so through the lobby: admitting opens nobody's microphone */
    m->muted_by = 0;
  m->muted = m->muted || (!waiting && ((r->mute_all && !spared(m, r->mute_speakers_free)) ||
                                       (r->mute_entry && !ROLE_IS_MODERATOR(m->role))));
  m->exempt = m->time_up = m->priority = false;
  m->held = m->held && waiting;
  m->floor_ms = 0;
  m->hand = 0;
  m->side = 0;
}

bool member_may_unmute(const struct room *r, const struct member *m) {
  return !r->mute_hold || m->exempt || spared(m, r->mute_speakers_free);
}

static void mute_one(struct decision *d, const struct member *m) {
  if (!m->muted)
    decide_target(d, ROOM_EV_MUTED, 0, m->id);
}

/* A host who mutes takes back the leave he gave by asking; muting oneself does not. */
static void exempt_end(struct decision *d, const struct member *m) {
  if (m->exempt && m->id != d->actor_id)
    decide_target(d, ROOM_EV_EXEMPT, 0, m->id);
}

enum err decide_mute(struct decision *d) {
  char reason[TEXT_LINE_MAX + 1];
  enum err e = decide_line(d, reason);
  if (e)
    return e;
  for (size_t i = 0; i < d->n_ids; i++)
    mute_one(d, decide_member(d, i));
  for (size_t i = 0; i < d->n_ids; i++)
    exempt_end(d, decide_member(d, i));
  if (d->n_ids > 1 || d->ids[0] != d->actor_id) /* nobody tells himself why */
    decide_reason(d, ROOM_EV_MUTED, reason);
  return decide_any(d);
}

static bool is_named(const struct decision *d, uint32_t id) {
  size_t lo = 0, hi = d->n_ids;
  while (lo < hi) {
    size_t mid = lo + (hi - lo) / 2;
    if (d->ids[mid] == id)
      return true;
    if (d->ids[mid] < id)
      lo = mid + 1;
    else
      hi = mid;
  }
  return false;
}

static bool muted_by_all(const struct decision *d, const struct member *m) {
  bool free = d->cmd->flags & FLAG_SPEAKERS;
  return m->presence != PRESENCE_WAITING && !spared(m, free) && m->id != d->actor_id && !is_named(d, m->id);
}

enum err decide_mute_all(struct decision *d) {
  int64_t before = room_mute_level(d->r);
  int64_t now = (d->cmd->flags & FLAG_HOLD ? 2 : 1) + (d->cmd->flags & FLAG_SPEAKERS ? 4 : 0);
  (void)decide_event(d, ROOM_EV_MUTE_ALL, now, before);
  for (size_t i = 0; i < d->r->n_members; i++)
    if (muted_by_all(d, &d->r->members[i]))
      mute_one(d, &d->r->members[i]);
  for (size_t i = 0; i < d->r->n_members; i++)
    if (muted_by_all(d, &d->r->members[i]))
      exempt_end(d, &d->r->members[i]);
  for (size_t i = 0; i < d->n_ids; i++) /* those excepted are not held either */
    if (!decide_member(d, i)->exempt && !ROLE_IS_MODERATOR(decide_member(d, i)->role))
      decide_target(d, ROOM_EV_EXEMPT, 1, d->ids[i]);
  return now == before && d->out->n == d->start + 1 ? ERR_NO_CHANGE : ERR_OK;
}

enum err decide_unmute(struct decision *d) {
  if (!d->actor->muted)
    return ERR_NO_CHANGE;
  if (d->actor->silenced)
    return ERR_SILENCED;
  if (!d->actor->floor)
    return ERR_NO_FLOOR;
  if (!member_may_unmute(d->r, d->actor))
    return ERR_MUTED_ALL;
  decide_target(d, ROOM_EV_UNMUTED, 0, d->actor_id);
  return ERR_OK;
}

enum err decide_ask(struct decision *d) {
  for (size_t i = 0; i < d->n_ids; i++)
    if (decide_member(d, i)->muted)
      decide_target(d, ROOM_EV_ASKED, 0, d->ids[i]);
  return decide_any(d);
}

/* The hosts are told; that he is held again everyone learns, so that all replicas agree. */
enum err decide_decline(struct decision *d) {
  if (!d->actor->exempt || !d->actor->muted)
    return ERR_NOTHING;
  decide_target(d, ROOM_EV_DECLINED, 0, d->actor_id);
  decide_target(d, ROOM_EV_EXEMPT, 0, d->actor_id);
  return ERR_OK;
}

enum err decide_priority(struct decision *d) {
  int64_t on = d->cmd->has_num ? d->cmd->num : 1;
  if (on < 0 || on > 1)
    return ERR_BAD_ARG;
  if (decide_member(d, 0)->priority != on)
    decide_target(d, ROOM_EV_PRIORITY, on, d->ids[0]);
  return decide_any(d);
}

enum err decide_gain(struct decision *d) {
  int64_t db = d->cmd->num, before = decide_member(d, 0)->gain_db;
  if (db < ROOM_GAIN_MIN_DB || db > ROOM_GAIN_MAX_DB)
    return ERR_BAD_ARG;
  if (db != before)
    decide_target_num2(d, ROOM_EV_GAIN, db, before, d->ids[0]);
  return decide_any(d);
}

/* ---- applying ---- */

static void muted_apply(struct room *r, struct member *m, const struct room_event *ev) {
  if (ev->kind == ROOM_EV_UNMUTED) {
    m->muted = false;
    m->muted_by = 0;
    return;
  }
  if (!m->muted)
    m->muted_by = ev->actor;
  member_flag(r, ev, ROOM_EV_MUTED, m->id, &m->muted, true);
}

static void exempt_apply(struct room *r, struct member *m, const struct room_event *ev) {
  member_flag(r, ev, ev->kind, m->id, &m->exempt, ev->kind == ROOM_EV_ASKED || ev->num != 0);
}

static void time_up_apply(struct room *r, struct member *m, const struct room_event *ev) {
  (void)r, (void)ev;
  m->time_up = m->floor_ms != 0;
}

static void priority_apply(struct room *r, struct member *m, const struct room_event *ev) {
  member_flag(r, ev, ROOM_EV_PRIORITY, m->id, &m->priority, ev->num != 0);
}

static void gain_apply(struct room *r, struct member *m, const struct room_event *ev) {
  if (ev->num < ROOM_GAIN_MIN_DB || ev->num > ROOM_GAIN_MAX_DB)
    return;
  room_note_change(r, ev, ROOM_EV_GAIN, m->id, m->gain_db, ev->num);
  m->gain_db = (int8_t)ev->num;
}

bool voice_apply(struct room *r, const struct room_event *ev) {
  static void (*const APPLY[ROOM_EV__COUNT])(struct room *, struct member *, const struct room_event *) = {
      [ROOM_EV_MUTED] = muted_apply,   [ROOM_EV_UNMUTED] = muted_apply,     [ROOM_EV_ASKED] = exempt_apply,
      [ROOM_EV_EXEMPT] = exempt_apply, [ROOM_EV_FLOOR] = floor_apply,       [ROOM_EV_TIME_UP] = time_up_apply,
      [ROOM_EV_GAIN] = gain_apply,     [ROOM_EV_PRIORITY] = priority_apply,
  };
  if (ev->kind == ROOM_EV_HAND) {
    hands_apply(r, ev);
    return true;
  }
  for (size_t i = 0; APPLY[ev->kind] && i < ev->n_targets; i++) {
    struct member *m = room_find(r, ev->targets[i]);
    if (m)
      APPLY[ev->kind](r, m, ev);
  }
  return APPLY[ev->kind] != NULL;
}
