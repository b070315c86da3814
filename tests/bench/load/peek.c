#include "tests/bench/load/peek.h"

#include <jansson.h>
#include <string.h>

static size_t blank(struct peek t, size_t i) {
  while (i < t.n && strchr(" \t\r\n", t.p[i]))
    i++;
  return i;
}

/* After the string that begins at i. */
static size_t string_end(struct peek t, size_t i) {
  for (i++; i < t.n && t.p[i] != '"'; i++)
    if (t.p[i] == '\\')
      i++;
  return i < t.n ? i + 1 : t.n;
}

/* After the value that begins at i. */
static size_t value_end(struct peek t, size_t i) {
  size_t depth = 0;
  while (i < t.n) {
    char c = t.p[i];
    if (c == '"')
      i = string_end(t, i);
    else {
      if (depth == 0 && (c == ',' || c == '}' || c == ']'))
        return i;
      depth += c == '{' || c == '[';
      depth -= c == '}' || c == ']';
      i++;
    }
    if (depth == 0 && (c == '"' || c == '}' || c == ']'))
      return i;
  }
  return i;
}

struct peek peek(struct peek t, const char *key) {
  const struct peek none = {NULL, 0};
  if (!t.p)
    return none;
  size_t i = blank(t, 0), n = strlen(key);
  if (i >= t.n || t.p[i] != '{')
    return none;
  do {
    size_t name = blank(t, i + 1);
    if (name >= t.n || t.p[name] != '"')
      return none;
    size_t colon = string_end(t, name), value = blank(t, colon);
    if (value >= t.n || t.p[value] != ':')
      return none;
    value = blank(t, value + 1);
    i = value_end(t, value);
    if (colon - name == n + 2 && memcmp(t.p + name + 1, key, n) == 0)
      return (struct peek){t.p + value, i - value};
    i = blank(t, i);
  } while (i < t.n && t.p[i] == ',');
  return none;
}

bool peek_is(struct peek v, const char *text) {
  size_t n = strlen(text);
  return v.p && v.n == n + 2 && v.p[0] == '"' && memcmp(v.p + 1, text, n) == 0;
}

unsigned long peek_number(struct peek v) {
  unsigned long x = 0;
  for (size_t i = 0; i < v.n && v.p[i] >= '0' && v.p[i] <= '9'; i++)
    x = x * 10 + (unsigned long)(v.p[i] - '0');
  return x;
}

char *peek_text(struct peek v) {
  json_t *j = v.p ? json_loadb(v.p, v.n, JSON_DECODE_ANY, NULL) : NULL;
  char *s = json_is_string(j) ? strdup(json_string_value(j)) : NULL;
  json_decref(j);
  return s;
}
