/* Copies (RFC 2198) both ways over the media port, and what the reports of a listener make of what he gets.
 */
#include "core/wire/red.h"
#include "tests/unit/server/mediaport_kit.h"

#define RED_PT 112

/* The same party with RED in his offer. */
static void add_red(struct kit *k, struct party *p) {
  set(k, p, MEDIA_PEER_DEL, false, false);
  p->handle += 10;
  p->p.red_pt = RED_PT;
  set(k, p, MEDIA_PEER_ADD, true, true);
}

static struct kit *start(void **state, bool with_red) {
  struct kit *k = *state;
  if (with_red) {
    add_red(k, &k->a);
    add_red(k, &k->b);
  }
  connect_party(k, &k->a);
  connect_party(k, &k->b);
  return k;
}

struct said {
  size_t len;
  uint8_t p[AUDIO_PACKET_MAX];
};

/* The next packet of p, which is lost unless it is sent with say(). */
static void next(struct party *p, struct encoder *e, struct said *s) {
  float pcm[AUDIO_FRAME];
  for (size_t i = 0; i < AUDIO_FRAME; i++)
    pcm[i] = (float)((i + 7 * p->seq) % 96) / 200.0f - 0.25f;
  int len = encoder_run(e, pcm, AUDIO_FRAME, s->p, sizeof s->p);
  assert_true(len > 2);
  s->len = (size_t)len;
  p->seq++;
}

/* Sends `own`, the last one made, with a copy of what was made `back` before it. */
static void say(struct kit *k, struct party *p, const struct said *own, const struct said *copy,
                unsigned back) {
  uint8_t buf[1500];
  uint16_t seq = (uint16_t)(p->seq - 1);
  struct rtp h = {.pt = copy ? RED_PT : PT, .seq = seq, .ts = 960u * seq, .ssrc = p->p.ssrc_in};
  size_t n = rtp_build(buf, sizeof buf, &h, 0, NULL, 0);
  if (copy) { /* by hand: F, type, 14 bits of offset, 10 of length */
    uint32_t head = 1u << 31 | (uint32_t)PT << 24 | back * 960u << 10 | (uint32_t)copy->len;
    for (int i = 0; i < 4; i++)
      buf[n++] = (uint8_t)(head >> (24 - 8 * i));
    buf[n++] = PT;
    memcpy(buf + n, copy->p, copy->len);
    n += copy->len;
  }
  memcpy(buf + n, own->p, own->len);
  n += own->len;
  assert_int_equal(srtp_session_protect(p->srtp, buf, &n, sizeof buf), ERR_OK);
  put(k, &p->at, buf, n);
  k->now += 20 * US_PER_MS;
}

static void what_was_lost_comes_as_a_copy(void **state) {
  struct kit *k = start(state, true);
  struct encoder *e = voice();
  static struct said s[6];
  for (int i = 0; i < 3; i++) {
    next(&k->a, e, &s[i]);
    say(k, &k->a, &s[i], NULL, 0);
  }
  deliver(k);
  assert_int_equal(k->b.packets, 3);
  next(&k->a, e, &s[3]); /* lost */
  next(&k->a, e, &s[4]);
  say(k, &k->a, &s[4], &s[3], 1);
  assert_int_equal(k->n_out, 2);
  deliver(k);
  assert_int_equal(k->b.packets, 5);
  assert_int_equal(k->b.seq_gap, 0);
  assert_int_equal(k->b.ts_gap, 0);
  assert_memory_equal(k->b.last, s[4].p, s[4].len);
  next(&k->a, e, &s[5]);
  say(k, &k->a, &s[5], &s[3], 2); /* known by now */
  deliver(k);
  assert_int_equal(k->b.packets, 6);
  assert_int_equal(k->b.seq_gap, 0);
  encoder_destroy(e);
}

/* In a packet that came, of what was said when nobody here was to hear it. */
static void no_copy_of_what_was_not_for_them(void **state) {
  struct kit *k = start(state, true);
  struct encoder *e = voice();
  static struct said s[6];
  next(&k->a, e, &s[0]);
  say(k, &k->a, &s[0], NULL, 0);
  set(k, &k->a, MEDIA_PEER_SET, false, true);
  next(&k->a, e, &s[1]); /* muted */
  set(k, &k->a, MEDIA_PEER_SET, true, true);
  deliver(k);
  unsigned heard = k->b.packets;
  next(&k->a, e, &s[2]);
  say(k, &k->a, &s[2], &s[1], 1);
  assert_int_equal(k->n_out, 1);
  deliver(k);
  assert_int_equal(k->b.packets, heard + 1);
  assert_memory_equal(k->b.last, s[2].p, s[2].len);
  struct media_cmd side = {.kind = MEDIA_ROOM_OPEN, .room = 2};
  mediaport_command(k->m, k->now, &side);
  move(k, &k->a, 2);
  next(&k->a, e, &s[3]); /* in the side room, lost on the way */
  move(k, &k->a, 1);
  next(&k->a, e, &s[4]);
  say(k, &k->a, &s[4], &s[3], 1);
  deliver(k);
  assert_int_equal(k->b.packets, heard + 2);
  assert_memory_equal(k->b.last, s[4].p, s[4].len);
  encoder_destroy(e);
}

/* b says how the last packets came to him. */
static void report(struct kit *k, uint8_t loss_pct) {
  uint8_t buf[300];
  struct rtcp_report r = {
      .ssrc = k->b.p.ssrc_out, .fraction_lost = (uint8_t)(loss_pct * 256 / 100), .highest_seq = k->b.h.seq};
  size_t n = rtcp_build_rr(buf, sizeof buf, k->b.p.ssrc_in, &r, 1, "b");
  assert_true(n > 0);
  assert_int_equal(srtp_session_protect_rtcp(k->b.srtp, buf, &n, sizeof buf), ERR_OK);
  put(k, &k->b.at, buf, n);
  k->n_out = 0;
}

/* A second and a half in which a speaks and every `keep`-th packet of his arrives here. */
static void speak(struct kit *k, struct encoder *e, unsigned keep) {
  static struct said s;
  for (unsigned i = 0; i < 75; i++) {
    next(&k->a, e, &s);
    if (i % keep == 0)
      say(k, &k->a, &s, NULL, 0);
    else
      k->now += 20 * US_PER_MS;
    deliver(k);
  }
}

static const struct media_event *tier_event(const struct kit *k) {
  const struct media_event *last = NULL;
  for (size_t i = 0; i < k->n_ev; i++)
    last = k->ev[i].kind == MEDIA_TIER && k->ev[i].peer == k->b.handle ? &k->ev[i] : last;
  return last;
}

static void loss_is_answered_with_copies(void **state) {
  struct kit *k = start(state, true);
  struct encoder *e = voice();
  for (int i = 0; i < 4; i++) {
    speak(k, e, 1);
    assert_int_equal(k->b.h.pt, i < 2 ? PT : RED_PT);
    report(k, 20);
  }
  const struct media_event *ev = tier_event(k);
  assert_non_null(ev);
  assert_int_equal(ev->tier, TIER_FULL);
  assert_int_equal(ev->copies, 2);
  struct red_block v[RED_BLOCKS_MAX];
  struct said s;
  size_t n;
  uint8_t before[AUDIO_PACKET_MAX];
  for (int i = 0; i < 20; i++) {
    next(&k->a, e, &s);
    say(k, &k->a, &s, NULL, 0);
    deliver(k);
    assert_int_equal(k->b.h.pt, RED_PT);
    assert_int_equal(red_parse(k->b.last, k->b.last_len, v, &n), ERR_OK);
    assert_int_equal(n, 3);
    assert_int_equal(v[2].len, s.len);
    assert_memory_equal(v[2].p, s.p, s.len);
    assert_true(v[0].offset == 1920 && v[1].offset == 960);
    if (i > 0)
      assert_memory_equal(v[1].p, before, v[1].len);
    memcpy(before, s.p, s.len);
  }
  encoder_destroy(e);
}

static void without_red_there_are_none(void **state) {
  struct kit *k = start(state, false);
  struct encoder *e = voice();
  for (int i = 0; i < 4; i++) {
    speak(k, e, 1);
    assert_int_equal(k->b.h.pt, PT);
    report(k, 20);
  }
  assert_null(tier_event(k));
  encoder_destroy(e);
}

/* Numbers that the talker's line lost are lost to the listener too: no fault of his line. */
static void the_talkers_loss_is_not_his(void **state) {
  struct kit *k = start(state, true);
  struct encoder *e = voice();
  for (int i = 0; i < 4; i++) {
    speak(k, e, 2);
    report(k, 50);
  }
  assert_null(tier_event(k));
  assert_int_equal(k->b.h.pt, PT);
  encoder_destroy(e);
}

static void a_wish(void **state) {
  struct kit *k = start(state, true);
  struct encoder *e = voice();
  struct media_cmd cmd = order(&k->b, MEDIA_PEER_SET, 1);
  cmd.kbps = 12;
  mediaport_command(k->m, k->now, &cmd);
  assert_non_null(tier_event(k));
  assert_int_equal(tier_event(k)->tier, TIER_MIN);
  speak(k, e, 1);
  unsigned before = k->b.packets;
  speak(k, e, 1);
  assert_in_range(k->b.packets - before, 12, 13);
  assert_int_equal(opus_packet_samples(k->b.last, k->b.last_len), AUDIO_MS(120));
  cmd.kbps = 0;
  mediaport_command(k->m, k->now, &cmd);
  assert_int_equal(tier_event(k)->tier, TIER_FULL);
  speak(k, e, 1);
  assert_int_equal(opus_packet_samples(k->b.last, k->b.last_len), AUDIO_FRAME);
  encoder_destroy(e);
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, make, unmake)
  const struct CMUnitTest tests[] = {
      T(what_was_lost_comes_as_a_copy), T(no_copy_of_what_was_not_for_them), T(loss_is_answered_with_copies),
      T(without_red_there_are_none),    T(the_talkers_loss_is_not_his),      T(a_wish),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
