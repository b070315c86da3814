#include "core/media/srtp.h"
#include "core/base/bytes.h"
#include "core/media/seal.h"
#include "core/media/srtp_plug.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <srtp2/srtp.h>
#include <stdlib.h>
#include <string.h>

#define RTP_HEADER 12
#define RTCP_HEADER 8
#define PACKET_MAX 65535
#define REPLAY_WINDOW 1024

struct srtp_session {
  struct seal seal;   /* outbound with GCM, */
  srtp_t send;        /* or with counter mode */
  srtp_t recv;        /* one stream each: libsrtp searches its streams linearly */
  uint32_t rtp_ssrc;  /* 0 until the first packet authenticated */
  uint32_t rtcp_ssrc; /* a browser that only listens reports under another SSRC than it will speak with */
  size_t rtcp_flag_offset; /* of the E bit and index, from the end of an SRTCP packet */
  size_t rtcp_trailer;
};

static void setup_once(void) {
  if (srtp_init() != srtp_err_status_ok || !srtp_plug_install())
    abort();
}

void srtp_setup(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT; /* libsrtp's own state is global */
  pthread_once(&once, setup_once);
}

static srtp_profile_t profile_of(enum srtp_profile_id p) {
  switch (p) {
  case PROFILE_AEAD_AES_256_GCM:
    return srtp_profile_aead_aes_256_gcm;
  case PROFILE_AEAD_AES_128_GCM:
    return srtp_profile_aead_aes_128_gcm;
  case PROFILE_AES128_CM_SHA1_80:
    return srtp_profile_aes128_cm_sha1_80;
  case PROFILE_NONE:
    break;
  }
  return srtp_profile_reserved;
}

static bool open_direction(srtp_t *out, srtp_profile_t profile, const uint8_t *key, srtp_ssrc_type_t type) {
  uint8_t copy[sizeof((struct dtls_keys *)0)->send];
  memcpy(copy, key, sizeof copy);
  srtp_policy_t policy = {.ssrc = {.type = type}, .key = copy, .window_size = REPLAY_WINDOW};
  bool ok = srtp_crypto_policy_set_from_profile_for_rtp(&policy.rtp, profile) == srtp_err_status_ok &&
            srtp_crypto_policy_set_from_profile_for_rtcp(&policy.rtcp, profile) == srtp_err_status_ok &&
            srtp_create(out, &policy) == srtp_err_status_ok;
  OPENSSL_cleanse(copy, sizeof copy);
  return ok;
}

struct srtp_session *srtp_session_create(const struct dtls_keys *k, uint32_t recv_ssrc) {
  srtp_setup();
  srtp_profile_t profile = profile_of(k->profile);
  assert(profile != srtp_profile_reserved);
  assert(k->len ==
         srtp_profile_get_master_key_length(profile) + srtp_profile_get_master_salt_length(profile));
  struct srtp_session *s = aligned_alloc(64, (sizeof *s + 63) / 64 * 64); /* the seal begins a cache line */
  if (s == NULL)
    return NULL;
  *s = (struct srtp_session){0};
  bool gcm = k->profile != PROFILE_AES128_CM_SHA1_80;
  s->rtp_ssrc = s->rtcp_ssrc = recv_ssrc;
  s->rtcp_flag_offset =
      gcm ? 4 : 14; /* RFC 7714 section 9.2: after the tag; RFC 3711 section 3.4: before it */
  s->rtcp_trailer = gcm ? 20 : 14;
  bool out = gcm ? seal_begin(&s->seal, k->profile, k->send)
                 : open_direction(&s->send, profile, k->send, ssrc_any_outbound);
  if (out && open_direction(&s->recv, profile, k->recv, ssrc_any_inbound))
    return s;
  srtp_session_destroy(s);
  return NULL;
}

static enum err err_of(srtp_err_status_t status) {
  switch (status) {
  case srtp_err_status_ok:
    return ERR_OK;
  case srtp_err_status_auth_fail:
    return ERR_SRTP_AUTH;
  case srtp_err_status_replay_fail:
  case srtp_err_status_replay_old:
    return ERR_SRTP_REPLAY;
  case srtp_err_status_alloc_fail:
    return ERR_NOMEM;
  default:
    return ERR_BAD_RTP;
  }
}

/* The SSRC of an RTP or RTCP packet; false unless it is version 2 and between `min` bytes and a datagram
 * long. */
static bool peek_ssrc(const uint8_t *p, size_t n, size_t min, size_t offset, uint32_t *ssrc) {
  if (n < min || n > PACKET_MAX || p[0] >> 6 != 2)
    return false;
  struct reader r = reader_of(p + offset, 4);
  *ssrc = read_u32(&r);
  return true;
}

/* Where the payload begins; 0 when that is not inside the packet. */
static size_t header_len(const uint8_t *p, size_t n) {
  size_t len = RTP_HEADER + 4 * (size_t)(p[0] & 15);
  if (p[0] & 0x10) {
    if (len + 4 > n)
      return 0;
    len += 4 + 4 * ((size_t)p[len + 2] << 8 | p[len + 3]);
  }
  return len <= n ? len : 0;
}

enum err srtp_session_seal(struct srtp_session *s, uint8_t *out, size_t head, const uint8_t *payload,
                           size_t len, size_t *n, size_t cap) {
  assert(head >= RTP_HEADER);
  if (!s->send)
    return seal_rtp(&s->seal, out, head, payload, len, n, cap);
  if (head + len + SRTP_TRAILER_MAX > cap || len > PACKET_MAX)
    return ERR_FULL;
  memmove(out + head, payload, len);
  int whole = (int)(head + len);
  enum err e = err_of(srtp_protect(s->send, out, &whole));
  if (e == ERR_OK)
    *n = (size_t)whole;
  return e;
}

enum err srtp_session_protect(struct srtp_session *s, uint8_t *p, size_t *n, size_t cap) {
  size_t head = *n < RTP_HEADER || *n > PACKET_MAX ? 0 : header_len(p, *n);
  if (head == 0)
    return ERR_BAD_RTP;
  if (*n + SRTP_TRAILER_MAX > cap)
    return ERR_FULL;
  return srtp_session_seal(s, p, head, p + head, *n - head, n, cap);
}

enum err srtp_session_protect_rtcp(struct srtp_session *s, uint8_t *p, size_t *n, size_t cap) {
  if (*n < RTCP_HEADER || *n > PACKET_MAX)
    return ERR_BAD_RTP;
  if (*n + SRTP_TRAILER_MAX > cap)
    return ERR_FULL;
  if (!s->send)
    return seal_rtcp(&s->seal, p, n, cap);
  int len = (int)*n;
  enum err e = err_of(srtp_protect_rtcp(s->send, p, &len));
  if (e == ERR_OK)
    *n = (size_t)len;
  return e;
}

enum err srtp_session_unprotect(struct srtp_session *s, uint8_t *p, size_t *n) {
  uint32_t ssrc = 0;
  if (!peek_ssrc(p, *n, RTP_HEADER, 8, &ssrc) || (s->rtp_ssrc != 0 && ssrc != s->rtp_ssrc))
    return ERR_BAD_RTP;
  int len = (int)*n;
  enum err e = err_of(srtp_unprotect(s->recv, p, &len));
  if (e != ERR_OK)
    return e;
  s->rtp_ssrc = ssrc;
  *n = (size_t)len;
  return ERR_OK;
}

enum err srtp_session_unprotect_rtcp(struct srtp_session *s, uint8_t *p, size_t *n) {
  uint32_t ssrc = 0;
  if (!peek_ssrc(p, *n, RTCP_HEADER + s->rtcp_trailer, 4, &ssrc))
    return ERR_BAD_RTP;
  if (s->rtcp_ssrc != 0 && ssrc != s->rtcp_ssrc && ssrc != s->rtp_ssrc)
    return ERR_BAD_RTP;
  if ((p[*n - s->rtcp_flag_offset] & 0x80) ==
      0) /* not encrypted: nobody may opt out of what was negotiated */
    return ERR_BAD_RTP;
  int len = (int)*n;
  enum err e = err_of(srtp_unprotect_rtcp(s->recv, p, &len));
  if (e != ERR_OK)
    return e;
  if (s->rtcp_ssrc == 0)
    s->rtcp_ssrc = ssrc;
  *n = (size_t)len;
  return ERR_OK;
}

void srtp_session_prefetch(const struct srtp_session *s) {
  __builtin_prefetch(s);
}

uint32_t srtp_session_ssrc(const struct srtp_session *s) {
  return s->rtp_ssrc;
}

void srtp_session_destroy(struct srtp_session *s) {
  if (s == NULL)
    return;
  seal_end(&s->seal);
  if (s->send != NULL)
    (void)srtp_dealloc(s->send);
  if (s->recv != NULL)
    (void)srtp_dealloc(s->recv);
  free(s);
}
