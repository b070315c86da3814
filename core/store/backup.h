/* backup.h: verified copies of the database in a folder: how they are called, which are kept, made, checked,
 * put back.
 *
 * Invariant: a file with the name of a backup has been opened and verified, and its manifest (`<name>.json`:
 * size, SHA-256, rows, and a MAC under the master key) was there before it; none is ever written again.
 * Nothing is deleted but after a newer one was verified. Beside them lies `erased`, the copy of the erasure
 * journal. Thread: any, one at a time for a folder (held by a lock). Time is passed in: wall milliseconds. */
#ifndef GAVEL_STORE_BACKUP_H
#define GAVEL_STORE_BACKUP_H

#include "core/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BACKUP_NAME_MAX 32 /* bytes of a name with its NUL */
#define BACKUP_HOURS 24    /* of each of the last 24 hours that have one the newest is kept */
#define BACKUP_DAYS 21     /* and of each of the last 21 days that have one; all UTC */
#define BACKUP_SUSPECTS 2
#define BACKUP_HOUR_MS 3600000

/* ---- pure ---- */

/* backup_name: "db-YYYYMMDDTHH.sqlite" of a UTC hour, or with minutes and seconds ("exact": one that was
 * asked for). backup_time: the wall ms a name tells; false: it is not the name of a backup. */
void backup_name(int64_t wall_ms, bool exact, char out[BACKUP_NAME_MAX]);
bool backup_time(const char *name, int64_t *wall_ms);
/* backup_keep: which of n names, oldest first, stay. What is not a backup stays; so does one from the future
 * (a clock was wrong: it takes nobody's place). How long ago the others were made does not matter: after an
 * outage, or with a clock that jumped, as many stay as ever. */
void backup_keep(const char (*names)[BACKUP_NAME_MAX], size_t n, int64_t now_ms, bool *keep);

/* ---- files ---- */

struct backup_list {
  char (*names)[BACKUP_NAME_MAX]; /* oldest first */
  size_t n;
};
/* backup_list: the backups of a folder, to be freed also after an error. */
MUST_CHECK enum err backup_list(const char *folder, struct backup_list *out, char why[256]);
/* backup_list_free: leaves an empty list. */
void backup_list_free(struct backup_list *l);

/* backup_due: is it time? since_ms: by the monotonic clock since the caller's last one, -1: it made none.
 * BACKUP_CLOCK_BACK: by the names this hour has one, but that is longer ago: the clock went back; it is made
 * with an exact name. */
enum backup_due { BACKUP_NOT_DUE, BACKUP_DUE, BACKUP_CLOCK_BACK };
enum backup_due backup_due(const struct backup_list *l, int64_t now_ms, int64_t since_ms);

/* backup_age: of the newest that is not from the future, in ms; -1: there is none. */
int64_t backup_age(const struct backup_list *l, int64_t now_ms);

struct backup_place {
  const char *database, *folder;
  const uint8_t *key; /* 32 bytes, the database's master key */
};
/* backup_make: a copy, verified, with its manifest; `name` gets its name. ERR_EXISTS when this hour (not
 * exact: this hour; exact: this second) has one, ERR_AGAIN when another is being made. Then what backup_keep
 * does not keep goes. ERR_DB_CORRUPT when a chain of the copy does not verify: it is kept as `<name>.suspect`
 * (no backup; the newest BACKUP_SUSPECTS of them). */
MUST_CHECK enum err backup_make(const struct backup_place *p, int64_t now_ms, bool exact,
                                char name[BACKUP_NAME_MAX], char why[256]);

struct store;
struct backup_facts { /* of a backup that verifies */
  int64_t made_ms;
  uint64_t bytes, events;
};
/* backup_verify: its manifest is signed and tells of these very bytes, every page is whole, every chain
 * verifies. ERR_DB_CORRUPT and what was found; ERR_BAD_CONFIG: the key does not fit. */
MUST_CHECK enum err backup_verify(const char *file, const uint8_t key[32], struct backup_facts *f,
                                  char why[256]);

struct backup_restore {
  const char *file, *to;
  const uint8_t *key; /* 32 bytes */
  bool aside;         /* a database that is there is renamed to `<to>.<time>`, else it is ERR_EXISTS */
  bool write_key;     /* make `<to>.key` when it is missing */
  int64_t now_ms;
  /* Told with the database open, before it is anybody's: an entry of the audit log. May be NULL. */
  enum err (*note)(void *ctx, struct store *s, const struct backup_facts *f);
  void *ctx;
};
/* backup_restore: a verified backup becomes the database `to`, which then is opened once: everyone in the
 * erasure journals (of `to`, and beside the backup) is erased again, and every chain verifies. ERR_IO when
 * `to` is in use; ERR_BAD_CONFIG when `<to>.key` is another key. Nothing
 * is touched before the backup verified. As root, the files belong to who owned `to`, else its folder. */
MUST_CHECK enum err backup_restore(const struct backup_restore *r, struct backup_facts *f, char why[256]);

#endif
