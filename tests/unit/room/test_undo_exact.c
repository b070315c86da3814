/* Undo right after any act of voice, floor and side rooms puts everybody back exactly as he was, from
 * thousands of rooms that chance made; and every rule of room_check holds after each event on the way. */
#include "room_fixture.h"

#define PEOPLE 12

struct dice {
  uint64_t x;
};
static uint32_t throw(struct dice * d, uint32_t n) {
  d->x = d->x * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(d->x >> 33) % n;
}

static const enum act ACTS_TRIED[] = {
    ACT_MUTE,       ACT_MUTE_ALL,    ACT_MUTE_LIFT,  ACT_MUTE_ENTRY,   ACT_FLOOR_GIVE,
    ACT_FLOOR_TAKE, ACT_ONE_SPEAKER, ACT_PRIORITY,   ACT_GAIN,         ACT_TALK_TIME,
    ACT_HAND,       ACT_HAND_LOWER,  ACT_HANDS_DOWN, ACT_NEXT,         ACT_ROLE,
    ACT_MOVE,       ACT_DISTRIBUTE,  ACT_RECALL,     ACT_MAX_SPEAKERS,
};
#define N_TRIED (sizeof ACTS_TRIED / sizeof ACTS_TRIED[0])

static int64_t number_for(struct dice *d, enum act a) {
  switch (a) {
  case ACT_GAIN:
    return (int64_t) throw(d, 33) - 20;
  case ACT_ROLE:
    return ROLE_AUDIENCE + (int64_t) throw(d, 4);
  case ACT_MOVE:
  case ACT_BREAKOUTS:
    return throw(d, 5);
  case ACT_MAX_SPEAKERS:
    return throw(d, 6);
  default:
    return throw(d, 2);
  }
}

/* Some act by somebody on somebody; most that chance says is refused, as it should be. */
static enum err try(struct fixture *f, struct dice *d, enum act a, uint32_t actor) {
  uint32_t ids[3] = {1 + throw(d, PEOPLE), 1 + throw(d, PEOPLE), 1 + throw(d, PEOPLE)};
  size_t n = throw(d, 4);
  enum act_target t = ACTS[a].target;
  n = t == TARGET_NONE || t == TARGET_SELF ? 0 : t == TARGET_ONE ? 1 : n;
  struct room_cmd cmd = {.act = a,
                         .actor = actor,
                         .targets = ids,
                         .n_targets = n,
                         .num = number_for(d, a),
                         .has_num = true,
                         .num2 = throw(d, 100),
                         .has_num2 = true,
                         .flags = throw(d, 8)};
  return fix_do(f, &cmd);
}

static void shake(struct fixture *f, struct dice *d) {
  for (int i = 0; i < 30; i++) {
    enum act a = ACTS_TRIED[throw(d, N_TRIED)];
    uint32_t one = throw(d, 12);
    a = one == 0   ? ACT_BREAKOUTS
        : one == 1 ? ACT_UNMUTE
        : one == 2 ? ACT_ASK_UNMUTE
        : one == 3 ? ACT_UNDO
                   : a;
    (void)try(f, d, a, throw(d, PEOPLE + 1));
    f->now += throw(d, 3000);
    expire(f);
  }
}

static void check_same(const struct member *a, const struct member *b, enum act act, uint64_t seed) {
  /* Who was a host for a moment has no turn any more, only the floor. */
  bool turn = act == ACT_ROLE || a->floor_ms == b->floor_ms;
  if (a->role != b->role || a->muted != b->muted || a->muted_by != b->muted_by || a->exempt != b->exempt ||
      a->floor != b->floor || !turn || a->priority != b->priority || a->gain_db != b->gain_db ||
      a->side != b->side || a->hand != b->hand)
    fail_msg("%s, seed %d, person %u: floor %d was %d, muted %d was %d by %u was %u, exempt %d was %d",
             ACTS[act].name, (int)seed, a->id, a->floor, b->floor, a->muted, b->muted, a->muted_by,
             b->muted_by, a->exempt, b->exempt);
}

static void undo_puts_everything_back(void **state) {
  (void)state;
  size_t done[N_TRIED] = {0};
  for (uint64_t seed = 1; seed <= 3000; seed++) {
    struct fixture f;
    struct dice d = {seed};
    fix_open(&f, false, HOST_GONE_CONTINUE);
    for (uint32_t i = 0; i < PEOPLE; i++)
      (void)join(&f, "P", i == 0 ? ROLE_OWNER : ROLE_AUDIENCE + throw(&d, 4));
    shake(&f, &d);
    size_t k = throw(&d, N_TRIED);
    uint32_t actor = throw(&d, 3) ? 1 : throw(&d, PEOPLE + 1);
    enum act tried = ACTS_TRIED[k];
    if (tried == ACT_ROLE || tried == ACT_NEXT || tried == ACT_FLOOR_GIVE)
      actor = 0; /* what others give their betters, or an equal they made, stays */
    struct member was[PEOPLE];
    memcpy(was, f.r.members, sizeof was);
    int64_t set[ROOM_EV__COUNT];
    for (int e = 0; e < ROOM_EV__COUNT; e++)
      set[e] = room_setting(&f.r, (enum room_ev)e);
    if (!try(&f, &d, tried, actor)) {
      done[k]++;
      if (act(&f, actor, ACT_UNDO) != ERR_OK)
        fail_msg("%s, seed %d: not undone", ACTS[tried].name, (int)seed);
      for (size_t i = 0; i < PEOPLE; i++)
        check_same(&f.r.members[i], &was[i], tried, seed);
      for (int e = 0; e < ROOM_EV__COUNT; e++)
        assert_int_equal(room_setting(&f.r, (enum room_ev)e), set[e]);
    }
    fix_close(&f);
  }
  for (size_t k = 0; k < N_TRIED; k++) /* each of them was really put to the test */
    assert_true(done[k] >= 5);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(undo_puts_everything_back)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
