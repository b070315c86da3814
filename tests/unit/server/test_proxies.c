/* proxies: X-Forwarded-For counts as far as our own proxies vouch for it, and no further. */
#include "core/server/proxies.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void the_client_is_whom_our_proxies_heard(void **state) {
  static const struct {
    const char *peer, *list, *client;
  } CASES[] = {{"203.0.113.9", "198.51.100.1", "203.0.113.9"}, /* no proxy: he may write what he likes */
               {"10.0.0.1", "198.51.100.1", "198.51.100.1"},
               {"10.0.0.1", "1.2.3.4, 198.51.100.1", "198.51.100.1"},
               {"10.0.0.1", "1.2.3.4,198.51.100.1 , 10.9.9.9", "198.51.100.1"},
               {"10.0.0.1", "10.0.0.2, 10.0.0.3", "10.0.0.2"},
               {"::1", "2001:db8::7", "2001:db8::7"},
               {"10.0.0.1", "", "10.0.0.1"},
               {"10.0.0.1", "198.51.100.1, rubbish", "10.0.0.1"},
               {"10.0.0.1", "198.51.100.1, [::1]:80, 10.0.0.2", "10.0.0.2"},
               {"10.0.0.1", "198.51.100.1,", "10.0.0.1"}};
  struct proxies p;
  char why[256];
  (void)state;
  assert_int_equal(proxies_read("10.0.0.0/8, ::1", &p, why), ERR_OK);
  assert_int_equal(p.n, 2);
  for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
    uint8_t addr[16], want[16];
    assert_true(addr_read(CASES[i].peer, strlen(CASES[i].peer), addr));
    assert_true(addr_read(CASES[i].client, strlen(CASES[i].client), want));
    proxies_client(&p, CASES[i].list, addr);
    if (memcmp(addr, want, 16) != 0)
      fail_msg("\"%s\" from %s is not for %s", CASES[i].list, CASES[i].peer, CASES[i].client);
  }
}

static void a_bad_list_is_refused(void **state) {
  static const char *const BAD[] = {"x", "10.0.0.0/8, x", "0.0.0.0/0", "::/0", "10.0.0.0/8/8", "10.0.0.1:80"};
  struct proxies p;
  char why[256], many[512] = "";
  (void)state;
  for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
    assert_int_equal(proxies_read(BAD[i], &p, why), ERR_BAD_CONFIG);
    assert_non_null(strstr(why, "[server] proxies"));
  }
  assert_int_equal(proxies_read("", &p, why), ERR_OK);
  assert_int_equal(p.n, 0);
  for (int i = 0; i < PROXIES_MAX; i++)
    snprintf(many + strlen(many), sizeof many - strlen(many), "10.0.0.%d ", i);
  assert_int_equal(proxies_read(many, &p, why), ERR_OK);
  assert_int_equal(p.n, PROXIES_MAX);
  strncat(many, "10.1.1.1", sizeof many - strlen(many) - 1);
  assert_int_equal(proxies_read(many, &p, why), ERR_BAD_CONFIG);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(the_client_is_whom_our_proxies_heard),
                                     cmocka_unit_test(a_bad_list_is_refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
