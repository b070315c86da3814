/* srtp.h: SRTP and SRTCP (RFC 3711, 7714) for one association: inbound by libsrtp2 with OpenSSL's ciphers
 * plugged in, outbound by seal.h, but for counter mode, which is libsrtp2's as well.
 *
 * Debian builds libsrtp2 on NSS, whose cost a packet grows with the number of sessions; the plug makes it
 * flat. Invariant: inbound packets are checked for SSRC before the cryptography; replay window 1024. Thread:
 * a struct srtp_session belongs to one thread. */
#ifndef GAVEL_MEDIA_SRTP_H
#define GAVEL_MEDIA_SRTP_H

#include "core/base/err.h"
#include "core/media/dtls.h"

#include <stddef.h>
#include <stdint.h>

#define SRTP_TRAILER_MAX 32 /* bytes a protect call may add */

/* srtp_setup: initialise libsrtp2 and plug OpenSSL in. Idempotent, thread-safe; srtp_session_create calls it
 * too, but its self-tests take some ms. No fork after it. Aborts when the plug fails its self-test. */
void srtp_setup(void);
struct srtp_session;
/* srtp_session_create: both directions from exported keys, which the caller wipes. recv_ssrc 0: lock to the
 * first SSRC that authenticates, RTP and RTCP each, and RTCP also accepts RTP's. NULL when memory is short.
 */
struct srtp_session *srtp_session_create(const struct dtls_keys *k, uint32_t recv_ssrc);
/* srtp_session_protect, ..._rtcp: in place, of one SSRC; *n grows by the trailer; cap is the room in p.
 * ERR_FULL without room for SRTP_TRAILER_MAX more, ERR_SRTP_REPLAY for a sequence number used before,
 * ERR_BAD_RTP. */
MUST_CHECK enum err srtp_session_protect(struct srtp_session *s, uint8_t *p, size_t *n, size_t cap);
MUST_CHECK enum err srtp_session_protect_rtcp(struct srtp_session *s, uint8_t *p, size_t *n, size_t cap);
/* srtp_session_seal: as srtp_session_protect, with the header alone (`head` bytes of it) at `out` and the
 * payload elsewhere: it is encrypted into its place. `n`: the whole length. */
MUST_CHECK enum err srtp_session_seal(struct srtp_session *s, uint8_t *out, size_t head,
                                      const uint8_t *payload, size_t len, size_t *n, size_t cap);
/* srtp_session_unprotect, ..._rtcp: in place; *n shrinks. ERR_BAD_RTP (also a foreign SSRC, or RTCP sent in
 * clear), ERR_SRTP_AUTH, ERR_SRTP_REPLAY; then *n stands and the bytes of p are not to be used. */
MUST_CHECK enum err srtp_session_unprotect(struct srtp_session *s, uint8_t *p, size_t *n);
MUST_CHECK enum err srtp_session_unprotect_rtcp(struct srtp_session *s, uint8_t *p, size_t *n);
/* srtp_session_prefetch: what srtp_session_seal will read is wanted in the cache soon. */
void srtp_session_prefetch(const struct srtp_session *s);
/* srtp_session_ssrc: of the inbound RTP, 0 while not locked to one. */
uint32_t srtp_session_ssrc(const struct srtp_session *s);
void srtp_session_destroy(struct srtp_session *s);

#endif
