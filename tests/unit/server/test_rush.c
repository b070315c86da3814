/* Many come at once: what may wait for company and what may not, and whose fault a long queue is. */
#include "tests/unit/server/control_kit.h"

#define WAIT_US (US_PER_S / 4)

struct door {
  struct kit *k;
  unsigned asked[16]; /* by connection: how often it was to write */
  bool blocked;
};

static void no_media(void *ctx, unsigned thread, const struct media_cmd *cmd) {
  (void)ctx;
  (void)thread;
  (void)cmd;
}

static void count_asked(void *ctx, uint32_t conn) {
  struct door *d = ctx;
  assert_in_range(conn, 1, 15);
  d->asked[conn]++;
}

static bool is_blocked(void *ctx, uint32_t conn) {
  const struct door *d = ctx;
  (void)conn;
  return d->blocked;
}

/* The same room, once more from its log, under a control plane that is watched. */
static void watch(struct door *d) {
  struct control_config c = {.store = d->k->store,
                             .rng = &d->k->rng,
                             .media_threads = 1,
                             .media = no_media,
                             .want_write = count_asked,
                             .blocked = is_blocked,
                             .ctx = d};
  char why[256] = "";
  control_destroy(d->k->c);
  assert_int_equal(control_create(&c, d->k->now, WALL + d->k->now / US_PER_MS, &d->k->c, why), ERR_OK);
}

static void the_first_is_told_at_once_the_others_together(void **state) {
  struct door d = {.k = kit_make(NULL)};
  (void)state;
  watch(&d);
  uint32_t ann = join(d.k, &d.k->host, "ann");
  tick(d.k, US_PER_S);
  drain(d.k, ann);
  memset(d.asked, 0, sizeof d.asked);
  join(d.k, &d.k->guest, "one");
  assert_int_equal(d.asked[ann], 1);
  assert_int_equal(drain(d.k, ann), 1);
  tick(d.k, WAIT_US / 5);
  join(d.k, &d.k->guest, "two");
  tick(d.k, WAIT_US / 5);
  join(d.k, &d.k->guest, "three");
  assert_int_equal(d.asked[ann], 1); /* not yet */
  us_t due = control_next_timeout(d.k->c);
  assert_in_range(due - d.k->now, 1, WAIT_US);
  tick(d.k, due - d.k->now - 1);
  assert_int_equal(d.asked[ann], 1);
  tick(d.k, 1);
  assert_int_equal(d.asked[ann], 2);
  assert_int_equal(drain(d.k, ann), 2);
  assert_true(control_next_timeout(d.k->c) > d.k->now);
  kit_free(d.k);
}

static void what_is_said_takes_along_what_waits_in_order(void **state) {
  struct door d = {.k = kit_make(NULL)};
  (void)state;
  watch(&d);
  uint32_t ann = join(d.k, &d.k->host, "ann");
  join(d.k, &d.k->guest, "one");
  uint32_t two = join(d.k, &d.k->guest, "two");
  drain(d.k, ann);
  drain(d.k, two);
  memset(d.asked, 0, sizeof d.asked);
  join(d.k, &d.k->guest, "three");
  assert_int_equal(d.asked[ann], 0);
  expect(d.k, two, 2, RPC(2, "room.chat", "{\"text\":\"hello\"}"), "ok");
  assert_true(d.asked[ann] > 0);
  const char *const kinds[] = {"member.joined", "chat.sent"};
  for (size_t i = 0; i < 2; i++) {
    json_t *o = next(d.k, ann);
    assert_string_equal(json_str(json_object_get(o, "params"), "kind", ""), kinds[i]);
    json_decref(o);
  }
  kit_free(d.k);
}

static void assert_kind(struct kit *k, uint32_t conn, const char *method, const char *kind) {
  json_t *o = next(k, conn);
  assert_non_null(o);
  assert_string_equal(json_str(o, "method", ""), method);
  assert_string_equal(json_str(json_object_get(o, "params"), "kind", ""), kind);
  json_decref(o);
}

/* What waited for his old connection is in what he gets on the new one, and what comes then follows it. */
static void who_comes_back_in_a_rush_misses_nothing(void **state) {
  struct door d = {.k = kit_make(NULL)};
  (void)state;
  watch(&d);
  char text[512], back[300];
  join_text(&d.k->host, "ann", text);
  uint32_t ann = open_conn(d.k, false);
  say(d.k, ann, text);
  json_t *o = answer(d.k, ann, 1);
  snprintf(back, sizeof back,
           "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"room.join\",\"params\":{\"room\":\"den\",\"resume\":"
           "\"%s\"}}",
           json_str(json_object_get(o, "result"), "resume", ""));
  json_decref(o);
  join(d.k, &d.k->guest, "one");
  drain(d.k, ann);
  join(d.k, &d.k->guest, "two"); /* waits for company */
  uint32_t again = open_conn(d.k, false);
  unsigned asked = d.asked[ann];
  say(d.k, again, back);
  assert_true(d.asked[ann] > asked);
  assert_kind(d.k, ann, "event", "member.joined");
  assert_kind(d.k, ann, "event", "member.back"); /* his own */
  assert_kind(d.k, ann, "bye", "");
  assert_true(control_wants_close(d.k->c, ann));
  control_closed(d.k->c, ann);
  o = answer(d.k, again, 1);
  const json_t *room = json_object_get(json_object_get(o, "result"), "room");
  assert_int_equal(json_array_size(json_object_get(room, "members")), 3);
  json_decref(o);
  drain(d.k, again);
  join(d.k, &d.k->guest, "three");
  tick(d.k, WAIT_US);
  assert_kind(d.k, again, "event", "member.joined");
  assert_null(next(d.k, again));
  kit_free(d.k);
}

static void fill(struct door *d, uint32_t op, unsigned n) {
  for (unsigned i = 0; i < n; i++) {
    tick(d->k, US_PER_S);
    say(d->k, op,
        i % 2 ? RPC(2, "room.lock", "{\"room\":\"den\"}") : RPC(2, "room.unlock", "{\"room\":\"den\"}"));
    say(d->k, op, RPC(3, "room.announce", "{\"room\":\"den\",\"text\":\"x\"}"));
    drain(d->k, op);
  }
}

static void our_own_delay_is_nobodys_fault(void **state) {
  struct door d = {.k = kit_make(NULL)};
  (void)state;
  watch(&d);
  uint32_t op = open_conn(d.k, true), bob = join(d.k, &d.k->guest, "bob");
  drain(d.k, bob);
  fill(&d, op, CONTROL_QUEUE_MAX + 10);
  assert_false(control_wants_close(d.k->c, bob));
  d.blocked = true; /* his socket takes nothing either */
  fill(&d, op, 1);
  assert_true(control_wants_close(d.k->c, bob));
  assert_int_equal(control_close_code(d.k->c, bob), CONTROL_CLOSE_SLOW);
  kit_free(d.k);
}

static void even_so_the_queue_has_an_end(void **state) {
  struct door d = {.k = kit_make(NULL)};
  (void)state;
  watch(&d);
  uint32_t op = open_conn(d.k, true), bob = join(d.k, &d.k->guest, "bob");
  drain(d.k, bob);
  unsigned told = CONTROL_QUEUE_TIMES * CONTROL_QUEUE_MAX / 2;
  fill(&d, op, told - 10); /* two messages each time */
  assert_false(control_wants_close(d.k->c, bob));
  fill(&d, op, 20);
  assert_true(control_wants_close(d.k->c, bob));
  kit_free(d.k);
}

static void who_spoke_while_we_were_late_is_not_sent_away(void **state) {
  struct door d = {.k = kit_make(NULL)};
  (void)state;
  watch(&d);
  uint32_t late = open_conn(d.k, false), silent = open_conn(d.k, false);
  char text[512];
  tick(d.k, CONTROL_HELLO_MS * US_PER_MS + 5 * US_PER_S); /* a turn that took far too long */
  control_commit(d.k->c);
  assert_false(control_ending(d.k->c, late));
  join_text(&d.k->guest, "late", text);
  say(d.k, late, text);
  for (int turn = 0; turn < 3; turn++) {
    tick(d.k, US_PER_MS);
    control_commit(d.k->c);
  }
  assert_false(control_ending(d.k->c, late));
  assert_true(control_ending(d.k->c, silent));
  kit_free(d.k);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_first_is_told_at_once_the_others_together),
      cmocka_unit_test(what_is_said_takes_along_what_waits_in_order),
      cmocka_unit_test(who_comes_back_in_a_rush_misses_nothing),
      cmocka_unit_test(our_own_delay_is_nobodys_fault),
      cmocka_unit_test(even_so_the_queue_has_an_end),
      cmocka_unit_test(who_spoke_while_we_were_late_is_not_sent_away),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
