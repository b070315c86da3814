/* ed25519.h: signatures of RFC 8032, and keys as people write them.
 *
 * Invariant: keys are 32 raw bytes, the private one its seed. Pure; any thread. Aborts when memory is out. */
#ifndef GAVEL_BASE_ED25519_H
#define GAVEL_BASE_ED25519_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ED25519_KEY 32
#define ED25519_SIG 64

/* ed25519_public: the public key of a seed. */
void ed25519_public(const uint8_t seed[ED25519_KEY], uint8_t out[ED25519_KEY]);
void ed25519_sign(const uint8_t seed[ED25519_KEY], const void *msg, size_t n, uint8_t sig[ED25519_SIG]);
bool ed25519_check(const uint8_t public[ED25519_KEY], const void *msg, size_t n,
                   const uint8_t sig[ED25519_SIG]);
/* ed25519_read: a public key, or a private one, as n letters of PEM, 64 hex digits or base64url; line breaks
 * may follow. */
bool ed25519_read(const char *text, size_t n, bool private, uint8_t out[ED25519_KEY]);

#endif
