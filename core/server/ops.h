/* ops.h: what the operators' consoles ask (`gavel watch`): the feed of all rooms, one room in detail. Over
 * the 0600 socket, or over the operator's port after ops.sign_in with a session token.
 *
 * Invariant: content never leaves here: levels and figures only. Each method needs its scope: monitor:watch
 * for the feed; the 0600 socket has all. While nobody watches nothing is kept; while somebody does, work goes
 * to rooms in which something happened, never to idle ones. Thread: the control thread.
 *
 * docs/protocol.md section 7 has the methods and fields. */
#ifndef GAVEL_SERVER_OPS_H
#define GAVEL_SERVER_OPS_H

#include "core/server/control_private.h"

/* ops_call: true when `method` is one of ops.*; it has been answered then. */
bool ops_call(struct control *c, struct conn *k, json_int_t id, const char *method, json_t *params);
/* ops_forget: the connection is gone. */
void ops_forget(struct control *c, struct conn *k);
/* ops_tick: sends what is due; ops_next: when that is next, US_NEVER while nobody watches. */
void ops_tick(struct control *c);
us_t ops_next(const struct control *c);

/* ops_touch: something of a room's row may have changed. ops_gone: the room is over. ops_lost: what was sent
 * in this group is taken back: every console gets all rooms anew. ops_free: at the end. */
void ops_touch(struct control *c, struct hosted *h);
void ops_gone(struct control *c, struct hosted *h);
void ops_lost(struct control *c);
void ops_free(struct control *c);
/* ops_examined: rows looked at since the start. */
uint64_t ops_examined(const struct control *c);

#endif
