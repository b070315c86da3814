#include "core/base/clock.h"

#include <assert.h>
#include <time.h>

static struct timespec read_clock(clockid_t id) {
  struct timespec t;
  int rc = clock_gettime(id, &t);
  assert(rc == 0);
  return t;
}

us_t clock_now(void) {
  struct timespec t = read_clock(CLOCK_MONOTONIC);
  return (us_t)t.tv_sec * US_PER_S + t.tv_nsec / 1000;
}

int64_t clock_wall_ms(void) {
  struct timespec t = read_clock(CLOCK_REALTIME);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

us_t clock_wall_us(void) {
  struct timespec t = read_clock(CLOCK_REALTIME);
  return (us_t)t.tv_sec * US_PER_S + t.tv_nsec / 1000;
}

us_t clock_cpu(pthread_t thread) {
  clockid_t id;
  int rc = pthread_getcpuclockid(thread, &id);
  assert(rc == 0);
  struct timespec t = read_clock(id);
  return (us_t)t.tv_sec * US_PER_S + t.tv_nsec / 1000;
}
