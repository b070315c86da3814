/* ops_private.h: what ops.c (consoles), ops_feed.c (who gets which rows when) and ops_row.c (what is in a
 * row, of a room, of the server) share. */
#ifndef GAVEL_SERVER_OPS_PRIVATE_H
#define GAVEL_SERVER_OPS_PRIVATE_H

#include "core/server/mediaport.h"
#include "core/server/ops.h"

#define OPS_INTERVAL_MS 1000
#define OPS_INTERVAL_LEAST_MS 250
#define OPS_INTERVAL_MOST_MS 10000
#define OPS_LOBBY_LATE_MS 300000
#define LOOK_MOST 500             /* rows that are looked at at once, so that nobody waits for it */
#define LOOK_US (100 * US_PER_MS) /* and then not for so long */
#define GONE_MAX 10000            /* rooms that are over, which somebody has not been told */

struct console { /* of a connection that has asked something of ops.* */
  struct conn *conn;
  struct grant grant;               /* of who signed in; of the 0600 socket empty */
  char looked[HOSTED_NAME_MAX + 1]; /* the room ops.room was about last */
  unsigned wrong;                   /* tokens */
  us_t interval, next;              /* next: US_NEVER while it does not watch */
  uint64_t seen;                    /* the version it has; 0: none, it gets all rooms */
  struct console *after;            /* of those that watch */
};
struct ops_row {
  struct timer timer; /* first: when time alone changes it */
  struct hosted *h;   /* NULL: over */
  json_t *json;       /* as it was last; NULL not yet */
  uint64_t version;
  unsigned people, waiting, away;
  bool stale;
  struct ops_row *next_stale, *older, *newer; /* by version */
};
struct ops_gone {
  char name[HOSTED_NAME_MAX + 1];
  uint64_t version;
};
struct ops {
  struct console *watching;
  size_t n_watching;
  uint64_t version, revision, examined;
  struct ops_row *stale, **stale_end, *newest; /* stale: who has waited longest first */
  us_t look_at;                                /* not before then */
  bool behind;                                 /* there were more than are looked at at once */
  struct timers timers;                        /* of rows */
  struct ops_gone *gone;
  size_t n_gone, cap_gone;
  unsigned people, waiting, away;
  /* of the server's figures that are rates: what they were at `at` */
  us_t at;
  int64_t cpu_us;
  struct mediaport_counters media;
  unsigned in_s, out_s, cpu_permille;
};

/* ops.c: ops_recheck: whose session has ended has no console any more. */
void ops_recheck(struct control *c);

/* ops_feed.c */
struct ops *ops_state(struct control *c);
/* feed_watch: begins, and all rooms as they are now; feed_stop: no more. */
json_t *feed_watch(struct control *c, struct console *w, us_t interval);
void feed_stop(struct control *c, struct console *w);

/* ops_row.c. ops_row_json: a new reference; *due_ms: wall time at which it changes by itself, INT64_MAX
 * never. */
json_t *ops_row_json(const struct control *c, const struct hosted *h, int64_t *due_ms);
json_t *ops_people_json(const struct control *c, struct hosted *h);
json_t *ops_server_json(struct control *c);

#endif
