/* mixer.h: one room's sound. A listener hears one stream, and it is mixed only while voices overlap.
 *
 *   packet in -> level/VAD with hold -> active talkers
 *     0  nothing is sent                      (a room with no one speaking costs no timer)
 *     1  COMMON = the talker's own packets, at once, untouched; the talker hears silence
 *     2  each talker gets the other's packets, untouched; COMMON = the mix
 *    >=3 the K loudest are mixed: COMMON = mix, each of the K gets his mix-minus
 *
 * Loudness by order of a host: a talker's gain, and ducking: while one with priority is heard, everyone
 * without is MIXER_DUCK_DB softer. Such a talker cannot be forwarded: whoever hears him, also when he speaks
 * alone, gets him decoded, scaled over 20 ms, limited and encoded. His gain is on his level as he sends it;
 * the mix's automatic gain leaves him alone. One with priority outranks the loud for a place in the mix.
 *
 * Streams: COMMON (everyone who is not an active talker) and one PERSONAL stream per active talker. Packets
 * of a stream carry a position (48 kHz samples on the room's time line) and a sequence that keeps the gaps of
 * lost packets, so that a listener's jitter buffer, LBRR and PLC work on forwarded speech.
 *
 * Invariant: on a stream no sample is sent twice and none skipped across forward -> mix -> forward; a member
 * whose right to speak was taken is silent from that call on, including what was buffered of him. Sans-IO, no
 * clock: `now` comes in. Thread: the media thread that owns the room. No allocation per packet after a
 * talker's first. */
#ifndef GAVEL_SERVER_MIXER_H
#define GAVEL_SERVER_MIXER_H

#include "core/base/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MIXER_TALKERS_MAX 32              /* active at once; more are ignored until one falls silent */
#define MIXER_MIXED 4                     /* K: how many of them are mixed */
#define MIXER_HEARD_MAX (MIXER_MIXED + 1) /* K and the newcomer in his grace time */
#define MIXER_HOLD_MS 300
#define MIXER_DUCK_DB 12
#define MIXER_KEEP_MS 10000 /* how long codecs are kept for the next overlap */

struct mixer_out {
  uint32_t stream; /* 0 = COMMON, else PERSONAL: the member id it is for */
  uint32_t seq;    /* of this stream, counts lost packets too; never repeats, no gap at a change of source */
  uint64_t pos; /* first sample, 48 kHz, room time line; ascends with seq (forwarded packets may come out of
                   order) */
  uint32_t samples;
  bool marker;            /* first after silence */
  bool mixed;             /* false: forwarded untouched */
  const uint8_t *payload; /* borrowed for the call */
  size_t len;
  unsigned n_from;                /* who is heard */
  uint32_t from[MIXER_HEARD_MAX]; /* member ids */
  uint8_t level[MIXER_HEARD_MAX]; /* -dBov; measured where decoded, else his claim */
};
typedef void mixer_emit(void *ctx, const struct mixer_out *out);

struct mixer;
/* mixer_create: the callback is called from inside the calls below, never later. NULL: out of memory. */
struct mixer *mixer_create(mixer_emit *emit, void *ctx);

struct mixer_in {
  uint32_t member;
  uint16_t seq;
  uint32_t ts;
  bool marker, has_level, voice;
  uint8_t level;  /* -dBov, a claim: verified on decode while mixing */
  int8_t gain_db; /* his, from this packet on: ROOM_GAIN_MIN_DB..MAX_DB; 0: untouched */
  bool priority;  /* the others are ducked while he is heard */
  bool hears;     /* is one of mixer_set_ears */
  const uint8_t *payload;
  size_t len;
};
/* mixer_put: one authenticated packet of a member who may speak. Without has_level, or once a claim has
 * proved false, each packet of his is decoded to find the level (20 us); otherwise a packet forwarded alone
 * touches no codec. */
void mixer_put(struct mixer *m, us_t now, const struct mixer_in *in);
/* mixer_silence: the member's right to speak is gone (or he left): drop everything of his at once. */
void mixer_silence(struct mixer *m, us_t now, uint32_t member);
/* mixer_set_ears: how many hear the room, talkers among them; UINT_MAX, as at first: not known. Two who talk
 * at once are not mixed while nobody else hears: each gets the other's packets anyway. */
void mixer_set_ears(struct mixer *m, us_t now, unsigned n);
/* mixer_set_lossy: some who listen lose packets that nothing else brings back: mixes then carry LBRR, at four
 * times the cost. False at first. */
void mixer_set_lossy(struct mixer *m, bool lossy);
/* mixer_set_load: 0 there is time for all; from 1 on no LBRR and one less is mixed a step. */
#define MIXER_LOAD_MAX 2
void mixer_set_load(struct mixer *m, unsigned load);
/* mixer_handle_timeout: mix ticks, hold expiry, freeing of kept codecs. mixer_next_timeout: US_NEVER when
 * nobody is active and nothing is kept (MIXER_KEEP_MS after the last packet that needed state). */
void mixer_handle_timeout(struct mixer *m, us_t now);
us_t mixer_next_timeout(const struct mixer *m);
/* mixer_stream_of: which stream a member hears now: his PERSONAL one (his id) while he is an active talker,
 * else 0 (COMMON). The owner asks for each output whom to send it to; a lone talker's own stream carries
 * nothing. */
uint32_t mixer_stream_of(const struct mixer *m, uint32_t member);
/* mixer_levels: who is heard now; returns how many (<= max). */
size_t mixer_levels(const struct mixer *m, uint32_t *members, uint8_t *levels, size_t max);
struct mixer_counters {
  uint64_t forwarded, mixed_frames, encodes, decodes, seams, dropped;
  uint32_t codecs; /* Opus states held now: 0 in an idle room */
};
void mixer_counters(const struct mixer *m, struct mixer_counters *out);
void mixer_destroy(struct mixer *m);

#endif
