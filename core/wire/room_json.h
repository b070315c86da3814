/* room_json.h: room events and rooms as JSON, for the wire, the log and snapshots.
 *
 * Invariant: decode(encode(x)) == x for what the form carries. Two forms of an event: `wire` (a viewer's;
 * never holds user, device, resume or invite hash) and `log` (everything; personal content apart from the
 * rest, so that the store can seal and erase it). Pure; any thread. */
#ifndef GAVEL_WIRE_ROOM_JSON_H
#define GAVEL_WIRE_ROOM_JSON_H

#include "core/room/room.h"

#include <jansson.h>

/* How many messages a snapshot carries, besides the pinned one. */
#define ROOM_CHAT_SENT 100

/* room_event_to_wire: {"seq","ts","kind","actor",...}: targets as "who":[ids]; num/num2 only where the kind
 * uses them, under a speaking name; see docs/protocol-room.md. New reference. */
json_t *room_event_to_wire(const struct room_event *ev);
/* room_event_from_wire: into a zeroed event (room_event_free it). Tolerates unknown extra keys. */
MUST_CHECK enum err room_event_from_wire(const json_t *o, struct room_event *ev);

/* room_event_to_log: `data` holds no personal content; `payload` (may be NULL) holds names, texts, user,
 * device. New references. */
void room_event_to_log(const struct room_event *ev, json_t **data, json_t **payload);
/* room_event_from_log: seq, ts, actor, kind come from columns; payload may be NULL (erased): names become
 * "deleted user <id>", texts "". */
MUST_CHECK enum err room_event_from_log(uint64_t seq, int64_t ts_ms, uint32_t actor, const char *kind,
                                        const json_t *data, const json_t *payload, struct room_event *ev);

/* room_to_wire: the snapshot `viewer` may see (0, the operator: what a moderator may). room_from_wire: into
 * an initialised room; it replaces the content. A room that breaks an invariant is refused (ERR_BAD_ARG, the
 * room is then empty). */
json_t *room_to_wire(const struct room *r, uint32_t viewer);
MUST_CHECK enum err room_from_wire(const json_t *o, struct room *r);

/* room_cmd_from_params: params of method room.<act> into a command; which keys an act takes, and of which
 * type, follows from its row's `args` by ACT_PARAMS. Unknown keys are ERR_BAD_ARG. cmd->targets points into
 * `ids` (capacity n), cmd->text and cmd->word into `params`. The actor, and what the shell prepares (invite,
 * secret, cidrs), are the shell's to fill: room_invite_from_params reads what the params say of an invite
 * (role, bypass, uses, expires_ms). */
MUST_CHECK enum err room_cmd_from_params(enum act act, const json_t *params, struct room_cmd *cmd,
                                         uint32_t *ids, size_t n);
MUST_CHECK enum err room_invite_from_params(const json_t *params, struct invite *inv);
/* room_cmd_to_params: the reverse, for clients. New reference. */
json_t *room_cmd_to_params(const struct room_cmd *cmd);

#endif
