/* The chat: messages and notices, wrapped at words, newest at the bottom; the log is the notices alone. */
#include "tui/view.h"

#include "core/base/text.h"

#include <stdio.h>
#include <string.h>

#define INDENT 6 /* "09:01 " */

size_t view_wrap(const char *text, size_t cols, size_t *next) {
  size_t line = strcspn(text, "\n"), fit = text_fit(text, cols);
  if (fit >= line) {
    *next = line + (text[line] == '\n');
    return line;
  }
  size_t at = fit;
  while (at > 0 && text[at] != ' ')
    at--;
  if (at == 0) { /* one word longer than the row: broken where it must be; at least one character goes on */
    const char *p = text;
    text_utf8_next(&p, text + strlen(text));
    *next = fit > 0 ? fit : (size_t)(p - text);
    return *next;
  }
  *next = at + 1;
  return at;
}

/* One entry of the chat, ready to be wrapped. */
struct entry {
  char clock[8], head[SAY_MAX + 2];
  const char *body;
  enum style head_style, body_style;
};

static bool entry_of(const struct model *m, const struct model_line *l, struct entry *e) {
  *e = (struct entry){.body = l->text, .body_style = l->style, .head = "-- ", .head_style = STYLE_DIM};
  model_clock(m, l->ts_ms, e->clock);
  if (l->chat == 0)
    return true;
  const struct chat *c = room_chat_by_id(&m->room, l->chat);
  if (c == NULL)
    return false; /* cleared */
  say_chat_head(&m->room, m->me, c, e->head);
  (void)text_append(e->head, sizeof e->head, ": ");
  e->head_style = c->kind == CHAT_PUBLIC ? STYLE_CHAT_NAME : STYLE_CHAT_PRIVATE;
  e->body = c->deleted ? "(deleted)" : c->text;
  e->body_style = c->deleted ? STYLE_DIM : STYLE_NORMAL;
  if (c->kind == CHAT_ANNOUNCE)
    e->head_style = e->body_style = STYLE_WARN;
  return true;
}

/* entry_rows: draws the rows from `y` on that fall inside r (draw == false: only counts them). */
static int entry_rows(const struct scene *v, const struct entry *e, struct rect r, int y, bool draw) {
  int rows = 0, left = INDENT + (int)text_width(e->head), indent = r.w > 20 ? INDENT : 0;
  bool apart = left > r.w * 2 / 3; /* a long head stands on its own row */
  size_t next;
  const char *p = e->body;
  if (draw && y >= r.y) {
    canvas_put(v->c, r.x, y, r.w, v->pace->chat_full_width ? STYLE_NORMAL : STYLE_DIM, e->clock);
    canvas_put(v->c, r.x + INDENT, y, r.w - INDENT, e->head_style, e->head);
  }
  rows += apart;
  do {
    int x = rows == 0 ? left : indent;
    int cols = r.w - x > 1 ? r.w - x : 1;
    size_t n = view_wrap(p, (size_t)cols, &next);
    if (draw && y + rows >= r.y && y + rows < r.y + r.h) {
      char row[TEXT_CHAT_MAX + 1];
      snprintf(row, sizeof row, "%.*s", (int)n, p);
      canvas_put(v->c, r.x + x, y + rows, cols, e->body_style, row);
    }
    p += next;
    rows++;
  } while (*p != '\0');
  return rows;
}

/* put_focus: the real cursor on the newest row of the focused pane. */
static void put_focus(const struct scene *v, struct rect r, enum model_pane pane) {
  if (v->m->pane != pane || v->m->mode != MODE_KEYS)
    return;
  v->c->cursor_x = r.x;
  v->c->cursor_y = r.y + r.h - 1;
  v->c->cursor_shown = true;
}

static bool shown(const struct model_line *l, bool log) {
  return log ? l->chat == 0 : !l->quiet;
}

/* same_minute: the line above says that time already. On a slow line it is not said again. */
static bool same_minute(const struct model *m, size_t i, bool log) {
  for (size_t k = i; k-- > 0;)
    if (shown(&m->lines[k], log))
      return m->lines[k].ts_ms / 60000 == m->lines[i].ts_ms / 60000;
  return false;
}

/* put_entries: the newest at the bottom; `log`: without the chat's messages. */
static void put_entries(const struct scene *v, struct rect r, bool log, size_t scroll) {
  const struct model *m = v->m;
  int y = r.y + r.h;
  struct entry e;
  for (size_t i = m->n_lines; i-- > 0 && y > r.y;) {
    if (!shown(&m->lines[i], log) || !entry_of(m, &m->lines[i], &e))
      continue;
    if (v->pace->chat_full_width && same_minute(m, i, log))
      e.clock[0] = '\0';
    if (scroll > 0 && scroll--)
      continue;
    int rows = entry_rows(v, &e, r, 0, false);
    y -= rows;
    entry_rows(v, &e, r, y, true);
  }
}

/* put_pinned: the pinned message on top; returns the rows it took. */
static int put_pinned(const struct scene *v, struct rect r) {
  const struct chat *c = room_chat_by_id(&v->m->room, v->m->room.pin);
  char text[TEXT_CHAT_MAX + TEXT_NAME_MAX + 16], row[SAY_MAX];
  size_t next;
  int rows = 0;
  if (c == NULL || c->deleted || r.h < 5)
    return 0;
  snprintf(text, sizeof text, "Pinned: %s: %s", c->name, c->text);
  for (const char *p = text; *p != '\0' && rows < 2; p += next, rows++) {
    size_t n = view_wrap(p, (size_t)r.w, &next);
    snprintf(row, sizeof row, "%.*s", (int)(rows == 0 ? n : strlen(p)), p); /* the rest ends in dots */
    canvas_put(v->c, r.x, r.y + rows, r.w, STYLE_NOTICE, row);
  }
  return rows;
}

static void put_pane(const struct scene *v, struct rect r, enum model_pane pane) {
  const struct model *m = v->m;
  size_t scroll = m->pane == pane && m->mode != MODE_PAGE && m->mode != MODE_HELP ? m->scroll : 0;
  if (r.w <= 1 || r.h <= 0)
    return;
  if (scroll >= m->n_lines)
    scroll = m->n_lines > 0 ? m->n_lines - 1 : 0;
  put_entries(v, r, pane == PANE_LOG, scroll);
  if (scroll > 0)
    canvas_fill(v->c, (struct rect){r.x, r.y + r.h - 1, r.w, 1}, STYLE_NORMAL, " ");
  if (scroll > 0)
    canvas_put(v->c, r.x, r.y + r.h - 1, r.w, STYLE_NOTICE, "-- older; End: newest --");
  put_focus(v, r, pane);
}

void view_chat(const struct scene *v, struct rect r) {
  int pinned = r.w > 1 ? put_pinned(v, r) : 0;
  put_pane(v, (struct rect){r.x, r.y + pinned, r.w, r.h - pinned}, PANE_CHAT);
}

void view_log(const struct scene *v, struct rect r) {
  put_pane(v, r, PANE_LOG);
}
