/* shell_handshake.h: the threads on which media paths shake hands (DTLS: 0.3 ms of CPU each), so that those
 * who talk already do not wait for those who come.
 *
 * Invariant: a `struct secure` has one owner: the worker from the first hello until the handshake is done or
 * has failed, then the media thread it is handed to. A worker has less priority than a media thread, and
 * nobody ever waits for it: what does not fit into its queue is lost, as a datagram may be. Thread: give from
 * any media thread; the callbacks are called on a worker. */
#ifndef GAVEL_SERVER_SHELL_HANDSHAKE_H
#define GAVEL_SERVER_SHELL_HANDSHAKE_H

#include "core/server/mediaport.h"

#define HANDSHAKE_THREADS_MAX 16
#define HANDSHAKE_QUEUE 4096 /* datagrams that wait for one worker */

struct handshake_home { /* of a media thread; must live until handshakes_stop */
  void (*send)(void *ctx, const struct sockaddr *to, socklen_t to_len, const uint8_t *p, size_t n);
  /* done: `s` is up or has failed, and is the callee's from now on; its last flight is not polled yet. NULL:
   * nothing came of it in 35 s, a further hello begins anew. */
  void (*done)(void *ctx, uint32_t peer, struct secure *s);
  void *ctx;
};
struct handshakes;
/* handshakes_start: `threads` 1..HANDSHAKE_THREADS_MAX workers. ERR_NOMEM. */
MUST_CHECK enum err handshakes_start(struct dtls_ctx *dtls, unsigned threads, struct handshakes **out);
/* handshakes_give: copies the datagram; false when there is no place for it. */
bool handshakes_give(struct handshakes *h, const struct handshake_home *home,
                     const struct mediaport_hello *hello);
/* handshakes_waiting: datagrams not looked at yet: how far the workers are behind. */
unsigned handshakes_waiting(const struct handshakes *h);
/* handshakes_stop: no callback after this; give is still safe. handshakes_free: after the media threads. NULL
 * is fine for both. */
void handshakes_stop(struct handshakes *h);
void handshakes_free(struct handshakes *h);

#endif
