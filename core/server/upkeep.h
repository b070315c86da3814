/* upkeep.h: a server that is to be emptied: drain (nobody new comes in, rooms go on) and maintenance (planned
 * for a time: everyone is told, the door closes some minutes before, then all are sent away until it ends).
 *
 * Invariant: a planned maintenance is in the database and survives a restart; a drain does not. Who is inside
 * may resume until the maintenance begins. Thread: the control thread.
 *
 * Methods of the operator: server.drain {undo?}, server.maintenance_start {at, for?, before?, text?} (at:
 * +30m, 18:00 or RFC 3339, all UTC; for, before: seconds), server.maintenance_cancel,
 * server.maintenance_show. Notification to all: maintenance {at_ms, until_ms, text}; at_ms 0: it does not
 * take place. */
#ifndef GAVEL_SERVER_UPKEEP_H
#define GAVEL_SERVER_UPKEEP_H

#include "core/base/text.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct control;
struct conn;
struct upkeep {
  bool draining;
  int64_t at_ms, until_ms, door_ms; /* wall time; at_ms 0: none is planned. door: nobody new from then on */
  char text[TEXT_LINE_MAX + 1];
  bool told_door, sent_away;
};

/* upkeep_load: what was planned, as the database has it. */
void upkeep_load(struct control *c);
/* upkeep_admits: may somebody new, or who `resumes`, come in now? ERR_DRAINING, and c->retry_ms says when;
 * `words` (NULL: not wanted) what he is told. */
enum err upkeep_admits(struct control *c, bool resumes, char words[320]);
bool upkeep_drains(const struct control *c);
/* upkeep_state: "draining" or "maintenance" while nobody new is taken, else "". */
const char *upkeep_state(const struct control *c);
/* upkeep_greet: who came in hears what is planned. */
void upkeep_greet(struct control *c, struct conn *k);
void upkeep_tick(struct control *c);
int64_t upkeep_next_ms(const struct control *c); /* wall time, INT64_MAX: never */

/* The operator's methods; upkeep_at: when `text` is, from now_ms; 0: no time that can be read. */
void upkeep_drain_call(struct control *c, struct conn *k, json_int_t id, json_t *params);
void upkeep_start_call(struct control *c, struct conn *k, json_int_t id, json_t *params);
void upkeep_cancel_call(struct control *c, struct conn *k, json_int_t id, json_t *params);
void upkeep_show_call(struct control *c, struct conn *k, json_int_t id, json_t *params);
int64_t upkeep_at(const char *text, int64_t now_ms);

#endif
