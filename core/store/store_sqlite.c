/* store_sqlite.c: the group, append, and secrets. */
#include "core/store/store_sqlite.h"
#include "core/base/bytes.h"
#include "core/base/log.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHECKPOINT_FRAMES = 1000, FOLD_AGAIN_COMMITS = 64 };

int store_step(struct store *s, enum store_q q) {
  errno = 0; /* store_fault looks at it */
  int rc = sqlite3_step(s->q[q]), saved = errno;
  sqlite3_reset(s->q[q]);
  sqlite3_clear_bindings(s->q[q]);
  errno = saved;
  return rc;
}

int store_bind_text(sqlite3_stmt *q, int at, const char *text) {
  return sqlite3_bind_text(q, at, text, -1, SQLITE_STATIC);
}

int store_bind_blob(sqlite3_stmt *q, int at, const void *p, size_t n) {
  return sqlite3_bind_blob64(q, at, p, n, SQLITE_STATIC);
}

/* Borrowed; NULL unless it is text without a NUL inside (what a hash over C strings would not see). */
const char *store_column_text(sqlite3_stmt *q, int at) {
  const char *t = (const char *)sqlite3_column_text(q, at);
  return t && strlen(t) == (size_t)sqlite3_column_bytes(q, at) ? t : NULL;
}

const uint8_t *store_column_hash(sqlite3_stmt *q, int at) {
  const uint8_t *p = sqlite3_column_blob(q, at);
  return sqlite3_column_bytes(q, at) == CHAIN_HASH ? p : NULL;
}

/* ---- the group ---- */

enum err store_begin(struct store *s) {
  if (s->read_only)
    return ERR_NOT_ALLOWED;
  if (s->failed != ERR_OK || !sqlite3_get_autocommit(s->db))
    return s->failed;
  int rc = store_step(s, STORE_Q_BEGIN);
  return rc == SQLITE_DONE ? ERR_OK : store_fault(s->db, rc);
}

static void undo(struct store *s) {
  if (!s->read_only && !sqlite3_get_autocommit(s->db)) {
    int rc = store_step(s, STORE_Q_ROLLBACK);
    if (rc != SQLITE_DONE)
      (void)store_fault(s->db, rc);
  }
  store_subjects_forget(s); /* a key that was made in this group is not in the database */
  s->pending = 0;
}

/* A write failed. SQLite may have rolled back already, so the whole group goes: what follows would have a
 * gap. */
enum err store_give_up(struct store *s, enum err e) {
  undo(s);
  s->failed = e;
  return e;
}

enum err store_run(struct store *s, enum store_q q) {
  int rc = store_step(s, q);
  return rc == SQLITE_DONE ? ERR_OK : store_fault(s->db, rc);
}

/* SQLite's own automatic checkpoint would hide a failed sync from us. */
static void checkpoint(struct store *s) {
  int rc = sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
  if (rc == SQLITE_OK || rc == SQLITE_BUSY)
    return;
  enum err e = store_fault(s->db, rc);
  log_event(LOG_WARN, "the write-ahead log could not be folded in, it grows", "code", err_code(e), NULL);
}

/* secure_delete has zeroed the pages, the write-ahead log still holds them as they were: fold it in and cut
 * it. */
void store_fold(struct store *s) {
  if (!s->fold_due || s->read_only || !sqlite3_get_autocommit(s->db))
    return;
  sqlite3_busy_timeout(s->db, 0); /* what was committed is committed: nobody waits for a reader */
  errno = 0;                      /* store_fault looks at it */
  int rc = sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
  sqlite3_busy_timeout(s->db, STORE_BUSY_MS);
  s->fold_due = rc != SQLITE_OK;
  s->fold_wait = FOLD_AGAIN_COMMITS;
  if (rc == SQLITE_OK)
    s->wal_frames = 0;
  else if (rc != SQLITE_BUSY)
    log_event(LOG_WARN, "what was deleted is still in the write-ahead log", "code",
              err_code(store_fault(s->db, rc)), NULL);
}

bool store_fold_due(const struct store *s) {
  return s->fold_due;
}

void store_fold_soon(struct store *s) {
  if (!s->fold_due)
    s->fold_wait = FOLD_AGAIN_COMMITS;
  s->fold_due = true;
}

enum err store_commit(struct store *s) {
  enum err e = s->failed;
  if (e == ERR_OK && !s->read_only && !sqlite3_get_autocommit(s->db))
    e = store_run(s, STORE_Q_COMMIT);
  if (e != ERR_OK)
    undo(s);
  s->failed = ERR_OK;
  s->pending = 0;
  if (e == ERR_OK && s->fold_due && s->fold_wait-- <= 0)
    store_fold(s);
  if (e == ERR_OK && s->wal_frames >= CHECKPOINT_FRAMES) {
    s->wal_frames = 0;
    checkpoint(s);
  }
  return e;
}

void store_rollback(struct store *s) {
  undo(s);
  s->failed = ERR_OK;
}

size_t store_pending(const struct store *s) {
  return s->pending;
}

/* ---- append ---- */

/* A base has a key of its own: put in the place of a head it would cut the stream. */
static const uint8_t *mark_key(const struct store *s, enum store_q q) {
  return q == STORE_Q_BASE || q == STORE_Q_PUT_BASE ? s->base_key : s->head_key;
}

enum err store_mark(struct store *s, enum store_q which, const char *stream, struct chain_head *h) {
  sqlite3_stmt *q = s->q[which];
  *h = (struct chain_head){0};
  store_bind_text(q, 1, stream);
  int rc = sqlite3_step(q);
  enum err e = rc == SQLITE_ROW || rc == SQLITE_DONE ? ERR_OK : store_fault(s->db, rc);
  if (rc == SQLITE_ROW) {
    const uint8_t *hash = store_column_hash(q, 1), *mac = store_column_hash(q, 2);
    uint8_t want[CHAIN_HASH];
    h->seq = (uint64_t)sqlite3_column_int64(q, 0);
    if (hash)
      memcpy(h->hash, hash, CHAIN_HASH);
    chain_sign(mark_key(s, which), stream, h, want);
    e = hash && mac && bytes_equal_ct(mac, want, CHAIN_HASH) ? ERR_OK : ERR_DB_CORRUPT;
  }
  sqlite3_reset(q);
  return e;
}

enum err store_put_mark(struct store *s, enum store_q which, const char *stream, const struct chain_head *h) {
  uint8_t mac[CHAIN_HASH];
  sqlite3_stmt *q = s->q[which];
  chain_sign(mark_key(s, which), stream, h, mac);
  store_bind_text(q, 1, stream);
  sqlite3_bind_int64(q, 2, (sqlite3_int64)h->seq);
  store_bind_blob(q, 3, h->hash, CHAIN_HASH);
  store_bind_blob(q, 4, mac, CHAIN_HASH);
  return store_run(s, which);
}

enum err store_head(struct store *s, const char *stream, uint64_t *seq, uint8_t hash[32]) {
  struct chain_head h;
  enum err e = store_mark(s, STORE_Q_HEAD, stream, &h);
  *seq = h.seq;
  memcpy(hash, h.hash, CHAIN_HASH);
  return e;
}

static enum err put_event(struct store *s, const struct store_record *r, const uint8_t *digest,
                          const uint8_t *prev, const uint8_t *hash) {
  sqlite3_stmt *q = s->q[STORE_Q_PUT_EVENT];
  store_bind_text(q, 1, r->stream);
  sqlite3_bind_int64(q, 2, (sqlite3_int64)r->seq);
  sqlite3_bind_int64(q, 3, r->ts_ms);
  store_bind_text(q, 4, r->actor);
  store_bind_text(q, 5, r->kind);
  store_bind_text(q, 6, r->target);
  int rc = store_bind_text(q, 7, r->data);
  store_bind_blob(q, 8, digest, CHAIN_HASH); /* NULL pointer: NULL */
  store_bind_blob(q, 9, prev, CHAIN_HASH);
  store_bind_blob(q, 10, hash, CHAIN_HASH);
  return rc == SQLITE_OK ? store_run(s, STORE_Q_PUT_EVENT) : store_fault(s->db, rc);
}

/* What is sealed is salt | payload. The salt is inside the seal: outside, it would let anyone with the file
 * test guesses (names, addresses) against the digest. */
static enum err put_payload(struct store *s, const struct store_record *r, const uint8_t *salted, size_t n) {
  char label[STORE_LABEL_MAX];
  const char *pid = r->subject ? r->subject : "";
  const uint8_t *key;
  enum err e = store_subject_key(s, pid, true, &key);
  if (e != ERR_OK)
    return e;
  uint8_t *sealed = malloc(n + SEAL_OVERHEAD);
  if (!sealed)
    return ERR_NOMEM;
  store_label_payload(label, r->stream, r->seq, pid);
  seal_close(key, s->rng, label, salted, n, sealed);
  sqlite3_stmt *q = s->q[STORE_Q_PUT_PAYLOAD];
  store_bind_text(q, 1, r->stream);
  sqlite3_bind_int64(q, 2, (sqlite3_int64)r->seq);
  store_bind_text(q, 4, pid);
  int rc = store_bind_blob(q, 3, sealed, n + SEAL_OVERHEAD);
  e = rc == SQLITE_OK ? store_run(s, STORE_Q_PUT_PAYLOAD) : store_fault(s->db, rc);
  free(sealed);
  return e;
}

static enum err put_all(struct store *s, const struct store_record *r, struct chain_head h) {
  struct chain_head next = {.seq = r->seq};
  uint8_t digest[CHAIN_HASH], *salted = NULL;
  size_t n = 0;
  if (r->payload) {
    n = STORE_SALT + strlen(r->payload);
    salted = malloc(n);
    if (!salted)
      return ERR_NOMEM;
    s->rng->fill(s->rng, salted, STORE_SALT);
    memcpy(salted + STORE_SALT, r->payload, n - STORE_SALT);
    sha256(salted, n, digest);
  }
  chain_hash(h.hash, r, salted ? digest : NULL, next.hash);
  enum err e = put_event(s, r, salted ? digest : NULL, h.hash, next.hash);
  if (e == ERR_OK && salted)
    e = put_payload(s, r, salted, n);
  if (e == ERR_OK)
    e = store_put_mark(s, STORE_Q_PUT_HEAD, r->stream, &next);
  if (salted)
    OPENSSL_cleanse(salted, n);
  free(salted);
  return e;
}

enum err store_append(struct store *s, const struct store_record *r) {
  assert(r->stream && r->actor && r->kind && r->target && r->data);
  assert(strlen(r->stream) < STORE_STREAM_MAX);
  struct chain_head h;
  enum err e = store_begin(s);
  if (e == ERR_OK)
    e = store_mark(s, STORE_Q_HEAD, r->stream, &h);
  if (e == ERR_OK) {
    assert(r->seq == h.seq + 1); /* seq is gapless from 1: the room numbers, the store only checks */
    e = put_all(s, r, h);
  }
  if (e != ERR_OK)
    return store_give_up(s, e);
  s->pending++;
  return ERR_OK;
}

/* ---- secrets ---- */

static void label_secret(char label[STORE_LABEL_MAX], const char *name) {
  snprintf(label, STORE_LABEL_MAX, "secret:%s", name);
}

enum err store_put_secret(struct store *s, const char *name, const void *v, size_t n) {
  char label[STORE_LABEL_MAX];
  uint8_t *sealed = malloc(n + SEAL_OVERHEAD);
  enum err e = sealed ? store_begin(s) : ERR_NOMEM;
  if (e == ERR_OK) {
    sqlite3_stmt *q = s->q[STORE_Q_PUT_SECRET];
    label_secret(label, name);
    seal_close(s->seal_key, s->rng, label, v, n, sealed);
    store_bind_text(q, 1, name);
    int rc = store_bind_blob(q, 2, sealed, n + SEAL_OVERHEAD);
    e = rc == SQLITE_OK ? store_run(s, STORE_Q_PUT_SECRET) : store_fault(s->db, rc);
  }
  free(sealed);
  return e == ERR_OK ? ERR_OK : store_give_up(s, e);
}

enum err store_get_secret(struct store *s, const char *name, void *out, size_t *n) {
  char label[STORE_LABEL_MAX];
  sqlite3_stmt *q = s->q[STORE_Q_GET_SECRET];
  label_secret(label, name);
  store_bind_text(q, 1, name);
  int rc = sqlite3_step(q);
  enum err e = rc == SQLITE_ROW ? ERR_OK : rc == SQLITE_DONE ? ERR_NO_ROOM : store_fault(s->db, rc);
  if (e == ERR_OK) {
    const void *sealed = sqlite3_column_blob(q, 0);
    size_t len = (size_t)sqlite3_column_bytes(q, 0);
    if (len < SEAL_OVERHEAD)
      e = ERR_DB_CORRUPT;
    else if (len - SEAL_OVERHEAD > *n)
      e = ERR_FULL;
    else if (!seal_open(s->seal_key, label, sealed, len, out))
      e = ERR_DB_CORRUPT;
    else
      *n = len - SEAL_OVERHEAD;
  }
  sqlite3_reset(q);
  return e;
}
