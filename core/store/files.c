#include "core/store/files.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
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
  struct stat st;
  if (geteuid() == 0 && stat(like, &st) == 0 && st.st_uid != 0)
    (void)!lchown(path, st.st_uid, st.st_gid);
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
  *fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
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

/* Written aside and renamed: a power cut must not leave half a key under the name. */
static enum err make_key(const char *name, struct rng *rng, uint8_t key[32], char why[256]) {
  char aside[NAME_MAX_BYTES + 4];
  snprintf(aside, sizeof aside, "%s.new", name);
  if (unlink(aside) != 0 && errno != ENOENT)
    return files_why("replace", aside, why);
  int fd = open(aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0)
    return files_why("create", aside, why);
  rng->fill(rng, key, 32);
  errno = ENOSPC; /* what a short write means */
  enum err e = write(fd, key, 32) == 32 && fsync(fd) == 0 ? ERR_OK : files_why("write", aside, why);
  close(fd);
  if (e == ERR_OK && rename(aside, name) != 0)
    e = files_why("rename", aside, why);
  if (e != ERR_OK) {
    unlink(aside);
    return e;
  }
  return files_sync_folder(name, why);
}

enum err files_key(const char *path, bool may_make, struct rng *rng, uint8_t key[32], char why[256]) {
  char name[NAME_MAX_BYTES];
  snprintf(name, sizeof name, "%s.key", path);
  if (may_make && access(name, F_OK) != 0 && errno == ENOENT)
    return make_key(name, rng, key, why);
  return files_read_key(name, key, why);
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
  else if (!S_ISREG(st.st_mode) || st.st_size != 32 || read(fd, key, 32) != 32)
    snprintf(why, 256, "the key file %.160s does not hold 32 bytes", name);
  else
    e = ERR_OK;
  close(fd);
  return e;
}
