/* password.h: passwords of accounts as argon2id PHC strings (RFC 9106), and what may be a password.
 *
 * Passwords are compared byte by byte: nothing normalises them. Invariant: hashing costs 19 MiB and tens of
 * ms, so only the one worker calls it (core/server/shell_kdf.c), never the control thread. Thread: any. */
#ifndef GAVEL_AUTH_PASSWORD_H
#define GAVEL_AUTH_PASSWORD_H

#include "core/base/err.h"
#include "core/base/rng.h"

#include <stdbool.h>

#define PASSWORD_MIN 12  /* characters */
#define PASSWORD_MAX 128 /* bytes */
#define PASSWORD_PHC_MAX 160

/* password_check: ERR_BAD_PASSWORD with *why (one sentence: too short, too long, one of the common ones). */
MUST_CHECK enum err password_check(const char *text, const char **why);
/* password_hash: m=19456 KiB, t=2, p=1, 16 bytes of salt from rng. */
MUST_CHECK enum err password_hash(const char *text, struct rng *rng, char phc[PASSWORD_PHC_MAX]);
/* password_verify: is it this one? *rehash: yes, but its parameters are weaker than ours. A NULL or empty phc
 * costs the same time and never matches, so that nobody learns which accounts exist. */
bool password_verify(const char *text, const char *phc, bool *rehash);
/* password_phc_valid: a PHC string of argon2id, at least as costly as any of OWASP's figures (weaker than
 * ours: see rehash), at most four times ours in each cost, and of one lane: the worker may start no threads.
 */
bool password_phc_valid(const char *phc);

#endif
