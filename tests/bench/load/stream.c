#include "tests/bench/load/stream.h"

#include "core/base/bytes.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

static const char LOST[] = "the connection was lost";

enum step { STEP_CONNECT, STEP_TLS, STEP_OPEN };
struct stream {
  const struct link *link;
  SSL *ssl;
  int fd;
  enum step step;
  bool tls_writes; /* the handshake waits for room to write */
  struct store out;
};

void store_add(struct store *s, const void *p, size_t n) {
  if (n == 0)
    return;
  s->p = realloc(s->p, s->n + n);
  if (!s->p)
    abort();
  memcpy(s->p + s->n, p, n);
  s->n += n;
}

void store_drop(struct store *s, size_t n) {
  s->n -= n;
  if (s->n)
    memmove(s->p, s->p + n, s->n);
  else {
    free(s->p);
    s->p = NULL;
  }
}

/* ---- opening ---- */

static bool begin_tls(struct stream *s, SSL_CTX *tls) {
  s->ssl = SSL_new(tls);
  if (!s->ssl || !SSL_set_fd(s->ssl, s->fd))
    return false;
  SSL_set_connect_state(s->ssl);
  if (s->link)
    SSL_set_tlsext_host_name(s->ssl, s->link->host);
  if (s->link && !s->link->has_pin) {
    SSL_set1_host(s->ssl, s->link->host);
    SSL_set_verify(s->ssl, SSL_VERIFY_PEER, NULL);
  }
  return true;
}

struct stream *stream_create(SSL_CTX *tls, const struct link *l, const struct sockaddr *to, socklen_t to_len,
                             const char **why) {
  struct stream *s = calloc(1, sizeof *s);
  if (!s)
    abort();
  s->link = l;
  s->fd = socket(to->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (s->fd < 0 || (tls && !begin_tls(s, tls)) || (connect(s->fd, to, to_len) != 0 && errno != EINPROGRESS)) {
    *why = s->fd < 0 ? "no more sockets (ulimit -n)" : "cannot connect";
    stream_destroy(s);
    return NULL;
  }
  return s;
}

int stream_fd(const struct stream *s) {
  return s->fd;
}

uint32_t stream_wants(const struct stream *s) {
  bool writes = s->step == STEP_CONNECT || (s->step == STEP_TLS ? s->tls_writes : s->out.n > 0);
  return writes ? EPOLLIN | EPOLLOUT : EPOLLIN;
}

bool stream_open(const struct stream *s) {
  return s->step == STEP_OPEN;
}

static bool is_pinned(const struct stream *s) {
  unsigned char md[32];
  unsigned n = sizeof md;
  X509 *cert = SSL_get1_peer_certificate(s->ssl);
  bool good = cert && X509_digest(cert, EVP_sha256(), md, &n) && bytes_equal_ct(md, s->link->pin, sizeof md);
  X509_free(cert);
  return good;
}

static const char *shake(struct stream *s) {
  int got = SSL_do_handshake(s->ssl);
  int e = got == 1 ? SSL_ERROR_NONE : SSL_get_error(s->ssl, got);
  s->tls_writes = e == SSL_ERROR_WANT_WRITE;
  if (e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE)
    return NULL;
  if (e != SSL_ERROR_NONE)
    return "no TLS connection";
  if (s->link && s->link->has_pin && !is_pinned(s))
    return "the certificate is not the pinned one";
  s->step = STEP_OPEN;
  return NULL;
}

/* ---- moving bytes ---- */

/* 0 when it has to wait, -1 when the connection has ended. */
static ssize_t moved(const struct stream *s, ssize_t n) {
  if (n > 0)
    return n;
  if (!s->ssl)
    return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
  int e = SSL_get_error(s->ssl, (int)n);
  return e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

static const char *flush(struct stream *s) {
  while (s->out.n) {
    int most = s->out.n < INT_MAX ? (int)s->out.n : INT_MAX;
    ssize_t n = moved(s, s->ssl ? SSL_write(s->ssl, s->out.p, most)
                                : send(s->fd, s->out.p, (size_t)most, MSG_NOSIGNAL));
    if (n <= 0)
      return n < 0 ? LOST : NULL;
    store_drop(&s->out, (size_t)n);
  }
  return NULL;
}

const char *stream_ready(struct stream *s) {
  const char *over = NULL;
  ERR_clear_error();
  if (s->step == STEP_CONNECT) {
    int e = 0;
    socklen_t n = sizeof e;
    if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &e, &n) != 0 || e != 0)
      return "cannot connect";
    s->step = s->ssl ? STEP_TLS : STEP_OPEN;
  }
  if (s->step == STEP_TLS)
    over = shake(s);
  return over || s->step != STEP_OPEN ? over : flush(s);
}

size_t stream_read(struct stream *s, uint8_t *p, size_t cap, const char **over) {
  ssize_t n = moved(s, s->ssl ? SSL_read(s->ssl, p, (int)cap) : recv(s->fd, p, cap, 0));
  if (n < 0)
    *over = LOST;
  return n > 0 ? (size_t)n : 0;
}

void stream_write(struct stream *s, const void *p, size_t n) {
  store_add(&s->out, p, n);
}

void stream_destroy(struct stream *s) {
  if (!s)
    return;
  SSL_free(s->ssl);
  if (s->fd >= 0)
    close(s->fd);
  free(s->out.p);
  free(s);
}
