/* health.h: whether this server is fit to take people (GET /readyz), and what is in the way.
 *
 * Invariant: looking changes nothing that anybody sees: when nothing was written of late, one byte is, so
 * that a disk that takes nothing any more is noticed. Thread: the control thread. */
#ifndef GAVEL_SERVER_HEALTH_H
#define GAVEL_SERVER_HEALTH_H

#include "core/server/control_private.h"

enum health {
  HEALTH_DATABASE = 1, /* the last group could not be made durable */
  HEALTH_MEDIA = 2,    /* a media thread does not answer */
  HEALTH_DISK = 4,     /* less is free than [ops] disk_free_mb */
  HEALTH_DRAINING = 8, /* nobody new is taken */
};
/* health_look: what is in the way, a set of enum health; 0: ready. health_name: "database", ... */
unsigned health_look(struct control *c);
const char *health_name(enum health one);

#endif
