/* accounts_kit.h: who may enter over a store in memory, with a clock that the test turns. Tests only. */
#ifndef GAVEL_TESTS_ACCOUNTS_KIT_H
#define GAVEL_TESTS_ACCOUNTS_KIT_H

#include "core/access/access_private.h"
#include "core/access/accounts.h"
#include "core/auth/base32.h"
#include "core/auth/totp.h"
#include "core/wire/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define START_MS INT64_C(1800000000000)
#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
/* Records of argon2id as gavelctl would send them: what they compare with is the worker's, not tested here.
 */
#define PHC "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
#define PHC_OTHER "$argon2id$v=19$m=19456,t=2,p=1$b3RoZXJzYWx0$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
#define BASE "https://gavel.example:8443"

struct kit {
  struct store *store;
  struct rng rng;
  struct access_config cfg;
  struct access *a;
  int64_t now_ms;
  char pid[ACCESS_PID_MAX + 1];
  bool mfa;
  int retry_s;
  char why[256];
};

static const uint8_t HOME[16] = {[10] = 0xff, [11] = 0xff, [12] = 192, [13] = 0, [14] = 2, [15] = 7};
static const uint8_t NEIGHBOUR[16] = {[10] = 0xff, [11] = 0xff, [12] = 192, [13] = 0, [14] = 2, [15] = 200};
static const uint8_t ABROAD[16] = {[10] = 0xff, [11] = 0xff, [12] = 198, [13] = 51, [14] = 100, [15] = 9};
static const uint8_t V6[16] = {0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1};

static inline int kit_setup(void **state) {
  struct kit *k = calloc(1, sizeof *k);
  assert_non_null(k);
  rng_seed(&k->rng, 42);
  assert_int_equal(store_open(":memory:", NULL, rng_system(), &k->store, k->why), ERR_OK);
  k->cfg = (struct access_config){.store = k->store,
                                  .rng = &k->rng,
                                  .audience = "gavel.example",
                                  .chat_days = 30,
                                  .quality_days = 30,
                                  .audit_days = 180};
  k->now_ms = START_MS;
  assert_int_equal(access_open(&k->cfg, k->now_ms, &k->a, k->why), ERR_OK);
  *state = k;
  return 0;
}

static inline int kit_teardown(void **state) {
  struct kit *k = *state;
  access_close(k->a);
  store_close(k->store);
  free(k);
  return 0;
}

static inline void kit_commit(struct kit *k) {
  assert_int_equal(access_error(k->a), ERR_OK);
  assert_int_equal(store_commit(k->store), ERR_OK);
}

static inline void kit_pass(struct kit *k, int64_t ms) {
  k->now_ms += ms;
  access_tick(k->a, k->now_ms);
}

/* gaveld stops and starts again. */
static inline void kit_restart(struct kit *k) {
  kit_commit(k);
  access_close(k->a);
  k->a = NULL;
  assert_int_equal(access_open(&k->cfg, k->now_ms, &k->a, k->why), ERR_OK);
}

/* A method of gavelctl; the reply (borrowed until the next call) or NULL. Params as json_pack would have
 * them. */
static inline enum err kit_call(struct kit *k, const char *method, json_t *params, json_t **reply) {
  const char *why = NULL;
  json_t *r = json_object();
  enum err e = access_call(k->a, "operator", method, params, r, &why);
  json_decref(params);
  if (reply)
    *reply = r;
  else
    json_decref(r);
  return e;
}

static inline void kit_account(struct kit *k, const char *name, const char *scopes) {
  assert_int_equal(kit_call(k, "account.create",
                            json_pack("{s:s,s:s,s:s}", "name", name, "phc", PHC, "scopes", scopes), NULL),
                   ERR_OK);
}

static inline enum err kit_login(struct kit *k, const char *name, bool right, const char *code,
                                 const uint8_t *addr) {
  struct login_try t;
  enum err e = login_begin(k->a, name, addr, &t, &k->retry_s);
  if (e == ERR_OK)
    e = login_end(k->a, name, &t, right, code, addr, &k->mfa);
  snprintf(k->pid, sizeof k->pid, "%s", e == ERR_OK ? t.pid : "");
  return e;
}

/* How many lines of the audit log are of this action. */
struct kit_count {
  const char *kind;
  int n;
};
static inline enum err kit_count_one(void *ctx, const struct store_record *r) {
  struct kit_count *c = ctx;
  c->n += strcmp(r->kind, c->kind) == 0;
  return ERR_OK;
}
static inline int kit_audited(struct kit *k, const char *action) {
  struct kit_count c = {.kind = action};
  kit_commit(k);
  assert_int_equal(store_replay(k->store, "audit", 0, kit_count_one, &c), ERR_OK);
  return c.n;
}

/* Enrols the account; the codes of its authenticator. */
struct kit_totp {
  uint8_t secret[TOTP_SECRET];
  char recovery[TOTP_RECOVERY_CODES][TOTP_RECOVERY_MAX];
};
static inline struct kit_totp kit_enrol(struct kit *k, const char *name) {
  struct kit_totp t;
  json_t *reply;
  assert_int_equal(kit_call(k, "account.totp", json_pack("{s:s}", "name", name), &reply), ERR_OK);
  const char *secret = json_str(reply, "secret", "");
  assert_int_equal(base32_decode(secret, strlen(secret), t.secret, sizeof t.secret), TOTP_SECRET);
  assert_int_equal(json_array_size(json_object_get(reply, "recovery")), TOTP_RECOVERY_CODES);
  for (size_t i = 0; i < TOTP_RECOVERY_CODES; i++)
    snprintf(t.recovery[i], TOTP_RECOVERY_MAX, "%s",
             json_string_value(json_array_get(json_object_get(reply, "recovery"), i)));
  json_decref(reply);
  return t;
}
static inline const char *kit_code(const struct kit *k, const struct kit_totp *t, int step) {
  static char text[8]; /* tests are one thread */
  uint64_t at = (uint64_t)(k->now_ms / 1000 / TOTP_STEP_S + step);
  snprintf(text, sizeof text, "%06u", totp_at(TOTP_SHA1, t->secret, TOTP_SECRET, at, 6));
  return text;
}

/* The device flow; the replies are the caller's. */
static inline json_t *kit_device(struct kit *k, const char *scope, const uint8_t *addr) {
  json_t *reply = json_object();
  assert_int_equal(oauth_device_start(k->a, "gavel", scope, BASE, addr, reply), ERR_OK);
  return reply;
}
static inline enum err kit_poll(struct kit *k, const json_t *device, json_t **tokens) {
  json_t *reply = json_object();
  enum err e = oauth_device_poll(k->a, "gavel", json_str(device, "device_code", ""), HOME, reply);
  if (e != ERR_OK)
    assert_string_equal(json_str(reply, "error", ""), err_code(e));
  if (tokens)
    *tokens = reply;
  else
    json_decref(reply);
  return e;
}
/* A session of an account from HOME: its token reply. */
static inline json_t *kit_session(struct kit *k, const char *name, const char *scope, bool mfa) {
  json_t *device = kit_device(k, scope, HOME), *tokens;
  assert_int_equal(kit_login(k, name, true, "", HOME), ERR_OK);
  assert_int_equal(oauth_device_decide(k->a, json_str(device, "user_code", ""), k->pid, mfa, true), ERR_OK);
  assert_int_equal(kit_poll(k, device, &tokens), ERR_OK);
  json_decref(device);
  return tokens;
}
#define ACCESS(tokens) json_str(tokens, "access_token", "")
#define REFRESH(tokens) json_str(tokens, "refresh_token", "")

#endif
