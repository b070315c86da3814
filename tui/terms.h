/* terms.h: which consent text the person accepted on which server, so that he is asked once for each version.
 *
 * A file of "HOST PORT VERSION" lines in the state folder, 0600; what cannot be read or kept is asked again.
 * Scripts do not use it: they name the version. Thread: main. */
#ifndef GAVEL_TUI_TERMS_H
#define GAVEL_TUI_TERMS_H

#include "core/wire/link.h"

#include <stdbool.h>

#define TERMS_VERSION_MAX 64 /* with NUL */
/* terms_known: the version he accepted there; false: none. */
bool terms_known(const struct link *server, char version[TERMS_VERSION_MAX]);
/* terms_keep: he accepted this one; NULL: he withdrew. */
void terms_keep(const struct link *server, const char *version);

#endif
