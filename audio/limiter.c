/* limiter.c: each sample that enters too loud starts a straight ramp that has reached its cut when the sample
 * leaves, LIMITER_DELAY later; the cut is held as long as such a sample is on its way, then fades. O(1) a
 * sample. */
#include "audio/dsp.h"

#include <math.h>

#define LIMIT 0.985f
#define THRESHOLD 0.98f                      /* leaves room for rounding along the ramp */
#define RELEASE (1.0f - 1.0f / AUDIO_MS(80)) /* per sample */
#define RELEASE_LOOKAHEAD 0.97f              /* below RELEASE^LIMITER_DELAY (0.975) */

static void limiter_plan(struct limiter *l, float x) {
  float loud = fabsf(x);
  float need = loud > THRESHOLD ? 1.0f - THRESHOLD / loud : 0.0f;
  if (need > l->cut) {
    l->target = fmaxf(l->target, need);
    l->step = fmaxf(l->step, (need - l->cut) / (float)(LIMITER_DELAY - 1));
  }
  if (need > 0.0f && need >= l->cut * RELEASE_LOOKAHEAD) {
    l->hold = LIMITER_DELAY + 1;
  }
}

static void limiter_move(struct limiter *l) {
  if (l->target > 0.0f) {
    l->cut += l->step;
    if (l->cut >= l->target) {
      l->cut = l->target;
      l->target = 0.0f;
      l->step = 0.0f;
    }
  } else if (l->hold == 0) {
    l->cut = l->cut < 1e-5f ? 0.0f : l->cut * RELEASE;
  }
  l->hold -= l->hold > 0;
}

void limiter_run(struct limiter *l, float *pcm, size_t n) {
  for (size_t i = 0; i < n; i++) {
    float in = isfinite(pcm[i]) ? pcm[i] : 0.0f;
    float out = l->delay[l->at];
    limiter_plan(l, in);
    l->delay[l->at] = in;
    l->at = (l->at + 1) % LIMITER_DELAY;
    pcm[i] = fminf(fmaxf(out * (1.0f - l->cut), -LIMIT), LIMIT);
    limiter_move(l);
  }
}
