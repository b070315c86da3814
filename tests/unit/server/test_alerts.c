/* Alerts: each is raised by its cause and by nothing less, told once and then hourly, cleared after a while
 * without it; and which addresses the runner never goes to. */
#include "core/base/addr.h"
#include "core/server/alerts.h"
#include "tests/unit/server/hooks_kit.h"

#define HOUR (3600 * US_PER_S)

/* All that was sent since the last call: "disk raised, disk cleared"; each is taken. */
static const char *told(struct kit *k, char out[256]) {
  size_t n = 0;
  turn(k, 1);
  out[0] = 0;
  for (size_t i = 0; i < JOBS.n; i++) {
    json_t *o = json_loadb(JOBS.v[i].body, JOBS.v[i].n, 0, NULL);
    if (JOBS.v[i].target == RUN_COMMAND)
      n += (size_t)snprintf(out + n, 256 - n, "%s%s %s", n ? ", " : "", json_str(o, "alert", "?"),
                            json_str(o, "state", "?"));
    json_decref(o);
    if (JOBS.v[i].target < RUN_WATCH)
      answer_job(k, &JOBS.v[i], 200);
  }
  JOBS.n = 0;
  return out;
}

static unsigned raised(struct kit *k) {
  json_t *list = alerts_json(k->c);
  unsigned n = (unsigned)json_array_size(list);
  json_decref(list);
  return n;
}

static struct kit *make(void) {
  struct kit *k = hooks_kit(NULL, true);
  k->c->cfg.hooks.to_webhook = false;
  char out[256];
  assert_string_equal(told(k, out), "");
  assert_int_equal(raised(k), 0);
  return k;
}

static void test_disk(void **state) {
  (void)state;
  struct kit *k = make();
  char out[256];
  k->c->cfg.disk_least = (uint64_t)2 << 30;
  turn(k, 5 * US_PER_S);
  assert_string_equal(told(k, out), "disk raised");
  for (unsigned i = 0; i < 11; i++) {
    turn(k, 300 * US_PER_S);
    assert_string_equal(told(k, out), "");
  }
  turn(k, 300 * US_PER_S);
  assert_string_equal(told(k, out), "disk still"); /* an hour later */
  k->c->cfg.disk_least = 0;
  turn(k, 5 * US_PER_S);
  assert_string_equal(told(k, out), ""); /* not before a minute without it */
  turn(k, 60 * US_PER_S);
  assert_string_equal(told(k, out), "disk cleared");
  assert_int_equal(raised(k), 0);
  k->c->cfg.disk_least = (uint64_t)2 << 30; /* it comes and goes: known for this hour */
  turn(k, 5 * US_PER_S);
  assert_string_equal(told(k, out), "");
  assert_int_equal(raised(k), 1);
  k->c->cfg.disk_least = 0;
  turn(k, 5 * US_PER_S);
  turn(k, 60 * US_PER_S);
  assert_string_equal(told(k, out), "");
  assert_int_equal(raised(k), 0);
  k->c->cfg.disk_least = (uint64_t)2 << 30; /* it comes again and stays: nobody may think that it is over */
  turn(k, 5 * US_PER_S);
  turn(k, 290 * US_PER_S);
  assert_string_equal(told(k, out), "");
  turn(k, 10 * US_PER_S);
  assert_string_equal(told(k, out), "disk raised");
  turn(k, 3000 * US_PER_S);
  assert_string_equal(told(k, out), "");
  k->c->cfg.disk_least = 0;
  turn(k, 5 * US_PER_S);
  turn(k, 60 * US_PER_S);
  assert_string_equal(told(k, out), "disk cleared");
  kit_free(k);
}

static void test_certificate(void **state) {
  (void)state;
  struct kit *k = make();
  char out[256];
  int64_t now_s = (WALL + k->now / US_PER_MS) / 1000;
  HOST.cert_expires_s = now_s + 14 * 86400 + 60;
  turn(k, 5 * US_PER_S);
  assert_string_equal(told(k, out), "");
  turn(k, 60 * US_PER_S);
  assert_string_equal(told(k, out), "certificate raised");
  HOST.cert_expires_s = now_s - 7200;
  turn(k, 5 * US_PER_S);
  json_t *list = alerts_json(k->c);
  assert_non_null(strstr(json_str(json_array_get(list, 0), "text", ""), "ended 2 h ago"));
  json_decref(list);
  HOST.cert_expires_s = 0; /* not known is no alarm */
  turn(k, 5 * US_PER_S);
  turn(k, 60 * US_PER_S);
  assert_string_equal(told(k, out), "certificate cleared");
  kit_free(k);
}

static void test_database_and_backup(void **state) {
  (void)state;
  struct kit *k = make();
  char out[256];
  control_backup(k->c, ERR_IO, "");
  assert_string_equal(told(k, out), "backup raised");
  control_backup(k->c, ERR_OK, "x");
  assert_string_equal(told(k, out), "backup cleared");
  k->c->group_err = ERR_DISK_FULL;
  expect(k, open_conn(k, true), 1, RPC(1, "room.lock", "{\"room\":\"den\"}"), "disk_full");
  k->c->n_touched = 1; /* as in the middle of a group: no probe now */
  tick(k, 5 * US_PER_S);
  k->c->n_touched = 0;
  assert_string_equal(told(k, out), "database raised");
  turn(k, 5 * US_PER_S);
  turn(k, 30 * US_PER_S);
  assert_string_equal(told(k, out), "database cleared"); /* it was written again */
  kit_free(k);
}

static void test_loss(void **state) {
  (void)state;
  struct kit *k = make();
  char out[256], name[8];
  for (unsigned i = 0; i < 3; i++) {
    snprintf(name, sizeof name, "p%u", i);
    join(k, &k->guest, name);
  }
  struct seat *s;
  unsigned n = 0;
  for (size_t at = 0; (s = map_next(hosted_find(k->c, "den")->seats, &at)); n++) {
    s->peer = 1000 + n;
    s->line.at = 1;
    s->line.last.loss_up = n == 0 ? 15 : 0; /* the mean is 5 % */
  }
  assert_int_equal(n, 3);
  turn(k, 5 * US_PER_S);
  turn(k, 290 * US_PER_S);
  assert_string_equal(told(k, out), ""); /* not for five minutes yet */
  turn(k, 10 * US_PER_S);
  assert_string_equal(told(k, out), "loss raised");
  for (size_t at = 0; (s = map_next(hosted_find(k->c, "den")->seats, &at));)
    s->line.last.loss_up = s->line.last.loss_up ? 14 : 0;
  turn(k, 5 * US_PER_S);
  turn(k, 120 * US_PER_S);
  assert_string_equal(told(k, out), "loss cleared");
  for (size_t at = 0; (s = map_next(hosted_find(k->c, "den")->seats, &at));)
    s->peer = 0;
  kit_free(k);
}

static void test_guessing(void **state) {
  (void)state;
  struct kit *k = make();
  char out[256];
  k->c->count.strikes = 49;
  turn(k, 5 * US_PER_S);
  assert_string_equal(told(k, out), "");
  k->c->count.strikes = 50;
  turn(k, 5 * US_PER_S);
  assert_string_equal(told(k, out), "guessing raised");
  turn(k, 600 * US_PER_S);
  assert_string_equal(told(k, out), "guessing cleared");
  turn(k, 2 * HOUR);
  k->c->count.strikes += 49; /* since the window began */
  turn(k, 5 * US_PER_S);
  assert_string_equal(told(k, out), "");
  k->c->count.alerts++;
  turn(k, 5 * US_PER_S);
  assert_string_equal(told(k, out), "guessing raised"); /* one address was blocked */
  kit_free(k);
}

static void node_says(struct kit *k, int status) {
  struct runner_answer a = {.target = RUN_WATCH, .status = status};
  snprintf(a.text, sizeof a.text, "refused");
  control_ran(k->c, &a);
  control_commit(k->c);
}

static void test_node_and_runner(void **state) {
  (void)state;
  struct kit *k = make();
  char out[256];
  k->c->cfg.alerts.watch[0] = "https://other.example/healthz";
  turn(k, 5 * US_PER_S);
  assert_int_equal(JOBS.n, 1);
  assert_int_equal(JOBS.v[0].target, RUN_WATCH);
  turn(k, 5 * US_PER_S);
  assert_int_equal(JOBS.n, 1); /* one question at a time */
  node_says(k, -1);
  assert_string_equal(told(k, out), ""); /* once is no outage */
  turn(k, 5 * US_PER_S);
  node_says(k, 503);
  assert_string_equal(told(k, out), "node raised");
  turn(k, 5 * US_PER_S);
  node_says(k, 200);
  assert_string_equal(told(k, out), "node cleared");
  struct runner_answer strange = {.target = RUN_WATCH + 3, .status = 200};
  control_ran(k->c, &strange); /* nobody is watched there */
  control_ran(k->c, NULL);
  assert_string_equal(told(k, out), "runner raised");
  kit_free(k);
}

static void test_never_there(void **state) {
  (void)state;
  static const char *const PRIVATE[] = {
      "127.0.0.1",  "127.255.1.2",    "10.1.2.3",     "172.31.255.255",  "192.168.0.1", "169.254.169.254",
      "100.64.0.1", "0.0.0.0",        "224.0.0.1",    "255.255.255.255", "198.18.0.1",  "::1",
      "::",         "fe80::1",        "fc00::1",      "fd12::1",         "ff02::1",     "64:ff9b::a00:1",
      "::7f00:1",   "::ffff:0:a00:1", "2002:a00:1::", "::ffff:10.0.0.1"};
  static const char *const PUBLIC[] = {"8.8.8.8",     "172.32.0.1",   "172.15.0.1",    "192.169.0.1",
                                       "100.128.0.1", "2a00:1450::1", "::ffff:8.8.8.8"};
  static const char *const URLS[] = {"",
                                     "example.org",
                                     "ftp://a",
                                     "https://",
                                     "http:///x",
                                     "https://a@b/",
                                     "https://a b",
                                     "https://a\nb",
                                     "javascript:1",
                                     "https://\xc3\xa9",
                                     "file:///etc/passwd",
                                     "https://a\"b"};
  uint8_t a[16];
  for (size_t i = 0; i < sizeof PRIVATE / sizeof PRIVATE[0]; i++)
    if (!addr_read(PRIVATE[i], strlen(PRIVATE[i]), a) || !runner_is_private(a))
      fail_msg("reachable: %s", PRIVATE[i]);
  for (size_t i = 0; i < sizeof PUBLIC / sizeof PUBLIC[0]; i++)
    if (!addr_read(PUBLIC[i], strlen(PUBLIC[i]), a) || runner_is_private(a))
      fail_msg("not reachable: %s", PUBLIC[i]);
  for (size_t i = 0; i < sizeof URLS / sizeof URLS[0]; i++)
    if (runner_url_ok(URLS[i]))
      fail_msg("an address: %s", URLS[i]);
  assert_true(runner_url_ok("https://example.org:8443/a?b=c@d") && runner_url_ok("HTTP://[2001:db8::1]/"));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_disk),
                                     cmocka_unit_test(test_certificate),
                                     cmocka_unit_test(test_database_and_backup),
                                     cmocka_unit_test(test_loss),
                                     cmocka_unit_test(test_guessing),
                                     cmocka_unit_test(test_node_and_runner),
                                     cmocka_unit_test(test_never_there)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
