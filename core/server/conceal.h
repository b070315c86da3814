/* conceal.h: sound in place of lost packets, for a decoder on the server: LBRR of the packet after the loss
 * where there is some, before that Opus's concealment, faded out so that a long loss is silence. Invariant:
 * no steps: what was faded out comes back in a ramp. Pure but for the decoder; one thread. */
#ifndef GAVEL_SERVER_CONCEAL_H
#define GAVEL_SERVER_CONCEAL_H

#include "audio/codec.h"

#define CONCEAL_GRAIN (AUDIO_MS(5) / 2) /* the shortest Opus frame: lengths are multiples of it */
struct conceal {
  size_t made; /* samples made up since the last packet; zero-initialise */
};
/* conceal_more: n samples (<= AUDIO_FRAME_MAX) after the last ones of the decoder. */
void conceal_more(struct conceal *c, struct decoder *d, float *pcm, size_t n);
/* conceal_before: the n samples (<= AUDIO_FRAME_MAX) lost just before the packet p, of which the last `frame`
 * are in it if it has LBRR. True when they were. */
bool conceal_before(struct conceal *c, struct decoder *d, const uint8_t *p, size_t len, size_t frame,
                    float *pcm, size_t n);
/* conceal_end: n samples of a packet; the first ones come back from the fade. */
void conceal_end(struct conceal *c, float *pcm, size_t n);

#endif
