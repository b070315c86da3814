/* powerfail_shim: a model of a power cut. Of each file only what it held at its last successful fsync or
 * fdatasync survives, as a copy in the folder $GAVEL_SHADOW; unlink and rename of a file carry over to its
 * copy. $GAVEL_CUT_AT=N is the instant: instead of the N-th sync or write at an offset (SQLite's), the
 * process kills itself. Linked into powerfail_writer, where these functions stand before the C library's,
 * also for SQLite. The model is coarse: no torn sectors, and a name is durable at once. Thread: one. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SHADOW_MAX (PATH_MAX + 256)

/* Where the copy of `path` is; 0 when there is no shadow folder. */
static int shadow_of(const char *path, char out[SHADOW_MAX]) {
  const char *folder = getenv("GAVEL_SHADOW"), *slash = strrchr(path, '/');
  return folder ? snprintf(out, SHADOW_MAX, "%s/%s", folder, slash ? slash + 1 : path) : 0;
}

/* The C library's own function. POSIX lets dlsym's object pointer be one to a function, ISO C does not: by
 * memcpy. */
static void real(const char *name, void *function, size_t size) {
  void *p = dlsym(RTLD_NEXT, name);
  if (!p)
    abort();
  memcpy(function, &p, size);
}

static int real_rename(const char *from, const char *to) {
  int (*f)(const char *, const char *);
  real("rename", &f, sizeof f);
  return f(from, to);
}

static void copy_all(int from, int to) {
  char buf[65536];
  ssize_t n;
  for (off_t at = 0; (n = pread(from, buf, sizeof buf, at)) > 0; at += n)
    if (write(to, buf, (size_t)n) != n)
      abort();
  if (n < 0)
    abort();
}

/* The copy is made aside and renamed, so that a kill in the middle leaves the one before. */
static void survive(int fd) {
  int saved = errno;
  char link[64], path[PATH_MAX], copy[SHADOW_MAX], aside[SHADOW_MAX + 8];
  struct stat st;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, path, sizeof path - 1);
  if (n > 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
    path[n] = 0;
    /* By its name: the key is written through a descriptor that cannot read. (Closing it drops SQLite's POSIX
     * locks on the file, which nobody else wants here.) */
    int from = open(path, O_RDONLY | O_CLOEXEC);
    if (from >= 0 && shadow_of(path, copy)) {
      snprintf(aside, sizeof aside, "%s.aside", copy);
      int to = open(aside, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
      copy_all(from, to);
      close(to);
      if (real_rename(aside, copy) != 0)
        abort();
    }
    close(from);
  }
  errno = saved;
}

static void maybe_cut(void) {
  static long calls; /* of the whole process, as the cut is */
  const char *at = getenv("GAVEL_CUT_AT");
  if (at && ++calls == strtol(at, NULL, 10))
    raise(SIGKILL);
}

ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at) {
  ssize_t (*f)(int, const void *, size_t, off64_t);
  real("pwrite64", &f, sizeof f);
  maybe_cut();
  return f(fd, p, n, at);
}

int fsync(int fd) {
  int (*f)(int);
  maybe_cut();
  real("fsync", &f, sizeof f);
  int rc = f(fd);
  if (rc == 0)
    survive(fd);
  return rc;
}

int fdatasync(int fd) {
  int (*f)(int);
  maybe_cut();
  real("fdatasync", &f, sizeof f);
  int rc = f(fd);
  if (rc == 0)
    survive(fd);
  return rc;
}

int unlink(const char *path) {
  char copy[SHADOW_MAX];
  int (*f)(const char *);
  real("unlink", &f, sizeof f);
  int rc = f(path), saved = errno;
  if (rc == 0 && shadow_of(path, copy))
    f(copy);
  errno = saved;
  return rc;
}

/* A file that was never synced has no copy: then the target's goes and nothing comes in its place. */
int rename(const char *from, const char *to) {
  char old[SHADOW_MAX], new[SHADOW_MAX];
  int rc = real_rename(from, to), saved = errno;
  if (rc == 0 && shadow_of(from, old) && shadow_of(to, new) && real_rename(old, new) != 0)
    unlink(new);
  errno = saved;
  return rc;
}
