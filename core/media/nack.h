/* nack.h: which of the packets that come are missing, and when to ask for them again (RFC 4585 6.2.1).
 *
 * Invariant: a packet is asked for at most NACK_TIMES, no later than NACK_GIVE_UP_US after it was missed; a
 * request goes out at most every NACK_EVERY_US and all of them stay below the rate given. Pure: times are
 * handed in. Zero-initialise. One thread. */
#ifndef GAVEL_MEDIA_NACK_H
#define GAVEL_MEDIA_NACK_H

#include "core/base/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NACK_MISSING 32                /* packets waited for; of more, the newest */
#define NACK_GRACE_US (10 * US_PER_MS) /* it may only have been overtaken */
#define NACK_EVERY_US (20 * US_PER_MS) /* between two requests */
#define NACK_GIVE_UP_US (320 * US_PER_MS)
#define NACK_TIMES 5
#define NACK_WAIT_MAX_MS 300
#define NACK_BYTES 64 /* of a request, on the wire */

struct nack {
  bool started;
  uint16_t high;
  us_t next;      /* when a request may go out at the earliest */
  us_t paid;      /* up to when requests have used their rate */
  us_t helped;    /* when something missing came last, 0: never */
  unsigned n;     /* of `missing`, oldest first */
  unsigned fresh; /* of them, those that the last packet revealed */
  struct nack_missing {
    us_t noted, due;
    uint16_t seq;
    uint8_t times; /* asked for */
  } missing[NACK_MISSING];
};
/* nack_received: an authentic packet, or a copy in one, came. True: it is the packet itself and the answer to
 * a request; not merely late, for an answer takes a round trip. */
bool nack_received(struct nack *k, us_t now, uint16_t seq, bool copy, unsigned rtt_ms);
/* nack_next: when nack_ask will have something, US_NEVER: nothing is missing. */
us_t nack_next(const struct nack *k);
/* nack_ask: what is to be asked for now, ascending, at most NACK_MISSING; 0: nothing. `kbps`: for all
 * requests, at least 1. */
size_t nack_ask(struct nack *k, us_t now, unsigned rtt_ms, unsigned kbps, uint16_t v[NACK_MISSING]);
/* nack_wait_ms: after nack_received: so much later than it should have what is missing may come, if it is
 * asked for twice; 0: nothing was found missing just now, or answers do not come on this line. */
unsigned nack_wait_ms(const struct nack *k, us_t now, unsigned rtt_ms, unsigned ptime_ms);

#endif
