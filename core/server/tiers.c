#include "core/server/tiers_private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define CODED (1U << TIER_LOW | 1U << TIER_MIN)

struct tiers *tiers_create(tiers_emit *emit, void *ctx) {
  struct tiers *t = calloc(1, sizeof *t);
  if (t)
    *t = (struct tiers){.emit = emit, .ctx = ctx};
  return t;
}

void kept_take(struct kept *k, const struct mixer_out *o) {
  assert(o->len <= sizeof k->data);
  k->out = *o;
  memcpy(k->data, o->payload, o->len);
  k->out.payload = k->data;
}

/* ---- streams ---- */

static struct line *line_find(const struct tiers *t, uint32_t stream) {
  for (size_t i = 0; i < t->n; i++)
    if (t->lines[i]->id == stream)
      return t->lines[i];
  return NULL;
}

/* Everything but its numbers. */
static void line_rest(struct tiers *t, struct line *l) {
  packer_destroy(l->packer);
  coder_destroy(t, l->coder);
  l->packer = NULL;
  l->coder = NULL;
  for (int i = 0; i < TIER_N; i++) {
    free(l->tier[i].past);
    l->tier[i].past = NULL;
  }
  l->used = US_NEVER;
}

static void line_free(struct tiers *t, size_t at) {
  struct line *l = t->lines[at];
  for (int i = 0; i < TIER_N; i++)
    t->old_seq = l->tier[i].next_seq > t->old_seq ? l->tier[i].next_seq : t->old_seq;
  line_rest(t, l);
  t->lines[at] = t->lines[--t->n];
  free(l);
}

/* COMMON keeps its numbers: those who hear it also hear how it goes on. A talker's own stream is numbered
 * above all that ended. */
static void line_expire(struct tiers *t, size_t at) {
  if (t->lines[at]->id == 0)
    line_rest(t, t->lines[at]);
  else
    line_free(t, at);
}

struct line *tiers_line(struct tiers *t, const struct mixer_out *o) {
  struct line *l = line_find(t, o->stream);
  if (!l && t->n == TIERS_STREAMS) {
    size_t oldest = t->lines[0]->id == 0;
    for (size_t i = 0; i < t->n; i++)
      if (t->lines[i]->id != 0 && t->lines[i]->used < t->lines[oldest]->used)
        oldest = i;
    line_free(t, oldest);
  }
  if (!l && (l = calloc(1, sizeof *l))) {
    l->id = o->stream;
    for (int i = 0; i < TIER_N; i++)
      l->tier[i].next_seq = o->seq > t->old_seq ? o->seq : t->old_seq;
    t->lines[t->n++] = l;
  }
  if (l)
    l->used = t->now;
  return l;
}

void tiers_send(struct tiers *t, struct line *l, enum media_tier tier, const struct mixer_out *o) {
  t->out = o;
  t->out_tier = tier;
  t->emit(t->ctx, tier, o);
  t->out = NULL;
  if (!l)
    l = line_find(t, o->stream); /* made in the callback by whoever wanted a copy */
  if (l && l->tier[tier].past)
    past_add(l->tier[tier].past, o);
}

static void coder_unwanted(struct tiers *t, struct line *l) {
  us_t low = l->tier[TIER_LOW].wanted, min = l->tier[TIER_MIN].wanted;
  coder_forget(l->coder);
  if (t->now - (low > min ? low : min) >= TIERS_KEEP_US) {
    coder_destroy(t, l->coder);
    l->coder = NULL;
  }
}

void tiers_put(struct tiers *t, us_t now, const struct mixer_out *o, unsigned wanted) {
  t->now = now;
  struct line *l = line_find(t, o->stream);
  if (wanted & ~(1U << TIER_FULL))
    l = tiers_line(t, o);
  if (wanted & 1U << TIER_FULL)
    tiers_send(t, l, TIER_FULL, o);
  if (!l || o->len > TIERS_PACKET_MAX)
    return;
  for (int i = 0; i < TIER_N; i++)
    if (wanted & 1U << i)
      l->tier[i].wanted = now;
  if (wanted & 1U << TIER_PACKED)
    packer_put(t, l, o);
  else if (l->packer)
    packer_forget(l->packer);
  if (wanted & CODED)
    coder_put(t, l, o, wanted);
  else if (l->coder)
    coder_unwanted(t, l);
  if (o->pos + o->samples > l->end)
    l->end = o->pos + o->samples;
}

void tiers_fresh(struct tiers *t, unsigned set) {
  t->fresh = set;
}

void tiers_forget(struct tiers *t, uint32_t stream) {
  struct line *l = line_find(t, stream);
  if (!l)
    return;
  if (l->packer)
    packer_forget(l->packer);
  if (l->coder)
    coder_forget(l->coder);
  for (int i = 0; i < TIER_N; i++)
    if (l->tier[i].past)
      past_forget(l->tier[i].past);
}

/* ---- time ---- */

void tiers_handle_timeout(struct tiers *t, us_t now) {
  t->now = now;
  for (size_t i = t->n; i-- > 0;) {
    struct line *l = t->lines[i];
    if (l->packer)
      packer_timeout(t, l);
    if (l->coder)
      coder_timeout(t, l);
    if (l->used != US_NEVER && now - l->used >= TIERS_KEEP_US)
      line_expire(t, i);
  }
}

us_t tiers_next_timeout(const struct tiers *t) {
  us_t next = US_NEVER;
  for (size_t i = 0; i < t->n; i++) {
    const struct line *l = t->lines[i];
    us_t due[] = {l->used == US_NEVER ? US_NEVER : l->used + TIERS_KEEP_US,
                  l->packer ? packer_next_timeout(l->packer) : US_NEVER,
                  l->coder ? coder_next_timeout(l->coder) : US_NEVER};
    for (size_t k = 0; k < sizeof due / sizeof due[0]; k++)
      next = due[k] < next ? due[k] : next;
  }
  return next;
}

void tiers_counters(const struct tiers *t, struct tiers_counters *out) {
  *out = t->counters;
}

void tiers_destroy(struct tiers *t) {
  if (!t)
    return;
  while (t->n)
    line_free(t, t->n - 1);
  opus_repacketizer_destroy(t->packer);
  free(t->red);
  free(t);
}
