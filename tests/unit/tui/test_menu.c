/* The menu: every command in three keys at most, letters that never move, people frozen when it opened. */
#include "tests/unit/tui/room_fixture.h"
#include "tui/menu.h"
#include "tui/pages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define GROUPS_N (ACT_GROUP__COUNT + 1U)

static bool next_act(struct fixture *f, struct act_order *o) {
  struct intent i;
  while (model_take(f->m, &i))
    if (i.kind == INTENT_ACT) {
      *o = i.order;
      return true;
    }
  return false;
}

/* letters: the keys after `o` that lead to this command; false when the menu does not have it. */
static bool letters(const struct model *m, const struct command *c, char out[3]) {
  struct menu_row groups[MENU_ROWS_MAX], rows[MENU_ROWS_MAX];
  size_t n = menu_rows_of(m, GROUPS_N, groups);
  for (size_t g = 0; g < n; g++)
    for (size_t i = 0, k = menu_rows_of(m, groups[g].group, rows); i < k; i++)
      if (rows[i].command == c) {
        out[0] = groups[g].letter;
        out[1] = rows[i].letter;
        out[2] = '\0';
        return true;
      }
  return false;
}

static void test_letters_are_unique(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  struct menu_row rows[MENU_ROWS_MAX];
  size_t all = 0;
  for (unsigned g = 0; g <= GROUPS_N; g++) {
    bool seen[128] = {false};
    size_t n = menu_rows_of(f->m, g, rows);
    all += n;
    assert_true(n > 0);
    for (size_t i = 0; i < n; i++) {
      assert_in_range(rows[i].letter, '0', 'z');
      assert_false(seen[(int)rows[i].letter]);
      seen[(int)rows[i].letter] = true;
    }
  }
  assert_true(all > ACT__COUNT);
  fx_destroy(f);
}

/* Each row of acts.def and command.def: one key of its own, or o and two letters; and those keys do it. */
static void test_every_command_in_three_keys(void **state) {
  (void)state;
  for (size_t i = 0; i < COMMANDS_COUNT; i++) {
    const struct command *c = &COMMANDS[i];
    struct fixture *f = fx_busy();
    struct act_order o = {.act = ACT__COUNT};
    char keys[3] = "", title[40], key[24];
    bool in_menu = letters(f->m, c, keys);
    if (!in_menu && !keymap_key(f->keys, c->context, c->name, 0, key))
      fail_msg("%s cannot be reached", c->name);
    assert_true(in_menu || c->act == ACT__COUNT);
    if (c->act != ACT__COUNT) {
      f->m->cursor = ACTS[c->act].target == TARGET_WAITING ? ANN : BOB;
      f->m->n_outbox = 0;
      f->m->toast[0] = '\0';
      fx_key(f, "o");
      fx_type(f, keys);
      bool asked = f->m->mode == MODE_ASK && f->m->ask.order.act == c->act;
      bool left = f->m->n_outbox > 0 && f->m->outbox[0].kind == INTENT_LEAVE;
      command_title(c, title);
      bool typed =
          f->m->mode == MODE_COMMAND && strncmp(lineedit_text(f->m->command), title, strlen(title)) == 0;
      if (!asked && !left && !typed && !(next_act(f, &o) && o.act == c->act))
        fail_msg("o %s is not %s: %s", keys, c->name, f->m->toast);
    }
    fx_destroy(f);
  }
}

static void test_people_are_frozen(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  struct act_order o;
  char keys[3], title[SAY_MAX];
  f->m->cursor = ERIN;
  fx_type(f, "to"); /* erin is marked; the cursor has moved on to frank */
  menu_title(f->m, title);
  assert_string_equal(title, "all commands, on erin");
  assert_true(letters(f->m, command_of_act(ACT_FLOOR_TAKE), keys));
  f->m->n_marks = 0; /* whatever happens meanwhile */
  f->m->cursor = BOB;
  f->m->n_outbox = 0;
  fx_type(f, keys);
  assert_true(next_act(f, &o));
  assert_int_equal(o.act, ACT_FLOOR_TAKE);
  assert_int_equal(o.n_targets, 1);
  assert_int_equal(o.targets[0], ERIN);
  assert_int_equal(f->m->mode, MODE_KEYS);

  f->m->cursor = FRANK; /* who left while it was open is not replaced by anyone */
  fx_key(f, "o");
  assert_int_equal(fx_act(f, ALICE, ACT_REMOVE, (uint32_t[]){FRANK}, 1, 0, NULL), ERR_OK);
  f->m->n_outbox = 0;
  fx_type(f, keys);
  assert_false(next_act(f, &o));
  assert_string_equal(f->m->toast, "choose a person first: up, down");
  fx_destroy(f);
}

static void test_arrows_and_ways_back(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  struct menu_row rows[MENU_ROWS_MAX];
  fx_key(f, "o");
  fx_key(f, "Down");
  fx_key(f, "Enter");
  assert_true(f->m->menu.open);
  assert_int_equal(f->m->menu.group, ACT_GROUP_VOICE);
  fx_key(f, "Backspace");
  assert_false(f->m->menu.open);
  fx_type(f, "c");
  assert_int_equal(f->m->menu.group, ACT_GROUP_CHAT);
  fx_key(f, "Esc");
  assert_int_equal(f->m->mode, MODE_MENU);
  fx_key(f, "Esc");
  assert_int_equal(f->m->mode, MODE_KEYS);
  fx_type(f, "or");
  fx_key(f, "End");
  size_t n = menu_rows(f->m, rows);
  assert_int_equal(f->m->menu.row, n - 1);
  fx_key(f, "Down");
  assert_int_equal(f->m->menu.row, n - 1);
  while (rows[f->m->menu.row].command->act != ACT_END)
    fx_key(f, "Up");
  fx_key(f, "Enter"); /* as its key: the line that wants the name */
  assert_string_equal(lineedit_text(f->m->command), "end ");
  fx_destroy(f);
}

/* What would do something rarely meant without words asks for them. */
static void test_words_are_asked_for(void **state) {
  (void)state;
  static const struct {
    enum act act;
    const char *line;
  } CASES[] = {{ACT_TOPIC, "topic "},           {ACT_PASSWORD, "password "}, {ACT_SUCCESSION, "succession "},
               {ACT_NOTE, "note bob "},         {ACT_MOVE, "move bob "},     {ACT_GAIN, "gain bob "},
               {ACT_PRIORITY, "priority bob "}, {ACT_RENAME, "rename bob "}};
  for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
    struct fixture *f = fx_busy();
    char keys[3];
    f->m->cursor = BOB;
    f->m->n_outbox = 0;
    assert_true(letters(f->m, command_of_act(CASES[i].act), keys));
    fx_key(f, "o");
    fx_type(f, keys);
    assert_string_equal(lineedit_text(f->m->command), CASES[i].line);
    assert_int_equal(f->m->n_outbox, 0);
    fx_destroy(f);
  }
}

static void test_reasons_and_pages(void **state) {
  (void)state;
  struct fixture *f = fx_create(false);
  char text[SAY_MAX];
  struct menu_row rows[MENU_ROWS_MAX];
  fx_join(f, "alice", ROLE_HOST);
  fx_enter(f, fx_join(f, "bob", ROLE_AUDIENCE));
  menu_open(f->m, ACT_GROUP_ROOM);
  size_t n = menu_rows(f->m, rows);
  for (size_t i = 0; i < n; i++)
    if (rows[i].command->act == ACT_LOCK) {
      menu_text(&rows[i], f->keys, text);
      assert_non_null(strstr(text, "lock "));
      assert_non_null(strstr(text, " L "));
      assert_non_null(strstr(text, "(needs cohost)"));
    }
  char *page = pages_menu(f->m);
  assert_non_null(strstr(page, "room, on yourself"));
  assert_non_null(strstr(page, "\nv vote "));
  free(page);
  model_close(f->m);
  assert_true(pilot_line(&f->ctl, "menu people", f->now));
  assert_int_equal(f->m->menu.group, ACT_GROUP_PEOPLE);
  assert_false(pilot_line(&f->ctl, "menu plants", f->now));
  fx_destroy(f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_letters_are_unique),  cmocka_unit_test(test_every_command_in_three_keys),
      cmocka_unit_test(test_people_are_frozen),   cmocka_unit_test(test_arrows_and_ways_back),
      cmocka_unit_test(test_words_are_asked_for), cmocka_unit_test(test_reasons_and_pages)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
