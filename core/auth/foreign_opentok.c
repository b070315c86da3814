/* foreign_opentok.c: OpenTok's T1 tokens and its project JWTs.
 * T1: "T1==" base64("partner_id=KEY&sig=" hex(HMAC-SHA1(secret, DATA)) ":" DATA), DATA a query string. */
#include "core/auth/token_private.h"
#include "core/base/bytes.h"
#include "core/base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_S 86400
#define SHA1_LEN 20
#define DATA_MAX 1024 /* bytes of connection data: 1000 by the documentation */

const char *opentok_open_t1(const char *text, size_t n, struct token_open *o) {
  static const char partner[] = "partner_id=", sig[] = "&sig=";
  o->t1 = true;
  int len = token_b64(text + 4, n - 4, (uint8_t *)o->raw, sizeof o->raw - 1);
  if (len < 0)
    return "base64";
  const char *end = o->raw + len, *p = o->raw + sizeof partner - 1;
  const char *s = strncmp(o->raw, partner, sizeof partner - 1) == 0 ? strstr(p, sig) : NULL;
  const char *hex = s ? s + sizeof sig - 1 : end;
  if (end - hex <= 2 * SHA1_LEN || hex[2 * SHA1_LEN] != ':' || !hex_decode(hex, 2 * SHA1_LEN, o->sig))
    return "format";
  o->n_sig = SHA1_LEN;
  o->body = hex + 2 * SHA1_LEN + 1;
  o->n_body = (size_t)(end - o->body);
  return token_copy(o->issuer, sizeof o->issuer, p, (size_t)(s - p)) ? NULL : "issuer";
}

static bool check(const struct token_open *o, const struct token_key *key) {
  uint8_t mac[64];
  if (!o->t1)
    return jwt_check(&o->jwt, JWT_HS256, key->secret, key->n_secret);
  return token_hmac(EVP_sha1(), key->secret, key->n_secret, o->body, o->n_body, mac) == SHA1_LEN &&
         bytes_equal_ct(mac, o->sig, SHA1_LEN);
}

/* name_of: connection data is the application's own; a name in the two common spellings is shown. */
static void name_of(const char *data, char out[TOKEN_NAME_MAX + 1]) {
  char name[TOKEN_NAME_MAX + 1] = "";
  json_t *o = data[0] == '{' ? json_loads(data, JSON_REJECT_DUPLICATES, NULL) : NULL;
  if (o)
    (void)token_claim_text(o, "name", name, sizeof name);
  else if (token_field(data, strlen(data), "name", true, name, sizeof name) < 0)
    name[0] = 0;
  json_decref(o);
  text_show(name, false, out, TOKEN_NAME_MAX + 1);
}

/* field_text, field_time: a field of T1's data; absent is "" or 0, which the caller judges. */
static bool field_text(const struct token_open *o, const char *key, char *out, size_t cap) {
  return token_field(o->body, o->n_body, key, true, out, cap) >= 0;
}

static bool field_time(const struct token_open *o, const char *key, int64_t *out) {
  char text[24];
  return field_text(o, key, text, sizeof text) && (!text[0] || token_number(text, strlen(text), out));
}

static const char *read_t1(const struct token_open *o, struct token_claims *out, char *role, size_t n_role) {
  char data[DATA_MAX], session[TOKEN_ROOM_MAX + 1];
  if (!field_text(o, "session_id", session, sizeof session) ||
      !token_copy(out->room, sizeof out->room, session, strlen(session)))
    return "room";
  if (!field_time(o, "create_time", &out->iat_s) || !out->iat_s ||
      !field_time(o, "expire_time", &out->exp_s) || !field_text(o, "connection_data", data, sizeof data))
    return "claims";
  if (!out->exp_s)
    out->exp_s = out->iat_s + DAY_S;
  name_of(data, out->name);
  return field_text(o, "role", role, n_role) ? NULL : "role";
}

static const char *read_jwt(const struct token_open *o, struct token_claims *out, char *role, size_t n_role) {
  const json_t *c = o->jwt.claims, *data = json_object_get(c, "connection_data");
  char word[32];
  if (!token_claim_text(c, "session_id", out->room, sizeof out->room))
    return "room";
  if (!token_claim_time(c, "iat", &out->iat_s) || !token_claim_time(c, "exp", &out->exp_s) ||
      (data && (!json_is_string(data) || json_string_length(data) >= DATA_MAX)))
    return "claims";
  /* A project token for the REST interface is signed with the same key. */
  if (!token_claim_text(c, "ist", word, sizeof word) || strcmp(word, "project") != 0)
    return "claims";
  if (!token_claim_text(c, "scope", word, sizeof word) || strcmp(word, "session.connect") != 0)
    return "scope";
  if (data)
    name_of(json_string_value(data), out->name);
  return !json_object_get(c, "role") || token_claim_text(c, "role", role, n_role) ? NULL : "role";
}

static const char *read_claims(const struct token_open *o, unsigned ceiling, int64_t now_s,
                               struct token_claims *out) {
  (void)ceiling, (void)now_s;
  char role[32] = "";
  const char *why = (o->t1 ? read_t1 : read_jwt)(o, out, role, sizeof role);
  if (why)
    return why;
  if (o->t1)
    token_anonymous(o->sig, o->n_sig, out->subject);
  else
    token_anonymous(o->jwt.sig, o->jwt.n_sig, out->subject);
  return token_role(TOKEN_OPENTOK, role[0] ? role : "publisher", &out->scopes) ? NULL : "role";
}

/* put_encoded: percent-encoded, RFC 3986 section 2.3. */
static void put_encoded(char *out, size_t cap, const char *s) {
  for (; *s; s++) {
    char one[4] = {*s};
    if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~", *s))
      snprintf(one, sizeof one, "%%%02X", (unsigned)(unsigned char)*s);
    (void)text_append(out, cap, one);
  }
}

static char *mint_t1(const struct token_key *key, const struct token_claims *c, uint32_t nonce,
                     const char *role, const char *data) {
  char session[3 * TOKEN_ROOM_MAX + 1] = "", encoded[3 * DATA_MAX] = "", body[5000], all[6000],
                                    hex[2 * SHA1_LEN + 1];
  uint8_t mac[64];
  put_encoded(session, sizeof session, c->room);
  put_encoded(encoded, sizeof encoded, data);
  int n = snprintf(body, sizeof body,
                   "session_id=%s&create_time=%" PRId64 "&expire_time=%" PRId64 "&role=%s&nonce=%" PRIu32
                   "&initial_layout_class_list=%s%s",
                   session, c->iat_s, c->exp_s, role, nonce, data[0] ? "&connection_data=" : "", encoded);
  token_hmac(EVP_sha1(), key->secret, key->n_secret, body, (size_t)n, mac);
  hex_encode(mac, SHA1_LEN, hex);
  n = snprintf(all, sizeof all, "partner_id=%s&sig=%s:%s", key->issuer, hex, body);
  return token_b64_make("T1==", all, (size_t)n);
}

static char *mint(const struct token_key *key, const struct token_claims *c, const struct token_extra *x,
                  const char **why) {
  char data[DATA_MAX] = "";
  const char *role = token_role_for(TOKEN_OPENTOK, c->scopes);
  if (!role) {
    *why = "role";
    return NULL;
  }
  if (c->name[0]) {
    (void)text_append(data, sizeof data, "name=");
    put_encoded(data, sizeof data, c->name);
  }
  if (x->t1)
    return mint_t1(key, c, x->nonce, role, data);
  json_t *claims =
      json_pack("{ssss sI sI ss ss ss ss sI}", "session_id", c->room, "role", role, "iat",
                (json_int_t)c->iat_s, "exp", (json_int_t)c->exp_s, "scope", "session.connect",
                "connection_data", data, "iss", key->issuer, "ist", "project", "nonce", (json_int_t)x->nonce);
  return jwt_make(JWT_HS256, "JWT", NULL, claims, key->secret, key->n_secret);
}

const struct token_ops TOKEN_OPS_OPENTOK = {check, read_claims, mint, 30 * DAY_S, 30 * DAY_S, TOKEN_LEEWAY_S};
