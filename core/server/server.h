/* server.h: the room server as one object: used by gaveld and inside `gavel host`. Starts the control thread
 * (libwebsockets, rooms, store) and the media threads.
 *
 * Invariant: an acknowledged act is on disk. Thread: all functions from the owner's thread; none blocks
 * longer than start and stop do. */
#ifndef GAVEL_SERVER_SERVER_H
#define GAVEL_SERVER_SERVER_H

#include "core/access/access.h"
#include "core/base/err.h"
#include "core/server/limits.h"
#include "core/wire/link.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct server_config {
  const char *log;        /* least level: debug, info, warn, error; "": not said (gaveld) */
  const char *listen;     /* address to bind, "" for all */
  uint16_t port;          /* TCP, TLS; 0: any free one */
  uint16_t media_port;    /* UDP of the first media thread; 0: any free one; thread k uses media_port + k */
  unsigned media_threads; /* each with a UDP port of its own; 0: as many as cores */
  unsigned packed_from;   /* people in a room from which on its audience gets 40 ms packets; 0 never */
  unsigned edge_from;     /* people of a room on one media thread, then others help it; 0 never */
  unsigned handshake_threads; /* that do the DTLS handshakes of all of them */
  bool media_tcp;             /* the media ports are open for TCP too (ICE-TCP) */
  const char *public_address; /* address put into candidates and links; "" : guessed from the interfaces */
  const char *cert_file,
      *key_file;            /* operator's PEM files; NULL: self-made, kept in the database, pinned in links */
  const char *database;     /* path; ":memory:" for a room that may be forgotten */
  const char *admin_socket; /* path of the 0600 Unix socket; NULL: none */
  bool tls12;               /* also accept TLS 1.2 */
  bool srtp_min_256;
  const char *name;           /* CN of the self-made certificate; the audience of join tokens */
  unsigned rekey_s;           /* a media path gets new keys this often; 0 never */
  uint16_t ops_port;          /* [ops] the operator's HTTPS: metrics, health, REST; 0 none */
  const char *ops_listen;     /* its address, "" 127.0.0.1 */
  const char *ops_allow;      /* CIDRs that may come there, "" this machine */
  const char *ops_token_file; /* what GET /metrics asks for, "" nothing */
  const char *webhook_url, *webhook_secret_file, *webhook_events, *webhook_ca_file; /* [webhook] */
  bool webhook_names, webhook_private;
  unsigned webhook_queue;
  const char *alert_command, *alert_webhook, *alert_secret_file, *alert_watch, *alert_ca_file; /* [alert] */
  bool alert_private;
  unsigned alert_loss_percent, alert_loss_minutes, alert_certificate_days, alert_strikes;
  const char *watched[8];             /* alert_watch, one by one: server_runner_start */
  const struct runner *runner;        /* sends those; NULL: none is sent */
  unsigned disk_free_mb;              /* below, nobody new is taken; 0: whatever */
  uint16_t redirect_port;             /* plain HTTP that only answers 301 to https; 0: none */
  bool guest_page;                    /* [web] invite links open in a browser */
  const char *proxies;                /* CIDRs whose X-Forwarded-For counts, "" none */
  const char *user;                   /* after start run as this user; "": stay who we are */
  bool seccomp;                       /* after start allow only the system calls that are needed (gaveld) */
  bool hosts_need_mfa, accounts_only; /* [access] */
  const char *consent_file, *consent_version;   /* [privacy] the text asked, "" none */
  struct monitor_rules monitor;                 /* [monitor], and [privacy] consent_monitoring */
  const char *region;                           /* a label for operators, "" none */
  const char *controller, *contact;             /* [privacy] who answers for the data */
  unsigned chat_days, quality_days, audit_days; /* [privacy], [audit] retention; audit_days 180.. */
  const char *anchor_file;                      /* [audit] checkpoints go there as well, "" none */
  const char *backup_folder;                    /* [backup] hourly verified copies, "" none */
  const char *turn_uris, *turn_secret_file;     /* [turn] relays and the secret they share with us; "" none */
  unsigned turn_ttl_s;                          /* how long its credentials are good */
  struct limits_set limits;                     /* [limits] limits.def says what each is */
  unsigned silent_ms; /* then a connection is asked whether it lives; 0: 30 s. No setting: tests wait less */
  const uint8_t *master_key; /* 32 bytes, borrowed while starting; NULL: a file beside the database */
};
/* server_config_default: what holds without a file; every string is static. */
void server_config_default(struct server_config *c);
/* server_config_load: an INI file over the defaults. ERR_BAD_CONFIG with `why` naming file, line and key.
 * Strings live until process end. */
MUST_CHECK enum err server_config_load(const char *path, struct server_config *c, char why[256]);

/* server_config_changes: what differs, as {"section.name": {"from", "to", "now": takes effect without a
 * restart}}; secrets are masked. server_config_take: the settings of `now` that take effect at once.
 * server_config_digest: SHA-256 of all settings, in hex. */
json_t *server_config_changes(const struct server_config *old, const struct server_config *now);
void server_config_take(struct server_config *c, const struct server_config *now);
void server_config_digest(const struct server_config *c, char out[65]);

struct server;
struct runner;
/* server_runner_start: the processes for webhooks and alerts when there are any ([webhook], [alert]): before
 * any thread, key or database; c->runner is `out` then, which must live as long. ERR_BAD_CONFIG, ERR_IO. */
MUST_CHECK enum err server_runner_start(struct server_config *c, struct runner *out, char why[256]);
/* server_start: ERR_PORT_TAKEN, ERR_CERT, ERR_DB_OPEN, ERR_DB_NEWER, ERR_DB_CORRUPT, ERR_DISK_FULL, ERR_IO;
 * `why` is one sentence that names file or port and what to do. */
MUST_CHECK enum err server_start(const struct server_config *c, struct server **out, char why[256]);
/* server_start_backups: the hourly backups, when there is a folder for them; as the user that the process
 * stays. */
MUST_CHECK enum err server_start_backups(struct server *s);
/* server_link: host, port and pin of this server into a link; room and secret stay. */
void server_link(const struct server *s, struct link *l);
uint16_t server_port(const struct server *s);
uint16_t server_media_port(const struct server *s);
/* server_room_create: makes a room with a host invite and a guest invite; links are complete.
 * ERR_ROOM_EXISTS, ERR_BAD_NAME. Blocks until it is on disk. */
MUST_CHECK enum err server_room_create(struct server *s, const char *room, bool lobby, struct link *host,
                                       struct link *guest);
/* server_reload: the configuration was read again: what may change at once does, the rest is named in a
 * warning; all of it is one entry of the audit log. `now` NULL: it could not be read, for the reason `why`.
 */
void server_reload(struct server *s, const struct server_config *now, const char *why);
/* server_stop: tells clients ("the server is going down"), commits, closes, joins the threads, frees. */
void server_stop(struct server *s);

#endif
