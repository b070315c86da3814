/* screen.h: the whole screen: which views stand where, by size. model -> canvas.
 *
 * >= 120 columns: people | chat | lobby, hands, card. >= 60: people | chat; the lobby or the hands take the
 * place of the people, log and card that of the chat, while they are focused. Narrower, zoomed or on a slow
 * line: one pane, under a line that says which and what Tab brings. Under 6 rows panes go first, then the
 * footer; never "terminal too
 * small".
 * Invariant: any size from 1x1 draws without fault, and the cursor is inside. Pure. One thread. */
#ifndef GAVEL_TUI_SCREEN_H
#define GAVEL_TUI_SCREEN_H

#include "tui/view.h"

/* screen_draw: clears the canvas and draws all. */
void screen_draw(const struct scene *v);
/* screen_title: for the terminal's title: "(MIC) standup - 12 here". */
void screen_title(const struct model *m, char out[SAY_MAX]);

#endif
