/* store_sqlite_check.c: is the log what was written (verify), and a copy of it elsewhere (backup). */
#include "core/store/files.h"
#include "core/store/store_sqlite.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- verify ---- */

struct verify {
  struct store *s;
  uint8_t prev[CHAIN_HASH]; /* of the stream being walked */
  char *why;
};

static enum err verify_row(void *ctx, const struct store_row *row) {
  struct verify *v = ctx;
  uint8_t hash[CHAIN_HASH];
  chain_hash(v->prev, &row->r, row->digest, hash);
  if (memcmp(row->prev, v->prev, CHAIN_HASH) != 0 || memcmp(row->hash, hash, CHAIN_HASH) != 0) {
    snprintf(v->why, 256, "event %" PRIu64 " of %.100s is not what was written", row->r.seq, row->r.stream);
    return ERR_DB_CORRUPT;
  }
  memcpy(v->prev, hash, CHAIN_HASH);
  return ERR_OK;
}

static enum err verify_stream(void *ctx, const char *stream) {
  struct verify *v = ctx;
  memset(v->prev, 0, sizeof v->prev);
  return store_walk(v->s, stream, 0, verify_row, v, v->why);
}

enum err store_verify(struct store *s, char why[256]) {
  struct verify v = {.s = s, .why = why};
  why[0] = 0;
  enum err e = store_streams(s, "", verify_stream, &v);
  if (e != ERR_OK) {
    if (!why[0])
      snprintf(why, 256, "the list of streams cannot be read: %s", err_text(e));
    return e;
  }
  sqlite3_stmt *q = s->q[STORE_Q_ORPHAN];
  int rc = sqlite3_step(q);
  if (rc == SQLITE_ROW) {
    snprintf(why, 256, "%.100s has events, but no signed head", (const char *)sqlite3_column_text(q, 0));
    e = ERR_DB_CORRUPT;
  } else if (rc != SQLITE_DONE)
    e = store_db_why(s->db, "the log", rc, why);
  sqlite3_reset(q);
  return e;
}

/* ---- backup ---- */

/* All pages in one step: one read transaction, so a writer beside us neither tears nor restarts the copy. */
static enum err copy_pages(sqlite3 *from, sqlite3 *to, const char *path, char why[256]) {
  sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");
  if (!b)
    return store_db_why(to, path, sqlite3_errcode(to), why);
  int rc = sqlite3_backup_step(b, -1);
  int end = sqlite3_backup_finish(b);
  if (rc == SQLITE_DONE && end == SQLITE_OK)
    return ERR_OK;
  return store_db_why(to, path, end != SQLITE_OK ? end : rc, why);
}

static enum err copy_into(const char *source, const char *made, char why[256]) {
  sqlite3 *from = NULL, *to = NULL;
  char *full = realpath(made, NULL);
  enum err e = full ? store_db_open(source, SQLITE_OPEN_READONLY, &from, why) : ERR_IO;
  if (e == ERR_OK)
    e = store_db_open(full, SQLITE_OPEN_READWRITE, &to, why);
  if (e == ERR_OK)
    e = copy_pages(from, to, made, why);
  sqlite3_close(from);
  sqlite3_close(to);
  free(full);
  return e;
}

enum err store_backup(struct store *s, const char *path, char why[256]) {
  char part[FILES_PATH_MAX + 8];
  why[0] = 0;
  if (!s->path || strlen(path) > FILES_PATH_MAX) {
    snprintf(why, 256, s->path ? "the path of the backup is too long" : "a database in memory has no backup");
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
  errno = 0;                         /* store_fault looks at it */
  e = copy_into(s->path, part, why); /* SQLite syncs the copy when it commits it */
  if (e == ERR_OK && rename(part, path) != 0) {
    snprintf(why, 256, "cannot rename %.200s", part);
    e = ERR_IO;
  }
  if (e != ERR_OK) {
    unlink(part);
    return e;
  }
  return files_sync_folder(path, why);
}
