/* wsc.h: a WebSocket client for thousands of connections in one loop: the upgrade and frames (RFC 6455) over
 * a stream. libwebsockets, which the product's client uses, brings a loop of its own; here signalling and
 * sound share one.
 *
 * Invariant: the stream's. The owner watches wsc_stream and calls wsc_ready. Thread: one. */
#ifndef GAVEL_LOAD_WSC_H
#define GAVEL_LOAD_WSC_H

#include "tests/bench/load/stream.h"

struct wsc;
struct wsc_events {
  void (*opened)(void *ctx);
  void (*text)(void *ctx, const char *text, size_t n); /* one message, borrowed, not NUL-terminated */
  void *ctx;
};
/* wsc_create: takes the stream. Host, path and subprotocol are those of the upgrade; copied. */
struct wsc *wsc_create(struct stream *s, const char *host, const char *path, const char *protocol,
                       const struct wsc_events *ev);
struct stream *wsc_stream(const struct wsc *w);
/* wsc_ready: does what can be done; a reason (static) when the connection is over, else NULL. */
const char *wsc_ready(struct wsc *w);
/* wsc_goodbye: what the server's close frame said; "" when there was none. */
const char *wsc_goodbye(const struct wsc *w);
/* wsc_send: one text message, from when it was opened on; copied. */
void wsc_send(struct wsc *w, const char *text);
void wsc_destroy(struct wsc *w); /* NULL is fine */

#endif
