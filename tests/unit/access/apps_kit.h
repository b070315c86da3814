/* apps_kit.h: who may enter, over a store in memory and an injected time; and tokens for it. */
#ifndef GAVEL_TESTS_APPS_KIT_H
#define GAVEL_TESTS_APPS_KIT_H

#include "core/access/apps_private.h"
#include "core/auth/token_tool.h"
#include "core/wire/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WALL INT64_C(1700000000000)

struct kit {
  struct rng rng;
  struct store *store;
  struct access *a;
  int64_t wall_ms;
  char why[128]; /* of the last refusal */
};

static inline void kit_open(struct kit *k) {
  struct access_config c = {.store = k->store, .rng = &k->rng, .audience = "here", .audit_days = 180};
  char why[256] = "";
  assert_int_equal(access_open(&c, k->wall_ms, &k->a, why), ERR_OK);
}

static inline struct kit *kit_make(void) {
  static const uint8_t KEY[32] = {3};
  struct kit *k = calloc(1, sizeof *k);
  assert_non_null(k);
  char why[256] = "";
  k->wall_ms = WALL;
  rng_seed(&k->rng, 7);
  assert_int_equal(store_open(":memory:", KEY, &k->rng, &k->store, why), ERR_OK);
  kit_open(k);
  return k;
}

static inline void kit_commit(struct kit *k) {
  assert_int_equal(access_error(k->a), ERR_OK);
  assert_int_equal(store_commit(k->store), ERR_OK);
}

/* As after a restart: only what was committed is known. */
static inline void kit_restart(struct kit *k) {
  kit_commit(k);
  access_close(k->a);
  kit_open(k);
}

static inline void kit_free(struct kit *k) {
  access_close(k->a);
  store_close(k->store);
  free(k);
}

static inline void later(struct kit *k, int64_t ms) {
  k->wall_ms += ms;
  access_tick(k->a, k->wall_ms);
}

/* Calls a method; the reply may be NULL where nobody looks at it. Steals params. */
static inline enum err call(struct kit *k, const char *method, json_t *params, json_t **reply) {
  const char *why = NULL;
  json_t *body = json_object();
  assert_non_null(params);
  enum err e = access_call(k->a, "operator", method, params, body, &why);
  snprintf(k->why, sizeof k->why, "%s", why ? why : "");
  json_decref(params);
  if (reply)
    *reply = body;
  else
    json_decref(body);
  return e;
}

/* An application; its first key as a record to make tokens with. */
static inline struct token_key app_make(struct kit *k, const char *name) {
  json_t *r;
  struct token_key key = {.format = TOKEN_HS256, .scopes = SCOPE_ALL, .max_ttl_s = TOKEN_TTL_MAX_S};
  assert_int_equal(call(k, "app.create", json_pack("{s:s}", "app", name), &r), ERR_OK);
  const char *secret = json_str(r, "key", "");
  key.n_secret = strlen(secret);
  assert_true(key.n_secret >= 32 && key.n_secret <= sizeof key.secret);
  memcpy(key.secret, secret, key.n_secret);
  snprintf(key.kid, sizeof key.kid, "%s", json_str(r, "kid", ""));
  snprintf(key.issuer, sizeof key.issuer, "%s", name);
  snprintf(key.audience, sizeof key.audience, "here");
  json_decref(r);
  return key;
}

/* A token for ten minutes. jti "" draws one. */
static inline char *token_of(struct kit *k, const struct token_key *key, const char *subject,
                             const char *room, const char *jti, unsigned scopes) {
  struct token_claims t = {.iat_s = k->wall_ms / 1000, .exp_s = k->wall_ms / 1000 + 600, .scopes = scopes};
  char *text = NULL;
  const char *why = NULL;
  t.format = key->format;
  snprintf(t.kid, sizeof t.kid, "%s", key->kid);
  snprintf(t.issuer, sizeof t.issuer, "%s", key->issuer);
  snprintf(t.subject, sizeof t.subject, "%s", subject);
  snprintf(t.room, sizeof t.room, "%s", room);
  snprintf(t.jti, sizeof t.jti, "%s", jti);
  enum err e = token_mint(key, &t, &(struct token_extra){0}, &k->rng, &text, &why);
  if (e != ERR_OK)
    print_message("not minted: %s\n", why ? why : "");
  assert_int_equal(e, ERR_OK);
  return text;
}

/* Shows a fresh token for a room; enters when it is good. */
static inline enum err enter(struct kit *k, const struct token_key *key, const char *subject,
                             const char *room, const char *jti, struct grant *g) {
  char *text = token_of(k, key, subject, room, jti, SCOPE_JOIN | SCOPE_SPEAK);
  enum err e = access_token(k->a, text, room, NULL, g);
  if (e == ERR_OK)
    e = access_enter(k->a, g);
  free(text);
  return e;
}

#endif
