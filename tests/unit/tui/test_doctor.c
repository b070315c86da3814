/* What gavel doctor makes of a probe: the state of each check, that whatever is wrong has an advice, and what
 * to expect. */
#include "tui/doctor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static const struct link LINK = {.host = "conf.example", .port = 443, .room = "den", .has_secret = true};

static struct probe good(void) {
  struct probe p = {.n_addresses = 1, .lookup_ms = 12, .connect_ms = 80, .n_ports = 1};
  snprintf(p.address[0], sizeof p.address[0], "192.0.2.7");
  p.port[0] = (struct probe_port){
      .address = "192.0.2.7", .port = 40000, .sent = 100, .answered = 100, .rtt_ms = 30, .jitter_ms = 2};
  return p;
}

static const struct doctor_check *look(const struct doctor *d, const char *id) {
  for (size_t i = 0; i < d->n; i++)
    if (strcmp(d->of[i].id, id) == 0)
      return &d->of[i];
  return NULL;
}

static bool failed(const struct doctor *d) {
  json_t *all = doctor_json(d);
  bool ok = json_is_true(json_object_get(all, "ok"));
  assert_int_equal(json_array_size(json_object_get(all, "checks")), d->n);
  json_decref(all);
  return !ok;
}

static void judged(struct doctor *d, const struct probe *p) {
  *d = (struct doctor){0};
  doctor_network(d, &LINK, p);
  for (size_t i = 0; i < d->n; i++) /* nobody is left with a fault and nothing to do */
    if (d->of[i].state >= DOCTOR_WARN && !d->of[i].advice)
      fail_msg("no advice: %s", d->of[i].text);
}

static void test_a_good_way(void **state) {
  struct doctor d;
  struct probe p = good();
  (void)state;
  judged(&d, &p);
  assert_int_equal(look(&d, "name")->state, DOCTOR_OK);
  assert_int_equal(look(&d, "signalling")->state, DOCTOR_OK);
  assert_int_equal(look(&d, "udp")->state, DOCTOR_OK);
  assert_non_null(strstr(look(&d, "expect")->text, "tier full,"));
  assert_false(failed(&d));
  doctor_free(&d);
}

static void test_a_bad_line(void **state) {
  struct doctor d;
  struct probe p = good();
  struct probe_expectation clean, lossy;
  (void)state;
  probe_expect(&p, &clean);
  p.port[0].answered = 80;
  judged(&d, &p);
  assert_int_equal(look(&d, "udp")->state, DOCTOR_WARN);
  assert_non_null(strstr(look(&d, "udp")->advice, "cable"));
  assert_false(failed(&d)); /* a bad line is no fault of the setup */
  probe_expect(&p, &lossy);
  assert_true(lossy.copies && lossy.kbps > clean.kbps && lossy.mos_tenths < clean.mos_tenths);
  doctor_free(&d);
  p = good();
  p.port[0].rtt_ms = 900;
  judged(&d, &p);
  assert_non_null(strstr(look(&d, "udp")->advice, "floor"));
  doctor_free(&d);
  p = good();
  p.port[0].jitter_ms = 80;
  judged(&d, &p);
  assert_non_null(strstr(look(&d, "udp")->advice, "uneven"));
  doctor_free(&d);
}

static void test_walls(void **state) {
  struct doctor d;
  struct probe p = good();
  struct probe_expectation e;
  (void)state;
  p.port[0].answered = 0;
  judged(&d, &p);
  assert_int_equal(look(&d, "udp")->state, DOCTOR_WARN);
  assert_non_null(strstr(look(&d, "expect")->text, "signalling"));
  doctor_free(&d);
  p.n_relays = 2;
  p.relay[1].works = true;
  snprintf(p.relay[0].uri.host, sizeof p.relay[0].uri.host, "a.example");
  snprintf(p.relay[1].uri.host, sizeof p.relay[1].uri.host, "b.example");
  p.relay[0].uri.port = p.relay[1].uri.port = 3478;
  probe_expect(&p, &e);
  assert_string_equal(e.via, "turn");
  judged(&d, &p);
  assert_int_equal(look(&d, "turn")->state, DOCTOR_WARN);
  doctor_free(&d);
  p.n_ports = 2; /* one address works: IPv4 say */
  p.port[1] = good().port[0];
  probe_expect(&p, &e);
  assert_string_equal(e.via, "udp");
}

static void test_no_way(void **state) {
  struct doctor d;
  struct probe p = good();
  (void)state;
  p.n_addresses = p.n_ports = 0;
  judged(&d, &p);
  assert_int_equal(d.n, 1);
  assert_int_equal(d.of[0].state, DOCTOR_FAIL);
  assert_true(failed(&d));
  doctor_free(&d);
  p = good();
  p.n_ports = 0;
  p.connected = ERR_CERT;
  p.admitted = ERR_CONNECT;
  snprintf(p.why, sizeof p.why, "%s", err_text(ERR_CERT));
  judged(&d, &p);
  assert_non_null(strstr(look(&d, "signalling")->advice, "do not go on"));
  assert_null(look(&d, "invite"));
  assert_null(look(&d, "expect"));
  doctor_free(&d);
  p.connected = ERR_OK;
  p.admitted = ERR_BAD_METHOD; /* an older server */
  judged(&d, &p);
  assert_int_equal(look(&d, "invite")->state, DOCTOR_NOTE);
  assert_false(failed(&d));
  doctor_free(&d);
}

/* Its words are for people, and may be anybody's: nothing of them steers the terminal or spoils the JSON. */
static void test_words_of_a_server(void **state) {
  struct doctor d;
  struct probe p = good();
  (void)state;
  p.admitted = ERR_INTERNAL;
  snprintf(p.why, sizeof p.why, "\x1b]0;owned\x07\x1b[2Jno\xe2\x80\xae room\rx");
  judged(&d, &p);
  assert_string_equal(look(&d, "invite")->text, "]0;owned[2Jno roomx");
  doctor_free(&d);
  memset(p.why, 'a', sizeof p.why - 1);
  memcpy(p.why + sizeof p.why - 3, "\xe2\x82", 3); /* cut within a character */
  judged(&d, &p);
  assert_true(failed(&d)); /* and every check is in the JSON */
  doctor_free(&d);
  p.admitted = ERR_RATE;
  p.why[0] = '\0';
  judged(&d, &p);
  assert_int_equal(look(&d, "invite")->state, DOCTOR_WARN);
  assert_non_null(strstr(look(&d, "invite")->advice, "again"));
  doctor_free(&d);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_good_way),
      cmocka_unit_test(test_a_bad_line),
      cmocka_unit_test(test_walls),
      cmocka_unit_test(test_no_way),
      cmocka_unit_test(test_words_of_a_server),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
