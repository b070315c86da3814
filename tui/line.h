/* line.h: line mode: everything as plain complete sentences, message first, time last; nothing is repainted.
 * For screen readers, braille displays, logs, slow lines and TERM=dumb.
 *
 * Input: a line that begins with `/` or `:` is a command (the same table as everywhere); while a question is
 * open the line answers it; everything else is a chat message. Invariant: one call, whole lines. Pure: time
 * is passed in, text goes to the sink. One thread. */
#ifndef GAVEL_TUI_LINE_H
#define GAVEL_TUI_LINE_H

#include "tui/pilot.h"

#define LINE_TALK_US US_PER_S             /* who talks is said after this long */
#define LINE_TALK_AGAIN_US (5 * US_PER_S) /* and after pauses of others or his own not more often than this  \
                                           */

struct line { /* private; init with line_init */
  struct pilot *ctl;
  struct model *m;
  void (*put)(void *ctx, const char *text); /* one line without newline */
  void *ctx;
  struct {
    uint32_t member;
    us_t since, at; /* which run of his was heard of last, and when that was said */
  } said[CLIENT_LEVELS_MAX];
  uint32_t talker; /* whom the last "is talking" named */
  uint64_t chat;   /* newest message said */
  bool asked;      /* the open question was said */
  const char *mic; /* words said last */
};
void line_init(struct line *l, struct pilot *ctl, void (*put)(void *ctx, const char *text), void *ctx);
/* line_event: passes the event on to the model and says what came of it. */
void line_event(struct line *l, struct client_event *ev, us_t now, int64_t wall_ms);
/* line_input: one line typed. */
void line_input(struct line *l, const char *text, us_t now);
/* line_tick: time passes. line_next_tick: when at the latest. */
void line_tick(struct line *l, us_t now);
us_t line_next_tick(const struct line *l);

#endif
