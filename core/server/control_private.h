/* control_private.h: what the files of the control plane share: the state itself. Nobody else includes it.
 *
 * A seat ties a member of a room to his connection and his media path; it outlives the connection for as long
 * as he may resume. */
#ifndef GAVEL_SERVER_CONTROL_PRIVATE_H
#define GAVEL_SERVER_CONTROL_PRIVATE_H

#include "core/base/map.h"
#include "core/room/room.h"
#include "core/server/control.h"
#include "core/server/outbox.h"
#include "core/wire/json.h"

#define RATE_ACTS_PER_S 20
#define RATE_ACTS_BURST 40
#define RATE_CHAT_PER_S 5
#define RATE_CHAT_BURST 10

struct bucket { /* token bucket in milli-tokens */
  int64_t level;
  us_t at;
};

struct seat {
  uint32_t member;
  struct conn *conn;       /* NULL while away */
  uint32_t peer;           /* media handle, 0 = none */
  bool may_send, may_hear; /* last told to the media thread */
  enum view view;          /* last synced */
  char *offer;             /* SDP that came with the knock; answered on admission */
  uint8_t quality;         /* of his line, as everyone was told: 0 good, 1 weak, 2 bad */
};
#define HOSTED_STREAM_MAX (TEXT_SLUG_MAX + 32)
struct hosted {
  struct room room;
  char stream[HOSTED_STREAM_MAX]; /* of the log */
  uint32_t handle;                /* of the media room */
  unsigned thread;
  bool media_open;
  struct map *seats; /* member id -> seat */
  bool touched;      /* has events in the open group */
};
struct conn {
  uint32_t handle;
  bool admin, closing, dirty, close_after;
  us_t opened_at;
  struct hosted *room; /* NULL before joining */
  struct seat *seat;
  struct outbox out;
  struct bucket acts, chat;
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
  us_t next_hello, next_expiry;
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
bool bucket_take(struct bucket *b, us_t now, int per_s, int burst);

/* hosted.c: rooms with their log, seats and broadcasts */
struct hosted *hosted_find(struct control *c, const char *name);
MUST_CHECK enum err hosted_load_all(struct control *c, char why[256]);
/* hosted_commit_events: log, apply, broadcast, tell media; frees the events. */
void hosted_run(struct control *c, struct hosted *h, struct room_events *evs);
void hosted_reload(struct control *c, struct hosted *h);
void hosted_expire(struct control *c);
struct seat *hosted_seat(struct hosted *h, uint32_t member);
/* hosted_create: an empty room under `name`; stream NULL begins a new one in the log. */
struct hosted *hosted_create(struct control *c, const char *name, const char *stream);
void hosted_destroy(struct control *c, struct hosted *h);
/* hosted_forget: a room that is over, or never began, makes place for another of its name. */
void hosted_forget(struct control *c, struct hosted *h);
void hosted_lobby_places(struct control *c, struct hosted *h);

/* seat.c: joining, resuming, the media path of a seat */
void seat_join(struct control *c, struct conn *k, json_int_t id, const json_t *params);
void seat_media(struct control *c, struct conn *k, json_int_t id, const json_t *params);
void seat_admitted(struct control *c, struct hosted *h, struct seat *s);
void seat_bits(struct control *c, struct hosted *h, struct seat *s);
void seat_drop_media(struct control *c, struct hosted *h, struct seat *s);
void seat_dropped(struct control *c, struct conn *k);

/* acts_qualities: whose line is not good, for one who has just come in. */
void acts_qualities(struct control *c, struct hosted *h, struct conn *k);

/* acts.c: room.<act> for members and the operator; admin methods */
void acts_call(struct control *c, struct conn *k, json_int_t id, const char *method, json_t *params);

#endif
