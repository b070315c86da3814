/* keymap.h: which key means which action, per context; the defaults are the caller's table, the user's file
 * changes them.
 *
 * Invariant: in one context a key has at most one action; what the user wrote beats a default, later lines
 * beat earlier ones, and every key that lost its action that way is in the conflict report. One thread. */
#ifndef GAVEL_TUI_KEYMAP_H
#define GAVEL_TUI_KEYMAP_H

#include "core/base/err.h"
#include "tui/key.h"

#include <stddef.h>

/* X(ID, section of the keys file). What a context has nothing for, the next one is asked: LOBBY and CHAT ask
 * ROOM; ROOM, HELP and WATCH ask LIST; all ask GLOBAL last. */
#define KEY_CONTEXTS(X)                                                                                      \
  X(GLOBAL, "global")   /* everywhere */                                                                     \
  X(ROOM, "room")       /* in a room, nothing is typed */                                                    \
  X(LOBBY, "lobby")     /* the same, in the pane of those who wait */                                        \
  X(CHAT, "chat")       /* the same, in the chat */                                                          \
  X(INPUT, "input")     /* a line is being typed: letters are text, bind only chords and named keys */       \
  X(LIST, "list")       /* moving in whatever has rows: people, pages, the menu */                           \
  X(HELP, "help")       /* the list of commands: letters filter it, as in INPUT */                           \
  X(WATCH, "watch")     /* gavel watch; asks LIST */                                                         \
  X(CONFIRM, "confirm") /* a question is open */

enum key_context {
#define X(id, name) KEY_CONTEXT_##id,
  KEY_CONTEXTS(X)
#undef X
      KEY_CONTEXT__COUNT
};

/* One default binding. `action` must stay valid as long as the keymap (a string of the table of actions). An
 * action may have several rows; `key` NULL names an action that has no key by default but may be bound by the
 * user. */
struct keymap_default {
  enum key_context context;
  const char *action;
  const char *key; /* a name as key_from_name takes it */
};

struct keymap;
/* keymap_create: the table is copied, not its strings; asserts that every key name of the table is known and
 * no key has two actions in a context.
 */
struct keymap *keymap_create(const struct keymap_default *table, size_t n);

/* keymap_load: the user's INI file on top of what is there. In a section [context]:
 *   mute = m F5      the keys of `mute` in this context are now m and F5, and no others
 *   mute = none      `mute` has no key here
 *   unbind = x Ctrl-k   these keys do nothing here (nor fall through to [global])
 * "Semicolon" names the key ';'. Plain characters cannot be bound in [input] and [help]. An unknown section,
 * action or key is ERR_BAD_CONFIG: `why` says file, line and the nearest name; the keymap then holds what was
 * read before the fault. ERR_IO when the file cannot be read. */
MUST_CHECK enum err keymap_load(struct keymap *km, const char *path, char why[256]);
/* keymap_load_text: the same from memory; `name` stands for the file in `why`. */
MUST_CHECK enum err keymap_load_text(struct keymap *km, const char *name, const char *text, char why[256]);

/* keymap_lookup: the action of a key, or NULL. In INPUT and HELP a plain character is text, never an action,
 * whatever [global] says. The phase is ignored: the caller drops KEY_RELEASE for all but push-to-talk (when a
 * release arrives the modifiers may already be gone, so match a held key's release by its code alone). */
const char *keymap_lookup(const struct keymap *km, enum key_context c, struct key k);
/* keymap_key: name of the i-th key (0 = first) of an action in a context or else in those asked after it;
 * false when there is none. Keys shadowed by the context are left out, so the footer shows only keys that
 * work. */
bool keymap_key(const struct keymap *km, enum key_context c, const char *action, size_t i, char out[24]);
/* keymap_conflict: the i-th conflict as a sentence ("[room] m: mute (line 3) instead of menu"); false past
 * the last. */
bool keymap_conflict(const struct keymap *km, size_t i, char out[160]);
void keymap_destroy(struct keymap *km);

#endif
