#include "tui/watch_model.h"

#include "core/base/bytes.h"
#include "core/base/map.h"
#include "tui/watch_cursor.h"

#include <stdlib.h>
#include <string.h>

struct watch_model *watch_model_create(uint64_t seed) {
  struct watch_model *m = calloc(1, sizeof *m);
  if (!m)
    return NULL;
  m->by_name = map_create(seed);
  m->sort = WATCH_F_ALERTS;
  m->sorted_at = -WATCH_SORT_US;
  return m;
}

void watch_model_destroy(struct watch_model *m) {
  if (!m)
    return;
  for (size_t i = 0; i < m->n; i++)
    free(m->all[i]);
  map_destroy(m->by_name);
  free(m->all);
  free(m->shown);
  free(m);
}

int64_t watch_model_now_ms(const struct watch_model *m, us_t now) {
  return m->server.now_ms + (now > m->fed_at ? (now - m->fed_at) / US_PER_MS : 0);
}

/* ---- the past ---- */

static void past_put(struct watch_past *p, us_t now, uint32_t figure) {
  int64_t step = now / WATCH_PAST_US;
  uint16_t old = p->v[p->step % WATCH_PAST];
  int64_t from = step - p->step >= WATCH_PAST ? step - WATCH_PAST + 1 : p->step + 1;
  for (int64_t s = from; s <= step; s++)
    p->v[s % WATCH_PAST] = old;
  p->step = step;
  p->v[step % WATCH_PAST] = (uint16_t)(figure < UINT16_MAX ? figure : UINT16_MAX);
}

uint16_t watch_past_at(const struct watch_past *p, us_t now, size_t back) {
  int64_t step = now / WATCH_PAST_US - (int64_t)back;
  if (step < 0 || p->step - step >= WATCH_PAST)
    return 0;
  return p->v[(step < p->step ? step : p->step) % WATCH_PAST];
}

/* ---- order ---- */

/* sort_key: larger is worse; what is not known comes last. */
static int64_t sort_key(const struct watch_model *m, const struct watch_row *r, int64_t now_ms) {
  int64_t v;
  if (!watch_field_value(r, m->sort, now_ms, &v))
    return INT64_MIN;
  if (m->sort == WATCH_F_ALERTS)
    return v * 10000000 + r->people; /* among equals the room that concerns more people */
  return m->sort == WATCH_F_MOS ? -v : v;
}

static int compare(const void *a, const void *b, void *ctx) {
  struct watch_model *m = ctx;
  const struct watch_room *x = *(struct watch_room *const *)a, *y = *(struct watch_room *const *)b;
  int way = m->reverse ? -1 : 1, c = 0;
  m->work.compared++;
  if (watch_field_info(m->sort)->kind == WATCH_KIND_TEXT)
    c = way * strcmp(watch_field_text(&x->row, m->sort), watch_field_text(&y->row, m->sort));
  else if ((x->key == INT64_MIN) != (y->key == INT64_MIN))
    c = x->key == INT64_MIN ? 1 : -1;
  else if (x->key != y->key)
    c = x->key > y->key ? -way : way;
  return c ? c : strcmp(x->row.room, y->row.room);
}

static void clamp_top(struct watch_model *m) {
  size_t most = m->n_shown > m->page ? m->n_shown - m->page : 0;
  m->top = m->top < most ? m->top : most;
}

/* find_selected: after the rows moved: the selected room stays in its line of the screen, the others are
 * sorted around it. */
static void find_selected(struct watch_model *m) {
  size_t line = m->at > m->top ? m->at - m->top : 0;
  for (size_t i = 0; m->selected && i < m->n_shown; i++)
    if (m->shown[i] == m->selected) {
      m->at = i;
      m->top = i > line ? i - line : 0;
      break;
    }
  clamp_top(m);
}

/* rebuild: what fits the filter, in order. */
static void rebuild(struct watch_model *m, us_t now) {
  int64_t now_ms = watch_model_now_ms(m, now);
  m->n_shown = 0;
  for (size_t i = 0; i < m->n; i++) {
    struct watch_room *r = m->all[i];
    r->fits = !m->filtered || watch_expr_room(&m->filter, &r->row, now_ms);
    r->key = sort_key(m, &r->row, now_ms);
    if (r->fits)
      m->shown[m->n_shown++] = r;
  }
  if (m->n_shown > 1)
    qsort_r(m->shown, m->n_shown, sizeof m->shown[0], compare, m);
  m->work.sorts++;
  m->stale = false;
  m->sorted_at = now;
  if (m->selected && !m->selected->fits)
    m->selected = NULL;
  find_selected(m);
}

bool watch_model_tick(struct watch_model *m, us_t now) {
  if (now < watch_model_next_tick(m))
    return false;
  rebuild(m, now);
  return true;
}

us_t watch_model_next_tick(const struct watch_model *m) {
  return m->stale ? m->sorted_at + WATCH_SORT_US : US_NEVER;
}

void watch_model_sort(struct watch_model *m, enum watch_field f, bool reverse, us_t now) {
  m->sort = f;
  m->reverse = reverse;
  rebuild(m, now);
}

enum err watch_model_filter(struct watch_model *m, const char *text, us_t now, struct watch_fault *fault) {
  struct watch_expr e;
  bool any = text[strspn(text, " \t")] != '\0';
  if (any && watch_expr_parse(text, false, &e, fault) != ERR_OK)
    return ERR_BAD_ARG;
  m->filtered = any;
  if (any)
    m->filter = e;
  memset(m->filter_text, 0, sizeof m->filter_text);
  if (any)
    memcpy(m->filter_text, text, strlen(text)); /* parsed: not longer than WATCH_EXPR_MAX */
  rebuild(m, now);
  return ERR_OK;
}

/* ---- the feed ---- */

static enum err add(struct watch_model *m, const struct watch_row *row, us_t now) {
  if (m->n == WATCH_ROOMS_MAX)
    return ERR_FULL;
  if (m->n == m->cap) {
    m->cap = m->cap ? m->cap * 2 : 256;
    m->all = realloc(m->all, m->cap * sizeof *m->all);
    m->shown = realloc(m->shown, m->cap * sizeof *m->shown);
  }
  struct watch_room *r = calloc(1, sizeof *r);
  if (!r || !m->all || !m->shown)
    abort();
  *r = (struct watch_room){.row = *row, .seen = true, .key = INT64_MIN};
  r->people.step = r->loss.step = now / WATCH_PAST_US;
  m->all[m->n++] = r;
  map_put_text(m->by_name, row->room, r);
  r->fits = !m->filtered || watch_expr_room(&m->filter, row, watch_model_now_ms(m, now));
  if (r->fits)
    m->shown[m->n_shown++] = r; /* at the end until the next sort */
  return ERR_OK;
}

static void past_of(struct watch_room *r, us_t now) {
  past_put(&r->people, now, r->row.people);
  past_put(&r->loss, now, r->row.lines ? watch_loss(&r->row) : 0);
}

static enum err take_row(struct watch_model *m, const json_t *o, us_t now) {
  struct watch_row row;
  enum err e = watch_row_read(o, &row);
  if (e != ERR_OK)
    return e;
  struct watch_room *r = map_get_text(m->by_name, row.room);
  int64_t now_ms = watch_model_now_ms(m, now);
  m->work.rows++;
  m->alerting += (row.alerts != 0) - (size_t)(r && r->row.alerts != 0);
  if (m->changed)
    m->changed(m->ctx, r ? &r->row : NULL, &row);
  if (!r) {
    m->stale = true;
    if ((e = add(m, &row, now)) == ERR_OK)
      past_of(m->all[m->n - 1], now);
    return e;
  }
  m->stale = m->stale || m->filtered || sort_key(m, &r->row, now_ms) != sort_key(m, &row, now_ms);
  r->row = row;
  r->seen = true;
  past_of(r, now);
  return ERR_OK;
}

static void mark_gone(struct watch_model *m, struct watch_room *r) {
  if (r->gone)
    return;
  r->gone = true;
  m->alerting -= r->row.alerts != 0;
  if (m->changed)
    m->changed(m->ctx, &r->row, NULL);
}

static bool take_gone(struct watch_model *m, const json_t *list, bool *any) {
  for (size_t i = 0; i < json_array_size(list); i++) {
    const char *name = json_string_value(json_array_get(list, i));
    if (!name)
      return false;
    struct watch_room *r = map_get_text(m->by_name, name);
    if (r)
      mark_gone(m, r);
    *any = *any || r;
  }
  return true;
}

/* sweep: rooms that are gone leave the list, whose order stays; then they are freed. */
static void sweep(struct watch_model *m) {
  size_t kept = 0;
  for (size_t i = 0; i < m->n_shown; i++)
    if (!m->shown[i]->gone)
      m->shown[kept++] = m->shown[i];
  m->n_shown = kept;
  if (m->selected && m->selected->gone)
    m->selected = NULL;
  for (size_t i = 0; i < m->n;) {
    struct watch_room *r = m->all[i];
    if (!r->gone) {
      i++;
      continue;
    }
    map_del_text(m->by_name, r->row.room);
    m->all[i] = m->all[--m->n];
    free(r);
  }
  m->at = m->at < m->n_shown || !m->n_shown ? m->at : m->n_shown - 1;
  find_selected(m);
}

/* unseen: of a whole list: what it did not name is gone. */
static bool unseen(struct watch_model *m) {
  bool any = false;
  for (size_t i = 0; i < m->n; i++) {
    if (!m->all[i]->seen)
      mark_gone(m, m->all[i]);
    any = any || m->all[i]->gone;
  }
  return any;
}

enum err watch_model_take(struct watch_model *m, const json_t *params, bool whole, us_t now) {
  struct watch_server server;
  const json_t *rooms = json_object_get(params, "rooms"), *gone = json_object_get(params, "gone");
  bool any_gone = false;
  enum err e = watch_server_read(json_object_get(params, "server"), &server);
  if (e != ERR_OK || !json_is_array(rooms) || (gone && !json_is_array(gone)))
    return ERR_PROTOCOL;
  m->server = server;
  m->fed_at = now;
  m->stale = m->stale || (m->filtered && watch_expr_of_times(&m->filter)); /* time passes for every room */
  for (size_t i = 0; whole && i < m->n; i++)
    m->all[i]->seen = false;
  for (size_t i = 0; e == ERR_OK && i < json_array_size(rooms); i++)
    e = take_row(m, json_array_get(rooms, i), now);
  if (e == ERR_OK && !take_gone(m, gone, &any_gone))
    e = ERR_PROTOCOL;
  if (e == ERR_OK && whole)
    any_gone = unseen(m) || any_gone;
  if (any_gone)
    sweep(m);
  if (e == ERR_OK && whole) {
    m->fed = true;
    rebuild(m, now);
  }
  return e;
}

/* ---- moving ---- */

static void select_at(struct watch_model *m, size_t at) {
  m->at = at;
  m->selected = at < m->n_shown ? m->shown[at] : NULL;
  m->top = watch_cursor_top(at, m->top, m->page);
  clamp_top(m);
}

void watch_model_page(struct watch_model *m, size_t rows) {
  m->page = rows ? rows : 1;
  if (m->selected)
    select_at(m, m->at);
  clamp_top(m);
}

void watch_model_move(struct watch_model *m, long rows) {
  if (!m->n_shown)
    return;
  select_at(m, watch_cursor_to(m->at, m->n_shown, m->selected != NULL, rows));
}

void watch_model_edge(struct watch_model *m, bool last) {
  if (m->n_shown)
    select_at(m, last ? m->n_shown - 1 : 0);
}

void watch_model_leave(struct watch_model *m) {
  m->selected = NULL;
  m->at = m->top = 0;
}
