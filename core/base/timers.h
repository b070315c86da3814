/* timers.h: many deadlines, cheaply: an intrusive binary heap. Idle owners cost nothing.
 * Invariant: a timer is in at most one heap; `due` is US_NEVER exactly when it is in none. Thread: one. */
#ifndef GAVEL_BASE_TIMERS_H
#define GAVEL_BASE_TIMERS_H

#include "core/base/clock.h"

#include <stddef.h>

struct timer {
  us_t due;
  size_t at; /* place in the heap */
};
struct timers {
  struct timer **v;
  size_t n, cap;
};
#define TIMER_IDLE {.due = US_NEVER}
/* timers_set: arm or move; US_NEVER disarms. timers_next: the earliest deadline, US_NEVER when none. */
void timers_set(struct timers *h, struct timer *t, us_t due);
us_t timers_next(const struct timers *h);
/* timers_pop: the earliest timer that is due at `now`, disarmed; NULL when none is. */
struct timer *timers_pop(struct timers *h, us_t now);
void timers_free(struct timers *h);

#endif
