/* tiers_pack.c: the packed tier: two frames of 20 ms of one coding in one packet, by Opus's repacketizer. All
 * else goes out as it is, in order. A lost packet keeps one number, so that it is a gap to the listener; when
 * it is only late it goes out alone under it. */
#include "core/server/tiers_private.h"

#include "audio/frame.h"

#include <stdlib.h>
#include <string.h>

#define GAPS 32 /* a power of two */
#define JUMP 1000
#define HOLD_US (30 * US_PER_MS) /* the next frame is due after 20, and its way may shake */

struct packer {
  bool started, holds;
  us_t due;
  uint32_t next; /* of the stream: the packet to come */
  struct {
    bool open;
    uint32_t of, seq; /* a packet that did not come, and the number kept for it */
  } gap[GAPS];
  struct kept held;
};

static void packer_flush(struct tiers *t, struct line *l) {
  struct packer *p = l->packer;
  if (!p->holds)
    return;
  p->holds = false;
  tiers_send(t, l, TIER_PACKED, &p->held.out);
}

static bool fits_pair(const struct mixer_out *o) {
  return o->samples == AUDIO_FRAME && o->len > 2 && (o->payload[0] & 3) == 0;
}

/* One packet of both, which must be of one configuration, next to each other. */
static bool packer_join(struct tiers *t, struct line *l, const struct mixer_out *o) {
  struct packer *p = l->packer;
  const struct mixer_out *held = &p->held.out;
  uint8_t both[TIERS_PACKET_MAX];
  if (!p->holds || !fits_pair(o) || o->marker || o->mixed != held->mixed ||
      o->pos != held->pos + held->samples || o->payload[0] != held->payload[0] || o->n_from != held->n_from ||
      memcmp(o->from, held->from, o->n_from * sizeof o->from[0]) != 0)
    return false;
  if (!t->packer && !(t->packer = opus_repacketizer_create()))
    return false;
  opus_repacketizer_init(t->packer);
  if (opus_repacketizer_cat(t->packer, held->payload, (opus_int32)held->len) != OPUS_OK ||
      opus_repacketizer_cat(t->packer, o->payload, (opus_int32)o->len) != OPUS_OK)
    return false;
  opus_int32 len = opus_repacketizer_out(t->packer, both, sizeof both);
  if (len <= 0)
    return false;
  struct mixer_out out = *o;
  out.seq = held->seq;
  out.pos = held->pos;
  out.samples = held->samples + o->samples;
  out.marker = held->marker;
  out.payload = both;
  out.len = (size_t)len;
  p->holds = false;
  t->counters.packed++;
  tiers_send(t, l, TIER_PACKED, &out);
  return true;
}

static void packer_late(struct tiers *t, struct line *l, struct mixer_out *o) {
  struct packer *p = l->packer;
  uint32_t at = o->seq % GAPS;
  if (!p->gap[at].open || p->gap[at].of != o->seq)
    return; /* older than what is known, or a duplicate */
  p->gap[at].open = false;
  o->seq = p->gap[at].seq;
  tiers_send(t, l, TIER_PACKED, o);
}

/* Packets are missing before o: their numbers are kept for them. */
static void packer_skip(struct packer *p, struct tier_out *tier, const struct mixer_out *o) {
  for (uint32_t seq = p->next; seq != o->seq; seq++) {
    p->gap[seq % GAPS].open = true;
    p->gap[seq % GAPS].of = seq;
    p->gap[seq % GAPS].seq = tier->next_seq++;
  }
}

void packer_put(struct tiers *t, struct line *l, const struct mixer_out *o) {
  if (!l->packer && !(l->packer = calloc(1, sizeof *l->packer)))
    return;
  struct packer *p = l->packer;
  struct mixer_out out = *o;
  if (!p->started || (int32_t)(o->seq - p->next) > JUMP) {
    packer_flush(t, l);
    *p = (struct packer){.started = true, .next = o->seq};
  }
  int32_t ahead = (int32_t)(o->seq - p->next);
  if (ahead < 0) {
    packer_late(t, l, &out);
    return;
  }
  if (ahead == 0 && packer_join(t, l, o)) {
    p->next++;
    return;
  }
  packer_flush(t, l);
  packer_skip(p, &l->tier[TIER_PACKED], o);
  p->next = o->seq + 1;
  out.seq = l->tier[TIER_PACKED].next_seq++;
  if (!fits_pair(o)) {
    tiers_send(t, l, TIER_PACKED, &out);
    return;
  }
  kept_take(&p->held, &out);
  p->holds = true;
  p->due = t->now + HOLD_US;
}

void packer_timeout(struct tiers *t, struct line *l) {
  if (l->packer->due <= t->now)
    packer_flush(t, l);
}

us_t packer_next_timeout(const struct packer *p) {
  return p->holds ? p->due : US_NEVER;
}

void packer_forget(struct packer *p) {
  p->holds = p->started = false;
}

void packer_destroy(struct packer *p) {
  free(p);
}
