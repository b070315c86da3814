/* shell_host.c: figures of this process and its machine. What it calls is allowed under harden.c's filter,
 * also as a user to whom /proc/self/fd does not belong. */
#include "core/server/server_private.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define FDS_AT_ONCE 1024
#define FDS_GAP 4096
#define FDS_LOOKED_AT (1 << 20)

static double seconds(struct timeval t) {
  return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static void memory(struct host_figures *out) {
  unsigned long long virt = 0, rss = 0;
  FILE *f = fopen("/proc/self/statm", "re");
  if (!f)
    return;
  if (fscanf(f, "%llu %llu", &virt, &rss) == 2) {
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    out->virt = virt * page;
    out->rss = rss * page;
  }
  fclose(f);
}

/* poll() says of each number whether it is open: one call for many. The lowest free one is always taken next:
 * after a long gap there are no more. */
static uint64_t open_fds(uint64_t most) {
  struct pollfd p[FDS_AT_ONCE];
  uint64_t n = 0, last = 0, end = most < FDS_LOOKED_AT ? most : FDS_LOOKED_AT;
  for (uint64_t from = 0; from < end && from < last + FDS_GAP; from += FDS_AT_ONCE) {
    uint64_t many = end - from < FDS_AT_ONCE ? end - from : FDS_AT_ONCE;
    for (uint64_t i = 0; i < many; i++)
      p[i] = (struct pollfd){.fd = (int)(from + i)};
    if (poll(p, (nfds_t)many, 0) < 0)
      return n;
    for (uint64_t i = 0; i < many; i++)
      if (!(p[i].revents & POLLNVAL)) {
        n++;
        last = from + i;
      }
  }
  return n;
}

static void disk(const struct server *s, struct host_figures *out) {
  struct statvfs fs;
  struct stat st;
  if (!s->database || statvfs(s->database, &fs) != 0)
    return;
  out->has_disk = true;
  out->disk_free = (uint64_t)fs.f_bavail * fs.f_frsize;
  out->disk_size = (uint64_t)fs.f_blocks * fs.f_frsize;
  out->database = stat(s->database, &st) == 0 ? (uint64_t)st.st_size : 0;
}

static int64_t expiry(const struct server *s) {
  struct tm tm;
  const ASN1_TIME *t = s->tls.x509 ? X509_get0_notAfter(s->tls.x509) : NULL;
  return t && ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

void shell_host(void *ctx, struct host_figures *out) {
  struct server *s = ctx;
  struct rusage u;
  struct rlimit l;
  *out = (struct host_figures){.started_s = s->started_s, .cert_expires_s = expiry(s)};
  if (getrusage(RUSAGE_SELF, &u) == 0)
    out->cpu_s = seconds(u.ru_utime) + seconds(u.ru_stime);
  memory(out);
  out->fds_most = getrlimit(RLIMIT_NOFILE, &l) == 0 ? (uint64_t)l.rlim_cur : 0;
  out->fds = open_fds(out->fds_most);
  disk(s, out);
  for (unsigned t = 0; t < s->cfg.media_threads; t++)
    out->media_stuck += !media_thread_alive(s->media[t], clock_now());
}
