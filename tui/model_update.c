/* What a client event changes in the model. */
#include "tui/model_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* add_chats: messages of the replica that are newer than the lines. */
static void add_chats(struct model *m) {
  size_t i = m->room.n_chat;
  while (i > 0 && m->room.chat[i - 1].id > m->chat_last)
    i--;
  for (; i < m->room.n_chat; i++) {
    const struct chat *c = &m->room.chat[i];
    m->chat_last = c->id;
    model_line_new(m, c->ts_ms, STYLE_NORMAL)->chat = c->id;
    if (m->pane != PANE_CHAT)
      m->unread++;
  }
}

static bool undoable(enum room_ev kind) {
  static const bool CAN[ROOM_EV__COUNT] = {
      [ROOM_EV_LOCKED] = true,     [ROOM_EV_LOBBY] = true,      [ROOM_EV_TOPIC] = true,
      [ROOM_EV_POLICY] = true,     [ROOM_EV_MUTE_ALL] = true,   [ROOM_EV_MUTED] = true,
      [ROOM_EV_FLOOR] = true,      [ROOM_EV_ROLE] = true,       [ROOM_EV_CHAT_MODE] = true,
      [ROOM_EV_HAND] = true,       [ROOM_EV_MUTE_ENTRY] = true, [ROOM_EV_ONE_SPEAKER] = true,
      [ROOM_EV_AUTO_ADMIT] = true, [ROOM_EV_LINKS] = true,      [ROOM_EV_NAME_HOSTS] = true,
      [ROOM_EV_SLOW] = true,       [ROOM_EV_MAX_PEOPLE] = true, [ROOM_EV_MAX_SPEAKERS] = true,
      [ROOM_EV_TALK_TIME] = true,  [ROOM_EV_AGENDA] = true,     [ROOM_EV_AGENDA_AT] = true,
      [ROOM_EV_PINNED] = true,     [ROOM_EV_RECALL] = true,     [ROOM_EV_ENDING] = true,
      [ROOM_EV_PRIORITY] = true,   [ROOM_EV_GAIN] = true,       [ROOM_EV_MOVED] = true,
      [ROOM_EV_RENAMED] = true};
  return CAN[kind];
}

/* own_act: what I just did, with the way back. The first event of a group speaks for the group, except that
 * people let in one by one are counted; my own mute and hand are a key away, so they get no hint. */
static void own_act(struct model *m, const struct room_event *ev, us_t now) {
  bool self_only = ev->n_targets == 1 && ev->targets[0] == m->me, again = m->toast_group == ev->group;
  m->toast_people = again ? m->toast_people + 1 : 1;
  if (again && ev->kind == ROOM_EV_ADMITTED) {
    char text[SAY_MAX];
    snprintf(text, sizeof text, "You let %u people in.", m->toast_people);
    model_toast(m, now, STYLE_OK, text);
    return;
  }
  if (again && m->toast_until > now)
    return;
  size_t len = strlen(m->said);
  if (undoable(ev->kind) && !self_only && len > 0) {
    snprintf(m->toast, sizeof m->toast, "%.*s - u undoes", (int)(len - (m->said[len - 1] == '.')), m->said);
    m->toast_style = STYLE_OK;
    m->toast_until = now + MODEL_UNDO_US;
  } else {
    model_toast(m, now, STYLE_OK, m->said);
  }
  m->toast_group = ev->group;
}

static bool targets_me(const struct model *m, const struct room_event *ev) {
  for (size_t i = 0; i < ev->n_targets; i++)
    if (ev->targets[i] == m->me)
      return true;
  return false;
}

/* add_notice: the sentence of an event. Who comes and goes in a large room would drown what people write. */
static void add_notice(struct model *m, const struct room_event *ev) {
  bool traffic = ev->kind == ROOM_EV_JOINED || ev->kind == ROOM_EV_LEFT || ev->kind == ROOM_EV_AWAY ||
                 ev->kind == ROOM_EV_BACK || ev->kind == ROOM_EV_KNOCKED || ev->kind == ROOM_EV_ADMITTED;
  struct model_line *last = m->n_lines > 0 ? &m->lines[m->n_lines - 1] : NULL;
  if (ev->kind == ROOM_EV_ADMITTED && last != NULL && last->admitted == ev->group) {
    snprintf(last->text, sizeof last->text, "%s let %u people in.",
             say_name(&m->room, m->me, ev->actor, true), ++last->n);
    return;
  }
  struct model_line *l = model_line_new(m, ev->ts_ms, m->said_style);
  snprintf(l->text, sizeof l->text, "%s", m->said);
  if (ev->kind == ROOM_EV_ADMITTED) {
    l->admitted = ev->group;
    l->n = 1;
  }
  l->quiet = traffic && ev->actor != m->me && model_group_count(m, GROUP_EVERYONE) > MODEL_LARGE;
}

/* add_deed: what was done to people, for their cards; what one does to himself is no deed. */
static void add_deed(struct model *m, const struct room_event *ev) {
  struct model_deed *d = &m->deeds[m->deed_next % MODEL_DEEDS_MAX];
  bool own = ev->n_targets == 1 && ev->targets[0] == ev->actor;
  if (own || ev->kind == ROOM_EV_NOTED || ev->n_targets == 0 || m->said[0] == '\0')
    return;
  uint32_t *who = malloc(ev->n_targets * sizeof *who);
  if (who == NULL)
    return;
  memcpy(who, ev->targets, ev->n_targets * sizeof *who);
  free(d->who);
  *d = (struct model_deed){.ts_ms = ev->ts_ms, .style = m->said_style, .who = who, .n = ev->n_targets};
  snprintf(d->text, sizeof d->text, "%s", m->said);
  m->deed_next++;
}

const struct model_deed *model_deed(const struct model *m, uint32_t id, size_t i) {
  for (size_t k = 1; k <= MODEL_DEEDS_MAX && k <= m->deed_next; k++) {
    const struct model_deed *d = &m->deeds[(m->deed_next - k) % MODEL_DEEDS_MAX];
    for (size_t t = 0; t < d->n; t++)
      if (d->who[t] == id && i-- == 0)
        return d;
  }
  return NULL;
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

static void notify(struct model *m, const char *kind, const char *text) {
  struct intent *i = model_intent(m, INTENT_NOTIFY);
  snprintf(i->text, sizeof i->text, "%s", text);
  snprintf(i->text2, sizeof i->text2, "%s", kind);
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
    add_deed(m, ev);
  if (ev->kind == ROOM_EV_MUTE_ALL)
    m->mute_all_group = ev->group;
  if (!worth || (ev->kind == ROOM_EV_MUTED && ev->group == m->mute_all_group && !targets_me(m, ev)))
    m->said[0] = '\0';
  if (m->said[0] != '\0')
    add_notice(m, ev);
  add_chats(m);
  if (ev->kind == ROOM_EV_KNOCKED)
    on_knock(m, now);
  if (model_count(m, PRESENCE_WAITING) == 0)
    m->knock_next = US_NEVER;
  if (ev->actor == m->me && m->said[0] != '\0') {
    own_act(m, ev, now);
  } else if (targets_me(m, ev)) {
    model_toast(m, now, STYLE_WARN, m->said);
    notify(m, room_ev_name(ev->kind), m->said);
    if (ev->kind == ROOM_EV_ASKED)
      ask_unmute(m, ev, now);
  }
}

static void on_room(struct model *m, struct room *room) {
  room_free(&m->room);
  m->room = *room;
  free(room);
  m->have_room = true;
  roster_reset(m);
  add_chats(m);
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
  if (act == ACT_BAN_CHECK)
    snprintf(words, sizeof words,
             text[0] != '\0' ? "A ban would also hit: %.300s." : "A ban would hit nobody else.", text);
  else
    snprintf(words, sizeof words,
             act == ACT_CLAIM_CODE ? "Whoever types claim %.300s becomes host." : "%.380s", text);
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
  model_toast(m, now, STYLE_WARN, text[0] != '\0' ? text : err_text(ev->why));
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

static void add_lobby_note(struct model *m, const struct client_event *ev, us_t now) {
  char text[SAY_MAX];
  say_sentence(ev->text, text);
  model_note(m, model_wall(m, now), STYLE_NOTICE, text);
  notify(m, "message", text);
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
    on_room(m, ev->room);
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
  case CLIENT_EV_MIC:
    m->mic = ev->mic;
    m->level = ev->level;
    m->muted_talk = ev->muted_talk && m->state == CLIENT_JOINED;
    break;
  case CLIENT_EV_LINK:
    m->link = ev->link;
    break;
  case CLIENT_EV_NOTICE:
    model_toast(m, now, STYLE_WARN, ev->text);
    if (m->state == CLIENT_LOBBY) /* what a host tells those who wait stays in sight */
      add_lobby_note(m, ev, now);
    break;
  }
}
