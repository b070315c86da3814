/* mixer_mix.c: the mix clock: every 20 ms one frame of everyone mixed, one encode for COMMON and one for each
 * mix-minus.
 *
 * Seams. An Opus encoder and the limiter together hold back LAG samples. Going to the mix, the COMMON encoder
 * is run over the end of what was forwarded and the first LAG samples after it (output thrown away), so its
 * first packet sounds from where the forwarded ones ended. Going back, LAG samples of mirrored sound push the
 * last real ones out of the encoder. So a mixed stretch lasts as long as the sound it stands for, and all its
 * packets are 20 ms long (some receivers know no other length) when the talker's fill such frames.
 *
 * A listener's SILK decoder predicts from its own output: fed by another encoder's history, a steady tone
 * bursts to three times its size. The packets next to a seam are therefore made of frames so short that Opus
 * codes them with CELT, after which a decoder starts SILK afresh (and cross-fades). */
#include "core/server/mixer_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TICK_US (20 * US_PER_MS)
#define START_US (10 * US_PER_MS) /* after the next packet is expected; a tick later one goes out */
#define PAUSE_US (40 * US_PER_MS) /* a talker that late is pausing, the mix does not wait for him */
#define STALL_US (200 * US_PER_MS)
#define KEEP_US (MIXER_KEEP_MS * US_PER_MS)
#define FADE AUDIO_MS(5)
#define GRACE_US (500 * US_PER_MS)
#define LOUDER_DB 6.0f
#define LOUDER_US (500 * US_PER_MS)
#define PRIORITY_DB ((float)SILENT_DBOV) /* who has it and speaks outdoes any voice without */

/* By log-spectral distance on two voices CELT at complexity 0 is as near to what went in (4.5 dB) as SILK at
 * 5 with LBRR (4.8 dB), for 15 us instead of 171; with LBRR, 0 is as near as 5 (4.7 dB) for 58. */
static const struct encoder_config *lane_config(const struct mixer *m) {
  static const struct encoder_config cheap = {.bitrate = 32000, .celt = true},
                                     lossy = {.bitrate = 32000, .loss_pct = 10};
  return mix_is_celt(m) ? &cheap : &lossy;
}

bool mix_is_celt(const struct mixer *m) {
  return !m->lossy || m->load > 0;
}

static void lanes_set(struct mixer *m) {
  for (size_t i = 0; m->mix && i < LANES; i++) {
    if (m->mix->lanes[i].encoder) {
      encoder_set(m->mix->lanes[i].encoder, lane_config(m));
    }
  }
}

void mixer_set_lossy(struct mixer *m, bool lossy) {
  if (m->lossy != lossy) {
    m->lossy = lossy;
    lanes_set(m);
  }
}

void mixer_set_load(struct mixer *m, unsigned load) {
  if (m->load != load) {
    m->load = load;
    lanes_set(m);
  }
}

static struct lane *lane_get(struct mixer *m) {
  struct lane *best = NULL;
  for (size_t i = 0; i < LANES; i++) {
    struct lane *l = &m->mix->lanes[i];
    if (!l->used && (!best || (l->encoder && !best->encoder))) {
      best = l;
    }
  }
  if (!best) {
    return NULL;
  }
  if (best->encoder) {
    encoder_reset(best->encoder);
  } else if (!(best->encoder = encoder_create(lane_config(m)))) {
    return NULL;
  } else {
    m->counters.codecs++;
  }
  best->limiter = (struct limiter){0};
  best->used = true;
  best->primed = best->seam = false;
  best->held_len = 0;
  return best;
}

void mix_stream_enter(struct mixer *m, struct stream *s) {
  s->lane = lane_get(m);
  s->running = false;
  s->heard = NULL;
  if (s->source == SOURCE_FORWARD && s->of && s->of->live && s != &m->common) {
    voice_feed(m, s->of, true);
    s->heard = s->of;
    s->heard_to = s->of->voice->consumed + s->of->voice->len;
  }
}

static void stream_catch_up(struct mixer *m, struct stream *s, size_t skip) {
  if (!s->running && s->end < m->mix->pos + skip) {
    s->end = m->mix->pos + skip;
  }
  s->running = true;
}

/* Push out what encoder and limiter hold back: the last n samples, in mix.out, are mirrored. */
static void mix_drain(struct mixer *m, struct stream *s, size_t n) {
  float tail[LAG];
  for (size_t i = 0; i < LAG; i++) {
    tail[i] = m->mix->out[n - 1 - (i < n ? i : n - 1)];
  }
  stream_finish(m, s, tail);
}

void mix_stream_leave(struct mixer *m, struct stream *s, struct talker *next, us_t now) {
  if (next && next->live && s != &m->common) {
    struct voice *v = next->voice;
    struct agc agc = v->agc;
    voice_feed(m, next, true);
    size_t at = s->heard == next && s->heard_to > v->consumed ? (size_t)(s->heard_to - v->consumed) : 0;
    bool sounded = s->running || at < v->len;
    stream_catch_up(m, s, 0);
    size_t n = AUDIO_FRAME;
    memcpy(m->mix->out, v->frame, sizeof v->frame);
    for (; at < v->len; at += n) {
      n = v->len - at < AUDIO_FRAME ? v->len - at : AUDIO_FRAME;
      memcpy(m->mix->out, v->fifo + at, n * sizeof v->fifo[0]);
      agc_run(&agc, m->mix->out, n, next->level < SILENT_DBOV);
      stream_feed(m, s, m->mix->out, n);
    }
    if (sounded) {
      mix_drain(m, s, n);
    }
    stream_anchor(s, next, v->next_ext, v->end_ts);
  }
  if (s->lane) {
    s->lane->used = false;
    s->lane->idle_since = now;
    s->lane = NULL;
  }
  s->heard = NULL;
}

bool mix_begin(struct mixer *m, us_t now, const struct talker *newcomer) {
  if (!m->mix && !(m->mix = calloc(1, sizeof *m->mix))) {
    return false;
  }
  struct mix *x = m->mix;
  struct talker *a = m->common.source == SOURCE_FORWARD ? m->common.of : NULL;
  us_t next = a ? a->last_packet + (us_t)a->high_samples * US_PER_MS / AUDIO_MS(1) : now;
  bool on = a && now <= next + PAUSE_US;
  uint64_t arrival = (uint64_t)now * AUDIO_MS(1) / US_PER_MS;
  x->pos = m->common.end;
  if (!on && arrival > x->pos) {
    x->pos += (arrival - x->pos + AUDIO_FRAME - 1) / AUDIO_FRAME * AUDIO_FRAME;
  }
  x->due = on ? (next > now ? next : now) + START_US : now + TICK_US;
  x->seam = NULL;
  x->warm_len = 0;
  for (size_t i = 0; i < MIXER_TALKERS_MAX; i++) {
    struct talker *t = m->talkers[i];
    if (!t || !t->active) {
      continue;
    }
    bool warm = on && t == a;
    if (voice_start(m, t, t == newcomer ? t->first_ext : t->high + 1, warm ? x->warm : NULL, WARM_SAMPLES,
                    &x->warm_len) &&
        warm) {
      t->voice->gain = t->voice->scale = 1.0f; /* as he was forwarded */
      x->seam = t;
    }
  }
  m->mixing = true;
  m->counters.seams++;
  return true;
}

/* The COMMON encoder hears the end of what was forwarded. */
static void seam_warm(struct mixer *m) {
  struct mix *x = m->mix;
  if (x->seam && x->seam->live && m->common.lane) {
    lane_warm(m->common.lane, x->warm, x->warm_len);
  }
  x->seam = NULL;
}

static float factor(float db) {
  return powf(10.0f, db / 20.0f);
}

float mix_scale(const struct mixer *m, const struct talker *t) {
  bool ducked = false;
  for (size_t i = 0; i < MIXER_TALKERS_MAX && !t->priority; i++) {
    const struct talker *o = m->talkers[i];
    ducked |= o && o->active && o->mixed && o->priority;
  }
  return factor((float)(t->gain_db - (ducked ? MIXER_DUCK_DB : 0)));
}

/* The present frame at the loudness due; it gets there in a straight line of 20 ms. */
static void voice_scale(struct voice *v, float due, size_t n) {
  float to = n < AUDIO_FRAME ? v->scale + (due - v->scale) * (float)n / AUDIO_FRAME : due;
  float step = (to - v->scale) / (float)n;
  for (size_t i = 0; i < n; i++) {
    v->frame[i] *= v->scale + step * (float)i;
  }
  v->scale = to;
}

/* One more frame of t, levelled: by the host's order, or else by the automatic gain. */
static void talker_frame(struct mixer *m, struct talker *t, size_t n) {
  struct voice *v = t->voice;
  voice_pull(m, t, v->frame, n);
  uint8_t level = level_dbov(v->frame, n);
  float db = -(float)level;
  t->score += (db - t->score) * (db > t->score ? 0.5f : 0.05f);
  if (t->gain_db == 0) {
    agc_run(&v->agc, v->frame, n, level < SILENT_DBOV);
  } else { /* the order takes over from where the automatic gain was */
    v->scale *= factor(v->agc.gain_db);
    v->agc = (struct agc){0};
  }
  voice_scale(v, mix_scale(m, t), n);
  v->from = v->gain;
  v->gain = t->active && t->mixed ? 1.0f : 0.0f;
}

/* sum += sign * his part */
static void talker_add(float *sum, const struct talker *t, size_t n, float sign) {
  const struct voice *v = t->voice;
  size_t ramp = n < FADE ? n : FADE;
  if (v->from > 0.0f || v->gain > 0.0f) {
    mix_add(sum, v->frame, ramp, sign * v->from, sign * v->gain);
    mix_add(sum + ramp, v->frame + ramp, n - ramp, sign * v->gain, sign * v->gain);
  }
}

static void mix_sum(struct mixer *m, size_t n) {
  memset(m->mix->sum, 0, sizeof m->mix->sum);
  for (size_t i = 0; i < MIXER_TALKERS_MAX; i++) {
    struct talker *t = m->talkers[i];
    if (t && t->live) {
      talker_add(m->mix->sum, t, n, 1.0f);
    }
  }
}

static void mix_gather(struct mixer *m, size_t n) {
  for (size_t i = 0; i < MIXER_TALKERS_MAX; i++) {
    struct talker *t = m->talkers[i];
    if (t && t->live) {
      talker_frame(m, t, n);
    }
  }
  mix_sum(m, n);
}

static void mix_minus(struct mixer *m, const struct talker *owner, size_t n) {
  memcpy(m->mix->out, m->mix->sum, sizeof m->mix->out);
  if (owner && owner->live) {
    talker_add(m->mix->out, owner, n, -1.0f);
  }
}

static void mix_render(struct mixer *m, struct stream *s, const struct talker *owner, size_t n) {
  if (s->source != SOURCE_MIX || (!s->lane && !(s->lane = lane_get(m)))) {
    return; /* all lanes are in use while places change hands: a frame later one is free */
  }
  mix_minus(m, owner, n);
  size_t skip = 0;
  if (s->heard && s->heard->live) {
    uint64_t at = s->heard->voice->consumed - n;
    skip = s->heard_to <= at ? 0 : s->heard_to - at < n ? (size_t)(s->heard_to - at) : n;
    if (skip < n) {
      s->heard = NULL;
    }
    lane_warm(s->lane, m->mix->out, skip);
  }
  if (skip < n) {
    stream_catch_up(m, s, skip);
    stream_feed(m, s, m->mix->out + skip, n - skip);
  }
}

void mix_tick(struct mixer *m, us_t now) {
  struct mix *x = m->mix;
  x->due = now - x->due > STALL_US ? now + TICK_US : x->due + TICK_US;
  mix_select(m, now);
  mixer_route(m, now);
  seam_warm(m);
  mix_gather(m, AUDIO_FRAME);
  mix_render(m, &m->common, NULL, AUDIO_FRAME);
  for (size_t i = 0; i < MIXER_TALKERS_MAX; i++) {
    struct talker *t = m->talkers[i];
    if (t && t->active) {
      mix_render(m, &t->out, t, AUDIO_FRAME);
    }
  }
  x->pos += AUDIO_FRAME;
  for (size_t i = 0; i < MIXER_TALKERS_MAX; i++) {
    struct talker *t = m->talkers[i];
    if (t && t->live) {
      voice_trim(t->voice);
      t->live = t->active;
    }
  }
}

/* What is held of the one who speaks on. */
static void mix_flush(struct mixer *m, const struct talker *last) {
  struct mix *x = m->mix;
  size_t n = AUDIO_FRAME;
  seam_warm(m);
  while (last->voice->len > 0) {
    n = last->voice->len < AUDIO_FRAME ? last->voice->len : AUDIO_FRAME;
    mix_gather(m, n);
    mix_render(m, &m->common, NULL, n);
    x->pos += n;
  }
  if (m->common.running) {
    mix_minus(m, NULL, n); /* what was rendered last may be a talker's own stream */
    mix_drain(m, &m->common, n);
  }
}

void mix_end(struct mixer *m, us_t now) {
  struct talker *last = NULL;
  for (size_t i = 0; i < MIXER_TALKERS_MAX; i++) {
    struct talker *t = m->talkers[i];
    last = t && t->live && t->active ? t : last;
  }
  if (last) { /* with nobody left, what is held is the silence of the hold time */
    voice_feed(m, last, true);
    mix_flush(m, last);
    stream_anchor(&m->common, last, last->voice->next_ext, last->voice->end_ts);
    last->ts_to_pos = m->common.ts_to_pos;
  }
  for (size_t i = 0; i < MIXER_TALKERS_MAX; i++) {
    if (m->talkers[i]) {
      m->talkers[i]->live = false;
    }
  }
  m->mixing = false;
  m->mix->ended = now;
  m->counters.seams++;
}

void mix_purge(struct mixer *m) {
  if (!m->mixing) {
    return;
  }
  mix_sum(m, AUDIO_FRAME);
  for (size_t i = 0; i <= MIXER_TALKERS_MAX; i++) {
    struct talker *owner = i < MIXER_TALKERS_MAX ? m->talkers[i] : NULL;
    struct lane *l = owner ? owner->out.lane : i == MIXER_TALKERS_MAX ? m->common.lane : NULL;
    if (l) {
      mix_minus(m, owner, AUDIO_FRAME);
      size_t sent = AUDIO_FRAME - l->held_len;
      memcpy(l->held, m->mix->out + sent, l->held_len * sizeof l->held[0]);
      encoder_reset(l->encoder);
      l->limiter = (struct limiter){0};
      l->seam = true; /* listeners still predict from what it forgets */
      lane_warm(l, m->mix->out, sent);
    }
  }
}

static float rank(const struct talker *t) {
  return t->score + (t->priority ? PRIORITY_DB : 0.0f);
}

/* The loudest without a place, and the quietest with one. */
static size_t select_rank(const struct mixer *m, struct talker **loudest, struct talker **quietest) {
  size_t places = 0;
  *loudest = *quietest = NULL;
  for (size_t i = 0; i < MIXER_TALKERS_MAX; i++) {
    struct talker *t = m->talkers[i];
    if (!t || !t->active) {
      continue;
    }
    places += t->slotted;
    if (t->slotted && (!*quietest || rank(t) < rank(*quietest))) {
      *quietest = t;
    } else if (!t->slotted && (!*loudest || rank(t) > rank(*loudest))) {
      *loudest = t;
    }
  }
  return places;
}

static void select_places(struct mixer *m, us_t now) {
  struct talker *loudest, *quietest;
  size_t most = MIXER_MIXED - m->load;
  while (select_rank(m, &loudest, &quietest) < most && loudest) {
    loudest->slotted = true;
    loudest->louder_since = 0;
  }
  while (select_rank(m, &loudest, &quietest) > most) {
    quietest->slotted = false; /* the load has risen */
  }
  if (!loudest || !quietest) {
    return;
  }
  if (rank(loudest) <= rank(quietest) + LOUDER_DB) {
    loudest->louder_since = 0;
  } else if (loudest->louder_since == 0) {
    loudest->louder_since = now;
  } else if (now - loudest->louder_since >= LOUDER_US) {
    loudest->slotted = true;
    loudest->louder_since = 0;
    quietest->slotted = false;
  }
}

void mix_select(struct mixer *m, us_t now) {
  struct talker *grace = NULL;
  select_places(m, now);
  for (size_t i = 0; i < MIXER_TALKERS_MAX; i++) {
    struct talker *t = m->talkers[i];
    if (t) {
      t->mixed = t->active && t->slotted;
      if (t->active && !t->slotted && now - t->joined < GRACE_US && (!grace || t->joined > grace->joined)) {
        grace = t;
      }
    }
  }
  if (grace) {
    grace->mixed = true;
  }
}

static void lane_free(struct mixer *m, struct lane *l) {
  if (l->encoder) {
    encoder_destroy(l->encoder);
    l->encoder = NULL;
    m->counters.codecs--;
  }
}

void mix_destroy(struct mixer *m) {
  for (size_t i = 0; m->mix && i < LANES; i++) {
    lane_free(m, &m->mix->lanes[i]);
  }
  free(m->mix);
  m->mix = NULL;
}

void mix_sweep(struct mixer *m, us_t now) {
  if (m->mix && !m->mixing && now - m->mix->ended >= KEEP_US) {
    mix_destroy(m);
  }
  for (size_t i = 0; m->mix && i < LANES; i++) {
    struct lane *l = &m->mix->lanes[i];
    if (!l->used && now - l->idle_since >= KEEP_US) {
      lane_free(m, l);
    }
  }
}

us_t mix_next_sweep(const struct mixer *m) {
  us_t next = m->mix && !m->mixing ? m->mix->ended + KEEP_US : US_NEVER;
  for (size_t i = 0; m->mix && i < LANES; i++) {
    const struct lane *l = &m->mix->lanes[i];
    if (l->encoder && !l->used && l->idle_since + KEEP_US < next) {
      next = l->idle_since + KEEP_US;
    }
  }
  return next;
}
