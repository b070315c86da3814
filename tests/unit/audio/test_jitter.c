/* jitter: a sine over seeded bad networks. */
#include "tests/unit/audio/jitter_kit.h"

static void test_clean_line_every_ptime(void **state) {
  (void)state;
  const int ptimes[] = {10, 20, 40, 60, 120};
  const size_t blocks[] = {AUDIO_BLOCK, AUDIO_FRAME, 441};
  for (size_t p = 0; p < 5; p++) {
    for (size_t b = 0; b < 3; b++) {
      struct source s = {.ptime_ms = ptimes[p], .seconds = 10};
      record(&s);
      play(&s, blocks[b]);
      assert_int_equal(stats.lost + stats.late + stats.duplicate, 0);
      assert_int_equal(stats.concealed, 0);
      assert_int_equal(holes(400, 9980, 0.97), 0);
      assert_true(step_in(0, 9980) < CLICK);
      assert_true(stats.delay_ms <= 60);
    }
  }
}

static void test_delay_is_the_target(void **state) {
  (void)state;
  struct source s = {.ptime_ms = 20, .seconds = 10};
  record(&s);
  play(&s, AUDIO_BLOCK);
  assert_int_equal(stats.target_ms, 10);
  assert_in_range(stats.delay_ms, 4, 16);
}

static void test_sample_exact_when_nothing_happens(void **state) {
  (void)state;
  struct source s = {.ptime_ms = 20, .seconds = 2};
  record(&s);
  struct decoder *d = decoder_create();
  static float direct[2 * AUDIO_RATE];
  for (size_t i = 0; i < events_n; i++) {
    assert_int_equal(decoder_run(d, events[i].payload, events[i].len, direct + i * AUDIO_FRAME), AUDIO_FRAME);
  }
  decoder_destroy(d);
  play(&s, AUDIO_BLOCK);
  size_t start = 0;
  while (heard[start] == 0.0f) {
    start++;
  }
  size_t first = 0;
  while (direct[first] == 0.0f) {
    first++;
  }
  start -= first;
  assert_in_range(start, AUDIO_MS(50 + 20),
                  AUDIO_MS(50 + 50)); /* complete after 20 + 30 on the wire, then the delay */
  size_t until = AUDIO_MS(500);       /* before any stretching */
  assert_memory_equal(heard + start + AUDIO_FRAME, direct + AUDIO_FRAME, until * sizeof *direct);
}

static void lose(int percent) {
  for (size_t i = 1; i < events_n; i++) {
    events[i].drop = chance(100) < (uint32_t)percent;
  }
}

/* ideal_holes: the same losses without a network: every packet decoded or concealed in its place. */
static int ideal_holes(const struct source *s) {
  struct decoder *d = decoder_create();
  size_t n = (size_t)AUDIO_MS(s->ptime_ms);
  memset(heard, 0, sizeof heard);
  for (size_t i = 0; i < events_n; i++) {
    const struct event *v = &events[i];
    int got = v->drop ? decoder_plc(d, heard + i * n, n) : decoder_run(d, v->payload, v->len, heard + i * n);
    assert_int_equal(got, n);
  }
  decoder_destroy(d);
  return holes(1000, s->seconds * 1000 - 20, 0.8);
}

static void test_loss(void **state) {
  (void)state;
  const struct { int loss, ptime; } cases[] = {{10, 20}, {30, 20}, {10, 60}, {30, 60}};
  for (size_t c = 0; c < 4; c++) {
    struct source s = {.ptime_ms = cases[c].ptime, .seconds = 20, .loss_pct = cases[c].loss};
    record(&s);
    lose(cases[c].loss);
    int ideal = ideal_holes(&s); /* Opus conceals a sine badly: not our fault */
    play(&s, AUDIO_BLOCK);
    assert_in_range(holes(1000, 19980, 0.8), 0, ideal + ideal / 5 + 5);
    assert_true(step_in(0, 19980) < 3 * CLICK);
    assert_true(stats.lost > events_n * (size_t)cases[c].loss * 7 / 1000);
    assert_int_equal(stats.late, 0);
    assert_true(stats.delay_ms < 150);
    uint64_t fair = stats.lost * (uint64_t)AUDIO_MS(cases[c].ptime); /* nothing is concealed twice */
    assert_true(stats.concealed < fair + fair / 10);
  }
}

static void test_lbrr_is_used(void **state) {
  (void)state;
  for (int ptime = 20; ptime <= 60; ptime += 40) {
    struct encoder_config c = {.bitrate = 24000, .complexity = 5, .loss_pct = 20};
    struct encoder *e = encoder_create(&c);
    struct source s = {.ptime_ms = ptime, .seconds = 30};
    record(&s);
    static float pcm[AUDIO_FRAME_MAX];
    double phase = 0;
    double swing = 0;
    for (size_t i = 0; i < events_n; i++) { /* voice-like, or Opus leaves LBRR out */
      tone_make(pcm, (size_t)AUDIO_MS(ptime), 150.0 + 50.0 * sin(swing += 0.3), &phase, 0.3f);
      int len = encoder_run(e, pcm, (size_t)AUDIO_MS(ptime), events[i].payload, sizeof events[i].payload);
      assert_true(len > 2);
      events[i].len = (size_t)len;
      events[i].drop = i % 10 == 9;
    }
    encoder_destroy(e);
    play(&s, AUDIO_BLOCK);
    assert_true(stats.lost >= events_n / 10 - 2);
    assert_true(stats.recovered_fec > stats.lost / 3);
    assert_true(stats.delay_ms >= ptime); /* it waits for the packet that carries the lost one */
  }
}

static void test_reordering_and_duplicates(void **state) {
  (void)state;
  struct source s = {.ptime_ms = 20, .seconds = 10};
  record(&s);
  for (size_t i = 0; i < events_n; i += 7) {
    events[i].at_us += 45000; /* overtaken by two */
  }
  size_t once = events_n;
  for (size_t i = 0; i < once; i += 3) {
    events[events_n] = events[i];
    events[events_n++].at_us += i % 2 ? 0 : 200000; /* also long after it was played */
  }
  play(&s, AUDIO_BLOCK);
  assert_in_range(stats.received, once - 4, once);
  assert_in_range(stats.duplicate, (events_n - once) - 12, events_n - once);
  assert_true(stats.late <= 2);
  assert_int_equal(holes(2000, 10000, 0.9), 0);
  assert_true(step_in(0, 10000) < CLICK);
}

static void test_first_packets_overtake(void **state) {
  (void)state;
  struct source s = {.ptime_ms = 20, .seconds = 2};
  record(&s);
  events[0].at_us = events[1].at_us + 1000;
  play(&s, AUDIO_BLOCK);
  assert_int_equal(stats.late + stats.lost, 0);
}

static void test_jitter_then_calm(void **state) {
  (void)state;
  struct source s = {.ptime_ms = 20, .seconds = 30};
  record(&s);
  for (size_t i = 0; i < events_n && events[i].at_us < 15000000; i++) {
    events[i].at_us += (int64_t)chance(120) * 1000;
  }
  struct jitter *j = jitter_create();
  listen_for(15, AUDIO_BLOCK, j);
  assert_in_range(stats.target_ms, 90, 140);
  assert_in_range(stats.delay_ms, 80, 160);
  assert_in_range(holes(3000, 15000, 0.8), 0, 12);
  jitter_destroy(j);
  play(&s, AUDIO_BLOCK);
  assert_in_range(stats.target_ms, 10, 20);
  assert_in_range(stats.delay_ms, 4, 30);
  assert_true(stats.late * 20 < stats.received);
  assert_int_equal(holes(17000, 30000, 0.9), 0); /* coming down is not heard */
  assert_true(step_in(0, 30000) < 2 * CLICK);
  assert_true(stats.stretched > AUDIO_MS(80));
}

static void test_dtx_gap_is_silence(void **state) {
  (void)state;
  struct source s = {.ptime_ms = 20, .seconds = 6};
  record(&s);
  for (size_t i = 100; i < events_n;
       i++) { /* two seconds of nothing after two of sound: ts runs on, seq does not */
    events[i].at_us += 2000000;
    events[i].ts += AUDIO_MS(2000);
    events[i].marker = i == 100;
  }
  struct event *last = &events[99]; /* and the sender says so */
  last->payload[0] = events[98].payload[0] & 0xfc;
  last->len = 1;
  play(&s, AUDIO_BLOCK);
  assert_int_equal(stats.lost, 0);
  assert_int_equal(stats.concealed, 0);
  assert_in_range(silence_ms(1500, 5000), 1980, 2030);
  assert_true(step_in(0, 6000) < CLICK);    /* neither the stop nor the start clicks */
  assert_in_range(stats.target_ms, 10, 15); /* the gap is no lateness */
}

static void test_stream_that_stops_fades(void **state) {
  (void)state;
  struct source s = {.ptime_ms = 20, .seconds = 4};
  record(&s);
  events_n = 100;
  play(&s, AUDIO_BLOCK);
  assert_in_range(stats.concealed, AUDIO_MS(80), AUDIO_MS(140));
  assert_true(rms_in(2300, 4000) < 1e-6);
  assert_true(step_in(0, 4000) < CLICK);
}

static void test_stream_that_ends_quietly_needs_no_concealment(void **state) {
  (void)state;
  struct source s = {.ptime_ms = 20, .seconds = 4};
  record(&s);
  struct encoder_config c = {.bitrate = 32000, .complexity = 3};
  struct encoder *e = encoder_create(&c);
  static const float nothing[AUDIO_FRAME];
  events_n = 100;
  for (size_t i = 90; i < events_n; i++) {
    int len = encoder_run(e, nothing, AUDIO_FRAME, events[i].payload, sizeof events[i].payload);
    assert_true(len > 2);
    events[i].len = (size_t)len;
  }
  encoder_destroy(e);
  play(&s, AUDIO_BLOCK);
  assert_int_equal(stats.concealed, 0);
}

static void test_short_gap_keeps_its_length(void **state) {
  (void)state;
  struct source s = {.ptime_ms = 20, .seconds = 2};
  record(&s);
  for (size_t i = 50; i < events_n;
       i++) { /* shorter than the delay: the next packet is here before the last ends */
    events[i].at_us += 10000;
    events[i].ts += AUDIO_MS(10);
  }
  play(&s, AUDIO_BLOCK);
  assert_int_equal(stats.concealed, 0);
  assert_in_range(silence_ms(500, 2000), 3, 12);
  assert_true(step_in(0, 2000) < CLICK);
}

static void test_clock_drift(void **state) {
  (void)state;
  for (int ppm = -200; ppm <= 200; ppm += 400) {
    struct source s = {.ptime_ms = 20, .seconds = 60, .ppm = ppm};
    record(&s);
    play(&s, AUDIO_BLOCK);
    assert_int_equal(stats.lost + stats.late, 0);
    assert_in_range(stats.concealed, 0, AUDIO_MS(20));
    assert_in_range(stats.delay_ms, 5, 50);
    assert_int_equal(holes(1000, 60000, 0.9), 0);
    assert_true(step_in(0, 60000) < CLICK);
  }
}

static void test_numbers_wrap(void **state) {
  (void)state;
  struct source s = {.ptime_ms = 20, .seconds = 6, .seq = 65400, .ts = UINT32_MAX - AUDIO_MS(3000)};
  record(&s);
  play(&s, AUDIO_FRAME);
  assert_int_equal(stats.lost + stats.late + stats.concealed, 0);
  assert_int_equal(holes(400, 6000, 0.97), 0);
}

static void test_restart_with_new_numbers(void **state) {
  (void)state;
  struct source s = {.ptime_ms = 20, .seconds = 6};
  record(&s);
  for (size_t i = 150; i < events_n; i++) {
    events[i].seq = (uint16_t)(events[i].seq + 20000);
    events[i].ts += 0x60000000;
  }
  play(&s, AUDIO_BLOCK);
  assert_int_equal(holes(400, 2900, 0.97) + holes(3400, 6000, 0.97), 0);
  assert_true(step_in(0, 6000) < CLICK);
  assert_int_equal(stats.lost, 0);
}

static void test_stall_and_burst(void **state) {
  (void)state;
  struct source s = {.ptime_ms = 20, .seconds = 20};
  record(&s);
  for (size_t i = 150; i < 250; i++) { /* two seconds arrive all at once */
    events[i].at_us = events[250].at_us;
  }
  struct jitter *j = jitter_create();
  listen_for(8, AUDIO_BLOCK, j);
  assert_in_range(stats.target_ms, 10, 60); /* a stall is not jitter */
  jitter_destroy(j);
  play(&s, AUDIO_BLOCK);
  assert_in_range(stats.delay_ms, 10, 60); /* nothing of it is left at the end */
  assert_true(step_in(0, 20000) < 3 * CLICK);
  assert_in_range(stats.lost, 30, 110); /* only a second was kept */
  assert_int_equal(holes(14000, 20000, 0.95), 0);
}

static void test_ignores_what_is_not_opus(void **state) {
  (void)state;
  struct jitter *j = jitter_create();
  static const uint8_t huge[2000] = {9 << 3};
  jitter_put(j, 0, 1, 0, false, huge, 0);
  jitter_put(j, 0, 1, 0, false, (const uint8_t[]){11 << 3 | 3, 63}, 2);
  jitter_put(j, 0, 1, 0, false, huge, sizeof huge);
  float pcm[AUDIO_FRAME];
  jitter_get(j, 0, pcm, AUDIO_FRAME);
  jitter_stats(j, &stats);
  assert_int_equal(stats.received, 0);
  assert_int_equal(stats.silent, AUDIO_FRAME);
  jitter_destroy(j);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_clean_line_every_ptime),
      cmocka_unit_test(test_delay_is_the_target),
      cmocka_unit_test(test_sample_exact_when_nothing_happens),
      cmocka_unit_test(test_loss),
      cmocka_unit_test(test_lbrr_is_used),
      cmocka_unit_test(test_reordering_and_duplicates),
      cmocka_unit_test(test_first_packets_overtake),
      cmocka_unit_test(test_jitter_then_calm),
      cmocka_unit_test(test_dtx_gap_is_silence),
      cmocka_unit_test(test_stream_that_stops_fades),
      cmocka_unit_test(test_stream_that_ends_quietly_needs_no_concealment),
      cmocka_unit_test(test_short_gap_keeps_its_length),
      cmocka_unit_test(test_clock_drift),
      cmocka_unit_test(test_numbers_wrap),
      cmocka_unit_test(test_restart_with_new_numbers),
      cmocka_unit_test(test_stall_and_burst),
      cmocka_unit_test(test_ignores_what_is_not_opus),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
