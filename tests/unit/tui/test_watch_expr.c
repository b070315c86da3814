/* Conditions of `gavel watch`: what is accepted and what it means for a room; every refusal names its spot.
 */
#include "tests/unit/tui/watch_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The rooms of the fixture that meet a condition, by name with blanks; "?" and the fault when it is refused.
 */
static const char *meets(const char *text, char out[400]) {
  struct watch_expr e;
  struct watch_fault fault;
  out[0] = '\0';
  if (watch_expr_parse(text, false, &e, &fault) != ERR_OK) {
    snprintf(out, 400, "?%zu %s", fault.at, fault.why);
    return out;
  }
  for (size_t i = 0; i < WF_N; i++) {
    struct watch_row row;
    json_t *o = wf_row(&WF_ROOMS[i]);
    assert_int_equal(watch_row_read(o, &row), ERR_OK);
    json_decref(o);
    if (watch_expr_room(&e, &row, WF_WALL_MS))
      assert_true(text_append(out, 400, out[0] ? " " : "") && text_append(out, 400, row.name));
  }
  return out;
}

static void test_what_it_means(void **state) {
  (void)state;
  static const char *const TABLE[][2] = {
      {"loss>5", "standup"},
      {"loss>5%", "standup"},
      {"loss > 3.9%", "standup all-hands"},
      {"loss >3.9 stand", "standup"},
      {"loss>=4", "standup all-hands"},
      {"loss>3.999", "standup all-hands"},
      {"loss>4.0", "standup"},
      {"waiting>0", "standup all-hands lunch"},
      {"waiting>0 app=globex", "all-hands lunch"},
      {"  app=GLOBEX   lunch ", "lunch"},
      {"stand", "standup"},
      {"SUPPORT- people=0", "support-2"},
      {"room=board", "board"},
      {"room!=board app=", "?16 a text is wanted here"},
      {"app~lob", "all-hands lunch"},
      {"mos<3.0", "standup"},
      {"mos<3.6", "standup all-hands"},
      {"mos!=9", "standup retro board all-hands"}, /* not known meets nothing */
      {"jitter>=60ms", "all-hands"},
      {"jitter>0.05s", "all-hands"},
      {"time>1h", "standup support-1"},
      {"time>1.1h", "support-1"},
      {"time<5m", "board"},
      {"waited>=90", "standup all-hands lunch"},
      {"people>2k", "all-hands"},
      {"thin>0", "standup all-hands"},
      {"alerts>0", "standup lunch support-1"},
      {"alerts=lobby", "lunch"},
      {"alerts!=loss alerts>0", "lunch support-1"},
      {"alerts~no_host", "support-1"},
      {"loss_up>2 loss_down>4", "standup"},
      {"people<1", "lunch support-2"},
      {"nosuchroom", ""},
      {"room~and", "standup all-hands"},
  };
  char out[400];
  for (size_t i = 0; i < sizeof TABLE / sizeof TABLE[0]; i++) {
    const char *got = meets(TABLE[i][0], out), *want = TABLE[i][1];
    if (want[0] == '?' ? strncmp(got, want, strlen(want)) != 0 : strcmp(got, want) != 0)
      fail_msg("%s: %s instead of %s", TABLE[i][0], got, want);
  }
}

static void test_faults(void **state) {
  (void)state;
  static const char *const TABLE[][2] = {
      {"", "?0 there is no condition here"},
      {"   ", "?3 there is no condition here"},
      {"loss>>5", "?5 a number is wanted here"},
      {"loss>x", "?5 a number is wanted here, not \"x\""},
      {"loss>", "?5 a number is wanted here"},
      {"loss>5%%", "?6 the unit here may be \"%\""},
      {"loss>5ms", "?6 the unit here may be \"%\""},
      {"loss!5", "?4 an operator is one of"},
      {"people>0 lost>5", "?9 there is no field \"lost\""},
      {">5", "?0 a field is missing before this"},
      {"time>2w", "?6 the unit here may be \"s, m, h or d\""},
      {"mos<3.", "?5 the unit here may be \"none\""},
      {"loss~5", "?5 numbers are not compared by ~"},
      {"app>acme", "?4 texts are compared by =, != or ~"},
      {"people>99999999999999999999", "?7 this number is too large"},
      {"rooms<1", "?0 a room has no field \"rooms\""},
      {"cpu>90%", "?0 a room has no field \"cpu\""},
      {"app=\xff", "?4 this is not UTF-8"},
      {"loss > 5 %", "?9 no room's name has \"%\""},
      {"loss>5% and mos<3", "?8 all conditions must hold; there is no \"and\""},
      {"loss>5% OR mos<3", "?8 all conditions must hold; there is no \"OR\""},
      {"loss>5 && mos<3", "?7 no room's name has \"&&\""},
      {"a b c d e f g h i j k l m n o p q", "?32 there are too many conditions"},
  };
  char out[400], longest[WATCH_EXPR_MAX + 2];
  for (size_t i = 0; i < sizeof TABLE / sizeof TABLE[0]; i++)
    if (strncmp(meets(TABLE[i][0], out), TABLE[i][1], strlen(TABLE[i][1])) != 0)
      fail_msg("%s: %s instead of %s", TABLE[i][0], out, TABLE[i][1]);
  memset(longest, ' ', sizeof longest);
  longest[0] = 'a';
  longest[sizeof longest - 1] = '\0';
  assert_int_equal(meets(longest, out)[0], '?');
  longest[sizeof longest - 2] = '\0';
  assert_string_equal(meets(longest, out), "standup retro board all-hands");
}

static bool of_server(const char *text) {
  struct watch_expr e;
  struct watch_fault fault;
  struct watch_server s;
  json_t *o = wf_server(312, 2841, 12);
  assert_int_equal(watch_server_read(o, &s), ERR_OK);
  json_decref(o);
  assert_int_equal(watch_expr_parse(text, true, &e, &fault), ERR_OK);
  return watch_expr_server(&e, &s);
}

static void test_of_the_server(void **state) {
  (void)state;
  assert_true(of_server("rooms=312"));
  assert_false(of_server("rooms<1"));
  assert_true(of_server("cpu>43%"));
  assert_true(of_server("cpu<=43.1%"));
  assert_false(of_server("cpu>43.1%"));
  assert_true(of_server("load>90%")); /* of the busier thread */
  assert_true(of_server("everyone>2.8k queue=12 uptime>3d"));
  assert_false(of_server("uptime<3d"));
  assert_true(of_server("packets=66040"));
  assert_true(of_server("loss>5 cpu>1")); /* the rest is about rooms */
}

/* What is the matter with it: its state, and what needs a person; nothing a terminal would obey. */
static void test_state_of_the_server(void **state) {
  (void)state;
  struct watch_server s;
  json_t *o = wf_server(1, 1, 0),
         *alerts = json_pack("[{s:s,s:s},{s:s},{}]", "alert", "disk", "text", "full", "alert", "b\x1b[2Jad");
  assert_int_equal(watch_server_read(o, &s), ERR_OK);
  assert_string_equal(s.state, "");
  json_object_set(o, "alerts", alerts);
  assert_int_equal(watch_server_read(o, &s), ERR_OK);
  assert_string_equal(s.state, "alert: disk, b[2Jad");
  json_object_set_new(o, "state", json_string("draining"));
  assert_int_equal(watch_server_read(o, &s), ERR_OK);
  assert_string_equal(s.state, "draining, alert: disk, b[2Jad");
  for (unsigned i = 0; i < 100; i++)
    json_array_append(alerts, json_array_get(alerts, 0));
  assert_int_equal(watch_server_read(o, &s), ERR_OK);
  assert_true(strlen(s.state) > 90);
  json_decref(alerts);
  json_decref(o);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_what_it_means), cmocka_unit_test(test_faults),
                                     cmocka_unit_test(test_of_the_server),
                                     cmocka_unit_test(test_state_of_the_server)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
