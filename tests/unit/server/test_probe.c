/* media.probe: who may, how many, how often, and that it is gone when its connection joins or ends. */
#include "core/server/control_private.h"
#include "tests/unit/server/control_kit.h"

/* "sdp" of an offer to go with what opens the door, which it takes; the code of the answer. */
static const char *probe(struct kit *k, uint32_t conn, json_t *params, char code[48]) {
  char *join = sound_text(k, "den", "x");
  json_t *o = json_loads(join, 0, NULL);
  json_object_set(params, "sdp", json_object_get(json_object_get(o, "params"), "sdp"));
  if (json_is_true(json_object_get(params, "invite")))
    json_object_set(params, "invite", json_object_get(json_object_get(o, "params"), "invite"));
  json_decref(o);
  free(join);
  char *text = rpc_request(7, "media.probe", params);
  say(k, conn, text);
  free(text);
  return code_of(answer(k, conn, 7), code);
}

static json_t *by_link(const char *room) {
  return json_pack("{s:s,s:b}", "room", room, "invite", 1);
}

static void comes_from(struct kit *k, uint8_t last) {
  memset(k->addr, 0, sizeof k->addr);
  k->addr[10] = k->addr[11] = 0xff;
  k->addr[12] = 192, k->addr[14] = 2, k->addr[15] = last;
}

static void test_goes_with_the_join(void **state) {
  (void)state;
  struct kit *k = kit_make(NULL);
  char code[48], text[512];
  uint32_t conn = open_conn(k, false);
  assert_string_equal(probe(k, conn, by_link("den"), code), "ok");
  assert_int_equal(k->last.kind, MEDIA_PEER_ADD);
  assert_int_equal(k->c->n_probes, 1);
  assert_string_equal(probe(k, conn, by_link("den"), code), "bad_request");
  join_text(&k->guest, "ann", text);
  k->n_cmds = 0;
  expect(k, conn, 1, text, "ok");
  assert_int_equal(k->c->n_probes, 0); /* else members would hold all places for as long as they stay */
  assert_int_equal(k->cmds[0].kind, MEDIA_PEER_DEL);
  assert_string_equal(probe(k, conn, by_link("den"), code), "bad_request"); /* he is inside */
  uint32_t other = open_conn(k, false);
  assert_string_equal(probe(k, other, by_link("den"), code), "ok");
  control_closed(k->c, other);
  assert_int_equal(k->c->n_probes, 0);
  uint32_t operator= open_conn(k, true); /* its connection has no end */
  assert_string_equal(probe(k, operator, by_link("den"), code), "bad_request");
  kit_free(k);
}

static void test_who_may(void **state) {
  (void)state;
  struct kit *k = kit_make(NULL);
  char code[48];
  uint32_t conn = open_conn(k, false);
  assert_string_equal(probe(k, conn, by_link("attic"), code), "no_room");
  assert_string_equal(probe(k, conn, by_link(""), code), "no_room");
  assert_string_equal(
      probe(k, conn, json_pack("{s:s,s:s,s:b}", "room", "den", "app", "acme", "invite", 1), code), "no_room");
  assert_string_equal(probe(k, conn, json_pack("{s:s,s:s}", "room", "den", "invite", "abc"), code),
                      "bad_invite");
  assert_string_equal(probe(k, conn, json_pack("{s:s}", "room", "den"), code), "invalid_token");
  assert_string_equal(probe(k, conn, json_pack("{s:s,s:s}", "room", "den", "token", "cs1_x"), code),
                      "invalid_token");
  assert_int_equal(k->c->n_probes, 0);
  kit_free(k);
}

/* An old link is no guess: whoever looks why it does not work does not shut out all behind his address. */
static void test_old_links_are_no_strikes(void **state) {
  (void)state;
  struct kit *k = kit_make(NULL);
  char code[48];
  comes_from(k, 7);
  k->c->cfg.limits.strikes = 3;
  for (int i = 0; i < 5; i++) {
    uint32_t conn = open_conn(k, false);
    assert_string_equal(
        probe(k, conn,
              json_pack("{s:s,s:s}", "room", "den", "invite", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
              code),
        "bad_invite");
    control_closed(k->c, conn);
  }
  assert_string_equal(probe(k, open_conn(k, false), by_link("den"), code), "ok");
  kit_free(k);
}

/* Looking for rooms is as slow here as by room.join, and one address does not take all places. */
static void test_as_often_as_joins(void **state) {
  (void)state;
  struct kit *k = kit_make(NULL);
  char code[48], text[512];
  int n = 0;
  comes_from(k, 9);
  k->c->cfg.limits.joins_per_address = 1;
  for (; n < 200 && strcmp(probe(k, open_conn(k, false), by_link("attic"), code), "no_room") == 0; n++) {
  }
  assert_string_equal(code, "rate_limited");
  assert_true(n > 0 && n <= LIMITS[LIMIT_JOINS_ADDRESS].burst);
  join_text(&k->guest, "ann", text);
  expect(k, open_conn(k, false), 1, text, "rate_limited");
  comes_from(k, 10);
  assert_string_equal(probe(k, open_conn(k, false), by_link("den"), code), "ok");
  kit_free(k);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_goes_with_the_join),
      cmocka_unit_test(test_who_may),
      cmocka_unit_test(test_old_links_are_no_strikes),
      cmocka_unit_test(test_as_often_as_joins),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
