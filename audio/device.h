/* device.h: where sound comes from and goes to: PortAudio devices by name, WAV/Ogg files, or nothing (null).
 *
 * Invariant: a device moves float samples at 48 kHz mono through two rings; a card's callback thread touches
 * nothing but a ring, a counter and a semaphore. An end (input or output) that fails is reported once and
 * goes on as null, so the session lives. A microphone is never opened in place of a file that cannot be read.
 * Thread: everything from one thread (never the UI's: open, poll and close are slow, and wait without end for
 * a sound server that hangs), device_list from any. */
#ifndef GAVEL_AUDIO_DEVICE_H
#define GAVEL_AUDIO_DEVICE_H

#include "audio/ring.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct device_config { /* the strings are copied; NULL is "" */
  const char *input;   /* "" default, "null", "file:PATH" (all libsndfile reads), or part of a device name */
  const char *output;  /* "" default, "null", "file:PATH.wav" or ".opus" (record), or part of a device name */
  bool loop;           /* files: start again at the end, else silence */
};
struct device;
/* The worse of the two ends. DEVICE_FALLBACK: the named card is not there, the default is in use.
 * DEVICE_NULL: an end that was asked for is silent. An end asked to be "null" is OK. */
enum device_state {
  DEVICE_OK,
  DEVICE_FALLBACK,
  DEVICE_NULL,
};
/* device_prepare: silences ALSA and JACK. Sets an environment variable, so a program with threads calls it
 * first in main; device_open and device_list call it as well. */
void device_prepare(void);
/* device_open: never fails outright (NULL: out of memory only); the state and `why` (up to n bytes:
 * sentences, empty when all is well) say what one got. May take half a second when a card is asked for. */
struct device *device_open(const struct device_config *c, char *why, size_t n);
enum device_state device_state(const struct device *d);
/* device_has_input: sound can come from the input: a card or a file, not null. */
bool device_has_input(const struct device *d);
/* device_real: a sound card is behind the input (echo cancellation, noise suppression make sense). */
bool device_real(const struct device *d);
/* The rings of floats. capture: read from it; playout: keep it filled to device_playout_target samples, which
 * change with what the device needs (cushion.h). */
struct ring *device_capture_ring(struct device *d);
struct ring *device_playout_ring(struct device *d);
size_t device_playout_target(const struct device *d);
/* device_underruns: how often the loudspeaker found less than it needed while the owner kept up. */
uint64_t device_underruns(const struct device *d);
/* device_wait: block until at least n capture samples wait, or n more to play fit under the target, at most
 * ms. Returns at once while the owner leaves the playout ring empty. Null and
 * file ends move their samples in here, paced by the monotonic clock. */
void device_wait(struct device *d, size_t n, int ms);
/* device_poll: notices a dead card (no callback for 2 s: reopens, then falls back), a lost card that is back,
 * and a recording that cannot be written. Returns true when the state of an end changed; `why` then says how.
 * A card that could be reopened is no change. May take half a second when a card died. */
bool device_poll(struct device *d, char *why, size_t n);
/* device_finished: a file input that does not loop has been read to its end. */
bool device_finished(const struct device *d);
void device_close(struct device *d); /* writes file headers; NULL is allowed */
/* device_list: one line a device, "name (in/out channels, host API)"; malloc'd, NULL: out of memory. New
 * devices show only when no card is open (PortAudio looks once). */
char *device_list(void);

#endif
