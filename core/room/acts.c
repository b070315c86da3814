#include "core/room/room_private.h"

#include <string.h>

#define FLAG_UNDO true
#define FLAG_KEEP false
#define FLAG_ASK true
#define FLAG_DO false
const struct act_info ACTS[ACT__COUNT] = {
#define ACT(id, name_, least_, target_, rank_, args_, undo_, ask_, key_, help_)                              \
  [ACT_##id] = {.name = name_,                                                                               \
                .args = args_,                                                                               \
                .key = key_,                                                                                 \
                .help = help_,                                                                               \
                .least = ROLE_##least_,                                                                      \
                .target = TARGET_##target_,                                                                  \
                .rank = RANK_##rank_,                                                                        \
                .undo = FLAG_##undo_,                                                                        \
                .ask = FLAG_##ask_},
#include "core/room/acts.def"
#undef ACT
};

static const char *const ROLE_NAMES[] = {"none",   "monitor", "audience", "speaker",
                                         "cohost", "host",    "owner",    "system"};

const char *role_name(enum role r) {
  return (unsigned)r <= ROLE_SYSTEM ? ROLE_NAMES[r] : "none";
}

bool role_parse(const char *s, enum role *r) {
  for (int i = ROLE_MONITOR; i <= ROLE_OWNER; i++)
    if (strcmp(s, ROLE_NAMES[i]) == 0) {
      *r = (enum role)i;
      return true;
    }
  return false;
}

enum act act_find(const char *name) {
  for (int i = 0; i < ACT__COUNT; i++) {
    const char *a = ACTS[i].name, *b = name;
    while (*a && (*a == *b || (*a == '_' && *b == '-')))
      a++, b++;
    if (!*a && !*b)
      return (enum act)i;
  }
  return ACT__COUNT;
}

/* Who may do it at all, whoever the target is. Leaving is everybody's right, also for those who wait or
 * monitor. */
static enum err allows_role(const struct room *r, const struct member *actor, uint32_t actor_id,
                            enum act act) {
  if (r->ended)
    return ERR_ROOM_ENDED;
  if (actor_id == 0)
    return ACTS[act].target == TARGET_SELF ? ERR_ONLY_SELF : ERR_OK;
  if (!actor)
    return ERR_NOT_JOINED;
  if (act == ACT_LEAVE)
    return ERR_OK;
  if (actor->presence == PRESENCE_WAITING)
    return ERR_IN_LOBBY;
  return actor->role >= ACTS[act].least ? ERR_OK : ERR_NOT_ALLOWED;
}

static enum err allows_rank(enum act act, enum role rank, bool self, const struct member *target) {
  switch (ACTS[act].rank) {
  case RANK_LOWER_OR_SELF:
    if (self)
      return ERR_OK;
    if (!ROLE_IS_MODERATOR(rank))
      return ERR_NOT_ALLOWED;
    return target->role < rank ? ERR_OK : ERR_RANK;
  case RANK_LOWER:
    if (self)
      return ERR_NOT_SELF;
    return target->role < rank ? ERR_OK : ERR_RANK;
  case RANK_ANY:
    /* To give oneself a right that was taken, or to write to oneself, is not what these are for. */
    return self && ACTS[act].target != TARGET_SELF ? ERR_NOT_SELF : ERR_OK;
  }
  return ERR_NOT_ALLOWED;
}

/* Rules that belong to one act and one kind of person. */
static enum err allows_person(enum act act, enum role rank, const struct member *target) {
  bool monitor = target->role == ROLE_MONITOR;
  if (monitor && (act == ACT_FLOOR_GIVE || act == ACT_ASK_UNMUTE))
    return ERR_NOT_ALLOWED; /* never heard */
  if (monitor && act == ACT_ROLE && rank != ROLE_SYSTEM)
    return ERR_NOT_ALLOWED;
  if (target->role == ROLE_OWNER && act == ACT_BAN)
    return ERR_NOT_ALLOWED; /* or nobody could ever unlock his own room */
  return ERR_OK;
}

enum err room_allows(const struct room *r, uint32_t actor, enum act act, uint32_t target) {
  if ((unsigned)act >= ACT__COUNT)
    return ERR_BAD_METHOD;
  const struct member *a = room_member(r, actor);
  enum err e = allows_role(r, a, actor, act);
  if (e || target == 0 || ACTS[act].target == TARGET_NONE)
    return e;
  if (ACTS[act].target == TARGET_SELF)
    return target == actor ? ERR_OK : ERR_ONLY_SELF;
  const struct member *t = room_member(r, target);
  bool waits = t && t->presence == PRESENCE_WAITING;
  if (!t)
    return ERR_NO_MEMBER;
  if (ACTS[act].target == TARGET_WAITING)
    return waits || act == ACT_ADMIT ? ERR_OK : ERR_NO_MEMBER; /* admitted already: no change, no fault */
  if (waits && act != ACT_BAN)
    return ERR_NO_MEMBER;
  enum role rank = a ? a->role : ROLE_SYSTEM;
  e = allows_rank(act, rank, target == actor, t);
  return e ? e : allows_person(act, rank, t);
}
