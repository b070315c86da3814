/* store_sqlite.h: what the store_*.c files share. Private to core/store; nobody else knows SQLite.
 *
 * Invariant: `failed` is ERR_OK or the reason why the open group cannot be committed any more; then no
 * transaction is open. Thread: see store.h. */
#ifndef GAVEL_STORE_SQLITE_H
#define GAVEL_STORE_SQLITE_H

#include "core/store/chain.h"
#include "core/store/seal.h"

#include <sqlite3.h>
#include <stdbool.h>

#define STORE_KEY_CHECK "store.key" /* the secret that tells whether the master key fits */

/* X(NAME, sql): the statements kept prepared. */
#define STORE_SQL(X)                                                                                         \
  X(BEGIN, "BEGIN IMMEDIATE")                                                                                \
  X(COMMIT, "COMMIT")                                                                                        \
  X(ROLLBACK, "ROLLBACK")                                                                                    \
  X(HEAD, "SELECT seq, hash, mac FROM head WHERE stream = ?1")                                               \
  X(PUT_HEAD, "INSERT OR REPLACE INTO head(stream, seq, hash, mac) VALUES(?1, ?2, ?3, ?4)")                  \
  X(PUT_EVENT, "INSERT INTO event(stream, seq, ts_ms, actor, kind, target, data, payload_digest,"            \
               " prev_hash, hash) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")                          \
  X(PUT_PAYLOAD, "INSERT INTO payload(stream, seq, sealed, pid) VALUES(?1, ?2, ?3, ?4)")                     \
  X(WALK, "SELECT seq, ts_ms, actor, kind, target, data, payload_digest, prev_hash, hash, sealed, pid"       \
          " FROM event LEFT JOIN payload USING(stream, seq)"                                                 \
          " WHERE stream = ?1 AND seq > ?2 ORDER BY seq")                                                    \
  X(SUBJECT_ROWS, "SELECT e.seq, ts_ms, actor, kind, target, data, payload_digest, prev_hash, hash, sealed," \
                  " pid, stream FROM payload JOIN event e USING(stream, seq)"                                \
                  " WHERE pid = ?1 AND pid <> '' ORDER BY stream, seq")                                      \
  X(BASE, "SELECT seq, hash, mac FROM base WHERE stream = ?1")                                               \
  X(PUT_BASE, "INSERT OR REPLACE INTO base(stream, seq, hash, mac) VALUES(?1, ?2, ?3, ?4)")                  \
  X(STREAMS, "SELECT stream FROM head WHERE stream BETWEEN ?1 AND ?1 || char(1114111) ORDER BY stream")      \
  X(SWEEPABLE, "SELECT stream FROM head h LEFT JOIN base b USING(stream)"                                    \
               " WHERE stream BETWEEN ?1 AND ?1 || char(1114111) AND (h.seq > coalesce(b.seq, 0) + 1"        \
               " OR EXISTS(SELECT 1 FROM payload p WHERE p.stream = h.stream)) ORDER BY stream")             \
  X(ALL_STREAMS, "SELECT stream FROM head UNION SELECT stream FROM event UNION SELECT stream FROM base")     \
  X(PUT_SECRET, "INSERT OR REPLACE INTO secret(name, sealed) VALUES(?1, ?2)")                                \
  X(GET_SECRET, "SELECT sealed FROM secret WHERE name = ?1")                                                 \
  X(ERASE_BEFORE,                                                                                            \
    "DELETE FROM payload WHERE stream = ?1"                                                                  \
    " AND EXISTS(SELECT 1 FROM event e WHERE e.stream = payload.stream AND e.seq = payload.seq"              \
    " AND e.ts_ms < ?2 AND (?3 = '*' OR instr(',' || ?3 || ',', ',' || e.kind || ',')))"                     \
    " AND (pid = '' OR NOT instr(?4, ',' || pid || ','))")                                                   \
  X(ERASE_PAYLOAD, "DELETE FROM payload WHERE stream = ?1 AND seq = ?2"                                      \
                   " AND (pid = '' OR NOT instr(?3, ',' || pid || ','))")                                    \
  X(ERASE_BY, "DELETE FROM payload WHERE stream = ?1 AND EXISTS(SELECT 1 FROM event e"                       \
              " WHERE e.stream = ?1 AND e.seq = payload.seq AND e.actor = ?2"                                \
              " AND instr(',' || ?3 || ',', ',' || e.kind || ','))"                                          \
              " AND (pid = '' OR NOT instr(?4, ',' || pid || ','))")                                         \
  X(SOME_KEYS, "SELECT pid, NOT EXISTS(SELECT 1 FROM payload p WHERE p.pid = s.pid AND p.pid <> '')"         \
               " AND NOT EXISTS(SELECT 1 FROM doc d WHERE d.pid = s.pid AND d.pid <> '')"                    \
               " FROM subject s WHERE pid > ?1 ORDER BY pid LIMIT ?2")                                       \
  X(ERASE_SUBJECT_PAYLOADS, "DELETE FROM payload WHERE pid = ?1 AND pid <> ''")                              \
  X(ERASE_SUBJECT_DOCS, "DELETE FROM doc WHERE pid = ?1 AND pid <> ''")                                      \
  X(ERASE_SUBJECT, "DELETE FROM subject WHERE pid = ?1")                                                     \
  X(LAST_SEQ, "SELECT max(seq) FROM event WHERE stream = ?1")                                                \
  X(PRUNE_LAST, "SELECT seq, hash FROM event WHERE stream = ?1 AND seq < coalesce("                          \
                "(SELECT min(seq) FROM event WHERE stream = ?1 AND ts_ms >= ?2),"                            \
                " (SELECT max(seq) FROM event WHERE stream = ?1)) ORDER BY seq DESC LIMIT 1")                \
  X(PRUNE_PAYLOADS, "DELETE FROM payload WHERE stream = ?1 AND seq <= ?2")                                   \
  X(PRUNE_EVENTS, "DELETE FROM event WHERE stream = ?1 AND seq <= ?2")                                       \
  X(GET_SUBJECT, "SELECT sealed FROM subject WHERE pid = ?1")                                                \
  X(PUT_SUBJECT, "INSERT INTO subject(pid, sealed) VALUES(?1, ?2)")                                          \
  X(PUT_DOC, "INSERT OR REPLACE INTO doc(class, id, pid, sealed) VALUES(?1, ?2, ?3, ?4)")                    \
  X(DEL_DOC, "DELETE FROM doc WHERE class = ?1 AND id = ?2")                                                 \
  X(EACH_DOC_OF, "SELECT id, pid, sealed FROM doc WHERE pid = ?2 AND pid <> '' AND class = ?1 ORDER BY id")  \
  X(EACH_DOC, "SELECT id, pid, sealed FROM doc WHERE class = ?1 AND (?2 IS NULL OR pid = ?2) ORDER BY id")

enum store_q {
#define X(name, sql) STORE_Q_##name,
  STORE_SQL(X)
#undef X
      STORE_Q__COUNT
};

enum {
  STORE_BUSY_MS = 5000,
  STORE_SALT = 16,
  STORE_LABEL_MAX = 512,
  STORE_SUBJECTS = 128,
  STORE_VALUE_MAX = 1 << 20
};

/* The keys of subjects that were used last; wiped when a group is rolled back, for it may have made one. */
struct store_subject {
  char pid[STORE_PID_MAX + 1]; /* "": free */
  uint8_t key[SEAL_KEY];
};

struct store {
  sqlite3 *db;
  sqlite3_stmt *q[STORE_Q__COUNT];
  struct rng *rng; /* borrowed */
  uint8_t seal_key[SEAL_KEY], head_key[SEAL_KEY], base_key[SEAL_KEY], mac_key[SEAL_KEY];
  char *path;        /* absolute; NULL in memory */
  char *journals[2]; /* the erasure journal, and its copy elsewhere (NULL: none) */
  int lock;          /* -1 in memory */
  bool read_only;
  size_t pending;
  enum err failed;
  int wal_frames; /* as of the last commit */
  bool fold_due;  /* deleted content is still in the write-ahead log */
  int fold_wait;  /* commits until that is tried again: a reader was in the way */
  struct store_subject subjects[STORE_SUBJECTS];
  size_t next_subject; /* the place that is taken next */
};

/* An event as it lies in the database; everything is borrowed until the next row. */
struct store_row {
  struct store_record r;
  const uint8_t *digest; /* NULL: never had a payload */
  const uint8_t *prev, *hash;
};

/* store_fault: what a result code of SQLite means to us. Aborts the process when a sync failed. */
enum err store_fault(sqlite3 *db, int rc);
/* store_step: one step and a reset. store_run: a statement that answers no row. */
int store_step(struct store *s, enum store_q q);
MUST_CHECK enum err store_run(struct store *s, enum store_q q);
/* store_begin: opens the group unless it is open. store_give_up: a write failed: the whole group goes,
 * returns e. */
MUST_CHECK enum err store_begin(struct store *s);
enum err store_give_up(struct store *s, enum err e);
int store_bind_text(sqlite3_stmt *q, int at, const char *text);
int store_bind_blob(sqlite3_stmt *q, int at, const void *p, size_t n); /* NULL: NULL */
/* Borrowed. text: NULL unless it is text without a NUL inside; hash: NULL unless it is CHAIN_HASH bytes. */
const char *store_column_text(sqlite3_stmt *q, int at);
const uint8_t *store_column_hash(sqlite3_stmt *q, int at);
/* store_mark: the signed head or base (q) of a stream, zeros when it has none; ERR_DB_CORRUPT: not signed
 * with our key (h is what it says). store_put_mark: signs and writes it. */
MUST_CHECK enum err store_mark(struct store *s, enum store_q q, const char *stream, struct chain_head *h);
MUST_CHECK enum err store_put_mark(struct store *s, enum store_q q, const char *stream,
                                   const struct chain_head *h);

/* store_subject_key: of pid, the store's own for NULL and ""; borrowed until the next call. With `make` a new
 * subject gets one (part of the group), else ERR_DB_CORRUPT: there is content without its key. */
MUST_CHECK enum err store_subject_key(struct store *s, const char *pid, bool make, const uint8_t **key);
void store_subjects_forget(struct store *s);
/* store_label_payload: what a payload is bound to; pid "": nobody's (as schema 1 had it). */
void store_label_payload(char label[STORE_LABEL_MAX], const char *stream, uint64_t seq, const char *pid);
/* store_unseal: the blob of a column, malloc'd with a NUL behind its *n bytes. */
MUST_CHECK enum err store_unseal(sqlite3_stmt *q, int at, const uint8_t *key, const char *label, char **out,
                                 size_t *n);

/* store_read_row: the row of WALK at hand (stream is given in row->r); ERR_DB_CORRUPT when a column is not
 * what it must be, seq is there even then. store_open_payload: its payload: *out, salt first, n bytes, is to
 * be freed; NULL and ERR_OK when it has none or is erased. */
MUST_CHECK enum err store_read_row(sqlite3_stmt *q, struct store_row *row);
MUST_CHECK enum err store_open_payload(struct store *s, sqlite3_stmt *q, struct store_row *row, char **out,
                                       size_t *n);
/* store_replay_erased: everyone in the erasure journal is erased (again). */
MUST_CHECK enum err store_replay_erased(struct store *s, char why[256]);
/* store_copy_file: store_backup of a database that others have open. */
MUST_CHECK enum err store_copy_file(const char *database, const char *path, char why[256]);
/* store_settle_file: what its write-ahead log holds comes into a database that nobody has open, as far as it
 * can be read. */
void store_settle_file(const char *path);
/* store_check_whole: every page and every reference (reads all of it). store_count_rows: `"event": 1, ...`,
 * and events. store_mac: of n bytes, under a key of the master key's. */
MUST_CHECK enum err store_check_whole(struct store *s, char why[256]);
MUST_CHECK enum err store_count_rows(struct store *s, char out[512], uint64_t *events);
void store_mac(const struct store *s, const void *p, size_t n, uint8_t mac[32]);
/* store_db_open: a connection with our settings; on an error *db is closed and NULL. */
MUST_CHECK enum err store_db_open(const char *path, int flags, sqlite3 **db, char why[256]);
/* store_db_why: "<path>: <SQLite's reason>" and the fault. */
enum err store_db_why(sqlite3 *db, const char *path, int rc, char why[256]);

#endif
