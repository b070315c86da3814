/* diskfull: a full disk costs the open group, never more, and the store works again once there is room; a
 * disk that cannot sync stops the process. Each case is a child, as limits and faults are for a whole
 * process. */
#include "store_kit.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* Stands before the C library's for SQLite too: a disk that loses power, as the kernel reports it. */
static bool sync_fails;
int fdatasync(int fd);
int fdatasync(int fd) {
  if (sync_fails) {
    errno = EIO;
    return -1;
  }
  return fsync(fd);
}

/* The same for a write: what a file system without a free block answers. */
static bool no_space;
ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at);
ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at) {
  if (no_space) {
    errno = ENOSPC;
    return -1;
  }
  return pwrite(fd, p, n, at);
}

static void limit_files(rlim_t bytes) {
  struct rlimit r = {.rlim_cur = bytes, .rlim_max = RLIM_INFINITY};
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &r), 0);
}

/* Runs `body` in a child; it ends with the number of failed checks, or by a signal. */
static int in_child(struct kit *k, int (*body)(struct kit *k)) {
  int status;
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0)
    _exit(body(k));
  assert_int_equal(waitpid(pid, &status, 0), pid);
  return status;
}

static enum err append_until_refused(struct kit *k, uint64_t *last) {
  char payload[2048];
  memset(payload, 'p', sizeof payload - 1);
  payload[sizeof payload - 1] = 0;
  for (uint64_t seq = *last + 1;;) {
    enum err e = ERR_OK;
    for (int i = 0; i < 5 && e == ERR_OK; i++, seq++)
      e = kit_append(k, "room:a", seq, payload);
    enum err c = store_commit(k->s);
    if (c != ERR_OK || e != ERR_OK)
      return c == e || e == ERR_OK ? c : ERR_INTERNAL;
    *last = seq - 1;
  }
}

#define CHECK(x) /* this file is shorter than 256 lines, so the line fits an exit status */                  \
  if (!(x))                                                                                                  \
  return __LINE__

static void by_size_limit(bool full) {
  limit_files(full ? 300000 : RLIM_INFINITY);
}

static void by_no_space(bool full) {
  no_space = full;
}

static int full_then_free(struct kit *k, void (*disk_is)(bool full)) {
  uint64_t last = 0;
  signal(SIGXFSZ, SIG_IGN);
  CHECK(store_open(k->path, NULL, rng_system(), &k->s, k->why) == ERR_OK);
  for (; last < 20; last++)
    CHECK(kit_append(k, "room:a", last + 1, "{}") == ERR_OK && store_commit(k->s) == ERR_OK);
  disk_is(true);
  CHECK(append_until_refused(k, &last) == ERR_DISK_FULL);
  CHECK(last >= 20 && last % 5 == 0);
  uint64_t refused = last;
  CHECK(append_until_refused(k, &last) == ERR_DISK_FULL &&
        last == refused); /* still full, still the same answer */
  CHECK(store_pending(k->s) == 0);
  struct kit_seen seen = {0}; /* reading goes on */
  CHECK(store_replay(k->s, "room:a", 0, kit_count, &seen) == ERR_OK && seen.n == last);
  disk_is(false);
  CHECK(kit_append(k, "room:a", last + 1, "{}") == ERR_OK);
  CHECK(store_commit(k->s) == ERR_OK);
  disk_is(true);
  last++;
  CHECK(append_until_refused(k, &last) == ERR_DISK_FULL && last == refused + 1);
  FILE *f = fopen(kit_path(k, "told"), "w"); /* small: within the limit */
  CHECK(f && fprintf(f, "%" PRIu64, last) > 0 && fclose(f) == 0);
  return 0; /* no close: as after kill -9 */
}

static int full_by_size_limit(struct kit *k) {
  return full_then_free(k, by_size_limit);
}

static int full_by_no_space(struct kit *k) {
  return full_then_free(k, by_no_space);
}

static uint64_t told(struct kit *k) {
  uint64_t n = 0;
  FILE *f = fopen(kit_path(k, "told"), "r");
  assert_non_null(f);
  assert_int_equal(fscanf(f, "%" SCNu64, &n), 1);
  fclose(f);
  return n;
}

static void check_full_disk(struct kit *k, int (*body)(struct kit *k)) {
  int status = in_child(k, body);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 0);
  kit_open(k);
  uint64_t last = told(k);
  struct kit_seen seen = kit_replay(k, "room:a", 0);
  assert_int_equal(seen.last, last); /* all that was confirmed, nothing of a refused group */
  assert_int_equal(seen.payloads, last);
  assert_int_equal(store_verify(k->s, k->why), ERR_OK);
  kit_fill(k, "room:a", last + 1, last + 3);
}

static void test_34_size_limit(void **state) {
  check_full_disk(*state, full_by_size_limit);
}

static void test_34_disk_full(void **state) {
  check_full_disk(*state, full_by_no_space);
}

/* Two acts of one turn, the second erases someone, and the disk is full: what is appended after that is
 * refused, or follows what is on disk; it is never a gap. */
static int full_while_erasing(struct kit *k) {
  signal(SIGXFSZ, SIG_IGN);
  CHECK(store_open(k->path, NULL, rng_system(), &k->s, k->why) == ERR_OK);
  CHECK(kit_append(k, "room:a", 1, "{}") == ERR_OK && store_commit(k->s) == ERR_OK);
  CHECK(kit_append(k, "room:a", 2, "{}") == ERR_OK);
  no_space = true;
  CHECK(store_erase_subject(k->s, "p-00000000000000aa") == ERR_DISK_FULL);
  CHECK(kit_append(k, "room:a", 3, "{}") == ERR_DISK_FULL); /* the second is lost with its group */
  CHECK(kit_append(k, "room:b", 1, "{}") == ERR_DISK_FULL);
  CHECK(store_commit(k->s) == ERR_DISK_FULL);
  no_space = false;
  CHECK(kit_append(k, "room:a", 2, "{}") == ERR_OK && store_commit(k->s) == ERR_OK);
  uint64_t n;
  CHECK(kit_append(k, "room:a", 3, "{}") == ERR_OK);
  no_space = true;
  CHECK(store_prune(k->s, "room:a", INT64_MAX, &n) == ERR_DISK_FULL);
  CHECK(kit_append(k, "room:a", 4, "{}") == ERR_DISK_FULL && store_commit(k->s) == ERR_DISK_FULL);
  CHECK(store_erase_payload(k->s, "room:a", 1, NULL) == ERR_OK && store_commit(k->s) == ERR_DISK_FULL);
  no_space = false;
  CHECK(kit_append(k, "room:a", 3, "{}") == ERR_OK && store_commit(k->s) == ERR_OK);
  CHECK(store_erase_subject(k->s, "p-00000000000000aa") == ERR_OK);
  CHECK(kit_append(k, "room:a", 4, "{}") == ERR_OK && store_commit(k->s) == ERR_OK);
  return 0;
}

static void test_34_full_while_erasing(void **state) {
  int status = in_child(*state, full_while_erasing);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 0);
}

static int open_on_full_disk(struct kit *k) {
  signal(SIGXFSZ, SIG_IGN);
  limit_files(2048);
  CHECK(store_open(k->path, NULL, rng_system(), &k->s, k->why) == ERR_DISK_FULL);
  CHECK(k->s == NULL && strstr(k->why, "a.db"));
  limit_files(20);
  CHECK(unlink(kit_path(k, "a.db.key")) == 0);
  CHECK(store_open(k->path, NULL, rng_system(), &k->s, k->why) == ERR_DISK_FULL); /* half a key is no key */
  CHECK(access(kit_path(k, "a.db.key"), F_OK) != 0);
  return 0;
}

static void test_34_open_on_full_disk(void **state) {
  struct kit *k = *state;
  int status = in_child(k, open_on_full_disk);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 0);
  kit_open(k); /* once there is room it is a new database like any other */
  kit_fill(k, "room:a", 1, 3);
}

static int sync_fails_in_commit(struct kit *k) {
  struct rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  CHECK(store_open(k->path, NULL, rng_system(), &k->s, k->why) == ERR_OK);
  CHECK(kit_append(k, "room:a", 1, "{}") == ERR_OK && store_commit(k->s) == ERR_OK);
  CHECK(kit_append(k, "room:a", 2, "{}") == ERR_OK);
  sync_fails = true;
  (void)!store_commit(k->s);
  return 0; /* must not come here */
}

static int sync_fails_in_checkpoint(struct kit *k) {
  struct rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  CHECK(store_open(k->path, NULL, rng_system(), &k->s, k->why) == ERR_OK);
  CHECK(kit_append(k, "room:a", 1, "{}") == ERR_OK && store_commit(k->s) == ERR_OK);
  CHECK(store_erase_payload(k->s, "room:a", 1, NULL) == ERR_OK && store_commit(k->s) == ERR_OK);
  sync_fails = true;
  store_fold(k->s);
  return 0;
}

static void test_34_failed_sync_stops_the_process(void **state) {
  struct kit *k = *state;
  int status = in_child(k, sync_fails_in_commit);
  assert_true(WIFSIGNALED(status));
  assert_int_equal(WTERMSIG(status), SIGABRT);
  kit_open(k); /* what was confirmed is there; the unconfirmed event may be */
  assert_in_range(kit_replay(k, "room:a", 0).last, 1, 2);
  assert_int_equal(store_verify(k->s, k->why), ERR_OK);
}

static void test_34_failed_sync_of_a_checkpoint_stops_it_too(void **state) {
  struct kit *k = *state;
  int status = in_child(k, sync_fails_in_checkpoint);
  assert_true(WIFSIGNALED(status));
  assert_int_equal(WTERMSIG(status), SIGABRT);
  kit_open(k);
  assert_int_equal(kit_replay(k, "room:a", 0).last, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, kit_setup, kit_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_34_size_limit),
      TEST(test_34_disk_full),
      TEST(test_34_open_on_full_disk),
      TEST(test_34_full_while_erasing),
      TEST(test_34_failed_sync_stops_the_process),
      TEST(test_34_failed_sync_of_a_checkpoint_stops_it_too),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
