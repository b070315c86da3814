/* login.h: signing in from a terminal, the client's side (RFC 8628, 6749): what is sent, what the answers
 * mean, what is kept. Pure: tui/login.c brings network, files and time.
 *
 * Invariant: what a login holds was read by our rules: tokens are printable ASCII without blanks, the page's
 * address is https and safe to print. Thread: any. */
#ifndef GAVEL_SESSION_LOGIN_H
#define GAVEL_SESSION_LOGIN_H

#include "core/base/err.h"
#include "core/wire/link.h"

#include <stdint.h>

#define LOGIN_TOKEN_MAX 512
#define LOGIN_URI_MAX 400
#define LOGIN_FRESH_MS INT64_C(120000) /* an access token that ends sooner is refreshed first */

/* What is kept of one server: $XDG_STATE_HOME/gavel/sessions/HOST_PORT.json. */
struct login {
  struct link to; /* host, port, pin; no room, no secret */
  char access[LOGIN_TOKEN_MAX], refresh[LOGIN_TOKEN_MAX];
  int64_t until_ms; /* wall time: of the access token */
};
/* login_read: such a file; ERR_BAD_JSON. login_write: malloc'd, wipe it. */
MUST_CHECK enum err login_read(const char *text, size_t n, struct login *out);
char *login_write(const struct login *l);
/* login_fits: may the token go to where the link leads? The same host, port and way of knowing its
 * certificate: a pin from a stranger's link must not say who gets it. */
bool login_fits(const struct login *l, const struct link *to);

/* login_form: "name=value&..." of pairs up to NULL, escaped; malloc'd. */
char *login_form(const char *name, ...) __attribute__((sentinel));

struct login_device {
  char device_code[LOGIN_TOKEN_MAX], user_code[24], uri[LOGIN_URI_MAX], complete[LOGIN_URI_MAX];
  int64_t expires_s, interval_s;
};
/* login_device_read: the answer of /oauth/device_authorization. ERR_PROTOCOL, or the refusal (see
 * login_tokens_read). */
MUST_CHECK enum err login_device_read(int status, const char *body, struct login_device *out);
/* login_tokens_read: the answer of /oauth/token: ERR_OK with the tokens in *out, ERR_PENDING, ERR_SLOW_DOWN
 * (ask 5 s less often from now on), ERR_ACCESS_DENIED, ERR_EXPIRED, ERR_BAD_GRANT, ERR_RATE, ERR_SCOPE,
 * ERR_PROTOCOL; ERR_AGAIN: the server has a fault, try again later. */
MUST_CHECK enum err login_tokens_read(int status, const char *body, int64_t wall_ms, struct login *out);

#endif
