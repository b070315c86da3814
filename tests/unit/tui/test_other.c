/* Another person's line on his card: asked of the server for as long as who moderates looks, and by nobody
 * else. */
#include "tests/unit/tui/room_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Whose line was asked for since the last look, 0: nobody's; the last if several. */
static uint32_t asked(struct fixture *f, unsigned *times) {
  static struct intent i;
  uint32_t who = 0;
  *times = 0;
  while (model_take(f->m, &i))
    if (i.kind == INTENT_OTHER) {
      who = i.member;
      ++*times;
    }
  return who;
}

static void step_s(struct fixture *f, int s) {
  for (int i = 0; i < s * 10; i++)
    fx_step(f, 100);
}

static void test_asked_while_looking(void **state) {
  (void)state;
  unsigned n;
  struct fixture *f = fx_busy();
  f->m->cursor = DAVE;
  step_s(f, 20);
  assert_int_equal(asked(f, &n), 0); /* the card is there, but not looked at */
  model_focus(f->m, PANE_CARD);
  f->m->cursor = DAVE;
  fx_step(f, 10);
  assert_int_equal(asked(f, &n), DAVE);
  assert_int_equal(n, 1);
  assert_true(model_next_tick(f->m) <= f->now + MODEL_OTHER_AGAIN_US);
  step_s(f, 20);
  assert_int_equal(asked(f, &n), DAVE);
  assert_in_range(n, 3, 4);
  f->m->cursor = f->me; /* his own line he knows */
  step_s(f, 10);
  assert_int_equal(asked(f, &n), 0);
  f->m->cursor = DAVE;
  fx_step(f, 10);
  assert_int_equal(asked(f, &n), DAVE); /* at once */
  model_focus(f->m, PANE_CHAT);
  step_s(f, 10);
  assert_int_equal(asked(f, &n), 0);
  fx_destroy(f);
}

static void test_only_who_moderates_asks(void **state) {
  (void)state;
  unsigned n;
  struct fixture *f = fx_busy();
  for (size_t i = 0; i < f->m->room.n_members; i++)
    if (f->m->room.members[i].id == f->me)
      f->m->room.members[i].role = ROLE_SPEAKER;
  model_focus(f->m, PANE_CARD);
  f->m->cursor = DAVE;
  step_s(f, 20);
  assert_int_equal(asked(f, &n), 0);
  fx_destroy(f);
}

static bool card_says(struct fixture *f, const char *words) {
  struct canvas *c = canvas_create(140, 40, true);
  screen_draw(&(struct scene){f->m, c, f->keys, pace_tier_info(PACE_FAST), f->now});
  char *text = canvas_text(c);
  bool found = strstr(text, words) != NULL;
  canvas_destroy(c);
  free(text);
  return found;
}

static void test_the_card_shows_it(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  f->m->cursor = DAVE;
  assert_false(card_says(f, "3.8 to, - from"));
  struct client_event ev = {.kind = CLIENT_EV_OTHER,
                            .other = {.member = DAVE,
                                      .tier = "low",
                                      .via = "tunnel",
                                      .copies = 1,
                                      .kbps_down = 21,
                                      .loss_down_pct = 12,
                                      .loss_up_pct = 3,
                                      .concealed_down_pct = 4,
                                      .mos_down = 38,
                                      .rtt_ms = 80,
                                      .jitter_ms = 7,
                                      .buffer_ms = 90}};
  model_update(f->m, &ev, f->now);
  assert_true(card_says(f, "low, 1 copy, 21 kb/s"));
  assert_true(card_says(f, "tunnel: inside the"));
  assert_true(card_says(f, "12% to, 3% from"));
  assert_true(card_says(f, "4% to, 0% from"));
  assert_true(card_says(f, "3.8 to, - from"));
  assert_true(card_says(f, "80 ms, jitter 7 ms"));
  step_s(f, 60); /* no answer any more, for what reason ever: what was is not what is */
  f->m->cursor = DAVE;
  assert_false(card_says(f, "low, 1 copy, 21 kb/s"));
  model_update(f->m, &ev, f->now);
  assert_true(card_says(f, "low, 1 copy, 21 kb/s"));
  f->m->cursor = f->me; /* on another's card stands nothing of it */
  assert_false(card_says(f, "low, 1 copy, 21 kb/s"));
  fx_destroy(f);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_asked_while_looking),
                                     cmocka_unit_test(test_only_who_moderates_asks),
                                     cmocka_unit_test(test_the_card_shows_it)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
