/* monitor_fixture.h: a room that an operator comes into. */
#ifndef GAVEL_TESTS_MONITOR_FIXTURE_H
#define GAVEL_TESTS_MONITOR_FIXTURE_H

#include "tests/unit/room/room_fixture.h"

static inline enum err enter(struct fixture *f, bool monitor, enum role role, uint32_t *id) {
  struct room_join j = {
      .name = monitor ? "ops (monitor, listening)" : "Guest", .role = role, .monitor = monitor};
  j.resume[0] = 0x77;
  return fix_enter(f, &j, id);
}

static inline struct fixture begin(bool lobby) {
  struct fixture f = {.now = 1000};
  struct room_events out = {0};
  room_init(&f.r);
  assert_int_equal(room_decide_create("den", lobby, HOST_GONE_LOBBY, f.now, &out), ERR_OK);
  f.last = out;
  fix_apply(&f);
  return f;
}

static inline void end(struct fixture *f) {
  room_events_free(&f->last);
  room_free(&f->r);
}

#endif
