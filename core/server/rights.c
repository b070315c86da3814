/* rights.c: what a person may ask about his own data, being erased, and the row that a stay leaves behind. */
#include "core/server/control_private.h"
#include "core/wire/room_json.h"

#include <stdlib.h>
#include <string.h>

/* ---- leaving everywhere ---- */

static const struct member *find_person(const struct room *r, const char *pid) {
  for (size_t i = 0; i < r->n_members; i++)
    if (strcmp(r->members[i].pid, pid) == 0)
      return &r->members[i];
  return NULL;
}

static bool leave_room(struct control *c, struct hosted *h, uint32_t member) {
  struct room_cmd cmd = {.act = ACT_LEAVE, .actor = member};
  struct room_events evs = {0};
  bool left = room_decide(&h->room, &cmd, c->wall_ms, &evs) == ERR_OK;
  if (left)
    hosted_run(c, h, &evs);
  room_events_free(&evs);
  return left;
}

static void leave_everywhere(struct control *c, const char *pid) {
  struct hosted *h;
  const struct member *m;
  for (size_t at = 0; (h = map_next(c->rooms, &at));)
    while (!h->room.ended && (m = find_person(&h->room, pid)))
      if (!leave_room(c, h, m->id))
        break;
}

/* ---- the person himself ---- */

static const char *pid_of(const struct conn *k) {
  const struct member *m = k->seat ? room_member(&k->room->room, k->seat->member) : NULL;
  return m ? m->pid : "";
}

static void terms(struct control *c, struct conn *k, json_int_t id, const char *pid) {
  (void)pid;
  const char *version, *text = access_consent_text(c->access, &version);
  control_reply(c, k, id, text ? json_pack("{s:s,s:s}", "version", version, "text", text) : json_object());
}

static void show(struct control *c, struct conn *k, json_int_t id, const char *pid) {
  if (!limit_take(c, &k->room->reports, LIMIT_REPORTS)) /* it reads much */
    control_refuse(c, k, id, ERR_RATE, NULL);
  else
    control_reply(c, k, id, access_about(c->access, pid));
}

static void withdraw(struct control *c, struct conn *k, json_int_t id, const char *pid) {
  char who[ROOM_PID_MAX + 1];
  memcpy(who, pid, strlen(pid) + 1);
  enum err e = access_withdraw(c->access, who);
  if (e != ERR_OK) {
    control_refuse(c, k, id, e, NULL);
    return;
  }
  control_reply(c, k, id, json_object());
  leave_everywhere(c, who);
}

bool rights_call(struct control *c, struct conn *k, json_int_t id, const char *method, const json_t *params) {
  static const struct {
    const char *method;
    bool himself; /* about who is in a room, or waits */
    void (*run)(struct control *c, struct conn *k, json_int_t id, const char *pid);
  } CALLS[] = {
      {"privacy.terms", false, terms}, {"privacy.show", true, show}, {"privacy.withdraw", true, withdraw}};
  for (size_t i = 0; i < sizeof CALLS / sizeof CALLS[0]; i++) {
    if (strcmp(CALLS[i].method, method) != 0)
      continue;
    if (json_object_size(params))
      control_refuse(c, k, id, ERR_BAD_ARG, NULL);
    else if (CALLS[i].himself && !*pid_of(k))
      control_refuse(c, k, id, ERR_NOT_JOINED, NULL);
    else
      CALLS[i].run(c, k, id, pid_of(k));
    return true;
  }
  return false;
}

/* ---- erased by the operator ---- */

/* The streams of rooms whose log tells of him: their memory does too. */
static enum err take_stream(void *ctx, const struct store_record *r) {
  json_object_set_new(ctx, r->stream, json_true());
  return ERR_OK;
}

static enum err erase(struct control *c, const char *actor, const json_t *params, json_t *reply,
                      const char **why) {
  char pid[ACCESS_PID_MAX + 1], user[ACCESS_USER_MAX + 1];
  json_t *streams = json_object();
  enum err e = access_subject(c->access, json_str(params, "user", ""), pid);
  if (e == ERR_OK) {
    leave_everywhere(c, pid); /* before his key goes: what is told of it is his too */
    access_user(c->access, pid, user);
    e = store_each_subject_record(c->cfg.store, pid, take_stream, streams);
  }
  if (e == ERR_OK) {
    hooks_unname(c, pid);
    e = personal_shared(c, pid, user, streams);
  }
  if (e == ERR_OK || e == ERR_HELD || e == ERR_NO_USER) /* the refusal is audited as well */
    e = access_call(c->access, actor, "privacy.erase", params, reply, why);
  struct hosted *h;
  for (size_t at = 0; e == ERR_OK && (h = map_next(c->rooms, &at));)
    if (json_object_get(streams, h->stream))
      hosted_rebuild(c, h);
  json_decref(streams);
  return e;
}

enum err rights_access_call(struct control *c, const char *actor, const char *method, const json_t *params,
                            json_t *reply, const char **why) {
  char pid[ACCESS_PID_MAX + 1];
  if (strcmp(method, "privacy.erase") == 0)
    return erase(c, actor, params, reply, why);
  enum err e = access_call(c->access, actor, method, params, reply, why);
  if (e == ERR_OK && strcmp(method, "privacy.restrict") == 0 && !json_flag(params, "lift", false) &&
      access_subject(c->access, json_str(params, "user", ""), pid) != ERR_NO_USER)
    leave_everywhere(c, pid);
  return e;
}

/* ---- visits ---- */

static void visit_ended(struct control *c, struct hosted *h, const struct member *m, int64_t at_ms) {
  struct seat *s = hosted_seat(h, m->id);
  struct access_visit v = {.pid = m->pid,
                           .app = h->app,
                           .room = h->room.name,
                           .from_ms = m->since_ms,
                           .to_ms = m->dropped_ms ? m->dropped_ms : at_ms};
  if (m->presence == PRESENCE_WAITING || m->role == ROLE_MONITOR) /* nobody pays for those */
    return;
  if (s)
    lines_visit(s, &v);
  access_visit(c->access, &v);
}

void rights_stay(struct control *c, struct hosted *h, const struct room_event *ev) {
  bool leaves = ev->kind == ROOM_EV_LEFT || ev->kind == ROOM_EV_REMOVED || ev->kind == ROOM_EV_HELD;
  for (size_t i = 0; leaves && i < ev->n_targets; i++) {
    const struct member *m = room_member(&h->room, ev->targets[i]);
    if (m)
      visit_ended(c, h, m, ev->ts_ms);
  }
  for (size_t i = 0; ev->kind == ROOM_EV_ENDED && i < h->room.n_members; i++)
    visit_ended(c, h, &h->room.members[i], ev->ts_ms);
}
