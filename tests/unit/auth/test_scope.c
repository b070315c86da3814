/* scope: words to bits and back; strict where we mint, forgiving where we verify. */
#include "core/auth/scope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void test_words(void **state) {
  (void)state;
  unsigned s;
  assert_int_equal(scope_parse("", true, &s), ERR_OK);
  assert_int_equal(s, 0);
  assert_int_equal(scope_parse("room:chat room:join", true, &s), ERR_OK);
  assert_int_equal(s, SCOPE_JOIN | SCOPE_CHAT);
  assert_int_equal(scope_parse("room:join room:share ROOM:ADMIN  room:speak room:join", false, &s), ERR_OK);
  assert_int_equal(s, SCOPE_JOIN | SCOPE_SPEAK);
}

static void test_strict(void **state) {
  (void)state;
  static const char *const bad[] = {"room:share",           " room:join", "room:join ",
                                    "room:join  room:chat", "room:joi",   "room:join,room:chat",
                                    "room:join\troom:chat", "room:joinx", " "};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    unsigned s;
    if (scope_parse(bad[i], true, &s) != ERR_BAD_ARG)
      fail_msg("'%s'", bad[i]);
  }
}

static void test_format(void **state) {
  (void)state;
  char text[SCOPE_TEXT_MAX];
  for (unsigned s = 0; s <= SCOPE_ALL; s++) {
    unsigned again;
    scope_format(s, text);
    assert_int_equal(scope_parse(text, true, &again), ERR_OK);
    assert_int_equal(again, s);
  }
  assert_true(strlen(text) + 1 < sizeof text); /* SCOPE_ALL fits whole */
  scope_format(SCOPE_CHAT | SCOPE_JOIN, text);
  assert_string_equal(text, "room:join room:chat");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_words), cmocka_unit_test(test_strict),
                                     cmocka_unit_test(test_format)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
