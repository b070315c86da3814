/* device_null.c: the clock that stands in for a card. Deadlines are counted from the start, never from the
 * last wake-up, so late wake-ups do not add up. */
#include "audio/device_private.h"

#define BLOCK_NS (NS_PER_S * AUDIO_BLOCK / AUDIO_RATE)

_Static_assert(NS_PER_S *AUDIO_BLOCK % AUDIO_RATE == 0, "a block is a whole number of nanoseconds");

void pace_start(struct pace *p, int64_t now_ns) {
  *p = (struct pace){.start_ns = now_ns};
}

int pace_take(struct pace *p, int64_t now_ns) {
  int64_t due = (now_ns - p->start_ns) / BLOCK_NS - p->done;
  if (due > PACE_GAP) {
    pace_start(p, now_ns);
    return 0;
  }
  if (due <= 0)
    return 0;
  p->done += due;
  return (int)due;
}

int64_t pace_next_ns(const struct pace *p) {
  return p->start_ns + (p->done + 1) * BLOCK_NS;
}
