/* server_private.h: the engine's own state, shared by server.c (life), shell_ws.c and shell_http.c
 * (libwebsockets). Nobody else includes it. */
#ifndef GAVEL_SERVER_SERVER_PRIVATE_H
#define GAVEL_SERVER_SERVER_PRIVATE_H

#include "core/base/map.h"
#include "core/media/cert.h"
#include "core/server/control.h"
#include "core/server/server.h"
#include "core/server/shell_handshake.h"
#include "core/server/shell_kdf.h"
#include "core/server/shell_loop.h"
#include "core/server/shell_media.h"

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
  char *database; /* absolute; NULL in memory */
  char *consent;  /* the text that is asked; NULL none */
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
  struct lws_vhost *vhost, *ops_vhost; /* the public one; the operator's, or NULL */
  struct ssl_ctx_st *tls_client;                             /* never used, see open_public */
  struct map *wsis;                                          /* connection handle -> wsi */
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
  struct link link; /* host, port and pin of every link */
};

/* settings.c. settings_consent: the text that is asked, from its file. settings_access: the rules for who may
 * enter. settings_audited: start or stop, with the digest of the configuration. settings_reload: what was
 * read again. */
MUST_CHECK enum err settings_consent(struct server *s, char why[256]);
void settings_access(const struct server *s, struct access_config *a);
void settings_audited(struct server *s, const char *action);
void settings_reload(struct server *s, const struct server_request *r);

/* shell_ws_open: the context and its vhosts. ERR_PORT_TAKEN, ERR_CERT, ERR_IO. shell_ws_turn: waits once, at
 * most until `due`, and handles what happened. */
MUST_CHECK enum err shell_ws_open(struct server *s, char why[256]);
void shell_ws_turn(struct server *s, us_t due);
void shell_ws_wake(void *ctx); /* the server; from any thread */
void shell_ws_want_write(void *ctx, uint32_t conn);
bool shell_ws_blocked(void *ctx, uint32_t conn);
/* shell_ws_nudge: libwebsockets may have set a timeout, of NUDGE_US at most. */
void shell_ws_nudge(struct server *s);
void shell_ws_close(struct server *s);

#endif
