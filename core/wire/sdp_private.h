/* sdp_private.h: what the files of sdp.h and sdp_frag.h share: pieces of text, lines, attributes, candidates.
 * Nobody else includes it. Pure; any thread. */
#ifndef GAVEL_WIRE_SDP_PRIVATE_H
#define GAVEL_WIRE_SDP_PRIVATE_H

#include "core/wire/sdp.h"

#define SDP_LINES_MAX 500

/* A piece of the input; never NUL-terminated. */
struct span {
  const char *p;
  size_t n;
};
/* The lines, and which of them belong to the session, to the chosen m-line, and to the one that speaks for
 * its BUNDLE group (RFC 8843; nothing when it is the same). */
struct doc {
  struct span line[SDP_LINES_MAX];
  size_t n, session_end, media_start, media_end, tagged_start, tagged_end;
};

/* span_is: the same but for the case of letters. */
bool span_is(struct span s, const char *text);
/* span_cut: cut the piece before the next `sep` off *s; an empty piece when *s is used up. */
struct span span_cut(struct span *s, char sep);
bool span_uint(struct span s, uint32_t max, uint32_t *out);
/* span_copy: min..cap-1 characters, each one that `good` accepts, and a NUL. */
bool span_copy(struct span s, size_t min, char *out, size_t cap, bool (*good)(char));
bool sdp_char_is_ice(char c); /* ice-char of RFC 8839 */
bool sdp_char_is_visible(char c);

/* doc_split: the lines, each of the form x=value without control characters; a reason when they are not. */
const char *doc_split(const char *text, size_t n, struct doc *d);
/* line_attr: the attribute's value when the line is a=NAME or a=NAME:value. */
bool line_attr(struct span line, const char *name, struct span *value);
/* doc_next: the next attribute of that name from line *at on, before `end`; *at moves behind it. */
bool doc_next(const struct doc *d, size_t *at, size_t end, const char *name, struct span *value);
/* sdp_candidate: malformed: a reason. Of no use to us (TCP, a host name, RTCP's own): NULL and !*keep. */
const char *sdp_candidate(struct span value, struct sdp_candidate *c, bool *keep);

#endif
