/* ctl.h: what the files of gavelctl share: one connection to gaveld's 0600 Unix socket, one request and one
 * answer at a time, and how answers are shown.
 *
 * Exit codes: 0 done, 1 wrong usage, 2 no gaveld (or no gavel) answers, 3 refused; verbs of their own may say
 * more. Thread: one. */
#ifndef GAVEL_CTL_CTL_H
#define GAVEL_CTL_CTL_H

#include "core/room/room.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum { EXIT_OK = 0, EXIT_USAGE = 1, EXIT_CONNECT = 2, EXIT_REFUSED = 3 };

struct ctl {
  const char *socket;
  const char *ticket, *operator_name; /* go with every request; NULL: not said */
  const char *database;               /* --database: look at this file instead of asking a gaveld; NULL */
  const char *master_key;             /* --master-key: the file it is in; NULL */
  bool json;
  int fd;
};

/* ctl_fail: one line on stderr; returns `code`. */
int ctl_fail(int code, const char *what);
/* ctl_dial: -1 when connected, else the exit code (it has been said why). */
int ctl_dial(struct ctl *c);
bool ctl_write_all(int fd, const char *p, size_t n);
/* ctl_ask: the result (new reference), or NULL with the exit code in *rc; the refusal has been printed. Dials
 * when that has not been done. `params` is stolen and may be NULL. */
json_t *ctl_ask(struct ctl *c, const char *method, json_t *params, int *rc);
/* ctl_ask_print: the same, the result is printed; returns the exit code. */
int ctl_ask_print(struct ctl *c, const char *method, json_t *params);
/* ctl_database: --database, else the one of the gaveld that answers; malloc'd, NULL with *rc. */
char *ctl_database(struct ctl *c, int *rc);

/* ctl_key.c. ctl_key: the master key of a database: `file` when it is said, --master-key, what systemd gave,
 * or the key file beside `database` (NULL: ask where that is). false after a line on stderr, with *rc.
 * ctl_store: the database to look at, NULL with *rc. */
struct store;
bool ctl_key(struct ctl *c, const char *file, const char *database, uint8_t key[32], int *rc);
struct store *ctl_store(struct ctl *c, const char *path, int *rc);

/* ctl_words.c: the grammar of ctl_verbs.def. ctl_words: argv by a grammar into params, NULL after a line on
 * stderr. */
json_t *ctl_words(const char *grammar, int argc, char **argv);
/* ctl_secret: the value of a =FILE option: what the file holds, "-": one line of stdin, typed without echo
 * when that is a terminal; without the last line break. malloc'd, NULL after a line on stderr. */
char *ctl_secret(const char *path);

/* ctl_print.c: an answer: as it is with --json, else its lists as tables and the rest as "key: value" lines.
 * All texts are filtered for the terminal. ctl_time: wall ms in UTC. */
void ctl_print(const struct ctl *c, const json_t *result);
void ctl_print_json(const json_t *v);
const char *ctl_time(int64_t ms, char out[32]);

/* A verb that gavelctl does itself; the params are what ctl_words made of its row. Returns the exit code. */
typedef int ctl_verb_fn(struct ctl *c, json_t *params);
/* ctl_local: the function of a verb with method "", NULL when there is none. */
ctl_verb_fn *ctl_local(const char *verb);
/* ctl_privacy.c */
ctl_verb_fn ctl_privacy_export, ctl_privacy_schema, ctl_metering;
/* ctl_room.c. ctl_act: an act of the table. */
ctl_verb_fn ctl_create, ctl_show, ctl_bans, ctl_notes, ctl_trusted, ctl_invites;
int ctl_act(struct ctl *c, enum act act, int argc, char **argv);
/* ctl_quality.c */
ctl_verb_fn ctl_quality;
/* ctl_token.c: without a gaveld. */
ctl_verb_fn ctl_token_mint, ctl_token_inspect, ctl_token_verify, ctl_selftest_jwt;
/* ctl_account.c */
ctl_verb_fn ctl_account_create, ctl_account_password, ctl_account_totp;
/* ctl_backup.c */
ctl_verb_fn ctl_backup_now, ctl_backup_list, ctl_backup_verify, ctl_backup_drill, ctl_restore;
/* ctl_metrics.c */
ctl_verb_fn ctl_metrics;
/* ctl_audit.c, ctl_audit_file.c: the audit log, read from the database */
ctl_verb_fn ctl_audit_query, ctl_audit_verify, ctl_audit_export, ctl_audit_report;
/* ctl_client.c: a running gavel. name NULL: the one started last. */
int ctl_client(struct ctl *c, const char *name, int argc, char **argv);

#endif
