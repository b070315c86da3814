/* audit_checkpoint.c: signed checkpoints of the audit log, and its pruning.
 *
 * A checkpoint names only what is on disk already, so it may be told to the outside at once. */
#include "core/access/audit_private.h"
#include "core/base/bytes.h"
#include "core/base/ed25519.h"
#include "core/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define KEY_SECRET "audit.key"

enum err audit_key_open(struct access *a) {
  struct audit *u = a->audit;
  size_t n = sizeof u->secret;
  enum err e = store_get_secret(a->cfg.store, KEY_SECRET, u->secret, &n);
  u->begun = e == ERR_OK;
  if (e == ERR_OK && n != sizeof u->secret)
    e = ERR_DB_CORRUPT;
  if (e == ERR_NO_ROOM) {
    a->cfg.rng->fill(a->cfg.rng, u->secret, sizeof u->secret);
    e = store_put_secret(a->cfg.store, KEY_SECRET, u->secret, sizeof u->secret);
  }
  if (e == ERR_OK)
    ed25519_public(u->secret, u->public);
  return e;
}

enum err audit_head(struct access *a) {
  return store_head(a->cfg.store, AUDIT_STREAM, &a->audit->head.size, a->audit->head.hash);
}

/* ---- when ---- */

bool audit_checkpoint_due(const struct access *a) {
  return audit_checkpoint_next_ms(a) <= a->wall_ms;
}

int64_t audit_checkpoint_next_ms(const struct access *a) {
  const struct audit *u = a->audit;
  if (u->head.size <= u->covered)
    return INT64_MAX;
  bool many = u->head.size - u->covered >= AUDIT_CHECKPOINT_ENTRIES, back = u->checkpoint_ms > a->wall_ms;
  return many || back ? a->wall_ms : u->checkpoint_ms + AUDIT_CHECKPOINT_MS;
}

/* ---- making one ---- */

static bool write_line(int fd, const char *line) {
  char text[AUDIT_CHECKPOINT_MAX + 2], last = '\n'; /* else a full disk or a power cut tore the line before */
  off_t end = lseek(fd, 0, SEEK_END);
  if (end > 0 && pread(fd, &last, 1, end - 1) != 1)
    return false;
  int n = snprintf(text, sizeof text, "%s%s\n", last == '\n' ? "" : "\n", line);
  errno = ENOSPC; /* what a short write means */
  return write(fd, text, (size_t)n) == n && fsync(fd) == 0;
}

static void anchor(const char *path, const char *line) {
  int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
  if (fd < 0 || !write_line(fd, line))
    log_event(LOG_ERROR, "the checkpoint could not be added to the anchor file", "file", path, "why",
              strerror(errno), NULL);
  if (fd >= 0)
    close(fd);
}

void audit_checkpoint(struct access *a) {
  struct audit *u = a->audit;
  char line[AUDIT_CHECKPOINT_MAX];
  if (u->head.size == 0)
    return;
  u->last = u->head;
  memcpy(u->last.origin, u->origin, sizeof u->last.origin);
  utc_text_ms(a->wall_ms, u->last.time);
  checkpoint_sign(&u->last, u->secret);
  checkpoint_line(&u->last, line);
  audit_append(a, u->actor[0] ? u->actor : "system", "audit.checkpoint", "",
               json_pack("{s:s,s:{s:s}}", "outcome", err_code(ERR_OK), "meta", "checkpoint", line));
  u->covered = u->head.size + 1; /* its own entry calls for no other */
  u->checkpoint_ms = a->wall_ms;
  log_event(LOG_INFO, "audit checkpoint", "note", line, NULL);
  if (a->cfg.anchor_file && *a->cfg.anchor_file)
    anchor(a->cfg.anchor_file, line);
}

void audit_stop(struct access *a) {
  if (a->audit->head.size > a->audit->covered)
    audit_checkpoint(a);
}

/* ---- pruning ---- */

struct old {
  int64_t before_ms;
  uint64_t first, last;
};

/* ERR_EXISTS ends the walk: this one stays, and all after it. */
static enum err old_entry(void *ctx, const struct store_record *r) {
  struct old *o = ctx;
  if (r->ts_ms >= o->before_ms)
    return ERR_EXISTS;
  o->first = o->first ? o->first : r->seq;
  o->last = r->seq;
  return ERR_OK;
}

enum err audit_prune(struct access *a, int days, uint64_t *n) {
  struct audit *u = a->audit;
  char line[AUDIT_CHECKPOINT_MAX];
  days = days > AUDIT_DAYS_MIN ? days : AUDIT_DAYS_MIN;
  struct old o = {.before_ms = a->wall_ms - days * AUDIT_DAY_MS};
  char why[256];
  *n = 0;
  enum err e = store_replay(a->cfg.store, AUDIT_STREAM, 0, old_entry, &o);
  if ((e != ERR_OK && e != ERR_EXISTS) || o.first == 0)
    return e == ERR_EXISTS ? ERR_OK : e;
  e = store_verify_stream(a->cfg.store, AUDIT_STREAM, NULL, 0, why);
  if (e != ERR_OK) /* before anything is told that will not happen */
    return e;
  audit_checkpoint(a); /* the chain as it is before, known outside */
  checkpoint_line(&u->last, line);
  json_t *data = json_pack("{s:s,s:{s:I,s:I,s:i,s:s}}", "outcome", err_code(ERR_OK), "meta", "from",
                           (json_int_t)o.first, "to", (json_int_t)o.last, "days", days, "checkpoint", line);
  audit_append(a, u->actor[0] ? u->actor : "system", "audit.prune", "", data); /* told before it is done */
  if (a->failed != ERR_OK)
    return a->failed;
  e = store_prune(a->cfg.store, AUDIT_STREAM, o.before_ms, n);
  if (e != ERR_OK && a->failed == ERR_OK)
    a->failed = e;
  return e;
}
