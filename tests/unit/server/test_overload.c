/* overload: a media port that falls behind: stale sound is dropped, checks, handshakes and reports never are,
 * and the mixers are relieved step by step, and only of a queue that stands. The clock is the test's. */
#include "mediaport_kit.h"

static size_t report_of(struct party *p, uint8_t *buf, size_t cap) {
  size_t n = rtcp_build_rr(buf, cap - 64, p->p.ssrc_in, NULL, 0, "party");
  assert_true(n > 0);
  assert_int_equal(srtp_session_protect_rtcp(p->srtp, buf, &n, cap), ERR_OK);
  return n;
}

static void test_stale_sound_only(void **state) {
  struct kit *k = *state;
  struct encoder *e = voice();
  uint8_t payload[AUDIO_PACKET_MAX], buf[1500];
  connect_party(k, &k->a);
  connect_party(k, &k->b);
  k->waited = MEDIAPORT_STALE_US - 1;
  talk(k, &k->a, e, &k->a.at, payload);
  deliver(k);
  assert_int_equal(k->b.packets, 1);
  k->waited = MEDIAPORT_STALE_US;
  for (int i = 0; i < 5; i++)
    talk(k, &k->a, e, &k->a.at, payload);
  deliver(k);
  assert_int_equal(k->b.packets, 1);
  assert_int_equal(counters(k).stale, 5);

  k->waited = 10 * US_PER_S; /* what keeps paths alive is served however late */
  uint64_t checks = counters(k).stun_ok;
  check(k, &k->a, &k->a.at, k->a.p.local_pwd);
  assert_int_equal(counters(k).stun_ok, checks + 1);
  assert_int_equal(k->n_out, 1);
  deliver(k);
  put(k, &k->b.at, buf, report_of(&k->b, buf, sizeof buf));
  assert_int_equal(counters(k).srtp_auth, 0);
  add(k, &k->c, 3, 1);
  connect_party(k, &k->c);
  assert_int_equal(counters(k).stale, 5);

  k->waited = 0; /* and he is heard again as if those packets had been lost on the way */
  talk(k, &k->a, e, &k->a.at, payload);
  deliver(k);
  assert_int_equal(k->b.packets, 2);
  assert_int_equal(k->b.seq_gap, 5);
  encoder_destroy(e);
}

/* Now and then one is looked at all the same, so that the rollover counter keeps up for hours of it. */
static void test_stale_for_long(void **state) {
  struct kit *k = *state;
  struct encoder *e = voice();
  uint8_t payload[AUDIO_PACKET_MAX];
  connect_party(k, &k->a);
  connect_party(k, &k->b);
  k->waited = MEDIAPORT_STALE_US;
  for (int i = 0; i < 70000; i++) {
    uint8_t buf[200];
    struct rtp h = {.pt = PT, .seq = k->a.seq, .ts = 960u * k->a.seq, .ssrc = k->a.p.ssrc_in};
    size_t n = rtp_build(buf, sizeof buf, &h, 0, NULL, 0);
    k->a.seq++;
    buf[n++] = 0xff;
    assert_int_equal(srtp_session_protect(k->a.srtp, buf, &n, sizeof buf), ERR_OK);
    put(k, &k->a.at, buf, n);
  }
  assert_true(counters(k).stale > 69900 && counters(k).stale < 70000);
  k->waited = 0;
  k->n_out = k->n_ev = 0;
  talk(k, &k->a, e, &k->a.at, payload);
  assert_int_equal(counters(k).srtp_auth, 0);
  deliver(k);
  assert_int_equal(k->b.packets, 1);
  encoder_destroy(e);
}

/* Anything that comes, every 20 ms, each so late; returns how often the load has risen since the start. */
static unsigned busy(struct kit *k, int packets, us_t late, int except_every) {
  uint8_t junk[20] = {0xff};
  for (int i = 0; i < packets; i++, k->now += 20 * US_PER_MS) {
    k->waited = except_every && i % except_every == 0 ? US_PER_MS : late;
    put(k, &k->a.at, junk, sizeof junk);
  }
  k->waited = 0;
  return (unsigned)counters(k).overloads;
}

static void test_load_is_a_queue_that_stands(void **state) {
  struct kit *k = *state;
  assert_int_equal(busy(k, 500, 5 * US_PER_MS, 0), 0);   /* a little late always: no */
  assert_int_equal(busy(k, 500, 100 * US_PER_MS, 5), 0); /* a peak, and another: no */
  assert_int_equal(busy(k, 20, 100 * US_PER_MS, 0), 0);  /* less than a window */
  assert_int_equal(busy(k, 60, 20 * US_PER_MS, 0), 2);   /* two windows: two steps, and there is no third */
  assert_int_equal(busy(k, 200, 20 * US_PER_MS, 0), 2);
  assert_int_equal(busy(k, 270, 0, 0), 2); /* 5 s of calm take one step back ... */
  assert_int_equal(busy(k, 60, 20 * US_PER_MS, 0), 3);
  assert_int_equal(busy(k, 600, 0, 0), 3); /* ... and as much again the other */
  assert_int_equal(busy(k, 80, 20 * US_PER_MS, 0), 5);
}

/* Timers that fire late say it too: a thread may be busy with nothing but mixing. */
static void test_late_timers_count(void **state) {
  struct kit *k = *state;
  struct encoder *e = voice();
  uint8_t payload[AUDIO_PACKET_MAX];
  connect_party(k, &k->a);
  connect_party(k, &k->b);
  talk(k, &k->a, e, &k->a.at, payload);
  for (int i = 0; i < 200 && counters(k).overloads == 0; i++) {
    us_t due = mediaport_next_timeout(k->m);
    assert_true(due != US_NEVER);
    k->now = (due > k->now ? due : k->now) + 30 * US_PER_MS;
    mediaport_handle_timeout(k->m, k->now);
    if (i % 3 == 0) {
      k->waited = 30 * US_PER_MS;
      talk(k, &k->a, e, &k->a.at, payload);
    }
    deliver(k);
    k->n_ev = 0;
  }
  assert_int_equal(counters(k).overloads, 1);
  encoder_destroy(e);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_stale_sound_only, make, unmake),
      cmocka_unit_test_setup_teardown(test_stale_for_long, make, unmake),
      cmocka_unit_test_setup_teardown(test_load_is_a_queue_that_stands, make, unmake),
      cmocka_unit_test_setup_teardown(test_late_timers_count, make, unmake),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
