#include "core/session/uplink.h"

#include "audio/codec.h"
#include "core/wire/red.h"

#include <string.h>

_Static_assert(UPLINK_COPY_MAX <= RED_LEN_MAX, "what is kept can be copied");

void uplink_init(struct uplink *u, us_t now, unsigned kbps, uint8_t opus_pt, uint8_t red_pt) {
  memset(u, 0, sizeof *u);
  u->opus_pt = opus_pt;
  u->red_pt = red_pt;
  ladder_init(&u->ladder, now, kbps, red_pt != UPLINK_NO_RED);
}

static struct uplink_kept *keep(struct uplink *u, uint16_t seq, uint32_t ts, const uint8_t *p, size_t len) {
  struct uplink_kept *k = &u->kept[seq % UPLINK_KEPT];
  int samples = opus_packet_samples(p, len);
  k->seq = seq;
  k->ts = ts;
  k->samples = samples > 0 && len <= sizeof k->p ? samples : 0;
  k->len = k->samples ? len : 0;
  memcpy(k->p, p, k->len);
  return k;
}

/* The packet `back` before `now`, when a reader would find its number by the time between them. */
static const struct uplink_kept *before(const struct uplink *u, const struct uplink_kept *now,
                                        unsigned back) {
  uint16_t seq = (uint16_t)(now->seq - back);
  const struct uplink_kept *k = &u->kept[seq % UPLINK_KEPT];
  uint32_t offset = now->ts - k->ts;
  bool fits = now->samples && k->samples == now->samples && k->seq == seq &&
              offset == back * (uint32_t)now->samples && offset <= RED_OFFSET_MAX;
  return fits ? k : NULL;
}

size_t uplink_payload(struct uplink *u, uint16_t seq, uint32_t ts, const uint8_t *p, size_t len, uint8_t *out,
                      size_t cap, uint8_t *pt) {
  const struct uplink_kept *own = keep(u, seq, ts, p, len), *k;
  const struct red_plan *plan = red_plan(u->ladder.plan);
  struct red_block v[RED_COPIES_MAX + 1];
  size_t n = 0, made = 0;
  u->seq = seq;
  for (unsigned i = u->red_pt == UPLINK_NO_RED ? 0 : plan->copies; i > 0; i--)
    if ((k = before(u, own, i * plan->gap)))
      v[n++] = (struct red_block){u->opus_pt, ts - k->ts, k->p, k->len};
  v[n++] = (struct red_block){u->opus_pt, 0, p, len};
  if (n > 1)
    made = red_build(out, cap, v, n);
  *pt = made ? u->red_pt : u->opus_pt;
  if (made || len > cap)
    return made;
  memcpy(out, p, len);
  return len;
}

bool uplink_feed(struct uplink *u, us_t now, const struct rtpstat *s) {
  if (s->reports == u->reports)
    return false;
  uint32_t sent = s->sent - u->sent;
  uint16_t passed = (uint16_t)(s->highest_out - u->highest), behind = (uint16_t)(u->seq - s->highest_out);
  struct ladder_report r = {
      .loss_pct = s->there.loss_pct, .burst_ms = s->there.known ? s->there.burst_ms : 0, .rtt_ms = s->rtt_ms};
  if (u->reports)
    ladder_count(&u->ladder, &r, sent, passed, behind);
  u->reports = s->reports;
  u->sent = s->sent;
  u->highest = s->highest_out;
  return sent && ladder_feed(&u->ladder, now, &r);
}
