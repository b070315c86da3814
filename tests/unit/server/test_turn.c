/* Relays: credentials as other programs compute them, what of [turn] is refused, and who gets media.ice. */
#include "control_kit.h"

#include "core/server/control_private.h"
#include "core/server/turn.h"

static char path[64];

static void write_secret(const char *text) {
  snprintf(path, sizeof path, "/tmp/gavel-turn-XXXXXX");
  int fd = mkstemp(path);
  FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
  assert_non_null(f);
  assert_true(fputs(text, f) >= 0);
  assert_int_equal(fclose(f), 0);
}

static struct turn *open_turn(const char *uris, const char *secret, unsigned ttl_s) {
  struct turn *t = NULL;
  char why[256] = "";
  write_secret(secret);
  assert_int_equal(turn_open(uris, path, ttl_s, &t, why), ERR_OK);
  assert_int_equal(remove(path), 0);
  return t;
}

/* By: printf '%s' USER | openssl dgst -sha1 -hmac SECRET -binary | base64 */
static void test_vectors(void **state) {
  static const struct {
    const char *file;
    int64_t wall_s;
    unsigned ttl_s;
    const char *seat, *user, *credential;
  } V[] = {
      {"logen2-rotated-secret\nthe-one-before-that\n", 1700000000, 900, "00c0ffee", "1700000900:00c0ffee",
       "ZauNaM/3ML0wnOJ3acYnMW1pua0="},
      {"0123456789abcdef\r\n", 1700000000, 60, "7", "1700000060:7", "baeZXsYnzdDmLH2PL1oLGiumyoM="},
      {"0123456789abcdef", 1700000000, 60, "7", "1700000060:7", "baeZXsYnzdDmLH2PL1oLGiumyoM="},
  };
  (void)state;
  for (size_t i = 0; i < sizeof V / sizeof V[0]; i++) {
    char user[TURN_USER_MAX], credential[TURN_CREDENTIAL_LEN + 1];
    struct turn *t = open_turn("turn:relay.example", V[i].file, V[i].ttl_s);
    assert_int_equal(turn_mint(t, V[i].wall_s, V[i].seat, user, credential), V[i].wall_s + V[i].ttl_s);
    assert_string_equal(user, V[i].user);
    assert_string_equal(credential, V[i].credential);
    turn_close(t);
  }
}

static void expect_bad(const char *uris, const char *secret, const char *said) {
  struct turn *t = NULL;
  char why[256] = "";
  write_secret(secret);
  assert_int_equal(turn_open(uris, path, 900, &t, why), ERR_BAD_CONFIG);
  assert_null(t);
  assert_non_null(strstr(why, said));
  assert_null(strstr(why, "0123456789")); /* never the secret itself */
  assert_int_equal(remove(path), 0);
}

static void test_bad_settings(void **state) {
  char longer[400] = "";
  struct turn *t = NULL;
  char why[256] = "";
  (void)state;
  expect_bad("turn:relay.example", "", "secret_file");
  expect_bad("turn:relay.example", "0123456789\n", "secret_file"); /* too short */
  memset(longer, 'x', 257);
  expect_bad("turn:relay.example", longer, "secret_file");
  expect_bad("turn:relay.example, http://x", "0123456789abcdef\n", "http://x");
  expect_bad("turns:relay.example?transport=udp", "0123456789abcdef\n", "TCP");
  expect_bad("turn:a turn:b turn:c turn:d turn:e turn:f turn:g turn:h turn:i", "0123456789abcdef\n", "8");
  assert_int_equal(turn_open("turn:relay.example", "", 900, &t, why), ERR_BAD_CONFIG);
  assert_int_equal(turn_open("turn:relay.example", "/nonexistent/secret", 900, &t, why), ERR_BAD_CONFIG);
  assert_int_equal(turn_open(" , ", "", 900, &t, why), ERR_OK); /* no relays need no secret */
  assert_null(t);
}

static json_t *ice_of(struct kit *k, uint32_t conn, json_int_t id) {
  char text[128];
  snprintf(text, sizeof text, "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"media.ice\",\"params\":{}}",
           (int)id);
  say(k, conn, text);
  json_t *o = answer(k, conn, id), *r = json_incref(json_object_get(o, "result"));
  json_decref(o);
  return r;
}

static const char *user_of(const json_t *r) {
  return json_string_value(json_object_get(json_array_get(json_object_get(r, "servers"), 0), "username"));
}

static void test_who_gets_them(void **state) {
  struct kit *k = kit_make(NULL);
  (void)state;
  struct turn *t = open_turn("turn:relay.example,turns:relay.example:443", "0123456789abcdef", 900);
  control_relays(k->c, t);
  uint32_t stranger = open_conn(k, false);
  expect(k, stranger, 1, RPC(1, "media.ice", "{}"), "not_joined");
  uint32_t a = join(k, &k->host, "ann"), b = join(k, &k->guest, "bob");
  json_t *of_a = ice_of(k, a, 2), *of_b = ice_of(k, b, 2), *again = ice_of(k, a, 3);
  json_t *server = json_array_get(json_object_get(of_a, "servers"), 0),
         *urls = json_object_get(server, "urls");
  assert_int_equal(json_integer_value(json_object_get(of_a, "expires_s")), 900);
  assert_string_equal(json_string_value(json_array_get(urls, 0)), "turn:relay.example:3478?transport=udp");
  assert_string_equal(json_string_value(json_array_get(urls, 1)), "turns:relay.example:443?transport=tcp");
  int64_t until_s = strtoll(user_of(of_a), NULL, 10);
  assert_int_equal(until_s, (WALL + k->now / US_PER_MS) / 1000 + 900);
  assert_null(strstr(user_of(of_a), "ann")); /* the relay's log says nothing of whom or where */
  assert_null(strstr(user_of(of_a), "den"));
  assert_string_equal(user_of(of_a), user_of(again)); /* one name a seat, so that the relay's quota holds */
  assert_string_not_equal(user_of(of_a), user_of(of_b));
  expect(k, a, 4, RPC(4, "media.ice", "{\"ttl\":99999}"), "bad_argument");
  control_relays(k->c, NULL);
  json_t *none = ice_of(k, b, 5);
  assert_int_equal(json_array_size(json_object_get(none, "servers")), 0);
  json_decref(of_a), json_decref(of_b), json_decref(again), json_decref(none);
  kit_free(k);
  turn_close(t);
}

static void test_lobby_and_limit(void **state) {
  struct kit *k = kit_make(NULL);
  (void)state;
  struct turn *t = open_turn("turn:relay.example", "0123456789abcdef", 900);
  control_relays(k->c, t);
  uint32_t a = join(k, &k->host, "ann");
  expect(k, a, 2, RPC(2, "room.lobby", "{\"on\":true}"), "ok");
  uint32_t b = join(k, &k->guest, "bob");
  expect(k, b, 3, RPC(3, "media.ice", "{}"), "in_lobby");
  char got[48] = "ok";
  int times = 0;
  while (times < 100 && strcmp(got, "ok") == 0) {
    say(k, a, RPC(9, "media.ice", "{}"));
    code_of(answer(k, a, 9), got);
    times++;
  }
  assert_string_equal(got, "rate_limited");
  assert_int_equal(times - 1, LIMIT_BURST_RELAYS);
  assert_int_equal(k->c->count.limits[LIMIT_RELAYS], 1);
  tick(k, 60 * US_PER_S);
  expect(k, a, 10, RPC(10, "media.ice", "{}"), "ok");
  kit_free(k);
  turn_close(t);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_vectors), cmocka_unit_test(test_bad_settings),
                                     cmocka_unit_test(test_who_gets_them),
                                     cmocka_unit_test(test_lobby_and_limit)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
