/* Addresses of relays: what RFC 7065 allows and what it does not. */
#include "core/wire/turn_uri.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static void test_good(void **state) {
  static const struct {
    const char *text, *full;
    enum turn_kind kind;
    const char *host;
    uint16_t port;
  } GOOD[] = {
      {"turn:relay.example", "turn:relay.example:3478?transport=udp", TURN_UDP, "relay.example", 3478},
      {"turn:relay.example:80?transport=udp", "turn:relay.example:80?transport=udp", TURN_UDP,
       "relay.example", 80},
      {"turn:192.0.2.7?transport=tcp", "turn:192.0.2.7:3478?transport=tcp", TURN_TCP, "192.0.2.7", 3478},
      {"turns:Relay.Example", "turns:relay.example:5349?transport=tcp", TURN_TLS, "relay.example", 5349},
      {"turns:relay.example:443?transport=tcp", "turns:relay.example:443?transport=tcp", TURN_TLS,
       "relay.example", 443},
      {"turn:[2001:db8::7]", "turn:[2001:db8::7]:3478?transport=udp", TURN_UDP, "2001:db8::7", 3478},
      {"turns:[2001:db8::7]:443", "turns:[2001:db8::7]:443?transport=tcp", TURN_TLS, "2001:db8::7", 443},
  };
  (void)state;
  for (size_t i = 0; i < sizeof GOOD / sizeof GOOD[0]; i++) {
    struct turn_uri u, again;
    const char *why;
    char text[TURN_URI_MAX];
    assert_int_equal(turn_uri_parse(GOOD[i].text, strlen(GOOD[i].text), &u, &why), ERR_OK);
    assert_int_equal(u.kind, GOOD[i].kind);
    assert_string_equal(u.host, GOOD[i].host);
    assert_int_equal(u.port, GOOD[i].port);
    turn_uri_format(&u, text);
    assert_string_equal(text, GOOD[i].full);
    assert_int_equal(turn_uri_parse(text, strlen(text), &again, &why), ERR_OK);
    assert_memory_equal(again.host, u.host, strlen(u.host) + 1);
  }
}

static void test_bad(void **state) {
  static const char *const BAD[] = {"",
                                    "turn:",
                                    "turns:",
                                    "stun:relay.example",
                                    "https://relay.example",
                                    "turn://relay.example",
                                    "turn:user@relay.example",
                                    "turn:relay.example:",
                                    "turn:relay.example:0",
                                    "turn:relay.example:65536",
                                    "turn:relay.example:34x",
                                    "turn:relay.example?transport=sctp",
                                    "turn:relay.example?transport=udp&x=1",
                                    "turns:relay.example?transport=udp",
                                    "turn:relay..example",
                                    "turn:-relay.example",
                                    "turn:relay example",
                                    "turn:[2001:db8::7",
                                    "turn:[relay.example]",
                                    "turn:2001:db8::7",
                                    "turn:relay.example:80#i=x",
                                    "turn:1.2.3",
                                    "turn:relay.example/j/den"};
  (void)state;
  struct turn_uri u;
  const char *why;
  for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
    if (turn_uri_parse(BAD[i], strlen(BAD[i]), &u, &why) == ERR_OK)
      fail_msg("taken: %s", BAD[i]);
    assert_true(strlen(why) > 10);
  }
  char longer[400] = "turn:";
  memset(longer + 5, 'a', sizeof longer - 6);
  assert_int_not_equal(turn_uri_parse(longer, strlen(longer), &u, &why), ERR_OK);
  assert_int_not_equal(turn_uri_parse("turn:a.example\0b", 16, &u, &why), ERR_OK);
  assert_int_equal(turn_uri_parse("turn:a.example,turn:b", 14, &u, &why), ERR_OK); /* n bytes and no more */
  assert_string_equal(u.host, "a.example");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_good), cmocka_unit_test(test_bad)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
