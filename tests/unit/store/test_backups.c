/* backups: which are kept over time; a backup that was touched in any way is refused; what is put back is
 * what was saved, without the people who were erased since. */
#include "core/store/backup.h"
#include "core/store/files.h"
#include "store_kit.h"

#include <glob.h>
#include <sys/wait.h>

#define HOUR ((int64_t)BACKUP_HOUR_MS)
#define DAY (24 * HOUR)
#define START ((int64_t)1700006400000) /* 2023-11-15 00:00 UTC */

/* ---- which are kept ---- */

static void test_names(void **state) {
  (void)state;
  static const char *const not_ours[] = {"",
                                         "db-",
                                         "db-20231115T00.sqlite.json",
                                         "db-20231115T00.sqlite.tmp",
                                         "db-20230231T00.sqlite",
                                         "db-20231115T24.sqlite",
                                         "db-20231115T0061.sqlite",
                                         "db-20231115T006100.sqlite",
                                         "db-2023111aT00.sqlite",
                                         "db-20231115t00.sqlite",
                                         "db-20231115T00.sqlite ",
                                         "making.tmp"};
  char name[BACKUP_NAME_MAX];
  int64_t t;
  backup_name(START + 7 * HOUR + 59 * 60000, false, name);
  assert_string_equal(name, "db-20231115T07.sqlite");
  assert_true(backup_time(name, &t));
  assert_true(t == START + 7 * HOUR);
  backup_name(START + 7 * HOUR + 61000, true, name);
  assert_string_equal(name, "db-20231115T070101.sqlite");
  assert_true(backup_time(name, &t));
  assert_true(t == START + 7 * HOUR + 61000);
  for (size_t i = 0; i < sizeof not_ours / sizeof not_ours[0]; i++)
    if (backup_time(not_ours[i], &t))
      fail_msg("%s", not_ours[i]);
}

enum { MOST = 200 };
struct folder {
  char names[MOST][BACKUP_NAME_MAX];
  size_t n;
};

static bool holds(const struct folder *f, const char *name) {
  for (size_t i = 0; i < f->n; i++)
    if (strcmp(f->names[i], name) == 0)
      return true;
  return false;
}

static void add(struct folder *f, int64_t t, bool exact) {
  assert_true(f->n < MOST);
  backup_name(t, exact, f->names[f->n++]);
}

static void clean(struct folder *f, int64_t now) {
  bool keep[MOST];
  size_t n = 0;
  backup_keep((const char(*)[BACKUP_NAME_MAX])f->names, f->n, now, keep);
  for (size_t i = 0; i < f->n; i++)
    if (keep[i])
      memmove(f->names[n++], f->names[i], BACKUP_NAME_MAX);
  f->n = n;
}

/* 40 days, each hour one: of the last 24 hours all, of the 21 last days the one of 23 o'clock (of today: the
 * newest). */
static void test_forty_days(void **state) {
  (void)state;
  struct folder f = {.n = 0};
  for (int h = 0; h < 40 * 24; h++) {
    int64_t now = START + h * HOUR + 120000;
    struct folder want = {.n = 0};
    add(&f, now, false);
    clean(&f, now);
    for (int i = 0; i < 24 && i <= h; i++)
      add(&want, now - i * HOUR, false);
    for (int d = 0; d < 21 && d <= h / 24; d++) {
      char name[BACKUP_NAME_MAX];
      backup_name(d == 0 ? now : START + (h / 24 - d) * DAY + 23 * HOUR, false, name);
      if (!holds(&want, name))
        memcpy(want.names[want.n++], name, sizeof name);
    }
    assert_int_equal(f.n, want.n);
    for (size_t i = 0; i < want.n; i++)
      if (!holds(&f, want.names[i]))
        fail_msg("hour %d: %s is gone", h, want.names[i]);
  }
  assert_int_equal(f.n, 24 + 21 - 1); /* at 23 o'clock the newest is of the hour and of the day */
}

static void test_several_of_one_hour(void **state) {
  (void)state;
  struct folder f = {.n = 0};
  add(&f, START + HOUR, false);
  add(&f, START + HOUR + 60000, true);
  add(&f, START + HOUR + 120000, true); /* the newest of its hour */
  add(&f, START + 2 * HOUR, false);
  clean(&f, START + 2 * HOUR + 1);
  assert_int_equal(f.n, 2);
  assert_true(holds(&f, "db-20231115T010200.sqlite"));
}

/* An outage, or a clock that jumps ahead, costs no backup: one comes, one goes. */
static void test_nothing_goes_for_its_age(void **state) {
  (void)state;
  struct folder f = {.n = 0};
  for (int h = 0; h < 40 * 24; h++) {
    add(&f, START + h * HOUR, false);
    clean(&f, START + h * HOUR);
  }
  assert_int_equal(f.n, 24 + 21 - 1);
  for (int year = 1; year < 4; year++) {
    int64_t now = START + (40 + year * 400) * DAY;
    clean(&f, now);
    assert_in_range(f.n, 40, 24 + 21);
    add(&f, now, false);
    clean(&f, now);
    assert_in_range(f.n, 40, 24 + 21);
  }
  backup_name(START + (39 * 24 + 23) * HOUR, false, f.names[f.n]);
  assert_true(holds(&f, f.names[f.n])); /* the last one of before */
}

/* The clock went back two hours: by the names there is a backup of this hour, but it is two hours old. */
static void test_due(void **state) {
  (void)state;
  struct folder f = {.n = 0};
  struct backup_list l = {f.names, 0};
  assert_int_equal(backup_due(&l, START, -1), BACKUP_DUE);
  for (int h = 0; h < 3; h++)
    add(&f, START + h * HOUR, false);
  l.n = f.n;
  assert_int_equal(backup_due(&l, START + 2 * HOUR + 59 * 60000, 59 * 60000), BACKUP_NOT_DUE);
  assert_int_equal(backup_due(&l, START + 3 * HOUR, HOUR), BACKUP_DUE);
  assert_int_equal(backup_due(&l, START + 2 * HOUR + 30 * 60000, -1),
                   BACKUP_NOT_DUE); /* gaveld starts again */
  assert_int_equal(backup_due(&l, START + 30 * 60000, 30 * 60000), BACKUP_NOT_DUE);
  assert_int_equal(backup_due(&l, START + 65 * 60000, 65 * 60000), BACKUP_CLOCK_BACK);
  assert_int_equal(backup_due(&l, START + 30 * 60000, -1),
                   BACKUP_CLOCK_BACK); /* how old they are nobody knows */
}

/* 37: clock skew. */
static void test_37_backup_from_the_future(void **state) {
  (void)state;
  struct folder f = {.n = 0};
  struct backup_list l = {f.names, 0};
  add(&f, START + 900 * DAY, false);
  l.n = f.n;
  assert_true(backup_age(&l, START) == -1); /* it does not pass for a fresh one */
  for (int h = 0; h < 30; h++)
    add(&f, START + h * HOUR, false);
  clean(&f, START + 29 * HOUR);
  assert_int_equal(f.n, 1 + 24); /* it, and the last 24 hours, 23 o'clock of yesterday among them */
  assert_true(holds(&f, "db-20260503T00.sqlite"));
  l.n = f.n;
  assert_true(backup_age(&l, START + 29 * HOUR + 5) == 5);
  clean(&f, START - DAY); /* the clock goes back: everything is of the future, nothing is deleted */
  assert_int_equal(f.n, 25);
}

/* ---- files ---- */

struct place {
  struct kit *k;
  uint8_t key[32];
  char folder[80], file[128];
  struct backup_place p;
  struct backup_facts f;
};

static struct place place_of(struct kit *k) {
  struct place x = {.k = k};
  char name[128];
  snprintf(x.folder, sizeof x.folder, "%s/backups", k->folder);
  assert_int_equal(mkdir(x.folder, 0700), 0);
  kit_open(k);
  kit_fill(k, "room:a", 1, 200);
  snprintf(name, sizeof name, "%s.key", k->path);
  assert_int_equal(files_read_key(name, x.key, k->why), ERR_OK);
  return x;
}

static void make(struct place *x, int64_t now, bool exact) {
  char name[BACKUP_NAME_MAX];
  x->p = (struct backup_place){x->k->path, x->folder, x->key};
  enum err e = backup_make(&x->p, now, exact, name, x->k->why);
  if (e != ERR_OK)
    fail_msg("%s: %s", err_code(e), x->k->why);
  snprintf(x->file, sizeof x->file, "%s/%s", x->folder, name);
}

static enum err verify(struct place *x) {
  return backup_verify(x->file, x->key, &x->f, x->k->why);
}

static size_t count(struct place *x) {
  struct backup_list l;
  assert_int_equal(backup_list(x->folder, &l, x->k->why), ERR_OK);
  size_t n = l.n;
  backup_list_free(&l);
  return n;
}

static void test_make_verify_and_clean(void **state) {
  struct kit *k = *state;
  struct place x = place_of(k);
  struct stat st;
  char name[BACKUP_NAME_MAX], side[160];
  make(&x, START, false);
  assert_int_equal(verify(&x), ERR_OK);
  assert_true(x.f.made_ms == START);
  assert_int_equal(x.f.events, 200);
  assert_int_equal(stat(x.file, &st), 0);
  assert_int_equal(st.st_mode & 07777, 0600);
  assert_int_equal(st.st_size, x.f.bytes);
  snprintf(side, sizeof side, "%s-wal", x.file);
  assert_int_not_equal(access(side, F_OK), 0); /* looking leaves nothing beside it */
  assert_int_equal(backup_make(&x.p, START + 100, false, name, k->why), ERR_EXISTS);
  make(&x, START + 100000, true);
  make(&x, START + HOUR, false);
  assert_int_equal(count(&x), 2); /* the exact one was newer in its hour */
  make(&x, START + 60 * DAY, false);
  assert_int_equal(count(&x), 3);
  assert_int_equal(verify(&x), ERR_OK);
  assert_int_not_equal(access(kit_path(k, "backups/making.tmp"), F_OK), 0);
}

static void flip(const char *file, long at) {
  FILE *f = fopen(file, "r+b");
  assert_non_null(f);
  fseek(f, at, at < 0 ? SEEK_END : SEEK_SET);
  long where = ftell(f);
  int c = fgetc(f);
  fseek(f, where, SEEK_SET);
  fputc(c ^ 1, f);
  assert_int_equal(fclose(f), 0);
}

/* 37: corrupted newest: each byte that was looked at counts, and so does the manifest. */
static void test_37_one_byte_changed(void **state) {
  struct kit *k = *state;
  struct place x = place_of(k);
  make(&x, START, false);
  static const long at[] = {18, 100, 4096, 5000, 20000, -1, -4096};
  for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
    flip(x.file, at[i]);
    if (verify(&x) == ERR_OK)
      fail_msg("byte %ld", at[i]);
    flip(x.file, at[i]);
    assert_int_equal(verify(&x), ERR_OK);
  }
  char manifest[160];
  snprintf(manifest, sizeof manifest, "%s.json", x.file);
  for (long i = 2; i < 300; i += 13) {
    flip(manifest, i);
    assert_int_equal(verify(&x), ERR_DB_CORRUPT);
    flip(manifest, i);
  }
  assert_int_equal(verify(&x), ERR_OK);
  uint8_t other[32] = {1};
  assert_int_equal(backup_verify(x.file, other, &x.f, k->why), ERR_BAD_CONFIG);
  assert_int_equal(unlink(manifest), 0);
  assert_int_equal(verify(&x), ERR_DB_CORRUPT);
  assert_non_null(strstr(k->why, "has no manifest"));
}

static size_t suspects(struct place *x) {
  char pattern[160];
  glob_t g;
  snprintf(pattern, sizeof pattern, "%s/*.suspect", x->folder);
  size_t n = glob(pattern, 0, NULL, &g) == 0 ? g.gl_pathc : 0;
  globfree(&g);
  return n;
}

/* A backup of a log that someone changed is not made, and nothing older goes for it; but its copies are kept
 * aside, the two newest. */
static void test_changed_log_is_not_saved(void **state) {
  struct kit *k = *state;
  struct place x = place_of(k);
  char name[BACKUP_NAME_MAX];
  make(&x, START, false);
  kit_raw(k->path, "DROP TRIGGER event_no_update; UPDATE event SET kind = 'x' WHERE seq = 9");
  assert_int_equal(backup_make(&x.p, START + 60 * DAY, false, name, k->why), ERR_DB_CORRUPT);
  assert_non_null(strstr(k->why, "event 9 of room:a was changed"));
  assert_int_equal(suspects(&x), 1);
  for (int h = 1; h < 4; h++)
    assert_int_equal(backup_make(&x.p, START + 60 * DAY + h * HOUR, false, name, k->why), ERR_DB_CORRUPT);
  assert_int_equal(suspects(&x), 2);
  assert_int_equal(access(kit_path(k, "backups/db-20240114T03.sqlite.suspect"), F_OK), 0);
  assert_int_equal(count(&x), 1);
  assert_int_equal(verify(&x), ERR_OK);
}

/* 37: interrupted rename: what was cut off is no backup, and the next run goes over it. */
static void test_37_interrupted(void **state) {
  struct kit *k = *state;
  struct place x = place_of(k);
  FILE *f = fopen(kit_path(k, "backups/making.tmp"), "w");
  fputs("half", f);
  fclose(f);
  f = fopen(kit_path(k, "backups/db-20231115T00.sqlite.json"),
            "w"); /* its manifest was there, it was not yet */
  fputs("{}", f);
  fclose(f);
  assert_int_equal(count(&x), 0);
  make(&x, START, false);
  assert_int_equal(verify(&x), ERR_OK);
  int lock;
  assert_int_equal(files_lock(kit_path(k, "backups/making"), &lock, k->why), ERR_OK);
  char name[BACKUP_NAME_MAX];
  assert_int_equal(backup_make(&x.p, START + HOUR, false, name, k->why), ERR_AGAIN);
  close(lock);
  x.p.folder = "/none/such";
  assert_int_equal(backup_make(&x.p, START + HOUR, false, name, k->why), ERR_IO);
}

/* ---- put back ---- */

static enum err restore(struct place *x, bool aside, int64_t now) {
  struct backup_restore r = {
      .file = x->file, .to = x->k->path, .key = x->key, .aside = aside, .write_key = true, .now_ms = now};
  return backup_restore(&r, &x->f, x->k->why);
}

#define ADA "p-00000000000000aa"

static void test_restore(void **state) {
  struct kit *k = *state;
  struct place x = place_of(k);
  struct store_record r = {"room:ada", 1, START, "m:1", "chat", "", "{}", "ada's words", ADA};
  assert_int_equal(store_append(k->s, &r), ERR_OK);
  assert_int_equal(store_put_doc(k->s, "account", "1", ADA, "ada's account"), ERR_OK);
  assert_int_equal(store_commit(k->s), ERR_OK);
  make(&x, START, false);
  assert_int_equal(store_keep_erased(k->s, kit_path(k, "backups/erased"), k->why), ERR_OK);
  assert_int_equal(store_erase_subject(k->s, ADA), ERR_OK);
  kit_fill(k, "room:a", 201, 210);
  assert_int_equal(restore(&x, true, START), ERR_IO); /* in use */
  assert_non_null(strstr(k->why, "in use"));
  assert_int_equal(kit_replay(k, "room:a", 0).last, 210);
  store_close(k->s);
  k->s = NULL;
  assert_int_equal(restore(&x, false, START), ERR_EXISTS);
  assert_int_equal(restore(&x, true, START + HOUR), ERR_OK);
  assert_int_equal(x.f.events, 201);
  kit_open(k);
  assert_int_equal(kit_replay(k, "room:a", 0).last, 200);
  assert_int_equal(kit_replay(k, "room:ada", 0).payloads, 0); /* she stays erased */
  store_close(k->s);
  snprintf(k->path, sizeof k->path, "%s/a.db.20231115T010000Z", k->folder); /* what was there is kept */
  assert_int_equal(store_open(k->path, x.key, rng_system(), &k->s, k->why), ERR_OK);
  assert_int_equal(kit_replay(k, "room:a", 0).last, 210);
}

/* A key that is there and is another one is refused before anything moves. */
static void test_restore_beside_another_key(void **state) {
  struct kit *k = *state;
  struct place x = place_of(k);
  make(&x, START, false);
  store_close(k->s);
  k->s = NULL;
  FILE *f = fopen(kit_path(k, "a.db.key"), "wb");
  fputs("0123456789abcdef0123456789abcdef", f);
  fclose(f);
  assert_int_equal(restore(&x, true, START), ERR_BAD_CONFIG);
  assert_int_equal(store_open(k->path, x.key, rng_system(), &k->s, k->why), ERR_OK); /* it is still there */
  assert_int_equal(kit_replay(k, "room:a", 0).last, 200);
}

/* The disk is gone with database, key and journal: backups, their journal and a kept key are enough. */
static void test_restore_elsewhere(void **state) {
  struct kit *k = *state;
  struct place x = place_of(k);
  struct kit_seen seen = {0};
  assert_int_equal(store_put_doc(k->s, "account", "1", ADA, "ada's account"), ERR_OK);
  struct store_record r = {"room:ada", 1, START, "m:1", "chat", "", "{}", "ada's words", ADA};
  assert_int_equal(store_append(k->s, &r), ERR_OK);
  assert_int_equal(store_commit(k->s), ERR_OK);
  make(&x, START, false);
  assert_int_equal(store_keep_erased(k->s, kit_path(k, "backups/erased"), k->why), ERR_OK);
  assert_int_equal(store_erase_subject(k->s, ADA), ERR_OK);
  kit_fill(k, "room:a", 201, 300);
  char log[128];
  snprintf(log, sizeof log, "%s-wal", k->path);
  kit_copy(log, kit_path(k, "wal")); /* left over where the backup goes: it must not be played into it */
  store_close(k->s);
  k->s = NULL;
  char command[160], wal[128];
  snprintf(command, sizeof command, "rm %s/a.db*", k->folder);
  assert_int_equal(system(command), 0);
  assert_int_equal(mkdir(kit_path(k, "new"), 0700), 0);
  snprintf(k->path, sizeof k->path, "%s/new/b.db", k->folder);
  snprintf(wal, sizeof wal, "%s-wal", k->path);
  assert_int_equal(rename(kit_path(k, "wal"), wal), 0);
  assert_int_equal(restore(&x, false, START), ERR_OK);
  kit_open(k); /* by its key file */
  assert_int_equal(kit_replay(k, "room:a", 0).payloads, 200);
  assert_int_equal(store_replay(k->s, "room:ada", 0, kit_count, &seen), ERR_OK);
  assert_int_equal(seen.payloads, 0);
}

/* A gaveld that was killed leaves its last events in the write-ahead log: what is put aside has them in
 * itself. */
static void test_put_aside_whole(void **state) {
  struct kit *k = *state;
  struct place x = place_of(k);
  char aside[128];
  make(&x, START, false);
  store_close(k->s);
  k->s = NULL;
  pid_t pid = fork();
  if (pid == 0) {
    kit_open(k);
    kit_fill(k, "room:a", 201, 210);
    _exit(0); /* without store_close */
  }
  assert_int_equal(waitpid(pid, NULL, 0), pid);
  assert_int_equal(restore(&x, true, START), ERR_OK);
  snprintf(aside, sizeof aside, "%s.20231115T000000Z-wal", k->path);
  assert_int_not_equal(access(aside, F_OK), 0);
  snprintf(k->path, sizeof k->path, "%s/a.db.20231115T000000Z", k->folder);
  assert_int_equal(store_open(k->path, x.key, rng_system(), &k->s, k->why), ERR_OK);
  assert_int_equal(kit_replay(k, "room:a", 0).last, 210);
}

static enum err note(void *ctx, struct store *s, const struct backup_facts *f) {
  struct kit *k = ctx;
  k->s = s;
  enum err e = kit_append(k, "audit", 1, NULL);
  k->s = NULL;
  assert_int_equal(f->events, 200);
  return e == ERR_OK ? store_commit(s) : e;
}

/* The master key goes to no disk unless that is asked for; and the entry of it is in the database. */
static void test_restore_writes_no_key(void **state) {
  struct kit *k = *state;
  struct place x = place_of(k);
  make(&x, START, false);
  store_close(k->s);
  k->s = NULL;
  snprintf(k->path, sizeof k->path, "%s/c.db", k->folder);
  struct backup_restore r = {
      .file = x.file, .to = k->path, .key = x.key, .now_ms = START, .note = note, .ctx = k};
  assert_int_equal(backup_restore(&r, &x.f, k->why), ERR_OK);
  assert_int_not_equal(access(kit_path(k, "c.db.key"), F_OK), 0);
  assert_int_equal(store_open(k->path, x.key, rng_system(), &k->s, k->why), ERR_OK);
  assert_int_equal(kit_replay(k, "audit", 0).n, 1);
}

/* Who owns the folders must not make root write, read or give away another file. */
static void test_no_links_are_followed(void **state) {
  struct kit *k = *state;
  struct place x = place_of(k);
  static const char *const traps[] = {"backups/db-20231115T00.sqlite.json.part", "backups/making.tmp.part",
                                      "backups/db-20231115T00.sqlite.json", "backups/making.tmp",
                                      "a.db.part"};
  char victim[128], name[BACKUP_NAME_MAX];
  snprintf(victim, sizeof victim, "%s", kit_path(k, "victim"));
  FILE *f = fopen(victim, "w");
  assert_non_null(f);
  fputs("p-victim\n", f);
  fclose(f);
  for (size_t i = 0; i < sizeof traps / sizeof traps[0]; i++)
    assert_int_equal(symlink(victim, kit_path(k, traps[i])), 0);
  make(&x, START, false);
  assert_int_equal(verify(&x), ERR_OK);
  store_close(k->s);
  k->s = NULL;
  assert_int_equal(restore(&x, true, START), ERR_OK);
  assert_int_equal(symlink(victim, kit_path(k, "backups/erased")), 0);
  assert_int_equal(backup_make(&x.p, START + HOUR, false, name, k->why), ERR_IO);
  assert_int_equal(unlink(kit_path(k, "backups/erased")), 0);
  assert_int_equal(unlink(kit_path(k, "backups/making.lock")), 0);
  assert_int_equal(symlink(victim, kit_path(k, "backups/making.lock")), 0);
  assert_int_equal(backup_make(&x.p, START + HOUR, false, name, k->why), ERR_IO);
  struct stat st;
  assert_int_equal(stat(victim, &st), 0);
  assert_int_equal(st.st_size, 9);
}

/* As root: to the owner of what was there, else of the folder. */
static void test_owner_of_what_is_put_back(void **state) {
  struct kit *k = *state;
  struct place x = place_of(k);
  struct stat st;
  if (geteuid() != 0)
    skip();
  make(&x, START, false);
  store_close(k->s);
  k->s = NULL;
  assert_int_equal(chown(k->path, 4321, 4321), 0);
  assert_int_equal(restore(&x, true, START), ERR_OK);
  assert_int_equal(stat(k->path, &st), 0);
  assert_int_equal(st.st_uid, 4321);
  assert_int_equal(mkdir(kit_path(k, "new"), 0700), 0);
  assert_int_equal(chown(kit_path(k, "new"), 1234, 1234), 0);
  snprintf(k->path, sizeof k->path, "%s/new/b.db", k->folder);
  assert_int_equal(restore(&x, false, START), ERR_OK);
  static const char *const made[] = {"new/b.db", "new/b.db.key", "new/b.db.lock"};
  for (size_t i = 0; i < 3; i++) {
    assert_int_equal(stat(kit_path(k, made[i]), &st), 0);
    assert_int_equal(st.st_uid, 1234);
  }
}

static void test_restore_of_a_bad_one_touches_nothing(void **state) {
  struct kit *k = *state;
  struct place x = place_of(k);
  make(&x, START, false);
  store_close(k->s);
  k->s = NULL;
  flip(x.file, -100);
  assert_int_equal(restore(&x, true, START), ERR_DB_CORRUPT);
  kit_open(k);
  assert_int_equal(kit_replay(k, "room:a", 0).last, 200);
  assert_int_not_equal(access(kit_path(k, "a.db.part"), F_OK), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, kit_setup, kit_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_names),
      cmocka_unit_test(test_forty_days),
      cmocka_unit_test(test_several_of_one_hour),
      cmocka_unit_test(test_nothing_goes_for_its_age),
      cmocka_unit_test(test_due),
      cmocka_unit_test(test_37_backup_from_the_future),
      TEST(test_make_verify_and_clean),
      TEST(test_37_one_byte_changed),
      TEST(test_changed_log_is_not_saved),
      TEST(test_37_interrupted),
      TEST(test_restore),
      TEST(test_restore_beside_another_key),
      TEST(test_restore_elsewhere),
      TEST(test_put_aside_whole),
      TEST(test_restore_writes_no_key),
      TEST(test_no_links_are_followed),
      TEST(test_owner_of_what_is_put_back),
      TEST(test_restore_of_a_bad_one_touches_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
