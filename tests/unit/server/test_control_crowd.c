/* What a crowd costs the server: a whole lobby let in at once, acts that everybody sees, one attacker, a long
 * log. */
#include "core/server/control_private.h"
#include "core/wire/room_json.h"
#include "tests/unit/server/control_kit.h"

#include <time.h>

#define ACT(act, params) RPC(9, "room." act, params)
#define INSIDE 1000
#define WAITING 500

static const char LOBBY_ON[] = RPC(9, "room.lobby", "{\"room\":\"den\",\"on\":true}");

static uint32_t come(struct kit *k, const struct link *l, unsigned n) {
  char name[32];
  const uint8_t addr[16] = {[10] = 0xff, 0xff, 10, 0, (uint8_t)(n >> 8), (uint8_t)n};
  memcpy(k->addr, addr, sizeof addr);
  snprintf(name, sizeof name, "person %u", n);
  return join(k, l, name);
}

static json_t *notified(struct kit *k, uint32_t conn, const char *method) {
  json_t *found = NULL, *o;
  while ((o = next(k, conn))) {
    if (strcmp(json_str(o, "method", ""), method) == 0 && !found)
      found = json_incref(json_object_get(o, "params"));
    json_decref(o);
  }
  return found;
}

static void ok(struct kit *k, uint32_t conn, const char *text) {
  tick(k, US_PER_S / 10);
  expect(k, conn, 9, text, "ok");
}

/* ---- a whole lobby at once ---- */

static double cpu_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec * 1000 + (double)t.tv_nsec / 1000000;
}

/* Bytes behind those outboxes: what several have in common counts once. */
static size_t bytes_held(struct kit *k, const uint32_t *conn, size_t n) {
  size_t bytes = 0, cap = 1 << 16, n_seen = 0;
  struct msg **seen = calloc(cap, sizeof(struct msg *));
  assert_non_null(seen);
  for (size_t i = 0; i < n; i++) {
    const struct conn *c = map_get_u32(k->c->conns, conn[i]);
    for (size_t m = 0; m < c->out.n; m++) {
      size_t at = 0;
      while (at < n_seen && seen[at] != c->out.v[m])
        at++;
      if (at < n_seen)
        continue;
      assert_true(n_seen < cap);
      seen[n_seen++] = c->out.v[m];
      bytes += c->out.v[m]->len;
    }
  }
  free(seen);
  return bytes;
}

/* What was sent to one who was just admitted is what is meant for him, whoever else got the same. */
static void assert_whole(struct kit *k, uint32_t conn, size_t members) {
  json_t *p = notified(k, conn, "admitted"), *room = json_object_get(p, "room");
  assert_int_equal(json_array_size(json_object_get(room, "members")), members);
  const struct conn *c = map_get_u32(k->c->conns, conn);
  json_t *his = room_to_wire(&c->room->room, c->seat->member);
  assert_true(json_equal(room, his));
  json_decref(his);
  json_decref(p);
}

static void test_a_full_lobby_is_let_in(void **state) {
  (void)state;
  struct kit *k = kit_make(NULL);
  static uint32_t waits[WAITING], inside[INSIDE];
  uint32_t ann = join(k, &k->host, "ann"), op = open_conn(k, true);
  for (unsigned i = 0; i < INSIDE; i++) {
    inside[i] = come(k, &k->guest, i);
    for (unsigned o = 0; i % 50 == 0 && o <= i; o++)
      drain(k, inside[o]);
  }
  ok(k, op, LOBBY_ON);
  for (unsigned i = 0; i < WAITING; i++)
    waits[i] = come(k, &k->guest, INSIDE + i);
  ok(k, ann, ACT("msg", "{\"who\":1010,\"text\":\"for you alone\"}"));
  for (unsigned i = 0; i < WAITING; i++)
    drain(k, waits[i]);
  for (unsigned i = 0; i < INSIDE; i++)
    drain(k, inside[i]);
  uint64_t events = k->c->count.events, commits = k->c->count.commits;
  double before = cpu_ms();
  ok(k, ann, ACT("admit_all", "{}"));
  double ms = cpu_ms() - before;
  size_t bytes = bytes_held(k, waits, WAITING);
  print_message("%u let in to %u: %.0f ms of CPU, %zu KB wait for them\n", WAITING, INSIDE, ms, bytes / 1000);
  assert_int_equal(k->c->count.events - events, WAITING);
  assert_int_equal(k->c->count.commits - commits, 1);
  assert_true(bytes < 3 * 400 * 1000); /* the room once for all, and once for who has something of his own */
  for (unsigned i = 0; i < WAITING; i += i < 20 ? 1 : 100)
    assert_whole(k, waits[i], INSIDE + WAITING + 1);
  assert_int_equal(drain(k, inside[0]), WAITING); /* the others heard of each */
  kit_free(k);
}

/* ---- who is told how often ---- */

static void test_places_are_told_when_they_move(void **state) {
  (void)state;
  struct kit *k = kit_make(NULL);
  uint32_t ann = join(k, &k->host, "ann"), bob = come(k, &k->guest, 2), op = open_conn(k, true);
  ok(k, op, LOBBY_ON);
  uint32_t first = come(k, &k->guest, 3), second = come(k, &k->guest, 4);
  drain(k, second);
  expect(k, bob, 9, ACT("leave", "{}"), "ok");
  assert_int_equal(drain(k, second), 0); /* he was inside */
  expect(k, first, 9, ACT("leave", "{}"), "ok");
  json_t *p = notified(k, second, "lobby");
  assert_int_equal(json_int(p, "place", 0), 1);
  json_decref(p);
  uint32_t third = come(k, &k->guest, 5);
  drain(k, third);
  ok(k, ann, ACT("deny", "{\"who\":4}"));
  p = notified(k, third, "lobby");
  assert_int_equal(json_int(p, "place", 0), 1);
  json_decref(p);
  kit_free(k);
}

/* The answer to a request: its code; how long to wait into *retry_ms. */
static const char *refused(struct kit *k, uint32_t conn, const char *text, char code[48],
                           json_int_t *retry_ms) {
  say(k, conn, text);
  json_t *o = answer(k, conn, 9);
  *retry_ms = json_int(json_object_get(json_object_get(o, "error"), "data"), "retry_ms", 0);
  return code_of(o, code);
}

static void test_shown_acts_are_limited(void **state) {
  (void)state;
  struct kit *k = kit_make(NULL);
  char code[48];
  json_int_t wait_ms;
  uint32_t ann = join(k, &k->host, "ann"), bob = come(k, &k->guest, 2), eve = come(k, &k->guest, 3);
  for (int i = 0; i < 10; i++)
    expect(k, bob, 9, i % 2 ? ACT("unmute", "{}") : ACT("mute", "{}"), "ok");
  static const char *const ALL[] = {ACT("hand", "{}"),        ACT("name", "{\"text\":\"bobby\"}"),
                                    ACT("vote", "{\"n\":1}"), ACT("decline", "{}"),
                                    ACT("undo", "{}"),        ACT("hand_lower", "{}")};
  for (size_t i = 0; i < sizeof ALL / sizeof ALL[0]; i++)
    assert_string_equal(refused(k, bob, ALL[i], code, &wait_ms), "rate_limited");
  assert_in_range(wait_ms, 900, 1001);
  expect(k, bob, 9, ACT("chat", "{\"text\":\"still here\"}"), "ok");
  expect(k, eve, 9, ACT("hand", "{}"), "ok"); /* each has his own */
  for (int i = 0; i < 30; i++)
    expect(k, ann, 9, i % 2 ? ACT("unmute", "{}") : ACT("mute", "{}"), "ok");
  tick(k, wait_ms * US_PER_MS);
  expect(k, bob, 9, ACT("hand", "{}"), "ok");
  expect(k, bob, 9, ACT("hand_lower", "{}"), "rate_limited");
  kit_free(k);
}

static void test_new_passwords_are_limited(void **state) {
  (void)state;
  struct kit *k = kit_make(NULL);
  char code[48];
  json_int_t wait_ms;
  uint32_t ann = join(k, &k->host, "ann");
  for (int i = 0; i < 6; i++)
    ok(k, ann, i % 2 ? ACT("password", "{\"text\":\"one\"}") : ACT("password", "{\"text\":\"two\"}"));
  assert_string_equal(refused(k, ann, ACT("password", "{\"text\":\"three\"}"), code, &wait_ms),
                      "rate_limited");
  assert_in_range(wait_ms, 9000, 10001);
  ok(k, ann, ACT("password", "{}")); /* to take it away costs nothing */
  tick(k, wait_ms * US_PER_MS);
  ok(k, ann, ACT("password", "{\"text\":\"three\"}"));
  kit_free(k);
}

/* Where hosts have no names, who was one and muted somebody knows it of himself only. */
static void test_the_muter_is_no_bodys_to_know(void **state) {
  (void)state;
  struct kit *k = kit_make(NULL);
  char text[512];
  uint32_t ann = join(k, &k->host, "ann"), people[12];
  for (unsigned i = 0; i < 12; i++)
    people[i] = come(k, &k->guest, i);
  ok(k, ann, ACT("role", "{\"who\":6,\"role\":\"cohost\"}"));
  uint32_t bob = open_conn(k, false);
  join_text(&k->guest, "bob", text);
  say(k, bob, text);
  json_t *o = answer(k, bob, 1);
  snprintf(text, sizeof text, RPC(1, "room.join", "{\"room\":\"den\",\"resume\":\"%s\"}"),
           json_str(json_object_get(o, "result"), "resume", ""));
  json_decref(o);
  ok(k, people[4], ACT("mute", "{\"who\":14}"));
  ok(k, ann, ACT("role", "{\"who\":6,\"role\":\"speaker\"}"));
  ok(k, ann, ACT("name_hosts", "{\"on\":false}"));
  control_closed(k->c, bob);
  control_commit(k->c);
  for (unsigned i = 0; i < 12; i++)
    drain(k, people[i]);
  bob = open_conn(k, false);
  say(k, bob, text);
  for (unsigned i = 0; i < 12; i++) {
    json_t *p = notified(k, people[i], "event");
    assert_string_equal(json_str(p, "kind", ""), "member.back");
    assert_int_equal(json_int(json_object_get(p, "member"), "muted_by", 0), i == 4 ? 6 : UINT32_MAX);
    json_decref(p);
  }
  kit_free(k);
}

/* ---- one attacker ---- */

static uint32_t come6(struct kit *k, uint8_t net, uint16_t host) {
  char name[32];
  const uint8_t addr[16] = {0x20, 0x01, 0x0d, 0xb8, [7] = net, [14] = (uint8_t)(host >> 8), (uint8_t)host};
  memcpy(k->addr, addr, sizeof addr);
  snprintf(name, sizeof name, "v6 %u %u", net, host);
  return join(k, &k->guest, name);
}

static void test_one_address_does_not_use_up_the_guesses(void **state) {
  (void)state;
  struct kit *k = kit_make(NULL);
  uint32_t ann = join(k, &k->host, "ann"), bob = come6(k, 2, 1);
  char text[160];
  say(k, ann, ACT("claim_code", "{}"));
  json_t *o = answer(k, ann, 9);
  snprintf(text, sizeof text, ACT("claim", "{\"text\":\"%s\"}"),
           json_str(json_object_get(o, "result"), "code", ""));
  json_decref(o);
  for (uint16_t i = 0; i < 30; i++) { /* of one network, each from an address and a connection of its own */
    uint32_t eve = come6(k, 1, i);
    expect(k, eve, 9, ACT("claim", "{\"text\":\"ABCDE23456\"}"), i < 5 ? "bad_code" : "rate_limited");
  }
  expect(k, bob, 9, text, "ok");
  kit_free(k);
}

/* ---- a long log ---- */

static char *attendance(struct kit *k, uint32_t conn) {
  tick(k, 10 * US_PER_S);
  drain(k, conn);
  say(k, conn, ACT("attendance", "{}"));
  json_t *o = answer(k, conn, 9);
  char *csv = strdup(json_str(json_object_get(o, "result"), "csv", ""));
  json_decref(o);
  return csv;
}

static enum err stream_name(void *ctx, const char *stream) {
  snprintf(ctx, STORE_STREAM_MAX, "%s", stream);
  return ERR_OK;
}

static void test_attendance_reads_what_is_new(void **state) {
  (void)state;
  struct kit *k = kit_make(NULL);
  char stream[STORE_STREAM_MAX];
  uint32_t ann = join(k, &k->host, "ann"), bob = come(k, &k->guest, 2);
  char *csv = attendance(k, ann);
  assert_non_null(strstr(csv, "person 2,2,speaker,"));
  free(csv);
  /* what was read is not read again: without its texts a second reading would have no names */
  assert_int_equal(store_streams(k->store, "room:", stream_name, stream), ERR_OK);
  uint64_t erased;
  assert_int_equal(store_erase_before(k->store, stream, "*", INT64_MAX, NULL, &erased), ERR_OK);
  (void)come(k, &k->guest, 3);
  expect(k, bob, 9, ACT("leave", "{}"), "ok");
  csv = attendance(k, ann);
  assert_non_null(strstr(csv, "person 2,2,speaker,"));
  assert_non_null(strstr(csv, ",left\r\n"));
  assert_non_null(strstr(csv, "person 3,3,speaker,"));
  free(csv);
  kit_free(k);
}

static void test_attendance_of_many_rooms(void **state) {
  (void)state;
  struct kit *k = kit_make(NULL);
  uint32_t op = open_conn(k, true);
  char text[160];
  struct link a, b;
  for (unsigned round = 0; round < 2; round++)
    for (unsigned i = 0; i < 2 * ATTENDANCE_FOLDS_MAX; i++) {
      snprintf(text, sizeof text, "room-%u", i);
      if (round == 0)
        assert_int_equal(control_room_create(k->c, text, false, &a, &b), ERR_OK);
      snprintf(text, sizeof text, RPC(9, "room.attendance", "{\"room\":\"room-%u\"}"), i);
      expect(k, op, 9, text, "ok");
      assert_true(k->c->n_stays <= ATTENDANCE_FOLDS_MAX);
    }
  expect(k, op, 9, RPC(9, "room.end", "{\"room\":\"room-15\",\"seconds\":0}"), "ok");
  tick(k, 10 * US_PER_S);
  control_commit(k->c);
  tick(k, 2 * US_PER_S); /* forgotten, and what was remembered of it */
  control_commit(k->c);
  assert_null(map_get(k->c->rooms, "room-15", 7));
  assert_int_equal(k->c->n_stays, ATTENDANCE_FOLDS_MAX - 1);
  kit_free(k);
}

/* ---- a disk that is full for a moment ---- */

static void lost(struct kit *k, uint32_t conn, const char *text) {
  tick(k, US_PER_S / 10);
  k->c->group_err = ERR_DISK_FULL; /* as if the first record could not be written */
  expect(k, conn, 9, text, "disk_full");
}

static void test_attendance_knows_nothing_that_was_lost(void **state) {
  (void)state;
  struct kit *k = kit_make(NULL);
  uint32_t ann = join(k, &k->host, "ann"), op = open_conn(k, true);
  lost(k, ann, ACT("name", "{\"text\":\"nobody\"}"));
  char *csv = attendance(k, ann);
  assert_null(strstr(csv, "nobody"));
  free(csv);
  static const char NAME[] = ACT("name", "{\"text\":\"nobody\"}");
  tick(k, US_PER_S); /* seen while it is not on disk */
  control_message(k->c, ann, NAME, sizeof NAME - 1);
  k->c->group_err = ERR_DISK_FULL;
  say(k, op, RPC(9, "room.attendance", "{\"room\":\"den\"}"));
  csv = attendance(k, ann);
  assert_non_null(strstr(csv, "ann,1,owner,"));
  assert_null(strstr(csv, "nobody"));
  free(csv);
  kit_free(k);
}

static void test_lost_admission_keeps_the_offer(void **state) {
  (void)state;
  struct kit *k = kit_make(NULL);
  uint32_t ann = join(k, &k->host, "ann"), op = open_conn(k, true);
  ok(k, op, LOBBY_ON);
  uint32_t bob = join_with_sound(k, "bob");
  lost(k, ann, ACT("admit", "{\"who\":2}"));
  assert_int_equal(k->last.kind, MEDIA_PEER_DEL);
  assert_int_equal(drain(k, bob), 0); /* nothing happened that he would have to know of */
  ok(k, ann, ACT("admit", "{\"who\":2}"));
  assert_int_equal(k->last.kind, MEDIA_PEER_ADD);
  json_t *p = notified(k, bob, "answer");
  assert_non_null(json_object_get(p, "sdp"));
  json_decref(p);
  struct media_event up = {.kind = MEDIA_CONNECTED, .peer = k->last.peer};
  control_media_event(k->c, 0, &up);
  control_commit(k->c);
  const struct conn *c = map_get_u32(k->c->conns, bob);
  assert_null(c->seat->offer); /* used up */
  kit_free(k);
}

static void test_lost_sound_is_told_once(void **state) {
  (void)state;
  struct kit *k = kit_make(NULL);
  uint32_t ann = join(k, &k->host, "ann"), bob = join_with_sound(k, "bob"), late[40];
  struct media_event ev = {.kind = MEDIA_LOST, .peer = k->last.peer, .why = ERR_ICE};
  control_media_event(k->c, 0, &ev);
  control_commit(k->c);
  drain(k, bob);
  for (size_t i = 0; i < 40; i++) { /* come with the group that is lost */
    char text[512], name[16];
    snprintf(name, sizeof name, "late %zu", i);
    join_text(&k->guest, name, text);
    late[i] = open_conn(k, false);
    control_message(k->c, late[i], text, strlen(text));
  }
  lost(k, ann, ACT("topic", "{\"text\":\"x\"}"));
  assert_int_equal(drain(k, bob), 1);
  for (size_t i = 0; i < 40; i++) {
    char code[48];
    assert_string_equal(code_of(answer(k, late[i], 1), code), "disk_full");
  }
  kit_free(k);
}

/* ---- more than there is room for ---- */

static void test_a_block_that_cannot_be_banned_whole(void **state) {
  (void)state;
  struct kit *k = kit_make(NULL);
  uint32_t ann = join(k, &k->host, "ann"), last = 0;
  for (unsigned i = 0; i < ROOM_BANS_MAX + 1; i++)
    last = come(k, &k->guest, i);
  tick(k, US_PER_S);
  say(k, ann, ACT("ban_rule", "{\"rule\":\"cidr:10.0.0.0/8\",\"what\":\"speak\"}"));
  char code[48];
  json_t *o = answer(k, ann, 9);
  assert_non_null(strstr(json_str(json_object_get(o, "error"), "message", ""), "the rule stands"));
  assert_string_equal(code_of(o, code), "full");
  ok(k, ann, ACT("ban_rule", "{\"rule\":\"cidr:10.0.0.0/8\"}")); /* removing has no such limit */
  assert_true(control_wants_close(k->c, last) || control_ending(k->c, last));
  kit_free(k);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_full_lobby_is_let_in),
      cmocka_unit_test(test_places_are_told_when_they_move),
      cmocka_unit_test(test_shown_acts_are_limited),
      cmocka_unit_test(test_new_passwords_are_limited),
      cmocka_unit_test(test_the_muter_is_no_bodys_to_know),
      cmocka_unit_test(test_one_address_does_not_use_up_the_guesses),
      cmocka_unit_test(test_attendance_reads_what_is_new),
      cmocka_unit_test(test_attendance_of_many_rooms),
      cmocka_unit_test(test_attendance_knows_nothing_that_was_lost),
      cmocka_unit_test(test_lost_admission_keeps_the_offer),
      cmocka_unit_test(test_lost_sound_is_told_once),
      cmocka_unit_test(test_a_block_that_cannot_be_banned_whole),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
