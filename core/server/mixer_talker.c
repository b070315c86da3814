/* mixer_talker.c: one talker: RTP numbers made whole, packets put in order, decoded into a short FIFO from
 * which the mix clock pulls. The FIFO needs no positions: a late packet is simply played later, a surplus is
 * dropped in quiet. */
#include "core/server/mixer_private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define GRAIN CONCEAL_GRAIN
#define FADE AUDIO_MS(5)
#define WINDOW_TICKS 25 /* half a second */
#define CALM_TICKS 250  /* 5 s without loss: the frame of delay that LBRR needs may go */
#define QUIET_DBOV 50
#define KEPT 3 /* packets that warm a decoder */

struct talker *talker_create(const struct mixer *m, uint32_t member) {
  struct talker *t = calloc(1, sizeof *t);
  if (t) {
    t->member = member;
    t->level = 127;
    t->out = (struct stream){.id = member, .next_seq = m->old_seq, .end = m->old_pos, .marker = true};
  }
  return t;
}

void talker_destroy(struct mixer *m, struct talker *t) {
  if (t && t->voice) {
    decoder_destroy(t->voice->decoder);
    m->counters.codecs--;
    free(t->voice);
  }
  free(t);
}

/* A talkspurt starts where he is on the arrival clock, after all that was sent, on the grid of what was sent.
 */
static void spurt_begin(struct mixer *m, struct talker *t, us_t now, const struct mixer_in *in) {
  uint64_t start = m->common.end;
  uint64_t arrival = (uint64_t)now * AUDIO_MS(1) / US_PER_MS;
  if (arrival > start) {
    start += (arrival - start + AUDIO_FRAME - 1) / AUDIO_FRAME * AUDIO_FRAME;
  }
  t->spurt = ++m->spurts;
  t->first_ext = t->high = UINT64_C(65536) + in->seq;
  t->high_ts = t->floor_ts = in->ts;
  t->high_samples = 0;
  t->ts_to_pos = (int64_t)start - in->ts;
  for (size_t i = 0; i < RING; i++) {
    t->ring[i].ext = 0;
  }
  if (t->live) {
    t->voice->next_ext = t->first_ext;
    t->voice->end_ts = in->ts;
  }
}

/* Neither seen before nor overlapping its neighbours: so positions on a stream can never repeat. */
static bool ring_fits(const struct talker *t, uint64_t ext, int64_t ts, uint32_t samples) {
  if (ext < t->first_ext || ts < t->floor_ts) {
    return false;
  }
  for (size_t i = 0; i < RING; i++) {
    const struct slot *s = &t->ring[i];
    if (s->ext != 0 && (s->ext == ext || (s->ext < ext && s->ts + s->samples > ts) ||
                        (s->ext > ext && ts + samples > s->ts))) {
      return false;
    }
  }
  return true;
}

struct slot *talker_accept(struct mixer *m, struct talker *t, us_t now, const struct mixer_in *in,
                           uint32_t samples) {
  int step = (int16_t)(uint16_t)(in->seq - (uint16_t)t->high);
  int64_t ts = t->high_ts + (int32_t)(in->ts - (uint32_t)t->high_ts);
  int64_t end = t->high_ts + t->high_samples;
  if (t->spurt == 0 || step > JUMP_SEQ || step < -JUMP_SEQ ||
      (step > 0 && (ts < end || ts > end + AUDIO_RATE))) {
    spurt_begin(m, t, now, in);
    step = 0;
    ts = in->ts;
  }
  uint64_t ext = t->high + (uint64_t)(int64_t)step;
  if (step <= -RING || !ring_fits(t, ext, ts, samples)) {
    return NULL;
  }
  struct slot *s = &t->ring[ext % RING];
  if (s->ext != 0 && s->ts + s->samples > t->floor_ts) {
    t->floor_ts = s->ts + s->samples;
  }
  *s = (struct slot){.ext = ext, .ts = ts, .samples = samples, .len = in->len};
  memcpy(s->data, in->payload, in->len);
  if (ext >= t->high) {
    t->high = ext;
    t->high_ts = ts;
    t->high_samples = samples;
  }
  return s;
}

static bool voice_ensure(struct mixer *m, struct talker *t) {
  if (!t->voice) {
    struct voice *v = calloc(1, sizeof *v);
    if (!v || !(v->decoder = decoder_create())) {
      free(v);
      return false;
    }
    t->voice = v;
    m->counters.codecs++;
  }
  return true;
}

bool talker_listen(struct mixer *m, struct talker *t, const struct mixer_in *in) {
  float pcm[AUDIO_FRAME_MAX];
  if (opus_is_dtx(in->payload, in->len) || !voice_ensure(m, t)) {
    return false;
  }
  m->counters.decodes++;
  int n = decoder_run(t->voice->decoder, in->payload, in->len, pcm);
  if (n <= 0) {
    return false;
  }
  t->level = level_dbov(pcm, (size_t)n);
  return vad_feed(&t->voice->vad, pcm, (size_t)n, 0);
}

static void fifo_drop(struct voice *v, size_t n) {
  assert(n <= v->len);
  v->len -= n;
  v->consumed += n;
  memmove(v->fifo, v->fifo + n, v->len * sizeof v->fifo[0]);
}

static void fifo_add(struct voice *v, const float *pcm, size_t n) {
  if (v->len + n > FIFO_CAP) {
    fifo_drop(v, v->len + n - FIFO_CAP);
  }
  memcpy(v->fifo + v->len, pcm, n * sizeof pcm[0]);
  v->len += n;
}

/* The packet as sound, or concealment of its length when Opus refuses it. */
static size_t voice_decode(struct mixer *m, struct voice *v, const struct slot *s, float *pcm) {
  m->counters.decodes++;
  int n = decoder_run(v->decoder, s->data, s->len, pcm);
  if (n > 0) {
    conceal_end(&v->conceal, pcm, (size_t)n);
  } else {
    n = (int)s->samples;
    conceal_more(&v->conceal, v->decoder, pcm, s->samples);
  }
  v->next_ext = s->ext + 1;
  v->end_ts = s->ts + s->samples;
  v->last_samples = s->samples;
  return (size_t)n;
}

bool voice_start(struct mixer *m, struct talker *t, uint64_t ext, float *warm, size_t cap, size_t *warm_len) {
  float pcm[AUDIO_FRAME_MAX];
  if (!voice_ensure(m, t)) {
    return false;
  }
  struct voice *v = t->voice;
  decoder_reset(v->decoder);
  v->agc = (struct agc){0};
  v->conceal = (struct conceal){0};
  v->consumed = v->low_ticks = v->excess = v->len = 0;
  v->calm_ticks = CALM_TICKS;
  v->low = FIFO_CAP;
  v->gain = 0.0f;
  v->scale = mix_scale(m, t);
  v->end_ts = t->high_ts;
  v->last_samples = t->high_samples;
  memset(v->frame, 0, sizeof v->frame);
  for (uint64_t e = ext - KEPT; e < ext; e++) {
    const struct slot *s = &t->ring[e % RING];
    if (s->ext != e) {
      continue;
    }
    size_t n = voice_decode(m, v, s, pcm), keep = n < cap ? n : cap;
    if (warm) {
      size_t drop = *warm_len + keep > cap ? *warm_len + keep - cap : 0;
      memmove(warm, warm + drop, (*warm_len - drop) * sizeof warm[0]);
      *warm_len -= drop;
      memcpy(warm + *warm_len, pcm + n - keep, keep * sizeof warm[0]);
      *warm_len += keep;
    }
  }
  v->next_ext = ext;
  t->live = true;
  return true;
}

/* Lost packets before s: LBRR for the last of them, concealment for the rest, less what was concealed
 * already. When LBRR comes too late its sound is played all the same: the delay grows by that frame, and the
 * next loss finds it in time. */
static void voice_bridge(struct mixer *m, struct voice *v, const struct slot *s) {
  float pcm[AUDIO_FRAME_MAX];
  int64_t gap = s->ts - v->end_ts;
  if (s->ext == v->next_ext || gap <= 0) {
    return; /* nothing lost; a step of the timestamp alone is a pause he made (DTX) */
  }
  size_t fill = gap > AUDIO_FRAME_MAX ? AUDIO_FRAME_MAX : (size_t)gap / GRAIN * GRAIN;
  size_t n = fill > v->conceal.made ? fill - v->conceal.made : 0;
  if (n < v->last_samples && v->last_samples <= fill && opus_has_fec(s->data, s->len)) {
    n = v->last_samples;
  }
  m->counters.decodes += conceal_before(&v->conceal, v->decoder, s->data, s->len, v->last_samples, pcm, n);
  fifo_add(v, pcm, n);
  v->calm_ticks = 0;
}

static const struct slot *ring_next(const struct talker *t) {
  const struct slot *best = NULL;
  for (size_t i = 0; i < RING; i++) {
    const struct slot *s = &t->ring[i];
    if (s->ext != 0 && s->ext >= t->voice->next_ext && (!best || s->ext < best->ext)) {
      best = s;
    }
  }
  return best;
}

static bool voice_take(struct mixer *m, struct talker *t, bool over_gap) {
  float pcm[AUDIO_FRAME_MAX];
  struct voice *v = t->voice;
  const struct slot *s = ring_next(t);
  if (!s || (s->ext != v->next_ext && !over_gap)) {
    return false;
  }
  voice_bridge(m, v, s);
  size_t n = voice_decode(m, v, s, pcm);
  t->level = level_dbov(pcm, n);
  if (t->verify) {
    (void)vad_feed(&v->vad, pcm, n, 0);
  }
  fifo_add(v, pcm, n);
  return true;
}

void voice_feed(struct mixer *m, struct talker *t, bool all) {
  bool crowded = t->high >= t->voice->next_ext + RING - 2; /* a gap must not outlive the ring */
  while (voice_take(m, t, all || crowded)) {
  }
}

static void voice_conceal(struct voice *v, size_t n) {
  float pcm[AUDIO_FRAME];
  assert(n <= AUDIO_FRAME);
  conceal_more(&v->conceal, v->decoder, pcm, n);
  fifo_add(v, pcm, n);
}

void voice_pull(struct mixer *m, struct talker *t, float *pcm, size_t n) {
  struct voice *v = t->voice;
  while (v->len < n && voice_take(m, t, true)) {
  }
  if (v->len < n) {
    voice_conceal(v, n - v->len);
  }
  memcpy(pcm, v->fifo, n * sizeof pcm[0]);
  fifo_drop(v, n);
}

void voice_trim(struct voice *v) {
  v->low = v->len < v->low ? v->len : v->low;
  v->calm_ticks++;
  if (++v->low_ticks >= WINDOW_TICKS) {
    v->excess = v->low;
    v->low = FIFO_CAP;
    v->low_ticks = 0;
  }
  bool quiet = level_dbov(v->frame, AUDIO_FRAME) > QUIET_DBOV;
  size_t spare = quiet && v->calm_ticks >= CALM_TICKS ? AUDIO_FRAME : 2 * AUDIO_FRAME;
  if (v->excess < spare || v->len < AUDIO_FRAME + FADE) {
    return;
  }
  for (size_t i = 0; i < FADE; i++) { /* from what would have come next to what comes a frame later */
    float in = (float)i / FADE;
    v->fifo[AUDIO_FRAME + i] = v->fifo[i] * (1.0f - in) + v->fifo[AUDIO_FRAME + i] * in;
  }
  fifo_drop(v, AUDIO_FRAME);
  v->excess -= AUDIO_FRAME;
  v->low -= v->low < FIFO_CAP ? AUDIO_FRAME : 0;
}
