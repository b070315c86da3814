/* jitter_put_copy: RFC 2198 copies over bursts of loss (Gilbert-Elliott), and packets whose length changes in
 * mid-stream. */
#include "tests/unit/audio/jitter_kit.h"

#include <stdio.h>

static const int near_by[] = {1, 0}, spread[] = {1, 2, 4, 0}, far_off[] = {2, 4, 0};

/* lose_in_bursts: everything is lost in the bad state, which lasts `mean` packets and takes `percent` of the
 * time. From the first second on. */
static void lose_in_bursts(unsigned percent, unsigned mean) {
  bool bad = false;
  uint32_t leave = 100000 / mean, enter = 1000 * percent * 100 / (100 - percent) / mean;
  for (size_t i = 50; i < events_n; i++) {
    bad = bad ? chance(100000) >= leave : chance(100000) < enter;
    events[i].drop = bad;
  }
}

/* hopeless: packets of which nothing arrives, in any copy. */
static size_t hopeless(void) {
  size_t n = 0;
  for (size_t i = 0; i < events_n; i++) {
    bool here = !events[i].drop;
    for (const int *d = copies; d && *d && !here; d++) {
      here = i + (size_t)*d < events_n && !events[i + (size_t)*d].drop;
    }
    n += !here;
  }
  return n;
}

static void test_bursts(void **state) {
  (void)state;
  const struct {
    const char *name;
    const int *copies;
  } plans[] = {{"none", NULL}, {"1", near_by}, {"2,4", far_off}, {"1,2,4", spread}};
  const struct {
    unsigned percent, mean;
    int ptime;
  } lines[] = {{10, 2, 20}, {20, 4, 20}, {30, 4, 20}, {30, 1, 20}, {20, 2, 60}};
  for (size_t l = 0; l < 5; l++) {
    for (size_t p = 0; p < 4; p++) {
      struct source s = {.ptime_ms = lines[l].ptime, .seconds = 40};
      record(&s);
      copies = plans[p].copies;
      lose_in_bursts(lines[l].percent, lines[l].mean);
      size_t dropped = 0, gone = hopeless();
      for (size_t i = 0; i < events_n; i++) {
        dropped += events[i].drop;
      }
      play(&s, AUDIO_BLOCK);
      double packet = AUDIO_MS(s.ptime_ms), all = (double)events_n * packet;
      printf("loss %2u %%, bursts of %u, %d ms, copies %-5s: concealed %4.1f %%, hopeless %4.1f %%, delay %d "
             "ms\n",
             lines[l].percent, lines[l].mean, s.ptime_ms, plans[p].name,
             100.0 * (double)stats.concealed / all, 100.0 * (double)gone * packet / all, stats.delay_ms);
      assert_true(dropped * 100 > events_n * lines[l].percent * 2 / 3);
      assert_true(stats.recovered_copy + stats.recovered_fec <= stats.lost);
      assert_true((double)stats.concealed > (double)gone * packet * 0.95); /* what is silent is not hidden */
      if (copies) { /* next to nothing is concealed that could have been had */
        assert_true((double)stats.concealed < (double)gone * packet * 1.1 + 0.015 * all);
        assert_true((double)stats.recovered_copy > 0.9 * (double)(dropped - gone) - 5);
      }
      assert_true(step_in(0, 39900) < 3 * CLICK);
      assert_int_equal(stats.duplicate + stats.late, 0);
    }
  }
}

static void test_target_comes_and_goes(void **state) {
  (void)state;
  struct source s = {.ptime_ms = 20, .seconds = 30};
  record(&s);
  copies = far_off;
  for (size_t i = 100; i < 600; i += 25) {
    for (size_t k = 0; k < 4; k++) {
      events[i + k].drop = true;
    }
  }
  struct jitter *j = jitter_create();
  listen_for(2, AUDIO_BLOCK, j);
  assert_int_equal(stats.target_ms, 10); /* nothing is lost: copies alone cost no delay */
  jitter_destroy(j);
  j = jitter_create();
  listen_for(12, AUDIO_BLOCK, j);
  assert_int_equal(stats.target_ms,
                   80 + 5 + 5); /* the copy that is four packets away, and the clean line's own */
  assert_in_range(stats.delay_ms, 80, 105);
  jitter_destroy(j);
  play(&s, AUDIO_BLOCK);
  assert_int_equal(stats.target_ms, 10);
  assert_in_range(stats.delay_ms, 4, 20);
  assert_true(step_in(0, 30000) < CLICK);
  assert_true(stats.recovered_copy > 20 * 4 - 8);
}

static void test_copies_of_what_is_here_change_nothing(void **state) {
  (void)state;
  struct source s = {.ptime_ms = 20, .seconds = 10, .seq = 65400, .ts = UINT32_MAX - AUDIO_MS(3000)};
  static float plain[10 * AUDIO_RATE];
  record(&s);
  play(&s, AUDIO_BLOCK);
  memcpy(plain, heard, sizeof plain);
  copies = spread;
  play(&s, AUDIO_BLOCK);
  assert_memory_equal(plain, heard, sizeof plain);
  assert_int_equal(stats.recovered_copy + stats.duplicate + stats.lost + stats.late, 0);
  assert_in_range(stats.received, events_n - 2, events_n); /* the last ones come after the end */
}

static void test_numbers_wrap_over_copies(void **state) {
  (void)state;
  struct source s = {.ptime_ms = 20, .seconds = 6, .seq = 65386, .ts = UINT32_MAX - AUDIO_MS(3000)};
  record(&s);
  copies = near_by;
  for (size_t i = 101; i < events_n - 1; i += 2) { /* 65535 and 0 too, one after the other's copy */
    events[i].drop = true;
  }
  play(&s, AUDIO_BLOCK);
  assert_int_equal(stats.recovered_copy, stats.lost);
  assert_in_range(stats.concealed, 0, AUDIO_MS(30)); /* the first loss comes as a surprise */
  assert_int_equal(holes(2500, 5900, 0.97), 0);
  assert_true(step_in(0, 5900) < CLICK);
}

static void test_restart_with_copies(void **state) {
  (void)state;
  struct source s = {.ptime_ms = 20, .seconds = 6};
  record(&s);
  copies = spread; /* the first packets after the restart have copies of what was before it: the kit leaves
                      them out, as red.h promises */
  for (size_t i = 150; i < events_n; i++) {
    events[i].seq = (uint16_t)(events[i].seq + 20000);
    events[i].ts += 0x60000000;
  }
  events[152].drop = events[153].drop = true;
  play(&s, AUDIO_BLOCK);
  assert_int_equal(holes(400, 2900, 0.97) + holes(3400, 5900, 0.97), 0);
  assert_true(step_in(0, 6000) < CLICK);
  assert_int_equal(stats.lost, 2);
}

static void test_copies_of_another_numbering_are_ignored(void **state) {
  (void)state;
  struct source s = {.ptime_ms = 20, .seconds = 2};
  record(&s);
  struct jitter *j = jitter_create();
  const struct event *v = &events[10];
  uint32_t one = AUDIO_FRAME;
  jitter_put_copy(j, 0, v->seq, v->ts, one, v->payload, v->len); /* of a stream that has not begun */
  jitter_put(j, v->at_us, v->seq, v->ts, true, v->payload, v->len);
  jitter_put_copy(j, v->at_us, (uint16_t)(v->seq + 30000), v->ts, one, v->payload, v->len);
  jitter_put_copy(j, v->at_us, v->seq, v->ts + 0x70000000, one, v->payload, v->len);
  jitter_put_copy(j, v->at_us, (uint16_t)(v->seq + 1), v->ts + one, 0, v->payload, v->len);
  jitter_put_copy(j, v->at_us, (uint16_t)(v->seq + 1), v->ts + one, one, v->payload, v->len); /* is here */
  jitter_put_copy(j, v->at_us, v->seq, v->ts, one + 7, v->payload, v->len); /* between two packets */
  jitter_put_copy(j, v->at_us, v->seq, v->ts, 100 * one, v->payload, v->len);
  jitter_put_copy(j, v->at_us, v->seq, v->ts, one, v->payload, 0);
  float pcm[AUDIO_FRAME];
  for (int64_t ms = 0; ms < 200; ms += 20) {
    jitter_get(j, v->at_us + ms * 1000, pcm, AUDIO_FRAME);
  }
  jitter_stats(j, &stats);
  assert_int_equal(stats.received, 1);
  assert_int_equal(stats.played, AUDIO_FRAME);
  assert_int_equal(stats.recovered_copy + stats.late + stats.duplicate + stats.lost, 0);
  jitter_destroy(j);
}

static void test_the_packet_comes_after_its_copy(void **state) {
  (void)state;
  struct source s = {.ptime_ms = 20, .seconds = 10};
  record(&s);
  copies = near_by;
  for (size_t i = 50; i < events_n; i += 10) {
    events[i].at_us += 45000; /* overtaken by two */
  }
  play(&s, AUDIO_BLOCK);
  assert_in_range(stats.received, events_n - 2, events_n); /* the last ones come after the end */
  assert_int_equal(stats.duplicate, 0);
  assert_in_range(stats.concealed, 0, AUDIO_MS(40));
  assert_int_equal(holes(2000, 9900, 0.97), 0);
}

static void test_the_first_packet_of_a_talkspurt_is_lost(void **state) {
  (void)state;
  struct source s = {.ptime_ms = 20, .seconds = 4};
  record(&s);
  copies = near_by;
  for (size_t i = 50; i < events_n; i++) {
    events[i].at_us += 1500000;
    events[i].ts += AUDIO_MS(1500);
    events[i].marker = i == 50;
  }
  events[50].drop = true;
  play(&s, AUDIO_BLOCK);
  assert_int_equal(stats.recovered_copy, 1);
  assert_int_equal(stats.lost, 1);
  assert_true(step_in(0, 4000) < CLICK);
}

/* Who comes into a running stream gets copies of what was before he came: nothing of that is missing. */
static void test_copies_from_before_the_first_packet_cost_no_delay(void **state) {
  (void)state;
  struct source s = {.ptime_ms = 20, .seconds = 6};
  record(&s);
  copies = far_off;
  for (size_t i = 0; i < 100; i++) {
    events[i].drop = true;
  }
  struct jitter *j = jitter_create();
  listen_for(4, AUDIO_BLOCK, j);
  jitter_destroy(j);
  assert_in_range(stats.target_ms, 5, 20);
  assert_int_equal(stats.lost + stats.recovered_copy, 0);
}

/* Other stacks copy over a pause too: the time between then says another number than the copied packet had.
 */
static void test_a_copy_is_not_heard_twice(void **state) {
  (void)state;
  struct source s = {.ptime_ms = 20, .seconds = 6};
  record(&s);
  for (size_t i = 100; i < events_n; i++) { /* a pause of two packets; the first after it is lost */
    events[i].at_us += 40000;
    events[i].ts += 2 * AUDIO_FRAME;
  }
  struct jitter *j = jitter_create();
  for (size_t i = 0; i < 200; i++) {
    const struct event *v = &events[i];
    float pcm[AUDIO_FRAME];
    if (i == 104) { /* says to be 103, which is lost, but is a part of 102 and of the time after it */
      jitter_put_copy(j, v->at_us, v->seq, v->ts - AUDIO_MS(10), AUDIO_FRAME, events[101].payload,
                      events[101].len);
    }
    if (i != 103) {
      jitter_put(j, v->at_us, v->seq, v->ts, v->marker, v->payload, v->len);
    }
    jitter_get(j, v->at_us, pcm, AUDIO_FRAME);
  }
  jitter_stats(j, &stats);
  jitter_destroy(j);
  assert_int_equal(stats.recovered_copy, 0);
  assert_int_equal(stats.lost, 1);
}

/* record_tiers: the packet length changes every `each` seconds. */
static void record_tiers(struct source *s, const int *ptimes, size_t n, int each) {
  struct encoder_config c = {.bitrate = 32000, .complexity = 3};
  struct encoder *e = encoder_create(&c);
  static float pcm[AUDIO_FRAME_MAX];
  double phase = 0;
  int ms = 0;
  seed = 77;
  copies = NULL;
  s->seconds = (int)n * each;
  memset(events, 0, sizeof events);
  for (events_n = 0; ms < s->seconds * 1000; events_n++) {
    struct event *v = &events[events_n];
    int ptime = ptimes[ms / (each * 1000)];
    v->samples = AUDIO_MS(ptime);
    tone_make(pcm, (size_t)v->samples, FREQ, &phase, AMPLITUDE);
    int len = encoder_run(e, pcm, (size_t)v->samples, v->payload, sizeof v->payload);
    assert_true(len > 2);
    v->len = (size_t)len;
    v->ts = (uint32_t)AUDIO_MS(ms);
    v->seq = (uint16_t)events_n;
    v->index = events_n;
    ms += ptime;
    v->at_us = WIRE_US + ms * 1000;
  }
  encoder_destroy(e);
}

static void test_tiers_change_without_a_gap(void **state) {
  (void)state;
  const int up_and_down[] = {20, 60, 120, 20}, steps[] = {20, 40, 60, 40, 20, 10, 20}, falls[] = {120, 20};
  const struct {
    const int *ptimes;
    size_t n;
  } plans[] = {{up_and_down, 4}, {steps, 7}, {falls, 2}};
  for (size_t p = 0; p < 3; p++) {
    struct source s = {0};
    record_tiers(&s, plans[p].ptimes, plans[p].n, 5);
    play(&s, AUDIO_BLOCK);
    int end = s.seconds * 1000;
    printf("tiers %zu: concealed %d ms, stretched %d ms, delay %d ms, step %.1f sine steps\n", p,
           (int)(stats.concealed / AUDIO_MS(1)), (int)(stats.stretched / AUDIO_MS(1)), stats.delay_ms,
           (double)(step_in(0, end) / SINE_STEP));
    assert_int_equal(stats.lost + stats.late, 0);
    assert_in_range(silence_ms(500, end - 200), 0, 3);
    /* longer packets come later: what is not there yet is concealed once, which Opus does badly for a sine */
    assert_in_range(stats.concealed, 0, AUDIO_MS(100));
    assert_in_range(holes(500, end - 200, 0.7), 0, (int)(stats.concealed / AUDIO_FRAME) + 1);
    assert_true(step_in(0, end) < CLICK);
    assert_in_range(stats.delay_ms, 0, 20); /* nothing of the long packets is left */
    assert_int_equal(stats.target_ms, 10);
  }
}

static void test_tiers_change_while_packets_are_lost(void **state) {
  (void)state;
  const int ptimes[] = {20, 60, 20, 120, 40, 20};
  struct source s = {0};
  record_tiers(&s, ptimes, 6, 5);
  copies = near_by;
  lose_in_bursts(20, 1);
  play(&s, AUDIO_BLOCK);
  assert_true(step_in(0, s.seconds * 1000) < 3 * CLICK);
  assert_in_range(stats.delay_ms, 10, 60);
  assert_true((double)stats.concealed < 0.10 * s.seconds * AUDIO_RATE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_bursts),
      cmocka_unit_test(test_target_comes_and_goes),
      cmocka_unit_test(test_copies_of_what_is_here_change_nothing),
      cmocka_unit_test(test_numbers_wrap_over_copies),
      cmocka_unit_test(test_restart_with_copies),
      cmocka_unit_test(test_copies_of_another_numbering_are_ignored),
      cmocka_unit_test(test_the_packet_comes_after_its_copy),
      cmocka_unit_test(test_the_first_packet_of_a_talkspurt_is_lost),
      cmocka_unit_test(test_copies_from_before_the_first_packet_cost_no_delay),
      cmocka_unit_test(test_a_copy_is_not_heard_twice),
      cmocka_unit_test(test_tiers_change_without_a_gap),
      cmocka_unit_test(test_tiers_change_while_packets_are_lost),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
