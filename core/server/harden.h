/* harden.h: what gaveld gives up once it has started: core dumps, its user's other powers, system calls it
 * does not need.
 *
 * Invariant: after ERR_OK nothing of it can be taken back by this process. Thread: the main one, after all
 * others have been started (the filter and the user hold for all of them). */
#ifndef GAVEL_SERVER_HARDEN_H
#define GAVEL_SERVER_HARDEN_H

#include "core/base/err.h"

#include <stdbool.h>

/* harden_early: before any secret is read: no core dumps, not readable by other processes of the same user.
 */
void harden_early(void);
/* harden_free: free, after the memory was wiped: for what holds passwords and keys on their way
 * (json_set_alloc_funcs). */
void harden_free(void *p);
/* harden_user: from root to this user: `owned` (NULL at the end) and what SQLite keeps beside the first, the
 * database, become his; then group and user for good. Nothing when `user` is "" or we are not root.
 * ERR_BAD_CONFIG with `why`. */
MUST_CHECK enum err harden_user(const char *user, const char *const *owned, char why[256]);
/* harden_syscalls: from now on only the calls of the list in harden.c; exec, ptrace, mount and their like end
 * the process. ERR_IO with `why` when the kernel has no such filter. Under a sanitizer it does nothing. */
MUST_CHECK enum err harden_syscalls(char why[256]);

#endif
