/* view.h: the views: each draws one part of the model into a rectangle of a canvas. No state, no curses.
 *
 * Invariant: a view only reads; whatever the size of its rectangle, it draws inside; what is shown by colour
 * is shown by a sign or a word too; the real cursor stands on what has the focus. One thread. */
#ifndef GAVEL_TUI_VIEW_H
#define GAVEL_TUI_VIEW_H

#include "tui/canvas.h"
#include "tui/pace.h"
#include "tui/pilot.h"

#define VIEW_TIME_MAX 32

struct scene { /* what a view needs to draw */
  const struct model *m;
  struct canvas *c;
  const struct keymap *keys;
  const struct pace_tier_info *pace; /* what the line can carry */
  us_t now;
};
/* view_people: the list of model_rows, one a row. view_roster_line: those inside as one line for thin
 * screens. view_waiting, view_hands: the lobby and the raised hands, each with a title. */
void view_people(const struct scene *v, struct rect r);
void view_roster_line(const struct scene *v, struct rect r);
void view_waiting(const struct scene *v, struct rect r);
void view_hands(const struct scene *v, struct rect r);
/* view_card: the person of the cursor; with nobody there, or where there is room for it, what is set in the
 * room and the own line. */
void view_card(const struct scene *v, struct rect r);
/* view_banner: what the whole room must see now: its planned end, the recall, the poll, the agenda. Draws at
 * most r.h rows and returns how many. */
int view_banner(const struct scene *v, struct rect r);
/* view_panes_line: which pane this is, and what Tab brings. */
void view_panes_line(const struct scene *v, struct rect r);
/* view_outside: instead of the room while connecting, waiting in the lobby, or when it is over. */
void view_outside(const struct scene *v, struct rect r);
/* view_chat: the pinned message, then messages and notices, newest at the bottom. view_log: the notices. */
void view_chat(const struct scene *v, struct rect r);
void view_log(const struct scene *v, struct rect r);
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
/* view_menu: the letters of the open menu, over the bottom of r. */
void view_menu(const struct scene *v, struct rect r);
/* view_ask: the open question, drawn over the bottom of r. */
void view_ask(const struct scene *v, struct rect r);
/* view_wrap: the bytes of `text` that go on a row of `cols` columns: broken at a blank or newline where
 * possible; *next is where the following row begins. */
size_t view_wrap(const char *text, size_t cols, size_t *next);
/* view_left: the time until `until_ms` (wall): "01:20"; where nothing may tick the time of day, "09:14", and
 * false. view_spell: a length of time: "3:20", "1:05 h". view_floor_left: what is left of someone's turn;
 * false: it has no end. */
bool view_left(const struct scene *v, int64_t until_ms, char out[VIEW_TIME_MAX]);
void view_spell(int64_t seconds, char out[VIEW_TIME_MAX]);
bool view_floor_left(const struct scene *v, const struct member *p, char out[VIEW_TIME_MAX]);
/* view_is_held: someone muted whom a held mute-all keeps from unmuting himself. */
bool view_is_held(const struct model *m, const struct member *p);
/* view_chat_shown: the chat is in sight on a screen of w columns. */
bool view_chat_shown(const struct scene *v, int w);

#endif
