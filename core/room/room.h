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

#include "core/base/addr.h"
#include "core/base/err.h"
#include "core/base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- limits (printed by gaveld --limits) ---- */
#define ROOM_MEMBERS_MAX 5000 /* people here and away */
#define ROOM_WAITING_MAX 500
#define ROOM_BANS_MAX 1000
#define ROOM_INVITES_MAX 64
#define ROOM_CHAT_KEPT 500 /* messages kept in the fold */
#define ROOM_UNDO_KEPT 64  /* acts that can be undone, over all actors */
#define ROOM_UNDO_MS 10000
#define ROOM_AWAY_MS 120000 /* resume window */
#define ROOM_USER_MAX 97    /* user@application */
#define ROOM_PID_MAX 18     /* a pseudonym */
#define ROOM_KEY_MAX 64     /* id of a key or a token */
#define ROOM_SESSION_MAX 23
#define ROOM_CLIENT_MAX 31
#define ROOM_TRUSTED_MAX 1000
#define ROOM_NOTES_MAX 500
#define ROOM_FORMER_MAX 1000 /* people remembered for what was taken from them; the oldest go first */
#define ROOM_SIDES_MAX 50
#define ROOM_SUCCESSORS_MAX 16
#define ROOM_ANSWERS_MIN 2
#define ROOM_ANSWERS_MAX 8
#define ROOM_AGENDA_MAX 1000 /* bytes of all items together */
#define ROOM_AGENDA_ITEMS 50
#define ROOM_POLL_MAX 1000   /* bytes of the question and the answers together */
#define ROOM_VOTES_MAX 10000 /* votes of one poll */
#define ROOM_EDIT_MS 300000  /* how long one may edit a message of one's own */
#define ROOM_GONE_MS 600000  /* policy end: from the last host's leaving to the end of the room */
#define ROOM_SECONDS_MAX (366 * 24 * 3600) /* longest time an act may name */
#define ROOM_GAIN_MIN_DB (-20)
#define ROOM_GAIN_MAX_DB 12

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
enum act_group {
  ACT_GROUP_LOBBY,
  ACT_GROUP_VOICE,
  ACT_GROUP_PEOPLE,
  ACT_GROUP_CHAT,
  ACT_GROUP_ROOM,
  ACT_GROUP__COUNT
};
/* act_group_name: "lobby", "voice", ... */
const char *act_group_name(enum act_group g);
enum act_target { TARGET_NONE, TARGET_SELF, TARGET_LIST, TARGET_ONE, TARGET_MANY, TARGET_WAITING };
enum act_rank { RANK_ANY, RANK_LOWER, RANK_LOWER_OR_SELF }; /* on others, LOWER_OR_SELF needs a moderator */
struct act_info {
  const char *name, *args, *key, *help;
  enum act_group group;
  enum role least;
  enum act_target target;
  enum act_rank rank;
  bool undo, ask;
};
extern const struct act_info ACTS[ACT__COUNT];
/* act_find: by name ("mute_all"; '-' counts as '_'); returns ACT__COUNT when unknown. */
enum act act_find(const char *name);
/* act_reaches_lobby: its targets may also wait in the lobby (ban, trust, note, rename, and msg by a
 * moderator). */
bool act_reaches_lobby(enum act act);

/* What the words of a row's args mean, for the `:` line, the JSON-RPC params and completion: one table.
 * A word in brackets may be left out; "..." takes many. */
enum param_kind {
  PARAM_PEOPLE, /* cmd.targets */
  PARAM_TEXT,   /* cmd.text: the rest of the line */
  PARAM_WORD,   /* cmd.word: one word */
  PARAM_NUMBER, /* cmd.num, or cmd.num2 when `second`, from min to max */
  PARAM_TIME,   /* likewise, in seconds: 90, 90s, 5m, 2h, 1d */
  PARAM_CHOICE, /* likewise: which of the words of `choice`, "a|b|c", counted from `min` */
  PARAM_SWITCH, /* likewise: on is 1, off is 0; when left out 1 */
  PARAM_FLAG    /* cmd.flags: the word itself stands for it */
};
enum act_flag {
  FLAG_HOLD = 1,
  FLAG_SPEAKERS = 2,
  FLAG_TAKE = 4,
  FLAG_ADDRESS = 8,
  FLAG_ANONYMOUS = 16,
  FLAG_DIRECT = 32
};
struct act_param {
  const char *word, *key; /* in args, without brackets and dots; on the wire */
  enum param_kind kind;
  bool second;
  int64_t min, max;
  const char *choice;
  enum act_flag flag;
};
extern const struct act_param ACT_PARAMS[];
extern const size_t ACT_PARAMS_COUNT;
/* act_choice: the i-th word of "a|b|c" and its length; NULL past the last. */
const char *act_choice(const char *choice, size_t i, size_t *len);
/* act_param_at: the i-th parameter of an act; false past the last. */
struct act_arg {
  const struct act_param *param;
  bool optional, many;
};
bool act_param_at(enum act act, size_t i, struct act_arg *out);

/* ---- people ---- */
enum presence { PRESENCE_WAITING, PRESENCE_HERE, PRESENCE_AWAY };
/* By what he came in, so that the server can ask after a restart whether it still holds; nothing to the room.
 */
struct pass {
  char kid[ROOM_KEY_MAX + 1], jti[ROOM_KEY_MAX + 1], session[ROOM_SESSION_MAX + 1]; /* "" without */
  unsigned scopes;
  int64_t made_s; /* 0 unknown */
};
struct member {
  uint32_t id; /* 1.., never reused within a room; 0 means the system (operator) */
  enum role role;
  enum presence presence;
  bool muted;        /* by himself or a host; he may unmute unless room.mute_hold and !exempt */
  uint32_t muted_by; /* who: his own id, a host's id, 0 for mute-on-entry */
  bool floor;        /* may speak at all; audience has it only when given */
  int64_t floor_ms;  /* since when, for the talk timer; 0 without the floor and for moderators */
  bool time_up;      /* the talk timer has warned him */
  bool priority;     /* others are softer while he talks */
  int8_t gain_db;
  uint8_t side;       /* side room he is in, 0 the main room */
  bool held;          /* put back into the lobby; server only */
  bool clash;         /* waits, and someone inside took the name since; server only */
  uint64_t silenced;  /* id of the ban that keeps him from speaking, 0 for none */
  int64_t chat_ms;    /* when he wrote last (slow mode) */
  bool exempt;        /* asked to unmute: may unmute in spite of mute_hold */
  bool audio;         /* has a sound path (a host over SSH may have none) */
  uint64_t hand;      /* 0, or his place in server order (lower is earlier) */
  int64_t since_ms;   /* wall time of knock, admission or join */
  int64_t dropped_ms; /* 0, or wall time of the lost connection; a waiting person has it too */
  uint64_t invite;    /* id of the invite he used, 0 for none */
  char name[TEXT_NAME_MAX +
            1]; /* a double gets " (2)": unique among those inside, and for who waits at first */
  char client[ROOM_CLIENT_MAX + 1]; /* "gavel/0.1.0", shown on the person card */
  /* server only, never in a view: */
  char user[ROOM_USER_MAX + 1]; /* stable identity when known ("" for a guest) */
  char pid[ROOM_PID_MAX + 1];   /* pseudonym of the person, "" when nobody gave one */
  bool no_chat;                 /* his token does not let him write */
  bool needs_mfa;               /* he may not moderate: he came without the second factor asked of hosts */
  enum role came;               /* the role his link or token gave: what was taken is measured by it */
  struct pass pass;
  uint8_t device[16]; /* hash of the client's install id, zero when unknown: what a ban can hold on to */
  uint8_t resume[32]; /* SHA-256 of the resume secret */
};

enum ban_what { BAN_JOIN, BAN_SPEAK };
/* What it holds on to: each that is set matches alone, but when both users are known only those count. */
struct ban {
  uint64_t id; /* seq of the event that made it */
  uint32_t by;
  enum role rank; /* of who made it, then: it holds nobody above, and by a rule or address no equal either */
  enum ban_what what;
  int64_t ts_ms, until_ms;      /* until 0: for good */
  char name[TEXT_NAME_MAX + 1]; /* of the person, "" for a rule */
  char reason[TEXT_LINE_MAX + 1];
  /* server only, but for user and invite, which a moderator typed or may see: */
  char user[ROOM_USER_MAX + 1];
  uint8_t device[16];
  char pid[ROOM_PID_MAX + 1]; /* of the person, "" for a rule */
  uint64_t invite;
  struct cidr cidr;
};
struct trusted { /* may come in unasked */
  uint64_t id;   /* seq of the event */
  char name[TEXT_NAME_MAX + 1], user[ROOM_USER_MAX + 1];
  uint8_t device[16];
};
struct former { /* someone who left with less than his link gives, or out of a lobby he was put back into */
  char user[ROOM_USER_MAX + 1];
  uint8_t device[16];
  enum role role, came;
  bool floor, held;
};
struct note {  /* for moderators' eyes */
  uint64_t id; /* seq of the event */
  uint32_t about, by;
  int64_t ts_ms;
  char name[TEXT_NAME_MAX + 1]; /* of the author, at that time */
  char text[TEXT_LINE_MAX + 1];
};
/* What is kept of a password or a code: scrypt or SHA-256 of it with the salt, made by the shell. */
struct secret {
  uint8_t salt[16], hash[32];
};
struct poll {
  uint64_t id; /* seq of the event; 0: there was none */
  bool open, anonymous;
  uint32_t by;
  char *text; /* owned: the question and the answers, a line each */
  size_t n_answers;
  uint32_t count[ROOM_ANSWERS_MAX]; /* a replica of an anonymous poll knows them only when it is closed */
  struct vote {
    uint32_t member;
    uint8_t answer; /* 1.. */
  } * votes;
  size_t n_votes, cap_votes;
};
struct invite {
  uint64_t id;      /* seq of the event that made it */
  uint8_t hash[32]; /* SHA-256 of the secret in the link */
  enum role role;
  bool bypass;        /* enters without waiting in the lobby */
  uint32_t uses_left; /* 0 = unlimited */
  int64_t expires_ms; /* 0 = never */
};
enum chat_kind {
  CHAT_PUBLIC,
  CHAT_PRIVATE,
  CHAT_TO_HOSTS,
  CHAT_LOBBY,    /* from a moderator to all who wait; moderators see it too */
  CHAT_ANNOUNCE, /* from a moderator or the system to all inside, side rooms too */
  CHAT_SIDE      /* public inside side room number `to` */
};
struct chat {
  uint64_t id; /* seq of the event */
  int64_t ts_ms;
  enum chat_kind kind;
  uint32_t from, to;
  bool deleted; /* text is then "" */
  bool edited;
  uint64_t said;                /* seq of the event with its text: of the last edit, else its id */
  enum role role;               /* of the sender, at that time; NONE in a snapshot's */
  char name[TEXT_NAME_MAX + 1]; /* likewise */
  char *text;                   /* owned by the room */
};
enum chat_mode {
  CHAT_MODE_OFF,
  CHAT_MODE_PUBLIC,
  CHAT_MODE_PRIVATE,
  CHAT_MODE_ALL
}; /* to-hosts always works */
enum host_policy { HOST_GONE_CONTINUE, HOST_GONE_LOBBY, HOST_GONE_END };
enum auto_admit { AUTO_ADMIT_NOBODY, AUTO_ADMIT_TRUSTED, AUTO_ADMIT_ACCOUNTS };

struct room_undo; /* private to core/room */
struct room {
  char name[TEXT_SLUG_MAX + 1];
  char topic[TEXT_LINE_MAX + 1];
  char topic_of[ROOM_PID_MAX + 1], lock_of[ROOM_PID_MAX + 1], agenda_of[ROOM_PID_MAX + 1]; /* who wrote it;
                                                                                              server only */
  uint64_t seq;       /* of the last event applied */
  uint64_t hand_last; /* server order of hands */
  uint32_t id_last;   /* last member id given */
  bool ended, locked, lobby;
  bool mute_all, mute_hold; /* newcomers enter muted; hold: nobody unmutes himself */
  bool mute_speakers_free;  /* mute-all leaves speakers out */
  bool mute_entry, one_speaker, no_links, hide_hosts, has_password, talk_take;
  enum auto_admit auto_admit;
  int64_t talk_s, slow_s;
  uint32_t max_people, max_speakers; /* 0: no limit but the machine's */
  char lock_text[TEXT_LINE_MAX + 1];
  char *agenda;     /* owned: an item a line; NULL for none */
  size_t agenda_at; /* item being talked about, from 0 */
  int64_t agenda_ms;
  uint64_t pin;       /* message id, 0 none; a replica may not have the message */
  uint8_t sides;      /* side rooms open */
  int64_t recall_ms;  /* when everyone comes back from them, 0 never */
  int64_t ends_ms;    /* the room ends then, 0 not planned */
  int64_t no_host_ms; /* since when no moderator is inside, 0 while there is one or nobody ever was */
  struct poll poll;   /* the newest */
  struct secret password, claim; /* server only; all zero: none */
  uint32_t successors[ROOM_SUCCESSORS_MAX];
  size_t n_successors;
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
  struct trusted *trusted; /* in order of id */
  size_t n_trusted, cap_trusted;
  struct former *former; /* server only */
  size_t n_former, cap_former;
  struct note *notes; /* in order of id */
  size_t n_notes, cap_notes;
  struct room_undo *undo;
};

/* ---- events ----
 * X(ID, wire name). Comments give the fields used besides seq, ts, actor, group. */
#define ROOM_EVENTS(X)                                                                                       \
  X(CREATED, "room.created")       /* text=name num=lobby num2=policy */                                     \
  X(ENDED, "room.ended")           /* text=reason */                                                         \
  X(LOCKED, "room.locked")         /* num=0|1 num2=before, text=message to those at the door */              \
  X(LOBBY, "room.lobby")           /* num=0|1 num2=before */                                                 \
  X(TOPIC, "room.topic")           /* text, text2=before */                                                  \
  X(POLICY, "room.policy")         /* num, num2=before */                                                    \
  X(MUTE_ALL, "room.mute_all")     /* num: 0 lifted, 1 on, 2 on with hold, +4 speakers free; num2=before */  \
  X(CHAT_MODE, "room.chat_mode")   /* num, num2=before */                                                    \
  X(MUTE_ENTRY, "room.mute_entry") /* num=0|1 num2=before, as the settings that follow */                    \
  X(ONE_SPEAKER, "room.one_speaker")                                                                         \
  X(AUTO_ADMIT, "room.auto_admit")                                                                           \
  X(LINKS, "room.links")                                                                                     \
  X(NAME_HOSTS, "room.name_hosts")                                                                           \
  X(SLOW, "room.slow") /* num: seconds */                                                                    \
  X(MAX_PEOPLE, "room.max_people")                                                                           \
  X(MAX_SPEAKERS, "room.max_speakers")                                                                       \
  X(TALK_TIME, "room.talk_time")   /* num=2*seconds+take, num2=before */                                     \
  X(AGENDA, "room.agenda")         /* text: an item a line, text2=before; num=item, num2=before */           \
  X(AGENDA_AT, "room.agenda_at")   /* num=item num2=before */                                                \
  X(PINNED, "room.pinned")         /* num=message id, 0: none; num2=before */                                \
  X(PASSWORD, "room.password")     /* secret, num=0|1: whether there is one now; to moderators */            \
  X(CLAIM_CODE, "room.claim_code") /* secret; to moderators */                                               \
  X(SUCCESSION, "room.succession") /* targets in order; to moderators */                                     \
  X(BREAKOUTS, "room.breakouts")   /* num=how many side rooms num2=before; 0: everyone is back */            \
  X(RECALL, "room.recall")         /* num=wall ms, 0 none; num2=before */                                    \
  X(ENDING, "room.ending")         /* num=wall ms when it ends, 0 not; num2=before */                        \
  X(TRUSTED, "room.trusted")       /* entry: the person; to moderators */                                    \
  X(UNTRUSTED, "room.untrusted")   /* num=id */                                                              \
  X(POLL, "poll.opened")           /* num=anonymous, text: question and answers, a line each */              \
  X(VOTED, "poll.voted")           /* num=answer 1..; of an anonymous poll only to himself */                \
  X(POLL_ENDED, "poll.ended")      /* text: the counts, "3 0 1" */                                           \
  X(NOTED, "note.added")           /* targets[0]=about, text; to moderators */                               \
  X(NOTE_DELETED, "note.deleted")  /* num=id */                                                              \
  X(KNOCKED, "member.knocked")     /* entry */                                                               \
  X(JOINED, "member.joined")       /* entry; never waited */                                                 \
  X(ADMITTED, "member.admitted") /* targets[0], entry: as he is from now on (members never saw him wait) */  \
  X(DENIED, "member.denied")     /* targets, text=reason; they are gone */                                   \
  X(AWAY, "member.away")         /* targets: connection lost, may resume */                                  \
  X(BACK, "member.back")         /* targets[0], entry: resumed, with a new resume secret */                  \
  X(HELD, "member.held")         /* targets back in the lobby, text=reason; others see LEFT */               \
  X(LEFT, "member.left")         /* targets; num: 0 left, 1 did not come back, 2 back in the lobby */        \
  X(REMOVED, "member.removed")   /* targets, text=reason; num=1: banned as well */                           \
  X(BANNED, "room.banned")       /* ban, targets: the person or none; moderators only; REMOVED follows */    \
  X(BAN_EDITED, "room.ban_edited") /* num=ban id num2=until wall ms, text=reason */                          \
  X(UNBANNED, "room.unbanned")     /* num=ban id; actor 0: it ran out */                                     \
  X(SILENCED, "member.silenced")   /* targets, num=ban id, 0: may speak again; num2: 1 when each has the     \
                                      ban after that of the one before him; text=reason */                   \
  X(MUTED, "member.muted")         /* targets: only those it changed; text=reason */                         \
  X(UNMUTED, "member.unmuted")     /* targets */                                                             \
  X(ASKED,                                                                                                   \
    "member.asked_unmute")       /* targets: his client asks him; exempt from mute-all's hold from now on */ \
  X(DECLINED, "member.declined") /* targets[0] stays muted; to moderators */                                 \
  X(EXEMPT, "member.exempt")     /* targets, num=0|1: the same right given or withdrawn, nobody is asked */  \
  X(FLOOR, "member.floor") /* targets, num=0|1, num2=since when for the talk timer (wall ms, 0: untimed),    \
                              text=reason */                                                                 \
  X(TIME_UP, "member.time_up")   /* targets: talk time used up */                                            \
  X(PRIORITY, "member.priority") /* targets, num=0|1 */                                                      \
  X(GAIN, "member.gain")         /* targets, num=dB num2=before */                                           \
  X(MOVED, "member.moved")       /* targets, num=side room, 0 the main one */                                \
  X(RENAMED, "member.renamed")   /* targets[0], text=name, text2=before */                                   \
  X(ROLE, "member.role") /* targets[0], num=new role, num2=before, text=reason; actor=target: by claim or    \
                            succession */                                                                    \
  X(HAND, "member.hand") /* targets; num=0 lowered, 1 raised; num2: place of the first when undo restores    \
                            them: the others follow one by one. Whoever has a hand among them is named too   \
                            then, so that nobody's order changes and no place is taken twice */              \
  X(CHAT, "chat.sent")   /* num=enum chat_kind, num2=to, text */                                             \
  X(CHAT_DELETED, "chat.deleted") /* num=message id */                                                       \
  X(CHAT_EDITED, "chat.edited")   /* num=message id, text */                                                 \
  X(CHAT_PURGED, "chat.purged")   /* targets[0]: all his messages are deleted */                             \
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
  char *text, *text2;        /* text2 is told, not logged: a replay knows what was before */
  char of[ROOM_PID_MAX + 1]; /* server only: whose text an undo brings back, "" the actor's own */
  struct member *entry;      /* KNOCKED, JOINED, ADMITTED, BACK, TRUSTED */
  struct invite *invite;
  struct ban *ban;
  struct secret *secret;
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
  const char *name;   /* as the person typed it; cleaned here */
  const char *client; /* "" when unknown */
  const char *user;   /* verified identity or "" */
  const char *pid;    /* NULL or a pseudonym */
  bool no_chat, needs_mfa;
  const struct pass *pass;    /* NULL: by an invite alone */
  const uint8_t *invite_hash; /* 32 bytes, or NULL: no invite (then role decides) */
  enum role role;             /* the server's policy grants; ROLE_NONE: the invite's, or none */
  enum role most;             /* and never above this; ROLE_NONE: any */
  uint8_t device[16], resume[32];
  const uint8_t *addr; /* 16 bytes, IPv4 as ::ffff:a.b.c.d; NULL when unknown. Not kept. */
  bool password_ok;    /* the shell compared it */
  bool monitor;        /* an operator who listens, announced: past lobby, lock, password and max_people */
  bool audio;
};
/* room_decide_join: JOINED or KNOCKED, or ROOM_ENDED, ROOM_LOCKED (moderators enter a locked room),
 * ROOM_FULL, LOBBY_FULL, BAD_INVITE, BAD_NAME, BANNED, NEED_MFA, NEED_PASSWORD (asked of all but moderators
 * and those with a direct invite). The id of the last event's entry is the new member's. Moderators never
 * wait. */
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
/* room_decide_expire: what time alone brings: LEFT for all whose resume window has passed, bans and talk time
 * that run out, the recall, the planned end, what the policy says when no host is here. Call it again while
 * it appends (one act at a time). room_next_expiry: when that is next (INT64_MAX: never). */
void room_decide_expire(const struct room *r, int64_t now_ms, struct room_events *out);
int64_t room_next_expiry(const struct room *r);

struct room_cmd {
  enum act act;
  uint32_t actor; /* 0: the operator, outranks everyone */
  const uint32_t *targets;
  size_t n_targets;
  int64_t num, num2; /* what PARAM_NUMBER, TIME, CHOICE and SWITCH say; has_num: it was said */
  bool has_num, has_num2;
  unsigned flags;              /* of enum act_flag */
  const char *text;            /* as typed; cleaned here */
  const char *word;            /* PARAM_WORD: the rule of a ban */
  const struct invite *invite; /* ACT_INVITE: role, bypass, hash, uses, expiry prepared by the shell */
  const struct secret *secret; /* PASSWORD, CLAIM_CODE: what to keep; CLAIM: the hash of what was typed with
                                  the room's salt */
  const struct cidr *cidrs;    /* BAN with FLAG_ADDRESS: of each target in their order, bits 0 when unknown */
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
 * lobby, by when one came there (since_ms, then id). */
size_t room_hand_place(const struct room *r, uint32_t id);
size_t room_lobby_place(const struct room *r, uint32_t id);
/* room_hand_first: id of the first raised hand, 0 when none. */
uint32_t room_hand_first(const struct room *r);

/* room_ban_also: whom besides its targets a ban of `targets` would hit, by user or device, among the people
 * here and waiting (their addresses are not known here); returns how many of them were stored. */
size_t room_ban_also(const struct room *r, const uint32_t *targets, size_t n, uint32_t *out, size_t cap);
/* room_ban_rule: reads "user:NAME", "invite:ID", "cidr:ADDRESS/BITS" (no bits: one address; IPv6 /64). */
bool room_ban_rule(const char *text, struct ban *out);
/* room_setting: the value a settings event (LOCKED .. MAX_SPEAKERS, TALK_TIME, AGENDA_AT, PINNED, BREAKOUTS,
 * RECALL, ENDING, POLICY, CHAT_MODE, MUTE_ALL, LOBBY) changes, in the form of its num; -1 for other kinds. */
int64_t room_setting(const struct room *r, enum room_ev kind);

/* ---- views: what one viewer may see ---- */
enum view { VIEW_NOTHING, VIEW_MEMBER, VIEW_MODERATOR };
/* room_view_of: waiting people and strangers see NOTHING (but what happens to themselves). The operator (0)
 * sees all. */
enum view room_view_of(const struct room *r, uint32_t viewer);
/* room_event_visible: may `viewer` see this event? Ask before applying it: it depends on the viewer's class
 * and on whether he is author, addressee or target, and whether those it names still wait. Whose class
 * changes (admitted, role to or from moderator) needs a fresh snapshot after. */
bool room_event_visible(const struct room *r, const struct room_event *ev, uint32_t viewer);

/* room_event_as_seen: how a member without a moderator's view is told of it: who goes back to the lobby has
 * left; a host has no name where the policy hides it (actor becomes ROOM_SOME_HOST). False: as it is; true:
 * *out is a copy to free. */
#define ROOM_SOME_HOST UINT32_MAX
/* A viewer who is no member, and sees what the audience sees. */
#define ROOM_SILENT (UINT32_MAX - 1)
bool room_event_as_seen(const struct room *r, const struct room_event *ev, uint32_t viewer,
                        struct room_event *out);

/* room_check: NULL when every invariant holds, else a sentence naming the broken one (tests, debug builds).
 */
const char *room_check(const struct room *r);

#endif
