/* Who came without the second factor that is asked of hosts becomes none, by whatever way. */
#include "room_fixture.h"

static uint32_t enter(struct fixture *f, const char *name, enum role role, bool needs_mfa) {
  struct room_join j = {.name = name, .role = role, .needs_mfa = needs_mfa, .audio = true};
  uint32_t id;
  assert_int_equal(fix_enter(f, &j, &id), ERR_OK);
  return id;
}

static void he_does_not_come_in_as_one(void **state) {
  (void)state;
  struct fixture f;
  uint32_t id;
  fix_open(&f, false, HOST_GONE_CONTINUE);
  for (enum role role = ROLE_MONITOR; role <= ROLE_OWNER; role++) {
    struct room_join j = {.name = "A", .role = role, .needs_mfa = true};
    assert_int_equal(fix_enter(&f, &j, &id), ROLE_IS_MODERATOR(role) ? ERR_NEED_MFA : ERR_OK);
  }
  const uint8_t hash[32] = {7};
  struct invite inv = {.role = ROLE_HOST, .hash = {7}};
  assert_int_equal(fix_do(&f, &(struct room_cmd){.act = ACT_INVITE, .invite = &inv}), ERR_OK);
  struct room_join by_link = {.name = "B", .invite_hash = hash, .needs_mfa = true};
  assert_int_equal(fix_enter(&f, &by_link, &id), ERR_NEED_MFA);
  by_link.needs_mfa = false;
  assert_int_equal(fix_enter(&f, &by_link, &id), ERR_OK);
  fix_close(&f);
}

static void nobody_raises_him(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, false, HOST_GONE_CONTINUE);
  uint32_t host = join(&f, "Host", ROLE_OWNER), a = enter(&f, "A", ROLE_AUDIENCE, true),
           b = enter(&f, "B", ROLE_AUDIENCE, false);
  for (enum role role = ROLE_COHOST; role <= ROLE_OWNER; role++) {
    assert_int_equal(act_role(&f, host, a, role), ERR_NEED_MFA);
    assert_int_equal(act_role(&f, 0, a, role), ERR_NEED_MFA); /* not the operator either: it is his policy */
  }
  assert_int_equal(act_role(&f, host, a, ROLE_SPEAKER), ERR_OK);
  assert_int_equal(act_role(&f, host, b, ROLE_COHOST), ERR_OK);
  assert_int_equal(act_on(&f, host, ACT_HOLD, a), ERR_OK); /* the lobby does not make another of him */
  assert_int_equal(act_on(&f, host, ACT_ADMIT, a), ERR_OK);
  assert_int_equal(act_role(&f, host, a, ROLE_HOST), ERR_NEED_MFA);
  fix_close(&f);
}

static void a_code_does_not_make_him_host(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, false, HOST_GONE_CONTINUE);
  uint32_t host = join(&f, "Host", ROLE_HOST), a = enter(&f, "A", ROLE_SPEAKER, true),
           b = enter(&f, "B", ROLE_SPEAKER, false);
  struct secret code = {.hash = {1, 2, 3}};
  assert_int_equal(fix_do(&f, &(struct room_cmd){.act = ACT_CLAIM_CODE, .actor = host, .secret = &code}),
                   ERR_OK);
  assert_int_equal(fix_do(&f, &(struct room_cmd){.act = ACT_CLAIM, .actor = a, .secret = &code}),
                   ERR_NEED_MFA);
  assert_int_equal(who(&f, a)->role, ROLE_SPEAKER);
  assert_int_equal(fix_do(&f, &(struct room_cmd){.act = ACT_CLAIM, .actor = b, .secret = &code}), ERR_OK);
  fix_close(&f);
}

static void he_succeeds_nobody(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, false, HOST_GONE_CONTINUE);
  uint32_t host = join(&f, "Host", ROLE_HOST), a = enter(&f, "A", ROLE_SPEAKER, true),
           b = enter(&f, "B", ROLE_SPEAKER, false);
  assert_int_equal(act_on2(&f, host, ACT_SUCCESSION, a, b), ERR_NEED_MFA);
  uint32_t both[] = {a, b}; /* though he had been named */
  room_apply(&f.r, &(struct room_event){.seq = f.r.seq + 1,
                                        .group = f.r.seq + 1,
                                        .kind = ROOM_EV_SUCCESSION,
                                        .targets = both,
                                        .n_targets = 2});
  assert_int_equal(act(&f, host, ACT_LEAVE), ERR_OK);
  expire(&f);
  assert_int_equal(who(&f, a)->role, ROLE_SPEAKER);
  assert_int_equal(who(&f, b)->role, ROLE_HOST);
  fix_close(&f);
}

/* Nor does taking back what made him less, however he had been more. */
static void undo_does_not_make_him_host(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, false, HOST_GONE_CONTINUE);
  uint32_t host = join(&f, "Host", ROLE_OWNER), a = enter(&f, "A", ROLE_SPEAKER, true);
  room_apply(&f.r, &(struct room_event){.seq = f.r.seq + 1,
                                        .group = f.r.seq + 1,
                                        .kind = ROOM_EV_ROLE,
                                        .num = ROLE_HOST,
                                        .num2 = ROLE_SPEAKER,
                                        .targets = &a,
                                        .n_targets = 1});
  assert_int_equal(act_role(&f, host, a, ROLE_SPEAKER), ERR_OK);
  assert_int_equal(act(&f, host, ACT_UNDO), ERR_NOTHING);
  assert_int_equal(who(&f, a)->role, ROLE_SPEAKER);
  fix_close(&f);
}

/* What a session allows is the most an invite gives. */
static void an_invite_gives_no_more_than_allowed(void **state) {
  (void)state;
  struct fixture f;
  uint32_t id;
  const uint8_t hash[32] = {7};
  fix_open(&f, false, HOST_GONE_CONTINUE);
  for (enum role gives = ROLE_MONITOR; gives <= ROLE_OWNER; gives++)
    for (enum role most = ROLE_NONE; most <= ROLE_OWNER; most++) {
      struct invite inv = {.role = gives, .hash = {7}, .uses_left = 1};
      struct room_join j = {.name = "A", .invite_hash = hash, .most = most};
      assert_int_equal(fix_do(&f, &(struct room_cmd){.act = ACT_INVITE, .invite = &inv}), ERR_OK);
      assert_int_equal(fix_enter(&f, &j, &id), ERR_OK);
      assert_int_equal(who(&f, id)->role, most == ROLE_NONE || most > gives ? gives : most);
    }
  fix_close(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(he_does_not_come_in_as_one),    cmocka_unit_test(nobody_raises_him),
      cmocka_unit_test(a_code_does_not_make_him_host), cmocka_unit_test(he_succeeds_nobody),
      cmocka_unit_test(undo_does_not_make_him_host),   cmocka_unit_test(an_invite_gives_no_more_than_allowed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
