/* The byte budget on a virtual clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tui/pace.h"

#include <string.h>

static void tiers_are_found(void **state) {
  (void)state;
  enum pace_tier t;
  for (int i = 0; i < PACE__COUNT; i++) {
    assert_true(pace_tier_find(pace_tier_info((enum pace_tier)i)->name, &t));
    assert_int_equal(t, i);
  }
  assert_true(pace_tier_find("slow", &t));
  assert_int_equal(t, PACE_2400);
  assert_false(pace_tier_find("faster", &t));
  assert_int_equal(pace_tier_guess(2400, false), PACE_2400);
  assert_int_equal(pace_tier_guess(9600, true), PACE_9600);
  assert_int_equal(pace_tier_guess(38400, true), PACE_SSH);
  assert_int_equal(pace_tier_guess(0, false), PACE_FAST);
  assert_int_equal(pace_tier_info(PACE_2400)->meters, PACE_METERS_NONE);
  assert_false(pace_tier_info(PACE_2400)->boxes);
}

/* run: frames of `bytes` as often as allowed for `seconds`; returns the bytes drawn. */
static unsigned long long run(enum pace_tier t, unsigned long long bytes, int seconds) {
  struct pace p;
  unsigned long long sum = 0;
  pace_init(&p, t);
  for (us_t now = 0; now < seconds * US_PER_S; now = pace_next(&p, now + 1, false)) {
    pace_spend(&p, now, bytes);
    sum += bytes;
  }
  return sum;
}

static void budget_holds_for_any_frame_size(void **state) {
  (void)state;
  static const unsigned sizes[] = {1, 50, 400, 2456, 20000};
  for (int t = 0; t < PACE__COUNT; t++) {
    const struct pace_tier_info *info = pace_tier_info((enum pace_tier)t);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
      unsigned long long drawn = run((enum pace_tier)t, sizes[i], 60);
      assert_true(drawn <= (unsigned long long)info->bytes_per_s * 60 + sizes[i]);
      assert_true(drawn <= sizes[i] * (60000ULL / (unsigned)info->frame_ms + 1));
      assert_true(drawn > 0);
    }
  }
}

static void a_large_frame_is_paid_back(void **state) {
  (void)state;
  struct pace p;
  pace_init(&p, PACE_2400);
  assert_true(pace_next(&p, 0, false) == 0);
  pace_spend(&p, 0, 1800); /* ten seconds' worth */
  assert_true(pace_next(&p, US_PER_S, false) == 10 * US_PER_S);
  assert_true(pace_next(&p, 11 * US_PER_S, false) == 11 * US_PER_S);
}

static void typing_goes_first_within_reason(void **state) {
  (void)state;
  struct pace p;
  pace_init(&p, PACE_9600);
  pace_spend(&p, 0, 360); /* half a second of debt */
  assert_true(pace_next(&p, 1000, true) == 1000);
  assert_true(pace_next(&p, 1000, false) == US_PER_S / 2);
  pace_spend(&p, 1000, 720 * 5); /* a held PgDn */
  assert_true(pace_next(&p, 2000, true) > 2000);
  assert_true(pace_next(&p, 2000, true) < pace_next(&p, 2000, false));
}

static void absurd_amounts_do_not_overflow(void **state) {
  (void)state;
  struct pace p;
  pace_init(&p, PACE_2400);
  for (int i = 0; i < 1000; i++)
    pace_spend(&p, i, UINT64_MAX);
  assert_true(pace_next(&p, 0, false) > 0);
  pace_set_tier(&p, PACE_FAST);
  assert_int_equal(p.tier, PACE_FAST);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(tiers_are_found),
      cmocka_unit_test(budget_holds_for_any_frame_size),
      cmocka_unit_test(a_large_frame_is_paid_back),
      cmocka_unit_test(typing_goes_first_within_reason),
      cmocka_unit_test(absurd_amounts_do_not_overflow),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
