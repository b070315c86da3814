/* audit: what someone who has the file and knows the format, but not the key, did to a stream:
 * store_verify_stream tells which it was. Also pruning with a signed base, and anchors known from outside. */
#include "core/store/chain.h"
#include "store_kit.h"

#define FREE                                                                                                 \
  "DROP TRIGGER IF EXISTS event_no_update; DROP TRIGGER IF EXISTS event_no_delete; PRAGMA foreign_keys = "   \
  "OFF; "
/* Every later event gets a number that is `by` higher, in two steps past the primary key. */
#define RENUMBER(from, by)                                                                                   \
  "UPDATE event SET seq = -seq WHERE stream = 'audit' AND seq >= " #from ";"                                 \
  "UPDATE event SET seq = -seq + (" #by ") WHERE stream = 'audit' AND seq < 0;"
#define FORGED(seq)                                                                                          \
  "INSERT INTO event VALUES('audit', " #seq ", 1, 'm:9', 'forged', '', '{}', NULL, "                         \
  "(SELECT hash FROM event WHERE stream = 'audit' AND seq = " #seq " - 1), randomblob(32));"

enum { EVENTS = 30 };

static void fill(struct kit *k) {
  kit_open(k);
  for (uint64_t i = 1; i <= EVENTS; i++)
    assert_int_equal(kit_append(k, "audit", i, i % 3 ? NULL : "{\"who\":\"someone\"}"), ERR_OK);
  assert_int_equal(store_commit(k->s), ERR_OK);
}

static void expect(struct kit *k, enum err want, const char *sentence) {
  enum err e = store_verify_stream(k->s, "audit", NULL, 0, k->why);
  if (e != want || !strstr(k->why, sentence))
    fail_msg("%s, \"%s\" instead of %s, \"%s\"", err_code(e), k->why, err_code(want), sentence);
}

/* Gives the events first..last hashes that fit, as if they had always been so. */
static void rechain(const char *path, int64_t first, int64_t last) {
  sqlite3 *db;
  sqlite3_stmt *q, *u;
  uint8_t prev[CHAIN_HASH] = {0}, hash[CHAIN_HASH];
  assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
  assert_int_equal(sqlite3_exec(db, FREE, NULL, NULL, NULL), SQLITE_OK);
  sqlite3_prepare_v2(db,
                     "SELECT seq, ts_ms, actor, kind, target, data, payload_digest, hash FROM event"
                     " WHERE stream = 'audit' ORDER BY seq",
                     -1, &q, NULL);
  sqlite3_prepare_v2(db, "UPDATE event SET prev_hash = ?1, hash = ?2 WHERE stream = 'audit' AND seq = ?3", -1,
                     &u, NULL);
  while (sqlite3_step(q) == SQLITE_ROW) {
    int64_t seq = sqlite3_column_int64(q, 0);
    struct store_record r = {"audit",
                             (uint64_t)seq,
                             sqlite3_column_int64(q, 1),
                             (const char *)sqlite3_column_text(q, 2),
                             (const char *)sqlite3_column_text(q, 3),
                             (const char *)sqlite3_column_text(q, 4),
                             (const char *)sqlite3_column_text(q, 5),
                             NULL,
                             NULL};
    memcpy(hash, sqlite3_column_blob(q, 7), CHAIN_HASH);
    if (seq >= first && seq <= last) {
      chain_hash(prev, &r, sqlite3_column_blob(q, 6), hash);
      sqlite3_bind_blob(u, 1, prev, CHAIN_HASH, SQLITE_STATIC);
      sqlite3_bind_blob(u, 2, hash, CHAIN_HASH, SQLITE_STATIC);
      sqlite3_bind_int64(u, 3, seq);
      assert_int_equal(sqlite3_step(u), SQLITE_DONE);
      sqlite3_reset(u);
    }
    memcpy(prev, hash, CHAIN_HASH);
  }
  sqlite3_finalize(q);
  sqlite3_finalize(u);
  sqlite3_close(db);
}

static const struct attack {
  const char *sql;
  enum err want;
  const char *sentence;
} ATTACKS[] = {
    {"", ERR_OK, ""},
    {"UPDATE event SET data = '{}' WHERE seq = 7", ERR_AUDIT_EDITED, "event 7 of audit was changed"},
    {"UPDATE event SET ts_ms = 0 WHERE seq = 1", ERR_AUDIT_EDITED, "event 1 of"},
    {"UPDATE event SET actor = 'm:1' WHERE seq = 30", ERR_AUDIT_EDITED, "event 30 of"},
    {"UPDATE event SET hash = zeroblob(32) WHERE seq = 7", ERR_AUDIT_EDITED, "event 7 of"},
    {"UPDATE event SET prev_hash = zeroblob(3) WHERE seq = 7", ERR_AUDIT_EDITED, "event 7 of"},
    {"UPDATE event SET data = '1' WHERE seq IN (7, 8, 9)", ERR_AUDIT_EDITED, "event 7 of"},
    {"UPDATE payload SET sealed = randomblob(60) WHERE seq = 9", ERR_AUDIT_EDITED,
     "the content of event 9 of"},
    {"UPDATE payload SET sealed = (SELECT sealed FROM payload WHERE seq = 3) WHERE seq = 9", ERR_AUDIT_EDITED,
     "event 9"},
    {"UPDATE payload SET pid = 'p-1' WHERE seq = 9", ERR_AUDIT_EDITED, "the content of event 9 of"},
    {"DELETE FROM event WHERE seq = 7", ERR_AUDIT_DELETED, "event 7 of audit is missing"},
    {"DELETE FROM event WHERE seq <= 7", ERR_AUDIT_DELETED, "event 1 of"},
    {"DELETE FROM payload; DELETE FROM event WHERE seq = 7;" RENUMBER(8, -1), ERR_AUDIT_DELETED,
     "event 7 of"},
    {"DELETE FROM payload; DELETE FROM event WHERE seq = 1;" RENUMBER(2, -1), ERR_AUDIT_DELETED,
     "event 1 of"},
    {"DELETE FROM payload; DELETE FROM event WHERE seq BETWEEN 7 AND 12;" RENUMBER(13, -6), ERR_AUDIT_DELETED,
     "event 7 of"},
    {"DELETE FROM payload; DELETE FROM event WHERE seq = 30", ERR_AUDIT_TRUNCATED, "ends at event 29"},
    {"DELETE FROM payload; DELETE FROM event", ERR_AUDIT_TRUNCATED, "ends at event 0"},
    {"DELETE FROM payload; UPDATE event SET seq = 99 WHERE seq = 7; UPDATE event SET seq = 7 WHERE seq = 8;"
     "UPDATE event SET seq = 8 WHERE seq = 99",
     ERR_AUDIT_SWAPPED, "event 7 of audit stands at 8"},
    {"DELETE FROM payload; UPDATE event SET seq = 99 WHERE seq = 5; UPDATE event SET seq = 5 WHERE seq = 20;"
     "UPDATE event SET seq = 20 WHERE seq = 99",
     ERR_AUDIT_SWAPPED, "event 5 of audit stands at 20"},
    {"CREATE TABLE t AS SELECT * FROM event; UPDATE event SET (ts_ms, actor, kind, target, data, "
     "payload_digest) ="
     " (SELECT ts_ms, actor, kind, target, data, payload_digest FROM t WHERE t.seq = 12 - event.seq) WHERE "
     "seq IN (4, 8);"
     "DROP TABLE t",
     ERR_AUDIT_SWAPPED, "event 4 of audit stands at 8"},
    {"CREATE TABLE t AS SELECT * FROM event; UPDATE event SET data ="
     " (SELECT data FROM t WHERE t.seq = 11 - event.seq) WHERE seq IN (5, 6); DROP TABLE t",
     ERR_AUDIT_SWAPPED, "event 5 of audit stands at 6"},
    {"DELETE FROM payload;" RENUMBER(7, 1) FORGED(7), ERR_AUDIT_INSERTED, "event 7 of audit was added"},
    {"DELETE FROM payload;" RENUMBER(7, 3) FORGED(7) FORGED(8) FORGED(9), ERR_AUDIT_INSERTED, "event 7 of"},
    {"DELETE FROM payload;" RENUMBER(1, 1) "INSERT INTO event VALUES('audit', 1, 1, 'x', 'x', '', '', NULL,"
                                           " zeroblob(32), zeroblob(32))",
     ERR_AUDIT_INSERTED, "event 1 of"},
    {FORGED(31), ERR_AUDIT_EDITED, "event 31 of"}, /* its hash is not one: see the rechained one */
    {"INSERT INTO event SELECT stream, 0, ts_ms, actor, kind, target, data, NULL, prev_hash, hash FROM event"
     " WHERE seq = 1",
     ERR_AUDIT_INSERTED, "event 0 of"},
    {"INSERT INTO event SELECT stream, -5, ts_ms, actor, kind, target, data, NULL, prev_hash, hash FROM event"
     " WHERE seq = 1",
     ERR_AUDIT_INSERTED, "event -5 of"},
    {"DELETE FROM head", ERR_AUDIT_RECHAINED, "no signed head"},
    {"UPDATE head SET mac = zeroblob(32)", ERR_AUDIT_RECHAINED, "not signed"},
    {"INSERT INTO base VALUES('audit', 7, (SELECT hash FROM event WHERE seq = 7), zeroblob(32));"
     "DELETE FROM payload; DELETE FROM event WHERE seq <= 7",
     ERR_AUDIT_DELETED, "nobody signed that"},
    {"INSERT INTO base SELECT stream, seq, hash, mac FROM head", ERR_AUDIT_DELETED, "nobody signed that"},
};

static void test_attacks_with_sql(void **state) {
  struct kit *k = *state;
  fill(k);
  for (size_t i = 0; i < sizeof ATTACKS / sizeof ATTACKS[0]; i++) {
    char sql[1600];
    snprintf(sql, sizeof sql, FREE "%s", ATTACKS[i].sql);
    store_close(k->s);
    k->s = NULL;
    kit_copy(k->path, kit_path(k, "kept.db"));
    kit_raw(k->path, sql);
    kit_open(k);
    expect(k, ATTACKS[i].want, ATTACKS[i].sentence);
    assert_int_equal(store_verify(k->s, k->why), ATTACKS[i].want ? ERR_DB_CORRUPT : ERR_OK);
    store_close(k->s);
    k->s = NULL;
    assert_int_equal(rename(kit_path(k, "kept.db"), k->path), 0);
    kit_open(k);
  }
}

/* Attacks by someone who also computes hashes; first..last get new ones. */
static const struct rechained {
  const char *sql;
  int64_t first, last;
  enum err want;
  const char *sentence;
} RECHAINED[] = {
    {"UPDATE event SET data = '{}' WHERE seq = 7", 7, 7, ERR_AUDIT_EDITED, "event 7 of"},
    {"UPDATE event SET data = '{}' WHERE seq = 7", 7, 30, ERR_AUDIT_RECHAINED, "its signed head is another"},
    {"UPDATE event SET data = '{}' WHERE seq = 30", 30, 30, ERR_AUDIT_RECHAINED,
     "its signed head is another"},
    {"DELETE FROM payload;" RENUMBER(7, 1) FORGED(7), 7, 7, ERR_AUDIT_INSERTED, "event 7 of"},
    {"DELETE FROM payload;" RENUMBER(7, 1) FORGED(7), 7, 31, ERR_AUDIT_RECHAINED,
     "its signed head is another"},
    {FORGED(31), 31, 31, ERR_AUDIT_INSERTED, "event 31 of audit was added"},
    {"DELETE FROM payload; DELETE FROM event WHERE seq = 7;" RENUMBER(8, -1) "UPDATE head SET seq = 29", 7,
     30, ERR_AUDIT_RECHAINED, "is not signed"},
    {"DELETE FROM payload; DELETE FROM event WHERE seq > 20; UPDATE head SET seq = 20,"
     "hash = (SELECT hash FROM event WHERE seq = 20)",
     0, 0, ERR_AUDIT_RECHAINED, "is not signed"},
};

static void test_attacks_with_hashes(void **state) {
  struct kit *k = *state;
  fill(k);
  for (size_t i = 0; i < sizeof RECHAINED / sizeof RECHAINED[0]; i++) {
    char sql[1600];
    snprintf(sql, sizeof sql, FREE "%s", RECHAINED[i].sql);
    store_close(k->s);
    k->s = NULL;
    kit_copy(k->path, kit_path(k, "kept.db"));
    kit_raw(k->path, sql);
    rechain(k->path, RECHAINED[i].first, RECHAINED[i].last);
    kit_open(k);
    expect(k, RECHAINED[i].want, RECHAINED[i].sentence);
    store_close(k->s);
    k->s = NULL;
    assert_int_equal(rename(kit_path(k, "kept.db"), k->path), 0);
    kit_open(k);
  }
}

/* The heads at 10 and 20, as an outside witness would have them. */
static void fill_with_anchors(struct kit *k, struct store_anchor a[2]) {
  kit_open(k);
  for (uint64_t i = 1; i <= EVENTS; i++) {
    assert_int_equal(kit_append(k, "audit", i, NULL), ERR_OK);
    if (i == 10 || i == 20)
      assert_int_equal(store_head(k->s, "audit", &a[i / 10 - 1].seq, a[i / 10 - 1].hash), ERR_OK);
  }
  assert_int_equal(store_commit(k->s), ERR_OK);
}

static void expect_anchored(struct kit *k, const struct store_anchor a[2], enum err want,
                            const char *sentence) {
  enum err e = store_verify_stream(k->s, "audit", a, 2, k->why);
  if (e != want || !strstr(k->why, sentence))
    fail_msg("%s, \"%s\" instead of %s, \"%s\"", err_code(e), k->why, err_code(want), sentence);
}

/* An older file put back verifies by itself: only an anchor shows what is gone. And someone with the key too.
 */
static void test_anchors(void **state) {
  struct kit *k = *state;
  struct store_anchor a[2];
  fill_with_anchors(k, a);
  assert_int_equal(a[0].seq, 10);
  assert_int_equal(a[1].seq, 20);
  expect_anchored(k, a, ERR_OK, "");
  struct store_anchor other[2] = {a[0], a[1]};
  other[0].hash[5] ^= 1;
  expect_anchored(k, other, ERR_AUDIT_RECHAINED, "event 10 of audit is not the one of the anchor");
  other[0] = a[0];
  other[1].seq = 31;
  expect_anchored(k, other, ERR_AUDIT_TRUNCATED, "there is an anchor of event 31");
  kit_raw(k->path, FREE "UPDATE event SET data = 'x' WHERE seq = 15");
  rechain(k->path, 15, 30);
  expect_anchored(k, a, ERR_AUDIT_RECHAINED, "event 20 of audit is not the one of the anchor");
}

static void test_older_file_put_back(void **state) {
  struct kit *k = *state;
  struct store_anchor a = {0};
  kit_open(k);
  kit_fill(k, "audit", 1, 5);
  store_close(k->s);
  kit_copy(k->path, kit_path(k, "old.db"));
  kit_open(k);
  kit_fill(k, "audit", 6, 9);
  assert_int_equal(store_head(k->s, "audit", &a.seq, a.hash), ERR_OK);
  store_close(k->s);
  k->s = NULL;
  assert_int_equal(rename(kit_path(k, "old.db"), k->path), 0);
  kit_open(k);
  expect(k, ERR_OK, "");
  assert_int_equal(store_verify_stream(k->s, "audit", &a, 1, k->why), ERR_AUDIT_TRUNCATED);
}

/* ---- pruning: event i is of 1700000000000 + i ms ---- */

static void test_prune(void **state) {
  struct kit *k = *state;
  struct store_anchor a[2];
  uint64_t n = 99;
  fill_with_anchors(k, a);
  assert_int_equal(store_prune(k->s, "audit", 1700000000001, &n), ERR_OK);
  assert_int_equal(n, 0); /* none is older */
  assert_int_equal(store_prune(k->s, "audit", 1700000000016, &n), ERR_OK);
  assert_int_equal(n, 15);
  kit_reopen(k);
  expect(k, ERR_OK, "");
  expect_anchored(k, a, ERR_OK, ""); /* the one before the base is skipped */
  struct kit_seen seen = kit_replay(k, "audit", 0);
  assert_int_equal(seen.n, 15);
  assert_int_equal(seen.last, 30);
  assert_int_equal(kit_replay(k, "audit", 20).n, 10);
  assert_int_equal(kit_append(k, "audit", 31, "{}"), ERR_OK); /* and on it goes */
  assert_int_equal(store_commit(k->s), ERR_OK);
  assert_int_equal(store_prune(k->s, "audit", INT64_MAX, &n), ERR_OK);
  assert_int_equal(n, 15);
  assert_int_equal(kit_replay(k, "audit", 0).last, 31); /* the last one stays */
  assert_int_equal(kit_replay(k, "audit", 0).n, 1);
  expect(k, ERR_OK, "");
  assert_int_equal(store_prune(k->s, "none", INT64_MAX, &n), ERR_OK);
  assert_int_equal(n, 0);
}

static void test_pruned_stream_attacked(void **state) {
  static const struct attack attacks[] = {
      {"DELETE FROM event WHERE seq = 16", ERR_AUDIT_DELETED, "event 16 of"},
      {"DELETE FROM event", ERR_AUDIT_TRUNCATED, "ends at event 15"},
      {"UPDATE base SET seq = 14", ERR_AUDIT_DELETED, "nobody signed that"},
      {"DELETE FROM base", ERR_AUDIT_DELETED, "event 1 of"},
      {"UPDATE head SET (seq, hash, mac) = (SELECT seq, hash, mac FROM base)", ERR_AUDIT_RECHAINED,
       "not signed"},
      {"INSERT INTO event SELECT stream, 15, ts_ms, actor, kind, target, data, NULL, prev_hash, hash FROM "
       "event"
       " WHERE seq = 16",
       ERR_AUDIT_INSERTED, "event 15 of"},
  };
  struct kit *k = *state;
  struct store_anchor a[2];
  uint64_t n;
  fill_with_anchors(k, a);
  assert_int_equal(store_prune(k->s, "audit", 1700000000016, &n), ERR_OK);
  for (size_t i = 0; i < sizeof attacks / sizeof attacks[0]; i++) {
    char sql[1200];
    store_close(k->s);
    k->s = NULL;
    kit_copy(k->path, kit_path(k, "kept.db"));
    snprintf(sql, sizeof sql, FREE "%s", attacks[i].sql);
    kit_raw(k->path, sql);
    kit_open(k);
    expect(k, attacks[i].want, attacks[i].sentence);
    store_close(k->s);
    k->s = NULL;
    assert_int_equal(rename(kit_path(k, "kept.db"), k->path), 0);
    kit_open(k);
  }
}

/* A signed base must not make good what was changed; and the log stays append-only for everything else. */
static void test_prune_refuses_a_changed_stream(void **state) {
  struct kit *k = *state;
  sqlite3 *db;
  uint64_t n;
  fill(k);
  assert_int_equal(store_prune(k->s, "audit", 1700000000011, &n), ERR_OK);
  assert_int_equal(n, 10);
  assert_int_equal(sqlite3_open(k->path, &db), SQLITE_OK);
  assert_int_equal(sqlite3_exec(db, "DELETE FROM event WHERE seq = 11", NULL, NULL, NULL), SQLITE_CONSTRAINT);
  assert_int_equal(sqlite3_exec(db, "UPDATE event SET kind = 'x'", NULL, NULL, NULL), SQLITE_CONSTRAINT);
  sqlite3_close(db);
  kit_raw(k->path, FREE "UPDATE event SET data = 'x' WHERE seq = 12");
  assert_int_equal(store_prune(k->s, "audit", 1700000000021, &n), ERR_AUDIT_EDITED);
  expect(k, ERR_AUDIT_EDITED, "event 12 of");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, kit_setup, kit_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_attacks_with_sql),
      TEST(test_attacks_with_hashes),
      TEST(test_anchors),
      TEST(test_older_file_put_back),
      TEST(test_prune),
      TEST(test_pruned_stream_attacked),
      TEST(test_prune_refuses_a_changed_stream),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
