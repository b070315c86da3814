#include "core/session/https.h"

#include "core/base/clock.h"
#include "core/session/tls.h"

#include <libwebsockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct call {
  const struct link *to;
  const char *form;
  struct https_reply *out;
  size_t n;
  bool done, cert_bad, complete;
};

static void fail(struct call *k, const char *said) {
  const struct link *l = k->to;
  if (k->cert_bad)
    snprintf(k->out->why, sizeof k->out->why, "%s", err_text(ERR_CERT));
  else if (!said || !*said)
    snprintf(k->out->why, sizeof k->out->why, "cannot find %.120s", l->host);
  else
    snprintf(k->out->why, sizeof k->out->why, "nothing answers at %.100s, port %u", l->host, l->port);
  k->done = true;
}

static int add_headers(struct call *k, struct lws *wsi, unsigned char **p, size_t room) {
  char length[16];
  unsigned char *last = *p + room;
  int n = snprintf(length, sizeof length, "%zu", strlen(k->form));
  static const char TYPE[] = "application/x-www-form-urlencoded";
  if (lws_add_http_header_by_token(wsi, WSI_TOKEN_HTTP_CONTENT_TYPE, (const unsigned char *)TYPE,
                                   (int)strlen(TYPE), p, last) ||
      lws_add_http_header_by_token(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH, (unsigned char *)length, n, p, last))
    return -1;
  lws_client_http_body_pending(wsi, 1);
  lws_callback_on_writable(wsi);
  return 0;
}

static int write_body(struct call *k, struct lws *wsi) {
  size_t n = strlen(k->form);
  unsigned char *buf = malloc(LWS_PRE + n);
  if (!buf)
    abort();
  memcpy(buf + LWS_PRE, k->form, n);
  int sent = lws_write(wsi, buf + LWS_PRE, n, LWS_WRITE_HTTP_FINAL);
  explicit_bzero(buf, LWS_PRE + n);
  free(buf);
  lws_client_http_body_pending(wsi, 0);
  return sent == (int)n ? 0 : -1;
}

static int take(struct call *k, const void *in, size_t len) {
  if (len > HTTPS_REPLY_MAX - k->n)
    return -1;
  memcpy(k->out->body + k->n, in, len);
  k->n += len;
  return 0;
}

static int drain(struct lws *wsi) {
  char buf[LWS_PRE + 4096], *p = buf + LWS_PRE;
  int n = 4096;
  return lws_http_client_read(wsi, &p, &n) < 0 ? -1 : 0; /* comes back as RECEIVE_CLIENT_HTTP_READ */
}

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len) {
  struct call *k = lws_context_user(lws_get_context(wsi));
  switch ((int)reason) {
  case LWS_CALLBACK_OPENSSL_PERFORM_SERVER_CERT_VERIFICATION:
    return tls_verify(k->to, user, len != 0, &k->cert_bad);
  case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
    fail(k, in);
    return 0;
  case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
    return add_headers(k, wsi, in, len);
  case LWS_CALLBACK_CLIENT_HTTP_WRITEABLE:
    return write_body(k, wsi);
  case LWS_CALLBACK_ESTABLISHED_CLIENT_HTTP:
    k->out->status = (int)lws_http_client_http_response(wsi);
    return 0;
  case LWS_CALLBACK_RECEIVE_CLIENT_HTTP:
    return drain(wsi);
  case LWS_CALLBACK_RECEIVE_CLIENT_HTTP_READ:
    return take(k, in, len);
  case LWS_CALLBACK_COMPLETED_CLIENT_HTTP:
    k->complete = k->done = true;
    return 0;
  case LWS_CALLBACK_CLOSED_CLIENT_HTTP:
    k->done = true;
    return 0;
  default:
    return 0;
  }
}

static const struct lws_protocols PROTOCOLS[] = {{"https", callback, 0, 4096, 0, NULL, 0},
                                                 {NULL, NULL, 0, 0, 0, NULL, 0}};

static void wake(lws_sorted_usec_list_t *sul) {
  (void)sul; /* a turn now and then, to look at the time */
}

static void run(struct call *k, struct lws_context *ctx, const char *path) {
  struct lws_client_connect_info c = {.context = ctx,
                                      .address = k->to->host,
                                      .port = k->to->port,
                                      .path = path,
                                      .host = k->to->host,
                                      .method = "POST",
                                      .protocol = "https",
                                      .local_protocol_name = "https",
                                      .alpn = "http/1.1",
                                      .ssl_connection = LCCSCF_USE_SSL};
  lws_sorted_usec_list_t sul = {0};
  us_t until = clock_now() + HTTPS_S * US_PER_S;
  if (!lws_client_connect_via_info(&c) && !k->done)
    fail(k, "");
  while (!k->done && clock_now() < until) {
    lws_sul_schedule(ctx, 0, &sul, wake, US_PER_S);
    lws_service(ctx, 0);
  }
  lws_sul_schedule(ctx, 0, &sul, NULL, LWS_SET_TIMER_USEC_CANCEL);
}

enum err https_post(const struct link *to, const char *path, const char *form, struct https_reply *out) {
  *out = (struct https_reply){.body = calloc(1, HTTPS_REPLY_MAX + 1)};
  struct call k = {.to = to, .form = form, .out = out};
  SSL_CTX *tls = tls_create(to);
  if (!out->body)
    abort();
  lws_set_log_level(0, NULL);
  struct lws_context_creation_info i = {.port = CONTEXT_PORT_NO_LISTEN,
                                        .protocols = PROTOCOLS,
                                        .options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT,
                                        .gid = -1,
                                        .uid = -1,
                                        .user = &k,
                                        .provided_client_ssl_ctx = tls,
                                        .timeout_secs = 8};
  struct lws_context *ctx = tls ? lws_create_context(&i) : NULL;
  if (ctx) {
    run(&k, ctx, path);
    lws_context_destroy(ctx);
  }
  SSL_CTX_free(tls);
  if (k.complete && out->status)
    return ERR_OK;
  if (!out->why[0])
    snprintf(out->why, sizeof out->why, "%.100s did not answer in full", to->host);
  return k.cert_bad ? ERR_CERT : ERR_CONNECT;
}

void https_free(struct https_reply *r) {
  if (r->body)
    explicit_bzero(r->body, HTTPS_REPLY_MAX);
  free(r->body);
  r->body = NULL;
}
