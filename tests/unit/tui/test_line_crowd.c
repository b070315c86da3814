/* Line mode with a room behind it: what comes in crowds is told together, questions take no half answers, and
 * what a screen shows beside the chat can be asked for. */
#include "tests/unit/tui/room_fixture.h"
#include "tui/line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static bool take_act(struct fixture *f, struct act_order *o) {
  struct intent i;
  while (model_take(f->m, &i))
    if (i.kind == INTENT_ACT) {
      *o = i.order;
      return true;
    }
  return false;
}

static char last[16384];
static size_t lines;
static char all[32768]; /* every line since the last clear */
static void keep_all(void *ctx, const char *text) {
  (void)ctx;
  snprintf(last, sizeof last, "%s", text);
  lines++;
  assert_true(text_append(all, sizeof all, text) && text_append(all, sizeof all, "\n"));
}

static void tell(struct fixture *f, struct line *l, struct room_events *evs) {
  for (size_t i = 0; i < evs->n; i++) {
    bool before = room_event_visible(&f->server, &evs->v[i], f->me);
    room_apply(&f->server, &evs->v[i]);
    if (!before && !room_event_visible(&f->server, &evs->v[i], f->me))
      continue;
    struct client_event ev = {.kind = CLIENT_EV_EVENT, .event = calloc(1, sizeof *ev.event)};
    room_event_copy(ev.event, &evs->v[i]);
    line_event(l, &ev, f->now, f->wall_ms);
  }
  room_events_free(evs);
}

static void does(struct fixture *f, struct line *l, uint32_t actor, const struct act_order *o) {
  struct room_events evs = {0};
  struct room_cmd cmd;
  act_order_cmd(o, &cmd);
  cmd.actor = actor;
  assert_int_equal(room_decide(&f->server, &cmd, f->wall_ms, &evs), ERR_OK);
  tell(f, l, &evs);
}

/* types: what is typed goes to the server, and its answer comes back. */
static void types(struct fixture *f, struct line *l, const char *text) {
  struct act_order o;
  line_input(l, text, f->now);
  while (take_act(f, &o)) {
    does(f, l, f->me, &o);
    struct client_event reply = {.kind = CLIENT_EV_REPLY};
    line_event(l, &reply, f->now, f->wall_ms);
  }
}

static void does_words(struct fixture *f, struct line *l, uint32_t actor, enum act act, const char *words) {
  struct act_order o;
  char why[ACT_WHY_MAX];
  assert_true(act_words_parse(&f->server, act, words, &o, why));
  does(f, l, actor, &o);
}

static uint32_t comes(struct fixture *f, struct line *l, const char *name, enum role role) {
  struct room_events evs = {0};
  struct room_join j = {.name = name, .client = "test", .user = "", .role = role, .audio = true};
  uint32_t id = f->server.id_last + 1;
  memcpy(j.resume, &id, sizeof id);
  memcpy(j.device, &id, sizeof id);
  assert_int_equal(room_decide_join(&f->server, &j, f->wall_ms, &evs), ERR_OK);
  tell(f, l, &evs);
  return id;
}

static void waits(struct fixture *f, struct line *l, int ms) {
  for (; ms > 0; ms -= 100) {
    f->now += 100 * US_PER_MS;
    f->wall_ms += 100;
    line_tick(l, f->now);
  }
}

static struct fixture *quiet_room(struct line *l, bool lobby) {
  struct fixture *f = fx_create(lobby);
  fx_join(f, "carol", ROLE_HOST);
  fx_enter(f, 1);
  line_init(l, &f->ctl, keep_all, NULL);
  l->entered = true;
  all[0] = '\0';
  lines = 0;
  return f;
}

static void test_line_few_come_by_name(void **state) {
  (void)state;
  struct line l;
  struct fixture *f = quiet_room(&l, false);
  comes(f, &l, "ann", ROLE_SPEAKER);
  comes(f, &l, "bob", ROLE_SPEAKER);
  assert_int_equal(lines, 0); /* more may come */
  waits(f, &l, 1000);
  assert_string_equal(all, "ann joined. 08:53\nbob joined. 3 here. 08:53\n");
  fx_destroy(f);
}

static void test_line_many_come_as_a_number(void **state) {
  (void)state;
  struct line l;
  char name[32];
  struct fixture *f = quiet_room(&l, false);
  for (int i = 0; i < 23; i++) {
    snprintf(name, sizeof name, "guest-%02d", i);
    comes(f, &l, name, ROLE_SPEAKER);
  }
  does_words(f, &l, 3, ACT_LEAVE, "");
  waits(f, &l, 1000);
  assert_string_equal(all, "23 people came in, 1 left. 23 here. 08:53\n");
  fx_destroy(f);
}

/* In a room of more than 50 people comings and goings take a line each ten seconds at most, whatever happens.
 */
static void test_line_crowd_is_counted(void **state) {
  (void)state;
  struct line l;
  char name[32];
  struct fixture *f = quiet_room(&l, false);
  for (int i = 0; i < 60; i++) {
    snprintf(name, sizeof name, "guest-%02d", i);
    comes(f, &l, name, ROLE_SPEAKER);
  }
  waits(f, &l, 11000);
  lines = 0;
  all[0] = '\0';
  for (int i = 0; i < 300; i++) { /* 30 s with ten a second */
    snprintf(name, sizeof name, "late-%03d", i);
    comes(f, &l, name, ROLE_SPEAKER);
    if (i == 150)
      does_words(f, &l, 2, ACT_CHAT, "so many");
    waits(f, &l, 100);
  }
  waits(f, &l, 11000);
  assert_in_range(lines, 3, 5); /* with the message */
  assert_non_null(strstr(all, "people came in. 361 here. "));
  assert_non_null(strstr(all, "guest-00: so many"));
  assert_null(strstr(all, "late-"));
  fx_destroy(f);
}

static void test_line_knocks_together(void **state) {
  (void)state;
  struct line l;
  struct fixture *f = quiet_room(&l, true);
  comes(f, &l, "ann", ROLE_SPEAKER);
  comes(f, &l, "bob", ROLE_SPEAKER);
  comes(f, &l, "zoe", ROLE_SPEAKER);
  waits(f, &l, 1000);
  assert_string_equal(all, "3 people wait: ann, bob, zoe. 08:53\n");
  for (int i = 0; i < 20; i++) {
    char name[32];
    snprintf(name, sizeof name, "guest-%02d", i);
    comes(f, &l, name, ROLE_SPEAKER);
  }
  waits(f, &l, 3000);
  assert_string_equal(last, "23 people wait: ann, bob, zoe and 20 more. 08:53");
  assert_int_equal(lines, 2);
  types(f, &l, "/admit-all");
  assert_string_equal(last, "You let 23 people in. 24 here. 08:53");
  assert_int_equal(lines, 3);
  fx_destroy(f);
}

static void test_line_mute_all_with_exceptions_is_one_line(void **state) {
  (void)state;
  struct line l;
  struct fixture *f = quiet_room(&l, false);
  comes(f, &l, "ann", ROLE_SPEAKER);
  comes(f, &l, "bob", ROLE_SPEAKER);
  comes(f, &l, "zoe", ROLE_SPEAKER);
  waits(f, &l, 1000);
  lines = 0;
  types(f, &l, "/mute-all hold ann zoe");
  assert_int_equal(lines, 1);
  assert_string_equal(
      last, "You muted everyone but hosts. Nobody can unmute until it is lifted. Left out: ann and zoe. "
            "/undo takes it back. 08:53");
  fx_destroy(f);
}

/* A countdown is told by the event, at a minute and at ten seconds; nothing ticks. */
static void test_line_countdown_once(void **state) {
  (void)state;
  struct line l;
  struct fixture *f = quiet_room(&l, false);
  types(f, &l, "/end standup 2m");
  assert_non_null(strstr(last, "You end the room in 2 min."));
  lines = 0;
  waits(f, &l, 59000);
  assert_int_equal(lines, 0);
  waits(f, &l, 1500);
  assert_string_equal(last, "The room ends in 1 minute.");
  waits(f, &l, 50000);
  assert_string_equal(last, "The room ends in 10 s.");
  waits(f, &l, 5000);
  assert_int_equal(lines, 2);
  types(f, &l, "/end-cancel");
  types(f, &l, "/end standup 10s");
  lines = 0;
  waits(f, &l, 9000);
  assert_int_equal(lines, 0); /* the event has said it */
  fx_destroy(f);
}

static void test_line_place_in_lobby(void **state) {
  (void)state;
  struct line l;
  struct fixture *f = fx_create(true);
  line_init(&l, &f->ctl, keep_all, NULL);
  all[0] = '\0';
  lines = 0;
  for (unsigned place = 30; place > 0; place--) { /* one is let in each second */
    struct client_event ev = {
        .kind = CLIENT_EV_STATE, .state = CLIENT_LOBBY, .me = 9, .place = place, .waiting = 30};
    line_event(&l, &ev, f->now, f->wall_ms);
    waits(f, &l, 1000);
  }
  assert_true(strncmp(all, "You are in the lobby, number 30 of 30. A host has been told.\n", 61) == 0);
  waits(f, &l, 10000);
  assert_string_equal(last, "You are number 1 of 30 in the lobby now.");
  assert_in_range(lines, 4, 5);
  fx_destroy(f);
}

/* Whoever is asked to unmute while he writes does not open his microphone with a word that begins with y. */
static void test_line_asked_while_typing(void **state) {
  (void)state;
  struct line l;
  struct act_order o;
  struct fixture *f = quiet_room(&l, false);
  uint32_t ann = comes(f, &l, "ann", ROLE_OWNER);
  does_words(f, &l, ann, ACT_MUTE, "carol");
  does_words(f, &l, ann, ACT_ASK_UNMUTE, "carol");
  waits(f, &l, 500);
  assert_string_equal(last,
                      "ann asks you to unmute. Unmute? y: unmute, anything else: stay muted, as after 30 s.");
  lines = 0;
  line_input(&l, "you said Monday?", f->now);
  assert_true(take_act(f, &o) && o.act == ACT_CHAT);
  line_input(&l, "/who", f->now);
  assert_null(strstr(last, "asks you"));
  line_input(&l, " Y ", f->now);
  assert_true(take_act(f, &o) && o.act == ACT_UNMUTE);
  fx_destroy(f);
}

static void test_line_question_takes_no_half_answer(void **state) {
  (void)state;
  static const struct {
    const char *answer;
    bool acts;
    enum act act;
  } ANSWERS[] = {{"y", true, ACT_REMOVE},
                 {"yes", true, ACT_REMOVE},
                 {"/yes", true, ACT_REMOVE},
                 {"remove", true, ACT_REMOVE},
                 {"yesterday", false, 0},
                 {"bob", false, 0},
                 {"", false, 0},
                 {"no", false, 0},
                 {"yy", false, 0}};
  for (size_t i = 0; i < sizeof ANSWERS / sizeof ANSWERS[0]; i++) {
    struct fixture *f = fx_busy();
    struct line l;
    struct act_order o;
    line_init(&l, &f->ctl, keep_all, NULL);
    all[0] = '\0';
    line_input(&l, "/remove bob", f->now);
    while (take_act(f, &o)) /* whom else a ban would hit */
      assert_int_equal(o.act, ACT_BAN_CHECK);
    line_input(&l, "b", f->now); /* another question: for how long, and whom else it would hit */
    assert_non_null(strstr(all, "\nRemove bob from standup and keep them out? y: "));
    line_input(&l, "n", f->now);
    line_input(&l, "/remove bob", f->now);
    while (take_act(f, &o))
      assert_int_equal(o.act, ACT_BAN_CHECK);
    line_input(&l, ANSWERS[i].answer, f->now);
    assert_int_equal(take_act(f, &o), ANSWERS[i].acts);
    if (ANSWERS[i].acts)
      assert_int_equal(o.act, ANSWERS[i].act);
    assert_int_equal(f->m->mode, MODE_KEYS);
    fx_destroy(f);
  }
}

static void test_line_panes(void **state) {
  (void)state;
  struct line l;
  struct fixture *f = fx_busy();
  line_init(&l, &f->ctl, keep_all, NULL);
  fx_does(f, CAROL, "note bob promised the draft");
  fx_does(f, CAROL, "poll Lunch? | yes | no");
  fx_does(f, BOB, "vote 2");
  all[0] = '\0';
  line_input(&l, "/card bob", f->now);
  assert_non_null(strstr(all, "role: speaker"));
  assert_non_null(strstr(all, "note: promised the draft (carol)\n"));
  assert_null(strstr(all, "door: "));
  assert_null(strstr(all, "  "));
  all[0] = '\0';
  line_input(&l, "/card", f->now);
  assert_non_null(strstr(all, "POLL: Lunch?, 1 yes (0), 2 no (1)"));
  assert_non_null(strstr(all, "door: "));
  all[0] = '\0';
  line_input(&l, "/card nobody", f->now);
  assert_string_equal(all, "Not done: nobody here is called nobody.\n");
  all[0] = '\0';
  line_input(&l, "/go-hands", f->now);
  assert_true(strncmp(all, "1: ", 3) == 0);
  all[0] = '\0';
  line_input(&l, "/filter bo", f->now);
  assert_non_null(strstr(all, "bob, speaker"));
  assert_non_null(strstr(all, "found.\n"));
  assert_string_equal(f->m->filter, "");
  all[0] = '\0';
  line_input(&l, "/zoom", f->now);
  assert_string_equal(all, "Not done: that is for the full screen.\n");
  fx_destroy(f);
}

static void test_line_pages_back_through_the_chat(void **state) {
  (void)state;
  struct line l;
  struct fixture *f = quiet_room(&l, false);
  uint32_t bob = comes(f, &l, "bob", ROLE_SPEAKER);
  for (int i = 1; i <= 25; i++) {
    char text[32];
    snprintf(text, sizeof text, "word %02d", i);
    does_words(f, &l, bob, ACT_CHAT, text);
    waits(f, &l, 1000);
  }
  all[0] = '\0';
  line_input(&l, "/go-chat", f->now);
  assert_true(strncmp(all, "bob: word 16 (message ", 22) == 0);
  assert_non_null(strstr(all, "bob: word 25 ("));
  line_input(&l, "/page-up", f->now);
  all[0] = '\0';
  line_input(&l, "/page-up", f->now);
  assert_true(strncmp(all, "bob: word 01 (", 14) == 0);
  struct intent i;
  line_input(&l, "/page-up", f->now);
  bool asked = false;
  while (model_take(f->m, &i))
    asked = asked || i.kind == INTENT_HISTORY;
  assert_true(asked);
  struct client_event none = {.kind = CLIENT_EV_HISTORY};
  line_event(&l, &none, f->now, f->wall_ms);
  assert_string_equal(last, "No older messages.");
  fx_destroy(f);
}

/* What helps eyes only is left out: the picture of the link, columns, an empty page. */
static void test_line_no_pictures(void **state) {
  (void)state;
  static const char LINK[] = "https://[::1]:8443/j/standup#i=c2VjcmV0";
  struct line l;
  struct fixture *f = quiet_room(&l, false);
  struct client_event ev = {.kind = CLIENT_EV_REPLY};
  snprintf(ev.text, sizeof ev.text, "%s", LINK);
  line_event(&l, &ev, f->now, f->wall_ms);
  assert_int_equal(lines, 1);
  assert_string_equal(last, LINK);
  line_input(&l, "/link", f->now);
  line_input(&l, "/copy", f->now);
  assert_int_equal(lines, 3);
  assert_string_equal(last, LINK);
  line_input(&l, "/log", f->now);
  assert_string_equal(last, "Log: nothing.");
  line_input(&l, "/help mute-lift", f->now);
  assert_string_equal(last, "mute-lift: lift mute-all: people may unmute themselves");
  line_input(&l, "/menu lobby", f->now);
  assert_null(strstr(last, "  "));
  fx_destroy(f);
}

/* A name that would move the cursor of a terminal, or fake a line, reaches no output in any form. */
static void test_line_hostile_names(void **state) {
  (void)state;
  struct line l;
  struct fixture *f = quiet_room(&l, true);
  struct member *entry = calloc(1, sizeof *entry);
  *entry = (struct member){.id = 7, .role = ROLE_SPEAKER, .presence = PRESENCE_WAITING};
  snprintf(entry->name, sizeof entry->name, "e\x1b[2Jv\ne\xe2\x80\xae");
  struct client_event ev = {.kind = CLIENT_EV_EVENT, .event = calloc(1, sizeof *ev.event)};
  *ev.event = (struct room_event){
      .seq = 900, .group = 900, .ts_ms = f->wall_ms, .kind = ROOM_EV_KNOCKED, .entry = entry};
  line_event(&l, &ev, f->now, f->wall_ms);
  waits(f, &l, 1000);
  line_input(&l, "/waiting", f->now);
  line_input(&l, "/card #7", f->now);
  line_input(&l, "/filter e", f->now);
  assert_true(lines > 4);
  for (const char *p = all; *p != '\0'; p++)
    assert_true(*p == '\n' || (unsigned char)*p >= ' ');
  assert_null(strstr(all, "\xe2\x80\xae"));
  fx_destroy(f);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_line_few_come_by_name),
                                     cmocka_unit_test(test_line_many_come_as_a_number),
                                     cmocka_unit_test(test_line_crowd_is_counted),
                                     cmocka_unit_test(test_line_knocks_together),
                                     cmocka_unit_test(test_line_mute_all_with_exceptions_is_one_line),
                                     cmocka_unit_test(test_line_countdown_once),
                                     cmocka_unit_test(test_line_place_in_lobby),
                                     cmocka_unit_test(test_line_asked_while_typing),
                                     cmocka_unit_test(test_line_question_takes_no_half_answer),
                                     cmocka_unit_test(test_line_panes),
                                     cmocka_unit_test(test_line_pages_back_through_the_chat),
                                     cmocka_unit_test(test_line_no_pictures),
                                     cmocka_unit_test(test_line_hostile_names)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
