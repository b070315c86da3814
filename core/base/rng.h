/* rng.h: chance, injected. The product draws from OpenSSL's CSPRNG, the simulator from a seeded generator.
 *
 * Invariant: every module that needs chance holds a `struct rng *`, never calls the system's. Thread: a
 * seeded rng belongs to one thread; rng_system() may be shared. */
#ifndef GAVEL_BASE_RNG_H
#define GAVEL_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

struct rng {
  void (*fill)(struct rng *, void *out, size_t n);
  uint64_t s[4]; /* state of the seeded kind (xoshiro256**), unused otherwise */
};

/* rng_system: the process-wide cryptographic generator (RAND_bytes; aborts if it cannot deliver). */
struct rng *rng_system(void);
/* rng_seed: make `r` a deterministic generator. For tests and simulation only, never for the
 * product's keys. */
void rng_seed(struct rng *r, uint64_t seed);
/* rng_u64, rng_below: one number; rng_below is uniform in [0,n), n > 0. */
uint64_t rng_u64(struct rng *r);
uint64_t rng_below(struct rng *r, uint64_t n);
/* rng_token: n random characters of [A-Za-z0-9] plus NUL into out[n+1] (ICE ufrag and pwd, ids). */
void rng_token(struct rng *r, char *out, size_t n);

#endif
