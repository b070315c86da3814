/* monitor.c: who may listen in: each condition, and a refusal of its own for each. */
#include "core/server/monitor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MFA_FRESH_MS 300000
#define MINUTES_MOST 10
#define WISH_US (600 * US_PER_S)     /* that long another operator may say yes */
#define APPROVED_US (300 * US_PER_S) /* and then it is to begin */
#define WISHES_MAX 32

struct monitor *monitor_state(struct control *c) {
  if (!c->monitor) {
    c->monitor = calloc(1, sizeof *c->monitor);
    if (!c->monitor)
      abort();
  }
  return c->monitor;
}

/* ---- another operator's word ---- */

static bool same_wish(const struct wish *w, const struct join *j) {
  return strcmp(w->room, j->h->name) == 0 && strcmp(w->pid, j->grant.pid) == 0 &&
         strcmp(w->reason, j->monitor.reason) == 0 && strcmp(w->ticket, j->monitor.ticket) == 0 &&
         w->minutes == j->monitor.minutes;
}

static void sweep(struct monitor *m, us_t now) {
  for (struct wish **at = &m->wishes; *at;) {
    struct wish *w = *at;
    if (w->ends > now) {
      at = &w->next;
      continue;
    }
    *at = w->next;
    free(w);
  }
}

void monitor_wishes_drop(struct control *c) {
  if (c->monitor)
    sweep(c->monitor, US_NEVER);
}

static struct wish *wish_of(const struct control *c, const struct join *j) {
  struct wish *w = c->monitor ? c->monitor->wishes : NULL;
  while (w && !same_wish(w, j))
    w = w->next;
  return w;
}

static enum err wish_enter(struct control *c, const struct join *j) {
  struct monitor *m = monitor_state(c);
  size_t n = 0;
  for (const struct wish *w = m->wishes; w; w = w->next)
    n++;
  struct wish *w = n < WISHES_MAX ? calloc(1, sizeof *w) : NULL;
  if (!w)
    return ERR_FULL;
  w->number = ++m->last;
  w->ends = c->now + WISH_US;
  w->minutes = j->monitor.minutes;
  snprintf(w->room, sizeof w->room, "%s", j->h->name);
  snprintf(w->pid, sizeof w->pid, "%s", j->grant.pid);
  snprintf(w->user, sizeof w->user, "%s", j->grant.user);
  snprintf(w->reason, sizeof w->reason, "%s", j->monitor.reason);
  snprintf(w->ticket, sizeof w->ticket, "%s", j->monitor.ticket);
  w->next = m->wishes;
  m->wishes = w;
  return ERR_SILENT_APPROVAL;
}

static enum err approved(struct control *c, const struct join *j) {
  sweep(monitor_state(c), c->now);
  const struct wish *w = wish_of(c, j);
  return !w ? wish_enter(c, j) : w->approved ? ERR_OK : ERR_SILENT_APPROVAL;
}

json_t *monitor_wish(const struct control *c, const struct join *j) {
  const struct wish *w = j->h ? wish_of(c, j) : NULL;
  return w ? json_pack("{s:I}", "approval", (json_int_t)w->number) : NULL;
}

void monitor_wish_take(struct control *c, const struct join *j, char by[ACCESS_PID_MAX + 1]) {
  struct wish *w = wish_of(c, j);
  if (!w)
    return;
  snprintf(by, ACCESS_PID_MAX + 1, "%s", w->by[0] ? w->by : "operator");
  w->ends = 0;
  sweep(c->monitor, c->now);
}

enum err monitor_approve(struct control *c, const char *by, int64_t number) {
  struct monitor *m = monitor_state(c);
  sweep(m, c->now);
  struct wish *w = m->wishes;
  while (w && w->number != number)
    w = w->next;
  enum err e = !w || w->approved ? ERR_NOTHING : strcmp(w->pid, by) == 0 ? ERR_NOT_SELF : ERR_OK;
  if (e == ERR_OK) {
    w->approved = true;
    w->ends = c->now + APPROVED_US;
    snprintf(w->by, sizeof w->by, "%s", by);
  }
  json_t *meta = w ? json_pack("{s:s,s:s,s:s,s:I}", "asked_by", w->pid, "ticket", w->ticket, "room", w->room,
                               "minutes", w->minutes)
                   : NULL;
  audit_note(c->access,
             &(struct audit_entry){
                 .action = "monitor.approve", .target = w ? w->pid : "", .outcome = e, .meta = meta});
  json_decref(meta);
  return e;
}

json_t *monitor_approvals(const struct control *c) {
  json_t *list = json_array();
  for (const struct wish *w = c->monitor ? c->monitor->wishes : NULL; w; w = w->next)
    if (w->ends > c->now)
      json_array_append_new(
          list, json_pack("{s:I,s:s,s:s,s:s,s:s,s:I,s:I,s:s}", "approval", (json_int_t)w->number, "room",
                          w->room, "operator", w->user, "reason", w->reason, "ticket", w->ticket, "minutes",
                          w->minutes, "ends_ms", (json_int_t)(c->wall_ms + (w->ends - c->now) / US_PER_MS),
                          "approved_by", w->approved ? (w->by[0] ? w->by : "operator") : ""));
  return list;
}

/* ---- what is asked ---- */

static enum err text_of(const json_t *o, const char *key, char *out, size_t cap, enum err missing) {
  const char *text = json_str(o, key, "");
  char line[TEXT_LINE_MAX + 1];
  if (text_clean_line(text, strlen(text), line) != ERR_OK || strlen(line) >= cap)
    return ERR_BAD_ARG;
  snprintf(out, cap, "%s", line);
  return *line ? ERR_OK : missing;
}

static enum err read_monitor(const json_t *o, struct join_monitor *m) {
  const char *mode = json_str(o, "mode", "");
  m->silent = strcmp(mode, "silent") == 0;
  m->minutes = json_int(o, "minutes", 0);
  if (!json_is_object(o) || !json_only_keys(o, "mode", "reason", "ticket", "minutes", NULL) ||
      (!m->silent && strcmp(mode, "listen") != 0))
    return ERR_BAD_ARG;
  return ERR_OK;
}

static enum err read_why(const json_t *o, struct join_monitor *m) {
  enum err e = text_of(o, "reason", m->reason, sizeof m->reason, ERR_MONITOR_REASON);
  return e == ERR_OK ? text_of(o, "ticket", m->ticket, sizeof m->ticket, ERR_MONITOR_TICKET) : e;
}

/* ---- the conditions ---- */

/* There are no rooms encrypted from end to end yet: this is where they say no, as nobody but their people has
 * the key. */
static bool is_end_to_end(const struct room *r) {
  (void)r;
  return false;
}

/* Everybody whose voice may be heard has said yes to the text that speaks of monitoring; who waits may be let
 * in at any moment, and knocked perhaps before there was such a text. */
static bool all_consent(struct control *c, const struct room *r) {
  for (size_t i = 0; i < r->n_members; i++) {
    const struct member *m = &r->members[i];
    if (m->role != ROLE_MONITOR &&
        (!m->pid[0] || access_consent(c->access, m->pid, NULL, "monitor") != ERR_OK))
      return false;
  }
  return true;
}

enum err monitor_room_allows(struct control *c, const struct hosted *h) {
  const struct monitor_rules *rules = access_monitor_rules(c->access);
  const char *version;
  if (!rules->silent)
    return ERR_SILENT_OFF;
  if (is_end_to_end(&h->room))
    return ERR_SILENT_E2E;
  if (!rules->consent || !access_consent_text(c->access, &version))
    return ERR_SILENT_TEXT;
  return all_consent(c, &h->room) ? ERR_OK : ERR_SILENT_CONSENT;
}

static enum err person_allows(const struct control *c, const struct join *j) {
  const struct grant *g = &j->grant;
  if (!(g->scopes & SCOPE_SILENT))
    return ERR_SILENT_SCOPE;
  int64_t age_ms = c->wall_ms - g->mfa_ms; /* below 0: the clock was set back, nobody knows */
  return g->mfa && age_ms >= 0 && age_ms < MFA_FRESH_MS ? ERR_OK : ERR_SILENT_MFA;
}

static enum err silent_allows(struct control *c, struct join *j) {
  enum err e = access_monitor_rules(c->access)->silent ? person_allows(c, j) : ERR_SILENT_OFF;
  if (e == ERR_OK)
    e = read_why(j->monitor_asked, &j->monitor);
  if (e == ERR_OK && (j->monitor.minutes < 1 || j->monitor.minutes > MINUTES_MOST))
    e = ERR_SILENT_MINUTES;
  if (e == ERR_OK)
    e = monitor_room_allows(c, j->h);
  return e == ERR_OK && access_monitor_rules(c->access)->second_person ? approved(c, j) : e;
}

/* Rooms of any application. */
static enum err find_room(struct control *c, const struct conn *k, struct join *j) {
  const char *app = j->app ? j->app : "";
  char name[HOSTED_NAME_MAX + 1];
  if (strlen(app) > ACCESS_APP_MAX || !*j->room || !access_room(j->room, j->slug))
    return ERR_NO_ROOM;
  hosted_name(app, j->slug, name);
  j->h = hosted_find(c, name);
  if (!j->h || j->h->room.ended)
    return ERR_NO_ROOM;
  return access_address(c->access, app, j->slug, k->addr);
}

enum err monitor_claim(struct control *c, struct conn *k, struct join *j) {
  enum err e = read_monitor(j->monitor_asked, &j->monitor);
  if (e == ERR_OK && (j->invite || j->resume || j->password))
    e = ERR_BAD_ARG;
  if (e == ERR_OK && !j->token)
    e = ERR_NEED_ACCOUNT;
  if (e == ERR_OK)
    e = access_token(c->access, j->token, "", k->addr, &j->grant);
  if (e == ERR_OK && !j->grant.session[0])
    e = ERR_BAD_TOKEN;
  if (e == ERR_OK && !(j->grant.scopes & (j->monitor.silent ? SCOPE_LISTEN | SCOPE_SILENT : SCOPE_LISTEN)))
    e = ERR_SCOPE;
  if (e == ERR_OK)
    e = find_room(c, k, j);
  if (e == ERR_OK)
    e = j->monitor.silent ? silent_allows(c, j) : read_why(j->monitor_asked, &j->monitor);
  j->role = ROLE_MONITOR;
  snprintf(j->shown, sizeof j->shown, "%s", MONITOR_NAME);
  return e;
}
