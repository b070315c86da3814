/* attendance.c: who was in a room from when to when: a second fold over its log. */
#include "core/base/utc.h"
#include "core/server/control_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CSV_MAX (4 << 20) /* what one message to a client may hold */

struct stay { /* of one member */
  uint32_t id;
  enum role role;
  char name[TEXT_NAME_MAX + 1];
  int64_t first_ms, last_ms, since_ms; /* since: here now, 0 when not */
  int64_t present_ms;
  const char *end;
};
struct stays {
  struct room room;
  struct stay *v; /* in the order they came in */
  size_t n, cap;
  struct map *places; /* member id -> index + 1, as a pointer */
};

static struct stay *find(struct stays *l, uint32_t id) {
  uintptr_t place = (uintptr_t)map_get_u32(l->places, id);
  return place ? &l->v[place - 1] : NULL;
}

static struct stay *add(struct stays *l, const struct member *m, int64_t ts_ms) {
  if (l->n == l->cap) {
    l->cap = l->cap ? l->cap * 2 : 64;
    l->v = realloc(l->v, l->cap * sizeof *l->v);
    if (!l->v)
      abort();
  }
  l->v[l->n++] = (struct stay){.id = m->id, .first_ms = ts_ms};
  map_put_u32(l->places, m->id, (void *)l->n);
  return &l->v[l->n - 1];
}

static const char *how(const struct room_event *ev) {
  switch (ev->kind) {
  case ROOM_EV_AWAY:
    return "lost";
  case ROOM_EV_HELD:
    return "held";
  case ROOM_EV_REMOVED:
    return ev->num ? "banned" : "removed";
  case ROOM_EV_ENDED:
    return "room ended";
  default:
    return ev->kind == ROOM_EV_LEFT && ev->num ? "lost" : "left";
  }
}

/* After an event: is this person here, and was he before? Who only listens is in no list. */
static void update(struct stays *l, uint32_t id, const struct room_event *ev) {
  const struct member *m = room_member(&l->room, id);
  bool here = m && m->presence == PRESENCE_HERE && m->role != ROLE_MONITOR && !l->room.ended;
  struct stay *s = find(l, id);
  if (!s && !here)
    return;
  if (!s)
    s = add(l, m, ev->ts_ms);
  if (m) {
    s->role = m->role;
    snprintf(s->name, sizeof s->name, "%s", m->name);
  }
  if (here && !s->since_ms) {
    s->since_ms = ev->ts_ms;
    s->last_ms = 0;
  } else if (!here && s->since_ms) {
    s->present_ms += ev->ts_ms - s->since_ms;
    s->since_ms = 0;
    s->last_ms = ev->ts_ms;
  }
  if (!here)
    s->end = how(ev);
}

static enum err read_one(void *ctx, const struct store_record *r) {
  struct stays *l = ctx;
  struct room_event ev;
  enum err e = hosted_event(r, &ev);
  if (e == ERR_OK) {
    room_apply(&l->room, &ev);
    for (size_t i = 0; i < ev.n_targets; i++)
      update(l, ev.targets[i], &ev);
    if (ev.entry)
      update(l, ev.entry->id, &ev);
    for (size_t i = 0; ev.kind == ROOM_EV_ENDED && i < l->n; i++)
      if (l->v[i].since_ms)
        update(l, l->v[i].id, &ev);
  }
  room_event_free(&ev);
  return e;
}

/* ---- RFC 4180, with times as in RFC 3339 ---- */

/* A spreadsheet must not take a name for a formula. */
static void cell(FILE *f, const char *text) {
  bool quote = strpbrk(text, ",\"\r\n") != NULL;
  if (quote)
    fputc('"', f);
  if (*text && strchr("=+-@\t\r", *text))
    fputc('\'', f);
  for (; *text; text++) {
    if (*text == '"')
      fputc('"', f);
    fputc(*text, f);
  }
  if (quote)
    fputc('"', f);
}

static void stamp(FILE *f, int64_t ms) {
  char text[UTC_MAX];
  utc_text(ms, text);
  fputs(ms ? text : "", f);
}

static int64_t present_ms(const struct stay *s, int64_t now_ms) {
  return s->present_ms + (s->since_ms ? now_ms - s->since_ms : 0);
}

static void line(FILE *f, const struct stay *s, int64_t now_ms) {
  cell(f, s->name);
  fprintf(f, ",%u,%s,", s->id, role_name(s->role));
  stamp(f, s->first_ms);
  fputc(',', f);
  stamp(f, s->last_ms);
  fprintf(f, ",%lld,%s\r\n", (long long)(present_ms(s, now_ms) / 1000), s->since_ms ? "here" : s->end);
}

/* ---- what is remembered ---- */

void attendance_forget(struct control *c, struct hosted *h) {
  struct stays *l = h->stays;
  if (!l)
    return;
  size_t i = 0;
  while (c->stays[i] != h)
    i++;
  memmove(&c->stays[i], &c->stays[i + 1], (--c->n_stays - i) * sizeof(struct hosted *));
  room_free(&l->room);
  map_destroy(l->places);
  free(l->v);
  free(l);
  h->stays = NULL;
}

/* The room's, which becomes the one asked for last; for a new one the oldest makes place. */
static struct stays *remembered(struct control *c, struct hosted *h) {
  struct stays *l = h->stays;
  size_t i = 0;
  while (l && c->stays[i] != h)
    i++;
  if (l) {
    memmove(&c->stays[i], &c->stays[i + 1], (--c->n_stays - i) * sizeof(struct hosted *));
  } else {
    if (c->n_stays == ATTENDANCE_FOLDS_MAX)
      attendance_forget(c, c->stays[0]);
    if (!(l = calloc(1, sizeof *l)))
      abort();
    l->places = map_create(rng_u64(c->cfg.rng));
    room_init(&l->room);
    h->stays = l;
  }
  c->stays[c->n_stays++] = h;
  return l;
}

/* Up to now. */
static enum err read_on(struct control *c, struct hosted *h, struct stays **out) {
  struct stays *l = *out = remembered(c, h);
  enum err e = store_replay(c->cfg.store, h->stream, l->room.seq, read_one, l);
  if (e != ERR_OK) /* it may have stopped in the middle */
    attendance_forget(c, h);
  return e;
}

enum err attendance_json(struct control *c, struct hosted *h, json_t *reply) {
  struct stays *l;
  enum err e = read_on(c, h, &l);
  json_t *list = json_array();
  for (size_t i = 0; e == ERR_OK && i < l->n; i++) {
    const struct stay *s = &l->v[i];
    json_array_append_new(list, json_pack("{s:s,s:I,s:s,s:I,s:I,s:I,s:s}", "name", s->name, "id",
                                          (json_int_t)s->id, "role", role_name(s->role), "first_in_ms",
                                          (json_int_t)s->first_ms, "last_out_ms", (json_int_t)s->last_ms,
                                          "seconds", (json_int_t)(present_ms(s, c->wall_ms) / 1000), "end",
                                          s->since_ms ? "here" : s->end));
  }
  json_object_set_new(reply, "attendance", list);
  return e;
}

enum err attendance_csv(struct control *c, struct hosted *h, char **csv) {
  struct stays *l;
  size_t n = 0;
  enum err e = read_on(c, h, &l);
  FILE *f = e == ERR_OK ? open_memstream(csv, &n) : NULL;
  if (e == ERR_OK && !f)
    e = ERR_NOMEM;
  if (f) {
    fputs("name,id,role,first_in,last_out,seconds,end\r\n", f);
    for (size_t i = 0; i < l->n; i++)
      line(f, &l->v[i], c->wall_ms);
    fclose(f);
    if (n > CSV_MAX)
      e = ERR_FULL;
  }
  return e;
}
