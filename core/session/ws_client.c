#include "core/session/ws_client.h"

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/mailbox.h"
#include "core/base/outq.h"
#include "core/session/tls.h"
#include "core/session/tls_text.h"

#include <libwebsockets.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGE_MAX (8 << 20) /* a snapshot of a full room */
#define QUEUE 256
#define SOUND_QUEUE 16 /* datagrams: more are older than SOUND_US anyway */
#define SOUND_US (200 * US_PER_MS)
#define SOUND_UNSENT 2048 /* bytes of ours that the kernel may hold back: what it has cannot be dropped */

struct request {
  enum { DO_CONNECT, DO_CLOSE, DO_ABORT, DO_SEND } kind;
  char *text;
};
struct sound {
  us_t at;
  size_t n;
  unsigned char pre[LWS_PRE], p[WS_DATAGRAM_MAX];
};
struct ws_client {
  struct link link;
  struct lws_context *ctx;
  SSL_CTX *tls;
  struct lws *wsi;
  pthread_t thread;
  struct mailbox *in, *out, *sound;
  atomic_bool stop;
  atomic_bool closed_untold; /* a WS_CLOSED that did not fit */
  atomic_bool sound_waits;
  atomic_bool asked_too_much; /* a request that did not fit: the connection is closed */
  bool attempt, open, closing, cert_bad;
  bool gap; /* a message did not fit: nothing more is told until the connection is closed */
  char *queue[QUEUE];
  size_t n_queue;
  char *rx;
  size_t n_rx, cap_rx;
};

static void tell(struct ws_client *w, const struct ws_event *ev) {
  if (!w->gap && mailbox_put(w->out, ev))
    return;
  free(ev->text);
  w->gap = w->closing = true;
  if (w->wsi)
    lws_callback_on_writable(w->wsi);
}

/* reason_of: why an attempt failed, for a person; malloc'd. libwebsockets says nothing of a name that it
 * cannot resolve, and little of a connection that is refused. */
static char *reason_of(const struct ws_client *w, const char *said) {
  char text[LINK_HOST_MAX + 64];
  if (said[0] == '\0')
    snprintf(text, sizeof text, "cannot find %s", w->link.host);
  else if (strcmp(said, "Unable to connect") == 0)
    snprintf(text, sizeof text, "nothing answers at %s, port %u", w->link.host, w->link.port);
  else
    snprintf(text, sizeof text, "no connection: %.120s", said);
  char *copy = strdup(text);
  if (!copy)
    abort();
  return copy;
}

/* tell_closed: `said`: an attempt to connect failed so. */
static void tell_closed(struct ws_client *w, enum err why, const char *said) {
  w->attempt = w->open = w->closing = false;
  w->wsi = NULL;
  w->n_rx = 0;
  for (size_t i = 0; i < w->n_queue; i++)
    free(w->queue[i]);
  w->n_queue = 0;
  w->gap = false;
  struct ws_event ev = {.kind = WS_CLOSED, .why = why, .text = said ? reason_of(w, said) : NULL};
  if (mailbox_put(w->out, &ev))
    return;
  free(ev.text);
  ev.text = NULL;
  atomic_store(&w->closed_untold, true); /* seen when the box is empty, unless it has become so just now */
  if (mailbox_put(w->out, &ev))
    atomic_store(&w->closed_untold, false);
}

/* Sound that the engine does not read is lost, and no reason to hang up. */
static void tell_datagram(struct ws_client *w) {
  struct ws_event ev = {.kind = WS_DATAGRAM, .text = w->rx, .n = w->n_rx};
  if (w->gap || !mailbox_put(w->out, &ev))
    free(ev.text);
}

static int receive(struct ws_client *w, struct lws *wsi, const void *in, size_t len) {
  bool binary = lws_frame_is_binary(wsi);
  if (w->n_rx + len > (binary ? WS_DATAGRAM_MAX : MESSAGE_MAX))
    return -1;
  if (w->n_rx + len + 1 > w->cap_rx) {
    w->cap_rx = (w->n_rx + len + 1) * 2;
    w->rx = realloc(w->rx, w->cap_rx);
    if (!w->rx)
      abort();
  }
  memcpy(w->rx + w->n_rx, in, len);
  w->n_rx += len;
  if (lws_remaining_packet_payload(wsi) > 0 || !lws_is_final_fragment(wsi))
    return 0;
  w->rx[w->n_rx] = 0;
  if (binary)
    tell_datagram(w);
  else
    tell(w, &(struct ws_event){.kind = WS_MESSAGE, .text = w->rx, .n = w->n_rx});
  w->rx = NULL;
  w->n_rx = w->cap_rx = 0;
  return 0;
}

/* Only what is still worth hearing, and only while the socket takes it at once. */
static int write_sound(struct ws_client *w, struct lws *wsi) {
  struct sound s;
  while (!lws_send_pipe_choked(wsi) && mailbox_get(w->sound, &s))
    if (clock_now() - s.at < SOUND_US && !outq_is_long(lws_get_socket_fd(wsi)) &&
        lws_write(wsi, s.p, s.n, LWS_WRITE_BINARY) < 0)
      return -1;
  if (lws_send_pipe_choked(wsi))
    lws_callback_on_writable(wsi);
  return 0;
}

static int write_one(struct ws_client *w, struct lws *wsi) {
  if (w->n_queue == 0)
    return w->closing ? -1 : write_sound(w, wsi);
  char *text = w->queue[0];
  memmove(w->queue, w->queue + 1, --w->n_queue * sizeof w->queue[0]);
  size_t n = strlen(text);
  unsigned char *buf = malloc(LWS_PRE + n);
  if (!buf)
    abort();
  memcpy(buf + LWS_PRE, text, n);
  free(text);
  int sent = lws_write(wsi, buf + LWS_PRE, n, LWS_WRITE_TEXT);
  free(buf);
  if (sent < 0)
    return -1;
  lws_callback_on_writable(wsi); /* for the next, or for sound that waits */
  return 0;
}

static void opened(struct ws_client *w, struct lws *wsi) {
  int unsent = SOUND_UNSENT;
  struct sound old;
  (void)setsockopt(lws_get_socket_fd(wsi), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
  while (mailbox_get(w->sound, &old))
    ; /* of the connection before */
  w->open = true;
  struct ws_event ev = {.kind = WS_OPENED, .text = tls_text(lws_get_ssl(wsi), w->link.has_pin)};
  socklen_t len = sizeof ev.server;
  if (getpeername(lws_get_socket_fd(wsi), (struct sockaddr *)&ev.server, &len) != 0)
    ev.server.sin6_family = AF_UNSPEC; /* gone already */
  tell(w, &ev);
}

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len) {
  struct ws_client *w = lws_context_user(lws_get_context(wsi));
  (void)user;
  switch ((int)reason) {
  case LWS_CALLBACK_OPENSSL_PERFORM_SERVER_CERT_VERIFICATION:
    return tls_verify(&w->link, user, len != 0, &w->cert_bad);
  case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
    log_event(LOG_INFO, "connection error", "why", in ? (char *)in : "?", NULL);
    tell_closed(w, w->cert_bad ? ERR_CERT : ERR_CONNECT, in ? in : "");
    return 0;
  case LWS_CALLBACK_CLIENT_ESTABLISHED:
    opened(w, wsi);
    return 0;
  case LWS_CALLBACK_CLIENT_RECEIVE:
    return receive(w, wsi, in, len);
  case LWS_CALLBACK_CLIENT_WRITEABLE:
    return write_one(w, wsi);
  case LWS_CALLBACK_CLIENT_CLOSED:
    tell_closed(w, ERR_CONNECT, NULL);
    return 0;
  default:
    return 0;
  }
}

static const struct lws_protocols PROTOCOLS[] = {{"gavel.1", callback, 0, 65536, 0, NULL, 0},
                                                 {NULL, NULL, 0, 0, 0, NULL, 0}};
/* Often enough for the address translators on the way; each costs some 200 bytes. */
static const lws_retry_bo_t KEEPALIVE = {.secs_since_valid_ping = 25, .secs_since_valid_hangup = 35};

static void begin(struct ws_client *w) {
  if (w->attempt)
    return;
  w->attempt = true;
  w->cert_bad = false;
  struct lws_client_connect_info c = {.context = w->ctx,
                                      .address = w->link.host,
                                      .port = w->link.port,
                                      .path = "/v1/ws",
                                      .host = w->link.host,
                                      .protocol = "gavel.1",
                                      .local_protocol_name = "gavel.1",
                                      .alpn = "http/1.1",
                                      .ssl_connection = LCCSCF_USE_SSL,
                                      .retry_and_idle_policy = &KEEPALIVE,
                                      .pwsi = &w->wsi};
  if (!lws_client_connect_via_info(&c) && w->attempt) /* the callback may have told it already */
    tell_closed(w, ERR_CONNECT, "");
}

static void serve(struct ws_client *w) {
  struct request r;
  if (atomic_exchange(&w->asked_too_much, false))
    w->closing = w->attempt;
  if (atomic_exchange(&w->sound_waits, false) && w->open && w->wsi)
    lws_callback_on_writable(w->wsi);
  while (mailbox_get(w->in, &r)) {
    switch (r.kind) {
    case DO_CONNECT:
      begin(w);
      break;
    case DO_SEND:
      if (w->open && w->n_queue < QUEUE)
        w->queue[w->n_queue++] = r.text;
      else {
        free(r.text);
        w->closing |= w->open; /* the server does not read: a request must not be lost unseen */
      }
      break;
    case DO_CLOSE:
      w->closing = w->attempt;
      break;
    case DO_ABORT:
      if (w->wsi)
        lws_set_timeout(w->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
      break;
    }
    if (w->open && w->wsi)
      lws_callback_on_writable(w->wsi);
  }
}

static void *run(void *arg) {
  struct ws_client *w = arg;
  while (!atomic_load(&w->stop)) {
    lws_service(w->ctx, 0);
    serve(w);
  }
  return NULL;
}

struct ws_client *ws_client_create(const struct link *l) {
  struct ws_client *w = calloc(1, sizeof *w);
  if (!w)
    return NULL;
  w->link = *l;
  w->tls = tls_create(l);
  lws_set_log_level(0, NULL); /* stderr belongs to the screen; errors come back as events */
  struct lws_context_creation_info i = {.port = CONTEXT_PORT_NO_LISTEN,
                                        .protocols = PROTOCOLS,
                                        .options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT,
                                        .gid = -1,
                                        .uid = -1,
                                        .user = w,
                                        .provided_client_ssl_ctx = w->tls,
                                        .timeout_secs = 8,
                                        .retry_and_idle_policy = &KEEPALIVE};
  w->in = mailbox_create(sizeof(struct request), 1024);
  w->out = mailbox_create(sizeof(struct ws_event), 4096);
  w->sound = mailbox_create(sizeof(struct sound), SOUND_QUEUE);
  w->ctx = w->tls ? lws_create_context(&i) : NULL;
  if (!w->ctx || !w->in || !w->out || !w->sound || pthread_create(&w->thread, NULL, run, w) != 0) {
    if (w->ctx)
      lws_context_destroy(w->ctx);
    SSL_CTX_free(w->tls);
    mailbox_destroy(w->in);
    mailbox_destroy(w->out);
    mailbox_destroy(w->sound);
    free(w);
    return NULL;
  }
  return w;
}

static void ask(struct ws_client *w, int kind, char *text) {
  struct request r = {.kind = (unsigned)kind, .text = text};
  if (!mailbox_put(w->in, &r)) {
    free(text);
    atomic_store(&w->asked_too_much, true);
  }
  lws_cancel_service(w->ctx);
}

void ws_client_connect(struct ws_client *w) {
  ask(w, DO_CONNECT, NULL);
}
void ws_client_close(struct ws_client *w) {
  ask(w, DO_CLOSE, NULL);
}
void ws_client_send(struct ws_client *w, char *text) {
  ask(w, DO_SEND, text);
}
void ws_client_abort(struct ws_client *w) {
  ask(w, DO_ABORT, NULL);
}
void ws_client_datagram(struct ws_client *w, const void *p, size_t n) {
  struct sound s = {.at = clock_now(), .n = n};
  if (n == 0 || n > sizeof s.p)
    return;
  memcpy(s.p, p, n);
  if (mailbox_put(w->sound, &s) && !atomic_exchange(&w->sound_waits, true))
    lws_cancel_service(w->ctx);
}
int ws_client_fd(const struct ws_client *w) {
  return mailbox_fd(w->out);
}
bool ws_client_poll(struct ws_client *w, struct ws_event *ev) {
  if (mailbox_get(w->out, ev))
    return true;
  *ev = (struct ws_event){.kind = WS_CLOSED, .why = ERR_CONNECT};
  return atomic_exchange(&w->closed_untold, false);
}

void ws_client_destroy(struct ws_client *w) {
  if (!w)
    return;
  atomic_store(&w->stop, true);
  lws_cancel_service(w->ctx);
  pthread_join(w->thread, NULL);
  lws_context_destroy(w->ctx);
  SSL_CTX_free(w->tls);
  struct ws_event ev;
  while (mailbox_get(w->out, &ev))
    free(ev.text);
  struct request r;
  while (mailbox_get(w->in, &r))
    free(r.text);
  mailbox_destroy(w->in);
  mailbox_destroy(w->out);
  mailbox_destroy(w->sound);
  for (size_t i = 0; i < w->n_queue; i++)
    free(w->queue[i]);
  free(w->rx);
  free(w);
}
