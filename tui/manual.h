/* manual.h: manual pages in roff (man(7)), made from the same tables as the programs: docs/man holds them.
 *
 * Invariant: pure; any thread. */
#ifndef GAVEL_TUI_MANUAL_H
#define GAVEL_TUI_MANUAL_H

/* manual_page: "gavel" or "gavelctl", malloc'd; NULL for another name. Aborts without memory. */
char *manual_page(const char *name);

#endif
