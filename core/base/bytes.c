#include "core/base/bytes.h"

#include <assert.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <string.h>

struct reader reader_of(const void *p, size_t n) {
  const uint8_t *b = p;
  return (struct reader){.p = b, .end = n > 0 ? b + n : b, .ok = true};
}

size_t reader_left(const struct reader *r) {
  return r->ok ? (size_t)(r->end - r->p) : 0;
}

const uint8_t *read_bytes(struct reader *r, size_t n) {
  if (!r->ok || n > (size_t)(r->end - r->p)) {
    r->ok = false;
    return NULL;
  }
  const uint8_t *at = r->p;
  if (n > 0) /* an empty reader may hold NULL */
    r->p += n;
  return at;
}

static uint64_t read_be(struct reader *r, size_t n) {
  const uint8_t *p = read_bytes(r, n);
  uint64_t v = 0;
  for (size_t i = 0; p && i < n; i++)
    v = v << 8 | p[i];
  return v;
}

uint8_t read_u8(struct reader *r) {
  return (uint8_t)read_be(r, 1);
}

uint16_t read_u16(struct reader *r) {
  return (uint16_t)read_be(r, 2);
}

uint32_t read_u24(struct reader *r) {
  return (uint32_t)read_be(r, 3);
}

uint32_t read_u32(struct reader *r) {
  return (uint32_t)read_be(r, 4);
}

uint64_t read_u64(struct reader *r) {
  return read_be(r, 8);
}

struct writer writer_of(void *p, size_t n) {
  uint8_t *b = p;
  return (struct writer){.p = b, .start = b, .end = n > 0 ? b + n : b, .ok = true};
}

size_t writer_len(const struct writer *w) {
  return (size_t)(w->p - w->start);
}

void write_bytes(struct writer *w, const void *p, size_t n) {
  if (!w->ok || n > (size_t)(w->end - w->p)) {
    w->ok = false;
    return;
  }
  if (n > 0) {
    memcpy(w->p, p, n);
    w->p += n;
  }
}

static void write_be(struct writer *w, uint64_t v, size_t n) {
  uint8_t b[8];
  for (size_t i = 0; i < n; i++)
    b[i] = (uint8_t)(v >> 8 * (n - 1 - i));
  write_bytes(w, b, n);
}

void write_u8(struct writer *w, unsigned v) {
  assert(v <= UINT8_MAX);
  write_be(w, v, 1);
}

void write_u16(struct writer *w, unsigned v) {
  assert(v <= UINT16_MAX);
  write_be(w, v, 2);
}

void write_u32(struct writer *w, uint32_t v) {
  write_be(w, v, 4);
}

void write_u64(struct writer *w, uint64_t v) {
  write_be(w, v, 8);
}

size_t b64url_encode(const void *in, size_t n, char *out) {
  static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const uint8_t *p = in;
  size_t len = 0;
  uint32_t acc = 0; /* only its low `bits` + 8 bits matter */
  unsigned bits = 0;
  for (size_t i = 0; i < n; i++) {
    acc = (acc << 8 | p[i]) & 0xffff;
    for (bits += 8; bits >= 6; bits -= 6)
      out[len++] = set[acc >> (bits - 6) & 63];
  }
  if (bits > 0)
    out[len++] = set[acc << (6 - bits) & 63];
  out[len] = 0;
  return len;
}

static int b64url_value(char c) {
  if (c >= 'A' && c <= 'Z')
    return c - 'A';
  if (c >= 'a' && c <= 'z')
    return c - 'a' + 26;
  if (c >= '0' && c <= '9')
    return c - '0' + 52;
  return c == '-' ? 62 : c == '_' ? 63 : -1;
}

int b64url_decode(const char *in, size_t n, uint8_t *out, size_t cap) {
  if (n % 4 == 1 || n / 4 * 3 + n % 4 * 3 / 4 > cap || n > INT_MAX)
    return -1;
  uint32_t acc = 0;
  unsigned bits = 0;
  int len = 0;
  for (size_t i = 0; i < n; i++) {
    int v = b64url_value(in[i]);
    if (v < 0)
      return -1;
    acc = (acc << 6 | (uint32_t)v) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out[len++] = (uint8_t)(acc >> bits);
    }
  }
  /* left-over bits must be zero, or two texts would mean the same bytes */
  return (acc & ((1U << bits) - 1)) == 0 ? len : -1;
}

void hex_encode(const void *in, size_t n, char *out) {
  static const char set[] = "0123456789abcdef";
  const uint8_t *p = in;
  for (size_t i = 0; i < n; i++) {
    *out++ = set[p[i] >> 4];
    *out++ = set[p[i] & 15];
  }
  *out = 0;
}

static int hex_value(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool hex_decode(const char *in, size_t n, uint8_t *out) {
  if (n % 2 != 0)
    return false;
  for (size_t i = 0; i < n; i += 2) {
    int hi = hex_value(in[i]), lo = hex_value(in[i + 1]);
    if (hi < 0 || lo < 0)
      return false;
    out[i / 2] = (uint8_t)(hi << 4 | lo);
  }
  return true;
}

void sha256(const void *in, size_t n, uint8_t out[32]) {
  SHA256(in, n, out);
}

bool bytes_equal_ct(const void *a, const void *b, size_t n) {
  return CRYPTO_memcmp(a, b, n) == 0;
}
