#include "core/auth/scrypt.h"

#include <openssl/evp.h>
#include <string.h>

#define MEMORY_MAX (UINT64_C(64) << 20) /* OpenSSL's own bound refuses N = 2^15 */

enum err scrypt(const char *text, const void *salt, size_t salt_len, uint64_t N, uint64_t r, uint64_t p,
                uint8_t *out, size_t n) {
  return EVP_PBE_scrypt(text, strlen(text), salt, salt_len, N, r, p, MEMORY_MAX, out, n) == 1 ? ERR_OK
                                                                                              : ERR_NOMEM;
}
