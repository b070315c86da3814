/* Who gets a seat, by what right, and who loses it: tokens, applications, policies, revocation. */
#include "tests/unit/server/entering_kit.h"

#include <arpa/inet.h>

#define BLUE_ROOM "r-d975fde689dbafcb1deaad647afe79bd" /* r- and half of SHA-256("BlueRoom") */

static void scopes_give_the_role(void **state) {
  static const struct {
    unsigned scopes;
    const char *role;
  } WANT[] = {{SPEAKER | SCOPE_ADMIN, "owner"},  {SPEAKER | SCOPE_MODERATE, "host"},
              {SPEAKER | SCOPE_ADMIT, "cohost"}, {SPEAKER, "speaker"},
              {SCOPE_JOIN, "audience"},          {SCOPE_LISTEN, "monitor"}};
  struct kit *k = make(NULL, (struct access_config){0});
  struct token_key key = app_make(k, "blue");
  (void)state;
  for (size_t i = 0; i < sizeof WANT / sizeof WANT[0]; i++) {
    char who[8];
    json_t *o;
    snprintf(who, sizeof who, "u%zu", i);
    (void)by_token(k, &key, who, "den", WANT[i].scopes, "ok", &o);
    assert_string_equal(json_str(me_of(o), "role", ""), WANT[i].role);
    assert_string_equal(json_str(json_object_get(o, "result"), "app", ""), "blue");
    json_decref(o);
  }
  (void)by_token(k, &key, "none", "den", SCOPE_AUDIT, "insufficient_scope", NULL);
  json_t *o;
  uint32_t quiet = by_token(k, &key, "quiet", "den", SCOPE_JOIN | SCOPE_SPEAK, "ok", &o);
  json_decref(o);
  expect(k, quiet, 2, RPC(2, "room.chat", "{\"text\":\"hello\"}"), "insufficient_scope");
  kit_free(k);
}

/* VY-22, VY-23: made by who comes first; "BlueRoom" of two applications is two rooms, and no other spelling
 * of it is the same one. */
static void rooms_belong_to_applications(void **state) {
  struct kit *k = make("rooms.db", (struct access_config){0});
  struct token_key blue = app_make(k, "blue"), red = app_make(k, "red");
  char code[48];
  json_t *o;
  (void)state;
  (void)by_token(k, &blue, "ann", "BlueRoom", SPEAKER, "ok", NULL);
  (void)by_token(k, &red, "bob", "BlueRoom", SPEAKER, "ok", &o);
  json_t *room = json_object_get(json_object_get(o, "result"), "room");
  assert_int_equal(json_array_size(json_object_get(room, "members")), 1);
  assert_string_equal(json_str(room, "room", ""), BLUE_ROOM);
  json_decref(o);
  o = operate(k, "rooms.list", json_object(), code);
  assert_int_equal(json_array_size(json_object_get(o, "rooms")), 3);
  json_decref(o);
  operate_ok(k, "room.show", json_pack("{s:s}", "room", "red/" BLUE_ROOM));
  operate_ok(k, "room.lock", json_pack("{s:s}", "room", "blue/" BLUE_ROOM));
  (void)by_token(k, &blue, "eve", "BlueRoom", SPEAKER, "room_locked", NULL);
  (void)by_token(k, &blue, "eve", BLUE_ROOM, SPEAKER, "room_locked", NULL);
  (void)by_token(k, &blue, "eve", "blueroom", SPEAKER, "ok", &o);
  assert_int_equal(
      json_array_size(json_object_get(json_object_get(json_object_get(o, "result"), "room"), "members")), 1);
  json_decref(o);
  operate_ok(k, "app.set", json_pack("{s:s,s:s}", "app", "blue", "rooms", "made"));
  (void)by_token(k, &blue, "ann", "hall", SPEAKER, "no_room", NULL);
  operate_ok(k, "room.create", json_pack("{s:s,s:b}", "room", "blue/hall", "lobby", 0));
  (void)by_token(k, &blue, "ann", "hall", SPEAKER, "ok", NULL);
  o = operate(k, "room.create", json_pack("{s:s}", "room", "green/hall"), code);
  assert_string_equal(code, "no_application");
  json_decref(o);
  control_destroy(k->c); /* they are found again in the log */
  kit_start(k);
  operate_ok(k, "room.show", json_pack("{s:s}", "room", "red/" BLUE_ROOM));
  operate_ok(k, "room.show", json_pack("{s:s}", "room", "blue/hall"));
  operate_ok(k, "room.show", json_pack("{s:s}", "room", "den"));
  kit_free(k);
}

static size_t rooms(struct kit *k) {
  char code[48];
  json_t *o = operate(k, "rooms.list", json_object(), code);
  size_t n = json_array_size(json_object_get(o, "rooms"));
  json_decref(o);
  return n;
}

static void pass(struct kit *k, us_t us) {
  tick(k, us);
  control_commit(k->c);
  tick(k, 2 * US_PER_S);
  control_commit(k->c);
}

/* A room made by joining ends when nobody has been in it for ten minutes; one that somebody keeps does not.
 */
static void deserted_rooms_end(void **state) {
  struct kit *k = make("deserted.db", (struct access_config){0});
  struct token_key key = app_make(k, "blue");
  json_t *o;
  (void)state;
  uint32_t ann = by_token(k, &key, "ann", "one", SPEAKER, "ok", NULL);
  uint32_t bob = by_token(k, &key, "bob", "two", SPEAKER, "ok", &o);
  json_int_t who = json_int(json_object_get(o, "result"), "me", 0);
  json_decref(o);
  operate_ok(k, "room.ban", json_pack("{s:s,s:[I]}", "room", "blue/two", "who", who)); /* a ban is to hold */
  operate_ok(k, "room.create", json_pack("{s:s}", "room", "blue/kept"));
  pass(k, 1200 * US_PER_S);
  assert_int_equal(rooms(k), 4);
  expect(k, ann, 2, RPC(2, "room.leave", "{}"), "ok");
  pass(k, 500 * US_PER_S);
  assert_int_equal(rooms(k), 4);
  control_destroy(k->c);
  kit_start(k); /* it does not know since when: ten minutes from now */
  pass(k, 500 * US_PER_S);
  assert_int_equal(rooms(k), 4);
  pass(k, 200 * US_PER_S);
  assert_int_equal(rooms(k), 3);
  (void)bob;
  kit_free(k);
}

static void an_invite_of_an_applications_room(void **state) {
  struct kit *k = make(NULL, (struct access_config){0});
  struct token_key key = app_make(k, "blue");
  char code[48], secret[48];
  const char *why;
  struct link l;
  json_t *o = operate(k, "room.create", json_pack("{s:s}", "room", "blue/den"), code);
  (void)state;
  assert_int_equal(link_parse(json_str(o, "host", ""), &l, &why), ERR_OK);
  json_decref(o);
  assert_string_equal(l.app, "blue");
  b64url_encode(l.secret, 32, secret);
  (void)enter(k, json_pack("{s:s,s:s,s:s}", "room", "den", "name", "x", "invite", secret), "bad_invite",
              NULL);
  (void)enter(k,
              json_pack("{s:s,s:s,s:s,s:s}", "room", "den", "app", "blue", "name", "Host", "invite", secret),
              "ok", &o);
  assert_string_equal(json_str(me_of(o), "role", ""), "owner");
  json_decref(o);
  char *t = token(k, &key, "ann", "den", "", SPEAKER); /* with both: the token's role, past the lobby */
  json_t *both = json_pack("{s:s,s:s,s:s,s:s}", "room", "den", "name", "Ann", "token", t, "invite", secret);
  (void)enter(k, both, "ok", &o);
  assert_string_equal(json_str(me_of(o), "role", ""), "speaker");
  json_decref(o);
  (void)enter(k, json_pack("{s:s,s:s,s:s,s:s}", "room", "den", "app", "red", "name", "Ann", "token", t),
              "invalid_token", NULL);
  free(t);
  kit_free(k);
}

static void what_is_revoked_ends_at_once(void **state) {
  struct kit *k = make("revoke.db", (struct access_config){0});
  struct token_key key = app_make(k, "blue");
  json_t *o;
  size_t n;
  (void)state;
  uint32_t ann = by_token(k, &key, "ann", "den", SPEAKER, "ok", &o);
  char resume[64];
  snprintf(resume, sizeof resume, "%s", json_str(json_object_get(o, "result"), "resume", ""));
  json_decref(o);
  uint32_t bob = by_token(k, &key, "bob", "den", SPEAKER, "ok", NULL);
  operate_ok(k, "user.revoke",
             json_pack("{s:s}", "user", "ann@blue")); /* in the same turn: no second passes */
  json_t *bye = NULL;
  while ((o = next(k, ann))) {
    if (strcmp(json_str(o, "method", ""), "bye") == 0)
      bye = json_incref(o);
    json_decref(o);
  }
  assert_string_equal(json_str(json_object_get(bye, "params"), "code", ""), "token_revoked");
  json_decref(bye);
  assert_true(control_wants_close(k->c, ann));
  assert_int_equal(control_close_code(k->c, ann), 4403);
  assert_false(control_wants_close(k->c, bob));
  assert_non_null(control_next_message(k->c, bob, &n)); /* that she left */
  control_closed(k->c, ann);
  json_t *again = json_pack("{s:s,s:s,s:s}", "room", "den", "app", "blue", "resume", resume);
  (void)enter(k, again, "cannot_resume", NULL);
  tick(k, TOKEN_LEEWAY_S * US_PER_S);
  (void)by_token(k, &key, "ann", "den", SPEAKER, "invalid_token",
                 NULL); /* it may be of a clock that is ahead */
  tick(k, US_PER_S);
  (void)by_token(k, &key, "ann", "den", SPEAKER, "ok", NULL);
  operate_ok(k, "app.remove", json_pack("{s:s}", "app", "blue"));
  assert_true(control_ending(k->c, bob));
  kit_free(k);
}

/* Revoked while the server was down, or he was away: there is no way back in. */
static void a_resume_after_revocation_is_refused(void **state) {
  struct kit *k = make("resume.db", (struct access_config){0});
  struct token_key key = app_make(k, "blue");
  json_t *o;
  char resume[64];
  (void)state;
  uint32_t ann = by_token(k, &key, "ann", "den", SPEAKER, "ok", &o);
  snprintf(resume, sizeof resume, "%s", json_str(json_object_get(o, "result"), "resume", ""));
  json_decref(o);
  control_closed(k->c, ann);
  control_commit(k->c);
  control_destroy(k->c);
  kit_start(k);
  json_t *back = json_pack("{s:s,s:s,s:s}", "room", "den", "app", "blue", "resume", resume);
  uint32_t conn = enter(k, json_incref(back), "ok", NULL);
  control_closed(k->c, conn);
  control_commit(k->c);
  control_destroy(k->c);
  kit_start(k);
  operate_ok(k, "key.revoke", json_pack("{s:s,s:s}", "app", "blue", "kid", key.kid));
  (void)enter(k, back, "cannot_resume", NULL);
  kit_free(k);
}

static void a_ban_holds_against_new_tokens(void **state) {
  struct kit *k = make(NULL, (struct access_config){0});
  struct token_key key = app_make(k, "blue");
  json_t *o;
  (void)state;
  (void)by_token(k, &key, "bob", "den", SPEAKER, "ok", &o);
  json_int_t bob = json_int(json_object_get(o, "result"), "me", 0);
  json_decref(o);
  operate_ok(k, "room.ban", json_pack("{s:s,s:[I]}", "room", "blue/den", "who", bob));
  char *t = token(k, &key, "bob", "den", "", SPEAKER | SCOPE_MODERATE);
  json_t *p = json_pack("{s:s,s:s,s:s,s:s}", "room", "den", "name", "Other", "device", "another", "token", t);
  (void)enter(k, p, "banned", NULL);
  free(t);
  (void)by_token(k, &key, "bob", "hall", SPEAKER, "ok", NULL); /* another room of his is not concerned */
  kit_free(k);
}

static void a_user_is_here_five_times_at_most(void **state) {
  struct kit *k = make(NULL, (struct access_config){0});
  struct token_key key = app_make(k, "blue");
  uint32_t first = 0;
  (void)state;
  for (unsigned i = 0; i < 5; i++) {
    uint32_t conn = by_token(k, &key, "ann", i % 2 ? "den" : "hall", SPEAKER, "ok", NULL);
    first = first ? first : conn;
  }
  char *t = token(k, &key, "ann", "den", "", SPEAKER);
  json_t *p = json_pack("{s:s,s:s,s:s}", "room", "den", "name", "Ann", "token", t);
  (void)enter(k, json_incref(p), "too_many_sessions", NULL);
  (void)by_token(k, &key, "bob", "den", SPEAKER, "ok", NULL);
  control_closed(k->c, first);
  (void)enter(k, json_incref(p), "too_many_sessions", NULL); /* who may resume has a seat */
  tick(k, ROOM_AWAY_MS * US_PER_MS);
  control_commit(k->c);
  (void)enter(k, json_incref(p), "ok", NULL); /* the token had not been used up */
  (void)enter(k, p, "invalid_token", NULL);
  free(t);
  kit_free(k);
}

static void policies_ask_for_more(void **state) {
  struct kit *k = make(NULL, (struct access_config){.accounts_only = true, .hosts_need_mfa = true});
  struct token_key key = app_make(k, "blue");
  char text[512], secret[48];
  (void)state;
  b64url_encode(k->guest.secret, 32, secret);
  join_text(&k->guest, "bob", text);
  uint32_t conn = open_conn(k, false);
  expect(k, conn, 1, text, "account_needed");
  (void)by_token(k, &key, "host", "den", SPEAKER | SCOPE_MODERATE, "ok",
                 NULL); /* its application does not ask */
  operate_ok(k, "app.set", json_pack("{s:s,s:b}", "app", "blue", "mfa", 1));
  (void)by_token(k, &key, "host2", "den", SPEAKER | SCOPE_MODERATE, "mfa_needed", NULL);
  (void)by_token(k, &key, "ann", "den", SPEAKER, "ok", NULL);
  kit_free(k);
  k = make(NULL, (struct access_config){.hosts_need_mfa = true});
  join_text(&k->host, "host", text);
  conn = open_conn(k, false);
  expect(k, conn, 1, text, "mfa_needed");
  (void)join(k, &k->guest, "bob");
  kit_free(k);
}

/* What the session may is the most that any link gives to who shows it. */
static void a_session_is_the_ceiling_of_an_invite(void **state) {
  static const struct {
    const char *scope, *code, *role;
  } WANT[] = {{"audit:read", "insufficient_scope", NULL},
              {"room:speak room:admin", "insufficient_scope", NULL},
              {"monitor:listen", "insufficient_scope", NULL},
              {"room:join", "ok", "audience"},
              {"", "ok", "speaker"},
              {"room:join room:admit", "ok", "cohost"},
              {"room:join room:moderate", "ok", "host"},
              {"room:join room:admin", "ok", "owner"}};
  (void)state;
  for (size_t i = 0; i < sizeof WANT / sizeof WANT[0]; i++) {
    struct kit *k = make(NULL, (struct access_config){0});
    json_t *o;
    char *t = session(k, WANT[i].scope, false);
    (void)by_session(k, t, &k->host, WANT[i].code, &o);
    if (WANT[i].role)
      assert_string_equal(json_str(me_of(o), "role", ""), WANT[i].role);
    json_decref(o);
    free(t);
    kit_free(k);
  }
}

/* The application whose room it is asks; a link of it is no way around, for a guest or for a session. */
static void an_applications_policy_holds_for_its_links(void **state) {
  struct kit *k = make(NULL, (struct access_config){0});
  struct link host, guest;
  char secret[48];
  (void)state;
  operate_ok(k, "app.create", json_pack("{s:s,s:b}", "app", "blue", "mfa", 1));
  assert_int_equal(control_room_create(k->c, "blue/den", false, &host, &guest), ERR_OK);
  control_commit(k->c);
  b64url_encode(host.secret, 32, secret);
  json_t *p = json_pack("{s:s,s:s,s:s,s:s}", "room", "den", "app", "blue", "name", "Eve", "invite", secret);
  (void)enter(k, p, "mfa_needed", NULL);
  char *t = session(k, "room:join room:admin", false);
  (void)by_session(k, t, &host, "mfa_needed", NULL);
  (void)by_session(k, t, &guest, "ok", NULL);
  (void)by_session(k, t, &k->host, "ok", NULL); /* the server itself does not ask */
  free(t);
  t = session(k, "room:join room:admin", true);
  (void)by_session(k, t, &host, "ok", NULL);
  free(t);
  kit_free(k);
}

/* The policy of the server holds inside too, also after a restart. */
static void a_guest_without_the_factor_is_not_raised(void **state) {
  struct access_config rules = {.hosts_need_mfa = true, .audit_days = 180};
  struct kit *k = make("mfa.db", rules);
  char *t = session(k, "room:join room:admin", true), code[48];
  json_t *o;
  (void)state;
  uint32_t host = by_session(k, t, &k->host, "ok", NULL);
  uint32_t bob = join(k, &k->guest, "bob");
  expect(k, host, 2, RPC(2, "room.role", "{\"who\":[2],\"role\":\"cohost\"}"), "mfa_needed");
  o = operate(k, "room.claim_code", json_pack("{s:s}", "room", "den"), code);
  char *claim = rpc_request(3, "room.claim", json_pack("{s:s}", "text", json_str(o, "code", "")));
  expect(k, bob, 3, claim, "mfa_needed");
  json_decref(o);
  free(claim);
  control_destroy(k->c);
  kit_start(k);
  o = operate(k, "room.role", json_pack("{s:s,s:[i],s:s}", "room", "den", "who", 2, "role", "cohost"), code);
  assert_string_equal(code, "mfa_needed");
  json_decref(o);
  free(t);
  kit_free(k);
}

static void consent_is_asked_before_anything_is_kept(void **state) {
  struct kit *k = make(NULL, (struct access_config){.consent_text = "We keep X.", .consent_version = "2"});
  struct token_key key = app_make(k, "blue");
  json_t *o;
  (void)state;
  char *t = token(k, &key, "ann", "den", "", SPEAKER);
  json_t *p = json_pack("{s:s,s:s,s:s}", "room", "den", "name", "Ann", "token", t);
  (void)enter(k, json_incref(p), "consent_needed", &o);
  json_t *data = json_object_get(json_object_get(o, "error"), "data");
  assert_string_equal(json_str(data, "version", ""), "2");
  assert_string_equal(json_str(data, "text", ""), "We keep X.");
  json_decref(o);
  json_object_set_new(p, "consent", json_string("1"));
  (void)enter(k, json_incref(p), "consent_needed", NULL);
  json_object_set_new(p, "consent", json_string("2"));
  (void)enter(k, p, "ok", NULL); /* with the same token */
  free(t);
  (void)by_token(k, &key, "ann", "den", SPEAKER, "ok", NULL); /* it is remembered */
  kit_free(k);
}

static void addresses_off_the_list_stay_out(void **state) {
  struct kit *k = make(NULL, (struct access_config){0});
  struct token_key key = app_make(k, "blue");
  (void)state;
  memset(k->addr, 0, sizeof k->addr);
  k->addr[10] = k->addr[11] = 0xff;
  assert_int_equal(inet_pton(AF_INET, "192.0.2.9", k->addr + 12), 1);
  operate_ok(k, "allow.add", json_pack("{s:s,s:s}", "where", "blue/den", "cidr", "198.51.100.0/24"));
  (void)by_token(k, &key, "ann", "den", SPEAKER, "address_not_allowed", NULL);
  (void)by_token(k, &key, "ann", "hall", SPEAKER, "ok", NULL);
  assert_int_equal(inet_pton(AF_INET, "198.51.100.200", k->addr + 12), 1);
  (void)by_token(k, &key, "ann", "den", SPEAKER, "ok", NULL);
  kit_free(k);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(scopes_give_the_role),
      cmocka_unit_test(rooms_belong_to_applications),
      cmocka_unit_test(deserted_rooms_end),
      cmocka_unit_test(an_invite_of_an_applications_room),
      cmocka_unit_test(what_is_revoked_ends_at_once),
      cmocka_unit_test(a_resume_after_revocation_is_refused),
      cmocka_unit_test(a_ban_holds_against_new_tokens),
      cmocka_unit_test(a_user_is_here_five_times_at_most),
      cmocka_unit_test(policies_ask_for_more),
      cmocka_unit_test(a_session_is_the_ceiling_of_an_invite),
      cmocka_unit_test(an_applications_policy_holds_for_its_links),
      cmocka_unit_test(a_guest_without_the_factor_is_not_raised),
      cmocka_unit_test(consent_is_asked_before_anything_is_kept),
      cmocka_unit_test(addresses_off_the_list_stay_out),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
