/* RTCP: a compound packet of aiortc 1.4.0, our builders against it, and broken ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/wire/rtp.h"

#include <string.h>

/* Serialised by aiortc: SR with one report, SDES CNAME, BYE. */
static const uint8_t AIO_COMPOUND[] = {
    0x81, 0xc8, 0x00, 0x0c, 0x6d, 0x24, 0x53, 0xea, 0xde, 0x46, 0x47, 0x5b, 0x15, 0x1a, 0x00, 0x5c,
    0x66, 0xa8, 0xdd, 0x3e, 0x00, 0x00, 0x01, 0x0d, 0x00, 0x00, 0x34, 0xf5, 0x8e, 0xf8, 0x91, 0xed,
    0x03, 0xff, 0xff, 0xfe, 0x00, 0x01, 0x02, 0x46, 0x00, 0x00, 0x00, 0x7f, 0xaa, 0xbb, 0xcc, 0xdd,
    0x00, 0x01, 0x00, 0x00, 0x81, 0xca, 0x00, 0x0c, 0x6d, 0x24, 0x53, 0xea, 0x01, 0x26, 0x7b, 0x36,
    0x33, 0x66, 0x34, 0x35, 0x39, 0x65, 0x61, 0x2d, 0x34, 0x31, 0x66, 0x65, 0x2d, 0x34, 0x34, 0x37,
    0x34, 0x2d, 0x39, 0x64, 0x33, 0x33, 0x2d, 0x39, 0x37, 0x30, 0x37, 0x63, 0x39, 0x65, 0x65, 0x37,
    0x39, 0x64, 0x31, 0x7d, 0x00, 0x00, 0x00, 0x00, 0x81, 0xcb, 0x00, 0x01, 0x6d, 0x24, 0x53, 0xea};
static const char CNAME[] = "{63f459ea-41fe-4474-9d33-9707c9ee79d1}";
enum { BYE_LEN = 8 };

static void walk(void **state) {
  (void)state;
  size_t pos = 0, len;
  const uint8_t *body;
  unsigned count;
  struct rtcp_report v[31];
  assert_int_equal(rtcp_next(AIO_COMPOUND, sizeof AIO_COMPOUND, &pos, &body, &len, &count), 200);
  assert_int_equal(count, 1);
  assert_int_equal(rtcp_reports(200, count, body, len, v, 31), 1);
  assert_true(v[0].from == 1831097322 && v[0].ssrc == 2398654957 && v[0].fraction_lost == 3);
  assert_int_equal(v[0].lost, -2);
  assert_true(v[0].highest_seq == 0x10246 && v[0].jitter == 127 && v[0].lsr == 0xaabbccdd &&
              v[0].dlsr == 65536);
  assert_int_equal(rtcp_reports(200, count, body, len, v, 0), 0);
  uint32_t from;
  uint64_t ntp;
  assert_true(rtcp_sender_ntp(200, body, len, &from, &ntp));
  assert_true(from == 1831097322 && ntp == UINT64_C(16016567581311369308));
  assert_false(rtcp_sender_ntp(201, body, len, &from, &ntp));
  assert_false(rtcp_sender_ntp(200, body, 23, &from, &ntp));
  assert_int_equal(rtcp_next(AIO_COMPOUND, sizeof AIO_COMPOUND, &pos, &body, &len, &count), 202);
  assert_int_equal(rtcp_reports(202, count, body, len, v, 31), 0);
  assert_int_equal(rtcp_next(AIO_COMPOUND, sizeof AIO_COMPOUND, &pos, &body, &len, &count), 203);
  assert_int_equal(len, 4);
  assert_int_equal(rtcp_next(AIO_COMPOUND, sizeof AIO_COMPOUND, &pos, &body, &len, &count), 0);
  assert_int_equal(pos, sizeof AIO_COMPOUND);
}

/* From the same values our builder makes the same bytes. */
static void build_sr(void **state) {
  (void)state;
  const struct rtcp_report v = {.ssrc = 2398654957,
                                .fraction_lost = 3,
                                .lost = -2,
                                .highest_seq = 0x10246,
                                .jitter = 127,
                                .lsr = 0xaabbccdd,
                                .dlsr = 65536};
  uint8_t out[256];
  size_t n = rtcp_build_sr(out, sizeof out, 1831097322, UINT64_C(16016567581311369308), 1722342718, 269,
                           13557, &v, 1, CNAME);
  assert_int_equal(n, sizeof AIO_COMPOUND - BYE_LEN);
  assert_memory_equal(out, AIO_COMPOUND, n);
  for (size_t cap = 0; cap < n; cap++)
    assert_int_equal(rtcp_build_sr(out, cap, 1, 2, 3, 4, 5, &v, 1, CNAME), 0);
}

static void build_rr(void **state) {
  (void)state;
  struct rtcp_report v[31] = {{0}}, back[31];
  uint8_t out[1200];
  for (unsigned i = 0; i < 31; i++)
    v[i] = (struct rtcp_report){.ssrc = i, .from = 77, .lost = (int32_t)i - 15};
  v[0].lost = INT32_MAX;
  v[1].lost = INT32_MIN;
  static const char cname[] = "abcde";
  for (size_t c = 0; c < sizeof cname; c++) {
    size_t n = rtcp_build_rr(out, sizeof out, 77, v, 31, cname + c), pos = 0, len;
    unsigned count;
    const uint8_t *body;
    assert_int_equal(n % 4, 0);
    assert_int_equal(rtcp_next(out, n, &pos, &body, &len, &count), 201);
    assert_int_equal(rtcp_reports(201, count, body, len, back, 31), 31);
    assert_int_equal(back[0].lost, 0x7fffff);
    assert_int_equal(back[1].lost, -0x800000);
    assert_true(back[30].ssrc == 30 && back[30].from == 77 && back[30].lost == 15 && back[2].lost == -13);
    uint8_t again[1200];
    assert_int_equal(rtcp_build_rr(again, sizeof again, 77, back, 31, cname + c), n);
    assert_memory_equal(again, out, n);
    assert_int_equal(rtcp_next(out, n, &pos, &body, &len, &count), 202);
    assert_int_equal(body[5], 5 - c);
    assert_memory_equal(body + 6, cname + c, 5 - c);
    assert_int_equal(body[len - 1], 0); /* the item list is ended */
    assert_int_equal(pos, n);
  }
  assert_int_equal(rtcp_build_rr(out, sizeof out, 77, NULL, 0, "x"), 8 + 4 + 4 + 4);
}

static unsigned first(const char *p, size_t n, size_t *len, unsigned *count, const uint8_t **body) {
  size_t pos = 0;
  unsigned type = rtcp_next((const uint8_t *)p, n, &pos, body, len, count);
  assert_true(type ? pos <= n && pos >= 4 : pos == 0);
  return type;
}

static void broken(void **state) {
  (void)state;
  size_t n;
  unsigned count;
  const uint8_t *body;
  struct rtcp_report v[31];
  assert_int_equal(first("", 0, &n, &count, &body), 0);
  assert_int_equal(first("\x80\xc9\x00", 3, &n, &count, &body), 0);
  assert_int_equal(first("\x80\xc9\x00\x02\0\0\0\1", 8, &n, &count, &body), 0); /* longer than the packet */
  assert_int_equal(first("\x40\xc9\x00\x01\0\0\0\1", 8, &n, &count, &body), 0); /* version 1 */
  assert_int_equal(first("\x80\x6f\x00\x01\0\0\0\1", 8, &n, &count, &body), 0); /* not RTCP */
  assert_int_equal(first("\xa0\xc9\x00\x02\0\0\0\1\0\0\0\4", 12, &n, &count, &body), 201);
  assert_int_equal(n, 4); /* padding taken off */
  assert_int_equal(first("\xa0\xc9\x00\x02\0\0\0\1\0\0\0\0", 12, &n, &count, &body), 0);
  assert_int_equal(first("\xa0\xc9\x00\x02\0\0\0\1\0\0\0\3", 12, &n, &count, &body), 0);
  assert_int_equal(first("\xa0\xc9\x00\x02\0\0\0\1\0\0\0\x0c", 12, &n, &count, &body), 0);
  assert_int_equal(first("\xa0\xc9\x00\x00", 4, &n, &count, &body), 0);
  /* 31 blocks announced, none there */
  assert_int_equal(first("\x9f\xc9\x00\x01\0\0\0\1", 8, &n, &count, &body), 201);
  assert_int_equal(rtcp_reports(201, count, body, n, v, 31), 0);
  assert_int_equal(first("\x80\xc8\x00\x01\0\0\0\1", 8, &n, &count, &body), 200); /* SR without sender info */
  assert_int_equal(rtcp_reports(200, count, body, n, v, 31), 0);
  assert_int_equal(first("\x80\xc9\x00\x00", 4, &n, &count, &body), 201);
  assert_int_equal(rtcp_reports(201, count, body, n, v, 31), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(walk), cmocka_unit_test(build_sr),
                                     cmocka_unit_test(build_rr), cmocka_unit_test(broken)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
