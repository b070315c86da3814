/* metrics.h: what the server counts, as Prometheus text (exposition format 0.0.4): `gavelctl metrics`.
 *
 * Invariant: numbers only: no name, address or room ever stands in it. Thread: the control thread. */
#ifndef GAVEL_SERVER_METRICS_H
#define GAVEL_SERVER_METRICS_H

#include "core/server/control.h"

/* metrics_text: malloc'd; NULL without memory. */
char *metrics_text(const struct control *c);
/* metrics_add_media: what one more media thread counted. */
void metrics_add_media(struct mediaport_counters *sum, const struct mediaport_counters *more);

#endif
