/* Acts that need more than the room: secrets, addresses, the log, media rooms, the clock. */
#include "tests/unit/server/control_kit.h"

#include <unistd.h>

#define ACT(act, params) RPC(9, "room." act, params)

/* A connection from 10.0.0.<last> that asks to join; params may hold more, like ",\"password\":\"x\"". */
static uint32_t knock(struct kit *k, const char *name, uint8_t last, const char *more) {
  char secret[48], text[700];
  const uint8_t addr[16] = {[10] = 0xff, 0xff, 10, 0, 0, last};
  memcpy(k->addr, addr, sizeof addr);
  uint32_t conn = open_conn(k, false);
  b64url_encode(k->guest.secret, sizeof k->guest.secret, secret);
  snprintf(text, sizeof text,
           "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"room.join\",\"params\":{\"room\":\"den\",\"name\":"
           "\"%s\",\"invite\":\"%s\",\"device\":\"%s-%u\"%s}}",
           name, secret, name, last, more);
  say(k, conn, text);
  return conn;
}

static void expect_join(struct kit *k, const char *name, uint8_t last, const char *more, const char *code) {
  char got[48];
  uint32_t conn = knock(k, name, last, more);
  assert_string_equal(code_of(answer(k, conn, 1), got), code);
}

/* The next notification of that method (of that kind, unless NULL); its params, to be freed. The rest is
 * dropped. */
static json_t *notified(struct kit *k, uint32_t conn, const char *method, const char *kind) {
  json_t *found = NULL, *o;
  while ((o = next(k, conn))) {
    json_t *p = json_object_get(o, "params");
    bool is = strcmp(json_str(o, "method", ""), method) == 0 &&
              (!kind || strcmp(json_str(p, "kind", ""), kind) == 0);
    if (is && !found)
      found = json_incref(p);
    json_decref(o);
  }
  return found;
}

static void ok(struct kit *k, uint32_t conn, const char *text) {
  tick(k, US_PER_S / 10);
  expect(k, conn, 9, text, "ok");
}

static json_t *result(struct kit *k, uint32_t conn, const char *text) {
  say(k, conn, text);
  json_t *o = answer(k, conn, 9), *r = json_incref(json_object_get(o, "result"));
  json_decref(o);
  assert_non_null(r);
  return r;
}

static enum err find_text(void *ctx, const struct store_record *r) {
  return strstr(r->data, ctx) || (r->payload && strstr(r->payload, ctx)) ? ERR_INTERNAL : ERR_OK;
}
static enum err search_stream(void *ctx, const char *stream) {
  snprintf(ctx, 128, "%s", stream);
  return ERR_OK;
}

static void test_password(void **state) {
  struct kit *k = kit_make(NULL);
  (void)state;
  uint32_t ann = join(k, &k->host, "ann"), bob = join(k, &k->guest, "bob");
  expect(k, bob, 9, ACT("password", "{\"text\":\"mine\"}"), "not_allowed");
  ok(k, ann, ACT("password", "{\"text\":\"open sesame\"}"));
  expect_join(k, "eve", 1, "", "password_needed");
  expect_join(k, "eve", 1, ",\"password\":\"open\"", "bad_password");
  expect_join(k, "eve", 1, ",\"password\":\"\"", "bad_password");
  expect_join(k, "eve", 1, ",\"password\":7", "password_needed");
  expect_join(k, "eve", 1, ",\"password\":\"open sesame\"", "ok");
  char stream[128], secret[] = "sesame";
  assert_int_equal(store_streams(k->store, "room:", search_stream, stream), ERR_OK);
  assert_int_equal(store_replay(k->store, stream, 0, find_text, secret), ERR_OK);
  control_destroy(k->c); /* it is asked for after a restart too */
  kit_start(k);
  control_commit(k->c);
  expect_join(k, "tom", 2, ",\"password\":\"sesame\"", "bad_password");
  expect_join(k, "tom", 2, ",\"password\":\" open sesame \"", "ok");
  uint32_t op = open_conn(k, true);
  expect(k, op, 9, RPC(9, "room.password", "{\"room\":\"den\"}"), "ok");
  expect_join(k, "sue", 3, "", "ok");
  kit_free(k);
}

static void test_guessing_passwords(void **state) {
  struct kit *k = kit_make(NULL);
  (void)state;
  uint32_t ann = join(k, &k->host, "ann");
  ok(k, ann, ACT("password", "{\"text\":\"right\"}"));
  for (unsigned c = 0; c < 6; c++) {
    char got[48];
    uint32_t conn = knock(k, "eve", (uint8_t)(1 + c), ",\"password\":\"wrong\"");
    static const char AGAIN[] =
        RPC(1, "room.join", "{\"room\":\"den\",\"name\":\"eve\",\"invite\":\"%s\",\"password\":\"no\"}");
    char secret[48], text[400];
    b64url_encode(k->guest.secret, sizeof k->guest.secret, secret);
    snprintf(text, sizeof text, AGAIN, secret);
    for (unsigned i = 0; i < 4; i++) {
      assert_string_equal(code_of(answer(k, conn, 1), got), "bad_password");
      assert_false(control_wants_close(k->c, conn));
      say(k, conn, text);
    }
    assert_string_equal(code_of(answer(k, conn, 1), got), "bad_password");
    assert_true(control_wants_close(k->c, conn)); /* the fifth */
  }
  expect_join(k, "tom", 99, ",\"password\":\"right\"", "rate_limited"); /* thirty: nobody for a while */
  tick(k, 3 * US_PER_S);
  expect_join(k, "eve", 1, ",\"password\":\"right\"", "rate_limited"); /* an address has five a minute */
  expect_join(k, "tom", 99, ",\"password\":\"right\"", "ok");
  expect_join(k, "sue", 99, ",\"password\":\"right\"", "ok"); /* who is right costs nothing */
  tick(k, 10 * US_PER_S);
  expect_join(k, "eve", 1, ",\"password\":\"right\"", "ok");
  kit_free(k);
}

static void test_locked_says_why(void **state) {
  struct kit *k = kit_make(NULL);
  (void)state;
  uint32_t ann = join(k, &k->host, "ann");
  ok(k, ann, ACT("lock", "{\"text\":\"back at three\"}"));
  uint32_t eve = knock(k, "eve", 1, "");
  json_t *o = answer(k, eve, 1);
  assert_non_null(strstr(json_str(json_object_get(o, "error"), "message", ""), "back at three"));
  char got[48];
  assert_string_equal(code_of(o, got), "room_locked");
  kit_free(k);
}

static void test_claim(void **state) {
  struct kit *k = kit_make(NULL);
  (void)state;
  uint32_t ann = join(k, &k->host, "ann"), bob = join(k, &k->guest, "bob"), eve = knock(k, "eve", 6, "");
  expect(k, bob, 9, ACT("claim", "{\"text\":\"\"}"), "bad_code"); /* there is none yet */
  json_t *r = result(k, ann, ACT("claim_code", "{}"));
  const char *code = json_str(r, "code", "");
  assert_int_equal(strlen(code), 10);
  assert_int_equal(strspn(code, "ABCDEFGHJKMNPQRSTUVWXYZ23456789"), 10);
  for (unsigned i = 0; i < 5; i++)
    expect(k, eve, 9, ACT("claim", "{\"text\":\"ABCDE23456\"}"), "bad_code");
  expect(k, eve, 9, ACT("claim", "{\"text\":\"ABCDE23456\"}"), "rate_limited");
  char text[160], typed[16];
  for (unsigned i = 0; i <= 10; i++) /* as one may type it */
    typed[i] = code[i] >= 'A' ? (char)(code[i] - 'A' + 'a') : code[i];
  snprintf(text, sizeof text, ACT("claim", "{\"text\":\" %.5s %s\"}"), typed, typed + 5);
  drain(k, ann);
  expect(k, bob, 9, text, "ok");
  json_t *p = notified(k, ann, "event", "member.role");
  assert_string_equal(json_str(p, "role", ""), "host");
  json_decref(p);
  json_decref(r);
  expect(k, eve, 9, text, "rate_limited");
  tick(k, 13 * US_PER_S);
  expect(k, eve, 9, text, "ok"); /* until another is made */
  kit_free(k);
}

/* ---- the lobby, both ways ---- */

static const struct media_cmd *told(const struct kit *k, int kind, uint32_t peer) {
  for (size_t i = 0; i < k->n_cmds; i++)
    if ((int)k->cmds[i].kind == kind && (!peer || k->cmds[i].peer == peer))
      return &k->cmds[i];
  return NULL;
}

static void test_hold(void **state) {
  struct kit *k = kit_make(NULL);
  (void)state;
  uint32_t ann = join(k, &k->host, "ann"), bob = join_with_sound(k, "bob"), eve = join(k, &k->guest, "eve");
  uint32_t peer = k->last.peer;
  k->n_cmds = 0;
  drain(k, bob);
  drain(k, eve);
  ok(k, ann, ACT("hold", "{\"who\":2,\"text\":\"one moment\"}"));
  assert_non_null(told(k, MEDIA_PEER_DEL, peer));
  json_t *p = notified(k, bob, "lobby", NULL);
  assert_true(json_flag(p, "held", false));
  assert_string_equal(json_str(p, "by", ""), "ann");
  assert_string_equal(json_str(p, "text", ""), "one moment");
  assert_int_equal(json_int(p, "place", 0), 1);
  json_decref(p);
  p = notified(k, eve, "event", NULL);
  assert_string_equal(json_str(p, "kind", ""), "member.left"); /* more is not hers to know */
  assert_null(json_object_get(p, "text"));
  json_decref(p);
  ok(k, ann, ACT("topic", "{\"text\":\"about bob\"}"));
  assert_int_equal(drain(k, bob), 0); /* nothing of the room any more */
  expect(k, bob, 9, ACT("chat", "{\"text\":\"hey\"}"), "in_lobby");
  expect(k, bob, 9, RPC(9, "room.history", "{}"), "in_lobby");
  k->n_cmds = 0;
  ok(k, ann, ACT("admit", "{\"who\":2}"));
  p = notified(k, bob, "admitted", NULL);
  assert_string_equal(json_str(json_object_get(p, "room"), "topic", ""), "about bob");
  assert_null(json_object_get(p, "sdp")); /* the old offer is void: he makes a new one */
  json_decref(p);
  assert_int_equal(k->n_cmds, 0);
  kit_free(k);
}

static void test_hold_while_away_survives_restart(void **state) {
  struct kit *k = kit_make(NULL);
  (void)state;
  char resume[64], text[300];
  uint32_t ann = join(k, &k->host, "ann"), bob = knock(k, "bob", 1, "");
  json_t *o = answer(k, bob, 1);
  snprintf(resume, sizeof resume, "%s", json_str(json_object_get(o, "result"), "resume", ""));
  json_decref(o);
  control_closed(k->c, bob);
  ok(k, ann, ACT("hold", "{\"who\":2}"));
  control_destroy(k->c);
  kit_start(k);
  control_commit(k->c);
  bob = open_conn(k, false);
  snprintf(text, sizeof text, RPC(1, "room.join", "{\"room\":\"den\",\"resume\":\"%s\"}"), resume);
  say(k, bob, text);
  o = answer(k, bob, 1);
  assert_string_equal(json_str(json_object_get(o, "result"), "state", ""), "lobby");
  assert_null(json_object_get(json_object_get(o, "result"), "room"));
  json_decref(o);
  kit_free(k);
}

/* ---- what media is told ---- */

static void test_rights_reach_media(void **state) {
  struct kit *k = kit_make(NULL);
  (void)state;
  uint32_t ann = join(k, &k->host, "ann");
  (void)join_with_sound(k, "bob");
  uint32_t peer = k->last.peer;
  assert_true(k->last.may_send && k->last.may_hear);
  ok(k, ann, ACT("gain", "{\"who\":2,\"db\":-6}"));
  assert_int_equal(k->last.kind, MEDIA_PEER_SET);
  assert_int_equal(k->last.gain_db, -6);
  ok(k, ann, ACT("priority", "{\"who\":2,\"on\":true}"));
  assert_true(k->last.priority && k->last.gain_db == -6 && k->last.may_send && k->last.peer == peer);
  k->n_cmds = 0;
  ok(k, ann, ACT("ban", "{\"who\":2,\"what\":\"speak\",\"seconds\":5}"));
  assert_true(k->n_cmds > 0 && !k->last.may_send && k->last.may_hear);
  assert_true(control_next_timeout(k->c) <= k->now + 5 * US_PER_S);
  tick(k, 5 * US_PER_S); /* the ban is over; the floor is a host's to give */
  control_commit(k->c);
  ok(k, ann, ACT("floor_give", "{\"who\":2}"));
  assert_true(k->last.may_send);
  kit_free(k);
}

static bool hears_levels(struct kit *k, uint32_t conn, uint32_t media_room) {
  struct media_event ev = {.kind = MEDIA_LEVELS, .room = media_room, .n = 1};
  ev.level[0].member = 2;
  drain(k, conn);
  control_media_event(k->c, 0, &ev);
  control_commit(k->c);
  json_t *p = notified(k, conn, "levels", NULL);
  json_decref(p);
  return p != NULL;
}

static void test_side_rooms(void **state) {
  struct kit *k = kit_make(NULL);
  (void)state;
  uint32_t ann = join(k, &k->host, "ann");
  (void)join_with_sound(k, "bob");
  uint32_t peer = k->last.peer, hall = k->last.room;
  tick(k, 10 * US_PER_S); /* no connection is new any more */
  k->n_cmds = 0;
  ok(k, ann, ACT("breakouts", "{\"n\":2}"));
  assert_int_equal(k->n_cmds, 0); /* opened when somebody is in it */
  ok(k, ann, ACT("move", "{\"who\":2,\"n\":2}"));
  assert_int_equal(k->n_cmds, 2);
  uint32_t side = k->cmds[0].room;
  assert_int_equal(k->cmds[0].kind, MEDIA_ROOM_OPEN);
  assert_int_not_equal(side, hall);
  assert_true(k->last.kind == MEDIA_PEER_SET && k->last.peer == peer && k->last.room == side);
  assert_true(hears_levels(k, ann, hall));
  assert_false(hears_levels(k, ann, side));
  ok(k, ann, ACT("move", "{\"who\":1,\"n\":2}"));
  assert_true(hears_levels(k, ann, side));
  k->n_cmds = 0;
  ok(k, ann, ACT("recall", "{\"seconds\":30}"));
  assert_int_equal(control_next_timeout(k->c), k->now + 30 * US_PER_S);
  tick(k, 30 * US_PER_S);
  control_commit(k->c);
  assert_int_equal(k->n_cmds, 2); /* first everyone is back, then it closes */
  assert_true(k->cmds[0].kind == MEDIA_PEER_SET && k->cmds[0].room == hall && k->cmds[0].may_send);
  assert_true(k->cmds[1].kind == MEDIA_ROOM_CLOSE && k->cmds[1].room == side);
  kit_free(k);
}

/* ---- the clock ---- */

static void test_on_time(void **state) {
  struct kit *k = kit_make(NULL);
  (void)state;
  uint32_t ann = join(k, &k->host, "ann"), bob = join(k, &k->guest, "bob");
  tick(k, 120 * US_PER_S); /* the first sweep is over */
  control_commit(k->c);
  assert_true(control_next_timeout(k->c) >
              k->now + 1800 * US_PER_S); /* a room where nothing is planned costs nothing */
  ok(k, ann, ACT("end", "{\"seconds\":10}"));
  assert_int_equal(control_next_timeout(k->c), k->now + 10 * US_PER_S);
  tick(k, 10 * US_PER_S - US_PER_MS);
  control_commit(k->c);
  json_t *p = notified(k, bob, "bye", NULL);
  assert_null(p);
  tick(k, US_PER_MS);
  control_commit(k->c);
  p = notified(k, bob, "bye", NULL);
  assert_string_equal(json_str(p, "code", ""), "room_ended");
  json_decref(p);
  tick(k, US_PER_S); /* and is forgotten */
  control_commit(k->c);
  struct control_counters n;
  control_counters(k->c, &n);
  assert_int_equal(n.rooms, 0);
  assert_true(control_next_timeout(k->c) > k->now + 1800 * US_PER_S);
  kit_free(k);
}

/* ---- addresses ---- */

static void test_ban_by_address(void **state) {
  struct kit *k = kit_make(NULL);
  (void)state;
  uint32_t ann = join(k, &k->host, "ann");
  (void)knock(k, "bob", 7, "");
  (void)knock(k, "eve", 7, "");
  (void)knock(k, "tom", 8, "");
  json_t *r = result(k, ann, ACT("ban_check", "{\"who\":2}"));
  assert_int_equal(json_array_size(json_object_get(r, "also")), 0);
  json_decref(r);
  r = result(k, ann, ACT("ban_check", "{\"who\":2,\"address\":true}"));
  assert_int_equal(json_array_size(json_object_get(r, "also")), 1);
  assert_string_equal(json_string_value(json_array_get(json_object_get(r, "also"), 0)), "eve");
  json_decref(r);
  ok(k, ann, ACT("ban", "{\"who\":2,\"address\":true}"));
  expect_join(k, "other", 7, "", "banned");
  expect_join(k, "other", 9, "", "ok");
  expect_join(k, "bob", 7, "", "banned");
  kit_free(k);
}

static void test_ban_of_a_block(void **state) {
  struct kit *k = kit_make(NULL);
  (void)state;
  uint32_t ann = join(k, &k->host, "ann"), bob = knock(k, "bob", 7, ""), eve = knock(k, "eve", 100, "");
  ok(k, ann, ACT("ban_rule", "{\"rule\":\"cidr:10.0.0.0/26\",\"text\":\"not from there\"}"));
  json_t *p = notified(k, bob, "bye", NULL);
  assert_string_equal(json_str(p, "text", ""), "not from there");
  assert_string_equal(json_str(p, "by", ""), "ann");
  json_decref(p);
  assert_true(control_wants_close(k->c, bob));
  assert_false(control_wants_close(k->c, eve));
  expect_join(k, "tom", 63, "", "banned");
  expect_join(k, "tom", 64, "", "ok");
  k->addr[15] = 7;
  uint32_t host = join(k, &k->host, "second"); /* owners are never kept out */
  ok(k, host, ACT("ban_rule", "{\"rule\":\"cidr:10.0.0.7\"}"));
  assert_false(control_wants_close(k->c, host));
  kit_free(k);
}

/* ---- the log, and older messages ---- */

static uint32_t join6(struct kit *k, const char *name, uint8_t net, uint8_t host) {
  const uint8_t addr[16] = {0x20, 0x01, 0x0d, 0xb8, [7] = net, [15] = host};
  memcpy(k->addr, addr, sizeof addr);
  return join(k, &k->guest, name);
}

static void test_ban_of_ipv6(void **state) {
  struct kit *k = kit_make(NULL);
  (void)state;
  uint32_t ann = join(k, &k->host, "ann"), eve = knock(k, "eve", 7, "");
  (void)join6(k, "bob", 1, 1);
  (void)join6(k, "tom", 1, 2);
  uint32_t sue = join6(k, "sue", 2, 1);
  json_t *r = result(k, ann, ACT("ban_check", "{\"who\":3,\"address\":true}"));
  assert_int_equal(json_array_size(json_object_get(r, "also")), 1); /* the same /64 */
  assert_string_equal(json_string_value(json_array_get(json_object_get(r, "also"), 0)), "tom");
  json_decref(r);
  ok(k, ann, ACT("ban_rule", "{\"rule\":\"cidr:::/32\"}"));
  assert_false(control_wants_close(k->c, eve)); /* an IPv4 address is in no block of IPv6 */
  ok(k, ann, ACT("ban_rule", "{\"rule\":\"cidr:2001:db8::/48\",\"what\":\"speak\"}"));
  assert_false(control_wants_close(k->c, sue));
  expect(k, sue, 9, ACT("hand", "{}"), "silenced");
  expect(k, eve, 9, ACT("hand", "{}"), "ok");
  kit_free(k);
}

static void test_attendance(void **state) {
  struct kit *k = kit_make(NULL);
  (void)state;
  uint32_t ann = join(k, &k->host, "ann"), bob = knock(k, "=1+1, \\\"b\\\"", 1, ""),
           eve = knock(k, "eve", 2, "");
  expect(k, eve, 9, ACT("attendance", "{}"), "not_allowed");
  tick(k, 60 * US_PER_S);
  ok(k, ann, ACT("rename", "{\"who\":3,\"text\":\"+eva\"}"));
  expect(k, bob, 9, ACT("leave", "{}"), "ok");
  tick(k, 40 * US_PER_S - US_PER_S / 10);
  json_t *r = result(k, ann, ACT("attendance", "{}"));
  assert_string_equal(json_str(r, "csv", ""),
                      "name,id,role,first_in,last_out,seconds,end\r\n"
                      "ann,1,owner,2023-11-14T22:30:00Z,,100,here\r\n"
                      "\"'=1+1, \"\"b\"\"\",2,speaker,2023-11-14T22:30:00Z,2023-11-14T22:31:00Z,60,left\r\n"
                      "'+eva,3,speaker,2023-11-14T22:30:00Z,,100,here\r\n");
  json_decref(r);
  uint32_t op = open_conn(k, true);
  expect(k, op, 9, RPC(9, "room.attendance", "{\"room\":\"den\"}"), "ok");
  kit_free(k);
}

static void test_history(void **state) {
  struct kit *k = kit_make(NULL);
  (void)state;
  uint32_t ann = join(k, &k->host, "ann"), bob = join(k, &k->guest, "bob");
  char text[120];
  for (unsigned i = 0; i < 12; i++) {
    tick(k, US_PER_S);
    if (i % 3 == 2) /* not for bob */
      snprintf(text, sizeof text, ACT("hosts", "{\"text\":\"m%u\"}"), i);
    else
      snprintf(text, sizeof text, ACT("chat", "{\"text\":\"m%u\"}"), i);
    expect(k, ann, 9, text, "ok");
  }
  json_t *r = result(k, bob, RPC(9, "room.history", "{\"n\":3}")), *chat = json_object_get(r, "chat");
  assert_int_equal(json_array_size(chat), 3);
  assert_string_equal(json_str(json_array_get(chat, 0), "text", ""), "m7");
  assert_string_equal(json_str(json_array_get(chat, 2), "text", ""), "m10");
  assert_true(json_flag(r, "more", false));
  snprintf(text, sizeof text, RPC(9, "room.history", "{\"before\":%lld,\"n\":100}"),
           (long long)json_int(json_array_get(chat, 0), "id", 0));
  json_decref(r);
  r = result(k, bob, text);
  assert_int_equal(json_array_size(json_object_get(r, "chat")), 5); /* 0 1 3 4 6 */
  assert_false(json_flag(r, "more", true));
  json_decref(r);
  expect(k, bob, 9, RPC(9, "room.history", "{\"n\":0}"), "bad_argument");
  expect(k, bob, 9, RPC(9, "room.history", "{\"n\":101}"), "bad_argument");
  expect(k, bob, 9, RPC(9, "room.history", "{\"all\":true}"), "bad_argument");
  kit_free(k);
}

/* ---- who did it ---- */

static void test_hosts_without_names(void **state) {
  struct kit *k = kit_make(NULL);
  (void)state;
  uint32_t ann = join(k, &k->host, "ann"), bob = join(k, &k->guest, "bob"), tom = join(k, &k->host, "tom");
  ok(k, ann, ACT("name_hosts", "{\"on\":false}"));
  drain(k, bob);
  drain(k, tom);
  ok(k, ann, ACT("mute", "{\"who\":2,\"text\":\"noise\"}"));
  json_t *p = notified(k, bob, "event", "member.muted");
  assert_int_equal(json_int(p, "actor", 0), UINT32_MAX);
  json_decref(p);
  p = notified(k, tom, "event", "member.muted");
  assert_int_equal(json_int(p, "actor", 0), 1);
  json_decref(p);
  ok(k, ann, ACT("remove", "{\"who\":2,\"text\":\"enough\"}"));
  p = notified(k, bob, "bye", NULL);
  assert_string_equal(json_str(p, "text", ""), "enough");
  assert_null(json_object_get(p, "by"));
  json_decref(p);
  kit_free(k);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_password),
      cmocka_unit_test(test_guessing_passwords),
      cmocka_unit_test(test_locked_says_why),
      cmocka_unit_test(test_claim),
      cmocka_unit_test(test_hold),
      cmocka_unit_test(test_hold_while_away_survives_restart),
      cmocka_unit_test(test_rights_reach_media),
      cmocka_unit_test(test_side_rooms),
      cmocka_unit_test(test_on_time),
      cmocka_unit_test(test_ban_by_address),
      cmocka_unit_test(test_ban_of_a_block),
      cmocka_unit_test(test_ban_of_ipv6),
      cmocka_unit_test(test_attendance),
      cmocka_unit_test(test_history),
      cmocka_unit_test(test_hosts_without_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
