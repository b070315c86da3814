/* erased.h: the erasure journal: the pids of people whose content was erased, so that an older copy of the
 * database that is put back is erased again.
 *
 * Invariant: a text file, one pid a line, only ever added to and synced; a line that a power cut tore names
 * nobody. Twice the same pid is fine, so two writers may merge. Thread: any. */
#ifndef GAVEL_STORE_ERASED_H
#define GAVEL_STORE_ERASED_H

#include "core/store/store.h"

struct erased {
  char (*pid)[STORE_PID_MAX + 1];
  size_t n;
};
/* erased_load: all pids of a journal, none when it is absent; erased_free what it made, also after an error.
 */
MUST_CHECK enum err erased_load(const char *path, struct erased *out, char why[256]);
void erased_free(struct erased *l);
/* erased_add: makes the journal (0600) when absent, adds a line, syncs it. */
MUST_CHECK enum err erased_add(const char *path, const char *pid, char why[256]);
/* erased_merge: what `from` has and `into` has not is added to `into`. */
MUST_CHECK enum err erased_merge(const char *from, const char *into, char why[256]);

#endif
