/* ear.h: what one participant hears: packets counted by sequence number and by who is said to be in them, and
 * for one in N also played out by the product's jitter buffer and decoder and listened to.
 *
 * Invariant: only authenticated packets get here. Thread: one. */
#ifndef GAVEL_LOAD_EAR_H
#define GAVEL_LOAD_EAR_H

#include "audio/jitter.h"
#include "core/base/clock.h"
#include "core/wire/rtp.h"

#define LOAD_SPEAKERS_MAX 16 /* in one room */

struct ear {
  bool started;
  uint32_t last_seq; /* extended */
  uint64_t packets, bytes, late;
  int64_t lost;
  uint32_t heard[LOAD_SPEAKERS_MAX]; /* packets with this speaker in them */
  struct jitter *jitter;             /* of one in N, else NULL */
  struct jitter_stats before;        /* at ear_restart */
  uint32_t loud;                     /* frames of 20 ms that were no silence, and with whose sine in them */
  uint32_t tone[LOAD_SPEAKERS_MAX];
};
/* ear_restart: count from here on. */
void ear_restart(struct ear *e);
/* ear_count: one packet; `ids` are the speakers' member ids. */
void ear_count(struct ear *e, const struct rtp *h, const uint32_t *ids, unsigned n);
/* ear_play: the next 20 ms of a played ear; freqs[i] 0: no sine. */
void ear_play(struct ear *e, us_t now, const double *freqs, unsigned n);
/* ear_concealed: the share of what was played since ear_restart that was made up, 0..1. */
double ear_concealed(const struct ear *e);
void ear_free(struct ear *e);

#endif
