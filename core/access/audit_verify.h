/* audit_verify.h: the audit log against what is known of it elsewhere: the anchor file, and the checkpoints
 * in it.
 *
 * Thread: any that may read the store. */
#ifndef GAVEL_ACCESS_AUDIT_VERIFY_H
#define GAVEL_ACCESS_AUDIT_VERIFY_H

#include "core/access/audit_format.h"

struct audit_anchors {
  const uint8_t *key;     /* 32 bytes, of the signatures; set by the caller */
  struct store_anchor *v; /* the signed ones; to be freed by the caller */
  size_t n;
  size_t bad, torn;   /* not signed with the key; of the file: no checkpoint at all (a torn line), skipped */
  uint64_t first_bad; /* the entry that the first bad one names */
};
/* audit_anchor_file: those of a file, added; false with errno when it cannot be read. */
bool audit_anchor_file(struct audit_anchors *a, const char *path);
/* audit_verify: those in the log are added, then the whole log is walked: as store_verify_stream. A log
 * without any entry is ERR_AUDIT_TRUNCATED: a gaveld begins with one. ERR_AUDIT_SIGNATURE: it is whole, but
 * a.bad > 0. */
MUST_CHECK enum err audit_verify(struct store *s, struct audit_anchors *a, char why[256]);

#endif
