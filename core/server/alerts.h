/* alerts.h: conditions that need a person: each is raised and cleared, told to the operator's command and
 * endpoint (hooks.h), to consoles, and to the audit log.
 *
 * Invariant: each is told when it is raised, at most once an hour while it lasts, and when it is over; one
 * that comes and goes is told of once an hour, or when it has stayed for five minutes: the last word that was
 * told is never for long the wrong one. Thread: the control thread. */
#ifndef GAVEL_SERVER_ALERTS_H
#define GAVEL_SERVER_ALERTS_H

#include "core/base/clock.h"
#include "core/server/runner.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct control;
struct conn;
/* X(id, name, how long it must be so before it is raised, and not be so before it is cleared, seconds) */
#define ALERTS(X)                                                                                            \
  X(CERTIFICATE, "certificate", 0, 60)                                                                       \
  X(DATABASE, "database", 0, 30)                                                                             \
  X(DISK, "disk", 0, 60)                                                                                     \
  X(BACKUP, "backup", 0, 0)                                                                                  \
  X(LOSS, "loss", 300, 120)                                                                                  \
  X(GUESSING, "guessing", 0, 0)                                                                              \
  X(MEDIA, "media", 10, 60)                                                                                  \
  X(WEBHOOK, "webhook", 0, 0)                                                                                \
  X(RUNNER, "runner", 0, 0)                                                                                  \
  X(NODE, "node", 0, 0) /* the first of those that are watched; RUNNER_WATCH_MAX of them */
enum alert_kind {
#define X(id, ...) ALERT_##id,
  ALERTS(X)
#undef X
      ALERT__KINDS,
  ALERT__COUNT = ALERT_NODE + RUNNER_WATCH_MAX
};
struct alerts_config {
  bool on;
  const char *server; /* name that is told */
  unsigned loss_percent, loss_minutes, certificate_days, strikes;
  const char *watch[RUNNER_WATCH_MAX]; /* addresses of other servers' /healthz; NULL: no more */
};
struct alert {
  bool is, raised, told; /* told: that it is raised */
  us_t since, told_at;   /* `is` as it is now since then; when it was told to be raised last, 0 never */
  int64_t raised_ms;
  char detail[160];
};
struct alerts {
  us_t next, watch_next;
  struct alert of[ALERT__COUNT];
  bool backup_failed, runner_gone;
  uint64_t guess_alerts, strikes_base, dropped; /* as they were when looked at last */
  us_t guessed_at, strikes_from, dropped_at;
  unsigned misses[RUNNER_WATCH_MAX]; /* in a row */
  bool asked[RUNNER_WATCH_MAX];
};

/* alerts_tick: looks at all of it every 5 s; alerts_next: when that is next. */
void alerts_tick(struct control *c);
us_t alerts_next(const struct control *c);
/* alerts_backup: one was made, or failed. alerts_runner_gone: nothing can be sent any more. alerts_ran: the
 * answer of a server that is watched. */
void alerts_backup(struct control *c, bool failed);
void alerts_runner_gone(struct control *c);
void alerts_ran(struct control *c, const struct runner_answer *a);
/* alerts_json: those that are raised: [{alert, since, text}]; a new reference. */
json_t *alerts_json(const struct control *c);
/* alerts_metrics: gavel_alert_raised{alert="..."}. */
void alerts_metrics(FILE *f, const struct control *c);
/* server.alerts {}. */
void alerts_call(struct control *c, struct conn *k, json_int_t id, json_t *params);

#endif
