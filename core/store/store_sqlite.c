/* store_sqlite.c: append, group commit, replay, secrets and erasure. */
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

enum { SALT = 16, LABEL_MAX = 256, CHECKPOINT_FRAMES = 1000 };

static int step(struct store *s, enum store_q q) {
  errno = 0; /* store_fault looks at it */
  int rc = sqlite3_step(s->q[q]), saved = errno;
  sqlite3_reset(s->q[q]);
  sqlite3_clear_bindings(s->q[q]);
  errno = saved;
  return rc;
}

static int bind_text(sqlite3_stmt *q, int at, const char *text) {
  return sqlite3_bind_text(q, at, text, -1, SQLITE_STATIC);
}

static int bind_blob(sqlite3_stmt *q, int at, const void *p, size_t n) {
  return sqlite3_bind_blob64(q, at, p, n, SQLITE_STATIC);
}

/* Borrowed; NULL unless it is text without a NUL inside (what a hash over C strings would not see). */
static const char *column_text(sqlite3_stmt *q, int at) {
  const char *t = (const char *)sqlite3_column_text(q, at);
  return t && strlen(t) == (size_t)sqlite3_column_bytes(q, at) ? t : NULL;
}

static const uint8_t *column_hash(sqlite3_stmt *q, int at) {
  const uint8_t *p = sqlite3_column_blob(q, at);
  return sqlite3_column_bytes(q, at) == CHAIN_HASH ? p : NULL;
}

/* ---- the group ---- */

static enum err begin(struct store *s) {
  if (s->failed != ERR_OK || !sqlite3_get_autocommit(s->db))
    return s->failed;
  int rc = step(s, STORE_Q_BEGIN);
  return rc == SQLITE_DONE ? ERR_OK : store_fault(s->db, rc);
}

static void undo(struct store *s) {
  if (!sqlite3_get_autocommit(s->db)) {
    int rc = step(s, STORE_Q_ROLLBACK);
    if (rc != SQLITE_DONE)
      (void)store_fault(s->db, rc);
  }
  s->pending = 0;
}

/* A write failed. SQLite may have rolled back already, so the whole group goes: what follows would have a
 * gap. */
static enum err give_up(struct store *s, enum err e) {
  undo(s);
  s->failed = e;
  return e;
}

static enum err run(struct store *s, enum store_q q) {
  int rc = step(s, q);
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

enum err store_commit(struct store *s) {
  enum err e = s->failed;
  if (e == ERR_OK && !sqlite3_get_autocommit(s->db))
    e = run(s, STORE_Q_COMMIT);
  if (e != ERR_OK)
    undo(s);
  s->failed = ERR_OK;
  s->pending = 0;
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

static enum err read_head(struct store *s, const char *stream, struct chain_head *h) {
  sqlite3_stmt *q = s->q[STORE_Q_HEAD];
  *h = (struct chain_head){0};
  bind_text(q, 1, stream);
  int rc = sqlite3_step(q);
  enum err e = rc == SQLITE_ROW || rc == SQLITE_DONE ? ERR_OK : store_fault(s->db, rc);
  if (rc == SQLITE_ROW) {
    const uint8_t *hash = column_hash(q, 1), *mac = column_hash(q, 2);
    uint8_t want[CHAIN_HASH];
    h->seq = (uint64_t)sqlite3_column_int64(q, 0);
    if (hash)
      memcpy(h->hash, hash, CHAIN_HASH);
    chain_sign(s->head_key, stream, h, want);
    e = hash && mac && bytes_equal_ct(mac, want, CHAIN_HASH) ? ERR_OK : ERR_DB_CORRUPT;
  }
  sqlite3_reset(q);
  return e;
}

static enum err put_head(struct store *s, const char *stream, const struct chain_head *h) {
  uint8_t mac[CHAIN_HASH];
  sqlite3_stmt *q = s->q[STORE_Q_PUT_HEAD];
  chain_sign(s->head_key, stream, h, mac);
  bind_text(q, 1, stream);
  sqlite3_bind_int64(q, 2, (sqlite3_int64)h->seq);
  bind_blob(q, 3, h->hash, CHAIN_HASH);
  bind_blob(q, 4, mac, CHAIN_HASH);
  return run(s, STORE_Q_PUT_HEAD);
}

static enum err put_event(struct store *s, const struct store_record *r, const uint8_t *digest,
                          const uint8_t *prev, const uint8_t *hash) {
  sqlite3_stmt *q = s->q[STORE_Q_PUT_EVENT];
  bind_text(q, 1, r->stream);
  sqlite3_bind_int64(q, 2, (sqlite3_int64)r->seq);
  sqlite3_bind_int64(q, 3, r->ts_ms);
  bind_text(q, 4, r->actor);
  bind_text(q, 5, r->kind);
  bind_text(q, 6, r->target);
  int rc = bind_text(q, 7, r->data);
  bind_blob(q, 8, digest, CHAIN_HASH); /* NULL pointer: NULL */
  bind_blob(q, 9, prev, CHAIN_HASH);
  bind_blob(q, 10, hash, CHAIN_HASH);
  return rc == SQLITE_OK ? run(s, STORE_Q_PUT_EVENT) : store_fault(s->db, rc);
}

static void label_payload(char label[LABEL_MAX], const char *stream, uint64_t seq) {
  snprintf(label, LABEL_MAX, "payload:%" PRIu64 ":%s", seq, stream);
}

/* What is sealed is salt | payload. The salt is inside the seal: outside, it would let anyone with the file
 * test guesses (names, addresses) against the digest. */
static enum err put_payload(struct store *s, const struct store_record *r, const uint8_t *salted, size_t n) {
  char label[LABEL_MAX];
  uint8_t *sealed = malloc(n + SEAL_OVERHEAD);
  if (!sealed)
    return ERR_NOMEM;
  label_payload(label, r->stream, r->seq);
  seal_close(s->seal_key, s->rng, label, salted, n, sealed);
  sqlite3_stmt *q = s->q[STORE_Q_PUT_PAYLOAD];
  bind_text(q, 1, r->stream);
  sqlite3_bind_int64(q, 2, (sqlite3_int64)r->seq);
  int rc = bind_blob(q, 3, sealed, n + SEAL_OVERHEAD);
  enum err e = rc == SQLITE_OK ? run(s, STORE_Q_PUT_PAYLOAD) : store_fault(s->db, rc);
  free(sealed);
  return e;
}

static enum err put_all(struct store *s, const struct store_record *r, struct chain_head h) {
  struct chain_head next = {.seq = r->seq};
  uint8_t digest[CHAIN_HASH], *salted = NULL;
  size_t n = 0;
  if (r->payload) {
    n = SALT + strlen(r->payload);
    salted = malloc(n);
    if (!salted)
      return ERR_NOMEM;
    s->rng->fill(s->rng, salted, SALT);
    memcpy(salted + SALT, r->payload, n - SALT);
    sha256(salted, n, digest);
  }
  chain_hash(h.hash, r, salted ? digest : NULL, next.hash);
  enum err e = put_event(s, r, salted ? digest : NULL, h.hash, next.hash);
  if (e == ERR_OK && salted)
    e = put_payload(s, r, salted, n);
  if (e == ERR_OK)
    e = put_head(s, r->stream, &next);
  if (salted)
    OPENSSL_cleanse(salted, n);
  free(salted);
  return e;
}

enum err store_append(struct store *s, const struct store_record *r) {
  assert(r->stream && r->actor && r->kind && r->target && r->data);
  assert(strlen(r->stream) < STORE_STREAM_MAX);
  struct chain_head h;
  enum err e = begin(s);
  if (e == ERR_OK)
    e = read_head(s, r->stream, &h);
  if (e == ERR_OK) {
    assert(r->seq == h.seq + 1); /* seq is gapless from 1: the room numbers, the store only checks */
    e = put_all(s, r, h);
  }
  if (e != ERR_OK)
    return give_up(s, e);
  s->pending++;
  return ERR_OK;
}

/* ---- reading ---- */

/* The payload of the row at hand, NUL-terminated and to be freed; NULL and ERR_OK when it has none or is
 * erased. */
static enum err open_payload(struct store *s, sqlite3_stmt *q, struct store_row *row, char **out,
                             size_t *room) {
  char label[LABEL_MAX];
  uint8_t digest[CHAIN_HASH];
  const void *sealed = sqlite3_column_blob(q, 9);
  size_t n = (size_t)sqlite3_column_bytes(q, 9);
  *out = NULL;
  if (!sealed)
    return ERR_OK;
  if (n < SEAL_OVERHEAD + SALT || !row->digest)
    return ERR_DB_CORRUPT;
  *room = n - SEAL_OVERHEAD + 1;
  char *salted = malloc(*room);
  if (!salted)
    return ERR_NOMEM;
  label_payload(label, row->r.stream, row->r.seq);
  bool ok = seal_open(s->seal_key, label, sealed, n, salted);
  if (ok)
    sha256(salted, *room - 1, digest);
  if (!ok || !bytes_equal_ct(digest, row->digest, CHAIN_HASH)) {
    free(salted);
    return ERR_DB_CORRUPT;
  }
  salted[*room - 1] = 0;
  row->r.payload = salted + SALT;
  *out = salted;
  return ERR_OK;
}

static enum err read_row(sqlite3_stmt *q, struct store_row *row) {
  row->r.seq = (uint64_t)sqlite3_column_int64(q, 0);
  row->r.ts_ms = sqlite3_column_int64(q, 1);
  row->r.actor = column_text(q, 2);
  row->r.kind = column_text(q, 3);
  row->r.target = column_text(q, 4);
  row->r.data = column_text(q, 5);
  row->digest = column_hash(q, 6);
  row->prev = column_hash(q, 7);
  row->hash = column_hash(q, 8);
  bool digest_ok = row->digest || sqlite3_column_type(q, 6) == SQLITE_NULL;
  return row->r.actor && row->r.kind && row->r.target && row->r.data && digest_ok && row->prev && row->hash
             ? ERR_OK
             : ERR_DB_CORRUPT;
}

struct walk {
  struct store *s;
  const char *stream;
  enum err (*each)(void *ctx, const struct store_row *row);
  void *ctx;
  struct chain_head last; /* of the rows seen */
  char *why;
};

static enum err walk_row(struct walk *w, sqlite3_stmt *q) {
  struct store_row row = {.r.stream = w->stream};
  char *payload = NULL;
  size_t room = 0;
  enum err e = read_row(q, &row);
  if (row.r.seq != w->last.seq + 1) {
    snprintf(w->why, 256, "event %" PRIu64 " of %.100s is missing", w->last.seq + 1, w->stream);
    return ERR_DB_CORRUPT;
  }
  if (e == ERR_OK)
    e = open_payload(w->s, q, &row, &payload, &room);
  if (e != ERR_OK) {
    snprintf(w->why, 256, "event %" PRIu64 " of %.100s cannot be read: %s", row.r.seq, w->stream,
             err_text(e));
    return e;
  }
  w->last.seq = row.r.seq;
  memcpy(w->last.hash, row.hash, CHAIN_HASH);
  e = w->each(w->ctx, &row);
  if (payload)
    OPENSSL_cleanse(payload, room);
  free(payload);
  return e;
}

enum err store_walk(struct store *s, const char *stream, uint64_t after,
                    enum err (*each)(void *ctx, const struct store_row *row), void *ctx, char why[256]) {
  struct walk w = {s, stream, each, ctx, {.seq = after}, why};
  sqlite3_stmt *q = s->q[STORE_Q_WALK];
  struct chain_head head;
  int rc = SQLITE_DONE;
  enum err e = read_head(s, stream, &head);
  if (e == ERR_DB_CORRUPT)
    snprintf(why, 256, "the head of %.100s is not signed with this key", stream);
  bind_text(q, 1, stream);
  sqlite3_bind_int64(q, 2, (sqlite3_int64)after);
  while (e == ERR_OK && (rc = sqlite3_step(q)) == SQLITE_ROW)
    e = walk_row(&w, q);
  sqlite3_reset(q);
  if (e == ERR_OK && rc != SQLITE_DONE)
    return store_db_why(s->db, stream, rc, why);
  bool none = w.last.seq == after && after >= head.seq;
  if (e == ERR_OK && !none && (w.last.seq != head.seq || memcmp(w.last.hash, head.hash, CHAIN_HASH) != 0)) {
    snprintf(why, 256, "%.100s ends at event %" PRIu64 ", but its signed head is another event %" PRIu64,
             stream, w.last.seq, head.seq);
    e = ERR_DB_CORRUPT;
  }
  return e;
}

struct replay {
  enum err (*each)(void *ctx, const struct store_record *r);
  void *ctx;
};

static enum err replay_row(void *ctx, const struct store_row *row) {
  struct replay *p = ctx;
  return p->each(p->ctx, &row->r);
}

enum err store_replay(struct store *s, const char *stream, uint64_t after,
                      enum err (*each)(void *ctx, const struct store_record *r), void *ctx) {
  struct replay p = {each, ctx};
  char why[256] = "";
  enum err e = store_walk(s, stream, after, replay_row, &p, why);
  if (why[0])
    log_event(LOG_ERROR, "the log cannot be read", "why", why, NULL);
  return e;
}

enum err store_streams(struct store *s, const char *prefix, enum err (*each)(void *ctx, const char *stream),
                       void *ctx) {
  sqlite3_stmt *q = s->q[STORE_Q_STREAMS];
  bind_text(q, 1, prefix);
  int rc = SQLITE_DONE;
  enum err e = ERR_OK;
  while (e == ERR_OK && (rc = sqlite3_step(q)) == SQLITE_ROW) {
    const char *name = column_text(q, 0);
    e = name ? each(ctx, name) : ERR_DB_CORRUPT;
  }
  sqlite3_reset(q);
  return e == ERR_OK && rc != SQLITE_DONE ? store_fault(s->db, rc) : e;
}

/* ---- secrets ---- */

static void label_secret(char label[LABEL_MAX], const char *name) {
  snprintf(label, LABEL_MAX, "secret:%s", name);
}

enum err store_put_secret(struct store *s, const char *name, const void *v, size_t n) {
  char label[LABEL_MAX];
  uint8_t *sealed = malloc(n + SEAL_OVERHEAD);
  enum err e = sealed ? begin(s) : ERR_NOMEM;
  if (e == ERR_OK) {
    sqlite3_stmt *q = s->q[STORE_Q_PUT_SECRET];
    label_secret(label, name);
    seal_close(s->seal_key, s->rng, label, v, n, sealed);
    bind_text(q, 1, name);
    int rc = bind_blob(q, 2, sealed, n + SEAL_OVERHEAD);
    e = rc == SQLITE_OK ? run(s, STORE_Q_PUT_SECRET) : store_fault(s->db, rc);
  }
  free(sealed);
  return e == ERR_OK ? ERR_OK : give_up(s, e);
}

enum err store_get_secret(struct store *s, const char *name, void *out, size_t *n) {
  char label[LABEL_MAX];
  sqlite3_stmt *q = s->q[STORE_Q_GET_SECRET];
  label_secret(label, name);
  bind_text(q, 1, name);
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

/* ---- erasure ---- */

enum err store_erase_payloads(struct store *s, const char *stream) {
  enum err e = begin(s);
  if (e == ERR_OK) {
    bind_text(s->q[STORE_Q_ERASE], 1, stream);
    e = run(s, STORE_Q_ERASE);
  }
  if (e != ERR_OK)
    (void)give_up(s, e);
  e = store_commit(s);
  if (e != ERR_OK)
    return e;
  /* secure_delete has zeroed the pages, the write-ahead log still holds them as they were: fold it in and cut
   * it */
  int rc = sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
  s->wal_frames = 0;
  return rc == SQLITE_OK ? ERR_OK : rc == SQLITE_BUSY ? ERR_AGAIN : store_fault(s->db, rc);
}
