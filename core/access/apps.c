/* apps.c: applications: what they are, the rules they set, and the area as a whole. */
#include "core/access/apps_private.h"
#include "core/base/bytes.h"
#include "core/wire/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool app_name_valid(const char *name) {
  return text_slug_valid(name) && strlen(name) <= ACCESS_APP_MAX && !strpbrk(name, "._");
}

struct app *app_find(const struct access *a, const char *name) {
  return map_get(a->apps->apps, name, strlen(name));
}

size_t share_of(const struct map *pool, const char *app) {
  return *app ? (uintptr_t)map_get(pool, app, strlen(app)) : 0;
}

void share_add(struct map *pool, const char *app, int by) {
  uintptr_t n = share_of(pool, app) + (uintptr_t)by;
  if (*app && n > 0)
    map_put(pool, app, strlen(app), (void *)n); /* a number, not a place */
  else if (*app)
    map_del(pool, app, strlen(app));
}

/* ---- documents ---- */

static void app_put(struct access *a, const struct app *p) {
  doc_put(a, "app", p->name, "",
          json_pack("{s:s,s:b,s:b,s:b,s:I}", "title", p->title, "rooms", p->create_rooms, "lobby", p->lobby,
                    "mfa", p->mfa, "since", (json_int_t)p->since_ms));
}

static enum err app_read(void *ctx, const char *id, const char *pid, const char *text) {
  struct access *a = ctx;
  json_t *doc = json_loads(text, 0, NULL);
  (void)pid;
  if (!doc || !app_name_valid(id)) {
    json_decref(doc);
    return ERR_DB_CORRUPT;
  }
  struct app *p = calloc(1, sizeof *p);
  if (!p)
    abort();
  snprintf(p->name, sizeof p->name, "%s", id);
  snprintf(p->title, sizeof p->title, "%s", json_str(doc, "title", ""));
  p->create_rooms = json_flag(doc, "rooms", true);
  p->lobby = json_flag(doc, "lobby", true);
  p->mfa = json_flag(doc, "mfa", false);
  p->since_ms = json_int(doc, "since", 0);
  map_put(a->apps->apps, p->name, strlen(p->name), p);
  json_decref(doc);
  return ERR_OK;
}

enum err apps_load(struct access *a) {
  return store_each_doc(a->cfg.store, "app", NULL, app_read, a);
}

/* ---- the area ---- */

enum err apps_open(struct access *a, char why[256]) {
  static enum err (*const LOAD[])(struct access *) = {apps_load, keys_load, users_load, used_load,
                                                      addresses_load};
  struct apps *p = a->apps = calloc(1, sizeof *p);
  if (!p)
    return ERR_NOMEM;
  struct map **const maps[] = {&p->apps, &p->keys,     &p->pids,   &p->persons,
                               &p->used, &p->users_of, &p->used_of};
  for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++)
    *maps[i] = map_create(rng_u64(a->cfg.rng));
  enum err e = ERR_OK;
  for (size_t i = 0; e == ERR_OK && i < sizeof LOAD / sizeof LOAD[0]; i++)
    e = LOAD[i](a);
  if (e != ERR_OK)
    snprintf(why, 256, "applications and users cannot be read: %s", err_text(e));
  return e;
}

void apps_tick(struct access *a) {
  if (a->wall_ms < a->apps->sweep_ms)
    return;
  bool more = users_sweep(a);
  more = used_sweep(a) || more;
  a->apps->sweep_ms = a->wall_ms + (more ? 1000 : SWEEP_MS);
}

int64_t apps_next_ms(const struct access *a) {
  return map_count(a->apps->used) + map_count(a->apps->pids) > 0 ? a->apps->sweep_ms : INT64_MAX;
}

static void map_empty(struct map *m) {
  void *v;
  for (size_t at = 0; (v = map_next(m, &at));)
    free(v);
  map_destroy(m);
}

void apps_close(struct access *a) {
  struct apps *p = a->apps;
  if (!p)
    return;
  map_empty(p->apps);
  map_empty(p->keys);
  map_destroy(p->persons);
  map_empty(p->pids);
  map_empty(p->used);
  map_destroy(p->users_of);
  map_destroy(p->used_of);
  free(p->rules);
  free(p->blocks);
  free(p);
  a->apps = NULL;
}

/* ---- the rules of an application ---- */

struct app_policy access_app(const struct access *a, const char *app) {
  const struct app *p = *app ? app_find(a, app) : NULL;
  struct app_policy own = {.exists = !*app,
                           .lobby = true,
                           .hosts_need_mfa = a->cfg.hosts_need_mfa,
                           .accounts_only = a->cfg.accounts_only};
  return p ? (struct app_policy){true, p->create_rooms, p->lobby, p->mfa, own.accounts_only} : own;
}

bool access_room(const char *name, char out[64]) {
  size_t n = strlen(name);
  if (n == 0 || n > TOKEN_ROOM_MAX)
    return false;
  if (text_slug_valid(name)) {
    memcpy(out, name, n + 1);
    return true;
  }
  uint8_t hash[32];
  sha256(name, n, hash);
  out[0] = 'r';
  out[1] = '-';
  hex_encode(hash, 16, out + 2);
  return true;
}

/* ---- methods ---- */

static int by_text(const void *x, const void *y, void *key) {
  json_t *const *a = x, *const *b = y;
  return strcmp(json_str(*a, key, ""), json_str(*b, key, ""));
}

void list_reply(json_t *reply, const char *key, json_t *list, const char *by) {
  size_t n = json_array_size(list);
  json_t **rows = malloc((n + 1) * sizeof *rows), *sorted = json_array();
  char sort_key[16];
  if (!rows)
    abort();
  for (size_t i = 0; i < n; i++)
    rows[i] = json_array_get(list, i);
  snprintf(sort_key, sizeof sort_key, "%s", by);
  qsort_r(rows, n, sizeof *rows, by_text, sort_key);
  for (size_t i = 0; i < n; i++)
    json_array_append(sorted, rows[i]);
  free(rows);
  json_decref(list);
  json_object_set_new(reply, key, sorted);
}

static enum err read_rules(const json_t *params, struct app *p, const char **why) {
  const char *rooms = json_str(params, "rooms", p->create_rooms ? "join" : "made");
  const char *title = json_str(params, "title", p->title);
  char clean[TEXT_LINE_MAX + 1];
  if (strcmp(rooms, "join") != 0 && strcmp(rooms, "made") != 0) {
    *why = "rooms is join (made when the first one joins) or made (by the operator)";
    return ERR_BAD_ARG;
  }
  if (text_clean_line(title, strlen(title), clean) != ERR_OK || strlen(clean) > APP_TITLE_MAX)
    return ERR_BAD_TEXT;
  memcpy(p->title, clean, strlen(clean) + 1);
  p->create_rooms = strcmp(rooms, "join") == 0;
  p->lobby = json_flag(params, "lobby", p->lobby);
  p->mfa = json_flag(params, "mfa", p->mfa);
  return ERR_OK;
}

static enum err app_create(struct access *a, const json_t *params, json_t *reply, const char **why) {
  struct app fresh = {.create_rooms = true, .lobby = true, .since_ms = a->wall_ms};
  const char *name = json_str(params, "app", "");
  char kid[TOKEN_KID_MAX + 1], secret[KEY_TEXT_MAX];
  if (!app_name_valid(name)) {
    *why = "an application is named by up to 32 of a-z, 0-9 and -";
    return ERR_BAD_NAME;
  }
  if (app_find(a, name))
    return ERR_EXISTS;
  if (map_count(a->apps->apps) >= APPS_MAX)
    return ERR_FULL;
  enum err e = read_rules(params, &fresh, why);
  if (e == ERR_OK)
    e = key_make(a, name, kid, secret);
  if (e != ERR_OK)
    return e;
  struct app *p = malloc(sizeof *p);
  if (!p)
    abort();
  *p = fresh;
  snprintf(p->name, sizeof p->name, "%s", name);
  map_put(a->apps->apps, p->name, strlen(p->name), p);
  app_put(a, p);
  json_object_set_new(reply, "app", json_string(name));
  json_object_set_new(reply, "format", json_string(token_format_word(TOKEN_HS256)));
  json_object_set_new(reply, "kid", json_string(kid));
  json_object_set_new(reply, "key", json_string(secret));
  explicit_bzero(secret, sizeof secret);
  return ERR_OK;
}

static json_t *app_line(const struct access *a, const struct app *p) {
  struct app_key *k;
  json_int_t n = 0;
  for (size_t at = 0; (k = map_next(a->apps->keys, &at));)
    n += !k->revoked && strcmp(k->app, p->name) == 0;
  return json_pack("{s:s,s:s,s:s,s:b,s:b,s:I,s:I}", "app", p->name, "title", p->title, "rooms",
                   p->create_rooms ? "join" : "made", "lobby", p->lobby, "mfa", p->mfa, "keys", n, "since_ms",
                   (json_int_t)p->since_ms);
}

static enum err app_list(struct access *a, const json_t *params, json_t *reply, const char **why) {
  json_t *list = json_array();
  struct app *p;
  (void)params, (void)why;
  for (size_t at = 0; (p = map_next(a->apps->apps, &at));)
    json_array_append_new(list, app_line(a, p));
  list_reply(reply, "apps", list, "app");
  return ERR_OK;
}

static enum err app_show(struct access *a, const json_t *params, json_t *reply, const char **why) {
  const struct app *p = app_find(a, json_str(params, "app", ""));
  if (!p)
    return ERR_NO_APP;
  json_t *line = app_line(a, p);
  json_object_del(line, "keys"); /* they follow one by one, without what is secret of them */
  json_object_update(reply, line);
  json_decref(line);
  return key_list(a, params, reply, why);
}

static enum err app_set(struct access *a, const json_t *params, json_t *reply, const char **why) {
  struct app *p = app_find(a, json_str(params, "app", ""));
  (void)reply;
  if (!p)
    return ERR_NO_APP;
  struct app next = *p;
  enum err e = read_rules(params, &next, why);
  if (e != ERR_OK)
    return e;
  *p = next;
  app_put(a, p);
  return ERR_OK;
}

static enum err app_remove(struct access *a, const json_t *params, json_t *reply, const char **why) {
  const char *name = json_str(params, "app", "");
  struct app *p = map_del(a->apps->apps, name, strlen(name));
  (void)reply, (void)why;
  if (!p)
    return ERR_NO_APP;
  keys_forget(a, p->name);
  users_forget(a, p->name);
  rules_forget(a, p->name);
  doc_del(a, "app", p->name);
  free(p);
  a->revision++;
  return ERR_OK;
}

const struct access_method ACCESS_APPS[] = {
    {"app.create", true, app_create},     {"app.list", false, app_list},
    {"app.show", false, app_show},        {"app.set", true, app_set},
    {"app.remove", true, app_remove},     {"key.add", true, key_add},
    {"key.list", false, key_list},        {"key.retire", true, key_retire},
    {"key.revoke", true, key_revoke},     {"user.list", false, user_list},
    {"user.show", false, user_show},      {"user.revoke", true, user_revoke},
    {"token.revoke", true, token_revoke}, {"allow.add", true, allow_add},
    {"allow.list", false, allow_list},    {"allow.remove", true, allow_remove},
    {"ips.planned", false, ips_planned},  {"ips.add", true, ips_add},
    {"ips.remove", true, ips_remove},     {NULL, false, NULL}};
