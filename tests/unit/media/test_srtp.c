/* SRTP: the plugged ciphers against RFC 7714 and against libsrtp's own (in a child process), and hostile
 * packets. Called with --own-ciphers this program is that child: it prints what libsrtp without the plug
 * protects. */
#include "core/base/bytes.h"
#include "core/media/srtp.h"
#include "core/media/srtp_plug.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SSRC 0x11223344u
#define ROOM 1500

static const enum srtp_profile_id all_profiles[] = {PROFILE_AES128_CM_SHA1_80, PROFILE_AEAD_AES_128_GCM,
                                                    PROFILE_AEAD_AES_256_GCM};
#define PROFILES 3

static struct dtls_keys keys_of(enum srtp_profile_id id, bool mirrored) {
  static const size_t len[] = {
      [PROFILE_AES128_CM_SHA1_80] = 30, [PROFILE_AEAD_AES_128_GCM] = 28, [PROFILE_AEAD_AES_256_GCM] = 44};
  struct dtls_keys k = {.profile = id, .len = len[id]};
  for (size_t i = 0; i < k.len; i++) {
    (mirrored ? k.recv : k.send)[i] = (uint8_t)(i * 7 + 1);
    (mirrored ? k.send : k.recv)[i] = (uint8_t)(i * 11 + 3);
  }
  return k;
}

/* RTP by kind: 0 plain, 1 with a one-byte header extension, 2 with two CSRCs and a two-byte one. Returns its
 * length. */
static size_t make_rtp(uint8_t *p, unsigned kind, unsigned seq, uint32_t ssrc, size_t payload) {
  struct writer w = writer_of(p, ROOM);
  write_u8(&w, kind == 0 ? 0x80 : kind == 1 ? 0x90 : 0x92);
  write_u8(&w, 111);
  write_u16(&w, seq);
  write_u32(&w, seq * 960);
  write_u32(&w, ssrc);
  if (kind == 2) {
    write_u32(&w, 0xaaaaaaaa);
    write_u32(&w, 0xbbbbbbbb);
  }
  if (kind > 0) {
    write_u16(&w, kind == 1 ? 0xbede : 0x1000);
    write_u16(&w, 1);
    write_u32(&w, kind == 1 ? 0x10ff0000 : 0x0101ff00);
  }
  for (size_t i = 0; i < payload; i++)
    write_u8(&w, (unsigned)(i ^ seq) & 0xff);
  return writer_len(&w);
}

static size_t make_rtcp(uint8_t *p, uint32_t ssrc, uint32_t mark) {
  struct writer w = writer_of(p, ROOM); /* a receiver report without blocks, an SDES of 4 bytes */
  write_u32(&w, 0x80c90001);
  write_u32(&w, ssrc);
  write_u32(&w, 0x81ca0002);
  write_u32(&w, ssrc);
  write_u32(&w, mark);
  return writer_len(&w);
}

static srtp_t own_session(enum srtp_profile_id id) {
  static const srtp_profile_t profile[] = {[PROFILE_AES128_CM_SHA1_80] = srtp_profile_aes128_cm_sha1_80,
                                           [PROFILE_AEAD_AES_128_GCM] = srtp_profile_aead_aes_128_gcm,
                                           [PROFILE_AEAD_AES_256_GCM] = srtp_profile_aead_aes_256_gcm};
  struct dtls_keys k = keys_of(id, false);
  srtp_policy_t policy = {.ssrc = {.type = ssrc_any_outbound}, .key = k.send};
  srtp_t s = NULL;
  if (srtp_crypto_policy_set_from_profile_for_rtp(&policy.rtp, profile[id]) ||
      srtp_crypto_policy_set_from_profile_for_rtcp(&policy.rtcp, profile[id]) || srtp_create(&s, &policy))
    abort();
  return s;
}

#define STEPS 40 /* packets of each profile in the comparison, sequence numbers across a roll-over */
static size_t step_packet(unsigned i, uint8_t *p) {
  return i % 4 == 3 ? make_rtcp(p, SSRC, i) : make_rtp(p, i % 3, (65520 + i) & 0xffff, SSRC, (i * 37) % 300);
}

static int print_own(void) {
  if (srtp_init() != srtp_err_status_ok)
    return 1;
  for (size_t k = 0; k < PROFILES; k++) {
    srtp_t s = own_session(all_profiles[k]);
    for (unsigned i = 0; i < STEPS; i++) {
      uint8_t p[ROOM];
      char hex[2 * ROOM + 1];
      int n = (int)step_packet(i, p);
      if (i % 4 == 3 ? srtp_protect_rtcp(s, p, &n) : srtp_protect(s, p, &n))
        return 1;
      hex_encode(p, (size_t)n, hex);
      puts(hex);
    }
    srtp_dealloc(s);
  }
  return 0;
}

static void test_same_bytes_as_libsrtp(void **state) {
  (void)state;
  char self[512], command[600], line[2 * ROOM + 2], hex[2 * ROOM + 1];
  ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
  assert_true(len > 0);
  self[len] = '\0';
  snprintf(command, sizeof command, "'%s' --own-ciphers", self);
  FILE *child = popen(command, "r");
  assert_non_null(child);
  for (size_t k = 0; k < PROFILES; k++) {
    struct dtls_keys keys = keys_of(all_profiles[k], false);
    struct srtp_session *s = srtp_session_create(&keys, 0);
    assert_non_null(s);
    for (unsigned i = 0; i < STEPS; i++) {
      uint8_t p[ROOM];
      size_t n = step_packet(i, p);
      enum err e = i % 4 == 3 ? srtp_session_protect_rtcp(s, p, &n, sizeof p)
                              : srtp_session_protect(s, p, &n, sizeof p);
      assert_int_equal(e, ERR_OK);
      hex_encode(p, n, hex);
      assert_non_null(fgets(line, sizeof line, child));
      line[strcspn(line, "\n")] = '\0';
      assert_string_equal(hex, line);
    }
    srtp_session_destroy(s);
  }
  assert_null(fgets(line, sizeof line, child));
  assert_int_equal(pclose(child), 0);
}

/* RFC 7714 section 16: the RTP header is the AAD, "Gallia est omnis divisa in partes tres" the text. */
static void check_rfc7714(const srtp_cipher_type_t *type, size_t key_len, const char *sealed_hex) {
  uint8_t key[44] = {0}, iv[16] = {0}, aad[12], sealed[54];
  for (size_t i = 0; i < key_len; i++)
    key[i] = (uint8_t)i;
  assert_true(hex_decode("51753c6580c2726f20718414", 24, iv));
  assert_true(hex_decode("8040f17b8041f8d35501a0b2", 24, aad));
  assert_true(hex_decode(sealed_hex, 108, sealed));
  srtp_cipher_test_case_t t = {.key_length_octets = (int)key_len + 12,
                               .key = key,
                               .idx = iv,
                               .plaintext_length_octets = 38,
                               .plaintext = (const uint8_t *)"Gallia est omnis divisa in partes tres",
                               .ciphertext_length_octets = 54,
                               .ciphertext = sealed,
                               .aad_length_octets = 12,
                               .aad = aad,
                               .tag_length_octets = 16};
  assert_int_equal(srtp_cipher_type_test(type, &t), srtp_err_status_ok);
  sealed[53] ^= 1;
  assert_int_not_equal(srtp_cipher_type_test(type, &t), srtp_err_status_ok);
}

static void test_rfc7714(void **state) {
  (void)state;
  srtp_setup();
  check_rfc7714(&srtp_plug_gcm_128, 16,
                "f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833"
                "899d7f27beb16a9152cf765ee4390cce");
  check_rfc7714(&srtp_plug_gcm_256, 32,
                "32b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b"
                "7aa3db36dfffd6b0f9bb7878d7a76c13");
}

struct pair {
  struct srtp_session *a, *b; /* what a protects b reads */
};

static struct pair open_pair(enum srtp_profile_id id, uint32_t recv_ssrc) {
  struct dtls_keys a = keys_of(id, false), b = keys_of(id, true);
  struct pair p = {srtp_session_create(&a, 0), srtp_session_create(&b, recv_ssrc)};
  assert_non_null(p.a);
  assert_non_null(p.b);
  return p;
}

static void close_pair(struct pair p) {
  srtp_session_destroy(p.a);
  srtp_session_destroy(p.b);
}

static size_t sealed_rtp(struct pair p, uint8_t *out, unsigned seq, uint32_t ssrc) {
  size_t n = make_rtp(out, seq % 3, seq, ssrc, 80);
  assert_int_equal(srtp_session_protect(p.a, out, &n, ROOM), ERR_OK);
  return n;
}

static void test_round_trip(void **state) {
  (void)state;
  for (size_t k = 0; k < PROFILES; k++) {
    struct pair p = open_pair(all_profiles[k], SSRC);
    for (unsigned i = 0; i < 200; i++) {
      uint8_t plain[ROOM], wire[ROOM];
      bool rtcp = i % 5 == 0;
      size_t len = rtcp ? make_rtcp(plain, SSRC, i) : make_rtp(plain, i % 3, (65500 + i) & 0xffff, SSRC, i),
             n = len;
      memcpy(wire, plain, len);
      assert_int_equal(rtcp ? srtp_session_protect_rtcp(p.a, wire, &n, ROOM)
                            : srtp_session_protect(p.a, wire, &n, ROOM),
                       ERR_OK);
      assert_true(n > len && n <= len + SRTP_TRAILER_MAX);
      if (rtcp || i > 40)
        assert_memory_not_equal(wire + len - 8, plain + len - 8, 8);
      assert_int_equal(
          rtcp ? srtp_session_unprotect_rtcp(p.b, wire, &n) : srtp_session_unprotect(p.b, wire, &n), ERR_OK);
      assert_int_equal(n, len);
      assert_memory_equal(wire, plain, len);
    }
    close_pair(p);
  }
}

static void test_replay(void **state) {
  (void)state;
  for (size_t k = 0; k < PROFILES; k++) {
    struct pair p = open_pair(all_profiles[k], SSRC);
    uint8_t sent[1100][200];
    size_t len[1100];
    for (unsigned i = 0; i < 1100; i++)
      len[i] = sealed_rtp(p, sent[i], i + 1, SSRC);
    uint8_t copy[200];
    static const struct {
      unsigned index;
      enum err expected;
    } order[] = {{0, ERR_OK},    {0, ERR_SRTP_REPLAY},  {500, ERR_OK}, {100, ERR_OK}, {100, ERR_SRTP_REPLAY},
                 {1099, ERR_OK}, {50, ERR_SRTP_REPLAY}, /* older than the window of 1024 */
                 {90, ERR_OK},   {500, ERR_SRTP_REPLAY}};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
      size_t n = len[order[i].index];
      memcpy(copy, sent[order[i].index], n);
      assert_int_equal(srtp_session_unprotect(p.b, copy, &n), order[i].expected);
    }
    close_pair(p);
  }
}

static void test_foreign_ssrc(void **state) {
  (void)state;
  uint8_t w[ROOM];
  for (size_t k = 0; k < PROFILES; k++) {
    struct pair p = open_pair(all_profiles[k], SSRC); /* announced: nobody else, though authentic */
    size_t n = sealed_rtp(p, w, 1, SSRC + 1);
    assert_int_equal(srtp_session_unprotect(p.b, w, &n), ERR_BAD_RTP);
    n = make_rtcp(w, SSRC + 1, 0);
    assert_int_equal(srtp_session_protect_rtcp(p.a, w, &n, ROOM), ERR_OK);
    assert_int_equal(srtp_session_unprotect_rtcp(p.b, w, &n), ERR_BAD_RTP);
    close_pair(p);

    p = open_pair(all_profiles[k], 0); /* not announced: the first that authenticates */
    n = sealed_rtp(p, w, 1, SSRC + 1);
    w[n - 1] ^= 1;
    assert_int_equal(srtp_session_unprotect(p.b, w, &n), ERR_SRTP_AUTH);
    n = sealed_rtp(p, w, 2, SSRC);
    assert_int_equal(srtp_session_unprotect(p.b, w, &n), ERR_OK);
    n = sealed_rtp(p, w, 3, SSRC + 1);
    assert_int_equal(srtp_session_unprotect(p.b, w, &n), ERR_BAD_RTP);
    n = sealed_rtp(p, w, 4, SSRC);
    assert_int_equal(srtp_session_unprotect(p.b, w, &n), ERR_OK);
    close_pair(p);
  }
}

static enum err report_from(struct pair p, uint32_t ssrc) {
  uint8_t w[ROOM];
  size_t n = make_rtcp(w, ssrc, 0);
  assert_int_equal(srtp_session_protect_rtcp(p.a, w, &n, ROOM), ERR_OK);
  return srtp_session_unprotect_rtcp(p.b, w, &n);
}

/* A listening browser reports as SSRC 1; when it starts to speak its reports come from the voice's SSRC. */
static void test_reports_of_a_listener(void **state) {
  (void)state;
  uint8_t w[ROOM];
  struct pair p = open_pair(PROFILE_AEAD_AES_256_GCM, 0);
  assert_int_equal(report_from(p, 1), ERR_OK);
  assert_int_equal(report_from(p, SSRC), ERR_BAD_RTP);
  size_t n = sealed_rtp(p, w, 1, SSRC);
  assert_int_equal(srtp_session_unprotect(p.b, w, &n), ERR_OK);
  assert_int_equal(report_from(p, SSRC), ERR_OK);
  assert_int_equal(report_from(p, 2), ERR_BAD_RTP);
  close_pair(p);
}

/* Every prefix in a buffer of just that size, so that the address sanitizer sees a read too far. */
static void test_truncated(void **state) {
  (void)state;
  for (size_t k = 0; k < PROFILES; k++) {
    struct pair p = open_pair(all_profiles[k], SSRC);
    for (unsigned kind = 0; kind < 4; kind++) {
      uint8_t whole[ROOM];
      size_t len = kind == 3 ? make_rtcp(whole, SSRC, 0) : make_rtp(whole, kind, kind + 1, SSRC, 30);
      assert_int_equal(kind == 3 ? srtp_session_protect_rtcp(p.a, whole, &len, ROOM)
                                 : srtp_session_protect(p.a, whole, &len, ROOM),
                       ERR_OK);
      for (size_t cut = 0; cut < len; cut++) {
        uint8_t *part = malloc(cut + (cut == 0));
        assert_non_null(part);
        memcpy(part, whole, cut);
        size_t n = cut;
        assert_int_not_equal(srtp_session_unprotect(p.b, part, &n), ERR_OK);
        memcpy(part, whole, cut);
        assert_int_not_equal(srtp_session_unprotect_rtcp(p.b, part, &n), ERR_OK);
        assert_int_equal(n, cut);
        free(part);
      }
    }
    close_pair(p);
  }
}

static void test_bit_flips(void **state) {
  (void)state;
  for (size_t k = 0; k < PROFILES; k++) {
    struct pair p = open_pair(all_profiles[k], SSRC);
    uint8_t rtp[ROOM], rtcp[ROOM], copy[ROOM];
    size_t rtp_len = sealed_rtp(p, rtp, 2, SSRC), rtcp_len = make_rtcp(rtcp, SSRC, 0), n;
    assert_int_equal(srtp_session_protect_rtcp(p.a, rtcp, &rtcp_len, ROOM), ERR_OK);
    for (size_t bit = 0; bit < 8 * rtp_len; bit++) {
      memcpy(copy, rtp, n = rtp_len);
      copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
      assert_int_not_equal(srtp_session_unprotect(p.b, copy, &n), ERR_OK);
    }
    for (size_t bit = 0; bit < 8 * rtcp_len; bit++) {
      memcpy(copy, rtcp, n = rtcp_len);
      copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
      assert_int_not_equal(srtp_session_unprotect_rtcp(p.b, copy, &n), ERR_OK);
    }
    n = rtp_len; /* the attempts did no harm: the true ones still pass */
    assert_int_equal(srtp_session_unprotect(p.b, rtp, &n), ERR_OK);
    n = rtcp_len;
    assert_int_equal(srtp_session_unprotect_rtcp(p.b, rtcp, &n), ERR_OK);
    close_pair(p);
  }
}

static void test_limits(void **state) {
  (void)state;
  struct pair p = open_pair(PROFILE_AEAD_AES_128_GCM, SSRC);
  uint8_t w[ROOM];
  size_t len = make_rtp(w, 0, 1, SSRC, 80), n = len;
  assert_int_equal(srtp_session_protect(p.a, w, &n, len + SRTP_TRAILER_MAX - 1), ERR_FULL);
  assert_int_equal(n, len);
  assert_int_equal(srtp_session_protect(p.a, w, &n, len + SRTP_TRAILER_MAX), ERR_OK);
  n = make_rtp(w, 0, 1, SSRC, 80); /* the same index twice would reuse a nonce */
  assert_int_equal(srtp_session_protect(p.a, w, &n, ROOM), ERR_SRTP_REPLAY);
  n = 11;
  assert_int_equal(srtp_session_protect(p.a, w, &n, ROOM), ERR_BAD_RTP);
  n = make_rtp(w, 1, 2, SSRC, 0);
  w[14] = w[15] = 0xff; /* an extension longer than the packet */
  assert_int_equal(srtp_session_protect(p.a, w, &n, ROOM), ERR_BAD_RTP);
  n = 65536;
  assert_int_equal(srtp_session_unprotect(p.b, w, &n), ERR_BAD_RTP);
  close_pair(p);
}

int main(int argc, char **argv) {
  if (argc == 2 && strcmp(argv[1], "--own-ciphers") == 0)
    return print_own();
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_same_bytes_as_libsrtp),
                                     cmocka_unit_test(test_rfc7714),
                                     cmocka_unit_test(test_round_trip),
                                     cmocka_unit_test(test_replay),
                                     cmocka_unit_test(test_foreign_ssrc),
                                     cmocka_unit_test(test_reports_of_a_listener),
                                     cmocka_unit_test(test_truncated),
                                     cmocka_unit_test(test_bit_flips),
                                     cmocka_unit_test(test_limits)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
