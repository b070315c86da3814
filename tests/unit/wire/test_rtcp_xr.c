/* RTCP XR VoIP metrics: bytes laid out by hand after RFC 3611 section 4.7, blocks of other kinds around it,
 * and broken ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/wire/rtcp_xr.h"
#include "core/wire/rtp.h"

#include <string.h>

/* One row of the RFC's drawing each. */
static const uint8_t PACKET[RTCP_XR_VOIP_LEN] = {
    0x80, 207,  0,    10,   /* XR, 11 words */
    0x01, 0x02, 0x03, 0x04, /* who reports */
    7,    0,    0,    8,    /* VoIP metrics, 8 words */
    0xaa, 0xbb, 0xcc, 0xdd, /* about whom */
    26,   13,   255,  0,    /* loss 10 %, discard 5 %, densities of bursts and gaps */
    0,    45,   0x02, 0x58, /* bursts of 45 ms, gaps of 600 ms */
    0,    80,   0,    0,    /* round trip 80 ms, end system not known */
    127,  127,  127,  1,    /* signal, noise, echo not known; Gmin 1 */
    127,  127,  38,   127,  /* R, external R, MOS-LQ 3.8, MOS-CQ */
    0xb8, 0,    0,    60,   /* conceals well, adapts fast; buffer 60 ms ... */
    0,    60,   0,    60};  /* ... its bounds */
static const struct rtcp_voip SAME = {.ssrc = 0xaabbccdd,
                                      .from = 0x01020304,
                                      .loss = 26,
                                      .discard = 13,
                                      .burst_ms = 45,
                                      .gap_ms = 600,
                                      .burst_density = 255,
                                      .gmin = 1,
                                      .rtt_ms = 80,
                                      .mos_lq = 38,
                                      .buffer_ms = 60};

static void same(const struct rtcp_voip *a, const struct rtcp_voip *b) {
  assert_true(a->ssrc == b->ssrc && a->from == b->from && a->loss == b->loss && a->discard == b->discard);
  assert_true(a->burst_ms == b->burst_ms && a->gap_ms == b->gap_ms && a->rtt_ms == b->rtt_ms);
  assert_true(a->burst_density == b->burst_density && a->gmin == b->gmin && a->mos_lq == b->mos_lq);
  assert_int_equal(a->buffer_ms, b->buffer_ms);
}

static void read(void **state) {
  (void)state;
  size_t pos = 0, len;
  const uint8_t *body;
  unsigned count;
  struct rtcp_voip v;
  assert_int_equal(rtcp_next(PACKET, sizeof PACKET, &pos, &body, &len, &count), RTCP_XR);
  assert_true(rtcp_xr_voip(body, len, 0xaabbccdd, &v));
  same(&v, &SAME);
  assert_false(rtcp_xr_voip(body, len, 0xaabbccde, &v)); /* about somebody else */
  for (size_t n = 0; n < len; n++)
    assert_false(rtcp_xr_voip(body, n, 0xaabbccdd, &v));
}

static void build(void **state) {
  (void)state;
  uint8_t out[RTCP_XR_VOIP_LEN + 4];
  assert_int_equal(rtcp_xr_build(out, sizeof out, &SAME), RTCP_XR_VOIP_LEN);
  assert_memory_equal(out, PACKET, sizeof PACKET);
  for (size_t cap = 0; cap < RTCP_XR_VOIP_LEN; cap++)
    assert_int_equal(rtcp_xr_build(out, cap, &SAME), 0);
  struct rtcp_voip none = SAME;
  none.buffer_ms = 0; /* the server has none: it says nothing of adapting */
  assert_int_equal(rtcp_xr_build(out, sizeof out, &none), RTCP_XR_VOIP_LEN);
  assert_int_equal(out[36], 0x80);
}

/* Blocks of other types are stepped over, also an empty one; a length that runs over ends it. */
static void among_others(void **state) {
  (void)state;
  uint8_t body[128] = {1, 2, 3, 4, /**/ 4, 0, 0, 2, 9, 9, 9, 9, 9, 9, 9, 9, /**/ 99, 0, 0, 0};
  struct rtcp_voip v;
  memcpy(body + 20, PACKET + 8, 36);
  assert_true(rtcp_xr_voip(body, 56, 0xaabbccdd, &v));
  assert_true(v.loss == 26 && v.from == 0x01020304);
  memcpy(body + 56, PACKET + 8, 36); /* two of them: each finds his own */
  body[59 + 4] = 0xde;
  body[60 + 4] = 99;
  assert_true(rtcp_xr_voip(body, 92, 0xaabbccde, &v));
  assert_int_equal(v.loss, 99);
  body[7] = 200; /* the first block claims more than there is */
  assert_false(rtcp_xr_voip(body, 92, 0xaabbccdd, &v));
}

static void broken(void **state) {
  (void)state;
  uint8_t body[64];
  struct rtcp_voip v;
  memcpy(body, PACKET + 4, 40);
  body[7] = 7; /* a word less than the RFC says */
  assert_false(rtcp_xr_voip(body, 40, 0xaabbccdd, &v));
  memcpy(body, PACKET + 4, 40);
  memset(body + 40, 0, 4);
  body[7] = 9; /* a word more */
  assert_false(rtcp_xr_voip(body, 44, 0xaabbccdd, &v));
  memcpy(body, PACKET + 4, 40);
  static const uint8_t RESERVED[] = {0, 9, 51, 126, 255}; /* values of MOS */
  for (size_t i = 0; i < sizeof RESERVED; i++) {
    body[30] = RESERVED[i];
    assert_true(rtcp_xr_voip(body, 40, 0xaabbccdd, &v));
    assert_int_equal(v.mos_lq, RTCP_XR_UNKNOWN);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(read), cmocka_unit_test(build),
                                     cmocka_unit_test(among_others), cmocka_unit_test(broken)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
