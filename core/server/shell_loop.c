#include "core/server/shell_loop.h"

#include <ev.h>
#include <stdlib.h>

#define WATCHED_MAX 2

struct loop {
  struct ev_loop *ev;
  ev_async wake;
  ev_timer timer;
  ev_io watched[WATCHED_MAX];
  us_t armed; /* when the timer fires, US_NEVER: it does not */
};

static void on_wake(struct ev_loop *ev, ev_async *w, int events) { /* waking up is all */
  (void)ev;
  (void)w;
  (void)events;
}

static void on_timer(struct ev_loop *ev, ev_timer *t, int events) {
  struct loop *l = t->data;
  (void)ev;
  (void)events;
  l->armed = US_NEVER;
}

struct loop *loop_create(void) {
  struct loop *l = calloc(1, sizeof *l);
  if (l)
    l->ev = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
  if (!l || !l->ev) {
    free(l);
    return NULL;
  }
  l->armed = US_NEVER;
  ev_async_init(&l->wake, on_wake);
  ev_async_start(l->ev, &l->wake);
  ev_timer_init(&l->timer, on_timer, 0., 0.);
  l->timer.data = l;
  return l;
}

void *loop_native(struct loop *l) {
  return l->ev;
}

static void arm(struct loop *l, us_t now, us_t due) {
  if (due == l->armed)
    return;
  ev_timer_stop(l->ev, &l->timer);
  l->armed = due;
  if (due == US_NEVER)
    return;
  ev_now_update(l->ev); /* it counts from when the last wait ended */
  ev_timer_set(&l->timer, due > now ? (double)(due - now) / US_PER_S : 0., 0.);
  ev_timer_start(l->ev, &l->timer);
}

void loop_turn(struct loop *l, us_t now, us_t due) {
  arm(l, now, due);
  ev_run(l->ev, EVRUN_ONCE);
}

void loop_wake(struct loop *l) {
  ev_async_send(l->ev, &l->wake);
}

static void on_readable(struct ev_loop *ev, ev_io *w, int events) { /* waking up is all */
  (void)ev;
  (void)w;
  (void)events;
}

void loop_watch(struct loop *l, int fd, bool on) {
  for (unsigned i = 0; i < WATCHED_MAX; i++) {
    ev_io *w = &l->watched[i];
    if (on && !ev_is_active(w)) {
      ev_io_init(w, on_readable, fd, EV_READ);
      ev_io_start(l->ev, w);
      return;
    }
    if (!on && ev_is_active(w) && w->fd == fd)
      ev_io_stop(l->ev, w);
  }
}

void loop_destroy(struct loop *l) {
  if (!l)
    return;
  ev_async_stop(l->ev, &l->wake);
  ev_timer_stop(l->ev, &l->timer);
  for (unsigned i = 0; i < WATCHED_MAX; i++)
    ev_io_stop(l->ev, &l->watched[i]);
  ev_loop_destroy(l->ev);
  free(l);
}
