#include "core/base/timers.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void place(struct timers *h, size_t at, struct timer *t) {
  h->v[at] = t;
  t->at = at;
}

static void up(struct timers *h, size_t at) {
  struct timer *t = h->v[at];
  while (at > 0 && t->due < h->v[(at - 1) / 2]->due) {
    place(h, at, h->v[(at - 1) / 2]);
    at = (at - 1) / 2;
  }
  place(h, at, t);
}

static void down(struct timers *h, size_t at) {
  struct timer *t = h->v[at];
  for (;;) {
    size_t child = 2 * at + 1;
    if (child >= h->n)
      break;
    if (child + 1 < h->n && h->v[child + 1]->due < h->v[child]->due)
      child++;
    if (t->due <= h->v[child]->due)
      break;
    place(h, at, h->v[child]);
    at = child;
  }
  place(h, at, t);
}

static void take_out(struct timers *h, struct timer *t) {
  size_t at = t->at;
  assert(at < h->n && h->v[at] == t);
  struct timer *last = h->v[--h->n];
  if (last != t) {
    place(h, at, last);
    up(h, at);
    down(h, last->at);
  }
  t->due = US_NEVER;
}

void timers_set(struct timers *h, struct timer *t, us_t due) {
  if (t->due == due)
    return;
  if (t->due != US_NEVER)
    take_out(h, t);
  if (due == US_NEVER)
    return;
  if (h->n == h->cap) {
    h->cap = h->cap ? h->cap * 2 : 64;
    h->v = realloc(h->v, h->cap * sizeof(struct timer *));
    if (!h->v)
      abort();
  }
  t->due = due;
  place(h, h->n++, t);
  up(h, t->at);
}

us_t timers_next(const struct timers *h) {
  return h->n ? h->v[0]->due : US_NEVER;
}

struct timer *timers_pop(struct timers *h, us_t now) {
  if (h->n == 0 || h->v[0]->due > now)
    return NULL;
  struct timer *t = h->v[0];
  take_out(h, t);
  return t;
}

void timers_free(struct timers *h) {
  free(h->v);
  memset(h, 0, sizeof *h);
}
