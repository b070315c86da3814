/* view.h: the views: each draws one part of the model into a rectangle of a canvas. No state, no curses.
 *
 * Invariant: a view only reads; whatever the size of its rectangle, it draws inside; what is shown by colour
 * is shown by a sign or a word too; the real cursor stands on what has the focus. One thread. */
#ifndef GAVEL_TUI_VIEW_H
#define GAVEL_TUI_VIEW_H

#include "tui/canvas.h"
#include "tui/pace.h"
#include "tui/pilot.h"

struct scene { /* what a view needs to draw */
  const struct model *m;
  struct canvas *c;
  const struct keymap *keys;
  const struct pace_tier_info *pace; /* what the line can carry */
  us_t now;
};
/* view_people: the lobby's people, then those here, one a row. view_roster_line: the same as one line for
 * thin screens. */
void view_people(const struct scene *v, struct rect r);
void view_roster_line(const struct scene *v, struct rect r);
/* view_facts: the room's settings, raised hands and the own line quality: the third column of wide screens.
 */
void view_facts(const struct scene *v, struct rect r);
/* view_outside: instead of the room while connecting, waiting in the lobby, or when it is over. */
void view_outside(const struct scene *v, struct rect r);
/* view_chat: messages and notices, newest at the bottom. */
void view_chat(const struct scene *v, struct rect r);
/* view_header: room, counts, who waits, lock. view_status: microphone and the newest notice. view_footer: the
 * keys that work now. view_input: the line being typed. Each one row. */
void view_header(const struct scene *v, struct rect r);
void view_status(const struct scene *v, struct rect r);
void view_footer(const struct scene *v, struct rect r);
void view_input(const struct scene *v, struct rect r);
/* view_help, view_page: full pages. view_palette: what the word typed could become, drawn upwards from the
 * bottom of r. */
void view_help(const struct scene *v, struct rect r);
void view_page(const struct scene *v, struct rect r);
void view_palette(const struct scene *v, struct rect r);
/* view_ask: the open question, drawn over the bottom of r. */
void view_ask(const struct scene *v, struct rect r);
/* view_wrap: the bytes of `text` that go on a row of `cols` columns: broken at a blank or newline where
 * possible; *next is where the following row begins. */
size_t view_wrap(const char *text, size_t cols, size_t *next);

#endif
