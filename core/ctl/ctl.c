#include "core/ctl/ctl.h"
#include "core/wire/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int ctl_fail(int code, const char *what) {
  fprintf(stderr, "gavelctl: %s\n", what);
  return code;
}

int ctl_dial(struct ctl *c) {
  struct sockaddr_un a = {.sun_family = AF_UNIX};
  if (strlen(c->socket) >= sizeof a.sun_path)
    return ctl_fail(EXIT_USAGE, "the socket's path is too long");
  memcpy(a.sun_path, c->socket, strlen(c->socket) + 1);
  c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (c->fd >= 0 && connect(c->fd, (struct sockaddr *)&a, sizeof a) == 0)
    return -1;
  fprintf(stderr, "gavelctl: no gaveld answers on %s: %s (name its socket with --socket)\n", c->socket,
          strerror(errno));
  if (c->fd >= 0)
    close(c->fd);
  c->fd = -1;
  return EXIT_CONNECT;
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

bool ctl_write_all(int fd, const char *p, size_t n) {
  while (n > 0) {
    ssize_t k = write(fd, p, n);
    if (k <= 0)
      return false;
    p += k;
    n -= (size_t)k;
  }
  return true;
}

/* Who asks, and by which change order: for the audit log. */
static json_t *signed_params(const struct ctl *c, json_t *params) {
  json_t *out = params ? params : json_object();
  if (c->operator_name)
    json_object_set_new(out, "operator", json_string(c->operator_name));
  if (c->ticket)
    json_object_set_new(out, "ticket", json_string(c->ticket));
  return out;
}

json_t *ctl_ask(struct ctl *c, const char *method, json_t *params, int *rc) {
  int dialled = c->fd >= 0 ? -1 : ctl_dial(c);
  if (dialled >= 0) {
    json_decref(params);
    *rc = dialled;
    return NULL;
  }
  char *text = rpc_request(1, method, signed_params(c, params));
  bool sent = text && ctl_write_all(c->fd, text, strlen(text)) && ctl_write_all(c->fd, "\n", 1);
  if (text)
    explicit_bzero(text, strlen(text)); /* it may hold a secret */
  free(text);
  char *line = sent ? read_line(c->fd) : NULL;
  struct rpc_in in;
  if (!line || rpc_parse(line, strcspn(line, "\n"), true, &in) != ERR_OK) {
    free(line);
    *rc = ctl_fail(EXIT_CONNECT, "gaveld closed the connection");
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
  explicit_bzero(line, strlen(line)); /* likewise */
  free(line);
  return result;
}

int ctl_ask_print(struct ctl *c, const char *method, json_t *params) {
  int rc = EXIT_OK;
  json_t *result = ctl_ask(c, method, params, &rc);
  if (result)
    ctl_print(c, result);
  json_decref(result);
  return rc;
}

char *ctl_database(struct ctl *c, int *rc) {
  if (c->database)
    return strdup(c->database);
  json_t *info = ctl_ask(c, "server.info", NULL, rc);
  const char *path = json_str(info, "database", NULL);
  char *out = path ? strdup(path) : NULL;
  if (info && !path)
    *rc = ctl_fail(EXIT_CONNECT, "gaveld keeps its database in memory");
  json_decref(info);
  return out;
}
