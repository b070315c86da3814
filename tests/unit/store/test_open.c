/* open: a database of schema 1, made by hand as the first gaveld made it, goes on; and a look at one that is
 * in use. */
#include "core/base/bytes.h"
#include "core/store/chain.h"
#include "core/store/seal.h"
#include "store_kit.h"

static const char SCHEMA_1[] =
    "PRAGMA journal_mode = WAL;"
    "CREATE TABLE event(stream TEXT NOT NULL, seq INTEGER NOT NULL, ts_ms INTEGER NOT NULL,"
    " actor TEXT NOT NULL, kind TEXT NOT NULL, target TEXT NOT NULL, data TEXT NOT NULL,"
    " payload_digest BLOB, prev_hash BLOB NOT NULL, hash BLOB NOT NULL,"
    " PRIMARY KEY(stream, seq)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE payload(stream TEXT NOT NULL, seq INTEGER NOT NULL, sealed BLOB NOT NULL,"
    " PRIMARY KEY(stream, seq), FOREIGN KEY(stream, seq) REFERENCES event) STRICT, WITHOUT ROWID;"
    "CREATE TABLE head(stream TEXT PRIMARY KEY, seq INTEGER NOT NULL, hash BLOB NOT NULL,"
    " mac BLOB NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE secret(name TEXT PRIMARY KEY, sealed BLOB NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TRIGGER event_no_update BEFORE UPDATE ON event"
    " BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;"
    "CREATE TRIGGER event_no_delete BEFORE DELETE ON event"
    " BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;"
    "PRAGMA application_id = 0x6761766c; PRAGMA user_version = 1;";

static void insert(sqlite3 *db, const char *sql, uint64_t seq, const void *a, size_t na, const void *b,
                   size_t nb, const void *c, size_t nc) {
  sqlite3_stmt *q;
  assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &q, NULL), SQLITE_OK);
  sqlite3_bind_int64(q, 1, (sqlite3_int64)seq);
  sqlite3_bind_blob(q, 2, a, (int)na, SQLITE_STATIC);
  if (b)
    sqlite3_bind_blob(q, 3, b, (int)nb, SQLITE_STATIC);
  if (c)
    sqlite3_bind_blob(q, 4, c, (int)nc, SQLITE_STATIC);
  assert_int_equal(sqlite3_step(q), SQLITE_DONE);
  sqlite3_finalize(q);
}

static const char PAYLOAD[] = "0123456789abcdef{\"text\":\"old words\"}"; /* the salt first */

/* room:old with events 1..4, each with a payload, under the key in <path>.key. */
static void make_schema_1(struct kit *k) {
  uint8_t master[32], seal[32], head_key[32], mac[32], digest[32], hash[32];
  uint8_t sealed[sizeof PAYLOAD + SEAL_OVERHEAD], check[SEAL_OVERHEAD];
  struct chain_head h = {0};
  char label[64], name[128];
  sqlite3 *db;
  memset(master, 0x5a, sizeof master);
  chain_key(master, "gavel seal 1", seal);
  chain_key(master, "gavel head 1", head_key);
  snprintf(name, sizeof name, "%s.key", k->path);
  FILE *f = fopen(name, "wb");
  assert_int_equal(fwrite(master, 1, 32, f), 32);
  fclose(f);
  assert_int_equal(chmod(name, 0600), 0);
  assert_int_equal(sqlite3_open(k->path, &db), SQLITE_OK);
  assert_int_equal(sqlite3_exec(db, SCHEMA_1, NULL, NULL, NULL), SQLITE_OK);
  sha256(PAYLOAD, sizeof PAYLOAD - 1, digest);
  for (h.seq = 1; h.seq <= 4; h.seq++) {
    struct store_record r = {"room:old", h.seq, 7, "m:1", "chat", "", "{}", NULL, NULL};
    chain_hash(h.hash, &r, digest, hash);
    insert(db, "INSERT INTO event VALUES('room:old', ?1, 7, 'm:1', 'chat', '', '{}', ?2, ?3, ?4)", h.seq,
           digest, 32, h.hash, 32, hash, 32);
    memcpy(h.hash, hash, 32);
    snprintf(label, sizeof label, "payload:%" PRIu64 ":room:old", h.seq);
    seal_close(seal, rng_system(), label, PAYLOAD, sizeof PAYLOAD - 1, sealed);
    insert(db, "INSERT INTO payload VALUES('room:old', ?1, ?2)", h.seq, sealed, sizeof sealed - 1, NULL, 0,
           NULL, 0);
  }
  h.seq = 4;
  chain_sign(head_key, "room:old", &h, mac);
  insert(db, "INSERT INTO head VALUES('room:old', ?1, ?2, ?3)", 4, h.hash, 32, mac, 32, NULL, 0);
  seal_close(seal, rng_system(), "secret:store.key", "", 0, check);
  insert(db, "INSERT INTO secret VALUES('store.key', coalesce(?2, ?1))", 0, check, sizeof check, NULL, 0,
         NULL, 0);
  assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static enum err check_old(void *ctx, const struct store_record *r) {
  if (r->seq <= 4)
    assert_string_equal(r->payload, "{\"text\":\"old words\"}");
  ++*(int *)ctx;
  return ERR_OK;
}

static int schema_of(const char *path) {
  sqlite3 *db;
  sqlite3_stmt *q;
  assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
  assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &q, NULL), SQLITE_OK);
  assert_int_equal(sqlite3_step(q), SQLITE_ROW);
  int version = sqlite3_column_int(q, 0);
  sqlite3_finalize(q);
  sqlite3_close(db);
  return version;
}

static void test_schema_1_goes_on(void **state) {
  struct kit *k = *state;
  int n = 0;
  make_schema_1(k);
  assert_int_equal(schema_of(k->path), 1);
  for (int round = 0; round < 2; round++) {
    kit_open(k);
    n = 0;
    assert_int_equal(store_replay(k->s, "room:old", 0, check_old, &n), ERR_OK);
    assert_int_equal(n, 4 + round);
    assert_int_equal(store_verify(k->s, k->why), ERR_OK);
    struct store_record r = {"room:old", 5 + (uint64_t)round, 8, "m:1", "chat", "", "{}", "{}", "p-1"};
    assert_int_equal(store_append(k->s, &r), ERR_OK);
    assert_int_equal(store_put_doc(k->s, "key", "a", "p-1", "{}"), ERR_OK);
    assert_int_equal(store_commit(k->s), ERR_OK);
    store_close(k->s);
    k->s = NULL;
    assert_int_equal(schema_of(k->path), STORE_SCHEMA);
  }
  kit_open(k);
  uint64_t pruned;
  assert_int_equal(store_erase_subject(k->s, "p-1"), ERR_OK);
  assert_int_equal(store_prune(k->s, "room:old", 8, &pruned), ERR_OK);
  assert_int_equal(pruned, 4);
  assert_int_equal(store_verify(k->s, k->why), ERR_OK);
}

static void test_wrong_key_leaves_schema_1(void **state) {
  struct kit *k = *state;
  uint8_t wrong[32] = {1};
  make_schema_1(k);
  assert_int_equal(store_open(k->path, wrong, rng_system(), &k->s, k->why), ERR_BAD_CONFIG);
  assert_int_equal(schema_of(k->path), 1);
  assert_int_equal(kit_look(k, &k->s), ERR_BAD_CONFIG); /* looking changes nothing */
  assert_non_null(strstr(k->why, "is of schema 1"));
  assert_int_equal(schema_of(k->path), 1);
  kit_open(k);
}

static void test_schema_1_that_was_changed_is_found_out(void **state) {
  struct kit *k = *state;
  make_schema_1(k);
  kit_raw(k->path,
          "DROP TRIGGER event_no_update; UPDATE event SET kind = 'x' WHERE seq = 2;"
          "CREATE TRIGGER event_no_update BEFORE UPDATE ON event BEGIN SELECT RAISE(ABORT, ''); END");
  kit_open(k);
  assert_int_equal(store_verify_stream(k->s, "room:old", NULL, 0, k->why), ERR_AUDIT_EDITED);
}

static void test_foreign_schema_1(void **state) {
  struct kit *k = *state;
  make_schema_1(k);
  kit_raw(k->path, "DROP TABLE payload");
  assert_int_equal(store_open(k->path, NULL, rng_system(), &k->s, k->why), ERR_DB_CORRUPT);
  assert_int_equal(schema_of(k->path), 1);
}

/* ---- to look at ---- */

static void test_look_beside_a_writer(void **state) {
  struct kit *k = *state;
  struct store *look;
  struct kit_seen seen = {0};
  uint64_t n;
  kit_open(k);
  kit_fill(k, "room:a", 1, 5);
  assert_int_equal(kit_look(k, &look), ERR_OK);
  kit_fill(k, "room:a", 6, 9); /* nobody waits, and what is looked at stays as it was */
  assert_int_equal(store_verify_stream(look, "room:a", NULL, 0, k->why), ERR_OK);
  assert_int_equal(store_replay(look, "room:a", 0, kit_count, &seen), ERR_OK);
  assert_int_equal(seen.n, 5);
  struct store_record r = {"room:a", 6, 1, "m:1", "chat", "", "{}", NULL, NULL};
  assert_int_equal(store_append(look, &r), ERR_NOT_ALLOWED);
  assert_int_equal(store_commit(look), ERR_NOT_ALLOWED);
  assert_int_equal(store_put_doc(look, "a", "b", "", "c"), ERR_NOT_ALLOWED);
  store_rollback(look);
  assert_int_equal(store_erase_subject(look, "p-1"), ERR_NOT_ALLOWED);
  assert_int_equal(store_prune(look, "room:a", INT64_MAX, &n), ERR_NOT_ALLOWED);
  seen = (struct kit_seen){0};
  assert_int_equal(store_replay(look, "room:a", 0, kit_count, &seen), ERR_OK);
  assert_int_equal(seen.n, 5);
  store_close(look);
  assert_int_equal(kit_look(k, &look), ERR_OK);
  seen = (struct kit_seen){0};
  assert_int_equal(store_replay(look, "room:a", 0, kit_count, &seen), ERR_OK);
  assert_int_equal(seen.n, 9);
  store_close(look);
}

static void test_look_at_what_cannot_be(void **state) {
  struct kit *k = *state;
  struct store *look;
  assert_int_equal(kit_look(k, &look), ERR_IO);
  assert_int_not_equal(access(k->path, F_OK), 0); /* looking makes none */
  kit_open(k);
  kit_fill(k, "room:a", 1, 5);
  store_close(k->s);
  k->s = NULL;
  assert_int_equal(kit_look(k, &look), ERR_OK); /* no gaveld has it */
  assert_int_equal(store_verify(look, k->why), ERR_OK);
  store_close(look);
  static const uint8_t other[32] = {1};
  assert_int_equal(store_open_copy(k->path, other, &look, k->why), ERR_BAD_CONFIG);
  assert_non_null(strstr(k->why, "the key does not fit"));
}

static enum err join_table(void *ctx, const char *table, const char *columns) {
  char *out = ctx;
  size_t n = strlen(out);
  snprintf(out + n, 1024 - n, "%s(%s) ", table, columns);
  return ERR_OK;
}

static void test_schema_is_told(void **state) {
  struct kit *k = *state;
  char out[1024] = "";
  kit_open(k);
  assert_int_equal(store_schema(k->s, join_table, out), ERR_OK);
  assert_string_equal(
      out, "base(stream, seq, hash, mac) doc(class, id, pid, sealed) event(stream, seq, ts_ms, actor, "
           "kind, target, data, payload_digest, prev_hash, hash) head(stream, seq, hash, mac) "
           "payload(stream, seq, sealed, pid) secret(name, sealed) subject(pid, sealed) ");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, kit_setup, kit_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_schema_1_goes_on),
      TEST(test_wrong_key_leaves_schema_1),
      TEST(test_schema_1_that_was_changed_is_found_out),
      TEST(test_foreign_schema_1),
      TEST(test_look_beside_a_writer),
      TEST(test_look_at_what_cannot_be),
      TEST(test_schema_is_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
