/* refusal.h: why an act was not done, in words that fit the act; and what an act leaves to be done.
 *
 * Invariant: a sentence without a full stop, as err_text. Pure; any thread. */
#ifndef GAVEL_TUI_REFUSAL_H
#define GAVEL_TUI_REFUSAL_H

#include "core/room/room.h"
#include "tui/say.h"

/* refusal_text: why `act` (ACT__COUNT: not known) ended with `why`; `text` is what the server said, "" for
 * nothing. What the server said beyond the general text of `why` stands. The result lives as long as `text`.
 */
const char *refusal_text(enum act act, enum err why, const char *text);
/* refusal_no_floor: one-speaker has ended: adds to the sentence who is left without the floor, if anyone. */
void refusal_no_floor(const struct room *r, uint32_t me, char said[SAY_MAX]);

#endif
