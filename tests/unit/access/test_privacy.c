/* Consent, rectification, restriction, legal holds, erasure: a person's rights over what is stored of him. */
#include "tests/unit/access/privacy_kit.h"

static void ask_consent(struct kit *k, const char *version, const char *text) {
  kit_close(k);
  k->cfg.consent_version = version;
  k->cfg.consent_text = text;
  kit_open(k);
}

static void test_no_text_no_consent(void **state) {
  struct kit *k = *state;
  const char *version = "x";
  assert_int_equal(access_consent(k->a, ANN, NULL, "test"), ERR_OK);
  assert_null(access_consent_text(k->a, &version));
  assert_null(version);
  assert_int_equal(access_withdraw(k->a, ANN), ERR_NO_CHANGE);
}

static void test_consent_is_given_once_and_recorded(void **state) {
  struct kit *k = *state;
  json_t *reply;
  ask_consent(k, "3", "purposes");
  assert_int_equal(access_consent(k->a, ANN, NULL, "typed y"), ERR_NEED_CONSENT);
  assert_int_equal(access_consent(k->a, ANN, "2", "typed y"), ERR_NEED_CONSENT);
  assert_int_equal(kit_docs(k, "consent", ANN), 0);
  assert_int_equal(access_consent(k->a, ANN, "3", "typed y"), ERR_OK);
  assert_int_equal(access_consent(k->a, ANN, NULL, "typed y"), ERR_OK);
  assert_int_equal(access_consent(k->a, ANN, "3", "typed y"), ERR_OK);
  assert_int_equal(access_consent(k->a, BOB, NULL, "typed y"), ERR_NEED_CONSENT);
  kit_commit(k);
  assert_int_equal(kit_call(k, "consent.list", "{}", &reply), ERR_OK);
  const json_t *list = json_object_get(reply, "consents"), *row = json_array_get(list, 0);
  assert_int_equal(json_array_size(list), 1);
  assert_string_equal(json_str(row, "pid", ""), ANN);
  assert_string_equal(json_str(row, "purpose", ""), "join");
  assert_string_equal(json_str(row, "text_version", ""), "3");
  assert_string_equal(json_str(row, "method", ""), "typed y");
  assert_int_equal(json_int(row, "at_ms", 0), NOW_MS);
  /* printf 'purposes' | sha256sum */
  assert_string_equal(json_str(row, "text_sha256", ""),
                      "5e5df1bbcffe1cf02285d166bf2e97971ca44b8193da2b67ff68e3e5ceffae79");
  json_decref(reply);
}

static void test_consent_lasts_and_a_new_text_asks_again(void **state) {
  struct kit *k = *state;
  ask_consent(k, "3", "purposes");
  assert_int_equal(access_consent(k->a, ANN, "3", "typed y"), ERR_OK);
  kit_commit(k);
  ask_consent(k, "3", "purposes");
  assert_int_equal(access_consent(k->a, ANN, NULL, "typed y"), ERR_OK);
  ask_consent(k, "4", "other purposes");
  assert_int_equal(access_consent(k->a, ANN, NULL, "typed y"), ERR_NEED_CONSENT);
  assert_int_equal(access_consent(k->a, ANN, "3", "typed y"), ERR_NEED_CONSENT);
  ask_consent(k, "3", "the same version over another text");
  assert_int_equal(access_consent(k->a, ANN, NULL, "typed y"), ERR_NEED_CONSENT);
}

static void test_consent_is_withdrawn_and_kept_as_proof(void **state) {
  struct kit *k = *state;
  json_t *reply;
  ask_consent(k, "3", "purposes");
  assert_int_equal(access_consent(k->a, ANN, "3", "typed y"), ERR_OK);
  k->now_ms += 5000;
  access_tick(k->a, k->now_ms);
  assert_int_equal(access_withdraw(k->a, ANN), ERR_OK);
  assert_int_equal(access_withdraw(k->a, ANN), ERR_NO_CHANGE);
  assert_int_equal(access_consent(k->a, ANN, NULL, "typed y"), ERR_NEED_CONSENT);
  kit_commit(k);
  assert_int_equal(kit_call(k, "consent.list", "{\"user\":\"" ANN "\"}", &reply), ERR_OK);
  assert_int_equal(json_int(json_array_get(json_object_get(reply, "consents"), 0), "withdrawn_ms", 0),
                   NOW_MS + 5000);
  json_decref(reply);
  assert_int_equal(access_consent(k->a, ANN, "3", "typed y"), ERR_OK);
  assert_int_equal(kit_docs(k, "consent", ANN), 2);
}

static void test_lint_wants_purposes_data_and_rights(void **state) {
  struct kit *k = *state;
  assert_int_equal(kit_call(k, "consent.lint", "{}", NULL), ERR_BAD_TEXT);
  assert_int_equal(kit_call(k, "consent.lint", "{\"file\":\"We store data. You may withdraw.\"}", NULL),
                   ERR_BAD_TEXT);
  assert_non_null(strstr(k->said, "purposes"));
  assert_int_equal(kit_call(k, "consent.lint", "{\"file\":\"The purpose is fun. You may withdraw.\"}", NULL),
                   ERR_BAD_TEXT);
  assert_non_null(strstr(k->said, "data"));
  assert_int_equal(kit_call(k, "consent.lint", "{\"file\":\"Purpose: fun. We store your name.\"}", NULL),
                   ERR_BAD_TEXT);
  assert_non_null(strstr(k->said, "rights"));
  assert_int_equal(
      kit_call(k, "consent.lint", "{\"file\":\"Purpose: fun. We store your name. Your rights: all.\"}", NULL),
      ERR_OK);
}

static void test_restriction_keeps_the_data_and_shuts_the_door(void **state) {
  struct kit *k = *state;
  kit_visit(k, ANN, "blue", 60);
  uint64_t before = access_revision(k->a);
  assert_int_equal(privacy_allows(k->a, ANN), ERR_OK);
  assert_int_equal(kit_call(k, "privacy.restrict", "{\"user\":\"" ANN "\",\"reason\":\"disputed\"}", NULL),
                   ERR_OK);
  assert_int_equal(privacy_allows(k->a, ANN), ERR_RESTRICTED);
  assert_int_equal(privacy_allows(k->a, BOB), ERR_OK);
  assert_true(access_revision(k->a) > before);
  assert_int_equal(kit_call(k, "privacy.restrict", "{\"user\":\"" ANN "\"}", NULL), ERR_NO_CHANGE);
  assert_int_equal(kit_call(k, "privacy.rectify", "{\"user\":\"" ANN "\",\"name\":\"Anna\"}", NULL),
                   ERR_RESTRICTED);
  kit_close(k);
  kit_open(k);
  assert_int_equal(privacy_allows(k->a, ANN), ERR_RESTRICTED);
  assert_int_equal(kit_docs(k, "visit", ANN), 1);
  assert_int_equal(kit_call(k, "privacy.restrict", "{\"user\":\"" ANN "\",\"lift\":true}", NULL), ERR_OK);
  assert_int_equal(privacy_allows(k->a, ANN), ERR_OK);
}

static void test_a_name_is_corrected(void **state) {
  struct kit *k = *state;
  char name[TOKEN_NAME_MAX + 1];
  kit_visit(k, ANN, "blue", 60);
  assert_false(access_name(k->a, ANN, name));
  assert_int_equal(kit_call(k, "privacy.rectify", "{\"user\":\"" ANN "\",\"name\":\"  Anna  B\"}", NULL),
                   ERR_OK);
  assert_true(access_name(k->a, ANN, name));
  assert_string_equal(name, "Anna B");
  assert_int_equal(kit_call(k, "privacy.rectify", "{\"user\":\"" ANN "\",\"name\":\"\\n\"}", NULL),
                   ERR_BAD_NAME);
  assert_int_equal(kit_call(k, "privacy.rectify", "{\"user\":\"" ANN "\"}", NULL), ERR_BAD_NAME);
  assert_true(access_name(k->a, ANN, name));
}

static void test_nobody_is_an_error(void **state) {
  struct kit *k = *state;
  static const char *const METHODS[] = {"privacy.about", "privacy.rectify",  "privacy.restrict",
                                        "privacy.erase", "privacy.exported", "hold.add"};
  static const char *const WHO[] = {"{}",
                                    "{\"user\":\"\"}",
                                    "{\"user\":\"nobody@shop\"}",
                                    "{\"user\":7}",
                                    "{\"user\":\"p-00000000000000AA\"}",
                                    "{\"user\":\"" ANN "\"}", /* of whom nothing is stored */
                                    "{\"user\":\"p-00000000000000aa0\"}"};
  for (size_t m = 0; m < sizeof METHODS / sizeof METHODS[0]; m++)
    for (size_t w = 0; w < sizeof WHO / sizeof WHO[0]; w++)
      assert_int_equal(kit_call(k, METHODS[m], WHO[w], NULL), ERR_NO_USER);
}

static void test_a_hold_stops_erasure_until_it_ends(void **state) {
  struct kit *k = *state;
  json_t *reply;
  char lift[64];
  kit_visit(k, ANN, "blue", 60);
  assert_int_equal(kit_call(k, "hold.add", "{\"user\":\"" ANN "\",\"for\":86400}", NULL), ERR_BAD_ARG);
  assert_int_equal(kit_call(k, "hold.add", "{\"user\":\"" ANN "\",\"reason\":\"suit\",\"for\":0}", NULL),
                   ERR_BAD_ARG);
  assert_int_equal(
      kit_call(k, "hold.add", "{\"user\":\"" ANN "\",\"reason\":\"suit 7\",\"for\":86400}", &reply), ERR_OK);
  snprintf(lift, sizeof lift, "{\"id\":\"%s\"}", json_str(reply, "id", ""));
  json_decref(reply);
  assert_int_equal(kit_call(k, "privacy.erase", "{\"user\":\"" ANN "\"}", NULL), ERR_HELD);
  assert_int_equal(kit_docs(k, "visit", ANN), 1);
  assert_int_equal(kit_call(k, "hold.lift", "{\"id\":\"nope\"}", NULL), ERR_BAD_ARG);
  assert_int_equal(kit_call(k, "hold.lift", lift, NULL), ERR_OK);
  assert_int_equal(kit_call(k, "hold.lift", lift, NULL), ERR_BAD_ARG);
  assert_int_equal(
      kit_call(k, "hold.add", "{\"user\":\"" ANN "\",\"reason\":\"suit 8\",\"for\":86400}", NULL), ERR_OK);
  kit_close(k);
  kit_open(k);
  assert_int_equal(kit_call(k, "privacy.erase", "{\"user\":\"" ANN "\"}", NULL), ERR_HELD);
  kit_pass(k, 2 * DAY_MS);
  assert_int_equal(kit_docs(k, "hold", NULL), 0);
  assert_int_equal(kit_call(k, "privacy.erase", "{\"user\":\"" ANN "\"}", NULL), ERR_OK);
}

static void test_a_hold_outlives_the_application(void **state) {
  struct kit *k = *state;
  char dora[ACCESS_PID_MAX + 1], eve[ACCESS_PID_MAX + 1];
  assert_int_equal(kit_call(k, "app.create", "{\"app\":\"shop\"}", NULL), ERR_OK);
  assert_int_equal(user_provision(k->a, "dora", "shop", dora), ERR_OK);
  assert_int_equal(user_provision(k->a, "eve", "shop", eve), ERR_OK);
  kit_commit(k);
  assert_int_equal(
      kit_call(k, "hold.add", "{\"user\":\"dora@shop\",\"reason\":\"suit\",\"for\":86400}", NULL), ERR_OK);
  assert_int_equal(kit_call(k, "app.remove", "{\"app\":\"shop\"}", NULL), ERR_OK);
  assert_int_equal(kit_docs(k, "user", dora), 1);
  assert_int_equal(kit_docs(k, "user", eve), 0);
  assert_int_equal(kit_call(k, "privacy.erase", "{\"user\":\"dora@shop\"}", NULL), ERR_HELD);
  kit_close(k);
  kit_open(k); /* a user without an application is no reason not to start */
  kit_pass(k, DAY_MS);
  kit_pass(k, DAY_MS);
  assert_int_equal(kit_docs(k, "user", NULL), 0);
}

static void test_erased_is_erased_and_the_sums_stay(void **state) {
  struct kit *k = *state;
  json_t *before, *after;
  kit_event(k, "room:blue@1", 1, "member.joined", ANN, "canary-ann");
  kit_event(k, "room:blue@1", 2, "chat.sent", BOB, "canary-bob");
  kit_visit(k, ANN, "blue", 60);
  kit_visit(k, BOB, "blue", 31);
  assert_int_equal(kit_call(k, "privacy.rectify", "{\"user\":\"" ANN "\",\"name\":\"Canary\"}", NULL),
                   ERR_OK);
  assert_int_equal(kit_call(k, "metering.list", "{}", &before), ERR_OK);
  assert_int_equal(kit_call(k, "privacy.erase", "{\"user\":\"" ANN "\"}", NULL), ERR_OK);
  assert_int_equal(kit_call(k, "metering.list", "{}", &after), ERR_OK);
  assert_true(json_equal(before, after));
  assert_int_equal(json_int(json_array_get(json_object_get(after, "metering"), 0), "seconds", 0), 91);
  json_decref(before);
  json_decref(after);
  assert_int_equal(kit_docs(k, "visit", ANN) + kit_docs(k, "profile", ANN), 0);
  assert_int_equal(kit_docs(k, "visit", BOB), 1);
  assert_int_equal(kit_docs(k, "usage", ""), 1);
  assert_int_equal(kit_left(k, "room:blue@1").payloads, 1);
  assert_int_equal(kit_left(k, "room:blue@1").events, 2);
  assert_int_equal(store_verify(k->s, k->why), ERR_OK);
  static const char *const METHODS[] = {"privacy.erase", "privacy.rectify", "privacy.restrict"};
  for (size_t i = 0; i < 3; i++) /* nothing is stored of him again */
    assert_int_equal(kit_call(k, METHODS[i], "{\"user\":\"" ANN "\",\"name\":\"Ann\"}", NULL), ERR_NO_USER);
}

static void test_an_older_backup_forgets_him_again(void **state) {
  struct kit *k = *state;
  char backup[128], command[800];
  kit_event(k, "room:blue@1", 1, "member.joined", ANN, "canary-ann");
  kit_visit(k, ANN, "blue", 61);
  snprintf(backup, sizeof backup, "%s/old", k->folder);
  assert_int_equal(store_backup(k->s, backup, k->why), ERR_OK);
  assert_int_equal(kit_call(k, "privacy.erase", "{\"user\":\"" ANN "\"}", NULL), ERR_OK);
  kit_close(k);
  snprintf(command, sizeof command, "cp '%s' '%s' && rm -f '%s-wal' '%s-shm' '%s'", backup, k->path, k->path,
           k->path, backup);
  assert_int_equal(system(command), 0);
  kit_open(k);
  assert_int_equal(kit_docs(k, "visit", ANN), 0);
  assert_int_equal(kit_left(k, "room:blue@1").payloads, 0);
  assert_int_equal(store_verify(k->s, k->why), ERR_OK);
}

static void test_nothing_personal_is_readable_on_disk(void **state) {
  struct kit *k = *state;
  kit_visit(k, ANN, "blue", 60);
  kit_visit(k, BOB, "blue", 60);
  assert_int_equal(kit_call(k, "privacy.rectify", "{\"user\":\"" ANN "\",\"name\":\"Canarissima\"}", NULL),
                   ERR_OK);
  assert_int_equal(kit_call(k, "privacy.restrict", "{\"user\":\"" ANN "\",\"reason\":\"Canarissima\"}", NULL),
                   ERR_OK);
  assert_int_equal(kit_call(k, "hold.add", "{\"user\":\"" BOB "\",\"reason\":\"Canarissima\"}", NULL),
                   ERR_OK);
  assert_false(kit_grep(k, "Canarissima"));
  assert_true(kit_grep(k, ANN)); /* the search works: pseudonyms are readable */
}

static void test_what_is_stored_is_told(void **state) {
  struct kit *k = *state;
  kit_visit(k, ANN, "blue", 61);
  kit_visit(k, ANN, "red", 5);
  kit_event(k, "room:blue@1", 1, "chat.sent", ANN, "hello");
  json_t *about = access_about(k->a, ANN), *row;
  json_int_t visits = 0, payloads = 0;
  size_t i;
  json_array_foreach(json_object_get(about, "stored"), i, row) {
    assert_true(strlen(json_str(row, "why", "")) > 0 && strlen(json_str(row, "until", "")) > 0);
    visits += strstr(json_str(row, "what", ""), "one stay") ? json_int(row, "count", 0) : 0;
    payloads += strstr(json_str(row, "what", ""), "chat texts") ? json_int(row, "count", 0) : 0;
  }
  assert_int_equal(visits, 2);
  assert_int_equal(payloads, 1);
  assert_string_equal(json_str(about, "contact", ""), "privacy@example.org");
  json_decref(about);
  about = access_about(k->a, BOB);
  assert_int_equal(json_array_size(json_object_get(about, "stored")), 0);
  json_decref(about);
}

#define T(f) cmocka_unit_test_setup_teardown(f, kit_setup, kit_teardown)
int main(void) {
  const struct CMUnitTest tests[] = {
      T(test_no_text_no_consent),
      T(test_consent_is_given_once_and_recorded),
      T(test_consent_lasts_and_a_new_text_asks_again),
      T(test_consent_is_withdrawn_and_kept_as_proof),
      T(test_lint_wants_purposes_data_and_rights),
      T(test_restriction_keeps_the_data_and_shuts_the_door),
      T(test_a_name_is_corrected),
      T(test_nobody_is_an_error),
      T(test_a_hold_stops_erasure_until_it_ends),
      T(test_a_hold_outlives_the_application),
      T(test_erased_is_erased_and_the_sums_stay),
      T(test_an_older_backup_forgets_him_again),
      T(test_nothing_personal_is_readable_on_disk),
      T(test_what_is_stored_is_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
