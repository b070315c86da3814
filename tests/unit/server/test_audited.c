/* What of a room's life goes into the audit log, and that nothing privileged happens without it. */
#include "control_kit.h"

#include <sqlite3.h>
#include <unistd.h>

struct entry {
  char actor[64], kind[64], target[64], data[4096];
};
struct log {
  struct entry v[256];
  size_t n;
};

static enum err take(void *ctx, const struct store_record *r) {
  struct log *l = ctx;
  assert_true(l->n < 256);
  struct entry *e = &l->v[l->n++];
  snprintf(e->actor, sizeof e->actor, "%s", r->actor);
  snprintf(e->kind, sizeof e->kind, "%s", r->kind);
  snprintf(e->target, sizeof e->target, "%s", r->target);
  snprintf(e->data, sizeof e->data, "%s", r->data);
  assert_null(r->payload); /* nothing personal, so nothing sealed */
  return ERR_OK;
}

static struct log *read_log(struct kit *k) {
  static struct log l;
  l.n = 0;
  assert_int_equal(store_replay(k->store, "audit", 0, take, &l), ERR_OK);
  return &l;
}

/* The last entry of an action, NULL when there is none. */
static const struct entry *last_of(struct kit *k, const char *action) {
  struct log *l = read_log(k);
  for (size_t i = l->n; i > 0; i--)
    if (strcmp(l->v[i - 1].kind, action) == 0)
      return &l->v[i - 1];
  return NULL;
}

static const struct entry *must(struct kit *k, const char *action) {
  const struct entry *e = last_of(k, action);
  if (!e)
    fail_msg("no %s in the audit log", action);
  return e;
}

static bool is_pid(const char *s) {
  return strncmp(s, "p-", 2) == 0 && strlen(s) == 18;
}

static uint32_t id_of(struct kit *k, uint32_t admin, const char *name) {
  say(k, admin, RPC(90, "room.show", "{\"room\":\"den\"}"));
  json_t *o = answer(k, admin, 90), *m;
  const json_t *members = json_object_get(json_object_get(json_object_get(o, "result"), "room"), "members");
  uint32_t id = 0;
  size_t i;
  json_array_foreach(members, i, m) if (strcmp(json_str(m, "name", ""), name) == 0) id =
      (uint32_t)json_int(m, "id", 0);
  json_decref(o);
  assert_true(id > 0);
  return id;
}

static void test_operator_and_ticket(void **state) {
  (void)state;
  struct kit *k = kit_make(NULL);
  uint32_t admin = open_conn(k, true);
  expect(k, admin, 1, RPC(1, "room.lock", "{\"room\":\"den\",\"operator\":\"ann\",\"ticket\":\"CHG-7\"}"),
         "ok");
  const struct entry *e = must(k, "room.lock");
  assert_string_equal(e->actor, "operator:ann");
  assert_non_null(strstr(e->data, "\"ticket\":\"CHG-7\""));
  assert_non_null(strstr(e->data, "\"room\":\"den\""));
  assert_non_null(strstr(e->data, "\"outcome\":\"ok\""));
  expect(k, admin, 2, RPC(2, "room.lock", "{\"room\":\"den\",\"operator\":\"ann\"}"), "no_change");
  e = must(k, "room.lock");
  assert_non_null(strstr(e->data, "\"outcome\":\"no_change\""));
  assert_null(strstr(e->data, "ticket")); /* of the request before */
  kit_free(k);
}

static void test_people_are_pseudonyms(void **state) {
  (void)state;
  struct kit *k = kit_make(NULL);
  uint32_t admin = open_conn(k, true), host = join(k, &k->host, "Hanna Secretname"), guest;
  char text[256];
  guest = join(k, &k->guest, "Gus Secretname");
  assert_true(is_pid(must(k, "room.join")->actor));
  snprintf(text, sizeof text,
           "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"room.remove\",\"params\":{\"who\":[%u]}}",
           id_of(k, admin, "Gus Secretname"));
  expect(k, guest, 5, text, "not_allowed");
  const struct entry *e = must(k, "room.remove");
  assert_true(is_pid(e->actor) && is_pid(e->target));
  assert_string_equal(e->actor, e->target);
  expect(k, host, 5, text, "ok");
  e = must(k, "room.remove");
  assert_true(is_pid(e->actor) && is_pid(e->target)); /* also of who is gone by now */
  assert_string_not_equal(e->actor, e->target);
  assert_non_null(strstr(e->data, "\"seq\":"));
  struct log *l = read_log(k);
  for (size_t i = 0; i < l->n; i++)
    assert_null(strstr(l->v[i].data, "Secretname"));
  kit_free(k);
}

static void test_many_targets(void **state) {
  (void)state;
  struct kit *k = kit_make(NULL);
  uint32_t admin = open_conn(k, true);
  char name[16],
      text[1024] =
          "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"room.mute\",\"params\":{\"room\":\"den\",\"who\":[";
  for (unsigned i = 0; i < 40; i++) {
    snprintf(name, sizeof name, "P%u", i);
    join(k, &k->guest, name);
    snprintf(text + strlen(text), 16, "%s%u", i ? "," : "", id_of(k, admin, name));
  }
  snprintf(text + strlen(text), 8, "]}}");
  expect(k, admin, 5, text, "ok");
  const struct entry *e = must(k, "room.mute");
  json_t *data = json_loads(e->data, 0, NULL), *meta = json_object_get(data, "meta");
  assert_int_equal(json_array_size(json_object_get(meta, "who")), 32);
  assert_int_equal(json_int(meta, "n", 0), 40);
  assert_string_equal(e->target, "");
  json_decref(data);
  kit_free(k);
}

static void test_chat_without_its_text(void **state) {
  (void)state;
  struct kit *k = kit_make(NULL);
  uint32_t host = join(k, &k->host, "Hanna");
  expect(k, host, 5, RPC(5, "room.chat", "{\"text\":\"a very private word\"}"), "ok");
  const struct entry *e = must(k, "room.chat");
  assert_null(strstr(e->data, "private"));
  assert_non_null(strstr(e->data, "\"seq\":"));
  kit_free(k);
}

static void test_refused_at_the_door(void **state) {
  (void)state;
  struct kit *k = kit_make(NULL);
  static const uint8_t FROM[16] = {[10] = 0xff, [11] = 0xff, 198, 51, 100, 9};
  char text[512];
  struct link wrong = k->guest;
  memcpy(k->addr, FROM, sizeof FROM);
  wrong.secret[0] ^= 1;
  join_text(&wrong, "Eve\\nts=2026 actor=system", text);
  for (int i = 0; i < 5; i++)
    expect(k, open_conn(k, false), 1, text, "bad_invite");
  struct log *l = read_log(k);
  size_t joins = 0;
  for (size_t i = 0; i < l->n; i++)
    joins += strcmp(l->v[i].kind, "room.join") == 0;
  assert_int_equal(joins, 1); /* the others are counted */
  const struct entry *e = must(k, "room.join");
  assert_string_equal(e->actor, "stranger");
  assert_non_null(strstr(e->data, "198.51.100.0/24"));
  assert_null(strstr(e->data, "Eve"));
  tick(k, 61 * US_PER_S);
  control_commit(k->c);
  assert_non_null(strstr(must(k, "room.join")->data, "\"repeated\":4"));
  kit_free(k);
}

/* What time alone does is there too: nobody asked for it. */
static void test_who_does_not_come_back(void **state) {
  (void)state;
  struct kit *k = kit_make(NULL);
  uint32_t guest = join(k, &k->guest, "Gus");
  control_closed(k->c, guest);
  control_commit(k->c);
  assert_null(last_of(k, "member.left"));
  tick(k, 11 * 60 * US_PER_S);
  control_commit(k->c);
  const struct entry *e = must(k, "member.left");
  assert_string_equal(e->actor, "system");
  assert_true(is_pid(e->target));
  kit_free(k);
}

static void test_refused_media(void **state) {
  (void)state;
  struct kit *k = kit_make(NULL);
  join_with_sound(k, "Gus");
  struct media_event ev = {.kind = MEDIA_FAILED, .peer = 0, .why = ERR_FINGERPRINT};
  for (size_t i = 0; i < k->n_cmds; i++)
    ev.peer = k->cmds[i].kind == MEDIA_PEER_ADD ? k->cmds[i].peer : ev.peer;
  assert_true(ev.peer != 0);
  tick(k, 0);
  control_media_event(k->c, 0, &ev);
  control_commit(k->c);
  const struct entry *e = must(k, "media.refused");
  assert_true(is_pid(e->actor));
  assert_non_null(strstr(e->data, "fingerprint_mismatch"));
  kit_free(k);
}

static void raw(const char *path, const char *sql) {
  sqlite3 *db;
  char *error = NULL;
  assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
  if (sqlite3_exec(db, sql, NULL, NULL, &error) != SQLITE_OK)
    fail_msg("%s: %s", sql, error);
  sqlite3_close(db);
}

static bool locked(struct kit *k, uint32_t admin) {
  say(k, admin, RPC(91, "room.show", "{\"room\":\"den\"}"));
  json_t *o = answer(k, admin, 91);
  bool is = json_flag(json_object_get(json_object_get(o, "result"), "room"), "locked", false);
  json_decref(o);
  return is;
}

/* An act whose entry cannot be written is no act. */
static void test_fail_closed(void **state) {
  (void)state;
  struct kit *k = kit_make("audit.db");
  uint32_t admin = open_conn(k, true);
  char got[48];
  raw(k->path,
      "CREATE TRIGGER full BEFORE INSERT ON event WHEN NEW.stream = 'audit' AND NEW.kind = 'room.lock'"
      " BEGIN SELECT RAISE(ABORT, 'the audit log is full'); END");
  say(k, admin, RPC(1, "room.lock", "{\"room\":\"den\"}"));
  assert_string_not_equal(code_of(answer(k, admin, 1), got), "ok");
  assert_string_not_equal(got, "");
  assert_false(locked(k, admin));
  assert_null(last_of(k, "room.lock"));
  raw(k->path, "DROP TRIGGER full");
  expect(k, admin, 2, RPC(2, "room.lock", "{\"room\":\"den\"}"), "ok");
  assert_true(locked(k, admin));
  must(k, "room.lock");
  kit_free(k);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_operator_and_ticket), cmocka_unit_test(test_people_are_pseudonyms),
      cmocka_unit_test(test_many_targets),        cmocka_unit_test(test_chat_without_its_text),
      cmocka_unit_test(test_refused_at_the_door), cmocka_unit_test(test_who_does_not_come_back),
      cmocka_unit_test(test_refused_media),       cmocka_unit_test(test_fail_closed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
