/* control_private.h: what the files of the control plane share: the state itself. Nobody else includes it.
 *
 * A seat ties a member of a room to his connection and his media path; it outlives the connection for as long
 * as he may resume. */
#ifndef GAVEL_SERVER_CONTROL_PRIVATE_H
#define GAVEL_SERVER_CONTROL_PRIVATE_H

#include "core/access/access.h"
#include "core/base/map.h"
#include "core/base/timers.h"
#include "core/room/room.h"
#include "core/server/control.h"
#include "core/server/limits.h"
#include "core/server/metrics.h"
#include "core/server/outbox.h"
#include "core/server/upkeep.h"
#include "core/wire/json.h"

#define WRONG_PASSWORDS_MAX 5             /* of one connection, then it is closed */
#define CONTROL_SLEEP_MS INT64_C(3600000) /* then the wall clock is looked at again */
#define HISTORY_MAX 100
#define ATTENDANCE_FOLDS_MAX 8 /* rooms whose attendance is remembered */

/* What the media thread is told of a person. */
struct seat_bits {
  uint32_t room; /* handle */
  bool may_send, may_hear, priority;
  int8_t gain_db;
  uint16_t kbps; /* his wish */
};
/* Just admitted, and not told yet: he sees what all such see, or something of his own too. */
enum fresh { FRESH_NOT, FRESH_NEW, FRESH_OWN };
/* How his line is, as the media thread reported it last, and sums, of the worse direction each, weighted by
 * the time they are about (n; n_mos, n_burst: of the time that had one). */
struct seat_line {
  us_t at; /* of the last report of his present path, 0: none yet */
  enum media_tier tier;
  uint8_t copies;
  struct media_stats last;
  uint64_t n, loss_percent, jitter_ms, rtt_ms, concealed_percent, frozen, kbps;
  uint64_t n_mos, mos_tenths, n_burst, burst_ms;
  unsigned better; /* reports in a row that were better than what all were told */
  us_t asked_at;   /* when his path was asked for */
  uint32_t join_ms;
};
struct seat {
  uint32_t member;
  struct conn *conn;     /* NULL while away */
  uint32_t peer;         /* media handle, 0 = none */
  unsigned thread;       /* where it is */
  struct seat_bits told; /* last told to the media thread */
  uint16_t kbps;         /* the most he wants to get, 0: what his line carries */
  bool turn;             /* his client says: by a relay */
  enum view view;        /* last synced */
  char *offer;           /* SDP that came with the knock; answered on admission, kept until his path is up */
  enum fresh fresh;
  struct bucket shown; /* acts that all see */
  struct bucket resumes;
  struct bucket relays; /* credentials for them */
  uint8_t quality;      /* of his line, as everyone was told: 0 good, 1 weak, 2 bad (lines.c) */
  struct seat_line line;
  uint8_t addr[16];   /* of his last connection, zero when unknown: what a ban can hold on to */
  struct grant grant; /* by what he came in: seat_claim */
};
#define HOSTED_NAME_MAX                                                                                      \
  (ACCESS_APP_MAX + 1 + TEXT_SLUG_MAX) /* of a room: APP/ROOM, or ROOM of the server's own */
#define HOSTED_STREAM_MAX (HOSTED_NAME_MAX + 32)
#define MEETINGS_MAX 64
struct meetings { /* personal.c: when the last person left, each time, as far as it matters */
  int64_t end_ms[MEETINGS_MAX];
  size_t n;
  bool inside;               /* somebody is here, away, or waits */
  us_t from;                 /* not looked at before */
  struct access_purged kept; /* what is gone already */
};
struct hosted {
  struct timer timer; /* first, so that it leads back here: what time alone brings */
  struct room room;
  char app[ACCESS_APP_MAX + 1];   /* whose room it is, "" the server's own */
  char name[HOSTED_NAME_MAX + 1]; /* with the application: what the operator calls it */
  char stream[HOSTED_STREAM_MAX]; /* of the log */
  us_t calm_at;     /* who comes and goes before that is told then, all at once: see tell_event */
  us_t empty_at;    /* since when a room made by joining has nobody in it; 0: it has, or it is none */
  unsigned thread;  /* of its media rooms */
  unsigned peers;   /* sound paths of its people: while there are any, the thread stays */
  unsigned at_home; /* of them, how many on that thread */
  uint32_t edges[ROOM_SIDES_MAX + 1]; /* by media room, the other threads that help: a set of 1 << thread */
  uint32_t media[ROOM_SIDES_MAX + 1]; /* handles: the main room, then side rooms by number; 0: not open */
  struct map *seats;                  /* member id -> seat */
  bool touched;                       /* has events in the open group */
  bool fresh;                         /* some seat is */
  bool absent; /* someone may be here without a connection, because his drop was not recorded */
  struct bucket passwords, new_passwords, claims, reports, joins;
  struct invite_joins { /* of each invite that was used since the start */
    uint64_t invite;
    struct bucket left;
  } * invite_joins;
  size_t n_invite_joins;
  struct meetings meetings;
  int64_t inside_ms; /* since when somebody has been inside without a break, 0: nobody is */
  unsigned monitors; /* announced, as was said */
  struct heard *heard[ROOM_SIDES_MAX + 1]; /* who is, by media room; NULL: nobody ever was (levels.c) */
  struct ops_row *row;                     /* of the operators' feed; NULL while nobody watches */
  struct stays *stays;                     /* attendance.c: as far as the log was read, or NULL */
};
struct conn {
  uint32_t handle;
  struct whip *whip; /* WHIP or WHEP: no socket, nobody reads what it is told; NULL: it has one */
  bool admin, closing, dirty, close_after;
  uint32_t probe;      /* media handle of his probe, 0: none */
  bool ops;            /* on the operator's port; may do nothing before ops.sign_in */
  unsigned ops_scopes; /* what he may there, enum scope; admin: everything */
  bool urgent, held;   /* of what waits: something may not wait; nothing may leave before control.held_at */
  uint8_t addr[16];    /* IPv4 as ::ffff:a.b.c.d; zero when unknown */
  us_t opened_at;
  uint64_t late_at;        /* the turn in which he is late with his room.join, 0: not yet */
  struct console *console; /* of ops.*, NULL: asked nothing of it yet */
  struct hosted *room;     /* NULL before joining */
  struct seat *seat;
  struct outbox out;
  bool tunnel;             /* his sound may come in binary messages */
  struct bucket datagrams; /* of them */
  struct bucket acts, moderates, chat, chat_minute;
  uint16_t close_code;       /* of WebSocket; 0: 1000 */
  unsigned wrong;            /* passwords */
  enum media_tier told_tier; /* what he knows to get: first what all begin with; TIER_N: who knows */
  uint8_t told_copies;
};
struct web;
struct control {
  struct control_config cfg;
  struct web *web;   /* web.c: replies and logins of plain HTTPS; NULL before the first */
  struct map *whips; /* web_whip.c: sessions by their names; NULL before the first */
  uint32_t probes;   /* media room of those who probe, while there are any */
  unsigned n_probes;
  struct access *access;
  struct ops *ops;         /* ops_feed.c; NULL: nobody has watched yet */
  struct monitor *monitor; /* monitor.c; NULL: nobody has listened yet */
  uint64_t revision;       /* of the grants, as last looked at */
  us_t now, started_at;
  int64_t wall_ms;
  struct map *rooms;       /* hash of the name -> hosted */
  struct map *media_rooms; /* media handle -> hosted */
  struct map *conns;       /* handle -> conn */
  struct map *peers;       /* media handle -> struct peer_ref */
  struct map *seats_of;    /* hash of the user -> how many seats he has, here or away */
  uint32_t last_conn, last_room, last_peer;
  unsigned threads_load[CONTROL_THREADS_MAX];
  struct conn **dirty;
  size_t n_dirty, cap_dirty;
  struct hosted **touched;
  size_t n_touched, cap_touched;
  struct upkeep upkeep;
  struct hooks *hooks; /* NULL before the first */
  struct alerts alerts;
  enum err commit_err; /* of the last group that had anything in it, at committed_at */
  us_t committed_at;
  enum err group_err; /* why the open group cannot be committed */
  us_t next_hello;
  uint64_t turns;                             /* that have ended */
  us_t held_at;                               /* when what waits for company leaves; US_NEVER: nothing does */
  struct timers expiry;                       /* of hosted rooms */
  int retry_ms;                               /* how long what was limited last has to wait */
  struct limit_book *book;                    /* of addresses */
  struct hosted *stays[ATTENDANCE_FOLDS_MAX]; /* the one asked for last at the end */
  size_t n_stays;
  struct control_counters count;
  struct metrics_observed observed[METRICS_HISTOGRAMS];
};
struct peer_ref { /* finds the seat of a media event */
  struct hosted *room;
  uint32_t member;
};

/* control.c */
void control_send(struct control *c, struct conn *k, struct msg *m);
/* control_send_later: it may wait until `at`, for company. */
void control_send_later(struct control *c, struct conn *k, struct msg *m, us_t at);
void control_reply(struct control *c, struct conn *k, json_int_t id, json_t *body);
void control_refuse(struct control *c, struct conn *k, json_int_t id, enum err e, const char *detail);
/* control_refuse_with: the same, and `more` (stolen, may be NULL) in the error's data. */
void control_refuse_with(struct control *c, struct conn *k, json_int_t id, enum err e, const char *detail,
                         json_t *more);
void control_notify(struct control *c, struct conn *k, const char *method, json_t *body);
void control_close(struct control *c, struct conn *k);

/* limits.c. limit_take: one more, by the row of limits.def; false when none is left: the row's counter has
 * grown, and the refusal that follows says when to come again. limit_take_set: by what the configuration
 * says, 0: always. */
bool limit_take(struct control *c, struct bucket *b, enum limit what);
bool limit_take_set(struct control *c, struct bucket *b, enum limit what, unsigned per_min);
/* guess_take: one guess at a secret of a room, first of this address, so that nobody uses up what all have.
 * guess_give: it was right. */
bool guess_take(struct control *c, const struct conn *k, struct bucket *room, enum limit what);
void guess_give(struct control *c, const struct conn *k, struct bucket *room);

/* hosted.c: rooms with their log and seats */
struct hosted *hosted_find(struct control *c, const char *name);
/* hosted_name: APP/ROOM. hosted_make: a room of an application that begins now: ERR_BAD_NAME, ERR_FULL. */
void hosted_name(const char *app, const char *room, char out[HOSTED_NAME_MAX + 1]);
MUST_CHECK enum err hosted_make(struct control *c, const char *app, const char *room, bool lobby,
                                struct hosted **out);
MUST_CHECK enum err hosted_load_all(struct control *c, char why[256]);
/* hosted_run: log, tell, apply, tell media; frees the events. */
void hosted_run(struct control *c, struct hosted *h, struct room_events *evs);
void hosted_reload(struct control *c, struct hosted *h);
void hosted_expire(struct control *c);
struct seat *hosted_seat(struct hosted *h, uint32_t member);
/* hosted_create: an empty room under `name` (with its application); stream NULL begins a new one in the log.
 */
struct hosted *hosted_create(struct control *c, const char *name, const char *stream);
void hosted_destroy(struct control *c, struct hosted *h);
/* hosted_forget: a room that is over, or never began, makes place for another of its name. */
void hosted_forget(struct control *c, struct hosted *h);
/* hosted_event: an event as it was logged; ERR_DB_CORRUPT. Free it with room_event_free. */
MUST_CHECK enum err hosted_event(const struct store_record *r, struct room_event *ev);

/* levels.c. hosted_talkers: how many are heard now; hosted_talks: is he, and how loud (-dBov)? hosted_quiet:
 * nobody is in the media rooms numbered `from` and up. */
unsigned hosted_talkers(const struct hosted *h);
bool hosted_talks(const struct hosted *h, uint32_t member, uint8_t *level);
void hosted_quiet(struct hosted *h, unsigned from);

/* hosted_rebuild: from the log, which has lost something; who is here gets the room as it is now. */
void hosted_rebuild(struct control *c, struct hosted *h);

/* personal.c: what of a room is personal: whose, and until when. personal_subject: of whom the content of an
 * event tells, before it is applied: pid, "" nobody or several. personal_deleted: what an event says is
 * deleted goes from the log too, before it is applied. */
void personal_subject(const struct control *c, const struct room *r, const struct room_event *ev,
                      char pid[ROOM_PID_MAX + 1]);
MUST_CHECK enum err personal_deleted(struct control *c, const struct hosted *h, const struct room_event *ev);
/* personal_watch: after each event: has a meeting ended? personal_due_ms: wall time at which something has to
 * go because of that (INT64_MAX: never); personal_purge: it goes. */
void personal_watch(struct meetings *m, const struct room *r, int64_t ts_ms);
int64_t personal_due_ms(const struct control *c, const struct hosted *h);
void personal_purge(struct control *c, struct hosted *h);
/* personal_shared: what was said of several people, one of them he, and under nobody's key; and bans by his
 * name. Part of the group. */
MUST_CHECK enum err personal_shared(struct control *c, const char *pid, const char *user, json_t *streams);

/* tell.c: who is told what of an event, and what it means for seats */
struct told {                 /* taken before the event is applied, told after */
  char by[TEXT_NAME_MAX + 1]; /* who did it, "" when it is not said */
  bool first;                 /* ADMITTED: he was never inside before */
};
void tell_event(struct control *c, struct hosted *h, const struct room_event *ev, struct told *t);
void tell_after(struct control *c, struct hosted *h, const struct room_event *ev, const struct told *t);
void tell_lobby_places(struct control *c, struct hosted *h);
/* tell_lost: a person's sound path is gone without his doing: his client makes a new one. */
void tell_lost(struct control *c, struct seat *s, enum err why, bool failed);

/* seat.c: joining and resuming */
void seat_join(struct control *c, struct conn *k, json_int_t id, const json_t *params);
void seat_dropped(struct control *c, struct conn *k);
/* seats_recheck: whoever has no right to his seat any more leaves (seat_grant.c). */
void seats_recheck(struct control *c);
/* seat_address: one more comes anew from his address; ERR_RATE: too many, or it is shut out (then the
 * connection ends). */
MUST_CHECK enum err seat_address(struct control *c, struct conn *k);
/* seat_claim: whose seat it is from now on, "" of a guest; g NULL: nobody's. seats_of: how many he has. */
void seat_claim(struct control *c, struct seat *s, const struct grant *g);
unsigned seats_of(const struct control *c, const char *user);
/* seat_forget: the seat goes; its connection, if any, stays and has no seat. */
void seat_forget(struct control *c, struct hosted *h, struct seat *s);

/* seat_media.c: the media path of a seat */
void seat_media(struct control *c, struct conn *k, json_int_t id, const json_t *params);
void seat_bandwidth(struct control *c, struct conn *k, json_int_t id, const json_t *params);
/* seat_tunnel.c: media.tunnel, media.via; by what his sound comes: "udp", "tcp", "turn", "tunnel" or "". */
void seat_tunnel(struct control *c, struct conn *k, json_int_t id, const json_t *params);
void seat_via(struct control *c, struct conn *k, json_int_t id, const json_t *params);
const char *seat_via_text(const struct seat *s);
void seat_ice(struct control *c, struct conn *k, json_int_t id, const json_t *params);
/* seat_relays: what media.ice answers him. Their log shows one name a seat, and not whose. */
json_t *seat_relays(struct control *c, const struct conn *k);
/* seat_answer_text: the answer to an offer on a media thread, and what that thread has to know; malloc'd,
 * NULL with *why. */
char *seat_answer_text(struct control *c, const struct sdp *offer, unsigned thread,
                       struct media_peer_params *params, const char **why);
/* seat_admitted: he is in, never before when `first`. seat_tell_admitted: all who came in with this act get
 * the room as it is now, the same message for all who see the same, and each his answer. */
void seat_admitted(struct hosted *h, struct seat *s, bool first);
void seat_tell_admitted(struct control *c, struct hosted *h);
/* seat_held: back in the lobby: his path ends at once, his client is told where he is. */
void seat_held(struct control *c, struct hosted *h, struct seat *s, const char *by, const char *reason);
/* seat_bits: tell the media thread where he is now and what he may. */
void seat_bits(struct control *c, struct hosted *h, struct seat *s);
void seat_drop_media(struct control *c, struct hosted *h, struct seat *s);
/* seat_answer: a new media path for this offer (an old one ends); the answer is malloc'd; NULL with *why. */
char *seat_answer(struct control *c, struct hosted *h, struct seat *s, const char *offer, const char **why);
/* seat_close_rooms: the media rooms numbered `from` and up are closed; nobody may be in them any more. */
void seat_close_rooms(struct control *c, struct hosted *h, unsigned from);

/* probe.c: media.probe; probe_forget: the connection goes, or joins. */
void probe_call(struct control *c, struct conn *k, json_int_t id, const json_t *params);
void probe_forget(struct control *c, struct conn *k);

/* acts.c: room.<act> for members and the operator; admin methods */
void acts_call(struct control *c, struct conn *k, json_int_t id, const char *method, json_t *params);
/* acts_operate: one act in a room (NULL: there is none), audited, its answer into `reply`, also after some
 * refusals; k: who does it, a member or (admin) the operator. */
MUST_CHECK enum err acts_operate(struct control *c, struct conn *k, struct hosted *h, enum act act,
                                 const json_t *params, json_t *reply);

/* audited.c: the audit log. audited_begin takes "operator" and "ticket" out of the params: nobody else sees
 * them; until audited_end everything is done on behalf of who asks. */
struct audited {
  char target[ROOM_PID_MAX + 16];
  json_t *meta;
};
void audited_begin(struct control *c, const struct conn *k, json_t *params);
void audited_end(struct control *c);
/* audited_act before an act, audited_done after it, or after its refusal; h NULL: in no room. */
void audited_act(const struct hosted *h, const struct room_cmd *cmd, struct audited *x);
void audited_done(struct control *c, const struct conn *k, const struct hosted *h, enum act act,
                  struct audited *x, enum err e);
/* audited_join: who came in, by what (token, invite, resume, ...), or what kept him out. audited_event: what
 * no act did; before it is applied. audited_media: a path that came to nothing. */
void audited_join(struct control *c, const struct conn *k, const char *room, const char *method, enum err e,
                  const char *operator_pid);
void audited_event(struct control *c, const struct hosted *h, const struct room_event *ev);
void audited_media(struct control *c, const struct hosted *h, const struct seat *s, enum err why);

/* acts_shell.c: what an act needs that the room cannot have: chance, secrets, addresses, the log. */
struct act_shell {
  struct invite invite;
  struct link link;
  struct secret secret;
  char code[16];
  struct cidr *cidrs; /* owned */
};
MUST_CHECK enum err act_shell_prepare(struct control *c, struct hosted *h, struct conn *k,
                                      struct room_cmd *cmd, const json_t *params, struct act_shell *x);
/* act_shell_reply: after the decision, before the events run. */
MUST_CHECK enum err act_shell_reply(struct control *c, struct hosted *h, const struct room_cmd *cmd,
                                    const struct act_shell *x, json_t *reply);
/* act_shell_after: once the events have run; what could not be done of the rest. */
MUST_CHECK enum err act_shell_after(struct control *c, struct hosted *h, const struct room_cmd *cmd);
void act_shell_free(struct act_shell *x);
void act_shell_invite(struct control *c, struct hosted *h, struct link *link, struct invite *inv);
void act_shell_link(const struct link *l, json_t *body, const char *key);
/* act_shell_password: is this the room's password? Counts the tries: ERR_BAD_PASSWORD, ERR_RATE. */
MUST_CHECK enum err act_shell_password(struct control *c, struct hosted *h, struct conn *k, const char *text);

/* attendance.c: who was in a room from when to when, from its log, as RFC 4180 CSV; malloc'd. What was read
 * is remembered, and only what is new is read the next time. attendance_forget: it may be wrong, or is done
 * with. */
MUST_CHECK enum err attendance_csv(struct control *c, struct hosted *h, char **csv);
/* attendance_json: the same as "attendance" of `reply`, times in ms. */
MUST_CHECK enum err attendance_json(struct control *c, struct hosted *h, json_t *reply);
void attendance_forget(struct control *c, struct hosted *h);

/* rights.c: what a person may ask about his own data. rights_call: false when the method is another.
 * rights_access_call: access_call, and what erasing and restricting mean for rooms: he leaves, and those that
 * knew who is erased are rebuilt without him. rights_stay: who leaves by this event, before it is applied:
 * his visit. */
bool rights_call(struct control *c, struct conn *k, json_int_t id, const char *method, const json_t *params);
MUST_CHECK enum err rights_access_call(struct control *c, const char *actor, const char *method,
                                       const json_t *params, json_t *reply, const char **why);
void rights_stay(struct control *c, struct hosted *h, const struct room_event *ev);

/* web_whip.c: people who speak or listen by WHIP or WHEP: their connections have no socket. whip_told: a
 * message to one, an answer when reply_to is above 0. whip_sweep: whose connection is to be closed, or who
 * has no seat any more, is gone, in this group. whip_direction: of his offer only what his protocol is
 * for. */
void whip_told(struct whip *w, const char *text, json_int_t reply_to);
void whip_sweep(struct control *c);
void whip_direction(const struct whip *w, struct sdp *offer);
void whip_free(struct control *c);

/* web.c: replies leave: as they are, or as a 503 when what they say was lost. */
void web_release(struct control *c, bool durable);
void web_free(struct control *c);

/* lines.c: whose line is how good. lines_report: a MEDIA_STATS; everyone inside hears of it when a line
 * becomes better or worse. lines_path: a path was asked for (up: is there). lines_now: whose line is not
 * good, for those who have just come in; NULL when all are. lines_visit: what of it stays when he leaves.
 * lines_call: room.quality, for who moderates the room and the operator. */
void lines_report(struct control *c, struct hosted *h, struct seat *about, const struct media_event *ev);
void lines_path(struct control *c, struct seat *s, bool up);
struct msg *lines_now(struct hosted *h);
void lines_visit(struct seat *s, struct access_visit *v);
void lines_call(struct control *c, struct conn *k, json_int_t id, const json_t *params);
/* lines_line: one line as room.quality has it; a new reference. */
json_t *lines_line(const struct control *c, const struct hosted *h, const struct seat *s);

#endif
