/* wsc.h: a WebSocket client for thousands of connections in one loop: TLS (OpenSSL), the upgrade, frames (RFC
 * 6455), and no thread, buffer or timer of its own while nothing moves. libwebsockets, which the product's
 * client uses, brings a loop of its own; here signalling and sound share one.
 *
 * Invariant: nothing is sent to a server whose certificate is not the link's. The owner watches wsc_fd for
 * wsc_wants (EPOLLIN, EPOLLOUT) and calls wsc_ready. Thread: one. */
#ifndef GAVEL_LOAD_WSC_H
#define GAVEL_LOAD_WSC_H

#include "core/wire/link.h"

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct wsc;
struct wsc_events {
  void (*opened)(void *ctx);
  void (*text)(void *ctx, const char *text, size_t n); /* one message, borrowed, not NUL-terminated */
  void *ctx;
};
/* wsc_create: begins to connect. The context is of tls_create for this link and is shared by all. NULL and
 * *why (static) when there is no socket to be had. */
struct wsc *wsc_create(SSL_CTX *tls, const struct link *l, const struct sockaddr *to, socklen_t to_len,
                       const struct wsc_events *ev, const char **why);
int wsc_fd(const struct wsc *w);
uint32_t wsc_wants(const struct wsc *w);
/* wsc_ready: does what can be done; a reason (static) when the connection is over, else NULL. */
const char *wsc_ready(struct wsc *w);
/* wsc_goodbye: what the server's close frame said; "" when there was none. */
const char *wsc_goodbye(const struct wsc *w);
/* wsc_send: one text message, from when it was opened on; copied. */
void wsc_send(struct wsc *w, const char *text);
void wsc_destroy(struct wsc *w); /* NULL is fine */

#endif
