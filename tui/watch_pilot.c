#include "tui/watch_pilot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct watch_key_info WATCH_KEYS[WATCH_KEY__COUNT] = {
#define WATCH_KEY(id, name_, keys_, help_) {.name = name_, .keys = keys_, .help = help_},
#include "tui/watch_keys.def"
#undef WATCH_KEY
};

bool watch_pilot_init(struct watch_pilot *u, struct watch_model *m, const struct keymap *keys) {
  *u = (struct watch_pilot){.m = m, .keys = keys};
  u->edit = lineedit_create(TEXT_CHAT_MAX, false);
  watch_inside_begin(&u->in, "");
  return u->edit != NULL;
}

void watch_pilot_free(struct watch_pilot *u) {
  lineedit_destroy(u->edit);
  watch_inside_end(&u->in);
}

enum watch_order watch_pilot_take(struct watch_pilot *u) {
  enum watch_order o = u->order;
  u->order = WATCH_ORDER_NONE;
  return o;
}

void watch_pilot_say(struct watch_pilot *u, us_t now, bool bad, const char *text) {
  snprintf(u->toast, sizeof u->toast, "%.299s", text);
  u->toast_bad = bad;
  u->toast_until = now + WATCH_TOAST_US;
}

/* ---- lines ---- */

const char *watch_pilot_question(const struct watch_pilot *u) {
  static const char *const WORDS[] = {"",
                                      "Show rooms with: ",
                                      "To the hosts: ",
                                      "Why do you listen in? ",
                                      "By which order (ticket)? ",
                                      "For how many minutes (1 to 10)? "};
  return WORDS[u->asks];
}

static void ask(struct watch_pilot *u, enum watch_asks what, const char *text) {
  u->asks = what;
  lineedit_set(u->edit, text);
}

static void stop_asking(struct watch_pilot *u) {
  lineedit_clear(u->edit);
  u->asks = WATCH_ASKS_NOTHING;
}

/* here: the room that keys are about now; NULL: none is selected. */
static const char *here(const struct watch_pilot *u) {
  if (u->page != WATCH_PAGE_ROOMS)
    return u->in.room;
  return u->m->selected ? u->m->selected->row.room : NULL;
}

/* about_room: the room of what is asked next stays the one selected now. */
static bool about_room(struct watch_pilot *u, us_t now) {
  const char *room = here(u);
  if (u->readonly || !room) {
    watch_pilot_say(u, now, true, u->readonly ? "read-only" : "select a room first");
    return false;
  }
  snprintf(u->target, sizeof u->target, "%s", room);
  return true;
}

static void listen_to(struct watch_pilot *u, bool silent, us_t now) {
  if (!about_room(u, now))
    return;
  u->silent = silent;
  u->minutes = 0;
  ask(u, WATCH_ASKS_REASON, "");
}

static void submit_filter(struct watch_pilot *u, const char *text, us_t now) {
  struct watch_fault fault;
  char why[200];
  if (watch_model_filter(u->m, text, now, &fault) == ERR_OK) {
    stop_asking(u);
    return;
  }
  snprintf(why, sizeof why, "character %zu: %s", fault.at + 1, fault.why);
  watch_pilot_say(u, now, true, why);
}

static void submit_minutes(struct watch_pilot *u, const char *text, us_t now) {
  char *end;
  unsigned long n = strtoul(text, &end, 10);
  if (text[0] < '0' || text[0] > '9' || *end != '\0' || n < 1 || n > WATCH_MINUTES_MAX) {
    watch_pilot_say(u, now, true, "a number from 1 to 10: then it ends by itself");
    return;
  }
  u->minutes = (unsigned)n;
  stop_asking(u);
  u->order = WATCH_ORDER_LISTEN;
}

/* keep: a line that must not be empty, nor longer than the server takes. */
static bool keep(struct watch_pilot *u, const char *text, char *out, size_t cap, us_t now) {
  if (text[strspn(text, " ")] == '\0' || strlen(text) >= cap) {
    watch_pilot_say(u, now, true, text[0] ? "that is too long" : "it is written down: it cannot be empty");
    return false;
  }
  snprintf(out, cap, "%s", text);
  return true;
}

static void submit(struct watch_pilot *u, us_t now) {
  const char *text = lineedit_text(u->edit);
  switch (u->asks) {
  case WATCH_ASKS_FILTER:
    submit_filter(u, text, now);
    return;
  case WATCH_ASKS_WHISPER:
    if (text[0]) {
      snprintf(u->text, sizeof u->text, "%s", text);
      u->order = WATCH_ORDER_WHISPER;
    }
    stop_asking(u);
    return;
  case WATCH_ASKS_REASON:
    if (keep(u, text, u->reason, sizeof u->reason, now))
      ask(u, WATCH_ASKS_TICKET, "");
    return;
  case WATCH_ASKS_TICKET:
    if (!keep(u, text, u->ticket, sizeof u->ticket, now))
      return;
    if (u->silent) {
      ask(u, WATCH_ASKS_MINUTES, "");
      return;
    }
    stop_asking(u);
    u->order = WATCH_ORDER_LISTEN;
    return;
  case WATCH_ASKS_MINUTES:
    submit_minutes(u, text, now);
    return;
  case WATCH_ASKS_NOTHING:
    return;
  }
}

/* typed: true when the key was for the line. */
static bool typed(struct watch_pilot *u, struct key k, const char *paste, us_t now) {
  if (u->asks == WATCH_ASKS_NOTHING)
    return false;
  u->toast_until = 0;
  if (k.code == KEY_ESC || (k.code == 'c' && k.mods == MOD_CTRL))
    stop_asking(u);
  else if (paste)
    lineedit_insert(u->edit, paste, strlen(paste));
  else if (lineedit_key(u->edit, k) == LINEEDIT_SUBMIT || k.code == KEY_ENTER)
    submit(u, now);
  return true;
}

/* ---- moving and sorting ---- */

static void move(struct watch_pilot *u, long rows) {
  if (u->help)
    u->help_row = rows < 0 && u->help_row < (size_t)-rows ? 0 : u->help_row + (size_t)rows;
  else if (u->page == WATCH_PAGE_ROOMS)
    watch_model_move(u->m, rows);
  else
    watch_inside_move(&u->in, rows);
}

static void edge(struct watch_pilot *u, bool last) {
  if (u->help)
    u->help_row = 0;
  else if (u->page == WATCH_PAGE_ROOMS)
    watch_model_edge(u->m, last);
  else
    watch_inside_edge(&u->in, last);
}

/* next_column: the next field that is a column, round and round. */
static enum watch_field next_column(enum watch_field f, int step) {
  int at = (int)f, n = WATCH_FIELD__COUNT;
  do
    at = (at + step + n) % n;
  while (watch_field_info((enum watch_field)at)->rank == 0 || at == WATCH_F_PAST || at == WATCH_F_LOSS_PAST);
  return (enum watch_field)at;
}

static void sort(struct watch_pilot *u, int step, us_t now) {
  if (u->page == WATCH_PAGE_ROOMS) {
    enum watch_field f = step ? next_column(u->m->sort, step) : u->m->sort;
    watch_model_sort(u->m, f, step ? false : !u->m->reverse, now);
  } else {
    int n = WATCH_P__COUNT, at = ((int)u->in.sort + step + n) % n;
    watch_inside_sort(&u->in, (enum watch_person_field)at, step ? false : !u->in.reverse);
  }
}

/* ---- pages ---- */

static void open_page(struct watch_pilot *u, us_t now) {
  if (u->page == WATCH_PAGE_ROOMS && !u->m->selected)
    watch_model_move(u->m, 0); /* the first Enter chooses, so that nobody looks into a room by surprise */
  else if (u->page == WATCH_PAGE_ROOMS) {
    watch_inside_begin(&u->in, u->m->selected->row.room);
    u->page = WATCH_PAGE_INSIDE;
    u->order = WATCH_ORDER_LOOK;
  } else if (u->page == WATCH_PAGE_INSIDE && watch_inside_person(&u->in))
    u->page = WATCH_PAGE_CARD;
  else if (u->page == WATCH_PAGE_INSIDE)
    watch_inside_move(&u->in, 0);
  (void)now;
}

static void close_page(struct watch_pilot *u, us_t now) {
  struct watch_fault fault;
  if (u->help)
    u->help = false;
  else if (u->page != WATCH_PAGE_ROOMS)
    u->page = u->page == WATCH_PAGE_CARD ? WATCH_PAGE_INSIDE : WATCH_PAGE_ROOMS;
  else if (u->m->filtered)
    (void)!watch_model_filter(u->m, "", now, &fault); /* "" is never refused */
  else
    watch_model_leave(u->m);
}

static void act(struct watch_pilot *u, enum watch_key what, us_t now) {
  switch (what) {
  case WATCH_KEY_OPEN:
    open_page(u, now);
    break;
  case WATCH_KEY_CLOSE:
    close_page(u, now);
    break;
  case WATCH_KEY_SORT_NEXT:
  case WATCH_KEY_SORT_BACK:
    sort(u, what == WATCH_KEY_SORT_NEXT ? 1 : -1, now);
    break;
  case WATCH_KEY_REVERSE:
    sort(u, 0, now);
    break;
  case WATCH_KEY_FILTER:
    u->page = WATCH_PAGE_ROOMS;
    ask(u, WATCH_ASKS_FILTER, u->m->filter_text);
    break;
  case WATCH_KEY_LISTEN:
  case WATCH_KEY_SILENT:
    listen_to(u, what == WATCH_KEY_SILENT, now);
    break;
  case WATCH_KEY_WHISPER:
    if (about_room(u, now))
      ask(u, WATCH_ASKS_WHISPER, "");
    break;
  case WATCH_KEY_PAUSE:
    u->paused = !u->paused;
    u->order = WATCH_ORDER_PAUSE;
    break;
  case WATCH_KEY_HELP:
    u->help = !u->help;
    u->help_row = 0;
    break;
  case WATCH_KEY_QUIT:
    u->order = WATCH_ORDER_QUIT;
    break;
  case WATCH_KEY__COUNT:
    break;
  }
}

static bool moved(struct watch_pilot *u, const char *action) {
  long page = (long)(u->page == WATCH_PAGE_ROOMS ? u->m->page : u->in.page);
  page = page > 1 ? page - 1 : 1;
  const struct {
    const char *action;
    long rows;
  } MOVES[] = {{"up", -1}, {"down", 1}, {"page_up", -page}, {"page_down", page}};
  for (size_t i = 0; i < sizeof MOVES / sizeof MOVES[0]; i++)
    if (strcmp(action, MOVES[i].action) == 0) {
      move(u, MOVES[i].rows);
      return true;
    }
  if (strcmp(action, "top") != 0 && strcmp(action, "bottom") != 0)
    return false;
  edge(u, action[0] == 'b');
  return true;
}

void watch_pilot_key(struct watch_pilot *u, struct key k, const char *paste, us_t now) {
  if (k.phase == KEY_RELEASE || typed(u, k, paste, now))
    return;
  const char *action = keymap_lookup(u->keys, KEY_CONTEXT_WATCH, k);
  if (!action || moved(u, action))
    return;
  if (strcmp(action, "redraw") == 0)
    u->order = WATCH_ORDER_REDRAW;
  else if (strcmp(action, "suspend") == 0)
    u->order = WATCH_ORDER_SUSPEND;
  for (int i = 0; i < WATCH_KEY__COUNT; i++)
    if (strcmp(action, WATCH_KEYS[i].name) == 0) {
      u->toast_until = 0;
      act(u, (enum watch_key)i, now);
    }
}
