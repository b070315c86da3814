/* line_private.h: what the files of line mode share. Thread: as line.h. */
#ifndef GAVEL_TUI_LINE_PRIVATE_H
#define GAVEL_TUI_LINE_PRIVATE_H

#include "tui/line.h"

/* line_say, line_sayf: one line, filtered. */
void line_say(struct line *l, const char *text);
__attribute__((format(printf, 2, 3))) void line_sayf(struct line *l, const char *form, ...);
/* line_page: a page as lines. line_pairs: one in columns: "role      cohost" becomes "role: cohost", or what
 * `gap` says for wide gaps. */
void line_page(struct line *l, const char *text);
void line_pairs(struct line *l, const char *text, const char *gap);

/* ---- line_crowd.c: what is told together ---- */
void line_crowd_init(struct line *l);
/* line_crowd_event: true: it took this event, which the model has taken over and made m->said of. `n`: how
 * many people it is about. */
struct line_news {
  enum room_ev kind;
  uint64_t group;
  int64_t ts_ms, num;
  uint32_t actor, first;
  size_t n;
};
bool line_crowd_event(struct line *l, const struct line_news *e, us_t now);
/* line_crowd_flush: what waits is said now, where that does not break the pace: before other words, and `all`
 * of it (who knocks, whom one has let in) before an answer. */
void line_crowd_flush(struct line *l, bool all, us_t now);
void line_crowd_tick(struct line *l, us_t now);
us_t line_crowd_next(const struct line *l);

/* ---- line_view.c: panes as lines ---- */
/* line_view: true: the command was one of a pane, and it was said. `words` follow its name. */
bool line_view(struct line *l, enum ui ui, const char *words, us_t now);
/* line_older: the older messages that were asked for have come. */
void line_older(struct line *l);

#endif
