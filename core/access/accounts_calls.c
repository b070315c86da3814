/* accounts_calls.c: what gavelctl asks about accounts, sessions and devices. */
#include "core/access/accounts_private.h"

#include "core/auth/base32.h"
#include "core/base/bytes.h"
#include "core/wire/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ORDINARY_SCOPES "room:join room:speak room:chat"

static enum err need_account(const struct access *a, const json_t *params, struct account **k) {
  *k = account_by_name(a, json_str(params, "name", ""));
  return *k ? ERR_OK : ERR_NO_USER;
}

static enum err need_scopes(const json_t *params, const char *fallback, unsigned *scopes, const char **why) {
  if (scope_parse(json_str(params, "scopes", fallback), true, scopes) == ERR_OK && *scopes != 0)
    return ERR_OK;
  *why = "scopes are words with blanks between, such as " ORDINARY_SCOPES;
  return ERR_BAD_ARG;
}

static enum err need_phc(const json_t *params, const char **phc, const char **why) {
  *phc = json_str(params, "phc", "");
  if (password_phc_valid(*phc))
    return ERR_OK;
  *why = "phc has to be an argon2id record of usual strength";
  return ERR_BAD_ARG;
}

static enum err account_create(struct access *a, const json_t *params, json_t *reply, const char **why) {
  const char *name = json_str(params, "name", ""), *phc;
  unsigned scopes;
  if (!text_slug_valid(name)) {
    *why = "an account's name is made of a-z, 0-9, '.', '_' and '-'";
    return ERR_BAD_NAME;
  }
  if (account_by_name(a, name))
    return ERR_EXISTS;
  enum err e = need_phc(params, &phc, why);
  if (e == ERR_OK)
    e = need_scopes(params, ORDINARY_SCOPES, &scopes, why);
  if (e == ERR_OK && map_count(a->accounts->names) >= ACCOUNTS_MAX)
    e = ERR_FULL;
  struct account *k = e == ERR_OK ? calloc(1, sizeof *k) : NULL;
  if (!k)
    return e == ERR_OK ? ERR_NOMEM : e;
  e = user_provision(a, name, "", k->pid);
  if (e != ERR_OK) {
    free(k);
    return e;
  }
  snprintf(k->name, sizeof k->name, "%s", name);
  snprintf(k->phc, sizeof k->phc, "%s", phc);
  k->scopes = scopes;
  k->made_ms = a->wall_ms;
  account_add(a, k);
  account_put(a, k);
  json_object_set_new(reply, "pid", json_string(k->pid));
  return ERR_OK;
}

static int by_name(const void *x, const void *y) {
  const struct account *const *a = x, *const *b = y;
  return strcmp((*a)->name, (*b)->name);
}

static enum err account_list(struct access *a, const json_t *params, json_t *reply, const char **why) {
  (void)params, (void)why;
  size_t n = 0;
  struct account *k, **all = calloc(map_count(a->accounts->names) + 1, sizeof(struct account *));
  json_t *list = json_array();
  if (!all)
    return ERR_NOMEM;
  for (size_t at = 0; (k = map_next(a->accounts->names, &at));)
    all[n++] = k;
  qsort(all, n, sizeof(struct account *), by_name);
  for (size_t i = 0; i < n; i++) {
    char scopes[SCOPE_TEXT_MAX];
    scope_format(all[i]->scopes, scopes);
    json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:b,s:I,s:I}", "name", all[i]->name, "pid",
                                          all[i]->pid, "scopes", scopes, "totp", all[i]->totp,
                                          "recovery_codes", (json_int_t)all[i]->n_recovery, "sessions",
                                          (json_int_t)all[i]->n_sessions));
  }
  free(all);
  json_object_set_new(reply, "accounts", list);
  return ERR_OK;
}

/* Whoever is signed in has to do so again, under the new rule. */
static void changed(struct access *a, const struct account *k, json_t *reply) {
  account_put(a, k);
  sessions_end(a, k->pid);
  json_object_set_new(reply, "pid", json_string(k->pid));
}

static enum err account_password(struct access *a, const json_t *params, json_t *reply, const char **why) {
  struct account *k;
  const char *phc;
  enum err e = need_account(a, params, &k);
  if (e == ERR_OK)
    e = need_phc(params, &phc, why);
  if (e != ERR_OK)
    return e;
  snprintf(k->phc, sizeof k->phc, "%s", phc);
  k->tries = (struct throttle){0};
  changed(a, k, reply);
  return ERR_OK;
}

static enum err account_scopes(struct access *a, const json_t *params, json_t *reply, const char **why) {
  struct account *k;
  unsigned scopes;
  enum err e = need_account(a, params, &k);
  if (e == ERR_OK)
    e = need_scopes(params, "", &scopes, why);
  if (e != ERR_OK)
    return e;
  k->scopes = scopes;
  account_put(a, k);
  a->revision++; /* sessions never have more than their account */
  json_object_set_new(reply, "pid", json_string(k->pid));
  return ERR_OK;
}

static enum err account_remove(struct access *a, const json_t *params, json_t *reply, const char **why) {
  struct account *k;
  enum err e = need_account(a, params, &k);
  (void)why;
  if (e == ERR_OK && privacy_keeps(a, k->pid))
    e = ERR_HELD;
  if (e != ERR_OK)
    return e;
  json_t *pid = json_string(k->pid);
  account_forget(a, k->pid);
  user_forget(a, json_string_value(pid)); /* whoever is called so next is another */
  json_object_set_new(reply, "pid", pid);
  return ERR_OK;
}

static enum err account_totp(struct access *a, const json_t *params, json_t *reply, const char **why) {
  struct account *k;
  enum err e = need_account(a, params, &k);
  char uri[TOTP_URI_MAX], text[BASE32_LEN(TOTP_SECRET) + 1], code[TOTP_RECOVERY_MAX];
  json_t *codes = json_array();
  (void)why;
  if (e != ERR_OK) {
    json_decref(codes);
    return e;
  }
  a->cfg.rng->fill(a->cfg.rng, k->secret, sizeof k->secret);
  k->totp = true;
  k->last_step = 0;
  k->seconds = (struct throttle){0};
  for (k->n_recovery = 0; k->n_recovery < TOTP_RECOVERY_CODES; k->n_recovery++) {
    totp_recovery_make(a->cfg.rng, code);
    if (!totp_recovery_hash(code, k->recovery[k->n_recovery]))
      abort();
    json_array_append_new(codes, json_string(code));
  }
  base32_encode(k->secret, sizeof k->secret, text);
  totp_uri(k->secret, a->cfg.audience ? a->cfg.audience : "gavel", k->name, uri);
  json_object_set_new(reply, "uri", json_string(uri));
  json_object_set_new(reply, "secret", json_string(text));
  json_object_set_new(reply, "recovery", codes);
  changed(a, k, reply);
  explicit_bzero(uri, sizeof uri);
  explicit_bzero(text, sizeof text);
  explicit_bzero(code, sizeof code);
  return ERR_OK;
}

static enum err account_totp_off(struct access *a, const json_t *params, json_t *reply, const char **why) {
  struct account *k;
  enum err e = need_account(a, params, &k);
  (void)why;
  if (e != ERR_OK || !k->totp)
    return e != ERR_OK ? e : ERR_NO_CHANGE;
  k->totp = false;
  k->n_recovery = 0;
  explicit_bzero(k->secret, sizeof k->secret);
  changed(a, k, reply);
  return ERR_OK;
}

static enum err session_list(struct access *a, const json_t *params, json_t *reply, const char **why) {
  const char *name = json_str(params, "name", NULL);
  const struct account *only = name ? account_by_name(a, name) : NULL;
  const struct session *s;
  json_t *list = json_array();
  (void)why;
  if (name && !only) {
    json_decref(list);
    return ERR_NO_USER;
  }
  for (size_t at = 0; (s = map_next(a->accounts->ids, &at));) {
    const struct account *k = account_by_pid(a, s->pid);
    char scopes[SCOPE_TEXT_MAX];
    if (!k || (only && k != only))
      continue;
    scope_format(session_scopes(a, s), scopes);
    json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:s,s:b,s:I,s:I,s:I}", "id", s->id, "account",
                                          k->name, "client", s->client, "scopes", scopes, "mfa", s->mfa,
                                          "made_ms", (json_int_t)s->made_ms, "used_ms",
                                          (json_int_t)s->used_ms, "until_ms", (json_int_t)session_until(s)));
  }
  json_object_set_new(reply, "sessions", list);
  return ERR_OK;
}

static enum err session_revoke(struct access *a, const json_t *params, json_t *reply, const char **why) {
  const char *id = json_str(params, "id", "");
  struct session *s = strlen(id) == 16 ? map_get(a->accounts->ids, id, 16) : NULL;
  if (!s) {
    *why = "there is no such session";
    return ERR_BAD_ARG;
  }
  json_object_set_new(reply, "pid", json_string(s->pid));
  session_stop(a, s);
  return ERR_OK;
}

/* The operator vouches for the account; that a second factor was shown only its code can say. */
static enum err device_approve(struct access *a, const json_t *params, json_t *reply, const char **why) {
  struct account *k = account_by_name(a, json_str(params, "account", ""));
  const char *code = json_str(params, "totp", "");
  char plain[USER_CODE_LEN + 1];
  if (!k)
    return ERR_NO_USER;
  if (!user_code_read(json_str(params, "code", ""), plain)) {
    *why = "a code looks like BCDF-GHJK";
    return ERR_BAD_CODE;
  }
  enum err e = *code && !k->totp ? ERR_BAD_LOGIN : *code ? login_second(a, k, code, NULL) : ERR_OK;
  if (e == ERR_OK)
    e = oauth_device_decide(a, plain, k->pid, *code != 0, true);
  if (e == ERR_OK)
    json_object_set_new(reply, "pid", json_string(k->pid));
  return e;
}

const struct access_method ACCESS_ACCOUNTS[] = {
    {"account.create", true, account_create},
    {"account.list", false, account_list},
    {"account.password", true, account_password},
    {"account.scopes", true, account_scopes},
    {"account.remove", true, account_remove},
    {"account.totp", true, account_totp},
    {"account.totp_off", true, account_totp_off},
    {"session.list", false, session_list},
    {"session.revoke", true, session_revoke},
    {"device.approve", true, device_approve},
    {NULL, false, NULL},
};
