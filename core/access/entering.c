/* entering.c: what a token, a session or a device gives, and whether it still does. */
#include "core/access/apps_private.h"
#include "core/base/bytes.h"

#include <stdio.h>
#include <string.h>

#define SESSION_PREFIX "cs1_"
#define DAY_MS INT64_C(86400000)

static const uint8_t NO_DEVICE[16];

static bool is_own(enum token_format f) {
  return f == TOKEN_HS256 || f == TOKEN_EDDSA;
}

/* When it was made. A token that does not say may be as old as its key: so a user once revoked comes back
 * with such tokens only by a new key. */
static int64_t made_s(const struct token_claims *t, const struct app_key *k) {
  return t->iat_s ? t->iat_s : k->since_ms / 1000;
}

static void fill(const struct token_claims *t, const struct app_key *k, struct grant *g) {
  snprintf(g->app, sizeof g->app, "%s", k->app);
  snprintf(g->kid, sizeof g->kid, "%s", k->kid);
  snprintf(g->jti, sizeof g->jti, "%s", t->jti);
  snprintf(g->name, sizeof g->name, "%s", t->name);
  g->iat_s = made_s(t, k);
  g->exp_s = t->exp_s;
  g->scopes = t->scopes;
  g->once = t->jti[0] && is_own(t->format);
}

/* What a token that verified may still lack; NULL nothing. */
static const char *lacks(struct access *a, const struct token_claims *t, const char *room, struct grant *g) {
  const struct used *u = used_find(a, g->kid, t->jti);
  const struct person *p;
  if (u && u->denied)
    return "revoked";
  if (u && g->once)
    return "replayed";
  if (user_format(t->subject, g->app, g->user) != ERR_OK)
    return "subject";
  if (t->room[0] && !access_room(t->room, g->room))
    return "room";
  if (*room && g->room[0] && strcmp(g->room, room) != 0)
    return "room";
  p = person_find(a, g->user, g->app, NO_DEVICE);
  if (p && p->epoch_s && g->iat_s <= p->epoch_s)
    return "revoked";
  return NULL;
}

static enum err join_token(struct access *a, const char *token, const char *room, const uint8_t *addr,
                           struct grant *g) {
  struct token_claims t;
  const struct app_key *k = NULL;
  const char *why = "format";
  enum err e = key_verify(a, token, &t, &k, &why);
  if (e == ERR_OK) {
    fill(&t, k, g);
    why = lacks(a, &t, room, g);
    e = why ? ERR_BAD_TOKEN : ERR_OK;
  }
  if (e == ERR_OK && g->once && used_full(a, g->app)) {
    why = "too many tokens in use";
    e = ERR_FULL;
  }
  if (e != ERR_OK) {
    g->forged = e == ERR_BAD_TOKEN && strcmp(why, TOKEN_FORGED) == 0;
    audit_refusal(a, "token.refused", k ? k->app : "", k ? room : "", k ? k->kid : NULL, why, addr, e);
    return e;
  }
  const struct person *p = person_find(a, g->user, g->app, NO_DEVICE);
  if (p)
    memcpy(g->pid, p->pid, sizeof g->pid);
  else
    pid_new(a, g->pid);
  return ERR_OK;
}

enum err access_token(struct access *a, const char *token, const char *room, const uint8_t *addr,
                      struct grant *out) {
  *out = (struct grant){0};
  enum err e = strncmp(token, SESSION_PREFIX, strlen(SESSION_PREFIX)) == 0
                   ? session_grant(a, token, addr, out)
                   : join_token(a, token, room, addr, out);
  return e == ERR_OK ? privacy_allows(a, out->pid) : e;
}

enum err access_guest(struct access *a, const char *app, const uint8_t device[16], struct grant *out) {
  *out = (struct grant){.scopes = SCOPE_ALL};
  bool known = memcmp(device, NO_DEVICE, sizeof NO_DEVICE) != 0;
  const struct person *p = known ? person_find(a, "", app, device) : NULL;
  snprintf(out->app, sizeof out->app, "%s", app);
  memcpy(out->device, device, sizeof out->device);
  if (p)
    memcpy(out->pid, p->pid, sizeof out->pid);
  else
    pid_new(a, out->pid);
  return privacy_allows(a, out->pid);
}

enum err access_enter(struct access *a, const struct grant *g) {
  if (g->session[0])
    return ERR_OK;
  bool guest = !g->user[0];
  if (guest && memcmp(g->device, NO_DEVICE, sizeof NO_DEVICE) == 0)
    return ERR_OK;
  struct person *p = person_find(a, g->user, g->app, g->device);
  bool fresh = !p;
  if (fresh)
    p = person_keep(a, g->pid, g->user, g->app, g->device);
  if (!p)
    return guest ? ERR_OK : ERR_FULL; /* a device more is not known again, that is all */
  enum err e = g->once ? used_add(a, g->app, g->kid, g->jti, g->exp_s, false) : ERR_OK;
  if (e != ERR_OK)
    return e;
  if (fresh || !guest || a->wall_ms - p->seen_ms > DAY_MS) {
    p->seen_ms = a->wall_ms;
    memcpy(p->kid, g->kid, sizeof p->kid);
    memcpy(p->jti, g->jti, sizeof p->jti);
    person_put(a, p);
  }
  return ERR_OK;
}

enum err access_still(const struct access *a, const struct grant *g) {
  enum err e = privacy_allows(a, g->pid);
  if (e == ERR_OK && g->session[0])
    e = session_still(a, g);
  if (e != ERR_OK)
    return e;
  if (g->app[0] && !app_find(a, g->app))
    return ERR_REVOKED;
  const struct app_key *k = g->kid[0] ? key_find(a, g->kid) : NULL;
  const struct used *u = used_find(a, g->kid, g->jti);
  if (g->kid[0] && (!k || k->revoked || (u && u->denied)))
    return ERR_REVOKED;
  const struct person *p = g->kid[0] ? person_by_pid(a, g->pid) : NULL;
  if (g->kid[0] && !p) /* he was erased, his application is another */
    return ERR_REVOKED;
  return p && p->epoch_s && g->iat_s && g->iat_s <= p->epoch_s ? ERR_REVOKED : ERR_OK;
}
