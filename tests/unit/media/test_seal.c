/* The sealer against libsrtp2: the same packets, in the same order, give the same bytes and the same
 * refusals. */
#include "core/base/rng.h"
#include "core/media/seal.h"
#include "core/media/srtp.h"
#include "core/wire/rtp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <srtp2/srtp.h>
#include <string.h>

#define SSRC 0x8badf00du
#define ROOM 1600

static const enum srtp_profile_id all_profiles[] = {PROFILE_AES128_CM_SHA1_80, PROFILE_AEAD_AES_128_GCM,
                                                    PROFILE_AEAD_AES_256_GCM};
#define PROFILES (sizeof all_profiles / sizeof *all_profiles)

static struct dtls_keys keys_of(struct rng *rng, enum srtp_profile_id id) {
  static const size_t len[] = {
      [PROFILE_AES128_CM_SHA1_80] = 30, [PROFILE_AEAD_AES_128_GCM] = 28, [PROFILE_AEAD_AES_256_GCM] = 44};
  struct dtls_keys k = {.profile = id, .len = len[id]};
  for (size_t i = 0; i < k.len; i++) {
    k.send[i] = (uint8_t)rng_u64(rng);
    k.recv[i] = (uint8_t)rng_u64(rng);
  }
  return k;
}

static srtp_t reference(struct dtls_keys k) {
  static const srtp_profile_t profile[] = {[PROFILE_AES128_CM_SHA1_80] = srtp_profile_aes128_cm_sha1_80,
                                           [PROFILE_AEAD_AES_128_GCM] = srtp_profile_aead_aes_128_gcm,
                                           [PROFILE_AEAD_AES_256_GCM] = srtp_profile_aead_aes_256_gcm};
  srtp_policy_t policy = {.ssrc = {.type = ssrc_any_outbound}, .key = k.send, .window_size = 1024};
  srtp_t s = NULL;
  srtp_setup();
  assert_int_equal(srtp_crypto_policy_set_from_profile_for_rtp(&policy.rtp, profile[k.profile]), 0);
  assert_int_equal(srtp_crypto_policy_set_from_profile_for_rtcp(&policy.rtcp, profile[k.profile]), 0);
  assert_int_equal(srtp_create(&s, &policy), 0);
  return s;
}

struct pair {
  struct rng rng;
  struct srtp_session *ours;
  srtp_t theirs;
};

static struct pair open_pair(uint64_t seed, enum srtp_profile_id id) {
  struct pair p = {0};
  rng_seed(&p.rng, seed);
  struct dtls_keys k = keys_of(&p.rng, id);
  p.theirs = reference(k);
  p.ours = srtp_session_create(&k, 0);
  assert_non_null(p.ours);
  return p;
}

static void close_pair(struct pair *p) {
  srtp_session_destroy(p->ours);
  srtp_dealloc(p->theirs);
}

/* A header of any shape: CSRCs, level extensions, marker. */
static size_t random_header(struct rng *rng, uint16_t seq, uint8_t *out) {
  struct rtp h = {
      .pt = 111, .marker = rng_below(rng, 2), .seq = seq, .ts = (uint32_t)rng_u64(rng), .ssrc = SSRC};
  uint8_t levels[16] = {0};
  h.n_csrc = (unsigned)rng_below(rng, RTP_CSRC_MAX + 1);
  for (unsigned i = 0; i < h.n_csrc; i++)
    h.csrc[i] = (uint32_t)rng_u64(rng);
  size_t n = rtp_build(out, ROOM, &h, rng_below(rng, 2) ? 3 : 0, levels, 1 + rng_below(rng, 15));
  assert_true(n >= 12);
  return n;
}

/* One packet through both; false when both refuse it. */
static bool same_rtp(struct pair *p, uint16_t seq) {
  uint8_t a[ROOM], b[ROOM], payload[1000];
  size_t head = random_header(&p->rng, seq, a), len = (size_t)rng_below(&p->rng, sizeof payload), n = 0;
  for (size_t i = 0; i < len; i++)
    payload[i] = (uint8_t)rng_u64(&p->rng);
  memcpy(b, a, head);
  memcpy(b + head, payload, len);
  int whole = (int)(head + len);
  bool taken = srtp_protect(p->theirs, b, &whole) == srtp_err_status_ok;
  enum err e = srtp_session_seal(p->ours, a, head, payload, len, &n, sizeof a);
  assert_int_equal(e, taken ? ERR_OK : ERR_SRTP_REPLAY);
  if (taken) {
    assert_int_equal(n, whole);
    assert_memory_equal(a, b, n);
  }
  return taken;
}

static void same_rtcp(struct pair *p) {
  uint8_t a[ROOM] = {0x80, 201}, b[ROOM];
  size_t n = 8 + 4 * (size_t)rng_below(&p->rng, 100);
  for (size_t i = 8; i < n; i++)
    a[i] = (uint8_t)rng_u64(&p->rng);
  a[3] = (uint8_t)(n / 4 - 1);
  memcpy(b, a, n);
  int whole = (int)n;
  assert_int_equal(srtp_protect_rtcp(p->theirs, b, &whole), 0);
  assert_int_equal(srtp_session_protect_rtcp(p->ours, a, &n, sizeof a), ERR_OK);
  assert_int_equal(n, whole);
  assert_memory_equal(a, b, n);
}

/* Two and a half sequence cycles in strides, from anywhere, with late and repeated packets in between. */
static void test_wraps_and_order(void **state) {
  (void)state;
  for (size_t k = 0; k < PROFILES; k++) {
    for (uint64_t seed = 1; seed <= 8; seed++) {
      struct pair p = open_pair(seed, all_profiles[k]);
      uint32_t seq = (uint32_t)rng_below(&p.rng, 0x10000), end = seq + 0x28000, refused = 0, taken = 0;
      while (seq < end) {
        taken += same_rtp(&p, (uint16_t)seq);
        if (rng_below(&p.rng, 4) == 0) /* late, or a second time */
          refused += !same_rtp(&p, (uint16_t)(seq - (seq < 64 ? 0 : rng_below(&p.rng, 60))));
        if (rng_below(&p.rng, 8) == 0)
          same_rtcp(&p);
        seq += 1 + (uint32_t)rng_below(&p.rng, rng_below(&p.rng, 8) ? 3 : 1500);
      }
      assert_true(refused > 10 && taken > 500);
      close_pair(&p);
    }
  }
}

/* Far older than the highest: nobody knows whether it was used, so it is refused. */
static void test_too_old(void **state) {
  (void)state;
  struct pair p = open_pair(3, PROFILE_AEAD_AES_256_GCM);
  uint8_t w[ROOM], payload[20] = {0};
  size_t n = 0;
  assert_true(same_rtp(&p, 40000));
  assert_true(same_rtp(&p, 40200));
  size_t head = random_header(&p.rng, 40200 - SEAL_LATE, w);
  assert_int_equal(srtp_session_seal(p.ours, w, head, payload, sizeof payload, &n, sizeof w),
                   ERR_SRTP_REPLAY);
  assert_true(same_rtp(&p, 40200 - SEAL_LATE + 1));
  close_pair(&p);
}

/* In place and from elsewhere are the same; what does not fit is refused and uses no number up. */
static void test_places_and_room(void **state) {
  (void)state;
  struct rng rng;
  rng_seed(&rng, 9);
  for (size_t k = 0; k < PROFILES; k++) {
    struct dtls_keys keys = keys_of(&rng, all_profiles[k]);
    struct srtp_session *a = srtp_session_create(&keys, 0), *b = srtp_session_create(&keys, 0);
    uint8_t x[ROOM], y[ROOM], payload[100];
    memset(payload, 7, sizeof payload);
    size_t head = random_header(&rng, 5, x), n = 0, m = head + sizeof payload;
    memcpy(y, x, head);
    memcpy(y + head, payload, sizeof payload);
    assert_int_equal(srtp_session_seal(a, x, head, payload, sizeof payload, &n, m), ERR_FULL);
    assert_int_equal(srtp_session_seal(a, x, head, payload, sizeof payload, &n, sizeof x), ERR_OK);
    assert_int_equal(srtp_session_protect(b, y, &m, sizeof y), ERR_OK);
    assert_int_equal(n, m);
    assert_memory_equal(x, y, n);
    srtp_session_destroy(a);
    srtp_session_destroy(b);
  }
}

static void test_refusals(void **state) {
  (void)state;
  uint8_t master[46] = {1}, p[64] = {0x80, 201};
  struct seal s;
  assert_false(seal_begin(&s, PROFILE_AES128_CM_SHA1_80, master));
  assert_false(seal_begin(&s, PROFILE_NONE, master));
  assert_true(seal_begin(&s, PROFILE_AEAD_AES_128_GCM, master));
  size_t n = 7;
  assert_int_equal(seal_rtcp(&s, p, &n, sizeof p), ERR_BAD_RTP);
  n = 8;
  assert_int_equal(seal_rtcp(&s, p, &n, 8 + SEAL_RTCP_TRAILER - 1), ERR_FULL);
  assert_int_equal(seal_rtcp(&s, p, &n, 8 + SEAL_RTCP_TRAILER), ERR_OK);
  assert_int_equal(p[n - 1], 1); /* the first report's index: the refused ones used none up */
  seal_end(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_wraps_and_order), cmocka_unit_test(test_too_old),
                                     cmocka_unit_test(test_places_and_room), cmocka_unit_test(test_refusals)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
