/* sdp_text.c: SDP as lines and attributes, and its candidates. */
#include "core/wire/sdp_private.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { TOKENS_MAX = 8 };

/* ---- text ---- */

bool span_is(struct span s, const char *text) {
  return s.n == strlen(text) && strncasecmp(s.p, text, s.n) == 0;
}

struct span span_cut(struct span *s, char sep) {
  const char *at = s->n ? memchr(s->p, sep, s->n) : NULL;
  struct span piece = {s->p, at ? (size_t)(at - s->p) : s->n};
  size_t used = piece.n + (at ? 1 : 0);
  s->p += used;
  s->n -= used;
  return piece;
}

bool span_uint(struct span s, uint32_t max, uint32_t *out) {
  uint64_t v = 0;
  for (size_t i = 0; i < s.n; i++) {
    if (s.p[i] < '0' || s.p[i] > '9' || i > 10)
      return false;
    v = v * 10 + (uint64_t)(s.p[i] - '0');
  }
  *out = (uint32_t)v;
  return s.n > 0 && v <= max;
}

bool span_copy(struct span s, size_t min, char *out, size_t cap, bool (*good)(char)) {
  if (s.n < min || s.n >= cap)
    return false;
  for (size_t i = 0; i < s.n; i++)
    if (!good(s.p[i]))
      return false;
  memcpy(out, s.p, s.n);
  out[s.n] = '\0';
  return true;
}

bool sdp_char_is_ice(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '+' || c == '/';
}

bool sdp_char_is_visible(char c) {
  return c > ' ' && c < 0x7f;
}

/* ---- lines and attributes ---- */

const char *doc_split(const char *text, size_t n, struct doc *d) {
  struct span all = {text, n};
  d->n = 0;
  while (all.n > 0) {
    struct span line = span_cut(&all, '\n');
    if (line.n > 0 && line.p[line.n - 1] == '\r')
      line.n--;
    if (line.n == 0)
      continue;
    if (d->n == SDP_LINES_MAX)
      return "the SDP has too many lines";
    if (line.n < 2 || line.p[1] != '=')
      return "a line of the SDP is not of the form x=value";
    for (size_t i = 0; i < line.n; i++)
      if ((unsigned char)line.p[i] < ' ' || line.p[i] == 0x7f)
        return "the SDP holds a control character";
    d->line[d->n++] = line;
  }
  return NULL;
}

bool line_attr(struct span line, const char *name, struct span *value) {
  if (line.n < 2 || line.p[0] != 'a')
    return false;
  struct span rest = {line.p + 2, line.n - 2};
  struct span key = span_cut(&rest, ':');
  *value = rest;
  return span_is(key, name);
}

bool doc_next(const struct doc *d, size_t *at, size_t end, const char *name, struct span *value) {
  while (*at < end)
    if (line_attr(d->line[(*at)++], name, value))
      return true;
  return false;
}

/* ---- candidates (RFC 8839 section 5.1) ---- */

const char *sdp_candidate(struct span value, struct sdp_candidate *c, bool *keep) {
  struct span t[TOKENS_MAX];
  for (int i = 0; i < TOKENS_MAX; i++)
    t[i] = span_cut(&value, ' ');
  char foundation[33], type[6];
  uint32_t component, priority, port;
  if (!span_copy(t[0], 1, foundation, sizeof foundation, sdp_char_is_visible) ||
      !span_uint(t[1], 256, &component) || t[2].n == 0 || !span_uint(t[3], INT32_MAX, &priority) ||
      t[4].n == 0 || !span_uint(t[5], 65535, &port) || !span_is(t[6], "typ") || t[7].n == 0)
    return "a candidate is malformed";
  struct in6_addr ip;
  c->host = span_is(t[7], "host");
  *keep = component == 1 && port != 0 && span_is(t[2], "udp") &&
          (c->host || span_is(t[7], "srflx") || span_is(t[7], "relay")) &&
          span_copy(t[7], 4, type, sizeof type, sdp_char_is_visible) &&
          span_copy(t[4], 2, c->address, sizeof c->address, sdp_char_is_visible) &&
          (inet_pton(AF_INET, c->address, &ip) == 1 || inet_pton(AF_INET6, c->address, &ip) == 1);
  if (!*keep)
    return NULL;
  c->udp = true;
  c->port = (uint16_t)port;
  bool v6 = strchr(c->address, ':'); /* no literal is longer than 45 characters */
  snprintf(c->line, sizeof c->line, "candidate:%s 1 udp %u %.45s %u typ %s%s", foundation, (unsigned)priority,
           c->address, (unsigned)port, type,
           c->host ? ""
           : v6    ? " raddr :: rport 9"
                   : " raddr 0.0.0.0 rport 9");
  return NULL;
}
