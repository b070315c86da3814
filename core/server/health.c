#include "core/server/health.h"

#include "core/server/host.h"

#define PROBE_US (10 * US_PER_S)

/* Only between groups: what is open now is told by its own commit. */
static void probe(struct control *c) {
  if (c->n_touched > 0 || store_pending(c->cfg.store) > 0 ||
      (c->commit_err == ERR_OK && c->now - c->committed_at < PROBE_US))
    return;
  c->commit_err = store_put_secret(c->cfg.store, "ops.probe", "1", 1);
  enum err e = store_commit(c->cfg.store);
  c->commit_err = c->commit_err == ERR_OK ? e : c->commit_err;
  c->committed_at = c->now;
}

unsigned health_look(struct control *c) {
  struct host_figures h = {0};
  probe(c);
  if (c->cfg.host)
    c->cfg.host(c->cfg.ctx, &h);
  return (c->commit_err != ERR_OK ? HEALTH_DATABASE : 0U) | (h.media_stuck ? HEALTH_MEDIA : 0U) |
         (upkeep_drains(c) ? HEALTH_DRAINING : 0U) |
         (h.has_disk && h.disk_free < c->cfg.disk_least ? HEALTH_DISK : 0U);
}

const char *health_name(enum health one) {
  switch (one) {
  case HEALTH_DATABASE:
    return "database";
  case HEALTH_MEDIA:
    return "media";
  case HEALTH_DISK:
    return "disk";
  case HEALTH_DRAINING:
    return "draining";
  }
  return "";
}
