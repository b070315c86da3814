/* Completion: what may follow at each word of a line, by the act's own form. */
#include "tests/unit/tui/room_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static bool offers(struct fixture *f, const char *line, const char *word) {
  struct completion comp;
  args_complete(f->m, line, strlen(line), &comp);
  for (size_t i = 0; i < comp.n; i++)
    if (strcmp(comp.of[i].text, word) == 0)
      return true;
  return false;
}

static void test_what_may_follow(void **state) {
  (void)state;
  static const struct {
    const char *line, *word;
    bool offered;
  } CASES[] = {
      {"ban bo", "bob", true},
      {"ban bob ", "erin", true}, /* another person, */
      {"ban bob ", "1h", true},   /* or a time, */
      {"ban bob ", "speak", true},
      {"ban bob ", "address", true},
      {"ban bob 2h ", "erin", false}, /* nobody after the time */
      {"ban bob 2h ", "speak", true},
      {"ban bob 2h speak ", "join", false},
      {"ban bob 2h speak ", "address", true},
      {"ban bob er", "erin", true},
      {"ban #2 e", "erin", true},
      {"ban b* ", "1d", true}, /* after a pattern as after a name */
      {"ban \"Lars van den Berg\" ", "10m", true},
      {"ban bob too loud ", "speak", false}, /* the reason has begun */
      {"ban an", "ann", true},               /* who waits can be banned, */
      {"remove an", "ann", false},           /* but not removed */
      {"mute-all ", "hold", true},
      {"mute-all ", "speakers", true},
      {"mute-all ", "bob", true},
      {"mute-all hold ", "hold", false},
      {"mute-all hold ", "speakers", true},
      {"mute-all speakers bob ", "erin", true},
      {"mute-all ho", "hold", true},
      {"priority bob ", "on", true},
      {"priority bob o", "off", true},
      {"priority bob on ", "off", false},
      {"auto-admit t", "trusted", true},
      {"role bob ", "cohost", true},
      {"role bob cohost ", "host", false},
      {"talk-time ", "2h", true},
      {"talk-time 5m ", "take", true},
      {"invite ", "speaker", true},
      {"invite ", "direct", true},
      {"invite speaker ", "direct", true},
      {"invite direct ", "speaker", false},
      {"ban-rule ", "cidr:", true},
      {"ban-rule u", "user:", true},
      {"mute bob,er", "erin", true}, /* commas between people */
      {"mute bob, ", "erin", true},
      {"msg ", "bob", true},
      {"msg bob ", "erin", false}, /* the text has begun */
      {"msg \"Lars van den Berg\" ", "erin", false},
      {"msg bob e", "erin", false},
      {"poll ", "anonymous", true},
      {"sort ", "talk", true},
      {"sort n", "name", true},
      {"sort name ", "hand", false},
      {"theme ", "mono", true},
      {"menu v", "voice", true},
      {"mic o", "off", true},
      {"admit bob ", "ann", false}, /* bob does not wait: the line is wrong already */
  };
  struct fixture *f = fx_busy();
  for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
    if (offers(f, CASES[i].line, CASES[i].word) != CASES[i].offered)
      fail_msg("%s|%s", CASES[i].line, CASES[i].word);
  fx_destroy(f);
}

static void test_numbers_come_with_what_they_stand_for(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  struct completion comp;
  char digits[24];
  const struct chat *newest = &f->m->room.chat[f->m->room.n_chat - 1];
  args_complete(f->m, "pin ", 4, &comp);
  snprintf(digits, sizeof digits, "%llu", (unsigned long long)newest->id);
  assert_string_equal(comp.of[0].text, digits); /* the newest first */
  assert_string_equal(comp.of[0].help, newest->text);
  args_complete(f->m, "chat-edit ", 10, &comp); /* one's own only */
  assert_int_equal(comp.n, 1);
  assert_non_null(strstr(comp.of[0].help, "The draft is in the wiki"));
  args_complete(f->m, "unban ", 6, &comp);
  assert_int_equal(comp.n, 0);
  fx_destroy(f);
}

static void test_reasons_are_shown(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  struct completion comp;
  args_complete(f->m, "remove al", 9, &comp); /* a host as well */
  assert_int_equal(comp.n, 1);
  assert_string_equal(comp.of[0].refusal, err_text(ERR_RANK));
  args_complete(f->m, "yes", 3, &comp);
  assert_string_equal(comp.of[0].refusal, "nothing is asked");
  fx_destroy(f);
}

/* Every word offered is taken as it stands: the same act parses with it, or wants only more. */
static void test_offers_can_be_typed(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  struct act_order o;
  size_t tried = 0;
  for (int a = 0; a < ACT__COUNT; a++) {
    struct completion comp;
    char line[64], title[32], why[ACT_WHY_MAX];
    command_title(command_of_act((enum act)a), title);
    snprintf(line, sizeof line, "%s ", title);
    args_complete(f->m, line, strlen(line), &comp);
    for (size_t i = 0; i < comp.n; i++, tried++)
      if (!act_words_parse(&f->m->room, (enum act)a, comp.of[i].text, &o, why) &&
          strstr(why, "needs") == NULL)
        fail_msg("%s%s: %s", line, comp.of[i].text, why);
  }
  assert_true(tried > 150);
  fx_destroy(f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_what_may_follow), cmocka_unit_test(test_numbers_come_with_what_they_stand_for),
      cmocka_unit_test(test_reasons_are_shown), cmocka_unit_test(test_offers_can_be_typed)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
