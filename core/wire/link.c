#include "core/wire/link.h"

#include "core/base/bytes.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define PORT_DEFAULT 443
#define LABEL_MAX 63

/* A span of the link that is still to be read. */
struct span {
  const char *p, *end;
};

static struct span take(struct span *s, const char *stop) { /* up to the first character of `stop`, or all */
  struct span head = {s->p, s->p};
  while (head.end != s->end && !strchr(stop, *head.end))
    head.end++;
  s->p = head.end;
  return head;
}

static bool skip(struct span *s, const char *prefix) {
  size_t n = strlen(prefix);
  if ((size_t)(s->end - s->p) < n || memcmp(s->p, prefix, n) != 0)
    return false;
  s->p += n;
  return true;
}

static char lower(char c) { /* by hand: the locale must have no say */
  return c >= 'A' && c <= 'Z' ? (char)(c | 32) : c;
}

static bool skip_scheme(struct span *s) {
  static const char *const schemes[] = {"https://", "gavel://"};
  char head[sizeof "https://"] = "";
  for (size_t i = 0; i < sizeof head - 1 && s->p + i != s->end; i++)
    head[i] = lower(s->p[i]);
  if (strcmp(head, schemes[0]) != 0 && strcmp(head, schemes[1]) != 0)
    return false;
  s->p += sizeof head - 1;
  return true;
}

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

static bool is_host_char(char c) {
  return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-';
}

/* is_dns_name: letters, digits and inner hyphens (RFC 1123 2.1). A name whose last label is a number is an
 * IPv4 address to every resolver (WHATWG URL 3.5), so it must be a plain one. */
static bool is_dns_name(const char *host) {
  const char *label = host;
  while (true) {
    size_t n = strcspn(label, ".");
    if (n == 0 || n > LABEL_MAX || label[0] == '-' || label[n - 1] == '-')
      return false;
    for (size_t i = 0; i < n; i++)
      if (!is_host_char(label[i]))
        return false;
    if (label[n] == 0)
      break;
    label += n + 1;
  }
  bool hex = label[0] == '0' && label[1] == 'x' && label[2 + strspn(label + 2, "0123456789abcdef")] == 0;
  struct in_addr v4;
  if (hex || label[strspn(label, "0123456789")] == 0)
    return inet_pton(AF_INET, host, &v4) == 1;
  return true;
}

static const char *parse_host(struct span *s, struct link *out) {
  bool v6 = skip(s, "[");
  struct span h = take(s, v6 ? "]" : ":/#?");
  size_t n = (size_t)(h.end - h.p);
  if (n == 0 || n > LINK_HOST_MAX || (v6 && !skip(s, "]")))
    return "the host name is missing or too long";
  char host[LINK_HOST_MAX + 1] = "";
  for (size_t i = 0; i < n; i++)
    host[i] = lower(h.p[i]);
  if (!v6) {
    memcpy(out->host, host, n);
    return is_dns_name(host) ? NULL : "the host name is not valid";
  }
  struct in6_addr addr; /* written anew: one spelling for one address */
  bool ok = inet_pton(AF_INET6, host, &addr) == 1 && inet_ntop(AF_INET6, &addr, out->host, sizeof out->host);
  return ok ? NULL : "the IPv6 address is not valid";
}

static const char *parse_port(struct span *s, struct link *out) {
  out->port = PORT_DEFAULT;
  if (!skip(s, ":"))
    return NULL;
  struct span d = take(s, "/#?");
  unsigned v = 0;
  if (d.p == d.end || *d.p == '0' || d.end - d.p > 5)
    return "the port is not valid";
  for (const char *p = d.p; p != d.end; p++) {
    if (!is_digit(*p))
      return "the port is not valid";
    v = v * 10 + (unsigned)(*p - '0');
  }
  if (v > UINT16_MAX)
    return "the port is not valid";
  out->port = (uint16_t)v;
  return NULL;
}

static const char *parse_room(struct span *s, struct link *out) {
  if (!skip(s, "/j/"))
    return "the path is not /j/ROOM";
  struct span r = take(s, "/#");
  size_t n = (size_t)(r.end - r.p);
  if (skip(s, "/")) {
    if (n > LINK_APP_MAX)
      return "the application's name is too long";
    memcpy(out->app, r.p, n);
    if (!text_slug_valid(out->app) || strpbrk(out->app, "._"))
      return "the application's name is not valid";
    r = take(s, "#");
    n = (size_t)(r.end - r.p);
  }
  if (n > TEXT_SLUG_MAX)
    return "the room name is too long";
  memcpy(out->room, r.p, n);
  return text_slug_valid(out->room) ? NULL : "the room name is not valid";
}

/* parse_secret: 32 bytes after KEY= of the fragment, once. */
static const char *parse_secret(struct span v, uint8_t out[32], bool *has) {
  if (*has)
    return "a part of the link is there twice";
  *has = b64url_decode(v.p, (size_t)(v.end - v.p), out, 32) == 32;
  return *has ? NULL : "the secret or the pin is damaged: copy the whole link";
}

static const char *parse_fragment(struct span *s, struct link *out) {
  if (!skip(s, "#"))
    return NULL;
  const char *why;
  do {
    struct span part = take(s, "&");
    if (skip(&part, "i="))
      why = parse_secret(part, out->secret, &out->has_secret);
    else if (skip(&part, "p="))
      why = parse_secret(part, out->pin, &out->has_pin);
    else
      why = "the link has an unknown part after #";
  } while (!why && skip(s, "&"));
  return why;
}

static const char *parse(struct span s, struct link *out) {
  if (s.end - s.p >= LINK_MAX)
    return "the link is too long";
  for (const char *p = s.p; p != s.end; p++)
    if (*p <= ' ' || *p > '~' ||
        strchr("%@?\\", *p)) /* user info, query, escapes: nothing of ours needs them */
      return "the link holds a character that no invite has";
  if (!skip_scheme(&s))
    return "the link does not begin with https:// or gavel://";
  const char *why = parse_host(&s, out);
  if (!why)
    why = parse_port(&s, out);
  if (!why)
    why = parse_room(&s, out);
  return why ? why : parse_fragment(&s, out);
}

enum err link_parse(const char *s, struct link *out, const char **why) {
  memset(out, 0, sizeof *out);
  *why = parse((struct span){s, s + strlen(s)}, out);
  if (!*why)
    return ERR_OK;
  memset(out, 0, sizeof *out);
  return ERR_BAD_LINK;
}

void link_format(const struct link *l, char out[LINK_MAX]) {
  bool v6 = strchr(l->host, ':') != NULL;
  char port[8] = "", secret[48] = "", pin[48] = "";
  if (l->port != PORT_DEFAULT)
    snprintf(port, sizeof port, ":%u", (unsigned)l->port);
  if (l->has_secret)
    b64url_encode(l->secret, sizeof l->secret, secret);
  if (l->has_pin)
    b64url_encode(l->pin, sizeof l->pin, pin);
  snprintf(out, LINK_MAX, "https://%s%s%s%s/j/%s%s%s%s%s%s%s", v6 ? "[" : "", l->host, v6 ? "]" : "", port,
           l->app, l->app[0] ? "/" : "", l->room, l->has_secret ? "#i=" : "", secret,
           !l->has_pin     ? ""
           : l->has_secret ? "&p="
                           : "#p=",
           pin);
}
