/* pilot.h: what keys and typed lines do: modes, the question, the palette, push-to-talk. The full screen,
 * line mode and headless mode all come through here, so they cannot differ.
 *
 * Invariant: letters are keys only while nothing is typed; Esc goes back and never quits; an act that asks is
 * sent only by an answer to its own question. Changes the model and its outbox, nothing else. Pure: time is
 * passed in. One thread. */
#ifndef GAVEL_TUI_PILOT_H
#define GAVEL_TUI_PILOT_H

#include "tui/args.h"
#include "tui/ptt.h"

struct pilot {
  struct model *m;           /* borrowed */
  const struct keymap *keys; /* borrowed */
  struct ptt ptt;
  bool mic_on;      /* the microphone stays open without a key held */
  bool releases;    /* the terminal tells when a key is released */
  enum err refused; /* why the last command that was refused here was: BAD_REQUEST, or NOT_ALLOWED by role or
                       state */
};
/* pilot_init: at rest, the microphone closed; model and keys are borrowed. */
void pilot_init(struct pilot *c, struct model *m, const struct keymap *keys);

/* pilot_key: one key; `paste` is the text of KEY_PASTE, else NULL. */
void pilot_key(struct pilot *c, struct key k, const char *paste, us_t now);
/* pilot_line: a command line without its colon. False when it was refused (a toast says why). */
bool pilot_line(struct pilot *c, const char *line, us_t now);
/* pilot_command: a command as if its key had been pressed: on the marked people, else on the selected one. */
bool pilot_command(struct pilot *c, const struct command *cmd, us_t now);
/* pilot_say: a chat message to all. */
bool pilot_say(struct pilot *c, const char *text, us_t now);
/* pilot_answer: answers the open question; whatever is not one of its letters is the default, No. A question
 * that runs out (pilot_tick) answers itself so. */
void pilot_answer(struct pilot *c, char letter, us_t now);
/* pilot_mic: the microphone stays open, or closes. */
void pilot_mic(struct pilot *c, bool on, us_t now);
/* pilot_tick: push-to-talk's clock; after every client event and at pilot_next_tick. */
void pilot_tick(struct pilot *c, us_t now);
us_t pilot_next_tick(const struct pilot *c);

/* pilot_targets: whom a key would act on now: those marked that the act can reach, else the one selected; to
 * admit from elsewhere than the lobby's pane, else the first who waits; for acts with a list of exceptions
 * only those marked. Returns how many of them were stored; 0 when nobody. */
size_t pilot_targets(const struct model *m, enum act act, uint32_t *ids, size_t cap);
/* pilot_on_self: the mute key means oneself: nobody else is selected or marked, or one may not act on others.
 */
bool pilot_on_self(const struct model *m);
/* pilot_toggled: what the key of `act` does now: lock becomes unlock in a locked room. */
enum act pilot_toggled(const struct model *m, enum act act);

#endif
