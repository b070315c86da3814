#include "core/server/shell_http.h"

#include "core/room/room.h"
#include "core/server/limits.h"
#include "core/server/proxies.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#define PATH_MAX_HERE 256
#define FORWARDED_MAX 1024

struct words { /* of a request's head */
  char path[PATH_MAX_HERE], query[WEB_QUERY_MAX], type[64], if_match[64], authorization[WEB_BEARER_MAX];
  char accept[512]; /* "": none, or longer */
  bool has_authorization;
};
struct http_conn {            /* hangs on the wsi as long as that lives */
  uint8_t peer[16], addr[16]; /* who is connected, and for whom */
  uint8_t network[16];
  us_t begun;
  size_t n_network; /* bytes of `network`; 0: not counted as half-open (any more) */
  bool known;
  uint32_t request; /* 0: none is open */
  enum web_face face;
  const char *method;      /* static */
  bool head, asked, empty; /* empty: Content-Length: 0, and its end is still to come */
  struct words *words;     /* NULL: of no request yet, most connections are idle */
  char *body;
  size_t n, expect;
};
struct http {
  struct map *conns;     /* request -> wsi */
  struct map *half_open; /* network -> how many */
  uint32_t last;
  lws_sockfd_type accepted; /* the socket accepted last, and at which port */
  enum web_face accepted_at;
  struct proxies proxies;
};

static struct server *server_of(struct lws *wsi) {
  return lws_context_user(lws_get_context(wsi));
}

/* ---- addresses ---- */

static bool address_of(const struct sockaddr_storage *sa, uint8_t addr[16]) {
  static const uint8_t V4[12] = {[10] = 0xff, [11] = 0xff};
  if (sa->ss_family == AF_INET6)
    memcpy(addr, &((const struct sockaddr_in6 *)sa)->sin6_addr, 16);
  else if (sa->ss_family == AF_INET) {
    memcpy(addr, V4, sizeof V4);
    memcpy(addr + sizeof V4, &((const struct sockaddr_in *)sa)->sin_addr, 4);
  }
  return sa->ss_family == AF_INET6 || sa->ss_family == AF_INET;
}

static void through_proxies(struct lws *wsi, const struct proxies *p, uint8_t addr[16]) {
  char list[FORWARDED_MAX];
  if (lws_hdr_copy(wsi, list, sizeof list, WSI_TOKEN_X_FORWARDED_FOR) > 0)
    proxies_client(p, list, addr);
}

bool shell_http_address(struct lws *wsi, uint8_t addr[16]) {
  const struct http_conn *k = lws_get_opaque_user_data(wsi);
  if (k)
    memcpy(addr, k->addr, sizeof k->addr);
  return k && k->known;
}

/* ---- half-open connections ---- */

static size_t network_of(const uint8_t addr[16], uint8_t network[16]) {
  size_t n = addr_is_v4(addr) ? 15 : 7; /* a /24, a /56 */
  memset(network, 0, 16);
  memcpy(network, addr, n);
  return n;
}

static uintptr_t half_open(const struct http *h, const uint8_t *network, size_t n) {
  return (uintptr_t)map_get(h->half_open, network, n);
}

static void half_open_set(struct http *h, const uint8_t *network, size_t n, uintptr_t count) {
  if (count == 0)
    map_del(h->half_open, network, n);
  else
    map_put(h->half_open, network, n, (void *)count); /* a number, not a place */
}

static int filter(struct lws *listener, struct server *s, const struct lws_filter_network_conn_args *a) {
  uint8_t addr[16], network[16];
  s->http->accepted = a->accept_fd;
  s->http->accepted_at = s->ops_vhost && lws_get_vhost(listener) == s->ops_vhost ? WEB_OPS : WEB_PUBLIC;
  if (s->http->accepted_at == WEB_OPS && /* before anything is read, and TLS */
      (!address_of(&a->cli_addr, addr) || !proxies_has(&s->allowed, addr)))
    return -1;
  if (!address_of(&a->cli_addr, addr) || proxies_has(&s->http->proxies, addr))
    return 0;
  size_t n = network_of(addr, network);
  unsigned most = s->cfg.limits.half_open_per_network;
  if (most == 0 || !limit_counts(&s->cfg.limits, addr) || half_open(s->http, network, n) < most)
    return 0;
  limit_hit(s->control, LIMIT_TLS_HALF);
  return -1;
}

/* Not by lws_get_vhost: where two ports have the same number libwebsockets goes by the name that the client
 * sends, in TLS and in Host. */
static enum web_face face_of(struct lws *wsi, const struct server *s) {
  return s->http->accepted == lws_get_socket_fd(wsi) ? s->http->accepted_at : WEB_PUBLIC;
}

bool shell_http_is_ops(struct lws *wsi) {
  const struct http_conn *k = lws_get_opaque_user_data(wsi);
  return k && k->face == WEB_OPS;
}

static void begin(struct lws *wsi, struct server *s) {
  struct http_conn *k = calloc(1, sizeof *k);
  struct sockaddr_storage sa = {0};
  socklen_t n = sizeof sa;
  if (!k)
    abort();
  k->begun = clock_now();
  k->face = face_of(wsi, s);
  shell_ws_nudge(s);
  lws_set_opaque_user_data(wsi, k);
  lws_set_timer_usecs(wsi, LIMIT_VALUE_HTTP_SLOW * US_PER_S);
  k->known = getpeername(lws_get_socket_fd(wsi), (struct sockaddr *)&sa, &n) == 0 && address_of(&sa, k->peer);
  if (!k->known || proxies_has(&s->http->proxies, k->peer))
    return;
  k->n_network = network_of(k->peer, k->network);
  half_open_set(s->http, k->network, k->n_network, half_open(s->http, k->network, k->n_network) + 1);
}

/* The first request is there. */
static void is_open(struct lws *wsi, struct server *s, struct http_conn *k) {
  if (k->n_network)
    half_open_set(s->http, k->network, k->n_network, half_open(s->http, k->network, k->n_network) - 1);
  k->n_network = 0;
  memcpy(k->addr, k->peer, sizeof k->addr);
  if (k->known)
    through_proxies(wsi, &s->http->proxies, k->addr);
}

void shell_http_upgraded(struct lws *wsi) {
  struct http_conn *k = lws_get_opaque_user_data(wsi);
  lws_set_timer_usecs(wsi, LWS_SET_TIMER_USEC_CANCEL);
  if (k)
    is_open(wsi, server_of(wsi), k);
}

static void forget_words(struct http_conn *k) {
  if (k->words)
    explicit_bzero(k->words, sizeof *k->words);
  free(k->words);
  k->words = NULL;
}

static void forget_request(struct server *s, struct http_conn *k) {
  if (k->request)
    map_del_u32(s->http->conns, k->request);
  if (k->body)
    explicit_bzero(k->body, k->n);
  free(k->body);
  k->body = NULL;
  forget_words(k);
  k->request = 0;
  k->asked = false;
}

void shell_http_end(struct lws *wsi, struct server *s) {
  struct http_conn *k = lws_get_opaque_user_data(wsi);
  if (!k)
    return;
  lws_set_opaque_user_data(wsi, NULL);
  if (k->n_network)
    half_open_set(s->http, k->network, k->n_network, half_open(s->http, k->network, k->n_network) - 1);
  if (k->n_network && s->control && clock_now() - k->begun >= LIMIT_VALUE_TLS_SLOW * US_PER_S)
    limit_hit(s->control, LIMIT_TLS_SLOW);
  if (k->request && k->asked && s->control)
    control_http_gone(s->control, k->request);
  forget_request(s, k);
  free(k);
}

/* ---- answers ---- */

const struct lws_protocol_vhost_options *shell_http_headers(void) {
  static const struct lws_protocol_vhost_options H[] = {
      {&H[1], NULL, "strict-transport-security:", "max-age=63072000; includeSubDomains"},
      {&H[2], NULL, "x-content-type-options:", "nosniff"},
      {&H[3], NULL, "referrer-policy:", "no-referrer"},
      {&H[4], NULL, "cross-origin-opener-policy:", "same-origin"},
      {&H[5], NULL, "cross-origin-embedder-policy:", "require-corp"},
      {&H[6], NULL, "cross-origin-resource-policy:", "same-origin"},
      {NULL, NULL, "cache-control:", "no-store"}};
  return H;
}

static bool add(struct lws *wsi, const char *name, const char *value, unsigned char **p,
                unsigned char *last) {
  return lws_add_http_header_by_name(wsi, (const unsigned char *)name, (const unsigned char *)value,
                                     (int)strlen(value), p, last) == 0;
}

#define HEADERS_ROOM 8192

/* What differs from reply to reply of the headers that every one has. */
static bool add_policies(struct lws *wsi, const struct web_reply *r, unsigned char **p, unsigned char *last) {
  return add(wsi, "content-security-policy:",
             r->policy[0] ? r->policy
                          : "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
             p, last) &&
         add(wsi, "permissions-policy:",
             r->microphone ? "microphone=(self), camera=(), geolocation=(), display-capture=()"
                           : "microphone=(), camera=(), geolocation=(), display-capture=()",
             p, last);
}

static bool add_own(struct lws *wsi, const struct web_reply *r, unsigned char **p, unsigned char *last) {
  for (size_t i = 0; i < r->n_headers; i++)
    if (!add(wsi, r->header[i].name, r->header[i].value, p, last))
      return false;
  return true;
}

/* The answer is out; the connection stays for another request, or goes. */
static int write_reply(struct lws *wsi, const struct web_reply *r, bool head, bool stay) {
  size_t n = strlen(r->body), cap = LWS_PRE + HEADERS_ROOM + n;
  unsigned char *buf = malloc(cap);
  if (!buf)
    abort();
  unsigned char *start = buf + LWS_PRE, *p = start, *last = start + HEADERS_ROOM;
  char retry[16];
  snprintf(retry, sizeof retry, "%d", r->retry_after_s);
  bool ok = (r->status == 204 /* has no length: RFC 9110 section 8.6 */
                 ? lws_add_http_header_status(wsi, 204, &p, last)
                 : lws_add_http_common_headers(wsi, (unsigned)r->status, r->type, n, &p, last)) == 0 &&
            add_policies(wsi, r, &p, last) && add_own(wsi, r, &p, last) &&
            (!r->allow || add(wsi, "allow:", r->allow, &p, last)) &&
            (!r->challenge[0] || add(wsi, "www-authenticate:", r->challenge, &p, last)) &&
            (r->retry_after_s <= 0 || add(wsi, "retry-after:", retry, &p, last)) &&
            (stay || add(wsi, "connection:", "close", &p, last)) &&
            lws_finalize_http_header(wsi, &p, last) == 0;
  if (ok && !head) {
    memcpy(p, r->body, n);
    p += n;
  }
  int len = (int)(p - start);
  ok = ok && lws_write(wsi, start, (size_t)len, LWS_WRITE_HTTP_FINAL) == len;
  explicit_bzero(buf, cap);
  free(buf);
  return !ok || !stay || lws_http_transaction_completed(wsi) ? -1 : 0;
}

/* What is refused before anyone is asked: a short text, and the connection ends. */
static int refuse(struct lws *wsi, const struct http_conn *k, int status, const char *allow) {
  static const struct {
    int status;
    const char *text;
  } TEXTS[] = {{400, "bad request\n"},
               {405, "this method is not for here\n"},
               {411, "how long is the body? Content-Length is missing\n"},
               {413, "too much\n"}};
  struct web_reply r = {.status = status, .type = "text/plain; charset=utf-8", .allow = allow};
  char text[64] = "";
  for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++)
    if (TEXTS[i].status == status)
      snprintf(text, sizeof text, "%s", TEXTS[i].text);
  r.body = text;
  return write_reply(wsi, &r, k->head, false);
}

/* Outside of any callback of libwebsockets: 4.1.6 gives none for writing to a connection that is not to be
 * read. What does not fit into the socket it keeps and sends on. */
void shell_http_reply(void *ctx, uint32_t request, struct web_reply *r) {
  struct server *s = ctx;
  struct lws *wsi = map_get_u32(s->http->conns, request);
  struct http_conn *k = wsi ? lws_get_opaque_user_data(wsi) : NULL;
  if (k) { /* he waited */
    bool head = k->head, stay = !strcmp(k->method, "GET") && r->status == 200;
    forget_request(s, k);
    lws_set_timer_usecs(wsi, LIMIT_VALUE_HTTP_SLOW * US_PER_S); /* also for whom does not read */
    shell_ws_nudge(s);
    if (write_reply(wsi, r, head, stay) != 0)
      lws_set_timeout(wsi, PENDING_TIMEOUT_CLOSE_SEND, LWS_TO_KILL_SYNC);
    else
      lws_rx_flow_control(wsi, 1);
  }
  explicit_bzero(r->body, strlen(r->body));
  free(r->body);
}

/* ---- requests ---- */

/* The reply comes at the end of the turn or later; until then nothing more is read. */
static int ask(struct lws *wsi, struct server *s, struct http_conn *k) {
  struct web_request r = {.face = k->face,
                          .method = k->method,
                          .path = k->words->path,
                          .query = k->words->query,
                          .authorization = k->words->has_authorization ? k->words->authorization : NULL,
                          .if_match = k->words->if_match,
                          .accept = k->words->accept,
                          .type = k->words->type,
                          .body = k->body ? k->body : "",
                          .n = k->n,
                          .addr = k->known ? k->addr : NULL};
  k->asked = true;
  lws_rx_flow_control(wsi, 0);
  lws_set_timeout(wsi, NO_PENDING_TIMEOUT, 0);
  lws_set_timer_usecs(wsi, LIMIT_VALUE_HTTP_SLOW * US_PER_S);
  control_tick(s->control, clock_now(), clock_wall_ms());
  control_http(s->control, k->request, &r);
  return 0;
}

/* Digits and nothing else, once: several such headers come joined by commas. -1: none, -2: not valid. */
static long content_length(struct lws *wsi) {
  char text[24] = "";
  if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH) == 0)
    return -1;
  if (lws_hdr_copy(wsi, text, sizeof text, WSI_TOKEN_HTTP_CONTENT_LENGTH) <= 0 ||
      text[strspn(text, "0123456789")] != '\0' || strlen(text) > 9)
    return -2;
  return strtol(text, NULL, 10);
}

static bool copy(struct lws *wsi, enum lws_token_indexes h, char *out, size_t cap) {
  out[0] = '\0';
  return lws_hdr_total_length(wsi, h) == 0 || lws_hdr_copy(wsi, out, (int)cap, h) >= 0;
}

static bool copy_query(struct lws *wsi, char *out, size_t cap) {
  size_t used = 0;
  int n;
  out[0] = '\0';
  for (int i = 0; (n = lws_hdr_fragment_length(wsi, WSI_TOKEN_HTTP_URI_ARGS, i)) > 0; i++) {
    if (used + (size_t)n + 2 > cap)
      return false;
    if (i > 0)
      out[used++] = '&';
    if (lws_hdr_copy_fragment(wsi, out + used, (int)(cap - used), WSI_TOKEN_HTTP_URI_ARGS, i) < 0)
      return false;
    used += strlen(out + used);
  }
  return true;
}

static bool read_headers(struct lws *wsi, struct http_conn *k, const char *uri) {
  forget_words(k); /* of one that was refused */
  struct words *w = k->words = calloc(1, sizeof *w);
  if (!w || strlen(uri) >= sizeof w->path)
    return false;
  w->has_authorization = lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_AUTHORIZATION) > 0;
  snprintf(w->path, sizeof w->path, "%s", uri);
  (void)copy(wsi, WSI_TOKEN_HTTP_ACCEPT, w->accept, sizeof w->accept);
  return copy_query(wsi, w->query, sizeof w->query) &&
         copy(wsi, WSI_TOKEN_HTTP_CONTENT_TYPE, w->type, sizeof w->type) &&
         copy(wsi, WSI_TOKEN_HTTP_IF_MATCH, w->if_match, sizeof w->if_match) &&
         copy(wsi, WSI_TOKEN_HTTP_AUTHORIZATION, w->authorization, sizeof w->authorization);
}

/* HEAD is a GET whose body stays here. NULL: none of ours. */
static const char *method_of(struct lws *wsi) {
  static const struct {
    enum lws_token_indexes token;
    const char *method;
  } METHODS[] = {{WSI_TOKEN_GET_URI, "GET"},        {WSI_TOKEN_HEAD_URI, "GET"},
                 {WSI_TOKEN_POST_URI, "POST"},      {WSI_TOKEN_PUT_URI, "PUT"},
                 {WSI_TOKEN_PATCH_URI, "PATCH"},    {WSI_TOKEN_DELETE_URI, "DELETE"},
                 {WSI_TOKEN_OPTIONS_URI, "OPTIONS"}};
  for (size_t i = 0; i < sizeof METHODS / sizeof METHODS[0]; i++)
    if (lws_hdr_total_length(wsi, METHODS[i].token) > 0)
      return METHODS[i].method;
  return NULL;
}

/* libwebsockets 4.1.6 takes %0D or %0A in the target for the end of the request line, and what follows for
 * headers: such a request has no version. */
static bool has_version(struct lws *wsi) {
  return lws_hdr_total_length(wsi, WSI_TOKEN_HTTP) > 0;
}

/* The status of what nobody is asked about, 0: it is fine. n: see content_length. */
static int fault_of(struct lws *wsi, struct server *s, struct http_conn *k, const char *uri, long n) {
  if (!k->method)
    return 405;
  if (n == -2 || !has_version(wsi) || lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0 ||
      !read_headers(wsi, k, uri))
    return 400;
  size_t most = web_body_max(k->face, k->method, k->words->path);
  if (n < 0 && (most > 0 || !strcmp(k->method, "POST")))
    return 411;
  if (n <= (long)most)
    return 0;
  limit_hit(s->control, LIMIT_HTTP_BODY);
  return 413;
}

static int on_http(struct lws *wsi, struct server *s, struct http_conn *k, const char *uri) {
  if (k->request) /* never before the last one is answered */
    return -1;
  k->method = method_of(wsi);
  k->head = lws_hdr_total_length(wsi, WSI_TOKEN_HEAD_URI) > 0;
  long n = content_length(wsi);
  int fault = fault_of(wsi, s, k, uri, n);
  if (fault)
    return refuse(wsi, k, fault, fault == 405 ? "GET, HEAD, POST" : NULL);
  shell_ws_nudge(s);
  k->request = ++s->http->last ? s->http->last : ++s->http->last;
  map_put_u32(s->http->conns, k->request, wsi);
  k->n = 0;
  k->expect = n > 0 ? (size_t)n : 0;
  k->empty = n == 0;
  lws_set_timer_usecs(wsi, LIMIT_VALUE_HTTP_SLOW * US_PER_S);
  if (k->expect == 0)
    return ask(wsi, s, k);
  k->body = calloc(1, k->expect + 1);
  if (!k->body)
    abort();
  return 0;
}

static int on_body(struct http_conn *k, const void *in, size_t len) {
  if (k->empty && len == 0)
    return 0;
  if (!k->body || k->asked || len > k->expect - k->n)
    return -1;
  if (len > 0)
    memcpy(k->body + k->n, in, len);
  k->n += len;
  return 0;
}

/* libwebsockets 4.1.6 calls this again for whatever comes after the body, and once for a body of length 0. */
static int on_body_complete(struct lws *wsi, struct server *s, struct http_conn *k) {
  if (k->empty) {
    k->empty = false;
    return 0;
  }
  return !k->body || k->asked || k->n != k->expect ? -1 : ask(wsi, s, k);
}

static int confirm_upgrade(struct lws *wsi) { /* never touch `in`: it may be freed memory */
  char up[16];
  if (lws_hdr_total_length(wsi, WSI_TOKEN_UPGRADE) != 9 ||
      lws_hdr_copy(wsi, up, sizeof up, WSI_TOKEN_UPGRADE) != 9 || strcasecmp(up, "websocket") != 0)
    return -1;
  return 0;
}

/* CONNECT turns a connection into a raw one in libwebsockets: it gets its 405 and is closed. */
static int refuse_raw(struct lws *wsi) {
  static const char TEXT[] =
      "HTTP/1.1 405 Method Not Allowed\r\nAllow: GET, HEAD, POST\r\nContent-Length: 0\r\n"
      "Connection: close\r\n\r\n";
  unsigned char buf[LWS_PRE + sizeof TEXT];
  memcpy(buf + LWS_PRE, TEXT, sizeof TEXT - 1);
  (void)lws_write(wsi, buf + LWS_PRE, sizeof TEXT - 1, LWS_WRITE_RAW);
  return -1;
}

int shell_http_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len) {
  struct server *s = server_of(wsi);
  struct http_conn *k = lws_get_opaque_user_data(wsi);
  switch (reason) {
  case LWS_CALLBACK_FILTER_NETWORK_CONNECTION:
    return filter(wsi, s, user);
  case LWS_CALLBACK_SERVER_NEW_CLIENT_INSTANTIATED:
    begin(wsi, s);
    return 0;
  case LWS_CALLBACK_WSI_DESTROY:
    shell_http_end(wsi, s);
    return 0;
  case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
    return confirm_upgrade(wsi);
  case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
    return -1; /* no subprotocol named */
  case LWS_CALLBACK_RAW_ADOPT:
    return refuse_raw(wsi);
  case LWS_CALLBACK_TIMER:
    limit_hit(s->control, LIMIT_HTTP_SLOW);
    return -1;
  case LWS_CALLBACK_HTTP:
    if (!k)
      return -1;
    is_open(wsi, s, k);
    return on_http(wsi, s, k, in ? in : "");
  case LWS_CALLBACK_HTTP_BODY:
    return k ? on_body(k, in, len) : -1;
  case LWS_CALLBACK_HTTP_BODY_COMPLETION:
    return k ? on_body_complete(wsi, s, k) : -1;
  default:
    return lws_callback_http_dummy(wsi, reason, NULL, in, len);
  }
}

/* ---- life ---- */

enum err shell_http_open(struct server *s, char why[256]) {
  struct http *h = s->http = calloc(1, sizeof *h);
  if (!h)
    return ERR_NOMEM;
  h->conns = map_create(rng_u64(rng_system()));
  h->half_open = map_create(rng_u64(rng_system()));
  return proxies_read(s->cfg.proxies ? s->cfg.proxies : "", &h->proxies, why);
}

enum err shell_http_ops(struct server *s, struct lws_context_creation_info *i, char why[256]) {
  if (!s->cfg.ops_port)
    return ERR_OK;
  i->port = s->cfg.ops_port;
  shell_ws_bind(i, s->cfg.ops_listen && *s->cfg.ops_listen ? s->cfg.ops_listen : "127.0.0.1");
  i->vhost_name = "ops";
  s->ops_vhost = lws_create_vhost(s->lws, i);
  if (s->ops_vhost)
    return ERR_OK;
  snprintf(why, 256, "[ops] port: TCP port %u of %.64s cannot be opened", s->cfg.ops_port, i->iface);
  return ERR_PORT_TAKEN;
}

void shell_http_close(struct server *s) {
  if (!s->http)
    return;
  map_destroy(s->http->conns);
  map_destroy(s->http->half_open);
  free(s->http);
  s->http = NULL;
}
