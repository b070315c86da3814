/* monitor_listen.c: operators who listen now: how it is told, what of it is written down, when it ends. */
#include "core/server/monitor.h"
#include "core/wire/room_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK_US US_PER_S

/* ---- what the audit log has ---- */

static json_int_t seconds(const struct control *c, const struct listener *l) {
  return (c->now - l->since) / US_PER_S;
}

/* An end is no refusal, which would only be counted when it comes again. */
static void audited(struct control *c, const struct listener *l, bool ends, enum err why) {
  json_t *meta = json_pack("{s:s,s:s}", "mode", l->seat ? "silent" : "listen", "reason", l->reason);
  if (l->by[0])
    json_object_set_new(meta, "approved_by", json_string(l->by));
  if (l->seat)
    json_object_set_new(meta, "minutes", json_integer((l->ends_ms - l->since_ms) / 60000));
  if (ends)
    json_object_set_new(meta, "seconds", json_integer(seconds(c, l)));
  if (why != ERR_OK)
    json_object_set_new(meta, "why", json_string(err_code(why)));
  audit_note(c->access, &(struct audit_entry){.actor = l->grant.pid,
                                              .action = ends ? "monitor.end" : "monitor.begin",
                                              .app = l->h->app,
                                              .room = l->h->room.name,
                                              .ticket = l->ticket,
                                              .meta = meta});
  json_decref(meta);
}

/* ---- beginning ---- */

static struct listener *listener_new(struct control *c, const struct join *j) {
  struct monitor *m = monitor_state(c);
  struct listener *l = calloc(1, sizeof *l);
  if (!l)
    abort();
  l->id = ++m->last;
  l->h = j->h;
  l->grant = j->grant;
  l->since_ms = c->wall_ms;
  l->since = c->now;
  l->ends = US_NEVER;
  snprintf(l->reason, sizeof l->reason, "%s", j->monitor.reason);
  snprintf(l->ticket, sizeof l->ticket, "%s", j->monitor.ticket);
  l->next = m->listeners;
  m->listeners = l;
  return l;
}

void monitor_announced(struct control *c, const struct join *j) {
  struct listener *l = listener_new(c, j);
  l->member = j->member;
  audited(c, l, false, ERR_OK);
}

static struct seat *silent_seat(struct conn *k, struct hosted *h) {
  struct seat *s = calloc(1, sizeof *s);
  if (!s)
    abort();
  s->member = ROOM_SILENT;
  s->conn = k;
  s->view = VIEW_MEMBER;
  memcpy(s->addr, k->addr, sizeof s->addr);
  k->seat = s;
  k->room = h;
  return s;
}

void monitor_silent(struct control *c, struct conn *k, json_int_t id, struct join *j) {
  const char *why = NULL;
  struct listener *l = listener_new(c, j);
  l->conn = k;
  l->seat = silent_seat(k, j->h);
  l->ends = c->now + j->monitor.minutes * 60 * US_PER_S;
  l->ends_ms = c->wall_ms + j->monitor.minutes * 60000;
  if (access_monitor_rules(c->access)->second_person)
    monitor_wish_take(c, j, l->by);
  audited(c, l, false, ERR_OK);
  json_t *body = json_pack("{s:s,s:I,s:o,s:I}", "state", "listening", "me", (json_int_t)ROOM_SILENT, "room",
                           room_to_wire(&j->h->room, ROOM_SILENT), "ends_ms", (json_int_t)l->ends_ms);
  char *answer = j->sdp ? seat_answer(c, j->h, l->seat, j->sdp, &why) : NULL;
  if (answer)
    json_object_set_new(body, "sdp", json_string(answer));
  else if (j->sdp)
    json_object_set_new(body, "sdp_error", json_string(why ? why : "not acceptable"));
  free(answer);
  control_reply(c, k, id, body);
}

/* ---- ending ---- */

static void unlist(struct monitor *m, const struct listener *l) {
  struct listener **at = &m->listeners;
  while (*at != l)
    at = &(*at)->next;
  *at = l->next;
}

static void system_says(struct control *c, struct hosted *h, enum act act, const char *text) {
  struct room_cmd cmd = {.act = act, .text = text};
  struct room_events evs = {0};
  if (room_decide(&h->room, &cmd, c->wall_ms, &evs) == ERR_OK)
    hosted_run(c, h, &evs);
  room_events_free(&evs);
}

/* For the hosts, once it is over, where the policy says so. */
static void tell_hosts(struct control *c, const struct listener *l) {
  char text[128 + MONITOR_REASON_MAX + MONITOR_TICKET_MAX];
  if (!access_monitor_rules(c->access)->tell_host_after || l->h->room.ended)
    return;
  snprintf(text, sizeof text,
           "An operator listened to this room unannounced for %lld s. Reason: %s. Ticket: %s.",
           (long long)seconds(c, l), l->reason, l->ticket);
  system_says(c, l->h, ACT_CHAT_HOSTS, text);
}

static void silent_over(struct control *c, struct listener *l, enum err why) {
  struct conn *k = l->conn;
  if (k) {
    k->seat = NULL;
    k->room = NULL;
    control_notify(c, k, "bye", json_pack("{s:s,s:s}", "code", err_code(why), "text", err_text(why)));
    control_close(c, k);
  }
  seat_drop_media(c, l->h, l->seat);
  tell_hosts(c, l);
}

static void over(struct control *c, struct listener *l, enum err why) {
  unlist(c->monitor, l);
  audited(c, l, true, why);
  if (l->seat)
    silent_over(c, l, why);
  free(l->seat);
  free(l);
}

static struct listener *listener_of(const struct control *c, const struct conn *k) {
  struct listener *l = c->monitor ? c->monitor->listeners : NULL;
  while (l && !(l->seat && l->conn == k))
    l = l->next;
  return l;
}

void monitor_dropped(struct control *c, struct conn *k) {
  struct listener *l = listener_of(c, k);
  if (!l)
    return;
  l->conn = NULL;
  over(c, l, ERR_OK);
}

/* Does what may change by itself still hold? The rest changes with the configuration only: who comes in has
 * to consent, and who withdraws leaves. */
static enum err holds(struct control *c, const struct listener *l) {
  if (l->h->room.ended)
    return ERR_ROOM_ENDED;
  if (!l->seat)
    return room_member(&l->h->room, l->member) ? ERR_OK : ERR_MONITOR_OVER;
  enum err e = l->ends <= c->now ? ERR_MONITOR_OVER : access_still(c->access, &l->grant);
  bool asks = e == ERR_OK && addr_known(l->seat->addr);
  return asks ? access_address(c->access, l->h->app, l->h->room.name, l->seat->addr) : e;
}

/* Of those of a room, or of all, whoever may not any more ends; ending one may end others, so it begins
 * again. */
static void recheck(struct control *c, const struct hosted *h, bool rules) {
  for (struct listener *l = c->monitor ? c->monitor->listeners : NULL; l;) {
    enum err e = h && l->h != h ? ERR_OK : holds(c, l);
    if (e == ERR_OK && rules && l->seat)
      e = monitor_room_allows(c, l->h);
    if (e != ERR_OK)
      over(c, l, e == ERR_MONITOR_OVER && !l->seat ? ERR_OK : e);
    l = e != ERR_OK ? c->monitor->listeners : l->next;
  }
}

void monitor_recheck(struct control *c) {
  recheck(c, NULL, true);
}

void monitor_lost(struct control *c) {
  recheck(c, NULL, false);
  monitor_wishes_drop(c);
  for (struct listener *l = c->monitor ? c->monitor->listeners : NULL; l;)
    if (l->seat) {
      over(c, l, ERR_DISK_FULL);
      l = c->monitor->listeners;
    } else
      l = l->next;
}

void monitor_stop(struct control *c) {
  while (c->monitor && c->monitor->listeners)
    over(c, c->monitor->listeners, ERR_AGAIN);
}

/* Who was let in by monitor_claim: by a session, and no invite. */
static bool is_operator(const struct member *m) {
  return m->role == ROLE_MONITOR && m->pass.session[0] && !m->invite;
}

void monitor_restarted(struct control *c, struct hosted *h) {
  for (size_t i = h->room.n_members; i-- > 0 && !h->room.ended;) {
    struct room_cmd cmd = {.act = ACT_LEAVE, .actor = h->room.members[i].id};
    struct room_events evs = {0};
    if (is_operator(&h->room.members[i]) && room_decide(&h->room, &cmd, c->wall_ms, &evs) == ERR_OK)
      hosted_run(c, h, &evs);
    room_events_free(&evs);
  }
}

void monitor_tick(struct control *c) {
  if (monitor_next(c) <= c->now) {
    recheck(c, NULL, false);
    c->monitor->check_at = c->now + CHECK_US;
  }
}

us_t monitor_next(const struct control *c) {
  us_t next = US_NEVER;
  for (const struct listener *l = c->monitor ? c->monitor->listeners : NULL; l; l = l->next)
    if (l->seat) {
      next = l->ends < next ? l->ends : next;
      next = c->monitor->check_at < next ? c->monitor->check_at : next;
    }
  return next;
}

/* ---- announced ---- */

unsigned monitor_announced_in(const struct room *r) {
  unsigned n = 0;
  for (size_t i = 0; i < r->n_members; i++)
    n += r->members[i].role == ROLE_MONITOR && r->members[i].presence != PRESENCE_WAITING;
  return n;
}

static void tones(struct control *c, struct hosted *h, bool begin) {
  for (unsigned side = 0; side <= ROOM_SIDES_MAX; side++) {
    struct media_cmd cmd = {.kind = MEDIA_TONE, .room = h->media[side], .rising = begin};
    if (cmd.room)
      c->cfg.media(c->cfg.ctx, h->thread, &cmd);
  }
}

void monitor_ran(struct control *c, struct hosted *h) {
  unsigned before = h->monitors, now = monitor_announced_in(&h->room);
  h->monitors = now;
  recheck(c, h, false);
  if (now == before || h->room.ended)
    return;
  tones(c, h, now > before);
  system_says(c, h, ACT_ANNOUNCE,
              now > before ? "Monitoring begins: a monitor is listening to this room."
              : now        ? "A monitor has stopped listening; another one still listens."
                           : "Monitoring has ended: the monitor has stopped listening.");
}

void monitor_notice(struct control *c, struct conn *k, const struct hosted *h) {
  if (h->monitors)
    control_notify(
        c, k, "notice",
        json_pack("{s:s,s:s}", "code", "monitored", "text", "A monitor is listening to this room."));
}

/* ---- in silence: nobody's member ---- */

bool monitor_listens(const struct conn *k) {
  return k->seat && k->seat->member == ROOM_SILENT;
}

bool monitor_call(struct control *c, struct conn *k, json_int_t id, const char *method) {
  static const char *const MAY[] = {"ping",      "room.media",   "media.bandwidth",
                                    "media.ice", "media.tunnel", "media.via"};
  for (size_t i = 0; i < sizeof MAY / sizeof MAY[0]; i++)
    if (strcmp(method, MAY[i]) == 0)
      return false;
  if (strcmp(method, "room.leave") == 0) {
    control_reply(c, k, id, json_object());
    over(c, listener_of(c, k), ERR_OK);
  } else
    control_refuse(c, k, id, ERR_NOT_ALLOWED, "who listens in silence does nothing else");
  return true;
}

struct seat *monitor_seat(const struct control *c, const struct hosted *h, size_t i) {
  for (struct listener *l = c->monitor ? c->monitor->listeners : NULL; l; l = l->next)
    if (l->seat && l->h == h && i-- == 0)
      return l->seat;
  return NULL;
}

struct seat *monitor_seat_of(const struct control *c, uint32_t peer) {
  for (struct listener *l = c->monitor ? c->monitor->listeners : NULL; l; l = l->next)
    if (l->seat && l->seat->peer == peer)
      return l->seat;
  return NULL;
}

/* ---- to the hosts ---- */

enum err monitor_whisper(struct control *c, struct hosted *h, uint32_t from, const char *text,
                         json_t **reply) {
  struct room_cmd cmd = {.act = ACT_CHAT_HOSTS, .text = text};
  struct room_events evs = {0};
  enum err e = room_decide(&h->room, &cmd, c->wall_ms, &evs);
  if (e == ERR_OK) {
    *reply = json_pack("{s:I}", "seq", (json_int_t)evs.v[evs.n - 1].seq);
    hosted_run(c, h, &evs);
  }
  room_events_free(&evs);
  const struct member *m = from ? room_member(&h->room, from) : NULL;
  audit_note(c->access, &(struct audit_entry){.actor = m ? m->pid : NULL,
                                              .action = "ops.whisper",
                                              .app = h->app,
                                              .room = h->room.name,
                                              .outcome = e});
  return e;
}

static bool is_listener(const struct control *c, const struct conn *k) {
  const struct listener *l = c->monitor ? c->monitor->listeners : NULL;
  while (l && !(k->seat && !l->seat && l->h == k->room && l->member == k->seat->member))
    l = l->next;
  return l != NULL;
}

void monitor_whisper_call(struct control *c, struct conn *k, json_int_t id, const json_t *params) {
  const char *text = json_str(params, "text", NULL);
  json_t *reply = NULL;
  enum err e = !is_listener(c, k)                               ? ERR_NOT_ALLOWED
               : !text || !json_only_keys(params, "text", NULL) ? ERR_BAD_ARG
                                                                : ERR_OK;
  if (e == ERR_OK)
    e = monitor_whisper(c, k->room, k->seat->member, text, &reply);
  if (e == ERR_OK)
    control_reply(c, k, id, reply);
  else
    control_refuse(c, k, id, e, NULL);
}

/* ---- what operators see of it ---- */

json_t *monitor_list(const struct control *c, const struct hosted *h) {
  json_t *list = json_array();
  for (const struct listener *l = c->monitor ? c->monitor->listeners : NULL; l; l = l->next)
    if (!h || l->h == h)
      json_array_append_new(list, json_pack("{s:i,s:s,s:s,s:s,s:s,s:s,s:I,s:I}", "id", (int)l->id, "room",
                                            l->h->name, "operator", l->grant.user, "mode",
                                            l->seat ? "silent" : "listen", "reason", l->reason, "ticket",
                                            l->ticket, "since_ms", (json_int_t)l->since_ms, "ends_ms",
                                            (json_int_t)l->ends_ms));
  return list;
}

size_t monitor_count(const struct control *c) {
  size_t n = 0;
  for (const struct listener *l = c->monitor ? c->monitor->listeners : NULL; l; l = l->next)
    n++;
  return n;
}

void monitor_free(struct control *c) {
  struct monitor *m = c->monitor;
  monitor_wishes_drop(c);
  while (m && m->listeners) {
    struct listener *l = m->listeners;
    m->listeners = l->next;
    free(l->seat);
    free(l);
  }
  free(m);
  c->monitor = NULL;
}
