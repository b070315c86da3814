/* test_mixer_shouting.c: eight people shout at once. Nothing clips or wraps, and nobody's loudness moves with
 * the syllables of the others: a pilot tone above speech in the voice of one tells his gain. */
#include "tests/unit/server/mixer_kit.h"

#include <math.h>
#include <sndfile.h>
#include <stdio.h>

#define SECONDS 10
#define N (SECONDS * AUDIO_RATE)
#define PEOPLE 8
#define PILOT 9500.0
#define WINDOW AUDIO_MS(40)
#define WINDOWS (N / WINDOW)

static float voice[PEOPLE][N], ear[N];

/* shout: a file over and over from a place of his own, so loud that the microphone's own peaks are cut. */
static void shout(float *pcm, int who) {
  char path[512];
  SF_INFO info = {0};
  static float raw[6 * 16000];
  snprintf(path, sizeof path, "%s/tests/data/speech_%c.wav", GAVEL_SRCDIR, who % 2 ? 'b' : 'a');
  SNDFILE *f = sf_open(path, SFM_READ, &info);
  assert_non_null(f);
  assert_int_equal(info.samplerate, 16000);
  size_t n = (size_t)sf_readf_float(f, raw, 6 * 16000) - 1;
  sf_close(f);
  assert_true(n > 16000);
  for (size_t i = 0; i < N; i++) {
    size_t at = (i / 3 + (size_t)who * 9001) % n;
    float x = 5.0f * (raw[at] + (raw[at + 1] - raw[at]) * (float)(i % 3) / 3.0f);
    pcm[i] = fmaxf(-0.9f, fminf(0.9f, x));
  }
}

static int by_value(const void *a, const void *b) {
  const double *x = a, *y = b;
  return (*x > *y) - (*x < *y);
}

/* pilot_db: how loud the pilot is in each window. */
static size_t pilot_db(const float *pcm, size_t n, double db[WINDOWS]) {
  size_t count = 0;
  for (size_t at = 0; at + WINDOW <= n && count < WINDOWS; at += WINDOW) {
    double sum = 0;
    for (size_t i = at; i < at + WINDOW; i++) {
      sum += (double)pcm[i] * (double)pcm[i];
    }
    db[count++] = 10 * log10(sum / WINDOW * goertzel_share(pcm + at, WINDOW, PILOT) + 1e-12);
  }
  return count;
}

/* swing: between the softest and the loudest tenth, and the mean step from a window to the next. */
static double swing(double *db, size_t n, double *step) {
  *step = 0;
  for (size_t i = 1; i < n; i++) {
    *step += fabs(db[i] - db[i - 1]) / (double)(n - 1);
  }
  qsort(db, n, sizeof *db, by_value);
  return db[n * 9 / 10] - db[n / 10];
}

static void assert_sane(const float *pcm, size_t n) {
  size_t full = 0;
  for (size_t i = 1; i < n; i++) {
    assert_true(fabsf(pcm[i]) <= 1.0f);
    assert_true(fabsf(pcm[i] - pcm[i - 1]) < 1.2f); /* a wrap would be 2 */
    full += fabsf(pcm[i]) > 0.995f;
  }
  printf("  %.2f %% of the samples at full scale\n", 100.0 * (double)full / (double)n);
  assert_true(full * 500 < n);
}

static void test_the_room(void **state) {
  (void)state;
  struct kit k;
  double phase = 0, db[WINDOWS], step;
  static float tone[N];
  tone_make(tone, N, PILOT, &phase, 0.05f);
  kit_open(&k);
  for (int i = 0; i < PEOPLE; i++) {
    struct person *p = kit_person(&k, (uint32_t)i + 1, 0, 20);
    shout(voice[i], i);
    if (i == 0) {
      mix_add(voice[i], tone, N, 1.0f, 1.0f);
    }
    p->pcm = voice[i];
    p->pcm_len = N;
    p->talking = true;
  }
  kit_run(&k, 3000); /* the automatic gain has found its place */
  us_t from = k.now;
  kit_run(&k, 6500);
  size_t n = kit_hear(&k, 0, from, k.now, ear, N);
  assert_true(n > AUDIO_MS(6000));
  assert_sane(ear, n);
  n = pilot_db(ear, n, db);
  size_t heard = 0; /* he is not among the loudest all the time */
  for (size_t i = 0; i < n; i++) {
    if (db[i] > -55) {
      db[heard++] = db[i];
    }
  }
  double swings = swing(db, heard, &step);
  printf("  pilot heard in %zu of %zu windows, swings %.1f dB, %.2f dB from one to the next\n", heard, n,
         swings, step);
  assert_true(heard > n / 4);
  assert_true(swings < 6.0);
  kit_check_lengths(&k);
  kit_check_order(&k);
  kit_close(&k);
}

static void test_the_limiter(void **state) {
  (void)state;
  double phase = 0, db[WINDOWS], step;
  static struct limiter l;
  tone_make(ear, N, PILOT, &phase, 0.05f);
  for (int i = 0; i < PEOPLE; i++) {
    shout(voice[i], i);
    mix_add(ear, voice[i], N, 1.0f, 1.0f);
  }
  float peak = 0;
  for (size_t i = 0; i < N; i++) {
    peak = fmaxf(peak, fabsf(ear[i]));
  }
  limiter_run(&l, ear, N);
  for (size_t i = 0; i < N; i++) {
    assert_true(fabsf(ear[i]) <= 0.985f);
  }
  size_t n = pilot_db(ear, N, db);
  double swings = swing(db, n, &step);
  printf("  peak of the sum %.1f; the limiter's gain swings %.1f dB, %.2f dB from one window to the next\n",
         (double)peak, swings, step);
  assert_true(peak > 3.0f);
  assert_true(swings < 6.0 && step < 2.0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_room),
      cmocka_unit_test(test_the_limiter),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
