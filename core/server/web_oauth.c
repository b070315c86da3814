/* web_oauth.c: the OAuth 2.0 endpoints over core/access/accounts.h (RFC 6749, 7009, 7662, 8414, 8628), and
 * what a bearer token may ask of itself. Clients are public: there is no client secret. */
#include "core/server/limits.h"
#include "core/server/web_private.h"

#include <stdio.h>
#include <string.h>

#define GRANT_DEVICE "urn:ietf:params:oauth:grant-type:device_code"
#define CLIENT_DEFAULT "gavel"
#define RETRY_S 60 /* when nobody says how long */

static json_t *scopes_json(void) {
  json_t *all = json_array();
#define X(name, word, help) json_array_append_new(all, json_string(word));
  SCOPE_TABLE(X)
#undef X
  return all;
}

void oauth_metadata_get(struct control *c, uint32_t request, const struct web_request *r) {
  static const struct {
    const char *key, *path;
  } ENDPOINTS[] = {{"token_endpoint", "/oauth/token"},
                   {"device_authorization_endpoint", "/oauth/device_authorization"},
                   {"revocation_endpoint", "/oauth/revoke"},
                   {"introspection_endpoint", "/oauth/introspect"}};
  char base[WEB_BASE_MAX];
  (void)r;
  web_base(c, base);
  json_t *o = json_pack("{s:s,s:[s,s],s:[],s:[s],s:o}", "issuer", base, "grant_types_supported", GRANT_DEVICE,
                        "refresh_token", "response_types_supported", "token_endpoint_auth_methods_supported",
                        "none", "scopes_supported", scopes_json());
  for (size_t i = 0; i < sizeof ENDPOINTS / sizeof ENDPOINTS[0]; i++)
    json_object_set_new(o, ENDPOINTS[i].key, json_sprintf("%s%s", base, ENDPOINTS[i].path));
  web_json(c, request, 200, o, 0);
}

/* One that does not say who it is is taken for ours. */
static const char *client_of(const struct form *f) {
  const char *client = form_get(f, "client_id");
  return *client ? client : CLIENT_DEFAULT;
}

static void refuse(struct control *c, uint32_t request, const char *error, const char *text) {
  web_json(c, request, 400, json_pack("{s:s,s:s}", "error", error, "error_description", text), 0);
}

/* Unknown parameters are ignored (RFC 6749 section 3.2), doubled ones are not. */
static bool parse(struct control *c, uint32_t request, const struct web_request *r, struct form *f) {
  if (form_parse(r->body, r->n, f) == ERR_OK)
    return true;
  refuse(c, request, "invalid_request", "the form is not valid, or says something twice");
  return false;
}

static void finish(struct control *c, uint32_t request, enum err e, json_t *reply) {
  int status = e == ERR_OK ? 200 : oauth_status(e);
  int retry_s = status == 429 ? (int)json_int(reply, "retry_s", RETRY_S) : 0;
  json_object_del(reply, "retry_s");
  web_json(c, request, status, reply, retry_s);
}

void oauth_device_post(struct control *c, uint32_t request, const struct web_request *r) {
  struct form f;
  char base[WEB_BASE_MAX];
  if (!parse(c, request, r, &f))
    return;
  json_t *reply = json_object();
  web_base(c, base);
  enum err e = oauth_device_start(c->access, client_of(&f), form_get(&f, "scope"), base, r->addr, reply);
  finish(c, request, e, reply);
  form_free(&f);
}

void oauth_token_post(struct control *c, uint32_t request, const struct web_request *r) {
  struct form f;
  if (!parse(c, request, r, &f))
    return;
  const char *grant = form_get(&f, "grant_type");
  bool device = strcmp(grant, GRANT_DEVICE) == 0, refresh = strcmp(grant, "refresh_token") == 0;
  const char *secret = form_get(&f, device ? "device_code" : "refresh_token");
  if (!device && !refresh)
    refuse(c, request, *grant ? "unsupported_grant_type" : "invalid_request",
           "grant_type is not one of ours");
  else if (!*secret)
    refuse(c, request, "invalid_request", device ? "device_code is missing" : "refresh_token is missing");
  else {
    json_t *reply = json_object();
    enum err e = device ? oauth_device_poll(c->access, client_of(&f), secret, r->addr, reply)
                        : oauth_refresh(c->access, client_of(&f), secret, r->addr, reply);
    finish(c, request, e, reply);
  }
  form_free(&f);
}

/* A token that is not known is as good as revoked (RFC 7009 section 2.2). */
void oauth_revoke_post(struct control *c, uint32_t request, const struct web_request *r) {
  struct form f;
  if (!parse(c, request, r, &f))
    return;
  if (!*form_get(&f, "token"))
    refuse(c, request, "invalid_request", "token is missing");
  else {
    oauth_revoke(c->access, form_get(&f, "token"));
    web_json(c, request, 200, json_object(), 0);
  }
  form_free(&f);
}

/* Who may read the audit log or operate the server; and everyone of his own session. */
void oauth_introspect_post(struct control *c, uint32_t request, const struct web_request *r) {
  struct form f;
  struct grant g;
  char token[WEB_BEARER_MAX];
  if (!web_bearer(c, request, r, token, &g))
    return;
  if (!parse(c, request, r, &f))
    return;
  const char *of = form_get(&f, "token");
  if (!*of)
    refuse(c, request, "invalid_request", "token is missing");
  else if (!(g.scopes & (SCOPE_AUDIT | SCOPE_OPERATE)) && strcmp(of, token) != 0)
    web_bearer_refuse(c, request, 403, "insufficient_scope", "audit:read");
  else {
    json_t *reply = json_object();
    enum err e = oauth_introspect(c->access, of, reply);
    finish(c, request, e, reply);
  }
  form_free(&f);
  explicit_bzero(token, sizeof token);
}

void me_get(struct control *c, uint32_t request, const struct web_request *r) {
  struct grant g;
  char token[WEB_BEARER_MAX], scope[SCOPE_TEXT_MAX];
  if (!web_bearer(c, request, r, token, &g))
    return;
  scope_format(g.scopes, scope);
  web_json(c, request, 200, json_pack("{s:s,s:s,s:b}", "user", g.user, "scope", scope, "mfa", g.mfa), 0);
  explicit_bzero(token, sizeof token);
}

void session_delete(struct control *c, uint32_t request, const struct web_request *r) {
  struct grant g;
  char token[WEB_BEARER_MAX];
  if (!web_bearer(c, request, r, token, &g))
    return;
  oauth_revoke(c->access, token);
  web_json(c, request, 200, json_object(), 0);
  explicit_bzero(token, sizeof token);
}
