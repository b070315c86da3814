/* Who may speak: floor, mute, mute-all and its hold, asking, hands. */
#include "room_fixture.h"

struct people {
  struct fixture f;
  uint32_t owner, host, co, spk, aud, mon;
};

static int setup(void **state) {
  static struct people p; /* one test at a time */
  fix_open(&p.f, false, HOST_GONE_CONTINUE);
  p.owner = join(&p.f, "Owner", ROLE_OWNER);
  p.host = join(&p.f, "Host", ROLE_HOST);
  p.co = join(&p.f, "Co", ROLE_COHOST);
  p.spk = join(&p.f, "Speaker", ROLE_SPEAKER);
  p.aud = join(&p.f, "Audience", ROLE_AUDIENCE);
  p.mon = join(&p.f, "Monitor", ROLE_MONITOR);
  *state = &p;
  return 0;
}
static int teardown(void **state) {
  fix_close(&((struct people *)*state)->f);
  return 0;
}

static void the_role_decides_the_floor_on_entry(void **state) {
  struct people *p = *state;
  assert_true(room_may_send(&p->f.r, p->owner));
  assert_true(room_may_send(&p->f.r, p->co));
  assert_true(room_may_send(&p->f.r, p->spk));
  assert_false(room_may_send(&p->f.r, p->aud));
  assert_false(room_may_send(&p->f.r, p->mon));
  assert_true(room_may_hear(&p->f.r, p->aud));
  assert_true(room_may_hear(&p->f.r, p->mon));
  assert_false(room_may_send(&p->f.r, 99));
  assert_false(room_may_hear(&p->f.r, 99));
}

static void floor_overrides_the_role_until_the_role_changes(void **state) {
  struct people *p = *state;
  assert_int_equal(act_on(&p->f, p->co, ACT_FLOOR_GIVE, p->aud), ERR_OK);
  assert_true(room_may_send(&p->f.r, p->aud));
  assert_int_equal(act_on(&p->f, p->co, ACT_FLOOR_TAKE, p->spk), ERR_OK);
  assert_false(room_may_send(&p->f.r, p->spk));
  assert_int_equal(act_on(&p->f, p->co, ACT_FLOOR_TAKE, p->spk), ERR_NO_CHANGE);
  assert_int_equal(act_role(&p->f, p->co, p->spk, ROLE_AUDIENCE), ERR_OK);
  assert_int_equal(act_role(&p->f, p->co, p->spk, ROLE_SPEAKER), ERR_OK);
  assert_true(room_may_send(&p->f.r, p->spk)); /* promotion gives it */
  assert_int_equal(act_role(&p->f, p->owner, p->spk, ROLE_AUDIENCE), ERR_OK);
  assert_false(room_may_send(&p->f.r, p->spk)); /* demotion takes it */
}

static void promotion_above_speaker_does_not_give_back_a_taken_floor(void **state) {
  struct people *p = *state;
  assert_int_equal(act_on(&p->f, p->host, ACT_FLOOR_TAKE, p->co), ERR_OK);
  assert_int_equal(act_on(&p->f, p->co, ACT_FLOOR_GIVE, p->co), ERR_NOT_SELF);
  assert_int_equal(act_role(&p->f, p->owner, p->co, ROLE_HOST), ERR_OK);
  assert_false(room_may_send(&p->f.r, p->co));
  assert_int_equal(act(&p->f, p->co, ACT_HAND), ERR_OK);
  assert_int_equal(act(&p->f, p->co, ACT_NEXT), ERR_NOTHING); /* nor does he call on himself */
  assert_int_equal(act(&p->f, p->host, ACT_NEXT), ERR_OK);
  assert_true(room_may_send(&p->f.r, p->co));
}

static void mute_is_the_persons_own_to_lift(void **state) {
  struct people *p = *state;
  assert_int_equal(act_on(&p->f, p->co, ACT_MUTE, p->spk), ERR_OK);
  assert_false(room_may_send(&p->f.r, p->spk));
  assert_int_equal(who(&p->f, p->spk)->muted_by, p->co);
  assert_int_equal(act_on(&p->f, p->owner, ACT_UNMUTE, p->spk), ERR_ONLY_SELF);
  assert_int_equal(act_on(&p->f, 0, ACT_UNMUTE, p->spk), ERR_ONLY_SELF);
  assert_int_equal(act(&p->f, p->spk, ACT_UNMUTE), ERR_OK);
  assert_true(room_may_send(&p->f.r, p->spk));
  assert_int_equal(act(&p->f, p->spk, ACT_UNMUTE), ERR_NO_CHANGE);
  assert_int_equal(act(&p->f, p->spk, ACT_MUTE), ERR_OK); /* without a name: oneself */
  assert_int_equal(who(&p->f, p->spk)->muted_by, p->spk);
}

static void without_the_floor_speech_is_refused_whatever_the_mute_says(void **state) {
  struct people *p = *state;
  assert_false(who(&p->f, p->aud)->muted);
  assert_false(room_may_send(&p->f.r, p->aud));
  assert_int_equal(act(&p->f, p->aud, ACT_MUTE), ERR_OK);
  assert_int_equal(act(&p->f, p->aud, ACT_UNMUTE), ERR_NO_FLOOR);
}

static void mute_all_spares_moderators_and_the_actor_and_covers_newcomers(void **state) {
  struct people *p = *state;
  assert_int_equal(act(&p->f, p->co, ACT_MUTE_ALL), ERR_OK);
  assert_true(who(&p->f, p->spk)->muted);
  assert_true(who(&p->f, p->aud)->muted);
  assert_false(who(&p->f, p->co)->muted);
  assert_false(who(&p->f, p->host)->muted);
  assert_false(who(&p->f, p->owner)->muted);
  uint32_t late = join(&p->f, "Late", ROLE_SPEAKER), boss = join(&p->f, "Late host", ROLE_HOST);
  assert_true(who(&p->f, late)->muted);
  assert_int_equal(who(&p->f, late)->muted_by, 0);
  assert_false(who(&p->f, boss)->muted);
  assert_int_equal(act(&p->f, late, ACT_UNMUTE), ERR_OK); /* without hold he may */
  assert_int_equal(act(&p->f, p->co, ACT_MUTE_LIFT), ERR_OK);
  assert_true(who(&p->f, p->spk)->muted); /* lifting unmutes nobody */
  assert_false(who(&p->f, join(&p->f, "Later", ROLE_SPEAKER))->muted);
  assert_int_equal(act(&p->f, p->co, ACT_MUTE_LIFT), ERR_NO_CHANGE);
}

static void mute_all_with_hold_keeps_people_muted_until_asked(void **state) {
  struct people *p = *state;
  uint32_t other = join(&p->f, "Other", ROLE_SPEAKER);
  assert_int_equal(act_flags(&p->f, p->host, ACT_MUTE_ALL, FLAG_HOLD), ERR_OK);
  assert_int_equal(act(&p->f, p->spk, ACT_UNMUTE), ERR_MUTED_ALL);
  assert_int_equal(act_on(&p->f, p->co, ACT_ASK_UNMUTE, p->spk), ERR_OK);
  assert_int_equal(count_events(&p->f, ROOM_EV_ASKED), 1);
  assert_true(who(&p->f, p->spk)->muted); /* asking opens no microphone */
  assert_int_equal(act(&p->f, p->spk, ACT_UNMUTE), ERR_OK);
  assert_int_equal(act(&p->f, other, ACT_UNMUTE), ERR_MUTED_ALL);
  assert_int_equal(act_on(&p->f, p->owner, ACT_MUTE, p->co), ERR_OK);
  assert_int_equal(act(&p->f, p->co, ACT_UNMUTE), ERR_OK);          /* a moderator is not held */
  assert_int_equal(act_on(&p->f, p->co, ACT_MUTE, p->spk), ERR_OK); /* and the leave is taken back */
  assert_int_equal(act(&p->f, p->spk, ACT_UNMUTE), ERR_MUTED_ALL);
  assert_int_equal(act(&p->f, p->host, ACT_MUTE_LIFT), ERR_OK);
  assert_int_equal(act(&p->f, p->spk, ACT_UNMUTE), ERR_OK);
}

static void muting_oneself_keeps_the_leave_to_unmute(void **state) {
  struct people *p = *state;
  assert_int_equal(act_flags(&p->f, p->host, ACT_MUTE_ALL, FLAG_HOLD), ERR_OK);
  assert_int_equal(act_on(&p->f, p->co, ACT_ASK_UNMUTE, p->spk), ERR_OK);
  assert_int_equal(act(&p->f, p->spk, ACT_UNMUTE), ERR_OK);
  assert_int_equal(act(&p->f, p->spk, ACT_MUTE), ERR_OK);
  assert_int_equal(act(&p->f, p->spk, ACT_UNMUTE), ERR_OK);
  assert_int_equal(act_flags(&p->f, p->host, ACT_MUTE_ALL, FLAG_HOLD),
                   ERR_OK); /* again: those who talk are muted */
  assert_int_equal(act(&p->f, p->spk, ACT_UNMUTE), ERR_MUTED_ALL);
  assert_int_equal(act_flags(&p->f, p->host, ACT_MUTE_ALL, FLAG_HOLD), ERR_NO_CHANGE);
}

static void a_speaker_moderates_nobody(void **state) {
  struct people *p = *state;
  assert_int_equal(act_on(&p->f, p->spk, ACT_MUTE, p->aud), ERR_NOT_ALLOWED);
  assert_int_equal(act(&p->f, p->aud, ACT_HAND), ERR_OK);
  assert_int_equal(act_on(&p->f, p->spk, ACT_HAND_LOWER, p->aud), ERR_NOT_ALLOWED);
}

static void hands_are_one_queue_in_server_order(void **state) {
  struct people *p = *state;
  assert_int_equal(act(&p->f, p->spk, ACT_HAND), ERR_OK);
  assert_int_equal(act(&p->f, p->aud, ACT_HAND), ERR_OK);
  assert_int_equal(act(&p->f, p->host, ACT_HAND), ERR_OK);
  assert_int_equal(act(&p->f, p->aud, ACT_HAND), ERR_NO_CHANGE);
  assert_int_equal(room_hand_place(&p->f.r, p->spk), 1);
  assert_int_equal(room_hand_place(&p->f.r, p->aud), 2);
  assert_int_equal(room_hand_place(&p->f.r, p->host), 3);
  assert_int_equal(room_hand_place(&p->f.r, p->co), 0);
  assert_int_equal(room_hand_first(&p->f.r), p->spk);
  assert_int_equal(act(&p->f, p->spk, ACT_HAND_LOWER), ERR_OK);
  assert_int_equal(act(&p->f, p->spk, ACT_HAND), ERR_OK); /* to the end of the queue */
  assert_int_equal(room_hand_place(&p->f.r, p->spk), 3);
  assert_int_equal(act_on(&p->f, p->host, ACT_HAND_LOWER, p->aud), ERR_OK);
  assert_int_equal(room_hand_first(&p->f.r), p->host);
}

static void next_gives_the_floor_lowers_the_hand_and_asks(void **state) {
  struct people *p = *state;
  assert_int_equal(act(&p->f, p->co, ACT_NEXT), ERR_NOTHING);
  assert_int_equal(act(&p->f, p->aud, ACT_HAND), ERR_OK);
  assert_int_equal(act(&p->f, p->spk, ACT_HAND), ERR_OK);
  assert_int_equal(act_flags(&p->f, p->host, ACT_MUTE_ALL, FLAG_HOLD), ERR_OK);
  assert_int_equal(act(&p->f, p->co, ACT_NEXT), ERR_OK);
  assert_true(who(&p->f, p->aud)->floor);
  assert_int_equal(who(&p->f, p->aud)->hand, 0);
  assert_int_equal(count_events(&p->f, ROOM_EV_ASKED), 1);
  assert_int_equal(act(&p->f, p->aud, ACT_UNMUTE), ERR_OK);
  assert_true(room_may_send(&p->f.r, p->aud));
  assert_int_equal(act(&p->f, p->co, ACT_NEXT), ERR_OK); /* has the floor: simply called on */
  assert_int_equal(count_events(&p->f, ROOM_EV_FLOOR), 0);
  assert_int_equal(act(&p->f, p->spk, ACT_UNMUTE), ERR_OK);
  assert_int_equal(act(&p->f, p->spk, ACT_HAND), ERR_OK);
  assert_int_equal(act(&p->f, p->co, ACT_NEXT),
                   ERR_OK); /* whose microphone is open is not asked to open it */
  assert_int_equal(count_events(&p->f, ROOM_EV_ASKED), 0);
}

static void the_floor_answers_the_hand(void **state) {
  struct people *p = *state;
  assert_int_equal(act(&p->f, p->aud, ACT_HAND), ERR_OK);
  assert_int_equal(act(&p->f, p->spk, ACT_HAND), ERR_OK);
  uint64_t place = who(&p->f, p->aud)->hand;
  assert_int_equal(act_on2(&p->f, p->co, ACT_FLOOR_GIVE, p->aud, p->spk), ERR_OK);
  assert_int_equal(room_hand_first(&p->f.r), 0);
  assert_int_equal(act(&p->f, p->co, ACT_UNDO), ERR_OK); /* with his place in the queue */
  assert_false(who(&p->f, p->aud)->floor);
  assert_int_equal(who(&p->f, p->aud)->hand, place);
  assert_int_equal(room_hand_place(&p->f.r, p->spk), 2);
  assert_int_equal(act_on(&p->f, p->co, ACT_FLOOR_GIVE, p->spk),
                   ERR_OK); /* has it: the hand goes down all the same */
  assert_int_equal(act_on(&p->f, p->co, ACT_FLOOR_GIVE, p->spk), ERR_NO_CHANGE);
}

static void leaving_lowers_the_hand(void **state) {
  struct people *p = *state;
  assert_int_equal(act(&p->f, p->aud, ACT_HAND), ERR_OK);
  assert_int_equal(act(&p->f, p->spk, ACT_HAND), ERR_OK);
  assert_int_equal(act(&p->f, p->aud, ACT_LEAVE), ERR_OK);
  assert_int_equal(p->f.last.v[0].kind, ROOM_EV_LEFT);
  assert_null(room_member(&p->f.r, p->aud));
  assert_int_equal(room_hand_place(&p->f.r, p->spk), 1);
}

static void a_monitor_is_never_heard(void **state) {
  struct people *p = *state;
  assert_int_equal(act(&p->f, p->mon, ACT_HAND), ERR_NOT_ALLOWED);
  assert_int_equal(act_text(&p->f, p->mon, ACT_CHAT, "psst"), ERR_NOT_ALLOWED);
  assert_int_equal(act_on(&p->f, p->owner, ACT_FLOOR_GIVE, p->mon), ERR_NOT_ALLOWED);
  assert_int_equal(act(&p->f, p->spk, ACT_HAND), ERR_OK);
  assert_int_equal(act_role(&p->f, 0, p->spk, ROLE_MONITOR), ERR_OK); /* hand and floor go with it */
  assert_false(room_may_send(&p->f.r, p->spk));
  assert_int_equal(room_hand_first(&p->f.r), 0);
  assert_int_equal(act(&p->f, p->mon, ACT_LEAVE), ERR_OK);
}

static void the_end_is_the_end(void **state) {
  struct people *p = *state;
  assert_int_equal(act(&p->f, p->co, ACT_END), ERR_NOT_ALLOWED);
  assert_int_equal(act_num2(&p->f, p->host, ACT_END, 0), ERR_OK);
  assert_int_equal(p->f.r.n_members, 0);
  assert_false(room_may_hear(&p->f.r, p->spk));
  for (int a = 0; a < ACT__COUNT; a++) {
    assert_int_equal(act(&p->f, p->host, (enum act)a), ERR_ROOM_ENDED);
    assert_int_equal(act(&p->f, 0, (enum act)a), ERR_ROOM_ENDED);
  }
  struct room_join j = {.name = "Late", .role = ROLE_OWNER};
  uint32_t id;
  assert_int_equal(fix_enter(&p->f, &j, &id), ERR_ROOM_ENDED);
  assert_int_equal(resume(&p->f, p->spk), ERR_ROOM_ENDED);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
int main(void) {
  const struct CMUnitTest tests[] = {
      T(the_role_decides_the_floor_on_entry),
      T(floor_overrides_the_role_until_the_role_changes),
      T(promotion_above_speaker_does_not_give_back_a_taken_floor),
      T(mute_is_the_persons_own_to_lift),
      T(without_the_floor_speech_is_refused_whatever_the_mute_says),
      T(mute_all_spares_moderators_and_the_actor_and_covers_newcomers),
      T(mute_all_with_hold_keeps_people_muted_until_asked),
      T(muting_oneself_keeps_the_leave_to_unmute),
      T(a_speaker_moderates_nobody),
      T(hands_are_one_queue_in_server_order),
      T(next_gives_the_floor_lowers_the_hand_and_asks),
      T(the_floor_answers_the_hand),
      T(leaving_lowers_the_hand),
      T(a_monitor_is_never_heard),
      T(the_end_is_the_end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
