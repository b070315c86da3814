/* shell_ws.c: libwebsockets around the control plane: TLS, WebSocket on /v1/ws, the operator's Unix socket.
 * Plain HTTP is in shell_http.c.
 *
 * Debian's libwebsockets 4.1.6 has a remote use-after-free when a kept-alive connection asks for an upgrade
 * to anything but websocket: the CONFIRM_UPGRADE guard in shell_http.c is mandatory and has a regression
 * test. */
#include "core/base/log.h"
#include "core/server/shell_http.h"
#include "core/server/shell_tunnel.h"
#include "core/wire/json.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

_Static_assert(CONTROL_HEADROOM >= LWS_PRE, "messages need room for libwebsockets' framing");

#define WRITES_A_ROUND 64 /* messages to one connection before the others have their turn */
#define CLOSE_S 5         /* for a connection that is to end and does not read */
#define SILENT_MS 30000   /* then a connection is asked whether it lives */
#define SILENT_LOOKS 4    /* for so long after that */
#define NUDGE_US (30 * US_PER_S)

struct pss { /* per connection; zeroed by libwebsockets */
  uint32_t conn;
  char *rx; /* message being assembled */
  size_t n, cap;
  unsigned fragments;
  unsigned asked; /* looks since a ping went unanswered, 0: none has */
  bool ping;
};

static struct server *server_of(struct lws *wsi) {
  return lws_context_user(lws_get_context(wsi));
}

/* ---- both transports ---- */

/* libwebsockets 4.1.6 with libev looks at its timeouts only when something happens on a socket, or when the
 * one is due that was first when it last looked. So for a while after it may have set one it is given
 * something to do once a second. */
void shell_ws_nudge(struct server *s) {
  s->nudge_until = clock_now() + NUDGE_US;
}

/* What libwebsockets reports happens now, not when the last turn ended. */
static struct server *server_now(struct lws *wsi) {
  struct server *s = server_of(wsi);
  control_tick(s->control, clock_now(), clock_wall_ms());
  return s;
}

static void opened(struct lws *wsi, struct pss *p, bool admin) {
  struct server *s = server_now(wsi);
  uint8_t addr[16];
  bool known = !admin && shell_http_address(wsi, addr);
  bool ops = !admin && shell_http_is_ops(wsi);
  p->conn = ops ? control_open_ops(s->control, known ? addr : NULL)
                : control_open(s->control, admin, known ? addr : NULL);
  map_put_u32(s->wsis, p->conn, wsi);
}

static void forget_message(struct pss *p) {
  if (p->rx)
    explicit_bzero(p->rx, p->n); /* it may have been a password, or a key */
  free(p->rx);
  p->rx = NULL;
  p->n = p->cap = 0;
}

static void closed(struct lws *wsi, struct pss *p) {
  struct server *s = server_of(wsi);
  if (!p || !p->conn)
    return;
  map_del_u32(s->wsis, p->conn);
  shell_tunnel_closed(s, p->conn);
  control_closed(server_now(wsi)->control, p->conn);
  forget_message(p);
  p->conn = 0;
}

/* Most messages come in one piece: they get what they need. */
static bool make_room(struct pss *p, size_t len) {
  if (p->rx && p->n + len <= p->cap)
    return true;
  size_t n = p->n, cap = n ? 2 * (n + len) : len + 1;
  char *rx = malloc(cap);
  if (!rx)
    return false;
  if (n > 0)
    memcpy(rx, p->rx, n);
  forget_message(p);
  p->rx = rx;
  p->n = n;
  p->cap = cap;
  return true;
}

static bool assemble(struct pss *p, const void *in, size_t len) {
  if (p->n + len > JSON_MESSAGE_MAX || !make_room(p, len))
    return false;
  memcpy(p->rx + p->n, in, len);
  p->n += len;
  return true;
}

void shell_ws_want_write(void *ctx, uint32_t conn) {
  struct server *s = ctx;
  struct lws *wsi = map_get_u32(s->wsis, conn);
  if (!wsi)
    return;
  lws_callback_on_writable(wsi);
  if (control_ending(s->control, conn)) {
    lws_set_timeout(wsi, PENDING_TIMEOUT_CLOSE_SEND, CLOSE_S);
    shell_ws_nudge(s);
  }
}

bool shell_ws_blocked(void *ctx, uint32_t conn) {
  const struct server *s = ctx;
  struct lws *wsi = map_get_u32(s->wsis, conn);
  return wsi && lws_send_pipe_choked(wsi);
}

/* ---- WebSocket ---- */

static int on_receive(struct lws *wsi, struct pss *p, void *in, size_t len) {
  if (lws_frame_is_binary(wsi))
    return shell_tunnel_receive(server_now(wsi), wsi, p->conn, in, len);
  bool frame_ends = lws_remaining_packet_payload(wsi) == 0, fits = assemble(p, in, len);
  if (!fits || (frame_ends && ++p->fragments > LIMIT_VALUE_FRAGMENTS)) {
    limit_hit(server_of(wsi)->control, fits ? LIMIT_FRAGMENTS : LIMIT_MESSAGE);
    lws_close_reason(wsi, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, NULL, 0);
    return -1;
  }
  if (!frame_ends || !lws_is_final_fragment(wsi))
    return 0;
  control_message(server_now(wsi)->control, p->conn, p->rx, p->n);
  forget_message(p);
  p->fragments = 0;
  return 0;
}

/* The head of a text frame, RFC 6455 5.2: the server does not mask. */
static size_t put_head(unsigned char *p, size_t n) {
  p[0] = 0x81;
  p[1] = n < 126 ? (unsigned char)n : 126;
  p[2] = (unsigned char)(n >> 8);
  p[3] = (unsigned char)n;
  return n < 126 ? 2 : 4;
}

/* What waits leaves together, each message in a frame of its own: in a rush to the door the cost is the TLS
 * records and packets, not the bytes. libwebsockets would make a record of each frame. */
static int write_some(struct lws *wsi, struct pss *p, struct server *s) {
  static_assert(SHELL_FRAMES_MAX <= UINT16_MAX && sizeof s->frames >= LWS_PRE + SHELL_FRAMES_MAX, "put_head");
  unsigned char *frames = s->frames + LWS_PRE;
  size_t len = 0, next, n;
  while ((next = control_next_size(s->control, p->conn)) > 0 && len + next + 4 <= SHELL_FRAMES_MAX) {
    const char *text = control_next_message(s->control, p->conn, &n);
    len += put_head(frames + len, n);
    memcpy(frames + len, text, n);
    len += n;
  }
  if (len > 0) { /* as they are: the frames are made already */
    bool sent = lws_write(wsi, frames, len, LWS_WRITE_HTTP) == (int)len;
    explicit_bzero(frames, len); /* messages hand out links, keys and tokens */
    return sent ? 1 : -1;
  }
  char *text = control_next_message(s->control, p->conn, &n);
  if (!text)
    return 0;
  return lws_write(wsi, (unsigned char *)text, n, LWS_WRITE_TEXT) == (int)n ? 1 : -1;
}

static int on_writeable(struct lws *wsi, struct pss *p) {
  struct server *s = server_of(wsi);
  unsigned char ping[LWS_PRE];
  int wrote = 1;
  if (p->ping && lws_write(wsi, ping + LWS_PRE, 0, LWS_WRITE_PING) < 0)
    return -1;
  p->ping = false;
  for (int i = 0; i < WRITES_A_ROUND && wrote > 0 && !lws_partial_buffered(wsi); i++)
    wrote = write_some(wsi, p, s);
  if (wrote < 0)
    return -1;
  if (wrote > 0) {
    lws_callback_on_writable(wsi);
    return 0;
  }
  if (shell_tunnel_write(s, wsi, p->conn) < 0)
    return -1;
  if (!control_wants_close(s->control, p->conn))
    return 0;
  shell_ws_nudge(s);
  lws_close_reason(wsi, (enum lws_close_status)control_close_code(s->control, p->conn), NULL, 0);
  return -1;
}

/* ---- who has gone without a word ---- */

/* How long nothing has come from there. The kernel knows: what arrived while we were busy counts. */
static uint32_t silent_ms(struct lws *wsi) {
  struct tcp_info info = {0};
  socklen_t n = sizeof info;
  int fd = lws_get_socket_fd(wsi);
  return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &n) == 0 ? info.tcpi_last_data_recv : 0;
}

static uint32_t silent_most_ms(const struct server *s) {
  return s->cfg.silent_ms ? s->cfg.silent_ms : SILENT_MS;
}

static void look_at(struct server *s, struct lws *wsi, struct pss *p) {
  if (silent_ms(wsi) < silent_most_ms(s))
    p->asked = 0;
  else if (p->asked++ == 0) {
    p->ping = true;
    lws_callback_on_writable(wsi);
  } else if (p->asked > SILENT_LOOKS) {
    lws_set_timeout(wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
    shell_ws_nudge(s);
  }
}

/* All at once and not each at its time: their answers come together too. */
static void look_around(struct server *s, us_t now) {
  struct lws *wsi;
  if (now < s->look_at)
    return;
  s->look_at = now + silent_most_ms(s) * US_PER_MS / 6;
  for (size_t at = 0; (wsi = map_next(s->wsis, &at));)
    look_at(s, wsi, lws_wsi_user(wsi));
}

/* Only /v1/ws, only our subprotocol, and from a browser only our own pages (RFC 6455 10.2). */
static int admit_upgrade(struct lws *wsi) {
  char uri[32] = "", proto[32] = "", origin[300] = "", host[280] = "", own[300];
  lws_hdr_copy(wsi, uri, sizeof uri, WSI_TOKEN_GET_URI);
  lws_hdr_copy(wsi, proto, sizeof proto, WSI_TOKEN_PROTOCOL);
  shell_http_upgraded(wsi);
  if (strcmp(uri, "/v1/ws") != 0 || strcmp(proto, "gavel.1") != 0)
    return -1;
  if (lws_hdr_total_length(wsi, WSI_TOKEN_ORIGIN) == 0)
    return 0;
  lws_hdr_copy(wsi, host, sizeof host, WSI_TOKEN_HOST);
  snprintf(own, sizeof own, "https://%s", host);
  if (lws_hdr_copy(wsi, origin, sizeof origin, WSI_TOKEN_ORIGIN) > 0 && strcasecmp(origin, own) == 0)
    return 0;
  lws_return_http_status(wsi, HTTP_STATUS_FORBIDDEN, NULL);
  return -1;
}

static int callback_ws(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len) {
  struct pss *p = user;
  switch (reason) {
  case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
    return admit_upgrade(wsi);
  case LWS_CALLBACK_ESTABLISHED:
    opened(wsi, p, false);
    shell_http_end(wsi, server_of(wsi)); /* it is none any more */
    return 0;
  case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
    shell_ws_nudge(server_of(wsi));
    return 0;
  case LWS_CALLBACK_RECEIVE: {
    int rc = on_receive(wsi, p, in, len);
    explicit_bzero(in, len); /* libwebsockets' own buffer */
    if (rc != 0)
      shell_ws_nudge(server_of(wsi));
    return rc;
  }
  case LWS_CALLBACK_SERVER_WRITEABLE:
    return on_writeable(wsi, p);
  case LWS_CALLBACK_CLOSED:
    closed(wsi, p);
    return 0;
  default:
    return 0;
  }
}

/* ---- the operator's socket: one JSON-RPC message a line ---- */

static int admin_rx(struct lws *wsi, struct pss *p, const char *in, size_t len) {
  struct server *s = server_of(wsi);
  while (len > 0) {
    const char *nl = memchr(in, '\n', len);
    size_t n = nl ? (size_t)(nl - in) : len;
    if (!assemble(p, in, n))
      return -1;
    if (nl) {
      control_message(s->control, p->conn, p->rx, p->n);
      forget_message(p);
      n++;
    }
    in += n;
    len -= n;
  }
  return 0;
}

static int admin_tx(struct lws *wsi, struct pss *p) {
  struct server *s = server_of(wsi);
  size_t n;
  char *text = control_next_message(s->control, p->conn, &n);
  if (!text)
    return control_wants_close(s->control, p->conn) ? -1 : 0;
  char *line = malloc(LWS_PRE + n + 1);
  if (!line)
    return -1;
  memcpy(line + LWS_PRE, text, n);
  line[LWS_PRE + n] = '\n';
  int sent = lws_write(wsi, (unsigned char *)line + LWS_PRE, n + 1, LWS_WRITE_RAW);
  explicit_bzero(line + LWS_PRE, n); /* it may have been a new key */
  free(line);
  if (sent < 0)
    return -1;
  lws_callback_on_writable(wsi);
  return 0;
}

static int callback_admin(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                          size_t len) {
  struct pss *p = user;
  switch (reason) {
  case LWS_CALLBACK_RAW_ADOPT:
    opened(wsi, p, true);
    return 0;
  case LWS_CALLBACK_RAW_RX: {
    int rc = admin_rx(wsi, p, in, len);
    explicit_bzero(in, len);
    return rc;
  }
  case LWS_CALLBACK_RAW_WRITEABLE:
    return admin_tx(wsi, p);
  case LWS_CALLBACK_RAW_CLOSE:
    closed(wsi, p);
    return 0;
  default:
    return 0;
  }
}

/* libwebsockets 4.1.6 leaves only P-256 to choose from. Of sessions nothing is kept here; one ticket, and not
 * none: it acknowledges the end of the handshake, which a client that delays small packets waits for. */
static int set_up_tls(SSL_CTX *tls) {
  SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
  bool ok = SSL_CTX_set_num_tickets(tls, 1) == 1 && SSL_CTX_set1_groups_list(tls, "X25519:P-256:P-384") == 1;
  return ok ? 0 : -1;
}

/* libwebsockets asks here once its TLS context is ready. */
static int callback_first(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                          size_t len) {
  if (reason == LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS)
    return set_up_tls(user);
  return shell_http_callback(wsi, reason, user, in, len);
}

#define RX_PIECE                                                                                             \
  1024 /* a buffer of this size is kept for each connection; longer messages come in pieces                  \
        */
#define TX_PIECE 16384
static const struct lws_protocols PROTOCOLS[] = {
    {"http", callback_first, 0, 0, 0, NULL, 0},
    {"gavel.1", callback_ws, sizeof(struct pss), RX_PIECE, 0, NULL, TX_PIECE},
    {NULL, NULL, 0, 0, 0, NULL, 0}};
static const struct lws_protocols ADMIN_PROTOCOLS[] = {
    {"admin", callback_admin, sizeof(struct pss), 16384, 0, NULL, 0}, {NULL, NULL, 0, 0, 0, NULL, 0}};

/* ---- life ---- */

static void log_lws(int level, const char *line) {
  char text[256];
  snprintf(text, sizeof text, "%.*s", (int)strcspn(line, "\n"), line);
  log_event(level == LLL_ERR ? LOG_WARN : LOG_DEBUG, "libwebsockets", "line", text, NULL);
}

static bool pem_of(const struct cert *c, BUF_MEM **cert, BUF_MEM **key, BIO *b[2]) {
  b[0] = BIO_new(BIO_s_mem());
  b[1] = BIO_new(BIO_s_mem());
  if (!b[0] || !b[1] || !PEM_write_bio_X509(b[0], c->x509) ||
      !PEM_write_bio_PKCS8PrivateKey(b[1], c->key, NULL, NULL, 0, NULL, NULL))
    return false;
  BIO_get_mem_ptr(b[0], cert);
  BIO_get_mem_ptr(b[1], key);
  return true;
}

static const lws_retry_bo_t NO_KEEPALIVE; /* look_around does it: libwebsockets' timers are one sorted list */

/* libwebsockets 4.1.6 takes an IPv4 address for all addresses as long as IPv6 is on. */
void shell_ws_bind(struct lws_context_creation_info *i, const char *address) {
  struct in_addr v4;
  i->iface = *address ? address : NULL;
  i->options &= ~(uint64_t)LWS_SERVER_OPTION_DISABLE_IPV6;
  if (inet_pton(AF_INET, address, &v4) == 1)
    i->options |= LWS_SERVER_OPTION_DISABLE_IPV6;
}

static void public_info(struct server *s, struct lws_context_creation_info *i) {
  i->port = s->cfg.port ? s->cfg.port : 0;
  shell_ws_bind(i, s->cfg.listen);
  i->vhost_name = "public";
  i->protocols = PROTOCOLS;
  i->alpn = "http/1.1";
  i->options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT | LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND;
  i->headers = shell_http_headers();
  i->ssl_options_set = SSL_OP_NO_TLSv1 | SSL_OP_NO_TLSv1_1 | SSL_OP_NO_RENEGOTIATION;
  if (!s->cfg.tls12)
    i->ssl_options_set |= (long)SSL_OP_NO_TLSv1_2;
  i->ssl_cipher_list =
      "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256:"
      "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
  i->timeout_secs = 5;
  i->timeout_secs_ah_idle = 5;
  i->keepalive_timeout = 5;
  i->retry_and_idle_policy = &NO_KEEPALIVE;
}

static enum err open_public(struct server *s, char why[256]) {
  struct lws_context_creation_info i = {0};
  BUF_MEM *cert = NULL, *key = NULL;
  BIO *bios[2] = {NULL, NULL};
  public_info(s, &i);
  enum err e = ERR_OK;
  if (s->self_made) {
    if (!pem_of(&s->tls, &cert, &key, bios))
      abort();
    i.server_ssl_cert_mem = cert->data;
    i.server_ssl_cert_mem_len = (unsigned)cert->length;
    i.server_ssl_private_key_mem = key->data;
    i.server_ssl_private_key_mem_len = (unsigned)key->length;
  } else {
    i.ssl_cert_filepath = s->cfg.cert_file;
    i.ssl_private_key_filepath = s->cfg.key_file;
  }
  /* libwebsockets 4.1.6 makes a client's TLS context for each vhost, and leaks it when a process holds two of
   * its own contexts (`gavel host`): it gets one it need not free. */
  i.provided_client_ssl_ctx = s->tls_client = SSL_CTX_new(TLS_client_method());
  if (!s->tls_client)
    abort();
  s->vhost = lws_create_vhost(s->lws, &i);
  if (s->vhost)
    e = shell_http_ops(s, &i, why);
  BIO_free(bios[0]);
  BIO_free(bios[1]);
  if (!s->vhost) {
    snprintf(
        why, 256,
        "TCP port %u of %s cannot be opened: is another server running, or the address not of this machine?",
        s->cfg.port, *s->cfg.listen ? s->cfg.listen : "all addresses");
    e = ERR_PORT_TAKEN;
  } else
    s->port = (uint16_t)lws_get_vhost_listen_port(s->vhost);
  return e;
}

static bool socket_alive(const char *path) {
  struct sockaddr_un a = {.sun_family = AF_UNIX};
  snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  bool alive = fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) == 0;
  if (fd >= 0)
    close(fd);
  return alive;
}

static enum err open_admin(struct server *s, char why[256]) {
  if (!s->cfg.admin_socket)
    return ERR_OK;
  if (socket_alive(s->cfg.admin_socket)) {
    snprintf(why, 256, "%s is in use: another gaveld runs here", s->cfg.admin_socket);
    return ERR_PORT_TAKEN;
  }
  struct stat st;
  if (lstat(s->cfg.admin_socket, &st) == 0 && !S_ISSOCK(st.st_mode)) {
    snprintf(why, 256, "%.200s is not a socket: choose another with --socket", s->cfg.admin_socket);
    return ERR_IO;
  }
  unlink(s->cfg.admin_socket); /* left behind by a crash */
  struct lws_context_creation_info i = {.vhost_name = "admin",
                                        .protocols = ADMIN_PROTOCOLS,
                                        .iface = s->cfg.admin_socket,
                                        .listen_accept_role = "raw-skt",
                                        .listen_accept_protocol = "admin",
                                        .options = LWS_SERVER_OPTION_UNIX_SOCK | LWS_SERVER_OPTION_ONLY_RAW |
                                                   LWS_SERVER_OPTION_ADOPT_APPLY_LISTEN_ACCEPT_CONFIG |
                                                   LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND};
  mode_t old = umask(0177);
  struct lws_vhost *v = lws_create_vhost(s->lws, &i);
  umask(old);
  if (!v || chmod(s->cfg.admin_socket, 0600) != 0) {
    snprintf(why, 256, "the admin socket %.160s cannot be made: %s", s->cfg.admin_socket, strerror(errno));
    return ERR_IO;
  }
  s->admin_open = true;
  return ERR_OK;
}

enum err shell_ws_open(struct server *s, char why[256]) {
  lws_set_log_level(LLL_WARN, log_lws); /* what fails in here becomes our one sentence */
  s->loop = loop_create();
  if (!s->loop) {
    snprintf(why, 256, "there is no epoll here");
    return ERR_IO;
  }
  void *loops[] = {loop_native(s->loop)};
  struct lws_context_creation_info i = {
      .options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT |
                 LWS_SERVER_OPTION_LIBEV | LWS_SERVER_OPTION_VALIDATE_UTF8, /* the vhost's is ignored */
      .foreign_loops = loops,
      .gid = -1,
      .uid = -1,
      .user = s,
      .max_http_header_data = 4096,
      .max_http_header_pool = 256,
      .pt_serv_buf_size = 16384};
  s->lws = lws_create_context(&i);
  if (!s->lws) {
    snprintf(why, 256, "libwebsockets cannot start: is libwebsockets-evlib-ev installed?");
    return ERR_IO;
  }
  enum err e = shell_http_open(s, why);
  if (e == ERR_OK)
    e = open_public(s, why);
  if (e == ERR_OK)
    e = shell_http_redirect(s, why);
  if (e == ERR_OK)
    e = open_admin(s, why);
  lws_set_log_level(LLL_ERR | LLL_WARN, log_lws);
  return e;
}

void shell_ws_wake(void *ctx) {
  struct server *s = ctx;
  loop_wake(s->loop);
}

static us_t sooner(us_t a, us_t b) {
  return a < b ? a : b;
}

void shell_ws_turn(struct server *s, us_t due) {
  us_t now = clock_now();
  look_around(s, now);
  if (map_count(s->wsis) > 0)
    due = sooner(due, s->look_at);
  if (now < s->nudge_until && s->nudge_at <= now) {
    s->nudge_at = now + US_PER_S;
    lws_cancel_service(s->lws);
  }
  if (now < s->nudge_until)
    due = sooner(due, s->nudge_at);
  loop_turn(s->loop, now, due);
}

void shell_ws_close(struct server *s) {
  if (s->lws)
    lws_context_destroy(s->lws);
  loop_destroy(s->loop);
  s->lws = NULL;
  s->loop = NULL;
  shell_http_close(s);
  SSL_CTX_free(s->tls_client);
  s->tls_client = NULL;
  if (s->admin_open)
    unlink(s->cfg.admin_socket);
  s->admin_open = false;
}
