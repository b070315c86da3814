#include "core/base/text.h"
#include "tui/menu.h"
#include "tui/pages.h"
#include "tui/perform.h"
#include "tui/pilot_private.h"

#include <stdio.h>
#include <string.h>

void pilot_init(struct pilot *c, struct model *m, const struct keymap *keys) {
  *c = (struct pilot){.m = m, .keys = keys};
  ptt_init(&c->ptt);
}

#define ASK_SETTLE_US                                                                                        \
  (400 * US_PER_MS) /* a key meant for something else does not answer a question that just came */

/* ---- the microphone ---- */

static void set_gate(struct pilot *c) {
  bool open = c->mic_on || ptt_is_open(&c->ptt);
  c->m->ptt_words = ptt_is_open(&c->ptt) ? ptt_words(&c->ptt) : NULL;
  if (open == c->m->gate)
    return;
  c->m->gate = open;
  model_intent(c->m, INTENT_GATE)->on = open;
}

void pilot_mic(struct pilot *c, bool on, us_t now) {
  c->mic_on = on;
  if (!on)
    ptt_cut(&c->ptt, now);
  set_gate(c);
}

void pilot_tick(struct pilot *c, us_t now) {
  bool voice = c->m->level < 45; /* louder than -45 dBov */
  if (c->m->state == CLIENT_ENDED)
    ptt_cut(&c->ptt, now);
  ptt_poll(&c->ptt, now, voice);
  set_gate(c);
  if (c->m->invite_new) {
    c->m->invite_new = false;
    model_page(c->m, "Invite link", pages_link(c->m->invite, c->m->ascii));
  }
  ask_tick(c, now);
}

us_t pilot_next_tick(const struct pilot *c) {
  us_t talk = ptt_next_timeout(&c->ptt), ask = ask_next_tick(c);
  return talk < ask ? talk : ask;
}

/* talk: who muted himself is unmuted by talking; who was muted by a host must say so with his own key first.
 */
static void talk(struct pilot *c, enum key_phase phase, us_t now) {
  const struct member *self = model_self(c->m);
  if (phase == KEY_PRESS && self != NULL && self->muted) {
    if (self->muted_by != c->m->me) {
      pilot_refuse(c, now,
                   c->m->mic == MIC_HELD ? "muted by a host until lifted: raise a hand"
                                         : "you are muted: m unmutes");
      return;
    }
    if (!pilot_submit(c, &(struct act_order){.act = ACT_UNMUTE}, now))
      return;
  }
  ptt_key(&c->ptt, now, phase, c->releases);
  pilot_tick(c, now);
}

/* ---- keys ---- */

static void complete(struct pilot *c) {
  struct completion comp;
  struct lineedit *le = c->m->command;
  args_complete(c->m, lineedit_text(le), lineedit_cursor(le), &comp);
  if (comp.n == 0)
    return;
  char text[TEXT_NAME_MAX + 16];
  size_t same = strlen(comp.of[0].text); /* as far as all candidates agree */
  for (size_t i = 1; i < comp.n; i++)
    while (strncmp(comp.of[0].text, comp.of[i].text, same) != 0)
      same--;
  size_t typed = lineedit_cursor(le) - comp.from;
  if (comp.n > 1 && same <= typed)
    same = strlen(comp.of[0].text); /* nothing more in common: take the first shown */
  snprintf(text, sizeof text, "%.*s%s", (int)same, comp.of[0].text,
           same == strlen(comp.of[0].text) ? " " : "");
  lineedit_replace(le, comp.from, text);
}

/* is_secret: a password or a code must not stay in the history. */
static bool is_secret(const char *line) {
  char why[SAY_MAX];
  line += strspn(line, " :/");
  const struct command *c = command_find(line, strcspn(line, " "), why);
  return c != NULL && (c->act == ACT_PASSWORD || c->act == ACT_CLAIM);
}

/* run_help: Enter in the list of commands opens the line with the one chosen: nothing happens by a search. */
static void run_help(struct pilot *c) {
  const struct command *found = pages_help_at(lineedit_text(c->m->search), c->m->help_row);
  char line[40];
  model_close(c->m);
  if (found == NULL)
    return;
  command_title(found, line);
  if (found->args[0] != '\0')
    (void)text_append(line, sizeof line, " ");
  pilot_prefill(c, line);
}

/* close_filter: the filter stays; Esc forgets it. */
static void close_filter(struct pilot *c, us_t now) {
  char text[SAY_MAX];
  size_t waiting;
  c->m->mode = MODE_KEYS;
  if (c->m->filter[0] == '\0' || model_list(c->m, NULL, 0, &waiting) > 0)
    return;
  snprintf(text, sizeof text, "no name has %s in it: Esc shows all again", c->m->filter);
  (void)pilot_refuse(c, now, text);
}

static void submit_line(struct pilot *c, us_t now) {
  struct model *m = c->m;
  struct lineedit *le = model_edit(m);
  char text[TEXT_CHAT_MAX + 1];
  snprintf(text, sizeof text, "%s", lineedit_text(le));
  if (m->mode == MODE_HELP) {
    run_help(c);
    return;
  }
  if (m->mode == MODE_FILTER) {
    close_filter(c, now);
    return;
  }
  bool chat = m->mode == MODE_CHAT;
  if (!chat && is_secret(text))
    lineedit_clear(le);
  else
    lineedit_accept(le);
  if (!chat || text[0] == '\0')
    m->mode = MODE_KEYS;
  if (text[0] == '\0')
    return;
  if (chat ? pilot_say(c, text, now) : pilot_line(c, text, now))
    return;
  m->mode = chat ? MODE_CHAT : MODE_COMMAND; /* refused: what was typed is not lost */
  lineedit_set(chat ? m->chat : m->command, text);
}

static void edit_key(struct pilot *c, struct key k, const char *paste, us_t now) {
  struct model *m = c->m;
  struct lineedit *le = model_edit(m);
  enum lineedit_result r = paste != NULL ? lineedit_insert(le, paste, strlen(paste)) : lineedit_key(le, k);
  if (r == LINEEDIT_SUBMIT)
    submit_line(c, now);
  else if (r == LINEEDIT_FULL)
    model_intent(m, INTENT_BELL);
  else if (m->mode == MODE_COMMAND && k.code == KEY_TAB)
    complete(c);
  else if (m->mode == MODE_COMMAND && k.code == KEY_BACKSPACE && r == LINEEDIT_UNUSED)
    model_close(m);
  if (m->mode == MODE_FILTER)
    model_filter_set(m, lineedit_text(m->search));
  if (m->mode == MODE_HELP && r == LINEEDIT_CHANGED)
    m->help_row = 0;
}

/* ---- what has rows ---- */

static size_t page_lines(const char *text) {
  size_t n = 0;
  for (; text != NULL && *text != '\0'; n++)
    text += strcspn(text, "\n") + (text[strcspn(text, "\n")] == '\n');
  return n;
}

/* rows_of: of the page, the help or the menu that is open, and which is at the top or chosen; 0: none is. */
static size_t rows_of(struct model *m, size_t **at) {
  struct menu_row rows[MENU_ROWS_MAX];
  switch (m->mode) {
  case MODE_HELP:
    *at = &m->help_row;
    return pages_help_count(lineedit_text(m->search));
  case MODE_PAGE:
    *at = &m->scroll;
    return page_lines(m->page);
  case MODE_MENU:
    *at = &m->menu.row;
    return menu_rows(m, rows);
  default:
    return 0;
  }
}

/* list_key: moves in it; false for keys that do not. */
static bool list_key(struct pilot *c, struct key k) {
  static const struct {
    enum ui ui;
    int64_t delta;
  } MOVES[] = {{UI_UP, -1},        {UI_DOWN, 1},         {UI_PAGE_UP, -10},
               {UI_PAGE_DOWN, 10}, {UI_TOP, -INT32_MAX}, {UI_BOTTOM, INT32_MAX}};
  size_t *at = NULL, n = rows_of(c->m, &at);
  bool letters = c->m->mode == MODE_PAGE;
  const char *action =
      keymap_lookup(c->keys, c->m->mode == MODE_HELP ? KEY_CONTEXT_HELP : KEY_CONTEXT_LIST, k);
  if (at == NULL || action == NULL || (!letters && k.code < 128 && k.mods == 0))
    return false;
  for (size_t i = 0; i < sizeof MOVES / sizeof MOVES[0]; i++)
    if (strcmp(action, command_of_ui(MOVES[i].ui)->name) == 0) {
      int64_t to = (int64_t)*at + MOVES[i].delta;
      *at = (size_t)(to < 0 || n == 0 ? 0 : to >= (int64_t)n ? (int64_t)n - 1 : to);
      return true;
    }
  return false;
}

/* ---- keys ---- */

static bool escape(struct pilot *c, struct key k, us_t now) {
  struct model *m = c->m;
  if (k.code == 'c' && (k.mods & MOD_CTRL) != 0) {
    perform_quit(c, now);
    return true;
  }
  if (k.code != KEY_ESC || k.mods != 0 || m->mode == MODE_KEYS)
    return false;
  if (m->mode == MODE_FILTER)
    model_filter_set(m, "");
  if (m->mode == MODE_ASK)
    pilot_answer(c, 'n', now);
  else if (m->mode == MODE_MENU && m->menu.open)
    m->menu.open = false;
  else
    model_close(m);
  return true;
}

/* context: what a key means depends on where one is. */
static enum key_context context(const struct model *m) {
  if (m->mode == MODE_PAGE || m->mode == MODE_MENU)
    return KEY_CONTEXT_LIST;
  return m->pane == PANE_LOBBY  ? KEY_CONTEXT_LOBBY
         : m->pane == PANE_CHAT ? KEY_CONTEXT_CHAT
                                : KEY_CONTEXT_ROOM;
}

/* ask_key: the keys of yes and no, the letter of the other answer; every further key is No. A key meant for
 * something else does not answer a question that came by itself this moment. */
static void ask_key(struct pilot *c, struct key k, us_t now) {
  const char *action = keymap_lookup(c->keys, KEY_CONTEXT_CONFIRM, k);
  bool settled = c->m->ask.kind != ASK_UNMUTE || now >= c->m->ask_since + ASK_SETTLE_US;
  bool plain = k.mods <= MOD_SHIFT && (k.code < 128 || k.code == KEY_ENTER);
  if (!settled || (!plain && action == NULL))
    return;
  if (action != NULL && strcmp(action, "yes") == 0)
    pilot_answer(c, 'y', now);
  else if (plain)
    pilot_answer(c, k.code < 128 && k.code != 'y' ? (char)k.code : 'n', now); /* y may be bound away */
  else if (strcmp(action, "no") == 0)
    pilot_answer(c, 'n', now);
}

static void look_up(struct pilot *c, enum key_context context, struct key k, us_t now) {
  char why[SAY_MAX];
  const char *action = keymap_lookup(c->keys, context, k);
  const struct command *cmd = action != NULL ? command_find(action, strlen(action), why) : NULL;
  if (cmd == command_of_ui(UI_TALK))
    talk(c, (enum key_phase)k.phase, now);
  else if (cmd != NULL && k.phase != KEY_RELEASE)
    pilot_command(c, cmd, now);
}

static bool is_global(const struct pilot *c, struct key k) {
  bool chord = (k.mods & (MOD_ALT | MOD_CTRL)) != 0 || (k.code >= KEY_F1 && k.code <= KEY_F12);
  return chord && keymap_lookup(c->keys, KEY_CONTEXT_INPUT, k) != NULL;
}

/* is_two: Alt with a key that it means nothing to is Esc and the key, come in one packet: else the letters of
 * a command that was begun so would act as keys. */
static bool is_two(const struct pilot *c, struct key k) {
  struct lineedit *le = model_edit(c->m);
  return (k.mods & MOD_ALT) != 0 && !(le != NULL && lineedit_has(k)) &&
         keymap_lookup(c->keys, le != NULL ? KEY_CONTEXT_INPUT : context(c->m), k) == NULL;
}

static void one_key(struct pilot *c, struct key k, const char *paste, us_t now) {
  struct model *m = c->m;
  if (k.phase == KEY_RELEASE) { /* only the talk key cares, whatever is typed by now */
    k.mods = 0;
    const char *action = keymap_lookup(c->keys, KEY_CONTEXT_ROOM, k);
    if (action != NULL && strcmp(action, "talk") == 0 && ptt_is_open(&c->ptt))
      talk(c, KEY_RELEASE, now);
    return;
  }
  if (m->state == CLIENT_ENDED) {
    if (k.code == 'q' || k.code == KEY_ENTER || k.code == KEY_ESC ||
        (k.code == 'c' && (k.mods & MOD_CTRL) != 0))
      model_intent(m, INTENT_LEAVE);
    return;
  }
  if (escape(c, k, now))
    return;
  if (m->mode == MODE_ASK) {
    if (paste == NULL)
      ask_key(c, k, now);
  } else if (is_global(c, k)) {
    look_up(c, KEY_CONTEXT_INPUT, k, now);
  } else if (list_key(c, k)) {
    return;
  } else if (m->mode == MODE_MENU && menu_key(c, k, now)) {
    return;
  } else if (model_edit(m) != NULL) {
    edit_key(c, k, paste, now);
  } else if (paste != NULL) {
    m->mode = MODE_CHAT; /* text pasted without a line open is a message to look at, never keys */
    edit_key(c, k, paste, now);
  } else if (m->mode == MODE_PAGE && (k.code == 'q' || k.code == KEY_ENTER || k.code == ' ')) {
    model_close(m);
  } else {
    look_up(c, context(m), k, now);
  }
}

void pilot_key(struct pilot *c, struct key k, const char *paste, us_t now) {
  if (k.phase != KEY_RELEASE && is_two(c, k)) {
    one_key(c, (struct key){.code = KEY_ESC}, NULL, now);
    k.mods &= (uint8_t)~MOD_ALT;
  }
  one_key(c, k, paste, now);
}
