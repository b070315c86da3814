/* session.c: sessions: made by a sign-in, found by the hash of a token, slid by use, rotated, ended.
 *
 * A refresh token has two halves: the first stays the same over the life of the session (its family), the
 * second changes each time. So an old one is recognised, however old, without a list of them (RFC 9700 4.14).
 */
#include "core/access/accounts_private.h"

#include "core/base/bytes.h"
#include "core/wire/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN_BYTES 32
#define TOKEN_CHARS 43
#define TOKEN_TEXT (4 + TOKEN_CHARS)
#define FAMILY_BYTES 16

/* ---- documents ---- */

static void session_put(struct access *a, struct session *s) {
  char scopes[SCOPE_TEXT_MAX];
  scope_format(s->scopes, scopes);
  json_t *doc = json_pack("{s:s,s:s,s:b,s:I,s:I,s:I,s:I}", "client", s->client, "scopes", scopes, "mfa",
                          s->mfa, "mfa_ms", (json_int_t)s->mfa_ms, "made", (json_int_t)s->made_ms, "used",
                          (json_int_t)s->used_ms, "until", (json_int_t)s->access_until_ms);
  json_set_hex(doc, "access", s->access, 32);
  json_set_hex(doc, "refresh", s->refresh, 32);
  json_set_hex(doc, "family", s->family, 32);
  if (s->bound)
    json_set_hex(doc, "network", s->network, sizeof s->network);
  s->written_ms = a->wall_ms;
  doc_put(a, "session", s->id, s->pid, doc);
}

static bool read_session(const json_t *doc, struct session *s) {
  snprintf(s->client, sizeof s->client, "%s", json_str(doc, "client", ""));
  s->mfa = json_flag(doc, "mfa", false);
  s->mfa_ms = json_int(doc, "mfa_ms", 0);
  s->made_ms = json_int(doc, "made", 0);
  s->used_ms = s->written_ms = json_int(doc, "used", 0);
  s->access_until_ms = json_int(doc, "until", 0);
  s->bound = json_object_get(doc, "network") != NULL;
  return scope_parse(json_str(doc, "scopes", ""), false, &s->scopes) == ERR_OK &&
         json_get_hex(doc, "access", s->access, 32) && json_get_hex(doc, "refresh", s->refresh, 32) &&
         json_get_hex(doc, "family", s->family, 32) &&
         (!s->bound || json_get_hex(doc, "network", s->network, sizeof s->network));
}

int64_t session_until(const struct session *s) {
  int64_t idle_ms = s->used_ms + SESSION_IDLE_MS, most_ms = s->made_ms + SESSION_MOST_MS;
  return idle_ms < most_ms ? idle_ms : most_ms;
}

static void index_put(struct access *a, struct session *s) {
  struct account *k = account_by_pid(a, s->pid);
  if (k)
    k->n_sessions++;
  map_put(a->accounts->ids, s->id, strlen(s->id), s);
  map_put(a->accounts->tokens, s->access, 32, s);
  map_put(a->accounts->families, s->family, 32, s);
  accounts_wake(a, session_until(s));
}

static enum err load_one(void *ctx, const char *id, const char *pid, const char *text) {
  struct access *a = ctx;
  json_t *doc = NULL;
  struct session *s = calloc(1, sizeof *s);
  if (!s)
    abort();
  snprintf(s->id, sizeof s->id, "%s", id);
  snprintf(s->pid, sizeof s->pid, "%s", pid);
  bool good = json_parse_strict(text, strlen(text), &doc, NULL) == ERR_OK && read_session(doc, s);
  json_decref(doc);
  if (good)
    index_put(a, s);
  else
    free(s);
  return good ? ERR_OK : ERR_DB_CORRUPT;
}

enum err sessions_load(struct access *a, char why[256]) {
  enum err e = store_each_doc(a->cfg.store, "session", NULL, load_one, a);
  if (e != ERR_OK)
    snprintf(why, 256, "a session cannot be read: %s", err_text(e));
  return e;
}

void sessions_free(struct accounts *s) {
  struct session *one;
  for (size_t at = 0; s->ids && (one = map_next(s->ids, &at));)
    free(one);
}

/* ---- tokens ---- */

static bool looks_like(const char *token, const char *prefix, uint8_t raw[TOKEN_BYTES]) {
  return strnlen(token, TOKEN_TEXT + 1) == TOKEN_TEXT && strncmp(token, prefix, 4) == 0 &&
         b64url_decode(token + 4, TOKEN_CHARS, raw, TOKEN_BYTES) == TOKEN_BYTES;
}

static void put_token(json_t *reply, const char *key, const char *prefix, const uint8_t raw[TOKEN_BYTES],
                      uint8_t hash[32]) {
  char text[TOKEN_TEXT + 1];
  snprintf(text, sizeof text, "%s", prefix);
  b64url_encode(raw, TOKEN_BYTES, text + 4);
  sha256(text, TOKEN_TEXT, hash);
  json_object_set_new(reply, key, json_string(text));
  explicit_bzero(text, sizeof text);
}

/* Fresh tokens; `family` is the first half of the refresh token. The token reply of RFC 6749 section 5.1. */
static void issue(struct access *a, struct session *s, const uint8_t family[FAMILY_BYTES], json_t *reply) {
  uint8_t raw[TOKEN_BYTES];
  char scopes[SCOPE_TEXT_MAX];
  struct rng *rng = a->cfg.rng;
  rng->fill(rng, raw, sizeof raw);
  put_token(reply, "access_token", "cs1_", raw, s->access);
  rng->fill(rng, raw, sizeof raw);
  memcpy(raw, family, FAMILY_BYTES);
  put_token(reply, "refresh_token", "cr1_", raw, s->refresh);
  explicit_bzero(raw, sizeof raw);
  s->used_ms = a->wall_ms;
  s->access_until_ms = a->wall_ms + SESSION_ACCESS_S * INT64_C(1000);
  scope_format(session_scopes(a, s), scopes);
  json_object_set_new(reply, "token_type", json_string("Bearer"));
  json_object_set_new(reply, "expires_in", json_integer(SESSION_ACCESS_S));
  json_object_set_new(reply, "scope", json_string(scopes));
}

struct session *session_of(const struct access *a, const char *token, bool *right) {
  uint8_t raw[TOKEN_BYTES], hash[32], family[32];
  struct session *s = NULL;
  *right = false;
  if (looks_like(token, "cs1_", raw)) {
    sha256(token, TOKEN_TEXT, hash);
    s = map_get(a->accounts->tokens, hash, 32);
  } else if (looks_like(token, "cr1_", raw)) {
    sha256(token, TOKEN_TEXT, hash);
    sha256(raw, FAMILY_BYTES, family);
    s = map_get(a->accounts->families, family, 32);
    *right = s && bytes_equal_ct(hash, s->refresh, 32);
  }
  explicit_bzero(raw, sizeof raw);
  return s;
}

/* ---- life ---- */

bool session_live(const struct access *a, const struct session *s) {
  return a->wall_ms < session_until(s) && !user_revoked(a, s->pid, s->made_ms / 1000);
}

unsigned session_scopes(const struct access *a, const struct session *s) {
  const struct account *k = account_by_pid(a, s->pid);
  return k ? s->scopes & k->scopes : 0;
}

bool session_network(const struct session *s, const uint8_t *addr) {
  uint8_t network[16];
  accounts_network(addr, network);
  return !s->bound || memcmp(network, s->network, sizeof network) == 0;
}

/* One place is free afterwards: the session used least lately goes. */
static void make_place(struct access *a, const struct account *k) {
  struct session *s, *oldest = NULL;
  if (k->n_sessions < SESSIONS_PER_ACCOUNT)
    return;
  for (size_t at = 0; (s = map_next(a->accounts->ids, &at));)
    if (strcmp(s->pid, k->pid) == 0 && (!oldest || s->used_ms < oldest->used_ms))
      oldest = s;
  session_stop(a, oldest);
}

void session_make(struct access *a, const struct account *k, const struct device *d, json_t *reply) {
  static const uint8_t UNKNOWN[16];
  uint8_t family[FAMILY_BYTES];
  make_place(a, k);
  struct session *s = calloc(1, sizeof *s);
  if (!s)
    abort();
  id_new(a, s->id);
  snprintf(s->pid, sizeof s->pid, "%s", k->pid);
  snprintf(s->client, sizeof s->client, "%s", d->client);
  s->scopes = d->scopes;
  s->mfa = d->mfa;
  s->mfa_ms = d->mfa_ms;
  s->made_ms = a->wall_ms;
  s->bound = memcmp(d->network, UNKNOWN, sizeof UNKNOWN) != 0;
  memcpy(s->network, d->network, sizeof s->network);
  a->cfg.rng->fill(a->cfg.rng, family, sizeof family);
  sha256(family, sizeof family, s->family);
  issue(a, s, family, reply);
  explicit_bzero(family, sizeof family);
  index_put(a, s);
  session_put(a, s);
  accounts_note(a, "session.made", s->pid, s->id, NULL, ERR_OK);
}

void session_rotate(struct access *a, struct session *s, const char *refresh_token, json_t *reply) {
  uint8_t raw[TOKEN_BYTES];
  if (!looks_like(refresh_token, "cr1_", raw))
    abort(); /* session_of has found it by this */
  map_del(a->accounts->tokens, s->access, 32);
  s->bound = false;
  issue(a, s, raw, reply);
  explicit_bzero(raw, sizeof raw);
  map_put(a->accounts->tokens, s->access, 32, s);
  session_put(a, s);
}

void session_stop(struct access *a, struct session *s) {
  struct account *k = account_by_pid(a, s->pid);
  if (k)
    k->n_sessions--;
  map_del(a->accounts->ids, s->id, strlen(s->id));
  map_del(a->accounts->tokens, s->access, 32);
  map_del(a->accounts->families, s->family, 32);
  doc_del(a, "session", s->id);
  accounts_note(a, "session.ended", s->pid, s->id, NULL, session_live(a, s) ? ERR_OK : ERR_EXPIRED);
  a->revision++;
  free(s);
}

/* Those of a person (NULL: of anyone, but only what is over). They are collected first: a map must not change
 * under a walk. */
static void end_some(struct access *a, const char *pid) {
  size_t n = 0;
  struct session *s, **list = calloc(map_count(a->accounts->ids) + 1, sizeof(struct session *));
  if (!list)
    abort();
  for (size_t at = 0; (s = map_next(a->accounts->ids, &at));)
    if (pid ? strcmp(s->pid, pid) == 0 : !session_live(a, s))
      list[n++] = s;
  for (size_t i = 0; i < n; i++)
    session_stop(a, list[i]);
  free(list);
}

void sessions_end(struct access *a, const char *pid) {
  devices_end(a, pid);
  end_some(a, pid);
}

int64_t sessions_sweep(struct access *a) {
  int64_t next_ms = INT64_MAX;
  struct session *s;
  end_some(a, NULL);
  for (size_t at = 0; (s = map_next(a->accounts->ids, &at));)
    next_ms = session_until(s) < next_ms ? session_until(s) : next_ms;
  return next_ms;
}

/* ---- entering ---- */

/* Why a token does not open the door; NULL: it does. */
static const char *reason(const struct access *a, const struct session *s, const uint8_t *addr) {
  if (!s)
    return "unknown";
  if (!session_live(a, s))
    return "session expired or revoked";
  if (a->wall_ms >= s->access_until_ms)
    return "expired";
  return session_network(s, addr) ? NULL : "network";
}

/* What slid is written at most once a minute, but the first use at once: it unbinds. */
static void slide(struct access *a, struct session *s) {
  bool first = s->bound;
  s->bound = false;
  s->used_ms = a->wall_ms > s->used_ms ? a->wall_ms : s->used_ms;
  if (first || a->wall_ms - s->written_ms >= SESSION_WRITE_MS)
    session_put(a, s);
}

enum err session_grant(struct access *a, const char *token, const uint8_t *addr, struct grant *out) {
  bool refresh;
  struct session *s = strncmp(token, "cs1_", 4) == 0 ? session_of(a, token, &refresh) : NULL;
  const char *why = reason(a, s, addr), *pid = s ? s->pid : NULL;
  const struct account *k = s ? account_by_pid(a, s->pid) : NULL;
  if (!why && !k)
    why = "no account";
  if (why) {
    audit_refusal(a, "session.refused", "", "", pid, why, addr, ERR_BAD_TOKEN);
    return ERR_BAD_TOKEN;
  }
  enum err e = privacy_allows(a, s->pid);
  if (e != ERR_OK)
    return e;
  slide(a, s);
  const char *user = user_name(a, s->pid);
  *out = (struct grant){
      .iat_s = s->made_ms / 1000, .scopes = session_scopes(a, s), .asked = s->scopes, .mfa = s->mfa};
  out->mfa_ms = s->mfa_ms;
  snprintf(out->pid, sizeof out->pid, "%s", s->pid);
  snprintf(out->user, sizeof out->user, "%s", user ? user : k->name);
  snprintf(out->session, sizeof out->session, "%s", s->id);
  snprintf(out->name, sizeof out->name, "%s", k->name);
  return ERR_OK;
}

enum err session_still(const struct access *a, const struct grant *g) {
  const struct session *s = *g->session ? map_get(a->accounts->ids, g->session, strlen(g->session)) : NULL;
  bool holds = s && strcmp(s->pid, g->pid) == 0 && session_live(a, s) && !(g->scopes & ~session_scopes(a, s));
  return holds ? ERR_OK : ERR_REVOKED;
}
