/* The floor under limits: one speaker at a time, most speakers, talk time, those banned from speaking. */
#include "room_fixture.h"

struct people {
  struct fixture f;
  uint32_t host, co, a, b, c;
};

static int setup(void **state) {
  static struct people p; /* one test at a time */
  fix_open(&p.f, false, HOST_GONE_CONTINUE);
  p.host = join(&p.f, "Host", ROLE_HOST);
  p.co = join(&p.f, "Co", ROLE_COHOST);
  p.a = join(&p.f, "A", ROLE_AUDIENCE);
  p.b = join(&p.f, "B", ROLE_AUDIENCE);
  p.c = join(&p.f, "C", ROLE_SPEAKER);
  *state = &p;
  return 0;
}
static int teardown(void **state) {
  fix_close(&((struct people *)*state)->f);
  return 0;
}

/* Who has the floor, as letters. */
static const char *floors(const struct people *p) {
  static char s[8];
  size_t n = 0;
  const uint32_t ids[] = {p->host, p->co, p->a, p->b, p->c};
  for (size_t i = 0; i < 5; i++)
    if (room_member(&p->f.r, ids[i]) && who(&p->f, ids[i])->floor)
      s[n++] = "HOABC"[i];
  s[n] = '\0';
  return s;
}

/* A role change, a drop or whatever else a test needs of somebody banned from speaking. */
static void silence(struct people *p, uint32_t id, int64_t ban) {
  struct room_event ev = {.seq = p->f.r.seq + 1,
                          .group = p->f.r.seq + 1,
                          .ts_ms = p->f.now,
                          .kind = ROOM_EV_SILENCED,
                          .num = ban,
                          .targets = &id,
                          .n_targets = 1};
  room_apply(&p->f.r, &ev);
  assert_int_equal(who(&p->f, id)->silenced, ban);
}

static void one_speaker_keeps_the_only_one_who_talks(void **state) {
  struct people *p = *state;
  assert_int_equal(act_on2(&p->f, p->co, ACT_FLOOR_GIVE, p->a, p->b), ERR_OK);
  assert_int_equal(act(&p->f, p->a, ACT_MUTE), ERR_OK);
  assert_int_equal(act(&p->f, p->c, ACT_MUTE), ERR_OK);
  assert_int_equal(act_num(&p->f, p->co, ACT_ONE_SPEAKER, 1), ERR_OK);
  assert_string_equal(floors(p), "HOB");
  assert_int_equal(act_num(&p->f, p->co, ACT_ONE_SPEAKER, 1), ERR_NO_CHANGE);
  assert_int_equal(act(&p->f, p->co, ACT_UNDO), ERR_OK);
  assert_string_equal(floors(p), "HOABC");
  assert_false(p->f.r.one_speaker);
}

static void one_speaker_keeps_nobody_when_two_talk(void **state) {
  struct people *p = *state;
  assert_int_equal(act_on(&p->f, p->co, ACT_FLOOR_GIVE, p->a), ERR_OK);
  assert_int_equal(act_num(&p->f, p->co, ACT_ONE_SPEAKER, 1), ERR_OK);
  assert_string_equal(floors(p), "HO");
  assert_false(who(&p->f, join(&p->f, "Late", ROLE_SPEAKER))->floor);
  assert_true(who(&p->f, join(&p->f, "Boss", ROLE_COHOST))->floor);
  assert_int_equal(act_num(&p->f, p->co, ACT_ONE_SPEAKER, 0), ERR_OK);
  assert_string_equal(floors(p), "HO"); /* only the setting */
  assert_int_equal(act_on2(&p->f, p->host, ACT_FLOOR_GIVE, p->a, p->b), ERR_OK);
  assert_int_equal(act(&p->f, p->co, ACT_UNDO), ERR_OK); /* one at a time again, whatever came since */
  assert_true(p->f.r.one_speaker);
  assert_string_equal(floors(p), "HO");
}

static void who_gets_the_floor_takes_it_from_the_last(void **state) {
  struct people *p = *state;
  assert_int_equal(act_num(&p->f, p->co, ACT_ONE_SPEAKER, 1), ERR_OK);
  assert_string_equal(floors(p), "HOC"); /* the only one who had it */
  assert_int_equal(act_on2(&p->f, p->co, ACT_FLOOR_GIVE, p->a, p->b), ERR_BAD_ARG);
  assert_int_equal(act_on(&p->f, p->co, ACT_FLOOR_GIVE, p->a), ERR_OK);
  assert_string_equal(floors(p), "HOA");
  assert_int_equal(act(&p->f, p->b, ACT_HAND), ERR_OK);
  assert_int_equal(act(&p->f, p->co, ACT_NEXT), ERR_OK);
  assert_string_equal(floors(p), "HOB");
  assert_int_equal(act(&p->f, p->co, ACT_UNDO), ERR_OK);
  assert_string_equal(floors(p), "HOA");
  assert_int_equal(room_hand_place(&p->f.r, p->b), 1);
  assert_int_equal(act(&p->f, p->co, ACT_UNDO), ERR_OK);
  assert_string_equal(floors(p), "HOC");
  assert_int_equal(act_on(&p->f, p->co, ACT_FLOOR_GIVE, p->c), ERR_NO_CHANGE);
}

static void undo_gives_no_second_floor_where_one_may_speak(void **state) {
  struct people *p = *state;
  assert_int_equal(act_num(&p->f, p->host, ACT_ONE_SPEAKER, 1), ERR_OK);
  assert_int_equal(act_on(&p->f, p->co, ACT_FLOOR_TAKE, p->c), ERR_OK);
  assert_int_equal(act_on(&p->f, p->host, ACT_FLOOR_GIVE, p->a), ERR_OK);
  assert_int_equal(act(&p->f, p->co, ACT_UNDO), ERR_NOTHING);
  assert_string_equal(floors(p), "HOA");
}

static void roles_keep_one_speaker_true(void **state) {
  struct people *p = *state;
  assert_int_equal(act_num(&p->f, p->host, ACT_ONE_SPEAKER, 1), ERR_OK);
  assert_int_equal(act_role(&p->f, p->host, p->a, ROLE_SPEAKER), ERR_OK);
  assert_string_equal(floors(p), "HOC");
  assert_int_equal(act_role(&p->f, p->host, p->co, ROLE_SPEAKER), ERR_OK); /* C has it already */
  assert_string_equal(floors(p), "HC");
  assert_int_equal(act(&p->f, p->host, ACT_UNDO), ERR_OK);
  assert_string_equal(floors(p), "HOC");
  assert_int_equal(who(&p->f, p->co)->role, ROLE_COHOST);
  assert_int_equal(act_role(&p->f, p->host, p->co, ROLE_AUDIENCE), ERR_OK);
  assert_string_equal(floors(p), "HC");
  assert_int_equal(act(&p->f, p->host, ACT_UNDO), ERR_OK);
  assert_string_equal(floors(p), "HOC");
  assert_int_equal(act_role(&p->f, p->host, p->c, ROLE_COHOST), ERR_OK); /* counts no more */
  assert_int_equal(act_on(&p->f, p->co, ACT_FLOOR_GIVE, p->a), ERR_OK);
  assert_int_equal(act(&p->f, p->host, ACT_UNDO), ERR_OK); /* C is a speaker again, A keeps the floor */
  assert_string_equal(floors(p), "HOA");
}

static void most_speakers_is_a_limit_for_all_ways_to_the_floor(void **state) {
  struct people *p = *state;
  assert_int_equal(act_num(&p->f, p->host, ACT_MAX_SPEAKERS, 2), ERR_OK);
  assert_int_equal(act_on2(&p->f, p->co, ACT_FLOOR_GIVE, p->a, p->b), ERR_SPEAKERS_FULL);
  assert_string_equal(floors(p), "HOC"); /* refused whole */
  assert_int_equal(act_on(&p->f, p->co, ACT_FLOOR_GIVE, p->a), ERR_OK);
  assert_int_equal(act(&p->f, p->b, ACT_HAND), ERR_OK);
  assert_int_equal(act(&p->f, p->co, ACT_NEXT), ERR_SPEAKERS_FULL);
  assert_int_equal(act_role(&p->f, p->co, p->b, ROLE_SPEAKER), ERR_SPEAKERS_FULL);
  assert_int_equal(act_role(&p->f, p->host, p->b, ROLE_COHOST), ERR_OK); /* hosts do not count */
  assert_string_equal(floors(p), "HOABC");
  assert_int_equal(act_role(&p->f, p->host, p->b, ROLE_SPEAKER), ERR_OK); /* never refused, but silent */
  assert_string_equal(floors(p), "HOAC");
  assert_false(who(&p->f, join(&p->f, "Late", ROLE_SPEAKER))->floor);
  assert_int_equal(act_role(&p->f, p->co, p->a, ROLE_SPEAKER), ERR_OK); /* has it already */
  assert_int_equal(act_num(&p->f, p->host, ACT_MAX_SPEAKERS, 1), ERR_OK);
  assert_string_equal(floors(p), "HOAC"); /* a lower limit takes nothing */
}

static void admitted_together_they_count_one_by_one(void **state) {
  struct people *p = *state;
  assert_int_equal(act_num(&p->f, p->host, ACT_MAX_SPEAKERS, 3), ERR_OK);
  assert_int_equal(act_num(&p->f, p->host, ACT_LOBBY, 1), ERR_OK);
  uint32_t first = join(&p->f, "W1", ROLE_SPEAKER);
  for (int i = 0; i < 3; i++)
    (void)join(&p->f, "W", ROLE_SPEAKER);
  assert_int_equal(act(&p->f, p->host, ACT_ADMIT_ALL), ERR_OK);
  for (uint32_t i = 0; i < 4; i++)
    assert_int_equal(who(&p->f, first + i)->floor, i < 2);
}

static void one_speaker_frees_before_it_counts(void **state) {
  struct people *p = *state;
  assert_int_equal(act_num(&p->f, p->host, ACT_MAX_SPEAKERS, 1), ERR_OK);
  assert_int_equal(act_num(&p->f, p->host, ACT_ONE_SPEAKER, 1), ERR_OK);
  assert_int_equal(act(&p->f, p->a, ACT_HAND), ERR_OK);
  assert_int_equal(act(&p->f, p->co, ACT_NEXT), ERR_OK);
  assert_string_equal(floors(p), "HOA");
}

static void the_talk_timer_warns_and_takes_when_told_to(void **state) {
  struct people *p = *state;
  assert_int_equal(act_num2(&p->f, p->co, ACT_TALK_TIME, 30), ERR_OK);
  assert_int_equal(room_next_expiry(&p->f.r), INT64_MAX); /* C came with the floor: no turn, no timer */
  assert_int_equal(act_on(&p->f, p->co, ACT_FLOOR_GIVE, p->a), ERR_OK);
  int64_t since = p->f.now;
  assert_int_equal(who(&p->f, p->a)->floor_ms, since);
  p->f.now += 20000;
  assert_int_equal(act_on(&p->f, p->co, ACT_FLOOR_GIVE, p->b), ERR_OK);
  assert_int_equal(room_next_expiry(&p->f.r), since + 30000);
  p->f.now = since + 29999;
  expire(&p->f);
  assert_int_equal(p->f.last.n, 0);
  p->f.now = since + 30000;
  expire(&p->f);
  assert_int_equal(count_events(&p->f, ROOM_EV_TIME_UP), 1);
  assert_int_equal(p->f.last.n, 1); /* a warning, no more */
  assert_int_equal(p->f.last.v[0].actor, 0);
  assert_true(who(&p->f, p->a)->time_up && who(&p->f, p->a)->floor);
  expire(&p->f);
  assert_int_equal(p->f.last.n, 0); /* once */
  struct room_cmd take = {.act = ACT_TALK_TIME, .actor = p->co, .num2 = 30, .flags = FLAG_TAKE};
  assert_int_equal(fix_do(&p->f, &take), ERR_OK);
  assert_int_equal(room_next_expiry(&p->f.r), since + 30000); /* A was warned only: now it ends */
  expire(&p->f);
  assert_int_equal(p->f.last.n, 2);
  assert_string_equal(floors(p), "HOBC");
  assert_int_equal(room_next_expiry(&p->f.r), since + 50000);
  p->f.now = since + 50000;
  expire(&p->f);
  assert_int_equal(p->f.last.n, 2);
  assert_int_equal(p->f.last.v[1].kind, ROOM_EV_FLOOR);
  assert_string_equal(p->f.last.v[1].text, "time is up");
  assert_string_equal(floors(p), "HOC");
  assert_int_equal(act(&p->f, 0, ACT_UNDO), ERR_NOTHING); /* what time does is not the operator's to undo */
  assert_int_equal(who(&p->f, p->b)->floor_ms, 0);
}

static void talk_time_refuses_nonsense(void **state) {
  struct people *p = *state;
  const int64_t bad[] = {-1, INT64_MIN, INT64_MAX, (int64_t)ROOM_SECONDS_MAX + 1};
  for (size_t i = 0; i < 4; i++)
    assert_int_equal(act_num2(&p->f, p->co, ACT_TALK_TIME, bad[i]), ERR_BAD_ARG);
  assert_int_equal(act_num2(&p->f, p->co, ACT_TALK_TIME, ROOM_SECONDS_MAX), ERR_OK);
  assert_int_equal(p->f.r.talk_s, ROOM_SECONDS_MAX);
  assert_int_equal(act_num2(&p->f, p->co, ACT_TALK_TIME, 0), ERR_OK);
  struct room_cmd take = {.act = ACT_TALK_TIME, .actor = p->co, .flags = FLAG_TAKE};
  assert_int_equal(fix_do(&p->f, &take), ERR_NO_CHANGE); /* no time, nothing to take */
  assert_int_equal(act(&p->f, p->co, ACT_UNDO), ERR_OK);
  assert_int_equal(p->f.r.talk_s, ROOM_SECONDS_MAX);
  const int64_t no_switch[] = {-1, 2, INT64_MIN, INT64_MAX};
  for (size_t i = 0; i < 4; i++) {
    assert_int_equal(act_num(&p->f, p->co, ACT_ONE_SPEAKER, no_switch[i]), ERR_BAD_ARG);
    assert_int_equal(act_on_num(&p->f, p->co, ACT_PRIORITY, p->a, no_switch[i]), ERR_BAD_ARG);
  }
}

static void undo_gives_back_the_turn_as_it_was(void **state) {
  struct people *p = *state;
  assert_int_equal(act_num2(&p->f, p->co, ACT_TALK_TIME, 30), ERR_OK);
  assert_int_equal(act_on(&p->f, p->co, ACT_FLOOR_GIVE, p->a), ERR_OK);
  int64_t since = p->f.now;
  p->f.now += 5000;
  assert_int_equal(act_on2(&p->f, p->host, ACT_FLOOR_TAKE, p->a, p->c), ERR_OK);
  assert_int_equal(room_next_expiry(&p->f.r), INT64_MAX);
  p->f.now += 1000;
  assert_int_equal(act(&p->f, p->host, ACT_UNDO), ERR_OK);
  assert_string_equal(floors(p), "HOAC");
  assert_int_equal(who(&p->f, p->a)->floor_ms, since);
  assert_int_equal(who(&p->f, p->c)->floor_ms, 0); /* a panelist is not timed after it either */
  assert_int_equal(act_role(&p->f, p->host, p->a, ROLE_COHOST), ERR_OK);
  assert_int_equal(who(&p->f, p->a)->floor_ms, 0); /* nor is a host */
}

static void who_is_banned_from_speaking_gets_no_floor(void **state) {
  struct people *p = *state;
  silence(p, p->a, 1);
  assert_int_equal(act(&p->f, p->a, ACT_HAND), ERR_SILENCED);
  assert_int_equal(act_on(&p->f, p->co, ACT_FLOOR_GIVE, p->a), ERR_SILENCED);
  assert_int_equal(act_role(&p->f, p->co, p->a, ROLE_SPEAKER), ERR_OK);
  assert_false(who(&p->f, p->a)->floor);
  assert_int_equal(act_on(&p->f, p->co, ACT_MUTE, p->a), ERR_OK);
  assert_int_equal(act(&p->f, p->a, ACT_UNMUTE), ERR_SILENCED);
  assert_int_equal(act_on(&p->f, p->co, ACT_FLOOR_TAKE, p->c), ERR_OK);
  silence(p, p->c, 1);
  assert_int_equal(act(&p->f, p->co, ACT_UNDO), ERR_NOTHING); /* not by undoing either */
  assert_false(who(&p->f, p->c)->floor);
  silence(p, p->a, 0);
  assert_int_equal(act(&p->f, p->a, ACT_HAND), ERR_OK);
}

static void hands_down_lowers_all_and_undo_raises_them_in_order(void **state) {
  struct people *p = *state;
  assert_int_equal(act(&p->f, p->co, ACT_HANDS_DOWN), ERR_NOTHING);
  assert_int_equal(act(&p->f, p->b, ACT_HAND), ERR_OK);
  assert_int_equal(act(&p->f, p->a, ACT_HAND), ERR_OK);
  assert_int_equal(act(&p->f, p->co, ACT_HANDS_DOWN), ERR_OK);
  assert_int_equal(p->f.last.n, 1);
  assert_int_equal(room_hand_first(&p->f.r), 0);
  assert_int_equal(act(&p->f, p->co, ACT_UNDO), ERR_OK);
  assert_int_equal(room_hand_place(&p->f.r, p->b), 1);
  assert_int_equal(room_hand_place(&p->f.r, p->a), 2);
}

static void taking_the_floor_says_why(void **state) {
  struct people *p = *state;
  struct room_cmd cmd = {
      .act = ACT_FLOOR_TAKE, .actor = p->co, .targets = &p->c, .n_targets = 1, .text = "  too   loud "};
  assert_int_equal(fix_do(&p->f, &cmd), ERR_OK);
  assert_string_equal(p->f.last.v[0].text, "too loud");
  cmd = (struct room_cmd){.act = ACT_ROLE,
                          .actor = p->co,
                          .targets = &p->a,
                          .n_targets = 1,
                          .num = ROLE_SPEAKER,
                          .text = "on stage"};
  assert_int_equal(fix_do(&p->f, &cmd), ERR_OK);
  assert_string_equal(p->f.last.v[0].text, "on stage");
  assert_null(p->f.last.v[1].text); /* the floor that comes with it */
  char line[TEXT_LINE_MAX + 2];
  memset(line, 'x', sizeof line - 1);
  line[sizeof line - 1] = '\0';
  cmd.act = ACT_FLOOR_TAKE;
  cmd.text = line;
  assert_int_not_equal(fix_do(&p->f, &cmd), ERR_OK);
  assert_true(who(&p->f, p->a)->floor);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
int main(void) {
  const struct CMUnitTest tests[] = {
      T(one_speaker_keeps_the_only_one_who_talks),
      T(one_speaker_keeps_nobody_when_two_talk),
      T(who_gets_the_floor_takes_it_from_the_last),
      T(undo_gives_no_second_floor_where_one_may_speak),
      T(roles_keep_one_speaker_true),
      T(most_speakers_is_a_limit_for_all_ways_to_the_floor),
      T(admitted_together_they_count_one_by_one),
      T(one_speaker_frees_before_it_counts),
      T(the_talk_timer_warns_and_takes_when_told_to),
      T(talk_time_refuses_nonsense),
      T(undo_gives_back_the_turn_as_it_was),
      T(who_is_banned_from_speaking_gets_no_floor),
      T(hands_down_lowers_all_and_undo_raises_them_in_order),
      T(taking_the_floor_says_why),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
