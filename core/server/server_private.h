/* server_private.h: the engine's own state, shared by server.c (life), shell_ws.c and shell_http.c
 * (libwebsockets). Nobody else includes it. */
#ifndef GAVEL_SERVER_SERVER_PRIVATE_H
#define GAVEL_SERVER_SERVER_PRIVATE_H

#include "core/base/map.h"
#include "core/media/cert.h"
#include "core/server/control.h"
#include "core/server/host.h"
#include "core/server/proxies.h"
#include "core/server/server.h"
#include "core/server/shell_handshake.h"
#include "core/server/shell_kdf.h"
#include "core/server/shell_loop.h"
#include "core/server/shell_media.h"
#include "core/server/turn.h"

#include <libwebsockets.h>
#include <pthread.h>
#include <stdatomic.h>

struct server_request { /* from the owner's thread, answered by the control thread */
  const char *room;
  bool lobby;
  struct link *host, *guest;
  const struct server_config *reload; /* instead of a room: the configuration was read again */
  const char *why;                    /* or could not be */
  enum err result;
  bool done;
};
#define SHELL_FRAMES_MAX 16000 /* bytes of messages that leave together: one TLS record */
struct server {
  struct server_config cfg;
  struct cert tls, dtls_cert;
  bool self_made, admin_open;
  struct dtls_ctx *dtls;
  struct store *store;
  char *database;    /* absolute; NULL in memory */
  char *consent;     /* the text that is asked; NULL none */
  struct turn *turn; /* the relays; NULL none */
  struct control *control;
  struct kdf_worker *kdf;       /* hashes passwords */
  struct backup_thread *backup; /* NULL: none */
  char *backups;                /* its folder, absolute */
  struct handshakes *handshakes;
  struct media_thread *media[CONTROL_THREADS_MAX];
  struct media_load { /* the control thread's, of each of them */
    us_t at, cpu;
    unsigned permille;
  } media_load[CONTROL_THREADS_MAX];
  struct loop *loop;
  struct lws_context *lws;
  struct lws_vhost *vhost, *ops_vhost;                       /* the public one; the operator's, or NULL */
  struct ssl_ctx_st *tls_client;                             /* never used, see open_public */
  struct map *wsis;                                          /* connection handle -> wsi */
  struct map *tunnels;                                       /* connection handle -> shell_tunnel.c */
  struct http *http;                                         /* shell_http.c */
  unsigned char frames[CONTROL_HEADROOM + SHELL_FRAMES_MAX]; /* on their way out */
  us_t look_at, nudge_at, nudge_until;                       /* shell_ws.c */
  pthread_t thread;
  bool running;
  atomic_bool stop;
  pthread_mutex_t lock; /* of `request` */
  pthread_cond_t answered;
  struct server_request *request;
  uint16_t port;
  int64_t started_s;      /* Unix time */
  struct runner runner;   /* -1: none, or gone */
  struct proxies allowed; /* [ops] allow */
  uint8_t ops_token[32];  /* [ops] token_file: SHA-256 */
  bool has_ops_token;
  struct link link; /* host, port and pin of every link */
};

/* settings.c. settings_consent: the text that is asked, from its file. settings_access: the rules for who may
 * enter. settings_turn: the relays. settings_audited: start or stop, with the digest of the configuration.
 * settings_reload: what was
 * read again. */
MUST_CHECK enum err settings_consent(struct server *s, char why[256]);
void settings_access(const struct server *s, struct access_config *a);
MUST_CHECK enum err settings_turn(const struct server_config *c, struct turn **out, char why[256]);
void settings_audited(struct server *s, const char *action);
void settings_reload(struct server *s, const struct server_request *r);

/* shell_host.c: for control_config.host; ctx is the server. */
void shell_host(void *ctx, struct host_figures *out);
/* settings_ops.c: [ops] as it is checked at the start: who may come, with which token. ERR_BAD_CONFIG. */
MUST_CHECK enum err settings_ops(struct server *s, char why[256]);
/* settings_secret: the one line of a file that only we can read; `what` names the setting. ERR_BAD_CONFIG. */
MUST_CHECK enum err settings_secret(const char *path, const char *what, char *out, size_t cap, char why[256]);

/* shell_runner.c. shell_runner_configure: webhooks and alerts into `cc`. ERR_BAD_CONFIG. shell_runner_send:
 * for hooks_config.run. shell_runner_take: what was answered. */
MUST_CHECK enum err shell_runner_configure(const struct server *s, struct control_config *cc, char why[256]);
MUST_CHECK enum err shell_runner_send(void *ctx, const struct runner_job *job);
void shell_runner_watch(struct server *s);
void shell_runner_take(struct server *s);
void shell_runner_close(struct server *s);

/* shell_ws_open: the context and its vhosts. ERR_PORT_TAKEN, ERR_CERT, ERR_IO. shell_ws_turn: waits once, at
 * most until `due`, and handles what happened. */
MUST_CHECK enum err shell_ws_open(struct server *s, char why[256]);
void shell_ws_turn(struct server *s, us_t due);
/* shell_ws_bind: the one address a vhost listens on; "" all. */
void shell_ws_bind(struct lws_context_creation_info *i, const char *address);
void shell_ws_wake(void *ctx); /* the server; from any thread */
void shell_ws_want_write(void *ctx, uint32_t conn);
bool shell_ws_blocked(void *ctx, uint32_t conn);
/* shell_ws_nudge: libwebsockets may have set a timeout, of NUDGE_US at most. */
void shell_ws_nudge(struct server *s);
void shell_ws_close(struct server *s);

#endif
