/* histo.h: durations by the million, in fixed room: a histogram whose buckets are 1/32 of a power of two wide
 * (3 %). Zero-initialise. Thread: one. */
#ifndef GAVEL_LOAD_HISTO_H
#define GAVEL_LOAD_HISTO_H

#include <stdint.h>

#define HISTO_STEPS 32
#define HISTO_BUCKETS (34 * HISTO_STEPS)
struct histo {
  uint64_t n;
  int64_t max_us;
  uint64_t count[HISTO_BUCKETS];
};
/* histo_add: less than nothing counts as 0. */
void histo_add(struct histo *h, int64_t us);
/* histo_ms: the value that `share` (0..1) of all are not above, in milliseconds; 0 when there are none. */
double histo_ms(const struct histo *h, double share);

#endif
