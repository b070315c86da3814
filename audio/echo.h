/* echo.h: what a real microphone needs: acoustic echo cancellation (100 ms tail) and noise suppression, by
 * speexdsp. Invariant: far sound is used in the order it was given, at most ECHO_FAR_MAX of it waits. One
 * thread. */
#ifndef GAVEL_AUDIO_ECHO_H
#define GAVEL_AUDIO_ECHO_H

#include "audio/frame.h"

#include <stdbool.h>
#include <stddef.h>

#define ECHO_BLOCK AUDIO_MS(10)
#define ECHO_FAR_MAX AUDIO_MS(200)

struct echo;
/* echo_create: with echo cancellation, noise suppression, or both. NULL: out of memory. */
struct echo *echo_create(bool aec, bool ns);
/* echo_far: n samples that are being played. Beyond ECHO_FAR_MAX the oldest are forgotten. */
void echo_far(struct echo *e, const float *pcm, size_t n);
/* echo_run: clean ECHO_BLOCK samples in place. */
void echo_run(struct echo *e, float *pcm);
void echo_destroy(struct echo *e);

#endif
