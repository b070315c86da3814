/* What a client event changes in the model. */
#include "tui/model_private.h"
#include "tui/refusal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void notify(struct model *m, const char *kind, const char *text) {
  struct intent *i = model_intent(m, INTENT_NOTIFY);
  snprintf(i->text, sizeof i->text, "%s", text);
  snprintf(i->text2, sizeof i->text2, "%s", kind);
}

/* on_private: a message for me alone, which a pane over the chat would hide; it takes no way back away. */
static void on_private(struct model *m, const struct chat *c, us_t now) {
  char text[SAY_MAX];
  const char *from = c->name[0] != '\0' ? c->name : "The operator";
  bool busy = m->toast_until > now && strstr(m->toast, MODEL_UNDO_WORDS) != NULL;
  snprintf(text, sizeof text, "%s writes to you: %.*s", from, (int)text_fit(c->text, 90), c->text);
  if (m->pane != PANE_CHAT && !busy)
    model_toast(m, now, STYLE_CHAT_PRIVATE, text);
  notify(m, "message", text);
}

/* add_chats: messages of the replica that are newer than the lines; `live`: they come this moment. */
static void add_chats(struct model *m, bool live, us_t now) {
  size_t i = m->room.n_chat;
  while (i > 0 && m->room.chat[i - 1].id > m->chat_last)
    i--;
  for (; i < m->room.n_chat; i++) {
    const struct chat *c = &m->room.chat[i];
    m->chat_last = c->id;
    model_line_new(m, c->ts_ms, STYLE_NORMAL)->chat = c->id;
    if (m->pane != PANE_CHAT && c->from != m->me)
      m->unread++;
    if (live && c->kind == CHAT_PRIVATE && c->to == m->me && c->from != m->me)
      on_private(m, c, now);
  }
}

static void ask_unmute(struct model *m, const struct room_event *ev, us_t now) {
  struct question *q = &m->asked;
  *q = (struct question){.kind = ASK_UNMUTE,
                         .yes = "unmute",
                         .no = "stay muted, as after 30 s",
                         .order.act = ACT_UNMUTE,
                         .until = now + MODEL_ASKED_US};
  snprintf(q->text, sizeof q->text, "%s asks you to unmute. Unmute?",
           say_name(&m->room, m->me, ev->actor, true));
  model_intent(m, INTENT_BELL);
}

static void on_knock(struct model *m, us_t now) {
  if (!model_is_moderator(m))
    return;
  if (m->knock_next == US_NEVER) {
    model_intent(m, INTENT_BELL);
    m->knock_next = now + MODEL_KNOCK_AGAIN_US;
  }
  notify(m, "knock", m->said);
}

static void on_event(struct model *m, const struct room_event *ev, us_t now) {
  enum style style = STYLE_NORMAL;
  m->said[0] = '\0';
  if (!m->have_room || ev->seq <= m->room.seq)
    return;
  bool worth = say_event(&m->room, m->me, ev, m->said, &style);
  room_apply(&m->room, ev);
  m->said_style = style;
  roster_apply(m, ev);
  if (worth)
    tell_deed(m, ev);
  if (ev->kind == ROOM_EV_ONE_SPEAKER && ev->num == 0 && worth && model_is_moderator(m))
    refusal_no_floor(&m->room, m->me, m->said);
  if (tell_already(m, ev) || !worth)
    m->said[0] = '\0';
  if (m->said[0] != '\0')
    tell_notice(m, ev);
  bool told = tell_toast(m, ev, now);
  add_chats(m, true, now);
  if (ev->kind == ROOM_EV_KNOCKED)
    on_knock(m, now);
  if (model_count(m, PRESENCE_WAITING) == 0)
    m->knock_next = US_NEVER;
  if (ev->actor == m->me || !tell_names_me(m, ev))
    return;
  if (told || ev->kind == ROOM_EV_ASKED)
    notify(m, room_ev_name(ev->kind), m->said);
  if (ev->kind == ROOM_EV_ASKED)
    ask_unmute(m, ev, now);
}

static void on_room(struct model *m, struct room *room, us_t now) {
  room_free(&m->room);
  m->room = *room;
  free(room);
  m->have_room = true;
  roster_reset(m);
  add_chats(m, false, now);
}

/* on_history: older messages stand before the lines that are younger than they. */
static void on_history(struct model *m, struct client_event *ev) {
  size_t n = ev->why == ERR_OK && m->have_room ? client_history_into(&m->room, ev) : 0, at = 0;
  n = n < MODEL_LINES_MAX - m->n_lines ? n : MODEL_LINES_MAX - m->n_lines;
  while (at < m->n_lines && n > 0 && m->lines[at].ts_ms < m->room.chat[n - 1].ts_ms)
    at++;
  memmove(&m->lines[at + n], &m->lines[at], (m->n_lines - at) * sizeof m->lines[0]);
  for (size_t i = 0; i < n; i++)
    m->lines[at + i] = (struct model_line){.ts_ms = m->room.chat[i].ts_ms, .chat = m->room.chat[i].id};
  m->n_lines += n;
  m->history = ev->more && n > 0 ? HISTORY_MORE : HISTORY_END;
  client_event_free(ev);
}

static void on_levels(struct model *m, const struct client_event *ev, us_t now) {
  for (unsigned i = 0; i < ev->n && i < CLIENT_LEVELS_MAX; i++) {
    struct model_talk *slot = NULL, *oldest = &m->talk[0];
    for (size_t k = 0; k < CLIENT_LEVELS_MAX && slot == NULL; k++) {
      if (m->talk[k].member == ev->level_of[i].member)
        slot = &m->talk[k];
      if (m->talk[k].until < oldest->until)
        oldest = &m->talk[k];
    }
    if (slot == NULL || slot->until <= now) {
      slot = slot != NULL ? slot : oldest;
      *slot = (struct model_talk){.member = ev->level_of[i].member, .since = now, .fed = now};
      meter_init(&slot->meter);
    }
    roster_heard(m, slot->member, now - slot->fed);
    slot->fed = now;
    meter_feed(&slot->meter, now, -(float)ev->level_of[i].level, true);
    slot->until = now + MODEL_TALK_HOLD_US;
  }
}

/* forget_room: back in the lobby one sees nothing of it. */
static void forget_room(struct model *m) {
  room_free(&m->room);
  room_init(&m->room);
  m->have_room = false;
  m->n_lines = m->n_marks = 0;
  m->chat_last = 0;
  m->cursor = 0;
  roster_reset(m);
}

static void on_state(struct model *m, const struct client_event *ev, us_t now) {
  bool admitted = m->state == CLIENT_LOBBY && ev->state == CLIENT_JOINED;
  if (ev->state == CLIENT_LOBBY && m->have_room)
    forget_room(m);
  if (m->state == CLIENT_RECONNECTING && ev->state != CLIENT_RECONNECTING)
    m->maintenance_ms = 0; /* it may be over, or called off: the server says next what is planned */
  m->state = ev->state;
  m->why = ev->why;
  m->place = ev->place;
  m->waiting = ev->waiting;
  if (ev->me != 0)
    m->me = ev->me;
  if (m->cursor == 0 && ev->state == CLIENT_JOINED)
    m->cursor = m->me;
  snprintf(m->end_text, sizeof m->end_text, "%s", ev->text);
  if (admitted) {
    model_toast(m, now, STYLE_OK, "You were let in.");
    notify(m, "admitted", "You were let in.");
  }
}

void model_sent(struct model *m, uint32_t ticket, enum act act) {
  bool quiet = act == ACT_BAN_CHECK && m->mode == MODE_ASK && m->ask.checking && m->ask.check == 0;
  if (quiet)
    m->ask.check = ticket;
  m->sent[m->sent_next].ticket = ticket;
  m->sent[m->sent_next].act = act;
  m->sent[m->sent_next].quiet = quiet;
  m->sent_next = (m->sent_next + 1) % MODEL_SENT_MAX;
}

/* whom_else: the answer to ban_check joins the question it was sent for, while that is still open. */
static void whom_else(struct model *m, uint32_t ticket, const char *names) {
  struct question *q = &m->ask;
  if (m->mode != MODE_ASK || !q->checking || q->check != ticket || names[0] == '\0')
    return;
  size_t len = strlen(q->text);
  snprintf(q->text + len, sizeof q->text - len, " It would also hit: %s.", names);
  q->checking = false;
}

static void on_attendance(struct model *m, const char *csv) {
  char *page = strdup(csv);
  if (page == NULL)
    abort();
  model_page(m, "Attendance", page);
  if (m->save_as[0] != '\0')
    snprintf(model_intent(m, INTENT_SAVE)->text, sizeof m->save_as, "%s", m->save_as);
  m->save_as[0] = '\0';
}

static void show_code(struct model *m, const char *code) {
  char *page = malloc(2 * SAY_MAX);
  if (page == NULL)
    abort();
  snprintf(page, (size_t)2 * SAY_MAX, "%.300s\n\nWhoever types claim %.300s becomes host.\n", code, code);
  model_page(m, "Claim code", page);
}

/* on_answer: what an act brought back. */
static void on_answer(struct model *m, enum act act, const char *text, us_t now) {
  char words[SAY_MAX];
  if (act == ACT_ATTENDANCE) {
    on_attendance(m, text);
    return;
  }
  if (act == ACT_INVITE || (act == ACT__COUNT && text[0] != '\0')) {
    snprintf(m->invite, sizeof m->invite, "%.*s", LINK_MAX - 1, text);
    m->invite_new = text[0] != '\0';
    return;
  }
  if (act == ACT_CLAIM_CODE && text[0] != '\0') { /* a secret: nowhere but on this page */
    show_code(m, text);
    return;
  }
  if (act == ACT_BAN_CHECK)
    snprintf(words, sizeof words,
             text[0] != '\0' ? "A ban would also hit: %.300s." : "A ban would hit nobody else.", text);
  else
    snprintf(words, sizeof words, "%.380s", text);
  if (text[0] == '\0' && act != ACT_BAN_CHECK)
    return;
  model_note(m, model_wall(m, now), STYLE_OK, words);
  model_toast(m, now, STYLE_OK, words);
}

static void on_reply(struct model *m, const struct client_event *ev, us_t now) {
  const char *text = ev->data != NULL ? ev->data : ev->text;
  size_t i = 0;
  while (i < MODEL_SENT_MAX && (ev->ticket == 0 || m->sent[i].ticket != ev->ticket))
    i++;
  enum act act = i < MODEL_SENT_MAX ? m->sent[i].act : ACT__COUNT;
  if (m->state == CLIENT_ENDED)
    return; /* acts cut off by the end: the end says it all */
  if (act == ACT_BAN_CHECK && m->sent[i].quiet) {
    if (ev->why == ERR_OK)
      whom_else(m, ev->ticket, text);
    return;
  }
  if (ev->why == ERR_OK) {
    on_answer(m, act, text, now);
    return;
  }
  if (act == ACT_ATTENDANCE)
    m->save_as[0] = '\0';
  model_toast(m, now, STYLE_WARN, refusal_text(act, ev->why, text));
}

static void set_quality(struct model *m, uint32_t id, uint8_t quality) {
  for (size_t i = 0; i < m->n_weak; i++)
    if (m->weak[i].member == id) {
      m->weak[i] = m->weak[--m->n_weak];
      break;
    }
  if (quality > 0 && m->n_weak < MODEL_WEAK_MAX)
    m->weak[m->n_weak++] = (struct model_weak){id, quality};
  roster_line(m);
}

/* add_lobby_note: once, when it is told twice at about the same time. */
static void add_lobby_note(struct model *m, const struct client_event *ev, us_t now) {
  char text[SAY_MAX];
  say_sentence(ev->text, text);
  for (size_t i = 0; i < m->n_lines; i++)
    if (m->lines[i].ts_ms > model_wall(m, now) - MODEL_CROWD_MS && strcmp(m->lines[i].text, text) == 0)
      return;
  model_note(m, model_wall(m, now), STYLE_NOTICE, text);
  notify(m, "message", text);
}

static void set_maintenance(struct model *m, const struct client_event *ev) {
  m->maintenance_ms = ev->at_ms;
  snprintf(m->maintenance, sizeof m->maintenance, "%.*s", (int)sizeof m->maintenance - 1, ev->text);
}

static void on_mic(struct model *m, const struct client_event *ev) {
  m->mic = ev->mic;
  m->level = ev->level;
  m->muted_talk = ev->muted_talk && m->state == CLIENT_JOINED;
}

void model_update(struct model *m, struct client_event *ev, us_t now) {
  m->said[0] = '\0';
  m->now = now;
  (void)roster_tick(m);
  switch (ev->kind) {
  case CLIENT_EV_STATE:
    on_state(m, ev, now);
    break;
  case CLIENT_EV_ROOM:
    on_room(m, ev->room, now);
    ev->room = NULL;
    break;
  case CLIENT_EV_EVENT:
    on_event(m, ev->event, now);
    room_event_free(ev->event);
    free(ev->event);
    ev->event = NULL;
    break;
  case CLIENT_EV_REPLY:
    on_reply(m, ev, now);
    free(ev->data);
    ev->data = NULL;
    break;
  case CLIENT_EV_HISTORY:
    on_history(m, ev);
    break;
  case CLIENT_EV_LEVELS:
    on_levels(m, ev, now);
    break;
  case CLIENT_EV_QUALITY:
    for (unsigned i = 0; i < ev->n; i++)
      set_quality(m, ev->level_of[i].member, ev->level_of[i].level);
    break;
  case CLIENT_EV_MAINTENANCE:
    set_maintenance(m, ev);
    break;
  case CLIENT_EV_MIC:
    on_mic(m, ev);
    break;
  case CLIENT_EV_LINK:
    m->link = ev->link;
    break;
  case CLIENT_EV_OTHER:
    m->other = ev->other;
    m->other_until = now + 2 * MODEL_OTHER_AGAIN_US;
    break;
  case CLIENT_EV_SECURITY:
    free(m->security);
    m->security = ev->data;
    ev->data = NULL;
    break;
  case CLIENT_EV_PRIVACY:
    if (ev->why == ERR_OK)
      model_page(m, "What is stored about you", ev->data);
    else
      model_toast(m, now, STYLE_WARN, ev->text);
    ev->data = NULL;
    break;
  case CLIENT_EV_CONSENT: /* the front end has taken it */
    free(ev->data);
    ev->data = NULL;
    break;
  case CLIENT_EV_NOTICE:
    model_toast(m, now, STYLE_WARN, ev->text);
    if (m->state == CLIENT_LOBBY) /* what a host tells those who wait stays in sight */
      add_lobby_note(m, ev, now);
    break;
  }
}
