/* login: the limits on guessing, the second factor, and that nobody learns which accounts exist. */
#include "tests/unit/access/accounts_kit.h"

static void test_right(void **state) {
  struct kit *k = *state;
  struct login_try t;
  kit_account(k, "anna", "room:join");
  assert_int_equal(login_begin(k->a, "anna", HOME, &t, &k->retry_s), ERR_OK);
  assert_string_equal(t.phc, PHC);
  assert_int_equal(login_end(k->a, "anna", &t, true, "", HOME, &k->mfa), ERR_OK);
  assert_string_equal(t.pid, user_pid(k->a, "anna"));
  assert_false(k->mfa);
  assert_int_equal(kit_audited(k, "login.ok"), 1);
}

static void test_unknown_is_like_wrong(void **state) {
  struct kit *k = *state;
  struct login_try t;
  kit_account(k, "anna", "room:join");
  static const char *const NAMES[] = {"anna", "nobody", "", "no such name!", "../../etc"};
  for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
    for (int try = 0; try < 5; try++) {
      uint8_t addr[16] = {0x20, 0x01, [7] = (uint8_t)(i * 10 + (size_t)try)};
      assert_int_equal(login_begin(k->a, NAMES[i], addr, &t, &k->retry_s), ERR_OK);
      assert_string_equal(t.phc, i == 0 ? PHC : "");
      /* even when the comparison were to say yes to nobody */
      assert_int_equal(login_end(k->a, NAMES[i], &t, i != 0, "", addr, &k->mfa), ERR_BAD_LOGIN);
    }
    uint8_t addr[16] = {0x20, 0x02, [7] = (uint8_t)i};
    assert_int_equal(login_begin(k->a, NAMES[i], addr, &t, &k->retry_s), ERR_RATE);
    assert_int_equal(k->retry_s, 15 * 60);
  }
  assert_true(kit_audited(k, "login.refused") >= 3); /* equal ones of one network become one line */
}

/* 5 tries, then 15 minutes, then 30, then an hour and never more. */
static void test_lock_grows(void **state) {
  struct kit *k = *state;
  static const int LOCK_S[] = {900, 1800, 3600, 3600};
  kit_account(k, "anna", "room:join");
  for (size_t i = 0; i < 4; i++) {
    for (int try = 0; try < 5; try++)
      assert_int_equal(kit_login(k, "anna", false, "", i % 2 ? HOME : ABROAD), ERR_BAD_LOGIN);
    assert_int_equal(kit_login(k, "anna", true, "", V6),
                     ERR_RATE); /* also with the right one, from anywhere */
    assert_int_equal(k->retry_s, LOCK_S[i]);
    kit_pass(k, LOCK_S[i] * SECOND - 1);
    assert_int_equal(kit_login(k, "anna", true, "", V6), ERR_RATE);
    kit_pass(k, 1);
  }
  assert_int_equal(kit_login(k, "anna", true, "", V6), ERR_OK);
  for (int try = 0; try < 5; try++) /* a right one wipes the slate */
    assert_int_equal(kit_login(k, "anna", false, "", V6), ERR_BAD_LOGIN);
  assert_int_equal(kit_login(k, "anna", true, "", V6), ERR_RATE);
  assert_int_equal(k->retry_s, 900);
}

static void test_window(void **state) {
  struct kit *k = *state;
  kit_account(k, "anna", "room:join");
  for (int i = 0; i < 30; i++) { /* 4 in 15 minutes is a bad memory */
    assert_int_equal(kit_login(k, "anna", false, "", HOME), ERR_BAD_LOGIN);
    kit_pass(k, i % 4 == 3 ? 15 * MINUTE : SECOND);
  }
}

static void test_address(void **state) {
  struct kit *k = *state;
  char name[24];
  kit_account(k, "anna", "room:join");
  for (int i = 0; i < 20; i++) {
    snprintf(name, sizeof name, "guess%d", i);
    assert_int_equal(kit_login(k, name, false, "", HOME), ERR_BAD_LOGIN);
  }
  assert_int_equal(kit_login(k, "anna", true, "", HOME), ERR_RATE);
  assert_int_equal(k->retry_s, 15 * 60);
  assert_int_equal(kit_login(k, "anna", true, "", NEIGHBOUR), ERR_OK); /* v4: a /32 */
  for (int i = 0; i < 30; i++) /* the address that is out does not use up anna's tries */
    assert_int_equal(kit_login(k, "anna", false, "", HOME), ERR_RATE);
  assert_int_equal(kit_login(k, "anna", true, "", NEIGHBOUR), ERR_OK);
  kit_pass(k, 15 * MINUTE);
  assert_int_equal(kit_login(k, "anna", true, "", HOME), ERR_OK);
}

static void test_address_v6(void **state) {
  struct kit *k = *state;
  char name[24];
  uint8_t addr[16], other[16];
  memcpy(addr, V6, 16);
  memcpy(other, V6, 16);
  other[7] ^= 1;
  for (uint8_t i = 0; i < 20; i++) {
    snprintf(name, sizeof name, "guess%d", i);
    addr[15] = i; /* one person has a /64 */
    assert_int_equal(kit_login(k, name, false, "", addr), ERR_BAD_LOGIN);
  }
  assert_int_equal(kit_login(k, "another", false, "", V6), ERR_RATE);
  assert_int_equal(kit_login(k, "another", false, "", other), ERR_BAD_LOGIN);
}

static void test_many_right(void **state) {
  struct kit *k = *state;
  kit_account(k, "anna", "room:join");
  for (int i = 0; i < 100; i++) /* who knows the password is not limited */
    assert_int_equal(kit_login(k, "anna", true, "", HOME), ERR_OK);
}

/* More names than there are places: those who are held stay held as long as they can. */
static void test_flood_of_names(void **state) {
  struct kit *k = *state;
  struct login_try t;
  char name[24];
  for (unsigned i = 0; i < 3000; i++) {
    uint8_t addr[16] = {0x20, 0x01, [4] = (uint8_t)(i >> 8), [5] = (uint8_t)i};
    snprintf(name, sizeof name, "name%u", i);
    assert_int_equal(login_begin(k->a, name, addr, &t, &k->retry_s), ERR_OK);
    kit_pass(k, 1);
  }
}

/* The disk was full: what was lost with the group is not who is locked out, and nothing is read again for a
 * group that changed no document. */
static void test_lost_group(void **state) {
  struct kit *k = *state;
  kit_account(k, "anna", "room:join");
  kit_commit(k);
  access_kept(k->a);
  for (int i = 0; i < 5; i++)
    assert_int_equal(kit_login(k, "anna", false, "", HOME), ERR_BAD_LOGIN);
  for (int i = 0; i < 5; i++)
    assert_int_equal(kit_login(k, "nobody", false, "", HOME), ERR_BAD_LOGIN);
  uint64_t held = login_limits_held(k->a)[0], revision = access_revision(k->a);
  store_rollback(k->store);
  access_reload(k->a);
  assert_int_equal(access_revision(k->a), revision); /* audit lines alone */
  kit_account(k, "ben", "room:join");
  store_rollback(k->store);
  access_reload(k->a);
  assert_true(access_revision(k->a) > revision);
  assert_int_equal(login_limits_held(k->a)[0], held);
  assert_int_equal(kit_login(k, "anna", true, "", HOME), ERR_RATE);
  assert_int_equal(kit_login(k, "nobody", true, "", HOME), ERR_RATE);
  assert_int_equal(kit_login(k, "ben", true, "", NEIGHBOUR), ERR_BAD_LOGIN);
}

static void test_clock_back(void **state) {
  struct kit *k = *state;
  kit_account(k, "anna", "room:join");
  for (int i = 0; i < 5; i++)
    assert_int_equal(kit_login(k, "anna", false, "", HOME), ERR_BAD_LOGIN);
  assert_int_equal(kit_login(k, "anna", true, "", HOME), ERR_RATE);
  kit_pass(k, -DAY); /* nobody is out for a day because the clock was wrong */
  assert_int_equal(kit_login(k, "anna", true, "", HOME), ERR_OK);
}

/* A worker that is busy is not somebody's wrong password. */
static void test_busy(void **state) {
  struct kit *k = *state;
  struct login_try t;
  kit_account(k, "anna", "room:join");
  for (int i = 0; i < 100; i++) {
    assert_int_equal(login_begin(k->a, "anna", HOME, &t, &k->retry_s), ERR_OK);
    login_cancel(k->a, "anna", HOME);
  }
  for (int i = 0; i < 5; i++)
    assert_int_equal(kit_login(k, "anna", false, "", HOME), ERR_BAD_LOGIN);
  assert_int_equal(kit_login(k, "anna", false, "", HOME), ERR_RATE);
}

/* A session that is signed in is not touched by what others guess. */
static void test_session_goes_on(void **state) {
  struct kit *k = *state;
  struct grant g;
  kit_account(k, "anna", "room:join");
  json_t *tokens = kit_session(k, "anna", "", false);
  for (int i = 0; i < 40; i++)
    (void)kit_login(k, "anna", false, "", HOME);
  assert_int_equal(access_token(k->a, ACCESS(tokens), "", HOME, &g), ERR_OK);
  assert_int_equal(access_still(k->a, &g), ERR_OK);
  json_decref(tokens);
}

/* ---- the second factor ---- */

static void test_mfa(void **state) {
  struct kit *k = *state;
  kit_account(k, "anna", "room:moderate");
  struct kit_totp t = kit_enrol(k, "anna");
  assert_int_equal(kit_login(k, "anna", true, "", HOME), ERR_NEED_TOTP);
  assert_string_equal(k->pid, "");
  assert_false(k->mfa);
  assert_int_equal(kit_login(k, "anna", false, kit_code(k, &t, 0), HOME),
                   ERR_BAD_LOGIN); /* the code alone is nothing */
  assert_int_equal(kit_login(k, "anna", true, kit_code(k, &t, 0), HOME), ERR_OK);
  assert_true(k->mfa);
  assert_int_equal(kit_audited(k, "mfa.ok"), 1);
}

/* Bad input 14: the same code twice, also after a restart; two steps ahead. */
static void test_mfa_replay(void **state) {
  struct kit *k = *state;
  kit_account(k, "anna", "room:moderate");
  struct kit_totp t = kit_enrol(k, "anna");
  assert_int_equal(kit_login(k, "anna", true, kit_code(k, &t, 2), HOME), ERR_BAD_LOGIN);
  assert_int_equal(kit_login(k, "anna", true, kit_code(k, &t, 0), HOME), ERR_OK);
  assert_int_equal(kit_login(k, "anna", true, kit_code(k, &t, 0), HOME), ERR_BAD_LOGIN);
  assert_int_equal(kit_login(k, "anna", true, kit_code(k, &t, -1), HOME), ERR_BAD_LOGIN);
  kit_restart(k);
  assert_int_equal(kit_login(k, "anna", true, kit_code(k, &t, 0), HOME), ERR_BAD_LOGIN);
  assert_int_equal(kit_login(k, "anna", true, kit_code(k, &t, 1), HOME), ERR_OK);
  assert_true(kit_audited(k, "mfa.refused") > 0);
}

/* Bad input 14: six wrong ones: the sixth, and then the right one, has to wait a quarter of an hour. */
static void test_mfa_six_wrong(void **state) {
  struct kit *k = *state;
  kit_account(k, "anna", "room:moderate");
  struct kit_totp t = kit_enrol(k, "anna");
  for (int i = 0; i < 5; i++)
    assert_int_equal(kit_login(k, "anna", true, "000000", i % 2 ? HOME : ABROAD), ERR_BAD_LOGIN);
  assert_int_equal(kit_login(k, "anna", true, "000000", HOME), ERR_RATE);
  assert_int_equal(kit_login(k, "anna", true, kit_code(k, &t, 0), V6), ERR_RATE);
  assert_int_equal(kit_login(k, "anna", true, t.recovery[0], V6), ERR_RATE);
  kit_pass(k, 15 * MINUTE - 1);
  assert_int_equal(kit_login(k, "anna", true, kit_code(k, &t, 0), V6), ERR_RATE);
  kit_pass(k, 1);
  assert_int_equal(kit_login(k, "anna", true, kit_code(k, &t, 0), V6), ERR_OK);
}

static void test_recovery(void **state) {
  struct kit *k = *state;
  json_t *reply;
  kit_account(k, "anna", "room:moderate");
  struct kit_totp t = kit_enrol(k, "anna");
  assert_int_equal(kit_login(k, "anna", true, t.recovery[3], HOME), ERR_OK);
  assert_true(k->mfa);
  assert_int_equal(kit_login(k, "anna", true, t.recovery[3], HOME), ERR_BAD_LOGIN);
  kit_restart(k);
  assert_int_equal(kit_login(k, "anna", true, t.recovery[3], HOME), ERR_BAD_LOGIN); /* used is used */
  assert_int_equal(kit_login(k, "anna", true, "aaaa-aaaa-aaaa-aaaa", HOME), ERR_BAD_LOGIN);
  for (int i = 0; i < TOTP_RECOVERY_CODES; i++)
    if (i != 3)
      assert_int_equal(kit_login(k, "anna", true, t.recovery[i], HOME), ERR_OK);
  assert_int_equal(kit_call(k, "account.list", json_object(), &reply), ERR_OK);
  assert_int_equal(json_int(json_array_get(json_object_get(reply, "accounts"), 0), "recovery_codes", -1), 0);
  json_decref(reply);
  assert_int_equal(kit_login(k, "anna", true, t.recovery[0], HOME), ERR_BAD_LOGIN);
  assert_int_equal(kit_audited(k, "mfa.recovery"), TOTP_RECOVERY_CODES);
}

/* Enrolling again: the old authenticator and the old codes are nothing any more. */
static void test_enrol_again(void **state) {
  struct kit *k = *state;
  kit_account(k, "anna", "room:moderate");
  struct kit_totp old = kit_enrol(k, "anna"), new = kit_enrol(k, "anna");
  assert_int_equal(kit_login(k, "anna", true, kit_code(k, &old, 0), HOME), ERR_BAD_LOGIN);
  assert_int_equal(kit_login(k, "anna", true, old.recovery[0], HOME), ERR_BAD_LOGIN);
  assert_int_equal(kit_login(k, "anna", true, kit_code(k, &new, 0), HOME), ERR_OK);
  assert_int_equal(kit_call(k, "account.totp_off", json_pack("{s:s}", "name", "anna"), NULL), ERR_OK);
  assert_int_equal(kit_call(k, "account.totp_off", json_pack("{s:s}", "name", "anna"), NULL), ERR_NO_CHANGE);
  assert_int_equal(kit_login(k, "anna", true, "", HOME), ERR_OK);
  assert_false(k->mfa);
  assert_int_equal(kit_login(k, "anna", true, "123456", HOME),
                   ERR_OK); /* a code nobody asked for proves nothing */
  assert_false(k->mfa);
}

static void test_rehash(void **state) {
  struct kit *k = *state;
  struct login_try t, nobody;
  kit_account(k, "anna", "room:join");
  assert_int_equal(login_begin(k->a, "anna", HOME, &t, &k->retry_s), ERR_OK);
  assert_int_equal(login_begin(k->a, "nobody", HOME, &nobody, &k->retry_s), ERR_OK);
  login_rehash(k->a, &t, "plain text");
  login_rehash(k->a, &nobody, PHC_OTHER);
  login_rehash(k->a, &t, PHC_OTHER);
  kit_restart(k);
  assert_int_equal(login_begin(k->a, "anna", HOME, &t, &k->retry_s), ERR_OK);
  assert_string_equal(t.phc, PHC_OTHER);
}

/* While the worker compares with the old password there is a new one: the old one opens nothing, and the
 * stronger hash of it does not come back in its place. */
static void test_changed_meanwhile(void **state) {
  struct kit *k = *state;
  struct login_try t;
  kit_account(k, "anna", "room:join");
  assert_int_equal(login_begin(k->a, "anna", HOME, &t, &k->retry_s), ERR_OK);
  assert_int_equal(
      kit_call(k, "account.password", json_pack("{s:s,s:s}", "name", "anna", "phc", PHC_OTHER), NULL),
      ERR_OK);
  assert_int_equal(login_end(k->a, "anna", &t, true, "", HOME, &k->mfa), ERR_BAD_LOGIN);
  login_rehash(k->a, &t, PHC);
  assert_int_equal(login_begin(k->a, "anna", HOME, &t, &k->retry_s), ERR_OK);
  assert_string_equal(t.phc, PHC_OTHER);
}

/* Another account of the same name, and even of the same password, is not the one that was compared. */
static void test_another_meanwhile(void **state) {
  struct kit *k = *state;
  struct login_try t;
  kit_account(k, "anna", "room:join");
  assert_int_equal(login_begin(k->a, "anna", HOME, &t, &k->retry_s), ERR_OK);
  assert_int_equal(kit_call(k, "account.remove", json_pack("{s:s}", "name", "anna"), NULL), ERR_OK);
  assert_int_equal(login_end(k->a, "anna", &t, true, "", HOME, &k->mfa), ERR_BAD_LOGIN);
  kit_account(k, "anna", "room:join");
  assert_int_equal(login_end(k->a, "anna", &t, true, "", HOME, &k->mfa), ERR_BAD_LOGIN);
  login_rehash(k->a, &t, PHC_OTHER);
  assert_int_equal(login_begin(k->a, "anna", HOME, &t, &k->retry_s), ERR_OK);
  assert_string_equal(t.phc, PHC);
}

/* Who has a whole network has its addresses, but not a try for each; and the row that held is counted. */
static void test_network(void **state) {
  struct kit *k = *state;
  char name[24];
  uint8_t v4[16], v6[16];
  memcpy(v4, ABROAD, 16);
  memcpy(v6, V6, 16);
  kit_account(k, "anna", "room:join");
  for (unsigned i = 0; i < 100; i++) {
    snprintf(name, sizeof name, "guess%u", i);
    v4[15] = v6[7] = (uint8_t)i;
    assert_int_equal(kit_login(k, name, false, "", v4), ERR_BAD_LOGIN);
    assert_int_equal(kit_login(k, name, false, "", v6), ERR_BAD_LOGIN);
  }
  v4[15] = v6[7] = 200;
  assert_int_equal(kit_login(k, "anna", true, "", v4), ERR_RATE);
  assert_int_equal(kit_login(k, "anna", true, "", v6), ERR_RATE);
  assert_int_equal(login_limits_held(k->a)[LOGIN_ADDRESS_NETWORK], 2);
  assert_int_equal(login_limits_held(k->a)[LOGIN_ADDRESS], 0);
  v4[14] ^= 1, v6[5] ^= 1;
  assert_int_equal(kit_login(k, "anna", true, "", v4), ERR_OK);
  assert_int_equal(kit_login(k, "anna", true, "", v6), ERR_OK);
}

/* A record of before the costs were raised: it still opens, and gaveld still starts. */
static void test_weaker(void **state) {
  struct kit *k = *state;
  static const char WEAK[] =
      "$argon2id$v=19$m=7168,t=5,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
  struct login_try t;
  assert_int_equal(kit_call(k, "account.create", json_pack("{s:s,s:s}", "name", "anna", "phc", WEAK), NULL),
                   ERR_OK);
  kit_restart(k);
  assert_int_equal(login_begin(k->a, "anna", HOME, &t, &k->retry_s), ERR_OK);
  assert_string_equal(t.phc, WEAK);
}

int main(void) {
#define T(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)
  const struct CMUnitTest tests[] = {
      T(test_busy),
      T(test_weaker),
      T(test_right),
      T(test_unknown_is_like_wrong),
      T(test_lock_grows),
      T(test_window),
      T(test_address),
      T(test_address_v6),
      T(test_many_right),
      T(test_flood_of_names),
      T(test_lost_group),
      T(test_clock_back),
      T(test_session_goes_on),
      T(test_mfa),
      T(test_mfa_replay),
      T(test_mfa_six_wrong),
      T(test_recovery),
      T(test_enrol_again),
      T(test_rehash),
      T(test_changed_meanwhile),
      T(test_another_meanwhile),
      T(test_network),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
