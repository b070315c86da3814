/* Keys over a room: whom they hit, what is asked before, what runs out, and what --readonly refuses. */
#include "tests/unit/tui/room_fixture.h"
#include "tui/menu.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static bool next_act(struct fixture *f, struct act_order *o) {
  struct intent i;
  while (model_take(f->m, &i))
    if (i.kind == INTENT_ACT) {
      *o = i.order;
      return true;
    }
  return false;
}

static void mark(struct fixture *f, uint32_t id) {
  if (!model_marked(f->m, id))
    model_mark(f->m, id);
}

/* Mute-all spares those marked, never the person who merely has the cursor. */
static void test_mute_all_excepts_the_marked(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  struct act_order o = {0};
  f->m->n_outbox = 0;
  f->m->cursor = ERIN;
  fx_key(f, "Alt-m");
  assert_true(next_act(f, &o));
  assert_int_equal(o.act, ACT_MUTE_ALL);
  assert_int_equal(o.n_targets, 0);
  mark(f, JOSE);
  mark(f, ERIN);
  mark(f, ANN); /* who waits is not here to be spared */
  fx_key(f, "M");
  assert_true(next_act(f, &o));
  assert_int_equal(o.n_targets, 2);
  assert_int_equal(o.targets[0], JOSE);
  assert_int_equal(o.targets[1], ERIN);
  assert_int_equal(f->m->n_marks, 0);
  assert_int_equal(f->m->mode, MODE_KEYS); /* no question: undo */
  fx_destroy(f);
}

static void test_ban_reaches_the_lobby(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  struct act_order o = {0};
  f->m->n_outbox = 0;
  f->m->cursor = ANN;
  fx_key(f, "B");
  assert_string_equal(f->m->ask.text, "Turn ann away from the lobby of standup and keep them out?");
  assert_true(next_act(f, &o));
  assert_int_equal(o.act, ACT_BAN_CHECK);
  assert_int_equal(o.targets[0], ANN);
  assert_false(next_act(f, &o));
  fx_type(f, "y");
  assert_true(next_act(f, &o));
  assert_int_equal(o.act, ACT_BAN);
  assert_int_equal(o.targets[0], ANN);
  fx_key(f, "N");
  assert_string_equal(lineedit_text(f->m->command), "note ann ");
  fx_key(f, "Esc");
  f->m->cursor = ANN; /* removing is for those inside: nobody is chosen */
  fx_key(f, "x");
  assert_int_equal(f->m->mode, MODE_KEYS);
  assert_false(next_act(f, &o));
  fx_destroy(f);
}

/* The cursor of the lobby's and the hands' pane is the one that counts there. */
static void test_panes_choose_the_person(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  struct act_order o = {0};
  f->m->n_outbox = 0;
  fx_key(f, "l");
  fx_key(f, "Down");
  fx_type(f, "a");
  assert_true(next_act(f, &o));
  assert_int_equal(o.act, ACT_ADMIT);
  assert_int_equal(o.targets[0], ZOE);
  assert_true(pilot_line(&f->ctl, "go-hands", f->now));
  assert_int_equal(f->m->pane, PANE_HANDS);
  fx_key(f, "j");
  fx_type(f, "f");
  assert_true(next_act(f, &o));
  assert_int_equal(o.act, ACT_FLOOR_GIVE);
  assert_int_equal(o.targets[0], FRANK);
  fx_key(f, "e");
  assert_int_equal(f->m->pane, PANE_CARD);
  fx_destroy(f);
}

static void test_bulk_questions_count(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  f->m->cursor = BOB;
  for (uint32_t id = DAVE; id <= LARS; id++)
    if (id != GRETE)
      mark(f, id);
  mark(f, BOB);
  fx_key(f, "x");
  assert_string_equal(f->m->ask.text, "Remove 9 people: dave, erin and 7 more from standup?");
  fx_key(f, "n");
  assert_int_equal(f->m->n_marks, 9); /* No leaves them as they were */
  fx_key(f, "x");
  fx_key(f, "y");
  fx_pump(f);
  assert_int_equal(f->m->n_marks, 0);
  assert_int_equal(room_count(&f->server, PRESENCE_HERE), 3);
  fx_destroy(f);
}

/* Marks on people it may not be done to: they are left out, and said so; typed names are never dropped. */
static void test_marks_out_of_reach(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  struct act_order o = {0};
  f->m->n_outbox = 0;
  mark(f, ALICE);
  mark(f, BOB);
  mark(f, ERIN);
  fx_key(f, "x");
  assert_string_equal(f->m->ask.text, "Remove bob and erin from standup?");
  assert_string_equal(f->m->toast, "1 left out: one can only act on people of lower rank");
  fx_key(f, "n");
  f->m->n_marks = 0;
  mark(f, ALICE);
  fx_key(f, "x");
  assert_int_equal(f->m->mode, MODE_KEYS);
  assert_string_equal(f->m->toast, err_text(ERR_RANK));
  assert_false(pilot_line(&f->ctl, "remove alice bob", f->now));
  assert_false(next_act(f, &o));
  fx_destroy(f);
}

/* A line for many: where their names do not fit, their numbers do; nobody is dropped. */
static void test_a_line_for_many(void **state) {
  (void)state;
  struct fixture *f = fx_create(false);
  struct act_order o = {0};
  char why[ACT_WHY_MAX], name[TEXT_NAME_MAX + 1];
  fx_enter(f, fx_join(f, "carol", ROLE_HOST));
  for (unsigned i = 0; i < 200; i++) {
    snprintf(name, sizeof name, "participant number %u", i);
    mark(f, fx_join(f, name, ROLE_SPEAKER));
  }
  assert_int_equal(f->m->n_marks, 200);
  menu_open(f->m, ACT_GROUP_PEOPLE);
  struct menu_row rows[MENU_ROWS_MAX];
  for (size_t i = 0, n = menu_rows(f->m, rows); i < n; i++)
    if (rows[i].command->act == ACT_MOVE)
      pilot_key(&f->ctl, (struct key){.code = (uint32_t)rows[i].letter}, NULL, f->now);
  fx_type(f, "1");
  const char *line = lineedit_text(f->m->command);
  assert_true(strncmp(line, "move #2 #3 ", 11) == 0);
  assert_true(act_words_parse(&f->m->room, ACT_MOVE, line + 5, &o, why));
  assert_int_equal(o.n_targets, 200);
  assert_int_equal(o.num, 1);
  fx_destroy(f);
}

/* Two names that look alike are told apart by their ids. */
static void test_look_alikes_show_their_ids(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  char want[TEXT_NAME_MAX + 16];
  uint32_t other = fx_join(f, "ERIN", ROLE_COHOST);
  f->m->cursor = other;
  fx_key(f, "x");
  snprintf(want, sizeof want, "%s (#%u)", room_member(&f->server, other)->name, other);
  assert_non_null(strstr(f->m->ask.text, want));
  fx_key(f, "n");
  f->m->cursor = ERIN;
  fx_key(f, "x");
  assert_string_equal(f->m->ask.text, "Remove erin (#5) from standup?");
  fx_key(f, "n");
  f->m->cursor = BOB;
  fx_key(f, "x");
  assert_string_equal(f->m->ask.text, "Remove bob from standup?");
  fx_destroy(f);
}

static void reply(struct fixture *f, uint32_t ticket, enum err why, const char *text) {
  struct client_event ev = {.kind = CLIENT_EV_REPLY, .why = why, .ticket = ticket};
  snprintf(ev.text, sizeof ev.text, "%s", text);
  model_update(f->m, &ev, f->now);
}

static void test_ban_question_tells_whom_else(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  f->m->cursor = BOB;
  fx_key(f, "B");
  model_sent(f->m, 71, ACT_BAN_CHECK);
  fx_key(f, "n");
  f->m->cursor = ERIN;
  fx_key(f, "B");
  model_sent(f->m, 72, ACT_BAN_CHECK);
  reply(f, 71, ERR_OK, "Mallory"); /* of the question before */
  assert_string_equal(f->m->ask.text, "Remove erin from standup and keep them out?");
  reply(f, 72, ERR_OK, "Eve, José");
  assert_string_equal(f->m->ask.text,
                      "Remove erin from standup and keep them out? It would also hit: Eve, José.");
  fx_key(f, "n");
  f->m->toast[0] = '\0';
  fx_type(f, ":ban erin 2h speak address shouting");
  fx_key(f, "Enter");
  assert_string_equal(f->m->ask.text,
                      "Ban erin from speaking in standup for 2 h and everyone at their address?");
  model_sent(f->m, 73, ACT_BAN_CHECK);
  reply(f, 73, ERR_NOT_ALLOWED, ""); /* not known: the question stands as it is */
  assert_string_equal(f->m->toast, "");
  fx_key(f, "n");
  model_sent(f->m, 74, ACT_BAN_CHECK); /* typed by the person: answered in words */
  reply(f, 74, ERR_OK, "");
  assert_string_equal(f->m->toast, "A ban would hit nobody else.");
  fx_destroy(f);
}

/* A script answers at once: then the act alone goes out. */
static void test_scripts_send_no_check(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  struct act_order o = {0};
  f->m->n_outbox = 0;
  assert_true(pilot_line(&f->ctl, "ban bob 1h spam", f->now));
  pilot_answer(&f->ctl, 'y', f->now);
  assert_true(next_act(f, &o));
  assert_int_equal(o.act, ACT_BAN);
  assert_int_equal(o.num2, 3600);
  assert_string_equal(o.text, "spam");
  assert_false(next_act(f, &o));
  fx_destroy(f);
}

static void ask_me(struct fixture *f) {
  uint32_t me = CAROL;
  assert_int_equal(fx_act(f, CAROL, ACT_MUTE, &me, 1, 0, NULL), ERR_OK);
  f->m->n_outbox = 0;
  assert_int_equal(fx_act(f, ALICE, ACT_ASK_UNMUTE, &me, 1, 0, NULL), ERR_OK);
}

static void test_asked_to_unmute_runs_out(void **state) {
  (void)state;
  struct act_order o = {0};
  struct fixture *f = fx_busy();
  ask_me(f);
  assert_int_equal(f->m->mode, MODE_ASK);
  assert_true(pilot_next_tick(&f->ctl) <= f->now + 30 * US_PER_S);
  fx_step(f, 29000);
  assert_int_equal(f->m->mode, MODE_ASK);
  fx_step(f, 1001);
  assert_int_equal(f->m->mode, MODE_KEYS);
  assert_true(next_act(f, &o));
  assert_int_equal(o.act, ACT_DECLINE);
  assert_false(f->m->gate);
  fx_destroy(f);

  f = fx_busy(); /* no */
  ask_me(f);
  fx_step(f, 1000);
  fx_key(f, "n");
  assert_true(next_act(f, &o));
  assert_int_equal(o.act, ACT_DECLINE);
  assert_false(next_act(f, &o));
  fx_destroy(f);

  f = fx_busy(); /* all the time a message was typed: nothing opens later */
  fx_key(f, "c");
  fx_type(f, "and so");
  ask_me(f);
  fx_step(f, 30001);
  assert_true(next_act(f, &o));
  assert_int_equal(o.act, ACT_DECLINE);
  fx_key(f, "Esc");
  fx_step(f, 10);
  assert_int_equal(f->m->mode, MODE_KEYS);
  fx_destroy(f);

  f = fx_busy(); /* unmuted by his own key while the question waits: it is settled */
  ask_me(f);
  assert_int_equal(fx_act(f, CAROL, ACT_UNMUTE, NULL, 0, 0, NULL), ERR_OK);
  assert_int_equal(f->m->mode, MODE_KEYS);
  fx_step(f, 31000);
  assert_false(next_act(f, &o));
  fx_destroy(f);
}

static void test_end_takes_a_time(void **state) {
  (void)state;
  static const struct {
    const char *line;
    bool given;
    int64_t s;
  } GOOD[] = {{"end standup", false, 0}, {"end standup now", true, 0}, {"end standup 5m", true, 300}};
  static const char *const BAD[] = {"end stand", "end standup soon", "end standups", "end now", "end 5m"};
  struct act_order o = {0};
  struct fixture *f = fx_busy();
  f->m->n_outbox = 0;
  for (size_t i = 0; i < sizeof GOOD / sizeof GOOD[0]; i++) {
    assert_true(pilot_line(&f->ctl, GOOD[i].line, f->now));
    assert_true(next_act(f, &o));
    assert_int_equal(o.act, ACT_END);
    assert_int_equal(o.has_num2, GOOD[i].given);
    assert_int_equal(o.num2, GOOD[i].s);
  }
  for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
    assert_false(pilot_line(&f->ctl, BAD[i], f->now));
  assert_false(next_act(f, &o));
  assert_true(pilot_line(&f->ctl, "end standup", f->now));
  fx_pump(f);
  assert_string_equal(f->m->toast, "You end the room in 10 s - u undoes");
  fx_key(f, "u");
  fx_pump(f);
  assert_int_equal(f->server.ends_ms, 0);
  fx_destroy(f);
}

/* Whatever is pressed, chosen or typed: no act leaves; looking, searching and leaving work. */
static void test_readonly_refuses_every_act(void **state) {
  (void)state;
  struct act_order o = {0};
  struct fixture *f = fx_busy();
  struct menu_row rows[MENU_ROWS_MAX];
  f->m->readonly = true;
  f->m->n_outbox = 0;
  for (int a = 0; a < ACT__COUNT; a++) {
    const struct command *c = command_of_act((enum act)a);
    f->m->cursor = ACTS[a].target == TARGET_WAITING ? ANN : ACTS[a].target == TARGET_SELF ? CAROL : BOB;
    f->m->toast[0] = '\0';
    (void)pilot_command(&f->ctl, c, f->now);
    if (a != ACT_LEAVE && (a != ACT_MUTE || f->m->mode != MODE_KEYS))
      assert_string_equal(f->m->toast, "read-only");
    assert_int_equal(f->m->mode, MODE_KEYS);
    menu_open(f->m, ACTS[a].group);
    for (size_t i = 0, n = menu_rows(f->m, rows); i < n; i++)
      if (rows[i].command == c)
        pilot_key(&f->ctl, (struct key){.code = (uint32_t)rows[i].letter}, NULL, f->now);
    assert_int_equal(f->m->mode, MODE_KEYS);
    assert_false(next_act(f, &o));
  }
  assert_false(pilot_line(&f->ctl, "remove bob", f->now));
  assert_false(pilot_line(&f->ctl, "end standup", f->now));
  assert_false(pilot_say(&f->ctl, "hello", f->now));
  assert_true(pilot_line(&f->ctl, "people", f->now));
  model_close(f->m);
  assert_true(pilot_line(&f->ctl, "search release", f->now));
  model_close(f->m);
  ask_me(f); /* what a host asks is not answered for him either */
  fx_step(f, 1000);
  fx_key(f, "y");
  assert_string_equal(f->m->toast, "read-only");
  fx_key(f, "Space");
  assert_false(f->m->gate);
  assert_false(next_act(f, &o));
  assert_true(pilot_line(&f->ctl, "leave", f->now));
  assert_int_equal(f->m->outbox[f->m->n_outbox - 1].kind, INTENT_LEAVE);
  fx_destroy(f);
}

/* Destructive acts: a question, or no key that is a bare small letter. */
static void test_nothing_destructive_on_a_small_letter(void **state) {
  (void)state;
  static const enum act HARD[] = {ACT_BAN,    ACT_END,  ACT_CHAT_CLEAR, ACT_CHAT_PURGE,
                                  ACT_REMOVE, ACT_HOLD, ACT_MUTE_ALL,   ACT_FLOOR_TAKE,
                                  ACT_LOCK,   ACT_ROLE, ACT_PASSWORD};
  for (size_t i = 0; i < sizeof HARD / sizeof HARD[0]; i++) {
    const char *key = ACTS[HARD[i]].key;
    assert_true(ACTS[HARD[i]].ask || key[0] == '\0' || (key[0] >= 'A' && key[0] <= 'Z'));
  }
}

static void test_secrets_stay_out_of_the_history(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  fx_type(f, ":topic plans");
  fx_key(f, "Enter");
  fx_type(f, ":password hunter2");
  fx_key(f, "Enter");
  fx_type(f, ":claim 1234");
  fx_key(f, "Enter");
  fx_key(f, "Esc");
  fx_type(f, ":");
  fx_key(f, "Up");
  assert_string_equal(lineedit_text(f->m->command), "topic plans");
  fx_destroy(f);
}

static void test_attendance_is_shown_and_saved(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  struct intent i;
  f->m->n_outbox = 0;
  assert_true(pilot_line(&f->ctl, "attendance who was here.csv", f->now));
  assert_true(model_take(f->m, &i));
  model_sent(f->m, 5, ACT_ATTENDANCE);
  struct client_event ev = {.kind = CLIENT_EV_REPLY, .ticket = 5, .data = strdup("name,from,to\nbob,9,10\n")};
  model_update(f->m, &ev, f->now);
  assert_null(ev.data);
  assert_int_equal(f->m->mode, MODE_PAGE);
  assert_string_equal(f->m->page, "name,from,to\nbob,9,10\n");
  assert_true(model_take(f->m, &i));
  assert_int_equal(i.kind, INTENT_SAVE);
  assert_string_equal(i.text, "who was here.csv");
  model_close(f->m);
  assert_true(pilot_line(&f->ctl, "attendance", f->now)); /* only to look at */
  assert_true(model_take(f->m, &i));
  model_sent(f->m, 6, ACT_ATTENDANCE);
  reply(f, 6, ERR_OK, "name,from,to\n");
  assert_int_equal(f->m->mode, MODE_PAGE);
  assert_false(model_take(f->m, &i));
  fx_destroy(f);
}

/* The same key may mean something else in the lobby's pane, in the chat, on a page, in a question. */
static void test_contexts_are_used(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  struct act_order o = {0};
  char why[256];
  assert_int_equal(keymap_load_text(f->keys, "keys",
                                    "[lobby]\nadmit_all = w\n[chat]\nzoom = w\n[list]\ndown = w\n"
                                    "[confirm]\nyes = j\nunbind = y\n[help]\ndown = Ctrl-n\n",
                                    why),
                   ERR_OK);
  f->m->n_outbox = 0;
  fx_key(f, "l");
  fx_key(f, "w");
  assert_true(next_act(f, &o));
  assert_int_equal(o.act, ACT_ADMIT_ALL);
  assert_true(pilot_line(&f->ctl, "go-chat", f->now));
  fx_key(f, "w");
  assert_true(f->m->zoom);
  fx_key(f, "p");
  f->m->cursor = BOB;
  fx_key(f, "w");
  assert_true(f->m->cursor != BOB);
  fx_key(f, "v");
  fx_key(f, "w");
  assert_int_equal(f->m->scroll, 1);
  fx_key(f, "q");
  f->m->cursor = BOB;
  fx_key(f, "x");
  fx_key(f, "y"); /* no longer yes, so it is No */
  assert_int_equal(f->m->mode, MODE_KEYS);
  assert_false(next_act(f, &o));
  fx_key(f, "x");
  fx_key(f, "j");
  assert_true(next_act(f, &o));
  assert_int_equal(o.act, ACT_REMOVE);
  fx_key(f, "?");
  fx_key(f, "Ctrl-n");
  fx_key(f, "j"); /* typed: it filters */
  assert_string_equal(lineedit_text(f->m->search), "j");
  assert_int_equal(f->m->help_row, 0);
  fx_destroy(f);
}

static void test_help_opens_the_line(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  fx_key(f, "?");
  fx_type(f, "wait between"); /* nothing fits */
  fx_key(f, "Enter");
  assert_int_equal(f->m->mode, MODE_KEYS);
  fx_key(f, "?");
  fx_type(f, "slow mode");
  fx_key(f, "Enter");
  assert_string_equal(lineedit_text(f->m->command), "slow ");
  fx_destroy(f);
}

static void test_f2_talks_while_typing(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  struct key up;
  assert_true(key_from_name("F2", &up));
  up.phase = KEY_RELEASE;
  f->ctl.releases = true;
  f->m->level = 127;
  fx_key(f, "c");
  fx_type(f, "so");
  fx_key(f, "F2");
  assert_true(f->m->gate);
  fx_step(f, 3000);
  pilot_key(&f->ctl, up, NULL, f->now);
  fx_step(f, 400);
  assert_false(f->m->gate);
  assert_string_equal(lineedit_text(f->m->chat), "so");
  fx_destroy(f);
}

static void test_list_commands(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  assert_true(pilot_line(&f->ctl, "sort name", f->now));
  assert_int_equal(f->m->sort, SORT_NAME);
  fx_key(f, "S");
  assert_int_equal(f->m->sort, SORT_HAND);
  assert_false(pilot_line(&f->ctl, "sort shoes", f->now));
  assert_true(pilot_line(&f->ctl, "group on", f->now));
  assert_true(f->m->by_role);
  f->m->cursor = BOB;
  fx_key(f, "-");
  assert_true(f->m->folded[GROUP_SPEAKERS]);
  assert_true(pilot_line(&f->ctl, "group", f->now));
  assert_false(f->m->by_role);
  assert_false(pilot_line(&f->ctl, "group maybe", f->now));
  assert_true(pilot_line(&f->ctl, "filter a", f->now));
  fx_key(f, "*");
  assert_true(model_marked(f->m, DAVE) && model_marked(f->m, GRETE) == false);
  assert_false(model_marked(f->m, CAROL));
  assert_non_null(strstr(f->m->toast, " marked"));
  fx_destroy(f);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_mute_all_excepts_the_marked),
                                     cmocka_unit_test(test_ban_reaches_the_lobby),
                                     cmocka_unit_test(test_panes_choose_the_person),
                                     cmocka_unit_test(test_bulk_questions_count),
                                     cmocka_unit_test(test_marks_out_of_reach),
                                     cmocka_unit_test(test_a_line_for_many),
                                     cmocka_unit_test(test_look_alikes_show_their_ids),
                                     cmocka_unit_test(test_ban_question_tells_whom_else),
                                     cmocka_unit_test(test_scripts_send_no_check),
                                     cmocka_unit_test(test_asked_to_unmute_runs_out),
                                     cmocka_unit_test(test_end_takes_a_time),
                                     cmocka_unit_test(test_readonly_refuses_every_act),
                                     cmocka_unit_test(test_nothing_destructive_on_a_small_letter),
                                     cmocka_unit_test(test_secrets_stay_out_of_the_history),
                                     cmocka_unit_test(test_attendance_is_shown_and_saved),
                                     cmocka_unit_test(test_contexts_are_used),
                                     cmocka_unit_test(test_help_opens_the_line),
                                     cmocka_unit_test(test_f2_talks_while_typing),
                                     cmocka_unit_test(test_list_commands)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
