/* Full pages and the palette: all generated from the table of commands. */
#include "tui/view.h"

#include "core/base/text.h"
#include "tui/pages.h"

#include <stdio.h>
#include <string.h>

static void title(const struct scene *v, struct rect r, const char *text) {
  canvas_fill(v->c, (struct rect){r.x, r.y, r.w, 1}, STYLE_STATUS, " ");
  canvas_put(v->c, r.x + 1, r.y, r.w - 1, STYLE_TITLE, text);
}

/* help_row: keys, name and arguments, what it does; a reason when it cannot be used now; the row that Enter
 * takes stands out. Thin screens drop the arguments. */
static void help_row(const struct scene *v, struct rect r, int y, const struct command *c, bool chosen) {
  const char *refusal = command_refusal(v->m, c, 0);
  char name[32], line[80], key[24], keys[48] = "", help[SAY_MAX];
  bool wide = r.w >= 70;
  int key_cols = wide ? 12 : 6, name_cols = wide ? 23 : 14;
  command_title(c, name);
  snprintf(line, sizeof line, wide && c->args[0] != '\0' ? "%s %s" : "%s", name, c->args);
  for (size_t i = 0; i < (wide ? 2 : 1) && keymap_key(v->keys, c->context, c->name, i, key); i++)
    if (strlen(keys) + strlen(key) + 2 < sizeof keys)
      (void)(text_append(keys, sizeof keys, i > 0 ? " " : "") && text_append(keys, sizeof keys, key));
  snprintf(help, sizeof help, refusal != NULL ? "%s (%s)" : "%s", c->help, refusal);
  canvas_put(v->c, r.x + 1, y, key_cols - 1, STYLE_KEY, keys);
  canvas_put(v->c, r.x + 1 + key_cols, y, name_cols - 1, refusal != NULL ? STYLE_DIM : STYLE_NORMAL, line);
  canvas_put(v->c, r.x + 1 + key_cols + name_cols, y, r.w - key_cols - name_cols - 1, STYLE_DIM, help);
  if (chosen)
    canvas_style(v->c, (struct rect){r.x, y, r.w, 1}, STYLE_SELECTED);
}

void view_help(const struct scene *v, struct rect r) {
  const char *filter = lineedit_text(v->m->search);
  const struct command *found[COMMANDS_COUNT];
  char text[64];
  size_t n = 0, rows = r.h > 1 ? (size_t)r.h - 1 : 0;
  for (size_t i = 0; i < COMMANDS_COUNT; i++)
    if (pages_help_matches(&COMMANDS[i], filter))
      found[n++] = &COMMANDS[i];
  size_t top = v->m->help_row + rows > n ? (n > rows ? n - rows : 0) : v->m->help_row;
  snprintf(text, sizeof text, "Keys and commands: type to filter, %zu of %zu", n, COMMANDS_COUNT);
  title(v, r, text);
  for (size_t i = 0; i < rows && top + i < n; i++)
    help_row(v, r, r.y + 1 + (int)i, found[top + i], top + i == v->m->help_row);
}

void view_page(const struct scene *v, struct rect r) {
  const struct model *m = v->m;
  size_t skip = m->scroll;
  const char *p = m->page != NULL ? m->page : "";
  title(v, r, m->page_title);
  for (; skip > 0 && strchr(p, '\n') != NULL && strchr(p, '\n')[1] != '\0'; skip--)
    p = strchr(p, '\n') + 1;
  size_t next;
  for (int y = 1; y < r.h && *p != '\0'; y++, p += next) {
    char row[TEXT_CHAT_MAX + 1];
    snprintf(row, sizeof row, "%.*s", (int)view_wrap(p, (size_t)(r.w > 2 ? r.w - 2 : 1), &next), p);
    canvas_put(v->c, r.x + 1, r.y + y, r.w - 1, STYLE_NORMAL, row);
  }
  v->c->cursor_x = r.x + 1;
  v->c->cursor_y = r.y + (r.h > 1);
  v->c->cursor_shown = true;
}

void view_palette(const struct scene *v, struct rect r) {
  struct completion comp;
  const struct lineedit *le = v->m->command;
  char line[SAY_MAX], name[32];
  args_complete(v->m, lineedit_text(le), lineedit_cursor(le), &comp);
  int rows = (int)comp.n + (comp.command != NULL), most = r.h < 10 ? r.h : 10;
  rows = rows < most ? rows : most;
  int y = r.y + r.h - rows;
  canvas_fill(v->c, (struct rect){r.x, y, r.w, rows}, STYLE_NORMAL, " ");
  if (comp.command != NULL && rows > 0) {
    command_title(comp.command, name);
    snprintf(line, sizeof line, "%s %s: %s", name,
             comp.command->act == ACT_END ? v->m->room.name : comp.command->args, comp.command->help);
    canvas_put(v->c, r.x + 1, y++, r.w - 1, STYLE_NOTICE, line);
  }
  for (size_t i = 0; i < comp.n && y < r.y + r.h; i++, y++) {
    const char *refusal = comp.of[i].refusal;
    int x = r.w >= 60 ? 20 : 14;
    canvas_put(v->c, r.x + 1, y, x - 2, refusal != NULL ? STYLE_DIM : STYLE_KEY, comp.of[i].text);
    snprintf(line, sizeof line, "%s%s%s%s", comp.of[i].help != NULL ? comp.of[i].help : "",
             refusal != NULL ? " (" : "", refusal != NULL ? refusal : "", refusal != NULL ? ")" : "");
    canvas_put(v->c, r.x + x, y, r.w - x, STYLE_DIM, line);
  }
}
