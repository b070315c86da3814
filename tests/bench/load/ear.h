/* ear.h: what one participant hears: packets counted by sequence number and by who is said to be in them, and
 * for one in N also played out by the product's jitter buffer and decoder, listened to, and written down.
 *
 * Invariant: only authenticated packets get here. Thread: one. */
#ifndef GAVEL_LOAD_EAR_H
#define GAVEL_LOAD_EAR_H

#include "audio/jitter.h"
#include "core/base/clock.h"

#include <stdio.h>

#define LOAD_SPEAKERS_MAX 16 /* in one room */
#define LOAD_COPIES_MAX 8

struct heard {     /* one packet */
  unsigned stream; /* of a kind with many: the speaker */
  uint16_t seq;
  uint32_t ts;
  bool marker;
  uint32_t who; /* bits: the speakers in it */
  bool as_said; /* a speaker's own frame, not a mix */
  const uint8_t *p;
  size_t n;
  struct heard_copy { /* of earlier packets, inside this one (RFC 2198) */
    uint32_t offset;
    const uint8_t *p;
    size_t n;
  } copy[LOAD_COPIES_MAX];
  size_t n_copies;
};
struct ear_stream {
  bool started;
  uint32_t last_seq; /* extended */
  int64_t transit;   /* of the last packet, in RTP time */
  double jitter;     /* RFC 3550, in RTP time */
};
struct ear {
  struct ear_stream stream[LOAD_SPEAKERS_MAX];
  uint64_t packets, frames, bytes, late, copies;
  int64_t lost;
  uint32_t heard[LOAD_SPEAKERS_MAX]; /* frames of 20 ms with this speaker in them */
  struct jitter *jitter;             /* of one in N, else NULL */
  struct jitter_stats before;        /* at ear_restart */
  uint32_t loud;                     /* frames of 20 ms that were no silence, and with whose sine in them */
  uint32_t tone[LOAD_SPEAKERS_MAX];
  FILE *record; /* what was played, as WAV; NULL: not */
};
/* ear_restart: count from here on. */
void ear_restart(struct ear *e);
/* ear_count: one packet that came at arrived_ns. */
void ear_count(struct ear *e, const struct heard *h, int64_t arrived_ns);
/* ear_put: one packet into the buffer of a played ear. */
void ear_put(struct ear *e, us_t now, const struct heard *h);
/* ear_play: the next 20 ms of a played ear; freqs[i] 0: no sine. */
void ear_play(struct ear *e, us_t now, const double *freqs, unsigned n);
/* ear_concealed: the share of what was played since ear_restart that was made up, 0..1. */
double ear_concealed(const struct ear *e);
/* ear_jitter_ms: RFC 3550, the worst of its streams. */
double ear_jitter_ms(const struct ear *e);
/* ear_record: what is played from now on goes into this file as well. False: it cannot be made. */
bool ear_record(struct ear *e, const char *path);
void ear_free(struct ear *e);

#endif
