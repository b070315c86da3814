/* Users, guests, tokens used up and revoked. */
#include "tests/unit/access/apps_kit.h"

static void the_first_valid_token_makes_the_user(void **state) {
  struct kit *k = kit_make();
  struct token_key key = app_make(k, "blue");
  struct grant g, again;
  (void)state;
  assert_null(user_pid(k->a, "ann@blue"));
  assert_int_equal(enter(k, &key, "ann", "BlueRoom", "", &g),
                   ERR_BAD_TOKEN); /* it is shown as "BlueRoom" here */
  char *text = token_of(k, &key, "ann", "BlueRoom", "", SCOPE_JOIN);
  assert_int_equal(access_token(k->a, text, "blueroom", NULL, &g), ERR_BAD_TOKEN); /* that is another room */
  assert_int_equal(access_token(k->a, text, "r-d975fde689dbafcb1deaad647afe79bd", NULL, &g), ERR_OK);
  assert_string_equal(g.user, "ann@blue");
  assert_string_equal(g.room, "r-d975fde689dbafcb1deaad647afe79bd");
  assert_null(user_pid(k->a, "ann@blue")); /* not before he comes in */
  assert_int_equal(access_enter(k->a, &g), ERR_OK);
  free(text);
  kit_restart(k);
  assert_string_equal(user_pid(k->a, "ann@blue"), g.pid);
  assert_string_equal(user_name(k->a, g.pid), "ann@blue");
  assert_int_equal(enter(k, &key, "ann", "den", "", &again), ERR_OK);
  assert_string_equal(again.pid, g.pid);
  kit_free(k);
}

static void a_token_is_for_its_room_and_its_application(void **state) {
  struct kit *k = kit_make();
  struct token_key blue = app_make(k, "blue"), red = app_make(k, "red"), forged = red;
  struct grant g;
  (void)state;
  char *text = token_of(k, &blue, "ann", "den", "", SCOPE_JOIN);
  assert_int_equal(access_token(k->a, text, "hall", NULL, &g), ERR_BAD_TOKEN);
  assert_int_equal(access_token(k->a, text, "", NULL, &g), ERR_OK);
  assert_string_equal(g.room, "den");
  free(text);
  snprintf(forged.kid, sizeof forged.kid, "%s", blue.kid); /* another tenant's kid, one's own key */
  assert_int_equal(enter(k, &forged, "ann", "den", "", &g), ERR_BAD_TOKEN);
  snprintf(forged.issuer, sizeof forged.issuer, "blue");
  assert_int_equal(enter(k, &forged, "ann", "den", "", &g), ERR_BAD_TOKEN);
  kit_free(k);
}

static void a_token_is_used_up_by_entering(void **state) {
  struct kit *k = kit_make();
  struct token_key key = app_make(k, "blue");
  struct grant g;
  (void)state;
  char *text = token_of(k, &key, "ann", "den", "once", SCOPE_JOIN);
  assert_int_equal(access_token(k->a, text, "den", NULL, &g), ERR_OK);
  assert_int_equal(access_token(k->a, text, "den", NULL, &g),
                   ERR_OK); /* the room asked for a password meanwhile */
  assert_int_equal(access_enter(k->a, &g), ERR_OK);
  assert_int_equal(access_token(k->a, text, "den", NULL, &g), ERR_BAD_TOKEN);
  kit_restart(k);
  assert_int_equal(access_token(k->a, text, "den", NULL, &g), ERR_BAD_TOKEN);
  free(text);
  assert_int_equal(enter(k, &key, "bob", "den", "once", &g), ERR_BAD_TOKEN); /* whoever it names */
  kit_free(k);
}

static void a_lost_group_leaves_nothing_behind(void **state) {
  struct kit *k = kit_make();
  struct token_key key = app_make(k, "blue");
  struct grant g;
  (void)state;
  kit_commit(k);
  char *text = token_of(k, &key, "ann", "den", "once", SCOPE_JOIN);
  assert_int_equal(access_token(k->a, text, "den", NULL, &g), ERR_OK);
  assert_int_equal(access_enter(k->a, &g), ERR_OK);
  store_rollback(k->store);
  access_reload(k->a);
  assert_null(user_pid(k->a, "ann@blue"));
  assert_int_equal(access_token(k->a, text, "den", NULL, &g), ERR_OK);
  free(text);
  kit_free(k);
}

/* On overflow nobody new comes in; none is forgotten before it has ended. */
static void too_many_tokens_shut_the_door(void **state) {
  struct kit *k = kit_make();
  struct token_key key = app_make(k, "blue"), red = app_make(k, "red");
  struct grant g;
  char jti[16];
  (void)state;
  int64_t end_s = k->wall_ms / 1000 + 600;
  for (unsigned i = 0; i < APP_USED_MAX / 2; i++) {
    snprintf(jti, sizeof jti, "t%u", i);
    assert_int_equal(used_add(k->a, "blue", key.kid, jti, end_s, false), ERR_OK);
  }
  assert_int_equal(enter(k, &key, "bob", "den", "fresh", &g),
                   ERR_FULL); /* no application takes more than half */
  assert_int_equal(enter(k, &red, "bob", "den", "fresh", &g), ERR_OK);
  kit_restart(k);
  assert_int_equal(enter(k, &key, "bob", "den", "fresh", &g), ERR_FULL);
  for (unsigned i = 1; i < APP_USED_MAX / 2; i++) {
    snprintf(jti, sizeof jti, "t%u", i);
    assert_int_equal(used_add(k->a, "red", red.kid, jti, end_s, false), ERR_OK);
  }
  assert_int_equal(used_add(k->a, "", "own", "x", end_s, false), ERR_FULL);
  assert_int_equal(enter(k, &key, "ann", "den", "fresh", &g), ERR_FULL);
  assert_int_equal(enter(k, &key, "ann", "den", "t0", &g), ERR_BAD_TOKEN);
  for (unsigned i = 0; i < 3; i++)
    later(k, (600 + 120) * 1000); /* all have ended; some go at each sweep */
  assert_int_equal(enter(k, &key, "ann", "den", "fresh", &g), ERR_OK);
  kit_free(k);
}

/* One application that sends strangers without end leaves the others their half. */
static void no_application_takes_all_the_users(void **state) {
  struct kit *k = kit_make();
  struct token_key blue = app_make(k, "blue"), red = app_make(k, "red");
  struct grant g;
  char user[32], pid[ACCESS_PID_MAX + 1];
  (void)state;
  for (unsigned i = 0; i < APP_USERS_MAX / 2; i++) {
    snprintf(user, sizeof user, "u%u@blue", i);
    snprintf(pid, sizeof pid, "p-%016x", i);
    assert_non_null(person_keep(k->a, pid, user, "blue", (const uint8_t[16]){0}));
  }
  assert_int_equal(enter(k, &blue, "ann", "den", "", &g), ERR_FULL);
  assert_int_equal(enter(k, &blue, "u1", "den", "", &g), ERR_OK);
  assert_int_equal(enter(k, &red, "ann", "den", "", &g), ERR_OK);
  user_forget(k->a, "p-0000000000000007");
  assert_int_equal(enter(k, &blue, "ann", "den", "", &g), ERR_OK);
  kit_free(k);
}

static void revoking_a_user_kills_what_was_made_until_then(void **state) {
  struct kit *k = kit_make();
  struct token_key key = app_make(k, "blue");
  struct grant g, other, again;
  (void)state;
  assert_int_equal(enter(k, &key, "ann", "den", "", &g), ERR_OK);
  assert_int_equal(enter(k, &key, "bob", "den", "", &other), ERR_OK);
  char *kept = token_of(k, &key, "ann", "den", "", SCOPE_JOIN);
  assert_int_equal(call(k, "user.revoke", json_pack("{s:s}", "user", "eve@blue"), NULL), ERR_NO_USER);
  assert_int_equal(call(k, "user.revoke", json_pack("{s:s}", "user", "ann@blue"), NULL), ERR_OK);
  assert_int_equal(access_still(k->a, &g), ERR_REVOKED);
  assert_int_equal(access_still(k->a, &other), ERR_OK);
  kit_restart(k);
  assert_int_equal(access_still(k->a, &g), ERR_REVOKED);
  struct kit ahead = *k; /* a clock that is ahead, as far as is tolerated */
  ahead.wall_ms += TOKEN_LEEWAY_S * 1000;
  char *early = token_of(&ahead, &key, "ann", "den", "", SCOPE_JOIN);
  assert_int_equal(access_token(k->a, early, "den", NULL, &again), ERR_BAD_TOKEN);
  free(early);
  later(k, TOKEN_LEEWAY_S * 1000 + 1000);
  assert_int_equal(access_token(k->a, kept, "den", NULL, &again), ERR_BAD_TOKEN);
  free(kept);
  assert_int_equal(enter(k, &key, "ann", "den", "", &again), ERR_OK); /* a new one */
  assert_string_equal(again.pid, g.pid);
  kit_free(k);
}

static void revoking_a_token_ends_its_one_seat(void **state) {
  struct kit *k = kit_make();
  struct token_key key = app_make(k, "blue");
  struct grant g, other;
  (void)state;
  assert_int_equal(enter(k, &key, "ann", "den", "one", &g), ERR_OK);
  assert_int_equal(enter(k, &key, "ann", "den", "two", &other), ERR_OK);
  json_t *one = json_pack("{s:s,s:s,s:s}", "app", "blue", "kid", key.kid, "jti", "one");
  assert_int_equal(call(k, "token.revoke", one, NULL), ERR_OK);
  assert_int_equal(access_still(k->a, &g), ERR_REVOKED);
  assert_int_equal(access_still(k->a, &other), ERR_OK);
  json_t *never = json_pack("{s:s,s:s,s:s}", "app", "blue", "kid", key.kid, "jti", "three");
  assert_int_equal(call(k, "token.revoke", never, NULL), ERR_OK);
  assert_int_equal(enter(k, &key, "ann", "den", "three", &g), ERR_BAD_TOKEN);
  kit_free(k);
}

/* A format of another system is on once an application has a key of it; without iat an epoch still reaches
 * it. */
static void a_foreign_format_is_switched_on_by_its_key(void **state) {
  struct kit *k = kit_make();
  (void)app_make(k, "blue");
  struct token_key key = {.format = TOKEN_VIDYO, .n_secret = 25, .scopes = SCOPE_ALL, .max_ttl_s = 600};
  struct grant g;
  (void)state;
  memcpy(key.secret, "rUlaMASgt1Byi4Kp3sKYDeQzo", 25);
  snprintf(key.issuer, sizeof key.issuer, "ApplicationID");
  snprintf(key.kid, sizeof key.kid, "v1");
  char *text = token_of(k, &key, "user1", "", "", SCOPE_JOIN | SCOPE_SPEAK);
  assert_int_equal(access_token(k->a, text, "den", NULL, &g), ERR_BAD_TOKEN);
  json_t *add = json_pack("{s:s,s:s,s:s,s:s,s:s,s:i}", "app", "blue", "format", "vidyo", "issuer",
                          "ApplicationID", "secret", "rUlaMASgt1Byi4Kp3sKYDeQzo", "kid", "v1", "ttl", 600);
  assert_int_equal(call(k, "key.add", add, NULL), ERR_OK);
  assert_int_equal(access_token(k->a, text, "den", NULL, &g), ERR_OK);
  assert_string_equal(g.user, "user1@blue");
  assert_string_equal(g.app, "blue");
  assert_int_equal(access_enter(k->a, &g), ERR_OK);
  assert_int_equal(access_token(k->a, text, "hall", NULL, &g),
                   ERR_OK); /* its system uses tokens until they end */
  later(k, 1000);
  assert_int_equal(call(k, "user.revoke", json_pack("{s:s}", "user", "user1@blue"), NULL), ERR_OK);
  assert_int_equal(access_still(k->a, &g), ERR_REVOKED);
  assert_int_equal(access_token(k->a, text, "den", NULL, &g), ERR_BAD_TOKEN);
  free(text);
  later(k, 3600000); /* it may be an old one that was made for long: only a new key tells */
  assert_int_equal(enter(k, &key, "user1", "", "", &g), ERR_BAD_TOKEN);
  add = json_pack("{s:s,s:s,s:s,s:s,s:s}", "app", "blue", "format", "vidyo", "issuer", "ApplicationID",
                  "secret", "another secret", "kid", "v2");
  assert_int_equal(call(k, "key.add", add, NULL), ERR_OK);
  memcpy(key.secret, "another secret", key.n_secret = 14);
  assert_int_equal(enter(k, &key, "user1", "", "", &g), ERR_OK);
  kit_free(k);
}

static void a_device_keeps_its_pid(void **state) {
  static const uint8_t DEVICE[16] = {1, 2, 3}, NONE[16];
  struct kit *k = kit_make();
  struct grant g, again, other, unknown;
  (void)app_make(k, "blue");
  (void)state;
  assert_int_equal(access_guest(k->a, "", DEVICE, &g), ERR_OK);
  assert_string_equal(g.user, "");
  assert_int_equal(g.scopes, SCOPE_ALL);
  assert_int_equal(access_enter(k->a, &g), ERR_OK);
  kit_restart(k);
  assert_int_equal(access_guest(k->a, "", DEVICE, &again), ERR_OK);
  assert_string_equal(again.pid, g.pid);
  assert_int_equal(access_guest(k->a, "blue", DEVICE, &other), ERR_OK);
  assert_string_not_equal(other.pid, g.pid); /* applications do not know each other's guests */
  assert_int_equal(access_guest(k->a, "", NONE, &unknown), ERR_OK);
  assert_int_equal(access_enter(k->a, &unknown), ERR_OK);
  assert_null(person_by_pid(k->a, unknown.pid));
  later(k, GUEST_KEPT_MS + SWEEP_MS);
  assert_int_equal(access_guest(k->a, "", DEVICE, &again), ERR_OK);
  assert_string_not_equal(again.pid, g.pid); /* not seen for 30 days */
  kit_free(k);
}

static void names_of_our_own_and_of_applications_differ(void **state) {
  struct kit *k = kit_make();
  char own[ACCESS_PID_MAX + 1], app[ACCESS_PID_MAX + 1], none[ACCESS_PID_MAX + 1];
  (void)app_make(k, "blue");
  (void)state;
  assert_int_equal(user_provision(k->a, "ann", "", own), ERR_OK);
  assert_int_equal(user_provision(k->a, "ann", "blue", app), ERR_OK);
  assert_string_not_equal(own, app);
  assert_int_equal(user_provision(k->a, "ann@blue", "", none), ERR_BAD_NAME);
  assert_int_equal(user_provision(k->a, "", "blue", none), ERR_BAD_NAME);
  assert_int_equal(user_provision(k->a, "a\nb", "blue", none), ERR_BAD_NAME);
  assert_int_equal(user_provision(k->a, "a\xff", "blue", none), ERR_BAD_NAME);
  assert_string_equal(user_name(k->a, own), "ann");
  user_forget(k->a, app);
  assert_null(user_name(k->a, app));
  kit_restart(k);
  assert_null(user_pid(k->a, "ann@blue"));
  assert_string_equal(user_pid(k->a, "ann"), own);
  kit_free(k);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_first_valid_token_makes_the_user),
      cmocka_unit_test(a_token_is_for_its_room_and_its_application),
      cmocka_unit_test(a_token_is_used_up_by_entering),
      cmocka_unit_test(a_lost_group_leaves_nothing_behind),
      cmocka_unit_test(too_many_tokens_shut_the_door),
      cmocka_unit_test(no_application_takes_all_the_users),
      cmocka_unit_test(revoking_a_user_kills_what_was_made_until_then),
      cmocka_unit_test(revoking_a_token_ends_its_one_seat),
      cmocka_unit_test(a_foreign_format_is_switched_on_by_its_key),
      cmocka_unit_test(a_device_keeps_its_pid),
      cmocka_unit_test(names_of_our_own_and_of_applications_differ),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
