/* totp: RFC 6238 appendix B, the window, replay, recovery codes. */
#include "core/auth/base32.h"
#include "core/auth/totp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char KEY[] =
    "1234567890123456789012345678901234567890123456789012345678901234"; /* 20, 32, 64 of it */
static const uint8_t SECRET[TOTP_SECRET] = "12345678901234567890";

static void test_rfc6238(void **state) {
  (void)state;
  static const struct {
    uint64_t t;
    uint32_t code[3];
  } B[] = {
      {59, {94287082, 46119246, 90693936}},         {1111111109, {7081804, 68084774, 25091201}},
      {1111111111, {14050471, 67062674, 99943326}}, {1234567890, {89005924, 91819424, 93441116}},
      {2000000000, {69279037, 90698825, 38618901}}, {UINT64_C(20000000000), {65353130, 77737706, 47863826}}};
  static const size_t KEY_LEN[] = {20, 32, 64};
  for (size_t i = 0; i < sizeof B / sizeof B[0]; i++)
    for (int h = TOTP_SHA1; h <= TOTP_SHA512; h++)
      assert_int_equal(totp_at((enum totp_hash)h, (const uint8_t *)KEY, KEY_LEN[h], B[i].t / 30, 8),
                       B[i].code[h]);
}

/* RFC 4226 appendix D: the six-digit values of the first ten counters. */
static void test_rfc4226(void **state) {
  (void)state;
  static const uint32_t D[] = {755224, 287082, 359152, 969429, 338314,
                               254676, 287922, 162583, 399871, 520489};
  for (uint64_t c = 0; c < 10; c++)
    assert_int_equal(totp_at(TOTP_SHA1, SECRET, TOTP_SECRET, c, 6), D[c]);
}

static const char *code_at(uint64_t step) {
  static char text[8]; /* tests are one thread */
  snprintf(text, sizeof text, "%06u", totp_at(TOTP_SHA1, SECRET, TOTP_SECRET, step, 6));
  return text;
}

#define NOW INT64_C(1700000010)
#define STEP ((uint64_t)NOW / 30)

static void test_window(void **state) {
  (void)state;
  for (int off = -3; off <= 3; off++) {
    uint64_t last = 0;
    bool right = totp_check(SECRET, code_at(STEP + (uint64_t)(int64_t)off), NOW, &last);
    assert_int_equal(right, off >= -1 && off <= 1); /* bad input 14: step+2 */
    assert_int_equal(last, right ? STEP + (uint64_t)(int64_t)off : 0);
  }
}

/* Bad input 14: the same code twice; and none before the last. */
static void test_replay(void **state) {
  (void)state;
  uint64_t last = 0;
  assert_true(totp_check(SECRET, code_at(STEP), NOW, &last));
  assert_false(totp_check(SECRET, code_at(STEP), NOW, &last));
  assert_false(totp_check(SECRET, code_at(STEP - 1), NOW, &last));
  assert_true(totp_check(SECRET, code_at(STEP + 1), NOW, &last));
  assert_false(totp_check(SECRET, code_at(STEP + 1), NOW + 30, &last));
  assert_int_equal(last, STEP + 1);
}

static void test_typed(void **state) {
  (void)state;
  char spaced[16];
  const char *code = code_at(STEP);
  uint64_t last = 0;
  snprintf(spaced, sizeof spaced, " %.3s %s ", code, code + 3);
  assert_true(totp_check(SECRET, spaced, NOW, &last));
  static const char *const BAD[] = {
      "", "12345", "1234567", "12345a", "-12345", "+12345", "0x1234", "      ", "\xd9\xa1\xd9\xa2\xd9\xa3"};
  for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
    last = 0;
    assert_false(totp_check(SECRET, BAD[i], NOW, &last));
  }
  last = 0;
  assert_false(totp_check(SECRET, code_at(0), 0, &last)); /* the clock is not set */
  assert_false(totp_check(SECRET, code_at(0), -5, &last));
}

static void test_uri(void **state) {
  (void)state;
  char uri[TOTP_URI_MAX];
  totp_uri(SECRET, "gavel & co", "anna:1", uri);
  assert_string_equal(uri, "otpauth://totp/gavel%20%26%20co:anna%3A1?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
                           "&issuer=gavel%20%26%20co&algorithm=SHA1&digits=6&period=30");
  char longest[400];
  memset(longest, 0xff, sizeof longest - 1);
  longest[sizeof longest - 1] = 0;
  totp_uri(SECRET, longest, longest,
           uri); /* never beyond its buffer, and the secret survives whatever the names */
  assert_non_null(strstr(uri, "secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&"));
}

static void test_recovery(void **state) {
  (void)state;
  struct rng r;
  rng_seed(&r, 3);
  char code[TOTP_RECOVERY_MAX], other[TOTP_RECOVERY_MAX], typed[40];
  uint8_t a[32], b[32];
  totp_recovery_make(&r, code);
  totp_recovery_make(&r, other);
  assert_int_equal(strlen(code), 19);
  assert_int_equal(strspn(code, "abcdefghijklmnopqrstuvwxyz234567-"), 19);
  assert_string_not_equal(code, other);
  assert_true(totp_recovery_hash(code, a));
  assert_true(totp_recovery_hash(other, b));
  assert_memory_not_equal(a, b, 32);
  size_t n = 0;
  for (const char *p = code; *p; p++) /* as someone types it from paper */
    if (*p != '-') {
      typed[n++] = *p >= 'a' && *p <= 'z' ? (char)(*p - 32) : *p;
      typed[n++] = ' ';
    }
  typed[n] = 0;
  assert_true(totp_recovery_hash(typed, b));
  assert_memory_equal(a, b, 32);
  static const char *const BAD[] = {
      "", "abcd", "abcd-abcd-abcd-abc", "abcd-abcd-abcd-abcde", "abcd-abcd-abcd-abc1", "123456"};
  for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
    assert_false(totp_recovery_hash(BAD[i], b));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_rfc6238),  cmocka_unit_test(test_rfc4226), cmocka_unit_test(test_window),
      cmocka_unit_test(test_replay),   cmocka_unit_test(test_typed),   cmocka_unit_test(test_uri),
      cmocka_unit_test(test_recovery),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
