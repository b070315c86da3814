/* outbox.h: messages on their way to connections: counted, shared by all who get the same one, held until the
 * commit. Invariant: an outbox never exceeds CONTROL_QUEUE_MAX messages or CONTROL_QUEUE_BYTES; beyond that
 * it is `overrun` and takes nothing. One thread. */
#ifndef GAVEL_SERVER_OUTBOX_H
#define GAVEL_SERVER_OUTBOX_H

#include "core/wire/json.h"

#include <stdbool.h>
#include <stddef.h>

struct msg {
  unsigned refs;
  size_t len;
  char *text;          /* inside the same block, after the headroom */
  json_int_t reply_to; /* request id this answers: on a failed commit it becomes an error; 0 otherwise */
};
/* msg_take: wrap malloc'd text (frees it). One reference. */
struct msg *msg_take(char *text);
void msg_unref(struct msg *m);

struct outbox {
  struct msg **v; /* FIFO of n, the first `ready` of which are released */
  size_t n, cap, ready, bytes;
  struct msg *current; /* handed to the shell */
  bool overrun;
};
/* outbox_put: adds a reference. False when overrun. */
bool outbox_put(struct outbox *o, struct msg *m);
void outbox_release(struct outbox *o);
/* outbox_revoke: drop what is held; returns the reply ids it would have answered through `each`. */
void outbox_revoke(struct outbox *o, void (*each)(void *ctx, json_int_t id), void *ctx);
/* outbox_next: the next released message (kept alive until the next call), NULL when none. */
struct msg *outbox_next(struct outbox *o);
void outbox_free(struct outbox *o);

#endif
