/* jitter: a line that gets too narrow for a while: a queue stands before it, and is gone again. */
#include "tests/unit/audio/jitter_kit.h"

#include <stdio.h>

#define BEGINS_S 10

/* congest: for `seconds` packets wait in a queue that fills to `most_ms` within two seconds, loses every
 * eighth then, and drains within half a second at the end. */
static void congest(int seconds, int most_ms) {
  int64_t from = BEGINS_S * 1000000, end = from + seconds * 1000000, most = most_ms * 1000, last = 0;
  for (size_t i = 0; i < events_n; i++) {
    struct event *v = &events[i];
    int64_t in = v->at_us - from, after = v->at_us - end, wait = 0;
    if (in > 0 && after <= 0) {
      wait = in * most / 2000000 < most ? in * most / 2000000 : most;
      v->drop = wait == most && i % 8 == 7;
    } else if (after > 0 && after < 500000) {
      wait = most - most * after / 500000;
    }
    v->at_us += wait;
    v->at_us = v->at_us > last ? v->at_us : last; /* nobody overtakes */
    last = v->at_us;
  }
}

static void heard_until(int second) {
  struct jitter *j = jitter_create();
  listen_for(second, AUDIO_BLOCK, j);
  jitter_destroy(j);
}

/* The delay is down within 4 s of the end of a short congestion, and of one so long that the queue has become
 * the line's own delay meanwhile; it is never more than the queue, and coming down does not click. */
static void test_delay_comes_down_after_congestion(void **state) {
  (void)state;
  const int ptimes[] = {20, 40, 60}, seconds[] = {5, 8, 12, 20};
  for (size_t p = 0; p < 3; p++) {
    for (size_t k = 0; k < 4; k++) {
      struct source s = {.ptime_ms = ptimes[p], .seconds = 60};
      int end = BEGINS_S + seconds[k];
      record(&s);
      congest(seconds[k], 400);
      for (int second = BEGINS_S; second <= end + 4; second++) {
        heard_until(second);
        assert_in_range(stats.delay_ms, 0, 420);
      }
      assert_in_range(stats.delay_ms, 5, 60);
      heard_until(60);
      printf("%d ms, congested for %2d s: stretched %d ms\n", ptimes[p], seconds[k],
             (int)(stats.stretched / AUDIO_MS(1)));
      assert_in_range(stats.delay_ms, 5, 40);
      assert_in_range(stats.stretched, AUDIO_MS(300), AUDIO_MS(60000) / 100); /* up and down: 1 % of all */
      assert_int_equal(stats.late, 0);
      assert_true(step_in(0, 60000) < 2 * CLICK);
      assert_int_equal(holes((end + 4) * 1000, 60000, 0.9), 0);
    }
  }
}

/* Talkspurts that begin in a queue longer than the buffer ever waits begin a new measure: they must not wait
 * in the buffer as long again. */
static void test_talkspurts_in_a_long_queue(void **state) {
  (void)state;
  struct source s = {.ptime_ms = 20, .seconds = 30};
  record(&s);
  for (size_t i = 0; i < events_n; i++) {
    int64_t pause = (int64_t)(i / 100) * 1000;
    events[i].at_us += pause * 1000;
    events[i].ts += (uint32_t)AUDIO_MS(pause);
    events[i].marker = i % 100 == 0;
    if (i > 0) {
      events[i].at_us += i < 700 ? (i < 100 ? (int64_t)i * 5500 : 550000) : 0;
      events[i].at_us = events[i].at_us > events[i - 1].at_us ? events[i].at_us : events[i - 1].at_us;
    }
  }
  for (int second = 4; second <= 20; second += 3) { /* in the second half of each talkspurt */
    heard_until(second);
    assert_in_range(stats.delay_ms, 0, 450);
  }
  heard_until(30);
  assert_in_range(stats.delay_ms, 0, 40);
}

/* Forgetting soon must not cost those whose line is always bad. */
static void test_steady_jitter_is_remembered(void **state) {
  (void)state;
  const int ptimes[] = {20, 60};
  for (size_t p = 0; p < 2; p++) {
    struct source s = {.ptime_ms = ptimes[p], .seconds = 60};
    record(&s);
    for (size_t i = 0; i < events_n; i++) {
      events[i].at_us += (int64_t)chance(200) * 1000;
    }
    heard_until(60);
    printf("%d ms, jitter 200 ms: %d %% late, delay %d ms\n", ptimes[p],
           (int)(stats.late * 100 / stats.received), stats.delay_ms);
    assert_true(stats.late * 100 < stats.received * 5);
    assert_in_range(stats.delay_ms, 150, 260);
  }
}

/* An outage longer than concealment carries on: what nobody heard is no good sound. */
static void test_silence_for_lost_sound_counts_as_made_up(void **state) {
  (void)state;
  struct source s = {.ptime_ms = 20, .seconds = 10};
  record(&s);
  for (size_t i = 200; i < 250; i++) {
    events[i].drop = true;
  }
  heard_until(10);
  assert_in_range(stats.lost, 48, 50);
  assert_in_range(stats.concealed, AUDIO_MS(950), AUDIO_MS(1010));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_delay_comes_down_after_congestion),
      cmocka_unit_test(test_talkspurts_in_a_long_queue),
      cmocka_unit_test(test_steady_jitter_is_remembered),
      cmocka_unit_test(test_silence_for_lost_sound_counts_as_made_up),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
