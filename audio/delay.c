/* delay.c: a histogram of 5 ms bins with exponential forgetting, and a sliding minimum of one-second minima.
 */
#include "audio/delay.h"

#include <assert.h>
#include <string.h>

#define START_BIN 7 /* 40 ms, until the first seconds have been heard */
#define FORGET_20MS 0.017f
#define QUANTILE 0.97f
#define STALL AUDIO_MS(1000)

static void base_forget(struct delay *d) {
  for (int i = 0; i < DELAY_WINDOW; i++) {
    d->window[i].second = INT64_MIN / 2;
  }
}

void delay_init(struct delay *d) {
  memset(d, 0, sizeof *d);
  d->share[START_BIN] = 1.0f;
  base_forget(d);
}

/* base_follow: what is older than the window no longer counts, so that drift and new routes are followed. */
static void base_follow(struct delay *d, int64_t now, int64_t offset) {
  int64_t second = now / AUDIO_RATE;
  int slot = (int)(((second % DELAY_WINDOW) + DELAY_WINDOW) % DELAY_WINDOW);
  if (d->window[slot].second != second || offset < d->window[slot].least) {
    d->window[slot].second = second;
    d->window[slot].least = offset;
  }
  d->base = offset;
  for (int i = 0; i < DELAY_WINDOW; i++) {
    bool recent = second - d->window[i].second < DELAY_WINDOW;
    if (recent && d->window[i].least < d->base) {
      d->base = d->window[i].least;
    }
  }
}

void delay_feed(struct delay *d, int64_t now, int64_t ts, int samples, bool marker) {
  assert(samples > 0 && samples <= AUDIO_FRAME_MAX);
  int64_t late = delay_late(d, now, ts);
  /* a timestamp that stood still while silent, a new clock, or a stall: measure afresh */
  if (late > STALL || (marker && late > DELAY_MAX)) {
    base_forget(d);
  }
  base_follow(d, now, now - ts);
  d->known = true;
  late = now - ts - d->base;
  int64_t bin = late / DELAY_BIN;
  float forget = FORGET_20MS * (float)samples / AUDIO_FRAME;
  for (int i = 0; i < DELAY_BINS; i++) {
    d->share[i] *= 1.0f - forget;
  }
  d->share[bin < DELAY_BINS ? bin : DELAY_BINS - 1] += forget;
}

int64_t delay_late(const struct delay *d, int64_t now, int64_t ts) {
  return d->known ? now - ts - d->base : 0;
}

int delay_target(const struct delay *d, int block) {
  float sum = 0.0f;
  int bin = 0;
  while (bin < DELAY_BINS - 1 && (sum += d->share[bin]) < QUANTILE) {
    bin++;
  }
  int target = (bin + 1) * DELAY_BIN + block;
  return target < DELAY_MIN ? DELAY_MIN : target > DELAY_MAX ? DELAY_MAX : target;
}
