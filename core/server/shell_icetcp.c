#include "core/server/shell_icetcp.h"

#include "core/base/addr.h"
#include "core/base/map.h"
#include "core/base/outq.h"
#include "core/base/rng.h"
#include "core/base/timers.h"
#include "core/wire/framing.h"
#include "core/wire/stun.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define BACKLOG 128
#define EVENTS 64
#define READ 4096
#define UNSENT 2048 /* bytes that the kernel may hold back: what it has cannot be dropped */

struct tcp_conn {
  struct timer timer; /* first, so that it leads back here */
  int fd;
  struct sockaddr_carrier at;
  struct framing in;
  uint8_t first[STUN_MAX];                           /* all that it may say before a check was answered */
  uint8_t *more;                                     /* after it; NULL before */
  uint8_t rest[FRAMING_HEAD + CARRIER_DATAGRAM_MAX]; /* of a frame that left in part */
  size_t n_rest, rest_at;
  struct tcp_conn *older, *newer; /* among those without a check */
};
struct icetcp {
  struct timer deaf; /* first: until then nobody is let in, there were no descriptors */
  int listen, epoll;
  uint32_t last;
  struct map *conns; /* by handle */
  struct timers timers;
  struct tcp_conn *oldest, *newest; /* without a check */
  unsigned unknown;
};

/* ---- without a check yet ---- */

static void list_add(struct icetcp *t, struct tcp_conn *k) {
  k->older = t->newest;
  *(t->newest ? &t->newest->newer : &t->oldest) = k;
  t->newest = k;
  t->unknown++;
}

static void list_del(struct icetcp *t, struct tcp_conn *k) {
  *(k->older ? &k->older->newer : &t->oldest) = k->newer;
  *(k->newer ? &k->newer->older : &t->newest) = k->older;
  k->older = k->newer = NULL;
  t->unknown--;
}

static bool same_address(const struct tcp_conn *k, const struct in6_addr *a) {
  return memcmp(&k->at.from.sin6_addr, a, addr_network(a->s6_addr)) == 0;
}

static unsigned unknown_of(const struct icetcp *t, const struct in6_addr *a) {
  unsigned n = 0;
  for (const struct tcp_conn *k = t->oldest; k; k = k->newer)
    n += same_address(k, a);
  return n;
}

static unsigned known_of(const struct icetcp *t, const struct in6_addr *a) {
  unsigned n = 0;
  const struct tcp_conn *k;
  for (size_t at = 0; (k = map_next(t->conns, &at));)
    n += k->more && same_address(k, a);
  return n;
}

/* ---- life ---- */

static enum err listen_like(int like, int *fd) {
  struct sockaddr_storage sa = {0};
  socklen_t len = sizeof sa;
  int on = 1, off = 0;
  if (getsockname(like, (struct sockaddr *)&sa, &len) != 0)
    return ERR_IO;
  *fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (*fd < 0)
    return ERR_IO;
  (void)setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (sa.ss_family == AF_INET6)
    (void)setsockopt(*fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  if (bind(*fd, (struct sockaddr *)&sa, len) == 0 && listen(*fd, BACKLOG) == 0)
    return ERR_OK;
  close(*fd);
  return ERR_PORT_TAKEN;
}

enum err icetcp_open(int like, struct icetcp **out) {
  struct icetcp *t = calloc(1, sizeof *t);
  if (!t)
    return ERR_NOMEM;
  enum err e = listen_like(like, &t->listen);
  t->epoll = e == ERR_OK ? epoll_create1(EPOLL_CLOEXEC) : -1;
  struct epoll_event ev = {.events = EPOLLIN};
  if (e == ERR_OK && (t->epoll < 0 || epoll_ctl(t->epoll, EPOLL_CTL_ADD, t->listen, &ev) != 0)) {
    close(t->listen);
    e = ERR_IO;
  }
  if (e != ERR_OK) {
    free(t);
    return e;
  }
  t->deaf = (struct timer)TIMER_IDLE;
  t->conns = map_create(rng_u64(rng_system()));
  *out = t;
  return ERR_OK;
}

static void drop(struct icetcp *t, struct tcp_conn *k) {
  if (!k->more)
    list_del(t, k);
  timers_set(&t->timers, &k->timer, US_NEVER);
  map_del_u32(t->conns, k->at.handle);
  close(k->fd);
  free(k->more);
  free(k);
}

void icetcp_close(struct icetcp *t) {
  struct tcp_conn *k;
  if (!t)
    return;
  for (size_t at = 0; (k = map_next(t->conns, &at)); at = 0)
    drop(t, k);
  map_destroy(t->conns);
  timers_free(&t->timers);
  close(t->listen);
  close(t->epoll);
  free(t);
}

int icetcp_fd(const struct icetcp *t) {
  return t->epoll;
}

/* ---- in ---- */

static struct sockaddr_in6 mapped(const struct sockaddr_storage *sa) {
  struct sockaddr_in6 a;
  const struct sockaddr_in *v4 = (const struct sockaddr_in *)sa;
  if (sa->ss_family != AF_INET) {
    memcpy(&a, sa, sizeof a);
    return a;
  }
  a = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = v4->sin_port};
  a.sin6_addr.s6_addr[10] = a.sin6_addr.s6_addr[11] = 0xff;
  memcpy(a.sin6_addr.s6_addr + 12, &v4->sin_addr, 4);
  return a;
}

static struct tcp_conn *conn_make(struct icetcp *t, int fd, const struct sockaddr_in6 *from) {
  struct tcp_conn *k = calloc(1, sizeof *k);
  struct epoll_event ev = {.events = EPOLLIN | EPOLLRDHUP};
  int on = 1, unsent = UNSENT;
  if (!k)
    return NULL;
  do
    t->last++;
  while (t->last == 0 || map_get_u32(t->conns, t->last)); /* 0 is the listener */
  ev.data.u64 = t->last;
  *k = (struct tcp_conn){.timer = TIMER_IDLE, .fd = fd};
  k->at =
      (struct sockaddr_carrier){.family = CARRIER_FAMILY, .via = VIA_TCP, .handle = t->last, .from = *from};
  k->in.buf = k->first;
  k->in.cap = sizeof k->first;
  (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  (void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
  if (epoll_ctl(t->epoll, EPOLL_CTL_ADD, fd, &ev) == 0)
    return k;
  free(k);
  return NULL;
}

static void hear(struct icetcp *t, bool on) {
  struct epoll_event ev = {.events = on ? EPOLLIN : 0u};
  (void)epoll_ctl(t->epoll, EPOLL_CTL_MOD, t->listen, &ev);
}

static void welcome(struct icetcp *t, us_t now) {
  struct sockaddr_storage sa = {0};
  socklen_t len = sizeof sa;
  int fd = accept4(t->listen, (struct sockaddr *)&sa, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)) {
    hear(t, false);
    timers_set(&t->timers, &t->deaf, now + US_PER_S);
  }
  if (fd < 0)
    return;
  struct sockaddr_in6 from = mapped(&sa);
  if (t->unknown >= ICETCP_UNKNOWN_MAX)
    drop(t, t->oldest);
  bool full = map_count(t->conns) >= ICETCP_MAX || unknown_of(t, &from.sin6_addr) >= ICETCP_ADDRESS_MAX;
  struct tcp_conn *k = full ? NULL : conn_make(t, fd, &from);
  if (!k) {
    close(fd);
    return;
  }
  map_put_u32(t->conns, k->at.handle, k);
  list_add(t, k);
  timers_set(&t->timers, &k->timer, now + ICETCP_FIRST_US);
}

static void take_bytes(struct icetcp *t, struct tcp_conn *k, const uint8_t *p, size_t n, icetcp_take *take,
                       void *ctx) {
  size_t len;
  bool bad;
  while (framing_feed(&k->in, &p, &n, &len, &bad)) {
    bool known = k->more != NULL;
    if (!known && !stun_looks_like(k->in.buf, len)) {
      drop(t, k);
      return;
    }
    take(ctx, &k->at, k->in.buf, len); /* may send on k: then it is known */
  }
  if (bad)
    drop(t, k);
}

static void receive(struct icetcp *t, struct tcp_conn *k, icetcp_take *take, void *ctx) {
  uint8_t buf[READ];
  ssize_t n = recv(k->fd, buf, sizeof buf, MSG_DONTWAIT);
  if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
    drop(t, k);
    return;
  }
  if (n < 0)
    return;
  take_bytes(t, k, buf, (size_t)n, take, ctx);
}

/* ---- out ---- */

static void watch(struct icetcp *t, struct tcp_conn *k, bool out) {
  struct epoll_event ev = {.events = EPOLLIN | EPOLLRDHUP | (out ? EPOLLOUT : 0u)};
  ev.data.u64 = k->at.handle;
  (void)epoll_ctl(t->epoll, EPOLL_CTL_MOD, k->fd, &ev);
}

static void send_rest(struct icetcp *t, struct tcp_conn *k) {
  ssize_t n = send(k->fd, k->rest + k->rest_at, k->n_rest - k->rest_at, MSG_DONTWAIT | MSG_NOSIGNAL);
  k->rest_at += n > 0 ? (size_t)n : 0;
  if (k->rest_at < k->n_rest)
    return;
  k->n_rest = k->rest_at = 0;
  watch(t, k, false);
}

/* A check of his was answered: he may say more from now on. What is read lies in `first` until it was taken.
 */
static bool known(struct icetcp *t, struct tcp_conn *k) {
  if (k->more)
    return true;
  if (known_of(t, &k->at.from.sin6_addr) >= ICETCP_KNOWN_ADDRESS_MAX ||
      !(k->more = malloc(CARRIER_DATAGRAM_MAX)))
    return false;
  list_del(t, k);
  memcpy(k->more, k->first, sizeof k->first);
  k->in.buf = k->more;
  k->in.cap = CARRIER_DATAGRAM_MAX;
  return true;
}

void icetcp_send(struct icetcp *t, us_t now, const struct sockaddr_carrier *to, const uint8_t *p, size_t n) {
  struct tcp_conn *k = map_get_u32(t->conns, to->handle);
  if (!k || n > CARRIER_DATAGRAM_MAX || !known(t, k))
    return;
  timers_set(&t->timers, &k->timer, now + ICETCP_IDLE_US); /* somebody's path: what he says proves nothing */
  if (k->n_rest > 0 || outq_is_long(k->fd))
    return;
  k->rest[0] = (uint8_t)(n >> 8);
  k->rest[1] = (uint8_t)n;
  memcpy(k->rest + FRAMING_HEAD, p, n);
  ssize_t sent = send(k->fd, k->rest, FRAMING_HEAD + n, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent <= 0 || (size_t)sent == FRAMING_HEAD + n)
    return; /* gone, or lost: nothing of it is on the stream */
  k->rest_at = (size_t)sent;
  k->n_rest = FRAMING_HEAD + n;
  watch(t, k, true);
}

/* ---- turns ---- */

void icetcp_serve(struct icetcp *t, us_t now, icetcp_take *take, void *ctx) {
  struct epoll_event ev[EVENTS];
  int n = epoll_wait(t->epoll, ev, EVENTS, 0);
  for (int i = 0; i < n; i++) {
    struct tcp_conn *k = map_get_u32(t->conns, (uint32_t)ev[i].data.u64);
    if (ev[i].data.u64 == 0)
      welcome(t, now);
    else if (k && ev[i].events & (EPOLLERR | EPOLLHUP))
      drop(t, k);
    else {
      if (k && ev[i].events & EPOLLOUT)
        send_rest(t, k);
      if (k && ev[i].events & (EPOLLIN | EPOLLRDHUP))
        receive(t, k, take, ctx);
    }
  }
}

us_t icetcp_due(const struct icetcp *t) {
  return timers_next(&t->timers);
}

void icetcp_timeout(struct icetcp *t, us_t now) {
  struct timer *one;
  while ((one = timers_pop(&t->timers, now)))
    if (one == &t->deaf)
      hear(t, true);
    else
      drop(t, (struct tcp_conn *)one);
}
