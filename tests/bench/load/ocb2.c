#include "tests/bench/load/ocb2.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK 16
#define AHEAD_MAX 127

struct ocb2 {
  EVP_CIPHER_CTX *e, *d;
  uint8_t send[BLOCK], receive[BLOCK];
};

static EVP_CIPHER_CTX *ecb(const uint8_t *key, int encrypt) {
  EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
  if (!c || !EVP_CipherInit_ex(c, EVP_aes_128_ecb(), NULL, key, NULL, encrypt) ||
      !EVP_CIPHER_CTX_set_padding(c, 0))
    abort();
  return c;
}

struct ocb2 *ocb2_create(const uint8_t key[16], const uint8_t send[16], const uint8_t receive[16]) {
  struct ocb2 *c = calloc(1, sizeof *c);
  if (!c)
    abort();
  c->e = ecb(key, 1);
  c->d = ecb(key, 0);
  memcpy(c->send, send, BLOCK);
  memcpy(c->receive, receive, BLOCK);
  return c;
}

static void cipher(EVP_CIPHER_CTX *c, uint8_t out[BLOCK], const uint8_t in[BLOCK]) {
  int n = 0;
  if (!EVP_CipherUpdate(c, out, &n, in, BLOCK))
    abort();
}

static void mix(uint8_t out[BLOCK], const uint8_t a[BLOCK], const uint8_t b[BLOCK]) {
  for (int i = 0; i < BLOCK; i++)
    out[i] = a[i] ^ b[i];
}

/* Times x in GF(2^128). */
static void twice(uint8_t x[BLOCK]) {
  unsigned carry = x[0] >> 7;
  for (int i = 0; i < BLOCK - 1; i++)
    x[i] = (uint8_t)(x[i] << 1 | x[i + 1] >> 7);
  x[BLOCK - 1] = (uint8_t)((unsigned)(x[BLOCK - 1] << 1) ^ (carry ? 0x87 : 0));
}

/* Both directions; sum is over the plain text. */
static void run(struct ocb2 *c, bool seal, const uint8_t nonce[BLOCK], uint8_t *out, const uint8_t *in,
                size_t n, uint8_t tag[BLOCK]) {
  uint8_t delta[BLOCK], sum[BLOCK] = {0}, t[BLOCK], pad[BLOCK];
  cipher(c->e, delta, nonce);
  for (; n > BLOCK; n -= BLOCK, in += BLOCK, out += BLOCK) {
    twice(delta);
    mix(t, delta, in);
    cipher(seal ? c->e : c->d, t, t);
    if (seal)
      mix(sum, sum, in);
    mix(out, delta, t);
    if (!seal)
      mix(sum, sum, out);
  }
  twice(delta);
  memset(t, 0, BLOCK);
  t[BLOCK - 1] = (uint8_t)(n * 8);
  mix(t, t, delta);
  cipher(c->e, pad, t);
  memcpy(t, pad, BLOCK);
  for (size_t i = 0; i < n; i++) {
    t[i] = seal ? in[i] : in[i] ^ pad[i];
    out[i] = in[i] ^ pad[i];
  }
  mix(sum, sum, t);
  memcpy(t, delta, BLOCK);
  twice(t);
  mix(delta, delta, t);
  mix(t, delta, sum);
  cipher(c->e, tag, t);
}

static void step(uint8_t counter[BLOCK]) {
  for (int i = 0; i < BLOCK && ++counter[i] == 0; i++)
    ;
}

size_t ocb2_seal(struct ocb2 *c, uint8_t *out, const uint8_t *p, size_t n) {
  uint8_t tag[BLOCK];
  step(c->send);
  run(c, true, c->send, out + OCB2_HEAD, p, n, tag);
  out[0] = c->send[0];
  memcpy(out + 1, tag, OCB2_HEAD - 1);
  return n + OCB2_HEAD;
}

size_t ocb2_open(struct ocb2 *c, uint8_t *out, const uint8_t *p, size_t n) {
  uint8_t tag[BLOCK], counter[BLOCK];
  memcpy(counter, c->receive, BLOCK);
  if (n <= OCB2_HEAD || (uint8_t)(p[0] - counter[0]) > AHEAD_MAX || p[0] == counter[0])
    return 0;
  while (counter[0] != p[0])
    step(counter);
  run(c, false, counter, out, p + OCB2_HEAD, n - OCB2_HEAD, tag);
  if (memcmp(tag, p + 1, OCB2_HEAD - 1) != 0)
    return 0;
  memcpy(c->receive, counter, BLOCK);
  return n - OCB2_HEAD;
}

void ocb2_destroy(struct ocb2 *c) {
  if (!c)
    return;
  EVP_CIPHER_CTX_free(c->e);
  EVP_CIPHER_CTX_free(c->d);
  free(c);
}
