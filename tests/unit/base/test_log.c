/* log: one call is one harmless line, whatever the values hold. */
#include "core/base/log.h"
#include "core/base/rng.h"

#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct capture {
  char line[4096];
  int lines;
};

static void keep(void *ctx, const char *line) {
  struct capture *c = ctx;
  snprintf(c->line, sizeof c->line, "%s", line);
  c->lines++;
}

static int setup(void **state) {
  struct capture *c = calloc(1, sizeof *c);
  *state = c;
  log_set(keep, c, LOG_DEBUG);
  return c ? 0 : -1;
}

static int teardown(void **state) {
  log_set(NULL, NULL, LOG_DEBUG);
  free(*state);
  return 0;
}

/* rest: the line after the time stamp, which is checked here. */
static const char *rest(const struct capture *c) {
  regex_t form;
  assert_int_equal(regcomp(&form, "^ts=20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\\.[0-9]{3}Z ", REG_EXTENDED),
                   0);
  int rc = regexec(&form, c->line, 0, NULL, 0);
  regfree(&form);
  assert_int_equal(rc, 0);
  return strchr(c->line, ' ') + 1;
}

static void test_plain_line(void **state) {
  struct capture *c = *state;
  log_event(LOG_INFO, "joined", "room", "demo", "peer", "[::1]:443", "n", log_int(-42), NULL);
  assert_string_equal(rest(c), "level=info msg=joined room=demo peer=\"[::1]:443\" n=-42");
  log_event(LOG_ERROR, "two words", "empty", "", "pair", "a=b", NULL);
  assert_string_equal(rest(c), "level=error msg=\"two words\" empty=\"\" pair=\"a=b\"");
  assert_int_equal(c->lines, 2);
}

static void test_hostile_values(void **state) {
  struct capture *c = *state;
  static const struct {
    const char *in, *out;
  } v[] = {
      {"bob\nlevel=error msg=forged", "\"bob\\x0alevel=error msg=forged\""},
      {"\x1b]52;c;YQ==\x07", "\"\\x1b]52;c;YQ==\\x07\""},
      {"say \"hi\" \\o/", "\"say \\\"hi\\\" \\\\o/\""},
      {"\r\t\x7f", "\"\\x0d\\x09\\x7f\""},
      {"\xc2\x9b"
       "31m",
       "\"\\xc2\\x9b31m\""},                       /* C1 CSI */
      {"a\xe2\x80\xaez", "\"a\\xe2\\x80\\xaez\""}, /* U+202E */
      {"\xe2\x80\xa8", "\"\\xe2\\x80\\xa8\""},     /* U+2028, a newline to some readers */
      {"\x9b\xff", "\"\\x9b\\xff\""},              /* not UTF-8 */
      {"J\xc3\xbcrgen \xe5\xb1\xb1", "\"J\xc3\xbcrgen \xe5\xb1\xb1\""}, /* letters stay readable */
      {"\xef\xbf\xbd", "\"\xef\xbf\xbd\""},                             /* a real U+FFFD is no broken byte */
      {"%s%n", "\"%s%n\""},
  };
  for (size_t i = 0; i < sizeof v / sizeof v[0]; i++) {
    char expected[128];
    snprintf(expected, sizeof expected, "level=warn msg=x v=%s", v[i].out);
    log_event(LOG_WARN, "x", "v", v[i].in, NULL);
    assert_string_equal(rest(c), expected);
  }
}

/* Every length around the limit, with a plain, a quoted and an escaped filling: cut with a mark, quotes in
 * pairs. */
static void test_long_line_is_cut_and_closed(void **state) {
  struct capture *c = *state;
  for (const char *fill = "a \n"; *fill; fill++) {
    bool was_cut = false;
    for (size_t len = *fill == '\n' ? 480 : 1950; len < 2100; len++) {
      char big[2100];
      memset(big, *fill, len);
      big[len] = 0;
      log_event(LOG_INFO, "x", "v", big, "k", "1 2", NULL);
      size_t n = strlen(c->line), quotes = 0;
      for (size_t i = 0; i < n; i++)
        quotes += c->line[i] == '"';
      assert_int_equal(quotes % 2, 0);
      assert_true(n <= 2047);
      bool cut = strstr(c->line, "...") != NULL;
      assert_true(cut == (strstr(c->line, " k=\"1 2\"") == NULL));
      assert_true(cut || !was_cut); /* it begins at one length and stays */
      was_cut = cut;
    }
    assert_true(was_cut);
  }
}

static void test_random_bytes_stay_one_line(void **state) {
  struct capture *c = *state;
  struct rng r;
  rng_seed(&r, 3);
  for (int round = 0; round < 3000; round++) {
    char value[64];
    size_t n = rng_below(&r, sizeof value);
    r.fill(&r, value, n);
    value[n] = 0;
    log_event(LOG_INFO, value, "v", value, NULL);
    for (const char *p = c->line; *p; p++)
      assert_true((unsigned char)*p >= ' ' && *p != 0x7f);
  }
  assert_int_equal(c->lines, 3000);
}

static void test_levels_and_no_sink(void **state) {
  struct capture *c = *state;
  log_set(keep, c, LOG_WARN);
  log_event(LOG_INFO, "quiet", NULL);
  assert_int_equal(c->lines, 0);
  log_event(LOG_WARN, "heard", NULL);
  assert_int_equal(c->lines, 1);
  log_set(NULL, NULL, LOG_DEBUG);
  log_event(LOG_ERROR, "nobody", NULL);
  assert_int_equal(c->lines, 1);
}

static void test_int_keeps_eight(void **state) {
  (void)state;
  const char *v[8];
  for (int i = 0; i < 8; i++)
    v[i] = log_int(INT64_MIN + i);
  assert_string_equal(v[0], "-9223372036854775808");
  assert_string_equal(v[7], "-9223372036854775801");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_plain_line, setup, teardown),
      cmocka_unit_test_setup_teardown(test_hostile_values, setup, teardown),
      cmocka_unit_test_setup_teardown(test_long_line_is_cut_and_closed, setup, teardown),
      cmocka_unit_test_setup_teardown(test_random_bytes_stay_one_line, setup, teardown),
      cmocka_unit_test_setup_teardown(test_levels_and_no_sink, setup, teardown),
      cmocka_unit_test(test_int_keeps_eight),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
