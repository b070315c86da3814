/* handshake.c: what a bare DTLS handshake costs a server on this machine: both ends in memory, only the
 * server's calls are timed. */
#include "core/media/dtls.h"
#include "tests/bench/load/load.h"

#include <time.h>

#define ROUNDS 200

static int64_t cpu_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Moves all that waits from one to the other; whether there was any. */
static bool pass(struct dtls *from, struct dtls *to, us_t now) {
  uint8_t b[DTLS_DATAGRAM_MAX];
  size_t n;
  bool any = false;
  while ((n = dtls_poll_packet(from, b, sizeof b))) {
    dtls_handle_packet(to, now, b, n);
    any = true;
  }
  return any;
}

/* The server's reading is timed with the client's writing, which is a copy. */
static int64_t one(struct dtls_ctx *ctx, const struct cert *c, bool *done) {
  int64_t ns = 0, from = cpu_ns();
  us_t now = clock_now();
  struct dtls *server = dtls_create(ctx, true, "sha-256", c->sha256, 32);
  ns += cpu_ns() - from;
  struct dtls *client = dtls_create(ctx, false, "sha-256", c->sha256, 32);
  *done = server && client;
  if (*done)
    dtls_start(client, now);
  for (bool any = *done; any;) {
    from = cpu_ns();
    any = pass(client, server, now);
    ns += cpu_ns() - from;
    any |= pass(server, client, now);
  }
  *done = *done && dtls_state(server) == DTLS_DONE && dtls_state(client) == DTLS_DONE;
  dtls_destroy(server);
  dtls_destroy(client);
  return ns;
}

double handshake_cost(void) {
  struct cert c;
  struct dtls_ctx *ctx = NULL;
  int64_t ns = 0;
  bool done = cert_make("handshake", 2, &c) == ERR_OK && (ctx = dtls_ctx_create(&c, false));
  for (int i = 0; i < ROUNDS && done; i++)
    ns += one(ctx, &c, &done);
  dtls_ctx_destroy(ctx);
  cert_free(&c);
  return done ? (double)ns / 1000 / ROUNDS : 0;
}
