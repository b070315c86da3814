#include "core/base/bytes.h"
#include "core/wire/sdp_private.h"

#include <string.h>

enum { FORMATS_MAX = 64 };

/* An attribute of the transport: the chosen line's, its group's, or else the session's. */
static bool doc_attr(const struct doc *d, const char *name, struct span *value) {
  size_t media = d->media_start, tagged = d->tagged_start, session = 0;
  return doc_next(d, &media, d->media_end, name, value) || doc_next(d, &tagged, d->tagged_end, name, value) ||
         doc_next(d, &session, d->session_end, name, value);
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
  if (!span_copy(media, 1, out->m[i].media, sizeof out->m[i].media, sdp_char_is_visible) ||
      !span_uint(port_text, 65535, port) ||
      !span_copy(proto, 1, out->m[i].proto, sizeof out->m[i].proto, sdp_char_is_visible) ||
      !span_copy(span_cut(&rest, ' '), 1, out->m[i].fmt, sizeof out->m[i].fmt, sdp_char_is_visible))
    return "an m-line is malformed";
  return NULL;
}

/* The end of the m-line's section that begins at line `at`. */
static size_t section_end(const struct doc *d, size_t at) {
  size_t end = at + 1;
  while (end < d->n && d->line[end].p[0] != 'm')
    end++;
  return end;
}

/* Port 0 refuses a line, unless it only shows that it has no transport of its own. */
static bool is_bundle_only(const struct doc *d, size_t at) {
  struct span value;
  size_t end = section_end(d, at);
  return doc_next(d, &at, end, "bundle-only", &value);
}

static bool mline_usable(const struct sdp *out, size_t i, bool alive) {
  return alive && strcmp(out->m[i].media, "audio") == 0 && strcmp(out->m[i].proto, "UDP/TLS/RTP/SAVPF") == 0;
}

static const char *parse_mid(struct span value, struct sdp *out, size_t i) {
  if (out->m[i].mid[0] || !span_copy(value, 1, out->m[i].mid, sizeof out->m[i].mid, sdp_char_is_visible))
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
      inside = !why && !chosen && mline_usable(out, out->n_m - 1, port != 0 || is_bundle_only(d, i));
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

static bool is_same(struct span s, const char *text) {
  return s.n == strlen(text) && memcmp(s.p, text, s.n) == 0;
}

/* The section of the m-line with this mid; nothing when there is none. */
static void find_tagged(struct doc *d, struct span mid) {
  struct span value;
  for (size_t i = d->session_end; i < d->n; i++) {
    size_t at = i, end = d->line[i].p[0] == 'm' ? section_end(d, i) : i;
    if (!doc_next(d, &at, end, "mid", &value) || value.n != mid.n || memcmp(value.p, mid.p, mid.n) != 0)
      continue;
    d->tagged_start = i;
    d->tagged_end = end;
    return;
  }
}

/* Is the chosen line in a BUNDLE group? The first one of a group is the one that speaks for it. */
static bool parse_bundle(struct doc *d, const char *mid) {
  struct span group;
  for (size_t at = 0; *mid && doc_next(d, &at, d->session_end, "group", &group);) {
    struct span all = group;
    if (!span_is(span_cut(&all, ' '), "BUNDLE"))
      continue;
    for (struct span rest = all; rest.n > 0;)
      if (is_same(span_cut(&rest, ' '), mid)) {
        struct span first = span_cut(&all, ' ');
        if (!is_same(first, mid))
          find_tagged(d, first);
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
  if (!doc_attr(d, "rtcp-mux", &value)) /* bundled lines all have it, whoever says so */
    return "the audio line does not offer rtcp-mux";
  if (!doc_attr(d, "ice-ufrag", &value) ||
      !span_copy(value, 4, out->ufrag, sizeof out->ufrag, sdp_char_is_ice))
    return "a=ice-ufrag is missing or not 4 to 256 ICE characters";
  if (!doc_attr(d, "ice-pwd", &value) || !span_copy(value, 22, out->pwd, sizeof out->pwd, sdp_char_is_ice))
    return "a=ice-pwd is missing or not 22 to 256 ICE characters";
  const char *why = parse_fingerprint(d, d->media_start, d->media_end, out);
  if (!why && !out->fingerprint_len)
    why = parse_fingerprint(d, d->tagged_start, d->tagged_end, out);
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

static const char *parse_candidates(const struct doc *d, size_t at, size_t end, struct sdp *out) {
  struct span value;
  while (doc_next(d, &at, end, "candidate", &value)) {
    struct sdp_candidate c = {0};
    bool keep;
    const char *why = sdp_candidate(value, &c, &keep);
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

/* Of several sources (retransmission, simulcast) nobody knows which one will speak: the first that does. */
static bool parse_ssrc(const struct doc *d, struct sdp *out) {
  struct span value;
  for (size_t at = d->media_start; doc_next(d, &at, d->media_end, "ssrc", &value);) {
    uint32_t ssrc, before = out->ssrc;
    if (!span_uint(span_cut(&value, ' '), UINT32_MAX, &ssrc))
      return false;
    out->ssrc = ssrc;
    if (before && before != ssrc) {
      out->ssrc = 0;
      return true;
    }
  }
  return true;
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
  if (!parse_ssrc(d, out))
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
  struct doc d = {.tagged_start = 0};
  const char *why = doc_split(text, n, &d);
  if (!why && (d.n == 0 || !span_is(d.line[0], "v=0")))
    why = "the SDP does not start with v=0";
  if (!why)
    why = parse_mlines(&d, out);
  if (why)
    return why;
  out->bundle = parse_bundle(&d, out->mid);
  why = parse_transport(&d, out);
  if (!why)
    why = parse_candidates(&d, d.media_start, d.media_end, out);
  if (!why)
    why = parse_candidates(&d, d.tagged_start, d.tagged_end, out);
  return why ? why : parse_media(&d, out);
}

enum err sdp_parse(const char *text, size_t n, struct sdp *out, const char **why) {
  *out = (struct sdp){0};
  const char *reason = parse_all(text, n, out);
  if (why)
    *why = reason;
  return reason ? ERR_BAD_SDP : ERR_OK;
}
