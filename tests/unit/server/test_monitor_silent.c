/* Silent listening: each condition is a refusal of its own; with all of them nobody in the room can tell. */
#include "core/server/monitor.h"
#include "core/wire/room_json.h"
#include "monitor_kit.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define ALL_SCOPES "monitor:listen monitor:silent"

static struct access_config rules(void) {
  return (struct access_config){.consent_text = "An operator may listen to rooms.",
                                .consent_version = "3",
                                .monitor = {.silent = true, .consent = true}};
}

static uint32_t guest(struct kit *k, const char *name, const struct link *l) {
  char secret[48];
  b64url_encode(l->secret, 32, secret);
  return enter(k,
               json_pack("{s:s,s:s,s:s,s:s,s:s}", "room", "den", "name", name, "invite", secret, "consent",
                         "3", "device", name),
               "ok", NULL);
}

static uint32_t silent(struct kit *k, const char *token, const char *code, json_t **o) {
  return enter(k, monitor_params(token, "silent", "complaint", "T-9", 5), code, o);
}

/* ---- each condition ---- */

static void refused_by(struct access_config r, const char *scopes, bool mfa, const char *code) {
  struct kit *k = make(NULL, r);
  char *token = session(k, scopes, mfa);
  struct audit_line a;
  (void)silent(k, token, code, NULL);
  assert_int_equal(monitor_count(k->c), 0);
  assert_true(audit_last(k, "room.join", &a) > 0); /* a refusal is written down as well */
  assert_non_null(strstr(a.data, code));
  assert_memory_equal(a.actor, "p-", 2); /* whose it was */
  free(token);
  kit_free(k);
}

static void test_the_server_allows_it(void **state) {
  (void)state;
  struct access_config r = rules();
  r.monitor.silent = false;
  refused_by(r, ALL_SCOPES, true, "silent_off");
  refused_by((struct access_config){0}, ALL_SCOPES, true, "silent_off"); /* as made */
}

static void test_the_text_of_consent(void **state) {
  (void)state;
  struct access_config r = rules();
  r.monitor.consent = false;
  refused_by(r, ALL_SCOPES, true, "silent_text");
  r = rules();
  r.consent_text = r.consent_version = NULL; /* nobody is asked anything */
  refused_by(r, ALL_SCOPES, true, "silent_text");
}

static void test_scope_and_second_factor(void **state) {
  (void)state;
  refused_by(rules(), "monitor:listen", true, "silent_scope");
  refused_by(rules(), "room:join monitor:watch", true, "insufficient_scope");
  refused_by(rules(), ALL_SCOPES, false, "silent_mfa");
}

static void test_a_fresh_second_factor(void **state) {
  (void)state;
  struct kit *k = make(NULL, rules());
  char *token = session(k, ALL_SCOPES, true);
  pass(k, 299000);
  uint32_t ops = silent(k, token, "ok", NULL);
  control_closed(k->c, ops);
  pass(k, 2000);
  (void)silent(k, token, "silent_mfa", NULL);
  free(token);
  kit_free(k);
}

static void test_reason_ticket_and_time(void **state) {
  (void)state;
  struct kit *k = make(NULL, rules());
  char *t = session(k, ALL_SCOPES, true), many[300];
  (void)enter(k, monitor_params(t, "silent", NULL, "T", 5), "monitor_reason", NULL);
  (void)enter(k, monitor_params(t, "silent", "why", NULL, 5), "monitor_ticket", NULL);
  (void)enter(k, monitor_params(t, "silent", " \t ", "T", 5), "monitor_reason", NULL);
  (void)enter(k, monitor_params(t, "silent", "\u200b", "T", 5), "monitor_reason", NULL); /* nothing to see */
  (void)enter(k, monitor_params(t, "silent", "why", "\u2060", 5), "monitor_ticket", NULL);
  (void)enter(k, monitor_params(t, "silent", "why", "T", 0), "silent_minutes", NULL);
  (void)enter(k, monitor_params(t, "silent", "why", "T", 11), "silent_minutes", NULL);
  (void)enter(k, monitor_params(t, "silent", "why", "T", -5), "silent_minutes", NULL);
  memset(many, 'x', sizeof many - 1);
  many[sizeof many - 1] = 0;
  (void)enter(k, monitor_params(t, "silent", many, "T", 5), "bad_argument", NULL);
  free(t);
  kit_free(k);
}

static void test_everybody_has_consented(void **state) {
  (void)state;
  struct kit *k = make(NULL, rules());
  char *token = session(k, ALL_SCOPES, true);
  (void)guest(k, "Bob", &k->guest);
  struct access_config r = rules(), newer = rules();
  newer.consent_version = "4"; /* Bob has read another text */
  newer.audit_days = 180;
  control_configure(k->c, &newer, &(struct limits_set){0});
  (void)silent(k, token, "silent_consent", NULL);
  r.audit_days = 180;
  control_configure(k->c, &r, &(struct limits_set){0});
  (void)silent(k, token, "ok", NULL);
  assert_int_equal(monitor_count(k->c), 1);
  control_configure(k->c, &newer, &(struct limits_set){0}); /* and what holds no longer ends */
  assert_int_equal(monitor_count(k->c), 0);
  struct audit_line a;
  assert_int_equal(audit_last(k, "monitor.end", &a), 1);
  assert_non_null(strstr(a.data, "silent_consent"));
  free(token);
  kit_free(k);
}

/* Who waits knocked perhaps before there was this text, and a host may let him in at any moment. */
static void test_who_waits_has_consented_too(void **state) {
  (void)state;
  struct kit *k = make(NULL, rules());
  char *token = session(k, ALL_SCOPES, true);
  uint32_t admin = open_conn(k, true);
  expect(k, admin, 1, RPC(1, "room.lobby", "{\"room\":\"den\",\"on\":true}"), "ok");
  (void)guest(k, "Bob", &k->guest);
  struct access_config newer = rules();
  newer.consent_version = "4";
  newer.audit_days = 180;
  control_configure(k->c, &newer, &(struct limits_set){0});
  (void)silent(k, token, "silent_consent", NULL);
  free(token);
  kit_free(k);
}

static void test_a_clock_that_was_set_back(void **state) {
  (void)state;
  struct kit *k = make(NULL, rules());
  pass(k, 60000);
  char *token = session(k, ALL_SCOPES, true);
  k->now -= 30 * US_PER_S; /* no second factor is fresh for longer because of it */
  (void)silent(k, token, "silent_mfa", NULL);
  free(token);
  kit_free(k);
}

static json_int_t wish(struct kit *k, const char *token) {
  json_t *o;
  (void)silent(k, token, "silent_approval", &o);
  json_int_t n = json_int(json_object_get(json_object_get(o, "error"), "data"), "approval", 0);
  json_decref(o);
  return n;
}

static void test_what_was_approved_and_nothing_else(void **state) {
  (void)state;
  struct access_config r = rules();
  r.monitor.second_person = true;
  struct kit *k = make(NULL, r);
  char *ann = session(k, ALL_SCOPES, true), code[48];
  operate_ok(k, "ops.approve", json_pack("{s:I}", "approval", wish(k, ann)));
  json_t *l = operate(k, "ops.listeners", json_object(), code);
  assert_int_equal(json_int(json_array_get(json_object_get(l, "approvals"), 0), "minutes", 0), 5);
  json_decref(l);
  (void)enter(k, monitor_params(ann, "silent", "complaint", "T-9", 10), "silent_approval", NULL); /* longer */
  monitor_lost(k->c); /* with the group that had it in the audit log */
  (void)silent(k, ann, "silent_approval", NULL);
  free(ann);
  kit_free(k);
}

static void test_another_operators_word(void **state) {
  (void)state;
  struct access_config r = rules();
  r.monitor.second_person = true;
  struct kit *k = make(NULL, r);
  char *ann = session(k, ALL_SCOPES, true), *bob = session_of_account(k, "bob", ALL_SCOPES, true);
  json_t *o;
  (void)silent(k, ann, "silent_approval", &o);
  const json_t *data = json_object_get(json_object_get(o, "error"), "data");
  json_int_t number = json_int(data, "approval", 0);
  assert_true(number > 0);
  json_decref(o);
  (void)silent(k, ann, "silent_approval", &o); /* the same wish */
  assert_int_equal(json_int(json_object_get(json_object_get(o, "error"), "data"), "approval", 0), number);
  json_decref(o);
  uint32_t own = console(k, ann, "ok"), other = console(k, bob, "ok");
  refused(k, own, "ops.approve", json_pack("{s:I}", "approval", number), "not_self");
  refused(k, other, "ops.approve", json_pack("{s:I}", "approval", number + 1), "nothing_to_do");
  granted_ok(k, other, "ops.approve", json_pack("{s:I}", "approval", number));
  (void)enter(k, monitor_params(ann, "silent", "another", "T-9", 5), "silent_approval", NULL);
  (void)silent(k, bob, "silent_approval", NULL); /* it is Ann's */
  (void)silent(k, ann, "ok", NULL);
  (void)silent(k, ann, "silent_approval", NULL); /* used up */
  struct audit_line a;
  assert_true(audit_last(k, "monitor.approve", &a) >= 2);
  assert_int_equal(audit_last(k, "monitor.begin", &a), 1);
  assert_non_null(strstr(a.data, "\"approved_by\":\"p-"));
  free(ann);
  free(bob);
  kit_free(k);
}

static void test_approval_at_the_socket_and_too_late(void **state) {
  (void)state;
  struct access_config r = rules();
  r.monitor.second_person = true;
  struct kit *k = make(NULL, r);
  char *ann = session(k, ALL_SCOPES, true);
  json_t *o;
  (void)silent(k, ann, "silent_approval", &o);
  json_int_t n = json_int(json_object_get(json_object_get(o, "error"), "data"), "approval", 0);
  json_decref(o);
  operate_ok(k, "ops.approve", json_pack("{s:I,s:s}", "approval", n, "operator", "zoe"));
  pass(k, 290000);
  (void)silent(k, ann, "ok", NULL);
  (void)silent(k, ann, "silent_approval", &o);
  n = json_int(json_object_get(json_object_get(o, "error"), "data"), "approval", 0);
  json_decref(o);
  pass(k, 601000);
  char code[48];
  json_decref(operate(k, "ops.approve", json_pack("{s:I}", "approval", n), code));
  assert_string_equal(code, "nothing_to_do");
  free(ann);
  kit_free(k);
}

/* ---- nobody can tell ---- */

static void take_all(struct kit *k, uint32_t conn, FILE *f) {
  for (json_t *o; (o = next(k, conn)); json_decref(o))
    if (json_object_get(o, "method"))
      json_dumpf(o, f, JSON_COMPACT | JSON_SORT_KEYS), fputc('\n', f);
}

/* With a path that is worse than bad: of everybody else all inside are told so. */
static uint32_t silent_with_sound(struct kit *k, const char *token) {
  json_t *ask = monitor_params(token, "silent", "complaint", "T-9", 5);
  char *text = sound_text(k, "den", "x");
  json_t *p = json_loads(text, 0, NULL);
  json_object_set(ask, "sdp", json_object_get(json_object_get(p, "params"), "sdp"));
  json_decref(p);
  free(text);
  uint32_t ops = enter(k, ask, "ok", NULL);
  assert_int_equal(k->last.kind, MEDIA_PEER_ADD);
  struct media_event ev = {.kind = MEDIA_CONNECTED, .room = k->last.room, .peer = k->last.peer};
  control_media_event(k->c, 0, &ev);
  ev.kind = MEDIA_STATS;
  ev.stats = (struct media_stats){.over_ms = 5000, .loss_down = 60, .mos_down = 10, .rtt_ms = 900};
  for (unsigned i = 0; i < 4; i++)
    control_media_event(k->c, 0, &ev);
  control_commit(k->c);
  json_t *told = notified(k, ops, "media");
  assert_string_equal(json_str(told, "state", ""), "connected");
  json_decref(told);
  return ops;
}

/* An hour of a room as everybody in it is told, and as it looks to each of them at the end. */
static char *hour(bool listened) {
  struct kit *k = make(NULL, rules());
  char *text = NULL, *token = session(k, ALL_SCOPES, true);
  size_t n;
  FILE *f = open_memstream(&text, &n);
  uint32_t who[] = {guest(k, "Ann", &k->host), guest(k, "Bob", &k->guest), 0}, admin = open_conn(k, true),
           ops = 0;
  if (listened)
    ops = silent_with_sound(k, token);
  tick(k, US_PER_S);
  say(k, who[1], RPC(5, "room.chat", "{\"text\":\"is anybody there?\"}"));
  say(k, who[1], RPC(6, "room.hand", "{}"));
  who[2] = guest(k, "Eve", &k->guest);
  say(k, who[0], RPC(7, "room.mute_all", "{}"));
  tick(k, 2 * US_PER_S);
  if (listened)
    control_closed(k->c, ops);
  say(k, who[0], RPC(8, "room.attendance", "{}"));
  for (size_t i = 0; i < 3; i++)
    take_all(k, who[i], f);
  struct hosted *h = hosted_find(k->c, "den");
  for (uint32_t viewer = 0; viewer <= h->room.id_last; viewer++) {
    json_t *o = room_to_wire(&h->room, viewer);
    for (size_t i = 0; i < json_array_size(json_object_get(o, "invites")); i++)
      json_object_del(json_array_get(json_object_get(o, "invites"), i), "hash"); /* chance */
    json_dumpf(o, f, JSON_COMPACT | JSON_SORT_KEYS);
    fputc('\n', f);
    json_decref(o);
  }
  say(k, admin, RPC(9, "room.quality", "{\"room\":\"den\"}"));
  json_t *q = answer(k, admin, 9);
  json_dumpf(q, f, JSON_COMPACT | JSON_SORT_KEYS);
  json_decref(q);
  fclose(f);
  free(token);
  kit_free(k);
  return text;
}

static void test_nobody_can_tell(void **state) {
  (void)state;
  char *with = hour(true), *without = hour(false);
  assert_true(strlen(without) > 1000);
  assert_non_null(strstr(without, "is anybody there?"));
  assert_string_equal(with, without);
  assert_null(strstr(with, "4294967294"));
  assert_null(strstr(with, "monitor"));
  free(with);
  free(without);
}

/* ---- what he gets, and how it ends ---- */

static void test_he_hears_and_does_nothing(void **state) {
  (void)state;
  struct kit *k = make(NULL, rules());
  char *token = session(k, ALL_SCOPES, true);
  uint32_t bob = guest(k, "Bob", &k->guest);
  k->n_cmds = 0;
  json_t *sound = monitor_params(token, "silent", "complaint", "T-9", 5), *o;
  char *text = sound_text(k, "den", "x");
  json_t *p = json_loads(text, 0, NULL);
  json_object_set(sound, "sdp", json_object_get(json_object_get(p, "params"), "sdp"));
  json_decref(p);
  free(text);
  uint32_t ops = enter(k, sound, "ok", &o);
  const json_t *r = json_object_get(o, "result");
  assert_string_equal(json_str(r, "state", ""), "listening");
  assert_non_null(json_object_get(r, "sdp"));
  assert_null(json_object_get(r, "resume"));
  assert_int_equal(json_array_size(json_object_get(json_object_get(r, "room"), "members")), 1);
  json_decref(o);
  bool added = false;
  for (size_t i = 0; i < k->n_cmds; i++) {
    assert_int_not_equal(k->cmds[i].kind, MEDIA_TONE);
    if (k->cmds[i].kind == MEDIA_PEER_ADD) {
      added = true;
      assert_true(k->cmds[i].may_hear);
      assert_false(k->cmds[i].may_send);
    }
  }
  assert_true(added);
  say(k, bob, RPC(5, "room.chat", "{\"text\":\"psst\"}"));
  json_t *ev = notified(k, ops, "event");
  assert_string_equal(json_str(ev, "text", ""), "psst");
  json_decref(ev);
  static const char *const TRIED[] = {"room.chat",        "room.hand",    "room.lock",
                                      "room.history",     "room.quality", "privacy.show",
                                      "privacy.withdraw", "ops.whisper",  "ops.watch"};
  for (size_t i = 0; i < sizeof TRIED / sizeof TRIED[0]; i++)
    refused(k, ops, TRIED[i], json_object(), "not_allowed");
  free(token);
  kit_free(k);
}

static void test_it_ends_by_itself_and_the_hosts_are_told(void **state) {
  (void)state;
  struct access_config r = rules();
  r.monitor.tell_host_after = true;
  struct kit *k = make(NULL, r);
  char *token = session(k, ALL_SCOPES, true), code[48];
  uint32_t host = guest(k, "Ann", &k->host), bob = guest(k, "Bob", &k->guest),
           ops = silent(k, token, "ok", NULL);
  drain(k, host);
  drain(k, bob);
  pass(k, 299000);
  assert_int_equal(monitor_count(k->c), 1);
  assert_int_equal(drain(k, host), 0);
  pass(k, 2000);
  assert_int_equal(monitor_count(k->c), 0);
  json_t *bye = notified(k, ops, "bye"), *ev = notified(k, host, "event");
  assert_string_equal(json_str(bye, "code", ""), "monitor_over");
  assert_true(control_wants_close(k->c, ops));
  assert_non_null(strstr(json_str(ev, "text", ""), "complaint"));
  assert_int_equal(drain(k, bob), 0); /* it is between the operator and the hosts */
  json_decref(bye);
  json_decref(ev);
  struct audit_line a;
  assert_int_equal(audit_last(k, "monitor.end", &a), 1);
  assert_non_null(strstr(a.data, "\"reason\":\"complaint\""));
  assert_non_null(strstr(a.data, "\"ticket\":\"T-9\""));
  assert_non_null(strstr(a.data, "\"mode\":\"silent\""));
  assert_true(strstr(a.data, "\"seconds\":300") || strstr(a.data, "\"seconds\":301"));
  say(k, bob, RPC(9, "room.leave", "{}"));
  json_t *m = operate(k, "metering.list", json_object(), code);
  assert_int_equal(json_int(json_array_get(json_object_get(m, "metering"), 0), "visits", -1), 1); /* Bob's */
  json_decref(m);
  free(token);
  kit_free(k);
}

/* Nobody listens whom the audit log does not have. */
static void test_without_the_audit_log(void **state) {
  (void)state;
  struct kit *k = make("gavel.db", rules());
  char *token = session(k, ALL_SCOPES, true), wal[128];
  struct stat st;
  struct rlimit l;
  json_t *all, *n;
  uint32_t w = open_conn(k, true);
  all = granted(k, w, "ops.watch", json_object());
  json_decref(all);
  signal(SIGXFSZ, SIG_IGN);
  snprintf(wal, sizeof wal, "%s-wal", k->path);
  assert_int_equal(stat(wal, &st), 0);
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &l), 0);
  l.rlim_cur = (rlim_t)st.st_size;
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &l), 0);
  (void)silent(k, token, "disk_full", NULL);
  json_t *p = monitor_params(token, "listen", "complaint", "T-9", 0);
  json_object_set_new(p, "consent", json_string("3"));
  (void)enter(k, p, "disk_full", NULL);
  l.rlim_cur = RLIM_INFINITY;
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &l), 0);
  assert_int_equal(monitor_count(k->c), 0);
  pass(k, 1100);
  n = notified(k, w, "ops"); /* what was lost with the group is told anew */
  assert_true(json_flag(n, "all", false));
  assert_int_equal(json_int(json_array_get(json_object_get(n, "rooms"), 0), "monitors", -1), 0);
  json_decref(n);
  (void)silent(k, token, "ok", NULL);
  assert_int_equal(monitor_count(k->c), 1);
  free(token);
  (void)unlink(k->path);
  (void)unlink(wal);
  snprintf(wal, sizeof wal, "%s-shm", k->path);
  (void)unlink(wal);
  (void)rmdir(k->dir);
  kit_free(k);
}

/* However alike they are. */
static void test_each_end_is_written_down(void **state) {
  (void)state;
  struct kit *k = make(NULL, rules());
  char *token = session(k, ALL_SCOPES, true);
  (void)silent(k, token, "ok", NULL);
  (void)silent(k, token, "ok", NULL);
  pass(k, 301000);
  struct audit_line a;
  assert_int_equal(monitor_count(k->c), 0);
  assert_int_equal(audit_last(k, "monitor.end", &a), 2);
  assert_non_null(strstr(a.data, "\"why\":\"monitor_over\""));
  free(token);
  kit_free(k);
}

static void test_the_server_goes_down(void **state) {
  (void)state;
  struct access_config r = rules();
  r.monitor.tell_host_after = true;
  struct kit *k = make(NULL, r);
  char *token = session(k, ALL_SCOPES, true);
  uint32_t host = guest(k, "Ann", &k->host), ops = silent(k, token, "ok", NULL);
  drain(k, host);
  pass(k, 3000);
  control_bye(k->c, 1000);
  control_stop(k->c, WALL + k->now / US_PER_MS);
  struct audit_line a;
  assert_int_equal(audit_last(k, "monitor.end", &a), 1);
  assert_non_null(strstr(a.data, "\"seconds\":3"));
  json_t *ev = notified(k, host, "event"), *bye = notified(k, ops, "bye");
  assert_non_null(strstr(json_str(ev, "text", ""), "unannounced"));
  assert_string_equal(json_str(bye, "code", ""), "try_later");
  assert_null(notified(k, ops, "bye"));
  json_decref(ev);
  json_decref(bye);
  free(token);
  kit_free(k);
}

/* A room that has as many on one thread as there may be: he is not one of them. */
static void test_he_moves_nobody_to_another_thread(void **state) {
  (void)state;
  struct kit *k = make(NULL, rules());
  char *token = session(k, ALL_SCOPES, true);
  uint32_t ops = silent_with_sound(k, token);
  const struct hosted *h = hosted_find(k->c, "den");
  assert_int_equal(h->at_home, 0);
  assert_int_equal(h->peers, 1);
  control_closed(k->c, ops);
  assert_int_equal(h->at_home, 0);
  assert_int_equal(h->peers, 0);
  free(token);
  kit_free(k);
}

/* A list of addresses that comes while he listens. */
static void test_it_ends_with_his_address(void **state) {
  (void)state;
  struct kit *k = make(NULL, rules());
  memcpy(k->addr, (uint8_t[]){0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 9}, sizeof k->addr);
  char *token = session(k, ALL_SCOPES, true), code[48];
  (void)app_make(k, "blue");
  json_decref(operate(k, "room.create", json_pack("{s:s,s:b}", "room", "blue/den", "lobby", 0), code));
  json_t *p = monitor_params(token, "silent", "complaint", "T-9", 5);
  json_object_set_new(p, "app", json_string("blue"));
  uint32_t ops = enter(k, p, "ok", NULL);
  operate_ok(k, "allow.add", json_pack("{s:s,s:s}", "where", "blue/den", "cidr", "198.51.100.0/24"));
  pass(k, 1100);
  json_t *bye = notified(k, ops, "bye");
  assert_string_equal(json_str(bye, "code", ""), "address_not_allowed");
  json_decref(bye);
  free(token);
  kit_free(k);
}

static void test_it_ends_with_the_right_and_with_the_room(void **state) {
  (void)state;
  struct kit *k = make(NULL, rules());
  char *token = session(k, ALL_SCOPES, true);
  uint32_t ops = silent(k, token, "ok", NULL), admin = open_conn(k, true);
  operate_ok(k, "user.revoke", json_pack("{s:s}", "user", "ann"));
  pass(k, 2000);
  json_t *bye = notified(k, ops, "bye");
  assert_string_equal(json_str(bye, "code", ""), "token_revoked");
  json_decref(bye);
  free(token);
  pass(k, 40000); /* what was revoked counts for clocks that go wrong as well */
  token = session(k, ALL_SCOPES, true);
  ops = silent(k, token, "ok", NULL);
  expect(k, admin, 1, RPC(1, "room.end", "{\"room\":\"den\"}"), "ok");
  pass(k, 11000);
  bye = notified(k, ops, "bye");
  assert_string_equal(json_str(bye, "code", ""), "room_ended");
  json_decref(bye);
  assert_int_equal(monitor_count(k->c), 0);
  free(token);
  kit_free(k);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_the_server_allows_it),
                                     cmocka_unit_test(test_the_text_of_consent),
                                     cmocka_unit_test(test_scope_and_second_factor),
                                     cmocka_unit_test(test_a_fresh_second_factor),
                                     cmocka_unit_test(test_reason_ticket_and_time),
                                     cmocka_unit_test(test_everybody_has_consented),
                                     cmocka_unit_test(test_who_waits_has_consented_too),
                                     cmocka_unit_test(test_a_clock_that_was_set_back),
                                     cmocka_unit_test(test_what_was_approved_and_nothing_else),
                                     cmocka_unit_test(test_another_operators_word),
                                     cmocka_unit_test(test_each_end_is_written_down),
                                     cmocka_unit_test(test_the_server_goes_down),
                                     cmocka_unit_test(test_he_moves_nobody_to_another_thread),
                                     cmocka_unit_test(test_it_ends_with_his_address),
                                     cmocka_unit_test(test_approval_at_the_socket_and_too_late),
                                     cmocka_unit_test(test_nobody_can_tell),
                                     cmocka_unit_test(test_he_hears_and_does_nothing),
                                     cmocka_unit_test(test_it_ends_by_itself_and_the_hosts_are_told),
                                     cmocka_unit_test(test_without_the_audit_log),
                                     cmocka_unit_test(test_it_ends_with_the_right_and_with_the_room)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
