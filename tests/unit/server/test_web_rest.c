/* The REST face: who may, rooms, people, acts, invites, attendance, metering, tokens; and that the public
 * port has none of it. */
#include "core/auth/token_tool.h"
#include "core/server/web_private.h"
#include "tests/unit/server/web_kit.h"

#define BODY_JSON "application/json"

static int ask_at(struct web_kit *k, enum web_face face, const char *method, const char *target,
                  const char *token, const char *body) {
  char path[256], header[1200] = "";
  const char *query = strchr(target, '?');
  snprintf(path, sizeof path, "%.*s", query ? (int)(query - target) : (int)strlen(target), target);
  if (token)
    snprintf(header, sizeof header, "Bearer %s", token);
  struct web_request r = {.face = face,
                          .method = method,
                          .path = path,
                          .query = query ? query + 1 : "",
                          .authorization = token ? header : NULL,
                          .if_match = "",
                          .type = strcmp(method, "POST") == 0 ? BODY_JSON : "",
                          .body = body,
                          .n = strlen(body),
                          .addr = k->addr};
  k->answered = false;
  kit_tick(k, US_PER_S);
  control_http(k->c, ++k->request, &r);
  assert_int_equal(control_commit(k->c), ERR_OK);
  assert_true(k->answered);
  return k->reply.status;
}

static int ask(struct web_kit *k, const char *method, const char *target, const char *token,
               const char *body) {
  return ask_at(k, WEB_OPS, method, target, token, body);
}

/* A back end of an application: its token is signed by the application's key, outside of the server; for one
 * room, or "" for all. */
static void back_end_of(struct web_kit *k, const char *app, const char *scopes, const char *room,
                        char token[256 * 4]) {
  json_t *got = kit_operate(k, "app.create", json_pack("{s:s}", "app", app));
  const char *kid = json_str(got, "kid", ""), *secret = json_str(got, "key", "");
  struct token_key key = {.format = TOKEN_HS256, .n_secret = strlen(secret), .scopes = SCOPE_ALL};
  struct token_claims t = {.iat_s = WALL / 1000, .exp_s = WALL / 1000 + 3000};
  char *text = NULL;
  const char *why = NULL;
  memcpy(key.secret, secret, key.n_secret);
  snprintf(key.kid, sizeof key.kid, "%s", kid);
  snprintf(key.issuer, sizeof key.issuer, "%s", app);
  snprintf(key.audience, sizeof key.audience, "test");
  snprintf(t.subject, sizeof t.subject, "backend");
  snprintf(t.room, sizeof t.room, "%s", room);
  assert_int_equal(scope_parse(scopes, true, &t.scopes), ERR_OK);
  assert_int_equal(token_mint(&key, &t, &(struct token_extra){0}, &k->rng, &text, &why), ERR_OK);
  snprintf(token, 1024, "%s", text);
  free(text);
  json_decref(got);
}

static void back_end(struct web_kit *k, const char *app, const char *scopes, char token[256 * 4]) {
  back_end_of(k, app, scopes, "", token);
}

struct tally {
  const char *action, *actor, *outcome;
  int n;
};
static enum err count_one(void *ctx, const struct store_record *r) {
  struct tally *t = ctx;
  t->n += !strcmp(r->kind, t->action) && !strncmp(r->actor, t->actor, strlen(t->actor)) &&
          !strstr(r->actor, "@") && strstr(r->data, t->outcome);
  return ERR_OK;
}
/* How many such entries the audit log has. */
static int audited(struct web_kit *k, const char *action, const char *actor, const char *outcome) {
  struct tally t = {action, actor, outcome, 0};
  assert_int_equal(store_replay(k->store, "audit", 0, count_one, &t), ERR_OK);
  return t.n;
}

static void says_code(const struct web_kit *k, const char *code) {
  char got[256];
  kit_json(k, "code", got);
  assert_string_equal(got, code);
}

static void test_rooms_of_an_application(void **state) {
  (void)state;
  struct web_kit *k = web_kit_make(NULL);
  char acme[1024], other[1024], text[256], name[300];
  back_end(k, "acme", "rooms:manage", acme);
  back_end(k, "rival", "rooms:manage", other);
  assert_int_equal(ask(k, "POST", "/v1/rooms", acme, "{\"room\":\"BlueRoom\"}"), 201);
  kit_json(k, "host_link", text);
  assert_non_null(strstr(text, "/j/acme/r-"));
  kit_json(k, "room", text);
  snprintf(name, sizeof name, "acme/%s", text);
  assert_int_equal(k->reply.n_headers, 1);
  assert_int_equal(ask(k, "POST", "/v1/rooms", acme, "{\"room\":\"BlueRoom\"}"), 409);
  says_code(k, "room_exists");
  assert_int_equal(ask(k, "GET", "/v1/rooms/BlueRoom", acme, ""), 200);
  assert_false(kit_says(k, "\"chat\""));
  assert_int_equal(ask(k, "GET", "/v1/rooms/BlueRoom", other, ""), 404); /* its own of that name: none */
  says_code(k, "no_room");
  assert_int_equal(ask(k, "GET", "/v1/rooms?app=acme", other, ""), 403);
  assert_non_null(strstr(k->reply.challenge, "insufficient_scope"));
  assert_int_equal(ask(k, "GET", "/v1/rooms", other, ""), 200);
  assert_string_equal(k->reply.body, "{\"rooms\":[]}");
  assert_int_equal(ask(k, "POST", "/v1/rooms/BlueRoom/acts/lock", acme, "{\"text\":\"later\"}"), 200);
  assert_int_equal(ask(k, "POST", "/v1/rooms/BlueRoom/acts/lock", acme, "{\"txt\":\"later\"}"), 400);
  says_code(k, "bad_argument");
  assert_int_equal(ask(k, "GET", "/v1/rooms", acme, ""), 200);
  assert_true(kit_says(k, "\"locked\":true"));
  assert_int_equal(ask(k, "POST", "/v1/rooms/BlueRoom/acts/explode", acme, "{}"), 404);
  assert_int_equal(ask(k, "POST", "/v1/rooms/BlueRoom/invites", acme, "{\"role\":\"cohost\"}"), 201);
  kit_json(k, "link", text);
  assert_non_null(strstr(text, "https://test.example:8443/j/acme/r-"));
  assert_int_equal(ask(k, "GET", "/v1/rooms/BlueRoom/invites", acme, ""), 200);
  assert_false(kit_says(k, "#i="));
  json_t *list = json_loads(k->reply.body, 0, NULL);
  assert_int_equal(json_array_size(json_object_get(list, "invites")), 3);
  char path[96];
  snprintf(path, sizeof path, "/v1/rooms/BlueRoom/invites/%lld",
           (long long)json_int(json_array_get(json_object_get(list, "invites"), 2), "id", 0));
  json_decref(list);
  assert_int_equal(ask(k, "DELETE", path, acme, ""), 200);
  assert_int_equal(ask(k, "DELETE", "/v1/rooms/BlueRoom/invites/x1", acme, ""), 400);
  assert_int_equal(ask(k, "GET", "/v1/rooms/BlueRoom/people", acme, ""), 200);
  assert_string_equal(k->reply.body, "{\"people\":[]}");
  assert_int_equal(ask(k, "GET", "/v1/rooms/BlueRoom/people/7", acme, ""), 404);
  assert_int_equal(ask(k, "DELETE", "/v1/rooms/BlueRoom", acme, ""), 200);
  struct link host, guest;
  /* whoever ends a room may begin it again at once */
  assert_int_equal(control_room_create(k->c, name, true, &host, &guest), ERR_OK);
  assert_int_equal(control_commit(k->c), ERR_OK);
  web_kit_free(k);
}

static void test_who_may(void **state) {
  static const char *const PATHS[] = {"/v1/rooms", "/v1/metering", "/v1/rooms/x/attendance",
                                      "/v1/rooms?app=acme", "/v1/rooms?app=nobody"};
  (void)state;
  struct web_kit *k = web_kit_make(NULL);
  char owner[1024], access[256], refresh[256];
  back_end(k, "acme", "room:admin room:moderate", owner); /* who owns rooms inside does not manage them all */
  json_decref(kit_operate(k, "account.scopes", json_pack("{s:s,s:s}", "name", "ann", "scopes", "room:join")));
  kit_sign_in(k, access, refresh);
  for (size_t i = 0; i < sizeof PATHS / sizeof PATHS[0]; i++) {
    assert_int_equal(ask(k, "GET", PATHS[i], NULL, ""), 401);
    assert_non_null(strstr(k->reply.challenge, "Bearer"));
    assert_int_equal(ask(k, "GET", PATHS[i], "cs1_nonsense", ""), 401);
    assert_int_equal(ask(k, "GET", PATHS[i], owner, ""), 403);
    assert_int_equal(ask(k, "GET", PATHS[i], access, ""), 403);
  }
  assert_int_equal(ask_at(k, WEB_PUBLIC, "GET", "/v1/rooms", owner, ""), 404);
  web_kit_free(k);
}

static void test_operator_and_meter(void **state) {
  (void)state;
  struct web_kit *k = web_kit_make(NULL);
  char access[256], refresh[256];
  json_decref(kit_operate(k, "account.scopes",
                          json_pack("{s:s,s:s}", "name", "ann", "scopes", "room:join server:operate")));
  k->scope = "server:operate";
  kit_sign_in(k, access, refresh);
  assert_int_equal(ask(k, "POST", "/v1/rooms", access, "{\"room\":\"den\",\"lobby\":false}"), 201);
  assert_int_equal(ask(k, "POST", "/v1/rooms", access, "{\"room\":\"den\",\"lobby\":false,\"x\":1}"), 400);
  assert_int_equal(ask(k, "POST", "/v1/rooms", access, "[]"), 400);
  says_code(k, "bad_json");
  assert_int_equal(ask(k, "POST", "/v1/rooms", access, "{\"room\":\"\"}"), 400);
  assert_int_equal(ask(k, "POST", "/v1/rooms", access, "{\"room\":\"../x\"}"), 400);
  says_code(k, "bad_name");
  assert_int_equal(ask(k, "GET", "/v1/rooms/den/attendance", access, ""), 200);
  assert_string_equal(k->reply.body, "{\"attendance\":[]}");
  assert_int_equal(ask(k, "GET", "/v1/rooms/den/attendance?format=csv", access, ""), 200);
  assert_string_equal(k->reply.type, "text/csv; charset=utf-8");
  assert_int_equal(ask(k, "GET", "/v1/rooms/den/attendance?format=pdf", access, ""), 400);
  assert_int_equal(ask(k, "GET", "/v1/metering", access, ""), 200);
  assert_string_equal(k->reply.body, "{\"metering\":[]}");
  assert_int_equal(ask(k, "GET", "/v1/metering?format=csv", access, ""), 200);
  assert_string_equal(k->reply.body, "app,room,visits,participant_seconds\r\n");
  assert_int_equal(audited(k, "room.create", "operator:p-", "\"ok\""), 1); /* gavelctl audit report sees it */
  assert_int_equal(ask(k, "GET", "/v1/rooms?app=nobody", access, ""), 404);
  says_code(k, "no_application");
  assert_int_equal(ask(k, "GET", "/v1/rooms?app=a&app=b", access, ""), 400);
  assert_int_equal(ask(k, "GET", "/v1/rooms/den/acts/lock", access, ""), 405);
  assert_int_equal(ask(k, "GET", "/v1/rooms/", access, ""), 404);
  assert_int_equal(ask(k, "GET", "/v1/a/b/c/d/e/f/g/h", access, ""), 404);
  web_kit_free(k);
}

#define QUOTES_8 "\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\""
#define QUOTES_32 QUOTES_8 QUOTES_8 QUOTES_8 QUOTES_8
#define QUOTES QUOTES_32 QUOTES_32 QUOTES_32 QUOTES_32 /* 128 bytes of a name that need twice as many */

static void test_tokens(void **state) {
  (void)state;
  struct web_kit *k = web_kit_make(NULL);
  char acme[1024], token[256], path[600], kid[256], jti[256];
  struct grant g;
  back_end(k, "acme", "rooms:manage", acme);
  assert_int_equal(ask(k, "POST", "/v1/tokens", acme, "{\"user\":\"bob\",\"room\":\"den\",\"name\":\"Bob\"}"),
                   201);
  json_t *got = json_loads(k->reply.body, 0, NULL);
  char whole[1024];
  snprintf(whole, sizeof whole, "%s", json_str(got, "token", ""));
  snprintf(kid, sizeof kid, "%s", json_str(got, "kid", ""));
  snprintf(jti, sizeof jti, "%s", json_str(got, "jti", ""));
  json_decref(got);
  assert_int_equal(access_token(k->c->access, whole, "den", k->addr, &g), ERR_OK);
  assert_string_equal(g.user, "bob@acme");
  assert_string_equal(g.name, "Bob");
  assert_int_equal(g.scopes, SCOPE_JOIN | SCOPE_SPEAK | SCOPE_CHAT);
  assert_int_equal(access_token(k->c->access, whole, "attic", k->addr, &g), ERR_BAD_TOKEN);
  snprintf(path, sizeof path, "/v1/tokens/%s/%s", kid, jti);
  assert_int_equal(ask(k, "DELETE", path, acme, ""), 200);
  assert_int_equal(access_token(k->c->access, whole, "den", k->addr, &g), ERR_BAD_TOKEN);
  char longest[1024];
  snprintf(
      longest, sizeof longest,
      "{\"user\":\"%064d\",\"room\":\"%s\",\"name\":\"%s\",\"scopes\":\"room:join room:speak room:admin\"}",
      0, QUOTES, QUOTES);
  assert_int_equal(ask(k, "POST", "/v1/tokens", acme, longest), 201);
  got = json_loads(k->reply.body, 0, NULL); /* it fits where it is to be shown, by WHIP too */
  assert_in_range(strlen(json_str(got, "token", "")), 1024, WEB_BEARER_MAX - sizeof "Bearer ");
  json_decref(got);
  /* nobody makes himself more than he is */
  assert_int_equal(ask(k, "POST", "/v1/tokens", acme, "{\"user\":\"eve\",\"scopes\":\"rooms:manage\"}"), 400);
  assert_int_equal(ask(k, "POST", "/v1/tokens", acme, "{\"user\":\"eve\",\"scopes\":\"server:operate\"}"),
                   400);
  assert_int_equal(ask(k, "POST", "/v1/tokens", acme, "{\"user\":\"eve\",\"expires_in\":999999}"), 400);
  assert_int_equal(ask(k, "POST", "/v1/tokens", acme, "{\"user\":\"eve\",\"expires_in\":0}"), 400);
  assert_int_equal(ask(k, "POST", "/v1/tokens", acme, "{\"room\":\"den\"}"), 400);
  kit_json(k, "token", token);
  assert_string_equal(token, "");
  web_kit_free(k);
}

/* A token for one room manages that room, and nothing else of its application. */
static void test_one_room_only(void **state) {
  static const char *const OTHERS[] = {"/v1/rooms", "/v1/metering", "/v1/rooms/den2", "/v1/rooms/den2/people",
                                       "/v1/rooms/den2/attendance"};
  (void)state;
  struct web_kit *k = web_kit_make(NULL);
  char one[1024], all[1024], text[256];
  back_end_of(k, "acme", "rooms:manage metering:read", "Den 1", one);
  json_decref(kit_operate(k, "room.create", json_pack("{s:s}", "room", "acme/den2")));
  assert_int_equal(ask(k, "GET", "/v1/rooms/Den 1", one, ""), 404); /* he may, but there is none */
  for (size_t i = 0; i < sizeof OTHERS / sizeof OTHERS[0]; i++)
    assert_int_equal(ask(k, "GET", OTHERS[i], one, ""), 403);
  assert_int_equal(ask(k, "POST", "/v1/rooms", one, "{\"room\":\"Den 1\"}"), 403);
  assert_int_equal(ask(k, "POST", "/v1/rooms/den2/acts/lock", one, "{}"), 403);
  assert_int_equal(ask(k, "DELETE", "/v1/rooms/den2", one, ""), 403);
  assert_int_equal(ask(k, "POST", "/v1/tokens", one, "{\"user\":\"eve\"}"), 403);
  assert_int_equal(ask(k, "DELETE", "/v1/tokens/k/j", one, ""), 403);
  assert_true(audited(k, "rest.refused", "rest:k-", "insufficient_scope") > 0);
  back_end(k, "rival", "rooms:manage", all);
  assert_int_equal(ask(k, "POST", "/v1/rooms", all, "{\"room\":\"den\"}"), 201);
  kit_json(k, "room", text);
  assert_string_equal(text, "den");
  web_kit_free(k);
}

/* What is of another type, too long, or more than it looks like is refused, and never another token. */
static void test_tokens_as_asked(void **state) {
  static const char *const BODIES[] = {"{\"user\":\"bob\",\"room\":5}",
                                       "{\"user\":\"bob\",\"room\":null}",
                                       "{\"user\":\"bob\",\"room\":\"*\"}",
                                       "{\"user\":7}",
                                       "{\"user\":\"b\\u0007b\"}",
                                       "{\"user\":\"bob\",\"name\":{}}",
                                       "{\"user\":\"bob\",\"scopes\":[]}",
                                       "{\"user\":\"bob\",\"scopes\":\"room:join  room:chat\"}",
                                       "{\"user\":\"bob\",\"expires_in\":\"60\"}",
                                       "{\"user\":\"bob\",\"expires_in\":9007199254740991}",
                                       "{\"user\":\"bob\",\"user\":\"eve\"}",
                                       "{\"user\":\"bob\",\"x\":1}",
                                       ""};
  (void)state;
  struct web_kit *k = web_kit_make(NULL);
  char acme[1024], body[400], text[256];
  back_end(k, "acme", "rooms:manage", acme);
  for (size_t i = 0; i < sizeof BODIES / sizeof BODIES[0]; i++) {
    if (ask_at(k, WEB_OPS, "POST", "/v1/tokens", acme, BODIES[i]) != 400)
      fail_msg("%s: %d %s", BODIES[i], k->reply.status, k->reply.body);
    kit_json(k, "token", text);
    assert_string_equal(text, "");
  }
  const char *const FIELDS[] = {"user", "room", "name", "scopes"}; /* cut, they would be another's */
  for (size_t i = 0; i < sizeof FIELDS / sizeof FIELDS[0]; i++) {
    snprintf(body, sizeof body, "{%s\"%s\":\"%0300d\"}", i ? "\"user\":\"bob\"," : "", FIELDS[i], 0);
    assert_int_equal(ask(k, "POST", "/v1/tokens", acme, body), 400);
  }
  assert_int_equal(audited(k, "token.mint", "rest:k-", "\"ok\""), 0);
  assert_int_equal(ask(k, "POST", "/v1/tokens", acme, "{\"user\":\"bob\",\"room\":\"den\"}"), 201);
  assert_int_equal(audited(k, "token.mint", "rest:k-", "\"ok\""), 1);
  assert_int_equal(ask(k, "POST", "/v1/rooms", acme, "{\"room\":\"den\",\"lobby\":\"no\"}"), 400);
  assert_int_equal(ask(k, "POST", "/v1/rooms", acme, "{\"room\":7}"), 400);
  web_kit_free(k);
}

/* Not now, not so, not he: each by its status and its headers. */
static void test_refusals(void **state) {
  (void)state;
  struct web_kit *k = web_kit_make(NULL);
  char acme[1024];
  back_end(k, "acme", "rooms:manage", acme);
  assert_int_equal(ask(k, "GET", "/v1/rooms", NULL, ""), 401);
  assert_string_equal(k->reply.challenge, "Bearer realm=\"gavel\""); /* RFC 6750 section 3.1 */
  assert_int_equal(ask(k, "GET", "/v1/rooms", "a,b", ""), 400);
  assert_int_equal(ask(k, "POST", "/v1/metering", acme, "{}"), 405);
  assert_string_equal(k->reply.allow, "GET, HEAD");
  assert_int_equal(ask(k, "POST", "/v1/rooms/x", acme, "{}"), 405);
  assert_string_equal(k->reply.allow, "GET, HEAD, DELETE");
  assert_int_equal(ask(k, "POST", "/v1/rooms", acme, "{\"room\":\"den\"}"), 201);
  int status = 200;
  for (int i = 0; i < 10 && status == 200; i++) /* it reads the log: as few as from inside */
    status = ask(k, "GET", "/v1/rooms/den/attendance", acme, "");
  assert_int_equal(status, 429);
  says_code(k, "rate_limited");
  assert_true(k->reply.retry_after_s > 0);
  json_decref(kit_operate(k, "server.drain", json_object()));
  assert_int_equal(ask(k, "POST", "/v1/rooms", acme, "{\"room\":\"late\"}"), 503);
  says_code(k, "draining");
  assert_true(k->reply.retry_after_s > 0);
  web_kit_free(k);
}

/* Whoever tries forged tokens here is shut out as everywhere, also with a good one. */
static void test_strikes(void **state) {
  (void)state;
  struct web_kit *k = web_kit_make(NULL);
  char acme[1024], bad[1024];
  back_end(k, "acme", "rooms:manage", acme);
  snprintf(bad, sizeof bad, "%s", acme);
  bad[strlen(bad) - 5] = bad[strlen(bad) - 5] == 'A' ? 'B' : 'A';
  k->c->cfg.limits = LIMITS_DEFAULT;
  for (unsigned i = 0; i < LIMITS_DEFAULT.strikes; i++)
    assert_int_equal(ask(k, "GET", "/v1/rooms", bad, ""), 401);
  assert_int_equal(ask(k, "GET", "/v1/rooms", acme, ""), 429);
  assert_true(k->reply.retry_after_s > 600);
  web_kit_free(k);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_rooms_of_an_application),
      cmocka_unit_test(test_who_may),
      cmocka_unit_test(test_operator_and_meter),
      cmocka_unit_test(test_tokens),
      cmocka_unit_test(test_one_room_only),
      cmocka_unit_test(test_tokens_as_asked),
      cmocka_unit_test(test_refusals),
      cmocka_unit_test(test_strikes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
