/* delay.h: how late packets come: the fastest of the last seconds is the base, and what others took longer is
 * kept as a distribution, forgotten within seconds. A packet is judged by the end of its sound, for it is
 * sent when that is complete: so packets of any length can be compared. Sans-IO; all times are samples of the
 * local clock. One thread. */
#ifndef GAVEL_AUDIO_DELAY_H
#define GAVEL_AUDIO_DELAY_H

#include "audio/frame.h"

#include <stdbool.h>
#include <stdint.h>

#define DELAY_BINS 80
#define DELAY_BIN AUDIO_MS(5)
#define DELAY_MAX (DELAY_BINS * DELAY_BIN) /* 400 ms */
#define DELAY_WINDOW 10                    /* seconds the base remembers */
#define DELAY_LATEST 3                     /* half seconds of sound */

struct delay {
  float share[DELAY_BINS]; /* of recent sound, by lateness; adds up to 1 */
  struct {
    int64_t second, least;
  } window[DELAY_WINDOW];
  int64_t base;  /* arrival - timestamp of the fastest packet */
  int64_t risen; /* of it, less than a bin, not yet taken from `share` */
  bool known;
  int fed;                      /* samples since the start, up to where it no longer matters */
  int64_t latest[DELAY_LATEST]; /* lateness of the latest, the present half second first */
  int latest_fed;
};
/* delay_init: nothing known yet. */
void delay_init(struct delay *d);
/* delay_feed: a packet of `samples` whose sound ends at timestamp `end` arrived now. A marker may start a new
 * clock. */
void delay_feed(struct delay *d, int64_t now, int64_t end, int samples, bool marker);
/* delay_late: how much later than the fastest a packet is that arrives now; 0 before the first. */
int64_t delay_late(const struct delay *d, int64_t now, int64_t end);
/* delay_quantile: the lateness that this share (0..1) of recent sound stayed below; 5..400 ms. Never more
 * than the latest of the last second and a half: a queue that is gone is forgotten at once. */
int delay_quantile(const struct delay *d, float share);

#endif
