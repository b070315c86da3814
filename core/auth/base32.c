#include "core/auth/base32.h"

#include <string.h>

static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

size_t base32_encode(const void *in, size_t n, char *out) {
  const uint8_t *p = in;
  uint32_t held = 0;
  unsigned bits = 0;
  size_t len = 0;
  for (size_t i = 0; i < n; i++) {
    held = held << 8 | p[i];
    for (bits += 8; bits >= 5; bits -= 5)
      out[len++] = ALPHABET[held >> (bits - 5) & 31];
  }
  if (bits > 0)
    out[len++] = ALPHABET[held << (5 - bits) & 31];
  out[len] = 0;
  return len;
}

static int digit_of(char c) {
  if (c >= 'a' && c <= 'z')
    c = (char)(c - 'a' + 'A');
  const char *at = c ? strchr(ALPHABET, c) : NULL;
  return at ? (int)(at - ALPHABET) : -1;
}

int base32_decode(const char *in, size_t n, uint8_t *out, size_t cap) {
  uint32_t held = 0;
  unsigned bits = 0;
  size_t len = 0;
  for (size_t i = 0; i < n; i++) {
    int digit = digit_of(in[i]);
    if (digit < 0)
      return -1;
    held = held << 5 | (uint32_t)digit;
    bits += 5;
    if (bits < 8)
      continue;
    bits -= 8;
    if (len == cap)
      return -1;
    out[len++] = (uint8_t)(held >> bits);
  }
  return bits < 5 && (held & ((1U << bits) - 1)) == 0 ? (int)len : -1;
}
