/* Line mode and headless mode: sentences and JSON lines, commands in, nothing hostile out. */
#include "core/wire/json.h"
#include "tests/unit/tui/room_fixture.h"
#include "tui/headless.h"
#include "tui/line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static char last[16384];
static size_t lines;
static void keep(void *ctx, const char *text) {
  (void)ctx;
  snprintf(last, sizeof last, "%s", text);
  lines++;
}

static bool take_act(struct fixture *f, struct act_order *o) {
  struct intent i;
  while (model_take(f->m, &i))
    if (i.kind == INTENT_ACT) {
      *o = i.order;
      return true;
    }
  return false;
}

static struct client_event levels_of(uint32_t who) {
  struct client_event ev = {.kind = CLIENT_EV_LEVELS, .n = 1};
  ev.level_of[0].member = who;
  ev.level_of[0].level = 20;
  return ev;
}

static void test_line_commands_and_chat(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  struct line l;
  struct act_order o;
  line_init(&l, &f->ctl, keep, NULL);
  line_input(&l, "good morning", f->now);
  assert_true(take_act(f, &o));
  assert_int_equal(o.act, ACT_CHAT);
  assert_string_equal(o.text, "good morning");
  line_input(&l, ":mute bob", f->now);
  assert_true(take_act(f, &o));
  assert_int_equal(o.act, ACT_MUTE);
  assert_int_equal(o.targets[0], BOB);
  line_input(&l, "/remove bob", f->now);
  assert_non_null(strstr(last, "Remove bob from standup?"));
  assert_false(take_act(f, &o));
  line_input(&l, "yes", f->now);
  assert_true(take_act(f, &o));
  assert_int_equal(o.act, ACT_REMOVE);
  line_input(&l, "/remove bob", f->now);
  line_input(&l, "hello there", f->now); /* not an answer: No, and not a message either */
  assert_false(take_act(f, &o));
  line_input(&l, "/lobby maybe", f->now);
  assert_true(strncmp(last, "Not done: ", 10) == 0);
  line_input(&l, "   ", f->now);
  assert_false(take_act(f, &o));
  fx_destroy(f);
}

static void test_line_says_talkers_once(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  struct line l;
  line_init(&l, &f->ctl, keep, NULL);
  fx_step(f, 20000); /* what was on the screen has run out */
  lines = 0;
  for (int t = 0; t < 50; t++) {
    struct client_event ev = levels_of(BOB);
    line_event(&l, &ev, f->now, f->wall_ms);
    fx_step(f, 100);
    line_tick(&l, f->now);
  }
  assert_int_equal(lines, 1);
  assert_string_equal(last, "bob is talking.");
  for (int t = 0; t < 8; t++) { /* a cough of 0.8 s is no news */
    struct client_event ev = levels_of(ERIN);
    line_event(&l, &ev, f->now, f->wall_ms);
    fx_step(f, 100);
    line_tick(&l, f->now);
  }
  fx_step(f, 2000);
  line_tick(&l, f->now);
  assert_int_equal(lines, 1);
  fx_destroy(f);
}

static void test_line_two_at_once(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  struct line l;
  line_init(&l, &f->ctl, keep, NULL);
  fx_step(f, 20000);
  lines = 0;
  for (int t = 0; t < 100; t++) { /* 10 s of both: one sentence each, no ping-pong */
    struct client_event a = levels_of(BOB), b = levels_of(ERIN);
    line_event(&l, &a, f->now, f->wall_ms);
    line_event(&l, &b, f->now, f->wall_ms);
    fx_step(f, 100);
    line_tick(&l, f->now);
  }
  assert_int_equal(lines, 2);
  fx_destroy(f);
}

/* The microphone in sentences: none is said once, whoever says it first; leaving is said once. */
static void test_line_microphone_and_leaving(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  struct line l;
  line_init(&l, &f->ctl, keep, NULL);
  struct client_event mic = {.kind = CLIENT_EV_MIC, .mic = MIC_NONE};
  struct client_event notice = {.kind = CLIENT_EV_NOTICE,
                                .text = "no microphone: the others cannot hear you"};
  line_event(&l, &mic, f->now, f->wall_ms);
  assert_string_equal(last, "No microphone: you listen, moderate and chat.");
  mic.mic = MIC_CLOSED;
  line_event(&l, &mic, f->now, f->wall_ms);
  assert_string_equal(last, "Microphone: OFF.");
  line_event(&l, &notice, f->now, f->wall_ms);
  assert_string_equal(last, "No microphone: the others cannot hear you.");
  lines = 0;
  mic.mic = MIC_NONE;
  line_event(&l, &mic, f->now, f->wall_ms);
  assert_int_equal(lines, 0);
  uint32_t me = CAROL;
  l.chat = f->m->chat_last; /* the room's chat was read before */
  struct client_event left = {.kind = CLIENT_EV_EVENT, .event = calloc(1, sizeof *left.event)};
  struct room_event ev = {.seq = f->m->room.seq + 1, .group = f->m->room.seq + 1, .kind = ROOM_EV_LEFT};
  ev.actor = me;
  ev.targets = &me;
  ev.n_targets = 1;
  room_event_copy(left.event, &ev);
  line_event(&l, &left, f->now, f->wall_ms);
  struct client_event end = {.kind = CLIENT_EV_STATE, .state = CLIENT_ENDED, .me = me};
  line_event(&l, &end, f->now, f->wall_ms);
  assert_int_equal(lines, 1);
  assert_true(strncmp(last, "You left. ", 10) == 0);
  fx_destroy(f);
}

static void test_line_is_clean(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  struct line l;
  line_init(&l, &f->ctl, keep, NULL);
  struct client_event ev = {.kind = CLIENT_EV_NOTICE,
                            .text = "a\x1b[31mb\xc2\x9b"
                                    "c\nd\xe2\x80\xae"
                                    "e"};
  line_event(&l, &ev, f->now, f->wall_ms);
  assert_string_equal(last, "A[31mbc de.");
  fx_destroy(f);
}

static json_t *last_json(void) {
  json_t *o = json_loads(last, 0, NULL);
  assert_non_null(o);
  assert_null(strchr(last, '\n'));
  return o;
}

static void expect_reply(bool ok, const char *code) {
  json_t *o = last_json();
  assert_string_equal(json_str(o, "event", ""), "reply");
  assert_int_equal(json_flag(o, "ok", !ok), ok);
  assert_string_equal(json_str(o, "code", ""), code);
  json_decref(o);
}

static void test_headless_commands(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  struct headless h;
  struct act_order o;
  headless_init(&h, &f->ctl, keep, NULL);
  headless_input(&h, "{\"act\":\"mute\",\"who\":[2,5]}", f->now);
  assert_true(take_act(f, &o));
  assert_int_equal(o.n_targets, 2);
  assert_int_equal(o.targets[1], ERIN);
  headless_input(&h, "{\"act\":\"remove\",\"who\":[2],\"text\":\"bye\"}", f->now); /* scripts are not asked */
  assert_true(take_act(f, &o));
  assert_int_equal(o.act, ACT_REMOVE);
  assert_string_equal(o.text, "bye");
  headless_input(&h, "/remove dave", f->now);
  assert_true(take_act(f, &o));
  assert_int_equal(o.targets[0], DAVE);
  assert_int_equal(f->m->mode, MODE_KEYS);
  headless_input(&h, "{\"cmd\":\"mic\",\"on\":true}", f->now);
  assert_true(f->m->gate);
  headless_input(&h, "hello", f->now);
  assert_true(take_act(f, &o));
  assert_string_equal(o.text, "hello");
  headless_sent(&h, ACT_MUTE, 17);
  assert_string_equal(last, "{\"event\":\"sent\",\"act\":\"mute\",\"ticket\":17}");
  fx_destroy(f);
}

static void test_headless_bad_input(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  struct headless h;
  struct act_order o;
  headless_init(&h, &f->ctl, keep, NULL);
  static const struct {
    const char *in, *code;
  } BAD[] = {{"{", "bad_json"},
             {"{\"act\":\"mute\",\"act\":\"lock\"}", "bad_json"},
             {"{\"act\":\"dance\"}", "unknown_method"},
             {"{\"act\":\"mute\",\"who\":[2],\"extra\":1}", "bad_argument"},
             {"{\"act\":\"mute\",\"who\":\"bob\"}", "bad_argument"},
             {"{\"cmd\":\"dance\"}", "unknown_method"},
             {"{}", "unknown_method"},
             {"/mute zzz", "bad_request"},
             {"/rename alice boss", "not_allowed"}};
  for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
    last[0] = '\0';
    headless_input(&h, BAD[i].in, f->now);
    expect_reply(false, BAD[i].code);
    assert_false(take_act(f, &o));
  }
  fx_destroy(f);
}

static void test_headless_events(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  struct headless h;
  headless_init(&h, &f->ctl, keep, NULL);
  struct client_event ev = {.kind = CLIENT_EV_NOTICE, .text = "two\nlines {\"event\":\"fake\"}"};
  headless_event(&h, &ev, f->now);
  json_t *o = last_json();
  assert_string_equal(json_str(o, "text", ""), "two\nlines {\"event\":\"fake\"}");
  json_decref(o);
  ev = levels_of(BOB);
  headless_event(&h, &ev, f->now);
  assert_string_equal(last, "{\"event\":\"levels\",\"levels\":[{\"id\":2,\"level\":20}]}");
  ev = (struct client_event){.kind = CLIENT_EV_STATE, .state = CLIENT_ENDED, .why = ERR_REMOVED, .me = 3};
  headless_event(&h, &ev, f->now);
  o = last_json();
  assert_string_equal(json_str(o, "state", ""), "ended");
  assert_string_equal(json_str(o, "code", ""), "removed");
  json_decref(o);
  ev = (struct client_event){.kind = CLIENT_EV_LINK};
  headless_event(&h, &ev, f->now);
  json_decref(last_json());
  ev = (struct client_event){.kind = CLIENT_EV_MIC, .mic = MIC_HELD};
  headless_event(&h, &ev, f->now);
  o = last_json();
  assert_string_equal(json_str(o, "mic", ""), "held");
  json_decref(o);
  fx_destroy(f);
}

/* What is longer than an event's own text, and pages of older messages, reach the script whole. */
static void test_headless_long_answers(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  struct headless h;
  char *csv = calloc(1, 4001);
  headless_init(&h, &f->ctl, keep, NULL);
  assert_non_null(csv);
  memset(csv, 'x', 4000);
  struct client_event ev = {.kind = CLIENT_EV_REPLY, .ticket = 7, .data = csv};
  headless_event(&h, &ev, f->now);
  json_t *o = last_json();
  assert_int_equal(strlen(json_str(o, "text", "")), 4000);
  json_decref(o);
  headless_input(&h, "{\"cmd\":\"history\"}", f->now);
  struct intent i = {0};
  while (model_take(f->m, &i) && i.kind != INTENT_HISTORY)
    ;
  assert_int_equal(i.kind, INTENT_HISTORY);
  struct chat *chat = calloc(2, sizeof *chat);
  assert_non_null(chat);
  chat[0] = (struct chat){.id = 1, .from = BOB, .name = "bob", .text = strdup("old\n{\"event\":\"fake\"}")};
  chat[1] =
      (struct chat){.id = 2, .from = BOB, .name = "bob", .kind = CHAT_PRIVATE, .to = CAROL, .deleted = true};
  chat[1].text = strdup("");
  ev = (struct client_event){.kind = CLIENT_EV_HISTORY, .chat = chat, .n_chat = 2, .more = true};
  headless_event(&h, &ev, f->now);
  o = last_json();
  json_t *list = json_object_get(o, "chat");
  assert_string_equal(json_str(o, "event", ""), "history");
  assert_true(json_flag(o, "more", false));
  assert_int_equal(json_array_size(list), 2);
  assert_string_equal(json_str(json_array_get(list, 0), "text", ""), "old\n{\"event\":\"fake\"}");
  assert_string_equal(json_str(json_array_get(list, 1), "kind", ""), "private");
  assert_true(json_flag(json_array_get(list, 1), "deleted", false));
  json_decref(o);
  fx_destroy(f);
}

static void link_of(struct fixture *f, struct line *l, const char *down, const char *up) {
  struct client_event ev = {
      .kind = CLIENT_EV_LINK,
      .link = {.connected = true, .tier_down = down, .tier_up = up, .ptime_down_ms = 60, .ptime_up_ms = 60}};
  line_event(l, &ev, f->now, f->wall_ms);
}

/* Both ways change one after the other: one sentence. */
static void test_line_says_what_the_line_gets_once(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  struct line l;
  line_init(&l, &f->ctl, keep, NULL);
  size_t before = lines;
  link_of(f, &l, "full", "full");
  link_of(f, &l, "full", "low");
  assert_true(line_next_tick(&l) <= f->now + US_PER_S);
  link_of(f, &l, "low", "low");
  line_tick(&l, f->now + US_PER_S / 2);
  assert_int_equal(lines, before);
  line_tick(&l, f->now + US_PER_S);
  assert_string_equal(last, "Your line: low 60 ms.");
  assert_int_equal(lines, before + 1);
  link_of(f, &l, "low", "full"); /* and back at once: nothing */
  link_of(f, &l, "low", "low");
  line_tick(&l, f->now + 9 * US_PER_S);
  assert_int_equal(lines, before + 1);
  link_of(f, &l, "full", "full");
  line_tick(&l, f->now + 19 * US_PER_S);
  assert_string_equal(last, "Your line: full again.");
  fx_destroy(f);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_line_says_what_the_line_gets_once),
                                     cmocka_unit_test(test_line_commands_and_chat),
                                     cmocka_unit_test(test_line_says_talkers_once),
                                     cmocka_unit_test(test_line_two_at_once),
                                     cmocka_unit_test(test_line_microphone_and_leaving),
                                     cmocka_unit_test(test_line_is_clean),
                                     cmocka_unit_test(test_headless_commands),
                                     cmocka_unit_test(test_headless_bad_input),
                                     cmocka_unit_test(test_headless_events),
                                     cmocka_unit_test(test_headless_long_answers)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
