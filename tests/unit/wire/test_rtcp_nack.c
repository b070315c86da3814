/* The generic NACK of RFC 4585: what was asked for comes back from the reader, and nothing else does. */
#include "core/wire/rtcp_nack.h"
#include "core/wire/rtp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void round_trip(void **state) {
  (void)state;
  const uint16_t one[] = {7}, run[] = {65530, 65531, 65535, 0, 9, 10, 11, 27, 300};
  uint8_t out[64];
  uint16_t v[RTCP_NACK_MAX];
  assert_int_equal(rtcp_build_nack(out, sizeof out, 1, 2, one, 1), 16);
  assert_int_equal(rtcp_nacks(out, 16, 2, v, RTCP_NACK_MAX), 1);
  assert_int_equal(v[0], 7);
  size_t n = rtcp_build_nack(out, sizeof out, 1, 2, run, 9);
  assert_int_equal(n, 12 + 3 * 4); /* 65530 and 16 after it reach 10, 11 reaches 27, and 300 */
  assert_int_equal(rtcp_nacks(out, n, 2, v, RTCP_NACK_MAX), 9);
  assert_memory_equal(v, run, sizeof run);
  assert_int_equal(rtcp_nacks(out, n, 2, v, 5), 5);
  assert_int_equal(rtcp_nacks(out, n, 1, v, RTCP_NACK_MAX), 0); /* of another stream */
  for (size_t cap = 0; cap < n; cap++)
    assert_int_equal(rtcp_build_nack(out, cap, 1, 2, run, 9), 0);
}

/* Bytes of RFC 4585 written by hand: V 2, FMT 1, PT 205; sender, media source, PID 0x1234, BLP 0x8001. */
static void by_hand(void **state) {
  (void)state;
  uint8_t p[] = {0x81, 205, 0, 3, 0, 0, 0, 9, 0, 0, 0, 5, 0x12, 0x34, 0x80, 0x01};
  uint16_t v[RTCP_NACK_MAX];
  assert_int_equal(rtcp_nacks(p, sizeof p, 5, v, RTCP_NACK_MAX), 3);
  assert_int_equal(v[0], 0x1234);
  assert_int_equal(v[1], 0x1235);
  assert_int_equal(v[2], 0x1244);
  for (size_t n = 0; n < sizeof p; n++)
    assert_int_equal(rtcp_nacks(p, n, 5, v, RTCP_NACK_MAX), 0);
  p[0] = 0x8f; /* transport-cc */
  assert_int_equal(rtcp_nacks(p, sizeof p, 5, v, RTCP_NACK_MAX), 0);
  p[0] = 0x81;
  p[1] = 206; /* PLI */
  assert_int_equal(rtcp_nacks(p, sizeof p, 5, v, RTCP_NACK_MAX), 0);
}

static void behind_a_report(void **state) {
  (void)state;
  uint8_t out[128];
  const uint16_t asked[] = {40, 41};
  uint16_t v[RTCP_NACK_MAX];
  size_t n = rtcp_build_rr(out, sizeof out, 1, NULL, 0, "name");
  n += rtcp_build_nack(out + n, sizeof out - n, 1, 2, asked, 2);
  assert_int_equal(rtcp_nacks(out, n, 2, v, RTCP_NACK_MAX), 2);
  assert_int_equal(v[1], 41);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(round_trip), cmocka_unit_test(by_hand),
                                     cmocka_unit_test(behind_a_report)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
