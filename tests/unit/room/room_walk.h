/* room_walk.h: seeded random lives of a room, over all acts, for tests of what others are told of it. Each
 * event goes to `event`, which has to apply it to f.r. Tests only. */
#ifndef GAVEL_TESTS_ROOM_WALK_H
#define GAVEL_TESTS_ROOM_WALK_H

#include "core/base/rng.h"
#include "tests/unit/room/room_fixture.h"

struct walk {
  struct rng rng;
  struct fixture f;
  void (*event)(struct walk *w, const struct room_event *ev);
};

static inline uint32_t below(struct walk *w, uint32_t n) {
  return (uint32_t)rng_below(&w->rng, n);
}

static inline void all_events(struct walk *w, struct room_events *out, enum err e) {
  assert_true(!e || out->n == 0);
  for (size_t i = 0; i < out->n; i++)
    w->event(w, &out->v[i]);
  room_events_free(out);
}

/* ---- what people do ---- */

static inline uint32_t anyone(struct walk *w) {
  const struct room *r = &w->f.r;
  return r->n_members ? r->members[below(w, (uint32_t)r->n_members)].id : 0;
}

static inline void someone_joins(struct walk *w) {
  static const char *const NAMES[] = {"Ann", "Bob", "Carl"}, *const USERS[] = {"", "a@x", "b@x"};
  static const enum role ROLES[] = {ROLE_OWNER,    ROLE_HOST,     ROLE_COHOST,  ROLE_SPEAKER, ROLE_SPEAKER,
                                    ROLE_AUDIENCE, ROLE_AUDIENCE, ROLE_MONITOR, ROLE_SPEAKER};
  struct room_join j = {.name = NAMES[below(w, 3)],
                        .user = USERS[below(w, 3)],
                        .role = ROLES[below(w, 9)],
                        .audio = true,
                        .password_ok = below(w, 2)};
  j.device[0] = (uint8_t)below(w, 4);
  if (w->f.r.n_invites && below(w, 3) == 0)
    j.invite_hash = w->f.r.invites[0].hash;
  j.resume[0] = 1;
  memcpy(j.resume + 4, &(uint32_t){w->f.r.id_last + 1}, 4);
  struct room_events out = {0};
  if (w->f.r.n_members < 14) {
    enum err e = room_decide_join(&w->f.r, &j, w->f.now, &out);
    all_events(w, &out, e);
  }
}

static inline void a_connection_breaks_or_returns(struct walk *w) {
  uint32_t id = anyone(w), found;
  uint8_t secret[32] = {1};
  memcpy(secret + 4, &id, 4);
  struct room_events out = {0};
  enum err e = below(w, 2) ? room_decide_drop(&w->f.r, id, w->f.now, &out)
                           : room_decide_resume(&w->f.r, secret, secret, true, w->f.now, &found, &out);
  all_events(w, &out, e);
}

static inline void time_passes(struct walk *w) {
  w->f.now += below(w, 10) ? below(w, 3000) : below(w, 200000);
  struct room_events out = {0};
  room_decide_expire(&w->f.r, w->f.now, &out);
  all_events(w, &out, ERR_OK);
}

static inline int64_t some_id(struct walk *w) {
  const struct room *r = &w->f.r;
  switch (below(w, 5)) {
  case 0:
    return r->n_bans ? (int64_t)r->bans[below(w, (uint32_t)r->n_bans)].id : 1;
  case 1:
    return r->n_trusted ? (int64_t)r->trusted[0].id : 1;
  case 2:
    return r->n_notes ? (int64_t)r->notes[0].id : 1;
  case 3:
    return r->n_chat ? (int64_t)r->chat[below(w, (uint32_t)r->n_chat)].id : 1;
  default:
    return r->n_invites ? (int64_t)r->invites[0].id : 1;
  }
}

static inline void someone_acts(struct walk *w) {
  static const char *const TEXTS[] = {"x", "Eve", "q | yes | no", "see example.com/x", "one; two", ""};
  static const char *const WORDS[] = {"user:a@x", "invite:9", "cidr:192.0.2.0/24", "junk"};
  struct invite inv = {.role = ROLE_AUDIENCE,
                       .uses_left = below(w, 4),
                       .bypass = below(w, 2),
                       .hash = {(uint8_t)below(w, 256)}};
  struct secret secret = {.hash = {(uint8_t)(1 + below(w, 2))}};
  uint32_t who_[3] = {anyone(w), anyone(w), anyone(w)};
  struct room_cmd cmd = {.act = (enum act)below(w, ACT__COUNT),
                         .actor = below(w, 4) ? anyone(w) : 0,
                         .targets = who_,
                         .num = below(w, 2) ? below(w, 4) : some_id(w),
                         .num2 = below(w, 60),
                         .has_num = true,
                         .has_num2 = true,
                         .flags = below(w, 64),
                         .text = TEXTS[below(w, 6)],
                         .word = WORDS[below(w, 4)],
                         .invite = &inv,
                         .secret = below(w, 4) ? &secret : NULL};
  enum act_target t = ACTS[cmd.act].target;
  cmd.n_targets = t == TARGET_NONE || t == TARGET_SELF ? 0 : t == TARGET_ONE ? 1 : 1 + below(w, 3);
  if (cmd.act == ACT_END || (cmd.act == ACT_POLICY && cmd.num == HOST_GONE_END))
    return;
  struct room_events out = {0};
  enum err e = room_decide(&w->f.r, &cmd, w->f.now, &out);
  all_events(w, &out, e);
}

static inline void walk_begin(struct walk *w, uint64_t seed,
                              void (*event)(struct walk *w, const struct room_event *ev)) {
  *w = (struct walk){.event = event};
  rng_seed(&w->rng, seed);
  fix_open(&w->f, true, HOST_GONE_CONTINUE);
}

static inline void walk_step(struct walk *w) {
  if (below(w, 8) == 0)
    someone_joins(w);
  if (below(w, 20) == 0)
    a_connection_breaks_or_returns(w);
  if (below(w, 8) == 0)
    time_passes(w);
  someone_acts(w);
}

#endif
