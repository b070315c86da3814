/* The open question: it names whom and where, and its default is No. */
#include "tui/view.h"

#include <stdio.h>

void view_ask(const struct scene *v, struct rect r) {
  const struct question *q = &v->m->ask;
  char line[SAY_MAX * 2];
  size_t next;
  int n = snprintf(line, sizeof line, "%s  [y] %s", q->text, q->yes);
  if (q->other != '\0')
    n += snprintf(line + n, sizeof line - (size_t)n, "  [%c] %s", q->other, q->other_word);
  snprintf(line + n, sizeof line - (size_t)n, "  [N] %s ", q->no);
  int rows = 0, cols = r.w > 2 ? r.w - 2 : 1;
  for (const char *p = line; *p != '\0' && rows < r.h; p += next, rows++)
    view_wrap(p, (size_t)cols, &next);
  int y = r.y + r.h - rows;
  canvas_fill(v->c, (struct rect){r.x, y, r.w, rows}, STYLE_DANGER, " ");
  for (const char *p = line; *p != '\0' && y < r.y + r.h; p += next, y++) {
    char part[SAY_MAX * 2];
    snprintf(part, sizeof part, "%.*s", (int)view_wrap(p, (size_t)cols, &next), p);
    int used = canvas_put(v->c, r.x + 1, y, cols, STYLE_DANGER, part);
    v->c->cursor_x = r.x + 1 + (used < cols ? used : cols - 1);
    v->c->cursor_y = y;
    v->c->cursor_shown = true;
  }
}
