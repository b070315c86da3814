/* Frames on a stream, RFC 4571. */
#include "core/wire/framing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>

static void frames_come_out_however_they_arrive(void **state) {
  (void)state;
  const uint8_t stream[] = {0, 3, 'a', 'b', 'c', 0, 0, 0, 1, 'x', 0, 4, 'w', 'x'};
  for (size_t step = 1; step <= sizeof stream; step++) {
    uint8_t buf[8];
    char all[32] = "";
    size_t n_all = 0;
    struct framing f = {.buf = buf, .cap = sizeof buf};
    for (size_t at = 0; at < sizeof stream; at += step) {
      const uint8_t *p = stream + at;
      size_t n = sizeof stream - at < step ? sizeof stream - at : step, len;
      bool bad;
      while (framing_feed(&f, &p, &n, &len, &bad)) {
        n_all += (size_t)snprintf(all + n_all, sizeof all - n_all, "%.*s|", (int)len, (const char *)buf);
      }
      assert_false(bad);
      assert_int_equal(n, 0);
    }
    assert_string_equal(all, "abc|x|"); /* the empty one is none, the last is not whole */
    assert_int_equal(f.n, 4);
  }
}

static void one_that_is_too_long_ends_it(void **state) {
  (void)state;
  const uint8_t fits[] = {0, 4, 1, 2, 3, 4}, too_long[] = {0, 5, 1, 2, 3, 4, 5};
  uint8_t buf[4];
  struct framing f = {.buf = buf, .cap = sizeof buf};
  const uint8_t *p = fits;
  size_t n = sizeof fits, len = 0;
  bool bad;
  assert_true(framing_feed(&f, &p, &n, &len, &bad));
  assert_int_equal(len, 4);
  p = too_long;
  n = sizeof too_long;
  assert_false(framing_feed(&f, &p, &n, &len, &bad));
  assert_true(bad);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(frames_come_out_however_they_arrive),
                                     cmocka_unit_test(one_that_is_too_long_ends_it)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
