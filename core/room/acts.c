#include "core/room/room_private.h"

#include <assert.h>
#include <string.h>

#define FLAG_UNDO true
#define FLAG_KEEP false
#define FLAG_ASK true
#define FLAG_DO false
const struct act_info ACTS[ACT__COUNT] = {
#define ACT(id, name_, group_, least_, target_, rank_, args_, undo_, ask_, key_, help_)                      \
  [ACT_##id] = {.name = name_,                                                                               \
                .args = args_,                                                                               \
                .key = key_,                                                                                 \
                .help = help_,                                                                               \
                .group = ACT_GROUP_##group_,                                                                 \
                .least = ROLE_##least_,                                                                      \
                .target = TARGET_##target_,                                                                  \
                .rank = RANK_##rank_,                                                                        \
                .undo = FLAG_##undo_,                                                                        \
                .ask = FLAG_##ask_},
#include "core/room/acts.def"
#undef ACT
};

const char *act_group_name(enum act_group g) {
  static const char *const NAMES[ACT_GROUP__COUNT] = {"lobby", "voice", "people", "chat", "room"};
  return (unsigned)g < ACT_GROUP__COUNT ? NAMES[g] : "";
}

bool act_reaches_lobby(enum act act) {
  return act == ACT_BAN || act == ACT_BAN_CHECK || act == ACT_TRUST || act == ACT_NOTE || act == ACT_RENAME ||
         act == ACT_CHAT_TO;
}

/* ---- the words of args ---- */

const struct act_param ACT_PARAMS[] = {
    {.word = "who", .key = "who", .kind = PARAM_PEOPLE},
    {.word = "except", .key = "except", .kind = PARAM_PEOPLE},
    {.word = "text", .key = "text", .kind = PARAM_TEXT},
    {.word = "rule", .key = "rule", .kind = PARAM_WORD},
    {.word = "id", .key = "id", .kind = PARAM_NUMBER, .min = 1, .max = INT64_C(9007199254740991)},
    {.word = "n", .key = "n", .kind = PARAM_NUMBER, .min = 0, .max = ROOM_MEMBERS_MAX},
    {.word = "db", .key = "db", .kind = PARAM_NUMBER, .min = ROOM_GAIN_MIN_DB, .max = ROOM_GAIN_MAX_DB},
    {.word = "time", .key = "seconds", .kind = PARAM_TIME, .second = true, .max = ROOM_SECONDS_MAX},
    {.word = "role",
     .key = "role",
     .kind = PARAM_CHOICE,
     .min = ROLE_MONITOR,
     .choice = "monitor|audience|speaker|cohost|host|owner"},
    {.word = "on|off", .key = "on", .kind = PARAM_SWITCH, .max = 1, .choice = "on|off"},
    {.word = "off|public|private|all",
     .key = "mode",
     .kind = PARAM_CHOICE,
     .choice = "off|public|private|all"},
    {.word = "continue|lobby|end", .key = "policy", .kind = PARAM_CHOICE, .choice = "continue|lobby|end"},
    {.word = "nobody|trusted|accounts",
     .key = "whom",
     .kind = PARAM_CHOICE,
     .choice = "nobody|trusted|accounts"},
    {.word = "join|speak", .key = "what", .kind = PARAM_CHOICE, .choice = "join|speak"},
    {.word = "hold", .key = "hold", .kind = PARAM_FLAG, .flag = FLAG_HOLD},
    {.word = "speakers", .key = "speakers", .kind = PARAM_FLAG, .flag = FLAG_SPEAKERS},
    {.word = "take", .key = "take", .kind = PARAM_FLAG, .flag = FLAG_TAKE},
    {.word = "address", .key = "address", .kind = PARAM_FLAG, .flag = FLAG_ADDRESS},
    {.word = "anonymous", .key = "anonymous", .kind = PARAM_FLAG, .flag = FLAG_ANONYMOUS},
    {.word = "direct", .key = "direct", .kind = PARAM_FLAG, .flag = FLAG_DIRECT},
};
const size_t ACT_PARAMS_COUNT = sizeof ACT_PARAMS / sizeof ACT_PARAMS[0];

const char *act_choice(const char *choice, size_t i, size_t *len) {
  for (; *choice; choice += *len + (choice[*len] == '|')) {
    *len = strcspn(choice, "|");
    if (i-- == 0)
      return choice;
  }
  return NULL;
}

bool act_param_at(enum act act, size_t i, struct act_arg *out) {
  const char *p = ACTS[act].args;
  for (; i > 0 && *p; i--)
    p += strcspn(p, " ") + (p[strcspn(p, " ")] == ' ');
  if (!*p)
    return false;
  size_t n = strcspn(p, " ");
  out->optional = *p == '[';
  p += out->optional;
  n -= out->optional ? 2 : 0;
  out->many = n > 3 && memcmp(p + n - 3, "...", 3) == 0;
  n -= out->many ? 3 : 0;
  out->param = NULL;
  for (size_t k = 0; k < ACT_PARAMS_COUNT; k++)
    if (strlen(ACT_PARAMS[k].word) == n && memcmp(ACT_PARAMS[k].word, p, n) == 0)
      out->param = &ACT_PARAMS[k];
  assert(out->param); /* a row of acts.def with a word that is in no table */
  return true;
}

/* ---- roles ---- */

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

static bool on_oneself(enum act act) {
  return act == ACT_PRIORITY || act == ACT_TRUST;
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
    return self && !on_oneself(act) ? ERR_NOT_SELF : ERR_OK;
  }
  return ERR_NOT_ALLOWED;
}

/* Rules that belong to one act and one kind of person. */
static enum err allows_person(enum act act, enum role rank, const struct member *target) {
  bool monitor = target->role == ROLE_MONITOR;
  if (monitor && (act == ACT_FLOOR_GIVE || act == ACT_ASK_UNMUTE || act == ACT_PRIORITY))
    return ERR_NOT_ALLOWED; /* never heard */
  if (target->silenced && act == ACT_FLOOR_GIVE)
    return ERR_SILENCED;
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
  struct member gone = {.id = target};
  if (act == ACT_CHAT_PURGE && (!t || waits) && chat_author(r, target, &gone.role)) {
    t = &gone; /* he is out of reach, not what he wrote */
    waits = false;
  }
  if (!t)
    return ERR_NO_MEMBER;
  if (ACTS[act].target == TARGET_WAITING)
    return waits || act == ACT_ADMIT ? ERR_OK : ERR_NO_MEMBER; /* admitted already: no change, no fault */
  enum role rank = a ? a->role : ROLE_SYSTEM;
  if (waits && !(act_reaches_lobby(act) && ROLE_IS_MODERATOR(rank)))
    return ERR_NO_MEMBER;
  if (ACTS[act].target == TARGET_LIST)
    return ERR_OK;
  e = allows_rank(act, rank, target == actor, t);
  return e ? e : allows_person(act, rank, t);
}
