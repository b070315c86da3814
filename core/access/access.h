/* access.h: who may enter, and what is remembered about them: applications and their keys, users, accounts,
 * sessions, revocations, address rules, consents, and the audit log of all of it.
 *
 * Everything is kept as sealed documents of the store (store_put_doc), read into memory at start and written
 * through, in the same group as the audit line that tells of it: after control_commit both are on disk or
 * neither. When a commit fails access_reload makes memory say again what the disk says.
 *
 * A person is known by a pid, a random pseudonym ("p-" and 16 hex digits); who that is stands only in his
 * sealed documents. Sans-IO: time and chance are passed in. Thread: the control thread. */
#ifndef GAVEL_ACCESS_ACCESS_H
#define GAVEL_ACCESS_ACCESS_H

#include "core/auth/scope.h"
#include "core/auth/token.h"
#include "core/base/rng.h"
#include "core/store/store.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define ACCESS_APP_MAX 32 /* [a-z0-9][a-z0-9-]*; "" is the server's own */
#define ACCESS_PID_MAX 18 /* "p-" and 16 hex digits */
#define ACCESS_USER_MAX (TOKEN_SUBJECT_MAX + 1 + ACCESS_APP_MAX) /* user@app */

/* Whether an operator may listen without being announced: monitor.h has all conditions. */
struct monitor_rules {
  bool silent, second_person, tell_host_after; /* [monitor] */
  bool consent;                                /* [privacy] the text of consent speaks of it */
};
struct access_config {
  struct store *store;  /* borrowed */
  struct rng *rng;      /* borrowed */
  const char *audience; /* of our JWT: this deployment's name */
  bool hosts_need_mfa;  /* who moderates signs in with a second factor */
  bool accounts_only;   /* an invite alone is not enough: also a token or an account */
  /* privacy */
  const char *consent_text, *consent_version; /* NULL: none is asked */
  const char *controller, *contact;           /* who answers for the data */
  int chat_days, quality_days, audit_days;    /* retention; audit_days >= 180 */
  struct monitor_rules monitor;
  /* audit */
  const char *anchor_file; /* checkpoints are appended to it as well; NULL: none */
};
struct access;
/* access_open: reads the documents. ERR_DB_CORRUPT with `why`. */
MUST_CHECK enum err access_open(const struct access_config *c, int64_t wall_ms, struct access **out,
                                char why[256]);
/* access_reload: the last group is lost: what it changed is read again; how often somebody guessed is not
 * forgotten. Aborts when the documents cannot be read. */
void access_reload(struct access *a);
/* access_kept: the group is on disk. */
void access_kept(struct access *a);
/* access_configure: other rules and names from now on; store, rng and audience stay. Its strings are
 * borrowed. */
void access_configure(struct access *a, const struct access_config *c);
const struct monitor_rules *access_monitor_rules(const struct access *a);
/* access_tick: the time for everything that follows; runs what is due (checkpoints, retention, expiries).
 * access_next_ms: wall time of the next (INT64_MAX: never). */
void access_tick(struct access *a, int64_t wall_ms);
int64_t access_next_ms(const struct access *a);
/* access_error: why something could not be appended to the open group (ERR_OK: nothing went wrong); cleared.
 */
enum err access_error(struct access *a);
void access_close(struct access *a);

/* ---- entering ---- */

/* What a token, session or device gave: kept in the seat, asked again when access_revision changes. */
struct grant {
  char pid[ACCESS_PID_MAX + 1];
  char user[ACCESS_USER_MAX + 1]; /* "user@app", "" for a guest */
  char app[ACCESS_APP_MAX + 1];
  char kid[TOKEN_KID_MAX + 1]; /* of the token's key, "" without */
  char jti[TOKEN_JTI_MAX + 1];
  char session[24];              /* id of the session, "" without */
  char name[TOKEN_NAME_MAX + 1]; /* to be shown, "" when nobody said */
  char room[TOKEN_ROOM_MAX + 1]; /* the only room it is for, as access_room writes it; "" any */
  uint8_t device[16];            /* of a guest */
  int64_t iat_s, exp_s;
  unsigned scopes;
  unsigned asked; /* of a session: what its client asked for, and was granted as far as the account has it */
  int64_t mfa_ms; /* of a session: when the second factor was shown, 0: never */
  bool mfa, once; /* once: its jti is used up by entering */
  bool forged;    /* refused, and it was signed by nobody we know: a guess at a key */
};
/* access_token: a join token (any format switched on) or a session token ("cs1_..."), for a room as
 * access_room writes it, "" any. Nothing is kept before access_enter. ERR_BAD_TOKEN (the audit log has the
 * reason; out->forged is set), ERR_RESTRICTED, ERR_FULL. `addr` may be NULL. */
MUST_CHECK enum err access_token(struct access *a, const char *token, const char *room, const uint8_t *addr,
                                 struct grant *out);
/* access_mint: a join token of an application, signed with the newest key of its own HS256 format that is in
 * use; `t` has subject, room, name, scopes and in exp_s how long it is to live. Into `reply`: token, kid,
 * jti, expires_ms. ERR_NO_KEY, ERR_BAD_ARG with *why. */
MUST_CHECK enum err access_mint(struct access *a, const char *app, struct token_claims *t, json_t *reply,
                                const char **why);
/* access_guest: the pid of a device (16 bytes, all zero: unknown, then a new one that is not kept). */
MUST_CHECK enum err access_guest(struct access *a, const char *app, const uint8_t device[16],
                                 struct grant *out);
/* access_enter: he comes in by this grant: the jti is used up, the user or device is kept under his pid.
 * ERR_FULL. */
MUST_CHECK enum err access_enter(struct access *a, const struct grant *g);
/* access_room: the room an application's name for it stands for: the name itself when it is a slug, else "r-"
 * and 32 hex digits of its SHA-256: names that differ are two rooms. `out` holds 64 bytes. False: empty, or
 * longer than TOKEN_ROOM_MAX. */
bool access_room(const char *name, char out[64]);
/* access_still: does the grant hold? ERR_OK, ERR_REVOKED, ERR_RESTRICTED. */
enum err access_still(const struct access *a, const struct grant *g);
/* access_revision: grows when some grant may not hold any more. */
uint64_t access_revision(const struct access *a);

/* The rules of an application ("" the server's own) for a room. */
struct app_policy {
  bool exists, create_rooms; /* a room is made when the first one joins */
  bool lobby;                /* of rooms made so */
  bool hosts_need_mfa;
  bool accounts_only; /* an invite alone is not enough */
};
struct app_policy access_app(const struct access *a, const char *app);
/* access_address: may this address enter rooms of the application, and this room? ERR_OK or ERR_ADDRESS. */
enum err access_address(const struct access *a, const char *app, const char *room, const uint8_t addr[16]);

/* ---- consent ---- */

/* access_consent: `version` as the person accepted it, NULL: he said nothing. ERR_OK: none is asked, or it is
 * given (and recorded under pid), else ERR_NEED_CONSENT. `method`: how he said it, a word of ours. */
MUST_CHECK enum err access_consent(struct access *a, const char *pid, const char *version,
                                   const char *method);
/* access_withdraw: as easily as it was given. */
MUST_CHECK enum err access_withdraw(struct access *a, const char *pid);
/* access_consent_text: what is asked, NULL when nothing is. */
const char *access_consent_text(const struct access *a, const char **version);

/* ---- a person's own data ---- */

/* access_about: what is stored of him now, and why and how long; a new reference. */
json_t *access_about(struct access *a, const char *pid);
/* access_name: the name he had corrected; false: none. */
bool access_name(struct access *a, const char *pid, char out[TOKEN_NAME_MAX + 1]);
/* access_user: "user@app" of a pid, "" for a guest. */
void access_user(const struct access *a, const char *pid, char out[ACCESS_USER_MAX + 1]);
/* access_subject: the pid of "name@app" or of a pid, for erasing: ERR_NO_USER, ERR_HELD. */
MUST_CHECK enum err access_subject(const struct access *a, const char *user, char pid[ACCESS_PID_MAX + 1]);

/* access_held: the pids under legal hold, NULL-ended; to be freed (the list alone). */
const char **access_held(const struct access *a);

/* ---- rooms that go on: each time the last person leaves one, a meeting is over ---- */

struct access_purged {      /* zero at first */
  int64_t chat_ms, rest_ms; /* chat, other personal content from before then is gone */
  int64_t again_ms;         /* a hold keeps some of it: looked at again then */
};
/* access_purge_room: of the stream of a living room goes what is over for as long as the policy says: what
 * was said until the end of a meeting, then the names and reasons (not bans and texts of the room, which hold
 * on). `end_ms`: when its meetings ended, n of them, in order. How many payloads went. access_purge_next_ms:
 * when something is due again, INT64_MAX: when another meeting has ended. */
uint64_t access_purge_room(struct access *a, const char *stream, const int64_t *end_ms, size_t n,
                           struct access_purged *kept);
int64_t access_purge_next_ms(const struct access *a, const int64_t *end_ms, size_t n,
                             const struct access_purged *kept);

/* ---- quality and metering: one row when someone leaves ---- */

struct access_visit {
  const char *pid, *app, *room;
  int64_t from_ms, to_ms;
  /* means over the stay, of the worse direction of his line; 0: unknown */
  uint32_t loss_permille, jitter_ms, rtt_ms;
  uint32_t burst_ms, concealed_permille;
  uint32_t frozen_permille; /* of the time: reports with losses over 200 ms that were heard */
  uint32_t mos_tenths, kbps;
  uint32_t join_ms; /* until his sound path was up, the first time */
};
/* access_visit: someone has left: his row is kept as long as the policy says. */
void access_visit(struct access *a, const struct access_visit *v);
/* access_visits: the rows of a room that ended since then, oldest first, the last ACCESS_VISITS_MAX: those of
 * nobody too, without ids of people. A new reference. */
#define ACCESS_VISITS_MAX 1000
json_t *access_visits(struct access *a, const char *app, const char *room, int64_t since_ms);

/* ---- the audit log: stream "audit" of the store ---- */

struct audit_entry {
  const char *actor;  /* pid, "operator" (with ":name" when known), "system" */
  const char *action; /* "room.admit", "token.refused", "config.change", ... */
  const char *target; /* pid, name of a key, ...; NULL none. Never a person's name or an address */
  const char *app, *room;
  enum err outcome;
  const uint8_t *addr; /* 16 bytes; kept as /24 or /48; NULL */
  const char *ticket;  /* of the change this belongs to; NULL */
  const json_t *meta;  /* borrowed; no personal content; NULL */
};
/* audit_note: into the open group. Equal refusals of one network in one minute become one line with a count.
 */
void audit_note(struct access *a, const struct audit_entry *e);
/* audit_refusal: the short form for a door that stays shut; `why` is for the log only. */
void audit_refusal(struct access *a, const char *action, const char *app, const char *room,
                   const char *target, const char *why, const uint8_t *addr, enum err e);
/* audit_checkpoint: sign what is on disk now (it happens by itself every 1000 lines or hour). audit_stop: at
 * the end, when there is something new; commit before and after. */
void audit_checkpoint(struct access *a);
void audit_stop(struct access *a);
/* audit_serve: on whose behalf what follows is done, and by which ticket, for entries that do not say: until
 * it is called with NULL. audit_serving: is it on anybody's behalf? */
void audit_serve(struct access *a, const char *actor, const char *ticket);
bool audit_serving(const struct access *a);

/* ---- what operators ask: gavelctl's verbs, see core/wire/ctl_verbs.def ---- */

/* access_call: ERR_BAD_METHOD when it is none of ours. Fills `reply`. Every call that changes something is
 * audited under `actor` and params.ticket. The methods are in tables, one a file: ACCESS_APPS,
 * ACCESS_ACCOUNTS, ACCESS_AUDIT, ACCESS_PRIVACY (access_private.h). */
MUST_CHECK enum err access_call(struct access *a, const char *actor, const char *method, const json_t *params,
                                json_t *reply, const char **why);

#endif
