#include "tui/perform.h"

#include "tui/pages.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool refuse(struct pilot *c, us_t now, const char *why) {
  model_toast(c->m, now, STYLE_WARN, why);
  return false;
}

void perform_quit(struct pilot *c, us_t now) {
  struct model *m = c->m;
  struct question *q = &m->ask;
  (void)now;
  if (m->state != CLIENT_JOINED || (m->mode == MODE_ASK && q->kind == ASK_QUIT)) {
    model_intent(m, INTENT_LEAVE);
    return;
  }
  *q = (struct question){.kind = ASK_QUIT, .yes = "leave", .no = "stay"};
  snprintf(q->text, sizeof q->text, "Leave %s?", m->room.name);
  if (command_refusal(m, command_of_act(ACT_END), 0) == NULL) {
    q->other = 'e';
    q->other_word = "end for everyone";
  }
  m->mode = MODE_ASK;
}

static void focus(struct model *m, enum model_pane pane) {
  m->pane = pane;
  m->scroll = 0;
  if (pane == PANE_CHAT)
    m->unread = 0;
}

static void move(struct model *m, int rows) {
  if (m->pane == PANE_PEOPLE) {
    model_move(m, rows);
    return;
  }
  int64_t to = (int64_t)m->scroll - rows;
  m->scroll = (size_t)(to < 0 ? 0 : to > (int64_t)m->n_lines ? (int64_t)m->n_lines : to);
}

static bool go_lobby(struct pilot *c, us_t now) {
  uint32_t first;
  struct model *m = c->m;
  size_t waiting;
  if (model_list(m, &first, 1, &waiting) == 0 || waiting == 0)
    return refuse(c, now, "nobody waits");
  focus(m, PANE_PEOPLE);
  m->cursor = first;
  return true;
}

/* last_private: who wrote to me last, else the person selected. */
static uint32_t last_private(const struct model *m) {
  for (size_t i = m->room.n_chat; i-- > 0;) {
    const struct chat *chat = &m->room.chat[i];
    if (chat->kind == CHAT_PRIVATE && chat->from != m->me && room_member(&m->room, chat->from) != NULL)
      return chat->from;
  }
  return m->cursor != m->me ? m->cursor : 0;
}

static bool reply(struct pilot *c, us_t now) {
  char line[TEXT_NAME_MAX + 16], name[TEXT_NAME_MAX + 8];
  uint32_t to = last_private(c->m);
  if (to == 0)
    return refuse(c, now, "choose a person first: up, down");
  args_name(c->m, to, name, sizeof name);
  snprintf(line, sizeof line, "msg %s ", name);
  c->m->mode = MODE_COMMAND;
  lineedit_set(c->m->command, line);
  return true;
}

static bool link_command(struct pilot *c, bool copy, us_t now) {
  if (c->m->invite[0] == '\0')
    return refuse(c, now, "no link yet: i makes one");
  if (!copy) {
    model_page(c->m, "Invite link", pages_link(c->m->invite, c->m->ascii));
    return true;
  }
  snprintf(model_intent(c->m, INTENT_COPY)->text, LINK_MAX, "%s", c->m->invite);
  model_toast(c->m, now, STYLE_OK, "The invite link is on the clipboard, if the terminal allows it.");
  return true;
}

static bool filter(struct model *m, const char *words) {
  m->pane = PANE_PEOPLE;
  snprintf(m->filter, sizeof m->filter, "%.*s", (int)text_fit(words, TEXT_NAME_COLS), words);
  lineedit_set(m->search, m->filter);
  if (words[0] == '\0')
    m->mode = MODE_FILTER;
  return true;
}

static bool mic(struct pilot *c, const char *words, us_t now) {
  bool on = strcasecmp(words, "on") == 0;
  if (!on && strcasecmp(words, "off") != 0)
    return refuse(c, now, "mic needs on or off");
  const struct member *self = model_self(c->m);
  if (on && self != NULL && self->muted)
    model_act(c->m, &(struct order){.act = ACT_UNMUTE});
  pilot_mic(c, on, now);
  return true;
}

static bool toggle_mic(struct pilot *c, us_t now) {
  const struct member *self = model_self(c->m);
  return pilot_line(c, self != NULL && self->muted ? "unmute" : c->m->gate ? "mute" : "mic on", now);
}

static bool mark(struct pilot *c, us_t now) {
  if (c->m->cursor == 0)
    return refuse(c, now, "choose a person first: up, down");
  model_mark(c->m, c->m->cursor);
  model_move(c->m, 1);
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
  if (m->filter[0] != '\0')
    m->filter[0] = '\0';
  else if (m->n_marks > 0)
    m->n_marks = 0;
  else if (m->scroll > 0)
    m->scroll = 0;
  else
    m->zoom = false;
  m->toast[0] = '\0';
  return true;
}

/* perform_view: what only changes the view. False: not one of those. */
static bool perform_view(struct pilot *c, enum ui ui, const char *words) {
  struct model *m = c->m;
  switch (ui) {
  case UI_HELP:
    return typing(m, MODE_HELP, words);
  case UI_COMMAND:
    return typing(m, MODE_COMMAND, "");
  case UI_WHO:
  case UI_LIST:
    model_page(m, "People", pages_people(m, false));
    return true;
  case UI_WAITING:
    model_page(m, "Waiting", pages_people(m, true));
    return true;
  case UI_LOG:
    model_page(m, "Log", pages_log(m));
    return true;
  case UI_PANE:
    focus(m, m->pane == PANE_PEOPLE ? PANE_CHAT : PANE_PEOPLE);
    return true;
  case UI_PEOPLE:
    focus(m, PANE_PEOPLE);
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

bool perform_ui(struct pilot *c, enum ui ui, const char *words, us_t now) {
  switch (ui) {
  case UI_SAY:
    return words[0] != '\0' ? pilot_say(c, words, now) : typing(c->m, MODE_CHAT, "");
  case UI_TALK:
    ptt_set(&c->ptt, now, !ptt_is_open(&c->ptt));
    pilot_tick(c, now);
    return true;
  case UI_MIC:
    return mic(c, words, now);
  case UI_TALK_MUTE:
    return toggle_mic(c, now);
  case UI_LOBBY_FOCUS:
    return go_lobby(c, now);
  case UI_MARK:
    return mark(c, now);
  case UI_REPLY:
    return reply(c, now);
  case UI_COPY:
  case UI_LINK:
    return link_command(c, ui == UI_COPY, now);
  case UI_DEVICES:
    return text_intent(c, words[0] != '\0' ? INTENT_AUDIO : INTENT_DEVICES, words);
  case UI_THEME:
    return words[0] != '\0' ? text_intent(c, INTENT_THEME, words) : refuse(c, now, "theme needs a name");
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
