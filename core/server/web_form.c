/* web_form.c: see web_private.h. A form that says a thing twice is refused: two readers would believe
 * different ones. */
#include "core/server/web_private.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static int hex_of(char c) {
  return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* In place; false for a broken escape, a control character, or what is no UTF-8. */
static bool decode(char *s) {
  char *out = s, *from = s;
  for (; *s; s++) {
    int high = *s == '%' ? hex_of(s[1]) : 0, low = *s == '%' && high >= 0 ? hex_of(s[2]) : 0;
    if (high < 0 || low < 0)
      return false;
    char c = *s == '+' ? ' ' : *s == '%' ? (char)(high * 16 + low) : *s;
    s += *s == '%' ? 2 : 0;
    if ((unsigned char)c < 0x20 || c == 0x7f)
      return false;
    *out++ = c;
  }
  *out = '\0';
  return text_utf8_valid(from, (size_t)(out - from));
}

static bool add(struct form *f, char *pair) {
  char *value = strchr(pair, '=');
  if (!value || f->n == FORM_FIELDS_MAX)
    return false;
  *value++ = '\0';
  if (!decode(pair) || !decode(value) || !*pair)
    return false;
  for (size_t i = 0; i < f->n; i++)
    if (strcmp(f->of[i].name, pair) == 0)
      return false;
  f->of[f->n].name = pair;
  f->of[f->n++].value = value;
  return true;
}

enum err form_parse(const char *body, size_t n, struct form *out) {
  *out = (struct form){.n_text = n};
  if (memchr(body, '\0', n))
    return ERR_BAD_REQUEST;
  char *text = out->text = malloc(n + 1);
  if (!text)
    abort();
  memcpy(text, body, n);
  text[n] = '\0';
  bool ok = true;
  for (char *next = n > 0 ? text : NULL; ok && next;) {
    char *pair = next;
    next = strchr(pair, '&');
    if (next)
      *next++ = '\0';
    ok = add(out, pair);
  }
  if (ok)
    return ERR_OK;
  form_free(out);
  return ERR_BAD_REQUEST;
}

const char *form_get(const struct form *f, const char *name) {
  for (size_t i = 0; i < f->n; i++)
    if (strcmp(f->of[i].name, name) == 0)
      return f->of[i].value;
  return "";
}

bool form_only(const struct form *f, ...) {
  for (size_t i = 0; i < f->n; i++) {
    va_list names;
    const char *name;
    bool known = false;
    va_start(names, f);
    while (!known && (name = va_arg(names, const char *)))
      known = strcmp(name, f->of[i].name) == 0;
    va_end(names);
    if (!known)
      return false;
  }
  return true;
}

void form_free(struct form *f) {
  if (f->text)
    explicit_bzero(f->text, f->n_text);
  free(f->text);
  *f = (struct form){0};
}
