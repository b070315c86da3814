/* The menu: the letters of a group, and on whom they work. */
#include "tui/view.h"

#include "tui/menu.h"

#include <stdio.h>

void view_menu(const struct scene *v, struct rect r) {
  const struct model *m = v->m;
  struct menu_row rows[MENU_ROWS_MAX];
  size_t n = menu_rows(m, rows), at = m->menu.row < n ? m->menu.row : 0;
  char text[SAY_MAX];
  int shown = (int)n + 1 < r.h ? (int)n + 1 : r.h;
  if (shown <= 0)
    return;
  int y = r.y + r.h - shown;
  canvas_fill(v->c, (struct rect){r.x, y, r.w, shown}, STYLE_NORMAL, " ");
  canvas_fill(v->c, (struct rect){r.x, y, r.w, 1}, STYLE_STATUS, " ");
  menu_title(m, text);
  canvas_put(v->c, r.x + 1, y, r.w - 1, STYLE_TITLE, text);
  size_t page = shown > 1 ? (size_t)shown - 1 : 1, top = at / page * page;
  for (size_t i = 0; i + 1 < (size_t)shown && top + i < n; i++) {
    const struct menu_row *row = &rows[top + i];
    int line = y + 1 + (int)i;
    menu_text(row, v->keys, text);
    canvas_put(v->c, r.x + 1, line, r.w - 1, row->refusal != NULL ? STYLE_DIM : STYLE_NORMAL, text);
    canvas_style(v->c, (struct rect){r.x + 1, line, 1, 1}, STYLE_KEY);
    if (top + i != at)
      continue;
    canvas_style(v->c, (struct rect){r.x, line, r.w, 1}, STYLE_SELECTED);
    v->c->cursor_x = r.x + 1;
    v->c->cursor_y = line;
    v->c->cursor_shown = true;
  }
}
