/* monitor.h: operators who listen in. Announced: a member of role MONITOR, in the roster, with a line of the
 * chat and two tones when it begins and ends. In silence: no member at all, only a path that hears.
 *
 * Invariant: who listens in silence is in no event, snapshot, count or list of the room, and a CSRC list
 * names who speaks, which he cannot; he is there only while every condition of monitor_claim holds and the
 * audit log has it. Nobody who listens sends, acts or is metered. Thread: the control thread.
 *
 * Docs: docs/protocol.md section 7. */
#ifndef GAVEL_SERVER_MONITOR_H
#define GAVEL_SERVER_MONITOR_H

#include "core/server/control_private.h"
#include "core/server/seat_private.h"

/* ---- monitor.c: who may ---- */

/* monitor_claim: a room.join with "monitor": every condition, and then who he is and which room it is into
 * the join. ERR_BAD_ARG, ERR_SCOPE, ERR_NO_ROOM, ERR_MONITOR_*, ERR_SILENT_*; ERR_SILENT_APPROVAL has entered
 * the wish: monitor_wish is what goes with the refusal. */
MUST_CHECK enum err monitor_claim(struct control *c, struct conn *k, struct join *j);
json_t *monitor_wish(const struct control *c, const struct join *j);
/* monitor_approve: `by` is the pid of an operator, "" at the socket. ERR_NOTHING, ERR_NOT_SELF. */
MUST_CHECK enum err monitor_approve(struct control *c, const char *by, int64_t number);
json_t *monitor_approvals(const struct control *c);

/* ---- monitor_listen.c: those who do ---- */

/* monitor_announced: the join of a claim for mode listen was done. monitor_silent: the rest of a claim for
 * mode silent, its answer too. */
void monitor_announced(struct control *c, const struct join *j);
void monitor_silent(struct control *c, struct conn *k, json_int_t id, struct join *j);
/* monitor_listens: does this connection listen in silence? monitor_call: then this method has been answered;
 * false: it is about his path, or a ping, and goes where those of others go. */
bool monitor_listens(const struct conn *k);
bool monitor_call(struct control *c, struct conn *k, json_int_t id, const char *method);
/* monitor_seat: the i-th of those who listen to this room in silence; NULL: there are no more.
 * monitor_seat_of: by his media path. */
struct seat *monitor_seat(const struct control *c, const struct hosted *h, size_t i);
struct seat *monitor_seat_of(const struct control *c, uint32_t peer);
/* monitor_ran: events of the room have run: monitors have come or gone, it is said and sounded; who listened
 * in silence to a room that is over goes. monitor_dropped: his connection is gone. */
unsigned monitor_announced_in(const struct room *r); /* monitors inside */
void monitor_ran(struct control *c, struct hosted *h);
void monitor_dropped(struct control *c, struct conn *k);
/* monitor_recheck: the rules are others. monitor_lost: a group was lost, and perhaps with it what the audit
 * log had of those who listen in silence, or of an approval: they go, and what was wished. */
void monitor_recheck(struct control *c);
void monitor_lost(struct control *c);
/* monitor_restarted: a room as the log has it, at start: operators who listened to it are gone, they say anew
 * why. monitor_stop: the server goes down: everybody's end is written down. */
void monitor_restarted(struct control *c, struct hosted *h);
void monitor_stop(struct control *c);
/* monitor_tick: what is over by time, or holds no longer. monitor_next: when to look again. */
void monitor_tick(struct control *c);
us_t monitor_next(const struct control *c);
/* monitor_notice: a word to who has just come in, if there are monitors. */
void monitor_notice(struct control *c, struct conn *k, const struct hosted *h);
/* monitor_whisper: a private message to the hosts, `from` member, 0 the operator. */
MUST_CHECK enum err monitor_whisper(struct control *c, struct hosted *h, uint32_t from, const char *text,
                                    json_t **reply);
/* monitor_whisper_call: ops.whisper {text} of somebody who listens, announced, from inside. */
void monitor_whisper_call(struct control *c, struct conn *k, json_int_t id, const json_t *params);
/* monitor_list: of a room, NULL: of all. */
json_t *monitor_list(const struct control *c, const struct hosted *h);
size_t monitor_count(const struct control *c);
void monitor_free(struct control *c);

/* ---- what both files share ---- */

struct wish { /* silent listening that needs another operator's word */
  struct wish *next;
  int64_t number;
  json_int_t minutes;
  us_t ends;
  char room[HOSTED_NAME_MAX + 1], pid[ACCESS_PID_MAX + 1], user[ACCESS_USER_MAX + 1];
  char reason[MONITOR_REASON_MAX + 1], ticket[MONITOR_TICKET_MAX + 1];
  bool approved;
  char by[ACCESS_PID_MAX + 1]; /* "" from the socket */
};
struct listener {
  struct listener *next;
  uint32_t id;
  struct hosted *h;
  struct seat *seat; /* of his own when silent, else NULL */
  struct conn *conn; /* of who listens in silence */
  uint32_t member;   /* of who is announced */
  struct grant grant;
  char reason[MONITOR_REASON_MAX + 1], ticket[MONITOR_TICKET_MAX + 1], by[ACCESS_PID_MAX + 1];
  int64_t since_ms, ends_ms;
  us_t since, ends; /* whatever the wall clock does */
};
struct monitor {
  struct wish *wishes;
  struct listener *listeners;
  uint32_t last;
  us_t check_at; /* when the conditions are looked at again */
};
struct monitor *monitor_state(struct control *c);
/* monitor_wish_take: the approved wish is used up; its approver into by. */
void monitor_wish_take(struct control *c, const struct join *j, char by[ACCESS_PID_MAX + 1]);
void monitor_wishes_drop(struct control *c);
/* monitor_room_allows: what of the conditions is about the room and the server. */
MUST_CHECK enum err monitor_room_allows(struct control *c, const struct hosted *h);

#endif
