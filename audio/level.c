/* level.c: level, mixing with ramps, slow gain, and the sine that tests and device checks use. */
#include "audio/dsp.h"

#include <math.h>

#define TWO_PI 6.283185307179586

#define AGC_TARGET_DB (-20.0f)
#define AGC_QUIET_DB (-45.0f) /* quieter blocks are pauses inside speech: they say nothing about loudness */
#define AGC_RANGE_DB 12.0f
#define AGC_DB_PER_SECOND 3.0f

uint8_t level_dbov(const float *pcm, size_t n) {
  double sum = 0.0;
  for (size_t i = 0; i < n; i++) {
    sum += (double)pcm[i] * (double)pcm[i];
  }
  if (n == 0 || !(sum > 0.0)) {
    return 127;
  }
  double db = -10.0 * log10(sum / (double)n);
  return (uint8_t)lround(fmin(fmax(db, 0.0), 127.0));
}

void mix_add(float *acc, const float *pcm, size_t n, float from, float to) {
  float step = n > 0 ? (to - from) / (float)n : 0.0f;
  for (size_t i = 0; i < n; i++) {
    acc[i] += pcm[i] * (from + step * (float)i);
  }
}

void agc_run(struct agc *a, float *pcm, size_t n, bool voice) {
  float from = powf(10.0f, a->gain_db / 20.0f);
  float level_db = -(float)level_dbov(pcm, n);
  if (voice && level_db > AGC_QUIET_DB) {
    float step = AGC_DB_PER_SECOND * (float)n / (float)AUDIO_RATE;
    float away = AGC_TARGET_DB - level_db - a->gain_db;
    a->gain_db += fminf(fmaxf(away, -step), step);
    a->gain_db = fminf(fmaxf(a->gain_db, -AGC_RANGE_DB), AGC_RANGE_DB);
  }
  float step = n > 0 ? (powf(10.0f, a->gain_db / 20.0f) - from) / (float)n : 0.0f;
  for (size_t i = 0; i < n; i++) {
    pcm[i] *= from + step * (float)i;
  }
}

void tone_make(float *pcm, size_t n, double freq, double *phase, float amplitude) {
  for (size_t i = 0; i < n; i++) {
    pcm[i] = amplitude * (float)sin(*phase);
    *phase = fmod(*phase + TWO_PI * freq / AUDIO_RATE, TWO_PI);
  }
}

double goertzel_share(const float *pcm, size_t n, double freq) {
  double coeff = 2.0 * cos(TWO_PI * freq / AUDIO_RATE);
  double s1 = 0.0;
  double s2 = 0.0;
  double energy = 0.0;
  for (size_t i = 0; i < n; i++) {
    double s0 = (double)pcm[i] + coeff * s1 - s2;
    s2 = s1;
    s1 = s0;
    energy += (double)pcm[i] * (double)pcm[i];
  }
  if (!(energy > 1e-12)) {
    return 0.0;
  }
  double power = s1 * s1 + s2 * s2 - coeff * s1 * s2;
  /* a pure sine over whole periods has power (A n / 2)^2 and energy A^2 n / 2 */
  return fmin(2.0 * power / ((double)n * energy), 1.0);
}
