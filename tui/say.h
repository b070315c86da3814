/* say.h: room events as plain English sentences: the notices of the chat pane, the log, and every line of
 * line mode.
 *
 * Invariant: a sentence names people as the reader knows them ("You", "bob", "3 people") and holds no control
 * character beyond what the server already cleaned. Pure. */
#ifndef GAVEL_TUI_SAY_H
#define GAVEL_TUI_SAY_H

#include "core/room/room.h"
#include "tui/style.h"

#define SAY_MAX 400

/* say_event: the sentence for `ev` as `me` reads it. Ask before the event is applied (people who go are still
 * known). False when the event is not worth a line (chat has its own form: say_chat). */
bool say_event(const struct room *r, uint32_t me, const struct room_event *ev, char out[SAY_MAX],
               enum style *style);
/* say_silence: why events of this kind, or some of them, have no sentence; NULL: they all have one. */
const char *say_silence(enum room_ev kind);
/* say_duration: "10 s", "5 min", "2 h", "3 days"; large ones rounded. say_ban: whom a ban holds: a name, or
 * its rule; NULL is "someone". */
void say_duration(int64_t seconds, char out[24]);
void say_ban(const struct ban *b, char out[SAY_MAX]);
/* say_chat_head: "bob", "bob to you (private)", "You to the hosts": what stands before the text of a message.
 */
void say_chat_head(const struct room *r, uint32_t me, const struct chat *c, char out[SAY_MAX]);
/* say_sentence: an engine's notice ("no microphone: nobody hears you") with a capital and a full stop; ""
 * stays "". */
void say_sentence(const char *text, char out[SAY_MAX]);
/* say_name: "You"/"you" for oneself, "the operator" for 0, "a host" for one without a name, "someone" for the
 * unknown; `first` begins a sentence. */
const char *say_name(const struct room *r, uint32_t me, uint32_t id, bool first);
/* say_people: "bob", "bob and you", "ann, bob and cid", "5 people", "you and 4 others". */
void say_people(const struct room *r, uint32_t me, const uint32_t *ids, size_t n, bool first, char *out,
                size_t cap);

#endif
