/* watch_view.h: the screens of `gavel watch`, drawn into a canvas. No state, no curses.
 *
 * Invariant: a view only reads and draws inside the canvas; what is told by colour is told by a sign or a
 * word too; columns go by width, the least needed first; the real cursor stands on what has the focus; only
 * rows in sight cost anything. One thread. */
#ifndef GAVEL_TUI_WATCH_VIEW_H
#define GAVEL_TUI_WATCH_VIEW_H

#include "tui/canvas.h"
#include "tui/pace.h"
#include "tui/watch_pilot.h"

struct watch_scene {
  const struct watch_pilot *u;
  struct canvas *c;
  const struct pace_tier_info *pace; /* what the line can carry */
  us_t now;
};
/* watch_view: the whole screen. watch_view_rows: how many rows of a table a screen of this height has. */
void watch_view(const struct watch_scene *v);
size_t watch_view_rows(int h);

/* The parts of it. watch_view_header: server or room, in r.h rows. */
void watch_view_header(const struct watch_scene *v, struct rect r);
void watch_view_rooms(const struct watch_scene *v, struct rect r);
void watch_view_people(const struct watch_scene *v, struct rect r);
void watch_view_card(const struct watch_scene *v, struct rect r);
void watch_view_help(const struct watch_scene *v, struct rect r);

/* ---- for the parts ---- */

/* Columns of a table: what fits in a width, the least needed (highest rank) left out; what is left over goes
 * to the first one. */
#define WATCH_COLUMNS_MAX 24
struct watch_column {
  const char *title;
  int cols, rank; /* rank 0: never shown */
  bool left;      /* text stands on the left, figures on the right */
  int x, w;       /* by watch_columns_fit; w 0: not shown */
};
void watch_columns_fit(struct watch_column *v, size_t n, int width);
void watch_columns_head(const struct watch_scene *v, const struct watch_column *columns, size_t n,
                        struct rect r, size_t sorted, bool reverse);
void watch_cell(const struct watch_scene *v, const struct watch_column *column, struct rect r, enum style s,
                const char *text);
/* watch_pen: words one after the other on a row, as long as there is room; what does not fit whole is left
 * out. */
struct watch_pen {
  struct canvas *c;
  int x, y, right;
};
bool watch_pen_put(struct watch_pen *p, enum style s, const char *text);
/* watch_bad_style: of a figure that is 0 good, 1 weak, 2 bad. */
enum style watch_bad_style(unsigned bad);
/* watch_spark: `cells` of a past, newest right; `full`: the figure of a whole bar, 0: the largest there. */
void watch_spark(const struct watch_scene *v, int x, int y, int cells, const struct watch_past *p,
                 unsigned full);
/* watch_meter: "[|||   43%]" in w columns. */
void watch_meter(const struct watch_scene *v, int x, int y, int w, unsigned permille);

#endif
