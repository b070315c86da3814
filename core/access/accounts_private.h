/* accounts_private.h: what the files of the area "accounts" share: accounts (class "account", id the pid),
 * sessions (class "session", id their own), device codes and the limits on guessing. The last two live in
 * memory only: a restart, or a group that was lost, forgets who guessed wrong, and a device that was waiting
 * starts again. Nobody else includes it. */
#ifndef GAVEL_ACCESS_ACCOUNTS_PRIVATE_H
#define GAVEL_ACCESS_ACCOUNTS_PRIVATE_H

#include "core/access/access_private.h"
#include "core/access/accounts.h"
#include "core/auth/totp.h"
#include "core/base/map.h"
#include "core/base/text.h"

#define ACCOUNTS_MAX 10000
#define SESSIONS_PER_ACCOUNT 20         /* one more ends the one that was used least lately */
#define DEVICES_MAX 1000                /* waiting for approval */
#define DEVICE_KEPT_MS INT64_C(300000)  /* after its end, to say that it has expired */
#define SESSION_WRITE_MS INT64_C(60000) /* what slid is written this often at most */
#define USER_CODE_LEN 8
#define CLIENT_MAX 64

/* ---- login_limit.c: so many tries in a window, then nothing for a while ---- */

struct throttle {
  int64_t start_ms, until_ms, lock_ms;
  unsigned n;
};
struct throttle_rule {
  unsigned tries;
  int64_t window_ms;
  int64_t lock_ms, lock_most_ms; /* after the last try, twice as long each time; 0: until the window ends */
};
#define THROTTLES_MAX 1024
struct throttle_table {
  struct throttle_slot {
    uint8_t key[16];
    struct throttle t;
  } slot[THROTTLES_MAX];
};
struct throttle_net { /* by address (v4 /32, v6 /64; NULL: one for all who are unknown) and network (/24, /48)
                       */
  struct throttle_table own, wide;
};
/* throttle_take: counts a try; false when there is none left, with *retry_s until there is. */
bool throttle_take(struct throttle *t, const struct throttle_rule *rule, int64_t now_ms, int *retry_s);
/* throttle_give: the try was none: it was right. */
void throttle_give(struct throttle *t);
/* throttle_of: by a key; a full table forgets who tried least lately. */
struct throttle *throttle_of(struct throttle_table *table, const uint8_t key[16]);
/* login_take: throttle_take by a row of login_limits.def, which counts when it holds. login_take_net: by the
 * row of an address and the one of its network that follows; login_give_net: the try was none. */
bool login_take(struct access *a, enum login_limit row, struct throttle *t, int *retry_s);
bool login_take_net(struct access *a, enum login_limit row, struct throttle_net *net, const uint8_t *addr,
                    int *retry_s);
void login_give_net(struct throttle_net *net, const uint8_t *addr);

/* ---- what is kept ---- */

struct account {
  char name[TEXT_SLUG_MAX + 1], pid[ACCESS_PID_MAX + 1], phc[PASSWORD_PHC_MAX];
  unsigned scopes;
  int64_t made_ms;
  bool totp;
  uint8_t secret[TOTP_SECRET];
  uint64_t last_step;
  uint8_t recovery[TOTP_RECOVERY_CODES][32];
  size_t n_recovery, n_sessions;
  struct throttle tries, seconds; /* passwords, second factors */
};
struct session {
  char id[17], pid[ACCESS_PID_MAX + 1], client[CLIENT_MAX + 1];
  unsigned scopes;
  bool mfa;
  int64_t mfa_ms; /* when the second factor was shown */
  uint8_t access[32], refresh[32], family[32]; /* SHA-256 */
  int64_t made_ms, used_ms, access_until_ms, written_ms;
  bool bound; /* not used yet: only from this network */
  uint8_t network[16];
};
struct device {
  enum { DEVICE_FREE, DEVICE_WAITING, DEVICE_APPROVED, DEVICE_DECLINED } state;
  uint8_t code[32]; /* SHA-256 */
  char user_code[USER_CODE_LEN + 1], client[CLIENT_MAX + 1], pid[ACCESS_PID_MAX + 1];
  unsigned scopes;
  uint8_t network[16]; /* zero: unknown */
  int64_t made_ms, polled_ms;
  int interval_s;
  bool mfa;
  int64_t mfa_ms;
};
struct accounts {
  struct map *names, *pids;            /* -> account */
  struct map *ids, *tokens, *families; /* session by id, access token, refresh family */
  int64_t sweep_ms;                    /* the next session or device ends */
  struct device devices[DEVICES_MAX];
  struct throttle_table unknown; /* names that are no account */
  struct throttle_net addresses, starts, guesses;
  struct throttle all_guesses;
  uint64_t held[LOGIN_LIMIT__COUNT];
};

/* accounts.c */
struct account *account_by_name(const struct access *a, const char *name);
struct account *account_by_pid(const struct access *a, const char *pid);
/* account_add: into memory; owned from then on. account_put: to the group. */
void account_add(struct access *a, struct account *k);
void account_put(struct access *a, const struct account *k);
/* accounts_detach: the area as it was before a lost group. accounts_inherit: how often somebody guessed
 * counts on; the old area goes. */
struct accounts *accounts_detach(struct access *a);
void accounts_inherit(struct access *a, struct accounts *before);
/* accounts_wake: something ends at `ms`. */
void accounts_wake(struct access *a, int64_t ms);
/* accounts_network: what a session is bound to: v4 /24, v6 /48; zero when unknown. */
void accounts_network(const uint8_t *addr, uint8_t out[16]);
/* accounts_note: the audit line of something done or refused about a person. `session` may be NULL. */
void accounts_note(struct access *a, const char *action, const char *pid, const char *session,
                   const uint8_t *addr, enum err outcome);
/* A member of a document in hex. */
void json_set_hex(json_t *o, const char *key, const uint8_t *v, size_t n);
bool json_get_hex(const json_t *o, const char *key, uint8_t *out, size_t n);

/* login.c. login_second: a code of the authenticator or a recovery code; ERR_BAD_LOGIN, ERR_RATE. */
MUST_CHECK enum err login_second(struct access *a, struct account *k, const char *code, const uint8_t *addr);

/* session.c */
MUST_CHECK enum err sessions_load(struct access *a, char why[256]);
void sessions_free(struct accounts *s);
/* sessions_sweep: ends what is over; when the next one is, INT64_MAX: none. */
int64_t sessions_sweep(struct access *a);
/* session_make: for a device that was approved; its tokens into reply. */
void session_make(struct access *a, const struct account *k, const struct device *d, json_t *reply);
/* session_rotate: new tokens for the newest refresh token; the old ones are dead. */
void session_rotate(struct access *a, struct session *s, const char *refresh_token, json_t *reply);
/* session_of: by an access or refresh token. *right: a refresh token that is the newest of its family. */
struct session *session_of(const struct access *a, const char *token, bool *right);
/* session_until: when it ends unless it is used before. */
int64_t session_until(const struct session *s);
bool session_live(const struct access *a, const struct session *s);
unsigned session_scopes(const struct access *a, const struct session *s);
/* session_network: may it be used from there? True from the first use on. */
bool session_network(const struct session *s, const uint8_t *addr);
/* session_stop: out of memory and out of the store; who came in by it has to go. sessions_end: all of a
 * person, and the devices he approved that have not come for theirs. */
void session_stop(struct access *a, struct session *s);

/* oauth.c: device codes that are over go; when the next is. devices_end: what a person decided, and what was
 * not fetched yet, is nothing any more. */
int64_t devices_sweep(struct access *a);
void devices_end(struct access *a, const char *pid);
/* user_code_read: as typed into its plain form; false: it cannot be one. */
bool user_code_read(const char *typed, char out[USER_CODE_LEN + 1]);

#endif
