/* entering_kit.h: a control plane with applications, their tokens and the sessions of accounts. Tests only.
 */
#ifndef GAVEL_TESTS_ENTERING_KIT_H
#define GAVEL_TESTS_ENTERING_KIT_H

#include "core/access/accounts.h"
#include "core/auth/token_tool.h"
#include "core/server/control_private.h"
#include "tests/unit/server/control_kit.h"

static inline struct kit *make(const char *file, struct access_config rules) {
  struct kit *k = kit_make(file);
  control_destroy(k->c);
  struct control_config c = {.store = k->store,
                             .rng = &k->rng,
                             .media_threads = 1,
                             .access = rules,
                             .media = on_media,
                             .want_write = on_want_write,
                             .ctx = k};
  c.access.audience = "here";
  c.access.audit_days = 180;
  snprintf(c.link.host, sizeof c.link.host, "test.example");
  c.link.port = 443;
  char why[256] = "";
  assert_int_equal(control_create(&c, k->now, WALL + k->now / US_PER_MS, &k->c, why), ERR_OK);
  return k;
}

/* The operator asks; the result, or NULL with the code. */
static inline json_t *operate(struct kit *k, const char *method, json_t *params, char code[48]) {
  uint32_t conn = open_conn(k, true);
  char *text = rpc_request(1, method, params);
  say(k, conn, text);
  free(text);
  json_t *o = answer(k, conn, 1), *result = json_incref(json_object_get(o, "result"));
  code_of(o, code);
  control_closed(k->c, conn);
  return result;
}

static inline void operate_ok(struct kit *k, const char *method, json_t *params) {
  char code[48];
  json_decref(operate(k, method, params, code));
  assert_string_equal(code, "ok");
}

static inline struct token_key app_make(struct kit *k, const char *name) {
  char code[48];
  json_t *r = operate(k, "app.create", json_pack("{s:s,s:b}", "app", name, "lobby", 0), code);
  struct token_key key = {.format = TOKEN_HS256, .scopes = SCOPE_ALL, .max_ttl_s = TOKEN_TTL_MAX_S};
  assert_string_equal(code, "ok");
  const char *secret = json_str(r, "key", "");
  memcpy(key.secret, secret, key.n_secret = strlen(secret));
  snprintf(key.kid, sizeof key.kid, "%s", json_str(r, "kid", ""));
  snprintf(key.issuer, sizeof key.issuer, "%s", name);
  snprintf(key.audience, sizeof key.audience, "here");
  json_decref(r);
  return key;
}

static inline char *token(struct kit *k, const struct token_key *key, const char *who, const char *room,
                          const char *jti, unsigned scopes) {
  tick(k, 0);
  int64_t now_s = (WALL + k->now / US_PER_MS) / 1000;
  struct token_claims t = {.format = key->format, .iat_s = now_s, .exp_s = now_s + 600, .scopes = scopes};
  const char *why = NULL;
  char *text = NULL;
  snprintf(t.kid, sizeof t.kid, "%s", key->kid);
  snprintf(t.issuer, sizeof t.issuer, "%s", key->issuer);
  snprintf(t.subject, sizeof t.subject, "%s", who);
  snprintf(t.room, sizeof t.room, "%s", room);
  snprintf(t.jti, sizeof t.jti, "%s", jti);
  assert_int_equal(token_mint(key, &t, &(struct token_extra){0}, &k->rng, &text, &why), ERR_OK);
  return text;
}

/* room.join on a connection of its own; the answer in *o when asked for. */
static inline uint32_t enter(struct kit *k, json_t *params, const char *code, json_t **o) {
  uint32_t conn = open_conn(k, false);
  char *text = rpc_request(1, "room.join", params), got[48];
  say(k, conn, text);
  free(text);
  json_t *a = answer(k, conn, 1);
  if (o)
    *o = json_incref(a);
  assert_string_equal(code_of(a, got), code);
  return conn;
}

static inline uint32_t by_token(struct kit *k, const struct token_key *key, const char *who, const char *room,
                                unsigned scopes, const char *code, json_t **o) {
  char *t = token(k, key, who, room, "", scopes);
  uint32_t conn = enter(k, json_pack("{s:s,s:s,s:s}", "room", room, "name", "Someone", "token", t), code, o);
  free(t);
  return conn;
}

static inline const json_t *me_of(json_t *o) {
  json_t *r = json_object_get(o, "result"), *m;
  size_t i;
  json_array_foreach(json_object_get(json_object_get(r, "room"), "members"), i,
                     m) if (json_int(m, "id", -1) == json_int(r, "me", -2)) return m;
  return NULL;
}

#define SPEAKER (SCOPE_JOIN | SCOPE_SPEAK | SCOPE_CHAT)

/* A session as `gavel login` gets it, of an account that may everything. */
static inline char *session_of_account(struct kit *k, const char *name, const char *scope, bool mfa) {
  static const char PHC[] =
      "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
  char scopes[SCOPE_TEXT_MAX], code[48];
  struct access *a = k->c->access;
  scope_format(SCOPE_ALL, scopes);
  json_decref(operate(k, "account.create",
                      json_pack("{s:s,s:s,s:s}", "name", name, "phc", PHC, "scopes", scopes), code));
  json_t *about = operate(k, "user.show", json_pack("{s:s}", "user", name), code), *d = json_object(),
         *t = json_object();
  assert_int_equal(oauth_device_start(a, "gavel", scope, "", k->addr, d), ERR_OK);
  assert_int_equal(
      oauth_device_decide(a, json_str(d, "user_code", ""), json_str(about, "pid", ""), mfa, true), ERR_OK);
  assert_int_equal(oauth_device_poll(a, "gavel", json_str(d, "device_code", ""), k->addr, t), ERR_OK);
  char *token = strdup(json_str(t, "access_token", ""));
  assert_int_equal(control_commit(k->c), ERR_OK);
  json_decref(about);
  json_decref(d);
  json_decref(t);
  return token;
}

static inline char *session(struct kit *k, const char *scope, bool mfa) {
  return session_of_account(k, "ann", scope, mfa);
}

static inline uint32_t by_session(struct kit *k, const char *token, const struct link *l, const char *code,
                                  json_t **o) {
  char secret[48];
  b64url_encode(l->secret, 32, secret);
  return enter(k,
               json_pack("{s:s,s:s,s:s,s:s,s:s}", "room", l->room, "app", l->app, "name", "Ann", "token",
                         token, "invite", secret),
               code, o);
}

#endif
