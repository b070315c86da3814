/* addr.h: addresses of the internet and blocks of them.
 *
 * Invariant: an address is 16 bytes, IPv4 as ::ffff:a.b.c.d, all zero unknown; a block has no bits set beyond
 * its length, so equal blocks are equal bytes. Pure; any thread. */
#ifndef GAVEL_BASE_ADDR_H
#define GAVEL_BASE_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CIDR_TEXT_MAX 64

struct cidr {
  uint8_t addr[16];
  uint8_t bits; /* of the 128, so 96 more than is written of IPv4; 0: no block */
};

/* addr_network: how many of the bytes one host surely owns (IPv6: its /64). */
bool addr_known(const uint8_t addr[16]);
bool addr_is_v4(const uint8_t addr[16]);
/* addr_is_loopback: 127.0.0.0/8 or ::1: of this very machine. */
bool addr_is_loopback(const uint8_t addr[16]);
size_t addr_network(const uint8_t addr[16]);
/* addr_read: n letters, 192.0.2.1 or 2001:db8::1. */
bool addr_read(const char *text, size_t n, uint8_t addr[16]);

/* cidr_make: the block of `bits` that an address lies in. */
struct cidr cidr_make(const uint8_t addr[16], unsigned bits);
/* cidr_read: ADDRESS/BITS, or ADDRESS alone with *alone set: that one address. No block is all of IPv6. */
bool cidr_read(const char *text, struct cidr *out, bool *alone);
/* cidr_is_wide: more than an /8 of IPv4 or a /32 of IPv6: rather a slip of the finger than meant. */
bool cidr_is_wide(const struct cidr *c);
/* cidr_text: the one spelling of a block. */
void cidr_text(const struct cidr *c, char out[CIDR_TEXT_MAX]);
/* cidr_holds: whether a known address is of the block; one of IPv6 holds no IPv4, not even ::/32. */
bool cidr_holds(const struct cidr *c, const uint8_t addr[16]);

#endif
