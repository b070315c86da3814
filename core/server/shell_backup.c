#include "core/server/shell_backup.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/store/files.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LOOK_S = 60, AGAIN_S = 300, OLD_MINUTES = 70 };

struct backup_thread {
  char *database, *folder;
  uint8_t key[32];
  pthread_t thread;
  pthread_mutex_t lock; /* of stop, told and outcome */
  pthread_cond_t wake;
  bool running, stop;
  us_t not_before; /* after a failure */
  us_t made_at;    /* when this process made one; 0: it did not */
  void (*outcome_there)(void *ctx);
  void *ctx;
  bool told; /* nobody took the outcome yet */
  struct backup_outcome outcome;
};

static void tell(struct backup_thread *t, enum err e, const char *name) {
  pthread_mutex_lock(&t->lock);
  t->told = true;
  t->outcome.e = e;
  snprintf(t->outcome.name, sizeof t->outcome.name, "%s", e == ERR_OK ? name : "");
  pthread_mutex_unlock(&t->lock);
  t->outcome_there(t->ctx);
}

bool shell_backup_take(struct backup_thread *t, struct backup_outcome *out) {
  pthread_mutex_lock(&t->lock);
  bool told = t->told;
  *out = t->outcome;
  t->told = false;
  pthread_mutex_unlock(&t->lock);
  return told;
}

/* One of the others, a different one each hour: a disk loses bytes without a word. */
static void verify_another(struct backup_thread *t, int64_t now_ms) {
  char file[FILES_PATH_MAX + 64], why[256];
  struct backup_facts f;
  struct backup_list l;
  if (backup_list(t->folder, &l, why) == ERR_OK && l.n > 0) {
    const char *name = l.names[(size_t)(now_ms / BACKUP_HOUR_MS) % l.n];
    snprintf(file, sizeof file, "%s/%s", t->folder, name);
    if (backup_verify(file, t->key, &f, why) != ERR_OK)
      log_event(LOG_ERROR, "an older backup is damaged", "file", file, "why", why, NULL);
  }
  backup_list_free(&l);
}

static void make(struct backup_thread *t, int64_t now_ms, bool exact, bool *made) {
  struct backup_place p = {t->database, t->folder, t->key};
  char name[BACKUP_NAME_MAX], why[256];
  us_t start = clock_now();
  enum err e = backup_make(&p, now_ms, exact, name, why);
  *made = e == ERR_OK;
  if (*made)
    t->made_at = clock_now();
  if (e == ERR_OK)
    log_event(LOG_INFO, "backup made and verified", "name", name, "ms", log_int((clock_now() - start) / 1000),
              NULL);
  else if (e != ERR_EXISTS && e != ERR_AGAIN) {
    log_event(LOG_ERROR, "the backup failed", "code", err_code(e), "why", why, NULL);
    t->not_before = clock_now() + (us_t)AGAIN_S * 1000000;
  } else
    return;
  tell(t, e, name);
}

static void look(struct backup_thread *t) {
  struct backup_list l;
  char why[256];
  int64_t now_ms = clock_wall_ms();
  if (clock_now() < t->not_before)
    return;
  if (backup_list(t->folder, &l, why) != ERR_OK) {
    log_event(LOG_ERROR, "the folder of the backups cannot be read", "why", why, NULL);
    t->not_before = clock_now() + (us_t)AGAIN_S * 1000000;
    backup_list_free(&l);
    return;
  }
  int64_t age_ms = backup_age(&l, now_ms), since_ms = t->made_at ? (clock_now() - t->made_at) / 1000 : -1;
  enum backup_due due = backup_due(&l, now_ms, since_ms);
  bool made = false;
  if (due == BACKUP_CLOCK_BACK)
    log_event(LOG_WARN, "the clock went back: by their names the backups are younger than they are", NULL);
  if (due != BACKUP_NOT_DUE)
    make(t, now_ms, due == BACKUP_CLOCK_BACK, &made);
  if (made)
    verify_another(t, now_ms);
  else if (age_ms > (int64_t)OLD_MINUTES * 60000)
    log_event(LOG_WARN, "the newest backup is old", "minutes", log_int(age_ms / 60000), NULL);
  backup_list_free(&l);
}

static void *run(void *arg) {
  struct backup_thread *t = arg;
  pthread_mutex_lock(&t->lock);
  while (!t->stop) {
    pthread_mutex_unlock(&t->lock);
    look(t);
    us_t at = clock_now() + (us_t)LOOK_S * 1000000; /* soon, so that a wall clock that is set is noticed */
    struct timespec until = {.tv_sec = (time_t)(at / 1000000), .tv_nsec = (long)(at % 1000000) * 1000};
    pthread_mutex_lock(&t->lock);
    if (!t->stop)
      pthread_cond_timedwait(&t->wake, &t->lock, &until);
  }
  pthread_mutex_unlock(&t->lock);
  return NULL;
}

static void destroy(struct backup_thread *t) {
  pthread_cond_destroy(&t->wake);
  pthread_mutex_destroy(&t->lock);
  free(t->database);
  free(t->folder);
  OPENSSL_cleanse(t->key, sizeof t->key);
  free(t);
}

static enum err take_key(struct backup_thread *t, const uint8_t *key, char why[256]) {
  char file[FILES_PATH_MAX + 8];
  if (key) {
    memcpy(t->key, key, sizeof t->key);
    return ERR_OK;
  }
  snprintf(file, sizeof file, "%s.key", t->database);
  return files_read_key(file, t->key, why);
}

enum err shell_backup_create(const struct backup_shell *c, struct backup_thread **out, char why[256]) {
  pthread_condattr_t monotonic;
  struct backup_list l;
  struct backup_thread *t = calloc(1, sizeof *t);
  if (!t)
    return ERR_NOMEM;
  pthread_mutex_init(&t->lock, NULL);
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  pthread_cond_init(&t->wake, &monotonic);
  pthread_condattr_destroy(&monotonic);
  t->outcome_there = c->wake;
  t->ctx = c->ctx;
  t->database = strdup(c->database);
  t->folder = strdup(c->folder);
  enum err e = t->database && t->folder ? take_key(t, c->key, why) : ERR_NOMEM;
  if (e == ERR_OK) { /* that it is there is worth knowing at once */
    e = backup_list(c->folder, &l, why);
    backup_list_free(&l);
  }
  if (e == ERR_OK)
    *out = t;
  else
    destroy(t);
  return e;
}

enum err shell_backup_start(struct backup_thread *t) {
  t->running = pthread_create(&t->thread, NULL, run, t) == 0;
  return t->running ? ERR_OK : ERR_NOMEM;
}

void shell_backup_stop(struct backup_thread *t) {
  if (!t)
    return;
  pthread_mutex_lock(&t->lock);
  t->stop = true;
  pthread_cond_signal(&t->wake);
  pthread_mutex_unlock(&t->lock);
  if (t->running)
    pthread_join(t->thread, NULL);
  destroy(t);
}
