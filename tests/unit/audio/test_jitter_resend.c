/* jitter_expect_resend: what was lost in bursts comes again, later than the network is slow, and is waited
 * for as long as that goes on. */
#include "tests/unit/audio/jitter_kit.h"

#include <stdio.h>

#define BEHIND_US 50000 /* an answer, after the packet that showed the loss */
#define RUNS_MAX 1000

static struct run { /* of lost packets */
  int64_t seen_us;  /* when the one after it came */
  int wait_ms;
} runs[RUNS_MAX];
static size_t runs_n;

/* lose: bursts of `mean` packets, `percent` of all, from the first second to `until_s`. With `again` they
 * come once more. */
static void lose(unsigned percent, unsigned mean, int until_s, bool again) {
  uint32_t leave = 100000 / mean, enter = 1000 * percent * 100 / (100 - percent) / mean;
  bool bad = false;
  size_t run = 0;
  runs_n = 0;
  for (size_t i = 50; i < events_n; i++) {
    int64_t at = events[i].at_us;
    bad = at < until_s * INT64_C(1000000) && (bad ? chance(100000) >= leave : chance(100000) < enter);
    events[i].drop = bad;
    run += bad;
    if (bad || run == 0)
      continue;
    int wait_ms = (int)run * events[i].samples / AUDIO_MS(1) + BEHIND_US / 1000 + 20;
    assert_true(runs_n < RUNS_MAX);
    runs[runs_n++] = (struct run){at, wait_ms < 300 ? wait_ms : 300};
    for (; run > 0; run--)
      if (again) {
        events[i - run].drop = false;
        events[i - run].at_us = at + BEHIND_US;
      }
  }
}

/* hear: as play of the kit, and the buffer is told of each run or not. */
static void hear(const struct source *s, bool told) {
  struct jitter *j = jitter_create();
  qsort(events, events_n, sizeof *events, earlier);
  size_t next = 0, at_run = 0, most = (size_t)s->seconds * AUDIO_RATE;
  for (size_t at = 0; at + AUDIO_BLOCK <= most; at += AUDIO_BLOCK) {
    int64_t now_us = (int64_t)at * 1000 / 48;
    for (; next < events_n && events[next].at_us <= now_us; next++) {
      struct event *v = &events[next];
      for (; told && at_run < runs_n && runs[at_run].seen_us <= v->at_us; at_run++)
        jitter_expect_resend(j, runs[at_run].seen_us, runs[at_run].wait_ms);
      if (!v->drop)
        jitter_put(j, v->at_us, v->seq, v->ts, v->marker, v->payload, v->len);
    }
    jitter_get(j, now_us, heard + at, AUDIO_BLOCK);
  }
  jitter_stats(j, &stats);
  jitter_destroy(j);
}

static double concealed_pct(const struct source *s) {
  return 100.0 * (double)stats.concealed / ((double)s->seconds * AUDIO_RATE);
}

static void bursts_are_bridged(void **state) {
  (void)state;
  const struct {
    unsigned percent, mean;
    int ptime;
  } lines[] = {{2, 3, 20}, {10, 3, 20}, {30, 4, 20}, {20, 1, 60}};
  for (size_t l = 0; l < 4; l++) {
    struct source s = {.ptime_ms = lines[l].ptime, .seconds = 40};
    double got[3];
    for (int way = 0; way < 3; way++) { /* gone; sent again, unexpected; expected */
      record(&s);
      lose(lines[l].percent, lines[l].mean, 40, way > 0);
      hear(&s, way == 2);
      got[way] = concealed_pct(&s);
    }
    printf(
        "loss %2u %%, bursts of %u, %d ms: concealed %4.1f %%, sent again %4.1f %%, and expected %4.1f %%, "
        "delay %d ms\n",
        lines[l].percent, lines[l].mean, s.ptime_ms, got[0], got[1], got[2], stats.delay_ms);
    assert_true(got[2] <
                got[0] / (lines[l].percent < 5 ? 2 : 3)); /* a rare burst may be the longest so far */
    assert_true(got[2] <= got[1] + 0.1);
    assert_in_range(stats.target_ms, 60, 340);
    assert_true(step_in(0, 39900) < 4 * CLICK);
  }
}

static void it_comes_down_again(void **state) {
  (void)state;
  struct source s = {.ptime_ms = 20, .seconds = 30};
  record(&s);
  lose(20, 3, 10, true);
  hear(&s, true);
  assert_true(runs_n > 5);
  assert_in_range(stats.target_ms, 5, 15);
  assert_in_range(stats.delay_ms, 0, 25);
  struct jitter *j = jitter_create();
  jitter_expect_resend(j, 1000, 200); /* before any sound, and nonsense: no effect */
  jitter_expect_resend(j, 1000, -5);
  jitter_expect_resend(j, 1000, 100000);
  float pcm[AUDIO_BLOCK];
  jitter_get(j, 2000, pcm, AUDIO_BLOCK);
  jitter_stats(j, &stats);
  assert_in_range(stats.target_ms, 0, 100);
  jitter_destroy(j);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(bursts_are_bridged),
                                     cmocka_unit_test(it_comes_down_again)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
