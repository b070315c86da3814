/* Sentences: one for every kind of event, or a stated reason for none; what is told to whom, by whom and why.
 */
#include "tests/unit/tui/room_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* A room of alice (host), bob, carol (host), dave, erin; read by bob, if a case says nothing else. */
static struct room *people(void) {
  static struct room r;
  static const char *const NAMES[] = {"alice", "bob", "carol", "dave", "erin"};
  struct room_event ev = {.seq = 1, .kind = ROOM_EV_CREATED, .text = (char[]){"standup"}};
  room_init(&r);
  room_apply(&r, &ev);
  for (uint32_t i = 0; i < 5; i++) {
    struct member m = {.id = i + 1, .role = i % 2 == 0 ? ROLE_HOST : ROLE_SPEAKER, .presence = PRESENCE_HERE};
    snprintf(m.name, sizeof m.name, "%s", NAMES[i]);
    ev = (struct room_event){.seq = 2 + i, .kind = ROOM_EV_JOINED, .entry = &m};
    room_apply(&r, &ev);
  }
  return &r;
}

static struct member NEWCOMER = {.id = 9, .role = ROLE_SPEAKER, .name = "zoe"};

static void test_every_kind_has_a_sentence_or_a_reason(void **state) {
  (void)state;
  struct room *r = people();
  struct ban ban = {.id = 12, .name = "mallory", .reason = "spam"};
  char out[SAY_MAX];
  for (int kind = 0; kind < ROOM_EV__COUNT; kind++)
    for (int variant = 0; variant < 24; variant++) {
      enum style style = STYLE_NORMAL;
      uint32_t who[2] = {variant % 2 == 0 ? 2 : 4, 5};
      struct room_event ev = {.seq = 100,
                              .ts_ms = 1000,
                              .kind = (enum room_ev)kind,
                              .actor = (uint32_t[]){0, 2, 3, ROOM_SOME_HOST}[variant % 4],
                              .targets = who,
                              .n_targets = (size_t)(variant % 3),
                              .num = variant / 12,
                              .num2 = 5000,
                              .text = variant % 5 == 0 ? NULL : (char[]){"a text"},
                              .entry = &NEWCOMER,
                              .ban = &ban};
      bool said = say_event(r, 2, &ev, out, &style);
      if (!said && say_silence(ev.kind) == NULL)
        fail_msg("%s has neither a sentence nor a reason", room_ev_name(ev.kind));
      if (!said)
        continue;
      size_t len = strlen(out);
      assert_true(len > 4 && strchr(".?!", out[len - 1]) != NULL);
      assert_null(strchr(out, '%'));
      assert_null(strstr(out, "  "));
      assert_null(strstr(out, ".."));
      assert_true(out[0] >= 'A' || out[0] == '#');
    }
  room_free(r);
}

#define WHO(...) .targets = (uint32_t[]){__VA_ARGS__}, .n_targets = sizeof((uint32_t[]){__VA_ARGS__}) / 4
static struct ban SPEAK = {
    .id = 12, .name = "mallory", .what = BAN_SPEAK, .until_ms = 7201000, .reason = "spam"};
static struct ban RULE = {.id = 13, .user = "eve@x.org"};
static const struct {
  struct room_event ev;
  const char *want;
} TOLD[] = {
    {{.kind = ROOM_EV_MUTED, .actor = 3, WHO(2), .text = (char[]){"noise"}},
     "carol muted you: noise (you may unmute)."},
    {{.kind = ROOM_EV_MUTED, .actor = ROOM_SOME_HOST, WHO(4)}, "A host muted dave."},
    {{.kind = ROOM_EV_MUTED, .actor = 2, WHO(2)}, "You are muted."},
    {{.kind = ROOM_EV_MUTE_ALL, .actor = 3, .num = 6},
     "carol muted everyone but hosts and speakers. Nobody can unmute until it is lifted."},
    {{.kind = ROOM_EV_REMOVED, .actor = 0, WHO(4), .text = (char[]){"late"}},
     "The operator removed dave: late."},
    {{.kind = ROOM_EV_TIME_UP, .actor = 0, WHO(2)}, "Your talk time is up."},
    {{.kind = ROOM_EV_TIME_UP, .actor = 0, WHO(4)}, "dave's talk time is up."},
    {{.kind = ROOM_EV_FLOOR, .actor = 0, WHO(4)}, "The operator took the floor from dave."},
    {{.kind = ROOM_EV_FLOOR, .actor = 3, WHO(2), .num = 1}, "carol gave you the floor."},
    {{.kind = ROOM_EV_MOVED, .actor = 3, WHO(2), .num = 2}, "You are in side room 2 now: carol moved you."},
    {{.kind = ROOM_EV_MOVED, .actor = 0, WHO(2)}, "You are in the main room now."},
    {{.kind = ROOM_EV_MOVED, .actor = 3, WHO(4, 5), .num = 1}, "carol moved dave and erin to side room 1."},
    {{.kind = ROOM_EV_BREAKOUTS, .actor = 0}, "The side rooms are closed: everyone is back."},
    {{.kind = ROOM_EV_RECALL, .actor = 3, .num = 61000},
     "carol calls everyone back from the side rooms in 1 min."},
    {{.kind = ROOM_EV_ENDING, .actor = 3, .num = 11000}, "carol ends the room in 10 s."},
    {{.kind = ROOM_EV_ENDING, .actor = 2, .num = 301000}, "You end the room in 5 min."},
    {{.kind = ROOM_EV_ENDING, .actor = 3}, "carol called off the end of the room."},
    {{.kind = ROOM_EV_ENDED, .actor = 0}, "The room has ended."},
    {{.kind = ROOM_EV_POLL, .actor = 3, .text = (char[]){"Lunch?\nyes\nno"}},
     "carol asks: Lunch? 1 yes, 2 no. vote N answers."},
    {{.kind = ROOM_EV_POLL, .actor = 3, .num = 1, .text = (char[]){"Lunch?\nyes\nno"}},
     "carol asks: Lunch? 1 yes, 2 no. Nobody sees who answers what; vote N answers."},
    {{.kind = ROOM_EV_GAIN, .actor = 3, WHO(2), .num = -6}, "carol set your volume for all to -6 dB."},
    {{.kind = ROOM_EV_PRIORITY, .actor = 3, WHO(4), .num = 0}, "carol ended dave's priority."},
    {{.kind = ROOM_EV_RENAMED, .actor = 3, WHO(2), .text = (char[]){"Robert"}},
     "carol renamed you to Robert."},
    {{.kind = ROOM_EV_RENAMED, .actor = 4, WHO(4), .text = (char[]){"Dan"}}, "dave is called Dan now."},
    {{.kind = ROOM_EV_ROLE, .actor = 4, WHO(4), .num = ROLE_HOST}, "dave is a host now."},
    {{.kind = ROOM_EV_ROLE, .actor = 3, WHO(2), .num = ROLE_AUDIENCE, .text = (char[]){"please listen"}},
     "carol made you audience: please listen."},
    {{.kind = ROOM_EV_HELD, .actor = 3, WHO(4), .text = (char[]){"later"}},
     "carol put dave back into the lobby: later."},
    {{.kind = ROOM_EV_LEFT, .actor = 4, WHO(4), .num = 2}, "dave went back to the lobby."},
    {{.kind = ROOM_EV_ADMITTED, .actor = 3, WHO(9), .entry = &NEWCOMER}, "carol let zoe in."},
    {{.kind = ROOM_EV_BANNED, .actor = 3, .ban = &SPEAK},
     "carol banned mallory from speaking for 2 h: spam."},
    {{.kind = ROOM_EV_BANNED, .actor = 3, .ban = &RULE}, "carol banned user:eve@x.org."},
    {{.kind = ROOM_EV_UNBANNED, .actor = 0, .ban = &SPEAK}, "The ban of mallory has run out."},
    {{.kind = ROOM_EV_SILENCED, .actor = 0, WHO(2)}, "You may speak again."},
    {{.kind = ROOM_EV_SILENCED, .actor = 3, WHO(2), .num = 12, .ban = &SPEAK, .text = (char[]){"spam"}},
     "carol banned you from speaking for 2 h: spam."},
    {{.kind = ROOM_EV_DECLINED, .actor = 4, WHO(4)}, "dave stays muted."},
    {{.kind = ROOM_EV_SLOW, .actor = 3, .num = 30}, "carol set slow mode: one message every 30 s."},
    {{.kind = ROOM_EV_TALK_TIME, .actor = 3, .num = 2 * 120 + 1},
     "carol set the talk time to 2 min, then the floor is taken."},
    {{.kind = ROOM_EV_AGENDA, .actor = 3, .text = (char[]){"budget\nplans"}},
     "carol set the agenda: budget; plans."},
    {{.kind = ROOM_EV_TOPIC, .actor = 3, .text = (char[]){"who owns it?"}},
     "carol set the topic: who owns it?"},
    {{.kind = ROOM_EV_TOPIC, .actor = 3, .text = (char[]){""}}, "carol removed the topic."},
    {{.kind = ROOM_EV_HAND, .actor = 4, WHO(4), .num = 1}, "dave raised a hand, number 1."},
    {{.kind = ROOM_EV_HAND, .actor = 3, WHO(2)}, "carol lowered your hand."},
    {{.kind = ROOM_EV_CHAT_PURGED, .actor = 3, WHO(2)}, "carol deleted all your messages."},
    {{.kind = ROOM_EV_CHAT_EDITED, .actor = 4, .text = (char[]){"at noon"}},
     "dave changed a message: at noon."},
    {{.kind = ROOM_EV_POLICY, .actor = 3, .num = HOST_GONE_END},
     "carol changed what happens when no host is here: the room ends after 10 minutes."},
    {{.kind = ROOM_EV_LOCKED, .actor = 3, .num = 1, .text = (char[]){"full today"}},
     "carol locked the room: full today."},
    {{.kind = ROOM_EV_SUCCESSION, .actor = 3, WHO(4, 2)}, "carol set who becomes host next: dave and you."},
};

static void test_what_by_whom_and_why(void **state) {
  (void)state;
  struct room *r = people();
  char out[SAY_MAX];
  enum style style;
  for (size_t i = 0; i < sizeof TOLD / sizeof TOLD[0]; i++) {
    struct room_event ev = TOLD[i].ev;
    ev.ts_ms = 1000;
    assert_true(say_event(r, 2, &ev, out, &style));
    assert_string_equal(out, TOLD[i].want);
  }
  r->talk_take = true; /* now it was the clock */
  r->talk_s = 60;
  assert_true(say_event(r, 2, &(struct room_event){.kind = ROOM_EV_FLOOR, WHO(2)}, out, &style));
  assert_string_equal(out, "Your talk time is over: the floor is free.");
  room_free(r);
}

/* However many it was done to, each of them learns that he is one. */
static void test_one_of_many_is_named(void **state) {
  (void)state;
  struct room *r = people();
  char out[SAY_MAX];
  enum style style;
  struct room_event ev = {.ts_ms = 1, .kind = ROOM_EV_MUTED, .actor = 3, WHO(1, 2, 4, 5)};
  assert_true(say_event(r, 2, &ev, out, &style));
  assert_string_equal(out, "carol muted you and 3 others (you may unmute).");
  assert_true(say_event(r, 3, &ev, out, &style));
  assert_string_equal(out, "You muted 4 people.");
  ev = (struct room_event){.ts_ms = 1, .kind = ROOM_EV_MOVED, WHO(1, 2, 4, 5)};
  assert_true(say_event(r, 2, &ev, out, &style));
  assert_string_equal(out, "You and 3 others are in the main room now.");
  room_free(r);
}

static void test_durations(void **state) {
  (void)state;
  static const struct {
    int64_t s;
    const char *want;
  } CASES[] = {{0, "0 s"},       {10, "10 s"},     {60, "1 min"},      {90, "90 s"},    {3600, "1 h"},
               {5400, "90 min"}, {86400, "1 day"}, {259200, "3 days"}, {36001, "10 h"}, {5000000, "58 days"}};
  char out[24];
  for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
    say_duration(CASES[i].s, out);
    assert_string_equal(out, CASES[i].want);
  }
}

static void test_chat_heads(void **state) {
  (void)state;
  struct room *r = people();
  const struct {
    struct chat c;
    const char *want;
  } CASES[] = {{{.kind = CHAT_PUBLIC, .from = 4, .name = "dave", .edited = true}, "dave (changed)"},
               {{.kind = CHAT_PRIVATE, .from = 4, .to = 2, .name = "dave"}, "dave to you (private)"},
               {{.kind = CHAT_TO_HOSTS, .from = 2, .name = "bob"}, "You to the hosts"},
               {{.kind = CHAT_LOBBY, .from = 3, .name = "carol"}, "carol to the lobby"},
               {{.kind = CHAT_ANNOUNCE, .from = 3, .name = "carol"}, "Announcement by carol"},
               {{.kind = CHAT_ANNOUNCE, .from = 0}, "Announcement by the operator"},
               {{.kind = CHAT_SIDE, .from = 4, .to = 2, .name = "dave"}, "dave in side room 2"}};
  char out[SAY_MAX];
  for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
    say_chat_head(r, 2, &CASES[i].c, out);
    assert_string_equal(out, CASES[i].want);
  }
  room_free(r);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_kind_has_a_sentence_or_a_reason),
                                     cmocka_unit_test(test_what_by_whom_and_why),
                                     cmocka_unit_test(test_one_of_many_is_named),
                                     cmocka_unit_test(test_durations), cmocka_unit_test(test_chat_heads)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
