#include "tui/remote.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct conn {
  uint32_t id; /* 0: free */
  int fd;
  bool watching;
  size_t n;
  char in[REMOTE_LINE_MAX];
  char *out; /* owned: the n_out bytes the socket has not taken yet */
  size_t n_out;
};
struct remote {
  int epoll, listener;
  uint32_t last;
  char path[sizeof((struct sockaddr_un *)0)->sun_path];
  struct conn conns[REMOTE_CONNS_MAX];
};

bool remote_folder(const char *runtime, const char *state, char out[400]) {
  struct stat st;
  if (runtime != NULL && runtime[0] == '/')
    snprintf(out, 400, "%.380s/gavel", runtime);
  else
    snprintf(out, 400, "%.380s/run", state);
  if (mkdir(out, 0700) != 0 && errno != EEXIST)
    return false;
  return lstat(out, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() && (st.st_mode & 077) == 0;
}

static bool watch_fd(struct remote *r, int fd, uint32_t id) {
  struct epoll_event ev = {.events = EPOLLIN, .data.u32 = id};
  return epoll_ctl(r->epoll, EPOLL_CTL_ADD, fd, &ev) == 0;
}

/* taken: a living client answers there; what a dead one left behind is removed. */
static bool taken(const struct sockaddr_un *a) {
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  bool alive = fd >= 0 && (connect(fd, (const struct sockaddr *)a, sizeof *a) == 0 || errno == EAGAIN);
  if (fd >= 0)
    close(fd);
  if (!alive)
    (void)unlink(a->sun_path);
  return alive;
}

static bool listen_on(struct remote *r) {
  struct sockaddr_un a = {.sun_family = AF_UNIX};
  memcpy(a.sun_path, r->path, sizeof r->path);
  if (taken(&a)) {
    errno = EADDRINUSE;
    return false;
  }
  r->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  mode_t old = umask(0177);
  bool ok = r->listener >= 0 && bind(r->listener, (struct sockaddr *)&a, sizeof a) == 0;
  umask(old);
  return ok && listen(r->listener, REMOTE_CONNS_MAX) == 0;
}

struct remote *remote_open(const char *folder, const char *name, char why[256]) {
  struct remote *r = calloc(1, sizeof *r);
  if (r == NULL)
    return NULL;
  r->listener = -1;
  r->epoll = epoll_create1(EPOLL_CLOEXEC);
  int n = snprintf(r->path, sizeof r->path, "%s/%s.sock", folder, name);
  if (name[0] == '\0' || strchr(name, '/') != NULL || n >= (int)sizeof r->path) {
    snprintf(why, 256, "%.60s cannot name a control socket", name);
    r->path[0] = '\0';
  } else if (r->epoll >= 0 && listen_on(r) && watch_fd(r, r->listener, 0)) {
    return r;
  } else {
    snprintf(why, 256, "the control socket %.100s: %s", name, strerror(errno));
    if (errno == EADDRINUSE)
      r->path[0] = '\0'; /* it is another's */
  }
  remote_close(r);
  return NULL;
}

int remote_fd(const struct remote *r) {
  return r->epoll;
}

static void drop(struct conn *c) {
  close(c->fd);
  free(c->out);
  *c = (struct conn){0};
}

static struct conn *find(struct remote *r, uint32_t id) {
  for (size_t i = 0; i < REMOTE_CONNS_MAX; i++)
    if (r->conns[i].id == id && id != 0)
      return &r->conns[i];
  return NULL;
}

static void accept_one(struct remote *r) {
  int fd = accept4(r->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0)
    return;
  for (size_t i = 0; i < REMOTE_CONNS_MAX; i++) {
    struct conn *c = &r->conns[i];
    if (c->id != 0)
      continue;
    *c = (struct conn){.id = ++r->last, .fd = fd};
    if (!watch_fd(r, fd, c->id))
      drop(c);
    return;
  }
  close(fd); /* as many as allowed are there */
}

/* take_line: the first complete line of what came. */
static bool take_line(struct conn *c, struct remote_line *out) {
  char *end = memchr(c->in, '\n', c->n);
  if (end == NULL)
    return false;
  size_t len = (size_t)(end - c->in);
  memcpy(out->text, c->in, len);
  out->text[len] = '\0';
  out->conn = c->id;
  c->n -= len + 1;
  memmove(c->in, end + 1, c->n);
  return true;
}

static void read_some(struct conn *c) {
  ssize_t n = c->n < sizeof c->in ? read(c->fd, c->in + c->n, sizeof c->in - c->n) : 0;
  if (n > 0)
    c->n += (size_t)n;
  else if (n == 0 || (errno != EAGAIN && errno != EINTR))
    drop(c);
}

/* write_some: as much as the socket takes; the rest when it can be written to again. */
static void write_some(struct remote *r, struct conn *c) {
  ssize_t n = send(c->fd, c->out, c->n_out, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (n < 0 && errno != EAGAIN && errno != EINTR) {
    drop(c);
    return;
  }
  if (n > 0) {
    c->n_out -= (size_t)n;
    memmove(c->out, c->out + n, c->n_out);
  }
  struct epoll_event ev = {.events = c->n_out > 0 ? EPOLLIN | EPOLLOUT : EPOLLIN, .data.u32 = c->id};
  if (epoll_ctl(r->epoll, EPOLL_CTL_MOD, c->fd, &ev) != 0)
    drop(c);
}

bool remote_next(struct remote *r, struct remote_line *out) {
  struct epoll_event ev;
  for (;;) {
    for (size_t i = 0; i < REMOTE_CONNS_MAX; i++)
      if (r->conns[i].id != 0 && take_line(&r->conns[i], out))
        return true;
    if (epoll_wait(r->epoll, &ev, 1, 0) != 1)
      return false;
    struct conn *c = find(r, ev.data.u32);
    if (ev.data.u32 == 0)
      accept_one(r);
    else if (c != NULL && (ev.events & EPOLLOUT) != 0)
      write_some(r, c);
    else if (c != NULL)
      read_some(c);
  }
}

void remote_answer(struct remote *r, uint32_t conn, const char *json) {
  struct conn *c = find(r, conn);
  size_t n = strlen(json);
  if (c == NULL)
    return;
  char *out = c->n_out + n + 1 <= REMOTE_OUT_MAX ? realloc(c->out, c->n_out + n + 1) : NULL;
  if (out == NULL) {
    drop(c); /* he is not reading */
    return;
  }
  c->out = out;
  memcpy(c->out + c->n_out, json, n);
  c->out[c->n_out + n] = '\n';
  c->n_out += n + 1;
  write_some(r, c);
}

void remote_watch(struct remote *r, uint32_t conn) {
  struct conn *c = find(r, conn);
  if (c != NULL)
    c->watching = true;
}

bool remote_watched(const struct remote *r) {
  for (size_t i = 0; i < REMOTE_CONNS_MAX; i++)
    if (r->conns[i].watching)
      return true;
  return false;
}

void remote_tell(struct remote *r, const char *json) {
  for (size_t i = 0; i < REMOTE_CONNS_MAX; i++)
    if (r->conns[i].watching)
      remote_answer(r, r->conns[i].id, json);
}

void remote_close(struct remote *r) {
  if (r == NULL)
    return;
  for (size_t i = 0; i < REMOTE_CONNS_MAX; i++)
    if (r->conns[i].id != 0)
      drop(&r->conns[i]);
  if (r->listener >= 0)
    close(r->listener);
  if (r->epoll >= 0)
    close(r->epoll);
  if (r->path[0] != '\0')
    (void)unlink(r->path);
  free(r);
}
