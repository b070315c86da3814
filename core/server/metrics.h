/* metrics.h: what the server counts, as Prometheus text (exposition format 0.0.4): GET /metrics on the
 * operator's port, and `gavelctl metrics`. Names follow Prometheus' conventions: base units, _total for
 * counters.
 *
 * Invariant: numbers only: no name, address or room ever stands in it; labels have few, known values. Thread:
 * the control thread. */
#ifndef GAVEL_SERVER_METRICS_H
#define GAVEL_SERVER_METRICS_H

#include "core/server/control.h"

/* Histograms since the start. */
enum metrics_histogram { METRICS_SETUP, METRICS_MOS_UP, METRICS_MOS_DOWN, METRICS_HISTOGRAMS };
#define METRICS_BUCKETS 9
struct metrics_observed {
  uint64_t in[METRICS_BUCKETS + 1]; /* each in one; the last: above all bounds */
  double sum;
};
/* metrics_observe: one more value, in the unit of the metric's name. */
void metrics_observe(struct metrics_observed of[METRICS_HISTOGRAMS], enum metrics_histogram h, double v);

/* metrics_text: malloc'd; NULL without memory. */
char *metrics_text(const struct control *c);
/* metrics_add_media: what one more media thread counted. */
void metrics_add_media(struct mediaport_counters *sum, const struct mediaport_counters *more);

#endif
