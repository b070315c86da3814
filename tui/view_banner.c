/* What everyone must see now: the planned end, the recall, the poll, the agenda; and which pane is shown. */
#include "tui/view.h"

#include <stdio.h>
#include <string.h>

struct banner {
  const struct scene *v;
  struct rect r;
  int y;
};

static void add_rows(struct banner *b, enum style s, const char *text, int most) {
  size_t next;
  char row[TEXT_CHAT_MAX + SAY_MAX];
  int cols = b->r.w > 2 ? b->r.w - 2 : 1;
  for (const char *p = text; *p != '\0' && most-- > 0 && b->y < b->r.h; p += next, b->y++) {
    size_t n = view_wrap(p, (size_t)cols, &next);
    snprintf(row, sizeof row, "%.*s", (int)(most > 0 ? n : strlen(p)), p); /* the last row ends in dots */
    if (s == STYLE_DANGER)
      canvas_fill(b->v->c, (struct rect){b->r.x, b->r.y + b->y, b->r.w, 1}, s, " ");
    canvas_put(b->v->c, b->r.x + 1, b->r.y + b->y, cols, s, row);
  }
}

/* stops: ", u stops it" for who can. */
static void stops(const struct scene *v, char out[48]) {
  const struct command *undo = command_of_act(ACT_UNDO);
  char key[24];
  out[0] = '\0';
  if (model_is_moderator(v->m) && keymap_key(v->keys, undo->context, undo->name, 0, key))
    snprintf(out, 48, ", %s stops it", key);
}

static void timers(struct banner *b) {
  const struct room *room = &b->v->m->room;
  char text[SAY_MAX], left[VIEW_TIME_MAX], how[48];
  if (room->ends_ms != 0) {
    bool counts = view_left(b->v, room->ends_ms, left);
    stops(b->v, how);
    snprintf(text, sizeof text, "ENDS %s %s%s", counts ? "IN" : "AT", left, how);
    add_rows(b, STYLE_DANGER, text, 1);
  }
  if (b->v->m->maintenance_ms != 0) {
    const char *why = b->v->m->maintenance;
    bool counts = view_left(b->v, b->v->m->maintenance_ms, left);
    if (b->v->m->state == CLIENT_RECONNECTING && b->v->m->maintenance_ms <= model_wall(b->v->m, b->v->now))
      snprintf(text, sizeof text, "SERVER IS DOWN%s%.300s", *why ? ": " : "", why);
    else
      snprintf(text, sizeof text, "SERVER GOES DOWN %s %s%s%.300s", counts ? "IN" : "AT", left,
               *why ? ": " : "", why);
    add_rows(b, STYLE_WARN, text, 2);
  }
  if (room->recall_ms != 0) {
    bool counts = view_left(b->v, room->recall_ms, left);
    snprintf(text, sizeof text, "SIDE ROOMS CLOSE %s %s: everyone comes back", counts ? "IN" : "AT", left);
    add_rows(b, STYLE_WARN, text, 1);
  }
}

static unsigned own_vote(const struct model *m) {
  for (size_t i = 0; i < m->room.poll.n_votes; i++)
    if (m->room.poll.votes[i].member == m->me)
      return m->room.poll.votes[i].answer;
  return 0;
}

static void poll(struct banner *b) {
  const struct poll *poll = &b->v->m->room.poll;
  char text[TEXT_CHAT_MAX + SAY_MAX];
  if (!poll->open || poll->text == NULL)
    return;
  unsigned mine = own_vote(b->v->m);
  const char *p = poll->text;
  size_t len = strcspn(p, "\n");
  int n = snprintf(text, sizeof text, "POLL%s: %.*s", poll->anonymous ? " (anonymous)" : "", (int)len, p);
  for (size_t i = 0; i < poll->n_answers && p[len] == '\n'; i++) {
    p += len + 1;
    len = strcspn(p, "\n");
    n += snprintf(text + n, sizeof text - (size_t)n, "  %zu %.*s", i + 1, (int)len, p);
    if (!poll->anonymous)
      n += snprintf(text + n, sizeof text - (size_t)n, " (%u)", poll->count[i]);
  }
  if (mine != 0)
    snprintf(text + n, sizeof text - (size_t)n, "  your answer: %u", mine);
  else
    snprintf(text + n, sizeof text - (size_t)n, "  :vote N answers");
  add_rows(b, STYLE_NOTICE, text, 3);
}

/* item_at: the i-th line of the agenda; its length in *len, 0 past the end. */
static const char *item_at(const char *agenda, size_t i, size_t *len) {
  for (; i > 0 && agenda != NULL; i--) {
    const char *end = strchr(agenda, '\n');
    agenda = end != NULL ? end + 1 : NULL;
  }
  *len = agenda != NULL ? strcspn(agenda, "\n") : 0;
  return agenda != NULL ? agenda : "";
}

static void agenda(struct banner *b) {
  const struct model *m = b->v->m;
  const struct room *room = &m->room;
  char text[2 * ROOM_AGENDA_MAX + 64], since[24] = "", clock[8];
  size_t len, next_len, n = 0;
  if (room->agenda == NULL || room->agenda[0] == '\0')
    return;
  const char *item = item_at(room->agenda, room->agenda_at, &len);
  const char *then = item_at(room->agenda, room->agenda_at + 1, &next_len);
  for (size_t l = 1; l > 0; n += l > 0)
    (void)item_at(room->agenda, n, &l);
  if (room->agenda_ms != 0) { /* a fixed time: it stands there for long, and nothing ticks */
    model_clock(m, room->agenda_ms, clock);
    snprintf(since, sizeof since, " since %s", clock);
  }
  if (len == 0)
    return;
  snprintf(text, sizeof text, "ITEM %zu of %zu: %.*s%s%s%.*s", room->agenda_at + 1, n, (int)len, item, since,
           next_len > 0 ? "; then " : "", (int)next_len, then);
  add_rows(b, STYLE_TITLE, text, 1);
}

int view_banner(const struct scene *v, struct rect r) {
  struct banner b = {v, r, 0};
  timers(&b);
  poll(&b);
  agenda(&b);
  return b.y;
}

static void pane_words(const struct model *m, enum model_pane pane, char out[32]) {
  size_t n = 0;
  if (pane == PANE_LOBBY)
    (void)model_lobby(m, &n);
  else if (pane == PANE_HANDS)
    (void)model_hands(m, &n);
  else if (pane == PANE_CHAT)
    n = m->unread;
  snprintf(out, 32, n > 0 ? "%s %zu" : "%s", model_pane_name(pane), n);
}

void view_panes_line(const struct scene *v, struct rect r) {
  const struct model *m = v->m;
  const struct command *c = command_of_ui(UI_PANE);
  char text[64], word[32], key[24];
  pane_words(m, m->pane, word);
  snprintf(text, sizeof text, "[%s]", word);
  int x = canvas_put(v->c, r.x, r.y, r.w, STYLE_FOCUS, text) + 1;
  if (keymap_key(v->keys, c->context, c->name, 0, key))
    x += canvas_put(v->c, r.x + x, r.y, r.w - x, STYLE_KEY, key) + 1;
  const enum model_pane first = model_pane_after(m, m->pane, 1);
  enum model_pane pane = first;
  do {
    pane_words(m, pane, word);
    bool news = strchr(word, ' ') != NULL;
    x += canvas_put(v->c, r.x + x, r.y, r.w - x, news ? STYLE_NOTICE : STYLE_DIM, word) + 1;
    pane = model_pane_after(m, pane, 1);
  } while (pane != m->pane && pane != first);
}
