/* watch_pilot.h: what keys do in `gavel watch`: the table of rooms, one room from inside, one person; lines
 * being typed; what is to be done outside waits as an order.
 *
 * Invariant: an order names the room it was given for, whatever is selected by then; letters are keys only
 * while nothing is typed; Esc never quits. Pure: time is passed in. One thread. */
#ifndef GAVEL_TUI_WATCH_PILOT_H
#define GAVEL_TUI_WATCH_PILOT_H

#include "tui/keymap.h"
#include "tui/lineedit.h"
#include "tui/watch_inside.h"
#include "tui/watch_model.h"

#define WATCH_REASON_MAX 200
#define WATCH_TICKET_MAX 64
#define WATCH_MINUTES_MAX 10
#define WATCH_TOAST_US (10 * US_PER_S)

enum watch_key {
#define WATCH_KEY(id, ...) WATCH_KEY_##id,
#include "tui/watch_keys.def"
#undef WATCH_KEY
  WATCH_KEY__COUNT
};
struct watch_key_info {
  const char *name, *keys, *help;
};
extern const struct watch_key_info WATCH_KEYS[WATCH_KEY__COUNT];

enum watch_page { WATCH_PAGE_ROOMS, WATCH_PAGE_INSIDE, WATCH_PAGE_CARD };
enum watch_asks {
  WATCH_ASKS_NOTHING,
  WATCH_ASKS_FILTER,
  WATCH_ASKS_WHISPER,
  WATCH_ASKS_REASON,
  WATCH_ASKS_TICKET,
  WATCH_ASKS_MINUTES
};
enum watch_order {
  WATCH_ORDER_NONE,
  WATCH_ORDER_QUIT,
  WATCH_ORDER_REDRAW,
  WATCH_ORDER_SUSPEND,
  WATCH_ORDER_LOOK,    /* ask for u->in.room */
  WATCH_ORDER_PAUSE,   /* as u->paused says */
  WATCH_ORDER_WHISPER, /* u->text to the hosts of u->target */
  WATCH_ORDER_LISTEN   /* in u->target: u->silent, u->reason, u->ticket, u->minutes */
};
struct watch_pilot {
  struct watch_model *m;     /* borrowed */
  const struct keymap *keys; /* borrowed */
  struct watch_inside in;
  enum watch_page page;
  enum watch_asks asks;
  struct lineedit *edit;
  bool help, paused, readonly;
  size_t help_row;
  enum watch_order order; /* taken by who carries it out */
  char target[WATCH_ROOM_MAX + 1], text[TEXT_CHAT_MAX + 1];
  char reason[WATCH_REASON_MAX + 1], ticket[WATCH_TICKET_MAX + 1];
  unsigned minutes;
  bool silent;
  char toast[300]; /* what there is to say, until toast_until */
  bool toast_bad;
  us_t toast_until;
  char server[300]; /* why there is no connection, "" while there is one */
};
/* watch_pilot_init: false without memory. watch_pilot_free: what it owns. */
bool watch_pilot_init(struct watch_pilot *u, struct watch_model *m, const struct keymap *keys);
void watch_pilot_free(struct watch_pilot *u);
/* watch_pilot_key: one key; `paste` is the text of KEY_PASTE, else NULL. */
void watch_pilot_key(struct watch_pilot *u, struct key k, const char *paste, us_t now);
/* watch_pilot_take: the order, once. */
enum watch_order watch_pilot_take(struct watch_pilot *u);
void watch_pilot_say(struct watch_pilot *u, us_t now, bool bad, const char *text);
/* watch_pilot_question: what is asked for, as a prompt; "" when nothing is. */
const char *watch_pilot_question(const struct watch_pilot *u);

#endif
