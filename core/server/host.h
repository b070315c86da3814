/* host.h: what the shell knows of its process and machine, for metrics, readiness and alerts.
 *
 * Invariant: figures only. Thread: the control thread. */
#ifndef GAVEL_SERVER_HOST_H
#define GAVEL_SERVER_HOST_H

#include <stdbool.h>
#include <stdint.h>

struct host_figures {
  double cpu_s;                            /* user and system, all threads */
  uint64_t rss, virt;                      /* bytes */
  uint64_t fds, fds_most;                  /* open, and how many may be */
  bool has_disk;                           /* the database is a file: */
  uint64_t disk_free, disk_size, database; /* bytes: of its file system, of itself */
  int64_t started_s;                       /* Unix time */
  int64_t cert_expires_s;                  /* of the public certificate, 0 not known */
  unsigned media_stuck;                    /* media threads that have not answered for 2 s */
};

#endif
