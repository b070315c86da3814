/* watch_fixture.h: a feed of invented rooms for the tests of `gavel watch`: as docs/protocol.md section 7 has
 * it, a virtual clock, keys typed by name. */
#ifndef GAVEL_TESTS_WATCH_FIXTURE_H
#define GAVEL_TESTS_WATCH_FIXTURE_H

#include "tui/command.h"
#include "tui/watch_view.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WF_WALL_MS INT64_C(1760000000000)
#define WF_START_US (1000 * US_PER_S)

struct wf {
  struct watch_model *m;
  struct watch_pilot u;
  struct keymap *keys;
  us_t now;
};

struct wf_room { /* what differs from an empty room; the rest is 0 */
  const char *name;
  int people, waiting, talkers, loss_up, loss_down, jitter, mos, full, packed, low, min, minutes, lines;
  const char *alerts; /* words with commas */
};

static inline json_t *wf_words(const char *words) {
  json_t *list = json_array();
  while (words && *words) {
    size_t n = strcspn(words, ",");
    json_array_append_new(list, json_stringn(words, n));
    words += n + (words[n] == ',');
  }
  return list;
}

static inline json_t *wf_row(const struct wf_room *r) {
  const char *slash = strchr(r->name, '/');
  char app[64] = "";
  if (slash)
    snprintf(app, sizeof app, "%.*s", (int)(slash - r->name), r->name);
  json_t *o = json_pack("{s:s,s:s,s:s,s:s,s:i,s:i,s:i,s:i,s:i,s:i,s:i,s:i}", "room", r->name, "app", app,
                        "name", slash ? slash + 1 : r->name, "region", "eu-1", "people", r->people, "waiting",
                        r->waiting, "away", 0, "hosts", r->people > 0, "monitors", 0, "talkers", r->talkers,
                        "muted", 0, "lines", r->lines);
  json_t *more = json_pack("{s:[i,i],s:[i,i],s:[i,i],s:[i,i],s:[i,i]}", "loss_up", 0, r->loss_up, "loss_down",
                           0, r->loss_down, "jitter_ms", 2, r->jitter, "rtt_ms", 20, 60, "mos_tenths",
                           r->mos ? 42 : 0, r->mos);
  json_t *rest = json_pack(
      "{s:{s:i,s:i,s:i,s:i},s:{s:i,s:i,s:i,s:i},s:I,s:I,s:I,s:b,s:b,s:o}", "tiers", "full", r->full, "packed",
      r->packed, "low", r->low, "min", r->min, "via", "udp", r->lines, "tcp", 0, "turn", 0, "tunnel", 0,
      "since_ms", r->people ? (json_int_t)(WF_WALL_MS - r->minutes * 60000LL) : 0, "created_ms",
      (json_int_t)(WF_WALL_MS - 86400000), "waiting_ms", r->waiting ? (json_int_t)(WF_WALL_MS - 90000) : 0,
      "locked", 0, "lobby", 1, "alerts", wf_words(r->alerts));
  assert(o && more && rest);
  json_object_update(o, more);
  json_object_update(o, rest);
  json_decref(more);
  json_decref(rest);
  return o;
}

static inline json_t *wf_server(int rooms, int people, int waiting) {
  json_t *o =
      json_pack("{s:s,s:s,s:s,s:I,s:I,s:i,s:i,s:i,s:i,s:i,s:i,s:i,s:i,s:[i,i],s:i,s:i,s:i}", "version",
                "0.1.0", "name", "conf.example.org", "region", "eu-1", "now_ms", (json_int_t)WF_WALL_MS,
                "uptime_s", (json_int_t)273600, "conns", people, "rooms", rooms, "people", people, "waiting",
                waiting, "away", 1, "packets_in_s", 4210, "packets_out_s", 61830, "cpu_permille", 431,
                "load_permille", 380, 912, "handshakes", 0, "watchers", 1, "listeners", 0);
  assert(o);
  return o;
}

/* wf_feed: steals rooms and gone. */
static inline json_t *wf_feed(json_t *rooms, json_t *gone) {
  json_t *o = json_pack("{s:o,s:o}", "server", wf_server(7, 2841, 12), "rooms", rooms);
  if (gone)
    json_object_set_new(o, "gone", gone);
  return o;
}

static inline enum err wf_take(struct wf *f, json_t *feed, bool whole) {
  enum err e = watch_model_take(f->m, feed, whole, f->now);
  json_decref(feed);
  return e;
}

static inline enum err wf_change(struct wf *f, const struct wf_room *r) {
  json_t *rooms = json_array();
  json_array_append_new(rooms, wf_row(r));
  return wf_take(f, wf_feed(rooms, NULL), false);
}

static inline void wf_begin(struct wf *f, const struct wf_room *rooms, size_t n) {
  json_t *list = json_array();
  *f = (struct wf){.m = watch_model_create(1), .keys = command_keymap(), .now = WF_START_US};
  assert(f->m && f->keys && watch_pilot_init(&f->u, f->m, f->keys));
  for (size_t i = 0; i < n; i++)
    json_array_append_new(list, wf_row(&rooms[i]));
  enum err e = wf_take(f, wf_feed(list, NULL), true);
  assert(e == ERR_OK);
  (void)e;
  watch_model_page(f->m, 10);
  watch_inside_page(&f->u.in, 10);
}

static inline void wf_end(struct wf *f) {
  watch_pilot_free(&f->u);
  watch_model_destroy(f->m);
  keymap_destroy(f->keys);
}

static inline void wf_step(struct wf *f, int ms) {
  f->now += ms * US_PER_MS;
  watch_model_tick(f->m, f->now);
}

static inline void wf_key(struct wf *f, const char *name) {
  struct key k;
  bool known = key_from_name(name, &k);
  assert(known);
  (void)known;
  watch_pilot_key(&f->u, k, NULL, f->now);
}

static inline void wf_type(struct wf *f, const char *text) {
  for (; *text; text++)
    watch_pilot_key(&f->u, (struct key){.code = (unsigned char)*text}, NULL, f->now);
}

static inline json_t *wf_person(int id, const char *name, const char *role, bool talking, int loss, int mos) {
  json_t *o = json_pack("{s:i,s:s,s:s,s:s,s:s,s:s,s:b,s:b,s:i,s:i,s:b,s:I,s:b,s:i}", "id", id, "name", name,
                        "role", role, "presence", "here", "client", id % 2 ? "gavel/0.1.0" : "web/0.1.0",
                        "user", id == 1 ? "ann@acme" : "", "muted", id % 3 == 0, "floor", 1, "hand", id == 4,
                        "side", 0, "audio", 1, "since_ms", (json_int_t)(WF_WALL_MS - id * 60000), "talking",
                        talking, "level", talking ? 18 : 127);
  json_t *line =
      json_pack("{s:s,s:i,s:i,s:i,s:i,s:i,s:i,s:i,s:i,s:i,s:i,s:i,s:i,s:i,s:i,s:i,s:i}", "tier",
                loss > 5 ? "low" : "full", "age_s", 3, "copies", loss > 5, "loss_up", loss / 2, "loss_down",
                loss, "concealed_up", 0, "concealed_down", loss / 3, "mos_up_tenths", mos, "mos_down_tenths",
                mos ? mos + 1 : 0, "burst_up_ms", 0, "burst_down_ms", 60, "jitter_ms", 4 + loss, "rtt_ms", 48,
                "buffer_ms", 40, "kbps_up", 31, "kbps_down", 58, "join_ms", 412);
  assert(o && line);
  json_object_set_new(o, "via", json_string(id % 2 ? "udp" : "turn"));
  if (id != 5)
    json_object_set_new(o, "line", line);
  else
    json_decref(line);
  return o;
}

static inline json_t *wf_inside(const struct wf_room *r) {
  static const char *const NAMES[] = {"Ann Lee", "bob", "Carla", "恵子 Keiko", "dave", "Erin"};
  static const char *const ROLES[] = {"host", "speaker", "speaker", "cohost", "audience", "speaker"};
  static const int LOSS[] = {0, 12, 1, 0, 0, 3}, MOS[] = {44, 27, 41, 43, 0, 38};
  json_t *people = json_array();
  for (int i = 0; i < 6; i++)
    json_array_append_new(people, wf_person(i + 1, NAMES[i], ROLES[i], i == 1, LOSS[i], MOS[i]));
  return json_pack("{s:o,s:o,s:[{s:i,s:s,s:s,s:s,s:s,s:s,s:I,s:I}]}", "room", wf_row(r), "people", people,
                   "listeners", "id", 1, "room", r->name, "operator", "olga", "mode", "listen", "reason",
                   "complaint", "ticket", "OPS-12", "since_ms", (json_int_t)WF_WALL_MS, "ends_ms",
                   (json_int_t)0);
}

static const struct wf_room WF_ROOMS[] = {
    {"acme/standup", 12, 1, 2, 3, 12, 34, 27, 9, 2, 1, 0, 65, 12, "loss,mos"},
    {"acme/retro", 7, 0, 1, 0, 1, 8, 43, 7, 0, 0, 0, 12, 7, ""},
    {"board", 4, 0, 1, 0, 0, 4, 44, 4, 0, 0, 0, 3, 4, ""},
    {"globex/all-hands", 2400, 8, 1, 2, 4, 60, 33, 2000, 300, 90, 10, 41, 2310, ""},
    {"globex/lunch", 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, "lobby"},
    {"support-1", 2, 0, 0, 0, 0, 3, 0, 2, 0, 0, 0, 1700, 2, "no_host"},
    {"support-2", 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ""},
};
#define WF_N (sizeof WF_ROOMS / sizeof WF_ROOMS[0])

#endif
