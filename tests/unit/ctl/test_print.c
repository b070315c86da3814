/* How answers of gaveld are shown to a person. */
#include "core/ctl/ctl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void assert_shown(const char *answer, const char *want) {
  struct ctl c = {.fd = -1};
  char *text = NULL;
  size_t n = 0;
  json_t *v = json_loads(answer, 0, NULL);
  assert_non_null(v);
  FILE *screen = stdout;
  stdout = open_memstream(&text, &n); /* glibc: may be assigned */
  assert_non_null(stdout);
  ctl_print(&c, v);
  assert_int_equal(fclose(stdout), 0);
  stdout = screen;
  assert_string_equal(text, want);
  free(text);
  json_decref(v);
}

static void test_values(void **state) {
  (void)state;
  assert_shown("{}", "done\n");
  assert_shown("{\"kid\":\"k1\",\"until_ms\":1767225601000,\"rto_s\":0.0179999,\"name\":\"\",\"mfa\":false}",
               "kid              k1\nuntil            2026-01-01T00:00:01Z\nrto_s            0.018\n"
               "name             -\nmfa              no\n");
  assert_shown("{\"text\":\"one\\ntwo.\"}", "one\ntwo."); /* whole, to its last letter */
  assert_shown("{\"name\":\"a\\u001b[2Jb\"}", "name             a[2Jb\n");
}

static void test_lists(void **state) {
  (void)state;
  assert_shown("{\"holds\":[]}", "none\n");
  assert_shown("{\"keys\":[{\"kid\":\"k\",\"seen_ms\":1767225600000,\"n\":12},{\"kid\":\"long\",\"seen_ms\":"
               "0,\"n\":1}]}",
               "kid   seen        n\nk     2026-01-01  12\nlong  -           1\n");
  assert_shown("{\"media\":[{\"cidr\":\"::1/128\"}],\"turn\":[]}", "media:\ncidr\n::1/128\nturn:\nnone\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_values), cmocka_unit_test(test_lists)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
