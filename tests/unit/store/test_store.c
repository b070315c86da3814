/* store: what was committed is there again, what was not is not; keys, foreign files, second openers; sealed
 * content and its erasure, looked for in the raw bytes of the files. */
#include "store_kit.h"

static enum err check_record(void *ctx, const struct store_record *r) {
  uint64_t *next = ctx;
  char want[96];
  assert_int_equal(r->seq, *next);
  snprintf(want, sizeof want, "{\"text\":\"personal words %" PRIu64 " of room:a\"}", r->seq);
  assert_string_equal(r->stream, "room:a");
  assert_true(r->ts_ms == 1700000000000 + (int64_t)r->seq);
  assert_string_equal(r->actor, "m:3");
  assert_string_equal(r->kind, "chat");
  assert_string_equal(r->target, "");
  assert_non_null(r->payload);
  assert_string_equal(r->payload, want);
  ++*next;
  return r->seq == 7 ? ERR_TOO_LATE : ERR_OK;
}

static void test_append_commit_replay(void **state) {
  struct kit *k = *state;
  kit_open(k);
  kit_fill(k, "room:a", 1, 5);
  assert_int_equal(store_pending(k->s), 0);
  kit_reopen(k);
  kit_fill(k, "room:a", 6, 9);
  uint64_t next = 3;
  assert_int_equal(store_replay(k->s, "room:a", 2, check_record, &next),
                   ERR_TOO_LATE); /* its own error at 7 */
  assert_int_equal(next, 8);
  assert_int_equal(kit_replay(k, "room:a", 0).n, 9);
  assert_int_equal(kit_replay(k, "room:a", 9).n, 0);
  assert_int_equal(kit_replay(k, "room:none", 0).n, 0);
  assert_int_equal(store_verify(k->s, k->why), ERR_OK);
}

static void test_rollback_and_close_forget_the_group(void **state) {
  struct kit *k = *state;
  kit_open(k);
  kit_fill(k, "room:a", 1, 2);
  assert_int_equal(kit_append(k, "room:a", 3, NULL), ERR_OK);
  assert_int_equal(kit_append(k, "room:b", 1, NULL), ERR_OK);
  assert_int_equal(store_pending(k->s), 2);
  store_rollback(k->s);
  assert_int_equal(store_pending(k->s), 0);
  assert_int_equal(store_commit(k->s), ERR_OK); /* empty: nothing to do */
  assert_int_equal(kit_replay(k, "room:a", 0).last, 2);
  assert_int_equal(kit_append(k, "room:a", 3, "{}"), ERR_OK); /* the number is free again */
  kit_reopen(k);
  assert_int_equal(kit_replay(k, "room:a", 0).last, 2);
  assert_int_equal(kit_replay(k, "room:b", 0).n, 0);
}

static void test_too_long_field_costs_the_group(void **state) {
  struct kit *k = *state;
  char *big = calloc(1, (2 << 20) + 1);
  assert_non_null(big);
  memset(big, 'x', 2 << 20);
  kit_open(k);
  kit_fill(k, "room:a", 1, 2);
  assert_int_equal(kit_append(k, "room:a", 3, NULL), ERR_OK);
  assert_int_equal(kit_append(k, "room:a", 4, big), ERR_FULL);
  assert_int_equal(kit_append(k, "room:a", 5, NULL), ERR_FULL); /* no gap may follow, no assert either */
  assert_int_equal(store_pending(k->s), 0);
  assert_int_equal(store_commit(k->s), ERR_FULL);
  kit_fill(k, "room:a", 3, 4);
  kit_reopen(k);
  assert_int_equal(kit_replay(k, "room:a", 0).last, 4);
  assert_int_equal(store_verify(k->s, k->why), ERR_OK);
  free(big);
}

static enum err join_names(void *ctx, const char *stream) {
  char *names = ctx;
  size_t n = strlen(names);
  snprintf(names + n, 128 - n, "%s ", stream);
  return ERR_OK;
}

static void test_streams_by_prefix(void **state) {
  struct kit *k = *state;
  char names[128] = "";
  kit_open(k);
  const char *const all[] = {"room:b", "user:a", "room:a", "roon:a", "room"};
  for (size_t i = 0; i < 5; i++)
    kit_fill(k, all[i], 1, 3);
  assert_int_equal(store_streams(k->s, "room:", join_names, names), ERR_OK);
  assert_string_equal(names, "room:a room:b ");
}

static void test_secrets(void **state) {
  struct kit *k = *state;
  char out[64];
  size_t n = sizeof out;
  kit_open(k);
  assert_int_equal(store_get_secret(k->s, "tls.key", out, &n), ERR_NO_ROOM);
  assert_int_equal(store_put_secret(k->s, "tls.key", "old value", 9), ERR_OK);
  assert_int_equal(store_put_secret(k->s, "tls.key", "a very private key", 18), ERR_OK);
  assert_int_equal(store_commit(k->s), ERR_OK);
  assert_int_equal(store_put_secret(k->s, "other", "x", 1), ERR_OK);
  kit_reopen(k);
  n = 17;
  assert_int_equal(store_get_secret(k->s, "tls.key", out, &n), ERR_FULL);
  n = sizeof out;
  assert_int_equal(store_get_secret(k->s, "tls.key", out, &n), ERR_OK);
  assert_int_equal(n, 18);
  assert_memory_equal(out, "a very private key", 18);
  assert_int_equal(store_get_secret(k->s, "other", out, &n), ERR_NO_ROOM);
  /* a sealed value moved to another name does not open */
  kit_raw(k->path, "INSERT INTO secret SELECT 'moved', sealed FROM secret WHERE name = 'tls.key'");
  n = sizeof out;
  assert_int_equal(store_get_secret(k->s, "moved", out, &n), ERR_DB_CORRUPT);
}

static void test_memory(void **state) {
  struct kit *k = *state;
  assert_int_equal(store_open(":memory:", NULL, rng_system(), &k->s, k->why), ERR_OK);
  kit_fill(k, "room:a", 1, 3);
  assert_int_equal(kit_replay(k, "room:a", 0).payloads, 3);
  kit_erase(k, "room:a");
  assert_int_equal(kit_replay(k, "room:a", 0).payloads, 0);
  assert_int_equal(store_backup(k->s, kit_path(k, "b.db"), k->why), ERR_BAD_CONFIG);
  assert_int_equal(store_verify(k->s, k->why), ERR_OK);
}

/* ---- opening ---- */

static void expect_refusal(struct kit *k, const uint8_t *key, enum err want, const char *sentence) {
  store_close(k->s);
  assert_int_equal(store_open(k->path, key, rng_system(), &k->s, k->why), want);
  assert_null(k->s);
  if (!strstr(k->why, sentence) || !strstr(k->why, k->path))
    fail_msg("\"%s\" does not say \"%s\"", k->why, sentence);
}

static void test_files_are_private(void **state) {
  struct kit *k = *state;
  struct stat st;
  kit_open(k);
  kit_fill(k, "room:a", 1, 1);
  const char *const names[] = {"a.db", "a.db-wal", "a.db-shm", "a.db.key", "a.db.lock"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    assert_int_equal(stat(kit_path(k, names[i]), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
  }
}

static void test_key_loose_missing_short_wrong(void **state) {
  struct kit *k = *state;
  char key[128];
  snprintf(key, sizeof key, "%s.key", k->path);
  kit_open(k);
  kit_fill(k, "room:a", 1, 1);
  assert_int_equal(chmod(key, 0640), 0);
  expect_refusal(k, NULL, ERR_BAD_CONFIG, "chmod 600");
  assert_int_equal(chmod(key, 0602), 0);
  expect_refusal(k, NULL, ERR_BAD_CONFIG, "chmod 600");
  assert_int_equal(chmod(key, 0600), 0);
  uint8_t wrong[32] = {1, 2, 3};
  expect_refusal(k, wrong, ERR_BAD_CONFIG, "the key does not fit this database");
  kit_open(k); /* and all is well with the right one */
  assert_int_equal(kit_replay(k, "room:a", 0).payloads, 1);
  assert_int_equal(truncate(key, 31), 0);
  expect_refusal(k, NULL, ERR_BAD_CONFIG, "does not hold 32 bytes");
  assert_int_equal(unlink(key), 0);
  expect_refusal(k, NULL, ERR_BAD_CONFIG, "is missing");
  assert_int_not_equal(access(key, F_OK), 0); /* no second key was made for an old database */
}

static void test_given_key_makes_no_file(void **state) {
  struct kit *k = *state;
  uint8_t key[32] = {7};
  assert_int_equal(store_open(k->path, key, rng_system(), &k->s, k->why), ERR_OK);
  kit_fill(k, "room:a", 1, 1);
  assert_int_not_equal(access(kit_path(k, "a.db.key"), F_OK), 0);
  store_close(k->s);
  assert_int_equal(store_open(k->path, key, rng_system(), &k->s, k->why), ERR_OK);
  assert_int_equal(kit_replay(k, "room:a", 0).payloads, 1);
}

static void test_newer_foreign_and_garbage(void **state) {
  struct kit *k = *state;
  kit_raw(k->path, "CREATE TABLE theirs(x); INSERT INTO theirs VALUES(1)");
  expect_refusal(k, NULL, ERR_DB_CORRUPT, "is not a database of gavel");
  kit_raw(k->path, "INSERT INTO theirs VALUES(2)"); /* untouched: still theirs */
  assert_int_not_equal(access(kit_path(k, "a.db.key"), F_OK), 0);
  assert_int_equal(unlink(k->path), 0);
  FILE *f = fopen(k->path, "w");
  for (int i = 0; i < 2000; i++)
    fputs("this is a letter\n", f);
  fclose(f);
  expect_refusal(k, NULL, ERR_DB_CORRUPT, "not a database");
  assert_int_equal(unlink(k->path), 0);
  kit_open(k);
  kit_fill(k, "room:a", 1, 1);
  kit_raw(k->path, "PRAGMA user_version = 3");
  expect_refusal(k, NULL, ERR_DB_NEWER, "newer");
  kit_raw(k->path, "PRAGMA user_version = 2");
  kit_open(k);
  assert_int_equal(kit_replay(k, "room:a", 0).n, 1);
}

static void test_damaged_page(void **state) {
  struct kit *k = *state;
  kit_open(k);
  kit_fill(k, "room:a", 1, 200);
  store_close(k->s); /* the log is folded into the file */
  k->s = NULL;
  FILE *f = fopen(k->path, "r+b");
  for (long page = 2; page < 12; page++) {
    fseek(f, page * 4096, SEEK_SET);
    fputs("\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f", f);
  }
  fclose(f);
  expect_refusal(k, NULL, ERR_DB_CORRUPT, "damaged");
}

static void test_second_opener(void **state) {
  struct kit *k = *state;
  struct store *other;
  char command[160];
  kit_open(k);
  assert_int_equal(store_open(k->path, NULL, rng_system(), &other, k->why), ERR_IO);
  assert_non_null(strstr(k->why, "is in use by another gaveld"));
  /* by another name it is the same file */
  snprintf(command, sizeof command, "ln -s a.db %s/alias.db", k->folder);
  assert_int_equal(system(command), 0);
  assert_int_equal(store_open(kit_path(k, "alias.db"), NULL, rng_system(), &other, k->why), ERR_IO);
  kit_fill(k, "room:a", 1, 2);
  kit_reopen(k);
  assert_int_equal(kit_replay(k, "room:a", 0).n, 2);
}

static void test_no_such_folder(void **state) {
  struct kit *k = *state;
  snprintf(k->path, sizeof k->path, "%s/no/a.db", k->folder);
  expect_refusal(k, NULL, ERR_IO, "No such file");
}

/* ---- what lies on the disk ---- */

static int on_disk(struct kit *k, const void *p, size_t n) {
  return kit_file_holds(kit_path(k, "a.db"), p, n) || kit_file_holds(kit_path(k, "a.db-wal"), p, n);
}

static void test_payload_is_sealed_and_data_is_not(void **state) {
  struct kit *k = *state;
  kit_open(k);
  kit_fill(k, "room:a", 1, 3);
  assert_int_equal(store_put_secret(k->s, "tls.key", "a very private key", 18), ERR_OK);
  assert_int_equal(store_commit(k->s), ERR_OK);
  for (int i = 0; i < 2; i++) {
    assert_true(on_disk(k, "{\"n\":2}", 7)); /* so the search does find things */
    assert_false(on_disk(k, "personal", 8));
    assert_false(on_disk(k, "private key", 11));
    kit_reopen(k);
  }
}

enum { ERASED = 300 };

/* 16 bytes of the middle of each sealed payload of room:a. */
static void collect_sealed(struct kit *k, uint8_t out[ERASED][16]) {
  sqlite3 *db;
  sqlite3_stmt *q;
  assert_int_equal(sqlite3_open(k->path, &db), SQLITE_OK);
  const char *sql = "SELECT substr(sealed, length(sealed) - 20, 16) FROM payload WHERE stream = 'room:a'";
  assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &q, NULL), SQLITE_OK);
  for (int i = 0; i < ERASED; i++) {
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    memcpy(out[i], sqlite3_column_blob(q, 0), 16);
  }
  sqlite3_finalize(q);
  sqlite3_close(db);
}

static void test_erase_leaves_nothing_and_the_chain_verifies(void **state) {
  struct kit *k = *state;
  static uint8_t sealed[ERASED][16];
  static char words[6000];
  kit_open(k);
  for (uint64_t i = 1; i <= ERASED;
       i++) { /* sizes that split pages and overflow them, between another room's */
    size_t n = (size_t)(i * 7919 % 5000);
    memset(words, 'w', n);
    words[n] = 0;
    assert_int_equal(kit_append(k, "room:a", i, words), ERR_OK);
    assert_int_equal(kit_append(k, "room:b", i, "{\"keep\":1}"), ERR_OK);
    if (i % 10 == 0)
      assert_int_equal(store_commit(k->s), ERR_OK);
  }
  collect_sealed(k, sealed);
  int before = 0, after = 0;
  for (int i = 0; i < ERASED; i++)
    before += on_disk(k, sealed[i], 16);
  assert_int_equal(before, ERASED);
  kit_erase(k, "room:a");
  for (int i = 0; i < ERASED; i++)
    after += on_disk(k, sealed[i], 16);
  assert_int_equal(after, 0);
  assert_int_equal(store_verify(k->s, k->why), ERR_OK);
  struct kit_seen seen = kit_replay(k, "room:a", 0);
  assert_int_equal(seen.n, ERASED);
  assert_int_equal(seen.payloads, 0);
  assert_int_equal(kit_replay(k, "room:b", 0).payloads, ERASED);
  kit_fill(k, "room:a", ERASED + 1, ERASED + 1); /* the chain goes on */
  assert_int_equal(store_verify(k->s, k->why), ERR_OK);
}

static void test_log_is_append_only(void **state) {
  struct kit *k = *state;
  sqlite3 *db;
  kit_open(k);
  kit_fill(k, "room:a", 1, 2);
  assert_int_equal(sqlite3_open(k->path, &db), SQLITE_OK);
  assert_int_equal(sqlite3_exec(db, "UPDATE event SET kind = 'x'", NULL, NULL, NULL), SQLITE_CONSTRAINT);
  assert_int_equal(sqlite3_exec(db, "DELETE FROM event", NULL, NULL, NULL), SQLITE_CONSTRAINT);
  sqlite3_close(db);
  assert_int_equal(kit_replay(k, "room:a", 0).n, 2);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, kit_setup, kit_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_append_commit_replay),
      TEST(test_rollback_and_close_forget_the_group),
      TEST(test_too_long_field_costs_the_group),
      TEST(test_streams_by_prefix),
      TEST(test_secrets),
      TEST(test_memory),
      TEST(test_files_are_private),
      TEST(test_key_loose_missing_short_wrong),
      TEST(test_given_key_makes_no_file),
      TEST(test_newer_foreign_and_garbage),
      TEST(test_damaged_page),
      TEST(test_second_opener),
      TEST(test_no_such_folder),
      TEST(test_payload_is_sealed_and_data_is_not),
      TEST(test_erase_leaves_nothing_and_the_chain_verifies),
      TEST(test_log_is_append_only),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
