/* demo.h: `gavel demo`: a room with invented people, to try the screen and the keys without a second person.
 *
 * Invariant: needs no network beyond 127.0.0.1. Thread: main. */
#ifndef GAVEL_TUI_DEMO_H
#define GAVEL_TUI_DEMO_H

/* demo_main: argv[0] is "demo". Returns an exit code of tui/exit.h. */
int demo_main(int argc, char **argv);

#endif
