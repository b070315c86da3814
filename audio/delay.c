/* delay.c: a histogram of 5 ms bins with exponential forgetting, and a sliding minimum of one-second minima.
 */
#include "audio/delay.h"

#include <assert.h>
#include <string.h>

#define START_BIN 3 /* 20 ms, until the first second has been heard */
#define FORGET_20MS 0.017f
#define FED_ENOUGH (60 * AUDIO_FRAME) /* from then on forgetting is as fast as plain averaging was */
#define STALL AUDIO_MS(1000)
#define REGRID AUDIO_MS(20) /* a sender may round where a talkspurt starts up to a frame */

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

void delay_feed(struct delay *d, int64_t now, int64_t end, int samples, bool marker) {
  assert(samples > 0 && samples <= AUDIO_FRAME_MAX);
  int64_t late = delay_late(d, now, end);
  /* a timestamp that stood still while silent, a new clock or grid, or a stall: measure afresh */
  if (late > STALL || (marker && (late > DELAY_MAX || late <= REGRID))) {
    base_forget(d);
  }
  base_follow(d, now, now - end);
  d->known = true;
  late = now - end - d->base;
  int64_t bin = late / DELAY_BIN;
  d->fed = d->fed < FED_ENOUGH ? d->fed + samples : FED_ENOUGH;
  float forget = d->fed < FED_ENOUGH ? (float)samples / (float)(d->fed + samples)
                                     : FORGET_20MS * (float)samples / AUDIO_FRAME;
  for (int i = 0; i < DELAY_BINS; i++) {
    d->share[i] *= 1.0f - forget;
  }
  d->share[bin < DELAY_BINS ? bin : DELAY_BINS - 1] += forget;
}

int64_t delay_late(const struct delay *d, int64_t now, int64_t end) {
  return d->known ? now - end - d->base : 0;
}

int delay_quantile(const struct delay *d, float share) {
  float sum = 0.0f;
  int bin = 0;
  while (bin < DELAY_BINS - 1 && (sum += d->share[bin]) < share) {
    bin++;
  }
  return (bin + 1) * DELAY_BIN;
}
