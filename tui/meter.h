/* meter.h: the level bar of one person: ballistics (up in 10 ms, down in 300 ms over the whole scale) and
 * drawing.
 *
 * Invariant: the level stays within METER_MIN_DB..0; no levels for METER_STALE_MS means silence. The talk
 * mark holds METER_HOLD_MS after the last voice so that it does not flicker. Pure, virtual clock, owned by
 * the caller. One thread. */
#ifndef GAVEL_TUI_METER_H
#define GAVEL_TUI_METER_H

#include "core/base/clock.h"
#include "tui/canvas.h"

#include <stdbool.h>

#define METER_MIN_DB (-60)
#define METER_MID_DB (-18) /* from here on METER_MID */
#define METER_HIGH_DB (-6) /* from here on METER_HIGH */
#define METER_UP_MS 10
#define METER_DOWN_MS 300
#define METER_HOLD_MS 300
#define METER_STALE_MS 200

struct meter {         /* private; init with meter_init */
  float target, level; /* dBFS */
  us_t at;             /* time of `level` */
  us_t fed;            /* time of `target` */
  us_t voice_until;
};
void meter_init(struct meter *m);
/* meter_feed: a level in dBFS (0 loudest; not a number counts as silence), and whether it is voice. */
void meter_feed(struct meter *m, us_t now, float dbfs, bool voice);
/* meter_level: dBFS at now after ballistics. `now` never goes back. */
float meter_level(struct meter *m, us_t now);
/* meter_talking: voice within the last METER_HOLD_MS. */
bool meter_talking(const struct meter *m, us_t now);
/* meter_is_still: nothing will move before the next feed: no need to draw for this meter. */
bool meter_is_still(const struct meter *m, us_t now);

/* meter_text: a bar of `cells` columns for a level: UTF-8 eighths (8 steps a cell) or ASCII '=' (one step a
 * cell), the rest '·' or '.'. Returns the bytes written, NUL excluded; out needs 3 * cells + 1. */
size_t meter_text(float dbfs, int cells, bool ascii, char *out, size_t cap);
/* meter_draw: the bar at x,y, coloured by METER_LOW, METER_MID, METER_HIGH from left to right. */
void meter_draw(struct canvas *c, int x, int y, int cells, float dbfs);

#endif
