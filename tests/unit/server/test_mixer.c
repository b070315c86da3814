/* test_mixer.c: who hears whom, by ear: each talker is a sine of his own, every stream is decoded and
 * searched for it. */
#include "tests/unit/server/mixer_kit.h"

#define HEARD 0.05 /* share of a stream's energy */
#define UNHEARD 0.004
#define EAR_MAX (10 * AUDIO_RATE)

static const double freqs[] = {400, 650, 950, 1300, 1700, 2150, 2650, 3200};
static float ear[EAR_MAX];

/* Share of freq in what a stream carried between two moments, without the first 60 ms (fades, decoder start).
 */
static double share_of(const struct kit *k, uint32_t stream, us_t from, us_t to, double freq) {
  size_t n = kit_hear(k, stream, from, to, ear, EAR_MAX);
  assert_true(n > AUDIO_MS(120));
  return goertzel_share(ear + AUDIO_MS(60), n - AUDIO_MS(60), freq);
}

static void assert_heard(const struct kit *k, uint32_t stream, us_t from, us_t to, double freq, bool heard) {
  double share = share_of(k, stream, from, to, freq);
  if (heard ? share < HEARD : share > UNHEARD) {
    fail_msg("stream %u: %.0f Hz has a share of %.4f, should be %s", stream, freq, share,
             heard ? "heard" : "absent");
  }
}

static void open_people(struct kit *k, size_t n, int frame_ms) {
  kit_open(k);
  for (size_t i = 0; i < n; i++) {
    kit_person(k, (uint32_t)i + 1, freqs[i], frame_ms);
  }
}

static void talk(struct kit *k, size_t n) {
  for (size_t i = 0; i < k->n_people; i++) {
    k->people[i].talking = i < n;
  }
}

static void test_silence_costs_nothing(void **state) {
  (void)state;
  struct kit k;
  open_people(&k, 2, 20);
  assert_true(mixer_next_timeout(k.m) == US_NEVER);
  const uint8_t dtx[] = {0x78};
  struct mixer_in in = {.member = 1, .has_level = true, .level = 127, .payload = dtx, .len = 1};
  mixer_put(k.m, k.now, &in);
  in.has_level = false;
  mixer_put(k.m, k.now, &in);
  assert_int_equal(k.n, 0);
  assert_true(mixer_next_timeout(k.m) == US_NEVER);
  talk(&k, 2);
  kit_run(&k, 1000);
  talk(&k, 0);
  kit_run(&k, 1000);
  us_t quiet = k.now;
  assert_int_equal(mixer_stream_of(k.m, 1), 0);
  in.has_level = true;
  for (int ms = 0; ms < MIXER_KEEP_MS + 500; ms += 400) {
    mixer_put(k.m, k.now, &in); /* the refreshes of DTX keep nothing alive */
    kit_run(&k, 400);
  }
  assert_int_equal(kit_count(&k, 0, quiet, k.now), 0);
  assert_true(mixer_next_timeout(k.m) == US_NEVER);
  struct mixer_counters c;
  mixer_counters(k.m, &c);
  assert_int_equal(c.codecs, 0);
  assert_true(c.encodes > 0 && c.decodes > 0);
  kit_close(&k);
}

static void test_one_is_forwarded_untouched(void **state) {
  (void)state;
  struct kit k;
  open_people(&k, 1, 20);
  talk(&k, 1);
  struct person *p = &k.people[0];
  for (int i = 0; i < 100; i++) { /* crosses the wrap of seq and ts */
    size_t before = k.n;
    kit_run(&k, 20);
    assert_int_equal(k.n, before + 1);
    const struct rec *r = &k.recs[before];
    assert_int_equal(r->out.stream, 0);
    assert_false(r->out.mixed);
    assert_int_equal(r->out.len, p->last_len);
    assert_memory_equal(r->data, p->last, p->last_len);
    assert_int_equal(r->out.marker, i == 0);
    assert_int_equal(r->out.n_from, 1);
    assert_int_equal(r->out.from[0], 1);
    if (i > 0) {
      assert_int_equal(r->out.seq, k.recs[before - 1].out.seq + 1);
      assert_true(r->out.pos == k.recs[before - 1].out.pos + 960);
    }
  }
  assert_int_equal(mixer_stream_of(k.m, 1), 1); /* and nothing was sent on it: he hears silence */
  struct mixer_counters c;
  mixer_counters(k.m, &c);
  assert_int_equal(c.forwarded, 100);
  assert_int_equal(c.codecs, 0);
  assert_int_equal(c.decodes + c.encodes, 0);
  kit_close(&k);
}

static void test_two_hear_each_other_untouched(void **state) {
  (void)state;
  struct kit k;
  open_people(&k, 2, 20);
  talk(&k, 2);
  kit_run(&k, 200);
  us_t from = k.now;
  kit_run(&k, 1000);
  for (size_t i = 0; i < k.n; i++) {
    const struct mixer_out *o = &k.recs[i].out;
    if (k.recs[i].at >= from) {
      assert_int_equal(o->mixed, o->stream == 0);
      assert_int_equal(o->n_from, o->stream == 0 ? 2 : 1);
      assert_true(o->stream == 0 || o->from[0] == 3 - o->stream);
    }
  }
  assert_heard(&k, 0, from, k.now, freqs[0], true);
  assert_heard(&k, 0, from, k.now, freqs[1], true);
  assert_heard(&k, 1, from, k.now, freqs[1], true);
  assert_heard(&k, 1, from, k.now, freqs[0], false);
  assert_heard(&k, 2, from, k.now, freqs[0], true);
  assert_heard(&k, 2, from, k.now, freqs[1], false);
  assert_int_equal(kit_count(&k, 1, from, k.now), 50);
  assert_int_equal(kit_count(&k, 0, from, k.now), 50);
  talk(&k, 1);
  kit_run(&k, 1000);
  assert_false(k.recs[k.n - 1].out.mixed);
  kit_check_lengths(&k);
  kit_close(&k);
}

static void check_three(const int frame_ms[3]) {
  struct kit k;
  kit_open(&k);
  for (uint32_t i = 0; i < 3; i++) {
    kit_person(&k, i + 1, freqs[i], frame_ms[i]);
  }
  talk(&k, 3);
  kit_run(&k, 400);
  us_t from = k.now;
  kit_run(&k, 1200);
  for (uint32_t s = 0; s <= 3; s++) {
    for (uint32_t i = 0; i < 3; i++) {
      assert_heard(&k, s, from, k.now, freqs[i], s != i + 1); /* mix-minus: no own voice */
    }
    assert_in_range(kit_count(&k, s, from, k.now), 59, 61);
    assert_int_equal(mixer_stream_of(k.m, s + 1), s < 3 ? s + 1 : 0);
  }
  us_t two = k.now;
  talk(&k, 2); /* and back: 1 and 2 by forwarding, COMMON mixed */
  kit_run(&k, 1000);
  assert_heard(&k, 1, two + 500 * US_PER_MS, k.now, freqs[1], true);
  assert_heard(&k, 1, two + 500 * US_PER_MS, k.now, freqs[0], false);
  assert_heard(&k, 0, two + 500 * US_PER_MS, k.now, freqs[2], false);
  for (size_t i = 0; i < k.n; i++) {
    assert_true(k.recs[i].at < two + 500 * US_PER_MS || k.recs[i].out.stream == 0 || !k.recs[i].out.mixed);
  }
  talk(&k, 1);
  kit_run(&k, 1000); /* and COMMON forwarded */
  if (frame_ms[0] >= 20 && frame_ms[1] >= 20 && frame_ms[2] >= 20) {
    kit_check_lengths(&k);
  }
  kit_check_order(&k);
  kit_close(&k);
}

static void test_three_get_mix_minus(void **state) {
  (void)state;
  static const int lengths[][3] = {{20, 20, 20},    {10, 10, 10}, {40, 40, 40}, {60, 60, 60},
                                   {120, 120, 120}, {10, 60, 20}, {120, 20, 40}};
  for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
    check_three(lengths[i]);
  }
}

static void test_loudest_are_mixed(void **state) {
  (void)state;
  struct kit k;
  open_people(&k, 6, 20);
  for (size_t i = 0; i < 4; i++) {
    k.people[i].amplitude = 0.15f;
  }
  k.people[4].amplitude = 0.02f; /* too quiet to displace anyone */
  talk(&k, 4);
  kit_run(&k, 1000);
  us_t first = k.now;
  talk(&k, 5);
  kit_run(&k, 400);
  assert_int_equal(mixer_stream_of(k.m, 5), 5); /* grace */
  kit_run(&k, 600);
  assert_int_equal(mixer_stream_of(k.m, 5), 0);
  us_t later = k.now;
  kit_run(&k, 600);
  for (size_t i = 0; i < 5; i++) {
    assert_heard(&k, 0, later, k.now, freqs[i], i < 4);
  }
  assert_int_equal(kit_count(&k, 5, later, k.now), 0);
  bool at_once = false;
  for (size_t i = 0; i < k.n; i++) {
    const struct rec *r = &k.recs[i];
    at_once |= r->at >= first && r->at <= first + 40 * US_PER_MS && r->out.stream == 0 && r->out.n_from == 5;
  }
  assert_true(at_once);
  k.people[0].amplitude = 0.02f; /* now he outdoes number 1 by far */
  k.people[4].amplitude = 0.3f;
  kit_run(&k, 2500);
  later = k.now;
  k.people[5].talking = true; /* and a sixth is heard in his grace time at once */
  kit_run(&k, 600);
  assert_heard(&k, 0, later, later + 400 * US_PER_MS, freqs[5], true);
  assert_in_range(kit_count(&k, 5, later, k.now), 28,
                  31); /* the loser gets COMMON, the winner his mix-minus */
  assert_heard(&k, 0, later, k.now, freqs[4], true);
  assert_heard(&k, 0, later, k.now, freqs[0], false);
  assert_int_equal(mixer_stream_of(k.m, 1), 0);
  kit_check_lengths(&k);
  kit_check_order(&k);
  kit_close(&k);
}

static void test_bad_network_keeps_order(void **state) {
  (void)state;
  static const int frame_ms[] = {20, 10, 60, 20, 120, 40};
  for (uint64_t seed = 1; seed <= 6; seed++) {
    struct kit k;
    kit_open(&k);
    for (uint32_t i = 0; i < 6; i++) {
      kit_person(&k, i + 1, freqs[i], frame_ms[i]);
    }
    k.chance = seed;
    k.loss_pct = 20;
    k.dup_pct = 10;
    k.delay_steps = 24; /* 0..60 ms: reorders up to three packets of 20 ms */
    for (int round = 0; round < 40; round++) {
      for (size_t i = 0; i < 6; i++) {
        k.people[i].talking = kit_chance(&k, 3) == 0;
      }
      if (round % 9 == 8) {
        mixer_silence(k.m, k.now, 1 + kit_chance(&k, 6));
      }
      kit_run(&k, 50 + (int)kit_chance(&k, 500));
    }
    struct mixer_counters c;
    mixer_counters(k.m, &c);
    assert_true(c.forwarded > 100 && c.mixed_frames > 100 && c.dropped > 10 && c.seams > 4);
    kit_check_order(&k);
    kit_close(&k);
  }
}

/* A lossy, jittery talker in the mix: what is lost is repaired, his tone is not torn to pieces, his delay
 * stays short. */
static void test_mix_rides_over_loss(void **state) {
  (void)state;
  struct kit k;
  open_people(&k, 2, 20);
  k.loss_pct = 10;
  k.delay_steps = 6;
  talk(&k, 2);
  kit_run(&k, 500);
  us_t from = k.now;
  kit_run(&k, 3000);
  assert_int_equal(kit_count(&k, 0, from, k.now), 150);
  assert_true(share_of(&k, 0, from, k.now, freqs[0]) + share_of(&k, 0, from, k.now, freqs[1]) > 0.2);
  k.people[0].talking = false;
  us_t stop = k.now;
  kit_run(&k, 1000);
  assert_heard(&k, 0, stop + 250 * US_PER_MS, k.now, freqs[0], false);
  kit_close(&k);
}

static void check_silenced(size_t talkers) {
  struct kit k;
  open_people(&k, talkers, 20);
  talk(&k, talkers);
  kit_run(&k, 1010);
  us_t at = k.now;
  k.people[0].talking = false;
  mixer_silence(k.m, k.now, 1);
  assert_int_equal(mixer_stream_of(k.m, 1), 0);
  size_t n = k.n;
  kit_run(&k, 600);
  assert_true(n > 0 && k.recs[0].at < at);
  size_t heard = kit_hear(&k, 0, at, k.now, ear, EAR_MAX);
  if (talkers == 1) {
    assert_int_equal(heard, 0);
  } else { /* from the very first sample, in steps of 10 ms */
    for (size_t i = 0; i < AUDIO_MS(200); i += AUDIO_MS(10)) {
      double share = goertzel_share(ear + i, AUDIO_MS(10), freqs[0]);
      assert_true(share < 0.05); /* ringing of the decoder's start after the seam, whoever was silenced */
      assert_true(share < goertzel_share(ear + i, AUDIO_MS(10), freqs[1]) / 4);
    }
  }
  for (size_t i = 0; i < k.n; i++) {
    for (unsigned f = 0; k.recs[i].at >= at && f < k.recs[i].out.n_from; f++) {
      assert_int_not_equal(k.recs[i].out.from[f], 1);
    }
  }
  if (talkers > 1) {
    kit_check_lengths(&k);
  }
  kit_check_order(&k);
  kit_close(&k);
}

static void test_silence_is_immediate(void **state) {
  (void)state;
  for (size_t talkers = 1; talkers <= 4; talkers++) {
    check_silenced(talkers);
  }
}

static void test_liars_displace_nobody(void **state) {
  (void)state;
  struct kit k;
  open_people(&k, 8, 20);
  for (size_t i = 4; i < 8; i++) {
    k.people[i].liar = true;
  }
  talk(&k, 4);
  kit_run(&k, 1000);
  us_t from = k.now;
  talk(&k, 8);
  kit_run(&k, 3000);
  for (size_t i = 0; i < 4; i++) {
    assert_heard(&k, 0, from, k.now, freqs[i], true);
    assert_int_equal(mixer_stream_of(k.m, (uint32_t)i + 1), i + 1);
  }
  for (uint32_t i = 5; i <= 8; i++) {
    assert_int_equal(mixer_stream_of(k.m, i), 0);
  }
  uint32_t who[16];
  uint8_t level[16];
  assert_int_equal(mixer_levels(k.m, who, level, 16), 4);
  k.people[6].liar = false; /* from now on he really speaks: believed by decoding */
  kit_run(&k, 200);
  assert_int_equal(mixer_stream_of(k.m, 7), 7);
  kit_close(&k);
}

static void test_shouting_does_not_clip(void **state) {
  (void)state;
  struct kit k;
  open_people(&k, 8, 20);
  for (size_t i = 0; i < 8; i++) {
    k.people[i].amplitude = 0.95f;
  }
  talk(&k, 8);
  kit_run(&k, 1000);
  us_t from = k.now;
  kit_run(&k, 1000);
  for (uint32_t s = 0; s <= 8; s++) {
    if (s != 0 && mixer_stream_of(k.m, s) == 0) {
      continue;
    }
    size_t n = kit_hear(&k, s, from, k.now, ear, EAR_MAX);
    double pure = 0;
    for (size_t i = 0; i < 8; i++) {
      pure += goertzel_share(ear + 4800, n - 4800, freqs[i]);
    }
    assert_true(pure > (s == 0 ? 0.93 : 0.9)); /* a hard clip of the same: 0.907 in COMMON */
  }
  kit_close(&k);
}

static void test_without_level_is_decoded(void **state) {
  (void)state;
  struct kit k;
  open_people(&k, 2, 20);
  k.people[0].no_level = k.people[1].no_level = true;
  k.people[0].amplitude = 0.0001f; /* sends, but says nothing */
  k.people[0].talking = true;
  kit_run(&k, 500);
  assert_int_equal(k.n, 0);
  k.people[0].amplitude = 0.2f;
  kit_run(&k, 100);
  assert_in_range(k.n, 4, 5); /* admitted with the first loud packet */
  assert_int_equal(mixer_stream_of(k.m, 1), 1);
  k.people[1].talking = true;
  kit_run(&k, 500);
  us_t from = k.now;
  kit_run(&k, 500);
  assert_heard(&k, 0, from, k.now, freqs[0], true);
  assert_heard(&k, 0, from, k.now, freqs[1], true);
  k.people[0].amplitude = 0.0001f;
  kit_run(&k, 700);
  assert_int_equal(mixer_stream_of(k.m, 1), 0);
  assert_int_equal(mixer_stream_of(k.m, 2), 2);
  kit_check_order(&k);
  kit_close(&k);
}

static void test_wild_timestamps(void **state) {
  (void)state;
  struct kit k;
  open_people(&k, 2, 20);
  talk(&k, 1);
  for (int i = 0; i < 60; i++) {
    kit_run(&k, 20 + (int)kit_chance(&k, 60));
    k.people[0].ts += kit_chance(&k, 2) ? kit_chance(&k, UINT32_MAX) : 0;
    k.people[0].seq = (uint16_t)(k.people[0].seq + (kit_chance(&k, 3) ? 0 : kit_chance(&k, 65536)));
    k.people[1].talking = i > 30;
  }
  uint64_t last = 0;
  uint32_t seq = 0;
  for (size_t i = 0; i < k.n; i++) {
    if (k.recs[i].out.stream == 0) {
      last = k.recs[i].out.pos;
      seq = k.recs[i].out.seq;
    }
  }
  uint64_t room = (uint64_t)(k.now - 1000 * US_PER_S) * 48 / 1000;
  assert_true(last < UINT64_C(48000000) + room + AUDIO_MS(60 * 1100)); /* at most a second for each jump */
  assert_true(seq < 60 * 64 + 400);
  kit_check_order(&k);
  kit_close(&k);
}

static void test_nonsense_is_dropped(void **state) {
  (void)state;
  struct kit k;
  open_people(&k, 2, 20);
  uint8_t junk[BYTES_MAX];
  struct mixer_counters c;
  struct mixer_in in = {.member = 9, .has_level = true, .voice = true, .payload = junk, .len = 0};
  mixer_put(k.m, k.now, &in);
  memset(junk, 0xff, sizeof junk); /* code 3 with 63 frames: longer than 120 ms */
  in.len = 100;
  mixer_put(k.m, k.now, &in);
  mixer_counters(k.m, &c);
  assert_int_equal(c.dropped, 2);
  assert_int_equal(k.n, 0);
  talk(&k, 2);
  for (int i = 0; i < 3000;
       i++) { /* chance bytes and numbers among two who talk: nothing breaks, order holds */
    in.len = kit_chance(&k, 60);
    for (size_t b = 0; b < in.len; b++) {
      junk[b] = (uint8_t)kit_chance(&k, 256);
    }
    in.member = 3 + kit_chance(&k, 40);
    in.seq = (uint16_t)kit_chance(&k, 20);
    in.ts = kit_chance(&k, 20) * 480;
    in.has_level = kit_chance(&k, 4) != 0;
    mixer_put(k.m, k.now, &in);
    kit_run(&k, i % 10 == 0 ? 5 : 0);
  }
  uint32_t who[64];
  uint8_t level[64];
  assert_true(mixer_levels(k.m, who, level, 64) <= MIXER_HEARD_MAX);
  kit_check_order(&k);
  kit_close(&k);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_silence_costs_nothing),
      cmocka_unit_test(test_one_is_forwarded_untouched),
      cmocka_unit_test(test_two_hear_each_other_untouched),
      cmocka_unit_test(test_three_get_mix_minus),
      cmocka_unit_test(test_loudest_are_mixed),
      cmocka_unit_test(test_bad_network_keeps_order),
      cmocka_unit_test(test_mix_rides_over_loss),
      cmocka_unit_test(test_silence_is_immediate),
      cmocka_unit_test(test_liars_displace_nobody),
      cmocka_unit_test(test_shouting_does_not_clip),
      cmocka_unit_test(test_without_level_is_decoded),
      cmocka_unit_test(test_wild_timestamps),
      cmocka_unit_test(test_nonsense_is_dropped),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
