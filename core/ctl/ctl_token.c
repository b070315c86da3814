/* ctl_token.c: `gavelctl token mint|inspect|verify` and `selftest jwt`: done here, no gaveld is asked. Keys
 * and tokens come from files or standard input, never from the command line. */
#include "core/auth/token_tool.h"
#include "core/base/clock.h"
#include "core/base/ed25519.h"
#include "core/base/utc.h"
#include "core/ctl/ctl.h"
#include "core/wire/json.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- keys ---- */

static bool text_to(char *out, size_t cap, const json_t *params, const char *key) {
  const char *s = json_str(params, key, "");
  snprintf(out, cap, "%s", s);
  return strlen(s) < cap;
}

/* read_key: what the options say of a key; false after a line on stderr. */
static bool read_key(const json_t *params, bool private, struct token_key *k) {
  const char *secret = json_str(params, "key", NULL), *fault = NULL;
  *k = (struct token_key){.format = token_format_find(json_str(params, "format", "jwt-hs256")),
                          .scopes = SCOPE_ALL};
  if (k->format == TOKEN__COUNT)
    fault = "there is no such format: jwt-hs256, jwt-eddsa, vidyo, opentok, agora, samba, connectycube";
  else if (!secret)
    fault = "--key=FILE says where the key is; \"-\": standard input";
  else if (!text_to(k->kid, sizeof k->kid, params, "kid") ||
           !text_to(k->issuer, sizeof k->issuer, params, "issuer") ||
           !text_to(k->audience, sizeof k->audience, params, "audience"))
    fault = "kid, issuer and audience have up to 64 bytes";
  else if (k->format == TOKEN_EDDSA)
    fault = ed25519_read(secret, strlen(secret), private, k->secret)
                ? NULL
                : "the key is Ed25519 as PEM, 64 hex digits or base64url";
  else if (strcspn(secret, "\r\n") > sizeof k->secret)
    fault = "the key is one line of up to 256 bytes";
  if (fault) {
    (void)ctl_fail(EXIT_USAGE, fault);
    return false;
  }
  k->n_secret = k->format == TOKEN_EDDSA ? 32 : strcspn(secret, "\r\n");
  if (k->format != TOKEN_EDDSA)
    memcpy(k->secret, secret, k->n_secret);
  return true;
}

/* ---- mint ---- */

/* moment: seconds. */
static bool moment(const char *text, int64_t *s) {
  bool ok = utc_read(text, s);
  *s /= 1000;
  return ok;
}

static const char *read_claims(const json_t *params, int64_t now_s, struct token_claims *c) {
  const char *until = json_str(params, "expires_at", NULL);
  *c = (struct token_claims){.iat_s = now_s, .exp_s = now_s + json_int(params, "expires_in", TOKEN_TTL_S)};
  if (until && !moment(until, &c->exp_s))
    return "--expires-at is a time as 2100-01-31T12:00:00Z";
  if (c->exp_s <= now_s)
    return "a token must end in the future";
  if (!text_to(c->subject, sizeof c->subject, params, "user") ||
      !text_to(c->room, sizeof c->room, params, "room") ||
      !text_to(c->name, sizeof c->name, params, "name") || !text_to(c->jti, sizeof c->jti, params, "jti"))
    return "user and jti have up to 64 bytes, room and name up to 128";
  if (scope_parse(json_str(params, "scopes", "room:join room:speak room:chat"), true, &c->scopes) != ERR_OK)
    return "scopes are words such as \"room:join room:speak\"";
  return NULL;
}

/* What to say about the words that a missing option brings. */
static const char *advice(const char *why) {
  static const char *const WORDS[][2] = {
      {"kid", " (--kid: as gavelctl key list shows it)"},
      {"issuer", " (--issuer: the application, or its id in the other system)"},
      {"audience", " (--audience: [server] name of the gaveld)"},
      {"subject", " (--user)"},
      {"room", " (--room)"}};
  for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++)
    if (strcmp(WORDS[i][0], why) == 0)
      return WORDS[i][1];
  return "";
}

int ctl_token_mint(struct ctl *c, json_t *params) {
  struct token_key key;
  struct token_claims claims;
  struct token_extra extra = {.vcard = json_str(params, "vcard", NULL), .t1 = json_flag(params, "t1", false)};
  char *out = NULL;
  const char *why = read_claims(params, clock_wall_ms() / 1000, &claims);
  if (why)
    return ctl_fail(EXIT_USAGE, why);
  if (!read_key(params, true, &key))
    return EXIT_USAGE;
  key.max_ttl_s = claims.exp_s - claims.iat_s; /* the server's own record of the key says what it takes */
  enum err e = token_mint(&key, &claims, &extra, rng_system(), &out, &why);
  explicit_bzero(&key, sizeof key);
  if (e != ERR_OK) {
    fprintf(stderr, "gavelctl: such a token would be refused: %s%s\n", why, advice(why));
    return EXIT_USAGE;
  }
  json_t *reply = json_pack("{s:s,s:I}", "token", out, "expires_ms", (json_int_t)claims.exp_s * 1000);
  if (c->json)
    ctl_print(c, reply);
  else
    puts(out);
  json_decref(reply);
  free(out);
  return EXIT_OK;
}

/* ---- inspect, verify ---- */

static json_t *claims_json(const struct token_claims *t, bool verified) {
  char scopes[SCOPE_TEXT_MAX];
  scope_format(t->scopes, scopes);
  return json_pack("{s:s,s:b,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:I,s:I,s:I}", "format",
                   token_format_word(t->format), "verified", verified, "kid", t->kid, "issuer", t->issuer,
                   "user", t->subject, "room", t->room[0] ? t->room : "*", "name", t->name, "jti", t->jti,
                   "scopes", scopes, "issued_ms", (json_int_t)t->iat_s * 1000, "not_before_ms",
                   (json_int_t)t->nbf_s * 1000, "expires_ms", (json_int_t)t->exp_s * 1000);
}

static int refused(const char *why) {
  fprintf(stderr, "gavelctl: the token is refused: %s%s\n", why, advice(why));
  return EXIT_REFUSED;
}

static int inspect(const struct ctl *c, const char *text) {
  struct token_claims t;
  const char *why;
  if (token_inspect(text, strlen(text), &t, &why) != ERR_OK)
    return refused(why);
  json_t *reply = claims_json(&t, false);
  ctl_print(c, reply);
  json_decref(reply);
  if (!c->json)
    puts("not verified: anybody may have written this");
  return EXIT_OK;
}

/* fill_key: what the options do not say of a key's names is taken from the token; its algorithm never. */
static void fill_key(struct token_key *k, const char *text) {
  enum token_format f;
  char kid[TOKEN_KID_MAX + 1], issuer[TOKEN_ISSUER_MAX + 1];
  const char *why;
  if (token_peek(text, strlen(text), &f, kid, issuer, &why) != ERR_OK)
    return;
  if (!k->kid[0])
    memcpy(k->kid, kid, sizeof kid);
  if (!k->issuer[0])
    memcpy(k->issuer, issuer, sizeof issuer);
}

static int verify(const struct ctl *c, const json_t *params, const char *text) {
  struct token_key key;
  struct token_claims t;
  const char *why, *at = json_str(params, "at", NULL);
  int64_t now_s = clock_wall_ms() / 1000;
  if (at && !moment(at, &now_s))
    return ctl_fail(EXIT_USAGE, "--at is a time as 2026-01-31T12:00:00Z");
  if (!read_key(params, false, &key))
    return EXIT_USAGE;
  if (scope_parse(json_str(params, "scopes", ""), true, &key.scopes) != ERR_OK)
    return ctl_fail(EXIT_USAGE, "scopes are words such as \"room:join room:speak\"");
  key.scopes = key.scopes ? key.scopes : SCOPE_ALL;
  key.max_ttl_s = json_int(params, "ttl", 0);
  fill_key(&key, text);
  enum err e = token_verify(text, strlen(text), &key, now_s, &t, &why);
  explicit_bzero(&key, sizeof key);
  if (e != ERR_OK)
    return refused(why);
  json_t *reply = claims_json(&t, true);
  ctl_print(c, reply);
  json_decref(reply);
  return EXIT_OK;
}

int ctl_token_inspect(struct ctl *c, json_t *params) {
  char *text = ctl_secret(json_str(params, "file", "-"));
  int rc = text ? inspect(c, text) : EXIT_USAGE;
  free(text);
  return rc;
}

int ctl_token_verify(struct ctl *c, json_t *params) {
  char *text = ctl_secret(json_str(params, "file", "-"));
  int rc = text ? verify(c, params, text) : EXIT_USAGE;
  free(text);
  return rc;
}

/* ---- selftest jwt ---- */

struct tally {
  json_int_t good, bad, surprises;
};

static bool is_vector(const struct dirent *e) {
  size_t n = strlen(e->d_name);
  return n > 5 && strcmp(e->d_name + n - 5, ".json") == 0;
}

static void run_vector(const char *folder, const char *name, struct tally *t) {
  char path[4096];
  const char *got = "not JSON";
  snprintf(path, sizeof path, "%s/%s", folder, name);
  json_t *v = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
  if (!v || !token_vector(v, &got)) {
    fprintf(stderr, "gavelctl: %s: %s\n", name, got);
    t->surprises++;
  } else if (json_object_get(v, "claims")) {
    t->good++;
  } else {
    t->bad++;
  }
  json_decref(v);
}

int ctl_selftest_jwt(struct ctl *c, json_t *params) {
  struct tally t = {0};
  const char *folder = json_str(params, "folder", "");
  DIR *d = opendir(folder);
  for (struct dirent *e; d && (e = readdir(d));)
    if (is_vector(e))
      run_vector(folder, e->d_name, &t);
  if (d)
    closedir(d);
  if (t.good + t.bad + t.surprises == 0)
    return ctl_fail(EXIT_USAGE, "there are no vectors (*.json) in that folder");
  if (c->json)
    printf("{\"good_accepted\":%lld,\"bad_refused\":%lld,\"surprises\":%lld}\n", (long long)t.good,
           (long long)t.bad, (long long)t.surprises);
  else
    printf("%lld good accepted, %lld bad refused\n", (long long)t.good, (long long)t.bad);
  return t.surprises ? EXIT_REFUSED : EXIT_OK;
}
