/* SDP: any offer that is accepted gets an answer that is accepted too and agrees with it. */
#include "core/wire/sdp.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(bool ok) {
  if (!ok)
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
  static const uint8_t fingerprint[32];
  static struct sdp offer, back; /* large, and only this one thread */
  const char *why;
  enum err e = sdp_parse((const char *)data, n, &offer, &why);
  must((e == ERR_OK) == !why);
  if (e != ERR_OK)
    return 0;
  /* The offer's own candidates, so that their rewritten lines are parsed again as well. */
  const struct sdp_local me = {.ufrag = offer.ufrag,
                               .pwd = offer.pwd,
                               .fingerprint = fingerprint,
                               .ssrc = 1,
                               .cand = offer.cand,
                               .n_cand = offer.n_cand,
                               .lite = true};
  char *answer = sdp_write_answer(&offer, &me);
  must(!answer == (offer.setup == SDP_PASSIVE));
  if (!answer)
    return 0;
  must(sdp_parse(answer, strlen(answer), &back, NULL) == ERR_OK);
  must(back.opus_pt == offer.opus_pt && back.n_m == offer.n_m && back.bundle == offer.bundle);
  must(strcmp(back.mid, offer.mid) == 0 && back.send == offer.recv && back.recv == offer.send);
  must(back.n_cand == offer.n_cand && memcmp(back.cand, offer.cand, sizeof back.cand) == 0);
  must(strcmp(back.ufrag, offer.ufrag) == 0 && strcmp(back.pwd, offer.pwd) == 0);
  free(answer);
  return 0;
}
