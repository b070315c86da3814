/* audited.c: what of a room's life goes into the audit log: acts, comings and goings, what time alone
 * brought.
 *
 * People stand there as pseudonyms; of a text only that there was one. */
#include "core/server/control_private.h"

#include <stdio.h>
#include <string.h>

#define TARGETS_MAX 32 /* pseudonyms of one entry, then only how many */

/* ---- on whose behalf ---- */

static void name_of(const struct hosted *h, uint32_t id, char out[ROOM_PID_MAX + 16]) {
  const struct member *m = h && id ? room_member(&h->room, id) : NULL;
  if (m && m->pid[0])
    snprintf(out, ROOM_PID_MAX + 16, "%s", m->pid);
  else
    snprintf(out, ROOM_PID_MAX + 16, "m:%u", id);
}

void audited_begin(struct control *c, const struct conn *k, json_t *params) {
  char actor[64] = "stranger";
  const char *name = json_str(params, "operator", "");
  if (k->admin)
    snprintf(actor, sizeof actor, "operator%s%.48s", *name ? ":" : "", name);
  else if (k->seat)
    name_of(k->room, k->seat->member, actor);
  audit_serve(c->access, actor, k->admin ? json_str(params, "ticket", "") : "");
  if (!k->admin)
    return; /* to others these are words like any unknown one */
  json_object_del(params, "operator");
  json_object_del(params, "ticket");
}

void audited_end(struct control *c) {
  audit_serve(c->access, NULL, NULL);
}

/* ---- acts ---- */

/* What is kept of an act; its targets as they are before it, as some are gone afterwards. */
static void before(const struct hosted *h, const struct room_cmd *cmd, struct audited *x) {
  char pid[ROOM_PID_MAX + 16];
  x->meta = json_object();
  if (cmd->n_targets == 1)
    name_of(h, cmd->targets[0], x->target);
  json_t *who = cmd->n_targets > 1 ? json_array() : NULL;
  for (size_t i = 0; who && i < cmd->n_targets && i < TARGETS_MAX; i++) {
    name_of(h, cmd->targets[i], pid);
    json_array_append_new(who, json_string(pid));
  }
  if (who) {
    json_object_set_new(x->meta, "who", who);
    json_object_set_new(x->meta, "n", json_integer((json_int_t)cmd->n_targets));
  }
  if (cmd->has_num && cmd->act != ACT_VOTE)
    json_object_set_new(x->meta, "num", json_integer((json_int_t)cmd->num));
}

void audited_act(const struct hosted *h, const struct room_cmd *cmd, struct audited *x) {
  *x = (struct audited){0};
  before(h, cmd, x);
}

void audited_done(struct control *c, const struct conn *k, const struct hosted *h, enum act act,
                  struct audited *x, enum err e) {
  char action[48];
  snprintf(action, sizeof action, "room.%s", ACTS[act].name);
  if (h && e == ERR_OK)
    json_object_set_new(x->meta, "seq", json_integer((json_int_t)h->room.seq));
  struct audit_entry entry = {.action = action,
                              .target = x->target,
                              .app = h ? h->app : NULL,
                              .room = h ? h->room.name : NULL,
                              .outcome = e,
                              .addr = k->admin ? NULL : k->addr,
                              .meta = x->meta};
  audit_note(c->access, &entry);
  json_decref(x->meta);
  x->meta = NULL;
}

/* ---- coming in, and what nobody asked for ---- */

void audited_join(struct control *c, const struct conn *k, const char *room, const char *method, enum err e,
                  const char *operator_pid) {
  char actor[ROOM_PID_MAX + 16] = "stranger";
  const struct member *m = k->seat ? room_member(&k->room->room, k->seat->member) : NULL;
  if (m)
    name_of(k->room, m->id, actor);
  else if (*operator_pid)
    snprintf(actor, sizeof actor, "%s", operator_pid);
  json_t *meta = json_pack("{s:s}", "method", method);
  struct audit_entry entry = {.actor = actor,
                              .action = strcmp(method, "resume") == 0          ? "room.resume"
                                        : m && m->presence == PRESENCE_WAITING ? "room.knock"
                                                                               : "room.join",
                              .app = k->seat ? k->seat->grant.app : NULL,
                              .room = room,
                              .outcome = e,
                              .addr = k->addr,
                              .meta = meta};
  audit_note(c->access, &entry);
  json_decref(meta);
}

void audited_event(struct control *c, const struct hosted *h, const struct room_event *ev) {
  char target[ROOM_PID_MAX + 16] = "";
  bool kept = ev->kind == ROOM_EV_LEFT || ev->kind == ROOM_EV_ENDED || ev->kind == ROOM_EV_ROLE ||
              ev->kind == ROOM_EV_UNBANNED;
  if (!kept || audit_serving(c->access)) /* an act: that has its own entry */
    return;
  if (ev->n_targets == 1)
    name_of(h, ev->targets[0], target);
  json_t *meta = json_pack("{s:I}", "seq", (json_int_t)ev->seq);
  struct audit_entry entry = {
      .action = room_ev_name(ev->kind), .target = target, .app = h->app, .room = h->room.name, .meta = meta};
  audit_note(c->access, &entry);
  json_decref(meta);
}

void audited_media(struct control *c, const struct hosted *h, const struct seat *s, enum err why) {
  char target[ROOM_PID_MAX + 16];
  name_of(h, s->member, target);
  struct audit_entry entry = {.actor = target,
                              .action = "media.refused",
                              .app = s->grant.app,
                              .room = h->room.name,
                              .outcome = why,
                              .addr = s->addr};
  audit_note(c->access, &entry);
}
