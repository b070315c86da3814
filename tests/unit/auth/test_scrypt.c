/* The vectors of RFC 7914 section 12 that fit in memory here. */
#include "core/auth/scrypt.h"
#include "core/base/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

static void check(const char *text, const char *salt, uint64_t n, uint64_t r, uint64_t p, const char *want) {
  uint8_t out[64];
  char hex[129];
  assert_int_equal(scrypt(text, salt, strlen(salt), n, r, p, out, sizeof out), ERR_OK);
  hex_encode(out, sizeof out, hex);
  assert_string_equal(hex, want);
}

static void test_rfc7914(void **state) {
  (void)state;
  check("", "", 16, 1, 1,
        "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"
        "fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906");
  check("password", "NaCl", 1024, 8, 16,
        "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
        "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640");
  check("pleaseletmein", "SodiumChloride", 16384, 8, 1,
        "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
        "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887");
}

static void test_refuses(void **state) {
  (void)state;
  uint8_t out[32];
  assert_int_equal(scrypt("a", "b", 1, 3, 8, 1, out, sizeof out), ERR_NOMEM);       /* no power of two */
  assert_int_equal(scrypt("a", "b", 1, 1 << 20, 8, 1, out, sizeof out), ERR_NOMEM); /* a gigabyte */
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_rfc7914), cmocka_unit_test(test_refuses)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
