/* subjects: what is known of a person, and that nothing of it is left once he is erased: not in the files,
 * not in an older copy that is put back, while all chains still verify. Also payloads that grew too old. */
#include "core/base/clock.h"
#include "core/store/erased.h"
#include "store_kit.h"

#define ADA "p-00000000000000aa"
#define BOB "p-00000000000000bb"

static void say(struct kit *k, const char *stream, uint64_t seq, const char *kind, const char *pid,
                const char *text) {
  struct store_record r = {stream, seq, 1700000000000 + (int64_t)seq, "m:3", kind, "", "{}", text, pid};
  assert_int_equal(store_append(k->s, &r), ERR_OK);
}

static void fill(struct kit *k) {
  kit_open(k);
  say(k, "room:b", 1, "chat", ADA, "ada in b");
  say(k, "room:a", 1, "chat", ADA, "ada in a");
  say(k, "room:a", 2, "chat", BOB, "bob in a");
  say(k, "room:a", 3, "join", ADA, "ada again");
  say(k, "room:a", 4, "chat", NULL, "nobody's");
  say(k, "room:a", 5, "chat", "", NULL);
  assert_int_equal(store_put_doc(k->s, "account", "1", ADA, "ada's account"), ERR_OK);
  assert_int_equal(store_put_doc(k->s, "account", "2", BOB, "bob's account"), ERR_OK);
  assert_int_equal(store_commit(k->s), ERR_OK);
}

static enum err join_record(void *ctx, const struct store_record *r) {
  char *out = ctx;
  size_t n = strlen(out);
  snprintf(out + n, 512 - n, "%s %" PRIu64 " %s %s; ", r->stream, r->seq, r->subject ? r->subject : "-",
           r->payload ? r->payload : "-");
  return ERR_OK;
}

static enum err count_doc(void *ctx, const char *id, const char *pid, const char *text) {
  (void)id, (void)pid, (void)text;
  ++*(int *)ctx;
  return ERR_OK;
}

static void expect_his(struct kit *k, const char *pid, const char *want, int docs) {
  char out[512] = "";
  int n = 0;
  assert_int_equal(store_each_subject_record(k->s, pid, join_record, out), ERR_OK);
  assert_string_equal(out, want);
  assert_int_equal(store_each_doc(k->s, "account", pid, count_doc, &n), ERR_OK);
  assert_int_equal(n, docs);
}

static const char BOBS[] = "room:a 2 " BOB " bob in a; ";

static void test_what_is_known(void **state) {
  struct kit *k = *state;
  char all[512] = "";
  fill(k);
  kit_reopen(k);
  expect_his(k, ADA, "room:a 1 " ADA " ada in a; room:a 3 " ADA " ada again; room:b 1 " ADA " ada in b; ", 1);
  expect_his(k, BOB, BOBS, 1);
  expect_his(k, "p-none", "", 0);
  assert_int_equal(store_each_subject_record(k->s, "", join_record, all), ERR_OK);
  assert_string_equal(all, ""); /* nobody's is nobody's */
  assert_int_equal(store_replay(k->s, "room:a", 2, join_record, all), ERR_OK);
  assert_string_equal(all, "room:a 3 " ADA " ada again; room:a 4  nobody's; room:a 5 - -; ");
}

static void expect_ada_gone(struct kit *k) {
  char all[512] = "";
  expect_his(k, ADA, "", 0);
  expect_his(k, BOB, BOBS, 1);
  assert_int_equal(store_replay(k->s, "room:a", 0, join_record, all), ERR_OK);
  assert_string_equal(all, "room:a 1 - -; room:a 2 " BOB
                           " bob in a; room:a 3 - -; room:a 4  nobody's; room:a 5 - -; ");
  assert_int_equal(store_verify(k->s, k->why), ERR_OK);
}

/* 16 bytes of the middle of what the statement answers. */
static void sealed_bytes(struct kit *k, const char *sql, uint8_t out[16]) {
  sqlite3 *db;
  sqlite3_stmt *q;
  assert_int_equal(sqlite3_open(k->path, &db), SQLITE_OK);
  assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &q, NULL), SQLITE_OK);
  assert_int_equal(sqlite3_step(q), SQLITE_ROW);
  memcpy(out, (const uint8_t *)sqlite3_column_blob(q, 0) + 12, 16);
  sqlite3_finalize(q);
  sqlite3_close(db);
}

static void test_erased_from_the_files(void **state) {
  static const char *const where[] = {
      "SELECT sealed FROM subject WHERE pid = '" ADA "'",
      "SELECT sealed FROM doc WHERE pid = '" ADA "'",
      "SELECT sealed FROM payload WHERE pid = '" ADA "' AND stream = 'room:b'",
  };
  struct kit *k = *state;
  uint8_t bytes[3][16];
  fill(k);
  for (size_t i = 0; i < 3; i++) {
    sealed_bytes(k, where[i], bytes[i]);
    assert_true(kit_file_holds(kit_path(k, "a.db"), bytes[i], 16) ||
                kit_file_holds(kit_path(k, "a.db-wal"), bytes[i], 16));
  }
  assert_int_equal(kit_append(k, "room:c", 1, NULL), ERR_OK); /* the open group is committed with it */
  assert_int_equal(store_erase_subject(k->s, ADA), ERR_OK);
  assert_int_equal(store_pending(k->s), 0);
  for (size_t i = 0; i < 3; i++) {
    assert_false(kit_file_holds(kit_path(k, "a.db"), bytes[i], 16));
    assert_false(kit_file_holds(kit_path(k, "a.db-wal"), bytes[i], 16));
  }
  expect_ada_gone(k);
  kit_reopen(k);
  expect_ada_gone(k);
  assert_int_equal(kit_replay(k, "room:c", 0).n, 1);
  assert_int_equal(store_erase_subject(k->s, ADA), ERR_OK); /* twice is fine */
  expect_ada_gone(k);
}

static void test_older_copy_is_erased_again(void **state) {
  struct kit *k = *state;
  char journal[128];
  snprintf(journal, sizeof journal, "%s.erased", k->path);
  fill(k);
  store_close(k->s);
  kit_copy(k->path, kit_path(k, "old.db"));
  kit_open(k);
  assert_int_equal(store_erase_subject(k->s, ADA), ERR_OK);
  struct stat st;
  assert_int_equal(stat(journal, &st), 0);
  assert_int_equal(st.st_mode & 07777, 0600);
  store_close(k->s);
  k->s = NULL;
  assert_int_equal(rename(kit_path(k, "old.db"), k->path), 0);
  kit_open(k);
  expect_ada_gone(k);
}

/* The journal went with the database's disk: its copy beside the backups brings it back. */
static void test_copy_of_the_journal(void **state) {
  struct kit *k = *state;
  char journal[128], copy[128];
  snprintf(journal, sizeof journal, "%s.erased", k->path);
  snprintf(copy, sizeof copy, "%s/erased", k->folder);
  fill(k);
  store_close(k->s);
  kit_copy(k->path, kit_path(k, "old.db"));
  kit_open(k);
  assert_int_equal(store_keep_erased(k->s, copy, k->why), ERR_OK);
  assert_int_equal(store_erase_subject(k->s, ADA), ERR_OK);
  store_close(k->s);
  k->s = NULL;
  assert_int_equal(unlink(journal), 0);
  assert_int_equal(rename(kit_path(k, "old.db"), k->path), 0);
  kit_open(k);
  char out[512] = "";
  assert_int_equal(store_each_subject_record(k->s, ADA, join_record, out), ERR_OK);
  assert_string_not_equal(out, ""); /* without the copy nobody would know */
  assert_int_equal(store_keep_erased(k->s, copy, k->why), ERR_OK);
  expect_ada_gone(k);
  assert_true(kit_file_holds(journal, ADA "\n", sizeof ADA));
}

static void test_journal_of_any_form(void **state) {
  struct kit *k = *state;
  struct erased l;
  const char *path = kit_path(k, "journal");
  assert_int_equal(erased_load(path, &l, k->why), ERR_OK);
  assert_int_equal(l.n, 0);
  FILE *f = fopen(path, "w");
  fputs("p-1\n\np-22222222222222222222222222222222222222222222222222222222222222222222222222222222\n" ADA
        "\np-tor",
        f);
  fclose(f);
  assert_int_equal(erased_add(path, BOB, k->why), ERR_OK);
  assert_int_equal(erased_load(path, &l, k->why), ERR_OK);
  char all[256] = "";
  for (size_t i = 0; i < l.n; i++)
    strncat(strncat(all, l.pid[i], 30), " ", 2);
  erased_free(&l);
  if (!strstr(all, "p-1 ") || !strstr(all, " " ADA " ") || !strstr(all, " " BOB " "))
    fail_msg("%s", all);
  assert_int_equal(erased_load("/", &l, k->why), ERR_IO); /* a folder is none */
  erased_free(&l);
  assert_int_equal(erased_add("/none/such", ADA, k->why), ERR_IO);
}

static void test_reader_keeps_old_pages(void **state) {
  struct kit *k = *state;
  sqlite3 *db;
  fill(k);
  assert_int_equal(sqlite3_open(k->path, &db), SQLITE_OK);
  assert_int_equal(sqlite3_exec(db, "BEGIN; SELECT count(*) FROM event", NULL, NULL, NULL), SQLITE_OK);
  uint8_t bytes[16];
  sealed_bytes(k, "SELECT sealed FROM doc WHERE pid = '" ADA "'", bytes);
  us_t before = clock_now();
  assert_int_equal(store_erase_subject(k->s, ADA),
                   ERR_OK); /* it is on disk, and nobody waited for the reader */
  assert_true(clock_now() - before < 2 * US_PER_S);
  expect_ada_gone(k);
  assert_true(store_fold_due(k->s));
  store_fold(k->s);
  assert_true(store_fold_due(k->s));
  assert_true(kit_file_holds(kit_path(k, "a.db-wal"), bytes, 16) || kit_file_holds(k->path, bytes, 16));
  assert_int_equal(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
  store_fold(k->s);
  assert_false(store_fold_due(k->s));
  assert_false(kit_file_holds(kit_path(k, "a.db-wal"), bytes, 16) || kit_file_holds(k->path, bytes, 16));
  sqlite3_close(db);
}

/* Commits bring it about as well, without anyone asking. */
static void test_later_commits_fold(void **state) {
  struct kit *k = *state;
  sqlite3 *db;
  uint64_t n;
  fill(k);
  assert_int_equal(sqlite3_open(k->path, &db), SQLITE_OK);
  assert_int_equal(sqlite3_exec(db, "BEGIN; SELECT count(*) FROM event", NULL, NULL, NULL), SQLITE_OK);
  assert_int_equal(store_erase_before(k->s, "room:a", "*", INT64_MAX, NULL, &n), ERR_OK);
  assert_int_equal(store_commit(k->s), ERR_OK);
  assert_true(store_fold_due(k->s));
  sqlite3_close(db);
  for (uint64_t i = 1; store_fold_due(k->s); i++) {
    assert_true(i < 100);
    kit_fill(k, "room:c", i, i);
  }
  struct stat st;
  assert_int_equal(stat(kit_path(k, "a.db-wal"), &st), 0);
  assert_int_equal(st.st_size, 0);
}

static void test_erase_before(void **state) {
  struct kit *k = *state;
  static const char *const held[] = {"p-x", BOB, NULL};
  char all[512] = "";
  uint64_t n;
  fill(k);
  assert_int_equal(store_erase_before(k->s, "room:a", "quality,poll", INT64_MAX, NULL, &n), ERR_OK);
  assert_int_equal(n, 0);
  assert_int_equal(store_pending(k->s), 0);
  assert_int_equal(store_erase_before(k->s, "room:a", "cha", INT64_MAX, NULL, &n), ERR_OK);
  assert_int_equal(n, 0); /* a part of a kind is not the kind */
  assert_int_equal(store_erase_before(k->s, "room:", "*", INT64_MAX, NULL, &n), ERR_OK);
  assert_int_equal(n, 0); /* a part of a name is not the stream */
  assert_int_equal(store_erase_before(k->s, "room:a", "quality,chat", 1700000000004, held, &n), ERR_OK);
  assert_int_equal(n, 1);
  assert_int_equal(store_pending(k->s), 1);
  store_rollback(k->s);
  assert_int_equal(store_erase_before(k->s, "room:a", "*", 1700000000004, held, &n), ERR_OK);
  assert_int_equal(n, 2);
  assert_int_equal(store_commit(k->s), ERR_OK);
  kit_reopen(k);
  assert_int_equal(store_replay(k->s, "room:a", 0, join_record, all), ERR_OK);
  assert_string_equal(all, "room:a 1 - -; room:a 2 " BOB
                           " bob in a; room:a 3 - -; room:a 4  nobody's; room:a 5 - -; ");
  expect_his(k, ADA, "room:b 1 " ADA " ada in b; ", 1);
  assert_int_equal(store_erase_before(k->s, "room:a", "*", INT64_MAX, NULL, &n), ERR_OK);
  assert_int_equal(n, 2);
  assert_int_equal(store_verify(k->s, k->why), ERR_OK);
}

static enum err join_stream(void *ctx, const char *stream) {
  size_t n = strlen(ctx);
  snprintf((char *)ctx + n, 512 - n, "%s ", stream);
  return ERR_OK;
}

static void test_sweepable(void **state) {
  struct kit *k = *state;
  char all[512] = "";
  uint64_t n;
  fill(k);
  say(k, "roomy", 1, "chat", ADA, "of another prefix");
  say(k, "room:c", 1, "ended", NULL, NULL); /* one event, nothing personal: as after a sweep */
  assert_int_equal(store_commit(k->s), ERR_OK);
  assert_int_equal(store_sweepable(k->s, "room:", join_stream, all), ERR_OK);
  assert_string_equal(all, "room:a room:b ");
  assert_int_equal(store_erase_before(k->s, "room:b", "*", INT64_MAX, NULL, &n), ERR_OK);
  assert_int_equal(store_erase_before(k->s, "room:a", "*", INT64_MAX, NULL, &n), ERR_OK);
  all[0] = 0;
  assert_int_equal(store_sweepable(k->s, "room:", join_stream, all), ERR_OK);
  assert_string_equal(all, "room:a "); /* its events */
  assert_int_equal(store_prune(k->s, "room:a", INT64_MAX, &n), ERR_OK);
  assert_int_equal(n, 4);
  all[0] = 0;
  assert_int_equal(store_sweepable(k->s, "room:", join_stream, all), ERR_OK);
  assert_string_equal(all, "");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, kit_setup, kit_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_what_is_known),       TEST(test_erased_from_the_files), TEST(test_older_copy_is_erased_again),
      TEST(test_copy_of_the_journal), TEST(test_journal_of_any_form),   TEST(test_reader_keeps_old_pages),
      TEST(test_erase_before),        TEST(test_later_commits_fold),    TEST(test_sweepable),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
