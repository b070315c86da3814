/* Consent in the client's state machine: nothing of the person is sent before it, and it is asked for once a
 * version. */
#include "core/session/session.h"
#include "core/wire/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW (100 * US_PER_S)
#define TERMS(id, version)                                                                                   \
  "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"result\":{\"version\":\"" version                                    \
  "\",\"text\":\"the \\u001b[2J text\"}}"

struct kit {
  struct session *s;
  struct rng rng;
  struct session_config cfg;
  char sent[4096], all[16384];  /* the last request, and all of them */
  struct client_event last[16]; /* by kind */
  char data[4096];
};

static void on_nothing(void *ctx) {
  (void)ctx;
}
static void on_send(void *ctx, char *text) {
  struct kit *k = ctx;
  snprintf(k->sent, sizeof k->sent, "%s", text);
  strncat(k->all, text, sizeof k->all - strlen(k->all) - 1);
  free(text);
}
static void on_event(void *ctx, struct client_event *ev) {
  struct kit *k = ctx;
  assert_true((size_t)ev->kind < sizeof k->last / sizeof k->last[0]);
  k->last[ev->kind] = *ev;
  if (ev->data)
    snprintf(k->data, sizeof k->data, "%s", ev->data);
  client_event_free(ev);
}
static void on_audio(void *ctx, const struct rtp *h) {
  (void)ctx, (void)h;
}
static void on_voice(void *ctx, const struct session_voice *v) {
  (void)ctx, (void)v;
}
static void on_gate(void *ctx, bool open) {
  (void)ctx, (void)open;
}

static void begin(struct kit *k, const char *accepted, bool ask) {
  memset(k, 0, sizeof *k);
  rng_seed(&k->rng, 1);
  k->cfg = (struct session_config){.no_audio = true,
                                   .rng = &k->rng,
                                   .connect = on_nothing,
                                   .disconnect = on_nothing,
                                   .send = on_send,
                                   .event = on_event,
                                   .audio = on_audio,
                                   .gate = on_gate,
                                   .voice = on_voice,
                                   .ctx = k,
                                   .consent = accepted,
                                   .ask_terms = ask,
                                   .device_id = "canary-device",
                                   .password = "canary-password"};
  snprintf(k->cfg.link.room, sizeof k->cfg.link.room, "den");
  snprintf(k->cfg.name, sizeof k->cfg.name, "canary-name");
  k->s = session_create(&k->cfg);
  assert_non_null(k->s);
  session_start(k->s, NOW);
  session_connected(k->s, NOW, NULL);
}

static void server(struct kit *k, const char *text) {
  session_message(k->s, NOW, text, strlen(text));
}

static void test_nothing_is_sent_before_consent(void **state) {
  (void)state;
  static const char *const ACCEPTED[] = {NULL, "", "2"};
  for (size_t i = 0; i < 3; i++) {
    struct kit k;
    begin(&k, ACCEPTED[i], true);
    assert_non_null(strstr(k.sent, "privacy.terms"));
    server(&k, TERMS("1", "3"));
    assert_int_equal(session_state(k.s), CLIENT_ENDED);
    assert_int_equal(k.last[CLIENT_EV_STATE].why, ERR_NEED_CONSENT);
    assert_string_equal(k.last[CLIENT_EV_CONSENT].text, "3");
    assert_string_equal(k.data, "the \033[2J text"); /* as it is: who shows it filters it */
    assert_null(strstr(k.all, "canary"));
    assert_null(strstr(k.all, "room.join"));
    session_destroy(k.s);
  }
}

static void test_the_accepted_version_goes_along(void **state) {
  (void)state;
  struct kit k;
  begin(&k, "3", true);
  server(&k, TERMS("1", "3"));
  assert_non_null(strstr(k.sent, "room.join"));
  assert_non_null(strstr(k.sent, "\"consent\":\"3\""));
  assert_int_equal(session_state(k.s), CLIENT_CONNECTING);
  session_destroy(k.s);
}

static void test_a_server_that_asks_nothing(void **state) {
  (void)state;
  static const char *const SAYS[] = {"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}",
                                     "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32601,\"message\":"
                                     "\"?\",\"data\":{\"code\":\"unknown_method\"}}}"};
  for (size_t i = 0; i < 2; i++) {
    struct kit k;
    begin(&k, "3", true);
    server(&k, SAYS[i]);
    assert_non_null(strstr(k.sent, "room.join"));
    assert_null(strstr(k.sent, "consent"));
    session_destroy(k.s);
  }
}

static void test_a_new_text_meanwhile_is_asked_for(void **state) {
  (void)state;
  static const char NEEDED[] =
      "{\"jsonrpc\":\"2.0\",\"id\":2,\"error\":{\"code\":-32000,\"message\":\"?\",\"data\":{\"code\":"
      "\"consent_needed\"}}}";
  struct kit k;
  begin(&k, "3", true);
  server(&k, TERMS("1", "3"));
  server(&k, NEEDED);
  assert_non_null(strstr(k.sent, "privacy.terms"));
  server(&k, TERMS("3", "4"));
  assert_int_equal(k.last[CLIENT_EV_STATE].why, ERR_NEED_CONSENT);
  assert_string_equal(k.last[CLIENT_EV_CONSENT].text, "4");
  session_destroy(k.s);
  begin(&k, "3", true); /* a server that always refuses is not asked for ever */
  server(&k, TERMS("1", "3"));
  server(&k, NEEDED);
  server(&k, TERMS("3", "3"));
  server(&k, "{\"jsonrpc\":\"2.0\",\"id\":4,\"error\":{\"code\":-32000,\"message\":\"?\",\"data\":{\"code\":"
             "\"consent_needed\"}}}");
  assert_int_equal(session_state(k.s), CLIENT_ENDED);
  session_destroy(k.s);
}

/* The server was started again with another text while he was in. */
static void test_a_new_text_is_asked_for_when_he_comes_back(void **state) {
  (void)state;
  struct kit k;
  begin(&k, "3", true);
  server(&k, TERMS("1", "3"));
  server(&k, "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"state\":\"lobby\",\"me\":2,\"resume\":\"r\","
             "\"place\":1}}");
  session_closed(k.s, NOW, ERR_IO);
  session_connected(k.s, NOW, NULL);
  assert_non_null(strstr(k.sent, "\"resume\":\"r\""));
  assert_non_null(strstr(k.sent, "\"consent\":\"3\""));
  server(&k, "{\"jsonrpc\":\"2.0\",\"id\":3,\"error\":{\"code\":-32000,\"message\":\"?\",\"data\":{\"code\":"
             "\"consent_needed\"}}}");
  assert_non_null(strstr(k.sent, "privacy.terms"));
  server(&k, TERMS("4", "4"));
  assert_int_equal(k.last[CLIENT_EV_STATE].why, ERR_NEED_CONSENT);
  assert_string_equal(k.last[CLIENT_EV_CONSENT].text, "4");
  session_destroy(k.s);
}

static void test_what_is_stored_becomes_lines(void **state) {
  (void)state;
  struct kit k;
  begin(&k, NULL, false);
  session_privacy(k.s, NOW, false); /* not in yet: nothing is asked */
  assert_null(strstr(k.all, "privacy"));
  server(&k, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"state\":\"lobby\",\"me\":2,\"resume\":\"r\","
             "\"place\":1}}");
  session_privacy(k.s, NOW, false);
  assert_non_null(strstr(k.sent, "privacy.show"));
  server(&k, "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"pid\":\"p-1\",\"user\":\"\",\"contact\":\"me@"
             "example.org\",\"stored\":"
             "[{\"what\":\"stays\",\"why\":\"quality\",\"until\":\"30 days\",\"count\":7}]}}");
  assert_int_equal(k.last[CLIENT_EV_PRIVACY].why, ERR_OK);
  assert_non_null(strstr(k.data, "p-1"));
  assert_non_null(strstr(k.data, "7 x stays"));
  assert_non_null(strstr(k.data, "me@example.org"));
  session_privacy(k.s, NOW, true);
  assert_non_null(strstr(k.sent, "privacy.withdraw"));
  server(&k, "{\"jsonrpc\":\"2.0\",\"id\":3,\"error\":{\"code\":-32000,\"message\":\"no\",\"data\":{\"code\":"
             "\"no_change\"}}}");
  assert_int_equal(k.last[CLIENT_EV_PRIVACY].why, ERR_NO_CHANGE);
  session_destroy(k.s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_nothing_is_sent_before_consent),
      cmocka_unit_test(test_the_accepted_version_goes_along),
      cmocka_unit_test(test_a_server_that_asks_nothing),
      cmocka_unit_test(test_a_new_text_meanwhile_is_asked_for),
      cmocka_unit_test(test_a_new_text_is_asked_for_when_he_comes_back),
      cmocka_unit_test(test_what_is_stored_becomes_lines),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
