/* ring.h: lock-free single-producer single-consumer ring of fixed-size records: the only door of an audio
 * thread. Invariant: no lock, no allocation, no system call after create. One writer thread, one reader
 * thread. */
#ifndef GAVEL_AUDIO_RING_H
#define GAVEL_AUDIO_RING_H

#include <stdbool.h>
#include <stddef.h>

struct ring;
/* ring_create: `capacity` records (rounded up to a power of two) of `size` bytes. NULL: out of memory. */
struct ring *ring_create(size_t size, size_t capacity);
/* ring_write, ring_read: up to n records; return how many. */
size_t ring_write(struct ring *r, const void *records, size_t n);
size_t ring_read(struct ring *r, void *records, size_t n);
/* ring_fill: records waiting: the reader finds at least that many. ring_room: free places: the writer finds
 * at least that many. To a third thread both are a moment's estimate. */
size_t ring_fill(const struct ring *r);
size_t ring_room(const struct ring *r);
void ring_destroy(struct ring *r);

#endif
