/* delay.c: a histogram of 5 ms bins with exponential forgetting, and a sliding minimum of one-second minima.
 */
#include "audio/delay.h"

#include <assert.h>
#include <string.h>

#define START_BIN 3 /* 20 ms, until the first second has been heard */
#define FORGET_20MS 0.017f
#define FED_ENOUGH (60 * AUDIO_FRAME) /* from then on forgetting is as fast as plain averaging was */
#define STALL AUDIO_MS(1000)
#define FLOOR 0.05f /* all but this share of what waits in a queue is later than its emptiest moment */
#define LATEST_FOR AUDIO_MS(500)
#define REGRID AUDIO_MS(20) /* a sender may round where a talkspurt starts up to a frame */

static void base_forget(struct delay *d) {
  for (int i = 0; i < DELAY_WINDOW; i++) {
    d->window[i].second = INT64_MIN / 2;
  }
}

void delay_init(struct delay *d) {
  memset(d, 0, sizeof *d);
  d->share[START_BIN] = 1.0f;
  for (int i = 0; i < DELAY_LATEST; i++) {
    d->latest[i] = DELAY_MAX;
  }
  base_forget(d);
}

static int quantile_bin(const struct delay *d, float share) {
  float sum = 0.0f;
  int bin = 0;
  while (bin < DELAY_BINS - 1 && (sum += d->share[bin]) < share) {
    bin++;
  }
  return bin;
}

/* base_rose: what is known is so many bins less late than it was. */
static void base_rose(struct delay *d, int bins) {
  for (int i = 0; i < DELAY_BINS && bins > 0; i++) {
    float share = d->share[i];
    d->share[i] = 0.0f;
    d->share[i > bins ? i - bins : 0] += share;
  }
  for (int i = 0; i < DELAY_LATEST; i++) {
    d->latest[i] -= (int64_t)bins * DELAY_BIN;
  }
}

/* base_follow: what is older than the window no longer counts, so that drift and new routes are followed, and
 * a queue that stands for long becomes the line's own delay. Returns by how much the base rose. */
static int64_t base_follow(struct delay *d, int64_t now, int64_t offset) {
  int64_t second = now / AUDIO_RATE;
  int slot = (int)(((second % DELAY_WINDOW) + DELAY_WINDOW) % DELAY_WINDOW);
  if (d->window[slot].second != second || offset < d->window[slot].least) {
    d->window[slot].second = second;
    d->window[slot].least = offset;
  }
  int64_t before = d->base;
  d->base = offset;
  for (int i = 0; i < DELAY_WINDOW; i++) {
    bool recent = second - d->window[i].second < DELAY_WINDOW;
    if (recent && d->window[i].least < d->base) {
      d->base = d->window[i].least;
    }
  }
  return d->base - before;
}

static void latest_follow(struct delay *d, int64_t late, int samples) {
  d->latest_fed += samples;
  if (d->latest_fed >= LATEST_FOR) {
    memmove(d->latest + 1, d->latest, sizeof d->latest - sizeof d->latest[0]);
    d->latest[0] = late;
    d->latest_fed = 0;
  }
  d->latest[0] = late > d->latest[0] ? late : d->latest[0];
}

/* base_feed: follows the base, and keeps what is known of lateness relative to it. */
static void base_feed(struct delay *d, int64_t now, int64_t offset, bool marker) {
  int64_t late = d->known ? offset - d->base : 0;
  bool far = late > STALL || (marker && late > DELAY_MAX);
  /* a timestamp that stood still while silent, a new clock or grid, or a stall: measure afresh */
  bool afresh = far || (marker && late <= REGRID);
  if (afresh) {
    base_forget(d);
  }
  if (far) { /* or the same queue that all the others waited in */
    base_rose(d, quantile_bin(d, FLOOR));
  }
  int64_t rose = base_follow(d, now, offset);
  d->risen = afresh || !d->known || rose < 0 ? 0 : d->risen + rose;
  if (d->risen >= DELAY_BIN) {
    base_rose(d, d->risen < DELAY_MAX ? (int)(d->risen / DELAY_BIN) : DELAY_BINS);
    d->risen %= DELAY_BIN;
  }
  d->known = true;
}

void delay_feed(struct delay *d, int64_t now, int64_t end, int samples, bool marker) {
  assert(samples > 0 && samples <= AUDIO_FRAME_MAX);
  base_feed(d, now, now - end, marker);
  int64_t late = delay_late(d, now, end);
  int64_t bin = late / DELAY_BIN;
  latest_follow(d, late, samples);
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
  int64_t latest = 0;
  for (int i = 0; i < DELAY_LATEST; i++) {
    latest = d->latest[i] > latest ? d->latest[i] : latest;
  }
  int bin = quantile_bin(d, share);
  return (latest / DELAY_BIN < bin ? (int)(latest / DELAY_BIN) : bin) * DELAY_BIN + DELAY_BIN;
}
