/* What an operator is shown who listens in silence. */
#include "core/wire/room_json.h"
#include "tests/unit/room/monitor_fixture.h"

/* What he who is no member sees is what a listener sees who has just come, has no rights and wrote nothing.
 */
static void test_silent_sees_what_the_audience_sees(void **state) {
  (void)state;
  struct fixture f = begin(true);
  uint32_t host = join(&f, "Ann", ROLE_HOST), waits, ear;
  assert_int_equal(enter(&f, false, ROLE_SPEAKER, &waits), ERR_OK);
  assert_int_equal(enter(&f, true, ROLE_MONITOR, &ear), ERR_OK);
  assert_int_equal(act_text(&f, host, ACT_CHAT, "for all"), ERR_OK);
  assert_int_equal(act_text(&f, host, ACT_CHAT_HOSTS, "for hosts"), ERR_OK);
  assert_int_equal(act_text(&f, host, ACT_LOBBY_SAY, "for the lobby"), ERR_OK);
  assert_int_equal(act_msg(&f, host, waits, "for one"), ERR_OK);
  assert_int_equal(room_view_of(&f.r, ROOM_SILENT), VIEW_MEMBER);
  assert_false(room_may_send(&f.r, ROOM_SILENT));
  json_t *his = room_to_wire(&f.r, ROOM_SILENT), *listener = room_to_wire(&f.r, ear);
  char *a = json_dumps(his, JSON_SORT_KEYS), *b = json_dumps(listener, JSON_SORT_KEYS);
  assert_string_equal(a, b);
  assert_non_null(strstr(a, "for all"));
  assert_null(strstr(a, "for hosts"));
  assert_null(strstr(a, "for the lobby"));
  assert_null(strstr(a, "for one"));
  free(a);
  free(b);
  json_decref(his);
  json_decref(listener);
  end(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_silent_sees_what_the_audience_sees)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
