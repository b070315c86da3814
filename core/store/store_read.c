/* store_read.c: what is in the log: its rows, checked, and its streams. */
#include "core/base/bytes.h"
#include "core/base/log.h"
#include "core/store/store_sqlite.h"

#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void store_label_payload(char label[STORE_LABEL_MAX], const char *stream, uint64_t seq, const char *pid) {
  snprintf(label, STORE_LABEL_MAX, "payload:%" PRIu64 ":%s%s%s", seq, stream, pid[0] ? "\n" : "", pid);
}

enum err store_unseal(sqlite3_stmt *q, int at, const uint8_t *key, const char *label, char **out, size_t *n) {
  const void *sealed = sqlite3_column_blob(q, at);
  size_t len = (size_t)sqlite3_column_bytes(q, at);
  if (!sealed || len < SEAL_OVERHEAD)
    return ERR_DB_CORRUPT;
  *n = len - SEAL_OVERHEAD;
  *out = malloc(*n + 1);
  if (!*out)
    return ERR_NOMEM;
  (*out)[*n] = 0;
  if (seal_open(key, label, sealed, len, *out))
    return ERR_OK;
  free(*out);
  *out = NULL;
  return ERR_DB_CORRUPT;
}

enum err store_open_payload(struct store *s, sqlite3_stmt *q, struct store_row *row, char **out, size_t *n) {
  char label[STORE_LABEL_MAX];
  uint8_t digest[CHAIN_HASH];
  const uint8_t *key;
  const char *pid = store_column_text(q, 10);
  *out = NULL;
  if (sqlite3_column_type(q, 9) == SQLITE_NULL)
    return ERR_OK;
  if (!row->digest || !pid)
    return ERR_DB_CORRUPT;
  store_label_payload(label, row->r.stream, row->r.seq, pid);
  enum err e = store_subject_key(s, pid, false, &key);
  if (e == ERR_OK)
    e = store_unseal(q, 9, key, label, out, n);
  if (e != ERR_OK)
    return e;
  sha256(*out, *n, digest);
  row->r.payload = *n >= STORE_SALT ? *out + STORE_SALT : NULL;
  row->r.subject = pid;
  return row->r.payload && bytes_equal_ct(digest, row->digest, CHAIN_HASH) ? ERR_OK : ERR_DB_CORRUPT;
}

enum err store_read_row(sqlite3_stmt *q, struct store_row *row) {
  row->r.seq = (uint64_t)sqlite3_column_int64(q, 0);
  row->r.ts_ms = sqlite3_column_int64(q, 1);
  row->r.actor = store_column_text(q, 2);
  row->r.kind = store_column_text(q, 3);
  row->r.target = store_column_text(q, 4);
  row->r.data = store_column_text(q, 5);
  row->digest = store_column_hash(q, 6);
  row->prev = store_column_hash(q, 7);
  row->hash = store_column_hash(q, 8);
  bool digest_ok = row->digest || sqlite3_column_type(q, 6) == SQLITE_NULL;
  return row->r.actor && row->r.kind && row->r.target && row->r.data && digest_ok && row->prev && row->hash
             ? ERR_OK
             : ERR_DB_CORRUPT;
}

struct replay {
  struct store *s;
  const char *stream;
  enum err (*each)(void *ctx, const struct store_record *r);
  void *ctx;
  struct chain_head last; /* of the rows seen */
  char why[256];
};

/* Reads the row at hand, gives it away, and wipes what was personal. */
static enum err give_row(struct replay *p, sqlite3_stmt *q, struct store_row *row) {
  char *payload = NULL;
  size_t n = 0;
  enum err e = store_read_row(q, row);
  if (e == ERR_OK)
    e = store_open_payload(p->s, q, row, &payload, &n);
  if (e == ERR_OK) {
    p->last.seq = row->r.seq;
    memcpy(p->last.hash, row->hash, CHAIN_HASH);
    e = p->each(p->ctx, &row->r);
  } else
    snprintf(p->why, sizeof p->why, "event %" PRIu64 " of %.100s cannot be read: %s", row->r.seq,
             row->r.stream, err_text(e));
  if (payload)
    OPENSSL_cleanse(payload, n);
  free(payload);
  return e;
}

static enum err replay_row(struct replay *p, sqlite3_stmt *q) {
  struct store_row row = {.r.stream = p->stream};
  if ((uint64_t)sqlite3_column_int64(q, 0) == p->last.seq + 1)
    return give_row(p, q, &row);
  snprintf(p->why, sizeof p->why, "event %" PRIu64 " of %.100s is missing", p->last.seq + 1, p->stream);
  return ERR_DB_CORRUPT;
}

static enum err replay_all(struct replay *p, uint64_t after) {
  sqlite3_stmt *q = p->s->q[STORE_Q_WALK];
  struct chain_head head, base;
  int rc = SQLITE_DONE;
  enum err e = store_mark(p->s, STORE_Q_HEAD, p->stream, &head);
  if (e == ERR_OK)
    e = store_mark(p->s, STORE_Q_BASE, p->stream, &base);
  if (e != ERR_OK) {
    snprintf(p->why, sizeof p->why, "the head of %.100s cannot be used: %s", p->stream, err_text(e));
    return e;
  }
  if (after < base.seq)
    after = base.seq;
  p->last.seq = after;
  store_bind_text(q, 1, p->stream);
  sqlite3_bind_int64(q, 2, (sqlite3_int64)after);
  while (e == ERR_OK && (rc = sqlite3_step(q)) == SQLITE_ROW)
    e = replay_row(p, q);
  sqlite3_reset(q);
  if (e == ERR_OK && rc != SQLITE_DONE)
    return store_db_why(p->s->db, p->stream, rc, p->why);
  bool none = p->last.seq == after && after >= head.seq;
  if (e == ERR_OK && !none && (p->last.seq != head.seq || memcmp(p->last.hash, head.hash, CHAIN_HASH) != 0)) {
    snprintf(p->why, sizeof p->why, "%.100s ends at event %" PRIu64 ", but its signed head is event %" PRIu64,
             p->stream, p->last.seq, head.seq);
    e = ERR_DB_CORRUPT;
  }
  return e;
}

enum err store_replay(struct store *s, const char *stream, uint64_t after,
                      enum err (*each)(void *ctx, const struct store_record *r), void *ctx) {
  struct replay p = {.s = s, .stream = stream, .each = each, .ctx = ctx};
  enum err e = replay_all(&p, after);
  if (p.why[0])
    log_event(LOG_ERROR, "the log cannot be read", "why", p.why, NULL);
  return e;
}

enum err store_each_subject_record(struct store *s, const char *pid,
                                   enum err (*each)(void *ctx, const struct store_record *r), void *ctx) {
  struct replay p = {.s = s, .each = each, .ctx = ctx};
  sqlite3_stmt *q = s->q[STORE_Q_SUBJECT_ROWS];
  int rc = SQLITE_DONE;
  enum err e = ERR_OK;
  store_bind_text(q, 1, pid);
  while (e == ERR_OK && (rc = sqlite3_step(q)) == SQLITE_ROW) {
    struct store_row row = {.r.stream = store_column_text(q, 11)};
    e = row.r.stream ? give_row(&p, q, &row) : ERR_DB_CORRUPT;
  }
  sqlite3_reset(q);
  sqlite3_clear_bindings(q);
  return e == ERR_OK && rc != SQLITE_DONE ? store_fault(s->db, rc) : e;
}

static enum err each_stream(struct store *s, sqlite3_stmt *q, const char *prefix,
                            enum err (*each)(void *ctx, const char *stream), void *ctx) {
  store_bind_text(q, 1, prefix);
  int rc = SQLITE_DONE;
  enum err e = ERR_OK;
  while (e == ERR_OK && (rc = sqlite3_step(q)) == SQLITE_ROW) {
    const char *name = store_column_text(q, 0);
    e = name ? each(ctx, name) : ERR_DB_CORRUPT;
  }
  sqlite3_reset(q);
  return e == ERR_OK && rc != SQLITE_DONE ? store_fault(s->db, rc) : e;
}

enum err store_streams(struct store *s, const char *prefix, enum err (*each)(void *ctx, const char *stream),
                       void *ctx) {
  return each_stream(s, s->q[STORE_Q_STREAMS], prefix, each, ctx);
}

enum err store_sweepable(struct store *s, const char *prefix, enum err (*each)(void *ctx, const char *stream),
                         void *ctx) {
  return each_stream(s, s->q[STORE_Q_SWEEPABLE], prefix, each, ctx);
}

enum err store_schema(struct store *s, enum err (*each)(void *ctx, const char *table, const char *columns),
                      void *ctx) {
  static const char sql[] = "SELECT name, (SELECT group_concat(name, ', ') FROM pragma_table_info(t.name))"
                            " FROM sqlite_schema t WHERE type = 'table' ORDER BY name";
  sqlite3_stmt *q;
  int rc = sqlite3_prepare_v2(s->db, sql, -1, &q, NULL);
  enum err e = rc == SQLITE_OK ? ERR_OK : store_fault(s->db, rc);
  while (e == ERR_OK && (rc = sqlite3_step(q)) == SQLITE_ROW) {
    const char *table = store_column_text(q, 0), *columns = store_column_text(q, 1);
    e = table && columns ? each(ctx, table, columns) : ERR_DB_CORRUPT;
  }
  if (e == ERR_OK && rc != SQLITE_DONE)
    e = store_fault(s->db, rc);
  sqlite3_finalize(q);
  return e;
}
