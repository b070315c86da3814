#include "core/session/turn_tls.h"

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/session/tls.h"
#include "core/session/turn_tls_peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <gio/gio.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FLOW 16384
#define ROUNDS 16 /* of a turn, then others have theirs */
#define ADDRESSES 4
#define SLOW_US (4 * US_PER_S) /* for a connection, for a handshake, and for the last bytes */
#define NEXT_US US_PER_S       /* for a connection when there are more addresses */

struct flow { /* b[at .. at + n) is to be sent on */
  uint8_t b[FLOW];
  size_t at, n;
};
struct lookup { /* lives until the resolver is done with it; then, or once we are gone, `of` is NULL */
  struct turn_tls *of;
};
struct turn_tls {
  GSource *source;
  char *host;
  SSL_CTX *ctx;
  SSL *ssl;
  enum { WAITING, CONNECTING, SHAKING, OPEN, OVER } state;
  enum err error;
  int listener, local, relay;
  gpointer listener_tag, local_tag, relay_tag;
  uint16_t port, relay_port;
  struct lookup *lookup;
  GCancellable *cancel;
  struct sockaddr_storage addr[ADDRESSES];
  size_t n_addr, next_addr;
  us_t deadline;
  struct flow up, down;
  bool local_ended, relay_ended, relay_wants_out;
};
struct hop_source {
  GSource base;
  struct turn_tls *t;
};

/* ---- descriptors ---- */

static void watch(struct turn_tls *t, int fd, gpointer *tag, int want) {
  if (*tag)
    g_source_modify_unix_fd(t->source, *tag, (GIOCondition)want);
  else
    *tag = g_source_add_unix_fd(t->source, fd, (GIOCondition)want);
}

static void drop(struct turn_tls *t, int *fd, gpointer *tag) {
  if (*tag)
    g_source_remove_unix_fd(t->source, *tag);
  *tag = NULL;
  if (*fd >= 0)
    close(*fd);
  *fd = -1;
}

static void set_deadline(struct turn_tls *t, us_t at) {
  t->deadline = at;
  g_source_set_ready_time(t->source, at == US_NEVER ? -1 : at);
}

static void finish(struct turn_tls *t, enum err why) {
  if (t->state == OVER)
    return;
  t->error = why;
  t->state = OVER;
  if (why != ERR_OK)
    log_event(LOG_INFO, "no TLS to the relay", "host", t->host, "why", err_text(why), NULL);
  if (t->ssl && why == ERR_OK)
    (void)SSL_shutdown(t->ssl);
  SSL_free(t->ssl);
  t->ssl = NULL;
  drop(t, &t->listener, &t->listener_tag);
  drop(t, &t->local, &t->local_tag);
  drop(t, &t->relay, &t->relay_tag);
  set_deadline(t, US_NEVER);
}

/* ---- to the relay ---- */

static socklen_t addr_len(const struct sockaddr_storage *a) {
  return a->ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

/* The next of its addresses. */
static void connect_next(struct turn_tls *t) {
  SSL_free(t->ssl);
  t->ssl = NULL;
  drop(t, &t->relay, &t->relay_tag);
  while (t->next_addr < t->n_addr) {
    const struct sockaddr_storage *a = &t->addr[t->next_addr++];
    t->relay = socket(a->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (t->relay >= 0 &&
        (connect(t->relay, (const struct sockaddr *)a, addr_len(a)) == 0 || errno == EINPROGRESS)) {
      (void)setsockopt(t->relay, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
      t->state = CONNECTING;
      watch(t, t->relay, &t->relay_tag, G_IO_OUT);
      set_deadline(t, clock_now() + (t->next_addr < t->n_addr ? NEXT_US : SLOW_US));
      return;
    }
    drop(t, &t->relay, &t->relay_tag);
  }
  finish(t, ERR_CONNECT);
}

/* Both are needed: somebody to speak for, and an address. */
static void begin(struct turn_tls *t) {
  if (t->state == WAITING && t->local >= 0 && !t->lookup)
    connect_next(t);
}

static bool name_to_check(struct turn_tls *t) {
  struct in6_addr any;
  X509_VERIFY_PARAM *p = SSL_get0_param(t->ssl);
  if (inet_pton(AF_INET, t->host, &any) == 1 || inet_pton(AF_INET6, t->host, &any) == 1)
    return X509_VERIFY_PARAM_set1_ip_asc(p, t->host) == 1;
  X509_VERIFY_PARAM_set_hostflags(p, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return SSL_set1_host(t->ssl, t->host) == 1 && SSL_set_tlsext_host_name(t->ssl, t->host) == 1;
}

static void connected(struct turn_tls *t) {
  int e = 0;
  socklen_t n = sizeof e;
  GIOCondition now = g_source_query_unix_fd(t->source, t->relay_tag);
  if (!(now & (G_IO_OUT | G_IO_ERR | G_IO_HUP)))
    return;
  if (getsockopt(t->relay, SOL_SOCKET, SO_ERROR, &e, &n) != 0 || e != 0) {
    connect_next(t);
    return;
  }
  t->ssl = SSL_new(t->ctx);
  if (!t->ssl || !SSL_set_fd(t->ssl, t->relay) || !name_to_check(t)) {
    finish(t, ERR_NOMEM);
    return;
  }
  SSL_set_verify(t->ssl, SSL_VERIFY_PEER, NULL);
  SSL_set_mode(t->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE);
  SSL_set_connect_state(t->ssl);
  t->state = SHAKING;
  set_deadline(t, clock_now() + SLOW_US);
}

static void shake(struct turn_tls *t) {
  ERR_clear_error();
  int n = SSL_do_handshake(t->ssl), e = SSL_get_error(t->ssl, n);
  t->relay_wants_out = n <= 0 && e == SSL_ERROR_WANT_WRITE;
  if (n == 1) {
    t->state = OPEN;
    set_deadline(t, US_NEVER);
  } else if (e != SSL_ERROR_WANT_READ && e != SSL_ERROR_WANT_WRITE) {
    if (SSL_get_verify_result(t->ssl) != X509_V_OK)
      finish(t, ERR_CERT);
    else
      connect_next(t);
  }
}

/* ---- bytes; each tells whether it moved some ---- */

static size_t room(struct flow *f) {
  if (f->n == 0)
    f->at = 0;
  return FLOW - f->at - f->n;
}

static bool take_local(struct turn_tls *t) {
  size_t space = room(&t->up);
  if (t->local_ended || space == 0)
    return false;
  ssize_t n = recv(t->local, t->up.b + t->up.at + t->up.n, space, 0);
  if (n > 0)
    t->up.n += (size_t)n;
  t->local_ended = n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
  return n > 0;
}

static bool give_local(struct turn_tls *t) {
  if (t->local_ended || t->down.n == 0)
    return false;
  ssize_t n = send(t->local, t->down.b + t->down.at, t->down.n, MSG_NOSIGNAL);
  if (n > 0) {
    t->down.at += (size_t)n;
    t->down.n -= (size_t)n;
  }
  t->local_ended = n < 0 && errno != EAGAIN && errno != EINTR;
  return n > 0;
}

static bool relay_moved(struct turn_tls *t, int n) {
  int e = SSL_get_error(t->ssl, n);
  t->relay_wants_out |= e == SSL_ERROR_WANT_WRITE;
  t->relay_ended |= n <= 0 && e != SSL_ERROR_WANT_READ && e != SSL_ERROR_WANT_WRITE;
  return n > 0;
}

static bool take_relay(struct turn_tls *t) {
  size_t space = room(&t->down);
  if (t->relay_ended || space == 0)
    return false;
  ERR_clear_error();
  int n = SSL_read(t->ssl, t->down.b + t->down.at + t->down.n, (int)space);
  if (n > 0)
    t->down.n += (size_t)n;
  return relay_moved(t, n);
}

static bool give_relay(struct turn_tls *t) {
  if (t->relay_ended || t->up.n == 0)
    return false;
  ERR_clear_error();
  int n = SSL_write(t->ssl, t->up.b + t->up.at, (int)t->up.n);
  if (n > 0) {
    t->up.at += (size_t)n;
    t->up.n -= (size_t)n;
  }
  return relay_moved(t, n);
}

static void pump(struct turn_tls *t) {
  bool moved = true;
  t->relay_wants_out = false;
  for (int i = 0; i < ROUNDS && moved; i++) {
    moved = take_local(t);
    moved |= give_relay(t);
    moved |= take_relay(t);
    moved |= give_local(t);
  }
  bool over = (t->local_ended && (t->up.n == 0 || t->relay_ended)) || (t->relay_ended && t->down.n == 0);
  if (over)
    finish(t, ERR_OK);
  else if (moved)
    g_source_set_ready_time(t->source, 0); /* what TLS has read ahead, no descriptor tells */
  else if ((t->local_ended || t->relay_ended) && t->deadline == US_NEVER)
    set_deadline(t, clock_now() + SLOW_US);
  else
    set_deadline(t, t->deadline);
}

/* ---- turns ---- */

static void take_connection(struct turn_tls *t) {
  int fd = accept4(t->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0)
    return;
  if (!turn_tls_peer_is_us(fd)) {
    close(fd);
    return;
  }
  (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
  t->local = fd;
  drop(t, &t->listener, &t->listener_tag);
  begin(t);
}

static void watch_open(struct turn_tls *t) {
  int in = G_IO_IN, out = G_IO_OUT;
  if (t->local_ended)
    drop(t, &t->local, &t->local_tag);
  else
    watch(t, t->local, &t->local_tag, (room(&t->up) ? in : 0) | (t->down.n ? out : 0));
  if (t->relay_ended)
    drop(t, &t->relay, &t->relay_tag);
  else
    watch(t, t->relay, &t->relay_tag, (room(&t->down) ? in : 0) | (t->relay_wants_out ? out : 0));
}

/* A reset is told also when nothing is wanted of a descriptor: then it would be told for ever. */
static void note_reset(struct turn_tls *t) {
  unsigned gone = G_IO_HUP | G_IO_ERR;
  if (t->local_tag && room(&t->up) == 0)
    t->local_ended |= (g_source_query_unix_fd(t->source, t->local_tag) & gone) != 0;
  if (t->relay_tag && room(&t->down) == 0)
    t->relay_ended |= (g_source_query_unix_fd(t->source, t->relay_tag) & gone) != 0;
}

static void step(struct turn_tls *t) {
  if (t->state != OVER && t->deadline <= clock_now()) {
    if (t->state == OPEN)
      finish(t, ERR_OK);
    else
      connect_next(t);
    return;
  }
  if (t->state == WAITING && t->listener >= 0)
    take_connection(t);
  else if (t->state == CONNECTING)
    connected(t);
  if (t->state == SHAKING)
    shake(t);
  if (t->state == SHAKING)
    watch(t, t->relay, &t->relay_tag, t->relay_wants_out ? G_IO_OUT : G_IO_IN);
  if (t->state == OPEN) {
    note_reset(t);
    pump(t);
  }
  if (t->state == OPEN)
    watch_open(t);
}

static gboolean dispatch(GSource *source, GSourceFunc f, gpointer user) {
  (void)f;
  (void)user;
  struct turn_tls *t = ((struct hop_source *)(void *)source)->t;
  step(t);
  return G_SOURCE_CONTINUE;
}

/* ---- life ---- */

static void looked_up(GObject *resolver, GAsyncResult *result, gpointer user) {
  struct lookup *l = user;
  struct turn_tls *t = l->of;
  GList *list = g_resolver_lookup_by_name_finish(G_RESOLVER(resolver), result, NULL);
  for (GList *at = list; t && at && t->n_addr < ADDRESSES; at = at->next) {
    GSocketAddress *a = g_inet_socket_address_new(at->data, t->relay_port);
    if (g_socket_address_to_native(a, &t->addr[t->n_addr], sizeof t->addr[0], NULL))
      t->n_addr++;
    g_object_unref(a);
  }
  g_resolver_free_addresses(list);
  free(l);
  if (!t)
    return;
  t->lookup = NULL;
  begin(t);
}

static int listen_on(int family, uint16_t *port) {
  struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
  bool is_v6 = family == AF_INET6;
  struct sockaddr_storage a = {0};
  memcpy(&a, is_v6 ? (void *)&v6 : (void *)&v4, is_v6 ? sizeof v6 : sizeof v4);
  socklen_t n = addr_len(&a);
  int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd >= 0 && (bind(fd, (struct sockaddr *)&a, n) != 0 || listen(fd, 4) != 0 ||
                  getsockname(fd, (struct sockaddr *)&a, &n) != 0)) {
    close(fd);
    return -1;
  }
  memcpy(&v4, &a, sizeof v4); /* the port is at the same place in both */
  *port = ntohs(v4.sin_port);
  return fd;
}

static void look_up(struct turn_tls *t, GMainContext *context) {
  GResolver *resolver = g_resolver_get_default();
  t->lookup = calloc(1, sizeof *t->lookup);
  if (!t->lookup)
    abort();
  t->lookup->of = t;
  t->cancel = g_cancellable_new();
  g_main_context_push_thread_default(context);
  g_resolver_lookup_by_name_async(resolver, t->host, t->cancel, looked_up, t->lookup);
  g_main_context_pop_thread_default(context);
  g_object_unref(resolver);
}

struct turn_tls *turn_tls_create(GMainContext *context, int family, const char *host, uint16_t port) {
  static GSourceFuncs FUNCS = {.dispatch = dispatch}; /* GLib wants it writable */
  struct turn_tls *t = calloc(1, sizeof *t);
  if (!t)
    return NULL;
  t->local = t->relay = -1;
  t->relay_port = port;
  t->deadline = US_NEVER;
  t->host = strdup(host);
  t->ctx = tls_create(&(struct link){0});
  t->listener = listen_on(family, &t->port);
  t->source = g_source_new(&FUNCS, sizeof(struct hop_source));
  ((struct hop_source *)(void *)t->source)->t = t;
  if (!t->host || !t->ctx || t->listener < 0) {
    turn_tls_destroy(t);
    return NULL;
  }
  watch(t, t->listener, &t->listener_tag, G_IO_IN);
  g_source_attach(t->source, context);
  look_up(t, context);
  return t;
}

uint16_t turn_tls_port(const struct turn_tls *t) {
  return t->port;
}

enum err turn_tls_error(const struct turn_tls *t) {
  return t->error;
}

void turn_tls_destroy(struct turn_tls *t) {
  if (!t)
    return;
  finish(t, ERR_OK);
  if (t->lookup)
    t->lookup->of = NULL;
  if (t->cancel) {
    g_cancellable_cancel(t->cancel);
    g_object_unref(t->cancel);
  }
  g_source_destroy(t->source);
  g_source_unref(t->source);
  SSL_CTX_free(t->ctx);
  free(t->host);
  free(t);
}
