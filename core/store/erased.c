#include "core/store/erased.h"
#include "core/store/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static enum err keep(struct erased *l, const char *line, size_t n) {
  if (l->n % 64 == 0) {
    char(*more)[STORE_PID_MAX + 1] = realloc(l->pid, (l->n + 64) * sizeof *l->pid);
    if (!more)
      return ERR_NOMEM;
    l->pid = more;
  }
  memcpy(l->pid[l->n], line, n);
  l->pid[l->n++][n] = 0;
  return ERR_OK;
}

enum err erased_load(const char *path, struct erased *out, char why[256]) {
  *out = (struct erased){0};
  errno = 0;
  int fd =
      open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC); /* who owns the folder must not choose what is read */
  FILE *f = fd >= 0 ? fdopen(fd, "r") : NULL;
  if (!f)
    return errno == ENOENT ? ERR_OK : files_why("open", path, why);
  char line[64];
  enum err e = ERR_OK;
  while (e == ERR_OK && fgets(line, sizeof line, f)) {
    size_t n = strcspn(line, "\n");
    if (line[n] == '\n' && n > 0 && n <= STORE_PID_MAX)
      e = keep(out, line, n);
  }
  if (e == ERR_OK && ferror(f))
    e = files_why("read", path, why);
  fclose(f);
  return e;
}

void erased_free(struct erased *l) {
  free(l->pid);
  *l = (struct erased){0};
}

enum err erased_add(const char *path, const char *pid, char why[256]) {
  char line[STORE_PID_MAX + 4];
  int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0)
    return files_why("open", path, why);
  char last = '\n'; /* else a power cut tore the line before */
  off_t end = lseek(fd, 0, SEEK_END);
  enum err e =
      end < 0 || (end > 0 && pread(fd, &last, 1, end - 1) != 1) ? files_why("read", path, why) : ERR_OK;
  int n = snprintf(line, sizeof line, "%s%.*s\n", last == '\n' ? "" : "\n", STORE_PID_MAX, pid);
  errno = ENOSPC; /* what a short write means */
  if (e == ERR_OK && (write(fd, line, (size_t)n) != n || fsync(fd) != 0))
    e = files_why("write", path, why);
  close(fd);
  return e == ERR_OK ? files_sync_folder(path, why) : e;
}

static bool has(const struct erased *l, const char *pid) {
  for (size_t i = 0; i < l->n; i++)
    if (strcmp(l->pid[i], pid) == 0)
      return true;
  return false;
}

enum err erased_merge(const char *from, const char *into, char why[256]) {
  struct erased a, b;
  enum err e = erased_load(from, &a, why), also = erased_load(into, &b, why);
  if (e == ERR_OK)
    e = also;
  for (size_t i = 0; e == ERR_OK && i < a.n; i++)
    if (!has(&b, a.pid[i]))
      e = erased_add(into, a.pid[i], why);
  erased_free(&a);
  erased_free(&b);
  return e;
}
