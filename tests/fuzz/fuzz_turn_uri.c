/* The address of a relay that is taken formats to a text that is taken as the same. */
#include "core/wire/turn_uri.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct turn_uri u = {0}, again = {0};
  char out[TURN_URI_MAX];
  const char *why = NULL;
  if (turn_uri_parse((const char *)data, size, &u, &why) != ERR_OK) {
    assert(why);
    return 0;
  }
  assert(u.port > 0 && u.host[0] && !strchr(u.host, '/'));
  turn_uri_format(&u, out);
  enum err e = turn_uri_parse(out, strlen(out), &again, &why);
  assert(e == ERR_OK && u.kind == again.kind && u.port == again.port && strcmp(u.host, again.host) == 0);
  return 0;
}
