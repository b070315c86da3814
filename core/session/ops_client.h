/* ops_client.h: an operator's console's connection to a server: its 0600 Unix socket, or its operators' port
 * over TLS (docs/protocol.md section 7). Requests out, parsed messages in.
 *
 * Invariant: no call blocks; what cannot be parsed closes the connection. Over TLS the certificate is checked
 * before anything is sent (ws_client.h). Thread: one; the signalling thread is behind ws_client. */
#ifndef GAVEL_SESSION_OPS_CLIENT_H
#define GAVEL_SESSION_OPS_CLIENT_H

#include "core/wire/json.h"
#include "core/wire/link.h"

struct ops_client;
struct ops_event {
  enum { OPS_OPENED, OPS_MESSAGE, OPS_CLOSED } kind;
  struct rpc_in in; /* OPS_MESSAGE: RPC_RESULT, RPC_ERROR or RPC_NOTIFY; json_decref(in.root) */
  enum err why;     /* OPS_CLOSED: ERR_CONNECT, ERR_CERT, ERR_PROTOCOL */
  char text[200];   /* OPS_CLOSED: what is known of it, or "" */
};
/* ops_client_socket, ops_client_link: not yet connected; NULL without memory or threads. */
struct ops_client *ops_client_socket(const char *path);
struct ops_client *ops_client_link(const struct link *l);
/* ops_client_connect: OPS_OPENED or OPS_CLOSED follows; ignored while one is open. ops_client_close:
 * OPS_CLOSED may follow. */
void ops_client_connect(struct ops_client *c);
void ops_client_close(struct ops_client *c);
/* ops_client_ask: a request; its answer carries the id returned here (never 0). `params` is stolen. What
 * cannot be sent is lost: then OPS_CLOSED follows. */
json_int_t ops_client_ask(struct ops_client *c, const char *method, json_t *params);
/* ops_client_fd: readable while events may wait, -1 while there is nothing to wait for. ops_client_poll: the
 * next event; false when none. */
int ops_client_fd(const struct ops_client *c);
bool ops_client_poll(struct ops_client *c, struct ops_event *ev);
void ops_client_destroy(struct ops_client *c);

#endif
