/* The frame of the screen and what its parts share. */
#include "tui/watch_view.h"

#include <stdio.h>
#include <string.h>

#define SPARK_STEPS 3 /* steps of the past in a cell */

/* ---- words, columns, bars ---- */

bool watch_pen_put(struct watch_pen *p, enum style s, const char *text) {
  int cols = (int)text_width(text);
  if (cols == 0 || p->x + cols > p->right)
    return cols == 0;
  p->x += canvas_put(p->c, p->x, p->y, cols, s, text);
  return true;
}

enum style watch_bad_style(unsigned bad) {
  return bad >= 2 ? STYLE_DANGER : bad == 1 ? STYLE_WARN : STYLE_NORMAL;
}

void watch_columns_fit(struct watch_column *v, size_t n, int width) {
  int used = 0;
  for (int rank = 1; rank <= WATCH_COLUMNS_MAX; rank++)
    for (size_t i = 0; i < n; i++)
      if (v[i].rank == rank && used + v[i].cols + (used > 0) <= width) {
        v[i].w = v[i].cols;
        used += v[i].cols + (used > 0);
      }
  for (size_t i = 0, x = 0; i < n; i++) {
    if (v[i].w == 0)
      continue;
    if (x == 0) /* the first takes what is left over, but not half an empty screen */
      v[i].w += width - used < 3 * v[i].cols ? width - used : 3 * v[i].cols;
    v[i].x = (int)x;
    x += (size_t)v[i].w + 1;
  }
}

void watch_cell(const struct watch_scene *v, const struct watch_column *column, struct rect r, enum style s,
                const char *text) {
  int cols = (int)text_width(text);
  if (column->w == 0)
    return;
  int shift = column->left || cols >= column->w ? 0 : column->w - cols;
  canvas_put(v->c, r.x + column->x + shift, r.y, column->w - shift, s, text);
}

void watch_columns_head(const struct watch_scene *v, const struct watch_column *columns, size_t n,
                        struct rect r, size_t sorted, bool reverse) {
  canvas_fill(v->c, (struct rect){0, r.y, v->c->w, 1}, STYLE_STATUS, " ");
  for (size_t i = 0; i < n; i++) {
    const struct watch_column *col = &columns[i];
    watch_cell(v, col, r, STYLE_STATUS, col->title);
    if (i != sorted || col->w == 0)
      continue;
    int end = col->left ? col->x + (int)text_width(col->title) : col->x + col->w;
    const char *sign = v->c->ascii ? (reverse ? "^" : "v") : reverse ? "▲" : "▼";
    canvas_put(v->c, r.x + end, r.y, 1, STYLE_STATUS, sign);
  }
}

/* spark_level: 0 for nothing, 1..7. */
static unsigned spark_level(unsigned figure, unsigned full) {
  unsigned level = full ? (figure * 7 + full - 1) / full : 0;
  return level > 7 ? 7 : level;
}

void watch_spark(const struct watch_scene *v, int x, int y, int cells, const struct watch_past *p,
                 unsigned full) {
  static const char *const BARS[] = {"·", "▁", "▂", "▃", "▄", "▅", "▆", "█"};
  static const char *const PLAIN[] = {".", "_", "-", "=", "+", "*", "%", "#"};
  size_t in_cell = (size_t)(v->now / WATCH_PAST_US % SPARK_STEPS); /* the newest cell fills up */
  unsigned figure[WATCH_PAST] = {0}, most = full;
  for (int i = 0; i < cells && i < WATCH_PAST / SPARK_STEPS; i++)
    for (size_t k = 0; k < (i == 0 ? in_cell + 1 : SPARK_STEPS); k++) {
      size_t back = i == 0 ? k : in_cell + 1 + (size_t)(i - 1) * SPARK_STEPS + k;
      unsigned one = back < WATCH_PAST ? watch_past_at(p, v->now, back) : 0;
      figure[i] = one > figure[i] ? one : figure[i];
      most = !full && one > most ? one : most;
    }
  for (int i = 0; i < cells && i < WATCH_PAST / SPARK_STEPS; i++) {
    unsigned level = spark_level(figure[i], most);
    canvas_put(v->c, x + cells - 1 - i, y, 1, level ? STYLE_METER_LOW : STYLE_DIM,
               (v->c->ascii ? PLAIN : BARS)[level]);
  }
}

void watch_meter(const struct watch_scene *v, int x, int y, int w, unsigned permille) {
  char text[16];
  int inner = w - 2, full = (int)(permille < 1000 ? permille : 1000) * inner / 1000;
  if (inner < 5)
    return;
  canvas_put(v->c, x, y, 1, STYLE_NORMAL, "[");
  for (int i = 0; i < inner; i++)
    canvas_put(v->c, x + 1 + i, y, 1,
               i * 10 >= inner * 9   ? STYLE_METER_HIGH
               : i * 10 >= inner * 7 ? STYLE_METER_MID
                                     : STYLE_METER_LOW,
               i < full ? "|" : " ");
  snprintf(text, sizeof text, "%u%%", permille / 10);
  int cols = (int)strlen(text);
  canvas_put(v->c, x + 1 + inner - cols, y, cols, permille >= 900 ? STYLE_DANGER : STYLE_NORMAL, text);
  canvas_put(v->c, x + w - 1, y, 1, STYLE_NORMAL, "]");
}

/* ---- the frame ---- */

static int header_rows(int h) {
  return h >= 14 ? 2 : h >= 5;
}

static bool has_footer(int h) {
  return h >= 7;
}

size_t watch_view_rows(int h) {
  int rows = h - header_rows(h) - 2 - has_footer(h); /* titles of columns, status */
  return rows > 1 ? (size_t)rows : 1;
}

/* summary: what the table is, when there is nothing to say. */
static void summary(const struct watch_scene *v, char out[300]) {
  const struct watch_pilot *u = v->u;
  const struct watch_model *m = u->m;
  bool inside = u->page != WATCH_PAGE_ROOMS;
  size_t at = inside ? (u->in.selected ? u->in.at + 1 : 0) : m->selected ? m->at + 1 : 0;
  char place[24] = "";
  if (at > 0)
    snprintf(place, sizeof place, "%zu: ", at);
  if (inside)
    snprintf(out, 300, "%s%zu people", place, u->in.n);
  else if (m->filtered)
    snprintf(out, 300, "%s%zu of %zu rooms: %.200s", place, m->n_shown, m->n, m->filter_text);
  else
    snprintf(out, 300, "%s%zu rooms, by %s%s", place, m->n, watch_field_info(m->sort)->word,
             m->reverse ? ", reversed" : "");
}

static void status(const struct watch_scene *v, struct rect r) {
  const struct watch_pilot *u = v->u;
  char text[300];
  bool said = v->now < u->toast_until;
  if (u->asks != WATCH_ASKS_NOTHING) {
    int cols = canvas_put(v->c, r.x, r.y, r.w, STYLE_KEY, watch_pilot_question(u));
    lineedit_draw(u->edit, v->c, r.x + cols, r.y, r.w - cols, STYLE_INPUT, true);
    return;
  }
  summary(v, text);
  if (said)
    canvas_put(v->c, r.x, r.y, r.w, u->toast_bad ? STYLE_WARN : STYLE_OK, u->toast);
  else if (u->server[0])
    canvas_put(v->c, r.x, r.y, r.w, STYLE_DANGER, u->server);
  else if (u->paused)
    canvas_put(v->c, r.x, r.y, r.w, STYLE_WARN, "PAUSED: Space lets it go on");
  else
    canvas_put(v->c, r.x, r.y, r.w, STYLE_DIM, text);
}

/* hint: a key and what it does; false when there is no room or no key. */
static bool hint(const struct watch_scene *v, struct watch_pen *p, enum watch_key what, const char *text) {
  char key[24];
  if (!keymap_key(v->u->keys, KEY_CONTEXT_WATCH, WATCH_KEYS[what].name, 0, key) ||
      p->x + (int)(text_width(key) + text_width(text)) + 1 > p->right)
    return false;
  watch_pen_put(p, STYLE_KEY, key);
  p->x++;
  watch_pen_put(p, STYLE_DIM, text);
  p->x += 2;
  return true;
}

static void footer(const struct watch_scene *v, struct rect r) {
  static const struct {
    enum watch_key key;
    const char *text;
  } HINTS[] = {{WATCH_KEY_HELP, "help"},       {WATCH_KEY_QUIT, "quit"},     {WATCH_KEY_OPEN, "look"},
               {WATCH_KEY_CLOSE, "back"},      {WATCH_KEY_FILTER, "filter"}, {WATCH_KEY_SORT_NEXT, "sort"},
               {WATCH_KEY_REVERSE, "reverse"}, {WATCH_KEY_PAUSE, "pause"},   {WATCH_KEY_LISTEN, "listen"},
               {WATCH_KEY_WHISPER, "whisper"}};
  struct watch_pen p = {v->c, r.x, r.y, r.x + r.w};
  if (v->u->asks != WATCH_ASKS_NOTHING) {
    bool said = v->now < v->u->toast_until; /* what is wrong with the line */
    canvas_put(v->c, r.x, r.y, r.w, said ? STYLE_WARN : STYLE_DIM,
               said ? v->u->toast : "Enter takes it, Esc does not");
    return;
  }
  for (size_t i = 0; i < sizeof HINTS / sizeof HINTS[0]; i++)
    if (!(HINTS[i].key == WATCH_KEY_CLOSE && v->u->page == WATCH_PAGE_ROOMS && !v->u->m->filtered))
      hint(v, &p, HINTS[i].key, HINTS[i].text);
}

static void body(const struct watch_scene *v, struct rect r) {
  static void (*const PAGES[])(const struct watch_scene *,
                               struct rect) = {watch_view_rooms, watch_view_people, watch_view_card};
  if (v->u->help)
    watch_view_help(v, r);
  else
    PAGES[v->u->page](v, r);
}

void watch_view(const struct watch_scene *v) {
  struct canvas *c = v->c;
  int top = v->u->help ? 0 : header_rows(c->h), foot = has_footer(c->h);
  canvas_clear(c);
  if (top > 0)
    watch_view_header(v, (struct rect){0, 0, c->w, top});
  if (c->h - top - foot - 1 > 0)
    body(v, (struct rect){0, top, c->w, c->h - top - foot - 1});
  status(v, (struct rect){0, c->h - 1 - foot, c->w, 1});
  if (foot)
    footer(v, (struct rect){0, c->h - 1, c->w, 1});
}
