/* sessions: how long they last, what opens them, how they are rotated, and how they end. */
#include "tests/unit/access/accounts_kit.h"

static enum err enter(struct kit *k, const char *token, const uint8_t *addr, struct grant *g) {
  return access_token(k->a, token, "", addr, g);
}

static enum err refresh(struct kit *k, const char *token, json_t **tokens) {
  json_t *reply = json_object();
  enum err e = oauth_refresh(k->a, "gavel", token, HOME, reply);
  if (e != ERR_OK)
    assert_string_equal(json_str(reply, "error", ""), "invalid_grant");
  if (tokens)
    *tokens = reply;
  else
    json_decref(reply);
  return e;
}

static bool active(struct kit *k, const char *token) {
  json_t *reply = json_object();
  assert_int_equal(oauth_introspect(k->a, token, reply), ERR_OK);
  bool is = json_flag(reply, "active", false);
  if (!is)
    assert_int_equal(json_object_size(reply), 1); /* and not a word more */
  json_decref(reply);
  return is;
}

static json_t *start(struct kit *k) {
  kit_account(k, "anna", "room:join room:moderate");
  return kit_session(k, "anna", "room:join room:moderate", true);
}

static void test_grant(void **state) {
  struct kit *k = *state;
  struct grant g;
  json_t *t = start(k);
  assert_int_equal(enter(k, ACCESS(t), HOME, &g), ERR_OK);
  assert_string_equal(g.pid, user_pid(k->a, "anna"));
  assert_string_equal(g.user, "anna");
  assert_string_equal(g.app, "");
  assert_string_equal(g.name, "anna");
  assert_string_equal(g.kid, "");
  assert_string_equal(g.room, "");
  assert_int_equal(strlen(g.session), 16);
  assert_int_equal(g.scopes, SCOPE_JOIN | SCOPE_MODERATE);
  assert_int_equal(g.iat_s, START_MS / 1000);
  assert_true(g.mfa);
  assert_int_equal(access_still(k->a, &g), ERR_OK);
  json_decref(t);
}

static void test_bad_tokens(void **state) {
  struct kit *k = *state;
  struct grant g;
  json_t *t = start(k);
  char near[64], longer[64], padded[64];
  snprintf(near, sizeof near, "%s", ACCESS(t));
  near[20] = near[20] == 'A' ? 'B' : 'A';
  snprintf(longer, sizeof longer, "%sA", ACCESS(t));
  snprintf(padded, sizeof padded, "%s=", ACCESS(t));
  const char *const BAD[] = {"cs1_",     "cs1_AAAA",
                             near,       longer,
                             padded,     "cs1_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                             REFRESH(t), "cs1_\xff\xff\xff\xff"};
  for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
    assert_int_equal(enter(k, BAD[i], HOME, &g), ERR_BAD_TOKEN);
  assert_int_equal(refresh(k, ACCESS(t), NULL), ERR_BAD_GRANT); /* the one is not the other */
  assert_true(kit_audited(k, "session.refused") > 0);
  assert_int_equal(enter(k, ACCESS(t), HOME, &g), ERR_OK);
  json_decref(t);
}

static void test_access_expires(void **state) {
  struct kit *k = *state;
  struct grant g;
  json_t *t = start(k), *fresh;
  kit_pass(k, 7200 * SECOND - 1);
  assert_int_equal(enter(k, ACCESS(t), HOME, &g), ERR_OK);
  kit_pass(k, 1);
  assert_int_equal(enter(k, ACCESS(t), HOME, &g), ERR_BAD_TOKEN);
  assert_false(active(k, ACCESS(t)));
  assert_int_equal(access_still(k->a, &g), ERR_OK); /* who is in the room stays there */
  assert_int_equal(refresh(k, REFRESH(t), &fresh), ERR_OK);
  assert_int_equal(enter(k, ACCESS(fresh), HOME, &g), ERR_OK);
  json_decref(fresh);
  json_decref(t);
}

static void test_idle(void **state) {
  struct kit *k = *state;
  struct grant g;
  json_t *t = start(k), *fresh;
  assert_int_equal(enter(k, ACCESS(t), HOME, &g), ERR_OK);
  kit_pass(k, 12 * HOUR - 1); /* every use slides it */
  assert_int_equal(refresh(k, REFRESH(t), &fresh), ERR_OK);
  json_decref(t);
  kit_pass(k, 12 * HOUR - 1);
  uint64_t before = access_revision(k->a);
  assert_int_equal(refresh(k, REFRESH(fresh), &t), ERR_OK);
  assert_int_equal(access_next_ms(k->a) <= k->now_ms + 12 * HOUR, true);
  kit_pass(k, 12 * HOUR);
  assert_int_equal(refresh(k, REFRESH(t), NULL), ERR_BAD_GRANT);
  assert_int_equal(access_still(k->a, &g), ERR_REVOKED);
  assert_true(access_revision(k->a) > before); /* so that the seats ask again */
  assert_int_equal(kit_audited(k, "session.ended"), 1);
  json_decref(fresh);
  json_decref(t);
}

static void test_absolute(void **state) {
  struct kit *k = *state;
  json_t *t = start(k), *fresh;
  for (int i = 0; i < 60; i++) { /* twice a day for 30 days less a moment */
    kit_pass(k, i == 59 ? 12 * HOUR - 60 : 12 * HOUR - 1);
    assert_int_equal(refresh(k, REFRESH(t), &fresh), ERR_OK);
    json_decref(t);
    t = fresh;
  }
  kit_pass(k, 2 * MINUTE);
  assert_int_equal(refresh(k, REFRESH(t), NULL), ERR_BAD_GRANT);
  json_decref(t);
}

/* RFC 9700 4.14: an old refresh token, however old, ends the whole family. */
static void test_reuse(void **state) {
  struct kit *k = *state;
  struct grant g, none;
  json_t *t[4] = {start(k)};
  for (int i = 1; i < 4; i++) {
    kit_pass(k, HOUR);
    assert_int_equal(refresh(k, REFRESH(t[i - 1]), &t[i]), ERR_OK);
    assert_int_equal(enter(k, ACCESS(t[i - 1]), HOME, &none), ERR_BAD_TOKEN);
  }
  assert_int_equal(enter(k, ACCESS(t[3]), HOME, &g), ERR_OK);
  assert_int_equal(refresh(k, REFRESH(t[0]), NULL), ERR_BAD_GRANT);
  assert_int_equal(enter(k, ACCESS(t[3]), HOME, &none), ERR_BAD_TOKEN);
  assert_int_equal(refresh(k, REFRESH(t[3]), NULL), ERR_BAD_GRANT);
  assert_int_equal(access_still(k->a, &g), ERR_REVOKED);
  assert_int_equal(kit_audited(k, "session.reuse"), 1);
  kit_restart(k);
  assert_int_equal(refresh(k, REFRESH(t[3]), NULL), ERR_BAD_GRANT);
  for (int i = 0; i < 4; i++)
    json_decref(t[i]);
}

/* Somebody else's session is not touched by it. */
static void test_reuse_of_one(void **state) {
  struct kit *k = *state;
  struct grant g;
  json_t *t = start(k), *other = kit_session(k, "anna", "", false), *fresh;
  assert_int_equal(refresh(k, REFRESH(t), &fresh), ERR_OK);
  assert_int_equal(refresh(k, REFRESH(t), NULL), ERR_BAD_GRANT);
  assert_int_equal(enter(k, ACCESS(other), HOME, &g), ERR_OK);
  json_decref(fresh);
  json_decref(other);
  json_decref(t);
}

static void test_revoke(void **state) {
  struct kit *k = *state;
  struct grant g, h;
  json_t *t = start(k), *other = kit_session(k, "anna", "", false);
  assert_int_equal(enter(k, ACCESS(t), HOME, &g), ERR_OK);
  assert_int_equal(enter(k, ACCESS(other), HOME, &h), ERR_OK);
  oauth_revoke(k->a, "cs1_nothing");
  oauth_revoke(k->a, "");
  uint64_t before = access_revision(k->a);
  oauth_revoke(k->a, ACCESS(t));
  assert_true(access_revision(k->a) > before);
  assert_int_equal(access_still(k->a, &g), ERR_REVOKED);
  assert_int_equal(refresh(k, REFRESH(t), NULL), ERR_BAD_GRANT);
  assert_int_equal(access_still(k->a, &h), ERR_OK);
  oauth_revoke(k->a, REFRESH(other));
  assert_int_equal(enter(k, ACCESS(other), HOME, &h), ERR_BAD_TOKEN);
  assert_int_equal(kit_audited(k, "session.revoked"), 2);
  kit_restart(k);
  assert_false(active(k, ACCESS(t)));
  json_decref(other);
  json_decref(t);
}

/* A refresh token is its client's; the wrong client does not use it up. */
static void test_client(void **state) {
  struct kit *k = *state;
  json_t *t = start(k), *reply = json_object();
  assert_int_equal(oauth_refresh(k->a, "other", REFRESH(t), HOME, reply), ERR_BAD_GRANT);
  assert_int_equal(oauth_refresh(k->a, "", REFRESH(t), HOME, reply), ERR_BAD_GRANT);
  assert_int_equal(refresh(k, REFRESH(t), NULL), ERR_OK);
  json_decref(reply);
  json_decref(t);
}

static void test_introspect(void **state) {
  struct kit *k = *state;
  json_t *t = start(k), *reply = json_object();
  assert_int_equal(oauth_introspect(k->a, ACCESS(t), reply), ERR_OK);
  assert_true(json_flag(reply, "active", false));
  assert_string_equal(json_str(reply, "username", ""), "anna");
  assert_string_equal(json_str(reply, "sub", ""), user_pid(k->a, "anna"));
  assert_string_equal(json_str(reply, "scope", ""), "room:join room:moderate");
  assert_string_equal(json_str(reply, "client_id", ""), "gavel");
  assert_string_equal(json_str(reply, "token_type", ""), "Bearer");
  assert_int_equal(json_int(reply, "exp", 0), START_MS / 1000 + 7200);
  assert_true(active(k, REFRESH(t)));
  assert_false(active(k, "cs1_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"));
  assert_false(active(k, ""));
  json_decref(reply);
  json_decref(t);
}

/* Stolen on its way: the first use has to come from where the device asked. */
static void test_bound_network(void **state) {
  struct kit *k = *state;
  struct grant g;
  json_t *t = start(k), *reply = json_object();
  assert_int_equal(enter(k, ACCESS(t), ABROAD, &g), ERR_BAD_TOKEN);
  assert_int_equal(enter(k, ACCESS(t), V6, &g), ERR_BAD_TOKEN);
  assert_int_equal(enter(k, ACCESS(t), NULL, &g), ERR_BAD_TOKEN);
  assert_int_equal(oauth_refresh(k->a, "gavel", REFRESH(t), ABROAD, reply), ERR_BAD_GRANT);
  kit_restart(k);
  assert_int_equal(enter(k, ACCESS(t), ABROAD, &g), ERR_BAD_TOKEN);
  assert_int_equal(enter(k, ACCESS(t), NEIGHBOUR, &g), ERR_OK); /* a /24 */
  assert_int_equal(enter(k, ACCESS(t), ABROAD, &g), ERR_OK);    /* from then on he may travel */
  kit_restart(k);
  assert_int_equal(enter(k, ACCESS(t), V6, &g), ERR_OK);
  json_decref(reply);
  json_decref(t);
}

/* Sliding does not write the database at every use. */
static void test_few_writes(void **state) {
  struct kit *k = *state;
  struct grant g;
  json_t *t = start(k);
  assert_int_equal(enter(k, ACCESS(t), HOME, &g), ERR_OK); /* the first one unbinds */
  kit_commit(k);
  int writes = 0;
  for (int i = 0; i < 600; i++) { /* ten minutes, every second */
    kit_pass(k, SECOND);
    kit_commit(k);
    assert_int_equal(enter(k, ACCESS(t), HOME, &g), ERR_OK);
    writes += store_pending(k->store) > 0;
  }
  assert_int_equal(writes, 10);
  kit_restart(k);
  kit_pass(k, 12 * HOUR - MINUTE - SECOND); /* at most the last minute is lost */
  assert_int_equal(access_still(k->a, &g), ERR_OK);
  json_decref(t);
}

static void test_restart(void **state) {
  struct kit *k = *state;
  struct grant g, h;
  json_t *t = start(k), *fresh;
  assert_int_equal(enter(k, ACCESS(t), HOME, &g), ERR_OK);
  kit_restart(k);
  assert_int_equal(access_still(k->a, &g), ERR_OK);
  assert_int_equal(enter(k, ACCESS(t), HOME, &h), ERR_OK);
  assert_string_equal(g.session, h.session);
  assert_int_equal(h.scopes, g.scopes);
  assert_true(h.mfa);
  assert_int_equal(refresh(k, REFRESH(t), &fresh), ERR_OK);
  kit_restart(k);
  assert_int_equal(enter(k, ACCESS(t), HOME, &h), ERR_BAD_TOKEN);
  assert_int_equal(enter(k, ACCESS(fresh), HOME, &h), ERR_OK);
  kit_commit(k);
  k->now_ms += 31 * DAY; /* it ends while gaveld does not run */
  kit_restart(k);
  kit_pass(k, SECOND);
  assert_int_equal(access_still(k->a, &h), ERR_REVOKED);
  json_decref(fresh);
  json_decref(t);
}

/* A group that was lost: memory says again what the disk says. */
static void test_reload(void **state) {
  struct kit *k = *state;
  struct grant g;
  json_t *t = start(k), *lost;
  assert_int_equal(enter(k, ACCESS(t), HOME, &g), ERR_OK);
  kit_commit(k);
  assert_int_equal(refresh(k, REFRESH(t), &lost), ERR_OK);
  store_rollback(k->store);
  access_reload(k->a);
  assert_int_equal(enter(k, ACCESS(lost), HOME, &g), ERR_BAD_TOKEN);
  assert_int_equal(enter(k, ACCESS(t), HOME, &g), ERR_OK);
  kit_commit(k);
  oauth_revoke(k->a, ACCESS(t));
  store_rollback(k->store);
  access_reload(k->a);
  assert_int_equal(enter(k, ACCESS(t), HOME, &g), ERR_OK); /* nobody was told that it was revoked */
  assert_int_equal(refresh(k, REFRESH(t), NULL), ERR_OK);
  json_decref(lost);
  json_decref(t);
}

/* One more than a person may have: the one used least lately ends. */
static void test_too_many(void **state) {
  struct kit *k = *state;
  struct grant g;
  json_t *t[21];
  kit_account(k, "anna", "room:join");
  for (int i = 0; i < 20; i++) {
    kit_pass(k, 2 * MINUTE);
    t[i] = kit_session(k, "anna", "", false);
    assert_int_equal(enter(k, ACCESS(t[0]), HOME, &g), ERR_OK);
  }
  t[20] = kit_session(k, "anna", "", false);
  assert_int_equal(enter(k, ACCESS(t[0]), HOME, &g), ERR_OK);
  assert_int_equal(enter(k, ACCESS(t[1]), HOME, &g), ERR_BAD_TOKEN);
  assert_int_equal(enter(k, ACCESS(t[20]), HOME, &g), ERR_OK);
  for (int i = 0; i < 21; i++)
    json_decref(t[i]);
}

/* What is kept opens nothing: neither tokens nor recovery codes stand in the documents. */
static enum err search_one(void *ctx, const char *id, const char *pid, const char *text) {
  const char *const *secret = ctx;
  (void)id;
  assert_int_equal(strlen(pid), ACCESS_PID_MAX);
  for (; *secret; secret++)
    assert_null(strstr(text, *secret));
  return ERR_OK;
}

static void test_hashed(void **state) {
  struct kit *k = *state;
  json_t *t = start(k);
  const char *const tokens[] = {ACCESS(t), ACCESS(t) + 4, REFRESH(t), REFRESH(t) + 4, NULL};
  kit_commit(k);
  assert_int_equal(store_each_doc(k->store, "session", NULL, search_one, (void *)tokens), ERR_OK);
  struct kit_totp totp = kit_enrol(k, "anna");
  char plain[TOTP_RECOVERY_MAX], *p = plain;
  for (const char *c = totp.recovery[0]; *c; c++)
    if (*c != '-')
      *p++ = *c;
  *p = 0;
  const char *const codes[] = {totp.recovery[0], plain, totp.recovery[9], NULL};
  kit_commit(k);
  assert_int_equal(store_each_doc(k->store, "account", NULL, search_one, (void *)codes), ERR_OK);
  json_decref(t);
}

int main(void) {
#define T(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)
  const struct CMUnitTest tests[] = {
      T(test_grant),      T(test_bad_tokens), T(test_access_expires), T(test_idle),
      T(test_absolute),   T(test_reuse),      T(test_reuse_of_one),   T(test_revoke),
      T(test_introspect), T(test_client),     T(test_bound_network),  T(test_few_writes),
      T(test_restart),    T(test_reload),     T(test_too_many),       T(test_hashed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
