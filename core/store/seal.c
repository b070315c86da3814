#include "core/store/seal.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum { NONCE = 12, TAG = 16, VALUE_MAX = 1 << 30 };

static EVP_CIPHER_CTX *start(const uint8_t *key, const uint8_t *nonce, const char *label, int encrypt) {
  EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
  int n;
  if (!c || EVP_CipherInit_ex(c, EVP_aes_256_gcm(), NULL, key, nonce, encrypt) != 1 ||
      EVP_CipherUpdate(c, NULL, &n, (const uint8_t *)label, (int)strlen(label)) != 1)
    abort(); /* only when memory is out: nothing may be stored unsealed */
  return c;
}

void seal_close(const uint8_t key[SEAL_KEY], struct rng *rng, const char *label, const void *in, size_t n,
                uint8_t *out) {
  assert(n < VALUE_MAX);
  rng->fill(rng, out, NONCE);
  EVP_CIPHER_CTX *c = start(key, out, label, 1);
  uint8_t *body = out + NONCE;
  int done, last;
  if (EVP_CipherUpdate(c, body, &done, in, (int)n) != 1 || EVP_CipherFinal_ex(c, body + done, &last) != 1 ||
      EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, TAG, body + n) != 1)
    abort();
  EVP_CIPHER_CTX_free(c);
}

bool seal_open(const uint8_t key[SEAL_KEY], const char *label, const void *in, size_t n, void *out) {
  if (n < SEAL_OVERHEAD || n >= VALUE_MAX)
    return false;
  const uint8_t *p = in;
  size_t len = n - SEAL_OVERHEAD;
  uint8_t tag[TAG];
  memcpy(tag, p + n - TAG, TAG);
  EVP_CIPHER_CTX *c = start(key, p, label, 0);
  int done = 0, last;
  bool ok = EVP_CipherUpdate(c, out, &done, p + NONCE, (int)len) == 1 &&
            EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, TAG, tag) == 1 &&
            EVP_CipherFinal_ex(c, (uint8_t *)out + done, &last) == 1;
  EVP_CIPHER_CTX_free(c);
  if (!ok)
    OPENSSL_cleanse(out, len);
  return ok;
}
