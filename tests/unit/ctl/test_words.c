/* The grammar of ctl_verbs.def: words of a command line into params. */
#include "core/ctl/ctl.h"
#include "core/wire/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static json_t *words(const char *grammar, int n, ...) {
  char *argv[16];
  va_list ap;
  va_start(ap, n);
  for (int i = 0; i < n; i++)
    argv[i] = va_arg(ap, char *);
  va_end(ap);
  return ctl_words(grammar, n, argv);
}

static void assert_params(json_t *got, const char *want) {
  json_t *w = json_loads(want, 0, NULL);
  assert_non_null(got);
  assert_non_null(w);
  if (!json_equal(got, w)) {
    char *text = json_dumps(got, JSON_COMPACT);
    fail_msg("%s, not %s", text, want);
  }
  json_decref(w);
  json_decref(got);
}

static void test_words_become_params(void **state) {
  (void)state;
  assert_params(words("", 0), "{}");
  assert_params(words("ROOM", 1, "den"), "{\"room\":\"den\"}");
  assert_params(words("APP [KID]", 1, "a"), "{\"app\":\"a\"}");
  assert_params(words("APP [KID]", 2, "a", "k"), "{\"app\":\"a\",\"kid\":\"k\"}");
  assert_params(words("APP CIDR...", 3, "a", "10.0.0.0/8", "::1/128"),
                "{\"app\":\"a\",\"cidr\":[\"10.0.0.0/8\",\"::1/128\"]}");
}

static void test_options(void **state) {
  (void)state;
  static const char G[] =
      "APP [--max-ttl=T] [--uses=N] [--lobby=yes|no] [--rooms=join|made] [--title=TEXT] [--force]";
  assert_params(words(G, 5, "--force", "--max-ttl", "2h", "a", "--uses=-3"),
                "{\"app\":\"a\",\"force\":true,\"max_ttl\":7200,\"uses\":-3}");
  assert_params(words(G, 4, "a", "--lobby=no", "--rooms=made", "--title=a b=c"),
                "{\"app\":\"a\",\"lobby\":false,\"rooms\":\"made\",\"title\":\"a b=c\"}");
  assert_params(words(G, 2, "--", "--force"), "{\"app\":\"--force\"}");
  for (const char *const *t = (const char *const[]){"90", "90s", "5m", "1d", NULL}; *t; t++)
    json_decref(words(G, 3, "a", "--max-ttl", *t));
}

static void test_mistakes(void **state) {
  (void)state;
  static const char G[] = "APP [--max-ttl=T] [--uses=N] [--lobby=yes|no] [--rooms=join|made] [--force]";
  assert_null(words(G, 0));
  assert_null(words(G, 2, "a", "b"));
  assert_null(words(G, 2, "a", "--nothing"));
  assert_null(words(G, 2, "a", "--uses"));
  assert_null(words(G, 2, "a", "--uses=3x"));
  assert_null(words(G, 2, "a", "--uses=99999999999999999999"));
  assert_null(words(G, 2, "a", "--max-ttl=5y"));
  assert_null(words(G, 2, "a", "--max-ttl=-5"));
  assert_null(words(G, 2, "a", "--lobby=maybe"));
  assert_null(words(G, 2, "a", "--rooms=oin|ma"));
  assert_null(words(G, 2, "a", "--rooms=mad"));
  assert_null(words(G, 2, "a", "--rooms="));
  assert_null(words(G, 2, "a", "--force=yes"));
  assert_null(words("APP --format=TEXT [--kid=TEXT]", 1, "a")); /* an option that must be there */
  assert_null(words("APP --format=TEXT [--kid=TEXT]", 2, "a", "--kid=k"));
  assert_params(words("APP --format=TEXT [--kid=TEXT]", 2, "a", "--format=vidyo"),
                "{\"app\":\"a\",\"format\":\"vidyo\"}");
}

static void test_what_a_file_holds(void **state) {
  (void)state;
  char path[] = "/tmp/gavel-words-XXXXXX", option[64], big[20000];
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, "s3cret key\n", 11), 11);
  snprintf(option, sizeof option, "--secret=%s", path);
  assert_params(words("[--secret=FILE]", 1, option), "{\"secret\":\"s3cret key\"}");
  memset(big, 'x', sizeof big);
  assert_int_equal(write(fd, big, sizeof big), sizeof big);
  assert_null(words("[--secret=FILE]", 1, option));
  close(fd);
  unlink(path);
  assert_null(words("[--secret=FILE]", 1, option));
}

/* Each row of the table can be read: a verb of one or two words, a grammar whose empty use is either right or
 * said to be wrong, and a function or a method. */
static void test_rows(void **state) {
  (void)state;
  static const struct {
    const char *verb, *grammar, *method, *help;
  } ROWS[] = {
#define CTL(verb, grammar, method, help) {verb, grammar, method, help},
#include "core/wire/ctl_verbs.def"
#undef CTL
  };
  for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
    assert_true(ROWS[i].verb[0] && ROWS[i].help[0]);
    assert_true(ROWS[i].method[0] ? strchr(ROWS[i].method, '.') != NULL : ctl_local(ROWS[i].verb) != NULL);
    for (size_t k = 0; k < i; k++)
      assert_string_not_equal(ROWS[i].verb, ROWS[k].verb);
    json_decref(ctl_words(ROWS[i].grammar, 0, NULL));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_words_become_params),
      cmocka_unit_test(test_options),
      cmocka_unit_test(test_mistakes),
      cmocka_unit_test(test_what_a_file_holds),
      cmocka_unit_test(test_rows),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
