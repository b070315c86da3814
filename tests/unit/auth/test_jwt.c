/* jwt: the published vectors of RFC 7515 A.1 and RFC 8037 A.1 to A.4, and what is no JWT. */
#include "core/auth/jwt.h"
#include "core/base/bytes.h"
#include "core/base/ed25519.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_rfc7515_a1(void **state) {
  (void)state;
  static const char token[] = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
                              "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leG"
                              "FtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
  static const char k[] =
      "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
  uint8_t key[64];
  assert_int_equal(b64url_decode(k, strlen(k), key, sizeof key), 64);
  struct jwt j;
  assert_null(jwt_open(token, strlen(token), &j));
  assert_int_equal(j.alg, JWT_HS256);
  assert_string_equal(j.typ, "JWT");
  assert_null(j.kid);
  assert_int_equal(json_integer_value(json_object_get(j.claims, "exp")), 1300819380);
  assert_true(jwt_check(&j, JWT_HS256, key, sizeof key));
  assert_false(jwt_check(&j, JWT_EDDSA, key, 32));
  assert_false(jwt_check(&j, JWT_HS256, key, 63));
  assert_false(jwt_check(&j, JWT_HS256, key, 0));
  uint8_t sig[JWT_SIG_MAX];
  char text[90];
  assert_int_equal(jwt_sign_bytes(JWT_HS256, key, sizeof key, j.text, j.n_text, sig), 32);
  b64url_encode(sig, 32, text);
  assert_string_equal(text, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
  jwt_close(&j);
}

static void test_rfc8037_a4(void **state) {
  (void)state;
  static const char d[] = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
                    x[] = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
  static const char msg[] = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
  uint8_t seed[32], pub[32], want[32], sig[JWT_SIG_MAX];
  char text[90];
  assert_int_equal(b64url_decode(d, strlen(d), seed, 32), 32);
  assert_int_equal(b64url_decode(x, strlen(x), want, 32), 32);
  ed25519_public(seed, pub);
  assert_memory_equal(pub, want, 32);
  assert_int_equal(jwt_sign_bytes(JWT_EDDSA, seed, 32, msg, strlen(msg), sig), 64);
  b64url_encode(sig, 64, text);
  assert_string_equal(
      text, "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg");
  assert_true(jwt_check_bytes(JWT_EDDSA, pub, 32, msg, strlen(msg), sig, 64));
  assert_false(jwt_check_bytes(JWT_EDDSA, pub, 32, msg, strlen(msg) - 1, sig, 64));
  assert_false(jwt_check_bytes(JWT_EDDSA, pub, 31, msg, strlen(msg), sig, 64));
  assert_false(jwt_check_bytes(JWT_EDDSA, pub, 32, msg, strlen(msg), sig, 63));
  sig[10] ^= 1;
  assert_false(jwt_check_bytes(JWT_EDDSA, pub, 32, msg, strlen(msg), sig, 64));
  assert_int_equal(jwt_sign_bytes(JWT_EDDSA, seed, 31, msg, strlen(msg), sig), 0);
}

static void test_make(void **state) {
  (void)state;
  uint8_t seed[32] = {7}, pub[32];
  ed25519_public(seed, pub);
  char *t = jwt_make(JWT_EDDSA, "x+jwt", "k", json_pack("{si}", "a", 1), seed, 32);
  assert_non_null(t);
  struct jwt j;
  assert_null(jwt_open(t, strlen(t), &j));
  assert_string_equal(j.kid, "k");
  assert_true(jwt_check(&j, JWT_EDDSA, pub, 32));
  assert_false(jwt_check(&j, JWT_HS256, pub, 32));
  jwt_close(&j);
  free(t);
  assert_null(jwt_make(JWT_HS256, "JWT", NULL, json_object(), seed, 0));
  assert_null(jwt_make(JWT_HS256, "JWT", NULL, NULL, seed, 32));
}

/* e30 is {}; what a stranger may send instead of a token. */
static void test_refused(void **state) {
  (void)state;
  static const struct {
    const char *text, *why;
  } bad[] = {
      {"", "format"},
      {".", "format"},
      {"..", "json"},
      {"...", "format"},
      {"e30.e30.", "alg"},
      {"e30=.e30.AA", "base64"},
      {"e3$.e30.AA", "base64"},
      {"e31.e30.AA", "base64"},                /* bits left over */
      {"bnVsbA.e30.AA", "json"},               /* null */
      {"eyJhbGciOiJIUzI1NiJ9.W10.AA", "json"}, /* [] for claims */
      {"eyJhbGciOiJIUzI1NiJ9.e30.A", "base64"},
      {"eyJhbGciOiJIUzI1NiIsIngiOjF9.e30.AA", "header"},
  };
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    struct jwt j;
    const char *why = jwt_open(bad[i].text, strlen(bad[i].text), &j);
    if (!why || strcmp(why, bad[i].why) != 0)
      fail_msg("%s: %s", bad[i].text, why ? why : "accepted");
    jwt_close(&j);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_rfc7515_a1),
      cmocka_unit_test(test_rfc8037_a4),
      cmocka_unit_test(test_make),
      cmocka_unit_test(test_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
