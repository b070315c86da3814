/* term_look.h: what the terminal of standard output is, without opening it. Thread: main. */
#ifndef GAVEL_TUI_TERM_LOOK_H
#define GAVEL_TUI_TERM_LOOK_H

#include <stdbool.h>

struct term_look {
  bool is, known, places; /* a terminal; TERM is in terminfo, and can place the cursor */
  int w, h, colours;
};
/* term_look: looks at standard output now; without a terminal `is` is false and the rest 0. */
void term_look(struct term_look *out);

#endif
