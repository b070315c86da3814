/* ctl_metrics.c: what the server counts, as Prometheus reads it. */
#include "core/ctl/ctl.h"
#include "core/wire/json.h"

#include <stdio.h>

int ctl_metrics(struct ctl *c, json_t *params) {
  (void)params;
  int rc = EXIT_OK;
  json_t *result = ctl_ask(c, "server.metrics", NULL, &rc);
  if (!result)
    return rc;
  if (c->json)
    ctl_print_json(result);
  else
    fputs(json_str(result, "text", ""), stdout);
  json_decref(result);
  return rc;
}
