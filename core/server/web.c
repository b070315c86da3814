#include "core/server/web.h"

#include "core/base/utc.h"
#include "core/server/limits.h"
#include "core/server/shell_kdf.h"
#include "core/server/web_private.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LOGINS_MAX (SHELL_KDF_QUEUE + 2) /* those that wait, the one that is worked on, the one just done */
#define SECURITY_TXT_DAYS 180
#define DAY_MS INT64_C(86400000)

struct ready {
  uint32_t request;
  struct web_reply reply;
};
struct web {
  struct ready *ready;
  size_t n, cap;
  struct web_login logins[LOGINS_MAX];
  struct bucket all_logins;
};

static struct web *web_of(struct control *c) {
  if (!c->web && !(c->web = calloc(1, sizeof *c->web)))
    abort();
  return c->web;
}

/* ---- replies ---- */

void web_answer(struct control *c, uint32_t request, const struct web_reply *r) {
  struct web *w = web_of(c);
  if (w->n == w->cap) {
    w->cap = w->cap ? w->cap * 2 : 16;
    w->ready = realloc(w->ready, w->cap * sizeof *w->ready);
    if (!w->ready)
      abort();
  }
  if (!r->body)
    abort();
  w->ready[w->n++] = (struct ready){request, *r};
}

static void answer(struct control *c, uint32_t request, struct web_reply r) {
  web_answer(c, request, &r);
}

void web_reply_header(struct web_reply *r, const char *name, const char *value) {
  assert(r->n_headers < WEB_HEADERS_MAX && strlen(value) < WEB_HEADER_MAX);
  r->header[r->n_headers].name = name;
  snprintf(r->header[r->n_headers++].value, WEB_HEADER_MAX, "%s", value);
}

void web_text(struct control *c, uint32_t request, int status, const char *text) {
  answer(c, request, (struct web_reply){.status = status, .type = WEB_TEXT, .body = strdup(text)});
}

void web_json(struct control *c, uint32_t request, int status, json_t *body, int retry_s) {
  char *text = json_dumps(body, JSON_COMPACT);
  json_decref(body);
  answer(c, request,
         (struct web_reply){
             .status = status, .type = "application/json", .body = text, .retry_after_s = retry_s});
}

void web_html(struct control *c, uint32_t request, int status, char *text, int retry_s) {
  answer(c, request,
         (struct web_reply){.status = status,
                            .type = "text/html; charset=utf-8",
                            .body = text,
                            .retry_after_s = retry_s,
                            .challenge = {0}});
}

void web_release(struct control *c, bool durable) {
  struct web *w = c->web;
  for (size_t i = 0; w && i < w->n; i++) {
    struct web_reply *r = &w->ready[i].reply;
    if (!durable) { /* what it says did not happen */
      explicit_bzero(r->body, strlen(r->body));
      free(r->body);
      *r = (struct web_reply){
          .status = 503, .type = WEB_TEXT, .retry_after_s = 5, .body = strdup("try again in a moment\n")};
      if (!r->body)
        abort();
    }
    c->cfg.http_reply(c->cfg.ctx, w->ready[i].request, r);
  }
  if (w)
    w->n = 0;
}

void web_free(struct control *c) {
  if (!c->web)
    return;
  for (size_t i = 0; i < c->web->n; i++)
    free(c->web->ready[i].reply.body);
  free(c->web->ready);
  explicit_bzero(c->web, sizeof *c->web);
  free(c->web);
  c->web = NULL;
}

/* ---- bearer tokens (RFC 6750) ---- */

void web_bearer_refuse(struct control *c, uint32_t request, int status, const char *error,
                       const char *scope) {
  struct web_reply r = {.status = status, .type = "application/json"};
  json_t *body = json_pack("{s:s}", "error", error ? error : "unauthorized");
  snprintf(r.challenge, sizeof r.challenge, "Bearer realm=\"gavel\"%s%s%s%s%s%s", error ? ", error=\"" : "",
           error ? error : "", error ? "\"" : "", scope ? ", scope=\"" : "", scope ? scope : "",
           scope ? "\"" : "");
  r.body = json_dumps(body, JSON_COMPACT);
  json_decref(body);
  answer(c, request, r);
}

/* Two headers come joined by a comma. */
int web_bearer_read(const char *header, char token[WEB_BEARER_MAX]) {
  static const char B64TOKEN[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=";
  if (!header || strncasecmp(header, "bearer", 6) != 0 || (header[6] && header[6] != ' '))
    return 0;
  const char *p = header + 6 + strspn(header + 6, " ");
  size_t n = strspn(p, B64TOKEN);
  if (n == 0 || p[n] || n >= WEB_BEARER_MAX)
    return -1;
  memcpy(token, p, n + 1);
  return 1;
}

bool web_bearer_text(struct control *c, uint32_t request, const struct web_request *r,
                     char token[WEB_BEARER_MAX]) {
  int got = web_bearer_read(r->authorization, token);
  if (got < 0)
    web_bearer_refuse(c, request, 400, "invalid_request", NULL);
  else if (got == 0)
    web_bearer_refuse(c, request, 401, NULL, NULL);
  return got > 0;
}

/* Only sessions: a token for joining is not used up here. */
bool web_bearer(struct control *c, uint32_t request, const struct web_request *r, char token[WEB_BEARER_MAX],
                struct grant *g) {
  if (!web_bearer_text(c, request, r, token))
    return false;
  if (strncmp(token, "cs1_", 4) == 0 && access_token(c->access, token, "", r->addr, g) == ERR_OK)
    return true;
  web_bearer_refuse(c, request, 401, "invalid_token", NULL);
  return false;
}

/* ---- small pages ---- */

void web_base(const struct control *c, char out[WEB_BASE_MAX]) {
  const struct link *l = &c->cfg.link;
  bool v6 = strchr(l->host, ':');
  char port[8] = "";
  if (l->port != 443)
    snprintf(port, sizeof port, ":%u", l->port);
  snprintf(out, WEB_BASE_MAX, "https://%s%s%s%s", v6 ? "[" : "", l->host, v6 ? "]" : "", port);
}

static void health_get(struct control *c, uint32_t request, const struct web_request *r) {
  (void)r;
  web_text(c, request, 200, "ok\n");
}

/* RFC 9116: whom to tell of a weakness. */
static void security_txt_get(struct control *c, uint32_t request, const struct web_request *r) {
  const char *contact = c->cfg.access.contact;
  char base[WEB_BASE_MAX], until[UTC_MAX], text[1024];
  (void)r;
  if (!contact || !*contact) {
    web_text(c, request, 404, "not here\n");
    return;
  }
  utc_text((c->wall_ms / DAY_MS + SECURITY_TXT_DAYS) * DAY_MS, until);
  web_base(c, base);
  bool mail = strchr(contact, '@') && !strchr(contact, ':');
  snprintf(text, sizeof text, "Contact: %s%.300s\nExpires: %s\nCanonical: %s/.well-known/security.txt\n",
           mail ? "mailto:" : "", contact, until, base);
  web_text(c, request, 200, text);
}

/* ---- routes ---- */

#define FORM "application/x-www-form-urlencoded"
#define ANY "*" /* whoever answers looks at it */
#define ONS_MAX 5
/* A path that ends in a slash is the beginning of many. The first that fits is it. */
static const struct route {
  const char *path;
  unsigned faces;
  struct on {
    const char *method, *type; /* of the body; NULL: there is none */
    web_route_fn *run;
  } on[ONS_MAX];
} ROUTES[] = {
    {"/healthz", WEB_PUBLIC | WEB_OPS, {{"GET", NULL, health_get}}},
    {"/metrics", WEB_OPS, {{"GET", NULL, metrics_get}}},
    {"/readyz", WEB_OPS, {{"GET", NULL, readyz_get}}},
    {"/.well-known/security.txt", WEB_PUBLIC, {{"GET", NULL, security_txt_get}}},
    {"/.well-known/oauth-authorization-server", WEB_PUBLIC, {{"GET", NULL, oauth_metadata_get}}},
    {"/oauth/device_authorization", WEB_PUBLIC, {{"POST", FORM, oauth_device_post}}},
    {"/oauth/token", WEB_PUBLIC, {{"POST", FORM, oauth_token_post}}},
    {"/oauth/revoke", WEB_PUBLIC, {{"POST", FORM, oauth_revoke_post}}},
    {"/oauth/introspect", WEB_PUBLIC, {{"POST", FORM, oauth_introspect_post}}},
    {"/device", WEB_PUBLIC, {{"GET", NULL, page_get}, {"POST", FORM, page_post}}},
    {"/v1/me", WEB_PUBLIC, {{"GET", NULL, me_get}}},
    {"/v1/session", WEB_PUBLIC, {{"DELETE", NULL, session_delete}}},
    {"/v1/openapi.json", WEB_OPS, {{"GET", NULL, openapi_get}}},
    {"/v1/",
     WEB_OPS,
     {{"GET", NULL, rest_ask}, {"POST", "application/json", rest_ask}, {"DELETE", NULL, rest_ask}}},
    {"/j/", WEB_PUBLIC, {{"GET", NULL, guest_page_get}}},
    {"/whip/", WEB_PUBLIC, {{"POST", ANY, whip_post}, {"OPTIONS", NULL, whip_options}}},
    {"/whep/", WEB_PUBLIC, {{"POST", ANY, whep_post}, {"OPTIONS", NULL, whip_options}}},
    {"/whip-session/",
     WEB_PUBLIC,
     {{"PATCH", ANY, whip_session_patch},
      {"DELETE", NULL, whip_session_delete},
      {"OPTIONS", NULL, whip_session_options}}},
    {"/web/", WEB_PUBLIC, {{"GET", NULL, guest_file_get}}},
};

static const struct route *route_of(enum web_face face, const char *path) {
  for (size_t i = 0; i < sizeof ROUTES / sizeof ROUTES[0]; i++) {
    size_t n = strlen(ROUTES[i].path);
    bool many = ROUTES[i].path[n - 1] == '/';
    if ((ROUTES[i].faces & face) && strncmp(ROUTES[i].path, path, n) == 0 && (many || !path[n]))
      return &ROUTES[i];
  }
  return NULL;
}

static const struct on *on_of(const struct route *r, const char *method) {
  for (size_t i = 0; r && i < ONS_MAX && r->on[i].method; i++)
    if (strcmp(r->on[i].method, method) == 0)
      return &r->on[i];
  return NULL;
}

size_t web_body_max(enum web_face face, const char *method, const char *path) {
  const struct on *on = on_of(route_of(face, path), method);
  return on && on->type ? WEB_BODY_MAX : 0;
}

static const char *const METHODS[] = {"GET", "POST", "DELETE", "PATCH", "OPTIONS"};

unsigned web_method(const char *method) {
  for (unsigned m = 0; m < sizeof METHODS / sizeof METHODS[0]; m++)
    if (strcmp(method, METHODS[m]) == 0)
      return 1U << m;
  return 0;
}

/* Static texts, because replies keep only pointers. */
static const char *allow_of(unsigned methods) {
  static const struct {
    unsigned set; /* 1 << METHODS */
    const char *text;
  } ALLOW[] = {{1, "GET, HEAD"},
               {2, "POST"},
               {4, "DELETE"},
               {1 | 2, "GET, HEAD, POST"},
               {1 | 4, "GET, HEAD, DELETE"},
               {1 | 2 | 4, "GET, HEAD, POST, DELETE"},
               {2 | 16, "OPTIONS, POST"},
               {4 | 8 | 16, "OPTIONS, PATCH, DELETE"}};
  for (size_t i = 0; i < sizeof ALLOW / sizeof ALLOW[0]; i++)
    if (ALLOW[i].set == methods)
      return ALLOW[i].text;
  abort(); /* a route without a row here */
}

void web_refuse_method(struct control *c, uint32_t request, unsigned methods) {
  answer(c, request,
         (struct web_reply){.status = 405,
                            .type = WEB_TEXT,
                            .allow = allow_of(methods),
                            .body = strdup("this method is not for here\n")});
}

static unsigned methods_of(const struct route *r) {
  unsigned set = 0;
  for (size_t i = 0; i < ONS_MAX && r->on[i].method; i++)
    set |= web_method(r->on[i].method);
  return set;
}

bool web_is_type(const struct web_request *r, const char *wanted) {
  size_t n = strcspn(r->type, "; ");
  return n == strlen(wanted) && strncasecmp(r->type, wanted, n) == 0;
}

static void refuse_type(struct control *c, uint32_t request, const char *wanted) {
  char text[128];
  snprintf(text, sizeof text, "%s%s\n", strcmp(wanted, FORM) == 0 ? "a form is expected: " : "expected is ",
           wanted);
  web_text(c, request, 415, text);
}

void control_http(struct control *c, uint32_t request, const struct web_request *r) {
  const struct route *route = route_of(r->face, r->path);
  const struct on *on = on_of(route, r->method);
  bool guesses = on && on->run == page_post; /* elsewhere secrets are too long for that */
  int blocked_ms = r->addr && guesses ? limit_blocked(c, r->addr) : 0;
  if (blocked_ms > 0)
    answer(c, request,
           (struct web_reply){.status = 429,
                              .type = WEB_TEXT,
                              .retry_after_s = blocked_ms / 1000 + 1,
                              .body = strdup("too many wrong secrets came from there\n")});
  else if (!route)
    web_text(c, request, 404, "not here\n");
  else if (!on)
    web_refuse_method(c, request, methods_of(route));
  else if (on->type && strcmp(on->type, ANY) != 0 && !web_is_type(r, on->type))
    refuse_type(c, request, on->type);
  else
    on->run(c, request, r);
}

/* ---- logins that wait for the worker ---- */

struct web_login *web_login_add(struct control *c, uint32_t request) {
  struct web *w = web_of(c);
  for (size_t i = 0; i < LOGINS_MAX; i++)
    if (w->logins[i].request == 0) {
      w->logins[i] = (struct web_login){.request = request};
      return &w->logins[i];
    }
  return NULL;
}

struct bucket *web_logins(struct control *c) {
  return &web_of(c)->all_logins;
}

static struct web_login *login_of(struct control *c, uint32_t request) {
  for (size_t i = 0; c->web && request && i < LOGINS_MAX; i++)
    if (c->web->logins[i].request == request)
      return &c->web->logins[i];
  return NULL;
}

/* Nothing is decided for somebody who has gone. */
void control_http_gone(struct control *c, uint32_t request) {
  struct web_login *w = login_of(c, request);
  if (w)
    explicit_bzero(w, sizeof *w);
}

void control_kdf_done(struct control *c, uint32_t job, bool right, const char *phc) {
  struct web_login *w = login_of(c, job);
  if (!w)
    return;
  struct web_login login = *w;
  explicit_bzero(w, sizeof *w);
  page_done(c, &login, right, phc);
  explicit_bzero(&login, sizeof login);
}
