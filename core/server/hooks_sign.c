/* hooks_sign.c: secrets and signatures of Standard Webhooks. */
#include "core/server/hooks.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t hooks_secret(const char *text, uint8_t out[64]) {
  uint8_t raw[96];
  size_t n = strlen(text), pad = 0;
  if (strncmp(text, "whsec_", 6) != 0) {
    if (n > 64)
      return 0;
    memcpy(out, text, n);
    return n;
  }
  while (pad < 2 && pad < n && text[n - 1 - pad] == '=')
    pad++;
  int got = n - 6 <= 88 ? EVP_DecodeBlock(raw, (const uint8_t *)text + 6, (int)(n - 6)) : -1;
  if (got < 0 || (size_t)got < pad + 16 || (size_t)got - pad > 64)
    return 0;
  memcpy(out, raw, (size_t)got - pad);
  OPENSSL_cleanse(raw, sizeof raw);
  return (size_t)got - pad;
}

void hooks_sign(const uint8_t *key, size_t n_key, const char *id, const char *at, const char *body, size_t n,
                char out[80]) {
  uint8_t mac[EVP_MAX_MD_SIZE];
  unsigned n_mac = sizeof mac;
  size_t cap = strlen(id) + strlen(at) + n + 3;
  char *text = malloc(cap);
  if (!text)
    abort();
  int len = snprintf(text, cap, "%s.%s.%.*s", id, at, (int)n, body);
  (void)HMAC(EVP_sha256(), key, (int)n_key, (const uint8_t *)text, (size_t)len, mac, &n_mac);
  memcpy(out, "v1,", 3);
  EVP_EncodeBlock((uint8_t *)out + 3, mac, (int)n_mac);
  free(text);
}
