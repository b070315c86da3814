/* The table of commands: every row can be reached, refused with a reason, completed; and what words become.
 */
#include "tests/unit/tui/room_fixture.h"
#include "tui/pages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_every_row_by_name(void **state) {
  (void)state;
  char why[SAY_MAX], title[32];
  for (size_t i = 0; i < COMMANDS_COUNT; i++) {
    const struct command *c = &COMMANDS[i];
    command_title(c, title);
    assert_ptr_equal(command_find(c->name, strlen(c->name), why), c);
    assert_ptr_equal(command_find(title, strlen(title), why), c);
    assert_true(c->help[0] != '\0');
    for (size_t k = 0; k < i; k++)
      assert_string_not_equal(c->name, COMMANDS[k].name);
  }
}

static void test_every_row_in_help_and_palette(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  char *help = pages_help(f->m, f->keys, ""), title[40];
  struct completion comp;
  for (size_t i = 0; i < COMMANDS_COUNT; i++) {
    command_title(&COMMANDS[i], title);
    assert_non_null(strstr(help, title));
    args_complete(f->m, title, strlen(title), &comp);
    assert_true(comp.n >= 1);
    assert_string_equal(comp.of[0].text, title);
  }
  free(help);
  fx_destroy(f);
}

static void test_every_default_key_works(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  for (size_t i = 0; i < COMMANDS_COUNT; i++) {
    char name[24];
    struct key k;
    if (COMMANDS[i].keys[0] == '\0')
      continue;
    assert_true(keymap_key(f->keys, COMMANDS[i].context, COMMANDS[i].name, 0, name));
    assert_true(key_from_name(name, &k));
    assert_string_equal(keymap_lookup(f->keys, COMMANDS[i].context, k), COMMANDS[i].name);
    if (COMMANDS[i].context == KEY_CONTEXT_LIST || COMMANDS[i].context == KEY_CONTEXT_GLOBAL)
      assert_string_equal(keymap_lookup(f->keys, KEY_CONTEXT_ROOM, k), COMMANDS[i].name);
  }
  fx_destroy(f);
}

/* What an audience member may not do is refused by name with the role it needs, and nothing is sent. */
static void test_refused_with_reason(void **state) {
  (void)state;
  struct fixture *f = fx_create(false);
  fx_join(f, "alice", ROLE_HOST);
  uint32_t me = fx_join(f, "bob", ROLE_AUDIENCE);
  fx_enter(f, me);
  size_t refused = 0;
  for (size_t i = 0; i < ACT__COUNT; i++) {
    const char *why = command_refusal(f->m, &COMMANDS[i], 0);
    assert_int_equal(why != NULL, ACTS[i].least > ROLE_AUDIENCE);
    if (why == NULL)
      continue;
    assert_non_null(strstr(why, ACTS[i].least == ROLE_HOST ? "needs host" : "needs cohost"));
    refused++;
  }
  assert_true(refused > 15);
  fx_type(f, "L");
  assert_string_equal(f->m->toast, "needs cohost");
  struct intent i;
  assert_false(model_take(f->m, &i));
  f->m->readonly = true;
  assert_string_equal(command_refusal(f->m, command_of_act(ACT_HAND), 0), "read-only");
  fx_state(f, CLIENT_LOBBY, ERR_OK, "");
  assert_non_null(strstr(command_refusal(f->m, command_of_act(ACT_CHAT), 0), "lobby"));
  fx_destroy(f);
}

static bool parse(struct fixture *f, const char *line, struct act_order *o, char why[SAY_MAX]) {
  const struct command *c = command_find(line, strcspn(line, " "), why);
  const char *words = line + strcspn(line, " ");
  return c != NULL && act_words_parse(&f->m->room, c->act, words, o, why);
}

static void test_arguments(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  struct act_order o;
  char why[SAY_MAX];
  assert_true(parse(f, "mute bob ERIN #4", &o, why));
  assert_int_equal(o.n_targets, 3);
  assert_int_equal(o.targets[0], BOB);
  assert_int_equal(o.targets[1], ERIN);
  assert_int_equal(o.targets[2], DAVE);
  assert_true(parse(f, "remove \"Lars van\" he was rude", &o, why));
  assert_int_equal(o.n_targets, 1); /* "he" is not Henri */
  assert_int_equal(o.targets[0], LARS);
  assert_string_equal(o.text, "he was rude");
  assert_true(parse(f, "remove bob henri enough", &o, why));
  assert_int_equal(o.n_targets, 2);
  assert_string_equal(o.text, "enough");
  assert_true(parse(f, "admit zo", &o, why));
  assert_int_equal(o.targets[0], ZOE);
  assert_true(parse(f, "role bob cohost", &o, why));
  assert_int_equal(o.num, ROLE_COHOST);
  assert_true(parse(f, "lobby off", &o, why));
  assert_int_equal(o.num, 0);
  assert_true(parse(f, "lobby ON", &o, why));
  assert_int_equal(o.num, 1);
  assert_true(parse(f, "chat-mode private", &o, why));
  assert_int_equal(o.num, CHAT_MODE_PRIVATE);
  assert_true(parse(f, "mute_all hold bob", &o, why));
  assert_int_equal(o.flags, FLAG_HOLD);
  assert_int_equal(o.targets[0], BOB);
  assert_true(parse(f, "msg dave see \"this\"  now", &o, why));
  assert_string_equal(o.text, "see \"this\"  now");
  assert_true(parse(f, "unban 12", &o, why));
  assert_int_equal(o.num, 12);
  assert_true(parse(f, "topic", &o, why));
  fx_destroy(f);
}

static void test_bad_arguments(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  fx_join(f, "bobby", ROLE_COHOST);
  fx_join(f, "daniel", ROLE_COHOST);
  static const char *const BAD[] = {"mute da",       "mute zo",
                                    "mute #99",      "mute #",
                                    "remove",        "admit bob",
                                    "role bob king", "role bob",
                                    "lobby",         "lobby maybe",
                                    "unban x",       "unban 1x",
                                    "unban -3",      "unlock now",
                                    "mute_all on",   "msg",
                                    "msg bob",       "chat_mode",
                                    "frob",          "m",
                                    "mute \"",       "unban 99999999999999999999"};
  struct act_order o;
  for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
    char why[SAY_MAX] = "";
    if (parse(f, BAD[i], &o, why))
      fail_msg("%s was taken", BAD[i]);
    assert_true(why[0] != '\0');
  }
  char why[SAY_MAX];
  uint32_t who = act_words_who(&f->m->room, "bob", 3, ACT_WHERE_HERE, why);
  assert_int_equal(who, BOB); /* a full name beats a beginning */
  assert_false(parse(f, "mute da", &o, why));
  assert_string_equal(why, "da could be dave or daniel");
  fx_destroy(f);
}

/* What touches everyone or cannot be taken back is not done by a few letters. */
static void test_grave_acts_need_their_full_name(void **state) {
  (void)state;
  static const struct {
    const char *typed, *why;
  } CASES[] = {{"hands-do", "hands-do is too short for hands-down: type it in full"},
               {"unb", "unb is too short for unban: type it in full"},
               {"remo", "remo is too short for remove: type it in full"},
               {"mut", "mut could be mute, mute-all, mute-lift, mute-entry"},
               {"mute-al", "mute-al is too short for mute-all: type it in full"},
               {"chat_cl", "chat_cl is too short for chat-clear: type it in full"}};
  char why[SAY_MAX];
  struct fixture *f = fx_busy();
  for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
    assert_null(command_find(CASES[i].typed, strlen(CASES[i].typed), why));
    assert_string_equal(why, CASES[i].why);
  }
  f->m->n_outbox = 0;
  assert_true(pilot_line(&f->ctl, "hands", f->now)); /* shows them: lowers none */
  assert_int_equal(f->m->pane, PANE_HANDS);
  assert_int_equal(f->m->n_outbox, 0);
  assert_ptr_equal(command_find("unl", 3, why), command_of_act(ACT_UNLOCK)); /* others: a beginning will do */
  assert_ptr_equal(command_find("hands-down", 10, why), command_of_act(ACT_HANDS_DOWN));
  fx_destroy(f);
}

static void test_completion(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  struct completion comp;
  args_complete(f->m, "remove la", 9, &comp);
  assert_int_equal(comp.n, 1);
  assert_int_equal(comp.from, 7);
  assert_string_equal(comp.of[0].text, "\"Lars van den Berg\"");
  args_complete(f->m, "remove bob \"La", 14, &comp);
  assert_int_equal(comp.from, 11);
  assert_string_equal(comp.of[0].text, "\"Lars van den Berg\"");
  args_complete(f->m, "admit ", 6, &comp);
  assert_int_equal(comp.n, 2); /* those who wait, nobody else */
  args_complete(f->m, "role bob co", 11, &comp);
  assert_int_equal(comp.n, 1);
  assert_string_equal(comp.of[0].text, "cohost");
  args_complete(f->m, "lobby o", 7, &comp);
  assert_int_equal(comp.n, 2);
  args_complete(f->m, "remove al", 9, &comp); /* alice is a host as well: shown, with the reason */
  assert_non_null(comp.of[0].refusal);
  fx_type(f, ":rem");
  fx_key(f, "Tab");
  fx_type(f, "er");
  fx_key(f, "Tab");
  assert_string_equal(lineedit_text(f->m->command), "remove erin ");
  fx_destroy(f);
}

static void test_random_lines_are_harmless(void **state) {
  (void)state;
  static const char ALPHABET[] = "mute bob\"#1 remove:/-_who on|off\xc3\xa9\x80 role";
  struct fixture *f = fx_busy();
  uint32_t x = 12345;
  for (int round = 0; round < 20000; round++) {
    char line[48] = "";
    struct completion comp;
    for (size_t i = 0; i < 40; i++) {
      x = x * 1664525u + 1013904223u;
      line[i] = ALPHABET[(x >> 16) % (sizeof ALPHABET - 1)];
    }
    args_complete(f->m, line, (x >> 8) % 41, &comp);
    assert_true(comp.from <= 40 && comp.n <= COMPLETE_MAX);
    pilot_line(&f->ctl, line, f->now);
    if (f->m->mode == MODE_ASK)
      pilot_answer(&f->ctl, 'n', f->now);
  }
  assert_false(f->server.ended);
  fx_destroy(f);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_row_by_name),
                                     cmocka_unit_test(test_every_row_in_help_and_palette),
                                     cmocka_unit_test(test_every_default_key_works),
                                     cmocka_unit_test(test_refused_with_reason),
                                     cmocka_unit_test(test_arguments),
                                     cmocka_unit_test(test_bad_arguments),
                                     cmocka_unit_test(test_grave_acts_need_their_full_name),
                                     cmocka_unit_test(test_completion),
                                     cmocka_unit_test(test_random_lines_are_harmless)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
