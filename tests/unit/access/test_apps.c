/* Applications, their keys and rules. */
#include "tests/unit/access/apps_kit.h"

static void an_application_shows_its_key_once(void **state) {
  struct kit *k = kit_make();
  struct token_key key = app_make(k, "blue");
  json_t *r;
  (void)state;
  assert_int_equal(call(k, "app.show", json_pack("{s:s}", "app", "blue"), &r), ERR_OK);
  char *text = json_dumps(r, 0), secret[KEY_TEXT_MAX] = "";
  memcpy(secret, key.secret, key.n_secret);
  assert_null(strstr(text, secret));
  assert_non_null(strstr(text, key.kid));
  free(text);
  json_decref(r);
  assert_int_equal(call(k, "app.create", json_pack("{s:s}", "app", "blue"), NULL), ERR_EXISTS);
  assert_int_equal(call(k, "app.show", json_pack("{s:s}", "app", "red"), NULL), ERR_NO_APP);
  kit_free(k);
}

static void names_and_rules_are_checked(void **state) {
  static const char *const BAD[] = {"",    "Blue", "a/b",      "a.b",
                                    "a_b", "-a",   "\xc3\xa4", "0123456789012345678901234567890123"};
  struct kit *k = kit_make();
  (void)state;
  for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
    assert_int_equal(call(k, "app.create", json_pack("{s:s}", "app", BAD[i]), NULL), ERR_BAD_NAME);
  assert_int_equal(call(k, "app.create", json_pack("{s:s,s:s}", "app", "x", "rooms", "never"), NULL),
                   ERR_BAD_ARG);
  (void)app_make(k, "blue");
  struct app_policy p = access_app(k->a, "blue");
  assert_true(p.exists && p.create_rooms && p.lobby && !p.hosts_need_mfa);
  json_t *set = json_pack("{s:s,s:s,s:b,s:b}", "app", "blue", "rooms", "made", "lobby", 0, "mfa", 1);
  assert_int_equal(call(k, "app.set", set, NULL), ERR_OK);
  kit_restart(k);
  p = access_app(k->a, "blue");
  assert_true(p.exists && !p.create_rooms && !p.lobby && p.hosts_need_mfa);
  p = access_app(k->a, "");
  assert_true(p.exists && !p.create_rooms);
  assert_false(access_app(k->a, "red").exists);
  for (const char *name = "zyx"; *name; name++) {
    char one[2] = {*name};
    (void)app_make(k, one);
  }
  json_t *r;
  assert_int_equal(call(k, "app.list", json_object(), &r), ERR_OK);
  const char *const order[] = {"blue", "x", "y", "z"};
  for (size_t i = 0; i < 4; i++)
    assert_string_equal(json_str(json_array_get(json_object_get(r, "apps"), i), "app", ""), order[i]);
  assert_int_equal(json_array_size(json_object_get(r, "apps")), 4);
  json_decref(r);
  kit_free(k);
}

struct search {
  const char *what;
  bool found;
};
static enum err look(void *ctx, const char *id, const char *pid, const char *text) {
  struct search *s = ctx;
  (void)id, (void)pid;
  s->found |= strstr(text, s->what) != NULL;
  return ERR_OK;
}

/* VY-19: even behind the store's own seal a key is sealed. */
static void no_document_and_no_record_holds_a_key(void **state) {
  struct kit *k = kit_make();
  struct token_key key = app_make(k, "blue");
  char secret[KEY_TEXT_MAX] = "", hex[2 * KEY_TEXT_MAX + 1];
  struct grant g;
  (void)state;
  memcpy(secret, key.secret, key.n_secret);
  for (size_t i = 0; i < key.n_secret; i++)
    snprintf(hex + 2 * i, 3, "%02x", key.secret[i]);
  assert_int_equal(enter(k, &key, "ann", "den", "", &g), ERR_OK);
  struct search as_text = {secret, false}, as_hex = {hex, false};
  assert_int_equal(store_each_doc(k->store, "key", NULL, look, &as_text), ERR_OK);
  assert_int_equal(store_each_doc(k->store, "key", NULL, look, &as_hex), ERR_OK);
  assert_false(as_text.found || as_hex.found);
  const struct app_key *record = key_find(k->a, key.kid);
  assert_non_null(record);
  assert_null(memmem(record, sizeof *record, key.secret, key.n_secret));
  kit_free(k);
}

static void keys_rotate_with_overlap(void **state) {
  struct kit *k = kit_make();
  struct token_key old = app_make(k, "blue"), fresh = old;
  struct grant g;
  (void)state;
  snprintf(fresh.kid, sizeof fresh.kid, "second");
  memset(fresh.secret, 'x', fresh.n_secret = 40);
  char text[41] = "";
  memcpy(text, fresh.secret, 40);
  json_t *add =
      json_pack("{s:s,s:s,s:s,s:s}", "app", "blue", "format", "jwt-hs256", "kid", "second", "secret", text);
  assert_int_equal(call(k, "key.add", json_incref(add), NULL), ERR_OK);
  assert_int_equal(call(k, "key.add", add, NULL), ERR_EXISTS);
  json_t *retire = json_pack("{s:s,s:s,s:i}", "app", "blue", "kid", old.kid, "after", 60);
  assert_int_equal(call(k, "key.retire", retire, NULL), ERR_OK);
  kit_restart(k);
  assert_int_equal(enter(k, &old, "ann", "den", "", &g), ERR_OK);
  assert_int_equal(enter(k, &fresh, "ann", "den", "", &g), ERR_OK);
  struct grant by_old;
  assert_int_equal(enter(k, &old, "bob", "den", "", &by_old), ERR_OK);
  later(k, 61000);
  assert_int_equal(enter(k, &old, "ann", "den", "", &g), ERR_BAD_TOKEN);
  assert_int_equal(enter(k, &fresh, "ann", "den", "", &g), ERR_OK);
  assert_int_equal(access_still(k->a, &by_old), ERR_OK); /* a retired key sends nobody away */
  kit_free(k);
}

static void a_revoked_key_ends_what_it_gave(void **state) {
  struct kit *k = kit_make();
  struct token_key key = app_make(k, "blue");
  struct grant g, again;
  (void)state;
  assert_int_equal(enter(k, &key, "ann", "den", "", &g), ERR_OK);
  uint64_t before = access_revision(k->a);
  assert_int_equal(call(k, "key.revoke", json_pack("{s:s,s:s}", "app", "red", "kid", key.kid), NULL),
                   ERR_NO_KEY);
  assert_int_equal(access_still(k->a, &g), ERR_OK);
  assert_int_equal(call(k, "key.revoke", json_pack("{s:s,s:s}", "app", "blue", "kid", key.kid), NULL),
                   ERR_OK);
  assert_true(access_revision(k->a) > before);
  assert_int_equal(access_still(k->a, &g), ERR_REVOKED);
  assert_int_equal(enter(k, &key, "ann", "den", "", &again), ERR_BAD_TOKEN);
  kit_restart(k);
  assert_int_equal(access_still(k->a, &g), ERR_REVOKED);
  json_t *add = json_pack("{s:s,s:s,s:s,s:s}", "app", "blue", "format", "jwt-hs256", "kid", key.kid, "secret",
                          "0123456789012345678901234567890123456789");
  assert_int_equal(call(k, "key.add", add, NULL), ERR_EXISTS); /* a kid is never another's */
  kit_free(k);
}

static void a_removed_application_is_gone(void **state) {
  struct kit *k = kit_make();
  struct token_key key = app_make(k, "blue"), other = app_make(k, "red");
  struct grant g, stays;
  (void)state;
  assert_int_equal(enter(k, &key, "ann", "den", "", &g), ERR_OK);
  assert_int_equal(enter(k, &other, "ann", "den", "", &stays), ERR_OK);
  assert_string_not_equal(g.pid, stays.pid);
  assert_int_equal(call(k, "app.remove", json_pack("{s:s}", "app", "blue"), NULL), ERR_OK);
  assert_int_equal(access_still(k->a, &g), ERR_REVOKED);
  assert_int_equal(access_still(k->a, &stays), ERR_OK);
  kit_restart(k);
  assert_null(user_pid(k->a, "ann@blue"));
  assert_string_equal(user_pid(k->a, "ann@red"), stays.pid);
  assert_null(key_find(k->a, key.kid));
  kit_free(k);
}

static void bad_keys_are_refused(void **state) {
  static const struct {
    const char *format, *secret, *kid;
  } BAD[] = {
      {"jwt-rs256", "0123456789012345678901234567890123456789", "a"},
      {"jwt-hs256", "short", "a"},
      {"jwt-hs256", "", "a"},
      {"jwt-hs256", "0123456789012345678901234567890123456789", "../../x"},
      {"jwt-hs256", "0123456789012345678901234567890123456789", "' OR 1--"},
      {"jwt-eddsa", "0123456789012345678901234567890123456789", "a"},
      {"jwt-eddsa", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "a"},
      {"vidyo", "\n", "a"},
      {"vidyo", "rUlaMASgt1Byi4Kp3sKYDeQzo", "a"}}; /* its tokens name no application of ours: issuer */
  struct kit *k = kit_make();
  (void)app_make(k, "blue");
  (void)state;
  for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
    json_t *add = json_pack("{s:s,s:s,s:s,s:s}", "app", "blue", "format", BAD[i].format, "secret",
                            BAD[i].secret, "kid", BAD[i].kid);
    assert_int_equal(call(k, "key.add", add, NULL), ERR_BAD_ARG);
    assert_string_not_equal(k->why, "");
    assert_null(key_find(k->a, "a"));
  }
  kit_free(k);
}

/* The public key of RFC 8037 appendix A.2, in the three spellings. */
static void a_public_key_may_be_written_in_three_ways(void **state) {
  static const char *const KEYS[] = {
      "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a\n",
      "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
      ("-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
       "-----END PUBLIC KEY-----\n")};
  struct kit *k = kit_make();
  (void)app_make(k, "blue");
  (void)state;
  for (size_t i = 0; i < 3; i++) {
    json_t *add = json_pack("{s:s,s:s,s:s}", "app", "blue", "format", "jwt-eddsa", "secret", KEYS[i]);
    assert_int_equal(call(k, "key.add", add, NULL), ERR_OK);
  }
  kit_free(k);
}

static void rooms_of_other_systems_get_a_name(void **state) {
  char a[64], b[64];
  char most[TOKEN_ROOM_MAX + 2];
  (void)state;
  assert_true(access_room("BlueRoom", a));
  assert_string_equal(a, "r-d975fde689dbafcb1deaad647afe79bd"); /* systems that tell the cases apart */
  assert_true(access_room("blueroom", b));
  assert_string_equal(b, "blueroom");
  assert_true(access_room("Blue Room", a) && access_room("Blue  Room", b));
  assert_true(text_slug_valid(a) && text_slug_valid(b));
  assert_string_not_equal(a, b);
  assert_true(access_room("Blue Room", b));
  assert_string_equal(a, b);
  memset(most, 'A', sizeof most);
  most[TOKEN_ROOM_MAX + 1] = 0;
  assert_false(access_room(most, a));
  most[TOKEN_ROOM_MAX] = 0;
  assert_true(access_room(most, a) && text_slug_valid(a));
  assert_false(access_room("", a));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_application_shows_its_key_once),
      cmocka_unit_test(names_and_rules_are_checked),
      cmocka_unit_test(no_document_and_no_record_holds_a_key),
      cmocka_unit_test(keys_rotate_with_overlap),
      cmocka_unit_test(a_revoked_key_ends_what_it_gave),
      cmocka_unit_test(a_removed_application_is_gone),
      cmocka_unit_test(bad_keys_are_refused),
      cmocka_unit_test(a_public_key_may_be_written_in_three_ways),
      cmocka_unit_test(rooms_of_other_systems_get_a_name),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
