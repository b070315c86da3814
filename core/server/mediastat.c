/* mediastat.c: how a peer's line is: what our reports say of it, what his say, and both for the control side.
 */
#include "core/media/emodel.h"
#include "core/server/mediaport_private.h"

#define HEADERS (20 + 8 + 12 + 16) /* IPv4, UDP, RTP, GCM tag: of each packet */
#define KBPS_MAX 60000
#define TOLD_US (15 * US_PER_S) /* what he said counts so long: he reports in a rhythm of his own */

/* Lost for good: neither came later, nor as a copy, nor lies in the packet after it. */
static uint8_t concealed_pct(const struct peer *r) {
  uint32_t want = rtpstat_expected(&r->stat), got = r->line.fresh + r->line.repaired;
  return (uint8_t)(got < want ? (want - got) * UINT64_C(100) / want : 0);
}

void peer_ear(struct peer *r) {
  r->stat.here.known = r->line.fresh > 0;
  r->stat.here.concealed_pct = concealed_pct(r);
}

/* Who sends no XR (browsers, aiortc) hears at worst all the loss he reports. */
static uint8_t mos_by_loss(const struct peer *r) {
  struct emodel_in in = {.heard_loss_pct = r->stat.loss_out_pct,
                         .burst_ratio = 1,
                         .bitrate = tier_info(r->ladder.tier)->bitrate};
  return emodel_mos(emodel_r(&in));
}

static uint16_t kbps(uint32_t packets, uint32_t bytes, us_t us) {
  uint64_t bits = 8 * ((uint64_t)packets * HEADERS + bytes), rate = us > 0 ? bits * 1000 / (uint64_t)us : 0;
  return (uint16_t)(rate < KBPS_MAX ? rate : KBPS_MAX);
}

void peer_stats(struct peer *r, us_t now, struct media_event *ev) {
  const struct rtpstat *s = &r->stat;
  struct peer_line *l = &r->line;
  us_t us = now - l->since;
  us_t at = s->reports != l->reports ? now : l->told;
  bool told = at && now - at <= TOLD_US && s->sent != l->sent;
  ev->tier = r->ladder.tier;
  ev->copies = r->p.red_pt == 255 ? 0 : red_plan(r->ladder.plan)->copies;
  ev->stats = (struct media_stats){
      .over_ms = (uint16_t)(us / US_PER_MS < UINT16_MAX ? us / US_PER_MS : UINT16_MAX),
      .loss_up = s->received != l->received ? s->here.loss_pct : 0,
      .concealed_up = s->here.known ? s->here.concealed_pct : 0,
      .mos_up = s->here.mos,
      .burst_up_ms = s->here.burst_ms,
      .jitter_ms = rtpstat_jitter_ms(s),
      .rtt_ms = s->rtt_ms,
      .kbps_up = kbps(s->received - l->received, s->received_bytes - l->received_bytes, us),
      .kbps_down = kbps(s->sent - l->sent, s->sent_bytes - l->sent_bytes, us),
      .in = s->received,
      .out = s->sent,
      .via = r->selected < 0 ? (uint8_t)VIA_NONE : (uint8_t)carrier_via(&r->addr[r->selected].sa.any)};
  if (told) {
    ev->stats.loss_down = s->loss_out_pct;
    ev->stats.concealed_down = s->there.concealed_pct;
    ev->stats.mos_down = s->there.known ? s->there.mos : mos_by_loss(r);
    ev->stats.burst_down_ms = s->there.burst_ms;
    ev->stats.buffer_ms = s->there.buffer_ms;
  }
  *l = (struct peer_line){.since = now,
                          .told = at,
                          .received = s->received,
                          .received_bytes = s->received_bytes,
                          .sent = s->sent,
                          .sent_bytes = s->sent_bytes,
                          .reports = s->reports};
}
