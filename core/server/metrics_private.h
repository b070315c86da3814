/* metrics_private.h: how figures are written as Prometheus text: what the files of metrics.h share. */
#ifndef GAVEL_SERVER_METRICS_PRIVATE_H
#define GAVEL_SERVER_METRICS_PRIVATE_H

#include "core/server/control_private.h"
#include "core/server/metrics.h"

#include <stdio.h>

enum metric_type { COUNTER, GAUGE, HISTOGRAM };
/* metric_head: HELP and TYPE of gavel_NAME. metric_number: those and its one value. metric_process: the same
 * without our prefix, as every program has it. */
void metric_head(FILE *f, const char *name, enum metric_type type, const char *help);
void metric_number(FILE *f, const char *name, enum metric_type type, const char *help, uint64_t n);
void metric_process(FILE *f, const char *name, enum metric_type type, const char *help, double v);

/* metrics_lines.c: sound paths. */
void metrics_lines(FILE *f, const struct control *c);

#endif
