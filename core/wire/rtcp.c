#include "core/base/bytes.h"
#include "core/wire/rtp.h"

#include <assert.h>
#include <string.h>

enum {
  RTCP_SR = 200,
  RTCP_RR = 201,
  RTCP_SDES = 202,
  SDES_CNAME = 1,
  SENDER_INFO_LEN = 20,
  REPORT_LEN = 24,
  REPORTS_MAX = 31
};

unsigned rtcp_next(const uint8_t *p, size_t n, size_t *pos, const uint8_t **body, size_t *len,
                   unsigned *count) {
  assert(*pos <= n);
  struct reader r = reader_of(p + *pos, n - *pos);
  unsigned first = read_u8(&r), type = read_u8(&r);
  *len = (size_t)read_u16(&r) * 4;
  *body = read_bytes(&r, *len);
  if (!r.ok || first >> 6 != 2 || type < 192 || type > 223)
    return 0;
  if (first & 0x20) { /* padding: its count, a multiple of four, is the last byte */
    size_t pad = *len ? (*body)[*len - 1] : 0;
    if (pad == 0 || pad > *len || pad % 4 != 0)
      return 0;
    *len -= pad;
  }
  *count = first & 31;
  *pos = (size_t)(r.p - p);
  return type;
}

size_t rtcp_reports(unsigned type, unsigned count, const uint8_t *body, size_t len, struct rtcp_report *v,
                    size_t max) {
  if (type != RTCP_SR && type != RTCP_RR)
    return 0;
  struct reader r = reader_of(body, len);
  uint32_t from = read_u32(&r);
  if (type == RTCP_SR)
    read_bytes(&r, SENDER_INFO_LEN);
  if (!r.ok || reader_left(&r) < (size_t)count * REPORT_LEN)
    return 0;
  size_t n = count < max ? count : max;
  for (size_t i = 0; i < n; i++) {
    v[i].from = from;
    v[i].ssrc = read_u32(&r);
    v[i].fraction_lost = read_u8(&r);
    int32_t lost = (int32_t)read_u24(&r);
    v[i].lost = lost >= 0x800000 ? lost - 0x1000000 : lost; /* 24 bits, signed: duplicates make it negative */
    v[i].highest_seq = read_u32(&r);
    v[i].jitter = read_u32(&r);
    v[i].lsr = read_u32(&r);
    v[i].dlsr = read_u32(&r);
  }
  return n;
}

bool rtcp_sender_ntp(unsigned type, const uint8_t *body, size_t len, uint32_t *from, uint64_t *ntp) {
  if (type != RTCP_SR || len < 4 + SENDER_INFO_LEN)
    return false;
  struct reader r = reader_of(body, len);
  *from = read_u32(&r);
  *ntp = read_u64(&r);
  return true;
}

static void rtcp_write_head(struct writer *w, unsigned count, unsigned type, size_t body_len) {
  write_u8(w, 0x80u | count);
  write_u8(w, type);
  write_u16(w, (unsigned)(body_len / 4));
}

static void rtcp_write_reports(struct writer *w, const struct rtcp_report *v, size_t n) {
  for (size_t i = 0; i < n; i++) {
    int32_t lost = v[i].lost; /* clamped, not wrapped: RFC 3550 appendix A.3 */
    if (lost > 0x7fffff)
      lost = 0x7fffff;
    else if (lost < -0x800000)
      lost = -0x800000;
    write_u32(w, v[i].ssrc);
    write_u32(w, (uint32_t)v[i].fraction_lost << 24 | ((uint32_t)lost & 0xffffff));
    write_u32(w, v[i].highest_seq);
    write_u32(w, v[i].jitter);
    write_u32(w, v[i].lsr);
    write_u32(w, v[i].dlsr);
  }
}

/* Every compound packet ends with one SDES chunk that names its sender (RFC 3550 section 6.1). */
static size_t rtcp_finish(struct writer *w, uint32_t from, const char *cname) {
  static const uint8_t zero[4];
  size_t len = strlen(cname);
  assert(len <= 255);
  size_t chunk = 4 + 2 + len; /* source, item header, text */
  size_t pad = 4 - chunk % 4; /* 1 to 4 zeros: at least one ends the item list */
  rtcp_write_head(w, 1, RTCP_SDES, chunk + pad);
  write_u32(w, from);
  write_u8(w, SDES_CNAME);
  write_u8(w, (unsigned)len);
  write_bytes(w, cname, len);
  write_bytes(w, zero, pad);
  return w->ok ? writer_len(w) : 0;
}

size_t rtcp_build_rr(uint8_t *out, size_t cap, uint32_t from, const struct rtcp_report *v, size_t n,
                     const char *cname) {
  assert(n <= REPORTS_MAX);
  struct writer w = writer_of(out, cap);
  rtcp_write_head(&w, (unsigned)n, RTCP_RR, 4 + n * REPORT_LEN);
  write_u32(&w, from);
  rtcp_write_reports(&w, v, n);
  return rtcp_finish(&w, from, cname);
}

size_t rtcp_build_sr(uint8_t *out, size_t cap, uint32_t from, uint64_t ntp, uint32_t rtp_ts, uint32_t packets,
                     uint32_t bytes, const struct rtcp_report *v, size_t n, const char *cname) {
  assert(n <= REPORTS_MAX);
  struct writer w = writer_of(out, cap);
  rtcp_write_head(&w, (unsigned)n, RTCP_SR, 4 + SENDER_INFO_LEN + n * REPORT_LEN);
  write_u32(&w, from);
  write_u64(&w, ntp);
  write_u32(&w, rtp_ts);
  write_u32(&w, packets);
  write_u32(&w, bytes);
  rtcp_write_reports(&w, v, n);
  return rtcp_finish(&w, from, cname);
}
