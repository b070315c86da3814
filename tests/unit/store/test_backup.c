/* backup: a copy made while a writer goes on is one moment of the log, whole, private, and opens with the
 * key. */
#include "store_kit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

static void give_key(struct kit *k, const char *copy) {
  char command[256];
  snprintf(command, sizeof command, "cp -p %s.key %s/%s.key", k->path, k->folder, copy);
  assert_int_equal(system(command), 0);
}

static void restore(struct kit *k, const char *copy) {
  store_close(k->s);
  k->s = NULL;
  give_key(k, copy);
  snprintf(k->path, sizeof k->path, "%s/%s", k->folder, copy);
  kit_open(k);
  assert_int_equal(store_verify(k->s, k->why), ERR_OK);
}

static void test_restored_copy(void **state) {
  struct kit *k = *state;
  struct stat st;
  char out[8];
  size_t n = sizeof out;
  kit_open(k);
  kit_fill(k, "room:a", 1, 50);
  assert_int_equal(store_put_secret(k->s, "s", "value", 5), ERR_OK);
  assert_int_equal(store_commit(k->s), ERR_OK);
  assert_int_equal(kit_append(k, "room:a", 51, "{}"), ERR_OK); /* open group: not in the copy */
  assert_int_equal(store_backup(k->s, kit_path(k, "b.db"), k->why), ERR_OK);
  assert_int_equal(store_pending(k->s), 1);
  assert_int_equal(store_commit(k->s), ERR_OK);
  assert_int_equal(stat(kit_path(k, "b.db"), &st), 0);
  assert_int_equal(st.st_mode & 07777, 0600);
  assert_int_not_equal(access(kit_path(k, "b.db.part"), F_OK), 0);
  assert_false(kit_file_holds(kit_path(k, "b.db"), "personal", 8));
  restore(k, "b.db");
  struct kit_seen seen = kit_replay(k, "room:a", 0);
  assert_int_equal(seen.last, 50);
  assert_int_equal(seen.payloads, 50);
  assert_int_equal(store_get_secret(k->s, "s", out, &n), ERR_OK);
  assert_memory_equal(out, "value", 5);
  kit_fill(k, "room:a", 51, 60); /* and it lives on */
}

static void test_never_over_a_file(void **state) {
  struct kit *k = *state;
  kit_open(k);
  kit_fill(k, "room:a", 1, 3);
  assert_int_equal(store_backup(k->s, k->path, k->why), ERR_IO); /* over itself */
  assert_non_null(strstr(k->why, "exists already"));
  FILE *f = fopen(kit_path(k, "b.db.part"), "w"); /* left by a backup that was cut off */
  fputs("half", f);
  fclose(f);
  assert_int_equal(store_backup(k->s, kit_path(k, "b.db"), k->why), ERR_OK);
  assert_int_equal(store_backup(k->s, kit_path(k, "b.db"), k->why), ERR_IO);
  assert_int_equal(store_backup(k->s, kit_path(k, "no/b.db"), k->why), ERR_IO);
  assert_non_null(strstr(k->why, "no/b.db"));
  kit_reopen(k);
  assert_int_equal(kit_replay(k, "room:a", 0).n, 3);
}

enum { COPIES = 5 };
struct beside {
  struct kit *k;
  _Atomic bool done;
  enum err results[COPIES];
};

static void *make_copies(void *arg) {
  struct beside *b = arg;
  for (int i = 0; i < COPIES; i++) {
    char path[128], why[256];
    snprintf(path, sizeof path, "%s/copy%d.db", b->k->folder, i);
    b->results[i] = store_backup(b->k->s, path, why);
  }
  b->done = true;
  return NULL;
}

static void test_beside_a_live_writer(void **state) {
  struct kit *k = *state;
  struct beside b = {.k = k};
  pthread_t t;
  kit_open(k);
  kit_fill(k, "room:a", 1, 500);
  assert_int_equal(pthread_create(&t, NULL, make_copies, &b), 0);
  uint64_t last = 500;
  while (!b.done && last < 100000) {
    kit_fill(k, "room:a", last + 1, last + 10);
    last += 10;
  }
  assert_int_equal(pthread_join(t, NULL), 0);
  kit_fill(k, "room:a", last + 1, last + 10);
  kit_reopen(k);
  assert_int_equal(kit_replay(k, "room:a", 0).last, last + 10);
  uint64_t before = 500;
  for (int i = 0; i < COPIES; i++) {
    char copy[32];
    snprintf(copy, sizeof copy, "copy%d.db", i);
    assert_int_equal(b.results[i], ERR_OK);
    snprintf(k->path, sizeof k->path, "%s/a.db", k->folder);
    restore(k, copy);
    struct kit_seen seen = kit_replay(k, "room:a", 0);
    assert_int_equal(seen.n % 10, 0); /* whole groups only */
    assert_in_range(seen.n, before, last);
    before = seen.n;
  }
  assert_true(last > 500); /* the writer did go on meanwhile */
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, kit_setup, kit_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_restored_copy),
      TEST(test_never_over_a_file),
      TEST(test_beside_a_live_writer),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
