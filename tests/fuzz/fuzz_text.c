/* Cleaned text is printable, within its limits, and cleaning it again changes nothing. */
#include "core/base/text.h"

#include <assert.h>
#include <string.h>

typedef enum err clean_fn(const char *in, size_t n, char *out);

static void check(clean_fn *clean, const char *in, size_t n, size_t max, bool newline_ok) {
  char out[TEXT_CHAT_MAX + 1], again[TEXT_CHAT_MAX + 1];
  memset(out, 'x', sizeof out);
  if (clean(in, n, out) != ERR_OK)
    return;
  size_t len = strlen(out), cols = 0;
  assert(len <= max && text_utf8_valid(out, len));
  for (const char *s = out; s != out + len;) {
    uint32_t cp = text_utf8_next(&s, out + len);
    assert(text_cp_safe(cp) || (newline_ok && cp == '\n'));
    cols += (size_t)text_cp_width(cp);
  }
  assert(text_width(out) == cols && text_fit(out, cols) == len);
  enum err e = clean(out, len, again);
  assert(e == ERR_OK && strcmp(out, again) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *in = (const char *)data;
  for (const char *s = in; s != in + size;) { /* decoding any bytes ends and stays inside */
    const char *before = s;
    uint32_t cp = text_utf8_next(&s, in + size);
    assert(s > before && s <= in + size && cp <= 0x10ffff);
  }
  check(text_clean_name, in, size, TEXT_NAME_MAX, false);
  check(text_clean_chat, in, size, TEXT_CHAT_MAX, true);
  check(text_clean_line, in, size, TEXT_LINE_MAX, false);
  return 0;
}
