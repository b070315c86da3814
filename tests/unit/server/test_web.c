/* The plain HTTPS half: routes, forms, the OAuth endpoints, bearer tokens. The page is in test_web_page.c. */
#include "core/server/web_private.h"
#include "tests/unit/server/web_kit.h"

static void test_small_pages(void **state) {
  (void)state;
  struct web_kit *k = web_kit_make("security@example.org");
  assert_int_equal(kit_get(k, "/healthz", ""), 200);
  assert_string_equal(k->reply.body, "ok\n");
  assert_int_equal(kit_get(k, "/j/den", ""), 200);
  assert_true(kit_says(k, "gavel join LINK"));
  assert_int_equal(kit_get(k, "/.well-known/security.txt", ""), 200);
  assert_true(kit_says(k, "Contact: mailto:security@example.org\n"));
  assert_true(kit_says(k, "Expires: 2024-05-1")); /* WALL and 180 days */
  assert_int_equal(kit_get(k, "/.well-known/oauth-authorization-server", ""), 200);
  assert_true(kit_says(k, "\"issuer\":\"https://test.example:8443\""));
  assert_true(kit_says(
      k, "\"device_authorization_endpoint\":\"https://test.example:8443/oauth/device_authorization\""));
  assert_int_equal(kit_get(k, "/", ""), 404);
  assert_int_equal(kit_get(k, "/device/", ""), 404);
  web_kit_free(k);
  k = web_kit_make(NULL);
  assert_int_equal(kit_get(k, "/.well-known/security.txt", ""), 404);
  web_kit_free(k);
}

static void test_methods_and_types(void **state) {
  (void)state;
  struct web_kit *k = web_kit_make(NULL);
  assert_int_equal(kit_get(k, "/oauth/token", ""), 405);
  assert_string_equal(k->reply.allow, "POST");
  assert_int_equal(kit_post(k, "/healthz", ""), 405);
  assert_string_equal(k->reply.allow, "GET, HEAD");
  kit_ask_as(k, "DELETE", "/device", "", "", NULL);
  assert_int_equal(k->reply.status, 405);
  assert_int_equal(kit_get(k, "/v1/session", ""), 405);
  assert_string_equal(k->reply.allow, "DELETE");
  struct web_request json = {.face = WEB_PUBLIC,
                             .method = "POST",
                             .path = "/oauth/token",
                             .query = "",
                             .if_match = "",
                             .type = "application/json",
                             .body = "{}",
                             .n = 2};
  k->answered = false;
  control_http(k->c, 99, &json);
  assert_int_equal(control_commit(k->c), ERR_OK);
  assert_int_equal(k->reply.status, 415);
  assert_int_equal(web_body_max(WEB_PUBLIC, "POST", "/device"), WEB_BODY_MAX);
  assert_int_equal(web_body_max(WEB_PUBLIC, "POST", "/oauth/token"), WEB_BODY_MAX);
  assert_int_equal(web_body_max(WEB_OPS, "POST", "/oauth/token"), 0);
  assert_int_equal(web_body_max(WEB_PUBLIC, "POST", "/healthz"), 0);
  assert_int_equal(web_body_max(WEB_PUBLIC, "DELETE", "/v1/session"), 0);
  assert_int_equal(web_body_max(WEB_PUBLIC, "POST", "/x"), 0);
  web_kit_free(k);
}

static void test_forms(void **state) {
  static const char *const BAD[] = {"a",     "=1",       "a=1&a=2", "a=1&%61=2", "a=%",   "a=%1",
                                    "a=%zz", "a=1&",     "&a=1",    "a=1&&b=2",  "a=%00", "a=%0a",
                                    "a=%ff", "a=%c0%af", "a=1&b",   "a=%u0041",  "a=\x01"};
  struct form f;
  (void)state;
  for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
    if (form_parse(BAD[i], strlen(BAD[i]), &f) != ERR_BAD_REQUEST)
      fail_msg("accepted: %s", BAD[i]);
  assert_int_equal(form_parse("a=1\0b", 5, &f), ERR_BAD_REQUEST);
  const char *good = "a=x+y%26z&b=&name%3D=%C3%A9=";
  assert_int_equal(form_parse(good, strlen(good), &f), ERR_OK);
  assert_int_equal(f.n, 3);
  assert_string_equal(form_get(&f, "a"), "x y&z");
  assert_string_equal(form_get(&f, "b"), "");
  assert_string_equal(form_get(&f, "name="), "\xc3\xa9=");
  assert_string_equal(form_get(&f, "c"), "");
  assert_false(form_only(&f, "a", "b", NULL));
  assert_true(form_only(&f, "b", "a", "name=", NULL));
  form_free(&f);
  assert_int_equal(form_parse("", 0, &f), ERR_OK);
  assert_int_equal(f.n, 0);
  form_free(&f);
  char many[256] = "";
  for (int i = 0; i < FORM_FIELDS_MAX + 1; i++)
    snprintf(many + strlen(many), sizeof many - strlen(many), "%sf%d=", i ? "&" : "", i);
  assert_int_equal(form_parse(many, strlen(many), &f), ERR_BAD_REQUEST);
}

static void test_token_requests_that_are_wrong(void **state) {
  static const struct {
    const char *body, *error;
  } BAD[] = {{"", "invalid_request"},
             {"grant_type=password&username=ann&password=x", "unsupported_grant_type"},
             {"grant_type=refresh_token", "invalid_request"},
             {"grant_type=refresh_token&refresh_token=cr1_nothing", "invalid_grant"},
             {"grant_type=refresh_token&refresh_token=a&refresh_token=b", "invalid_request"},
             {"grant_type=urn:ietf:params:oauth:grant-type:device_code", "invalid_request"},
             {"grant_type=urn:ietf:params:oauth:grant-type:device_code&device_code=x", "invalid_grant"}};
  char error[256];
  (void)state;
  struct web_kit *k = web_kit_make(NULL);
  for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
    assert_int_equal(kit_post(k, "/oauth/token", BAD[i].body), 400);
    kit_json(k, "error", error);
    assert_string_equal(error, BAD[i].error);
  }
  assert_int_equal(kit_post(k, "/oauth/revoke", ""), 400);
  assert_int_equal(kit_post(k, "/oauth/revoke", "token=unknown"), 200); /* RFC 7009 section 2.2 */
  assert_int_equal(kit_post(k, "/oauth/device_authorization", "client_id=gavel&scope=everything"), 400);
  kit_json(k, "error", error);
  assert_string_equal(error, "invalid_scope");
  web_kit_free(k);
}

static void bearer(struct web_kit *k, const char *method, const char *path, const char *body,
                   const char *token) {
  char header[300];
  snprintf(header, sizeof header, "Bearer %s", token);
  kit_ask_as(k, method, path, "", body, header);
  assert_true(k->answered);
}

static void test_sign_in_refresh_reuse(void **state) {
  char access[256], refresh[256], body[512], again[256], text[256];
  (void)state;
  struct web_kit *k = web_kit_make(NULL);
  kit_sign_in(k, access, refresh);
  assert_memory_equal(access, "cs1_", 4);
  bearer(k, "GET", "/v1/me", "", access);
  assert_int_equal(k->reply.status, 200);
  kit_json(k, "user", text);
  assert_non_null(strstr(text, "ann"));
  snprintf(body, sizeof body, "grant_type=refresh_token&refresh_token=%s", refresh);
  assert_int_equal(kit_post(k, "/oauth/token", body), 200);
  kit_json(k, "access_token", again);
  bearer(k, "GET", "/v1/me", "", access); /* the one before */
  assert_int_equal(k->reply.status, 401);
  bearer(k, "GET", "/v1/me", "", again);
  assert_int_equal(k->reply.status, 200);
  assert_int_equal(kit_post(k, "/oauth/token", body), 400); /* used twice: a thief */
  bearer(k, "GET", "/v1/me", "", again);
  assert_int_equal(k->reply.status, 401);
  assert_non_null(strstr(k->reply.challenge, "error=\"invalid_token\""));
  web_kit_free(k);
}

static void test_bearer_errors(void **state) {
  (void)state;
  struct web_kit *k = web_kit_make(NULL);
  assert_int_equal(kit_get(k, "/v1/me", "access_token=cs1_x"), 401); /* never by the query */
  assert_string_equal(k->reply.challenge, "Bearer realm=\"gavel\"");
  kit_ask_as(k, "GET", "/v1/me", "", "", "Basic YTpi");
  assert_int_equal(k->reply.status, 401);
  assert_string_equal(k->reply.challenge, "Bearer realm=\"gavel\"");
  static const char *const MALFORMED[] = {"Bearer ", "Bearer a b", "Bearer a,Bearer b", "bearer \xff",
                                          "Bearer \"x\""};
  for (size_t i = 0; i < sizeof MALFORMED / sizeof MALFORMED[0]; i++) {
    kit_ask_as(k, "GET", "/v1/me", "", "", MALFORMED[i]);
    assert_int_equal(k->reply.status, 400);
    assert_non_null(strstr(k->reply.challenge, "error=\"invalid_request\""));
  }
  bearer(k, "GET", "/v1/me", "", "cs1_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
  assert_int_equal(k->reply.status, 401);
  bearer(k, "GET", "/v1/me", "", "eyJhbGciOiJub25lIn0.e30.");
  assert_int_equal(k->reply.status, 401);
  kit_ask_as(k, "DELETE", "/v1/session", "", "", NULL);
  assert_int_equal(k->reply.status, 401);
  web_kit_free(k);
}

static void test_introspect(void **state) {
  char access[256], refresh[256], other[256], body[512];
  (void)state;
  struct web_kit *k = web_kit_make(NULL);
  kit_sign_in(k, access, refresh);
  kit_sign_in(k, other, refresh);
  snprintf(body, sizeof body, "token=%s", access);
  assert_int_equal(kit_post(k, "/oauth/introspect", body), 401); /* nobody */
  bearer(k, "POST", "/oauth/introspect", body, access);          /* oneself */
  assert_int_equal(k->reply.status, 200);
  assert_true(kit_says(k, "\"active\":true"));
  bearer(k, "POST", "/oauth/introspect", body, other); /* another, without the scope */
  assert_int_equal(k->reply.status, 403);
  assert_non_null(strstr(k->reply.challenge, "error=\"insufficient_scope\", scope=\"audit:read\""));
  json_decref(
      kit_operate(k, "account.scopes", json_pack("{s:s,s:s}", "name", "ann", "scopes", "audit:read")));
  k->scope = "audit:read";
  kit_sign_in(k, other, refresh);
  snprintf(body, sizeof body, "token=%s", "cs1_unknown");
  bearer(k, "POST", "/oauth/introspect", body, other);
  assert_int_equal(k->reply.status, 200);
  assert_true(kit_says(k, "\"active\":false"));
  web_kit_free(k);
}

static void test_sign_out(void **state) {
  char access[256], refresh[256], body[512];
  (void)state;
  struct web_kit *k = web_kit_make(NULL);
  kit_sign_in(k, access, refresh);
  bearer(k, "DELETE", "/v1/session", "", access);
  assert_int_equal(k->reply.status, 200);
  bearer(k, "GET", "/v1/me", "", access);
  assert_int_equal(k->reply.status, 401);
  kit_sign_in(k, access, refresh);
  snprintf(body, sizeof body, "token=%s&token_type_hint=refresh_token", refresh);
  assert_int_equal(kit_post(k, "/oauth/revoke", body), 200);
  bearer(k, "GET", "/v1/me", "", access);
  assert_int_equal(k->reply.status, 401);
  web_kit_free(k);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_small_pages),
      cmocka_unit_test(test_methods_and_types),
      cmocka_unit_test(test_forms),
      cmocka_unit_test(test_token_requests_that_are_wrong),
      cmocka_unit_test(test_sign_in_refresh_reuse),
      cmocka_unit_test(test_bearer_errors),
      cmocka_unit_test(test_introspect),
      cmocka_unit_test(test_sign_out),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
