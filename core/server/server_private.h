/* server_private.h: the engine's own state, shared by server.c (life) and shell_ws.c (libwebsockets). Nobody
 * else includes it. */
#ifndef GAVEL_SERVER_SERVER_PRIVATE_H
#define GAVEL_SERVER_SERVER_PRIVATE_H

#include "core/base/map.h"
#include "core/media/cert.h"
#include "core/server/control.h"
#include "core/server/server.h"
#include "core/server/shell_media.h"

#include <libwebsockets.h>
#include <pthread.h>
#include <stdatomic.h>

struct server_request { /* from the owner's thread, answered by the control thread */
  const char *room;
  bool lobby;
  struct link *host, *guest;
  enum err result;
  bool done;
};
struct server {
  struct server_config cfg;
  struct cert tls, dtls_cert;
  bool self_made, admin_open;
  struct dtls_ctx *dtls;
  struct store *store;
  struct control *control;
  struct media_thread *media[CONTROL_THREADS_MAX];
  struct lws_context *lws;
  struct lws_vhost *vhost;
  struct ssl_ctx_st *tls_client; /* never used, see open_public */
  struct map *wsis;              /* connection handle -> wsi */
  lws_sorted_usec_list_t sul;
  pthread_t thread;
  bool running;
  atomic_bool stop;
  pthread_mutex_t lock; /* of `request` */
  pthread_cond_t answered;
  struct server_request *request;
  uint16_t port;
  struct link link; /* host, port and pin of every link */
};

/* shell_ws_open: the context and its vhosts. ERR_PORT_TAKEN, ERR_CERT, ERR_IO. shell_ws_turn: one poll round.
 */
MUST_CHECK enum err shell_ws_open(struct server *s, char why[256]);
void shell_ws_turn(struct server *s);
void shell_ws_wake(void *ctx); /* the server; from any thread */
void shell_ws_want_write(void *ctx, uint32_t conn);
void shell_ws_close(struct server *s);

#endif
