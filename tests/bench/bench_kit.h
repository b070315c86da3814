/* bench_kit.h: DTLS-SRTP peers on sockets of their own for the benches that run a real media thread in
 * process. Invariant: a fault ends the program, a bench has nobody to report to. */
#ifndef GAVEL_BENCH_KIT_H
#define GAVEL_BENCH_KIT_H

#include "core/media/cert.h"
#include "core/media/secure.h"
#include "core/server/shell_media.h"
#include "core/wire/rtp.h"
#include "core/wire/stun.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct bench { /* what all peers share */
  struct cert cert;
  struct dtls_ctx *dtls;
  struct media_thread *thread;
  uint16_t port;
  uint32_t last_handle;
};
struct peer {
  uint32_t handle;
  int fd;
  void (*send)(struct peer *r, const uint8_t *p, size_t n);
  struct secure *secure;
  uint32_t ssrc, ts;
  uint16_t seq;
  uint8_t check[STUN_MAX]; /* the STUN check that makes the path and keeps it alive */
  size_t n_check;
  bool up;
};

static inline void bench_need(bool ok, const char *what) {
  if (ok)
    return;
  perror(what);
  exit(1);
}

static inline void bench_no_wake(void *ctx) {
  (void)ctx; /* nobody reads the thread's events */
}

static inline struct sockaddr_in bench_loopback(uint16_t port) {
  return (struct sockaddr_in){
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

/* An UDP socket, connected unless `to` is 0. */
static inline int bench_udp(uint16_t to) {
  struct sockaddr_in a = bench_loopback(to);
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  bench_need(fd >= 0 && (!to || connect(fd, (struct sockaddr *)&a, sizeof a) == 0), "socket");
  return fd;
}

static inline void bench_certs(struct bench *b) {
  bench_need(cert_make("bench", 1, &b->cert) == ERR_OK && (b->dtls = dtls_ctx_create(&b->cert, true)),
             "cert");
}

static inline void bench_start(struct bench *b, struct handshakes *hands) {
  struct media_thread_config cfg = {
      .listen = "127.0.0.1", .dtls = b->dtls, .handshakes = hands, .wake = bench_no_wake};
  bench_need(media_thread_start(&cfg, &b->thread) == ERR_OK, "media thread");
  b->port = media_thread_port(b->thread);
}

/* ---- peers ---- */

static inline void peer_send(struct peer *r, const uint8_t *p, size_t n) {
  if (send(r->fd, p, n, 0) < 0)
    perror("send");
}

/* peer_drain: after each call into `secure`. */
static inline void peer_drain(struct peer *r) {
  uint8_t buf[DTLS_DATAGRAM_MAX];
  for (size_t n; (n = secure_poll(r->secure, buf, sizeof buf));)
    r->send(r, buf, n);
  bench_need(secure_news(r->secure) != SECURE_FAILED, "handshake");
  r->up = secure_up(r->secure);
}

static inline void peer_hello(struct peer *r) {
  secure_start(r->secure, clock_now());
  peer_drain(r);
}

static inline void peer_take(struct peer *r, const uint8_t *p, size_t n) {
  if (p[0] < 20 || p[0] > 63)
    return;
  secure_handle_dtls(r->secure, clock_now(), p, n);
  peer_drain(r);
}

/* peer_seal: his next packet of voice into `out`, which has place. */
static inline size_t peer_seal(struct peer *r, const uint8_t *payload, size_t len, uint32_t samples,
                               bool voice, uint8_t *out, size_t cap) {
  struct rtp h = {.pt = 111, .seq = r->seq++, .ts = r->ts, .ssrc = r->ssrc};
  uint8_t level = voice ? 0x80 | 14 : 127; /* RFC 6464 */
  size_t n = rtp_build(out, cap, &h, 1, &level, 1);
  r->ts += samples;
  memcpy(out + n, payload, len);
  n += len;
  bench_need(secure_protect(r->secure, out, &n, cap) == ERR_OK, "protect");
  return n;
}

/* peer_order: how the server learns of a peer; `cmd` says room and rights, the rest is made here. */
static inline void peer_order(struct bench *b, struct peer *r, struct media_cmd *cmd) {
  struct media_peer_params *p = &cmd->params;
  char user[32];
  uint8_t tid[12];
  *r = (struct peer){.handle = ++b->last_handle, .fd = -1, .send = peer_send};
  cmd->kind = MEDIA_PEER_ADD;
  cmd->peer = cmd->member = r->handle;
  rng_token(rng_system(), p->local_ufrag, 8);
  rng_token(rng_system(), p->local_pwd, 24);
  memcpy(p->hash, "sha-256", 8);
  memcpy(p->fingerprint, b->cert.sha256, 32);
  p->fingerprint_len = 32;
  p->opus_pt = 111;
  p->red_pt = 255;
  p->level_id = 1;
  p->csrc_level_id = 2;
  p->ssrc_in = 1000000 + r->handle;
  p->ssrc_out = 2000000 + r->handle;
  p->recv = p->send = true;
  r->ssrc = p->ssrc_in;
  r->secure = secure_create(b->dtls, false, "sha-256", b->cert.sha256, 32, p->ssrc_out);
  bench_need(r->secure != NULL, "secure");
  snprintf(user, sizeof user, "%s:peer", p->local_ufrag);
  rng_system()->fill(rng_system(), tid, sizeof tid);
  r->n_check = stun_build_request(r->check, sizeof r->check, tid, user, p->local_pwd, true, 1, 100, true);
}

/* peer_make: known to the media thread, nothing sent yet. */
static inline void peer_make(struct bench *b, struct peer *r, uint32_t room, bool speaks) {
  struct media_cmd cmd = {.room = room, .may_send = speaks, .may_hear = true};
  peer_order(b, r, &cmd);
  media_thread_command(b->thread, &cmd);
  r->fd = bench_udp(b->port);
}

static inline void peer_check(struct peer *r) {
  r->send(r, r->check, r->n_check);
}

/* peer_pump: takes what has arrived within `us`. */
static inline void peer_pump(struct peer *r, us_t us) {
  struct pollfd p = {r->fd, POLLIN, 0};
  struct timespec t = {us / US_PER_S, (long)(us % US_PER_S) * 1000};
  uint8_t buf[1600];
  ssize_t n;
  if (us > 0)
    ppoll(&p, 1, &t, NULL);
  while ((n = recv(r->fd, buf, sizeof buf, 0)) > 0)
    peer_take(r, buf, (size_t)n);
  if (!r->up && secure_next_timeout(r->secure) <= clock_now()) {
    secure_handle_timeout(r->secure, clock_now());
    peer_drain(r);
  }
}

/* peer_open: up when it returns. */
static inline void peer_open(struct bench *b, struct peer *r, uint32_t room, bool speaks) {
  peer_make(b, r, room, speaks);
  for (int i = 0; i < 500 && !r->up; i++) {
    if (i % 50 == 0)
      peer_check(r);
    if (i == 2)
      peer_hello(r);
    peer_pump(r, 10 * US_PER_MS);
  }
  bench_need(r->up, "a path");
}

static inline void peer_close(struct bench *b, struct peer *r) {
  media_thread_command(b->thread, &(struct media_cmd){.kind = MEDIA_PEER_DEL, .peer = r->handle});
  secure_destroy(r->secure);
  close(r->fd);
}

/* ---- rows ---- */

static inline int bench_by_value(const void *a, const void *b) {
  us_t x = *(const us_t *)a, y = *(const us_t *)b;
  return x < y ? -1 : x > y;
}

static inline void bench_row(const char *name, us_t *v, size_t n) {
  qsort(v, n, sizeof *v, bench_by_value);
  printf("%-44s %9.3f %9.3f %9.3f   (n=%zu)\n", name, (double)v[n / 2] / 1000, (double)v[n * 99 / 100] / 1000,
         (double)v[n - 1] / 1000, n);
}

#endif
