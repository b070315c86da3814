/* Whose line is how good: the word for all by MOS and by loss, the figures for who moderates and for the
 * operator and for nobody else, their means in what stays of a visit, and in the metrics. */
#include "core/server/metrics.h"
#include "tests/unit/server/control_kit.h"

struct call {
  struct kit *k;
  uint32_t host, bob, peer; /* connections, and bob's media handle; he is member 2 */
};

static struct call start(void) {
  struct call w = {.k = kit_make(NULL)};
  w.host = join(w.k, &w.k->host, "host");
  w.bob = join_with_sound(w.k, "bob");
  assert_int_equal(w.k->last.kind, MEDIA_PEER_ADD);
  w.peer = w.k->last.peer;
  return w;
}

static void event(struct call *w, int kind, const struct media_stats *s) {
  struct media_event ev = {.kind = kind, .peer = w->peer, .tier = TIER_LOW, .copies = 2};
  if (s)
    ev.stats = *s;
  tick(w->k, 0);
  control_media_event(w->k->c, 0, &ev);
  control_commit(w->k->c);
}

static json_t *ask(struct kit *k, uint32_t conn, const char *params) {
  char text[200];
  snprintf(text, sizeof text, "{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"room.quality\",\"params\":%s}",
           params);
  say(k, conn, text);
  json_t *o = answer(k, conn, 9), *result = json_incref(json_object_get(o, "result"));
  json_decref(o);
  assert_non_null(result);
  return result;
}

static void refused(struct kit *k, uint32_t conn, const char *params, const char *code) {
  char text[200];
  snprintf(text, sizeof text, "{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"room.quality\",\"params\":%s}",
           params);
  expect(k, conn, 9, text, code);
}

/* The last word about bob that the host was told, -1: none. */
static int word(struct call *w) {
  int found = -1;
  for (json_t *o; (o = next(w->k, w->host)); json_decref(o)) {
    json_t *pair = json_array_get(json_object_get(json_object_get(o, "params"), "who"), 0);
    if (strcmp(json_str(o, "method", ""), "quality") == 0)
      found = (int)json_integer_value(json_array_get(pair, 1));
  }
  return found;
}

static void test_the_word(void **state) {
  (void)state;
  static const struct {
    struct media_stats s;
    int word;
  } CASES[] = {
      {{.mos_up = 30}, 1},                  /* many are dissatisfied */
      {{.mos_up = 44, .mos_down = 25}, 2},  /* the worse direction */
      {{.loss_down = 20, .mos_up = 44}, 1}, /* repaired: weak, not bad */
      {{.loss_down = 20}, 2},               /* nothing says that it is */
      {{.mos_up = 36, .mos_down = 44, .loss_up = 3}, 0},
      {{.jitter_ms = 80}, 1},
      {{.rtt_ms = 800, .mos_up = 44}, 2},
  };
  struct call w = start();
  drain(w.k, w.host);
  for (size_t i = 0, last = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
    size_t now = (size_t)CASES[i].word;
    for (int times = 1; times <= 4; times++) { /* worse at once, better the third time, then nothing new */
      event(&w, MEDIA_STATS, &CASES[i].s);
      assert_int_equal(word(&w),
                       (now > last && times == 1) || (now < last && times == 3) ? CASES[i].word : -1);
    }
    last = now;
  }
  for (int i = 0; i < 3; i++)
    event(&w, MEDIA_STATS, &CASES[0].s);
  assert_int_equal(word(&w), 1);
  for (int i = 0; i < 10; i++) { /* on the edge: it does not flicker */
    event(&w, MEDIA_STATS, &CASES[i % 2 ? 4 : 0].s);
    assert_int_equal(word(&w), -1);
  }
  kit_free(w.k);
}

static const struct media_stats SOME = {.loss_up = 5,
                                        .loss_down = 10,
                                        .concealed_up = 1,
                                        .concealed_down = 4,
                                        .mos_up = 42,
                                        .mos_down = 38,
                                        .burst_up_ms = 20,
                                        .burst_down_ms = 60,
                                        .jitter_ms = 12,
                                        .rtt_ms = 80,
                                        .buffer_ms = 70,
                                        .kbps_up = 30,
                                        .kbps_down = 50};

static void test_who_may_see_it(void **state) {
  (void)state;
  struct call w = start();
  json_t *r = ask(w.k, w.host, "{}");
  assert_int_equal(json_array_size(json_object_get(r, "lines")), 0); /* no report yet */
  json_decref(r);
  event(&w, MEDIA_STATS, &SOME);
  r = ask(w.k, w.host, "{\"member\":2}");
  const json_t *line = json_array_get(json_object_get(r, "lines"), 0);
  assert_string_equal(json_str(line, "name", ""), "bob");
  assert_string_equal(json_str(line, "tier", ""), "low");
  assert_true(json_int(line, "member", 0) == 2 && json_int(line, "copies", 0) == 2);
  assert_true(json_int(line, "loss_up", 0) == 5 && json_int(line, "loss_down", 0) == 10);
  assert_true(json_int(line, "concealed_up", 0) == 1 && json_int(line, "concealed_down", 0) == 4);
  assert_true(json_int(line, "mos_up_tenths", 0) == 42 && json_int(line, "mos_down_tenths", 0) == 38);
  assert_true(json_int(line, "rtt_ms", 0) == 80 && json_int(line, "buffer_ms", 0) == 70);
  json_decref(r);
  r = ask(w.k, w.host, "{\"member\":1}"); /* the host has no sound path */
  assert_int_equal(json_array_size(json_object_get(r, "lines")), 0);
  json_decref(r);
  refused(w.k, w.bob, "{\"member\":2}", "not_allowed");
  refused(w.k, w.bob, "{}", "not_allowed");
  refused(w.k, w.host, "{\"member\":77}", "no_member");
  refused(w.k, w.host, "{\"member\":-1}", "bad_argument");
  refused(w.k, w.host, "{\"since\":60}", "bad_argument"); /* who was here before is the operator's business */
  refused(w.k, w.host, "{\"room\":\"den\"}", "bad_argument");
  refused(w.k, open_conn(w.k, false), "{}", "not_joined");
  refused(w.k, open_conn(w.k, false), "{\"room\":\"den\",\"since\":60}", "not_joined");
  refused(w.k, w.bob, "{\"member\":77}", "not_allowed"); /* nor who is there */
  for (int i = 0; i < 20; i++)                           /* all lines of a room are much to read */
    say(w.k, w.host, RPC(8, "room.quality", "{}"));
  refused(w.k, w.host, "{}", "rate_limited");
  kit_free(w.k);
}

static void test_the_operator(void **state) {
  (void)state;
  struct call w = start();
  uint32_t op = open_conn(w.k, true);
  tick(w.k, 2 * US_PER_S);
  event(&w, MEDIA_CONNECTED, NULL);
  struct media_stats some = SOME; /* as long as the three others together */
  some.over_ms = 3000;
  event(&w, MEDIA_STATS, &some);
  struct media_stats worse = SOME;
  worse.over_ms = 1000;
  worse.mos_down = 20;
  worse.concealed_up = 20;
  worse.burst_up_ms = 260; /* a gap that was heard */
  event(&w, MEDIA_STATS, &worse);
  event(&w, MEDIA_STATS, &(struct media_stats){.over_ms = 1000}); /* nobody spoke: no MOS, no burst */
  event(&w, MEDIA_STATS, &(struct media_stats){.over_ms = 1000, .mos_up = 44});
  say(w.k, w.bob, RPC(3, "room.leave", "{}"));
  json_t *r = ask(w.k, op, "{\"room\":\"den\",\"since\":60}");
  assert_int_equal(json_array_size(json_object_get(r, "lines")), 0);
  const json_t *v = json_array_get(json_object_get(r, "visits"), 0);
  assert_int_equal(json_int(v, "join_ms", 0), 2000);
  assert_int_equal(json_int(v, "mos_tenths", 0), 36);         /* (3 * 38 + 20 + 44) / 5 */
  assert_int_equal(json_int(v, "concealed_permille", 0), 53); /* (3 * 40 + 200) / 6 */
  assert_int_equal(json_int(v, "loss_permille", 0), 67);      /* 4 * 100 / 6 */
  assert_int_equal(json_int(v, "frozen_permille", 0), 167);
  assert_int_equal(json_int(v, "burst_ms", 0), 110); /* (3 * 60 + 260) / 4 */
  assert_int_equal(json_int(v, "kbps", 0), 33);
  assert_null(json_object_get(v, "pid"));
  json_decref(r);
  tick(w.k, 100 * US_PER_S);
  r = ask(w.k, op, "{\"room\":\"den\",\"since\":60}"); /* too long ago */
  assert_int_equal(json_array_size(json_object_get(r, "visits")), 0);
  json_decref(r);
  r = ask(w.k, op, "{\"room\":\"nowhere\",\"since\":60}"); /* a room that is gone may have had visits */
  assert_int_equal(json_array_size(json_object_get(r, "visits")), 0);
  json_decref(r);
  refused(w.k, op, "{\"room\":\"nowhere\"}", "no_room");
  refused(w.k, op, "{\"room\":\"den\",\"since\":-5}", "bad_argument");
  refused(w.k, op, "{\"room\":\"den\",\"x\":1}", "bad_argument");
  kit_free(w.k);
}

static void has(const char *text, const char *line) {
  if (!strstr(text, line))
    fail_msg("not in the metrics: %s\n%s", line, text);
}

static void test_metrics(void **state) {
  (void)state;
  struct call w = start();
  char *text = metrics_text(w.k->c);
  has(text, "\ngavel_lines 0\n");
  assert_null(strstr(text, "gavel_line_mos{")); /* no mean of nothing */
  free(text);
  tick(w.k, 1500 * US_PER_MS);
  event(&w, MEDIA_CONNECTED, NULL);
  event(&w, MEDIA_STATS, &SOME);
  text = metrics_text(w.k->c);
  has(text, "\ngavel_lines 1\n");
  has(text, "\ngavel_line_tier{tier=\"low\"} 1\n");
  has(text, "\ngavel_line_tier{tier=\"full\"} 0\n");
  has(text, "\ngavel_line_mos{direction=\"down\"} 3.8000\n");
  has(text, "\ngavel_line_concealed_ratio{direction=\"up\"} 0.0100\n");
  has(text, "\ngavel_line_rtt_seconds 0.0800\n");
  has(text, "\ngavel_path_setup_seconds_sum 1.500\ngavel_path_setup_seconds_count 1\n");
  free(text);
  kit_free(w.k);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_the_word), cmocka_unit_test(test_who_may_see_it),
                                     cmocka_unit_test(test_the_operator), cmocka_unit_test(test_metrics)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
