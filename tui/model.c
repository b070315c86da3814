#include "tui/model.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct model *model_create(void) {
  struct model *m = calloc(1, sizeof *m);
  if (m == NULL)
    return NULL;
  room_init(&m->room);
  m->knock_next = US_NEVER;
  m->lines = calloc(MODEL_LINES_MAX, sizeof *m->lines);
  m->chat = lineedit_create(TEXT_CHAT_MAX, false);
  m->command = lineedit_create(TEXT_CHAT_MAX, false);
  m->search = lineedit_create(TEXT_NAME_MAX, false);
  if (m->lines != NULL && m->chat != NULL && m->command != NULL && m->search != NULL)
    return m;
  model_destroy(m);
  return NULL;
}

void model_destroy(struct model *m) {
  if (m == NULL)
    return;
  room_free(&m->room);
  lineedit_destroy(m->chat);
  lineedit_destroy(m->command);
  lineedit_destroy(m->search);
  free(m->lines);
  free(m->page);
  free(m);
}

/* ---- outbox, toasts, lines ---- */

struct intent *model_intent(struct model *m, enum intent_kind kind) {
  if (m->n_outbox == OUTBOX_MAX) {
    memmove(&m->outbox[0], &m->outbox[1], (OUTBOX_MAX - 1) * sizeof m->outbox[0]);
    m->n_outbox--;
  }
  struct intent *i = &m->outbox[m->n_outbox++];
  memset(i, 0, sizeof *i);
  i->kind = kind;
  return i;
}

bool model_take(struct model *m, struct intent *out) {
  if (m->n_outbox == 0)
    return false;
  *out = m->outbox[0];
  m->n_outbox--;
  memmove(&m->outbox[0], &m->outbox[1], m->n_outbox * sizeof m->outbox[0]);
  return true;
}

void model_act(struct model *m, const struct order *o) {
  model_intent(m, INTENT_ACT)->order = *o;
}

void model_toast(struct model *m, us_t now, enum style s, const char *text) {
  snprintf(m->toast, sizeof m->toast, "%.*s", (int)sizeof m->toast - 1, text);
  m->toast_style = s;
  m->toast_until = now + MODEL_TOAST_US;
  m->toast_group = 0;
}

static struct model_line *new_line(struct model *m, int64_t ts_ms, enum style s) {
  if (m->n_lines == MODEL_LINES_MAX) {
    memmove(&m->lines[0], &m->lines[1], (MODEL_LINES_MAX - 1) * sizeof m->lines[0]);
    m->n_lines--;
  }
  struct model_line *l = &m->lines[m->n_lines++];
  *l = (struct model_line){.ts_ms = ts_ms, .style = s};
  if (m->scroll > 0 && m->pane == PANE_CHAT && m->mode == MODE_KEYS)
    m->scroll++; /* someone who reads back keeps his place */
  return l;
}

void model_note(struct model *m, int64_t ts_ms, enum style s, const char *text) {
  snprintf(new_line(m, ts_ms, s)->text, SAY_MAX, "%s", text);
}

void model_page(struct model *m, const char *title, char *text) {
  free(m->page);
  m->page = text;
  snprintf(m->page_title, sizeof m->page_title, "%s", title);
  m->mode = MODE_PAGE;
  m->scroll = 0;
}

/* ---- people ---- */

const struct member *model_self(const struct model *m) {
  return m->have_room && m->me != 0 ? room_member(&m->room, m->me) : NULL;
}

bool model_is_moderator(const struct model *m) {
  const struct member *self = model_self(m);
  return self != NULL && ROLE_IS_MODERATOR(self->role);
}

static bool passes(const struct model *m, const struct member *p) {
  return m->filter[0] == '\0' || strcasestr(p->name, m->filter) != NULL;
}

size_t model_list(const struct model *m, uint32_t *ids, size_t cap, size_t *n_waiting) {
  size_t n = 0;
  for (int pass = 0; pass < 2; pass++) {
    for (size_t i = 0; i < m->room.n_members; i++) {
      const struct member *p = &m->room.members[i];
      if ((p->presence == PRESENCE_WAITING) != (pass == 0) || !passes(m, p))
        continue;
      if (n < cap)
        ids[n] = p->id;
      n++;
    }
    if (pass == 0)
      *n_waiting = n;
  }
  return n;
}

static size_t row_of(const struct model *m, uint32_t id, const uint32_t *ids, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (ids[i] == id)
      return i;
  return m->cursor_row < n ? m->cursor_row : n - 1;
}

void model_move(struct model *m, int delta) {
  uint32_t *ids = calloc(ROOM_MEMBERS_MAX + ROOM_WAITING_MAX, sizeof *ids);
  size_t waiting;
  size_t n = ids == NULL ? 0 : model_list(m, ids, ROOM_MEMBERS_MAX + ROOM_WAITING_MAX, &waiting);
  if (n > 0) {
    size_t at = row_of(m, m->cursor, ids, n);
    bool here = ids[at] == m->cursor;
    /* Where he stood, the next person stands now: a gone cursor comes back there, not one further. */
    int64_t to = (int64_t)at + (here || delta < 0 ? delta : delta - 1);
    m->cursor_row = (size_t)(to < 0 ? 0 : to >= (int64_t)n ? (int64_t)n - 1 : to);
    m->cursor = ids[m->cursor_row];
  }
  free(ids);
}

bool model_marked(const struct model *m, uint32_t id) {
  for (size_t i = 0; i < m->n_marks; i++)
    if (m->marks[i] == id)
      return true;
  return false;
}

void model_mark(struct model *m, uint32_t id) {
  for (size_t i = 0; i < m->n_marks; i++)
    if (m->marks[i] == id) {
      m->marks[i] = m->marks[--m->n_marks];
      return;
    }
  if (m->n_marks < MODEL_MARKS_MAX)
    m->marks[m->n_marks++] = id;
}

/* forget_gone: people who left are no longer marked, and the cursor stands on nobody rather than on a
 * stranger. */
static void forget_gone(struct model *m) {
  for (size_t i = m->n_marks; i-- > 0;)
    if (room_member(&m->room, m->marks[i]) == NULL)
      m->marks[i] = m->marks[--m->n_marks];
  if (m->cursor != 0 && room_member(&m->room, m->cursor) == NULL)
    m->cursor = 0;
}

const struct model_talk *model_talk(const struct model *m, uint32_t id, us_t now) {
  for (size_t i = 0; i < CLIENT_LEVELS_MAX; i++)
    if (m->talk[i].member == id && id != 0 && m->talk[i].until > now)
      return &m->talk[i];
  return NULL;
}

struct lineedit *model_edit(const struct model *m) {
  switch (m->mode) {
  case MODE_CHAT:
    return m->chat;
  case MODE_COMMAND:
    return m->command;
  case MODE_FILTER:
  case MODE_HELP:
    return m->search;
  default:
    return NULL;
  }
}

void model_close(struct model *m) {
  m->mode = MODE_KEYS;
  m->ask.kind = ASK_NOTHING;
  m->scroll = 0;
  m->help_row = 0;
  lineedit_clear(m->search);
  lineedit_clear(m->command);
}

const char *model_mic_words(const struct model *m) {
  const struct member *self = model_self(m);
  if (m->no_audio)
    return "NO SOUND";
  switch (m->mic) {
  case MIC_NONE:
    return "NO MICROPHONE";
  case MIC_HELD:
    return "MUTED BY HOST, raise a hand";
  case MIC_NO_FLOOR:
    return "NO FLOOR, raise a hand";
  case MIC_MUTED:
    return self != NULL && self->muted_by == m->me ? "MUTED" : "MUTED BY HOST";
  case MIC_OPEN:
    if (m->state == CLIENT_LOBBY)
      return "MIC TEST, nobody hears you yet";
    return m->ptt_words != NULL ? m->ptt_words : "ON AIR";
  default:
    return "MIC OFF";
  }
}

void model_end_words(const struct model *m, char out[SAY_MAX]) {
  const char *why = m->why == ERR_OK ? "you left" : err_text(m->why);
  bool more = m->end_text[0] != '\0' && strcmp(m->end_text, why) != 0;
  snprintf(out, SAY_MAX, "%s%s%.300s", why, more ? ": " : "", more ? m->end_text : "");
}

void model_clock(const struct model *m, int64_t ts_ms, char out[8]) {
  int64_t minutes = (ts_ms / 1000 + m->utc_offset_s) / 60;
  int of_day = (int)(((minutes % 1440) + 1440) % 1440);
  snprintf(out, 8, "%02d:%02d", of_day / 60, of_day % 60);
}

/* ---- events ---- */

/* add_chats: messages of the replica that are newer than the lines. */
static void add_chats(struct model *m) {
  for (size_t i = 0; i < m->room.n_chat; i++) {
    const struct chat *c = &m->room.chat[i];
    if (c->id <= m->chat_last)
      continue;
    m->chat_last = c->id;
    new_line(m, c->ts_ms, STYLE_NORMAL)->chat = c->id;
    if (m->pane != PANE_CHAT)
      m->unread++;
  }
}

static bool undoable(enum room_ev kind) {
  static const bool CAN[ROOM_EV__COUNT] = {
      [ROOM_EV_LOCKED] = true,    [ROOM_EV_LOBBY] = true, [ROOM_EV_TOPIC] = true, [ROOM_EV_POLICY] = true,
      [ROOM_EV_MUTE_ALL] = true,  [ROOM_EV_MUTED] = true, [ROOM_EV_FLOOR] = true, [ROOM_EV_ROLE] = true,
      [ROOM_EV_CHAT_MODE] = true, [ROOM_EV_HAND] = true};
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

static void ask_unmute(struct model *m, const struct room_event *ev) {
  struct question *q = &m->asked;
  *q = (struct question){.kind = ASK_UNMUTE, .yes = "unmute", .no = "stay muted", .order.act = ACT_UNMUTE};
  snprintf(q->text, sizeof q->text, "%s asks you to unmute. Unmute?",
           say_name(&m->room, m->me, ev->actor, true));
  model_intent(m, INTENT_BELL);
}

static void notify(struct model *m, const char *text) {
  snprintf(model_intent(m, INTENT_NOTIFY)->text, sizeof((struct intent *)0)->text, "%s", text);
}

static void on_knock(struct model *m, us_t now) {
  if (!model_is_moderator(m))
    return;
  if (m->knock_next == US_NEVER) {
    model_intent(m, INTENT_BELL);
    m->knock_next = now + MODEL_KNOCK_AGAIN_US;
  }
  notify(m, m->said);
}

static void on_event(struct model *m, const struct room_event *ev, us_t now) {
  enum style style = STYLE_NORMAL;
  m->said[0] = '\0';
  if (m->have_room == false || ev->seq <= m->room.seq)
    return;
  bool worth = say_event(&m->room, m->me, ev, m->said, &style);
  room_apply(&m->room, ev);
  m->said_style = style;
  if (ev->kind == ROOM_EV_MUTE_ALL)
    m->mute_all_group = ev->group;
  if (!worth || (ev->kind == ROOM_EV_MUTED && ev->group == m->mute_all_group && !targets_me(m, ev)))
    m->said[0] = '\0';
  if (m->said[0] != '\0')
    model_note(m, ev->ts_ms, style, m->said);
  forget_gone(m);
  add_chats(m);
  if (ev->kind == ROOM_EV_KNOCKED)
    on_knock(m, now);
  if (room_count(&m->room, PRESENCE_WAITING) == 0)
    m->knock_next = US_NEVER;
  if (ev->actor == m->me && m->said[0] != '\0') {
    own_act(m, ev, now);
  } else if (targets_me(m, ev)) {
    model_toast(m, now, STYLE_WARN, m->said);
    notify(m, m->said);
    if (ev->kind == ROOM_EV_ASKED)
      ask_unmute(m, ev);
  }
}

static void on_room(struct model *m, struct room *room) {
  room_free(&m->room);
  m->room = *room;
  free(room);
  m->have_room = true;
  forget_gone(m);
  add_chats(m);
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
      *slot = (struct model_talk){.member = ev->level_of[i].member, .since = now};
      meter_init(&slot->meter);
    }
    meter_feed(&slot->meter, now, -(float)ev->level_of[i].level, true);
    slot->until = now + MODEL_TALK_HOLD_US;
  }
}

static void on_state(struct model *m, const struct client_event *ev, us_t now) {
  bool admitted = m->state == CLIENT_LOBBY && ev->state == CLIENT_JOINED;
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
    notify(m, "You were let in.");
  }
}

static void on_reply(struct model *m, const struct client_event *ev, us_t now) {
  if (m->state == CLIENT_ENDED)
    return; /* acts cut off by the end: the end says it all */
  if (ev->why != ERR_OK) {
    model_toast(m, now, STYLE_WARN, ev->text[0] != '\0' ? ev->text : err_text(ev->why));
  } else if (ev->text[0] != '\0') {
    snprintf(m->invite, sizeof m->invite, "%.*s", LINK_MAX - 1, ev->text);
    m->invite_new = true;
  }
}

static void set_quality(struct model *m, uint32_t id, uint8_t quality) {
  for (size_t i = 0; i < m->n_weak; i++)
    if (m->weak[i].member == id) {
      m->weak[i] = m->weak[--m->n_weak];
      break;
    }
  if (quality > 0 && m->n_weak < MODEL_WEAK_MAX)
    m->weak[m->n_weak++] = (struct model_weak){id, quality};
}

uint8_t model_quality(const struct model *m, uint32_t id) {
  for (size_t i = 0; i < m->n_weak; i++)
    if (m->weak[i].member == id)
      return m->weak[i].quality;
  return 0;
}

void model_update(struct model *m, struct client_event *ev, us_t now) {
  m->said[0] = '\0';
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
    break;
  }
}

/* ---- time ---- */

bool model_tick(struct model *m, us_t now) {
  bool changed = false;
  for (size_t i = 0; i < CLIENT_LEVELS_MAX; i++)
    if (m->talk[i].member != 0 && m->talk[i].until <= now) {
      m->talk[i].member = 0;
      changed = true;
    }
  if (m->toast[0] != '\0' && m->toast_until <= now) {
    m->toast[0] = '\0';
    changed = true;
  }
  if (m->knock_next <= now) {
    model_intent(m, INTENT_BELL);
    m->knock_next = now + MODEL_KNOCK_AGAIN_US;
  }
  return changed;
}

us_t model_next_tick(const struct model *m) {
  us_t next = m->knock_next;
  for (size_t i = 0; i < CLIENT_LEVELS_MAX; i++)
    if (m->talk[i].member != 0 && m->talk[i].until < next)
      next = m->talk[i].until;
  return m->toast[0] != '\0' && m->toast_until < next ? m->toast_until : next;
}
