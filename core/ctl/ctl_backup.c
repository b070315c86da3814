/* ctl_backup.c: gavelctl backup now, list, verify, drill, and gavelctl restore. They work beside a gaveld and
 * without one; only restore wants it stopped. */
#include "core/access/audit_format.h"
#include "core/base/clock.h"
#include "core/ctl/ctl.h"
#include "core/store/backup.h"
#include "core/wire/json.h"

#include <inttypes.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct job {
  struct ctl *c;
  const json_t *words; /* borrowed */
  char *database, *folder;
  uint8_t key[32];
  int rc;
};

static bool failed(struct job *j, int rc, const char *what) {
  j->rc = ctl_fail(rc, what);
  return false;
}

static bool refused(struct job *j, enum err e, const char *why) {
  fprintf(stderr, "gavelctl: %s (%s)\n", why, err_code(e));
  j->rc = EXIT_REFUSED;
  return false;
}

static int close_job(struct job *j) {
  free(j->database);
  free(j->folder);
  OPENSSL_cleanse(j->key, sizeof j->key);
  return j->rc;
}

/* --folder, else what the gaveld that answers says. */
static bool find_folder(struct job *j) {
  const char *word = json_str(j->words, "folder", NULL);
  json_t *info = word ? NULL : ctl_ask(j->c, "server.info", NULL, &j->rc);
  const char *folder = word ? word : json_str(info, "backups", NULL);
  j->folder = folder ? strdup(folder) : NULL;
  if (info && !folder)
    failed(j, EXIT_REFUSED,
           "gaveld makes no backups: name a folder with --folder, or in its [backup] section");
  json_decref(info);
  return j->folder != NULL;
}

/* --key, else see ctl_key. */
static bool find_key(struct job *j) {
  return ctl_key(j->c, json_str(j->words, "key", NULL), j->database, j->key, &j->rc);
}

/* ---- now, list ---- */

int ctl_backup_now(struct ctl *c, json_t *params) {
  struct job j = {.c = c, .words = params};
  char name[BACKUP_NAME_MAX], why[256];
  if ((j.database = ctl_database(c, &j.rc)) && find_folder(&j) && find_key(&j)) {
    struct backup_place p = {j.database, j.folder, j.key};
    enum err e = backup_make(&p, clock_wall_ms(), true, name, why);
    json_t *out = json_pack("{s:s,s:s}", "folder", j.folder, "backup", name);
    if (e == ERR_OK)
      ctl_print(c, out);
    else
      (void)refused(&j, e, why);
    json_decref(out);
  }
  return close_job(&j);
}

static bool list(struct job *j, struct backup_list *l) {
  char why[256];
  *l = (struct backup_list){0};
  enum err e = find_folder(j) ? backup_list(j->folder, l, why) : ERR_OK;
  if (e != ERR_OK)
    (void)refused(j, e, why);
  return j->rc == EXIT_OK;
}

int ctl_backup_list(struct ctl *c, json_t *params) {
  struct job j = {.c = c, .words = params};
  struct backup_list l = {0};
  if (list(&j, &l)) {
    int64_t now_ms = clock_wall_ms(), t;
    json_t *all = json_array();
    for (size_t i = 0; i < l.n; i++)
      if (backup_time(l.names[i], &t))
        json_array_append_new(
            all, json_pack("{s:s,s:I}", "backup", l.names[i], "age_s", (json_int_t)((now_ms - t) / 1000)));
    json_t *out = json_pack("{s:s,s:o}", "folder", j.folder, "backups", all);
    ctl_print(c, out);
    json_decref(out);
  }
  backup_list_free(&l);
  return close_job(&j);
}

/* ---- verify ---- */

static json_t *facts(const char *file, const struct backup_facts *f, int64_t now_ms) {
  return json_pack("{s:s,s:I,s:I,s:I}", "backup", file, "events", (json_int_t)f->events, "bytes",
                   (json_int_t)f->bytes, "age_s", (json_int_t)((now_ms - f->made_ms) / 1000));
}

/* Into `all`; a damaged one is told at once, and the rest goes on. */
static bool verify_one(struct job *j, const char *file, json_t *all) {
  struct backup_facts f;
  char why[256];
  enum err e = backup_verify(file, j->key, &f, why);
  if (e != ERR_OK)
    return refused(j, e, why);
  json_array_append_new(all, facts(file, &f, clock_wall_ms()));
  return true;
}

static void verify_all(struct job *j, json_t *all) {
  struct backup_list l;
  char file[PATH_MAX + BACKUP_NAME_MAX];
  if (list(j, &l))
    for (size_t i = 0; i < l.n; i++) {
      snprintf(file, sizeof file, "%s/%s", j->folder, l.names[i]);
      (void)verify_one(j, file, all);
    }
  backup_list_free(&l);
}

int ctl_backup_verify(struct ctl *c, json_t *params) {
  struct job j = {.c = c, .words = params};
  const char *file = json_str(j.words, "file", NULL);
  bool every = json_is_true(json_object_get(j.words, "all"));
  if (every == (file != NULL))
    failed(&j, EXIT_USAGE, "name one backup, or --all");
  else if (find_key(&j)) {
    json_t *all = json_array();
    if (every)
      verify_all(&j, all);
    else
      (void)verify_one(&j, file, all);
    json_t *out = json_pack("{s:o}", "verified", all);
    if (c->json || j.rc == EXIT_OK || json_array_size(all) > 0)
      ctl_print(c, out);
    json_decref(out);
  }
  return close_job(&j);
}

/* ---- drill, restore ---- */

/* Who put back what, as the first entry behind what the backup holds. */
static enum err note_restore(void *ctx, struct store *s, const struct backup_facts *f) {
  const struct job *j = ctx;
  char actor[64];
  uint8_t hash[32];
  uint64_t seq = 0;
  const char *name = j->c->operator_name, *file = json_str(j->words, "file", ""), *slash = strrchr(file, '/');
  snprintf(actor, sizeof actor, "operator%s%.48s", name ? ":" : "", name ? name : "");
  json_t *data =
      json_pack("{s:s,s:{s:s,s:I,s:I}}", "outcome", err_code(ERR_OK), "meta", "backup",
                slash ? slash + 1 : file, "made_ms", (json_int_t)f->made_ms, "events", (json_int_t)f->events);
  if (data && j->c->ticket)
    json_object_set_new(data, "ticket", json_string(j->c->ticket));
  char *text = data ? json_dumps(data, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
  json_decref(data);
  if (!text)
    return ERR_BAD_ARG; /* a name that is no UTF-8 */
  enum err e = store_head(s, AUDIT_STREAM, &seq, hash);
  struct store_record r = {.stream = AUDIT_STREAM,
                           .seq = seq + 1,
                           .ts_ms = clock_wall_ms(),
                           .actor = actor,
                           .kind = "backup.restore",
                           .target = "",
                           .data = text};
  if (e == ERR_OK)
    e = store_append(s, &r);
  if (e == ERR_OK)
    e = store_commit(s);
  free(text);
  return e;
}

static bool restore(struct job *j, struct backup_restore *r) {
  struct backup_facts f;
  char why[256];
  us_t start = clock_now();
  r->key = j->key;
  r->now_ms = clock_wall_ms();
  enum err e = backup_restore(r, &f, why);
  if (e != ERR_OK)
    return refused(j, e, why);
  json_t *out = json_pack("{s:s,s:s,s:I,s:f,s:f}", "backup", r->file, "restored", r->to, "events",
                          (json_int_t)f.events, "rpo_s", (double)(r->now_ms - f.made_ms) / 1000, "rto_s",
                          (double)(clock_now() - start) / 1e6);
  ctl_print(j->c, out);
  json_decref(out);
  return true;
}

static void remove_scratch(const char *folder) {
  static const char *const names[] = {"drill.db", "drill.db-wal", "drill.db-shm", "drill.db.lock",
                                      "drill.db.erased"};
  char path[PATH_MAX + 32];
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    snprintf(path, sizeof path, "%s/%s", folder, names[i]);
    unlink(path);
  }
  rmdir(folder);
}

/* From the newest on, until one can be put back; anything but the newest is a failure all the same. */
static void drill(struct job *j, const struct backup_list *l, const char *scratch) {
  char file[PATH_MAX + BACKUP_NAME_MAX], to[PATH_MAX + 32];
  snprintf(to, sizeof to, "%s/drill.db", scratch);
  int64_t t, now_ms = clock_wall_ms();
  for (size_t i = l->n; i-- > 0;) {
    if (!backup_time(l->names[i], &t) || t > now_ms)
      continue; /* of a clock that was wrong */
    snprintf(file, sizeof file, "%s/%s", j->folder, l->names[i]);
    if (restore(j, &(struct backup_restore){.file = file, .to = to}))
      return;
  }
  failed(j, EXIT_REFUSED, "there is no backup that could be put back");
}

int ctl_backup_drill(struct ctl *c, json_t *params) {
  struct job j = {.c = c, .words = params};
  struct backup_list l = {0};
  char scratch[PATH_MAX];
  if (list(&j, &l) && find_key(&j)) {
    snprintf(scratch, sizeof scratch, "%s/drill-XXXXXX", j.folder);
    if (mkdtemp(scratch)) {
      drill(&j, &l, scratch);
      remove_scratch(scratch);
    } else
      failed(&j, EXIT_REFUSED, "a scratch folder cannot be made beside the backups");
  }
  backup_list_free(&l);
  return close_job(&j);
}

/* The key: --key, else the one where the database was, else see ctl_key. */
int ctl_restore(struct ctl *c, json_t *params) {
  struct job j = {.c = c, .words = params};
  char beside[PATH_MAX + 8];
  struct backup_restore r = {.file = json_str(params, "file", ""),
                             .to = json_str(params, "to", ""),
                             .aside = json_flag(params, "aside", false),
                             .write_key = json_flag(params, "write_key", false),
                             .note = note_restore,
                             .ctx = &j};
  snprintf(beside, sizeof beside, "%s.key", r.to);
  bool is_beside = access(beside, F_OK) == 0;
  const char *key = json_str(params, "key", NULL);
  if (!key && !c->master_key && is_beside)
    key = beside;
  if (ctl_key(c, key, c->database, j.key, &j.rc) && restore(&j, &r) && !is_beside && !r.write_key)
    fputs("gavelctl: no key file was made: --write-key does, unless gaveld gets its key otherwise\n", stderr);
  return close_job(&j);
}
