/* rng: the seeded generator against published values of splitmix64 and xoshiro256**, and the helpers' ranges.
 */
#include "core/base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void test_seed_is_splitmix64(void **state) {
  (void)state;
  struct rng r;
  rng_seed(&r, 0);
  assert_true(r.s[0] == 0xe220a8397b1dcdafU);
  assert_true(r.s[1] == 0x6e789e6aa1b965f4U);
  assert_true(r.s[2] == 0x06c45d188009454fU);
  assert_true(r.s[3] == 0xf88bb8a8724c81ecU);
}

static void test_sequence_is_xoshiro256ss(void **state) {
  (void)state;
  static const uint64_t expected[] = {11520,
                                      0,
                                      1509978240,
                                      1215971899390074240U,
                                      1216172134540287360U,
                                      607988272756665600U,
                                      16172922978634559625U,
                                      8476171486693032832U,
                                      10595114339597558777U,
                                      2904607092377533576U};
  struct rng r;
  rng_seed(&r, 0);
  memcpy(r.s, (uint64_t[]){1, 2, 3, 4}, sizeof r.s);
  for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
    assert_true(rng_u64(&r) == expected[i]);
}

static void test_seeds_replay_and_differ(void **state) {
  (void)state;
  struct rng a, b, c;
  rng_seed(&a, 7);
  rng_seed(&b, 7);
  rng_seed(&c, 8);
  uint8_t x[37], y[37], z[37];
  a.fill(&a, x, sizeof x);
  b.fill(&b, y, sizeof y);
  c.fill(&c, z, sizeof z);
  assert_memory_equal(x, y, sizeof x);
  assert_memory_not_equal(x, z, sizeof x);
}

static void test_below_covers_range_evenly(void **state) {
  (void)state;
  struct rng r;
  rng_seed(&r, 1);
  unsigned seen[10] = {0};
  for (int i = 0; i < 10000; i++)
    seen[rng_below(&r, 10)]++; /* out of range would be caught by the sanitizer and the sum */
  for (int i = 0; i < 10; i++)
    assert_in_range(seen[i], 850, 1150); /* 1000 +- 5 sigma */
  for (int i = 0; i < 100; i++) {
    assert_int_equal(rng_below(&r, 1), 0);
    assert_true(rng_below(&r, (UINT64_C(1) << 63) + 1) <= UINT64_C(1) << 63);
  }
}

static void test_token(void **state) {
  (void)state;
  char a[33], b[33];
  memset(a, '!', sizeof a);
  rng_token(rng_system(), a, 32);
  rng_token(rng_system(), b, 32);
  assert_int_equal(strlen(a), 32);
  assert_int_equal(strspn(a, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"), 32);
  assert_string_not_equal(a, b);
  rng_token(rng_system(), a, 0);
  assert_string_equal(a, "");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_seed_is_splitmix64),
      cmocka_unit_test(test_sequence_is_xoshiro256ss),
      cmocka_unit_test(test_seeds_replay_and_differ),
      cmocka_unit_test(test_below_covers_range_evenly),
      cmocka_unit_test(test_token),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
