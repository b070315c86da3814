/* jitter_kit.h: a sine as packets on a virtual clock, and what is heard of it. A click would be a step far
 * above the sine's own. */
#ifndef GAVEL_JITTER_KIT_H
#define GAVEL_JITTER_KIT_H

#include "audio/codec.h"
#include "audio/dsp.h"
#include "audio/jitter.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* needs the ones above */

#define FREQ 400.0
#define AMPLITUDE 0.3f
#define SINE_STEP (AMPLITUDE * 6.2832f * (float)FREQ / AUDIO_RATE)
#define CLICK (2.0f * SINE_STEP)
#define EVENTS_MAX 6000
#define SECONDS_MAX 70
#define WIRE_US 30000

struct event {
  int64_t at_us;
  uint16_t seq;
  uint32_t ts;
  bool marker, drop;
  int samples;
  size_t index, len; /* index: in the order of sending */
  uint8_t payload[400];
};
static struct event events[EVENTS_MAX];
static struct event sent[EVENTS_MAX]; /* what copies are made of */
static const int *copies;             /* distances in packets, 0 ends them; NULL: none are sent */
static size_t events_n;
static float heard[SECONDS_MAX * AUDIO_RATE];
static struct jitter_stats stats;
static uint32_t seed;

static inline uint32_t chance(uint32_t below) {
  seed = seed * 1664525u + 1013904223u;
  return (uint32_t)(((uint64_t)seed * below) >> 32);
}

struct source {
  int ptime_ms, seconds, loss_pct;
  uint16_t seq;
  uint32_t ts;
  double ppm; /* how much faster the sender's clock runs */
};

/* record: a sine as packets that arrive WIRE_US after each was complete, in order. */
static inline void record(const struct source *s) {
  struct encoder_config c = {.bitrate = 32000, .complexity = 3, .loss_pct = s->loss_pct};
  struct encoder *e = encoder_create(&c);
  static float pcm[AUDIO_FRAME_MAX];
  size_t n = (size_t)AUDIO_MS(s->ptime_ms);
  double phase = 0;
  seed = 2024;
  memset(events, 0, sizeof events);
  for (events_n = 0; events_n < (size_t)(s->seconds * 1000 / s->ptime_ms); events_n++) {
    assert_true(events_n < EVENTS_MAX);
    struct event *v = &events[events_n];
    tone_make(pcm, n, FREQ, &phase, AMPLITUDE);
    int len = encoder_run(e, pcm, n, v->payload, sizeof v->payload);
    assert_true(len > 2);
    double complete_us = (double)(events_n + 1) * s->ptime_ms * 1000.0 / (1.0 + s->ppm * 1e-6);
    v->at_us = WIRE_US + (int64_t)complete_us;
    v->seq = (uint16_t)(s->seq + events_n);
    v->ts = s->ts + (uint32_t)(events_n * n);
    v->marker = events_n == 0;
    v->index = events_n;
    v->samples = (int)n;
    v->len = (size_t)len;
  }
  encoder_destroy(e);
  copies = NULL;
}

static inline int earlier(const void *a, const void *b) {
  const struct event *x = a;
  const struct event *y = b;
  return x->at_us != y->at_us ? (x->at_us > y->at_us) - (x->at_us < y->at_us)
                              : (x->seq > y->seq) - (x->seq < y->seq);
}

/* put: a packet and before it the copies in it, which are not of another length nor from before a pause. */
static inline void put(struct jitter *j, const struct event *v) {
  for (const int *d = copies; d && *d; d++) {
    const struct event *old = &sent[v->index < (size_t)*d ? 0 : v->index - (size_t)*d];
    uint32_t offset = (uint32_t)(*d * v->samples);
    if (old->samples == v->samples && v->ts - old->ts == offset) {
      jitter_put_copy(j, v->at_us, v->seq, v->ts, offset, old->payload, old->len);
    }
  }
  jitter_put(j, v->at_us, v->seq, v->ts, v->marker, v->payload, v->len);
}

/* listen_for: run the network and pull `block` samples at a time into `heard` for so many seconds. */
static inline void listen_for(int seconds, size_t block, struct jitter *j) {
  for (size_t i = 0; i < events_n; i++) {
    sent[events[i].index] = events[i];
  }
  qsort(events, events_n, sizeof *events, earlier);
  size_t next = 0;
  memset(heard, 0, sizeof heard);
  for (size_t at = 0; at + block <= (size_t)seconds * AUDIO_RATE; at += block) {
    int64_t now_us = (int64_t)at * 1000 / 48;
    for (; next < events_n && events[next].at_us <= now_us; next++) {
      struct event *v = &events[next];
      if (!v->drop) {
        put(j, v);
      }
    }
    jitter_get(j, now_us, heard + at, block);
  }
  jitter_stats(j, &stats);
}

static inline void play(const struct source *s, size_t block) {
  struct jitter *j = jitter_create();
  listen_for(s->seconds, block, j);
  jitter_destroy(j);
}

static inline float step_in(int from_ms, int to_ms) {
  float step = 0;
  for (int i = AUDIO_MS(from_ms) + 1; i < AUDIO_MS(to_ms); i++) {
    assert_true(fabsf(heard[i]) <= 1.0f);
    step = fmaxf(step, fabsf(heard[i] - heard[i - 1]));
  }
  return step;
}

static inline double rms_in(int from_ms, int to_ms) {
  double sum = 0;
  for (int i = AUDIO_MS(from_ms); i < AUDIO_MS(to_ms); i++) {
    sum += (double)heard[i] * (double)heard[i];
  }
  return sqrt(sum / AUDIO_MS(to_ms - from_ms));
}

/* holes: how many 20 ms windows lack the sine (less than `share` of the energy, or half the volume). */
static inline int holes(int from_ms, int to_ms, double share) {
  int count = 0;
  for (int ms = from_ms; ms + 20 <= to_ms; ms += 20) {
    count += goertzel_share(heard + AUDIO_MS(ms), AUDIO_FRAME, FREQ) < share ||
             rms_in(ms, ms + 20) < 0.5 * AMPLITUDE * 0.7071;
  }
  return count;
}

/* silence_ms: the longest run of zeros. */
static inline int silence_ms(int from_ms, int to_ms) {
  int run = 0;
  int longest = 0;
  for (int i = AUDIO_MS(from_ms); i < AUDIO_MS(to_ms); i++) {
    run = fabsf(heard[i]) < 1e-4f ? run + 1 : 0;
    longest = run > longest ? run : longest;
  }
  return longest / AUDIO_MS(1);
}

#endif
