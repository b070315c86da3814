#include "core/wire/rtcp_xr.h"

#include "core/base/bytes.h"

enum {
  BLOCK_VOIP = 7,
  VOIP_WORDS = 8,  /* after the block's header */
  CONCEALS = 0x80, /* RX config: enhanced concealment ... */
  ADAPTS = 0x30,   /* ... an adaptive buffer ... */
  ADAPTS_FAST = 8  /* ... in so many packets, of 0..15 */
};

static void read_voip(struct reader *r, struct rtcp_voip *v) {
  v->ssrc = read_u32(r);
  v->loss = read_u8(r);
  v->discard = read_u8(r);
  v->burst_density = read_u8(r);
  read_u8(r); /* gap density */
  v->burst_ms = read_u16(r);
  v->gap_ms = read_u16(r);
  v->rtt_ms = read_u16(r);
  read_bytes(r, 2 + 3); /* end system delay; signal, noise, echo */
  v->gmin = read_u8(r);
  read_bytes(r, 2); /* R factors */
  v->mos_lq = read_u8(r);
  read_bytes(r, 1 + 2); /* MOS-CQ, RX config, reserved */
  v->buffer_ms = read_u16(r);
  read_bytes(r, 4); /* the buffer's bounds */
  if (v->mos_lq < 10 || v->mos_lq > 50)
    v->mos_lq = RTCP_XR_UNKNOWN; /* the other values are reserved */
}

bool rtcp_xr_voip(const uint8_t *body, size_t len, uint32_t ssrc, struct rtcp_voip *out) {
  struct reader r = reader_of(body, len);
  uint32_t from = read_u32(&r);
  while (r.ok && reader_left(&r) > 0) {
    unsigned type = read_u8(&r);
    read_u8(&r);
    size_t words = read_u16(&r);
    const uint8_t *block = read_bytes(&r, words * 4);
    if (!block || type != BLOCK_VOIP || words != VOIP_WORDS)
      continue;
    struct reader b = reader_of(block, words * 4);
    struct rtcp_voip v = {.from = from};
    read_voip(&b, &v);
    if (v.ssrc != ssrc)
      continue;
    *out = v;
    return true;
  }
  return false;
}

size_t rtcp_xr_build(uint8_t *out, size_t cap, const struct rtcp_voip *v) {
  struct writer w = writer_of(out, cap);
  write_u8(&w, 0x80);
  write_u8(&w, RTCP_XR);
  write_u16(&w, RTCP_XR_VOIP_LEN / 4 - 1);
  write_u32(&w, v->from);
  write_u8(&w, BLOCK_VOIP);
  write_u8(&w, 0);
  write_u16(&w, VOIP_WORDS);
  write_u32(&w, v->ssrc);
  write_u8(&w, v->loss);
  write_u8(&w, v->discard);
  write_u8(&w, v->burst_density);
  write_u8(&w, 0); /* gmin is 1: in a gap nothing is lost */
  write_u16(&w, v->burst_ms);
  write_u16(&w, v->gap_ms);
  write_u16(&w, v->rtt_ms);
  write_u16(&w, 0);
  for (int i = 0; i < 3; i++) /* signal, noise, residual echo: not measured here */
    write_u8(&w, RTCP_XR_UNKNOWN);
  write_u8(&w, v->gmin);
  write_u8(&w, RTCP_XR_UNKNOWN); /* R, external R */
  write_u8(&w, RTCP_XR_UNKNOWN);
  write_u8(&w, v->mos_lq);
  write_u8(&w, RTCP_XR_UNKNOWN); /* MOS-CQ: the delay of the other end is not known here */
  write_u8(&w, CONCEALS | (v->buffer_ms ? ADAPTS | ADAPTS_FAST : 0u));
  write_u8(&w, 0);
  for (int i = 0; i < 3; i++) /* nominal, maximum, absolute maximum: as it is now */
    write_u16(&w, v->buffer_ms);
  return w.ok ? writer_len(&w) : 0;
}
