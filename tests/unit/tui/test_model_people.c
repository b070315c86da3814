/* The list of people: order, groups, filter and marks; that it stands still when it must; and that it is
 * always what a list made anew would be. */
#include "tests/unit/tui/room_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static uint32_t seed = 11;
static uint32_t chance(uint32_t n) {
  seed = seed * 1664525u + 1013904223u;
  return (seed >> 8) % n;
}

/* shown: the names of the list, titles as "[g]", rows of those who left as "-". */
static const char *shown(const struct fixture *f) {
  static char out[8000];
  size_t n, at;
  const uint32_t *rows = model_rows(f->m, &n, &at);
  out[0] = '\0';
  for (size_t i = 0; i < n; i++) {
    const struct member *p = room_member(&f->m->room, rows[i]);
    char title[16];
    snprintf(title, sizeof title, "[%u]", rows[i] - MODEL_TITLE(0));
    snprintf(out + strlen(out), sizeof out - strlen(out), "%s%s", i > 0 ? " " : "",
             rows[i] == MODEL_ROW_LEFT ? "-"
             : p != NULL               ? p->name
                                       : title);
  }
  return out;
}

/* small: carol the host, ann, bob, cid, dan as speakers, eve in the audience; the list may move. */
enum { S_CAROL = 1, S_DAN, S_ANN, S_CID, S_BOB, S_EVE };
static struct fixture *small(void) {
  static const char *const NAMES[] = {"dan", "ann", "cid", "bob"};
  struct fixture *f = fx_create(false);
  fx_join(f, "carol", ROLE_HOST);
  fx_enter(f, S_CAROL);
  for (size_t i = 0; i < 4; i++)
    fx_join(f, NAMES[i], ROLE_SPEAKER);
  fx_join(f, "eve", ROLE_AUDIENCE);
  fx_step(f, 3000);
  return f;
}

static void test_orders(void **state) {
  (void)state;
  struct fixture *f = small();
  assert_string_equal(shown(f), "[1] carol dan ann cid bob eve");
  model_sort_set(f->m, SORT_NAME);
  assert_string_equal(shown(f), "[1] ann bob carol cid dan eve");
  fx_join(f, "Bea", ROLE_SPEAKER); /* a newcomer goes to his place */
  assert_string_equal(shown(f), "[1] ann Bea bob carol cid dan eve");
  fx_does(f, S_CAROL, "rename dan Aaron");
  assert_string_equal(shown(f), "[1] Aaron ann Bea bob carol cid eve");
  fx_does(f, S_CID, "hand");
  fx_does(f, S_ANN, "hand");
  model_sort_set(f->m, SORT_HAND);
  assert_string_equal(shown(f), "[1] cid ann carol Aaron bob eve Bea");
  fx_does(f, S_CAROL, "hand_lower cid");
  assert_string_equal(shown(f), "[1] ann carol Aaron cid bob eve Bea");
  fx_destroy(f);
}

static void talks_for(struct fixture *f, uint32_t who, int ms) {
  for (int t = 0; t < ms; t += 100) {
    fx_step(f, 100);
    fx_talks(f, who, 20);
  }
  fx_step(f, 1000);
}

static void test_talk_time(void **state) {
  (void)state;
  struct fixture *f = small();
  talks_for(f, S_BOB, 5000);
  talks_for(f, S_ANN, 2000);
  assert_in_range(model_talked(f->m, S_BOB), 4800 * US_PER_MS, 5000 * US_PER_MS);
  assert_in_range(model_talked(f->m, S_ANN), 1800 * US_PER_MS, 2000 * US_PER_MS);
  assert_int_equal(model_talked(f->m, S_CID), 0);
  model_sort_set(f->m, SORT_TALK);
  assert_string_equal(shown(f), "[1] bob ann carol dan cid eve");
  talks_for(f, S_CID, 3000); /* not sorted anew at every word */
  assert_string_equal(shown(f), "[1] bob ann carol dan cid eve");
  talks_for(f, S_CID, 4000);
  fx_step(f, 5000);
  assert_string_equal(shown(f), "[1] cid bob ann carol dan eve");
  fx_destroy(f);
}

static void test_bad_lines_first(void **state) {
  (void)state;
  struct fixture *f = small();
  struct client_event ev = {.kind = CLIENT_EV_QUALITY, .n = 2};
  ev.level_of[0].member = S_CID;
  ev.level_of[0].level = 1;
  ev.level_of[1].member = S_BOB;
  ev.level_of[1].level = 2;
  model_update(f->m, &ev, f->now);
  model_sort_set(f->m, SORT_LINE);
  assert_string_equal(shown(f), "[1] bob cid carol dan ann eve");
  fx_destroy(f);
}

static void test_groups_fold(void **state) {
  (void)state;
  struct fixture *f = small();
  model_group_set(f->m, true);
  assert_string_equal(shown(f), "[2] carol [3] dan ann cid bob [4] eve");
  f->m->cursor = S_ANN;
  assert_true(model_fold(f->m));
  assert_string_equal(shown(f), "[2] carol [3] [4] eve");
  assert_int_equal(f->m->cursor, MODEL_TITLE(GROUP_SPEAKERS)); /* and on nobody */
  fx_key(f, "x");
  assert_int_equal(f->m->mode, MODE_KEYS);
  model_move(f->m, 1);
  model_move(f->m, 1);
  assert_int_equal(f->m->cursor, S_EVE);
  model_filter_set(f->m, "an"); /* what is looked for is found in a folded group too */
  assert_string_equal(shown(f), "[3] dan ann");
  model_filter_set(f->m, "");
  assert_int_equal(f->m->cursor, MODEL_TITLE(GROUP_SPEAKERS));
  fx_step(f, 1);
  fx_step(f, 3000);
  fx_does(f, S_CAROL, "role eve speaker");
  assert_int_equal(model_group_count(f->m, GROUP_SPEAKERS), 5);
  assert_true(model_fold(f->m));
  assert_string_equal(shown(f), "[2] carol [3] dan ann cid bob eve");
  fx_destroy(f);
}

static void test_filter(void **state) {
  (void)state;
  struct fixture *f = small();
  f->m->cursor = S_CID;
  model_filter_set(f->m, "B");
  assert_string_equal(shown(f), "[1] bob");
  assert_int_equal(f->m->cursor, S_BOB); /* nobody hidden stays selected */
  fx_join(f, "abba", ROLE_SPEAKER);
  fx_join(f, "otto", ROLE_SPEAKER);
  assert_string_equal(shown(f), "[1] bob abba");
  fx_does(f, S_CAROL, "rename otto Bert");
  fx_does(f, S_CAROL, "rename bob Rod");
  assert_string_equal(shown(f), "[1] abba Bert");
  model_filter_set(f->m, "zzz");
  assert_string_equal(shown(f), "");
  assert_int_equal(f->m->cursor, 0);
  fx_destroy(f);
}

/* Nothing moves under the eye: after an arrow, and while a question is open. */
static void test_stands_still(void **state) {
  (void)state;
  struct fixture *f = small();
  model_sort_set(f->m, SORT_NAME);
  f->m->cursor = S_CAROL;
  fx_key(f, "Up");
  assert_int_equal(f->m->cursor, S_BOB);
  fx_join(f, "abe", ROLE_SPEAKER);
  fx_does(f, S_ANN, "leave");
  fx_does(f, S_CAROL, "rename cid Aaron");
  assert_string_equal(shown(f), "[1] - bob carol Aaron dan eve abe");
  fx_step(f, 1900);
  assert_string_equal(shown(f), "[1] - bob carol Aaron dan eve abe");
  assert_in_range(model_next_tick(f->m), f->now, f->now + 200 * US_PER_MS);
  f->now += 200 * US_PER_MS;
  assert_true(model_tick(f->m, f->now)); /* the screen changes by itself */
  assert_string_equal(shown(f), "[1] Aaron abe bob carol dan eve");
  assert_int_equal(f->m->cursor, S_BOB);
  f->m->toast[0] = '\0';
  assert_int_equal(model_next_tick(f->m), US_NEVER); /* and then rests */

  fx_key(f, "x");
  assert_int_equal(f->m->mode, MODE_ASK);
  fx_join(f, "aaa", ROLE_SPEAKER);
  fx_step(f, 60000);
  assert_string_equal(shown(f), "[1] Aaron abe bob carol dan eve aaa");
  fx_type(f, "n");
  fx_step(f, 1);
  assert_string_equal(shown(f), "[1] aaa Aaron abe bob carol dan eve");
  fx_destroy(f);
}

static void test_cursor_after_one_left(void **state) {
  (void)state;
  struct fixture *f = small();
  f->m->cursor = S_CID;
  fx_does(f, S_CID, "leave"); /* the row closes: the next person stands there */
  assert_int_equal(f->m->cursor, 0);
  model_move(f->m, 1);
  assert_int_equal(f->m->cursor, S_BOB);
  fx_does(f, S_BOB, "leave"); /* just moved: the row stays empty */
  assert_string_equal(shown(f), "[1] carol dan ann - eve");
  assert_int_equal(f->m->cursor, 0);
  model_move(f->m, 1);
  assert_int_equal(f->m->cursor, S_EVE);
  model_move(f->m, -1); /* over the empty row */
  assert_int_equal(f->m->cursor, S_ANN);
  model_move(f->m, -1000);
  assert_int_equal(f->m->cursor, S_CAROL);
  model_move(f->m, 1000);
  assert_int_equal(f->m->cursor, S_EVE);
  fx_destroy(f);
}

static void test_queues(void **state) {
  (void)state;
  struct fixture *f = small();
  size_t n;
  fx_does(f, S_CAROL, "lobby on");
  uint32_t one = fx_join(f, "one", ROLE_SPEAKER), two = fx_join(f, "two", ROLE_SPEAKER);
  fx_does(f, S_BOB, "hand");
  fx_does(f, S_ANN, "hand");
  assert_int_equal(model_lobby(f->m, &n)[1], two);
  assert_int_equal(n, 2);
  assert_int_equal(model_hands(f->m, &n)[0], S_BOB);
  f->m->cursor = S_EVE;
  model_focus(f->m, PANE_LOBBY);
  assert_int_equal(f->m->cursor, one);
  fx_does(f, S_CAROL, "admit one"); /* he is no longer in this pane: the cursor is on nobody */
  assert_int_equal(f->m->cursor, 0);
  model_move(f->m, 1);
  assert_int_equal(f->m->cursor, two);
  model_focus(f->m, PANE_HANDS);
  assert_int_equal(f->m->cursor, S_BOB);
  model_move(f->m, 1);
  assert_int_equal(f->m->cursor, S_ANN);
  fx_does(f, S_CAROL, "hands_down");
  assert_int_equal(f->m->cursor, 0);
  f->m->cursor = S_EVE;
  model_focus(f->m, PANE_HANDS); /* empty: a key must not hit whom one does not see */
  assert_int_equal(f->m->cursor, 0);
  model_pane_next(f->m, 1);
  assert_int_equal(f->m->pane, PANE_CHAT);
  model_pane_next(f->m, -1); /* Tab passes over the hands when there are none */
  assert_int_equal(f->m->pane, PANE_LOBBY);
  fx_does(f, S_CAROL, "admit two");
  model_pane_next(f->m, -1);
  assert_int_equal(f->m->pane, PANE_PEOPLE);
  model_pane_next(f->m, 1);
  assert_int_equal(f->m->pane, PANE_CHAT);
  fx_destroy(f);
}

static void test_mark_shown(void **state) {
  (void)state;
  struct fixture *f = small();
  fx_does(f, S_CAROL, "lobby on");
  uint32_t waits = fx_join(f, "anton", ROLE_SPEAKER);
  model_filter_set(f->m, "an");
  assert_int_equal(model_mark_shown(f->m), 0);
  assert_int_equal(f->m->n_marks, 2);
  assert_true(model_marked(f->m, S_DAN) && model_marked(f->m, S_ANN));
  fx_does(f, S_DAN, "leave");
  assert_int_equal(f->m->n_marks, 1);
  f->m->n_marks = 0;
  model_filter_set(f->m, "");
  model_mark_shown(f->m);
  assert_false(model_marked(f->m, S_CAROL) || model_marked(f->m, waits)); /* oneself, and the lobby */
  f->m->n_marks = 0;
  model_focus(f->m, PANE_LOBBY);
  model_mark_shown(f->m);
  assert_int_equal(f->m->n_marks, 1);
  assert_true(model_marked(f->m, waits));
  model_mark(f->m, MODEL_TITLE(GROUP_HOSTS)); /* nobody */
  model_mark(f->m, 0);
  assert_int_equal(f->m->n_marks, 1);
  f->m->n_marks = 0;
  fx_does(f, S_CAROL, "lobby off");
  for (int i = 0; i < MODEL_MARKS_MAX; i++)
    fx_join(f, "more", ROLE_SPEAKER);
  model_focus(f->m, PANE_PEOPLE);
  assert_int_equal(model_mark_shown(f->m), 4); /* ann, cid, bob, eve and 256 more: four too many */
  assert_int_equal(f->m->n_marks, MODEL_MARKS_MAX);
  fx_destroy(f);
}

static void test_deeds(void **state) {
  (void)state;
  struct fixture *f = small();
  fx_does(f, S_CAROL, "mute ann loud");
  fx_does(f, S_CAROL, "mute bob cid");
  fx_does(f, S_ANN, "hand"); /* his own */
  fx_does(f, S_CAROL, "note ann shy");
  assert_string_equal(model_deed(f->m, S_ANN, 0)->text, "You muted ann: loud.");
  assert_null(model_deed(f->m, S_ANN, 1));
  assert_non_null(model_deed(f->m, S_CID, 0));
  assert_null(model_deed(f->m, S_EVE, 0));
  for (int i = 0; i < MODEL_DEEDS_MAX; i++)
    fx_does(f, S_CAROL, i % 2 == 0 ? "gain eve 3" : "gain eve 0");
  assert_null(model_deed(f->m, S_ANN, 0)); /* long ago */
  assert_non_null(model_deed(f->m, S_EVE, MODEL_DEEDS_MAX - 1));
  assert_null(model_deed(f->m, S_EVE, MODEL_DEEDS_MAX));
  fx_destroy(f);
}

/* ---- always what a list made anew would be ---- */

static void same_as_anew(struct fixture *f) {
  char *now = strdup(shown(f));
  struct room *copy = calloc(1, sizeof *copy);
  struct model *other = model_create(), *mine = f->m;
  struct client_event ev = {.kind = CLIENT_EV_ROOM, .room = copy};
  *copy = mine->room; /* lent: taken back below */
  other->sort = mine->sort;
  other->by_role = mine->by_role;
  memcpy(other->filter, mine->filter, sizeof other->filter);
  model_update(other, &ev, f->now);
  f->m = other;
  assert_string_equal(now, shown(f));
  f->m = mine;
  for (enum presence p = PRESENCE_WAITING; p <= PRESENCE_AWAY; p++) {
    assert_int_equal(model_count(mine, p), room_count(&mine->room, p));
    assert_int_equal(model_count(other, p), model_count(mine, p));
  }
  for (enum model_group g = 0; g < GROUP__COUNT; g++)
    assert_int_equal(model_group_count(mine, g), model_group_count(other, g));
  size_t n, n_other;
  const uint32_t *hands = model_hands(mine, &n);
  for (size_t i = 0; i < n; i++)
    assert_int_equal(room_hand_place(&mine->room, hands[i]), i + 1);
  (void)model_hands(other, &n_other);
  assert_int_equal(n, n_other);
  const uint32_t *lobby = model_lobby(mine, &n);
  for (size_t i = 0; i < n; i++)
    assert_int_equal(room_lobby_place(&mine->room, lobby[i]), i + 1);
  room_init(&other->room);
  model_destroy(other);
  free(now);
}

static void random_act(struct fixture *f) {
  static const char *const NAMES[] = {"ann", "Bob", "cid", "dora", "Emil", "fay", "gus", "hal"};
  static const enum act ACTS_ON[] = {ACT_HAND,  ACT_LEAVE, ACT_MUTE,  ACT_HOLD,
                                     ACT_ADMIT, ACT_ROLE,  ACT_RENAME};
  const struct room *r = &f->server;
  uint32_t who = r->members[chance((uint32_t)r->n_members)].id;
  enum act act = ACTS_ON[chance(7)];
  if (chance(3) == 0) {
    fx_join(f, NAMES[chance(8)], chance(4) == 0 ? ROLE_AUDIENCE : ROLE_SPEAKER);
  } else if (chance(8) == 0) {
    fx_drop(f, who);
  } else if (who != S_CAROL) {
    bool own = act == ACT_HAND || act == ACT_LEAVE;
    (void)fx_act_as(f, &(struct room_cmd){.act = act,
                                          .actor = own ? who : S_CAROL,
                                          .targets = own ? NULL : &who,
                                          .n_targets = !own,
                                          .num = (int64_t)(ROLE_AUDIENCE + chance(3)),
                                          .has_num = true,
                                          .text = act == ACT_RENAME ? NAMES[chance(8)] : NULL});
  }
}

static void test_any_history(void **state) {
  (void)state;
  for (int run = 0; run < 20; run++) {
    struct fixture *f = small();
    fx_does(f, S_CAROL, "lobby on");
    model_sort_set(f->m, (enum model_sort)(run % 3));
    model_group_set(f->m, run % 2 != 0);
    for (int i = 0; i < 150; i++) {
      if (chance(10) == 0)
        model_move(f->m, (int)chance(7) - 3);
      if (chance(12) == 0)
        model_filter_set(f->m, chance(2) == 0 ? "" : "a");
      uint32_t at = f->m->cursor;
      random_act(f);
      assert_true(f->m->cursor == at || f->m->cursor == 0); /* never on somebody else */
      (void)shown(f);
      if (chance(5) == 0) {
        fx_step(f, 1);
        fx_step(f, 2500);
        same_as_anew(f);
      }
    }
    fx_destroy(f);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_orders),
                                     cmocka_unit_test(test_talk_time),
                                     cmocka_unit_test(test_bad_lines_first),
                                     cmocka_unit_test(test_groups_fold),
                                     cmocka_unit_test(test_filter),
                                     cmocka_unit_test(test_stands_still),
                                     cmocka_unit_test(test_cursor_after_one_left),
                                     cmocka_unit_test(test_queues),
                                     cmocka_unit_test(test_mark_shown),
                                     cmocka_unit_test(test_deeds),
                                     cmocka_unit_test(test_any_history)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
