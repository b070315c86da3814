/* clip.h: what a speaker says, encoded before the run by the capture half of the product's client: 20 ms a
 * packet, with levels, and without packets in pauses (DTX).
 *
 * Invariant: a clip has at least one packet. Thread: made on one, then read by any. */
#ifndef GAVEL_LOAD_CLIP_H
#define GAVEL_LOAD_CLIP_H

#include "audio/capture.h"

struct clip {
  double freq;               /* of a sine; 0: speech */
  size_t n;                  /* frames of 20 ms until it starts again */
  struct capture_packet **v; /* by frame; NULL: nothing is sent */
};
/* clip_sine: ten seconds. clip_file: what libsndfile reads, its first minute. NULL: it cannot be read. */
struct clip *clip_sine(double freq);
struct clip *clip_file(const char *path);
void clip_free(struct clip *c);

#endif
