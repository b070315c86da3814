/* impair.h: one direction of a bad link as a pure model: a token bucket with a bounded queue, loss (random or
 * Gilbert-Elliott), delay with jitter, reordering, duplication. In that order, as on a way whose first hop is
 * the narrow one.
 *
 * Invariant: each packet draws the same number of random values whatever the settings are, so for one seed
 * the same packets are lost with and without jitter. What comes out is a function of settings, seed, arrival
 * times and sizes. Thread: its caller's. */
#ifndef GAVEL_TESTS_IMPAIR_H
#define GAVEL_TESTS_IMPAIR_H

#include "core/base/clock.h"
#include "core/base/err.h"
#include "core/base/rng.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IMPAIR_HEADERS 28 /* bytes: IPv4 and UDP, counted with every datagram */
#define IMPAIR_COPIES 2

/* Gilbert-Elliott in time, not in packets, so that a bad phase is as long for who sends every 120 ms as for
 * who sends every 20: in the good state a packet is lost with `loss`, in the bad one with `loss_bad`; the
 * states last `bad` and `good` on average (exponential). bad 0: random loss. */
struct impair_config {
  double loss, loss_bad;
  us_t bad, good;
  us_t delay, jitter; /* jitter is added to the delay and never longer than that */
  bool tail;          /* jitter: exponential with mean jitter / 4, cut at jitter; else uniform */
  bool reorder;       /* a packet may overtake another; else it comes after its predecessor */
  int64_t rate;       /* bit/s with IP and UDP headers; 0: no limit */
  int64_t burst;      /* bytes that pass at once after a pause */
  us_t queue;         /* what would wait longer for its turn is dropped */
  double duplicate;
};
struct impair_stats {
  uint64_t packets, bytes; /* offered, bytes with headers */
  uint64_t lost, overflowed, duplicated;
  uint64_t out, out_bytes; /* delivered, without the second copies */
  us_t delay_sum, delay_max;
};
struct impair {
  struct impair_config config;
  struct rng rng;
  bool is_bad;
  us_t stepped;    /* when the state was last looked at */
  us_t busy_until; /* the bucket: when the line has sent all that was given to it */
  us_t last_due;
  struct impair_stats stats;
};

/* impair_parse: "key=value,..." over what `c` holds: loss, bad=BAD_MS/GOOD_MS/LOSS, delay, jitter, queue
 * (ms), shape=uniform|tail, reorder=yes|no, rate (bit/s), burst (bytes), dup. ERR_BAD_ARG: `c` is undefined.
 */
enum err impair_parse(const char *text, struct impair_config *c);
void impair_init(struct impair *m, const struct impair_config *c, uint64_t seed);
/* impair_packet: a datagram of `payload` bytes arrives; how many copies leave (0..IMPAIR_COPIES), and when.
 */
unsigned impair_packet(struct impair *m, us_t now, size_t payload, us_t due[IMPAIR_COPIES]);

#endif
