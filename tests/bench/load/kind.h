/* kind.h: the kinds of servers that a person can sit in: gavel, and the peers it is compared with. A kind
 * does the signalling and protects the sound; what is said, heard and counted is person.c's and sound.c's.
 *
 * Invariant: each function gets a person whose `begin` has returned true and whose `drop` was not called.
 * Thread: one. */
#ifndef GAVEL_LOAD_KIND_H
#define GAVEL_LOAD_KIND_H

#include "audio/capture.h"
#include "core/base/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct person;
struct load;
struct kind {
  const char *name;
  bool tells; /* who is in a packet */
  bool many;  /* one stream for each speaker instead of one for all */
  /* keys and what else all its people share; false: said on stderr */
  bool (*setup)(struct load *l);
  void (*cleanup)(struct load *l);
  /* begins to connect and sets p->stream; false and *why (static) when it cannot */
  bool (*begin)(struct person *p, const char **why);
  /* p->stream is ready; a reason (static) when it is over */
  const char *(*ready)(struct person *p);
  void (*leave)(struct person *p);
  /* the way of the sound stands (STUN has said so) */
  void (*reachable)(struct person *p);
  /* changed in place */
  void (*datagram)(struct person *p, uint8_t *b, size_t n);
  void (*say)(struct person *p, const struct capture_packet *k);
  us_t (*due)(const struct person *p);
  void (*timeout)(struct person *p);
  void (*drop)(struct person *p);
};
extern const struct kind KIND_GAVEL, KIND_BRIDGE, KIND_VIDEOROOM, KIND_MURMUR;

#endif
