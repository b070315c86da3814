#include "tests/bench/load/histo.h"

/* Below HISTO_STEPS one bucket a microsecond, then HISTO_STEPS buckets for each doubling. */
static unsigned bucket(uint64_t us) {
  unsigned shift = 0;
  while (us >> shift >= 2 * HISTO_STEPS)
    shift++;
  unsigned at = us < HISTO_STEPS ? (unsigned)us : shift * HISTO_STEPS + (unsigned)(us >> shift);
  return at < HISTO_BUCKETS ? at : HISTO_BUCKETS - 1;
}

static double middle_us(unsigned at) {
  if (at < 2 * HISTO_STEPS)
    return at;
  unsigned shift = at / HISTO_STEPS - 1;
  return ((double)(at % HISTO_STEPS + HISTO_STEPS) + 0.5) * (double)(UINT64_C(1) << shift);
}

void histo_add(struct histo *h, int64_t us) {
  h->count[bucket(us > 0 ? (uint64_t)us : 0)]++;
  h->n++;
  if (us > h->max_us)
    h->max_us = us;
}

double histo_ms(const struct histo *h, double share) {
  uint64_t below = 0;
  for (unsigned i = 0; i < HISTO_BUCKETS; i++) {
    below += h->count[i];
    if (below && (double)below >= share * (double)h->n)
      return middle_us(i) / 1000;
  }
  return 0;
}
