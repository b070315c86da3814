#include "core/server/shell_media.h"

#include "core/base/log.h"
#include "core/base/mailbox.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RX_BATCH 64
#define COMMANDS 8192
#define EVENTS 8192
#define SOCKET_BUFFER (4 << 20)
#define KEPT_MAX 65536
#define KEPT_US (10 * US_PER_MS) /* then the mailbox is tried again */

struct media_thread {
  struct media_thread_config cfg;
  int fd;
  uint16_t port;
  pthread_t thread;
  struct mailbox *in, *out;
  struct mediaport *mp;
  pthread_mutex_t lock; /* of `counters` only; taken once a second by the media thread */
  struct mediaport_counters counters;
  us_t counted_at;
  struct media_event *kept; /* those that did not fit and that no later one says again */
  size_t n_kept, cap_kept;
};

static enum err bind_socket(const char *listen, uint16_t port, int *fd, uint16_t *bound) {
  struct sockaddr_storage sa = {0};
  socklen_t len = sizeof(struct sockaddr_in6);
  struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&sa;
  struct sockaddr_in *v4 = (struct sockaddr_in *)&sa;
  if (inet_pton(AF_INET, listen, &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    len = sizeof *v4;
  } else {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    if (*listen && inet_pton(AF_INET6, listen, &v6->sin6_addr) != 1)
      return ERR_BAD_CONFIG;
  }
  *fd = socket(sa.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (*fd < 0 && sa.ss_family == AF_INET6 && !*listen) { /* a kernel without IPv6 */
    *v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
    len = sizeof *v4;
    *fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  }
  if (*fd < 0)
    return ERR_IO;
  int off = 0, size = SOCKET_BUFFER;
  if (sa.ss_family == AF_INET6)
    (void)setsockopt(*fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  (void)setsockopt(*fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  (void)setsockopt(*fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  if (bind(*fd, (struct sockaddr *)&sa, len) != 0) {
    enum err e = errno == EADDRINUSE || errno == EACCES ? ERR_PORT_TAKEN : ERR_IO;
    close(*fd);
    return e;
  }
  len = sizeof sa;
  getsockname(*fd, (struct sockaddr *)&sa, &len);
  *bound = ntohs(sa.ss_family == AF_INET ? v4->sin_port : v6->sin6_port);
  return ERR_OK;
}

static void send_batch(void *ctx, const struct media_datagram *v, size_t n) {
  struct media_thread *t = ctx;
  struct mmsghdr msg[RX_BATCH];
  struct iovec iov[RX_BATCH];
  assert(n <= RX_BATCH);
  for (size_t i = 0; i < n; i++) {
    iov[i] = (struct iovec){(void *)(uintptr_t)v[i].data, v[i].len};
    msg[i] = (struct mmsghdr){.msg_hdr = {.msg_name = (void *)(uintptr_t)&v[i].to,
                                          .msg_namelen = v[i].to_len,
                                          .msg_iov = &iov[i],
                                          .msg_iovlen = 1}};
  }
  for (size_t sent = 0; sent < n;) {
    int k = sendmmsg(t->fd, msg + sent, (unsigned)(n - sent), 0);
    if (k <= 0 && errno != EINTR)
      sent++; /* one destination failed (ENETUNREACH, full buffer): sound does not wait */
    else if (k > 0)
      sent += (size_t)k;
  }
}

static void keep(struct media_thread *t, const struct media_event *ev) {
  if (t->n_kept == t->cap_kept) {
    t->cap_kept = t->cap_kept ? 2 * t->cap_kept : 64;
    t->kept = realloc(t->kept, t->cap_kept * sizeof *t->kept);
    if (!t->kept)
      abort();
  }
  t->kept[t->n_kept++] = *ev;
}

static void tell(void *ctx, const struct media_event *ev) {
  struct media_thread *t = ctx;
  bool again = ev->kind == MEDIA_STATS || (ev->kind == MEDIA_LEVELS && ev->n > 0);
  if (t->n_kept == 0 && mailbox_put(t->out, ev))
    t->cfg.wake(t->cfg.ctx);
  else if (!again && t->n_kept < KEPT_MAX)
    keep(t, ev);
}

static void tell_kept(struct media_thread *t) {
  size_t n = 0;
  while (n < t->n_kept && mailbox_put(t->out, &t->kept[n]))
    n++;
  if (n == 0)
    return;
  t->n_kept -= n;
  memmove(t->kept, t->kept + n, t->n_kept * sizeof *t->kept);
  t->cfg.wake(t->cfg.ctx);
}

static bool run_commands(struct media_thread *t) {
  struct media_cmd cmd;
  while (mailbox_get(t->in, &cmd)) {
    if (cmd.kind == MEDIA_STOP)
      return false;
    mediaport_command(t->mp, clock_now(), &cmd);
  }
  return true;
}

static void receive(struct media_thread *t, uint8_t (*buf)[MEDIAPORT_DATAGRAM_MAX + 1]) {
  struct mmsghdr msg[RX_BATCH];
  struct iovec iov[RX_BATCH];
  struct sockaddr_storage from[RX_BATCH];
  for (int i = 0; i < RX_BATCH; i++) {
    iov[i] = (struct iovec){buf[i], MEDIAPORT_DATAGRAM_MAX + 1};
    msg[i] = (struct mmsghdr){
        .msg_hdr = {
            .msg_name = &from[i], .msg_namelen = sizeof from[i], .msg_iov = &iov[i], .msg_iovlen = 1}};
  }
  int n = recvmmsg(t->fd, msg, RX_BATCH, MSG_DONTWAIT, NULL);
  us_t now = clock_now();
  for (int i = 0; i < n; i++)
    mediaport_handle_packet(t->mp, now, (struct sockaddr *)&from[i], msg[i].msg_hdr.msg_namelen, buf[i],
                            msg[i].msg_len);
}

static void count(struct media_thread *t, us_t now) {
  if (now - t->counted_at < US_PER_S)
    return;
  t->counted_at = now;
  pthread_mutex_lock(&t->lock);
  mediaport_counters(t->mp, &t->counters);
  pthread_mutex_unlock(&t->lock);
}

static void *run(void *arg) {
  struct media_thread *t = arg;
  uint8_t(*buf)[MEDIAPORT_DATAGRAM_MAX + 1] = malloc(RX_BATCH * sizeof *buf);
  if (!buf)
    abort();
  for (;;) {
    us_t now = clock_now(), due = mediaport_next_timeout(t->mp);
    tell_kept(t);
    if (t->n_kept && now + KEPT_US < due)
      due = now + KEPT_US;
    struct timespec wait = {0, 0}, *timeout = NULL;
    if (due != US_NEVER) {
      us_t d = due > now ? due - now : 0;
      wait = (struct timespec){d / US_PER_S, (long)(d % US_PER_S) * 1000};
      timeout = &wait;
    }
    struct pollfd p[2] = {{t->fd, POLLIN, 0}, {mailbox_fd(t->in), POLLIN, 0}};
    int n = ppoll(p, 2, timeout, NULL);
    if (n > 0 && p[1].revents && !run_commands(t))
      break;
    if (n > 0 && p[0].revents)
      receive(t, buf);
    now = clock_now();
    if (mediaport_next_timeout(t->mp) <= now)
      mediaport_handle_timeout(t->mp, now);
    count(t, now);
  }
  free(buf);
  return NULL;
}

enum err media_thread_start(const struct media_thread_config *c, struct media_thread **out) {
  struct media_thread *t = calloc(1, sizeof *t);
  if (!t)
    return ERR_NOMEM;
  t->cfg = *c;
  pthread_mutex_init(&t->lock, NULL);
  enum err e = bind_socket(c->listen, c->port, &t->fd, &t->port);
  if (e != ERR_OK) {
    free(t);
    return e;
  }
  struct mediaport_config mc = {
      .dtls = c->dtls, .rng = rng_system(), .send = send_batch, .tell = tell, .ctx = t};
  t->in = mailbox_create(sizeof(struct media_cmd), COMMANDS);
  t->out = mailbox_create(sizeof(struct media_event), EVENTS);
  t->mp = mediaport_create(&mc);
  if (!t->in || !t->out || !t->mp || pthread_create(&t->thread, NULL, run, t) != 0) {
    mailbox_destroy(t->in);
    mailbox_destroy(t->out);
    mediaport_destroy(t->mp);
    close(t->fd);
    free(t);
    return ERR_NOMEM;
  }
  *out = t;
  return ERR_OK;
}

uint16_t media_thread_port(const struct media_thread *t) {
  return t->port;
}

void media_thread_command(struct media_thread *t, const struct media_cmd *cmd) {
  struct timespec pause = {0, 100000};
  while (!mailbox_put(t->in, cmd))
    nanosleep(&pause, NULL);
}

bool media_thread_event(struct media_thread *t, struct media_event *ev) {
  return mailbox_get(t->out, ev);
}

void media_thread_counters(struct media_thread *t, struct mediaport_counters *out) {
  pthread_mutex_lock(&t->lock);
  *out = t->counters;
  pthread_mutex_unlock(&t->lock);
}

void media_thread_stop(struct media_thread *t) {
  if (!t)
    return;
  struct media_cmd stop = {.kind = MEDIA_STOP};
  media_thread_command(t, &stop);
  pthread_join(t->thread, NULL);
  mediaport_destroy(t->mp);
  mailbox_destroy(t->in);
  mailbox_destroy(t->out);
  free(t->kept);
  close(t->fd);
  pthread_mutex_destroy(&t->lock);
  free(t);
}
