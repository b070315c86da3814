/* RTP headers and extensions, RED, and RTCP compounds; what parsed must come back from the builder equal. */
#include "core/wire/red.h"
#include "core/wire/rtcp_nack.h"
#include "core/wire/rtcp_xr.h"
#include "core/wire/rtp.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(bool ok) {
  if (!ok)
    abort();
}

static void inside(const uint8_t *p, size_t n, const uint8_t *piece, size_t len) {
  must(piece >= p && len <= n && piece + len <= p + n);
}

static void red(const uint8_t *p, size_t n) {
  struct red_block v[RED_BLOCKS_MAX], back[RED_BLOCKS_MAX];
  size_t blocks, again;
  if (red_parse(p, n, v, &blocks) != ERR_OK)
    return;
  must(blocks > 0 && blocks <= RED_BLOCKS_MAX);
  for (size_t i = 0; i < blocks; i++) {
    inside(p, n, v[i].p, v[i].len);
    must(v[i].len > 0 && (i == 0 || v[i - 1].offset >= v[i].offset));
  }
  must(v[blocks - 1].offset == 0);
  uint8_t out[RTP_PACKET_MAX];
  size_t len = red_build(out, sizeof out, v, blocks);
  must(len > 0 && len <= n && red_parse(out, len, back, &again) == ERR_OK && again == blocks);
  for (size_t i = 0; i < blocks; i++)
    must(back[i].pt == v[i].pt && back[i].offset == v[i].offset && back[i].len == v[i].len &&
         memcmp(back[i].p, v[i].p, v[i].len) == 0);
}

static void rtp(const uint8_t *p, size_t n, bool sealed) {
  struct rtp r, back;
  if (rtp_parse(p, n, sealed, &r) != ERR_OK)
    return;
  inside(p, n, r.payload, r.payload_len);
  size_t len;
  for (unsigned id = 0; id <= 255; id++) {
    const uint8_t *body = rtp_find_ext(&r, id, &len);
    if (body)
      inside(r.ext, r.ext_len, body, len);
  }
  uint8_t out[128], levels[RTP_CSRC_MAX] = {1, 2, 3};
  size_t built = rtp_build(out, sizeof out, &r, 1, levels, r.n_csrc);
  must(built > 0 && rtp_parse(out, built, false, &back) == ERR_OK);
  must(back.pt == r.pt && back.marker == r.marker && back.seq == r.seq && back.ts == r.ts &&
       back.ssrc == r.ssrc);
  must(back.n_csrc == r.n_csrc && memcmp(back.csrc, r.csrc, sizeof r.csrc) == 0);
  red(r.payload, r.payload_len);
}

/* What was read of a VoIP block comes back from the builder equal. */
static void xr(const uint8_t *body, size_t len) {
  struct rtcp_voip v, back;
  uint32_t ssrc =
      len < 12 ? 0 : (uint32_t)body[8] << 24 | (uint32_t)body[9] << 16 | (uint32_t)body[10] << 8 | body[11];
  if (!rtcp_xr_voip(body, len, ssrc, &v))
    return;
  must(v.ssrc == ssrc && (v.mos_lq == RTCP_XR_UNKNOWN || (v.mos_lq >= 10 && v.mos_lq <= 50)));
  uint8_t out[RTCP_XR_VOIP_LEN];
  must(rtcp_xr_build(out, sizeof out, &v) == sizeof out);
  must(rtcp_xr_voip(out + 4, sizeof out - 4, ssrc, &back));
  must(back.loss == v.loss && back.discard == v.discard && back.burst_ms == v.burst_ms &&
       back.mos_lq == v.mos_lq && back.buffer_ms == v.buffer_ms && back.rtt_ms == v.rtt_ms);
}

/* What was read of requests is what a request for the same asks for, in the same order. */
static void nacks(const uint8_t *p, size_t n) {
  uint16_t v[RTCP_NACK_MAX], back[RTCP_NACK_MAX];
  uint32_t ssrc = n < 12 ? 0 : (uint32_t)p[8] << 24 | (uint32_t)p[9] << 16 | (uint32_t)p[10] << 8 | p[11];
  size_t k = rtcp_nacks(p, n, ssrc, v, RTCP_NACK_MAX);
  must(k <= RTCP_NACK_MAX);
  bool ascends = k > 0;
  for (size_t i = 1; i < k; i++)
    ascends &= (uint16_t)(v[i] - v[i - 1]) > 0 && (uint16_t)(v[i] - v[0]) > (uint16_t)(v[i - 1] - v[0]);
  if (!ascends)
    return;
  uint8_t out[12 + 4 * RTCP_NACK_MAX];
  size_t len = rtcp_build_nack(out, sizeof out, 1, ssrc, v, k);
  must(len > 0 && rtcp_nacks(out, len, ssrc, back, RTCP_NACK_MAX) == k);
  must(memcmp(v, back, k * sizeof v[0]) == 0);
}

static void rtcp(const uint8_t *p, size_t n) {
  size_t pos = 0, before = 0, len;
  const uint8_t *body;
  unsigned type, count;
  while ((type = rtcp_next(p, n, &pos, &body, &len, &count)) != 0) {
    must(pos >= before + 4 && pos <= n);
    before = pos;
    inside(p, n, body, len);
    struct rtcp_report v[31];
    size_t got = rtcp_reports(type, count, body, len, v, 31);
    must(got <= 31 && got * 24 <= len);
    uint8_t out[1024];
    must(rtcp_build_rr(out, sizeof out, 1, v, got, "x") == 8 + got * 24 + 12);
    xr(body, len);
    uint32_t from;
    uint64_t ntp;
    must(!rtcp_sender_ntp(type, body, len, &from, &ntp) || len >= 24);
  }
}

/* What is asked for again comes back from the builder equal, when it ascends as what is built does. */
static void nack(const uint8_t *p, size_t n) {
  uint16_t v[RTCP_NACK_MAX], back[RTCP_NACK_MAX];
  uint8_t out[16 + 4 * RTCP_NACK_MAX];
  if (n < 12)
    return;
  uint32_t ssrc = (uint32_t)p[8] << 24 | (uint32_t)p[9] << 16 | (uint32_t)p[10] << 8 | p[11];
  size_t found = rtcp_nacks(p, n, ssrc, v, RTCP_NACK_MAX);
  must(found <= RTCP_NACK_MAX);
  for (size_t i = 1; i < found; i++)
    if ((uint16_t)(v[i] - v[i - 1] - 1) >= 1 << 15)
      return;
  if (found == 0)
    return;
  size_t len = rtcp_build_nack(out, sizeof out, 1, ssrc, v, found);
  must(len >= 16 && len % 4 == 0);
  must(rtcp_nacks(out, len, ssrc, back, RTCP_NACK_MAX) == found);
  must(memcmp(v, back, found * sizeof *v) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
  rtp(data, n, false);
  rtp(data, n, true);
  rtcp(data, n);
  nacks(data, n);
  nack(data, n);
  (void)rtp_is_rtcp(data, n);
  return 0;
}
