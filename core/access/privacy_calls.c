/* privacy_calls.c: what operators and the persons themselves ask about stored data: show, rectify, restrict,
 * erase, legal holds, consents, metering. */
#include "core/access/privacy_private.h"
#include "core/base/text.h"
#include "core/wire/json.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HOLDS_MAX 1000
#define HOLD_DAYS_DEFAULT 90

static const char *or_empty(const char *text) {
  return text ? text : "";
}

/* ---- about one person ---- */

static enum err count_record(void *ctx, const struct store_record *r) {
  (void)r;
  ++*(json_int_t *)ctx;
  return ERR_OK;
}

static void add_stored(json_t *list, const json_t *record, json_int_t n) {
  if (n > 0)
    json_array_append_new(list, json_pack("{s:O,s:O,s:O,s:I}", "what", json_object_get(record, "category"),
                                          "why", json_object_get(record, "purpose"), "until",
                                          json_object_get(record, "retention"), "count", n));
}

/* What of each class of the list is his. */
static json_t *stored_of(struct access *a, const char *pid) {
  json_t *records = privacy_records(a), *list = json_array(), *r;
  json_int_t n = 0;
  size_t i;
  if (store_each_subject_record(a->cfg.store, pid, count_record, &n) != ERR_OK)
    n = 0; /* he has no key: nothing is his */
  json_array_foreach(records, i, r) {
    bool class = strcmp(json_str(r, "kind", ""), "class") == 0;
    if (!class) {
      add_stored(list, r, strcmp(json_str(r, "name", ""), "payload") == 0 ? n : 0);
      continue;
    }
    json_t *docs = privacy_docs(a, json_str(r, "name", ""), pid);
    add_stored(list, r, (json_int_t)json_array_size(docs));
    json_decref(docs);
  }
  json_decref(records);
  return list;
}

bool access_name(struct access *a, const char *pid, char out[TOKEN_NAME_MAX + 1]) {
  json_t *docs = privacy_docs(a, "profile", pid);
  const char *name = json_str(json_object_get(json_array_get(docs, 0), "doc"), "name", "");
  snprintf(out, TOKEN_NAME_MAX + 1, "%s", name);
  json_decref(docs);
  return out[0] != 0;
}

json_t *access_about(struct access *a, const char *pid) {
  char name[TOKEN_NAME_MAX + 1];
  const char *user = user_name(a, pid);
  (void)access_name(a, pid, name);
  return json_pack("{s:s,s:s,s:s,s:b,s:b,s:s,s:s,s:o}", "pid", pid, "user", or_empty(user), "name", name,
                   "restricted", privacy_allows(a, pid) != ERR_OK, "held", privacy_held(a, pid) != NULL,
                   "controller", or_empty(a->cfg.controller), "contact", or_empty(a->cfg.contact), "stored",
                   stored_of(a, pid));
}

static enum err show(struct access *a, const json_t *params, json_t *reply, const char **why) {
  (void)why;
  char pid[ACCESS_PID_MAX + 1];
  enum err e = privacy_subject(a, params, pid);
  if (e != ERR_OK)
    return e;
  json_t *about = access_about(a, pid);
  json_object_update(reply, about);
  json_decref(about);
  return ERR_OK;
}

static enum err rectify(struct access *a, const json_t *params, json_t *reply, const char **why) {
  (void)reply;
  char pid[ACCESS_PID_MAX + 1], name[TEXT_NAME_MAX + 1];
  const char *text = json_str(params, "name", "");
  enum err e = privacy_subject(a, params, pid);
  if (e == ERR_OK)
    e = privacy_allows(a, pid);
  if (e == ERR_OK && text_clean_name(text, strlen(text), name) != ERR_OK) {
    *why = "that cannot be a name";
    return ERR_BAD_NAME;
  }
  if (e != ERR_OK)
    return e;
  doc_put(a, "profile", pid, pid, json_pack("{s:s,s:I}", "name", name, "at_ms", (json_int_t)a->wall_ms));
  return ERR_OK;
}

static enum err restrict_(struct access *a, const json_t *params, json_t *reply, const char **why) {
  (void)reply, (void)why;
  char pid[ACCESS_PID_MAX + 1];
  bool lift = json_flag(params, "lift", false);
  enum err e = privacy_subject(a, params, pid);
  if (e == ERR_OK && lift == (privacy_allows(a, pid) == ERR_OK))
    e = ERR_NO_CHANGE;
  if (e != ERR_OK)
    return e;
  a->revision++; /* who is here leaves */
  if (lift) {
    json_object_del(a->privacy->restricted, pid);
    doc_del(a, "restriction", pid);
    return ERR_OK;
  }
  json_t *doc =
      json_pack("{s:s,s:I}", "reason", json_str(params, "reason", ""), "since_ms", (json_int_t)a->wall_ms);
  json_object_set(a->privacy->restricted, pid, doc);
  doc_put(a, "restriction", pid, pid, doc);
  return ERR_OK;
}

/* His numbers become nobody's first; then every document of his, his key, and what was sealed under it, go.
 */
static enum err erase(struct access *a, const json_t *params, json_t *reply, const char **why) {
  (void)why;
  char pid[ACCESS_PID_MAX + 1];
  enum err e = privacy_subject(a, params, pid);
  if (e == ERR_OK && privacy_held(a, pid))
    e = ERR_HELD;
  if (e != ERR_OK)
    return e;
  size_t n = visits_anonymise(a, pid);
  user_forget(a, pid);
  account_forget(a, pid);
  json_object_del(a->privacy->restricted, pid);
  a->revision++;
  if (a->failed != ERR_OK)
    return a->failed;
  e = store_erase_subject(a->cfg.store, pid);
  json_object_set_new(reply, "erased", json_string(pid));
  json_object_set_new(reply, "visits_anonymised", json_integer((json_int_t)n));
  return e;
}

/* gavelctl has written an export: here it is audited. */
static enum err exported(struct access *a, const json_t *params, json_t *reply, const char **why) {
  (void)why;
  char pid[ACCESS_PID_MAX + 1];
  enum err e = privacy_subject(a, params, pid);
  if (e != ERR_OK)
    return e;
  json_object_set_new(reply, "pid", json_string(pid));
  json_object_set_new(reply, "controller", json_string(or_empty(a->cfg.controller)));
  json_object_set_new(reply, "contact", json_string(or_empty(a->cfg.contact)));
  return ERR_OK;
}

/* ---- legal holds ---- */

static enum err hold_add(struct access *a, const json_t *params, json_t *reply, const char **why) {
  char pid[ACCESS_PID_MAX + 1], id[17];
  json_int_t span_s = json_int(params, "for", HOLD_DAYS_DEFAULT * 86400);
  const char *reason = json_str(params, "reason", "");
  enum err e = privacy_subject(a, params, pid);
  if (e == ERR_OK && (!*reason || span_s <= 0 || span_s > 3660 * INT64_C(86400))) {
    *why = "a hold has a reason and an end: --reason=TEXT --for=90d, at most ten years";
    e = ERR_BAD_ARG;
  }
  if (e == ERR_OK && json_array_size(a->privacy->holds) >= HOLDS_MAX)
    e = ERR_FULL;
  if (e != ERR_OK)
    return e;
  id_new(a, id);
  json_t *hold = json_pack("{s:s,s:s,s:I,s:I}", "pid", pid, "reason", reason, "since_ms",
                           (json_int_t)a->wall_ms, "until_ms", (json_int_t)(a->wall_ms + span_s * 1000));
  doc_put(a, "hold", id, "", json_deep_copy(hold)); /* of nobody: it outlives what it keeps */
  json_object_set_new(hold, "id", json_string(id));
  json_array_append_new(a->privacy->holds, hold);
  json_object_set_new(reply, "id", json_string(id));
  return ERR_OK;
}

static enum err hold_lift(struct access *a, const json_t *params, json_t *reply, const char **why) {
  (void)reply;
  json_t *hold;
  size_t i;
  json_array_foreach(a->privacy->holds, i,
                     hold) if (strcmp(json_str(hold, "id", ""), json_str(params, "id", "-")) == 0) {
    doc_del(a, "hold", json_str(hold, "id", ""));
    json_array_remove(a->privacy->holds, i);
    return ERR_OK;
  }
  *why = "there is no such hold: gavelctl hold list";
  return ERR_BAD_ARG;
}

static enum err hold_list(struct access *a, const json_t *params, json_t *reply, const char **why) {
  (void)params, (void)why;
  json_object_set_new(reply, "holds", json_deep_copy(a->privacy->holds));
  return ERR_OK;
}

/* ---- consents ---- */

static enum err consent_list(struct access *a, const json_t *params, json_t *reply, const char **why) {
  (void)why;
  char pid[ACCESS_PID_MAX + 1];
  bool one = json_object_get(params, "user") != NULL;
  enum err e = one ? privacy_subject(a, params, pid) : ERR_OK;
  if (e != ERR_OK)
    return e;
  json_t *docs = privacy_docs(a, "consent", one ? pid : NULL), *list = json_array(), *d;
  size_t i;
  json_array_foreach(docs, i, d) {
    json_t *row = json_pack("{s:O}", "pid", json_object_get(d, "pid"));
    json_object_update(row, json_object_get(d, "doc"));
    json_array_append_new(list, row);
  }
  json_decref(docs);
  json_object_set_new(reply, "consents", list);
  return ERR_OK;
}

static enum err consent_text(struct access *a, const json_t *params, json_t *reply, const char **why) {
  (void)params, (void)why;
  const char *version, *text = access_consent_text(a, &version);
  json_object_set_new(reply, "version", json_string(text ? version : ""));
  json_object_set_new(reply, "sha256", json_string(a->privacy->sha256));
  json_object_set_new(reply, "text", json_string(text ? text : ""));
  return ERR_OK;
}

static bool has_word(const char *text, const char *const *words) {
  for (; *words; words++)
    for (const char *p = text; *p; p++)
      if ((p == text || !isalpha((unsigned char)p[-1])) && strncasecmp(p, *words, strlen(*words)) == 0)
        return true;
  return false;
}

/* GDPR Art. 13 in the small: what for, which data, which rights. */
static enum err consent_lint(struct access *a, const json_t *params, json_t *reply, const char **why) {
  static const struct {
    const char *part, *lacks, *words[8];
  } PARTS[] = {
      {"purposes", "it does not say for what purposes", {"purpose", "in order to", "zweck", "finalit"}},
      {"data", "it does not say which data", {"data", "name", "daten", "donn"}},
      {"rights", "it does not name the rights", {"right", "withdraw", "recht", "droit"}},
  };
  const char *text = json_str(params, "file", a->cfg.consent_text);
  *why = text ? NULL : "no text is configured: [privacy] consent_file, consent_version";
  for (size_t i = 0; text && i < sizeof PARTS / sizeof PARTS[0]; i++) {
    bool has = has_word(text, PARTS[i].words);
    json_object_set_new(reply, PARTS[i].part, json_boolean(has));
    *why = has ? *why : PARTS[i].lacks;
  }
  return *why ? ERR_BAD_TEXT : ERR_OK;
}

/* ---- lists ---- */

static enum err metering(struct access *a, const json_t *params, json_t *reply, const char **why) {
  (void)why;
  json_object_set_new(reply, "metering", visits_metering(a, json_str(params, "app", NULL)));
  return ERR_OK;
}

static enum err records(struct access *a, const json_t *params, json_t *reply, const char **why) {
  (void)params, (void)why;
  json_object_set_new(reply, "records", privacy_records(a));
  return ERR_OK;
}

const struct access_method ACCESS_PRIVACY[] = {
    {"privacy.about", false, show},        {"privacy.rectify", true, rectify},
    {"privacy.restrict", true, restrict_}, {"privacy.erase", true, erase},
    {"privacy.exported", true, exported},  {"privacy.records", false, records},
    {"hold.add", true, hold_add},          {"hold.lift", true, hold_lift},
    {"hold.list", false, hold_list},       {"consent.list", false, consent_list},
    {"consent.text", false, consent_text}, {"consent.lint", false, consent_lint},
    {"metering.list", false, metering},    {NULL, false, NULL}};
