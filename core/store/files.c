#include "core/store/files.h"
#include "core/base/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_MAX_BYTES (FILES_PATH_MAX + 16)

enum err files_fault(int err_no) {
  return err_no == ENOSPC || err_no == EDQUOT || err_no == EFBIG ? ERR_DISK_FULL : ERR_IO;
}

enum err files_why(const char *what, const char *path, char why[256]) {
  int e = errno;
  snprintf(why, 256, "cannot %s %.160s: %s", what, path, strerror(e));
  return files_fault(e);
}

void files_give(const char *path, const char *like) {
  struct stat st, own;
  int fd = geteuid() == 0 && stat(like, &st) == 0 && st.st_uid != 0
               ? open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
                                O_CLOEXEC) /* it cannot become another file meanwhile */
               : -1;
  if (fd >= 0 && fstat(fd, &own) == 0 && S_ISREG(own.st_mode) && own.st_nlink == 1)
    (void)!fchown(fd, st.st_uid, st.st_gid);
  if (fd >= 0)
    close(fd);
}

enum err files_make(const char *path, int *fd, char why[256]) {
  *fd = -1;
  if (unlink(path) != 0 && errno != ENOENT) /* left by one that was cut off, or a link to elsewhere */
    return files_why("replace", path, why);
  *fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  return *fd >= 0 ? ERR_OK : files_why("create", path, why);
}

enum err files_save(const char *path, const void *bytes, size_t n, char why[256]) {
  char part[NAME_MAX_BYTES + 64];
  int fd;
  snprintf(part, sizeof part, "%s.part", path);
  enum err e = files_make(part, &fd, why);
  if (e != ERR_OK)
    return e;
  errno = ENOSPC; /* what a short write means */
  if (write(fd, bytes, n) != (ssize_t)n || fsync(fd) != 0)
    e = files_why("write", part, why);
  close(fd);
  if (e == ERR_OK && rename(part, path) != 0)
    e = files_why("rename", part, why);
  if (e != ERR_OK)
    unlink(part);
  return e == ERR_OK ? files_sync_folder(path, why) : e;
}

enum err files_create(const char *path, bool fresh, char why[256]) {
  /* A file that is there is not opened: closing it would drop the locks this process may hold on it by
   * SQLite. */
  int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0)
    return errno == EEXIST && !fresh ? ERR_OK : files_why("create", path, why);
  close(fd);
  return files_sync_folder(path, why);
}

enum err files_sync_folder(const char *path, char why[256]) {
  char copy[NAME_MAX_BYTES];
  snprintf(copy, sizeof copy, "%s", path);
  const char *folder = dirname(copy);
  int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    return files_why("open", folder, why);
  enum err e = fsync(fd) == 0 ? ERR_OK : files_why("sync", folder, why);
  close(fd);
  return e;
}

enum err files_lock(const char *path, int *fd, char why[256]) {
  /* A file of its own: closing any descriptor of the database would drop SQLite's own (POSIX) locks. It stays
   * behind: who unlinked it could leave two holders of two files. */
  char name[NAME_MAX_BYTES];
  snprintf(name, sizeof name, "%s.lock", path);
  *fd = open(name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (*fd < 0)
    return files_why("open", name, why);
  if (flock(*fd, LOCK_EX | LOCK_NB) == 0)
    return ERR_OK;
  enum err e = ERR_IO;
  if (errno == EWOULDBLOCK)
    snprintf(why, 256, "%.160s is in use by another gaveld", path);
  else
    e = files_why("lock", name, why);
  close(*fd);
  *fd = -1;
  return e;
}

enum err files_key(const char *path, bool may_make, struct rng *rng, uint8_t key[32], char why[256]) {
  char name[NAME_MAX_BYTES];
  snprintf(name, sizeof name, "%s.key", path);
  if (may_make && access(name, F_OK) != 0 && errno == ENOENT) {
    rng->fill(rng, key, 32); /* files_save: a power cut must not leave half a key under the name */
    return files_save(name, key, 32, why);
  }
  return files_read_key(name, key, why);
}

static bool key_from(int fd, uint8_t key[32]) {
  char text[66];
  size_t n = 0;
  for (ssize_t k; n < sizeof text && (k = read(fd, text + n, sizeof text - n)) > 0;)
    n += (size_t)k;
  if (n == 65 && text[64] == '\n')
    n = 64;
  bool good = n == 32 || (n == 64 && hex_decode(text, n, key));
  if (n == 32)
    memcpy(key, text, 32);
  explicit_bzero(text, sizeof text);
  return good;
}

enum err files_read_key(const char *name, uint8_t key[32], char why[256]) {
  int fd = open(name, O_RDONLY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) {
    snprintf(why, 256, "the key file %.160s is missing: the database cannot be read without it", name);
    return ERR_BAD_CONFIG;
  }
  if (fd < 0)
    return files_why("open", name, why);
  struct stat st;
  enum err e = ERR_BAD_CONFIG;
  if (fstat(fd, &st) != 0)
    e = files_why("read", name, why);
  else if (st.st_mode & 077)
    snprintf(why, 256, "others can read the key file: chmod 600 %.200s", name);
  else if (!S_ISREG(st.st_mode) || !key_from(fd, key))
    snprintf(why, 256, "the key file %.140s does not hold 32 bytes, or 64 hex digits", name);
  else
    e = ERR_OK;
  close(fd);
  return e;
}

enum err files_given_key(const char *folder, const char *number, uint8_t key[32], bool *given,
                         char why[256]) {
  char path[NAME_MAX_BYTES], *end = NULL;
  int fd = -1;
  *given = false;
  if (number && *number) {
    long n = strtol(number, &end, 10);
    fd = *end || n < 3 || n > 1 << 20 ? -1 : (int)n;
  } else if (folder) {
    snprintf(path, sizeof path, "%s/gavel.key", folder);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
      return ERR_OK;
  } else
    return ERR_OK;
  *given = fd >= 0 && key_from(fd, key);
  if (fd >= 0)
    close(fd);
  if (*given)
    return ERR_OK;
  snprintf(why, 256, "the key of %s cannot be read: it must be 32 bytes, or 64 hex digits",
           number && *number ? "GAVEL_KEY_FD" : "gavel.key in CREDENTIALS_DIRECTORY");
  return ERR_BAD_CONFIG;
}
