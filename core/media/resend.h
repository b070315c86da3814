/* resend.h: the last sealed packets of one direction, for a peer that asks for lost ones again (NACK, RFC
 * 4585), and how much of that his line is given.
 *
 * Invariant: what is handed out are the very bytes that were sent: a packet number is never sealed twice, and
 * who got it already drops it as a replay. What is sent and sent again stays below the rate given. Pure:
 * times are handed in. One thread. */
#ifndef GAVEL_MEDIA_RESEND_H
#define GAVEL_MEDIA_RESEND_H

#include "core/base/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RESEND_KEPT 32
#define RESEND_BYTES 1024               /* of a packet; a larger one is not kept */
#define RESEND_AGE_US (400 * US_PER_MS) /* older than that nobody waits for it */
#define RESEND_TIMES 4                  /* of each packet */
#define RESEND_AGAIN_US (10 * US_PER_MS)
#define RESEND_CALM_US (30 * US_PER_S)
#define RESEND_HEADERS 28 /* IPv4 and UDP */

struct resend_kept {
  us_t at, last;
  uint16_t seq, len; /* len 0: an empty place */
  uint8_t times;
  uint8_t p[RESEND_BYTES];
};
struct resend {
  us_t needed, counted; /* when it was last asked for something; up to when the budget is filled */
  int64_t budget;       /* bytes */
  struct resend_kept kept[RESEND_KEPT];
};
/* resend_need: there is loss on the line: *r is created when NULL, with a second's worth of budget, and stays
 * for RESEND_CALM_US. Without memory it stays NULL. */
void resend_need(struct resend **r, us_t now);
/* resend_rest: *r is freed and NULL when nothing needed it for so long. */
void resend_rest(struct resend **r, us_t now);
/* resend_keep: this was just sent, sealed. `kbps`: what may be sent in all, with what is sent again. r may be
 * NULL. */
void resend_keep(struct resend *r, us_t now, uint16_t seq, const uint8_t *p, size_t n, unsigned kbps);
/* resend_take: the packet to send again now, borrowed, and counted as sent; NULL: not here, too old, too
 * often, or too much. r may be NULL. */
const uint8_t *resend_take(struct resend *r, us_t now, uint16_t seq, size_t *n);
/* resend_forget: nothing of what was sent before may be sent again. r may be NULL. */
void resend_forget(struct resend *r);

#endif
