/* room_fixture.h: a room that is driven by commands, checked after each event, and keeps its log. Tests only.
 */
#ifndef GAVEL_TESTS_ROOM_FIXTURE_H
#define GAVEL_TESTS_ROOM_FIXTURE_H

#include "core/room/room.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
  struct room r;
  struct room_events last; /* of the last act that was accepted */
  int64_t now;
};

static inline void fix_apply(struct fixture *f) {
  for (size_t i = 0; i < f->last.n; i++) {
    room_apply(&f->r, &f->last.v[i]);
    const char *why = room_check(&f->r);
    if (why)
      fail_msg("after %s: %s", room_ev_name(f->last.v[i].kind), why);
  }
}

static inline enum err fix_do(struct fixture *f, const struct room_cmd *cmd) {
  struct room_events out = {0};
  enum err e = room_decide(&f->r, cmd, f->now, &out);
  if (e) {
    assert_int_equal(out.n, 0); /* a refusal leaves nothing behind */
    room_events_free(&out);
    return e;
  }
  assert_true(out.n > 0 || cmd->act == ACT_BAN_CHECK || cmd->act == ACT_ATTENDANCE); /* only asked */
  for (size_t i = 0; i < out.n; i++) {
    assert_int_equal(out.v[i].seq, f->r.seq + 1 + i);
    assert_int_equal(out.v[i].group, f->r.seq + 1);
  }
  room_events_free(&f->last);
  f->last = out;
  fix_apply(f);
  return ERR_OK;
}

static inline enum err act(struct fixture *f, uint32_t actor, enum act a) {
  return fix_do(f, &(struct room_cmd){.act = a, .actor = actor});
}
static inline enum err act_on(struct fixture *f, uint32_t actor, enum act a, uint32_t who) {
  return fix_do(f, &(struct room_cmd){.act = a, .actor = actor, .targets = &who, .n_targets = 1});
}
static inline enum err act_on2(struct fixture *f, uint32_t actor, enum act a, uint32_t x, uint32_t y) {
  uint32_t who[2] = {x, y};
  return fix_do(f, &(struct room_cmd){.act = a, .actor = actor, .targets = who, .n_targets = 2});
}
static inline enum err act_num(struct fixture *f, uint32_t actor, enum act a, int64_t num) {
  return fix_do(f, &(struct room_cmd){.act = a, .actor = actor, .num = num});
}
static inline enum err act_num2(struct fixture *f, uint32_t actor, enum act a, int64_t num2) {
  return fix_do(f, &(struct room_cmd){.act = a, .actor = actor, .num2 = num2, .has_num2 = true});
}
static inline enum err act_on_num(struct fixture *f, uint32_t actor, enum act a, uint32_t who, int64_t num) {
  return fix_do(f,
                &(struct room_cmd){
                    .act = a, .actor = actor, .targets = &who, .n_targets = 1, .num = num, .has_num = true});
}
static inline enum err act_flags(struct fixture *f, uint32_t actor, enum act a, unsigned flags) {
  return fix_do(f, &(struct room_cmd){.act = a, .actor = actor, .flags = flags});
}
static inline enum err act_text(struct fixture *f, uint32_t actor, enum act a, const char *text) {
  return fix_do(f, &(struct room_cmd){.act = a, .actor = actor, .text = text});
}
static inline enum err act_role(struct fixture *f, uint32_t actor, uint32_t who, enum role role) {
  return fix_do(f,
                &(struct room_cmd){
                    .act = ACT_ROLE, .actor = actor, .targets = &who, .n_targets = 1, .num = (int64_t)role});
}
static inline enum err act_msg(struct fixture *f, uint32_t actor, uint32_t to, const char *text) {
  return fix_do(f, &(struct room_cmd){
                       .act = ACT_CHAT_TO, .actor = actor, .targets = &to, .n_targets = 1, .text = text});
}

/* What one undertakes to come in; *id is 0 on a refusal. */
static inline enum err fix_enter(struct fixture *f, const struct room_join *j, uint32_t *id) {
  struct room_events out = {0};
  *id = 0;
  enum err e = room_decide_join(&f->r, j, f->now, &out);
  if (e)
    return e;
  room_events_free(&f->last);
  f->last = out;
  fix_apply(f);
  *id = f->last.v[f->last.n - 1].entry->id;
  return ERR_OK;
}
static inline uint32_t join(struct fixture *f, const char *name, enum role role) {
  struct room_join j = {.name = name, .role = role, .audio = true};
  j.resume[0] = 0x55;
  j.resume[1] = (uint8_t)(f->r.id_last + 1);
  j.resume[2] = (uint8_t)((f->r.id_last + 1) >> 8);
  uint32_t id;
  assert_int_equal(fix_enter(f, &j, &id), ERR_OK);
  return id;
}

static inline enum err drop(struct fixture *f, uint32_t id) {
  struct room_events out = {0};
  enum err e = room_decide_drop(&f->r, id, f->now, &out);
  room_events_free(&f->last);
  f->last = out;
  fix_apply(f);
  return e;
}
/* Resume with the secret that join() gave to `id`; the new secret is the old one. */
static inline enum err resume(struct fixture *f, uint32_t id) {
  uint8_t secret[32] = {0x55, (uint8_t)id, (uint8_t)(id >> 8)};
  struct room_events out = {0};
  uint32_t found = 0;
  enum err e = room_decide_resume(&f->r, secret, secret, true, f->now, &found, &out);
  if (e)
    return e;
  assert_int_equal(found, id);
  room_events_free(&f->last);
  f->last = out;
  fix_apply(f);
  return ERR_OK;
}
static inline void expire(struct fixture *f) {
  struct room_events out = {0};
  room_decide_expire(&f->r, f->now, &out);
  room_events_free(&f->last);
  f->last = out;
  fix_apply(f);
}

static inline const struct member *who(const struct fixture *f, uint32_t id) {
  const struct member *m = room_member(&f->r, id);
  assert_non_null(m);
  return m;
}
static inline size_t count_events(const struct fixture *f, enum room_ev kind) {
  size_t n = 0;
  for (size_t i = 0; i < f->last.n; i++)
    n += f->last.v[i].kind == kind;
  return n;
}

static inline void fix_open(struct fixture *f, bool lobby, enum host_policy policy) {
  *f = (struct fixture){.now = 1700000000000};
  room_init(&f->r);
  assert_int_equal(room_decide_create("standup", lobby, policy, f->now, &f->last), ERR_OK);
  fix_apply(f);
}
static inline void fix_close(struct fixture *f) {
  room_events_free(&f->last);
  room_free(&f->r);
}

#endif
