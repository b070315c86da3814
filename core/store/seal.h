/* seal.h: AES-256-GCM for what rests on disk.
 *
 * Invariant: a sealed value is nonce(12) | ciphertext | tag(16), bound to a label (additional data) that
 * names its place, so a value moved to another row does not open. Nonces are random: one key is good for 2^32
 * values (NIST SP 800-38D section 8.3). Pure; any thread. */
#ifndef GAVEL_STORE_SEAL_H
#define GAVEL_STORE_SEAL_H

#include "core/base/rng.h"

#include <stdbool.h>

#define SEAL_KEY 32
#define SEAL_OVERHEAD 28

/* seal_close: n bytes of `in` (n < 2^30) into out[n + SEAL_OVERHEAD]. */
void seal_close(const uint8_t key[SEAL_KEY], struct rng *rng, const char *label, const void *in, size_t n,
                uint8_t *out);
/* seal_open: a sealed value of n bytes into out[n - SEAL_OVERHEAD]; false (and out wiped) when the key or the
 * label does not fit or a byte was changed. */
bool seal_open(const uint8_t key[SEAL_KEY], const char *label, const void *in, size_t n, void *out);

#endif
