/* main_gavelctl.c: every act of the table and the operator's questions, over gaveld's 0600 Unix socket.
 *
 *   gavelctl rooms | create ROOM | show ROOM | info | <act> ROOM [who...] [arguments] */
#include "core/room/room.h"
#include "core/wire/json.h"
#include "core/wire/room_json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
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

static int show_json(json_t *result) {
  char *text = json_dumps(result, JSON_INDENT(2) | JSON_ENSURE_ASCII);
  puts(text);
  free(text);
  json_decref(result);
  return EXIT_OK;
}

/* ---- answers as text ---- */

static void print_rooms(const json_t *result) {
  size_t i;
  json_t *r;
  printf("%-24s %5s %5s %7s  %s\n", "ROOM", "HERE", "AWAY", "WAITING", "STATE");
  json_array_foreach(json_object_get(result, "rooms"), i, r)
      printf("%-24s %5lld %5lld %7lld  %s%s\n", json_str(r, "room", ""), (long long)json_int(r, "here", 0),
             (long long)json_int(r, "away", 0), (long long)json_int(r, "waiting", 0),
             json_flag(r, "locked", false) ? "locked " : "", json_flag(r, "lobby", false) ? "lobby" : "open");
}

static const char *member_state(const struct member *m) {
  if (m->presence == PRESENCE_WAITING)
    return "waiting";
  if (m->presence == PRESENCE_AWAY)
    return "away";
  if (!m->floor)
    return "no floor";
  return m->muted ? "muted" : "may speak";
}

static int print_room(const json_t *result) {
  struct room r;
  room_init(&r);
  if (room_from_wire(json_object_get(result, "room"), &r) != ERR_OK)
    return fail(EXIT_CONNECT, "the answer cannot be read");
  printf("%s  %zu here, %zu waiting%s%s%s\n", r.name, room_count(&r, PRESENCE_HERE),
         room_count(&r, PRESENCE_WAITING), r.locked ? ", locked" : "", r.mute_all ? ", everyone muted" : "",
         r.ended ? ", ended" : "");
  for (size_t i = 0; i < r.n_members; i++) {
    const struct member *m = &r.members[i];
    printf("  #%-5u %-28s %-9s %s%s\n", m->id, m->name, role_name(m->role), member_state(m),
           m->hand ? ", hand up" : "");
  }
  room_free(&r);
  return EXIT_OK;
}

static int print_result(struct ctl *c, const char *verb, json_t *result) {
  if (c->json)
    return show_json(result);
  int rc = EXIT_OK;
  if (strcmp(verb, "rooms") == 0)
    print_rooms(result);
  else if (strcmp(verb, "show") == 0)
    rc = print_room(result);
  else if (strcmp(verb, "create") == 0)
    printf("host link:  %s\nguest link: %s\n", json_str(result, "host", ""), json_str(result, "guest", ""));
  else if (json_object_get(result, "link"))
    puts(json_str(result, "link", ""));
  else if (strcmp(verb, "info") == 0)
    return show_json(result);
  else
    puts("done");
  json_decref(result);
  return rc;
}

/* ---- acts: people by #id or name ---- */

static uint32_t find_person(const struct room *r, const char *who) {
  uint32_t found = 0;
  if (*who == '#' || (*who >= '0' && *who <= '9'))
    return (uint32_t)strtoul(who + (*who == '#'), NULL, 10);
  for (size_t i = 0; i < r->n_members; i++)
    if (strcmp(r->members[i].name, who) == 0)
      return r->members[i].id;
  for (size_t i = 0; i < r->n_members; i++)
    if (strncasecmp(r->members[i].name, who, strlen(who)) == 0) {
      if (found)
        return 0;
      found = r->members[i].id;
    }
  return found;
}

static json_t *people(struct ctl *c, const char *room, char **argv, int n, int *used, int *rc) {
  json_t *result = ask(c, "room.show", json_pack("{s:s}", "room", room), rc), *ids = json_array();
  struct room r;
  room_init(&r);
  if (result && room_from_wire(json_object_get(result, "room"), &r) == ERR_OK)
    for (*used = 0; *used < n && strcmp(argv[*used], "--") != 0; ++*used) {
      uint32_t id = find_person(&r, argv[*used]);
      if (!id) {
        fprintf(stderr, "gavelctl: '%s' is nobody, or more than one person, in %s\n", argv[*used], room);
        *rc = EXIT_REFUSED;
        break;
      }
      json_array_append_new(ids, json_integer(id));
    }
  room_free(&r);
  json_decref(result);
  return ids;
}

static char *join_words(char **argv, int n) {
  size_t len = 1;
  for (int i = 0; i < n; i++)
    len += strlen(argv[i]) + 1;
  char *s = calloc(1, len);
  for (int i = 0, at = 0; s && i < n; i++)
    at += snprintf(s + at, len - (size_t)at, "%s%s", i ? " " : "", argv[i]);
  return s;
}

/* The arguments after the room, as the act's row names them. */
static json_t *act_params(struct ctl *c, enum act act, const char *room, char **argv, int n, int *rc) {
  const struct act_info *a = &ACTS[act];
  json_t *p = json_pack("{s:s}", "room", room);
  int used = 0;
  if (a->target == TARGET_ONE || a->target == TARGET_MANY || a->target == TARGET_WAITING) {
    int want = a->target == TARGET_ONE && n > 1 ? 1 : n;
    json_object_set_new(p, "who", people(c, room, argv, want, &used, rc));
  }
  if (used < n && strcmp(argv[used], "--") == 0)
    used++;
  char **rest = argv + used;
  int left = n - used;
  if (strstr(a->args, "text") && left > 0) {
    char *text = join_words(rest, left);
    json_object_set_new(p, "text", json_string(text));
    free(text);
  } else if (left > 0 && strstr(a->args, "role"))
    json_object_set_new(p, "role", json_string(rest[0]));
  else if (left > 0 && strstr(a->args, "on|off")) {
    if (strcmp(rest[0], "on") != 0 && strcmp(rest[0], "off") != 0)
      *rc = fail(EXIT_USAGE, "on or off?");
    json_object_set_new(p, "on", json_boolean(strcmp(rest[0], "on") == 0));
  } else if (left > 0 && strcmp(a->args, "id") == 0)
    json_object_set_new(p, "id", json_integer(strtoll(rest[0], NULL, 10)));
  else if (left > 0 && strcmp(a->args, "[hold]") == 0)
    json_object_set_new(p, "hold", json_true());
  else if (left > 0 && act == ACT_CHAT_MODE)
    json_object_set_new(p, "mode", json_string(rest[0]));
  else if (left > 0 && act == ACT_POLICY)
    json_object_set_new(p, "policy", json_string(rest[0]));
  return p;
}

static int usage(FILE *f) {
  fputs("usage: gavelctl [--socket FILE] [--json] VERB ...\n\n"
        "  rooms                      the live rooms\n"
        "  create ROOM [--no-lobby]   make a room, print its host and guest links\n"
        "  show ROOM                  who is there\n"
        "  info                       counters of the server\n"
        "  ACT ROOM [who...] [-- text]  any act below; people by name or #id\n\n",
        f);
  for (int i = 0; i < ACT__COUNT; i++)
    fprintf(f, "  %-14s %-22s %s\n", ACTS[i].name, ACTS[i].args, ACTS[i].help);
  return f == stderr ? EXIT_USAGE : EXIT_OK;
}

static int run(struct ctl *c, int argc, char **argv) {
  const char *verb = argv[0], *room = argc > 1 ? argv[1] : NULL;
  enum act act = act_find(verb);
  bool needs_room = act != ACT__COUNT || strcmp(verb, "create") == 0 || strcmp(verb, "show") == 0;
  if (!needs_room && strcmp(verb, "rooms") != 0 && strcmp(verb, "info") != 0)
    return fail(EXIT_USAGE, "no such verb: see gavelctl --help");
  if (needs_room && !room)
    return fail(EXIT_USAGE, "which room?");
  int rc = dial(c);
  if (rc >= 0)
    return rc;
  rc = EXIT_OK;
  json_t *params = NULL;
  char method[64];
  if (act != ACT__COUNT) {
    snprintf(method, sizeof method, "room.%s", ACTS[act].name);
    params = act_params(c, act, room, argv + 2, argc - 2, &rc);
    if (rc != EXIT_OK) {
      json_decref(params);
      return rc;
    }
  } else if (strcmp(verb, "rooms") == 0)
    snprintf(method, sizeof method, "rooms.list");
  else if (strcmp(verb, "info") == 0)
    snprintf(method, sizeof method, "server.info");
  else {
    snprintf(method, sizeof method, "room.%s", verb);
    params = json_pack("{s:s}", "room", room);
    if (strcmp(verb, "create") == 0 && argc > 2 && strcmp(argv[2], "--no-lobby") == 0)
      json_object_set_new(params, "lobby", json_false());
  }
  json_t *result = ask(c, method, params, &rc);
  return result ? print_result(c, verb, result) : rc;
}

int main(int argc, char **argv) {
  struct ctl c = {.socket = "gavel.sock", .fd = -1};
  int i = 1;
  for (; i < argc && argv[i][0] == '-'; i++) {
    if (strcmp(argv[i], "--json") == 0)
      c.json = true;
    else if (strcmp(argv[i], "--socket") == 0 && i + 1 < argc)
      c.socket = argv[++i];
    else if (strcmp(argv[i], "--version") == 0)
      return puts("gavelctl " GAVEL_VERSION), EXIT_OK;
    else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
      return usage(stdout);
    else
      return usage(stderr);
  }
  if (i >= argc)
    return usage(stderr);
  int rc = run(&c, argc - i, argv + i);
  if (c.fd >= 0)
    close(c.fd);
  return rc;
}
