/* control.h: the control plane: connections, JSON-RPC, rooms, log, media commands. Sans-IO: the shell
 * (shell_ws.c) or the simulator brings bytes and time and takes messages away.
 *
 * Invariant: a message that confirms or reports a change leaves only after control_commit put the change on
 * disk. When the commit fails (disk full) the rooms are rebuilt from the log, the requesters get `disk_full`,
 * and nobody saw anything. Thread: the control thread. Drain rule: after a turn of control_* calls call
 * control_commit once, then take messages. */
#ifndef GAVEL_SERVER_CONTROL_H
#define GAVEL_SERVER_CONTROL_H

#include "core/access/access.h"
#include "core/base/clock.h"
#include "core/base/rng.h"
#include "core/server/alerts.h"
#include "core/server/hooks.h"
#include "core/server/limits.h"
#include "core/server/media_msg.h"
#include "core/store/store.h"
#include "core/wire/link.h"
#include "core/wire/sdp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONTROL_THREADS_MAX 16
#define CONTROL_CANDIDATES 8
#define CONTROL_QUEUE_MAX                                                                                    \
  LIMIT_VALUE_QUEUE                   /* messages waiting for one slow connection; then it is closed         \
                                       */
#define CONTROL_QUEUE_BYTES (8 << 20) /* and bytes: a snapshot of a full room fits */
#define CONTROL_QUEUE_TIMES 4         /* so much of both, even if it is we who are late */
#define CONTROL_HELLO_MS LIMIT_VALUE_FIRST_SLOW /* from the upgrade to room.join */
#define CONTROL_PROBE_MS 20000                  /* the same, for who only probes (media.probe) */
#define CONTROL_HEADROOM 32                     /* bytes before a message's text, for the shell's framing */
#define CONTROL_ROOMS_MAX 20000
#define CONTROL_CLOSE_LATE 4401    /* close code: no room.join came in time, or too much of it */
#define CONTROL_CLOSE_REVOKED 4403 /* his token, session or data may not be used any more */
#define CONTROL_CLOSE_SLOW 1013    /* does not read what it is sent; or is blocked: come again later */

struct web_reply;
struct kdf_job;
struct mediaport_counters;
struct turn;
struct host_figures;
struct control_config {
  struct store *store; /* borrowed */
  struct rng *rng;     /* borrowed */
  unsigned media_threads;
  unsigned edge_from; /* people of a room on one media thread, then others help it; 0: never */
  /* host candidates of each media thread's port, UDP first */
  struct sdp_candidate candidates[CONTROL_THREADS_MAX][CONTROL_CANDIDATES];
  size_t n_candidates[CONTROL_THREADS_MAX];
  uint32_t rekey_s;            /* media paths get new keys this often, 0 never */
  uint8_t dtls_sha256[32];     /* fingerprint of our DTLS certificate */
  const char *database;        /* its path, for gavelctl; NULL: in memory */
  const char *backups;         /* the folder of its backups, for gavelctl; NULL: none */
  struct access_config access; /* rules and names; store and rng are the ones above */
  struct link link; /* host, port and pin for invite links; room and secret are filled per invite */
  /* Called from inside control_* calls. want_write: the connection has messages or is to be closed. Not asked
   * to write, it may: what waits for company is there already. */
  void (*media)(void *ctx, unsigned thread, const struct media_cmd *cmd);
  void (*want_write)(void *ctx, uint32_t conn);
  /* Does its socket take nothing now? Only then what waits is held against a connection, and not when we are
   * late. NULL: so it is. */
  bool (*blocked)(void *ctx, uint32_t conn);
  /* What plain HTTPS was asked (web.h): NULL where there is none. kdf: ERR_BUSY when its queue is full. */
  void (*http_reply)(void *ctx, uint32_t request, struct web_reply *r);
  enum err (*kdf)(void *ctx, const struct kdf_job *job);
  /* What the media threads counted, summed up; NULL: nothing. */
  void (*media_counters)(void *ctx, struct mediaport_counters *out);
  /* Of the process and its machine (host.h); NULL: not known. */
  void (*host)(void *ctx, struct host_figures *out);
  uint64_t disk_least;      /* bytes that must be free for taking people (web_ops.c); 0: whatever */
  const uint8_t *ops_token; /* SHA-256 of the token that GET /metrics asks for; NULL: none */
  /* How busy a media thread was lately, in thousandths of a core; NULL: not known. */
  unsigned (*media_load)(void *ctx, unsigned thread);
  const char *region; /* [server] a label for operators; NULL none */
  /* Datagrams of handshakes that wait to be looked at (shell_handshake.h); NULL: none ever. */
  unsigned (*handshakes)(void *ctx);
  bool guest_page;           /* invite links open in a browser */
  const struct turn *turn;   /* relays (turn.h), borrowed; NULL: none */
  struct hooks_config hooks; /* all 0: none; as alerts */
  struct alerts_config alerts;
  struct limits_set limits; /* all 0: none of those */
  void *ctx;
};
struct control;
/* control_create: replays the log; everyone who was here becomes AWAY (they may resume). ERR_DB_CORRUPT with
 * `why`. */
MUST_CHECK enum err control_create(const struct control_config *c, us_t now, int64_t wall_ms,
                                   struct control **out, char why[256]);

/* control_tick: the time for everything that follows in this turn; runs expiries that are due. */
void control_tick(struct control *c, us_t now, int64_t wall_ms);
us_t control_next_timeout(const struct control *c);

/* control_open: a new connection. `admin`: it came over the 0600 socket: it may act as the operator. `addr`:
 * whence, 16 bytes, IPv4 as ::ffff:a.b.c.d; NULL when unknown. Kept as long as he may resume, never stored.
 */
uint32_t control_open(struct control *c, bool admin, const uint8_t *addr);
/* control_open_ops: it came to the operator's port ([ops]): it may sign in (`ops.sign_in {token}`) and then
 * use what its scopes allow; it cannot join a room. */
uint32_t control_open_ops(struct control *c, const uint8_t *addr);
/* control_message: one complete text message. */
void control_message(struct control *c, uint32_t conn, const char *text, size_t n);
/* control_has_tunnel: whether binary messages may come on it (method media.tunnel). control_tunnel: one came:
 * to which media thread, as from which address; false: it is to be dropped. */
bool control_has_tunnel(const struct control *c, uint32_t conn);
bool control_tunnel(struct control *c, uint32_t conn, unsigned *thread, struct sockaddr_carrier *at);
/* control_closed: the connection is gone; nothing is sent on it any more. */
void control_closed(struct control *c, uint32_t conn);
void control_media_event(struct control *c, unsigned thread, const struct media_event *ev);

/* control_commit: end of turn: make the group durable and release what waited for it. */
enum err control_commit(struct control *c);

/* control_next_message: the next message to send, or NULL. Valid until the next call for this connection.
 * `text` has CONTROL_HEADROOM writable bytes before it. control_wants_close: close once the queue is empty.
 */
char *control_next_message(struct control *c, uint32_t conn, size_t *n);
bool control_wants_close(const struct control *c, uint32_t conn);
/* control_next_size: how long the next message is, 0 when there is none. */
size_t control_next_size(const struct control *c, uint32_t conn);
/* control_close_code: the WebSocket close code it then gets. */
unsigned control_close_code(const struct control *c, uint32_t conn);
/* control_ending: it will want to close, at the latest once what it was told last has gone out. */
bool control_ending(const struct control *c, uint32_t conn);

/* control_room_create: a room with an owner's and a guest's invite; the links are complete. ERR_ROOM_EXISTS,
 * ERR_BAD_NAME, ERR_FULL. Durable after control_commit. */
MUST_CHECK enum err control_room_create(struct control *c, const char *room, bool lobby, struct link *host,
                                        struct link *guest);
/* control_audit: an entry of the audit log from outside the control plane. control_configure: other rules.
 * control_stop: the last checkpoint of the audit log; everything is committed before and after. */
void control_audit(struct control *c, const struct audit_entry *e);
/* control_backup: one was made, or failed: counted, and an entry of the audit log. */
void control_backup(struct control *c, enum err e, const char *name);
/* control_ran: the runner has answered; RUNNER_ALL_LOST: it died and is there again; NULL: it is gone. */
void control_ran(struct control *c, const struct runner_answer *a);
void control_configure(struct control *c, const struct access_config *a, const struct limits_set *limits);
void control_relays(struct control *c, const struct turn *t); /* others, or none */
void control_stop(struct control *c, int64_t wall_ms);
/* control_bye: tell everyone the server goes down (clients reconnect after retry_ms); connections then want
 * to close. */
void control_bye(struct control *c, int retry_ms);

struct control_counters {
  uint64_t messages, refusals, events, commits, commit_failures, joins, resumes, slow_closed, rate_limited;
  uint64_t backups, backup_failures;
  uint64_t turn_minted;          /* sets of credentials for relays */
  uint64_t limits[LIMIT__COUNT]; /* how often each row of limits.def held */
  uint64_t strikes, alerts;      /* wrong secrets; addresses blocked for them */
  uint32_t conns, rooms;
};
/* control_counters: since the start; conns, rooms, seats: as they are now. */
void control_counters(const struct control *c, struct control_counters *out);
/* control_destroy: without a word to anyone. NULL is fine. */
void control_destroy(struct control *c);

#endif
