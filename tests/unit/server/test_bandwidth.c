/* What a person wishes his line to carry reaches the media thread and stays his seat's; what he gets is told
 * when it changes, and to who comes back. */
#include "tests/unit/server/control_kit.h"

#define WISH(id, params)                                                                                     \
  "{\"jsonrpc\":\"2.0\",\"id\":" #id ",\"method\":\"media.bandwidth\",\"params\":" params "}"

static void what_is_taken(void **state) {
  static const char *const BAD[] = {"{}",
                                    "{\"kbps\":5}",
                                    "{\"kbps\":1001}",
                                    "{\"kbps\":-1}",
                                    "{\"kbps\":\"12\"}",
                                    "{\"kbps\":null}",
                                    "{\"kbps\":4294967308}",
                                    "{\"kbps\":12,\"more\":1}"};
  (void)state;
  struct kit *k = kit_make(NULL);
  uint32_t out = open_conn(k, false);
  expect(k, out, 2, WISH(2, "{\"kbps\":12}"), "not_joined");
  (void)join(k, &k->host, "ann");
  uint32_t bob = join_with_sound(k, "bob");
  assert_int_equal(k->last.kbps, 0);
  for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
    char text[160];
    snprintf(text, sizeof text, "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"media.bandwidth\",\"params\":%s}",
             BAD[i]);
    k->n_cmds = 0;
    tick(k, US_PER_S);
    char got[48];
    say(k, bob, text);
    if (strcmp(code_of(answer(k, bob, 3), got), err_code(ERR_BAD_ARG)) != 0)
      fail_msg("%s: %s", text, got);
    assert_int_equal(k->n_cmds, 0);
  }
  expect(k, bob, 4, WISH(4, "{\"kbps\":12}"), "ok");
  assert_true(k->last.kind == MEDIA_PEER_SET && k->last.kbps == 12 && k->last.may_hear);
  k->n_cmds = 0;
  expect(k, bob, 5, WISH(5, "{\"kbps\":12}"), "ok"); /* as before: the media thread hears nothing */
  assert_int_equal(k->n_cmds, 0);
  expect(k, bob, 6, WISH(6, "{\"kbps\":0}"), "ok");
  assert_int_equal(k->last.kbps, 0);
  kit_free(k);
}

/* The wish is there before the path is, and outlives it. */
static void it_is_the_seats(void **state) {
  (void)state;
  struct kit *k = kit_make(NULL);
  (void)join(k, &k->host, "ann");
  uint32_t bob = join(k, &k->guest, "bob"); /* without sound */
  expect(k, bob, 2, WISH(2, "{\"kbps\":20}"), "ok");
  static const uint8_t FINGERPRINT[32] = {1};
  struct sdp_local me = {
      .ufrag = "abcd", .pwd = "passwordof24letters00000", .fingerprint = FINGERPRINT, .ssrc = 5};
  for (int i = 3; i < 5; i++) {
    char *offer = sdp_write_offer(&me),
         *text = rpc_request(i, "room.media", json_pack("{s:s}", "sdp", offer));
    expect(k, bob, i, text, "ok");
    assert_true(k->last.kind == MEDIA_PEER_ADD && k->last.kbps == 20);
    free(text);
    free(offer);
  }
  kit_free(k);
}

/* The notifications of a tier that wait: how many; the last one's name and copies. */
static int tiers(struct kit *k, uint32_t conn, char name[16], int *copies) {
  int n = 0;
  for (json_t *o; (o = next(k, conn));) {
    const json_t *p = json_object_get(o, "params");
    if (strcmp(json_str(o, "method", ""), "media") == 0 && strcmp(json_str(p, "state", ""), "tier") == 0) {
      n++;
      snprintf(name, 16, "%s", json_str(p, "tier", ""));
      *copies = (int)json_int(p, "copies", -1);
    }
    json_decref(o);
  }
  return n;
}

static void event(struct kit *k, int kind, uint32_t peer, enum media_tier tier, uint8_t copies) {
  struct media_event ev = {.kind = (unsigned)kind, .peer = peer, .tier = tier, .copies = copies};
  tick(k, US_PER_S);
  control_media_event(k->c, 0, &ev);
  control_commit(k->c);
}

static void what_he_gets_is_told(void **state) {
  (void)state;
  struct kit *k = kit_make(NULL);
  char name[16];
  int copies;
  uint32_t ann = join(k, &k->host, "ann"), bob = join_with_sound(k, "bob"), peer = k->last.peer;
  drain(k, ann);
  drain(k, bob);
  event(k, MEDIA_STATS, peer, TIER_FULL, 0);
  assert_int_equal(tiers(k, bob, name, &copies), 0); /* that is what everyone begins with */
  event(k, MEDIA_TIER, peer, TIER_LOW, 1);
  event(k, MEDIA_STATS, peer, TIER_LOW, 1);
  assert_int_equal(tiers(k, bob, name, &copies), 1);
  assert_string_equal(name, "low");
  assert_int_equal(copies, 1);
  event(k, MEDIA_TIER, peer, TIER_FULL, 0);
  assert_int_equal(tiers(k, bob, name, &copies), 1);
  assert_string_equal(name, "full");
  assert_int_equal(tiers(k, ann, name, &copies), 0); /* others are not told */
  event(k, MEDIA_TIER, peer + 77, TIER_MIN, 0);      /* of a path that is gone */
  assert_int_equal(tiers(k, bob, name, &copies), 0);
  kit_free(k);
}

static void who_comes_back_is_told(void **state) {
  (void)state;
  struct kit *k = kit_make(NULL);
  char name[16], text[512];
  int copies;
  uint32_t bob = join_with_sound(k, "bob"), peer = k->last.peer;
  (void)bob;
  uint32_t eve = open_conn(k, false);
  join_text(&k->guest, "eve", text);
  say(k, eve, text);
  json_t *o = answer(k, eve, 1);
  char resume[64];
  snprintf(resume, sizeof resume, "%s", json_str(json_object_get(o, "result"), "resume", ""));
  json_decref(o);
  char *offer = sdp_write_offer(&(struct sdp_local){
      .ufrag = "abcd", .pwd = "passwordof24letters00000", .fingerprint = (const uint8_t[32]){1}, .ssrc = 9});
  char *media = rpc_request(2, "room.media", json_pack("{s:s}", "sdp", offer));
  expect(k, eve, 2, media, "ok");
  peer = k->last.peer;
  event(k, MEDIA_TIER, peer, TIER_MIN, 0);
  assert_int_equal(tiers(k, eve, name, &copies), 1);
  control_closed(k->c, eve);
  event(k, MEDIA_TIER, peer, TIER_FULL, 0); /* nobody hears it */
  uint32_t back = open_conn(k, false);
  snprintf(text, sizeof text,
           "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"room.join\",\"params\":{\"room\":\"den\",\"resume\":"
           "\"%s\"}}",
           resume);
  expect(k, back, 1, text, "ok");
  event(k, MEDIA_STATS, peer, TIER_FULL, 0);
  event(k, MEDIA_STATS, peer, TIER_FULL, 0);
  assert_int_equal(tiers(k, back, name, &copies), 1);
  assert_string_equal(name, "full");
  free(media);
  free(offer);
  kit_free(k);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_taken), cmocka_unit_test(it_is_the_seats),
                                     cmocka_unit_test(what_he_gets_is_told),
                                     cmocka_unit_test(who_comes_back_is_told)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
