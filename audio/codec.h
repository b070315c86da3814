/* codec.h: Opus (RFC 6716, 7587) as we use it: 48 kHz mono, in-band FEC, DTX, PLC, a ladder of bitrate and
 * frame length. Invariant: negative Opus results never become sizes. A struct belongs to one thread. Depends
 * on nothing of ours. */
#ifndef GAVEL_AUDIO_CODEC_H
#define GAVEL_AUDIO_CODEC_H

#include "audio/frame.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct encoder;
struct encoder_config {
  int bitrate;    /* bit/s */
  int complexity; /* 0..10 */
  int loss_pct;   /* expected loss; > 0 turns LBRR on */
  bool dtx;
  bool celt; /* CELT alone, from 22 kb/s on: a quarter of SILK's cost, and no LBRR */
};
/* encoder_create: VOIP mode, tuned to voice. NULL: out of memory or bad values. */
struct encoder *encoder_create(const struct encoder_config *c);
/* encoder_set: bad values change nothing. */
void encoder_set(struct encoder *e, const struct encoder_config *c);
/* encoder_run: n samples (2.5, 5, 10, 20, 40, 60, 80, 100 or 120 ms) into out; bytes, or -1 on any fault. */
int encoder_run(struct encoder *e, const float *pcm, size_t n, uint8_t *out, size_t cap);
/* encoder_run_split: n samples as one packet of frames of `piece` samples (n a multiple of it, n as above).
 * Bytes, or -1; then the samples are in the encoder's past all the same. */
int encoder_run_split(struct encoder *e, const float *pcm, size_t n, size_t piece, uint8_t *out, size_t cap);
/* encoder_run_fresh: as encoder_run, predicted from nothing before it: for a decoder that knows another past.
 */
int encoder_run_fresh(struct encoder *e, const float *pcm, size_t n, uint8_t *out, size_t cap);
/* encoder_reset: forget the past (prediction), e.g. before another source. */
void encoder_reset(struct encoder *e);
void encoder_destroy(struct encoder *e);

struct decoder;
/* decoder_create: at AUDIO_RATE; NULL without memory. */
struct decoder *decoder_create(void);
/* decoder_run: a packet into pcm[AUDIO_FRAME_MAX]; stereo is folded to mono, within +-1 (soft clip). Samples,
 * or -1. */
int decoder_run(struct decoder *d, const uint8_t *p, size_t n, float *pcm);
/* decoder_fec: what packet p says about the n samples before it (LBRR; falls back to PLC inside Opus).
 * Samples or -1. */
int decoder_fec(struct decoder *d, const uint8_t *p, size_t n, float *pcm, size_t samples);
/* decoder_plc: conceal n samples. For both, `samples` is a multiple of 2.5 ms. */
int decoder_plc(struct decoder *d, float *pcm, size_t samples);
void decoder_reset(struct decoder *d);
/* decoder_copy: `to` goes on where `from` is. */
void decoder_copy(struct decoder *to, const struct decoder *from);
void decoder_destroy(struct decoder *d);

/* opus_packet_samples: samples of a packet at 48 kHz (from the TOC), -1 when it is not Opus or longer than
 * 120 ms. */
int opus_packet_samples(const uint8_t *p, size_t n);
/* opus_is_dtx: a packet that only says silence (<= 2 bytes). */
bool opus_is_dtx(const uint8_t *p, size_t n);
/* opus_has_fec: whether a packet carries LBRR for the frame before it (RFC 6716 section 4.2.3). */
bool opus_has_fec(const uint8_t *p, size_t n);

#endif
