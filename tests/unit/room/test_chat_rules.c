/* Chat: kinds and who reads them, slow mode, links, edits, purge, the pinned message. */
#include "room_fixture.h"

struct people {
  struct fixture f;
  uint32_t host, co, a, b, w;
};

static int setup(void **state) {
  static struct people p; /* one test at a time */
  fix_open(&p.f, false, HOST_GONE_CONTINUE);
  p.host = join(&p.f, "Host", ROLE_HOST);
  p.co = join(&p.f, "Co", ROLE_COHOST);
  p.a = join(&p.f, "A", ROLE_AUDIENCE);
  p.b = join(&p.f, "B", ROLE_SPEAKER);
  assert_int_equal(act_num(&p.f, p.host, ACT_LOBBY, 1), ERR_OK);
  p.w = join(&p.f, "W", ROLE_AUDIENCE);
  *state = &p;
  return 0;
}
static int teardown(void **state) {
  fix_close(&((struct people *)*state)->f);
  return 0;
}

static enum err edit(struct people *p, uint32_t actor, uint64_t id, const char *text) {
  return fix_do(&p->f,
                &(struct room_cmd){.act = ACT_CHAT_EDIT, .actor = actor, .num = (int64_t)id, .text = text});
}
/* A message that must be accepted; its id. */
static uint64_t say(struct people *p, uint32_t actor, const char *text) {
  assert_int_equal(act_text(&p->f, actor, ACT_CHAT, text), ERR_OK);
  return p->f.r.seq;
}
static const struct chat *chat(struct people *p, uint64_t id) {
  const struct chat *c = room_chat_by_id(&p->f.r, id);
  assert_non_null(c);
  return c;
}
/* Who of host, cohost, a, b, the waiting one and the operator sees the last event, as bits 1, 2, 4 ... */
static unsigned seen_by(struct people *p) {
  const uint32_t viewers[] = {p->host, p->co, p->a, p->b, p->w, 0};
  unsigned bits = 0;
  for (unsigned i = 0; i < 6; i++)
    bits |= room_event_visible(&p->f.r, &p->f.last.v[p->f.last.n - 1], viewers[i]) ? 1u << i : 0;
  assert_false(room_event_visible(&p->f.r, &p->f.last.v[p->f.last.n - 1], 99));
  return bits;
}
enum { H = 1, C = 2, A = 4, B = 8, W = 16, O = 32 };

static void each_kind_has_its_readers(void **state) {
  struct people *p = *state;
  say(p, p->a, "hi");
  assert_int_equal(seen_by(p), H | C | A | B | O);
  assert_int_equal(act_msg(&p->f, p->a, p->b, "psst"), ERR_OK);
  assert_int_equal(seen_by(p), A | B | O);
  assert_int_equal(act_text(&p->f, p->a, ACT_CHAT_HOSTS, "help"), ERR_OK);
  assert_int_equal(seen_by(p), H | C | A | O);
  assert_int_equal(act_text(&p->f, p->co, ACT_ANNOUNCE, "five minutes"), ERR_OK);
  assert_int_equal(p->f.last.v[0].num, CHAT_ANNOUNCE);
  assert_int_equal(seen_by(p), H | C | A | B | O);
  assert_int_equal(act_text(&p->f, 0, ACT_ANNOUNCE, "restart at 9"), ERR_OK);
  assert_int_equal(seen_by(p), H | C | A | B | O);
  assert_int_equal(act_text(&p->f, p->a, ACT_ANNOUNCE, "me too"), ERR_NOT_ALLOWED);
}

static void the_lobby_reads_what_is_for_it(void **state) {
  struct people *p = *state;
  assert_int_equal(act_text(&p->f, p->co, ACT_LOBBY_SAY, "soon"), ERR_OK);
  assert_int_equal(p->f.last.v[0].num, CHAT_LOBBY);
  assert_int_equal(seen_by(p), H | C | W | O);
  assert_int_equal(act_msg(&p->f, p->co, p->w, "who are you?"), ERR_OK);
  assert_int_equal(seen_by(p), C | W | O);
  assert_int_equal(edit(p, p->co, p->f.r.seq, "who are you, please?"), ERR_OK);
  assert_int_equal(seen_by(p), C | W | O);
  assert_int_equal(act_msg(&p->f, p->a, p->w, "psst"), ERR_NO_MEMBER);
  assert_int_equal(act_text(&p->f, p->w, ACT_CHAT, "hi"), ERR_IN_LOBBY);
  assert_int_equal(act_text(&p->f, p->a, ACT_LOBBY_SAY, "hi"), ERR_NOT_ALLOWED);
  assert_int_equal(act(&p->f, p->host, ACT_ADMIT_ALL), ERR_OK);
  assert_int_equal(act_text(&p->f, p->co, ACT_LOBBY_SAY, "anyone?"), ERR_NOTHING);
}

static void a_side_room_reads_its_own(void **state) {
  struct people *p = *state;
  assert_int_equal(act_num(&p->f, p->host, ACT_BREAKOUTS, 2), ERR_OK);
  assert_int_equal(act_on_num(&p->f, p->host, ACT_MOVE, p->a, 1), ERR_OK);
  uint64_t id = say(p, p->a, "only us");
  assert_int_equal(chat(p, id)->kind, CHAT_SIDE);
  assert_int_equal(chat(p, id)->to, 1);
  assert_int_equal(seen_by(p), A | O); /* not even hosts who are elsewhere */
  assert_int_equal(edit(p, p->a, id, "only us two"), ERR_OK);
  assert_int_equal(seen_by(p), A | O);
  assert_int_equal(act_num(&p->f, p->host, ACT_CHAT_DELETE, (int64_t)id), ERR_NO_MESSAGE);
  assert_int_equal(act_on_num(&p->f, p->host, ACT_MOVE, p->b, 2), ERR_OK);
  say(p, p->b, "room two");
  assert_int_equal(seen_by(p), B | O);
  assert_int_equal(act_on_num(&p->f, p->host, ACT_MOVE, p->b, 1), ERR_OK);
  say(p, p->a, "welcome");
  assert_int_equal(seen_by(p), A | B | O);
  assert_int_equal(act_text(&p->f, p->host, ACT_ANNOUNCE, "all back soon"), ERR_OK);
  assert_int_equal(seen_by(p), H | C | A | B | O);
  assert_int_equal(act_num(&p->f, p->host, ACT_CHAT_MODE, CHAT_MODE_PRIVATE), ERR_OK);
  assert_int_equal(act_text(&p->f, p->a, ACT_CHAT, "hm"), ERR_CHAT_OFF); /* counts as public */
}

static void slow_mode_binds_people_but_no_call_for_help(void **state) {
  struct people *p = *state;
  say(p, p->a, "before");
  assert_int_equal(act_num2(&p->f, p->host, ACT_SLOW, 30), ERR_OK);
  p->f.now += 29999;
  assert_int_equal(act_text(&p->f, p->a, ACT_CHAT, "too soon"), ERR_SLOW_MODE);
  assert_int_equal(act_msg(&p->f, p->a, p->b, "too soon"), ERR_SLOW_MODE);
  assert_int_equal(act_text(&p->f, p->a, ACT_CHAT_HOSTS, "help"), ERR_OK);
  p->f.now += 1;
  uint64_t id = say(p, p->a, "in time"); /* the call for help did not count */
  assert_int_equal(act_text(&p->f, p->a, ACT_CHAT, "again"), ERR_SLOW_MODE);
  assert_int_equal(edit(p, p->a, id, "in good time"), ERR_OK);
  say(p, p->b, "my first");
  for (int i = 0; i < 3; i++)
    say(p, p->co, "hosts may");
  p->f.now -= 3600000; /* a clock set back slows nobody */
  say(p, p->a, "again");
  assert_int_equal(act_num2(&p->f, p->host, ACT_SLOW, 0), ERR_OK);
  say(p, p->a, "and again");
}

static void links_can_be_switched_off(void **state) {
  struct people *p = *state;
  static const char *const LINKS[] = {"http://a.b",
                                      "see HTTPS://EXAMPLE.COM now",
                                      "(ftp://x)",
                                      "www.foo.bar",
                                      "WwW.x",
                                      "go to example.com",
                                      "Example.COM!",
                                      "example.com.",
                                      "x.example.nowhere/path",
                                      "m\xc3\xbcller.de",
                                      "mail me@example.org",
                                      "a.io?x=1"};
  static const char *const PLAIN[] = {
      "no link", "wait...what", "main.rs and read.me", "either/or", "1.5/2 of it", "12.50/3",
      "a.m/p.m", "://x",        "e.g. this",           "://",       "a:// b",      "www. is old",
      "awww.",   "telecom",     "welcome.communists",  ".com",      "dot. com",    "3.14"};
  for (size_t i = 0; i < sizeof LINKS / sizeof LINKS[0]; i++)
    say(p, p->a, LINKS[i]);
  assert_int_equal(act_num(&p->f, p->host, ACT_LINKS, 0), ERR_OK);
  for (size_t i = 0; i < sizeof LINKS / sizeof LINKS[0]; i++)
    if (act_text(&p->f, p->a, ACT_CHAT, LINKS[i]) != ERR_LINKS_OFF)
      fail_msg("passed: %s", LINKS[i]);
  for (size_t i = 0; i < sizeof PLAIN / sizeof PLAIN[0]; i++)
    if (act_text(&p->f, p->a, ACT_CHAT, PLAIN[i]) != ERR_OK)
      fail_msg("refused: %s", PLAIN[i]);
  assert_int_equal(edit(p, p->a, p->f.r.seq, "https://evil.example"), ERR_LINKS_OFF);
  assert_int_equal(act_msg(&p->f, p->b, p->a, "example.com"), ERR_LINKS_OFF);
  assert_int_equal(act_text(&p->f, p->b, ACT_CHAT_HOSTS, "he sent example.com"), ERR_LINKS_OFF);
  say(p, p->co, "https://example.com");
  char hidden[] = "ex\xe2\x80\x8b"
                  "ample.com"; /* a zero-width space within: gone before it is looked at */
  assert_int_equal(act_text(&p->f, p->a, ACT_CHAT, hidden), ERR_LINKS_OFF);
}

static void one_edits_ones_own_for_a_while(void **state) {
  struct people *p = *state;
  uint64_t id = say(p, p->a, "teh text");
  assert_int_equal(edit(p, p->b, id, "x"), ERR_NOT_ALLOWED);
  assert_int_equal(edit(p, p->host, id, "x"), ERR_NOT_ALLOWED); /* nobody writes in another's name */
  assert_int_equal(edit(p, 0, id, "x"), ERR_NOT_ALLOWED);
  assert_int_equal(edit(p, p->a, 1, "x"), ERR_NO_MESSAGE);
  assert_int_equal(edit(p, p->a, 0, "x"), ERR_NO_MESSAGE);
  assert_int_equal(edit(p, p->a, id, " \x1b\x07 "), ERR_BAD_TEXT);
  assert_int_equal(edit(p, p->a, id, NULL), ERR_BAD_TEXT);
  assert_int_equal(edit(p, p->a, id, "teh text "), ERR_NO_CHANGE);
  assert_false(chat(p, id)->edited);
  p->f.now += ROOM_EDIT_MS;
  assert_int_equal(edit(p, p->a, id, "the \x1b[1mtext"), ERR_OK);
  assert_string_equal(chat(p, id)->text, "the [1mtext");
  assert_true(chat(p, id)->edited);
  assert_int_equal(seen_by(p), H | C | A | B | O);
  assert_int_equal(act_num(&p->f, p->host, ACT_CHAT_MODE, CHAT_MODE_PRIVATE), ERR_OK);
  assert_int_equal(edit(p, p->a, id, "x"), ERR_CHAT_OFF);
  p->f.now += 1; /* counted from the first sending, not from the edit */
  assert_int_equal(edit(p, p->a, id, "x"), ERR_TOO_LATE);
  assert_int_equal(act_num(&p->f, p->host, ACT_CHAT_DELETE, (int64_t)id), ERR_OK);
  assert_int_equal(edit(p, p->a, id, "back"), ERR_NO_MESSAGE);
  assert_int_equal(act_msg(&p->f, p->a, p->b, "psst"), ERR_OK);
  id = p->f.r.seq;
  assert_int_equal(edit(p, p->host, id, "x"), ERR_NO_MESSAGE);
  assert_int_equal(edit(p, p->b, id, "x"), ERR_NOT_ALLOWED);
  assert_int_equal(edit(p, p->a, id, "pssst"), ERR_OK);
  assert_int_equal(seen_by(p), A | B | O);
  assert_int_equal(act_text(&p->f, p->co, ACT_ANNOUNCE, "quiet"), ERR_OK);
  id = p->f.r.seq;
  assert_int_equal(edit(p, p->co, id, "quiet please"), ERR_OK);
  assert_int_equal(act_role(&p->f, p->host, p->co, ROLE_SPEAKER), ERR_OK);
  assert_int_equal(edit(p, p->co, id, "party"), ERR_NOT_ALLOWED); /* he speaks for nobody now */
}

static void a_purge_takes_all_of_one_person(void **state) {
  struct people *p = *state;
  uint64_t one = say(p, p->a, "spam"), other = say(p, p->b, "fine"), two = say(p, p->a, "spam");
  assert_int_equal(act_msg(&p->f, p->a, p->b, "spam"), ERR_OK);
  uint64_t private = p->f.r.seq;
  assert_int_equal(act_num(&p->f, p->host, ACT_PIN, (int64_t)two), ERR_OK);
  assert_int_equal(act_on(&p->f, p->b, ACT_CHAT_PURGE, p->a), ERR_NOT_ALLOWED);
  assert_int_equal(act_on(&p->f, p->co, ACT_CHAT_PURGE, p->host), ERR_RANK);
  assert_int_equal(act_on(&p->f, p->co, ACT_CHAT_PURGE, p->co), ERR_NOT_SELF);
  assert_int_equal(act_on(&p->f, p->co, ACT_CHAT_PURGE, p->w), ERR_NO_MEMBER);
  assert_int_equal(act_on(&p->f, p->co, ACT_CHAT_PURGE, p->a), ERR_OK);
  assert_true(chat(p, one)->deleted && chat(p, two)->deleted && chat(p, private)->deleted);
  assert_string_equal(chat(p, one)->text, "");
  assert_false(chat(p, other)->deleted);
  assert_int_equal(p->f.r.pin, 0);
  assert_int_equal(act_on(&p->f, p->co, ACT_CHAT_PURGE, p->a), ERR_NOTHING);
}

static void only_what_all_can_read_is_pinned(void **state) {
  struct people *p = *state;
  uint64_t one = say(p, p->a, "one"), two = say(p, p->b, "two");
  assert_int_equal(act(&p->f, p->host, ACT_UNPIN), ERR_NO_CHANGE);
  assert_int_equal(act_num(&p->f, p->a, ACT_PIN, (int64_t)one), ERR_NOT_ALLOWED);
  assert_int_equal(act_num(&p->f, p->host, ACT_PIN, 1), ERR_NO_MESSAGE);
  assert_int_equal(act_num(&p->f, p->host, ACT_PIN, -1), ERR_NO_MESSAGE);
  assert_int_equal(act_msg(&p->f, p->host, p->a, "private"), ERR_OK);
  assert_int_equal(act_num(&p->f, p->host, ACT_PIN, (int64_t)p->f.r.seq), ERR_NOT_ALLOWED);
  assert_int_equal(act_num(&p->f, p->co, ACT_PIN, (int64_t)p->f.r.seq), ERR_NO_MESSAGE);
  assert_int_equal(act_text(&p->f, p->a, ACT_CHAT_HOSTS, "help"), ERR_OK);
  assert_int_equal(act_num(&p->f, p->host, ACT_PIN, (int64_t)p->f.r.seq), ERR_NOT_ALLOWED);
  assert_int_equal(act_num(&p->f, p->host, ACT_PIN, (int64_t)one), ERR_OK);
  assert_int_equal(act_num(&p->f, p->co, ACT_PIN, (int64_t)one), ERR_NO_CHANGE);
  assert_int_equal(act_num(&p->f, p->co, ACT_PIN, (int64_t)two), ERR_OK);
  assert_int_equal(p->f.last.v[0].num2, one);
  assert_int_equal(p->f.r.pin, two);
  assert_int_equal(act(&p->f, p->co, ACT_UNDO), ERR_OK);
  assert_int_equal(p->f.r.pin, one);
  assert_int_equal(act_num(&p->f, p->host, ACT_CHAT_DELETE, (int64_t)one), ERR_OK);
  assert_int_equal(p->f.r.pin, 0); /* a deleted message does not stay up */
  assert_int_equal(act_num(&p->f, p->host, ACT_PIN, (int64_t)one), ERR_NO_MESSAGE);
}

static void undo_does_not_pin_what_is_deleted(void **state) {
  struct people *p = *state;
  uint64_t id = say(p, p->a, "one");
  assert_int_equal(act_num(&p->f, p->host, ACT_PIN, (int64_t)id), ERR_OK);
  assert_int_equal(act(&p->f, p->host, ACT_UNPIN), ERR_OK);
  assert_int_equal(act_num(&p->f, p->a, ACT_CHAT_DELETE, (int64_t)id), ERR_OK);
  (void)act(&p->f, p->host, ACT_UNDO);
  assert_int_equal(p->f.r.pin, 0);
}

static void the_pinned_message_outlives_the_crowd(void **state) {
  struct people *p = *state;
  uint64_t pin = say(p, p->host, "rules"), next = say(p, p->host, "first to go");
  assert_int_equal(act_num(&p->f, p->host, ACT_PIN, (int64_t)pin), ERR_OK);
  for (int i = 0; i < ROOM_CHAT_KEPT + 5; i++)
    say(p, p->a, "x");
  assert_int_equal(p->f.r.n_chat, ROOM_CHAT_KEPT);
  assert_string_equal(chat(p, pin)->text, "rules");
  assert_null(room_chat_by_id(&p->f.r, next));
  assert_int_equal(act(&p->f, p->host, ACT_UNPIN), ERR_OK);
  say(p, p->a, "x");
  assert_null(room_chat_by_id(&p->f.r, pin));
  assert_int_equal(act_num(&p->f, p->host, ACT_PIN, (int64_t)p->f.r.seq), ERR_OK);
  assert_int_equal(act(&p->f, p->host, ACT_CHAT_CLEAR), ERR_OK);
  assert_int_equal(p->f.r.pin, 0);
}

/* Events as a hostile or newer server might send them: the fold stays whole. */
static void strange_events_do_no_harm(void **state) {
  struct people *p = *state;
  uint64_t id = say(p, p->a, "one");
  uint32_t nobody = 77;
  struct room_event strange[] = {
      {.kind = ROOM_EV_CHAT, .num = 99, .actor = p->a},
      {.kind = ROOM_EV_CHAT, .num = -1, .actor = 77},
      {.kind = ROOM_EV_CHAT_EDITED, .num = (int64_t)id},
      {.kind = ROOM_EV_CHAT_EDITED, .num = 4711},
      {.kind = ROOM_EV_CHAT_DELETED, .num = -1},
      {.kind = ROOM_EV_CHAT_PURGED},
      {.kind = ROOM_EV_CHAT_PURGED, .targets = &nobody, .n_targets = 1},
      {.kind = ROOM_EV_PINNED, .num = 4711},
  };
  for (size_t i = 0; i < sizeof strange / sizeof strange[0]; i++) {
    strange[i].seq = strange[i].group = p->f.r.seq + 1;
    room_apply(&p->f.r, &strange[i]);
    assert_null(room_check(&p->f.r));
  }
  assert_int_equal(p->f.r.n_chat, 1);
  assert_string_equal(chat(p, id)->text, "one");
  assert_int_equal(p->f.r.pin, 4711); /* a message that this replica does not have may be pinned */
  assert_int_equal(act_num(&p->f, p->a, ACT_CHAT_DELETE, (int64_t)id), ERR_OK);
  room_apply(&p->f.r,
             &(struct room_event){
                 .kind = ROOM_EV_CHAT_DELETED, .seq = p->f.r.seq + 1, .group = p->f.r.seq + 1, .num = 4711});
  char again[] = "again";
  room_apply(&p->f.r, &(struct room_event){.kind = ROOM_EV_CHAT_EDITED,
                                           .seq = p->f.r.seq + 1,
                                           .group = p->f.r.seq + 1,
                                           .num = (int64_t)id,
                                           .text = again});
  assert_null(room_check(&p->f.r));
  assert_string_equal(chat(p, id)->text, "");
  assert_int_equal(p->f.r.pin, 0);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
int main(void) {
  const struct CMUnitTest tests[] = {
      T(each_kind_has_its_readers),         T(the_lobby_reads_what_is_for_it),
      T(a_side_room_reads_its_own),         T(slow_mode_binds_people_but_no_call_for_help),
      T(links_can_be_switched_off),         T(one_edits_ones_own_for_a_while),
      T(a_purge_takes_all_of_one_person),   T(only_what_all_can_read_is_pinned),
      T(undo_does_not_pin_what_is_deleted), T(the_pinned_message_outlives_the_crowd),
      T(strange_events_do_no_harm),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
