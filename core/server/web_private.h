/* web_private.h: what the files of web.h share: forms, replies, routes. Nobody else includes it. */
#ifndef GAVEL_SERVER_WEB_PRIVATE_H
#define GAVEL_SERVER_WEB_PRIVATE_H

#include "core/access/accounts.h"
#include "core/server/control_private.h"
#include "core/server/web.h"

/* ---- web_form.c: application/x-www-form-urlencoded, strictly ---- */

#define FORM_FIELDS_MAX 16
struct form {
  char *text; /* owned; what the fields point into; may hold a password */
  size_t n_text, n;
  struct {
    const char *name, *value;
  } of[FORM_FIELDS_MAX];
};
/* form_parse: name=value pairs; each name once, %XX in full, UTF-8 without NUL. ERR_BAD_REQUEST. */
MUST_CHECK enum err form_parse(const char *body, size_t n, struct form *out);
/* form_get: "" when it is not there. form_only: no names but these (NULL at the end). */
const char *form_get(const struct form *f, const char *name);
bool form_only(const struct form *f, ...) __attribute__((sentinel));
void form_free(struct form *f);

/* ---- web.c: replies, each at most once a request ---- */

#define WEB_TEXT "text/plain; charset=utf-8"
/* web_answer: any reply; takes the body. web_reply_header: one more header, which must fit. */
void web_answer(struct control *c, uint32_t request, const struct web_reply *r);
void web_reply_header(struct web_reply *r, const char *name, const char *value);
void web_text(struct control *c, uint32_t request, int status, const char *text);
/* web_json: steals `body`. web_html: takes the malloc'd text. `retry_s` 0: none. */
void web_json(struct control *c, uint32_t request, int status, json_t *body, int retry_s);
void web_html(struct control *c, uint32_t request, int status, char *text, int retry_s);
/* web_bearer_refuse: RFC 6750 section 3.1: error NULL: there was no token at all. */
void web_bearer_refuse(struct control *c, uint32_t request, int status, const char *error, const char *scope);
/* web_bearer_read: the token of an Authorization header: 1: there is one, 0: none, -1: not of the form of RFC
 * 6750 section 2.1. */
int web_bearer_read(const char *header, char token[WEB_BEARER_MAX]);
/* web_bearer: the token of the request and what it is good for, or false: the refusal has been sent. */
bool web_bearer(struct control *c, uint32_t request, const struct web_request *r, char token[WEB_BEARER_MAX],
                struct grant *g);
/* web_bearer_text: only the token, whatever it is; false: there is none, and the refusal has been sent. */
bool web_bearer_text(struct control *c, uint32_t request, const struct web_request *r,
                     char token[WEB_BEARER_MAX]);
/* web_is_type: is the body of type `wanted`, whatever its parameters? */
bool web_is_type(const struct web_request *r, const char *wanted);
/* web_method: its bit in a set of methods, 0: none of ours. web_refuse_method: a 405 that says which there
 * are. */
unsigned web_method(const char *method);
void web_refuse_method(struct control *c, uint32_t request, unsigned methods);
/* web_problem.c: web_problem: RFC 9457; a 401 has its challenge, a 429 and a 503 their Retry-After (retry_ms
 * 0: in a moment). web_refuse: the same for an error of ours. detail NULL: none. */
int web_status(enum err e);
void web_problem(struct control *c, uint32_t request, int status, const char *code, const char *title,
                 const char *detail, int retry_ms);
void web_refuse(struct control *c, uint32_t request, enum err e, const char *detail, int retry_ms);
/* web_base: "https://HOST[:PORT]". */
#define WEB_BASE_MAX (LINK_HOST_MAX + 24)
void web_base(const struct control *c, char out[WEB_BASE_MAX]);

typedef void web_route_fn(struct control *c, uint32_t request, const struct web_request *r);
/* web_oauth.c */
web_route_fn oauth_metadata_get, oauth_device_post, oauth_token_post, oauth_revoke_post,
    oauth_introspect_post, me_get, session_delete;
/* web_rest.c: everything under /v1/ of the operator's port; its contract. */
web_route_fn rest_ask, openapi_get;
/* web_ops.c */
web_route_fn metrics_get, readyz_get;
/* web_whip.c */
web_route_fn whip_post, whep_post, whip_options, whip_session_patch, whip_session_delete,
    whip_session_options;
/* web_page.c */
web_route_fn page_get, page_post;
/* web_guest.c */
web_route_fn guest_page_get, guest_file_get;
/* The files of web/, made at build time by cmake/embed.cmake; the last has no name. */
struct web_file {
  const char *name, *text; /* text: n bytes and a NUL */
  size_t n;
};
extern const struct web_file WEB_FILES[];
/* page_done: the worker says whether the password was right. */
struct web_login {
  uint32_t request; /* 0: free */
  bool approve, known;
  uint8_t addr[16];
  struct login_try compared;
  char account[129], user_code[33], code[33];
};
void page_done(struct control *c, const struct web_login *w, bool right, const char *phc);
/* web_login_add: a login that waits for the worker; NULL when there are too many. */
struct web_login *web_login_add(struct control *c, uint32_t request);
/* web_logins: how many there were of late, from anywhere. */
struct bucket *web_logins(struct control *c);

#endif
