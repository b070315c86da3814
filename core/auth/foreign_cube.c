/* foreign_cube.c: the signed session request of ConnectyCube as a token: the parameters sorted by name and
 * joined with "&" as they were signed, then "&signature=" and hex(HMAC-SHA1(secret, all before)); 64 digits:
 * SHA-256. Values stand there raw: one with "&" cannot be said. A password in it is signed like the rest and
 * looked at by nobody. */
#include "core/auth/token_private.h"
#include "core/base/bytes.h"
#include "core/base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOUR_S 3600
static const char SIGNATURE[] = "&signature=";

/* sorted: names rise strictly, so none is said twice. */
static bool sorted(const char *s) {
  const char *last = NULL;
  size_t n_last = 0;
  for (;;) {
    size_t n = strcspn(s, "&"), nk = strcspn(s, "=");
    if (nk == 0 || nk >= n)
      return false;
    int order = last ? strncmp(last, s, n_last < nk ? n_last : nk) : -1;
    if (order > 0 || (order == 0 && n_last >= nk))
      return false;
    last = s;
    n_last = nk;
    if (!s[n])
      return true;
    s += n + 1;
  }
}

static int field(const struct token_open *o, const char *key, char *out, size_t cap) {
  return token_field(o->body, o->n_body, key, false, out, cap);
}

const char *cube_open(const char *text, size_t n, struct token_open *o) {
  if (!text_utf8_valid(text, n))
    return "format";
  memcpy(o->raw, text, n); /* what follows is zero */
  char *sig = strstr(o->raw, SIGNATURE);
  if (!sig)
    return "format";
  const char *hex = sig + sizeof SIGNATURE - 1;
  size_t n_hex = strlen(hex);
  *sig = 0;
  if ((n_hex != 40 && n_hex != 64) || !hex_decode(hex, n_hex, o->sig) || !sorted(o->raw))
    return "format";
  o->n_sig = n_hex / 2;
  o->body = o->raw;
  o->n_body = (size_t)(sig - o->raw);
  char app[TOKEN_ISSUER_MAX + 1];
  int64_t number;
  return field(o, "application_id", app, sizeof app) == 1 && token_number(app, strlen(app), &number) &&
                 token_copy(o->issuer, sizeof o->issuer, app, strlen(app))
             ? NULL
             : "issuer";
}

static bool check(const struct token_open *o, const struct token_key *key) {
  uint8_t mac[64];
  const EVP_MD *md = o->n_sig == 32 ? EVP_sha256() : EVP_sha1();
  size_t n = token_hmac(md, key->secret, key->n_secret, o->body, o->n_body, mac);
  return n == o->n_sig && bytes_equal_ct(mac, o->sig, n);
}

/* read_user: who logs in; nobody: a session of the application, which may only be there and listen. */
static const char *read_user(const struct token_open *o, struct token_claims *out) {
  static const char *const names[] = {"user[login]", "user[email]", "user[id]"};
  char user[TOKEN_SUBJECT_MAX + 1];
  int found = 0;
  for (size_t i = 0; i < sizeof names / sizeof names[0] && found == 0; i++)
    found = field(o, names[i], user, sizeof user);
  out->scopes = found ? SCOPE_JOIN | SCOPE_SPEAK | SCOPE_CHAT : SCOPE_JOIN;
  if (found == 0)
    token_anonymous(o->sig, o->n_sig, out->subject);
  else if (found < 0 || !token_copy(out->subject, sizeof out->subject, user, strlen(user)))
    return "subject";
  return NULL;
}

static const char *read_claims(const struct token_open *o, unsigned ceiling, int64_t now_s,
                               struct token_claims *out) {
  (void)ceiling, (void)now_s;
  char auth_key[TOKEN_ISSUER_MAX + 1], nonce[24], time[24];
  int64_t number;
  if (field(o, "auth_key", auth_key, sizeof auth_key) != 1 || field(o, "nonce", nonce, sizeof nonce) != 1 ||
      !token_number(nonce, strlen(nonce), &number) || field(o, "timestamp", time, sizeof time) != 1 ||
      !token_number(time, strlen(time), &out->iat_s) || out->iat_s == 0)
    return "claims";
  out->exp_s = out->iat_s + HOUR_S;
  snprintf(out->jti, sizeof out->jti, "%s-%s", time, nonce); /* timestamp and nonce make it good for once */
  return read_user(o, out);
}

static char *mint(const struct token_key *key, const struct token_claims *c, const struct token_extra *x,
                  const char **why) {
  (void)why;
  char body[600], hex[41];
  uint8_t mac[64];
  int n =
      snprintf(body, sizeof body, "application_id=%s&auth_key=%s&nonce=%" PRIu32 "&timestamp=%" PRId64 "%s%s",
               key->issuer, key->kid, x->nonce, c->iat_s, c->subject[0] ? "&user[login]=" : "", c->subject);
  token_hmac(EVP_sha1(), key->secret, key->n_secret, body, (size_t)n, mac);
  hex_encode(mac, 20, hex);
  return text_append(body, sizeof body, SIGNATURE) && text_append(body, sizeof body, hex) ? strdup(body)
                                                                                          : NULL;
}

const struct token_ops TOKEN_OPS_CUBE = {check, read_claims, mint, HOUR_S, HOUR_S, TOKEN_LEEWAY_S};
