/* The person's own line in words, and what he may say about it. */
#include "tui/bandwidth.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void what_is_taken(void **state) {
  (void)state;
  static const struct {
    const char *text;
    unsigned kbps;
  } GOOD[] = {{"12k", 12}, {"12", 12}, {"6k", 6}, {"1000K", 1000}, {"auto", 0}, {"AUTO", 0}};
  static const char *const BAD[] = {"",     "5k",  "0",    "1001k",  "k",    "12kb", "12 k",
                                    "-12k", "+12", " 12k", "twelve", "12.5", "0x10", "99999999999999999999k",
                                    "autox"};
  char why[256];
  for (size_t i = 0; i < sizeof GOOD / sizeof GOOD[0]; i++) {
    unsigned kbps = 77;
    assert_true(bandwidth_parse(GOOD[i].text, &kbps, why));
    assert_int_equal(kbps, GOOD[i].kbps);
  }
  for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
    unsigned kbps = 77;
    assert_false(bandwidth_parse(BAD[i], &kbps, why));
    assert_int_equal(kbps, 77);
    assert_non_null(strstr(why, "6k to 1000k"));
  }
}

static void only_the_unusual_is_said(void **state) {
  (void)state;
  char words[BANDWIDTH_WORDS];
  struct client_link l = {.connected = true, .tier_down = "full", .tier_up = "full"};
  bandwidth_words(&l, words);
  assert_string_equal(words, "");
  l.tier_down = "low";
  l.ptime_down_ms = 60;
  bandwidth_words(&l, words);
  assert_string_equal(words, "in low 60 ms, out full");
  l.tier_up = "low";
  l.ptime_up_ms = 60;
  bandwidth_words(&l, words);
  assert_string_equal(words, "low 60 ms");
  l.tier_up = "min";
  l.ptime_up_ms = 120;
  bandwidth_words(&l, words);
  assert_string_equal(words, "in low 60 ms, out min 120 ms");
  snprintf(l.via, sizeof l.via, "turn-tls");
  bandwidth_words(&l, words);
  assert_string_equal(words, "in low 60 ms, out min 120 ms, by relay");
  l.connected = false;
  bandwidth_words(&l, words);
  assert_string_equal(words, "");
  l = (struct client_link){.connected = true, .via = "tunnel", .tier_down = "full", .tier_up = "full"};
  bandwidth_words(&l, words);
  assert_string_equal(words, "by tunnel");
  bandwidth_brief(&l, words);
  assert_string_equal(words, "line: full, by tunnel");
  snprintf(l.via, sizeof l.via, "udp"); /* as usual */
  bandwidth_words(&l, words);
  assert_string_equal(words, "");
  l = (struct client_link){.connected = true}; /* nothing is known yet */
  bandwidth_words(&l, words);
  assert_string_equal(words, "");
}

static void in_a_row_with_more(void **state) {
  (void)state;
  char words[BANDWIDTH_WORDS];
  struct client_link l = {.connected = true, .tier_down = "packed", .tier_up = "packed", .ptime_up_ms = 40};
  bandwidth_brief(&l, words);
  assert_string_equal(words, "line: packed");
  l.tier_up = "";
  bandwidth_brief(&l, words);
  assert_string_equal(words, "line: in packed, out full");
  l.tier_down = NULL;
  bandwidth_brief(&l, words);
  assert_string_equal(words, "");
  l.tier_up = "min";
  l.connected = false;
  bandwidth_brief(&l, words);
  assert_string_equal(words, "");
}

static const char *fact(const struct client_link *l, const char *name, bool *warn) {
  static struct bandwidth_fact v[BANDWIDTH_FACTS];
  size_t n = bandwidth_facts(l, v);
  for (size_t i = 0; i < n; i++)
    if (strcmp(v[i].name, name) == 0) {
      *warn = v[i].warn;
      return v[i].text;
    }
  return NULL;
}

static void figures(void **state) {
  (void)state;
  bool warn;
  struct client_link l = {.connected = true,
                          .tier_down = "low",
                          .tier_up = "min",
                          .ptime_down_ms = 60,
                          .ptime_up_ms = 120,
                          .copies_down = 1,
                          .copies_up = 2,
                          .kbps_down = 17,
                          .kbps_up = 9,
                          .rtt_ms = 45,
                          .jitter_ms = 3,
                          .buffer_ms = 80,
                          .loss_down_pct = 5,
                          .concealed_pct = 2,
                          .mos_down = 41};
  assert_string_equal(fact(&l, "you get", &warn), "low 60 ms, 1 copy, 17 kb/s");
  assert_string_equal(fact(&l, "you send", &warn), "min 120 ms, 2 copies, 9 kb/s");
  assert_string_equal(fact(&l, "delay", &warn), "45 ms, jitter 3 ms, buffer 80 ms");
  l.rtt_ms = 0; /* who only listens learns nothing of it */
  assert_string_equal(fact(&l, "delay", &warn), "jitter 3 ms, buffer 80 ms");
  assert_string_equal(fact(&l, "loss", &warn), "in 5%, out 0%, made up 2%");
  assert_false(warn);
  assert_string_equal(fact(&l, "MOS", &warn), "in 4.1, out - of 5");
  assert_false(warn);
  assert_null(fact(&l, "limit", &warn));
  l.loss_up_pct = 6;
  l.mos_up = 29;
  l.limit_kbps = 12;
  (void)fact(&l, "loss", &warn);
  assert_true(warn);
  assert_string_equal(fact(&l, "MOS", &warn), "in 4.1, out 2.9 of 5");
  assert_true(warn);
  assert_string_equal(fact(&l, "limit", &warn), "12 kb/s each way");
  l.connected = false; /* the wish stays, the rest is of no path */
  assert_string_equal(fact(&l, "limit", &warn), "12 kb/s each way");
  assert_null(fact(&l, "delay", &warn));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_taken),
                                     cmocka_unit_test(only_the_unusual_is_said),
                                     cmocka_unit_test(in_a_row_with_more), cmocka_unit_test(figures)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
