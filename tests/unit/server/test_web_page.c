/* The approval page: what it shows, hostile input, passwords that take their time. */
#include "tests/unit/server/web_kit.h"

#include "core/base/bytes.h"

static void test_the_page_repeats_the_code_and_asks(void **state) {
  char device_code[256], user_code[256], query[300];
  (void)state;
  struct web_kit *k = web_kit_make(NULL);
  assert_int_equal(kit_get(k, "/device", ""), 200);
  assert_true(kit_says(k, "name=\"user_code\""));
  kit_device(k, device_code, user_code);
  snprintf(query, sizeof query, "user_code=%s", user_code);
  kit_tick(k, 130 * US_PER_S);
  assert_int_equal(kit_get(k, "/device", query), 200);
  assert_true(kit_says(k, "Is this exact code on your terminal now?"));
  assert_true(kit_says(k, user_code));
  assert_true(kit_says(k, "gavel"));
  assert_true(kit_says(k, "192.0.2.0/24"));
  assert_true(kit_says(k, "2 min ago"));
  assert_false(kit_says(k, "<script"));
  assert_int_equal(kit_poll(k, device_code), 400); /* looking approves nothing */
  assert_true(kit_says(k, "authorization_pending"));
  web_kit_free(k);
}

static void test_hostile_input_is_escaped(void **state) {
  char user_code[256], query[300];
  (void)state;
  struct web_kit *k = web_kit_make(NULL);
  assert_int_equal(
      kit_post(k, "/oauth/device_authorization", "client_id=%3Cscript%3Ealert(1)%3C/script%3E%22%27%26"),
      200);
  kit_json(k, "user_code", user_code);
  snprintf(query, sizeof query, "user_code=%s", user_code);
  assert_int_equal(kit_get(k, "/device", query), 200);
  assert_true(kit_says(k, "&#60;script&#62;alert(1)&#60;/script&#62;&#34;&#39;&#38;"));
  assert_false(kit_says(k, "<script"));
  static const char *const BAD[] = {
      "user_code=%22%3E%3Cscript%3E", "user_code=AAAA-AAAA", "user_code=", "x=1",
      "user_code=a&user_code=b",      "user_code=%1b[2J"};
  for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
    int status = kit_get(k, "/device", BAD[i]);
    assert_true(status == 400 || (status == 200 && strcmp(BAD[i], "user_code=") == 0));
    assert_false(kit_says(k, "<script") || kit_says(k, "\x1b") || kit_says(k, "AAAA"));
  }
  web_kit_free(k);
}

static void test_codes_are_not_guessed(void **state) {
  int limited = 0;
  (void)state;
  struct web_kit *k = web_kit_make(NULL);
  for (int i = 0; i < 8; i++)
    limited += kit_get(k, "/device", "user_code=BCDF-GHJK") == 429 && k->reply.retry_after_s > 0;
  assert_int_equal(limited, 3); /* 5 in 10 minutes */
  web_kit_free(k);
}

static void test_the_form_has_to_be_whole(void **state) {
  char device_code[256], user_code[256], body[512];
  (void)state;
  struct web_kit *k = web_kit_make(NULL);
  kit_device(k, device_code, user_code);
  static const char *const REST[] = {"",
                                     "&account=ann",
                                     "&account=ann&password=x",
                                     "&account=ann&password=x&decision=maybe",
                                     "&account=ann&password=&decision=approve",
                                     "&account=ann&password=x&decision=approve&x=1",
                                     "&account=ann&password=x&decision=approve&decision=deny"};
  for (size_t i = 0; i < sizeof REST / sizeof REST[0]; i++) {
    snprintf(body, sizeof body, "user_code=%s%s", user_code, REST[i]);
    assert_int_equal(kit_post(k, "/device", body), 400);
  }
  assert_int_equal(kit_post(k, "/device", "user_code=BCDFGHJK&account=ann&password=x&decision=approve"), 400);
  assert_int_equal(k->jobs, 0); /* nothing was spent on any of them */
  web_kit_free(k);
}

static void test_wrong_password_and_decline(void **state) {
  char device_code[256], user_code[256];
  (void)state;
  struct web_kit *k = web_kit_make(NULL);
  kit_device(k, device_code, user_code);
  assert_int_equal(kit_decide(k, user_code, "", "approve"), 0);
  assert_string_equal(k->job.password, PASSWORD);
  assert_memory_equal(k->job.phc, "$argon2id$", 10);
  assert_int_equal(kit_checked(k, false), 401);
  assert_true(kit_says(k, "Account, password or code is wrong."));
  assert_false(kit_says(k, "ann") || kit_says(k, PASSWORD));
  assert_int_equal(kit_poll(k, device_code), 400);
  assert_true(kit_says(k, "authorization_pending"));
  assert_int_equal(kit_decide(k, user_code, "", "deny"), 0);
  assert_int_equal(kit_checked(k, true), 200);
  assert_int_equal(kit_poll(k, device_code), 400);
  assert_true(kit_says(k, "access_denied"));
  web_kit_free(k);
}

static void test_who_goes_approves_nothing(void **state) {
  char device_code[256], user_code[256];
  (void)state;
  struct web_kit *k = web_kit_make(NULL);
  kit_device(k, device_code, user_code);
  assert_int_equal(kit_decide(k, user_code, "", "approve"), 0);
  control_http_gone(k->c, k->request);
  assert_int_equal(kit_checked(k, true), 0);
  assert_int_equal(kit_poll(k, device_code), 400);
  control_kdf_done(k->c, 12345, true, NULL); /* a job of nobody */
  assert_int_equal(control_commit(k->c), ERR_OK);
  web_kit_free(k);
}

static void test_a_full_queue_and_a_flood(void **state) {
  char device_code[256], user_code[256];
  int limited = 0;
  (void)state;
  struct web_kit *k = web_kit_make(NULL);
  kit_device(k, device_code, user_code);
  k->busy = true;
  assert_int_equal(kit_decide(k, user_code, "", "approve"), 429);
  assert_true(k->reply.retry_after_s > 0);
  k->busy = false;
  for (int i = 0; i < 12; i++) {
    if (kit_decide(k, user_code, "", "approve") == 429)
      limited++;
    else
      assert_int_equal(kit_checked(k, false), 401);
  }
  assert_int_equal(limited, 7); /* 5 tries of an account; what the worker was too busy for is none */
  web_kit_free(k);
}

/* The page says in words what is asked for. */
static void test_the_scope_in_words(void **state) {
  char user_code[256], query[300];
  (void)state;
  struct web_kit *k = web_kit_make(NULL);
  static const struct {
    const char *form, *says;
  } WANT[] = {
      {"client_id=gavel", "It wants to: <b>enter rooms, be heard, write</b>"},
      {"scope=room%3Aadmin+server%3Aoperate", "It wants to: <b>own rooms, everything gavelctl can do</b>"}};
  for (size_t i = 0; i < sizeof WANT / sizeof WANT[0]; i++) {
    assert_int_equal(kit_post(k, "/oauth/device_authorization", WANT[i].form), 200);
    kit_json(k, "user_code", user_code);
    snprintf(query, sizeof query, "user_code=%s", user_code);
    assert_int_equal(kit_get(k, "/device", query), 200);
    assert_true(kit_says(k, WANT[i].says));
  }
  web_kit_free(k);
}

/* The operator gives another password while the worker compares with the old one. */
static void test_a_password_changed_meanwhile(void **state) {
  char device_code[256], user_code[256], phc[PASSWORD_PHC_MAX];
  (void)state;
  struct web_kit *k = web_kit_make(NULL);
  kit_device(k, device_code, user_code);
  assert_int_equal(kit_decide(k, user_code, "", "approve"), 0);
  assert_int_equal(password_hash("quite another password", &k->rng, phc), ERR_OK);
  json_decref(kit_operate(k, "account.password", json_pack("{s:s,s:s}", "name", "ann", "phc", phc)));
  assert_int_equal(kit_checked(k, true), 401);
  assert_int_equal(kit_poll(k, device_code), 400);
  assert_true(kit_says(k, "authorization_pending"));
  web_kit_free(k);
}

/* Another client that has the code, or the token, is not the one that began. */
static void test_a_code_is_its_clients(void **state) {
  char device_code[256], user_code[256], refresh[256], body[600];
  (void)state;
  struct web_kit *k = web_kit_make(NULL);
  kit_device(k, device_code, user_code);
  assert_int_equal(kit_decide(k, user_code, "", "approve"), 0);
  assert_int_equal(kit_checked(k, true), 200);
  snprintf(body, sizeof body,
           "client_id=other&grant_type=urn:ietf:params:oauth:grant-type:device_code&device_code=%s",
           device_code);
  assert_int_equal(kit_post(k, "/oauth/token", body), 400);
  assert_true(kit_says(k, "invalid_grant"));
  assert_int_equal(kit_poll(k, device_code), 200);
  kit_json(k, "refresh_token", refresh);
  snprintf(body, sizeof body, "client_id=other&grant_type=refresh_token&refresh_token=%s", refresh);
  assert_int_equal(kit_post(k, "/oauth/token", body), 400);
  snprintf(body, sizeof body, "client_id=gavel&grant_type=refresh_token&refresh_token=%s", refresh);
  assert_int_equal(kit_post(k, "/oauth/token", body), 200);
  web_kit_free(k);
}

/* From everywhere at once: 200 passwords a minute are compared, and each row that held has counted. */
static void test_logins_from_everywhere(void **state) {
  char device_code[256], user_code[256], body[512];
  struct control_counters n;
  int waited = 0;
  (void)state;
  struct web_kit *k = web_kit_make(NULL);
  kit_device(k, device_code, user_code);
  for (unsigned i = 0; i < 220; i++) {
    k->addr[12] = 10, k->addr[13] = (uint8_t)i;
    snprintf(body, sizeof body, "user_code=%s&account=name%u&password=x&decision=approve", user_code, i);
    waited += kit_post(k, "/device", body) == 429;
    if (!k->answered)
      assert_int_equal(kit_checked(k, false), 401);
  }
  assert_int_equal(waited, 20);
  for (unsigned i = 0; i < 6; i++) {
    k->addr[13] = (uint8_t)(200 + i);
    (void)kit_get(k, "/device", "user_code=BCDF-GHJK");
    k->addr[13] = 200;
    (void)kit_get(k, "/device", "user_code=BCDF-GHJK");
  }
  control_counters(k->c, &n);
  assert_int_equal(n.limits[LIMIT_LOGINS], 20);
  assert_int_equal(n.limits[LIMIT_LOGIN_ADDRESS], 0);
  assert_true(n.limits[LIMIT_LOGIN_GUESS] > 0);
  web_kit_free(k);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_page_repeats_the_code_and_asks),
      cmocka_unit_test(test_hostile_input_is_escaped),
      cmocka_unit_test(test_codes_are_not_guessed),
      cmocka_unit_test(test_the_form_has_to_be_whole),
      cmocka_unit_test(test_wrong_password_and_decline),
      cmocka_unit_test(test_who_goes_approves_nothing),
      cmocka_unit_test(test_a_full_queue_and_a_flood),
      cmocka_unit_test(test_the_scope_in_words),
      cmocka_unit_test(test_a_password_changed_meanwhile),
      cmocka_unit_test(test_a_code_is_its_clients),
      cmocka_unit_test(test_logins_from_everywhere),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
