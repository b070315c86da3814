/* chain.h: the canonical hash that ties an event to the one before it, and the signed head of a stream.
 *
 * Invariant: every field is hashed with its length, so no two different events share a byte string. A chain
 * alone shows edits in the middle; the head's MAC also shows a cut tail and a chain computed anew by someone
 * without the key. Putting back a whole older file, or dropping a stream with its head, it cannot show. Pure;
 * any thread. */
#ifndef GAVEL_STORE_CHAIN_H
#define GAVEL_STORE_CHAIN_H

#include "core/store/store.h"

#define CHAIN_HASH 32 /* bytes of SHA-256 */

/* The last event of a stream; all zero before the first. */
struct chain_head {
  uint64_t seq;
  uint8_t hash[CHAIN_HASH];
};

/* chain_hash: SHA-256 over prev and the fields of r; of the payload only its digest (NULL: it has none), so
 * that the content can be erased later. */
void chain_hash(const uint8_t prev[CHAIN_HASH], const struct store_record *r, const uint8_t *digest,
                uint8_t out[CHAIN_HASH]);
/* chain_key: a key for one use, from the master key: HMAC-SHA-256(master, use). */
void chain_key(const uint8_t master[32], const char *use, uint8_t out[32]);
/* chain_mac: HMAC-SHA-256. */
void chain_mac(const uint8_t key[32], const void *p, size_t n, uint8_t out[32]);
/* chain_sign: HMAC-SHA-256 of stream, seq and hash. */
void chain_sign(const uint8_t key[32], const char *stream, const struct chain_head *h,
                uint8_t mac[CHAIN_HASH]);

#endif
