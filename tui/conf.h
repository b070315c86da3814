/* conf.h: INI files with line numbers and "did you mean" (theme and keys files).
 *
 * Invariant: the first fault is told as "FILE:LINE: ..."; lines are at most 180 bytes. One thread. */
#ifndef GAVEL_TUI_CONF_H
#define GAVEL_TUI_CONF_H

#include "core/base/err.h"

#include <stddef.h>

#define CONF_WHY 256
#define CONF_NAME 64
struct conf_line {
  const char *section, *name, *value;
  int line;
};
/* A handler returns ERR_OK or fills `why` with the fault alone (conf adds file and line) and returns another.
 */
typedef enum err conf_handler(void *ctx, const struct conf_line *l, char why[CONF_WHY]);

/* conf_text: reads `text`; `file` is only named. A line that is no `name = value` is `bad`. */
MUST_CHECK enum err conf_text(const char *file, const char *text, enum err bad, conf_handler *fn, void *ctx,
                              char why[CONF_WHY]);
/* conf_file: reads a file of at most 64 KiB; ERR_IO when it cannot. */
MUST_CHECK enum err conf_file(const char *path, enum err bad, conf_handler *fn, void *ctx,
                              char why[CONF_WHY]);

/* conf_hint: appends "; did you mean NAME?" to the fault when one of n names is near `word` by edit distance
 * (swaps count as one). name_at gives the i-th name, built in buf if need be. */
typedef const char *conf_name_at(const void *ctx, size_t i, char buf[CONF_NAME]);
void conf_hint(char why[CONF_WHY], const char *word, conf_name_at *name_at, const void *ctx, size_t n);
/* conf_name_in: a name_at for a plain table of strings. */
const char *conf_name_in(const void *table, size_t i, char buf[CONF_NAME]);

#endif
