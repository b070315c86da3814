/* The fragments of trickle ICE: what is accepted keeps the limits of RFC 8839, and says the same when it is
 * written down again. */
#include "core/wire/sdp.h"
#include "core/wire/sdp_frag.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(bool ok) {
  if (!ok)
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
  struct sdp_frag f, again;
  const char *why;
  char text[700];
  enum err e = sdp_frag_parse((const char *)data, n, &f, &why);
  must((e == ERR_OK) == !why);
  if (e != ERR_OK)
    return 0;
  must(f.n_cand <= SDP_CANDIDATES_MAX && (!f.ufrag[0] || strlen(f.ufrag) >= 4));
  must(!f.pwd[0] || strlen(f.pwd) >= 22);
  snprintf(text, sizeof text, "%s%s%s%s%s%sa=mid:0\r\n", f.ufrag[0] ? "a=ice-ufrag:" : "", f.ufrag,
           f.ufrag[0] ? "\r\n" : "", f.pwd[0] ? "a=ice-pwd:" : "", f.pwd, f.pwd[0] ? "\r\n" : "");
  must(sdp_frag_parse(text, strlen(text), &again, &why) == ERR_OK);
  must(strcmp(again.ufrag, f.ufrag) == 0 && strcmp(again.pwd, f.pwd) == 0);
  return 0;
}
