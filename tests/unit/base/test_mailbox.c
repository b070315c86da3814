/* mailbox: order, bounds, and wake-ups, with real threads (run it under ThreadSanitizer as well). */
#include "core/base/mailbox.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct record {
  uint32_t writer, number;
  char pad[5]; /* an odd size, to find mistakes of stride */
};

static bool readable(const struct mailbox *m, int timeout_ms) {
  struct pollfd p = {.fd = mailbox_fd(m), .events = POLLIN};
  return poll(&p, 1, timeout_ms) == 1;
}

static void test_order_and_bounds(void **state) {
  (void)state;
  struct mailbox *m = mailbox_create(sizeof(struct record), 3);
  assert_non_null(m);
  struct record r;
  for (uint32_t lap = 0; lap < 5; lap++) { /* laps, so that the ring wraps at every place */
    for (uint32_t i = 0; i < 3; i++)
      assert_true(mailbox_put(m, &(struct record){.writer = lap, .number = i, .pad = "abcd"}));
    assert_false(mailbox_put(m, &(struct record){.number = 99}));
    assert_true(mailbox_get(m, &r));
    assert_int_equal(r.number, 0);
    assert_true(mailbox_put(m, &(struct record){.writer = lap, .number = 3, .pad = "abcd"}));
    for (uint32_t i = 1; i < 4; i++) {
      assert_true(mailbox_get(m, &r));
      assert_int_equal(r.writer, lap);
      assert_int_equal(r.number, i);
      assert_string_equal(r.pad, "abcd");
    }
    assert_false(mailbox_get(m, &r));
  }
  mailbox_destroy(m);
  mailbox_destroy(NULL);
}

static void test_fd_follows_content(void **state) {
  (void)state;
  struct mailbox *m = mailbox_create(1, 2);
  char c;
  assert_false(readable(m, 0));
  assert_true(mailbox_put(m, "a"));
  assert_true(mailbox_put(m, "b"));
  assert_true(readable(m, 0));
  assert_true(mailbox_get(m, &c));
  assert_true(readable(m, 0)); /* one is left */
  assert_true(mailbox_get(m, &c));
  assert_int_equal(c, 'b');
  assert_false(mailbox_get(m, &c));
  assert_false(readable(m, 0));
  assert_true(mailbox_put(m, "c")); /* and it wakes again */
  assert_true(readable(m, 0));
  mailbox_destroy(m);
}

#define WRITERS 3
#define RECORDS 20000
struct writer_arg {
  struct mailbox *m;
  uint32_t id;
};

static void *write_all(void *arg) {
  const struct writer_arg *a = arg;
  for (uint32_t i = 0; i < RECORDS; i++)
    while (!mailbox_put(a->m, &(struct record){.writer = a->id, .number = i}))
      sched_yield();
  return NULL;
}

/* The reader sleeps in poll whenever the box is empty: one lost wake-up and it sleeps for good (here: 20 s).
 */
static void test_threads_lose_nothing(void **state) {
  (void)state;
  struct mailbox *m = mailbox_create(sizeof(struct record), 16);
  pthread_t threads[WRITERS];
  struct writer_arg args[WRITERS];
  uint32_t expected[WRITERS] = {0}, total = 0;
  for (uint32_t i = 0; i < WRITERS; i++) {
    args[i] = (struct writer_arg){m, i};
    assert_int_equal(pthread_create(&threads[i], NULL, write_all, &args[i]), 0);
  }
  while (total < WRITERS * RECORDS) {
    struct record r;
    assert_true(readable(m, 20000));
    while (mailbox_get(m, &r)) {
      assert_true(r.writer < WRITERS);
      assert_int_equal(r.number, expected[r.writer]++);
      total++;
    }
  }
  for (int i = 0; i < WRITERS; i++)
    pthread_join(threads[i], NULL);
  assert_false(readable(m, 0));
  mailbox_destroy(m);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_order_and_bounds),
      cmocka_unit_test(test_fd_follows_content),
      cmocka_unit_test(test_threads_lose_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
