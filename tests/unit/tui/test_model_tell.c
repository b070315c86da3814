/* How acts are told: the toast names the act and not what comes with it, crowds are one line, what must not
 * be kept is nowhere. */
#include "tests/unit/tui/room_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* A host as the screen, a speaker and some of the audience. */
enum { HOST = 1, DAN, EVE, ANY };
static struct fixture *meeting(bool lobby, uint32_t me) {
  struct fixture *f = fx_create(lobby);
  fx_join(f, "hana", ROLE_HOST);
  if (!lobby) {
    fx_join(f, "dan", ROLE_SPEAKER);
    fx_join(f, "eve", ROLE_SPEAKER);
    fx_join(f, "any", ROLE_AUDIENCE);
  }
  fx_enter(f, me);
  return f;
}

/* types: a line as the person at the screen types it, decided by the room. */
static void types(struct fixture *f, const char *line) {
  fx_type(f, ":");
  fx_type(f, line);
  fx_key(f, "Enter");
  fx_pump(f);
  fx_step(f, 1);
}

static bool row_says(struct fixture *f, int w, int h, const char *words) {
  struct canvas *c = fx_draw(f, w, h, true);
  char *text = canvas_text(c);
  bool found = strstr(text, words) != NULL;
  free(text);
  canvas_destroy(c);
  return found;
}

static size_t lines_with(const struct fixture *f, const char *words) {
  size_t n = 0;
  for (size_t i = 0; i < f->m->n_lines; i++)
    n += strstr(f->m->lines[i].text, words) != NULL;
  return n;
}

static size_t notices(struct fixture *f, const char *words) {
  struct intent i;
  size_t n = 0;
  while (model_take(f->m, &i))
    n += i.kind == INTENT_NOTIFY && strstr(i.text, words) != NULL;
  return n;
}

static void test_toast_names_the_act(void **state) {
  (void)state;
  struct fixture *f = meeting(false, HOST);
  types(f, "one-speaker on");
  assert_string_equal(f->m->toast, "You set one speaker at a time - u undoes");
  types(f, "floor-give eve");
  assert_string_equal(f->m->toast, "You gave eve the floor - u undoes");
  fx_does(f, DAN, "hand");
  types(f, "next");
  assert_string_equal(f->m->toast, "You gave dan the floor - u undoes");
  fx_does(f, EVE, "hand");
  types(f, "role eve audience");
  assert_string_equal(f->m->toast, "You made eve audience - u undoes");
  fx_destroy(f);
}

static void test_no_way_back_is_promised_where_none_is(void **state) {
  (void)state;
  static const struct {
    const char *line, *toast;
  } BANS[] = {{"ban dan speak", "You banned dan from speaking."},
              {"ban dan speak 5m loud", "You banned dan from speaking for 5 min: loud."}};
  for (size_t i = 0; i < 2; i++) {
    struct fixture *f = meeting(false, HOST);
    fx_does(f, DAN, "hand");
    fx_does(f, HOST, BANS[i].line);
    assert_string_equal(f->m->toast, BANS[i].toast);
    assert_int_equal(fx_act(f, HOST, ACT_UNDO, NULL, 0, 0, NULL), ERR_NOTHING); /* and indeed */
    fx_destroy(f);
  }
  struct fixture *f = meeting(false, HOST);
  fx_does(f, DAN, "hand");
  fx_does(f, HOST, "hold dan");
  assert_string_equal(f->m->toast, "You put dan back into the lobby.");
  fx_does(f, EVE, "hand");
  fx_does(f, HOST, "breakouts 2");
  assert_null(strstr(f->m->toast, "undoes"));
  fx_destroy(f);
}

static void test_toast_of_what_is_done_to_me(void **state) {
  (void)state;
  struct fixture *f = meeting(false, DAN);
  fx_does(f, DAN, "hand");
  fx_does(f, HOST, "ban dan speak");
  assert_string_equal(f->m->toast, "hana banned you from speaking.");
  f = (fx_destroy(f), meeting(false, DAN));
  fx_does(f, HOST, "floor_take dan");
  fx_does(f, DAN, "hand");
  fx_does(f, HOST, "next");
  assert_string_equal(f->m->toast, "hana gave you the floor.");
  fx_destroy(f);
}

static void test_admitted_are_counted(void **state) {
  (void)state;
  struct fixture *f = meeting(true, HOST);
  char name[24];
  for (int i = 0; i < 23; i++) {
    snprintf(name, sizeof name, "guest%d", i);
    fx_join(f, name, ROLE_SPEAKER);
  }
  fx_step(f, 60000);
  fx_does(f, HOST, "admit_all");
  assert_string_equal(f->m->toast, "You let 23 people in.");
  assert_int_equal(lines_with(f, "You let"), 1);
  assert_int_equal(lines_with(f, "You let 23 people in."), 1);
  fx_join(f, "late", ROLE_SPEAKER);
  fx_does(f, HOST, "admit_all");
  assert_string_equal(f->m->toast, "You let late in.");
  fx_destroy(f);
}

static void test_crowds_are_one_line(void **state) {
  (void)state;
  struct fixture *f = meeting(true, HOST);
  char name[24];
  size_t before = f->m->n_lines;
  fx_join(f, "ann", ROLE_SPEAKER);
  assert_int_equal(lines_with(f, "ann is waiting to come in."), 1);
  fx_join(f, "bob", ROLE_SPEAKER);
  assert_int_equal(lines_with(f, "ann and bob wait."), 1);
  for (int i = 0; i < 23; i++) {
    snprintf(name, sizeof name, "guest%d", i);
    fx_step(f, 100);
    fx_join(f, name, ROLE_SPEAKER);
  }
  assert_int_equal(lines_with(f, "25 people wait: ann, bob and 23 more."), 1);
  assert_int_equal(f->m->n_lines, before + 1);
  fx_step(f, MODEL_CROWD_MS);
  fx_join(f, "late", ROLE_SPEAKER);
  assert_int_equal(lines_with(f, "late is waiting to come in."), 1);
  fx_does(f, HOST, "lobby off");
  before = f->m->n_lines;
  uint32_t first = fx_join(f, "x1", ROLE_SPEAKER);
  fx_join(f, "x2", ROLE_SPEAKER);
  fx_join(f, "x3", ROLE_SPEAKER);
  fx_does(f, first, "leave");
  fx_does(f, first + 1, "leave");
  assert_int_equal(lines_with(f, "3 people joined: x1, x2 and 1 more."), 1);
  assert_int_equal(lines_with(f, "x1 and x2 left."), 1);
  assert_int_equal(f->m->n_lines, before + 2);
  fx_destroy(f);
}

static void test_pinned_text_is_not_kept(void **state) {
  (void)state;
  struct fixture *f = meeting(false, HOST);
  char line[40];
  fx_does(f, DAN, "chat my secret");
  snprintf(line, sizeof line, "pin %llu", (unsigned long long)f->server.chat[0].id);
  fx_does(f, HOST, line);
  assert_int_equal(lines_with(f, "You pinned a message of dan."), 1);
  assert_int_equal(lines_with(f, "secret"), 0);
  fx_does(f, HOST, "chat_purge dan");
  assert_false(row_says(f, 120, 30, "my secret"));
  fx_destroy(f);
}

static void test_private_messages_leave_a_trace(void **state) {
  (void)state;
  struct fixture *f = meeting(false, HOST);
  model_focus(f->m, PANE_LOG);
  fx_does(f, DAN, "msg hana may I go");
  assert_string_equal(f->m->toast, "dan writes to you: may I go");
  assert_int_equal(notices(f, "dan writes to you"), 1);
  fx_does(f, DAN, "chat hello");
  fx_does(f, DAN, "chat hello");
  f->m->toast[0] = '\0';
  assert_true(row_says(f, 80, 24, "3 unread"));
  assert_true(row_says(f, 40, 12, "3 unread"));
  model_focus(f->m, PANE_CARD);
  assert_true(row_says(f, 80, 24, "3 unread"));
  assert_false(row_says(f, 120, 24, "unread")); /* the chat stands beside it */
  fx_does(f, HOST, "msg dan later");
  assert_int_equal(notices(f, "writes"), 0); /* not of one's own */
  fx_does(f, HOST, "mute eve");
  fx_does(f, DAN, "msg hana hello?");
  assert_string_equal(f->m->toast, "You muted eve - u undoes"); /* the way back stays */
  assert_int_equal(notices(f, "dan writes to you: hello?"), 1);
  fx_destroy(f);
}

static void test_time_up_is_said_once(void **state) {
  (void)state;
  struct fixture *f = meeting(false, HOST);
  struct room_events evs = {0};
  fx_does(f, HOST, "talk_time 30s take");
  fx_does(f, HOST, "floor_give any");
  fx_step(f, 31000);
  size_t before = f->m->n_lines;
  room_decide_expire(&f->server, f->wall_ms, &evs);
  assert_int_equal(evs.n, 2);
  fx_deliver(f, &evs);
  assert_false(room_member(&f->server, ANY)->floor);
  assert_int_equal(f->m->n_lines, before + 1);
  assert_int_equal(lines_with(f, "any's talk time is up."), 1);
  fx_destroy(f);
}

static void test_mute_all_but_is_one_line(void **state) {
  (void)state;
  struct fixture *f = meeting(false, HOST);
  size_t before = f->m->n_lines;
  fx_does(f, HOST, "mute_all hold dan");
  assert_true(room_member(&f->server, DAN)->exempt);
  assert_int_equal(f->m->n_lines, before + 1);
  assert_non_null(strstr(f->m->toast, "You muted everyone"));
  fx_destroy(f);
}

static void test_vote_and_no(void **state) {
  (void)state;
  struct fixture *f = meeting(false, HOST);
  fx_does(f, HOST, "poll Lunch? | yes | no");
  fx_does(f, HOST, "vote 1");
  assert_string_equal(f->m->toast, "You voted: yes.");
  fx_does(f, DAN, "vote 2");
  assert_string_equal(f->m->toast, "You voted: yes.");
  fx_step(f, 1);
  f->m->cursor = DAN;
  fx_key(f, "x");
  assert_int_equal(f->m->mode, MODE_ASK);
  assert_string_equal(f->m->toast, ""); /* old by now */
  fx_key(f, "Esc");
  assert_string_equal(f->m->toast, "Not done.");
  fx_destroy(f);
}

static void test_claim_code_is_a_page(void **state) {
  (void)state;
  struct fixture *f = meeting(false, HOST);
  struct client_event ev = {.kind = CLIENT_EV_REPLY, .ticket = 7, .text = "BLUE-42-OWL"};
  size_t before = f->m->n_lines;
  model_sent(f->m, 7, ACT_CLAIM_CODE);
  model_update(f->m, &ev, f->now);
  assert_int_equal(f->m->mode, MODE_PAGE);
  assert_string_equal(f->m->page_title, "Claim code");
  assert_non_null(strstr(f->m->page, "BLUE-42-OWL"));
  assert_int_equal(f->m->n_lines, before);
  assert_string_equal(f->m->toast, "");
  fx_destroy(f);
}

static void test_lobby_warns_once(void **state) {
  (void)state;
  struct fixture *f = meeting(false, HOST);
  fx_state(f, CLIENT_LOBBY, ERR_OK, "");
  for (int i = 0; i < 2; i++) {
    struct client_event ev = {.kind = CLIENT_EV_NOTICE, .text = "no microphone: nobody hears you"};
    model_update(f->m, &ev, f->now);
  }
  struct canvas *c = fx_draw(f, 80, 24, true);
  char *text = canvas_text(c), *at = strstr(text, "o microphone:");
  assert_non_null(at);
  assert_null(strstr(at + 1, "o microphone:"));
  free(text);
  canvas_destroy(c);
  fx_destroy(f);
}

static void test_held_and_no_floor_are_words(void **state) {
  (void)state;
  struct fixture *f = meeting(false, HOST);
  fx_does(f, HOST, "mute dan");
  fx_does(f, HOST, "mute any");
  f->m->toast[0] = '\0';
  assert_true(row_says(f, 80, 24, "M  dan           by host"));
  assert_true(row_says(f, 80, 24, "M  any          no floor"));
  assert_true(row_says(f, 60, 20, "M  any       no floor"));
  fx_does(f, HOST, "mute_all hold");
  assert_true(row_says(f, 80, 24, "M  dan              held"));
  f->m->cursor = ANY;
  model_focus(f->m, PANE_CARD);
  assert_true(row_says(f, 120, 30, "muted by a host, held,"));
  fx_destroy(f);
}

static void test_side_rooms_are_shown(void **state) {
  (void)state;
  struct fixture *f = meeting(false, HOST);
  fx_does(f, HOST, "breakouts 2");
  assert_true(row_says(f, 80, 24, "2 SIDE ROOMS"));
  f->m->cursor = 0;
  model_focus(f->m, PANE_CARD);
  assert_true(row_says(f, 80, 24, "side rooms 2"));
  fx_destroy(f);
}

static void test_cut_toasts_keep_what_counts(void **state) {
  (void)state;
  struct fixture *f = meeting(false, HOST);
  model_toast(f->m, f->now, STYLE_OK,
              "You set one very long winded thing for all of the people here - u undoes");
  assert_true(row_says(f, 60, 12, " - u undoes"));
  assert_true(row_says(f, 60, 12, "You set one"));
  model_toast(f->m, f->now, STYLE_WARN, "hana removed everybody with a long name from here: noise");
  assert_true(row_says(f, 50, 12, ": noise"));
  f->m->toast[0] = '\0';
  model_filter_set(f->m, "a");
  assert_true(row_says(f, 60, 12, "names with a"));
  model_toast(f->m, f->now, STYLE_OK, "a toast that needs most of the row");
  assert_false(row_says(f, 60, 12, "names with a"));
  assert_true(row_says(f, 60, 12, "a toast that needs most of the row"));
  fx_destroy(f);
}

static void test_cursor_after_who_left(void **state) {
  (void)state;
  struct fixture *f = meeting(false, HOST);
  f->m->cursor = EVE;
  fx_does(f, EVE, "leave");
  assert_int_equal(f->m->cursor, 0);
  struct canvas *c = fx_draw(f, 80, 24, true);
  assert_true(c->cursor_shown);
  assert_int_equal(c->cursor_y, 1);
  canvas_destroy(c);
  fx_destroy(f);
}

static void test_left_rows_go(void **state) {
  (void)state;
  struct fixture *f = meeting(true, HOST);
  uint32_t ann = fx_join(f, "ann", ROLE_SPEAKER);
  fx_join(f, "bob", ROLE_SPEAKER);
  model_focus(f->m, PANE_LOBBY);
  fx_key(f, "Down");
  fx_step(f, 1);
  fx_does(f, ann, "leave");
  model_focus(f->m, PANE_PEOPLE);
  assert_true(row_says(f, 80, 24, "(left)"));
  fx_step(f, 2001);
  assert_false(row_says(f, 80, 24, "(left)"));
  fx_destroy(f);
}

static void test_reading_back_has_a_row_of_its_own(void **state) {
  (void)state;
  struct fixture *f = meeting(false, HOST);
  for (int i = 0; i < 60; i++)
    fx_does(f, DAN, "chat these are words enough to fill a whole row of the chat pane");
  model_focus(f->m, PANE_CHAT);
  f->m->scroll = 3;
  struct canvas *c = fx_draw(f, 80, 24, true);
  char *text = canvas_text(c), *at = strstr(text, "End: newest --");
  assert_non_null(at);
  assert_int_equal(at[strlen("End: newest --")], '\n');
  free(text);
  canvas_destroy(c);
  fx_destroy(f);
}

/* The server goes down, is down, and is back: who comes back is told anew what is planned. */
static void test_maintenance_banner(void **state) {
  (void)state;
  struct fixture *f = meeting(false, HOST);
  struct client_event ev = {
      .kind = CLIENT_EV_MAINTENANCE, .at_ms = model_wall(f->m, f->now) + 65000, .text = "new disks"};
  model_update(f->m, &ev, f->now);
  assert_true(row_says(f, 80, 24, "SERVER GOES DOWN IN 01:05: new disks"));
  fx_step(f, 70000);
  fx_state(f, CLIENT_RECONNECTING, ERR_OK, "");
  assert_true(row_says(f, 80, 24, "SERVER IS DOWN: new disks"));
  fx_state(f, CLIENT_JOINED, ERR_OK, "");
  assert_false(row_says(f, 80, 24, "SERVER"));
  fx_destroy(f);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_toast_names_the_act),
                                     cmocka_unit_test(test_no_way_back_is_promised_where_none_is),
                                     cmocka_unit_test(test_toast_of_what_is_done_to_me),
                                     cmocka_unit_test(test_admitted_are_counted),
                                     cmocka_unit_test(test_crowds_are_one_line),
                                     cmocka_unit_test(test_pinned_text_is_not_kept),
                                     cmocka_unit_test(test_private_messages_leave_a_trace),
                                     cmocka_unit_test(test_time_up_is_said_once),
                                     cmocka_unit_test(test_mute_all_but_is_one_line),
                                     cmocka_unit_test(test_vote_and_no),
                                     cmocka_unit_test(test_claim_code_is_a_page),
                                     cmocka_unit_test(test_lobby_warns_once),
                                     cmocka_unit_test(test_held_and_no_floor_are_words),
                                     cmocka_unit_test(test_side_rooms_are_shown),
                                     cmocka_unit_test(test_cut_toasts_keep_what_counts),
                                     cmocka_unit_test(test_cursor_after_who_left),
                                     cmocka_unit_test(test_left_rows_go),
                                     cmocka_unit_test(test_maintenance_banner),
                                     cmocka_unit_test(test_reading_back_has_a_row_of_its_own)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
