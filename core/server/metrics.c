#include "core/server/metrics.h"

#include "core/server/host.h"
#include "core/server/mediaport.h"
#include "core/server/metrics_private.h"

#include <inttypes.h>
#include <stddef.h>

void metric_head(FILE *f, const char *name, enum metric_type type, const char *help) {
  static const char *const TYPES[] = {"counter", "gauge", "histogram"};
  fprintf(f, "# HELP gavel_%s %s\n# TYPE gavel_%s %s\n", name, help, name, TYPES[type]);
}

void metric_number(FILE *f, const char *name, enum metric_type type, const char *help, uint64_t n) {
  metric_head(f, name, type, help);
  fprintf(f, "gavel_%s %" PRIu64 "\n", name, n);
}

void metric_process(FILE *f, const char *name, enum metric_type type, const char *help, double v) {
  fprintf(f, "# HELP process_%s %s\n# TYPE process_%s %s\nprocess_%s %.15g\n", name, help, name,
          type == COUNTER ? "counter" : "gauge", name, v);
}

static void people(FILE *f, const struct control *c) {
  uint64_t here = 0, waiting = 0, away = 0;
  struct hosted *h;
  for (size_t at = 0; (h = map_next(c->rooms, &at));) {
    here += room_count(&h->room, PRESENCE_HERE);
    waiting += room_count(&h->room, PRESENCE_WAITING);
    away += room_count(&h->room, PRESENCE_AWAY);
  }
  metric_head(f, "people", GAUGE, "by where they are");
  fprintf(f, "gavel_people{presence=\"here\"} %" PRIu64 "\n", here);
  fprintf(f, "gavel_people{presence=\"waiting\"} %" PRIu64 "\n", waiting);
  fprintf(f, "gavel_people{presence=\"away\"} %" PRIu64 "\n", away);
}

static void control_part(FILE *f, const struct control *c) {
  struct control_counters n;
  control_counters(c, &n);
  metric_head(f, "build_info", GAUGE, "the version");
  fprintf(f, "gavel_build_info{version=\"" GAVEL_VERSION "\"} 1\n");
  metric_number(f, "draining", GAUGE, "1 while nobody new is taken", upkeep_drains(c));
  metric_number(f, "connections", GAUGE, "open now", n.conns);
  metric_number(f, "rooms", GAUGE, "open now", n.rooms);
  people(f, c);
  metric_number(f, "messages_total", COUNTER, "that came in", n.messages);
  metric_number(f, "refusals_total", COUNTER, "requests that were refused", n.refusals);
  metric_number(f, "events_total", COUNTER, "of rooms, logged", n.events);
  metric_number(f, "commits_total", COUNTER, "groups made durable", n.commits);
  metric_number(f, "commit_failures_total", COUNTER, "groups that were lost", n.commit_failures);
  metric_number(f, "backups_total", COUNTER, "made and verified", n.backups);
  metric_number(f, "backup_failures_total", COUNTER, "not made, or not of a whole log", n.backup_failures);
  metric_number(f, "joins_total", COUNTER, "people who came in", n.joins);
  metric_number(f, "resumes_total", COUNTER, "people who came back", n.resumes);
  metric_number(f, "turn_credentials_total", COUNTER, "made for relays", n.turn_minted);
  metric_number(f, "slow_closed_total", COUNTER, "connections that did not read", n.slow_closed);
  metric_number(f, "rate_limited_total", COUNTER, "requests refused as too many", n.rate_limited);
  metric_number(f, "ids_strikes_total", COUNTER, "wrong secrets", n.strikes);
  metric_number(f, "ids_alerts_total", COUNTER, "addresses blocked for guessing", n.alerts);
  metric_head(f, "limit_total", COUNTER, "how often each limit held (gaveld --limits)");
  for (unsigned i = 0; i < LIMIT__COUNT; i++)
    fprintf(f, "gavel_limit_total{limit=\"%s\"} %" PRIu64 "\n", LIMITS[i].name, n.limits[i]);
}

void metrics_add_media(struct mediaport_counters *sum, const struct mediaport_counters *more) {
  uint64_t *to = (uint64_t *)sum; /* all but the last two are uint64_t */
  const uint64_t *from = (const uint64_t *)more;
  for (size_t i = 0; i < offsetof(struct mediaport_counters, peers) / sizeof *to; i++)
    to[i] += from[i];
  sum->peers += more->peers;
  sum->rooms += more->rooms;
}

static void media_part(FILE *f, const struct mediaport_counters *m) {
  const struct {
    const char *name, *help;
    uint64_t n;
  } rows[] = {{"packets_in", "datagrams received", m->packets_in},
              {"packets_out", "datagrams sent", m->packets_out},
              {"resent", "of them, packets sent again to listeners who asked", m->resent},
              {"unknown_source", "dropped unanswered: no checked path from there", m->unknown_source},
              {"stun_ok", "connectivity checks answered", m->stun_ok},
              {"stun_bad", "connectivity checks dropped unanswered", m->stun_bad},
              {"dtls_ok", "handshakes done", m->dtls_ok},
              {"dtls_bad", "handshakes failed", m->dtls_bad},
              {"stale", "packets of sound dropped because they had waited too long: overload", m->stale},
              {"overloads", "times the load was taken off the mixers by a step", m->overloads},
              {"dtls_dropped", "datagrams of handshakes there was no place for, or too many of one peer",
               m->dtls_dropped},
              {"rekeys", "changes of keys", m->rekeys},
              {"rekeys_bad", "changes of keys that did not come about: the old ones stayed", m->rekeys_bad},
              {"srtp_auth", "packets that did not authenticate", m->srtp_auth},
              {"srtp_replay", "packets played back", m->srtp_replay},
              {"bad_rtp", "packets that are no RTP", m->bad_rtp},
              {"no_right", "packets of members who may not speak", m->no_right},
              {"wrong_ssrc", "packets that name another's source", m->wrong_ssrc}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    char name[64];
    snprintf(name, sizeof name, "media_%s_total", rows[i].name);
    metric_number(f, name, COUNTER, rows[i].help, rows[i].n);
  }
  metric_number(f, "media_peers", GAUGE, "sound paths now", m->peers);
  metric_number(f, "media_rooms", GAUGE, "rooms with sound now", m->rooms);
}

static void hooks_part(FILE *f, const struct control *c) {
  struct hooks_counters n = hooks_counters(c);
  metric_number(f, "webhooks_queued", GAUGE, "events and alerts that wait for their endpoint", n.queued);
  metric_number(f, "webhooks_delivered_total", COUNTER, "taken by their endpoint", n.delivered);
  metric_number(f, "webhook_failures_total", COUNTER, "tries that were not answered with 2xx", n.failed);
  metric_number(f, "webhooks_dropped_total", COUNTER, "too many waited, or by the operator", n.dropped);
  metric_head(f, "alert_raised", GAUGE, "how many of this kind are raised now (gavelctl alerts)");
  alerts_metrics(f, c);
}

static void host_part(FILE *f, const struct control *c) {
  struct host_figures h = {0};
  if (!c->cfg.host)
    return;
  c->cfg.host(c->cfg.ctx, &h);
  metric_process(f, "cpu_seconds_total", COUNTER, "user and system time", h.cpu_s);
  metric_process(f, "resident_memory_bytes", GAUGE, "in memory", (double)h.rss);
  metric_process(f, "virtual_memory_bytes", GAUGE, "of address space", (double)h.virt);
  metric_process(f, "open_fds", GAUGE, "file descriptors", (double)h.fds);
  metric_process(f, "max_fds", GAUGE, "file descriptors there may be", (double)h.fds_most);
  metric_process(f, "start_time_seconds", GAUGE, "Unix time of the start", (double)h.started_s);
  metric_number(f, "certificate_expiry_timestamp_seconds", GAUGE,
                "Unix time at which the public certificate ends", (uint64_t)h.cert_expires_s);
  metric_number(f, "media_threads_stuck", GAUGE, "that have not answered for two seconds", h.media_stuck);
  if (!h.has_disk)
    return;
  metric_number(f, "disk_free_bytes", GAUGE, "of the database's file system, for us", h.disk_free);
  metric_number(f, "disk_size_bytes", GAUGE, "of the database's file system", h.disk_size);
  metric_number(f, "database_size_bytes", GAUGE, "of the database's file", h.database);
}

char *metrics_text(const struct control *c) {
  char *text = NULL;
  size_t n;
  FILE *f = open_memstream(&text, &n);
  if (!f)
    return NULL;
  control_part(f, c);
  metrics_lines(f, c);
  struct mediaport_counters media = {0};
  if (c->cfg.media_counters)
    c->cfg.media_counters(c->cfg.ctx, &media);
  media_part(f, &media);
  hooks_part(f, c);
  host_part(f, c);
  fclose(f);
  return text;
}
