#include "core/server/ops.h"

#include <string.h>

bool ops_call(struct control *c, struct conn *k, json_int_t id, const char *method, const json_t *params) {
  (void)params;
  if (strncmp(method, "ops.", 4) != 0)
    return false;
  control_refuse(c, k, id, ERR_NOT_ALLOWED, NULL);
  return true;
}

void ops_forget(struct control *c, struct conn *k) {
  (void)c;
  (void)k;
}

void ops_tick(struct control *c) {
  (void)c;
}

us_t ops_next(const struct control *c) {
  (void)c;
  return US_NEVER;
}
