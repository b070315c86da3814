/* Speech as other programs send it: Opus in stereo, at their bitrate, in packets of 10 to 120 ms: passed on
 * untouched while one speaks, and in the mix once three do. */
#include "tests/unit/server/mixer_kit.h"

#include <math.h>
#include <opus/opus.h>

#define OTHER 9
#define FREQ 1300
#define LOUD_MS 1200
#define EAR_MAX (4 * AUDIO_RATE)

static const int FRAMES_MS[] = {10, 20, 40, 60, 80, 100, 120};
static float ear[EAR_MAX];

struct other {
  OpusEncoder *e;
  double phase;
  uint16_t seq;
  uint32_t ts;
  uint8_t last[BYTES_MAX];
  size_t len;
};

/* He speaks for `ms`, on the left side only. */
static void speak(struct kit *k, struct other *o, int frame_ms, int ms) {
  float pcm[2 * AUDIO_FRAME_MAX];
  int n = AUDIO_MS(frame_ms);
  for (int at = 0; at < ms; at += frame_ms) {
    for (int i = 0; i < n; i++, o->phase += 2 * M_PI * FREQ / AUDIO_RATE) {
      pcm[2 * i] = 0.5f * (float)sin(o->phase);
      pcm[2 * i + 1] = 0;
    }
    int len = opus_encode_float(o->e, pcm, n, o->last, sizeof o->last);
    assert_true(len > 2);
    o->len = (size_t)len;
    assert_int_equal(opus_packet_get_nb_channels(o->last), 2);
    struct mixer_in in = {.member = OTHER,
                          .seq = o->seq++,
                          .ts = o->ts,
                          .hears = true,
                          .payload = o->last,
                          .len = o->len}; /* and no level: many programs send none */
    o->ts += (uint32_t)n;
    mixer_put(k->m, k->now, &in);
    kit_run(k, frame_ms);
  }
}

static double share(const struct kit *k, uint32_t stream, us_t from, double freq) {
  size_t n = kit_hear(k, stream, from, k->now, ear, EAR_MAX);
  assert_true(n > AUDIO_MS(400));
  return goertzel_share(ear + AUDIO_MS(200), n - AUDIO_MS(200), freq);
}

static void passes(int frame_ms) {
  struct kit k;
  struct other o = {.seq = 65530, .ts = UINT32_MAX - 5000};
  int error;
  kit_open(&k);
  struct person *ann = kit_person(&k, 1, 400, 20), *bob = kit_person(&k, 2, 650, 20);
  o.e = opus_encoder_create(AUDIO_RATE, 2, OPUS_APPLICATION_AUDIO, &error);
  assert_int_equal(error, OPUS_OK);
  assert_int_equal(opus_encoder_ctl(o.e, OPUS_SET_BITRATE(frame_ms > 60 ? 64000 : 96000)), OPUS_OK);
  assert_int_equal(opus_encoder_ctl(o.e, OPUS_SET_FORCE_CHANNELS(2)), OPUS_OK);
  speak(&k, &o, frame_ms, LOUD_MS);
  assert_true(k.n > 0);
  const struct rec *r = &k.recs[k.n - 1];
  assert_true(r->out.stream == 0 && !r->out.mixed && r->out.samples == (uint32_t)AUDIO_MS(frame_ms));
  assert_int_equal(r->out.len, o.len);
  assert_memory_equal(r->data, o.last, o.len);
  assert_true(share(&k, 0, 0, FREQ) > 0.8);
  ann->talking = bob->talking = true;
  us_t from = k.now;
  speak(&k, &o, frame_ms, LOUD_MS);
  assert_true(k.recs[k.n - 1].out.mixed);
  assert_true(share(&k, 0, from, FREQ) > 0.05 && share(&k, 0, from, 400) > 0.05);
  assert_true(share(&k, 0, from, 650) > 0.05);
  assert_true(share(&k, 1, from, FREQ) > 0.05);     /* ann hears him */
  assert_true(share(&k, OTHER, from, FREQ) < 0.01); /* and he does not hear himself */
  assert_true(share(&k, OTHER, from, 400) > 0.05);
  kit_check_order(&k);
  opus_encoder_destroy(o.e);
  kit_close(&k);
}

static void test_any_frame_in_stereo(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof FRAMES_MS / sizeof FRAMES_MS[0]; i++)
    passes(FRAMES_MS[i]);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_any_frame_in_stereo)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
