/* screen.h: the whole screen: which views stand where, by size. model -> canvas.
 *
 * >= 120 columns: people, chat, facts | >= 60: people, chat | narrower, or on a slow line: a roster of one
 * line and one pane (Tab changes it) | under 6 rows: panes go first, then the footer; never "terminal too
 * small". Invariant: any size from 1x1 draws without fault, and the cursor is inside. Pure. One thread. */
#ifndef GAVEL_TUI_SCREEN_H
#define GAVEL_TUI_SCREEN_H

#include "tui/view.h"

/* screen_draw: clears the canvas and draws all. */
void screen_draw(const struct scene *v);
/* screen_title: for the terminal's title: "(MIC) standup - 12 here". */
void screen_title(const struct model *m, char out[SAY_MAX]);

#endif
