/* sdp_frag.h: a trickle-ice-sdpfrag (RFC 8840 section 9): what WHIP and WHEP clients send once they know more
 * of their addresses. The server is ICE-lite and waits for checks, so candidates are only looked at.
 *
 * Invariant: what is accepted is of the form x=value, names at most one ufrag and password, both of the
 * lengths of RFC 8839, and its candidates are well formed. Limits: those of sdp.h. Pure; any thread. */
#ifndef GAVEL_WIRE_SDP_FRAG_H
#define GAVEL_WIRE_SDP_FRAG_H

#include "core/base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct sdp_frag {
  char ufrag[257], pwd[257]; /* "" when they are not said */
  size_t n_cand;             /* candidates, of any kind */
  bool end;                  /* there will be no more */
};
/* sdp_frag_parse: ERR_BAD_SDP with *why, a static sentence. */
MUST_CHECK enum err sdp_frag_parse(const char *text, size_t n, struct sdp_frag *out, const char **why);

#endif
