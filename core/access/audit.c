/* audit.c: entries of the audit log, and what is counted instead of written. */
#include "core/access/audit_private.h"
#include "core/base/bytes.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/wire/json.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void keep(struct access *a, enum err e) {
  if (a->failed == ERR_OK)
    a->failed = e;
}

void audit_word(const char *text, char out[AUDIT_WORD_MAX]) {
  text_show(text ? text : "", false, out, AUDIT_WORD_MAX);
}

static void add(json_t *data, const char *key, const char *text) {
  char word[AUDIT_WORD_MAX];
  audit_word(text, word);
  if (*word)
    json_object_set_new(data, key, json_string(word));
}

/* Of an address the network: /24, /48. "" when it is unknown. */
static void net_of(const uint8_t *addr, char out[AUDIT_WORD_MAX]) {
  static const uint8_t V4[12] = {[10] = 0xff, [11] = 0xff}, NONE[16] = {0};
  uint8_t net[16] = {0};
  char text[INET6_ADDRSTRLEN] = "";
  out[0] = 0;
  if (!addr || memcmp(addr, NONE, sizeof NONE) == 0)
    return;
  bool v4 = memcmp(addr, V4, sizeof V4) == 0;
  memcpy(net, addr, v4 ? 15 : 6);
  if (inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? net + 12 : net, text, sizeof text))
    snprintf(out, AUDIT_WORD_MAX, "%s/%d", text, v4 ? 24 : 48);
}

void audit_append(struct access *a, const char *actor, const char *action, const char *target, json_t *data) {
  struct audit *u = a->audit;
  char *text = json_dumps(data, JSON_COMPACT | JSON_SORT_KEYS);
  if (!text)
    abort();
  struct store_record r = {.stream = AUDIT_STREAM,
                           .seq = u->seq + 1,
                           .ts_ms = a->wall_ms,
                           .actor = actor,
                           .kind = action,
                           .target = target,
                           .data = text};
  enum err e = store_append(a->cfg.store, &r);
  if (e == ERR_OK)
    u->seq++;
  keep(a, e);
  free(text);
  json_decref(data);
}

/* ---- repeats: a flood of refusals is a few lines ---- */

static void repeat_write(struct access *a, const struct repeat *r) {
  json_t *data =
      json_pack("{s:s,s:{s:I}}", "outcome", err_code(r->outcome), "meta", "repeated", (json_int_t)r->n);
  add(data, "net", r->net);
  if (r->why[0])
    json_object_set_new(json_object_get(data, "meta"), "why", json_string(r->why));
  audit_append(a, r->actor, r->action, "", data);
}

static void repeats_flush(struct access *a) {
  struct audit *u = a->audit;
  for (size_t i = 0; i < u->n_repeats;) {
    struct repeat *r = &u->repeats[i];
    if (r->until_ms > a->wall_ms &&
        r->until_ms <= a->wall_ms + AUDIT_REPEAT_MS) { /* also when the clock went back */
      i++;
      continue;
    }
    if (r->n > 0)
      repeat_write(a, r);
    *r = u->repeats[--u->n_repeats];
  }
  if (u->others.n > 0 && u->others.until_ms <= a->wall_ms) {
    repeat_write(a, &u->others);
    u->others.n = 0;
  }
}

static int64_t repeats_next_ms(const struct audit *u) {
  int64_t next = u->others.n ? u->others.until_ms : INT64_MAX;
  for (size_t i = 0; i < u->n_repeats; i++) /* what did not come again has nothing to say */
    if (u->repeats[i].n > 0 && u->repeats[i].until_ms < next)
      next = u->repeats[i].until_ms;
  return next;
}

static void repeat_key(struct repeat *r) {
  char all[5 * AUDIT_WORD_MAX];
  uint8_t hash[32];
  int n =
      snprintf(all, sizeof all, "%s\n%s\n%s\n%s\n%d", r->action, r->actor, r->net, r->why, (int)r->outcome);
  sha256(all, (size_t)n, hash);
  memcpy(r->key, hash, sizeof r->key);
}

static bool counted(struct audit *u, const struct repeat *r) {
  for (size_t i = 0; i < u->n_repeats; i++)
    if (memcmp(u->repeats[i].key, r->key, sizeof r->key) == 0) {
      u->repeats[i].n++;
      return true;
    }
  return false;
}

/* As many lines have begun in this minute as one network may. */
static bool has_share(const struct audit *u, const char *net) {
  size_t n = 0;
  for (size_t i = 0; i < u->n_repeats; i++)
    n += strcmp(u->repeats[i].net, net) == 0;
  return n >= AUDIT_REPEATS_NET;
}

/* Is it one that was refused just before? Then it is only counted. */
static bool repeated(struct access *a, const char *actor, const char *net, const struct audit_entry *e) {
  struct audit *u = a->audit;
  struct repeat r = {.until_ms = a->wall_ms + AUDIT_REPEAT_MS, .outcome = e->outcome};
  audit_word(e->action, r.action);
  audit_word(actor, r.actor);
  audit_word(net, r.net);
  audit_word(json_str(e->meta, "why", ""), r.why);
  repeat_key(&r);
  if (counted(u, &r))
    return true;
  bool beyond = has_share(u, r.net);
  if (beyond) { /* the rest of what comes from there is one line */
    r = (struct repeat){.until_ms = r.until_ms, .n = 1, .outcome = ERR_RATE};
    audit_word("refused.others", r.action);
    audit_word("stranger", r.actor);
    audit_word(net, r.net);
    repeat_key(&r);
    if (counted(u, &r))
      return true;
  }
  if (u->n_repeats == AUDIT_REPEATS) {
    if (u->others.n++ == 0)
      u->others.until_ms = r.until_ms;
    return true;
  }
  u->repeats[u->n_repeats++] = r;
  return beyond;
}

/* ---- entries ---- */

/* One word, so that a line of it has no more columns than it should. */
static void one_word(const char *text, char out[AUDIT_WORD_MAX]) {
  audit_word(text, out);
  for (; *out; out++)
    *out = *out == ' ' ? '_' : *out;
}

void audit_serve(struct access *a, const char *actor, const char *ticket) {
  one_word(actor, a->audit->actor);
  one_word(ticket, a->audit->ticket);
}

bool audit_serving(const struct access *a) {
  return a->audit->actor[0] != 0;
}

/* What an operator or the server itself does is never only counted. */
static bool accountable(const char *actor) {
  return strncmp(actor, "operator", 8) == 0 || strcmp(actor, "system") == 0;
}

void audit_note(struct access *a, const struct audit_entry *e) {
  struct audit *u = a->audit;
  char actor[AUDIT_WORD_MAX], target[AUDIT_WORD_MAX], action[AUDIT_WORD_MAX], net[AUDIT_WORD_MAX];
  audit_word(e->actor && *e->actor ? e->actor : *u->actor ? u->actor : "system", actor);
  audit_word(e->action, action);
  audit_word(e->target, target);
  net_of(e->addr, net);
  if (e->outcome != ERR_OK && !accountable(actor) && repeated(a, actor, net, e))
    return;
  json_t *data = json_pack("{s:s}", "outcome", err_code(e->outcome));
  add(data, "app", e->app);
  if (e->room && text_slug_valid(e->room))
    json_object_set_new(data, "room", json_string(e->room));
  add(data, "net", net);
  add(data, "ticket", e->ticket ? e->ticket : u->ticket);
  if (json_object_size(e->meta))
    json_object_set_new(data, "meta", json_deep_copy(e->meta));
  audit_append(a, actor, action, target, data);
}

void audit_refusal(struct access *a, const char *action, const char *app, const char *room,
                   const char *target, const char *why, const uint8_t *addr, enum err e) {
  char word[AUDIT_WORD_MAX];
  audit_word(why, word);
  json_t *meta = *word ? json_pack("{s:s}", "why", word) : NULL;
  struct audit_entry entry = {.actor = a->audit->actor[0] ? NULL : "stranger",
                              .action = action,
                              .target = target,
                              .app = app,
                              .room = room,
                              .outcome = e,
                              .addr = addr,
                              .meta = meta};
  audit_note(a, &entry);
  json_decref(meta);
}

/* ---- doors ---- */

static enum err take_time(void *ctx, const struct store_record *r) {
  *(int64_t *)ctx = r->ts_ms;
  return ERR_OK;
}

/* Is the log still the one that the anchor file knows? What is wrong is written down, and the server goes on:
 * it must not be stopped by who tampers with a log. */
static void check_anchors(struct access *a) {
  struct audit_anchors known = {.key = a->audit->public};
  const char *path = a->cfg.anchor_file;
  char why[256] = "";
  if (path && *path && !audit_anchor_file(&known, path) && errno != ENOENT)
    log_event(LOG_ERROR, "the anchor file cannot be read", "file", path, "why", strerror(errno), NULL);
  enum err e = audit_verify(a->cfg.store, &known, why);
  if (known.torn > 0)
    log_event(LOG_WARN, "lines of the anchor file are no checkpoints", "lines",
              log_int((long long)known.torn), NULL);
  free(known.v);
  if (e == ERR_OK)
    return;
  log_event(LOG_ERROR, "the audit log is not what was written", "code", err_code(e), "why", why, NULL);
  audit_note(a, &(struct audit_entry){.actor = "system", .action = "audit.verify", .outcome = e});
}

enum err audit_open(struct access *a, char why[256]) {
  struct audit *u = calloc(1, sizeof *u);
  struct repeat *repeats = calloc(AUDIT_REPEATS, sizeof *repeats);
  if (!u || !repeats) {
    free(u);
    free(repeats);
    return ERR_NOMEM;
  }
  a->audit = u;
  u->repeats = repeats;
  u->others = (struct repeat){.action = "refused.others", .actor = "stranger", .outcome = ERR_RATE};
  u->prune_ms = a->wall_ms + AUDIT_REPEAT_MS; /* not at once: after a lost group that would lose the next */
  u->checkpoint_ms = a->wall_ms;
  audit_origin(a->cfg.audience && *a->cfg.audience ? a->cfg.audience : "gavel", u->origin);
  enum err e = audit_head(a);
  u->seq = u->covered = u->head.size;
  if (e == ERR_OK && u->seq > 0) {
    int64_t last_ms = a->wall_ms;
    e = store_replay(a->cfg.store, AUDIT_STREAM, u->seq - 1, take_time, &last_ms);
    access_clock(a, last_ms);
  }
  if (e == ERR_OK)
    e = audit_key_open(a);
  if (e != ERR_OK)
    snprintf(why, 256, "the audit log cannot be read: %s", err_text(e));
  return e;
}

/* Daily: a failure is a line in the log, and the next day's. */
static void prune_daily(struct access *a) {
  uint64_t n = 0;
  a->audit->prune_ms = a->wall_ms + AUDIT_DAY_MS;
  if (!access_may_age(a))
    return;
  enum err e = audit_prune(a, a->cfg.audit_days, &n);
  if (e != ERR_OK)
    log_event(LOG_ERROR, "the audit log could not be pruned", "code", err_code(e), NULL);
}

void audit_start(struct access *a) {
  if (a->audit->begun)
    check_anchors(a);
}

/* What was deleted and a reader kept in the write-ahead log. */
static void fold(struct access *a) {
  struct audit *u = a->audit;
  if (!store_fold_due(a->cfg.store) || (u->fold_ms > a->wall_ms && u->fold_ms <= a->wall_ms + AUDIT_FOLD_MS))
    return;
  store_fold(a->cfg.store);
  u->fold_ms = a->wall_ms + AUDIT_FOLD_MS;
}

void audit_tick(struct access *a) {
  struct audit *u = a->audit;
  fold(a);
  enum err e = store_pending(a->cfg.store) == 0 && u->seq != u->head.size ? audit_head(a) : ERR_OK;
  keep(a, e);
  repeats_flush(a);
  if (audit_checkpoint_due(a))
    audit_checkpoint(a);
  if (u->prune_ms <= a->wall_ms || u->prune_ms > a->wall_ms + AUDIT_DAY_MS)
    prune_daily(a);
}

int64_t audit_next_ms(const struct access *a) {
  int64_t next = repeats_next_ms(a->audit), checkpoint = audit_checkpoint_next_ms(a);
  next = checkpoint < next ? checkpoint : next;
  if (store_fold_due(a->cfg.store) && a->audit->fold_ms < next)
    next = a->audit->fold_ms;
  return a->audit->prune_ms < next ? a->audit->prune_ms : next;
}

void audit_close(struct access *a) {
  if (!a->audit)
    return;
  OPENSSL_cleanse(a->audit->secret, sizeof a->audit->secret);
  free(a->audit->repeats);
  free(a->audit);
  a->audit = NULL;
}
