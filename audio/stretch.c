/* stretch.c: a coarse search over every fourth lag and sample, then a fine one around the best. */
#include "audio/stretch.h"

#include <math.h>
#include <string.h>

#define OVERLAP STRETCH_MIN
#define COARSE 4
#define QUIET 1e-5f      /* mean square: -50 dB */
#define LONG_BONUS 0.05f /* of two equally good lags the longer is worth more: fewer operations */

/* correlation: of pcm[0..OVERLAP) with itself `lag` later, -1..1, looking at every `step`th sample. */
static float correlation(const float *pcm, size_t lag, size_t step) {
  float dot = 0.0f;
  float here = 0.0f;
  float there = 0.0f;
  for (size_t i = 0; i < OVERLAP; i += step) {
    dot += pcm[i] * pcm[lag + i];
    here += pcm[i] * pcm[i];
    there += pcm[lag + i] * pcm[lag + i];
  }
  return dot / sqrtf(here * there + 1e-12f);
}

static float energy(const float *pcm, size_t n) {
  float sum = 0.0f;
  for (size_t i = 0; i < n; i++) {
    sum += pcm[i] * pcm[i];
  }
  return sum / (float)n;
}

/* lag_find: the best lag within STRETCH_MIN..most, or 0. */
static size_t lag_find(const float *pcm, size_t n, size_t most, float least) {
  most = most < STRETCH_MAX ? most : STRETCH_MAX;
  if (n < OVERLAP + STRETCH_MIN || most < STRETCH_MIN) {
    return 0;
  }
  most = most < n - OVERLAP ? most : n - OVERLAP;
  if (energy(pcm, most + OVERLAP) < QUIET) {
    return most;
  }
  size_t best = STRETCH_MIN;
  float best_score = -2.0f;
  for (size_t lag = STRETCH_MIN; lag <= most; lag += COARSE) {
    float score = correlation(pcm, lag, COARSE) + LONG_BONUS * (float)lag / STRETCH_MAX;
    if (score > best_score) {
      best_score = score;
      best = lag;
    }
  }
  size_t from = best > STRETCH_MIN + COARSE ? best - COARSE : STRETCH_MIN;
  size_t to = best + COARSE < most ? best + COARSE : most;
  float best_fine = -2.0f;
  for (size_t lag = from; lag <= to; lag++) {
    float c = correlation(pcm, lag, 1);
    if (c > best_fine) {
      best_fine = c;
      best = lag;
    }
  }
  return best_fine >= least ? best : 0;
}

/* blend: out = a fading into b; out may be a or b. */
static void blend(float *out, const float *a, const float *b) {
  for (size_t i = 0; i < OVERLAP; i++) {
    float w = ((float)i + 0.5f) / OVERLAP;
    out[i] = a[i] + (b[i] - a[i]) * w;
  }
}

size_t stretch_remove(float *pcm, size_t n, size_t most, float least) {
  size_t lag = lag_find(pcm, n, most, least);
  if (lag > 0) {
    blend(pcm, pcm, pcm + lag);
    memmove(pcm + OVERLAP, pcm + OVERLAP + lag, (n - OVERLAP - lag) * sizeof *pcm);
  }
  return lag;
}

size_t stretch_insert(float *pcm, size_t n, size_t most, float least) {
  size_t lag = lag_find(pcm, n, most, least);
  if (lag > 0) {
    memmove(pcm + lag, pcm, n * sizeof *pcm);
    /* the old pcm[lag + i] now lies at 2 lag + i and fades into the old pcm[i], now at lag + i */
    blend(pcm + lag, pcm + 2 * lag, pcm + lag);
  }
  return lag;
}
