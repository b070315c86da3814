/* test_mixer_seam.c: real speech over the seams forward -> mix -> forward: no sample of the one who speaks
 * throughout is missing or sent twice, and what a listener hears there is as near to the clean voices as an
 * always-mixing server's. */
#include "tests/unit/server/mixer_kit.h"

#include <math.h>
#include <sndfile.h>
#include <stdio.h>

#define SECONDS 6
#define N_MAX (SECONDS * AUDIO_RATE)
#define WINDOW 1024
#define BINS 170 /* up to 8 kHz */
#define OPUS_LAG 312
#define MIX_LAG (2 * OPUS_LAG + LIMITER_DELAY - AUDIO_MS(10)) /* the first 10 ms are not sent */
#define AROUND AUDIO_MS(120)

static float voice_a[N_MAX], voice_b[N_MAX];   /* what they say */
static float sent_a[N_MAX], sent_b[N_MAX];     /* as decoded from what they send */
static float heard[N_MAX], heard_clean[N_MAX]; /* COMMON, and what it should be */
static float mixed[N_MAX], mixed_clean[N_MAX]; /* always mixing */

/* Speech made with espeak-ng, 16 kHz WAV, to 48 kHz by straight lines, levelled to -20 dBov. */
static size_t speech_load(const char *name, float *pcm, size_t cap) {
  char path[512];
  SF_INFO info = {0};
  static float raw[N_MAX / 3];
  snprintf(path, sizeof path, "%s/tests/data/%s", GAVEL_SRCDIR, name);
  SNDFILE *f = sf_open(path, SFM_READ, &info);
  assert_non_null(f);
  assert_int_equal(info.samplerate, 16000);
  size_t n = (size_t)sf_readf_float(f, raw, (sf_count_t)(cap / 3));
  sf_close(f);
  assert_true(n > 16000 * 4);
  double energy = 0;
  for (size_t i = 0; i < n; i++) {
    energy += (double)raw[i] * (double)raw[i];
  }
  float gain = (float)(0.1 / sqrt(energy / (double)n));
  size_t start = 0; /* at the first sound, so that the first packet is forwarded */
  while (start < n && fabsf(raw[start]) * gain < 0.01f) {
    start++;
  }
  for (size_t i = start; i + 1 < n; i++) {
    for (size_t k = 0; k < 3; k++) {
      pcm[3 * (i - start) + k] = gain * (raw[i] + (raw[i + 1] - raw[i]) * (float)k / 3.0f);
    }
  }
  return 3 * (n - 1 - start);
}

/* In and out through Opus as every sender does it. */
static void through_opus(const float *in, float *out) {
  struct encoder_config c = {.bitrate = 32000, .complexity = 5, .loss_pct = 10};
  struct encoder *e = encoder_create(&c);
  struct decoder *d = decoder_create();
  float frame[AUDIO_FRAME_MAX];
  uint8_t bytes[BYTES_MAX];
  assert_non_null(e);
  assert_non_null(d);
  for (size_t i = 0; i + AUDIO_FRAME <= N_MAX; i += AUDIO_FRAME) {
    int len = encoder_run(e, in + i, AUDIO_FRAME, bytes, sizeof bytes);
    assert_int_equal(decoder_run(d, bytes, (size_t)len, frame), AUDIO_FRAME);
    memcpy(out + i, frame, AUDIO_FRAME * sizeof frame[0]);
  }
  encoder_destroy(e);
  decoder_destroy(d);
}

static void add_delayed(float *sum, const float *pcm, size_t from, size_t to, size_t delay) {
  for (size_t i = from > delay ? from : delay; i < to && i < N_MAX; i++) {
    sum[i] += pcm[i - delay];
  }
}

static void spectrum(const float *pcm, double *db) {
  double windowed[WINDOW];
  for (size_t i = 0; i < WINDOW; i++) {
    windowed[i] = (double)pcm[i] * (0.5 - 0.5 * cos(2 * M_PI * (double)i / WINDOW));
  }
  for (size_t b = 0; b < BINS; b++) {
    double re = 0, im = 0, step = 2 * M_PI * (double)(b + 1) / WINDOW;
    double c = 1, s = 0, cs = cos(step), sn = sin(step);
    for (size_t i = 0; i < WINDOW; i++) {
      re += windowed[i] * c;
      im += windowed[i] * s;
      double turned = c * cs - s * sn;
      s = c * sn + s * cs;
      c = turned;
    }
    db[b] = 10 * log10(re * re + im * im + 1e-3); /* below that nobody hears a difference */
  }
}

/* Mean log-spectral distance in dB over a stretch. */
static double distance(const float *x, const float *y, size_t from, size_t to) {
  double total = 0, a[BINS], b[BINS];
  size_t frames = 0;
  for (size_t at = from; at + WINDOW <= to; at += AUDIO_MS(10), frames++) {
    double sum = 0;
    spectrum(x + at, a);
    spectrum(y + at, b);
    for (size_t i = 0; i < BINS; i++) {
      sum += (a[i] - b[i]) * (a[i] - b[i]);
    }
    total += sqrt(sum / BINS);
  }
  return total / (double)frames;
}

/* Index of the sender's packet that this one is, by its bytes. */
static size_t packet_index(const struct rec *r, const float *pcm) {
  struct encoder_config c = {.bitrate = 32000, .complexity = 5, .loss_pct = 10};
  struct encoder *e = encoder_create(&c);
  uint8_t bytes[BYTES_MAX];
  size_t index = SIZE_MAX;
  for (size_t i = 0; index == SIZE_MAX && (i + 1) * AUDIO_FRAME <= N_MAX; i++) {
    int len = encoder_run(e, pcm + i * AUDIO_FRAME, AUDIO_FRAME, bytes, sizeof bytes);
    index = (size_t)len == r->out.len && memcmp(bytes, r->data, r->out.len) == 0 ? i : SIZE_MAX;
  }
  encoder_destroy(e);
  return index;
}

struct seams {
  size_t to_mix, to_forward;        /* on the time line of `heard` */
  size_t index_before, index_after; /* of the packets next to the mix */
  size_t mixed;                     /* samples in between */
};

/* COMMON decoded onto one time line; every frame begins where the last one ended. */
static struct seams listen(const struct kit *k) {
  struct seams s = {0};
  struct decoder *d = decoder_create();
  float frame[AUDIO_FRAME_MAX];
  uint64_t first = 0, end = 0;
  const struct rec *before = NULL;
  for (size_t i = 0; i < k->n; i++) {
    const struct rec *r = &k->recs[i];
    if (r->out.stream != 0) {
      continue;
    }
    assert_true(end == 0 || r->out.pos == end);
    assert_int_equal(r->out.marker, end == 0);
    first = end == 0 ? r->out.pos : first;
    assert_int_equal(r->out.samples, AUDIO_FRAME);
    end = r->out.pos + r->out.samples;
    if (r->out.mixed && s.mixed == 0) {
      s.to_mix = (size_t)(r->out.pos - first);
      s.index_before = packet_index(before, voice_a);
    } else if (!r->out.mixed && s.mixed > 0 && s.to_forward == 0) {
      s.to_forward = (size_t)(r->out.pos - first);
      s.index_after = packet_index(r, voice_a);
    }
    s.mixed += r->out.mixed ? r->out.samples : 0;
    before = r;
    int n = decoder_run(d, r->data, r->out.len, frame);
    assert_int_equal(n, (int)r->out.samples);
    assert_true(end - first <= N_MAX);
    memcpy(heard + (r->out.pos - first), frame, (size_t)n * sizeof frame[0]);
  }
  decoder_destroy(d);
  return s;
}

static void speak(struct kit *k, int offset_ms) {
  kit_open(k);
  struct person *a = kit_person(k, 1, 0, 20), *b = kit_person(k, 2, 0, 20);
  a->pcm = voice_a;
  a->pcm_len = N_MAX;
  b->pcm = voice_b;
  b->pcm_len = N_MAX;
  a->talking = true;
  kit_run(k, 1500 + offset_ms);
  b->talking = true;
  kit_run(k, 1600);
  b->talking = false;
  kit_run(k, 1200);
}

static double energy(const float *pcm, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) {
    sum += (double)pcm[i] * (double)pcm[i];
  }
  return sum;
}

struct totals {
  double heard, mixed;               /* dB */
  double energy[2], energy_clean[2]; /* of the 8 ms after the seams: a hole or an echo would show */
};

static void check_seams(int offset_ms, struct totals *sum) {
  struct kit k;
  memset(heard, 0, sizeof heard);
  memset(heard_clean, 0, sizeof heard_clean);
  memset(mixed_clean, 0, sizeof mixed_clean);
  speak(&k, offset_ms);
  struct seams s = listen(&k);
  assert_true(s.to_mix > 0 && s.to_forward > s.to_mix);
  assert_true(s.index_before != SIZE_MAX && s.index_after != SIZE_MAX);
  /* The mix lasts as long as the talker's packets in between. */
  assert_int_equal(s.mixed, (s.index_after - s.index_before - 1) * AUDIO_FRAME);

  size_t b_end = s.to_mix + AUDIO_MS(1600), after = s.to_forward - s.index_after * AUDIO_FRAME + OPUS_LAG;
  add_delayed(heard_clean, voice_a, 0, s.to_mix, OPUS_LAG);
  add_delayed(heard_clean, voice_a, s.to_mix, s.to_forward, MIX_LAG);
  add_delayed(heard_clean, voice_a, s.to_forward, N_MAX, after);
  add_delayed(heard_clean, voice_b, s.to_mix, b_end, s.to_mix + MIX_LAG);

  static float both[N_MAX];
  memcpy(both, sent_a, sizeof both);
  add_delayed(both, sent_b, s.to_mix, b_end, s.to_mix);
  through_opus(both, mixed);
  add_delayed(mixed_clean, voice_a, 0, N_MAX, 2 * OPUS_LAG);
  add_delayed(mixed_clean, voice_b, s.to_mix, b_end, s.to_mix + 2 * OPUS_LAG);

  const size_t at[2] = {s.to_mix, s.to_forward};
  for (size_t i = 0; i < 2; i++) {
    double h = distance(heard, heard_clean, at[i] - AROUND, at[i] + AROUND);
    double m = distance(mixed, mixed_clean, at[i] - AROUND, at[i] + AROUND);
    printf("  offset %3d ms, seam to %s: %.2f dB from the clean voices, always mixing %.2f dB\n", offset_ms,
           i == 0 ? "mix    " : "forward", h, m);
    assert_true(h < m + 3.0);
    sum->heard += h;
    sum->mixed += m;
    sum->energy[i] += energy(heard + at[i], AUDIO_MS(8));
    sum->energy_clean[i] += energy(heard_clean + at[i], AUDIO_MS(8));
  }
  kit_close(&k);
}

static void test_seams_over_speech(void **state) {
  (void)state;
  struct totals sum = {0};
  assert_true(speech_load("speech_a.wav", voice_a, N_MAX) > 5 * AUDIO_RATE);
  assert_true(speech_load("speech_b.wav", voice_b, N_MAX) > 4 * AUDIO_RATE);
  through_opus(voice_a, sent_a);
  through_opus(voice_b, sent_b);
  for (int offset_ms = 0; offset_ms < 8 * 115;
       offset_ms += 115) { /* pauses, vowels, 15 ms phases of a frame */
    check_seams(offset_ms, &sum);
  }
  printf("  mean %.2f dB, always mixing %.2f dB\n", sum.heard / 16, sum.mixed / 16);
  assert_true(sum.heard < sum.mixed + 16 * 0.5);
  for (size_t i = 0; i < 2; i++) {
    double db = 10 * log10(sum.energy[i] / sum.energy_clean[i]);
    printf("  energy right after seam %zu: %+.2f dB\n", i + 1, db);
    assert_true(fabs(db) < 5);
  }
}

#define SWEEP_HZ 300.0
#define SWEEP_HZ_PER_S 1000.0

static double sweep_phase(double t) {
  return 2 * M_PI * (SWEEP_HZ + SWEEP_HZ_PER_S * t / 2) * t;
}

/* Where in the sweep, in ms, the 100 ms from `at` on begin: the best match within 80 ms of where they stand.
 */
static double sweep_at(const float *pcm, size_t at) {
  double best = -1, found = 0;
  for (double ms = -80; ms <= 80; ms += 0.5) {
    double re = 0, im = 0, begin = (double)at / AUDIO_RATE + ms / 1000;
    for (size_t i = 0; i < AUDIO_MS(100); i += 4) {
      double phase = sweep_phase(begin + (double)i / AUDIO_RATE);
      re += (double)pcm[at + i] * cos(phase);
      im += (double)pcm[at + i] * sin(phase);
    }
    if (re * re + im * im > best) {
      best = re * re + im * im;
      found = begin * 1000;
    }
  }
  return found;
}

/* Samples of a stream until its first packet after `from` that is (or is not) mixed. */
static size_t samples_until(const struct kit *k, uint32_t stream, us_t from, bool is_mixed) {
  size_t n = 0;
  for (size_t i = 0; i < k->n; i++) {
    const struct rec *r = &k->recs[i];
    if (r->out.stream == stream && r->at >= from && r->out.mixed == is_mixed) {
      return n;
    }
    n += r->out.stream == stream ? r->out.samples : 0;
  }
  fail_msg("no such seam");
  return 0;
}

/* The same for a talker's own stream, where a sweep shows any frame repeated or missing. The look-ahead of a
 * second Opus and the limiter is 8.5 ms, pushed out by 10 ms: 1.5 ms are left out on the way in, and 1.5 ms
 * of mirrored sound come in their place on the way out. A frame more would be 20 ms. */
static void test_personal_seams(void **state) {
  (void)state;
  for (int frame_ms = 10; frame_ms <= 40; frame_ms *= 2) {
    struct kit k;
    kit_open(&k);
    struct person *a = kit_person(&k, 1, 2500, 20), *b = kit_person(&k, 2, 0, frame_ms),
                  *c = kit_person(&k, 3, 2500, 20);
    for (size_t i = 0; i < N_MAX; i++) {
      voice_a[i] = 0.1f * (float)sin(sweep_phase((double)i / AUDIO_RATE));
    }
    b->pcm = voice_a;
    b->pcm_len = N_MAX;
    c->amplitude = 0.003f; /* there, but hardly */
    a->talking = b->talking = true;
    kit_run(&k, 1007);
    c->talking = true;
    us_t join = k.now;
    kit_run(&k, 900);
    c->talking = false;
    kit_run(&k, 900);
    const size_t seam[2] = {samples_until(&k, 1, join, true),
                            samples_until(&k, 1, join + 900 * US_PER_MS, false)};
    assert_true(kit_hear(&k, 1, 0, k.now, heard, N_MAX) > seam[1] + AUDIO_MS(200));
    for (size_t i = 0; i < 2; i++) {
      double moved = sweep_at(heard, seam[i] + AUDIO_MS(30)) - sweep_at(heard, seam[i] - AUDIO_MS(130)) - 160;
      printf("  %d ms packets, personal seam %zu: sound moves by %.1f ms\n", frame_ms, i + 1, moved);
      assert_true(fabs(moved - (i == 0 ? 1.5 : -1.5)) < 3.0);
    }
    kit_check_order(&k);
    kit_close(&k);
  }
}

/* A gain that comes and goes in mid-speech of one alone: what he says in between is mixed as it is long, not
 * a sample more or less. */
static void test_gain_in_mid_speech(void **state) {
  (void)state;
  assert_true(speech_load("speech_a.wav", voice_a, N_MAX) > 5 * AUDIO_RATE);
  through_opus(voice_a, sent_a);
  through_opus(sent_a, mixed); /* at the same cost in codecs */
  for (int offset_ms = 0; offset_ms < 8 * 115; offset_ms += 115) {
    struct kit k;
    kit_open(&k);
    struct person *a = kit_person(&k, 1, 0, 20);
    a->pcm = voice_a;
    a->pcm_len = N_MAX;
    a->talking = true;
    kit_run(&k, 1500 + offset_ms);
    a->gain_db = offset_ms % 2 ? 6 : -12;
    kit_run(&k, 1600);
    a->gain_db = 0;
    kit_run(&k, 1200);
    memset(heard, 0, sizeof heard);
    struct seams s = listen(&k); /* one after the other without a gap */
    assert_true(s.index_before != SIZE_MAX && s.index_after != SIZE_MAX);
    assert_int_equal(s.mixed, (s.index_after - s.index_before - 1) * AUDIO_FRAME);
    double loud = 10 * log10(energy(heard + s.to_mix + AUDIO_MS(40), AUDIO_MS(1500)) /
                             energy(mixed + s.to_mix + AUDIO_MS(40), AUDIO_MS(1500)));
    printf("  offset %3d ms: %+.1f dB in between\n", offset_ms, loud);
    assert_true(fabs(loud - (offset_ms % 2 ? 6 : -12)) < 1.5);
    kit_check_order(&k);
    kit_close(&k);
  }
}

/* The same for what his partner hears of him, when it is not only the mix of all. */
static void test_gain_seams_of_a_partner(void **state) {
  (void)state;
  for (int frame_ms = 10; frame_ms <= 40; frame_ms *= 2) {
    struct kit k;
    kit_open(&k);
    struct person *a = kit_person(&k, 1, 2500, 20), *b = kit_person(&k, 2, 0, frame_ms);
    for (size_t i = 0; i < N_MAX; i++) {
      voice_a[i] = 0.1f * (float)sin(sweep_phase((double)i / AUDIO_RATE));
    }
    b->pcm = voice_a;
    b->pcm_len = N_MAX;
    a->amplitude = 0.003f;
    a->talking = b->talking = true;
    kit_run(&k, 1007);
    us_t order = k.now;
    b->gain_db = 6;
    kit_run(&k, 900);
    b->gain_db = 0;
    kit_run(&k, 900);
    const size_t seam[2] = {samples_until(&k, 1, order, true),
                            samples_until(&k, 1, order + 905 * US_PER_MS, false)};
    assert_true(kit_hear(&k, 1, 0, k.now, heard, N_MAX) > seam[1] + AUDIO_MS(200));
    for (size_t i = 0; i < 2; i++) {
      double moved = sweep_at(heard, seam[i] + AUDIO_MS(30)) - sweep_at(heard, seam[i] - AUDIO_MS(130)) - 160;
      printf("  %d ms packets, gain seam %zu: sound moves by %.1f ms\n", frame_ms, i + 1, moved);
      assert_true(fabs(moved - (i == 0 ? 1.5 : -1.5)) < 3.0);
    }
    kit_check_order(&k);
    kit_close(&k);
  }
}

static float peak_after(size_t seam) {
  float peak = 0;
  for (size_t i = seam; i < seam + AUDIO_MS(100); i++) {
    peak = fmaxf(peak, fabsf(heard[i]));
  }
  return peak;
}

/* Steady tones are the worst for a decoder whose history is another encoder's: without the CELT frames at the
 * seams they burst to 1.9 times their sum on the way in, and to 3.0 times the one left on the way out. */
static void test_no_burst_of_tones(void **state) {
  (void)state;
  static const double hz[] = {200, 440, 700, 1000, 1333, 1900, 2500, 3300};
  float worst[2] = {0, 0};
  for (int i = 0; i < 8 * 6; i++) {
    struct kit k;
    kit_open(&k);
    struct person *a = kit_person(&k, 1, hz[i % 8], 20), *b = kit_person(&k, 2, hz[(i + 3) % 8] * 1.07, 20);
    a->amplitude = b->amplitude = 0.15f;
    a->talking = true;
    kit_run(&k, 400 + 7 * (i / 8));
    b->talking = true;
    us_t join = k.now;
    kit_run(&k, 400 + 5 * (i / 8));
    *(i % 2 ? &a->talking : &b->talking) = false;
    us_t leave = k.now;
    kit_run(&k, 600);
    size_t in = samples_until(&k, 0, join, true), out = samples_until(&k, 0, leave, false);
    assert_true(kit_hear(&k, 0, 0, k.now, heard, N_MAX) > out + AUDIO_MS(100));
    worst[0] = fmaxf(worst[0], peak_after(in) / 0.3f);
    worst[1] = fmaxf(worst[1], peak_after(out) / 0.15f);
    kit_close(&k);
  }
  printf("  peak in the 100 ms after the seam: to mix %.2f, to forward %.2f\n", (double)worst[0],
         (double)worst[1]);
  assert_true(worst[0] < 1.5f);
  assert_true(worst[1] < 2.3f);
}

/* What he hears who spoke and has ceased, or may speak no longer, while others go on: his own stream, then
 * COMMON. Returns the sample of the change. */
static size_t hear_as_ceasing(const struct kit *k, uint32_t member) {
  struct decoder *d = decoder_create();
  float frame[AUDIO_FRAME_MAX];
  size_t n = 0, last = 0, change = 0;
  assert_non_null(d);
  for (size_t i = 0; i < k->n; i++) {
    last = k->recs[i].out.stream == member ? i : last;
  }
  for (size_t i = 0; i < k->n; i++) {
    const struct rec *r = &k->recs[i];
    if (r->out.stream != (i <= last ? member : 0)) { /* in a tick COMMON is the first */
      continue;
    }
    change = change == 0 && i > last ? n : change;
    int got = decoder_run(d, r->data, r->out.len, frame);
    assert_true(got > 0 && n + (size_t)got <= N_MAX);
    memcpy(heard + n, frame, (size_t)got * sizeof frame[0]);
    n += (size_t)got;
  }
  decoder_destroy(d);
  assert_true(change > 0 && n > change + AUDIO_MS(100));
  return change;
}

/* Nor for one who ceases or is silenced in the mix. Then the encoders forget him and the decoders do not: the
 * peak would be 2.0 without CELT frames after it. */
static void test_no_burst_for_who_ceases(void **state) {
  (void)state;
  static const double hz[] = {200, 440, 700, 1000, 1333, 1900, 2500, 3300};
  float worst[2] = {0, 0};
  for (int i = 0; i < 8 * 12; i++) {
    struct kit k;
    kit_open(&k);
    struct person *a = kit_person(&k, 1, hz[i % 8], 20), *b = kit_person(&k, 2, hz[(i + 3) % 8] * 1.07, 20),
                  *c = kit_person(&k, 3, 3000, 20);
    a->amplitude = b->amplitude = 0.15f;
    a->talking = b->talking = c->talking = true;
    kit_run(&k, 800 + 7 * (i / 8));
    c->talking = false;
    if (i / 8 % 2) {
      mixer_silence(k.m, k.now, c->id);
    }
    kit_run(&k, 800);
    size_t change = hear_as_ceasing(&k, c->id);
    worst[i / 8 % 2] = fmaxf(worst[i / 8 % 2], peak_after(change) / 0.3f);
    kit_close(&k);
  }
  printf("  peak in the 100 ms after he ceases %.2f, after he is silenced %.2f\n", (double)worst[0],
         (double)worst[1]);
  assert_true(worst[0] < 1.5f);
  assert_true(worst[1] < 1.5f);
}

/* Every sixth packet of the one who speaks is lost while someone else hums: LBRR keeps the mix near to his
 * clean voice. */
static void test_loss_in_the_mix(void **state) {
  (void)state;
  double found[2];
  assert_true(speech_load("speech_a.wav", voice_a, N_MAX) > 5 * AUDIO_RATE);
  for (size_t i = 0; i < 2; i++) {
    struct kit k;
    kit_open(&k);
    struct person *a = kit_person(&k, 1, 0, 20), *b = kit_person(&k, 2, 100, 20);
    a->pcm = voice_a;
    a->pcm_len = N_MAX;
    a->talking = true;
    b->amplitude = 0.002f;
    kit_run(&k, 60);
    b->talking = true;
    while (k.now < 1003 * US_PER_S) {
      a->lossy = false;
      kit_run(&k, 100);
      a->lossy = i == 1;
      kit_run(&k, 20);
    }
    memset(heard, 0, sizeof heard);
    assert_true(listen(&k).to_mix > 0);
    found[i] = 99;
    for (size_t grown = 0; grown <= 2 * AUDIO_FRAME; grown += AUDIO_FRAME / 4) { /* a loss may add delay */
      memset(heard_clean, 0, sizeof heard_clean);
      add_delayed(heard_clean, voice_a, 0, N_MAX, MIX_LAG + grown);
      found[i] = fmin(found[i], distance(heard, heard_clean, AUDIO_MS(800), AUDIO_MS(2800)));
    }
    kit_close(&k);
  }
  printf("  mix: %.2f dB from the clean voice, with 17 %% lost %.2f dB\n", found[0], found[1]);
  assert_true(found[1] < found[0] + 1.0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_seams_over_speech),  cmocka_unit_test(test_personal_seams),
      cmocka_unit_test(test_gain_in_mid_speech), cmocka_unit_test(test_gain_seams_of_a_partner),
      cmocka_unit_test(test_no_burst_of_tones),  cmocka_unit_test(test_no_burst_for_who_ceases),
      cmocka_unit_test(test_loss_in_the_mix)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
