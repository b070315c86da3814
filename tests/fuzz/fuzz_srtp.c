/* Arbitrary bytes into SRTP: none authenticates; and what protect takes, unprotect gives back unchanged.
 * Input: one byte (profile by its remainder of 3, 0x40: RTCP, 0x80: protect first), then the packet. */
#include "core/media/srtp.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct srtp_session *open_session(unsigned choice, uint8_t send, uint8_t recv) {
  static const enum srtp_profile_id ids[] = {PROFILE_AES128_CM_SHA1_80, PROFILE_AEAD_AES_128_GCM,
                                             PROFILE_AEAD_AES_256_GCM};
  static const size_t len[] = {30, 28, 44};
  struct dtls_keys k = {.profile = ids[choice % 3], .len = len[choice % 3]};
  memset(k.send, send, sizeof k.send);
  memset(k.recv, recv, sizeof k.recv);
  struct srtp_session *s = srtp_session_create(&k, 0);
  if (s == NULL)
    abort();
  return s;
}

static void check_round_trip(struct srtp_session *from, struct srtp_session *to, bool rtcp,
                             const uint8_t *data, size_t size) {
  size_t cap = size + SRTP_TRAILER_MAX, n = size;
  uint8_t *p = malloc(cap);
  if (p == NULL)
    abort();
  memcpy(p, data, size);
  enum err e = rtcp ? srtp_session_protect_rtcp(from, p, &n, cap) : srtp_session_protect(from, p, &n, cap);
  if (e == ERR_OK) {
    e = rtcp ? srtp_session_unprotect_rtcp(to, p, &n) : srtp_session_unprotect(to, p, &n);
    bool version_2 = data[0] >> 6 == 2; /* any other may be sent, never received */
    if (version_2 ? e != ERR_OK || n != size || memcmp(p, data, size) != 0 : e != ERR_BAD_RTP)
      abort();
  }
  free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 1)
    return 0;
  unsigned choice = data[0];
  bool rtcp = choice & 0x40;
  struct srtp_session *a = open_session(choice & 0x3f, 1, 2), *b = open_session(choice & 0x3f, 2, 1);
  data++, size--;
  if (choice & 0x80)
    check_round_trip(a, b, rtcp, data, size);
  uint8_t *p = malloc(size + (size == 0)); /* of just this size: the sanitizer sees a byte too far */
  if (p == NULL)
    abort();
  memcpy(p, data, size);
  size_t n = size;
  enum err e = rtcp ? srtp_session_unprotect_rtcp(b, p, &n) : srtp_session_unprotect(b, p, &n);
  if (e == ERR_OK)
    abort();
  free(p);
  srtp_session_destroy(a);
  srtp_session_destroy(b);
  return 0;
}
