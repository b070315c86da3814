/* stream.h: one TCP connection without blocking, under TLS or plain (as the peers of tests/bench/versus have
 * it), for thousands in one loop: no thread, buffer or timer of its own while nothing moves.
 *
 * Invariant: with a link nothing is sent to a server whose certificate is not the link's. The owner watches
 * stream_fd for stream_wants (EPOLLIN, EPOLLOUT). Thread: one. */
#ifndef GAVEL_LOAD_STREAM_H
#define GAVEL_LOAD_STREAM_H

#include "core/wire/link.h"

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct store { /* bytes that wait */
  uint8_t *p;
  size_t n;
};
void store_add(struct store *s, const void *p, size_t n);
void store_drop(struct store *s, size_t n); /* the first n */

struct stream;
/* stream_create: begins to connect. `tls` NULL: plain. `l` NULL: any certificate will do. NULL and *why
 * (static) when there is no socket to be had. */
struct stream *stream_create(SSL_CTX *tls, const struct link *l, const struct sockaddr *to, socklen_t to_len,
                             const char **why);
int stream_fd(const struct stream *s);
uint32_t stream_wants(const struct stream *s);
/* stream_ready: connects, shakes hands, writes what waits; a reason (static) when it is over, else NULL. */
const char *stream_ready(struct stream *s);
/* stream_open: bytes may come and go. */
bool stream_open(const struct stream *s);
/* stream_read: how many bytes came, 0: none now; *over (static) when the connection has ended. */
size_t stream_read(struct stream *s, uint8_t *p, size_t cap, const char **over);
/* stream_write: copied; goes out with the next stream_ready. */
void stream_write(struct stream *s, const void *p, size_t n);
void stream_destroy(struct stream *s); /* NULL is fine */

#endif
