/* echo: real speech through a synthetic room (direct path, early echoes, a decaying tail) into the
 * microphone; how much of it the canceller takes away, and what it leaves of the one who speaks there. */
#include "audio/dsp.h"
#include "audio/echo.h"

#include <math.h>
#include <setjmp.h>
#include <sndfile.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* needs the ones above */

#define SECONDS 10
#define N (SECONDS * AUDIO_RATE)
#define TAPS AUDIO_MS(60)

static float far_end[N], near_end[N], echoed[N], mic[N], out[N];
static float room[TAPS];
static uint32_t seed;

static float noise(void) {
  seed = seed * 1664525u + 1013904223u;
  return (float)(int32_t)seed / 2147483648.0f;
}

/* speech: the file over and over, from `from` s on. */
static void speech(float *pcm, const char *name, int from) {
  char path[512];
  SF_INFO info = {0};
  snprintf(path, sizeof path, "%s/tests/data/%s", GAVEL_SRCDIR, name);
  SNDFILE *f = sf_open(path, SFM_READ, &info);
  assert_non_null(f);
  assert_int_equal(info.channels, 1);
  static float raw[N];
  sf_count_t got = sf_readf_float(f, raw, N);
  sf_close(f);
  assert_true(got > info.samplerate);
  memset(pcm, 0, N * sizeof *pcm);
  for (int i = from * AUDIO_RATE; i < N; i++) { /* linear interpolation will do */
    double at = fmod((double)(i - from * AUDIO_RATE) * info.samplerate / AUDIO_RATE, (double)(got - 1));
    sf_count_t k = (sf_count_t)at;
    pcm[i] = 0.5f * (raw[k] + (raw[k + 1] - raw[k]) * (float)(at - (double)k));
  }
}

/* room_make: sound comes back after delay_ms, and fades over 40 ms. */
static void room_make(int delay_ms) {
  seed = 5;
  memset(room, 0, sizeof room);
  for (int i = AUDIO_MS(delay_ms); i < TAPS; i += 23) {
    float t = (float)(i - AUDIO_MS(delay_ms)) / AUDIO_MS(1);
    room[i] = 0.2f * noise() * expf(-t / 8.0f);
  }
  room[AUDIO_MS(delay_ms)] = 0.4f;
}

static void echo_make(void) {
  memset(echoed, 0, sizeof echoed);
  for (int k = 0; k < TAPS; k++) {
    for (int i = k; room[k] != 0.0f && i < N; i++) {
      echoed[i] += room[k] * far_end[i - k];
    }
  }
  for (int i = 0; i < N; i++) {
    mic[i] = echoed[i] + near_end[i] + 0.0003f * noise();
  }
}

static void cancel(void) {
  struct echo *e = echo_create(true, true);
  assert_non_null(e);
  memcpy(out, mic, sizeof out);
  for (int i = 0; i + ECHO_BLOCK <= N; i += ECHO_BLOCK) {
    echo_far(e, far_end + i, ECHO_BLOCK);
    echo_run(e, out + i);
  }
  echo_destroy(e);
}

static double power(const float *pcm, int from_s, int to_s) {
  double sum = 1e-12;
  for (int i = from_s * AUDIO_RATE; i < to_s * AUDIO_RATE; i++) {
    sum += (double)pcm[i] * (double)pcm[i];
  }
  return sum;
}

static double erle_db(int from_s, int to_s) {
  return 10.0 * log10(power(mic, from_s, to_s) / power(out, from_s, to_s));
}

static void test_echo_goes(void **state) {
  (void)state;
  const int delays[] = {5, 20, 45};
  speech(far_end, "speech_a.wav", 0);
  memset(near_end, 0, sizeof near_end);
  for (int d = 0; d < 3; d++) {
    room_make(delays[d]);
    echo_make();
    cancel();
    printf("echo after %2d ms: ERLE %.1f dB in the first second, %.1f dB from 1 to 3 s, %.1f dB after that\n",
           delays[d], erle_db(0, 1), erle_db(1, 3), erle_db(3, SECONDS));
    assert_true(erle_db(3, SECONDS) >= 15.0);
    for (int i = 0; i < N; i++) {
      assert_true(fabsf(out[i]) <= 1.0f);
    }
  }
}

/* likeness: correlation of a with b, at the shift where it is best. */
static double likeness(const float *a, const float *b, int from_s, int to_s, int *best) {
  double most = 0;
  for (int shift = 0; shift <= AUDIO_MS(12); shift += 12) {
    double dot = 0, aa = 1e-12, bb = 1e-12;
    for (int i = from_s * AUDIO_RATE; i < to_s * AUDIO_RATE - AUDIO_MS(12); i++) {
      dot += (double)a[i] * (double)b[i + shift];
      aa += (double)a[i] * (double)a[i];
      bb += (double)b[i + shift] * (double)b[i + shift];
    }
    double c = dot / sqrt(aa * bb);
    if (c > most) {
      most = c;
      *best = shift;
    }
  }
  return most;
}

static void test_near_speech_survives(void **state) {
  (void)state;
  speech(far_end, "speech_a.wav", 0);
  speech(near_end, "speech_b.wav", 6);
  room_make(20);
  echo_make();
  cancel();
  int late = 0;
  double like = likeness(near_end, out, 6, SECONDS, &late);
  double kept_db = 10.0 * log10(power(out, 6, SECONDS) / power(near_end, 6, SECONDS));
  double before_db = 10.0 * log10(power(near_end, 6, SECONDS) / power(echoed, 6, SECONDS));
  printf("double talk, %.1f dB over the echo: %.1f dB of it kept, likeness %.2f, %.1f ms late\n", before_db,
         kept_db, like, (double)late / AUDIO_MS(1));
  assert_true(kept_db > -6.0 && kept_db < 1.0);
  assert_true(like > 0.8);
  assert_true(erle_db(3, 6) >= 15.0);
}

static void test_no_far_sound_no_harm(void **state) {
  (void)state;
  memset(far_end, 0, sizeof far_end);
  speech(near_end, "speech_b.wav", 0);
  room_make(20);
  echo_make();
  cancel();
  double kept_db = 10.0 * log10(power(out, 3, SECONDS) / power(near_end, 3, SECONDS));
  assert_true(kept_db > -2.0 && kept_db < 1.0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_echo_goes),
      cmocka_unit_test(test_near_speech_survives),
      cmocka_unit_test(test_no_far_sound_no_harm),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
