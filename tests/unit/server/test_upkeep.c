/* Drain and maintenance: who is refused and when, what everyone hears, that a plan survives a restart and a
 * commit that failed. */
#include "core/server/control_private.h"
#include "core/server/health.h"
#include "tests/unit/server/control_kit.h"

#define MIN_US (60 * US_PER_S)

/* The notification of that name among what waits; the rest is dropped. */
static json_t *told(struct kit *k, uint32_t conn, const char *method) {
  json_t *found = NULL, *o;
  while ((o = next(k, conn))) {
    bool is = strcmp(json_str(o, "method", ""), method) == 0;
    json_decref(found && is ? found : NULL);
    found = is ? json_incref(json_object_get(o, "params")) : found;
    json_decref(o);
  }
  return found;
}

/* A join, as far as its answer: code, and the wait that is asked for. */
static json_int_t refused(struct kit *k, const char *text, char code[48]) {
  uint32_t conn = open_conn(k, false);
  say(k, conn, text);
  json_t *o = answer(k, conn, 1), *data = json_object_get(json_object_get(o, "error"), "data");
  json_int_t ms = json_int(data, "retry_ms", 0);
  code_of(o, code);
  control_closed(k->c, conn);
  return ms;
}

static void resume_text(struct kit *k, const char *name, char out[512], uint32_t *conn) {
  char text[512];
  join_text(&k->guest, name, text);
  *conn = open_conn(k, false);
  say(k, *conn, text);
  json_t *o = answer(k, *conn, 1);
  const char *secret = json_str(json_object_get(o, "result"), "resume", NULL);
  assert_non_null(secret);
  snprintf(out, 512, RPC(1, "room.join", "{\"room\":\"den\",\"resume\":\"%s\"}"), secret);
  json_decref(o);
}

static void test_times(void **state) {
  (void)state;
  int64_t noon = INT64_C(1700049600000); /* 2023-11-15T12:00Z */
  assert_true(upkeep_at("+30m", noon) == noon + 1800000);
  assert_true(upkeep_at("+90s", noon) == noon + 90000);
  assert_true(upkeep_at("12:01", noon) == noon + 60000);
  assert_true(upkeep_at("12:00", noon) == noon + 86400000); /* tomorrow */
  assert_true(upkeep_at("2023-11-15T18:30Z", noon) == noon + 6 * 3600000 + 1800000);
  static const char *const BAD[] = {
      "",      "+",    "+5",     "+m",  "+-5m",  "+5y",  "+999999999999999d", "24:00",
      "12:60", "1:00", "12:000", "now", "12.30", "+ 5m", "2023-11-15T11:59Z", "2039-01-01",
      "+0m",   "-1:00"};
  for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
    if (upkeep_at(BAD[i], noon) != 0)
      fail_msg("taken for a time: %s", BAD[i]);
}

static void test_drain(void **state) {
  (void)state;
  struct kit *k = kit_make(NULL);
  char text[512], again[512], code[48];
  uint32_t operator= open_conn(k, true), ann;
  resume_text(k, "ann", again, &ann);
  expect(k, operator, 1, RPC(1, "server.drain", "{\"undo\":true}"), "no_change");
  expect(k, operator, 1, RPC(1, "server.drain", "{\"now\":true}"), "bad_argument");
  expect(k, operator, 1, RPC(1, "server.drain", "{}"), "ok");
  expect(k, operator, 1, RPC(1, "server.drain", "{}"), "no_change");
  assert_int_equal(health_look(k->c), HEALTH_DRAINING);
  assert_string_equal(upkeep_state(k->c), "draining");
  join_text(&k->guest, "bob", text);
  assert_true(refused(k, text, code) >= 1000);
  assert_string_equal(code, "draining");
  expect(k, operator, 1, RPC(1, "room.create", "{\"room\":\"new\"}"), "draining");
  expect(k, ann, 2, RPC(2, "room.chat", "{\"text\":\"still here\"}"), "ok"); /* rooms go on */
  control_closed(k->c, ann);
  refused(k, again, code);
  assert_string_equal(code, "ok");                     /* his line broke: he is no newcomer */
  expect(k, ann, 3, RPC(3, "server.drain", "{}"), ""); /* nobody's connection */
  uint32_t cat = open_conn(k, false);
  expect(k, cat, 3, RPC(3, "server.drain", "{\"undo\":true}"), "not_allowed");
  expect(k, operator, 1, RPC(1, "server.drain", "{\"undo\":true}"), "ok");
  join(k, &k->guest, "bob");
  assert_int_equal(health_look(k->c), 0);
  assert_string_equal(upkeep_state(k->c), "");
  kit_free(k);
}

static void test_plan(void **state) {
  (void)state;
  struct kit *k = kit_make(NULL);
  char text[512], again[512], code[48];
  uint32_t operator= open_conn(k, true), ann;
  resume_text(k, "ann", again, &ann);
  drain(k, ann);
  expect(k, operator, 1, RPC(1, "server.maintenance_start", "{\"at\":\"yesterday\"}"), "bad_argument");
  expect(k, operator, 1, RPC(1, "server.maintenance_start", "{\"at\":\"+20m\",\"for\":0}"), "bad_argument");
  expect(k, operator, 1, RPC(1, "server.maintenance_cancel", "{}"), "no_change");
  say(k, operator,
      RPC(1, "server.maintenance_start", "{\"at\":\"+20m\",\"for\":600,\"text\":\"new\\u001b[2J disk\"}"));
  json_decref(answer(k, operator, 1));
  expect(k, operator, 1, RPC(1, "server.maintenance_start", "{\"at\":\"+30m\"}"), "exists");
  int64_t at = WALL + k->now / US_PER_MS + 20 * 60000;
  json_t *o = told(k, ann, "maintenance");
  assert_true(json_int(o, "at_ms", 0) == at && json_int(o, "until_ms", 0) == at + 600000);
  assert_string_equal(json_str(o, "text", ""), "new[2J disk"); /* cleaned */
  json_decref(o);
  uint32_t bob = open_conn(k, false); /* still let in, and told at once */
  join_text(&k->guest, "bob", text);
  say(k, bob, text);
  o = told(k, bob, "maintenance");
  assert_true(json_int(o, "at_ms", 0) == at);
  json_decref(o);
  tick(k, 15 * MIN_US);
  control_commit(k->c);
  o = told(k, ann, "event"); /* the door has closed: a line in the chat says so */
  assert_string_equal(json_str(o, "kind", ""), "chat.sent");
  assert_non_null(
      strstr(json_str(o, "text", json_str(json_object_get(o, "data"), "text", "")), "Soon: maintenance"));
  json_decref(o);
  join_text(&k->guest, "cat", text);
  assert_true(refused(k, text, code) >= 15 * 60000); /* when it is over */
  assert_string_equal(upkeep_state(k->c), "maintenance");
  assert_string_equal(code, "draining");
  control_closed(k->c, ann);
  ann = open_conn(k, false);
  expect(k, ann, 1, again, "ok");
  tick(k, 5 * MIN_US);
  control_commit(k->c);
  o = told(k, ann, "bye");
  assert_string_equal(json_str(o, "code", ""), "draining");
  assert_true(json_int(o, "retry_ms", 0) >= 600000 && json_int(o, "retry_ms", 0) < 611000);
  json_decref(o);
  assert_true(control_wants_close(k->c, ann));
  assert_false(control_wants_close(k->c, operator));
  control_closed(k->c, ann);
  control_closed(k->c, bob);
  refused(k, again, code); /* nobody at all */
  assert_string_equal(code, "draining");
  tick(k, 10 * MIN_US);
  control_commit(k->c);
  refused(k, text, code);
  assert_string_equal(code, "ok");
  kit_free(k);
}

static void restart(struct kit *k) {
  control_destroy(k->c);
  kit_start(k);
}

static void test_kept(void **state) {
  (void)state;
  struct kit *k = kit_make("gavel.db");
  char text[512], code[48];
  uint32_t operator= open_conn(k, true);
  expect(k, operator, 1, RPC(1, "server.maintenance_start", "{\"at\":\"+20m\",\"for\":600,\"before\":0}"),
         "ok");
  expect(k, operator, 1, RPC(1, "server.drain", "{}"), "ok");
  restart(k);
  join_text(&k->guest, "ann", text);
  refused(k, text, code);
  assert_string_equal(code, "ok"); /* a drain ends with a restart */
  tick(k, 21 * MIN_US);
  restart(k);
  refused(k, text, code);
  assert_string_equal(code, "draining"); /* in the middle of it */
  operator= open_conn(k, true);
  expect(k, operator, 1, RPC(1, "server.maintenance_cancel", "{}"), "ok"); /* done sooner */
  refused(k, text, code);
  assert_string_equal(code, "ok");
  restart(k);
  refused(k, text, code);
  assert_string_equal(code, "ok");
  k->c->group_err = ERR_DISK_FULL; /* what could not be kept is not planned */
  expect(k, open_conn(k, true), 1, RPC(1, "server.maintenance_start", "{\"at\":\"+1m\"}"), "disk_full");
  assert_true(k->c->upkeep.at_ms == 0 && upkeep_next_ms(k->c) == INT64_MAX);
  kit_free(k);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_times), cmocka_unit_test(test_drain),
                                     cmocka_unit_test(test_plan), cmocka_unit_test(test_kept)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
