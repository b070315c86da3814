/* ops.c: operators' consoles: who they are, what each may ask, and the answers. */
#include "core/server/ops.h"

#include "core/server/monitor.h"
#include "core/server/ops_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WRONG_TOKENS_MAX 3

static struct console *console_of(struct conn *k) {
  if (!k->console) {
    k->console = calloc(1, sizeof *k->console);
    if (!k->console)
      abort();
    k->console->conn = k;
    k->console->next = US_NEVER;
  }
  return k->console;
}

void ops_forget(struct control *c, struct conn *k) {
  if (!k->console)
    return;
  feed_stop(c, k->console);
  free(k->console);
  k->console = NULL;
}

/* ---- signing in ---- */

static json_t *words_of(unsigned scopes) {
  json_t *list = json_array();
#define X(name, word, help)                                                                                  \
  if (scopes & SCOPE_##name)                                                                                 \
    json_array_append_new(list, json_string(word));
  SCOPE_TABLE(X)
#undef X
  return list;
}

static void wrong_token(struct control *c, struct conn *k, json_int_t id, enum err e) {
  struct console *w = console_of(k);
  limit_strike(c, k->addr);
  control_refuse(c, k, id, e, NULL);
  if (++w->wrong >= WRONG_TOKENS_MAX) {
    k->close_code = CONTROL_CLOSE_REVOKED;
    control_close(c, k);
  }
}

static void sign_in(struct control *c, struct conn *k, json_int_t id, json_t *params) {
  const unsigned any = SCOPE_WATCH | SCOPE_LISTEN | SCOPE_SILENT | SCOPE_OPERATE;
  const char *token = json_str(params, "token", "");
  struct grant g = {0};
  if (k->admin || k->ops_scopes) {
    control_refuse(c, k, id, ERR_NO_CHANGE, NULL);
    return;
  }
  enum err e = limit_blocked(c, k->addr) ? ERR_RATE : ERR_OK;
  if (e == ERR_OK)
    e = strncmp(token, "cs1_", 4) == 0 ? access_token(c->access, token, "", k->addr, &g) : ERR_BAD_TOKEN;
  if (e == ERR_OK && !(g.scopes & any))
    e = ERR_SCOPE;
  audit_note(c->access, &(struct audit_entry){.actor = g.pid[0] ? g.pid : "stranger",
                                              .action = "ops.sign_in",
                                              .outcome = e,
                                              .addr = k->addr});
  if (e != ERR_OK) {
    wrong_token(c, k, id, e);
    return;
  }
  console_of(k)->grant = g;
  k->ops_scopes = g.scopes & any;
  k->ops_scopes |= g.scopes & SCOPE_OPERATE ? SCOPE_WATCH : 0;
  control_reply(c, k, id,
                json_pack("{s:s,s:o,s:b}", "user", g.user, "scopes", words_of(k->ops_scopes), "mfa", g.mfa));
}

static void revoked(struct control *c, struct conn *k) {
  k->ops_scopes = 0;
  feed_stop(c, k->console);
  control_notify(c, k, "bye",
                 json_pack("{s:s,s:s}", "code", err_code(ERR_REVOKED), "text", err_text(ERR_REVOKED)));
  k->close_code = CONTROL_CLOSE_REVOKED;
  control_close(c, k);
}

/* Or has his session ended, or may it less than it did? */
static bool holds(const struct control *c, const struct conn *k) {
  return k->admin || access_still(c->access, &k->console->grant) == ERR_OK;
}

void ops_recheck(struct control *c) {
  struct conn *k;
  if (!c->ops || c->ops->revision == access_revision(c->access))
    return;
  c->ops->revision = access_revision(c->access);
  for (size_t at = 0; (k = map_next(c->conns, &at));)
    if (k->ops_scopes && !k->close_after && !k->closing && !holds(c, k))
      revoked(c, k);
}

/* ---- the methods ---- */

static enum err watch(struct control *c, struct conn *k, json_t *params, json_t **reply) {
  json_int_t ms = json_int(params, "interval_ms", OPS_INTERVAL_MS);
  if (!json_only_keys(params, "interval_ms", NULL) || ms < OPS_INTERVAL_LEAST_MS || ms > OPS_INTERVAL_MOST_MS)
    return ERR_BAD_ARG;
  *reply = feed_watch(c, console_of(k), ms * US_PER_MS);
  return ERR_OK;
}

static enum err unwatch(struct control *c, struct conn *k, json_t *params, json_t **reply) {
  if (json_object_size(params))
    return ERR_BAD_ARG;
  feed_stop(c, console_of(k));
  *reply = json_object();
  return ERR_OK;
}

static enum err room(struct control *c, struct conn *k, json_t *params, json_t **reply) {
  const char *name = json_str(params, "room", NULL);
  struct hosted *h = name ? hosted_find(c, name) : NULL;
  struct console *w = console_of(k);
  int64_t due_ms;
  if (!name || !json_only_keys(params, "room", NULL))
    return ERR_BAD_ARG;
  if (!h)
    return ERR_NO_ROOM;
  if (strcmp(w->looked, h->name) != 0) /* it names people; a screen asks again and again */
    audit_note(c->access, &(struct audit_entry){.action = "ops.room", .app = h->app, .room = h->room.name});
  snprintf(w->looked, sizeof w->looked, "%s", h->name);
  *reply = json_pack("{s:o,s:o,s:o}", "room", ops_row_json(c, h, &due_ms), "people", ops_people_json(c, h),
                     "listeners", monitor_list(c, h));
  return ERR_OK;
}

static enum err whisper(struct control *c, struct conn *k, json_t *params, json_t **reply) {
  const char *name = json_str(params, "room", NULL), *text = json_str(params, "text", NULL);
  struct hosted *h = name ? hosted_find(c, name) : NULL;
  (void)k;
  if (!name || !text || !json_only_keys(params, "room", "text", NULL))
    return ERR_BAD_ARG;
  return h ? monitor_whisper(c, h, 0, text, reply) : ERR_NO_ROOM;
}

static enum err listeners(struct control *c, struct conn *k, json_t *params, json_t **reply) {
  (void)k;
  if (json_object_size(params))
    return ERR_BAD_ARG;
  *reply = json_pack("{s:o,s:o}", "listeners", monitor_list(c, NULL), "approvals", monitor_approvals(c));
  return ERR_OK;
}

static enum err approve(struct control *c, struct conn *k, json_t *params, json_t **reply) {
  const char *typed = json_str(params, "approval", "");
  json_int_t number = json_int(params, "approval", strtoll(typed, NULL, 10));
  if (number <= 0 || !json_only_keys(params, "approval", NULL))
    return ERR_BAD_ARG;
  *reply = json_object();
  return monitor_approve(c, k->console ? k->console->grant.pid : "", number);
}

static const struct {
  const char *method;
  unsigned scope;
  enum err (*run)(struct control *c, struct conn *k, json_t *params, json_t **reply);
} METHODS[] = {{"ops.watch", SCOPE_WATCH, watch},         {"ops.unwatch", SCOPE_WATCH, unwatch},
               {"ops.room", SCOPE_WATCH, room},           {"ops.whisper", SCOPE_LISTEN, whisper},
               {"ops.listeners", SCOPE_WATCH, listeners}, {"ops.approve", SCOPE_SILENT, approve}};

static void serve(struct control *c, struct conn *k, json_int_t id, size_t method, json_t *params) {
  json_t *reply = NULL;
  enum err e = ERR_OK;
  if (!k->admin && !k->ops_scopes)
    e = ERR_NOT_JOINED;
  else if (!k->admin && !(k->ops_scopes & METHODS[method].scope))
    e = ERR_SCOPE;
  if (e == ERR_OK)
    e = METHODS[method].run(c, k, params, &reply);
  if (e == ERR_OK)
    control_reply(c, k, id, json_incref(reply));
  else
    control_refuse(c, k, id, e, e == ERR_NOT_JOINED ? "ops.sign_in first" : NULL);
  json_decref(reply);
}

bool ops_call(struct control *c, struct conn *k, json_int_t id, const char *method, json_t *params) {
  if (strncmp(method, "ops.", 4) != 0)
    return false;
  if (k->ops_scopes && !holds(c, k)) {
    revoked(c, k);
    control_refuse(c, k, id, ERR_REVOKED, NULL);
    return true;
  }
  if (strcmp(method, "ops.sign_in") == 0) {
    sign_in(c, k, id, params);
    return true;
  }
  audited_begin(c, k, params);
  if (!k->admin && k->console)
    audit_serve(c->access, k->console->grant.pid, "");
  size_t i = 0;
  while (i < sizeof METHODS / sizeof METHODS[0] && strcmp(method, METHODS[i].method) != 0)
    i++;
  if (i < sizeof METHODS / sizeof METHODS[0])
    serve(c, k, id, i, params);
  else
    control_refuse(c, k, id, ERR_BAD_METHOD, NULL);
  audited_end(c);
  return true;
}
