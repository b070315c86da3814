/* Peers behind other carriers than UDP: the same rules for who is heard, and from where. */
#include "core/server/carrier.h"
#include "tests/unit/server/mediaport_kit.h"

static struct sockaddr_carrier carrier(enum via via, uint32_t handle, uint32_t peer) {
  return (struct sockaddr_carrier){.family = CARRIER_FAMILY,
                                   .via = (uint8_t)via,
                                   .handle = handle,
                                   .peer = peer,
                                   .from = {.sin6_family = AF_INET6, .sin6_port = htons(7)}};
}

static void put_by(struct kit *k, const struct sockaddr_carrier *from, const void *p, size_t n) {
  uint8_t buf[2000];
  memcpy(buf, p, n);
  mediaport_handle_packet(k->m, k->now, (const struct sockaddr *)from, sizeof *from, buf, n);
}

static void check_by(struct kit *k, const struct party *p, const struct sockaddr_carrier *from,
                     const char *agent, const char *pwd) {
  uint8_t buf[STUN_MAX], tid[12] = {9, 8, 7};
  char name[32];
  snprintf(name, sizeof name, "%s:%s", p->p.local_ufrag, agent);
  put_by(k, from, buf, stun_build_request(buf, sizeof buf, tid, name, pwd, true, 77, 1, true));
}

static bool leaves_by(const struct kit *k, size_t i, const struct sockaddr_carrier *c) {
  const struct sockaddr_carrier *to = carrier_of((const struct sockaddr *)&k->out[i].to);
  return to && to->via == c->via && to->handle == c->handle && k->out[i].to_len == sizeof *c;
}

/* One packet of b's voice, sent as it is to a: by what does it leave? */
static const struct media_datagram *b_speaks(struct kit *k) {
  uint8_t payload[AUDIO_PACKET_MAX];
  struct encoder *e = voice();
  const struct media_datagram *d = NULL;
  k->n_out = 0;
  for (int i = 0; i < 3; i++)
    (void)talk(k, &k->b, e, &k->b.at, payload);
  for (size_t i = 0; i < k->n_out; i++)
    if (k->out[i].data[0] >= 128)
      d = &k->out[i];
  encoder_destroy(e);
  return d;
}

static void a_check_is_answered_on_its_carrier(void **state) {
  struct kit *k = *state;
  struct sockaddr_carrier c = carrier(VIA_TUNNEL, 5, k->a.handle);
  struct stun s;
  check_by(k, &k->a, &c, "tunn", k->a.p.local_pwd);
  assert_int_equal(k->n_out, 1);
  assert_true(leaves_by(k, 0, &c));
  assert_int_equal(stun_parse(k->out[0].data, k->out[0].len, &s), ERR_OK);
  assert_true(s.success && stun_check(k->out[0].data, k->out[0].len, &s, k->a.p.local_pwd));
  assert_int_equal(s.mapped.ss_family, AF_INET6); /* of the connection, not of the carrier */
}

static void who_passed_no_check_is_not_heard(void **state) {
  struct kit *k = *state;
  struct sockaddr_carrier own = carrier(VIA_TUNNEL, 5, k->a.handle),
                          others[] = {carrier(VIA_TUNNEL, 6, k->a.handle),
                                      carrier(VIA_TUNNEL, 5, k->b.handle), carrier(VIA_TCP, 5, k->a.handle),
                                      carrier(VIA_TCP, 5, 0)};
  const uint8_t hello[20] = {22, 254, 255}, sound[40] = {128, PT};
  check_by(k, &k->a, &own, "tunn", "not the password at all!");
  assert_int_equal(k->n_out, 0);
  check_by(k, &k->a, &own, "tunn", k->a.p.local_pwd);
  k->n_out = 0;
  for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
    uint64_t unknown = counters(k).unknown_source;
    put_by(k, &others[i], hello, sizeof hello);
    put_by(k, &others[i], sound, sizeof sound);
    assert_int_equal(counters(k).unknown_source, unknown + 2);
  }
  assert_int_equal(k->n_out, 0);
}

static void nobody_s_tunnel_takes_another_s_path(void **state) {
  struct kit *k = *state;
  struct sockaddr_carrier c = carrier(VIA_TUNNEL, 5, k->b.handle); /* b's connection, with what a may use */
  uint64_t bad = counters(k).stun_bad;
  check_by(k, &k->a, &c, "tunn", k->a.p.local_pwd);
  assert_int_equal(k->n_out, 0);
  assert_int_equal(counters(k).stun_bad, bad + 1);
}

static void the_path_goes_over_and_back_without_a_handshake(void **state) {
  struct kit *k = *state;
  struct sockaddr_carrier tunnel = carrier(VIA_TUNNEL, 5, k->a.handle), tcp = carrier(VIA_TCP, 9, 0);
  connect_party(k, &k->a);
  connect_party(k, &k->b);
  const struct media_datagram *d = b_speaks(k);
  assert_non_null(d);
  assert_int_equal(d->to.ss_family, AF_INET);
  check_by(k, &k->a, &tunnel, "tunn", k->a.p.local_pwd); /* another agent of his: from now on there */
  d = b_speaks(k);
  assert_true(leaves_by(k, (size_t)(d - k->out), &tunnel));
  check_by(k, &k->a, &tcp, "tcpa", k->a.p.local_pwd);
  d = b_speaks(k);
  assert_true(leaves_by(k, (size_t)(d - k->out), &tcp));
  struct sockaddr_in home = k->a.at; /* and a third one, by UDP from another port */
  home.sin_port = htons(4242);
  uint8_t buf[STUN_MAX], tid[12] = {1};
  char name[32];
  snprintf(name, sizeof name, "%s:udpb", k->a.p.local_ufrag);
  put(k, &home, buf,
      stun_build_request(buf, sizeof buf, tid, name, k->a.p.local_pwd, true, 77, 0x7e0000ff, true));
  d = b_speaks(k);
  assert_int_equal(d->to.ss_family, AF_INET);
  assert_int_equal(memcmp(&d->to, &home, 8), 0);
}

static void his_words_come_in_by_the_tunnel_and_mute_stops_them(void **state) {
  struct kit *k = *state;
  struct sockaddr_carrier c = carrier(VIA_TUNNEL, 5, k->a.handle);
  connect_party(k, &k->a);
  connect_party(k, &k->b);
  check_by(k, &k->a, &c, "tunn", k->a.p.local_pwd);
  struct encoder *e = voice();
  float pcm[AUDIO_FRAME] = {0};
  for (size_t i = 0; i < AUDIO_FRAME; i++)
    pcm[i] = (float)(i % 96) / 200.0f - 0.25f;
  for (int round = 0; round < 2; round++) {
    unsigned to_b = 0;
    if (round == 1)
      set(k, &k->a, MEDIA_PEER_SET, false, true); /* muted */
    uint64_t refused = counters(k).no_right;
    for (int i = 0; i < 5; i++) {
      uint8_t buf[1500], payload[AUDIO_PACKET_MAX];
      int len = encoder_run(e, pcm, AUDIO_FRAME, payload, sizeof payload);
      struct rtp h = {.pt = PT, .seq = k->a.seq, .ts = 960u * k->a.seq, .ssrc = k->a.p.ssrc_in};
      k->a.seq++;
      size_t n = rtp_build(buf, sizeof buf, &h, 0, NULL, 0);
      memcpy(buf + n, payload, (size_t)len);
      n += (size_t)len;
      assert_int_equal(srtp_session_protect(k->a.srtp, buf, &n, sizeof buf), ERR_OK);
      k->n_out = 0;
      put_by(k, &c, buf, n);
      for (size_t o = 0; o < k->n_out; o++)
        to_b += k->out[o].to.ss_family == AF_INET && k->out[o].data[0] >= 128;
      k->now += 20 * US_PER_MS;
    }
    assert_int_equal(to_b > 0, round == 0);
    assert_int_equal(counters(k).no_right - refused, round == 0 ? 0 : 5);
  }
  encoder_destroy(e);
}

static void reports_say_by_what_he_comes(void **state) {
  struct kit *k = *state;
  struct sockaddr_carrier c = carrier(VIA_TUNNEL, 5, k->a.handle);
  unsigned seen[4] = {0};
  connect_party(k, &k->a);
  connect_party(k, &k->b);
  check_by(k, &k->a, &c, "tunn", k->a.p.local_pwd);
  k->n_out = k->n_ev = 0;
  for (us_t until = k->now + 3 * US_PER_S; k->now < until; k->now += 100 * US_PER_MS) {
    mediaport_handle_timeout(k->m, k->now);
    k->n_out = 0;
  }
  for (size_t i = 0; i < k->n_ev; i++)
    if (k->ev[i].kind == MEDIA_STATS && k->ev[i].peer == k->a.handle)
      seen[k->ev[i].stats.via]++;
    else if (k->ev[i].kind == MEDIA_STATS)
      assert_int_equal(k->ev[i].stats.via, VIA_UDP);
  assert_true(seen[VIA_TUNNEL] > 0);
  assert_int_equal(seen[VIA_UDP], 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make, unmake)
int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_check_is_answered_on_its_carrier),
      TEST(who_passed_no_check_is_not_heard),
      TEST(nobody_s_tunnel_takes_another_s_path),
      TEST(the_path_goes_over_and_back_without_a_handshake),
      TEST(his_words_come_in_by_the_tunnel_and_mute_stops_them),
      TEST(reports_say_by_what_he_comes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
