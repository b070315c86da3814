/* What a server answers to gavel login, and the file that is kept of it: whatever is believed is safe to send
 * and to show. The first byte is the answer's status. */
#include "core/base/text.h"
#include "core/session/login.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void token_safe(const char *s) {
  assert(*s);
  for (; *s; s++)
    assert(*s > 0x20 && *s < 0x7f);
}

static void show_safe(const char *s) {
  char shown[2 * LOGIN_URI_MAX];
  text_show(s, false, shown, sizeof shown);
  assert(strcmp(s, shown) == 0);
}

static void file(const char *text, size_t n) {
  struct login l, same;
  if (login_read(text, n, &l) != ERR_OK)
    return;
  token_safe(l.access);
  token_safe(l.refresh);
  char *out = login_write(&l);
  enum err e = login_read(out, strlen(out), &same);
  assert(e == ERR_OK && login_fits(&same, &l.to) && strcmp(l.access, same.access) == 0);
  free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const int STATUS[] = {200, 400, 401, 429, 500};
  struct login_device d;
  struct login l = {.until_ms = 0};
  if (size == 0)
    return 0;
  char *text = malloc(size);
  assert(text);
  memcpy(text, data + 1, size - 1);
  text[size - 1] = 0;
  int status = STATUS[data[0] % (sizeof STATUS / sizeof STATUS[0])];
  file(text, size - 1);
  if (login_device_read(status, text, &d) == ERR_OK) {
    assert(status == 200 && strncmp(d.uri, "https://", 8) == 0);
    show_safe(d.uri);
    show_safe(d.complete);
    show_safe(d.user_code);
    assert(d.interval_s > 0 && d.expires_s > 0);
  }
  if (login_tokens_read(status, text, 1700000000000, &l) == ERR_OK) {
    token_safe(l.access);
    token_safe(l.refresh);
  }
  free(text);
  return 0;
}
