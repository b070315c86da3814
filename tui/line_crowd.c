/* What comes in crowds, told together; and countdowns, told at their marks. */
#include "tui/line_private.h"

#include <stdio.h>
#include <string.h>

#define KNOCK_AGAIN_US (3 * US_PER_S)
#define MUTE_ALL_US (200 * US_PER_MS) /* its exceptions follow in events of their own */
#define NAMES_SHOWN 5
#define SLACK_MS 5000 /* the event itself told a countdown that is about to pass a mark */

static const int MARKS_S[] = {60, 10};
#define MARKS (sizeof MARKS_S / sizeof MARKS_S[0])

void line_crowd_init(struct line *l) {
  l->moves.due = l->knocks.due = l->mute_all.due = l->place.due = US_NEVER;
}

static size_t here(const struct line *l) {
  return model_count(l->m, PRESENCE_HERE);
}

/* ---- who comes and goes ---- */

static bool move_of(const struct line_news *e, enum line_move *out) {
  switch (e->kind) {
  case ROOM_EV_JOINED:
  case ROOM_EV_ADMITTED:
    *out = LINE_CAME;
    return true;
  case ROOM_EV_BACK:
    *out = LINE_BACK;
    return true;
  case ROOM_EV_LEFT:
    *out = LINE_LEFT;
    return true;
  case ROOM_EV_AWAY:
    *out = LINE_LOST;
    return true;
  default:
    return false;
  }
}

static void move_add(struct line *l, const struct line_news *e, enum line_move move, us_t now) {
  if (l->m->said[0] == '\0')
    return;
  if (l->moves.due == US_NEVER)
    l->moves.due = now + (here(l) > LINE_CROWD ? LINE_CROWD_US : LINE_TOGETHER_US);
  l->moves.n[move] += e->n;
  l->moves.admitted += e->kind == ROOM_EV_ADMITTED && e->actor == l->m->me ? e->n : 0;
  l->moves.ts_ms = e->ts_ms;
  if (l->moves.n_text < sizeof l->moves.text / sizeof l->moves.text[0])
    snprintf(l->moves.text[l->moves.n_text], SAY_MAX, "%s", l->m->said);
  l->moves.n_text++;
}

/* summary: "12 people came in, 3 left." */
static void summary(const struct line *l, size_t total, char out[SAY_MAX]) {
  static const char *const DID[] = {"came in", "came back", "left", "lost the connection"};
  size_t len = 0;
  if (l->moves.admitted == total) {
    snprintf(out, SAY_MAX, "You let %zu people in.", total);
    return;
  }
  for (size_t i = 0; i < LINE_MOVE__COUNT; i++) {
    size_t n = l->moves.n[i];
    if (n > 0)
      len += (size_t)snprintf(out + len, SAY_MAX - len, "%s%zu%s %s", len > 0 ? ", " : "", n,
                              len > 0  ? ""
                              : n == 1 ? " person"
                                       : " people",
                              DID[i]);
  }
  (void)text_append(out, SAY_MAX, ".");
}

static void moves_flush(struct line *l) {
  char text[SAY_MAX], clock[8];
  size_t total = 0;
  if (l->moves.due == US_NEVER)
    return;
  for (size_t i = 0; i < LINE_MOVE__COUNT; i++)
    total += l->moves.n[i];
  model_clock(l->m, l->moves.ts_ms, clock);
  if (total > (here(l) > LINE_CROWD ? 1 : 3) && l->moves.n_text > 1) {
    summary(l, total, text);
    line_sayf(l, "%s %zu here. %s", text, here(l), clock);
  } else {
    for (size_t i = 0; i + 1 < l->moves.n_text; i++)
      line_sayf(l, "%s %s", l->moves.text[i], clock);
    line_sayf(l, "%s %zu here. %s", l->moves.text[l->moves.n_text - 1], here(l), clock);
  }
  memset(&l->moves, 0, sizeof l->moves);
  l->moves.due = US_NEVER;
}

/* ---- who knocks ---- */

static void knock_add(struct line *l, const struct line_news *e, us_t now) {
  if (l->m->said[0] == '\0')
    return;
  if (l->knocks.due == US_NEVER)
    l->knocks.due = now + LINE_TOGETHER_US > l->knocks.again ? now + LINE_TOGETHER_US : l->knocks.again;
  l->knocks.n++;
  l->knocks.ts_ms = e->ts_ms;
  snprintf(l->knocks.text, sizeof l->knocks.text, "%s", l->m->said);
}

/* waiting_names: "3 people wait: ann, bob, zoe.", in the order of their knocking. */
static void waiting_names(const struct line *l, const uint32_t *ids, size_t n, char out[SAY_MAX]) {
  char more[32] = "";
  size_t shown = n <= NAMES_SHOWN ? n : 3;
  snprintf(out, SAY_MAX, "%zu people wait: ", n);
  for (size_t i = 0; i < shown; i++)
    (void)(text_append(out, SAY_MAX, i > 0 ? ", " : "") &&
           text_append(out, SAY_MAX, say_name(&l->m->room, l->m->me, ids[i], false)));
  if (n > shown)
    snprintf(more, sizeof more, " and %zu more", n - shown);
  (void)(text_append(out, SAY_MAX, more) && text_append(out, SAY_MAX, "."));
}

static void knocks_flush(struct line *l, us_t now) {
  char text[SAY_MAX], clock[8];
  size_t n;
  const uint32_t *ids = model_lobby(l->m, &n);
  if (l->knocks.due == US_NEVER)
    return;
  model_clock(l->m, l->knocks.ts_ms, clock);
  if (l->knocks.n == 1 && n > 0) {
    line_sayf(l, "%s %zu waiting. %s", l->knocks.text, n, clock);
  } else if (n == 1) {
    line_sayf(l, "%s is waiting to come in. 1 waiting. %s", say_name(&l->m->room, l->m->me, ids[0], true),
              clock);
  } else if (n > 1) {
    waiting_names(l, ids, n, text);
    line_sayf(l, "%s %s", text, clock);
  }
  l->knocks.due = US_NEVER;
  l->knocks.n = 0;
  l->knocks.again = now + (n > LINE_CROWD ? LINE_CROWD_US : KNOCK_AGAIN_US);
}

/* ---- mute-all ---- */

static bool mute_all_add(struct line *l, const struct line_news *e, us_t now) {
  const struct model *m = l->m;
  if (e->kind == ROOM_EV_MUTE_ALL && e->num != 0 && m->said[0] != '\0') {
    l->mute_all.due = now + MUTE_ALL_US;
    l->mute_all.group = e->group;
    l->mute_all.ts_ms = e->ts_ms;
    l->mute_all.undo = m->toast_group == e->group && strstr(m->toast, " - u undoes") != NULL;
    l->mute_all.left_out = false;
    snprintf(l->mute_all.text, sizeof l->mute_all.text, "%s", m->said);
    return true;
  }
  if (l->mute_all.due == US_NEVER || e->group != l->mute_all.group)
    return false;
  l->mute_all.left_out = l->mute_all.left_out || (e->kind == ROOM_EV_EXEMPT && e->num != 0);
  return e->kind == ROOM_EV_EXEMPT || e->kind == ROOM_EV_MUTED;
}

static void mute_all_flush(struct line *l) {
  char people[SAY_MAX] = "", clock[8];
  const struct room *r = &l->m->room;
  size_t n = 0;
  uint32_t out[4];
  if (l->mute_all.due == US_NEVER)
    return;
  for (size_t i = 0; l->mute_all.left_out && i < r->n_members; i++) /* the replica knows who they are now */
    if (r->members[i].exempt && n++ < 4)
      out[n - 1] = r->members[i].id;
  if (n > 4)
    snprintf(people, sizeof people, "%zu people", n);
  else if (n > 0)
    say_people(r, l->m->me, out, n, false, people, sizeof people);
  model_clock(l->m, l->mute_all.ts_ms, clock);
  line_sayf(l, "%s%s%s%s%s %s", l->mute_all.text, people[0] != '\0' ? " Left out: " : "", people,
            people[0] != '\0' ? "." : "", l->mute_all.undo ? " /undo takes it back." : "", clock);
  l->mute_all.due = US_NEVER;
}

/* ---- countdowns ---- */

static const char *const COUNTS[] = {"The room ends", "Everyone comes back from the side rooms",
                                     "Your talk time ends"};

static int64_t ends_at(const struct model *m, size_t which) {
  const struct room *r = &m->room;
  const struct member *self = model_self(m);
  bool timed = self != NULL && self->floor_ms != 0 && r->talk_s > 0 && !self->time_up;
  if (!m->have_room || m->state != CLIENT_JOINED)
    return 0;
  return which == 0 ? r->ends_ms : which == 1 ? r->recall_ms : timed ? self->floor_ms + r->talk_s * 1000 : 0;
}

static int64_t mark_ms(const struct line_countdown *c) {
  return c->at_ms - MARKS_S[c->marks] * INT64_C(1000);
}

static void countdown_tick(struct line *l, size_t which, us_t now) {
  struct line_countdown *c = &l->countdown[which];
  int64_t at_ms = ends_at(l->m, which), wall_ms = model_wall(l->m, now);
  char span[24];
  if (at_ms != c->at_ms) {
    *c = (struct line_countdown){.at_ms = at_ms};
    while (at_ms != 0 && c->marks < MARKS && mark_ms(c) < wall_ms + SLACK_MS)
      c->marks++;
  }
  if (at_ms == 0 || c->marks == MARKS || mark_ms(c) > wall_ms)
    return;
  say_duration(MARKS_S[c->marks], span);
  c->marks++;
  line_sayf(l, "%s in %s.", COUNTS[which], c->marks == 1 ? "1 minute" : span);
}

/* ---- the place in the lobby ---- */

static void place_tick(struct line *l, us_t now) {
  const struct model *m = l->m;
  if (m->state != CLIENT_LOBBY) {
    l->place.said = 0;
    l->place.due = US_NEVER;
    return;
  }
  if (m->place == l->place.said || m->place == 0)
    return;
  if (l->place.said != 0 && now < l->place.again) {
    l->place.due = l->place.again;
    return;
  }
  if (l->place.said == 0)
    line_sayf(l, "You are in the lobby, number %u of %u. A host has been told.", m->place, m->waiting);
  else
    line_sayf(l, "You are number %u of %u in the lobby now.", m->place, m->waiting);
  l->place.said = m->place;
  l->place.again = now + LINE_CROWD_US;
  l->place.due = US_NEVER;
}

/* ---- all of it ---- */

bool line_crowd_event(struct line *l, const struct line_news *e, us_t now) {
  enum line_move move;
  if (l->mute_all.due != US_NEVER && e->group != l->mute_all.group)
    mute_all_flush(l);
  if (mute_all_add(l, e, now))
    return true;
  if (e->kind == ROOM_EV_KNOCKED) {
    knock_add(l, e, now);
    return true;
  }
  if (!move_of(e, &move) || model_self(l->m) == NULL || e->first == l->m->me)
    return false; /* about oneself, or one is gone: nothing to count */
  move_add(l, e, move, now);
  return true;
}

void line_crowd_flush(struct line *l, bool all, us_t now) {
  mute_all_flush(l);
  if (here(l) <= LINE_CROWD || (all && l->moves.admitted > 0))
    moves_flush(l);
  if (all && now >= l->knocks.again)
    knocks_flush(l, now);
}

void line_crowd_tick(struct line *l, us_t now) {
  if (l->mute_all.due <= now)
    mute_all_flush(l);
  if (l->moves.due <= now)
    moves_flush(l);
  if (l->knocks.due <= now)
    knocks_flush(l, now);
  for (size_t i = 0; i < sizeof COUNTS / sizeof COUNTS[0]; i++)
    countdown_tick(l, i, now);
  place_tick(l, now);
}

us_t line_crowd_next(const struct line *l) {
  us_t next = l->moves.due;
  next = l->knocks.due < next ? l->knocks.due : next;
  next = l->mute_all.due < next ? l->mute_all.due : next;
  next = l->place.due < next ? l->place.due : next;
  for (size_t i = 0; i < sizeof COUNTS / sizeof COUNTS[0]; i++) {
    const struct line_countdown *c = &l->countdown[i];
    if (c->at_ms == 0 || c->marks == MARKS)
      continue;
    us_t at = (mark_ms(c) - l->m->wall_ms_at_0) * US_PER_MS;
    next = at < next ? at : next;
  }
  return next;
}
