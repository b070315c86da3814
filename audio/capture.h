/* capture.h: the talking half: PCM in, Opus packets out.
 *
 *   device -> [echo, noise] -> [AGC -> limiter] -> level, VAD -> gate -> Opus (FEC, DTX) -> packet
 *
 * Sans-IO; one thread. The VAD runs before the gate, so "you are talking while muted" is known, and stays
 * local. */
#ifndef GAVEL_AUDIO_CAPTURE_H
#define GAVEL_AUDIO_CAPTURE_H

#include "audio/codec.h"
#include "audio/frame.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct capture_packet {
  uint32_t ts;   /* 48 kHz sample clock, starts at 0, runs on through mute and DTX gaps */
  bool marker;   /* first packet after silence */
  uint8_t level; /* -dBov, of this packet's sound */
  bool voice;
  size_t len;
  uint8_t payload[AUDIO_PACKET_MAX];
};
struct capture_config {
  int ptime_ms; /* 20, 40, 60, 80, 100, 120 */
  struct encoder_config opus;
  bool aec, ns; /* speexdsp; for real microphones */
  bool agc;
  bool hush; /* with opus.dtx: in silence nothing is sent, not even the comfort noise of Opus */
};
struct capture;
/* capture_create: the gate is closed. NULL: out of memory or bad values. */
struct capture *capture_create(const struct capture_config *c);
/* capture_set: takes effect with the next frame; bad values change nothing. */
void capture_set(struct capture *c, const struct capture_config *cfg);
/* capture_open: open or close the microphone gate. Opening and closing fade 5 ms. Closed: once the fade
 * is out nothing is encoded. */
void capture_open(struct capture *c, bool open);
/* capture_far: what is being played (for the echo canceller), in the order of play. */
void capture_far(struct capture *c, const float *pcm, size_t n);
/* capture_feed: n samples from the device; emit is called for each finished packet. DTX silence is not
 * emitted. */
typedef void capture_emit(void *ctx, const struct capture_packet *p);
void capture_feed(struct capture *c, const float *pcm, size_t n, capture_emit *emit, void *ctx);
/* capture_level: of the last 10 ms, -dBov, before the gate. */
uint8_t capture_level(const struct capture *c);
/* capture_voice_muted: voice for > 600 ms while the gate is closed. */
bool capture_voice_muted(const struct capture *c);
void capture_destroy(struct capture *c);

#endif
