/* watch_text.h: what `gavel watch` says without a screen: a table once, sentences of what changed, conditions
 * that hold.
 *
 * Invariant: one line is one sentence; what has not changed in a way that matters is not said: a figure that
 * trembles makes no lines. Pure. One thread. */
#ifndef GAVEL_TUI_WATCH_TEXT_H
#define GAVEL_TUI_WATCH_TEXT_H

#include "tui/watch_model.h"

#define WATCH_SENTENCE_MAX 400

/* watch_text_table: a line about the server, then a row for each room shown; malloc'd, never NULL. */
char *watch_text_table(const struct watch_model *m, us_t now);
/* watch_text_server: "312 rooms, 2841 people, 12 wait, 3 alerts." */
void watch_text_server(const struct watch_model *m, char out[WATCH_SENTENCE_MAX]);
/* watch_text_change: what happened to a room, as a sentence; false: nothing worth a word. before NULL: it is
 * new; after NULL: it is over. */
bool watch_text_change(const struct watch_row *before, const struct watch_row *after,
                       char out[WATCH_SENTENCE_MAX]);
/* watch_text_fails: does the condition hold now? Then `out` says so: "loss>5%: standup (5/12), demo (0/9)",
 * at most a few rooms by name, and *rooms (may be NULL) lists the names of all. */
bool watch_text_fails(const struct watch_model *m, const char *condition, us_t now,
                      char out[WATCH_SENTENCE_MAX], json_t *rooms);

#endif
