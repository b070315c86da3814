/* What the control thread waits in: it ends when it is woken, by the clock, or by a wake-up from before. */
#include "core/server/shell_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

static void a_wake_up_from_before_counts_once(void **state) {
  struct loop *l = loop_create();
  (void)state;
  assert_non_null(l);
  for (int i = 0; i < 1000; i++)
    loop_wake(l);
  loop_turn(l, clock_now(), US_NEVER);
  us_t began = clock_now();
  loop_turn(l, began, began + US_PER_S / 20); /* nothing is left of the 1000 */
  assert_true(clock_now() - began >= US_PER_S / 20 - US_PER_MS);
  loop_destroy(l);
}

static void the_time_may_move_both_ways(void **state) {
  struct loop *l = loop_create();
  (void)state;
  us_t began = clock_now();
  loop_wake(l);
  loop_turn(l, began, began + 3600 * US_PER_S);
  loop_turn(l, clock_now(), clock_now() + US_PER_S / 50); /* sooner than what was asked for first */
  assert_true(clock_now() - began < 60 * US_PER_S);
  loop_turn(l, clock_now(), began); /* gone by: it does not wait */
  loop_wake(l);
  loop_turn(l, clock_now(), US_NEVER);
  loop_destroy(l);
  loop_destroy(NULL);
}

static void *wake(void *l) {
  loop_wake(l);
  return NULL;
}

static void another_thread_ends_the_wait(void **state) {
  struct loop *l = loop_create();
  pthread_t t;
  (void)state;
  for (int i = 0; i < 50; i++) {
    assert_int_equal(pthread_create(&t, NULL, wake, l), 0);
    loop_turn(l, clock_now(), US_NEVER);
    pthread_join(t, NULL);
  }
  loop_destroy(l);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_wake_up_from_before_counts_once),
      cmocka_unit_test(the_time_may_move_both_ways),
      cmocka_unit_test(another_thread_ends_the_wait),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
