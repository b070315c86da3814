/* base32.h: RFC 4648 section 6 base32 without padding: secrets and recovery codes that people read and type.
 *
 * Invariant: what base32_decode accepts is exactly what base32_encode makes, in either case. Pure; any
 * thread. */
#ifndef GAVEL_AUTH_BASE32_H
#define GAVEL_AUTH_BASE32_H

#include <stddef.h>
#include <stdint.h>

/* BASE32_LEN: characters that n bytes become, without the NUL. */
#define BASE32_LEN(n) (((n)*8 + 4) / 5)

/* base32_encode: NUL-terminated; out needs BASE32_LEN(n) + 1. Returns the length. */
size_t base32_encode(const void *in, size_t n, char *out);
/* base32_decode: strict (no padding, no blanks, spare bits zero); bytes written, or -1: not base32, or longer
 * than cap. */
int base32_decode(const char *in, size_t n, uint8_t *out, size_t cap);

#endif
