/* store.h: the log. Append-only, hash-chained events; personal content sealed apart; group commit; backups.
 *
 * Invariant: nothing is durable before store_commit returned ERR_OK, everything appended before it is durable
 * after. Events of a stream have gapless seq. Only store_sqlite*.c know SQLite (WAL, synchronous=FULL). An
 * fsync error aborts the process: going on would lie. Callbacks must not call the store. Thread: one (the
 * control thread); store_backup may run on another while the store is open. */
#ifndef GAVEL_STORE_STORE_H
#define GAVEL_STORE_STORE_H

#include "core/base/err.h"
#include "core/base/rng.h"

#include <stddef.h>
#include <stdint.h>

#define STORE_SCHEMA 1       /* PRAGMA user_version */
#define STORE_STREAM_MAX 128 /* bytes of a stream's name with its NUL; one field holds at most 1 MiB */

struct store;
struct store_record {
  const char *stream; /* "room:<name>" */
  uint64_t seq;
  int64_t ts_ms;
  const char *actor; /* "m:3", "system", pseudonym */
  const char *kind;
  const char *target;  /* "" or "m:5" */
  const char *data;    /* compact JSON without personal content */
  const char *payload; /* JSON with personal content, or NULL; sealed AES-256-GCM at rest */
};
/* store_open: path of the database (":memory:" for tests), created 0600; one process at a time holds it.
 * `key` is the 32-byte master key for payloads, secrets and signed heads; NULL: a key file `<path>.key`
 * (0600) is made or read (in memory: a random key). ERR_BAD_CONFIG: the key file is loose, missing or does
 * not fit; ERR_DB_NEWER, ERR_DB_CORRUPT (also: not ours), ERR_IO (also: in use), ERR_DISK_FULL. `why` gets
 * one sentence that names the file. `rng` is borrowed until store_close. */
MUST_CHECK enum err store_open(const char *path, const uint8_t *key, struct rng *rng, struct store **out,
                               char why[256]);
/* store_append: into the open group. seq must follow the stream's last (first is 1). On an error
 * (ERR_DISK_FULL, ERR_FULL: a field is too long, ERR_IO, ...) the whole group is lost: every later append and
 * the next store_commit return the same error; that commit, or store_rollback, clears it. */
MUST_CHECK enum err store_append(struct store *s, const struct store_record *r);
/* store_commit: COMMIT and fsync the group; no-op when empty. On an error the group is rolled back whole and
 * the store stays usable. */
MUST_CHECK enum err store_commit(struct store *s);
/* store_pending: appended records not yet committed. */
size_t store_pending(const struct store *s);
/* store_rollback: forget the open group. */
void store_rollback(struct store *s);
/* store_replay: the records of a stream with seq > after, in order; the callback's strings are borrowed;
 * payload is NULL when erased. Stops and returns its error when `each` does. ERR_DB_CORRUPT (and a line in
 * the log) at a gap, a payload that does not open, or a cut tail. */
MUST_CHECK enum err store_replay(struct store *s, const char *stream, uint64_t after,
                                 enum err (*each)(void *ctx, const struct store_record *r), void *ctx);
/* store_streams: names of all streams that start with `prefix`, in order. */
MUST_CHECK enum err store_streams(struct store *s, const char *prefix,
                                  enum err (*each)(void *ctx, const char *stream), void *ctx);
/* store_put_secret, store_get_secret: small sealed values by name (server certificate key, ...). put is part
 * of the group and fails like store_append. get: n = room in out, then length; ERR_NO_ROOM when absent,
 * ERR_FULL when `out` is too small. Names that begin with "store." are the store's own. */
MUST_CHECK enum err store_put_secret(struct store *s, const char *name, const void *v, size_t n);
MUST_CHECK enum err store_get_secret(struct store *s, const char *name, void *out, size_t *n);
/* store_verify: walk the chain of all streams. ERR_OK or ERR_DB_CORRUPT with a sentence naming stream and
 * seq. */
MUST_CHECK enum err store_verify(struct store *s, char why[256]);
/* store_erase_payloads: delete the personal content of a stream (room deleted); the chain still verifies.
 * Commits the open group with it. ERR_AGAIN: deleted, but a backup that is running kept the old pages on
 * disk; once it has ended, call again. Backups made before keep the content. */
MUST_CHECK enum err store_erase_payloads(struct store *s, const char *stream);
/* store_backup: a consistent copy (sqlite3_backup_step(-1)) of what is committed to a new file, fsynced,
 * 0600. It opens with the same master key, which is not in it. */
MUST_CHECK enum err store_backup(struct store *s, const char *path, char why[256]);
/* store_close: an open group is forgotten. NULL is fine. */
void store_close(struct store *s);

#endif
