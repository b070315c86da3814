/* Webhooks: in the database with the act, sent after it is durable, in order in each room, tried again until
 * 24 h are over, nothing lost by a restart, nothing told that did not happen. */
#include "core/access/access.h"
#include "core/server/hooks.h"
#include "tests/unit/server/hooks_kit.h"

static void locks(struct kit *k, uint32_t operator, const char * room, const char *act) {
  char text[128];
  snprintf(text, sizeof text, RPC(1, "room.%s", "{\"room\":\"%s\"}"), act, room);
  expect(k, operator, 1, text, "ok");
}

static void second_room(struct kit *k, uint32_t operator) {
  expect(k, operator, 1, RPC(1, "room.create", "{\"room\":\"barn\",\"lobby\":false}"), "ok");
  turn(k, 1);
  while (hooks_counters(k->c).queued) {
    for (size_t i = 0, n = JOBS.n; i < n; i++)
      answer_job(k, &JOBS.v[i], 200);
    JOBS.n = 0;
    turn(k, 1);
  }
}

/* The example of the specification, standardwebhooks.com. */
static void test_signature(void **state) {
  (void)state;
  uint8_t out[64];
  assert_int_equal(hooks_secret("sixteen letters!", out), 16);
  assert_int_equal(hooks_secret("whsec_!!", out), 0);
  assert_int_equal(hooks_secret("whsec_AAAA", out), 0); /* too short for a key */
  assert_int_equal(hooks_secret("whsec_AAAAAAAAAAAAAAAAAAAAAA==", out), 16);
  char longest[80];
  memset(longest, 'x', 79), longest[79] = 0;
  assert_int_equal(hooks_secret(longest, out), 0);
  static const char BODY[] = "{\"test\": 2432232314}";
  char signature[80];
  assert_int_equal(hooks_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", out), 24);
  hooks_sign(out, 24, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", BODY, strlen(BODY), signature);
  assert_string_equal(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  struct kit *k = hooks_kit(NULL, false);
  uint32_t operator= open_conn(k, true);
  locks(k, operator, "den", "lock");
  turn(k, 1);
  assert_int_equal(JOBS.n, 1);
  const struct runner_job *j = &JOBS.v[0];
  assert_int_equal(strlen(j->signature), 3 + 44);
  assert_memory_equal(j->signature, "v1,", 3);
  assert_true(strtoll(j->at, NULL, 10) == (WALL + k->now / US_PER_MS) / 1000);
  assert_true(job_says(0, "id", j->name) && job_says(0, "type", "room.locked") && job_says(0, "room", "den"));
  kit_free(k);
}

static void test_order(void **state) {
  (void)state;
  struct kit *k = hooks_kit(NULL, false);
  uint32_t operator= open_conn(k, true);
  second_room(k, operator);
  tick(k, 0);
  control_message(k->c, operator, RPC(1, "room.lock", "{\"room\":\"den\"}"),
                  strlen(RPC(1, "room.lock", "{\"room\":\"den\"}")));
  tick(k, 1);
  assert_int_equal(JOBS.n, 0); /* not on disk yet */
  control_commit(k->c);
  assert_true(control_next_timeout(k->c) <= k->now);
  turn(k, 1);
  assert_int_equal(JOBS.n, 1);
  locks(k, operator, "den", "unlock");
  locks(k, operator, "barn", "lock");
  turn(k, 1);
  assert_int_equal(JOBS.n, 2); /* barn's; den's second waits for its first */
  assert_true(job_says(1, "room", "barn"));
  answer_job(k, &JOBS.v[0], 503);
  turn(k, 1);
  assert_int_equal(JOBS.n, 2);
  turn(k, US_PER_S);
  assert_int_equal(JOBS.n, 3); /* the first again, under the same id */
  assert_string_equal(JOBS.v[2].name, JOBS.v[0].name);
  answer_job(k, &JOBS.v[2], 204);
  turn(k, 1);
  assert_int_equal(JOBS.n, 4);
  assert_true(job_says(3, "room", "den") && JOBS.v[3].id > JOBS.v[0].id);
  answer_job(k, &JOBS.v[0], 200); /* an answer to what is done with */
  struct hooks_counters n = hooks_counters(k->c);
  assert_int_equal(n.queued, 2);
  assert_int_equal(n.failed, 1);
  kit_free(k);
}

static void test_backoff(void **state) {
  (void)state;
  struct kit *k = hooks_kit(NULL, false);
  uint32_t operator= open_conn(k, true);
  locks(k, operator, "den", "lock");
  locks(k, operator, "den", "unlock");
  turn(k, 1);
  us_t wait = US_PER_S, began = k->now;
  unsigned tries = 0;
  while (k->now - began < 24 * 3600 * US_PER_S) {
    assert_int_equal(JOBS.n, 1);
    assert_true(job_says(0, "type", "room.locked") && tries < 60);
    answer_job(k, &JOBS.v[0], tries % 2 ? -1 : 500);
    JOBS.n = 0;
    us_t due = hooks_next(k->c);
    turn(k, 1);
    due = hooks_next(k->c);
    assert_true(due - k->now <= wait && due - k->now >= wait / 2 - 2);
    wait = wait * 2 < HOOKS_RETRY_MOST_US ? wait * 2 : HOOKS_RETRY_MOST_US;
    turn(k, due - k->now);
    tries++;
  }
  assert_true(tries > 24 && tries < 60);
  turn(k, HOOKS_RETRY_MOST_US);
  JOBS.n = 0;
  expect(k, operator, 1, RPC(1, "webhook.retry", "{\"id\":\"evt_1\"}"), "nothing_to_do");
  expect(k, operator, 1, RPC(1, "webhook.retry", "{\"all\":1}"), "bad_argument");
  expect(k, operator, 1, RPC(1, "webhook.retry", "{}"), "ok"); /* given up, but not forgotten */
  for (size_t i = 0; i < JOBS.n; i++)
    answer_job(k, &JOBS.v[i], 200);
  turn(k, 1);
  assert_true(JOBS.n >= 1);
  for (size_t i = 0; i < JOBS.n; i++)
    answer_job(k, &JOBS.v[i], 200);
  turn(k, 1);
  for (size_t i = 0; i < JOBS.n; i++)
    answer_job(k, &JOBS.v[i], 200);
  assert_int_equal(hooks_counters(k->c).queued, 0);
  kit_free(k);
}

static void test_not_for_ever(void **state) {
  (void)state;
  struct kit *k = hooks_kit(NULL, false);
  uint32_t operator= open_conn(k, true);
  JOBS.says = ERR_IO;
  locks(k, operator, "den", "lock");
  turn(k, 25 * 3600 * US_PER_S);
  assert_int_equal(hooks_counters(k->c).queued, 1);
  for (unsigned day = 0; day < 7; day++) {
    locks(k, operator, "den", day % 2 ? "lock" : "unlock");
    turn(k, 24 * 3600 * US_PER_S);
    turn(k, 1);
  }
  assert_int_equal(hooks_counters(k->c).queued, 7); /* of eight, the first is a week beyond its day */
  assert_int_equal(hooks_counters(k->c).dropped, 1);
  kit_free(k);
}

static void test_kept(void **state) {
  (void)state;
  struct kit *k = hooks_kit("gavel.db", false);
  uint32_t operator= open_conn(k, true);
  JOBS.says = ERR_BUSY; /* the runner takes nothing now */
  locks(k, operator, "den", "lock");
  turn(k, 1);
  turn(k, US_PER_S);
  control_destroy(k->c); /* as after kill -9 */
  kit_start(k);
  hooks_on(k, false);
  operator= open_conn(k, true);
  assert_int_equal(hooks_counters(k->c).queued, 1);
  locks(k, operator, "den", "unlock");
  JOBS.says = ERR_OK;
  turn(k, US_PER_S);
  assert_int_equal(JOBS.n, 1);
  assert_true(job_says(0, "type", "room.locked"));
  k->c->group_err = ERR_DISK_FULL; /* what did not happen is not told; what waits still does */
  expect(k, operator, 1, RPC(1, "room.lock", "{\"room\":\"den\"}"), "disk_full");
  assert_int_equal(hooks_counters(k->c).queued, 2);
  answer_job(k, &JOBS.v[0], 200);
  turn(k, 1);
  assert_int_equal(JOBS.n, 2);
  assert_true(JOBS.v[1].id > JOBS.v[0].id);
  k->c->group_err = ERR_DISK_FULL;
  answer_job(k, &JOBS.v[1], 200); /* that it was delivered is lost: it goes again, under the same id */
  assert_int_equal(hooks_counters(k->c).queued, 1);
  turn(k, 1);
  assert_int_equal(JOBS.n, 3);
  assert_string_equal(JOBS.v[2].name, JOBS.v[1].name);
  answer_job(k, &JOBS.v[2], 200);
  control_destroy(k->c);
  kit_start(k);
  hooks_on(k, false);
  assert_int_equal(hooks_counters(k->c).queued, 0); /* delivered is delivered */
  kit_free(k);
}

static void test_bound(void **state) {
  (void)state;
  struct kit *k = hooks_kit(NULL, false);
  uint32_t operator= open_conn(k, true);
  JOBS.says = ERR_IO;
  k->c->cfg.hooks.most = 10;
  for (unsigned i = 0; i < 10; i++)
    locks(k, operator, "den", i % 2 ? "unlock" : "lock");
  assert_int_equal(hooks_counters(k->c).dropped, 0);
  locks(k, operator, "den", "lock");
  locks(k, operator, "den", "unlock");
  struct hooks_counters n = hooks_counters(k->c);
  assert_int_equal(n.queued, 10);
  assert_int_equal(n.dropped, 2);
  expect(k, operator, 1, RPC(1, "webhook.drop", "{}"), "bad_argument");
  expect(k, operator, 1, RPC(1, "webhook.drop", "{\"all\":true,\"id\":\"x\"}"), "bad_argument");
  expect(k, operator, 1, RPC(1, "webhook.drop", "{\"all\":true}"), "ok");
  expect(k, operator, 1, RPC(1, "webhook.drop", "{\"all\":true}"), "nothing_to_do");
  assert_int_equal(hooks_counters(k->c).queued, 0);
  uint32_t guest = join(k, &k->guest, "ann");
  expect(k, guest, 2, RPC(2, "webhook.list", "{}"), "not_allowed");
  kit_free(k);
}

static void test_what_is_told(void **state) {
  (void)state;
  assert_true(hooks_events_ok("all") && hooks_events_ok(" member.*, chat.sent ") && hooks_events_ok("*"));
  assert_false(hooks_events_ok("memebr.*") || hooks_events_ok("chat.sent chat") || hooks_events_ok(" ,"));
  struct kit *k = hooks_kit(NULL, false);
  k->c->cfg.hooks.events = "member.*, chat.sent";
  uint32_t ann = join(k, &k->host, "Annabel");
  turn(k, 1);
  assert_int_equal(JOBS.n, 1);
  assert_true(job_says(0, "type", "member.joined"));
  assert_null(strstr(JOBS.v[0].body, "Annabel"));
  answer_job(k, &JOBS.v[0], 200);
  expect(k, ann, 2, RPC(2, "room.topic", "{\"text\":\"of no interest\"}"), "ok");
  expect(k, ann, 2, RPC(2, "room.chat", "{\"text\":\"sesame\"}"), "ok");
  turn(k, 1);
  assert_int_equal(JOBS.n, 2);
  assert_true(job_says(1, "type", "chat.sent"));
  assert_null(strstr(JOBS.v[1].body, "sesame"));
  answer_job(k, &JOBS.v[1], 200);
  k->c->cfg.hooks.names = true;
  join(k, &k->guest, "Bobby");
  turn(k, 1);
  assert_int_equal(JOBS.n, 3);
  assert_non_null(strstr(JOBS.v[2].body, "\"Bobby\""));
  kit_free(k);
}

static void alert(struct kit *k, const char *what) {
  hooks_alert(k->c, json_pack("{s:s,s:s}", "type", "alert", "alert", what));
}

/* An endpoint that hangs holds up neither the others' events nor alerts; those keep their order too. */
static void test_alerts_do_not_wait(void **state) {
  (void)state;
  struct kit *k = hooks_kit(NULL, true);
  uint32_t operator= open_conn(k, true);
  char text[128];
  for (unsigned i = 0; i < 20; i++) {
    snprintf(text, sizeof text, RPC(1, "room.create", "{\"room\":\"r%u\",\"lobby\":false}"), i);
    expect(k, operator, 1, text, "ok");
  }
  turn(k, 1);
  size_t events = JOBS.n;
  assert_true(events > 0 && events < RUNNER_AT_ONCE);
  assert_int_equal(hooks_next(k->c) > k->now + US_PER_S, 1); /* and nobody looks at the others meanwhile */
  alert(k, "one");
  alert(k, "two");
  turn(k, 1);
  assert_int_equal(JOBS.n, events + 2);
  assert_true(job_says(events, "alert", "one") && job_says(events + 1, "alert", "one"));
  assert_int_not_equal(JOBS.v[events].target, JOBS.v[events + 1].target);
  answer_job(k, &JOBS.v[events], 500); /* "two" does not overtake it */
  turn(k, 1);
  assert_int_equal(JOBS.n, events + 2);
  turn(k, US_PER_S);
  assert_int_equal(JOBS.n, events + 3);
  answer_job(k, &JOBS.v[events + 2], 200);
  turn(k, 1);
  assert_int_equal(JOBS.n, events + 4);
  assert_true(job_says(events + 3, "alert", "two"));
  answer_job(k, &JOBS.v[0], 200); /* one place for the next event */
  turn(k, 1);
  assert_int_equal(JOBS.n, events + 5);
  kit_free(k);
}

/* The process that sends has died and is there again: what it had taken is sent again. */
static void test_runner_lost(void **state) {
  (void)state;
  struct kit *k = hooks_kit(NULL, false);
  locks(k, open_conn(k, true), "den", "lock");
  turn(k, 1);
  assert_int_equal(JOBS.n, 1);
  struct runner_answer a = {.id = RUNNER_ALL_LOST, .target = RUN_COMMAND, .status = -1};
  control_ran(k->c, &a); /* the other one: nothing of ours */
  turn(k, US_PER_S);
  assert_int_equal(JOBS.n, 1);
  a.target = RUN_WEBHOOK;
  control_ran(k->c, &a);
  turn(k, US_PER_S);
  assert_int_equal(JOBS.n, 2);
  assert_string_equal(JOBS.v[1].name, JOBS.v[0].name);
  answer_job(k, &JOBS.v[1], 200);
  assert_int_equal(hooks_counters(k->c).queued, 0);
  kit_free(k);
}

static void test_erased(void **state) {
  (void)state;
  struct kit *k = hooks_kit(NULL, false);
  k->c->cfg.hooks.names = true;
  JOBS.says = ERR_BUSY;
  uint32_t ann = join(k, &k->host, "Annabel");
  join(k, &k->guest, "Bobby");
  expect(k, ann, 2, RPC(2, "room.chat", "{\"text\":\"x\"}"), "ok");
  const struct room *r = &hosted_find(k->c, "den")->room;
  const char *pid = NULL;
  for (size_t i = 0; i < r->n_members; i++)
    pid = strcmp(r->members[i].name, "Annabel") == 0 ? r->members[i].pid : pid;
  assert_true(pid && *pid);
  hooks_unname(k->c, pid);
  JOBS.says = ERR_OK;
  turn(k, US_PER_S);
  for (size_t i = 0; i < JOBS.n && i < 10; i++) {
    assert_null(strstr(JOBS.v[i].body, "Annabel"));
    answer_job(k, &JOBS.v[i], 200);
    turn(k, 1);
  }
  assert_int_equal(JOBS.n, 3);
  assert_non_null(strstr(JOBS.v[0].body, pid));
  assert_non_null(strstr(JOBS.v[1].body, "Bobby"));
  kit_free(k);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_signature),    cmocka_unit_test(test_order),
      cmocka_unit_test(test_backoff),      cmocka_unit_test(test_not_for_ever),
      cmocka_unit_test(test_kept),         cmocka_unit_test(test_bound),
      cmocka_unit_test(test_what_is_told), cmocka_unit_test(test_alerts_do_not_wait),
      cmocka_unit_test(test_runner_lost),  cmocka_unit_test(test_erased)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
