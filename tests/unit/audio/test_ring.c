/* ring: order, limits, wrap-around, and two threads (run under tsan too). */
#include "audio/ring.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h> /* needs the ones above */

static void test_rounds_up_and_fills(void **state) {
  (void)state;
  struct ring *r = ring_create(sizeof(int), 5);
  assert_non_null(r);
  assert_int_equal(ring_room(r), 8);
  int in[10] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  int out[10];
  assert_int_equal(ring_write(r, in, 10), 8);
  assert_int_equal(ring_write(r, in, 1), 0);
  assert_int_equal(ring_fill(r), 8);
  assert_int_equal(ring_read(r, out, 3), 3);
  assert_int_equal(ring_write(r, in + 8, 2), 2); /* over the edge */
  assert_int_equal(ring_read(r, out + 3, 10), 7);
  for (int i = 0; i < 10; i++) {
    assert_int_equal(out[i], i);
  }
  assert_int_equal(ring_read(r, out, 1), 0);
  assert_int_equal(ring_fill(r), 0);
  ring_destroy(r);
}

static void test_odd_record_size(void **state) {
  (void)state;
  struct ring *r = ring_create(3, 4);
  char out[12];
  for (int round = 0; round < 7; round++) {
    assert_int_equal(ring_write(r, "abcdefghi", 3), 3);
    assert_int_equal(ring_read(r, out, 4), 3);
    assert_memory_equal(out, "abcdefghi", 9);
  }
  ring_destroy(r);
}

static void test_refuses_overflow(void **state) {
  (void)state;
  assert_null(ring_create(SIZE_MAX / 2, 8));
  assert_null(ring_create(1, SIZE_MAX));
  ring_destroy(NULL);
}

#define NUMBERS 300000u

static void *writer(void *arg) {
  struct ring *r = arg;
  uint32_t next = 0;
  while (next < NUMBERS) {
    uint32_t batch[7];
    size_t n = 1 + next % 7;
    for (size_t i = 0; i < n; i++) {
      batch[i] = next + (uint32_t)i;
    }
    size_t room = ring_room(r);
    size_t wrote = ring_write(r, batch, n);
    if (wrote < (room < n ? room : n)) {
      return r; /* the promise of ring_room is broken */
    }
    next += (uint32_t)wrote;
    if (wrote == 0) {
      sched_yield();
    }
  }
  return NULL;
}

static void test_two_threads_keep_order(void **state) {
  (void)state;
  struct ring *r = ring_create(sizeof(uint32_t), 64);
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, writer, r), 0);
  uint32_t expected = 0;
  uint32_t wrong = 0;
  while (expected < NUMBERS && wrong == 0) {
    uint32_t batch[11];
    size_t fill = ring_fill(r);
    size_t n = ring_read(r, batch, 11);
    wrong += n < (fill < 11 ? fill : 11);
    for (size_t i = 0; i < n; i++) {
      wrong += batch[i] != expected++;
    }
    if (n == 0) {
      sched_yield();
    }
  }
  void *fault = NULL;
  pthread_join(thread, &fault);
  assert_null(fault);
  assert_int_equal(wrong, 0);
  assert_true(expected >= NUMBERS);
  ring_destroy(r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_rounds_up_and_fills),
      cmocka_unit_test(test_odd_record_size),
      cmocka_unit_test(test_refuses_overflow),
      cmocka_unit_test(test_two_threads_keep_order),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
