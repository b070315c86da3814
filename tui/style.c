#include "tui/style.h"

#include <assert.h>
#include <stddef.h>

static const char *const names[STYLE__COUNT] = {
#define X(id, name) [STYLE_##id] = name,
    STYLES(X)
#undef X
};

const char *style_name(enum style s) {
  assert((size_t)s < STYLE__COUNT);
  return names[s];
}
