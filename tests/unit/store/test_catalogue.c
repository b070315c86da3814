/* catalogue: number 34 of the bad-input catalogue, what is not in test_diskfull (full disk, a sync that
 * fails): a file system that cannot be written, another process's lock, a page that was changed, a lost
 * write-ahead log, a file of another program. */
#include "store_kit.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>

/* Stands before the C library's for SQLite too: a file system that was mounted again, read-only. */
static bool read_only;
ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at);
ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at) {
  if (read_only) {
    errno = EROFS;
    return -1;
  }
  return pwrite(fd, p, n, at);
}

static void test_34_file_system_becomes_read_only(void **state) {
  struct kit *k = *state;
  kit_open(k);
  kit_fill(k, "room:a", 1, 3);
  read_only = true;
  enum err e = kit_append(k, "room:a", 4, "{}"), c = store_commit(k->s);
  bool docs = store_put_doc(k->s, "a", "b", "", "c") == ERR_OK && store_commit(k->s) == ERR_OK;
  struct kit_seen seen = kit_replay(k, "room:a", 0); /* reading goes on */
  store_rollback(k->s);
  read_only = false;
  assert_true(e == ERR_IO || c == ERR_IO);
  assert_false(docs);
  assert_int_equal(seen.last, 3);
  kit_fill(k, "room:a", 4, 5);
  kit_reopen(k);
  assert_int_equal(kit_replay(k, "room:a", 0).last, 5);
}

/* Runs in a child, as nobody when we are root, whom no mode stops. */
static int open_in_read_only_folder(struct kit *k) {
  if (geteuid() == 0 && setuid(65534) != 0)
    return 77;
  enum err e = store_open(k->path, NULL, rng_system(), &k->s, k->why);
  return e == ERR_IO && strstr(k->why, "a.db") ? 0 : 1;
}

static void test_34_read_only_folder(void **state) {
  struct kit *k = *state;
  int status;
  kit_open(k);
  kit_fill(k, "room:a", 1, 3);
  store_close(k->s);
  k->s = NULL;
  assert_int_equal(chmod(k->path, 0444), 0);
  assert_int_equal(chmod(k->folder, 0555), 0);
  pid_t pid = fork();
  if (pid == 0)
    _exit(open_in_read_only_folder(k));
  assert_int_equal(waitpid(pid, &status, 0), pid);
  assert_int_equal(chmod(k->folder, 0700), 0);
  assert_int_equal(chmod(k->path, 0600), 0);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 0);
  kit_open(k);
  assert_int_equal(kit_replay(k, "room:a", 0).last, 3);
}

/* Another process (a tool, a backup program) holds the write lock: after 5 s the group is refused, and
 * nothing else. */
static void test_34_locked_by_another_process(void **state) {
  struct kit *k = *state;
  int told[2], go[2], status;
  char byte = 0;
  kit_open(k);
  kit_fill(k, "room:a", 1, 3);
  assert_int_equal(pipe(told), 0);
  assert_int_equal(pipe(go), 0);
  pid_t pid = fork();
  if (pid == 0) {
    sqlite3 *db;
    bool locked = sqlite3_open(k->path, &db) == SQLITE_OK &&
                  sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK;
    _exit(!locked || write(told[1], "x", 1) != 1 || read(go[0], &byte, 1) != 1);
  }
  assert_int_equal(read(told[0], &byte, 1), 1);
  assert_int_equal(kit_append(k, "room:a", 4, "{}"), ERR_IO);
  assert_int_equal(store_commit(k->s), ERR_IO);
  assert_int_equal(kit_replay(k, "room:a", 0).last, 3);
  assert_int_equal(write(go[1], "x", 1), 1);
  assert_int_equal(waitpid(pid, &status, 0), pid);
  assert_int_equal(status, 0);
  kit_fill(k, "room:a", 4, 5);
  assert_int_equal(store_verify(k->s, k->why), ERR_OK);
  for (int i = 0; i < 2; i++)
    close(told[i]), close(go[i]);
}

/* Any page, not only the header: nothing that was changed is read as if it were not. */
static void test_34_corrupted_page(void **state) {
  struct kit *k = *state;
  kit_open(k);
  kit_fill(k, "room:a", 1, 400);
  store_close(k->s);
  k->s = NULL;
  struct stat st;
  assert_int_equal(stat(k->path, &st), 0);
  int found = 0, opened = 0;
  for (long at = 4096; at + 4096 < st.st_size; at += 8192) {
    kit_copy(k->path, kit_path(k, "kept.db"));
    FILE *f = fopen(k->path, "r+b");
    fseek(f, at + 2000, SEEK_SET);
    for (int i = 0; i < 1200; i++)
      fputc(0x55, f);
    fclose(f);
    enum err e = store_open(k->path, NULL, rng_system(), &k->s, k->why);
    opened += e == ERR_OK;
    if (e == ERR_OK)
      e = store_verify(k->s, k->why);
    if (e == ERR_OK)
      assert_int_equal(kit_replay(k, "room:a", 0).payloads, 400); /* it was room that is not in use */
    else
      found += e == ERR_DB_CORRUPT || e == ERR_BAD_CONFIG;
    store_close(k->s);
    k->s = NULL;
    assert_int_equal(rename(kit_path(k, "kept.db"), k->path), 0);
  }
  assert_true(opened > 0); /* so it is the chain, too, that finds it */
  assert_true(found > 10);
  kit_open(k);
  assert_int_equal(kit_replay(k, "room:a", 0).last, 400);
}

/* Confirmed events that lay only in the log are gone with it: what is left is whole, and an anchor tells. */
static void test_34_wal_deleted(void **state) {
  struct kit *k = *state;
  int status;
  struct store_anchor a;
  pid_t pid = fork();
  if (pid == 0) { /* ends without closing, as after kill -9 */
    kit_open(k);
    kit_fill(k, "room:a", 1, 3);
    kit_raw(k->path, "PRAGMA wal_checkpoint(TRUNCATE)");
    kit_fill(k, "room:a", 4, 9);
    FILE *f = fopen(kit_path(k, "head"), "wb");
    a = (struct store_anchor){0};
    bool ok = store_head(k->s, "room:a", &a.seq, a.hash) == ERR_OK && fwrite(&a, sizeof a, 1, f) == 1;
    fclose(f);
    _exit(!ok);
  }
  assert_int_equal(waitpid(pid, &status, 0), pid);
  assert_int_equal(status, 0);
  FILE *f = fopen(kit_path(k, "head"), "rb");
  assert_int_equal(fread(&a, sizeof a, 1, f), 1);
  fclose(f);
  assert_int_equal(a.seq, 9);
  assert_int_equal(unlink(kit_path(k, "a.db-wal")), 0);
  kit_open(k);
  assert_int_equal(kit_replay(k, "room:a", 0).last, 3);
  assert_int_equal(store_verify(k->s, k->why), ERR_OK);
  assert_int_equal(store_verify_stream(k->s, "room:a", &a, 1, k->why), ERR_AUDIT_TRUNCATED);
  kit_fill(k, "room:a", 4, 5);
}

/* Deleted under a live store: its descriptor still holds it, and closing folds it in. */
static void test_34_wal_deleted_while_open(void **state) {
  struct kit *k = *state;
  kit_open(k);
  kit_fill(k, "room:a", 1, 3);
  assert_int_equal(unlink(kit_path(k, "a.db-wal")), 0);
  kit_fill(k, "room:a", 4, 6);
  kit_reopen(k);
  assert_int_equal(kit_replay(k, "room:a", 0).last, 6);
}

static void test_34_wrong_application_id(void **state) {
  static const char *const ids[] = {"PRAGMA application_id = 0", "PRAGMA application_id = 0x6761766d",
                                    "PRAGMA application_id = -1"};
  struct kit *k = *state;
  kit_open(k);
  kit_fill(k, "room:a", 1, 3);
  for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
    store_close(k->s);
    kit_raw(k->path, ids[i]);
    assert_int_equal(store_open(k->path, NULL, rng_system(), &k->s, k->why), ERR_DB_CORRUPT);
    assert_non_null(strstr(k->why, "is not a database of gavel"));
    assert_int_equal(kit_look(k, &k->s), ERR_DB_CORRUPT);
    kit_raw(k->path, "PRAGMA application_id = 0x6761766c");
    kit_open(k);
    assert_int_equal(kit_replay(k, "room:a", 0).last, 3);
  }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, kit_setup, kit_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_34_file_system_becomes_read_only),
      TEST(test_34_read_only_folder),
      TEST(test_34_locked_by_another_process),
      TEST(test_34_corrupted_page),
      TEST(test_34_wal_deleted),
      TEST(test_34_wal_deleted_while_open),
      TEST(test_34_wrong_application_id),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
