/* medialadder.c: what a peer's reports of his line make of what he gets (core/media/ladder.h), and how often
 * both sides report. */
#include "core/server/mediaport_private.h"

#define UNEASY_US (3 * US_PER_S / 2)
#define THIN_UNEASY_US (3 * US_PER_S) /* a report is 0.4 kb/s then */
#define THIN_US (8 * US_PER_S)        /* clients take 24 s without any for a dead path */
#define IDLE_US (5 * US_PER_S)
#define LOSSY_PCT 2

/* Percent lost on his line in the interval he reports: without the numbers that stand for what the talker's
 * own line lost, which we never sent. */
static uint8_t lost_there(const struct peer *r) {
  uint32_t sent = r->stat.sent - r->judged.sent, span = r->out.last_seq - r->judged.last_seq;
  if (span < sent || span / 4 > sent) /* his first packets, or late ones */
    span = sent;
  uint32_t reported = span * r->stat.loss_out_pct / 100, never = span > sent ? span - sent : 0;
  return (uint8_t)(reported > never && sent > 0 ? (reported - never) * 100 / sent : 0);
}

static void judged_now(struct peer *r) {
  r->judged = (struct peer_judged){r->stat.reports, r->stat.sent, r->out.last_seq, r->stat.highest_out};
}

void peer_judge(struct mediaport *m, struct peer *r) {
  if (r->stat.reports == r->judged.reports)
    return;
  bool heard = r->stat.sent != r->judged.sent && r->judged.reports != 0;
  struct ladder_report report = {.loss_pct = lost_there(r),
                                 .burst_ms = r->stat.there.known ? r->stat.there.burst_ms : 0,
                                 .rtt_ms = r->stat.rtt_ms};
  ladder_count(&r->ladder, &report, r->out.last_seq - r->judged.last_seq,
               (uint16_t)(r->stat.highest_out - r->judged.highest),
               (uint16_t)(r->out.last_seq - r->stat.highest_out));
  judged_now(r);
  r->ladder.resend = r->resend && r->stat.rtt_ms < LADDER_RESEND_MS;
  if (heard && ladder_feed(&r->ladder, m->now, &report))
    peer_ladder_changed(r);
}

us_t peer_report_interval(const struct mediaport *m, const struct peer *r) {
  bool thin = r->ladder.tier >= TIER_LOW;
  bool idle = m->now - r->stat.sent_at > IDLE_US && m->now - r->stat.received_at > IDLE_US;
  if (idle)
    return THIN_US;
  if (ladder_early(&r->ladder, m->now))
    return US_PER_S;
  if (ladder_uneasy(&r->ladder) || r->stat.loss_in_pct >= LOSSY_PCT)
    return thin ? THIN_UNEASY_US : UNEASY_US;
  return thin ? THIN_US : RTPSTAT_INTERVAL_US;
}
