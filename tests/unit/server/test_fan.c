/* The out-half of a room: who gets which tier, and what he hears when it changes. */
#include "tests/unit/server/mediaport_kit.h"

#define SEAM_SAMPLES 960

struct line { /* what one listener got */
  unsigned packets;
  long lost_seq;       /* numbers that never came */
  long extra, missing; /* samples: time that stands still, or is jumped over */
  uint64_t samples;
};

static void wish(struct kit *k, struct party *p, uint16_t kbps, bool send) {
  struct media_cmd cmd = order(p, MEDIA_PEER_SET, 1);
  cmd.may_send = send;
  cmd.kbps = kbps;
  mediaport_command(k->m, k->now, &cmd);
}

static void take(struct line *l, const struct party *p, unsigned before) {
  if (p->packets == before)
    return;
  assert_int_equal(p->packets, before + 1);
  l->packets++;
  l->samples += (uint64_t)opus_packet_samples(p->last, p->last_len);
  if (before == 0)
    return;
  l->lost_seq += p->seq_gap;
  l->missing += (int32_t)p->ts_gap > 0 ? (int32_t)p->ts_gap : 0;
  l->extra += (int32_t)p->ts_gap < 0 ? -(int32_t)p->ts_gap : 0;
}

/* a speaks n packets; what b got. */
static struct line speak(struct kit *k, struct encoder *e, unsigned n) {
  struct line l = {0};
  uint8_t payload[AUDIO_PACKET_MAX];
  for (unsigned i = 0; i < n; i++) {
    us_t until = k->now + 20 * US_PER_MS;
    unsigned before = k->b.packets;
    talk(k, &k->a, e, &k->a.at, payload);
    deliver(k);
    take(&l, &k->b, before);
    for (us_t t; (t = mediaport_next_timeout(k->m)) <= until;) {
      before = k->b.packets;
      k->now = t;
      mediaport_handle_timeout(k->m, k->now);
      deliver(k);
      take(&l, &k->b, before);
    }
    k->now = until;
    k->n_ev = 0;
    if (i % 250 == 0) { /* consent */
      check(k, &k->a, &k->a.at, k->a.p.local_pwd);
      check(k, &k->b, &k->b.at, k->b.p.local_pwd);
      k->n_out = 0;
    }
  }
  return l;
}

static const struct {
  uint16_t kbps;
  enum media_tier tier;
  unsigned samples; /* of a packet */
} steps[] = {{0, TIER_FULL, 960},     {50, TIER_PACKED, 1920}, {0, TIER_FULL, 960}, {22, TIER_LOW, 2880},
             {50, TIER_PACKED, 1920}, {11, TIER_MIN, 5760},    {0, TIER_FULL, 960}};

/* One listener through all tiers while somebody speaks: his numbers have no gap, and at each change he loses
 * and hears twice at most a seam. */
static void test_tiers_change(void **state) {
  struct kit *k = *state;
  struct encoder *e = voice();
  connect_party(k, &k->a);
  connect_party(k, &k->b);
  wish(k, &k->b, 0, false);
  for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
    (void)speak(k, e, (unsigned)(i * 2 + 1)); /* the change comes in the middle of a packet */
    wish(k, &k->b, steps[i].kbps, false);
    struct line l = speak(k, e, 60), rest;
    assert_int_equal(l.lost_seq, 0);
    bool better = i > 0 && steps[i].tier < steps[i - 1].tier;
    long most = better ? 0 : SEAM_SAMPLES;
    assert_true(l.extra <= most && l.missing <= most);
    assert_int_equal(opus_packet_samples(k->b.last, k->b.last_len), steps[i].samples);
    rest = speak(k, e, 60);
    assert_int_equal(rest.extra, 0);
    assert_int_equal(rest.missing, 0);
    assert_int_equal(rest.packets, 60 * 960 / steps[i].samples);
  }
  encoder_destroy(e);
}

/* The change is told, once. */
static void test_tier_is_told(void **state) {
  struct kit *k = *state;
  connect_party(k, &k->a);
  connect_party(k, &k->b);
  k->n_ev = 0;
  wish(k, &k->b, 22, false);
  wish(k, &k->b, 22, false);
  assert_int_equal(k->n_ev, 1);
  assert_int_equal(k->ev[0].kind, MEDIA_TIER);
  assert_int_equal(k->ev[0].peer, k->b.handle);
  assert_int_equal(k->ev[0].tier, TIER_LOW);
}

/* Who loses his right while a slower tier still holds his sound is not heard from that call on. */
static void test_silence_reaches_every_tier(void **state) {
  struct kit *k = *state;
  struct encoder *e = voice();
  connect_party(k, &k->a);
  connect_party(k, &k->b);
  for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
    wish(k, &k->b, steps[i].kbps, false);
    for (unsigned more = 0; more < 6; more++) {
      (void)speak(k, e, 50 + more);
      wish(k, &k->a, 0, false);
      unsigned before = k->b.packets;
      run_timeouts(k, k->now + 2 * US_PER_S);
      assert_int_equal(k->b.packets, before);
      wish(k, &k->a, 0, true);
      check(k, &k->a, &k->a.at, k->a.p.local_pwd);
      check(k, &k->b, &k->b.at, k->b.p.local_pwd);
      k->n_out = k->n_ev = 0;
    }
  }
  encoder_destroy(e);
}

/* The audience of a large room is packed; who may speak is not; a smaller room is full again. */
static void test_large_room(void **state) {
  struct kit *k = *state;
  mediaport_destroy(k->m);
  struct mediaport_config c = {
      .dtls = k->server_ctx, .rng = &k->rng, .send = on_send, .tell = on_tell, .ctx = k, .packed_from = 3};
  k->m = mediaport_create(&c);
  struct media_cmd room = {.kind = MEDIA_ROOM_OPEN, .room = 1};
  mediaport_command(k->m, k->now, &room);
  add(k, &k->a, 1, 1);
  add(k, &k->b, 2, 1);
  wish(k, &k->b, 0, false);
  assert_int_equal(k->n_ev, 0);
  add(k, &k->c, 3, 1);
  assert_int_equal(k->n_ev, 1);
  assert_int_equal(k->ev[0].kind, MEDIA_TIER);
  assert_int_equal(k->ev[0].peer, k->b.handle);
  assert_int_equal(k->ev[0].tier, TIER_PACKED);
  k->n_ev = 0;
  wish(k, &k->c, 0, false); /* loses his right to speak */
  assert_int_equal(k->n_ev, 1);
  assert_int_equal(k->ev[0].peer, k->c.handle);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_tiers_change, make, unmake),
      cmocka_unit_test_setup_teardown(test_tier_is_told, make, unmake),
      cmocka_unit_test_setup_teardown(test_silence_reaches_every_tier, make, unmake),
      cmocka_unit_test_setup_teardown(test_large_room, make, unmake)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
