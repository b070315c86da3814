/* tiers_kit.h: a stream of real speech into the tiers, and a record of what comes out. */
#ifndef GAVEL_TESTS_TIERS_KIT_H
#define GAVEL_TESTS_TIERS_KIT_H

#include "audio/codec.h"
#include "core/server/tiers.h"

#include <math.h>
#include <setjmp.h>
#include <sndfile.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define N_MAX (6 * AUDIO_RATE)
#define BYTES_MAX 1500
#define RECS 2048
#define T0 (1000 * US_PER_S)

struct rec {
  struct mixer_out out;
  enum media_tier tier;
  us_t at;
  uint8_t data[BYTES_MAX];
  size_t red_len; /* the payload with copies, if `plan` of the kit gave one */
  uint8_t red[BYTES_MAX];
};
struct kit {
  struct tiers *t;
  struct encoder *encoder;
  us_t now;
  struct mixer_out next; /* the next packet's numbers */
  unsigned plan;
  struct rec *recs;
  size_t n;
};

static void kit_emit(void *ctx, enum media_tier tier, const struct mixer_out *out) {
  struct kit *k = ctx;
  assert_true(k->n < RECS && out->len > 0 && out->len <= BYTES_MAX);
  struct rec *r = &k->recs[k->n++];
  *r = (struct rec){.out = *out, .tier = tier, .at = k->now};
  memcpy(r->data, out->payload, out->len);
  r->out.payload = r->data;
  const uint8_t *red = k->plan ? tiers_red(k->t, k->plan, 111, &r->red_len) : NULL;
  if (red)
    memcpy(r->red, red, r->red_len);
  else
    r->red_len = 0;
}

static void kit_open(struct kit *k) {
  struct encoder_config c = {.bitrate = 32000, .complexity = 5, .loss_pct = 10};
  *k = (struct kit){.now = T0};
  k->t = tiers_create(kit_emit, k);
  k->encoder = encoder_create(&c);
  k->recs = calloc(RECS, sizeof *k->recs);
  assert_non_null(k->t);
  assert_non_null(k->encoder);
  assert_non_null(k->recs);
  k->next = (struct mixer_out){.seq = 70000, .pos = 1000000, .n_from = 1, .from = {7}, .level = {20}};
}

static void kit_close(struct kit *k) {
  tiers_destroy(k->t);
  encoder_destroy(k->encoder);
  free(k->recs);
}

/* Time goes on; the tiers are asked when they want to be. */
static void kit_until(struct kit *k, us_t at) {
  us_t due;
  while ((due = tiers_next_timeout(k->t)) <= at) {
    assert_true(due >= k->now - 1000 * US_PER_MS);
    k->now = due > k->now ? due : k->now;
    tiers_handle_timeout(k->t, k->now);
    assert_true(tiers_next_timeout(k->t) > k->now);
  }
  k->now = at;
}

/* The next packet as the mixer would emit it: numbers, sound; `data` must outlive its use. */
static struct mixer_out kit_make(struct kit *k, const float *pcm, size_t samples, uint8_t data[BYTES_MAX]) {
  struct mixer_out o = k->next;
  int len = encoder_run(k->encoder, pcm, samples, data, BYTES_MAX);
  assert_true(len > 0);
  o.samples = (uint32_t)samples;
  o.payload = data;
  o.len = (size_t)len;
  k->next.seq++;
  k->next.pos += samples;
  return o;
}

/* n samples of speech, 20 ms a packet, each when it is said; `lose(index)` of them do not come. */
static void kit_say(struct kit *k, const float *pcm, size_t n, unsigned wanted, bool (*lose)(size_t)) {
  for (size_t at = 0; at + AUDIO_FRAME <= n; at += AUDIO_FRAME) {
    uint8_t data[BYTES_MAX];
    struct mixer_out o = kit_make(k, pcm + at, AUDIO_FRAME, data);
    kit_until(k, k->now + 20 * US_PER_MS);
    if (!lose || !lose(at / AUDIO_FRAME))
      tiers_put(k->t, k->now, &o, wanted);
  }
}

/* How many of a tier; v: the i-th of them. */
static size_t kit_count(const struct kit *k, enum media_tier tier) {
  size_t n = 0;
  for (size_t i = 0; i < k->n; i++)
    n += k->recs[i].tier == tier;
  return n;
}

static const struct rec *kit_rec(const struct kit *k, enum media_tier tier, size_t at) {
  for (size_t i = 0; i < k->n; i++)
    if (k->recs[i].tier == tier && at-- == 0)
      return &k->recs[i];
  fail_msg("no such packet");
  return NULL;
}

/* Speech made with espeak-ng, 16 kHz WAV, to 48 kHz by straight lines, from its first sound on. */
static size_t speech_load(const char *name, float *pcm, size_t cap) {
  char path[512];
  SF_INFO info = {0};
  static float raw[N_MAX / 3];
  snprintf(path, sizeof path, "%s/tests/data/%s", GAVEL_SRCDIR, name);
  SNDFILE *f = sf_open(path, SFM_READ, &info);
  assert_non_null(f);
  assert_int_equal(info.samplerate, 16000);
  size_t n = (size_t)sf_readf_float(f, raw, (sf_count_t)(cap / 3)), start = 0;
  sf_close(f);
  while (start < n && fabsf(raw[start]) < 0.01f)
    start++;
  for (size_t i = start; i + 1 < n; i++)
    for (size_t k = 0; k < 3; k++)
      pcm[3 * (i - start) + k] = raw[i] + (raw[i + 1] - raw[i]) * (float)k / 3.0f;
  return 3 * (n - 1 - start) / AUDIO_FRAME * AUDIO_FRAME;
}

#endif
