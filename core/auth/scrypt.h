/* scrypt.h: room passwords (RFC 7914). They are short-lived words said over the phone and checked on the
 * control thread, so they cost milliseconds; accounts have argon2id (password.h). Pure; any thread. */
#ifndef GAVEL_AUTH_SCRYPT_H
#define GAVEL_AUTH_SCRYPT_H

#include "core/base/err.h"

#include <stddef.h>
#include <stdint.h>

#define SCRYPT_N 4096
#define SCRYPT_R 8
#define SCRYPT_P 1

/* scrypt: `n` bytes from a password and a salt. ERR_NOMEM; N, r, p as RFC 7914 section 2 says. */
MUST_CHECK enum err scrypt(const char *text, const void *salt, size_t salt_len, uint64_t N, uint64_t r,
                           uint64_t p, uint8_t *out, size_t n);

#endif
