/* pace.h: how many bytes a second the screen may cost, and when the next frame may be drawn.
 *
 * A token bucket: each frame's bytes are spent after it was drawn, the debt is paid back at the tier's rate;
 * never faster than one frame per frame_ms. Typing goes first: it may draw at once even in debt, so echo
 * never waits for meters. The kernel's buffers tell nothing (a pty takes 17 kB before EAGAIN), so this is the
 * only brake.
 *
 * Invariant: over any time the bytes drawn without typing exceed rate * time by at most one frame and one
 * second's burst. Pure, virtual clock, owned by the caller. One thread. */
#ifndef GAVEL_TUI_PACE_H
#define GAVEL_TUI_PACE_H

#include "core/base/clock.h"

#include <stdbool.h>
#include <stddef.h>

enum pace_meters { PACE_METERS_NONE, PACE_METERS_TALKERS, PACE_METERS_ALL };
/* X(ID, name, bytes per second, ms between frames, ms between meter steps, meters, boxes, clock, chat over
 * the full width). A serial line keeps a quarter of its rate for echo and bursts. */
#define PACE_TIERS(X)                                                                                        \
  X(FAST, "fast", 1000000, 33, 100, ALL, true, true, false)                                                  \
  X(SSH, "ssh", 8000, 100, 250, ALL, true, true, false)                                                      \
  X(9600, "9600", 720, 500, 500, TALKERS, true, true, true)                                                  \
  X(2400, "2400", 180, 1000, 1000, NONE, false, false, true)

enum pace_tier {
#define X(id, ...) PACE_##id,
  PACE_TIERS(X)
#undef X
      PACE__COUNT
};
struct pace_tier_info {
  const char *name; /* as typed in `set link NAME`; "slow" is taken for 2400 */
  int bytes_per_s;
  int frame_ms; /* at least between two frames that nobody's key caused */
  int meter_ms; /* at least between two steps of a meter: quantise meters to this before drawing */
  enum pace_meters meters;
  bool boxes;           /* popups over the room; else help and lists as full pages */
  bool clock;           /* a ticking clock */
  bool chat_full_width; /* roster as one line, chat scrolls over the full width: 9 times cheaper */
};
/* pace_tier_info: never NULL, static storage. */
const struct pace_tier_info *pace_tier_info(enum pace_tier t);
/* pace_tier_find: by name; false when unknown. */
bool pace_tier_find(const char *name, enum pace_tier *out);
/* pace_tier_guess: `set link auto`: baud as the terminal driver says (0 unknown; a pty says 38400), ssh:
 * $SSH_CONNECTION is set. */
enum pace_tier pace_tier_guess(unsigned baud, bool ssh);

struct pace { /* private; init with pace_init */
  enum pace_tier tier;
  us_t last_frame; /* when the last frame was drawn */
  us_t paid_at;    /* when all bytes so far are paid */
};
void pace_init(struct pace *p, enum pace_tier t);
void pace_set_tier(struct pace *p, enum pace_tier t);
/* pace_spend: a frame of `bytes` was drawn at now (term_bytes before and after). */
void pace_spend(struct pace *p, us_t now, unsigned long long bytes);
/* pace_next: the time at or after now when the next frame may be drawn; typing: a key caused it. */
us_t pace_next(const struct pace *p, us_t now, bool typing);

#endif
