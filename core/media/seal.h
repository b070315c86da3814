/* seal.h: SRTP and SRTCP as the sender's side of one SSRC, AES-GCM (RFC 7714): what the fan-out pays per
 * listener.
 *
 * A thread keeps one cipher context a key length and gives it the listener's key for each packet: 130 ns more
 * than a context a listener while that is in the cache, but a listener is 128 bytes instead of 1.2 KB in
 * dozens of cache lines, and with 1000 of them in turn, and the kernel's work in between, they never are
 * (bench_fanout: 0.7 us more a packet).
 *
 * Invariant: no index is ever used twice, so no nonce is; the bytes are those libsrtp2 makes. Thread: a
 * struct seal belongs to one. */
#ifndef GAVEL_MEDIA_SEAL_H
#define GAVEL_MEDIA_SEAL_H

#include "core/base/err.h"
#include "core/media/dtls.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEAL_TAG 16
#define SEAL_RTCP_TRAILER (SEAL_TAG + 4)
#define SEAL_LATE 64 /* a sequence number this far behind the highest is refused */

struct seal { /* private to seal.c; lies where its owner wants it. Zero: none */
  /* what a packet needs: one cache line */
  uint8_t key[32];
  uint64_t high; /* highest index used: rollover counter and sequence number */
  uint64_t used; /* bit n: high - n */
  uint8_t salt[12];
  uint8_t key_len;
  /* and for reports */
  uint8_t rtcp_salt[12], rtcp_key[32];
  uint32_t rtcp_index; /* of the last report */
};
/* seal_begin: from a master key || salt as DTLS exports it (RFC 3711 section 4.3), which the caller wipes.
 * False for a profile that is not GCM, and without memory. */
MUST_CHECK bool seal_begin(struct seal *s, enum srtp_profile_id profile, const uint8_t *master);
/* seal_rtp: the packet begins at `out` with `head` bytes of RTP header in clear; the payload is encrypted
 * from where it lies to behind them (it may lie there already), SEAL_TAG bytes follow. *n: the whole length.
 * ERR_SRTP_REPLAY: used before, or too old; ERR_FULL: more than `cap`. */
MUST_CHECK enum err seal_rtp(struct seal *s, uint8_t *out, size_t head, const uint8_t *payload, size_t len,
                             size_t *n, size_t cap);
/* seal_rtcp: a compound packet in place; *n grows by SEAL_RTCP_TRAILER. ERR_FULL. */
MUST_CHECK enum err seal_rtcp(struct seal *s, uint8_t *p, size_t *n, size_t cap);
/* seal_end: wipes the keys. */
void seal_end(struct seal *s);

#endif
