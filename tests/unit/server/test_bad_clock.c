/* docs/bad-input.md 33: the wall clock is set back an hour, or forward a year, while people are in a room.
 * What is measured (rates, timeouts) does not notice; what has a date ends when its date is past; nobody is
 * thrown out. */
#include "core/auth/token_tool.h"
#include "core/wire/link.h"
#include "tests/unit/server/control_kit.h"

#define HOUR_MS INT64_C(3600000)
#define YEAR_MS (INT64_C(365) * 24 * HOUR_MS)

struct world {
  struct kit *k;
  int64_t jump_ms; /* of the wall clock alone */
};

static void turn(struct world *w, us_t us) {
  w->k->now += us;
  control_tick(w->k->c, w->k->now, WALL + w->k->now / US_PER_MS + w->jump_ms);
  control_commit(w->k->c);
}

static json_t *ask(struct world *w, uint32_t conn, const char *method, json_t *params) {
  static json_int_t id = 100; /* each question its own */
  char *text = rpc_request(++id, method, params);
  turn(w, 0);
  control_message(w->k->c, conn, text, strlen(text));
  control_commit(w->k->c);
  free(text);
  return answer(w->k, conn, id);
}

static void must(struct world *w, uint32_t conn, const char *method, json_t *params, const char *code) {
  char got[48];
  assert_string_equal(code_of(ask(w, conn, method, params), got), code);
}

static uint32_t visitor(struct world *w) {
  turn(w, 0);
  return control_open(w->k->c, false, w->k->addr);
}

static json_t *join_params(const struct link *l, const char *name) {
  char secret[48];
  b64url_encode(l->secret, sizeof l->secret, secret);
  return json_pack("{s:s,s:s,s:s,s:s}", "room", "den", "name", name, "invite", secret, "device", name);
}

/* Somebody new asks to come in; the connection stays. */
static uint32_t enter(struct world *w, const struct link *l, const char *name, const char *code) {
  uint32_t conn = visitor(w);
  must(w, conn, "room.join", join_params(l, name), code);
  return conn;
}

static int make(void **state) {
  struct world *w = calloc(1, sizeof *w);
  assert_non_null(w);
  struct kit *k = w->k = kit_make(NULL);
  control_destroy(k->c);
  struct control_config c = {.store = k->store,
                             .rng = &k->rng,
                             .media_threads = 1,
                             .access = {.audience = "gavel", .audit_days = 180},
                             .media = on_media,
                             .want_write = on_want_write,
                             .ctx = k};
  snprintf(c.link.host, sizeof c.link.host, "test.example");
  c.link.port = 443;
  char why[256] = "";
  assert_int_equal(control_create(&c, k->now, WALL + k->now / US_PER_MS, &k->c, why), ERR_OK);
  *state = w;
  return 0;
}

static int unmake(void **state) {
  struct world *w = *state;
  kit_free(w->k);
  free(w);
  return 0;
}

/* ann writes, bob reads, and the numbers rise. */
static int64_t talk(struct world *w, uint32_t ann, uint32_t bob, const char *text, int64_t after) {
  must(w, ann, "room.chat", json_pack("{s:s}", "text", text), "ok");
  int64_t seq = 0;
  for (json_t *o; (o = next(w->k, bob)); json_decref(o)) {
    json_t *p = json_object_get(o, "params");
    if (strcmp(json_str(p, "text", ""), text) == 0)
      seq = json_int(p, "seq", 0);
  }
  assert_true(seq > after);
  return seq;
}

static const int64_t JUMPS[] = {-HOUR_MS, YEAR_MS, 0, -10 * YEAR_MS, 0};

static void bad_33_who_is_in_stays_in(void **state) {
  struct world *w = *state;
  uint32_t ann = enter(w, &w->k->host, "ann", "ok"), bob = enter(w, &w->k->guest, "bob", "ok");
  int64_t seq = 0;
  for (size_t i = 0; i < sizeof JUMPS / sizeof JUMPS[0]; i++) {
    char text[16];
    w->jump_ms = JUMPS[i];
    for (int s = 0; s < 200; s++) /* and for a while */
      turn(w, US_PER_S);
    assert_false(control_ending(w->k->c, ann) || control_ending(w->k->c, bob));
    snprintf(text, sizeof text, "jump %zu", i);
    seq = talk(w, ann, bob, text, seq);
    (void)enter(w, &w->k->guest, text, "ok"); /* an invite without an end has none */
  }
}

static void bad_33_rates_do_not_notice(void **state) {
  struct world *w = *state;
  uint32_t ann = enter(w, &w->k->host, "ann", "ok");
  for (size_t i = 0; i < sizeof JUMPS / sizeof JUMPS[0]; i++) {
    unsigned done = 0;
    char code[48];
    for (int n = 0; n < 60; n++) {
      w->jump_ms = n % 2 ? JUMPS[i] : 0; /* a clock that jumps about fills no bucket, and empties none */
      done += strcmp(code_of(ask(w, ann, "room.chat", json_pack("{s:s}", "text", "x")), code), "ok") == 0;
    }
    assert_in_range(done, 5, 15);
    turn(w, 100 * US_PER_S);
  }
}

static void bad_33_bans(void **state) {
  struct world *w = *state;
  uint32_t ann = enter(w, &w->k->host, "ann", "ok");
  json_t *o = ask(w, visitor(w), "room.join", join_params(&w->k->guest, "mallory"));
  json_int_t id = json_int(json_object_get(o, "result"), "me", 0);
  json_decref(o);
  assert_true(id > 0);
  must(w, ann, "room.ban", json_pack("{s:[I],s:i}", "who", id, "seconds", 7200), "ok");
  (void)enter(w, &w->k->guest, "mallory", "banned");
  w->jump_ms = -HOUR_MS; /* it lasts longer, never shorter */
  (void)enter(w, &w->k->guest, "mallory", "banned");
  turn(w, 7100 * US_PER_S);
  (void)enter(w, &w->k->guest, "mallory", "banned");
  w->jump_ms = YEAR_MS; /* its date is past; the clock is looked at once an hour at least */
  turn(w, 3600 * US_PER_S);
  (void)enter(w, &w->k->guest, "mallory", "ok");
}

static void bad_33_invites(void **state) {
  struct world *w = *state;
  uint32_t ann = enter(w, &w->k->host, "ann", "ok");
  json_int_t until = WALL + w->k->now / US_PER_MS + HOUR_MS;
  json_t *o = ask(w, ann, "room.invite", json_pack("{s:I}", "expires_ms", until));
  struct link l;
  const char *why = NULL;
  assert_int_equal(link_parse(json_str(json_object_get(o, "result"), "link", ""), &l, &why), ERR_OK);
  json_decref(o);
  w->jump_ms = -HOUR_MS;
  (void)enter(w, &l, "early", "ok");
  w->jump_ms = YEAR_MS;
  turn(w, US_PER_S);
  (void)enter(w, &l, "late", "bad_invite");
}

/* Who lost his connection keeps his place for two minutes by the clock: longer when it goes back. When it
 * goes forward his place is gone, and he comes in like anybody. */
static void bad_33_away(void **state) {
  struct world *w = *state;
  (void)enter(w, &w->k->host, "ann", "ok");
  for (int forward = 0; forward < 2; forward++) {
    w->jump_ms = 0;
    uint32_t conn = visitor(w);
    json_t *o = ask(w, conn, "room.join", join_params(&w->k->guest, "bob"));
    json_t *r = json_object_get(o, "result");
    json_t *back = json_pack("{s:s,s:s}", "room", "den", "resume", json_str(r, "resume", ""));
    json_decref(o);
    control_closed(w->k->c, conn);
    turn(w, 10 * US_PER_S);
    w->jump_ms = forward ? YEAR_MS : -HOUR_MS;
    turn(w, 60 * US_PER_S);
    turn(w, 60 * US_PER_S);
    char code[48];
    code_of(ask(w, visitor(w), "room.join", back), code);
    if (forward)
      assert_string_not_equal(code, "ok");
    else
      assert_string_equal(code, "ok");
    (void)enter(w, &w->k->guest, "bob", "ok");
  }
}

/* ---- tokens ---- */

static struct token_key app_key(struct world *w) {
  turn(w, 0);
  json_t *o = ask(w, control_open(w->k->c, true, NULL), "app.create",
                  json_pack("{s:s,s:b}", "app", "blue", "lobby", 0));
  json_t *r = json_object_get(o, "result");
  struct token_key key = {.format = TOKEN_HS256, .scopes = SCOPE_ALL, .max_ttl_s = TOKEN_TTL_MAX_S};
  const char *secret = json_str(r, "key", "");
  assert_true(*secret);
  memcpy(key.secret, secret, key.n_secret = strlen(secret));
  snprintf(key.kid, sizeof key.kid, "%s", json_str(r, "kid", ""));
  snprintf(key.issuer, sizeof key.issuer, "blue");
  snprintf(key.audience, sizeof key.audience, "gavel");
  json_decref(o);
  return key;
}

/* A new token of the true time's, shown at the clock's time. */
static void by_token(struct world *w, const struct token_key *key, const char *jti, const char *code) {
  int64_t now_s = (WALL + w->k->now / US_PER_MS) / 1000;
  struct token_claims t = {
      .format = key->format, .iat_s = now_s, .exp_s = now_s + 600, .scopes = SCOPE_JOIN | SCOPE_CHAT};
  const char *why = NULL;
  char *text = NULL;
  snprintf(t.kid, sizeof t.kid, "%s", key->kid);
  snprintf(t.issuer, sizeof t.issuer, "%s", key->issuer);
  snprintf(t.subject, sizeof t.subject, "%s", jti);
  snprintf(t.room, sizeof t.room, "*");
  snprintf(t.jti, sizeof t.jti, "%s", jti);
  assert_int_equal(token_mint(key, &t, &(struct token_extra){0}, &w->k->rng, &text, &why), ERR_OK);
  must(w, visitor(w), "room.join", json_pack("{s:s,s:s,s:s}", "room", "hall", "name", jti, "token", text),
       code);
  free(text);
}

static void bad_33_tokens(void **state) {
  struct world *w = *state;
  struct token_key key = app_key(w);
  by_token(w, &key, "now", "ok");
  w->jump_ms = -HOUR_MS; /* made in the future */
  by_token(w, &key, "back", "invalid_token");
  w->jump_ms = YEAR_MS; /* expired; and what was used up is swept only when it has ended */
  turn(w, US_PER_S);
  by_token(w, &key, "forward", "invalid_token");
  w->jump_ms = 0;
  by_token(w, &key, "again", "ok");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(bad_33_who_is_in_stays_in, make, unmake),
      cmocka_unit_test_setup_teardown(bad_33_rates_do_not_notice, make, unmake),
      cmocka_unit_test_setup_teardown(bad_33_bans, make, unmake),
      cmocka_unit_test_setup_teardown(bad_33_invites, make, unmake),
      cmocka_unit_test_setup_teardown(bad_33_away, make, unmake),
      cmocka_unit_test_setup_teardown(bad_33_tokens, make, unmake),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
