/* limits: buckets at their edges, addresses by network, strikes and blocks; and in the control plane: joins
 * by address, invite and room, the lobby's places, chat by the minute, the first message, each with the
 * counter of its row. */
#include "control_kit.h"
#include "core/server/limits.h"

static void bucket_at_its_edges(void **state) {
  (void)state;
  struct bucket b = {0};
  int retry = 0;
  us_t now = 1;
  for (int i = 0; i < 5; i++)
    assert_true(bucket_take(&b, now, 60, 5, &retry));
  assert_false(bucket_take(&b, now, 60, 5, &retry));
  assert_in_range(retry, 1000, 1001); /* one a second */
  /* Asking a thousand times a second for two seconds must not starve it: what comes back is not lost by
   * asking. */
  unsigned got = 0;
  for (int i = 0; i < 2000; i++)
    got += bucket_take(&b, now + (i + 1) * US_PER_MS, 60, 5, &retry);
  assert_int_equal(got, 2);
  now += 3600 * US_PER_S;
  assert_true(bucket_take(&b, now, 60, 5, &retry)); /* an hour does not pile up */
  for (int i = 0; i < 4; i++)
    assert_true(bucket_take(&b, now, 60, 5, &retry));
  assert_false(bucket_take(&b, now, 60, 5, &retry));
  bucket_give(&b);
  assert_true(bucket_take(&b, now, 60, 5, &retry));
}

static void slowest_rate_still_drains(void **state) {
  (void)state;
  struct bucket b = {0};
  int retry = 0;
  us_t now = 1;
  assert_true(bucket_take(&b, now, 1, 1, &retry));
  unsigned got = 0;
  for (int i = 0; i < 120; i++) /* asked every second for two minutes, at one a minute */
    got += bucket_take(&b, now + (i + 1) * US_PER_S, 1, 1, &retry);
  assert_int_equal(got, 2);
}

static void v4(uint8_t a[16], uint8_t last) {
  static const uint8_t NET[16] = {[10] = 0xff, [11] = 0xff, 192, 0, 2, 0};
  memcpy(a, NET, 16);
  a[15] = last;
}

static void v6(uint8_t a[16], uint8_t net, uint8_t host) {
  static const uint8_t NET[16] = {0x20, 0x01, 0x0d, 0xb8};
  memcpy(a, NET, 16);
  a[7] = net;
  a[15] = host;
}

static void strikes_block_one_address(void **state) {
  (void)state;
  struct limit_book *b = limit_book_create(7);
  uint8_t bad[16], other[16];
  us_t now = 1000 * US_PER_S;
  v4(bad, 1);
  v4(other, 2);
  for (int i = 0; i < 19; i++)
    assert_false(limit_book_strike(b, bad, now += US_PER_S, 20));
  assert_int_equal(limit_book_blocked(b, bad, now), 0);
  assert_true(limit_book_strike(b, bad, now, 20));
  assert_in_range(limit_book_blocked(b, bad, now), 899000, 900001);
  assert_int_equal(limit_book_blocked(b, other, now), 0);
  assert_int_not_equal(limit_book_blocked(b, bad, now + 899 * US_PER_S), 0);
  assert_int_equal(limit_book_blocked(b, bad, now + 901 * US_PER_S), 0);
  /* 19 in ten minutes, then some later: none of them is the twentieth */
  now += 2000 * US_PER_S;
  for (int i = 0; i < 19; i++)
    assert_false(limit_book_strike(b, other, now, 20));
  assert_false(limit_book_strike(b, other, now + 601 * US_PER_S, 20));
  limit_book_destroy(b);
}

static void a_host_of_v6_is_its_64(void **state) {
  (void)state;
  struct limit_book *b = limit_book_create(7);
  uint8_t a[16];
  us_t now = US_PER_S;
  for (uint8_t i = 0; i < 20; i++) {
    v6(a, 1, i);
    assert_int_equal(limit_book_strike(b, a, now, 20), i == 19);
  }
  v6(a, 1, 200);
  assert_int_not_equal(limit_book_blocked(b, a, now), 0);
  v6(a, 2, 200);
  assert_int_equal(limit_book_blocked(b, a, now), 0);
  limit_book_destroy(b);
}

/* A stranger with a million networks cannot push a blocked one out of the book, nor make it grow. */
static void a_flood_of_networks_frees_nobody(void **state) {
  (void)state;
  struct limit_book *b = limit_book_create(7);
  uint8_t bad[16], a[16];
  us_t now = US_PER_S;
  int retry;
  v4(bad, 1);
  assert_true(limit_book_strike(b, bad, now, 1));
  for (unsigned i = 0; i < 20000; i++) {
    v6(a, 0, 1);
    a[5] = (uint8_t)(i >> 8);
    a[6] = (uint8_t)i;
    now++;
    assert_true(bucket_take(limit_book_bucket(b, a, now, LIMIT_KIND_JOIN), now, 10, 60, &retry));
  }
  assert_int_not_equal(limit_book_blocked(b, bad, now), 0);
  limit_book_destroy(b);
}

static void the_table_is_whole(void **state) {
  (void)state;
  for (unsigned i = 0; i < LIMIT__COUNT; i++) {
    assert_true(LIMITS[i].value > 0);
    assert_true(LIMITS[i].name[0] >= 'a' && LIMITS[i].name[0] <= 'z');
    bool rate = strchr(LIMITS[i].unit, '/') != NULL;
    assert_int_equal(rate, LIMITS[i].burst > 0);
    for (unsigned k = 0; k < i; k++)
      assert_string_not_equal(LIMITS[i].name, LIMITS[k].name);
  }
}

/* ---- in the control plane ---- */

static unsigned handshakes; /* that wait, as the media side says */
static unsigned on_handshakes(void *ctx) {
  (void)ctx;
  return handshakes;
}

static struct kit *with(struct limits_set limits) {
  struct kit *k = calloc(1, sizeof *k);
  static const uint8_t KEY[32] = {7};
  char why[256] = "";
  assert_non_null(k);
  k->now = START;
  rng_seed(&k->rng, 42);
  assert_int_equal(store_open(":memory:", KEY, &k->rng, &k->store, why), ERR_OK);
  struct control_config c = {.store = k->store,
                             .rng = &k->rng,
                             .media_threads = 1,
                             .media = on_media,
                             .want_write = on_want_write,
                             .handshakes = on_handshakes,
                             .limits = limits,
                             .ctx = k};
  assert_int_equal(control_create(&c, k->now, WALL, &k->c, why), ERR_OK);
  assert_int_equal(control_room_create(k->c, "den", false, &k->host, &k->guest), ERR_OK);
  control_commit(k->c);
  return k;
}

static uint64_t held(struct kit *k, enum limit what) {
  struct control_counters n;
  control_counters(k->c, &n);
  return n.limits[what];
}

/* Asks to come in; the code of the refusal, "" when he is in. */
static const char *ask_in(struct kit *k, const char *room, const char *secret, uint32_t *conn) {
  static char code[64];
  char text[400];
  *conn = open_conn(k, false);
  snprintf(
      text, sizeof text,
      "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"room.join\",\"params\":{\"room\":\"%s\",\"name\":\"n\","
      "\"invite\":\"%s\"}}",
      room, secret);
  say(k, *conn, text);
  json_t *o = next(k, *conn), *e = json_object_get(json_object_get(o, "error"), "data");
  snprintf(code, sizeof code, "%s", json_str(e, "code", ""));
  if (strcmp(code, "rate_limited") == 0)
    assert_true(json_int(e, "retry_ms", 0) > 0);
  json_decref(o);
  drain(k, *conn);
  return code;
}

static void guest_secret(const struct kit *k, char out[64]) {
  b64url_encode(k->guest.secret, 32, out);
}

static void a_class_comes_in_and_a_flood_does_not(void **state) {
  (void)state;
  struct kit *k = with(LIMITS_DEFAULT);
  char secret[64];
  uint32_t conn;
  guest_secret(k, secret);
  v4(k->addr, 1);
  unsigned in = 0;
  for (int i = 0; i < 200; i++)
    in += *ask_in(k, "den", secret, &conn) == 0;
  assert_int_equal(in, LIMITS[LIMIT_JOINS_ADDRESS].burst); /* a class of 40 is less */
  assert_true(in >= 40);
  assert_int_equal(held(k, LIMIT_JOINS_ADDRESS), 200 - in);
  v4(k->addr, 2); /* meanwhile somebody else */
  assert_string_equal(ask_in(k, "den", secret, &conn), "");
  v4(k->addr, 1);
  tick(k, 60 * US_PER_S);
  in = 0;
  for (int i = 0; i < 200; i++)
    in += *ask_in(k, "den", secret, &conn) == 0;
  assert_int_equal(in, 10); /* and after a minute ten more */
  kit_free(k);
}

/* The operator's own machine: a tool that fills a room, or a proxy that nobody has named. */
static void this_machine_is_counted_when_asked(void **state) {
  (void)state;
  for (int counted = 0; counted < 2; counted++) {
    struct limits_set l = LIMITS_DEFAULT;
    l.loopback = counted == 1;
    struct kit *k = with(l);
    char secret[64];
    uint32_t conn;
    guest_secret(k, secret);
    v4(k->addr, 1);
    k->addr[12] = 127;
    unsigned in = 0;
    for (int i = 0; i < 250; i++)
      in += *ask_in(k, "den", secret, &conn) == 0;
    assert_int_equal(in, counted ? LIMIT_BURST_JOINS_ADDRESS : 250);
    kit_free(k);
  }
}

static void an_invite_and_a_room_have_their_own(void **state) {
  (void)state;
  struct limits_set l = {.joins_per_invite = 30, .joins_per_room = 250};
  struct kit *k = with(l);
  char guest[64], host[64];
  uint32_t conn;
  guest_secret(k, guest);
  b64url_encode(k->host.secret, 32, host);
  unsigned in = 0, more = 0;
  for (unsigned i = 0; i < 240; i++) {
    v4(k->addr, (uint8_t)i);
    in += *ask_in(k, "den", guest, &conn) == 0;
  }
  assert_int_equal(in, LIMITS[LIMIT_JOINS_INVITE].burst);
  assert_int_equal(held(k, LIMIT_JOINS_INVITE), 240 - in);
  for (unsigned i = 0; i < 60;
       i++) { /* the other link of the room still works, until the room has had enough */
    v4(k->addr, (uint8_t)i);
    more += *ask_in(k, "den", host, &conn) == 0;
  }
  assert_int_equal(in + more, 250);
  assert_true(held(k, LIMIT_JOINS_ROOM) > 0);
  kit_free(k);
}

/* A storm of joins: newcomers come again later, each at a time of his own; who resumes comes in. */
static void a_storm_waits_outside(void **state) {
  (void)state;
  struct kit *k = with(LIMITS_DEFAULT);
  char secret[64], text[400], resume[64];
  int first = 0, differ = 0;
  guest_secret(k, secret);
  v4(k->addr, 1);
  uint32_t in = open_conn(k, false), conn;
  snprintf(
      text, sizeof text,
      "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"room.join\",\"params\":{\"room\":\"den\",\"name\":\"n\","
      "\"invite\":\"%s\"}}",
      secret);
  handshakes = LIMIT_VALUE_HANDSHAKES - 1;
  say(k, in, text);
  json_t *o = answer(k, in, 1);
  snprintf(resume, sizeof resume, "%s", json_str(json_object_get(o, "result"), "resume", ""));
  assert_true(*resume);
  json_decref(o);

  handshakes = LIMIT_VALUE_HANDSHAKES;
  for (int i = 0; i < 10; i++) {
    conn = open_conn(k, false);
    say(k, conn, text);
    o = answer(k, conn, 1);
    const json_t *e = json_object_get(json_object_get(o, "error"), "data");
    int ms = (int)json_int(e, "retry_ms", 0);
    assert_string_equal(json_str(e, "code", ""), "try_later");
    assert_in_range(ms, 1000, 1999);
    differ += i > 0 && ms != first;
    first = ms;
    json_decref(o);
    assert_true(control_ending(k->c, conn));
    assert_int_equal(control_close_code(k->c, conn), CONTROL_CLOSE_SLOW);
  }
  assert_true(differ > 5);
  assert_int_equal(held(k, LIMIT_HANDSHAKES), 10);
  for (int i = 0; i < 2 * LIMIT_BURST_JOINS_ADDRESS; i++) /* who comes as often as he was told to */
    assert_string_equal(ask_in(k, "den", secret, &conn), "try_later");
  handshakes = 0;
  assert_string_equal(ask_in(k, "den", secret, &conn), "");
  handshakes = LIMIT_VALUE_HANDSHAKES;

  control_closed(k->c, in);
  conn = open_conn(k, false);
  snprintf(
      text, sizeof text,
      "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"room.join\",\"params\":{\"room\":\"den\",\"name\":\"n\","
      "\"resume\":\"%s\"}}",
      resume);
  say(k, conn, text);
  o = answer(k, conn, 1);
  assert_non_null(json_object_get(o, "result"));
  json_decref(o);
  handshakes = 0;
  kit_free(k);
}

/* Nobody guesses 32 bytes: whoever follows an old link sits beside those who have a good one. */
static void an_old_link_is_no_guess(void **state) {
  (void)state;
  struct kit *k = with(LIMITS_DEFAULT);
  char secret[64], wrong[64] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
  struct control_counters n;
  uint32_t conn;
  guest_secret(k, secret);
  v4(k->addr, 9);
  for (int i = 0; i < 25; i++)
    assert_string_equal(ask_in(k, "den", wrong, &conn), "bad_invite");
  conn = open_conn(k, false);
  expect(k, conn, 1,
         RPC(1, "room.join", "{\"room\":\"den\",\"resume\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}"),
         "cannot_resume");
  control_counters(k->c, &n);
  assert_int_equal(n.strikes, 0);
  assert_string_equal(ask_in(k, "den", secret, &conn), "");
  kit_free(k);
}

static void chat_by_the_minute(void **state) {
  (void)state;
  struct kit *k = with(LIMITS_DEFAULT);
  char secret[64], text[200];
  uint32_t conn;
  guest_secret(k, secret);
  v4(k->addr, 1);
  assert_string_equal(ask_in(k, "den", secret, &conn), "");
  unsigned said = 0;
  for (int i = 0; i < 300; i++) { /* five a second for a minute */
    tick(k, 200 * US_PER_MS);
    snprintf(text, sizeof text,
             "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"room.chat\",\"params\":{\"text\":\"x\"}}", i + 2);
    say(k, conn, text);
    for (json_t *o; (o = next(k, conn)); json_decref(o))
      said += json_object_get(o, "result") != NULL;
  }
  assert_in_range(said, 60 + 58, 60 + 60); /* 60 at once, and one a second */
  assert_int_equal(held(k, LIMIT_CHAT_MINUTE), 300 - said);
  assert_int_equal(held(k, LIMIT_CHAT), 0);
  kit_free(k);
}

static void first_message(void **state) {
  (void)state;
  struct kit *k = with(LIMITS_DEFAULT);
  static char big[LIMIT_VALUE_FIRST_SIZE + 2];
  memset(big, ' ', sizeof big - 1);
  uint32_t conn = open_conn(k, false), late = open_conn(k, false);
  say(k, conn, big);
  assert_true(control_ending(k->c, conn));
  assert_int_equal(control_close_code(k->c, conn), CONTROL_CLOSE_LATE);
  assert_int_equal(held(k, LIMIT_FIRST_SIZE), 1);
  assert_false(control_ending(k->c, late));
  tick(k, LIMIT_VALUE_FIRST_SLOW * US_PER_MS);
  for (int turn = 0; turn < 2; turn++) { /* what he said may not be read yet */
    control_commit(k->c);
    tick(k, US_PER_MS);
  }
  assert_true(control_ending(k->c, late));
  assert_int_equal(control_close_code(k->c, late), CONTROL_CLOSE_LATE);
  assert_int_equal(held(k, LIMIT_FIRST_SLOW), 1);
  kit_free(k);
}

static void who_does_not_read_is_closed_with_1013(void **state) {
  (void)state;
  struct kit *k = with(LIMITS_DEFAULT);
  char secret[64], text[200];
  uint32_t conn, operator= open_conn(k, true);
  guest_secret(k, secret);
  v4(k->addr, 1);
  assert_string_equal(ask_in(k, "den", secret, &conn), "");
  for (int i = 0; i < LIMIT_VALUE_QUEUE + 10; i++) {
    snprintf(text, sizeof text,
             "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"room.topic\",\"params\":{\"room\":\"den\",\"text\":"
             "\"%d\"}}",
             i + 1, i);
    say(k, operator, text);
    drain(k, operator);
  }
  assert_true(control_wants_close(k->c, conn));
  assert_int_equal(control_close_code(k->c, conn), CONTROL_CLOSE_SLOW);
  assert_int_equal(held(k, LIMIT_QUEUE), 1);
  assert_false(control_ending(k->c, operator)); /* nobody else is held up */
  kit_free(k);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(bucket_at_its_edges),
      cmocka_unit_test(slowest_rate_still_drains),
      cmocka_unit_test(strikes_block_one_address),
      cmocka_unit_test(a_host_of_v6_is_its_64),
      cmocka_unit_test(a_flood_of_networks_frees_nobody),
      cmocka_unit_test(the_table_is_whole),
      cmocka_unit_test(a_class_comes_in_and_a_flood_does_not),
      cmocka_unit_test(this_machine_is_counted_when_asked),
      cmocka_unit_test(an_invite_and_a_room_have_their_own),
      cmocka_unit_test(a_storm_waits_outside),
      cmocka_unit_test(an_old_link_is_no_guess),
      cmocka_unit_test(chat_by_the_minute),
      cmocka_unit_test(first_message),
      cmocka_unit_test(who_does_not_read_is_closed_with_1013),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
