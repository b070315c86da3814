/* capture: what leaves the microphone, and when; heard again through a decoder that follows the timestamps.
 */
#include "audio/capture.h"
#include "audio/dsp.h"
#include "audio/echo.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* needs the ones above */

#define FREQ 400.0
#define AMPLITUDE 0.3f
#define CLICK (2.0f * AMPLITUDE * 6.2832f * (float)FREQ / AUDIO_RATE)
#define PACKETS_MAX 2000
#define SECONDS_MAX 12

static struct capture_packet packets[PACKETS_MAX];
static size_t packets_n;
static float heard[SECONDS_MAX * AUDIO_RATE];
static double phase;

static const struct capture_config voice20 = {.ptime_ms = 20,
                                              .opus = {.bitrate = 24000, .complexity = 5, .dtx = true}};

static void keep(void *ctx, const struct capture_packet *p) {
  (void)ctx;
  assert_true(packets_n < PACKETS_MAX);
  packets[packets_n++] = *p;
}

static int start(void **state) {
  (void)state;
  packets_n = 0;
  phase = 1.5708; /* the gate meets the sine at its peaks */
  return 0;
}

/* speak: ms of a sine from the device in blocks of 5 ms. */
static void speak(struct capture *c, int ms, float amplitude) {
  float pcm[AUDIO_BLOCK];
  for (int i = 0; i < ms / 5; i++) {
    tone_make(pcm, AUDIO_BLOCK, FREQ, &phase, amplitude);
    capture_feed(c, pcm, AUDIO_BLOCK, keep, NULL);
  }
}

/* hear: decode every packet to its place on the time line. */
static void hear(void) {
  struct decoder *d = decoder_create();
  static float pcm[AUDIO_FRAME_MAX];
  memset(heard, 0, sizeof heard);
  for (size_t i = 0; i < packets_n; i++) {
    int n = decoder_run(d, packets[i].payload, packets[i].len, pcm);
    assert_true(n > 0 && packets[i].ts + (uint32_t)n <= SECONDS_MAX * AUDIO_RATE);
    memcpy(heard + packets[i].ts, pcm, (size_t)n * sizeof *pcm);
  }
  decoder_destroy(d);
}

static float step_heard(void) {
  float step = 0;
  for (size_t i = 1; i < sizeof heard / sizeof *heard; i++) {
    step = fmaxf(step, fabsf(heard[i] - heard[i - 1]));
  }
  return step;
}

static double rms_heard(int from_ms, int to_ms) {
  double sum = 0;
  for (int i = AUDIO_MS(from_ms); i < AUDIO_MS(to_ms); i++) {
    sum += (double)heard[i] * (double)heard[i];
  }
  return sqrt(sum / AUDIO_MS(to_ms - from_ms));
}

static void test_open_gate_sends_every_ptime(void **state) {
  (void)state;
  const int ptimes[] = {20, 40, 60, 80, 100, 120};
  for (size_t i = 0; i < 6; i++) {
    start(NULL);
    struct capture_config cfg = voice20;
    cfg.ptime_ms = ptimes[i];
    struct capture *c = capture_create(&cfg);
    capture_open(c, true);
    speak(c, 3000, AMPLITUDE);
    assert_int_equal(packets_n, 3000 / ptimes[i]);
    for (size_t k = 0; k < packets_n; k++) {
      assert_int_equal(packets[k].ts, (size_t)AUDIO_MS(ptimes[i]) * k);
      assert_int_equal(packets[k].marker, k == 0);
      assert_true(packets[k].voice);
      assert_int_equal(opus_packet_samples(packets[k].payload, packets[k].len), AUDIO_MS(ptimes[i]));
    }
    assert_int_equal(packets[1].level, 13);
    hear();
    assert_true(rms_heard(200, 2800) > 0.2);
    capture_destroy(c);
  }
}

static void test_refuses_bad_values(void **state) {
  (void)state;
  struct capture_config cfg = voice20;
  const int bad[] = {0, -20, 10, 30, 140};
  for (size_t i = 0; i < 5; i++) {
    cfg.ptime_ms = bad[i];
    assert_null(capture_create(&cfg));
  }
  cfg = voice20;
  cfg.opus.bitrate = -1;
  assert_null(capture_create(&cfg));
  capture_destroy(NULL);
}

static void test_mute_keeps_the_clock_and_fades(void **state) {
  (void)state;
  for (int off_ms = 0; off_ms < 20; off_ms += 5) { /* wherever in a frame the key is hit */
    start(NULL);
    struct capture *c = capture_create(&voice20);
    capture_open(c, true);
    speak(c, 1000 + off_ms, AMPLITUDE);
    capture_open(c, false);
    speak(c, 2000, AMPLITUDE);
    size_t before = packets_n;
    assert_in_range(packets[before - 1].ts, AUDIO_MS(960), AUDIO_MS(1040));
    capture_open(c, true);
    speak(c, 1000, AMPLITUDE);
    capture_open(c, false);
    speak(c, 200, AMPLITUDE);
    assert_true(packets[before].marker);
    assert_in_range(packets[before].ts, AUDIO_MS(3000), AUDIO_MS(3000 + off_ms));
    for (size_t i = 1; i < packets_n; i++) {
      assert_int_equal(packets[i].marker, i == before);
    }
    hear();
    assert_true(step_heard() < CLICK); /* no step at either edge, no spike of the codec */
    assert_true(rms_heard(1000 + off_ms + 25, 3000) < 0.001);
    assert_true(rms_heard(500, 900) > 0.15 && rms_heard(3500, 3900) > 0.15);
    capture_destroy(c);
  }
}

static void test_closed_gate_says_nothing(void **state) {
  (void)state;
  struct capture *c = capture_create(&voice20);
  speak(c, 2000, AMPLITUDE);
  capture_open(c, false);
  speak(c, 2000, AMPLITUDE);
  assert_int_equal(packets_n, 0);
  capture_destroy(c);
}

static void test_quick_taps_lose_nothing(void **state) {
  (void)state;
  struct capture *c = capture_create(&voice20);
  for (int i = 0; i < 40; i++) {
    capture_open(c, i % 2 == 0);
    speak(c, 35, AMPLITUDE);
  }
  capture_open(c, false);
  speak(c, 100, AMPLITUDE);
  for (size_t i = 1; i < packets_n; i++) {
    assert_true(packets[i].ts - packets[i - 1].ts >= AUDIO_FRAME);
    assert_int_equal(packets[i].marker, packets[i].ts - packets[i - 1].ts > AUDIO_FRAME);
  }
  hear();
  assert_true(step_heard() < CLICK);
  capture_destroy(c);
}

static void test_dtx_is_not_emitted(void **state) {
  (void)state;
  struct capture *c = capture_create(&voice20);
  capture_open(c, true);
  speak(c, 1000, AMPLITUDE);
  speak(c, 3900, 0.0f);
  size_t quiet = packets_n;
  assert_true(quiet < 50 + 40); /* of 245 */
  for (size_t i = 0; i < quiet; i++) {
    assert_true(packets[i].len > 2);
  }
  assert_int_equal(packets[quiet - 1].level, 127);
  assert_false(packets[quiet - 1].voice);
  speak(c, 1000, AMPLITUDE);
  assert_true(packets[quiet].marker);
  assert_int_equal(packets[quiet].ts, AUDIO_MS(4900));
  assert_true(packets[quiet].voice);
  for (size_t i = 1; i < packets_n; i++) { /* the marker says: something was left out before me */
    assert_int_equal(packets[i].marker, packets[i].ts != packets[i - 1].ts + AUDIO_FRAME);
  }
  capture_destroy(c);
}

static void test_talking_while_muted(void **state) {
  (void)state;
  struct capture *c = capture_create(&voice20);
  speak(c, 2000, 0.0f);
  assert_false(capture_voice_muted(c));
  assert_int_equal(capture_level(c), 127);
  speak(c, 200, AMPLITUDE); /* a cough */
  speak(c, 500, 0.0f);
  assert_false(capture_voice_muted(c));
  speak(c, 580, AMPLITUDE);
  assert_false(capture_voice_muted(c));
  speak(c, 60, AMPLITUDE);
  assert_true(capture_voice_muted(c));
  assert_int_equal(capture_level(c), 13);
  capture_open(c, true);
  speak(c, 100, AMPLITUDE);
  assert_false(capture_voice_muted(c));
  capture_open(c, false);
  speak(c, 1000, 0.0f);
  assert_false(capture_voice_muted(c));
  capture_destroy(c);
}

static void test_settings_change_on_the_way(void **state) {
  (void)state;
  struct capture *c = capture_create(&voice20);
  capture_open(c, true);
  struct capture_config cfg = voice20;
  for (int i = 0; i < 30; i++) {
    cfg.ptime_ms = 20 + 20 * (i % 6);
    cfg.opus.bitrate = 8000 + 4000 * (i % 5);
    cfg.ns = i % 7 == 3;
    capture_set(c, &cfg);
    speak(c, 75, AMPLITUDE);
  }
  cfg.ptime_ms = 7;
  capture_set(c, &cfg);
  speak(c, 240, AMPLITUDE);
  for (size_t i = 1; i < packets_n; i++) { /* not a sample skipped or sent twice */
    int before = opus_packet_samples(packets[i - 1].payload, packets[i - 1].len);
    assert_int_equal(packets[i].ts, packets[i - 1].ts + (uint32_t)before);
  }
  capture_destroy(c);
}

static void test_agc_lifts_a_faint_voice(void **state) {
  (void)state;
  struct capture_config cfg = voice20;
  cfg.agc = true;
  struct capture *c = capture_create(&cfg);
  capture_open(c, true);
  speak(c, 6000, 0.03f); /* 33 dBov */
  assert_in_range(packets[packets_n - 1].level, 20, 23);
  assert_in_range(packets[2].level, 32, 34);
  float bad[AUDIO_FRAME] = {[3] = (float)NAN, [9] = (float)INFINITY};
  capture_feed(c, bad, AUDIO_FRAME, keep, NULL);
  speak(c, 200, 0.03f);
  assert_in_range(packets[packets_n - 1].level, 20, 23); /* no poison stays behind */
  capture_destroy(c);
}

/* room: far noise comes back into the microphone 12 ms later, at half the volume. */
static double echo_left(bool aec) {
  struct echo *e = echo_create(aec, true);
  static float far[5 * AUDIO_RATE];
  uint32_t seed = 3;
  for (size_t i = 0; i < sizeof far / sizeof *far; i++) {
    seed = seed * 1664525u + 1013904223u;
    /* noise whose volume moves like speech */
    far[i] = ((float)(seed >> 8) / 8388608.0f - 1.0f) * 0.3f * (0.55f + 0.45f * sinf((float)i * 0.0004f));
  }
  double left = 0;
  for (size_t at = AUDIO_MS(20); at + ECHO_BLOCK < sizeof far / sizeof *far; at += ECHO_BLOCK) {
    float near[ECHO_BLOCK];
    for (size_t i = 0; i < ECHO_BLOCK; i++) {
      near[i] = 0.5f * far[at + i - AUDIO_MS(12)];
    }
    echo_far(e, far + at, ECHO_BLOCK);
    echo_run(e, near);
    for (size_t i = 0; at > 4 * AUDIO_RATE && i < ECHO_BLOCK; i++) {
      left += (double)near[i] * (double)near[i];
    }
  }
  echo_destroy(e);
  return left;
}

static void test_echo_is_cancelled(void **state) {
  (void)state;
  assert_true(echo_left(true) < 0.01 * echo_left(false)); /* 20 dB better than noise suppression alone */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_open_gate_sends_every_ptime, start),
      cmocka_unit_test_setup(test_refuses_bad_values, start),
      cmocka_unit_test_setup(test_mute_keeps_the_clock_and_fades, start),
      cmocka_unit_test_setup(test_closed_gate_says_nothing, start),
      cmocka_unit_test_setup(test_quick_taps_lose_nothing, start),
      cmocka_unit_test_setup(test_dtx_is_not_emitted, start),
      cmocka_unit_test_setup(test_talking_while_muted, start),
      cmocka_unit_test_setup(test_settings_change_on_the_way, start),
      cmocka_unit_test_setup(test_agc_lifts_a_faint_voice, start),
      cmocka_unit_test_setup(test_echo_is_cancelled, start),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
