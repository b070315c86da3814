/* What listeners must not get, and what one peer may cost the others: own words, words of who was silenced
 * though they lie in a copy, sound faster than time. */
#include "core/wire/red.h"
#include "core/wire/rtcp_nack.h"
#include "tests/unit/server/mediaport_kit.h"

#define RED_PT 112

static void speak(struct kit *k, struct party *p, struct encoder *e, unsigned n) {
  uint8_t payload[AUDIO_PACKET_MAX];
  for (unsigned i = 0; i < n; i++) {
    us_t until = k->now + 20 * US_PER_MS;
    talk(k, p, e, &p->at, payload);
    deliver(k);
    run_timeouts(k, until);
    k->n_ev = 0;
  }
}

static void rest(struct kit *k, us_t us) {
  run_timeouts(k, k->now + us);
  k->n_ev = 0;
}

/* Who has spoken lost nothing in the meantime: his numbers go on, though his time does. */
static void own_words_leave_no_gap(void **state) {
  struct kit *k = *state;
  struct encoder *e = voice(), *f = voice();
  connect_party(k, &k->a);
  connect_party(k, &k->b);
  speak(k, &k->a, e, 20);
  rest(k, US_PER_S);
  assert_int_equal(k->b.packets, 20);
  speak(k, &k->b, f, 100);
  rest(k, US_PER_S);
  assert_int_equal(k->b.packets, 20);
  speak(k, &k->a, e, 1);
  assert_int_equal(k->b.packets, 21);
  assert_int_equal(k->b.seq_gap, 0);
  assert_in_range(k->b.ts_gap, 3 * AUDIO_RATE, 5 * AUDIO_RATE);
  speak(k, &k->a, e, 9);
  assert_int_equal(k->b.seq_gap, 0);
  encoder_destroy(e);
  encoder_destroy(f);
}

/* Who speaks too gets the other's packets with their gaps: what passes by meanwhile was never his. */
static void two_who_speak_see_what_is_lost(void **state) {
  struct kit *k = *state;
  struct encoder *e = voice(), *f = voice();
  uint8_t payload[AUDIO_PACKET_MAX];
  add(k, &k->c, 3, 1);
  connect_party(k, &k->a);
  connect_party(k, &k->b);
  connect_party(k, &k->c);
  speak(k, &k->a, e, 20); /* b hears what all hear */
  for (unsigned i = 0; i < 100; i++) {
    k->a.seq = (uint16_t)(k->a.seq + (i == 90));
    us_t at = k->now;
    talk(k, &k->a, e, &k->a.at, payload);
    deliver(k);
    if (i >= 80) {
      assert_int_equal(k->b.seq_gap, i == 90);
      assert_false(k->b.h.marker);
    }
    k->now = at;
    talk(k, &k->b, f, &k->b.at, payload);
    deliver(k);
    run_timeouts(k, at + 20 * US_PER_MS);
    k->n_ev = 0;
  }
  encoder_destroy(e);
  encoder_destroy(f);
}

/* ---- sound of a home, heard on an edge ---- */

enum { ANN = 71, BOB = 72 };

static void edge_make(struct kit *k) {
  struct media_cmd cmd = {.kind = MEDIA_EDGE_OPEN, .room = 5};
  mediaport_command(k->m, k->now, &cmd);
  add(k, &k->c, 3, 5);
  set(k, &k->c, MEDIA_PEER_DEL, false, false);
  k->c.handle = 13;
  k->c.p.red_pt = RED_PT;
  k->c.p.nack = true;
  cmd = order(&k->c, MEDIA_PEER_ADD, 5);
  mediaport_command(k->m, k->now, &cmd);
  connect_party(k, &k->c);
}

static struct media_edge edge_sound_of(struct encoder *e, uint32_t seq, const uint32_t *who, unsigned n,
                                       unsigned n_personal) {
  float pcm[AUDIO_FRAME];
  struct media_edge m = {.kind = EDGE_SOUND, .room = 5, .n_personal = n_personal};
  for (size_t i = 0; i < AUDIO_FRAME; i++)
    pcm[i] = (float)((i + 7 * seq) % 96) / 200.0f - 0.25f;
  int len = encoder_run(e, pcm, AUDIO_FRAME, m.data, sizeof m.data);
  assert_true(len > 2);
  m.out = (struct mixer_out){.seq = seq,
                             .pos = UINT64_C(960) * seq,
                             .samples = AUDIO_FRAME,
                             .mixed = true,
                             .len = (size_t)len,
                             .n_from = n};
  memcpy(m.out.from, who, n * sizeof *who);
  memcpy(m.personal, who, n_personal * sizeof *who);
  return m;
}

/* He reports what makes copies be sent. */
static void report_loss(struct kit *k, struct party *p) {
  uint8_t buf[300];
  struct rtcp_report r = {.ssrc = p->p.ssrc_out, .fraction_lost = 50, .highest_seq = p->h.seq};
  size_t n = rtcp_build_rr(buf, sizeof buf, p->p.ssrc_in, &r, 1, "c");
  assert_int_equal(srtp_session_protect_rtcp(p->srtp, buf, &n, sizeof buf), ERR_OK);
  put(k, &p->at, buf, n);
  k->n_out = 0;
}

/* The louder took his place just before he was silenced: he is nobody's of those who speak any more, and
 * still in what the listeners may get a copy of. */
static void silenced_after_he_lost_his_place(void **state) {
  static const uint32_t both[] = {BOB, ANN};
  struct kit *k = *state;
  struct encoder *e = voice();
  struct red_block v[RED_BLOCKS_MAX];
  size_t n;
  edge_make(k);
  for (uint32_t seq = 1; seq <= 400; seq++, k->now += 20 * US_PER_MS) {
    struct media_edge m = edge_sound_of(e, seq, both, seq < 400 ? 2 : 1, seq < 399 ? 2 : 1);
    if (seq == 400) {
      struct media_edge cut = {.kind = EDGE_SILENCE, .room = 5, .member = ANN, .cuts = 1};
      m.cuts = 1;
      assert_int_equal(red_parse(k->c.last, k->c.last_len, v, &n), ERR_OK); /* there are copies */
      assert_true(k->c.h.pt == RED_PT && n > 1);
      mediaport_handle_edge(k->m, k->now, &cut);
    }
    unsigned had = k->c.packets;
    mediaport_handle_edge(k->m, k->now, &m);
    deliver(k);
    assert_int_equal(k->c.packets, had + 1);
    if (seq % 75 == 74)
      report_loss(k, &k->c);
    k->n_ev = 0;
  }
  assert_int_equal(k->c.h.pt, PT);
  encoder_destroy(e);
}

/* c asks for his last packet again; whether he gets it. */
static bool again(struct kit *k) {
  uint8_t buf[300];
  k->n_out = 0;
  size_t n = rtcp_build_nack(buf, sizeof buf, k->c.p.ssrc_in, k->c.p.ssrc_out, &k->c.h.seq, 1);
  assert_int_equal(srtp_session_protect_rtcp(k->c.srtp, buf, &n, sizeof buf), ERR_OK);
  put(k, &k->c.at, buf, n);
  bool sent = k->n_out > 0;
  k->n_out = 0;
  return sent;
}

/* What was lost of him is not sent again either. */
static void silenced_is_not_sent_again(void **state) {
  static const uint32_t who[] = {ANN};
  struct kit *k = *state;
  struct encoder *e = voice();
  edge_make(k);
  for (uint32_t seq = 1; seq <= 20; seq++, k->now += 20 * US_PER_MS) {
    struct media_edge m = edge_sound_of(e, seq, who, 1, 1);
    mediaport_handle_edge(k->m, k->now, &m);
    deliver(k);
    if (seq == 10)
      assert_false(again(k)); /* from now on they are kept */
  }
  assert_true(again(k));
  k->now += 40 * US_PER_MS;
  struct media_edge cut = {.kind = EDGE_SILENCE, .room = 5, .member = ANN, .cuts = 1};
  mediaport_handle_edge(k->m, k->now, &cut);
  assert_false(again(k));
  encoder_destroy(e);
}

/* ---- cost ---- */

/* 100 packets a second of 120 ms each would be twelve voices' work. */
static void sound_faster_than_time(void **state) {
  struct kit *k = *state;
  uint8_t buf[1500];
  struct encoder *e = voice();
  static float pcm[AUDIO_FRAME_MAX];
  connect_party(k, &k->a);
  connect_party(k, &k->b);
  for (size_t i = 0; i < AUDIO_FRAME_MAX; i++)
    pcm[i] = (float)(i % 96) / 200.0f - 0.25f;
  uint64_t heard = 0;
  for (unsigned i = 0; i < 500; i++, k->now += 10 * US_PER_MS) {
    uint8_t payload[1200];
    int len = encoder_run(e, pcm, AUDIO_FRAME_MAX, payload, sizeof payload);
    assert_true(len > 2);
    struct rtp h = {.pt = PT, .seq = k->a.seq, .ts = 5760u * k->a.seq, .ssrc = k->a.p.ssrc_in};
    k->a.seq++;
    size_t n = rtp_build(buf, sizeof buf, &h, 0, NULL, 0);
    memcpy(buf + n, payload, (size_t)len);
    n += (size_t)len;
    assert_int_equal(srtp_session_protect(k->a.srtp, buf, &n, sizeof buf), ERR_OK);
    unsigned had = k->b.packets;
    put(k, &k->a.at, buf, n);
    deliver(k);
    heard += (k->b.packets - had) * UINT64_C(5760);
    k->n_ev = 0;
  }
  assert_in_range(heard, 4 * AUDIO_RATE, 7 * AUDIO_RATE); /* in 5 s */
  encoder_destroy(e);
}

/* He who speaks and waits for another tier of a stream that carries nothing costs those who hear him nothing:
 * what they get is as if he had not. */
static void his_shift_is_not_theirs(void **state) {
  (void)state;
  static uint8_t got[2][40][400];
  static size_t len[2][40];
  for (unsigned run = 0; run < 2; run++) {
    void *made = NULL;
    assert_int_equal(make(&made), 0);
    struct kit *k = made;
    struct encoder *e = voice();
    connect_party(k, &k->a);
    connect_party(k, &k->b);
    struct media_cmd cmd = order(&k->b, MEDIA_PEER_SET, 1);
    cmd.kbps = 11;
    mediaport_command(k->m, k->now, &cmd);
    speak(k, &k->a, e, 60);
    cmd = order(&k->a, MEDIA_PEER_SET, 1);
    cmd.kbps = run ? 11 : 0;
    mediaport_command(k->m, k->now, &cmd);
    for (unsigned i = 0, had = k->b.packets; i < 40; had = k->b.packets) {
      speak(k, &k->a, e, 1);
      if (k->b.packets == had)
        continue;
      assert_true(k->b.last_len <= sizeof got[0][0]);
      len[run][i] = k->b.last_len;
      memcpy(got[run][i++], k->b.last, k->b.last_len);
    }
    encoder_destroy(e);
    (void)unmake(&made);
  }
  for (unsigned i = 0; i < 40; i++) {
    assert_int_equal(len[0][i], len[1][i]);
    assert_memory_equal(got[0][i], got[1][i], len[0][i]);
  }
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, make, unmake)
  const struct CMUnitTest tests[] = {
      T(own_words_leave_no_gap),           T(two_who_speak_see_what_is_lost),
      T(silenced_after_he_lost_his_place), T(silenced_is_not_sent_again),
      T(sound_faster_than_time),           cmocka_unit_test(his_shift_is_not_theirs)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
