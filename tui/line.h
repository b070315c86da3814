/* line.h: line mode: everything as plain complete sentences, message first, time last; nothing is repainted
 * and nothing ticks. For screen readers, braille displays, logs, slow lines and TERM=dumb.
 *
 * Input: a line that begins with `/` or `:` is a command (the same table as everywhere); while a question is
 * open the line answers it; everything else is a chat message. What comes in crowds is told together: who
 * comes and goes, who knocks, a mute-all with its exceptions; a countdown at 1 minute and at 10 s.
 * Invariant: one call, whole lines; nothing is lost by waiting, only told later. Pure: time is passed in,
 * text goes to the sink. One thread. */
#ifndef GAVEL_TUI_LINE_H
#define GAVEL_TUI_LINE_H

#include "tui/bandwidth.h"
#include "tui/pilot.h"

#define LINE_TALK_US US_PER_S             /* who talks is said after this long */
#define LINE_TALK_AGAIN_US (5 * US_PER_S) /* and after pauses of others or his own not more often */
#define LINE_TOGETHER_US US_PER_S         /* who comes within it is told together */
#define LINE_CROWD 50                     /* in a room of more people they are only counted, */
#define LINE_CROWD_US (10 * US_PER_S)     /* so often */

enum line_move { LINE_CAME, LINE_BACK, LINE_LEFT, LINE_LOST, LINE_MOVE__COUNT };
struct line { /* private; init with line_init */
  struct pilot *ctl;
  struct model *m;
  void (*put)(void *ctx, const char *text); /* one line without newline */
  void *ctx;
  struct {
    uint32_t member;
    us_t since, at; /* which run of his was heard of last, and when that was said */
  } said[CLIENT_LEVELS_MAX];
  uint32_t talker;  /* whom the last "is talking" named */
  uint64_t chat;    /* newest message said */
  int64_t heard_ms; /* when the last event happened */
  uint64_t chat_at; /* oldest message the reader has paged back to, 0: he has not */
  bool paging;      /* older messages were asked for */
  size_t asked;     /* bytes of the open question that were said, 0: none is */
  us_t asked_until; /* which question to unmute was said last */
  bool entered;     /* the room was described */
  bool told;        /* the answer to what was typed has been said */
  bool saving;      /* the page that comes goes to a file */
  const char *mic;  /* words said last */
  struct {
    us_t due; /* US_NEVER: nothing waits to be told */
    int64_t ts_ms;
    size_t n[LINE_MOVE__COUNT], admitted; /* of those who came, by oneself */
    size_t n_text;
    char text[3][SAY_MAX];
  } moves;
  struct {
    us_t due, again;
    int64_t ts_ms;
    size_t n;
    char text[SAY_MAX];
  } knocks;
  struct {
    us_t due;
    uint64_t group;
    int64_t ts_ms;
    bool undo, left_out; /* can be undone; leaves people out */
    char text[SAY_MAX];
  } mute_all;
  struct line_countdown {
    int64_t at_ms;
    unsigned marks; /* passed so far */
  } countdown[3];
  struct {
    unsigned said;
    us_t due, again;
  } place;                    /* in the lobby */
  char tier[BANDWIDTH_WORDS]; /* what his line gets, as said last */
  us_t tier_due;              /* when another is said; 0: nothing to say */
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
