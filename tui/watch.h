/* watch.h: `gavel watch`: the live rooms of a server, for its operator: full screen, or lines, JSON, a table
 * once, an exit code for scripts.
 *
 * Invariant: exit codes are those of exit.h; EXIT_CONDITION means a --fail-if holds and nothing else. Thread:
 * main. */
#ifndef GAVEL_TUI_WATCH_H
#define GAVEL_TUI_WATCH_H

#include "tui/options.h"

/* watch_run: the front end that the options ask for; without a terminal it is lines. */
enum exit_code watch_run(struct options *o);
/* watch_app_run, watch_stream_run: the full screen; everything else. */
enum exit_code watch_app_run(struct options *o);
enum exit_code watch_stream_run(struct options *o);

#endif
