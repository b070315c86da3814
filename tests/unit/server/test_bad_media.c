/* docs/bad-input.md 16 to 22 at the media port, by parties who have passed their checks and hold true keys:
 * whatever one of them sends, the call of the two others goes on, and nothing is said in another's name. */
#include "tests/unit/server/mediaport_kit.h"

#include <openssl/ssl.h>

struct call {
  struct kit *k;
  struct encoder *e;
};

/* a and b are in a call; c is the one who misbehaves. */
static struct call begin(struct kit *k) {
  struct call c = {k, voice()};
  add(k, &k->c, 3, 1);
  connect_party(k, &k->a);
  connect_party(k, &k->b);
  return c;
}

static void goes_on(struct call *c) {
  uint8_t payload[AUDIO_PACKET_MAX];
  struct kit *k = c->k;
  unsigned had = k->b.packets;
  k->n_ev = 0;
  for (int i = 0; i < 3; i++) {
    talk(k, &k->a, c->e, &k->a.at, payload);
    deliver(k);
  }
  assert_int_equal(k->b.packets, had + 3);
  assert_int_equal(k->b.h.n_csrc, 1);
  assert_int_equal(k->b.h.csrc[0], k->a.handle);
  assert_int_equal(k->a.packets, 0);
  k->n_ev = 0;
}

static void end(struct call *c) {
  goes_on(c);
  encoder_destroy(c->e);
}

/* ---- 16: checks that are none ---- */

static void put16(uint8_t *p, size_t v) {
  p[0] = (uint8_t)(v >> 8);
  p[1] = (uint8_t)v;
}

/* A true check of c's, to be damaged. */
static size_t true_check(const struct kit *k, uint8_t out[STUN_MAX]) {
  static const uint8_t TID[12] = {1};
  char name[32];
  snprintf(name, sizeof name, "%s:them", k->c.p.local_ufrag);
  return stun_build_request(out, STUN_MAX, TID, name, k->c.p.local_pwd, true, 77, 0x7e0000ff, true);
}

static void bad_16_checks(void **state) {
  struct kit *k = *state;
  struct call c = begin(k);
  uint8_t good[STUN_MAX], bad[STUN_MAX + 64];
  size_t n = true_check(k, good);
  uint64_t before = counters(k).stun_bad;
  for (size_t value = 0; value < 65536;
       value += value < 600 ? 1 : 137) { /* the length told, 0xffff included */
    memcpy(bad, good, n);
    put16(bad + 2, value == 65535 - 65535 % 137 ? 0xffff : value);
    if ((size_t)((bad[2] << 8) + bad[3]) != n - 20)
      put(k, &k->c.at, bad, n);
  }
  for (size_t at = 20; at + 4 <= n;
       at += 4) { /* attributes longer than the message, and not a multiple of 4 */
    memcpy(bad, good, n);
    put16(bad + at + 2, 0xffff);
    put(k, &k->c.at, bad, n);
    memcpy(bad, good, n);
    put16(bad + at + 2, n);
    put(k, &k->c.at, bad, n);
  }
  for (size_t i = 0; i < 8 * n; i++) { /* each bit: also the FINGERPRINT's and the integrity's */
    memcpy(bad, good, n);
    bad[i / 8] ^= (uint8_t)(1 << i % 8);
    put(k, &k->c.at, bad, n);
  }
  for (size_t cut = 1; cut < n; cut++)
    put(k, &k->c.at, good, cut);
  for (size_t more = 1; more < 64; more++) { /* bytes after the end */
    memcpy(bad, good, n);
    memset(bad + n, 0, more);
    put(k, &k->c.at, bad, n + more);
  }
  assert_int_equal(k->n_out, 0);
  assert_true(counters(k).stun_bad > before + 1000);
  put(k, &k->c.at, good, n); /* it was a true one */
  assert_int_equal(k->n_out, 1);
  deliver(k);
  end(&c);
}

/* ---- 17 to 19: handshakes ---- */

/* The hello of ES2023-01: well formed, 124 bytes, offers nothing but NULL_WITH_NULL_NULL. */
static size_t null_hello(uint8_t p[137]) {
  static const uint8_t HEAD[] = {22, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, 0,   0,    124, 1,
                                 0,  0,    112,  0, 0, 0, 0, 0, 0, 0, 112, 0xfe, 0xfd};
  static const uint8_t REST[] = {0, 0, 0, 2, 0, 0, 1, 0, 0, 68, 0, 21, 0, 64};
  memset(p, 0, 137);
  memcpy(p, HEAD, sizeof HEAD);
  memset(p + sizeof HEAD, 0x5a, 32);
  memcpy(p + sizeof HEAD + 32, REST, sizeof REST);
  return 137;
}

static void take_keys(struct party *p) {
  struct dtls_keys keys;
  assert_int_equal(dtls_state(p->dtls), DTLS_DONE);
  assert_true(dtls_take_keys(p->dtls, &keys));
  p->srtp = srtp_session_create(&keys, p->p.ssrc_out);
  assert_non_null(p->srtp);
}

/* c's handshake, with `n` bytes forged in his name (or from elsewhere) before each of his datagrams. */
static void handshake_among(struct kit *k, const struct sockaddr_in *from, const uint8_t *forged, size_t n) {
  uint8_t buf[1500];
  struct party *p = &k->c;
  check(k, p, &p->at, p->p.local_pwd);
  deliver(k);
  for (int i = 0; i < 20; i++)
    put(k, from, forged, n);
  p->dtls = dtls_create(k->client_ctx, false, "sha-256", k->server.sha256, 32);
  dtls_start(p->dtls, k->now);
  for (int i = 0; i < 40 && dtls_state(p->dtls) != DTLS_DONE; i++) {
    for (size_t len; (len = dtls_poll_packet(p->dtls, buf, sizeof buf));) {
      put(k, from, forged, n);
      put(k, &p->at, buf, len);
    }
    deliver(k);
    k->now += 250 * US_PER_MS;
    dtls_handle_timeout(p->dtls, k->now);
    run_timeouts(k, k->now);
  }
  take_keys(p);
}

/* ... after which c speaks, and everybody hears him. */
static void among(struct kit *k, bool from_elsewhere, const uint8_t *forged, size_t n) {
  uint8_t payload[AUDIO_PACKET_MAX];
  struct call c = begin(k);
  struct sockaddr_in elsewhere = address(99, 4242);
  handshake_among(k, from_elsewhere ? &elsewhere : &k->c.at, forged, n);
  goes_on(&c);
  for (int i = 0; i < 50; i++)
    put(k, from_elsewhere ? &elsewhere : &k->c.at, forged, n);
  unsigned had = k->a.packets;
  struct encoder *e = voice();
  for (int i = 0; i < 5; i++) {
    talk(k, &k->c, e, &k->c.at, payload);
    deliver(k);
  }
  assert_true(k->a.packets >= had + 4);
  assert_int_equal(counters(k).dtls_bad, 0);
  encoder_destroy(e);
  encoder_destroy(c.e);
}

static void bad_17_null_hello_from_elsewhere(void **state) {
  uint8_t p[137];
  among(*state, true, p, null_hello(p));
  assert_true(counters(*state).unknown_source > 60);
}

static void bad_17_null_hello_in_his_name(void **state) {
  uint8_t p[137];
  among(*state, false, p, null_hello(p));
}

static void bad_18_wrong_fingerprint(void **state) {
  struct kit *k = *state;
  uint8_t buf[1500];
  struct call c = begin(k);
  struct media_cmd gone = order(&k->c, MEDIA_PEER_DEL, 1);
  mediaport_command(k->m, k->now, &gone);
  k->c.p.fingerprint[5] ^= 1;
  struct media_cmd again = order(&k->c, MEDIA_PEER_ADD, 1);
  mediaport_command(k->m, k->now, &again);
  check(k, &k->c, &k->c.at, k->c.p.local_pwd);
  deliver(k);
  k->n_ev = 0;
  k->c.dtls = dtls_create(k->client_ctx, false, "sha-256", k->server.sha256, 32);
  dtls_start(k->c.dtls, k->now);
  for (int i = 0; i < 10; i++) {
    for (size_t n; (n = dtls_poll_packet(k->c.dtls, buf, sizeof buf));)
      put(k, &k->c.at, buf, n);
    deliver(k);
  }
  assert_int_equal(k->n_ev, 1);
  assert_int_equal(k->ev[0].kind, MEDIA_FAILED);
  assert_int_equal(k->ev[0].peer, k->c.handle);
  assert_int_equal(k->ev[0].why, ERR_FINGERPRINT);
  assert_int_equal(counters(k).dtls_bad, 1);
  end(&c);
}

/* A hello in fragments of one byte (RFC 6347 4.2.3), 100 in a record, is a hello. */
static void bad_19_hello_in_single_bytes(void **state) {
  struct kit *k = *state;
  uint8_t hello[1500], part[13 + 100 * 13];
  struct call c = begin(k);
  check(k, &k->c, &k->c.at, k->c.p.local_pwd);
  deliver(k);
  k->c.dtls = dtls_create(k->client_ctx, false, "sha-256", k->server.sha256, 32);
  dtls_start(k->c.dtls, k->now);
  size_t n = dtls_poll_packet(k->c.dtls, hello, sizeof hello);
  assert_true(n > 25);
  for (size_t at = 0, len; at < n - 25; at += 100) {
    assert_int_equal(k->n_out, 0);
    memcpy(part, hello, 13);
    put16(part + 9, 40 + at / 100); /* a number the client will not use again */
    for (len = 0; len < 100 && at + len < n - 25; len++) {
      uint8_t *f = part + 13 + 13 * len;
      memcpy(f, hello + 13, 12);
      put16(f + 7, at + len);
      put16(f + 10, 1);
      f[12] = hello[25 + at + len];
    }
    put16(part + 11, 13 * len);
    put(k, &k->c.at, part, 13 + 13 * len);
  }
  assert_true(k->n_out > 0);
  for (int i = 0; i < 10 && dtls_state(k->c.dtls) != DTLS_DONE; i++) {
    deliver(k);
    for (size_t len; (len = dtls_poll_packet(k->c.dtls, hello, sizeof hello));)
      put(k, &k->c.at, hello, len);
  }
  take_keys(&k->c);
  k->n_out = 0; /* the server's last flight, maybe once more */
  end(&c);
}

static void bad_19_length_of_16_mb(void **state) {
  uint8_t p[] = {22,   0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 77,   0,    16, 1, 0xff,
                 0xff, 0xff, 0,    0, 0, 0, 0, 0, 0, 4, 0xfe, 0xfd, 1,  2};
  among(*state, false, p, sizeof p);
}

/* It ends his own handshake if it comes in the middle, and nobody else's. */
static void bad_19_fragment_beyond_the_end(void **state) {
  static const uint8_t P[] = {22, 0xfe, 0xfd, 0, 0,    0,    0,    0, 0, 0, 78,   0,    16, 1, 0,
                              0,  9,    0,    0, 0xff, 0xff, 0xf0, 0, 0, 4, 0xfe, 0xfd, 1,  2};
  struct kit *k = *state;
  uint8_t buf[1500];
  struct call c = begin(k);
  check(k, &k->c, &k->c.at, k->c.p.local_pwd);
  deliver(k);
  for (int i = 0; i < 20; i++)
    put(k, &k->c.at, P, sizeof P);
  assert_int_equal(k->n_out, 0);
  k->c.dtls = dtls_create(k->client_ctx, false, "sha-256", k->server.sha256, 32);
  dtls_start(k->c.dtls, k->now);
  k->n_ev = 0;
  put(k, &k->c.at, buf, dtls_poll_packet(k->c.dtls, buf, sizeof buf));
  assert_true(k->n_out > 0); /* what came before his hello did no harm */
  k->n_out = 0;
  put(k, &k->c.at, P, sizeof P);
  assert_int_equal(k->ev[0].kind, MEDIA_FAILED);
  assert_int_equal(k->ev[0].peer, k->c.handle);
  k->n_out = 0; /* an alert */
  end(&c);
}

static void bad_19_garbage_of_epoch_1(void **state) {
  uint8_t p[64];
  memset(p, 0xa5, sizeof p);
  memcpy(p, (uint8_t[]){22, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 1, 0, 51}, 13);
  among(*state, false, p, sizeof p);
}

/* ---- 20: RTP with true keys ---- */

static struct call begin_with_c(struct kit *k) {
  struct call c = begin(k);
  connect_party(k, &k->c);
  k->n_ev = 0;
  return c;
}

static void bad_20_too_short(void **state) {
  struct kit *k = *state;
  struct call c = begin_with_c(k);
  uint8_t p[28];
  for (unsigned first = 0x80; first <= 0xbf; first++)
    for (size_t n = 1; n < sizeof p; n++) {
      memset(p, 0, sizeof p);
      p[0] = (uint8_t)first;
      p[1] = PT;
      p[10] = 3; /* c's source: 1003 */
      p[11] = 0xeb;
      put(k, &k->c.at, p, n);
    }
  assert_int_equal(k->n_out, 0);
  end(&c);
}

/* A packet of c's with this header, sealed by his keys; ERR_OK when libsrtp would. */
static enum err send_as_c(struct kit *k, const uint8_t *head, size_t head_len, size_t payload_len,
                          uint8_t fill) {
  uint8_t p[1500];
  memcpy(p, head, head_len);
  memset(p + head_len, fill, payload_len);
  size_t n = head_len + payload_len;
  enum err e = srtp_session_protect(k->c.srtp, p, &n, sizeof p);
  put(k, &k->c.at, p, n);
  k->now += 20 * US_PER_MS;
  return e;
}

static void rtp_head(uint8_t head[12], uint8_t first, uint8_t pt, uint16_t seq, uint32_t ssrc) {
  memset(head, 0, 12);
  head[0] = first;
  head[1] = pt;
  put16(head + 2, seq);
  put16(head + 8, ssrc >> 16);
  put16(head + 10, ssrc & 0xffff);
}

static void bad_20_headers_that_lie(void **state) {
  struct kit *k = *state;
  struct call c = begin_with_c(k);
  uint8_t head[80];
  memset(head, 0, sizeof head);
  rtp_head(head, 0x8f, PT, 1, k->c.p.ssrc_in); /* 15 sources, and no room for them: not even c can seal it */
  assert_int_not_equal(send_as_c(k, head, 12, 20, 1), ERR_OK);
  rtp_head(head, 0x90, PT, 2, k->c.p.ssrc_in);
  put16(head + 14, 0xffff);
  assert_int_not_equal(send_as_c(k, head, 16, 40, 1), ERR_OK);
  assert_int_equal(counters(k).bad_rtp, 2);
  rtp_head(head, 0xa0, PT, 3, k->c.p.ssrc_in); /* 255 bytes of padding, in 40 */
  assert_int_equal(send_as_c(k, head, 12, 40, 255), ERR_OK);
  rtp_head(head, 0xa0, PT, 4, k->c.p.ssrc_in); /* none */
  assert_int_equal(send_as_c(k, head, 12, 40, 0), ERR_OK);
  rtp_head(head, 0x80, PT, 5, k->c.p.ssrc_in); /* no payload */
  assert_int_equal(send_as_c(k, head, 12, 0, 0), ERR_OK);
  assert_int_equal(counters(k).bad_rtp, 5);
  for (unsigned pt = 0; pt < 128; pt++) {  /* payload types that were not agreed */
    if (pt == PT || (pt >= 64 && pt < 96)) /* those would be RTCP */
      continue;
    rtp_head(head, 0x80, (uint8_t)pt, (uint16_t)(6 + pt), k->c.p.ssrc_in);
    assert_int_equal(send_as_c(k, head, 12, 60, 0xfc), ERR_OK);
  }
  assert_int_equal(counters(k).bad_rtp, 5 + 95);
  assert_int_equal(k->n_out, 0);
  end(&c);
}

/* MID and other extensions are not asked whose packet it is: the keys are. */
static void bad_20_extension_of_another(void **state) {
  static const uint8_t EXT[] = {0xbe, 0xde, 0, 2, 0x30, '0', 0x43, 'a', 'n', 'n', 'a', 0};
  struct kit *k = *state;
  struct call c = begin_with_c(k);
  uint8_t head[24];
  rtp_head(head, 0x90, PT, 1, k->c.p.ssrc_in);
  memcpy(head + 12, EXT, sizeof EXT);
  assert_int_equal(send_as_c(k, head, sizeof head, 60, 0xfc), ERR_OK);
  for (size_t i = 0; i < k->n_out; i++)
    assert_memory_not_equal(&((struct sockaddr_in *)&k->out[i].to)->sin_addr, &k->c.at.sin_addr, 4);
  deliver(k); /* it asserts the source of every packet */
  if (k->b.packets)
    assert_int_equal(k->b.h.csrc[0], k->c.handle);
  encoder_destroy(c.e);
}

static void bad_20_sources_of_others(void **state) {
  struct kit *k = *state;
  struct call c = begin_with_c(k);
  uint8_t head[12];
  rtp_head(head, 0x80, PT, 1, k->a.p.ssrc_in);
  assert_int_equal(send_as_c(k, head, 12, 60, 0xfc), ERR_OK);
  assert_int_equal(counters(k).wrong_ssrc, 1);
  for (unsigned i = 0; i < 10000; i++) { /* each well sealed */
    uint32_t ssrc = (uint32_t)rng_u64(&k->rng);
    rtp_head(head, 0x80, PT, (uint16_t)(i + 2), ssrc == k->c.p.ssrc_in ? 1 : ssrc);
    assert_int_equal(send_as_c(k, head, 12, 20, 0xfc), ERR_OK);
    if (i % 2500 == 0)
      goes_on(&c);
  }
  assert_int_equal(counters(k).wrong_ssrc, 10001);
  assert_int_equal(k->n_out, 0);
  end(&c);
}

static void bad_20_65000_bytes(void **state) {
  struct kit *k = *state;
  struct call c = begin_with_c(k);
  uint8_t *p = malloc(65000);
  assert_non_null(p);
  static const uint8_t FIRST[] = {0, 22, 0x80, 0xbf};
  for (size_t i = 0; i < sizeof FIRST; i++) {
    memset(p, 0xfc, 65000);
    p[0] = FIRST[i];
    mediaport_handle_packet(k->m, k->now, (struct sockaddr *)&k->c.at, sizeof k->c.at, p, 65000);
    mediaport_handle_packet(k->m, k->now, (struct sockaddr *)&k->c.at, sizeof k->c.at, p,
                            MEDIAPORT_DATAGRAM_MAX + 1);
  }
  free(p);
  assert_int_equal(k->n_out, 0);
  end(&c);
}

static void bad_20_played_back(void **state) {
  struct kit *k = *state;
  struct call c = begin_with_c(k);
  uint8_t head[12], kept[200];
  rtp_head(head, 0x80, PT, 100, k->c.p.ssrc_in);
  memcpy(kept, head, 12);
  memset(kept + 12, 0xfc, 60);
  size_t n = 72;
  assert_int_equal(srtp_session_protect(k->c.srtp, kept, &n, sizeof kept), ERR_OK);
  put(k, &k->c.at, kept, n);
  deliver(k);
  for (unsigned i = 1; i <= 2000; i++) { /* 40 s; it is in the window for 20 */
    rtp_head(head, 0x80, PT, (uint16_t)(100 + i), k->c.p.ssrc_in);
    (void)send_as_c(k, head, 12, 60, 0xfc);
    deliver(k);
    if (i % 500 == 0) { /* 10 s old, and older */
      uint64_t before = counters(k).srtp_replay;
      put(k, &k->c.at, kept, n);
      assert_int_equal(counters(k).srtp_replay, before + 1);
      assert_int_equal(k->n_out, 0);
      k->n_ev = 0;
    }
  }
  encoder_destroy(c.e);
}

static void bad_20_sequence_jumps(void **state) {
  static const uint16_t JUMPS[] = {0x7fff, 0x8000, 0x8001, 0x4000, 0xff00};
  struct kit *k = *state;
  struct call c = begin_with_c(k);
  uint8_t head[12];
  uint32_t seq = 0;
  for (size_t i = 0; i < sizeof JUMPS / sizeof JUMPS[0]; i++) {
    seq += JUMPS[i];
    for (int n = 0; n < 10; n++, seq++) {
      rtp_head(head, 0x80, PT, (uint16_t)seq, k->c.p.ssrc_in);
      (void)send_as_c(k, head, 12, 60, 0xfc);
      k->n_out = 0;
    }
    k->now += US_PER_S;
    run_timeouts(k, k->now);
    unsigned had = k->b.packets;
    uint8_t payload[AUDIO_PACKET_MAX];
    for (int n = 0; n < 10; n++) {
      talk(k, &k->a, c.e, &k->a.at, payload);
      deliver(k);
    }
    assert_true(k->b.packets >= had + 9); /* a alone is heard by b, however c has counted */
    k->n_ev = 0;
  }
  encoder_destroy(c.e);
}

/* ---- 21 and 22 ---- */

static void bad_21_packets_of_a_third(void **state) {
  static const uint8_t PACKET[] = {0x80, 0, 0x70, 0x28, 9, 0xcd, 0x2d, 0x15, 0xfd, 0x3e, 0x5c, 0x86, 0x41};
  struct kit *k = *state;
  struct call c = begin_with_c(k);
  struct sockaddr_in third = address(99, 4242);
  for (int i = 0; i < 200; i++) {
    put(k, &third, PACKET, sizeof PACKET);
    put(k, &k->a.at, PACKET, sizeof PACKET); /* and forged in a's name */
  }
  assert_int_equal(k->n_out, 0);
  assert_int_equal(counters(k).unknown_source, 200);
  end(&c);
}

static void bad_22_rtcp(void **state) {
  struct kit *k = *state;
  struct call c = begin_with_c(k);
  const uint8_t me[4] = {0, 0, 0x03, 0xeb}; /* 1003 */
  static const uint8_t TYPES[] = {192, 199, 200, 201, 202, 203, 204, 205, 206, 207, 223};
  assert_int_equal(k->c.p.ssrc_in, 1003);
  for (size_t t = 0; t < sizeof TYPES; t++)
    for (unsigned count = 0; count < 32;
         count++) /* BYE of 31 others, 31 report blocks that are not there, each FMT */
      for (size_t words = 0; words < 5; words++) {
        static const uint16_t TOLD[] = {0, 1, 2, 6, 7, 65535};
        for (size_t l = 0; l < sizeof TOLD / sizeof TOLD[0]; l++)
          for (unsigned clear = 0; clear < 2; clear++) { /* E-bit 0: never sealed */
            uint8_t p[100];
            memset(p, 0xff, sizeof p);
            p[0] = (uint8_t)(0x80 | (count % 2 ? 0x20 : 0) | count);
            p[1] = TYPES[t];
            put16(p + 2, TOLD[l]);
            memcpy(p + 4, me, 4);
            size_t n = 8 + 4 * words;
            if (clear || srtp_session_protect_rtcp(k->c.srtp, p, &n, sizeof p) != ERR_OK)
              n += 30;
            put(k, &k->c.at, p, n);
          }
      }
  assert_int_equal(k->n_out, 0);
  assert_int_equal(k->n_ev, 0);
  assert_int_equal(counters(k).peers, 3);
  end(&c);
}

/* Each well sealed: NACK of everything, TWCC and REMB that promise more than they hold, a BYE in a's name,
 * APP. */
static void bad_22_feedback(void **state) {
  struct kit *k = *state;
  struct call c = begin_with_c(k);
  static const struct {
    uint8_t p[28];
    size_t n;
  } ROWS[] = {
      {{0x81, 205, 0, 3, 0, 0, 3, 0xeb, 0, 0, 7, 0xd3, 0xff, 0xff, 0xff, 0xff}, 16},
      {{0x81, 205, 0xff, 0xff, 0, 0, 3, 0xeb, 0, 0, 7, 0xd3, 0xff, 0xff, 0xff, 0xff}, 16},
      {{0x8f, 205, 0, 5, 0, 0, 3, 0xeb, 0, 0, 7, 0xd3, 0, 0, 0xff, 0xff, 0, 0, 0, 0, 0x3f, 0xff, 0, 0}, 24},
      {{0x8f, 206, 0, 5, 0, 0, 3, 0xeb, 0, 0, 0, 0, 'R', 'E', 'M', 'B', 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0},
       24},
      {{0x81, 206, 0, 2, 0, 0, 3, 0xeb, 0, 0, 7, 0xd3}, 12},
      {{0x82, 203, 0, 2, 0, 0, 3, 0xeb, 0, 0, 3, 0xe9}, 12},
      {{0x81, 203, 0, 2, 0, 0, 3, 0xeb, 0xff, 'b', 'y', 'e'}, 12},
      {{0x80, 204, 0, 2, 0, 0, 3, 0xeb, 'E', 'V', 'I', 'L'}, 12},
      {{0x9f, 201, 0, 1, 0, 0, 3, 0xeb}, 8},
      {{0x81, 201, 0, 1, 0, 0, 3, 0xeb}, 8},
      {{0x9f, 200, 0, 6, 0, 0, 3, 0xeb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 28},
      {{0x80, 202, 0, 1, 0, 0, 3, 0xeb, 1, 255, 'x'}, 11},
      {{0x9f, 202, 0, 1, 0, 0, 3, 0xeb}, 8},
  };
  for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
    uint8_t p[100];
    uint64_t auth = counters(k).srtp_auth;
    memcpy(p, ROWS[i].p, ROWS[i].n);
    size_t n = ROWS[i].n;
    assert_int_equal(srtp_session_protect_rtcp(k->c.srtp, p, &n, sizeof p), ERR_OK);
    put(k, &k->c.at, p, n);
    assert_int_equal(counters(k).srtp_auth, auth); /* it was his */
    assert_int_equal(k->n_out, 0);
    assert_int_equal(k->n_ev, 0);
    goes_on(&c);
  }
  assert_int_equal(counters(k).peers, 3);
  run_timeouts(k, k->now + 6 * US_PER_S); /* the next reports go out all the same */
  assert_true(k->n_ev > 0);
  k->n_ev = 0;
  end(&c);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(bad_16_checks, make, unmake),
      cmocka_unit_test_setup_teardown(bad_17_null_hello_from_elsewhere, make, unmake),
      cmocka_unit_test_setup_teardown(bad_17_null_hello_in_his_name, make, unmake),
      cmocka_unit_test_setup_teardown(bad_18_wrong_fingerprint, make, unmake),
      cmocka_unit_test_setup_teardown(bad_19_hello_in_single_bytes, make, unmake),
      cmocka_unit_test_setup_teardown(bad_19_length_of_16_mb, make, unmake),
      cmocka_unit_test_setup_teardown(bad_19_fragment_beyond_the_end, make, unmake),
      cmocka_unit_test_setup_teardown(bad_19_garbage_of_epoch_1, make, unmake),
      cmocka_unit_test_setup_teardown(bad_20_too_short, make, unmake),
      cmocka_unit_test_setup_teardown(bad_20_headers_that_lie, make, unmake),
      cmocka_unit_test_setup_teardown(bad_20_extension_of_another, make, unmake),
      cmocka_unit_test_setup_teardown(bad_20_sources_of_others, make, unmake),
      cmocka_unit_test_setup_teardown(bad_20_65000_bytes, make, unmake),
      cmocka_unit_test_setup_teardown(bad_20_played_back, make, unmake),
      cmocka_unit_test_setup_teardown(bad_20_sequence_jumps, make, unmake),
      cmocka_unit_test_setup_teardown(bad_21_packets_of_a_third, make, unmake),
      cmocka_unit_test_setup_teardown(bad_22_rtcp, make, unmake),
      cmocka_unit_test_setup_teardown(bad_22_feedback, make, unmake),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
