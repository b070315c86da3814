/* An operator who listens: announced he is past every door and takes nobody's place; in silence he is
 * nobody. */
#include "monitor_fixture.h"

static void test_past_every_door(void **state) {
  (void)state;
  struct fixture f = begin(true);
  uint32_t host = join(&f, "Ann", ROLE_HOST), id;
  struct secret word = {{1}, {2}};
  assert_int_equal(act(&f, host, ACT_LOCK), ERR_OK);
  assert_int_equal(
      fix_do(&f, &(struct room_cmd){.act = ACT_PASSWORD, .actor = host, .secret = &word, .text = "x"}),
      ERR_OK);
  assert_int_equal(enter(&f, false, ROLE_MONITOR, &id),
                   ERR_ROOM_LOCKED); /* a link of that role is none of those */
  assert_int_equal(enter(&f, true, ROLE_MONITOR, &id), ERR_OK);
  assert_int_equal(room_member(&f.r, id)->presence, PRESENCE_HERE);
  assert_int_equal(room_member(&f.r, id)->role, ROLE_MONITOR);
  assert_false(room_may_send(&f.r, id));
  assert_true(room_may_hear(&f.r, id));
  assert_int_equal(room_view_of(&f.r, id), VIEW_MEMBER);
  assert_int_equal(act_role(&f, host, id, ROLE_SPEAKER), ERR_NOT_ALLOWED); /* nobody gives him a voice */
  assert_int_equal(act_on(&f, host, ACT_FLOOR_GIVE, id), ERR_NOT_ALLOWED);
  assert_int_equal(act_on(&f, host, ACT_REMOVE, id), ERR_OK); /* a host may send him away */
  end(&f);
}

static void test_he_is_no_host_being_there(void **state) {
  (void)state;
  struct fixture f = begin(false);
  uint32_t host = join(&f, "Ann", ROLE_HOST), id;
  assert_int_equal(enter(&f, true, ROLE_MONITOR, &id), ERR_OK);
  assert_int_equal(f.r.no_host_ms, 0);
  f.now = 5000;
  assert_int_equal(act(&f, host, ACT_LEAVE), ERR_OK);
  assert_int_equal(f.r.no_host_ms, 5000);
  assert_int_equal(enter(&f, false, ROLE_SPEAKER, &id), ERR_OK);
  assert_int_equal(room_member(&f.r, id)->presence, PRESENCE_WAITING); /* by the policy of this room */
  end(&f);
}

static void test_he_takes_nobodys_place(void **state) {
  (void)state;
  struct fixture f = begin(false);
  uint32_t host = join(&f, "Ann", ROLE_HOST), id;
  assert_int_equal(act_num(&f, host, ACT_MAX_PEOPLE, 2), ERR_OK);
  for (unsigned i = 0; i < 3; i++)
    assert_int_equal(enter(&f, true, ROLE_MONITOR, &id), ERR_OK);
  assert_int_equal(enter(&f, false, ROLE_SPEAKER, &id), ERR_OK);
  assert_int_equal(enter(&f, false, ROLE_SPEAKER, &id), ERR_ROOM_FULL);
  assert_int_equal(enter(&f, true, ROLE_MONITOR, &id), ERR_OK); /* nor is he kept out */
  end(&f);
}

/* No act reaches him, or is his. */
static void test_silent_is_nobody(void **state) {
  (void)state;
  struct fixture f = begin(false);
  uint32_t host = join(&f, "Ann", ROLE_HOST);
  for (enum act a = 0; a < ACT__COUNT; a++) {
    assert_int_not_equal(act(&f, ROOM_SILENT, a), ERR_OK);
    assert_int_not_equal(room_allows(&f.r, ROOM_SILENT, a, 0), ERR_OK);
    if (ACTS[a].target == TARGET_ONE || ACTS[a].target == TARGET_MANY || ACTS[a].target == TARGET_WAITING)
      assert_int_not_equal(act_on(&f, host, a, ROOM_SILENT), ERR_OK);
  }
  assert_null(room_member(&f.r, ROOM_SILENT));
  end(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_past_every_door), cmocka_unit_test(test_he_is_no_host_being_there),
      cmocka_unit_test(test_he_takes_nobodys_place), cmocka_unit_test(test_silent_is_nobody)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
