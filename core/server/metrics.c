#include "core/server/metrics.h"

#include "core/server/control_private.h"
#include "core/server/mediaport.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

enum type { COUNTER, GAUGE };

static void head(FILE *f, const char *name, enum type type, const char *help) {
  fprintf(f, "# HELP gavel_%s %s\n# TYPE gavel_%s %s\n", name, help, name,
          type == COUNTER ? "counter" : "gauge");
}

static void number(FILE *f, const char *name, enum type type, const char *help, uint64_t n) {
  head(f, name, type, help);
  fprintf(f, "gavel_%s %" PRIu64 "\n", name, n);
}

static void people(FILE *f, const struct control *c) {
  uint64_t here = 0, waiting = 0, away = 0;
  struct hosted *h;
  for (size_t at = 0; (h = map_next(c->rooms, &at));) {
    here += room_count(&h->room, PRESENCE_HERE);
    waiting += room_count(&h->room, PRESENCE_WAITING);
    away += room_count(&h->room, PRESENCE_AWAY);
  }
  head(f, "people", GAUGE, "by where they are");
  fprintf(f, "gavel_people{presence=\"here\"} %" PRIu64 "\n", here);
  fprintf(f, "gavel_people{presence=\"waiting\"} %" PRIu64 "\n", waiting);
  fprintf(f, "gavel_people{presence=\"away\"} %" PRIu64 "\n", away);
}

static void control_part(FILE *f, const struct control *c) {
  struct control_counters n;
  control_counters(c, &n);
  head(f, "build_info", GAUGE, "the version");
  fprintf(f, "gavel_build_info{version=\"" GAVEL_VERSION "\"} 1\n");
  number(f, "uptime_seconds", GAUGE, "since the start", (uint64_t)((c->now - c->started_at) / US_PER_S));
  number(f, "connections", GAUGE, "open now", n.conns);
  number(f, "rooms", GAUGE, "open now", n.rooms);
  people(f, c);
  number(f, "messages_total", COUNTER, "that came in", n.messages);
  number(f, "refusals_total", COUNTER, "requests that were refused", n.refusals);
  number(f, "events_total", COUNTER, "of rooms, logged", n.events);
  number(f, "commits_total", COUNTER, "groups made durable", n.commits);
  number(f, "commit_failures_total", COUNTER, "groups that were lost", n.commit_failures);
  number(f, "backups_total", COUNTER, "made and verified", n.backups);
  number(f, "backup_failures_total", COUNTER, "not made, or not of a whole log", n.backup_failures);
  number(f, "joins_total", COUNTER, "people who came in", n.joins);
  number(f, "resumes_total", COUNTER, "people who came back", n.resumes);
  number(f, "slow_closed_total", COUNTER, "connections that did not read", n.slow_closed);
  number(f, "rate_limited_total", COUNTER, "requests refused as too many", n.rate_limited);
  number(f, "ids_strikes_total", COUNTER, "wrong secrets", n.strikes);
  number(f, "ids_alerts_total", COUNTER, "addresses blocked for guessing", n.alerts);
  head(f, "limit_total", COUNTER, "how often each limit held (gaveld --limits)");
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
              {"unknown_source", "dropped unanswered: no checked path from there", m->unknown_source},
              {"stun_ok", "connectivity checks answered", m->stun_ok},
              {"stun_bad", "connectivity checks dropped unanswered", m->stun_bad},
              {"dtls_ok", "handshakes done", m->dtls_ok},
              {"dtls_bad", "handshakes failed", m->dtls_bad},
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
    number(f, name, COUNTER, rows[i].help, rows[i].n);
  }
  number(f, "media_peers", GAUGE, "sound paths now", m->peers);
  number(f, "media_rooms", GAUGE, "rooms with sound now", m->rooms);
}

char *metrics_text(const struct control *c) {
  char *text = NULL;
  size_t n;
  FILE *f = open_memstream(&text, &n);
  if (!f)
    return NULL;
  control_part(f, c);
  struct mediaport_counters media = {0};
  if (c->cfg.media_counters)
    c->cfg.media_counters(c->cfg.ctx, &media);
  media_part(f, &media);
  fclose(f);
  return text;
}
