/* command.h: the one table of everything a person can do: the acts of core/room/acts.def, then the screen's
 * own (command.def). Keys, the `:` line, completion, `?`, the footer and line mode all read it.
 *
 * Invariant: names are unique; every row can be reached by its name. Const tables and pure functions; any
 * thread. */
#ifndef GAVEL_TUI_COMMAND_H
#define GAVEL_TUI_COMMAND_H

#include "tui/keymap.h"
#include "tui/model.h"

enum ui {
#define UI(id, ...) UI_##id,
#include "tui/command.def"
#undef UI
  UI__COUNT
};
struct command {
  const char *name, *args, *keys, *help;
  enum key_context context;
  enum act act; /* ACT__COUNT: not an act, then `ui` */
  enum ui ui;
};
#define COMMANDS_COUNT ((size_t)ACT__COUNT + (size_t)UI__COUNT)
extern const struct command COMMANDS[COMMANDS_COUNT];

/* command_find: by name ('-' counts as '_') or an unambiguous beginning of one, but what destroys or touches
 * everyone by its full name only; NULL: `why` says what is wrong. */
const struct command *command_find(const char *name, size_t len, char why[SAY_MAX]);
const struct command *command_of_act(enum act act);
const struct command *command_of_ui(enum ui ui);
/* command_group: the page of the menu and the section of help and docs it is in: an enum act_group, or
 * ACT_GROUP__COUNT for what the screen does. command_group_name: "lobby" ... "screen". */
unsigned command_group(const struct command *c);
const char *command_group_name(unsigned group);
/* command_more: a second key that works while typing, too, "" for none. */
const char *command_more(const struct command *c);
/* command_refusal: NULL when it may be used now, else the reason in words ("needs cohost"); target 0: nobody
 * in particular. */
const char *command_refusal(const struct model *m, const struct command *c, uint32_t target);
/* command_keymap: a keymap with the defaults of the table, and those of `gavel watch` (watch_keys.def). */
struct keymap *command_keymap(void);
/* command_title: the name as one types it: "mute-all". */
void command_title(const struct command *c, char out[32]);

#endif
