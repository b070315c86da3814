/* password: argon2id by its vectors, what may be a password, and what a stored record may cost. */
#include "core/auth/password.h"

#include <argon2.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* RFC 9106 section 5.3. */
static void test_rfc9106(void **state) {
  (void)state;
  static const uint8_t TAG[32] = {0x0d, 0x64, 0x0d, 0xf5, 0x8d, 0x78, 0x76, 0x6c, 0x08, 0xc0, 0x37,
                                  0xa3, 0x4a, 0x8b, 0x53, 0xc9, 0xd0, 0x1e, 0xf0, 0x45, 0x2d, 0x75,
                                  0xb6, 0x5e, 0xb5, 0x25, 0x20, 0xe9, 0x6b, 0x01, 0xe6, 0x59};
  uint8_t out[32], password[32], salt[16], secret[8], ad[12];
  memset(password, 1, sizeof password);
  memset(salt, 2, sizeof salt);
  memset(secret, 3, sizeof secret);
  memset(ad, 4, sizeof ad);
  argon2_context c = {.out = out,
                      .outlen = 32,
                      .pwd = password,
                      .pwdlen = 32,
                      .salt = salt,
                      .saltlen = 16,
                      .secret = secret,
                      .secretlen = 8,
                      .ad = ad,
                      .adlen = 12,
                      .t_cost = 3,
                      .m_cost = 32,
                      .lanes = 4,
                      .threads = 4,
                      .version = ARGON2_VERSION_13};
  assert_int_equal(argon2id_ctx(&c), ARGON2_OK);
  assert_memory_equal(out, TAG, sizeof TAG);
}

/* Strings of the reference implementation's own test.c. */
static void test_foreign_phc(void **state) {
  (void)state;
  bool rehash = false;
  static const char STRONG[] = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$"
                               "CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
  static const char WEAK[] =
      "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
  assert_true(password_verify("password", STRONG, &rehash));
  assert_false(rehash);
  assert_true(password_verify("password", WEAK, &rehash));
  assert_true(rehash);
  assert_false(password_verify("Password", WEAK, &rehash));
  assert_false(rehash);
}

static void test_hash(void **state) {
  (void)state;
  struct rng r;
  rng_seed(&r, 1);
  bool rehash = true;
  char a[PASSWORD_PHC_MAX], b[PASSWORD_PHC_MAX];
  assert_int_equal(password_hash("owls do not vote", &r, a), ERR_OK);
  assert_int_equal(password_hash("owls do not vote", &r, b), ERR_OK);
  assert_string_not_equal(a, b); /* salted */
  assert_int_equal(strncmp(a, "$argon2id$v=19$m=19456,t=2,p=1$", 31), 0);
  assert_true(password_phc_valid(a));
  assert_true(password_verify("owls do not vote", a, &rehash));
  assert_false(rehash);
  assert_false(password_verify("owls do not vote ", a, &rehash));
  assert_false(password_verify("", a, &rehash));
}

static void test_nobody(void **state) {
  (void)state;
  bool rehash = true;
  static const char *const NONE[] = {NULL, "", "plain", "$argon2id$v=19$m=19456,t=2,p=1$short",
                                     "$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$"
                                     "iekCn0Y3spW+sCcFanM2xBT63UP2sghkUoHLIUpWRS8"};
  for (size_t i = 0; i < sizeof NONE / sizeof NONE[0]; i++) {
    rehash = true;
    assert_false(password_verify("password", NONE[i], &rehash));
    assert_false(rehash);
  }
}

static void test_phc_valid(void **state) {
  (void)state;
#define TAIL "$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
  assert_true(password_phc_valid("$argon2id$v=19$m=19456,t=2,p=1" TAIL));
  assert_true(password_phc_valid("$argon2id$v=19$m=65536,t=3,p=1" TAIL));
  assert_true(password_phc_valid("$argon2id$v=19$m=47104,t=1,p=1" TAIL));
  assert_true(
      password_phc_valid("$argon2id$v=19$m=7168,t=5,p=1" TAIL)); /* weaker than ours: hashed again at login */
  static const char *const BAD[] = {"",
                                    "hunter2",
                                    "$argon2id$v=19$m=19456,t=2,p=1",
                                    "$argon2id$v=19$m=19456,t=2,p=1$$",
                                    "$argon2id$v=19$m=8,t=2,p=1" TAIL, /* weaker */
                                    "$argon2id$v=19$m=19456,t=1,p=1" TAIL,
                                    "$argon2id$v=19$m=4194304,t=2,p=1" TAIL, /* 4 GiB */
                                    "$argon2id$v=19$m=19456,t=900,p=1" TAIL,
                                    "$argon2id$v=19$m=65536,t=3,p=4" TAIL, /* threads */
                                    "$argon2id$v=19$m=7167,t=8,p=1" TAIL,
                                    "$argon2id$v=19$m=-1,t=2,p=1" TAIL,
                                    "$argon2id$v=16$m=19456,t=2,p=1" TAIL,
                                    "$argon2d$v=19$m=19456,t=2,p=1" TAIL,
                                    "$argon2id$v=19$m=19456,t=2,p=1" TAIL "$",
                                    "$argon2id$v=19$m=19456,t=2,p=1" TAIL "\n",
                                    " $argon2id$v=19$m=19456,t=2,p=1" TAIL};
  for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
    if (password_phc_valid(BAD[i]))
      fail_msg("%s was accepted", BAD[i]);
}

static void test_length(void **state) {
  (void)state;
  const char *why;
  char text[160];
  assert_int_equal(password_check("k7#vQ2!mZx9", &why), ERR_BAD_PASSWORD); /* 11 */
  assert_non_null(strstr(why, "12 characters"));
  assert_int_equal(password_check("k7#vQ2!mZx9w", &why), ERR_OK);
  assert_int_equal(password_check("\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9fqxvbkz", &why),
                   ERR_BAD_PASSWORD); /* 10, 14 bytes */
  assert_int_equal(password_check("\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9fqxvbkzjw", &why), ERR_OK);
  assert_int_equal(password_check("ok bytes \xff\xfe here", &why), ERR_BAD_PASSWORD);
  struct rng r;
  rng_seed(&r, 5);
  rng_token(&r, text, 128);
  assert_int_equal(password_check(text, &why), ERR_OK);
  rng_token(&r, text, 129);
  assert_int_equal(password_check(text, &why), ERR_BAD_PASSWORD);
  assert_non_null(strstr(why, "128"));
}

static void test_common(void **state) {
  (void)state;
  static const char *const BAD[] = {
      "password1234",  "Password123!",   "P@ssw0rd1234",  "passwordpassword", "qwertyuiop12",
      "1234567890qw",  "123456789012",   "aaaaaaaaaaaa",  "abcabcabcabc",     "abcdefghijkl",
      "zyxwvutsrqpo",  "1q2w3e4r5t6y",   "qwerty123456",  "1qaz2wsx3edc",     "iloveyou2020",
      "Summer2024!!!", "Administrator1", "letmein12345!", "welcome12345",     "111111222222",
      "qwertyqwerty",  "Manchester1",    "adminadmin123", "basketball99",     "k7#vQk7#vQk7#vQ",
      "0987654321ab",  "FOOTBALL2023",   "unbelievable1", "changeme1234"};
  static const char *const GOOD[] = {"correct horse battery staple", "owls do not vote",
                                     "Tr0ub4dor&3 is not it",        "vq8Wm2xLp0Zt",
                                     "meine oma kocht freitags",     "7Yh#kd02LmPq"};
  const char *why;
  for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
    if (password_check(BAD[i], &why) != ERR_BAD_PASSWORD)
      fail_msg("%s was accepted", BAD[i]);
  for (size_t i = 0; i < sizeof GOOD / sizeof GOOD[0]; i++)
    if (password_check(GOOD[i], &why) != ERR_OK)
      fail_msg("%s: %s", GOOD[i], why);
}

/* Random passwords of the least length are not called common. */
static void test_random(void **state) {
  (void)state;
  struct rng r;
  rng_seed(&r, 11);
  const char *why;
  for (int i = 0; i < 2000; i++) {
    char text[PASSWORD_MIN + 1];
    rng_token(&r, text, PASSWORD_MIN);
    if (password_check(text, &why) != ERR_OK)
      fail_msg("%s: %s", text, why);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_rfc9106), cmocka_unit_test(test_foreign_phc), cmocka_unit_test(test_hash),
      cmocka_unit_test(test_nobody),  cmocka_unit_test(test_phc_valid),   cmocka_unit_test(test_length),
      cmocka_unit_test(test_common),  cmocka_unit_test(test_random),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
