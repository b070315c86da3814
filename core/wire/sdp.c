#include "core/wire/sdp.h"

#include "core/base/bytes.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { LINES_MAX = 500, TOKENS_MAX = 8, FORMATS_MAX = 64 };

/* A piece of the input; never NUL-terminated. */
struct span {
  const char *p;
  size_t n;
};
/* The lines, and which of them belong to the session and to the chosen m-line. */
struct doc {
  struct span line[LINES_MAX];
  size_t n, session_end, media_start, media_end;
};

/* ---- text ---- */

static bool span_is(struct span s, const char *text) {
  return s.n == strlen(text) && strncasecmp(s.p, text, s.n) == 0;
}

/* Cut the piece before the next `sep` off *s; an empty piece when *s is used up. */
static struct span span_cut(struct span *s, char sep) {
  const char *at = s->n ? memchr(s->p, sep, s->n) : NULL;
  struct span piece = {s->p, at ? (size_t)(at - s->p) : s->n};
  size_t used = piece.n + (at ? 1 : 0);
  s->p += used;
  s->n -= used;
  return piece;
}

static bool span_uint(struct span s, uint32_t max, uint32_t *out) {
  uint64_t v = 0;
  for (size_t i = 0; i < s.n; i++) {
    if (s.p[i] < '0' || s.p[i] > '9' || i > 10)
      return false;
    v = v * 10 + (uint64_t)(s.p[i] - '0');
  }
  *out = (uint32_t)v;
  return s.n > 0 && v <= max;
}

/* Copy min..cap-1 characters, each one that `good` accepts. */
static bool span_copy(struct span s, size_t min, char *out, size_t cap, bool (*good)(char)) {
  if (s.n < min || s.n >= cap)
    return false;
  for (size_t i = 0; i < s.n; i++)
    if (!good(s.p[i]))
      return false;
  memcpy(out, s.p, s.n);
  out[s.n] = '\0';
  return true;
}

static bool char_is_ice(char c) { /* ice-char of RFC 8839 */
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '+' || c == '/';
}

static bool char_is_visible(char c) {
  return c > ' ' && c < 0x7f;
}

/* ---- lines and attributes ---- */

static const char *doc_split(const char *text, size_t n, struct doc *d) {
  struct span all = {text, n};
  d->n = 0;
  while (all.n > 0) {
    struct span line = span_cut(&all, '\n');
    if (line.n > 0 && line.p[line.n - 1] == '\r')
      line.n--;
    if (line.n == 0)
      continue;
    if (d->n == LINES_MAX)
      return "the SDP has too many lines";
    if (line.n < 2 || line.p[1] != '=')
      return "a line of the SDP is not of the form x=value";
    for (size_t i = 0; i < line.n; i++)
      if ((unsigned char)line.p[i] < ' ' || line.p[i] == 0x7f)
        return "the SDP holds a control character";
    d->line[d->n++] = line;
  }
  if (d->n == 0 || !span_is(d->line[0], "v=0"))
    return "the SDP does not start with v=0";
  return NULL;
}

/* The attribute's value when the line is a=NAME or a=NAME:value. */
static bool line_attr(struct span line, const char *name, struct span *value) {
  if (line.n < 2 || line.p[0] != 'a')
    return false;
  struct span rest = {line.p + 2, line.n - 2};
  struct span key = span_cut(&rest, ':');
  *value = rest;
  return span_is(key, name);
}

/* The next attribute of that name from line *at on, before `end`; *at moves behind it. */
static bool doc_next(const struct doc *d, size_t *at, size_t end, const char *name, struct span *value) {
  while (*at < end)
    if (line_attr(d->line[(*at)++], name, value))
      return true;
  return false;
}

/* The chosen line's attribute, or else the session's. */
static bool doc_attr(const struct doc *d, const char *name, struct span *value) {
  size_t media = d->media_start, session = 0;
  return doc_next(d, &media, d->media_end, name, value) || doc_next(d, &session, d->session_end, name, value);
}

static bool doc_media_attr(const struct doc *d, const char *name, struct span *value) {
  size_t at = d->media_start;
  return doc_next(d, &at, d->media_end, name, value);
}

/* ---- m-lines ---- */

static const char *parse_mline(struct span line, struct sdp *out, uint32_t *port) {
  if (out->n_m == SDP_MLINES_MAX)
    return "the SDP has too many m-lines";
  struct span rest = {line.p + 2, line.n - 2};
  struct span media = span_cut(&rest, ' '), port_text = span_cut(&rest, ' '), proto = span_cut(&rest, ' ');
  size_t i = out->n_m++;
  if (!span_copy(media, 1, out->m[i].media, sizeof out->m[i].media, char_is_visible) ||
      !span_uint(port_text, 65535, port) ||
      !span_copy(proto, 1, out->m[i].proto, sizeof out->m[i].proto, char_is_visible) ||
      !span_copy(span_cut(&rest, ' '), 1, out->m[i].fmt, sizeof out->m[i].fmt, char_is_visible))
    return "an m-line is malformed";
  return NULL;
}

static bool mline_usable(const struct sdp *out, size_t i, uint32_t port) {
  return port != 0 && strcmp(out->m[i].media, "audio") == 0 &&
         strcmp(out->m[i].proto, "UDP/TLS/RTP/SAVPF") == 0;
}

static const char *parse_mid(struct span value, struct sdp *out, size_t i) {
  if (out->m[i].mid[0] || !span_copy(value, 1, out->m[i].mid, sizeof out->m[i].mid, char_is_visible))
    return "an m-line has a bad mid";
  for (size_t k = 0; k < i; k++)
    if (strcmp(out->m[k].mid, out->m[i].mid) == 0)
      return "two m-lines have the same mid";
  return NULL;
}

/* Find the m-lines and choose the first usable one. */
static const char *parse_mlines(struct doc *d, struct sdp *out) {
  bool chosen = false, inside = false; /* inside: at present within the chosen one */
  d->session_end = d->media_start = d->media_end = d->n;
  for (size_t i = 0; i < d->n; i++) {
    struct span value;
    const char *why = NULL;
    uint32_t port;
    if (d->line[i].p[0] == 'm') {
      if (out->n_m == 0)
        d->session_end = i;
      if (inside)
        d->media_end = i;
      why = parse_mline(d->line[i], out, &port);
      inside = !why && !chosen && mline_usable(out, out->n_m - 1, port);
      if (inside) {
        out->m[out->n_m - 1].chosen = chosen = true;
        d->media_start = i;
      }
    } else if (out->n_m > 0 && line_attr(d->line[i], "mid", &value)) {
      why = parse_mid(value, out, out->n_m - 1);
      if (inside)
        memcpy(out->mid, out->m[out->n_m - 1].mid, sizeof out->mid);
    }
    if (why)
      return why;
  }
  return chosen ? NULL : "the SDP offers no audio over UDP/TLS/RTP/SAVPF";
}

static bool parse_bundle(const struct doc *d, const char *mid) {
  struct span group;
  for (size_t at = 0; *mid && doc_next(d, &at, d->session_end, "group", &group);) {
    if (!span_is(span_cut(&group, ' '), "BUNDLE"))
      continue;
    while (group.n > 0) {
      struct span one = span_cut(&group, ' ');
      if (one.n == strlen(mid) && memcmp(one.p, mid, one.n) == 0)
        return true;
    }
  }
  return false;
}

/* ---- transport: ICE and DTLS ---- */

static bool hash_length(struct span name, struct sdp *out) {
  static const struct {
    char name[8];
    size_t len;
  } known[] = {{"sha-256", 32}, {"sha-384", 48}, {"sha-512", 64}};
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
    if (span_is(name, known[i].name)) {
      memcpy(out->hash, known[i].name, sizeof out->hash);
      out->fingerprint_len = known[i].len;
      return true;
    }
  return false;
}

/* The first fingerprint with a hash that is still good (RFC 8122); older hashes beside it are passed over. */
static const char *parse_fingerprint(const struct doc *d, size_t at, size_t end, struct sdp *out) {
  struct span value;
  while (doc_next(d, &at, end, "fingerprint", &value)) {
    if (!hash_length(span_cut(&value, ' '), out))
      continue;
    if (value.n != out->fingerprint_len * 3 - 1)
      return "the fingerprint has the wrong length";
    for (size_t i = 0; i < out->fingerprint_len; i++) {
      struct span digits = span_cut(&value, ':');
      if (digits.n != 2 || !hex_decode(digits.p, 2, out->fingerprint + i))
        return "the fingerprint is malformed";
    }
    return NULL;
  }
  return NULL;
}

static const char *parse_setup(const struct doc *d, struct sdp *out) {
  struct span value;
  if (!doc_attr(d, "setup", &value))
    return "the SDP has no a=setup";
  if (span_is(value, "actpass"))
    out->setup = SDP_ACTPASS;
  else if (span_is(value, "active"))
    out->setup = SDP_ACTIVE;
  else if (span_is(value, "passive"))
    out->setup = SDP_PASSIVE;
  else
    return "a=setup is not actpass, active or passive";
  return NULL;
}

static const char *parse_transport(const struct doc *d, struct sdp *out) {
  struct span value;
  if (!doc_media_attr(d, "rtcp-mux", &value))
    return "the audio line does not offer rtcp-mux";
  if (!doc_attr(d, "ice-ufrag", &value) || !span_copy(value, 4, out->ufrag, sizeof out->ufrag, char_is_ice))
    return "a=ice-ufrag is missing or not 4 to 256 ICE characters";
  if (!doc_attr(d, "ice-pwd", &value) || !span_copy(value, 22, out->pwd, sizeof out->pwd, char_is_ice))
    return "a=ice-pwd is missing or not 22 to 256 ICE characters";
  const char *why = parse_fingerprint(d, d->media_start, d->media_end, out);
  if (!why && !out->fingerprint_len)
    why = parse_fingerprint(d, 0, d->session_end, out);
  if (why)
    return why;
  if (!out->fingerprint_len)
    return "the SDP has no SHA-256, SHA-384 or SHA-512 fingerprint";
  size_t at = 0;
  out->ice_lite = doc_next(d, &at, d->session_end, "ice-lite", &value);
  out->rtcp_rsize = doc_media_attr(d, "rtcp-rsize", &value);
  return parse_setup(d, out);
}

/* One candidate. Malformed: a reason. Of no use to us (TCP, a host name, RTCP's own): NULL and !*keep. */
static const char *parse_candidate(struct span value, struct sdp_candidate *c, bool *keep) {
  struct span t[TOKENS_MAX];
  for (int i = 0; i < TOKENS_MAX; i++)
    t[i] = span_cut(&value, ' ');
  char foundation[33], type[6];
  uint32_t component, priority, port;
  if (!span_copy(t[0], 1, foundation, sizeof foundation, char_is_visible) ||
      !span_uint(t[1], 256, &component) || t[2].n == 0 || !span_uint(t[3], INT32_MAX, &priority) ||
      t[4].n == 0 || !span_uint(t[5], 65535, &port) || !span_is(t[6], "typ") || t[7].n == 0)
    return "a candidate is malformed";
  struct in6_addr ip;
  c->host = span_is(t[7], "host");
  *keep = component == 1 && port != 0 && span_is(t[2], "udp") &&
          (c->host || span_is(t[7], "srflx") || span_is(t[7], "relay")) &&
          span_copy(t[7], 4, type, sizeof type, char_is_visible) &&
          span_copy(t[4], 2, c->address, sizeof c->address, char_is_visible) &&
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

static const char *parse_candidates(const struct doc *d, struct sdp *out) {
  struct span value;
  for (size_t at = d->media_start; doc_next(d, &at, d->media_end, "candidate", &value);) {
    struct sdp_candidate c = {0};
    bool keep;
    const char *why = parse_candidate(value, &c, &keep);
    if (why)
      return why;
    if (!keep)
      continue;
    if (out->n_cand == SDP_CANDIDATES_MAX)
      return "the SDP has too many candidates";
    out->cand[out->n_cand++] = c;
  }
  return NULL;
}

/* ---- media ---- */

static enum sdp_dir parse_dir(struct span s) {
  return span_is(s, "sendonly")   ? SDP_SENDONLY
         : span_is(s, "recvonly") ? SDP_RECVONLY
         : span_is(s, "inactive") ? SDP_INACTIVE
         : span_is(s, "sendrecv") ? SDP_SENDRECV
                                  : SDP_DIR_NONE;
}

/* The direction: the chosen line's, else the session's, else sendrecv (RFC 8866 section 6.7). */
static void parse_direction(const struct doc *d, struct sdp *out) {
  enum sdp_dir dir = SDP_SENDRECV;
  for (size_t i = 0; i < d->media_end; i++) {
    bool ours = i < d->session_end || i >= d->media_start;
    struct span line = d->line[i];
    if (!ours || line.p[0] != 'a')
      continue;
    enum sdp_dir found = parse_dir((struct span){line.p + 2, line.n - 2});
    if (found != SDP_DIR_NONE)
      dir = found;
  }
  out->send = dir == SDP_SENDRECV || dir == SDP_SENDONLY;
  out->recv = dir == SDP_SENDRECV || dir == SDP_RECVONLY;
}

/* Is there a=rtpmap:PT NAME for this payload type? */
static bool has_rtpmap(const struct doc *d, uint32_t pt, const char *name) {
  struct span value;
  for (size_t at = d->media_start; doc_next(d, &at, d->media_end, "rtpmap", &value);) {
    uint32_t of;
    if (span_uint(span_cut(&value, ' '), 127, &of) && of == pt && span_is(value, name))
      return true;
  }
  return false;
}

/* The payload types in the m-line's order, which is the order of preference. */
static const char *parse_formats(const struct doc *d, struct sdp *out) {
  struct span rest = {d->line[d->media_start].p + 2, d->line[d->media_start].n - 2};
  for (int i = 0; i < 3; i++)
    span_cut(&rest, ' ');
  out->opus_pt = out->red_pt = 255;
  for (int i = 0; rest.n > 0; i++) {
    uint32_t pt;
    if (i == FORMATS_MAX)
      return "the audio line has too many payload types";
    if (!span_uint(span_cut(&rest, ' '), 127, &pt))
      return "a payload type is not a number of 0 to 127";
    if (pt >= 64 && pt <= 95) /* on the wire it would look like RTCP (RFC 5761 section 4) */
      continue;
    if (out->opus_pt == 255 && has_rtpmap(d, pt, "opus/48000/2"))
      out->opus_pt = (uint8_t)pt;
    else if (out->red_pt == 255 && has_rtpmap(d, pt, "red/48000/2"))
      out->red_pt = (uint8_t)pt;
  }
  return out->opus_pt == 255 ? "the audio line does not offer opus/48000/2" : NULL;
}

/* a=rtcp-fb:PT nack, of Opus or of all; "nack pli" and the like are something else. */
static void parse_feedback(const struct doc *d, struct sdp *out) {
  struct span value;
  for (size_t at = d->media_start; doc_next(d, &at, d->media_end, "rtcp-fb", &value);) {
    uint32_t pt;
    struct span of = span_cut(&value, ' ');
    if ((span_is(of, "*") || (span_uint(of, 127, &pt) && pt == out->opus_pt)) && span_is(value, "nack"))
      out->nack = true;
  }
}

/* RFC 7587 section 7: unknown parameters and values out of range are ignored. */
static void parse_fmtp(const struct doc *d, struct sdp *out) {
  struct span value;
  for (size_t at = d->media_start; doc_next(d, &at, d->media_end, "fmtp", &value);) {
    uint32_t n;
    if (!span_uint(span_cut(&value, ' '), 127, &n) || n != out->opus_pt)
      continue;
    while (value.n > 0) {
      struct span item = span_cut(&value, ';');
      while (item.n > 0 && item.p[0] == ' ')
        span_cut(&item, ' ');
      while (item.n > 0 && item.p[item.n - 1] == ' ')
        item.n--;
      struct span key = span_cut(&item, '=');
      if (span_is(key, "useinbandfec"))
        out->opus_fec = span_is(item, "1");
      else if (span_is(key, "usedtx"))
        out->opus_dtx = span_is(item, "1");
      else if (span_is(key, "stereo"))
        out->opus_stereo = span_is(item, "1");
      else if (span_is(key, "maxaveragebitrate") && span_uint(item, 510000, &n) && n >= 6000)
        out->maxaveragebitrate = n;
    }
  }
}

/* a=extmap:ID[/direction] URI; ids above 14 need the two-byte form, which we do not answer with. */
static const char *parse_extmaps(const struct doc *d, size_t at, size_t end, struct sdp *out) {
  struct span value;
  while (doc_next(d, &at, end, "extmap", &value)) {
    struct span slash = span_cut(&value, ' ');
    struct span uri = span_cut(&value, ' ');
    uint32_t id;
    if (!span_uint(span_cut(&slash, '/'), 4351, &id) || id == 0 || uri.n == 0)
      return "an extmap is malformed";
    enum sdp_dir dir = parse_dir(slash);
    if (id > 14 || dir == SDP_INACTIVE)
      continue;
    if (span_is(uri, "urn:ietf:params:rtp-hdrext:ssrc-audio-level")) {
      out->level_id = (uint8_t)id;
      out->level_dir = dir;
    } else if (span_is(uri, "urn:ietf:params:rtp-hdrext:csrc-audio-level")) {
      out->csrc_level_id = (uint8_t)id;
      out->csrc_level_dir = dir;
    }
  }
  return NULL;
}

static const char *parse_media(const struct doc *d, struct sdp *out) {
  struct span value;
  const char *why = parse_formats(d, out);
  if (!why)
    why = parse_extmaps(d, 0, d->session_end, out);
  if (!why)
    why = parse_extmaps(d, d->media_start, d->media_end, out);
  if (why)
    return why;
  if (out->level_id && out->level_id == out->csrc_level_id)
    return "two header extensions have the same id";
  parse_fmtp(d, out);
  parse_feedback(d, out);
  parse_direction(d, out);
  if (doc_media_attr(d, "ssrc", &value) && !span_uint(span_cut(&value, ' '), UINT32_MAX, &out->ssrc))
    return "a=ssrc is malformed";
  if (doc_media_attr(d, "x-gavel-rekey", &value))
    (void)span_uint(value, SDP_REKEY_MAX, &out->rekey_s);
  uint32_t ms;
  if (doc_media_attr(d, "ptime", &value) && span_uint(value, 120, &ms))
    out->ptime_ms = ms;
  if (doc_media_attr(d, "maxptime", &value) && span_uint(value, 120, &ms))
    out->maxptime_ms = ms;
  return NULL;
}

static const char *parse_all(const char *text, size_t n, struct sdp *out) {
  if (n > SDP_MAX)
    return "the SDP is too long";
  struct doc d;
  const char *why = doc_split(text, n, &d);
  if (!why)
    why = parse_mlines(&d, out);
  if (!why)
    why = parse_transport(&d, out);
  if (!why)
    why = parse_candidates(&d, out);
  if (!why)
    why = parse_media(&d, out);
  if (!why)
    out->bundle = parse_bundle(&d, out->mid);
  return why;
}

enum err sdp_parse(const char *text, size_t n, struct sdp *out, const char **why) {
  *out = (struct sdp){0};
  const char *reason = parse_all(text, n, out);
  if (why)
    *why = reason;
  return reason ? ERR_BAD_SDP : ERR_OK;
}
