/* demo.h: `gavel demo`: a room with invented people, to try the screen and the keys without a second person.
 *
 * Invariant: needs no network beyond 127.0.0.1. Thread: main. */
#ifndef GAVEL_TUI_DEMO_H
#define GAVEL_TUI_DEMO_H

#include "tui/options.h"

/* demo_run: plays until the person (or the script that stands for him) leaves; returns the exit code. */
enum exit_code demo_run(struct options *o);

#endif
