/* tiers.h: the quality tiers of one room: what the mixer emits, as each tier's listeners get it.
 *
 *   full    the packet itself, at once
 *   packed  two frames in one packet of 40 ms, by Opus's repacketizer, without decoding
 *   low     decoded once, encoded once a stream: 60 ms, 10.5 kb/s
 *   min     likewise: 120 ms, 7 kb/s
 *
 * and, of each, the payload with copies of earlier ones (RFC 2198). Invariant: as the mixer's: on one tier of
 * one stream no sample is sent twice and none skipped; a lost packet stays a gap in `seq` (full, packed) or
 * is concealed (low, min). Numbers of a stream and tier never go back. A stream and tier nobody wants holds
 * no codec and no timer. Sans-IO. Thread: the media thread that owns the room. */
#ifndef GAVEL_SERVER_TIERS_H
#define GAVEL_SERVER_TIERS_H

#include "core/media/ladder.h"
#include "core/server/mixer.h"

struct tiers;
/* The callback gets each finished packet of a tier; `out` as the mixer's, numbered by stream and tier, with
 * all who are heard in it, the loudest first where it is coded (low, min: TIERS_NAMED are to be named).
 * Whoever of them hears this stream by now must not get it. Borrowed for the call. */
#define TIERS_NAMED 2
typedef void tiers_emit(void *ctx, enum media_tier tier, const struct mixer_out *out);
struct tiers *tiers_create(tiers_emit *emit, void *ctx); /* NULL without memory */
/* tiers_put: a packet of the mixer; `wanted` is a set of 1 << tier: who listens to this stream now. Emits
 * from inside this call (full always) and from tiers_handle_timeout, never later. */
void tiers_put(struct tiers *t, us_t now, const struct mixer_out *o, unsigned wanted);
/* tiers_fresh: somebody is to go on with these tiers (a set as `wanted`) whose decoder knows another past:
 * from now on their packets, where coded, predict nothing from those before. */
void tiers_fresh(struct tiers *t, unsigned set);
/* tiers_forget: a stream has ended, or somebody in it must not be heard further: what is held of it, to be
 * sent or copied, is dropped. */
void tiers_forget(struct tiers *t, uint32_t stream);
void tiers_handle_timeout(struct tiers *t, us_t now);
us_t tiers_next_timeout(const struct tiers *t);
/* tiers_red: from inside the callback, what was emitted just now with the copies of red_plan(plan); NULL when
 * there is nothing to copy (send the plain packet; so it is at first: packets are kept once asked for).
 * `opus_pt` differs between listeners: it is the primary's and the copies'. Borrowed until the next call or
 * the callback's end. Who changed stream, room or tier has not missed what these copies are of. */
const uint8_t *tiers_red(struct tiers *t, unsigned plan, uint8_t opus_pt, size_t *len);
struct tiers_counters {
  uint64_t packed, encodes, decodes, red;
  uint32_t codecs;
};
void tiers_counters(const struct tiers *t, struct tiers_counters *out);
void tiers_destroy(struct tiers *t);

#endif
