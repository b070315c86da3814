/* Every vector of tests/vectors/jwt (made by a script that shares no code with ours) comes out as it says,
 * for the reason it says. */
#include "core/auth/token_tool.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define FOLDER GAVEL_SRCDIR "/tests/vectors/jwt"

static void test_vectors(void **state) {
  (void)state;
  DIR *d = opendir(FOLDER);
  assert_non_null(d);
  unsigned good = 0, bad = 0, wrong = 0;
  for (struct dirent *e; (e = readdir(d));) {
    size_t n = strlen(e->d_name);
    if (n < 5 || strcmp(e->d_name + n - 5, ".json") != 0)
      continue;
    char path[600];
    const char *got;
    snprintf(path, sizeof path, FOLDER "/%s", e->d_name);
    json_t *v = json_load_file(path, 0, NULL);
    assert_non_null(v);
    if (!token_vector(v, &got)) {
      print_error("%s: %s\n", e->d_name, got);
      wrong++;
    }
    *(json_object_get(v, "claims") ? &good : &bad) += 1;
    json_decref(v);
  }
  closedir(d);
  assert_int_equal(wrong, 0);
  assert_true(good >= 6);
  assert_true(bad >= 40);
}

/* The runner itself must be able to find a fault. */
static void test_runner(void **state) {
  (void)state;
  json_t *v = json_load_file(FOLDER "/good-hs256.json", 0, NULL);
  json_t *b = json_load_file(FOLDER "/bad-expired.json", 0, NULL);
  const char *got;
  assert_true(token_vector(v, &got) && token_vector(b, &got));
  json_object_set_new(b, "why", json_string("iat"));
  assert_false(token_vector(b, &got));
  assert_string_equal(got, "expired");
  json_object_set_new(b, "now", json_integer(1700000000));
  assert_false(token_vector(b, &got));
  assert_string_equal(got, "accepted");
  json_object_set_new(json_object_get(v, "claims"), "subject", json_string("eve"));
  assert_false(token_vector(v, &got));
  assert_string_equal(got, "other claims");
  json_object_set_new(json_object_get(v, "key"), "format", json_string("jwt-rs256"));
  assert_false(token_vector(v, &got));
  assert_string_equal(got, "not a vector");
  json_decref(v);
  json_decref(b);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_vectors), cmocka_unit_test(test_runner)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
