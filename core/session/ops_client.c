#include "core/session/ops_client.h"

#include "core/session/ws_client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define LINE_MAX_BYTES (16 << 20) /* the feed of a full server */
#define READ_BYTES 65536

struct ops_client {
  struct ws_client *ws; /* NULL: the socket */
  struct sockaddr_un path;
  int fd;            /* of the socket, -1 while closed */
  bool opened, lost; /* to be told: it is open; it is closed, `fault` says why */
  int fault;
  char *in;
  size_t n, cap, scanned; /* bytes read; of them without a newline */
  json_int_t id;
};

static struct ops_client *create(void) {
  struct ops_client *c = calloc(1, sizeof *c);
  if (c)
    c->fd = -1;
  return c;
}

struct ops_client *ops_client_socket(const char *path) {
  struct ops_client *c = create();
  if (c && strlen(path) < sizeof c->path.sun_path) {
    c->path.sun_family = AF_UNIX;
    memcpy(c->path.sun_path, path, strlen(path) + 1);
  }
  return c;
}

struct ops_client *ops_client_link(const struct link *l) {
  struct ops_client *c = create();
  if (c && !(c->ws = ws_client_create(l))) {
    free(c);
    return NULL;
  }
  return c;
}

/* ---- the socket ---- */

static void lose(struct ops_client *c, int fault) {
  if (c->fd >= 0)
    close(c->fd);
  c->fd = -1;
  c->n = c->scanned = 0;
  c->opened = false;
  c->lost = true;
  c->fault = fault;
}

static void dial(struct ops_client *c) {
  c->lost = false;
  c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (c->path.sun_family != AF_UNIX)
    lose(c, ENAMETOOLONG);
  else if (c->fd < 0 || connect(c->fd, (const struct sockaddr *)&c->path, sizeof c->path) != 0)
    lose(c, errno);
  else
    c->opened = true;
}

/* fill: what there is to read; false when there is nothing now. */
static bool fill(struct ops_client *c) {
  if (c->cap - c->n < READ_BYTES + 1) {
    c->cap = c->cap ? c->cap * 2 : 2 * READ_BYTES;
    c->in = realloc(c->in, c->cap);
    if (!c->in)
      abort();
  }
  ssize_t got = read(c->fd, c->in + c->n, READ_BYTES);
  if (got < 0 && (errno == EAGAIN || errno == EINTR))
    return false;
  if (got <= 0 || c->n + (size_t)got > LINE_MAX_BYTES) {
    lose(c, got < 0 ? errno : 0);
    return false;
  }
  c->n += (size_t)got;
  return true;
}

/* line_end: the first newline, reading on as far as possible; NULL: not there yet. */
static char *line_end(struct ops_client *c) {
  while (c->fd >= 0) {
    char *end = c->n > c->scanned ? memchr(c->in + c->scanned, '\n', c->n - c->scanned) : NULL;
    if (end)
      return end;
    c->scanned = c->n;
    if (!fill(c))
      return NULL;
  }
  return NULL;
}

static void drop_line(struct ops_client *c, const char *end) {
  size_t used = (size_t)(end + 1 - c->in);
  c->n -= used;
  memmove(c->in, c->in + used, c->n);
  c->scanned = 0;
}

static bool parse(const char *text, size_t n, struct ops_event *ev) {
  ev->kind = OPS_MESSAGE;
  if (rpc_parse(text, n, true, &ev->in) != ERR_OK)
    return false;
  if (ev->in.kind != RPC_REQUEST)
    return true;
  json_decref(ev->in.root); /* servers ask nothing */
  return false;
}

static bool poll_socket(struct ops_client *c, struct ops_event *ev) {
  if (c->opened) {
    c->opened = false;
    ev->kind = OPS_OPENED;
    return true;
  }
  char *end = line_end(c);
  if (end) {
    bool good = parse(c->in, (size_t)(end - c->in), ev);
    drop_line(c, end);
    if (good)
      return true;
    lose(c, EBADMSG);
  }
  if (!c->lost)
    return false;
  c->lost = false;
  ev->kind = OPS_CLOSED;
  ev->why = c->fault == EBADMSG ? ERR_PROTOCOL : ERR_CONNECT;
  if (c->fault)
    snprintf(ev->text, sizeof ev->text, "no gaveld answers on %.120s: %s", c->path.sun_path,
             strerror(c->fault));
  return true;
}

/* ---- over TLS ---- */

static bool poll_ws(struct ops_client *c, struct ops_event *ev) {
  struct ws_event got;
  if (!ws_client_poll(c->ws, &got))
    return false;
  ev->kind = got.kind == WS_OPENED ? OPS_OPENED : OPS_CLOSED;
  ev->why = got.why;
  if (got.kind == WS_CLOSED && got.text && got.why != ERR_CERT) /* its own sentence says it better */
    snprintf(ev->text, sizeof ev->text, "%s", got.text);
  bool good = got.kind == WS_MESSAGE && parse(got.text, got.n, ev);
  free(got.text);
  if (good || got.kind == WS_OPENED || got.kind == WS_CLOSED)
    return true;
  ws_client_close(c->ws); /* OPS_CLOSED follows */
  return false;
}

/* ---- both ---- */

void ops_client_connect(struct ops_client *c) {
  if (c->ws)
    ws_client_connect(c->ws);
  else if (c->fd < 0)
    dial(c);
}

void ops_client_close(struct ops_client *c) {
  if (c->ws)
    ws_client_close(c->ws);
  else if (c->fd >= 0)
    lose(c, 0);
  c->lost = false;
}

json_int_t ops_client_ask(struct ops_client *c, const char *method, json_t *params) {
  char *text = rpc_request(++c->id, method, params);
  size_t n = text ? strlen(text) : 0;
  if (!text)
    abort();
  if (c->ws) {
    ws_client_send(c->ws, text);
    return c->id;
  }
  text[n] = '\n'; /* in place of the NUL: sent in one piece */
  if (c->fd >= 0 && send(c->fd, text, n + 1, MSG_NOSIGNAL) != (ssize_t)(n + 1))
    lose(c, errno);
  free(text);
  return c->id;
}

int ops_client_fd(const struct ops_client *c) {
  return c->ws ? ws_client_fd(c->ws) : c->fd;
}

bool ops_client_poll(struct ops_client *c, struct ops_event *ev) {
  *ev = (struct ops_event){.kind = OPS_OPENED};
  return c->ws ? poll_ws(c, ev) : poll_socket(c, ev);
}

void ops_client_destroy(struct ops_client *c) {
  if (!c)
    return;
  ws_client_destroy(c->ws);
  if (c->fd >= 0)
    close(c->fd);
  free(c->in);
  free(c);
}
