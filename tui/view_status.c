/* The rows around the panes: header, the line being typed, microphone and notices, the keys that work now. */
#include "tui/bandwidth.h"
#include "tui/view.h"

#include <stdio.h>
#include <string.h>

/* ---- header ---- */

/* put: a piece of a row at x with two blanks behind; nothing when less than 4 columns are left. */
static int put(const struct scene *v, struct rect r, int x, enum style s, const char *text) {
  if (text[0] == '\0' || x + 4 > r.w)
    return x;
  return x + canvas_put(v->c, r.x + x, r.y, r.w - x, s, text) + 2;
}

static void waiting_words(const struct model *m, char out[SAY_MAX]) {
  size_t n, named = 0;
  const uint32_t *ids = model_lobby(m, &n);
  int len = snprintf(out, SAY_MAX, "%zu wait%s", n, n == 1 ? "s" : "");
  for (; named < n && named < 3; named++) {
    const struct member *p = room_member(&m->room, ids[named]);
    len += snprintf(out + len, SAY_MAX - (size_t)len, "%s%s", named == 0 ? ": " : ", ",
                    p != NULL ? p->name : "?");
  }
  if (n > named)
    snprintf(out + len, SAY_MAX - (size_t)len, ", ...");
}

/* put_settings: what is not as usual, the gravest first. */
static int put_settings(const struct scene *v, struct rect r, int x) {
  const struct model *m = v->m;
  const struct member *self = model_self(m);
  const struct room *room = &m->room;
  char lock[SAY_MAX], slow[32], people[32], side[32], sides[32];
  snprintf(sides, sizeof sides, "%u SIDE ROOM%s", room->sides, room->sides == 1 ? "" : "S");
  snprintf(side, sizeof side, "SIDE ROOM %u", self != NULL ? self->side : 0U);
  snprintf(lock, sizeof lock, "LOCKED%s%.*s", room->lock_text[0] != '\0' ? ": " : "",
           (int)text_fit(room->lock_text, 30), room->lock_text);
  snprintf(slow, sizeof slow, "SLOW %lld s", (long long)room->slow_s);
  snprintf(people, sizeof people, "MAX %u", room->max_people);
  const struct {
    bool is;
    const char *words;
  } SETTINGS[] = {{m->state == CLIENT_RECONNECTING, "RECONNECTING"},
                  {self != NULL && self->side != 0, side},
                  {room->sides != 0 && (self == NULL || self->side == 0), sides},
                  {room->locked, lock},
                  {room->mute_all, room->mute_hold ? "ALL MUTED, HELD" : "ALL MUTED"},
                  {m->readonly, "READ-ONLY"},
                  {room->mute_entry && !room->mute_all, "ENTER MUTED"},
                  {room->one_speaker, "ONE SPEAKER"},
                  {room->chat_mode == CHAT_MODE_OFF, "CHAT OFF"},
                  {room->slow_s != 0, slow},
                  {room->no_links, "NO LINKS"},
                  {room->max_people != 0, people},
                  {room->has_password, "PASSWORD"}};
  for (size_t i = 0; i < sizeof SETTINGS / sizeof SETTINGS[0]; i++)
    if (SETTINGS[i].is)
      x = put(v, r, x, i == 0 ? STYLE_DANGER : STYLE_WARN, SETTINGS[i].words);
  return x;
}

void view_header(const struct scene *v, struct rect r) {
  const struct model *m = v->m;
  const struct room *room = &m->room;
  char text[SAY_MAX], clock[8];
  size_t away = model_count(m, PRESENCE_AWAY), waiting = model_count(m, PRESENCE_WAITING);
  canvas_fill(v->c, r, STYLE_STATUS, " ");
  if (m->state != CLIENT_JOINED && m->state != CLIENT_RECONNECTING) {
    put(v, r, 1, STYLE_TITLE, m->have_room ? room->name : m->link_room);
    return;
  }
  int x = put(v, r, 1, STYLE_TITLE, room->name);
  snprintf(text, sizeof text, "%zu here", model_count(m, PRESENCE_HERE));
  if (away > 0)
    snprintf(text + strlen(text), sizeof text - strlen(text), ", %zu away", away);
  x = put(v, r, x, STYLE_STATUS, text);
  if (waiting > 0) {
    waiting_words(m, text);
    x = put(v, r, x, STYLE_WAITING, text);
  }
  x = put_settings(v, r, x);
  model_clock(m, room->created_ms,
              clock); /* a fixed time: nothing ticks for a screen reader or a slow line */
  int n = snprintf(text, sizeof text, "since %s", clock);
  if (m->link.connected && m->link.rtt_ms > 0) /* 0: not known */
    n += snprintf(text + n, sizeof text - (size_t)n, "  %u ms", m->link.rtt_ms);
  bool fits = r.w >= 70 && x + n < r.w;
  if (fits)
    canvas_put(v->c, r.x + r.w - n - 1, r.y, n, STYLE_STATUS, text);
  put(v, (struct rect){r.x, r.y, fits ? r.w - n - 2 : r.w, 1}, x, STYLE_STATUS, room->topic);
}

/* ---- what is typed ---- */

void view_input(const struct scene *v, struct rect r) {
  const struct model *m = v->m;
  static const char *const PROMPTS[] = {
      [MODE_CHAT] = "say> ", [MODE_COMMAND] = ":", [MODE_FILTER] = "name: ", [MODE_HELP] = "find: "};
  struct lineedit *le = model_edit(m);
  if (le != NULL) {
    int x = canvas_put(v->c, r.x, r.y, r.w, STYLE_KEY, PROMPTS[m->mode]);
    lineedit_draw(le, v->c, r.x + x, r.y, r.w - x > 1 ? r.w - x : 1, STYLE_INPUT, true);
    return;
  }
  const char *draft = lineedit_text(m->chat);
  char text[SAY_MAX];
  snprintf(text, sizeof text, "%.*s", (int)text_fit(draft, 80), draft);
  if (draft[0] != '\0')
    canvas_put(v->c, r.x, r.y, r.w, STYLE_DIM, text);
}

/* ---- microphone and notices ---- */

static enum style mic_style(const struct model *m) {
  if (m->mic == MIC_OPEN)
    return m->state == CLIENT_LOBBY ? STYLE_NORMAL : STYLE_ON_AIR;
  return m->mic == MIC_MUTED || m->mic == MIC_HELD || m->mic == MIC_NO_FLOOR ? STYLE_MUTED : STYLE_DIM;
}

/* put_own: the own turn and the own raised hand. */
static int put_own(const struct scene *v, struct rect r, int x) {
  const struct member *self = model_self(v->m);
  char text[64], left[VIEW_TIME_MAX];
  size_t n, place = 0;
  const uint32_t *hands = model_hands(v->m, &n);
  if (self != NULL && view_floor_left(v, self, left)) {
    snprintf(text, sizeof text, "YOUR TURN: %s", left);
    x = put(v, r, x, self->time_up ? STYLE_DANGER : STYLE_WARN, text);
  }
  while (place < n && hands[place] != v->m->me)
    place++;
  if (place < n) {
    snprintf(text, sizeof text, "your hand: %zu of %zu", place + 1, n);
    x = put(v, r, x, STYLE_HAND, text);
  }
  return x;
}

/* put_toast: when it is cut, the sentence is, and neither the way back nor the reason of a refusal. */
static void put_toast(const struct scene *v, struct rect r, int x) {
  const struct model *m = v->m;
  char head[sizeof m->toast];
  const char *tail = strstr(m->toast, MODEL_UNDO_WORDS);
  for (const char *p = m->toast; m->toast_style == STYLE_WARN && p != NULL; p = strstr(p + 1, ": "))
    tail = p != m->toast ? p : tail;
  int cols = r.w - x, tail_cols = tail != NULL ? (int)text_width(tail) : 0;
  if ((int)text_width(m->toast) <= cols || tail == NULL || tail_cols + 4 > cols) {
    put(v, r, x, m->toast_style, m->toast);
    return;
  }
  snprintf(head, sizeof head, "%.*s", (int)(tail - m->toast), m->toast);
  x += canvas_put(v->c, r.x + x, r.y, cols - tail_cols, m->toast_style, head);
  canvas_put(v->c, r.x + x, r.y, r.w - x, m->toast_style, tail);
}

/* in_sight: what the toast says stands on the waiting screen. */
static bool in_sight(const struct model *m) {
  char text[SAY_MAX];
  say_sentence(m->toast, text);
  for (size_t i = 0; m->state == CLIENT_LOBBY && i < m->n_lines; i++)
    if (strcmp(m->lines[i].text, text) == 0)
      return true;
  return false;
}

/* selection_words: the marks and the filter, as "3 marked  names with al: 2". */
static void selection_words(const struct model *m, char out[TEXT_NAME_MAX + 96]) {
  size_t waiting, len = 0;
  out[0] = '\0';
  if (m->n_marks > 0)
    len = (size_t)snprintf(out, 32, "%zu marked%s", m->n_marks, m->filter[0] != '\0' ? "  " : "");
  if (m->filter[0] != '\0')
    snprintf(out + len, TEXT_NAME_MAX + 96 - len, "names with %s: %zu", m->filter,
             model_list(m, NULL, 0, &waiting));
}

void view_status(const struct scene *v, struct rect r) {
  const struct model *m = v->m;
  char text[TEXT_NAME_MAX + 96];
  bool toast = m->toast[0] != '\0' && !in_sight(m);
  if (m->state == CLIENT_ENDED)
    return;
  int x = 1 + canvas_put(v->c, r.x + 1, r.y, r.w - 1, mic_style(m), model_mic_words(m)) + 2;
  if (m->mic == MIC_OPEN && r.w >= 60 && v->pace->meters != PACE_METERS_NONE) {
    meter_draw(v->c, r.x + x, r.y, 8, -(float)m->level);
    x += 10;
  }
  if (m->muted_talk)
    x = put(v, r, x, STYLE_WARN, "you are talking while muted");
  selection_words(m, text);
  if (!toast || x + (int)(text_width(text) + text_width(m->toast)) + 2 <= r.w)
    x = put(v, r, x, STYLE_SELECTED, text);
  x = put_own(v, r, x);
  bandwidth_brief(&m->link, text);
  if (m->state == CLIENT_JOINED && (!toast || x + (int)(text_width(text) + text_width(m->toast)) + 2 <= r.w))
    x = put(v, r, x, STYLE_NOTICE, text);
  if (m->unread > 0 && !toast && m->state == CLIENT_JOINED && !view_chat_shown(v, r.w)) {
    snprintf(text, sizeof text, "%zu unread", m->unread);
    x = put(v, r, x, STYLE_NOTICE, text);
  }
  if (toast)
    put_toast(v, r, x);
}

/* ---- footer ---- */

struct footer {
  const struct scene *v;
  struct rect r;
  int x, right; /* where the next hint goes, and where they must end */
};

static int hint_cols(const char *key, const char *text) {
  return (int)(text_width(key) + text_width(text)) + 3;
}

static bool hint(struct footer *f, const char *key, const char *text) {
  if (f->x + hint_cols(key, text) > f->right + 2)
    return false;
  f->x += canvas_put(f->v->c, f->x, f->r.y, f->right - f->x, STYLE_KEY, key) + 1;
  f->x += canvas_put(f->v->c, f->x, f->r.y, f->right - f->x, STYLE_DIM, text) + 2;
  return true;
}

/* bound: a hint for a command if it has a key and may be used. */
static void bound(struct footer *f, const struct command *c, uint32_t target, const char *text) {
  char key[24];
  if (keymap_key(f->v->keys, c->context, c->name, 0, key) && command_refusal(f->v->m, c, target) == NULL)
    hint(f, key, text);
}

/* act_hint: the hint names whom the key would act on. */
static void act_hint(struct footer *f, enum act act, const char *verb) {
  const struct model *m = f->v->m;
  uint32_t ids[MODEL_MARKS_MAX];
  char people[48], text[80];
  size_t n = pilot_targets(m, act, ids, MODEL_MARKS_MAX);
  const struct member *p = n == 1 ? room_member(&m->room, ids[0]) : NULL;
  if (n == 0 || (n == 1 && ids[0] == m->me && ACTS[act].rank == RANK_LOWER))
    return;
  if (p != NULL)
    snprintf(people, sizeof people, "%.*s", (int)text_fit(p->name, 12), p->id == m->me ? "me" : p->name);
  else
    snprintf(people, sizeof people, "%zu marked", n);
  snprintf(text, sizeof text, "%s %s", verb, people);
  bound(f, command_of_act(act), ids[0], text);
}

static void own_hints(struct footer *f) {
  const struct model *m = f->v->m;
  const struct member *self = model_self(m);
  bool sound = !m->no_audio && m->mic != MIC_NONE;
  if (sound)
    bound(f, command_of_ui(UI_TALK), 0, "talk");
  if (sound && pilot_on_self(m))
    bound(f, command_of_act(ACT_MUTE), 0,
          pilot_toggled(m, ACT_MUTE) == ACT_UNMUTE ? "unmute"
          : m->gate                                ? "mute"
                                                   : "mic on");
  bound(f, command_of_act(ACT_HAND), 0, self != NULL && self->hand != 0 ? "lower hand" : "hand");
}

/* person_hints: what the keys would do to the person selected, or to the marked. */
static void person_hints(struct footer *f) {
  const struct model *m = f->v->m;
  if (m->pane == PANE_HANDS) {
    act_hint(f, ACT_FLOOR_GIVE, "floor to");
    bound(f, command_of_act(ACT_NEXT), 0, "next hand");
  }
  const struct member *at = room_member(&m->room, m->cursor);
  if (at != NULL && at->presence == PRESENCE_WAITING)
    act_hint(f, ACT_DENY, "deny");
  if (pilot_on_self(m))
    return;
  if (m->n_marks == 0 && at->muted)
    act_hint(f, ACT_ASK_UNMUTE, "ask");
  else
    act_hint(f, ACT_MUTE, "mute");
  if (m->pane != PANE_HANDS && m->n_marks == 0 && !at->floor)
    act_hint(f, ACT_FLOOR_GIVE, "floor to");
  act_hint(f, ACT_REMOVE, "remove");
}

static void room_hints(struct footer *f) {
  const struct model *m = f->v->m;
  char next[32];
  size_t hands;
  (void)model_hands(m, &hands);
  if (m->pane != PANE_HANDS)
    act_hint(f, ACT_ADMIT, "admit");
  person_hints(f);
  own_hints(f);
  bound(f, command_of_ui(UI_SAY), 0, "chat");
  snprintf(next, sizeof next, "to %s", model_pane_name(model_pane_after(m, m->pane, 1)));
  bound(f, command_of_ui(UI_PANE), 0, next);
  if (m->pane != PANE_HANDS && hands > 0)
    bound(f, command_of_act(ACT_NEXT), 0, "next hand");
  bound(f, command_of_act(ACT_LOCK), 0, m->room.locked ? "unlock" : "lock");
  bound(f, command_of_act(ACT_INVITE), 0, "invite");
}

static void ask_hints(struct footer *f) {
  const struct question *q = &f->v->m->ask;
  char other[2] = {q->other, '\0'};
  hint(f, "y", q->yes);
  if (q->other != '\0')
    hint(f, other, q->other_word);
  hint(f, "N", q->no);
}

/* fixed_hints: help and leave stand on the right of every footer that has room for anything. */
static void fixed_hints(struct footer *f) {
  static const struct {
    enum ui ui;
    const char *text;
  } FIXED[] = {{UI_QUIT, "leave"}, {UI_HELP, "help"}, {UI_COMMAND, "command"}};
  for (size_t i = 0; i < (f->r.w < 60 ? 2 : 3); i++) {
    const struct command *c = command_of_ui(FIXED[i].ui);
    char key[24];
    if (!keymap_key(f->v->keys, c->context, c->name, 0, key) ||
        hint_cols(key, FIXED[i].text) > f->right - f->r.x)
      continue;
    struct footer at = {f->v, f->r, f->right - hint_cols(key, FIXED[i].text) + 2, f->right};
    hint(&at, key, FIXED[i].text);
    f->right = f->right - hint_cols(key, FIXED[i].text);
  }
}

void view_footer(const struct scene *v, struct rect r) {
  struct footer f = {v, r, r.x + 1, r.x + r.w - 1};
  switch (v->m->mode) {
  case MODE_ASK:
    ask_hints(&f);
    break;
  case MODE_CHAT:
    hint(&f, "Enter", "send");
    hint(&f, "Esc", "back, the draft stays");
    break;
  case MODE_COMMAND:
    hint(&f, "Tab", "complete");
    hint(&f, "Enter", "run");
    hint(&f, "Esc", "back");
    break;
  case MODE_FILTER:
    hint(&f, "Enter", "keep");
    hint(&f, "Esc", "show all");
    break;
  case MODE_MENU:
    hint(&f, "letter", "choose");
    hint(&f, "Backspace", "groups");
    hint(&f, "Esc", "close");
    break;
  case MODE_HELP:
  case MODE_PAGE:
    hint(&f, "Up Down", "scroll");
    hint(&f, "Esc", "close");
    break;
  default:
    if (v->m->state == CLIENT_ENDED) {
      hint(&f, "q", "close");
      break;
    }
    fixed_hints(&f);
    if (v->m->state == CLIENT_JOINED || v->m->state == CLIENT_RECONNECTING)
      room_hints(&f);
  }
}
