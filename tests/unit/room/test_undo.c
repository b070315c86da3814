/* Undo: exactly what one's own last act changed, for ten seconds, and nothing that changed since. */
#include "room_fixture.h"

struct people {
  struct fixture f;
  uint32_t owner, host, co, a, b, c;
};

static int setup(void **state) {
  static struct people p; /* one test at a time */
  fix_open(&p.f, false, HOST_GONE_CONTINUE);
  p.owner = join(&p.f, "Owner", ROLE_OWNER);
  p.host = join(&p.f, "Host", ROLE_HOST);
  p.co = join(&p.f, "Co", ROLE_COHOST);
  p.a = join(&p.f, "A", ROLE_SPEAKER);
  p.b = join(&p.f, "B", ROLE_SPEAKER);
  p.c = join(&p.f, "C", ROLE_AUDIENCE);
  *state = &p;
  return 0;
}
static int teardown(void **state) {
  fix_close(&((struct people *)*state)->f);
  return 0;
}

static void undo_of_mute_all_restores_only_those_it_muted(void **state) {
  struct people *p = *state;
  assert_int_equal(act(&p->f, p->b, ACT_MUTE), ERR_OK);
  assert_int_equal(act_flags(&p->f, p->host, ACT_MUTE_ALL, FLAG_HOLD), ERR_OK);
  assert_int_equal(act(&p->f, p->host, ACT_UNDO), ERR_OK);
  assert_int_equal(p->f.last.v[0].kind, ROOM_EV_UNDONE);
  assert_int_equal(count_events(&p->f, ROOM_EV_UNMUTED), 1); /* one event for the many */
  assert_false(who(&p->f, p->a)->muted);
  assert_true(who(&p->f, p->b)->muted); /* by himself */
  assert_false(p->f.r.mute_all || p->f.r.mute_hold);
  assert_int_equal(act(&p->f, p->host, ACT_UNDO), ERR_NOTHING); /* an undo is not undone */
}

static void undo_restores_hold_and_leave_to_unmute(void **state) {
  struct people *p = *state;
  assert_int_equal(act_flags(&p->f, p->host, ACT_MUTE_ALL, FLAG_HOLD), ERR_OK);
  assert_int_equal(act_on(&p->f, p->host, ACT_ASK_UNMUTE, p->a), ERR_OK);
  assert_int_equal(act(&p->f, p->a, ACT_UNMUTE), ERR_OK);
  assert_int_equal(act_on(&p->f, p->co, ACT_MUTE, p->a), ERR_OK);
  assert_false(who(&p->f, p->a)->exempt);
  assert_int_equal(act(&p->f, p->co, ACT_UNDO), ERR_OK);
  assert_false(who(&p->f, p->a)->muted);
  assert_true(who(&p->f, p->a)->exempt);
  assert_int_equal(act(&p->f, p->co, ACT_MUTE_LIFT), ERR_OK);
  assert_int_equal(act(&p->f, p->co, ACT_UNDO), ERR_OK);
  assert_true(p->f.r.mute_all && p->f.r.mute_hold);
  assert_false(who(&p->f, p->a)->muted); /* lifting had changed no person, nor does its undo */
}

static void undo_leaves_alone_what_changed_since(void **state) {
  struct people *p = *state;
  assert_int_equal(act_on2(&p->f, p->co, ACT_MUTE, p->a, p->b), ERR_OK);
  assert_int_equal(act(&p->f, p->a, ACT_UNMUTE), ERR_OK);
  assert_int_equal(act_on(&p->f, p->host, ACT_MUTE, p->a), ERR_OK); /* muted again, by someone else */
  assert_int_equal(act(&p->f, p->co, ACT_UNDO), ERR_OK);
  assert_true(who(&p->f, p->a)->muted);
  assert_int_equal(who(&p->f, p->a)->muted_by, p->host);
  assert_false(who(&p->f, p->b)->muted);
}

static void undo_of_a_mute_does_not_break_a_later_mute_all(void **state) {
  struct people *p = *state;
  assert_int_equal(act_on(&p->f, p->co, ACT_MUTE, p->a), ERR_OK);
  assert_int_equal(act(&p->f, p->host, ACT_MUTE_ALL), ERR_OK);
  assert_int_equal(act(&p->f, p->co, ACT_UNDO), ERR_NOTHING);
  assert_true(who(&p->f, p->a)->muted);
}

static void undo_of_ones_own_mute_does_not_get_past_a_hold(void **state) {
  struct people *p = *state;
  assert_int_equal(act_role(&p->f, p->owner, p->co, ROLE_HOST), ERR_OK);
  assert_int_equal(act_flags(&p->f, p->owner, ACT_MUTE_ALL, FLAG_HOLD),
                   ERR_OK); /* does not touch a moderator */
  assert_int_equal(act_role(&p->f, p->owner, p->co, ROLE_SPEAKER), ERR_OK);
  assert_int_equal(act(&p->f, p->co, ACT_MUTE), ERR_OK);
  assert_int_equal(act(&p->f, p->co, ACT_UNMUTE), ERR_MUTED_ALL);
  assert_int_equal(act(&p->f, p->co, ACT_UNDO), ERR_NOTHING);
}

static void settings_go_back_to_what_they_were(void **state) {
  struct people *p = *state;
  assert_int_equal(act_text(&p->f, p->host, ACT_TOPIC, "first"), ERR_OK);
  assert_int_equal(act_text(&p->f, p->host, ACT_TOPIC, "second"), ERR_OK);
  assert_int_equal(act(&p->f, p->host, ACT_UNDO), ERR_OK);
  assert_string_equal(p->f.r.topic, "first");
  assert_int_equal(act(&p->f, p->host, ACT_UNDO), ERR_OK); /* then the act before */
  assert_string_equal(p->f.r.topic, "");
  assert_int_equal(act_num(&p->f, p->host, ACT_CHAT_MODE, CHAT_MODE_OFF), ERR_OK);
  assert_int_equal(act(&p->f, p->host, ACT_UNDO), ERR_OK);
  assert_int_equal(p->f.r.chat_mode, CHAT_MODE_ALL);
  assert_int_equal(act(&p->f, p->host, ACT_LOCK), ERR_OK);
  assert_int_equal(act(&p->f, p->co, ACT_UNLOCK), ERR_OK);
  assert_int_equal(act(&p->f, p->host, ACT_UNDO), ERR_NOTHING); /* it is unlocked already */
  assert_int_equal(act_num(&p->f, p->host, ACT_POLICY, HOST_GONE_LOBBY), ERR_OK);
  assert_int_equal(act(&p->f, p->host, ACT_UNDO), ERR_OK);
  assert_int_equal(p->f.r.policy, HOST_GONE_CONTINUE);
  assert_int_equal(act_num(&p->f, p->host, ACT_LOBBY, 1), ERR_OK);
  assert_int_equal(act(&p->f, p->host, ACT_UNDO), ERR_OK);
  assert_false(p->f.r.lobby);
}

static void role_and_floor_go_back_together(void **state) {
  struct people *p = *state;
  assert_int_equal(act_on(&p->f, p->host, ACT_FLOOR_TAKE, p->a), ERR_OK);
  assert_int_equal(act_role(&p->f, p->host, p->b, ROLE_AUDIENCE), ERR_OK);
  assert_false(who(&p->f, p->b)->floor);
  assert_int_equal(act(&p->f, p->host, ACT_UNDO), ERR_OK);
  assert_int_equal(who(&p->f, p->b)->role, ROLE_SPEAKER);
  assert_true(who(&p->f, p->b)->floor);
  assert_false(who(&p->f, p->a)->floor); /* that was another act */
  assert_int_equal(act(&p->f, p->host, ACT_UNDO), ERR_OK);
  assert_true(who(&p->f, p->a)->floor);
}

static void next_goes_back_whole_and_the_hand_keeps_its_place(void **state) {
  struct people *p = *state;
  assert_int_equal(act(&p->f, p->c, ACT_HAND), ERR_OK);
  assert_int_equal(act(&p->f, p->a, ACT_HAND), ERR_OK);
  assert_int_equal(act(&p->f, p->host, ACT_NEXT), ERR_OK);
  assert_int_equal(room_hand_place(&p->f.r, p->a), 1);
  assert_int_equal(act(&p->f, p->host, ACT_UNDO), ERR_OK);
  assert_int_equal(room_hand_place(&p->f.r, p->c), 1);
  assert_int_equal(room_hand_place(&p->f.r, p->a), 2);
  assert_false(who(&p->f, p->c)->floor);
  assert_false(who(&p->f, p->c)->exempt);
  assert_int_equal(act_on2(&p->f, p->host, ACT_HAND_LOWER, p->a, p->c), ERR_OK);
  assert_int_equal(act(&p->f, p->host, ACT_UNDO), ERR_OK);
  assert_int_equal(room_hand_place(&p->f.r, p->c), 1);
  assert_int_equal(room_hand_place(&p->f.r, p->a), 2);
  assert_int_equal(act(&p->f, p->a, ACT_UNDO), ERR_OK); /* his own raising */
  assert_int_equal(room_hand_place(&p->f.r, p->a), 0);
}

static void ten_seconds_and_only_ones_own_acts(void **state) {
  struct people *p = *state;
  assert_int_equal(act(&p->f, p->host, ACT_UNDO), ERR_NOTHING);
  assert_int_equal(act_on(&p->f, p->host, ACT_MUTE, p->a), ERR_OK);
  assert_int_equal(act(&p->f, p->co, ACT_UNDO), ERR_NOTHING);
  p->f.now += ROOM_UNDO_MS;
  assert_int_equal(act(&p->f, p->host, ACT_UNDO), ERR_OK); /* at the last moment */
  assert_int_equal(act_on(&p->f, p->host, ACT_MUTE, p->a), ERR_OK);
  p->f.now += ROOM_UNDO_MS + 1;
  assert_int_equal(act(&p->f, p->host, ACT_UNDO), ERR_TOO_LATE);
  assert_int_equal(act(&p->f, p->b, ACT_HAND), ERR_OK);
  assert_int_equal(act(&p->f, p->host, ACT_UNDO), ERR_TOO_LATE);
}

static void who_lost_his_role_cannot_undo_with_it(void **state) {
  struct people *p = *state;
  assert_int_equal(act_on(&p->f, p->co, ACT_FLOOR_TAKE, p->a), ERR_OK);
  assert_int_equal(act_role(&p->f, p->host, p->co, ROLE_SPEAKER), ERR_OK);
  assert_int_equal(act(&p->f, p->co, ACT_UNDO), ERR_NOT_ALLOWED);
  assert_int_equal(act_role(&p->f, p->host, p->b, ROLE_COHOST), ERR_OK);
  assert_int_equal(act_role(&p->f, p->owner, p->host, ROLE_COHOST), ERR_OK);
  assert_int_equal(act(&p->f, p->host, ACT_UNDO), ERR_NOTHING); /* B is his equal now */
  assert_int_equal(who(&p->f, p->b)->role, ROLE_COHOST);
  assert_int_equal(act_role(&p->f, 0, p->a, ROLE_HOST), ERR_OK);
  assert_int_equal(act_role(&p->f, p->owner, p->a, ROLE_SPEAKER), ERR_OK);
  assert_int_equal(act_role(&p->f, 0, p->owner, ROLE_COHOST), ERR_OK);
  assert_int_equal(act(&p->f, p->owner, ACT_UNDO), ERR_NOTHING); /* a cohost makes nobody a host */
}

static void a_crowd_raising_hands_does_not_push_out_a_hosts_act(void **state) {
  struct people *p = *state;
  assert_int_equal(act(&p->f, p->host, ACT_MUTE_ALL), ERR_OK);
  for (int i = 0; i < ROOM_UNDO_KEPT; i++) {
    assert_int_equal(act(&p->f, p->a, ACT_HAND), ERR_OK);
    assert_int_equal(act(&p->f, p->a, ACT_HAND_LOWER), ERR_OK);
  }
  assert_int_equal(act(&p->f, p->host, ACT_UNDO), ERR_OK);
  assert_false(who(&p->f, p->a)->muted);
}

static void people_who_left_meanwhile_are_skipped(void **state) {
  struct people *p = *state;
  assert_int_equal(act_on2(&p->f, p->host, ACT_MUTE, p->a, p->b), ERR_OK);
  assert_int_equal(act(&p->f, p->a, ACT_LEAVE), ERR_OK);
  assert_int_equal(act(&p->f, p->host, ACT_UNDO), ERR_OK);
  assert_int_equal(p->f.last.v[1].n_targets, 1);
  assert_int_equal(p->f.last.v[1].targets[0], p->b);
}

static enum err rename_to(struct people *p, uint32_t actor, uint32_t whom, const char *name) {
  return fix_do(
      &p->f,
      &(struct room_cmd){.act = ACT_RENAME, .actor = actor, .targets = &whom, .n_targets = 1, .text = name});
}

static void names_go_back_unless_another_has_it_by_now(void **state) {
  struct people *p = *state;
  assert_int_equal(rename_to(p, p->co, p->a, "Anna"), ERR_OK);
  assert_int_equal(act(&p->f, p->co, ACT_UNDO), ERR_OK);
  assert_string_equal(who(&p->f, p->a)->name, "A");
  assert_int_equal(rename_to(p, p->co, p->a, "Anna"), ERR_OK);
  uint32_t other = join(&p->f, "A", ROLE_SPEAKER);
  assert_string_equal(who(&p->f, other)->name, "A");
  assert_int_equal(act(&p->f, p->co, ACT_UNDO), ERR_OK);
  assert_string_equal(who(&p->f, p->a)->name, "A (2)");
  assert_int_equal(rename_to(p, p->co, p->a, "Anna"), ERR_OK);
  assert_int_equal(rename_to(p, p->host, p->a, "Hanna"), ERR_OK);
  assert_int_equal(act(&p->f, p->co, ACT_UNDO), ERR_NOTHING); /* someone knew better */
}

static void the_agenda_goes_back_with_its_place(void **state) {
  struct people *p = *state;
  assert_int_equal(act_text(&p->f, p->co, ACT_AGENDA, "hello; news; end"), ERR_OK);
  assert_int_equal(act(&p->f, p->co, ACT_AGENDA_NEXT), ERR_OK);
  assert_int_equal(act_text(&p->f, p->co, ACT_AGENDA, "short"), ERR_OK);
  assert_int_equal(p->f.r.agenda_at, 0);
  assert_int_equal(act(&p->f, p->co, ACT_UNDO), ERR_OK);
  assert_string_equal(p->f.r.agenda, "hello\nnews\nend");
  assert_int_equal(p->f.r.agenda_at, 1);
  assert_int_equal(act(&p->f, p->co, ACT_UNDO), ERR_OK);
  assert_int_equal(p->f.r.agenda_at, 0);
  assert_int_equal(act(&p->f, p->co, ACT_UNDO), ERR_OK);
  assert_null(p->f.r.agenda);
}

static void a_ban_from_speaking_is_not_half_undone(void **state) {
  struct people *p = *state;
  assert_int_equal(act_on(&p->f, p->host, ACT_MUTE, p->b), ERR_OK);
  assert_int_equal(act_on_num(&p->f, p->host, ACT_BAN, p->a, BAN_SPEAK), ERR_OK);
  assert_false(who(&p->f, p->a)->floor);
  assert_int_equal(act(&p->f, p->host, ACT_UNDO), ERR_OK); /* the mute before it */
  assert_false(who(&p->f, p->b)->muted);
  assert_false(who(&p->f, p->a)->floor);
  assert_int_equal(act(&p->f, p->host, ACT_UNDO), ERR_NOTHING);
}

static void only_a_host_undoes_what_only_a_host_may(void **state) {
  struct people *p = *state;
  static const enum act ONES[] = {ACT_AUTO_ADMIT, ACT_NAME_HOSTS, ACT_MAX_PEOPLE, ACT_MAX_SPEAKERS,
                                  ACT_POLICY};
  for (size_t i = 0; i < 5; i++) {
    assert_int_equal(
        act_num(&p->f, p->host, ONES[i], ONES[i] == ACT_NAME_HOSTS || ONES[i] == ACT_AUTO_ADMIT ? 0 : 1),
        ERR_OK);
    assert_int_equal(act_role(&p->f, p->owner, p->host, ROLE_COHOST), ERR_OK);
    assert_int_equal(act(&p->f, p->host, ACT_UNDO), ERR_NOT_ALLOWED);
    assert_int_equal(act_role(&p->f, p->owner, p->host, ROLE_HOST), ERR_OK);
    assert_int_equal(act(&p->f, p->host, ACT_UNDO), ERR_OK);
  }
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
int main(void) {
  const struct CMUnitTest tests[] = {
      T(undo_of_mute_all_restores_only_those_it_muted),
      T(undo_restores_hold_and_leave_to_unmute),
      T(undo_leaves_alone_what_changed_since),
      T(undo_of_a_mute_does_not_break_a_later_mute_all),
      T(undo_of_ones_own_mute_does_not_get_past_a_hold),
      T(settings_go_back_to_what_they_were),
      T(role_and_floor_go_back_together),
      T(next_goes_back_whole_and_the_hand_keeps_its_place),
      T(ten_seconds_and_only_ones_own_acts),
      T(who_lost_his_role_cannot_undo_with_it),
      T(a_crowd_raising_hands_does_not_push_out_a_hosts_act),
      T(people_who_left_meanwhile_are_skipped),
      T(names_go_back_unless_another_has_it_by_now),
      T(the_agenda_goes_back_with_its_place),
      T(a_ban_from_speaking_is_not_half_undone),
      T(only_a_host_undoes_what_only_a_host_may),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
