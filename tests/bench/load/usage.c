/* usage.c: what a process has used, from /proc: all its threads' time on a core, and its resident memory. */
#include "tests/bench/load/load.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

static int64_t threads_ns(pid_t pid) {
  char path[320];
  int64_t sum = 0;
  snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
  DIR *d = opendir(path);
  for (struct dirent *e; d && (e = readdir(d));) {
    snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", (int)pid, e->d_name);
    FILE *f = e->d_name[0] != '.' ? fopen(path, "re") : NULL;
    int64_t ns = 0;
    if (f && fscanf(f, "%" SCNd64, &ns) == 1)
      sum += ns;
    if (f)
      fclose(f);
  }
  if (d)
    closedir(d);
  return sum;
}

static int64_t resident(pid_t pid) {
  char path[64];
  int64_t size = 0, pages = 0;
  snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
  FILE *f = fopen(path, "re");
  if (f && fscanf(f, "%" SCNd64 " %" SCNd64, &size, &pages) != 2)
    pages = 0;
  if (f)
    fclose(f);
  return pages * sysconf(_SC_PAGESIZE);
}

struct usage usage_now(pid_t server) {
  struct usage u = {.at = clock_now()};
  struct rusage r;
  if (getrusage(RUSAGE_SELF, &r) == 0)
    u.own_cpu_us =
        (r.ru_utime.tv_sec + r.ru_stime.tv_sec) * US_PER_S + r.ru_utime.tv_usec + r.ru_stime.tv_usec;
  if (server) {
    u.cpu_us = threads_ns(server) / 1000;
    u.rss = resident(server);
  }
  return u;
}
