/* What a key or an event costs until the cells of the screen are known: handled by the model, drawn into the
 * canvas, compared with what is on the terminal. 120x40, no curses, no network.
 *   bench_screen            prints median and p99 in ms, and the ratio of the median to a first paint; then
 *                           what one person's mute is on the wire, beside the snapshot of the whole room */
#include "core/base/clock.h"
#include "core/wire/json.h"
#include "core/wire/room_json.h"
#include "tui/screen.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define W 120
#define H 40
#define ROUNDS 2000

struct bench {
  struct model *m;
  struct keymap *keys;
  struct pilot ctl;
  struct canvas *shown, *next;
  us_t now; /* of the model; moves as if the rounds were 100 ms apart */
  uint64_t seq;
  uint32_t last, people;
  size_t cells; /* that changed, so that nothing is optimised away */
};

static void name_of(uint32_t id, char out[TEXT_NAME_MAX + 1]) {
  static const char *const FIRST[] = {"Anna", "Boris", "Carla", "Dmitri", "Elif", "Farid", "Greta", "Henri"};
  snprintf(out, TEXT_NAME_MAX + 1, "%s %c. Number-%u", FIRST[id % 8], (char)('A' + id % 26),
           id * 7919 % 10007);
}

static struct member person(uint32_t id) {
  struct member p = {.id = id,
                     .role = id == 1       ? ROLE_HOST
                             : id % 5 == 0 ? ROLE_AUDIENCE
                                           : ROLE_SPEAKER,
                     .presence = PRESENCE_HERE,
                     .floor = id % 5 != 0,
                     .audio = true,
                     .since_ms = 1000};
  name_of(id, p.name);
  return p;
}

static void fold(struct room *r, uint32_t people) {
  struct room_event made = {.seq = 1, .group = 1, .ts_ms = 1, .kind = ROOM_EV_CREATED, .text = "big"};
  room_init(r);
  room_apply(r, &made);
  for (uint32_t id = 1; id <= people; id++) {
    struct member entry = person(id);
    struct room_event ev = {.seq = id + 1, .group = id + 1, .kind = ROOM_EV_JOINED, .entry = &entry};
    room_apply(r, &ev);
  }
}

static void paint(struct bench *b) {
  screen_draw(&(struct scene){b->m, b->next, b->keys, pace_tier_info(PACE_FAST), b->now});
  for (int i = 0; i < W * H; i++)
    b->cells += memcmp(&b->next->cells[i], &b->shown->cells[i], sizeof b->next->cells[i]) != 0;
  struct canvas *swap = b->shown;
  b->shown = b->next;
  b->next = swap;
}

/* ---- figures ---- */

static int by_size(const void *a, const void *b) {
  us_t x = *(const us_t *)a, y = *(const us_t *)b;
  return x < y ? -1 : x > y;
}

static us_t report(const char *what, us_t *v, size_t n, us_t first_paint) {
  qsort(v, n, sizeof *v, by_size);
  printf("%-48s median %7.3f ms  p99 %7.3f ms", what, (double)v[n / 2] / 1000,
         (double)v[n * 99 / 100] / 1000);
  if (first_paint > 0)
    printf("  first paint / median %6.1f", (double)first_paint / (double)(v[n / 2] > 0 ? v[n / 2] : 1));
  printf("\n");
  return v[n / 2];
}

/* ---- scenes ---- */

static void enter(struct bench *b, uint32_t people) {
  struct client_event state = {.kind = CLIENT_EV_STATE, .state = CLIENT_JOINED, .me = 1};
  struct client_event room = {.kind = CLIENT_EV_ROOM, .room = calloc(1, sizeof *room.room)};
  assert(room.room != NULL);
  fold(room.room, people);
  b->seq = room.room->seq;
  b->last = b->people = people;
  model_update(b->m, &state, b->now);
  model_update(b->m, &room, b->now);
  b->m->cursor = 1;
}

static void open_bench(struct bench *b) {
  *b = (struct bench){.m = model_create(), .keys = command_keymap(), .now = 1000 * US_PER_S};
  b->shown = canvas_create(W, H, false);
  b->next = canvas_create(W, H, false);
  assert(b->m != NULL && b->keys != NULL && b->shown != NULL && b->next != NULL);
  pilot_init(&b->ctl, b->m, b->keys);
}

static void close_bench(struct bench *b) {
  model_destroy(b->m);
  keymap_destroy(b->keys);
  canvas_destroy(b->shown);
  canvas_destroy(b->next);
}

/* first_paint: from the snapshot to the cells of an empty screen. */
static us_t first_paint(uint32_t people) {
  us_t v[9];
  char what[64];
  for (size_t i = 0; i < 9; i++) {
    struct bench b;
    open_bench(&b);
    struct client_event state = {.kind = CLIENT_EV_STATE, .state = CLIENT_JOINED, .me = 1};
    struct client_event room = {.kind = CLIENT_EV_ROOM, .room = calloc(1, sizeof *room.room)};
    assert(room.room != NULL);
    fold(room.room, people);
    us_t from = clock_now();
    model_update(b.m, &state, b.now);
    model_update(b.m, &room, b.now);
    paint(&b);
    v[i] = clock_now() - from;
    close_bench(&b);
  }
  snprintf(what, sizeof what, "first paint, %u people", people);
  return report(what, v, 9, 0);
}

static void levels(struct bench *b, int round) {
  struct client_event ev = {.kind = CLIENT_EV_LEVELS, .n = CLIENT_LEVELS_MAX};
  for (uint32_t i = 0; i < CLIENT_LEVELS_MAX; i++) { /* 50 take turns; a client hears at most 16 at once */
    ev.level_of[i].member = 2 + (i + (uint32_t)round / 4) % 50;
    ev.level_of[i].level = (uint8_t)(10 + (i * 7 + (uint32_t)round) % 30);
  }
  model_update(b->m, &ev, b->now);
}

static void arrow_keys(us_t *v) {
  struct bench b;
  us_t full = first_paint(500);
  open_bench(&b);
  enter(&b, 500);
  paint(&b);
  for (int i = 0; i < ROUNDS; i++, b.now += 100 * US_PER_MS) {
    levels(&b, i);
    us_t from = clock_now();
    pilot_key(&b.ctl, (struct key){.code = i / 400 % 2 == 0 ? KEY_DOWN : KEY_UP}, NULL, b.now);
    model_tick(b.m, b.now);
    paint(&b);
    v[i] = clock_now() - from;
  }
  report("an arrow key, 500 people, 50 talking", v, ROUNDS, full);
  close_bench(&b);
}

static void filter_keys(us_t *v, us_t full) {
  static const char TEXT[] = "number-12";
  struct bench b;
  open_bench(&b);
  enter(&b, 5000);
  size_t n = 0;
  while (n < ROUNDS) {
    b.m->mode = MODE_KEYS;
    b.m->filter[0] = '\0';
    pilot_key(&b.ctl, (struct key){.code = 's'}, NULL, b.now);
    for (size_t k = 0; TEXT[k] != '\0' && n < ROUNDS; k++, b.now += 100 * US_PER_MS) {
      us_t from = clock_now();
      pilot_key(&b.ctl, (struct key){.code = (uint32_t)TEXT[k]}, NULL, b.now);
      model_tick(b.m, b.now);
      paint(&b);
      v[n++] = clock_now() - from;
    }
  }
  report("a key in the filter, 5000 people", v, ROUNDS, full);
  close_bench(&b);
}

/* next_event: people come, mute themselves, raise hands and go, in turn. */
static struct client_event next_event(struct bench *b, int round) {
  struct client_event ev = {.kind = CLIENT_EV_EVENT, .event = calloc(1, sizeof *ev.event)};
  assert(ev.event != NULL);
  struct room_event *e = ev.event;
  e->seq = e->group = ++b->seq;
  uint32_t who = 2 + (uint32_t)round * 37 % (b->people - 1);
  static const enum room_ev KINDS[] = {ROOM_EV_LEFT, ROOM_EV_JOINED, ROOM_EV_MUTED, ROOM_EV_HAND};
  e->kind = KINDS[round % 4];
  if (e->kind == ROOM_EV_JOINED) {
    e->entry = malloc(sizeof *e->entry);
    assert(e->entry != NULL);
    *e->entry = person(++b->last);
    e->actor = b->last;
    return ev;
  }
  e->num = e->kind == ROOM_EV_HAND;
  e->actor = who;
  e->n_targets = 1;
  e->targets = malloc(sizeof *e->targets);
  assert(e->targets != NULL);
  e->targets[0] = who;
  return ev;
}

static void member_events(us_t *v, us_t full, uint32_t people, enum model_sort sort) {
  struct bench b;
  char what[64];
  open_bench(&b);
  enter(&b, people);
  model_sort_set(b.m, sort);
  paint(&b);
  for (int i = 0; i < ROUNDS; i++, b.now += 100 * US_PER_MS) {
    struct client_event ev = next_event(&b, i);
    us_t from = clock_now();
    model_update(b.m, &ev, b.now);
    model_tick(b.m, b.now);
    paint(&b);
    v[i] = clock_now() - from;
  }
  snprintf(what, sizeof what, "one person's event, %u people, by %s", people, model_sort_name(sort));
  report(what, v, ROUNDS, full);
  close_bench(&b);
}

/* ---- the wire ---- */

static size_t length(const char *method, json_t *body) {
  char *text = rpc_notify(method, body);
  assert(text != NULL);
  size_t n = strlen(text);
  free(text);
  return n;
}

static void wire(uint32_t people) {
  struct room r;
  uint32_t who = people;
  fold(&r, people);
  size_t all = length("sync", json_pack("{s:o}", "room", room_to_wire(&r, 1)));
  struct room_event ev = {.seq = r.seq + 1,
                          .group = r.seq + 1,
                          .ts_ms = INT64_C(1760000000000),
                          .actor = 1,
                          .kind = ROOM_EV_MUTED,
                          .targets = &who,
                          .n_targets = 1};
  json_t *body = room_event_to_wire(&ev);
  json_object_set_new(body, "room", json_string(r.name));
  size_t one = length("event", body);
  printf("on the wire, %u people: snapshot %zu bytes, one mute %zu bytes\n", people, all, one);
  room_free(&r);
}

int main(void) {
  us_t *v = calloc(ROUNDS, sizeof *v);
  if (v == NULL)
    return 1;
  arrow_keys(v);
  us_t full = first_paint(5000);
  filter_keys(v, full);
  for (enum model_sort s = SORT_JOINED; s < SORT__COUNT; s++)
    member_events(v, full, 5000, s);
  member_events(v, 0, 50, SORT_JOINED); /* what remains is the drawing */
  free(v);
  wire(50);
  wire(5000);
  return 0;
}
