/* addresses.c: from which addresses one may enter, and which blocks of our own are announced for later. */
#include "core/access/apps_private.h"
#include "core/base/utc.h"
#include "core/wire/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANNOUNCED_MS (INT64_C(90) * 24 * 3600000)

static void *grow(void *list, size_t n, size_t size) {
  list = realloc(list, (n + 1) * size);
  if (!list)
    abort();
  return list;
}

/* The block that the params name, in its one spelling. */
static bool read_cidr(const json_t *params, struct cidr *block, char text[CIDR_TEXT_MAX], const char **why) {
  bool alone;
  if (!cidr_read(json_str(params, "cidr", ""), block, &alone)) {
    *why = "a block of addresses is like 192.0.2.0/24 or 2001:db8::/32";
    return false;
  }
  cidr_text(block, text);
  return true;
}

/* ---- who may enter ---- */

/* Rules of one place: none at all is no rule; else one has to hold. */
static bool permits(const struct access *a, const char *app, const char *room, const uint8_t addr[16]) {
  bool any = false;
  for (size_t i = 0; i < a->apps->n_rules; i++) {
    const struct rule *r = &a->apps->rules[i];
    if (strcmp(r->app, app) != 0 || strcmp(r->room, room) != 0)
      continue;
    if (cidr_holds(&r->block, addr))
      return true;
    any = true;
  }
  return !any;
}

enum err access_address(const struct access *a, const char *app, const char *room, const uint8_t addr[16]) {
  bool ok = permits(a, app, "", addr) && (!*room || permits(a, app, room, addr));
  return ok ? ERR_OK : ERR_ADDRESS;
}

/* ---- documents ---- */

static enum err rule_read(void *ctx, const char *id, const char *pid, const char *text) {
  struct apps *all = ((struct access *)ctx)->apps;
  json_t *doc = json_loads(text, 0, NULL);
  struct rule r = {0};
  bool alone;
  (void)pid;
  snprintf(r.id, sizeof r.id, "%s", id);
  snprintf(r.app, sizeof r.app, "%s", json_str(doc, "app", ""));
  snprintf(r.room, sizeof r.room, "%s", json_str(doc, "room", ""));
  snprintf(r.cidr, sizeof r.cidr, "%s", json_str(doc, "cidr", ""));
  json_decref(doc);
  if (!cidr_read(r.cidr, &r.block, &alone))
    return ERR_DB_CORRUPT;
  all->rules = grow(all->rules, all->n_rules, sizeof r);
  all->rules[all->n_rules++] = r;
  return ERR_OK;
}

static enum err block_read(void *ctx, const char *id, const char *pid, const char *text) {
  struct apps *all = ((struct access *)ctx)->apps;
  json_t *doc = json_loads(text, 0, NULL);
  struct block b = {.gone = json_flag(doc, "gone", false), .from_ms = json_int(doc, "from", 0)};
  (void)pid;
  snprintf(b.id, sizeof b.id, "%s", id);
  snprintf(b.cidr, sizeof b.cidr, "%s", json_str(doc, "cidr", ""));
  snprintf(b.class, sizeof b.class, "%s", json_str(doc, "class", ""));
  json_decref(doc);
  all->blocks = grow(all->blocks, all->n_blocks, sizeof b);
  all->blocks[all->n_blocks++] = b;
  return ERR_OK;
}

enum err addresses_load(struct access *a) {
  enum err e = store_each_doc(a->cfg.store, "allow", NULL, rule_read, a);
  return e == ERR_OK ? store_each_doc(a->cfg.store, "ips", NULL, block_read, a) : e;
}

static void rule_drop(struct access *a, size_t i) {
  struct apps *all = a->apps;
  doc_del(a, "allow", all->rules[i].id);
  memmove(&all->rules[i], &all->rules[i + 1], (--all->n_rules - i) * sizeof all->rules[0]);
}

void rules_forget(struct access *a, const char *app) {
  for (size_t i = a->apps->n_rules; i-- > 0;)
    if (strcmp(a->apps->rules[i].app, app) == 0)
      rule_drop(a, i);
}

/* ---- allow-lists ---- */

/* "APP", "APP/ROOM", "/ROOM" and "/" for the server's own. */
static enum err read_where(const struct access *a, const json_t *params, struct rule *r, const char **why) {
  const char *where = json_str(params, "where", ""), *slash = strchr(where, '/');
  size_t n = slash ? (size_t)(slash - where) : strlen(where);
  if (!*where || n > ACCESS_APP_MAX || (slash && strlen(slash + 1) > TEXT_SLUG_MAX)) {
    *why = "where is APP, APP/ROOM, /ROOM for a room of the server's own, or / for all of those";
    return ERR_BAD_ARG;
  }
  memcpy(r->app, where, n);
  snprintf(r->room, sizeof r->room, "%s", slash ? slash + 1 : "");
  if (r->app[0] && !app_find(a, r->app))
    return ERR_NO_APP;
  return !r->room[0] || text_slug_valid(r->room) ? ERR_OK : ERR_BAD_NAME;
}

static enum err read_rule(const struct access *a, const json_t *params, struct rule *r, const char **why) {
  enum err e = read_where(a, params, r, why);
  return e == ERR_OK && !read_cidr(params, &r->block, r->cidr, why) ? ERR_BAD_ARG : e;
}

static size_t rule_find(const struct apps *all, const struct rule *r) {
  size_t i = 0;
  while (i < all->n_rules &&
         (strcmp(all->rules[i].app, r->app) != 0 || strcmp(all->rules[i].room, r->room) != 0 ||
          strcmp(all->rules[i].cidr, r->cidr) != 0))
    i++;
  return i;
}

enum err allow_add(struct access *a, const json_t *params, json_t *reply, const char **why) {
  struct apps *all = a->apps;
  struct rule r = {0};
  (void)reply;
  enum err e = read_rule(a, params, &r, why);
  if (e != ERR_OK)
    return e;
  if (rule_find(all, &r) < all->n_rules)
    return ERR_EXISTS;
  if (all->n_rules >= APP_RULES_MAX)
    return ERR_FULL;
  id_new(a, r.id);
  all->rules = grow(all->rules, all->n_rules, sizeof r);
  all->rules[all->n_rules++] = r;
  a->revision++;
  doc_put(a, "allow", r.id, "", json_pack("{s:s,s:s,s:s}", "app", r.app, "room", r.room, "cidr", r.cidr));
  return ERR_OK;
}

enum err allow_list(struct access *a, const json_t *params, json_t *reply, const char **why) {
  json_t *list = json_array();
  struct rule want = {0};
  enum err e = json_object_get(params, "where") ? read_where(a, params, &want, why) : ERR_OK;
  bool all = !json_object_get(params, "where");
  for (size_t i = 0; e == ERR_OK && i < a->apps->n_rules; i++) {
    const struct rule *r = &a->apps->rules[i];
    if (all || (strcmp(r->app, want.app) == 0 && (!want.room[0] || strcmp(r->room, want.room) == 0)))
      json_array_append_new(list,
                            json_pack("{s:s,s:s,s:s}", "app", r->app, "room", r->room, "cidr", r->cidr));
  }
  json_object_set_new(reply, "allow", list);
  return e;
}

enum err allow_remove(struct access *a, const json_t *params, json_t *reply, const char **why) {
  struct rule r = {0};
  (void)reply;
  enum err e = read_rule(a, params, &r, why);
  if (e != ERR_OK)
    return e;
  size_t i = rule_find(a->apps, &r);
  if (i == a->apps->n_rules)
    return ERR_NO_CHANGE;
  rule_drop(a, i);
  a->revision++;
  return ERR_OK;
}

/* ---- our own blocks: what changes is said 90 days ahead ---- */

enum err ips_planned(struct access *a, const json_t *params, json_t *reply, const char **why) {
  json_t *list = json_array();
  (void)params, (void)why;
  for (size_t i = 0; i < a->apps->n_blocks; i++) {
    const struct block *b = &a->apps->blocks[i];
    json_array_append_new(list,
                          json_pack("{s:s,s:s,s:s,s:I}", "class", b->class, "cidr", b->cidr, "change",
                                    b->gone ? "removed" : "added", "valid_from_ms", (json_int_t)b->from_ms));
  }
  json_object_set_new(reply, "planned", list);
  return ERR_OK;
}

static enum err plan(struct access *a, const json_t *params, bool gone, const char **why) {
  static const char *const CLASSES[] = {"signalling", "media", "turn", "log"};
  struct apps *all = a->apps;
  struct block b = {.gone = gone};
  struct cidr block;
  const char *class = json_str(params, "class", "");
  for (size_t i = 0; i < sizeof CLASSES / sizeof CLASSES[0]; i++)
    if (strcmp(class, CLASSES[i]) == 0)
      snprintf(b.class, sizeof b.class, "%s", class);
  if (!b.class[0])
    *why = "class is signalling, media, turn or log";
  else if (!utc_read_day(json_str(params, "from", ""), &b.from_ms))
    *why = "from is a day, like 2030-01-31";
  if (*why || !read_cidr(params, &block, b.cidr, why))
    return ERR_BAD_ARG;
  if (b.from_ms < a->wall_ms + ANNOUNCED_MS && !json_flag(params, "force", false))
    return ERR_TOO_SOON;
  if (all->n_blocks >= APP_RULES_MAX)
    return ERR_FULL;
  id_new(a, b.id);
  all->blocks = grow(all->blocks, all->n_blocks, sizeof b);
  all->blocks[all->n_blocks++] = b;
  doc_put(a, "ips", b.id, "",
          json_pack("{s:s,s:s,s:I,s:b}", "cidr", b.cidr, "class", b.class, "from", (json_int_t)b.from_ms,
                    "gone", b.gone));
  return ERR_OK;
}

enum err ips_add(struct access *a, const json_t *params, json_t *reply, const char **why) {
  (void)reply;
  return plan(a, params, false, why);
}

/* What was only announced is taken back; what is in use is announced to go. */
enum err ips_remove(struct access *a, const json_t *params, json_t *reply, const char **why) {
  struct apps *all = a->apps;
  struct cidr block;
  char cidr[CIDR_TEXT_MAX];
  (void)reply;
  if (!read_cidr(params, &block, cidr, why))
    return ERR_BAD_ARG;
  for (size_t i = 0; i < all->n_blocks; i++) {
    struct block *b = &all->blocks[i];
    if (strcmp(b->cidr, cidr) == 0 && strcmp(b->class, json_str(params, "class", "")) == 0 && !b->gone &&
        b->from_ms > a->wall_ms) {
      doc_del(a, "ips", b->id);
      memmove(b, b + 1, (--all->n_blocks - i) * sizeof *b);
      return ERR_OK;
    }
  }
  return plan(a, params, true, why);
}
