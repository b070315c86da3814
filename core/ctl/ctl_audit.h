/* ctl_audit.h: what the files about the audit log share. It is read from the database itself, beside the
 * gaveld that writes it, so that it can be checked without trusting that gaveld. Thread: one. */
#ifndef GAVEL_CTL_CTL_AUDIT_H
#define GAVEL_CTL_CTL_AUDIT_H

#include "core/access/audit_format.h"
#include "core/ctl/ctl.h"

/* Exit codes of `audit verify`, one for each thing that may have been done to the log. */
enum {
  EXIT_EDITED = 10,
  EXIT_DELETED,
  EXIT_SWAPPED,
  EXIT_INSERTED,
  EXIT_TRUNCATED,
  EXIT_RECHAINED,
  EXIT_SIGNATURE
};

/* audit_db: the database to read, NULL after a line on stderr with the exit code in *rc. */
struct store *audit_db(struct ctl *c, int *rc);
/* audit_each: each entry as its object (audit_object), borrowed; false after a line on stderr. `each` says
 * whether to go on. */
bool audit_each(struct store *s, bool (*each)(void *ctx, const json_t *entry, int64_t ts_ms), void *ctx);
/* audit_when: "2h" ago, a day or a UTC time as wall ms; false after a line on stderr. */
bool audit_when(const char *text, int64_t *ms);
/* audit_file_verify: a file that `audit export` wrote; key NULL: signatures are not looked at. Returns the
 * exit code. */
int audit_file_verify(const char *path, const uint8_t *key);

#endif
