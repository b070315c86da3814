/* room.h: a room is a fold over its events. room_decide_* turn a command into events or a refusal; room_apply
 * is the only thing that changes a room. The same code runs in the server, in every client's replica and in
 * the simulator.
 *
 * Invariant: pure. No I/O, no clock, no chance: time and secrets come in as arguments. room_check() holds
 * after every room_apply(); applying the same events to an empty room gives the same room, everywhere.
 * Thread: a room belongs to one thread. Readers may read the public structs freely; only room_apply writes
 * them. */
#ifndef GAVEL_ROOM_ROOM_H
#define GAVEL_ROOM_ROOM_H

#include "core/base/err.h"
#include "core/base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- limits (printed by gaveld --limits) ---- */
#define ROOM_MEMBERS_MAX 5000 /* people here and away */
#define ROOM_WAITING_MAX 200
#define ROOM_BANS_MAX 1000
#define ROOM_INVITES_MAX 64
#define ROOM_CHAT_KEPT 500 /* messages kept in the fold */
#define ROOM_UNDO_KEPT 64  /* acts that can be undone, over all actors */
#define ROOM_UNDO_MS 10000
#define ROOM_AWAY_MS 120000 /* resume window */
#define ROOM_USER_MAX 95
#define ROOM_CLIENT_MAX 31

/* ---- roles: rank order; a higher number outranks a lower one. MONITOR stands apart and acts on nobody ----
 */
enum role {
  ROLE_NONE,
  ROLE_MONITOR,
  ROLE_AUDIENCE,
  ROLE_SPEAKER,
  ROLE_COHOST,
  ROLE_HOST,
  ROLE_OWNER,
  ROLE_SYSTEM
};
const char *role_name(enum role r);           /* "audience" */
bool role_parse(const char *s, enum role *r); /* only AUDIENCE..OWNER and MONITOR */
#define ROLE_IS_MODERATOR(r) ((r) >= ROLE_COHOST)

/* ---- the acts ---- */
enum act {
#define ACT(id, ...) ACT_##id,
#include "core/room/acts.def"
#undef ACT
  ACT__COUNT
};
enum act_target { TARGET_NONE, TARGET_SELF, TARGET_ONE, TARGET_MANY, TARGET_WAITING };
enum act_rank { RANK_ANY, RANK_LOWER, RANK_LOWER_OR_SELF }; /* on others, LOWER_OR_SELF needs a moderator */
struct act_info {
  const char *name, *args, *key, *help;
  enum role least;
  enum act_target target;
  enum act_rank rank;
  bool undo, ask;
};
extern const struct act_info ACTS[ACT__COUNT];
/* act_find: by name ("mute_all"; '-' counts as '_'); returns ACT__COUNT when unknown. */
enum act act_find(const char *name);

/* ---- people ---- */
enum presence { PRESENCE_WAITING, PRESENCE_HERE, PRESENCE_AWAY };
struct member {
  uint32_t id; /* 1.., never reused within a room; 0 means the system (operator) */
  enum role role;
  enum presence presence;
  bool muted;                   /* by himself or a host; he may unmute unless room.mute_hold and !exempt */
  uint32_t muted_by;            /* who: his own id, a host's id, 0 for mute-on-entry */
  bool floor;                   /* may speak at all; audience has it only when given */
  bool exempt;                  /* asked to unmute: may unmute in spite of mute_hold */
  bool audio;                   /* has a sound path (a host over SSH may have none) */
  uint64_t hand;                /* 0, or his place in server order (lower is earlier) */
  int64_t since_ms;             /* wall time of knock, admission or join */
  int64_t dropped_ms;           /* 0, or wall time of the lost connection; a waiting person has it too */
  uint64_t invite;              /* id of the invite he used, 0 for none */
  char name[TEXT_NAME_MAX + 1]; /* unique in the room: a double gets " (2)" */
  char client[ROOM_CLIENT_MAX + 1]; /* "gavel/0.1.0", shown on the person card */
  /* server only, never in a view: */
  char user[ROOM_USER_MAX + 1]; /* stable identity when known ("" for a guest) */
  uint8_t device[16]; /* hash of the client's install id, zero when unknown: what a ban can hold on to */
  uint8_t resume[32]; /* SHA-256 of the resume secret */
};

struct ban {
  uint64_t id; /* seq of the event that made it */
  uint32_t by;
  int64_t ts_ms;
  char name[TEXT_NAME_MAX + 1], user[ROOM_USER_MAX + 1];
  uint8_t device[16];
  char reason[TEXT_LINE_MAX + 1];
};
struct invite {
  uint64_t id;      /* seq of the event that made it */
  uint8_t hash[32]; /* SHA-256 of the secret in the link */
  enum role role;
  bool bypass;        /* enters without waiting in the lobby */
  uint32_t uses_left; /* 0 = unlimited */
  int64_t expires_ms; /* 0 = never */
};
enum chat_kind { CHAT_PUBLIC, CHAT_PRIVATE, CHAT_TO_HOSTS };
struct chat {
  uint64_t id; /* seq of the event */
  int64_t ts_ms;
  enum chat_kind kind;
  uint32_t from, to;
  bool deleted;                 /* text is then "" */
  char name[TEXT_NAME_MAX + 1]; /* of the sender, at that time */
  char *text;                   /* owned by the room */
};
enum chat_mode {
  CHAT_MODE_OFF,
  CHAT_MODE_PUBLIC,
  CHAT_MODE_PRIVATE,
  CHAT_MODE_ALL
}; /* to-hosts always works */
enum host_policy { HOST_GONE_CONTINUE, HOST_GONE_LOBBY };

struct room_undo; /* private to core/room */
struct room {
  char name[TEXT_SLUG_MAX + 1];
  char topic[TEXT_LINE_MAX + 1];
  uint64_t seq;       /* of the last event applied */
  uint64_t hand_last; /* server order of hands */
  uint32_t id_last;   /* last member id given */
  bool ended, locked, lobby;
  bool mute_all, mute_hold; /* newcomers enter muted; hold: nobody unmutes himself */
  enum chat_mode chat_mode;
  enum host_policy policy;
  int64_t created_ms;
  struct member *members; /* in order of id; waiting ones too */
  size_t n_members, cap_members;
  struct chat
      *chat; /* oldest first, at most ROOM_CHAT_KEPT (a replica sees fewer, so it may keep older ones) */
  size_t n_chat, cap_chat;
  struct ban *bans; /* in order of id, as chat and invites */
  size_t n_bans, cap_bans;
  struct invite *invites;
  size_t n_invites, cap_invites;
  struct room_undo *undo;
};

/* ---- events ----
 * X(ID, wire name). Comments give the fields used besides seq, ts, actor, group. */
#define ROOM_EVENTS(X)                                                                                       \
  X(CREATED, "room.created")     /* text=name num=lobby num2=policy */                                       \
  X(ENDED, "room.ended")         /* text=reason */                                                           \
  X(LOCKED, "room.locked")       /* num=0|1 num2=before */                                                   \
  X(LOBBY, "room.lobby")         /* num=0|1 num2=before */                                                   \
  X(TOPIC, "room.topic")         /* text, text2=before */                                                    \
  X(POLICY, "room.policy")       /* num, num2=before */                                                      \
  X(MUTE_ALL, "room.mute_all")   /* num: 0 lifted, 1 on, 2 on with hold; num2=before */                      \
  X(CHAT_MODE, "room.chat_mode") /* num, num2=before */                                                      \
  X(KNOCKED, "member.knocked")   /* entry */                                                                 \
  X(JOINED, "member.joined")     /* entry; never waited */                                                   \
  X(ADMITTED, "member.admitted") /* targets[0], entry: as he is from now on (members never saw him wait) */  \
  X(DENIED, "member.denied")     /* targets, text=reason; they are gone */                                   \
  X(AWAY, "member.away")         /* targets: connection lost, may resume */                                  \
  X(BACK, "member.back")         /* targets[0], entry: resumed, with a new resume secret */                  \
  X(LEFT, "member.left")         /* targets; num: 0 left, 1 did not come back */                             \
  X(REMOVED, "member.removed")   /* targets, text=reason; num=1: banned as well */                           \
  X(BANNED, "room.banned")       /* entry: the person, text=reason; moderators only; REMOVED follows */      \
  X(UNBANNED, "room.unbanned")   /* num=ban id */                                                            \
  X(MUTED, "member.muted")       /* targets: only those it changed */                                        \
  X(UNMUTED, "member.unmuted")   /* targets */                                                               \
  X(ASKED,                                                                                                   \
    "member.asked_unmute")   /* targets: his client asks him; exempt from mute-all's hold from now on */     \
  X(EXEMPT, "member.exempt") /* targets, num=0|1: the same right given or withdrawn, nobody is asked */      \
  X(FLOOR, "member.floor")   /* targets, num=0|1 */                                                          \
  X(ROLE, "member.role")     /* targets[0], num=new role, num2=before */                                     \
  X(HAND, "member.hand")     /* targets; num=0 lowered, 1 raised; num2: its place when restored by undo */   \
  X(CHAT, "chat.sent")       /* num=enum chat_kind, num2=to, text */                                         \
  X(CHAT_DELETED, "chat.deleted") /* num=message id */                                                       \
  X(CHAT_CLEARED, "chat.cleared")                                                                            \
  X(INVITE, "invite.made")            /* invite */                                                           \
  X(INVITE_USED, "invite.used")       /* num=id */                                                           \
  X(INVITE_REVOKED, "invite.revoked") /* num=id */                                                           \
  X(UNDONE, "act.undone")             /* num=group that was undone; the inverse events follow in this group */

enum room_ev {
#define X(id, name) ROOM_EV_##id,
  ROOM_EVENTS(X)
#undef X
      ROOM_EV__COUNT
};
/* room_ev_name: as in the log and on the wire. room_ev_parse: the kind of such a name, false when unknown. */
const char *room_ev_name(enum room_ev kind);
bool room_ev_parse(const char *name, enum room_ev *kind);

struct room_event {
  uint64_t seq;   /* gapless in the log; a viewer's stream may skip what he may not see */
  uint64_t group; /* seq of the first event of the same act */
  int64_t ts_ms;  /* wall time, filled by the server */
  enum room_ev kind;
  uint32_t actor; /* member id, 0 = system */
  uint32_t *targets;
  size_t n_targets;
  int64_t num, num2;
  char *text, *text2;
  struct member *entry; /* KNOCKED, JOINED, BACK */
  struct invite *invite;
};
/* A growable list that owns everything its events point to. Zero-initialise. */
struct room_events {
  struct room_event *v;
  size_t n, cap;
};
/* room_events_free: frees all and zeroes; the list may be used again. */
void room_events_free(struct room_events *evs);
/* room_event_copy: deep copy into a zeroed `to`; free with room_event_free. */
void room_event_copy(struct room_event *to, const struct room_event *from);
void room_event_free(struct room_event *ev);

/* ---- life ---- */
/* room_init: an empty room that no event was applied to. room_free: releases what it owns and zeroes it. */
void room_init(struct room *r);
void room_free(struct room *r);

/* room_apply: change the room by one event. Asserts that ev->seq > r->seq (replicas skip invisible ones). An
 * event about a member or message the replica does not know is ignored, so a filtered view never crashes. */
void room_apply(struct room *r, const struct room_event *ev);

/* ---- decisions: nothing changes; events are appended to out, numbered from r->seq+1, all with one group
 * ---- `now_ms` is wall time. On a refusal nothing is appended. */
MUST_CHECK enum err room_decide_create(const char *name, bool lobby, enum host_policy policy, int64_t now_ms,
                                       struct room_events *out);

struct room_join {
  const char *name;           /* as the person typed it; cleaned here */
  const char *client;         /* "" when unknown */
  const char *user;           /* verified identity or "" */
  const uint8_t *invite_hash; /* 32 bytes, or NULL: no invite (then role decides) */
  enum role role;             /* without an invite: the role the server's policy grants; ROLE_NONE refuses */
  uint8_t device[16], resume[32];
  bool audio;
};
/* room_decide_join: JOINED or KNOCKED, or ROOM_ENDED, ROOM_LOCKED (moderators enter a locked room),
 * ROOM_FULL, LOBBY_FULL, BAD_INVITE, BAD_NAME, BANNED. The id of the last event's entry is the new member's.
 * Moderators never wait. */
MUST_CHECK enum err room_decide_join(const struct room *r, const struct room_join *j, int64_t now_ms,
                                     struct room_events *out);
/* room_decide_drop: the connection of `id` is gone: AWAY, also for one who waits (he keeps his place in the
 * lobby for ROOM_AWAY_MS as well). No event when already away; NO_MEMBER when unknown. */
MUST_CHECK enum err room_decide_drop(const struct room *r, uint32_t id, int64_t now_ms,
                                     struct room_events *out);
/* room_decide_resume: `resume` is the hash of the secret shown; new_resume replaces it. Identity, role, hand,
 * mute, floor and lobby place are as they were. NO_RESUME when nobody matches. *id gets the member. */
MUST_CHECK enum err room_decide_resume(const struct room *r, const uint8_t resume[32],
                                       const uint8_t new_resume[32], bool audio, int64_t now_ms, uint32_t *id,
                                       struct room_events *out);
/* room_decide_expire: LEFT for all whose resume window has passed. room_next_expiry: when that is next
 * (INT64_MAX: never). */
void room_decide_expire(const struct room *r, int64_t now_ms, struct room_events *out);
int64_t room_next_expiry(const struct room *r);

struct room_cmd {
  enum act act;
  uint32_t actor; /* 0: the operator, outranks everyone */
  const uint32_t *targets;
  size_t n_targets;
  int64_t num;                 /* role, on/off, chat mode, policy, message/ban/invite id, hold */
  const char *text;            /* as typed; cleaned here */
  const struct invite *invite; /* ACT_INVITE: role, bypass, hash, uses, expiry prepared by the shell */
};
/* room_decide: permission (role), rank per target, state, then events. Bulk acts skip the targets that are
 * not affected; if none is left: NO_CHANGE or NOTHING. One bad target (unknown, outranking) refuses the whole
 * act. */
MUST_CHECK enum err room_decide(const struct room *r, const struct room_cmd *cmd, int64_t now_ms,
                                struct room_events *out);

/* room_allows: only the permission part (role and rank) of room_decide; target 0 = none. For greying out,
 * `?`, footer. */
enum err room_allows(const struct room *r, uint32_t actor, enum act act, uint32_t target);

/* ---- asking ---- */
const struct member *room_member(const struct room *r, uint32_t id); /* NULL when unknown */
const struct chat *room_chat_by_id(const struct room *r, uint64_t id);
/* room_may_send: the speak bit the media path enforces: here or away, role above monitor, floor, not muted,
 * not ended. */
bool room_may_send(const struct room *r, uint32_t id);
/* room_may_hear: here or away (never in the lobby), not ended. */
bool room_may_hear(const struct room *r, uint32_t id);
size_t room_count(const struct room *r, enum presence p);
/* room_has_moderator: someone of rank cohost or above is here or away (away keeps the room open for
 * ROOM_AWAY_MS). */
bool room_has_moderator(const struct room *r);
/* room_hand_place: 1 for the first raised hand, 0 when the hand is down. room_lobby_place: likewise in the
 * lobby. */
size_t room_hand_place(const struct room *r, uint32_t id);
size_t room_lobby_place(const struct room *r, uint32_t id);
/* room_hand_first: id of the first raised hand, 0 when none. */
uint32_t room_hand_first(const struct room *r);

/* ---- views: what one viewer may see ---- */
enum view { VIEW_NOTHING, VIEW_MEMBER, VIEW_MODERATOR };
/* room_view_of: waiting people and strangers see NOTHING (but what happens to themselves). The operator (0)
 * sees all. */
enum view room_view_of(const struct room *r, uint32_t viewer);
/* room_event_visible: may `viewer` see this event? Ask before applying it: it depends on the viewer's class
 * and on whether he is author, addressee or target, and whether those it names still wait. Whose class
 * changes (admitted, role to or from moderator) needs a fresh snapshot after. */
bool room_event_visible(const struct room *r, const struct room_event *ev, uint32_t viewer);

/* room_check: NULL when every invariant holds, else a sentence naming the broken one (tests, debug builds).
 */
const char *room_check(const struct room *r);

#endif
