/* shell_redirect.c: [server] redirect_port: plain HTTP that answers 301 to the same place under https and
 * nothing else. Nothing of a request reaches anything behind it. */
#include "core/server/shell_http.h"

#include <stdio.h>
#include <string.h>

#define HOST_LEN_MAX 253
#define LOCATION_MAX 2048

/* Whatever a Host header holds comes back in Location: letters, digits, dots and dashes, or an IPv6 address.
 */
static bool host_of(struct lws *wsi, char out[HOST_LEN_MAX + 1]) {
  static const char NAME[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";
  char host[HOST_LEN_MAX + 8] = "";
  if (lws_hdr_copy(wsi, host, sizeof host, WSI_TOKEN_HOST) <= 0)
    return false;
  size_t n = host[0] == '[' ? 1 + strspn(host + 1, "0123456789abcdefABCDEF:.") : strspn(host, NAME);
  n += host[0] == '[' && host[n] == ']';
  const char *port = host[n] == ':' ? host + n + 1 : host + n;
  if (n == 0 || n > HOST_LEN_MAX || (host[0] == '[' && host[n - 1] != ']') ||
      port[strspn(port, "0123456789")] || (host[n] && host[n] != ':'))
    return false;
  snprintf(out, HOST_LEN_MAX + 1, "%.*s", (int)n, host);
  return true;
}

/* libwebsockets took the %-escapes off: they are put on again. False: no room. */
static bool escape(const char *in, const char *also, char *out, size_t cap) {
  static const char PLAIN[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
  size_t at = strlen(out);
  for (; *in; in++) {
    bool plain = strchr(PLAIN, *in) || strchr(also, *in);
    if (at + 4 > cap)
      return false;
    at += (size_t)snprintf(out + at, cap - at, plain ? "%c" : "%%%02X", plain ? *in : (unsigned char)*in);
  }
  return true;
}

static bool location_of(struct lws *wsi, const char *path, char out[LOCATION_MAX]) {
  char host[HOST_LEN_MAX + 1], part[1024], port[8] = "";
  uint16_t n = ((struct server *)lws_context_user(lws_get_context(wsi)))->port;
  if (!host_of(wsi, host))
    return false;
  if (n != 443)
    snprintf(port, sizeof port, ":%u", n);
  snprintf(out, LOCATION_MAX, "https://%s%s", host, port);
  bool ok = escape(path, "", out, LOCATION_MAX);
  for (int i = 0; ok && lws_hdr_fragment_length(wsi, WSI_TOKEN_HTTP_URI_ARGS, i) > 0; i++) {
    size_t at = strlen(out);
    ok = at + 2 < LOCATION_MAX &&
         lws_hdr_copy_fragment(wsi, part, sizeof part, WSI_TOKEN_HTTP_URI_ARGS, i) >= 0;
    if (ok)
      snprintf(out + at, LOCATION_MAX - at, "%c", i ? '&' : '?');
    ok = ok && escape(part, "=", out, LOCATION_MAX);
  }
  return ok;
}

static int answer(struct lws *wsi, const char *path) {
  unsigned char buf[LWS_PRE + LOCATION_MAX + 512], *start = buf + LWS_PRE, *p = start,
                                                   *last = buf + sizeof buf;
  char location[LOCATION_MAX] = "";
  bool get =
      lws_hdr_total_length(wsi, WSI_TOKEN_GET_URI) > 0 || lws_hdr_total_length(wsi, WSI_TOKEN_HEAD_URI) > 0;
  bool known = get && location_of(wsi, path, location);
  unsigned status = !get ? 405 : known ? 301 : 400;
  if (lws_add_http_header_status(wsi, status, &p, last) ||
      lws_add_http_header_content_length(wsi, 0, &p, last) ||
      (known && lws_add_http_header_by_name(wsi, (const unsigned char *)"location:",
                                            (unsigned char *)location, (int)strlen(location), &p, last)) ||
      lws_add_http_header_by_name(wsi, (const unsigned char *)"connection:", (const unsigned char *)"close",
                                  5, &p, last) ||
      lws_finalize_write_http_header(wsi, start, &p, last))
    return -1;
  return -1; /* it ends here in any case */
}

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len) {
  return reason == LWS_CALLBACK_HTTP ? answer(wsi, in ? in : "/")
                                     : shell_http_callback(wsi, reason, user, in, len);
}

static const struct lws_protocols PROTOCOLS[] = {{"http", callback, 0, 0, 0, NULL, 0},
                                                 {NULL, NULL, 0, 0, 0, NULL, 0}};

enum err shell_http_redirect(struct server *s, char why[256]) {
  if (!s->cfg.redirect_port)
    return ERR_OK;
  struct lws_context_creation_info i = {.port = s->cfg.redirect_port,
                                        .iface = *s->cfg.listen ? s->cfg.listen : NULL,
                                        .vhost_name = "redirect",
                                        .protocols = PROTOCOLS,
                                        .options = LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND,
                                        .timeout_secs = 5,
                                        .timeout_secs_ah_idle = 5,
                                        .keepalive_timeout = 5};
  shell_ws_bind(&i, s->cfg.listen);
  if (lws_create_vhost(s->lws, &i))
    return ERR_OK;
  snprintf(why, 256, "[server] redirect_port: TCP port %u cannot be opened", s->cfg.redirect_port);
  return ERR_PORT_TAKEN;
}
