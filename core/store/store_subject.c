/* store_subject.c: the key of each person. */
#include "core/store/store_sqlite.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

void store_subjects_forget(struct store *s) {
  OPENSSL_cleanse(s->subjects, sizeof s->subjects);
}

static struct store_subject *remember(struct store *s, const char *pid) {
  struct store_subject *j = &s->subjects[s->next_subject++ % STORE_SUBJECTS];
  snprintf(j->pid, sizeof j->pid, "%s", pid);
  return j;
}

static void label_subject(char label[STORE_LABEL_MAX], const char *pid) {
  snprintf(label, STORE_LABEL_MAX, "subject:%s", pid);
}

static enum err make_key(struct store *s, const char *pid, uint8_t key[SEAL_KEY]) {
  char label[STORE_LABEL_MAX];
  uint8_t sealed[SEAL_KEY + SEAL_OVERHEAD];
  sqlite3_stmt *q = s->q[STORE_Q_PUT_SUBJECT];
  s->rng->fill(s->rng, key, SEAL_KEY);
  label_subject(label, pid);
  seal_close(s->seal_key, s->rng, label, key, SEAL_KEY, sealed);
  store_bind_text(q, 1, pid);
  store_bind_blob(q, 2, sealed, sizeof sealed);
  return store_run(s, STORE_Q_PUT_SUBJECT);
}

/* ERR_NO_KEY: he has none. */
static enum err read_key(struct store *s, const char *pid, uint8_t key[SEAL_KEY]) {
  char label[STORE_LABEL_MAX];
  sqlite3_stmt *q = s->q[STORE_Q_GET_SUBJECT];
  label_subject(label, pid);
  store_bind_text(q, 1, pid);
  int rc = sqlite3_step(q);
  enum err e = rc == SQLITE_ROW ? ERR_OK : rc == SQLITE_DONE ? ERR_NO_KEY : store_fault(s->db, rc);
  if (e == ERR_OK &&
      (sqlite3_column_bytes(q, 0) != SEAL_KEY + SEAL_OVERHEAD ||
       !seal_open(s->seal_key, label, sqlite3_column_blob(q, 0), SEAL_KEY + SEAL_OVERHEAD, key)))
    e = ERR_DB_CORRUPT;
  sqlite3_reset(q);
  return e;
}

enum err store_has_subject(struct store *s, const char *pid, bool *has) {
  store_bind_text(s->q[STORE_Q_GET_SUBJECT], 1, pid);
  int rc = store_step(s, STORE_Q_GET_SUBJECT);
  *has = rc == SQLITE_ROW;
  return rc == SQLITE_ROW || rc == SQLITE_DONE ? ERR_OK : store_fault(s->db, rc);
}

enum { KEYS_MOST = 256 };
struct unused {
  char pid[KEYS_MOST][STORE_PID_MAX + 1];
  size_t n;
};

static enum err find_unused(struct store *s, char *pid, unsigned most, struct unused *l) {
  sqlite3_stmt *q = s->q[STORE_Q_SOME_KEYS];
  char after[STORE_PID_MAX + 1];
  unsigned seen = 0;
  int rc;
  memcpy(after, pid, sizeof after);
  store_bind_text(q, 1, after);
  sqlite3_bind_int64(q, 2, most);
  l->n = 0;
  for (; (rc = sqlite3_step(q)) == SQLITE_ROW; seen++) {
    const char *at = store_column_text(q, 0);
    snprintf(pid, STORE_PID_MAX + 1, "%s", at ? at : "");
    if (sqlite3_column_int(q, 1))
      memcpy(l->pid[l->n++], pid, STORE_PID_MAX + 1);
  }
  sqlite3_reset(q);
  sqlite3_clear_bindings(q);
  if (seen < most)
    pid[0] = 0;
  return rc == SQLITE_DONE ? ERR_OK : store_fault(s->db, rc);
}

enum err store_drop_keys(struct store *s, char *pid, unsigned most, uint64_t *n) {
  struct unused l;
  enum err e = store_begin(s);
  *n = 0;
  if (e == ERR_OK)
    e = find_unused(s, pid, most < KEYS_MOST ? most : KEYS_MOST, &l);
  for (size_t i = 0; e == ERR_OK && i < l.n; i++) {
    store_bind_text(s->q[STORE_Q_ERASE_SUBJECT], 1, l.pid[i]);
    e = store_run(s, STORE_Q_ERASE_SUBJECT);
  }
  if (e != ERR_OK)
    return store_give_up(s, e);
  *n = l.n;
  s->pending += l.n;
  if (l.n) /* a cached key that is not stored must seal nothing */
    store_subjects_forget(s);
  return ERR_OK;
}

enum err store_subject_key(struct store *s, const char *pid, bool make, const uint8_t **key) {
  uint8_t found[SEAL_KEY];
  *key = s->seal_key;
  if (!pid || !pid[0])
    return ERR_OK;
  if (strlen(pid) > STORE_PID_MAX)
    return make ? ERR_FULL : ERR_DB_CORRUPT;
  for (size_t i = 0; i < STORE_SUBJECTS; i++)
    if (strcmp(s->subjects[i].pid, pid) == 0) {
      *key = s->subjects[i].key;
      return ERR_OK;
    }
  enum err e = read_key(s, pid, found);
  if (e == ERR_NO_KEY)
    e = make ? make_key(s, pid, found) : ERR_DB_CORRUPT;
  if (e == ERR_OK) {
    struct store_subject *j = remember(s, pid);
    memcpy(j->key, found, SEAL_KEY);
    *key = j->key;
  }
  OPENSSL_cleanse(found, sizeof found);
  return e;
}
