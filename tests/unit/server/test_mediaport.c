/* The media port by hand: strangers get silence, checks need the right password, addresses move only by a
 * check, consent ends, rights are enforced, what one says reaches the other unchanged, or as loud as was
 * ordered, and people move between rooms. */
#include "tests/unit/server/mediaport_kit.h"

static void test_strangers_get_silence(void **state) {
  struct kit *k = *state;
  struct sockaddr_in who = address(99, 4242);
  uint8_t buf[1600];
  struct dtls *d = dtls_create(k->client_ctx, false, "sha-256", k->server.sha256, 32);
  dtls_start(d, k->now);
  size_t n = dtls_poll_packet(d, buf, sizeof buf);
  assert_true(n > 0);
  put(k, &who, buf, n); /* a perfectly good ClientHello */
  dtls_destroy(d);
  for (unsigned i = 0; i < 4000; i++) {
    n = 1 + rng_below(&k->rng, sizeof buf);
    k->rng.fill(&k->rng, buf, n);
    if (i % 4 == 1)
      buf[0] = 0x80; /* looks like RTP */
    if (i % 4 == 2)
      buf[0] = 22; /* DTLS */
    if (i % 4 == 3)
      buf[0] = 0; /* STUN */
    put(k, &who, buf, n);
  }
  check(k, &k->a, &who, "a password that is wrong");
  struct party ghost = k->a;
  snprintf(ghost.p.local_ufrag, sizeof ghost.p.local_ufrag, "nobody");
  check(k, &ghost, &who, k->a.p.local_pwd);
  assert_int_equal(k->n_out, 0);
  assert_int_equal(k->n_ev, 0);
  struct mediaport_counters c = counters(k);
  assert_int_equal(c.stun_ok, 0);
  assert_int_equal(c.packets_out, 0);
  assert_true(c.unknown_source > 1900 && c.stun_bad > 900);
}

static void test_checks(void **state) {
  struct kit *k = *state;
  struct stun s;
  check(k, &k->a, &k->a.at, k->b.p.local_pwd); /* another's password */
  assert_int_equal(k->n_out, 0);
  check(k, &k->a, &k->a.at, k->a.p.local_pwd);
  assert_int_equal(k->n_out, 1);
  assert_int_equal(stun_parse(k->out[0].data, k->out[0].len, &s), ERR_OK);
  assert_true(s.success && s.has_mapped);
  assert_true(stun_check(k->out[0].data, k->out[0].len, &s, k->a.p.local_pwd));
  assert_memory_equal(&((struct sockaddr_in *)&s.mapped)->sin_addr, &k->a.at.sin_addr, 4);
  assert_int_equal(((struct sockaddr_in *)&s.mapped)->sin_port, k->a.at.sin_port);
}

static void test_forwarded_unchanged(void **state) {
  struct kit *k = *state;
  struct encoder *e = voice();
  uint8_t payload[AUDIO_PACKET_MAX];
  connect_party(k, &k->a);
  connect_party(k, &k->b);
  for (unsigned i = 0; i < 20; i++) {
    size_t len = talk(k, &k->a, e, &k->a.at, payload);
    deliver(k);
    assert_int_equal(k->b.packets, i + 1);
    assert_int_equal(k->b.last_len, len);
    assert_memory_equal(k->b.last, payload, len);
  }
  assert_int_equal(k->a.packets, 0);
  encoder_destroy(e);
}

static void test_rights(void **state) {
  struct kit *k = *state;
  struct encoder *e = voice();
  uint8_t payload[AUDIO_PACKET_MAX];
  connect_party(k, &k->a);
  connect_party(k, &k->b);
  talk(k, &k->a, e, &k->a.at, payload);
  deliver(k);
  assert_int_equal(k->b.packets, 1);
  set(k, &k->a, MEDIA_PEER_SET, false, true);
  for (unsigned i = 0; i < 10; i++)
    talk(k, &k->a, e, &k->a.at, payload);
  deliver(k);
  assert_int_equal(k->b.packets, 1);
  assert_int_equal(counters(k).no_right, 10);
  set(k, &k->a, MEDIA_PEER_SET, true, true);
  set(k, &k->b, MEDIA_PEER_SET, true, false);
  talk(k, &k->a, e, &k->a.at, payload);
  deliver(k);
  assert_int_equal(k->b.packets, 1); /* he may not hear */
  set(k, &k->b, MEDIA_PEER_SET, true, true);
  talk(k, &k->a, e, &k->a.at, payload);
  deliver(k);
  assert_int_equal(k->b.packets, 2);
  set(k, &k->a, MEDIA_PEER_DEL, false, false);
  talk(k, &k->a, e, &k->a.at, payload);
  deliver(k);
  assert_int_equal(k->b.packets, 2);
  assert_int_equal(counters(k).unknown_source, 1);
  encoder_destroy(e);
}

static void test_address_moves_by_check_only(void **state) {
  struct kit *k = *state;
  struct encoder *e = voice();
  uint8_t payload[AUDIO_PACKET_MAX];
  struct sockaddr_in old = k->b.at, new = address(12, 6000);
  connect_party(k, &k->a);
  connect_party(k, &k->b);
  talk(k, &k->b, e, &new, payload); /* authentic SRTP, from an address that no check came from */
  assert_int_equal(counters(k).unknown_source, 1);
  check(k, &k->b, &new, "wrong password");
  talk(k, &k->a, e, &k->a.at, payload);
  deliver(k); /* asserts the old port */
  assert_int_equal(k->b.packets, 1);
  k->now += 4 * US_PER_S; /* the old one is silent; a check from the new one takes over */
  check(k, &k->b, &new, k->b.p.local_pwd);
  k->b.at = new;
  deliver(k);
  talk(k, &k->a, e, &k->a.at, payload);
  deliver(k);
  assert_int_equal(k->b.packets, 2);
  k->b.at = old;
  encoder_destroy(e);
}

static size_t count_levels(const struct kit *k, uint32_t room, uint32_t member) {
  size_t n = 0;
  for (size_t i = 0; i < k->n_ev; i++)
    if (k->ev[i].kind == MEDIA_LEVELS && k->ev[i].room == room)
      for (unsigned w = 0; w < k->ev[i].n; w++)
        n += k->ev[i].level[w].member == member;
  return n;
}

static void open_side_room(struct kit *k) {
  struct media_cmd room = {.kind = MEDIA_ROOM_OPEN, .room = 2};
  mediaport_command(k->m, k->now, &room);
  add(k, &k->c, 3, 2);
  connect_party(k, &k->a);
  connect_party(k, &k->b);
  connect_party(k, &k->c);
  k->n_ev = 0;
}

/* a says something in his room, and c in his. */
static void both_talk(struct kit *k, struct encoder *ea, struct encoder *ec, int times) {
  uint8_t payload[AUDIO_PACKET_MAX];
  for (int i = 0; i < times; i++) {
    talk(k, &k->a, ea, &k->a.at, payload);
    k->now -= 20 * US_PER_MS;
    talk(k, &k->c, ec, &k->c.at, payload);
    deliver(k);
    run_timeouts(k, k->now);
  }
}

static void test_listener_moves(void **state) {
  struct kit *k = *state;
  struct encoder *ea = voice(), *ec = voice();
  open_side_room(k);
  both_talk(k, ea, ec, 30);
  assert_int_equal(k->b.packets, 30);
  assert_int_equal(k->b.h.csrc[0], 1);
  for (unsigned i = 1; i <= 6; i++) { /* there and back: one stream to him, whoever speaks */
    uint32_t room = i % 2 ? 2 : 1;
    k->c.ts_off += 20000; /* c's clock is wrong: the time lines of the rooms drift apart */
    both_talk(k, ea, ec, 1);
    unsigned had = k->b.packets;
    move(k, &k->b, room);
    deliver(k);
    assert_int_equal(k->b.packets, had);
    for (int n = 0; n < 5; n++) {
      both_talk(k, ea, ec, 1);
      assert_int_equal(k->b.packets, ++had);
      assert_int_equal(k->b.h.n_csrc, 1);
      assert_int_equal(k->b.h.csrc[0], room == 2 ? 3 : 1);
      assert_int_equal(k->b.seq_gap, 0);
      assert_int_equal(k->b.ts_gap, 0);
      assert_int_equal(k->b.h.marker, n == 0);
    }
  }
  assert_int_equal(k->a.packets + k->c.packets, 0);
  assert_true(count_levels(k, 1, 1) > 2 && count_levels(k, 2, 3) > 2);
  assert_int_equal(count_levels(k, 1, 3) + count_levels(k, 2, 1), 0);
  encoder_destroy(ea);
  encoder_destroy(ec);
}

static void test_talker_moves(void **state) {
  struct kit *k = *state;
  struct encoder *ea = voice(), *ec = voice();
  open_side_room(k);
  both_talk(k, ea, ec, 20);
  unsigned heard = k->b.packets;
  assert_int_equal(heard, 20);
  size_t told = count_levels(k, 1, 1);
  move(k, &k->a, 2);
  both_talk(k, ea, ec, 30); /* the two of them hear each other */
  assert_int_equal(k->b.packets, heard);
  assert_int_equal(count_levels(k, 1, 1), told);
  assert_true(count_levels(k, 2, 1) > 1);
  assert_int_equal(k->a.packets, 30);
  assert_int_equal(k->a.h.csrc[0], 3);
  assert_true(k->c.packets >= 29);
  assert_int_equal(k->c.h.csrc[0], 1);
  bool silent = false;
  for (size_t i = 0; i < k->n_ev; i++)
    silent |= k->ev[i].kind == MEDIA_LEVELS && k->ev[i].room == 1 && k->ev[i].n == 0;
  assert_true(silent); /* his old room was told that nobody speaks there */
  heard = k->c.packets;
  unsigned own = k->a.packets;
  move(k, &k->a, 1);
  both_talk(k, ea, ec, 10);
  assert_int_equal(k->c.packets, heard);
  assert_int_equal(k->a.packets, own);
  assert_int_equal(k->b.packets, 30);
  assert_int_equal(k->b.seq_gap, 0);
  struct media_cmd gone = {.kind = MEDIA_ROOM_CLOSE, .room = 2};
  mediaport_command(k->m, k->now, &gone);
  assert_int_equal(counters(k).peers, 2); /* only who is in it leaves with a room */
  encoder_destroy(ea);
  encoder_destroy(ec);
}

static void test_unknown_room_is_silence(void **state) {
  struct kit *k = *state;
  struct encoder *ea = voice(), *ec = voice();
  open_side_room(k);
  both_talk(k, ea, ec, 5);
  move(k, &k->a, 77);
  both_talk(k, ea, ec, 5);
  assert_int_equal(k->b.packets, 5);
  assert_int_equal(counters(k).no_right, 5);
  move(k, &k->a, 1);
  both_talk(k, ea, ec, 5);
  assert_int_equal(k->b.packets, 10);
  move(k, &k->b, 77);
  both_talk(k, ea, ec, 5);
  assert_int_equal(k->b.packets, 10);
  move(k, &k->b, 2);
  both_talk(k, ea, ec, 5);
  assert_int_equal(k->b.packets, 15);
  assert_int_equal(k->b.h.csrc[0], 3);
  encoder_destroy(ea);
  encoder_destroy(ec);
}

static uint8_t level_of(struct decoder *d, const uint8_t *p, size_t n) {
  float pcm[AUDIO_FRAME_MAX];
  int samples = decoder_run(d, p, n, pcm);
  assert_true(samples > 0);
  return level_dbov(pcm, (size_t)samples);
}

/* By how many dB what b hears is softer than what a sends, after some packets. */
static int softer_by(struct kit *k, struct encoder *e, const struct media_cmd *cmd) {
  struct decoder *sent = decoder_create(), *came = decoder_create();
  uint8_t payload[AUDIO_PACKET_MAX];
  int by = 0;
  assert_true(sent && came);
  mediaport_command(k->m, k->now, cmd);
  for (int i = 0; i < 12; i++) {
    unsigned had = k->b.packets;
    size_t len = talk(k, &k->a, e, &k->a.at, payload);
    deliver(k);
    by = level_of(sent, payload, len);
    if (k->b.packets > had)
      by = level_of(came, k->b.last, k->b.last_len) - by;
  }
  decoder_destroy(sent);
  decoder_destroy(came);
  return by;
}

static void test_orders_reach_the_mixer(void **state) {
  struct kit *k = *state;
  struct encoder *e = voice();
  connect_party(k, &k->a);
  connect_party(k, &k->b);
  struct media_cmd cmd = order(&k->a, MEDIA_PEER_SET, 1);
  assert_int_equal(softer_by(k, e, &cmd), 0);
  cmd.gain_db = -12;
  assert_in_range(softer_by(k, e, &cmd), 10, 14);
  cmd.gain_db = 0;
  assert_int_equal(softer_by(k, e, &cmd), 0);
  cmd = order(&k->b, MEDIA_PEER_SET, 1);
  cmd.gain_db = 6; /* the loudness of who listens is not what he hears */
  assert_int_equal(softer_by(k, e, &cmd), 0);
  encoder_destroy(e);
}

static void test_consent_expires(void **state) {
  struct kit *k = *state;
  connect_party(k, &k->a);
  connect_party(k, &k->b);
  k->n_ev = 0;
  us_t begun = k->now;
  run_timeouts(k, begun + 20 * US_PER_S);
  check(k, &k->b, &k->b.at, k->b.p.local_pwd); /* one of them still asks */
  run_timeouts(k, begun + 30 * US_PER_S - 1);
  assert_int_equal(counters(k).peers, 2);
  run_timeouts(k, begun + 30 * US_PER_S);
  assert_int_equal(counters(k).peers, 1);
  size_t lost = 0;
  for (size_t i = 0; i < k->n_ev; i++)
    if (k->ev[i].kind == MEDIA_LOST) {
      lost++;
      assert_int_equal(k->ev[i].peer, k->a.handle);
    }
  assert_int_equal(lost, 1);
  run_timeouts(k, begun + 51 * US_PER_S);
  assert_int_equal(counters(k).peers, 0);
  assert_true(mediaport_next_timeout(k->m) == US_NEVER);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_strangers_get_silence, make, unmake),
      cmocka_unit_test_setup_teardown(test_checks, make, unmake),
      cmocka_unit_test_setup_teardown(test_forwarded_unchanged, make, unmake),
      cmocka_unit_test_setup_teardown(test_rights, make, unmake),
      cmocka_unit_test_setup_teardown(test_address_moves_by_check_only, make, unmake),
      cmocka_unit_test_setup_teardown(test_listener_moves, make, unmake),
      cmocka_unit_test_setup_teardown(test_talker_moves, make, unmake),
      cmocka_unit_test_setup_teardown(test_unknown_room_is_silence, make, unmake),
      cmocka_unit_test_setup_teardown(test_orders_reach_the_mixer, make, unmake),
      cmocka_unit_test_setup_teardown(test_consent_expires, make, unmake),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
