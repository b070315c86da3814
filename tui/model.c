#include "tui/model_private.h"

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
  m->knock_next = m->clock_next = US_NEVER;
  m->roster = roster_create();
  m->deeds = calloc(MODEL_DEEDS_MAX, sizeof *m->deeds);
  m->lines = calloc(MODEL_LINES_MAX, sizeof *m->lines);
  m->chat = lineedit_create(TEXT_CHAT_MAX, false);
  m->command = lineedit_create(TEXT_CHAT_MAX, false);
  m->search = lineedit_create(TEXT_NAME_MAX, false);
  if (m->roster != NULL && m->deeds != NULL && m->lines != NULL && m->chat != NULL && m->command != NULL &&
      m->search != NULL)
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
  for (size_t i = 0; m->deeds != NULL && i < MODEL_DEEDS_MAX; i++)
    free(m->deeds[i].who);
  free(m->deeds);
  free(m->roster);
  free(m->lines);
  free(m->page);
  free(m->security);
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

void model_act(struct model *m, const struct act_order *o) {
  model_intent(m, INTENT_ACT)->order = *o;
}

void model_toast(struct model *m, us_t now, enum style s, const char *text) {
  snprintf(m->toast, sizeof m->toast, "%.*s", (int)sizeof m->toast - 1, text);
  m->toast_style = s;
  m->toast_until = now + MODEL_TOAST_US;
  m->toast_group = 0;
}

struct model_line *model_line_new(struct model *m, int64_t ts_ms, enum style s) {
  if (m->n_lines == MODEL_LINES_MAX) {
    memmove(&m->lines[0], &m->lines[1], (MODEL_LINES_MAX - 1) * sizeof m->lines[0]);
    m->n_lines--;
  }
  struct model_line *l = &m->lines[m->n_lines++];
  *l = (struct model_line){.ts_ms = ts_ms, .style = s};
  if (m->scroll > 0 && (m->pane == PANE_CHAT || m->pane == PANE_LOG) && m->mode == MODE_KEYS)
    m->scroll++; /* someone who reads back keeps his place */
  return l;
}

void model_note(struct model *m, int64_t ts_ms, enum style s, const char *text) {
  snprintf(model_line_new(m, ts_ms, s)->text, SAY_MAX, "%s", text);
}

void model_page(struct model *m, const char *title, char *text) {
  free(m->page);
  m->page = text;
  snprintf(m->page_title, sizeof m->page_title, "%s", title);
  m->mode = MODE_PAGE;
  m->scroll = 0;
}

void model_ask(struct model *m, us_t now) {
  m->mode = MODE_ASK;
  if (m->toast_until != now + MODEL_TOAST_US)
    m->toast[0] = '\0';
}

/* ---- people ---- */

const struct member *model_self(const struct model *m) {
  return m->have_room && m->me != 0 ? room_member(&m->room, m->me) : NULL;
}

bool model_is_moderator(const struct model *m) {
  const struct member *self = model_self(m);
  return self != NULL && ROLE_IS_MODERATOR(self->role);
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
  if (self != NULL && self->silenced != 0)
    return "SILENCED BY A HOST";
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
  text_show(m->end_text[0] != '\0' ? m->end_text : why, false, out, SAY_MAX);
}

void model_clock(const struct model *m, int64_t ts_ms, char out[8]) {
  int64_t minutes = (ts_ms / 1000 + m->utc_offset_s) / 60;
  int of_day = (int)(((minutes % 1440) + 1440) % 1440);
  snprintf(out, 8, "%02d:%02d", of_day / 60, of_day % 60);
}

uint8_t model_quality(const struct model *m, uint32_t id) {
  for (size_t i = 0; i < m->n_weak; i++)
    if (m->weak[i].member == id)
      return m->weak[i].quality;
  return 0;
}

/* ---- time ---- */

int64_t model_wall(const struct model *m, us_t now) {
  return m->wall_ms_at_0 + now / US_PER_MS;
}

/* counts_down: the screen shows seconds that pass. */
static bool counts_down(const struct model *m) {
  const struct room *r = &m->room;
  bool any = r->ends_ms != 0 || r->recall_ms != 0 || r->talk_s != 0 || m->maintenance_ms != 0;
  return m->have_room && m->wall_ms_at_0 != 0 && any;
}

/* tick_clock: true at each full second of the wall while something counts down. */
static bool tick_clock(struct model *m) {
  bool due = m->clock_next != US_NEVER && m->clock_next <= m->now;
  us_t wall_us = m->wall_ms_at_0 * US_PER_MS + m->now;
  if (!counts_down(m))
    m->clock_next = US_NEVER;
  else if (due || m->clock_next == US_NEVER)
    m->clock_next = m->now + US_PER_S - wall_us % US_PER_S;
  return due && m->clock_next != US_NEVER;
}

/* want_history: who reads back to the oldest message gets older ones. */
static void want_history(struct model *m) {
  bool at_top = m->pane == PANE_CHAT && m->scroll > 0 && m->scroll + 30 >= m->n_lines;
  if (!at_top || m->history != HISTORY_MORE || m->state != CLIENT_JOINED || m->room.n_chat == 0 ||
      m->n_lines == MODEL_LINES_MAX)
    return;
  m->history = HISTORY_ASKED;
  model_intent(m, INTENT_HISTORY);
}

/* looks_at: whose card the person moderating the room has before him, 0: nobody's. */
static uint32_t looks_at(const struct model *m) {
  const struct member *at = m->pane == PANE_CARD ? room_member(&m->room, m->cursor) : NULL;
  bool hosts = m->state == CLIENT_JOINED && room_view_of(&m->room, m->me) == VIEW_MODERATOR;
  return at != NULL && hosts && at->id != m->me && at->presence == PRESENCE_HERE ? at->id : 0;
}

/* want_other: what the server knows of his line, for as long as the card is looked at. */
static void want_other(struct model *m) {
  uint32_t at = looks_at(m);
  if (at != m->other_of)
    m->other_next = m->now;
  m->other_of = at;
  if (at == 0 || m->other_next > m->now)
    return;
  m->other_next = m->now + MODEL_OTHER_AGAIN_US;
  model_intent(m, INTENT_OTHER)->member = at;
}

bool model_tick(struct model *m, us_t now) {
  m->now = now;
  want_history(m);
  want_other(m);
  bool changed = roster_tick(m);
  if (m->other.member != 0 && m->other_until <= now) { /* the answers stay away: it is not so any more */
    m->other = (struct client_other){0};
    changed = true;
  }
  changed |= tick_clock(m);
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
  us_t next = roster_next(m);
  next = m->knock_next < next ? m->knock_next : next;
  next = m->clock_next < next ? m->clock_next : next;
  next = m->other_of != 0 && m->other_next < next ? m->other_next : next;
  next = m->other.member != 0 && m->other_until < next ? m->other_until : next;
  for (size_t i = 0; i < CLIENT_LEVELS_MAX; i++)
    if (m->talk[i].member != 0 && m->talk[i].until < next)
      next = m->talk[i].until;
  return m->toast[0] != '\0' && m->toast_until < next ? m->toast_until : next;
}
