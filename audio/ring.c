/* ring.c: two free-running counters, each written by one side only; their difference is the fill. */
#include "audio/ring.h"

#include <assert.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CACHE_LINE 64 /* the counters live apart, so that the two threads do not fight for one line */

struct ring {
  alignas(CACHE_LINE) atomic_size_t written; /* by the writer */
  alignas(CACHE_LINE) atomic_size_t taken;   /* by the reader */
  alignas(CACHE_LINE) size_t size;
  size_t capacity; /* a power of two, so the counters may wrap */
  unsigned char *data;
};

struct ring *ring_create(size_t size, size_t capacity) {
  assert(size > 0 && capacity > 0);
  size_t rounded = 1;
  while (rounded < capacity && rounded <= SIZE_MAX / 4) {
    rounded *= 2;
  }
  if (rounded < capacity || rounded > SIZE_MAX / size) {
    return NULL;
  }
  struct ring *r = aligned_alloc(CACHE_LINE, sizeof *r);
  if (!r) {
    return NULL;
  }
  r->data = calloc(rounded, size);
  if (!r->data) {
    free(r);
    return NULL;
  }
  atomic_init(&r->written, 0);
  atomic_init(&r->taken, 0);
  r->size = size;
  r->capacity = rounded;
  return r;
}

size_t ring_write(struct ring *r, const void *records, size_t n) {
  size_t at = atomic_load_explicit(&r->written, memory_order_relaxed);
  /* acquire: the reader has finished copying out what we are about to overwrite */
  size_t room = r->capacity - (at - atomic_load_explicit(&r->taken, memory_order_acquire));
  n = n < room ? n : room;
  size_t from = at & (r->capacity - 1);
  size_t first = n < r->capacity - from ? n : r->capacity - from;
  if (n > 0) {
    memcpy(r->data + from * r->size, records, first * r->size);
    memcpy(r->data, (const unsigned char *)records + first * r->size, (n - first) * r->size);
  }
  atomic_store_explicit(&r->written, at + n, memory_order_release);
  return n;
}

size_t ring_read(struct ring *r, void *records, size_t n) {
  size_t at = atomic_load_explicit(&r->taken, memory_order_relaxed);
  /* acquire: the records counted here are completely written */
  size_t fill = atomic_load_explicit(&r->written, memory_order_acquire) - at;
  n = n < fill ? n : fill;
  size_t from = at & (r->capacity - 1);
  size_t first = n < r->capacity - from ? n : r->capacity - from;
  if (n > 0) {
    memcpy(records, r->data + from * r->size, first * r->size);
    memcpy((unsigned char *)records + first * r->size, r->data, (n - first) * r->size);
  }
  atomic_store_explicit(&r->taken, at + n, memory_order_release);
  return n;
}

size_t ring_fill(const struct ring *r) {
  /* `taken` first: it never overtakes a later look at `written` */
  size_t taken = atomic_load_explicit(&r->taken, memory_order_acquire);
  size_t fill = atomic_load_explicit(&r->written, memory_order_acquire) - taken;
  return fill < r->capacity ? fill : r->capacity;
}

size_t ring_room(const struct ring *r) {
  return r->capacity - ring_fill(r);
}

void ring_destroy(struct ring *r) {
  if (r) {
    free(r->data);
    free(r);
  }
}
