#include "core/media/rtpstat.h"

#include "core/media/emodel.h"
#include "core/wire/rtcp_xr.h"
#include "core/wire/rtp.h"

#define SAMPLES_PER_MS 48
#define PAUSE_SAMPLES 48000 /* a larger step of the transit time is a pause (DTX), not jitter */
#define PTIME_MAX 5760      /* samples of the longest Opus packet; a larger step is a pause */
#define BITRATE 24000       /* taken for the MOS when none is known */
#define DROPOUT_MAX 3000    /* a larger step of the number is a stream that began anew (RFC 3550 A.1) */

/* Time as 32.32 seconds; the peer only echoes it, so the monotonic clock serves. */
static uint64_t ntp_of(us_t now) {
  uint64_t us = (uint64_t)now;
  return (us / US_PER_S) << 32 | ((us % US_PER_S) << 32) / US_PER_S;
}

/* A packet so old that it is not waited for any more. */
static void judge(struct rtpstat *s, bool seen) {
  s->judged++;
  if (!seen) {
    s->run++;
    return;
  }
  s->runs += s->run > 0;
  s->run_lost += s->run;
  s->run = 0;
}

/* last_seq moves on by `step`. */
static void advance(struct rtpstat *s, uint32_t step) {
  if (s->skipped || step > DROPOUT_MAX) { /* what is between was never on the line, or not for us */
    s->first_seq += step - 1;
    s->seen = UINT32_MAX;
    s->run = 0;
    step = 1;
  }
  for (s->skipped = false; step > 0; step--) {
    judge(s, s->seen & 1u << (RTPSTAT_REORDER - 1));
    s->seen <<= 1;
  }
  s->seen |= 1;
}

static void place(struct rtpstat *s, uint16_t seq, uint32_t ts) {
  uint32_t extended = rtp_seq_extend(s->last_seq, seq), step = extended - s->last_seq;
  if ((int32_t)step > 0) {
    s->last_seq = extended;
    advance(s, step);
    if (step == 1 && ts - s->last_ts <= PTIME_MAX && ts != s->last_ts)
      s->ptime = ts - s->last_ts;
    s->last_ts = ts;
  } else if (0U - step < 32)
    s->seen |= 1u << (0U - step);
}

void rtpstat_received(struct rtpstat *s, us_t now, uint16_t seq, uint32_t ts) {
  uint32_t transit = (uint32_t)((uint64_t)now * SAMPLES_PER_MS / 1000) - ts;
  if (!s->started) {
    s->started = true;
    s->first_seq = s->last_seq = seq;
    s->transit = transit;
    s->last_ts = ts;
    s->seen = UINT32_MAX; /* before the first nothing was lost */
  } else {
    place(s, seq, ts);
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

static uint8_t percent_of_256(unsigned part) {
  return (uint8_t)((part * 100 + 128) / 256);
}

static void take_report(struct rtpstat *s, us_t now, const struct rtcp_report *r) {
  s->loss_out_pct = percent_of_256(r->fraction_lost);
  s->reports++;
  s->highest_out = r->highest_seq;
  s->there = (struct rtpstat_ear){.loss_pct = s->loss_out_pct};
  uint32_t rtt = (uint32_t)(ntp_of(now) >> 16) - r->lsr - r->dlsr;
  if (r->lsr && rtt < 10 * 65536)
    s->rtt_ms = (uint16_t)((uint64_t)rtt * 1000 >> 16);
}

static void take_voip(struct rtpstat *s, const struct rtcp_voip *v) {
  unsigned gone = (unsigned)v->loss + v->discard;
  s->there.known = true;
  s->there.concealed_pct = percent_of_256(gone > 256 ? 256 : gone);
  s->there.mos = v->mos_lq == RTCP_XR_UNKNOWN ? 0 : v->mos_lq;
  s->there.burst_ms = v->burst_ms;
  s->there.buffer_ms = v->buffer_ms;
}

void rtpstat_rtcp(struct rtpstat *s, us_t now, uint32_t ssrc, const uint8_t *p, size_t n) {
  size_t pos = 0, len;
  const uint8_t *body;
  unsigned count, type;
  while ((type = rtcp_next(p, n, &pos, &body, &len, &count))) {
    struct rtcp_voip v;
    if (type == RTCP_XR && rtcp_xr_voip(body, len, ssrc, &v))
      take_voip(s, &v);
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

uint32_t rtpstat_expected(const struct rtpstat *s) {
  return s->started ? s->last_seq - s->first_seq + 1 - s->expected_prior : 0;
}

static uint8_t fraction_lost(struct rtpstat *s) {
  uint32_t want = rtpstat_expected(s), got = s->received - s->received_prior;
  s->expected_prior += want;
  s->received_prior = s->received;
  return (uint8_t)(want == 0 || got >= want ? 0 : ((uint64_t)(want - got) << 8) / want);
}

/* Of the packets that came in this interval, while there is sound. */
static int bitrate(struct rtpstat *s, uint32_t packets) {
  uint32_t bytes = s->received_bytes - s->bytes_prior;
  s->bytes_prior = s->received_bytes;
  if (s->here.bitrate)
    return s->here.bitrate;
  return bytes && packets && s->ptime ? (int)(bytes * UINT64_C(8) * 48000 / ((uint64_t)packets * s->ptime))
                                      : BITRATE;
}

/* What is known of the interval that ends now goes into `here`; the sums begin anew. */
static void sum_up(struct rtpstat *s, uint8_t fraction, uint32_t packets) {
  struct rtpstat_ear *e = &s->here;
  double mean = s->runs ? (double)s->run_lost / s->runs : 0,
         gone = s->judged ? (double)s->run_lost / s->judged : 0;
  uint32_t burst_ms = (uint32_t)(mean * s->ptime / SAMPLES_PER_MS + 0.5);
  e->loss_pct = s->loss_in_pct = percent_of_256(fraction);
  e->burst_ms = burst_ms < UINT16_MAX ? (uint16_t)burst_ms : UINT16_MAX;
  /* chance alone makes runs of 1 / (1 - loss) packets */
  struct emodel_in in = {.heard_loss_pct = e->concealed_pct,
                         .burst_ratio = mean * (1 - gone) > 1 ? mean * (1 - gone) : 1,
                         .bitrate = bitrate(s, packets)};
  e->mos = e->known && packets ? emodel_mos(emodel_r(&in)) : 0;
}

static size_t build_voip(struct rtpstat *s, uint32_t ssrc, uint32_t peer_ssrc, uint8_t *out, size_t cap) {
  const struct rtpstat_ear *e = &s->here;
  unsigned gone = e->concealed_pct * 256u / 100, lost = e->loss_pct * 256u / 100;
  uint32_t gap = s->runs ? (s->judged - s->run_lost) / s->runs * s->ptime / SAMPLES_PER_MS : UINT16_MAX;
  lost = gone < lost ? gone : lost; /* what was not repaired, the rest came too late */
  struct rtcp_voip v = {.ssrc = peer_ssrc,
                        .from = ssrc,
                        .loss = (uint8_t)(lost > 255 ? 255 : lost),
                        .discard = (uint8_t)(gone - lost > 255 ? 255 : gone - lost),
                        .burst_ms = e->burst_ms,
                        .gap_ms = (uint16_t)(gap < UINT16_MAX ? gap : UINT16_MAX),
                        .burst_density = s->runs ? 255 : 0,
                        .gmin = 1,
                        .rtt_ms = s->rtt_ms,
                        .mos_lq = e->mos ? e->mos : RTCP_XR_UNKNOWN,
                        .buffer_ms = e->buffer_ms};
  return rtcp_xr_build(out, cap, &v);
}

static struct rtcp_report report_on(struct rtpstat *s, us_t now, uint32_t peer_ssrc) {
  uint32_t expected = s->last_seq - s->first_seq + 1;
  struct rtcp_report r = {.ssrc = peer_ssrc,
                          .fraction_lost = fraction_lost(s),
                          .lost = expected > s->received ? (int32_t)(expected - s->received) : 0,
                          .highest_seq = s->last_seq,
                          .jitter = s->jitter >> 4,
                          .lsr = s->sr_mid};
  if (s->sr_at)
    r.dlsr = (uint32_t)((uint64_t)(now - s->sr_at) * 65536 / US_PER_S);
  return r;
}

size_t rtpstat_report(struct rtpstat *s, us_t now, uint32_t ssrc, uint32_t peer_ssrc, const char *cname,
                      uint8_t *out, size_t cap) {
  struct rtcp_report r = {0};
  size_t n = s->started && peer_ssrc ? 1 : 0, len, xr = 0;
  uint32_t packets = s->received - s->received_prior;
  if (n) {
    r = report_on(s, now, peer_ssrc);
    sum_up(s, r.fraction_lost, packets);
  }
  if (s->sent) {
    uint32_t ts = s->sent_end + (uint32_t)((uint64_t)(now - s->sent_at) * SAMPLES_PER_MS / 1000);
    len = rtcp_build_sr(out, cap, ssrc, ntp_of(now), ts, s->sent, s->sent_bytes, &r, n, cname);
  } else
    len = rtcp_build_rr(out, cap, ssrc, &r, n, cname);
  if (n && len && packets && s->here.known)
    xr = build_voip(s, ssrc, peer_ssrc, out + len, cap - len);
  s->runs = s->run_lost = s->judged = 0;
  return len + xr;
}

uint16_t rtpstat_jitter_ms(const struct rtpstat *s) {
  return (uint16_t)((s->jitter >> 4) / SAMPLES_PER_MS);
}
