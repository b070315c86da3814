/* users.c: the people applications send, by name or by device, each under a pseudonym of his own. */
#include "core/access/apps_private.h"
#include "core/base/bytes.h"
#include "core/wire/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LISTED_MOST 10000 /* users in one answer */
#define SWEEP_MOST 128
#define DAY_MS INT64_C(86400000)

static const uint8_t NO_DEVICE[16];

struct person *person_by_pid(const struct access *a, const char *pid) {
  return map_get(a->apps->pids, pid, strlen(pid));
}

/* By what he is found again: his name, or his device within an application. */
static void key_of(const char *user, const char *app, const uint8_t device[16], uint8_t out[32]) {
  char text[ACCESS_USER_MAX + ACCESS_APP_MAX + 48], hex[33];
  hex_encode(device, 16, hex);
  int n = *user ? snprintf(text, sizeof text, "user %s", user)
                : snprintf(text, sizeof text, "device %s %s", hex, app);
  sha256(text, (size_t)n, out);
}

struct person *person_find(const struct access *a, const char *user, const char *app,
                           const uint8_t device[16]) {
  uint8_t key[32];
  key_of(user, app, device, key);
  return map_get(a->apps->persons, key, sizeof key);
}

enum err user_format(const char *name, const char *app, char out[ACCESS_USER_MAX + 1]) {
  size_t n = strlen(name);
  if (n == 0 || n > TOKEN_SUBJECT_MAX || !text_utf8_valid(name, n) || (!*app && strchr(name, '@')))
    return ERR_BAD_NAME; /* a name of our own must not look like one of an application */
  for (size_t i = 0; i < n; i++)
    if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
      return ERR_BAD_NAME;
  snprintf(out, ACCESS_USER_MAX + 1, "%s%s%s", name, *app ? "@" : "", app);
  return ERR_OK;
}

struct person *person_keep(struct access *a, const char *pid, const char *user, const char *app,
                           const uint8_t device[16]) {
  struct apps *all = a->apps;
  size_t users = map_count(all->pids) - all->n_guests;
  uint8_t key[32];
  if (*user ? users >= APP_USERS_MAX || share_of(all->users_of, app) >= APP_USERS_MAX / 2
            : all->n_guests >= APP_GUESTS_MAX)
    return NULL;
  struct person *p = calloc(1, sizeof *p);
  if (!p)
    abort();
  snprintf(p->pid, sizeof p->pid, "%s", pid);
  snprintf(p->user, sizeof p->user, "%s", user);
  snprintf(p->app, sizeof p->app, "%s", app);
  memcpy(p->device, device, sizeof p->device);
  p->since_ms = p->seen_ms = a->wall_ms;
  key_of(user, app, device, key);
  map_put(all->pids, p->pid, strlen(p->pid), p);
  map_put(all->persons, key, sizeof key, p);
  all->n_guests += !*user;
  if (*user)
    share_add(all->users_of, app, 1);
  return p;
}

static void person_drop(struct access *a, struct person *p) {
  uint8_t key[32];
  key_of(p->user, p->app, p->device, key);
  map_del(a->apps->persons, key, sizeof key);
  map_del(a->apps->pids, p->pid, strlen(p->pid));
  a->apps->n_guests -= !p->user[0];
  if (p->user[0])
    share_add(a->apps->users_of, p->app, -1);
  doc_del(a, "user", p->pid);
  free(p);
}

/* ---- documents ---- */

void person_put(struct access *a, const struct person *p) {
  char device[33];
  hex_encode(p->device, sizeof p->device, device);
  doc_put(a, "user", p->pid, p->pid,
          json_pack("{s:s,s:s,s:s,s:I,s:I,s:I,s:s,s:s}", "user", p->user, "app", p->app, "device", device,
                    "since", (json_int_t)p->since_ms, "seen", (json_int_t)p->seen_ms, "epoch",
                    (json_int_t)p->epoch_s, "kid", p->kid, "jti", p->jti));
}

static enum err person_read(void *ctx, const char *id, const char *pid, const char *text) {
  json_t *doc = json_loads(text, 0, NULL);
  uint8_t device[16];
  const char *hex = json_str(doc, "device", "");
  (void)pid;
  bool ok = strlen(hex) == 32 && hex_decode(hex, 32, device) && strlen(id) <= ACCESS_PID_MAX;
  struct person *p =
      ok ? person_keep(ctx, id, json_str(doc, "user", ""), json_str(doc, "app", ""), device) : NULL;
  if (p) {
    p->since_ms = json_int(doc, "since", 0);
    p->seen_ms = json_int(doc, "seen", 0);
    p->epoch_s = json_int(doc, "epoch", 0);
    snprintf(p->kid, sizeof p->kid, "%s", json_str(doc, "kid", ""));
    snprintf(p->jti, sizeof p->jti, "%s", json_str(doc, "jti", ""));
  }
  json_decref(doc);
  return p ? ERR_OK : ERR_DB_CORRUPT;
}

enum err users_load(struct access *a) {
  return store_each_doc(a->cfg.store, "user", NULL, person_read, a);
}

/* Drops up to `most` of those for whom `gone` holds; whether it may be that more are left. */
static bool drop_some(struct access *a,
                      bool (*gone)(const struct access *, const struct person *, const char *),
                      const char *app, size_t most) {
  struct person *p, *list[SWEEP_MOST];
  size_t n = 0;
  for (size_t at = 0; n < most && (p = map_next(a->apps->pids, &at));)
    if (gone(a, p, app))
      list[n++] = p;
  for (size_t i = 0; i < n; i++) {
    privacy_drop(a, list[i]->pid);
    person_drop(a, list[i]);
  }
  return n == most;
}

/* Devices that do not come any more, the users of tokens that name nobody (each of those is a new one), and
 * those whom a hold kept when their application went. */
static bool is_forgotten(const struct access *a, const struct person *p, const char *app) {
  bool nameless = strncmp(p->user, TOKEN_NAMELESS, strlen(TOKEN_NAMELESS)) == 0 && !p->epoch_s;
  int64_t away_ms = a->wall_ms - p->seen_ms;
  (void)app;
  bool old = (!p->user[0] && away_ms > GUEST_KEPT_MS) || (nameless && away_ms > NAMELESS_KEPT_MS) ||
             (p->app[0] && !app_find(a, p->app));
  return old && !privacy_keeps(a, p->pid) && privacy_allows(a, p->pid) == ERR_OK;
}

static bool is_of(const struct access *a, const struct person *p, const char *app) {
  return strcmp(p->app, app) == 0 && !privacy_keeps(a, p->pid) && privacy_allows(a, p->pid) == ERR_OK;
}

bool users_sweep(struct access *a) {
  return drop_some(a, is_forgotten, NULL, SWEEP_MOST);
}

void users_forget(struct access *a, const char *app) {
  while (drop_some(a, is_of, app, SWEEP_MOST)) {
  }
}

/* ---- for the other areas ---- */

enum err user_provision(struct access *a, const char *name, const char *app, char pid[ACCESS_PID_MAX + 1]) {
  char user[ACCESS_USER_MAX + 1];
  enum err e = user_format(name, app, user);
  if (e != ERR_OK)
    return e;
  struct person *p = person_find(a, user, app, NO_DEVICE);
  if (!p) {
    char fresh[ACCESS_PID_MAX + 1];
    pid_new(a, fresh);
    p = person_keep(a, fresh, user, app, NO_DEVICE);
    if (!p)
      return ERR_FULL;
    person_put(a, p);
  }
  memcpy(pid, p->pid, sizeof p->pid);
  return privacy_allows(a, pid);
}

const char *user_pid(const struct access *a, const char *user_at_app) {
  const struct person *p = person_find(a, user_at_app, "", NO_DEVICE);
  return *user_at_app && p ? p->pid : NULL;
}

const char *user_name(const struct access *a, const char *pid) {
  const struct person *p = person_by_pid(a, pid);
  return p && p->user[0] ? p->user : NULL;
}

bool user_known(const struct access *a, const char *pid) {
  return person_by_pid(a, pid) != NULL;
}

bool user_revoked(const struct access *a, const char *pid, int64_t made_s) {
  const struct person *p = person_by_pid(a, pid);
  return p && p->epoch_s && made_s <= p->epoch_s - TOKEN_LEEWAY_S;
}

void user_forget(struct access *a, const char *pid) {
  struct person *p = person_by_pid(a, pid);
  if (p)
    person_drop(a, p);
  a->revision++;
}

/* ---- methods ---- */

static json_t *user_line(const struct person *p) {
  return json_pack("{s:s,s:s,s:I,s:I,s:I}", "user", p->user, "pid", p->pid, "since_ms",
                   (json_int_t)p->since_ms, "seen_ms", (json_int_t)(p->seen_ms / DAY_MS * DAY_MS),
                   "revoked_ms", (json_int_t)p->epoch_s * 1000);
}

enum err user_list(struct access *a, const json_t *params, json_t *reply, const char **why) {
  const char *app = json_str(params, "app", "");
  struct person *p;
  (void)why;
  if (*app && !app_find(a, app))
    return ERR_NO_APP;
  json_t *list = json_array();
  json_int_t more = 0;
  for (size_t at = 0; (p = map_next(a->apps->pids, &at));) {
    if (!p->user[0] || (*app && strcmp(p->app, app) != 0))
      continue;
    if (json_array_size(list) < LISTED_MOST)
      json_array_append_new(list, user_line(p));
    else
      more++;
  }
  if (more)
    json_object_set_new(reply, "more", json_integer(more));
  list_reply(reply, "users", list, "user");
  return ERR_OK;
}

static struct person *user_named(const struct access *a, const json_t *params) {
  const char *user = json_str(params, "user", "");
  return *user ? person_find(a, user, "", NO_DEVICE) : NULL;
}

enum err user_show(struct access *a, const json_t *params, json_t *reply, const char **why) {
  const struct person *p = user_named(a, params);
  (void)why;
  if (!p)
    return ERR_NO_USER;
  json_t *line = user_line(p);
  json_object_update(reply, line);
  json_decref(line);
  json_object_set_new(reply, "kid", json_string(p->kid));
  return ERR_OK;
}

enum err user_revoke(struct access *a, const json_t *params, json_t *reply, const char **why) {
  struct person *p = user_named(a, params);
  (void)reply, (void)why;
  if (!p)
    return ERR_NO_USER;
  p->epoch_s = a->wall_ms / 1000 + TOKEN_LEEWAY_S; /* those of a clock that is ahead are dead too */
  person_put(a, p);
  sessions_end(a, p->pid);
  a->revision++;
  return ERR_OK;
}
