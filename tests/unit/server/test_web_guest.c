/* Invite links in a browser: who gets the page, with which rights, and the page's files, which are in the
 * binary as they are in the tree. */
#include "core/server/web_private.h"
#include "tests/unit/server/web_kit.h"

#define BROWSER "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

static struct web_kit *kit_of_pages(const char *host) {
  struct web_kit *k = web_kit_make(NULL);
  k->c->cfg.guest_page = true;
  snprintf(k->c->cfg.link.host, sizeof k->c->cfg.link.host, "%s", host);
  return k;
}

static int ask(struct web_kit *k, const char *path, const char *accept) {
  struct web_request r = {.face = WEB_PUBLIC,
                          .method = "GET",
                          .path = path,
                          .query = "",
                          .if_match = "",
                          .type = "",
                          .body = "",
                          .accept = accept,
                          .addr = k->addr};
  k->answered = false;
  control_http(k->c, ++k->request, &r);
  assert_int_equal(control_commit(k->c), ERR_OK);
  assert_true(k->answered);
  return k->reply.status;
}

static void test_page_for_browsers(void **state) {
  static const char *const PATHS[] = {"/j/den", "/j/shop/den", "/j/"};
  (void)state;
  struct web_kit *k = kit_of_pages("test.example");
  for (size_t i = 0; i < sizeof PATHS / sizeof PATHS[0]; i++) {
    assert_int_equal(ask(k, PATHS[i], BROWSER), 200);
    assert_string_equal(k->reply.type, "text/html; charset=utf-8");
    assert_true(kit_says(k, "<!doctype html>") || kit_says(k, "<!DOCTYPE html>"));
    assert_true(k->reply.microphone);
  }
  assert_true(kit_says(k, "name=\"gavel-version\" content=\"" GAVEL_VERSION "\""));
  assert_true(kit_says(k, "<noscript>") && kit_says(k, "gavel join"));
  assert_string_equal(
      k->reply.policy,
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
      "connect-src 'self' wss://test.example:8443; media-src 'self' blob:; worker-src 'self'; base-uri "
      "'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'");
  web_kit_free(k);
}

static void test_hint_for_terminals(void **state) {
  static const char *const ACCEPTS[] = {NULL, "", "*/*", "text/plain", "application/json"};
  (void)state;
  struct web_kit *k = kit_of_pages("test.example");
  for (size_t i = 0; i < sizeof ACCEPTS / sizeof ACCEPTS[0]; i++) {
    assert_int_equal(ask(k, "/j/den", ACCEPTS[i]), 200);
    assert_string_equal(k->reply.type, WEB_TEXT);
    assert_true(kit_says(k, "gavel join LINK"));
    assert_false(k->reply.microphone);
    assert_string_equal(k->reply.policy, "");
  }
  web_kit_free(k);
}

static void test_page_can_be_switched_off(void **state) {
  char path[128];
  (void)state;
  struct web_kit *k = kit_of_pages("test.example");
  k->c->cfg.guest_page = false;
  assert_int_equal(ask(k, "/j/den", BROWSER), 200);
  assert_string_equal(k->reply.type, WEB_TEXT);
  for (const struct web_file *f = WEB_FILES; f->name; f++) {
    snprintf(path, sizeof path, "/web/%s", f->name);
    assert_int_equal(ask(k, path, "*/*"), 404);
  }
  web_kit_free(k);
}

/* The longest host has room, and an address of IPv6 would not be understood in a policy. */
static void test_policy_of_hosts(void **state) {
  char host[LINK_HOST_MAX + 1];
  (void)state;
  memset(host, 'a', LINK_HOST_MAX);
  host[LINK_HOST_MAX] = '\0';
  struct web_kit *k = kit_of_pages(host);
  assert_int_equal(ask(k, "/j/den", BROWSER), 200);
  assert_non_null(strstr(k->reply.policy, "aaa:8443; media-src"));
  assert_non_null(strstr(k->reply.policy, "; require-trusted-types-for 'script'"));
  web_kit_free(k);
  k = kit_of_pages("2001:db8::1");
  assert_int_equal(ask(k, "/j/den", BROWSER), 200);
  assert_non_null(strstr(k->reply.policy, "connect-src 'self'; media-src"));
  web_kit_free(k);
}

static const char *type_wanted(const char *name) {
  return strstr(name, ".css")    ? "text/css; charset=utf-8"
         : strstr(name, ".svg")  ? "image/svg+xml"
         : strstr(name, ".json") ? NULL /* has a path of its own */
         : strstr(name, ".html") ? NULL
                                 : "text/javascript; charset=utf-8";
}

static void assert_as_in_the_tree(const struct web_file *f) {
  char path[512];
  snprintf(path, sizeof path, GAVEL_SRCDIR "/web/%s", f->name);
  FILE *in = fopen(path, "rb");
  assert_non_null(in);
  char *text = calloc(1, f->n + 2);
  assert_non_null(text);
  assert_int_equal(fread(text, 1, f->n + 1, in), f->n);
  assert_memory_equal(text, f->text, f->n + 1);
  assert_int_equal(strlen(f->text), f->n); /* text all of it */
  free(text);
  fclose(in);
}

static void test_files(void **state) {
  char path[128];
  size_t n = 0;
  (void)state;
  struct web_kit *k = kit_of_pages("test.example");
  for (const struct web_file *f = WEB_FILES; f->name; f++) {
    snprintf(path, sizeof path, "/web/%s", f->name);
    if (!type_wanted(f->name)) {
      assert_int_equal(ask(k, path, "*/*"), 404);
      continue;
    }
    assert_as_in_the_tree(f);
    assert_int_equal(ask(k, path, "*/*"), 200);
    assert_string_equal(k->reply.type, type_wanted(f->name));
    assert_string_equal(k->reply.body, f->text);
    assert_false(k->reply.microphone);
    assert_string_equal(k->reply.policy, "");
    n++;
  }
  assert_true(n >= 2); /* a style and a script at least */
  web_kit_free(k);
}

static void test_files_that_are_none(void **state) {
  static const char *const PATHS[] = {
      "/web/", "/web/index.html", "/web/../j/den", "/web/nothing.js", "/web//etc/passwd", "/web/%2e%2e",
      "/web"};
  (void)state;
  struct web_kit *k = kit_of_pages("test.example");
  for (size_t i = 0; i < sizeof PATHS / sizeof PATHS[0]; i++)
    assert_int_equal(ask(k, PATHS[i], BROWSER), 404);
  assert_int_equal(kit_post(k, "/j/den", ""), 405);
  assert_string_equal(k->reply.allow, "GET, HEAD");
  web_kit_free(k);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_page_for_browsers),
                                     cmocka_unit_test(test_hint_for_terminals),
                                     cmocka_unit_test(test_page_can_be_switched_off),
                                     cmocka_unit_test(test_policy_of_hosts),
                                     cmocka_unit_test(test_files),
                                     cmocka_unit_test(test_files_that_are_none)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
