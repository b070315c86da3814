/* What hosts of other systems complain of, as far as the server answers for it: docs/complaints.md. */
#include "core/room/room.h"
#include "tests/unit/server/control_kit.h"

#include <dirent.h>
#include <unistd.h>

#define ACT(act, params) RPC(9, "room." act, params)
#define KEEP 64 /* bytes of a resume secret as text */

struct client {
  uint32_t conn;
  char resume[KEEP], state[16];
};

/* A client on a device, with an invite link, from 192.0.2.<host>; `code` is what the server answers. */
static struct client come(struct kit *k, const struct link *l, const char *name, const char *device,
                          uint8_t host, const char *code) {
  const uint8_t addr[16] = {[10] = 0xff, 0xff, 192, 0, 2, host};
  struct client c = {0};
  char secret[48], got[48];
  memcpy(k->addr, addr, sizeof addr);
  tick(k, US_PER_S);
  c.conn = open_conn(k, false);
  b64url_encode(l->secret, sizeof l->secret, secret);
  char *text = rpc_request(
      1, "room.join",
      json_pack("{s:s,s:s,s:s,s:s}", "room", "den", "name", name, "invite", secret, "device", device));
  say(k, c.conn, text);
  free(text);
  json_t *o = answer(k, c.conn, 1), *r = json_object_get(o, "result");
  snprintf(c.resume, sizeof c.resume, "%s", json_str(r, "resume", ""));
  snprintf(c.state, sizeof c.state, "%s", json_str(r, "state", ""));
  assert_string_equal(code_of(o, got), code);
  return c;
}

/* The answer to showing a resume secret: the result, to be freed, or NULL with the refusal in `code`. */
static json_t *come_back(struct kit *k, struct client *c, char code[48]) {
  tick(k, US_PER_S);
  c->conn = open_conn(k, false);
  char *text = rpc_request(1, "room.join", json_pack("{s:s,s:s}", "room", "den", "resume", c->resume));
  say(k, c->conn, text);
  free(text);
  json_t *o = answer(k, c->conn, 1), *r = json_incref(json_object_get(o, "result"));
  code_of(o, code);
  return r;
}

static void killed(struct kit *k, struct client *c) {
  control_closed(k->c, c->conn);
  control_commit(k->c);
}

static void ok(struct kit *k, uint32_t conn, const char *text) {
  tick(k, US_PER_S / 10);
  expect(k, conn, 9, text, "ok");
}

static json_t *result(struct kit *k, uint32_t conn, const char *text) {
  tick(k, US_PER_S);
  say(k, conn, text);
  json_t *o = answer(k, conn, 9), *r = json_incref(json_object_get(o, "result"));
  json_decref(o);
  assert_non_null(r);
  return r;
}

/* The newest notification of that method (and kind); its params, to be freed; the rest is dropped. */
static json_t *notified(struct kit *k, uint32_t conn, const char *method, const char *kind) {
  json_t *found = NULL, *o;
  while ((o = next(k, conn))) {
    json_t *p = json_object_get(o, "params");
    if (strcmp(json_str(o, "method", ""), method) == 0 &&
        (!kind || strcmp(json_str(p, "kind", ""), kind) == 0)) {
      json_decref(found);
      found = json_incref(p);
    }
    json_decref(o);
  }
  return found;
}

static void told_bye(struct kit *k, uint32_t conn, const char *code) {
  json_t *p = notified(k, conn, "bye", NULL);
  assert_string_equal(json_str(p, "code", ""), code);
  json_decref(p);
  assert_true(control_wants_close(k->c, conn));
}

static void restart(struct kit *k) {
  control_destroy(k->c);
  kit_start(k);
  control_commit(k->c);
}

static void link_of(const char *url, struct link *l) {
  const char *why;
  assert_int_equal(link_parse(url, l, &why), ERR_OK);
}

static void complaint_03_out_means_out(void **state) {
  (void)state;
  struct kit *k = kit_make(NULL);
  char code[48];
  struct client ann = come(k, &k->host, "ann", "a", 1, "ok"), eve = come(k, &k->guest, "eve", "e", 2, "ok");
  ok(k, ann.conn, ACT("remove", "{\"who\":2}"));
  told_bye(k, eve.conn, "removed");
  assert_null(come_back(k, &eve, code)); /* his seat is gone: nothing comes back by itself */
  assert_string_equal(code, "cannot_resume");
  eve = come(k, &k->guest, "eve", "e", 2, "ok"); /* removing is not banning: both are there */
  struct link direct;
  json_t *r = result(k, ann.conn, ACT("invite", "{\"role\":\"host\",\"direct\":true}"));
  link_of(json_str(r, "link", ""), &direct);
  json_decref(r);
  ok(k, ann.conn, ACT("ban", "{\"who\":3,\"address\":true,\"text\":\"enough\"}"));
  told_bye(k, eve.conn, "banned");
  for (int again = 0; again < 2; again++) {
    assert_null(come_back(k, &eve, code));
    assert_string_equal(code, "cannot_resume");
    come(k, &k->guest, "eve", "e", 9, "banned");
    come(k, &k->guest, "Bea", "e", 9, "banned");     /* another name and address */
    come(k, &direct, "Bea", "e", 9, "banned");       /* a better link */
    come(k, &k->guest, "Bea", "wiped", 2, "banned"); /* another device at the same address */
    come(k, &k->guest, "Bea", "", 2, "banned");
    restart(k); /* and the server forgets nothing */
  }
  come(k, &k->guest, "tom", "t", 3, "ok");
  kit_free(k);
}

/* What looks like an attack, or is refused, leaves no ban behind. */
static void complaint_04_refusals_are_no_bans(void **state) {
  (void)state;
  struct kit *k = kit_make(NULL);
  struct client ann = come(k, &k->host, "ann", "a", 1, "ok"), eve = come(k, &k->guest, "eve", "e", 2, "ok");
  for (int i = 0; i < 100; i++)
    say(k, eve.conn, ACT("end", "{}")); /* not allowed, then too many */
  drain(k, eve.conn);
  expect(k, eve.conn, 9, ACT("mute_all", "{}"), "rate_limited");
  killed(k, &eve);
  ok(k, ann.conn, ACT("password", "{\"text\":\"sesame\"}"));
  come(k, &k->guest, "eve", "e", 2, "password_needed");
  ok(k, ann.conn, ACT("password", "{}"));
  struct link bad = k->guest;
  bad.secret[0] ^= 1;
  come(k, &bad, "eve", "e", 2, "bad_invite");
  uint32_t op = open_conn(k, true);
  json_t *r = result(k, op, RPC(9, "room.show", "{\"room\":\"den\"}"));
  json_t *bans = json_object_get(json_object_get(r, "room"), "bans");
  assert_true(json_is_array(bans) && json_array_size(bans) == 0);
  json_decref(r);
  come(k, &k->guest, "eve", "e", 2, "ok");
  kit_free(k);
}

/* Bans are a list that hosts, and only hosts, see; what a ban would hit is named before. */
static void complaint_05_hosts_see_and_lift_bans(void **state) {
  (void)state;
  struct kit *k = kit_make(NULL);
  char text[160];
  struct client ann = come(k, &k->host, "ann", "a", 1, "ok"), bob = come(k, &k->guest, "bob", "b", 7, "ok");
  struct client eve = come(k, &k->guest, "eve", "e", 7, "ok"); /* behind the same router */
  json_t *r = result(k, ann.conn, ACT("ban_check", "{\"who\":2,\"address\":true}")),
         *also = json_object_get(r, "also");
  assert_int_equal(json_array_size(also), 1);
  assert_string_equal(json_string_value(json_array_get(also, 0)), "eve");
  json_decref(r);
  assert_false(control_wants_close(k->c, bob.conn));
  drain(k, ann.conn);
  drain(k, eve.conn);
  tick(k, US_PER_S);
  say(k, ann.conn, ACT("ban", "{\"who\":2,\"seconds\":60,\"text\":\"spam\"}"));
  json_t *p = notified(k, ann.conn, "event", "room.banned"), *ban = json_object_get(p, "ban");
  assert_string_equal(json_str(ban, "name", ""), "bob");
  assert_string_equal(json_str(ban, "reason", ""), "spam");
  snprintf(text, sizeof text, ACT("unban", "{\"id\":%lld}"), (long long)json_int(p, "seq", 0));
  json_decref(p);
  assert_null(notified(k, eve.conn, "event", "room.banned"));
  come(k, &k->guest, "bob", "b", 7, "banned");
  assert_false(control_wants_close(k->c, eve.conn)); /* she was not meant */
  expect(k, eve.conn, 9, text, "not_allowed");
  ok(k, ann.conn, text);
  come(k, &k->guest, "bob", "b", 7, "ok");
  kit_free(k);
}

static void complaint_06_hosts_come_back_as_hosts(void **state) {
  (void)state;
  struct kit *k = kit_make(NULL);
  char code[48];
  struct client ann = come(k, &k->host, "ann", "a", 1, "ok"), bob = come(k, &k->guest, "bob", "b", 2, "ok");
  ok(k, ann.conn, ACT("lobby", "{\"on\":true}"));
  ok(k, ann.conn, ACT("role", "{\"who\":2,\"role\":\"cohost\"}"));
  ok(k, bob.conn, ACT("hand", "{}"));
  restart(k); /* everyone's connection is gone at once */
  for (int i = 0; i < 2; i++) {
    struct client *c = i ? &ann : &bob;
    json_t *r = come_back(k, c, code);
    assert_string_equal(json_str(r, "state", ""), "joined"); /* not in one's own lobby */
    json_decref(r);
  }
  ok(k, bob.conn, ACT("mute_all", "{}"));
  ok(k, ann.conn, ACT("end", "{\"seconds\":60}"));
  assert_string_equal(come(k, &k->guest, "tom", "t", 3, "ok").state, "lobby");
  kit_free(k);
}

static void complaint_07_killing_the_client_lifts_nothing(void **state) {
  (void)state;
  struct kit *k = kit_make(NULL);
  char code[48];
  struct client ann = come(k, &k->host, "ann", "a", 1, "ok"), bob = come(k, &k->guest, "bob", "b", 2, "ok"),
                tom = come(k, &k->guest, "tom", "t", 3, "ok");
  ok(k, ann.conn, ACT("role", "{\"who\":2,\"role\":\"audience\"}"));
  ok(k, ann.conn, ACT("ban", "{\"who\":3,\"what\":\"speak\"}"));
  killed(k, &bob);
  killed(k, &tom);
  json_decref(come_back(k, &bob, code));
  json_decref(come_back(k, &tom, code));
  expect(k, bob.conn, 9, ACT("unmute", "{}"), "no_change");
  expect(k, tom.conn, 9, ACT("hand", "{}"), "silenced");
  killed(k, &bob);
  killed(k, &tom);
  bob = come(k, &k->guest, "new bob", "b", 2, "ok"); /* without the ticket, on the same device */
  tom = come(k, &k->guest, "new tom", "t", 3, "ok");
  drain(k, ann.conn);
  uint32_t op = open_conn(k, true);
  json_t *r = result(k, op, RPC(9, "room.show", "{\"room\":\"den\"}")), *m;
  size_t i, seen = 0;
  json_array_foreach(json_object_get(json_object_get(r, "room"), "members"), i, m) {
    seen++;
    if (json_int(m, "id", 0) > 1)
      assert_false(json_flag(m, "floor", false));
    if (json_int(m, "id", 0) == 4)
      assert_string_equal(json_str(m, "role", ""), "audience");
  }
  assert_int_equal(seen, 5); /* the two seats they left are kept for two minutes */
  json_decref(r);
  expect(k, tom.conn, 9, ACT("hand", "{}"), "silenced");
  kit_free(k);
}

/* The media path is told, in the same turn, whatever the client does with its own button. */
static void complaint_10_mute_is_enforced_where_the_sound_passes(void **state) {
  (void)state;
  struct kit *k = kit_make(NULL);
  struct client ann = come(k, &k->host, "ann", "a", 1, "ok");
  uint32_t bob = join_with_sound(k, "bob");
  assert_true(k->last.may_send);
  ok(k, ann.conn, ACT("mute", "{\"who\":2}"));
  assert_true(k->last.kind == MEDIA_PEER_SET && !k->last.may_send && k->last.may_hear);
  ok(k, bob, ACT("unmute", "{}")); /* this much he may */
  assert_true(k->last.may_send);
  ok(k, ann.conn, ACT("floor_take", "{\"who\":2}"));
  assert_false(k->last.may_send);
  k->n_cmds = 0;
  expect(k, bob, 9, ACT("unmute", "{}"), "no_change");
  expect(k, bob, 9, ACT("floor_give", "{\"who\":2}"), "not_allowed");
  for (size_t i = 0; i < k->n_cmds; i++)
    assert_false(k->cmds[i].may_send);
  kit_free(k);
}

static void complaint_17_private_is_private(void **state) {
  (void)state;
  struct kit *k = kit_make(NULL);
  struct client ann = come(k, &k->host, "ann", "a", 1, "ok"), bob = come(k, &k->guest, "bob", "b", 2, "ok"),
                eve = come(k, &k->guest, "eve", "e", 3, "ok"), tom = come(k, &k->guest, "tom", "t", 4, "ok");
  drain(k, ann.conn);
  drain(k, eve.conn);
  drain(k, tom.conn);
  ok(k, bob.conn, ACT("msg", "{\"who\":3,\"text\":\"psst\"}"));
  assert_int_equal(drain(k, tom.conn), 0);
  assert_int_equal(drain(k, ann.conn), 0); /* not even the host */
  json_t *p = notified(k, eve.conn, "event", "chat.sent");
  assert_string_equal(json_str(p, "text", ""), "psst");
  json_decref(p);
  ok(k, ann.conn, ACT("chat_mode", "{\"mode\":\"public\"}"));
  tick(k, 10 * US_PER_S);
  expect(k, bob.conn, 9, ACT("msg", "{\"who\":3,\"text\":\"psst\"}"), "chat_off");
  drain(k, tom.conn);
  ok(k, bob.conn, ACT("hosts", "{\"text\":\"help\"}"));
  assert_int_equal(drain(k, tom.conn), 0);
  p = notified(k, ann.conn, "event", "chat.sent");
  assert_string_equal(json_str(p, "text", ""), "help");
  json_decref(p);
  kit_free(k);
}

/* There is nothing yet that records: no act, no method, and no file but the log, in which no sound is. */
static void complaint_18_nothing_is_recorded(void **state) {
  (void)state;
  struct kit *k = kit_make("gavel.db");
  struct client ann = come(k, &k->host, "ann", "a", 1, "ok");
  (void)join_with_sound(k, "bob");
  static const char *const NAMES[] = {"record", "recording", "record_start", "rec",
                                      "stream", "capture",   "tap"};
  for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
    char text[120];
    assert_int_equal(act_find(NAMES[i]), ACT__COUNT);
    snprintf(text, sizeof text, "{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"room.%s\",\"params\":{}}",
             NAMES[i]);
    expect(k, ann.conn, 9, text, "unknown_method");
    uint32_t op = open_conn(k, true);
    snprintf(text, sizeof text, "{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"%s.start\",\"params\":{}}",
             NAMES[i]);
    expect(k, op, 9, text, "unknown_method");
  }
  for (int a = 0; a < ACT__COUNT; a++)
    assert_null(strstr(ACTS[a].help, "record"));
  DIR *dir = opendir(k->dir);
  assert_non_null(dir);
  size_t files = 0;
  for (struct dirent *d; (d = readdir(dir)); files++)
    assert_true(d->d_name[0] == '.' || strncmp(d->d_name, "gavel.db", 8) == 0);
  assert_in_range(files, 3, 6); /* ".", "..", the log and what SQLite keeps beside it */
  closedir(dir);
  static const char *const END[] = {"", "-wal", "-shm", ".key"};
  char dir_path[64];
  snprintf(dir_path, sizeof dir_path, "%s", k->dir);
  char base[96];
  snprintf(base, sizeof base, "%s", k->path);
  kit_free(k);
  for (size_t i = 0; i < sizeof END / sizeof END[0]; i++) {
    char path[128];
    snprintf(path, sizeof path, "%s%s", base, END[i]);
    unlink(path);
  }
  rmdir(dir_path);
}

static void complaint_19_who_listens_is_in_the_list(void **state) {
  (void)state;
  struct kit *k = kit_make(NULL);
  struct link secret;
  struct client ann = come(k, &k->host, "ann", "a", 1, "ok"), bob = come(k, &k->guest, "bob", "b", 2, "ok");
  expect(k, ann.conn, 9, ACT("invite", "{\"role\":\"monitor\"}"), "not_allowed");
  uint32_t op = open_conn(k, true);
  json_t *r = result(k, op, RPC(9, "room.invite", "{\"room\":\"den\",\"role\":\"monitor\",\"direct\":true}"));
  link_of(json_str(r, "link", ""), &secret);
  json_decref(r);
  drain(k, bob.conn);
  struct client mon = come(k, &secret, "supervisor", "m", 3, "ok");
  json_t *p = notified(k, bob.conn, "event", "member.joined"), *m = json_object_get(p, "member");
  assert_string_equal(json_str(m, "name", ""), "supervisor");
  assert_string_equal(json_str(m, "role", ""), "monitor");
  json_decref(p);
  expect(k, mon.conn, 9, ACT("chat", "{\"text\":\"boo\"}"), "not_allowed");
  expect(k, mon.conn, 9, ACT("hand", "{}"), "not_allowed");
  kit_free(k);
}

struct audit {
  const char *kind;
  size_t n;
  char actor[32];
};
static enum err count_kind(void *ctx, const struct store_record *r) {
  struct audit *a = ctx;
  if (strcmp(r->kind, a->kind) == 0) {
    a->n++;
    snprintf(a->actor, sizeof a->actor, "%s", r->actor);
  }
  return ERR_OK;
}
static enum err first_stream(void *ctx, const char *stream) {
  snprintf(ctx, STORE_STREAM_MAX, "%s", stream);
  return ERR_OK;
}

static void complaint_20_attendance_and_acts_are_kept(void **state) {
  (void)state;
  struct kit *k = kit_make(NULL);
  char stream[STORE_STREAM_MAX], why[256];
  struct client ann = come(k, &k->host, "ann", "a", 1, "ok"),
                bob = come(k, &k->guest, "bob, jr", "b", 2, "ok");
  expect(k, bob.conn, 9, ACT("attendance", "{}"), "not_allowed");
  ok(k, ann.conn, ACT("mute", "{\"who\":2,\"text\":\"noise\"}"));
  ok(k, ann.conn, ACT("remove", "{\"who\":2}"));
  json_t *r = result(k, ann.conn, ACT("attendance", "{}"));
  const char *csv = json_str(r, "csv", "");
  assert_non_null(strstr(csv, "\"bob, jr\",2,speaker,"));
  assert_non_null(strstr(csv, ",removed\r\n"));
  assert_non_null(strstr(csv, "\r\nann,1,owner,"));
  json_decref(r);
  assert_int_equal(store_streams(k->store, "room:", first_stream, stream), ERR_OK);
  static const char *const KINDS[] = {"member.muted", "member.removed"};
  for (size_t i = 0; i < 2; i++) { /* who did what, in a log that shows when it was tampered with */
    struct audit a = {.kind = KINDS[i]};
    assert_int_equal(store_replay(k->store, stream, 0, count_kind, &a), ERR_OK);
    assert_int_equal(a.n, 1);
    assert_string_equal(a.actor, "m:1");
  }
  assert_int_equal(store_verify(k->store, why), ERR_OK);
  kit_free(k);
}

static void complaint_23_one_lobby_with_an_end(void **state) {
  (void)state;
  struct kit *k = kit_make(NULL);
  uint32_t op = open_conn(k, true);
  ok(k, op, RPC(9, "room.lobby", "{\"room\":\"den\",\"on\":true}"));
  struct client first = come(k, &k->guest, "first", "1", 1, "ok"),
                second = come(k, &k->guest, "second", "2", 2, "ok");
  assert_string_equal(first.state, "lobby"); /* before any host is there, too */
  assert_string_equal(second.state, "lobby");
  expect(k, first.conn, 9, ACT("chat", "{\"text\":\"open up\"}"),
         "in_lobby"); /* no ringing again and again */
  expect(k, first.conn, 9, ACT("hand", "{}"), "in_lobby");
  struct client ann = come(k, &k->host, "ann", "a", 3, "ok");
  drain(k, second.conn);
  ok(k, ann.conn, ACT("deny", "{\"who\":1}"));
  told_bye(k, first.conn, "denied");
  json_t *p = notified(k, second.conn, "lobby", NULL);
  assert_int_equal(json_int(p, "place", 0), 1); /* one line, and he knows where he stands in it */
  assert_int_equal(json_int(p, "waiting", 0), 1);
  json_decref(p);
  killed(k, &second);
  char code[48];
  json_t *r = come_back(k, &second, code);
  assert_string_equal(json_str(r, "state", ""),
                      "lobby"); /* coming back is no way past it, nor a second place */
  assert_int_equal(json_int(r, "waiting", 0), 1);
  json_decref(r);
  kit_free(k);
}

static void complaint_23_no_address_fills_the_lobby(void **state) {
  (void)state;
  struct kit *k = kit_make(NULL);
  uint32_t op = open_conn(k, true);
  struct client last = {0};
  ok(k, op, RPC(9, "room.lobby", "{\"room\":\"den\",\"on\":true}"));
  for (int i = 0; i < LIMIT_VALUE_WAITING_ADDRESS; i++) {
    last = come(k, &k->guest, "bot", "", 66, "ok");
    killed(k, &last); /* it keeps its place all the same, for as long as it may resume */
    k->now -= US_PER_S;
  }
  come(k, &k->guest, "bot", "", 66, "lobby_full");
  assert_string_equal(come(k, &k->guest, "ann", "a", 67, "ok").state, "lobby");
  assert_string_equal(come(k, &k->host, "host", "h", 66, "ok").state, "joined");
  kit_free(k);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(complaint_03_out_means_out),
      cmocka_unit_test(complaint_04_refusals_are_no_bans),
      cmocka_unit_test(complaint_05_hosts_see_and_lift_bans),
      cmocka_unit_test(complaint_06_hosts_come_back_as_hosts),
      cmocka_unit_test(complaint_07_killing_the_client_lifts_nothing),
      cmocka_unit_test(complaint_10_mute_is_enforced_where_the_sound_passes),
      cmocka_unit_test(complaint_17_private_is_private),
      cmocka_unit_test(complaint_18_nothing_is_recorded),
      cmocka_unit_test(complaint_19_who_listens_is_in_the_list),
      cmocka_unit_test(complaint_20_attendance_and_acts_are_kept),
      cmocka_unit_test(complaint_23_one_lobby_with_an_end),
      cmocka_unit_test(complaint_23_no_address_fills_the_lobby),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
