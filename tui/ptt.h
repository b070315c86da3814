/* ptt.h: push-to-talk on terminals that tell of key releases and on those that do not.
 *
 * With releases: held = talk, release = stop. Without: the first press opens; when repeats follow within
 * PTT_FIRST_MS the key is held, and the mic closes PTT_REPEAT_MS after the last repeat; when none follow it
 * was a tap, and the mic is latched until the next tap. Closing waits for the first silence, at most
 * PTT_TAIL_MS. After PTT_MAX_MS the mic closes whatever the keys say.
 *
 * Invariant: every doubtful case closes the microphone: a key that still repeats after the mic was closed by
 * a tap or by the maximum does not open it again. Pure, virtual clock, owned by the caller. One thread. */
#ifndef GAVEL_TUI_PTT_H
#define GAVEL_TUI_PTT_H

#include "core/base/clock.h"
#include "tui/key.h"

#include <stdbool.h>

#define PTT_FIRST_MS 700  /* longer than the usual 500-660 ms before a key repeats */
#define PTT_REPEAT_MS 180 /* longer than the gap between two repeats */
#define PTT_TAIL_MS 300
#define PTT_MAX_MS 60000

struct ptt { /* private; init with ptt_init */
  int state;
  us_t until; /* when the state times out */
  us_t opened_at;
  us_t tail_until; /* open for the last syllable until then, or 0 */
};
void ptt_init(struct ptt *p);
/* ptt_key: the talk key. releases_known: the terminal reports releases of this very key (see term_releases).
 * At KEY_FOCUS_OUT pass a KEY_RELEASE: the real one goes to another window. A latch stays. */
void ptt_key(struct ptt *p, us_t now, enum key_phase phase, bool releases_known);
/* ptt_set: a switch from outside (gavelctl talk on|off, a pedal): on = latched. */
void ptt_set(struct ptt *p, us_t now, bool on);
/* ptt_cut: off at once, no tail (muted, left, device gone). */
void ptt_cut(struct ptt *p, us_t now);
/* ptt_poll: time passes; voice: the VAD hears speech now. Returns whether the microphone is open. */
bool ptt_poll(struct ptt *p, us_t now, bool voice);
/* ptt_next_timeout: when ptt_poll must be called at the latest, or US_NEVER. During the tail call it at each
 * change of the VAD too. */
us_t ptt_next_timeout(const struct ptt *p);
bool ptt_is_open(const struct ptt *p);
/* ptt_words: for the status line: "MIC OFF", "TALK (hold)", "TALK (latched - SPACE ends)". */
const char *ptt_words(const struct ptt *p);
/* ptt_left_ms: until PTT_MAX_MS closes the mic; 0 when it is closed. Show the countdown in the last seconds.
 */
int ptt_left_ms(const struct ptt *p, us_t now);

#endif
