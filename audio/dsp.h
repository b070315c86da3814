/* dsp.h: the small pure pieces: level, voice activity, gain, limiter, fades, mixing.
 * Invariant: pure, no allocation, any sample count up to AUDIO_FRAME_MAX. Any thread; a state struct belongs
 * to one. */
#ifndef GAVEL_AUDIO_DSP_H
#define GAVEL_AUDIO_DSP_H

#include "audio/frame.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* level_dbov: RMS level as RFC 6464 wants it: 0 (loudest) .. 127 (silence), in -dBov. */
uint8_t level_dbov(const float *pcm, size_t n);

/* Voice activity: adaptive noise floor with hysteresis and a hold. Zero-initialise. */
struct vad {
  float floor_db;
  int hold; /* samples left */
  bool voice, primed;
};
/* vad_feed: true while the block (or the hold after speech) counts as voice. hold_ms e.g. 300. */
bool vad_feed(struct vad *v, const float *pcm, size_t n, int hold_ms);

/* Look-ahead limiter: output is LIMITER_DELAY samples late and within +-0.985; never wraps, never clips hard
 * (an input beyond +-1000 aside). Zero-initialise. */
#define LIMITER_DELAY AUDIO_MS(2)
struct limiter {
  float delay[LIMITER_DELAY];
  size_t at;
  float cut;    /* 1 - gain, now */
  float target; /* the cut being ramped to; 0 when none */
  float step;   /* of the ramp, per sample */
  int hold;     /* samples before the cut may shrink */
};
void limiter_run(struct limiter *l, float *pcm, size_t n);

/* Slow automatic gain: towards -20 dBov while `voice`, within +-12 dB, about 3 dB a second. Zero-initialise.
 */
struct agc {
  float gain_db;
};
void agc_run(struct agc *a, float *pcm, size_t n, bool voice);

/* mix_add: acc += gain ramp from..to times pcm. Equal from and to is a plain gain; ramps make fades without
 * clicks. */
void mix_add(float *acc, const float *pcm, size_t n, float from, float to);

/* tone: phase-continuous sine for tests and device checks. goertzel_power: relative power of freq in the
 * block (0..1 of its energy). */
void tone_make(float *pcm, size_t n, double freq, double *phase, float amplitude);
double goertzel_share(const float *pcm, size_t n, double freq);

#endif
