#include "core/wire/sdp_frag.h"

#include "core/wire/sdp_private.h"

#include <string.h>

/* The same at the session and at an m-line, or at several bundled ones. */
static bool take(struct span value, size_t min, char *out, size_t cap) {
  char one[257] = "";
  if (!span_copy(value, min, one, sizeof one, sdp_char_is_ice) || (out[0] && strcmp(out, one) != 0))
    return false;
  memcpy(out, one, cap);
  return true;
}

static const char *parse_line(struct span line, struct sdp_frag *out) {
  struct span value;
  struct sdp_candidate c = {0};
  bool keep;
  if (line_attr(line, "ice-ufrag", &value))
    return take(value, 4, out->ufrag, sizeof out->ufrag)
               ? NULL
               : "a=ice-ufrag is not 4 to 256 ICE characters, or said in two ways";
  if (line_attr(line, "ice-pwd", &value))
    return take(value, 22, out->pwd, sizeof out->pwd)
               ? NULL
               : "a=ice-pwd is not 22 to 256 ICE characters, or said in two ways";
  if (line_attr(line, "candidate", &value)) {
    out->n_cand++;
    return out->n_cand > SDP_CANDIDATES_MAX ? "there are too many candidates"
                                            : sdp_candidate(value, &c, &keep);
  }
  out->end = out->end || line_attr(line, "end-of-candidates", &value);
  return NULL; /* m-lines, mids and the rest say nothing about our one path */
}

enum err sdp_frag_parse(const char *text, size_t n, struct sdp_frag *out, const char **why) {
  struct doc d;
  *out = (struct sdp_frag){0};
  *why = n > SDP_MAX ? "the fragment is too long" : doc_split(text, n, &d);
  if (!*why && d.n == 0)
    *why = "the fragment is empty";
  for (size_t i = 0; !*why && i < d.n; i++)
    *why = parse_line(d.line[i], out);
  return *why ? ERR_BAD_SDP : ERR_OK;
}
