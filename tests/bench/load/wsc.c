#include "tests/bench/load/wsc.h"

#include "core/base/bytes.h"
#include "core/base/rng.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define READ_AT_ONCE 16384 /* a TLS record */
#define HEAD_MAX 4096
#define MESSAGE_MAX (8U << 20)

enum opcode { OP_MORE = 0, OP_TEXT = 1, OP_CLOSE = 8, OP_PING = 9, OP_PONG = 10 };

struct wsc {
  struct wsc_events ev;
  struct stream *stream;
  bool open; /* the upgrade was answered */
  struct store in, message;
  char goodbye[128]; /* of a close frame: its code and its reason */
};

struct wsc *wsc_create(struct stream *s, const char *host, const char *path, const char *protocol,
                       const struct wsc_events *ev) {
  struct wsc *w = calloc(1, sizeof *w);
  if (!w)
    abort();
  *w = (struct wsc){.ev = *ev, .stream = s};
  uint8_t nonce[16];
  char key[32], head[512];
  rng_system()->fill(rng_system(), nonce, sizeof nonce);
  EVP_EncodeBlock((unsigned char *)key, nonce, sizeof nonce);
  int n = snprintf(head, sizeof head,
                   "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   "Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n"
                   "Sec-WebSocket-Protocol: %s\r\n\r\n",
                   path, host, key, protocol);
  if (n >= (int)sizeof head)
    abort();
  stream_write(s, head, (size_t)n);
  return w;
}

struct stream *wsc_stream(const struct wsc *w) {
  return w->stream;
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
  w->open = true;
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
  uint8_t *body = malloc(n + 1);
  if (!body)
    abort();
  for (size_t i = 0; i < n; i++)
    body[i] = ((const uint8_t *)p)[i] ^ mask[i % 4];
  stream_write(w->stream, head, writer_len(&h));
  stream_write(w->stream, body, n);
  free(body);
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
    step = !w->open ? upgraded(w, p + at, n - at, &over) : one_frame(w, p + at, n - at, &over);
    at += step;
  } while (step && !over);
  if (waited)
    store_drop(&w->in, at);
  else
    store_add(&w->in, p + at, n - at);
  return over;
}

/* ---- moving bytes ---- */

const char *wsc_ready(struct wsc *w) {
  uint8_t buf[READ_AT_ONCE];
  const char *over = stream_ready(w->stream);
  size_t n = 1;
  while (!over && n && stream_open(w->stream))
    if ((n = stream_read(w->stream, buf, sizeof buf, &over)))
      over = take(w, buf, n);
  return over ? over : stream_ready(w->stream);
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
  stream_destroy(w->stream);
  free(w->in.p);
  free(w->message.p);
  free(w);
}
