/* What a participant sends: copies of earlier packets only where a reader finds their numbers, and a ladder
 * that moves by reports about what was sent. */
#include "core/base/rng.h"
#include "core/session/uplink.h"
#include "core/wire/red.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define OPUS 111
#define RED 112
#define TOC_20 0x08 /* SILK, narrow, one frame of 20, 40, 60 ms */
#define TOC_40 0x10
#define TOC_60 0x18
#define PACKETS 400

struct said {
  uint32_t ts;
  int samples;
  size_t len;
  uint8_t p[64];
};
static struct said said[PACKETS]; /* by sequence number */

static int samples_of(uint8_t toc) {
  return toc == TOC_20 ? 960 : toc == TOC_40 ? 1920 : 2880;
}

/* Sends one packet that is unlike all others; returns the payload's length. */
static size_t say(struct uplink *u, uint16_t seq, uint32_t ts, uint8_t toc, uint8_t *out, uint8_t *pt) {
  struct said *s = &said[seq];
  *s = (struct said){.ts = ts, .samples = samples_of(toc), .len = 5 + seq % 50};
  s->p[0] = toc;
  for (size_t i = 1; i < s->len; i++)
    s->p[i] = (uint8_t)(seq * 7 + i);
  return uplink_payload(u, seq, ts, s->p, s->len, out, UPLINK_PAYLOAD_MAX, pt);
}

/* Every copy is what was said under the number that its offset leads to. Returns how many there are. */
static size_t check(uint16_t seq, const uint8_t *p, size_t len, uint8_t pt) {
  struct red_block v[RED_BLOCKS_MAX];
  size_t n;
  if (pt == OPUS) {
    assert_int_equal(len, said[seq].len);
    assert_memory_equal(p, said[seq].p, len);
    return 0;
  }
  assert_int_equal(pt, RED);
  assert_int_equal(red_parse(p, len, v, &n), ERR_OK);
  assert_true(n >= 2);
  for (size_t i = 0; i < n; i++) {
    uint32_t back = v[i].offset / (uint32_t)said[seq].samples;
    assert_int_equal(v[i].offset % (uint32_t)said[seq].samples, 0);
    assert_true(back <= seq && v[i].pt == OPUS);
    const struct said *s = &said[seq - back];
    assert_int_equal(s->ts, said[seq].ts - v[i].offset);
    assert_int_equal(s->samples, said[seq].samples);
    assert_int_equal(v[i].len, s->len);
    assert_memory_equal(v[i].p, s->p, s->len);
  }
  return n - 1;
}

/* Both; returns how many copies there are. */
static size_t sent(struct uplink *u, uint16_t seq, uint32_t ts, uint8_t toc) {
  uint8_t out[UPLINK_PAYLOAD_MAX], pt;
  size_t len = say(u, seq, ts, toc, out, &pt);
  return check(seq, out, len, pt);
}

static void copies_follow_the_plan(void **state) {
  (void)state;
  for (unsigned plan = 0; plan < RED_PLANS; plan++) {
    struct uplink u;
    uplink_init(&u, 0, 0, OPUS, RED);
    u.ladder.plan = (uint8_t)plan;
    const struct red_plan *r = red_plan(plan);
    for (uint16_t seq = 0; seq < 40; seq++) {
      size_t n = sent(&u, seq, 5000u + seq * 960u, TOC_20), want = 0;
      for (unsigned i = 1; i <= r->copies; i++)
        want += seq >= i * r->gap && i * r->gap * 960u <= RED_OFFSET_MAX;
      assert_int_equal(n, want);
    }
  }
}

static void none_where_the_path_takes_none(void **state) {
  (void)state;
  struct uplink u;
  uplink_init(&u, 0, 0, OPUS, UPLINK_NO_RED);
  u.ladder.plan = 2;
  for (uint16_t seq = 0; seq < 20; seq++) {
    assert_int_equal(sent(&u, seq, seq * 960u, TOC_20), 0);
  }
}

/* Nothing is copied over a pause, and nothing of another length. */
static void pauses_and_other_lengths(void **state) {
  (void)state;
  struct uplink u;
  uplink_init(&u, 0, 0, OPUS, RED);
  u.ladder.plan = 1;
  assert_int_equal(sent(&u, 0, 0, TOC_20), 0);
  assert_int_equal(sent(&u, 1, 960, TOC_20), 1);
  assert_int_equal(sent(&u, 2, 9600, TOC_20), 0); /* he was silent */
  assert_int_equal(sent(&u, 3, 10560, TOC_20), 1);
  assert_int_equal(sent(&u, 4, 11520, TOC_60), 0); /* another tier */
  assert_int_equal(sent(&u, 5, 14400, TOC_60), 1);
  u.ladder.plan = 5; /* 4 packets of 60 ms back: more than 14 bits of time take less than 6 */
  for (uint16_t seq = 6; seq < 12; seq++)
    (void)sent(&u, seq, 14400u + (seq - 5u) * 2880u, TOC_60);
}

static void any_sequence_can_be_read(void **state) {
  (void)state;
  static const uint8_t TOCS[] = {TOC_20, TOC_40, TOC_60};
  uint32_t ts = UINT32_MAX - 200000; /* it wraps */
  struct uplink u;
  size_t copies = 0;
  uplink_init(&u, 0, 0, OPUS, RED);
  struct rng rng;
  rng_seed(&rng, 5);
  for (uint16_t seq = 0; seq < PACKETS; seq++) {
    uint8_t toc = TOCS[seq / 20 % 3];
    u.ladder.plan = (uint8_t)rng_below(&rng, RED_PLANS);
    copies += sent(&u, seq, ts, toc);
    ts += (uint32_t)samples_of(toc) * (rng_below(&rng, 8) == 0 ? 1u + (uint32_t)rng_below(&rng, 9) : 1u);
  }
  assert_true(copies > PACKETS / 10);
}

/* What does not fit is left out, and a payload that is no Opus goes alone. */
static void limits(void **state) {
  (void)state;
  static uint8_t big[AUDIO_PACKET_MAX], out[UPLINK_PAYLOAD_MAX];
  uint8_t pt, bad[] = {0xff, 0xff, 0xff};
  struct uplink u;
  uplink_init(&u, 0, 0, OPUS, RED);
  u.ladder.plan = 2;
  big[0] = TOC_20;
  for (uint16_t seq = 0; seq < 5; seq++) {
    assert_int_equal(uplink_payload(&u, seq, seq * 960u, big, sizeof big, out, sizeof out, &pt), sizeof big);
    assert_int_equal(pt, OPUS);
  }
  assert_int_equal(uplink_payload(&u, 5, 4800, big, sizeof big, out, 100, &pt), 0);
  assert_int_equal(uplink_payload(&u, 6, 5760, bad, sizeof bad, out, sizeof out, &pt), sizeof bad);
  assert_int_equal(pt, OPUS);
}

/* A report moves the ladder once, and only when it can be about something that was sent. */
static void reports_of_silence_say_nothing(void **state) {
  (void)state;
  struct uplink u;
  struct rtpstat st = {0};
  us_t now = US_PER_S;
  bool moved = false;
  uplink_init(&u, now, 0, OPUS, RED);
  for (int i = 0; i < 20; i++, now += RTPSTAT_INTERVAL_US) { /* the same report again, then of silence */
    st.reports += i >= 10;
    st.there.loss_pct = 30;
    assert_false(uplink_feed(&u, now, &st));
  }
  for (int i = 0; i < 10; i++, now += RTPSTAT_INTERVAL_US) {
    st.reports++;
    st.sent += 250;
    moved |= uplink_feed(&u, now, &st);
  }
  assert_true(moved);
  assert_true(u.ladder.plan > 0 || u.ladder.tier > TIER_FULL);
  assert_true(u.ladder.loss_pct > 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(copies_follow_the_plan),
                                     cmocka_unit_test(none_where_the_path_takes_none),
                                     cmocka_unit_test(pauses_and_other_lengths),
                                     cmocka_unit_test(any_sequence_can_be_read),
                                     cmocka_unit_test(limits),
                                     cmocka_unit_test(reports_of_silence_say_nothing)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
