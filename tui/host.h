/* host.h: `gavel host`: the room server inside this process, and its room.
 *
 * Invariant: the only part of the terminal client that knows the server. Thread: main. */
#ifndef GAVEL_TUI_HOST_H
#define GAVEL_TUI_HOST_H

#include "tui/options.h"

/* host_run: starts the server, makes or reopens the room, joins it as host; returns the exit code. */
enum exit_code host_run(struct options *o);

#endif
