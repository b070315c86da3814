/* The card of one person, and what is set in the room: pairs of a name and a value, then lines. */
#include "tui/bandwidth.h"
#include "tui/view.h"

#include <stdio.h>
#include <string.h>

#define NAME_COLS 11

struct sheet { /* rows downwards; the first `skip` are scrolled away */
  const struct scene *v;
  struct rect r;
  int y;
};

static void put_row(struct sheet *s, int x, enum style style, const char *text) {
  if (s->y >= 0 && s->y < s->r.h)
    canvas_put(s->v->c, s->r.x + x, s->r.y + s->y, s->r.w - x, style, text);
}

/* lines: text wrapped from column x on. */
static void lines(struct sheet *s, int x, enum style style, const char *text) {
  size_t next;
  char row[SAY_MAX];
  int cols = s->r.w - x > 1 ? s->r.w - x : 1;
  for (const char *p = text; *p != '\0'; p += next, s->y++) {
    snprintf(row, sizeof row, "%.*s", (int)view_wrap(p, (size_t)cols, &next), p);
    put_row(s, x, style, row);
  }
}

static void fact(struct sheet *s, const char *name, enum style style, const char *value) {
  if (value[0] == '\0')
    return;
  put_row(s, 0, STYLE_DIM, name);
  lines(s, s->r.w > 2 * NAME_COLS ? NAME_COLS : (int)text_width(name) + 1, style, value);
}

/* ---- a person ---- */

static void voice_words(const struct scene *v, const struct member *p, char out[SAY_MAX]) {
  const struct model *m = v->m;
  char left[VIEW_TIME_MAX] = "";
  size_t n, place = 0;
  const uint32_t *hands = model_hands(m, &n);
  while (place < n && hands[place] != p->id)
    place++;
  bool timed = view_floor_left(v, p, left);
  int len = snprintf(out, SAY_MAX, "%s%s",
                     p->silenced != 0                   ? "silenced by a host"
                     : p->muted && p->muted_by == p->id ? "muted by own choice"
                     : p->muted && view_is_held(m, p)   ? "muted by a host, held"
                     : p->muted                         ? "muted by a host"
                     : p->presence == PRESENCE_WAITING  ? "not inside yet"
                     : !p->floor                        ? "no floor"
                     : !p->audio                        ? "no sound path"
                                                        : "may speak",
                     timed ? ", floor " : "");
  len +=
      snprintf(out + len, SAY_MAX - (size_t)len, "%s%s", left,
               p->muted && !p->floor && p->silenced == 0 && p->presence == PRESENCE_HERE ? ", no floor" : "");
  if (p->hand != 0)
    len += snprintf(out + len, SAY_MAX - (size_t)len, ", hand %zu", place + 1);
  if (p->priority)
    len += snprintf(out + len, SAY_MAX - (size_t)len, ", priority");
  if (p->gain_db != 0)
    snprintf(out + len, SAY_MAX - (size_t)len, ", %+d dB", p->gain_db);
}

static void notes_of(struct sheet *s, uint32_t id) {
  const struct room *room = &s->v->m->room;
  char text[SAY_MAX];
  for (size_t i = 0; i < room->n_notes; i++) {
    const struct note *note = &room->notes[i];
    if (note->about != id)
      continue;
    snprintf(text, sizeof text, "%.300s (%s)", note->text, note->name);
    fact(s, "note", STYLE_NOTICE, text);
  }
}

static void deeds_of(struct sheet *s, uint32_t id) {
  const struct model *m = s->v->m;
  char clock[8];
  const struct model_deed *d;
  for (size_t i = 0; i < 8 && (d = model_deed(m, id, i)) != NULL; i++) {
    model_clock(m, d->ts_ms, clock);
    put_row(s, 0, STYLE_DIM, clock);
    lines(s, 6, d->style, d->text);
  }
}

static void mos_words(uint16_t to, uint16_t from, char out[48]) {
  char a[8] = "-", b[8] = "-";
  if (to != 0)
    snprintf(a, sizeof a, "%u.%u", to / 10u % 10, to % 10u);
  if (from != 0)
    snprintf(b, sizeof b, "%u.%u", from / 10u % 10, from % 10u);
  snprintf(out, 48, "%s to, %s from", a, b);
}

/* line_of: what the server knows of his line, for who moderates: to and from this person. */
static void line_of(struct sheet *s, const struct client_other *o) {
  char text[BANDWIDTH_WORDS];
  bool bad = o->concealed_down_pct > 5 || o->concealed_up_pct > 5;
  fact(s, "way", STYLE_NORMAL, bandwidth_way(o->via));
  bandwidth_gets(o->tier, 0, o->copies, o->kbps_down, text);
  fact(s, "gets", STYLE_NORMAL, text);
  snprintf(text, sizeof text, "%u%% to, %u%% from", o->loss_down_pct, o->loss_up_pct);
  fact(s, "loss", o->loss_down_pct > 5 || o->loss_up_pct > 5 ? STYLE_WARN : STYLE_NORMAL, text);
  snprintf(text, sizeof text, "%u%% to, %u%% from", o->concealed_down_pct, o->concealed_up_pct);
  fact(s, "made up", bad ? STYLE_WARN : STYLE_NORMAL, text);
  mos_words(o->mos_down, o->mos_up, text);
  fact(s, "MOS", STYLE_NORMAL, o->mos_down != 0 || o->mos_up != 0 ? text : "");
  bandwidth_delay(o->rtt_ms, o->jitter_ms, o->buffer_ms, text);
  fact(s, "delay", STYLE_NORMAL, text);
}

static void link_facts(struct sheet *s) {
  const struct client_link *l = &s->v->m->link;
  struct bandwidth_fact v[BANDWIDTH_FACTS];
  size_t n = bandwidth_facts(l, v);
  if (s->v->m->no_audio) {
    fact(s, "sound", STYLE_NORMAL, "none: moderating only");
    return;
  }
  fact(s, "sound", l->connected ? STYLE_OK : STYLE_WARN, l->connected ? "connected" : "not connected");
  for (size_t i = 0; i < n; i++)
    fact(s, v[i].name, v[i].warn ? STYLE_WARN : STYLE_NORMAL, v[i].text);
  fact(s, "sealed", STYLE_NORMAL, l->profile != NULL ? l->profile : "");
}

static void person(struct sheet *s, const struct member *p) {
  static const char *const LINE[] = {"good", "weak", "bad"};
  const struct model *m = s->v->m;
  char text[SAY_MAX], clock[8], talked[VIEW_TIME_MAX];
  snprintf(text, sizeof text, "%s%s #%u", p->name, p->id == m->me ? " (you)" : "", p->id);
  lines(s, 0, STYLE_TITLE, text);
  snprintf(text, sizeof text, "%s%s", role_name(p->role), p->exempt ? ", may unmute" : "");
  fact(s, "role", STYLE_NORMAL, text);
  voice_words(s->v, p, text);
  fact(s, "voice", p->muted || p->silenced != 0 ? STYLE_MUTED : STYLE_NORMAL, text);
  snprintf(text, sizeof text, "%u", p->side);
  fact(s, "side room", STYLE_NORMAL, p->side != 0 ? text : "");
  model_clock(m, p->since_ms, clock);
  snprintf(text, sizeof text, "%s%s", clock,
           p->presence == PRESENCE_AWAY || p->dropped_ms != 0 ? ", connection lost" : "");
  fact(s, "since", STYLE_NORMAL, text);
  view_spell(model_talked(m, p->id) / US_PER_S, talked);
  fact(s, "talked", STYLE_NORMAL, p->presence == PRESENCE_WAITING ? "" : talked);
  fact(s, "line", model_quality(m, p->id) > 0 ? STYLE_WARN : STYLE_NORMAL,
       p->presence == PRESENCE_WAITING ? "" : LINE[model_quality(m, p->id) % 3]);
  if (m->other.member == p->id)
    line_of(s, &m->other);
  fact(s, "client", STYLE_NORMAL, p->client);
  if (p->id == m->me)
    link_facts(s);
  notes_of(s, p->id);
  deeds_of(s, p->id);
}

/* ---- the room ---- */

static void on(struct sheet *s, const char *name, bool is, const char *value) {
  fact(s, name, STYLE_NORMAL, is ? value : "");
}

static void number(struct sheet *s, const char *name, int64_t n, const char *unit) {
  char text[48];
  snprintf(text, sizeof text, "%lld%s", (long long)n, unit);
  fact(s, name, STYLE_NORMAL, n != 0 ? text : "");
}

static void room_facts(struct sheet *s) {
  static const char *const CHAT[] = {"off", "to all only", "private only", "open"};
  static const char *const GONE[] = {"the room goes on", "newcomers wait", "it ends"};
  const struct room *room = &s->v->m->room;
  char text[SAY_MAX];
  snprintf(text, sizeof text, "LOCKED%s%.200s", room->lock_text[0] != '\0' ? ": " : "", room->lock_text);
  fact(s, "door", room->locked ? STYLE_WARN : STYLE_NORMAL,
       room->locked  ? text
       : room->lobby ? "lobby"
                     : "open");
  on(s, "password", room->has_password, "asked of newcomers");
  fact(s, "mute-all", STYLE_NORMAL, !room->mute_all ? "off" : room->mute_hold ? "held" : "on");
  on(s, "entry", room->mute_entry, "muted");
  on(s, "floor", room->one_speaker, "one speaker at a time");
  number(s, "talk time", room->talk_s, room->talk_take ? " s, then taken" : " s");
  fact(s, "chat", STYLE_NORMAL, CHAT[room->chat_mode % 4]);
  number(s, "slow mode", room->slow_s, " s");
  on(s, "links", room->no_links, "off");
  number(s, "people", room->max_people, " at most");
  number(s, "speakers", room->max_speakers, " at most");
  number(s, "side rooms", room->sides, "");
  fact(s, "no host", STYLE_NORMAL, GONE[room->policy % 3]);
}

void view_card(const struct scene *v, struct rect r) {
  const struct model *m = v->m;
  const struct member *at = room_member(&m->room, m->cursor);
  bool focused = m->pane == PANE_CARD;
  struct sheet s = {v, r, focused ? -(int)m->scroll : 0};
  if (r.h <= 0 || r.w <= 0)
    return;
  if (at != NULL)
    person(&s, at);
  else
    lines(&s, 0, STYLE_DIM, "Nobody is selected. The room:");
  if (at == NULL || focused || s.y + 8 < r.h) {
    s.y += at != NULL;
    room_facts(&s);
    s.y++;
    if (at == NULL || at->id != m->me) {
      lines(&s, 0, STYLE_DIM, "Your own line:");
      link_facts(&s);
    }
  }
  if (focused && m->mode == MODE_KEYS) {
    v->c->cursor_x = r.x;
    v->c->cursor_y = r.y;
    v->c->cursor_shown = true;
  }
}
