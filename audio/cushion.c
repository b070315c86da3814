#include "audio/cushion.h"

#define LOOK_US 1000000
#define PATIENCE_US 5000000       /* so long a block must be to spare before it goes */
#define PATIENCE_MAX_US 320000000 /* doubled by every underrun: a dropout is worse than 5 ms */

static void forget(struct cushion *c, int64_t now_us) {
  atomic_store_explicit(&c->least, SIZE_MAX, memory_order_relaxed);
  atomic_store_explicit(&c->missed, 0, memory_order_relaxed);
  c->look_us = now_us + LOOK_US;
}

void cushion_init(struct cushion *c, int64_t now_us, size_t target) {
  c->target = target;
  c->filled = false;
  c->calm_us = now_us;
  c->patience_us = PATIENCE_US;
  c->underruns = 0;
  forget(c, now_us);
}

void cushion_taken(struct cushion *c, size_t fill, size_t n) {
  if (fill < n) {
    atomic_fetch_add_explicit(&c->missed, 1, memory_order_relaxed);
  } else if (fill - n < atomic_load_explicit(&c->least, memory_order_relaxed)) {
    atomic_store_explicit(&c->least, fill - n, memory_order_relaxed); /* one taker: no race with itself */
  }
}

static void grow(struct cushion *c, int64_t now_us) {
  c->target = c->target + AUDIO_BLOCK < CUSHION_MAX ? c->target + AUDIO_BLOCK : CUSHION_MAX;
  c->patience_us = c->patience_us < PATIENCE_MAX_US ? 2 * c->patience_us : PATIENCE_MAX_US;
  c->calm_us = now_us;
  c->filled = false; /* what is missed until it is full again is the same underrun */
}

void cushion_look(struct cushion *c, int64_t now_us, size_t fill) {
  if (!c->filled) {
    c->filled = fill >= c->target;
    forget(c, now_us);
    return;
  }
  unsigned missed = atomic_load_explicit(&c->missed, memory_order_relaxed);
  if (missed > 0) {
    c->underruns += missed;
    grow(c, now_us);
    return;
  }
  if (now_us < c->look_us) {
    return;
  }
  if (atomic_load_explicit(&c->least, memory_order_relaxed) < AUDIO_BLOCK) {
    c->calm_us = now_us;
  } else if (now_us - c->calm_us >= c->patience_us && c->target > CUSHION_MIN) {
    c->target -= AUDIO_BLOCK;
    c->calm_us = now_us;
  }
  forget(c, now_us);
}
