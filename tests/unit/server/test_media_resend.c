/* Retransmission over the media port: a listener asks for what he lost and gets the very bytes again, as long
 * as he may hear; the port asks a talker. */
#include "core/wire/rtcp_nack.h"
#include "tests/unit/server/mediaport_kit.h"

static struct kit *start(void **state, bool nack) {
  struct kit *k = *state;
  struct party *both[] = {&k->a, &k->b};
  for (size_t i = 0; i < 2; i++) {
    set(k, both[i], MEDIA_PEER_DEL, false, false);
    both[i]->handle += 10;
    both[i]->p.nack = nack;
    set(k, both[i], MEDIA_PEER_ADD, true, true);
  }
  connect_party(k, &k->a);
  connect_party(k, &k->b);
  return k;
}

static void ask(struct kit *k, struct party *p, const uint16_t *v, size_t count) {
  uint8_t buf[200];
  size_t n = rtcp_build_nack(buf, sizeof buf, p->p.ssrc_in, p->p.ssrc_out, v, count);
  assert_int_equal(srtp_session_protect_rtcp(p->srtp, buf, &n, sizeof buf), ERR_OK);
  put(k, &p->at, buf, n);
}

/* What waits to be sent to p as RTP: the last of it. */
static struct media_datagram last_rtp(const struct kit *k, size_t *count) {
  struct media_datagram d = {0};
  *count = 0;
  for (size_t i = 0; i < k->n_out; i++)
    if (k->out[i].data[0] >= 128 && !rtp_is_rtcp(k->out[i].data, k->out[i].len)) {
      d = k->out[i];
      ++*count;
    }
  return d;
}

static uint16_t seq_of(const struct media_datagram *d) {
  return (uint16_t)(d->data[2] << 8 | d->data[3]);
}

/* Talks until the port keeps what it sends to b; then one packet, which b loses. */
static struct media_datagram lost_one(struct kit *k, struct encoder *e) {
  uint8_t payload[AUDIO_PACKET_MAX];
  size_t n;
  for (int i = 0; i < 2; i++)
    talk(k, &k->a, e, &k->a.at, payload);
  uint16_t unknown = 1;
  ask(k, &k->b, &unknown, 1);
  deliver(k);
  talk(k, &k->a, e, &k->a.at, payload);
  struct media_datagram d = last_rtp(k, &n);
  assert_int_equal(n, 1);
  k->n_out = 0;
  return d;
}

static void the_very_bytes(void **state) {
  struct kit *k = start(state, true);
  struct encoder *e = voice();
  struct media_datagram lost = lost_one(k, e);
  uint16_t seq = seq_of(&lost);
  size_t n;
  ask(k, &k->b, &seq, 1);
  struct media_datagram again = last_rtp(k, &n);
  assert_int_equal(n, 1);
  assert_int_equal(again.len, lost.len);
  assert_memory_equal(again.data, lost.data, lost.len);
  assert_memory_equal(&again.to, &lost.to, sizeof(struct sockaddr_in));
  assert_int_equal(counters(k).resent, 1);
  unsigned had = k->b.packets;
  deliver(k); /* and it opens */
  assert_int_equal(k->b.packets, had + 1);
  k->now += 20 * US_PER_MS; /* who has it drops it as a replay */
  ask(k, &k->b, &seq, 1);
  again = last_rtp(k, &n);
  assert_int_equal(n, 1);
  assert_memory_equal(again.data, lost.data, lost.len);
  assert_int_equal(srtp_session_unprotect(k->b.srtp, again.data, &again.len), ERR_SRTP_REPLAY);
  encoder_destroy(e);
}

static void only_when_agreed(void **state) {
  struct kit *k = start(state, false);
  struct encoder *e = voice();
  struct media_datagram lost = lost_one(k, e);
  uint16_t seq = seq_of(&lost);
  ask(k, &k->b, &seq, 1);
  assert_int_equal(k->n_out, 0);
  encoder_destroy(e);
}

static void not_to_who_may_not_hear(void **state) {
  struct kit *k = start(state, true);
  struct encoder *e = voice();
  struct media_datagram lost = lost_one(k, e);
  uint16_t seq = seq_of(&lost);
  size_t n;
  set(k, &k->b, MEDIA_PEER_SET, true, false);
  k->n_out = 0;
  ask(k, &k->b, &seq, 1);
  (void)last_rtp(k, &n);
  assert_int_equal(n, 0);
  set(k, &k->b, MEDIA_PEER_SET, true, true); /* nor afterwards */
  ask(k, &k->b, &seq, 1);
  (void)last_rtp(k, &n);
  assert_int_equal(n, 0);
  encoder_destroy(e);
}

static void not_of_who_was_silenced(void **state) {
  struct kit *k = start(state, true);
  struct encoder *e = voice();
  struct media_datagram lost = lost_one(k, e);
  uint16_t seq = seq_of(&lost);
  size_t n;
  set(k, &k->a, MEDIA_PEER_SET, false, true);
  k->n_out = 0;
  ask(k, &k->b, &seq, 1);
  (void)last_rtp(k, &n);
  assert_int_equal(n, 0);
  encoder_destroy(e);
}

/* What the port has asked a for since the last call; he gets everything else. */
static size_t asked(struct kit *k, uint16_t *v) {
  size_t found = 0;
  for (size_t i = 0; i < k->n_out; i++) {
    struct media_datagram d = k->out[i];
    if (!rtp_is_rtcp(d.data, d.len) || memcmp(&d.to, &k->a.at, sizeof k->a.at) != 0)
      continue;
    assert_int_equal(srtp_session_unprotect_rtcp(k->a.srtp, d.data, &d.len), ERR_OK);
    found += rtcp_nacks(d.data, d.len, k->a.p.ssrc_in, v + found, RTCP_NACK_MAX - found);
  }
  k->n_out = 0;
  return found;
}

static void timeouts(struct kit *k, us_t until) {
  for (us_t t; (t = mediaport_next_timeout(k->m)) <= until;) {
    k->now = t > k->now ? t : k->now;
    mediaport_handle_timeout(k->m, k->now);
  }
  k->now = until;
}

static void the_talker_is_asked(void **state) {
  struct kit *k = start(state, true);
  struct encoder *e = voice();
  uint8_t payload[AUDIO_PACKET_MAX];
  uint16_t v[RTCP_NACK_MAX];
  struct sockaddr_in nowhere = address(99, 99);
  for (int i = 0; i < 3; i++)
    talk(k, &k->a, e, &k->a.at, payload);
  deliver(k);
  uint16_t lost = k->a.seq;
  talk(k, &k->a, e, &nowhere, payload); /* from an address nobody knows: lost */
  talk(k, &k->a, e, &k->a.at, payload);
  k->n_out = 0;
  timeouts(k, k->now + 5 * US_PER_MS);
  assert_int_equal(asked(k, v), 1);
  assert_int_equal(v[0], lost);
  timeouts(k, k->now + 40 * US_PER_MS); /* and again */
  assert_true(asked(k, v) >= 1);
  assert_int_equal(v[0], lost);
  encoder_destroy(e);
}

static void nobody_else_is_asked(void **state) {
  struct kit *k = start(state, false);
  struct encoder *e = voice();
  uint8_t payload[AUDIO_PACKET_MAX];
  uint16_t v[RTCP_NACK_MAX];
  for (int i = 0; i < 3; i++)
    talk(k, &k->a, e, &k->a.at, payload);
  k->a.seq++;
  talk(k, &k->a, e, &k->a.at, payload);
  k->n_out = 0;
  timeouts(k, k->now + 100 * US_PER_MS);
  assert_int_equal(asked(k, v), 0);
  encoder_destroy(e);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make, unmake)
int main(void) {
  const struct CMUnitTest tests[] = {TEST(the_very_bytes),          TEST(only_when_agreed),
                                     TEST(not_to_who_may_not_hear), TEST(the_talker_is_asked),
                                     TEST(nobody_else_is_asked),    TEST(not_of_who_was_silenced)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
