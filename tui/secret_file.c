#include "tui/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

/* Byte by byte: what follows the line stays where it is. */
static size_t read_line(int fd, char *out, size_t cap) {
  size_t n = 0;
  while (n < cap && read(fd, out + n, 1) == 1 && out[n] != '\n')
    n++;
  return n;
}

/* Typed at a terminal: asked for, and not shown. */
static size_t read_typed(int fd, char *out, size_t cap) {
  struct termios saved, quiet;
  if (!isatty(fd) || tcgetattr(fd, &saved) != 0)
    return read_line(fd, out, cap);
  quiet = saved;
  quiet.c_lflag &= (tcflag_t)~ECHO;
  fputs("token (it is not shown): ", stderr);
  (void)tcsetattr(fd, TCSAFLUSH, &quiet);
  size_t n = read_line(fd, out, cap);
  (void)tcsetattr(fd, TCSAFLUSH, &saved);
  fputs("\n", stderr);
  return n;
}

static size_t read_all(int fd, char *out, size_t cap) {
  size_t n = 0;
  ssize_t got = 0;
  while (n < cap && (got = read(fd, out + n, cap - n)) > 0)
    n += (size_t)got;
  return n;
}

enum err secret_file_read(const char *path, char *out, size_t cap, size_t *n, char why[256]) {
  bool piped = strcmp(path, "-") == 0;
  int fd = piped ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
  struct stat st;
  enum err e = ERR_OK;
  *n = 0;
  if (fd < 0 || fstat(fd, &st) != 0 || S_ISDIR(st.st_mode)) {
    snprintf(why, 256, "%.160s cannot be read: %s", path, strerror(fd < 0 ? errno : EISDIR));
    e = ERR_IO;
  } else if (!piped && S_ISREG(st.st_mode) && (st.st_mode & 077) != 0) {
    snprintf(why, 256, "others may touch %.90s: chmod 600 %.90s", path, path);
    e = ERR_NOT_ALLOWED;
  } else
    *n = piped ? read_typed(fd, out, cap) : read_all(fd, out, cap);
  if (fd >= 0 && !piped)
    close(fd);
  if (e == ERR_OK && *n == cap) {
    snprintf(why, 256, "%.160s is too long", path);
    *n = 0;
    e = ERR_FULL;
  }
  while (*n > 0 && (out[*n - 1] == '\n' || out[*n - 1] == '\r'))
    --*n;
  out[*n] = '\0';
  return e;
}

enum err secret_file_write(const char *path, const char *text, char why[256]) {
  char temporary[600];
  snprintf(temporary, sizeof temporary, "%.590s.new", path);
  unlink(temporary); /* left behind */
  int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  size_t n = strlen(text);
  bool ok = fd >= 0 && fchmod(fd, 0600) == 0 && write(fd, text, n) == (ssize_t)n && fsync(fd) == 0;
  if (fd >= 0)
    ok = close(fd) == 0 && ok;
  ok = ok && rename(temporary, path) == 0;
  if (ok)
    return ERR_OK;
  snprintf(why, 256, "%.160s cannot be written: %s", path, strerror(errno));
  unlink(temporary);
  return ERR_IO;
}
