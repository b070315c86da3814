/* documents: what was put and committed is there again, sealed, in its place, and only of whom it is. */
#include "core/store/store_sqlite.h"
#include "store_kit.h"

struct docs {
  char text[512]; /* "id/pid=text " of each, in the order they came */
  size_t n;
};

static enum err join_doc(void *ctx, const char *id, const char *pid, const char *text) {
  struct docs *d = ctx;
  size_t at = strlen(d->text);
  snprintf(d->text + at, sizeof d->text - at, "%s/%s=%.40s ", id, pid, text);
  d->n++;
  return ERR_OK;
}

static void expect_docs(struct kit *k, const char *class, const char *pid, const char *want) {
  struct docs d = {0};
  assert_int_equal(store_each_doc(k->s, class, pid, join_doc, &d), ERR_OK);
  assert_string_equal(d.text, want);
}

static void put(struct kit *k, const char *class, const char *id, const char *pid, const char *text) {
  assert_int_equal(store_put_doc(k->s, class, id, pid, text), ERR_OK);
}

static void test_put_replace_delete(void **state) {
  struct kit *k = *state;
  kit_open(k);
  put(k, "key", "b", "", "{\"n\":1}");
  put(k, "key", "a", "p-1", "{\"n\":2}");
  put(k, "key", "c", NULL, "");
  put(k, "app", "a", "p-2", "other class");
  assert_int_equal(store_pending(k->s), 4);
  assert_int_equal(store_commit(k->s), ERR_OK);
  assert_int_equal(store_pending(k->s), 0);
  kit_reopen(k);
  expect_docs(k, "key", NULL, "a/p-1={\"n\":2} b/={\"n\":1} c/= ");
  put(k, "key", "a", "p-2", "of another person now");
  assert_int_equal(store_del_doc(k->s, "key", "b"), ERR_OK);
  assert_int_equal(store_del_doc(k->s, "key", "b"), ERR_OK); /* is gone: no error */
  assert_int_equal(store_pending(k->s), 3);
  assert_int_equal(store_commit(k->s), ERR_OK);
  kit_reopen(k);
  expect_docs(k, "key", NULL, "a/p-2=of another person now c/= ");
  expect_docs(k, "key", "p-2", "a/p-2=of another person now ");
  expect_docs(k, "key", "", "c/= ");
  expect_docs(k, "key", "p-1", "");
  expect_docs(k, "app", NULL, "a/p-2=other class ");
  expect_docs(k, "none", NULL, "");
}

static void test_rolled_back(void **state) {
  struct kit *k = *state;
  kit_open(k);
  put(k, "key", "a", "p-1", "kept");
  assert_int_equal(store_commit(k->s), ERR_OK);
  put(k, "key", "a", "p-1", "lost");
  put(k, "key", "b", "p-9", "lost, and the new subject's key with it");
  assert_int_equal(kit_append(k, "room:a", 1, NULL), ERR_OK);
  store_rollback(k->s);
  expect_docs(k, "key", NULL, "a/p-1=kept ");
  put(k, "key", "b", "p-9", "a new key");
  assert_int_equal(store_commit(k->s), ERR_OK);
  kit_reopen(k); /* nothing was sealed under a key that was rolled back */
  expect_docs(k, "key", NULL, "a/p-1=kept b/p-9=a new key ");
  assert_int_equal(kit_replay(k, "room:a", 0).n, 0);
}

static enum err check_long(void *ctx, const char *id, const char *pid, const char *text) {
  (void)id, (void)pid;
  *(size_t *)ctx = strspn(text, "x");
  return ERR_OK;
}

static void test_limits(void **state) {
  struct kit *k = *state;
  char *big = malloc((1 << 20) + 2), name[600];
  assert_non_null(big);
  memset(big, 'x', (1 << 20) + 1);
  big[(1 << 20) + 1] = 0;
  memset(name, 'n', sizeof name);
  name[sizeof name - 1] = 0;
  kit_open(k);
  put(k, "key", "small", "", "lost with its group");
  assert_int_equal(store_put_doc(k->s, "key", "a", "", big), ERR_FULL);
  assert_int_equal(store_put_doc(k->s, "key", "b", "", "{}"), ERR_FULL);
  assert_int_equal(store_commit(k->s), ERR_FULL);
  assert_int_equal(store_put_doc(k->s, "key", name, "", "{}"), ERR_FULL);
  store_rollback(k->s);
  assert_int_equal(store_put_doc(k->s, "key", "a", "p-0123456789abcdef0", "{}"), ERR_FULL); /* no pid */
  store_rollback(k->s);
  big[1 << 20] = 0; /* 1 MiB */
  put(k, "key", "a", "p-0123456789abcdef", big);
  assert_int_equal(store_commit(k->s), ERR_OK);
  kit_reopen(k);
  size_t n = 0;
  assert_int_equal(store_each_doc(k->s, "key", NULL, check_long, &n), ERR_OK);
  assert_int_equal(n, 1 << 20);
  free(big);
}

static void test_more_people_than_keys_in_memory(void **state) {
  struct kit *k = *state;
  char pid[24], text[64];
  kit_open(k);
  for (int round = 0; round < 2; round++)
    for (int i = 0; i < 300; i++) {
      snprintf(pid, sizeof pid, "p-%016x", i);
      snprintf(text, sizeof text, "document %d of %s", round, pid);
      put(k, "key", pid, pid, text);
    }
  assert_int_equal(store_commit(k->s), ERR_OK);
  kit_reopen(k);
  for (int i = 0; i < 300; i += 37) {
    char want[100];
    snprintf(pid, sizeof pid, "p-%016x", i);
    snprintf(want, sizeof want, "%s/%s=document 1 of %s ", pid, pid, pid);
    expect_docs(k, "key", pid, want);
  }
}

static enum err stop_at_second(void *ctx, const char *id, const char *pid, const char *text) {
  (void)id, (void)pid, (void)text;
  return ++*(int *)ctx == 2 ? ERR_TOO_LATE : ERR_OK;
}

static void test_callback_stops(void **state) {
  struct kit *k = *state;
  int n = 0;
  kit_open(k);
  for (char id[2] = "a"; id[0] < 'e'; id[0]++)
    put(k, "key", id, "", "x");
  assert_int_equal(store_each_doc(k->s, "key", NULL, stop_at_second, &n), ERR_TOO_LATE);
  assert_int_equal(n, 2);
  expect_docs(k, "key", NULL, "a/=x b/=x c/=x d/=x ");
}

/* A document does not open in another place, for another person, or changed; and no words lie in the file. */
static void test_bound_to_its_place(void **state) {
  static const char *const moves[] = {
      "UPDATE doc SET id = 'moved' WHERE id = 'a'",
      "UPDATE doc SET class = 'key', id = 'z' WHERE class = 'other'",
      "UPDATE doc SET pid = 'p-2' WHERE id = 'a'",
      "UPDATE doc SET pid = '' WHERE id = 'a'",
      "UPDATE doc SET sealed = (SELECT sealed FROM doc WHERE id = 'b') WHERE id = 'a'",
      "UPDATE doc SET sealed = zeroblob(27) WHERE id = 'a'",
      "UPDATE subject SET sealed = (SELECT sealed FROM subject WHERE pid = 'p-2') WHERE pid = 'p-1'",
      "DELETE FROM subject WHERE pid = 'p-1'",
  };
  struct kit *k = *state;
  kit_open(k);
  put(k, "key", "a", "p-1", "very personal words");
  put(k, "key", "b", "p-2", "very personal words");
  put(k, "other", "a", "p-1", "very personal words");
  assert_int_equal(store_commit(k->s), ERR_OK);
  assert_false(kit_file_holds(kit_path(k, "a.db-wal"), "personal words", 14));
  store_close(k->s);
  k->s = NULL;
  assert_false(kit_file_holds(k->path, "personal words", 14));
  assert_true(kit_file_holds(k->path, "other", 5));
  for (size_t i = 0; i < sizeof moves / sizeof moves[0]; i++) {
    struct docs d = {0};
    kit_copy(k->path, kit_path(k, "kept.db"));
    kit_raw(k->path, moves[i]);
    kit_open(k);
    if (store_each_doc(k->s, "key", NULL, join_doc, &d) != ERR_DB_CORRUPT)
      fail_msg("not found out: %s", moves[i]);
    store_close(k->s);
    k->s = NULL;
    assert_int_equal(rename(kit_path(k, "kept.db"), k->path), 0);
  }
  kit_open(k);
  expect_docs(k, "key", "p-1", "a/p-1=very personal words ");
}

/* Whether he has one document or the class has a million of others: his are found by the index of pids. */
static void test_of_one_person_by_the_index(void **state) {
  struct kit *k = *state;
  char sql[256];
  sqlite3_stmt *plan;
  bool indexed = false;
  kit_open(k);
  expect_docs(k, "key", "p-1", "");
  assert_int_equal(sqlite3_stmt_status(k->s->q[STORE_Q_EACH_DOC_OF], SQLITE_STMTSTATUS_RUN, 0), 1);
  snprintf(sql, sizeof sql, "EXPLAIN QUERY PLAN %s", sqlite3_sql(k->s->q[STORE_Q_EACH_DOC_OF]));
  assert_int_equal(sqlite3_prepare_v2(k->s->db, sql, -1, &plan, NULL), SQLITE_OK);
  while (sqlite3_step(plan) == SQLITE_ROW)
    indexed |= strstr((const char *)sqlite3_column_text(plan, 3), "USING INDEX doc_pid (pid=?") != NULL;
  sqlite3_finalize(plan);
  assert_true(indexed);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, kit_setup, kit_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_put_replace_delete),
      TEST(test_rolled_back),
      TEST(test_limits),
      TEST(test_more_people_than_keys_in_memory),
      TEST(test_callback_stops),
      TEST(test_bound_to_its_place),
      TEST(test_of_one_person_by_the_index),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
