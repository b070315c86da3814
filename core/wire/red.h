/* red.h: redundant audio payloads (RFC 2198): a packet that carries copies of earlier ones.
 *
 * Invariant: every pointer handed out lies inside the packet; blocks come oldest first, the primary last.
 * What we write has copies only of packets as long as the primary, with no pause between them, so that a
 * reader finds their sequence numbers: seq - offset / samples. Pure; any thread. */
#ifndef GAVEL_WIRE_RED_H
#define GAVEL_WIRE_RED_H

#include "core/base/err.h"

#include <stddef.h>
#include <stdint.h>

#define RED_BLOCKS_MAX 8
#define RED_OFFSET_MAX 16383 /* 14 bits of RTP time: 341 ms at 48 kHz */
#define RED_LEN_MAX 1023     /* of a copy */
struct red_block {
  uint8_t pt;
  uint32_t offset; /* RTP time before the packet's own; 0: the primary */
  const uint8_t *p;
  size_t len;
};
/* red_parse: the blocks of a payload; *n of them, at most RED_BLOCKS_MAX. ERR_BAD_RTP: cut, more blocks, or
 * an empty primary. Copies that are empty or not older than the primary are left out. */
MUST_CHECK enum err red_parse(const uint8_t *p, size_t len, struct red_block v[RED_BLOCKS_MAX], size_t *n);
/* red_build: writes n blocks, 1..RED_BLOCKS_MAX, the last of which is the primary. Returns the length, 0 when
 * they do not fit (cap, RED_OFFSET_MAX, RED_LEN_MAX). */
size_t red_build(uint8_t *out, size_t cap, const struct red_block *v, size_t n);

#endif
