/* accounts.c: the accounts themselves: read, kept, found, forgotten. */
#include "core/access/accounts_private.h"

#include "core/base/bytes.h"
#include "core/wire/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- documents ---- */

void json_set_hex(json_t *o, const char *key, const uint8_t *v, size_t n) {
  char text[2 * 64 + 1];
  hex_encode(v, n, text);
  json_object_set_new(o, key, json_string(text));
  explicit_bzero(text, sizeof text);
}

bool json_get_hex(const json_t *o, const char *key, uint8_t *out, size_t n) {
  const char *text = json_str(o, key, "");
  return strlen(text) == 2 * n && hex_decode(text, 2 * n, out);
}

void account_put(struct access *a, const struct account *k) {
  char scopes[SCOPE_TEXT_MAX];
  scope_format(k->scopes, scopes);
  json_t *doc = json_pack("{s:s,s:s,s:s,s:I}", "name", k->name, "phc", k->phc, "scopes", scopes, "made",
                          (json_int_t)k->made_ms);
  if (k->totp) {
    json_t *codes = json_array();
    for (size_t i = 0; i < k->n_recovery; i++) {
      char hex[65];
      hex_encode(k->recovery[i], 32, hex);
      json_array_append_new(codes, json_string(hex));
    }
    json_set_hex(doc, "totp", k->secret, sizeof k->secret);
    json_object_set_new(doc, "step", json_integer((json_int_t)k->last_step));
    json_object_set_new(doc, "recovery", codes);
  }
  doc_put(a, "account", k->pid, k->pid, doc);
}

static bool read_recovery(const json_t *codes, struct account *k) {
  for (k->n_recovery = 0; k->n_recovery < json_array_size(codes); k->n_recovery++) {
    const char *hex = json_string_value(json_array_get(codes, k->n_recovery));
    if (k->n_recovery == TOTP_RECOVERY_CODES || !hex || strlen(hex) != 64 ||
        !hex_decode(hex, 64, k->recovery[k->n_recovery]))
      return false;
  }
  return true;
}

static bool read_account(const json_t *doc, struct account *k) {
  const char *name = json_str(doc, "name", ""), *phc = json_str(doc, "phc", "");
  if (!text_slug_valid(name) || !password_phc_valid(phc) ||
      scope_parse(json_str(doc, "scopes", ""), false, &k->scopes) != ERR_OK)
    return false;
  snprintf(k->name, sizeof k->name, "%s", name);
  snprintf(k->phc, sizeof k->phc, "%s", phc);
  k->made_ms = json_int(doc, "made", 0);
  k->totp = json_object_get(doc, "totp") != NULL;
  k->last_step = (uint64_t)json_int(doc, "step", 0);
  return !k->totp || (json_get_hex(doc, "totp", k->secret, sizeof k->secret) &&
                      read_recovery(json_object_get(doc, "recovery"), k));
}

static enum err load_one(void *ctx, const char *id, const char *pid, const char *text) {
  struct access *a = ctx;
  json_t *doc = NULL;
  struct account *k = calloc(1, sizeof *k);
  if (!k)
    abort();
  snprintf(k->pid, sizeof k->pid, "%s", pid);
  bool good = strcmp(id, pid) == 0 && json_parse_strict(text, strlen(text), &doc, NULL) == ERR_OK &&
              read_account(doc, k) && !account_by_name(a, k->name);
  json_decref(doc);
  if (good)
    account_add(a, k);
  else
    free(k);
  return good ? ERR_OK : ERR_DB_CORRUPT;
}

/* ---- in memory ---- */

struct account *account_by_name(const struct access *a, const char *name) {
  return text_slug_valid(name) ? map_get(a->accounts->names, name, strlen(name)) : NULL;
}

struct account *account_by_pid(const struct access *a, const char *pid) {
  size_t n = strlen(pid);
  return n > 0 && n <= ACCESS_PID_MAX ? map_get(a->accounts->pids, pid, n) : NULL;
}

void account_add(struct access *a, struct account *k) {
  map_put(a->accounts->names, k->name, strlen(k->name), k);
  map_put(a->accounts->pids, k->pid, strlen(k->pid), k);
}

static void account_free(struct account *k) {
  explicit_bzero(k, sizeof *k);
  free(k);
}

void account_forget(struct access *a, const char *pid) {
  struct account *k = account_by_pid(a, pid);
  if (!k)
    return;
  sessions_end(a, pid);
  doc_del(a, "account", k->pid);
  map_del(a->accounts->names, k->name, strlen(k->name));
  map_del(a->accounts->pids, k->pid, strlen(k->pid));
  account_free(k);
}

void accounts_note(struct access *a, const char *action, const char *pid, const char *session,
                   const uint8_t *addr, enum err outcome) {
  json_t *meta = session ? json_pack("{s:s}", "session", session) : NULL;
  struct audit_entry e = {.actor = pid ? pid : "",
                          .action = action,
                          .target = pid,
                          .app = "",
                          .room = "",
                          .outcome = outcome,
                          .addr = addr,
                          .meta = meta};
  audit_note(a, &e);
  json_decref(meta);
}

/* ---- the five doors ---- */

enum err accounts_open(struct access *a, char why[256]) {
  struct accounts *s = a->accounts = calloc(1, sizeof *s);
  if (!s)
    return ERR_NOMEM;
  struct map **maps[] = {&s->names, &s->pids, &s->ids, &s->tokens, &s->families};
  for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++)
    *maps[i] = map_create(rng_u64(a->cfg.rng));
  s->sweep_ms = INT64_MAX;
  enum err e = store_each_doc(a->cfg.store, "account", NULL, load_one, a);
  if (e != ERR_OK)
    snprintf(why, 256, "an account cannot be read: %s", err_text(e));
  return e == ERR_OK ? sessions_load(a, why) : e;
}

void accounts_wake(struct access *a, int64_t ms) {
  if (ms < a->accounts->sweep_ms)
    a->accounts->sweep_ms = ms;
}

void accounts_tick(struct access *a) {
  if (a->wall_ms < a->accounts->sweep_ms)
    return;
  int64_t session_ms = sessions_sweep(a), device_ms = devices_sweep(a);
  a->accounts->sweep_ms = session_ms < device_ms ? session_ms : device_ms;
}

int64_t accounts_next_ms(const struct access *a) {
  return a->accounts->sweep_ms;
}

static void area_free(struct accounts *s) {
  struct account *k;
  for (size_t at = 0; s->pids && (k = map_next(s->pids, &at));)
    account_free(k);
  sessions_free(s);
  struct map *maps[] = {s->names, s->pids, s->ids, s->tokens, s->families};
  for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++)
    map_destroy(maps[i]);
  explicit_bzero(s, sizeof *s);
  free(s);
}

void accounts_close(struct access *a) {
  if (a->accounts)
    area_free(a->accounts);
  a->accounts = NULL;
}

struct accounts *accounts_detach(struct access *a) {
  struct accounts *s = a->accounts;
  a->accounts = NULL;
  return s;
}

void accounts_inherit(struct access *a, struct accounts *before) {
  struct accounts *s = a->accounts;
  struct account *k, *old;
  for (size_t at = 0; (k = map_next(s->pids, &at));) {
    old = map_get(before->pids, k->pid, strlen(k->pid));
    if (old) {
      k->tries = old->tries;
      k->seconds = old->seconds;
    }
  }
  s->unknown = before->unknown;
  s->addresses = before->addresses;
  s->starts = before->starts;
  s->guesses = before->guesses;
  s->all_guesses = before->all_guesses;
  memcpy(s->held, before->held, sizeof s->held);
  area_free(before);
}
