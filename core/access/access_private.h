/* access_private.h: what the files of core/access share. Each area keeps its own state behind its own pointer
 * and has the same five doors; access.c opens, reloads, ticks and closes them in the order of the table. */
#ifndef GAVEL_ACCESS_PRIVATE_H
#define GAVEL_ACCESS_PRIVATE_H

#include "core/access/access.h"

struct access {
  struct access_config cfg;
  int64_t wall_ms;
  int64_t age_from_ms; /* see access_may_age */
  uint64_t revision;
  enum err failed;           /* see access_error */
  bool pending;              /* more than the audit log has changed in the open group */
  struct apps *apps;         /* apps.c: applications, keys, users, jti, revocations, address rules */
  struct accounts *accounts; /* accounts.c: accounts, TOTP, sessions, device codes */
  struct audit *audit;       /* audit.c */
  struct privacy *privacy;   /* privacy.c: consents, holds, restrictions, visits, retention */
};

/* X(area): the doors of each area. open reads its documents; reload forgets and reads them again. */
#define ACCESS_AREAS(X) X(audit) X(apps) X(accounts) X(privacy)
#define X(area)                                                                                              \
  MUST_CHECK enum err area##_open(struct access *a, char why[256]);                                          \
  void area##_tick(struct access *a);                                                                        \
  int64_t area##_next_ms(const struct access *a);                                                            \
  void area##_close(struct access *a);
ACCESS_AREAS(X)
#undef X

/* access_may_age: may things be deleted for their age? Not in the first day after the clock went ahead by
 * more than a day, from one tick to the next or since the newest audit entry: it may be wrong. access_clock:
 * the last time we knew was last_ms. */
bool access_may_age(const struct access *a);
void access_clock(struct access *a, int64_t last_ms);

/* A method of gavelctl. `changes`: audited as `name` with the outcome. */
struct access_method {
  const char *name; /* "app.create" */
  bool changes;
  enum err (*run)(struct access *a, const json_t *params, json_t *reply, const char **why);
};
extern const struct access_method ACCESS_APPS[], ACCESS_ACCOUNTS[], ACCESS_AUDIT[], ACCESS_PRIVACY[];

/* doc_put, doc_del: into the group; a failure is kept in a->failed. doc_put steals `doc`. pid "": nobody's.
 */
void doc_put(struct access *a, const char *class, const char *id, const char *pid, json_t *doc);
void doc_del(struct access *a, const char *class, const char *id);
/* pid_new: a fresh pseudonym; id_new: 8 random bytes in hex. */
void pid_new(struct access *a, char out[ACCESS_PID_MAX + 1]);
void id_new(struct access *a, char out[17]);
/* apps.c. user_of: the pid of a user "name@app", provisioned when new (ERR_RESTRICTED, ERR_FULL); the name of
 * a pid, NULL when unknown or erased. */
MUST_CHECK enum err user_provision(struct access *a, const char *name, const char *app,
                                   char pid[ACCESS_PID_MAX + 1]);
const char *user_pid(const struct access *a, const char *user_at_app);
const char *user_name(const struct access *a, const char *pid);
/* user_revoked: is what was made for him then, by our clock, dead since `user revoke`? */
bool user_revoked(const struct access *a, const char *pid, int64_t made_s);
/* user_known: he, or his device, would be known again. */
bool user_known(const struct access *a, const char *pid);
/* user_forget: every document of this area about him goes (his subject's key goes with store_erase_subject).
 */
void user_forget(struct access *a, const char *pid);
/* accounts.c: the same for accounts, sessions; sessions_end: he has to sign in again; session_grant: a "cs1_"
 * token. */
void account_forget(struct access *a, const char *pid);
void sessions_end(struct access *a, const char *pid);
MUST_CHECK enum err session_grant(struct access *a, const char *token, const uint8_t *addr,
                                  struct grant *out);
enum err session_still(const struct access *a, const struct grant *g);
/* privacy.c: ERR_RESTRICTED when this person's data may not be used now. */
enum err privacy_allows(const struct access *a, const char *pid);
/* privacy_keeps: a legal hold keeps what is stored of this person. */
bool privacy_keeps(const struct access *a, const char *pid);
/* privacy_drop: what is kept for when he comes again, and he will not be known: consents, his corrected name.
 */
void privacy_drop(struct access *a, const char *pid);

#endif
