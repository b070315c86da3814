#include "core/wire/rtcp_nack.h"

#include "core/base/bytes.h"
#include "core/wire/rtp.h"

#include <assert.h>

enum { RTPFB = 205, FMT_NACK = 1, FOLLOWING = 16 /* numbers that an entry's mask covers */ };

static size_t read_entry(struct reader *r, uint16_t *v, size_t max) {
  uint16_t pid = read_u16(r);
  unsigned mask = read_u16(r);
  size_t n = 0;
  if (n < max)
    v[n++] = pid;
  for (unsigned i = 0; i < FOLLOWING && n < max; i++)
    if (mask & 1u << i)
      v[n++] = (uint16_t)(pid + i + 1);
  return n;
}

size_t rtcp_nacks(const uint8_t *p, size_t n, uint32_t ssrc, uint16_t *v, size_t max) {
  size_t pos = 0, len, found = 0;
  const uint8_t *body;
  unsigned type, format;
  while ((type = rtcp_next(p, n, &pos, &body, &len, &format))) {
    struct reader r = reader_of(body, len);
    read_u32(&r); /* who asks */
    uint32_t about = read_u32(&r);
    while (type == RTPFB && format == FMT_NACK && r.ok && about == ssrc && reader_left(&r) >= 4 &&
           found < max)
      found += read_entry(&r, v + found, max - found);
  }
  return found;
}

size_t rtcp_build_nack(uint8_t *out, size_t cap, uint32_t from, uint32_t ssrc, const uint16_t *v, size_t n) {
  assert(n > 0);
  struct writer w = writer_of(out, cap);
  write_u8(&w, 0x80u | FMT_NACK);
  write_u8(&w, RTPFB);
  write_u16(&w, 0);
  write_u32(&w, from);
  write_u32(&w, ssrc);
  for (size_t i = 0; i < n;) {
    uint16_t pid = v[i++];
    unsigned mask = 0;
    for (; i < n && (uint16_t)(v[i] - pid - 1) < FOLLOWING; i++)
      mask |= 1u << (uint16_t)(v[i] - pid - 1);
    write_u16(&w, pid);
    write_u16(&w, mask);
  }
  size_t len = writer_len(&w);
  if (!w.ok)
    return 0;
  out[2] = (uint8_t)((len / 4 - 1) >> 8);
  out[3] = (uint8_t)(len / 4 - 1);
  return len;
}
