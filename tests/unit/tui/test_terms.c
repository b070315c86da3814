/* What a person accepted is remembered by server, for himself only, and forgotten when he withdraws. */
#include "tui/terms.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static char folder[64], list[128];

static int setup(void **state) {
  (void)state;
  snprintf(folder, sizeof folder, "/tmp/gavel-terms-XXXXXX");
  assert_non_null(mkdtemp(folder));
  snprintf(list, sizeof list, "%s/gavel/consents", folder);
  return setenv("XDG_STATE_HOME", folder, 1);
}

static int teardown(void **state) {
  (void)state;
  char command[96];
  snprintf(command, sizeof command, "rm -rf '%s'", folder);
  return system(command);
}

static struct link server(const char *host, uint16_t port) {
  struct link l = {.port = port};
  snprintf(l.host, sizeof l.host, "%s", host);
  return l;
}

static void expect(const struct link *l, const char *version) {
  char got[TERMS_VERSION_MAX] = "";
  assert_int_equal(terms_known(l, got), version != NULL);
  assert_string_equal(got, version != NULL ? version : "");
}

static void test_each_server_has_its_own(void **state) {
  (void)state;
  struct link a = server("a.example", 443), other = server("a.example", 8443), b = server("2001:db8::1", 443);
  struct stat st;
  expect(&a, NULL);
  terms_keep(&a, "1");
  terms_keep(&b, "2026-1");
  expect(&a, "1");
  expect(&b, "2026-1");
  expect(&other, NULL);
  terms_keep(&a, "2"); /* in place of the first */
  expect(&a, "2");
  assert_int_equal(stat(list, &st), 0);
  assert_int_equal(st.st_mode & 0777, 0600);
  terms_keep(&a, NULL);
  expect(&a, NULL);
  expect(&b, "2026-1");
}

static void test_a_strange_version_is_asked_again(void **state) {
  (void)state;
  struct link a = server("a.example", 443);
  static const char *const STRANGE[] = {"", "1 2", "1\n evil.example 443 1", "\t"};
  for (size_t i = 0; i < sizeof STRANGE / sizeof STRANGE[0]; i++) {
    terms_keep(&a, STRANGE[i]);
    expect(&a, NULL);
    expect(&(struct link){.host = "evil.example", .port = 443}, NULL);
  }
}

static void test_a_file_that_others_may_write_is_not_believed(void **state) {
  (void)state;
  struct link a = server("a.example", 443);
  terms_keep(&a, "1");
  assert_int_equal(chmod(list, 0666), 0);
  expect(&a, NULL);
  terms_keep(&a, "3");
  expect(&a, "3");
}

static void test_garbage_is_no_consent(void **state) {
  (void)state;
  struct link a = server("a.example", 443);
  terms_keep(&a, "1");
  FILE *f = fopen(list, "w");
  assert_non_null(f);
  for (int i = 0; i < 5000; i++)
    fputs("a.example\xff", f);
  fputs(" 443 1\n", f);
  assert_int_equal(fclose(f), 0);
  expect(&a, NULL);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void) {
  const struct CMUnitTest tests[] = {
      T(test_each_server_has_its_own), T(test_a_strange_version_is_asked_again),
      T(test_a_file_that_others_may_write_is_not_believed), T(test_garbage_is_no_consent)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
