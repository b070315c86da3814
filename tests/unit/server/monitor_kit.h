/* monitor_kit.h: what the tests of ops.* and of listening in share. Tests only. */
#ifndef GAVEL_TESTS_MONITOR_KIT_H
#define GAVEL_TESTS_MONITOR_KIT_H

#include "core/server/ops.h"
#include "tests/unit/server/entering_kit.h"

/* A console on the operator's port, signed in by `token`. */
static inline uint32_t console(struct kit *k, const char *token, const char *code) {
  tick(k, 0);
  uint32_t conn = control_open_ops(k->c, k->addr);
  char *text = rpc_request(1, "ops.sign_in", json_pack("{s:s}", "token", token)), got[48];
  say(k, conn, text);
  free(text);
  assert_string_equal(code_of(answer(k, conn, 1), got), code);
  return conn;
}

/* The result of a request, which must be granted. */
static inline json_t *granted(struct kit *k, uint32_t conn, const char *method, json_t *params) {
  char *text = rpc_request(7, method, params);
  say(k, conn, text);
  free(text);
  json_t *o = answer(k, conn, 7), *r = json_incref(json_object_get(o, "result"));
  if (!r)
    fail_msg("%s: %s", method, json_dumps(o, 0));
  json_decref(o);
  return r;
}

static inline void granted_ok(struct kit *k, uint32_t conn, const char *method, json_t *params) {
  json_decref(granted(k, conn, method, params));
}

static inline void refused(struct kit *k, uint32_t conn, const char *method, json_t *params,
                           const char *code) {
  char *text = rpc_request(8, method, params), got[48];
  say(k, conn, text);
  free(text);
  assert_string_equal(code_of(answer(k, conn, 8), got), code);
}

/* Time goes by, turn by turn. */
static inline void pass(struct kit *k, unsigned ms) {
  for (; ms > 0; ms -= ms < 100 ? ms : 100) {
    tick(k, (ms < 100 ? ms : 100) * US_PER_MS);
    control_commit(k->c);
  }
}

/* The notification of that name which waits, the others are dropped; its params or NULL. */
static inline json_t *notified(struct kit *k, uint32_t conn, const char *method) {
  json_t *o, *found = NULL;
  while ((o = next(k, conn))) {
    if (!found && strcmp(json_str(o, "method", ""), method) == 0)
      found = json_incref(json_object_get(o, "params"));
    json_decref(o);
  }
  return found;
}

/* ---- the audit log ---- */

struct audit_line {
  char actor[64], kind[64], data[4096];
};
struct audit_find {
  const char *kind;
  struct audit_line *out;
  unsigned n;
};
static inline enum err audit_take(void *ctx, const struct store_record *r) {
  struct audit_find *f = ctx;
  if (strcmp(r->kind, f->kind) != 0)
    return ERR_OK;
  f->n++;
  snprintf(f->out->actor, sizeof f->out->actor, "%s", r->actor);
  snprintf(f->out->kind, sizeof f->out->kind, "%s", r->kind);
  snprintf(f->out->data, sizeof f->out->data, "%s", r->data);
  return ERR_OK;
}
/* The last entry of an action; how many there are. */
static inline unsigned audit_last(struct kit *k, const char *kind, struct audit_line *out) {
  struct audit_find f = {kind, out, 0};
  assert_int_equal(store_replay(k->store, "audit", 0, audit_take, &f), ERR_OK);
  return f.n;
}

static inline json_t *monitor_params(const char *token, const char *mode, const char *reason,
                                     const char *ticket, int minutes) {
  json_t *m = json_pack("{s:s}", "mode", mode);
  if (reason)
    json_object_set_new(m, "reason", json_string(reason));
  if (ticket)
    json_object_set_new(m, "ticket", json_string(ticket));
  if (minutes)
    json_object_set_new(m, "minutes", json_integer(minutes));
  return json_pack("{s:s,s:s,s:o}", "room", "den", "token", token, "monitor", m);
}

#endif
