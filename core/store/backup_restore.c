/* backup_restore.c: a backup becomes the database again. */
#include "core/base/bytes.h"
#include "core/store/backup.h"
#include "core/store/erased.h"
#include "core/store/files.h"
#include "core/store/store_sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct path {
  char s[FILES_PATH_MAX + 64];
};

static struct path with(const char *path, const char *suffix) {
  struct path p;
  snprintf(p.s, sizeof p.s, "%s%s", path, suffix);
  return p;
}

static enum err copy_bytes(int from, int to) {
  char buf[65536];
  ssize_t n;
  while ((n = read(from, buf, sizeof buf)) > 0) {
    errno = ENOSPC; /* what a short write means */
    if (write(to, buf, (size_t)n) != n)
      return ERR_IO;
  }
  return n == 0 && fsync(to) == 0 ? ERR_OK : ERR_IO;
}

static enum err copy_file(const char *from, const char *to, char why[256]) {
  int in = open(from, O_RDONLY | O_CLOEXEC);
  if (in < 0)
    return files_why("open", from, why);
  int out;
  enum err e = files_make(to, &out, why);
  if (e == ERR_OK && copy_bytes(in, out) != ERR_OK)
    e = files_why("write", to, why);
  if (out >= 0)
    close(out);
  close(in);
  return e;
}

static struct path aside_name(const char *to, int64_t now_ms) {
  char stamp[32];
  struct tm t;
  time_t s = (time_t)(now_ms / 1000);
  gmtime_r(&s, &t);
  strftime(stamp, sizeof stamp, ".%Y%m%dT%H%M%SZ", &t);
  return with(to, stamp);
}

/* The database and what SQLite keeps beside it get another name; its key and its journal stay. First the log
 * is folded in: a crash between two renames loses nothing. A damaged one keeps it. */
static enum err put_aside(const char *to, const char *aside, bool there, char why[256]) {
  static const char *const suffixes[] = {"-wal", "-shm", ""};
  if (there)
    store_settle_file(to);
  for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
    struct path old = with(to, suffixes[i]), new = with(aside, suffixes[i]);
    if (rename(old.s, new.s) != 0 && errno != ENOENT)
      return files_why("rename", old.s, why);
  }
  return files_sync_folder(to, why);
}

/* A key that is there must be this one. */
static enum err keep_key(const struct backup_restore *r, char why[256]) {
  struct path p = with(r->to, ".key");
  uint8_t there[32];
  if (access(p.s, F_OK) != 0)
    return r->write_key ? files_save(p.s, r->key, sizeof there, why) : ERR_OK;
  enum err e = files_read_key(p.s, there, why);
  if (e == ERR_OK && !bytes_equal_ct(there, r->key, sizeof there)) {
    snprintf(why, 256, "the key of the backup is not %.180s", p.s);
    e = ERR_BAD_CONFIG;
  }
  OPENSSL_cleanse(there, sizeof there);
  return e;
}

/* What was learned beside the backups since: who must not come back. */
static enum err merge_journal(const char *file, const char *to, char why[256]) {
  char copy[FILES_PATH_MAX + 8];
  snprintf(copy, sizeof copy, "%s", file);
  struct path beside = with(dirname(copy), "/erased"), journal = with(to, ".erased");
  return erased_merge(beside.s, journal.s, why);
}

/* As root, before anything is renamed: to whom the old database belongs, else whose folder it is. What SQLite
 * makes beside a database belongs to who owns that. */
static void give_all(const char *to, bool there) {
  static const char *const suffixes[] = {".part", ".lock", ".erased", ".key"};
  struct path copy = with(to, "");
  const char *like = there ? to : dirname(copy.s);
  for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++)
    files_give(with(to, suffixes[i]).s, like);
}

static enum err put_in_place(const struct backup_restore *r, char why[256]) {
  struct path part = with(r->to, ".part"), aside = aside_name(r->to, r->now_ms);
  bool there = access(r->to, F_OK) == 0;
  enum err e = ERR_OK;
  if (there && !r->aside) {
    snprintf(why, 256, "%.180s exists: --aside renames it first", r->to);
    e = ERR_EXISTS;
  }
  if (e == ERR_OK)
    e = copy_file(r->file, part.s, why);
  if (e == ERR_OK)
    e = keep_key(r, why);
  if (e == ERR_OK)
    e = merge_journal(r->file, r->to, why);
  give_all(r->to, there);
  if (e == ERR_OK) /* also when only a write-ahead log was left: it would be played into the backup */
    e = put_aside(r->to, aside.s, there, why);
  if (e == ERR_OK && rename(part.s, r->to) != 0)
    e = files_why("rename", part.s, why);
  if (e != ERR_OK) {
    unlink(part.s);
    return e;
  }
  return files_sync_folder(r->to, why);
}

enum err backup_restore(const struct backup_restore *r, struct backup_facts *f, char why[256]) {
  int lock = -1;
  struct store *s = NULL;
  why[0] = 0;
  if (strlen(r->to) > FILES_PATH_MAX || strlen(r->file) > FILES_PATH_MAX) {
    snprintf(why, 256, "the path is too long");
    return ERR_BAD_CONFIG;
  }
  enum err e = backup_verify(r->file, r->key, f, why);
  if (e == ERR_OK)
    e = files_lock(r->to, &lock, why);
  if (e != ERR_OK)
    return e;
  e = put_in_place(r, why);
  close(lock); /* opening takes it again */
  if (e == ERR_OK)
    e = store_open(r->to, r->key, rng_system(), &s, why);
  if (e == ERR_OK)
    e = store_verify(s, why);
  if (e == ERR_OK && r->note && (e = r->note(r->ctx, s, f)) != ERR_OK)
    snprintf(why, 256, "the audit log cannot take it: %s", err_text(e));
  store_close(s);
  return e;
}
