/* rooms.c: rooms of the tool's own, by the operator's socket (docs/protocol.md section 6). */
#include "core/base/rng.h"
#include "core/wire/json.h"
#include "tests/bench/load/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static FILE *dial(const char *path) {
  struct sockaddr_un a = {.sun_family = AF_UNIX};
  int n = snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0 && n < (int)sizeof a.sun_path && connect(fd, (struct sockaddr *)&a, sizeof a) == 0)
    return fdopen(fd, "r"); /* written to by its number */
  if (fd >= 0)
    close(fd);
  fprintf(stderr, "gavel-load: no server answers on %s\n", path);
  return NULL;
}

/* The result of one request, a new reference; NULL: said on stderr. */
static json_t *ask(FILE *f, const char *method, json_t *params) {
  char *text = rpc_request(1, method, params), *line = NULL;
  size_t cap = 0;
  struct rpc_in in = {0};
  json_t *result = NULL;
  if (!text)
    abort();
  ssize_t n = dprintf(fileno(f), "%s\n", text) > 0 ? getline(&line, &cap, f) : -1;
  free(text);
  if (n > 0 && rpc_parse(line, (size_t)n, true, &in) == ERR_OK && in.kind == RPC_RESULT)
    result = json_incref(in.result);
  else
    fprintf(stderr, "gavel-load: %s: %s\n", method, in.message ? in.message : "no answer");
  json_decref(in.root);
  free(line);
  return result;
}

static bool make(FILE *f, struct load_room *r, uint64_t run) {
  char name[TEXT_SLUG_MAX + 1];
  snprintf(name, sizeof name, "load-%06x-%u", (unsigned)(run & 0xffffff), r->at + 1);
  json_t *made = ask(f, "room.create", json_pack("{s:s,s:b}", "room", name, "lobby", 0));
  const char *why = "no link";
  bool good = made && link_parse(json_str(made, "guest", ""), &r->link, &why) == ERR_OK;
  if (made && !good)
    fprintf(stderr, "gavel-load: room.create: %s\n", why);
  json_decref(made);
  return good;
}

bool rooms_make(struct load *l) {
  FILE *f = dial(l->cfg.control);
  uint64_t run = rng_u64(rng_system());
  l->rooms = calloc(l->cfg.rooms, sizeof *l->rooms);
  if (!l->rooms)
    abort();
  while (f && l->n_rooms < l->cfg.rooms) {
    l->rooms[l->n_rooms].at = (unsigned)l->n_rooms;
    if (!make(f, &l->rooms[l->n_rooms], run))
      break;
    l->n_rooms++;
  }
  if (f)
    fclose(f);
  return l->n_rooms == l->cfg.rooms;
}

void rooms_end(struct load *l) {
  FILE *f = dial(l->cfg.control);
  for (size_t i = 0; f && i < l->n_rooms; i++)
    json_decref(ask(f, "room.end", json_pack("{s:s,s:i}", "room", l->rooms[i].link.room, "seconds", 0)));
  if (f)
    fclose(f);
}

void rooms_count(struct load *l) {
  l->rooms = calloc(l->cfg.rooms, sizeof *l->rooms);
  if (!l->rooms)
    abort();
  for (; l->n_rooms < l->cfg.rooms; l->n_rooms++)
    l->rooms[l->n_rooms].at = (unsigned)l->n_rooms;
}
