/* key.h: keys as values, their names, and the parser from terminal bytes (xterm, linux, kitty protocol,
 * paste, focus).
 *
 * Invariant: any byte sequence, split anywhere, gives the same keys; unknown sequences vanish; a lone ESC
 * becomes KEY_ESC after INPUT_ESC_MS. Sans-IO, time injected. One thread. */
#ifndef GAVEL_TUI_KEY_H
#define GAVEL_TUI_KEY_H

#include "core/base/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* clang-format off */
enum key_code { /* below 0x110000 a code point; ASCII control characters appear as CTRL + letter */
  KEY_NONE = 0,
  KEY_ESC = 0x110000, KEY_ENTER, KEY_TAB, KEY_BACKTAB, KEY_BACKSPACE, KEY_DELETE, KEY_INSERT, KEY_UP,
  KEY_DOWN, KEY_LEFT, KEY_RIGHT, KEY_HOME, KEY_END, KEY_PGUP, KEY_PGDN, KEY_F1, KEY_F12 = KEY_F1 + 11,
  KEY_PASTE,   /* text of a bracketed paste follows in input_paste() */
  KEY_FOCUS_IN, KEY_FOCUS_OUT, KEY_RESIZE,
  KEY_KITTY,   /* the terminal answered CSI ? u: it knows the kitty protocol; mods holds its flags */
  KEY_RECEIPT, /* the terminal answered CSI 5 n: the frame before it is on screen */
  KEY_CLICK,   /* the left button went down at x, y; only where the mouse was asked for */
  KEY_WHEEL_UP, KEY_WHEEL_DOWN
};
/* clang-format on */
enum key_mod { MOD_SHIFT = 1, MOD_ALT = 2, MOD_CTRL = 4 };
enum key_phase { KEY_PRESS, KEY_REPEAT, KEY_RELEASE };
struct key {
  uint32_t code;
  uint8_t mods;
  uint8_t phase;
  uint16_t x, y; /* KEY_CLICK: cell, from 0 */
};
/* key_name: "a", "M", "Space", "Ctrl-l", "Alt-a", "F1", "PgUp"; key_from_name is its inverse (case of
 * modifiers is free). */
/* The name of an event that is no key (paste, focus, ...) is "". "Semicolon", "Backspace", "Escape", "PageUp"
 * and the like are taken too. */
void key_name(struct key k, char out[24]);
bool key_from_name(const char *s, struct key *out);
/* key_normal: one form for one key: Shift-a is A, Ctrl-A is Ctrl-a, Shift-Tab is KEY_BACKTAB. */
struct key key_normal(uint32_t code, unsigned mods, enum key_phase phase);

#define INPUT_ESC_MS 30
#define INPUT_PASTE_MAX 65536 /* bytes of a paste; the rest is left out */
struct input;
/* input_create: a decoder at rest; NULL without memory. */
struct input *input_create(void);
/* input_feed: poll until false after each feed; bytes over 64 KiB that nobody polled for are dropped. */
void input_feed(struct input *in, us_t now, const void *bytes, size_t n);
/* input_poll: next complete key; bytes that arrived go before the timeout of an ESC. input_next_timeout: when
 * a lone ESC is decided. */
bool input_poll(struct input *in, us_t now, struct key *out);
us_t input_next_timeout(const struct input *in);
/* input_paste: text of the last KEY_PASTE, cleaned of controls but newline, valid UTF-8, borrowed until the
 * next poll or feed. */
const char *input_paste(const struct input *in);
void input_destroy(struct input *in);

#endif
