/* A protected path whose keys change while both sides talk, over a network that delays, reorders and loses:
 * every packet that arrives opens, whatever keys it was sent under. */
#include "core/base/rng.h"
#include "core/media/secure.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#define START (1000 * US_PER_S)
#define TICK (20 * US_PER_MS)
#define FLYING_MAX 4096
#define PACKET 128

static struct cert cert_a, cert_b;

static int make_certs(void **state) {
  (void)state;
  return cert_make("a", 1, &cert_a) == ERR_OK && cert_make("b", 1, &cert_b) == ERR_OK ? 0 : -1;
}

static int free_certs(void **state) {
  (void)state;
  cert_free(&cert_a);
  cert_free(&cert_b);
  return 0;
}

struct flying {
  us_t at;
  int to;
  size_t n;
  uint8_t p[1500];
};
struct world {
  struct rng rng;
  struct dtls_ctx *ctx[2];
  struct secure *end[2]; /* client, server */
  us_t now;
  struct flying *air;
  size_t n_air;
  unsigned loss_pct;
  us_t delay, jitter;
  uint16_t seq[2];
  unsigned rekeys[2], arrived[2], opened[2], sent[2]; /* RTP, by receiver; sent by sender */
  bool silent[2];
  bool drop_ccs; /* the server's last flights are lost */
};

static void world_open(struct world *w, uint64_t seed) {
  *w = (struct world){.now = START, .delay = 20 * US_PER_MS};
  rng_seed(&w->rng, seed);
  w->air = calloc(FLYING_MAX, sizeof *w->air);
  w->ctx[0] = dtls_ctx_create(&cert_a, false);
  w->ctx[1] = dtls_ctx_create(&cert_b, false);
  w->end[0] = secure_create(w->ctx[0], false, "sha-256", cert_b.sha256, 32, 22);
  w->end[1] = secure_create(w->ctx[1], true, "sha-256", cert_a.sha256, 32, 11);
  assert_non_null(w->air);
  assert_non_null(w->end[0]);
  assert_non_null(w->end[1]);
}

static void world_close(struct world *w) {
  for (int i = 0; i < 2; i++) {
    secure_destroy(w->end[i]);
    dtls_ctx_destroy(w->ctx[i]);
  }
  free(w->air);
}

static void throw_to(struct world *w, int to, const uint8_t *p, size_t n) {
  if (rng_below(&w->rng, 100) < w->loss_pct || (w->drop_ccs && to == 0 && p[0] == 20))
    return;
  assert_true(w->n_air < FLYING_MAX);
  struct flying *f = &w->air[w->n_air++];
  *f = (struct flying){.at = w->now + w->delay, .to = to, .n = n};
  if (w->jitter)
    f->at += (us_t)rng_below(&w->rng, (uint64_t)w->jitter);
  memcpy(f->p, p, n);
}

static void send_rtcp(struct world *w, int from) {
  uint8_t p[PACKET] = {0x80, 201, 0, 1, 0, 0, 0, (uint8_t)(from ? 22 : 11)};
  size_t n = 8;
  if (secure_protect_rtcp(w->end[from], p, &n, sizeof p) == ERR_OK)
    throw_to(w, !from, p, n);
}

static void drain(struct world *w, int at) {
  uint8_t p[1500];
  size_t n;
  while ((n = secure_poll(w->end[at], p, sizeof p)))
    throw_to(w, !at, p, n);
  if (secure_news(w->end[at]) == SECURE_REKEYED) {
    w->rekeys[at]++;
    if (at == 0)
      send_rtcp(w, 0); /* as path.c does */
  }
}

static void send_rtp(struct world *w, int from) {
  uint8_t p[PACKET] = {0x80, 111};
  p[2] = (uint8_t)(w->seq[from] >> 8);
  p[3] = (uint8_t)w->seq[from];
  p[11] = from ? 22 : 11;
  memcpy(p + 12, &w->seq[from], 2);
  size_t n = 40;
  if (w->silent[from] || secure_protect(w->end[from], p, &n, sizeof p) != ERR_OK)
    return;
  w->seq[from]++;
  w->sent[from]++;
  throw_to(w, !from, p, n);
}

static void land(struct world *w, const struct flying *f) {
  uint8_t p[1500];
  size_t n = f->n;
  memcpy(p, f->p, n);
  if (p[0] < 64)
    secure_handle_dtls(w->end[f->to], w->now, p, n);
  else if (p[1] == 201)
    assert_int_equal(secure_unprotect_rtcp(w->end[f->to], p, &n), ERR_OK);
  else {
    w->arrived[f->to]++;
    w->opened[f->to] += secure_unprotect(w->end[f->to], w->now, p, &n) == ERR_OK;
  }
  drain(w, f->to);
}

/* Up to `until`, with a packet of each side every 20 ms. */
static void run(struct world *w, us_t until) {
  us_t next_tick = w->now + TICK;
  while (w->now < until) {
    us_t next = next_tick;
    for (size_t i = 0; i < w->n_air; i++)
      next = w->air[i].at < next ? w->air[i].at : next;
    w->now = next > w->now ? next : w->now;
    for (size_t i = 0; i < w->n_air;) {
      if (w->air[i].at > w->now) {
        i++;
        continue;
      }
      struct flying f = w->air[i];
      w->air[i] = w->air[--w->n_air];
      land(w, &f);
    }
    if (w->now < next_tick)
      continue;
    next_tick += TICK;
    for (int side = 0; side < 2; side++) {
      if (secure_next_timeout(w->end[side]) <= w->now)
        secure_handle_timeout(w->end[side], w->now);
      drain(w, side);
      send_rtp(w, side);
    }
  }
}

static void start(struct world *w) {
  secure_start(w->end[0], w->now);
  drain(w, 0);
  run(w, w->now + 5 * US_PER_S);
  assert_true(secure_up(w->end[0]));
  assert_true(secure_up(w->end[1]));
  assert_int_equal(secure_profile(w->end[1]), PROFILE_AEAD_AES_256_GCM);
}

static void rekey_every(struct world *w, us_t every, unsigned times) {
  for (unsigned i = 0; i < times; i++) {
    secure_rekey(w->end[0], w->now);
    drain(w, 0);
    run(w, w->now + every);
  }
}

static void assert_all_opened(const struct world *w) {
  for (int side = 0; side < 2; side++)
    assert_int_equal(w->opened[side], w->arrived[side]);
}

static void test_no_packet_is_lost(void **state) {
  (void)state;
  struct world w;
  world_open(&w, 1);
  start(&w);
  rekey_every(&w, 2 * US_PER_S, 10);
  for (int side = 0; side < 2; side++) {
    assert_int_equal(w.rekeys[side], 10);
    assert_true(w.sent[side] > 1000);
    assert_true(w.arrived[!side] + 3 >= w.sent[side]); /* the last ones are under way */
  }
  assert_all_opened(&w);
  world_close(&w);
}

/* Lossy and out of order: what is lost is lost, what arrives opens, and the keys change all the same. */
static void test_bad_network(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 12; seed++) {
    struct world w;
    world_open(&w, seed);
    w.seq[0] = 0xfb00; /* over the end of the sequence cycle, both of them, in the middle of it all */
    w.seq[1] = 0xfd00;
    start(&w);
    w.loss_pct = 20;
    w.jitter = 150 * US_PER_MS;
    rekey_every(&w, 6 * US_PER_S, 10);
    assert_true(w.rekeys[0] >= 3 && w.rekeys[1] >= 3);
    assert_true(w.arrived[0] > 1000 && w.arrived[1] > 1000);
    assert_all_opened(&w);
    world_close(&w);
  }
}

/* A listener sends no sound: his report alone tells the server that he has the new keys. */
static void test_listener(void **state) {
  (void)state;
  struct world w;
  world_open(&w, 3);
  w.silent[0] = true;
  start(&w);
  rekey_every(&w, US_PER_S, 5);
  assert_int_equal(w.rekeys[0], 5);
  assert_int_equal(w.arrived[1], 0);
  assert_true(w.arrived[0] > 300);
  assert_all_opened(&w);
  world_close(&w);
}

/* Anyone who can forge the address may send a hello: the call goes on, and so do later changes. */
static void test_forged_hello(void **state) {
  (void)state;
  struct world w;
  struct cert stranger;
  world_open(&w, 4);
  start(&w);
  assert_int_equal(cert_make("x", 1, &stranger), ERR_OK);
  struct dtls_ctx *ctx = dtls_ctx_create(&stranger, false);
  struct secure *s = secure_create(ctx, false, "sha-256", cert_b.sha256, 32, 22);
  uint8_t hello[1500], garbage[1500];
  secure_start(s, w.now);
  size_t n = secure_poll(s, hello, sizeof hello);
  assert_true(n > 0);
  memset(garbage, 0x16, sizeof garbage);
  for (int i = 0; i < 20; i++) {
    throw_to(&w, 1, hello, n);
    throw_to(&w, 1, garbage, sizeof garbage);
    run(&w, w.now + 200 * US_PER_MS);
  }
  assert_int_equal(w.rekeys[1], 0);
  run(&w, w.now + 40 * US_PER_S); /* it is forgotten after 30 s */
  rekey_every(&w, 2 * US_PER_S, 3);
  assert_int_equal(w.rekeys[0], 3);
  assert_int_equal(w.rekeys[1], 3);
  assert_all_opened(&w);
  secure_destroy(s);
  dtls_ctx_destroy(ctx);
  cert_free(&stranger);
  world_close(&w);
}

/* Whoever can forge the address makes us work at most once a second, and a true change of keys gets through.
 */
static void test_hello_flood(void **state) {
  (void)state;
  struct world w;
  struct cert stranger;
  uint8_t out[1500], hello[1500];
  static const uint8_t ALERT[15] = {21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 2, 40};
  unsigned answers = 0;
  world_open(&w, 7);
  start(&w);
  assert_int_equal(cert_make("x", 1, &stranger), ERR_OK);
  struct dtls_ctx *ctx = dtls_ctx_create(&stranger, false);
  for (int i = 0; i < 500; i++) {
    struct secure *s = secure_create(ctx, false, "sha-256", cert_b.sha256, 32, 22);
    secure_start(s, w.now);
    size_t n = secure_poll(s, hello, sizeof hello);
    secure_handle_dtls(w.end[1], w.now, hello, n);
    while (secure_poll(w.end[1], out, sizeof out) > 0)
      answers++;
    secure_handle_dtls(w.end[1], w.now, ALERT, sizeof ALERT);
    while (secure_poll(w.end[1], out, sizeof out) > 0)
      ;
    secure_destroy(s);
    w.now += 10 * US_PER_MS;
  }
  assert_true(answers > 0 && answers <= 2 * 6); /* five seconds, a flight of one or two datagrams each */
  struct secure *s = secure_create(ctx, false, "sha-256", cert_b.sha256, 32, 22);
  run(&w, w.now + 2 * US_PER_S);
  secure_start(s, w.now);
  secure_handle_dtls(w.end[1], w.now, hello, secure_poll(s, hello, sizeof hello)); /* occupies the place */
  run(&w, w.now + US_PER_S);
  rekey_every(&w, 5 * US_PER_S, 1);
  assert_int_equal(w.rekeys[0], 1);
  assert_int_equal(w.rekeys[1], 1);
  assert_all_opened(&w);
  secure_destroy(s);
  dtls_ctx_destroy(ctx);
  cert_free(&stranger);
  world_close(&w);
}

/* The server's last flight never arrives: its new keys are nobody's, and every packet still opens, then and
 * later. */
static void test_half_finished_changes(void **state) {
  (void)state;
  struct world w;
  world_open(&w, 8);
  start(&w);
  for (int i = 0; i < 3; i++) {
    w.drop_ccs = true;
    secure_rekey(w.end[0], w.now);
    drain(&w, 0);
    run(&w, w.now + 40 * US_PER_S); /* the client gives up after 30 s */
    w.drop_ccs = false;
    run(&w, w.now + US_PER_S);
  }
  assert_int_equal(w.rekeys[0], 0);
  assert_true(w.rekeys[1] >= 1); /* the server thought so */
  assert_all_opened(&w);
  rekey_every(&w, 3 * US_PER_S, 3);
  assert_int_equal(w.rekeys[0], 3);
  assert_all_opened(&w);
  world_close(&w);
}

/* Old keys end: a packet kept back for long does not open under them any more. */
static void test_old_keys_end(void **state) {
  (void)state;
  struct world w;
  world_open(&w, 5);
  start(&w);
  uint8_t late[PACKET] = {0x80, 111, 0x01, 0x00}, copy[PACKET];
  late[11] = 11;
  size_t n = 40;
  w.silent[0] = true;
  w.seq[0] = 0x200;
  assert_int_equal(secure_protect(w.end[0], late, &n, sizeof late), ERR_OK);
  w.silent[0] = false;
  secure_rekey(w.end[0], w.now);
  drain(&w, 0);
  run(&w, w.now + US_PER_S);
  size_t len = n;
  memcpy(copy, late, n);
  assert_int_equal(secure_unprotect(w.end[1], w.now, copy, &len), ERR_OK);
  run(&w, w.now + 2 * SECURE_OLD_US);
  len = n;
  memcpy(copy, late, n);
  assert_int_equal(secure_unprotect(w.end[1], w.now, copy, &len), ERR_SRTP_AUTH);
  assert_all_opened(&w);
  world_close(&w);
}

/* The keys change where the numbers begin anew, and a packet from before that, which the talker's line had
 * held back, comes after the first of the new keys: it must not make a new cycle of them of which nobody
 * knows. */
static void test_straggler_of_the_old_cycle(void **state) {
  (void)state;
  struct world w;
  world_open(&w, 7);
  w.seq[1] = 0xfe00;
  start(&w);
  rekey_every(&w, US_PER_S, 1);
  assert_true(w.rekeys[1] == 1 && w.seq[1] > 0xfe00);
  w.seq[1] = 0;
  send_rtp(&w, 1);
  w.seq[1] = 0xfffe;
  w.loss_pct = 100;
  send_rtp(&w, 1);
  w.loss_pct = 0;
  w.seq[1] = 1;
  run(&w, w.now + US_PER_S);
  assert_true(w.seq[1] > 40);
  assert_all_opened(&w);
  for (uint16_t seq = 0x5000; seq < 0xf000; seq = (uint16_t)(seq + 0x2000)) { /* it ends as any cycle does */
    w.seq[1] = seq;
    run(&w, w.now + US_PER_S);
  }
  w.seq[1] = 0xfff0;
  run(&w, w.now + US_PER_S);
  assert_in_range(w.seq[1], 20, 60);
  assert_all_opened(&w);
  world_close(&w);
}

static void test_wrong_side(void **state) {
  (void)state;
  struct world w;
  world_open(&w, 6);
  uint8_t p[PACKET] = {0x80, 111}, out[1500];
  size_t n = 40;
  assert_int_equal(secure_protect(w.end[0], p, &n, sizeof p), ERR_AGAIN);
  assert_int_equal(secure_unprotect(w.end[0], w.now, p, &n), ERR_AGAIN);
  secure_rekey(w.end[0], w.now); /* nothing is up yet */
  assert_int_equal(secure_poll(w.end[0], out, sizeof out), 0);
  start(&w);
  secure_rekey(w.end[1], w.now); /* the passive side never begins */
  assert_int_equal(secure_poll(w.end[1], out, sizeof out), 0);
  assert_null(secure_create(w.ctx[0], false, "sha-1", cert_b.sha256, 20, 0));
  world_close(&w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_no_packet_is_lost),
      cmocka_unit_test(test_bad_network),
      cmocka_unit_test(test_listener),
      cmocka_unit_test(test_forged_hello),
      cmocka_unit_test(test_hello_flood),
      cmocka_unit_test(test_half_finished_changes),
      cmocka_unit_test(test_old_keys_end),
      cmocka_unit_test(test_wrong_side),
      cmocka_unit_test(test_straggler_of_the_old_cycle),
  };
  return cmocka_run_group_tests(tests, make_certs, free_certs);
}
