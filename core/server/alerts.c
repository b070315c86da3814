#include "core/server/alerts.h"

#include "core/base/log.h"
#include "core/base/utc.h"
#include "core/server/control_private.h"
#include "core/server/health.h"
#include "core/server/host.h"

#include <string.h>

#define LOOK_US (5 * US_PER_S)
#define HOUR_US (3600 * US_PER_S)
#define LASTS_US (300 * US_PER_S)
#define WINDOW_US (600 * US_PER_S)
#define STUCK_US (300 * US_PER_S)
#define LINES_LEAST 3 /* sound paths: the loss of one is that person's */
#define MISSES_MOST 2

static const struct {
  const char *name;
  unsigned hold_s, clear_s;
} KINDS[] = {
#define X(id, name, hold_s, clear_s) {name, hold_s, clear_s},
    ALERTS(X)
#undef X
};

static enum alert_kind kind_of(size_t i) {
  return i < ALERT_NODE ? (enum alert_kind)i : ALERT_NODE;
}

/* ---- telling ---- */

static json_t *alert_json(const struct control *c, size_t i) {
  const struct alert *a = &c->alerts.of[i];
  char since[UTC_MAX];
  utc_text(a->raised_ms, since);
  return json_pack("{s:s,s:s,s:s}", "alert", KINDS[kind_of(i)].name, "since", since, "text", a->detail);
}

static void tell(struct control *c, size_t i, const char *state) {
  char at[UTC_MAX];
  const char *server = c->cfg.alerts.server;
  json_t *o = alert_json(c, i);
  utc_text(c->wall_ms, at);
  json_object_set_new(o, "state", json_string(state));
  json_object_set_new(o, "server", json_string(server ? server : ""));
  json_object_set_new(o, "at", json_string(at));
  json_object_set_new(o, "type", json_string("alert"));
  hooks_alert(c, o);
}

static void raise_it(struct control *c, size_t i) {
  struct alert *a = &c->alerts.of[i];
  if (!a->raised) {
    a->raised = true;
    a->raised_ms = c->wall_ms;
    log_event(LOG_WARN, "alert", "alert", KINDS[kind_of(i)].name, "why", a->detail, NULL);
    json_t *meta = json_pack("{s:s}", "text", a->detail);
    audit_note(c->access, &(struct audit_entry){.actor = "system",
                                                .action = "alert.raise",
                                                .target = KINDS[kind_of(i)].name,
                                                .meta = meta});
    json_decref(meta);
  }
  bool lasts = !a->told && c->now - a->since >= LASTS_US; /* they believe it is over */
  if (a->told_at && c->now - a->told_at < HOUR_US && !lasts)
    return;
  tell(c, i, a->told ? "still" : "raised");
  a->told_at = c->now ? c->now : 1;
  a->told = true;
}

static void clear_it(struct control *c, size_t i) {
  c->alerts.of[i].raised = false;
  log_event(LOG_INFO, "alert is over", "alert", KINDS[kind_of(i)].name, NULL);
  audit_note(c->access, &(struct audit_entry){
                            .actor = "system", .action = "alert.clear", .target = KINDS[kind_of(i)].name});
  if (c->alerts.of[i].told) /* else it comes and goes, and they know */
    tell(c, i, "cleared");
  c->alerts.of[i].told = false;
}

/* How it is now. */
static void set(struct control *c, size_t i, bool is) {
  struct alert *a = &c->alerts.of[i];
  enum alert_kind k = kind_of(i);
  unsigned hold_s = k == ALERT_LOSS ? c->cfg.alerts.loss_minutes * 60 : KINDS[k].hold_s;
  if (is != a->is || !a->since)
    a->since = c->now ? c->now : 1;
  a->is = is;
  us_t lasted = c->now - a->since;
  if (is && (a->raised || lasted >= hold_s * US_PER_S))
    raise_it(c, i);
  else if (!is && a->raised && lasted >= KINDS[k].clear_s * US_PER_S)
    clear_it(c, i);
}

#define SAY(i, ...) snprintf(c->alerts.of[i].detail, sizeof c->alerts.of[i].detail, __VA_ARGS__)

/* ---- looking ---- */

static void look_machine(struct control *c, const struct host_figures *h) {
  int64_t left_s = h->cert_expires_s - c->wall_ms / 1000;
  bool ends = h->cert_expires_s && left_s < (int64_t)c->cfg.alerts.certificate_days * 86400;
  if (ends)
    SAY(ALERT_CERTIFICATE, left_s > 0 ? "the certificate ends in %lld h" : "the certificate ended %lld h ago",
        (long long)(left_s > 0 ? left_s : -left_s) / 3600);
  set(c, ALERT_CERTIFICATE, ends);
  unsigned bad = health_look(c);
  if (bad & HEALTH_DATABASE)
    SAY(ALERT_DATABASE, "the database cannot be written: %s", err_text(c->commit_err));
  set(c, ALERT_DATABASE, bad & HEALTH_DATABASE);
  if (bad & HEALTH_DISK)
    SAY(ALERT_DISK, "%llu MB are free beside the database, %llu are the least",
        (unsigned long long)(h->disk_free >> 20), (unsigned long long)(c->cfg.disk_least >> 20));
  set(c, ALERT_DISK, bad & HEALTH_DISK);
  if (h->media_stuck)
    SAY(ALERT_MEDIA, "%u media threads do not answer", h->media_stuck);
  set(c, ALERT_MEDIA, h->media_stuck > 0);
}

static void look_loss(struct control *c) {
  const struct hosted *h;
  const struct seat *s;
  unsigned n = 0;
  uint64_t sum = 0;
  for (size_t at = 0; (h = map_next(c->rooms, &at));)
    for (size_t in = 0; (s = map_next(h->seats, &in));)
      if (s->peer && s->line.at) {
        uint8_t up = s->line.last.loss_up, down = s->line.last.loss_down;
        sum += up > down ? up : down;
        n++;
      }
  bool much = n >= LINES_LEAST && sum >= (uint64_t)n * c->cfg.alerts.loss_percent;
  if (much)
    SAY(ALERT_LOSS, "%llu%% of the packets of %u people are lost", (unsigned long long)(sum / n), n);
  set(c, ALERT_LOSS, much && c->cfg.alerts.loss_percent > 0);
}

/* Strikes of a window, and addresses that were blocked in it. */
static void look_guessing(struct control *c) {
  struct alerts *a = &c->alerts;
  bool many = c->cfg.alerts.strikes && c->count.strikes - a->strikes_base >= c->cfg.alerts.strikes;
  if (c->count.alerts > a->guess_alerts || many) {
    a->guessed_at = c->now;
    SAY(ALERT_GUESSING, "%llu wrong secrets since the start, %llu addresses were blocked",
        (unsigned long long)c->count.strikes, (unsigned long long)c->count.alerts);
  }
  if (many || c->now - a->strikes_from >= WINDOW_US) {
    a->strikes_base = c->count.strikes;
    a->strikes_from = c->now;
  }
  a->guess_alerts = c->count.alerts;
  set(c, ALERT_GUESSING, a->guessed_at && c->now - a->guessed_at < WINDOW_US);
}

static void look_webhooks(struct control *c) {
  struct alerts *a = &c->alerts;
  struct hooks_counters n = hooks_counters(c);
  if (n.dropped > a->dropped)
    a->dropped_at = c->now;
  a->dropped = n.dropped;
  bool lost = a->dropped_at && c->now - a->dropped_at < HOUR_US, stuck = hooks_stuck(c) >= STUCK_US;
  if (lost || stuck)
    SAY(ALERT_WEBHOOK, "%llu webhooks wait, %llu were dropped", (unsigned long long)n.queued,
        (unsigned long long)n.dropped);
  set(c, ALERT_WEBHOOK, lost || stuck);
}

static void watch(struct control *c) {
  static struct runner_job job; /* large; the control thread's */
  struct alerts *a = &c->alerts;
  for (unsigned i = 0; i < RUNNER_WATCH_MAX && c->cfg.alerts.watch[i]; i++) {
    if (a->asked[i] || !c->cfg.hooks.run)
      continue;
    job = (struct runner_job){.id = i, .target = RUN_WATCH + i};
    a->asked[i] = c->cfg.hooks.run(c->cfg.ctx, &job) == ERR_OK;
  }
}

void alerts_ran(struct control *c, const struct runner_answer *r) {
  unsigned i = r->target - RUN_WATCH;
  if (r->id == RUNNER_ALL_LOST && r->target != RUN_COMMAND)
    memset(c->alerts.asked, 0, sizeof c->alerts.asked); /* asked again */
  if (i >= RUNNER_WATCH_MAX || !c->cfg.alerts.watch[i])
    return;
  struct alerts *a = &c->alerts;
  a->asked[i] = false;
  a->misses[i] = r->status == 200 ? 0 : a->misses[i] + 1;
  if (a->misses[i])
    SAY(ALERT_NODE + i, "%.80s does not answer: %.60s", c->cfg.alerts.watch[i],
        r->status < 0 ? r->text : "not with 200");
  if (a->misses[i] == 0 || a->misses[i] >= MISSES_MOST)
    set(c, ALERT_NODE + i, a->misses[i] > 0);
}

void alerts_backup(struct control *c, bool failed) {
  if (!c->cfg.alerts.on)
    return;
  SAY(ALERT_BACKUP, "the last backup failed: the log has the reason");
  set(c, ALERT_BACKUP, failed);
}

void alerts_runner_gone(struct control *c) {
  SAY(ALERT_RUNNER, "the process for webhooks and alerts has ended: restart gaveld");
  set(c, ALERT_RUNNER, true);
}

void alerts_tick(struct control *c) {
  struct host_figures h = {0};
  struct alerts *a = &c->alerts;
  if (!c->cfg.alerts.on || c->now < a->next)
    return;
  a->next = c->now + LOOK_US;
  if (c->cfg.host)
    c->cfg.host(c->cfg.ctx, &h);
  look_machine(c, &h);
  look_loss(c);
  look_guessing(c);
  look_webhooks(c);
  watch(c);
}

us_t alerts_next(const struct control *c) {
  return c->cfg.alerts.on ? c->alerts.next : US_NEVER;
}

/* ---- asked for ---- */

json_t *alerts_json(const struct control *c) {
  json_t *list = json_array();
  for (size_t i = 0; i < ALERT__COUNT; i++)
    if (c->alerts.of[i].raised)
      json_array_append_new(list, alert_json(c, i));
  return list;
}

void alerts_metrics(FILE *f, const struct control *c) {
  unsigned raised[ALERT__KINDS] = {0};
  for (size_t i = 0; i < ALERT__COUNT; i++)
    raised[kind_of(i)] += c->alerts.of[i].raised;
  for (size_t i = 0; i < ALERT__KINDS; i++)
    fprintf(f, "gavel_alert_raised{alert=\"%s\"} %u\n", KINDS[i].name, raised[i]);
}

void alerts_call(struct control *c, struct conn *k, json_int_t id, json_t *params) {
  if (json_object_size(params) > 0)
    control_refuse(c, k, id, ERR_BAD_ARG, NULL);
  else
    control_reply(c, k, id, json_pack("{s:o}", "alerts", alerts_json(c)));
}
