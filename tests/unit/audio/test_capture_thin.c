/* Capture for a thin line: another tier in the middle of a word loses and repeats nothing, and silence costs
 * nothing at all. */
#include "audio/capture.h"
#include "audio/codec.h"
#include "audio/dsp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BLOCK AUDIO_MS(5)

static const struct { int ptime_ms, bitrate; } TIERS[] = {{20, 32000}, {40, 24000}, {60, 10500}, {120, 7000}};

struct ear {
  struct decoder *dec;
  uint32_t next; /* RTP time that must come */
  unsigned packets;
  float *pcm; /* what was heard */
  size_t n;
};

static void on_packet(void *ctx, const struct capture_packet *p) {
  struct ear *e = ctx;
  float pcm[AUDIO_FRAME_MAX];
  if (e->packets > 0 && !p->marker)
    assert_int_equal(p->ts, e->next);
  int n = decoder_run(e->dec, p->payload, p->len, pcm);
  assert_true(n > 0);
  e->next = p->ts + (uint32_t)n;
  e->packets++;
  if (e->pcm) {
    memcpy(e->pcm + e->n, pcm, (size_t)n * sizeof *pcm);
    e->n += (size_t)n;
  }
}

static struct capture_config config_of(unsigned tier, bool hush) {
  return (struct capture_config){
      .ptime_ms = TIERS[tier].ptime_ms,
      .opus = {.bitrate = TIERS[tier].bitrate, .complexity = 5, .loss_pct = 10, .dtx = true},
      .hush = hush};
}

static void a_tier_changes_in_a_word(void **state) {
  (void)state;
  struct capture_config cfg = config_of(0, false);
  struct capture *c = capture_create(&cfg);
  struct ear e = {.dec = decoder_create()};
  uint32_t chance = 1;
  double phase = 0;
  e.pcm = calloc(48000 * 13, sizeof *e.pcm);
  assert_true(c && e.dec && e.pcm);
  capture_open(c, true);
  unsigned changes = 0;
  for (unsigned i = 0; i < 12 * 200; i++) { /* 12 s */
    float pcm[BLOCK];
    chance = chance * 1664525u + 1013904223u;
    if ((chance >> 16) % 60 == 0) {
      cfg = config_of((chance >> 8) % 4, (chance >> 12) & 1);
      capture_set(c, &cfg);
      changes++;
    }
    tone_make(pcm, BLOCK, 500, &phase, 0.3f);
    capture_feed(c, pcm, BLOCK, on_packet, &e);
  }
  assert_true(changes > 20);
  assert_in_range(e.n, AUDIO_MS(12000 - 120), AUDIO_MS(12000));
  for (size_t at = AUDIO_MS(100); at + AUDIO_MS(10) <= e.n; at += AUDIO_MS(10)) /* no hole, not of 10 ms */
    assert_true(level_dbov(e.pcm + at, AUDIO_MS(10)) < 22);
  decoder_destroy(e.dec);
  capture_destroy(c);
  free(e.pcm);
}

/* Packets in 10 s of a quiet room, after a second of sound. */
static unsigned in_silence(unsigned tier, bool hush) {
  struct capture_config cfg = config_of(tier, hush);
  struct capture *c = capture_create(&cfg);
  struct ear e = {.dec = decoder_create()};
  uint32_t chance = 7;
  unsigned before = 0;
  double phase = 0;
  assert_true(c && e.dec);
  capture_open(c, true);
  for (unsigned i = 0; i < 13 * 200; i++) {
    float pcm[BLOCK];
    if (i < 200)
      tone_make(pcm, BLOCK, 500, &phase, 0.3f);
    for (unsigned k = 0; k < BLOCK && i >= 200; k++) {
      chance = chance * 1664525u + 1013904223u;
      pcm[k] = 0.002f * ((float)(chance >> 8) / (float)(1u << 24) - 0.5f);
    }
    capture_feed(c, pcm, BLOCK, on_packet, &e);
    if (i == 3 * 200)
      before = e.packets;
  }
  assert_true(before > 0);
  unsigned after = e.packets - before;
  decoder_destroy(e.dec);
  capture_destroy(c);
  return after;
}

static void silence_costs_nothing(void **state) {
  (void)state;
  for (unsigned tier = 0; tier < 4; tier++) {
    assert_int_equal(in_silence(tier, true), 0);
    assert_in_range(in_silence(tier, false), 15, 40); /* Opus's comfort noise, every 400 ms */
  }
}

/* Who begins to speak is heard from the first frame that is voice. */
static void a_voice_ends_the_silence(void **state) {
  (void)state;
  struct capture_config cfg = config_of(3, true);
  struct capture *c = capture_create(&cfg);
  struct ear e = {.dec = decoder_create()};
  double phase = 0;
  assert_true(c && e.dec);
  capture_open(c, true);
  for (unsigned round = 0; round < 5; round++) {
    float pcm[BLOCK] = {0};
    for (unsigned i = 0; i < 2 * 200; i++)
      capture_feed(c, pcm, BLOCK, on_packet, &e);
    unsigned before = e.packets;
    for (unsigned i = 0; i < 60; i++) { /* 300 ms: two whole frames at least */
      tone_make(pcm, BLOCK, 500, &phase, 0.3f);
      capture_feed(c, pcm, BLOCK, on_packet, &e);
    }
    assert_true(e.packets >= before + 2);
  }
  decoder_destroy(e.dec);
  capture_destroy(c);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_tier_changes_in_a_word),
                                     cmocka_unit_test(silence_costs_nothing),
                                     cmocka_unit_test(a_voice_ends_the_silence)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
