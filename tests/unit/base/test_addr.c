/* addr: blocks in their one spelling, and which addresses they hold. */
#include "core/base/addr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void blocks_are_read(void **state) {
  static const struct {
    const char *text, *again;
    bool alone, wide;
  } GOOD[] = {{"192.0.2.77", "192.0.2.77/32", true, false},
              {"192.0.2.77/24", "192.0.2.0/24", false, false},
              {"0.0.0.0/0", "0.0.0.0/0", false, true},
              {"10.0.0.0/7", "10.0.0.0/7", false, true},
              {"10.0.0.0/8", "10.0.0.0/8", false, false},
              {"2001:DB8:0::1", "2001:db8::1/128", true, false},
              {"2001:db8:ffff::/33", "2001:db8:8000::/33", false, false},
              {"2001:db8::/31", "2001:db8::/31", false, true},
              {"::ffff:192.0.2.77", "192.0.2.77/32", true, false},
              {"::ffff:192.0.2.77/120", "192.0.2.0/24", false, false},
              {"::/1", "::/1", false, true}};
  (void)state;
  for (size_t i = 0; i < sizeof GOOD / sizeof GOOD[0]; i++) {
    struct cidr c, same;
    char text[CIDR_TEXT_MAX];
    bool alone, no;
    if (!cidr_read(GOOD[i].text, &c, &alone))
      fail_msg("%s is refused", GOOD[i].text);
    assert_int_equal(alone, GOOD[i].alone);
    assert_int_equal(cidr_is_wide(&c), GOOD[i].wide);
    cidr_text(&c, text);
    assert_string_equal(text, GOOD[i].again);
    assert_true(cidr_read(text, &same, &no) && memcmp(&same, &c, sizeof c) == 0);
  }
}

static void what_is_no_block_is_refused(void **state) {
  static const char *const BAD[] = {"",
                                    "/8",
                                    "10.0.0.0/",
                                    "10.0.0.0/33",
                                    "10.0.0.0/-1",
                                    "10.0.0.0/+8",
                                    "10.0.0.0/ 8",
                                    "10.0.0.0/8x",
                                    "10.0.0.0/8/8",
                                    "10.0.0.0/0008",
                                    "10.0.0/8",
                                    "010.0.0.0/8",
                                    "::/0",
                                    "::ffff:192.0.2.1/95",
                                    "::/129",
                                    "fe80::1%eth0/64",
                                    "[::1]/64",
                                    "host.example/8",
                                    "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0001/64"};
  struct cidr c;
  bool alone;
  (void)state;
  for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
    if (cidr_read(BAD[i], &c, &alone))
      fail_msg("\"%s\" is taken", BAD[i]);
}

static bool holds(const char *block, const char *addr) {
  struct cidr c;
  bool alone;
  uint8_t a[16] = {0};
  assert_true(cidr_read(block, &c, &alone));
  assert_true(!*addr || addr_read(addr, strlen(addr), a));
  return cidr_holds(&c, a);
}

static void blocks_hold_what_they_say(void **state) {
  (void)state;
  assert_true(holds("192.0.2.0/25", "192.0.2.127"));
  assert_false(holds("192.0.2.0/25", "192.0.2.128"));
  assert_true(holds("0.0.0.0/0", "203.0.113.5"));
  assert_false(holds("0.0.0.0/0", "2001:db8::1"));
  assert_true(holds("2001:db8:8000::/33", "2001:db8:ffff::1"));
  assert_false(holds("2001:db8:8000::/33", "2001:db8:7fff::1"));
  assert_false(holds("::/32", "192.0.2.1")); /* though ::ffff:192.0.2.1 lies inside */
  assert_false(holds("::/32", ""));          /* not known */
  assert_true(holds("::1", "::1"));
  struct cidr none = {.bits = 0};
  uint8_t one[16] = {[15] = 1};
  assert_false(cidr_holds(&none, one));
}

static void hosts_and_networks(void **state) {
  uint8_t v4[16], v6[16], none[16] = {0};
  (void)state;
  assert_true(addr_read("192.0.2.1xx", 9, v4) && addr_is_v4(v4) && addr_network(v4) == 16);
  assert_true(addr_read("2001:db8::1", 11, v6) && !addr_is_v4(v6) && addr_network(v6) == 8);
  assert_true(addr_known(v4) && addr_known(v6) && !addr_known(none));
  assert_false(addr_read("192.0.2.1", 8, v4) && v4[15] == 1);
  assert_false(addr_read("1.2.3.4\0", 8, v4));
  struct cidr net = cidr_make(v6, 64);
  assert_true(cidr_holds(&net, v6) && net.addr[15] == 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(blocks_are_read), cmocka_unit_test(what_is_no_block_is_refused),
      cmocka_unit_test(blocks_hold_what_they_say), cmocka_unit_test(hosts_and_networks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
