/* From which addresses one may enter; which of our own are announced. */
#include "tests/unit/access/apps_kit.h"

#include <arpa/inet.h>

static enum err may(struct kit *k, const char *app, const char *room, const char *from) {
  uint8_t addr[16] = {[10] = 0xff, [11] = 0xff};
  if (*from && inet_pton(AF_INET, from, addr + 12) != 1)
    assert_int_equal(inet_pton(AF_INET6, from, addr), 1);
  if (!*from)
    memset(addr, 0, sizeof addr);
  return access_address(k->a, app, room, addr);
}

static enum err allow(struct kit *k, const char *method, const char *where, const char *cidr) {
  return call(k, method, json_pack("{s:s,s:s}", "where", where, "cidr", cidr), NULL);
}

static void a_list_lets_in_whom_it_names(void **state) {
  struct kit *k = kit_make();
  (void)app_make(k, "blue");
  (void)state;
  assert_int_equal(may(k, "blue", "den", "192.0.2.9"), ERR_OK);
  assert_int_equal(allow(k, "allow.add", "blue", "192.0.2.77/24"), ERR_OK);
  assert_int_equal(allow(k, "allow.add", "blue", "192.0.2.0/24"),
                   ERR_EXISTS); /* one spelling for one block */
  assert_int_equal(allow(k, "allow.add", "blue", "2001:db8::/33"), ERR_OK);
  kit_restart(k);
  assert_int_equal(may(k, "blue", "den", "192.0.2.9"), ERR_OK);
  assert_int_equal(may(k, "blue", "den", "192.0.3.0"), ERR_ADDRESS);
  assert_int_equal(may(k, "blue", "den", "2001:db8:7fff::1"), ERR_OK);
  assert_int_equal(may(k, "blue", "den", "2001:db8:8000::1"), ERR_ADDRESS);
  assert_int_equal(may(k, "blue", "den", ""), ERR_ADDRESS);
  assert_int_equal(may(k, "", "den", "198.51.100.1"), ERR_OK); /* of one application only */
  assert_int_equal(allow(k, "allow.remove", "blue", "192.0.2.0/24"), ERR_OK);
  assert_int_equal(allow(k, "allow.remove", "blue", "192.0.2.0/24"), ERR_NO_CHANGE);
  assert_int_equal(may(k, "blue", "den", "192.0.2.9"), ERR_ADDRESS); /* the IPv6 rule is still there */
  assert_int_equal(allow(k, "allow.remove", "blue", "2001:db8::/33"), ERR_OK);
  assert_int_equal(may(k, "blue", "den", "192.0.2.9"), ERR_OK);
  kit_free(k);
}

static void a_room_may_be_stricter_than_its_application(void **state) {
  struct kit *k = kit_make();
  (void)app_make(k, "blue");
  (void)state;
  assert_int_equal(allow(k, "allow.add", "blue", "10.0.0.0/8"), ERR_OK);
  assert_int_equal(allow(k, "allow.add", "blue/den", "10.1.0.0/16"), ERR_OK);
  assert_int_equal(allow(k, "allow.add", "blue/den", "198.51.100.0/24"), ERR_OK);
  assert_int_equal(may(k, "blue", "den", "10.1.2.3"), ERR_OK);
  assert_int_equal(may(k, "blue", "den", "10.2.2.3"), ERR_ADDRESS);
  assert_int_equal(may(k, "blue", "hall", "10.2.2.3"), ERR_OK);
  assert_int_equal(may(k, "blue", "den", "198.51.100.7"), ERR_ADDRESS); /* never more than its application */
  assert_int_equal(allow(k, "allow.add", "/den", "127.0.0.1"), ERR_OK);
  assert_int_equal(may(k, "", "den", "127.0.0.2"), ERR_ADDRESS);
  assert_int_equal(may(k, "", "hall", "127.0.0.2"), ERR_OK);
  kit_free(k);
}

static void bad_rules_are_refused(void **state) {
  static const char *const BAD[] = {
      "",
      "10.0.0.0/33",
      "10.0.0.0/",
      "10.0.0/8",
      "10.0.0.0/-1",
      "10.0.0.0/8x",
      "::/129",
      "host/8",
      "10.0.0.0/0000000000000000000000000000000000000000000000000000000000000000001"};
  struct kit *k = kit_make();
  (void)app_make(k, "blue");
  (void)state;
  for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
    assert_int_equal(allow(k, "allow.add", "blue", BAD[i]), ERR_BAD_ARG);
  assert_int_equal(allow(k, "allow.add", "red", "10.0.0.0/8"), ERR_NO_APP);
  assert_int_equal(allow(k, "allow.add", "blue/A B", "10.0.0.0/8"), ERR_BAD_NAME);
  assert_int_equal(allow(k, "allow.add", "", "10.0.0.0/8"), ERR_BAD_ARG);
  assert_int_equal(may(k, "blue", "den", "192.0.2.9"), ERR_OK);
  kit_free(k);
}

static enum err plan(struct kit *k, const char *method, const char *cidr, const char *class, const char *from,
                     bool force) {
  return call(k, method,
              json_pack("{s:s,s:s,s:s,s:b}", "cidr", cidr, "class", class, "from", from, "force", force),
              NULL);
}

/* WALL is 2023-11-14, 22:13:20 UTC; 90 days later is 2024-02-12. */
static void changes_are_announced_90_days_ahead(void **state) {
  struct kit *k = kit_make();
  json_t *r;
  (void)state;
  assert_int_equal(plan(k, "ips.add", "203.0.113.0/24", "media", "2023-12-14", false), ERR_TOO_SOON);
  assert_int_equal(plan(k, "ips.add", "203.0.113.0/24", "media", "2024-02-12", false), ERR_TOO_SOON);
  assert_int_equal(plan(k, "ips.add", "203.0.113.0/24", "media", "2024-02-13", false), ERR_OK);
  assert_int_equal(plan(k, "ips.remove", "192.0.2.0/24", "turn", "2023-12-14", true), ERR_OK);
  kit_restart(k);
  assert_int_equal(call(k, "ips.planned", json_object(), &r), ERR_OK);
  json_t *list = json_object_get(r, "planned");
  assert_int_equal(json_array_size(list), 2);
  for (size_t i = 0; i < 2; i++) {
    bool added = strcmp(json_str(json_array_get(list, i), "change", ""), "added") == 0;
    assert_int_equal(json_int(json_array_get(list, i), "valid_from_ms", 0),
                     added ? INT64_C(1707782400000) : INT64_C(1702512000000));
  }
  json_decref(r);
  assert_int_equal(plan(k, "ips.remove", "203.0.113.0/24", "media", "", false), ERR_OK); /* taken back */
  assert_int_equal(call(k, "ips.planned", json_object(), &r), ERR_OK);
  assert_int_equal(json_array_size(json_object_get(r, "planned")), 1);
  json_decref(r);
  assert_int_equal(plan(k, "ips.add", "203.0.113.0/24", "video", "2030-01-01", false), ERR_BAD_ARG);
  assert_int_equal(plan(k, "ips.add", "203.0.113.0/24", "log", "2030-02-31", false), ERR_BAD_ARG);
  assert_int_equal(plan(k, "ips.add", "203.0.113.0/24", "log", "soon", true), ERR_BAD_ARG);
  kit_free(k);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_list_lets_in_whom_it_names),
      cmocka_unit_test(a_room_may_be_stricter_than_its_application),
      cmocka_unit_test(bad_rules_are_refused),
      cmocka_unit_test(changes_are_announced_90_days_ahead),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
