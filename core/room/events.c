#include "core/room/room_private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const char *const EV_NAMES[ROOM_EV__COUNT] = {
#define X(id, name) [ROOM_EV_##id] = name,
    ROOM_EVENTS(X)
#undef X
};

const char *room_ev_name(enum room_ev kind) {
  assert((unsigned)kind < ROOM_EV__COUNT);
  return EV_NAMES[kind];
}

bool room_ev_parse(const char *name, enum room_ev *kind) {
  for (int i = 0; i < ROOM_EV__COUNT; i++)
    if (strcmp(name, EV_NAMES[i]) == 0) {
      *kind = (enum room_ev)i;
      return true;
    }
  return false;
}

static void *must(void *p) {
  if (!p)
    abort();
  return p;
}

void *room_grow(void *list, size_t n, size_t *cap, size_t size) {
  if (n < *cap)
    return list;
  *cap = *cap ? *cap * 2 : 4;
  return must(realloc(list, *cap * size));
}

char *room_strdup(const char *s) {
  return must(strdup(s));
}

static void *dup_bytes(const void *p, size_t n) {
  return p && n ? memcpy(must(malloc(n)), p, n) : NULL;
}

void room_event_free(struct room_event *ev) {
  free(ev->targets);
  free(ev->text);
  free(ev->text2);
  free(ev->entry);
  free(ev->invite);
  free(ev->ban);
  free(ev->secret);
  *ev = (struct room_event){0};
}

void room_event_copy(struct room_event *to, const struct room_event *from) {
  *to = *from;
  to->targets = dup_bytes(from->targets, from->n_targets * sizeof *from->targets);
  to->text = from->text ? room_strdup(from->text) : NULL;
  to->text2 = from->text2 ? room_strdup(from->text2) : NULL;
  to->entry = dup_bytes(from->entry, sizeof *from->entry);
  to->invite = dup_bytes(from->invite, sizeof *from->invite);
  to->ban = dup_bytes(from->ban, sizeof *from->ban);
  to->secret = dup_bytes(from->secret, sizeof *from->secret);
}

void room_events_free(struct room_events *evs) {
  for (size_t i = 0; i < evs->n; i++)
    room_event_free(&evs->v[i]);
  free(evs->v);
  *evs = (struct room_events){0};
}

void room_event_target(struct room_event *ev, uint32_t id) {
  size_t n = ev->n_targets;
  if ((n & (n - 1)) == 0) /* full at every power of two */
    ev->targets = must(realloc(ev->targets, (n ? 2 * n : 1) * sizeof *ev->targets));
  ev->targets[ev->n_targets++] = id;
}

void room_event_entry(struct room_event *ev, const struct member *m) {
  ev->entry = dup_bytes(m, sizeof *m);
}

void room_event_ban(struct room_event *ev, const struct ban *b) {
  ev->ban = dup_bytes(b, sizeof *b);
}

void room_event_secret(struct room_event *ev, const struct secret *s) {
  ev->secret = dup_bytes(s, sizeof *s);
}

struct room_event *decide_event(struct decision *d, enum room_ev kind, int64_t num, int64_t num2) {
  struct room_events *out = d->out;
  out->v = room_grow(out->v, out->n, &out->cap, sizeof *out->v);
  struct room_event *ev = &out->v[out->n];
  *ev = (struct room_event){.seq = d->r->seq + 1 + (out->n - d->start),
                            .group = d->r->seq + 1,
                            .ts_ms = d->now_ms,
                            .kind = kind,
                            .actor = d->actor_id,
                            .num = num,
                            .num2 = num2};
  out->n++;
  return ev;
}

void decide_target_num2(struct decision *d, enum room_ev kind, int64_t num, int64_t num2, uint32_t id) {
  struct room_event *last = d->out->n > d->start ? &d->out->v[d->out->n - 1] : NULL;
  if (!last || last->kind != kind || last->num != num || last->num2 != num2 || last->entry)
    last = decide_event(d, kind, num, num2);
  room_event_target(last, id);
}

void decide_target(struct decision *d, enum room_ev kind, int64_t num, uint32_t id) {
  decide_target_num2(d, kind, num, 0, id);
}

void decide_reason(struct decision *d, enum room_ev kind, const char *reason) {
  for (size_t i = d->start; i < d->out->n && reason[0]; i++)
    if (d->out->v[i].kind == kind && !d->out->v[i].text)
      d->out->v[i].text = room_strdup(reason);
}
