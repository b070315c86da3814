/* canvas.h: a grid of cells that views draw into; terminals and goldens read it. No curses here.
 *
 * Invariant: a wide character owns two cells (the second has width 0 and no text); nothing unprintable ever
 * enters a cell: canvas_put filters again what came from the network (controls, bidi, invisible). Drawing
 * outside is clipped. One thread. */
#ifndef GAVEL_TUI_CANVAS_H
#define GAVEL_TUI_CANVAS_H

#include "tui/style.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CELL_BYTES 20 /* a base character and up to 4 combining marks, NUL-terminated UTF-8 */
struct cell {
  char text[CELL_BYTES];
  uint8_t width; /* 1, 2, or 0 for the right half of a wide one */
  uint8_t style; /* enum style */
};
struct rect {
  int x, y, w, h;
};
#define CANVAS_HITS_MAX 256
struct canvas {
  int w, h;
  struct cell *cells; /* h rows of w */
  /* where the real cursor is parked: always on the focused element (screen readers, braille) */
  int cursor_x, cursor_y;
  bool cursor_shown;
  struct hit {
    struct rect at;
    uint32_t person;
  } hits[CANVAS_HITS_MAX]; /* where people are drawn, for the mouse */
  size_t n_hits;
  bool ascii; /* line art and marks in ASCII only; text that is not ASCII is shown as '?' */
};
/* canvas_create: w by h blank cells; NULL without memory. canvas_clear: all blank again, the cursor hidden.
 */
struct canvas *canvas_create(int w, int h, bool ascii);
void canvas_destroy(struct canvas *c);
void canvas_clear(struct canvas *c);
/* canvas_put: UTF-8 text at x,y, at most max_cols columns, an ellipsis when cut; tab and newline become a
 * space. Returns the columns used (clipped ones included). */
int canvas_put(struct canvas *c, int x, int y, int max_cols, enum style s, const char *text);
void canvas_fill(struct canvas *c, struct rect r, enum style s, const char *cell_text);
void canvas_hline(struct canvas *c, int x, int y, int w, enum style s);
void canvas_vline(struct canvas *c, int x, int y, int h, enum style s);
void canvas_box(struct canvas *c, struct rect r, enum style s, const char *title);
void canvas_style(struct canvas *c, struct rect r, enum style s); /* restyle what is there */
/* canvas_hit: a person is drawn there. canvas_person_at: who is, 0 for nobody; a later one lies over an
 * earlier. */
void canvas_hit(struct canvas *c, struct rect r, uint32_t person);
uint32_t canvas_person_at(const struct canvas *c, int x, int y);
/* canvas_text: the grid as lines of text without trailing blanks; canvas_styles: one letter a cell (see
 * canvas.c), for goldens. malloc'd. */
char *canvas_text(const struct canvas *c);
char *canvas_styles(const struct canvas *c);

#endif
