/* main_gavelctl.c: every act of the table and the operator's questions, over gaveld's 0600 Unix socket.
 *
 *   gavelctl rooms | info | create|show|bans|notes|trusted|invites ROOM | <act> ROOM [who...] [arguments] */
#include "core/wire/act_words.h"
#include "core/wire/json.h"
#include "core/wire/room_json.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { EXIT_OK = 0, EXIT_USAGE = 1, EXIT_CONNECT = 2, EXIT_REFUSED = 3 };

struct ctl {
  const char *socket;
  bool json;
  int fd;
};

static int fail(int code, const char *what) {
  fprintf(stderr, "gavelctl: %s\n", what);
  return code;
}

/* ---- one request, one answer ---- */

static int dial(struct ctl *c) {
  struct sockaddr_un a = {.sun_family = AF_UNIX};
  if (strlen(c->socket) >= sizeof a.sun_path)
    return fail(EXIT_USAGE, "the socket's path is too long");
  memcpy(a.sun_path, c->socket, strlen(c->socket) + 1);
  c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&a, sizeof a) != 0) {
    fprintf(stderr, "gavelctl: no gaveld answers on %s: %s (name its socket with --socket)\n", c->socket,
            strerror(errno));
    return EXIT_CONNECT;
  }
  return -1;
}

static char *read_line(int fd) {
  size_t n = 0, cap = 1 << 16;
  char *buf = malloc(cap);
  while (buf) {
    ssize_t k = read(fd, buf + n, cap - n - 1);
    if (k <= 0)
      break;
    n += (size_t)k;
    if (memchr(buf + n - k, '\n', (size_t)k)) {
      buf[n] = 0;
      return buf;
    }
    if (n + 1 == cap)
      buf = realloc(buf, cap *= 2);
  }
  free(buf);
  return NULL;
}

static bool write_all(int fd, const char *p, size_t n) {
  while (n > 0) {
    ssize_t k = write(fd, p, n);
    if (k <= 0)
      return false;
    p += k;
    n -= (size_t)k;
  }
  return true;
}

/* Returns the result (new reference) or NULL with the exit code in *rc; the refusal has been printed. */
static json_t *ask(struct ctl *c, const char *method, json_t *params, int *rc) {
  char *text = rpc_request(1, method, params);
  bool sent = write_all(c->fd, text, strlen(text)) && write_all(c->fd, "\n", 1);
  free(text);
  char *line = sent ? read_line(c->fd) : NULL;
  struct rpc_in in;
  if (!line || rpc_parse(line, strcspn(line, "\n"), true, &in) != ERR_OK) {
    free(line);
    *rc = fail(EXIT_CONNECT, "gaveld closed the connection");
    return NULL;
  }
  json_t *result = in.kind == RPC_RESULT ? json_incref(in.result) : NULL;
  if (!result) {
    if (c->json)
      printf("%s", line);
    else
      fprintf(stderr, "gavelctl: %s (%s)\n", in.message, err_code(in.error));
    *rc = EXIT_REFUSED;
  }
  json_decref(in.root);
  free(line);
  return result;
}

static void show_json(const json_t *v) {
  char *text = json_dumps(v, JSON_INDENT(2) | JSON_ENSURE_ASCII);
  puts(text);
  free(text);
}

/* ---- answers as text ---- */

static int print_rooms(const json_t *result) {
  size_t i;
  json_t *r;
  printf("%-24s %5s %5s %7s  %s\n", "ROOM", "HERE", "AWAY", "WAITING", "STATE");
  json_array_foreach(json_object_get(result, "rooms"), i, r)
      printf("%-24s %5lld %5lld %7lld  %s%s\n", json_str(r, "room", ""), (long long)json_int(r, "here", 0),
             (long long)json_int(r, "away", 0), (long long)json_int(r, "waiting", 0),
             json_flag(r, "locked", false) ? "locked " : "", json_flag(r, "lobby", false) ? "lobby" : "open");
  return EXIT_OK;
}

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

static const char *local_time(int64_t ms, char out[32]) {
  time_t t = (time_t)(ms / 1000);
  struct tm tm;
  if (!localtime_r(&t, &tm) || strftime(out, 32, "%Y-%m-%d %H:%M:%S", &tm) == 0)
    snprintf(out, 32, "?");
  return out;
}

static void print_number(const char *what, int64_t n) {
  if (n)
    printf(", %s %lld", what, (long long)n);
}

static void print_time(const char *what, int64_t ms) {
  char text[32];
  if (ms)
    printf(", %s %s", what, local_time(ms, text));
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
    return fail(EXIT_CONNECT, "the answer cannot be read");
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
         json_str(o, "what", ""), until_ms ? local_time(until_ms, until) : "lifted");
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

/* ---- the questions ---- */

static const struct verb {
  const char *name, *method, *args, *help;
  int (*print)(const json_t *);      /* NULL: as JSON */
  void (*print_row)(const json_t *); /* of the list of that name in the snapshot */
} VERBS[] = {
    {"rooms", "rooms.list", "", "the live rooms", print_rooms, NULL},
    {"info", "server.info", "", "counters of the server", NULL, NULL},
    {"create", "room.create", "ROOM [--no-lobby]", "make a room, print its host and guest links", print_links,
     NULL},
    {"show", "room.show", "ROOM", "how the room is set, and who is there", print_room, NULL},
    {"bans", "room.show", "ROOM", "its bans, with the ids for unban and ban_edit", NULL, print_ban},
    {"notes", "room.show", "ROOM", "notes on people, with the ids for note_delete", NULL, print_note},
    {"trusted", "room.show", "ROOM", "who comes in unasked, with the ids for untrust", NULL, print_trusted},
    {"invites", "room.show", "ROOM", "invite links, with the ids for invite_revoke", NULL, print_invite},
};

static const struct verb *verb_find(const char *name) {
  for (size_t i = 0; i < sizeof VERBS / sizeof VERBS[0]; i++)
    if (strcmp(VERBS[i].name, name) == 0)
      return &VERBS[i];
  return NULL;
}

static int run_verb(struct ctl *c, const struct verb *v, const char *room, bool no_lobby) {
  int rc = EXIT_OK;
  json_t *params = room ? json_pack("{s:s}", "room", room) : NULL;
  if (no_lobby)
    json_object_set_new(params, "lobby", json_false());
  json_t *result = ask(c, v->method, params, &rc);
  if (!result)
    return rc;
  const json_t *list = v->print_row ? json_object_get(json_object_get(result, "room"), v->name) : NULL;
  if (c->json || (!v->print && !v->print_row))
    show_json(list ? list : result);
  else
    rc = v->print ? v->print(result) : print_list(list, v->print_row);
  json_decref(result);
  return rc;
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
    shown = ask(c, "room.show", json_pack("{s:s}", "room", room), rc);
    if (!shown)
      return NULL;
    if (!read_room(shown, &r))
      *rc = fail(EXIT_CONNECT, "the answer cannot be read");
  }
  char *words = join_words(&r, act, argv, n);
  if (*rc == EXIT_OK && words && act_words_parse(&r, act, words, &o, why)) {
    act_order_cmd(&o, &cmd);
    params = room_cmd_to_params(&cmd);
    json_object_set_new(params, "room", json_string(room));
  } else if (*rc == EXIT_OK) {
    *rc = fail(EXIT_USAGE, words ? why : "out of memory");
  }
  free(words);
  room_free(&r);
  json_decref(shown);
  return params;
}

static int run_act(struct ctl *c, enum act act, const char *room, char **argv, int n) {
  int rc = EXIT_OK;
  char method[64];
  json_t *params = act_params(c, act, room, argv, n, &rc);
  snprintf(method, sizeof method, "room.%s", ACTS[act].name);
  json_t *result = params ? ask(c, method, params, &rc) : NULL;
  if (!result)
    return rc;
  if (c->json)
    show_json(result);
  else
    print_done(result);
  json_decref(result);
  return EXIT_OK;
}

/* ---- a running gavel: its control socket takes the commands of its `:` line ---- */

static bool sockets_folder(char out[400]) {
  const char *runtime = getenv("XDG_RUNTIME_DIR"), *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
  int n = runtime && *runtime == '/' ? snprintf(out, 400, "%s/gavel", runtime)
          : state && *state == '/'   ? snprintf(out, 400, "%s/gavel/run", state)
                                     : snprintf(out, 400, "%s/.local/state/gavel/run", home ? home : "");
  return n < 400;
}

/* The client of that name, else the one that was started last. */
static bool find_client(const char *name, char path[512]) {
  char folder[400];
  struct stat st;
  struct dirent *e;
  time_t newest = 0;
  DIR *d = sockets_folder(folder) ? opendir(folder) : NULL;
  path[0] = 0;
  while (d && (e = readdir(d))) {
    size_t n = strlen(e->d_name);
    char one[512];
    if (n < 6 || strcmp(e->d_name + n - 5, ".sock") != 0 ||
        snprintf(one, sizeof one, "%s/%s", folder, e->d_name) >= (int)sizeof one)
      continue;
    bool named = name && strlen(name) == n - 5 && strncmp(e->d_name, name, n - 5) == 0;
    if (name ? named : stat(one, &st) == 0 && st.st_mtime >= newest) {
      newest = name ? 0 : st.st_mtime;
      memcpy(path, one, sizeof one);
    }
  }
  if (d)
    closedir(d);
  return path[0] != 0;
}

static int print_answer(struct ctl *c, const char *line) {
  json_t *o = json_loads(line, 0, NULL);
  bool ok = json_flag(o, "ok", true);
  const char *text = json_str(o, "page", json_str(o, "text", ""));
  size_t cap = strlen(text) + 8;
  char *shown = malloc(cap);
  if (shown)
    text_show(text, true, shown, cap);
  char *ascii = json_dumps(o, JSON_COMPACT | JSON_ENSURE_ASCII);
  if (c->json || !json_object_get(o, "ok"))
    puts(ascii ? ascii : "");
  else if (ok && shown && *shown)
    printf("%s%s", shown, shown[strlen(shown) - 1] == '\n' ? "" : "\n");
  else if (!ok)
    fprintf(stderr, "gavelctl: %s (%s)\n", shown ? shown : "",
            err_code(err_from_code(json_str(o, "code", ""))));
  free(ascii);
  free(shown);
  json_decref(o);
  return ok ? EXIT_OK : EXIT_REFUSED;
}

static int run_client(struct ctl *c, const char *name, int argc, char **argv) {
  char path[512], line[4096] = "";
  size_t n = 0, cap = 0;
  bool text = false;
  if (!find_client(name, path))
    return fail(EXIT_CONNECT, "no such gavel is running");
  for (int i = 0; i < argc; i++) { /* the shell's quotes again; behind "--" is text, as it is */
    text = text || strcmp(argv[i], "--") == 0;
    const char *quote = !text && strchr(argv[i], ' ') && !strchr(argv[i], '"') ? "\"" : "";
    int k = snprintf(line + n, sizeof line - n, "%s%s%s%s", i ? " " : "", quote, argv[i], quote);
    if (k < 0 || (n += (size_t)k) + 2 > sizeof line || strchr(argv[i], '\n'))
      return fail(EXIT_USAGE, "the command is too long, or has a line break");
  }
  line[n++] = '\n';
  c->socket = path;
  int rc = dial(c);
  FILE *f = rc < 0 ? fdopen(dup(c->fd), "r") : NULL;
  if (!f || !write_all(c->fd, line, n))
    return rc < 0 ? fail(EXIT_CONNECT, "the client does not listen") : rc;
  bool watch = strcmp(argv[0], "watch") == 0;
  char *answer = NULL;
  ssize_t len;
  rc = EXIT_CONNECT;
  while ((len = getline(&answer, &cap, f)) > 0) {
    answer[len - 1] = 0;
    rc = print_answer(c, answer);
    fflush(stdout);
    if (!watch)
      break;
  }
  free(answer);
  fclose(f);
  return rc == EXIT_CONNECT ? fail(rc, "the client closed the connection") : rc;
}

/* ---- the command line ---- */

static int help(void) {
  FILE *f = stdout;
  fputs("usage: gavelctl [--socket FILE] [--json] VERB ...\n"
        "       gavelctl --client[=NAME] [--json] status | watch | talk on|off | any command of gavel\n\n",
        f);
  for (size_t i = 0; i < sizeof VERBS / sizeof VERBS[0]; i++)
    fprintf(f, "  %-14s %-22s %s\n", VERBS[i].name, VERBS[i].args, VERBS[i].help);
  fputs("\nActs: ACT ROOM and what is listed. People are named by a unique beginning, \"#id\" or a "
        "\"pattern*\";\n"
        "\"--\" ends them. Times are 90, 90s, 5m, 2h, 1d.\n",
        f);
  for (int g = 0; g < ACT_GROUP__COUNT; g++) {
    fprintf(f, "\n%s:\n", act_group_name((enum act_group)g));
    for (int i = 0; i < ACT__COUNT; i++)
      if (ACTS[i].group == (enum act_group)g)
        fprintf(f, "  %-14s %-22s %s\n", ACTS[i].name, ACTS[i].args, ACTS[i].help);
  }
  return EXIT_OK;
}

static int no_verb(const char *word) {
  fprintf(stderr, "gavelctl: no such verb: %.80s: see gavelctl --help\n", word);
  return EXIT_USAGE;
}

static int run(struct ctl *c, int argc, char **argv) {
  const struct verb *verb = verb_find(argv[0]);
  enum act act = act_find(argv[0]);
  const char *room = argc > 1 ? argv[1] : NULL;
  bool no_lobby =
      verb && strcmp(verb->name, "create") == 0 && argc == 3 && strcmp(argv[2], "--no-lobby") == 0;
  if (!verb && act == ACT__COUNT)
    return no_verb(argv[0]);
  if (!room && (!verb || verb->args[0]))
    return fail(EXIT_USAGE, "which room?");
  if (verb && argc > (verb->args[0] ? 2 : 1) + no_lobby)
    return fail(EXIT_USAGE, "too many arguments: see gavelctl --help");
  int rc = dial(c);
  if (rc >= 0)
    return rc;
  return verb ? run_verb(c, verb, room, no_lobby) : run_act(c, act, room, argv + 2, argc - 2);
}

int main(int argc, char **argv) {
  struct ctl c = {.socket = "gavel.sock", .fd = -1};
  const char *client = NULL;
  int i = 1;
  for (; i < argc && argv[i][0] == '-'; i++) {
    if (strcmp(argv[i], "--json") == 0)
      c.json = true;
    else if (strcmp(argv[i], "--socket") == 0 && i + 1 < argc)
      c.socket = argv[++i];
    else if (strncmp(argv[i], "--client", 8) == 0 && (argv[i][8] == 0 || argv[i][8] == '='))
      client = argv[i] + 8;
    else if (strcmp(argv[i], "--version") == 0)
      return puts("gavelctl " GAVEL_VERSION), EXIT_OK;
    else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
      return help();
    else {
      fprintf(stderr, "gavelctl: there is no option %.80s, or its value is missing: see gavelctl --help\n",
              argv[i]);
      return EXIT_USAGE;
    }
  }
  if (i >= argc)
    return fail(EXIT_USAGE, "which verb? see gavelctl --help");
  int rc =
      client ? run_client(&c, *client ? client + 1 : NULL, argc - i, argv + i) : run(&c, argc - i, argv + i);
  if (c.fd >= 0)
    close(c.fd);
  return rc;
}
