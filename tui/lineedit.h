/* lineedit.h: one line of text being typed: cursor, words, kill, history; UTF-8 and wide characters.
 *
 * Invariant: the text is valid UTF-8 of at most max_bytes, without control, bidi or invisible characters; the
 * cursor stands before a base character, never before a combining mark. Newlines (of a paste) become spaces.
 * One thread. */
#ifndef GAVEL_TUI_LINEEDIT_H
#define GAVEL_TUI_LINEEDIT_H

#include "tui/canvas.h"
#include "tui/key.h"

#include <stdbool.h>
#include <stddef.h>

#define LINEEDIT_HISTORY 100 /* lines kept */

enum lineedit_result {
  LINEEDIT_UNUSED,  /* the key means nothing here: ask the keymap */
  LINEEDIT_CHANGED, /* text or cursor changed, draw */
  LINEEDIT_FULL,    /* the text is at its limit (ring the bell) */
  LINEEDIT_SUBMIT   /* Enter: take lineedit_text, then lineedit_accept or lineedit_clear */
};
struct lineedit;
/* lineedit_create: max_bytes without NUL. secret: shown as dots, never kept in the history, wiped when
 * cleared (passwords). */
struct lineedit *lineedit_create(size_t max_bytes, bool secret);
void lineedit_destroy(struct lineedit *le);

/* lineedit_key: printable characters, Left Right Home End Backspace Delete, Ctrl-a e b f d k u w y, Alt-b f d
 * Backspace, Ctrl-Left/Right, Up and Down (and Ctrl-p Ctrl-n) for the history, Enter. Releases and other keys
 * are LINEEDIT_UNUSED; on an empty line also Up/Down without history, Left, Right, Home, End, Backspace and
 * Delete. Where letters act on an empty line, ask the keymap first. */
enum lineedit_result lineedit_key(struct lineedit *le, struct key k);
/* lineedit_has: the key edits (Ctrl-k, Alt-b); what it writes does not count. */
bool lineedit_has(struct key k);
/* lineedit_insert: text at the cursor (a paste, a completion), cleaned; what does not fit is left out
 * (LINEEDIT_FULL). */
enum lineedit_result lineedit_insert(struct lineedit *le, const char *text, size_t n);

/* lineedit_text: what is typed, borrowed until the next change. */
const char *lineedit_text(const struct lineedit *le);
bool lineedit_is_empty(const struct lineedit *le);
/* lineedit_cursor: byte offset of the cursor (for completion). */
size_t lineedit_cursor(const struct lineedit *le);
/* lineedit_set: replaces the text, cursor at its end. */
void lineedit_set(struct lineedit *le, const char *text);
/* lineedit_replace: bytes [from, cursor) become `text` (completion of a word). */
void lineedit_replace(struct lineedit *le, size_t from, const char *text);
void lineedit_clear(struct lineedit *le);
/* lineedit_accept: the line goes into the history (unless empty, secret, or the same as the last) and is
 * cleared. */
void lineedit_accept(struct lineedit *le);

/* lineedit_draw: the part around the cursor in w columns at x,y, and the real cursor parked there when
 * `focused`. */
void lineedit_draw(struct lineedit *le, struct canvas *c, int x, int y, int w, enum style s, bool focused);

#endif
