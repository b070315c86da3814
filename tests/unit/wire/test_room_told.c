/* What each viewer of a room is sent in a random life of it: a replica made of the JSON alone says what the
 * server would say anew. With GAVEL_TOLD=FILE all that is sent is written there too, a line each, for the
 * fold of the guest page (tests/web/told.mjs). */
#include "core/wire/room_json.h"
#include "tests/unit/room/room_walk.h"

#include <stdlib.h>

#define VIEWERS 5
#define LIVES 3
#define STEPS 2500
#define LONG_EVERY 16 /* events: lists that are long */

struct told {
  struct walk w; /* the first: an event comes with it */
  uint32_t viewer[VIEWERS];
  struct room r[VIEWERS];
  FILE *out;
  size_t checks;
  int life;
};

/* put: steals o. */
static void put(struct told *t, int i, const char *what, json_t *o) {
  json_t *line = json_pack("{s:i,s:o}", "replica", t->life * VIEWERS + i, what, o);
  assert_non_null(line);
  if (t->out) {
    assert_int_equal(json_dumpf(line, t->out, JSON_COMPACT), 0);
    assert_int_equal(fputc('\n', t->out), '\n');
  }
  json_decref(line);
}

static void snapshot(struct told *t, int i) {
  json_t *o = room_to_wire(&t->w.f.r, t->viewer[i]);
  assert_int_equal(room_from_wire(o, &t->r[i]), ERR_OK);
  put(t, i, "snapshot", o);
}

/* check: people, as they would be sent now and as the replica has them. */
static void check(struct told *t, int i) {
  if (room_view_of(&t->w.f.r, t->viewer[i]) == VIEW_NOTHING)
    return;
  json_t *o = room_to_wire(&t->w.f.r, t->viewer[i]);
  const struct room *r = &t->r[i];
  assert_int_equal(json_array_size(json_object_get(o, "members")), r->n_members);
  for (size_t k = 0; k < r->n_members; k++) {
    const json_t *m = json_array_get(json_object_get(o, "members"), k);
    assert_int_equal(json_integer_value(json_object_get(m, "id")), r->members[k].id);
    assert_string_equal(json_string_value(json_object_get(m, "name")), r->members[k].name);
  }
  t->checks++;
  static const char *const LONG[] = {"chat", "bans", "invites", "trusted", "notes"};
  for (size_t k = 0; k < 5 && t->w.f.r.seq % LONG_EVERY; k++)
    (void)json_object_del(o, LONG[k]);
  put(t, i, "check", o);
}

static void one_event(struct walk *w, const struct room_event *ev) {
  struct told *t = (struct told *)w;
  struct room *r = &w->f.r;
  enum view before[VIEWERS];
  json_t *sent[VIEWERS] = {NULL};
  for (int i = 0; i < VIEWERS; i++) {
    struct room_event seen = {0};
    before[i] = room_view_of(r, t->viewer[i]);
    if (room_event_visible(r, ev, t->viewer[i]))
      sent[i] = room_event_to_wire(room_event_as_seen(r, ev, t->viewer[i], &seen) ? &seen : ev);
    room_event_free(&seen);
  }
  room_apply(r, ev);
  for (int i = 0; i < VIEWERS; i++) {
    struct room_event got;
    if (sent[i]) {
      assert_int_equal(room_event_from_wire(sent[i], &got), ERR_OK);
      room_apply(&t->r[i], &got);
      room_event_free(&got);
      put(t, i, "event", sent[i]);
    }
    if (room_view_of(r, t->viewer[i]) != before[i])
      snapshot(t, i);
    else if (sent[i])
      check(t, i);
  }
}

static void everybody_is_told_all_he_may_know(void **state) {
  (void)state;
  static struct told t;
  const char *path = getenv("GAVEL_TOLD");
  for (int life = 0; life < LIVES; life++) {
    t = (struct told){.life = life, .out = path ? fopen(path, life == 0 ? "w" : "a") : NULL};
    assert_true(!path || t.out);
    walk_begin(&t.w, (uint64_t)life + 1, one_event);
    for (int i = 0; i < VIEWERS; i++)
      room_init(&t.r[i]);
    for (int step = 0; step < STEPS; step++) {
      walk_step(&t.w);
      for (int i = 1; i < VIEWERS; i++) /* the first is the operator's */
        if (!room_member(&t.w.f.r, t.viewer[i]) && t.w.f.r.n_members) {
          t.viewer[i] = anyone(&t.w);
          snapshot(&t, i);
        }
      if (step == 0)
        snapshot(&t, 0);
    }
    assert_true(t.checks > 100);
    for (int i = 0; i < VIEWERS; i++)
      room_free(&t.r[i]);
    fix_close(&t.w.f);
    assert_true(!t.out || fclose(t.out) == 0);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(everybody_is_told_all_he_may_know)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
