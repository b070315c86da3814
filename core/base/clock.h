/* clock.h: time as the caller hands it in. us_t is monotonic microseconds; wall time is milliseconds since
 * 1970 UTC.
 *
 * Invariant: pure code never asks for the time, it is told (`now`). Only shells call the functions below.
 * Thread: any. */
#ifndef GAVEL_BASE_CLOCK_H
#define GAVEL_BASE_CLOCK_H

#include <pthread.h>
#include <stdint.h>

typedef int64_t us_t;
#define US_PER_MS INT64_C(1000)
#define US_PER_S INT64_C(1000000)
#define US_NEVER INT64_MAX

/* clock_now: CLOCK_MONOTONIC in microseconds. Shells only. */
us_t clock_now(void);
/* clock_wall_ms, clock_wall_us: CLOCK_REALTIME, since 1970. Shells only. */
int64_t clock_wall_ms(void);
us_t clock_wall_us(void);
/* clock_cpu: what a thread of this process has used of the CPU so far. Shells only. */
us_t clock_cpu(pthread_t thread);

#endif
