/* store_erase.c: what is taken away: personal content, and the beginning of a log. */
#include "core/base/log.h"
#include "core/store/erased.h"
#include "core/store/store_sqlite.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A group that cannot be committed is refused until its owner has heard of it: what he appends next would
 * follow events that are lost. */
static enum err commit_others(struct store *s) {
  enum err e = store_commit(s);
  return e == ERR_OK ? ERR_OK : store_give_up(s, e);
}

/* A group of our own, after commit_others: on an error the store is as it was before it. */
static enum err finish(struct store *s, enum err e) {
  s->fold_due = true;
  s->fold_wait = 0;
  if (e == ERR_OK)
    return store_commit(s);
  store_rollback(s);
  return e;
}

static enum err run_with(struct store *s, enum store_q q, const char *text) {
  store_bind_text(s->q[q], 1, text);
  return store_run(s, q);
}

/* ---- a person ---- */

static enum err erase_pid(struct store *s, const char *pid, int *rows) {
  static const enum store_q all[] = {STORE_Q_ERASE_SUBJECT_PAYLOADS, STORE_Q_ERASE_SUBJECT_DOCS,
                                     STORE_Q_ERASE_SUBJECT};
  enum err e = store_begin(s);
  for (size_t i = 0; e == ERR_OK && i < sizeof all / sizeof all[0]; i++) {
    e = run_with(s, all[i], pid);
    *rows += sqlite3_changes(s->db);
  }
  store_subjects_forget(s);
  return e;
}

enum err store_erase_subject(struct store *s, const char *pid) {
  char why[256] = "";
  int rows = 0;
  assert(pid[0] && strlen(pid) <= STORE_PID_MAX);
  if (s->read_only)
    return ERR_NOT_ALLOWED;
  enum err e = commit_others(s);
  if (e != ERR_OK)
    return e;
  e = s->journals[0] ? erased_add(s->journals[0], pid, why) : ERR_OK;
  if (e == ERR_OK && s->journals[1] && erased_add(s->journals[1], pid, why) != ERR_OK)
    log_event(LOG_WARN, "the copy of the erasure journal lags behind", "why", why, NULL);
  if (e != ERR_OK) {
    log_event(LOG_ERROR, "nobody can be erased", "why", why, NULL);
    return e;
  }
  return finish(s, erase_pid(s, pid, &rows));
}

enum err store_replay_erased(struct store *s, char why[256]) {
  struct erased l;
  int rows = 0;
  char count[24];
  enum err e = erased_load(s->journals[0], &l, why);
  for (size_t i = 0; e == ERR_OK && i < l.n; i++)
    e = erase_pid(s, l.pid[i], &rows);
  erased_free(&l);
  e = rows || e != ERR_OK ? finish(s, e) : store_commit(s);
  snprintf(count, sizeof count, "%d", rows);
  if (rows)
    log_event(LOG_WARN, "people who had been erased were in this copy of the database: erased again", "rows",
              count, NULL);
  if (e != ERR_OK && !why[0])
    snprintf(why, 256, "the erasure journal cannot be followed: %s", err_text(e));
  return e;
}

enum err store_keep_erased(struct store *s, const char *path, char why[256]) {
  if (!s->journals[0])
    return ERR_OK;
  free(s->journals[1]);
  s->journals[1] = strdup(path);
  if (!s->journals[1])
    return ERR_NOMEM;
  enum err e = erased_merge(path, s->journals[0], why); /* the other way with each backup */
  return e == ERR_OK ? store_replay_erased(s, why) : e;
}

/* ---- age ---- */

/* ",a,b," of a NULL-ended list. */
static char *join(const char *const *list) {
  size_t room = 2;
  for (size_t i = 0; list && list[i]; i++)
    room += strlen(list[i]) + 1;
  char *out = malloc(room);
  if (!out)
    return NULL;
  size_t n = (size_t)snprintf(out, room, ",");
  for (size_t i = 0; list && list[i]; i++)
    n += (size_t)snprintf(out + n, room - n, "%s,", list[i]);
  return out;
}

enum err store_erase_before(struct store *s, const char *stream, const char *kinds, int64_t ts_ms,
                            const char *const *held, uint64_t *n) {
  char *kept = join(held);
  sqlite3_stmt *q = s->q[STORE_Q_ERASE_BEFORE];
  *n = 0;
  enum err e = kept ? store_begin(s) : ERR_NOMEM;
  if (e == ERR_OK) {
    store_bind_text(q, 1, stream);
    sqlite3_bind_int64(q, 2, ts_ms);
    store_bind_text(q, 3, kinds);
    store_bind_text(q, 4, kept);
    e = store_run(s, STORE_Q_ERASE_BEFORE);
  }
  free(kept);
  if (e != ERR_OK)
    return store_give_up(s, e);
  *n = (uint64_t)sqlite3_changes(s->db);
  if (*n > 0) {
    s->pending++;
    store_fold_soon(s);
  }
  return ERR_OK;
}

/* The last word is `held`. */
static enum err erase_some(struct store *s, enum store_q q, const char *const *held, int at) {
  char *kept = join(held);
  enum err e = kept ? ERR_OK : ERR_NOMEM;
  if (e == ERR_OK) {
    store_bind_text(s->q[q], at, kept);
    e = store_run(s, q);
  }
  free(kept);
  if (e != ERR_OK)
    return store_give_up(s, e);
  s->pending++;
  store_fold_soon(s);
  return ERR_OK;
}

enum err store_erase_payload(struct store *s, const char *stream, uint64_t seq, const char *const *held) {
  enum err e = store_begin(s);
  if (e != ERR_OK)
    return store_give_up(s, e);
  store_bind_text(s->q[STORE_Q_ERASE_PAYLOAD], 1, stream);
  sqlite3_bind_int64(s->q[STORE_Q_ERASE_PAYLOAD], 2, (sqlite3_int64)seq);
  return erase_some(s, STORE_Q_ERASE_PAYLOAD, held, 3);
}

enum err store_erase_by(struct store *s, const char *stream, const char *actor, const char *kinds,
                        const char *const *held) {
  enum err e = store_begin(s);
  if (e != ERR_OK)
    return store_give_up(s, e);
  store_bind_text(s->q[STORE_Q_ERASE_BY], 1, stream);
  store_bind_text(s->q[STORE_Q_ERASE_BY], 2, actor);
  store_bind_text(s->q[STORE_Q_ERASE_BY], 3, kinds);
  return erase_some(s, STORE_Q_ERASE_BY, held, 4);
}

/* The last event that goes; seq 0: none does. */
static enum err find_cut(struct store *s, const char *stream, int64_t ts_ms, struct chain_head *cut) {
  sqlite3_stmt *q = s->q[STORE_Q_PRUNE_LAST];
  *cut = (struct chain_head){0};
  store_bind_text(q, 1, stream);
  sqlite3_bind_int64(q, 2, ts_ms);
  int rc = sqlite3_step(q);
  enum err e = rc == SQLITE_ROW || rc == SQLITE_DONE ? ERR_OK : store_fault(s->db, rc);
  if (rc == SQLITE_ROW) {
    const uint8_t *hash = store_column_hash(q, 1);
    cut->seq = (uint64_t)sqlite3_column_int64(q, 0);
    if (hash)
      memcpy(cut->hash, hash, CHAIN_HASH);
    else
      e = ERR_DB_CORRUPT;
  }
  sqlite3_reset(q);
  return e;
}

static enum err drop_until(struct store *s, enum store_q q, const char *stream, uint64_t seq) {
  sqlite3_bind_int64(s->q[q], 2, (sqlite3_int64)seq);
  return run_with(s, q, stream);
}

enum err store_prune(struct store *s, const char *stream, int64_t ts_ms, uint64_t *n) {
  char why[256];
  struct chain_head cut;
  *n = 0;
  if (s->failed != ERR_OK)
    return s->failed;
  enum err e = store_verify_stream(s, stream, NULL, 0, why);
  if (e != ERR_OK) /* a signed base must not make good what someone changed */
    return e;
  e = store_begin(s);
  if (e == ERR_OK)
    e = find_cut(s, stream, ts_ms, &cut);
  if (e == ERR_OK && cut.seq > 0) {
    e = store_put_mark(s, STORE_Q_PUT_BASE, stream, &cut); /* now the trigger lets them go */
    if (e == ERR_OK)
      e = drop_until(s, STORE_Q_PRUNE_PAYLOADS, stream, cut.seq);
    if (e == ERR_OK)
      e = drop_until(s, STORE_Q_PRUNE_EVENTS, stream, cut.seq);
    if (e == ERR_OK)
      *n = (uint64_t)sqlite3_changes(s->db);
  }
  if (e != ERR_OK)
    return store_give_up(s, e);
  if (*n > 0)
    store_fold_soon(s);
  return commit_others(s);
}
