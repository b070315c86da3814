/* store_doc.c: documents. */
#include "core/store/store_sqlite.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* false: the names are too long. No two documents share a label. */
static bool label_doc(char label[STORE_LABEL_MAX], const char *class, const char *id, const char *pid) {
  int n = snprintf(label, STORE_LABEL_MAX, "doc:%zu:%zu:%s:%s:%s", strlen(class), strlen(id), class, id, pid);
  return n > 0 && n < STORE_LABEL_MAX;
}

static enum err put_sealed(struct store *s, const char *class, const char *id, const char *pid,
                           const void *sealed, size_t n) {
  sqlite3_stmt *q = s->q[STORE_Q_PUT_DOC];
  store_bind_text(q, 1, class);
  store_bind_text(q, 2, id);
  store_bind_text(q, 3, pid);
  int rc = store_bind_blob(q, 4, sealed, n);
  return rc == SQLITE_OK ? store_run(s, STORE_Q_PUT_DOC) : store_fault(s->db, rc);
}

static enum err put_doc(struct store *s, const char *class, const char *id, const char *pid,
                        const char *text) {
  char label[STORE_LABEL_MAX];
  const uint8_t *key;
  size_t n = strlen(text);
  if (n > STORE_VALUE_MAX || !label_doc(label, class, id, pid))
    return ERR_FULL;
  enum err e = store_subject_key(s, pid, true, &key);
  uint8_t *sealed = e == ERR_OK ? malloc(n + SEAL_OVERHEAD) : NULL;
  if (!sealed)
    return e == ERR_OK ? ERR_NOMEM : e;
  seal_close(key, s->rng, label, text, n, sealed);
  e = put_sealed(s, class, id, pid, sealed, n + SEAL_OVERHEAD);
  free(sealed);
  return e;
}

enum err store_put_doc(struct store *s, const char *class, const char *id, const char *pid,
                       const char *text) {
  enum err e = store_begin(s);
  if (e == ERR_OK)
    e = put_doc(s, class, id, pid ? pid : "", text);
  if (e != ERR_OK)
    return store_give_up(s, e);
  s->pending++;
  return ERR_OK;
}

enum err store_del_doc(struct store *s, const char *class, const char *id) {
  enum err e = store_begin(s);
  if (e == ERR_OK) {
    store_bind_text(s->q[STORE_Q_DEL_DOC], 1, class);
    store_bind_text(s->q[STORE_Q_DEL_DOC], 2, id);
    e = store_run(s, STORE_Q_DEL_DOC);
  }
  if (e != ERR_OK)
    return store_give_up(s, e);
  s->pending++;
  return ERR_OK;
}

struct each_doc {
  struct store *s;
  const char *class;
  enum err (*each)(void *ctx, const char *id, const char *pid, const char *text);
  void *ctx;
};

static enum err give_doc(const struct each_doc *d, sqlite3_stmt *q) {
  char label[STORE_LABEL_MAX], *text;
  const uint8_t *key;
  size_t n;
  const char *id = store_column_text(q, 0), *pid = store_column_text(q, 1);
  if (!id || !pid || !label_doc(label, d->class, id, pid))
    return ERR_DB_CORRUPT;
  enum err e = store_subject_key(d->s, pid, false, &key);
  if (e == ERR_OK)
    e = store_unseal(q, 2, key, label, &text, &n);
  if (e != ERR_OK)
    return e;
  e = d->each(d->ctx, id, pid, text);
  OPENSSL_cleanse(text, n);
  free(text);
  return e;
}

enum err store_each_doc(struct store *s, const char *class, const char *pid,
                        enum err (*each)(void *ctx, const char *id, const char *pid, const char *text),
                        void *ctx) {
  struct each_doc d = {s, class, each, ctx};
  sqlite3_stmt *q = s->q[pid && *pid ? STORE_Q_EACH_DOC_OF : STORE_Q_EACH_DOC]; /* by the index of pids */
  store_bind_text(q, 1, class);
  store_bind_text(q, 2, pid); /* NULL: NULL */
  int rc = SQLITE_DONE;
  enum err e = ERR_OK;
  while (e == ERR_OK && (rc = sqlite3_step(q)) == SQLITE_ROW)
    e = give_doc(&d, q);
  sqlite3_reset(q);
  sqlite3_clear_bindings(q);
  return e == ERR_OK && rc != SQLITE_DONE ? store_fault(s->db, rc) : e;
}
