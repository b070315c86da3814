/* What two ends of a line tell each other: loss and its bursts as counted here, the peer's view of what we
 * sent, and what goes on the wire when nothing is known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/media/rtpstat.h"
#include "core/wire/rtcp_xr.h"
#include "core/wire/rtp.h"

#include <string.h>

#define FRAME 960
#define FRAME_US 20000
#define A 0x11111111 /* SSRCs of the two ends */
#define B 0x22222222

struct line {
  struct rtpstat s;
  us_t now;
  uint16_t seq;
  uint32_t ts;
};

/* The next n packets of a pattern: '1' came, '0' was lost. */
static void run(struct line *l, const char *pattern, unsigned times) {
  while (times--)
    for (const char *p = pattern; *p; p++) {
      if (*p == '1')
        rtpstat_received(&l->s, l->now, l->seq, l->ts);
      l->seq++;
      l->ts += FRAME;
      l->now += FRAME_US;
    }
}

static size_t report(struct line *l, uint8_t out[256]) {
  return rtpstat_report(&l->s, l->now, A, B, "x", out, 256);
}

/* The XR block of a report about B, or false. */
static bool voip_of(const uint8_t *p, size_t n, struct rtcp_voip *v) {
  size_t pos = 0, len;
  const uint8_t *body;
  unsigned type, count, place = 0;
  while ((type = rtcp_next(p, n, &pos, &body, &len, &count))) {
    if (type == RTCP_XR && rtcp_xr_voip(body, len, B, v)) {
      assert_int_equal(place, 2); /* after RR and SDES: RFC 3550 6.1 wants those first */
      return true;
    }
    place++;
  }
  assert_int_equal(pos, n);
  return false;
}

static void clean(void **state) {
  (void)state;
  struct line l = {.seq = 65500, .now = US_PER_S};
  uint8_t out[256];
  struct rtcp_voip v;
  l.s.here.known = true;
  run(&l, "1", 250); /* over the turn of the sequence number */
  assert_true(voip_of(out, report(&l, out), &v));
  assert_true(v.loss == 0 && v.discard == 0 && v.burst_ms == 0 && v.burst_density == 0 && v.mos_lq == 44);
  assert_int_equal(v.from, A);
  assert_true(l.s.here.loss_pct == 0 && l.s.here.mos == 44);
}

/* A fifth lost: by ones, and by runs of four. Same loss, longer bursts, a worse opinion. */
static void bursts(void **state) {
  (void)state;
  uint8_t out[256], mos_single;
  struct rtcp_voip v;
  struct line l = {.now = US_PER_S};
  l.s.here = (struct rtpstat_ear){.known = true, .concealed_pct = 10, .buffer_ms = 70};
  run(&l, "11011", 50);
  assert_true(voip_of(out, report(&l, out), &v));
  assert_in_range(l.s.here.loss_pct, 19, 20);
  assert_int_equal(l.s.here.burst_ms, 20);
  assert_true(v.burst_ms == 20 && v.gap_ms == 80 && v.gmin == 1 && v.burst_density == 255);
  assert_int_equal(v.loss + v.discard, 25); /* 10 % of 256 was heard, less than was lost: so none was late */
  assert_int_equal(v.discard, 0);
  assert_int_equal(v.buffer_ms, 70);
  mos_single = l.s.here.mos;
  l = (struct line){.now = US_PER_S};
  l.s.here = (struct rtpstat_ear){.known = true, .concealed_pct = 10};
  run(&l, "11111111110000111111", 13);
  report(&l, out);
  assert_in_range(l.s.here.loss_pct, 19, 20);
  assert_int_equal(l.s.here.burst_ms, 80);
  assert_true(l.s.here.mos < mos_single);
}

/* More was made up than lost on the way: the rest came too late. */
static void late(void **state) {
  (void)state;
  struct line l = {.now = US_PER_S};
  uint8_t out[256];
  struct rtcp_voip v;
  l.s.here = (struct rtpstat_ear){.known = true, .concealed_pct = 50};
  run(&l, "1111011111", 25);
  assert_true(voip_of(out, report(&l, out), &v));
  assert_in_range(v.loss, 23, 26);
  assert_int_equal(v.loss + v.discard, 128);
  l.s.here.concealed_pct = 100; /* does not run over a byte */
  run(&l, "1", 50);
  assert_true(voip_of(out, report(&l, out), &v));
  assert_true(v.loss == 0 && v.discard == 255);
}

/* Out of order is not lost; twice is not twice. */
static void reordered(void **state) {
  (void)state;
  struct line l = {.now = US_PER_S};
  uint8_t out[256];
  for (unsigned i = 0; i < 300; i++) { /* 1 0 3 2 5 4 ... */
    uint16_t seq = (uint16_t)(i ^ 1);
    rtpstat_received(&l.s, l.now += FRAME_US, seq, seq * (uint32_t)FRAME);
  }
  rtpstat_received(&l.s, l.now, 299, 299u * FRAME);
  report(&l, out);
  assert_true(l.s.here.loss_pct == 0 && l.s.here.burst_ms == 0);
  struct line far = {.now = US_PER_S};
  run(&far, "1", 100);
  far.seq += 20000; /* a stream that began anew is no loss of six minutes */
  run(&far, "1", 100);
  report(&far, out);
  assert_int_equal(far.s.here.burst_ms, 0);
}

/* Longer packets make longer bursts; a pause in time alone is none. */
static void lengths(void **state) {
  (void)state;
  struct line l = {.now = US_PER_S};
  uint8_t out[256];
  for (unsigned i = 0; i < 60; i++) {
    if (i % 10 != 4)
      rtpstat_received(&l.s, l.now, l.seq, l.ts);
    l.seq++;
    l.ts += i == 30 ? 400 * 48 : 60 * 48; /* DTX */
    l.now += 60 * US_PER_MS;
  }
  report(&l, out);
  assert_int_equal(l.s.here.burst_ms, 60);
}

/* No block when the owner knows nothing, nor in an interval in which nothing came. */
static void silence_is_free(void **state) {
  (void)state;
  struct line l = {.now = US_PER_S};
  uint8_t out[256];
  struct rtcp_voip v;
  run(&l, "1", 50);
  size_t n = report(&l, out), plain = n;
  assert_false(voip_of(out, n, &v));
  l.s.here.known = true;
  n = report(&l, out);
  assert_int_equal(n, plain);
  assert_false(voip_of(out, n, &v));
  run(&l, "1", 1);
  assert_int_equal(report(&l, out), plain + RTCP_XR_VOIP_LEN);
  struct line none = {.now = US_PER_S}; /* nothing ever came */
  none.s.here.known = true;
  n = report(&none, out);
  assert_true(n > 0 && n < plain && !voip_of(out, n, &v));
}

/* The codec's own share of the opinion: by the bytes that came, or by what the owner says. */
static void bitrates(void **state) {
  (void)state;
  uint8_t out[256];
  struct line thin = {.now = US_PER_S}, full = {.now = US_PER_S};
  thin.s.here.known = full.s.here.known = true;
  run(&thin, "1", 250);
  thin.s.received_bytes = 250 * 20; /* 8 kb/s */
  run(&full, "1", 250);
  full.s.received_bytes = 250 * 80;
  report(&thin, out);
  report(&full, out);
  assert_int_equal(full.s.here.mos, 44);
  assert_in_range(thin.s.here.mos, 40, 42);
  run(&thin, "1", 250);
  thin.s.received_bytes += 250 * 80; /* only what is new counts */
  report(&thin, out);
  assert_int_equal(thin.s.here.mos, 44);
  thin.s.here.bitrate = 8000;
  run(&thin, "1", 250);
  report(&thin, out);
  assert_in_range(thin.s.here.mos, 40, 42);
}

/* What the owner did not pass on is not lost. */
static void skipped(void **state) {
  (void)state;
  uint8_t out[256];
  struct line l = {.now = US_PER_S};
  run(&l, "1", 100);
  run(&l, "0", 100);
  l.s.skipped = true;
  run(&l, "1", 50);
  assert_int_equal(rtpstat_expected(&l.s), 150);
  report(&l, out);
  assert_true(l.s.here.loss_pct == 0 && l.s.here.burst_ms == 0);
  run(&l, "10", 50);
  run(&l, "1", 20);
  report(&l, out);
  assert_in_range(l.s.here.loss_pct, 40, 43); /* 50 of 120 */
}

/* The peer's block about us arrives as `there`; the next report without one takes it back. */
static void told(void **state) {
  (void)state;
  struct line b = {.now = US_PER_S};
  struct rtpstat a = {0};
  uint8_t out[256];
  b.s.here = (struct rtpstat_ear){.known = true, .concealed_pct = 7, .buffer_ms = 90};
  run(&b, "1101", 60);
  size_t n = rtpstat_report(&b.s, b.now, A, B, "x", out, sizeof out);
  rtpstat_rtcp(&a, b.now, B + 1, out, n); /* of another stream: nothing */
  assert_false(a.there.known);
  rtpstat_rtcp(&a, b.now, B, out, n);
  assert_true(a.there.known);
  assert_in_range(a.there.loss_pct, 24, 25);
  assert_int_equal(a.loss_out_pct, a.there.loss_pct);
  assert_int_equal(a.there.concealed_pct, 7);
  assert_true(a.there.burst_ms == 20 && a.there.buffer_ms == 90 && a.there.mos == b.s.here.mos);
  n = rtpstat_report(&b.s, b.now, A, B, "x", out, sizeof out);
  rtpstat_rtcp(&a, b.now, B, out, n);
  assert_false(a.there.known);
  assert_int_equal(a.there.mos, 0);
}

/* A buffer that holds the report but not the block: the report goes. */
static void no_room(void **state) {
  (void)state;
  struct line l = {.now = US_PER_S};
  uint8_t out[256];
  l.s.here.known = true;
  run(&l, "1", 50);
  struct line again = l;
  size_t n = report(&l, out);
  assert_int_equal(rtpstat_report(&again.s, again.now, A, B, "x", out, n - 1), n - RTCP_XR_VOIP_LEN);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(clean),   cmocka_unit_test(bursts),
                                     cmocka_unit_test(late),    cmocka_unit_test(reordered),
                                     cmocka_unit_test(lengths), cmocka_unit_test(silence_is_free),
                                     cmocka_unit_test(told),    cmocka_unit_test(bitrates),
                                     cmocka_unit_test(skipped), cmocka_unit_test(no_room)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
