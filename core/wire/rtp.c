#include "core/wire/rtp.h"

#include "core/base/bytes.h"

#include <assert.h>
#include <string.h>

enum {
  EXT_ONE_BYTE = 0xBEDE,
  EXT_TWO_BYTE = 0x1000 /* the low four bits are the application's */
};

/* The padding count is the last byte and counts itself (RFC 3550 section 5.1). */
static bool rtp_cut_padding(struct rtp *r) {
  if (r->payload_len == 0)
    return false;
  size_t pad = r->payload[r->payload_len - 1];
  if (pad == 0 || pad > r->payload_len)
    return false;
  r->payload_len -= pad;
  return true;
}

enum err rtp_parse(const uint8_t *p, size_t n, bool sealed, struct rtp *out) {
  *out = (struct rtp){0};
  if (n > RTP_PACKET_MAX)
    return ERR_BAD_RTP;
  struct reader r = reader_of(p, n);
  unsigned first = read_u8(&r), second = read_u8(&r);
  if (first >> 6 != 2)
    return ERR_BAD_RTP;
  out->marker = second & 0x80;
  out->pt = second & 0x7f;
  out->seq = read_u16(&r);
  out->ts = read_u32(&r);
  out->ssrc = read_u32(&r);
  out->n_csrc = first & 15;
  for (unsigned i = 0; i < out->n_csrc; i++)
    out->csrc[i] = read_u32(&r);
  if (first & 0x10) {
    out->ext_profile = read_u16(&r);
    out->ext_len = (size_t)read_u16(&r) * 4;
    out->ext = read_bytes(&r, out->ext_len);
  }
  if (!r.ok)
    return ERR_BAD_RTP;
  out->payload_len = reader_left(&r);
  out->payload = read_bytes(&r, out->payload_len);
  bool padded = (first & 0x20) && !sealed;
  return !padded || rtp_cut_padding(out) ? ERR_OK : ERR_BAD_RTP;
}

bool rtp_is_rtcp(const uint8_t *p, size_t n) {
  return n >= 2 && p[1] >= 192 && p[1] <= 223;
}

/* The header of the next element; false at the end, at padding that ends the walk, or when malformed. */
static bool rtp_next_ext(struct reader *r, bool two_byte, unsigned *id, size_t *len) {
  unsigned b = 0;
  while (b == 0 && reader_left(r) > 0) /* a zero byte is padding in both forms */
    b = read_u8(r);
  if (b == 0)
    return false;
  *id = two_byte ? b : b >> 4;
  *len = two_byte ? read_u8(r) : (b & 15) + 1u;
  return r->ok &&
         (two_byte || (*id != 0 && *id != 15)); /* RFC 8285 section 4.2: 0 with a length and 15 end it */
}

const uint8_t *rtp_find_ext(const struct rtp *r, unsigned id, size_t *len) {
  bool two_byte = (r->ext_profile & 0xFFF0) == EXT_TWO_BYTE;
  if (!r->ext || (!two_byte && r->ext_profile != EXT_ONE_BYTE))
    return NULL;
  struct reader walk = reader_of(r->ext, r->ext_len);
  unsigned found;
  size_t n;
  while (rtp_next_ext(&walk, two_byte, &found, &n)) {
    const uint8_t *body = read_bytes(&walk, n);
    if (!body)
      return NULL;
    if (found == id) {
      *len = n;
      return body;
    }
  }
  return NULL;
}

bool rtp_level(const struct rtp *r, unsigned id, uint8_t *level, bool *voice) {
  size_t len;
  const uint8_t *body = rtp_find_ext(r, id, &len);
  if (!body || len == 0)
    return false;
  *level = body[0] & 0x7f;
  *voice = body[0] & 0x80;
  return true;
}

size_t rtp_build(uint8_t *out, size_t cap, const struct rtp *r, unsigned level_id, const uint8_t *levels,
                 size_t n_levels) {
  assert(r->n_csrc <= RTP_CSRC_MAX && r->pt < 128 && level_id <= 14 && n_levels <= 16);
  bool ext = level_id != 0 && n_levels > 0;
  struct writer w = writer_of(out, cap);
  write_u8(&w, 0x80u | (ext ? 0x10u : 0u) | r->n_csrc);
  write_u8(&w, (r->marker ? 0x80u : 0u) | r->pt);
  write_u16(&w, r->seq);
  write_u32(&w, r->ts);
  write_u32(&w, r->ssrc);
  for (unsigned i = 0; i < r->n_csrc; i++)
    write_u32(&w, r->csrc[i]);
  if (ext) {
    static const uint8_t zero[4];
    size_t words = (1 + n_levels + 3) / 4;
    write_u16(&w, EXT_ONE_BYTE);
    write_u16(&w, (unsigned)words);
    write_u8(&w, level_id << 4 | (unsigned)(n_levels - 1));
    write_bytes(&w, levels, n_levels);
    write_bytes(&w, zero, words * 4 - 1 - n_levels);
  }
  return w.ok ? writer_len(&w) : 0;
}

uint32_t rtp_seq_extend(uint32_t last, uint16_t seq) {
  uint16_t ahead = (uint16_t)(seq - last);
  return ahead < 0x8000 ? last + ahead : last - (0x10000u - ahead);
}
