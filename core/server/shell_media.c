#include "core/server/shell_media.h"

#include "core/base/log.h"
#include "core/base/mailbox.h"
#include "core/media/secure.h"
#include "core/server/shell_icetcp.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define RX_BATCH 64
#define TX_BATCH MEDIAPORT_BATCH_MAX
#define COMMANDS 8192
#define EVENTS 8192
#define EDGES 512   /* 0.9 MB; a second of sound for two rooms of ten packets in 20 ms */
#define CARRIED 512 /* 0.8 MB each way; 0.2 s of 50 people in tunnels */
#define SOCKET_BUFFER (4 << 20)
#define WAITED_MAX_US (60 * US_PER_S)
#define KEPT_MAX 65536
#define KEPT_US (10 * US_PER_MS) /* then the mailbox is tried again */

struct media_thread {
  struct media_thread_config cfg;
  struct handshake_home home;
  int fd;
  uint16_t port;
  pthread_t thread;
  struct mailbox *in, *out;
  struct mailbox *carried_in, *carried_out; /* datagrams from and to tunnels */
  struct icetcp *tcp;                       /* NULL: not listened to */
  struct mailbox *edges;                    /* from other media threads; NULL: not linked */
  struct media_thread *const *linked;       /* by index */
  unsigned n_linked;
  bool halted;
  struct mediaport *mp;
  const struct media_datagram *tx_of; /* what tx and tx_iov point at */
  struct mmsghdr tx[TX_BATCH];
  struct iovec tx_iov[TX_BATCH];
  pthread_mutex_t lock; /* of `counters` only; taken once a second by the media thread */
  struct mediaport_counters counters;
  us_t counted_at;
  _Atomic uint32_t answered; /* the last ping, by the media thread */
  uint32_t asked;            /* and the last one sent, by the control thread, when */
  us_t asked_at;
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
  int off = 0, on = 1, size = SOCKET_BUFFER;
  (void)setsockopt(*fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
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

/* The port's batch is always the same array: all but lengths is written once. */
static void prepare_batch(struct media_thread *t, const struct media_datagram *v) {
  for (size_t i = 0; i < TX_BATCH; i++) {
    t->tx_iov[i].iov_base = (void *)(uintptr_t)v[i].data;
    t->tx[i].msg_hdr =
        (struct msghdr){.msg_name = (void *)(uintptr_t)&v[i].to, .msg_iov = &t->tx_iov[i], .msg_iovlen = 1};
  }
  t->tx_of = v;
}

/* To the thread whose connection it is; what does not fit is lost, as on any line. From any thread. */
static void send_carried(struct media_thread *t, const struct sockaddr_carrier *to, const uint8_t *p,
                         size_t n) {
  struct carried c = {.at = *to, .put_us = clock_now(), .out = true, .len = (uint16_t)n};
  assert(n <= sizeof c.data);
  memcpy(c.data, p, n);
  if (to->via == VIA_TCP)
    (void)mailbox_put(t->carried_in, &c);
  else if (mailbox_put(t->carried_out, &c))
    t->cfg.wake(t->cfg.ctx);
}

static void send_datagrams(struct media_thread *t, size_t from, size_t n) {
  for (size_t sent = from; sent < n;) {
    int k = sendmmsg(t->fd, t->tx + sent, (unsigned)(n - sent), 0);
    if (k <= 0 && errno != EINTR)
      sent++; /* one destination failed (ENETUNREACH, full buffer): sound does not wait */
    else if (k > 0)
      sent += (size_t)k;
  }
}

static void send_batch(void *ctx, const struct media_datagram *v, size_t n) {
  struct media_thread *t = ctx;
  size_t from = 0;
  assert(n <= TX_BATCH);
  if (t->tx_of != v)
    prepare_batch(t, v);
  for (size_t i = 0; i < n; i++) {
    const struct sockaddr_carrier *to = carrier_of((const struct sockaddr *)&v[i].to);
    t->tx_iov[i].iov_len = v[i].len;
    t->tx[i].msg_hdr.msg_namelen = v[i].to_len;
    if (!to)
      continue;
    send_datagrams(t, from, i);
    if (to->via == VIA_TCP)
      icetcp_send(t->tcp, clock_now(), to, v[i].data, v[i].len);
    else
      send_carried(t, to, v[i].data, v[i].len);
    from = i + 1;
  }
  send_datagrams(t, from, n);
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
  bool waits = ev->kind == MEDIA_STATS || ev->kind == MEDIA_LEVELS; /* the control thread looks by itself */
  if (t->n_kept == 0 && mailbox_put(t->out, ev)) {
    if (!waits)
      t->cfg.wake(t->cfg.ctx);
  } else if (!again && t->n_kept < KEPT_MAX)
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

/* ---- handshakes, on a thread of theirs ---- */

static bool shake(void *ctx, const struct mediaport_hello *h) {
  struct media_thread *t = ctx;
  return handshakes_give(t->cfg.handshakes, &t->home, h);
}

static void shake_send(void *ctx, const struct sockaddr *to, socklen_t to_len, const uint8_t *p, size_t n) {
  struct media_thread *t = ctx;
  if (carrier_of(to))
    send_carried(t, carrier_of(to), p, n);
  else
    (void)sendto(t->fd, p, n, 0, to, to_len); /* lost like any datagram */
}

static void shake_done(void *ctx, uint32_t peer, struct secure *s) {
  struct media_cmd cmd = {.kind = MEDIA_SECURED, .peer = peer, .secure = s};
  media_thread_command(ctx, &cmd);
}

static bool run_commands(struct media_thread *t) {
  struct media_cmd cmd;
  while (mailbox_get(t->in, &cmd)) {
    if (cmd.kind == MEDIA_STOP)
      return false;
    if (cmd.kind == MEDIA_PING)
      atomic_store(&t->answered, cmd.peer);
    else
      mediaport_command(t->mp, clock_now(), &cmd);
  }
  return true;
}

/* How long it has lain in the socket; the kernel stamps by wall time. */
static us_t waited(struct msghdr *h, us_t wall_us) {
  for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c))
    if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
      struct timespec at;
      memcpy(&at, CMSG_DATA(c), sizeof at);
      us_t us = wall_us - (us_t)at.tv_sec * US_PER_S - at.tv_nsec / 1000;
      return us > 0 && us < WAITED_MAX_US ? us : 0; /* else the wall clock was set */
    }
  return 0;
}

static void receive(struct media_thread *t, uint8_t (*buf)[MEDIAPORT_DATAGRAM_MAX + 1]) {
  struct mmsghdr msg[RX_BATCH];
  struct iovec iov[RX_BATCH];
  struct sockaddr_storage from[RX_BATCH];
  _Alignas(struct cmsghdr) char control[RX_BATCH][CMSG_SPACE(sizeof(struct timespec))];
  for (int i = 0; i < RX_BATCH; i++) {
    iov[i] = (struct iovec){buf[i], MEDIAPORT_DATAGRAM_MAX + 1};
    msg[i] = (struct mmsghdr){.msg_hdr = {.msg_name = &from[i],
                                          .msg_namelen = sizeof from[i],
                                          .msg_iov = &iov[i],
                                          .msg_iovlen = 1,
                                          .msg_control = control[i],
                                          .msg_controllen = sizeof control[i]}};
  }
  int n = recvmmsg(t->fd, msg, RX_BATCH, MSG_DONTWAIT, NULL);
  us_t began = clock_now(), wall_us = clock_wall_us();
  for (int i = 0; i < n; i++) { /* in a large room each of them takes milliseconds */
    us_t now = clock_now();
    if (mediaport_next_timeout(t->mp) <= now)
      mediaport_handle_timeout(t->mp, now);
    mediaport_handle_waited(t->mp, now, waited(&msg[i].msg_hdr, wall_us) + now - began,
                            (struct sockaddr *)&from[i], msg[i].msg_hdr.msg_namelen, buf[i], msg[i].msg_len);
  }
}

static void count(struct media_thread *t, us_t now) {
  if (now - t->counted_at < US_PER_S)
    return;
  t->counted_at = now;
  pthread_mutex_lock(&t->lock);
  mediaport_counters(t->mp, &t->counters);
  pthread_mutex_unlock(&t->lock);
}

static bool give_edge(void *ctx, unsigned thread, const struct media_edge *e) {
  const struct media_thread *t = ctx;
  return thread < t->n_linked && mailbox_put(t->linked[thread]->edges, e);
}

static void take_edges(struct media_thread *t) {
  struct media_edge e;
  for (unsigned i = 0; i < EDGES && mailbox_get(t->edges, &e); i++)
    mediaport_handle_edge(t->mp, clock_now(), &e);
}

static void take_carried(struct media_thread *t) {
  struct carried c;
  for (unsigned i = 0; i < CARRIED && mailbox_get(t->carried_in, &c); i++) {
    us_t now = clock_now();
    if (c.out)
      icetcp_send(t->tcp, now, &c.at, c.data, c.len);
    else
      mediaport_handle_waited(t->mp, now, now - c.put_us, (const struct sockaddr *)&c.at, sizeof c.at, c.data,
                              c.len);
  }
}

static void take_tcp(void *ctx, const struct sockaddr_carrier *from, uint8_t *p, size_t n) {
  struct media_thread *t = ctx;
  mediaport_handle_packet(t->mp, clock_now(), (const struct sockaddr *)from, sizeof *from, p, n);
}

static us_t due_of(const struct media_thread *t) {
  us_t due = mediaport_next_timeout(t->mp), tcp = t->tcp ? icetcp_due(t->tcp) : US_NEVER;
  return due < tcp ? due : tcp;
}

static void *run(void *arg) {
  struct media_thread *t = arg;
  char name[16]; /* for top -H and /proc */
  snprintf(name, sizeof name, "media%u", t->cfg.index);
  (void)pthread_setname_np(pthread_self(), name);
  uint8_t(*buf)[MEDIAPORT_DATAGRAM_MAX + 1] = malloc(RX_BATCH * sizeof *buf);
  if (!buf)
    abort();
  for (;;) {
    us_t now = clock_now(), due = due_of(t);
    tell_kept(t);
    if (t->n_kept && now + KEPT_US < due)
      due = now + KEPT_US;
    struct timespec wait = {0, 0}, *timeout = NULL;
    if (due != US_NEVER) {
      us_t d = due > now ? due - now : 0;
      wait = (struct timespec){d / US_PER_S, (long)(d % US_PER_S) * 1000};
      timeout = &wait;
    }
    struct pollfd p[] = {{t->fd, POLLIN, 0},
                         {mailbox_fd(t->in), POLLIN, 0},
                         {mailbox_fd(t->edges), POLLIN, 0},
                         {mailbox_fd(t->carried_in), POLLIN, 0},
                         {t->tcp ? icetcp_fd(t->tcp) : -1, POLLIN, 0}};
    int n = ppoll(p, sizeof p / sizeof p[0], timeout, NULL);
    if (n > 0 && p[1].revents && !run_commands(t))
      break;
    if (n > 0 && p[2].revents)
      take_edges(t);
    if (n > 0 && p[3].revents)
      take_carried(t);
    if (n > 0 && p[4].revents)
      icetcp_serve(t->tcp, clock_now(), take_tcp, t);
    if (n > 0 && p[0].revents)
      receive(t, buf);
    now = clock_now();
    if (mediaport_next_timeout(t->mp) <= now)
      mediaport_handle_timeout(t->mp, now);
    if (t->tcp)
      icetcp_timeout(t->tcp, now);
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
  if (c->tcp && icetcp_open(t->fd, &t->tcp) != ERR_OK)
    log_event(LOG_WARN, "the media port is not open for TCP", "why", "it is taken, or not allowed", NULL);
  struct mediaport_config mc = {.dtls = c->dtls,
                                .rng = rng_system(),
                                .send = send_batch,
                                .tell = tell,
                                .packed_from = c->packed_from,
                                .shake = c->handshakes ? shake : NULL,
                                .edge = give_edge,
                                .ctx = t};
  t->home = (struct handshake_home){.send = shake_send, .done = shake_done, .ctx = t};
  t->in = mailbox_create(sizeof(struct media_cmd), COMMANDS);
  t->out = mailbox_create(sizeof(struct media_event), EVENTS);
  t->edges = mailbox_create(sizeof(struct media_edge), EDGES);
  t->carried_in = mailbox_create(sizeof(struct carried), CARRIED);
  t->carried_out = mailbox_create(sizeof(struct carried), CARRIED);
  t->mp = mediaport_create(&mc);
  if (!t->in || !t->out || !t->edges || !t->carried_in || !t->carried_out || !t->mp ||
      pthread_create(&t->thread, NULL, run, t) != 0) {
    mailbox_destroy(t->in);
    mailbox_destroy(t->out);
    mailbox_destroy(t->edges);
    mailbox_destroy(t->carried_in);
    mailbox_destroy(t->carried_out);
    mediaport_destroy(t->mp);
    icetcp_close(t->tcp);
    close(t->fd);
    free(t);
    return ERR_NOMEM;
  }
  *out = t;
  return ERR_OK;
}

void media_threads_link(struct media_thread *const *v, unsigned n) {
  for (unsigned i = 0; i < n; i++) {
    v[i]->linked = v;
    v[i]->n_linked = n;
  }
}

uint16_t media_thread_port(const struct media_thread *t) {
  return t->port;
}

bool media_thread_has_tcp(const struct media_thread *t) {
  return t->tcp != NULL;
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

void media_thread_carry(struct media_thread *t, const struct carried *c) {
  struct carried now = *c;
  now.put_us = clock_now();
  (void)mailbox_put(t->carried_in, &now);
}

bool media_thread_carried(struct media_thread *t, struct carried *c) {
  return mailbox_get(t->carried_out, c);
}

void media_thread_halt(struct media_thread *t) {
  if (!t || t->halted)
    return;
  struct media_cmd stop = {.kind = MEDIA_STOP};
  media_thread_command(t, &stop);
  pthread_join(t->thread, NULL);
  t->halted = true;
}

us_t media_thread_cpu(const struct media_thread *t) {
  return clock_cpu(t->thread);
}

bool media_thread_alive(struct media_thread *t, us_t now) {
  bool answered = atomic_load(&t->answered) == t->asked;
  struct media_cmd ping = {.kind = MEDIA_PING, .peer = t->asked + 1};
  bool asked = answered && mailbox_put(t->in, &ping);
  t->asked += asked;
  t->asked_at = asked ? now : t->asked_at;
  return answered || now - t->asked_at < 2 * US_PER_S;
}

void media_thread_stop(struct media_thread *t) {
  if (!t)
    return;
  media_thread_halt(t);
  struct media_cmd left;
  while (mailbox_get(t->in, &left))
    if (left.kind == MEDIA_SECURED)
      secure_destroy(left.secure);
  mediaport_destroy(t->mp);
  mailbox_destroy(t->in);
  mailbox_destroy(t->out);
  mailbox_destroy(t->edges);
  mailbox_destroy(t->carried_in);
  mailbox_destroy(t->carried_out);
  free(t->kept);
  icetcp_close(t->tcp);
  close(t->fd);
  pthread_mutex_destroy(&t->lock);
  free(t);
}
