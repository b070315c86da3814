/* shell_backup.h: the thread that makes a verified backup each UTC hour (core/store/backup.h).
 *
 * Invariant: it has its own connection to the database and never holds up a writer. A failure is logged and
 * tried again after 5 minutes; a newest backup older than 70 minutes is warned of. Thread: start and stop
 * from the owner's thread. */
#ifndef GAVEL_SERVER_SHELL_BACKUP_H
#define GAVEL_SERVER_SHELL_BACKUP_H

#include "core/base/err.h"

#include <stdint.h>

struct backup_thread;
/* shell_backup_create: database and folder are copied, and so is the key (32 bytes; NULL: that of
 * `<database>.key`). ERR_BAD_CONFIG, ERR_IO with `why`. shell_backup_start: as the user it shall stay.
 * ERR_NOMEM. */
MUST_CHECK enum err shell_backup_create(const char *database, const char *folder, const uint8_t *key,
                                        struct backup_thread **out, char why[256]);
MUST_CHECK enum err shell_backup_start(struct backup_thread *t);
/* shell_backup_stop: waits for a backup that is being made. NULL is fine. */
void shell_backup_stop(struct backup_thread *t);

#endif
