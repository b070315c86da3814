/* Panes as lines: what the screen shows beside the chat is said when it is asked for. */
#include "core/base/text.h"
#include "tui/line_private.h"
#include "tui/pages.h"
#include "tui/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CARD_COLS 400 /* a fact is one line */
#define CARD_ROWS 80
#define CHAT_PAGE 10
#define LOG_PAGE 20
#define FOUND_MAX 50

static bool refuse(struct line *l, const char *why) {
  line_sayf(l, "Not done: %s.", why);
  return true;
}

static void say_owned(struct line *l, char *page) {
  line_page(l, page);
  free(page);
}

/* ---- cards ---- */

/* say_view: the banner, or the card: of a person without the room below it, of the room without its title. */
static void say_view(struct line *l, bool banner, us_t now) {
  struct canvas *c = canvas_create(CARD_COLS, CARD_ROWS, true);
  if (c == NULL)
    abort();
  struct scene v = {l->m, c, l->ctl->keys, pace_tier_info(PACE_FAST), now};
  struct rect all = {0, 0, CARD_COLS, CARD_ROWS};
  if (banner)
    (void)view_banner(&v, all);
  else
    view_card(&v, all);
  char *text = canvas_text(c), *from = text, *end = strstr(text, "\n\n");
  if (!banner && l->m->cursor == 0)
    from += strcspn(text, "\n");
  else if (!banner && end != NULL)
    *end = '\0';
  line_pairs(l, from, banner ? ", " : ": ");
  free(text);
  canvas_destroy(c);
}

/* card: of a person; without a word what the room is set to. */
static bool card(struct line *l, const char *words, us_t now) {
  struct model *m = l->m;
  char why[ACT_WHY_MAX];
  uint32_t id = words[0] == '\0' ? 0 : args_person(m, words, why);
  uint32_t cursor = m->cursor;
  if (id == 0 && words[0] != '\0')
    return refuse(l, why);
  if (id == 0)
    say_view(l, true, now);
  m->cursor = id;
  say_view(l, false, now);
  m->cursor = cursor;
  return true;
}

/* ---- people ---- */

static bool hands(struct line *l) {
  size_t n;
  char text[SAY_MAX];
  const uint32_t *ids = model_hands(l->m, &n);
  for (size_t i = 0; i < n; i++) {
    pages_person(l->m, room_member(&l->m->room, ids[i]), text);
    line_sayf(l, "%zu: %s", i + 1, text);
  }
  if (n == 0)
    line_say(l, "No hand is raised.");
  return true;
}

static bool found(struct line *l, const char *words) {
  uint32_t ids[FOUND_MAX];
  size_t n, waiting;
  char text[SAY_MAX];
  if (words[0] == '\0')
    return refuse(l, "filter needs a part of a name");
  model_filter_set(l->m, words);
  n = model_list(l->m, ids, FOUND_MAX, &waiting);
  model_filter_set(l->m, "");
  for (size_t i = 0; i < n && i < FOUND_MAX; i++) {
    pages_person(l->m, room_member(&l->m->room, ids[i]), text);
    line_sayf(l, "%s%s", text, i < waiting ? ", waiting" : "");
  }
  line_sayf(l, "%zu found.", n);
  return true;
}

/* ---- chat and log ---- */

/* older: a page of messages before the oldest that was read. */
static void older(struct line *l) {
  struct model *m = l->m;
  const struct room *r = &m->room;
  char head[SAY_MAX], clock[8];
  size_t end = 0;
  while (end < r->n_chat && (l->chat_at == 0 || r->chat[end].id < l->chat_at))
    end++;
  if (end == 0 && m->history == HISTORY_MORE && r->n_chat > 0 && m->state == CLIENT_JOINED) {
    m->history = HISTORY_ASKED;
    l->paging = true;
    model_intent(m, INTENT_HISTORY);
    return;
  }
  for (size_t i = end > CHAT_PAGE ? end - CHAT_PAGE : 0; i < end; i++) {
    const struct chat *c = &r->chat[i];
    say_chat_head(r, m->me, c, head);
    model_clock(m, c->ts_ms, clock);
    line_sayf(l, "%s: %s (message %llu, %s)", head, c->deleted ? "(deleted)" : c->text,
              (unsigned long long)c->id, clock);
  }
  if (end > 0)
    l->chat_at = r->chat[end > CHAT_PAGE ? end - CHAT_PAGE : 0].id;
  line_say(l, end == 0 ? "No older messages." : "/page-up says older ones.");
}

void line_older(struct line *l) {
  if (l->paging)
    older(l);
  l->paging = false;
}

static void newest_log(struct line *l) {
  char clock[8];
  size_t from = l->m->n_lines, n = 0;
  while (from > 0 && n < LOG_PAGE)
    n += l->m->lines[--from].chat == 0;
  for (; from < l->m->n_lines; from++) {
    const struct model_line *at = &l->m->lines[from];
    model_clock(l->m, at->ts_ms, clock);
    if (at->chat == 0)
      line_sayf(l, "%s %s", at->text, clock);
  }
}

bool line_view(struct line *l, enum ui ui, const char *words, us_t now) {
  if (!l->m->have_room)
    return false;
  switch (ui) {
  case UI_CARD:
    return card(l, words, now);
  case UI_GO_HANDS:
  case UI_HANDS:
    return hands(l);
  case UI_LOBBY_FOCUS:
  case UI_PEOPLE:
    say_owned(l, pages_people(l->m, ui == UI_LOBBY_FOCUS));
    return true;
  case UI_FILTER:
    return found(l, words);
  case UI_GO_CHAT:
    l->chat_at = 0;
    older(l);
    return true;
  case UI_PAGE_UP:
    older(l);
    return true;
  case UI_GO_LOG:
    newest_log(l);
    return true;
  case UI_LINK:
  case UI_COPY: /* there is no clipboard to speak of; the chat comes as a page */
    if (l->m->invite[0] == '\0' || words[0] != '\0')
      return false;
    line_say(l, l->m->invite);
    return true;
  case UI_ZOOM:
  case UI_FOOTER:
  case UI_MOUSE:
  case UI_THEME:
  case UI_REDRAW:
  case UI_SUSPEND:
    return refuse(l, "that is for the full screen");
  default:
    return false;
  }
}
