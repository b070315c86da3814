/* foreign_samba.c: Digital Samba's JWT: HS256 by the developer key; td team, rd room, ud user. */
#include "core/auth/token_private.h"
#include "core/base/text.h"

#include <string.h>

#define DAY_S 86400

static bool check(const struct token_open *o, const struct token_key *key) {
  return jwt_check(&o->jwt, JWT_HS256, key->secret, key->n_secret);
}

/* optional: a time that may be left out. */
static bool optional_time(const json_t *c, const char *key, int64_t *out) {
  return !json_object_get(c, key) || token_claim_time(c, key, out);
}

static const char *read_claims(const struct token_open *o, unsigned ceiling, int64_t now_s,
                               struct token_claims *out) {
  (void)ceiling, (void)now_s;
  const json_t *c = o->jwt.claims;
  const char *name = json_string_value(json_object_get(c, "u"));
  char role[32] = "attendee"; /* the least, when it says none */
  if (!token_claim_text(c, "rd", out->room, sizeof out->room))
    return "room";
  if (!json_object_get(c, "ud"))
    token_anonymous(o->jwt.sig, o->jwt.n_sig, out->subject);
  else if (!token_claim_text(c, "ud", out->subject, sizeof out->subject))
    return "subject";
  if (!token_claim_time(c, "exp", &out->exp_s) || !optional_time(c, "iat", &out->iat_s) ||
      !optional_time(c, "nbf", &out->nbf_s))
    return "claims";
  text_show(name ? name : "", false, out->name, sizeof out->name);
  if (json_object_get(c, "role") && !token_claim_text(c, "role", role, sizeof role))
    return "role";
  return token_role(TOKEN_SAMBA, role, &out->scopes) ? NULL : "role";
}

static char *mint(const struct token_key *key, const struct token_claims *c, const struct token_extra *x,
                  const char **why) {
  (void)x;
  const char *role = token_role_for(TOKEN_SAMBA, c->scopes);
  if (!role) {
    *why = "role";
    return NULL;
  }
  json_t *claims = json_pack("{ss ss ss* ss* ss sI sI sI}", "td", key->issuer, "rd", c->room, "ud",
                             c->subject[0] ? c->subject : NULL, "u", c->name[0] ? c->name : NULL, "role",
                             role, "iat", (json_int_t)c->iat_s, "nbf",
                             (json_int_t)(c->nbf_s ? c->nbf_s : c->iat_s), "exp", (json_int_t)c->exp_s);
  return jwt_make(JWT_HS256, "JWT", NULL, claims, key->secret, key->n_secret);
}

const struct token_ops TOKEN_OPS_SAMBA = {check, read_claims, mint, DAY_S, DAY_S, TOKEN_LEEWAY_S};
