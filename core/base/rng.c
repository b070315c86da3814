#include "core/base/rng.h"

#include <assert.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

static void system_fill(struct rng *r, void *out, size_t n) {
  (void)r;
  assert(n <= 1 << 20);
  if (RAND_bytes(out, (int)n) != 1)
    abort(); /* no entropy: going on would mean guessable keys */
}

struct rng *rng_system(void) {
  static struct rng r = {.fill = system_fill};
  return &r;
}

static uint64_t rotl(uint64_t x, int k) {
  return (x << k) | (x >> (64 - k));
}

/* xoshiro256** by Blackman and Vigna (public domain algorithm) */
static uint64_t next(struct rng *r) {
  uint64_t *s = r->s, result = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= t;
  s[3] = rotl(s[3], 45);
  return result;
}

static void seeded_fill(struct rng *r, void *out, size_t n) {
  uint8_t *p = out;
  while (n > 0) {
    uint64_t v = next(r);
    size_t k = n < sizeof v ? n : sizeof v;
    memcpy(p, &v, k);
    p += k;
    n -= k;
  }
}

void rng_seed(struct rng *r, uint64_t seed) {
  r->fill = seeded_fill;
  for (int i = 0; i < 4; i++) { /* splitmix64 */
    uint64_t z = (seed += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    r->s[i] = z ^ (z >> 31);
  }
}

uint64_t rng_u64(struct rng *r) {
  uint64_t v;
  r->fill(r, &v, sizeof v);
  return v;
}

uint64_t rng_below(struct rng *r, uint64_t n) {
  assert(n > 0);
  uint64_t limit = UINT64_MAX - UINT64_MAX % n, v;
  do
    v = rng_u64(r);
  while (v >= limit);
  return v % n;
}

void rng_token(struct rng *r, char *out, size_t n) {
  static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  for (size_t i = 0; i < n; i++)
    out[i] = set[rng_below(r, sizeof set - 1)];
  out[n] = 0;
}
