/* What /metrics says: the form of every line, histograms that add up, figures of the machine; and readiness:
 * each thing that is in the way by its name. What promtool thinks of it: tests/e2e/test_ops_port.py. */
#include "core/base/bytes.h"
#include "core/server/health.h"
#include "core/server/host.h"
#include "core/server/metrics.h"
#include "tests/unit/server/web_kit.h"

#include <ctype.h>

static struct host_figures HOST; /* a global: what the fake below says */
static void fake_host(void *ctx, struct host_figures *out) {
  (void)ctx;
  *out = HOST;
}

static struct web_kit *make(void) {
  struct web_kit *k = web_kit_make(NULL);
  HOST = (struct host_figures){.cpu_s = 1.5,
                               .rss = 4096,
                               .fds = 7,
                               .fds_most = 1024,
                               .has_disk = true,
                               .disk_free = 50 << 20,
                               .disk_size = 100 << 20,
                               .cert_expires_s = 1800000000};
  k->c->cfg.host = fake_host;
  return k;
}

static int ops(struct web_kit *k, const char *path, const char *authorization) {
  struct web_request r = {.face = WEB_OPS,
                          .method = "GET",
                          .path = path,
                          .query = "",
                          .if_match = "",
                          .type = "",
                          .body = "",
                          .authorization = authorization,
                          .addr = k->addr};
  k->answered = false;
  kit_tick(k, 1);
  control_http(k->c, ++k->request, &r);
  assert_int_equal(control_commit(k->c), ERR_OK);
  assert_true(k->answered);
  return k->reply.status;
}

static void has(const char *text, const char *line) {
  if (!strstr(text, line))
    fail_msg("not in the metrics: %s\n%s", line, text);
}

/* Each sample belongs to the TYPE above it, names are of the alphabet, and counters, only they, end in
 * _total. */
static void test_form(void **state) {
  (void)state;
  struct web_kit *k = make();
  char *text = metrics_text(k->c), *save = NULL, name[128] = "", type[32] = "";
  unsigned samples = 0;
  for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
    if (strncmp(line, "# HELP ", 7) == 0) {
      assert_true(strchr(line + 7, ' ') && strlen(strchr(line + 7, ' ')) > 5);
      continue;
    }
    if (sscanf(line, "# TYPE %127s %31s", name, type) == 2) {
      size_t n = strlen(name);
      bool total = n > 6 && strcmp(name + n - 6, "_total") == 0;
      assert_int_equal(total, strcmp(type, "counter") == 0);
      continue;
    }
    samples++;
    assert_memory_equal(line, name, strlen(name));
    char after = line[strlen(name)];
    assert_true(after == ' ' || after == '{' || (after == '_' && strcmp(type, "histogram") == 0));
    for (const char *p = name; *p; p++)
      assert_true(islower((unsigned char)*p) || isdigit((unsigned char)*p) || *p == '_');
  }
  assert_true(samples > 60);
  free(text);
  web_kit_free(k);
}

static void test_histograms(void **state) {
  (void)state;
  struct web_kit *k = make();
  metrics_observe(k->c->observed, METRICS_SETUP, 0.05); /* a bound is inside */
  metrics_observe(k->c->observed, METRICS_SETUP, 0.7);
  metrics_observe(k->c->observed, METRICS_SETUP, 99);
  metrics_observe(k->c->observed, METRICS_MOS_DOWN, 3.7);
  char *text = metrics_text(k->c);
  has(text, "\ngavel_path_setup_seconds_bucket{le=\"0.05\"} 1\n");
  has(text, "\ngavel_path_setup_seconds_bucket{le=\"0.5\"} 1\n");
  has(text, "\ngavel_path_setup_seconds_bucket{le=\"1\"} 2\n");
  has(text, "\ngavel_path_setup_seconds_bucket{le=\"30\"} 2\n");
  has(text, "\ngavel_path_setup_seconds_bucket{le=\"+Inf\"} 3\n");
  has(text, "\ngavel_path_setup_seconds_sum 99.750\ngavel_path_setup_seconds_count 3\n");
  has(text, "\ngavel_report_mos_bucket{direction=\"down\",le=\"3.6\"} 0\n");
  has(text, "\ngavel_report_mos_bucket{direction=\"down\",le=\"3.8\"} 1\n");
  has(text, "\ngavel_report_mos_count{direction=\"up\"} 0\n");
  free(text);
  web_kit_free(k);
}

static void test_the_machine(void **state) {
  (void)state;
  struct web_kit *k = make();
  char *text = metrics_text(k->c);
  has(text, "\nprocess_cpu_seconds_total 1.5\n");
  has(text, "\nprocess_open_fds 7\n");
  has(text, "\ngavel_certificate_expiry_timestamp_seconds 1800000000\n");
  has(text, "\ngavel_disk_free_bytes 52428800\n");
  free(text);
  HOST.has_disk = false; /* a room that lives in memory has none to tell of */
  text = metrics_text(k->c);
  assert_null(strstr(text, "gavel_disk_free_bytes"));
  free(text);
  web_kit_free(k);
}

static void test_the_token(void **state) {
  (void)state;
  struct web_kit *k = make();
  uint8_t hash[32];
  assert_int_equal(ops(k, "/metrics", NULL), 200);
  assert_string_equal(k->reply.type, "text/plain; version=0.0.4; charset=utf-8");
  sha256("a token of some length", 22, hash);
  k->c->cfg.ops_token = hash;
  assert_int_equal(ops(k, "/metrics", NULL), 401);
  assert_int_equal(ops(k, "/metrics", "Bearer a token of some"), 401);
  assert_int_equal(ops(k, "/metrics", "Basic a token of some length"), 401);
  assert_int_equal(ops(k, "/metrics", "Bearer a token of some length, x"), 401);
  assert_int_equal(ops(k, "/metrics", "bearer  a token of some length"), 200);
  assert_int_equal(ops(k, "/readyz", NULL), 200); /* tells nothing that needs one */
  assert_int_equal(kit_get(k, "/metrics", ""), 404);
  assert_int_equal(kit_get(k, "/readyz", ""), 404);
  web_kit_free(k);
}

static void test_ready(void **state) {
  (void)state;
  struct web_kit *k = make();
  assert_int_equal(ops(k, "/readyz", NULL), 200);
  assert_string_equal(k->reply.body, "{\"ready\":true,\"not\":[]}");
  k->c->cfg.disk_least = 51 << 20;
  assert_int_equal(ops(k, "/readyz", NULL), 503);
  assert_string_equal(k->reply.body, "{\"ready\":false,\"not\":[\"disk\"]}");
  HOST.media_stuck = 1;
  k->c->commit_err = ERR_DISK_FULL;
  assert_int_equal(health_look(k->c), HEALTH_MEDIA | HEALTH_DISK); /* it wrote, and could: forgiven */
  k->c->n_touched = 1;                                             /* as if in the middle of a group */
  k->c->commit_err = ERR_DISK_FULL;
  assert_int_equal(health_look(k->c), HEALTH_DATABASE | HEALTH_MEDIA | HEALTH_DISK);
  k->c->n_touched = 0;
  web_kit_free(k);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_form), cmocka_unit_test(test_histograms),
                                     cmocka_unit_test(test_the_machine), cmocka_unit_test(test_the_token),
                                     cmocka_unit_test(test_ready)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
