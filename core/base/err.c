#include "core/base/err.h"

#include <assert.h>
#include <string.h>

static const struct {
  const char *code, *text;
} TABLE[] = {
#define X(name, code, text) {code, text},
    ERR_TABLE(X)
#undef X
};

const char *err_code(enum err e) {
  assert((unsigned)e < ERR__COUNT);
  return TABLE[e].code;
}

const char *err_text(enum err e) {
  assert((unsigned)e < ERR__COUNT);
  return TABLE[e].text;
}

enum err err_from_code(const char *code) {
  for (unsigned i = 0; i < ERR__COUNT; i++)
    if (strcmp(TABLE[i].code, code) == 0)
      return (enum err)i;
  return ERR_INTERNAL;
}
