/* accounts.h: signing in: accounts with a password and a second factor, OAuth 2.0 sessions, the device flow.
 *
 * A password is checked in two halves, because argon2id belongs to the worker (core/server/shell_kdf.h):
 * login_begin hands out what to compare with, login_end gets the answer. Session and refresh tokens are
 * "cs1_" and "cr1_" with 32 random bytes in base64url; only their SHA-256 is kept. Rotating a refresh token
 * twice revokes its family (RFC 9700 4.14). Thread: the control thread. */
#ifndef GAVEL_ACCESS_ACCOUNTS_H
#define GAVEL_ACCESS_ACCOUNTS_H

#include "core/access/access.h"
#include "core/auth/password.h"

#define SESSION_IDLE_MS (INT64_C(12) * 3600000)      /* slides with every use */
#define SESSION_MOST_MS (INT64_C(30) * 24 * 3600000) /* and never longer than this */
#define SESSION_ACCESS_S 7200                        /* expires_in of an access token: then refresh */
#define SCOPE_ORDINARY (SCOPE_JOIN | SCOPE_SPEAK | SCOPE_CHAT) /* of a device that does not ask for more */
#define DEVICE_CODE_S 600
#define DEVICE_INTERVAL_S 5

enum login_limit {
#define LOGIN_LIMIT(id, ...) LOGIN_##id,
#include "core/access/login_limits.def"
#undef LOGIN_LIMIT
  LOGIN_LIMIT__COUNT
};
/* login_limits_held: how often each row of login_limits.def held somebody back: LOGIN_LIMIT__COUNT numbers.
 */
const uint64_t *login_limits_held(const struct access *a);

/* Whose password is being compared, as it was when that began: what was changed since ends the try. */
struct login_try {
  char pid[ACCESS_PID_MAX + 1], phc[PASSWORD_PHC_MAX];
};
/* login_begin: counts the try by account and address before anything is spent on it. t->phc is what to
 * compare with, "" for an unknown account (compare anyway: the same time). ERR_RATE with *retry_s. */
MUST_CHECK enum err login_begin(struct access *a, const char *account, const uint8_t *addr,
                                struct login_try *t, int *retry_s);
/* login_cancel: the try was not made after all (the worker was busy): it does not count. */
void login_cancel(struct access *a, const char *account, const uint8_t *addr);
/* login_end: `right` is what the comparison with t->phc said, `code` the TOTP or recovery code ("" none). On
 * ERR_OK *mfa says whether a second factor was shown; who it is is t->pid. ERR_BAD_LOGIN (also when the
 * account or its password is another since), ERR_NEED_TOTP (right so far), ERR_RATE. */
MUST_CHECK enum err login_end(struct access *a, const char *account, const struct login_try *t, bool right,
                              const char *code, const uint8_t *addr, bool *mfa);
/* login_rehash: keep the stronger hash of the password that was compared, unless there is another since. */
void login_rehash(struct access *a, const struct login_try *t, const char *phc);

/* The OAuth endpoints, as reply objects (RFC 6749, 7009, 7662, 8628). On a refusal the reply is
 * {"error","error_description"} and the return value says which status it has (oauth_status). */
/* oauth_device_start: without `scope` it asks for SCOPE_ORDINARY. */
MUST_CHECK enum err oauth_device_start(struct access *a, const char *client, const char *scope,
                                       const char *base_url, const uint8_t *addr, json_t *reply);
/* oauth_device_poll, oauth_refresh: `client` has to be who started. */
MUST_CHECK enum err oauth_device_poll(struct access *a, const char *client, const char *device_code,
                                      const uint8_t *addr, json_t *reply);
/* oauth_device_show: what the approval page says of a user code: client, network, age. ERR_BAD_CODE,
 * ERR_RATE. */
MUST_CHECK enum err oauth_device_show(struct access *a, const char *user_code, const uint8_t *addr,
                                      json_t *reply);
/* oauth_device_decide: by the person who signed in. */
MUST_CHECK enum err oauth_device_decide(struct access *a, const char *user_code, const char *pid, bool mfa,
                                        bool approve);
MUST_CHECK enum err oauth_refresh(struct access *a, const char *client, const char *refresh_token,
                                  const uint8_t *addr, json_t *reply);
void oauth_revoke(struct access *a, const char *token);
MUST_CHECK enum err oauth_introspect(struct access *a, const char *token, json_t *reply);
/* oauth_status: the HTTP status of a refusal: 400, 401, 403 or 429. */
int oauth_status(enum err e);

#endif
