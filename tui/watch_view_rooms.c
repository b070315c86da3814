/* The header, the table of rooms, and the list of keys. */
#include "tui/watch_view.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MARK_COLS 2 /* > selected, ! with an alert */
#define SPARK_CELLS 8
#define LOSS_FULL 20 /* percent that fill a sparkline's bar */

/* ---- header ---- */

static void count(struct watch_pen *p, uint32_t n, const char *one, const char *many, enum style s) {
  char text[48];
  snprintf(text, sizeof text, "%" PRIu32 " %s", n, n == 1 ? one : many);
  if (watch_pen_put(p, s, text))
    p->x += 2;
}

static void rate(char out[24], uint32_t n) {
  if (n < 10000)
    snprintf(out, 24, "%" PRIu32, n);
  else
    snprintf(out, 24, "%" PRIu32 ".%" PRIu32 "k", n / 1000, n / 100 % 10);
}

static void server_row(const struct watch_scene *v, struct rect r) {
  const struct watch_model *m = v->u->m;
  const struct watch_server *s = &m->server;
  struct watch_pen p = {v->c, r.x + 1, r.y, r.x + r.w};
  char text[160], spelt[16];
  canvas_fill(v->c, r, STYLE_TITLE, " ");
  if (!m->fed) {
    watch_pen_put(&p, STYLE_TITLE, "gavel watch: waiting for the server");
    return;
  }
  if (r.w >= 60) {
    watch_pen_put(&p, STYLE_TITLE, s->name);
    p.x += 2;
  }
  if (s->state[0]) {
    snprintf(text, sizeof text, "%.*s", r.w / 2, s->state);
    watch_pen_put(&p, STYLE_DANGER, text);
    p.x += 2;
  }
  count(&p, s->rooms, "room", "rooms", STYLE_NORMAL);
  count(&p, s->people, r.w < 60 ? "in" : "person", r.w < 60 ? "in" : "people", STYLE_NORMAL);
  count(&p, s->waiting, r.w < 60 ? "wait" : "waits", "wait", s->waiting ? STYLE_WAITING : STYLE_NORMAL);
  count(&p, (uint32_t)m->alerting, "alert", "alerts", m->alerting ? STYLE_DANGER : STYLE_NORMAL);
  if (s->listeners)
    count(&p, s->listeners, "listener", "listeners", STYLE_ON_AIR);
  watch_spell(s->uptime_s, spelt);
  snprintf(text, sizeof text, "up %s  gaveld %s", spelt, s->version);
  if (v->pace->clock)
    watch_pen_put(&p, STYLE_DIM, text);
}

/* load_row: the server's CPU, each media thread, packets. */
static void load_row(const struct watch_scene *v, struct rect r) {
  const struct watch_server *s = &v->u->m->server;
  char text[80], in[24], out[24];
  bool bars = v->pace->meters != PACE_METERS_NONE;
  int w = r.w >= 100 ? 16 : 12;
  struct watch_pen p = {v->c, r.x + 1, r.y, r.x + r.w};
  for (size_t i = 0; i <= s->n_load && v->u->m->fed; i++) {
    unsigned permille = i == 0 ? s->cpu_permille : s->load_permille[i - 1];
    if (i == 0)
      snprintf(text, sizeof text, "cpu");
    else
      snprintf(text, sizeof text, "%zu", i - 1);
    if (p.x + (int)strlen(text) + w > p.right - 26)
      break;
    watch_pen_put(&p, STYLE_DIM, text);
    if (bars)
      watch_meter(v, p.x, r.y, w, permille);
    else {
      snprintf(text, sizeof text, " %u%%", permille / 10);
      canvas_put(v->c, p.x, r.y, w, STYLE_NORMAL, text);
    }
    p.x += w + 1;
  }
  rate(in, s->packets_in_s);
  rate(out, s->packets_out_s);
  snprintf(text, sizeof text, "packets/s %s in %s out", in, out);
  p.x = r.x + r.w - 1 - (int)strlen(text);
  if (v->u->m->fed)
    watch_pen_put(&p, STYLE_NORMAL, text);
}

/* inside_rows: the room that is looked into. */
static void inside_rows(const struct watch_scene *v, struct rect r) {
  const struct watch_inside *in = &v->u->in;
  const struct watch_row *row = &in->row;
  struct watch_pen p = {v->c, r.x + 1, r.y, r.x + r.w};
  char text[200], tiers[8];
  canvas_put(v->c, p.x, r.y, r.w - 1, STYLE_TITLE, in->room);
  p.x += (int)text_width(in->room) + 2;
  if (!in->fed) {
    watch_pen_put(&p, STYLE_DIM, "asking");
    return;
  }
  count(&p, row->people, "inside", "inside", STYLE_NORMAL);
  count(&p, row->waiting, "waits", "wait", row->waiting ? STYLE_WAITING : STYLE_NORMAL);
  count(&p, row->hosts, "host", "hosts", row->hosts || !row->people ? STYLE_NORMAL : STYLE_WARN);
  if (row->locked && watch_pen_put(&p, STYLE_WARN, "LOCKED"))
    p.x += 2;
  for (size_t i = 0; i < in->n_listeners; i++) {
    snprintf(text, sizeof text, "%.40s: %.60s (%.40s)", in->listeners[i].mode, in->listeners[i].operator_name,
             in->listeners[i].ticket);
    if (watch_pen_put(&p, STYLE_ON_AIR, text))
      p.x += 2;
  }
  p = (struct watch_pen){v->c, r.x + 1, r.y + 1, r.x + r.w};
  watch_tier_mix(row, 6, tiers);
  snprintf(text, sizeof text,
           "loss %" PRIu32 "%% up %" PRIu32 "%% down  jitter %" PRIu32 " ms  round trip %" PRIu32 " ms",
           row->loss_up.worst, row->loss_down.worst, row->jitter_ms.worst, row->rtt_ms.worst);
  if (r.h > 1 && row->lines > 0 && watch_pen_put(&p, STYLE_NORMAL, text))
    p.x += 2;
  for (size_t i = 0; r.h > 1 && i < WATCH_VIAS; i++)
    if (row->via[i] > 0)
      count(&p, row->via[i], watch_via_name(i), watch_via_name(i), STYLE_DIM);
}

void watch_view_header(const struct watch_scene *v, struct rect r) {
  if (v->u->page != WATCH_PAGE_ROOMS) {
    inside_rows(v, r);
    return;
  }
  server_row(v, (struct rect){r.x, r.y, r.w, 1});
  if (r.h > 1)
    load_row(v, (struct rect){r.x, r.y + 1, r.w, 1});
}

/* ---- rooms ---- */

static size_t columns_of(const struct watch_scene *v, int width, struct watch_column out[WATCH_COLUMNS_MAX]) {
  for (int f = 0; f < WATCH_FIELD__COUNT; f++) {
    const struct watch_field_info *info = watch_field_info((enum watch_field)f);
    bool spark = f == WATCH_F_PAST || f == WATCH_F_LOSS_PAST;
    out[f] = (struct watch_column){.title = info->title,
                                   .cols = info->cols,
                                   .rank = spark && v->pace->meters == PACE_METERS_NONE ? 0 : info->rank,
                                   .left = info->kind == WATCH_KIND_TEXT || f == WATCH_F_ALERTS ||
                                           f == WATCH_F_TIERS || spark};
  }
  watch_columns_fit(out, WATCH_FIELD__COUNT, width);
  return WATCH_FIELD__COUNT;
}

/* tiers: letters, those of the thin tiers stand out. */
static void tiers(const struct watch_scene *v, int x, int y, const struct watch_row *r, int cells) {
  char mix[WATCH_CELL_MAX];
  watch_tier_mix(r, (size_t)cells, mix);
  for (int i = 0; i < cells; i++) {
    char one[2] = {mix[i], '\0'};
    canvas_put(v->c, x + i, y, 1,
               mix[i] == ' '   ? STYLE_NORMAL
               : mix[i] == 'F' ? STYLE_METER_LOW
               : mix[i] == 'P' ? STYLE_METER_MID
                               : STYLE_METER_HIGH,
               one);
  }
}

static enum style style_of(const struct watch_row *r, enum watch_field f, unsigned bad) {
  if (f == WATCH_F_WAITING && bad == 1)
    return STYLE_WAITING;
  if (f == WATCH_F_TALKERS && r->talkers > 0)
    return STYLE_TALKING;
  return f == WATCH_F_APP || f == WATCH_F_REGION ? STYLE_DIM : watch_bad_style(bad);
}

static void cell(const struct watch_scene *v, const struct watch_column *col, enum watch_field f,
                 const struct watch_room *room, struct rect r) {
  char text[WATCH_CELL_MAX];
  int64_t now_ms = watch_model_now_ms(v->u->m, v->now);
  if (f == WATCH_F_PAST || f == WATCH_F_LOSS_PAST) {
    watch_spark(v, r.x + col->x, r.y, SPARK_CELLS, f == WATCH_F_PAST ? &room->people : &room->loss,
                f == WATCH_F_PAST ? 0 : LOSS_FULL);
    return;
  }
  if (f == WATCH_F_TIERS) {
    tiers(v, r.x + col->x, r.y, &room->row, col->w);
    return;
  }
  unsigned bad = watch_field_bad(&room->row, f, now_ms);
  watch_field_show(&room->row, f, now_ms, text);
  if (bad >= 2 && f != WATCH_F_ALERTS)
    (void)text_append(text, sizeof text, "!");
  watch_cell(v, col, r, style_of(&room->row, f, bad), text);
}

static void room_row(const struct watch_scene *v, const struct watch_column *columns, size_t n,
                     const struct watch_room *room, struct rect r) {
  bool selected = room == v->u->m->selected;
  canvas_put(v->c, 0, r.y, 1, STYLE_FOCUS, selected ? ">" : " ");
  canvas_put(v->c, 1, r.y, 1, STYLE_DANGER, room->row.alerts ? "!" : " ");
  for (size_t f = 0; f < n; f++)
    if (columns[f].w > 0)
      cell(v, &columns[f], (enum watch_field)f, room, r);
  if (!selected)
    return;
  canvas_style(v->c, (struct rect){0, r.y, v->c->w, 1}, STYLE_SELECTED);
  v->c->cursor_x = 0;
  v->c->cursor_y = r.y;
  v->c->cursor_shown = v->u->asks == WATCH_ASKS_NOTHING;
}

static void nothing(const struct watch_scene *v, struct rect r) {
  const struct watch_model *m = v->u->m;
  canvas_put(v->c, r.x + MARK_COLS, r.y, r.w - MARK_COLS, STYLE_DIM,
             !m->fed       ? ""
             : m->filtered ? "No room meets the condition: / changes it, Esc forgets it."
                           : "There are no rooms.");
}

void watch_view_rooms(const struct watch_scene *v, struct rect r) {
  const struct watch_model *m = v->u->m;
  struct watch_column columns[WATCH_COLUMNS_MAX];
  size_t n = columns_of(v, r.w - MARK_COLS, columns);
  struct rect row = {r.x + MARK_COLS, r.y, r.w - MARK_COLS, 1};
  bool asking = v->u->asks != WATCH_ASKS_NOTHING;
  watch_columns_head(v, columns, n, row, m->sort, m->reverse);
  if (!m->selected && !asking) {
    v->c->cursor_y = r.y;
    v->c->cursor_x = 0;
    v->c->cursor_shown = true;
  }
  if (m->n_shown == 0)
    nothing(v, (struct rect){r.x, r.y + 1, r.w, 1});
  for (size_t i = 0; i + 1 < (size_t)r.h && m->top + i < m->n_shown; i++) {
    row.y = r.y + 1 + (int)i;
    room_row(v, columns, n, m->shown[m->top + i], row);
  }
}

/* ---- help ---- */

void watch_view_help(const struct watch_scene *v, struct rect r) {
  char lines[WATCH_KEY__COUNT + WATCH_FIELD__ALL + 4][200];
  size_t n = 0, rows = r.h > 1 ? (size_t)r.h - 1 : 0;
  int wide = r.w >= 60 ? 12 : 7;
  for (int i = 0; i < WATCH_KEY__COUNT; i++)
    snprintf(lines[n++], 200, "%-*s %s", wide, WATCH_KEYS[i].keys, WATCH_KEYS[i].help);
  snprintf(lines[n++], 200, "%s", "");
  snprintf(lines[n++], 200, "Conditions: loss>5 waiting>0 app=acme mos<3.6 time>2h alerts=lobby standup");
  snprintf(lines[n++], 200, "%s", "");
  for (int f = 0; f < WATCH_FIELD__COUNT; f++)
    if (f != WATCH_F_PAST && f != WATCH_F_LOSS_PAST)
      snprintf(lines[n++], 200, "%-*s %s", wide, watch_field_info((enum watch_field)f)->word,
               watch_field_info((enum watch_field)f)->help);
  size_t most = n > rows ? n - rows : 0, top = v->u->help_row < most ? v->u->help_row : most;
  canvas_fill(v->c, (struct rect){r.x, r.y, r.w, 1}, STYLE_STATUS, " ");
  canvas_put(v->c, r.x + 1, r.y, r.w - 1, STYLE_TITLE, "gavel watch: keys, and fields of conditions");
  for (size_t i = 0; i < rows && top + i < n; i++)
    canvas_put(v->c, r.x + 1, r.y + 1 + (int)i, r.w - 1, STYLE_NORMAL, lines[top + i]);
  v->c->cursor_x = r.x + 1;
  v->c->cursor_y = r.y + 1;
  v->c->cursor_shown = true;
}
