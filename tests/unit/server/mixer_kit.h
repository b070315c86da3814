/* mixer_kit.h: a room for the mixer's tests: people who send Opus in steps of 2.5 ms, a bad network with a
 * seed, and a record of everything the mixer puts out. */
#ifndef GAVEL_TESTS_MIXER_KIT_H
#define GAVEL_TESTS_MIXER_KIT_H

#include "audio/codec.h"
#include "audio/dsp.h"
#include "core/server/mixer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define STEP_US INT64_C(2500)
#define BYTES_MAX 1500
#define FLIGHT_MAX 64

struct rec {
  struct mixer_out out;
  us_t at;
  uint8_t data[BYTES_MAX];
};

struct flight { /* a packet on its way; at 0: free */
  us_t at;
  struct mixer_in in;
  uint8_t data[BYTES_MAX];
};

struct person {
  uint32_t id;
  struct encoder *encoder;
  bool talking, no_level, liar, lossy; /* lossy: what he sends is lost */
  size_t frame;                        /* samples of a packet */
  double freq, phase;
  float amplitude;
  int8_t gain_db;
  bool priority;
  const float *pcm; /* instead of a tone; silence after pcm_len */
  size_t pcm_at, pcm_len;
  uint16_t seq;
  uint32_t ts;
  us_t next;
  uint8_t last[BYTES_MAX]; /* what was sent last */
  size_t last_len;
};

struct kit {
  struct mixer *m;
  us_t now;
  struct person people[12];
  size_t n_people;
  struct rec *recs;
  size_t n, cap;
  unsigned loss_pct, dup_pct, delay_steps; /* the network: delay is 0..delay_steps steps by chance */
  uint64_t chance;
  struct flight flights[FLIGHT_MAX];
};

static inline unsigned kit_chance(struct kit *k, unsigned below) {
  k->chance = k->chance * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (unsigned)((k->chance >> 33) % below);
}

static inline void kit_emit(void *ctx, const struct mixer_out *out) {
  struct kit *k = ctx;
  assert_true(out->len > 0 && out->len <= BYTES_MAX);
  if (k->n == k->cap) {
    k->cap = k->cap ? 2 * k->cap : 256;
    k->recs = realloc(k->recs, k->cap * sizeof *k->recs);
    assert_non_null(k->recs);
  }
  struct rec *r = &k->recs[k->n++];
  r->out = *out;
  r->out.payload = NULL;
  r->at = k->now;
  memcpy(r->data, out->payload, out->len);
}

static inline void kit_open(struct kit *k) {
  memset(k, 0, sizeof *k);
  k->now = 1000 * US_PER_S;
  k->chance = 7;
  k->m = mixer_create(kit_emit, k);
  assert_non_null(k->m);
}

static inline void kit_close(struct kit *k) {
  for (size_t i = 0; i < k->n_people; i++) {
    encoder_destroy(k->people[i].encoder);
  }
  mixer_destroy(k->m);
  free(k->recs);
}

static inline struct person *kit_person(struct kit *k, uint32_t id, double freq, int frame_ms) {
  struct encoder_config c = {.bitrate = 32000, .complexity = 5, .loss_pct = 10};
  struct person *p = &k->people[k->n_people++];
  *p = (struct person){
      .id = id, .freq = freq, .amplitude = 0.2f, .seq = (uint16_t)(65500 + id), .ts = UINT32_MAX - 20000};
  p->frame = (size_t)AUDIO_MS(frame_ms);
  p->encoder = encoder_create(&c);
  assert_non_null(p->encoder);
  return p;
}

static inline void kit_deliver(struct kit *k) {
  for (;;) {
    struct flight *first = NULL;
    for (size_t i = 0; i < FLIGHT_MAX; i++) {
      struct flight *f = &k->flights[i];
      if (f->at != 0 && f->at <= k->now && (!first || f->at < first->at)) {
        first = f;
      }
    }
    if (!first) {
      return;
    }
    first->at = 0;
    mixer_put(k->m, k->now, &first->in);
  }
}

static inline void kit_launch(struct kit *k, const struct mixer_in *in) {
  if (kit_chance(k, 100) < k->loss_pct) {
    return;
  }
  for (size_t i = 0; i < FLIGHT_MAX; i++) {
    struct flight *f = &k->flights[i];
    if (f->at == 0) {
      f->at = k->now + (k->delay_steps ? (us_t)kit_chance(k, k->delay_steps + 1) * STEP_US : 0);
      f->in = *in;
      memcpy(f->data, in->payload, in->len);
      f->in.payload = f->data;
      return;
    }
  }
  fail_msg("too many packets in flight");
}

static inline void person_sound(struct person *p, float *pcm) {
  if (!p->pcm) {
    tone_make(pcm, p->frame, p->freq, &p->phase, p->liar ? 0.0f : p->amplitude);
    return;
  }
  for (size_t i = 0; i < p->frame; i++, p->pcm_at++) {
    pcm[i] = p->pcm_at < p->pcm_len ? p->pcm[p->pcm_at] : 0.0f;
  }
}

static inline void person_send(struct kit *k, struct person *p) {
  float pcm[AUDIO_FRAME_MAX];
  person_sound(p, pcm);
  int len = encoder_run(p->encoder, pcm, p->frame, p->last, sizeof p->last);
  assert_true(len > 0);
  p->last_len = (size_t)len;
  uint8_t level = level_dbov(pcm, p->frame);
  struct mixer_in in = {.member = p->id,
                        .seq = p->seq++,
                        .ts = p->ts,
                        .has_level = !p->no_level,
                        .voice = p->liar || level < 50,
                        .level = p->liar ? 5 : level,
                        .gain_db = p->gain_db,
                        .priority = p->priority,
                        .hears = true,
                        .payload = p->last,
                        .len = p->last_len};
  p->ts += (uint32_t)p->frame;
  if (p->lossy) {
    return;
  }
  kit_launch(k, &in);
  if (k->dup_pct && kit_chance(k, 100) < k->dup_pct) {
    kit_launch(k, &in);
  }
}

static inline void kit_run(struct kit *k, int ms) {
  for (us_t end = k->now + ms * US_PER_MS; k->now < end; k->now += STEP_US) {
    if (mixer_next_timeout(k->m) <= k->now) {
      mixer_handle_timeout(k->m, k->now);
      assert_true(mixer_next_timeout(k->m) > k->now);
    }
    for (size_t i = 0; i < k->n_people; i++) {
      struct person *p = &k->people[i];
      if (p->talking && p->next <= k->now) {
        p->next = (p->next + 100 * US_PER_MS < k->now ? k->now : p->next) +
                  (us_t)p->frame * US_PER_MS / AUDIO_MS(1);
        person_send(k, p);
      } else if (!p->talking && p->next <= k->now) { /* his clock runs on in silence, as with DTX */
        p->ts += AUDIO_MS(5) / 2;
      }
    }
    kit_deliver(k);
  }
}

/* What one would hear of a stream between two moments, concatenated; returns samples. */
static inline size_t kit_hear(const struct kit *k, uint32_t stream, us_t from, us_t to, float *pcm,
                              size_t cap) {
  struct decoder *d = decoder_create();
  float frame[AUDIO_FRAME_MAX];
  size_t n = 0;
  assert_non_null(d);
  for (size_t i = 0; i < k->n; i++) {
    const struct rec *r = &k->recs[i];
    if (r->out.stream != stream || r->at < from || r->at >= to) {
      continue;
    }
    int got = decoder_run(d, r->data, r->out.len, frame);
    assert_int_equal(got, (int)r->out.samples);
    if (n + (size_t)got > cap) {
      break;
    }
    memcpy(pcm + n, frame, (size_t)got * sizeof frame[0]);
    n += (size_t)got;
  }
  decoder_destroy(d);
  return n;
}

static inline size_t kit_count(const struct kit *k, uint32_t stream, us_t from, us_t to) {
  size_t n = 0;
  for (size_t i = 0; i < k->n; i++) {
    n += k->recs[i].out.stream == stream && k->recs[i].at >= from && k->recs[i].at < to;
  }
  return n;
}

static inline int rec_order(const void *a, const void *b) {
  const struct rec *x = a, *y = b;
  if (x->out.stream != y->out.stream) {
    return x->out.stream < y->out.stream ? -1 : 1;
  }
  return x->out.seq < y->out.seq ? -1 : x->out.seq > y->out.seq;
}

/* Some receivers know no packet but of 20 ms. */
static inline void kit_check_lengths(const struct kit *k) {
  size_t mixed = 0;
  for (size_t i = 0; i < k->n; i++) {
    const struct rec *r = &k->recs[i];
    assert_int_equal(opus_packet_samples(r->data, r->out.len), r->out.samples);
    if (r->out.mixed) {
      assert_int_equal(r->out.samples, AUDIO_FRAME);
      mixed++;
    }
  }
  assert_true(mixed > 0);
}

/* The invariant of every stream: sorted by seq, positions ascend and never overlap; no seq twice. Sorts the
 * record. */
static inline void kit_check_order(struct kit *k) {
  qsort(k->recs, k->n, sizeof *k->recs, rec_order);
  for (size_t i = 1; i < k->n; i++) {
    const struct mixer_out *a = &k->recs[i - 1].out, *b = &k->recs[i].out;
    if (a->stream == b->stream) {
      assert_true(b->seq > a->seq);
      assert_true(b->pos >= a->pos + a->samples);
    }
  }
}

#endif
