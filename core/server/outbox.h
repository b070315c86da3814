/* outbox.h: messages on their way to connections: counted, shared by all who get the same one, held until the
 * commit. It takes all that is said in a turn: whose socket takes nothing is closed when it is long
 * (control.c). One thread. */
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
  struct msg **v; /* FIFO of n from `first` on, the first `ready` of which are released */
  size_t first, n, cap, ready, bytes;
  struct msg *current; /* handed to the shell */
};
/* outbox_put: adds a reference. outbox_is_long: more than CONTROL_QUEUE_MAX messages or CONTROL_QUEUE_BYTES,
 * so many times over. */
void outbox_put(struct outbox *o, struct msg *m);
bool outbox_is_long(const struct outbox *o, unsigned times);
void outbox_release(struct outbox *o);
/* outbox_revoke: drop what is held; returns the reply ids it would have answered through `each`. */
void outbox_revoke(struct outbox *o, void (*each)(void *ctx, json_int_t id), void *ctx);
/* outbox_next_size: the bytes of the next released message, 0 when there is none. */
size_t outbox_next_size(const struct outbox *o);
/* outbox_next: the next released message (kept alive until the next call), NULL when none. */
struct msg *outbox_next(struct outbox *o);
void outbox_free(struct outbox *o);

#endif
