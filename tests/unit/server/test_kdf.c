/* kdf: the worker that hashes passwords: answers, its short queue, and that it ends whatever waits. */
#include "core/server/shell_kdf.h"

#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void wake(void *ctx) {
  sem_post(ctx);
}

static int setup(void **state) {
  sem_t *woken = calloc(1, sizeof *woken);
  assert_non_null(woken);
  assert_int_equal(sem_init(woken, 0, 0), 0);
  *state = woken;
  return 0;
}

static int teardown(void **state) {
  sem_destroy(*state);
  free(*state);
  return 0;
}

static struct kdf_job take(struct kdf_worker *w, sem_t *woken) {
  struct kdf_job job;
  assert_int_equal(sem_wait(woken), 0);
  assert_true(kdf_take(w, &job));
  return job;
}

static struct kdf_job ask(uint32_t id, bool make, const char *password, const char *phc) {
  struct kdf_job job = {.id = id, .make = make};
  snprintf(job.password, sizeof job.password, "%s", password);
  snprintf(job.phc, sizeof job.phc, "%s", phc);
  return job;
}

static void test_make_and_compare(void **state) {
  struct kdf_worker *w;
  struct kdf_job job = ask(1, true, "owls do not vote", ""), done;
  assert_int_equal(kdf_start(wake, *state, &w), ERR_OK);
  assert_false(kdf_take(w, &done));
  assert_int_equal(kdf_give(w, &job), ERR_OK);
  done = take(w, *state);
  assert_int_equal(done.id, 1);
  assert_true(done.right);
  assert_true(password_phc_valid(done.phc));
  static const char NONE[sizeof done.password];
  assert_memory_equal(done.password, NONE, sizeof NONE); /* wiped */

  struct kdf_job right = ask(2, false, "owls do not vote", done.phc),
                 wrong = ask(3, false, "owls do vote", done.phc),
                 nobody = ask(4, false, "owls do not vote", "");
  assert_int_equal(kdf_give(w, &right), ERR_OK);
  assert_int_equal(kdf_give(w, &wrong), ERR_OK);
  assert_int_equal(kdf_give(w, &nobody), ERR_OK);
  done = take(w, *state);
  assert_int_equal(done.id, 2); /* in order */
  assert_true(done.right);
  assert_false(done.rehash);
  done = take(w, *state);
  assert_int_equal(done.id, 3);
  assert_false(done.right);
  done = take(w, *state);
  assert_int_equal(done.id, 4);
  assert_false(done.right);
  assert_false(kdf_take(w, &done));
  kdf_stop(w);
}

static void test_rehash(void **state) {
  struct kdf_worker *w;
  struct kdf_job job = ask(
                     7, false, "password",
                     "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"),
                 done;
  bool again;
  assert_int_equal(kdf_start(wake, *state, &w), ERR_OK);
  assert_int_equal(kdf_give(w, &job), ERR_OK);
  done = take(w, *state);
  assert_true(done.right);
  assert_true(done.rehash);
  assert_true(password_phc_valid(done.phc));
  assert_true(password_verify("password", done.phc, &again));
  assert_false(again);
  kdf_stop(w);
}

/* Answers that nobody takes hold their places: never more than eight in hand, however slow the other side is.
 */
static void test_queue(void **state) {
  struct kdf_worker *w;
  struct kdf_job job, done;
  assert_int_equal(kdf_start(wake, *state, &w), ERR_OK);
  for (uint32_t i = 1; i <= SHELL_KDF_QUEUE; i++) {
    job = ask(i, false, "owls do not vote", "");
    assert_int_equal(kdf_give(w, &job), ERR_OK);
  }
  assert_int_equal(kdf_give(w, &job), ERR_BUSY);
  done = take(w, *state);
  assert_int_equal(done.id, 1);
  assert_int_equal(kdf_give(w, &job), ERR_OK);
  assert_int_equal(kdf_give(w, &job), ERR_BUSY);
  kdf_stop(w); /* with most of them waiting */
}

static void test_stop(void **state) {
  struct kdf_worker *w;
  assert_int_equal(kdf_start(wake, *state, &w), ERR_OK);
  kdf_stop(w);
  kdf_stop(NULL);
}

int main(void) {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {T(test_make_and_compare), T(test_rehash), T(test_queue), T(test_stop)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
