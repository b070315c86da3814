/* RTP headers and extensions, RED, and RTCP compounds; what parsed must come back from the builder equal. */
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
  const uint8_t *block;
  uint8_t pt;
  if (rtp_red_primary(r.payload, r.payload_len, &pt, &block, &len) == ERR_OK)
    inside(r.payload, r.payload_len, block, len);
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
    uint32_t from;
    uint64_t ntp;
    must(!rtcp_sender_ntp(type, body, len, &from, &ntp) || len >= 24);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
  rtp(data, n, false);
  rtp(data, n, true);
  rtcp(data, n);
  (void)rtp_is_rtcp(data, n);
  return 0;
}
