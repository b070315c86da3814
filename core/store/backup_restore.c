/* backup_restore.c: a backup becomes the database again. */
#include "core/base/bytes.h"
#include "core/store/backup.h"
#include "core/store/erased.h"
#include "core/store/files.h"
#include "core/store/store.h"

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
  int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  enum err e = out < 0 ? files_why("create", to, why) : ERR_OK;
  if (e == ERR_OK && copy_bytes(in, out) != ERR_OK)
    e = files_why("write", to, why);
  if (out >= 0)
    close(out);
  close(in);
  return e;
}

/* The database and what SQLite keeps beside it, under a name with the time; its key and its journal stay. */
static enum err put_aside(const char *to, int64_t now_ms, char why[256]) {
  char stamp[32];
  struct tm t;
  time_t s = (time_t)(now_ms / 1000);
  gmtime_r(&s, &t);
  strftime(stamp, sizeof stamp, ".%Y%m%dT%H%M%SZ", &t);
  static const char *const suffixes[] = {"-wal", "-shm",
                                         ""}; /* the log first: without its file it does no harm */
  struct path aside = with(to, stamp);
  for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
    struct path old = with(to, suffixes[i]), new = with(aside.s, suffixes[i]);
    if (rename(old.s, new.s) != 0 && errno != ENOENT)
      return files_why("rename", old.s, why);
  }
  return files_sync_folder(to, why);
}

static enum err keep_key(const char *to, const uint8_t key[32], char why[256]) {
  struct path p = with(to, ".key"), part = with(to, ".key.part");
  uint8_t there[32];
  if (access(p.s, F_OK) == 0) {
    enum err e = files_read_key(p.s, there, why);
    if (e == ERR_OK && !bytes_equal_ct(there, key, sizeof there)) {
      snprintf(why, 256, "the key of the backup is not %.180s", p.s);
      e = ERR_BAD_CONFIG;
    }
    OPENSSL_cleanse(there, sizeof there);
    return e;
  }
  int fd = open(part.s, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0)
    return files_why("create", part.s, why);
  errno = ENOSPC;
  enum err e = write(fd, key, 32) == 32 && fsync(fd) == 0 ? ERR_OK : files_why("write", part.s, why);
  close(fd);
  if (e == ERR_OK && rename(part.s, p.s) != 0)
    e = files_why("rename", part.s, why);
  return e;
}

/* What was learned beside the backups since: who must not come back. */
static enum err merge_journal(const char *file, const char *to, char why[256]) {
  char copy[FILES_PATH_MAX + 8];
  snprintf(copy, sizeof copy, "%s", file);
  struct path beside = with(dirname(copy), "/erased"), journal = with(to, ".erased");
  return erased_merge(beside.s, journal.s, why);
}

static void give_all(const char *to) {
  static const char *const suffixes[] = {"", "-wal", "-shm", ".lock", ".erased"};
  struct path key = with(to, ".key");
  for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++)
    files_give(with(to, suffixes[i]).s, key.s);
}

static enum err put_in_place(const char *file, const char *to, const uint8_t key[32], bool aside,
                             int64_t now_ms, char why[256]) {
  struct path part = with(to, ".part");
  bool there = access(to, F_OK) == 0;
  if (there && !aside) {
    snprintf(why, 256, "%.180s exists: --aside renames it first", to);
    return ERR_EXISTS;
  }
  enum err e = copy_file(file, part.s, why);
  if (e == ERR_OK)
    e = keep_key(to, key, why);
  if (e == ERR_OK)
    e = merge_journal(file, to, why);
  if (e == ERR_OK) /* also when only a write-ahead log was left: it would be played into the backup */
    e = put_aside(to, now_ms, why);
  if (e == ERR_OK && rename(part.s, to) != 0)
    e = files_why("rename", part.s, why);
  if (e != ERR_OK) {
    unlink(part.s);
    return e;
  }
  return files_sync_folder(to, why);
}

enum err backup_restore(const char *file, const char *to, const uint8_t key[32], bool aside, int64_t now_ms,
                        struct backup_facts *f, char why[256]) {
  int lock = -1;
  struct store *s = NULL;
  why[0] = 0;
  if (strlen(to) > FILES_PATH_MAX || strlen(file) > FILES_PATH_MAX) {
    snprintf(why, 256, "the path is too long");
    return ERR_BAD_CONFIG;
  }
  enum err e = backup_verify(file, key, f, why);
  if (e == ERR_OK)
    e = files_lock(to, &lock, why);
  if (e != ERR_OK)
    return e;
  e = put_in_place(file, to, key, aside, now_ms, why);
  close(lock); /* opening takes it again */
  if (e == ERR_OK)
    e = store_open(to, NULL, rng_system(), &s, why);
  if (e == ERR_OK)
    e = store_verify(s, why);
  store_close(s);
  if (e == ERR_OK)
    give_all(to);
  return e;
}
