/* metrics_lines.c: the sound paths of all who are in a room: how many, in which tier, and means; and what
 * became of all since the start. */
#include "core/server/metrics_private.h"

#include <inttypes.h>
#include <string.h>

enum { LOSS, CONCEALED, MOS, BURST, JITTER, RTT, RATE, FIGURES };
enum { UP, DOWN };
static const char *const WAYS_THERE[] = {"udp", "tcp", "turn", "tunnel"}; /* as seat_via_text */
#define WAYS_N (sizeof WAYS_THERE / sizeof WAYS_THERE[0])
struct lines {
  uint64_t n, tier[TIER_N], via[WAYS_N];
  double sum[FIGURES][2], of[FIGURES][2]; /* of so many lines that have the figure */
};

static void add(struct lines *l, unsigned figure, unsigned way, double v, bool known) {
  l->sum[figure][way] += known ? v : 0;
  l->of[figure][way] += known;
}

static void add_line(struct lines *l, const struct seat *of) {
  const struct seat_line *s = &of->line;
  const struct media_stats *q = &s->last;
  l->n++;
  l->tier[s->tier]++;
  for (size_t i = 0; i < WAYS_N; i++)
    l->via[i] += strcmp(WAYS_THERE[i], seat_via_text(of)) == 0;
  add(l, LOSS, UP, q->loss_up / 100.0, true);
  add(l, LOSS, DOWN, q->loss_down / 100.0, true);
  add(l, CONCEALED, UP, q->concealed_up / 100.0, true);
  add(l, CONCEALED, DOWN, q->concealed_down / 100.0, true);
  add(l, MOS, UP, q->mos_up / 10.0, q->mos_up);
  add(l, MOS, DOWN, q->mos_down / 10.0, q->mos_down);
  add(l, BURST, UP, q->burst_up_ms / 1000.0, q->burst_up_ms);
  add(l, BURST, DOWN, q->burst_down_ms / 1000.0, q->burst_down_ms);
  add(l, JITTER, UP, q->jitter_ms / 1000.0, true);
  add(l, RTT, UP, q->rtt_ms / 1000.0, q->rtt_ms);
  add(l, RATE, UP, q->kbps_up * 125.0, true);
  add(l, RATE, DOWN, q->kbps_down * 125.0, true);
}

static void mean(FILE *f, const struct lines *l, unsigned figure, const char *name, const char *help) {
  static const char *const WAYS[] = {"{direction=\"up\"}", "{direction=\"down\"}"};
  bool both = figure != JITTER && figure != RTT;
  metric_head(f, name, GAUGE, help);
  for (unsigned way = UP; way <= (both ? DOWN : UP); way++)
    if (l->of[figure][way] > 0)
      fprintf(f, "gavel_%s%s %.4f\n", name, both ? WAYS[way] : "", l->sum[figure][way] / l->of[figure][way]);
}

/* ---- histograms ---- */

static const double BOUNDS[METRICS_HISTOGRAMS][METRICS_BUCKETS] = {
    [METRICS_SETUP] = {0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30},
    [METRICS_MOS_UP] = {1.5, 2, 2.6, 3, 3.4, 3.6, 3.8, 4, 4.2},
    [METRICS_MOS_DOWN] = {1.5, 2, 2.6, 3, 3.4, 3.6, 3.8, 4, 4.2}};

void metrics_observe(struct metrics_observed of[METRICS_HISTOGRAMS], enum metrics_histogram h, double v) {
  unsigned i = 0;
  while (i < METRICS_BUCKETS && v > BOUNDS[h][i])
    i++;
  of[h].in[i]++;
  of[h].sum += v;
}

static void histogram(FILE *f, const struct control *c, enum metrics_histogram h, const char *name,
                      const char *label) {
  const struct metrics_observed *o = &c->observed[h];
  uint64_t n = 0;
  for (unsigned i = 0; i < METRICS_BUCKETS; i++) {
    n += o->in[i];
    fprintf(f, "gavel_%s_bucket{%s%sle=\"%g\"} %" PRIu64 "\n", name, label, *label ? "," : "", BOUNDS[h][i],
            n);
  }
  n += o->in[METRICS_BUCKETS];
  fprintf(f, "gavel_%s_bucket{%s%sle=\"+Inf\"} %" PRIu64 "\n", name, label, *label ? "," : "", n);
  fprintf(f, "gavel_%s_sum%s%s%s %.3f\n", name, *label ? "{" : "", label, *label ? "}" : "", o->sum);
  fprintf(f, "gavel_%s_count%s%s%s %" PRIu64 "\n", name, *label ? "{" : "", label, *label ? "}" : "", n);
}

void metrics_lines(FILE *f, const struct control *c) {
  struct lines l = {0};
  const struct hosted *h;
  const struct seat *s;
  for (size_t at = 0; (h = map_next(c->rooms, &at));)
    for (size_t in = 0; (s = map_next(h->seats, &in));)
      if (s->peer && s->line.at)
        add_line(&l, s);
  metric_head(f, "line_tier", GAUGE, "lines by what they get");
  for (enum media_tier t = 0; t < TIER_N; t++)
    fprintf(f, "gavel_line_tier{tier=\"%s\"} %" PRIu64 "\n", tier_info(t)->name, l.tier[t]);
  metric_head(f, "line_via", GAUGE, "lines by what they come through");
  for (size_t i = 0; i < WAYS_N; i++)
    fprintf(f, "gavel_line_via{via=\"%s\"} %" PRIu64 "\n", WAYS_THERE[i], l.via[i]);
  metric_number(f, "lines", GAUGE, "sound paths that were reported on: the means below are theirs", l.n);
  mean(f, &l, LOSS, "line_loss_ratio", "0 to 1, before repair, mean of the lines");
  mean(f, &l, CONCEALED, "line_concealed_ratio", "0 to 1, sound made up, mean of the lines");
  mean(f, &l, MOS, "line_mos", "1 to 4.5 by the E-model, mean of the lines on which somebody spoke");
  mean(f, &l, BURST, "line_burst_seconds", "mean length of a loss, mean of the lines that lost something");
  mean(f, &l, JITTER, "line_jitter_seconds", "of what comes in, mean of the lines");
  mean(f, &l, RTT, "line_rtt_seconds", "mean of the lines");
  mean(f, &l, RATE, "line_bytes_per_second", "on the wire, mean of the lines");
  metric_head(f, "path_setup_seconds", HISTOGRAM, "from the answer to an offer until the sound path is up");
  histogram(f, c, METRICS_SETUP, "path_setup_seconds", "");
  metric_head(f, "report_mos", HISTOGRAM, "MOS by the E-model of each line in each report of it");
  histogram(f, c, METRICS_MOS_UP, "report_mos", "direction=\"up\"");
  histogram(f, c, METRICS_MOS_DOWN, "report_mos", "direction=\"down\"");
}
