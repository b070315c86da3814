/* mixer_stream.c: one outgoing stream: whatever its source, its numbers go on without repeats. */
#include "core/server/mixer_private.h"

#include <assert.h>
#include <string.h>

#define GRAIN (AUDIO_MS(5) / 2) /* the shortest Opus frame: every length here is a multiple */
#define CELT_FRAME AUDIO_MS(5)  /* below 10 ms Opus has no SILK (RFC 6716 section 2.1.4) */

static void stream_emit(struct mixer *m, struct stream *s, struct mixer_out *out) {
  out->stream = s->id;
  out->marker = s->marker;
  s->marker = false;
  if (out->seq >= s->next_seq) {
    s->next_seq = out->seq + 1;
  }
  if (out->pos + out->samples > s->end) {
    s->end = out->pos + out->samples;
  }
  m->emit(m->ctx, out);
}

static void stream_map(struct stream *s, const struct talker *t, uint64_t ext, int64_t ts_to_pos) {
  s->spurt = t->spurt;
  s->first_ext = ext;
  s->first_seq = s->next_seq;
  s->ts_to_pos = ts_to_pos;
}

void stream_anchor(struct stream *s, const struct talker *t, uint64_t ext, int64_t ts) {
  stream_map(s, t, ext, (int64_t)s->end - ts);
}

void stream_forward(struct mixer *m, struct stream *s, const struct talker *t, const struct slot *p) {
  if (s->spurt != t->spurt) {
    int64_t room = p->ts + t->ts_to_pos;
    stream_map(s, t, p->ext, room > (int64_t)s->end ? t->ts_to_pos : (int64_t)s->end - p->ts);
  }
  int64_t pos = p->ts + s->ts_to_pos;
  if (p->ext < s->first_ext || pos < 0) {
    m->counters.dropped++; /* older than the change to this source */
    return;
  }
  struct mixer_out out = {.seq = s->first_seq + (uint32_t)(p->ext - s->first_ext),
                          .pos = (uint64_t)pos,
                          .samples = p->samples,
                          .payload = p->data,
                          .len = p->len,
                          .n_from = 1,
                          .from = {t->member},
                          .level = {t->level}};
  m->counters.forwarded++;
  stream_emit(m, s, &out);
}

/* Everyone in the mix but the one it is for. */
static void stream_credit(const struct mixer *m, const struct stream *s, struct mixer_out *out) {
  for (size_t i = 0; i < MIXER_TALKERS_MAX && out->n_from < MIXER_HEARD_MAX; i++) {
    const struct talker *t = m->talkers[i];
    if (t && t->live && t->mixed && t->member != s->id) {
      out->from[out->n_from] = t->member;
      out->level[out->n_from++] = t->level;
    }
  }
}

static size_t legal_size(size_t n) {
  static const size_t legal[] = {AUDIO_FRAME, AUDIO_MS(10), CELT_FRAME};
  for (size_t i = 0; i < 3; i++) {
    if (legal[i] <= n) {
      return legal[i];
    }
  }
  return GRAIN;
}

void lane_warm(struct lane *l, float *pcm, size_t n) {
  uint8_t bytes[AUDIO_PACKET_MAX];
  limiter_run(&l->limiter, pcm, n);
  for (size_t at = 0, size = 0; at + GRAIN <= n; at += size) {
    size = (n - at) % AUDIO_FRAME ? legal_size((n - at) % AUDIO_FRAME) : AUDIO_FRAME;
    (void)encoder_run(l->encoder, pcm + at, size, bytes, sizeof bytes);
  }
}

static void lane_drop(struct lane *l, size_t n) {
  assert(n <= l->held_len);
  l->held_len -= n;
  memmove(l->held, l->held + n, l->held_len * sizeof l->held[0]);
}

/* The first n samples held, as one packet. A decoder that comes from another past must not predict from it:
 * the first packet of CELT says all, and SILK begins afresh after frames so short that they are CELT. */
static void stream_packet(struct mixer *m, struct stream *s, size_t n, bool seam) {
  uint8_t bytes[AUDIO_PACKET_MAX];
  struct lane *l = s->lane;
  limiter_run(&l->limiter, l->held, n);
  int len = -1;
  if (l->seam && mix_is_celt(m)) {
    len = encoder_run_fresh(l->encoder, l->held, n, bytes, sizeof bytes);
  } else if (seam && !mix_is_celt(m)) {
    len = encoder_run_split(l->encoder, l->held, n, n < CELT_FRAME ? n : CELT_FRAME, bytes, sizeof bytes);
  }
  if (len <= 0) {
    len = encoder_run(l->encoder, l->held, n, bytes, sizeof bytes);
  }
  lane_drop(l, n);
  m->counters.encodes++;
  struct mixer_out out = {.seq = s->next_seq, .pos = s->end, .samples = (uint32_t)n, .mixed = true};
  if (len <= 0) {
    s->next_seq++; /* a fault of Opus looks like a lost packet */
    s->end += n;
    return;
  }
  out.payload = bytes;
  out.len = (size_t)len;
  stream_credit(m, s, &out);
  m->counters.mixed_frames++;
  stream_emit(m, s, &out);
}

/* The first LAG samples only push the lane's past out of it. */
static void lane_hold(struct lane *l, const float *pcm, size_t n) {
  assert(l->held_len + n <= sizeof l->held / sizeof l->held[0]);
  memcpy(l->held + l->held_len, pcm, n * sizeof pcm[0]);
  l->held_len += n;
  if (!l->primed && l->held_len >= LAG) {
    lane_warm(l, l->held, LAG);
    lane_drop(l, LAG);
    l->primed = l->seam = true;
  }
}

void stream_feed(struct mixer *m, struct stream *s, const float *pcm, size_t n) {
  if (!s->lane) {
    m->counters.dropped++; /* no memory for an encoder: silence, never a wrong sound */
    return;
  }
  lane_hold(s->lane, pcm, n);
  while (s->lane->primed && s->lane->held_len >= AUDIO_FRAME) {
    stream_packet(m, s, AUDIO_FRAME, s->lane->seam);
    s->lane->seam = false;
  }
}

void stream_finish(struct mixer *m, struct stream *s, const float *tail) {
  if (!s->lane) {
    return;
  }
  lane_hold(s->lane, tail, LAG);
  while (s->lane->held_len >= GRAIN) {
    stream_packet(m, s, legal_size(s->lane->held_len), true);
  }
}
