/* rtcp_nack.h: the generic NACK of RFC 4585 section 6.2.1: which packets are asked for again.
 *
 * Invariant: numbers come only from whole entries of a packet about our own stream. Pure; any thread. */
#ifndef GAVEL_WIRE_RTCP_NACK_H
#define GAVEL_WIRE_RTCP_NACK_H

#include <stddef.h>
#include <stdint.h>

#define RTCP_NACK_MAX 32 /* numbers we ask for, or look at, in one packet */
/* rtcp_nacks: the numbers of `ssrc` that a decrypted packet, compound or not (RFC 5506), asks for, into
 * v[max]; returns how many. */
size_t rtcp_nacks(const uint8_t *p, size_t n, uint32_t ssrc, uint16_t *v, size_t max);
/* rtcp_build_nack: asks for the `n` (at least one) numbers of v, which ascend, modulo 2^16. Returns the
 * length, 0 when cap is too small. */
size_t rtcp_build_nack(uint8_t *out, size_t cap, uint32_t from, uint32_t ssrc, const uint16_t *v, size_t n);

#endif
