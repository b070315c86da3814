/* Concealment of long losses of a loud tone: it fades, ends, and comes back without a step. */
#include "core/server/conceal.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define PACKETS 100
#define SILENT 50
#define LOUD 70
#define STEP 0.06f /* of a tone of 0.3 at 440 Hz, sample to sample: 0.017; twice that of its harmonics */

static struct {
  int len;
  uint8_t p[AUDIO_PACKET_MAX];
} sent[PACKETS];

static int make(void **state) {
  (void)state;
  struct encoder_config c = {.bitrate = 32000, .complexity = 5, .loss_pct = 20};
  struct encoder *e = encoder_create(&c);
  assert_non_null(e);
  for (int i = 0; i < PACKETS; i++) {
    float pcm[AUDIO_FRAME];
    for (int s = 0; s < AUDIO_FRAME; s++)
      pcm[s] = (i >= SILENT && i < LOUD ? 0 : 0.3f) *
               (float)sin(2 * M_PI * 440 * (i * AUDIO_FRAME + s) / AUDIO_RATE);
    sent[i].len = encoder_run(e, pcm, AUDIO_FRAME, sent[i].p, sizeof sent[i].p);
    assert_true(sent[i].len > 2);
  }
  encoder_destroy(e);
  return 0;
}

static float peak(const float *pcm, size_t n) {
  float most = 0;
  for (size_t i = 0; i < n; i++)
    most = fmaxf(most, fabsf(pcm[i]));
  return most;
}

static void no_steps(const float *pcm, size_t n) {
  for (size_t i = 1; i < n; i++)
    assert_true(fabsf(pcm[i] - pcm[i - 1]) < STEP);
}

static size_t decode(struct decoder *d, struct conceal *c, int at, float *out) {
  float pcm[AUDIO_FRAME_MAX];
  int n = decoder_run(d, sent[at].p, (size_t)sent[at].len, pcm);
  assert_int_equal(n, AUDIO_FRAME);
  conceal_end(c, pcm, AUDIO_FRAME);
  memcpy(out, pcm, sizeof(float) * AUDIO_FRAME);
  return AUDIO_FRAME;
}

static void a_long_loss_fades_and_ends(void **state) {
  (void)state;
  struct decoder *d = decoder_create();
  struct conceal c = {0};
  static float out[PACKETS * AUDIO_FRAME];
  size_t n = 0;
  for (int i = 0; i < 20; i++)
    n += decode(d, &c, i, out + n);
  size_t lost = n;
  for (int i = 20; i < 35; i++, n += AUDIO_FRAME)
    conceal_more(&c, d, out + n, AUDIO_FRAME);
  assert_true(peak(out + lost, AUDIO_MS(20)) > 0.1f);
  assert_true(peak(out + lost + AUDIO_MS(100), AUDIO_MS(200)) == 0.0f);
  size_t back = n;
  for (int i = 35; i < 50; i++)
    n += decode(d, &c, i, out + n);
  assert_true(peak(out + back + AUDIO_MS(40), AUDIO_MS(100)) > 0.2f);
  no_steps(out + lost - AUDIO_FRAME, n - lost + AUDIO_FRAME);
  decoder_destroy(d);
}

/* Three packets lost, of which the last was the first loud one: the next packet knows it. */
static void the_last_lost_is_in_the_next(void **state) {
  (void)state;
  float pcm[AUDIO_MS(60)];
  struct decoder *d = decoder_create();
  struct conceal c = {0};
  const uint8_t *next = sent[LOUD + 1].p;
  size_t len = (size_t)sent[LOUD + 1].len;
  assert_true(opus_has_fec(next, len));
  for (int i = 0; i < LOUD - 2; i++)
    (void)decode(d, &c, i, pcm);
  assert_true(conceal_before(&c, d, next, len, AUDIO_FRAME, pcm, AUDIO_MS(60)));
  assert_int_equal(c.made, 0);
  assert_true(peak(pcm, AUDIO_MS(40)) < 0.05f);
  assert_true(peak(pcm + AUDIO_MS(40), AUDIO_FRAME) > 0.1f);
  assert_false(conceal_before(&c, d, next, len, AUDIO_MS(120), pcm, AUDIO_MS(60)));
  assert_int_equal(c.made, AUDIO_MS(60));
  decoder_destroy(d);
}

static void odd_lengths(void **state) {
  (void)state;
  struct decoder *d = decoder_create();
  struct conceal c = {0};
  float pcm[AUDIO_FRAME_MAX];
  (void)decode(d, &c, 0, pcm);
  static const size_t lengths[] = {1, CONCEAL_GRAIN - 1, CONCEAL_GRAIN + 1, AUDIO_FRAME + 7, AUDIO_FRAME_MAX};
  for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
    for (size_t s = 0; s < AUDIO_FRAME_MAX; s++)
      pcm[s] = 9;
    conceal_more(&c, d, pcm, lengths[i]);
    assert_true(peak(pcm, lengths[i]) <= 1);
    assert_true(lengths[i] == AUDIO_FRAME_MAX || pcm[lengths[i]] == 9);
  }
  decoder_destroy(d);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_long_loss_fades_and_ends),
      cmocka_unit_test(the_last_lost_is_in_the_next),
      cmocka_unit_test(odd_lengths),
  };
  return cmocka_run_group_tests(tests, make, NULL);
}
