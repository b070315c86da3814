#include "core/wire/turn_uri.h"

#include <stdio.h>
#include <string.h>

#define PORT "3478"
#define TLS_PORT "5349"

static const char *after(const char *s, const char *prefix) {
  size_t n = strlen(prefix);
  return strncmp(s, prefix, n) == 0 ? s + n : NULL;
}

/* A host is what it is in a link, and is checked there. */
static enum err read_host(const char *s, size_t n, bool tls, struct turn_uri *out, const char **why) {
  char text[TURN_URI_MAX + 32];
  struct link l;
  const char *v6_end = memchr(s, ']', n), *from = v6_end ? v6_end : s;
  bool has_port = memchr(from, ':', n - (size_t)(from - s));
  *why = "the host or the port of a relay is not valid";
  if (memchr(s, '/', n) || memchr(s, '@', n))
    return ERR_BAD_ARG;
  snprintf(text, sizeof text, "https://%.*s%s/j/x", (int)n, s, has_port ? "" : tls ? ":" TLS_PORT : ":" PORT);
  if (link_parse(text, &l, &(const char *){NULL}) != ERR_OK)
    return ERR_BAD_ARG;
  memcpy(out->host, l.host, sizeof out->host);
  out->port = l.port;
  return ERR_OK;
}

enum err turn_uri_parse(const char *s, size_t n, struct turn_uri *out, const char **why) {
  char text[TURN_URI_MAX] = "";
  *why = "a relay is turn:HOST[:PORT][?transport=udp|tcp] or turns:HOST[:PORT]";
  if (n >= sizeof text || memchr(s, 0, n))
    return ERR_BAD_ARG;
  memcpy(text, s, n);
  const char *host = after(text, "turns:");
  bool tls = host;
  if (!tls && !(host = after(text, "turn:")))
    return ERR_BAD_ARG;
  size_t len = strcspn(host, "?");
  const char *query = host + len;
  bool udp = strcmp(query, "?transport=udp") == 0, tcp = strcmp(query, "?transport=tcp") == 0;
  if (*query && !udp && !tcp)
    return ERR_BAD_ARG;
  if (tls && udp) {
    *why = "turns: goes over TCP (DTLS to relays is not spoken here)";
    return ERR_BAD_ARG;
  }
  out->kind = tls ? TURN_TLS : tcp ? TURN_TCP : TURN_UDP;
  return read_host(host, len, tls, out, why);
}

void turn_uri_format(const struct turn_uri *u, char out[TURN_URI_MAX]) {
  bool v6 = strchr(u->host, ':');
  snprintf(out, TURN_URI_MAX, "turn%s:%s%s%s:%u?transport=%s", u->kind == TURN_TLS ? "s" : "", v6 ? "[" : "",
           u->host, v6 ? "]" : "", u->port, u->kind == TURN_UDP ? "udp" : "tcp");
}
