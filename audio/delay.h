/* delay.h: how late packets come: the fastest of the last seconds is the base, and the buffering to aim at is
 * a quantile of what others took longer, forgotten within seconds. Sans-IO; all times are samples of the
 * local clock. One thread. Invariant: the target lies within 20..400 ms. */
#ifndef GAVEL_AUDIO_DELAY_H
#define GAVEL_AUDIO_DELAY_H

#include "audio/frame.h"

#include <stdbool.h>
#include <stdint.h>

#define DELAY_BINS 80
#define DELAY_BIN AUDIO_MS(5)
#define DELAY_MIN AUDIO_MS(20)
#define DELAY_MAX (DELAY_BINS * DELAY_BIN) /* 400 ms */
#define DELAY_WINDOW 10                    /* seconds the base remembers */

struct delay {
  float share[DELAY_BINS]; /* of recent sound, by lateness; adds up to 1 */
  struct {
    int64_t second, least;
  } window[DELAY_WINDOW];
  int64_t base; /* arrival - timestamp of the fastest packet */
  bool known;
};
/* delay_init: nothing known yet. */
void delay_init(struct delay *d);
/* delay_feed: a packet of `samples` with timestamp ts arrived now. A marker may start a new clock. */
void delay_feed(struct delay *d, int64_t now, int64_t ts, int samples, bool marker);
/* delay_late: how much later than the fastest a packet is that arrives now; 0 before the first. */
int64_t delay_late(const struct delay *d, int64_t now, int64_t ts);
/* delay_target: the buffering to aim at when playout takes `block` samples at a time. */
int delay_target(const struct delay *d, int block);

#endif
