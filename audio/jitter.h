/* jitter.h: the playout half: packets in with their arrival time, steady PCM out: adaptive delay (a quantile
 * of relative delay that also comes down again), reordering, copies and LBRR before PLC, WSOLA time-stretch
 * instead of drops, fades instead of clicks. Sans-IO: the caller owns the clock. One thread. Depends on
 * nothing of ours.
 */
#ifndef GAVEL_AUDIO_JITTER_H
#define GAVEL_AUDIO_JITTER_H

#include "audio/frame.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct jitter;
struct jitter_stats {
  uint64_t received; /* packets taken in */
  uint64_t lost;     /* packets not there when due; of them made good by: */
  uint64_t recovered_fec, recovered_copy;
  uint64_t late; /* packets that came when they had been due already */
  uint64_t duplicate;
  uint64_t played, silent, stretched; /* samples; stretched: taken out or put in */
  uint64_t concealed; /* samples made up for lost ones, those counted in that stayed silent after the fade */
  int target_ms, delay_ms; /* wanted and present delay behind the fastest packet */
};
/* jitter_create: empty; NULL without memory. The owner calls jitter_destroy. */
struct jitter *jitter_create(void);
/* jitter_put: one RTP payload (copied). `seq`, `ts` as in the header (48 kHz), now in microseconds. What is
 * not Opus is ignored. At most 1 s is kept, the oldest goes first. A new numbering (a jump by > 5 s)
 * restarts. */
void jitter_put(struct jitter *j, int64_t now_us, uint16_t seq, uint32_t ts, bool marker, const uint8_t *p,
                size_t n);
/* jitter_put_copy: the copy of an earlier packet, `offset` samples before the one it came in (RFC 2198),
 * whose seq and ts these are; all between them are as long as the copy, without a pause. Taken only where the
 * packet itself is missing; says nothing about the network's delay, but while copies are needed the buffer
 * waits long enough for them. Ignored before the first jitter_put. */
void jitter_put_copy(struct jitter *j, int64_t now_us, uint16_t seq, uint32_t ts, uint32_t offset,
                     const uint8_t *p, size_t n);
/* jitter_expect_resend: something is missing just now and has been asked for again: what comes in time may be
 * so much later than it should. The buffer waits that long for some seconds, as it does for copies. */
void jitter_expect_resend(struct jitter *j, int64_t now_us, int wait_ms);
/* jitter_get: exactly n samples (1..AUDIO_FRAME_MAX) of sound, concealment or silence, within +-1. */
void jitter_get(struct jitter *j, int64_t now_us, float *pcm, size_t n);
void jitter_stats(const struct jitter *j, struct jitter_stats *out);
void jitter_destroy(struct jitter *j);

#endif
