/* demo_cast.h: the five guests of the demo: real clients with a script, on a thread of their own.
 * Invariant: they use nothing but core/session/client.h: whatever they do, another client could. Thread:
 * start and stop from the owner's. */
#ifndef GAVEL_TUI_DEMO_CAST_H
#define GAVEL_TUI_DEMO_CAST_H

#include "core/wire/link.h"

struct cast;
struct cast_results {
  unsigned guests, admitted, acts_ok, acts_refused, loss_pct;
  int path_ms, heard_ms; /* medians over the guests: sound path after admission, speech after the first
                            microphone opened; -1: never */
  const char *profile;
};
/* cast_start: `dir` holds NAME.opus of each. keyboard >= 0: a pipe into the host's line mode, typed into by
 * the host's own script; it is closed at the end. NULL: a client could not be started. */
struct cast *cast_start(const struct link *guest, const char *dir, int keyboard);
void cast_stop(struct cast *c, struct cast_results *out);

#endif
