#include "core/media/resend.h"

#include <stdlib.h>
#include <string.h>

#define BURST_MS 1000 /* so much of the rate may be saved up */

void resend_need(struct resend **r, us_t now) {
  if (!*r && (*r = calloc(1, sizeof **r)))
    (*r)->counted = now - BURST_MS * US_PER_MS;
  if (*r)
    (*r)->needed = now;
}

void resend_rest(struct resend **r, us_t now) {
  if (!*r || now - (*r)->needed < RESEND_CALM_US)
    return;
  free(*r);
  *r = NULL;
}

void resend_keep(struct resend *r, us_t now, uint16_t seq, const uint8_t *p, size_t n, unsigned kbps) {
  if (!r)
    return;
  int64_t most = (int64_t)kbps * BURST_MS / 8;
  us_t since = now - r->counted < BURST_MS * US_PER_MS ? now - r->counted : BURST_MS * US_PER_MS;
  r->budget += (int64_t)kbps * since / (8 * US_PER_MS) - (int64_t)(n + RESEND_HEADERS);
  r->budget = r->budget > most ? most : r->budget < 0 ? 0 : r->budget;
  r->counted = now;
  struct resend_kept *k = &r->kept[seq % RESEND_KEPT];
  *k = (struct resend_kept){.at = now, .last = now, .seq = seq};
  if (n > sizeof k->p)
    return;
  k->len = (uint16_t)n;
  memcpy(k->p, p, n);
}

const uint8_t *resend_take(struct resend *r, us_t now, uint16_t seq, size_t *n) {
  struct resend_kept *k = r ? &r->kept[seq % RESEND_KEPT] : NULL;
  if (!k || k->len == 0 || k->seq != seq || now - k->at > RESEND_AGE_US || k->times >= RESEND_TIMES ||
      (k->times && now - k->last < RESEND_AGAIN_US) || r->budget < k->len + RESEND_HEADERS)
    return NULL;
  r->budget -= k->len + RESEND_HEADERS;
  k->last = now;
  k->times++;
  *n = k->len;
  return k->p;
}

void resend_forget(struct resend *r) {
  for (unsigned i = 0; r && i < RESEND_KEPT; i++)
    r->kept[i].len = 0;
}
