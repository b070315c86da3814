/* stretch.h: WSOLA: make sound a little shorter or longer without changing its pitch, by overlapping it with
 * itself one or more pitch periods later. Pure; no allocation. Invariant: the first sample stays, so what was
 * played before goes on without a step. Any thread. */
#ifndef GAVEL_AUDIO_STRETCH_H
#define GAVEL_AUDIO_STRETCH_H

#include "audio/frame.h"

#include <stddef.h>

#define STRETCH_MIN AUDIO_MS(5)  /* the overlap, and the least that is taken out or put in */
#define STRETCH_MAX AUDIO_MS(30) /* the most at a time */

/* stretch_remove, stretch_insert: take out of, or put into, pcm[n] up to `most` samples where it is likest
 * itself at a distance; `least` (-1..1) is the correlation it must have there (quiet sound always may).
 * Insert needs room for n + most samples. Samples removed or inserted, 0 when it does not fit. */
size_t stretch_remove(float *pcm, size_t n, size_t most, float least);
size_t stretch_insert(float *pcm, size_t n, size_t most, float least);

#endif
