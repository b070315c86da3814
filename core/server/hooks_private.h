/* hooks_private.h: what the files of hooks.h share. */
#ifndef GAVEL_SERVER_HOOKS_PRIVATE_H
#define GAVEL_SERVER_HOOKS_PRIVATE_H

#include "core/server/control_private.h"
#include "core/server/hooks.h"

#define HOOK_ID_MAX 21 /* "evt_" and 16 hex digits */
/* Events of rooms on their way at once: the runner's other places are the alerts' and the watched servers'.
 */
#define HOOKS_AT_ONCE (RUNNER_AT_ONCE - 2)

struct hook {
  struct hook *before, *after; /* all, oldest first */
  struct hook *next;           /* of its line */
  struct hook_line *line;      /* NULL: given up, or gone */
  uint64_t id;
  char *room, *type, *body; /* room: its stream in the log, "" an alert's */
  enum runner_target target;
  int64_t until_ms; /* then it is given up */
  us_t due;
  unsigned tries;
  bool stored, kept, sent; /* is to be in the database; is there; on its way */
  char said[144];          /* why it did not get there, the last time */
};
/* What is to stay in order: of a room, or an alert's endpoint. Only its first is looked at, when it is due.
 */
struct hook_line {
  struct timer timer; /* first, so that it leads back here */
  uint8_t key[16];
  struct hook *first, *last;
};
struct hooks {
  struct hook *first, *last;
  struct hook *gone;    /* done with in this group: back again if it is lost */
  struct map *lines;    /* key -> line; those that have something */
  struct timers due[2]; /* of lines: alerts, events; they do not wait for each other */
  struct hook *at_work[RUNNER_AT_ONCE];
  unsigned n_events; /* of those */
  uint64_t last_id;
  us_t busy_until; /* the runner takes nothing before */
  us_t stuck_since;
  struct hooks_counters count;
};

/* hooks_of: the queue. hook_name: "evt_...". hook_store: into the database, as it is now. */
struct hooks *hooks_of(struct control *c);
void hook_name(uint64_t id, char out[HOOK_ID_MAX]);
void hook_store(struct control *c, const struct hook *h);

/* hooks_queue.c. hook_link: into the list and its line, by its id. hook_wait: into its line again, or at
 * another time. hook_give_up: out of its line. hook_sent, hook_returned: it is on its way, or not any more.
 * hook_unlink: out of the list, its line and what is on its way. hook_remove: it goes, with the open group
 * from the database too. */
void hook_link(struct hooks *q, struct hook *h);
void hook_wait(struct hooks *q, struct hook *h, us_t due);
void hook_give_up(struct hooks *q, struct hook *h);
void hook_remove(struct control *c, struct hook *h);
void hook_sent(struct hooks *q, struct hook *h);
void hook_returned(struct hooks *q, struct hook *h);
void hook_free(struct hook *h);
void hook_unlink(struct hooks *q, struct hook *h);

/* hooks_event.c: the body of an event, NULL: it is none that is told. */
json_t *hook_event_body(const struct control *c, const struct hosted *h, const struct room_event *ev);

#endif
