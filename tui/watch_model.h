/* watch_model.h: the rooms of a server as `gavel watch` knows them: the feed applied, sorted, filtered, one
 * of them selected, and a little of the past of each. No drawing.
 *
 * Invariant: the selection is a room, never a row: an update cannot put another one under the cursor. When it
 * is gone nothing is selected, and the next arrow begins where it stood. Work follows what changed: an update
 * touches the rows it brings; sorting happens at most once in WATCH_SORT_US, and only when something that the
 * order depends on has changed. Pure: time is passed in. One thread. */
#ifndef GAVEL_TUI_WATCH_MODEL_H
#define GAVEL_TUI_WATCH_MODEL_H

#include "core/base/clock.h"
#include "tui/watch_expr.h"

#define WATCH_ROOMS_MAX 20000 /* as many as a server holds; more is a fault of the feed */
#define WATCH_SORT_US US_PER_S
#define WATCH_PAST 24 /* steps of the past that are kept */
#define WATCH_PAST_US (5 * US_PER_S)

/* One figure's past: v[step % WATCH_PAST]. Steps without a change are filled in when the next change comes.
 */
struct watch_past {
  int64_t step;
  uint16_t v[WATCH_PAST];
};
struct watch_room {
  struct watch_row row;
  struct watch_past people, loss;
  bool seen, gone, fits; /* fits: it is in `shown` */
  int64_t key;           /* what it was sorted by; INT64_MIN: not known */
};
struct watch_work { /* what was done so far, for the tests of it */
  uint64_t rows, sorts, compared;
};
struct watch_model {
  struct watch_server server;
  bool fed;    /* there was a first answer */
  us_t fed_at; /* when server.now_ms was true */
  struct watch_room **all, **shown;
  size_t n, n_shown, cap; /* cap: of both arrays */
  size_t alerting;        /* rooms with an alert */
  enum watch_field sort;
  bool reverse;
  struct watch_expr filter;
  bool filtered;
  char filter_text[WATCH_EXPR_MAX + 1];
  struct watch_room *selected; /* NULL: none */
  size_t at, top, page;        /* row of the selection; first row on the screen; rows there are */
  struct watch_work work;
  /* Told of each change: before NULL: new; after NULL: gone. NULL: nobody listens. */
  void (*changed)(void *ctx, const struct watch_row *before, const struct watch_row *after);
  void *ctx;
  /* private */
  struct map *by_name;
  bool stale;
  us_t sorted_at;
};

/* watch_model_create: empty, sorted by alerts; `seed` as map_create wants it. NULL without memory. */
struct watch_model *watch_model_create(uint64_t seed);
void watch_model_destroy(struct watch_model *m);
/* watch_model_take: the answer of ops.watch (`whole`: what it does not name is gone) or a notification.
 * ERR_PROTOCOL: it is malformed, what came before the fault was taken. ERR_FULL: too many rooms. */
MUST_CHECK enum err watch_model_take(struct watch_model *m, const json_t *params, bool whole, us_t now);
/* watch_model_tick: sorts when that is due; true when it did. watch_model_next_tick: when it will be. */
bool watch_model_tick(struct watch_model *m, us_t now);
us_t watch_model_next_tick(const struct watch_model *m);
/* watch_model_now_ms: the server's wall clock. */
int64_t watch_model_now_ms(const struct watch_model *m, us_t now);

/* watch_model_sort: by another field, or the other way round; at once. */
void watch_model_sort(struct watch_model *m, enum watch_field f, bool reverse, us_t now);
/* watch_model_filter: only rooms that meet the condition; "" all. ERR_BAD_ARG with *fault, and no change. */
MUST_CHECK enum err watch_model_filter(struct watch_model *m, const char *text, us_t now,
                                       struct watch_fault *fault);
/* watch_model_page: so many rows are on the screen. watch_model_move: the selection goes down (up when
 * negative) by rows; from nothing it goes where it stood. watch_model_edge: to the first or last.
 * watch_model_leave: nothing is selected, the list begins at its top. */
void watch_model_page(struct watch_model *m, size_t rows);
void watch_model_move(struct watch_model *m, long rows);
void watch_model_edge(struct watch_model *m, bool last);
void watch_model_leave(struct watch_model *m);

/* watch_past_at: the figure `back` steps ago, 0 the present one. */
uint16_t watch_past_at(const struct watch_past *p, us_t now, size_t back);

#endif
