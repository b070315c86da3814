/* Side rooms: opened, dealt, moved, called back, closed. */
#include "room_fixture.h"

struct people {
  struct fixture f;
  uint32_t owner, host, co, mon, p[5];
};

static int setup(void **state) {
  static struct people p; /* one test at a time */
  fix_open(&p.f, false, HOST_GONE_CONTINUE);
  p.owner = join(&p.f, "Owner", ROLE_OWNER);
  p.host = join(&p.f, "Host", ROLE_HOST);
  p.co = join(&p.f, "Co", ROLE_COHOST);
  p.mon = join(&p.f, "Monitor", ROLE_MONITOR);
  for (int i = 0; i < 5; i++)
    p.p[i] = join(&p.f, "P", i % 2 ? ROLE_SPEAKER : ROLE_AUDIENCE);
  *state = &p;
  return 0;
}
static int teardown(void **state) {
  fix_close(&((struct people *)*state)->f);
  return 0;
}

/* Where the five are, one digit each. */
static const char *where(const struct people *p) {
  static char s[6];
  for (int i = 0; i < 5; i++)
    s[i] = (char)('0' + who(&p->f, p->p[i])->side);
  return s;
}

static void as_many_as_there_may_be_and_no_more(void **state) {
  struct people *p = *state;
  const int64_t bad[] = {-1, ROOM_SIDES_MAX + 1, 256, 257, INT64_MIN, INT64_MAX};
  for (size_t i = 0; i < 6; i++)
    assert_int_equal(act_num(&p->f, p->co, ACT_BREAKOUTS, bad[i]), ERR_BAD_ARG);
  assert_int_equal(act_num(&p->f, p->co, ACT_BREAKOUTS, 0), ERR_NO_CHANGE);
  assert_int_equal(act_num(&p->f, p->co, ACT_BREAKOUTS, ROOM_SIDES_MAX), ERR_OK);
  assert_int_equal(p->f.r.sides, ROOM_SIDES_MAX);
  assert_int_equal(p->f.last.v[0].num2, 0);
  assert_int_equal(act(&p->f, p->co, ACT_UNDO), ERR_NOTHING); /* closing is an act of its own */
}

static void only_into_a_room_that_is_open(void **state) {
  struct people *p = *state;
  assert_int_equal(act_on_num(&p->f, p->co, ACT_MOVE, p->p[0], 1), ERR_NO_SIDE);
  assert_int_equal(act(&p->f, p->co, ACT_DISTRIBUTE), ERR_NO_SIDE);
  assert_int_equal(act_num(&p->f, p->co, ACT_BREAKOUTS, 2), ERR_OK);
  const int64_t bad[] = {-1, 3, 256, 258, INT64_MIN, INT64_MAX};
  for (size_t i = 0; i < 6; i++)
    assert_int_equal(act_on_num(&p->f, p->co, ACT_MOVE, p->p[0], bad[i]), ERR_NO_SIDE);
  assert_int_equal(act_on_num(&p->f, p->co, ACT_MOVE, p->p[0], 2), ERR_OK);
  assert_string_equal(where(p), "20000");
  assert_int_equal(act_on_num(&p->f, p->co, ACT_MOVE, p->p[0], 2), ERR_NO_CHANGE);
  uint32_t two[] = {p->p[0], p->p[1]};
  struct room_cmd cmd = {.act = ACT_MOVE, .actor = p->co, .targets = two, .n_targets = 2, .num = 2};
  assert_int_equal(fix_do(&p->f, &cmd), ERR_OK);
  assert_int_equal(p->f.last.v[0].n_targets, 1); /* only whom it changed */
  assert_string_equal(where(p), "22000");
  assert_int_equal(who(&p->f, join(&p->f, "Late", ROLE_SPEAKER))->side, 0);
}

static void a_host_moves_himself_and_those_below(void **state) {
  struct people *p = *state;
  assert_int_equal(act_num(&p->f, p->co, ACT_BREAKOUTS, 2), ERR_OK);
  assert_int_equal(act_on_num(&p->f, p->co, ACT_MOVE, p->co, 1), ERR_OK);
  assert_int_equal(act_on_num(&p->f, p->co, ACT_MOVE, p->host, 1), ERR_RANK);
  assert_int_equal(act_on_num(&p->f, p->host, ACT_MOVE, p->co, 2), ERR_OK);
  assert_int_equal(act_on_num(&p->f, 0, ACT_MOVE, p->owner, 2), ERR_OK);
  assert_int_equal(act_on_num(&p->f, p->p[1], ACT_MOVE, p->p[1], 2), ERR_NOT_ALLOWED);
  assert_int_equal(act(&p->f, p->host, ACT_UNDO), ERR_OK);
  assert_int_equal(who(&p->f, p->co)->side, 1);
  assert_int_equal(act(&p->f, p->co, ACT_UNDO), ERR_OK);
  assert_int_equal(who(&p->f, p->co)->side, 0);
}

static void dealt_evenly_in_order_of_arrival(void **state) {
  struct people *p = *state;
  assert_int_equal(act_num(&p->f, p->co, ACT_BREAKOUTS, 2), ERR_OK);
  assert_int_equal(act_on_num(&p->f, p->co, ACT_MOVE, p->p[4], 2), ERR_OK);
  assert_int_equal(drop(&p->f, p->p[1]), ERR_OK);
  assert_int_equal(act(&p->f, p->co, ACT_DISTRIBUTE), ERR_OK);
  assert_int_equal(p->f.last.n, 2);       /* one event a room */
  assert_string_equal(where(p), "10212"); /* who is away stays */
  assert_int_equal(who(&p->f, p->co)->side, 0);
  assert_int_equal(who(&p->f, p->mon)->side, 0);
  assert_int_equal(act(&p->f, p->co, ACT_DISTRIBUTE), ERR_NO_CHANGE);
  assert_int_equal(act(&p->f, p->co, ACT_UNDO), ERR_OK);
  assert_string_equal(where(p), "00002"); /* each where he was */
}

static void who_comes_back_is_where_he_was(void **state) {
  struct people *p = *state;
  assert_int_equal(act_num(&p->f, p->co, ACT_BREAKOUTS, 3), ERR_OK);
  assert_int_equal(act_on_num(&p->f, p->co, ACT_MOVE, p->p[2], 3), ERR_OK);
  assert_int_equal(drop(&p->f, p->p[2]), ERR_OK);
  assert_int_equal(resume(&p->f, p->p[2]), ERR_OK);
  assert_string_equal(where(p), "00300");
}

static void closing_a_room_brings_its_people_back(void **state) {
  struct people *p = *state;
  assert_int_equal(act_num(&p->f, p->co, ACT_BREAKOUTS, 3), ERR_OK);
  assert_int_equal(act(&p->f, p->co, ACT_DISTRIBUTE), ERR_OK);
  assert_string_equal(where(p), "12312");
  assert_int_equal(act_num(&p->f, p->co, ACT_BREAKOUTS, 1), ERR_OK);
  assert_string_equal(where(p), "10010");
  assert_int_equal(act(&p->f, p->co, ACT_UNDO), ERR_OK); /* of the dealing: no way into a closed room */
  assert_string_equal(where(p), "00000");
}

static void the_recall_comes_when_it_says(void **state) {
  struct people *p = *state;
  assert_int_equal(act(&p->f, p->co, ACT_RECALL), ERR_NOTHING);
  assert_int_equal(act_num(&p->f, p->co, ACT_BREAKOUTS, 2), ERR_OK);
  assert_int_equal(act(&p->f, p->co, ACT_DISTRIBUTE), ERR_OK);
  const int64_t bad[] = {-1, (int64_t)ROOM_SECONDS_MAX + 1, INT64_MIN, INT64_MAX};
  for (size_t i = 0; i < 4; i++)
    assert_int_equal(act_num2(&p->f, p->co, ACT_RECALL, bad[i]), ERR_BAD_ARG);
  assert_int_equal(act(&p->f, p->co, ACT_RECALL), ERR_OK); /* 60 s when nothing is said */
  assert_int_equal(p->f.r.recall_ms, p->f.now + 60000);
  assert_int_equal(room_next_expiry(&p->f.r), p->f.now + 60000);
  assert_int_equal(act(&p->f, p->co, ACT_UNDO), ERR_OK);
  assert_int_equal(p->f.r.recall_ms, 0);
  assert_int_equal(act_num2(&p->f, p->co, ACT_RECALL, 30), ERR_OK);
  p->f.now += 29999;
  expire(&p->f);
  assert_string_equal(where(p), "12121");
  p->f.now += 1;
  expire(&p->f);
  assert_string_equal(where(p), "00000");
  assert_int_equal(p->f.r.sides, 0);
  assert_int_equal(p->f.r.recall_ms, 0);
  assert_int_equal(p->f.last.v[p->f.last.n - 1].actor, 0);
  assert_int_equal(room_next_expiry(&p->f.r), INT64_MAX);
  expire(&p->f);
  assert_int_equal(p->f.last.n, 0);
}

static void at_once_means_at_once(void **state) {
  struct people *p = *state;
  assert_int_equal(act_num(&p->f, p->co, ACT_BREAKOUTS, 2), ERR_OK);
  assert_int_equal(act(&p->f, p->co, ACT_DISTRIBUTE), ERR_OK);
  assert_int_equal(act_num2(&p->f, p->co, ACT_RECALL, 0), ERR_OK);
  expire(&p->f);
  assert_string_equal(where(p), "00000");
  assert_int_equal(act(&p->f, p->co, ACT_UNDO), ERR_NOTHING); /* they are back */
}

static void closing_all_rooms_ends_the_recall(void **state) {
  struct people *p = *state;
  assert_int_equal(act_num(&p->f, p->co, ACT_BREAKOUTS, 2), ERR_OK);
  assert_int_equal(act(&p->f, p->co, ACT_RECALL), ERR_OK);
  assert_int_equal(act_num(&p->f, p->co, ACT_BREAKOUTS, 0), ERR_OK);
  assert_int_equal(p->f.r.recall_ms, 0);
  assert_int_equal(act_num(&p->f, p->co, ACT_BREAKOUTS, 2), ERR_OK);
  p->f.now += 60000;
  expire(&p->f);
  assert_int_equal(p->f.r.sides, 2);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
int main(void) {
  const struct CMUnitTest tests[] = {
      T(as_many_as_there_may_be_and_no_more),  T(only_into_a_room_that_is_open),
      T(a_host_moves_himself_and_those_below), T(dealt_evenly_in_order_of_arrival),
      T(who_comes_back_is_where_he_was),       T(closing_a_room_brings_its_people_back),
      T(the_recall_comes_when_it_says),        T(at_once_means_at_once),
      T(closing_all_rooms_ends_the_recall),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
