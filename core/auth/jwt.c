#include "core/auth/jwt.h"

#include "core/base/bytes.h"
#include "core/base/ed25519.h"
#include "core/wire/json.h"

#include <assert.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 8192 /* a longer one is no token */

static const char *const ALG[] = {[JWT_HS256] = "HS256", [JWT_EDDSA] = "EdDSA"};

size_t jwt_sign_bytes(enum jwt_alg alg, const uint8_t *key, size_t n_key, const void *msg, size_t n,
                      uint8_t sig[JWT_SIG_MAX]) {
  unsigned len = 0;
  if (alg == JWT_EDDSA) {
    if (n_key != ED25519_KEY)
      return 0;
    ed25519_sign(key, msg, n, sig);
    return ED25519_SIG;
  }
  return n_key > 0 && HMAC(EVP_sha256(), key, (int)n_key, msg, n, sig, &len) ? len : 0;
}

bool jwt_check_bytes(enum jwt_alg alg, const uint8_t *key, size_t n_key, const void *msg, size_t n,
                     const uint8_t *sig, size_t n_sig) {
  uint8_t want[JWT_SIG_MAX];
  if (alg == JWT_EDDSA)
    return n_key == ED25519_KEY && n_sig == ED25519_SIG && ed25519_check(key, msg, n, sig);
  size_t len = jwt_sign_bytes(alg, key, n_key, msg, n, want);
  return len > 0 && len == n_sig && bytes_equal_ct(want, sig, len);
}

/* decode_json: one part of the three. NULL: not base64url (*base64 false) or not JSON. */
static json_t *decode_json(const char *text, size_t n, bool strict, bool *base64) {
  uint8_t raw[TEXT_MAX];
  int len = b64url_decode(text, n, raw, sizeof raw);
  json_t *v = NULL;
  *base64 = len >= 0;
  if (len < 0)
    return NULL;
  if (!strict)
    v = json_loadb((const char *)raw, (size_t)len, JSON_REJECT_DUPLICATES, NULL);
  else if (json_parse_strict((const char *)raw, (size_t)len, &v, NULL) != ERR_OK)
    return NULL;
  if (!json_is_object(v)) {
    json_decref(v);
    return NULL;
  }
  return v;
}

static const char *read_header(struct jwt *j) {
  const char *alg = json_string_value(json_object_get(j->header, "alg"));
  json_t *typ = json_object_get(j->header, "typ"), *kid = json_object_get(j->header, "kid");
  if (!json_only_keys(j->header, "alg", "typ", "kid", NULL) || (typ && !json_is_string(typ)) ||
      (kid && !json_is_string(kid)))
    return "header";
  if (!alg || (strcmp(alg, ALG[JWT_HS256]) != 0 && strcmp(alg, ALG[JWT_EDDSA]) != 0))
    return "alg";
  j->alg = strcmp(alg, ALG[JWT_EDDSA]) == 0 ? JWT_EDDSA : JWT_HS256;
  j->typ = json_string_value(typ);
  j->kid = json_string_value(kid);
  return NULL;
}

const char *jwt_open(const char *text, size_t n, struct jwt *out) {
  memset(out, 0, sizeof *out);
  const char *dot = n ? memchr(text, '.', n) : NULL, *end = text + n;
  const char *dot2 = dot ? memchr(dot + 1, '.', (size_t)(end - dot - 1)) : NULL;
  if (n > TEXT_MAX || !dot2 || memchr(dot2 + 1, '.', (size_t)(end - dot2 - 1)))
    return "format";
  bool base64;
  out->header = decode_json(text, (size_t)(dot - text), true, &base64);
  if (!out->header)
    return base64 ? "json" : "base64";
  const char *why = read_header(out);
  if (why)
    return why;
  bool own = out->typ && strcmp(out->typ, JWT_OWN_TYP) == 0;
  out->claims = decode_json(dot + 1, (size_t)(dot2 - dot - 1), own, &base64);
  if (!out->claims)
    return base64 ? "json" : "base64";
  int len = b64url_decode(dot2 + 1, (size_t)(end - dot2 - 1), out->sig, sizeof out->sig);
  if (len < 0)
    return "base64";
  out->n_sig = (size_t)len;
  out->text = text;
  out->n_text = (size_t)(dot2 - text);
  return NULL;
}

void jwt_close(struct jwt *j) {
  json_decref(j->header);
  json_decref(j->claims);
  memset(j, 0, sizeof *j);
}

bool jwt_check(const struct jwt *j, enum jwt_alg alg, const uint8_t *key, size_t n_key) {
  return j->alg == alg && jwt_check_bytes(alg, key, n_key, j->text, j->n_text, j->sig, j->n_sig);
}

/* put_part: base64url of a text at *at, which moves to its end. */
static void put_part(char **at, const void *p, size_t n) {
  *at += b64url_encode(p, n, *at);
}

static char *join_parts(enum jwt_alg alg, const char *header, const char *claims, const uint8_t *key,
                        size_t n_key) {
  size_t nh = strlen(header), nc = strlen(claims);
  uint8_t sig[JWT_SIG_MAX];
  char *out = malloc((nh + nc + JWT_SIG_MAX) / 3 * 4 + 32), *at = out;
  if (!out)
    return NULL;
  put_part(&at, header, nh);
  *at++ = '.';
  put_part(&at, claims, nc);
  size_t len = jwt_sign_bytes(alg, key, n_key, out, (size_t)(at - out), sig);
  if (len == 0) {
    free(out);
    return NULL;
  }
  *at++ = '.';
  put_part(&at, sig, len);
  return out;
}

char *jwt_make(enum jwt_alg alg, const char *typ, const char *kid, json_t *claims, const uint8_t *key,
               size_t n_key) {
  json_t *header = kid ? json_pack("{ssssss}", "alg", ALG[alg], "typ", typ, "kid", kid)
                       : json_pack("{ssss}", "alg", ALG[alg], "typ", typ);
  char *h = header ? json_dumps(header, JSON_COMPACT) : NULL,
       *c = claims ? json_dumps(claims, JSON_COMPACT) : NULL;
  char *out = h && c ? join_parts(alg, h, c, key, n_key) : NULL;
  free(h);
  free(c);
  json_decref(header);
  json_decref(claims);
  return out;
}
