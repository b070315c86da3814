#include "core/store/chain.h"
#include "core/base/bytes.h"

#include <assert.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

static void put(EVP_MD_CTX *c, const void *p, size_t n) {
  if (EVP_DigestUpdate(c, p, n) != 1)
    abort(); /* SHA-256 only fails when memory is out: no hash, no log */
}

static void put_u64(EVP_MD_CTX *c, uint64_t v) {
  uint8_t b[8];
  struct writer w = writer_of(b, sizeof b);
  write_u64(&w, v);
  put(c, b, sizeof b);
}

static void put_text(EVP_MD_CTX *c, const char *s) {
  size_t n = strlen(s);
  put_u64(c, n);
  put(c, s, n);
}

void chain_hash(const uint8_t prev[CHAIN_HASH], const struct store_record *r, const uint8_t *digest,
                uint8_t out[CHAIN_HASH]) {
  EVP_MD_CTX *c = EVP_MD_CTX_new();
  if (!c || EVP_DigestInit_ex(c, EVP_sha256(), NULL) != 1)
    abort();
  put(c, prev, CHAIN_HASH);
  put_text(c, r->stream);
  put_u64(c, r->seq);
  put_u64(c, (uint64_t)r->ts_ms);
  put_text(c, r->actor);
  put_text(c, r->kind);
  put_text(c, r->target);
  put_text(c, r->data);
  put_u64(c, digest ? CHAIN_HASH : 0);
  if (digest)
    put(c, digest, CHAIN_HASH);
  if (EVP_DigestFinal_ex(c, out, NULL) != 1)
    abort();
  EVP_MD_CTX_free(c);
}

void chain_mac(const uint8_t key[32], const void *p, size_t n, uint8_t out[32]) {
  if (!HMAC(EVP_sha256(), key, 32, p, n, out, NULL))
    abort();
}

void chain_key(const uint8_t master[32], const char *use, uint8_t out[32]) {
  chain_mac(master, use, strlen(use), out);
}

void chain_sign(const uint8_t key[32], const char *stream, const struct chain_head *h,
                uint8_t mac[CHAIN_HASH]) {
  uint8_t b[8 + CHAIN_HASH + CHAIN_HASH];
  struct writer w = writer_of(b, sizeof b);
  uint8_t name[CHAIN_HASH];
  sha256(stream, strlen(stream), name);
  write_bytes(&w, name, sizeof name);
  write_u64(&w, h->seq);
  write_bytes(&w, h->hash, CHAIN_HASH);
  assert(w.ok);
  chain_mac(key, b, sizeof b, mac);
}
