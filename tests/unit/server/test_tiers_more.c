/* Pauses, timers, numbers over the life of streams, and copies (RFC 2198) of what a tier sent. */
#include "core/wire/red.h"
#include "tests/unit/server/tiers_kit.h"

#define FULL (1U << TIER_FULL)
#define PACKED (1U << TIER_PACKED)
#define LOW (1U << TIER_LOW)
#define MIN (1U << TIER_MIN)
#define ALL (FULL | PACKED | LOW | MIN)

static float speech[N_MAX];
static size_t speech_n;

static int load(void **state) {
  (void)state;
  speech_n = speech_load("speech_a.wav", speech, N_MAX);
  return speech_n < 4 * AUDIO_RATE;
}

static const struct rec *last(const struct kit *k, enum media_tier tier) {
  return kit_rec(k, tier, kit_count(k, tier) - 1);
}

static void pauses_cost_nothing(void **state) {
  (void)state;
  struct kit k;
  kit_open(&k);
  kit_say(&k, speech, 10 * AUDIO_FRAME, ALL, NULL); /* 200 ms: neither 60 nor 120 divide it */
  kit_until(&k, k.now + 500 * US_PER_MS);
  size_t n = k.n;
  for (enum media_tier t = TIER_FULL; t < TIER_N; t++) { /* all of it is out */
    assert_true(last(&k, t)->out.pos + last(&k, t)->out.samples >= 1000000 + 10 * AUDIO_FRAME);
    assert_true(last(&k, t)->out.pos < 1000000 + 10 * AUDIO_FRAME);
  }
  kit_until(&k, k.now + 3 * US_PER_S);
  assert_int_equal(k.n, n);
  k.next.pos += AUDIO_RATE; /* a second on the stream's time line */
  kit_say(&k, speech, 12 * AUDIO_FRAME, ALL, NULL);
  for (enum media_tier t = TIER_LOW; t < TIER_N; t++) {
    for (size_t i = 1; i < kit_count(&k, t); i++) {
      const struct rec *a = kit_rec(&k, t, i - 1), *b = kit_rec(&k, t, i);
      assert_int_equal(b->out.seq, a->out.seq + 1); /* a pause is no loss */
      assert_true(b->out.pos >= a->out.pos + a->out.samples);
    }
    assert_int_equal(last(&k, t)->out.pos + last(&k, t)->out.samples, k.next.pos);
  }
  kit_close(&k);
}

/* A talker whose packets come too late: what was filled up with silence is not sent again. */
static void a_stall_is_no_repeat(void **state) {
  (void)state;
  struct kit k;
  kit_open(&k);
  kit_say(&k, speech, 10 * AUDIO_FRAME, LOW, NULL);
  kit_until(&k, k.now + 300 * US_PER_MS);
  kit_say(&k, speech + 10 * AUDIO_FRAME, 11 * AUDIO_FRAME, LOW, NULL);
  kit_until(&k, k.now + 300 * US_PER_MS);
  uint64_t pos = 1000000;
  for (size_t i = 0; i < kit_count(&k, TIER_LOW); i++) {
    assert_int_equal(kit_rec(&k, TIER_LOW, i)->out.pos, pos);
    pos += AUDIO_MS(60);
  }
  assert_int_equal(pos, 1000000 + AUDIO_MS(420));
  kit_close(&k);
}

/* Silence that the talker sends: our coders stop sending it. */
static void silence_is_not_coded(void **state) {
  (void)state;
  static const float quiet[4 * AUDIO_RATE];
  struct kit k;
  kit_open(&k);
  kit_say(&k, speech, AUDIO_RATE, LOW | MIN, NULL);
  kit_say(&k, quiet, AUDIO_RATE, LOW | MIN, NULL);
  size_t n = k.n;
  kit_say(&k, quiet, 3 * AUDIO_RATE, LOW | MIN, NULL);
  assert_int_equal(k.n, n);
  kit_say(&k, speech, AUDIO_RATE / 2, LOW | MIN, NULL);
  assert_true(k.n > n + 8);
  kit_close(&k);
}

static void nobody_wants_it_nothing_is_held(void **state) {
  (void)state;
  struct kit k;
  struct tiers_counters c;
  kit_open(&k);
  kit_say(&k, speech, AUDIO_RATE, ALL, NULL);
  tiers_counters(k.t, &c);
  assert_int_equal(c.codecs, 3);
  kit_say(&k, speech, 3 * AUDIO_RATE, FULL | LOW, NULL);
  tiers_counters(k.t, &c);
  assert_int_equal(c.codecs, 3); /* somebody may come back */
  kit_say(&k, speech, 3 * AUDIO_RATE, FULL | LOW, NULL);
  tiers_counters(k.t, &c);
  assert_int_equal(c.codecs, 2);
  k.n = 0;
  kit_say(&k, speech, 3 * AUDIO_RATE, FULL, NULL);
  kit_say(&k, speech, 3 * AUDIO_RATE, FULL, NULL);
  tiers_counters(k.t, &c);
  assert_int_equal(c.codecs, 0);
  assert_int_equal(kit_count(&k, TIER_LOW), 0);
  assert_int_equal(tiers_next_timeout(k.t), US_NEVER);
  kit_say(&k, speech, AUDIO_RATE, ALL, NULL);
  kit_until(&k, k.now + 10 * US_PER_S); /* silence does the same */
  tiers_counters(k.t, &c);
  assert_int_equal(c.codecs, 0);
  assert_int_equal(tiers_next_timeout(k.t), US_NEVER);
  kit_close(&k);
}

/* Of COMMON and of a talker's own stream, over silence, idleness and being forgotten. */
static void numbers_never_go_back(void **state) {
  (void)state;
  struct kit k;
  kit_open(&k);
  struct mixer_out common = k.next, own = k.next;
  own.stream = 7;
  uint32_t seen[2][TIER_N] = {{0}};
  for (int round = 0; round < 6; round++) {
    for (int s = 0; s < 2; s++) {
      size_t from = k.n;
      k.next = s ? own : common;
      kit_say(&k, speech, AUDIO_RATE, ALL, NULL);
      kit_until(&k, k.now + (round % 2 ? 7 : 1) * US_PER_S);
      k.next.pos += 8 * AUDIO_RATE;
      *(s ? &own : &common) = k.next;
      if (round == 3)
        tiers_forget(k.t, s ? 7 : 0);
      for (size_t i = from; i < k.n; i++) {
        uint32_t *high = &seen[s][k.recs[i].tier];
        assert_true(k.recs[i].out.seq > *high);
        *high = k.recs[i].out.seq;
      }
    }
    k.n = 0;
  }
  kit_close(&k);
}

/* Of somebody who was muted nothing more comes out: no frame held, nothing collected, no copy. */
static void forgotten(void **state) {
  (void)state;
  struct kit k;
  kit_open(&k);
  k.plan = 2;
  kit_say(&k, speech, 11 * AUDIO_FRAME, ALL, NULL);
  size_t n = k.n;
  tiers_forget(k.t, 0);
  kit_until(&k, k.now + US_PER_S);
  assert_int_equal(k.n, n);
  static const float quiet[AUDIO_RATE];
  encoder_reset(k.encoder);
  uint64_t from = k.next.pos;
  kit_say(&k, quiet, AUDIO_RATE / 2, ALL, NULL);
  for (size_t i = n; i < k.n; i++) {
    struct red_block v[RED_BLOCKS_MAX];
    size_t blocks;
    const struct rec *r = &k.recs[i];
    assert_true(r->out.pos >= from);
    if (r->red_len == 0)
      continue;
    assert_int_equal(red_parse(r->red, r->red_len, v, &blocks), ERR_OK);
    assert_true(r->out.pos - v[0].offset >= from);
  }
  kit_close(&k);
}

/* Each block is the payload that this tier sent so long before. */
static void copies_are_what_was_sent(void **state) {
  (void)state;
  for (unsigned plan = 1; plan < RED_PLANS; plan++) {
    struct kit k;
    kit_open(&k);
    k.plan = plan;
    kit_say(&k, speech, 2 * AUDIO_RATE, ALL, NULL);
    size_t most[TIER_N] = {0};
    for (size_t i = 0; i < k.n; i++) {
      struct red_block v[RED_BLOCKS_MAX];
      const struct rec *r = &k.recs[i];
      size_t n;
      if (r->red_len == 0)
        continue;
      assert_int_equal(red_parse(r->red, r->red_len, v, &n), ERR_OK);
      most[r->tier] = n - 1 > most[r->tier] ? n - 1 : most[r->tier];
      assert_int_equal(v[n - 1].len, r->out.len);
      assert_memory_equal(v[n - 1].p, r->data, r->out.len);
      for (size_t b = 0; b + 1 < n; b++) {
        size_t e = i;
        while (k.recs[e].tier != r->tier || k.recs[e].out.pos != r->out.pos - v[b].offset)
          assert_true(e-- > 0);
        const struct rec *of = &k.recs[e];
        assert_int_equal(v[b].pt, 111);
        assert_int_equal(of->out.seq, r->out.seq - v[b].offset / r->out.samples); /* as a reader finds it */
        assert_int_equal(v[b].len, of->out.len);
        assert_memory_equal(v[b].p, of->data, of->out.len);
      }
    }
    const struct red_plan *p = red_plan(plan);
    assert_int_equal(most[TIER_FULL], p->copies);
    assert_int_equal(most[TIER_LOW], p->copies * p->gap * 60 <= 341 ? p->copies : 341 / 60 / p->gap);
    assert_int_equal(most[TIER_MIN], p->copies * p->gap * 120 <= 341 ? p->copies : 341 / 120 / p->gap);
    kit_close(&k);
  }
}

static void no_copies_over_a_pause(void **state) {
  (void)state;
  struct kit k;
  kit_open(&k);
  k.plan = 1;
  kit_say(&k, speech, 20 * AUDIO_FRAME, FULL, NULL);
  assert_true(last(&k, TIER_FULL)->red_len > 0);
  k.next.pos += AUDIO_MS(40);
  kit_say(&k, speech, AUDIO_FRAME, FULL, NULL);
  assert_int_equal(last(&k, TIER_FULL)->red_len, 0);
  kit_say(&k, speech, AUDIO_FRAME, FULL, NULL);
  assert_true(last(&k, TIER_FULL)->red_len > 0);
  k.plan = 0;
  size_t len;
  assert_null(tiers_red(k.t, 1, 111, &len)); /* outside the callback there is no packet */
  kit_close(&k);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(pauses_cost_nothing),      cmocka_unit_test(a_stall_is_no_repeat),
      cmocka_unit_test(silence_is_not_coded),     cmocka_unit_test(nobody_wants_it_nothing_is_held),
      cmocka_unit_test(numbers_never_go_back),    cmocka_unit_test(forgotten),
      cmocka_unit_test(copies_are_what_was_sent), cmocka_unit_test(no_copies_over_a_pause),
  };
  return cmocka_run_group_tests(tests, load, NULL);
}
