/* The relays a server names: what of its answer is taken, and when it is asked. */
#include "core/session/relays.h"
#include "core/session/session_private.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#define NOW (100 * US_PER_S)

static unsigned asked;

static void on_send(void *ctx, char *text) {
  (void)ctx;
  assert_non_null(strstr(text, "\"method\":\"media.ice\""));
  free(text);
  asked++;
}

static struct session joined(void) {
  struct session s = {.state = CLIENT_JOINED, .connected = true, .now = NOW, .step_at = US_NEVER};
  s.cfg.send = on_send;
  asked = 0;
  return s;
}

static struct ice_relays read_text(const char *text) {
  struct ice_relays r = {0};
  json_t *o = json_loads(text, 0, NULL);
  relays_read(o, &r);
  json_decref(o);
  return r;
}

static void test_read(void **state) {
  (void)state;
  struct ice_relays r = read_text("{\"servers\":[{\"urls\":[\"turn:a.example\",\"stun:a.example\",7,"
                                  "\"turns:b.example:443?transport=tcp\",\"turn:c.example?transport=quic\"],"
                                  "\"username\":\"1:x\",\"credential\":\"c\"}]}");
  assert_int_equal(r.n, 2); /* what it does not know is no error: a server may name more */
  assert_string_equal(r.uri[0].host, "a.example");
  assert_int_equal(r.uri[0].kind, TURN_UDP);
  assert_int_equal(r.uri[1].kind, TURN_TLS);
  assert_int_equal(r.uri[1].port, 443);
  assert_string_equal(r.user, "1:x");
  assert_string_equal(r.credential, "c");
}

static void test_read_nonsense(void **state) {
  static const char *const NONSENSE[] = {"{}",
                                         "[]",
                                         "{\"servers\":{}}",
                                         "{\"servers\":[]}",
                                         "{\"servers\":[7]}",
                                         "{\"servers\":[{\"urls\":\"turn:a.example\"}]}",
                                         "{\"servers\":[{\"urls\":[null,{},\"\"],\"username\":1}]}"};
  (void)state;
  for (size_t i = 0; i < sizeof NONSENSE / sizeof NONSENSE[0]; i++)
    assert_int_equal(read_text(NONSENSE[i]).n, 0);
  char longer[4096] = "{\"servers\":[{\"username\":\"", *at = longer + strlen(longer);
  memset(at, 'u', 1000);
  memcpy(at + 1000, "\",\"urls\":[\"turn:a\"", 19);
  for (int i = 0; i < 20; i++)
    memcpy(longer + strlen(longer), ",\"turn:a\"", 10);
  memcpy(longer + strlen(longer), "]}]}", 5);
  struct ice_relays r = read_text(longer);
  assert_int_equal(r.n, TURN_URIS_MAX);
  assert_int_equal(strlen(r.user), sizeof r.user - 1);
}

static void answer(struct session *s, long long expires_s, const char *uri) {
  json_t *server = json_pack("{s:[s],s:s,s:s}", "urls", uri, "username", "1:x", "credential", "c");
  struct rpc_in in = {.kind = RPC_RESULT, .id = s->relays_id};
  in.result = json_pack("{s:[o],s:I}", "servers", server, "expires_s", (json_int_t)expires_s);
  assert_true(relays_reply(s, &in));
  json_decref((json_t *)(uintptr_t)in.result);
}

static void test_when(void **state) {
  (void)state;
  struct session s = joined();
  relays_ask(&s);
  relays_ask(&s); /* one question at a time */
  assert_int_equal(asked, 1);
  answer(&s, 900, "turn:a.example");
  s.now = NOW + 889 * US_PER_S;
  relays_ask(&s);
  assert_int_equal(asked, 1); /* still good */
  s.now = NOW + 890 * US_PER_S;
  relays_ask(&s);
  assert_int_equal(asked, 2);
  assert_int_equal(s.relays.n, 0); /* nothing is begun with what ends now */
  assert_int_equal(s.relays.credential[0], 0);
  struct rpc_in refused = {.kind = RPC_ERROR, .id = s.relays_id}, other = {.kind = RPC_RESULT, .id = 999};
  assert_false(relays_reply(&s, &other));
  assert_true(relays_reply(&s, &refused));
  assert_int_equal(s.relays.n, 0);
  s.state = CLIENT_LOBBY;
  relays_ask(&s);
  s.state = CLIENT_JOINED;
  s.connected = false;
  relays_ask(&s);
  assert_int_equal(asked, 2);
}

static void test_odd_times(void **state) {
  static const long long ODD[] = {INT64_MIN, -1, 0, 10, INT64_MAX};
  (void)state;
  for (size_t i = 0; i < sizeof ODD / sizeof ODD[0]; i++) {
    struct session s = joined();
    relays_ask(&s);
    answer(&s, ODD[i], "turn:a.example");
    relays_ask(&s);
    assert_int_equal(asked, ODD[i] == INT64_MAX ? 1 : 2);
    assert_true(s.relays_until >= NOW && s.relays_until <= NOW + 86400 * US_PER_S);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_read), cmocka_unit_test(test_read_nonsense),
                                     cmocka_unit_test(test_when), cmocka_unit_test(test_odd_times)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
