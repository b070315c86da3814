/* Operators who listen, announced: all see it, hear it and read it; they only hear. */
#include "monitor_kit.h"

static const struct access_config NO_RULES = {0};
#define NAME "ops (monitor, listening)"

static uint32_t listening(struct kit *k, const char *token, const char *code, json_t **o) {
  return enter(k, monitor_params(token, "listen", "complaint", "T-1", 0), code, o);
}

static unsigned tones(const struct kit *k, bool rising) {
  unsigned n = 0;
  for (size_t i = 0; i < k->n_cmds; i++)
    n += k->cmds[i].kind == MEDIA_TONE && k->cmds[i].rising == rising;
  return n;
}

/* Does a message with this text of the chat wait? Drops all. */
static bool reads(struct kit *k, uint32_t conn, const char *part) {
  bool found = false;
  for (json_t *o; (o = next(k, conn)); json_decref(o))
    found = found || strstr(json_str(json_object_get(o, "params"), "text", ""), part) != NULL;
  return found;
}

static const json_t *member_called(json_t *answer, const char *name) {
  size_t i;
  json_t *m, *room = json_object_get(json_object_get(answer, "result"), "room");
  json_array_foreach(json_object_get(room, "members"), i,
                     m) if (strcmp(json_str(m, "name", ""), name) == 0) return m;
  return NULL;
}

static void test_begin_and_end(void **state) {
  (void)state;
  struct kit *k = make(NULL, NO_RULES);
  char *token = session(k, "monitor:listen", false);
  struct audit_line a;
  json_t *o;
  uint32_t host = join(k, &k->host, "Ann"), bob = join_with_sound(k, "Bob");
  drain(k, host);
  drain(k, bob);
  k->n_cmds = 0;
  uint32_t ops = listening(k, token, "ok", &o);
  assert_string_equal(json_str(json_object_get(o, "result"), "state", ""), "joined");
  assert_string_equal(json_str(me_of(o), "role", ""), "monitor");
  assert_string_equal(json_str(me_of(o), "name", ""), NAME);
  json_decref(o);
  assert_int_equal(tones(k, true), 1);
  assert_true(reads(k, bob, "Monitoring begins"));
  assert_true(reads(k, host, "Monitoring begins"));
  assert_int_equal(audit_last(k, "monitor.begin", &a), 1);
  assert_non_null(strstr(a.data, "\"reason\":\"complaint\""));
  assert_non_null(strstr(a.data, "\"ticket\":\"T-1\""));

  uint32_t late = open_conn(k, false); /* who comes later */
  char text[512];
  join_text(&k->guest, "Eve", text);
  say(k, late, text);
  json_t *joined = next(k, late);
  assert_non_null(member_called(joined, NAME));
  json_decref(joined);
  json_t *notice = notified(k, late, "notice");
  assert_string_equal(json_str(notice, "code", ""), "monitored");
  json_decref(notice);

  k->n_cmds = 0;
  tick(k, 65 * US_PER_S);
  say(k, ops, RPC(9, "room.leave", "{}"));
  assert_true(reads(k, late, "Monitoring has ended"));
  assert_int_equal(tones(k, false), 1);
  assert_int_equal(audit_last(k, "monitor.end", &a), 1);
  assert_non_null(strstr(a.data, "\"seconds\":65"));
  assert_non_null(strstr(a.data, "\"ticket\":\"T-1\""));
  free(token);
  kit_free(k);
}

static void test_what_is_asked(void **state) {
  (void)state;
  struct kit *k = make(NULL, NO_RULES);
  char *listen = session(k, "monitor:listen", false), *watch = session(k, "monitor:watch", false);
  struct token_key key = app_make(k, "acme");
  char *t = token(k, &key, "joe", "den", "", SCOPE_LISTEN);
  enter(k, monitor_params(listen, "listen", NULL, "T-1", 0), "monitor_reason", NULL);
  enter(k, monitor_params(listen, "listen", "", "T-1", 0), "monitor_reason", NULL);
  enter(k, monitor_params(listen, "listen", "why", NULL, 0), "monitor_ticket", NULL);
  enter(k, json_pack("{s:s,s:s,s:s}", "room", "den", "name", "Ann", "token", listen), "monitor_reason", NULL);
  enter(k, monitor_params(listen, "whisper", "why", "T-1", 0), "bad_argument", NULL);
  enter(k, monitor_params(watch, "listen", "why", "T-1", 0), "insufficient_scope", NULL);
  enter(k, monitor_params(t, "listen", "why", "T-1", 0), "invalid_token", NULL); /* an application's */
  json_t *p = monitor_params(listen, "listen", "why", "T-1", 0);
  json_object_set_new(p, "room", json_string("nowhere"));
  enter(k, p, "no_room", NULL);
  p = monitor_params(listen, "listen", "why", "T-1", 0);
  json_object_del(p, "token");
  enter(k, p, "account_needed", NULL);
  p = monitor_params(listen, "listen", "why", "T-1", 0);
  json_object_set_new(json_object_get(p, "monitor"), "hidden", json_true());
  enter(k, p, "bad_argument", NULL);
  p = monitor_params(listen, "listen", "why", "T-1", 0);
  json_object_set_new(p, "monitor", json_string("listen"));
  enter(k, p, "bad_argument", NULL);
  free(listen);
  free(watch);
  free(t);
  kit_free(k);
}

static void test_past_every_door_and_nobodys_place(void **state) {
  (void)state;
  struct kit *k = make(NULL, NO_RULES);
  char *token = session(k, "monitor:listen", false);
  uint32_t admin = open_conn(k, true);
  (void)join(k, &k->host, "Ann");
  expect(k, admin, 1, RPC(1, "room.lobby", "{\"room\":\"den\",\"on\":true}"), "ok");
  expect(k, admin, 2, RPC(2, "room.lock", "{\"room\":\"den\"}"), "ok");
  expect(k, admin, 3, RPC(3, "room.password", "{\"room\":\"den\",\"text\":\"sesame\"}"), "ok");
  expect(k, admin, 4, RPC(4, "room.max_people", "{\"room\":\"den\",\"n\":2}"), "ok");
  (void)listening(k, token, "ok", NULL);
  (void)listening(k, token, "ok", NULL); /* two of them: the room has one place left all the same */
  expect(k, admin, 5, RPC(5, "room.unlock", "{\"room\":\"den\"}"), "ok");
  expect(k, admin, 6, RPC(6, "room.password", "{\"room\":\"den\"}"), "ok");
  expect(k, admin, 7, RPC(7, "room.lobby", "{\"room\":\"den\",\"on\":false}"), "ok");
  (void)join(k, &k->guest, "Bob");
  uint32_t eve = open_conn(k, false);
  char full[512];
  join_text(&k->guest, "Eve", full);
  expect(k, eve, 1, full, "room_full");
  free(token);
  kit_free(k);
}

static void test_he_only_listens(void **state) {
  (void)state;
  struct kit *k = make(NULL, NO_RULES);
  char *token = session(k, "monitor:listen room:join room:speak room:chat room:moderate", true);
  uint32_t host = join(k, &k->host, "Ann"), bob = join(k, &k->guest, "Bob"),
           ops = listening(k, token, "ok", NULL);
  const struct {
    const char *method;
    json_t *params;
  } ACTS_TRIED[] = {{"room.chat", json_pack("{s:s}", "text", "hi")},
                    {"room.hand", json_object()},
                    {"room.unmute", json_object()},
                    {"room.lock", json_object()},
                    {"room.mute_all", json_object()},
                    {"room.end", json_object()}};
  for (size_t i = 0; i < sizeof ACTS_TRIED / sizeof ACTS_TRIED[0]; i++)
    refused(k, ops, ACTS_TRIED[i].method, ACTS_TRIED[i].params, "not_allowed");
  drain(k, host);
  drain(k, bob);
  granted_ok(k, ops, "ops.whisper", json_pack("{s:s}", "text", "your guest crackles"));
  assert_true(reads(k, host, "crackles"));
  assert_false(reads(k, bob, "crackles"));
  struct audit_line a;
  assert_int_equal(audit_last(k, "ops.whisper", &a), 1);
  assert_null(strstr(a.data, "crackles"));
  free(token);
  kit_free(k);
}

static void test_nobody_pays_for_him(void **state) {
  (void)state;
  struct kit *k = make(NULL, NO_RULES);
  char *token = session(k, "monitor:listen", false), code[48];
  uint32_t ops = listening(k, token, "ok", NULL), bob = join(k, &k->guest, "Bob");
  tick(k, 60 * US_PER_S);
  say(k, ops, RPC(9, "room.leave", "{}"));
  json_t *r = operate(k, "metering.list", json_object(), code);
  assert_int_equal(json_array_size(json_object_get(r, "metering")), 0);
  json_decref(r);
  say(k, bob, RPC(9, "room.leave", "{}"));
  r = operate(k, "metering.list", json_object(), code);
  const json_t *m = json_array_get(json_object_get(r, "metering"), 0);
  assert_int_equal(json_int(m, "visits", -1), 1);
  json_decref(r);
  free(token);
  kit_free(k);
}

static void test_in_no_list_of_attendance(void **state) {
  (void)state;
  struct kit *k = make(NULL, NO_RULES);
  char *token = session(k, "monitor:listen", false);
  uint32_t host = join(k, &k->host, "Ann"), ops = listening(k, token, "ok", NULL);
  pass(k, 5000);
  json_t *r = granted(k, host, "room.attendance", json_object());
  assert_non_null(strstr(json_str(r, "csv", ""), "Ann,"));
  assert_null(strstr(json_str(r, "csv", ""), "monitor"));
  json_decref(r);
  say(k, ops, RPC(9, "room.leave", "{}"));
  r = granted(k, host, "room.attendance", json_object());
  assert_null(strstr(json_str(r, "csv", ""), "monitor"));
  json_decref(r);
  free(token);
  kit_free(k);
}

/* He says anew why: the old reason went with the old process. */
static void test_a_restart_ends_it(void **state) {
  (void)state;
  struct kit *k = make(NULL, NO_RULES);
  char *token = session(k, "monitor:listen", false), resume[64];
  json_t *o;
  (void)join(k, &k->host, "Ann");
  (void)listening(k, token, "ok", &o);
  snprintf(resume, sizeof resume, "%s", json_str(json_object_get(o, "result"), "resume", ""));
  json_decref(o);
  control_bye(k->c, 1000);
  control_stop(k->c, WALL + k->now / US_PER_MS);
  struct audit_line a;
  assert_int_equal(audit_last(k, "monitor.end", &a), 1);
  control_destroy(k->c);
  kit_start(k);
  const struct hosted *h = hosted_find(k->c, "den");
  assert_int_equal(h->room.n_members, 1); /* Ann */
  assert_string_equal(h->room.chat[h->room.n_chat - 1].text,
                      "Monitoring has ended: the monitor has stopped listening.");
  (void)enter(k, json_pack("{s:s,s:s}", "room", "den", "resume", resume), "cannot_resume", NULL);
  (void)listening(k, token, "ok", NULL);
  free(token);
  kit_free(k);
}

static void test_a_host_sends_him_away(void **state) {
  (void)state;
  struct kit *k = make(NULL, NO_RULES);
  char *token = session(k, "monitor:listen", false);
  json_t *o;
  uint32_t host = join(k, &k->host, "Ann");
  (void)listening(k, token, "ok", &o);
  assert_int_equal(json_int(json_object_get(o, "result"), "me", 0), 2);
  json_decref(o);
  say(k, host, RPC(3, "room.hold", "{\"who\":[2]}"));
  assert_true(reads(k, host, "Monitoring has ended"));
  (void)listening(k, token, "ok", &o); /* past the lobby, and whole */
  assert_int_equal(json_int(json_object_get(o, "result"), "me", 0), 3);
  json_decref(o);
  const struct hosted *h = hosted_find(k->c, "den");
  assert_false(room_member(&h->room, 3)->held);
  say(k, host, RPC(4, "room.ban", "{\"who\":[3]}"));
  assert_true(reads(k, host, "Monitoring has ended"));
  (void)listening(k, token, "banned", NULL);
  free(token);
  kit_free(k);
}

static void test_in_the_feed(void **state) {
  (void)state;
  struct kit *k = make(NULL, NO_RULES);
  char *token = session(k, "monitor:listen monitor:watch", false);
  (void)listening(k, token, "ok", NULL);
  uint32_t w = console(k, token, "ok");
  json_t *r = granted(k, w, "ops.room", json_pack("{s:s}", "room", "den"));
  assert_int_equal(json_int(json_object_get(r, "room"), "people", -1), 0);
  assert_int_equal(json_int(json_object_get(r, "room"), "monitors", -1), 1);
  const json_t *l = json_array_get(json_object_get(r, "listeners"), 0);
  assert_string_equal(json_str(l, "operator", ""), "ann");
  assert_string_equal(json_str(l, "mode", ""), "listen");
  assert_string_equal(json_str(l, "reason", ""), "complaint");
  json_decref(r);
  free(token);
  kit_free(k);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_begin_and_end),
                                     cmocka_unit_test(test_what_is_asked),
                                     cmocka_unit_test(test_past_every_door_and_nobodys_place),
                                     cmocka_unit_test(test_he_only_listens),
                                     cmocka_unit_test(test_nobody_pays_for_him),
                                     cmocka_unit_test(test_in_no_list_of_attendance),
                                     cmocka_unit_test(test_a_restart_ends_it),
                                     cmocka_unit_test(test_a_host_sends_him_away),
                                     cmocka_unit_test(test_in_the_feed)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
