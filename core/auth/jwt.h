/* jwt.h: JSON web tokens in the compact form of RFC 7515 with HS256 (RFC 7518) or Ed25519 (RFC 8037): taking
 * apart, signing, checking. What the claims must say is not known here.
 *
 * Invariant: a struct jwt holds a header of alg, typ and kid only, and claims without a name said twice;
 * nothing of it is to be believed before jwt_check with an algorithm that the key's record names. Pure; any
 * thread. */
#ifndef GAVEL_AUTH_JWT_H
#define GAVEL_AUTH_JWT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JWT_SIG_MAX 64
#define JWT_OWN_TYP "gavel+jwt" /* explicit typing: RFC 8725 section 3.11 */

enum jwt_alg { JWT_HS256, JWT_EDDSA };
struct jwt {
  const char *text; /* borrowed: what is signed */
  size_t n_text;
  uint8_t sig[JWT_SIG_MAX];
  size_t n_sig;
  enum jwt_alg alg;      /* as it says */
  const char *typ, *kid; /* borrowed from header; NULL when not said */
  json_t *header, *claims;
};

/* jwt_open: NULL, or a word of token.h's `why`: "format", "base64", "header", "alg", "json". Claims of our
 * own typ obey json_parse_strict; those of others may hold fractions. jwt_close in any case. */
const char *jwt_open(const char *text, size_t n, struct jwt *out);
void jwt_close(struct jwt *j);
/* jwt_check: HMAC key of any length but 0, compared in constant time, or a public key of 32 bytes. False as
 * well when the token names another algorithm. */
bool jwt_check(const struct jwt *j, enum jwt_alg alg, const uint8_t *key, size_t n_key);
/* jwt_make: signed; the seed of 32 bytes for EdDSA. malloc'd; NULL: bad key, or out of memory. Steals claims.
 * kid may be NULL. */
char *jwt_make(enum jwt_alg alg, const char *typ, const char *kid, json_t *claims, const uint8_t *key,
               size_t n_key);

/* The signature alone. jwt_sign_bytes: length in sig[JWT_SIG_MAX], 0: bad key. */
size_t jwt_sign_bytes(enum jwt_alg alg, const uint8_t *key, size_t n_key, const void *msg, size_t n,
                      uint8_t sig[JWT_SIG_MAX]);
bool jwt_check_bytes(enum jwt_alg alg, const uint8_t *key, size_t n_key, const void *msg, size_t n,
                     const uint8_t *sig, size_t n_sig);

#endif
