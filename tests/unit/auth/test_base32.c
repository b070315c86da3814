/* base32: the vectors of RFC 4648 section 10, and what is refused. */
#include "core/auth/base32.h"
#include "core/base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct {
  const char *plain, *text;
} RFC4648[] = {{"", ""},
               {"f", "MY"},
               {"fo", "MZXQ"},
               {"foo", "MZXW6"},
               {"foob", "MZXW6YQ"},
               {"fooba", "MZXW6YTB"},
               {"foobar", "MZXW6YTBOI"}};

static void test_vectors(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof RFC4648 / sizeof RFC4648[0]; i++) {
    char text[32];
    uint8_t back[16];
    size_t n = strlen(RFC4648[i].plain);
    assert_int_equal(base32_encode(RFC4648[i].plain, n, text), BASE32_LEN(n));
    assert_string_equal(text, RFC4648[i].text);
    assert_int_equal(base32_decode(text, strlen(text), back, sizeof back), n);
    assert_memory_equal(back, RFC4648[i].plain, n);
  }
}

static void test_either_case(void **state) {
  (void)state;
  uint8_t back[8];
  assert_int_equal(base32_decode("mzxw6ytboi", 10, back, sizeof back), 6);
  assert_memory_equal(back, "foobar", 6);
}

static void test_refused(void **state) {
  (void)state;
  uint8_t back[8];
  static const char *const BAD[] = {"M",  "MZX", "MZXW6Y",     "MZ======", "MZ XQ",    "M0",       "M1",
                                    "M8", "M9",  "MZ\xc3\xa4", "MZXR",     "\x01\x02", "MZXW6-TB", "NZ"};
  for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
    if (base32_decode(BAD[i], strlen(BAD[i]), back, sizeof back) != -1)
      fail_msg("\"%s\" was accepted", BAD[i]);
  assert_int_equal(base32_decode("M\0", 2, back, sizeof back), -1);
  assert_int_equal(base32_decode("MZXW6YTBOI", 10, back, 5), -1); /* no room */
}

static void test_round_trip(void **state) {
  (void)state;
  struct rng r;
  rng_seed(&r, 7);
  for (size_t n = 0; n <= 40; n++) {
    uint8_t in[40], out[40];
    char text[65];
    r.fill(&r, in, sizeof in);
    base32_encode(in, n, text);
    assert_int_equal(base32_decode(text, strlen(text), out, sizeof out), n);
    assert_memory_equal(in, out, n);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_vectors),
      cmocka_unit_test(test_either_case),
      cmocka_unit_test(test_refused),
      cmocka_unit_test(test_round_trip),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
