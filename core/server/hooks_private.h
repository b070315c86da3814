/* hooks_private.h: what the files of hooks.h share. */
#ifndef GAVEL_SERVER_HOOKS_PRIVATE_H
#define GAVEL_SERVER_HOOKS_PRIVATE_H

#include "core/server/control_private.h"
#include "core/server/hooks.h"

#define HOOK_ID_MAX 21    /* "evt_" and 16 hex digits */

struct hook {
  struct hook *before, *after; /* all, oldest first */
  uint64_t id;
  char *room, *type, *body; /* room: its stream in the log, "" an alert's */
  uint8_t line[8];          /* hash of that: what is to stay in order */
  enum runner_target target;
  int64_t until_ms; /* then it is given up */
  us_t due;
  unsigned tries;
  bool kept, sent; /* in the database; on its way */
  bool stored;     /* is to be in the database at all */
  char said[144];  /* why it did not get there, the last time */
};
struct hooks {
  struct hook *first, *last;
  uint64_t last_id;
  unsigned at_work;
  us_t next, stuck_since; /* next: when there may be something to send */
  struct hooks_counters count;
};

/* hooks_of: the queue. hook_remove: it goes, from the database too. hook_name: "evt_...". */
struct hooks *hooks_of(struct control *c);
void hook_remove(struct control *c, struct hook *h);
void hook_name(uint64_t id, char out[HOOK_ID_MAX]);
bool hook_given_up(const struct control *c, const struct hook *h);
MUST_CHECK enum err hook_store(struct control *c, const struct hook *h);
/* hooks_event.c: the body of an event, NULL: it is none that is told. */
json_t *hook_event_body(const struct control *c, const struct hosted *h, const struct room_event *ev);

#endif
