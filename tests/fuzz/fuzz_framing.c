/* Frames on a stream (RFC 4571): however the bytes are cut, the same frames come out, none longer than the
 * buffer. */
#include "core/wire/framing.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CAP 200

/* Digest of all frames; `step` bytes at a time. */
static uint64_t run(const uint8_t *data, size_t size, size_t step, bool *bad) {
  uint8_t *buf = malloc(CAP);
  struct framing f = {.buf = buf, .cap = CAP};
  uint64_t digest = 1;
  *bad = false;
  for (size_t at = 0; at < size && !*bad; at += step) {
    const uint8_t *p = data + at;
    size_t n = size - at < step ? size - at : step, len;
    while (framing_feed(&f, &p, &n, &len, bad)) {
      if (len == 0 || len > CAP)
        abort();
      for (size_t i = 0; i < len; i++)
        digest = (digest ^ buf[i]) * 1099511628211u;
      digest = (digest ^ len) * 1099511628211u;
    }
    if (!*bad && n > 0)
      abort();
  }
  free(buf);
  return digest;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  bool bad_a, bad_b;
  if (size == 0)
    return 0;
  if (run(data, size, size, &bad_a) != run(data, size, 1 + data[0] % 7, &bad_b) || bad_a != bad_b)
    abort();
  return 0;
}
