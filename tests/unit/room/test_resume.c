/* Lost connections: nothing is lost, nothing is won, and after two minutes the place is gone. */
#include "room_fixture.h"

static void resuming_changes_no_right(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, false, HOST_GONE_CONTINUE);
  uint32_t host = join(&f, "Host", ROLE_HOST), a = join(&f, "A", ROLE_COHOST),
           b = join(&f, "B", ROLE_AUDIENCE);
  assert_int_equal(act_role(&f, host, a, ROLE_SPEAKER), ERR_OK); /* demoted ... */
  assert_int_equal(act_on(&f, host, ACT_FLOOR_TAKE, a), ERR_OK);
  assert_int_equal(act_on(&f, host, ACT_MUTE, a), ERR_OK);
  assert_int_equal(act_on(&f, host, ACT_FLOOR_GIVE, b), ERR_OK);
  assert_int_equal(act(&f, b, ACT_HAND), ERR_OK);
  struct member before_a = *who(&f, a), before_b = *who(&f, b);
  assert_int_equal(drop(&f, a), ERR_OK);
  assert_int_equal(drop(&f, b), ERR_OK);
  assert_int_equal(who(&f, a)->presence, PRESENCE_AWAY);
  assert_int_equal(room_hand_place(&f.r, b), 1); /* the hand waits for him */
  f.now += ROOM_AWAY_MS - 1;
  assert_int_equal(resume(&f, a), ERR_OK);
  assert_int_equal(resume(&f, b), ERR_OK);
  assert_memory_equal(&before_a, who(&f, a),
                      sizeof before_a); /* ... and still demoted, muted, without floor */
  assert_memory_equal(&before_b, who(&f, b), sizeof before_b);
  fix_close(&f);
}

static void the_secret_is_replaced_and_must_match(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, false, HOST_GONE_CONTINUE);
  struct room_join j = {.name = "A", .role = ROLE_SPEAKER, .resume = {1, 2, 3}};
  uint8_t old[32] = {1, 2, 3}, new[32] = {9}, zero[32] = {0};
  uint32_t a, id = 0;
  assert_int_equal(fix_enter(&f, &j, &a), ERR_OK);
  struct room_events out = {0};
  assert_int_equal(room_decide_resume(&f.r, zero, new, true, f.now, &id, &out), ERR_NO_RESUME);
  assert_int_equal(room_decide_resume(&f.r, new, old, true, f.now, &id, &out), ERR_NO_RESUME);
  assert_int_equal(room_decide_resume(&f.r, old, new, true, f.now, &id, &out),
                   ERR_OK); /* also while still here */
  assert_int_equal(id, a);
  room_events_free(&f.last);
  f.last = out;
  fix_apply(&f);
  assert_true(who(&f, a)->audio);
  out = (struct room_events){0};
  assert_int_equal(room_decide_resume(&f.r, old, new, true, f.now, &id, &out), ERR_NO_RESUME);
  struct room_join blank = {.name = "No secret", .role = ROLE_SPEAKER};
  assert_int_equal(fix_enter(&f, &blank, &id), ERR_OK);
  assert_int_equal(room_decide_resume(&f.r, zero, new, true, f.now, &id, &out), ERR_NO_RESUME);
  fix_close(&f);
}

static void after_the_window_the_person_has_left(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, true, HOST_GONE_CONTINUE);
  uint32_t host = join(&f, "Host", ROLE_HOST), w = join(&f, "W", ROLE_SPEAKER),
           x = join(&f, "X", ROLE_SPEAKER);
  assert_true(room_next_expiry(&f.r) == INT64_MAX);
  assert_int_equal(drop(&f, w), ERR_OK);
  int64_t dropped = f.now;
  assert_int_equal(who(&f, w)->presence, PRESENCE_WAITING);
  assert_int_equal(room_lobby_place(&f.r, w), 1); /* he keeps his place */
  f.now += 1000;
  assert_int_equal(drop(&f, host), ERR_OK);
  assert_int_equal(drop(&f, w), ERR_OK); /* twice is nothing */
  assert_int_equal(f.last.n, 0);
  assert_true(room_next_expiry(&f.r) == dropped + ROOM_AWAY_MS);
  f.now = dropped + ROOM_AWAY_MS - 1;
  expire(&f);
  assert_int_equal(f.last.n, 0);
  f.now = dropped + ROOM_AWAY_MS;
  assert_int_equal(resume(&f, w), ERR_NO_RESUME);
  f.now += 1000;
  expire(&f);
  assert_int_equal(f.last.n, 2); /* one event for inside, one for the lobby */
  assert_int_equal(f.last.v[0].num, 1);
  assert_int_equal(f.r.n_members, 1);
  assert_int_equal(f.r.members[0].id, x);
  assert_true(room_next_expiry(&f.r) == INT64_MAX);
  struct room_events out = {0};
  assert_int_equal(room_decide_drop(&f.r, w, f.now, &out), ERR_NO_MEMBER);
  fix_close(&f);
}

static void who_waits_resumes_at_his_place_and_is_admitted_while_away(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, true, HOST_GONE_CONTINUE);
  uint32_t host = join(&f, "Host", ROLE_HOST), w = join(&f, "W", ROLE_SPEAKER),
           x = join(&f, "X", ROLE_SPEAKER);
  assert_int_equal(drop(&f, w), ERR_OK);
  assert_int_equal(resume(&f, w), ERR_OK);
  assert_int_equal(who(&f, w)->presence, PRESENCE_WAITING);
  assert_int_equal(who(&f, w)->dropped_ms, 0);
  assert_int_equal(drop(&f, x), ERR_OK);
  assert_int_equal(act(&f, host, ACT_ADMIT_ALL), ERR_OK);
  assert_int_equal(who(&f, w)->presence, PRESENCE_HERE);
  assert_int_equal(who(&f, x)->presence, PRESENCE_AWAY);
  assert_int_equal(resume(&f, x), ERR_OK);
  assert_int_equal(who(&f, x)->presence, PRESENCE_HERE);
  fix_close(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(resuming_changes_no_right),
      cmocka_unit_test(the_secret_is_replaced_and_must_match),
      cmocka_unit_test(after_the_window_the_person_has_left),
      cmocka_unit_test(who_waits_resumes_at_his_place_and_is_admitted_while_away),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
