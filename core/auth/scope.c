#include "core/auth/scope.h"

#include <stdio.h>
#include <string.h>

static const char *const WORDS[SCOPE__COUNT] = {
#define X(name, word, help) word,
    SCOPE_TABLE(X)
#undef X
};

static unsigned bit_of(const char *word, size_t n) {
  for (unsigned i = 0; i < SCOPE__COUNT; i++)
    if (strlen(WORDS[i]) == n && memcmp(WORDS[i], word, n) == 0)
      return 1U << i;
  return 0;
}

enum err scope_parse(const char *words, bool strict, unsigned *out) {
  *out = 0;
  while (*words) {
    size_t n = strcspn(words, " ");
    unsigned bit = bit_of(words, n);
    if (!bit && strict)
      return ERR_BAD_ARG;
    *out |= bit;
    words += n;
    if (*words == ' ' && *++words == 0 && strict)
      return ERR_BAD_ARG;
  }
  return ERR_OK;
}

void scope_format(unsigned scopes, char out[SCOPE_TEXT_MAX]) {
  size_t n = 0;
  out[0] = 0;
  for (unsigned i = 0; i < SCOPE__COUNT; i++)
    if (scopes & 1U << i)
      n += (size_t)snprintf(out + n, SCOPE_TEXT_MAX - n, "%s%s", n ? " " : "", WORDS[i]);
}
