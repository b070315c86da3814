#include "core/server/shell_backup.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/store/backup.h"
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
  pthread_mutex_t lock; /* of stop */
  pthread_cond_t wake;
  bool running, stop;
  us_t not_before; /* after a failure */
};

static int64_t newest(const struct backup_list *l, int64_t now_ms) {
  int64_t age = backup_age(l, now_ms);
  return age < 0 ? -1 : now_ms - age;
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

static void make(struct backup_thread *t, int64_t now_ms, bool *made) {
  struct backup_place p = {t->database, t->folder, t->key};
  char name[BACKUP_NAME_MAX], why[256];
  us_t start = clock_now();
  enum err e = backup_make(&p, now_ms, false, name, why);
  *made = e == ERR_OK;
  if (e == ERR_OK)
    log_event(LOG_INFO, "backup made and verified", "name", name, "ms", log_int((clock_now() - start) / 1000),
              NULL);
  else if (e != ERR_EXISTS && e != ERR_AGAIN) {
    log_event(LOG_ERROR, "the backup failed", "code", err_code(e), "why", why, NULL);
    t->not_before = clock_now() + (us_t)AGAIN_S * 1000000;
  }
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
  int64_t last = newest(&l, now_ms);
  bool made = false;
  if (last < 0 || last / BACKUP_HOUR_MS != now_ms / BACKUP_HOUR_MS)
    make(t, now_ms, &made);
  if (made)
    verify_another(t, now_ms);
  else if (last >= 0 && now_ms - last > (int64_t)OLD_MINUTES * 60000)
    log_event(LOG_WARN, "the newest backup is old", "minutes", log_int((now_ms - last) / 60000), NULL);
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

enum err shell_backup_create(const char *database, const char *folder, const uint8_t *key,
                             struct backup_thread **out, char why[256]) {
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
  t->database = strdup(database);
  t->folder = strdup(folder);
  enum err e = t->database && t->folder ? take_key(t, key, why) : ERR_NOMEM;
  if (e == ERR_OK) { /* that it is there is worth knowing at once */
    e = backup_list(folder, &l, why);
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
