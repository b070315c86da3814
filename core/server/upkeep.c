#include "core/server/upkeep.h"

#include "core/base/log.h"
#include "core/base/utc.h"
#include "core/server/control_private.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MS INT64_C(86400000)
#define FAR_MS (366 * DAY_MS)
#define DRAIN_RETRY_MS 60000
#define HERD_MS 10000 /* those who were sent away come back within so much */
#define FOR_S 1800
#define BEFORE_S 300
#define NAME "ops.maintenance" /* of the sealed value */

/* ---- kept ---- */

void upkeep_load(struct control *c) {
  char text[1024];
  size_t n = sizeof text - 1;
  struct upkeep *u = &c->upkeep;
  *u = (struct upkeep){.draining = u->draining, .told_door = u->told_door, .sent_away = u->sent_away};
  if (store_get_secret(c->cfg.store, NAME, text, &n) != ERR_OK)
    return;
  json_t *o = json_loadb(text, n, 0, NULL);
  u->at_ms = json_int(o, "at_ms", 0);
  u->until_ms = json_int(o, "until_ms", 0);
  u->door_ms = json_int(o, "door_ms", 0);
  snprintf(u->text, sizeof u->text, "%s", json_str(o, "text", ""));
  json_decref(o);
}

static void keep(struct control *c) {
  const struct upkeep *u = &c->upkeep;
  json_t *o = json_pack("{s:I,s:I,s:I,s:s}", "at_ms", (json_int_t)u->at_ms, "until_ms",
                        (json_int_t)u->until_ms, "door_ms", (json_int_t)u->door_ms, "text", u->text);
  char *text = json_dumps(o, JSON_COMPACT);
  enum err e = text ? store_put_secret(c->cfg.store, NAME, text, strlen(text)) : ERR_NOMEM;
  if (e != ERR_OK && c->group_err == ERR_OK)
    c->group_err = e;
  free(text);
  json_decref(o);
}

/* ---- words ---- */

/* "18:00 UTC", with its day when that is another one. */
static void clock_words(const struct control *c, int64_t ms, char out[32]) {
  char at[UTC_MAX];
  utc_text(ms, at);
  if (ms / DAY_MS == c->wall_ms / DAY_MS)
    snprintf(out, 32, "%.5s UTC", at + 11);
  else
    snprintf(out, 32, "%.10s %.5s UTC", at, at + 11);
}

static void plan_words(const struct control *c, char out[320]) {
  const struct upkeep *u = &c->upkeep;
  char from[32], until[32];
  clock_words(c, u->at_ms, from);
  clock_words(c, u->until_ms, until);
  snprintf(out, 320, "maintenance from %s to %s%s%.200s", from, until, *u->text ? ": " : "", u->text);
}

/* ---- telling ---- */

static json_t *plan(const struct control *c) {
  const struct upkeep *u = &c->upkeep;
  return json_pack("{s:I,s:I,s:s}", "at_ms", (json_int_t)u->at_ms, "until_ms", (json_int_t)u->until_ms,
                   "text", u->text);
}

void upkeep_greet(struct control *c, struct conn *k) {
  if (c->upkeep.at_ms)
    control_notify(c, k, "maintenance", plan(c));
}

static void announce(struct control *c, struct hosted *h, const char *words) {
  struct room_cmd cmd = {.act = ACT_ANNOUNCE, .text = words};
  struct room_events evs = {0};
  if (room_count(&h->room, PRESENCE_HERE) > 0 && room_decide(&h->room, &cmd, c->wall_ms, &evs) == ERR_OK)
    hosted_run(c, h, &evs);
  room_events_free(&evs);
}

/* A line in each chat, and for the banner a notification to each person, also to those who wait. */
static void tell_all(struct control *c, const char *how, const char *what) {
  char words[400];
  struct hosted *h;
  struct conn *k;
  snprintf(words, sizeof words, "%s: %s", how, what);
  for (size_t at = 0; (h = map_next(c->rooms, &at));)
    announce(c, h, words);
  for (size_t at = 0; (k = map_next(c->conns, &at));)
    if (k->seat)
      control_notify(c, k, "maintenance", plan(c));
}

static void send_away(struct control *c) {
  char words[320];
  struct conn *k;
  plan_words(c, words);
  for (size_t at = 0; (k = map_next(c->conns, &at));) {
    int64_t left_ms = c->upkeep.until_ms - c->wall_ms + (int64_t)rng_below(c->cfg.rng, HERD_MS);
    if (k->admin || k->ops || !k->seat)
      continue;
    control_notify(c, k, "bye",
                   json_pack("{s:s,s:s,s:I}", "code", err_code(ERR_DRAINING), "text", words, "retry_ms",
                             (json_int_t)left_ms));
    control_close(c, k);
  }
}

/* ---- time ---- */

static void note(struct control *c, const char *action, enum err e) {
  json_t *meta = c->upkeep.at_ms ? plan(c) : NULL;
  audit_note(c->access, &(struct audit_entry){.actor = audit_serving(c->access) ? NULL : "system",
                                              .action = action,
                                              .outcome = e,
                                              .meta = meta});
  json_decref(meta);
}

void upkeep_tick(struct control *c) {
  struct upkeep *u = &c->upkeep;
  if (!u->at_ms)
    return;
  if (c->wall_ms >= u->until_ms) {
    note(c, "maintenance.end", ERR_OK);
    log_event(LOG_INFO, "the maintenance has ended", NULL);
    *u = (struct upkeep){.draining = u->draining};
    keep(c);
  } else if (c->wall_ms >= u->at_ms && !u->sent_away) {
    u->sent_away = u->told_door = true;
    note(c, "maintenance.begin", ERR_OK);
    log_event(LOG_INFO, "the maintenance begins", NULL);
    send_away(c);
  } else if (c->wall_ms >= u->door_ms && !u->told_door) {
    u->told_door = true;
    char words[320];
    plan_words(c, words);
    tell_all(c, "Soon", words);
  }
}

int64_t upkeep_next_ms(const struct control *c) {
  const struct upkeep *u = &c->upkeep;
  return !u->at_ms ? INT64_MAX : u->sent_away ? u->until_ms : u->told_door ? u->at_ms : u->door_ms;
}

bool upkeep_drains(const struct control *c) {
  return *upkeep_state(c);
}

const char *upkeep_state(const struct control *c) {
  bool planned = c->upkeep.at_ms && c->wall_ms >= c->upkeep.door_ms;
  return planned ? "maintenance" : c->upkeep.draining ? "draining" : "";
}

enum err upkeep_admits(struct control *c, bool resumes, char words[320]) {
  const struct upkeep *u = &c->upkeep;
  bool away = u->at_ms && c->wall_ms >= u->at_ms;
  if (!upkeep_drains(c) || (resumes && !away))
    return ERR_OK;
  bool planned = u->at_ms && c->wall_ms >= u->door_ms;
  int64_t ms = planned ? u->until_ms - c->wall_ms + (int64_t)rng_below(c->cfg.rng, HERD_MS) : DRAIN_RETRY_MS;
  c->retry_ms = ms > INT32_MAX ? INT32_MAX : (int)ms;
  if (words && planned)
    plan_words(c, words);
  else if (words)
    snprintf(words, 320, "%s", err_text(ERR_DRAINING));
  return ERR_DRAINING;
}

/* ---- the operator ---- */

static json_t *state(const struct control *c) {
  json_t *o = json_pack("{s:b,s:b}", "draining", c->upkeep.draining, "takes_people", !upkeep_drains(c));
  char at[UTC_MAX], until[UTC_MAX], door[UTC_MAX];
  if (!c->upkeep.at_ms)
    return o;
  utc_text(c->upkeep.at_ms, at);
  utc_text(c->upkeep.until_ms, until);
  utc_text(c->upkeep.door_ms, door);
  json_object_set_new(o, "at", json_string(at));
  json_object_set_new(o, "until", json_string(until));
  json_object_set_new(o, "nobody_new_from", json_string(door));
  json_object_set_new(o, "text", json_string(c->upkeep.text));
  return o;
}

void upkeep_show_call(struct control *c, struct conn *k, json_int_t id, json_t *params) {
  if (json_object_size(params) > 0)
    control_refuse(c, k, id, ERR_BAD_ARG, NULL);
  else
    control_reply(c, k, id, state(c));
}

void upkeep_drain_call(struct control *c, struct conn *k, json_int_t id, json_t *params) {
  bool undo = json_flag(params, "undo", false);
  enum err e = !json_only_keys(params, "undo", NULL) ? ERR_BAD_ARG
               : c->upkeep.draining == !undo         ? ERR_NO_CHANGE
                                                     : ERR_OK;
  if (e == ERR_OK)
    c->upkeep.draining = !undo;
  note(c, undo ? "server.undrain" : "server.drain", e);
  if (e != ERR_OK)
    control_refuse(c, k, id, e, NULL);
  else
    control_reply(c, k, id, state(c));
}

/* 90s, 5m, 2h, 1d. */
static int64_t span(const char *text) {
  char *end;
  long long n = strtoll(text, &end, 10);
  const char *unit = end != text && *end && !end[1] ? strchr("smhd", *end) : NULL;
  int64_t ms = !unit ? 0 : *unit == 's' ? 1000 : *unit == 'm' ? 60000 : *unit == 'h' ? 3600000 : DAY_MS;
  return isdigit((unsigned char)text[0]) && ms && n > 0 && n <= FAR_MS / ms ? n * ms : 0;
}

int64_t upkeep_at(const char *text, int64_t now_ms) {
  unsigned h, m;
  char end;
  int64_t ms = 0;
  if (text[0] == '+')
    return span(text + 1) ? now_ms + span(text + 1) : 0;
  if (strlen(text) == 5 && sscanf(text, "%2u:%2u%c", &h, &m, &end) == 2 && h < 24 && m < 60) {
    ms = now_ms / DAY_MS * DAY_MS + ((int64_t)h * 60 + m) * 60000;
    return ms > now_ms ? ms : ms + DAY_MS;
  }
  return utc_read(text, &ms) && ms > now_ms && ms - now_ms < FAR_MS ? ms : 0;
}

void upkeep_start_call(struct control *c, struct conn *k, json_int_t id, json_t *params) {
  const char *text = json_str(params, "text", "");
  int64_t for_s = json_int(params, "for", FOR_S), before_s = json_int(params, "before", BEFORE_S);
  int64_t at = upkeep_at(json_str(params, "at", ""), c->wall_ms);
  struct upkeep u = {.draining = c->upkeep.draining, .at_ms = at};
  bool known = json_only_keys(params, "at", "for", "before", "text", NULL);
  enum err e = known && at && for_s > 0 && for_s <= 7 * 86400 && before_s >= 0 && before_s <= 86400
                   ? text_clean_line(text, strlen(text), u.text)
                   : ERR_BAD_ARG;
  if (e == ERR_OK && c->upkeep.at_ms)
    e = ERR_EXISTS;
  if (e != ERR_OK) {
    note(c, "maintenance.start", e);
    control_refuse(c, k, id, e, at ? NULL : "--at is +30m, 18:00 or 2026-01-31T18:00Z, in UTC, and to come");
    return;
  }
  u.until_ms = at + for_s * 1000;
  u.door_ms = at - before_s * 1000;
  u.told_door = u.door_ms <= c->wall_ms; /* they hear of it now */
  c->upkeep = u;
  keep(c);
  note(c, "maintenance.start", ERR_OK);
  char words[320];
  plan_words(c, words);
  tell_all(c, "This server will be down", words);
  control_reply(c, k, id, state(c));
}

void upkeep_cancel_call(struct control *c, struct conn *k, json_int_t id, json_t *params) {
  char words[320];
  enum err e = json_object_size(params) > 0 ? ERR_BAD_ARG : c->upkeep.at_ms ? ERR_OK : ERR_NO_CHANGE;
  note(c, "maintenance.cancel", e);
  if (e != ERR_OK) {
    control_refuse(c, k, id, e, NULL);
    return;
  }
  plan_words(c, words);
  c->upkeep = (struct upkeep){.draining = c->upkeep.draining};
  keep(c);
  tell_all(c, "It does not take place", words);
  control_reply(c, k, id, state(c));
}
