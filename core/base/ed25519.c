#include "core/base/ed25519.h"
#include "core/base/bytes.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>

static EVP_PKEY *private_key(const uint8_t seed[ED25519_KEY]) {
  EVP_PKEY *k = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, ED25519_KEY);
  if (!k)
    abort();
  return k;
}

void ed25519_public(const uint8_t seed[ED25519_KEY], uint8_t out[ED25519_KEY]) {
  size_t n = ED25519_KEY;
  EVP_PKEY *k = private_key(seed);
  if (EVP_PKEY_get_raw_public_key(k, out, &n) != 1)
    abort();
  EVP_PKEY_free(k);
}

void ed25519_sign(const uint8_t seed[ED25519_KEY], const void *msg, size_t n, uint8_t sig[ED25519_SIG]) {
  size_t len = ED25519_SIG;
  EVP_PKEY *k = private_key(seed);
  EVP_MD_CTX *m = EVP_MD_CTX_new();
  if (!m || EVP_DigestSignInit(m, NULL, NULL, NULL, k) != 1 || EVP_DigestSign(m, sig, &len, msg, n) != 1)
    abort();
  EVP_MD_CTX_free(m);
  EVP_PKEY_free(k);
}

bool ed25519_check(const uint8_t public[ED25519_KEY], const void *msg, size_t n,
                   const uint8_t sig[ED25519_SIG]) {
  EVP_PKEY *k = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public, ED25519_KEY);
  EVP_MD_CTX *m = EVP_MD_CTX_new();
  bool fits = k && m && EVP_DigestVerifyInit(m, NULL, NULL, NULL, k) == 1 &&
              EVP_DigestVerify(m, sig, ED25519_SIG, msg, n) == 1;
  EVP_MD_CTX_free(m);
  EVP_PKEY_free(k);
  return fits;
}

static bool read_pem(const char *text, size_t n, bool private, uint8_t out[ED25519_KEY]) {
  size_t len = ED25519_KEY;
  BIO *in = BIO_new_mem_buf(text, (int)n);
  EVP_PKEY *k = !in       ? NULL
                : private ? PEM_read_bio_PrivateKey(in, NULL, NULL, "")
                          : PEM_read_bio_PUBKEY(in, NULL, NULL, NULL);
  bool ok =
      k && EVP_PKEY_get_id(k) == EVP_PKEY_ED25519 &&
      (private ? EVP_PKEY_get_raw_private_key(k, out, &len) : EVP_PKEY_get_raw_public_key(k, out, &len)) == 1;
  EVP_PKEY_free(k);
  BIO_free(in);
  return ok;
}

bool ed25519_read(const char *text, size_t n, bool private, uint8_t out[ED25519_KEY]) {
  while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r'))
    n--;
  if (n == 2 * ED25519_KEY && hex_decode(text, n, out))
    return true;
  return b64url_decode(text, n, out, ED25519_KEY) == ED25519_KEY || read_pem(text, n, private, out);
}
