#include "core/room/room_private.h"

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
  for (size_t i = 0; i < d->n_ids; i++)
    mute_one(d, decide_member(d, i));
  for (size_t i = 0; i < d->n_ids; i++)
    exempt_end(d, decide_member(d, i));
  return decide_any(d);
}

static bool muted_by_all(const struct decision *d, const struct member *m) {
  return m->presence != PRESENCE_WAITING && !ROLE_IS_MODERATOR(m->role) && m->id != d->actor_id;
}

enum err decide_mute_all(struct decision *d) {
  int64_t before = room_mute_level(d->r), now = d->cmd->num ? 2 : 1;
  (void)decide_event(d, ROOM_EV_MUTE_ALL, now, before);
  for (size_t i = 0; i < d->r->n_members; i++)
    if (muted_by_all(d, &d->r->members[i]))
      mute_one(d, &d->r->members[i]);
  for (size_t i = 0; i < d->r->n_members; i++)
    if (muted_by_all(d, &d->r->members[i]))
      exempt_end(d, &d->r->members[i]);
  return now == before && d->out->n == d->start + 1 ? ERR_NO_CHANGE : ERR_OK;
}

enum err decide_unmute(struct decision *d) {
  if (!d->actor->muted)
    return ERR_NO_CHANGE;
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

enum err decide_floor(struct decision *d) {
  bool give = d->cmd->act == ACT_FLOOR_GIVE;
  for (size_t i = 0; i < d->n_ids; i++)
    if (decide_member(d, i)->floor != give)
      decide_target(d, ROOM_EV_FLOOR, give, d->ids[i]);
  return decide_any(d);
}

enum err decide_hand(struct decision *d) {
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

/* The first hand; but nobody gives himself back a floor that was taken from him. */
enum err decide_next(struct decision *d) {
  const struct member *first = NULL;
  for (size_t i = 0; i < d->r->n_members; i++) {
    const struct member *m = &d->r->members[i];
    if (m->hand && (m->id != d->actor_id || m->floor) && (!first || m->hand < first->hand))
      first = m;
  }
  if (!first)
    return ERR_NOTHING;
  if (!first->floor)
    decide_target(d, ROOM_EV_FLOOR, 1, first->id);
  decide_target(d, ROOM_EV_HAND, 0, first->id);
  decide_target(d, ROOM_EV_ASKED, 0, first->id);
  return ERR_OK;
}
