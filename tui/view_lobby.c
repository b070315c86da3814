/* Outside the room: connecting, waiting in the lobby, and how it ended. */
#include "tui/view.h"

#include "tui/exit.h"

#include <stdio.h>
#include <string.h>

static void row(const struct scene *v, struct rect r, int *y, enum style s, const char *text) {
  size_t next;
  char part[SAY_MAX];
  for (const char *p = text; *p != '\0' && *y < r.h; p += next, (*y)++) {
    snprintf(part, sizeof part, "%.*s", (int)view_wrap(p, (size_t)(r.w > 2 ? r.w - 2 : 1), &next), p);
    canvas_put(v->c, r.x + 1, r.y + *y, r.w - 1, s, part);
  }
}

static void lobby(const struct scene *v, struct rect r, int *y) {
  char text[SAY_MAX];
  snprintf(text, sizeof text, "You are in the lobby of %s.", v->m->link_room);
  row(v, r, y, STYLE_TITLE, text);
  *y += r.h >= 12;
  if (v->m->waiting > 1)
    snprintf(text, sizeof text, "A host has been told. You are number %u of %u who wait.", v->m->place,
             v->m->waiting);
  else
    snprintf(text, sizeof text, "A host has been told. You are the only one who waits.");
  row(v, r, y, STYLE_NORMAL, text);
  size_t n = v->m->n_lines, most = r.h < 12 ? 1 : 6;
  for (size_t i = n > most ? n - most : 0; i < n; i++) /* what hosts said to those who wait */
    row(v, r, y, v->m->lines[i].style, v->m->lines[i].text);
  row(v, r, y, STYLE_DIM, "Nobody sees or hears you yet, and you hear nobody.");
}

static void ended(const struct scene *v, struct rect r, int *y) {
  const struct model *m = v->m;
  char text[SAY_MAX + 2], why[SAY_MAX];
  model_end_words(m, why);
  row(v, r, y, STYLE_TITLE, m->why == ERR_OK ? "You left." : "It is over.");
  *y += 1;
  why[0] = (char)(why[0] >= 'a' && why[0] <= 'z' ? why[0] - 'a' + 'A' : why[0]);
  snprintf(text, sizeof text, "%s%s", why, why[strlen(why) - 1] == '.' ? "" : ".");
  row(v, r, y, m->why == ERR_OK ? STYLE_NORMAL : STYLE_WARN, text);
  if (m->within)
    snprintf(text, sizeof text, "q goes back to the rooms.");
  else
    snprintf(text, sizeof text, "q closes gavel (exit code %d).", (int)exit_of(m->why));
  *y += 1;
  row(v, r, y, STYLE_DIM, text);
}

void view_outside(const struct scene *v, struct rect r) {
  int y = r.h > 12 ? 3 : 0;
  if (r.w > 70) {
    r.x += 4;
    r.w -= 8;
  }
  if (v->m->state == CLIENT_LOBBY)
    lobby(v, r, &y);
  else if (v->m->state == CLIENT_ENDED)
    ended(v, r, &y);
  else
    row(v, r, &y, STYLE_TITLE,
        v->m->state == CLIENT_RECONNECTING ? "The server is gone. Connecting again." : "Connecting.");
  v->c->cursor_x = r.x + 1;
  v->c->cursor_y = r.y + (r.h > 12 ? 3 : 0);
  v->c->cursor_shown = true;
}
