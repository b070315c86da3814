/* term.h: a terminal as the app sees it; behind it ncursesw. Curses only draws; input bytes go through key.h.
 *
 * Invariant: the terminal is restored at close, on a fatal signal and at exit (one async-signal-safe string).
 * Never wclear. One thread. */
#ifndef GAVEL_TUI_TERM_H
#define GAVEL_TUI_TERM_H

#include "tui/canvas.h"
#include "tui/osc.h"
#include "tui/theme.h"

#include <stdbool.h>
#include <stddef.h>

struct term;
struct term_config {
  const struct theme *theme; /* borrowed; term_theme changes it live */
  bool ascii;                /* or by locale */
  int colours;               /* 0 mono, 16, 256; -1: ask terminfo and NO_COLOR */
  bool kitty;                /* ask for the kitty keyboard protocol */
};
/* term_open: NULL with *why when stdin/stdout are no terminal, or TERM is unknown or cannot place the cursor.
 * Sets LC_CTYPE from the environment and takes SIGWINCH and SIGTSTP; fatal signals restore the terminal
 * first. One terminal at a time. */
struct term *term_open(const struct term_config *c, const char **why);
bool term_ascii(const struct term *t); /* the canvas must be ASCII: asked for, or no UTF-8 locale */
void term_theme(struct term *t, const struct theme *theme);
void term_size(struct term *t, int *w, int *h);          /* re-reads after SIGWINCH */
int term_fd(const struct term *t);                       /* stdin */
int term_resize_fd(const struct term *t);                /* readable after SIGWINCH */
bool term_resized(struct term *t);                       /* clears it */
size_t term_read(struct term *t, void *bytes, size_t n); /* non-blocking; 0: nothing; (size_t)-1: hung up */
/* term_kitty_answer: call at each KEY_KITTY with its flags (key.mods). Asks for press/repeat/release events;
 * which keys' releases the terminal really reports is known after its second answer: see term_releases. */
enum term_releases {
  TERM_RELEASES_NONE,
  TERM_RELEASES_NAMED, /* F-keys and the like, but not Space and letters */
  TERM_RELEASES_ALL
};
void term_kitty_answer(struct term *t, unsigned flags);
enum term_releases term_releases(const struct term *t);
void term_receipt(struct term *t); /* asks for a KEY_RECEIPT behind what was drawn */
void term_draw(struct term *t, const struct canvas *c);
void term_redraw(struct term *t);                    /* ^L: the next draw repaints all */
unsigned long long term_bytes(const struct term *t); /* written so far: the pace budget counts them */
/* Outside the window: bell; title (restored at close); desktop notice as asked for (wrapped for tmux); copy
 * by OSC 52. Text is filtered. */
void term_bell(struct term *t);
void term_title(struct term *t, const char *text);
void term_notify(struct term *t, enum osc_notify how, const char *text);
bool term_copy(struct term *t, const char *text);
/* term_mouse: clicks and the wheel come as keys. Off by default: it takes away the terminal's own selection.
 */
void term_mouse(struct term *t, bool on);
/* term_suspend: ^Z: give the terminal back, stop, take it again; draw everything afterwards. */
void term_suspend(struct term *t);
void term_close(struct term *t);

#endif
