/* What the server knows of a line after five seconds of it: what was lost on the way up, what of it copies
 * and LBRR brought back, and what the listener says of the way down. */
#include "core/wire/red.h"
#include "core/wire/rtcp_xr.h"
#include "tests/unit/server/mediaport_kit.h"

#include <math.h>

#define RED_PT 63

struct speaker {
  struct encoder *e;
  bool red;
  unsigned lost, repaired; /* repaired: the packet after it brings its sound */
  bool lost_before;
  uint8_t before[AUDIO_PACKET_MAX];
  size_t before_len;
};

/* Sung, so that the encoder takes it for a voice: a tone of 150 Hz with overtones that swells. */
static float voice_at(size_t sample) {
  double t = (double)sample / AUDIO_RATE, w = 2 * 3.14159265358979 * 150 * t;
  return (float)((0.15 + 0.1 * sin(25 * t)) *
                 (sin(w) + 0.6 * sin(2 * w) + 0.5 * sin(3 * w) + 0.3 * sin(5 * w)));
}

/* Twenty milliseconds of a voice, with a copy of the packet before; lost: it gets nowhere. */
static void speak(struct kit *k, struct party *p, struct speaker *s, bool lost) {
  float pcm[AUDIO_FRAME];
  uint8_t now[AUDIO_PACKET_MAX], buf[1500];
  for (size_t i = 0; i < AUDIO_FRAME; i++)
    pcm[i] = voice_at(p->seq * AUDIO_FRAME + i);
  int len = encoder_run(s->e, pcm, AUDIO_FRAME, now, sizeof now);
  assert_true(len > 2);
  struct rtp h = {.pt = s->red ? RED_PT : PT, .seq = p->seq, .ts = 960u * p->seq, .ssrc = p->p.ssrc_in};
  size_t n = rtp_build(buf, sizeof buf, &h, 0, NULL, 0);
  struct red_block v[2] = {{PT, 960, s->before, s->before_len}, {PT, 0, now, (size_t)len}};
  size_t copies = s->red && s->before_len ? 1 : 0;
  if (s->red)
    n += red_build(buf + n, sizeof buf - n, v + 1 - copies, 1 + copies);
  else {
    memcpy(buf + n, now, (size_t)len);
    n += (size_t)len;
  }
  s->lost += lost;
  s->repaired += s->lost_before && !lost && opus_has_fec(now, (size_t)len);
  s->lost_before = lost;
  memcpy(s->before, now, (size_t)len);
  s->before_len = (size_t)len;
  p->seq++;
  assert_int_equal(srtp_session_protect(p->srtp, buf, &n, sizeof buf), ERR_OK);
  if (!lost)
    put(k, &p->at, buf, n);
  deliver(k);
  run_timeouts(k, k->now + 20 * US_PER_MS);
}

/* The newest STATS of a party, from here on. */
static const struct media_stats *stats_of(struct kit *k, const struct party *p) {
  const struct media_stats *s = NULL;
  for (size_t i = 0; i < k->n_ev; i++)
    if (k->ev[i].kind == MEDIA_STATS && k->ev[i].peer == p->handle)
      s = &k->ev[i].stats;
  assert_non_null(s);
  return s;
}

static struct speaker begin(struct kit *k, bool red, int fec_pct) {
  add(k, &k->c, 3, 1);
  if (red) {
    struct media_cmd cmd = order(&k->c, MEDIA_PEER_DEL, 1);
    mediaport_command(k->m, k->now, &cmd);
    k->c.p.red_pt = RED_PT;
    cmd = order(&k->c, MEDIA_PEER_ADD, 1);
    cmd.params = k->c.p;
    mediaport_command(k->m, k->now, &cmd);
  }
  connect_party(k, &k->c);
  struct encoder_config c = {.bitrate = 24000, .complexity = 0, .loss_pct = fec_pct};
  return (struct speaker){.e = encoder_create(&c), .red = red};
}

/* Every fifth packet does not come, for as long as two reports take; how much of that LBRR brings back. */
static struct media_stats lossy(struct kit *k, bool red, int fec_pct, unsigned *repaired_pct) {
  struct speaker s = begin(k, red, fec_pct);
  for (int i = 0; i < 510; i++) {
    if (k->n_ev > OUT_MAX / 2)
      k->n_ev = 0;
    speak(k, &k->c, &s, i % 5 == 3);
  }
  encoder_destroy(s.e);
  *repaired_pct = s.repaired * 100 / s.lost;
  return *stats_of(k, &k->c);
}

static void test_lost_is_lost(void **state) {
  unsigned repaired;
  struct media_stats s = lossy(*state, false, 0, &repaired);
  assert_int_equal(repaired, 0);
  assert_in_range(s.loss_up, 19, 21);
  assert_in_range(s.concealed_up, 19, 21);
  assert_int_equal(s.burst_up_ms, 20);
  assert_in_range(s.mos_up, 15, 30);
  assert_in_range(s.kbps_up, 15, 60);
  assert_true(s.mos_down == 0 && s.concealed_down == 0); /* he was sent nothing and said nothing */
}

static void test_copies_bring_it_back(void **state) {
  unsigned repaired;
  struct media_stats s = lossy(*state, true, 0, &repaired);
  assert_in_range(s.loss_up, 19, 21); /* a copy does not hide what the way does */
  assert_int_equal(s.burst_up_ms, 20);
  assert_in_range(s.concealed_up, 0, 1);
  assert_in_range(s.mos_up, 43, 44);
}

static void test_lbrr_brings_it_back(void **state) {
  unsigned repaired;
  struct media_stats s = lossy(*state, false, 20, &repaired);
  assert_true(repaired >= 50);
  assert_in_range(s.loss_up, 19, 21);
  assert_in_range(s.concealed_up, (100 - repaired) / 5 - (repaired < 95), (100 - repaired) / 5 + 2);
}

/* What somebody says without the right to is not heard, and not lost. */
static void test_muted_is_not_lost(void **state) {
  struct kit *k = *state;
  struct speaker s = begin(k, false, 0);
  for (int i = 0; i < 510; i++) {
    if (k->n_ev > OUT_MAX / 2)
      k->n_ev = 0;
    if (i % 50 == 0)
      set(k, &k->c, MEDIA_PEER_SET, i % 100 == 0, true);
    speak(k, &k->c, &s, false);
  }
  uint8_t best = 0;
  for (size_t i = 0; i < k->n_ev; i++) {
    const struct media_stats *q = &k->ev[i].stats;
    if (k->ev[i].kind != MEDIA_STATS || k->ev[i].peer != k->c.handle)
      continue;
    assert_true(q->loss_up == 0 && q->concealed_up == 0 && q->burst_up_ms == 0);
    assert_true(q->mos_up == 0 || q->mos_up >= 43);
    best = q->mos_up > best ? q->mos_up : best;
  }
  assert_true(best >= 43);
  encoder_destroy(s.e);
}

static void say_report(struct kit *k, struct party *p, const struct rtcp_voip *v, uint8_t lost) {
  uint8_t buf[400];
  struct rtcp_report r = {.ssrc = p->p.ssrc_out, .fraction_lost = lost};
  size_t n = rtcp_build_rr(buf, sizeof buf, p->p.ssrc_in, &r, 1, "x");
  if (v)
    n += rtcp_xr_build(buf + n, sizeof buf - n, v);
  assert_int_equal(srtp_session_protect_rtcp(p->srtp, buf, &n, sizeof buf), ERR_OK);
  put(k, &p->at, buf, n);
}

/* What the server tells next of b's line, while c speaks. */
static struct media_stats next_stats(struct kit *k, struct speaker *s) {
  k->n_ev = 0;
  for (int i = 0; i < 1000; i++) {
    speak(k, &k->c, s, false);
    for (size_t e = 0; e < k->n_ev; e++)
      if (k->ev[e].kind == MEDIA_STATS && k->ev[e].peer == k->b.handle)
        return k->ev[e].stats;
  }
  fail_msg("no report in 20 s");
  return (struct media_stats){0};
}

static void test_the_way_down(void **state) {
  struct kit *k = *state;
  connect_party(k, &k->b);
  struct speaker s = begin(k, false, 0);
  struct rtcp_voip v = {.ssrc = k->b.p.ssrc_out,
                        .loss = 13,
                        .discard = 13,
                        .burst_ms = 60,
                        .gmin = 1,
                        .mos_lq = 31,
                        .buffer_ms = 140};
  for (int i = 0; i < 25; i++)
    speak(k, &k->c, &s, false);
  say_report(k, &k->b, &v, 64);
  struct media_stats q = next_stats(k, &s);
  assert_true(q.loss_down == 25 && q.concealed_down == 10 && q.mos_down == 31);
  assert_true(q.burst_down_ms == 60 && q.buffer_ms == 140 && q.kbps_down >= 15);
  assert_in_range(q.over_ms, 500, 20000);
  assert_true(q.mos_up == 0 && q.loss_up == 0); /* he said nothing */
  say_report(k, &k->b, NULL, 64);               /* who knows no XR: all that he lost he misses */
  q = next_stats(k, &s);
  assert_true(q.loss_down == 25 && q.concealed_down == 0);
  assert_in_range(q.mos_down, 10, 30);
  v.ssrc++; /* about a stream that is not ours */
  say_report(k, &k->b, &v, 0);
  q = next_stats(k, &s);
  assert_true(q.loss_down == 0 && q.concealed_down == 0 && q.buffer_ms == 0 && q.mos_down >= 43);
  q = next_stats(k, &s); /* he reports in a rhythm of his own */
  assert_true(q.mos_down >= 43);
  for (int i = 0; i < 12; i++) /* silent for long: nothing is known */
    q = next_stats(k, &s);
  assert_true(q.mos_down == 0 && q.loss_down == 0);
  encoder_destroy(s.e);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(test_lost_is_lost, make, unmake),
                                     cmocka_unit_test_setup_teardown(test_copies_bring_it_back, make, unmake),
                                     cmocka_unit_test_setup_teardown(test_lbrr_brings_it_back, make, unmake),
                                     cmocka_unit_test_setup_teardown(test_muted_is_not_lost, make, unmake),
                                     cmocka_unit_test_setup_teardown(test_the_way_down, make, unmake)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
