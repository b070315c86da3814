#include "tests/bench/load/wsc.h"

#include "core/base/bytes.h"
#include "core/base/rng.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define READ_AT_ONCE 16384 /* a TLS record */
#define HEAD_MAX 4096
#define MESSAGE_MAX (8U << 20)

enum step { STEP_CONNECT, STEP_TLS, STEP_UPGRADE, STEP_OPEN };
enum opcode { OP_MORE = 0, OP_TEXT = 1, OP_CLOSE = 8, OP_PING = 9, OP_PONG = 10 };

struct store { /* bytes that wait */
  uint8_t *p;
  size_t n;
};
struct wsc {
  struct wsc_events ev;
  const struct link *link;
  SSL *ssl;
  int fd;
  enum step step;
  bool tls_writes; /* the handshake waits for room to write */
  struct store in, out, message;
  char goodbye[128]; /* of a close frame: its code and its reason */
};

static void store_add(struct store *s, const void *p, size_t n) {
  if (n == 0)
    return;
  s->p = realloc(s->p, s->n + n);
  if (!s->p)
    abort();
  memcpy(s->p + s->n, p, n);
  s->n += n;
}

static void store_drop(struct store *s, size_t n) {
  s->n -= n;
  if (s->n)
    memmove(s->p, s->p + n, s->n);
  else {
    free(s->p);
    s->p = NULL;
  }
}

struct wsc *wsc_create(SSL_CTX *tls, const struct link *l, const struct sockaddr *to, socklen_t to_len,
                       const struct wsc_events *ev, const char **why) {
  struct wsc *w = calloc(1, sizeof *w);
  if (!w)
    abort();
  w->ev = *ev;
  w->link = l;
  w->fd = socket(to->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  w->ssl = SSL_new(tls);
  if (w->fd < 0 || !w->ssl || !SSL_set_fd(w->ssl, w->fd) ||
      (connect(w->fd, to, to_len) != 0 && errno != EINPROGRESS)) {
    *why = w->fd < 0 ? "no more sockets (ulimit -n)" : "cannot connect";
    wsc_destroy(w);
    return NULL;
  }
  SSL_set_connect_state(w->ssl);
  SSL_set_tlsext_host_name(w->ssl, l->host);
  if (!l->has_pin) {
    SSL_set1_host(w->ssl, l->host);
    SSL_set_verify(w->ssl, SSL_VERIFY_PEER, NULL);
  }
  return w;
}

int wsc_fd(const struct wsc *w) {
  return w->fd;
}

uint32_t wsc_wants(const struct wsc *w) {
  bool writes = w->step == STEP_CONNECT || (w->step == STEP_TLS ? w->tls_writes : w->out.n > 0);
  return writes ? EPOLLIN | EPOLLOUT : EPOLLIN;
}

/* ---- opening ---- */

static bool is_pinned(const struct wsc *w) {
  unsigned char md[32];
  unsigned n = sizeof md;
  X509 *cert = SSL_get1_peer_certificate(w->ssl);
  bool good = cert && X509_digest(cert, EVP_sha256(), md, &n) && bytes_equal_ct(md, w->link->pin, sizeof md);
  X509_free(cert);
  return good;
}

static const char *shake(struct wsc *w) {
  int got = SSL_do_handshake(w->ssl);
  int e = got == 1 ? SSL_ERROR_NONE : SSL_get_error(w->ssl, got);
  w->tls_writes = e == SSL_ERROR_WANT_WRITE;
  if (e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE)
    return NULL;
  if (e != SSL_ERROR_NONE)
    return "no TLS connection";
  if (w->link->has_pin && !is_pinned(w))
    return "the certificate is not the pinned one";
  uint8_t nonce[16];
  char key[32], head[512];
  rng_system()->fill(rng_system(), nonce, sizeof nonce);
  EVP_EncodeBlock((unsigned char *)key, nonce, sizeof nonce);
  int n = snprintf(head, sizeof head,
                   "GET /v1/ws HTTP/1.1\r\nHost: %s:%u\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   "Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n"
                   "Sec-WebSocket-Protocol: gavel.1\r\n\r\n",
                   w->link->host, w->link->port, key);
  store_add(&w->out, head, (size_t)n);
  w->step = STEP_UPGRADE;
  return NULL;
}

/* How many bytes the answer to the upgrade took, 0 when it is not all there. */
static size_t upgraded(struct wsc *w, const uint8_t *p, size_t n, const char **over) {
  const uint8_t *end = memmem(p, n, "\r\n\r\n", 4);
  if (!end) {
    *over = n > HEAD_MAX ? "no answer to the upgrade" : NULL;
    return 0;
  }
  if (memcmp(p, "HTTP/1.1 101", 12) != 0) {
    *over = "the server refused the WebSocket";
    return 0;
  }
  w->step = STEP_OPEN;
  w->ev.opened(w->ev.ctx);
  return (size_t)(end + 4 - p);
}

/* ---- frames ---- */

static void put_frame(struct wsc *w, unsigned op, const void *p, size_t n) {
  uint8_t head[14];
  struct writer h = writer_of(head, sizeof head);
  uint8_t mask[4];
  rng_system()->fill(rng_system(), mask, sizeof mask);
  write_u8(&h, 0x80 | op);
  if (n < 126)
    write_u8(&h, 0x80 | (unsigned)n);
  else {
    write_u8(&h, 0x80 | 126);
    write_u16(&h, (unsigned)n);
  }
  write_bytes(&h, mask, sizeof mask);
  store_add(&w->out, head, writer_len(&h));
  size_t at = w->out.n;
  store_add(&w->out, p, n);
  for (size_t i = 0; i < n; i++)
    w->out.p[at + i] ^= mask[i % 4];
}

static const char *take_frame(struct wsc *w, unsigned first, const uint8_t *p, size_t n) {
  switch (first & 15) {
  case OP_CLOSE:
    if (n >= 2)
      snprintf(w->goodbye, sizeof w->goodbye, "closed with %u %.*s", p[0] * 256U + p[1], (int)(n - 2),
               (const char *)p + 2);
    return "the server closed the connection";
  case OP_PING:
    put_frame(w, OP_PONG, p, n);
    return NULL;
  case OP_TEXT:
  case OP_MORE:
    if ((first & 0x80) && w->message.n == 0) {
      w->ev.text(w->ev.ctx, (const char *)p, n);
      return NULL;
    }
    store_add(&w->message, p, n);
    if (first & 0x80) {
      w->ev.text(w->ev.ctx, (const char *)w->message.p, w->message.n);
      store_drop(&w->message, w->message.n);
    }
    return w->message.n > MESSAGE_MAX ? "a message without end" : NULL;
  default:
    return NULL;
  }
}

/* How many bytes the first frame took, 0 when it is not all there. */
static size_t one_frame(struct wsc *w, const uint8_t *p, size_t n, const char **over) {
  struct reader r = reader_of(p, n);
  unsigned first = read_u8(&r);
  uint64_t len = read_u8(&r) & 0x7f;
  if (len == 126)
    len = read_u16(&r);
  else if (len == 127)
    len = read_u64(&r);
  if (r.ok && len > MESSAGE_MAX) {
    *over = "a message without end";
    return 0;
  }
  if (!r.ok || reader_left(&r) < len)
    return 0;
  *over = take_frame(w, first, r.p, len);
  return (size_t)(r.p - p) + len;
}

static const char *take(struct wsc *w, const uint8_t *p, size_t n) {
  bool waited = w->in.n > 0;
  if (waited) {
    store_add(&w->in, p, n);
    p = w->in.p;
    n = w->in.n;
  }
  const char *over = NULL;
  size_t at = 0, step;
  do {
    step = w->step == STEP_UPGRADE ? upgraded(w, p + at, n - at, &over) : one_frame(w, p + at, n - at, &over);
    at += step;
  } while (step && !over);
  if (waited)
    store_drop(&w->in, at);
  else
    store_add(&w->in, p + at, n - at);
  return over;
}

/* ---- moving bytes ---- */

static const char *read_all(struct wsc *w) {
  uint8_t buf[READ_AT_ONCE];
  const char *over = NULL;
  int n = 0;
  while (!over && (n = SSL_read(w->ssl, buf, sizeof buf)) > 0)
    over = take(w, buf, (size_t)n);
  if (over)
    return over;
  int e = SSL_get_error(w->ssl, n);
  return e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE ? NULL : "the connection was lost";
}

static const char *write_all(struct wsc *w) {
  while (w->out.n) {
    int n = SSL_write(w->ssl, w->out.p, (int)w->out.n);
    if (n <= 0)
      return SSL_get_error(w->ssl, n) == SSL_ERROR_WANT_WRITE ||
                     SSL_get_error(w->ssl, n) == SSL_ERROR_WANT_READ
                 ? NULL
                 : "the connection was lost";
    store_drop(&w->out, (size_t)n);
  }
  return NULL;
}

const char *wsc_ready(struct wsc *w) {
  const char *over = NULL;
  ERR_clear_error();
  if (w->step == STEP_CONNECT) {
    int e = 0;
    socklen_t n = sizeof e;
    if (getsockopt(w->fd, SOL_SOCKET, SO_ERROR, &e, &n) != 0 || e != 0)
      return "cannot connect";
    w->step = STEP_TLS;
  }
  if (w->step == STEP_TLS)
    over = shake(w);
  if (!over && w->step >= STEP_UPGRADE)
    over = write_all(w);
  if (!over && w->step >= STEP_UPGRADE)
    over = read_all(w);
  return over || w->step < STEP_UPGRADE ? over : write_all(w);
}

const char *wsc_goodbye(const struct wsc *w) {
  return w->goodbye;
}

void wsc_send(struct wsc *w, const char *text) {
  size_t n = strlen(text);
  if (n <= UINT16_MAX)
    put_frame(w, OP_TEXT, text, n);
}

void wsc_destroy(struct wsc *w) {
  if (!w)
    return;
  SSL_free(w->ssl);
  if (w->fd >= 0)
    close(w->fd);
  free(w->in.p);
  free(w->out.p);
  free(w->message.p);
  free(w);
}
