/* What a server answers to a login, and what is kept of it: bad input from a server or a damaged file. */
#include "core/session/login.h"

#include "core/base/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW INT64_C(1700000000000)
#define DEVICE                                                                                               \
  "{\"device_code\":\"d\",\"user_code\":\"BCDF-GHJK\",\"verification_uri\":\"https://h/device\","            \
  "\"verification_uri_complete\":\"https://h/"                                                               \
  "device?user_code=BCDF-GHJK\",\"expires_in\":600,\"interval\":7}"

static void test_forms_are_escaped(void **state) {
  (void)state;
  char *form = login_form("a", "x y&z=\xc3\xa9", "b", "", "c-d", "~._-", NULL);
  assert_string_equal(form, "a=x%20y%26z%3D%C3%A9&b=&c-d=~._-");
  free(form);
}

static void test_device_answers(void **state) {
  struct login_device d;
  (void)state;
  assert_int_equal(login_device_read(200, DEVICE, &d), ERR_OK);
  assert_string_equal(d.user_code, "BCDF-GHJK");
  assert_string_equal(d.complete, "https://h/device?user_code=BCDF-GHJK");
  assert_int_equal(d.interval_s, 7);
  static const char *const BAD[] = {
      "",
      "[]",
      "{}",
      "\"x\"",
      "{\"device_code\":1,\"user_code\":\"A\",\"verification_uri\":\"https://h/\"}",
      "{\"device_code\":\"d\",\"user_code\":\"A\",\"verification_uri\":\"javascript:x\"}",
      "{\"device_code\":\"d\",\"user_code\":\"A\",\"verification_uri\":\"http://h/\"}",
      "{\"device_code\":\"d\",\"user_code\":\"\\u001b[2J\",\"verification_uri\":\"https://h/\"}",
      "{\"device_code\":\"d\",\"user_code\":\"A\",\"verification_uri\":\"https://h/\\u001b]0;x\"}",
      ("{\"device_code\":\"d\",\"device_code\":\"e\",\"user_code\":\"A\","
       "\"verification_uri\":\"https://h/\"}")};
  for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
    if (login_device_read(200, BAD[i], &d) != ERR_PROTOCOL)
      fail_msg("accepted: %s", BAD[i]);
  /* a page that is no address to scan is left out; an interval that makes no sense is 5 s */
  assert_int_equal(
      login_device_read(200,
                        "{\"device_code\":\"d\",\"user_code\":\"A\",\"verification_uri\":\"https://h/\","
                        "\"verification_uri_complete\":\"ftp://h\",\"interval\":-4}",
                        &d),
      ERR_OK);
  assert_string_equal(d.complete, "");
  assert_int_equal(d.interval_s, 5);
}

static void test_token_answers(void **state) {
  struct login l = {.access = "before"};
  (void)state;
  static const struct {
    int status;
    const char *body;
    enum err e;
  } ANSWERS[] = {{400, "{\"error\":\"authorization_pending\"}", ERR_PENDING},
                 {400, "{\"error\":\"slow_down\"}", ERR_SLOW_DOWN},
                 {400, "{\"error\":\"access_denied\"}", ERR_ACCESS_DENIED},
                 {400, "{\"error\":\"expired_token\"}", ERR_EXPIRED},
                 {400, "{\"error\":\"invalid_grant\"}", ERR_BAD_GRANT},
                 {400, "{\"error\":\"what\"}", ERR_PROTOCOL},
                 {400, "<html>", ERR_PROTOCOL},
                 {429, "{\"error\":\"rate_limited\"}", ERR_RATE},
                 {503, "try again", ERR_AGAIN},
                 {200, "{}", ERR_PROTOCOL},
                 {200, "{\"access_token\":\"a\",\"refresh_token\":\"r\",\"expires_in\":0}", ERR_PROTOCOL},
                 {200, "{\"access_token\":\"a\\nb\",\"refresh_token\":\"r\",\"expires_in\":9}", ERR_PROTOCOL},
                 {302, "", ERR_PROTOCOL}};
  for (size_t i = 0; i < sizeof ANSWERS / sizeof ANSWERS[0]; i++) {
    assert_int_equal(login_tokens_read(ANSWERS[i].status, ANSWERS[i].body, NOW, &l), ANSWERS[i].e);
    assert_string_equal(l.access, "before");
  }
  assert_int_equal(
      login_tokens_read(200, "{\"access_token\":\"cs1_a\",\"refresh_token\":\"cr1_r\",\"expires_in\":7200}",
                        NOW, &l),
      ERR_OK);
  assert_string_equal(l.access, "cs1_a");
  assert_string_equal(l.refresh, "cr1_r");
  assert_int_equal(l.until_ms, NOW + 7200000);
}

static void test_what_is_kept_comes_back(void **state) {
  struct login l = {.to = {.host = "2001:db8::1", .port = 8443, .has_pin = true, .pin = {9, 8}},
                    .access = "cs1_a",
                    .refresh = "cr1_r",
                    .until_ms = NOW},
               got;
  (void)state;
  char *text = login_write(&l);
  assert_int_equal(login_read(text, strlen(text), &got), ERR_OK);
  assert_true(login_fits(&got, &l.to));
  assert_string_equal(got.access, "cs1_a");
  assert_string_equal(got.refresh, "cr1_r");
  assert_int_equal(got.until_ms, NOW);
  for (size_t n = 0; n < strlen(text); n++) /* cut anywhere */
    assert_int_equal(login_read(text, n, &got), ERR_BAD_JSON);
  free(text);
  const char *bad = "{\"host\":\"h\",\"port\":70000,\"access\":\"a\",\"refresh\":\"r\",\"expires\":1}";
  assert_int_equal(login_read(bad, strlen(bad), &got), ERR_BAD_JSON);
  bad = "{\"host\":\"h\",\"port\":443,\"access\":\"a\",\"refresh\":\"r\",\"expires\":1,\"pin\":\"AAAA\"}";
  assert_int_equal(login_read(bad, strlen(bad), &got), ERR_BAD_JSON);
}

static void test_a_token_goes_only_where_it_is_from(void **state) {
  struct login l = {.to = {.host = "h", .port = 443}};
  struct link same = {.host = "h", .port = 443, .room = "den", .has_secret = true};
  (void)state;
  assert_true(login_fits(&l, &same));
  struct link other = same;
  other.port = 444;
  assert_false(login_fits(&l, &other));
  other = same;
  other.has_pin = true; /* a stranger's link would name his own certificate */
  assert_false(login_fits(&l, &other));
  l.to.has_pin = true;
  assert_true(login_fits(&l, &other));
  other.pin[31] = 1;
  assert_false(login_fits(&l, &other));
  assert_false(login_fits(&l, &same));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_forms_are_escaped),
      cmocka_unit_test(test_device_answers),
      cmocka_unit_test(test_token_answers),
      cmocka_unit_test(test_what_is_kept_comes_back),
      cmocka_unit_test(test_a_token_goes_only_where_it_is_from),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
