/* apps_private.h: what the files of the area "apps" share: applications, their keys, the people they send,
 * tokens used up or refused, and rules about addresses. Each kind is a class of documents with a struct here;
 * memory and documents change together. Nobody else includes it. */
#ifndef GAVEL_ACCESS_APPS_PRIVATE_H
#define GAVEL_ACCESS_APPS_PRIVATE_H

#include "core/access/access_private.h"
#include "core/base/addr.h"
#include "core/base/map.h"
#include "core/base/text.h"
#include "core/store/seal.h"

#define APPS_MAX 1000
#define APP_KEYS_MAX 10000
#define APP_USERS_MAX 200000
#define APP_GUESTS_MAX 100000 /* devices that are known again */
#define APP_USED_MAX 100000   /* tokens used up or refused that have not ended yet */
#define APP_RULES_MAX 10000
#define APP_TITLE_MAX 200
#define GUEST_KEPT_MS (INT64_C(30) * 24 * 3600000) /* a device not seen for so long is a new one */
#define NAMELESS_KEPT_MS (INT64_C(7) * 24 * 3600000)
#define SWEEP_MS INT64_C(600000)

struct app { /* class "app", id its name */
  char name[ACCESS_APP_MAX + 1];
  char title[APP_TITLE_MAX + 1];
  bool create_rooms, lobby, mfa;
  int64_t since_ms;
};
struct app_key { /* class "key", id the kid */
  char kid[TOKEN_KID_MAX + 1], app[ACCESS_APP_MAX + 1], issuer[TOKEN_ISSUER_MAX + 1];
  enum token_format format;
  unsigned scopes;
  int64_t since_ms, retire_s, ttl_s; /* retire_s 0: in use; ttl_s 0: the usual */
  bool revoked;
  uint8_t sealed[TOKEN_KEY_MAX + SEAL_OVERHEAD];
  size_t n_sealed;
};
struct person { /* class "user", id the pid: a user of an application, or the device of a guest */
  char pid[ACCESS_PID_MAX + 1];
  char user[ACCESS_USER_MAX + 1]; /* "" for a guest */
  char app[ACCESS_APP_MAX + 1];
  uint8_t device[16]; /* of a guest */
  int64_t since_ms, seen_ms;
  int64_t epoch_s; /* tokens made until then are dead; ahead of our clock by TOKEN_LEEWAY_S at first */
  char kid[TOKEN_KID_MAX + 1], jti[TOKEN_JTI_MAX + 1]; /* of the token he came with last */
};
struct used { /* class "jti", id a hash of kid and jti */
  char id[33], app[ACCESS_APP_MAX + 1];
  int64_t exp_s;
  bool denied; /* not used up but refused, and whoever came with it goes */
};
struct rule { /* class "allow" */
  char id[17], app[ACCESS_APP_MAX + 1], room[TEXT_SLUG_MAX + 1];
  char cidr[CIDR_TEXT_MAX];
  struct cidr block;
};
struct block { /* class "ips": an address block announced for later, added or taken away */
  char id[17], cidr[CIDR_TEXT_MAX], class[16];
  bool gone;
  int64_t from_ms;
};
struct apps {
  struct map *apps;    /* name -> app */
  struct map *keys;    /* kid -> key */
  struct map *pids;    /* pid -> person */
  struct map *persons; /* hash of who it is -> person */
  size_t n_guests;
  struct map *used;               /* id -> used */
  struct map *users_of, *used_of; /* name of an application -> how many of the pool it has */
  struct rule *rules;
  size_t n_rules;
  struct block *blocks;
  size_t n_blocks;
  int64_t sweep_ms;
};

/* The doors of each file; load reads its documents. */
MUST_CHECK enum err apps_load(struct access *a);
MUST_CHECK enum err keys_load(struct access *a);
MUST_CHECK enum err users_load(struct access *a);
MUST_CHECK enum err used_load(struct access *a);
MUST_CHECK enum err addresses_load(struct access *a);
/* users_sweep, used_sweep: what is over goes, at most some hundred at once; true when more is left. */
bool users_sweep(struct access *a);
bool used_sweep(struct access *a);

/* apps.c */
struct app *app_find(const struct access *a, const char *name);
/* share_of, share_add: how many of a pool that all share are this application's; none may have more than half
 * of one. Of "", the server's own, nothing is counted. */
size_t share_of(const struct map *pool, const char *app);
void share_add(struct map *pool, const char *app, int by);
/* app_name_valid: [a-z0-9][a-z0-9-]{0,31}. */
bool app_name_valid(const char *name);
/* list_reply: the list sorted by the text under `by`, into the reply (steals it). */
void list_reply(json_t *reply, const char *key, json_t *list, const char *by);

/* keys.c. key_make: a fresh one of our own format; its text into `secret`, for the one reply that shows it.
 */
#define KEY_TEXT_MAX 44
MUST_CHECK enum err key_make(struct access *a, const char *app, char kid[TOKEN_KID_MAX + 1],
                             char secret[KEY_TEXT_MAX]);
struct app_key *key_find(const struct access *a, const char *kid);
/* key_verify: with the key that fits; its record in *key. The material is in the clear only meanwhile. */
MUST_CHECK enum err key_verify(struct access *a, const char *token, struct token_claims *out,
                               const struct app_key **key, const char **why);
/* keys_forget, users_forget, rules_forget: everything of an application that is removed. */
void keys_forget(struct access *a, const char *app);
void users_forget(struct access *a, const char *app);
void rules_forget(struct access *a, const char *app);

/* users.c */
struct person *person_by_pid(const struct access *a, const char *pid);
/* person_find: by "user@app", or by the device of a guest of an application. */
struct person *person_find(const struct access *a, const char *user, const char *app,
                           const uint8_t device[16]);
/* person_keep: a new one, in memory only until person_put; NULL when there are too many. */
struct person *person_keep(struct access *a, const char *pid, const char *user, const char *app,
                           const uint8_t device[16]);
void person_put(struct access *a, const struct person *p);
/* user_format: "name@app", "name" for the server's own. ERR_BAD_NAME. */
MUST_CHECK enum err user_format(const char *name, const char *app, char out[ACCESS_USER_MAX + 1]);

/* jti.c: used_find: NULL, used up, or denied. used_add: ERR_FULL; an older entry only gets denied or lives
 * longer. */
struct used *used_find(const struct access *a, const char *kid, const char *jti);
bool used_full(const struct access *a, const char *app);
MUST_CHECK enum err used_add(struct access *a, const char *app, const char *kid, const char *jti,
                             int64_t exp_s, bool denied);

/* The methods. */
typedef enum err access_run(struct access *a, const json_t *params, json_t *reply, const char **why);
access_run key_add, key_list, key_retire, key_revoke, user_list, user_show, user_revoke, token_revoke,
    allow_add, allow_list, allow_remove, ips_planned, ips_add, ips_remove;

#endif
