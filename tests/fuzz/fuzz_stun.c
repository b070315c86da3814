/* STUN parser, on the raw input and again with a right length and FINGERPRINT, which chance would never find.
 */
#include "core/base/bytes.h"
#include "core/wire/stun.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static uint32_t crc32_of(const uint8_t *p, size_t n) {
  uint32_t crc = UINT32_MAX;
  for (size_t i = 0; i < n; i++) {
    crc ^= p[i];
    for (int k = 0; k < 8; k++)
      crc = (crc & 1) ? 0xEDB88320u ^ (crc >> 1) : crc >> 1;
  }
  return ~crc;
}

static void check(const uint8_t *p, size_t n) {
  struct stun s;
  size_t len = 0;
  if (stun_parse(p, n, &s) != ERR_OK)
    return;
  const uint8_t *name = (const uint8_t *)s.username;
  if (name && (name < p || name + s.username_len > p + n))
    abort();
  const char *local = stun_ufrag_local(&s, &len);
  if (local && (len == 0 || len + 2 > s.username_len))
    abort();
  if (stun_check(p, n, &s, "VOkJxbRl1RmTxUk/WvJxBt") && !s.integrity_at)
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
  check(data, n);
  if (n < 28 || n > STUN_MAX + 4)
    return 0;
  n &= ~(size_t)3;
  uint8_t *m = malloc(n); /* exactly as long as the message, so that asan sees a byte too many */
  if (!m)
    return 0;
  memcpy(m, data, n);
  struct writer length = writer_of(m + 2, 6), end = writer_of(m + n - 8, 8);
  write_u16(&length, (unsigned)(n - 20));
  write_u32(&length, 0x2112A442);
  write_u32(&end, 0x80280004);
  write_u32(&end, crc32_of(m, n - 8) ^ 0x5354554Eu);
  check(m, n);
  free(m);
  return 0;
}
