/* mixer.c: who is active, what each stream carries, and when to look again. */
#include "core/room/room.h"
#include "core/server/mixer_private.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>

#define HOLD_US (MIXER_HOLD_MS * US_PER_MS)
#define KEEP_US (MIXER_KEEP_MS * US_PER_MS)
#define STEPS_MAX 64 /* of one timeout call: a stalled caller is not made to stall longer */

struct mixer *mixer_create(mixer_emit *emit, void *ctx) {
  assert(emit);
  struct mixer *m = calloc(1, sizeof *m);
  if (m) {
    m->emit = emit;
    m->ctx = ctx;
    m->common.marker = true;
    m->ears = UINT_MAX;
  }
  return m;
}

static struct talker *talker_find(const struct mixer *m, uint32_t member) {
  for (size_t i = 0; i < MIXER_TALKERS_MAX; i++) {
    if (m->talkers[i] && m->talkers[i]->member == member) {
      return m->talkers[i];
    }
  }
  return NULL;
}

static size_t active_count(const struct mixer *m) {
  size_t n = 0;
  for (size_t i = 0; i < MIXER_TALKERS_MAX; i++) {
    n += m->talkers[i] && m->talkers[i]->active;
  }
  return n;
}

/* An active talker other than `than`. */
static struct talker *active_other(const struct mixer *m, const struct talker *than) {
  for (size_t i = 0; i < MIXER_TALKERS_MAX; i++) {
    if (m->talkers[i] && m->talkers[i]->active && m->talkers[i] != than) {
      return m->talkers[i];
    }
  }
  return NULL;
}

/* What he sends may be forwarded as it is. */
static bool talker_plain(const struct mixer *m, const struct talker *t) {
  return mix_scale(m, t) == 1.0f && (!t->live || t->voice->scale == 1.0f);
}

/* Whether nobody would hear the mix: two talk to each other, and both can be forwarded. */
static bool mix_for_nobody(const struct mixer *m) {
  unsigned hear = 0;
  for (size_t i = 0; i < MIXER_TALKERS_MAX; i++) {
    const struct talker *t = m->talkers[i];
    if (t && t->active) {
      hear += t->hears;
      if (!talker_plain(m, t)) {
        return false;
      }
    }
  }
  return hear >= m->ears;
}

static bool mix_wanted(const struct mixer *m) {
  size_t n = active_count(m);
  if (n == 2 && !m->mixing && mix_for_nobody(m)) {
    return false;
  }
  return n > 1 || (n == 1 && !talker_plain(m, active_other(m, NULL)));
}

static void route_stream(struct mixer *m, struct stream *s, enum source source, struct talker *of, us_t now) {
  if (s->source == source && s->of == of) {
    return;
  }
  if (source == SOURCE_MIX) {
    mix_stream_enter(m, s);
    s->spurt = 0;
  } else if (s->source == SOURCE_MIX) {
    mix_stream_leave(m, s, of, now);
  } else {
    s->spurt = 0; /* the next packet is mapped anew */
  }
  s->marker |= source == SOURCE_NONE;
  s->source = source;
  s->of = of;
}

void mixer_route(struct mixer *m, us_t now) {
  size_t n = active_count(m);
  struct talker *alone = n == 1 && !m->mixing ? active_other(m, NULL) : NULL;
  if (alone && !talker_plain(m, alone)) {
    alone = NULL; /* no memory to mix */
  }
  enum source common = alone ? SOURCE_FORWARD : m->mixing ? SOURCE_MIX : SOURCE_NONE;
  route_stream(m, &m->common, common, alone, now);
  for (size_t i = 0; i < MIXER_TALKERS_MAX; i++) {
    struct talker *t = m->talkers[i];
    if (!t) {
      continue;
    }
    struct talker *partner = t->active && n == 2 ? active_other(m, t) : NULL;
    if (partner && talker_plain(m, partner)) {
      route_stream(m, &t->out, SOURCE_FORWARD, partner, now);
    } else {
      bool mix = t->mixed && n > 1 && m->mixing;
      route_stream(m, &t->out, mix ? SOURCE_MIX : SOURCE_NONE, NULL, now);
    }
  }
}

/* After the set of active talkers or their loudness changed. Without memory to mix the room is silent until
 * one speaks alone. */
static void mixer_settle(struct mixer *m, us_t now, struct talker *newcomer) {
  bool wanted = mix_wanted(m);
  if (wanted && !m->mixing) {
    (void)mix_begin(m, now, newcomer);
  } else if (!wanted && m->mixing) {
    mix_end(m, now);
  } else if (m->mixing && newcomer) {
    (void)voice_start(m, newcomer, newcomer->first_ext, NULL, 0, NULL);
  }
  mix_select(m, now);
  mixer_route(m, now);
}

static void stream_forget(struct stream *s, const struct talker *t) {
  if (s->of == t) {
    s->of = NULL;
    s->source = SOURCE_NONE;
    s->spurt = 0;
    s->marker = true;
  }
  if (s->heard == t) {
    s->heard = NULL;
  }
}

static void talker_forget(struct mixer *m, size_t at, us_t now) {
  struct talker *t = m->talkers[at];
  m->talkers[at] = NULL;
  stream_forget(&m->common, t);
  for (size_t i = 0; i < MIXER_TALKERS_MAX; i++) {
    if (m->talkers[i]) {
      stream_forget(&m->talkers[i]->out, t);
    }
  }
  if (m->mix && m->mix->seam == t) {
    m->mix->seam = NULL;
  }
  mix_stream_leave(m, &t->out, NULL, now);
  m->old_seq = t->out.next_seq > m->old_seq ? t->out.next_seq : m->old_seq;
  m->old_pos = t->out.end > m->old_pos ? t->out.end : m->old_pos;
  talker_destroy(m, t);
}

/* A place for a new member: a free one, or that of whoever has been quiet for longest. */
static struct talker *talker_admit(struct mixer *m, us_t now, uint32_t member) {
  size_t best = MIXER_TALKERS_MAX;
  for (size_t i = 0; i < MIXER_TALKERS_MAX; i++) {
    const struct talker *t = m->talkers[i];
    if (!t) {
      best = i;
      break;
    }
    if (!t->active && !t->live &&
        (best == MIXER_TALKERS_MAX || t->last_packet < m->talkers[best]->last_packet)) {
      best = i;
    }
  }
  if (best == MIXER_TALKERS_MAX) {
    return NULL;
  }
  if (m->talkers[best]) {
    talker_forget(m, best, now);
  }
  return m->talkers[best] = talker_create(m, member);
}

static void talker_activate(struct talker *t, us_t now) {
  t->active = true;
  t->slotted = t->confirmed = false;
  t->spurt = 0;
  t->joined = t->last_voice = now;
  t->louder_since = 0;
  t->score = -(float)t->level;
}

static void talker_send(struct mixer *m, const struct talker *t, const struct slot *p) {
  if (m->common.source == SOURCE_FORWARD && m->common.of == t) {
    stream_forward(m, &m->common, t, p);
  }
  for (size_t i = 0; i < MIXER_TALKERS_MAX; i++) {
    struct talker *to = m->talkers[i];
    if (to && to->out.source == SOURCE_FORWARD && to->out.of == t) {
      stream_forward(m, &to->out, t, p);
    }
  }
}

/* The packet of a talker who is active, or becomes so with it. */
static void talker_put(struct mixer *m, us_t now, struct talker *t, const struct mixer_in *in, bool voice,
                       uint32_t samples) {
  bool newcomer = !t->active;
  if (newcomer) {
    talker_activate(t, now);
  }
  const struct slot *p = talker_accept(m, t, now, in, samples);
  if (!p) {
    m->counters.dropped++;
    return;
  }
  if (newcomer) {
    mixer_settle(m, now, t);
  }
  if (t->live) {
    voice_feed(m, t, false);
    voice = t->verify ? t->voice->vad.voice : voice && t->level < SILENT_DBOV;
  }
  t->confirmed |= voice;
  t->last_voice = voice ? now : t->last_voice;
  talker_send(m, t, p);
}

static void talker_set(struct mixer *m, us_t now, struct talker *t, const struct mixer_in *in) {
  if (t->gain_db == in->gain_db && t->priority == in->priority && t->hears == in->hears) {
    return;
  }
  t->hears = in->hears;
  t->gain_db = in->gain_db;
  t->priority = in->priority;
  if (t->active) {
    mixer_settle(m, now, NULL);
  }
}

void mixer_put(struct mixer *m, us_t now, const struct mixer_in *in) {
  assert(in->member != 0 && in->gain_db >= ROOM_GAIN_MIN_DB && in->gain_db <= ROOM_GAIN_MAX_DB);
  int samples = in->len <= PACKET_MAX ? opus_packet_samples(in->payload, in->len) : -1;
  if (samples <= 0) {
    m->counters.dropped++;
    return;
  }
  mixer_handle_timeout(m, now);
  bool dtx = opus_is_dtx(in->payload, in->len);
  bool voice = in->has_level && !dtx && (in->voice || in->level < SILENT_DBOV);
  struct talker *t = talker_find(m, in->member);
  if (!t && !voice && (in->has_level || dtx)) {
    return; /* the refresh of someone silent needs no state */
  }
  if (!t && !(t = talker_admit(m, now, in->member))) {
    m->counters.dropped++;
    return;
  }
  talker_set(m, now, t, in);
  t->verify |= !in->has_level;
  if (!(t->live && t->active)) {
    if (t->verify) {
      voice = talker_listen(m, t, in);
    } else {
      t->level = in->level;
    }
  }
  if (t->active || voice || (t->verify && !dtx)) {
    t->last_packet = now; /* the refresh of someone silent keeps no state alive */
  }
  if (t->active || voice) {
    talker_put(m, now, t, in, voice, (uint32_t)samples);
  }
}

void mixer_set_ears(struct mixer *m, us_t now, unsigned n) {
  bool more = n > m->ears;
  m->ears = n;
  if (more && !m->mixing && active_count(m) > 1) {
    mixer_settle(m, now, NULL);
  }
}

void mixer_silence(struct mixer *m, us_t now, uint32_t member) {
  for (size_t i = 0; i < MIXER_TALKERS_MAX; i++) {
    struct talker *t = m->talkers[i];
    if (t && t->member == member) {
      bool live = t->live;
      talker_forget(m, i, now);
      if (live) {
        mix_purge(m);
      }
      mixer_settle(m, now, NULL);
      return;
    }
  }
}

/* A claim that decoding never confirmed is not believed again. */
static void mixer_expire(struct mixer *m, us_t now) {
  bool changed = false;
  for (size_t i = 0; i < MIXER_TALKERS_MAX; i++) {
    struct talker *t = m->talkers[i];
    if (t && t->active && now - t->last_voice >= HOLD_US) {
      t->active = t->slotted = t->mixed = false;
      t->verify |= t->live && !t->confirmed;
      t->spurt = 0;
      changed = true;
    }
  }
  if (changed) {
    mixer_settle(m, now, NULL);
  }
}

static void mixer_sweep(struct mixer *m, us_t now) {
  for (size_t i = 0; i < MIXER_TALKERS_MAX; i++) {
    const struct talker *t = m->talkers[i];
    if (t && !t->active && !t->live && now - t->last_packet >= KEEP_US) {
      talker_forget(m, i, now);
    }
  }
  mix_sweep(m, now);
}

void mixer_handle_timeout(struct mixer *m, us_t now) {
  for (int i = 0; i < STEPS_MAX && mixer_next_timeout(m) <= now; i++) {
    if (m->mixing && m->mix->due <= now) {
      mix_tick(m, now);
      if (!mix_wanted(m)) {
        mixer_settle(m, now, NULL); /* the last one is back at his own loudness */
      }
    }
    mixer_expire(m, now);
    mixer_sweep(m, now);
  }
}

us_t mixer_next_timeout(const struct mixer *m) {
  us_t next = mix_next_sweep(m);
  if (m->mixing && m->mix->due < next) {
    next = m->mix->due;
  }
  for (size_t i = 0; i < MIXER_TALKERS_MAX; i++) {
    const struct talker *t = m->talkers[i];
    us_t at = !t || (t->live && !t->active) ? US_NEVER
              : t->active                   ? t->last_voice + HOLD_US
                                            : t->last_packet + KEEP_US;
    next = at < next ? at : next;
  }
  return next;
}

uint32_t mixer_stream_of(const struct mixer *m, uint32_t member) {
  const struct talker *t = talker_find(m, member);
  return t && t->active && t->mixed ? member : 0;
}

size_t mixer_levels(const struct mixer *m, uint32_t *members, uint8_t *levels, size_t max) {
  size_t n = 0;
  for (size_t i = 0; i < MIXER_TALKERS_MAX && n < max; i++) {
    const struct talker *t = m->talkers[i];
    if (t && t->active && t->mixed) {
      members[n] = t->member;
      levels[n++] = t->level;
    }
  }
  return n;
}

void mixer_counters(const struct mixer *m, struct mixer_counters *out) {
  *out = m->counters;
}

void mixer_destroy(struct mixer *m) {
  for (size_t i = 0; m && i < MIXER_TALKERS_MAX; i++) {
    talker_destroy(m, m->talkers[i]);
  }
  if (m) {
    mix_destroy(m);
  }
  free(m);
}
