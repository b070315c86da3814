/* tiers_red.c: what one tier of one stream sent lately, and RFC 2198 payloads made of it. */
#include "core/server/tiers_private.h"

#include <stdlib.h>
#include <string.h>

#define PAST 16          /* a power of two; the oldest copy of any plan is 12 packets back */
#define PAST_BYTES 512   /* a longer packet is not copied */
#define PAYLOAD_MAX 1200 /* with all headers within any MTU */

struct past {
  struct past_packet {
    bool kept;
    uint32_t seq, samples;
    uint64_t pos;
    size_t len;
    uint8_t data[PAST_BYTES];
  } v[PAST];
};

void past_add(struct past *p, const struct mixer_out *o) {
  struct past_packet *k = &p->v[o->seq % PAST];
  k->kept = o->len <= sizeof k->data;
  if (!k->kept)
    return;
  k->seq = o->seq;
  k->samples = o->samples;
  k->pos = o->pos;
  k->len = o->len;
  memcpy(k->data, o->payload, o->len);
}

void past_forget(struct past *p) {
  for (size_t i = 0; i < PAST; i++)
    p->v[i].kept = false;
}

/* The packet `back` before o, if it can be told from its offset which one it is. */
static bool copy_of(const struct past *p, const struct mixer_out *o, uint32_t back, uint8_t pt,
                    struct red_block *b) {
  uint32_t seq = o->seq - back, offset = back * o->samples;
  const struct past_packet *k = &p->v[seq % PAST];
  if (!k->kept || k->seq != seq || k->samples != o->samples || k->pos + offset != o->pos ||
      offset > RED_OFFSET_MAX)
    return false;
  *b = (struct red_block){.pt = pt, .offset = offset, .p = k->data, .len = k->len};
  return true;
}

/* The oldest copies go first when there are too many bytes. */
static size_t make(const struct past *p, const struct mixer_out *o, unsigned plan, uint8_t pt, uint8_t *out) {
  const struct red_plan *r = red_plan(plan);
  struct red_block v[RED_COPIES_MAX + 1];
  size_t n = 0, bytes = o->len + 1;
  for (unsigned i = r->copies; i > 0; i--)
    if (copy_of(p, o, i * r->gap, pt, &v[n]))
      bytes += v[n++].len + 4;
  size_t from = 0;
  while (from < n && bytes > PAYLOAD_MAX)
    bytes -= v[from++].len + 4;
  v[n] = (struct red_block){.pt = pt, .p = o->payload, .len = o->len};
  return from < n ? red_build(out, TIERS_PACKET_MAX, v + from, n - from + 1) : 0;
}

const uint8_t *tiers_red(struct tiers *t, unsigned plan, uint8_t opus_pt, size_t *len) {
  if (!red_plan(plan)->copies || !t->out)
    return NULL;
  struct line *l = tiers_line(t, t->out);
  struct past **p = l ? &l->tier[t->out_tier].past : NULL;
  if (!p || (!*p && !(*p = calloc(1, sizeof **p))) || (!t->red && !(t->red = malloc(TIERS_PACKET_MAX))))
    return NULL;
  *len = make(*p, t->out, plan, opus_pt, t->red);
  t->counters.red += *len > 0;
  return *len ? t->red : NULL;
}
