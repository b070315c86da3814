/* An accepted link formats to a text that parses to the same link. */
#include "core/wire/link.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *s = malloc(size + 1), out[LINK_MAX];
  if (!s)
    return 0;
  memcpy(s, data, size);
  s[size] = 0;
  struct link l, again;
  const char *why;
  if (link_parse(s, &l, &why) == ERR_OK) {
    assert(l.port > 0 && l.host[0] && text_slug_valid(l.room));
    link_format(&l, out);
    enum err e = link_parse(out, &again, &why);
    assert(e == ERR_OK && memcmp(&l, &again, sizeof l) == 0);
  } else {
    assert(why);
  }
  free(s);
  return 0;
}
