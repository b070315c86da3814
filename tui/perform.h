/* perform.h: the screen's own commands (command.def), for pilot.c.
 *
 * Invariant: as pilot.h. */
#ifndef GAVEL_TUI_PERFORM_H
#define GAVEL_TUI_PERFORM_H

#include "tui/pilot.h"

/* perform_ui: `words` is what followed on the line, "" for a key. False when it was refused. */
bool perform_ui(struct pilot *c, enum ui ui, const char *words, us_t now);
/* perform_quit: asks whether to leave; leaves when that is asked already. */
void perform_quit(struct pilot *c, us_t now);

#endif
