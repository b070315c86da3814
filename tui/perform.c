#include "tui/perform.h"

#include "tui/bandwidth.h"
#include "tui/menu.h"
#include "tui/pages.h"
#include "tui/pilot_private.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool has_rows(enum model_pane pane) {
  return pane == PANE_PEOPLE || pane == PANE_LOBBY || pane == PANE_HANDS;
}

/* move: the cursor of the people, or the scroll of what is read. */
static void move(struct model *m, int rows) {
  if (has_rows(m->pane)) {
    model_move(m, rows);
    return;
  }
  int64_t to = (int64_t)m->scroll - rows;
  m->scroll = (size_t)(to < 0 ? 0 : to > (int64_t)m->n_lines ? (int64_t)m->n_lines : to);
}

static bool go_lobby(struct pilot *c, us_t now) {
  if (model_count(c->m, PRESENCE_WAITING) == 0)
    return pilot_refuse(c, now, "nobody waits");
  model_focus(c->m, PANE_LOBBY);
  return true;
}

static bool go_hands(struct pilot *c, us_t now) {
  size_t n;
  (void)model_hands(c->m, &n);
  if (n == 0)
    return pilot_refuse(c, now, "no hand is raised");
  model_focus(c->m, PANE_HANDS);
  return true;
}

static bool card(struct pilot *c, const char *words, us_t now) {
  char why[ACT_WHY_MAX];
  uint32_t named = words[0] != '\0' ? args_person(c->m, words, why) : 0;
  if (words[0] == '\0' && c->m->pane == PANE_CARD) {
    model_focus(c->m, PANE_PEOPLE);
    return true;
  }
  if (words[0] != '\0' && named == 0)
    return pilot_refuse(c, now, why);
  if (named != 0)
    c->m->cursor = named;
  if (room_member(&c->m->room, c->m->cursor) == NULL)
    return pilot_refuse(c, now, "choose a person first: up, down");
  model_focus(c->m, PANE_CARD);
  return true;
}

/* last_private: who wrote to me last, else the person selected. */
static uint32_t last_private(const struct model *m) {
  for (size_t i = m->room.n_chat; i-- > 0;) {
    const struct chat *chat = &m->room.chat[i];
    if (chat->kind == CHAT_PRIVATE && chat->from != m->me && room_member(&m->room, chat->from) != NULL)
      return chat->from;
  }
  return m->cursor != m->me && room_member(&m->room, m->cursor) != NULL ? m->cursor : 0;
}

static bool reply(struct pilot *c, us_t now) {
  char line[TEXT_NAME_MAX + 16], name[TEXT_NAME_MAX + 8];
  uint32_t to = last_private(c->m);
  if (to == 0)
    return pilot_refuse(c, now, "choose a person first: up, down");
  act_words_name(&c->m->room, to, name, sizeof name);
  snprintf(line, sizeof line, "msg %s ", name);
  pilot_prefill(c, line);
  return true;
}

static bool link_command(struct pilot *c, bool copy, us_t now) {
  if (c->m->invite[0] == '\0')
    return pilot_refuse(c, now, "no link yet: i makes one");
  if (!copy) {
    model_page(c->m, "Invite link", pages_link(c->m->invite, c->m->ascii));
    return true;
  }
  snprintf(model_intent(c->m, INTENT_COPY)->text, LINK_MAX, "%s", c->m->invite);
  model_toast(c->m, now, STYLE_OK, "The invite link is on the clipboard, if the terminal allows it.");
  return true;
}

/* copy: the chat comes as a page as well: not every terminal lets itself be written to the clipboard. */
static bool copy(struct pilot *c, const char *words, us_t now) {
  if (words[0] == '\0')
    return link_command(c, true, now);
  if (strcasecmp(words, "chat") != 0)
    return pilot_refuse(c, now, "copy takes nothing, or chat");
  model_page(c->m, "Chat", pages_chat(c->m));
  model_intent(c->m, INTENT_COPY);
  return true;
}

static bool filter(struct model *m, const char *words) {
  model_focus(m, PANE_PEOPLE);
  char text[TEXT_NAME_MAX + 1];
  snprintf(text, sizeof text, "%.*s", (int)text_fit(words, TEXT_NAME_COLS), words);
  model_filter_set(m, text);
  lineedit_set(m->search, m->filter);
  if (words[0] == '\0')
    m->mode = MODE_FILTER;
  return true;
}

static bool mic(struct pilot *c, const char *words, us_t now) {
  bool on = strcasecmp(words, "on") == 0;
  if (!on && strcasecmp(words, "off") != 0)
    return pilot_refuse(c, now, "mic needs on or off");
  const struct member *self = model_self(c->m);
  if (on && self != NULL && self->muted && !pilot_submit(c, &(struct act_order){.act = ACT_UNMUTE}, now))
    return false;
  pilot_mic(c, on, now);
  return true;
}

/* talk: a switch outside the terminal says on and off (gavelctl --client talk on); without a word it toggles.
 */
static bool talk(struct pilot *c, const char *words, us_t now) {
  bool on = strcasecmp(words, "on") == 0, off = strcasecmp(words, "off") == 0;
  if (words[0] != '\0' && !on && !off)
    return pilot_refuse(c, now, "talk needs on or off");
  ptt_set(&c->ptt, now, words[0] == '\0' ? !ptt_is_open(&c->ptt) : on);
  pilot_tick(c, now);
  return true;
}

static bool mouse(struct pilot *c, const char *words, us_t now) {
  bool on = strcasecmp(words, "on") == 0;
  if (!on && strcasecmp(words, "off") != 0)
    return pilot_refuse(c, now, "mouse needs on or off");
  model_intent(c->m, INTENT_MOUSE)->on = on;
  return true;
}

/* bandwidth: without a word how the line is. */
static bool bandwidth(struct pilot *c, const char *words, us_t now) {
  char why[256], text[80];
  unsigned kbps;
  if (words[0] == '\0') {
    model_page(c->m, "Your line", pages_line(c->m));
    return true;
  }
  if (!bandwidth_parse(words, &kbps, why))
    return pilot_refuse(c, now, why);
  if (c->m->no_audio)
    return pilot_refuse(c, now, "you moderate only: there is no sound to limit");
  model_intent(c->m, INTENT_BANDWIDTH)->kbps = kbps;
  if (kbps == 0)
    snprintf(text, sizeof text, "Your line carries what it can.");
  else if (kbps < CLIENT_KBPS_SPEECH)
    snprintf(text, sizeof text, "As little as can be: %u kb/s while somebody speaks.", CLIENT_KBPS_SPEECH);
  else
    snprintf(text, sizeof text, "At most %u kb/s each way.", kbps);
  model_toast(c->m, now, STYLE_OK, text);
  return true;
}

static bool toggle_mic(struct pilot *c, us_t now) {
  const struct member *self = model_self(c->m);
  return pilot_line(c, self != NULL && self->muted ? "unmute" : c->m->gate ? "mute" : "mic on", now);
}

static bool mark(struct pilot *c, us_t now) {
  if (room_member(&c->m->room, c->m->cursor) == NULL)
    return pilot_refuse(c, now, "choose a person first: up, down");
  model_mark(c->m, c->m->cursor);
  model_move(c->m, 1);
  return true;
}

static bool mark_shown(struct pilot *c, us_t now) {
  char text[80];
  size_t left = model_mark_shown(c->m);
  if (left == 0)
    snprintf(text, sizeof text, "%zu marked: T removes the marks.", c->m->n_marks);
  else
    snprintf(text, sizeof text, "%zu marked, %zu not: one act takes no more.", c->m->n_marks, left);
  model_toast(c->m, now, left == 0 ? STYLE_OK : STYLE_WARN, text);
  return true;
}

/* sort: without a word the next order. */
static bool sort(struct pilot *c, const char *words, us_t now) {
  struct model *m = c->m;
  enum model_sort to = words[0] == '\0' ? (m->sort + 1) % SORT__COUNT : SORT_JOINED;
  char text[64];
  while (words[0] != '\0' && to < SORT__COUNT && strcasecmp(words, model_sort_name(to)) != 0)
    to++;
  if (to == SORT__COUNT)
    return pilot_refuse(c, now, "sort needs one of joined, name, hand, talk, line");
  model_sort_set(m, to);
  snprintf(text, sizeof text, "Sorted by %s.", model_sort_name(to));
  model_toast(m, now, STYLE_OK, text);
  return true;
}

static bool group(struct pilot *c, const char *words, us_t now) {
  bool on = words[0] == '\0' ? !c->m->by_role : strcasecmp(words, "on") == 0;
  if (words[0] != '\0' && !on && strcasecmp(words, "off") != 0)
    return pilot_refuse(c, now, "group needs on or off");
  model_group_set(c->m, on);
  return true;
}

static bool menu(struct pilot *c, const char *words, us_t now) {
  unsigned g = 0;
  while (g <= ACT_GROUP__COUNT && words[0] != '\0' && strcasecmp(words, command_group_name(g)) != 0)
    g++;
  if (g > ACT_GROUP__COUNT)
    return pilot_refuse(c, now, "menu needs one of lobby, voice, people, chat, room, screen");
  menu_open(c->m, words[0] == '\0' ? ACT_GROUP__COUNT + 1U : g);
  return true;
}

static bool search(struct pilot *c, const char *words, us_t now) {
  if (words[0] == '\0')
    return pilot_refuse(c, now, "search needs a text");
  model_page(c->m, "Messages found", pages_search(c->m, words));
  if (c->m->history == HISTORY_MORE && c->m->state == CLIENT_JOINED && c->m->room.n_chat > 0) {
    c->m->history = HISTORY_ASKED;
    model_intent(c->m, INTENT_HISTORY);
  }
  return true;
}

static bool text_intent(struct pilot *c, enum intent_kind kind, const char *words) {
  struct intent *i = model_intent(c->m, kind);
  snprintf(i->text, sizeof i->text, "%s", words);
  return true;
}

static bool typing(struct model *m, enum model_mode mode, const char *words) {
  m->mode = mode;
  m->scroll = 0;
  m->help_row = 0;
  lineedit_set(m->search, mode == MODE_HELP ? words : "");
  return true;
}

static bool back(struct model *m) {
  if (m->pane == PANE_CARD)
    model_focus(m, PANE_PEOPLE);
  else if (m->filter[0] != '\0')
    model_filter_set(m, "");
  else if (m->n_marks > 0)
    m->n_marks = 0;
  else if (m->scroll > 0)
    m->scroll = 0;
  else
    m->zoom = false;
  m->toast[0] = '\0';
  return true;
}

static char *people_inside(const struct model *m) {
  return pages_people(m, false);
}

static char *people_waiting(const struct model *m) {
  return pages_people(m, true);
}

static const struct {
  enum ui ui;
  const char *title;
  char *(*make)(const struct model *m);
} PAGES[] = {{UI_WHO, "People", people_inside},
             {UI_LIST, "People", people_inside},
             {UI_WAITING, "Waiting", people_waiting},
             {UI_LOG, "Log", pages_log},
             {UI_SECURITY, "How this call is protected", pages_security},
             {UI_BANS, "Bans: unban N lifts one, ban-edit N changes it", pages_bans},
             {UI_NOTES, "Notes: note-delete N deletes one", pages_notes},
             {UI_TRUSTED, "Who need not wait: untrust N takes one off", pages_trusted},
             {UI_INVITES, "Invite links: invite-revoke N makes one useless", pages_invites}};

/* perform_view: what only changes the view. False: not one of those. */
static bool perform_view(struct pilot *c, enum ui ui, const char *words) {
  struct model *m = c->m;
  for (size_t i = 0; i < sizeof PAGES / sizeof PAGES[0]; i++)
    if (PAGES[i].ui == ui) {
      model_page(m, PAGES[i].title, PAGES[i].make(m));
      return true;
    }
  switch (ui) {
  case UI_HELP:
    return typing(m, MODE_HELP, words);
  case UI_COMMAND:
    return typing(m, MODE_COMMAND, "");
  case UI_PANE:
  case UI_PANE_BACK:
    model_pane_next(m, ui == UI_PANE ? 1 : -1);
    return true;
  case UI_PEOPLE:
    model_focus(m, PANE_PEOPLE);
    return true;
  case UI_GO_CHAT:
    model_focus(m, PANE_CHAT);
    return true;
  case UI_GO_LOG:
    model_focus(m, PANE_LOG);
    return true;
  case UI_MARK_NONE:
    m->n_marks = 0;
    return true;
  case UI_UP:
  case UI_DOWN:
    move(m, ui == UI_UP ? -1 : 1);
    return true;
  case UI_PAGE_UP:
  case UI_PAGE_DOWN:
    move(m, ui == UI_PAGE_UP ? -10 : 10);
    return true;
  case UI_TOP:
  case UI_BOTTOM:
    move(m, ui == UI_TOP ? -ROOM_MEMBERS_MAX * 2 : ROOM_MEMBERS_MAX * 2);
    return true;
  case UI_FILTER:
    return filter(m, words);
  case UI_ZOOM:
    m->zoom = !m->zoom;
    return true;
  case UI_FOOTER:
    m->footer_hidden = !m->footer_hidden;
    return true;
  case UI_BACK:
    return back(m);
  default:
    return false;
  }
}

static bool privacy(struct pilot *c, bool withdraw) {
  model_intent(c->m, INTENT_PRIVACY)->on = withdraw;
  return true;
}

bool perform_ui(struct pilot *c, enum ui ui, const char *words, us_t now) {
  switch (ui) {
  case UI_SAY:
    return words[0] != '\0' ? pilot_say(c, words, now) : typing(c->m, MODE_CHAT, "");
  case UI_TALK:
    return talk(c, words, now);
  case UI_MOUSE:
    return mouse(c, words, now);
  case UI_MIC:
    return mic(c, words, now);
  case UI_TALK_MUTE:
    return toggle_mic(c, now);
  case UI_LOBBY_FOCUS:
    return go_lobby(c, now);
  case UI_GO_HANDS:
  case UI_HANDS:
    return go_hands(c, now);
  case UI_CARD:
    return card(c, words, now);
  case UI_MENU:
    return menu(c, words, now);
  case UI_YES:
  case UI_NO:
    pilot_answer(c, ui == UI_YES ? 'y' : 'n', now);
    return true;
  case UI_MARK:
    return mark(c, now);
  case UI_MARK_SHOWN:
    return mark_shown(c, now);
  case UI_SORT:
    return sort(c, words, now);
  case UI_GROUP:
    return group(c, words, now);
  case UI_FOLD:
    return model_fold(c->m) || pilot_refuse(c, now, "group on first, then stand on a person or a title");
  case UI_SEARCH:
    return search(c, words, now);
  case UI_REPLY:
    return reply(c, now);
  case UI_COPY:
    return copy(c, words, now);
  case UI_LINK:
    return link_command(c, false, now);
  case UI_DEVICES:
    return text_intent(c, words[0] != '\0' ? INTENT_AUDIO : INTENT_DEVICES, words);
  case UI_BANDWIDTH:
    return bandwidth(c, words, now);
  case UI_PRIVACY:
    return privacy(c, false);
  case UI_CONSENT:
    return strcmp(words, "withdraw") == 0 ? privacy(c, true) : pilot_refuse(c, now, "type: consent withdraw");
  case UI_THEME:
    return words[0] != '\0' ? text_intent(c, INTENT_THEME, words)
                            : pilot_refuse(c, now, "theme needs a name");
  case UI_REDRAW:
    model_intent(c->m, INTENT_REDRAW);
    return true;
  case UI_SUSPEND:
    model_intent(c->m, INTENT_SUSPEND);
    return true;
  case UI_QUIT:
    perform_quit(c, now);
    return true;
  default:
    return perform_view(c, ui, words);
  }
}
