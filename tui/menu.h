/* menu.h: every command by letters: one for its group, one for itself. What the key `o` opens.
 *
 * Invariant: the letters follow from the tables alone, so they never move; the people it works on are those
 * that were chosen when it opened, whatever happens in the room meanwhile. Pure; the front end's thread. */
#ifndef GAVEL_TUI_MENU_H
#define GAVEL_TUI_MENU_H

#include "tui/pilot.h"

#define MENU_ROWS_MAX 36
struct menu_row {
  char letter;
  unsigned group;                /* enum act_group, or ACT_GROUP__COUNT: the screen's own */
  const struct command *command; /* NULL: the row is the group */
  const char *refusal;           /* why it cannot be used now, or NULL */
};

/* menu_open: on the marks, else the person of the cursor; in `group`, or at the choice of one when that is
 * past ACT_GROUP__COUNT. */
void menu_open(struct model *m, unsigned group);
/* menu_rows: what is to be chosen now; returns how many. menu_rows_of: of one group, or of the groups,
 * whatever is open. */
size_t menu_rows(const struct model *m, struct menu_row rows[MENU_ROWS_MAX]);
size_t menu_rows_of(const struct model *m, unsigned group, struct menu_row rows[MENU_ROWS_MAX]);
/* menu_title: "people, on 2 marked", "voice, on bob". */
void menu_title(const struct model *m, char out[SAY_MAX]);
/* menu_text: a row in words, letter first: "r remove who... [text]  x  remove people: ...". Keys of `keys`,
 * NULL for none. */
void menu_text(const struct menu_row *row, const struct keymap *keys, char out[SAY_MAX]);
/* menu_key: letters, arrows, Enter, Backspace (to the groups). False when it has no use for the key. */
bool menu_key(struct pilot *c, struct key k, us_t now);

#endif
