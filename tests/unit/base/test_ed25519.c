/* ed25519: RFC 8032 section 7.1, test 2; keys in every spelling (RFC 8037 appendix A, RFC 8410 section 10.3).
 */
#include "core/base/bytes.h"
#include "core/base/ed25519.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define SEED "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"
#define PUBLIC "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
#define SIG                                                                                                  \
  "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"                                         \
  "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"

static void signs_and_checks_as_the_rfc(void **state) {
  uint8_t seed[32], public[32], want[64], sig[64], msg = 0x72;
  (void)state;
  assert_true(hex_decode(SEED, 64, seed) && hex_decode(SIG, 128, want));
  ed25519_public(seed, public);
  ed25519_sign(seed, &msg, 1, sig);
  assert_memory_equal(sig, want, 64);
  assert_true(ed25519_check(public, &msg, 1, sig));
  assert_false(ed25519_check(public, &msg, 0, sig));
  for (size_t i = 0; i < sizeof sig; i++) {
    sig[i] ^= 1;
    assert_false(ed25519_check(public, &msg, 1, sig));
    sig[i] ^= 1;
  }
  public[0] ^= 1;
  assert_false(ed25519_check(public, &msg, 1, sig));
}

/* The same key in each of its spellings, with what may follow it. */
static void keys_are_read(void **state) {
  static const struct {
    const char *text, *hex;
    bool private;
  } GOOD[] = {
      {PUBLIC, PUBLIC, false},
      {PUBLIC "\r\n", PUBLIC, false},
      {"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\n",
       "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", false},
      {"-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
       "-----END PUBLIC KEY-----\n",
       "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", false},
      {"-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
       "-----END PRIVATE KEY-----\n",
       "d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842", true}};
  (void)state;
  for (size_t i = 0; i < sizeof GOOD / sizeof GOOD[0]; i++) {
    uint8_t want[32], got[32];
    assert_true(hex_decode(GOOD[i].hex, 64, want));
    assert_true(ed25519_read(GOOD[i].text, strlen(GOOD[i].text), GOOD[i].private, got));
    assert_memory_equal(got, want, 32);
  }
}

static void what_is_no_key_is_refused(void **state) {
  static const char *const BAD[] = {
      "", "\n", "4ccd", PUBLIC "00", "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHUR",
      "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n",
      /* X25519, RFC 8410: of the same length, and not for signatures */
      ("-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VuAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
       "-----END PUBLIC KEY-----\n"),
      /* a private one where a public one belongs */
      ("-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
       "-----END PRIVATE KEY-----\n")};
  uint8_t key[32];
  (void)state;
  for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
    if (ed25519_read(BAD[i], strlen(BAD[i]), false, key))
      fail_msg("%s is taken", BAD[i]);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(signs_and_checks_as_the_rfc),
                                     cmocka_unit_test(keys_are_read),
                                     cmocka_unit_test(what_is_no_key_is_refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
