/* store_verify.c: is the log what was written? If not, what was done to it?
 *
 * A hash covers the event's seq, so an event that was renumbered still fits the number it had: that tells a
 * deletion, an insertion and an exchange from an edit. The signed head (and anchors from outside) tell a cut
 * end and a chain that was computed anew. */
#include "core/store/store_sqlite.h"

#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SPAN = 256 }; /* events that are tried around a place: how far a row was moved, how many were added */

struct check {
  struct store *s;
  const char *stream;
  const struct store_anchor *anchors; /* those not seen yet */
  size_t n_anchors;
  struct chain_head base, head, last; /* last: of the rows seen, all of them whole */
  uint64_t bad_anchor;                /* the first that does not fit; 0: none */
  bool head_passed;                   /* the event the head names was seen, as it names it */
  char *why;
};

#define FOUND(c, err, fmt, ...) (snprintf((c)->why, 256, fmt, __VA_ARGS__), (err))

/* ---- what was done at a place ---- */

/* A row as it stands at its seq. */
struct facts {
  bool there;
  uint64_t original; /* the seq its hash was made for; 0: none near, it was changed */
};

static bool fits(const struct store_row *row, uint64_t seq) {
  struct store_record r = row->r;
  uint8_t hash[CHAIN_HASH];
  r.seq = seq;
  chain_hash(row->prev, &r, row->digest, hash);
  return memcmp(hash, row->hash, CHAIN_HASH) == 0;
}

static uint64_t find_original(const struct store_row *row) {
  uint64_t seq = row->r.seq;
  for (uint64_t d = 0; d <= SPAN; d++) {
    if (fits(row, seq + d))
      return seq + d;
    if (d < seq && fits(row, seq - d))
      return seq - d;
  }
  return 0;
}

static enum err look(struct check *c, uint64_t seq, struct facts *f) {
  sqlite3_stmt *q = c->s->q[STORE_Q_WALK];
  struct store_row row = {.r.stream = c->stream};
  *f = (struct facts){0};
  store_bind_text(q, 1, c->stream);
  sqlite3_bind_int64(q, 2, (sqlite3_int64)seq - 1);
  int rc = sqlite3_step(q);
  enum err e = rc == SQLITE_ROW || rc == SQLITE_DONE ? ERR_OK : store_fault(c->s->db, rc);
  if (rc == SQLITE_ROW && (uint64_t)sqlite3_column_int64(q, 0) == seq) {
    f->there = true;
    if (store_read_row(q, &row) == ERR_OK)
      f->original = find_original(&row);
  }
  sqlite3_reset(q);
  return e;
}

/* ---- rows whose columns changed places ---- */

/* A row that outlives its statement. */
struct kept {
  struct store_row row;
  uint8_t digest[CHAIN_HASH], prev[CHAIN_HASH], hash[CHAIN_HASH];
};

static void kept_free(struct kept *k) {
  free((char *)k->row.r.actor);
  free((char *)k->row.r.kind);
  free((char *)k->row.r.target);
  free((char *)k->row.r.data);
}

static bool keep_row(struct check *c, uint64_t seq, struct kept *k) {
  sqlite3_stmt *q = c->s->q[STORE_Q_WALK];
  struct store_row row = {.r.stream = c->stream};
  *k = (struct kept){0};
  store_bind_text(q, 1, c->stream);
  sqlite3_bind_int64(q, 2, (sqlite3_int64)seq - 1);
  bool ok = sqlite3_step(q) == SQLITE_ROW && store_read_row(q, &row) == ERR_OK && row.r.seq == seq;
  if (ok) {
    k->row = row;
    k->row.r.actor = strdup(row.r.actor);
    k->row.r.kind = strdup(row.r.kind);
    k->row.r.target = strdup(row.r.target);
    k->row.r.data = strdup(row.r.data);
    k->row.digest = row.digest ? memcpy(k->digest, row.digest, CHAIN_HASH) : NULL;
    k->row.prev = memcpy(k->prev, row.prev, CHAIN_HASH);
    k->row.hash = memcpy(k->hash, row.hash, CHAIN_HASH);
    ok = k->row.r.actor && k->row.r.kind && k->row.r.target && k->row.r.data;
  }
  sqlite3_reset(q);
  return ok;
}

/* Does `a` fit its hash with the columns of `b` that `mask` names? */
static bool fits_with(const struct store_row *a, const struct store_row *b, unsigned mask) {
  struct store_row x = *a;
  x.r.ts_ms = mask & 1 ? b->r.ts_ms : a->r.ts_ms;
  x.r.actor = mask & 2 ? b->r.actor : a->r.actor;
  x.r.kind = mask & 4 ? b->r.kind : a->r.kind;
  x.r.target = mask & 8 ? b->r.target : a->r.target;
  x.r.data = mask & 16 ? b->r.data : a->r.data;
  x.digest = mask & 32 ? b->digest : a->digest;
  return fits(&x, a->r.seq);
}

/* The later row that some columns were exchanged with; 0: none. */
static uint64_t find_partner(struct check *c, uint64_t seq) {
  struct kept a, b;
  uint64_t found = 0;
  bool there = keep_row(c, seq, &a);
  for (uint64_t i = seq + 1; there && !found && i <= seq + SPAN; i++) {
    there = keep_row(c, i, &b);
    for (unsigned mask = 1; there && !found && mask < 64; mask++)
      if (fits_with(&a.row, &b.row, mask) && fits_with(&b.row, &a.row, mask))
        found = i;
    kept_free(&b);
  }
  kept_free(&a);
  return found;
}

/* Its content is not what its hash says. Were other rows put in front of those that follow? */
static enum err explain_changed(struct check *c, uint64_t seq) {
  struct facts f = {.there = true};
  for (uint64_t i = seq + 1; f.there && i <= seq + SPAN; i++) {
    enum err e = look(c, i, &f);
    if (e != ERR_OK)
      return e;
    if (f.original && f.original < i)
      return FOUND(c, ERR_AUDIT_INSERTED, "event %" PRIu64 " of %.100s was added", seq, c->stream);
    if (f.original)
      break;
  }
  uint64_t partner = find_partner(c, seq);
  if (partner)
    return FOUND(c, ERR_AUDIT_SWAPPED, "event %" PRIu64 " of %.100s stands at %" PRIu64, seq, c->stream,
                 partner);
  return FOUND(c, ERR_AUDIT_EDITED, "event %" PRIu64 " of %.100s was changed", seq, c->stream);
}

/* Its hash was made for a later seq: is what belongs here somewhere else? */
static enum err explain_from_later(struct check *c, uint64_t seq, uint64_t original) {
  struct facts f = {.there = true};
  for (uint64_t i = seq + 1; f.there && i <= seq + SPAN; i++) {
    enum err e = look(c, i, &f);
    if (e != ERR_OK)
      return e;
    if (f.original == seq)
      return FOUND(c, ERR_AUDIT_SWAPPED, "event %" PRIu64 " of %.100s stands at %" PRIu64, seq, c->stream, i);
  }
  return FOUND(c, ERR_AUDIT_DELETED, "event %" PRIu64 " of %.100s is missing, event %" PRIu64 " stands there",
               seq, c->stream, original);
}

/* A row that fits its own hash, but names another one before it: how many rows there are tells more. */
static enum err explain_link(struct check *c, uint64_t seq) {
  uint64_t last = seq;
  sqlite3_stmt *q = c->s->q[STORE_Q_LAST_SEQ];
  store_bind_text(q, 1, c->stream);
  if (sqlite3_step(q) == SQLITE_ROW)
    last = (uint64_t)sqlite3_column_int64(q, 0);
  sqlite3_reset(q);
  if (last > c->head.seq)
    return FOUND(c, ERR_AUDIT_INSERTED, "an event was added before event %" PRIu64 " of %.100s", seq,
                 c->stream);
  if (last < c->head.seq || seq == c->base.seq + 1)
    return FOUND(c, ERR_AUDIT_DELETED, "an event before event %" PRIu64 " of %.100s is missing", seq,
                 c->stream);
  return FOUND(c, ERR_AUDIT_EDITED,
               "event %" PRIu64 " of %.100s is not the one that event %" PRIu64 " follows", seq - 1,
               c->stream, seq);
}

static enum err explain(struct check *c, uint64_t seq) {
  struct facts f;
  enum err e = look(c, seq, &f);
  if (e != ERR_OK)
    return e;
  if (f.original == 0)
    return explain_changed(c, seq);
  if (f.original > seq)
    return explain_from_later(c, seq, f.original);
  if (f.original < seq)
    return FOUND(c, ERR_AUDIT_INSERTED, "event %" PRIu64 " of %.100s was added", f.original, c->stream);
  return explain_link(c, seq);
}

/* ---- the walk ---- */

static void meet_anchors(struct check *c, const struct chain_head *at) {
  for (; c->n_anchors && c->anchors->seq <= at->seq; c->anchors++, c->n_anchors--)
    if (c->anchors->seq == at->seq && memcmp(c->anchors->hash, at->hash, CHAIN_HASH) != 0 && !c->bad_anchor)
      c->bad_anchor = at->seq;
}

static enum err check_payload(struct check *c, sqlite3_stmt *q, struct store_row *row) {
  char *payload = NULL;
  size_t n = 0;
  enum err e = store_open_payload(c->s, q, row, &payload, &n);
  if (payload)
    OPENSSL_cleanse(payload, n);
  free(payload);
  if (e == ERR_DB_CORRUPT)
    return FOUND(c, ERR_AUDIT_EDITED, "the content of event %" PRIu64 " of %.100s was changed", row->r.seq,
                 c->stream);
  return e;
}

/* *broken: the row does not follow the one before; explain() says why once the walk has ended. */
static enum err check_row(struct check *c, sqlite3_stmt *q, bool *broken) {
  struct store_row row = {.r.stream = c->stream};
  uint8_t hash[CHAIN_HASH];
  bool readable = store_read_row(q, &row) == ERR_OK;
  uint64_t want = c->last.seq + 1;
  if ((int64_t)row.r.seq < (int64_t)want)
    return FOUND(c, ERR_AUDIT_INSERTED, "event %" PRId64 " of %.100s was added", (int64_t)row.r.seq,
                 c->stream);
  if (row.r.seq > want)
    return FOUND(c, ERR_AUDIT_DELETED, "event %" PRIu64 " of %.100s is missing", want, c->stream);
  if (readable)
    chain_hash(row.prev, &row.r, row.digest, hash);
  *broken =
      !readable || memcmp(hash, row.hash, CHAIN_HASH) != 0 || memcmp(row.prev, c->last.hash, CHAIN_HASH) != 0;
  if (*broken)
    return ERR_OK;
  c->last.seq = row.r.seq;
  memcpy(c->last.hash, hash, CHAIN_HASH);
  meet_anchors(c, &c->last);
  c->head_passed |= c->last.seq == c->head.seq && memcmp(c->last.hash, c->head.hash, CHAIN_HASH) == 0;
  return check_payload(c, q, &row);
}

static enum err check_rows(struct check *c) {
  sqlite3_stmt *q = c->s->q[STORE_Q_WALK];
  bool broken = false;
  int rc = SQLITE_DONE;
  enum err e = ERR_OK;
  store_bind_text(q, 1, c->stream);
  sqlite3_bind_int64(q, 2, INT64_MIN); /* also rows that should not be there any more */
  while (e == ERR_OK && !broken && (rc = sqlite3_step(q)) == SQLITE_ROW)
    e = check_row(c, q, &broken);
  sqlite3_reset(q);
  if (broken)
    return explain(c, c->last.seq + 1);
  return e == ERR_OK && rc != SQLITE_DONE ? store_db_why(c->s->db, c->stream, rc, c->why) : e;
}

/* The chain is whole: is its end the one that was signed? */
static enum err check_end(struct check *c, bool head_signed) {
  uint64_t last = c->last.seq, none = c->last.seq == c->base.seq;
  if (c->bad_anchor)
    return FOUND(c, ERR_AUDIT_RECHAINED, "event %" PRIu64 " of %.100s is not the one of the anchor",
                 c->bad_anchor, c->stream);
  if (c->n_anchors)
    return FOUND(c, ERR_AUDIT_TRUNCATED,
                 "%.100s ends at event %" PRIu64 ", but there is an anchor of event %" PRIu64, c->stream,
                 last, c->anchors->seq);
  if (!head_signed)
    return FOUND(c, ERR_AUDIT_RECHAINED, "the head of %.100s is not signed with this key (event %" PRIu64 ")",
                 c->stream, c->head.seq);
  if (c->head.seq == 0 && last > 0)
    return FOUND(c, ERR_AUDIT_RECHAINED, "%.100s has events, but no signed head", c->stream);
  if (last < c->head.seq || (none && c->base.seq > 0))
    return FOUND(c, ERR_AUDIT_TRUNCATED,
                 "%.100s ends at event %" PRIu64 ", but its signed head is event %" PRIu64, c->stream, last,
                 c->head.seq);
  if (last > c->head.seq && c->head_passed)
    return FOUND(c, ERR_AUDIT_INSERTED, "event %" PRIu64 " of %.100s was added", c->head.seq + 1, c->stream);
  if (last > 0 && !c->head_passed)
    return FOUND(c, ERR_AUDIT_RECHAINED,
                 "%.100s ends at event %" PRIu64 ", but its signed head is another event %" PRIu64, c->stream,
                 last, c->head.seq);
  return ERR_OK;
}

enum err store_verify_stream(struct store *s, const char *stream, const struct store_anchor *anchors,
                             size_t n, char why[256]) {
  struct check c = {.s = s, .stream = stream, .anchors = anchors, .n_anchors = n, .why = why};
  why[0] = 0;
  enum err e = store_mark(s, STORE_Q_BASE, stream, &c.base);
  if (e == ERR_DB_CORRUPT)
    e = FOUND(&c, ERR_AUDIT_DELETED,
              "the beginning of %.100s, up to event %" PRIu64 ", was cut, and nobody signed that", stream,
              c.base.seq);
  enum err head = e == ERR_OK ? store_mark(s, STORE_Q_HEAD, stream, &c.head) : e;
  if (e == ERR_OK && head != ERR_DB_CORRUPT)
    e = head;
  c.last = c.base;
  meet_anchors(&c, &c.base);
  if (e == ERR_OK)
    e = check_rows(&c);
  if (e == ERR_OK)
    e = check_end(&c, head == ERR_OK);
  if (e != ERR_OK && !why[0])
    snprintf(why, 256, "%.100s cannot be read: %s", stream, err_text(e));
  return e;
}

/* ---- all of it ---- */

struct names { /* joined with NUL, so that no statement is open while a stream is walked */
  char *text;
  size_t n, room;
};

static enum err keep_name(struct names *l, const char *name) {
  size_t n = strlen(name) + 1;
  if (l->n + n > l->room) {
    size_t room = (l->room + n) * 2;
    char *more = realloc(l->text, room);
    if (!more)
      return ERR_NOMEM;
    l->text = more;
    l->room = room;
  }
  memcpy(l->text + l->n, name, n);
  l->n += n;
  return ERR_OK;
}

static enum err all_streams(struct store *s, struct names *l) {
  sqlite3_stmt *q = s->q[STORE_Q_ALL_STREAMS];
  int rc = SQLITE_DONE;
  enum err e = ERR_OK;
  while (e == ERR_OK && (rc = sqlite3_step(q)) == SQLITE_ROW) {
    const char *name = store_column_text(q, 0);
    e = name ? keep_name(l, name) : ERR_DB_CORRUPT;
  }
  sqlite3_reset(q);
  return e == ERR_OK && rc != SQLITE_DONE ? store_fault(s->db, rc) : e;
}

enum err store_verify(struct store *s, char why[256]) {
  struct names l = {0};
  why[0] = 0;
  enum err e = all_streams(s, &l);
  for (size_t at = 0; e == ERR_OK && at < l.n; at += strlen(l.text + at) + 1)
    e = store_verify_stream(s, l.text + at, NULL, 0, why);
  free(l.text);
  if (e != ERR_OK && !why[0])
    snprintf(why, 256, "the list of streams cannot be read: %s", err_text(e));
  return e >= ERR_AUDIT_EDITED && e <= ERR_AUDIT_RECHAINED ? ERR_DB_CORRUPT : e;
}
