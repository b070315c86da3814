#include "tui/screen.h"

#include <stdio.h>

#define FACTS_COLS 32

static int people_cols(int w) {
  return w >= 120 ? 36 : w >= 76 ? 27 : w >= 60 ? 20 : 0;
}

/* one_pane: no room, or no line, for two panes side by side. */
static bool one_pane(const struct scene *v, int w) {
  return people_cols(w) == 0 || v->m->zoom || v->pace->chat_full_width;
}

static void draw_pane(const struct scene *v, struct rect r) {
  if (v->m->pane == PANE_PEOPLE) {
    view_people(v, r);
    return;
  }
  if (r.h > 3 && !v->m->zoom) {
    view_roster_line(v, (struct rect){r.x, r.y, r.w, 1});
    r.y++;
    r.h--;
  }
  view_chat(v, r);
}

static void draw_panes(const struct scene *v, struct rect r) {
  if (one_pane(v, r.w)) {
    draw_pane(v, r);
    return;
  }
  int people = people_cols(r.w), facts = r.w >= 120 ? FACTS_COLS : 0;
  view_people(v, (struct rect){r.x, r.y, people - 1, r.h});
  canvas_vline(v->c, r.x + people, r.y, r.h, STYLE_BORDER);
  view_chat(v, (struct rect){r.x + people + 2, r.y, r.w - people - 2 - (facts > 0 ? facts + 3 : 0), r.h});
  if (facts == 0)
    return;
  canvas_vline(v->c, r.w - facts - 2, r.y, r.h, STYLE_BORDER);
  view_facts(v, (struct rect){r.x + r.w - facts, r.y, facts, r.h});
}

static void draw_body(const struct scene *v, struct rect r) {
  if (r.h <= 0)
    return;
  if (v->m->mode == MODE_HELP)
    view_help(v, r);
  else if (v->m->mode == MODE_PAGE)
    view_page(v, r);
  else if (!v->m->have_room || v->m->state == CLIENT_ENDED || v->m->state == CLIENT_LOBBY)
    view_outside(v, r);
  else
    draw_panes(v, r);
}

void screen_draw(const struct scene *v) {
  struct canvas *c = v->c;
  bool page = v->m->mode == MODE_HELP || v->m->mode == MODE_PAGE;
  bool typing = model_edit(v->m) != NULL;
  int header = c->h >= 4 && !page, status = c->h >= 2, footer = c->h >= 6 && !v->m->footer_hidden,
      input = typing || c->h >= 12;
  int body = c->h - header - status - footer - input;
  int y = header;
  canvas_clear(c);
  if (header)
    view_header(v, (struct rect){0, 0, c->w, 1});
  if (body < 0) { /* the line being typed goes before all else */
    input = 1;
    status = c->h - 1 > 0;
    body = 0;
  }
  draw_body(v, (struct rect){0, y, c->w, body});
  if (v->m->mode == MODE_COMMAND)
    view_palette(v, (struct rect){0, y, c->w, body});
  y += body;
  if (input)
    view_input(v, (struct rect){0, y, c->w, 1});
  y += input;
  if (v->m->mode == MODE_ASK)
    view_ask(v, (struct rect){0, 0, c->w, y > 0 ? y : 1});
  if (status)
    view_status(v, (struct rect){0, y, c->w, 1});
  if (footer)
    view_footer(v, (struct rect){0, y + status, c->w, 1});
  c->cursor_x = c->cursor_x < 0 ? 0 : c->cursor_x >= c->w ? c->w - 1 : c->cursor_x;
  c->cursor_y = c->cursor_y < 0 ? 0 : c->cursor_y >= c->h ? c->h - 1 : c->cursor_y;
}

void screen_title(const struct model *m, char out[SAY_MAX]) {
  static const char *const WORDS[] = {"connecting", "in the lobby", "", "reconnecting", "ended"};
  if (m->state == CLIENT_JOINED)
    snprintf(out, SAY_MAX, "%s%s - %zu here", m->mic == MIC_OPEN ? "(MIC) " : "", m->room.name,
             room_count(&m->room, PRESENCE_HERE));
  else
    snprintf(out, SAY_MAX, "gavel - %s", WORDS[m->state]);
}
