/* Forms of the public port: whatever is accepted is UTF-8, has no control character, and names each field
 * once. */
#include "core/server/web_private.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
  struct form f;
  if (form_parse((const char *)data, n, &f) != ERR_OK)
    return 0;
  for (size_t i = 0; i < f.n; i++) {
    assert(f.of[i].name[0] && form_get(&f, f.of[i].name) == f.of[i].value);
    assert(text_utf8_valid(f.of[i].value, strlen(f.of[i].value)));
    for (const char *s = f.of[i].value; *s; s++)
      assert((unsigned char)*s >= 0x20 && *s != 0x7f);
  }
  form_free(&f);
  return 0;
}
