/* secret_file.h: files that hold a secret of the person: read only when nobody else may touch them, written
 * so that nobody else can, whole or not at all. Thread: main. */
#ifndef GAVEL_TUI_SECRET_FILE_H
#define GAVEL_TUI_SECRET_FILE_H

#include "core/base/err.h"

#include <stddef.h>

/* secret_file_read: "-" is one line of standard input. At most cap - 1 bytes, without the last line break,
 * and a NUL; *n how many. ERR_IO: it is not there or cannot be read, ERR_NOT_ALLOWED: group or others may
 * touch it, ERR_FULL: too long; each with a sentence in `why`. */
MUST_CHECK enum err secret_file_read(const char *path, char *out, size_t cap, size_t *n, char why[256]);
/* secret_file_write: 0600. ERR_IO with `why`. */
MUST_CHECK enum err secret_file_write(const char *path, const char *text, char why[256]);

#endif
