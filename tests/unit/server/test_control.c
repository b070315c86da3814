/* The control plane by hand: a client that writes its own JSON, an operator, and a disk that is full. */
#include "tests/unit/server/control_kit.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static void test_malformed(void **state) {
  static const struct {
    const char *text;
    json_int_t id;
    const char *code;
  } BAD[] = {
      {"", 0, "bad_json"},
      {"nonsense", 0, "bad_json"},
      {"{\"jsonrpc\":\"2.0\"", 0, "bad_json"},
      {"[]", 0, "bad_request"},
      {"{}", 0, "bad_request"},
      {RPC(1.5, "ping", "{}"), 0, "bad_json"},
      {RPC(-4, "ping", "{}"), 0, "bad_request"},
      {RPC(5, "ping", "[]"), 5, "bad_request"},
      {RPC(6, "no.such", "{}"), 6, "unknown_method"},
      {RPC(7, "room.no_such", "{}"), 7, "unknown_method"},
      {"{\"jsonrpc\":\"2.0\",\"id\":8,\"id\":8,\"method\":\"ping\"}", 0, "bad_json"},
      {"{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"ping\",\"extra\":1}", 9, "bad_request"},
      {"{\"jsonrpc\":\"2.0\",\"method\":\"ping\"}", 0, "bad_request"},
  };
  struct kit *k = kit_make(NULL);
  (void)state;
  uint32_t conn = open_conn(k, false);
  for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
    expect(k, conn, BAD[i].id, BAD[i].text, BAD[i].code);
  expect(k, conn, 10, RPC(10, "ping", "{}"), "ok");
  kit_free(k);
}

static void test_before_joining(void **state) {
  struct kit *k = kit_make(NULL);
  (void)state;
  uint32_t conn = open_conn(k, false);
  expect(k, conn, 2, RPC(2, "room.chat", "{\"text\":\"hi\"}"), "not_joined");
  expect(k, conn, 3, RPC(3, "room.mute_all", "{}"), "not_joined");
  expect(k, conn, 4, RPC(4, "room.media", "{\"sdp\":\"v=0\"}"), "not_joined");
  expect(k, conn, 5, RPC(5, "room.join", "{\"room\":\"den\",\"name\":\"a\"}"), "bad_invite");
  expect(k, conn, 6, RPC(6, "room.join", "{\"room\":\"none\",\"name\":\"a\"}"), "no_room");
  expect(k, conn, 7, RPC(7, "room.join", "{\"room\":\"../x\",\"name\":\"a\"}"), "no_room");
  expect(k, conn, 8, RPC(8, "room.join", "{\"room\":\"den\",\"name\":\"a\",\"role\":\"host\"}"),
         "bad_argument");
  expect(k, conn, 9, RPC(9, "room.join", "{\"room\":\"den\",\"name\":\"a\",\"invite\":\"x\"}"), "bad_invite");
  expect(k, conn, 10, RPC(10, "room.join", "{\"room\":\"den\",\"resume\":\"x\"}"), "cannot_resume");
  struct control_counters n;
  control_counters(k->c, &n);
  assert_int_equal(n.joins, 0);
  kit_free(k);
}

static void test_joined(void **state) {
  struct kit *k = kit_make(NULL);
  (void)state;
  char text[512];
  uint32_t a = join(k, &k->host, "ann"), b = join(k, &k->guest, "bob");
  join_text(&k->guest, "eve", text);
  expect(k, b, 1, text, "bad_request"); /* one connection is one person */
  expect(k, b, 2, RPC(2, "room.mute_all", "{}"), "not_allowed");
  expect(k, b, 3, RPC(3, "room.chat", "{\"text\":7}"), "bad_argument");
  expect(k, b, 4, RPC(4, "room.chat", "{\"text\":\"x\",\"actor\":1}"), "bad_argument");
  expect(k, b, 5, RPC(5, "room.mute", "{\"who\":\"ann\"}"), "bad_argument");
  expect(k, b, 6, RPC(6, "room.media", "{\"sdp\":\"v=0\"}"), "bad_sdp");
  static const char *const OPERATOR[] = {
      RPC(7, "rooms.list", "{}"), RPC(7, "room.show", "{\"room\":\"den\"}"),
      RPC(7, "room.create", "{\"room\":\"x\"}"), RPC(7, "server.info", "{}")};
  for (size_t i = 0; i < sizeof OPERATOR / sizeof OPERATOR[0]; i++)
    expect(k, a, 7, OPERATOR[i], "not_allowed"); /* not even to the owner of a room */
  drain(k, a);
  expect(k, b, 8, RPC(8, "room.chat", "{\"text\":\"hello\"}"), "ok");
  json_t *o = next(k, a), *p = json_object_get(o, "params");
  assert_string_equal(json_string_value(json_object_get(p, "kind")), "chat.sent");
  assert_string_equal(json_string_value(json_object_get(p, "text")), "hello");
  assert_int_equal(json_integer_value(json_object_get(p, "actor")), 2);
  json_decref(o);
  kit_free(k);
}

static void test_nothing_before_commit(void **state) {
  struct kit *k = kit_make(NULL);
  (void)state;
  uint32_t a = join(k, &k->host, "ann"), b = join(k, &k->guest, "bob");
  drain(k, a);
  static const char CHAT[] = RPC(2, "room.chat", "{\"text\":\"hello\"}");
  control_message(k->c, b, CHAT, sizeof CHAT - 1);
  assert_null(next(k, a));
  assert_null(next(k, b));
  control_commit(k->c);
  assert_int_equal(drain(k, a), 1);
  assert_int_equal(drain(k, b), 2); /* the event and the answer */
  kit_free(k);
}

static unsigned count_ok(struct kit *k, uint32_t conn, const char *text, json_int_t id, unsigned tries,
                         const char *refusal) {
  unsigned ok = 0;
  char got[48];
  for (unsigned i = 0; i < tries; i++) {
    say(k, conn, text);
    code_of(answer(k, conn, id), got);
    ok += strcmp(got, "ok") == 0;
    if (strcmp(got, "ok") != 0)
      assert_string_equal(got, refusal);
  }
  return ok;
}

static void test_rates(void **state) {
  struct kit *k = kit_make(NULL);
  (void)state;
  uint32_t a = join(k, &k->guest, "ann");
  tick(k, 10 * US_PER_S);
  assert_int_equal(count_ok(k, a, RPC(2, "room.chat", "{\"text\":\"x\"}"), 2, 20, "rate_limited"), 10);
  assert_int_equal(count_ok(k, a, RPC(3, "ping", "{}"), 3, 60, "rate_limited"),
                   20); /* 20 of the burst of 40 are gone */
  tick(k, US_PER_S);
  assert_int_equal(count_ok(k, a, RPC(3, "ping", "{}"), 3, 30, "rate_limited"), 20);
  tick(k, US_PER_S);
  assert_int_equal(count_ok(k, a, RPC(2, "room.chat", "{\"text\":\"x\"}"), 2, 20, "rate_limited"), 10);
  kit_free(k);
}

static void test_hello(void **state) {
  struct kit *k = kit_make(NULL);
  (void)state;
  uint32_t in = join(k, &k->host, "ann"), silent = open_conn(k, false), admin = open_conn(k, true);
  expect(k, silent, 2, RPC(2, "ping", "{}"), "ok"); /* a ping is no room.join */
  tick(k, CONTROL_HELLO_MS * US_PER_MS - 1);
  control_commit(k->c);
  assert_false(control_wants_close(k->c, silent));
  assert_true(control_next_timeout(k->c) <= k->now + 1);
  tick(k, 1);
  for (int turn = 0; turn < 2; turn++) { /* what he said may not be read yet */
    assert_null(next(k, silent));
    assert_true(control_next_timeout(k->c) <= k->now + US_PER_MS);
    control_commit(k->c);
    tick(k, US_PER_MS);
  }
  control_commit(k->c);
  json_t *o = next(k, silent);
  assert_string_equal(json_string_value(json_object_get(o, "method")), "bye");
  json_decref(o);
  assert_true(control_wants_close(k->c, silent));
  assert_false(control_wants_close(k->c, in));
  assert_false(control_wants_close(k->c, admin));
  kit_free(k);
}

static void test_slow_reader(void **state) {
  struct kit *k = kit_make(NULL);
  (void)state;
  uint32_t a = join(k, &k->host, "ann"), slow = join(k, &k->guest, "slow"), b = join(k, &k->guest, "bob");
  for (unsigned i = 0; i < CONTROL_QUEUE_MAX + 20; i++) {
    tick(k, US_PER_S / 10);
    expect(k, a, 2, i % 2 ? RPC(2, "room.unmute", "{}") : RPC(2, "room.mute", "{}"), "ok");
    assert_int_equal(drain(k, b), i == 0 ? 1 : 1);
  }
  struct control_counters n;
  control_counters(k->c, &n);
  assert_int_equal(n.slow_closed, 1);
  assert_true(control_wants_close(k->c, slow));
  assert_null(next(k, slow));
  assert_false(control_wants_close(k->c, b));
  control_closed(k->c, slow);
  control_commit(k->c);
  assert_int_equal(drain(k, b), 1); /* he is away now */
  kit_free(k);
}

static void test_operator(void **state) {
  struct kit *k = kit_make(NULL);
  (void)state;
  uint32_t op = open_conn(k, true), a = join(k, &k->host, "ann"), b = join(k, &k->guest, "bob");
  drain(k, a);
  expect(k, op, 2, RPC(2, "room.create", "{\"room\":\"den\"}"), "room_exists");
  expect(k, op, 3, RPC(3, "room.create", "{\"room\":\"Bad Name\"}"), "bad_name");
  expect(k, op, 4, RPC(4, "room.remove", "{\"room\":\"nowhere\",\"who\":1}"), "no_room");
  expect(k, op, 5, RPC(5, "room.join", "{\"room\":\"den\"}"), "bad_request");
  expect(k, op, 6, RPC(6, "room.remove", "{\"room\":\"den\",\"who\":2,\"text\":\"enough\"}"), "ok");
  json_t *o = NULL;
  for (json_t *m; (m = next(k, b)); o = m)
    json_decref(o);
  assert_string_equal(json_string_value(json_object_get(o, "method")), "bye");
  assert_string_equal(json_string_value(json_object_get(json_object_get(o, "params"), "code")), "removed");
  json_decref(o);
  assert_true(control_wants_close(k->c, b));
  assert_int_equal(drain(k, a), 1);
  expect(k, b, 7, RPC(7, "room.chat", "{\"text\":\"still here\"}"), ""); /* no answer to who is gone */
  kit_free(k);
}

static size_t chats(struct kit *k) {
  uint32_t op = open_conn(k, true);
  say(k, op, RPC(2, "room.show", "{\"room\":\"den\"}"));
  json_t *o = answer(k, op, 2);
  size_t n = json_array_size(json_object_get(json_object_get(json_object_get(o, "result"), "room"), "chat"));
  json_decref(o);
  control_closed(k->c, op);
  return n;
}

static void limit_files(rlim_t bytes) {
  struct rlimit r = {.rlim_cur = bytes, .rlim_max = RLIM_INFINITY};
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &r), 0);
}

static void remove_files(const struct kit *k) {
  static const char *const END[] = {"", "-wal", "-shm", ".key"};
  char path[128];
  for (size_t i = 0; i < sizeof END / sizeof END[0]; i++) {
    snprintf(path, sizeof path, "%s%s", k->path, END[i]);
    unlink(path);
  }
  rmdir(k->dir);
}

static void test_disk_full(void **state) {
  struct kit *k = kit_make("gavel.db");
  char wal[128], made[48], text[512];
  struct stat st;
  (void)state;
  signal(SIGXFSZ, SIG_IGN);
  uint32_t a = join(k, &k->host, "ann"), b = join(k, &k->guest, "bob"), late = open_conn(k, false);
  expect(k, b, 2, RPC(2, "room.chat", "{\"text\":\"before\"}"), "ok");
  drain(k, a);
  snprintf(wal, sizeof wal, "%s-wal", k->path);
  assert_int_equal(stat(wal, &st), 0);
  limit_files((rlim_t)st.st_size);
  expect(k, b, 3, RPC(3, "room.chat", "{\"text\":\"lost\"}"), "disk_full");
  join_text(&k->guest, "late", text);
  expect(k, late, 1, text, "disk_full");
  uint32_t op = open_conn(k, true);
  say(k, op, RPC(4, "room.create", "{\"room\":\"other\"}"));
  code_of(answer(k, op, 4), made);
  limit_files(RLIM_INFINITY);
  assert_string_equal(made, "disk_full");
  for (json_t *o; (o = next(k, a)); json_decref(o)) /* only a snapshot of what was and is */
    assert_string_not_equal(json_string_value(json_object_get(o, "method")), "event");
  assert_int_equal(chats(k), 1);
  expect(k, b, 5, RPC(5, "room.chat", "{\"text\":\"after\"}"), "ok");
  expect(k, late, 1, text, "ok");
  expect(k, op, 4, RPC(4, "room.create", "{\"room\":\"other\"}"), "ok");
  assert_int_equal(chats(k), 2);
  struct control_counters n;
  control_counters(k->c, &n);
  assert_int_equal(n.commit_failures, 3);
  control_destroy(k->c); /* and after a restart it is the same room */
  kit_start(k);
  control_commit(k->c);
  assert_int_equal(chats(k), 2);
  remove_files(k);
  kit_free(k);
}

/* [[id, quality]] of the next `quality` among what waits, as id * 10 + quality; 0 for none. */
static json_int_t quality(struct kit *k, uint32_t conn) {
  json_int_t found = 0;
  for (json_t *o; (o = next(k, conn)); json_decref(o)) {
    const char *method = json_string_value(json_object_get(o, "method"));
    json_t *pair = json_array_get(json_object_get(json_object_get(o, "params"), "who"), 0);
    if (method && strcmp(method, "quality") == 0)
      found = json_integer_value(json_array_get(pair, 0)) * 10 + json_integer_value(json_array_get(pair, 1));
  }
  return found;
}

static void report(struct kit *k, uint32_t peer, uint8_t loss_pct, uint16_t rtt_ms) {
  struct media_event ev = {.kind = MEDIA_STATS, .peer = peer};
  ev.stats.loss_up = loss_pct;
  ev.stats.rtt_ms = rtt_ms;
  control_media_event(k->c, 0, &ev);
  control_commit(k->c);
}

static void test_quality_is_told_when_it_changes(void **state) {
  struct kit *k = kit_make(NULL);
  (void)state;
  uint32_t ann = join(k, &k->host, "ann");
  uint32_t bob = join_with_sound(k, "bob");
  assert_int_equal(k->last.kind, MEDIA_PEER_ADD);
  uint32_t peer = k->last.peer;
  drain(k, ann);
  report(k, peer, 1, 30);
  assert_int_equal(quality(k, ann), 0);
  report(k, peer, 5, 30);
  assert_int_equal(quality(k, ann), 21);
  report(k, peer, 6, 40);
  assert_int_equal(quality(k, ann), 0); /* as before: nothing is said */
  report(k, peer, 0, 900);
  assert_int_equal(quality(k, ann), 22);
  uint32_t eve = open_conn(k, false);
  char text[512];
  join_text(&k->guest, "eve", text);
  say(k, eve, text);
  assert_int_equal(quality(k, eve), 22); /* a newcomer hears how it stands */
  for (int i = 0; i < 3; i++)            /* better only when it stays so */
    report(k, peer, 0, 20);
  assert_int_equal(quality(k, bob), 20);
  kit_free(k);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_malformed),   cmocka_unit_test(test_before_joining),
      cmocka_unit_test(test_joined),      cmocka_unit_test(test_nothing_before_commit),
      cmocka_unit_test(test_rates),       cmocka_unit_test(test_hello),
      cmocka_unit_test(test_slow_reader), cmocka_unit_test(test_operator),
      cmocka_unit_test(test_disk_full),   cmocka_unit_test(test_quality_is_told_when_it_changes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
