/* What each tier's listeners get: packets untouched, joined, or coded anew; bytes on the wire; losses. */
#include "tests/unit/server/tiers_kit.h"

#define FULL (1U << TIER_FULL)
#define PACKED (1U << TIER_PACKED)
#define LOW (1U << TIER_LOW)
#define MIN (1U << TIER_MIN)
#define HEADERS (20 + 8 + 12 + 16) /* IPv4, UDP, RTP, GCM tag */

static float speech[N_MAX], other[N_MAX];
static size_t speech_n, other_n;

static int load(void **state) {
  (void)state;
  speech_n = speech_load("speech_a.wav", speech, N_MAX);
  other_n = speech_load("speech_b.wav", other, N_MAX);
  assert_true(speech_n > 4 * AUDIO_RATE && other_n > 4 * AUDIO_RATE);
  return 0;
}

/* CSRC list and the level element of RFC 6465, padded. */
static size_t wire_bytes(const struct rec *r) {
  size_t names = r->tier >= TIER_LOW && r->out.n_from > TIERS_NAMED ? TIERS_NAMED : r->out.n_from;
  return HEADERS + r->out.len + 4 * names + (names ? 4 + (1 + names + 3) / 4 * 4 : 0);
}

#define WINDOW (AUDIO_RATE + AUDIO_RATE / 5) /* whole packets of every tier */
/* The most in any window. */
static double wire_kbps(const struct kit *k, enum media_tier tier) {
  size_t most = 0;
  for (size_t i = 0; i < k->n; i++) {
    size_t bytes = 0;
    uint64_t from = k->recs[i].out.pos;
    for (size_t e = i; e < k->n && e < i + 100; e++)
      bytes += k->recs[e].tier == tier && k->recs[e].out.pos - from < WINDOW ? wire_bytes(&k->recs[e]) : 0;
    most = bytes > most ? bytes : most;
  }
  return (double)most * 8 * AUDIO_RATE / WINDOW / 1000;
}

/* No sample twice, none missing, numbers without holes: from the first packet to the end of what was said. */
static void assert_seamless(const struct kit *k, enum media_tier tier, uint64_t from, uint64_t to) {
  size_t n = kit_count(k, tier);
  uint64_t pos = from;
  for (size_t i = 0; i < n; i++) {
    const struct rec *r = kit_rec(k, tier, i);
    assert_int_equal(r->out.pos, pos);
    assert_int_equal(r->out.seq, kit_rec(k, tier, 0)->out.seq + i);
    assert_int_equal(opus_packet_samples(r->data, r->out.len), r->out.samples);
    pos += r->out.samples;
  }
  assert_true(pos >= to);
}

static void full_is_untouched(void **state) {
  (void)state;
  struct kit k;
  kit_open(&k);
  for (int i = 0; i < 10; i++) {
    uint8_t data[BYTES_MAX];
    struct mixer_out o = kit_make(&k, speech + i * AUDIO_FRAME, AUDIO_FRAME, data);
    tiers_put(k.t, k.now, &o, FULL);
    const struct rec *r = kit_rec(&k, TIER_FULL, (size_t)i);
    assert_int_equal(r->out.seq, o.seq);
    assert_int_equal(r->out.pos, o.pos);
    assert_int_equal(r->out.len, o.len);
    assert_memory_equal(r->data, data, o.len);
  }
  assert_int_equal(k.n, 10);
  assert_int_equal(tiers_next_timeout(k.t), US_NEVER);
  kit_close(&k);
}

/* Each packet decoded on its own and all joined ones decoded: the same sound, to the sample. */
static void packed_is_the_same_sound(void **state) {
  (void)state;
  struct kit k;
  kit_open(&k);
  kit_say(&k, speech, speech_n, FULL | PACKED, NULL);
  kit_until(&k, k.now + US_PER_S);
  struct decoder *a = decoder_create(), *b = decoder_create();
  static float one[N_MAX], two[N_MAX];
  size_t n = 0, m = 0;
  for (size_t i = 0; i < kit_count(&k, TIER_FULL); i++) {
    const struct rec *r = kit_rec(&k, TIER_FULL, i);
    n += (size_t)decoder_run(a, r->data, r->out.len, one + n);
  }
  for (size_t i = 0; i < kit_count(&k, TIER_PACKED); i++) {
    const struct rec *r = kit_rec(&k, TIER_PACKED, i);
    m += (size_t)decoder_run(b, r->data, r->out.len, two + m);
  }
  assert_int_equal(n, m);
  assert_memory_equal(one, two, n * sizeof one[0]);
  assert_seamless(&k, TIER_PACKED, 1000000, 1000000 + n);
  /* Nearly all are pairs: the coder seldom changes its configuration. */
  assert_true(kit_count(&k, TIER_PACKED) < kit_count(&k, TIER_FULL) * 6 / 10);
  for (size_t i = 0; i < k.n; i++) { /* no frame waited for longer than the next one needs */
    const struct rec *r = &k.recs[i];
    us_t said = T0 + (us_t)(r->out.pos - 1000000) * US_PER_MS / AUDIO_MS(1);
    assert_true(r->tier != TIER_PACKED || r->at - said <= 60 * US_PER_MS);
  }
  decoder_destroy(a);
  decoder_destroy(b);
  kit_close(&k);
}

static void packed_flushes_what_does_not_fit(void **state) {
  (void)state;
  struct kit k;
  kit_open(&k);
  uint8_t a[BYTES_MAX], b[BYTES_MAX], c[BYTES_MAX];
  struct mixer_out one = kit_make(&k, speech, AUDIO_FRAME, a);
  struct mixer_out ten = kit_make(&k, speech + AUDIO_FRAME, AUDIO_MS(10), b); /* another length */
  struct mixer_out two = kit_make(&k, speech + 2 * AUDIO_FRAME, AUDIO_FRAME, c);
  tiers_put(k.t, k.now, &one, PACKED);
  assert_int_equal(k.n, 0);
  tiers_put(k.t, k.now, &ten, PACKED);
  assert_int_equal(k.n, 2);
  tiers_put(k.t, k.now, &two, PACKED);
  assert_int_equal(k.n, 2);
  uint8_t dtx = c[0];
  struct mixer_out silence = k.next; /* only says silence */
  silence.samples = AUDIO_FRAME;
  silence.payload = &dtx;
  silence.len = 1;
  tiers_put(k.t, k.now, &silence, PACKED);
  assert_int_equal(k.n, 4);
  assert_seamless(&k, TIER_PACKED, 1000000, k.next.pos + AUDIO_FRAME);
  kit_close(&k);
}

static void packed_keeps_the_numbers_of_the_lost(void **state) {
  (void)state;
  struct kit k;
  kit_open(&k);
  static uint8_t data[10][BYTES_MAX];
  struct mixer_out o[10];
  for (int i = 0; i < 10; i++)
    o[i] = kit_make(&k, speech + i * AUDIO_FRAME, AUDIO_FRAME, data[i]);
  static const int order[] = {0, 1, 2, 5, 6, 4, 7, 3}; /* 3 and 4 are late */
  for (size_t i = 0; i < 8; i++) {
    kit_until(&k, k.now + 20 * US_PER_MS);
    tiers_put(k.t, k.now, &o[order[i]], PACKED);
  }
  tiers_put(k.t, k.now, &o[4], PACKED); /* seen before */
  kit_until(&k, k.now + US_PER_S);
  uint32_t first = kit_rec(&k, TIER_PACKED, 0)->out.seq;
  static const struct {
    uint32_t seq, pos, frames;
  } want[] = {{0, 0, 2}, {1, 2, 1}, {4, 5, 2}, {3, 4, 1}, {2, 3, 1}, {5, 7, 1}};
  assert_int_equal(k.n, 6);
  for (size_t i = 0; i < 6; i++) {
    const struct rec *r = kit_rec(&k, TIER_PACKED, i);
    assert_int_equal(r->out.seq - first, want[i].seq);
    assert_int_equal(r->out.pos - 1000000, want[i].pos * AUDIO_FRAME);
    assert_int_equal(r->out.samples, want[i].frames * AUDIO_FRAME);
  }
  kit_close(&k);
}

/* ---- low and min ---- */

static double energy(const float *pcm, size_t n) {
  double e = 1e-6;
  for (size_t i = 0; i < n; i++)
    e += (double)pcm[i] * (double)pcm[i];
  return 10 * log10(e / (double)n);
}

/* The coded sound, where it belongs on the time line. */
static void hear(const struct kit *k, enum media_tier tier, float *out, size_t cap) {
  struct decoder *d = decoder_create();
  float pcm[AUDIO_FRAME_MAX];
  memset(out, 0, cap * sizeof out[0]);
  for (size_t i = 0; i < kit_count(k, tier); i++) {
    const struct rec *r = kit_rec(k, tier, i);
    size_t at = (size_t)(r->out.pos - 1000000);
    int n = decoder_run(d, r->data, r->out.len, pcm);
    assert_int_equal(n, r->out.samples);
    for (size_t s = 0; s < (size_t)n && at + s < cap; s++)
      out[at + s] = pcm[s];
  }
  decoder_destroy(d);
}

/* The share of loud stretches of 60 ms that come out within 6 dB: nothing is missing, nothing bursts. */
static double alike(const float *said, const float *heard, size_t n) {
  size_t loud = 0, ok = 0, size = AUDIO_MS(60);
  for (size_t at = size; at + 2 * size <= n; at += size) {
    double a = energy(said + at, size), b = energy(heard + at + 624, size); /* two Opus look-aheads */
    loud += a > -40;
    ok += a > -40 && fabs(a - b) < 6;
  }
  assert_true(loud > 20);
  return (double)ok / (double)loud;
}

static void coded_is_the_same_speech(void **state) {
  (void)state;
  static float heard[N_MAX];
  struct kit k;
  kit_open(&k);
  kit_say(&k, speech, speech_n, LOW | MIN, NULL);
  kit_until(&k, k.now + US_PER_S);
  for (enum media_tier tier = TIER_LOW; tier <= TIER_MIN; tier++) {
    for (size_t i = 0; i < kit_count(&k, tier); i++) {
      const struct rec *r = kit_rec(&k, tier, i);
      us_t end = T0 + (us_t)(r->out.pos + r->out.samples - 1000000) * US_PER_MS / AUDIO_MS(1);
      assert_int_equal(r->out.samples, AUDIO_MS(tier_info(tier)->ptime_ms));
      assert_true(r->at <= end + 80 * US_PER_MS);
      assert_int_equal(r->out.n_from, 1);
      assert_int_equal(r->out.from[0], 7);
    }
    hear(&k, tier, heard, N_MAX);
    assert_true(alike(speech, heard, speech_n) > 0.9); /* a few sounds lie above what 7 kb/s carry */
  }
  struct tiers_counters c;
  tiers_counters(k.t, &c);
  assert_int_equal(c.decodes, speech_n / AUDIO_FRAME); /* once, for both tiers */
  kit_close(&k);
}

/* Speech as it is, and the same without its pauses: the worst second of it too. */
static void bytes_on_the_wire(void **state) {
  (void)state;
  static const struct {
    enum media_tier tier;
    double kbps;
  } bound[] = {{TIER_LOW, 20}, {TIER_MIN, 12}};
  for (size_t voice = 0; voice < 2; voice++) {
    for (unsigned people = 1; people <= MIXER_HEARD_MAX; people++) {
      struct kit k;
      kit_open(&k);
      k.next.n_from = people;
      for (unsigned i = 0; i < people; i++) {
        k.next.from[i] = i + 1;
        k.next.level[i] = (uint8_t)(40 - i);
      }
      kit_say(&k, voice ? other : speech, voice ? other_n : speech_n, LOW | MIN, NULL);
      kit_until(&k, k.now + US_PER_S);
      for (size_t i = 0; i < 2; i++) {
        double kbps = wire_kbps(&k, bound[i].tier);
        print_message("%s, %u heard: %.2f kb/s\n", tier_info(bound[i].tier)->name, people, kbps);
        assert_true(kbps < bound[i].kbps - 0.2); /* RTCP */
        const struct rec *r = kit_rec(&k, bound[i].tier, 1);
        assert_int_equal(r->out.n_from, people);
        assert_int_equal(r->out.from[0], people); /* the loudest */
      }
      kit_close(&k);
    }
  }
}

static bool every_eighth(size_t i) {
  return i % 8 == 5;
}

static bool bursts(size_t i) {
  return i % 25 >= 20;
}

static void losses_are_made_good(void **state) {
  (void)state;
  static float heard[N_MAX];
  struct kit k;
  kit_open(&k);
  kit_say(&k, speech, speech_n, LOW | MIN, every_eighth);
  kit_until(&k, k.now + US_PER_S);
  for (enum media_tier tier = TIER_LOW; tier <= TIER_MIN; tier++) {
    hear(&k, tier, heard, N_MAX);
    assert_true(alike(speech, heard, speech_n) > 0.9); /* LBRR */
  }
  struct tiers_counters c;
  tiers_counters(k.t, &c);
  assert_true(c.decodes > speech_n / AUDIO_FRAME * 95 / 100); /* LBRR counts as one */
  kit_close(&k);
  kit_open(&k);
  kit_say(&k, speech, AUDIO_FRAME * 200, LOW | MIN, bursts); /* 100 ms each half second */
  kit_until(&k, k.now + US_PER_S);
  assert_seamless(&k, TIER_MIN, 1000000, 1000000 + AUDIO_FRAME * 195);
  kit_close(&k);
}

static void late_ones_are_waited_for(void **state) {
  (void)state;
  static float there[N_MAX], here[N_MAX];
  for (int shaken = 0; shaken < 2; shaken++) {
    struct kit k;
    kit_open(&k);
    static uint8_t data[N_MAX / AUDIO_FRAME][BYTES_MAX];
    static struct mixer_out o[N_MAX / AUDIO_FRAME];
    size_t n = speech_n / AUDIO_FRAME / 3 * 3;
    for (size_t i = 0; i < n; i++)
      o[i] = kit_make(&k, speech + i * AUDIO_FRAME, AUDIO_FRAME, data[i]);
    for (size_t i = 0; i < n; i++) { /* of three the first comes last */
      kit_until(&k, k.now + 20 * US_PER_MS);
      size_t which = shaken && i > 2 ? (i % 3 == 2 ? i - 2 : i + 1) : i;
      tiers_put(k.t, k.now, &o[which], LOW);
    }
    kit_until(&k, k.now + US_PER_S);
    hear(&k, TIER_LOW, shaken ? here : there, N_MAX);
    struct tiers_counters c;
    tiers_counters(k.t, &c);
    assert_int_equal(c.decodes, n);
    kit_close(&k);
  }
  assert_memory_equal(there, here, sizeof there);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(full_is_untouched),
      cmocka_unit_test(packed_is_the_same_sound),
      cmocka_unit_test(packed_flushes_what_does_not_fit),
      cmocka_unit_test(packed_keeps_the_numbers_of_the_lost),
      cmocka_unit_test(coded_is_the_same_speech),
      cmocka_unit_test(bytes_on_the_wire),
      cmocka_unit_test(losses_are_made_good),
      cmocka_unit_test(late_ones_are_waited_for),
  };
  return cmocka_run_group_tests(tests, load, NULL);
}
