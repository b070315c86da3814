/* jti.c: tokens that are used up, and those an operator refuses, until they end by themselves. Documents, so
 * that a crash opens none of them again; when there are too many nobody else comes in: none is forgotten
 * early. */
#include "core/access/apps_private.h"
#include "core/base/bytes.h"
#include "core/wire/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SWEEP_MOST 1024
#define KEPT_S (TOKEN_LEEWAY_S + 60) /* beyond its end: clocks differ */

static void id_of(const char *kid, const char *jti, char out[33]) {
  char text[TOKEN_KID_MAX + TOKEN_JTI_MAX + 2];
  uint8_t hash[32];
  int n = snprintf(text, sizeof text, "%s %s", kid, jti); /* a kid holds no blank */
  sha256(text, (size_t)n, hash);
  hex_encode(hash, 16, out);
}

struct used *used_find(const struct access *a, const char *kid, const char *jti) {
  char id[33];
  id_of(kid, jti, id);
  return *jti ? map_get(a->apps->used, id, 32) : NULL;
}

bool used_full(const struct access *a, const char *app) {
  return map_count(a->apps->used) >= APP_USED_MAX || share_of(a->apps->used_of, app) >= APP_USED_MAX / 2;
}

static struct used *keep(struct access *a, const char *app, const char *id) {
  struct used *u = calloc(1, sizeof *u);
  if (!u)
    abort();
  snprintf(u->id, sizeof u->id, "%s", id);
  snprintf(u->app, sizeof u->app, "%s", app);
  share_add(a->apps->used_of, u->app, 1);
  map_put(a->apps->used, u->id, 32, u);
  return u;
}

enum err used_add(struct access *a, const char *app, const char *kid, const char *jti, int64_t exp_s,
                  bool denied) {
  struct used *u = used_find(a, kid, jti);
  if (!u && used_full(a, app))
    return ERR_FULL;
  if (!u) {
    char id[33];
    id_of(kid, jti, id);
    u = keep(a, app, id);
  }
  u->exp_s = exp_s > u->exp_s ? exp_s : u->exp_s;
  u->denied |= denied;
  doc_put(a, "jti", u->id, "",
          json_pack("{s:s,s:I,s:b}", "app", u->app, "exp", (json_int_t)u->exp_s, "denied", u->denied));
  return ERR_OK;
}

static enum err used_read(void *ctx, const char *id, const char *pid, const char *text) {
  json_t *doc = json_loads(text, 0, NULL);
  (void)pid;
  bool ok = doc && strlen(id) == 32;
  if (ok) {
    struct used *u = keep(ctx, json_str(doc, "app", ""), id);
    u->exp_s = json_int(doc, "exp", 0);
    u->denied = json_flag(doc, "denied", false);
  }
  json_decref(doc);
  return ok ? ERR_OK : ERR_DB_CORRUPT;
}

enum err used_load(struct access *a) {
  return store_each_doc(a->cfg.store, "jti", NULL, used_read, a);
}

bool used_sweep(struct access *a) {
  struct used *u, *list[SWEEP_MOST];
  size_t n = 0;
  for (size_t at = 0; n < SWEEP_MOST && (u = map_next(a->apps->used, &at));)
    if (u->exp_s + KEPT_S < a->wall_ms / 1000)
      list[n++] = u;
  for (size_t i = 0; i < n; i++) {
    doc_del(a, "jti", list[i]->id);
    share_add(a->apps->used_of, list[i]->app, -1);
    free(map_del(a->apps->used, list[i]->id, 32));
  }
  return n == SWEEP_MOST;
}

enum err token_revoke(struct access *a, const json_t *params, json_t *reply, const char **why) {
  const char *kid = json_str(params, "kid", ""), *jti = json_str(params, "jti", "");
  const struct app_key *k = key_find(a, kid);
  (void)reply;
  if (!k || strcmp(k->app, json_str(params, "app", "")) != 0)
    return ERR_NO_KEY;
  if (!*jti || strlen(jti) > TOKEN_JTI_MAX) {
    *why = "the jti of a token has up to 64 bytes";
    return ERR_BAD_ARG;
  }
  enum err e =
      used_add(a, k->app, kid, jti, a->wall_ms / 1000 + TOKEN_TTL_MAX_S, true); /* none lives longer */
  if (e == ERR_OK)
    a->revision++;
  return e;
}
