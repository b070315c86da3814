/* web.h: what plain HTTPS is answered: on the public port OAuth endpoints, the sign-in page, the guest's
 * page, WHIP and WHEP; on the operator's port ([ops]) metrics, health and the REST face. Sans-IO: the shell
 * (shell_http.c) reads requests within its limits and writes replies.
 *
 * Invariant: a reply leaves only after control_commit; when the commit fails it becomes a 503. Every text
 * from outside is escaped. Thread: the control thread. */
#ifndef GAVEL_SERVER_WEB_H
#define GAVEL_SERVER_WEB_H

#include "core/server/control.h"

#define WEB_BODY_MAX 16384  /* bytes of a request's body */
#define WEB_QUERY_MAX 256   /* of what follows the `?` */
#define WEB_BEARER_MAX 3072 /* of a token in Authorization: the longest that we mint, and more */
#define WEB_CHALLENGE_MAX 160
#define WEB_HEADERS_MAX 6 /* of one reply, besides those that have a field */
#define WEB_HEADER_MAX 640
#define WEB_POLICY_MAX 640

enum web_face { WEB_PUBLIC = 1, WEB_OPS = 2 }; /* which port it came to */

struct web_request {
  enum web_face face;
  const char *method, *path; /* GET, POST, PUT, PATCH, DELETE, OPTIONS; HEAD comes as GET */
  const char *query;         /* after the `?`, "" none */
  const char *authorization; /* the header, NULL none */
  const char *if_match;      /* the header, "" none */
  const char *accept;        /* the header, "" or NULL none */
  const char *type;          /* Content-Type of the body, "" */
  const char *body;          /* n bytes and a NUL */
  size_t n;
  const uint8_t *addr; /* 16 bytes, NULL unknown */
};
struct web_reply {
  int status;
  const char *type, *allow;    /* static; allow: of a 405, else NULL */
  bool microphone;             /* the page may ask for it */
  char policy[WEB_POLICY_MAX]; /* another Content-Security-Policy than the strictest, "" none */
  char *body;                  /* owned, malloc'd */
  struct {
    const char *name; /* static, with its colon: "location:" */
    char value[WEB_HEADER_MAX];
  } header[WEB_HEADERS_MAX];
  size_t n_headers;
  char challenge[WEB_CHALLENGE_MAX]; /* WWW-Authenticate, "" none */
  int retry_after_s;                 /* > 0: Retry-After */
};
/* web_body_max: the longest body that such a request may have; 0: none. */
size_t web_body_max(enum web_face face, const char *method, const char *path);
/* control_http: the answer comes through control_config.http_reply(ctx, request, &reply), which takes the
 * body, from inside a control_commit: of this turn, or a later one when a password has to be checked.
 * `request` is the shell's. */
void control_http(struct control *c, uint32_t request, const struct web_request *r);
/* control_http_gone: the client did not wait. */
void control_http_gone(struct control *c, uint32_t request);
/* control_kdf_done: the worker's answer to a job (see control_config.kdf). phc: a stronger hash to keep, NULL
 * none. */
void control_kdf_done(struct control *c, uint32_t job, bool right, const char *phc);

#endif
