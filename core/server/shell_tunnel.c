#include "core/server/shell_tunnel.h"

#include "core/base/outq.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define UNSENT 2048 /* bytes that the kernel may hold back: what it has cannot be dropped */

struct sound { /* as long as it is: most are short, and there may be thousands of tunnels */
  us_t at;
  uint16_t len;
  uint8_t data[];
};
struct tunnel { /* of a connection, from its first binary message on */
  uint8_t rx[CARRIER_DATAGRAM_MAX];
  size_t n_rx;
  unsigned fragments;
  unsigned first, n; /* in `queue`, a ring */
  struct sound *queue[TUNNEL_QUEUE];
};

static struct tunnel *tunnel_of(struct server *s, struct lws *wsi, uint32_t conn) {
  struct tunnel *t = map_get_u32(s->tunnels, conn);
  int unsent = UNSENT;
  if (t)
    return t;
  t = calloc(1, sizeof *t);
  if (!t)
    abort();
  map_put_u32(s->tunnels, conn, t);
  (void)setsockopt(lws_get_socket_fd(wsi), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
  return t;
}

static void drop_first(struct tunnel *t) {
  free(t->queue[t->first]);
  t->first = (t->first + 1) % TUNNEL_QUEUE;
  t->n--;
}

void shell_tunnel_closed(struct server *s, uint32_t conn) {
  struct tunnel *t = map_del_u32(s->tunnels, conn);
  while (t && t->n > 0)
    drop_first(t);
  free(t);
}

int shell_tunnel_receive(struct server *s, struct lws *wsi, uint32_t conn, const void *in, size_t len) {
  struct carried c = {.at = {.family = CARRIER_FAMILY, .via = VIA_TUNNEL, .handle = conn}};
  unsigned thread;
  if (!control_has_tunnel(s->control, conn)) {
    lws_close_reason(wsi, LWS_CLOSE_STATUS_UNACCEPTABLE_OPCODE, NULL, 0);
    return -1;
  }
  struct tunnel *t = tunnel_of(s, wsi, conn);
  bool frame_ends = lws_remaining_packet_payload(wsi) == 0;
  if (len > sizeof t->rx - t->n_rx || (frame_ends && ++t->fragments > LIMIT_VALUE_FRAGMENTS)) {
    lws_close_reason(wsi, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, NULL, 0);
    return -1;
  }
  memcpy(t->rx + t->n_rx, in, len);
  t->n_rx += len;
  if (!frame_ends || !lws_is_final_fragment(wsi))
    return 0;
  c.len = (uint16_t)t->n_rx;
  memcpy(c.data, t->rx, t->n_rx);
  t->n_rx = 0;
  t->fragments = 0;
  if (c.len > 0 && control_tunnel(s->control, conn, &thread, &c.at))
    media_thread_carry(s->media[thread], &c);
  return 0;
}

static void put(struct tunnel *t, const struct carried *c) {
  struct sound *q = malloc(sizeof *q + c->len);
  if (!q)
    abort();
  if (t->n == TUNNEL_QUEUE) /* the oldest is worth least */
    drop_first(t);
  t->queue[(t->first + t->n++) % TUNNEL_QUEUE] = q;
  q->at = c->put_us;
  q->len = c->len;
  memcpy(q->data, c->data, c->len);
}

void shell_tunnel_take(struct server *s) {
  struct carried c;
  for (unsigned i = 0; i < s->cfg.media_threads; i++)
    while (media_thread_carried(s->media[i], &c)) {
      struct lws *wsi = map_get_u32(s->wsis, c.at.handle);
      struct tunnel *t = map_get_u32(s->tunnels, c.at.handle);
      if (!wsi || !t)
        continue;
      put(t, &c);
      lws_callback_on_writable(wsi);
    }
}

/* The head of a binary frame, RFC 6455 5.2: the server does not mask. */
static size_t put_head(uint8_t *p, size_t n) {
  p[0] = 0x82;
  p[1] = n < 126 ? (uint8_t)n : 126;
  p[2] = (uint8_t)(n >> 8);
  p[3] = (uint8_t)n;
  return n < 126 ? 2 : 4;
}

int shell_tunnel_write(struct server *s, struct lws *wsi, uint32_t conn) {
  struct tunnel *t = map_get_u32(s->tunnels, conn);
  uint8_t *frames = s->frames + LWS_PRE;
  size_t len = 0;
  us_t now = clock_now();
  if (!t || t->n == 0)
    return 0;
  if (lws_send_pipe_choked(wsi)) {
    lws_callback_on_writable(wsi);
    return 0;
  }
  bool full = outq_is_long(lws_get_socket_fd(wsi)); /* then it is tried again with the next datagram */
  for (; t->n > 0; drop_first(t)) {
    const struct sound *q = t->queue[t->first];
    if (now - q->at > TUNNEL_LATE_US)
      continue;
    if (full)
      return 0;
    if (len > 0 && len + 4 + q->len > UNSENT)
      break;
    len += put_head(frames + len, q->len);
    memcpy(frames + len, q->data, q->len);
    len += q->len;
  }
  if (t->n > 0)
    lws_callback_on_writable(wsi);
  return len == 0 || lws_write(wsi, frames, len, LWS_WRITE_HTTP) == (int)len ? 0 : -1;
}
