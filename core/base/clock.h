/* clock.h: time as the caller hands it in. us_t is monotonic microseconds; wall time is milliseconds since
 * 1970 UTC.
 *
 * Invariant: pure code never asks for the time, it is told (`now`). Only shells call the functions below.
 * Thread: any. */
#ifndef GAVEL_BASE_CLOCK_H
#define GAVEL_BASE_CLOCK_H

#include <stdint.h>

typedef int64_t us_t;
#define US_PER_MS INT64_C(1000)
#define US_PER_S INT64_C(1000000)
#define US_NEVER INT64_MAX

/* clock_now: CLOCK_MONOTONIC in microseconds. Shells only. */
us_t clock_now(void);
/* clock_wall_ms: CLOCK_REALTIME in milliseconds. Shells only. */
int64_t clock_wall_ms(void);

#endif
