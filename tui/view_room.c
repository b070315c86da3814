/* The people: who they are, whether they can be heard, what they want. */
#include "tui/view.h"

#include "tui/pages.h"

#include <stdio.h>
#include <string.h>

#define SIGNS 5 /* cursor, mark, sound, hand, role */
#define WORD_COLS 8
#define METER_CELLS 8
#define LIST_MAX (ROOM_MEMBERS_MAX + ROOM_WAITING_MAX)

static char role_sign(enum role r) {
  return r >= ROLE_HOST ? '@' : r == ROLE_COHOST ? '%' : ' ';
}

static char sound_sign(const struct member *p, bool talking) {
  if (p->presence == PRESENCE_AWAY)
    return '~';
  if (talking)
    return '*';
  if (p->muted)
    return p->muted_by == p->id ? 'm' : 'M';
  return p->presence == PRESENCE_HERE && !p->floor ? '-' : ' ';
}

/* state_word: the one word on the right of the row; the signs on the left say the rest. */
static const char *state_word(const struct model *m, const struct member *p, char out[32], enum style *s) {
  size_t hand = room_hand_place(&m->room, p->id);
  if (p->presence == PRESENCE_AWAY) {
    *s = STYLE_AWAY;
    return "away";
  }
  if (hand > 0) {
    *s = STYLE_HAND;
    snprintf(out, 32, "hand %zu", hand);
    return out;
  }
  if (p->muted) {
    *s = STYLE_MUTED;
    return p->muted_by == p->id ? "muted" : "by host";
  }
  *s = STYLE_DIM;
  if (p->presence == PRESENCE_WAITING)
    return "waits";
  if (model_quality(m, p->id) > 0) {
    *s = STYLE_WARN;
    return model_quality(m, p->id) > 1 ? "bad line" : "weak";
  }
  if (p->id == m->me && p->floor)
    return "you";
  return !p->floor                    ? "no floor"
         : !p->audio                  ? "no sound"
         : ROLE_IS_MODERATOR(p->role) ? role_name(p->role)
                                      : "";
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

static void draw_level(const struct scene *v, const struct model_talk *t, int x, int y) {
  struct meter meter = t->meter; /* the ballistics move a copy: drawing changes nothing */
  if (v->pace->meters == PACE_METERS_NONE)
    canvas_put(v->c, x, y, METER_CELLS, STYLE_TALKING, "talks");
  else
    meter_draw(v->c, x, y, METER_CELLS, meter_level(&meter, v->now));
}

static void draw_person(const struct scene *v, const struct member *p, struct rect r, int y) {
  const struct model *m = v->m;
  const struct model_talk *talk = model_talk(m, p->id, v->now);
  bool selected = p->id == m->cursor, with_word = r.w >= 24;
  int name_cols = r.w - SIGNS - (with_word ? WORD_COLS + 1 : 0);
  enum style name = name_style(v, p, talk != NULL), word_style = STYLE_DIM;
  char signs[SIGNS + 1] = {selected ? '>' : ' ',        model_marked(m, p->id) ? '+' : ' ',
                           sound_sign(p, talk != NULL), p->hand != 0 ? '^' : ' ',
                           role_sign(p->role),          '\0'};
  char word[32];
  canvas_put(v->c, r.x, y, SIGNS, name, signs);
  canvas_put(v->c, r.x + SIGNS, y, name_cols, name, p->name);
  if (with_word && talk != NULL) {
    draw_level(v, talk, r.x + r.w - WORD_COLS, y);
  } else if (with_word) {
    const char *text = state_word(m, p, word, &word_style);
    canvas_put(v->c, r.x + r.w - (int)text_width(text), y, WORD_COLS, word_style, text);
  }
  if (!selected || m->pane != PANE_PEOPLE)
    return;
  canvas_style(v->c, (struct rect){r.x, y, r.w, 1}, STYLE_SELECTED);
  if (m->mode == MODE_KEYS) {
    v->c->cursor_x = r.x + SIGNS;
    v->c->cursor_y = y;
    v->c->cursor_shown = true;
  }
}

/* A list is shown page by page, not scrolled: the page holds the selected person, the others keep their rows,
 * and a slow line is not asked to repaint for every step. Section titles are rows as well. */
struct list {
  uint32_t ids[LIST_MAX]; /* 0: title of the waiting, UINT32_MAX: title of the people */
  size_t n;
};

static size_t fill_rows(const struct model *m, struct list *rows, size_t *cursor_at, size_t *n_waiting) {
  static const uint32_t NOBODY = 0;
  uint32_t ids[LIST_MAX];
  size_t n = model_list(m, ids, LIST_MAX, n_waiting);
  rows->n = 0;
  *cursor_at = 0;
  for (size_t i = 0; i < n && rows->n + 2 < LIST_MAX; i++) {
    if (i == 0 && *n_waiting > 0)
      rows->ids[rows->n++] = NOBODY;
    if (i == *n_waiting)
      rows->ids[rows->n++] = UINT32_MAX;
    if (ids[i] == m->cursor)
      *cursor_at = rows->n;
    rows->ids[rows->n++] = ids[i];
  }
  return n;
}

void view_people(const struct scene *v, struct rect r) {
  struct list rows;
  size_t cursor_at, waiting;
  size_t n = fill_rows(v->m, &rows, &cursor_at, &waiting);
  if (r.h <= 0 || r.w <= 0)
    return;
  size_t top = cursor_at / (size_t)r.h * (size_t)r.h;
  char title[64];
  for (int y = 0; y < r.h && top + (size_t)y < rows.n; y++) {
    uint32_t id = rows.ids[top + (size_t)y];
    const struct member *p = room_member(&v->m->room, id);
    if (p != NULL) {
      draw_person(v, p, r, r.y + y);
      continue;
    }
    snprintf(title, sizeof title, id == 0 ? " Waiting (%zu)" : " People (%zu)",
             id == 0 ? waiting : n - waiting);
    canvas_put(v->c, r.x, r.y + y, r.w, id == 0 ? STYLE_WAITING : STYLE_TITLE, title);
  }
  if (rows.n == 0)
    canvas_put(v->c, r.x, r.y, r.w, STYLE_DIM, v->m->filter[0] != '\0' ? " no such name" : " nobody");
}

/* ---- one line for thin screens: `12: *alice@ bob carol(m) dave(M) erin^ +7`; who talks comes first ---- */

static int put_short(const struct scene *v, const struct member *p, int x, struct rect r, bool talking) {
  char text[TEXT_NAME_MAX + 16];
  char sound = sound_sign(p, false);
  snprintf(text, sizeof text, "%s%s%s%s", talking ? "*" : "", p->name,
           role_sign(p->role) == ' '   ? ""
           : role_sign(p->role) == '@' ? "@"
                                       : "%",
           p->hand != 0 ? "^" : "");
  if (sound == 'm' || sound == 'M' || sound == '~')
    snprintf(text + strlen(text), 4, "(%c)", sound);
  int cols = (int)text_width(text);
  if (x + cols + 5 > r.w)
    return 0;
  canvas_put(v->c, r.x + x, r.y, cols, name_style(v, p, talking), text);
  return cols + 1;
}

void view_roster_line(const struct scene *v, struct rect r) {
  const struct room *room = &v->m->room;
  size_t shown = 0, here = room_count(room, PRESENCE_HERE) + room_count(room, PRESENCE_AWAY);
  char text[24];
  snprintf(text, sizeof text, " %zu: ", here);
  int x = canvas_put(v->c, r.x, r.y, r.w, STYLE_DIM, text);
  for (int pass = 0; pass < 2; pass++) {
    for (size_t i = 0; i < room->n_members; i++) {
      const struct member *p = &room->members[i];
      bool talking = model_talk(v->m, p->id, v->now) != NULL;
      if (p->presence == PRESENCE_WAITING || talking != (pass == 0))
        continue;
      int used = put_short(v, p, x, r, talking);
      if (used == 0)
        goto full;
      x += used;
      shown++;
    }
  }
full:
  snprintf(text, sizeof text, "+%zu", here - shown);
  if (shown < here)
    canvas_put(v->c, r.x + x, r.y, r.w - x, STYLE_DIM, text);
}

/* ---- the third column of wide screens ---- */

static int fact(const struct scene *v, struct rect r, int y, const char *name, const char *value,
                enum style s) {
  if (y >= r.h)
    return y;
  canvas_put(v->c, r.x, r.y + y, 10, STYLE_DIM, name);
  canvas_put(v->c, r.x + 10, r.y + y, r.w - 10, s, value);
  return y + 1;
}

static const char *chat_mode_word(enum chat_mode mode) {
  static const char *const WORDS[] = {"off", "to all only", "private only", "open"};
  return WORDS[mode];
}

static int room_facts(const struct scene *v, struct rect r, int y) {
  const struct room *room = &v->m->room;
  y = fact(v, r, y, "door",
           room->locked  ? "LOCKED"
           : room->lobby ? "lobby"
                         : "open",
           room->locked ? STYLE_WARN : STYLE_NORMAL);
  y = fact(v, r, y, "mute-all", !room->mute_all ? "off" : room->mute_hold ? "held" : "on", STYLE_NORMAL);
  y = fact(v, r, y, "chat", chat_mode_word(room->chat_mode), STYLE_NORMAL);
  return fact(v, r, y, "no host", room->policy == HOST_GONE_LOBBY ? "newcomers wait" : "the room goes on",
              STYLE_NORMAL);
}

static int link_facts(const struct scene *v, struct rect r, int y) {
  const struct client_link *l = &v->m->link;
  char text[48];
  if (v->m->no_audio)
    return fact(v, r, y, "sound", "none: moderating only", STYLE_NORMAL);
  y = fact(v, r, y, "sound", l->connected ? "connected" : "not connected",
           l->connected ? STYLE_OK : STYLE_WARN);
  snprintf(text, sizeof text, "%u ms, jitter %u ms", l->rtt_ms, l->jitter_ms);
  y = fact(v, r, y, "delay", text, STYLE_NORMAL);
  snprintf(text, sizeof text, "in %u%%, out %u%%", l->loss_down_pct, l->loss_up_pct);
  y = fact(v, r, y, "loss", text, l->loss_down_pct > 5 || l->loss_up_pct > 5 ? STYLE_WARN : STYLE_NORMAL);
  return fact(v, r, y, "sealed", l->profile != NULL ? l->profile : "", STYLE_NORMAL);
}

void view_facts(const struct scene *v, struct rect r) {
  const struct model *m = v->m;
  char line[SAY_MAX];
  int y = link_facts(v, r, room_facts(v, r, 0) + 1) + 1;
  for (size_t place = 1; place <= m->room.n_members && y < r.h; place++) {
    const struct member *p = NULL;
    for (size_t i = 0; i < m->room.n_members && p == NULL; i++)
      if (m->room.members[i].hand != 0 && room_hand_place(&m->room, m->room.members[i].id) == place)
        p = &m->room.members[i];
    if (p == NULL)
      break;
    snprintf(line, sizeof line, "hand %zu", place);
    y = fact(v, r, y, line, p->name, STYLE_HAND);
  }
  const struct member *at = room_member(&m->room, m->cursor);
  if (at == NULL || y + 3 >= r.h)
    return;
  pages_person(m, at, line);
  canvas_hline(v->c, r.x, r.y + y, r.w, STYLE_BORDER);
  size_t next;
  for (const char *p = line; *p != '\0' && ++y < r.h; p += next) {
    char row[SAY_MAX];
    snprintf(row, sizeof row, "%.*s", (int)view_wrap(p, (size_t)r.w, &next), p);
    canvas_put(v->c, r.x, r.y + y, r.w, STYLE_NORMAL, row);
  }
}
