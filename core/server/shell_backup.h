/* shell_backup.h: the thread that makes a verified backup each UTC hour (core/store/backup.h).
 *
 * Invariant: it has its own connection to the database and never holds up a writer. A failure is logged and
 * tried again after 5 minutes; a newest backup older than 70 minutes is warned of. Thread: start and stop
 * from the owner's thread. */
#ifndef GAVEL_SERVER_SHELL_BACKUP_H
#define GAVEL_SERVER_SHELL_BACKUP_H

#include "core/store/backup.h"

struct backup_thread;
struct backup_shell {
  const char *database, *folder; /* copied */
  const uint8_t *key;            /* 32 bytes, copied; NULL: that of `<database>.key` */
  void (*wake)(void *ctx);       /* there is something for shell_backup_take; from the thread */
  void *ctx;
};
/* shell_backup_create: ERR_BAD_CONFIG, ERR_IO with `why`. shell_backup_start: as the user it shall stay.
 * ERR_NOMEM. */
MUST_CHECK enum err shell_backup_create(const struct backup_shell *c, struct backup_thread **out,
                                        char why[256]);
MUST_CHECK enum err shell_backup_start(struct backup_thread *t);
/* shell_backup_take: what came of the last one that was tried, for the audit log: once, from another thread.
 */
struct backup_outcome {
  enum err e;
  char name[BACKUP_NAME_MAX]; /* "" when it failed */
};
bool shell_backup_take(struct backup_thread *t, struct backup_outcome *out);
/* shell_backup_stop: waits for a backup that is being made. NULL is fine. */
void shell_backup_stop(struct backup_thread *t);

#endif
