#include "core/wire/red.h"

#include "core/base/bytes.h"

#include <assert.h>

/* A block's header from the front; true for the primary's. */
static bool read_header(struct reader *r, struct red_block *b) {
  unsigned first = read_u8(r);
  *b = (struct red_block){.pt = first & 0x7f};
  if (!(first & 0x80))
    return true;
  uint32_t rest = read_u24(r);
  b->offset = rest >> 10;
  b->len = rest & RED_LEN_MAX;
  return false;
}

/* Into its place by age: RFC 2198 leaves the order of copies to the sender. */
static void keep(struct red_block *v, size_t *n, struct red_block b) {
  size_t at = (*n)++;
  for (; at > 0 && v[at - 1].offset < b.offset; at--)
    v[at] = v[at - 1];
  v[at] = b;
}

enum err red_parse(const uint8_t *p, size_t len, struct red_block v[RED_BLOCKS_MAX], size_t *n) {
  struct reader r = reader_of(p, len);
  struct red_block head[RED_BLOCKS_MAX];
  size_t heads = 0;
  *n = 0;
  while (!read_header(&r, &head[heads])) {
    if (!r.ok || ++heads == RED_BLOCKS_MAX)
      return ERR_BAD_RTP;
  }
  for (size_t i = 0; i < heads; i++) {
    head[i].p = read_bytes(&r, head[i].len);
    if (r.ok && head[i].len > 0 && head[i].offset > 0)
      keep(v, n, head[i]);
  }
  head[heads].len = reader_left(&r);
  head[heads].p = read_bytes(&r, head[heads].len);
  if (!r.ok || head[heads].len == 0) {
    *n = 0;
    return ERR_BAD_RTP;
  }
  v[(*n)++] = head[heads];
  return ERR_OK;
}

size_t red_build(uint8_t *out, size_t cap, const struct red_block *v, size_t n) {
  assert(n > 0 && n <= RED_BLOCKS_MAX);
  struct writer w = writer_of(out, cap);
  for (size_t i = 0; i + 1 < n; i++) {
    if (v[i].offset > RED_OFFSET_MAX || v[i].len > RED_LEN_MAX)
      return 0;
    write_u32(&w, 0x80000000u | (uint32_t)v[i].pt << 24 | v[i].offset << 10 | (uint32_t)v[i].len);
  }
  write_u8(&w, v[n - 1].pt);
  for (size_t i = 0; i < n; i++)
    write_bytes(&w, v[i].p, v[i].len);
  return w.ok ? writer_len(&w) : 0;
}
