/* test_mixer_load.c: mixes that get cheaper under load and dearer on lossy lines: how many are heard, what
 * the packets hold, and that nothing else changes at such a turn. */
#include "tests/unit/server/mixer_kit.h"

#include <sndfile.h>
#include <stdio.h>

static void everyone_talks(struct kit *k, unsigned n) {
  kit_open(k);
  for (unsigned i = 0; i < n; i++) {
    struct person *p = kit_person(k, i + 1, 400 + 150 * i, 20);
    p->amplitude = 0.2f / (float)(i + 1);
    p->talking = true;
  }
}

/* Of COMMON, between two moments: the most who are heard at once, packets with LBRR, packets without. */
static void look(const struct kit *k, us_t from, us_t to, unsigned *heard, size_t *with, size_t *without) {
  *heard = 0;
  *with = *without = 0;
  for (size_t i = 0; i < k->n; i++) {
    const struct rec *r = &k->recs[i];
    if (r->out.stream != 0 || !r->out.mixed || r->at < from || r->at >= to) {
      continue;
    }
    *heard = r->out.n_from > *heard ? r->out.n_from : *heard;
    *(opus_has_fec(r->data, r->out.len) ? with : without) += 1;
  }
}

static double share(const struct kit *k, us_t from, us_t to, double freq) {
  static float pcm[5 * AUDIO_RATE];
  size_t n = kit_hear(k, 0, from, to, pcm, sizeof pcm / sizeof pcm[0]);
  assert_true(n > AUDIO_RATE / 2);
  return goertzel_share(pcm + AUDIO_MS(100), n - AUDIO_MS(100), freq);
}

static void test_fewer_are_mixed(void **state) {
  (void)state;
  struct kit k;
  unsigned heard;
  size_t with, without;
  everyone_talks(&k, 4);
  us_t at = k.now;
  kit_run(&k, 2000);
  look(&k, at + 1000 * US_PER_MS, k.now, &heard, &with, &without);
  assert_int_equal(heard, 4);
  assert_true(share(&k, at + 1000 * US_PER_MS, k.now, 850) > 0.02);

  mixer_set_load(k.m, MIXER_LOAD_MAX);
  at = k.now;
  kit_run(&k, 2000);
  look(&k, at + 100 * US_PER_MS, k.now, &heard, &with, &without);
  assert_int_equal(heard, 4 - MIXER_LOAD_MAX);
  assert_true(share(&k, at + 100 * US_PER_MS, k.now, 400) > 0.3); /* the loudest stay */
  assert_true(share(&k, at + 100 * US_PER_MS, k.now, 550) > 0.05);
  assert_true(share(&k, at + 100 * US_PER_MS, k.now, 850) < 0.001);
  assert_int_equal(mixer_stream_of(k.m, 4), 0); /* who is left out hears what all hear */

  mixer_set_load(k.m, 0);
  at = k.now;
  kit_run(&k, 1500);
  look(&k, at + 100 * US_PER_MS, k.now, &heard, &with, &without);
  assert_int_equal(heard, 4);
  kit_check_lengths(&k);
  kit_check_order(&k);
  kit_close(&k);
}

/* 16 kHz speech, each sample three times: LBRR is for voice only. Owned by the caller. */
static float *speech(const char *name, size_t *n) {
  char path[512];
  SF_INFO info = {0};
  snprintf(path, sizeof path, "%s/tests/data/%s", GAVEL_SRCDIR, name);
  SNDFILE *f = sf_open(path, SFM_READ, &info);
  assert_non_null(f);
  float *raw = calloc((size_t)info.frames, sizeof *raw), *pcm = calloc((size_t)info.frames, 3 * sizeof *pcm);
  assert_non_null(raw);
  assert_non_null(pcm);
  *n = 3 * (size_t)sf_readf_float(f, raw, info.frames);
  sf_close(f);
  for (size_t i = 0; i < *n; i++) {
    pcm[i] = raw[i / 3];
  }
  free(raw);
  return pcm;
}

/* What is lost on the last hop is in the next packet: when somebody needs it and there is time for it. */
static void test_redundancy_when_needed(void **state) {
  (void)state;
  static const struct {
    bool lossy;
    unsigned load;
    bool lbrr;
  } steps[] = {{false, 0, false}, {true, 0, true}, {true, 1, false}, {true, 0, true}, {false, 0, false}};
  struct kit k;
  unsigned heard;
  size_t with, without, n[2];
  float *pcm[2] = {speech("speech_a.wav", &n[0]), speech("speech_b.wav", &n[1])};
  everyone_talks(&k, 2);
  for (int i = 0; i < 2; i++) {
    k.people[i].pcm = pcm[i];
    k.people[i].pcm_len = n[i];
  }
  for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
    mixer_set_lossy(k.m, steps[i].lossy);
    mixer_set_load(k.m, steps[i].load);
    us_t at = k.now;
    kit_run(&k, 1000);
    look(&k, at + 200 * US_PER_MS, k.now, &heard, &with, &without);
    assert_int_equal(heard, 2);
    assert_true(with + without >= 30);
    assert_true(steps[i].lbrr ? with > without : with == 0);
  }
  kit_check_lengths(&k);
  kit_check_order(&k);
  kit_close(&k);
  free(pcm[0]);
  free(pcm[1]);
}

/* Two who talk to each other with nobody else there: nothing is decoded, let alone mixed, until somebody
 * comes. */
static void test_no_mix_for_nobody(void **state) {
  (void)state;
  struct kit k;
  struct mixer_counters n;
  everyone_talks(&k, 2);
  mixer_set_ears(k.m, k.now, 2);
  us_t at = k.now;
  kit_run(&k, 1000);
  mixer_counters(k.m, &n);
  assert_int_equal(n.decodes + n.encodes + n.codecs, 0);
  assert_in_range(kit_count(&k, 1, at + 100 * US_PER_MS, k.now), 43, 46); /* each hears the other */
  assert_in_range(kit_count(&k, 2, at + 100 * US_PER_MS, k.now), 43, 46);
  assert_int_equal(kit_count(&k, 0, at + 100 * US_PER_MS, k.now), 0);

  mixer_set_ears(k.m, k.now, 3); /* somebody comes in the middle of it */
  at = k.now;
  kit_run(&k, 1000);
  assert_in_range(kit_count(&k, 0, at, k.now), 45, 50);
  assert_true(share(&k, at + 200 * US_PER_MS, k.now, 400) > 0.5);
  assert_true(share(&k, at + 200 * US_PER_MS, k.now, 550) > 0.1);
  mixer_set_ears(k.m, k.now, 2); /* and leaves: what has begun ends with the overlap */
  kit_run(&k, 200);
  k.people[0].talking = false;
  at = k.now;
  kit_run(&k, 1000);
  assert_true(kit_count(&k, 0, at + 500 * US_PER_MS, k.now) >= 24); /* the one who is left is forwarded */
  k.people[0].talking = true;
  mixer_counters(k.m, &n);
  uint64_t encodes = n.encodes;
  kit_run(&k, 500);
  mixer_counters(k.m, &n);
  assert_int_equal(n.encodes, encodes);
  kit_check_lengths(&k);
  kit_check_order(&k);
  kit_close(&k);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_fewer_are_mixed),
      cmocka_unit_test(test_redundancy_when_needed),
      cmocka_unit_test(test_no_mix_for_nobody),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
