#include "core/session/turn_tls_peer.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

struct end {
  char addr[33]; /* as /proc/net/tcp writes it: words as they lie in memory */
  unsigned port;
};

static void end_of(const struct sockaddr_storage *a, struct end *e) {
  uint32_t word[4];
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
  if (a->ss_family == AF_INET) {
    memcpy(&v4, a, sizeof v4);
    e->port = ntohs(v4.sin_port);
    snprintf(e->addr, sizeof e->addr, "%08X", v4.sin_addr.s_addr);
    return;
  }
  memcpy(&v6, a, sizeof v6);
  memcpy(word, &v6.sin6_addr, sizeof word);
  e->port = ntohs(v6.sin6_port);
  snprintf(e->addr, sizeof e->addr, "%08X%08X%08X%08X", word[0], word[1], word[2], word[3]);
}

static bool same_end(const struct end *a, const struct end *b) {
  return a->port == b->port && strcmp(a->addr, b->addr) == 0;
}

/* The inode of the socket that is at `at` and is connected to `to`; 0: there is none. */
static unsigned long find_inode(const char *table, const struct end *at, const struct end *to) {
  char line[512];
  unsigned long inode = 0, found = 0;
  struct end l, r;
  FILE *f = fopen(table, "re");
  while (f && !found && fgets(line, sizeof line, f))
    if (sscanf(line, " %*d: %32[0-9A-F]:%4x %32[0-9A-F]:%4x %*x %*x:%*x %*x:%*x %*x %*u %*d %lu", l.addr,
               &l.port, r.addr, &r.port, &inode) == 5 &&
        same_end(&l, at) && same_end(&r, to))
      found = inode;
  if (f)
    fclose(f);
  return found;
}

static bool have_inode(unsigned long inode) {
  bool have = false;
  struct stat st;
  DIR *d = opendir("/proc/self/fd");
  for (const struct dirent *e; d && !have && (e = readdir(d));)
    have = fstat((int)strtol(e->d_name, NULL, 10), &st) == 0 && S_ISSOCK(st.st_mode) && st.st_ino == inode;
  if (d)
    closedir(d);
  return have;
}

bool turn_tls_peer_is_us(int fd) {
  struct sockaddr_storage here, there;
  socklen_t n = sizeof here, m = sizeof there;
  struct end at, to;
  if (getsockname(fd, (struct sockaddr *)&here, &n) != 0 ||
      getpeername(fd, (struct sockaddr *)&there, &m) != 0)
    return false;
  end_of(&there, &at);
  end_of(&here, &to);
  unsigned long inode =
      find_inode(here.ss_family == AF_INET ? "/proc/self/net/tcp" : "/proc/self/net/tcp6", &at, &to);
  return inode != 0 && have_inode(inode);
}
