/* ops.h: what the operators' consoles ask (`gavel watch`): the feed of all rooms, one room in detail. Over
 * the 0600 socket, or over the operator's port after ops.sign_in with a session token.
 *
 * Invariant: content never leaves here: levels and figures only. Each method needs its scope: monitor:watch
 * for the feed; the 0600 socket has all. Thread: the control thread.
 *
 * Methods (docs/protocol.md has the fields):
 *   ops.sign_in {token}           -> {scopes, user}; three wrong ones end the connection
 *   ops.watch   {interval_ms?}    -> {server:{...}, rooms:[row...]}, then notifications `ops` {server:{...},
 *                                 rooms:[rows that changed], gone:[names]}, at most one each interval
 *   ops.unwatch {}
 *   ops.room    {room}            -> {room:{...}, people:[...]}: one room as an operator may see it */
#ifndef GAVEL_SERVER_OPS_H
#define GAVEL_SERVER_OPS_H

#include "core/server/control_private.h"

/* ops_call: true when `method` is one of the above; it has been answered then. */
bool ops_call(struct control *c, struct conn *k, json_int_t id, const char *method, const json_t *params);
/* ops_forget: the connection is gone. */
void ops_forget(struct control *c, struct conn *k);
/* ops_tick: sends what is due; ops_next: when that is next, US_NEVER while nobody watches. */
void ops_tick(struct control *c);
us_t ops_next(const struct control *c);

#endif
