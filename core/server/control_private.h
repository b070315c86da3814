/* control_private.h: what the files of the control plane share: the state itself. Nobody else includes it.
 *
 * A seat ties a member of a room to his connection and his media path; it outlives the connection for as long
 * as he may resume. */
#ifndef GAVEL_SERVER_CONTROL_PRIVATE_H
#define GAVEL_SERVER_CONTROL_PRIVATE_H

#include "core/base/map.h"
#include "core/base/timers.h"
#include "core/room/room.h"
#include "core/server/control.h"
#include "core/server/outbox.h"
#include "core/wire/json.h"

/* per minute, and at once */
#define RATE_ACTS 1200, 40
#define RATE_CHAT 300, 10
#define RATE_SHOWN CONTROL_SHOWN_PER_MIN, CONTROL_SHOWN_BURST
#define RATE_GUESSES CONTROL_GUESSES_PER_MIN, CONTROL_GUESSES_PER_MIN
#define RATE_ROOM_CLAIMS 20, 20
#define RATE_ROOM_PASSWORDS 30, 30
#define RATE_ROOM_NEW_PASSWORDS                                                                              \
  CONTROL_NEW_PASSWORDS_PER_MIN, CONTROL_NEW_PASSWORDS_PER_MIN /* scrypt costs */
#define RATE_ROOM_REPORTS 12, 3                                /* attendance reads the log */
#define WRONG_PASSWORDS_MAX 5                                  /* of one connection, then it is closed */
#define HISTORY_MAX 100
#define GUESSERS_MAX 1024
#define ATTENDANCE_FOLDS_MAX 8 /* rooms whose attendance is remembered */

struct bucket { /* token bucket in milli-tokens */
  int64_t level;
  us_t at;
};

struct guesser { /* an IPv4 address or an IPv6 /64 */
  uint8_t network[16];
  struct bucket left;
};

/* What the media thread is told of a person. */
struct seat_bits {
  uint32_t room; /* handle */
  bool may_send, may_hear, priority;
  int8_t gain_db;
};
/* Just admitted, and not told yet: he sees what all such see, or something of his own too. */
enum fresh { FRESH_NOT, FRESH_NEW, FRESH_OWN };
struct seat {
  uint32_t member;
  struct conn *conn;     /* NULL while away */
  uint32_t peer;         /* media handle, 0 = none */
  struct seat_bits told; /* last told to the media thread */
  enum view view;        /* last synced */
  char *offer;           /* SDP that came with the knock; answered on admission, kept until his path is up */
  enum fresh fresh;
  struct bucket shown; /* acts that all see */
  uint8_t quality;     /* of his line, as everyone was told: 0 good, 1 weak, 2 bad */
  uint8_t addr[16];    /* of his last connection, zero when unknown: what a ban can hold on to */
};
#define HOSTED_STREAM_MAX (TEXT_SLUG_MAX + 32)
struct hosted {
  struct timer timer; /* first, so that it leads back here: what time alone brings */
  struct room room;
  char stream[HOSTED_STREAM_MAX]; /* of the log */
  unsigned thread;
  uint32_t media[ROOM_SIDES_MAX + 1]; /* handles: the main room, then side rooms by number; 0: not open */
  struct map *seats;                  /* member id -> seat */
  bool touched;                       /* has events in the open group */
  bool fresh;                         /* some seat is */
  bool absent; /* someone may be here without a connection, because his drop was not recorded */
  struct bucket passwords, new_passwords, claims, reports;
  struct stays *stays; /* attendance.c: as far as the log was read, or NULL */
};
struct conn {
  uint32_t handle;
  bool admin, closing, dirty, close_after;
  uint8_t addr[16]; /* IPv4 as ::ffff:a.b.c.d; zero when unknown */
  us_t opened_at;
  struct hosted *room; /* NULL before joining */
  struct seat *seat;
  struct outbox out;
  struct bucket acts, chat;
  unsigned wrong; /* passwords */
};
struct control {
  struct control_config cfg;
  us_t now;
  int64_t wall_ms;
  struct map *rooms;       /* name -> hosted */
  struct map *media_rooms; /* media handle -> hosted */
  struct map *conns;       /* handle -> conn */
  struct map *peers;       /* media handle -> struct peer_ref */
  uint32_t last_conn, last_room, last_peer;
  unsigned threads_load[CONTROL_THREADS_MAX];
  struct conn **dirty;
  size_t n_dirty, cap_dirty;
  struct hosted **touched;
  size_t n_touched, cap_touched;
  enum err group_err; /* why the open group cannot be committed */
  us_t next_hello;
  struct timers expiry; /* of hosted rooms */
  int retry_ms;         /* how long what was limited last has to wait */
  struct guesser guessers[GUESSERS_MAX];
  struct hosted *stays[ATTENDANCE_FOLDS_MAX]; /* the one asked for last at the end */
  size_t n_stays;
  struct control_counters count;
};
struct peer_ref { /* finds the seat of a media event */
  struct hosted *room;
  uint32_t member;
};

/* control.c */
void control_send(struct control *c, struct conn *k, struct msg *m);
void control_reply(struct control *c, struct conn *k, json_int_t id, json_t *body);
void control_refuse(struct control *c, struct conn *k, json_int_t id, enum err e, const char *detail);
void control_notify(struct control *c, struct conn *k, const char *method, json_t *body);
void control_close(struct control *c, struct conn *k);

/* limits.c. limit_take: one of `per_min` that come back a minute, at most `burst` at once; false when none is
 * left: the refusal that follows says when to come again. */
bool limit_take(struct control *c, struct bucket *b, int per_min, int burst);
/* guess_take: one guess at a secret of a room, first of this address, so that nobody uses up what all have.
 * guess_give: it was right. */
bool guess_take(struct control *c, const struct conn *k, struct bucket *room, int per_min, int burst);
void guess_give(struct control *c, const struct conn *k, struct bucket *room);
bool addr_known(const uint8_t addr[16]);
bool addr_is_v4(const uint8_t addr[16]);
/* addr_network: how many bytes one host cannot choose: an address of IPv4, a /64 of IPv6. */
size_t addr_network(const uint8_t addr[16]);

/* hosted.c: rooms with their log and seats */
struct hosted *hosted_find(struct control *c, const char *name);
MUST_CHECK enum err hosted_load_all(struct control *c, char why[256]);
/* hosted_run: log, tell, apply, tell media; frees the events. */
void hosted_run(struct control *c, struct hosted *h, struct room_events *evs);
void hosted_reload(struct control *c, struct hosted *h);
void hosted_expire(struct control *c);
struct seat *hosted_seat(struct hosted *h, uint32_t member);
/* hosted_create: an empty room under `name`; stream NULL begins a new one in the log. */
struct hosted *hosted_create(struct control *c, const char *name, const char *stream);
void hosted_destroy(struct control *c, struct hosted *h);
/* hosted_forget: a room that is over, or never began, makes place for another of its name. */
void hosted_forget(struct control *c, struct hosted *h);
/* hosted_event: an event as it was logged; ERR_DB_CORRUPT. Free it with room_event_free. */
MUST_CHECK enum err hosted_event(const struct store_record *r, struct room_event *ev);

/* tell.c: who is told what of an event, and what it means for seats */
struct told {                 /* taken before the event is applied, told after */
  char by[TEXT_NAME_MAX + 1]; /* who did it, "" when it is not said */
  bool first;                 /* ADMITTED: he was never inside before */
};
void tell_event(struct control *c, struct hosted *h, const struct room_event *ev, struct told *t);
void tell_after(struct control *c, struct hosted *h, const struct room_event *ev, const struct told *t);
void tell_lobby_places(struct control *c, struct hosted *h);
/* tell_lost: a person's sound path is gone without his doing: his client makes a new one. */
void tell_lost(struct control *c, struct seat *s, enum err why, bool failed);

/* seat.c: joining and resuming */
void seat_join(struct control *c, struct conn *k, json_int_t id, const json_t *params);
void seat_dropped(struct control *c, struct conn *k);
/* seat_forget: the seat goes; its connection, if any, stays and has no seat. */
void seat_forget(struct control *c, struct hosted *h, struct seat *s);

/* seat_media.c: the media path of a seat */
void seat_media(struct control *c, struct conn *k, json_int_t id, const json_t *params);
/* seat_admitted: he is in, never before when `first`. seat_tell_admitted: all who came in with this act get
 * the room as it is now, the same message for all who see the same, and each his answer. */
void seat_admitted(struct hosted *h, struct seat *s, bool first);
void seat_tell_admitted(struct control *c, struct hosted *h);
/* seat_held: back in the lobby: his path ends at once, his client is told where he is. */
void seat_held(struct control *c, struct hosted *h, struct seat *s, const char *by, const char *reason);
/* seat_bits: tell the media thread where he is now and what he may. */
void seat_bits(struct control *c, struct hosted *h, struct seat *s);
void seat_drop_media(struct control *c, struct hosted *h, struct seat *s);
/* seat_answer: a new media path for this offer (an old one ends); the answer is malloc'd; NULL with *why. */
char *seat_answer(struct control *c, struct hosted *h, struct seat *s, const char *offer, const char **why);
/* seat_close_rooms: the media rooms numbered `from` and up are closed; nobody may be in them any more. */
void seat_close_rooms(struct control *c, struct hosted *h, unsigned from);

/* acts.c: room.<act> for members and the operator; admin methods */
void acts_call(struct control *c, struct conn *k, json_int_t id, const char *method, json_t *params);

/* acts_shell.c: what an act needs that the room cannot have: chance, secrets, addresses, the log. */
struct act_shell {
  struct invite invite;
  struct link link;
  struct secret secret;
  char code[16];
  struct cidr *cidrs; /* owned */
};
MUST_CHECK enum err act_shell_prepare(struct control *c, struct hosted *h, struct conn *k,
                                      struct room_cmd *cmd, const json_t *params, struct act_shell *x);
/* act_shell_reply: after the decision, before the events run. */
MUST_CHECK enum err act_shell_reply(struct control *c, struct hosted *h, const struct room_cmd *cmd,
                                    const struct act_shell *x, json_t *reply);
/* act_shell_after: once the events have run; what could not be done of the rest. */
MUST_CHECK enum err act_shell_after(struct control *c, struct hosted *h, const struct room_cmd *cmd);
void act_shell_free(struct act_shell *x);
void act_shell_invite(struct control *c, struct hosted *h, struct link *link, struct invite *inv);
void act_shell_link(const struct link *l, json_t *body, const char *key);
/* act_shell_password: is this the room's password? Counts the tries: ERR_BAD_PASSWORD, ERR_RATE. */
MUST_CHECK enum err act_shell_password(struct control *c, struct hosted *h, struct conn *k, const char *text);

/* attendance.c: who was in a room from when to when, from its log, as RFC 4180 CSV; malloc'd. What was read
 * is remembered, and only what is new is read the next time. attendance_forget: it may be wrong, or is done
 * with. */
MUST_CHECK enum err attendance_csv(struct control *c, struct hosted *h, char **csv);
void attendance_forget(struct control *c, struct hosted *h);

/* levels.c: what the media threads report. levels_qualities: whose line is not good, for those who have just
 * come in; NULL when all are. */
struct msg *levels_qualities(struct hosted *h);

#endif
