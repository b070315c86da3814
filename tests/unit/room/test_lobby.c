/* Coming in: lobby, lock, invites, names, removal and bans. */
#include "room_fixture.h"

static struct room_join person(const char *name, enum role role) {
  return (struct room_join){.name = name, .role = role, .resume = {0x66, (uint8_t)name[0]}};
}

static uint64_t make_invite(struct fixture *f, uint32_t by, struct invite inv, uint8_t tag) {
  memset(inv.hash, tag, sizeof inv.hash);
  assert_int_equal(fix_do(f, &(struct room_cmd){.act = ACT_INVITE, .actor = by, .invite = &inv}), ERR_OK);
  return f->r.seq;
}

static enum err enter_with(struct fixture *f, const char *name, uint8_t tag, uint32_t *id) {
  uint8_t hash[32];
  memset(hash, tag, sizeof hash);
  struct room_join j = person(name, ROLE_NONE);
  j.invite_hash = hash;
  return fix_enter(f, &j, id);
}

static void newcomers_knock_and_are_admitted_one_several_or_all(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, true, HOST_GONE_CONTINUE);
  uint32_t host = join(&f, "Host", ROLE_HOST); /* moderators never wait */
  assert_int_equal(who(&f, host)->presence, PRESENCE_HERE);
  uint32_t w[5];
  for (int i = 0; i < 5; i++)
    w[i] = join(&f, (char[]){(char)('a' + i), 'x', 0}, i == 4 ? ROLE_AUDIENCE : ROLE_SPEAKER);
  assert_int_equal(f.last.v[0].kind, ROOM_EV_KNOCKED);
  assert_int_equal(room_count(&f.r, PRESENCE_WAITING), 5);
  assert_int_equal(room_lobby_place(&f.r, w[0]), 1);
  assert_int_equal(room_lobby_place(&f.r, w[4]), 5);
  assert_int_equal(room_lobby_place(&f.r, host), 0);
  assert_int_equal(act_on(&f, host, ACT_ADMIT, w[1]), ERR_OK);
  assert_int_equal(who(&f, w[1])->presence, PRESENCE_HERE);
  assert_true(room_may_send(&f.r, w[1]));
  assert_int_equal(room_lobby_place(&f.r, w[4]), 4);
  assert_int_equal(act_on(&f, host, ACT_ADMIT, w[1]), ERR_NO_CHANGE); /* two hosts at once: no fault */
  assert_int_equal(act_on2(&f, host, ACT_ADMIT, w[0], w[1]), ERR_OK);
  assert_int_equal(count_events(&f, ROOM_EV_ADMITTED), 1);
  assert_int_equal(act_on(&f, host, ACT_ADMIT, 99), ERR_NO_MEMBER);
  assert_int_equal(act(&f, host, ACT_ADMIT_ALL), ERR_OK);
  assert_int_equal(room_count(&f.r, PRESENCE_WAITING), 0);
  assert_false(room_may_send(&f.r, w[4])); /* admitted as audience */
  assert_int_equal(act(&f, host, ACT_ADMIT_ALL), ERR_NOTHING);
  fix_close(&f);
}

static void who_waits_can_only_leave(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, true, HOST_GONE_CONTINUE);
  uint32_t host = join(&f, "Host", ROLE_HOST), w = join(&f, "W", ROLE_SPEAKER);
  for (int a = 0; a < ACT__COUNT; a++)
    if (a != ACT_LEAVE)
      assert_int_equal(act(&f, w, (enum act)a), ERR_IN_LOBBY);
  assert_false(room_may_hear(&f.r, w));
  assert_false(room_may_send(&f.r, w));
  assert_int_equal(act_on(&f, host, ACT_MUTE, w), ERR_NO_MEMBER);
  assert_int_equal(act_msg(&f, w, host, "hello"), ERR_IN_LOBBY);
  assert_int_equal(act_on(&f, host, ACT_REMOVE, w), ERR_NO_MEMBER);
  assert_int_equal(act(&f, w, ACT_LEAVE), ERR_OK);
  assert_null(room_member(&f.r, w));
  fix_close(&f);
}

static void denied_people_are_gone_and_may_knock_again(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, true, HOST_GONE_CONTINUE);
  uint32_t host = join(&f, "Host", ROLE_HOST), w = join(&f, "W", ROLE_SPEAKER);
  assert_int_equal(act_on(&f, host, ACT_DENY, host), ERR_NO_MEMBER);
  uint32_t ids[1] = {w};
  struct room_cmd deny = {
      .act = ACT_DENY, .actor = host, .targets = ids, .n_targets = 1, .text = "not\x1b[2J now"};
  assert_int_equal(fix_do(&f, &deny), ERR_OK);
  assert_null(strchr(f.last.v[0].text, '\x1b')); /* a reason is shown to people */
  assert_int_equal(resume(&f, w), ERR_NO_RESUME);
  uint32_t again = join(&f, "W", ROLE_SPEAKER);
  assert_true(again > w); /* ids are never used twice */
  fix_close(&f);
}

static void with_the_lobby_off_people_join_directly(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, true, HOST_GONE_CONTINUE);
  uint32_t host = join(&f, "Host", ROLE_HOST), w = join(&f, "W", ROLE_SPEAKER);
  assert_int_equal(act_num(&f, host, ACT_LOBBY, 0), ERR_OK);
  assert_int_equal(who(&f, w)->presence, PRESENCE_WAITING); /* who knocked before still waits */
  assert_int_equal(who(&f, join(&f, "D", ROLE_AUDIENCE))->presence, PRESENCE_HERE);
  assert_int_equal(act_num(&f, host, ACT_LOBBY, 0), ERR_NO_CHANGE);
  assert_int_equal(act_num(&f, host, ACT_LOBBY, 2), ERR_BAD_ARG);
  fix_close(&f);
}

static void invites_carry_role_bypass_uses_and_end(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, true, HOST_GONE_CONTINUE);
  uint32_t owner = join(&f, "Owner", ROLE_OWNER), co = join(&f, "Co", ROLE_COHOST), id, first;
  make_invite(&f, owner, (struct invite){.role = ROLE_HOST}, 1);
  make_invite(&f, owner, (struct invite){.role = ROLE_AUDIENCE, .bypass = true, .uses_left = 2}, 2);
  make_invite(&f, owner, (struct invite){.role = ROLE_SPEAKER, .expires_ms = f.now + 1000}, 3);
  assert_int_equal(enter_with(&f, "Ada", 1, &first), ERR_OK);
  assert_int_equal(who(&f, first)->role, ROLE_HOST);
  assert_int_equal(act(&f, first, ACT_LEAVE), ERR_OK);
  assert_int_equal(enter_with(&f, "Ada", 1, &id), ERR_OK); /* comes back with his link: host again */
  assert_int_equal(who(&f, id)->role, ROLE_HOST);
  assert_int_equal(enter_with(&f, "B1", 2, &id), ERR_OK);
  assert_int_equal(who(&f, id)->presence, PRESENCE_HERE);
  assert_int_equal(enter_with(&f, "B2", 2, &id), ERR_OK);
  assert_int_equal(enter_with(&f, "B3", 2, &id), ERR_BAD_INVITE); /* used up */
  assert_int_equal(enter_with(&f, "C", 3, &id), ERR_OK);
  assert_int_equal(who(&f, id)->presence, PRESENCE_WAITING);
  f.now += 1000;
  assert_int_equal(enter_with(&f, "C", 3, &id), ERR_BAD_INVITE); /* expired */
  assert_int_equal(enter_with(&f, "C", 9, &id), ERR_BAD_INVITE); /* unknown */
  struct room_join none = person("Nobody", ROLE_NONE);
  assert_int_equal(fix_enter(&f, &none, &id), ERR_BAD_INVITE);
  uint64_t host_invite = f.r.invites[0].id;
  assert_int_equal(act_num(&f, co, ACT_INVITE_REVOKE, (int64_t)host_invite), ERR_RANK);
  assert_int_equal(act_num(&f, owner, ACT_INVITE_REVOKE, (int64_t)host_invite), ERR_OK);
  assert_int_equal(enter_with(&f, "Ada", 1, &id), ERR_BAD_INVITE);
  assert_int_equal(act_num(&f, owner, ACT_INVITE_REVOKE, (int64_t)host_invite), ERR_NOTHING);
  fix_close(&f);
}

static void without_a_host_newcomers_knock_when_the_policy_says_so(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, false, HOST_GONE_LOBBY);
  uint32_t host = join(&f, "Host", ROLE_HOST), id;
  make_invite(&f, host, (struct invite){.role = ROLE_SPEAKER, .bypass = true}, 1);
  assert_int_equal(enter_with(&f, "In", 1, &id), ERR_OK);
  assert_int_equal(who(&f, id)->presence, PRESENCE_HERE);
  assert_int_equal(drop(&f, host), ERR_OK); /* away still counts as there */
  assert_int_equal(enter_with(&f, "In too", 1, &id), ERR_OK);
  assert_int_equal(who(&f, id)->presence, PRESENCE_HERE);
  f.now += ROOM_AWAY_MS;
  expire(&f);
  assert_int_equal(enter_with(&f, "Waits", 1, &id), ERR_OK);
  assert_int_equal(who(&f, id)->presence, PRESENCE_WAITING);
  assert_int_equal(who(&f, join(&f, "Host", ROLE_HOST))->presence, PRESENCE_HERE);
  assert_int_equal(enter_with(&f, "In again", 1, &id), ERR_OK);
  assert_int_equal(who(&f, id)->presence, PRESENCE_HERE);
  fix_close(&f);
}

static void a_locked_room_takes_nobody_new_but_lets_people_resume(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, false, HOST_GONE_CONTINUE);
  uint32_t host = join(&f, "Host", ROLE_HOST), a = join(&f, "A", ROLE_SPEAKER), id;
  assert_int_equal(act(&f, host, ACT_LOCK), ERR_OK);
  struct room_join j = person("New", ROLE_SPEAKER);
  assert_int_equal(fix_enter(&f, &j, &id), ERR_ROOM_LOCKED);
  j.role = ROLE_MONITOR;
  assert_int_equal(fix_enter(&f, &j, &id), ERR_ROOM_LOCKED);
  j.role = ROLE_COHOST;
  assert_int_equal(fix_enter(&f, &j, &id), ERR_OK);
  assert_int_equal(drop(&f, a), ERR_OK);
  assert_int_equal(resume(&f, a), ERR_OK);
  assert_int_equal(act(&f, host, ACT_LOCK), ERR_NO_CHANGE);
  assert_int_equal(act(&f, host, ACT_UNLOCK), ERR_OK);
  assert_int_equal(who(&f, join(&f, "New too", ROLE_SPEAKER))->presence, PRESENCE_HERE);
  fix_close(&f);
}

static void two_people_never_show_the_same_name(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, false, HOST_GONE_CONTINUE);
  uint32_t a = join(&f, "Bob", ROLE_SPEAKER), b = join(&f, "  bOB ", ROLE_SPEAKER),
           c = join(&f, "BOB", ROLE_SPEAKER);
  assert_string_equal(who(&f, a)->name, "Bob");
  assert_string_equal(who(&f, b)->name, "bOB (2)");
  assert_string_equal(who(&f, c)->name, "BOB (3)");
  assert_int_equal(act(&f, b, ACT_LEAVE), ERR_OK);
  assert_string_equal(who(&f, join(&f, "bob", ROLE_SPEAKER))->name, "bob (2)");
  assert_string_equal(who(&f, join(&f, "Bob (2)", ROLE_SPEAKER))->name, "Bob (2) (2)");
  assert_string_equal(who(&f, join(&f, "Operator", ROLE_SPEAKER))->name, "Operator (2)");
  assert_string_equal(who(&f, join(&f, "B\xe2\x80\x8bob", ROLE_SPEAKER))->name, "Bob (4)"); /* zero width */
  char wide[TEXT_NAME_MAX + 1] = ""; /* 32 wide characters fill both the bytes and the columns */
  for (int i = 0; i < 32; i++)
    memcpy(wide + i * 3, "\xe6\xbc\xa2", 4);
  join(&f, wide, ROLE_SPEAKER);
  const struct member *m = who(&f, join(&f, wide, ROLE_SPEAKER));
  assert_true(text_utf8_valid(m->name, strlen(m->name)));
  assert_true(text_width(m->name) <= TEXT_NAME_COLS);
  assert_non_null(strstr(m->name, " (2)"));
  struct room_join j = person("\xe2\x80\x8b", ROLE_SPEAKER);
  uint32_t id;
  assert_int_equal(fix_enter(&f, &j, &id), ERR_BAD_NAME);
  fix_close(&f);
}

static void removed_people_may_come_again_but_not_resume(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, false, HOST_GONE_CONTINUE);
  uint32_t host = join(&f, "Host", ROLE_HOST), a = join(&f, "A", ROLE_SPEAKER);
  assert_int_equal(act_on(&f, host, ACT_REMOVE, a), ERR_OK);
  assert_int_equal(resume(&f, a), ERR_NO_RESUME);
  assert_int_equal(f.r.n_bans, 0);
  assert_true(join(&f, "A", ROLE_SPEAKER) > a);
  fix_close(&f);
}

static uint32_t enter_as(struct fixture *f, const char *name, const char *user, uint8_t device,
                         enum err want) {
  struct room_join j = person(name, ROLE_SPEAKER);
  j.user = user;
  j.device[0] = device;
  uint32_t id;
  assert_int_equal(fix_enter(f, &j, &id), want);
  return id;
}

static void a_ban_holds_on_to_user_or_device(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, false, HOST_GONE_CONTINUE);
  uint32_t host = join(&f, "Host", ROLE_HOST);
  uint32_t user = enter_as(&f, "Mallory", "mallory@x", 7, ERR_OK),
           guest = enter_as(&f, "Guest", "", 8, ERR_OK);
  uint32_t blank = enter_as(&f, "Blank", "", 0, ERR_OK);
  uint32_t ids[3] = {user, guest, blank};
  struct room_cmd ban = {.act = ACT_BAN, .actor = host, .targets = ids, .n_targets = 3, .text = "spam"};
  assert_int_equal(fix_do(&f, &ban), ERR_OK);
  assert_int_equal(count_events(&f, ROOM_EV_BANNED), 3);
  assert_int_equal(count_events(&f, ROOM_EV_REMOVED), 1);
  assert_int_equal(f.r.n_members, 1); /* nothing of them is left in the table */
  assert_int_equal(f.r.n_bans, 3);
  enter_as(&f, "M2", "mallory@x", 99, ERR_BANNED); /* another device */
  enter_as(&f, "M3", "", 7, ERR_BANNED);           /* logged out */
  enter_as(&f, "Wife", "alice@x", 7, ERR_OK);      /* another known person there */
  enter_as(&f, "G2", "", 8, ERR_BANNED);
  enter_as(&f, "Other", "", 0, ERR_OK); /* a ban without user and device matches nobody */
  uint64_t id = f.r.bans[0].id;
  assert_int_equal(act_num(&f, host, ACT_UNBAN, (int64_t)id), ERR_OK);
  assert_int_equal(act_num(&f, host, ACT_UNBAN, (int64_t)id), ERR_NOTHING);
  enter_as(&f, "M4", "mallory@x", 7, ERR_OK);
  fix_close(&f);
}

static void an_owner_is_never_banned_and_who_waits_can_be(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, true, HOST_GONE_CONTINUE);
  uint32_t owner = join(&f, "Owner", ROLE_OWNER), co = join(&f, "Co", ROLE_COHOST);
  assert_int_equal(act_on(&f, 0, ACT_BAN, owner), ERR_NOT_ALLOWED);
  assert_int_equal(act_on(&f, 0, ACT_REMOVE, owner), ERR_OK);
  uint32_t w = enter_as(&f, "W", "", 3, ERR_OK);
  assert_int_equal(act_on(&f, co, ACT_BAN, w), ERR_OK);
  enter_as(&f, "W", "", 3, ERR_BANNED);
  struct room_join j = person("Owner", ROLE_OWNER); /* his device was banned with somebody else's name */
  j.device[0] = 3;
  uint32_t id;
  assert_int_equal(fix_enter(&f, &j, &id), ERR_OK);
  fix_close(&f);
}

static void the_lobby_and_the_room_have_limits(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, true, HOST_GONE_CONTINUE);
  join(&f, "Host", ROLE_HOST);
  for (int i = 0; i < ROOM_WAITING_MAX; i++)
    join(&f, "bob", ROLE_SPEAKER);
  char last[TEXT_NAME_MAX + 1];
  (void)snprintf(last, sizeof last, "bob (%d)", ROOM_WAITING_MAX);
  assert_string_equal(f.r.members[ROOM_WAITING_MAX].name, last);
  struct room_join j = person("One more", ROLE_SPEAKER);
  uint32_t id;
  assert_int_equal(fix_enter(&f, &j, &id), ERR_LOBBY_FULL);
  fix_close(&f);
  fix_open(&f, false, HOST_GONE_CONTINUE);
  struct room_events out = {0};
  j.name = "bob"; /* without room_check after each, which is for tests and slow with thousands */
  for (int i = 0; i < ROOM_MEMBERS_MAX; i++) {
    assert_int_equal(room_decide_join(&f.r, &j, f.now, &out), ERR_OK);
    room_apply(&f.r, &out.v[0]);
    room_events_free(&out);
  }
  assert_null(room_check(&f.r));
  assert_int_equal(room_decide_join(&f.r, &j, f.now, &out), ERR_ROOM_FULL);
  fix_close(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(newcomers_knock_and_are_admitted_one_several_or_all),
      cmocka_unit_test(who_waits_can_only_leave),
      cmocka_unit_test(denied_people_are_gone_and_may_knock_again),
      cmocka_unit_test(with_the_lobby_off_people_join_directly),
      cmocka_unit_test(invites_carry_role_bypass_uses_and_end),
      cmocka_unit_test(without_a_host_newcomers_knock_when_the_policy_says_so),
      cmocka_unit_test(a_locked_room_takes_nobody_new_but_lets_people_resume),
      cmocka_unit_test(two_people_never_show_the_same_name),
      cmocka_unit_test(removed_people_may_come_again_but_not_resume),
      cmocka_unit_test(a_ban_holds_on_to_user_or_device),
      cmocka_unit_test(an_owner_is_never_banned_and_who_waits_can_be),
      cmocka_unit_test(the_lobby_and_the_room_have_limits),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
