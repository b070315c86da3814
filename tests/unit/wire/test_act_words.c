/* Acts as people type them: who is meant, what is a value and what is text; names that look like either. */
#include "core/wire/act_words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
  BOB = 1,
  CAROL,
  HENRI,
  LARS,
  DANIEL,
  DAVE,
  SPEAK,
  TWO_H,
  NINETY,
  TUPAC,
  STAR,
  INES,
  GUEST1,
  GUEST2,
  QUOTE,
  HASH,
  DASHES,
  ZOE,
  GUEST3
};
static const char *const NAMES[] = {
    "bob",    "carol", "Henri",   "Lars van den Berg", "Daniel", "dave", "speak", "2h",  "90",     "2pac",
    "*star*", "Inés",  "guest 1", "Guest 2",           "a\"b",   "#bob", "--",    "Zoë", "guest 3"};

static struct room room;

static void person(const char *name, bool waits) {
  struct member m = {.id = room.id_last + 1, .role = ROLE_SPEAKER, .since_ms = 1};
  m.presence = waits ? PRESENCE_WAITING : PRESENCE_HERE;
  snprintf(m.name, sizeof m.name, "%s", name);
  struct room_event ev = {
      .seq = room.seq + 1, .ts_ms = 1, .kind = waits ? ROOM_EV_KNOCKED : ROOM_EV_JOINED, .entry = &m};
  room_apply(&room, &ev);
}

static int room_make(void **state) {
  (void)state;
  room_init(&room);
  for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++)
    person(NAMES[i], i + 1 >= ZOE);
  return room_check(&room) ? 1 : 0;
}

static int room_end(void **state) {
  (void)state;
  room_free(&room);
  return 0;
}

/* What an order says, as one line: "12,13 num=1 num2=7200 flags=8 word=x text". */
static void print_order(const struct act_order *o, char *out, size_t cap) {
  int n = 0;
  out[0] = '\0';
  for (size_t i = 0; i < o->n_targets; i++)
    n += snprintf(out + n, cap - (size_t)n, "%s%u", i ? "," : "", o->targets[i]);
  if (o->has_num)
    n += snprintf(out + n, cap - (size_t)n, " num=%lld", (long long)o->num);
  if (o->has_num2)
    n += snprintf(out + n, cap - (size_t)n, " num2=%lld", (long long)o->num2);
  if (o->flags)
    n += snprintf(out + n, cap - (size_t)n, " flags=%u", o->flags);
  if (o->word[0])
    n += snprintf(out + n, cap - (size_t)n, " word=%s", o->word);
  if (o->text[0])
    snprintf(out + n, cap - (size_t)n, " [%s]", o->text);
}

static bool parse(const char *line, struct act_order *o, char why[ACT_WHY_MAX]) {
  char name[32];
  size_t n = strcspn(line, " ");
  snprintf(name, sizeof name, "%.*s", (int)n, line);
  enum act act = act_find(name);
  assert_int_not_equal(act, ACT__COUNT);
  return act_words_parse(&room, act, line + n, o, why);
}

struct sample {
  const char *line, *means;
};
static void check(const struct sample *v, size_t n) {
  for (size_t i = 0; i < n; i++) {
    struct act_order o;
    char why[ACT_WHY_MAX], got[256];
    if (!parse(v[i].line, &o, why))
      fail_msg("%s: %s", v[i].line, why);
    assert_string_equal(why, "");
    print_order(&o, got, sizeof got);
    if (strcmp(got[0] == ' ' ? got + 1 : got, v[i].means) != 0)
      fail_msg("%s became %s, not %s", v[i].line, got, v[i].means);
  }
}
#define CHECK(...)                                                                                           \
  check((const struct sample[]){__VA_ARGS__},                                                                \
        sizeof((const struct sample[]){__VA_ARGS__}) / sizeof(struct sample))

static void people_are_found_by_beginning_name_quotes_or_id(void **state) {
  (void)state;
  CHECK({"mute bob HENRI #2", "1,3,2"}, {"mute  bo ", "1"}, {"mute \"Lars van\"", "4"},
        {"mute bob bob #1", "1"},         /* once is enough */
        {"mute", ""},                     /* oneself */
        {"admit z", "18"},                /* those who wait */
        {"ban zo", "18"},                 /* reaches the lobby */
        {"mute \"guest 1\"", "13"},       /* a blank in the name */
        {"move bob carol 2", "1,2 num=2"} /* the last number is no person */
  );
}

static void the_reason_is_not_taken_for_people(void **state) {
  (void)state;
  CHECK({"remove bob he was rude", "1 [he was rude]"},         /* Henri stays */
        {"remove bob henri enough", "1,3 [enough]"},           /* a full name is a person */
        {"remove bob -- henri enough", "1 [henri enough]"},    /* unless people have ended */
        {"mute -- too loud", "[too loud]"},                    /* oneself, with a reason */
        {"remove bob \"he was rude\"", "1 [he was rude]"},     /* the quotes are not said */
        {"remove bob \"he\" was rude", "1 [\"he\" was rude]"}, /* these are */
        {"remove bob why?", "1 [why?]"}, {"remove bob *** you", "1 [*** you]"},
        {"msg bob see \"this\"  now", "1 [see \"this\"  now]"}, {"msg bob -- -- well", "1 [-- well]"},
        {"topic -- is not the end here", "[-- is not the end here]"}, {"lock", ""}, {"deny zo -- ", "18"});
}

static void commas_may_stand_between_people(void **state) {
  (void)state;
  CHECK({"mute bob, henri", "1,3"}, {"mute bob,henri ,#2", "1,3,2"}, {"mute \"Lars van\", bob,", "4,1"},
        {"mute_all hold dave, carol", "6,2 flags=1"},
        {"remove bob, henri, enough, really", "1,3 [enough, really]"},
        {"remove bob, well, that was rude", "1 [well, that was rude]"},
        {"ban bob, 2h, spam", "1 num2=7200 [spam]"}, {"move bob, carol 2", "1,2 num=2"});
}

/* With a "--" nothing that stands before it becomes the reason. */
static void before_two_dashes_stand_people_only(void **state) {
  (void)state;
  struct act_order o;
  char why[ACT_WHY_MAX];
  CHECK({"remove bob, henri -- hush", "1,3 [hush]"}, {"remove bob hen -- hush", "1,3 [hush]"},
        {"ban bob 2h speak -- x", "1 num=1 num2=7200 [x]"}, {"msg bob so -- what", "1 [so -- what]"},
        {"remove bob -- a -- b", "1 [a -- b]"});
  assert_false(parse("remove pat bob, -- hush", &o, why));
  assert_string_equal(why, "nobody here is called pat");
  assert_false(parse("remove bob pat -- hush", &o, why));
  assert_string_equal(why, "nobody here is called pat");
  assert_false(parse("ban bob 2h pat -- hush", &o, why));
  assert_string_equal(why, "pat before the -- is neither a person nor a value");
}

static void values_stand_in_any_order_before_the_text(void **state) {
  (void)state;
  CHECK({"ban bob", "1"}, {"ban bob too loud", "1 [too loud]"},
        {"ban bob 2h speak too loud", "1 num=1 num2=7200 [too loud]"},
        {"ban bob address SPEAK 1D", "1 num=1 num2=86400 flags=8"},
        {"ban bob 90 90", "1 num2=90 [90]"}, /* said once, the second is text */
        {"ban bob too 2h", "1 [too 2h]"},    /* behind the text all is text */
        {"ban bob -- 2h -- speak", "1 num2=7200 [speak]"}, {"ban_edit 12 30 still", "num=12 num2=30 [still]"},
        {"ban_edit 12 0", "num=12 num2=0"}, {"ban_rule user:ann 5m no", "num2=300 word=user:ann [no]"},
        {"ban-rule \"user:ann b\"", "word=user:ann b"}, {"talk_time 2m take", "num2=120 flags=4"},
        {"talk-time take 120s", "num2=120 flags=4"}, {"invite direct cohost", "num=4 flags=32"},
        {"invite", ""}, {"gain bob -6", "1 num=-6"}, {"gain bob -- -6", "1 num=-6"}, {"priority bob", "1"},
        {"priority bob off", "1 num=0"}, {"role bob monitor quiet now", "1 num=1 [quiet now]"},
        {"lobby OFF", "num=0"}, {"chat-mode private", "num=2"}, {"policy end", "num=2"},
        {"poll anonymous Lunch? | yes | no", "flags=16 [Lunch? | yes | no]"},
        {"poll -- anonymous votes? | yes | no", "[anonymous votes? | yes | no]"}, {"end 5m", "num2=300"},
        {"mute_all hold speakers bob carol", "1,2 flags=3"}, {"mute-all speakers", "flags=2"},
        {"mute-all bob", "1"}, {"unban 77", "num=77"});
}

/* A switch that is left out is on. */
static void a_switch_left_out_is_on(void **state) {
  (void)state;
  struct act_order o;
  char why[ACT_WHY_MAX];
  assert_true(parse("priority bob", &o, why));
  assert_int_equal(o.num, 1);
}

static void names_that_look_like_values(void **state) {
  (void)state;
  CHECK({"ban speak speak", "7 num=1"}, /* the first word is always a person */
        {"ban bob \"speak\"", "1,7"}, {"ban 2h 2h", "8 num2=7200"}, {"ban bob \"2h\" 2h", "1,8 num2=7200"},
        {"ban bob 2pac", "1,10"}, /* no time: a name */
        {"move 90 2", "9 num=2"}, {"move bob #9 2", "1,9 num=2"}, {"move bob \"90\" 2", "1,9 num=2"},
        {"mute \"--\"", "17"}, {"mute-all hold \"speak\"", "7 flags=1"}, {"gain 2h 2", "8 num=2"},
        {"mute \"*star*\"", "11"});
}

static void patterns_stand_for_all_they_fit(void **state) {
  (void)state;
  CHECK({"mute guest*", "13,14"},   /* case does not count; who waits is not here */
        {"ban guest*", "13,14,19"}, /* this act reaches the lobby */
        {"admit *", "18,19"}, {"admit \"guest 3\" *", "19,18"},
        {"mute in?s", "12"}, /* one character, two bytes */
        {"mute ?ob b*", "1"}, {"remove guest* 2p* bye all", "13,14,10 [bye all]"},
        {"remove guest* bye?", "13,14 [bye?]"}, {"remove guest* ***", "13,14 [***]"}, {"mute *va*de*", "4"},
        {"gain ?ob 3", "1 num=3"}, {"mute-all b* \"speak\"", "1,7"});
}

static void what_cannot_be_meant_is_refused_with_a_sentence(void **state) {
  (void)state;
  static const struct sample BAD[] = {
      {"mute da", "da could be Daniel or dave"},
      {"mute zo", "nobody here is called zo"},
      {"admit bob", "nobody in the lobby is called bob"},
      {"mute #99", "there is no #99 here"},
      {"mute #", "there is no # here"},
      {"mute #-1", "there is no #-1 here"},
      {"mute #4294967297", "there is no #4294967297 here"},
      {"mute \"# 1\"", "there is no # 1 here"},
      {"hand_lower bob nobody", "nobody here is called nobody"},
      {"mute \"", "nobody here is called "},
      {"mute x*", "nobody here fits x*"},
      {"admit x*", "nobody in the lobby fits x*"},
      {"gain guest* 3", "gain takes one person"},
      {"remove", "remove needs a name"},
      {"remove --", "remove needs a name"},
      {"role bob", "role needs one of monitor"},
      {"role bob king", "role needs one of monitor"},
      {"role bob \"cohost\"", "role needs one of"},
      {"lobby", "lobby needs one of on|off"},
      {"lobby on off", "lobby takes only: on|off"},
      {"gain bob", "gain needs a number from -20 to 12"},
      {"gain bob 13", "gain needs a number from -20 to 12"},
      {"gain bob 3dB", "gain needs a number"},
      {"talk_time soon", "talk_time needs a time"},
      {"talk_time -5", "talk_time needs a time"},
      {"talk_time 367d", "talk_time needs a time"},
      {"talk_time 9999999999999999999d", "talk_time needs a time"},
      {"talk_time 5y", "talk_time needs a time"},
      {"unban x", "unban needs a number"},
      {"unban 1x", "unban needs a number"},
      {"unban 0", "unban needs a number"},
      {"unban 99999999999999999999", "unban needs a number"},
      {"move bob", "move needs a number"},
      {"move bob 2 3", "move takes only: who... n"},
      {"msg bob", "msg needs a text"},
      {"chat", "chat needs a text"},
      {"ban_edit 12 forever", "ban_edit needs a time"},
      {"hand now", "hand takes nothing more"},
      {"mute_all on", "nobody here is called on"},
      {"mute_all bob hold", "mute_all takes only"},
      {"topic \xff", "topic takes UTF-8 text only"},
      {"mute \xc3", "mute takes UTF-8 text only"},
  };
  for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
    struct act_order o;
    char why[ACT_WHY_MAX];
    if (parse(BAD[i].line, &o, why))
      fail_msg("%s was taken", BAD[i].line);
    if (strncmp(why, BAD[i].means, strlen(BAD[i].means)) != 0)
      fail_msg("%s: %s", BAD[i].line, why);
  }
}

static void too_much_is_refused(void **state) {
  (void)state;
  struct act_order o;
  char why[ACT_WHY_MAX], line[TEXT_CHAT_MAX + 200];
  size_t n = (size_t)snprintf(line, sizeof line, "chat ");
  memset(line + n, 'x', TEXT_CHAT_MAX + 1);
  line[n + TEXT_CHAT_MAX] = '\0';
  assert_true(parse(line, &o, why));
  assert_int_equal(strlen(o.text), TEXT_CHAT_MAX);
  line[n + TEXT_CHAT_MAX] = 'x';
  line[n + TEXT_CHAT_MAX + 1] = '\0';
  assert_false(parse(line, &o, why));
  assert_string_equal(why, "chat takes a shorter text");
  memcpy(line, "ban_rule ", 9);
  line[9 + 128] = '\0'; /* one more than fits */
  assert_false(parse(line, &o, why));
  for (int i = 0; i < 300; i++) {
    char name[24];
    snprintf(name, sizeof name, "crowd%d", i);
    person(name, false);
  }
  assert_false(parse("mute crowd*", &o, why));
  assert_string_equal(why, "that are more than 256 people");
  assert_true(parse("mute crowd1* guest*", &o, why));
  assert_int_equal(o.n_targets, 113);
}

/* What act_words_name writes is read again as that person, first or later, by an act with a text and values.
 */
static void a_written_name_is_read_again(void **state) {
  (void)state;
  for (size_t i = 0; i < room.n_members; i++) {
    const struct member *m = &room.members[i];
    char name[TEXT_NAME_MAX + 8], line[4 * TEXT_NAME_MAX], why[ACT_WHY_MAX];
    struct act_order o;
    act_words_name(&room, m->id, name, sizeof name);
    snprintf(line, sizeof line, "ban %s %s %s 2h speak bye", m->id == BOB ? "carol" : "bob", name, name);
    if (!parse(line, &o, why))
      fail_msg("%s: %s", line, why);
    if (o.n_targets != 2 || o.targets[1] != m->id)
      fail_msg("%s does not mean %u", line, m->id);
    assert_int_equal(o.num2, 7200);
    assert_string_equal(o.text, "bye");
  }
}

/* Through a command and back nothing is lost. */
static void an_order_survives_its_command(void **state) {
  (void)state;
  struct act_order o, back = {0};
  struct room_cmd cmd;
  char why[ACT_WHY_MAX], a[256], b[256];
  assert_true(parse("ban bob carol 2h speak address bye", &o, why));
  act_order_cmd(&o, &cmd);
  assert_int_equal(cmd.n_targets, 2);
  assert_int_equal(cmd.actor, 0);
  memcpy(back.targets, cmd.targets, 2 * sizeof *cmd.targets);
  act_order_take(&back, &cmd);
  print_order(&o, a, sizeof a);
  print_order(&back, b, sizeof b);
  assert_string_equal(a, b);
  assert_true(parse("topic", &o, why));
  act_order_cmd(&o, &cmd);
  assert_null(cmd.text);
  assert_null(cmd.targets);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(people_are_found_by_beginning_name_quotes_or_id),
      cmocka_unit_test(the_reason_is_not_taken_for_people),
      cmocka_unit_test(commas_may_stand_between_people),
      cmocka_unit_test(before_two_dashes_stand_people_only),
      cmocka_unit_test(values_stand_in_any_order_before_the_text),
      cmocka_unit_test(a_switch_left_out_is_on),
      cmocka_unit_test(names_that_look_like_values),
      cmocka_unit_test(patterns_stand_for_all_they_fit),
      cmocka_unit_test(what_cannot_be_meant_is_refused_with_a_sentence),
      cmocka_unit_test(a_written_name_is_read_again),
      cmocka_unit_test(an_order_survives_its_command),
      cmocka_unit_test(too_much_is_refused), /* last: it fills the room */
  };
  return cmocka_run_group_tests(tests, room_make, room_end);
}
