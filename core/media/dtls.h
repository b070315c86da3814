/* dtls.h: one DTLS 1.2 association for DTLS-SRTP (RFC 5763, 5764), sans-IO over OpenSSL memory BIOs.
 *
 * Invariant: keys are exported only when the hash of the peer's certificate is the announced fingerprint and
 * an SRTP profile was selected; otherwise the state is DTLS_FAILED with a reason. Thread: one at a time; the
 * context may be shared by threads. Drain rule: after each start and handle_* call poll packets until 0. */
#ifndef GAVEL_MEDIA_DTLS_H
#define GAVEL_MEDIA_DTLS_H

#include "core/base/clock.h"
#include "core/base/err.h"
#include "core/media/cert.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DTLS_DATAGRAM_MAX 1200 /* of what we send; what we receive may be longer */

enum srtp_profile_id {
  PROFILE_NONE,
  PROFILE_AES128_CM_SHA1_80,
  PROFILE_AEAD_AES_128_GCM,
  PROFILE_AEAD_AES_256_GCM
};
/* srtp_profile_text: "AEAD_AES_256_GCM"; "none" for PROFILE_NONE. */
const char *srtp_profile_text(enum srtp_profile_id p);

struct dtls_ctx; /* SSL_CTX with our certificate; ours prefers 256-GCM, 128-GCM, CM-SHA1-80 in that order */
/* dtls_ctx_create: `min_256` refuses every profile but AEAD_AES_256_GCM. The certificate (ECDSA) is
 * up-referenced. NULL when OpenSSL refuses it or memory is short. May be destroyed while associations made
 * from it live. */
struct dtls_ctx *dtls_ctx_create(const struct cert *c, bool min_256);
void dtls_ctx_destroy(struct dtls_ctx *c);

struct dtls_keys { /* SRTP master key || salt, per direction; wipe with OPENSSL_cleanse */
  enum srtp_profile_id profile;
  uint8_t send[46], recv[46];
  size_t len;
};
enum dtls_state { DTLS_NEW, DTLS_HANDSHAKE, DTLS_DONE, DTLS_FAILED, DTLS_CLOSED };

struct dtls;
/* dtls_create: `server` is the passive side. `fingerprint` is the announced hash of the peer's certificate,
 * made by `hash`: "sha-256", "sha-384" or "sha-512" in any case (RFC 8122). NULL on any other hash or a wrong
 * `len`. */
struct dtls *dtls_create(struct dtls_ctx *c, bool server, const char *hash, const uint8_t *fingerprint,
                         size_t len);
/* dtls_start: the active side sends its ClientHello. No-op for the server and the second time. */
void dtls_start(struct dtls *d, us_t now);
/* dtls_handle_packet: one datagram (first byte 20..63). Garbage is ignored, as UDP demands. Pass only
 * datagrams of an address that ICE validated: no cookie is asked for. */
void dtls_handle_packet(struct dtls *d, us_t now, const uint8_t *p, size_t n);
/* dtls_handle_timeout: retransmit when due (0.2 s, doubling to 3 s), fail 30 s after our first flight. */
void dtls_handle_timeout(struct dtls *d, us_t now);
/* dtls_next_timeout: when to call it; US_NEVER when idle. */
us_t dtls_next_timeout(const struct dtls *d);
/* dtls_poll_packet: the next datagram to send (whole records, <= DTLS_DATAGRAM_MAX, which `cap` must allow);
 * 0 when none. */
size_t dtls_poll_packet(struct dtls *d, uint8_t *out, size_t cap);
/* dtls_state: DTLS_CLOSED after an authentic close_notify or fatal alert of the peer. */
enum dtls_state dtls_state(const struct dtls *d);
/* dtls_peer_known: the certificate with the announced fingerprint has been shown. */
bool dtls_peer_known(const struct dtls *d);
/* dtls_failure: why, once DTLS_FAILED: ERR_FINGERPRINT, ERR_NO_SRTP, ERR_NOMEM or ERR_DTLS. */
enum err dtls_failure(const struct dtls *d);
/* dtls_take_keys: once, when DTLS_DONE: false before or after. */
bool dtls_take_keys(struct dtls *d, struct dtls_keys *out);
/* dtls_shrink: free the SSL object (49 kB); call it 3 s after DTLS_DONE. No-op before. The last flight is
 * kept and resent when the peer repeats his, at most every 100 ms; a close_notify is not noticed any more. */
void dtls_shrink(struct dtls *d);
/* dtls_destroy: wipes untaken keys. NULL is fine. */
void dtls_destroy(struct dtls *d);

#endif
