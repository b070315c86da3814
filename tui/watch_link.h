/* watch_link.h: `gavel watch` and its server: connecting, signing in, asking for the feed, doing all that
 * again after a loss. What both its front ends share.
 *
 * Invariant: the token is sent only over a checked TLS connection, or not at all (the 0600 socket asks for
 * none). Thread: main; signing in may wait for a refreshed session. */
#ifndef GAVEL_TUI_WATCH_LINK_H
#define GAVEL_TUI_WATCH_LINK_H

#include "core/base/clock.h"
#include "core/session/ops_client.h"
#include "tui/options.h"

#define WATCH_AGAIN_MAX_S 30             /* between two attempts */
#define WATCH_SILENCE_US (15 * US_PER_S) /* a server that owes an answer, and then is lost */

struct watch_link {
  struct options *o; /* borrowed: token, interval */
  struct ops_client *client;
  struct link ops, home;        /* the operators' port; where clients join and sign in, host "": not known */
  bool tls, live, wanted, ever; /* live: may ask; wanted: the feed is; ever: it was live once */
  us_t again_at;                /* US_NEVER: nothing to retry */
  us_t heard_at;                /* the server; 0: it is asked only now */
  unsigned tries;
  json_int_t signing, informing, watching, asking, whispering; /* ids of open requests, 0: none */
};
struct watch_event {
  enum {
    WATCH_EV_LIVE,    /* connected and signed in */
    WATCH_EV_FEED,    /* params: an answer of ops.watch (`whole`) or a notification */
    WATCH_EV_ROOM,    /* params: an answer of ops.room */
    WATCH_EV_SAID,    /* the whisper has arrived */
    WATCH_EV_REFUSED, /* of a room or a whisper: why, text */
    WATCH_EV_LOST     /* why, text; `final`: trying again would not help */
  } kind;
  const json_t *params; /* borrowed from root */
  json_t *root;         /* json_decref it */
  bool whole, final;
  enum err why;
  char text[256];
};
/* watch_link_open: reads the target (options.h) and begins to connect. EXIT_LEFT, or with `why` EXIT_USAGE
 * (it is no server) or EXIT_REFUSED (nobody is signed in there). */
MUST_CHECK enum exit_code watch_link_open(struct watch_link *l, struct options *o, char why[256]);
/* watch_link_poll: the next event; false when there is none now. watch_link_next: when it wants to be polled
 * although nothing came. */
bool watch_link_poll(struct watch_link *l, us_t now, struct watch_event *ev);
us_t watch_link_next(const struct watch_link *l);
int watch_link_fd(const struct watch_link *l);
/* watch_link_want: the feed is wanted, or is not (the display pauses). watch_link_room: asks for one room,
 * unless an answer is still awaited. watch_link_whisper: to the hosts of a room. */
void watch_link_want(struct watch_link *l, bool on);
void watch_link_room(struct watch_link *l, const char *room);
void watch_link_whisper(struct watch_link *l, const char *room, const char *text);
void watch_link_close(struct watch_link *l);

#endif
