/* chain: whatever someone with the file but without the key does to the log, store_verify names it. */
#include "core/base/bytes.h"
#include "core/store/chain.h"
#include "store_kit.h"

#define NO_TRIGGERS "DROP TRIGGER event_no_update; DROP TRIGGER event_no_delete; PRAGMA foreign_keys = OFF; "

static void fill(struct kit *k) {
  kit_open(k);
  kit_fill(k, "room:a", 1, 20);
  kit_fill(k, "room:b", 1, 20);
  assert_int_equal(store_verify(k->s, k->why), ERR_OK);
}

static void expect_found(struct kit *k, const char *sentence) {
  assert_int_equal(store_verify(k->s, k->why), ERR_DB_CORRUPT);
  if (!strstr(k->why, sentence))
    fail_msg("\"%s\" does not say \"%s\"", k->why, sentence);
}

static void tamper(struct kit *k, const char *sql, const char *sentence) {
  fill(k);
  kit_raw(k->path, sql);
  expect_found(k, sentence);
}

static void test_edit_of_each_column(void **state) {
  static const char *const edits[] = {
      "ts_ms = ts_ms + 1",
      "actor = 'm:4'",
      "kind = 'chaT'",
      "target = 'm:5'",
      "data = data || ' '",
      "prev_hash = zeroblob(32)",
      "hash = zeroblob(32)",
      "data = data || char(0) || 'x'",
      "payload_digest = NULL",
      "payload_digest = zeroblob(32)",
      "prev_hash = zeroblob(31)",
  };
  struct kit *k = *state;
  fill(k);
  kit_raw(k->path, NO_TRIGGERS);
  for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
    char sql[512];
    snprintf(sql, sizeof sql,
             "CREATE TABLE kept AS SELECT * FROM event WHERE stream = 'room:b' AND seq = 7;"
             "UPDATE event SET %s WHERE stream = 'room:b' AND seq = 7",
             edits[i]);
    kit_raw(k->path, sql);
    expect_found(k, "event 7 of room:b");
    kit_raw(k->path, "INSERT OR REPLACE INTO event SELECT * FROM kept; DROP TABLE kept");
    assert_int_equal(store_verify(k->s, k->why), ERR_OK);
  }
}

static void test_delete_in_the_middle(void **state) {
  tamper(*state, NO_TRIGGERS "DELETE FROM event WHERE stream = 'room:a' AND seq = 10",
         "event 10 of room:a is missing");
}

static void test_delete_and_renumber(void **state) {
  tamper(*state,
         NO_TRIGGERS "DELETE FROM payload; DELETE FROM event WHERE stream = 'room:a' AND seq = 10;"
                     "UPDATE event SET seq = -seq WHERE stream = 'room:a' AND seq > 10;"
                     "UPDATE event SET seq = -seq - 1 WHERE stream = 'room:a' AND seq < 0",
         "event 10 of room:a");
}

static void test_delete_first(void **state) {
  tamper(*state, NO_TRIGGERS "DELETE FROM event WHERE stream = 'room:a' AND seq < 3",
         "event 1 of room:a is missing");
}

static void test_cut_tail(void **state) {
  struct kit *k = *state;
  tamper(k, NO_TRIGGERS "DELETE FROM event WHERE stream = 'room:a' AND seq > 15", "room:a ends at event 15");
  struct kit_seen seen = {0}; /* and a server that starts does not go on from there */
  assert_int_equal(store_replay(k->s, "room:a", 0, kit_count, &seen), ERR_DB_CORRUPT);
  assert_int_equal(kit_append(k, "room:b", 21, NULL), ERR_OK); /* the other stream is whole */
}

static void test_cut_tail_and_head(void **state) {
  tamper(*state,
         NO_TRIGGERS
         "DELETE FROM event WHERE stream = 'room:a' AND seq > 15;"
         "UPDATE head SET seq = 15, hash = (SELECT hash FROM event WHERE stream = 'room:a' AND seq = 15)"
         " WHERE stream = 'room:a'",
         "the head of room:a is not signed");
}

static void test_drop_head(void **state) {
  tamper(*state, "DELETE FROM head WHERE stream = 'room:a'", "room:a has events, but no signed head");
}

static void test_drop_all_events(void **state) {
  tamper(*state, NO_TRIGGERS "DELETE FROM payload; DELETE FROM event WHERE stream = 'room:a'",
         "room:a ends at event 0");
}

static void test_swap_two(void **state) {
  tamper(*state,
         NO_TRIGGERS "UPDATE event SET seq = 1000 WHERE stream = 'room:a' AND seq = 5;"
                     "UPDATE event SET seq = 5 WHERE stream = 'room:a' AND seq = 6;"
                     "UPDATE event SET seq = 6 WHERE stream = 'room:a' AND seq = 1000",
         "event 5 of room:a");
}

static void test_insert(void **state) {
  tamper(*state,
         "INSERT INTO event SELECT stream, 21, ts_ms, actor, kind, target, data, NULL, hash, hash FROM event"
         " WHERE stream = 'room:a' AND seq = 20",
         "event 21 of room:a");
}

static void test_payloads_swapped_or_edited(void **state) {
  struct kit *k = *state;
  tamper(k,
         "UPDATE payload SET sealed = (SELECT sealed FROM payload WHERE stream = 'room:a' AND seq = 3)"
         " WHERE stream = 'room:a' AND seq = 4",
         "event 4 of room:a");
  kit_raw(k->path, "DELETE FROM payload WHERE stream = 'room:a' AND seq = 4"); /* that is erasure */
  assert_int_equal(store_verify(k->s, k->why), ERR_OK);
  kit_raw(k->path, "UPDATE payload SET sealed = zeroblob(20) WHERE stream = 'room:b' AND seq = 9");
  expect_found(k, "event 9 of room:b");
}

struct forge {
  sqlite3_stmt *q;
  uint8_t prev[CHAIN_HASH];
  uint64_t edited, last; /* the event that is changed, and the last one whose hash is made to fit */
};

static enum err forge_row(void *ctx, const struct store_record *r) {
  struct forge *f = ctx;
  struct store_record mine = *r;
  uint8_t hash[CHAIN_HASH];
  if (r->seq < f->edited || r->seq > f->last)
    return ERR_OK;
  if (r->seq == f->edited)
    mine.kind = "forged";
  chain_hash(f->prev, &mine, NULL, hash);
  sqlite3_reset(f->q);
  sqlite3_bind_text(f->q, 1, mine.kind, -1, SQLITE_STATIC);
  sqlite3_bind_blob(f->q, 2, f->prev, CHAIN_HASH, SQLITE_STATIC);
  sqlite3_bind_blob(f->q, 3, hash, CHAIN_HASH, SQLITE_STATIC);
  sqlite3_bind_int64(f->q, 4, (sqlite3_int64)r->seq);
  assert_int_equal(sqlite3_step(f->q), SQLITE_DONE);
  memcpy(f->prev, hash, CHAIN_HASH);
  return ERR_OK;
}

/* The attacker knows the format: event 1 is changed and events 1..last get hashes that fit. */
static void forge_chain(struct kit *k, uint64_t last) {
  struct forge f = {.edited = 1, .last = last};
  sqlite3 *db;
  kit_raw(k->path, NO_TRIGGERS);
  assert_int_equal(sqlite3_open(k->path, &db), SQLITE_OK);
  const char *sql =
      "UPDATE event SET kind = ?1, prev_hash = ?2, hash = ?3 WHERE stream = 'room:c' AND seq = ?4";
  assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &f.q, NULL), SQLITE_OK);
  assert_int_equal(store_replay(k->s, "room:c", 0, forge_row, &f), ERR_OK);
  sqlite3_finalize(f.q);
  sqlite3_close(db);
}

static void make_plain(struct kit *k) {
  kit_open(k);
  for (uint64_t i = 1; i <= 10; i++)
    assert_int_equal(kit_append(k, "room:c", i, NULL), ERR_OK);
  assert_int_equal(store_commit(k->s), ERR_OK);
}

static void test_rechain_of_one_row(void **state) {
  struct kit *k = *state;
  make_plain(k);
  forge_chain(k, 1); /* row 1 fits itself, row 2 still names the old hash */
  expect_found(k, "event 1 of room:c is not the one that event 2 follows");
}

static void test_rechain_of_all_rows(void **state) {
  struct kit *k = *state;
  make_plain(k);
  forge_chain(k, 10); /* without the head's key the chain itself is perfect */
  expect_found(k, "its signed head is another");
}

/* The canonical form, computed by other means (Python's struct.pack('>Q') and hashlib). */
static void test_canonical_vector(void **state) {
  (void)state;
  struct store_record r = {"room:a", 1, 1700000000001, "m:3", "chat", "", "{\"n\":1}", NULL, NULL};
  uint8_t hash[CHAIN_HASH], zero[CHAIN_HASH] = {0};
  char hex[65];
  chain_hash(zero, &r, NULL, hash);
  hex_encode(hash, sizeof hash, hex);
  assert_string_equal(hex, "8c5f6e02e2e6aad9c6bd5cadfb0f6a6a3005b9ce6bea97d2a6f70b82eeca1899");
  chain_hash(hash, &r, hash, hash);
  hex_encode(hash, sizeof hash, hex);
  assert_string_equal(hex, "9aaf79e93561848373ce7897761b3f1476469f810c0653b50d0fcafc5585bf05");
}

static void test_borders_of_fields_count(void **state) {
  (void)state;
  struct store_record a = {"room:a", 1, 1, "m:3", "ab", "c", "{}", NULL, NULL}, b = a;
  uint8_t ha[CHAIN_HASH], hb[CHAIN_HASH], zero[CHAIN_HASH] = {0};
  b.kind = "a";
  b.target = "bc";
  chain_hash(zero, &a, NULL, ha);
  chain_hash(zero, &b, NULL, hb);
  assert_memory_not_equal(ha, hb, CHAIN_HASH);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, kit_setup, kit_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_edit_of_each_column),
      TEST(test_delete_in_the_middle),
      TEST(test_delete_and_renumber),
      TEST(test_delete_first),
      TEST(test_cut_tail),
      TEST(test_cut_tail_and_head),
      TEST(test_drop_head),
      TEST(test_drop_all_events),
      TEST(test_swap_two),
      TEST(test_insert),
      TEST(test_payloads_swapped_or_edited),
      TEST(test_rechain_of_one_row),
      TEST(test_rechain_of_all_rows),
      cmocka_unit_test(test_canonical_vector),
      cmocka_unit_test(test_borders_of_fields_count),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
