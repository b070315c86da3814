/* The level bar: ballistics on a virtual clock, and how it looks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tui/meter.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static us_t ms(int n) {
  return n * US_PER_MS;
}

static void expect_level(struct meter *m, int at, float want) {
  float got = meter_level(m, ms(at));
  if (fabsf(got - want) > 0.1F)
    fail_msg("at %d ms: %f instead of %f", at, (double)got, (double)want);
}

static void up_fast_down_slow(void **state) {
  (void)state;
  struct meter m;
  meter_init(&m);
  expect_level(&m, 1000, -60);
  meter_feed(&m, ms(1000), 0, true);
  expect_level(&m, 1005, -30);
  expect_level(&m, 1010, 0);
  meter_feed(&m, ms(1020), -60, false);
  expect_level(&m, 1170, -30);
  expect_level(&m, 1320, -60);
  meter_feed(&m, ms(2000), -20, true);
  expect_level(&m, 2100, -20); /* stays on its target */
}

static void no_news_is_silence(void **state) {
  (void)state;
  struct meter m;
  meter_init(&m);
  meter_feed(&m, 0, 0, true);
  expect_level(&m, METER_STALE_MS, 0);
  expect_level(&m, METER_STALE_MS + 150, -30);
  assert_false(meter_is_still(&m, ms(METER_STALE_MS + 150)));
  expect_level(&m, METER_STALE_MS + 5000, -60);
  assert_true(meter_is_still(&m, ms(METER_STALE_MS + 5000)));
}

static void bad_levels_stay_in_range(void **state) {
  (void)state;
  struct meter m;
  static const float bad[] = {NAN, INFINITY, -INFINITY, 40, -400};
  meter_init(&m);
  for (int i = 0; i < 5; i++) {
    meter_feed(&m, ms(100 * i), bad[i], false);
    float got = meter_level(&m, ms(100 * i + 50));
    assert_true(got >= METER_MIN_DB && got <= 0);
  }
}

static void talk_mark_holds(void **state) {
  (void)state;
  struct meter m;
  meter_init(&m);
  assert_false(meter_talking(&m, 0));
  meter_feed(&m, ms(100), -20, true);
  meter_feed(&m, ms(200), -60, false); /* a pause between two words */
  assert_true(meter_talking(&m, ms(399)));
  assert_false(meter_talking(&m, ms(100 + METER_HOLD_MS)));
}

static void bars_as_text(void **state) {
  (void)state;
  static const struct {
    float db;
    const char *utf8, *ascii;
  } bars[] = {
      {-60, "········", "........"},    {-90, "········", "........"}, {0, "████████", "========"},
      {9, "████████", "========"},      {-30, "████····", "====...."}, {-59, "▏·······", "........"},
      {-28.1F, "████▎···", "====...."}, {NAN, "········", "........"},
  };
  for (size_t i = 0; i < sizeof bars / sizeof bars[0]; i++) {
    char out[25];
    assert_int_equal(meter_text(bars[i].db, 8, false, out, sizeof out), strlen(bars[i].utf8));
    assert_string_equal(out, bars[i].utf8);
    assert_int_equal(meter_text(bars[i].db, 8, true, out, sizeof out), 8);
    assert_string_equal(out, bars[i].ascii);
  }
}

static void bars_have_64_steps(void **state) {
  (void)state;
  char last[25] = "", out[25];
  int steps = 0;
  for (int i = 0; i <= 6000; i++) {
    meter_text((float)i / 100.0F - 60, 8, false, out, sizeof out);
    steps += strcmp(out, last) != 0;
    memcpy(last, out, sizeof out);
  }
  assert_int_equal(steps, 65);
}

static void drawn_bar_has_its_zones(void **state) {
  (void)state;
  for (int ascii = 0; ascii < 2; ascii++) {
    struct canvas *c = canvas_create(14, 2, ascii);
    meter_draw(c, 1, 0, 10, 0);
    meter_draw(c, 1, 1, 10, -30);
    char *text = canvas_text(c), *styles = canvas_styles(c);
    assert_string_equal(text, ascii ? " ==========\n =====.....\n" : " ██████████\n █████·····\n");
    assert_string_equal(styles, ".1111111223\n.11111ddddd\n"); /* -18 dB is at 7 of 10, -6 at 9 */
    free(text);
    free(styles);
    canvas_destroy(c);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(up_fast_down_slow),
      cmocka_unit_test(no_news_is_silence),
      cmocka_unit_test(bad_levels_stay_in_range),
      cmocka_unit_test(talk_mark_holds),
      cmocka_unit_test(bars_as_text),
      cmocka_unit_test(bars_have_64_steps),
      cmocka_unit_test(drawn_bar_has_its_zones),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
