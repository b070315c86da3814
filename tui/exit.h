/* exit.h: how the program ends: the documented exit codes and which fault leads to which.
 *
 * Invariant: a number never changes its meaning (scripts test them). Pure; any thread. */
#ifndef GAVEL_TUI_EXIT_H
#define GAVEL_TUI_EXIT_H

#include "core/base/err.h"

enum exit_code {
  EXIT_LEFT = 0,
  EXIT_USAGE = 1,
  EXIT_CONNECT = 2,  /* cannot connect, or lost the server for good */
  EXIT_REFUSED = 3,  /* password, invite, lobby denied, locked, full, banned at the door */
  EXIT_REMOVED = 4,  /* removed or banned while in the room */
  EXIT_ENDED = 5,    /* the room has ended */
  EXIT_AUDIO = 6,    /* only with --require-audio */
  EXIT_PROTOCOL = 7, /* the two sides speak different versions */
  EXIT_CONSENT = 8,  /* the server asks consent to a text that was not accepted */
  EXIT_CONDITION = 9, /* gavel watch: a condition of --fail-if holds */
  EXIT_SIGNAL = 130
};

/* exit_of: the code for the fault a session ended with. */
enum exit_code exit_of(enum err why);

#endif
