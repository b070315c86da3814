/* tiers_code.c: the coded tiers: packets put in order, decoded once, encoded once a tier. A missing packet is
 * waited for as long as late ones lately took, then made up for. What does not fill a packet waits for the
 * next sound, or, when none comes, goes out filled up with silence. Silence itself is not sent. */
#include "audio/dsp.h"
#include "core/server/conceal.h"
#include "core/server/tiers_private.h"

#include <stdlib.h>
#include <string.h>

#define WAITING 8
#define PATIENCE_MIN_US (20 * US_PER_MS)
#define PATIENCE_US (60 * US_PER_MS)
#define PATIENCE_MAX_US (120 * US_PER_MS)
#define REST_US (60 * US_PER_MS) /* so long after the next packet was due nothing more is expected */
#define SPOKE (2 * MIXER_HEARD_MAX)
#define DTX_BYTES 2
#define SILENT_DBOV 60

struct sound { /* what one tier has collected for its next packet, right before the coder's `end` */
  struct encoder *encoder;
  bool on, marker;
  uint64_t pos;
  size_t len;
  float pcm[AUDIO_FRAME_MAX];
};
struct coder {
  struct decoder *decoder;
  struct conceal conceal;
  bool started;
  uint32_t next;  /* packet to decode */
  uint64_t end;   /* of what was decoded */
  size_t samples; /* of the last packet */
  us_t arrived;   /* it */
  us_t missing;   /* since when `next` is waited for; 0: nothing waits */
  us_t gave_up;   /* `missing` of the last that was not */
  us_t patience;
  bool mixed;
  struct { /* who was heard lately, and until when */
    uint32_t member;
    uint8_t level;
    uint64_t until;
  } spoke[SPOKE];
  struct sound sound[TIER_N - TIER_LOW];
  bool waits[WAITING];
  struct kept waiting[WAITING];
};

static struct sound *sound_of(struct coder *c, enum media_tier tier) {
  return &c->sound[tier - TIER_LOW];
}

static size_t packet_samples(enum media_tier tier) {
  return (size_t)AUDIO_MS(tier_info(tier)->ptime_ms);
}

/* ---- out ---- */

static void note_speakers(struct coder *c, const struct mixer_out *o) {
  for (unsigned k = 0; k < o->n_from; k++) {
    size_t at = 0;
    for (size_t i = 0; i < SPOKE; i++) {
      if (c->spoke[i].member == o->from[k]) {
        at = i;
        break;
      }
      at = c->spoke[i].until < c->spoke[at].until ? i : at;
    }
    c->spoke[at].member = o->from[k];
    c->spoke[at].level = o->level[k];
    c->spoke[at].until = o->pos + o->samples;
  }
}

/* All in the packet, the loudest first. */
static void name_speakers(const struct coder *c, struct mixer_out *o) {
  for (size_t i = 0; i < SPOKE && o->n_from < MIXER_HEARD_MAX; i++) {
    if (c->spoke[i].until <= o->pos)
      continue;
    unsigned at = o->n_from++;
    for (; at > 0 && o->level[at - 1] > c->spoke[i].level; at--) {
      o->from[at] = o->from[at - 1];
      o->level[at] = o->level[at - 1];
    }
    o->from[at] = c->spoke[i].member;
    o->level[at] = c->spoke[i].level;
  }
}

/* The coder makes a pause itself after a while; then what is silent does not even wake it. */
static int sound_code(struct tiers *t, struct sound *s, bool fresh, uint8_t *out, size_t cap) {
  if (s->marker && level_dbov(s->pcm, s->len) > SILENT_DBOV)
    return DTX_BYTES;
  t->counters.encodes++;
  return (fresh ? encoder_run_fresh : encoder_run)(s->encoder, s->pcm, s->len, out, cap);
}

static void sound_send(struct tiers *t, struct line *l, enum media_tier tier) {
  const struct coder *c = l->coder;
  struct sound *s = sound_of(l->coder, tier);
  uint8_t bytes[AUDIO_PACKET_MAX];
  int len = sound_code(t, s, t->fresh & 1U << tier, bytes, sizeof bytes);
  struct mixer_out out = {.stream = l->id,
                          .seq = l->tier[tier].next_seq,
                          .pos = s->pos,
                          .samples = (uint32_t)s->len,
                          .marker = s->marker,
                          .mixed = c->mixed,
                          .payload = bytes};
  l->tier[tier].end = s->pos + s->len;
  s->len = 0;
  s->marker = len > 0 && len <= DTX_BYTES; /* a pause: time goes on, numbers do not */
  if (s->marker)
    return;
  l->tier[tier].next_seq++; /* a fault of Opus looks like a lost packet */
  if (len <= 0)
    return;
  out.len = (size_t)len;
  name_speakers(c, &out);
  tiers_send(t, l, tier, &out);
}

/* n samples at `pos`, which follow what was collected; what a tier has sent already is left out. */
static void sound_add(struct tiers *t, struct line *l, enum media_tier tier, uint64_t pos, const float *pcm,
                      size_t n) {
  struct sound *s = sound_of(l->coder, tier);
  uint64_t sent = l->tier[tier].end;
  size_t at = s->len == 0 && sent > pos ? (sent - pos < n ? (size_t)(sent - pos) : n) : 0;
  while (at < n) {
    size_t room = packet_samples(tier) - s->len, take = n - at < room ? n - at : room;
    if (s->len == 0)
      s->pos = pos + at;
    memcpy(s->pcm + s->len, pcm + at, take * sizeof pcm[0]);
    s->len += take;
    at += take;
    if (take == room)
      sound_send(t, l, tier);
  }
}

static void coder_add(struct tiers *t, struct line *l, const float *pcm, size_t n) {
  for (enum media_tier tier = TIER_LOW; tier < TIER_N; tier++)
    if (sound_of(l->coder, tier)->on)
      sound_add(t, l, tier, l->coder->end, pcm, n);
  l->coder->end += n;
}

static bool collected(const struct coder *c) {
  bool any = false;
  for (size_t i = 0; i < TIER_N - TIER_LOW; i++)
    any |= c->sound[i].len > 0;
  return any;
}

/* Nothing follows for `gap` samples: packets begun are filled up with a fading end and silence. */
static void coder_rest(struct tiers *t, struct line *l, uint64_t gap) {
  struct coder *c = l->coder;
  float tail[AUDIO_FRAME_MAX] = {0};
  if (collected(c))
    conceal_more(&c->conceal, c->decoder, tail, AUDIO_FRAME);
  for (size_t i = 0; i < AUDIO_FRAME; i++)
    tail[i] *= 1.0f - (float)i / AUDIO_FRAME;
  for (enum media_tier tier = TIER_LOW; tier < TIER_N; tier++) {
    struct sound *s = sound_of(c, tier);
    size_t want = packet_samples(tier) - s->len;
    if (s->len > 0)
      sound_add(t, l, tier, c->end, tail, want < gap ? want : (size_t)gap);
  }
}

/* ---- in ---- */

static void bridge(struct tiers *t, struct line *l, const struct mixer_out *o) {
  struct coder *c = l->coder;
  float pcm[AUDIO_FRAME_MAX];
  if (o->pos <= c->end)
    return;
  uint64_t gap = o->pos - c->end;
  if (o->seq != c->next) { /* else a pause he made */
    size_t n = gap < AUDIO_FRAME_MAX ? (size_t)gap : AUDIO_FRAME_MAX;
    t->counters.decodes += conceal_before(&c->conceal, c->decoder, o->payload, o->len, c->samples, pcm, n);
    coder_add(t, l, pcm, n);
    gap -= n;
  }
  if (gap > 0)
    coder_rest(t, l, gap);
  c->end = o->pos;
}

static void coder_take(struct tiers *t, struct line *l, const struct mixer_out *o) {
  struct coder *c = l->coder;
  float pcm[AUDIO_FRAME_MAX];
  if (opus_is_dtx(o->payload, o->len)) {
    c->next = o->seq + 1;
    return;
  }
  bridge(t, l, o);
  int n = decoder_run(c->decoder, o->payload, o->len, pcm);
  t->counters.decodes++;
  size_t skip = c->end > o->pos ? (size_t)(c->end - o->pos) : 0; /* concealed already */
  if (n <= 0) {
    n = (int)o->samples;
    conceal_more(&c->conceal, c->decoder, pcm, o->samples);
  } else
    conceal_end(&c->conceal, pcm, (size_t)n);
  c->next = o->seq + 1;
  c->samples = (size_t)n;
  c->mixed = o->mixed;
  note_speakers(c, o);
  if (skip < (size_t)n)
    coder_add(t, l, pcm + skip, (size_t)n - skip);
}

/* The earliest packet that waits; NULL: none. */
static struct kept *earliest(struct coder *c, size_t *n) {
  struct kept *best = NULL;
  *n = 0;
  for (size_t i = 0; i < WAITING; i++) {
    if (!c->waits[i])
      continue;
    ++*n;
    if (!best || (int32_t)(c->waiting[i].out.seq - best->out.seq) < 0)
      best = &c->waiting[i];
  }
  return best;
}

/* Decode what is in order, and beyond gaps when it is time (or `all`). */
static void coder_drain(struct tiers *t, struct line *l, bool all) {
  struct coder *c = l->coder;
  struct kept *k;
  size_t n;
  while ((k = earliest(c, &n))) {
    bool gap = k->out.seq != c->next;
    if (gap && c->missing == 0)
      c->missing = t->now;
    if (gap && !all && n < WAITING - 1 && t->now - c->missing < c->patience)
      return;
    if (gap) {
      c->gave_up = c->missing;
      c->patience -= c->patience > PATIENCE_MIN_US ? 2 * US_PER_MS : 0;
    }
    c->missing = 0;
    c->waits[k->out.seq % WAITING] = false;
    coder_take(t, l, &k->out);
  }
}

/* It came after it was given up: next time there is more patience. */
static void coder_late(struct coder *c, us_t now) {
  us_t took = now - c->gave_up + 5 * US_PER_MS;
  if (c->gave_up && took > c->patience && took < PATIENCE_MAX_US)
    c->patience = took;
}

static void sound_want(struct tiers *t, struct line *l, enum media_tier tier, bool wanted) {
  struct sound *s = sound_of(l->coder, tier);
  const struct encoder_config config = {
      .bitrate = tier_info(tier)->bitrate, .complexity = 5, .loss_pct = 10, .dtx = true};
  if (wanted && !s->encoder && (s->encoder = encoder_create(&config)))
    t->counters.codecs++;
  if (!wanted && s->encoder && t->now - l->tier[tier].wanted >= TIERS_KEEP_US) {
    encoder_destroy(s->encoder);
    s->encoder = NULL;
    t->counters.codecs--;
  }
  bool on = wanted && s->encoder;
  if (on && !s->on)
    encoder_reset(s->encoder); /* its first packet then needs no past that its listeners lack */
  if (on != s->on)
    s->marker = true;
  s->len = on ? s->len : 0;
  s->on = on;
}

static struct coder *coder_create(struct tiers *t) {
  struct coder *c = calloc(1, sizeof *c);
  if (!c || !(c->decoder = decoder_create())) {
    free(c);
    return NULL;
  }
  c->patience = PATIENCE_US;
  t->counters.codecs++;
  return c;
}

void coder_put(struct tiers *t, struct line *l, const struct mixer_out *o, unsigned wanted) {
  if (!l->coder && !(l->coder = coder_create(t)))
    return;
  struct coder *c = l->coder;
  for (enum media_tier tier = TIER_LOW; tier < TIER_N; tier++)
    sound_want(t, l, tier, wanted & 1U << tier);
  if (!c->started) {
    c->started = true;
    c->next = o->seq;
    c->end = o->pos;
  }
  int32_t ahead = (int32_t)(o->seq - c->next);
  if (ahead < 0) {
    coder_late(c, t->now);
    return;
  }
  c->arrived = t->now;
  if (ahead >= WAITING) {
    coder_drain(t, l, true);
    coder_take(t, l, o);
    return;
  }
  kept_take(&c->waiting[o->seq % WAITING], o);
  c->waits[o->seq % WAITING] = true;
  coder_drain(t, l, false);
}

/* ---- time ---- */

us_t coder_next_timeout(const struct coder *c) {
  if (c->missing)
    return c->missing + c->patience;
  us_t length = (us_t)c->samples * US_PER_MS / AUDIO_MS(1);
  return collected(c) ? c->arrived + length + REST_US : US_NEVER;
}

void coder_timeout(struct tiers *t, struct line *l) {
  struct coder *c = l->coder;
  if (coder_next_timeout(c) > t->now)
    return;
  if (c->missing)
    coder_drain(t, l, false);
  else
    coder_rest(t, l, UINT64_MAX);
}

void coder_forget(struct coder *c) {
  if (!c->started)
    return;
  c->started = false;
  c->missing = 0;
  c->conceal = (struct conceal){0};
  memset(c->waits, 0, sizeof c->waits);
  memset(c->spoke, 0, sizeof c->spoke);
  decoder_reset(c->decoder);
  for (size_t i = 0; i < TIER_N - TIER_LOW; i++) {
    struct sound *s = &c->sound[i];
    s->len = 0;
    s->marker = true;
    if (s->encoder)
      encoder_reset(s->encoder); /* it holds the last milliseconds back */
  }
}

void coder_destroy(struct tiers *t, struct coder *c) {
  if (!c)
    return;
  for (size_t i = 0; i < TIER_N - TIER_LOW; i++) {
    t->counters.codecs -= c->sound[i].encoder != NULL;
    encoder_destroy(c->sound[i].encoder);
  }
  decoder_destroy(c->decoder);
  t->counters.codecs--;
  free(c);
}
