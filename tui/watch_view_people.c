/* One room from inside: its people, and all that is known of one. */
#include "tui/watch_view.h"

#include "tui/meter.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MARK_COLS 2
#define LEVEL_CELLS 8
#define CARD_COLS 38
#define NAME_COLS 11

static void columns_of(int width, struct watch_column out[WATCH_COLUMNS_MAX]) {
  for (int f = 0; f < WATCH_P__COUNT; f++) {
    const struct watch_person_info *info = watch_person_info((enum watch_person_field)f);
    bool figure =
        f == WATCH_P_LOSS || f == WATCH_P_JITTER || f == WATCH_P_MOS || f == WATCH_P_RTT || f == WATCH_P_AGE;
    out[f] =
        (struct watch_column){.title = info->title, .cols = info->cols, .rank = info->rank, .left = !figure};
  }
  watch_columns_fit(out, WATCH_P__COUNT, width);
}

static enum style style_of(const struct watch_person *p, enum watch_person_field f) {
  if (f == WATCH_P_STATE)
    return strcmp(p->presence, "waiting") == 0 ? STYLE_WAITING
           : strcmp(p->presence, "here") != 0  ? STYLE_AWAY
           : p->talking                        ? STYLE_TALKING
           : p->muted                          ? STYLE_MUTED
                                               : STYLE_NORMAL;
  if (f == WATCH_P_ROLE && (strcmp(p->role, "owner") == 0 || strcmp(p->role, "host") == 0))
    return STYLE_HOST;
  return watch_bad_style(watch_person_bad(p, f));
}

static void person_row(const struct watch_scene *v, const struct watch_column *columns,
                       const struct watch_person *p, struct rect r) {
  char text[128];
  bool selected = p->id == v->u->in.selected;
  canvas_put(v->c, 0, r.y, 1, STYLE_FOCUS, selected ? ">" : " ");
  canvas_put(v->c, 1, r.y, 1, STYLE_TALKING, p->talking ? "*" : " ");
  for (int f = 0; f < WATCH_P__COUNT; f++) {
    if (columns[f].w == 0)
      continue;
    if (f == WATCH_P_LEVEL && v->pace->meters == PACE_METERS_ALL && p->level < 127) {
      meter_draw(v->c, r.x + columns[f].x, r.y, LEVEL_CELLS, -(float)p->level);
      continue;
    }
    watch_person_show(p, (enum watch_person_field)f, text);
    if (watch_person_bad(p, (enum watch_person_field)f) >= 2)
      (void)text_append(text, sizeof text, "!");
    watch_cell(v, &columns[f], r, style_of(p, (enum watch_person_field)f), text);
  }
  if (!selected)
    return;
  canvas_style(v->c, (struct rect){0, r.y, v->c->w, 1}, STYLE_SELECTED);
  v->c->cursor_x = 0;
  v->c->cursor_y = r.y;
  v->c->cursor_shown = v->u->asks == WATCH_ASKS_NOTHING;
}

void watch_view_people(const struct watch_scene *v, struct rect r) {
  const struct watch_inside *in = &v->u->in;
  struct watch_column columns[WATCH_COLUMNS_MAX];
  struct rect row = {r.x + MARK_COLS, r.y, r.w - MARK_COLS, 1};
  columns_of(row.w, columns);
  watch_columns_head(v, columns, WATCH_P__COUNT, row, in->sort, in->reverse);
  if (!in->selected && v->u->asks == WATCH_ASKS_NOTHING) {
    v->c->cursor_y = r.y;
    v->c->cursor_x = 0;
    v->c->cursor_shown = true;
  }
  if (in->fed && in->n == 0)
    canvas_put(v->c, row.x, r.y + 1, row.w, STYLE_DIM, "Nobody is here.");
  for (size_t i = 0; i + 1 < (size_t)r.h && in->top + i < in->n; i++) {
    row.y = r.y + 1 + (int)i;
    person_row(v, columns, &in->people[in->top + i], row);
  }
}

/* ---- the card ---- */

struct card { /* facts downwards, then in the next column */
  const struct watch_scene *v;
  struct rect r;
  int at;
};

static void fact(struct card *c, const char *name, enum style s, const char *value) {
  int across = c->r.w / CARD_COLS > 0 ? c->r.w / CARD_COLS : 1;
  int x = c->r.x + 1 + c->at / c->r.h * CARD_COLS, y = c->r.y + c->at % c->r.h;
  int cols = across > 1 ? CARD_COLS - 2 : c->r.w - 1;
  if (value[0] == '\0' || c->at >= across * c->r.h)
    return;
  canvas_put(c->v->c, x, y, NAME_COLS - 1, STYLE_DIM, name);
  canvas_put(c->v->c, x + NAME_COLS, y, cols - NAME_COLS, s, value);
  c->at++;
}

static void pair(struct card *c, const char *name, const char *unit, uint32_t up, uint32_t down,
                 unsigned bad) {
  char text[80];
  snprintf(text, sizeof text, "%" PRIu32 "%s up, %" PRIu32 "%s down%s", up, unit, down, unit,
           bad >= 2 ? " !" : "");
  fact(c, name, watch_bad_style(bad), text);
}

static void tenths(uint32_t n, char out[8]) {
  if (n)
    snprintf(out, 8, "%u.%u", (unsigned)(n / 10 % 10), (unsigned)(n % 10));
  else
    snprintf(out, 8, "-");
}

static void line_facts(struct card *c, const struct watch_person *p) {
  char text[120], up[8], down[8], age[16];
  pair(c, "loss", "%", p->loss_up, p->loss_down, watch_person_bad(p, WATCH_P_LOSS));
  tenths(p->mos_up_tenths, up);
  tenths(p->mos_down_tenths, down);
  snprintf(text, sizeof text, "%s up, %s down%s", up, down,
           watch_person_bad(p, WATCH_P_MOS) >= 2 ? " !" : "");
  fact(c, "MOS", watch_bad_style(watch_person_bad(p, WATCH_P_MOS)), text);
  snprintf(text, sizeof text, "%s, copies %" PRIu32 "%s%s", p->tier, p->copies, p->via[0] ? ", by " : "",
           p->via);
  fact(c, "gets", STYLE_NORMAL, text);
  pair(c, "made up", "%", p->concealed_up, p->concealed_down, 0);
  snprintf(text, sizeof text, "jitter %" PRIu32 " trip %" PRIu32 " held %" PRIu32, p->jitter_ms, p->rtt_ms,
           p->buffer_ms);
  fact(c, "ms", watch_bad_style(watch_person_bad(p, WATCH_P_JITTER)), text);
  pair(c, "kb/s", "", p->kbps_up, p->kbps_down, 0);
  pair(c, "bursts", " ms", p->burst_up_ms, p->burst_down_ms, 0);
  snprintf(text, sizeof text, "%" PRIu32 " ms", p->join_ms);
  fact(c, "joined in", STYLE_NORMAL, text);
  watch_spell(p->age_s, age);
  snprintf(text, sizeof text, "%s ago", age);
  fact(c, "reported", STYLE_NORMAL, text);
}

void watch_view_card(const struct watch_scene *v, struct rect r) {
  const struct watch_person *p = watch_inside_person(&v->u->in);
  struct card c = {v, {r.x, r.y + 1, r.w, r.h - 1}, 0};
  char text[160], spelt[16];
  canvas_fill(v->c, (struct rect){r.x, r.y, r.w, 1}, STYLE_STATUS, " ");
  canvas_put(v->c, r.x + 1, r.y, r.w - 1, STYLE_TITLE, p ? p->name : "This person has left.");
  v->c->cursor_x = r.x + 1;
  v->c->cursor_y = r.y;
  v->c->cursor_shown = v->u->asks == WATCH_ASKS_NOTHING;
  if (!p || c.r.h < 1)
    return;
  int64_t now_ms = watch_model_now_ms(v->u->m, v->now);
  watch_spell(now_ms > p->since_ms && p->since_ms ? (now_ms - p->since_ms) / 1000 : 0, spelt);
  watch_person_show(p, WATCH_P_STATE, text);
  fact(&c, "state", style_of(p, WATCH_P_STATE), text);
  snprintf(text, sizeof text, "%s%s, %s here", p->role, p->floor ? "" : ", no floor", spelt);
  fact(&c, "role", STYLE_NORMAL, text);
  if (p->has_line)
    line_facts(&c, p);
  else
    fact(&c, "line", STYLE_DIM, "nothing reported yet");
  watch_person_show(p, WATCH_P_LEVEL, text);
  fact(&c, "level", STYLE_NORMAL, text);
  fact(&c, "client", STYLE_NORMAL, p->client);
  fact(&c, "account", STYLE_NORMAL, p->user[0] ? p->user : "a guest");
  snprintf(text, sizeof text, "%" PRIu32, p->hand);
  fact(&c, "hand", STYLE_HAND, p->hand ? text : "");
  snprintf(text, sizeof text, "%" PRIu32, p->side);
  fact(&c, "side room", STYLE_NORMAL, p->side ? text : "");
}
