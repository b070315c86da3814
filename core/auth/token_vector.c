/* token_vector.c: one test vector (a JSON object of tests/vectors/jwt) against token_verify: for `gavelctl
 * selftest jwt` and for the unit test. */
#include "core/auth/token_tool.h"
#include "core/base/bytes.h"
#include "core/wire/json.h"

#include <stdio.h>
#include <string.h>

static bool read_key(const json_t *k, struct token_key *key) {
  const char *secret = json_str(k, "secret", "");
  memset(key, 0, sizeof *key);
  key->format = token_format_find(json_str(k, "format", ""));
  key->n_secret = strlen(secret) / 2;
  snprintf(key->kid, sizeof key->kid, "%s", json_str(k, "kid", ""));
  snprintf(key->issuer, sizeof key->issuer, "%s", json_str(k, "issuer", ""));
  snprintf(key->audience, sizeof key->audience, "%s", json_str(k, "audience", ""));
  key->not_before_s = json_int(k, "not_before", 0);
  key->retire_s = json_int(k, "retire", 0);
  key->max_ttl_s = json_int(k, "max_ttl", 0);
  return key->format < TOKEN__COUNT && key->n_secret <= TOKEN_KEY_MAX &&
         hex_decode(secret, 2 * key->n_secret, key->secret) &&
         scope_parse(json_str(k, "scopes", ""), true, &key->scopes) == ERR_OK;
}

static bool same(const struct token_claims *c, const json_t *want) {
  char scopes[SCOPE_TEXT_MAX];
  scope_format(c->scopes, scopes);
  return strcmp(c->subject, json_str(want, "subject", "")) == 0 &&
         strcmp(c->room, json_str(want, "room", "")) == 0 &&
         strcmp(c->name, json_str(want, "name", "")) == 0 && strcmp(c->jti, json_str(want, "jti", "")) == 0 &&
         strcmp(scopes, json_str(want, "scopes", "")) == 0 && c->exp_s == json_int(want, "exp", 0);
}

bool token_vector(const json_t *v, const char **got) {
  const json_t *text = json_object_get(v, "token"), *want = json_object_get(v, "claims");
  const char *why = json_string_value(json_object_get(v, "why"));
  struct token_key key;
  struct token_claims c;
  *got = "not a vector";
  if (!read_key(json_object_get(v, "key"), &key) || !json_is_string(text) || !why == !want)
    return false;
  enum err e =
      token_verify(json_string_value(text), json_string_length(text), &key, json_int(v, "now", 0), &c, got);
  if (e != ERR_OK)
    return why && strcmp(*got, why) == 0;
  *got = "accepted";
  if (why)
    return false;
  *got = same(&c, want) ? "accepted" : "other claims";
  return same(&c, want);
}
