/* ws_client.h: the signalling thread: a WebSocket client on libwebsockets' own poll loop, because its name
 * lookups block.
 *
 * Invariant: the server's certificate is the pinned one, or (without a pin) a valid one for the host;
 * otherwise nothing is sent. No text message is ever missing between two that are told: when the engine does
 * not read, the connection is closed. Thread: functions from the engine thread; messages come back through
 * ws_client_poll after ws_client_fd became readable. */
#ifndef GAVEL_SESSION_WS_CLIENT_H
#define GAVEL_SESSION_WS_CLIENT_H

#include "core/base/err.h"
#include "core/wire/link.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

struct ws_client;
struct ws_event {
  enum { WS_OPENED, WS_MESSAGE, WS_DATAGRAM, WS_CLOSED } kind;
  char *text; /* malloc'd, the receiver frees it; WS_OPENED: what the connection is, in lines;
                WS_DATAGRAM: n bytes of a binary message;
                WS_CLOSED: why an attempt failed, or NULL */
  size_t n;
  enum err why;               /* WS_CLOSED: ERR_CONNECT, ERR_CERT, ERR_PROTOCOL */
  struct sockaddr_in6 server; /* WS_OPENED: whom it reached, or a sockaddr_in */
};
/* ws_client_create: starts the thread, not yet a connection; NULL when it cannot. */
struct ws_client *ws_client_create(const struct link *l);
/* ws_client_connect, ws_client_close: asynchronous. A connect while one is open is ignored. */
void ws_client_connect(struct ws_client *w);
void ws_client_close(struct ws_client *w);
/* ws_client_send: takes the malloc'd text. Dropped when not connected. */
void ws_client_send(struct ws_client *w, char *text);
/* ws_client_datagram: one datagram as a binary message, copied. What cannot leave within 200 ms is
 * dropped, as on any line; requests go first. */
#define WS_DATAGRAM_MAX 1500
void ws_client_datagram(struct ws_client *w, const void *p, size_t n);
/* ws_client_abort: the connection is dead, the network has changed: WS_CLOSED comes without waiting for it.
 */
void ws_client_abort(struct ws_client *w);
int ws_client_fd(const struct ws_client *w);
bool ws_client_poll(struct ws_client *w, struct ws_event *ev);
void ws_client_destroy(struct ws_client *w);

#endif
