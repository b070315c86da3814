/* token.c: join tokens of all formats: which one it is, the rules common to all, minting.
 *
 * The words of `why`, also in docs/protocol.md:
 *   size format base64 json header alg typ kid    it is not a token of ours to read
 *   key issuer audience signature                 it is not for this key, or not by it
 *   claims subject room role scope                it does not say what it must, or says what it may not
 *   expired not_yet iat ttl                       it is not for this time, or for too long */
#include "core/auth/token_private.h"
#include "core/base/bytes.h"
#include "core/base/ed25519.h"
#include "core/base/text.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define OWN_MAX 4096 /* bytes of our own JWT */

static const char *const FORMATS[TOKEN__COUNT] = {
#define X(name, word, help) word,
    TOKEN_FORMATS(X)
#undef X
};

static const struct token_ops *const OPS[TOKEN__COUNT] = {
    [TOKEN_HS256] = &TOKEN_OWN,           [TOKEN_EDDSA] = &TOKEN_OWN,       [TOKEN_VIDYO] = &TOKEN_OPS_VIDYO,
    [TOKEN_OPENTOK] = &TOKEN_OPS_OPENTOK, [TOKEN_AGORA] = &TOKEN_OPS_AGORA, [TOKEN_SAMBA] = &TOKEN_OPS_SAMBA,
    [TOKEN_CUBE] = &TOKEN_OPS_CUBE,
};

const char *token_format_word(enum token_format f) {
  return f < TOKEN__COUNT ? FORMATS[f] : "";
}

enum token_format token_format_find(const char *word) {
  unsigned f = 0;
  while (f < TOKEN__COUNT && strcmp(FORMATS[f], word) != 0)
    f++;
  return (enum token_format)f;
}

static bool is_own(enum token_format f) {
  return f == TOKEN_HS256 || f == TOKEN_EDDSA;
}

static bool kid_valid(const char *kid) {
  size_t n = strspn(kid, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");
  return n > 0 && n <= TOKEN_KID_MAX && kid[n] == 0;
}

static const char *open_own(struct token_open *o) {
  if (o->n > OWN_MAX)
    return "size";
  if (!o->jwt.kid || !kid_valid(o->jwt.kid))
    return "kid";
  memcpy(o->kid, o->jwt.kid, strlen(o->jwt.kid) + 1);
  o->format = o->jwt.alg == JWT_EDDSA ? TOKEN_EDDSA : TOKEN_HS256;
  return token_claim_text(o->jwt.claims, "iss", o->issuer, sizeof o->issuer) ? NULL : "issuer";
}

/* open_foreign: a JWT without our typ is of the system whose words it uses. */
static const char *open_foreign(struct token_open *o) {
  const json_t *claims = o->jwt.claims;
  if (o->jwt.typ && strcasecmp(o->jwt.typ, "JWT") != 0)
    return "typ";
  bool samba = json_object_get(claims, "td"), opentok = json_object_get(claims, "session_id");
  if (samba == opentok)
    return "typ";
  o->format = samba ? TOKEN_SAMBA : TOKEN_OPENTOK;
  if (o->jwt.alg != JWT_HS256)
    return "alg";
  return token_claim_text(claims, samba ? "td" : "iss", o->issuer, sizeof o->issuer) ? NULL : "issuer";
}

static bool begins(const char *text, size_t n, const char *with) {
  size_t len = strlen(with);
  return n >= len && memcmp(text, with, len) == 0;
}

const char *token_open(const char *text, size_t n, struct token_open *o) {
  static const struct {
    const char *begin;
    enum token_format format;
    const char *(*open)(const char *text, size_t n, struct token_open *o);
  } known[] = {
      {"cHJvdmlzaW9uA", TOKEN_VIDYO, vidyo_open}, /* "provision" and a NUL */
      {"T1==", TOKEN_OPENTOK, opentok_open_t1},
      {"007", TOKEN_AGORA, agora_open},
      {"application_id=", TOKEN_CUBE, cube_open},
  };
  memset(o, 0, sizeof *o);
  o->n = n;
  if (n == 0 || n > TOKEN_MAX)
    return "size";
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
    if (begins(text, n, known[i].begin)) {
      o->format = known[i].format;
      return known[i].open(text, n, o);
    }
  const char *why = jwt_open(text, n, &o->jwt);
  if (why)
    return why;
  return o->jwt.typ && strcmp(o->jwt.typ, JWT_OWN_TYP) == 0 ? open_own(o) : open_foreign(o);
}

void token_close(struct token_open *o) {
  jwt_close(&o->jwt);
}

enum err token_peek(const char *text, size_t n, enum token_format *format, char kid[TOKEN_KID_MAX + 1],
                    char issuer[TOKEN_ISSUER_MAX + 1], const char **why) {
  struct token_open o;
  *why = token_open(text, n, &o);
  *format = o.format;
  memcpy(kid, o.kid, sizeof o.kid);
  memcpy(issuer, o.issuer, sizeof o.issuer);
  token_close(&o);
  return *why ? ERR_BAD_TOKEN : ERR_OK;
}

const char *token_read(const struct token_open *o, unsigned ceiling, int64_t now_s,
                       struct token_claims *out) {
  memset(out, 0, sizeof *out);
  out->format = o->format;
  memcpy(out->kid, o->kid, sizeof out->kid);
  memcpy(out->issuer, o->issuer, sizeof out->issuer);
  return OPS[o->format]->read(o, ceiling, now_s, out);
}

enum err token_inspect(const char *text, size_t n, struct token_claims *out, const char **why) {
  struct token_open o;
  memset(out, 0, sizeof *out);
  *why = token_open(text, n, &o);
  if (!*why)
    *why = token_read(&o, SCOPE_ALL, 0, out);
  token_close(&o);
  return *why ? ERR_BAD_TOKEN : ERR_OK;
}

/* key_fault: what a key must be to be used at all. RFC 7518 section 3.2, RFC 8037. */
static const char *key_fault(const struct token_key *k) {
  size_t least = is_own(k->format) ? 32 : 1;
  bool fits = k->n_secret >= least && k->n_secret <= TOKEN_KEY_MAX;
  return fits && (k->format != TOKEN_EDDSA || k->n_secret == 32) ? NULL : "key";
}

/* match_key: is this the key the token was made with, by its names? The algorithm is the key's, not the
 * token's. */
static const char *match_key(const struct token_open *o, const struct token_key *k, int64_t now_s) {
  if (o->format != k->format)
    return is_own(o->format) && is_own(k->format) ? "alg" : "format";
  if (is_own(k->format) && strcmp(o->kid, k->kid) != 0)
    return "kid";
  if (strcmp(o->issuer, k->issuer) != 0)
    return "issuer";
  if (now_s < k->not_before_s || (k->retire_s && now_s >= k->retire_s))
    return "key";
  return key_fault(k);
}

/* audience_is: one text or an array of them, RFC 7519 section 4.1.3. */
static bool audience_is(const json_t *aud, const char *ours) {
  size_t n = json_is_array(aud) ? json_array_size(aud) : 1;
  for (size_t i = 0; ours[0] && i < n; i++) {
    const char *one = json_string_value(json_is_array(aud) ? json_array_get(aud, i) : aud);
    if (one && strcmp(one, ours) == 0)
      return true;
  }
  return false;
}

static int64_t life_limit(const struct token_key *k) {
  const struct token_ops *ops = OPS[k->format];
  if (!k->max_ttl_s)
    return ops->ttl_s;
  return ops->max_ttl_s && ops->max_ttl_s < k->max_ttl_s ? ops->max_ttl_s : k->max_ttl_s;
}

static const char *check_times(const struct token_claims *c, int64_t limit_s, int64_t leeway_s,
                               int64_t now_s) {
  int64_t from_s = c->iat_s ? c->iat_s : now_s;
  if (now_s - leeway_s >= c->exp_s)
    return "expired";
  if (c->iat_s - leeway_s > now_s)
    return "iat";
  if (c->nbf_s - leeway_s > now_s)
    return "not_yet";
  return (c->iat_s && c->exp_s <= c->iat_s) || (limit_s && c->exp_s - from_s > limit_s) ? "ttl" : NULL;
}

static const char *verify(const struct token_open *o, const struct token_key *key, int64_t now_s,
                          struct token_claims *out) {
  const struct token_ops *ops = OPS[key->format];
  const char *why = match_key(o, key, now_s);
  if (why)
    return why;
  if (!ops->check(o, key))
    return TOKEN_FORGED;
  if (is_own(key->format) && !audience_is(json_object_get(o->jwt.claims, "aud"), key->audience))
    return "audience";
  why = token_read(o, key->scopes, now_s, out);
  if (why)
    return why;
  out->scopes &= key->scopes;
  int64_t limit_s = life_limit(key);
  if (key->format == TOKEN_CUBE) /* it has no end of its own */
    out->exp_s = out->iat_s + limit_s;
  return check_times(out, limit_s, ops->leeway_s, now_s);
}

enum err token_verify(const char *text, size_t n, const struct token_key *key, int64_t now_s,
                      struct token_claims *out, const char **why) {
  assert(key->format < TOKEN__COUNT);
  struct token_open o;
  memset(out, 0, sizeof *out);
  *why = token_open(text, n, &o);
  if (!*why)
    *why = verify(&o, key, now_s, out);
  token_close(&o);
  if (*why)
    memset(out, 0, sizeof *out);
  return *why ? ERR_BAD_TOKEN : ERR_OK;
}

/* prove: does the new token say what was asked, by our own rules? So minting needs no rules of its own. */
static const char *prove(const char *text, const struct token_key *key, const struct token_claims *asked) {
  struct token_key check = *key;
  struct token_claims got = {0};
  const char *why;
  if (key->format == TOKEN_EDDSA)
    ed25519_public(key->secret, check.secret);
  (void)!token_verify(text, strlen(text), &check, asked->iat_s, &got, &why);
  OPENSSL_cleanse(&check, sizeof check);
  if (why)
    return why;
  if (asked->subject[0] && key->format != TOKEN_OPENTOK && strcmp(got.subject, asked->subject) != 0)
    return "subject";
  if (got.room[0] && strcmp(got.room, asked->room) != 0)
    return "room";
  return is_own(key->format) && got.scopes != asked->scopes ? "scope" : NULL;
}

static const char *mint(const struct token_key *key, const struct token_claims *claims,
                        const struct token_extra *x, struct rng *rng, char **out) {
  struct token_claims c = *claims;
  struct token_extra extra = *x;
  const char *why = key_fault(key);
  if (why)
    return why;
  if (c.iat_s <= 0)
    return "iat";
  if (!c.jti[0])
    rng_token(rng, c.jti, 22);
  if (!extra.nonce)
    extra.nonce = (uint32_t)rng_below(rng, INT32_MAX) + 1;
  *out = OPS[key->format]->mint(key, &c, &extra, &why);
  if (!*out)
    return why ? why : "claims";
  why = prove(*out, key, claims);
  if (why) {
    free(*out);
    *out = NULL;
  }
  return why;
}

enum err token_mint(const struct token_key *key, const struct token_claims *claims,
                    const struct token_extra *x, struct rng *rng, char **out, const char **why) {
  assert(key->format < TOKEN__COUNT);
  *out = NULL;
  *why = mint(key, claims, x, rng, out);
  return *why ? ERR_BAD_ARG : ERR_OK;
}
