/* Asking for lost packets and sending them again: the two halves alone, and over a line that loses in bursts.
 */
#include "core/base/rng.h"
#include "core/media/nack.h"
#include "core/media/resend.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW (100 * US_PER_S)
#define MS US_PER_MS
#define PACKET 100

static void fill(uint8_t *p, uint16_t seq) {
  for (unsigned i = 0; i < PACKET; i++)
    p[i] = (uint8_t)(seq * 31 + i);
}

static void keep(struct resend *r, us_t now, uint16_t seq) {
  uint8_t p[PACKET];
  fill(p, seq);
  resend_keep(r, now, seq, p, sizeof p, 1000);
}

/* ---- what is kept ---- */

static void the_same_bytes(void **state) {
  (void)state;
  struct resend *r = NULL;
  uint8_t want[PACKET];
  size_t n = 0;
  assert_null(resend_take(r, NOW, 1, &n));
  keep(r, NOW, 1); /* nobody needs it: nothing is kept */
  resend_need(&r, NOW);
  assert_non_null(r);
  for (uint16_t i = 0; i < RESEND_KEPT + 5; i++)
    keep(r, NOW + i * MS, (uint16_t)(65530 + i));
  us_t now = NOW + 40 * MS;
  assert_null(resend_take(r, now, (uint16_t)65530, &n)); /* its place has another now */
  for (uint16_t i = 5; i < RESEND_KEPT + 5; i++) {
    const uint8_t *p = resend_take(r, now, (uint16_t)(65530 + i), &n);
    assert_non_null(p);
    assert_int_equal(n, PACKET);
    fill(want, (uint16_t)(65530 + i));
    assert_memory_equal(p, want, PACKET);
  }
  assert_null(resend_take(r, now, 200, &n)); /* not sent yet */
  resend_forget(r);
  assert_null(resend_take(r, now + 20 * MS, 0, &n));
  free(r);
}

static void not_too_often_nor_too_late(void **state) {
  (void)state;
  struct resend *r = NULL;
  size_t n;
  resend_need(&r, NOW);
  keep(r, NOW, 1);
  keep(r, NOW, 2);
  unsigned times = 0;
  for (us_t t = NOW; t < NOW + 300 * MS; t += MS)
    times += resend_take(r, t, 1, &n) != NULL;
  assert_int_equal(times, RESEND_TIMES);
  assert_non_null(resend_take(r, NOW + RESEND_AGE_US, 2, &n));
  assert_null(resend_take(r, NOW + RESEND_AGE_US + 20 * MS, 2, &n));
  uint8_t large[RESEND_BYTES + 1] = {0};
  resend_keep(r, NOW + 500 * MS, 3, large, sizeof large, 1000);
  assert_null(resend_take(r, NOW + 501 * MS, 3, &n));
  resend_rest(&r, NOW + RESEND_CALM_US - 1);
  assert_non_null(r);
  resend_rest(&r, NOW + RESEND_CALM_US);
  assert_null(r);
}

/* Everything is asked for all the time: what goes out in all stays below the rate, but for a second of it at
 * the beginning. */
static void within_the_rate(void **state) {
  (void)state;
  const unsigned rates[] = {0, 30, 60, 80};
  for (size_t i = 0; i < 4; i++) {
    struct resend *r = NULL;
    size_t sent = 0, again = 0, n;
    uint8_t p[PACKET] = {0};
    resend_need(&r, NOW);
    for (uint16_t seq = 0; seq < 1000; seq++) { /* 51.2 kb/s */
      us_t now = NOW + seq * 20 * MS;
      resend_keep(r, now, seq, p, sizeof p, rates[i]);
      sent += PACKET + RESEND_HEADERS;
      for (uint16_t back = 0; back < 20 && back <= seq; back++)
        if (resend_take(r, now, (uint16_t)(seq - back), &n))
          again += n + RESEND_HEADERS;
    }
    size_t most = rates[i] * 1000 / 8 * 21;
    assert_true(sent + again <= (most > sent ? most : sent + rates[i] * 1000 / 8));
    assert_true(rates[i] < 60 || sent + again > most * 9 / 10);
    free(r);
  }
}

/* ---- what is asked for ---- */

static size_t take(struct nack *k, us_t now, unsigned rtt, uint16_t *v) {
  return nack_ask(k, now, rtt, 100, v);
}

static void asks_in_time(void **state) {
  (void)state;
  struct nack k = {0};
  uint16_t v[NACK_MISSING];
  assert_int_equal(nack_next(&k), US_NEVER);
  assert_false(nack_received(&k, NOW, 65534, false, 50));
  assert_false(nack_received(&k, NOW + 80 * MS, 2, false, 50)); /* 65535, 0 and 1 are missing */
  assert_int_equal(nack_next(&k), NOW + 80 * MS + NACK_GRACE_US);
  assert_int_equal(take(&k, NOW + 85 * MS, 50, v), 0);
  assert_false(nack_received(&k, NOW + 88 * MS, 0, false, 50)); /* was only overtaken */
  assert_int_equal(take(&k, NOW + 90 * MS, 50, v), 2);
  assert_int_equal(v[0], 65535);
  assert_int_equal(v[1], 1);
  assert_int_equal(take(&k, NOW + 110 * MS, 50, v), 0); /* a round trip has to pass */
  assert_int_equal(nack_next(&k), NOW + 150 * MS);
  assert_false(nack_received(&k, NOW + 100 * MS, 65535, false, 50)); /* no answer is so fast */
  assert_true(nack_received(&k, NOW + 142 * MS, 1, false, 50));
  assert_int_equal(nack_next(&k), US_NEVER);
  assert_false(nack_received(&k, NOW + 143 * MS, 1, false, 50));
}

static void gives_up(void **state) {
  (void)state;
  struct nack k = {0};
  uint16_t v[NACK_MISSING];
  unsigned asked = 0;
  us_t last = 0;
  nack_received(&k, NOW, 1, false, 100);
  nack_received(&k, NOW, 3, false, 100);
  for (us_t t; (t = nack_next(&k)) != US_NEVER;) {
    size_t n = take(&k, t, 100, v);
    asked += n > 0;
    last = n ? t : last;
    assert_true(t < NOW + US_PER_S);
  }
  assert_int_equal(asked, 3); /* after 10, 130 and 250 ms */
  assert_int_equal(last, NOW + 250 * MS);
  nack_received(&k, NOW, 30003, false, 100); /* another stream */
  assert_int_equal(nack_next(&k), US_NEVER);
}

static void copies_are_no_answers(void **state) {
  (void)state;
  struct nack k = {0};
  uint16_t v[NACK_MISSING];
  nack_received(&k, NOW, 1, false, 10);
  nack_received(&k, NOW + 40 * MS, 2, true, 10); /* came in 3 */
  nack_received(&k, NOW + 40 * MS, 3, false, 10);
  assert_int_equal(nack_next(&k), US_NEVER);
  nack_received(&k, NOW + 80 * MS, 5, false, 10);
  assert_int_equal(take(&k, NOW + 95 * MS, 10, v), 1);
  assert_false(nack_received(&k, NOW + 200 * MS, 4, true, 10));
  nack_received(&k, NOW + 300 * MS, 7, false, 10);
  assert_int_equal(nack_wait_ms(&k, NOW + 300 * MS, 10, 20), 0); /* nobody has answered yet */
  assert_int_equal(take(&k, NOW + 310 * MS, 10, v), 1);
  assert_true(nack_received(&k, NOW + 322 * MS, 6, false, 10));
  nack_received(&k, NOW + 340 * MS, 10, false, 10);
  assert_in_range(nack_wait_ms(&k, NOW + 340 * MS, 10, 20), 2 * 20 + 10 + 2 * 10, 120);
  nack_received(&k, NOW + 360 * MS, 40, false, 10);
  assert_int_equal(nack_wait_ms(&k, NOW + 360 * MS, 10, 20), NACK_WAIT_MAX_MS);
}

/* All that is asked for, of a stream of which every second packet is lost, stays below the rate. */
static void requests_are_few(void **state) {
  (void)state;
  struct nack k = {0};
  uint16_t v[NACK_MISSING];
  size_t requests = 0;
  us_t before = 0, t;
  for (uint16_t seq = 0; seq < 1000; seq = (uint16_t)(seq + 2)) {
    us_t now = NOW + seq * 20 * MS;
    nack_received(&k, now, seq, false, 20);
    while ((t = nack_next(&k)) < now + 40 * MS) {
      t = t > now ? t : now;
      size_t n = nack_ask(&k, t, 20, 5, v);
      assert_true(n <= NACK_MISSING);
      if (n == 0)
        continue;
      assert_true(t - before >= NACK_EVERY_US);
      before = t;
      requests++;
    }
  }
  assert_in_range(requests * NACK_BYTES * 8, 4 * 1000 * 20, 5 * 1000 * 21);
}

/* ---- together ---- */

/* 20 ms packets over a line of 40 ms there and back that is dark for 80 ms at a time, 30 % of all time, both
 * ways: how many of 100 packets came within 300 ms, and how much was sent for it. */
static void over_a_bad_line(void **state) {
  (void)state;
  struct rng rng;
  rng_seed(&rng, 7);
  struct nack k = {0};
  struct resend *r = NULL;
  enum { N = 3000, SLOTS = 512 };
  static struct arrival {
    us_t at;
    uint16_t seq;
  } air[SLOTS];
  static bool here[N];
  memset(here, 0, sizeof here);
  uint16_t v[NACK_MISSING];
  size_t n_air = 0, first = 0, all = 0, again = 0;
  bool dark = false;
  resend_need(&r, NOW);
  for (us_t t = NOW; t < NOW + (N + 25) * 20 * MS; t += MS) {
    dark = rng_below(&rng, dark ? 80 : 187) ? dark : !dark;
    uint16_t seq = (uint16_t)((t - NOW) / (20 * MS));
    if ((t - NOW) % (20 * MS) == 0 && seq < N) {
      keep(r, t, seq);
      first += !dark;
      if (!dark)
        air[n_air++] = (struct arrival){t + 20 * MS, seq};
    }
    for (size_t i = 0; i < n_air;)
      if (air[i].at <= t) {
        nack_received(&k, t, air[i].seq, false, 40);
        here[air[i].seq] |= t - NOW <= air[i].seq * 20 * MS + 320 * MS;
        air[i] = air[--n_air];
      } else
        i++;
    size_t asked = nack_next(&k) <= t ? nack_ask(&k, t, 40, 5, v) : 0;
    for (size_t i = 0, n; i < asked && !dark; i++)
      if (resend_take(r, t + 20 * MS, v[i], &n)) {
        again++;
        assert_true(n_air < SLOTS);
        if (rng_below(&rng, 10) >= 1)
          air[n_air++] = (struct arrival){t + 40 * MS, v[i]};
      }
  }
  for (size_t i = 0; i < N; i++)
    all += here[i];
  assert_in_range(first, N * 6 / 10, N * 8 / 10);
  assert_true(all > N * 94 / 100);
  assert_true(again < N * 45 / 100);
  free(r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_same_bytes),   cmocka_unit_test(not_too_often_nor_too_late),
      cmocka_unit_test(within_the_rate),  cmocka_unit_test(asks_in_time),
      cmocka_unit_test(gives_up),         cmocka_unit_test(copies_are_no_answers),
      cmocka_unit_test(requests_are_few), cmocka_unit_test(over_a_bad_line),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
