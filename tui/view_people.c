/* The people: who they are, whether they can be heard, what they want; the lobby and the raised hands. */
#include "tui/view.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SIGNS 5 /* cursor, mark, sound, hand, role */
#define WORD_COLS 8
#define METER_CELLS 8

static char role_sign(enum role r) {
  return r >= ROLE_HOST ? '@' : r == ROLE_COHOST ? '%' : ' ';
}

static char sound_sign(const struct member *p, bool talking) {
  if (p->presence == PRESENCE_AWAY || p->dropped_ms != 0)
    return '~';
  if (talking)
    return '*';
  if (p->silenced != 0)
    return 'X';
  if (p->muted)
    return p->muted_by == p->id ? 'm' : 'M';
  return p->presence == PRESENCE_HERE && !p->floor ? '-' : ' ';
}

bool view_left(const struct scene *v, int64_t until_ms, char out[VIEW_TIME_MAX]) {
  int64_t left = (until_ms - model_wall(v->m, v->now) + 999) / 1000;
  left = left < 0 ? 0 : left;
  if (!v->pace->clock || v->m->wall_ms_at_0 == 0) { /* nothing ticks on a slow line */
    char clock[8];
    model_clock(v->m, until_ms, clock);
    snprintf(out, VIEW_TIME_MAX, "%s", clock);
    return false;
  }
  if (left >= 3600) {
    snprintf(out, VIEW_TIME_MAX, "%" PRId64 ":%02d:%02d", left / 3600, (int)(left / 60 % 60),
             (int)(left % 60));
  } else {
    snprintf(out, VIEW_TIME_MAX, "%02d:%02d", (int)(left / 60), (int)(left % 60));
  }
  return true;
}

void view_spell(int64_t seconds, char out[VIEW_TIME_MAX]) {
  if (seconds >= 3600)
    snprintf(out, VIEW_TIME_MAX, "%" PRId64 ":%02d h", seconds / 3600, (int)(seconds / 60 % 60));
  else
    snprintf(out, VIEW_TIME_MAX, "%d:%02d", (int)(seconds / 60), (int)(seconds % 60));
}

bool view_floor_left(const struct scene *v, const struct member *p, char out[VIEW_TIME_MAX]) {
  const struct room *r = &v->m->room;
  char left[VIEW_TIME_MAX];
  if (p->floor_ms == 0 || r->talk_s == 0)
    return false;
  if (p->time_up)
    snprintf(out, VIEW_TIME_MAX, "time up");
  else if (!view_left(v, p->floor_ms + r->talk_s * 1000, left))
    snprintf(out, VIEW_TIME_MAX, "to %.20s", left);
  else
    snprintf(out, VIEW_TIME_MAX, "%s", left);
  return true;
}

bool view_is_held(const struct model *m, const struct member *p) {
  return m->room.mute_hold && p->muted_by != p->id && !p->exempt && !ROLE_IS_MODERATOR(p->role);
}

/* quiet_word: of one who wants nothing and whom nothing keeps from speaking. */
static const char *quiet_word(const struct model *m, const struct member *p, char out[32], enum style *s) {
  *s = STYLE_DIM;
  if (p->presence == PRESENCE_WAITING)
    return "waits";
  if (model_quality(m, p->id) > 0) {
    *s = STYLE_WARN;
    return model_quality(m, p->id) > 1 ? "bad line" : "weak";
  }
  if (p->priority)
    return "priority";
  if (p->gain_db != 0) {
    snprintf(out, 32, "%+d dB", p->gain_db);
    return out;
  }
  if (p->id == m->me && p->floor)
    return "you";
  return !p->floor                    ? "no floor"
         : !p->audio                  ? "no sound"
         : ROLE_IS_MODERATOR(p->role) ? role_name(p->role)
                                      : "";
}

/* state_word: the one word on the right of the row; the signs on the left say the rest. */
static const char *state_word(const struct scene *v, const struct member *p, char out[32], enum style *s) {
  const struct model *m = v->m;
  size_t n_hands, place = 0;
  const uint32_t *hands = model_hands(m, &n_hands);
  *s = STYLE_AWAY;
  if (p->presence == PRESENCE_AWAY)
    return "away";
  *s = STYLE_WARN;
  if (p->role == ROLE_MONITOR)
    return "monitor";
  *s = p->time_up ? STYLE_WARN : STYLE_TALKING;
  if (view_floor_left(v, p, out))
    return out;
  *s = STYLE_HAND;
  while (p->hand != 0 && place < n_hands && hands[place] != p->id)
    place++;
  if (p->hand != 0) {
    snprintf(out, 32, "hand %zu", place + 1);
    return out;
  }
  *s = STYLE_MUTED;
  if (p->silenced != 0)
    return "silenced";
  if (p->muted && p->floor) /* without it the sign of the mute says enough */
    return p->muted_by == p->id ? "muted" : view_is_held(m, p) ? "held" : "by host";
  if (p->muted && p->presence == PRESENCE_HERE)
    return "no floor";
  if (m->sort == SORT_TALK && p->presence == PRESENCE_HERE) {
    *s = STYLE_DIM;
    view_spell(model_talked(m, p->id) / US_PER_S, out);
    return out;
  }
  return quiet_word(m, p, out, s);
}

static enum style name_style(const struct scene *v, const struct member *p, bool talking) {
  if (talking)
    return STYLE_TALKING;
  if (p->presence == PRESENCE_WAITING)
    return STYLE_WAITING;
  if (p->presence == PRESENCE_AWAY)
    return STYLE_AWAY;
  return p->id == v->m->me ? STYLE_SELF : ROLE_IS_MODERATOR(p->role) ? STYLE_HOST : STYLE_NORMAL;
}

/* shown_name: "2:!bob" is bob of side room 2, who has priority. */
static void shown_name(const struct member *p, char out[TEXT_NAME_MAX + 16]) {
  char side[8] = "";
  if (p->side != 0)
    snprintf(side, sizeof side, "%u:", p->side);
  snprintf(out, TEXT_NAME_MAX + 16, "%s%s%s", side, p->priority ? "!" : "", p->name);
}

static void draw_level(const struct scene *v, const struct model_talk *t, int x, int y) {
  struct meter meter = t->meter; /* the ballistics move a copy: drawing changes nothing */
  if (v->pace->meters == PACE_METERS_NONE)
    canvas_put(v->c, x, y, METER_CELLS, STYLE_TALKING, "talks");
  else
    meter_draw(v->c, x, y, METER_CELLS, meter_level(&meter, v->now));
}

/* select_row: of the focused pane: it stands out, and the real cursor is there. */
static void select_row(const struct scene *v, struct rect r, int y, int x) {
  canvas_style(v->c, (struct rect){r.x, y, r.w, 1}, STYLE_SELECTED);
  if (v->m->mode == MODE_KEYS) {
    v->c->cursor_x = r.x + x;
    v->c->cursor_y = y;
    v->c->cursor_shown = true;
  }
}

static void right_word(const struct scene *v, struct rect r, int y, enum style s, const char *text) {
  canvas_put(v->c, r.x + r.w - (int)text_width(text), y, r.w, s, text);
}

static void draw_person(const struct scene *v, const struct member *p, struct rect r, int y) {
  const struct model *m = v->m;
  const struct model_talk *talk = model_talk(m, p->id, v->now);
  bool selected = p->id == m->cursor, with_word = r.w >= 23;
  int name_cols = r.w - SIGNS - (with_word ? WORD_COLS + 1 : 0);
  enum style name = name_style(v, p, talk != NULL), word_style = STYLE_DIM;
  char signs[SIGNS + 1] = {selected ? '>' : ' ',        model_marked(m, p->id) ? '+' : ' ',
                           sound_sign(p, talk != NULL), p->hand != 0 ? '^' : ' ',
                           role_sign(p->role),          '\0'};
  char word[32], shown[TEXT_NAME_MAX + 16];
  shown_name(p, shown);
  canvas_hit(v->c, (struct rect){r.x, y, r.w, 1}, p->id);
  canvas_put(v->c, r.x, y, SIGNS, name, signs);
  canvas_put(v->c, r.x + SIGNS, y, name_cols, name, shown);
  /* The mark comes at once and cheaply; the meter with the next step of the meters. */
  bool level = talk != NULL && v->now - talk->since >= v->pace->meter_ms * US_PER_MS;
  if (with_word && level) {
    draw_level(v, talk, r.x + r.w - WORD_COLS, y);
  } else if (with_word) {
    const char *text = state_word(v, p, word, &word_style);
    right_word(v, r, y, word_style, text);
  }
  if (selected && m->pane == PANE_PEOPLE)
    select_row(v, r, y, SIGNS);
}

static void draw_title(const struct scene *v, enum model_group g, struct rect r, int y) {
  static const char *const NAMES[GROUP__COUNT] = {"Waiting",  "People",   "Hosts",
                                                  "Speakers", "Audience", "Monitors"};
  const struct model *m = v->m;
  bool selected = m->cursor == MODEL_TITLE(g);
  char title[64];
  snprintf(title, sizeof title, "%s%s%s (%zu)%s%s", selected ? ">" : " ",
           !m->by_role    ? ""
           : m->folded[g] ? "+ "
                          : "- ",
           NAMES[g], model_group_count(m, g), g == GROUP_WAITING || m->sort == SORT_JOINED ? "" : " by ",
           g == GROUP_WAITING || m->sort == SORT_JOINED ? "" : model_sort_name(m->sort));
  canvas_put(v->c, r.x, y, r.w, g == GROUP_WAITING ? STYLE_WAITING : STYLE_TITLE, title);
  if (selected && m->pane == PANE_PEOPLE)
    select_row(v, r, y, 1);
}

/* A list is shown page by page, not scrolled: the page holds the selected person, the others keep their rows,
 * and a slow line is not asked to repaint for every step. Titles are rows as well. */
void view_people(const struct scene *v, struct rect r) {
  const struct model *m = v->m;
  size_t n, at;
  const uint32_t *rows = model_rows(m, &n, &at);
  if (r.h <= 0 || r.w <= 0)
    return;
  if (m->pane == PANE_PEOPLE && m->mode == MODE_KEYS) { /* unless someone is selected */
    v->c->cursor_x = r.x;
    v->c->cursor_y = r.y;
    v->c->cursor_shown = true;
  }
  bool pages = n > (size_t)r.h && r.h >= 8;
  int h = pages ? r.h - 1 : r.h; /* the last row says which page it is */
  size_t top = at / (size_t)h * (size_t)h, end = top + (size_t)h < n ? top + (size_t)h : n;
  char where[64];
  snprintf(where, sizeof where, " -- page %zu of %zu", top / (size_t)h + 1, (n + (size_t)h - 1) / (size_t)h);
  if (pages)
    canvas_put(v->c, r.x, r.y + h, r.w, STYLE_DIM, where);
  for (int y = 0; top + (size_t)y < end; y++) {
    uint32_t id = rows[top + (size_t)y];
    const struct member *p = room_member(&m->room, id);
    if (p != NULL)
      draw_person(v, p, r, r.y + y);
    else if (id >= MODEL_TITLE(0))
      draw_title(v, (enum model_group)(id - MODEL_TITLE(0)), r, r.y + y);
    else
      canvas_put(v->c, r.x + SIGNS, r.y + y, r.w - SIGNS, STYLE_DIM, "(left)");
  }
  if (n == 0)
    canvas_put(v->c, r.x, r.y, r.w, STYLE_DIM, m->filter[0] != '\0' ? " no such name" : " nobody");
}

/* ---- the lobby, the raised hands ---- */

static bool has_note(const struct room *r, uint32_t id) {
  for (size_t i = 0; i < r->n_notes; i++)
    if (r->notes[i].about == id)
      return true;
  return false;
}

/* draw_place: a row of a queue: cursor, mark, place, name, a word. */
static void draw_place(const struct scene *v, const struct member *p, size_t place, struct rect r, int y,
                       bool focused) {
  const struct model *m = v->m;
  bool selected = p->id == m->cursor, waits = p->presence == PRESENCE_WAITING;
  enum style s = name_style(v, p, model_talk(m, p->id, v->now) != NULL), word_style = STYLE_DIM;
  char signs[32], word[32] = "", shown[TEXT_NAME_MAX + 16], clock[8];
  snprintf(signs, sizeof signs, "%c%c%2zu ", selected ? '>' : ' ', model_marked(m, p->id) ? '+' : ' ', place);
  model_clock(m, p->since_ms, clock);
  if (waits)
    snprintf(word, sizeof word, "%s%s",
             p->dropped_ms != 0          ? "away "
             : has_note(&m->room, p->id) ? "note "
                                         : "",
             clock);
  else if (!view_floor_left(v, p, word))
    snprintf(word, sizeof word, "%s", quiet_word(m, p, word, &word_style));
  shown_name(p, shown);
  canvas_hit(v->c, (struct rect){r.x, y, r.w, 1}, p->id);
  canvas_put(v->c, r.x, y, 5, s, signs);
  canvas_put(v->c, r.x + 5, y, r.w - 5 - (int)text_width(word) - 1, s, shown);
  if (r.w >= 20)
    right_word(v, r, y, word_style, word);
  if (selected && focused)
    select_row(v, r, y, 5);
}

static void draw_queue(const struct scene *v, struct rect r, enum model_pane pane, const char *name,
                       const char *nobody) {
  size_t n, at = 0;
  const struct model *m = v->m;
  const uint32_t *ids = pane == PANE_LOBBY ? model_lobby(m, &n) : model_hands(m, &n);
  bool focused = m->pane == pane;
  char title[64];
  if (r.h <= 0 || r.w <= 0)
    return;
  snprintf(title, sizeof title, " %s (%zu)", name, n);
  canvas_put(v->c, r.x, r.y, r.w, pane == PANE_LOBBY ? STYLE_WAITING : STYLE_HAND, title);
  if (n == 0)
    canvas_put(v->c, r.x, r.y + 1, r.h > 1 ? r.w : 0, STYLE_DIM, nobody);
  if (focused && m->mode == MODE_KEYS) {
    v->c->cursor_x = r.x + 1;
    v->c->cursor_y = r.y;
    v->c->cursor_shown = true;
  }
  while (at < n && ids[at] != m->cursor)
    at++;
  if (at == n)
    at = focused && m->cursor_row < n ? m->cursor_row : 0;
  size_t rows = r.h > 1 ? (size_t)r.h - 1 : 1, top = at / rows * rows;
  for (size_t i = 0; (int)i + 1 < r.h && top + i < n; i++) {
    const struct member *p = room_member(&m->room, ids[top + i]);
    if (p != NULL)
      draw_place(v, p, top + i + 1, r, r.y + 1 + (int)i, focused);
  }
}

void view_waiting(const struct scene *v, struct rect r) {
  draw_queue(v, r, PANE_LOBBY, "Lobby", " nobody waits");
}

void view_hands(const struct scene *v, struct rect r) {
  draw_queue(v, r, PANE_HANDS, "Hands", " no hand is raised");
}

/* ---- one line for thin screens: `12: *alice@ bob carol(m) dave(M) erin^ +7`; who talks comes first ---- */

static int put_short(const struct scene *v, const struct member *p, int x, struct rect r, bool talking) {
  char text[TEXT_NAME_MAX + 32], shown[TEXT_NAME_MAX + 16], role[2] = {role_sign(p->role), '\0'};
  char sound = sound_sign(p, false);
  shown_name(p, shown);
  snprintf(text, sizeof text, "%s%s%s%s", talking ? "*" : "", shown, role[0] == ' ' ? "" : role,
           p->hand != 0 ? "^" : "");
  if (sound != ' ' && sound != '-')
    snprintf(text + strlen(text), 4, "(%c)", sound);
  int cols = (int)text_width(text);
  if (x + cols + 5 > r.w)
    return 0;
  canvas_put(v->c, r.x + x, r.y, cols, name_style(v, p, talking), text);
  return cols + 1;
}

void view_roster_line(const struct scene *v, struct rect r) {
  const struct model *m = v->m;
  const struct room *room = &m->room;
  size_t shown = 0, here = model_group_count(m, GROUP_EVERYONE);
  char text[24];
  snprintf(text, sizeof text, " %zu: ", here);
  int x = canvas_put(v->c, r.x, r.y, r.w, STYLE_DIM, text), used = 1;
  for (size_t i = 0; i < CLIENT_LEVELS_MAX && used > 0; i++) {
    const struct member *p = room_member(room, m->talk[i].member);
    if (p == NULL || p->presence == PRESENCE_WAITING || m->talk[i].until <= v->now)
      continue;
    x += used = put_short(v, p, x, r, true);
    shown += used > 0;
  }
  for (size_t i = 0; i < room->n_members && used > 0; i++) {
    const struct member *p = &room->members[i];
    if (p->presence == PRESENCE_WAITING || model_talk(m, p->id, v->now) != NULL)
      continue;
    x += used = put_short(v, p, x, r, false);
    shown += used > 0;
  }
  snprintf(text, sizeof text, "+%zu", here - shown);
  if (shown < here)
    canvas_put(v->c, r.x + x, r.y, r.w - x, STYLE_DIM, text);
}
