/* accounts: what gavelctl may do with them, what it may not, and that they survive restarts, reloads and
 * erasure. */
#include "tests/unit/access/accounts_kit.h"

#define NAME(name) json_pack("{s:s}", "name", name)

/* The row of an account in account.list; NULL: none. The caller's. */
static json_t *row(struct kit *k, const char *name) {
  json_t *reply, *found = NULL, *one;
  size_t i;
  assert_int_equal(kit_call(k, "account.list", json_object(), &reply), ERR_OK);
  json_array_foreach(json_object_get(reply, "accounts"), i, one) {
    if (strcmp(json_str(one, "name", ""), name) == 0)
      found = json_incref(one);
    assert_null(json_object_get(one, "phc")); /* what a guess could be compared with */
    assert_null(json_object_get(one, "secret"));
  }
  json_decref(reply);
  return found;
}

static void test_create(void **state) {
  struct kit *k = *state;
  kit_account(k, "zoe", "room:join");
  kit_account(k, "anna", "room:join room:moderate");
  assert_int_equal(kit_call(k, "account.create", json_pack("{s:s,s:s}", "name", "ben", "phc", PHC), NULL),
                   ERR_OK);
  kit_restart(k);
  json_t *anna = row(k, "anna"), *ben = row(k, "ben");
  assert_string_equal(json_str(anna, "scopes", ""), "room:join room:moderate");
  assert_string_equal(json_str(anna, "pid", ""), user_pid(k->a, "anna"));
  assert_false(json_flag(anna, "totp", true));
  assert_string_equal(json_str(ben, "scopes", ""), "room:join room:speak room:chat");
  assert_int_equal(kit_audited(k, "account.create"), 3);
  json_decref(anna);
  json_decref(ben);
}

static void test_bad_create(void **state) {
  struct kit *k = *state;
  kit_account(k, "anna", "room:join");
  static const struct {
    const char *name, *phc, *scopes;
    enum err e;
  } BAD[] = {{"anna", PHC, "room:join", ERR_EXISTS},
             {"", PHC, "room:join", ERR_BAD_NAME},
             {"Anna", PHC, "room:join", ERR_BAD_NAME},
             {"an na", PHC, "room:join", ERR_BAD_NAME},
             {"anna@app", PHC, "room:join", ERR_BAD_NAME},
             {"../anna", PHC, "room:join", ERR_BAD_NAME},
             {"\x1b[31m", PHC, "room:join", ERR_BAD_NAME},
             {"a-name-of-more-than-sixty-three-characters-is-too-long-for-anybody-to-type", PHC, "room:join",
              ERR_BAD_NAME},
             {"ben", "", "room:join", ERR_BAD_ARG},
             {"ben", "my password in the clear", "room:join", ERR_BAD_ARG},
             {"ben",
              "$argon2id$v=19$m=4194304,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
              "room:join", ERR_BAD_ARG},
             {"ben", PHC, "", ERR_BAD_ARG},
             {"ben", PHC, "room:join everything", ERR_BAD_ARG}};
  for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
    assert_int_equal(
        kit_call(k, "account.create",
                 json_pack("{s:s,s:s,s:s}", "name", BAD[i].name, "phc", BAD[i].phc, "scopes", BAD[i].scopes),
                 NULL),
        BAD[i].e);
  assert_int_equal(kit_call(k, "account.create", json_pack("{s:i,s:[]}", "name", 7, "phc"), NULL),
                   ERR_BAD_NAME);
  assert_null(row(k, "ben"));
}

static void test_unknown(void **state) {
  struct kit *k = *state;
  static const char *const METHODS[] = {"account.password", "account.scopes",   "account.remove",
                                        "account.totp",     "account.totp_off", "session.list"};
  for (size_t i = 0; i < sizeof METHODS / sizeof METHODS[0]; i++)
    assert_int_equal(kit_call(k, METHODS[i], NAME("nobody"), NULL), ERR_NO_USER);
  assert_int_equal(kit_call(k, "session.revoke", json_pack("{s:s}", "id", "0123456789abcdef"), NULL),
                   ERR_BAD_ARG);
  assert_int_equal(kit_call(k, "session.revoke", json_object(), NULL), ERR_BAD_ARG);
  assert_int_equal(kit_call(k, "account.drop_tables", json_object(), NULL), ERR_BAD_METHOD);
}

/* A new password: whoever is signed in by the old one goes. */
static void test_password(void **state) {
  struct kit *k = *state;
  struct grant g;
  struct login_try now;
  kit_account(k, "anna", "room:join");
  json_t *t = kit_session(k, "anna", "", false);
  assert_int_equal(access_token(k->a, ACCESS(t), "", HOME, &g), ERR_OK);
  uint64_t before = access_revision(k->a);
  assert_int_equal(kit_call(k, "account.password", json_pack("{s:s,s:s}", "name", "anna", "phc", "x"), NULL),
                   ERR_BAD_ARG);
  assert_int_equal(access_still(k->a, &g), ERR_OK);
  assert_int_equal(
      kit_call(k, "account.password", json_pack("{s:s,s:s}", "name", "anna", "phc", PHC_OTHER), NULL),
      ERR_OK);
  assert_int_equal(access_still(k->a, &g), ERR_REVOKED);
  assert_true(access_revision(k->a) > before);
  assert_int_equal(login_begin(k->a, "anna", HOME, &now, &k->retry_s), ERR_OK);
  assert_string_equal(now.phc, PHC_OTHER);
  json_decref(t);
}

/* Fewer scopes hold at once for who is here; more do not come to an old session by themselves. */
static void test_scopes(void **state) {
  struct kit *k = *state;
  struct grant g, less;
  kit_account(k, "anna", "room:join room:moderate");
  json_t *t = kit_session(k, "anna", "room:join room:moderate", false);
  assert_int_equal(access_token(k->a, ACCESS(t), "", HOME, &g), ERR_OK);
#define SCOPES(text) json_pack("{s:s,s:s}", "name", "anna", "scopes", text)
  assert_int_equal(kit_call(k, "account.scopes", SCOPES(""), NULL), ERR_BAD_ARG);
  assert_int_equal(kit_call(k, "account.scopes", SCOPES("room:join"), NULL), ERR_OK);
  assert_int_equal(access_still(k->a, &g), ERR_REVOKED);
  assert_int_equal(access_token(k->a, ACCESS(t), "", HOME, &less), ERR_OK);
  assert_int_equal(less.scopes, SCOPE_JOIN);
  assert_int_equal(kit_call(k, "account.scopes", SCOPES("room:join room:admin"), NULL), ERR_OK);
  assert_int_equal(access_token(k->a, ACCESS(t), "", HOME, &less), ERR_OK);
  assert_int_equal(less.scopes, SCOPE_JOIN);
  json_decref(t);
}

static void test_remove(void **state) {
  struct kit *k = *state;
  struct grant g, none;
  kit_account(k, "anna", "room:join");
  kit_account(k, "ben", "room:join");
  json_t *t = kit_session(k, "anna", "", false), *other = kit_session(k, "ben", "", false);
  assert_int_equal(access_token(k->a, ACCESS(t), "", HOME, &g), ERR_OK);
  assert_int_equal(kit_call(k, "account.remove", NAME("anna"), NULL), ERR_OK);
  assert_int_equal(access_still(k->a, &g), ERR_REVOKED);
  kit_restart(k);
  assert_int_equal(access_token(k->a, ACCESS(t), "", HOME, &none), ERR_BAD_TOKEN);
  assert_int_equal(kit_login(k, "anna", true, "", HOME), ERR_BAD_LOGIN);
  assert_int_equal(access_token(k->a, ACCESS(other), "", HOME, &none), ERR_OK);
  kit_account(k, "anna", "room:join"); /* the name is free again; the old sessions stay dead */
  assert_int_equal(access_token(k->a, ACCESS(t), "", HOME, &none), ERR_BAD_TOKEN);
  json_decref(t);
  json_decref(other);
}

struct saved_doc {
  char id[32], text[4096];
};
static enum err save_doc(void *ctx, const char *id, const char *pid, const char *text) {
  struct saved_doc *s = ctx;
  (void)pid;
  snprintf(s->id, sizeof s->id, "%s", id);
  snprintf(s->text, sizeof s->text, "%s", text);
  return ERR_OK;
}

static enum err refreshed(struct kit *k, const json_t *tokens) {
  json_t *reply = json_object();
  enum err e = oauth_refresh(k->a, "gavel", REFRESH(tokens), HOME, reply);
  json_decref(reply);
  return e;
}

/* What the old password approved is not fetched after there is a new one, or a new second factor. */
static void test_approved_before(void **state) {
  struct kit *k = *state;
  static const struct {
    const char *method, *key, *value;
  } CHANGES[] = {
      {"account.password", "phc", PHC_OTHER}, {"account.totp", NULL, NULL}, {"user.revoke", "user", "anna"}};
  kit_account(k, "anna", "room:join");
  kit_account(k, "ben", "room:join");
  json_t *other = kit_device(k, "", HOME);
  assert_int_equal(kit_login(k, "ben", true, "", HOME), ERR_OK);
  assert_int_equal(oauth_device_decide(k->a, json_str(other, "user_code", ""), k->pid, false, true), ERR_OK);
  for (size_t i = 0; i < sizeof CHANGES / sizeof CHANGES[0]; i++) {
    json_t *d = kit_device(k, "", HOME), *params = NAME("anna");
    if (strcmp(CHANGES[i].method, "user.revoke") == 0)
      json_object_clear(params);
    if (CHANGES[i].key)
      json_object_set_new(params, CHANGES[i].key, json_string(CHANGES[i].value));
    assert_int_equal(
        oauth_device_decide(k->a, json_str(d, "user_code", ""), user_pid(k->a, "anna"), false, true), ERR_OK);
    assert_int_equal(kit_call(k, CHANGES[i].method, params, NULL), ERR_OK);
    assert_int_equal(kit_poll(k, d, NULL), ERR_BAD_GRANT);
    json_decref(d);
  }
  assert_int_equal(kit_poll(k, other, NULL), ERR_OK); /* his is not concerned */
  json_decref(other);
}

/* `user revoke` holds for sessions: who is in leaves, neither token opens again, nor does a session that the
 * disk still had. */
static void test_user_revoked(void **state) {
  struct kit *k = *state;
  struct grant g, none;
  kit_account(k, "anna", "room:join");
  json_t *t = kit_session(k, "anna", "", false);
  assert_int_equal(access_token(k->a, ACCESS(t), "", HOME, &g), ERR_OK);
  kit_pass(k, MINUTE);
  struct saved_doc saved;
  assert_int_equal(store_each_doc(k->store, "session", NULL, save_doc, &saved), ERR_OK);
  assert_int_equal(kit_call(k, "user.revoke", json_pack("{s:s}", "user", "anna"), NULL), ERR_OK);
  assert_int_equal(access_still(k->a, &g), ERR_REVOKED);
  assert_int_equal(access_token(k->a, ACCESS(t), "", HOME, &none), ERR_BAD_TOKEN);
  assert_int_equal(refreshed(k, t), ERR_BAD_GRANT);
  assert_int_equal(store_put_doc(k->store, "session", saved.id, g.pid, saved.text), ERR_OK);
  kit_restart(k);
  assert_int_equal(access_token(k->a, ACCESS(t), "", HOME, &none), ERR_BAD_TOKEN);
  assert_int_equal(refreshed(k, t), ERR_BAD_GRANT);
  kit_pass(k, SECOND);
  json_decref(t);
  t = kit_session(k, "anna", "", false); /* he may sign in again */
  assert_int_equal(access_token(k->a, ACCESS(t), "", HOME, &g), ERR_OK);
  json_decref(t);
}

/* Whoever gets the name next is another person. */
static void test_successor(void **state) {
  struct kit *k = *state;
  char old[ACCESS_PID_MAX + 1];
  kit_account(k, "anna", "room:join");
  snprintf(old, sizeof old, "%s", user_pid(k->a, "anna"));
  json_t *hold = json_pack("{s:s,s:s,s:i}", "user", "anna", "reason", "a dispute", "for", 3600);
  json_t *reply;
  assert_int_equal(kit_call(k, "hold.add", hold, &reply), ERR_OK);
  assert_int_equal(kit_call(k, "account.remove", NAME("anna"), NULL), ERR_HELD);
  assert_int_equal(kit_call(k, "hold.lift", json_pack("{s:s}", "id", json_str(reply, "id", "")), NULL),
                   ERR_OK);
  json_decref(reply);
  assert_int_equal(kit_call(k, "account.remove", NAME("anna"), NULL), ERR_OK);
  assert_null(user_pid(k->a, "anna"));
  kit_account(k, "anna", "room:join");
  assert_string_not_equal(user_pid(k->a, "anna"), old);
}

static void test_totp(void **state) {
  struct kit *k = *state;
  json_t *reply;
  kit_account(k, "anna", "room:moderate");
  assert_int_equal(kit_call(k, "account.totp", NAME("anna"), &reply), ERR_OK);
  const char *uri = json_str(reply, "uri", "");
  char want[128];
  snprintf(want, sizeof want, "otpauth://totp/gavel.example:anna?secret=%s&", json_str(reply, "secret", ""));
  assert_memory_equal(uri, want, strlen(want));
  json_decref(reply);
  json_t *anna = row(k, "anna");
  assert_true(json_flag(anna, "totp", false));
  assert_int_equal(json_int(anna, "recovery_codes", 0), TOTP_RECOVERY_CODES);
  json_decref(anna);
}

static void test_sessions(void **state) {
  struct kit *k = *state;
  struct grant g;
  json_t *reply;
  kit_account(k, "anna", "room:join");
  kit_account(k, "ben", "room:join");
  json_t *t = kit_session(k, "anna", "", false), *other = kit_session(k, "ben", "", true);
  assert_int_equal(access_token(k->a, ACCESS(t), "", HOME, &g), ERR_OK);
  assert_int_equal(kit_call(k, "session.list", json_object(), &reply), ERR_OK);
  assert_int_equal(json_array_size(json_object_get(reply, "sessions")), 2);
  json_decref(reply);
  assert_int_equal(kit_call(k, "session.list", NAME("anna"), &reply), ERR_OK);
  json_t *list = json_object_get(reply, "sessions"), *one = json_array_get(list, 0);
  assert_int_equal(json_array_size(list), 1);
  assert_string_equal(json_str(one, "id", ""), g.session);
  assert_string_equal(json_str(one, "account", ""), "anna");
  assert_string_equal(json_str(one, "client", ""), "gavel");
  assert_int_equal(json_int(one, "until_ms", 0), START_MS + SESSION_IDLE_MS);
  json_decref(reply);
  assert_int_equal(kit_call(k, "session.revoke", json_pack("{s:s}", "id", g.session), NULL), ERR_OK);
  assert_int_equal(access_still(k->a, &g), ERR_REVOKED);
  assert_int_equal(access_token(k->a, ACCESS(other), "", HOME, &g), ERR_OK);
  assert_int_equal(kit_audited(k, "session.revoke"), 1);
  json_decref(t);
  json_decref(other);
}

static void test_reload(void **state) {
  struct kit *k = *state;
  kit_account(k, "anna", "room:join");
  kit_commit(k);
  kit_account(k, "ben", "room:join");
  assert_int_equal(kit_call(k, "account.remove", NAME("anna"), NULL), ERR_OK);
  store_rollback(k->store); /* the disk was full */
  access_reload(k->a);
  json_t *anna = row(k, "anna"), *ben = row(k, "ben");
  assert_non_null(anna);
  assert_null(ben);
  json_decref(anna);
  assert_int_equal(kit_login(k, "anna", true, "", HOME), ERR_OK);
}

/* The key of a person is gone: so are his account and his sessions, also after a restart. */
static void test_erased(void **state) {
  struct kit *k = *state;
  struct grant g, none;
  kit_account(k, "anna", "room:join");
  json_t *t = kit_session(k, "anna", "", false);
  assert_int_equal(access_token(k->a, ACCESS(t), "", HOME, &g), ERR_OK);
  kit_commit(k);
  account_forget(k->a, g.pid);
  account_forget(k->a, g.pid); /* twice is once */
  account_forget(k->a, "p-0000000000000000");
  assert_int_equal(access_still(k->a, &g), ERR_REVOKED);
  kit_commit(k);
  assert_int_equal(store_erase_subject(k->store, g.pid), ERR_OK);
  kit_restart(k);
  assert_int_equal(access_token(k->a, ACCESS(t), "", HOME, &none), ERR_BAD_TOKEN);
  assert_null(row(k, "anna"));
  json_decref(t);
}

static void test_restricted(void **state) {
  struct kit *k = *state;
  struct grant g, none;
  kit_account(k, "anna", "room:join");
  json_t *t = kit_session(k, "anna", "", false), *reply = json_object();
  assert_int_equal(access_token(k->a, ACCESS(t), "", HOME, &g), ERR_OK);
  assert_int_equal(kit_call(k, "privacy.restrict", json_pack("{s:s}", "user", g.pid), NULL), ERR_OK);
  assert_int_equal(access_token(k->a, ACCESS(t), "", HOME, &none), ERR_RESTRICTED);
  enum err e = oauth_refresh(k->a, "gavel", REFRESH(t), HOME, reply);
  assert_int_equal(e, ERR_RESTRICTED);
  assert_int_equal(oauth_status(e), 403);
  json_decref(reply);
  json_decref(t);
}

/* Documents that are not what they should be: gaveld does not start by guessing. */
static void test_damaged(void **state) {
  struct kit *k = *state;
  static const struct {
    const char *class, *text;
  } BAD[] = {{"account", "{}"},
             {"account", "not json"},
             {"account", "{\"name\":\"anna\",\"phc\":\"\",\"scopes\":\"room:join\"}"},
             {"account", "{\"name\":\"anna\",\"phc\":\"" PHC "\",\"scopes\":\"room:join\",\"totp\":\"00\"}"},
             {"session", "{}"},
             {"session", "{\"access\":\"zz\",\"refresh\":\"\",\"family\":\"\"}"}};
  for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
    assert_int_equal(
        store_put_doc(k->store, BAD[i].class, "p-0123456789abcdef", "p-0123456789abcdef", BAD[i].text),
        ERR_OK);
    kit_commit(k);
    access_close(k->a);
    k->a = NULL;
    assert_int_equal(access_open(&k->cfg, k->now_ms, &k->a, k->why), ERR_DB_CORRUPT);
    assert_non_null(strstr(k->why, BAD[i].class));
    assert_int_equal(store_del_doc(k->store, BAD[i].class, "p-0123456789abcdef"), ERR_OK);
    assert_int_equal(store_commit(k->store), ERR_OK);
    assert_int_equal(access_open(&k->cfg, k->now_ms, &k->a, k->why), ERR_OK);
  }
}

int main(void) {
#define T(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)
  const struct CMUnitTest tests[] = {
      T(test_create),   T(test_bad_create),      T(test_unknown),      T(test_password),   T(test_scopes),
      T(test_remove),   T(test_approved_before), T(test_user_revoked), T(test_successor),  T(test_totp),
      T(test_sessions), T(test_reload),          T(test_erased),       T(test_restricted), T(test_damaged),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
