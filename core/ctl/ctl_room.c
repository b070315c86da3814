/* ctl_room.c: rooms: what they are and who is in them, and every act of the table. */
#include "core/base/text.h"
#include "core/ctl/ctl.h"
#include "core/wire/act_words.h"
#include "core/wire/json.h"
#include "core/wire/room_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int print_links(const json_t *result) {
  printf("host link:  %s\nguest link: %s\n", json_str(result, "host", ""), json_str(result, "guest", ""));
  return EXIT_OK;
}

/* What an act hands out: a link, a code, a table, names; else that it is done. */
static int print_done(const json_t *result) {
  static const char *const KEYS[] = {"link", "code", "csv"};
  const json_t *also = json_object_get(result, "also");
  size_t i;
  json_t *name;
  for (size_t k = 0; k < sizeof KEYS / sizeof KEYS[0]; k++) {
    const char *text = json_str(result, KEYS[k], NULL);
    if (text) {
      printf("%s%s", text, text[0] && text[strlen(text) - 1] == '\n' ? "" : "\n");
      return EXIT_OK;
    }
  }
  json_array_foreach(also, i, name) puts(json_string_value(name) ? json_string_value(name) : "");
  if (json_array_size(also) == 0)
    puts(also ? "nobody else" : "done");
  return EXIT_OK;
}

static void print_number(const char *what, int64_t n) {
  if (n)
    printf(", %s %lld", what, (long long)n);
}

static void print_time(const char *what, int64_t ms) {
  char text[32];
  if (ms)
    printf(", %s %s", what, ctl_time(ms, text));
}

static void print_settings(const struct room *r) {
  printf("%s  %zu here, %zu waiting%s%s%s%s%s%s", r->name, room_count(r, PRESENCE_HERE),
         room_count(r, PRESENCE_WAITING), r->locked ? ", locked" : "",
         r->mute_hold  ? ", everyone muted until lifted"
         : r->mute_all ? ", everyone muted"
                       : "",
         r->one_speaker ? ", one speaker at a time" : "", r->has_password ? ", password" : "",
         r->poll.open ? ", poll open" : "", r->ended ? ", ended" : "");
  print_number("seconds to talk", r->talk_s);
  if (r->slow_s)
    printf(", slow mode %lld s", (long long)r->slow_s);
  print_number("at most people", r->max_people);
  print_number("at most speakers", r->max_speakers);
  print_number("side rooms", r->sides);
  print_time("called back at", r->recall_ms);
  print_time("ends at", r->ends_ms);
  puts("");
}

static const char *member_state(const struct member *m) {
  if (m->presence == PRESENCE_WAITING)
    return "waiting";
  if (m->presence == PRESENCE_AWAY)
    return "away";
  if (m->silenced)
    return m->muted ? "banned from speaking, muted" : "banned from speaking";
  if (!m->floor)
    return m->muted ? "no floor, muted" : "no floor";
  return m->muted ? "muted" : "may speak";
}

static void print_member(const struct member *m) {
  printf("  #%-5u %-28s %-9s %s%s%s%s", m->id, m->name, role_name(m->role), member_state(m),
         m->hand ? ", hand up" : "", m->priority ? ", priority" : "", m->time_up ? ", time is up" : "");
  print_number("side room", m->side);
  print_number("gain dB", m->gain_db);
  print_time("has the floor since", m->floor_ms);
  puts("");
}

static bool read_room(const json_t *result, struct room *r) {
  room_init(r);
  return room_from_wire(json_object_get(result, "room"), r) == ERR_OK;
}

static int print_room(const json_t *result) {
  struct room r;
  if (!read_room(result, &r))
    return ctl_fail(EXIT_CONNECT, "the answer cannot be read");
  print_settings(&r);
  for (size_t i = 0; i < r.n_members; i++)
    print_member(&r.members[i]);
  room_free(&r);
  return EXIT_OK;
}

/* ---- the lists of a room, each row with the id its acts take ---- */

static void print_ban(const json_t *o) {
  char until[32];
  int64_t invite = json_int(o, "invite", 0), until_ms = json_int(o, "until_ms", 0);
  const char *name = json_str(o, "name", ""), *user = json_str(o, "user", "");
  printf("%-28s %-5s until %s",
         name[0]             ? name
         : user[0] || invite ? "(rule)"
                             : "(address)",
         json_str(o, "what", ""), until_ms ? ctl_time(until_ms, until) : "lifted");
  if (user[0])
    printf(", user %s", user);
  print_number("invite", invite);
  if (json_str(o, "reason", "")[0])
    printf(", %s", json_str(o, "reason", ""));
}

static void print_note(const json_t *o) {
  printf("about #%lld by %s: %s", (long long)json_int(o, "about", 0), json_str(o, "name", ""),
         json_str(o, "text", ""));
}

static void print_trusted(const json_t *o) {
  printf("%s", json_str(o, "name", ""));
}

static void print_invite(const json_t *o) {
  printf("%s%s", json_str(o, "role", ""), json_flag(o, "bypass", false) ? ", past the lobby" : "");
  print_number("uses left", json_int(o, "uses", 0));
  print_time("until", json_int(o, "expires_ms", 0));
}

static int print_list(const json_t *list, void (*print)(const json_t *)) {
  size_t i;
  json_t *o;
  json_array_foreach(list, i, o) {
    printf("%-8lld ", (long long)json_int(o, "id", 0));
    print(o);
    puts("");
  }
  return EXIT_OK;
}

/* ---- acts ---- */

/* The arguments as one line. One that has a blank and names a person becomes his id, so that the shell's
 * quotes are enough; a "--" before a text that follows nothing else is left out. */
static char *join_words(const struct room *r, enum act act, char **argv, int n) {
  struct act_arg first;
  char why[ACT_WHY_MAX];
  size_t len = 1;
  bool text_only = act_param_at(act, 0, &first) && first.param->kind == PARAM_TEXT, people = true;
  for (int i = 0; i < n; i++)
    len += strlen(argv[i]) + 16;
  char *s = calloc(1, len);
  for (int i = 0, at = 0; s && i < n; i++) {
    bool end = strcmp(argv[i], "--") == 0;
    people = people && !end;
    uint32_t id = people && strpbrk(argv[i], " \"")
                      ? act_words_who(r, argv[i], strlen(argv[i]), act_words_where(act), why)
                      : 0;
    if (id)
      at += snprintf(s + at, len - (size_t)at, "#%u ", id);
    else if (i > 0 || !end || !text_only)
      at += snprintf(s + at, len - (size_t)at, "%s%s", argv[i], i + 1 < n ? " " : "");
  }
  return s;
}

static bool names_people(enum act act) {
  struct act_arg arg;
  for (size_t i = 0; act_param_at(act, i, &arg); i++)
    if (arg.param->kind == PARAM_PEOPLE)
      return true;
  return false;
}

/* The params of the act, or NULL with the exit code in *rc. Only acts on people need to know who is there. */
static json_t *act_params(struct ctl *c, enum act act, const char *room, char **argv, int n, int *rc) {
  json_t *shown = NULL, *params = NULL;
  struct room r;
  struct act_order o;
  struct room_cmd cmd;
  char why[ACT_WHY_MAX];
  room_init(&r);
  if (names_people(act)) {
    shown = ctl_ask(c, "room.show", json_pack("{s:s}", "room", room), rc);
    if (!shown)
      return NULL;
    if (!read_room(shown, &r))
      *rc = ctl_fail(EXIT_CONNECT, "the answer cannot be read");
  }
  char *words = join_words(&r, act, argv, n);
  if (*rc == EXIT_OK && words && act_words_parse(&r, act, words, &o, why)) {
    act_order_cmd(&o, &cmd);
    params = room_cmd_to_params(&cmd);
    json_object_set_new(params, "room", json_string(room));
  } else if (*rc == EXIT_OK) {
    *rc = ctl_fail(EXIT_USAGE, words ? why : "out of memory");
  }
  free(words);
  room_free(&r);
  json_decref(shown);
  return params;
}

int ctl_act(struct ctl *c, enum act act, int argc, char **argv) {
  int rc = EXIT_OK;
  char method[64];
  if (argc < 1)
    return ctl_fail(EXIT_USAGE, "which room?");
  json_t *params = act_params(c, act, argv[0], argv + 1, argc - 1, &rc);
  snprintf(method, sizeof method, "room.%s", ACTS[act].name);
  json_t *result = params ? ctl_ask(c, method, params, &rc) : NULL;
  if (!result)
    return rc;
  if (c->json)
    ctl_print_json(result);
  else
    print_done(result);
  json_decref(result);
  return EXIT_OK;
}

/* ---- the questions about one room ---- */

int ctl_create(struct ctl *c, json_t *params) {
  int rc = EXIT_OK;
  bool lobby = !json_flag(params, "no_lobby", false);
  json_t *result = ctl_ask(
      c, "room.create", json_pack("{s:O,s:b}", "room", json_object_get(params, "room"), "lobby", lobby), &rc);
  if (result && c->json)
    ctl_print_json(result);
  else if (result)
    print_links(result);
  json_decref(result);
  return rc;
}

int ctl_show(struct ctl *c, json_t *params) {
  int rc = EXIT_OK;
  json_t *result = ctl_ask(c, "room.show", json_incref(params), &rc);
  if (result && c->json)
    ctl_print_json(result);
  else if (result)
    rc = print_room(result);
  json_decref(result);
  return rc;
}

static int list_of(struct ctl *c, json_t *params, const char *key, void (*print)(const json_t *)) {
  int rc = EXIT_OK;
  json_t *result = ctl_ask(c, "room.show", json_incref(params), &rc);
  const json_t *list = json_object_get(json_object_get(result, "room"), key);
  if (list && c->json)
    ctl_print_json(list);
  else if (list)
    rc = print_list(list, print);
  json_decref(result);
  return rc;
}

int ctl_bans(struct ctl *c, json_t *params) {
  return list_of(c, params, "bans", print_ban);
}

int ctl_notes(struct ctl *c, json_t *params) {
  return list_of(c, params, "notes", print_note);
}

int ctl_trusted(struct ctl *c, json_t *params) {
  return list_of(c, params, "trusted", print_trusted);
}

int ctl_invites(struct ctl *c, json_t *params) {
  return list_of(c, params, "invites", print_invite);
}
