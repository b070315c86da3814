/* ops_feed.c: the rows of all rooms, kept while somebody watches: those in which something happened are
 * looked at again when a console is due, and each console gets those that are newer than what it has. */
#include "core/server/ops_private.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ops *ops_state(struct control *c) {
  if (!c->ops) {
    c->ops = calloc(1, sizeof *c->ops);
    if (!c->ops)
      abort();
    c->ops->revision = access_revision(c->access);
  }
  return c->ops;
}

uint64_t ops_examined(const struct control *c) {
  return c->ops ? c->ops->examined : 0;
}

/* ---- rows, in the order in which they changed ---- */

static void row_unlink(struct ops *o, struct ops_row *r) {
  if (r->newer)
    r->newer->older = r->older;
  if (r->older)
    r->older->newer = r->newer;
  if (o->newest == r)
    o->newest = r->older;
  r->older = r->newer = NULL;
}

static void row_changed(struct ops *o, struct ops_row *r) {
  row_unlink(o, r);
  r->version = ++o->version;
  r->older = o->newest;
  if (o->newest)
    o->newest->newer = r;
  o->newest = r;
}

static void row_stale(struct ops *o, struct ops_row *r) {
  if (r->stale)
    return;
  r->stale = true;
  r->next_stale = o->stale;
  o->stale = r;
}

static unsigned number(const json_t *row, const char *key) {
  return (unsigned)json_integer_value(json_object_get(row, key));
}

/* What of the server's sums is this room's: added, or (by -1U) taken away. */
static void row_sums(struct ops *o, const struct ops_row *r, unsigned times) {
  o->people += times * r->people;
  o->waiting += times * r->waiting;
  o->away += times * r->away;
}

static void row_look(struct control *c, struct ops *o, struct ops_row *r) {
  int64_t due_ms;
  json_t *now = ops_row_json(c, r->h, &due_ms);
  o->examined++;
  timers_set(&o->timers, &r->timer,
             due_ms == INT64_MAX ? US_NEVER : c->now + (due_ms - c->wall_ms) * US_PER_MS);
  if (r->json && json_equal(now, r->json)) {
    json_decref(now);
    return;
  }
  row_sums(o, r, -1U);
  json_decref(r->json);
  r->json = now;
  r->people = number(now, "people");
  r->waiting = number(now, "waiting");
  r->away = number(now, "away");
  row_sums(o, r, 1);
  row_changed(o, r);
}

static void row_free(struct ops *o, struct ops_row *r) {
  assert(!r->stale);
  row_unlink(o, r);
  row_sums(o, r, -1U);
  timers_set(&o->timers, &r->timer, US_NEVER);
  json_decref(r->json);
  r->h->row = NULL;
  free(r);
}

static void row_make(struct ops *o, struct hosted *h) {
  struct ops_row *r = calloc(1, sizeof *r);
  if (!r)
    abort();
  r->timer = (struct timer)TIMER_IDLE;
  r->h = h;
  h->row = r;
  row_stale(o, r);
}

/* Everything that is stale is looked at. */
static void refresh(struct control *c, struct ops *o) {
  struct timer *t;
  while ((t = timers_pop(&o->timers, c->now)))
    row_stale(o, (struct ops_row *)t);
  while (o->stale) {
    struct ops_row *r = o->stale;
    o->stale = r->next_stale;
    r->stale = false;
    row_look(c, o, r);
  }
}

/* ---- what happens to rooms ---- */

void ops_touch(struct control *c, struct hosted *h) {
  struct ops *o = c->ops;
  if (!o || !o->watching)
    return;
  if (!h->row)
    row_make(o, h);
  else
    row_stale(o, h->row);
}

static void gone_add(struct ops *o, const char *name) {
  if (o->n_gone == o->cap_gone) {
    o->cap_gone = o->cap_gone ? 2 * o->cap_gone : 16;
    o->gone = realloc(o->gone, o->cap_gone * sizeof *o->gone);
    if (!o->gone)
      abort();
  }
  struct ops_gone *g = &o->gone[o->n_gone++];
  snprintf(g->name, sizeof g->name, "%s", name);
  g->version = ++o->version;
}

void ops_gone(struct control *c, struct hosted *h) {
  struct ops *o = c->ops;
  struct ops_row *r = h->row;
  if (!r)
    return;
  for (struct ops_row **at = &o->stale; *at && r->stale; at = &(*at)->next_stale)
    if (*at == r) {
      *at = r->next_stale;
      r->stale = false;
      break;
    }
  gone_add(o, h->name);
  row_free(o, r);
}

/* ---- consoles ---- */

static json_t *all_rows(const struct ops *o) {
  json_t *list = json_array();
  for (const struct ops_row *r = o->newest; r; r = r->older)
    json_array_append(list, r->json);
  return list;
}

json_t *feed_watch(struct control *c, struct console *w, us_t interval) {
  struct ops *o = ops_state(c);
  struct hosted *h;
  if (w->next == US_NEVER) {
    w->after = o->watching;
    o->watching = w;
    o->n_watching++;
  }
  for (size_t at = 0; o->n_watching == 1 && (h = map_next(c->rooms, &at));)
    if (!h->row && !h->room.ended)
      row_make(o, h);
  refresh(c, o);
  w->interval = interval;
  w->next = c->now + interval;
  w->seen = o->version;
  return json_pack("{s:o,s:o}", "server", ops_server_json(c), "rooms", all_rows(o));
}

static void forget_all(struct control *c, struct ops *o) {
  struct hosted *h;
  while (o->stale) {
    o->stale->stale = false;
    o->stale = o->stale->next_stale;
  }
  for (size_t at = 0; (h = map_next(c->rooms, &at));)
    if (h->row)
      row_free(o, h->row);
  o->n_gone = 0;
}

void feed_stop(struct control *c, struct console *w) {
  struct ops *o = c->ops;
  if (w->next == US_NEVER)
    return;
  for (struct console **at = &o->watching; *at; at = &(*at)->after)
    if (*at == w) {
      *at = w->after;
      break;
    }
  w->next = US_NEVER;
  if (--o->n_watching == 0)
    forget_all(c, o);
}

void ops_lost(struct control *c) {
  for (struct console *w = c->ops ? c->ops->watching : NULL; w; w = w->after)
    w->seen = 0;
}

/* ---- what is due ---- */

static void send_news(struct control *c, struct ops *o, struct console *w) {
  json_t *gone = json_array(), *rooms = json_array();
  for (const struct ops_row *r = o->newest; r && r->version > w->seen; r = r->older)
    json_array_append(rooms, r->json);
  for (size_t i = 0; i < o->n_gone; i++)
    if (o->gone[i].version > w->seen)
      json_array_append_new(gone, json_string(o->gone[i].name));
  json_t *body = json_pack("{s:o,s:o,s:o}", "server", ops_server_json(c), "rooms", rooms, "gone", gone);
  if (!w->seen)
    json_object_set_new(body, "all", json_true());
  w->seen = o->version;
  control_notify(c, w->conn, "ops", body);
}

/* What every console has. */
static void trim_gone(struct ops *o) {
  uint64_t least = UINT64_MAX;
  size_t n = 0;
  for (const struct console *w = o->watching; w; w = w->after)
    least = w->seen < least ? w->seen : least;
  for (size_t i = 0; i < o->n_gone; i++)
    if (o->gone[i].version > least)
      o->gone[n++] = o->gone[i];
  o->n_gone = n;
}

void ops_tick(struct control *c) {
  struct ops *o = c->ops;
  ops_recheck(c);
  if (ops_next(c) > c->now)
    return;
  refresh(c, o);
  for (struct console *w = o->watching; w; w = w->after) {
    if (w->next > c->now)
      continue;
    w->next = c->now + w->interval;
    if (w->conn->out.n == 0) /* who reads slowly gets the newest state later */
      send_news(c, o, w);
  }
  trim_gone(o);
}

us_t ops_next(const struct control *c) {
  us_t next = US_NEVER;
  for (const struct console *w = c->ops ? c->ops->watching : NULL; w; w = w->after)
    next = w->next < next ? w->next : next;
  return next;
}

void ops_free(struct control *c) {
  struct ops *o = c->ops;
  if (!o)
    return;
  forget_all(c, o);
  timers_free(&o->timers);
  free(o->gone);
  free(o);
  c->ops = NULL;
}
