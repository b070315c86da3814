/* What holds on to whom: after a restart, after he left, for his device, in a room whose application went. */
#include "tests/unit/server/entering_kit.h"

#include <arpa/inet.h>

static void resume_of(json_t *o, char out[64]) {
  snprintf(out, 64, "%s", json_str(json_object_get(o, "result"), "resume", ""));
  json_decref(o);
}

/* room.join with a resume secret, on a connection of its own. */
static uint32_t come_back(struct kit *k, const char *app, const char *resume, const char *code) {
  return enter(k, json_pack("{s:s,s:s,s:s}", "room", "den", "app", app, "resume", resume), code, NULL);
}

static void restart(struct kit *k) {
  control_commit(k->c);
  control_destroy(k->c);
  kit_start(k);
}

/* Whether he was sent away with this code. */
static bool was_told(struct kit *k, uint32_t conn, const char *code) {
  bool told = false;
  for (json_t *o; (o = next(k, conn)); json_decref(o))
    told |= strcmp(json_str(o, "method", ""), "bye") == 0 &&
            strcmp(json_str(json_object_get(o, "params"), "code", ""), code) == 0;
  return told;
}

static void a_new_application_of_the_name_has_no_rooms(void **state) {
  struct kit *k = make(NULL, (struct access_config){0});
  struct token_key old = app_make(k, "blue");
  char code[48], secret[48];
  struct link l;
  const char *why;
  json_t *o;
  (void)state;
  o = operate(k, "room.create", json_pack("{s:s,s:b}", "room", "blue/den", "lobby", 0), code);
  assert_int_equal(link_parse(json_str(o, "host", ""), &l, &why), ERR_OK);
  json_decref(o);
  b64url_encode(l.secret, 32, secret);
  uint32_t ann = by_token(k, &old, "ann", "den", SPEAKER, "ok", NULL);
  expect(k, ann, 2, RPC(2, "room.chat", "{\"text\":\"for us alone\"}"), "ok");
  uint32_t op = open_conn(k, true); /* both in one turn */
  static const char REMOVE[] = RPC(1, "app.remove", "{\"app\":\"blue\"}");
  static const char CREATE[] = RPC(2, "app.create", "{\"app\":\"blue\",\"lobby\":false}");
  control_message(k->c, op, REMOVE, strlen(REMOVE));
  control_message(k->c, op, CREATE, strlen(CREATE));
  control_commit(k->c);
  assert_true(was_told(k, ann, "room_ended"));
  struct token_key key = old;
  o = answer(k, op, 2);
  snprintf(key.kid, sizeof key.kid, "%s", json_str(json_object_get(o, "result"), "kid", ""));
  memcpy(key.secret, json_str(json_object_get(o, "result"), "key", ""), key.n_secret);
  json_decref(o);
  tick(k, 2 * US_PER_S);
  control_commit(k->c);
  json_t *link =
      json_pack("{s:s,s:s,s:s,s:s}", "room", "den", "app", "blue", "name", "Old", "invite", secret);
  (void)enter(k, json_incref(link), "no_room", NULL);
  (void)by_token(k, &key, "bob", "den", SPEAKER, "ok", &o);
  json_t *room = json_object_get(json_object_get(o, "result"), "room");
  assert_int_equal(json_array_size(json_object_get(room, "members")), 1);
  assert_int_equal(json_array_size(json_object_get(room, "chat")), 0);
  json_decref(o);
  (void)enter(k, link, "bad_invite", NULL);
  kit_free(k);
}

static void after_a_restart_each_seat_hangs_on_its_own_token(void **state) {
  struct kit *k = make("jti.db", (struct access_config){0});
  struct token_key key = app_make(k, "blue");
  char resume[2][64];
  (void)state;
  for (int i = 0; i < 2; i++) {
    char *t = token(k, &key, "ann", "den", i ? "two" : "one", SPEAKER);
    json_t *o;
    (void)enter(k, json_pack("{s:s,s:s,s:s}", "room", "den", "name", "Ann", "token", t), "ok", &o);
    resume_of(o, resume[i]);
    free(t);
  }
  restart(k);
  operate_ok(k, "token.revoke", json_pack("{s:s,s:s,s:s}", "app", "blue", "kid", key.kid, "jti", "one"));
  (void)come_back(k, "blue", resume[0], "cannot_resume");
  (void)come_back(k, "blue", resume[1], "ok");
  restart(k); /* and when he has come back once */
  operate_ok(k, "token.revoke", json_pack("{s:s,s:s,s:s}", "app", "blue", "kid", key.kid, "jti", "two"));
  (void)come_back(k, "blue", resume[1], "cannot_resume");
  kit_free(k);
}

static void after_a_restart_a_seat_hangs_on_its_session(void **state) {
  struct kit *k = make("session.db", (struct access_config){0});
  char *t = session(k, "room:join room:admin", false), resume[64];
  json_t *o;
  (void)state;
  (void)by_session(k, t, &k->guest, "ok", &o);
  resume_of(o, resume);
  restart(k);
  uint32_t conn = come_back(k, "", resume, "ok");
  restart(k);
  conn = come_back(k, "", resume, "ok");
  access_tick(k->c->access, k->c->wall_ms);
  oauth_revoke(k->c->access, t);
  control_commit(k->c);
  assert_true(was_told(k, conn, "token_revoked"));
  (void)come_back(k, "", resume, "cannot_resume");
  free(t);
  kit_free(k);
}

/* Who came by a token brings back what a host left him, not what the next token says: left, away, or by a
 * smaller token in between. */
static void who_was_lowered_stays_so_with_a_token(void **state) {
  struct kit *k = make(NULL, (struct access_config){0});
  struct token_key key = app_make(k, "blue");
  json_t *o;
  (void)state;
  uint32_t bob = by_token(k, &key, "bob", "den", SPEAKER | SCOPE_MODERATE, "ok", &o);
  json_int_t id = json_int(json_object_get(o, "result"), "me", 0);
  json_decref(o);
  operate_ok(k, "room.role", json_pack("{s:s,s:[I],s:s}", "room", "blue/den", "who", id, "role", "audience"));
  control_closed(k->c, bob); /* away: his seat stands */
  uint32_t again = by_token(k, &key, "bob", "den", SPEAKER | SCOPE_MODERATE, "ok", &o);
  assert_string_equal(json_str(me_of(o), "role", ""), "audience");
  json_decref(o);
  expect(k, again, 2, RPC(2, "room.leave", "{}"), "ok");
  tick(k, ROOM_AWAY_MS * US_PER_MS);
  control_commit(k->c);
  again = by_token(k, &key, "bob", "den", SCOPE_JOIN, "ok", NULL);
  expect(k, again, 2, RPC(2, "room.leave", "{}"), "ok");
  (void)by_token(k, &key, "bob", "den", SPEAKER | SCOPE_MODERATE, "ok", &o);
  assert_string_equal(json_str(me_of(o), "role", ""), "audience");
  json_decref(o);
  (void)by_token(k, &key, "eve", "den", SPEAKER, "ok", NULL);
  (void)by_token(k, &key, "eve", "den", SPEAKER | SCOPE_MODERATE, "ok",
                 &o); /* a better token, nothing lost */
  assert_string_equal(json_str(me_of(o), "role", ""), "host");
  json_decref(o);
  kit_free(k);
}

static uint32_t nameless(struct kit *k, const struct token_key *key, const char *who, const char *device,
                         const char *code, json_t **o) {
  char *t = token(k, key, who, "den", "", SPEAKER);
  uint32_t conn = enter(
      k, json_pack("{s:s,s:s,s:s,s:s}", "room", "den", "name", "X", "device", device, "token", t), code, o);
  free(t);
  return conn;
}

/* Each token that names nobody is a new person: what a ban can hold on to is his device. */
static void a_nameless_token_is_banned_by_its_device(void **state) {
  struct kit *k = make(NULL, (struct access_config){0});
  struct token_key key = app_make(k, "blue");
  json_t *o;
  (void)state;
  (void)nameless(k, &key, "anonymous-1", "his", "ok", &o);
  json_int_t id = json_int(json_object_get(o, "result"), "me", 0);
  json_decref(o);
  operate_ok(k, "room.ban", json_pack("{s:s,s:[I]}", "room", "blue/den", "who", id));
  (void)nameless(k, &key, "anonymous-2", "his", "banned", NULL);
  uint32_t other = nameless(k, &key, "anonymous-2", "hers", "ok", NULL);
  operate_ok(k, "key.revoke", json_pack("{s:s,s:s}", "app", "blue", "kid", key.kid));
  assert_true(was_told(k, other, "token_revoked"));
  kit_free(k);
}

static enum err count_resumes(void *ctx, const struct store_record *r) {
  *(unsigned *)ctx += strcmp(r->kind, "room.resume") == 0;
  return ERR_OK;
}

static void resuming_has_a_limit_and_no_audit_line(void **state) {
  struct kit *k = make(NULL, (struct access_config){0});
  char text[512], resume[64];
  unsigned lines = 0;
  (void)state;
  uint32_t conn = open_conn(k, false);
  join_text(&k->guest, "bob", text);
  say(k, conn, text);
  resume_of(answer(k, conn, 1), resume);
  for (int i = 0; i < LIMIT_BURST_RESUMES; i++)
    (void)come_back(k, "", resume, "ok");
  uint64_t seq = k->c->count.events;
  for (int i = 0; i < 50; i++)
    assert_true(control_ending(k->c, come_back(k, "", resume, "rate_limited")));
  assert_int_equal(k->c->count.events, seq);
  assert_int_equal(k->c->count.limits[LIMIT_RESUMES], 50);
  tick(k, 10 * US_PER_S);
  (void)come_back(k, "", resume, "ok");
  assert_int_equal(store_replay(k->store, "audit", 0, count_resumes, &lines), ERR_OK);
  assert_int_equal(lines, 1); /* the refused, together */
  kit_free(k);
}

static void an_allow_list_reaches_who_is_inside(void **state) {
  struct kit *k = make(NULL, (struct access_config){0});
  struct token_key key = app_make(k, "blue");
  (void)state;
  k->addr[10] = k->addr[11] = 0xff;
  assert_int_equal(inet_pton(AF_INET, "192.0.2.9", k->addr + 12), 1);
  uint32_t off = by_token(k, &key, "ann", "den", SPEAKER, "ok", NULL);
  uint32_t elsewhere = by_token(k, &key, "ann", "hall", SPEAKER, "ok", NULL);
  assert_int_equal(inet_pton(AF_INET, "198.51.100.200", k->addr + 12), 1);
  uint32_t on = by_token(k, &key, "bob", "den", SPEAKER, "ok", NULL);
  operate_ok(k, "allow.add", json_pack("{s:s,s:s}", "where", "blue/den", "cidr", "198.51.100.0/24"));
  assert_true(was_told(k, off, "address_not_allowed"));
  assert_true(control_wants_close(k->c, off));
  assert_false(control_wants_close(k->c, on) || control_wants_close(k->c, elsewhere));
  kit_free(k);
}

/* Only a token that nobody signed is a guess, of 20 of which the address may ask for no more; who was inside
 * comes back all the same. */
static void a_forged_token_is_a_guess_and_an_old_one_is_not(void **state) {
  struct kit *k = make(NULL, (struct access_config){0});
  struct token_key key = app_make(k, "blue"), forged = key;
  char resume[64];
  json_t *o;
  (void)state;
  k->c->cfg.limits.strikes = 20;
  k->addr[10] = k->addr[11] = 0xff;
  k->addr[15] = 9;
  (void)by_token(k, &key, "ann", "den", SPEAKER, "ok", &o);
  resume_of(o, resume);
  char *old = token(k, &key, "bob", "den", "", SPEAKER);
  tick(k, 700 * US_PER_S);
  forged.secret[0] ^= 1;
  for (int i = 0; i < 25; i++)
    (void)enter(k, json_pack("{s:s,s:s,s:s}", "room", "den", "name", "Bob", "token", old), "invalid_token",
                NULL);
  free(old);
  assert_int_equal(k->c->count.strikes, 0);
  (void)by_token(k, &key, "ann", "den", SPEAKER, "ok", &o);
  resume_of(o, resume);
  for (int i = 0; i < 20; i++)
    (void)by_token(k, &forged, "bob", "den", SPEAKER, "invalid_token", NULL);
  assert_int_equal(k->c->count.strikes, 20);
  assert_int_equal(k->c->count.alerts, 1);
  uint32_t conn =
      by_token(k, &key, "bob", "den", SPEAKER, "rate_limited", NULL); /* the right one does not help now */
  assert_int_equal(control_close_code(k->c, conn), CONTROL_CLOSE_SLOW);
  assert_true(k->c->count.limits[LIMIT_IDS] > 0);
  (void)come_back(k, "blue", resume, "ok");
  k->addr[15] = 10;
  (void)by_token(k, &key, "bob", "den", SPEAKER, "ok", NULL);
  k->addr[15] = 9;
  tick(k, 901 * US_PER_S);
  (void)by_token(k, &key, "eve", "den", SPEAKER, "ok", NULL);
  kit_free(k);
}

/* Seats that a restart left open count once they are taken again. */
static void no_more_seats_by_way_of_a_restart(void **state) {
  struct kit *k = make("seats.db", (struct access_config){0});
  char *t = session(k, "room:join", false), resume[LIMIT_VALUE_SESSIONS][64];
  json_t *o;
  (void)state;
  for (int i = 0; i < LIMIT_VALUE_SESSIONS; i++) {
    (void)by_session(k, t, &k->guest, "ok", &o);
    resume_of(o, resume[i]);
  }
  restart(k);
  uint32_t fresh = by_session(k, t, &k->guest, "ok", NULL);
  for (int i = 0; i < LIMIT_VALUE_SESSIONS; i++)
    (void)come_back(k, "", resume[i], i < LIMIT_VALUE_SESSIONS - 1 ? "ok" : "too_many_sessions");
  (void)come_back(k, "", resume[0], "ok"); /* his own seat again */
  expect(k, fresh, 2, RPC(2, "room.leave", "{}"), "ok");
  (void)come_back(k, "", resume[LIMIT_VALUE_SESSIONS - 1], "ok");
  (void)by_session(k, t, &k->guest, "too_many_sessions", NULL);
  free(t);
  kit_free(k);
}

/* However many rooms one application makes, the others can make theirs. */
static void no_application_takes_all_the_rooms(void **state) {
  struct kit *k = make(NULL, (struct access_config){0});
  struct token_key blue = app_make(k, "blue"), red = app_make(k, "red");
  struct hosted *h;
  char room[32];
  (void)state;
  for (unsigned i = 0; i < CONTROL_ROOMS_MAX / 2; i++) {
    snprintf(room, sizeof room, "r%u", i);
    assert_int_equal(hosted_make(k->c, "blue", room, false, &h), ERR_OK);
  }
  (void)by_token(k, &blue, "ann", "one-more", SPEAKER, "full", NULL);
  (void)by_token(k, &blue, "ann", "r7", SPEAKER, "ok", NULL);
  (void)by_token(k, &red, "ann", "one-more", SPEAKER, "ok", NULL);
  kit_free(k);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_new_application_of_the_name_has_no_rooms),
      cmocka_unit_test(after_a_restart_each_seat_hangs_on_its_own_token),
      cmocka_unit_test(after_a_restart_a_seat_hangs_on_its_session),
      cmocka_unit_test(who_was_lowered_stays_so_with_a_token),
      cmocka_unit_test(a_nameless_token_is_banned_by_its_device),
      cmocka_unit_test(resuming_has_a_limit_and_no_audit_line),
      cmocka_unit_test(an_allow_list_reaches_who_is_inside),
      cmocka_unit_test(a_forged_token_is_a_guess_and_an_old_one_is_not),
      cmocka_unit_test(no_more_seats_by_way_of_a_restart),
      cmocka_unit_test(no_application_takes_all_the_rooms),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
