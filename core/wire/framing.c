#include "core/wire/framing.h"

#include <string.h>

bool framing_feed(struct framing *f, const uint8_t **p, size_t *n, size_t *len, bool *bad) {
  *bad = false;
  while (*n > 0) {
    if (f->n < FRAMING_HEAD) {
      f->head[f->n++] = *(*p)++;
      --*n;
      continue;
    }
    size_t whole = (size_t)f->head[0] << 8 | f->head[1], have = f->n - FRAMING_HEAD;
    if (whole > f->cap) {
      *bad = true;
      return false;
    }
    size_t take = whole - have < *n ? whole - have : *n;
    if (take > 0)
      memcpy(f->buf + have, *p, take);
    *p += take;
    *n -= take;
    f->n += take;
    if (have + take < whole)
      return false;
    f->n = 0;
    if (whole > 0) {
      *len = whole;
      return true;
    }
  }
  return false;
}
