/* files.h: the files around the database: its lock, its key, and files that are there after a power cut.
 *
 * Invariant: nothing made here can be read by group or others; a function that made a file has synced it and
 * its folder. One sentence in `why` (256 bytes) names the file. Thread: any. */
#ifndef GAVEL_STORE_FILES_H
#define GAVEL_STORE_FILES_H

#include "core/base/err.h"
#include "core/base/rng.h"

#include <stdbool.h>
#include <stddef.h>

#define FILES_PATH_MAX 4000 /* bytes of a database's path, so that every suffix still fits */

/* files_fault: ERR_DISK_FULL for ENOSPC, EDQUOT and EFBIG, else ERR_IO. */
enum err files_fault(int err_no);
/* files_why: "cannot <what> <path>: <errno>" and the fault. */
enum err files_why(const char *what, const char *path, char why[256]);
/* files_give: a file that root made belongs to who owns `like`: gaveld is not root. Links are left alone. */
void files_give(const char *path, const char *like);
/* files_make: a new file (0600) instead of what has that name; never through a link. files_save: its n bytes,
 * written aside and renamed, synced with its folder. */
MUST_CHECK enum err files_make(const char *path, int *fd, char why[256]);
MUST_CHECK enum err files_save(const char *path, const void *bytes, size_t n, char why[256]);
/* files_create: make `path` (0600) unless it is there; with `fresh` a file that is there is ERR_IO. */
MUST_CHECK enum err files_create(const char *path, bool fresh, char why[256]);
/* files_sync_folder: make the names in the folder of `path` durable. */
MUST_CHECK enum err files_sync_folder(const char *path, char why[256]);
/* files_lock: hold `<path>.lock` until *fd is closed; ERR_IO when someone else (also in this process) holds
 * it. */
MUST_CHECK enum err files_lock(const char *path, int *fd, char why[256]);
/* files_key: the 32 bytes of `<path>.key`; made from rng when absent and `may_make`. ERR_BAD_CONFIG when it
 * is absent otherwise, has another length, or group or others may touch it. */
MUST_CHECK enum err files_key(const char *path, bool may_make, struct rng *rng, uint8_t key[32],
                              char why[256]);
/* files_read_key: the same of a key file that must be there: 32 bytes, or 64 hex digits and a line break. */
MUST_CHECK enum err files_read_key(const char *name, uint8_t key[32], char why[256]);
/* files_given_key: the master key that systemd (LoadCredential=gavel.key) or a descriptor holds, so that it
 * need not lie in a file beside the database. folder, number: what CREDENTIALS_DIRECTORY and GAVEL_KEY_FD
 * say, NULL: nothing; the descriptor comes first. ERR_BAD_CONFIG: there is one that is no key. */
MUST_CHECK enum err files_given_key(const char *folder, const char *number, uint8_t key[32], bool *given,
                                    char why[256]);

#endif
