/* store_sqlite.h: what the store_sqlite*.c files share. Private to core/store; nobody else knows SQLite.
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
  X(PUT_PAYLOAD, "INSERT INTO payload(stream, seq, sealed) VALUES(?1, ?2, ?3)")                              \
  X(WALK, "SELECT seq, ts_ms, actor, kind, target, data, payload_digest, prev_hash, hash, sealed"            \
          " FROM event LEFT JOIN payload USING(stream, seq)"                                                 \
          " WHERE stream = ?1 AND seq > ?2 ORDER BY seq")                                                    \
  X(STREAMS, "SELECT stream FROM head WHERE stream >= ?1 AND substr(stream, 1, length(?1)) = ?1"             \
             " ORDER BY stream")                                                                             \
  X(ORPHAN, "SELECT stream FROM event WHERE stream NOT IN (SELECT stream FROM head) LIMIT 1")                \
  X(PUT_SECRET, "INSERT OR REPLACE INTO secret(name, sealed) VALUES(?1, ?2)")                                \
  X(GET_SECRET, "SELECT sealed FROM secret WHERE name = ?1")                                                 \
  X(ERASE, "DELETE FROM payload WHERE stream = ?1")

enum store_q {
#define X(name, sql) STORE_Q_##name,
  STORE_SQL(X)
#undef X
      STORE_Q__COUNT
};

struct store {
  sqlite3 *db;
  sqlite3_stmt *q[STORE_Q__COUNT];
  struct rng *rng; /* borrowed */
  uint8_t seal_key[SEAL_KEY], head_key[SEAL_KEY];
  char *path; /* absolute; NULL in memory */
  int lock;   /* -1 in memory */
  size_t pending;
  enum err failed;
  int wal_frames; /* as of the last commit */
};

/* An event as it lies in the database; everything is borrowed until the next row. */
struct store_row {
  struct store_record r;
  const uint8_t *digest; /* NULL: never had a payload */
  const uint8_t *prev, *hash;
};

/* store_fault: what a result code of SQLite means to us. Aborts the process when a sync failed. */
enum err store_fault(sqlite3 *db, int rc);
/* store_walk: the rows of a stream with seq > after. Checked here: no gap, every payload opens and fits its
 * digest, and the last event is the one the signed head names. */
MUST_CHECK enum err store_walk(struct store *s, const char *stream, uint64_t after,
                               enum err (*each)(void *ctx, const struct store_row *row), void *ctx,
                               char why[256]);
/* store_db_open: a connection with our settings; on an error *db is closed and NULL. */
MUST_CHECK enum err store_db_open(const char *path, int flags, sqlite3 **db, char why[256]);
/* store_db_why: "<path>: <SQLite's reason>" and the fault. */
enum err store_db_why(sqlite3 *db, const char *path, int rc, char why[256]);

#endif
