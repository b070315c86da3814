/* store.h: the log. Append-only, hash-chained events; personal content sealed apart; group commit; backups.
 *
 * Invariant: nothing is durable before store_commit returned ERR_OK, everything appended before it is durable
 * after. Events of a stream have gapless seq. Only store_*.c know SQLite (WAL, synchronous=FULL). An
 * fsync error aborts the process: going on would lie. Callbacks must not call the store. Thread: one (the
 * control thread); store_backup may run on another while the store is open. */
#ifndef GAVEL_STORE_STORE_H
#define GAVEL_STORE_STORE_H

#include "core/base/err.h"
#include "core/base/rng.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STORE_SCHEMA 2       /* PRAGMA user_version */
#define STORE_PID_MAX 18     /* bytes of a subject's pseudonym */
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
  const char *subject; /* pid of whom the payload tells of: sealed under his own key; NULL or "": nobody's */
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
/* store_pending: appended records, and documents put or deleted, not yet committed. */
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
/* store_sweepable: the same, of those streams that still have a payload or more than their last event. */
MUST_CHECK enum err store_sweepable(struct store *s, const char *prefix,
                                    enum err (*each)(void *ctx, const char *stream), void *ctx);
/* store_put_secret, store_get_secret: small sealed values by name (server certificate key, ...). put is part
 * of the group and fails like store_append. get: n = room in out, then length; ERR_NO_ROOM when absent,
 * ERR_FULL when `out` is too small. Names that begin with "store." are the store's own. */
MUST_CHECK enum err store_put_secret(struct store *s, const char *name, const void *v, size_t n);
MUST_CHECK enum err store_get_secret(struct store *s, const char *name, void *out, size_t *n);
/* store_verify: walk the chain of all streams. ERR_OK or ERR_DB_CORRUPT with a sentence naming stream and
 * seq. */
MUST_CHECK enum err store_verify(struct store *s, char why[256]);
/* store_backup: a consistent copy (sqlite3_backup_step(-1)) of what is committed to a new file, fsynced,
 * 0600. It opens with the same master key, which is not in it. See also backup.h. */
MUST_CHECK enum err store_backup(struct store *s, const char *path, char why[256]);

/* ---- documents: small sealed values that change, by class and id, each of one person (pid) or nobody's ("")
 * ---- */

/* store_put_doc, store_del_doc: part of the group, fail like store_append. At most 1 MiB; class and id are
 * not personal: they stay readable. Deleting what is not there is no error. */
MUST_CHECK enum err store_put_doc(struct store *s, const char *class, const char *id, const char *pid,
                                  const char *text);
MUST_CHECK enum err store_del_doc(struct store *s, const char *class, const char *id);
/* store_each_doc: all of a class in order of id; pid NULL: whoever's. `text` is borrowed and wiped
 * afterwards. */
MUST_CHECK enum err
store_each_doc(struct store *s, const char *class, const char *pid,
               enum err (*each)(void *ctx, const char *id, const char *pid, const char *text), void *ctx);

/* ---- subjects: each person's content is sealed under a key of his own, wrapped by the master key ---- */

/* store_erase_subject: his key, payloads and documents are gone from the database and its write-ahead log;
 * the chains still verify; his pid is written to the erasure journal (`<path>.erased`, fsynced first), which
 * store_open replays when an older copy of the database was put back. Commits the open group first: when that
 * fails it is lost as by store_append, and so is nobody erased. On another error the open group is on disk,
 * and he is erased when the store is opened again. The write-ahead log: see store_fold. */
MUST_CHECK enum err store_erase_subject(struct store *s, const char *pid);
/* store_keep_erased: from now on who is erased is also written to `path` (beside the backups), so that it
 * outlives the database's disk; who stands there already is erased now. */
MUST_CHECK enum err store_keep_erased(struct store *s, const char *path, char why[256]);
/* store_has_subject: is anything sealed under a key of this person? (Then he has one.) */
MUST_CHECK enum err store_has_subject(struct store *s, const char *pid, bool *has);
/* store_drop_keys: of the next `most` keys after `pid` in order ("" begins) those under which nothing is
 * sealed any more go, *n how many; `pid` (STORE_PID_MAX + 1 bytes) becomes the last one looked at, "" after
 * the very last. Part of the group. */
MUST_CHECK enum err store_drop_keys(struct store *s, char *pid, unsigned most, uint64_t *n);
/* store_each_subject_record: every event of any stream whose payload is his, by stream and seq. */
MUST_CHECK enum err store_each_subject_record(struct store *s, const char *pid,
                                              enum err (*each)(void *ctx, const struct store_record *r),
                                              void *ctx);
/* store_erase_before: payloads of the given kinds (comma-separated, "*" all) of a stream, older than ts_ms,
 * are deleted; *n how many. Part of the group. Payloads of subjects in `held` (NULL-ended, may be NULL) stay.
 */
MUST_CHECK enum err store_erase_before(struct store *s, const char *stream, const char *kinds, int64_t ts_ms,
                                       const char *const *held, uint64_t *n);
/* store_erase_payload: the personal content of one event is deleted. store_erase_by: that of all events of
 * these kinds that `actor` ("m:3") did. As store_erase_before. */
MUST_CHECK enum err store_erase_payload(struct store *s, const char *stream, uint64_t seq,
                                        const char *const *held);
MUST_CHECK enum err store_erase_by(struct store *s, const char *stream, const char *actor, const char *kinds,
                                   const char *const *held);
/* store_prune: events of a stream older than ts_ms go, from its beginning; a signed base takes their place,
 * so that the rest verifies from there. *n how many. The last event always stays. Commits the open group with
 * it; on an error that is lost as by store_append. A stream that does not verify is not pruned: ERR_AUDIT_*,
 * and the open group stays open. */
MUST_CHECK enum err store_prune(struct store *s, const char *stream, int64_t ts_ms, uint64_t *n);
/* store_fold: what was deleted leaves the write-ahead log too. store_erase_subject does it
 * itself when no reader (a backup, gavelctl) holds the old pages; else, and after the others,
 * store_fold_due says that the owner is to call it, once a second or so (so that a sweep in many parts costs
 * few), and some later commit does. Never waits; nothing to do while a group is open. store_fold_soon: also
 * because of what was just deleted.
 */
void store_fold(struct store *s);
bool store_fold_due(const struct store *s);
void store_fold_soon(struct store *s);

/* store_head: seq and hash of a stream's last event, 0 and zeros when it has none. */
MUST_CHECK enum err store_head(struct store *s, const char *stream, uint64_t *seq, uint8_t hash[32]);
/* store_open_copy: a backup, or a database to look at as it is now, also beside the gaveld that has it open:
 * what writes answers ERR_NOT_ALLOWED. Errors as store_open; ERR_BAD_CONFIG also: of an older schema. */
MUST_CHECK enum err store_open_copy(const char *path, const uint8_t key[32], struct store **out,
                                    char why[256]);

/* What store_verify_stream found first. */
struct store_anchor { /* known from outside */
  uint64_t seq;
  uint8_t hash[32];
};
/* store_verify_stream: ERR_OK, or ERR_AUDIT_EDITED, _DELETED, _SWAPPED, _INSERTED, _TRUNCATED, _RECHAINED
 * (the chain is whole, but its end is not the one that was signed, or an anchor is not in it), or
 * ERR_DB_CORRUPT; `why` names stream and seq. Anchors (n of them) are checkpoints known from outside, in
 * order of seq; those before the signed base cannot be checked and are skipped. */
MUST_CHECK enum err store_verify_stream(struct store *s, const char *stream,
                                        const struct store_anchor *anchors, size_t n, char why[256]);
/* store_schema: name and columns of each table, for `gavelctl privacy records`. */
MUST_CHECK enum err
store_schema(struct store *s, enum err (*each)(void *ctx, const char *table, const char *columns), void *ctx);
/* store_close: an open group is forgotten. NULL is fine. */
void store_close(struct store *s);

#endif
