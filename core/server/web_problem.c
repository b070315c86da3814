/* web_problem.c: refusals of WHIP, WHEP and the REST face as RFC 9457 problems: one status for each error,
 * and one writer. */
#include "core/server/web_private.h"

#include <stdio.h>

#define LATER_S 5 /* a 503 that does not say when */

int web_status(enum err e) {
  switch (e) {
  case ERR_BAD_TOKEN:
  case ERR_BAD_INVITE:
  case ERR_REVOKED:
  case ERR_EXPIRED:
    return 401;
  case ERR_NO_ROOM:
  case ERR_ROOM_ENDED:
  case ERR_NO_RESUME:
  case ERR_NO_MEMBER:
  case ERR_NO_MESSAGE:
  case ERR_NO_APP:
  case ERR_NO_KEY:
  case ERR_NO_USER:
  case ERR_NO_POLL:
  case ERR_NO_SIDE:
  case ERR_BAD_METHOD:
    return 404;
  case ERR_ROOM_EXISTS:
  case ERR_EXISTS:
  case ERR_NO_CHANGE:
  case ERR_NOTHING:
  case ERR_TOO_LATE:
  case ERR_POLL_OPEN:
  case ERR_SPEAKERS_FULL:
  case ERR_NOT_SELF:
  case ERR_ONLY_SELF:
  case ERR_SILENCED:
    return 409;
  case ERR_RATE:
  case ERR_SLOW_MODE:
    return 429;
  case ERR_FULL:
  case ERR_AGAIN:
  case ERR_BUSY:
  case ERR_DISK_FULL:
  case ERR_DRAINING:
    return 503;
  case ERR_INTERNAL:
  case ERR_NOMEM:
  case ERR_IO:
  case ERR_DB_CORRUPT:
    return 500;
  case ERR_BAD_JSON:
  case ERR_BAD_REQUEST:
  case ERR_BAD_ARG:
  case ERR_BAD_TEXT:
  case ERR_BAD_NAME:
  case ERR_BAD_CODE:
  case ERR_BAD_SDP:
    return 400;
  default: /* about who he is, or what the room allows now */
    return 403;
  }
}

void web_problem(struct control *c, uint32_t request, int status, const char *code, const char *title,
                 const char *detail, int retry_ms) {
  json_t *o =
      json_pack("{s:s,s:s,s:i,s:s}", "type", "about:blank", "title", title, "status", status, "code", code);
  json_t *more = detail ? json_string(detail) : NULL; /* NULL as well when it is not UTF-8 */
  if (more)
    json_object_set_new(o, "detail", more);
  struct web_reply r = {.status = status,
                        .type = "application/problem+json",
                        .retry_after_s = retry_ms > 0    ? (retry_ms + 999) / 1000
                                         : status == 503 ? LATER_S
                                         : status == 429 ? 1
                                                         : 0,
                        .body = json_dumps(o, JSON_COMPACT)};
  if (status == 401)
    snprintf(r.challenge, sizeof r.challenge, "Bearer realm=\"gavel\", error=\"invalid_token\"");
  json_decref(o);
  web_answer(c, request, &r);
}

void web_refuse(struct control *c, uint32_t request, enum err e, const char *detail, int retry_ms) {
  web_problem(c, request, web_status(e), err_code(e), err_text(e), detail, retry_ms);
}
