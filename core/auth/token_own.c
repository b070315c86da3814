/* token_own.c: the claims of our own JWT. */
#include "core/auth/token_private.h"
#include "core/wire/json.h"

#include <string.h>

static bool check(const struct token_open *o, const struct token_key *key) {
  return jwt_check(&o->jwt, key->format == TOKEN_EDDSA ? JWT_EDDSA : JWT_HS256, key->secret, key->n_secret);
}

static const char *read_claims(const struct token_open *o, unsigned ceiling, int64_t now_s,
                               struct token_claims *out) {
  (void)ceiling, (void)now_s;
  const json_t *c = o->jwt.claims;
  const char *scope = json_string_value(json_object_get(c, "scope"));
  if (!token_claim_text(c, "sub", out->subject, sizeof out->subject))
    return "subject";
  if (!token_claim_text(c, "room", out->room, sizeof out->room))
    return "room";
  if (!token_claim_text(c, "jti", out->jti, sizeof out->jti) || !token_claim_time(c, "exp", &out->exp_s) ||
      !token_claim_time(c, "iat", &out->iat_s))
    return "claims";
  if (json_object_get(c, "nbf") && !token_claim_time(c, "nbf", &out->nbf_s))
    return "claims";
  if (!scope || scope_parse(scope, false, &out->scopes) != ERR_OK)
    return "scope";
  if (json_object_get(c, "name") && !token_claim_text(c, "name", out->name, sizeof out->name))
    return "claims";
  if (strcmp(out->room, "*") == 0)
    out->room[0] = 0;
  return NULL;
}

static char *mint(const struct token_key *key, const struct token_claims *c, const struct token_extra *x,
                  const char **why) {
  (void)x, (void)why;
  char scope[SCOPE_TEXT_MAX];
  scope_format(c->scopes, scope);
  json_t *claims = json_pack("{ssssss sI sI ssssss}", "iss", key->issuer, "aud", key->audience, "sub",
                             c->subject, "exp", (json_int_t)c->exp_s, "iat", (json_int_t)c->iat_s, "jti",
                             c->jti, "room", c->room[0] ? c->room : "*", "scope", scope);
  if (claims && c->nbf_s)
    (void)json_object_set_new(claims, "nbf", json_integer(c->nbf_s));
  if (claims && c->name[0])
    (void)json_object_set_new(claims, "name", json_string(c->name));
  return jwt_make(key->format == TOKEN_EDDSA ? JWT_EDDSA : JWT_HS256, JWT_OWN_TYP, key->kid, claims,
                  key->secret, key->n_secret);
}

const struct token_ops TOKEN_OWN = {check, read_claims, mint, TOKEN_TTL_MAX_S, TOKEN_TTL_S, TOKEN_LEEWAY_S};
