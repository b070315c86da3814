/* secure.h: what protects one media path: a DTLS association, the SRTP session from its keys, and now and
 * then new ones of both, over the same addresses, without a packet lost (RFC 5764, RFC 8842: no
 * renegotiation, a new association). Sans-IO.
 *
 * Invariant: nothing is protected by keys that the other side may not have yet. The active side begins a
 * change of keys and uses the new ones as soon as its handshake is done, because the passive side was done
 * before; the passive side uses them once a packet under them has come in. What was under way under the old
 * keys is still opened. RTP changes keys away from the end of a sequence cycle, so that both sides begin with
 * the same rollover counter. Thread: one. Drain rule: after each start, rekey and handle_* call poll packets
 * until 0, then ask for news. */
#ifndef GAVEL_MEDIA_SECURE_H
#define GAVEL_MEDIA_SECURE_H

#include "core/media/dtls.h"
#include "core/media/srtp.h"

#define SECURE_OLD_US                                                                                        \
  (3 * US_PER_S) /* old keys are kept so long after the first RTP packet under new ones                      \
                  */

struct secure;
/* secure_create: `server` is the passive side. As dtls_create and srtp_session_create say. NULL likewise. */
struct secure *secure_create(struct dtls_ctx *ctx, bool server, const char *hash, const uint8_t *fingerprint,
                             size_t len, uint32_t recv_ssrc);
/* secure_start: the active side's first hello. secure_rekey: its hello of a further association; no-op while
 * one is under way, none is up yet, or RTP has not changed to the last one's keys. One that fails is
 * forgotten in silence and the old keys stay. */
void secure_start(struct secure *s, us_t now);
void secure_rekey(struct secure *s, us_t now);
void secure_handle_dtls(struct secure *s, us_t now, const uint8_t *p, size_t n);
void secure_handle_timeout(struct secure *s, us_t now);
us_t secure_next_timeout(const struct secure *s);
/* secure_poll: the next datagram of a handshake, 0 when none. */
size_t secure_poll(struct secure *s, uint8_t *out, size_t cap);

enum secure_news { SECURE_NOTHING, SECURE_UP, SECURE_REKEYED, SECURE_REKEY_FAILED, SECURE_FAILED };
/* secure_news: what happened since it was asked last; SECURE_UP and SECURE_FAILED are said once. */
enum secure_news secure_news(struct secure *s);
bool secure_up(const struct secure *s);
enum err secure_failure(const struct secure *s); /* once SECURE_FAILED */
enum srtp_profile_id secure_profile(const struct secure *s);

/* As srtp_session_protect, _seal and _unprotect; ERR_AGAIN while not up. */
MUST_CHECK enum err secure_protect(struct secure *s, uint8_t *p, size_t *n, size_t cap);
MUST_CHECK enum err secure_seal(struct secure *s, uint8_t *out, size_t head, const uint8_t *payload,
                                size_t len, size_t *n, size_t cap);
MUST_CHECK enum err secure_protect_rtcp(struct secure *s, uint8_t *p, size_t *n, size_t cap);
MUST_CHECK enum err secure_unprotect(struct secure *s, us_t now, uint8_t *p, size_t *n);
MUST_CHECK enum err secure_unprotect_rtcp(struct secure *s, uint8_t *p, size_t *n);
/* secure_prefetch: its keys will be used soon; reads s itself, which should be in the cache by then. */
void secure_prefetch(const struct secure *s);
void secure_destroy(struct secure *s);

#endif
