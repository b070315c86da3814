/* test_mixer_gain.c: a host's gain and priority, measured: each talker is a sine of his own, and what the
 * streams carry of it is compared with what he sent. */
#include "core/room/room.h"
#include "tests/unit/server/mixer_kit.h"

#include <math.h>
#include <stdio.h>

#define EAR_MAX (10 * AUDIO_RATE)
#define AT_TARGET 0.1414f /* -20 dBov, where the automatic gain has nothing to do */

static const double freqs[] = {400, 650, 950, 1300, 1700};
static float ear[EAR_MAX];

static void open_people(struct kit *k, size_t n) {
  kit_open(k);
  for (size_t i = 0; i < n; i++) {
    kit_person(k, (uint32_t)i + 1, freqs[i], 20)->amplitude = AT_TARGET;
  }
}

static void talk(struct kit *k, size_t n) {
  for (size_t i = 0; i < k->n_people; i++) {
    k->people[i].talking = i < n;
  }
}

/* How much louder than he speaks person `at` is in a stream between two moments, in dB. The first 60 ms are
 * the ear's own start. */
static double gain_of(const struct kit *k, uint32_t stream, us_t from, us_t to, size_t at) {
  size_t n = kit_hear(k, stream, from, to, ear, EAR_MAX);
  assert_true(n > AUDIO_MS(120));
  double sum = 0;
  for (size_t i = AUDIO_MS(60); i < n; i++) {
    sum += (double)ear[i] * (double)ear[i];
  }
  n -= AUDIO_MS(60);
  double power = sum / (double)n * goertzel_share(ear + AUDIO_MS(60), n, k->people[at].freq);
  double a = (double)k->people[at].amplitude;
  return 10 * log10(power / (a * a / 2));
}

static void assert_gain(const struct kit *k, uint32_t stream, us_t from, size_t at, double db,
                        double within) {
  double found = gain_of(k, stream, from, k->now, at);
  printf("  stream %u: %.0f Hz %+.1f dB, meant %+.1f\n", stream, k->people[at].freq, found, db);
  assert_true(fabs(found - db) < within);
}

static void assert_all_mixed(const struct kit *k, uint32_t stream, us_t from, bool mixed) {
  size_t n = 0;
  for (size_t i = 0; i < k->n; i++) {
    if (k->recs[i].out.stream == stream && k->recs[i].at >= from) {
      assert_int_equal(k->recs[i].out.mixed, mixed);
      n++;
    }
  }
  assert_true(n > 0);
}

static void test_alone(void **state) {
  (void)state;
  static const int8_t db[] = {6, -12, ROOM_GAIN_MIN_DB, ROOM_GAIN_MAX_DB};
  for (size_t i = 0; i < 4; i++) {
    struct kit k;
    open_people(&k, 1);
    k.people[0].gain_db = db[i];
    k.people[0].amplitude = 0.07f; /* the automatic gain would lift this one by 6 dB */
    talk(&k, 1);
    us_t begun = k.now;
    kit_run(&k, 45);
    assert_true(k.n > 0 && k.recs[0].out.marker); /* no later than any mix */
    kit_run(&k, 2955);
    assert_gain(&k, 0, begun + 200 * US_PER_MS, 0, db[i], 1.5);
    assert_all_mixed(&k, 0, begun, true);
    assert_int_equal(kit_count(&k, 1, begun, k.now), 0); /* he hears silence */
    assert_in_range(kit_count(&k, 0, begun, k.now), 147, 150);
    for (size_t r = 0; r < k.n; r++) {
      assert_int_equal(k.recs[r].out.n_from, 1);
      assert_int_equal(k.recs[r].out.from[0], 1);
    }
    talk(&k, 0);
    kit_run(&k, 400);
    us_t quiet = k.now;
    kit_run(&k, MIXER_KEEP_MS + 500);
    assert_int_equal(kit_count(&k, 0, quiet, k.now), 0);
    assert_true(mixer_next_timeout(k.m) == US_NEVER);
    kit_check_lengths(&k);
    kit_check_order(&k);
    kit_close(&k);
  }
}

static void test_two(void **state) {
  (void)state;
  static const int8_t db[] = {6, -12};
  for (size_t i = 0; i < 2; i++) {
    struct kit k;
    open_people(&k, 2);
    k.people[0].gain_db = db[i];
    talk(&k, 2);
    kit_run(&k, 300);
    us_t from = k.now;
    kit_run(&k, 1500);
    assert_gain(&k, 0, from, 0, db[i], 1.5);
    assert_gain(&k, 0, from, 1, 0, 1.5);
    assert_gain(&k, 2, from, 0, db[i], 1.5); /* his partner hears it too */
    assert_true(gain_of(&k, 2, from, k.now, 1) < -30);
    assert_gain(&k, 1, from, 1, 0, 1.5); /* and is himself forwarded */
    assert_all_mixed(&k, 2, from, true);
    assert_all_mixed(&k, 1, from, false);
    k.people[1].talking = false; /* alone again he stays in the mix */
    kit_run(&k, 400);
    from = k.now;
    kit_run(&k, 600);
    assert_gain(&k, 0, from, 0, db[i], 1.5);
    k.people[1].talking = true;
    kit_run(&k, 400);
    k.people[0].talking = false; /* and the other one alone is forwarded */
    kit_run(&k, 500);
    assert_false(k.recs[k.n - 1].out.mixed);
    kit_check_lengths(&k);
    kit_check_order(&k);
    kit_close(&k);
  }
}

static void test_three(void **state) {
  (void)state;
  struct kit k;
  open_people(&k, 3);
  k.people[0].gain_db = 6;
  k.people[1].gain_db = -12;
  talk(&k, 3);
  kit_run(&k, 300);
  us_t from = k.now;
  kit_run(&k, 1500);
  assert_gain(&k, 0, from, 0, 6, 1.5);
  assert_gain(&k, 0, from, 1, -12, 1.5);
  assert_gain(&k, 0, from, 2, 0, 1.5);
  assert_gain(&k, 3, from, 0, 6, 1.5);
  assert_gain(&k, 3, from, 1, -12, 1.5);
  assert_gain(&k, 1, from, 2, 0, 1.5);
  kit_close(&k);
}

static void test_loud_gain_does_not_clip(void **state) {
  (void)state;
  struct kit k;
  open_people(&k, 1);
  k.people[0].gain_db = ROOM_GAIN_MAX_DB;
  k.people[0].amplitude = 0.9f;
  talk(&k, 1);
  kit_run(&k, 500);
  us_t from = k.now;
  kit_run(&k, 1000);
  size_t n = kit_hear(&k, 0, from, k.now, ear, EAR_MAX);
  assert_true(goertzel_share(ear + AUDIO_MS(60), n - AUDIO_MS(60), freqs[0]) > 0.97); /* clipped: below 0.9 */
  kit_close(&k);
}

/* Packets of COMMON that are not byte for byte what was sent, while one person speaks for a second. */
static size_t touched(struct kit *k) {
  size_t n = 0;
  for (int i = 0; i < 50; i++) {
    size_t before = k->n;
    kit_run(k, 20);
    const struct rec *r = &k->recs[before];
    n += k->n != before + 1 || r->out.mixed || r->out.len != k->people[0].last_len ||
         memcmp(r->data, k->people[0].last, r->out.len) != 0;
  }
  return n;
}

static void test_untouched_without_gain(void **state) {
  (void)state;
  struct kit k;
  struct mixer_counters c;
  open_people(&k, 1);
  k.people[0].priority = true; /* alone he is louder than nobody */
  talk(&k, 1);
  assert_int_equal(touched(&k), 0);
  k.people[0].priority = false;
  assert_int_equal(touched(&k), 0);
  mixer_counters(k.m, &c);
  assert_int_equal(c.codecs, 0);
  assert_int_equal(c.decodes + c.encodes + c.seams, 0);
  k.people[0].gain_db = 3;
  assert_int_equal(touched(&k), 50);
  k.people[0].gain_db = 0;
  kit_run(&k, 100);
  assert_int_equal(touched(&k), 0); /* and from then on as before */
  kit_check_order(&k);
  kit_close(&k);
}

static void test_ducking(void **state) {
  (void)state;
  struct kit k;
  open_people(&k, 2);
  k.people[1].priority = true;
  talk(&k, 1);
  kit_run(&k, 1000);
  talk(&k, 2);
  kit_run(&k, 200);
  us_t both = k.now;
  kit_run(&k, 1500);
  assert_gain(&k, 0, both, 0, -MIXER_DUCK_DB, 2);
  assert_gain(&k, 0, both, 1, 0, 1.5);
  assert_gain(&k, 2, both, 0, -MIXER_DUCK_DB, 2); /* for the one with priority too */
  assert_gain(&k, 1, both, 1, 0, 1.5);            /* who is heard untouched */
  assert_all_mixed(&k, 1, both, false);
  us_t stop = k.now;
  talk(&k, 1);
  kit_run(&k, MIXER_HOLD_MS - 20);
  assert_gain(&k, 0, stop + 60 * US_PER_MS, 0, -MIXER_DUCK_DB, 2); /* in the hold still */
  kit_run(&k, 80);
  us_t after = k.now;
  kit_run(&k, 500);
  assert_gain(&k, 0, after, 0, 0, 1);
  assert_all_mixed(&k, 0, after + 40 * US_PER_MS, false); /* forwarded as before */
  k.people[1].talking = true;
  kit_run(&k, 500);
  k.people[1].priority = false; /* taken in mid-speech */
  kit_run(&k, 100);
  after = k.now;
  kit_run(&k, 500);
  assert_gain(&k, 0, after, 0, 0, 1.5);
  assert_gain(&k, 2, after, 0, 0, 1.5);
  assert_all_mixed(&k, 2, after, false);
  kit_check_order(&k);
  kit_close(&k);
}

static void test_two_with_priority_and_gain(void **state) {
  (void)state;
  struct kit k;
  open_people(&k, 3);
  k.people[0].priority = k.people[1].priority = true; /* they do not duck each other */
  k.people[2].gain_db = 6;
  talk(&k, 3);
  kit_run(&k, 300);
  us_t from = k.now;
  kit_run(&k, 1500);
  assert_gain(&k, 0, from, 0, 0, 1.5);
  assert_gain(&k, 0, from, 1, 0, 1.5);
  assert_gain(&k, 0, from, 2, 6 - MIXER_DUCK_DB, 2);
  assert_gain(&k, 2, from, 2, 6 - MIXER_DUCK_DB, 2);
  kit_close(&k);
}

static void test_priority_has_a_place(void **state) {
  (void)state;
  struct kit k;
  open_people(&k, 5);
  k.people[4].priority = true;
  k.people[4].amplitude = 0.02f; /* by loudness alone he would lose his place after his grace */
  talk(&k, 4);
  kit_run(&k, 1000);
  talk(&k, 5);
  us_t join = k.now;
  kit_run(&k, 3000);
  for (us_t at = join + 100 * US_PER_MS; at < join + 2500 * US_PER_MS; at += 400 * US_PER_MS) {
    assert_true(gain_of(&k, 0, at, at + 400 * US_PER_MS, 4) > -2);
  }
  assert_int_equal(mixer_stream_of(k.m, 5), 5);
  kit_check_order(&k);
  kit_close(&k);
}

/* The steepest rise between two samples, of what COMMON carried. */
static float steepest(const struct kit *k, us_t from, us_t to) {
  float most = 0;
  size_t n = kit_hear(k, 0, from, to, ear, EAR_MAX);
  assert_true(n > AUDIO_MS(120));
  for (size_t i = AUDIO_MS(60); i + 1 < n; i++) {
    most = fmaxf(most, fabsf(ear[i + 1] - ear[i]));
  }
  return most;
}

/* One with priority who only breathes comes and goes while another hums: the hum gets softer and louder
 * again, and never jumps. */
static void test_no_clicks(void **state) {
  (void)state;
  float worst = 0, steady = AT_TARGET * 2 * (float)M_PI * 400 / AUDIO_RATE;
  for (int i = 0; i < 12; i++) {
    struct kit k;
    open_people(&k, 3);
    k.people[1].amplitude = k.people[2].amplitude = 0.002f;
    k.people[2].priority = true;
    talk(&k, 2); /* in the mix all the time: no seam is judged here */
    kit_run(&k, 500);
    us_t from = k.now;
    kit_run(&k, 200 + 7 * i);
    k.people[2].talking = true;
    kit_run(&k, 400);
    k.people[2].talking = false;
    kit_run(&k, 700);
    k.people[0].gain_db = -20;
    kit_run(&k, 300);
    worst = fmaxf(worst, steepest(&k, from, k.now));
    k.people[0].gain_db = 0;
    kit_run(&k, 300);
    worst = fmaxf(worst, steepest(&k, from + 1600 * US_PER_MS, k.now));
    kit_close(&k);
  }
  printf("  steepest step %.2f of the hum's own\n", (double)(worst / steady));
  assert_true(worst < 1.6f * steady);
}

/* Orders by chance among people on a bad line: the numbers of every stream hold. */
static void test_orders_by_chance(void **state) {
  (void)state;
  struct mixer_counters c, sum = {0};
  for (uint64_t seed = 1; seed <= 6; seed++) {
    struct kit k;
    open_people(&k, 5);
    k.chance = seed;
    k.loss_pct = 10;
    k.dup_pct = 5;
    k.delay_steps = 16;
    for (int round = 0; round < 80; round++) {
      struct person *p = &k.people[kit_chance(&k, 5)];
      p->talking = kit_chance(&k, 5) < 2;
      p->gain_db = (int8_t)(kit_chance(&k, 2) ? 0 : (int)kit_chance(&k, 33) + ROOM_GAIN_MIN_DB);
      p->priority = kit_chance(&k, 3) == 0;
      if (round % 11 == 10) {
        mixer_silence(k.m, k.now, 1 + kit_chance(&k, 5));
      }
      kit_run(&k, 20 + (int)kit_chance(&k, 400));
    }
    mixer_counters(k.m, &c);
    sum.forwarded += c.forwarded;
    sum.mixed_frames += c.mixed_frames;
    sum.seams += c.seams;
    kit_check_order(&k);
    kit_close(&k);
  }
  assert_true(sum.forwarded > 600 && sum.mixed_frames > 6000 && sum.seams > 24); /* all of it was tried */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_alone),
      cmocka_unit_test(test_two),
      cmocka_unit_test(test_three),
      cmocka_unit_test(test_loud_gain_does_not_clip),
      cmocka_unit_test(test_untouched_without_gain),
      cmocka_unit_test(test_ducking),
      cmocka_unit_test(test_two_with_priority_and_gain),
      cmocka_unit_test(test_priority_has_a_place),
      cmocka_unit_test(test_no_clicks),
      cmocka_unit_test(test_orders_by_chance),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
