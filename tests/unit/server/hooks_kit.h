/* hooks_kit.h: a control plane whose runner is the test: jobs are kept, answers are given when it says so. */
#ifndef GAVEL_TESTS_HOOKS_KIT_H
#define GAVEL_TESTS_HOOKS_KIT_H

#include "core/server/control_private.h"
#include "core/server/host.h"
#include "tests/unit/server/control_kit.h"

#define JOBS_MAX 64
struct jobs {
  struct runner_job v[JOBS_MAX];
  size_t n;
  enum err says; /* what the runner takes jobs with */
};
static struct jobs JOBS; /* globals: what the fakes below keep and say */
static struct host_figures HOST;

static inline enum err fake_run(void *ctx, const struct runner_job *job) {
  (void)ctx;
  if (JOBS.says == ERR_OK && JOBS.n < JOBS_MAX)
    JOBS.v[JOBS.n++] = *job;
  return JOBS.says;
}

static inline void fake_host(void *ctx, struct host_figures *out) {
  (void)ctx;
  *out = HOST;
}

/* Webhooks of all events, and alerts to everywhere when `alerts`. */
static inline void hooks_on(struct kit *k, bool alerts) {
  struct hooks_config *h = &k->c->cfg.hooks;
  *h = (struct hooks_config){.run = fake_run, .to_webhook = true, .events = "all", .most = 1000};
  h->n_secret[RUN_WEBHOOK] = hooks_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", h->secret[RUN_WEBHOOK]);
  assert_int_equal(h->n_secret[RUN_WEBHOOK], 24);
  k->c->cfg.alerts = (struct alerts_config){.on = alerts,
                                            .server = "test",
                                            .loss_percent = 5,
                                            .loss_minutes = 5,
                                            .certificate_days = 14,
                                            .strikes = 50};
  h->to_alert = h->to_command = alerts;
  k->c->cfg.host = fake_host;
  hooks_load(k->c);
}

static inline struct kit *hooks_kit(const char *path, bool alerts) {
  struct kit *k = kit_make(path);
  JOBS.n = 0;
  JOBS.says = ERR_OK;
  HOST = (struct host_figures){
      .has_disk = true, .disk_free = 1 << 30, .cert_expires_s = WALL / 1000 + 90 * 86400};
  hooks_on(k, alerts);
  return k;
}

static inline void turn(struct kit *k, us_t us) {
  tick(k, us);
  control_commit(k->c);
}

static inline void answer_job(struct kit *k, const struct runner_job *job, int status) {
  struct runner_answer a = {.id = job->id, .target = job->target, .status = status};
  control_ran(k->c, &a);
  control_commit(k->c);
}

/* What job i says under a key of its JSON. */
static inline bool job_says(size_t i, const char *key, const char *value) {
  json_t *o = json_loadb(JOBS.v[i].body, JOBS.v[i].n, 0, NULL);
  assert_non_null(o);
  bool is = strcmp(json_str(o, key, ""), value) == 0;
  json_decref(o);
  return is;
}

#endif
