/* access.c: the areas together: open, reload, tick, close, and the dispatch of gavelctl's methods. */
#include "core/access/access_private.h"
#include "core/access/accounts_private.h"
#include "core/access/audit_private.h"
#include "core/base/addr.h"
#include "core/base/bytes.h"
#include "core/base/log.h"
#include "core/wire/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum err open_areas(struct access *a, char why[256]) {
  enum err e = ERR_OK;
#define X(area)                                                                                              \
  if (e == ERR_OK)                                                                                           \
    e = area##_open(a, why);
  ACCESS_AREAS(X)
#undef X
  return e;
}

static void close_areas(struct access *a) {
#define X(area) area##_close(a);
  ACCESS_AREAS(X)
#undef X
}

enum err access_open(const struct access_config *c, int64_t wall_ms, struct access **out, char why[256]) {
  struct access *a = calloc(1, sizeof *a);
  if (!a)
    return ERR_NOMEM;
  a->cfg = *c;
  a->wall_ms = wall_ms;
  why[0] = 0;
  enum err e = open_areas(a, why);
  if (e != ERR_OK) {
    if (!why[0])
      snprintf(why, 256, "who may enter cannot be read: %s", err_text(e));
    access_close(a);
    return e;
  }
  audit_start(a);
  *out = a;
  return ERR_OK;
}

static _Noreturn void unreadable(const char *why) {
  log_event(LOG_ERROR, "who may enter cannot be read", "why", why,
            NULL); /* nobody may enter by a stale rule */
  abort();
}

void access_reload(struct access *a) {
  char why[256] = "";
  a->failed = ERR_OK;
  if (!a->pending) { /* most groups: only the audit log has lost something */
    audit_close(a);
    if (audit_open(a, why) != ERR_OK)
      unreadable(why);
    return;
  }
  struct accounts *before = accounts_detach(a);
  close_areas(a);
  a->pending = false;
  a->revision++;
  if (open_areas(a, why) != ERR_OK)
    unreadable(why);
  accounts_inherit(a, before);
}

void access_kept(struct access *a) {
  a->pending = false;
}

const struct monitor_rules *access_monitor_rules(const struct access *a) {
  return &a->cfg.monitor;
}

void access_configure(struct access *a, const struct access_config *c) {
  struct access_config now = *c;
  now.store = a->cfg.store;
  now.rng = a->cfg.rng;
  now.audience = a->cfg.audience;
  a->cfg = now;
  a->revision++;
  if (a->failed != ERR_OK) { /* the group is lost: everything will be read again */
    a->pending = true;
    return;
  }
  char why[256] = "";
  privacy_close(a); /* it keeps the digest of the text */
  if (privacy_open(a, why) != ERR_OK)
    unreadable(why);
}

void access_clock(struct access *a, int64_t last_ms) {
  if (a->wall_ms - last_ms > AUDIT_DAY_MS) {
    a->age_from_ms = a->wall_ms + AUDIT_DAY_MS;
    log_event(LOG_WARN, "the clock is far ahead of the last time known: for a day nothing goes for its age",
              "hours", log_int((a->wall_ms - last_ms) / 3600000), NULL);
  } else if (a->age_from_ms > a->wall_ms + AUDIT_DAY_MS) /* and it was set right */
    a->age_from_ms = a->wall_ms + AUDIT_DAY_MS;
}

bool access_may_age(const struct access *a) {
  return a->wall_ms >= a->age_from_ms;
}

void access_tick(struct access *a, int64_t wall_ms) {
  int64_t before = a->wall_ms;
  a->wall_ms = wall_ms;
  access_clock(a, before);
#define X(area) area##_tick(a);
  ACCESS_AREAS(X)
#undef X
}

int64_t access_next_ms(const struct access *a) {
  int64_t next = INT64_MAX, due;
#define X(area)                                                                                              \
  due = area##_next_ms(a);                                                                                   \
  next = due < next ? due : next;
  ACCESS_AREAS(X)
#undef X
  return next;
}

enum err access_error(struct access *a) {
  enum err e = a->failed;
  a->failed = ERR_OK;
  return e;
}

uint64_t access_revision(const struct access *a) {
  return a->revision;
}

void access_close(struct access *a) {
  if (!a)
    return;
  close_areas(a);
  free(a);
}

/* ---- documents ---- */

static void keep(struct access *a, enum err e) {
  if (a->failed == ERR_OK)
    a->failed = e;
}

void doc_put(struct access *a, const char *class, const char *id, const char *pid, json_t *doc) {
  char *text = json_dumps(doc, JSON_COMPACT | JSON_SORT_KEYS);
  if (!text)
    abort();
  a->pending = true;
  keep(a, store_put_doc(a->cfg.store, class, id, pid, text));
  explicit_bzero(text, strlen(text));
  free(text);
  json_decref(doc);
}

void doc_del(struct access *a, const char *class, const char *id) {
  a->pending = true;
  keep(a, store_del_doc(a->cfg.store, class, id));
}

void id_new(struct access *a, char out[17]) {
  uint8_t raw[8];
  a->cfg.rng->fill(a->cfg.rng, raw, sizeof raw);
  hex_encode(raw, sizeof raw, out);
}

void pid_new(struct access *a, char out[ACCESS_PID_MAX + 1]) {
  out[0] = 'p';
  out[1] = '-';
  id_new(a, out + 2);
}

/* ---- what operators ask ---- */

/* Whom a call is about: a user, or an account. Never his name: his pseudonym. */
static bool about(const struct access *a, const char *method, const json_t *params,
                  char pid[ACCESS_PID_MAX + 1]) {
  const char *user = json_str(params, "user", NULL);
  const struct account *k =
      strncmp(method, "account.", 8) == 0 ? account_by_name(a, json_str(params, "name", "")) : NULL;
  if (k)
    snprintf(pid, ACCESS_PID_MAX + 1, "%s", k->pid);
  return k || (user && access_subject(a, user, pid) != ERR_NO_USER);
}

/* The words of a call that name no person and are no secret; a block of addresses no narrower than `net`. */
static json_t *words_of(const json_t *params) {
  static const char *const KEYS[] = {"where", "class", "from",  "force", "format", "issuer", "scopes",
                                     "ttl",   "after", "rooms", "lobby", "mfa",    "id",     "days"};
  char word[AUDIT_WORD_MAX], block[CIDR_TEXT_MAX];
  json_t *meta = json_object();
  struct cidr c;
  bool alone;
  for (size_t i = 0; i < sizeof KEYS / sizeof KEYS[0]; i++) {
    json_t *v = json_object_get(params, KEYS[i]);
    if (json_is_string(v)) {
      audit_word(json_string_value(v), word);
      json_object_set_new(meta, KEYS[i], json_string(word));
    } else if (json_is_integer(v) || json_is_boolean(v))
      json_object_set(meta, KEYS[i], v);
  }
  if (cidr_read(json_str(params, "cidr", ""), &c, &alone)) {
    unsigned most = addr_is_v4(c.addr) ? 96 + 24 : 48;
    c = cidr_make(c.addr, c.bits < most ? c.bits : most);
    cidr_text(&c, block);
    json_object_set_new(meta, "cidr", json_string(block));
  }
  return meta;
}

static enum err run(struct access *a, const struct access_method *m, const char *actor, const json_t *params,
                    json_t *reply, const char **why) {
  char pid[ACCESS_PID_MAX + 1] = "";
  bool whom = about(a, m->name, params, pid); /* before it runs: an erased one is not found any more */
  enum err e = m->run(a, params, reply, why);
  whom = whom || about(a, m->name, params, pid); /* who is new */
  json_t *meta = words_of(params);
  struct audit_entry entry = {.actor = actor,
                              .action = m->name,
                              .target = whom ? pid : json_str(params, "kid", json_str(reply, "kid", NULL)),
                              .app = json_str(params, "app", ""),
                              .room = json_str(params, "room", ""),
                              .outcome = e,
                              .meta = meta};
  if (m->changes)
    audit_note(a, &entry);
  json_decref(meta);
  return e;
}

enum err access_call(struct access *a, const char *actor, const char *method, const json_t *params,
                     json_t *reply, const char **why) {
  static const struct access_method *const TABLES[] = {ACCESS_APPS, ACCESS_ACCOUNTS, ACCESS_AUDIT,
                                                       ACCESS_PRIVACY};
  for (size_t t = 0; t < sizeof TABLES / sizeof TABLES[0]; t++)
    for (const struct access_method *m = TABLES[t]; m->name; m++)
      if (strcmp(m->name, method) == 0)
        return run(a, m, actor, params, reply, why);
  return ERR_BAD_METHOD;
}
