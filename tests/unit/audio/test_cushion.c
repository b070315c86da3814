/* cushion: devices that take in blocks and bursts, on a virtual clock. */
#include "audio/cushion.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h> /* needs the ones above */

#define MS INT64_C(1000)

struct device {
  struct cushion c;
  int64_t now_us;
  size_t fill, silent; /* silent: samples the device had to make up */
};

/* run: every `every_ms` the device takes that much at once; the owner fills up, but every `late_every`th time
 * (0: never) only `late_ms` later. */
static void run(struct device *d, int seconds, int every_ms, int late_every, int late_ms) {
  int64_t end = d->now_us + seconds * 1000 * MS, next = d->now_us, owner = d->now_us;
  for (int n = 0; d->now_us < end; d->now_us += MS) {
    if (d->now_us >= next) {
      next += every_ms * MS;
      for (int block = 0; block < every_ms / 5; block++) {
        cushion_taken(&d->c, d->fill, AUDIO_BLOCK);
        size_t got = d->fill < AUDIO_BLOCK ? d->fill : AUDIO_BLOCK;
        d->silent += AUDIO_BLOCK - got;
        d->fill -= got;
      }
      n++;
      if (late_every > 0 && n % late_every == 0) {
        owner = d->now_us + late_ms * MS;
      }
    }
    if (d->now_us >= owner) {
      cushion_look(&d->c, d->now_us, d->fill);
      while (d->fill < d->c.target) {
        d->fill += AUDIO_BLOCK;
      }
    }
    assert_in_range(d->c.target, CUSHION_MIN, CUSHION_MAX);
  }
}

static struct device open_device(size_t target) {
  struct device d = {.now_us = 1000 * MS};
  cushion_init(&d.c, d.now_us, target);
  return d;
}

static void test_a_prompt_device_needs_little(void **state) {
  (void)state;
  struct device d = open_device(4 * AUDIO_BLOCK);
  run(&d, 60, 5, 0, 0);
  assert_int_equal(d.c.target, CUSHION_MIN);
  assert_int_equal(d.c.underruns, 0);
  assert_in_range(d.silent, 0, AUDIO_BLOCK); /* before the owner came for the first time */
}

static void test_one_that_takes_in_bursts_gets_more(void **state) {
  (void)state;
  struct device d = open_device(CUSHION_MIN);
  run(&d, 10, 20, 0, 0);
  assert_int_equal(d.c.target, 4 * AUDIO_BLOCK);
  size_t before = d.silent;
  run(&d, 600, 20, 0, 0);
  assert_int_equal(d.silent, before); /* and keeps it: nothing is tried that has failed */
}

static void test_a_late_owner(void **state) {
  (void)state;
  struct device d = open_device(CUSHION_MIN);
  run(&d, 60, 5, 20, 18); /* ten times a second 18 ms late */
  assert_in_range(d.c.target, 4 * AUDIO_BLOCK, 5 * AUDIO_BLOCK);
  uint64_t before = d.c.underruns;
  run(&d, 60, 5, 20, 18);
  assert_int_equal(d.c.underruns, before);
  run(&d, 1200, 5, 0, 0); /* the machine is idle again */
  assert_int_equal(d.c.target, CUSHION_MIN);
  run(&d, 600, 5, 20, 18); /* and busy: every growth makes the next attempt rarer */
  assert_in_range(d.c.underruns - before, 1, 10);
}

static void test_bounds(void **state) {
  (void)state;
  struct device d = open_device(CUSHION_MIN);
  run(&d, 30, 100, 0, 0);
  assert_int_equal(d.c.target, CUSHION_MAX);
  assert_true(d.c.underruns > 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_prompt_device_needs_little),
      cmocka_unit_test(test_one_that_takes_in_bursts_gets_more),
      cmocka_unit_test(test_a_late_owner),
      cmocka_unit_test(test_bounds),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
