/* Push-to-talk on a virtual clock: times in ms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tui/ptt.h"

static us_t ms(int n) {
  return n * US_PER_MS;
}

static bool open_at(struct ptt *p, int at, bool voice) {
  return ptt_poll(p, ms(at), voice);
}

static void tap(struct ptt *p, int at) {
  ptt_key(p, ms(at), KEY_PRESS, false);
}

/* hold: a key held from `from` to `to`: repeats each 33 ms after 500 ms. */
static void hold(struct ptt *p, int from, int to) {
  tap(p, from);
  for (int t = from + 500; t <= to; t += 33) {
    assert_true(open_at(p, t, true));
    tap(p, t);
  }
}

static void known_release_is_exact(void **state) {
  (void)state;
  struct ptt p;
  ptt_init(&p);
  assert_string_equal(ptt_words(&p), "MIC OFF");
  assert_true(ptt_next_timeout(&p) == US_NEVER);
  ptt_key(&p, ms(0), KEY_PRESS, true);
  assert_true(open_at(&p, 0, true));
  assert_string_equal(ptt_words(&p), "TALK (hold)");
  assert_true(open_at(&p, 5000, true)); /* no repeats needed */
  ptt_key(&p, ms(5000), KEY_REPEAT, true);
  ptt_key(&p, ms(5100), KEY_RELEASE, true);
  assert_false(open_at(&p, 5100, false)); /* silent: at once */
  ptt_key(&p, ms(6000), KEY_PRESS, true);
  ptt_key(&p, ms(6050), KEY_RELEASE, true);
  assert_false(open_at(&p, 6060, false)); /* a short press is no latch here */
}

static void tail_never_cuts_a_syllable(void **state) {
  (void)state;
  struct ptt p;
  ptt_init(&p);
  ptt_key(&p, ms(0), KEY_PRESS, true);
  ptt_key(&p, ms(1000), KEY_RELEASE, true);
  assert_true(open_at(&p, 1100, true));
  assert_string_equal(ptt_words(&p), "TALK (hold)");
  assert_true(ptt_next_timeout(&p) == ms(1000 + PTT_TAIL_MS));
  assert_false(open_at(&p, 1150, false)); /* the first silence */
  assert_false(open_at(&p, 1160, true));  /* and it stays closed */
  ptt_key(&p, ms(2000), KEY_PRESS, true);
  ptt_key(&p, ms(3000), KEY_RELEASE, true);
  assert_true(open_at(&p, 2999 + PTT_TAIL_MS, true));
  assert_false(open_at(&p, 3000 + PTT_TAIL_MS, true)); /* at most so long */
}

static void hold_without_release(void **state) {
  (void)state;
  struct ptt p;
  ptt_init(&p);
  hold(&p, 0, 1490);
  assert_true(open_at(&p, 1490 + PTT_REPEAT_MS - 1, false));
  assert_string_equal(ptt_words(&p), "TALK (hold)");
  assert_true(ptt_next_timeout(&p) == ms(1490 + PTT_REPEAT_MS));
  assert_false(open_at(&p, 1490 + PTT_REPEAT_MS, false));
  assert_string_equal(ptt_words(&p), "MIC OFF");
}

static void tap_latches_and_tap_ends(void **state) {
  (void)state;
  struct ptt p;
  ptt_init(&p);
  tap(&p, 0);
  assert_true(open_at(&p, PTT_FIRST_MS - 1, false));
  assert_string_equal(ptt_words(&p), "TALK (hold)");
  assert_true(ptt_next_timeout(&p) == ms(PTT_FIRST_MS));
  assert_true(open_at(&p, PTT_FIRST_MS, false));
  assert_string_equal(ptt_words(&p), "TALK (latched - SPACE ends)");
  assert_true(open_at(&p, 20000, false));
  tap(&p, 20000);
  assert_false(open_at(&p, 20001, false));
  /* a key held down on that last tap repeats, and must not open again */
  for (int t = 20500; t < 23000; t += 33) {
    tap(&p, t);
    assert_false(open_at(&p, t, true));
  }
  assert_false(open_at(&p, 24000, false));
  tap(&p, 24000);
  assert_true(open_at(&p, 24000, false));
}

static void late_repeat_after_a_hold_never_latches(void **state) {
  (void)state;
  struct ptt p;
  ptt_init(&p);
  hold(&p, 0, 995);
  assert_false(open_at(&p, 1300, false)); /* the line stalls, the hold ends */
  tap(&p, 1350);                          /* then its last repeat arrives */
  assert_true(open_at(&p, 1350, false));
  assert_false(open_at(&p, 1350 + PTT_FIRST_MS, false));
  assert_false(open_at(&p, 9000, false));
  ptt_init(&p); /* but a hold that goes on is a hold */
  hold(&p, 0, 995);
  assert_false(open_at(&p, 1300, false));
  hold(&p, 1350, 2900);
  assert_false(open_at(&p, 3200, false));
}

static void there_is_a_maximum(void **state) {
  (void)state;
  struct ptt p;
  ptt_init(&p);
  ptt_key(&p, ms(1000), KEY_PRESS, true);
  assert_int_equal(ptt_left_ms(&p, ms(51000)), 10000);
  assert_true(ptt_next_timeout(&p) == ms(1000 + PTT_MAX_MS));
  assert_true(open_at(&p, 999 + PTT_MAX_MS, false));
  assert_false(open_at(&p, 1000 + PTT_MAX_MS, false));
  assert_int_equal(ptt_left_ms(&p, ms(1000 + PTT_MAX_MS)), 0);
  ptt_key(&p, ms(70000), KEY_REPEAT, true); /* the stuck key */
  assert_false(open_at(&p, 70000, false));
  ptt_key(&p, ms(71000), KEY_RELEASE, true);
  ptt_key(&p, ms(72000), KEY_PRESS, true);
  assert_true(open_at(&p, 72000, false));

  ptt_init(&p);
  tap(&p, 0);
  assert_true(open_at(&p, 1000, true));
  for (int t = 59500; t < 70000; t += 33)
    assert_int_equal(open_at(&p, t, false), t < PTT_MAX_MS); /* a latch as well */

  ptt_init(&p);
  tap(&p, 0);
  for (int t = 500; t < 70000; t += 33) { /* a key that repeats for ever */
    tap(&p, t);
    if (t > PTT_MAX_MS + PTT_TAIL_MS)
      assert_false(open_at(&p, t, true));
  }
}

static void switch_from_outside_and_mute(void **state) {
  (void)state;
  struct ptt p;
  ptt_init(&p);
  ptt_set(&p, 0, true);
  assert_true(open_at(&p, 3000, false));
  assert_string_equal(ptt_words(&p), "TALK (latched - SPACE ends)");
  ptt_set(&p, ms(3000), false);
  assert_false(open_at(&p, 3000, false));
  ptt_set(&p, ms(4000), true);
  ptt_key(&p, ms(5000), KEY_PRESS, true); /* SPACE ends, also where releases are known */
  assert_false(open_at(&p, 5001, false));
  ptt_key(&p, ms(5100), KEY_RELEASE, true);
  assert_false(open_at(&p, 5100, true));
  ptt_key(&p, ms(6000), KEY_PRESS, true);
  ptt_cut(&p, ms(6500)); /* muted while speaking: no tail */
  assert_false(ptt_is_open(&p));
  assert_false(open_at(&p, 6501, true));
  ptt_key(&p, ms(6600), KEY_REPEAT, true);
  assert_false(open_at(&p, 6601, true));
}

static void focus_lost_is_a_release(void **state) {
  (void)state;
  struct ptt p;
  ptt_init(&p);
  hold(&p, 0, 995);
  ptt_key(&p, ms(1000), KEY_RELEASE, false);
  assert_false(open_at(&p, 1000, false));
  ptt_set(&p, ms(2000), true);
  ptt_key(&p, ms(2500), KEY_RELEASE, true);
  assert_true(open_at(&p, 2500, false)); /* a latch stays */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(known_release_is_exact),
      cmocka_unit_test(tail_never_cuts_a_syllable),
      cmocka_unit_test(hold_without_release),
      cmocka_unit_test(tap_latches_and_tap_ends),
      cmocka_unit_test(late_repeat_after_a_hold_never_latches),
      cmocka_unit_test(there_is_a_maximum),
      cmocka_unit_test(switch_from_outside_and_mute),
      cmocka_unit_test(focus_lost_is_a_release),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
