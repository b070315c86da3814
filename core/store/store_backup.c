/* store_backup.c: a copy of the database elsewhere, and what can be asked of one. */
#include "core/store/files.h"
#include "core/store/store_sqlite.h"

#include <errno.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A copy that cannot be synced is no copy, but the log is as it was: unlike store_fault this does not end the
 * process. */
static enum err copy_fault(sqlite3 *to, const char *path, int rc, char why[256]) {
  if (rc != SQLITE_IOERR_FSYNC && rc != SQLITE_IOERR_DIR_FSYNC)
    return store_db_why(to, path, rc, why);
  snprintf(why, 256, "%.200s cannot be synced", path);
  return ERR_IO;
}

/* All pages in one step: one read transaction, so a writer beside us neither tears nor restarts the copy. */
static enum err copy_pages(sqlite3 *from, sqlite3 *to, const char *path, char why[256]) {
  sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");
  if (!b)
    return store_db_why(to, path, sqlite3_errcode(to), why);
  int rc = sqlite3_backup_step(b, -1);
  int end = sqlite3_backup_finish(b);
  if (rc == SQLITE_DONE && end == SQLITE_OK)
    return ERR_OK;
  return copy_fault(to, path, end != SQLITE_OK ? end : rc, why);
}

/* Its folder without links, so that SQLITE_OPEN_NOFOLLOW is about the file alone; to be freed. */
static char *real_name(const char *path) {
  char copy[FILES_PATH_MAX + 64], full[FILES_PATH_MAX + PATH_MAX];
  snprintf(copy, sizeof copy, "%s", path);
  char *folder = realpath(dirname(copy), NULL);
  const char *slash = strrchr(path, '/');
  snprintf(full, sizeof full, "%s/%s", folder ? folder : ".", slash ? slash + 1 : path);
  bool found = folder != NULL;
  free(folder);
  return found ? strdup(full) : NULL;
}

/* Without a write-ahead log: who looks at the copy leaves no files beside it. */
static enum err copy_into(const char *source, const char *made, char why[256]) {
  sqlite3 *from = NULL, *to = NULL;
  char *full = real_name(made);
  enum err e = full ? store_db_open(source, SQLITE_OPEN_READONLY, &from, why) : ERR_IO;
  if (e == ERR_OK)
    e = store_db_open(full, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, &to, why);
  if (e == ERR_OK)
    e = copy_pages(from, to, made, why);
  if (e == ERR_OK) {
    int rc = sqlite3_exec(to, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
    e = rc == SQLITE_OK ? ERR_OK : copy_fault(to, made, rc, why);
  }
  sqlite3_close(from);
  sqlite3_close(to);
  free(full);
  return e;
}

enum err store_copy_file(const char *database, const char *path, char why[256]) {
  char part[FILES_PATH_MAX + 8];
  why[0] = 0;
  if (strlen(path) > FILES_PATH_MAX) {
    snprintf(why, 256, "the path of the backup is too long");
    return ERR_BAD_CONFIG;
  }
  snprintf(part, sizeof part, "%s.part", path);
  if (access(path, F_OK) == 0) {
    snprintf(why, 256, "%.200s exists already", path);
    return ERR_IO;
  }
  unlink(part); /* left by a backup that was cut off */
  enum err e = files_create(part, true, why);
  if (e != ERR_OK)
    return e;
  errno = 0;                          /* store_fault looks at it */
  e = copy_into(database, part, why); /* SQLite syncs the copy when it commits it */
  if (e == ERR_OK && rename(part, path) != 0)
    e = files_why("rename", part, why);
  if (e != ERR_OK) {
    unlink(part);
    return e;
  }
  return files_sync_folder(path, why);
}

enum err store_backup(struct store *s, const char *path, char why[256]) {
  if (s->path)
    return store_copy_file(s->path, path, why);
  snprintf(why, 256, "a database in memory has no backup");
  return ERR_BAD_CONFIG;
}

void store_settle_file(const char *path) {
  char why[256];
  sqlite3 *db = NULL;
  errno = 0; /* store_fault looks at it */
  if (store_db_open(path, SQLITE_OPEN_READWRITE, &db, why) == ERR_OK)
    sqlite3_exec(db, "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
  sqlite3_close(db);
}

/* ---- of a copy ---- */

/* The first row of a pragma that answers none, or "ok", when all is well. */
static enum err expect_well(struct store *s, const char *sql, char why[256]) {
  sqlite3_stmt *q;
  int rc = sqlite3_prepare_v2(s->db, sql, -1, &q, NULL);
  if (rc == SQLITE_OK)
    rc = sqlite3_step(q);
  const char *text = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(q, 0) : "ok";
  bool well = text && strcmp(text, "ok") == 0;
  if (!well)
    snprintf(why, 256, "%s: %.200s", sql, text ? text : "");
  enum err e = rc == SQLITE_ROW || rc == SQLITE_DONE ? ERR_OK : store_db_why(s->db, sql, rc, why);
  sqlite3_finalize(q);
  return e == ERR_OK && !well ? ERR_DB_CORRUPT : e;
}

enum err store_check_whole(struct store *s, char why[256]) {
  enum err e = expect_well(s, "PRAGMA integrity_check(1)", why);
  return e == ERR_OK ? expect_well(s, "PRAGMA foreign_key_check", why) : e;
}

enum err store_count_rows(struct store *s, char out[512], uint64_t *events) {
  static const char *const tables[] = {"event", "payload", "head", "base", "subject", "doc", "secret"};
  char sql[64];
  size_t n = 0;
  *events = 0;
  for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
    sqlite3_stmt *q;
    snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", tables[i]);
    int rc = sqlite3_prepare_v2(s->db, sql, -1, &q, NULL);
    rc = rc == SQLITE_OK ? sqlite3_step(q) : rc;
    int64_t rows = rc == SQLITE_ROW ? sqlite3_column_int64(q, 0) : 0;
    enum err e = rc == SQLITE_ROW ? ERR_OK : store_fault(s->db, rc);
    sqlite3_finalize(q);
    if (e != ERR_OK)
      return e;
    *events = i == 0 ? (uint64_t)rows : *events;
    n += (size_t)snprintf(out + n, 512 - n, "%s\"%s\": %" PRId64, i ? ", " : "", tables[i], rows);
  }
  return ERR_OK;
}

void store_mac(const struct store *s, const void *p, size_t n, uint8_t mac[32]) {
  chain_mac(s->mac_key, p, n, mac);
}
