/* What is where at which width, that the real cursor is on what has the focus, and that nothing ticks where
 * bytes are dear. */
#include "tests/unit/tui/room_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static char *text_at(struct fixture *f, int w, int h, enum pace_tier tier, int cursor[2]) {
  struct canvas *c = canvas_create(w, h, true);
  screen_draw(&(struct scene){f->m, c, f->keys, pace_tier_info(tier), f->now});
  char *text = canvas_text(c);
  if (cursor != NULL) {
    assert_true(c->cursor_shown);
    cursor[0] = c->cursor_x;
    cursor[1] = c->cursor_y;
  }
  canvas_destroy(c);
  return text;
}

static bool says(struct fixture *f, int w, int h, const char *words) {
  char *text = text_at(f, w, h, PACE_FAST, NULL);
  bool found = strstr(text, words) != NULL;
  free(text);
  return found;
}

/* row_of: a row of the text, without the rest. */
static const char *row_of(char *text, int y) {
  for (; y > 0; y--)
    text = strchr(text, '\n') + 1;
  *strchr(text, '\n') = '\0';
  return text;
}

static void test_tiers(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  f->m->cursor = DAVE;
  static const struct {
    int w;
    bool chat, card;
  } TIERS[] = {{140, true, true}, {120, true, true},  {119, true, false}, {80, true, false},
               {60, true, false}, {59, false, false}, {40, false, false}};
  for (size_t i = 0; i < sizeof TIERS / sizeof TIERS[0]; i++) {
    assert_true(says(f, TIERS[i].w, 30, "grete")); /* the people always */
    assert_int_equal(says(f, TIERS[i].w, 30, "bob is muted."), TIERS[i].chat);
    assert_int_equal(says(f, TIERS[i].w, 30, "client     test"), TIERS[i].card);
    assert_int_equal(says(f, TIERS[i].w, 30, "[people]"), !TIERS[i].chat); /* one pane says which it is */
  }
  f->m->zoom = true;
  assert_true(says(f, 120, 30, "[people]"));
  assert_false(says(f, 120, 30, "bob is muted."));
  fx_destroy(f);
}

/* Each pane, by Tab alone, at each width; the cursor stands in it. */
static void test_every_pane_has_the_cursor(void **state) {
  (void)state;
  static const char *const NAMES[PANE__COUNT] = {"[people]", "[lobby 2]", "[hands 2]",
                                                 "[chat",    "[log]",     "[card]"};
  static const char *const ROWS[PANE__COUNT] = {"ann", "ann", "erin", "", "", "erin #5"};
  static const int WIDTHS[] = {130, 80, 60, 40};
  for (size_t i = 0; i < 4; i++) {
    struct fixture *f = fx_busy();
    f->m->cursor = ANN;
    for (int pane = 0; pane < PANE__COUNT; pane++) {
      int at[2];
      char *text = text_at(f, WIDTHS[i], 20, PACE_FAST, at);
      assert_int_equal(f->m->pane, pane);
      if (WIDTHS[i] < 60)
        assert_non_null(strstr(text, NAMES[pane]));
      const char *row = row_of(text, at[1]);
      assert_in_range(at[0], 0, WIDTHS[i] - 1);
      if (ROWS[pane][0] != '\0') /* the cursor is on the name, or where the card begins */
        assert_int_equal(strncmp(row + at[0], ROWS[pane], strlen(ROWS[pane])), 0);
      free(text);
      fx_key(f, "Tab");
    }
    assert_int_equal(f->m->pane, PANE_PEOPLE);
    fx_destroy(f);
  }
}

static void test_settings_are_words(void **state) {
  (void)state;
  static const struct {
    const char *does, *words;
  } SETTINGS[] = {{"lock at ten", "LOCKED: at ten"}, {"mute_all hold", "ALL MUTED, HELD"},
                  {"mute_entry on", "ENTER MUTED"},  {"one_speaker on", "ONE SPEAKER"},
                  {"chat_mode off", "CHAT OFF"},     {"slow 90", "SLOW 90 s"},
                  {"links off", "NO LINKS"},         {"max_people 40", "MAX 40"}};
  for (size_t i = 0; i < sizeof SETTINGS / sizeof SETTINGS[0]; i++) {
    struct fixture *f = fx_busy();
    assert_false(says(f, 120, 30, SETTINGS[i].words));
    fx_does(f, CAROL, SETTINGS[i].does);
    assert_true(says(f, 80, 24, SETTINGS[i].words));
    assert_true(says(f, 80, 24, "2 wait: ann")); /* who waits is not pushed away */
    fx_destroy(f);
  }
}

static void test_signs_of_people(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  fx_does(f, CAROL, "ban bob speak 10m loud");
  fx_does(f, CAROL, "priority erin");
  fx_does(f, CAROL, "gain Jos* -6");
  fx_does(f, CAROL, "breakouts 3");
  fx_does(f, CAROL, "move *Keiko 3");
  f->m->cursor = 0;
  assert_true(says(f, 80, 24, "  X  bob          silenced"));
  assert_true(says(f, 80, 24, "^ !erin"));
  assert_true(says(f, 80, 24, "-6 dB"));
  fx_does(f, CAROL, "move bob 3");
  assert_true(says(f, 80, 24, "3:bob"));
  assert_true(says(f, 60, 24, "3:bob"));
  f->m->cursor = BOB;
  model_focus(f->m, PANE_CARD);
  assert_true(says(f, 60, 24, "silenced by a host"));
  assert_true(says(f, 60, 24, "side room 3"));
  fx_destroy(f);
}

static void test_countdowns(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  fx_step(f, 1000);
  assert_int_equal(model_next_tick(f->m) - f->now > US_PER_S, true); /* nothing ticks yet */
  fx_does(f, CAROL, "end 90s");
  model_tick(f->m, f->now);
  assert_true(says(f, 80, 24, "ENDS IN 01:30, u stops it"));
  for (int left = 89; left >= 0; left--) {
    char words[32];
    us_t next = model_next_tick(f->m);
    assert_in_range(next - f->now, 1, US_PER_S);
    f->wall_ms += (next - f->now) / US_PER_MS;
    f->now = next;
    f->m->toast[0] = '\0';
    assert_true(model_tick(f->m, f->now));
    snprintf(words, sizeof words, "ENDS IN %02d:%02d", left / 60, left % 60);
    assert_true(says(f, 80, 24, words));
  }
  fx_destroy(f);
}

/* On a slow line the same seconds cost no byte: the time of day stands there. */
static void test_slow_lines_do_not_tick(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  fx_does(f, CAROL, "agenda one; two");
  fx_does(f, CAROL, "talk_time 2m");
  fx_does(f, CAROL, "floor_give frank");
  fx_does(f, CAROL, "end 90s");
  fx_step(f, 12000);
  f->m->toast[0] = '\0';
  for (int pane = 0; pane < PANE__COUNT; pane++) {
    model_focus(f->m, (enum model_pane)pane);
    char *before = text_at(f, 80, 24, PACE_2400, NULL);
    assert_non_null(strstr(before, "ENDS AT 08:57, u stops it"));
    fx_step(f, 3000);
    char *after = text_at(f, 80, 24, PACE_2400, NULL);
    assert_string_equal(before, after);
    free(before);
    free(after);
  }
  fx_destroy(f);
}

static void test_guests_cannot_stop_the_end(void **state) {
  (void)state;
  struct fixture *f = fx_create(false);
  fx_join(f, "alice", ROLE_HOST);
  fx_enter(f, fx_join(f, "bob", ROLE_SPEAKER));
  fx_does(f, 1, "end 30s");
  assert_true(says(f, 80, 24, "ENDS IN 00:30"));
  assert_false(says(f, 80, 24, "stops it"));
  fx_destroy(f);
}

/* What concerns oneself is on the lowest rows, whatever the pane. */
static void test_own_state(void **state) {
  (void)state;
  struct fixture *f = fx_create(false);
  fx_join(f, "alice", ROLE_HOST);
  uint32_t ann = fx_join(f, "ann", ROLE_AUDIENCE), bob = fx_join(f, "bob", ROLE_AUDIENCE);
  fx_enter(f, bob);
  fx_does(f, 1, "talk_time 2m");
  fx_does(f, ann, "hand");
  fx_does(f, bob, "hand");
  f->m->toast[0] = '\0';
  assert_true(says(f, 40, 12, "your hand: 2 of 2"));
  fx_does(f, 1, "hands_down");
  fx_does(f, 1, "floor_give bob");
  assert_true(says(f, 60, 12, "YOUR TURN: 02:00"));
  fx_does(f, 1, "breakouts 2");
  fx_does(f, 1, "move bob 2");
  assert_true(says(f, 40, 12, "SIDE ROOM 2"));
  fx_does(f, 1, "ban bob speak 5m");
  assert_true(says(f, 40, 12, "SILENCED BY A HOST"));
  fx_destroy(f);
}

static void test_long_lists_say_where(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  for (int i = 0; i < 300; i++)
    fx_join(f, "guest", ROLE_HOST);
  assert_true(says(f, 80, 24, "-- page 1 of 17"));
  model_move(f->m, 1000);
  assert_true(says(f, 80, 24, "-- page 17 of 17"));
  assert_true(says(f, 80, 24, "guest (300)"));
  model_filter_set(f->m, "(29");
  assert_true(says(f, 80, 24, "names with (29: 11"));
  fx_destroy(f);
}

static void test_poll(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  fx_does(f, ALICE, "poll Lunch? | now | later");
  assert_true(says(f, 80, 24, "POLL: Lunch?  1 now (0)  2 later (0)  :vote N answers"));
  fx_does(f, BOB, "vote 2");
  fx_does(f, CAROL, "vote 2");
  assert_true(says(f, 80, 24, "1 now (0)  2 later (2)  your answer: 2"));
  fx_does(f, ALICE, "poll_end");
  assert_false(says(f, 80, 24, "POLL"));
  fx_does(f, ALICE, "poll anonymous Tea? | yes | no");
  fx_does(f, BOB, "vote 2");
  assert_true(says(f, 80, 24, "POLL (anonymous): Tea?  1 yes  2 no  :vote")); /* no counts before the end */
  fx_destroy(f);
}

static void test_pinned_and_edited(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  char line[64];
  unsigned long long id = f->server.chat[0].id;
  snprintf(line, sizeof line, "chat_edit %llu who owns the notes?", id);
  fx_does(f, BOB, line);
  assert_true(says(f, 80, 24, "bob (changed): who owns the notes?"));
  snprintf(line, sizeof line, "pin %llu", id);
  fx_does(f, CAROL, line);
  for (int i = 0; i < 40; i++) /* it stays when the message itself is long out of sight */
    fx_does(f, BOB, "chat more words");
  assert_true(says(f, 80, 24, "Pinned: bob: who owns the notes?"));
  fx_does(f, CAROL, "unpin");
  assert_false(says(f, 80, 24, "Pinned"));
  fx_destroy(f);
}

/* In a large room, who comes and goes is told in the log, not between the messages. */
static void test_traffic_is_quiet_in_large_rooms(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  fx_join(f, "early", ROLE_HOST);
  fx_step(f, MODEL_CROWD_MS);
  for (int i = 0; i < MODEL_LARGE; i++)
    fx_join(f, "guest", ROLE_HOST);
  fx_step(f, MODEL_CROWD_MS);
  fx_join(f, "latecomer", ROLE_HOST);
  f->m->zoom = true;
  model_focus(f->m, PANE_CHAT);
  assert_true(says(f, 80, 70, "early joined."));
  assert_false(says(f, 80, 70, "latecomer joined."));
  model_focus(f->m, PANE_LOG);
  assert_true(says(f, 80, 24, "latecomer joined."));
  assert_false(says(f, 80, 70, "who owns the release notes?"));
  fx_destroy(f);
}

static void test_back_in_the_lobby(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  fx_state(f, CLIENT_LOBBY, ERR_OK, "");
  assert_false(says(f, 80, 24, "alice") || says(f, 80, 24, "bob")); /* one sees nothing of it any more */
  struct client_event ev = {.kind = CLIENT_EV_NOTICE, .text = "a host writes: \x1b[2J soon"};
  model_update(f->m, &ev, f->now);
  fx_step(f, 60000);
  assert_true(says(f, 80, 24, "A host writes: [2J soon."));
  fx_destroy(f);
}

/* With everything set and every pane, group and line speed, any size draws, and inside. */
static void test_any_size(void **state) {
  (void)state;
  static const char *const DOES[] = {"agenda one; two; three",
                                     "talk_time 2m",
                                     "floor_give frank",
                                     "breakouts 2",
                                     "move Jos* 2",
                                     "recall 9m",
                                     "lock \u6075\u5b50 wide",
                                     "end 2m",
                                     "priority erin",
                                     "note bob \u6075\u5b50",
                                     "poll A? | b | c | d"};
  uint32_t seed = 5;
  struct fixture *f = fx_busy();
  for (size_t i = 0; i < sizeof DOES / sizeof DOES[0]; i++)
    fx_does(f, CAROL, DOES[i]);
  for (int i = 0; i < 1500; i++) {
    seed = seed * 1664525u + 1013904223u;
    int w = 1 + (int)(seed >> 8) % (i % 3 == 0 ? 12 : 150), h = 1 + (int)(seed >> 17) % (i % 5 == 0 ? 5 : 50);
    f->m->zoom = i % 7 == 0;
    f->m->cursor = i % 11 == 0 ? 0 : i % 13 == 0 ? MODEL_TITLE(GROUP_HOSTS) : (uint32_t)(1 + i % 14);
    if (i % 50 == 0)
      model_group_set(f->m, i % 100 == 0);
    model_pane_next(f->m, 1);
    f->m->scroll = (size_t)(i % 30);
    struct canvas *c = canvas_create(w, h, i % 2 == 0);
    screen_draw(&(struct scene){f->m, c, f->keys, pace_tier_info((enum pace_tier)(i % PACE__COUNT)), f->now});
    assert_in_range(c->cursor_x, 0, w - 1);
    assert_in_range(c->cursor_y, 0, h - 1);
    canvas_destroy(c);
  }
  fx_destroy(f);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_tiers),
                                     cmocka_unit_test(test_any_size),
                                     cmocka_unit_test(test_every_pane_has_the_cursor),
                                     cmocka_unit_test(test_settings_are_words),
                                     cmocka_unit_test(test_signs_of_people),
                                     cmocka_unit_test(test_countdowns),
                                     cmocka_unit_test(test_slow_lines_do_not_tick),
                                     cmocka_unit_test(test_guests_cannot_stop_the_end),
                                     cmocka_unit_test(test_own_state),
                                     cmocka_unit_test(test_long_lists_say_where),
                                     cmocka_unit_test(test_poll),
                                     cmocka_unit_test(test_pinned_and_edited),
                                     cmocka_unit_test(test_traffic_is_quiet_in_large_rooms),
                                     cmocka_unit_test(test_back_in_the_lobby)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
