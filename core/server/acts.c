/* acts.c: room.<act> for members and, with "room", for the operator; what else the operator may ask. */
#include "core/server/control_private.h"
#include "core/server/metrics.h"
#include "core/wire/room_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum err make_invite(struct control *c, struct hosted *h, enum role role, bool bypass,
                            struct link *out) {
  struct invite inv = {.role = role, .bypass = bypass};
  act_shell_invite(c, h, out, &inv);
  struct room_cmd cmd = {.act = ACT_INVITE, .actor = 0, .invite = &inv};
  struct room_events evs = {0};
  enum err e = room_decide(&h->room, &cmd, c->wall_ms, &evs);
  if (e == ERR_OK)
    hosted_run(c, h, &evs);
  room_events_free(&evs);
  return e;
}

/* ROOM, or APP/ROOM. */
static enum err found(struct control *c, const char *name, bool lobby, struct hosted **out) {
  char app[ACCESS_APP_MAX + 1] = "";
  const char *slash = strchr(name, '/');
  if (slash && (size_t)(slash - name) >= sizeof app)
    return ERR_NO_APP;
  if (slash)
    memcpy(app, name, (size_t)(slash - name));
  if (slash && (!*app || !access_app(c->access, app).exists))
    return ERR_NO_APP;
  return hosted_make(c, app, slash ? slash + 1 : name, lobby, out);
}

enum err control_room_create(struct control *c, const char *name, bool lobby, struct link *host,
                             struct link *guest) {
  struct hosted *h = hosted_find(c, name);
  if (h && h->room.ended && !h->touched) /* its end is on disk: the name is free */
    hosted_forget(c, h);
  h = NULL;
  enum err e = hosted_find(c, name) ? ERR_ROOM_EXISTS : found(c, name, lobby, &h);
  if (e == ERR_OK)
    e = make_invite(c, h, ROLE_OWNER, true, host);
  if (e == ERR_OK)
    e = make_invite(c, h, ROLE_SPEAKER, false, guest);
  audit_note(c->access, &(struct audit_entry){.action = "room.create",
                                              .app = h ? h->app : NULL,
                                              .room = h ? h->room.name : name,
                                              .outcome = e});
  return e;
}

/* ---- acts ---- */

static enum err act_run(struct control *c, struct hosted *h, struct conn *k, struct room_cmd *cmd,
                        const json_t *params, json_t *reply) {
  struct act_shell x = {0};
  struct room_events evs = {0};
  enum err e = act_shell_prepare(c, h, k, cmd, params, &x);
  if (e == ERR_OK)
    e = room_decide(&h->room, cmd, c->wall_ms, &evs);
  if (e == ERR_OK)
    e = act_shell_reply(c, h, cmd, &x, reply);
  if (e == ERR_OK) {
    json_object_set_new(reply, "seq", json_integer((json_int_t)(evs.n ? evs.v[evs.n - 1].seq : h->room.seq)));
    hosted_run(c, h, &evs);
    e = act_shell_after(c, h, cmd);
  }
  room_events_free(&evs);
  act_shell_free(&x);
  return e;
}

static bool is_chat(enum act a) {
  return a == ACT_CHAT || a == ACT_CHAT_TO || a == ACT_CHAT_HOSTS || a == ACT_CHAT_EDIT ||
         a == ACT_ANNOUNCE || a == ACT_LOBBY_SAY;
}

/* What a member may do at any time, and everybody inside is told. */
static bool is_shown(enum act a) {
  switch (a) {
  case ACT_HAND:
  case ACT_HAND_LOWER:
  case ACT_NAME:
  case ACT_MUTE:
  case ACT_UNMUTE:
  case ACT_DECLINE:
  case ACT_VOTE:
  case ACT_CHAT_DELETE:
  case ACT_UNDO:
    return true;
  default:
    return false;
  }
}

static enum err limits(struct control *c, struct hosted *h, struct conn *k, enum act act) {
  if (k->admin)
    return ERR_OK;
  bool moderates = room_view_of(&h->room, k->seat->member) == VIEW_MODERATOR;
  if (is_chat(act) && !limit_take(c, &k->chat, LIMIT_CHAT))
    return ERR_RATE;
  if (is_chat(act) && !moderates &&
      !limit_take_set(c, &k->chat_minute, LIMIT_CHAT_MINUTE, c->cfg.limits.chat_per_minute))
    return ERR_RATE;
  return !moderates && is_shown(act) && !limit_take(c, &k->seat->shown, LIMIT_SHOWN) ? ERR_RATE : ERR_OK;
}

/* Whose room a request is about: the operator names it. */
static struct hosted *room_of(struct control *c, struct conn *k, json_t *params, enum err *e) {
  struct hosted *h = k->room;
  if (k->admin) {
    h = hosted_find(c, json_str(params, "room", ""));
    json_object_del(params, "room");
  }
  *e = h ? ERR_OK : k->admin ? ERR_NO_ROOM : ERR_NOT_JOINED;
  return h;
}

enum err acts_operate(struct control *c, struct conn *k, struct hosted *h, enum act act, const json_t *params,
                      json_t *reply) {
  uint32_t *ids = malloc(sizeof(uint32_t) * ROOM_MEMBERS_MAX);
  if (!ids)
    abort();
  struct room_cmd cmd = {0};
  enum err e = h ? ERR_OK : k->admin ? ERR_NO_ROOM : ERR_NOT_JOINED;
  if (e == ERR_OK)
    e = limits(c, h, k, act);
  if (e == ERR_OK)
    e = room_cmd_from_params(act, params, &cmd, ids, ROOM_MEMBERS_MAX);
  struct audited told = {0};
  if (e == ERR_OK) {
    cmd.actor = k->admin ? 0 : k->seat->member;
    audited_act(h, &cmd, &told);
    e = act_run(c, h, k, &cmd, params, reply);
  }
  audited_done(c, k, h, act, &told, e);
  free(ids);
  return e;
}

static void act_call(struct control *c, struct conn *k, json_int_t id, enum act act, json_t *params) {
  enum err e;
  struct hosted *h = room_of(c, k, params, &e);
  json_t *reply = json_object();
  e = acts_operate(c, k, h, act, params, reply);
  if (e == ERR_OK)
    control_reply(c, k, id, reply);
  else {
    char partly[128]; /* it has a seq: the act was done, but not all that goes with it */
    snprintf(partly, sizeof partly, "the rule stands, but not for all who are here: %.80s", err_text(e));
    control_refuse(c, k, id, e, json_object_get(reply, "seq") ? partly : NULL);
    json_decref(reply);
  }
}

/* ---- older messages ---- */

static bool chat_seen(const struct room *r, const struct chat *m, uint32_t viewer) {
  struct room_event ev = {.kind = ROOM_EV_CHAT, .actor = m->from, .num = (int64_t)m->kind, .num2 = m->to};
  return room_event_visible(r, &ev, viewer);
}

/* The newest `n` messages older than `before` that the viewer may see, and whether there are more. */
static json_t *history(const struct room *r, uint32_t viewer, uint64_t before, size_t n) {
  size_t end = 0, first, seen = 0;
  while (end < r->n_chat && r->chat[end].id < before)
    end++;
  for (first = end; first > 0 && seen < n; first--)
    seen += chat_seen(r, &r->chat[first - 1], viewer);
  bool more = false;
  for (size_t i = 0; i < first && !more; i++)
    more = chat_seen(r, &r->chat[i], viewer);
  struct room part = *r; /* a snapshot of nothing but these messages, as this viewer sees them */
  const struct member *me = room_member(r, viewer);
  part.members = (struct member *)(uintptr_t)me;
  part.n_members = me ? 1 : 0;
  part.chat = r->chat + first;
  part.n_chat = end - first;
  json_t *wire = room_to_wire(&part, viewer);
  json_t *body = json_pack("{s:O,s:b}", "chat", json_object_get(wire, "chat"), "more", more);
  json_decref(wire);
  return body;
}

static void history_call(struct control *c, struct conn *k, json_int_t id, json_t *params) {
  enum err e;
  struct hosted *h = room_of(c, k, params, &e);
  json_int_t before = json_int(params, "before", INT64_MAX), n = json_int(params, "n", HISTORY_MAX);
  if (e == ERR_OK && (!json_only_keys(params, "before", "n", NULL) || before < 0 || n < 1 || n > HISTORY_MAX))
    e = ERR_BAD_ARG;
  if (e == ERR_OK && !k->admin && room_view_of(&h->room, k->seat->member) == VIEW_NOTHING)
    e = ERR_IN_LOBBY;
  if (e != ERR_OK)
    control_refuse(c, k, id, e, NULL);
  else
    control_reply(c, k, id, history(&h->room, k->admin ? 0 : k->seat->member, (uint64_t)before, (size_t)n));
}

/* ---- the operator's questions ---- */

static json_t *room_line(const struct hosted *h) {
  return json_pack("{s:s,s:i,s:i,s:i,s:b,s:b}", "room", h->name, "here",
                   (int)room_count(&h->room, PRESENCE_HERE), "away", (int)room_count(&h->room, PRESENCE_AWAY),
                   "waiting", (int)room_count(&h->room, PRESENCE_WAITING), "locked", h->room.locked, "lobby",
                   h->room.lobby);
}

static void rooms_list(struct control *c, struct conn *k, json_int_t id, json_t *params) {
  (void)params;
  json_t *list = json_array();
  struct hosted *h;
  for (size_t at = 0; (h = map_next(c->rooms, &at));)
    if (!h->room.ended)
      json_array_append_new(list, room_line(h));
  control_reply(c, k, id, json_pack("{s:o}", "rooms", list));
}

static void room_show(struct control *c, struct conn *k, json_int_t id, json_t *params) {
  struct hosted *h = hosted_find(c, json_str(params, "room", ""));
  if (!h)
    control_refuse(c, k, id, ERR_NO_ROOM, NULL);
  else {
    audit_note(c->access, /* it names people */
               &(struct audit_entry){.action = "room.show", .room = h->room.name});
    control_reply(c, k, id, json_pack("{s:o}", "room", room_to_wire(&h->room, 0)));
  }
}

static void room_create(struct control *c, struct conn *k, json_int_t id, json_t *params) {
  struct link host, guest;
  enum err e = json_only_keys(params, "room", "lobby", NULL) ? ERR_OK : ERR_BAD_ARG;
  if (e == ERR_OK)
    e = control_room_create(c, json_str(params, "room", ""), json_flag(params, "lobby", true), &host, &guest);
  if (e != ERR_OK) {
    control_refuse(c, k, id, e, NULL);
    return;
  }
  json_t *body = json_object();
  act_shell_link(&host, body, "host");
  act_shell_link(&guest, body, "guest");
  control_reply(c, k, id, body);
}

static void server_info(struct control *c, struct conn *k, json_int_t id, json_t *params) {
  (void)params;
  struct control_counters n;
  struct link form = c->cfg.link;
  char link[LINK_MAX];
  snprintf(form.app, sizeof form.app, "APP");
  snprintf(form.room, sizeof form.room, "ROOM");
  link_format(&form, link);
  control_counters(c, &n);
  control_reply(c, k, id,
                json_pack("{s:s,s:s,s:s?,s:s?,s:i,s:i,s:I,s:I,s:I,s:I,s:I,s:I}", "version", GAVEL_VERSION,
                          "link", link, "database", c->cfg.database, "backups", c->cfg.backups, "rooms",
                          (int)n.rooms, "connections", (int)n.conns, "messages", (json_int_t)n.messages,
                          "refusals", (json_int_t)n.refusals, "events", (json_int_t)n.events, "commits",
                          (json_int_t)n.commits, "joins", (json_int_t)n.joins, "resumes",
                          (json_int_t)n.resumes));
}

static void server_metrics(struct control *c, struct conn *k, json_int_t id, json_t *params) {
  (void)params;
  char *text = metrics_text(c);
  control_reply(c, k, id, json_pack("{s:s}", "text", text ? text : ""));
  free(text);
}

/* Where people reach us, as it is configured now, and what is announced. There is no TURN and no log server
 * yet. */
static void ips_list(struct control *c, struct conn *k, json_int_t id, json_t *params) {
  json_t *body = json_pack("{s:[],s:[],s:[],s:[]}", "signalling", "media", "turn", "log");
  const char *why = NULL;
  for (unsigned t = 0; t < c->cfg.media_threads && t < CONTROL_THREADS_MAX; t++)
    for (size_t i = 0; i < c->cfg.n_candidates[t]; i++) {
      const struct sdp_candidate *at = &c->cfg.candidates[t][i];
      char cidr[sizeof at->address + 4];
      snprintf(cidr, sizeof cidr, "%s/%d", at->address, strchr(at->address, ':') ? 128 : 32);
      json_array_append_new(
          json_object_get(body, "media"),
          json_pack("{s:s,s:i,s:s}", "cidr", cidr, "port", at->port, "protocol", at->udp ? "udp" : "tcp"));
      if (t == 0 && at->udp)
        json_array_append_new(
            json_object_get(body, "signalling"),
            json_pack("{s:s,s:i,s:s}", "cidr", cidr, "port", c->cfg.link.port, "protocol", "tcp"));
    }
  if (access_call(c->access, "operator", "ips.planned", params, body, &why) == ERR_OK)
    control_reply(c, k, id, json_incref(body));
  else
    control_refuse(c, k, id, ERR_INTERNAL, why);
  json_decref(body);
}

static const struct {
  const char *method;
  void (*run)(struct control *c, struct conn *k, json_int_t id, json_t *params);
} ADMIN[] = {{"rooms.list", rooms_list},
             {"room.show", room_show},
             {"ips.list", ips_list},
             {"room.create", room_create},
             {"server.info", server_info},
             {"server.metrics", server_metrics},
             {"server.drain", upkeep_drain_call},
             {"server.maintenance_start", upkeep_start_call},
             {"server.maintenance_cancel", upkeep_cancel_call},
             {"server.maintenance_show", upkeep_show_call},
             {"server.alerts", alerts_call},
             {"webhook.list", hooks_list_call},
             {"webhook.retry", hooks_retry_call},
             {"webhook.drop", hooks_drop_call}};

/* What is none of a room's business; ERR_BAD_METHOD: it is. */
static enum err access_method(struct control *c, struct conn *k, json_int_t id, const char *method,
                              const json_t *params) {
  const char *why = NULL;
  json_t *reply = json_object();
  enum err e = rights_access_call(c, NULL, method, params, reply, &why);
  seats_recheck(c); /* before the next request: what is gone must not come back by the same name */
  if (e == ERR_OK)
    control_reply(c, k, id, json_incref(reply));
  else if (e != ERR_BAD_METHOD)
    control_refuse(c, k, id, e, why);
  json_decref(reply);
  return e;
}

static void dispatch(struct control *c, struct conn *k, json_int_t id, const char *method, json_t *params) {
  if (k->admin && access_method(c, k, id, method, params) != ERR_BAD_METHOD)
    return;
  if (!k->admin && rights_call(c, k, id, method, params))
    return;
  for (size_t i = 0; i < sizeof ADMIN / sizeof ADMIN[0]; i++)
    if (strcmp(method, ADMIN[i].method) == 0) {
      if (k->admin)
        ADMIN[i].run(c, k, id, params);
      else {
        audit_note(c->access,
                   &(struct audit_entry){.action = method, .outcome = ERR_NOT_ALLOWED, .addr = k->addr});
        control_refuse(c, k, id, ERR_NOT_ALLOWED, NULL);
      }
      return;
    }
  if (strcmp(method, "room.history") == 0) {
    history_call(c, k, id, params);
    return;
  }
  if (strcmp(method, "room.quality") == 0) {
    lines_call(c, k, id, params);
    return;
  }
  enum act act = strncmp(method, "room.", 5) == 0 ? act_find(method + 5) : ACT__COUNT;
  if (act == ACT__COUNT)
    control_refuse(c, k, id, ERR_BAD_METHOD, NULL);
  else
    act_call(c, k, id, act, params);
}

void acts_call(struct control *c, struct conn *k, json_int_t id, const char *method, json_t *params) {
  audited_begin(c, k, params);
  dispatch(c, k, id, method, params);
  audited_end(c);
}
