/* audio_thread.h: the one thread that moves sound: device -> capture -> packets out, packets in -> jitter
 * buffer -> device.
 *
 * One thread and not two: what is played is what the echo canceller must subtract, sample for sample, and
 * both halves are driven by the same device clock. Invariant: it shares nothing with other threads but an
 * SPSC ring (packets in) and mailboxes. */
#ifndef GAVEL_SESSION_AUDIO_THREAD_H
#define GAVEL_SESSION_AUDIO_THREAD_H

#include "audio/capture.h"
#include "core/base/clock.h"
#include "core/wire/rtp.h"

#include <stdbool.h>

struct audio_thread;
struct audio_thread_config {
  const char *input, *output; /* as struct device_config; copied */
  bool loop, aec, ns, agc;
};
struct audio_report { /* to the engine: a finished packet, or how the input is, or a sentence */
  enum { AUDIO_PACKET, AUDIO_STATUS, AUDIO_NOTICE, AUDIO_FINISHED } kind;
  struct capture_packet packet;
  bool has_input, muted_talk;
  uint8_t level;
  unsigned buffer_ms;
  uint64_t played, concealed; /* samples so far */
  unsigned playout_ms;        /* held ready for the device; and how often that was too little */
  uint64_t underruns;
  char text[160];
};
struct audio_thread *audio_thread_start(const struct audio_thread_config *c);
/* From the engine's thread: */
void audio_thread_gate(struct audio_thread *a, bool open);
void audio_thread_device(struct audio_thread *a, const char *input, const char *output);
/* audio_thread_voice: how to encode from the next packet on. */
void audio_thread_voice(struct audio_thread *a, int ptime_ms, int bitrate, int loss_pct, bool hush);
void audio_thread_play(struct audio_thread *a, us_t now, const struct rtp *h);
/* audio_thread_copy: as jitter_put_copy; h holds the copy's payload. */
void audio_thread_copy(struct audio_thread *a, us_t now, const struct rtp *h, uint32_t offset);
/* audio_thread_expect: as jitter_expect_resend. */
void audio_thread_expect(struct audio_thread *a, us_t now, unsigned wait_ms);
int audio_thread_fd(const struct audio_thread *a);
bool audio_thread_poll(struct audio_thread *a, struct audio_report *r);
void audio_thread_stop(struct audio_thread *a);

#endif
