/* impair: the bad link of the benches against the theory of its parts: shares and run lengths of loss, what a
 * token bucket lets through, order, and that a seed replays. */
#include "tests/bench/relay/impair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define STEP (20 * US_PER_MS)
#define PAYLOAD 72 /* with headers 100 bytes */

static struct impair made(const char *spec, uint64_t seed) {
  struct impair_config c = {0};
  struct impair m;
  assert_int_equal(impair_parse(spec, &c), ERR_OK);
  impair_init(&m, &c, seed);
  return m;
}

static void test_parse(void **state) {
  (void)state;
  struct impair_config c = {0};
  assert_int_equal(impair_parse("", &c), ERR_OK);
  assert_int_equal(
      impair_parse("loss=0.2,bad=80/200.5/0.9,delay=40,jitter=2.5,queue=400,shape=tail,reorder=yes,"
                   "rate=12000,burst=1500,dup=0.01",
                   &c),
      ERR_OK);
  assert_true(c.loss == 0.2 && c.bad == 80000 && c.good == 200500 && c.loss_bad == 0.9 &&
              c.duplicate == 0.01);
  assert_true(c.delay == 40000 && c.jitter == 2500 && c.queue == 400000 && c.rate == 12000 &&
              c.burst == 1500);
  assert_true(c.tail && c.reorder);
  static const char *const BAD[] = {"loss",         "loss=",     "loss=1.1",   "loss=-1",     "loss=nan",
                                    "loss=0.1x",    "speed=1",   "bad=10/20",  "bad=1/1/1/1", "shape=round",
                                    "reorder=1",    "delay=inf", "=",          "rate=1e99",   "bad=10/x/1",
                                    "jitter=60001", "delay=1=2", "bad=0/20/1", "bad=20/0/1",  "bad=20/20/2"};
  for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
    assert_int_equal(impair_parse(BAD[i], &c), ERR_BAD_ARG);
  char longest[400];
  memset(longest, ',', sizeof longest);
  longest[sizeof longest - 1] = 0;
  assert_int_equal(impair_parse(longest, &c), ERR_BAD_ARG);
}

static void test_clean_passes_all_at_once(void **state) {
  (void)state;
  struct impair m = made("", 1);
  for (us_t now = 0; now < 100 * STEP; now += STEP) {
    us_t due[IMPAIR_COPIES];
    assert_int_equal(impair_packet(&m, now, PAYLOAD, due), 1);
    assert_true(due[0] == now);
  }
  assert_true(m.stats.packets == 100 && m.stats.out == 100 && m.stats.out_bytes == 10000);
}

struct runs {
  unsigned lost, runs;
};

static struct runs losses(struct impair *m, unsigned n, us_t step) {
  struct runs r = {0, 0};
  bool before = false;
  for (unsigned i = 0; i < n; i++) {
    us_t due[IMPAIR_COPIES];
    bool lost = impair_packet(m, i * step, PAYLOAD, due) == 0;
    r.lost += lost;
    r.runs += lost && !before;
    before = lost;
  }
  return r;
}

static void test_random_loss(void **state) {
  (void)state;
  struct impair m = made("loss=0.2", 3);
  struct runs r = losses(&m, 100000, STEP);
  assert_in_range(r.lost, 19500, 20500); /* 0.2, four standard deviations */
  /* the mean run is 1 / (1 - p) = 1.25 */
  assert_in_range(r.lost * 1000 / r.runs, 1230, 1270);
  assert_true(m.stats.lost == r.lost && m.stats.out == 100000 - r.lost);
}

static void test_gilbert_elliott(void **state) {
  (void)state;
  /* 80 ms of 280 are bad, all lost there. From one packet to the next a share of e^(-20/80 - 20/200) = 0.7047
   * of what is known of the state lives on, so a bad one stays so with 2/7 + 5/7 * 0.7047 = 0.7891 */
  struct impair m = made("bad=80/200/1", 4);
  struct runs r = losses(&m, 100000, STEP);
  assert_in_range(r.lost, 27500, 29700);
  assert_in_range(r.lost * 1000 / r.runs, 4570, 4910);
  /* packets of 60 ms meet the same bad phases: the same share, but runs of 1 / (1 - 0.5357) = 2.154 */
  m = made("bad=80/200/1", 4);
  r = losses(&m, 100000, 3 * STEP);
  assert_in_range(r.lost, 27700, 29500);
  assert_in_range(r.lost * 1000 / r.runs, 2090, 2220);
  /* half of the bad state, and some loss in the good one: 2/7 * 0.5 + 5/7 * 0.1 */
  m = made("loss=0.1,bad=80/200/0.5", 5);
  assert_in_range(losses(&m, 100000, STEP).lost, 20800, 22100);
}

static void test_same_fate_under_other_settings(void **state) {
  (void)state;
  struct impair a = made("loss=0.3", 6), b = made("loss=0.3,jitter=200,shape=tail,dup=0.2,delay=30", 6);
  struct impair other = made("loss=0.3", 7);
  unsigned differs = 0;
  for (unsigned i = 0; i < 2000; i++) {
    us_t due[IMPAIR_COPIES];
    bool x = impair_packet(&a, i * STEP, PAYLOAD, due) > 0, y = impair_packet(&b, i * STEP, PAYLOAD, due) > 0;
    assert_true(x == y);
    differs += x != (impair_packet(&other, i * STEP, PAYLOAD, due) > 0);
  }
  assert_in_range(differs, 700, 980); /* 2 * 0.3 * 0.7 of 2000 */
}

/* Offered 40 kb/s in packets of 100 bytes at the given limit: what came through, and the longest wait. */
static void run_rate(struct impair *m, unsigned n) {
  us_t last = 0;
  for (unsigned i = 0; i < n; i++) {
    us_t due[IMPAIR_COPIES];
    if (impair_packet(m, i * STEP, PAYLOAD, due)) {
      assert_true(due[0] >= i * STEP && due[0] >= last);
      last = due[0];
    }
  }
}

static void test_rate_limit(void **state) {
  (void)state;
  struct impair m = made("rate=80000,queue=100", 1);
  run_rate(&m, 1000);
  assert_true(m.stats.overflowed == 0 && m.stats.delay_max == 10 * US_PER_MS); /* 800 bits at 80 kb/s */
  m = made("rate=20000,queue=100", 1);
  run_rate(&m, 1000); /* 20 s: half passes, and what is still in the queue at the end */
  assert_in_range(m.stats.out_bytes * 8, 400000, 400000 + 100 * 20 + 2 * 800);
  assert_true(m.stats.overflowed == 1000 - m.stats.out);
  assert_in_range(m.stats.delay_max, 100 * US_PER_MS, 140 * US_PER_MS);
}

static void test_burst_passes_after_a_pause(void **state) {
  (void)state;
  struct impair m = made("rate=8000,burst=300,queue=1000", 1);
  us_t due[IMPAIR_COPIES], now = 10 * US_PER_S;
  for (unsigned i = 0; i < 3; i++) {
    assert_int_equal(impair_packet(&m, now, PAYLOAD, due), 1);
    assert_true(due[0] == now + i); /* a microsecond apart, so that they stay in order */
  }
  assert_int_equal(impair_packet(&m, now, PAYLOAD, due), 1);
  assert_true(due[0] == now + 100 * US_PER_MS); /* 100 bytes at 8 kb/s */
}

static void test_jitter_and_order(void **state) {
  (void)state;
  static const char *const SPEC[] = {"delay=10,jitter=200,reorder=yes",
                                     "delay=10,jitter=200,reorder=yes,shape=tail", "delay=10,jitter=200"};
  us_t mean[3];
  for (unsigned k = 0; k < 3; k++) {
    struct impair m = made(SPEC[k], 8);
    unsigned overtakes = 0;
    us_t last = 0;
    for (unsigned i = 0; i < 20000; i++) {
      us_t due[IMPAIR_COPIES], now = i * STEP;
      assert_int_equal(impair_packet(&m, now, PAYLOAD, due), 1);
      assert_in_range(due[0] - now, 10 * US_PER_MS, 210 * US_PER_MS);
      overtakes += due[0] <= last;
      last = due[0];
    }
    mean[k] = m.stats.delay_sum / 20000;
    assert_true(k == 2 ? overtakes == 0 : overtakes > 1000);
  }
  assert_in_range(mean[0], 108 * US_PER_MS, 112 * US_PER_MS); /* 10 + 200 / 2 */
  assert_in_range(mean[1], 57 * US_PER_MS, 61 * US_PER_MS);   /* 10 + 50 * (1 - e^-4) */
  assert_true(mean[2] > mean[0]);                             /* who may not overtake waits */
}

static void test_duplicates(void **state) {
  (void)state;
  struct impair m = made("dup=0.25,jitter=50", 9);
  unsigned twice = 0;
  for (unsigned i = 0; i < 10000; i++) {
    us_t due[IMPAIR_COPIES];
    unsigned n = impair_packet(&m, i * STEP, PAYLOAD, due);
    assert_in_range(n, 1, IMPAIR_COPIES);
    twice += n == 2;
  }
  assert_in_range(twice, 2330, 2670);
  assert_true(m.stats.duplicated == twice && m.stats.out == 10000);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_parse),
      cmocka_unit_test(test_clean_passes_all_at_once),
      cmocka_unit_test(test_random_loss),
      cmocka_unit_test(test_gilbert_elliott),
      cmocka_unit_test(test_same_fate_under_other_settings),
      cmocka_unit_test(test_rate_limit),
      cmocka_unit_test(test_burst_passes_after_a_pause),
      cmocka_unit_test(test_jitter_and_order),
      cmocka_unit_test(test_duplicates),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
