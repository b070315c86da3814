/* store_sqlite_open.c: open and close: schema, settings, keys, and what SQLite's result codes mean. */
#include "core/base/log.h"
#include "core/store/files.h"
#include "core/store/store_sqlite.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define APPLICATION_ID 1734440556 /* "gavl" */
#define STRING(x) STRING_OF(x)
#define STRING_OF(x) #x
#define QUICK_CHECK_MAX (8 << 20)        /* bytes */
#define ROW_MAX (STORE_VALUE_MAX + 4096) /* bytes: one long field and the short ones beside it */

static const char SETTINGS[] =
    "PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA foreign_keys = ON;"
    "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;"
    "PRAGMA mmap_size = 0; PRAGMA wal_autocheckpoint = 0";

/* What leads from each schema to the next, 0 being an empty file. head.mac and base.mac = HMAC(stream, seq,
 * hash); secret, payload, subject and doc hold sealed values only (seal.h). */
static const char *const STEPS[STORE_SCHEMA] = {
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
    "PRAGMA application_id = " STRING(APPLICATION_ID) "; PRAGMA user_version = 1",

    "ALTER TABLE payload ADD COLUMN pid TEXT NOT NULL DEFAULT '';"
    "CREATE INDEX payload_pid ON payload(pid) WHERE pid <> '';"
    "CREATE TABLE subject(pid TEXT PRIMARY KEY, sealed BLOB NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE doc(class TEXT NOT NULL, id TEXT NOT NULL, pid TEXT NOT NULL, sealed BLOB NOT NULL,"
    " PRIMARY KEY(class, id)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX doc_pid ON doc(pid) WHERE pid <> '';"
    "CREATE TABLE base(stream TEXT PRIMARY KEY, seq INTEGER NOT NULL, hash BLOB NOT NULL,"
    " mac BLOB NOT NULL) STRICT, WITHOUT ROWID;"
    /* what a signed base stands for may go, nothing else */
    "DROP TRIGGER event_no_delete;"
    "CREATE TRIGGER event_no_delete BEFORE DELETE ON event"
    " WHEN NOT EXISTS(SELECT 1 FROM base WHERE stream = OLD.stream AND seq >= OLD.seq)"
    " BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;"
    "PRAGMA user_version = 2",
};

static const char *const SQL[STORE_Q__COUNT] = {
#define X(name, sql) [STORE_Q_##name] = sql,
    STORE_SQL(X)
#undef X
};

enum err store_fault(sqlite3 *db, int rc) {
  int sys;
  assert(rc != SQLITE_OK && rc != SQLITE_MISUSE);
  if (rc == SQLITE_IOERR_FSYNC || rc == SQLITE_IOERR_DIR_FSYNC) {
    /* The kernel may have dropped the dirty pages and a second fsync would then succeed ("fsyncgate"): only
     * reading the files again, in a new process, tells what is on disk. */
    log_event(LOG_ERROR, "the disk could not sync, stopping so that nothing false is confirmed", "why",
              sqlite3_errmsg(db), NULL);
    abort();
  }
  switch (rc & 0xff) {
  case SQLITE_FULL:
    return ERR_DISK_FULL;
  case SQLITE_NOMEM:
    return ERR_NOMEM;
  case SQLITE_TOOBIG:
    return ERR_FULL;
  case SQLITE_CORRUPT:
  case SQLITE_NOTADB:
  case SQLITE_CONSTRAINT: /* rows the signed head does not know */
  case SQLITE_ERROR:      /* our statements are fixed: the schema is not ours */
  case SQLITE_SCHEMA:
    return ERR_DB_CORRUPT;
  case SQLITE_IOERR:
  case SQLITE_CANTOPEN:
    /* SQLite knows ENOSPC (SQLITE_FULL), but neither a quota nor a file size limit, and when a COMMIT fails
     * it does not keep the errno: then the thread's own still has it. */
    sys = sqlite3_system_errno(db);
    return rc == SQLITE_IOERR_NOMEM ? ERR_NOMEM : files_fault(sys ? sys : errno);
  default:
    return ERR_IO;
  }
}

enum err store_db_why(sqlite3 *db, const char *path, int rc, char why[256]) {
  snprintf(why, 256, "%.150s: %.90s", path, sqlite3_errmsg(db));
  return store_fault(db, rc);
}

/* ---- the connection ---- */

static void harden(sqlite3 *db) {
  sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
  sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
  sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
  sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
  sqlite3_limit(db, SQLITE_LIMIT_LENGTH, ROW_MAX);
  sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
  sqlite3_busy_timeout(db, STORE_BUSY_MS);
}

enum err store_db_open(const char *path, int flags, sqlite3 **db, char why[256]) {
  int rc = sqlite3_open_v2(path, db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
  if (rc == SQLITE_OK) {
    harden(*db);
    rc = sqlite3_exec(*db, SETTINGS, NULL, NULL, NULL);
  }
  if (rc == SQLITE_OK)
    return ERR_OK;
  enum err e = *db ? store_db_why(*db, path, rc, why) : ERR_NOMEM;
  sqlite3_close(*db);
  *db = NULL;
  return e;
}

/* One value of one row; text goes to out[32]. */
static int ask(sqlite3 *db, const char *sql, int64_t *value, char out[32]) {
  sqlite3_stmt *q;
  int rc = sqlite3_prepare_v2(db, sql, -1, &q, NULL);
  if (rc != SQLITE_OK)
    return rc;
  rc = sqlite3_step(q);
  if (rc == SQLITE_ROW) {
    const char *text = (const char *)sqlite3_column_text(q, 0);
    *value = sqlite3_column_int64(q, 0);
    snprintf(out, 32, "%s", text ? text : "");
  }
  int done = sqlite3_finalize(q);
  return rc == SQLITE_ROW ? SQLITE_OK : done;
}

/* Is it whole? Only asked of a small file: opening stays fast, and store_verify walks a large one. */
static enum err check_pages(sqlite3 *db, const char *path, char why[256]) {
  int64_t size = 0, unused;
  char text[32] = "";
  int rc = ask(db, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size", &size, text);
  if (rc == SQLITE_OK && size > QUICK_CHECK_MAX)
    return ERR_OK;
  if (rc == SQLITE_OK)
    rc = ask(db, "PRAGMA quick_check(1)", &unused, text);
  if (rc == SQLITE_OK && strcmp(text, "ok") == 0)
    return ERR_OK;
  snprintf(why, 256, "%.150s is damaged: restore a backup", path);
  return rc == SQLITE_OK ? ERR_DB_CORRUPT : store_fault(db, rc);
}

/* Is it ours, and of a schema we know? 0: it is empty. Reads only, so a foreign file stays as it was. */
static enum err inspect(sqlite3 *db, const char *path, int64_t *schema, char why[256]) {
  int64_t id = 0, version = 0, tables = 0;
  char text[32];
  int rc = ask(db, "PRAGMA application_id", &id, text);
  if (rc == SQLITE_OK)
    rc = ask(db, "PRAGMA user_version", &version, text);
  if (rc == SQLITE_OK)
    rc = ask(db, "SELECT count(*) FROM sqlite_schema", &tables, text);
  if (rc != SQLITE_OK)
    return store_db_why(db, path, rc, why);
  *schema = version;
  if (id == 0 && version == 0 && tables == 0)
    return ERR_OK;
  if (id != APPLICATION_ID || version < 1) {
    snprintf(why, 256, "%.150s is not a database of gavel", path);
    return ERR_DB_CORRUPT;
  }
  if (version > STORE_SCHEMA) {
    snprintf(why, 256, "%.150s was written by a newer gavel (schema %" PRId64 ", this one knows %d)", path,
             version, STORE_SCHEMA);
    return ERR_DB_NEWER;
  }
  return check_pages(db, path, why);
}

/* ---- the store ---- */

static int note_frames(void *ctx, sqlite3 *db, const char *name, int frames) {
  (void)db;
  (void)name;
  ((struct store *)ctx)->wal_frames = frames;
  return SQLITE_OK;
}

static enum err use_wal(struct store *s, char why[256]) {
  int64_t unused;
  char mode[32] = "";
  int rc = ask(s->db, "PRAGMA journal_mode = WAL", &unused, mode);
  if (rc != SQLITE_OK)
    return store_db_why(s->db, s->path, rc, why);
  sqlite3_wal_hook(s->db, note_frames, s);
  if (strcmp(mode, "wal") == 0)
    return ERR_OK;
  snprintf(why, 256, "%.150s: the file system cannot hold a write-ahead log", s->path);
  return ERR_IO;
}

static enum err prepare(struct store *s, const char *path, char why[256]) {
  for (int i = 0; i < STORE_Q__COUNT; i++) {
    int rc = sqlite3_prepare_v3(s->db, SQL[i], -1, SQLITE_PREPARE_PERSISTENT, &s->q[i], NULL);
    if (rc != SQLITE_OK)
      return store_db_why(s->db, path, rc, why);
  }
  return ERR_OK;
}

static enum err check_key(struct store *s, const char *path, char why[256]) {
  uint8_t none[1];
  size_t n = 0;
  enum err e = store_get_secret(s, STORE_KEY_CHECK, none, &n);
  if (e == ERR_OK)
    return ERR_OK;
  snprintf(why, 256, "the key does not fit this database: %.150s", path);
  return e == ERR_DB_CORRUPT ? ERR_BAD_CONFIG : e == ERR_NO_ROOM ? ERR_DB_CORRUPT : e;
}

/* The schema made or brought up to ours, and the key checked, in one transaction: a power cut or a wrong key
 * leaves the file as it was. */
static enum err use_schema(struct store *s, const char *path, int64_t schema, char why[256]) {
  int rc = sqlite3_exec(s->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
  for (int64_t i = schema; rc == SQLITE_OK && i < STORE_SCHEMA; i++)
    rc = sqlite3_exec(s->db, STEPS[i], NULL, NULL, NULL);
  if (rc != SQLITE_OK)
    return store_db_why(s->db, path, rc, why);
  enum err e = prepare(s, path, why);
  if (e == ERR_OK)
    e = schema == 0 ? store_put_secret(s, STORE_KEY_CHECK, "", 0) : check_key(s, path, why);
  if (e == ERR_OK)
    e = store_commit(s);
  if (e != ERR_OK && !why[0])
    snprintf(why, 256, "%.150s: %s", path, err_text(e));
  return e;
}

static void use_key(struct store *s, const uint8_t master[SEAL_KEY]) {
  chain_key(master, "gavel seal 1", s->seal_key);
  chain_key(master, "gavel head 1", s->head_key);
  chain_key(master, "gavel base 1", s->base_key);
  chain_key(master, "gavel manifest 1", s->mac_key);
}

static enum err take_key(struct store *s, const uint8_t *given, bool fresh, char why[256]) {
  uint8_t master[SEAL_KEY];
  enum err e = ERR_OK;
  if (given)
    memcpy(master, given, sizeof master);
  else if (s->path)
    e = files_key(s->path, fresh, s->rng, master, why);
  else
    s->rng->fill(s->rng, master, sizeof master);
  if (e == ERR_OK)
    use_key(s, master);
  OPENSSL_cleanse(master, sizeof master);
  return e;
}

static enum err open_file(struct store *s, const char *path, char why[256]) {
  if (strlen(path) > FILES_PATH_MAX) {
    snprintf(why, 256, "the path of the database is too long");
    return ERR_BAD_CONFIG;
  }
  enum err e = files_create(path, false, why);
  if (e != ERR_OK)
    return e;
  s->path = realpath(path, NULL); /* one name for the lock however it is called; never a "file:" URI */
  if (!s->path) {
    snprintf(why, 256, "cannot find %.200s", path);
    return ERR_IO;
  }
  char journal[FILES_PATH_MAX + 8];
  snprintf(journal, sizeof journal, "%s.erased", s->path);
  s->journals[0] = strdup(journal);
  if (!s->journals[0])
    return ERR_NOMEM;
  e = files_lock(s->path, &s->lock, why);
  return e == ERR_OK ? store_db_open(s->path, SQLITE_OPEN_READWRITE, &s->db, why) : e;
}

enum err store_open(const char *path, const uint8_t *key, struct rng *rng, struct store **out,
                    char why[256]) {
  bool memory = strcmp(path, ":memory:") == 0;
  int64_t schema = 0;
  *out = NULL;
  why[0] = 0;
  errno = 0; /* store_fault looks at it */
  struct store *s = calloc(1, sizeof *s);
  if (!s)
    return ERR_NOMEM;
  s->rng = rng;
  s->lock = -1;
  enum err e = memory ? store_db_open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY, &s->db, why)
                      : open_file(s, path, why);
  if (e == ERR_OK)
    e = inspect(s->db, path, &schema, why);
  if (e == ERR_OK)
    e = take_key(s, key, schema == 0, why);
  if (e == ERR_OK && !memory)
    e = use_wal(s, why);
  if (e == ERR_OK)
    e = use_schema(s, path, schema, why);
  if (e == ERR_OK && !memory)
    e = store_replay_erased(s, why);
  if (e == ERR_OK)
    *out = s;
  else
    store_close(s);
  return e;
}

/* ---- to look at ---- */

/* One read transaction for the store's whole life: all that is asked fits together, whatever a gaveld writes.
 */
static enum err take_snapshot(struct store *s, const char *path, char why[256]) {
  int rc = sqlite3_exec(s->db, "BEGIN", NULL, NULL, NULL);
  enum err e = rc == SQLITE_OK ? prepare(s, path, why) : store_db_why(s->db, path, rc, why);
  return e == ERR_OK ? check_key(s, path, why) : e;
}

static enum err open_look(struct store *s, const char *path, char why[256]) {
  int64_t schema = 0;
  enum err e = access(path, F_OK) == 0 ? ERR_OK : files_why("open", path, why);
  if (e == ERR_OK)
    e = store_db_open(path, SQLITE_OPEN_READONLY, &s->db, why);
  if (e == ERR_OK)
    e = inspect(s->db, path, &schema, why);
  if (e == ERR_OK && schema != STORE_SCHEMA) {
    snprintf(why, 256, "%.150s is of schema %" PRId64 ": a gaveld that opens it brings it to %d", path,
             schema, STORE_SCHEMA);
    e = ERR_BAD_CONFIG;
  }
  return e == ERR_OK ? take_snapshot(s, path, why) : e;
}

enum err store_open_copy(const char *path, const uint8_t key[SEAL_KEY], struct store **out, char why[256]) {
  *out = NULL;
  why[0] = 0;
  errno = 0; /* store_fault looks at it */
  struct store *s = calloc(1, sizeof *s);
  if (!s)
    return ERR_NOMEM;
  s->lock = -1;
  s->read_only = true;
  use_key(s, key);
  enum err e = open_look(s, path, why);
  if (e == ERR_OK)
    *out = s;
  else
    store_close(s);
  return e;
}

void store_close(struct store *s) {
  if (!s)
    return;
  for (int i = 0; i < STORE_Q__COUNT; i++)
    sqlite3_finalize(s->q[i]);
  int rc = sqlite3_close(s->db);
  assert(rc == SQLITE_OK);
  if (s->lock >= 0)
    close(s->lock);
  free(s->path);
  free(s->journals[0]);
  free(s->journals[1]);
  OPENSSL_cleanse(s, sizeof *s);
  free(s);
}
