#include "core/room/room_private.h"

#include <stdlib.h>

static const char *check_waiting(const struct member *m) {
  bool voice = m->hand || m->floor || m->exempt || m->priority;
  return voice || m->side || m->time_up || m->floor_ms ? "a waiting person has rights of one inside" : NULL;
}

static const char *check_member(const struct room *r, const struct member *m) {
  if (m->role < ROLE_MONITOR || m->role > ROLE_OWNER)
    return "a person has no role";
  if (m->presence > PRESENCE_AWAY)
    return "a person has no presence";
  if (m->name[0] == '\0')
    return "a person has no name";
  if (m->hand > r->hand_last)
    return "a hand is beyond the last place given";
  if (m->muted_by && !m->muted)
    return "a person who is not muted was muted by someone";
  if (m->gain_db < ROOM_GAIN_MIN_DB || m->gain_db > ROOM_GAIN_MAX_DB)
    return "a person's gain is out of range";
  if (m->silenced && m->floor)
    return "a person who is banned from speaking has the floor";
  if (m->presence == PRESENCE_WAITING)
    return check_waiting(m);
  if (m->side > r->sides)
    return "a person is in a side room that is not open";
  if (m->role == ROLE_MONITOR && (m->floor || m->hand))
    return "a monitor has the floor or a hand";
  if ((m->presence == PRESENCE_AWAY) != (m->dropped_ms != 0))
    return "away does not agree with the time of the drop";
  return NULL;
}

static const char *check_members(const struct room *r) {
  uint32_t last = 0;
  for (size_t i = 0; i < r->n_members; last = r->members[i++].id) {
    if (r->members[i].id <= last || r->members[i].id > r->id_last)
      return "people are not in order of id";
    const char *why = check_member(r, &r->members[i]);
    if (why)
      return why;
  }
  return NULL;
}

static int by_name(const void *a, const void *b) {
  return room_name_cmp((*(const struct member *const *)a)->name, (*(const struct member *const *)b)->name);
}

static int by_hand(const void *a, const void *b) {
  uint64_t x = (*(const struct member *const *)a)->hand, y = (*(const struct member *const *)b)->hand;
  return (x > y) - (x < y);
}

/* Among those inside: who waits has no hand, and may meet his name when he is admitted. */
static const char *check_unique(const struct room *r) {
  size_t n = r->n_members, inside = 0;
  const struct member **v = malloc((n + 1) * sizeof(struct member *));
  const char *why = NULL;
  if (!v)
    abort();
  for (size_t i = 0; i < n; i++)
    if (r->members[i].presence != PRESENCE_WAITING)
      v[inside++] = &r->members[i];
  qsort(v, inside, sizeof(struct member *), by_name);
  for (size_t i = 1; i < inside; i++)
    if (by_name(&v[i - 1], &v[i]) == 0)
      why = "two people show the same name";
  qsort(v, inside, sizeof(struct member *), by_hand);
  for (size_t i = 1; i < inside; i++)
    if (v[i]->hand && v[i]->hand == v[i - 1]->hand)
      why = "two hands have the same place";
  free((void *)v);
  return why;
}

static const char *check_lists(const struct room *r) {
  uint64_t last = 0;
  for (size_t i = 0; i < r->n_bans; last = r->bans[i++].id)
    if (r->bans[i].id <= last || r->bans[i].id > r->seq)
      return "bans are not in order of id";
  last = 0;
  for (size_t i = 0; i < r->n_invites; last = r->invites[i++].id)
    if (r->invites[i].id <= last || r->invites[i].id > r->seq)
      return "invites are not in order of id";
  return NULL;
}

const char *room_check(const struct room *r) {
  size_t waiting = room_count(r, PRESENCE_WAITING);
  if (waiting > ROOM_WAITING_MAX || r->n_members - waiting > ROOM_MEMBERS_MAX || r->n_bans > ROOM_BANS_MAX ||
      r->n_invites > ROOM_INVITES_MAX || r->n_trusted > ROOM_TRUSTED_MAX || r->n_notes > ROOM_NOTES_MAX ||
      r->n_chat > ROOM_CHAT_KEPT)
    return "a limit is exceeded";
  if (r->ended && r->n_members)
    return "the room has ended, yet someone is there";
  if (r->mute_hold && !r->mute_all)
    return "hold without mute-all";
  if (r->sides > ROOM_SIDES_MAX || r->chat_mode > CHAT_MODE_ALL || r->policy > HOST_GONE_END ||
      r->auto_admit > AUTO_ADMIT_ACCOUNTS)
    return "a setting is out of range";
  const char *why = check_members(r);
  if (!why)
    why = check_unique(r);
  if (!why)
    why = check_lists(r);
  if (!why)
    why = chat_check(r);
  if (!why)
    why = people_check(r);
  if (!why)
    why = meeting_check(r);
  if (!why)
    why = voice_check(r);
  return why ? why : sides_check(r);
}
