/* codec: every frame length, FEC against PLC, DTX, and bytes that are not Opus. */
#include "audio/codec.h"
#include "audio/dsp.h"

#include <math.h>
#include <opus/opus.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* needs the ones above */

static const struct encoder_config plain = {.bitrate = 24000, .complexity = 5};
static float pcm[AUDIO_FRAME_MAX];
static float out[AUDIO_FRAME_MAX];
static uint8_t packet[AUDIO_PACKET_MAX];

static double rms(const float *x, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) {
    sum += (double)x[i] * (double)x[i];
  }
  return sqrt(sum / (double)n);
}

static void test_all_lengths(void **state) {
  (void)state;
  const int tenths[] = {25, 50, 100, 200, 400, 600, 800, 1000, 1200};
  for (size_t i = 0; i < sizeof tenths / sizeof *tenths; i++) {
    struct encoder *e = encoder_create(&plain);
    struct decoder *d = decoder_create();
    int n = tenths[i] * AUDIO_RATE / 10000;
    double phase = 0;
    for (int frame = 0; frame < 2 + 9600 / n; frame++) {
      tone_make(pcm, (size_t)n, 600, &phase, 0.3f);
      int len = encoder_run(e, pcm, (size_t)n, packet, sizeof packet);
      assert_in_range(len, 3, AUDIO_PACKET_MAX);
      assert_int_equal(opus_packet_samples(packet, (size_t)len), n);
      assert_int_equal(decoder_run(d, packet, (size_t)len, out), n);
    }
    assert_true(rms(out, (size_t)n) > 0.15);
    if (n >= AUDIO_MS(10)) {
      assert_true(goertzel_share(out, (size_t)n, 600) > 0.9);
    }
    encoder_destroy(e);
    decoder_destroy(d);
  }
}

static void test_refuses_bad_arguments(void **state) {
  (void)state;
  struct encoder_config bad = plain;
  bad.bitrate = 0;
  assert_null(encoder_create(&bad));
  bad = plain;
  bad.complexity = 11;
  assert_null(encoder_create(&bad));
  bad = plain;
  bad.loss_pct = 101;
  assert_null(encoder_create(&bad));
  struct encoder *e = encoder_create(&plain);
  memset(pcm, 0, sizeof pcm);
  assert_int_equal(encoder_run(e, pcm, 0, packet, sizeof packet), -1);
  assert_int_equal(encoder_run(e, pcm, 961, packet, sizeof packet), -1);
  assert_int_equal(encoder_run(e, pcm, AUDIO_MS(140), packet, sizeof packet), -1);
  assert_int_equal(encoder_run(e, pcm, AUDIO_FRAME, packet, 0), -1);
  encoder_set(e, &bad); /* changes nothing */
  assert_true(encoder_run(e, pcm, AUDIO_FRAME, packet, sizeof packet) > 0);
  encoder_destroy(e);
  struct decoder *d = decoder_create();
  assert_int_equal(decoder_plc(d, out, AUDIO_FRAME_MAX + 120), -1);
  assert_int_equal(decoder_plc(d, out, 100), -1);
  assert_int_equal(decoder_plc(d, out, 0), -1);
  assert_int_equal(decoder_plc(d, out, AUDIO_FRAME), AUDIO_FRAME);
  decoder_destroy(d);
  encoder_destroy(NULL);
  decoder_destroy(NULL);
}

/* vowel: a voiced sound whose pitch and strength move, so that PLC cannot guess a frame from the one before.
 */
static void vowel(float *x, size_t n, double *phase, double *time) {
  for (size_t i = 0; i < n; i++) {
    double pitch = 140.0 + 60.0 * sin(*time * 19.0);
    *phase += 6.283185307 * pitch / AUDIO_RATE;
    *time += 1.0 / AUDIO_RATE;
    double swing = 0.6 + 0.4 * sin(*time * 29.0);
    x[i] = (float)(swing * (0.2 * sin(*phase) + 0.12 * sin(2 * *phase) + 0.08 * sin(5 * *phase)));
  }
}

#define LOST_EVERY 5
#define FRAMES 200

/* repaired_error: mean square error over the lost frames against the decoder that lost nothing. */
static double repaired_error(bool use_fec, int frame_ms, int *with_fec) {
  struct encoder_config c = {.bitrate = 24000, .complexity = 5, .loss_pct = 20};
  struct encoder *e = encoder_create(&c);
  struct decoder *whole = decoder_create();
  struct decoder *lossy = decoder_create();
  size_t n = (size_t)AUDIO_MS(frame_ms);
  static float want[AUDIO_FRAME_MAX];
  static float ignored[AUDIO_FRAME_MAX];
  double phase = 0;
  double time = 0;
  double error = 0;
  *with_fec = 0;
  for (int frame = 0; frame < FRAMES; frame++) {
    vowel(pcm, n, &phase, &time);
    int len = encoder_run(e, pcm, n, packet, sizeof packet);
    assert_true(len > 0);
    if (frame % LOST_EVERY == 4) {
      assert_int_equal(decoder_run(whole, packet, (size_t)len, want), n);
      continue;
    }
    if (frame > 10 && frame % LOST_EVERY == 0) {
      *with_fec += opus_has_fec(packet, (size_t)len);
      int got = use_fec ? decoder_fec(lossy, packet, (size_t)len, out, n) : decoder_plc(lossy, out, n);
      assert_int_equal(got, n);
      for (size_t i = 0; i < n; i++) {
        error += pow((double)out[i] - (double)want[i], 2);
      }
    }
    assert_int_equal(decoder_run(whole, packet, (size_t)len, ignored), n);
    assert_int_equal(decoder_run(lossy, packet, (size_t)len, ignored), n);
  }
  encoder_destroy(e);
  decoder_destroy(whole);
  decoder_destroy(lossy);
  return error;
}

static void test_fec_beats_plc(void **state) {
  (void)state;
  const int lengths[] = {20, 40, 60};
  for (size_t i = 0; i < 3; i++) {
    int with_fec = 0;
    double plc = repaired_error(false, lengths[i], &with_fec);
    double fec = repaired_error(true, lengths[i], &with_fec);
    assert_true(with_fec > 20); /* Opus leaves LBRR out where it finds little voice */
    assert_true(fec < plc / 3);
  }
}

static void test_fec_flag_is_off_without_loss(void **state) {
  (void)state;
  struct encoder *e = encoder_create(&plain);
  double phase = 0;
  double time = 0;
  for (int frame = 0; frame < 50; frame++) {
    vowel(pcm, AUDIO_FRAME, &phase, &time);
    int len = encoder_run(e, pcm, AUDIO_FRAME, packet, sizeof packet);
    assert_true(len > 0);
    assert_false(opus_has_fec(packet, (size_t)len));
  }
  encoder_destroy(e);
}

static void test_fec_flag_bits(void **state) {
  (void)state;
  const struct {
    uint8_t bytes[4];
    size_t n;
    bool fec;
  } cases[] = {
      {{9 << 3, 0x40, 0, 0}, 4, true},  /* SILK WB 20 ms mono: VAD 0, LBRR 1 */
      {{9 << 3, 0x80, 0, 0}, 4, false}, /* VAD only */
      {{11 << 3, 0x10, 0, 0}, 4, true}, /* 60 ms: three VAD flags first */
      {{11 << 3, 0xe0, 0, 0}, 4, false},    {{10 << 3, 0x20, 0, 0}, 4, true}, /* 40 ms: two */
      {{9 << 3 | 4, 0x10, 0, 0}, 4, true},                                    /* stereo: the side's flag */
      {{9 << 3 | 4, 0x20, 0, 0}, 4, false},                                   /* stereo: the side's VAD */
      {{13 << 3, 0x40, 0, 0}, 4, true},                                       /* hybrid */
      {{20 << 3, 0xff, 0xff, 0}, 4, false},                                   /* CELT has none */
      {{9 << 3, 0, 0, 0}, 1, false},                                          /* DTX */
      {{9 << 3 | 1, 0x40, 0, 0}, 3, true},  /* two frames of one byte: the first counts */
      {{9 << 3 | 3, 0x3f, 0, 0}, 4, false}, /* 63 frames: not Opus */
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    assert_int_equal(opus_has_fec(cases[i].bytes, cases[i].n), cases[i].fec);
  }
  assert_false(opus_has_fec(NULL, 0));
}

static void test_dtx_goes_silent(void **state) {
  (void)state;
  struct encoder_config c = plain;
  c.dtx = true;
  struct encoder *e = encoder_create(&c);
  memset(pcm, 0, sizeof pcm);
  int silent = 0;
  for (int frame = 0; frame < 100; frame++) {
    int len = encoder_run(e, pcm, AUDIO_FRAME, packet, sizeof packet);
    assert_true(len > 0);
    silent += opus_is_dtx(packet, (size_t)len);
  }
  assert_true(silent > 60);
  double phase = 0;
  tone_make(pcm, AUDIO_FRAME, 300, &phase, 0.3f);
  int len = encoder_run(e, pcm, AUDIO_FRAME, packet, sizeof packet);
  assert_false(opus_is_dtx(packet, (size_t)len));
  encoder_destroy(e);
}

static void test_stereo_is_folded(void **state) {
  (void)state;
  int status = 0;
  OpusEncoder *e = opus_encoder_create(AUDIO_RATE, 2, OPUS_APPLICATION_AUDIO, &status);
  struct decoder *d = decoder_create();
  static float stereo[2 * AUDIO_FRAME];
  double left = 0;
  double right = 0;
  for (int frame = 0; frame < 20; frame++) {
    tone_make(pcm, AUDIO_FRAME, 500, &left, 0.4f);
    tone_make(out, AUDIO_FRAME, 1500, &right, 0.4f);
    for (int i = 0; i < AUDIO_FRAME; i++) {
      stereo[2 * i] = pcm[i];
      stereo[2 * i + 1] = out[i];
    }
    opus_int32 len = opus_encode_float(e, stereo, AUDIO_FRAME, packet, sizeof packet);
    assert_true(len > 0);
    assert_int_equal(decoder_run(d, packet, (size_t)len, out), AUDIO_FRAME);
  }
  assert_true(goertzel_share(out, AUDIO_FRAME, 500) > 0.4);
  assert_true(goertzel_share(out, AUDIO_FRAME, 1500) > 0.4);
  opus_encoder_destroy(e);
  decoder_destroy(d);
}

static void test_garbage(void **state) {
  (void)state;
  struct decoder *d = decoder_create();
  uint32_t seed = 12345;
  int accepted = 0;
  for (int round = 0; round < 3000; round++) {
    uint8_t bytes[200];
    size_t n = (size_t)round % sizeof bytes;
    for (size_t i = 0; i < n; i++) {
      seed = seed * 1664525u + 1013904223u;
      bytes[i] = (uint8_t)(seed >> 24);
    }
    int samples = opus_packet_samples(bytes, n);
    int got = decoder_run(d, bytes, n, out);
    assert_true(got == -1 || got == samples);
    for (int i = 0; i < got; i++) {
      assert_true(fabsf(out[i]) <= 1.0f);
    }
    accepted += got > 0;
  }
  assert_true(accepted > 100 && accepted < 2999);
  assert_int_equal(decoder_run(d, packet, 0, out), -1);
  assert_int_equal(opus_packet_samples(packet, 0), -1);
  assert_int_equal(opus_packet_samples((const uint8_t[]){11 << 3 | 3, 3}, 2), -1); /* 180 ms */
  decoder_destroy(d);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_all_lengths),      cmocka_unit_test(test_refuses_bad_arguments),
      cmocka_unit_test(test_fec_beats_plc),    cmocka_unit_test(test_fec_flag_is_off_without_loss),
      cmocka_unit_test(test_fec_flag_bits),    cmocka_unit_test(test_dtx_goes_silent),
      cmocka_unit_test(test_stereo_is_folded), cmocka_unit_test(test_garbage),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
