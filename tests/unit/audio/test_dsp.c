/* dsp: against values one can work out on paper. */
#include "audio/dsp.h"
#include "audio/stretch.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* needs the ones above */

#define SECOND AUDIO_RATE

static float buffer[10 * SECOND];

/* noise: uniform, repeatable, of the given peak. */
static void noise(float *pcm, size_t n, float peak, uint32_t *seed) {
  for (size_t i = 0; i < n; i++) {
    *seed = *seed * 1664525u + 1013904223u;
    pcm[i] = peak * ((float)(*seed >> 8) / 8388608.0f - 1.0f);
  }
}

static float peak_of(const float *pcm, size_t n) {
  float peak = 0.0f;
  for (size_t i = 0; i < n; i++) {
    peak = fmaxf(peak, fabsf(pcm[i]));
  }
  return peak;
}

static float step_of(const float *pcm, size_t n) {
  float step = 0.0f;
  for (size_t i = 1; i < n; i++) {
    step = fmaxf(step, fabsf(pcm[i] - pcm[i - 1]));
  }
  return step;
}

static void test_level_of_sines(void **state) {
  (void)state;
  const struct {
    float amplitude;
    int dbov;
  } cases[] = {{1.0f, 3}, {0.1f, 23}, {0.01f, 43}, {0.5f, 9}, {1e-7f, 127}, {0.0f, 127}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    double phase = 0;
    tone_make(buffer, AUDIO_FRAME, 1000, &phase, cases[i].amplitude);
    assert_int_equal(level_dbov(buffer, AUDIO_FRAME), cases[i].dbov);
  }
  for (int i = 0; i < AUDIO_FRAME; i++) {
    buffer[i] = i % 2 ? 4.0f : -4.0f;
  }
  assert_int_equal(level_dbov(buffer, AUDIO_FRAME), 0);
  assert_int_equal(level_dbov(buffer, 0), 127);
}

static void test_goertzel(void **state) {
  (void)state;
  double phase = 0;
  tone_make(buffer, AUDIO_FRAME, 1000, &phase, 0.3f);
  assert_true(goertzel_share(buffer, AUDIO_FRAME, 1000) > 0.999);
  assert_true(goertzel_share(buffer, AUDIO_FRAME, 1500) < 0.001);
  float other[AUDIO_FRAME];
  phase = 0;
  tone_make(other, AUDIO_FRAME, 2000, &phase, 0.3f);
  mix_add(buffer, other, AUDIO_FRAME, 1, 1);
  double half = goertzel_share(buffer, AUDIO_FRAME, 2000);
  assert_true(half > 0.49 && half < 0.51);
  memset(buffer, 0, sizeof *buffer * AUDIO_FRAME);
  assert_true(goertzel_share(buffer, AUDIO_FRAME, 1000) < 1e-9);
}

static void test_tone_goes_on_over_blocks(void **state) {
  (void)state;
  double phase = 0;
  for (int i = 0; i < 40; i++) {
    tone_make(buffer + i * 77, 77, 440, &phase, 0.5f);
  }
  assert_true(step_of(buffer, 40 * 77) < 0.5f * 6.2832f * 440 / AUDIO_RATE * 1.01f);
}

static void test_mix_ramp(void **state) {
  (void)state;
  float one[AUDIO_BLOCK];
  float acc[AUDIO_BLOCK];
  for (int i = 0; i < AUDIO_BLOCK; i++) {
    one[i] = 1.0f;
    acc[i] = 0.25f;
  }
  mix_add(acc, one, AUDIO_BLOCK, 0.0f, 1.0f);
  assert_float_equal(acc[0], 0.25f, 1e-6f);
  assert_float_equal(acc[AUDIO_BLOCK / 2], 0.75f, 1e-4f);
  assert_true(step_of(acc, AUDIO_BLOCK) < 0.005f);
}

static void test_limiter_holds_shouting(void **state) {
  (void)state;
  struct limiter l = {0};
  uint32_t seed = 7;
  double phase[8] = {0};
  float one[AUDIO_FRAME];
  for (int frame = 0; frame < 200; frame++) {
    float acc[AUDIO_FRAME] = {0};
    for (int s = 0; s < 8; s++) {
      tone_make(one, AUDIO_FRAME, 150 + 137 * s, &phase[s], 1.0f);
      mix_add(acc, one, AUDIO_FRAME, 1, 1);
    }
    noise(one, AUDIO_FRAME, frame % 5 ? 0.0f : 8.0f, &seed);
    mix_add(acc, one, AUDIO_FRAME, 1, 1);
    acc[frame % AUDIO_FRAME] = frame % 7 ? acc[0] : 900.0f;
    acc[(frame * 31) % AUDIO_FRAME] = frame % 11 ? acc[1] : (float)NAN;
    limiter_run(&l, acc, AUDIO_FRAME);
    for (int i = 0; i < AUDIO_FRAME; i++) {
      assert_true(fabsf(acc[i]) <
                  0.984f); /* false for NaN too; 0.985 would be the last resort, a hard clip */
    }
  }
}

static void test_limiter_leaves_quiet_sound_alone(void **state) {
  (void)state;
  struct limiter l = {0};
  double phase = 0;
  float in[AUDIO_FRAME];
  tone_make(in, AUDIO_FRAME, 700, &phase, 0.97f);
  memcpy(buffer, in, sizeof in);
  limiter_run(&l, buffer, AUDIO_FRAME);
  for (int i = LIMITER_DELAY; i < AUDIO_FRAME; i++) {
    assert_float_equal(buffer[i], in[i - LIMITER_DELAY], 1e-6f);
  }
}

static void test_limiter_distorts_little_and_lets_go(void **state) {
  (void)state;
  struct limiter l = {0};
  double phase = 0;
  tone_make(buffer, SECOND, 400, &phase, 3.0f);
  phase = 0;
  tone_make(buffer + SECOND, SECOND, 400, &phase, 0.5f);
  limiter_run(&l, buffer, 2 * SECOND);
  assert_true(goertzel_share(buffer + SECOND / 2, SECOND / 4, 400) > 0.999); /* THD below 3 % */
  assert_true(peak_of(buffer + SECOND / 2, SECOND / 4) > 0.95f);             /* and no needless loss */
  assert_true(peak_of(buffer + SECOND + SECOND / 2, SECOND / 4) > 0.49f);
}

static void test_agc_range_and_rate(void **state) {
  (void)state;
  const struct {
    float amplitude;
    float gain_db;
  } cases[] = {{0.141f, 0.0f}, {0.05f, 9.0f}, {0.02f, 12.0f}, {1.0f, -12.0f}};
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
    struct agc a = {0};
    double phase = 0;
    for (int frame = 0; frame < 10 * 50; frame++) {
      tone_make(buffer, AUDIO_FRAME, 500, &phase, cases[c].amplitude);
      float before = a.gain_db;
      agc_run(&a, buffer, AUDIO_FRAME, true);
      assert_true(fabsf(a.gain_db - before) < 0.0601f);
      assert_true(step_of(buffer, AUDIO_FRAME) < cases[c].amplitude * 4 * 0.0656f);
    }
    assert_float_equal(a.gain_db, cases[c].gain_db, 1.1f);
  }
}

static void test_agc_rests_without_voice(void **state) {
  (void)state;
  struct agc a = {.gain_db = 3.0f};
  double phase = 0;
  for (int frame = 0; frame < 100; frame++) {
    tone_make(buffer, AUDIO_FRAME, 500, &phase, 0.02f);
    agc_run(&a, buffer, AUDIO_FRAME, false);
    memset(buffer, 0, AUDIO_FRAME * sizeof *buffer);
    agc_run(&a, buffer, AUDIO_FRAME, true); /* a pause inside speech */
  }
  assert_float_equal(a.gain_db, 3.0f, 1e-6f);
}

/* voiced: how many of `blocks` blocks of n samples of noise at peak count as voice. */
static int voiced(struct vad *v, int blocks, size_t n, float peak, uint32_t *seed) {
  int count = 0;
  for (int i = 0; i < blocks; i++) {
    noise(buffer, n, peak, seed);
    count += vad_feed(v, buffer, n, 300);
  }
  return count;
}

static void test_vad_learns_noise_and_hears_speech(void **state) {
  (void)state;
  const size_t sizes[] = {AUDIO_BLOCK, AUDIO_FRAME, AUDIO_FRAME_MAX};
  for (size_t s = 0; s < 3; s++) {
    struct vad v = {0};
    uint32_t seed = 99;
    int second = SECOND / (int)sizes[s];
    voiced(&v, 10 * second, sizes[s], 0.01f, &seed); /* a fan at -45 dBov */
    assert_int_equal(voiced(&v, 5 * second, sizes[s], 0.01f, &seed), 0);
    for (int burst = 0; burst < 10;
         burst++) { /* syllables of 240 ms with gaps of 120 ms: never lost in between */
      int n = 2 * AUDIO_FRAME_MAX / (int)sizes[s];
      assert_int_equal(voiced(&v, n, sizes[s], 0.15f, &seed), n);
      assert_int_equal(voiced(&v, n / 2, sizes[s], 0.01f, &seed), n / 2);
    }
    voiced(&v, second / 2, sizes[s], 0.01f, &seed);
    assert_int_equal(voiced(&v, second, sizes[s], 0.01f, &seed), 0);
  }
}

static void test_vad_first_block_and_steady_tone(void **state) {
  (void)state;
  struct vad v = {0};
  double phase = 0;
  for (int i = 0; i < 60 * 50; i++) { /* a minute of a tone stays voice, from the first block */
    tone_make(buffer, AUDIO_FRAME, 440, &phase, 0.2f);
    assert_true(vad_feed(&v, buffer, AUDIO_FRAME, 300));
  }
  memset(buffer, 0, sizeof *buffer * AUDIO_FRAME);
  int held = 0;
  while (vad_feed(&v, buffer, AUDIO_FRAME, 300)) {
    held++;
  }
  assert_int_equal(held, 15);
  struct vad silent = {0};
  for (int i = 0; i < 50; i++) {
    assert_false(vad_feed(&silent, buffer, AUDIO_FRAME, 300));
  }
}

/* crossings: upward zero crossings, that is periods. */
static int crossings(const float *pcm, size_t n) {
  int count = 0;
  for (size_t i = 1; i < n; i++) {
    count += pcm[i - 1] < 0.0f && pcm[i] >= 0.0f;
  }
  return count;
}

static void test_stretch_keeps_pitch(void **state) {
  (void)state;
  const double freqs[] = {110, 200, 437, 1000};
  for (size_t f = 0; f < 4; f++) {
    double phase = 0;
    tone_make(buffer, 2 * AUDIO_FRAME, freqs[f], &phase, 0.5f);
    float bound = 0.5f * 6.2832f * (float)freqs[f] / AUDIO_RATE * 1.1f;
    size_t n = 2 * AUDIO_FRAME;
    size_t cut = stretch_remove(buffer, n, AUDIO_MS(20), 0.9f);
    assert_in_range(cut, STRETCH_MIN, AUDIO_MS(20));
    n -= cut;
    assert_true(step_of(buffer, n) < bound);
    size_t put = stretch_insert(buffer, n, AUDIO_MS(12), 0.9f);
    assert_in_range(put, STRETCH_MIN, AUDIO_MS(12));
    n += put;
    assert_true(step_of(buffer, n) < bound);
    double periods = (double)n * freqs[f] / AUDIO_RATE;
    assert_true(fabs(crossings(buffer, n) - periods) < 1.5);
  }
}

static void test_stretch_overlaps_what_does_not_fit(void **state) {
  (void)state;
  double phase = 1.5708; /* 5 ms later a sine of 100 Hz is upside down */
  tone_make(buffer, AUDIO_FRAME, 100, &phase, 0.5f);
  assert_int_equal(stretch_insert(buffer, AUDIO_FRAME, STRETCH_MIN, -1.0f), STRETCH_MIN);
  assert_true(step_of(buffer, AUDIO_FRAME + STRETCH_MIN) < 0.02f);
  assert_int_equal(stretch_remove(buffer, AUDIO_FRAME, STRETCH_MIN, -1.0f), STRETCH_MIN);
  assert_true(step_of(buffer, AUDIO_FRAME - STRETCH_MIN) < 0.02f);
}

static void test_stretch_limits(void **state) {
  (void)state;
  uint32_t seed = 5;
  noise(buffer, AUDIO_FRAME, 0.5f, &seed);
  assert_int_equal(stretch_remove(buffer, AUDIO_FRAME, AUDIO_MS(20), 0.7f), 0); /* noise is unlike itself */
  assert_int_equal(stretch_remove(buffer, STRETCH_MIN, AUDIO_MS(20), -1.0f), 0);
  assert_int_equal(stretch_remove(buffer, AUDIO_FRAME, STRETCH_MIN - 1, -1.0f), 0);
  memset(buffer, 0, sizeof *buffer * AUDIO_FRAME);
  assert_int_equal(stretch_remove(buffer, AUDIO_FRAME, AUDIO_MS(12), 0.9f),
                   AUDIO_MS(12)); /* silence is easy */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_level_of_sines),
      cmocka_unit_test(test_goertzel),
      cmocka_unit_test(test_tone_goes_on_over_blocks),
      cmocka_unit_test(test_mix_ramp),
      cmocka_unit_test(test_limiter_holds_shouting),
      cmocka_unit_test(test_limiter_leaves_quiet_sound_alone),
      cmocka_unit_test(test_limiter_distorts_little_and_lets_go),
      cmocka_unit_test(test_agc_range_and_rate),
      cmocka_unit_test(test_agc_rests_without_voice),
      cmocka_unit_test(test_vad_learns_noise_and_hears_speech),
      cmocka_unit_test(test_vad_first_block_and_steady_tone),
      cmocka_unit_test(test_stretch_keeps_pitch),
      cmocka_unit_test(test_stretch_overlaps_what_does_not_fit),
      cmocka_unit_test(test_stretch_limits),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
