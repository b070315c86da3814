#include "tui/screen.h"

#include <stdio.h>

#define SIDE_COLS 34

static int people_cols(int w) {
  return w >= 120 ? 36 : w >= 96 ? 32 : w >= 76 ? 27 : w >= 60 ? 24 : 0;
}

/* one_pane: no room, or no line, for two panes side by side. */
static bool one_pane(const struct scene *v, int w) {
  return people_cols(w) == 0 || v->m->zoom || v->pace->chat_full_width;
}

bool view_chat_shown(const struct scene *v, int w) {
  const enum model_pane pane = v->m->pane;
  if (v->m->mode == MODE_PAGE || v->m->mode == MODE_HELP || !v->m->have_room)
    return false;
  if (one_pane(v, w))
    return pane == PANE_CHAT;
  return pane != PANE_LOG && (pane != PANE_CARD || w >= 120);
}

static void draw_one(const struct scene *v, enum model_pane pane, struct rect r) {
  static void (*const VIEWS[PANE__COUNT])(const struct scene *, struct rect) = {
      view_people, view_waiting, view_hands, view_chat, view_log, view_card};
  VIEWS[pane](v, r);
}

/* draw_alone: the focused pane over the whole width, under a line that says which it is; over the chat also
 * one of who is here. */
static void draw_alone(const struct scene *v, struct rect r) {
  if (r.h > 2) {
    view_panes_line(v, (struct rect){r.x, r.y++, r.w, 1});
    r.h--;
  }
  if (r.h > 3 && v->m->pane == PANE_CHAT && !v->m->zoom) {
    view_roster_line(v, (struct rect){r.x, r.y++, r.w, 1});
    r.h--;
  }
  draw_one(v, v->m->pane, r);
}

/* draw_side: the third column of wide screens: who waits, whose hand is up, the card. */
static void draw_side(const struct scene *v, struct rect r) {
  const struct model *m = v->m;
  size_t waiting, hands;
  (void)model_lobby(m, &waiting);
  (void)model_hands(m, &hands);
  int most = r.h / 4 > 2 ? r.h / 4 : 2;
  int lobby_rows = waiting > 0 || m->pane == PANE_LOBBY ? (int)(waiting < 50 ? waiting : 50) + 1 : 0;
  int hand_rows = hands > 0 || m->pane == PANE_HANDS ? (int)(hands < 50 ? hands : 50) + 1 : 0;
  lobby_rows = lobby_rows < most ? lobby_rows : most;
  hand_rows = hand_rows < most ? hand_rows : most;
  view_waiting(v, (struct rect){r.x, r.y, r.w, lobby_rows});
  view_hands(v, (struct rect){r.x, r.y + lobby_rows, r.w, hand_rows});
  int used = lobby_rows + hand_rows;
  if (used > 0 && used < r.h)
    canvas_hline(v->c, r.x, r.y + used++, r.w, STYLE_BORDER);
  view_card(v, (struct rect){r.x, r.y + used, r.w, r.h - used});
}

static void draw_panes(const struct scene *v, struct rect r) {
  const enum model_pane pane = v->m->pane;
  bool wide = r.w >= 120, queue = pane == PANE_LOBBY || pane == PANE_HANDS;
  if (one_pane(v, r.w)) {
    draw_alone(v, r);
    return;
  }
  int people = people_cols(r.w), side = wide ? SIDE_COLS : 0;
  draw_one(v, queue && !wide ? pane : PANE_PEOPLE, (struct rect){r.x, r.y, people - 1, r.h});
  canvas_vline(v->c, r.x + people, r.y, r.h, STYLE_BORDER);
  draw_one(v, pane == PANE_LOG || (pane == PANE_CARD && !wide) ? pane : PANE_CHAT,
           (struct rect){r.x + people + 2, r.y, r.w - people - 2 - (side > 0 ? side + 3 : 0), r.h});
  if (side == 0)
    return;
  canvas_vline(v->c, r.w - side - 2, r.y, r.h, STYLE_BORDER);
  draw_side(v, (struct rect){r.x + r.w - side, r.y, side, r.h});
}

/* draw_room: the banner may take a third of it. */
static void draw_room(const struct scene *v, struct rect r) {
  int rows = view_banner(v, (struct rect){r.x, r.y, r.w, r.h / 3});
  draw_panes(v, (struct rect){r.x, r.y + rows, r.w, r.h - rows});
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
    draw_room(v, r);
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
  if (v->m->mode == MODE_MENU)
    view_menu(v, (struct rect){0, y, c->w, body});
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
             model_count(m, PRESENCE_HERE));
  else
    snprintf(out, SAY_MAX, "gavel - %s", WORDS[m->state]);
}
