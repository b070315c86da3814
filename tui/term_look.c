/* Not in term_curses.c: terminfo's term.h makes macros of common words. */
#include "tui/term_look.h"

#include <curses.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <term.h> /* needs curses.h before it */

void term_look(struct term_look *out) {
  struct winsize size = {0};
  int fault;
  *out = (struct term_look){.is = isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0};
  out->w = size.ws_col;
  out->h = size.ws_row;
  out->known = out->is && setupterm(NULL, STDOUT_FILENO, &fault) == OK;
  if (!out->known)
    return;
  const char *cup = tigetstr("cup");
  int colours = tigetnum("colors");
  out->places = cup && cup != (const char *)-1;
  out->colours = colours > 0 ? colours : 0;
  (void)del_curterm(cur_term);
}
