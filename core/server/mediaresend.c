/* mediaresend.c: what a peer lost on the way from us, once more; and what he sent and we lost, asked for. */
#include "core/server/mediaport_private.h"
#include "core/wire/rtcp_nack.h"

#include <stdlib.h>
#include <string.h>

#define LOSS_PCT 3 /* reported: he will ask, if he can */
#define KBPS 5     /* for our requests */

void peer_send_again(struct mediaport *m, struct peer *r, const uint8_t *rtcp, size_t n) {
  uint16_t v[RTCP_NACK_MAX];
  size_t k = r->p.nack ? rtcp_nacks(rtcp, n, r->p.ssrc_out, v, RTCP_NACK_MAX) : 0;
  if (k || (r->p.nack && r->stat.loss_out_pct >= LOSS_PCT && r->ear < TIER_N))
    resend_need(&r->resend, m->now);
  if (r->selected < 0 || ladder_resend_kbps(&r->ladder) == 0)
    return;
  for (size_t i = 0; i < k; i++) {
    size_t len;
    const uint8_t *again = resend_take(r->resend, m->now, v[i], &len);
    if (!again)
      continue;
    struct media_datagram *d = mediaport_slot(m, &r->addr[r->selected]);
    memcpy(d->data, again, len);
    d->len = len;
    mediaport_commit_slot(m);
    m->count.resent++;
  }
}

void peer_keep(struct peer *r, us_t now, uint16_t seq, const struct media_datagram *d) {
  resend_rest(&r->resend, now);
  resend_keep(r->resend, now, seq, d->data, d->len, ladder_resend_kbps(&r->ladder));
}

bool peer_note(struct mediaport *m, struct peer *r, uint16_t seq, bool copy) {
  if (!r->p.nack)
    return false;
  if (!r->nack && !(r->nack = calloc(1, sizeof *r->nack)))
    abort();
  if (r->stat.skipped) /* what is between was not for us */
    r->nack->started = false;
  return nack_received(r->nack, m->now, seq, copy, r->stat.rtt_ms);
}

void peer_ask_again(struct mediaport *m, struct peer *r) {
  uint16_t v[NACK_MISSING];
  size_t k = r->nack ? nack_ask(r->nack, m->now, r->stat.rtt_ms, KBPS, v) : 0;
  if (k == 0 || r->selected < 0)
    return;
  struct media_datagram *d = mediaport_slot(m, &r->addr[r->selected]);
  d->len = rtcp_build_nack(d->data, sizeof d->data - SRTP_TRAILER_MAX, r->p.ssrc_out, r->p.ssrc_in, v, k);
  if (d->len && secure_protect_rtcp(r->secure, d->data, &d->len, sizeof d->data) == ERR_OK)
    mediaport_commit_slot(m);
}
