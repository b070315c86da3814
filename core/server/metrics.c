#include "core/server/metrics.h"

#include "core/server/control_private.h"
#include "core/server/mediaport.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

enum type { COUNTER, GAUGE, SUMMARY };

static void head(FILE *f, const char *name, enum type type, const char *help) {
  static const char *const TYPES[] = {"counter", "gauge", "summary"};
  fprintf(f, "# HELP gavel_%s %s\n# TYPE gavel_%s %s\n", name, help, name, TYPES[type]);
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

/* ---- the lines of all who are in a room: how many, in which tier, and means ---- */

enum { LOSS, CONCEALED, MOS, BURST, JITTER, RTT, KBPS, FIGURES };
enum { UP, DOWN };
struct lines {
  uint64_t n, tier[TIER_N];
  double sum[FIGURES][2], of[FIGURES][2]; /* of so many lines that have the figure */
};

static void add(struct lines *l, unsigned figure, unsigned way, double v, bool known) {
  l->sum[figure][way] += known ? v : 0;
  l->of[figure][way] += known;
}

static void add_line(struct lines *l, const struct seat_line *s) {
  const struct media_stats *q = &s->last;
  l->n++;
  l->tier[s->tier]++;
  add(l, LOSS, UP, q->loss_up, true);
  add(l, LOSS, DOWN, q->loss_down, true);
  add(l, CONCEALED, UP, q->concealed_up, true);
  add(l, CONCEALED, DOWN, q->concealed_down, true);
  add(l, MOS, UP, q->mos_up / 10.0, q->mos_up);
  add(l, MOS, DOWN, q->mos_down / 10.0, q->mos_down);
  add(l, BURST, UP, q->burst_up_ms / 1000.0, q->burst_up_ms);
  add(l, BURST, DOWN, q->burst_down_ms / 1000.0, q->burst_down_ms);
  add(l, JITTER, UP, q->jitter_ms / 1000.0, true);
  add(l, RTT, UP, q->rtt_ms / 1000.0, q->rtt_ms);
  add(l, KBPS, UP, q->kbps_up, true);
  add(l, KBPS, DOWN, q->kbps_down, true);
}

static void mean(FILE *f, const struct lines *l, unsigned figure, const char *name, const char *help) {
  static const char *const WAYS[] = {"{direction=\"up\"}", "{direction=\"down\"}"};
  bool both = figure != JITTER && figure != RTT;
  head(f, name, GAUGE, help);
  for (unsigned way = UP; way <= (both ? DOWN : UP); way++)
    if (l->of[figure][way] > 0)
      fprintf(f, "gavel_%s%s %.4f\n", name, both ? WAYS[way] : "", l->sum[figure][way] / l->of[figure][way]);
}

static void lines_part(FILE *f, const struct control *c) {
  struct lines l = {0};
  const struct hosted *h;
  const struct seat *s;
  for (size_t at = 0; (h = map_next(c->rooms, &at));)
    for (size_t in = 0; (s = map_next(h->seats, &in));)
      if (s->peer && s->line.at)
        add_line(&l, &s->line);
  head(f, "line_tier", GAUGE, "lines by what they get");
  for (enum media_tier t = 0; t < TIER_N; t++)
    fprintf(f, "gavel_line_tier{tier=\"%s\"} %" PRIu64 "\n", tier_info(t)->name, l.tier[t]);
  number(f, "lines", GAUGE, "sound paths that were reported on: the means below are theirs", l.n);
  mean(f, &l, LOSS, "line_loss_percent", "before repair, mean of the lines");
  mean(f, &l, CONCEALED, "line_concealed_percent", "sound made up, mean of the lines");
  mean(f, &l, MOS, "line_mos", "by the E-model, mean of the lines on which somebody spoke");
  mean(f, &l, BURST, "line_burst_seconds", "mean length of a loss, mean of the lines that lost something");
  mean(f, &l, JITTER, "line_jitter_seconds", "of what comes in, mean of the lines");
  mean(f, &l, RTT, "line_rtt_seconds", "mean of the lines");
  mean(f, &l, KBPS, "line_kbps", "on the wire, mean of the lines");
  head(f, "path_setup_seconds", SUMMARY, "from the answer to an offer until the sound path is up");
  fprintf(f, "gavel_path_setup_seconds_sum %.3f\ngavel_path_setup_seconds_count %" PRIu64 "\n",
          (double)c->paths_up_ms / 1000, c->paths_up);
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
  lines_part(f, c);
  struct mediaport_counters media = {0};
  if (c->cfg.media_counters)
    c->cfg.media_counters(c->cfg.ctx, &media);
  media_part(f, &media);
  fclose(f);
  return text;
}
