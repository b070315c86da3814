#include "tui/hush.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_file(const char *path) {
  struct stat st;
  int fd = path[0] != '\0' ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
  if (fd < 0)
    return open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (fstat(fd, &st) == 0 && st.st_size > HUSH_FILE_MAX)
    (void)!ftruncate(fd, 0); /* it may also go on growing */
  return fd;
}

int hush_begin(const char *path) {
  fflush(stderr);
  int saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
  int fd = saved >= 0 ? open_file(path) : -1;
  if (fd >= 0 && dup2(fd, STDERR_FILENO) >= 0) {
    close(fd);
    return saved;
  }
  if (fd >= 0)
    close(fd);
  if (saved >= 0)
    close(saved);
  return -1;
}

void hush_end(int saved) {
  if (saved < 0)
    return;
  fflush(stderr);
  dup2(saved, STDERR_FILENO);
  close(saved);
}
