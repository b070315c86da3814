/* token_text.c: the small change of all token formats: texts, numbers, base64, query strings, roles. */
#include "core/auth/token_private.h"
#include "core/base/bytes.h"
#include "core/base/text.h"

#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool token_copy(char *out, size_t cap, const char *s, size_t n) {
  out[0] = 0;
  if (n == 0 || n >= cap || !text_utf8_valid(s, n))
    return false;
  for (const char *p = s; p < s + n;)
    if (!text_cp_safe(text_utf8_next(&p, s + n)))
      return false;
  memcpy(out, s, n);
  out[n] = 0;
  return true;
}

bool token_number(const char *s, size_t n, int64_t *out) {
  *out = 0;
  if (n == 0 || n > 15 || (n > 1 && s[0] == '0'))
    return false;
  for (size_t i = 0; i < n; i++) {
    if (s[i] < '0' || s[i] > '9')
      return false;
    *out = *out * 10 + (s[i] - '0');
  }
  return true;
}

int token_b64(const char *in, size_t n, uint8_t *out, size_t cap) {
  char url[TOKEN_MAX];
  if (n == 0 || n % 4 != 0 || n > sizeof url)
    return -1;
  for (int pad = 0; pad < 2 && in[n - 1] == '='; pad++)
    n--;
  for (size_t i = 0; i < n; i++) {
    if (in[i] == '-' || in[i] == '_')
      return -1;
    url[i] = in[i] == '+' ? '-' : in[i] == '/' ? '_' : in[i];
  }
  return b64url_decode(url, n, out, cap);
}

char *token_b64_make(const char *prefix, const void *p, size_t n) {
  size_t np = strlen(prefix);
  char *out = malloc(np + (n + 2) / 3 * 4 + 1);
  if (!out)
    return NULL;
  memcpy(out, prefix, np);
  EVP_EncodeBlock((unsigned char *)out + np, p, (int)n);
  return out;
}

size_t token_hmac(const EVP_MD *md, const void *key, size_t n_key, const void *msg, size_t n,
                  uint8_t out[64]) {
  unsigned len = 0;
  return HMAC(md, key, (int)n_key, msg, n, out, &len) ? len : 0;
}

/* next_byte: one byte of a value, percent-decoded; moves *p. False: a bad escape, or a NUL. */
static bool next_byte(const char **p, const char *end, bool decode, char *out) {
  uint8_t b;
  *out = *(*p)++;
  if (decode && *out == '+') {
    *out = ' ';
  } else if (decode && *out == '%') {
    if (end - *p < 2 || !hex_decode(*p, 2, &b))
      return false;
    *out = (char)b;
    *p += 2;
  }
  return *out != 0;
}

static bool take_value(const char *p, const char *end, bool decode, char *out, size_t cap) {
  size_t len = 0;
  while (p < end) {
    if (len + 1 >= cap || !next_byte(&p, end, decode, out + len))
      return false;
    len++;
  }
  out[len] = 0;
  return true;
}

int token_field(const char *s, size_t n, const char *key, bool decode, char *out, size_t cap) {
  const char *end = s + n;
  size_t nk = strlen(key);
  int found = 0;
  out[0] = 0;
  while (s < end) {
    const char *amp = memchr(s, '&', (size_t)(end - s)), *stop = amp ? amp : end;
    if ((size_t)(stop - s) > nk && memcmp(s, key, nk) == 0 && s[nk] == '=') {
      if (found || !take_value(s + nk + 1, stop, decode, out, cap))
        return -1;
      found = 1;
    }
    s = amp ? amp + 1 : end;
  }
  return found;
}

void token_anonymous(const uint8_t *sig, size_t n, char out[TOKEN_SUBJECT_MAX + 1]) {
  uint8_t digest[32];
  char hex[17];
  sha256(sig, n, digest);
  hex_encode(digest, 8, hex);
  snprintf(out, TOKEN_SUBJECT_MAX + 1, TOKEN_NAMELESS "%s", hex);
}

bool token_claim_text(const json_t *claims, const char *key, char *out, size_t cap) {
  const json_t *v = json_object_get(claims, key);
  out[0] = 0;
  return json_is_string(v) && token_copy(out, cap, json_string_value(v), json_string_length(v));
}

bool token_claim_time(const json_t *claims, const char *key, int64_t *out) {
  const json_t *v = json_object_get(claims, key);
  *out = json_is_integer(v) ? json_integer_value(v) : 0;
  return *out > 0 && *out <= INT64_C(1) << 53;
}

#define TALK (SCOPE_JOIN | SCOPE_SPEAK | SCOPE_CHAT)
#define IN(f) (1U << TOKEN_##f)
/* From the highest to the lowest. */
static const struct {
  const char *role;
  unsigned formats, scopes;
} ROLES[] = {
    {"moderator", IN(OPENTOK) | IN(SAMBA) | IN(VIDYO), TALK | SCOPE_MODERATE},
    {"publisher", IN(OPENTOK), TALK},
    {"speaker", IN(SAMBA) | IN(VIDYO), TALK},
    {"publisheronly", IN(OPENTOK), SCOPE_JOIN | SCOPE_SPEAK},
    {"subscriber", IN(OPENTOK), SCOPE_JOIN | SCOPE_CHAT},
    {"attendee", IN(SAMBA) | IN(VIDYO), SCOPE_JOIN | SCOPE_CHAT},
};

bool token_role(enum token_format f, const char *role, unsigned *scopes) {
  for (size_t i = 0; i < sizeof ROLES / sizeof ROLES[0]; i++)
    if (ROLES[i].formats & 1U << f && strcmp(ROLES[i].role, role) == 0) {
      *scopes = ROLES[i].scopes;
      return true;
    }
  return false;
}

const char *token_role_for(enum token_format f, unsigned scopes) {
  for (size_t i = 0; i < sizeof ROLES / sizeof ROLES[0]; i++)
    if (ROLES[i].formats & 1U << f && (ROLES[i].scopes & ~scopes) == 0)
      return ROLES[i].role;
  return NULL;
}
