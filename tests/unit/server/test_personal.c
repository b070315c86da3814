/* Whose the personal content of a room's log is, what a deletion takes along, and what goes when all have
 * left. */
#include "tests/unit/server/control_kit.h"

/* How often a word stands in a payload, and the subject of the last one. */
struct found {
  const char *word;
  unsigned n;
  char subject[32];
};
static enum err look(void *ctx, const struct store_record *r) {
  struct found *f = ctx;
  if (r->payload && strstr(r->payload, f->word)) {
    f->n++;
    snprintf(f->subject, sizeof f->subject, "%s", r->subject ? r->subject : "");
  }
  return ERR_OK;
}
static enum err take_name(void *ctx, const char *stream) {
  json_array_append_new(ctx, json_string(stream));
  return ERR_OK;
}
static struct found find(struct kit *k, const char *word) {
  struct found f = {.word = word};
  json_t *streams = json_array(), *s;
  size_t i;
  assert_int_equal(store_streams(k->store, "room:", take_name, streams), ERR_OK);
  json_array_foreach(streams, i, s)
      assert_int_equal(store_replay(k->store, json_string_value(s), 0, look, &f), ERR_OK);
  json_decref(streams);
  return f;
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

static void must(struct kit *k, uint32_t conn, const char *method, const char *params) {
  json_t *r = ask(k, conn, method, params);
  if (!r)
    fail_msg("%s %s was refused", method, params);
  json_decref(r);
}

static void pid_of(struct kit *k, uint32_t conn, char pid[32]) {
  json_t *r = ask(k, conn, "privacy.show", "{}");
  snprintf(pid, 32, "%s", json_str(r, "pid", ""));
  assert_int_equal(strlen(pid), 18);
  json_decref(r);
}

static void erase(struct kit *k, const char *pid) {
  char params[80];
  uint32_t admin = open_conn(k, true);
  snprintf(params, sizeof params, "{\"user\":\"%s\"}", pid);
  must(k, admin, "privacy.erase", params);
}

/* The room as the operator sees it. */
static bool shown(struct kit *k, const char *word) {
  json_t *r = ask(k, open_conn(k, true), "room.show", "{\"room\":\"den\"}");
  char *text = json_dumps(r, 0);
  bool there = strstr(text, word) != NULL;
  free(text);
  json_decref(r);
  return there;
}

static void restart(struct kit *k) {
  control_commit(k->c);
  control_destroy(k->c);
  kit_start(k);
}

static void test_what_was_there_before_is_not_ones_own(void **state) {
  (void)state;
  static const char *const TEXTS[] = {"room.topic", "room.agenda", "room.lock"};
  for (size_t i = 0; i < 3; i++) {
    struct kit *k = kit_make(NULL);
    char bob_pid[32];
    uint32_t bob = join(k, &k->host, "bob"), ann = join(k, &k->host, "ann");
    pid_of(k, bob, bob_pid);
    must(k, bob, TEXTS[i], "{\"text\":\"bobcanary\"}");
    must(k, ann, TEXTS[i], "{\"text\":\"annwords\"}");
    assert_int_equal(find(k, "bobcanary").n, 1);
    must(k, ann, "room.undo", "{}"); /* his words are there again: they are still his */
    assert_true(shown(k, "bobcanary"));
    assert_string_equal(find(k, "bobcanary").subject, bob_pid);
    restart(k);
    assert_true(shown(k, "bobcanary"));
    erase(k, bob_pid);
    assert_int_equal(find(k, "bobcanary").n, 0);
    assert_false(shown(k, "bobcanary"));
    assert_int_equal(find(k, "annwords").n, 1);
    kit_free(k);
  }
}

static void test_a_reason_about_several_goes_with_each(void **state) {
  (void)state;
  for (int who = 0; who < 3; who++) { /* the author, and each of the two */
    struct kit *k = kit_make(NULL);
    char pid[3][32];
    uint32_t conn[3] = {join(k, &k->host, "ann"), join(k, &k->guest, "bob"), join(k, &k->guest, "eve")};
    for (int i = 0; i < 3; i++)
      pid_of(k, conn[i], pid[i]);
    must(k, conn[0], "room.mute", "{\"who\":[2,3],\"text\":\"bob and eve canary\"}");
    assert_string_equal(find(k, "canary").subject, "");
    erase(k, pid[who]);
    assert_int_equal(find(k, "canary").n, 0);
    kit_free(k);
  }
}

static void test_a_ban_is_of_who_is_banned(void **state) {
  (void)state;
  struct kit *k = kit_make(NULL);
  char ann_pid[32], bob_pid[32];
  uint32_t host = join(k, &k->host, "host"), ann = join(k, &k->host, "ann"), bob = join(k, &k->guest, "bob");
  pid_of(k, ann, ann_pid);
  pid_of(k, bob, bob_pid);
  must(k, ann, "room.ban_rule", "{\"rule\":\"user:rulecanary@acme\"}");
  must(k, ann, "room.ban_rule", "{\"rule\":\"cidr:203.0.113.0/24\",\"text\":\"blockreason\"}");
  must(k, ann, "room.ban", "{\"who\":[3],\"what\":\"speak\",\"text\":\"firstreason\"}");
  struct found f = find(k, "firstreason");
  assert_string_equal(f.subject, bob_pid);
  json_t *r = ask(k, open_conn(k, true), "room.show", "{\"room\":\"den\"}"), *b;
  json_int_t id = 0;
  size_t i;
  json_array_foreach(json_object_get(json_object_get(r, "room"), "bans"), i, b) id = json_int(b, "id", 0);
  json_decref(r);
  char params[80];
  snprintf(params, sizeof params, "{\"id\":%d,\"seconds\":3600,\"text\":\"editedreason\"}", (int)id);
  must(k, ann, "room.ban_edit", params);
  assert_string_equal(find(k, "editedreason").subject, bob_pid);
  assert_string_equal(find(k, "rulecanary").subject, "");
  erase(k, ann_pid); /* who made them goes: they hold on */
  assert_true(shown(k, "rulecanary") && shown(k, "blockreason") && shown(k, "editedreason"));
  restart(k);
  assert_true(shown(k, "rulecanary") && shown(k, "blockreason"));
  erase(k, bob_pid);
  assert_int_equal(find(k, "reason").n, 1); /* of the block */
  (void)host;
  kit_free(k);
}

/* A user we know already: what a rule says of him is his. */
static void test_a_rule_for_a_user_is_his(void **state) {
  (void)state;
  struct kit *k = kit_make(NULL);
  uint32_t admin = open_conn(k, true), ann = join(k, &k->host, "ann");
  json_t *r =
      ask(k, admin, "account.create",
          "{\"name\":\"dora\",\"phc\":\"$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8"
          "y7cJHAph8ArZWb2GRPPc\"}");
  char pid[32];
  snprintf(pid, sizeof pid, "%s", json_str(r, "pid", ""));
  json_decref(r);
  must(k, ann, "room.ban_rule", "{\"rule\":\"user:dora\",\"text\":\"doracanary\"}");
  assert_string_equal(find(k, "doracanary").subject, pid);
  must(k, ann, "room.ban_rule", "{\"rule\":\"user:later\",\"text\":\"latercanary\"}"); /* not known yet */
  json_decref(
      ask(k, admin, "account.create",
          "{\"name\":\"later\",\"phc\":\"$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8"
          "y7cJHAph8ArZWb2GRPPc\"}"));
  erase(k, pid);
  assert_int_equal(find(k, "doracanary").n, 0);
  assert_true(shown(k, "latercanary"));
  erase(k, "later");
  assert_int_equal(find(k, "canary").n, 0);
  assert_false(shown(k, "latercanary"));
  kit_free(k);
}

static void test_trust_is_of_who_is_trusted(void **state) {
  (void)state;
  struct kit *k = kit_make(NULL);
  char pid[32], text[512];
  uint32_t host = join(k, &k->host, "host"), bob = open_conn(k, false);
  join_text(&k->guest, "bobcanary\",\"device\":\"laptop", text);
  expect(k, bob, 1, text, "ok");
  pid_of(k, bob, pid);
  must(k, host, "room.trust", "{\"who\":[2]}");
  assert_string_equal(find(k, "bobcanary").subject, pid);
  erase(k, pid);
  assert_int_equal(find(k, "bobcanary").n, 0);
  assert_false(shown(k, "bobcanary"));
  kit_free(k);
}

static void test_what_the_operator_writes_to_one_is_his(void **state) {
  (void)state;
  struct kit *k = kit_make(NULL);
  char pid[32];
  uint32_t bob = join(k, &k->guest, "bob"), admin = open_conn(k, true);
  pid_of(k, bob, pid);
  must(k, admin, "room.announce", "{\"room\":\"den\",\"text\":\"toall\"}");
  assert_string_equal(find(k, "toall").subject, "");
  must(k, admin, "room.mute", "{\"room\":\"den\",\"who\":[1],\"text\":\"bobcanary\"}");
  assert_string_equal(find(k, "bobcanary").subject, pid);
  json_t *sent = ask(k, admin, "room.msg", "{\"room\":\"den\",\"who\":[1],\"text\":\"msgcanary\"}");
  if (sent)
    assert_string_equal(find(k, "msgcanary").subject, pid);
  json_decref(sent);
  erase(k, pid);
  assert_int_equal(find(k, "canary").n, 0);
  kit_free(k);
}

/* ---- deleted ---- */

static json_int_t chat(struct kit *k, uint32_t conn, const char *text) {
  char params[100];
  snprintf(params, sizeof params, "{\"text\":\"%s\"}", text);
  json_t *r = ask(k, conn, "room.chat", params);
  json_int_t seq = json_int(r, "seq", 0);
  assert_true(seq > 0);
  json_decref(r);
  return seq;
}

static void edit(struct kit *k, uint32_t conn, json_int_t id, const char *text) {
  char params[100];
  snprintf(params, sizeof params, "{\"id\":%d,\"text\":\"%s\"}", (int)id, text);
  must(k, conn, "room.chat_edit", params);
}

static void test_deleted_is_deleted(void **state) {
  (void)state;
  struct kit *k = kit_make("deleted.db");
  char params[40], why[256];
  uint32_t host = join(k, &k->host, "host"), bob = join(k, &k->guest, "bob");
  json_int_t id = chat(k, bob, "words1");
  edit(k, bob, id, "words2");
  assert_int_equal(find(k, "words1").n, 0);
  edit(k, bob, id, "words3");
  assert_int_equal(find(k, "words2").n, 0);
  restart(k); /* the text is in the last edit alone */
  assert_true(shown(k, "words3"));
  host = join(k, &k->host, "host2");
  snprintf(params, sizeof params, "{\"id\":%d}", (int)id);
  must(k, host, "room.chat_delete", params);
  assert_int_equal(find(k, "words").n, 0);
  bob = join(k, &k->guest, "bob2");
  uint32_t eve = join(k, &k->guest, "eve");
  id = chat(k, bob, "words4");
  chat(k, bob, "words5");
  edit(k, bob, id, "words6");
  chat(k, eve, "words7");
  must(k, host, "room.chat_purge", "{\"who\":[4]}");
  assert_int_equal(find(k, "words").n, 1);
  must(k, host, "room.chat_clear", "{}");
  assert_int_equal(find(k, "words").n, 0);
  restart(k);
  assert_false(shown(k, "words"));
  assert_int_equal(store_verify(k->store, why), ERR_OK);
  kit_free(k);
}

static void test_a_hold_keeps_what_is_deleted(void **state) {
  (void)state;
  struct kit *k = kit_make(NULL);
  char pid[32], params[100];
  uint32_t host = join(k, &k->host, "host"), bob = join(k, &k->guest, "bob");
  pid_of(k, bob, pid);
  json_int_t id = chat(k, bob, "words");
  snprintf(params, sizeof params, "{\"user\":\"%s\",\"reason\":\"suit\",\"for\":86400}", pid);
  must(k, open_conn(k, true), "hold.add", params);
  snprintf(params, sizeof params, "{\"id\":%d}", (int)id);
  must(k, host, "room.chat_delete", params);
  assert_int_equal(find(k, "words").n, 1); /* for the claim, and for nobody else */
  restart(k);
  assert_false(shown(k, "words"));
  kit_free(k);
}

/* ---- meetings ---- */

#define HOUR_US (3600 * US_PER_S)

static void test_an_empty_room_forgets_the_meeting(void **state) {
  (void)state;
  struct kit *k = kit_make("empty.db");
  uint32_t ann = join(k, &k->host, "anncanary");
  chat(k, ann, "wordscanary");
  must(k, ann, "room.topic", "{\"text\":\"the topic stays\"}");
  tick(k, 2 * HOUR_US);
  control_commit(k->c);
  assert_true(shown(k, "wordscanary")); /* somebody is here */
  must(k, ann, "room.leave", "{}");
  tick(k, HOUR_US / 2);
  control_commit(k->c);
  assert_true(shown(k, "wordscanary")); /* a break */
  tick(k, HOUR_US);
  assert_int_equal(control_commit(k->c), ERR_OK);
  assert_int_equal(find(k, "canary").n, 0);
  assert_false(shown(k, "canary"));
  assert_true(shown(k, "the topic stays"));
  ann = join(k, &k->host, "ann");
  chat(k, ann, "second");
  control_commit(k->c);
  restart(k);           /* while she is away */
  tick(k, 3 * HOUR_US); /* she does not come back */
  control_commit(k->c);
  tick(k, 3 * HOUR_US);
  control_commit(k->c);
  tick(k, 3 * HOUR_US);
  control_commit(k->c);
  assert_int_equal(find(k, "second").n, 0);
  assert_false(shown(k, "second"));
  kit_free(k);
}

static void test_consent_is_asked_of_who_comes_back(void **state) {
  (void)state;
  struct kit *k = kit_make(NULL);
  char secret[64], text[512], resume[300];
  struct access_config with = {.consent_text = "the text", .consent_version = "4"};
  struct limits_set limits = {.waiting_per_address = LIMIT_VALUE_WAITING_ADDRESS};
  uint32_t ann = open_conn(k, false);
  join_text(&k->host, "ann", text);
  say(k, ann, text);
  json_t *o = answer(k, ann, 1);
  snprintf(secret, sizeof secret, "%s", json_str(json_object_get(o, "result"), "resume", ""));
  assert_true(strlen(secret) > 20);
  json_decref(o);
  control_closed(k->c, ann);
  control_configure(k->c, &with, &limits);
  static const struct {
    const char *consent, *code;
  } TRIES[] = {
      {"", "consent_needed"}, {",\"consent\":\"3\"", "consent_needed"}, {",\"consent\":\"4\"", "ok"}};
  for (size_t i = 0; i < 3; i++) {
    snprintf(resume, sizeof resume,
             "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"room.join\",\"params\":{\"room\":\"den\",\"resume\":"
             "\"%s\"%s}}",
             secret, TRIES[i].consent);
    expect(k, open_conn(k, false), 5, resume, TRIES[i].code);
  }
  kit_free(k);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_what_was_there_before_is_not_ones_own),
      cmocka_unit_test(test_a_reason_about_several_goes_with_each),
      cmocka_unit_test(test_a_ban_is_of_who_is_banned),
      cmocka_unit_test(test_a_rule_for_a_user_is_his),
      cmocka_unit_test(test_trust_is_of_who_is_trusted),
      cmocka_unit_test(test_what_the_operator_writes_to_one_is_his),
      cmocka_unit_test(test_deleted_is_deleted),
      cmocka_unit_test(test_a_hold_keeps_what_is_deleted),
      cmocka_unit_test(test_an_empty_room_forgets_the_meeting),
      cmocka_unit_test(test_consent_is_asked_of_who_comes_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
