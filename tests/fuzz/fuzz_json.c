/* What the strict parser or rpc_parse accepts must serialise, and parse again to the same value. */
#include "core/wire/json.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void check_again(const json_t *v) {
  char *text = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);
  assert(text);
  json_t *again;
  enum err e = json_parse_server(text, strlen(text), &again);
  assert(e == ERR_OK && json_equal((json_t *)v, again));
  json_decref(again);
  free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *text = (const char *)data, *why;
  json_t *v;
  bool strict_ok = json_parse_strict(text, size, &v, &why) == ERR_OK;
  assert(strict_ok == (why == NULL) && strict_ok == (v != NULL));
  if (strict_ok)
    check_again(v);
  json_decref(v);
  for (int from_server = 0; from_server < 2; from_server++) {
    struct rpc_in in;
    enum err e = rpc_parse(text, size, from_server, &in);
    assert((e == ERR_OK) == (in.root != NULL));
    if (e)
      continue;
    assert(in.kind != RPC_REQUEST || (in.id > 0 && json_is_object(in.params) && in.method[0]));
    assert(in.kind != RPC_ERROR || (in.error != ERR_OK && in.message));
    check_again(in.root);
    json_decref(in.root);
  }
  return 0;
}
