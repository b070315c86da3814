/* pilot_private.h: what pilot.c (keys), pilot_act.c (acts and lines), pilot_ask.c (questions), menu.c and
 * perform.c share; nobody else includes it.
 *
 * Invariant: as pilot.h. */
#ifndef GAVEL_TUI_PILOT_PRIVATE_H
#define GAVEL_TUI_PILOT_PRIVATE_H

#include "tui/pilot.h"

/* Whom an act without names is meant for: the model's marks and cursor now, or those a menu froze. */
struct selection {
  const uint32_t *marks;
  size_t n_marks;
  uint32_t cursor;
  bool frozen; /* nobody is taken who was not chosen: not the first who waits */
};
struct selection pilot_selection(const struct model *m);

/* pilot_refuse: a toast says why; false. */
bool pilot_refuse(struct pilot *c, us_t now, const char *why);
/* pilot_forbid: likewise, for what one may not do now. */
bool pilot_forbid(struct pilot *c, us_t now, const char *why);
/* pilot_act_on: an act as from the menu: no toggles. Words that it needs are asked for on the `:` line. */
bool pilot_act_on(struct pilot *c, enum act act, const struct selection *s, us_t now);
/* pilot_act_key: an act's key: it toggles, and mute of oneself moves the microphone. */
bool pilot_act_key(struct pilot *c, enum act act, us_t now);
/* pilot_submit: permission first (with the reason), then the question, then the outbox. */
bool pilot_submit(struct pilot *c, const struct act_order *o, us_t now);
/* pilot_prefill: opens the `:` line with this text. */
void pilot_prefill(struct pilot *c, const char *text);

/* ask_act: opens the question of an act. ask_end: a room is ended for everyone only by who types its name;
 * until then the line `end ` is open for it. ask_tick: questions open, and run out. ask_next_tick: when. */
void ask_act(struct pilot *c, const struct act_order *o, us_t now);
bool ask_end(struct pilot *c, const char *words, us_t now);
void ask_tick(struct pilot *c, us_t now);
us_t ask_next_tick(const struct pilot *c);

#endif
