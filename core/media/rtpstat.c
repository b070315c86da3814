#include "core/media/rtpstat.h"

#include "core/wire/rtp.h"

#define SAMPLES_PER_MS 48
#define PAUSE_SAMPLES 48000 /* a larger step of the transit time is a pause (DTX), not jitter */

/* Time as 32.32 seconds; the peer only echoes it, so the monotonic clock serves. */
static uint64_t ntp_of(us_t now) {
  uint64_t us = (uint64_t)now;
  return (us / US_PER_S) << 32 | ((us % US_PER_S) << 32) / US_PER_S;
}

void rtpstat_received(struct rtpstat *s, us_t now, uint16_t seq, uint32_t ts) {
  uint32_t transit = (uint32_t)((uint64_t)now * SAMPLES_PER_MS / 1000) - ts;
  if (!s->started) {
    s->started = true;
    s->first_seq = s->last_seq = seq;
    s->transit = transit;
  } else {
    uint32_t extended = rtp_seq_extend(s->last_seq, seq);
    if ((int32_t)(extended - s->last_seq) > 0)
      s->last_seq = extended;
    uint32_t d = transit - s->transit;
    s->transit = transit;
    if (d > INT32_MAX)
      d = 0U - d;
    if (d < PAUSE_SAMPLES)
      s->jitter += d - ((s->jitter + 8) >> 4);
  }
  s->received++;
  s->received_at = now;
}

void rtpstat_sent(struct rtpstat *s, us_t now, uint32_t end, size_t bytes) {
  s->sent++;
  s->sent_bytes += (uint32_t)bytes;
  s->sent_end = end;
  s->sent_at = now;
}

static void take_report(struct rtpstat *s, us_t now, const struct rtcp_report *r) {
  s->loss_out_pct = (uint8_t)(r->fraction_lost * 100 / 256);
  uint32_t rtt = (uint32_t)(ntp_of(now) >> 16) - r->lsr - r->dlsr;
  if (r->lsr && rtt < 10 * 65536)
    s->rtt_ms = (uint16_t)((uint64_t)rtt * 1000 >> 16);
}

void rtpstat_rtcp(struct rtpstat *s, us_t now, uint32_t ssrc, const uint8_t *p, size_t n) {
  size_t pos = 0, len;
  const uint8_t *body;
  unsigned count, type;
  while ((type = rtcp_next(p, n, &pos, &body, &len, &count))) {
    if (type != 200 && type != 201)
      continue;
    if (type == 200 && len >= 24) {
      s->sr_mid = (uint32_t)body[6] << 24 | (uint32_t)body[7] << 16 | (uint32_t)body[8] << 8 | body[9];
      s->sr_at = now;
    }
    struct rtcp_report r[4];
    size_t k = rtcp_reports(type, count, body, len, r, 4);
    for (size_t i = 0; i < k; i++)
      if (r[i].ssrc == ssrc)
        take_report(s, now, &r[i]);
  }
}

static uint8_t fraction_lost(struct rtpstat *s) {
  uint32_t expected = s->last_seq - s->first_seq + 1;
  uint32_t want = expected - s->expected_prior, got = s->received - s->received_prior;
  s->expected_prior = expected;
  s->received_prior = s->received;
  return (uint8_t)(want == 0 || got >= want ? 0 : ((uint64_t)(want - got) << 8) / want);
}

size_t rtpstat_report(struct rtpstat *s, us_t now, uint32_t ssrc, uint32_t peer_ssrc, const char *cname,
                      uint8_t *out, size_t cap) {
  struct rtcp_report r = {.ssrc = peer_ssrc};
  size_t n = 0;
  if (s->started && peer_ssrc) {
    uint32_t expected = s->last_seq - s->first_seq + 1;
    r.fraction_lost = fraction_lost(s);
    r.lost = expected > s->received ? (int32_t)(expected - s->received) : 0;
    r.highest_seq = s->last_seq;
    r.jitter = s->jitter >> 4;
    r.lsr = s->sr_mid;
    if (s->sr_at)
      r.dlsr = (uint32_t)((uint64_t)(now - s->sr_at) * 65536 / US_PER_S);
    s->loss_in_pct = (uint8_t)(r.fraction_lost * 100 / 256);
    n = 1;
  }
  if (!s->sent)
    return rtcp_build_rr(out, cap, ssrc, &r, n, cname);
  uint32_t ts = s->sent_end + (uint32_t)((uint64_t)(now - s->sent_at) * SAMPLES_PER_MS / 1000);
  return rtcp_build_sr(out, cap, ssrc, ntp_of(now), ts, s->sent, s->sent_bytes, &r, n, cname);
}

uint16_t rtpstat_jitter_ms(const struct rtpstat *s) {
  return (uint16_t)((s->jitter >> 4) / SAMPLES_PER_MS);
}
