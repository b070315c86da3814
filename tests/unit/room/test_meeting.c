/* Agenda, polls and the planned end. */
#include "room_fixture.h"

struct people {
  struct fixture f;
  uint32_t host, co, a, b, w, spy;
};

static int setup(void **state) {
  static struct people p; /* one test at a time */
  fix_open(&p.f, false, HOST_GONE_CONTINUE);
  p.host = join(&p.f, "Host", ROLE_HOST);
  p.co = join(&p.f, "Co", ROLE_COHOST);
  p.a = join(&p.f, "A", ROLE_AUDIENCE);
  p.b = join(&p.f, "B", ROLE_SPEAKER);
  p.spy = join(&p.f, "Spy", ROLE_MONITOR);
  assert_int_equal(act_num(&p.f, p.host, ACT_LOBBY, 1), ERR_OK);
  p.w = join(&p.f, "W", ROLE_AUDIENCE);
  *state = &p;
  return 0;
}
static int teardown(void **state) {
  fix_close(&((struct people *)*state)->f);
  return 0;
}

/* ---- agenda ---- */

static void the_agenda_is_a_list_one_goes_through(void **state) {
  struct people *p = *state;
  struct room *r = &p->f.r;
  assert_int_equal(act(&p->f, p->host, ACT_AGENDA_NEXT), ERR_NOTHING);
  assert_int_equal(act_text(&p->f, p->a, ACT_AGENDA, "x"), ERR_NOT_ALLOWED);
  assert_int_equal(act_text(&p->f, p->co, ACT_AGENDA, " intro ;; bud\x1b[2Jget ; ;any\nother;"), ERR_OK);
  assert_string_equal(r->agenda, "intro\nbud[2Jget\nany other");
  assert_int_equal(r->agenda_at, 0);
  assert_int_equal(r->agenda_ms, p->f.now);
  assert_int_equal(act_text(&p->f, p->co, ACT_AGENDA, "intro;bud[2Jget;any other"), ERR_NO_CHANGE);
  p->f.now += 60000;
  assert_int_equal(act(&p->f, p->host, ACT_AGENDA_NEXT), ERR_OK);
  assert_int_equal(r->agenda_at, 1);
  assert_int_equal(r->agenda_ms, p->f.now);
  assert_int_equal(act(&p->f, p->host, ACT_AGENDA_NEXT), ERR_OK);
  assert_int_equal(act(&p->f, p->host, ACT_AGENDA_NEXT), ERR_NOTHING); /* that was the last */
  assert_int_equal(act(&p->f, p->host, ACT_UNDO), ERR_OK);
  assert_int_equal(r->agenda_at, 1);
  assert_int_equal(act_text(&p->f, p->co, ACT_AGENDA, "new"), ERR_OK);
  assert_string_equal(p->f.last.v[0].text2, "intro\nbud[2Jget\nany other");
  assert_int_equal(p->f.last.v[0].num2, 1);
  assert_int_equal(r->agenda_at, 0);
  assert_int_equal(act(&p->f, p->co, ACT_UNDO), ERR_OK);
  assert_string_equal(r->agenda, "intro\nbud[2Jget\nany other");
  assert_int_equal(r->agenda_at, 1);
}

static void an_empty_agenda_is_none(void **state) {
  struct people *p = *state;
  assert_int_equal(act_text(&p->f, p->co, ACT_AGENDA, NULL), ERR_NO_CHANGE);
  assert_int_equal(act_text(&p->f, p->co, ACT_AGENDA, " ; ;\t"), ERR_NO_CHANGE);
  assert_int_equal(act_text(&p->f, p->co, ACT_AGENDA, "one"), ERR_OK);
  assert_int_equal(act(&p->f, p->co, ACT_AGENDA_NEXT), ERR_NOTHING);
  assert_int_equal(act_text(&p->f, p->co, ACT_AGENDA, ";"), ERR_OK);
  assert_null(p->f.r.agenda);
  assert_int_equal(act(&p->f, p->co, ACT_UNDO), ERR_OK);
  assert_string_equal(p->f.r.agenda, "one");
}

static void the_agenda_has_limits(void **state) {
  struct people *p = *state;
  char text[2 * ROOM_AGENDA_MAX];
  for (size_t i = 0; i < 51; i++)
    memcpy(text + 2 * i, "x;", 3);
  assert_int_equal(act_text(&p->f, p->co, ACT_AGENDA, text), ERR_BAD_TEXT);
  text[2 * 50] = '\0';
  assert_int_equal(act_text(&p->f, p->co, ACT_AGENDA, text), ERR_OK);
  assert_int_equal(strlen(p->f.r.agenda), 99);
  memset(text, 'y', ROOM_AGENDA_MAX + 1); /* in four items: the bounds of a line are not what refuses it */
  text[250] = text[500] = text[750] = ';';
  text[ROOM_AGENDA_MAX + 1] = '\0';
  assert_int_equal(act_text(&p->f, p->co, ACT_AGENDA, text), ERR_BAD_TEXT);
  text[ROOM_AGENDA_MAX] = '\0';
  assert_int_equal(act_text(&p->f, p->co, ACT_AGENDA, text), ERR_OK);
  assert_int_equal(strlen(p->f.r.agenda), ROOM_AGENDA_MAX);
  memset(text, 'z', TEXT_LINE_MAX + 1);
  text[TEXT_LINE_MAX + 1] = '\0';
  assert_int_equal(act_text(&p->f, p->co, ACT_AGENDA, text), ERR_BAD_TEXT);
  assert_int_equal(act_text(&p->f, p->co, ACT_AGENDA, "ok;\xff\xfe"), ERR_BAD_TEXT);
}

/* ---- polls ---- */

static enum err ask(struct people *p, uint32_t actor, const char *text, unsigned flags) {
  return fix_do(&p->f, &(struct room_cmd){.act = ACT_POLL, .actor = actor, .text = text, .flags = flags});
}

static void a_poll_needs_a_question_and_answers(void **state) {
  struct people *p = *state;
  static const char *const BAD[] = {NULL,      "",         "only a question",     "q | a",    "q | a | ",
                                    "q | | b", " | a | b", "q|a|b|c|d|e|f|g|h|i", "q|a|\xff", "q|a|\x1b\x07"};
  for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
    if (ask(p, p->co, BAD[i], 0) != ERR_BAD_TEXT)
      fail_msg("passed: %s", BAD[i] ? BAD[i] : "(none)");
  char text[ROOM_POLL_MAX + 2];
  memset(text, 'x', sizeof text - 1);
  text[sizeof text - 1] = '\0';
  text[250] = text[500] = text[750] = '|';
  assert_int_equal(ask(p, p->co, text, 0), ERR_BAD_TEXT);
  assert_int_equal(ask(p, p->a, "q|a|b", 0), ERR_NOT_ALLOWED);
  text[ROOM_POLL_MAX] = '\0';
  assert_int_equal(ask(p, p->co, text, 0), ERR_OK);
  assert_int_equal(ask(p, p->host, "q|a|b", 0), ERR_POLL_OPEN);
  assert_int_equal(act(&p->f, p->co, ACT_POLL_END), ERR_OK);
  assert_int_equal(ask(p, p->host, " When?\n| to\x1b[0mday|b|c|d|e|f|g| never ", 0), ERR_OK);
  assert_string_equal(p->f.r.poll.text, "When?\nto[0mday\nb\nc\nd\ne\nf\ng\nnever");
  assert_int_equal(p->f.r.poll.n_answers, 8);
}

static void votes_are_counted_and_may_change(void **state) {
  struct people *p = *state;
  struct room *r = &p->f.r;
  assert_int_equal(act_num(&p->f, p->a, ACT_VOTE, 1), ERR_NO_POLL);
  assert_int_equal(act(&p->f, p->co, ACT_POLL_END), ERR_NO_POLL);
  assert_int_equal(ask(p, p->co, "Lunch | soup | bread | none", 0), ERR_OK);
  assert_int_equal(act_num(&p->f, p->a, ACT_VOTE, 0), ERR_BAD_ARG);
  assert_int_equal(act_num(&p->f, p->a, ACT_VOTE, 4), ERR_BAD_ARG);
  assert_int_equal(act_num(&p->f, p->a, ACT_VOTE, -1), ERR_BAD_ARG);
  assert_int_equal(act_num(&p->f, p->spy, ACT_VOTE, 1), ERR_NOT_ALLOWED);
  assert_int_equal(act_num(&p->f, p->w, ACT_VOTE, 1), ERR_IN_LOBBY);
  assert_int_equal(act_num(&p->f, 0, ACT_VOTE, 1), ERR_NOT_JOINED);
  assert_int_equal(act_num(&p->f, p->a, ACT_VOTE, 1), ERR_OK);
  assert_int_equal(act_num(&p->f, p->a, ACT_VOTE, 1), ERR_NO_CHANGE);
  assert_int_equal(act_num(&p->f, p->b, ACT_VOTE, 1), ERR_OK);
  assert_int_equal(act_num(&p->f, p->host, ACT_VOTE, 3), ERR_OK);
  assert_int_equal(r->poll.count[0], 2);
  assert_int_equal(act_num(&p->f, p->b, ACT_VOTE, 3), ERR_OK);
  assert_int_equal(r->poll.count[0], 1);
  assert_int_equal(r->poll.count[2], 2);
  assert_int_equal(act(&p->f, p->b, ACT_LEAVE), ERR_OK); /* with his vote: he may come and vote again */
  assert_int_equal(act(&p->f, p->co, ACT_POLL_END), ERR_OK);
  assert_int_equal(p->f.last.n, 2);
  assert_string_equal(p->f.last.v[0].text, "1 0 1");
  assert_int_equal(p->f.last.v[1].num, CHAT_ANNOUNCE);
  assert_string_equal(p->f.last.v[1].text, "Poll closed: Lunch - soup 1, bread 0, none 1 (2 votes)");
  assert_int_equal(r->chat[0].from, p->co);
  assert_false(r->poll.open);
  assert_int_equal(r->poll.count[2], 1);
  assert_int_equal(act_num(&p->f, p->a, ACT_VOTE, 1), ERR_NO_POLL);
}

/* What a viewer's replica holds when it gets only what he may see. */
static void follow(struct room *replica, struct people *p, uint32_t viewer) {
  for (size_t i = 0; i < p->f.last.n; i++)
    if (room_event_visible(&p->f.r, &p->f.last.v[i], viewer))
      room_apply(replica, &p->f.last.v[i]);
  assert_null(room_check(replica));
}

static void an_anonymous_vote_is_the_voters_secret(void **state) {
  struct people *p = *state;
  struct room of_host, of_a;
  room_init(&of_host);
  room_init(&of_a);
  assert_int_equal(ask(p, p->host, "Trust me? | yes | no", FLAG_ANONYMOUS), ERR_OK);
  follow(&of_host, p, p->host);
  follow(&of_a, p, p->a);
  assert_int_equal(act_num(&p->f, p->a, ACT_VOTE, 2), ERR_OK);
  assert_true(room_event_visible(&p->f.r, &p->f.last.v[0], p->a));
  assert_false(room_event_visible(&p->f.r, &p->f.last.v[0], p->host));
  assert_false(room_event_visible(&p->f.r, &p->f.last.v[0], p->b));
  assert_false(room_event_visible(&p->f.r, &p->f.last.v[0], p->w));
  follow(&of_host, p, p->host);
  follow(&of_a, p, p->a);
  assert_int_equal(act_num(&p->f, p->b, ACT_VOTE, 1), ERR_OK);
  follow(&of_host, p, p->host);
  follow(&of_a, p, p->a);
  assert_int_equal(of_host.poll.n_votes, 0);
  assert_int_equal(of_a.poll.n_votes, 1);
  assert_int_equal(of_a.poll.votes[0].answer, 2);
  assert_int_equal(of_a.poll.count[0] + of_a.poll.count[1], 0); /* nobody watches it grow */
  assert_int_equal(p->f.r.poll.n_votes, 2);
  assert_int_equal(act(&p->f, p->host, ACT_POLL_END), ERR_OK);
  follow(&of_host, p, p->host);
  follow(&of_a, p, p->a);
  for (size_t i = 0; i < 2; i++) {
    assert_int_equal(p->f.r.poll.count[i], 1);
    assert_int_equal(of_host.poll.count[i], 1);
    assert_int_equal(of_a.poll.count[i], 1);
  }
  assert_string_equal(of_a.chat[0].text, "Poll closed: Trust me? - yes 1, no 1 (2 votes)");
  room_free(&of_host);
  room_free(&of_a);
}

static void a_result_always_fits_a_message(void **state) {
  struct people *p = *state;
  char text[ROOM_POLL_MAX + 1];
  memset(text, 'x', sizeof text - 1);
  text[sizeof text - 1] = '\0';
  for (size_t i = 1; i <= ROOM_ANSWERS_MAX; i++)
    text[110 * i] = '|';
  assert_int_equal(ask(p, p->co, text, 0), ERR_OK);
  assert_int_equal(p->f.r.poll.n_answers, ROOM_ANSWERS_MAX);
  assert_int_equal(act_num(&p->f, p->co, ACT_VOTE, 8), ERR_OK);
  assert_int_equal(act(&p->f, p->co, ACT_POLL_END), ERR_OK);
  assert_string_equal(p->f.last.v[0].text, "0 0 0 0 0 0 0 1");
  const char *result = p->f.last.v[1].text;
  char clean[TEXT_CHAT_MAX + 1];
  assert_int_equal(text_clean_chat(result, strlen(result), clean), ERR_OK);
  assert_string_equal(clean, result);
  assert_string_equal(result + strlen(result) - 9, " (1 vote)");
}

static void a_voter_who_comes_again_and_again_meets_a_limit(void **state) {
  struct people *p = *state;
  assert_int_equal(ask(p, p->co, "q|a|b", 0), ERR_OK);
  assert_int_equal(act_num(&p->f, p->b, ACT_VOTE, 1), ERR_OK);
  for (uint32_t i = 0; i < ROOM_VOTES_MAX + 3; i++) {
    struct room_event ev = {
        .kind = ROOM_EV_VOTED, .seq = p->f.r.seq + 1, .group = p->f.r.seq + 1, .actor = 1000 + i, .num = 1};
    room_apply(&p->f.r, &ev);
  }
  assert_int_equal(p->f.r.poll.n_votes, ROOM_VOTES_MAX);
  assert_null(room_check(&p->f.r));
  assert_int_equal(act_num(&p->f, p->a, ACT_VOTE, 1), ERR_FULL);
  assert_int_equal(act_num(&p->f, p->b, ACT_VOTE, 2), ERR_OK); /* he has one */
}

static void strange_events_do_no_harm(void **state) {
  struct people *p = *state;
  char none[] = "", two[] = "q\na", many[] = "q\n1\n2\n3\n4\n5\n6\n7\n8\n9", good[] = "q\na\nb",
       counts[] = "-1 99999999999999999999 x";
  struct room_event strange[] = {
      {.kind = ROOM_EV_POLL},
      {.kind = ROOM_EV_POLL, .text = none},
      {.kind = ROOM_EV_POLL, .text = two},
      {.kind = ROOM_EV_POLL, .text = many},
      {.kind = ROOM_EV_VOTED, .num = 1, .actor = p->a},
      {.kind = ROOM_EV_POLL_ENDED, .text = counts},
      {.kind = ROOM_EV_AGENDA_AT, .num = 5},
      {.kind = ROOM_EV_AGENDA, .num = 5},
      {.kind = ROOM_EV_AGENDA, .text = good, .num = 3},
      {.kind = ROOM_EV_AGENDA_AT, .num = -1},
      {.kind = ROOM_EV_POLL, .text = good, .num = 1},
      {.kind = ROOM_EV_VOTED, .num = 3, .actor = p->a},
      {.kind = ROOM_EV_VOTED, .num = 257, .actor = p->a},
      {.kind = ROOM_EV_POLL_ENDED, .text = counts},
      {.kind = ROOM_EV_POLL_ENDED},
      {.kind = ROOM_EV_VOTED, .num = 1, .actor = p->a},
  };
  for (size_t i = 0; i < sizeof strange / sizeof strange[0]; i++) {
    strange[i].seq = strange[i].group = p->f.r.seq + 1;
    room_apply(&p->f.r, &strange[i]);
    const char *why = room_check(&p->f.r);
    if (why)
      fail_msg("after strange event %zu: %s", i, why);
  }
  assert_false(p->f.r.poll.open);
  assert_int_equal(p->f.r.poll.n_votes, 0);
  assert_int_equal(p->f.r.poll.count[0] + p->f.r.poll.count[1], 0);
  assert_int_equal(p->f.r.agenda_at, 0);
}

/* ---- the end ---- */

static void the_end_is_announced_and_can_be_undone(void **state) {
  struct people *p = *state;
  struct room *r = &p->f.r;
  assert_int_equal(act(&p->f, p->co, ACT_END), ERR_NOT_ALLOWED);
  assert_int_equal(act_num2(&p->f, p->host, ACT_END, -1), ERR_BAD_ARG);
  assert_int_equal(act_num2(&p->f, p->host, ACT_END, (int64_t)ROOM_SECONDS_MAX + 1), ERR_BAD_ARG);
  assert_int_equal(act_num2(&p->f, p->host, ACT_END, INT64_MAX), ERR_BAD_ARG);
  assert_int_equal(act(&p->f, p->host, ACT_END), ERR_OK);
  assert_int_equal(r->ends_ms, p->f.now + 10000);
  assert_int_equal(room_next_expiry(r), p->f.now + 10000);
  assert_int_equal(act_num2(&p->f, p->host, ACT_END, 10), ERR_NO_CHANGE);
  p->f.now += 9999;
  expire(&p->f);
  assert_int_equal(p->f.last.n, 0);
  assert_int_equal(act(&p->f, p->host, ACT_UNDO), ERR_OK);
  assert_int_equal(r->ends_ms, 0);
  p->f.now += 1;
  expire(&p->f);
  assert_false(r->ended);
}

static void the_end_comes_when_it_is_due(void **state) {
  struct people *p = *state;
  struct room *r = &p->f.r;
  assert_int_equal(ask(p, p->host, "q|a|b", FLAG_ANONYMOUS), ERR_OK);
  assert_int_equal(act_num(&p->f, p->a, ACT_VOTE, 1), ERR_OK);
  assert_int_equal(act_num2(&p->f, p->host, ACT_END, 60), ERR_OK);
  assert_int_equal(act_num2(&p->f, p->host, ACT_END, 5), ERR_OK); /* sooner than planned */
  assert_int_equal(p->f.last.v[0].num2, p->f.now + 60000);
  p->f.now += 5000;
  expire(&p->f);
  assert_int_equal(count_events(&p->f, ROOM_EV_ENDED), 1);
  assert_int_equal(p->f.last.v[0].actor, 0);
  assert_true(r->ended);
  assert_int_equal(r->n_members, 0);
  assert_int_equal(r->ends_ms, 0);
  assert_false(r->poll.open);
  assert_int_equal(room_next_expiry(r), INT64_MAX);
  assert_int_equal(act(&p->f, 0, ACT_END), ERR_ROOM_ENDED);
}

static void the_end_may_be_at_once(void **state) {
  struct people *p = *state;
  assert_int_equal(act_num2(&p->f, p->host, ACT_END, 60), ERR_OK);
  assert_int_equal(act_num2(&p->f, p->host, ACT_END, 0), ERR_OK);
  assert_int_equal(p->f.last.v[0].kind, ROOM_EV_ENDED);
  assert_true(p->f.r.ended);
  assert_int_equal(p->f.r.ends_ms, 0);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
int main(void) {
  const struct CMUnitTest tests[] = {
      T(the_agenda_is_a_list_one_goes_through),
      T(an_empty_agenda_is_none),
      T(the_agenda_has_limits),
      T(a_poll_needs_a_question_and_answers),
      T(votes_are_counted_and_may_change),
      T(an_anonymous_vote_is_the_voters_secret),
      T(a_result_always_fits_a_message),
      T(a_voter_who_comes_again_and_again_meets_a_limit),
      T(strange_events_do_no_harm),
      T(the_end_is_announced_and_can_be_undone),
      T(the_end_comes_when_it_is_due),
      T(the_end_may_be_at_once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
