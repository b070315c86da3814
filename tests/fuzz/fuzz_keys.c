/* Terminal bytes: whatever comes, and however it is split, the same keys come out, pastes are clean, and
 * nothing sticks. */
#include "tui/key.h"

#include "core/base/text.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define KEYS_MAX 4096

/* keys_of: all keys of the bytes, fed in pieces of `step`; pastes count by their text. */
static size_t keys_of(const uint8_t *data, size_t size, size_t step, struct key *out, uint32_t *pastes) {
  struct input *in = input_create();
  size_t n = 0;
  *pastes = 0;
  for (size_t at = 0; at <= size && n < KEYS_MAX; at += step) {
    input_feed(in, 0, data + at, size - at < step ? size - at : step);
    while (n < KEYS_MAX && input_poll(in, at + step > size ? 100 * US_PER_S : 0, &out[n])) {
      char name[24];
      struct key back;
      key_name(out[n], name);
      if (name[0] && (!key_from_name(name, &back) || back.code != out[n].code || back.mods != out[n].mods))
        abort();
      if (out[n].code == KEY_PASTE) {
        const char *text = input_paste(in);
        if (!text_utf8_valid(text, strlen(text)))
          abort();
        for (; *text; text++)
          *pastes = *pastes * 31 + (uint8_t)*text;
      }
      n++;
    }
  }
  if (n < KEYS_MAX && input_next_timeout(in) != US_NEVER)
    abort();
  input_destroy(in);
  return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct key a[KEYS_MAX], b[KEYS_MAX];
  uint32_t pa, pb;
  if (size > 2000)
    return 0;
  size_t n = keys_of(data, size, size + 1, a, &pa), m = keys_of(data, size, 1, b, &pb);
  if (n != m || pa != pb)
    abort();
  for (size_t i = 0; i < n; i++)
    if (a[i].code != b[i].code || a[i].mods != b[i].mods || a[i].phase != b[i].phase)
      abort();
  return 0;
}
