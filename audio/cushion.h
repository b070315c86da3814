/* cushion.h: how much sound lies ready for a loudspeaker: as little as its taker allows. It grows at once
 * when the taker found too little, and shrinks by a block after a time in which a block always lay there
 * unused. Invariant: CUSHION_MIN..CUSHION_MAX, whole blocks. Sans-IO. cushion_taken belongs to the thread
 * that takes (it is lock-free), everything else to the one that fills. */
#ifndef GAVEL_AUDIO_CUSHION_H
#define GAVEL_AUDIO_CUSHION_H

#include "audio/frame.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CUSHION_MIN (2 * AUDIO_BLOCK)
#define CUSHION_MAX (12 * AUDIO_BLOCK)

struct cushion {
  atomic_size_t least; /* left after a taking, since the last look */
  atomic_uint missed;  /* takings that found too little, since the last look */
  size_t target;       /* samples */
  bool filled;         /* it has been full once: until then nothing was missed */
  int64_t look_us, calm_us, patience_us;
  uint64_t underruns;
};
/* cushion_init: starts with `target` samples. */
void cushion_init(struct cushion *c, int64_t now_us, size_t target);
/* cushion_taken: n samples were wanted when `fill` were there. */
void cushion_taken(struct cushion *c, size_t fill, size_t n);
/* cushion_look: call often; `fill` samples are there now. */
void cushion_look(struct cushion *c, int64_t now_us, size_t fill);

#endif
