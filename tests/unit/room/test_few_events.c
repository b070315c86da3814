/* One act is few events, however many people it is about: each event goes to every connection, and a thousand
 * at once would overflow every queue. Acts and their undo, with a thousand people, as a plain member sees it.
 */
#include "room_fixture.h"

#include <stdlib.h>
#include <time.h>

#define PEOPLE 1000
#define FIRST 4 /* owner, co, a plain member who looks on, then the crowd */
#define MOST 100

struct crowd {
  struct fixture f;
  uint32_t ids[PEOPLE];
};
static struct crowd c;

/* Straight into the room: the checks of room_fixture after each of thousands of events would take minutes. */
static void apply_all(struct room_events *out) {
  for (size_t i = 0; i < out->n; i++)
    room_apply(&c.f.r, &out->v[i]);
  const char *why = room_check(&c.f.r);
  if (why)
    fail_msg("%s", why);
}

static void enter(const char *name, enum role role) {
  struct room_join j = {.name = name, .role = role, .audio = true};
  struct room_events out = {0};
  uint32_t id = c.f.r.id_last + 1;
  memcpy(j.device, &id, sizeof id);
  assert_int_equal(room_decide_join(&c.f.r, &j, c.f.now, &out), ERR_OK);
  apply_all(&out);
  room_events_free(&out);
}

/* What the plain member gets of it. */
static size_t seen_by_member(const struct room_events *out) {
  size_t n = 0;
  for (size_t i = 0; i < out->n; i++)
    n += out->v[i].kind != ROOM_EV_ADMITTED && room_event_visible(&c.f.r, &out->v[i], 3);
  return n;
}

static enum err run(const struct room_cmd *cmd) {
  struct room_events out = {0};
  enum err e = room_decide(&c.f.r, cmd, c.f.now, &out);
  size_t n = seen_by_member(&out);
  if (n > MOST)
    fail_msg("%s: %d events", ACTS[cmd->act].name, (int)n);
  apply_all(&out);
  room_events_free(&out);
  return e;
}

static enum err run_on(enum act a, uint32_t actor, const uint32_t *ids, size_t n) {
  return run(&(struct room_cmd){.act = a, .actor = actor, .targets = ids, .n_targets = n});
}

static int open_crowd(void **state) {
  (void)state;
  memset(&c, 0, sizeof c);
  fix_open(&c.f, false, HOST_GONE_CONTINUE);
  enter("Owner", ROLE_OWNER);
  enter("Co", ROLE_COHOST);
  enter("Plain", ROLE_SPEAKER);
  for (uint32_t i = 0; i < PEOPLE; i++) {
    char name[16];
    (void)snprintf(name, sizeof name, "%u", i);
    c.ids[i] = FIRST + i;
    enter(name, i % 2 ? ROLE_SPEAKER : ROLE_AUDIENCE);
  }
  return 0;
}

static int close_crowd(void **state) {
  (void)state;
  fix_close(&c.f);
  return 0;
}

static uint64_t by_order(size_t i) { /* not that of ids */
  return c.ids[i * 7 % PEOPLE];
}

static void all_raise(void) {
  for (size_t i = 0; i < PEOPLE; i++)
    assert_int_equal(run(&(struct room_cmd){.act = ACT_HAND, .actor = (uint32_t)by_order(i)}), ERR_OK);
}

static void hands_come_back_in_their_order(void **state) {
  (void)state;
  all_raise();
  assert_int_equal(run_on(ACT_HANDS_DOWN, 2, NULL, 0), ERR_OK);
  assert_int_equal(run_on(ACT_HAND, 3, NULL, 0), ERR_OK); /* meanwhile: behind them all */
  assert_int_equal(run_on(ACT_UNDO, 2, NULL, 0), ERR_OK);
  for (size_t i = 0; i < PEOPLE; i += 37)
    assert_int_equal(room_hand_place(&c.f.r, (uint32_t)by_order(i)), i + 1);
  assert_int_equal(room_hand_place(&c.f.r, 3), PEOPLE + 1);
}

/* Every other one, in turns with those whose hand stays up. */
static void hands_between_others_come_back_too(void **state) {
  (void)state;
  uint32_t half[PEOPLE / 2], other[3] = {c.ids[1], c.ids[3], c.ids[5]};
  all_raise();
  for (size_t i = 0; i < PEOPLE / 2; i++)
    half[i] = (uint32_t)by_order(2 * i);
  assert_int_equal(run_on(ACT_HAND_LOWER, 1, other, 3), ERR_OK);
  assert_int_equal(run_on(ACT_HAND_LOWER, 2, half, PEOPLE / 2), ERR_OK);
  assert_int_equal(run_on(ACT_UNDO, 2, NULL, 0), ERR_OK);
  assert_int_equal(run_on(ACT_UNDO, 1, NULL, 0), ERR_OK); /* whose places others have by now */
  for (size_t i = 0; i < PEOPLE; i += 2)
    for (size_t k = i + 1; k < i + 40 && k < PEOPLE; k++)
      if (by_order(k) != other[0] && by_order(k) != other[1] && by_order(k) != other[2])
        assert_true(room_member(&c.f.r, (uint32_t)by_order(i))->hand <
                    room_member(&c.f.r, (uint32_t)by_order(k))->hand);
  for (size_t i = 0; i < 3; i++)
    assert_true(room_hand_place(&c.f.r, other[i]) > 0);
}

/* Of few each has his very place again, also when someone between them comes back later. */
static void places_with_gaps_come_back(void **state) {
  (void)state;
  for (size_t i = 0; i < 3; i++)
    assert_int_equal(run_on(ACT_HAND, c.ids[i], NULL, 0), ERR_OK);
  assert_int_equal(run_on(ACT_HAND_LOWER, 2, &c.ids[1], 1), ERR_OK);
  assert_int_equal(run_on(ACT_HANDS_DOWN, 2, NULL, 0), ERR_OK);
  assert_int_equal(run_on(ACT_UNDO, 2, NULL, 0), ERR_OK);
  assert_int_equal(run_on(ACT_UNDO, 2, NULL, 0), ERR_OK);
  for (size_t i = 0; i < 3; i++)
    assert_int_equal(room_hand_place(&c.f.r, c.ids[i]), i + 1);
}

static void side_rooms_come_back(void **state) {
  (void)state;
  static uint8_t side[PEOPLE + FIRST];
  assert_int_equal(run(&(struct room_cmd){.act = ACT_BREAKOUTS, .actor = 2, .num = 40}), ERR_OK);
  for (uint32_t i = 0; i < PEOPLE; i++)
    assert_int_equal(run(&(struct room_cmd){.act = ACT_MOVE,
                                            .actor = 2,
                                            .targets = &c.ids[i],
                                            .n_targets = 1,
                                            .num = (int64_t)(i * 11 % 37),
                                            .has_num = true}) ||
                         i % 37 == 0,
                     i % 37 == 0);
  for (size_t i = 0; i < c.f.r.n_members; i++)
    side[i] = c.f.r.members[i].side;
  assert_int_equal(run_on(ACT_DISTRIBUTE, 2, NULL, 0), ERR_OK);
  assert_int_equal(run_on(ACT_UNDO, 2, NULL, 0), ERR_OK);
  for (size_t i = 0; i < c.f.r.n_members; i++)
    assert_int_equal(c.f.r.members[i].side, side[i]);
}

/* Each has the floor since another time; nobody gets less time than he had left. */
static void floors_come_back(void **state) {
  (void)state;
  static int64_t since[PEOPLE];
  assert_int_equal(run_on(ACT_FLOOR_TAKE, 2, c.ids, PEOPLE), ERR_OK);
  for (uint32_t i = 0; i < PEOPLE; i++) {
    c.f.now += 10;
    assert_int_equal(run_on(ACT_FLOOR_GIVE, 2, &c.ids[i], 1), ERR_OK);
    since[i] = c.f.now;
  }
  assert_int_equal(run_on(ACT_FLOOR_TAKE, 2, c.ids, 50), ERR_OK);
  assert_int_equal(run_on(ACT_UNDO, 2, NULL, 0), ERR_OK);
  for (uint32_t i = 0; i < 50; i++) /* of few exactly */
    assert_int_equal(room_member(&c.f.r, c.ids[i])->floor_ms, since[i]);
  assert_int_equal(run_on(ACT_FLOOR_TAKE, 2, c.ids, PEOPLE), ERR_OK);
  assert_int_equal(run_on(ACT_UNDO, 2, NULL, 0), ERR_OK);
  for (uint32_t i = 0; i < PEOPLE; i++) {
    const struct member *m = room_member(&c.f.r, c.ids[i]);
    assert_true(m->floor && m->floor_ms >= since[i] && m->floor_ms <= since[i] + 300);
  }
}

static struct room_cmd ban(const uint32_t *ids, size_t n, int64_t seconds) {
  return (struct room_cmd){.act = ACT_BAN,
                           .actor = 2,
                           .targets = ids,
                           .n_targets = n,
                           .num = BAN_SPEAK,
                           .has_num = true,
                           .num2 = seconds,
                           .has_num2 = true};
}

/* Each has a ban of his own, and a place in the moderators' list; the room is told in a word. */
static void many_are_silenced_in_one_breath(void **state) {
  (void)state;
  uint32_t half[300];
  for (size_t i = 0; i < 300; i++)
    half[i] = c.ids[2 * i];
  struct room_cmd cmd = ban(half, 300, 0);
  assert_int_equal(run(&cmd), ERR_OK);
  cmd = ban(c.ids, 600, 60); /* every other one is held longer already */
  assert_int_equal(run(&cmd), ERR_OK);
  for (size_t i = 0; i < 600; i++) {
    const struct member *m = room_member(&c.f.r, c.ids[i]);
    const struct ban *b = NULL;
    for (size_t k = 0; k < c.f.r.n_bans; k++)
      b = c.f.r.bans[k].id == m->silenced ? &c.f.r.bans[k] : b;
    assert_true(b && memcmp(b->device, m->device, sizeof b->device) == 0);
    assert_int_equal(b->until_ms != 0, i % 2);
  }
  c.f.now += 60000;
  struct room_events out = {0};
  room_decide_expire(&c.f.r, c.f.now, &out);
  assert_true(seen_by_member(&out) <= MOST);
  apply_all(&out);
  room_events_free(&out);
  for (size_t i = 0; i < 600; i++)
    assert_int_equal(room_member(&c.f.r, c.ids[i])->silenced != 0, i % 2 == 0);
  room_decide_expire(&c.f.r, c.f.now, &out);
  assert_int_equal(out.n, 0); /* in one act */
}

/* ---- and little work ---- */

/* The least CPU time of a few runs, in a room of n. */
static clock_t least_time(uint32_t n, bool floors) {
  static uint32_t ids[ROOM_MEMBERS_MAX], out[8];
  struct fixture f;
  clock_t least = 0;
  fix_open(&f, false, HOST_GONE_CONTINUE);
  for (uint32_t i = 0; i < n; i++) { /* past room_decide_join: as many names take long to compare */
    struct member m = {
        .id = ids[i] = i + 1, .role = i ? ROLE_AUDIENCE : ROLE_OWNER, .presence = PRESENCE_HERE};
    (void)snprintf(m.name, sizeof m.name, "%u", i);
    memcpy(m.device, &ids[i], sizeof ids[i]);
    struct room_event ev = {
        .kind = ROOM_EV_JOINED, .seq = i + 2, .group = i + 2, .actor = i + 1, .entry = &m};
    room_apply(&f.r, &ev);
  }
  f.r.max_speakers = n;
  for (int run = 0; run < 5; run++) {
    struct room_events evs = {0};
    struct room_cmd cmd = {.act = ACT_FLOOR_GIVE, .actor = 1, .targets = ids + 1, .n_targets = n - 1};
    clock_t begin = clock();
    if (floors)
      assert_int_equal(room_decide(&f.r, &cmd, f.now, &evs), ERR_OK);
    else
      assert_int_equal(room_ban_also(&f.r, ids, n, out, 8), 0);
    clock_t took = clock() - begin;
    least = run == 0 || took < least ? took : least;
    room_events_free(&evs);
  }
  fix_close(&f);
  return least + 50;
}

static void five_times_the_people_are_not_25_times_the_work(void **state) {
  (void)state;
  for (int floors = 0; floors < 2; floors++)
    assert_true(least_time(ROOM_MEMBERS_MAX, floors) < 13 * least_time(ROOM_MEMBERS_MAX / 5, floors));
}

/* All acts, on all, and what takes them back. */
static void no_act_is_many_events(void **state) {
  (void)state;
  static const struct invite INVITE = {.role = ROLE_SPEAKER, .hash = {9}};
  static const struct secret SECRET = {.hash = {1}};
  size_t done = 0;
  all_raise();
  for (int round = 0; round < 2; round++)
    for (int a = 0; a < ACT__COUNT; a++) {
      enum act_target t = ACTS[a].target;
      if (a == ACT_END || a == ACT_REMOVE || a == ACT_LEAVE || (a == ACT_BAN && !round))
        continue;
      struct room_cmd cmd = {.act = (enum act)a,
                             .actor = t == TARGET_SELF ? 2 : 1,
                             .targets = c.ids,
                             .n_targets = t == TARGET_MANY ? (a == ACT_HOLD ? 100 : PEOPLE) : t == TARGET_ONE,
                             .num = a == ACT_ROLE ? ROLE_SPEAKER : 1 + round,
                             .num2 = 30,
                             .has_num = true,
                             .has_num2 = true,
                             .flags = round ? FLAG_HOLD : 0,
                             .text = a == ACT_POLL ? "q|a|b" : "text",
                             .word = "user:nobody",
                             .invite = &INVITE,
                             .secret = &SECRET};
      if (a == ACT_HOLD)
        cmd.targets = c.ids + PEOPLE - 100;
      if (run(&cmd) != ERR_OK)
        continue;
      done++;
      if (ACTS[a].undo)
        (void)run_on(ACT_UNDO, cmd.actor, NULL, 0);
    }
  assert_true(done > 70); /* else this would test refusals only */
  (void)run_on(ACT_REMOVE, 1, c.ids, PEOPLE);
}

#define T(test) cmocka_unit_test_setup_teardown(test, open_crowd, close_crowd)
int main(void) {
  const struct CMUnitTest tests[] = {
      T(hands_come_back_in_their_order),
      T(hands_between_others_come_back_too),
      T(places_with_gaps_come_back),
      T(side_rooms_come_back),
      T(floors_come_back),
      T(many_are_silenced_in_one_breath),
      T(no_act_is_many_events),
      cmocka_unit_test(five_times_the_people_are_not_25_times_the_work),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
