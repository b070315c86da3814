/* totp.h: time-based one-time passwords (RFC 6238 over RFC 4226) and recovery codes.
 *
 * Invariant: a step that was accepted is never accepted again: the caller keeps `last_step`. Pure; any
 * thread. */
#ifndef GAVEL_AUTH_TOTP_H
#define GAVEL_AUTH_TOTP_H

#include "core/base/err.h"
#include "core/base/rng.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOTP_SECRET 20
#define TOTP_STEP_S 30
#define TOTP_DIGITS 6
#define TOTP_URI_MAX 512
#define TOTP_RECOVERY_CODES 10
#define TOTP_RECOVERY_MAX 20 /* "xxxx-xxxx-xxxx-xxxx" of base32, and NUL: 80 bits */

enum totp_hash { TOTP_SHA1, TOTP_SHA256, TOTP_SHA512 };
/* totp_at: the code of a step as a number below 10^digits (6 or 8). */
uint32_t totp_at(enum totp_hash h, const uint8_t *secret, size_t n, uint64_t step, unsigned digits);
/* totp_check: six digits typed (blanks ignored), one step of clock error to each side, above *last_step only;
 * moves *last_step when right. */
bool totp_check(const uint8_t secret[TOTP_SECRET], const char *typed, int64_t now_s, uint64_t *last_step);
/* totp_uri: otpauth://totp/ISSUER:ACCOUNT?secret=... for an authenticator. */
void totp_uri(const uint8_t secret[TOTP_SECRET], const char *issuer, const char *account,
              char out[TOTP_URI_MAX]);
/* totp_recovery_make: one code; totp_recovery_hash: what is kept of it (blanks, dashes and case ignored). */
void totp_recovery_make(struct rng *rng, char out[TOTP_RECOVERY_MAX]);
bool totp_recovery_hash(const char *typed, uint8_t out[32]);

#endif
