/* headless.h: for scripts: every event one JSON line; commands as JSON lines or as plain lines.
 *
 * Events: {"event":"state"|"room"|"room_event"|"reply"|"history"|"levels"|"quality"|"mic"|"link"|
 * "line"|"notice"|"page", ...}.
 * Commands: {"act":"mute","who":[3]} (the params of room.<act>), {"cmd":"mic","on":true}, {"cmd":"leave"},
 * {"cmd":"history"} (messages older than those known), {"cmd":"line","id":3} (how good his line is, for
 * hosts), or a plain line as in line mode: `/mute bob` or chat text. Nothing asks: a script means what it
 * says. Each act is answered at once by
 * {"event":"sent","ticket":N} and later by {"event":"reply","ticket":N,...}; what does not get that far by a
 * reply with ticket 0. Invariant: one event, one line; other people's texts are JSON strings, so they cannot
 * fake a line. One thread. */
#ifndef GAVEL_TUI_HEADLESS_H
#define GAVEL_TUI_HEADLESS_H

#include "tui/pilot.h"

struct headless { /* private; init with headless_init */
  struct pilot *ctl;
  struct model *m;
  void (*put)(void *ctx, const char *text); /* one line without newline */
  void *ctx;
};
void headless_init(struct headless *h, struct pilot *ctl, void (*put)(void *ctx, const char *text),
                   void *ctx);
void headless_event(struct headless *h, struct client_event *ev, us_t now);
void headless_input(struct headless *h, const char *text, us_t now);
/* headless_sent: the shell gave an act to the engine. */
void headless_sent(struct headless *h, enum act act, uint32_t ticket);
void headless_tick(struct headless *h, us_t now);

#endif
