/* privacy.c: consent, restriction and legal holds: whether a person's data may be used, must be kept, and
 * what he agreed to. */
#include "core/access/privacy_private.h"
#include "core/base/bytes.h"
#include "core/wire/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SWEEP_MS 60000

/* ---- documents ---- */

struct docs {
  const struct access *a;
  json_t *list;
  const char *before;
  size_t most;
};
static enum err take_doc(void *ctx, const char *id, const char *pid, const char *text) {
  struct docs *d = ctx;
  if (d->before && (strcmp(id, d->before) >= 0 || json_array_size(d->list) == d->most))
    return ERR_AGAIN; /* they come in order: this is the end */
  if (d->before && (privacy_held(d->a, pid) || privacy_allows(d->a, pid) != ERR_OK))
    return ERR_OK;
  json_t *doc = json_loads(text, 0, NULL);
  if (!json_is_object(doc)) {
    json_decref(doc);
    return ERR_DB_CORRUPT;
  }
  json_array_append_new(d->list, json_pack("{s:s,s:s,s:o}", "id", id, "pid", pid, "doc", doc));
  return ERR_OK;
}

static json_t *docs_of(struct access *a, const char *class, const char *pid, struct docs d) {
  enum err e = store_each_doc(a->cfg.store, class, pid, take_doc, &d);
  if (e != ERR_OK && e != ERR_AGAIN && a->failed == ERR_OK)
    a->failed = e;
  return d.list;
}

json_t *privacy_docs(struct access *a, const char *class, const char *pid) {
  return docs_of(a, class, pid, (struct docs){.a = a, .list = json_array()});
}

json_t *privacy_docs_some(struct access *a, const char *class, const char *before, size_t most) {
  return docs_of(a, class, NULL, (struct docs){a, json_array(), before, most});
}

/* ---- life ---- */

static void read_holds(struct access *a, struct privacy *p) {
  json_t *docs = privacy_docs(a, "hold", NULL), *d;
  size_t i;
  json_array_foreach(docs, i, d) {
    json_t *hold = json_deep_copy(json_object_get(d, "doc"));
    json_object_set(hold, "id", json_object_get(d, "id"));
    json_array_append_new(p->holds, hold);
  }
  json_decref(docs);
  docs = privacy_docs(a, "restriction", NULL);
  json_array_foreach(docs, i, d)
      json_object_set(p->restricted, json_str(d, "pid", ""), json_object_get(d, "doc"));
  json_decref(docs);
  docs = privacy_docs(a, "swept", NULL);
  json_array_foreach(docs, i, d) json_object_set(p->swept, json_str(d, "id", ""), json_object_get(d, "doc"));
  json_decref(docs);
}

enum err privacy_open(struct access *a, char why[256]) {
  struct privacy *p = calloc(1, sizeof *p);
  if (!p)
    return ERR_NOMEM;
  a->privacy = p;
  p->holds = json_array();
  p->restricted = json_object();
  p->swept = json_object();
  p->next_ms = a->wall_ms + FIRST_SWEEP_MS;
  if (a->cfg.consent_text) {
    uint8_t hash[32];
    sha256(a->cfg.consent_text, strlen(a->cfg.consent_text), hash);
    hex_encode(hash, sizeof hash, p->sha256);
  }
  read_holds(a, p);
  enum err e = a->failed;
  a->failed = ERR_OK;
  if (e != ERR_OK)
    snprintf(why, 256, "holds and restrictions cannot be read: %s", err_text(e));
  return e;
}

void privacy_tick(struct access *a) {
  struct privacy *p = a->privacy;
  if (a->wall_ms < p->next_ms && p->next_ms <= a->wall_ms + DAY_MS) /* else the clock went back */
    return;
  if (access_may_age(a))
    privacy_sweep(a);
  else
    p->next_ms = a->age_from_ms;
}

int64_t privacy_next_ms(const struct access *a) {
  return a->privacy->next_ms;
}

void privacy_close(struct access *a) {
  if (!a->privacy)
    return;
  json_decref(a->privacy->holds);
  json_decref(a->privacy->restricted);
  json_decref(a->privacy->swept);
  json_decref(a->privacy->queue);
  free(a->privacy);
  a->privacy = NULL;
}

/* ---- who ---- */

enum err privacy_allows(const struct access *a, const char *pid) {
  return json_object_get(a->privacy->restricted, pid) ? ERR_RESTRICTED : ERR_OK;
}

const json_t *privacy_held(const struct access *a, const char *pid) {
  const json_t *h;
  size_t i;
  json_array_foreach(a->privacy->holds, i, h) if (strcmp(json_str(h, "pid", ""), pid) == 0 &&
                                                  json_int(h, "until_ms", 0) > a->wall_ms) return h;
  return NULL;
}

const char **access_held(const struct access *a) {
  size_t n = json_array_size(a->privacy->holds), i;
  const char **list = calloc(n + 1, sizeof *list);
  const json_t *h;
  if (!list)
    abort();
  n = 0;
  json_array_foreach(a->privacy->holds, i, h) if (json_int(h, "until_ms", 0) > a->wall_ms) list[n++] =
      json_str(h, "pid", "");
  return list;
}

bool privacy_keeps(const struct access *a, const char *pid) {
  return privacy_held(a, pid) != NULL;
}

static bool is_pid(const char *s) {
  return strlen(s) == ACCESS_PID_MAX && memcmp(s, "p-", 2) == 0 &&
         strspn(s + 2, "0123456789abcdef") == ACCESS_PID_MAX - 2;
}

enum err privacy_subject(const struct access *a, const json_t *params, char pid[ACCESS_PID_MAX + 1]) {
  const char *user = json_str(params, "user", ""), *known = is_pid(user) ? user : user_pid(a, user);
  bool has = known != NULL;
  enum err e = known == user ? store_has_subject(a->cfg.store, user, &has) : ERR_OK;
  snprintf(pid, ACCESS_PID_MAX + 1, "%s", has ? known : "");
  return e != ERR_OK ? e : has ? ERR_OK : ERR_NO_USER;
}

void access_user(const struct access *a, const char *pid, char out[ACCESS_USER_MAX + 1]) {
  const char *user = user_name(a, pid);
  snprintf(out, ACCESS_USER_MAX + 1, "%s", user ? user : "");
}

enum err access_subject(const struct access *a, const char *user, char pid[ACCESS_PID_MAX + 1]) {
  json_t *params = json_pack("{s:s}", "user", user);
  enum err e = privacy_subject(a, params, pid);
  json_decref(params);
  return e == ERR_OK && privacy_held(a, pid) ? ERR_HELD : e;
}

/* ---- consent ---- */

const char *access_consent_text(const struct access *a, const char **version) {
  *version = a->cfg.consent_text ? a->cfg.consent_version : NULL;
  return a->cfg.consent_text;
}

static bool holds_good(const struct access *a, const json_t *doc) {
  return json_int(doc, "withdrawn_ms", 0) == 0 &&
         strcmp(json_str(doc, "text_version", ""), a->cfg.consent_version) == 0 &&
         strcmp(json_str(doc, "text_sha256", ""), a->privacy->sha256) == 0;
}

static bool given(struct access *a, const char *pid) {
  json_t *docs = privacy_docs(a, "consent", pid), *d;
  bool good = false;
  size_t i;
  json_array_foreach(docs, i, d) good = good || holds_good(a, json_object_get(d, "doc"));
  json_decref(docs);
  return good;
}

/* Those of who is not known yet come first, the oldest before the others: see consents_age. */
static void consent_id(struct access *a, bool known, char out[32]) {
  char chance[17], hour[12];
  id_new(a, chance);
  hour_id(a->wall_ms, hour);
  snprintf(out, 32, "%s%s%s%s", known ? "" : "-", known ? "" : hour, known ? "" : "-", chance);
}

static void record(struct access *a, const char *pid, const char *method) {
  char id[32];
  consent_id(a, user_known(a, pid), id);
  doc_put(a, "consent", id, pid,
          json_pack("{s:s,s:s,s:s,s:s,s:I,s:I}", "purpose", "join", "text_version", a->cfg.consent_version,
                    "text_sha256", a->privacy->sha256, "method", method, "at_ms", (json_int_t)a->wall_ms,
                    "withdrawn_ms", (json_int_t)0));
  audit_note(a, &(struct audit_entry){
                    .actor = pid, .action = "consent.given", .target = pid, .app = "", .room = ""});
}

enum err access_consent(struct access *a, const char *pid, const char *version, const char *method) {
  if (!a->cfg.consent_text)
    return ERR_OK;
  if (version && strcmp(version, a->cfg.consent_version) != 0) /* he read another text */
    return ERR_NEED_CONSENT;
  if (given(a, pid))
    return ERR_OK;
  if (!version)
    return ERR_NEED_CONSENT;
  record(a, pid, method);
  return ERR_OK;
}

enum err access_withdraw(struct access *a, const char *pid) {
  json_t *docs = privacy_docs(a, "consent", pid), *d;
  size_t i, n = 0;
  json_array_foreach(docs, i, d) {
    json_t *doc = json_object_get(d, "doc");
    if (json_int(doc, "withdrawn_ms", 0))
      continue;
    json_object_set_new(doc, "withdrawn_ms", json_integer((json_int_t)a->wall_ms));
    doc_put(a, "consent", json_str(d, "id", ""), pid, json_incref(doc));
    n++;
  }
  json_decref(docs);
  if (n == 0)
    return ERR_NO_CHANGE;
  audit_note(a, &(struct audit_entry){
                    .actor = pid, .action = "consent.withdrawn", .target = pid, .app = "", .room = ""});
  return ERR_OK;
}

size_t consents_age(struct access *a) {
  char before[16] = "-", id[32];
  hour_id(a->wall_ms - VISITOR_MS, before + 1);
  json_t *docs = privacy_docs_some(a, "consent", before, SWEEP_MOST), *d;
  size_t i, n = json_array_size(docs);
  json_array_foreach(docs, i, d) {
    const char *pid = json_str(d, "pid", "");
    doc_del(a, "consent", json_str(d, "id", ""));
    if (!user_known(a, pid))
      continue;
    consent_id(a, true, id);
    doc_put(a, "consent", id, pid, json_incref(json_object_get(d, "doc")));
  }
  json_decref(docs);
  return n;
}

void privacy_drop(struct access *a, const char *pid) {
  static const char *const CLASSES[] = {"consent", "profile"};
  for (size_t c = 0; c < 2; c++) {
    json_t *docs = privacy_docs(a, CLASSES[c], pid), *d;
    size_t i;
    json_array_foreach(docs, i, d) doc_del(a, CLASSES[c], json_str(d, "id", ""));
    json_decref(docs);
  }
}
