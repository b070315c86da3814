/* framing.h: datagrams on a stream, each behind its length in two bytes (RFC 4571), as ICE-TCP carries them
 * (RFC 6544).
 *
 * Invariant: a frame is handed on once it is whole; one longer than the buffer ends it (the stream cannot be
 * followed any more). Pure; any thread. */
#ifndef GAVEL_WIRE_FRAMING_H
#define GAVEL_WIRE_FRAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAMING_HEAD 2
struct framing {
  uint8_t head[FRAMING_HEAD];
  uint8_t *buf;  /* borrowed: of `cap` bytes */
  size_t cap, n; /* n: of head and frame so far */
};
/* framing_feed: takes from *p, *n; true when a frame is whole: it is at f->buf, *len bytes, until the next
 * call. False: more is needed, or *bad: it is too long. Empty frames are skipped. */
bool framing_feed(struct framing *f, const uint8_t **p, size_t *n, size_t *len, bool *bad);

#endif
