/* keys.c: the keys of applications. What is secret of a key stands nowhere in the clear: its document and its
 * record in memory hold it sealed under a key derived for it, and it is opened only while a token is
 * verified. */
#include "core/access/apps_private.h"
#include "core/auth/token_tool.h"
#include "core/base/bytes.h"
#include "core/base/ed25519.h"
#include "core/base/log.h"
#include "core/wire/json.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WRAP_SECRET "access.wrap" /* of the store: what the keys of keys are derived from */
#define HS256_LEAST 32            /* RFC 7518 section 3.2 */

struct app_key *key_find(const struct access *a, const char *kid) {
  return map_get(a->apps->keys, kid, strlen(kid));
}

/* ---- sealing ---- */

/* The key that seals the key `kid`; made with the first one. */
static enum err wrap_key(struct access *a, const char *kid, uint8_t out[SEAL_KEY]) {
  uint8_t root[SEAL_KEY];
  size_t n = sizeof root;
  unsigned len = SEAL_KEY;
  enum err e = store_get_secret(a->cfg.store, WRAP_SECRET, root, &n);
  if (e == ERR_NO_ROOM) {
    a->cfg.rng->fill(a->cfg.rng, root, sizeof root);
    e = store_put_secret(a->cfg.store, WRAP_SECRET, root, n = sizeof root);
  }
  if (e == ERR_OK && (n != sizeof root || !HMAC(EVP_sha256(), root, (int)sizeof root, (const uint8_t *)kid,
                                                strlen(kid), out, &len)))
    e = ERR_DB_CORRUPT;
  explicit_bzero(root, sizeof root);
  return e;
}

static void label_of(const struct app_key *k, char out[160]) {
  snprintf(out, 160, "app key %s of %s", k->kid, k->app);
}

static enum err key_close(struct access *a, struct app_key *k, const uint8_t *secret, size_t n) {
  uint8_t wrap[SEAL_KEY];
  char label[160];
  label_of(k, label);
  enum err e = wrap_key(a, k->kid, wrap);
  if (e == ERR_OK) {
    seal_close(wrap, a->cfg.rng, label, secret, n, k->sealed);
    k->n_sealed = n + SEAL_OVERHEAD;
  }
  explicit_bzero(wrap, sizeof wrap);
  return e;
}

static bool key_open(struct access *a, const struct app_key *k, struct token_key *out) {
  uint8_t wrap[SEAL_KEY];
  char label[160];
  label_of(k, label);
  *out = (struct token_key){.format = k->format,
                            .n_secret = k->n_sealed - SEAL_OVERHEAD,
                            .retire_s = k->retire_s,
                            .max_ttl_s = k->ttl_s,
                            .scopes = k->scopes};
  memcpy(out->kid, k->kid, sizeof out->kid);
  memcpy(out->issuer, k->issuer, sizeof out->issuer);
  snprintf(out->audience, sizeof out->audience, "%s", a->cfg.audience ? a->cfg.audience : "");
  bool ok =
      wrap_key(a, k->kid, wrap) == ERR_OK && seal_open(wrap, label, k->sealed, k->n_sealed, out->secret);
  explicit_bzero(wrap, sizeof wrap);
  if (!ok)
    log_event(LOG_ERROR, "a key of an application does not open", "kid", k->kid, NULL);
  return ok;
}

/* ---- documents ---- */

static void key_put(struct access *a, const struct app_key *k) {
  char sealed[2 * sizeof k->sealed + 1];
  hex_encode(k->sealed, k->n_sealed, sealed);
  doc_put(a, "key", k->kid, "",
          json_pack("{s:s,s:s,s:s,s:I,s:I,s:I,s:I,s:b,s:s}", "app", k->app, "issuer", k->issuer, "format",
                    token_format_word(k->format), "scopes", (json_int_t)k->scopes, "since",
                    (json_int_t)k->since_ms, "retire", (json_int_t)k->retire_s, "ttl", (json_int_t)k->ttl_s,
                    "revoked", k->revoked, "sealed", sealed));
}

static struct app_key *key_keep(struct access *a, const struct app_key *fresh) {
  struct app_key *k = malloc(sizeof *k);
  if (!k)
    abort();
  *k = *fresh;
  map_put(a->apps->keys, k->kid, strlen(k->kid), k);
  return k;
}

static enum err key_read(void *ctx, const char *id, const char *pid, const char *text) {
  json_t *doc = json_loads(text, 0, NULL);
  struct app_key k = {.format = token_format_find(json_str(doc, "format", "")),
                      .scopes = (unsigned)json_int(doc, "scopes", 0) & SCOPE_ALL,
                      .since_ms = json_int(doc, "since", 0),
                      .retire_s = json_int(doc, "retire", 0),
                      .ttl_s = json_int(doc, "ttl", 0),
                      .revoked = json_flag(doc, "revoked", true)};
  const char *sealed = json_str(doc, "sealed", "");
  size_t n = strlen(sealed);
  (void)pid;
  snprintf(k.kid, sizeof k.kid, "%s", id);
  snprintf(k.app, sizeof k.app, "%s", json_str(doc, "app", ""));
  snprintf(k.issuer, sizeof k.issuer, "%s", json_str(doc, "issuer", ""));
  bool ok = k.format < TOKEN__COUNT && n <= 2 * sizeof k.sealed && hex_decode(sealed, n, k.sealed) &&
            (k.revoked || n / 2 > SEAL_OVERHEAD);
  k.n_sealed = n / 2;
  json_decref(doc);
  if (ok)
    (void)key_keep(ctx, &k);
  return ok ? ERR_OK : ERR_DB_CORRUPT;
}

enum err keys_load(struct access *a) {
  return store_each_doc(a->cfg.store, "key", NULL, key_read, a);
}

void keys_forget(struct access *a, const char *app) {
  struct app_key *k;
  for (size_t at = 0; (k = map_next(a->apps->keys, &at));)
    if (strcmp(k->app, app) == 0) {
      doc_del(a, "key", k->kid);
      free(map_del(a->apps->keys, k->kid, strlen(k->kid)));
      at = 0; /* the map has changed */
    }
}

/* ---- verifying ---- */

static bool is_own(enum token_format f) {
  return f == TOKEN_HS256 || f == TOKEN_EDDSA;
}

/* Whether a token that looks like this and names these could be by this key: the algorithm is the key's. */
static bool key_fits(const struct app_key *k, enum token_format f, const char *kid, const char *issuer) {
  if (k->revoked)
    return false;
  if (is_own(f))
    return is_own(k->format) && strcmp(k->kid, kid) == 0;
  return k->format == f && strcmp(k->issuer, issuer) == 0;
}

enum err key_verify(struct access *a, const char *token, struct token_claims *out, const struct app_key **key,
                    const char **why) {
  enum token_format f;
  char kid[TOKEN_KID_MAX + 1], issuer[TOKEN_ISSUER_MAX + 1];
  size_t n = strlen(token);
  enum err e = token_peek(token, n, &f, kid, issuer, why);
  if (e != ERR_OK)
    return e;
  *why = "key";
  e = ERR_BAD_TOKEN;
  struct app_key *k;
  for (size_t at = 0; e != ERR_OK && (k = map_next(a->apps->keys, &at));) {
    struct token_key plain;
    if (!key_fits(k, f, kid, issuer))
      continue;
    const char *fault = NULL;
    if (key_open(a, k, &plain))
      e = token_verify(token, n, &plain, a->wall_ms / 1000, out, &fault);
    if (fault && (strcmp(*why, "key") == 0 || strcmp(*why, TOKEN_FORGED) == 0))
      *why = fault; /* of several keys the one that made it says what is wrong */
    explicit_bzero(&plain, sizeof plain);
    *key = k;
  }
  return e;
}

/* ---- minting for back ends ---- */

static const struct app_key *key_to_mint(const struct access *a, const char *app) {
  const struct app_key *k, *best = NULL;
  for (size_t at = 0; (k = map_next(a->apps->keys, &at));)
    if (strcmp(k->app, app) == 0 && k->format == TOKEN_HS256 && !k->revoked && !k->retire_s &&
        (!best || k->since_ms > best->since_ms))
      best = k;
  return best;
}

/* What a token for somebody may say. */
static const char *mint_fault(const struct app_key *k, const struct token_claims *t) {
  char user[ACCESS_USER_MAX + 1], slug[64];
  if (t->exp_s > (k->ttl_s ? k->ttl_s : TOKEN_TTL_S))
    return "expires_in is longer than the key allows";
  if (t->scopes & ~(k->scopes & SCOPE_ROOMS))
    return "the key does not give these scopes, or they are none of a room";
  if (user_format(t->subject, k->app, user) != ERR_OK)
    return "user is up to 64 bytes of text";
  if (t->room[0] && (strcmp(t->room, "*") == 0 || !access_room(t->room, slug)))
    return "room is the name of one room, or left out"; /* in a token `*` is any */
  return NULL;
}

static enum err mint(struct access *a, const struct app_key *k, struct token_claims *t, json_t *reply,
                     const char **why) {
  struct token_key plain;
  char *text = NULL;
  *why = mint_fault(k, t);
  if (*why)
    return ERR_BAD_ARG;
  id_new(a, t->jti);
  t->iat_s = a->wall_ms / 1000;
  t->exp_s += t->iat_s;
  enum err e = key_open(a, k, &plain)
                   ? token_mint(&plain, t, &(struct token_extra){0}, a->cfg.rng, &text, why)
                   : ERR_DB_CORRUPT;
  explicit_bzero(&plain, sizeof plain);
  if (e != ERR_OK)
    return e;
  json_object_set_new(reply, "token", json_string(text));
  json_object_set_new(reply, "kid", json_string(k->kid));
  json_object_set_new(reply, "jti", json_string(t->jti));
  json_object_set_new(reply, "expires_ms", json_integer((json_int_t)t->exp_s * 1000));
  explicit_bzero(text, strlen(text));
  free(text);
  return ERR_OK;
}

enum err access_mint(struct access *a, const char *app, struct token_claims *t, json_t *reply,
                     const char **why) {
  const struct app_key *k = key_to_mint(a, app);
  char slug[64] = "", scopes[SCOPE_TEXT_MAX];
  enum err e = k ? mint(a, k, t, reply, why) : ERR_NO_KEY;
  scope_format(t->scopes, scopes);
  json_t *meta = json_pack("{s:s,s:s}", "jti", t->jti, "scopes", scopes);
  if (!access_room(t->room, slug))
    slug[0] = '\0';
  audit_note(a, &(struct audit_entry){.action = "token.mint",
                                      .target = k ? k->kid : NULL,
                                      .app = app,
                                      .room = slug,
                                      .outcome = e,
                                      .meta = meta});
  json_decref(meta);
  return e;
}

/* ---- methods ---- */

enum err key_make(struct access *a, const char *app, char kid[TOKEN_KID_MAX + 1], char secret[KEY_TEXT_MAX]) {
  struct app_key k = {.format = TOKEN_HS256, .scopes = SCOPE_ALL, .since_ms = a->wall_ms};
  uint8_t raw[32];
  char id[17];
  if (map_count(a->apps->keys) >= APP_KEYS_MAX)
    return ERR_FULL;
  id_new(a, id);
  snprintf(k.kid, sizeof k.kid, "k-%s", id);
  snprintf(k.app, sizeof k.app, "%s", app);
  snprintf(k.issuer, sizeof k.issuer, "%s", app);
  a->cfg.rng->fill(a->cfg.rng, raw, sizeof raw);
  b64url_encode(raw, sizeof raw, secret);
  explicit_bzero(raw, sizeof raw);
  enum err e = key_close(a, &k, (const uint8_t *)secret, strlen(secret));
  if (e != ERR_OK)
    return e;
  key_put(a, key_keep(a, &k));
  memcpy(kid, k.kid, sizeof k.kid);
  return ERR_OK;
}

static bool kid_valid(const char *s) {
  size_t n = strlen(s);
  return n > 0 && n <= TOKEN_KID_MAX &&
         strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") == n;
}

static enum err read_key(struct access *a, const json_t *params, struct app_key *k, const char **why) {
  char id[17], fresh[TOKEN_KID_MAX + 1];
  id_new(a, id);
  snprintf(fresh, sizeof fresh, "k-%s", id);
  const char *kid = json_str(params, "kid", fresh), *issuer = json_str(params, "issuer", k->app);
  k->format = token_format_find(json_str(params, "format", ""));
  k->ttl_s = json_int(params, "ttl", 0);
  if (k->format == TOKEN__COUNT)
    *why = "format is one of jwt-hs256, jwt-eddsa, vidyo, opentok, agora, samba, connectycube";
  else if (!kid_valid(kid))
    *why = "kid is up to 64 of A-Z, a-z, 0-9, _ and -";
  else if (!is_own(k->format) && !json_object_get(params, "issuer"))
    *why = "issuer is missing: the id by which tokens of this format name the application there";
  else if (!*issuer || strlen(issuer) > TOKEN_ISSUER_MAX)
    *why = "issuer is how the tokens name the application, up to 64 bytes";
  else if (k->ttl_s < 0 || k->ttl_s > TOKEN_TTL_MAX_S)
    *why = "ttl is at most one day";
  else if (scope_parse(json_str(params, "scopes", ""), true, &k->scopes) != ERR_OK)
    *why = "scopes are words such as \"room:join room:speak\"";
  if (*why)
    return ERR_BAD_ARG;
  if (k->scopes == 0)
    k->scopes = SCOPE_ALL;
  snprintf(k->kid, sizeof k->kid, "%s", kid);
  snprintf(k->issuer, sizeof k->issuer, "%s", issuer);
  return key_find(a, kid) ? ERR_EXISTS : ERR_OK;
}

static enum err read_secret(const json_t *params, enum token_format f, uint8_t out[TOKEN_KEY_MAX], size_t *n,
                            const char **why) {
  const char *text = json_str(params, "secret", "");
  size_t len = strcspn(text, "\r\n");
  *n = 0;
  if (f == TOKEN_EDDSA) {
    *n = ed25519_read(text, strlen(text), false, out) ? ED25519_KEY : 0;
    *why = *n ? NULL : "the secret is the public key: PEM, 64 hex digits, or base64url";
  } else if (len == 0 || len > TOKEN_KEY_MAX)
    *why = "the secret is one line of up to 256 bytes";
  else if (f == TOKEN_HS256 && len < HS256_LEAST)
    *why = "the secret needs 32 bytes at least";
  else
    memcpy(out, text, *n = len);
  return *n && !*why ? ERR_OK : ERR_BAD_ARG;
}

enum err key_add(struct access *a, const json_t *params, json_t *reply, const char **why) {
  struct app_key k = {.since_ms = a->wall_ms};
  const struct app *app = app_find(a, json_str(params, "app", ""));
  uint8_t secret[TOKEN_KEY_MAX];
  size_t n = 0;
  if (!app)
    return ERR_NO_APP;
  if (map_count(a->apps->keys) >= APP_KEYS_MAX)
    return ERR_FULL;
  memcpy(k.app, app->name, sizeof k.app);
  enum err e = read_key(a, params, &k, why);
  if (e == ERR_OK)
    e = read_secret(params, k.format, secret, &n, why);
  if (e == ERR_OK)
    e = key_close(a, &k, secret, n);
  explicit_bzero(secret, sizeof secret);
  if (e != ERR_OK)
    return e;
  key_put(a, key_keep(a, &k));
  json_object_set_new(reply, "kid", json_string(k.kid));
  return ERR_OK;
}

static json_t *key_line(const struct access *a, const struct app_key *k) {
  char scopes[SCOPE_TEXT_MAX];
  scope_format(k->scopes, scopes);
  const char *state = k->revoked                                         ? "revoked"
                      : k->retire_s == 0                                 ? "active"
                      : k->retire_s + TOKEN_LEEWAY_S > a->wall_ms / 1000 ? "retiring"
                                                                         : "retired";
  return json_pack("{s:s,s:s,s:s,s:s,s:I,s:I,s:I,s:s}", "kid", k->kid, "format", token_format_word(k->format),
                   "issuer", k->issuer, "state", state, "since_ms", (json_int_t)k->since_ms, "until_ms",
                   (json_int_t)k->retire_s * 1000, "ttl", (json_int_t)(k->ttl_s ? k->ttl_s : TOKEN_TTL_S),
                   "scopes", scopes);
}

enum err key_list(struct access *a, const json_t *params, json_t *reply, const char **why) {
  const struct app *app = app_find(a, json_str(params, "app", ""));
  json_t *list = json_array();
  struct app_key *k;
  (void)why;
  for (size_t at = 0; app && (k = map_next(a->apps->keys, &at));)
    if (strcmp(k->app, app->name) == 0)
      json_array_append_new(list, key_line(a, k));
  list_reply(reply, "keys", list, "kid");
  return app ? ERR_OK : ERR_NO_APP;
}

/* The key a request names; of no other application. */
static struct app_key *key_named(struct access *a, const json_t *params) {
  struct app_key *k = key_find(a, json_str(params, "kid", ""));
  return k && !k->revoked && strcmp(k->app, json_str(params, "app", "")) == 0 ? k : NULL;
}

enum err key_retire(struct access *a, const json_t *params, json_t *reply, const char **why) {
  struct app_key *k = key_named(a, params);
  int64_t after_s = json_int(params, "after", -1);
  if (!k)
    return ERR_NO_KEY;
  if (after_s > TOKEN_TTL_MAX_S * 30) {
    *why = "after is at most 30 days";
    return ERR_BAD_ARG;
  }
  if (after_s < 0) /* so long that every token made until now has ended */
    after_s = k->ttl_s ? k->ttl_s : TOKEN_TTL_S;
  k->retire_s = a->wall_ms / 1000 + (after_s ? after_s : 1);
  key_put(a, k);
  json_object_set_new(reply, "until_ms", json_integer((json_int_t)k->retire_s * 1000));
  return ERR_OK;
}

enum err key_revoke(struct access *a, const json_t *params, json_t *reply, const char **why) {
  struct app_key *k = key_named(a, params);
  (void)reply, (void)why;
  if (!k)
    return ERR_NO_KEY;
  k->revoked = true; /* the record stays, so that its kid is never another's */
  explicit_bzero(k->sealed, sizeof k->sealed);
  k->n_sealed = 0;
  key_put(a, k);
  a->revision++;
  return ERR_OK;
}
