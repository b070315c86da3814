#include "core/server/web.h"

#include "core/base/utc.h"
#include "core/server/limits.h"
#include "core/server/shell_kdf.h"
#include "core/server/web_private.h"

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

static void answer(struct control *c, uint32_t request, struct web_reply r) {
  struct web *w = web_of(c);
  if (w->n == w->cap) {
    w->cap = w->cap ? w->cap * 2 : 16;
    w->ready = realloc(w->ready, w->cap * sizeof *w->ready);
    if (!w->ready)
      abort();
  }
  if (!r.body)
    abort();
  w->ready[w->n++] = (struct ready){request, r};
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

/* 1: there is one, 0: none, -1: not of the form of section 2.1. Two headers come joined by a comma. */
static int read_bearer(const char *header, char token[WEB_BEARER_MAX]) {
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

/* Only sessions: a token for joining is not used up here. */
bool web_bearer(struct control *c, uint32_t request, const struct web_request *r, char token[WEB_BEARER_MAX],
                struct grant *g) {
  int got = read_bearer(r->authorization, token);
  if (got == 1 && strncmp(token, "cs1_", 4) == 0 && access_token(c->access, token, "", r->addr, g) == ERR_OK)
    return true;
  if (got < 0)
    web_bearer_refuse(c, request, 400, "invalid_request", NULL);
  else
    web_bearer_refuse(c, request, 401, got ? "invalid_token" : NULL, NULL);
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

static void invitation_get(struct control *c, uint32_t request, const struct web_request *r) {
  (void)r;
  web_text(c, request, 200,
           "This is an invitation to an audio room. Join it from a terminal:\n\n  gavel join LINK\n\n"
           "where LINK is the whole address of this page.\n");
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

static const struct route {
  const char *path;
  web_route_fn *get, *post, *del;
} ROUTES[] = {
    {"/healthz", health_get, NULL, NULL},
    {"/.well-known/security.txt", security_txt_get, NULL, NULL},
    {"/.well-known/oauth-authorization-server", oauth_metadata_get, NULL, NULL},
    {"/oauth/device_authorization", NULL, oauth_device_post, NULL},
    {"/oauth/token", NULL, oauth_token_post, NULL},
    {"/oauth/revoke", NULL, oauth_revoke_post, NULL},
    {"/oauth/introspect", NULL, oauth_introspect_post, NULL},
    {"/device", page_get, page_post, NULL},
    {"/v1/me", me_get, NULL, NULL},
    {"/v1/session", NULL, NULL, session_delete},
};

static const struct route *route_of(const char *path) {
  static const struct route INVITATION = {"/j/", invitation_get, NULL, NULL};
  if (strncmp(path, INVITATION.path, strlen(INVITATION.path)) == 0)
    return &INVITATION;
  for (size_t i = 0; i < sizeof ROUTES / sizeof ROUTES[0]; i++)
    if (strcmp(ROUTES[i].path, path) == 0)
      return &ROUTES[i];
  return NULL;
}

bool web_takes_body(const char *path) {
  const struct route *r = route_of(path);
  return r && r->post;
}

static bool is_form(const char *type) {
  static const char FORM[] = "application/x-www-form-urlencoded";
  size_t n = strcspn(type, "; ");
  return n == strlen(FORM) && strncasecmp(type, FORM, n) == 0;
}

void control_http(struct control *c, uint32_t request, const struct web_request *r) {
  const struct route *route = route_of(r->path);
  bool get = strcmp(r->method, "GET") == 0, post = strcmp(r->method, "POST") == 0;
  web_route_fn *run = !route ? NULL : get ? route->get : post ? route->post : route->del;
  bool guesses = post && route && route->post == page_post; /* elsewhere secrets are too long for that */
  int blocked_ms = r->addr && guesses ? limit_blocked(c, r->addr) : 0;
  if (blocked_ms > 0)
    answer(c, request,
           (struct web_reply){.status = 429,
                              .type = WEB_TEXT,
                              .retry_after_s = blocked_ms / 1000 + 1,
                              .body = strdup("too many wrong secrets came from there\n")});
  else if (!route)
    web_text(c, request, 404, "not here\n");
  else if (!run)
    answer(c, request,
           (struct web_reply){.status = 405,
                              .type = WEB_TEXT,
                              .allow = route->del     ? "DELETE"
                                       : !route->get  ? "POST"
                                       : !route->post ? "GET, HEAD"
                                                      : "GET, HEAD, POST",
                              .body = strdup("this method is not for here\n")});
  else if (post && !is_form(r->type))
    web_text(c, request, 415, "a form is expected: application/x-www-form-urlencoded\n");
  else
    run(c, request, r);
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
