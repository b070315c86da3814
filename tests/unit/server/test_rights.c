/* A person's own data in the control plane: what he may ask, what a stay leaves behind, and being erased or
 * restricted while others are in the room with him. */
#include "tests/unit/server/control_kit.h"

/* The only document of a class. */
static enum err take_doc(void *ctx, const char *id, const char *pid, const char *text) {
  json_t *doc = json_loads(text, 0, NULL);
  (void)id;
  json_object_set_new(doc, "pid", json_string(pid));
  json_array_append_new(ctx, doc);
  return ERR_OK;
}
static json_t *docs_of(struct kit *k, const char *class) {
  json_t *list = json_array();
  assert_int_equal(store_each_doc(k->store, class, NULL, take_doc, list), ERR_OK);
  return list;
}

static json_t *ask(struct kit *k, uint32_t conn, const char *method, const char *params) {
  char text[400];
  snprintf(text, sizeof text, "{\"jsonrpc\":\"2.0\",\"id\":77,\"method\":\"%s\",\"params\":%s}", method,
           params);
  say(k, conn, text);
  json_t *o = answer(k, conn, 77), *result = json_incref(json_object_get(o, "result"));
  json_decref(o);
  return result;
}

/* Who he is to the server, by his own question. */
static void pid_of(struct kit *k, uint32_t conn, char pid[32]) {
  json_t *r = ask(k, conn, "privacy.show", "{}");
  snprintf(pid, 32, "%s", json_str(r, "pid", ""));
  assert_int_equal(strlen(pid), 18);
  json_decref(r);
}

static void stats(struct kit *k, uint32_t peer, uint8_t loss, uint16_t jitter_ms, uint16_t rtt_ms) {
  struct media_event ev = {.kind = MEDIA_STATS, .peer = peer};
  ev.stats.loss_down = loss;
  ev.stats.jitter_ms = jitter_ms;
  ev.stats.rtt_ms = rtt_ms;
  control_media_event(k->c, 0, &ev);
}

static void test_a_stay_leaves_one_row(void **state) {
  (void)state;
  struct kit *k = kit_make(NULL);
  uint32_t bob = join_with_sound(k, "bob");
  uint32_t peer = k->last.peer;
  tick(k, 4 * US_PER_S);
  stats(k, peer, 2, 10, 40);
  stats(k, peer, 4, 30, 80);
  tick(k, 6 * US_PER_S);
  say(k, bob, RPC(2, "room.leave", "{}"));
  json_t *visits = docs_of(k, "visit"), *v = json_array_get(visits, 0);
  assert_int_equal(json_array_size(visits), 1);
  assert_string_equal(json_str(v, "room", ""), "den");
  assert_int_equal(json_int(v, "seconds", 0), 10);
  assert_int_equal(json_int(v, "loss_permille", 0), 30);
  assert_int_equal(json_int(v, "jitter_ms", 0), 20);
  assert_int_equal(json_int(v, "rtt_ms", 0), 60);
  assert_int_equal(strlen(json_str(v, "pid", "")), 18);
  json_decref(visits);
  kit_free(k);
}

static void test_everyone_is_counted_when_the_room_ends(void **state) {
  (void)state;
  struct kit *k = kit_make(NULL);
  uint32_t host = join(k, &k->host, "host");
  join(k, &k->guest, "bob");
  expect(k, host, 2, RPC(2, "room.lobby", "{\"on\":true}"), "ok");
  join(k, &k->guest, "waits");
  tick(k, 3 * US_PER_S);
  expect(k, host, 3, RPC(3, "room.end", "{\"seconds\":0}"), "ok");
  json_t *visits = docs_of(k, "visit");
  assert_int_equal(json_array_size(visits), 2); /* who waited was never in */
  json_decref(visits);
  kit_free(k);
}

static void test_who_may_ask(void **state) {
  (void)state;
  struct kit *k = kit_make(NULL);
  uint32_t stranger = open_conn(k, false);
  json_t *terms = ask(k, stranger, "privacy.terms", "{}");
  assert_int_equal(json_object_size(terms), 0); /* none is asked */
  json_decref(terms);
  expect(k, stranger, 2, RPC(2, "privacy.show", "{}"), "not_joined");
  expect(k, stranger, 3, RPC(3, "privacy.withdraw", "{}"), "not_joined");
  uint32_t bob = join(k, &k->guest, "bob");
  expect(k, bob, 4, RPC(4, "privacy.show", "{\"user\":\"someone\"}"), "bad_argument");
  expect(k, bob, 5, RPC(5, "privacy.withdraw", "{}"), "no_change");
  static const char *const OPERATORS[] = {"privacy.about",   "privacy.erase",    "privacy.restrict",
                                          "privacy.rectify", "privacy.exported", "privacy.records",
                                          "hold.add",        "consent.list"};
  for (size_t i = 0; i < sizeof OPERATORS / sizeof OPERATORS[0]; i++)
    assert_null(ask(k, bob, OPERATORS[i], "{\"user\":\"p-0000000000000000\"}"));
  kit_free(k);
}

static void test_erased_while_others_are_there(void **state) {
  (void)state;
  struct kit *k = kit_make("erase.db");
  uint32_t admin = open_conn(k, true), ann = join(k, &k->host, "ann"), bob = join(k, &k->guest, "bobcanary");
  char pid[32], params[80];
  expect(k, bob, 2, RPC(2, "room.chat", "{\"text\":\"wordscanary\"}"), "ok");
  expect(k, ann, 3, RPC(3, "room.chat", "{\"text\":\"words of ann\"}"), "ok");
  pid_of(k, bob, pid);
  drain(k, ann);
  snprintf(params, sizeof params, "{\"user\":\"%s\"}", pid);
  json_t *r = ask(k, admin, "privacy.erase", params);
  assert_string_equal(json_str(r, "erased", ""), pid);
  json_decref(r);
  assert_true(control_ending(k->c, bob));
  bool synced = false;
  for (json_t *o; (o = next(k, ann)); json_decref(o)) {
    char *text = json_dumps(o, 0);
    if (strcmp(json_str(o, "method", ""), "sync") == 0) {
      synced = true;
      assert_null(strstr(text, "canary"));
      assert_non_null(strstr(text, "words of ann"));
    }
    free(text);
  }
  assert_true(synced);
  json_t *shown = ask(k, admin, "room.show", "{\"room\":\"den\"}");
  char *text = json_dumps(shown, 0);
  assert_null(strstr(text, "canary"));
  free(text);
  json_decref(shown);
  expect(k, ann, 4, RPC(4, "room.chat", "{\"text\":\"we go on\"}"), "ok");
  char why[256];
  assert_int_equal(store_verify(k->store, why), ERR_OK);
  kit_free(k);
}

static void test_restricted_leaves(void **state) {
  (void)state;
  struct kit *k = kit_make(NULL);
  uint32_t admin = open_conn(k, true), ann = join(k, &k->host, "ann"), bob = join(k, &k->guest, "bob");
  char pid[32], params[80];
  pid_of(k, bob, pid);
  snprintf(params, sizeof params, "{\"user\":\"%s\"}", pid);
  json_decref(ask(k, admin, "privacy.restrict", params));
  assert_true(control_ending(k->c, bob));
  assert_false(control_ending(k->c, ann));
  snprintf(params, sizeof params, "{\"user\":\"%s\",\"lift\":true}", pid);
  json_t *r = ask(k, admin, "privacy.restrict", params);
  assert_non_null(r);
  json_decref(r);
  kit_free(k);
}

static enum err count_event(void *ctx, const struct store_record *r) {
  (void)r;
  ++*(unsigned *)ctx;
  return ERR_OK;
}
static enum err take_stream(void *ctx, const char *stream) {
  snprintf(ctx, 128, "%s", stream);
  return ERR_OK;
}

/* What retention leaves of a room still loads, and its name is free. */
static void test_a_pruned_room_does_not_come_back(void **state) {
  (void)state;
  struct kit *k = kit_make("prune.db");
  uint32_t host = join(k, &k->host, "host");
  char stream[128] = "";
  unsigned n = 0;
  expect(k, host, 2, RPC(2, "room.chat", "{\"text\":\"words\"}"), "ok");
  expect(k, host, 3, RPC(3, "room.end", "{\"seconds\":0}"), "ok");
  tick(k, 2 * US_PER_S);
  control_commit(k->c);
  for (int day = 0; day <= 181; day++) { /* in steps: a clock that jumps deletes nothing */
    tick(k, 24 * 3600 * US_PER_S);
    assert_int_equal(control_commit(k->c), ERR_OK);
  }
  assert_int_equal(store_streams(k->store, "room:den", take_stream, stream), ERR_OK);
  assert_int_equal(store_replay(k->store, stream, 0, count_event, &n), ERR_OK);
  assert_int_equal(n, 1);
  control_destroy(k->c);
  kit_start(k);
  assert_int_equal(control_room_create(k->c, "den", false, &k->host, &k->guest), ERR_OK);
  assert_int_equal(control_commit(k->c), ERR_OK);
  join(k, &k->host, "host");
  kit_free(k);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_stay_leaves_one_row),
      cmocka_unit_test(test_everyone_is_counted_when_the_room_ends),
      cmocka_unit_test(test_who_may_ask),
      cmocka_unit_test(test_erased_while_others_are_there),
      cmocka_unit_test(test_restricted_leaves),
      cmocka_unit_test(test_a_pruned_room_does_not_come_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
