/* utc: times as text and back; what is no time is refused. */
#include "core/base/utc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct {
  const char *text;
  int64_t ms;
} TIMES[] = {{"1970-01-01T00:00:00Z", 0},
             {"2000-02-29T23:59:59Z", INT64_C(951868799000)},
             {"2026-01-31T12:00:01Z", INT64_C(1769860801000)},
             {"2038-01-19T03:14:08Z", INT64_C(2147483648000)},
             {"9999-12-31T23:59:59Z", INT64_C(253402300799000)}};

static void there_and_back(void **state) {
  char text[UTC_MAX];
  (void)state;
  for (size_t i = 0; i < sizeof TIMES / sizeof TIMES[0]; i++) {
    int64_t ms = -1;
    utc_text(TIMES[i].ms + 999, text);
    assert_string_equal(text, TIMES[i].text);
    assert_true(utc_read(text, &ms) && ms == TIMES[i].ms);
  }
}

static void short_forms_are_read(void **state) {
  int64_t ms;
  (void)state;
  assert_true(utc_read("2026-01-31", &ms) && ms == INT64_C(1769817600000));
  assert_true(utc_read_day("2026-01-31", &ms) && ms == INT64_C(1769817600000));
  assert_true(utc_read("2026-01-31T12:01Z", &ms) && ms == INT64_C(1769860860000));
  assert_false(utc_read_day("2026-01-31T12:01Z", &ms));
}

static void milliseconds_and_what_is_too_early_or_too_late(void **state) {
  char text[UTC_MAX];
  (void)state;
  utc_text_ms(INT64_C(1769860801007), text);
  assert_string_equal(text, "2026-01-31T12:00:01.007Z");
  utc_text_ms(-1, text);
  assert_string_equal(text, "1970-01-01T00:00:00.000Z");
  utc_text(INT64_MAX, text); /* a year of nine digits: cut nowhere */
  assert_int_equal(text[strlen(text) - 1], 'Z');
}

static void what_is_no_time_is_refused(void **state) {
  static const char *const BAD[] = {"",
                                    "now",
                                    "2026",
                                    "2026-1-31",
                                    " 2026-01-31",
                                    "2026-01-31 ",
                                    "2026-02-29",
                                    "2026-13-01",
                                    "2026-00-10",
                                    "2026-01-31T24:00:00Z",
                                    "2026-01-31T12:00:60Z",
                                    "2026-01-31T12:00:00",
                                    "2026-01-31T12:00:00+01:00",
                                    "2026-01-31T12:00:00.0Z",
                                    "2026-01-31t12:00:00z",
                                    "1969-12-31",
                                    "20260131"};
  int64_t ms;
  (void)state;
  for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
    if (utc_read(BAD[i], &ms))
      fail_msg("\"%s\" is taken", BAD[i]);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(there_and_back), cmocka_unit_test(short_forms_are_read),
                                     cmocka_unit_test(milliseconds_and_what_is_too_early_or_too_late),
                                     cmocka_unit_test(what_is_no_time_is_refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
