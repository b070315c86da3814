/* Operators' consoles: who may ask, and a feed that costs nothing while nothing happens. */
#include "core/server/ops_private.h"
#include "monitor_kit.h"

static const struct access_config NO_RULES = {0};

static uint32_t watching(struct kit *k, json_t **all) {
  uint32_t conn = open_conn(k, true);
  *all = granted(k, conn, "ops.watch", json_object());
  return conn;
}

static const json_t *row_of(const json_t *body, const char *room) {
  size_t i;
  json_t *r;
  json_array_foreach(json_object_get(body, "rooms"), i,
                     r) if (strcmp(json_str(r, "room", ""), room) == 0) return r;
  return NULL;
}

static bool alerts(const json_t *row, const char *word) {
  size_t i;
  json_t *a;
  json_array_foreach(json_object_get(row, "alerts"), i,
                     a) if (strcmp(json_string_value(a), word) == 0) return true;
  return false;
}

/* ---- who may ask ---- */

static void test_signing_in(void **state) {
  (void)state;
  struct kit *k = make(NULL, NO_RULES);
  char *plain = session(k, "room:join room:speak", false), *watch = session(k, "monitor:watch", false);
  (void)console(k, plain, "insufficient_scope");
  uint32_t conn = console(k, watch, "ok");
  refused(k, conn, "ops.nonsense", json_object(), "unknown_method");
  refused(k, conn, "ops.watch", json_pack("{s:i}", "interval_ms", 249), "bad_argument");
  refused(k, conn, "ops.watch", json_pack("{s:i}", "interval_ms", 10001), "bad_argument");
  refused(k, conn, "ops.watch", json_pack("{s:i}", "often", 1), "bad_argument");
  refused(k, conn, "ops.whisper", json_pack("{s:s,s:s}", "room", "den", "text", "hush"),
          "insufficient_scope");
  refused(k, conn, "ops.approve", json_pack("{s:i}", "approval", 1), "insufficient_scope");
  refused(k, conn, "ops.room", json_pack("{s:s}", "room", "nowhere"), "no_room");
  refused(k, conn, "room.join", json_pack("{s:s,s:s}", "room", "den", "name", "X"), "not_allowed");
  refused(k, conn, "rooms.list", json_object(), "not_allowed");
  granted_ok(k, conn, "ops.watch", json_object());
  free(plain);
  free(watch);
  kit_free(k);
}

static void test_three_wrong_tokens(void **state) {
  (void)state;
  struct kit *k = make(NULL, NO_RULES);
  tick(k, 0);
  uint32_t conn = control_open_ops(k->c, k->addr);
  refused(k, conn, "ops.watch", json_object(), "not_joined");
  for (unsigned i = 0; i < 3; i++) {
    assert_false(control_wants_close(k->c, conn));
    refused(k, conn, "ops.sign_in", json_pack("{s:s}", "token", i ? "cs1_AAAA" : "eyJ"), "invalid_token");
  }
  assert_true(control_wants_close(k->c, conn));
  assert_int_equal(control_close_code(k->c, conn), 4403);
  struct audit_line a;
  assert_true(audit_last(k, "ops.sign_in", &a) > 0);
  assert_non_null(strstr(a.data, "invalid_token"));
  kit_free(k);
}

static void test_not_on_the_public_port(void **state) {
  (void)state;
  struct kit *k = make(NULL, NO_RULES);
  uint32_t conn = join(k, &k->host, "Ann");
  static const char *const METHODS[] = {"ops.watch", "ops.room", "ops.sign_in", "ops.listeners",
                                        "ops.approve"};
  for (size_t i = 0; i < sizeof METHODS / sizeof METHODS[0]; i++)
    refused(k, conn, METHODS[i], json_object(), "unknown_method");
  refused(k, conn, "ops.whisper", json_pack("{s:s}", "text", "hush"), "not_allowed");
  kit_free(k);
}

static void test_a_session_that_ends(void **state) {
  (void)state;
  struct kit *k = make(NULL, NO_RULES);
  char *watch = session(k, "monitor:watch", false);
  uint32_t conn = console(k, watch, "ok");
  granted_ok(k, conn, "ops.watch", json_object());
  operate_ok(k, "user.revoke", json_pack("{s:s}", "user", "ann"));
  pass(k, 1500);
  json_t *bye = notified(k, conn, "bye");
  assert_string_equal(json_str(bye, "code", ""), "token_revoked");
  json_decref(bye);
  assert_true(control_wants_close(k->c, conn));
  assert_int_equal(ops_next(k->c), US_NEVER);
  free(watch);
  kit_free(k);
}

/* ---- the feed ---- */

static void test_rows_and_changes(void **state) {
  (void)state;
  struct kit *k = make(NULL, NO_RULES);
  json_t *all, *n;
  uint32_t w = watching(k, &all);
  const json_t *r = row_of(all, "den");
  assert_non_null(r);
  assert_int_equal(json_int(r, "people", -1), 0);
  assert_int_equal(json_int(r, "since_ms", -1), 0);
  assert_int_equal(json_array_size(json_object_get(r, "alerts")), 0);
  assert_string_equal(json_str(json_object_get(all, "server"), "version", ""), GAVEL_VERSION);
  assert_string_equal(json_str(json_object_get(all, "server"), "state", "?"), "");
  assert_int_equal(json_array_size(json_object_get(json_object_get(all, "server"), "alerts")), 0);
  json_decref(all);

  uint32_t bob = join(k, &k->guest, "Bob");
  pass(k, 900);
  assert_null(notified(k, w, "ops")); /* not before the interval is over */
  pass(k, 200);
  n = notified(k, w, "ops");
  r = row_of(n, "den");
  assert_int_equal(json_int(r, "people", -1), 1);
  assert_int_equal(json_int(r, "hosts", -1), 0);
  assert_true(json_int(r, "since_ms", 0) > WALL);
  assert_true(alerts(r, "no_host"));
  assert_int_equal(json_int(json_object_get(n, "server"), "people", -1), 1);
  json_decref(n);

  pass(k, 1100); /* nothing happened: the server's figures, no room */
  n = notified(k, w, "ops");
  assert_int_equal(json_array_size(json_object_get(n, "rooms")), 0);
  json_decref(n);

  (void)join(k, &k->host, "Ann");
  say(k, bob, RPC(3, "room.mute", "{}"));
  pass(k, 1100);
  n = notified(k, w, "ops");
  r = row_of(n, "den");
  assert_int_equal(json_int(r, "people", -1), 2);
  assert_int_equal(json_int(r, "muted", -1), 1);
  assert_false(alerts(r, "no_host"));
  json_decref(n);
  granted_ok(k, w, "ops.unwatch", json_object());
  assert_int_equal(ops_next(k->c), US_NEVER);
  kit_free(k);
}

static void test_how_lines_are(void **state) {
  (void)state;
  struct kit *k = make(NULL, NO_RULES);
  json_t *all, *n;
  (void)join_with_sound(k, "Bob");
  struct media_event ev = {.kind = MEDIA_STATS, .room = k->last.room, .peer = k->last.peer};
  uint32_t w = watching(k, &all);
  json_decref(all);
  ev.tier = TIER_LOW;
  ev.stats = (struct media_stats){.over_ms = 5000,
                                  .loss_up = 6,
                                  .loss_down = 1,
                                  .mos_up = 41,
                                  .mos_down = 29,
                                  .jitter_ms = 7,
                                  .rtt_ms = 90};
  control_media_event(k->c, 0, &ev);
  struct media_event heard = {.kind = MEDIA_LEVELS, .room = ev.room, .n = 1, .level = {{1, 20}}};
  control_media_event(k->c, 0, &heard);
  pass(k, 1100);
  n = notified(k, w, "ops");
  const json_t *r = row_of(n, "den");
  const struct {
    const char *key;
    int median, worst;
  } PAIRS[] = {{"loss_up", 6, 6},
               {"loss_down", 1, 1},
               {"mos_tenths", 29, 29},
               {"jitter_ms", 7, 7},
               {"rtt_ms", 90, 90}};
  for (size_t i = 0; i < sizeof PAIRS / sizeof PAIRS[0]; i++) {
    const json_t *pair = json_object_get(r, PAIRS[i].key);
    assert_int_equal(json_integer_value(json_array_get(pair, 0)), PAIRS[i].median);
    assert_int_equal(json_integer_value(json_array_get(pair, 1)), PAIRS[i].worst);
  }
  assert_int_equal(json_int(r, "lines", -1), 1);
  assert_int_equal(json_int(r, "talkers", -1), 1);
  assert_int_equal(json_int(json_object_get(r, "tiers"), "low", -1), 1);
  assert_true(alerts(r, "loss") && alerts(r, "mos"));
  json_decref(n);
  heard.n = 0;
  control_media_event(k->c, 0, &heard);
  pass(k, 1100);
  n = notified(k, w, "ops");
  assert_int_equal(json_int(row_of(n, "den"), "talkers", -1), 0);
  json_decref(n);
  kit_free(k);
}

static void test_the_lobby_alert_comes_by_time(void **state) {
  (void)state;
  struct kit *k = make(NULL, NO_RULES);
  json_t *all, *n = NULL;
  uint32_t admin = open_conn(k, true);
  expect(k, admin, 1, RPC(1, "room.lobby", "{\"room\":\"den\",\"on\":true}"), "ok");
  uint32_t host = join(k, &k->host, "Ann"), bob = join(k, &k->guest, "Bob");
  uint32_t w = watching(k, &all);
  assert_int_equal(json_int(row_of(all, "den"), "waiting", -1), 1);
  assert_false(alerts(row_of(all, "den"), "lobby"));
  json_decref(all);
  pass(k, 299000);
  drain(k, w);
  for (unsigned i = 0; i < 3 && !row_of(n, "den"); i++) {
    json_decref(n);
    pass(k, 1100);
    n = notified(k, w, "ops");
  }
  assert_true(alerts(row_of(n, "den"), "lobby"));
  json_decref(n);
  (void)host;
  (void)bob;
  kit_free(k);
}

static void test_a_room_that_ends(void **state) {
  (void)state;
  struct kit *k = make(NULL, NO_RULES);
  json_t *all;
  uint32_t w = watching(k, &all), admin = open_conn(k, true);
  json_decref(all);
  expect(k, admin, 1, RPC(1, "room.end", "{\"room\":\"den\"}"), "ok");
  bool gone = false;
  for (unsigned i = 0; i < 15 && !gone; i++) {
    pass(k, 1100);
    json_t *n = notified(k, w, "ops"), *list = json_object_get(n, "gone");
    gone = json_array_size(list) == 1 && strcmp(json_string_value(json_array_get(list, 0)), "den") == 0;
    json_decref(n);
  }
  assert_true(gone);
  pass(k, 1100);
  json_t *n = notified(k, w, "ops");
  assert_int_equal(json_array_size(json_object_get(n, "gone")), 0); /* once */
  json_decref(n);
  kit_free(k);
}

/* Who does not read has one notification waiting, and then the newest state. */
static void test_a_slow_console(void **state) {
  (void)state;
  struct kit *k = make(NULL, NO_RULES);
  json_t *all;
  uint32_t w = watching(k, &all);
  json_decref(all);
  for (unsigned i = 0; i < 10; i++) {
    char name[8];
    snprintf(name, sizeof name, "P%u", i);
    (void)join(k, &k->guest, name);
    pass(k, 1100);
  }
  assert_int_equal(drain(k, w), 1);
  pass(k, 1100);
  json_t *n = notified(k, w, "ops");
  assert_int_equal(json_int(row_of(n, "den"), "people", -1), 10);
  json_decref(n);
  kit_free(k);
}

/* Rooms come and end while a console does not read: what it has not been told does not grow without end. */
static void test_rooms_that_nobody_was_told_of(void **state) {
  (void)state;
  struct kit *k = make(NULL, NO_RULES);
  json_t *all;
  uint32_t w = watching(k, &all);
  json_decref(all);
  struct hosted *h = hosted_find(k->c, "den");
  for (unsigned i = 0; i < 2 * GONE_MAX + 10; i++) {
    ops_gone(k->c, h);
    ops_touch(k->c, h);
  }
  assert_in_range(k->c->ops->n_gone, 1, GONE_MAX);
  pass(k, 1100);
  assert_int_equal(k->c->ops->n_gone, 0);
  json_t *n = notified(k, w, "ops");
  assert_true(json_flag(n, "all", false));
  assert_int_equal(json_array_size(json_object_get(n, "gone")), 0);
  assert_int_equal(json_array_size(json_object_get(n, "rooms")), 1);
  json_decref(n);
  kit_free(k);
}

static void test_idle_rooms_cost_nothing(void **state) {
  (void)state;
  enum { ROOMS = 5000 };
  struct kit *k = make(NULL, NO_RULES);
  struct link host, guest;
  for (unsigned i = 0; i < ROOMS; i++) {
    char name[16];
    snprintf(name, sizeof name, "r%u", i);
    assert_int_equal(control_room_create(k->c, name, false, &host, &guest), ERR_OK);
  }
  control_commit(k->c);
  json_t *all;
  uint32_t w = watching(k, &all), other = open_conn(k, true);
  assert_int_equal(json_array_size(json_object_get(all, "rooms")), ROOMS + 1);
  json_decref(all);
  uint64_t before = ops_examined(k->c);
  for (unsigned i = 0; i < 10; i++) {
    pass(k, 1100);
    drain(k, w);
  }
  assert_int_equal(ops_examined(k->c) - before, 0);
  (void)join(k, &k->guest, "Bob"); /* in one of them */
  pass(k, 1100);
  assert_in_range(ops_examined(k->c) - before, 1, 1);
  json_t *n = notified(k, w, "ops");
  assert_int_equal(json_array_size(json_object_get(n, "rooms")), 1);
  json_decref(n);

  json_decref(granted(k, other, "ops.watch", json_object())); /* something happens in all of them */
  struct hosted *h;
  for (size_t at = 0; (h = map_next(k->c->rooms, &at));) {
    h->room.locked = true;
    ops_touch(k->c, h);
  }
  before = ops_examined(k->c);
  size_t told = 0, size;
  for (unsigned i = 0; i < 30; i++) {
    uint64_t at = ops_examined(k->c);
    pass(k, 100);
    assert_in_range(ops_examined(k->c) - at, 0, LOOK_MOST);
    char *one = control_next_message(k->c, w, &size), *same = control_next_message(k->c, other, &size);
    assert_ptr_equal(one, same); /* one message for both */
    n = one ? json_loads(one, 0, NULL) : NULL;
    told += json_array_size(json_object_get(json_object_get(n, "params"), "rooms"));
    json_decref(n);
  }
  assert_int_equal(told, ROOMS + 1);
  assert_int_equal(ops_examined(k->c) - before, ROOMS + 1);
  kit_free(k);
}

/* ---- one room ---- */

static void test_one_room(void **state) {
  (void)state;
  struct kit *k = make(NULL, NO_RULES);
  char *token = session(k, "monitor:watch monitor:listen", false);
  uint32_t conn = console(k, token, "ok"), host = join(k, &k->host, "Ann"), bob = join(k, &k->guest, "Bob");
  struct audit_line a;
  json_t *r = granted(k, conn, "ops.room", json_pack("{s:s}", "room", "den"));
  const json_t *p = json_array_get(json_object_get(r, "people"), 1);
  assert_string_equal(json_str(p, "name", ""), "Bob");
  assert_string_equal(json_str(p, "presence", ""), "here");
  assert_int_equal(json_int(p, "level", -1), 127);
  assert_int_equal(json_array_size(json_object_get(r, "listeners")), 0);
  json_decref(r);
  granted_ok(k, conn, "ops.room", json_pack("{s:s}", "room", "den"));
  assert_int_equal(audit_last(k, "ops.room", &a), 1); /* a screen that asks again */
  assert_memory_equal(a.actor, "p-", 2);

  drain(k, host);
  drain(k, bob);
  granted_ok(k, conn, "ops.whisper", json_pack("{s:s,s:s}", "room", "den", "text", "the line of Bob is bad"));
  json_t *ev = notified(k, host, "event");
  assert_string_equal(json_str(ev, "text", ""), "the line of Bob is bad");
  json_decref(ev);
  assert_null(notified(k, bob, "event"));
  assert_int_equal(audit_last(k, "ops.whisper", &a), 1);
  assert_null(strstr(a.data, "line of Bob"));
  free(token);
  kit_free(k);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_signing_in),
                                     cmocka_unit_test(test_three_wrong_tokens),
                                     cmocka_unit_test(test_not_on_the_public_port),
                                     cmocka_unit_test(test_a_session_that_ends),
                                     cmocka_unit_test(test_rows_and_changes),
                                     cmocka_unit_test(test_how_lines_are),
                                     cmocka_unit_test(test_the_lobby_alert_comes_by_time),
                                     cmocka_unit_test(test_a_room_that_ends),
                                     cmocka_unit_test(test_a_slow_console),
                                     cmocka_unit_test(test_rooms_that_nobody_was_told_of),
                                     cmocka_unit_test(test_idle_rooms_cost_nothing),
                                     cmocka_unit_test(test_one_room)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
