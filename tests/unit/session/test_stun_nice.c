/* Our STUN against libnice's, both directions: each must accept what the other built, and refuse a wrong
 * password. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/wire/stun.h"

#include <arpa/inet.h>
#include <string.h>
#include <stun/stunagent.h>
#include <stun/usages/ice.h>

static uint8_t PASSWORD[] = "correcthorsebatterystaple";
static const char USERNAME[] = "srv1:cli2";
static const uint8_t TID[12] = "abcdefghijkl";

static bool give_password(StunAgent *agent, StunMessage *m, uint8_t *name, uint16_t name_len,
                          uint8_t **password, size_t *password_len, void *user) {
  (void)agent, (void)m;
  if (name_len != strlen(USERNAME) || memcmp(name, USERNAME, name_len) != 0)
    return false;
  *password = user;
  *password_len = strlen(user);
  return true;
}

static void agent_init(StunAgent *a) {
  static const uint16_t known[] = {STUN_ATTRIBUTE_USERNAME,       STUN_ATTRIBUTE_MESSAGE_INTEGRITY,
                                   STUN_ATTRIBUTE_ERROR_CODE,     STUN_ATTRIBUTE_XOR_MAPPED_ADDRESS,
                                   STUN_ATTRIBUTE_PRIORITY,       STUN_ATTRIBUTE_USE_CANDIDATE,
                                   STUN_ATTRIBUTE_ICE_CONTROLLED, STUN_ATTRIBUTE_ICE_CONTROLLING,
                                   STUN_ATTRIBUTE_FINGERPRINT,    0};
  stun_agent_init(a, known, STUN_COMPATIBILITY_RFC5389,
                  STUN_AGENT_USAGE_SHORT_TERM_CREDENTIALS | STUN_AGENT_USAGE_USE_FINGERPRINT);
}

static struct sockaddr_storage source(bool v6) {
  struct sockaddr_storage ss = {0};
  struct sockaddr_in *a4 = (struct sockaddr_in *)&ss;
  struct sockaddr_in6 *a6 = (struct sockaddr_in6 *)&ss;
  if (v6) {
    *a6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(40001)};
    assert_int_equal(inet_pton(AF_INET6, "2001:db8::99", &a6->sin6_addr), 1);
  } else {
    *a4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(40000)};
    assert_int_equal(inet_pton(AF_INET, "198.51.100.7", &a4->sin_addr), 1);
  }
  return ss;
}

static void assert_same_address(const struct sockaddr_storage *got, bool v6) {
  struct sockaddr_storage want = source(v6);
  assert_memory_equal(got, &want, v6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in));
}

/* libnice asks, we answer, libnice takes the answer. */
static void we_answer(bool v6) {
  StunAgent agent;
  StunMessage msg;
  uint8_t buf[1500], out[STUN_MAX];
  agent_init(&agent);
  size_t n = stun_usage_ice_conncheck_create(&agent, &msg, buf, sizeof buf, (const uint8_t *)USERNAME,
                                             strlen(USERNAME), PASSWORD, strlen((char *)PASSWORD), true, true,
                                             4711, UINT64_C(0x1122334455667788), "1",
                                             STUN_USAGE_ICE_COMPATIBILITY_RFC5245);
  assert_true(n > 0);
  struct stun s;
  assert_int_equal(stun_parse(buf, n, &s), ERR_OK);
  assert_true(stun_check(buf, n, &s, (char *)PASSWORD));
  assert_false(stun_check(buf, n, &s, "incorrecthorse"));
  assert_true(s.request && s.use_candidate && s.controlling && s.priority == 4711);
  assert_true(s.tie_breaker == UINT64_C(0x1122334455667788));
  assert_int_equal(s.username_len, strlen(USERNAME));
  struct sockaddr_storage from = source(v6), mapped;
  size_t len = stun_build_success(out, sizeof out, s.tid, (struct sockaddr *)&from, (char *)PASSWORD);
  StunMessage reply;
  assert_int_equal(stun_agent_validate(&agent, &reply, out, len, NULL, NULL), STUN_VALIDATION_SUCCESS);
  socklen_t mapped_len = sizeof mapped;
  assert_int_equal(
      stun_usage_ice_conncheck_process(&reply, &mapped, &mapped_len, STUN_USAGE_ICE_COMPATIBILITY_RFC5245),
      STUN_USAGE_ICE_RETURN_SUCCESS);
  assert_same_address(&mapped, v6);
}

/* We ask, libnice answers, we take the answer. */
static void we_ask(bool v6) {
  StunAgent agent;
  StunMessage req, reply;
  uint8_t buf[STUN_MAX], out[1500];
  agent_init(&agent);
  size_t n = stun_build_request(buf, sizeof buf, TID, USERNAME, (char *)PASSWORD, true, 9, 1845501695, true);
  uint8_t wrong[] = "wrong";
  assert_int_not_equal(stun_agent_validate(&agent, &req, buf, n, give_password, wrong),
                       STUN_VALIDATION_SUCCESS);
  assert_int_equal(stun_agent_validate(&agent, &req, buf, n, give_password, PASSWORD),
                   STUN_VALIDATION_SUCCESS);
  assert_true(stun_usage_ice_conncheck_use_candidate(&req));
  assert_int_equal(stun_usage_ice_conncheck_priority(&req), 1845501695);
  struct sockaddr_storage from = source(v6);
  size_t len = sizeof out;
  bool control = false;
  assert_int_equal(stun_usage_ice_conncheck_create_reply(&agent, &req, &reply, out, &len, &from, sizeof from,
                                                         &control, 5, STUN_USAGE_ICE_COMPATIBILITY_RFC5245),
                   STUN_USAGE_ICE_RETURN_SUCCESS);
  struct stun s;
  assert_int_equal(stun_parse(out, len, &s), ERR_OK);
  assert_true(s.success && s.has_mapped && stun_check(out, len, &s, (char *)PASSWORD));
  assert_memory_equal(s.tid, TID, sizeof TID);
  assert_same_address(&s.mapped, v6);
}

/* Both sides claim the same role with the larger tie-breaker on libnice's: it answers 487, and we can say 487
 * too. */
static void role_conflict(void **state) {
  (void)state;
  StunAgent agent;
  StunMessage req, reply, taken;
  uint8_t buf[STUN_MAX], out[1500];
  agent_init(&agent);
  size_t n = stun_build_request(buf, sizeof buf, TID, USERNAME, (char *)PASSWORD, true, 1, 100, false);
  assert_int_equal(stun_agent_validate(&agent, &req, buf, n, give_password, PASSWORD),
                   STUN_VALIDATION_SUCCESS);
  struct sockaddr_storage from = source(false);
  size_t len = sizeof out;
  bool control = true;
  stun_usage_ice_conncheck_create_reply(&agent, &req, &reply, out, &len, &from, sizeof from, &control,
                                        UINT64_MAX, STUN_USAGE_ICE_COMPATIBILITY_RFC5245);
  struct stun s;
  assert_int_equal(stun_parse(out, len, &s), ERR_OK);
  assert_true(s.error && stun_check(out, len, &s, (char *)PASSWORD));
  assert_int_equal(s.error_code, 487);

  n = stun_usage_ice_conncheck_create(&agent, &req, out, sizeof out, (const uint8_t *)USERNAME,
                                      strlen(USERNAME), PASSWORD, strlen((char *)PASSWORD), false, true, 1, 2,
                                      "1", STUN_USAGE_ICE_COMPATIBILITY_RFC5245);
  assert_int_equal(stun_parse(out, n, &s), ERR_OK);
  len = stun_build_error(buf, sizeof buf, s.tid, 487, (char *)PASSWORD);
  assert_int_equal(stun_agent_validate(&agent, &taken, buf, len, NULL, NULL), STUN_VALIDATION_SUCCESS);
  int code = 0;
  assert_int_equal(stun_message_find_error(&taken, &code), STUN_MESSAGE_RETURN_SUCCESS);
  assert_int_equal(code, 487);
}

static void answers(void **state) {
  (void)state;
  we_answer(false);
  we_answer(true);
}

static void asks(void **state) {
  (void)state;
  we_ask(false);
  we_ask(true);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(answers), cmocka_unit_test(asks),
                                     cmocka_unit_test(role_conflict)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
