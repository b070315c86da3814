/* oauth: the device flow of RFC 8628: who polls, who guesses, who decides, and that a code is redeemed once.
 */
#include "tests/unit/access/accounts_kit.h"

static enum err show(struct kit *k, const char *code, const uint8_t *addr) {
  json_t *reply = json_object();
  enum err e = oauth_device_show(k->a, code, addr, reply);
  json_decref(reply);
  return e;
}

static const char *user_code(const json_t *device) {
  return json_str(device, "user_code", "");
}

static void sign_in(struct kit *k) {
  kit_account(k, "anna", "room:join room:moderate");
  assert_int_equal(kit_login(k, "anna", true, "", HOME), ERR_OK);
}

static void test_flow(void **state) {
  struct kit *k = *state;
  sign_in(k);
  json_t *d = kit_device(k, "room:join room:admin", HOME), *shown = json_object(), *tokens;
  assert_int_equal(strlen(json_str(d, "device_code", "")), 43);
  assert_int_equal(json_int(d, "expires_in", 0), 600);
  assert_int_equal(json_int(d, "interval", 0), 5);
  const char *code = user_code(d);
  assert_int_equal(strlen(code), 9);
  assert_int_equal(strspn(code, "BCDFGHJKLMNPQRSTVWXZ"), 4);
  assert_int_equal(code[4], '-');
  assert_int_equal(strspn(code + 5, "BCDFGHJKLMNPQRSTVWXZ"), 4);
  assert_string_equal(json_str(d, "verification_uri", ""), BASE "/device");
  char complete[128];
  snprintf(complete, sizeof complete, BASE "/device?user_code=%s", code);
  assert_string_equal(json_str(d, "verification_uri_complete", ""), complete);
  assert_int_equal(kit_poll(k, d, NULL), ERR_PENDING);

  kit_pass(k, 40 * SECOND);
  assert_int_equal(oauth_device_show(k->a, code, ABROAD, shown), ERR_OK);
  assert_string_equal(json_str(shown, "client", ""), "gavel");
  assert_string_equal(json_str(shown, "network", ""), "192.0.2.0/24");
  assert_int_equal(json_int(shown, "age_s", 0), 40);
  assert_string_equal(json_str(shown, "user_code", ""), code);
  assert_string_equal(json_str(shown, "scope", ""), "room:join room:admin");

  assert_int_equal(oauth_device_decide(k->a, code, k->pid, false, true), ERR_OK);
  assert_int_equal(kit_poll(k, d, &tokens), ERR_OK);
  assert_int_equal(strlen(ACCESS(tokens)), 47);
  assert_memory_equal(ACCESS(tokens), "cs1_", 4);
  assert_int_equal(strlen(REFRESH(tokens)), 47);
  assert_memory_equal(REFRESH(tokens), "cr1_", 4);
  assert_string_equal(json_str(tokens, "token_type", ""), "Bearer");
  assert_int_equal(json_int(tokens, "expires_in", 0), 7200);
  assert_string_equal(json_str(tokens, "scope", ""), "room:join"); /* not more than the account has */
  assert_int_equal(kit_audited(k, "device.approved"), 1);
  assert_int_equal(kit_audited(k, "session.made"), 1);
  json_decref(tokens);
  json_decref(shown);
  json_decref(d);
}

/* Bad input 15: polling every second. */
static void test_poll_too_often(void **state) {
  struct kit *k = *state;
  sign_in(k);
  json_t *d = kit_device(k, "", HOME);
  assert_int_equal(kit_poll(k, d, NULL), ERR_PENDING);
  for (int i = 0; i < 6; i++) { /* the interval grows to 35 s */
    kit_pass(k, SECOND);
    assert_int_equal(kit_poll(k, d, NULL), ERR_SLOW_DOWN);
  }
  kit_pass(k, 35 * SECOND - 1);
  assert_int_equal(kit_poll(k, d, NULL), ERR_SLOW_DOWN); /* 40 s */
  kit_pass(k, 40 * SECOND);
  assert_int_equal(kit_poll(k, d, NULL), ERR_PENDING);
  assert_int_equal(oauth_device_decide(k->a, user_code(d), k->pid, false, true), ERR_OK);
  kit_pass(k, SECOND);
  assert_int_equal(kit_poll(k, d, NULL), ERR_SLOW_DOWN); /* also when it is approved */
  kit_pass(k, 45 * SECOND);
  assert_int_equal(kit_poll(k, d, NULL), ERR_OK);
  json_decref(d);
}

/* Bad input 15: redeeming twice. */
static void test_redeem_twice(void **state) {
  struct kit *k = *state;
  sign_in(k);
  json_t *d = kit_device(k, "", HOME);
  assert_int_equal(oauth_device_decide(k->a, user_code(d), k->pid, false, true), ERR_OK);
  assert_int_equal(oauth_device_decide(k->a, user_code(d), k->pid, false, true), ERR_BAD_CODE);
  assert_int_equal(oauth_device_decide(k->a, user_code(d), k->pid, false, false), ERR_BAD_CODE);
  assert_int_equal(show(k, user_code(d), HOME), ERR_BAD_CODE);
  assert_int_equal(kit_poll(k, d, NULL), ERR_OK);
  kit_pass(k, MINUTE);
  assert_int_equal(kit_poll(k, d, NULL), ERR_BAD_GRANT);
  assert_int_equal(kit_audited(k, "session.made"), 1);
  json_decref(d);
}

/* Bad input 15: guessing user codes: five wrong ones from one network in ten minutes, then not even the right
 * one. */
static void test_guess(void **state) {
  struct kit *k = *state;
  json_t *d = kit_device(k, "", HOME);
  static const char *const WRONG[] = {"BBBB-BBBB", "bbbb", "AEIO-U123", "", "BCDF-GHJK-LMNP"};
  for (size_t i = 0; i < 5; i++)
    assert_int_equal(show(k, WRONG[i], ABROAD), ERR_BAD_CODE);
  assert_int_equal(show(k, "BBBB-BBBC", ABROAD), ERR_RATE);
  assert_int_equal(show(k, user_code(d), ABROAD), ERR_RATE);
  assert_int_equal(show(k, user_code(d), V6), ERR_OK);
  for (int i = 0; i < 50; i++) /* looking at the right one again and again is no guess */
    assert_int_equal(show(k, user_code(d), V6), ERR_OK);
  kit_pass(k, 10 * MINUTE - 1);
  assert_int_equal(show(k, user_code(d), ABROAD), ERR_RATE);
  json_decref(d);
  kit_pass(k, 1);
  d = kit_device(k, "", HOME);
  assert_int_equal(show(k, user_code(d), ABROAD), ERR_OK);
  assert_true(kit_audited(k, "device.refused") > 0);
  json_decref(d);
}

/* From many networks: a thousand in ten minutes over all. */
static void test_guess_from_everywhere(void **state) {
  struct kit *k = *state;
  int right = 0, wrong = 0, limited = 0;
  json_t *d = kit_device(k, "", HOME);
  for (unsigned i = 0; i < 1500; i++) {
    uint8_t addr[16] = {0x20, 0x01, [4] = (uint8_t)(i >> 8), [5] = (uint8_t)i};
    enum err e = show(k, "ZZZZ-ZZZZ", addr);
    wrong += e == ERR_BAD_CODE;
    limited += e == ERR_RATE;
    right += e == ERR_OK;
  }
  assert_int_equal(wrong, 1000);
  assert_int_equal(limited, 500);
  assert_int_equal(right, 0);
  assert_int_equal(show(k, user_code(d), HOME), ERR_RATE);
  sign_in(k);
  assert_int_equal(oauth_device_decide(k->a, user_code(d), k->pid, false, true), ERR_RATE);
  json_decref(d);
}

static void test_typed_code(void **state) {
  struct kit *k = *state;
  json_t *d = kit_device(k, "", HOME);
  char typed[32], *p = typed;
  for (const char *c = user_code(d); *c; c++) { /* small, with blanks, without the dash */
    if (*c == '-')
      continue;
    *p++ = (char)(*c - 'A' + 'a');
    *p++ = ' ';
  }
  *p = 0;
  assert_int_equal(show(k, typed, HOME), ERR_OK);
  json_decref(d);
}

static void test_declined(void **state) {
  struct kit *k = *state;
  sign_in(k);
  json_t *d = kit_device(k, "", HOME);
  assert_int_equal(oauth_device_decide(k->a, user_code(d), k->pid, false, false), ERR_OK);
  assert_int_equal(kit_poll(k, d, NULL), ERR_ACCESS_DENIED);
  assert_int_equal(oauth_device_decide(k->a, user_code(d), k->pid, false, true), ERR_BAD_CODE);
  kit_pass(k, MINUTE);
  assert_int_equal(kit_poll(k, d, NULL), ERR_ACCESS_DENIED);
  assert_int_equal(kit_audited(k, "device.declined"), 1);
  json_decref(d);
}

static void test_expired(void **state) {
  struct kit *k = *state;
  sign_in(k);
  json_t *d = kit_device(k, "", HOME), *e = kit_device(k, "", HOME);
  assert_int_equal(oauth_device_decide(k->a, user_code(e), k->pid, false, true), ERR_OK);
  kit_pass(k, 600 * SECOND - 1);
  assert_int_equal(show(k, user_code(d), HOME), ERR_OK);
  kit_pass(k, 1);
  assert_int_equal(show(k, user_code(d), HOME), ERR_BAD_CODE);
  assert_int_equal(oauth_device_decide(k->a, user_code(d), k->pid, false, true), ERR_BAD_CODE);
  assert_int_equal(kit_poll(k, d, NULL), ERR_EXPIRED);
  assert_int_equal(kit_poll(k, e, NULL), ERR_EXPIRED); /* approved, but fetched too late */
  kit_pass(k, 10 * MINUTE);
  assert_int_equal(kit_poll(k, d, NULL), ERR_BAD_GRANT);
  assert_int_equal(kit_audited(k, "session.made"), 0);
  json_decref(d);
  json_decref(e);
}

static void test_bad_start(void **state) {
  struct kit *k = *state;
  static const struct {
    const char *client, *scope, *error;
  } BAD[] = {{"gavel", "room:join everything", "invalid_scope"},
             {"gavel", "room:join ", "invalid_scope"},
             {"", "room:join", "invalid_client"},
             {"\xff\xfe", "room:join", "invalid_client"},
             {"\u00e4\u00f6\u00fc\u00e4\u00f6\u00fc\u00e4\u00f6\u00fc\u00e4\u00f6\u00fc\u00e4\u00f6\u00fc"
              "\u00e4\u00f6\u00fc\u00e4\u00f6\u00fc\u00e4\u00f6\u00fc\u00e4\u00f6\u00fc\u00e4\u00f6\u00fc"
              "\u00e4\u00f6\u00fc",
              "", "invalid_client"}};
  for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
    json_t *reply = json_object();
    enum err e = oauth_device_start(k->a, BAD[i].client, BAD[i].scope, BASE, HOME, reply);
    assert_int_equal(oauth_status(e), 400);
    assert_string_equal(json_str(reply, "error", ""), BAD[i].error);
    json_decref(reply);
  }
  json_t *reply = json_object(), *shown = json_object(); /* what a terminal would obey is gone */
  assert_int_equal(oauth_device_start(k->a, "ga\x1b]52;c;vel", "", BASE, HOME, reply), ERR_OK);
  assert_int_equal(oauth_device_show(k->a, user_code(reply), HOME, shown), ERR_OK);
  assert_null(strchr(json_str(shown, "client", "\x1b"), '\x1b'));
  json_decref(shown);
  json_decref(reply);
}

static enum err start_from(struct kit *k, const uint8_t *addr) {
  json_t *reply = json_object();
  enum err e = oauth_device_start(k->a, "gavel", "", BASE, addr, reply);
  json_decref(reply);
  return e;
}

static void test_start_flood(void **state) {
  struct kit *k = *state;
  uint8_t addr[16];
  memcpy(addr, V6, sizeof addr);
  for (int i = 0; i < 10; i++)
    assert_int_equal(start_from(k, HOME), ERR_OK);
  assert_int_equal(start_from(k, HOME), ERR_RATE);
  assert_int_equal(oauth_status(ERR_RATE), 429);
  for (uint8_t i = 0; i < 60; i++) { /* a /48 has many /64 */
    addr[7] = i;
    assert_int_equal(start_from(k, addr), ERR_OK);
  }
  addr[7] = 60;
  assert_int_equal(start_from(k, addr), ERR_RATE);
  assert_int_equal(login_limits_held(k->a)[LOGIN_START], 1);
  assert_int_equal(login_limits_held(k->a)[LOGIN_START_NETWORK], 1);
}

/* From everywhere: a stated number waits; who comes now gets in, and what was decided stays. */
static void test_start_from_everywhere(void **state) {
  struct kit *k = *state;
  sign_in(k);
  json_t *decided = kit_device(k, "", HOME), *first = kit_device(k, "", HOME);
  assert_int_equal(oauth_device_decide(k->a, user_code(decided), k->pid, false, true), ERR_OK);
  for (unsigned i = 0; i < 998; i++) {
    uint8_t addr[16] = {0x20, 0x01, [4] = (uint8_t)(i >> 8), [5] = (uint8_t)i};
    kit_pass(k, 1);
    assert_int_equal(start_from(k, addr), ERR_OK);
  }
  kit_pass(k, 6 * SECOND);
  assert_int_equal(kit_poll(k, first, NULL), ERR_PENDING);
  json_t *last = kit_device(k, "", HOME);
  assert_int_equal(show(k, user_code(last), HOME), ERR_OK);
  assert_int_equal(kit_poll(k, first, NULL), ERR_BAD_GRANT); /* it had waited longest */
  assert_int_equal(kit_poll(k, decided, NULL), ERR_OK);
  json_decref(last);
  json_decref(first);
  json_decref(decided);
}

/* Nothing was asked for: what an ordinary member does, whatever the account could. */
static void test_default_scope(void **state) {
  struct kit *k = *state;
  json_t *tokens;
  kit_account(k, "anna", "room:join room:speak room:chat room:admin server:operate");
  json_t *d = kit_device(k, "", HOME), *shown = json_object();
  assert_int_equal(oauth_device_show(k->a, user_code(d), HOME, shown), ERR_OK);
  assert_string_equal(json_str(shown, "scope", ""), "room:join room:speak room:chat");
  assert_int_equal(kit_login(k, "anna", true, "", HOME), ERR_OK);
  assert_int_equal(oauth_device_decide(k->a, user_code(d), k->pid, false, true), ERR_OK);
  assert_int_equal(kit_poll(k, d, &tokens), ERR_OK);
  assert_string_equal(json_str(tokens, "scope", ""), "room:join room:speak room:chat");
  json_decref(tokens);
  json_decref(shown);
  json_decref(d);
}

/* A device code is its client's: another one that has it gets nothing, and does not use it up. */
static void test_other_client(void **state) {
  struct kit *k = *state;
  sign_in(k);
  json_t *d = kit_device(k, "", HOME), *reply = json_object();
  assert_int_equal(oauth_device_decide(k->a, user_code(d), k->pid, false, true), ERR_OK);
  assert_int_equal(oauth_device_poll(k->a, "other", json_str(d, "device_code", ""), HOME, reply),
                   ERR_BAD_GRANT);
  assert_int_equal(kit_poll(k, d, NULL), ERR_OK);
  json_decref(reply);
  json_decref(d);
}

static void test_bad_poll(void **state) {
  struct kit *k = *state;
  static const char *const CODES[] = {"", "x", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"};
  json_decref(kit_device(k, "", HOME));
  for (size_t i = 0; i < sizeof CODES / sizeof CODES[0]; i++) {
    json_t *reply = json_object();
    assert_int_equal(oauth_device_poll(k->a, "gavel", CODES[i], HOME, reply), ERR_BAD_GRANT);
    assert_string_equal(json_str(reply, "error", ""), "invalid_grant");
    json_decref(reply);
  }
}

static void test_who_decides(void **state) {
  struct kit *k = *state;
  sign_in(k);
  json_t *d = kit_device(k, "", HOME);
  assert_int_equal(oauth_device_decide(k->a, user_code(d), "p-0000000000000000", false, true), ERR_NO_USER);
  assert_int_equal(oauth_device_decide(k->a, user_code(d), "", false, true), ERR_NO_USER);
  assert_int_equal(kit_poll(k, d, NULL), ERR_PENDING);
  assert_int_equal(oauth_device_decide(k->a, user_code(d), k->pid, false, true), ERR_OK);
  assert_int_equal(kit_call(k, "account.remove", json_pack("{s:s}", "name", "anna"), NULL), ERR_OK);
  kit_pass(k, MINUTE);
  assert_int_equal(kit_poll(k, d, NULL), ERR_BAD_GRANT); /* who approved is no more */
  json_decref(d);
}

/* gavelctl device approve: an operator at a server without a browser. */
static void test_operator_approves(void **state) {
  struct kit *k = *state;
  struct grant g;
  kit_account(k, "anna", "room:join");
  json_t *d = kit_device(k, "", HOME), *tokens;
#define APPROVE(code, account) json_pack("{s:s,s:s}", "code", code, "account", account)
  assert_int_equal(kit_call(k, "device.approve", APPROVE(user_code(d), "nobody"), NULL), ERR_NO_USER);
  assert_int_equal(kit_call(k, "device.approve", APPROVE("ABCD", "anna"), NULL), ERR_BAD_CODE);
  assert_int_equal(kit_call(k, "device.approve", APPROVE("BBBB-BBBB", "anna"), NULL), ERR_BAD_CODE);
  assert_int_equal(kit_call(k, "device.approve", APPROVE(user_code(d), "anna"), NULL), ERR_OK);
  assert_int_equal(kit_poll(k, d, &tokens), ERR_OK);
  assert_int_equal(access_token(k->a, ACCESS(tokens), "", HOME, &g), ERR_OK);
  assert_false(g.mfa); /* nobody showed one */
  json_decref(tokens);
  json_decref(d);

  struct kit_totp t = kit_enrol(k, "anna");
  d = kit_device(k, "", HOME);
  json_t *with = APPROVE(user_code(d), "anna");
  json_object_set_new(with, "totp", json_string("000000"));
  assert_int_equal(kit_call(k, "device.approve", json_incref(with), NULL), ERR_BAD_LOGIN);
  json_object_set_new(with, "totp", json_string(kit_code(k, &t, 0)));
  assert_int_equal(kit_call(k, "device.approve", with, NULL), ERR_OK);
  assert_int_equal(kit_poll(k, d, &tokens), ERR_OK);
  assert_int_equal(access_token(k->a, ACCESS(tokens), "", HOME, &g), ERR_OK);
  assert_true(g.mfa);
  json_decref(tokens);
  json_decref(d);
}

static void test_status(void **state) {
  (void)state;
  assert_int_equal(oauth_status(ERR_PENDING), 400);
  assert_int_equal(oauth_status(ERR_SLOW_DOWN), 400);
  assert_int_equal(oauth_status(ERR_EXPIRED), 400);
  assert_int_equal(oauth_status(ERR_BAD_GRANT), 400);
  assert_int_equal(oauth_status(ERR_BAD_TOKEN), 401);
  assert_int_equal(oauth_status(ERR_SCOPE), 403);
  assert_int_equal(oauth_status(ERR_RATE), 429);
  assert_int_equal(oauth_status(ERR_BUSY), 429);
}

int main(void) {
#define T(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)
  const struct CMUnitTest tests[] = {
      T(test_flow),
      T(test_poll_too_often),
      T(test_redeem_twice),
      T(test_guess),
      T(test_guess_from_everywhere),
      T(test_typed_code),
      T(test_declined),
      T(test_expired),
      T(test_bad_start),
      T(test_start_flood),
      T(test_start_from_everywhere),
      T(test_default_scope),
      T(test_other_client),
      T(test_bad_poll),
      T(test_who_decides),
      T(test_operator_approves),
      cmocka_unit_test(test_status),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
