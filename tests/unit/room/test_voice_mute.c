/* Mute-all with exceptions and free speakers, mute on entry, declining, priority, gain, reasons; undo of
 * each. */
#include "room_fixture.h"

struct people {
  struct fixture f;
  uint32_t host, co, s1, s2, a1, a2;
};

static int setup(void **state) {
  static struct people p; /* one test at a time */
  fix_open(&p.f, false, HOST_GONE_CONTINUE);
  p.host = join(&p.f, "Host", ROLE_HOST);
  p.co = join(&p.f, "Co", ROLE_COHOST);
  p.s1 = join(&p.f, "S1", ROLE_SPEAKER);
  p.s2 = join(&p.f, "S2", ROLE_SPEAKER);
  p.a1 = join(&p.f, "A1", ROLE_AUDIENCE);
  p.a2 = join(&p.f, "A2", ROLE_AUDIENCE);
  *state = &p;
  return 0;
}
static int teardown(void **state) {
  fix_close(&((struct people *)*state)->f);
  return 0;
}

/* Of the two speakers and the two listeners: m muted, e exempt, x both. */
static const char *voices(const struct people *p) {
  static char s[5];
  const uint32_t ids[] = {p->s1, p->s2, p->a1, p->a2};
  for (size_t i = 0; i < 4; i++)
    s[i] = ".mex"[who(&p->f, ids[i])->muted + 2 * who(&p->f, ids[i])->exempt];
  return s;
}

static enum err mute_all(struct people *p, uint32_t actor, unsigned flags, uint32_t but) {
  return fix_do(
      &p->f,
      &(struct room_cmd){
          .act = ACT_MUTE_ALL, .actor = actor, .flags = flags, .targets = &but, .n_targets = but != 0});
}

static void the_excepted_stay_open_and_are_not_held(void **state) {
  struct people *p = *state;
  assert_int_equal(mute_all(p, p->co, FLAG_HOLD, p->s1), ERR_OK);
  assert_string_equal(voices(p), "emmm");
  assert_int_equal(act(&p->f, p->s1, ACT_MUTE), ERR_OK);
  assert_int_equal(act(&p->f, p->s1, ACT_UNMUTE), ERR_OK);
  assert_int_equal(act(&p->f, p->s2, ACT_UNMUTE), ERR_MUTED_ALL);
  assert_int_equal(mute_all(p, p->co, FLAG_HOLD, p->s1), ERR_NO_CHANGE);
  assert_int_equal(mute_all(p, p->co, FLAG_HOLD, p->s2), ERR_OK); /* another one: S1 is held from now on */
  assert_string_equal(voices(p), "mxmm");
  assert_int_equal(mute_all(p, p->co, FLAG_HOLD, p->host), ERR_OK);
  assert_string_equal(voices(p), "mmmm");
  assert_false(who(&p->f, p->host)->exempt); /* nothing holds a host anyway */
  assert_int_equal(mute_all(p, p->co, 0, 99), ERR_NO_MEMBER);
}

static void undo_of_mute_all_with_exceptions_is_exact(void **state) {
  struct people *p = *state;
  assert_int_equal(act(&p->f, p->a1, ACT_MUTE), ERR_OK);
  assert_int_equal(act_on(&p->f, p->host, ACT_ASK_UNMUTE, p->a1), ERR_OK);
  assert_string_equal(voices(p), "..x.");
  assert_int_equal(mute_all(p, p->co, FLAG_HOLD, p->s1), ERR_OK);
  assert_string_equal(voices(p), "emmm");
  assert_int_equal(act(&p->f, p->co, ACT_UNDO), ERR_OK);
  assert_string_equal(voices(p), "..x.");
  assert_int_equal(room_setting(&p->f.r, ROOM_EV_MUTE_ALL), 0);
}

static void speakers_may_be_left_free(void **state) {
  struct people *p = *state;
  assert_int_equal(mute_all(p, p->co, FLAG_HOLD | FLAG_SPEAKERS, 0), ERR_OK);
  assert_string_equal(voices(p), "..mm");
  assert_int_equal(room_setting(&p->f.r, ROOM_EV_MUTE_ALL), 6);
  assert_int_equal(act_on(&p->f, p->co, ACT_MUTE, p->s1), ERR_OK);
  assert_int_equal(act(&p->f, p->s1, ACT_UNMUTE), ERR_OK); /* in spite of the hold */
  assert_int_equal(act_on(&p->f, p->co, ACT_FLOOR_GIVE, p->a1), ERR_OK);
  assert_int_equal(act(&p->f, p->a1, ACT_UNMUTE), ERR_MUTED_ALL); /* the floor is not the role */
  assert_false(who(&p->f, join(&p->f, "S3", ROLE_SPEAKER))->muted);
  assert_true(who(&p->f, join(&p->f, "A3", ROLE_AUDIENCE))->muted);
  assert_int_equal(mute_all(p, p->co, FLAG_HOLD, 0), ERR_OK); /* and now all */
  assert_string_equal(voices(p), "mmmm");
  assert_int_equal(act(&p->f, p->s2, ACT_UNMUTE), ERR_MUTED_ALL);
  assert_int_equal(act(&p->f, p->co, ACT_UNDO), ERR_OK);
  assert_string_equal(voices(p), "..mm");
  assert_true(p->f.r.mute_speakers_free && p->f.r.mute_hold);
}

static void mute_on_entry_is_for_newcomers_below_host(void **state) {
  struct people *p = *state;
  assert_int_equal(act_num(&p->f, p->co, ACT_MUTE_ENTRY, 1), ERR_OK);
  assert_string_equal(voices(p), "....");
  uint32_t late = join(&p->f, "Late", ROLE_SPEAKER);
  assert_true(who(&p->f, late)->muted);
  assert_int_equal(who(&p->f, late)->muted_by, 0);
  assert_false(who(&p->f, join(&p->f, "Boss", ROLE_COHOST))->muted);
  assert_int_equal(act(&p->f, late, ACT_UNMUTE), ERR_OK);
  assert_int_equal(mute_all(p, p->co, FLAG_SPEAKERS, 0), ERR_OK); /* who is free of one is not of the other */
  assert_true(who(&p->f, join(&p->f, "Later", ROLE_SPEAKER))->muted);
}

static void declining_gives_the_leave_back(void **state) {
  struct people *p = *state;
  assert_int_equal(act(&p->f, p->s1, ACT_DECLINE), ERR_NOTHING);
  assert_int_equal(mute_all(p, p->co, FLAG_HOLD, p->s2), ERR_OK);
  assert_int_equal(act(&p->f, p->s1, ACT_DECLINE), ERR_NOTHING); /* nobody asked */
  assert_int_equal(act(&p->f, p->s2, ACT_DECLINE), ERR_NOTHING); /* not muted */
  assert_int_equal(act_on(&p->f, p->co, ACT_ASK_UNMUTE, p->s1), ERR_OK);
  assert_int_equal(act_on(&p->f, p->co, ACT_DECLINE, p->s1), ERR_ONLY_SELF);
  assert_int_equal(act(&p->f, p->s1, ACT_DECLINE), ERR_OK);
  assert_int_equal(p->f.last.v[0].kind, ROOM_EV_DECLINED);
  assert_int_equal(p->f.last.v[0].targets[0], p->s1);
  assert_true(who(&p->f, p->s1)->muted);
  assert_int_equal(act(&p->f, p->s1, ACT_UNMUTE), ERR_MUTED_ALL);
  assert_int_equal(act(&p->f, p->s1, ACT_UNDO), ERR_NOTHING); /* a No is not undone: a host may ask again */
}

static void priority_and_gain_go_on_off_and_back(void **state) {
  struct people *p = *state;
  assert_int_equal(act_on(&p->f, p->co, ACT_PRIORITY, p->s1), ERR_OK); /* nothing said: on */
  assert_int_equal(act_on_num(&p->f, p->co, ACT_PRIORITY, p->co, 1), ERR_OK);
  assert_true(who(&p->f, p->s1)->priority && who(&p->f, p->co)->priority); /* several may have it */
  assert_int_equal(act_on(&p->f, p->co, ACT_PRIORITY, p->s1), ERR_NO_CHANGE);
  assert_int_equal(act_on_num(&p->f, p->co, ACT_PRIORITY, p->s1, 0), ERR_OK);
  assert_false(who(&p->f, p->s1)->priority);
  assert_int_equal(act(&p->f, p->co, ACT_UNDO), ERR_OK);
  assert_true(who(&p->f, p->s1)->priority);
  assert_int_equal(act_on_num(&p->f, p->co, ACT_GAIN, p->s1, -20), ERR_OK);
  assert_int_equal(act_on_num(&p->f, p->co, ACT_GAIN, p->s1, 12), ERR_OK);
  assert_int_equal(p->f.last.v[0].num2, -20);
  assert_int_equal(act_on_num(&p->f, p->co, ACT_GAIN, p->s1, 12), ERR_NO_CHANGE);
  assert_int_equal(act(&p->f, p->co, ACT_UNDO), ERR_OK);
  assert_int_equal(who(&p->f, p->s1)->gain_db, -20);
  const int64_t bad[] = {-21, 13, 256 + 5, INT64_MIN, INT64_MAX};
  for (size_t i = 0; i < 5; i++)
    assert_int_equal(act_on_num(&p->f, p->co, ACT_GAIN, p->s1, bad[i]), ERR_BAD_ARG);
  assert_int_equal(who(&p->f, p->s1)->gain_db, -20);
}

static void who_lost_his_role_does_not_undo_himself_louder(void **state) {
  struct people *p = *state;
  assert_int_equal(act_on_num(&p->f, p->host, ACT_GAIN, p->co, 12), ERR_OK);
  assert_int_equal(act_on_num(&p->f, p->co, ACT_GAIN, p->co, -20), ERR_OK);
  assert_int_equal(act_role(&p->f, p->host, p->co, ROLE_SPEAKER), ERR_OK);
  assert_int_equal(act(&p->f, p->co, ACT_UNDO), ERR_NOT_ALLOWED);
  assert_int_equal(who(&p->f, p->co)->gain_db, -20);
}

static enum err mute_because(struct people *p, uint32_t actor, const uint32_t *ids, size_t n,
                             const char *why) {
  return fix_do(&p->f, &(struct room_cmd){
                           .act = ACT_MUTE, .actor = actor, .targets = ids, .n_targets = n, .text = why});
}

static void a_mute_says_why_but_not_to_oneself(void **state) {
  struct people *p = *state;
  const uint32_t two[] = {p->s1, p->s2}, self[] = {p->co};
  assert_int_equal(mute_because(p, p->co, two, 2, "dog\tbarks"), ERR_OK);
  assert_int_equal(p->f.last.n, 1);
  assert_int_equal(p->f.last.v[0].n_targets, 2);
  assert_string_equal(p->f.last.v[0].text, "dog barks");
  assert_int_equal(mute_because(p, p->co, self, 1, "me"), ERR_OK);
  assert_null(p->f.last.v[0].text);
  assert_int_not_equal(mute_because(p, p->host, self, 1, "\xff"), ERR_OK);
  assert_int_equal(act(&p->f, p->host, ACT_MUTE), ERR_OK);
  assert_null(p->f.last.v[0].text);
}

static void the_lock_gets_its_words_back(void **state) {
  struct people *p = *state;
  assert_int_equal(act_text(&p->f, p->co, ACT_LOCK, "back at ten"), ERR_OK);
  assert_int_equal(act_text(&p->f, p->co, ACT_LOCK, "back at noon"), ERR_OK);
  assert_int_equal(act(&p->f, p->co, ACT_UNDO), ERR_OK);
  assert_true(p->f.r.locked);
  assert_string_equal(p->f.r.lock_text, "back at ten");
  assert_int_equal(act(&p->f, p->host, ACT_UNLOCK), ERR_OK);
  assert_int_equal(act(&p->f, p->co, ACT_UNDO), ERR_NOTHING); /* it is not locked any more */
  assert_int_equal(act(&p->f, p->host, ACT_UNDO), ERR_OK);
  assert_string_equal(p->f.r.lock_text, "back at ten");
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
int main(void) {
  const struct CMUnitTest tests[] = {
      T(the_excepted_stay_open_and_are_not_held),
      T(undo_of_mute_all_with_exceptions_is_exact),
      T(speakers_may_be_left_free),
      T(mute_on_entry_is_for_newcomers_below_host),
      T(declining_gives_the_leave_back),
      T(priority_and_gain_go_on_off_and_back),
      T(who_lost_his_role_does_not_undo_himself_louder),
      T(a_mute_says_why_but_not_to_oneself),
      T(the_lock_gets_its_words_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
