/* ops_feed.c: the rows of all rooms, kept while somebody watches: those in which something happened are
 * looked at again when a console is due, and each console gets those that are newer than what it has. */
#include "core/server/ops_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ops *ops_state(struct control *c) {
  if (!c->ops) {
    c->ops = calloc(1, sizeof *c->ops);
    if (!c->ops)
      abort();
    c->ops->revision = access_revision(c->access);
    c->ops->stale_end = &c->ops->stale;
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
  r->next_stale = NULL;
  *o->stale_end = r;
  o->stale_end = &r->next_stale;
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

/* A stale one is freed when its turn comes: many rooms may end at once. */
static void row_drop(struct ops *o, struct ops_row *r) {
  row_unlink(o, r);
  row_sums(o, r, -1U);
  timers_set(&o->timers, &r->timer, US_NEVER);
  json_decref(r->json);
  r->h->row = NULL;
  r->h = NULL;
  if (!r->stale)
    free(r);
}

static struct ops_row *stale_pop(struct ops *o) {
  struct ops_row *r;
  while ((r = o->stale)) {
    o->stale = r->next_stale;
    if (!o->stale)
      o->stale_end = &o->stale;
    r->stale = false;
    if (r->h)
      break;
    free(r);
  }
  return r;
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

/* What is stale is looked at, `most` rows of it; the others are told as they were. */
static void refresh(struct control *c, struct ops *o, size_t most) {
  struct timer *t;
  struct ops_row *r;
  while ((t = timers_pop(&o->timers, c->now)))
    row_stale(o, (struct ops_row *)t);
  while (most-- > 0 && (r = stale_pop(o)))
    row_look(c, o, r);
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

/* A console that never reads must not hold them for ever: beyond GONE_MAX all get all rooms anew. */
static void gone_add(struct control *c, struct ops *o, const char *name) {
  if (o->n_gone == GONE_MAX) {
    ops_lost(c);
    o->n_gone = 0;
  }
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
  gone_add(c, o, h->name);
  row_drop(o, r);
}

/* ---- consoles ---- */

static json_t *all_rows(const struct ops *o) {
  json_t *list = json_array();
  for (const struct ops_row *r = o->newest; r; r = r->older)
    json_array_append(list, r->json);
  return list;
}

/* Those of one interval are due at the same time: one message is for all of them. */
static us_t next_due(const struct control *c, const struct console *w) {
  return c->now - c->now % w->interval + w->interval;
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
  refresh(c, o, SIZE_MAX);
  w->interval = interval;
  w->next = next_due(c, w);
  w->seen = o->version;
  return json_pack("{s:o,s:o}", "server", ops_server_json(c), "rooms", all_rows(o));
}

static void forget_all(struct control *c, struct ops *o) {
  struct hosted *h;
  while (stale_pop(o))
    ;
  for (size_t at = 0; (h = map_next(c->rooms, &at));)
    if (h->row)
      row_drop(o, h->row);
  o->n_gone = 0;
  o->behind = false;
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

static struct msg *news(struct control *c, const struct ops *o, uint64_t seen) {
  json_t *gone = json_array(), *rooms = json_array();
  for (const struct ops_row *r = o->newest; r && r->version > seen; r = r->older)
    json_array_append(rooms, r->json);
  for (size_t i = 0; seen && i < o->n_gone; i++)
    if (o->gone[i].version > seen)
      json_array_append_new(gone, json_string(o->gone[i].name));
  json_t *body = json_pack("{s:o,s:o,s:o}", "server", ops_server_json(c), "rooms", rooms, "gone", gone);
  if (!seen)
    json_object_set_new(body, "all", json_true());
  return msg_take(rpc_notify("ops", body));
}

/* What every console has, or will not be told: it gets all rooms. */
static void trim_gone(struct ops *o) {
  uint64_t least = UINT64_MAX;
  size_t n = 0;
  for (const struct console *w = o->watching; w; w = w->after)
    least = w->seen && w->seen < least ? w->seen : least;
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
  if (o->look_at <= c->now) {
    refresh(c, o, LOOK_MOST);
    o->look_at = c->now + LOOK_US;
  }
  o->behind = o->stale != NULL;
  struct msg *m = NULL;
  uint64_t seen = 0;
  for (struct console *w = o->watching; w; w = w->after) {
    bool due = w->next <= c->now;
    w->next = due ? next_due(c, w) : w->next;
    if (!due || w->conn->out.n > 0) /* who reads slowly gets the newest state later */
      continue;
    if (m && seen != w->seen) {
      msg_unref(m);
      m = NULL;
    }
    seen = w->seen;
    m = m ? m : news(c, o, seen);
    w->seen = o->version;
    control_send(c, w->conn, m);
  }
  msg_unref(m);
  trim_gone(o);
}

us_t ops_next(const struct control *c) {
  us_t next = c->ops && c->ops->behind ? c->ops->look_at : US_NEVER;
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
