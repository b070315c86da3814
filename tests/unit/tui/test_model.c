/* The model and the keys over it: cursor and marks by id, undo hint, questions, knocks, push-to-talk,
 * quitting. */
#include "tests/unit/tui/room_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static bool is_muted(const struct fixture *f, uint32_t id) {
  return room_member(&f->server, id)->muted;
}

/* next_act: the oldest act in the outbox; other intents before it are skipped. */
static bool next_act(struct fixture *f, struct act_order *o) {
  struct intent i;
  while (model_take(f->m, &i))
    if (i.kind == INTENT_ACT) {
      *o = i.order;
      return true;
    }
  return false;
}

static void test_cursor_stays_on_the_person(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  f->m->cursor = ERIN;
  assert_int_equal(fx_act(f, BOB, ACT_LEAVE, NULL, 0, 0, NULL), ERR_OK); /* a row above goes */
  fx_join(f, "aaron", ROLE_HOST);
  assert_int_equal(f->m->cursor, ERIN);
  fx_key(f, "x");
  assert_int_equal(f->m->mode, MODE_ASK);
  assert_string_equal(f->m->ask.text, "Remove erin from standup?");
  assert_int_equal(fx_act(f, ALICE, ACT_REMOVE, (uint32_t[]){DAVE}, 1, 0, NULL),
                   ERR_OK); /* while it is open */
  fx_type(f, "y");
  fx_pump(f);
  assert_null(room_member(&f->server, ERIN));
  assert_non_null(room_member(&f->server, FRANK));
  fx_destroy(f);
}

static void test_cursor_of_one_who_left_is_nobody(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  struct act_order o;
  for (int i = 0; i < 20; i++)
    fx_key(f, "Down");
  assert_int_equal(f->m->cursor, LARS);
  fx_key(f, "Up");
  assert_int_equal(f->m->cursor, KEIKO);
  assert_int_equal(fx_act(f, ALICE, ACT_REMOVE, (uint32_t[]){KEIKO}, 1, 0, NULL), ERR_OK);
  assert_int_equal(f->m->cursor, 0);
  while (next_act(f, &o)) {
  }
  fx_key(f, "x"); /* hits nobody rather than a stranger */
  assert_int_equal(f->m->mode, MODE_KEYS);
  assert_false(next_act(f, &o));
  fx_key(f, "Down"); /* the next person stands where he stood */
  assert_int_equal(f->m->cursor, LARS);
  fx_destroy(f);
}

static void test_marks_and_undo(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  f->m->cursor = ERIN;
  fx_type(f, "t"); /* erin, and moves on to frank */
  fx_type(f, "t"); /* frank */
  f->m->cursor = JOSE;
  fx_type(f, "t");
  assert_int_equal(f->m->n_marks, 3);
  fx_type(f, "m");
  fx_pump(f);
  assert_true(is_muted(f, ERIN) && is_muted(f, FRANK) && is_muted(f, JOSE));
  assert_false(is_muted(f, LARS));
  assert_int_equal(f->m->n_marks, 0);
  assert_non_null(strstr(f->m->toast, "u undoes"));
  fx_type(f, "u");
  fx_pump(f);
  assert_false(is_muted(f, ERIN) || is_muted(f, FRANK) || is_muted(f, JOSE));
  fx_step(f, ROOM_UNDO_MS + 1);
  assert_string_equal(f->m->toast, "");
  fx_destroy(f);
}

static void test_question_defaults_to_no(void **state) {
  (void)state;
  static const char *const NO[] = {"Enter", "n", "N", "Esc", "x", "Space", "z"};
  for (size_t i = 0; i < sizeof NO / sizeof NO[0]; i++) {
    struct fixture *f = fx_busy();
    f->m->cursor = BOB;
    fx_key(f, "x");
    fx_key(f, NO[i]);
    assert_int_equal(f->m->mode, MODE_KEYS);
    fx_pump(f);
    assert_non_null(room_member(&f->server, BOB));
    fx_destroy(f);
  }
}

static void test_remove_and_ban(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  f->m->cursor = BOB;
  fx_key(f, "x");
  fx_type(f, "b");
  assert_string_equal(f->m->ask.text, "Remove bob from standup and keep them out?");
  fx_type(f, "y");
  fx_pump(f);
  assert_null(room_member(&f->server, BOB));
  assert_int_equal(f->server.n_bans, 1);
  fx_destroy(f);
}

static void test_asked_to_unmute(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  uint32_t me = CAROL;
  assert_int_equal(fx_act(f, CAROL, ACT_MUTE, &me, 1, 0, NULL), ERR_OK);
  fx_key(f, "c");
  fx_type(f, "we should");
  assert_int_equal(fx_act(f, ALICE, ACT_ASK_UNMUTE, &me, 1, 0, NULL), ERR_OK);
  fx_type(f, " say y"); /* typed text never answers a question */
  assert_int_equal(f->m->mode, MODE_CHAT);
  assert_true(is_muted(f, CAROL));
  fx_key(f, "Esc");
  fx_step(f, 1);
  assert_int_equal(f->m->mode, MODE_ASK);
  assert_string_equal(f->m->ask.text, "alice asks you to unmute. Unmute?");
  fx_type(f, "y"); /* too soon: it was meant for something else */
  assert_int_equal(f->m->mode, MODE_ASK);
  fx_step(f, 500);
  fx_type(f, "y");
  fx_pump(f);
  assert_false(is_muted(f, CAROL));
  assert_true(f->m->gate);
  fx_destroy(f);
}

static size_t bells(struct fixture *f) {
  struct intent i;
  size_t n = 0;
  while (model_take(f->m, &i))
    n += i.kind == INTENT_BELL;
  return n;
}

static void test_knock_rings_once_then_every_30_s(void **state) {
  (void)state;
  struct fixture *f = fx_create(true);
  fx_join(f, "carol", ROLE_HOST);
  fx_enter(f, 1);
  fx_join(f, "ann", ROLE_SPEAKER);
  fx_join(f, "zoe", ROLE_SPEAKER);
  assert_int_equal(bells(f), 1);
  fx_step(f, 29000);
  assert_int_equal(bells(f), 0);
  fx_step(f, 1001);
  assert_int_equal(bells(f), 1);
  fx_type(f, "A");
  fx_pump(f);
  fx_step(f, 60000);
  assert_int_equal(bells(f), 0);
  assert_int_equal(room_count(&f->server, PRESENCE_WAITING), 0);
  fx_destroy(f);
}

static void test_admit_takes_the_first(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  fx_type(f, "a");
  fx_pump(f);
  assert_int_equal(room_member(&f->server, ANN)->presence, PRESENCE_HERE);
  assert_int_equal(room_member(&f->server, ZOE)->presence, PRESENCE_WAITING);
  fx_destroy(f);
}

static bool gate_after(struct fixture *f) {
  struct intent i;
  bool gate = f->m->gate;
  while (model_take(f->m, &i))
    if (i.kind == INTENT_GATE)
      gate = i.on;
  return gate;
}

static void test_push_to_talk(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  struct key down = {.code = ' '}, up = {.code = ' ', .phase = KEY_RELEASE};
  f->ctl.releases = true;
  f->m->level = 127;
  pilot_key(&f->ctl, down, NULL, f->now);
  assert_true(gate_after(f));
  assert_non_null(f->m->ptt_words);
  fx_step(f, 3000);
  pilot_key(&f->ctl, up, NULL, f->now);
  fx_step(f, 400);
  assert_false(gate_after(f));
  fx_key(f, "c");
  pilot_key(&f->ctl, down, NULL, f->now); /* a blank in a message */
  assert_false(gate_after(f));
  fx_destroy(f);
}

static void test_talking_unmutes_only_oneself(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  uint32_t me = CAROL;
  assert_int_equal(fx_act(f, CAROL, ACT_MUTE, &me, 1, 0, NULL), ERR_OK);
  f->ctl.releases = true;
  fx_key(f, "Space");
  fx_pump(f);
  assert_false(is_muted(f, CAROL));
  fx_destroy(f);

  f = fx_create(false); /* muted by somebody else: talking alone does not undo it */
  fx_join(f, "alice", ROLE_HOST);
  uint32_t bob = fx_join(f, "bob", ROLE_SPEAKER);
  fx_enter(f, bob);
  assert_int_equal(fx_act(f, 1, ACT_MUTE, &bob, 1, 0, NULL), ERR_OK);
  fx_key(f, "Space");
  fx_pump(f);
  assert_true(is_muted(f, bob));
  assert_false(f->m->gate);
  fx_type(f, "m"); /* the mute key does */
  fx_pump(f);
  assert_false(is_muted(f, bob));
  assert_true(f->m->gate);
  fx_destroy(f);
}

static void test_quit_asks_once(void **state) {
  (void)state;
  struct intent i;
  struct fixture *f = fx_busy();
  bells(f);
  fx_key(f, "Esc");
  fx_key(f, "Esc");
  fx_key(f, "q");
  assert_int_equal(f->m->mode, MODE_ASK);
  assert_false(model_take(f->m, &i));
  fx_key(f, "Esc");
  assert_int_equal(f->m->mode, MODE_KEYS);
  fx_key(f, "Ctrl-c");
  fx_key(f, "Ctrl-c");
  assert_true(model_take(f->m, &i));
  assert_int_equal(i.kind, INTENT_LEAVE);
  fx_destroy(f);
}

/* ends: every way to end the room for everyone comes to the same line, and only its name ends it. */
static void test_end_wants_the_name(void **state) {
  (void)state;
  static const char *const WAYS[] = {"E", "qe", ":end\r"};
  for (size_t i = 0; i < sizeof WAYS / sizeof WAYS[0]; i++) {
    struct fixture *f = fx_busy();
    for (const char *p = WAYS[i]; *p != '\0'; p++)
      *p == '\r' ? fx_key(f, "Enter") : fx_type(f, (char[]){*p, '\0'});
    assert_int_equal(f->m->mode, MODE_COMMAND);
    assert_string_equal(lineedit_text(f->m->command), "end ");
    assert_non_null(strstr(f->m->toast, "end standup"));
    fx_key(f, "Enter");
    fx_type(f, "stand");
    fx_key(f, "Enter");
    fx_pump(f);
    assert_int_equal(f->server.ends_ms, 0);
    assert_int_equal(f->m->mode, MODE_COMMAND); /* what was typed is not lost */
    fx_type(f, "up");
    fx_key(f, "Enter");
    fx_pump(f);
    assert_int_equal(f->server.ends_ms, f->wall_ms + 10000); /* a grace period; u stops it */
    fx_destroy(f);
  }
}

static void test_end_needs_a_host(void **state) {
  (void)state;
  struct fixture *f = fx_create(false);
  fx_join(f, "alice", ROLE_HOST);
  uint32_t bob = fx_join(f, "bob", ROLE_SPEAKER);
  fx_enter(f, bob);
  fx_type(f, ":end standup");
  fx_key(f, "Enter");
  fx_pump(f);
  assert_false(f->server.ended);
  assert_string_equal(f->m->toast, "needs host");
  fx_destroy(f);
}

static void test_admit_all_counts(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  fx_type(f, "A");
  fx_pump(f);
  assert_string_equal(f->m->toast, "You let 2 people in.");
  assert_int_equal(room_count(&f->server, PRESENCE_WAITING), 0);
  fx_destroy(f);
}

/* In the lobby an open microphone is a test: nobody hears it. */
static void test_lobby_is_not_on_air(void **state) {
  (void)state;
  struct fixture *f = fx_create(true);
  struct client_event ev = {.kind = CLIENT_EV_MIC, .mic = MIC_OPEN};
  fx_state(f, CLIENT_LOBBY, ERR_OK, "");
  model_update(f->m, &ev, f->now);
  assert_string_equal(model_mic_words(f->m), "MIC TEST, nobody hears you yet");
  fx_state(f, CLIENT_JOINED, ERR_OK, "");
  assert_string_equal(model_mic_words(f->m), "ON AIR");
  assert_string_equal(f->m->toast, "You were let in.");
  fx_destroy(f);
}

static void test_letters_are_text_while_typing(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  fx_key(f, "Enter");
  fx_type(f, "max hit me, AMBER");
  assert_string_equal(lineedit_text(f->m->chat), "max hit me, AMBER");
  assert_int_equal(f->m->mode, MODE_CHAT);
  fx_key(f, "Enter");
  fx_pump(f);
  assert_string_equal(f->server.chat[f->server.n_chat - 1].text, "max hit me, AMBER");
  pilot_key(&f->ctl, (struct key){.code = KEY_PASTE}, "q\nx\nE", f->now); /* a paste is never keys */
  assert_int_equal(f->m->mode, MODE_CHAT);
  assert_int_equal(f->server.ended, false);
  fx_destroy(f);
}

static void test_talk_mark_holds_and_goes(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  fx_talks(f, BOB, 20);
  assert_non_null(model_talk(f->m, BOB, f->now));
  fx_step(f, 250);
  assert_non_null(model_talk(f->m, BOB, f->now));
  fx_step(f, 100);
  assert_null(model_talk(f->m, BOB, f->now));
  assert_int_equal(model_next_tick(f->m) > f->now, true);
  fx_destroy(f);
}

static void test_replica_follows_the_server(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  assert_int_equal(f->m->room.seq, f->server.seq);
  assert_int_equal(f->m->room.n_members, f->server.n_members);
  for (size_t i = 0; i < f->server.n_members; i++) {
    const struct member *a = &f->server.members[i], *b = room_member(&f->m->room, a->id);
    assert_non_null(b);
    assert_string_equal(a->name, b->name);
    assert_int_equal(a->muted, b->muted);
    assert_int_equal(a->presence, b->presence);
  }
  fx_destroy(f);
}

static size_t history_asked(struct fixture *f) {
  struct intent i;
  size_t n = 0;
  while (model_take(f->m, &i))
    n += i.kind == INTENT_HISTORY;
  return n;
}

static void brings(struct fixture *f, size_t n, bool more) {
  struct client_event ev = {.kind = CLIENT_EV_HISTORY, .more = more, .n_chat = n};
  uint64_t oldest = f->m->room.chat[0].id;
  ev.chat = calloc(n, sizeof *ev.chat);
  for (size_t i = 0; i < n; i++) {
    ev.chat[i] = (struct chat){.id = oldest - n + i, .ts_ms = 1000 + (int64_t)i, .from = BOB, .name = "bob"};
    ev.chat[i].text = strdup("long ago");
  }
  model_update(f->m, &ev, f->now);
}

/* Who reads back to the top gets older messages, once a page, until there are none. */
static void test_reading_back(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  for (int i = 0; i < 40; i++)
    assert_int_equal(fx_act(f, BOB, ACT_CHAT, NULL, 0, 0, "on and on"), ERR_OK);
  history_asked(f);
  model_focus(f->m, PANE_CHAT);
  fx_step(f, 100);
  assert_int_equal(history_asked(f), 0);
  f->m->scroll = f->m->n_lines - 5;
  fx_step(f, 100);
  fx_step(f, 100);
  assert_int_equal(history_asked(f), 1); /* once */
  size_t lines = f->m->n_lines;
  brings(f, 3, true);
  assert_int_equal(f->m->n_lines, lines + 3);
  assert_int_equal(f->m->lines[0].chat, f->m->room.chat[0].id);
  assert_string_equal(f->m->room.chat[0].text, "long ago");
  fx_step(f, 100);
  assert_int_equal(history_asked(f), 1);
  brings(f, 1, false);
  f->m->scroll = f->m->n_lines;
  fx_step(f, 100);
  assert_int_equal(history_asked(f), 0); /* there are no older ones */
  fx_destroy(f);
}

static void test_the_quality_of_a_line_is_a_word(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  struct client_event ev = {.kind = CLIENT_EV_QUALITY, .n = 1};
  uint32_t jose = 0; /* nothing else is to be said of him */
  for (size_t i = 0; i < f->m->room.n_members; i++)
    if (strcmp(f->m->room.members[i].name, "José") == 0)
      jose = f->m->room.members[i].id;
  ev.level_of[0].member = jose;
  for (unsigned quality = 0; quality < 3; quality++) {
    ev.level_of[0].level = (uint8_t)quality;
    model_update(f->m, &ev, f->now);
    assert_int_equal(model_quality(f->m, jose), quality);
    struct canvas *c = fx_draw(f, 80, 24, false);
    char *text = canvas_text(c);
    assert_int_equal(strstr(text, "weak") != NULL, quality == 1);
    assert_int_equal(strstr(text, "bad line") != NULL, quality == 2);
    free(text);
    canvas_destroy(c);
  }
  fx_destroy(f);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_cursor_stays_on_the_person),
                                     cmocka_unit_test(test_reading_back),
                                     cmocka_unit_test(test_the_quality_of_a_line_is_a_word),
                                     cmocka_unit_test(test_cursor_of_one_who_left_is_nobody),
                                     cmocka_unit_test(test_marks_and_undo),
                                     cmocka_unit_test(test_question_defaults_to_no),
                                     cmocka_unit_test(test_remove_and_ban),
                                     cmocka_unit_test(test_asked_to_unmute),
                                     cmocka_unit_test(test_knock_rings_once_then_every_30_s),
                                     cmocka_unit_test(test_admit_takes_the_first),
                                     cmocka_unit_test(test_push_to_talk),
                                     cmocka_unit_test(test_talking_unmutes_only_oneself),
                                     cmocka_unit_test(test_quit_asks_once),
                                     cmocka_unit_test(test_end_wants_the_name),
                                     cmocka_unit_test(test_end_needs_a_host),
                                     cmocka_unit_test(test_admit_all_counts),
                                     cmocka_unit_test(test_lobby_is_not_on_air),
                                     cmocka_unit_test(test_letters_are_text_while_typing),
                                     cmocka_unit_test(test_talk_mark_holds_and_goes),
                                     cmocka_unit_test(test_replica_follows_the_server)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
