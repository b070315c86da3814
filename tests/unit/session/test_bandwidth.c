/* The person's wish about his line: told to the server where it may have forgotten it, obeyed by his own
 * voice at once; and what the server says it sends him. */
#include "core/media/cert.h"
#include "core/media/ladder.h"
#include "core/session/session.h"
#include "core/wire/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW (100 * US_PER_S)
#define ROOM                                                                                                 \
  "\"state\":\"joined\",\"me\":2,\"resume\":\"ticket\",\"room\":{\"room\":\"den\",\"seq\":9,\"members\":[{"  \
  "\"id\":1,\"role\":\"owner\",\"name\":\"ann\",\"floor\":true},{\"id\":2,\"role\":\"speaker\",\"name\":"    \
  "\"bob\",\"floor\":true}]}"

struct kit {
  struct session *s;
  struct cert cert;
  struct dtls_ctx *dtls;
  struct rng rng;
  us_t now;
  struct ice_events ice;
  char *sent[16]; /* the last messages */
  size_t n_sent;
  unsigned voices;
  struct session_voice voice;
  struct client_link link;
};

/* ---- an agent that has gathered at once and never finds a pair ---- */

static struct ice *ice_create(void *env, const struct ice_events *ev, const struct ice_relays *relays) {
  (void)relays;
  struct kit *k = env;
  k->ice = *ev;
  ev->gathered(ev->ctx, k->now);
  return env;
}
static size_t ice_local(struct ice *i, char ufrag[257], char pwd[257], struct sdp_candidate *out,
                        size_t max) {
  (void)i, (void)out, (void)max;
  snprintf(ufrag, 257, "ufra");
  snprintf(pwd, 257, "passwordpasswordpassword");
  return 0;
}
static void ice_remote(struct ice *i, const struct sdp *answer) {
  (void)i, (void)answer;
}
static void ice_send(struct ice *i, const uint8_t *p, size_t n) {
  (void)i, (void)p, (void)n;
}
static void ice_destroy(struct ice *i) {
  (void)i;
}

/* ---- the session's doors ---- */

static void on_nothing(void *ctx) {
  (void)ctx;
}
static void on_send(void *ctx, char *text) {
  struct kit *k = ctx;
  assert_true(k->n_sent < sizeof k->sent / sizeof k->sent[0]);
  k->sent[k->n_sent++] = text;
}
static void on_event(void *ctx, struct client_event *ev) {
  struct kit *k = ctx;
  if (ev->kind == CLIENT_EV_LINK)
    k->link = ev->link;
  client_event_free(ev);
}
static void on_audio(void *ctx, const struct rtp *h) {
  (void)ctx, (void)h;
}
static void on_copy(void *ctx, const struct rtp *h, uint32_t offset) {
  (void)ctx, (void)h, (void)offset;
}
static void on_gate(void *ctx, bool open) {
  (void)ctx, (void)open;
}
static void on_voice(void *ctx, const struct session_voice *v) {
  struct kit *k = ctx;
  k->voice = *v;
  k->voices++;
}

static void forget(struct kit *k) {
  while (k->n_sent)
    free(k->sent[--k->n_sent]);
}

static void server(struct kit *k, const char *text) {
  session_message(k->s, k->now, text, strlen(text));
}

/* The wishes among what was sent: how many, and the last; -1: none. */
static int wishes(const struct kit *k, json_int_t *last) {
  int n = 0;
  *last = -1;
  for (size_t i = 0; i < k->n_sent; i++) {
    json_t *o = json_loads(k->sent[i], 0, NULL);
    if (strcmp(json_str(o, "method", ""), "media.bandwidth") == 0) {
      n++;
      *last = json_int(json_object_get(o, "params"), "kbps", -2);
    }
    json_decref(o);
  }
  return n;
}

/* The server's answer to the offer that was sent; `red` as it takes it or not. */
static json_t *answer_to(const struct kit *k, bool red) {
  struct sdp offer;
  json_t *o = json_loads(k->sent[k->n_sent - 1], 0, NULL);
  const char *text = json_str(json_object_get(o, "params"), "sdp", NULL);
  assert_non_null(text);
  assert_int_equal(sdp_parse(text, strlen(text), &offer, NULL), ERR_OK);
  if (!red)
    offer.red_pt = 255;
  uint8_t fingerprint[32] = {1};
  struct sdp_candidate c = {.line = "candidate:1 1 udp 1 127.0.0.1 9 typ host", .address = "127.0.0.1"};
  c.port = 9;
  struct sdp_local me = {.ufrag = "serv",
                         .pwd = "passwordpasswordpassword",
                         .fingerprint = fingerprint,
                         .ssrc = 7,
                         .cand = &c,
                         .n_cand = 1,
                         .lite = true};
  char *sdp = sdp_write_answer(&offer, &me);
  json_t *r = json_pack("{s:s}", "sdp", sdp);
  free(sdp);
  json_decref(o);
  return r;
}

static void join(struct kit *k, bool sound) {
  json_t *a = sound ? answer_to(k, true) : json_object();
  json_t *o = json_loads(k->sent[k->n_sent - 1], 0, NULL);
  char *text = NULL;
  char *sdp = json_dumps(json_object_get(a, "sdp"), JSON_ENCODE_ANY);
  if (asprintf(&text, "{\"jsonrpc\":\"2.0\",\"id\":%d,\"result\":{" ROOM "%s%s}}", (int)json_int(o, "id", 0),
               sdp ? ",\"sdp\":" : "", sdp ? sdp : "") < 0)
    abort();
  forget(k);
  server(k, text);
  assert_int_equal(session_state(k->s), CLIENT_JOINED);
  free(text);
  free(sdp);
  json_decref(a);
  json_decref(o);
}

static struct kit *kit_make(unsigned kbps, bool sound) {
  struct kit *k = calloc(1, sizeof *k);
  assert_non_null(k);
  rng_seed(&k->rng, 3);
  k->now = NOW;
  assert_int_equal(cert_make("peer.example", 2, &k->cert), ERR_OK);
  k->dtls = dtls_ctx_create(&k->cert, false);
  struct session_config c = {.ice = {ice_create, ice_local, ice_remote, ice_send, NULL, ice_destroy, k},
                             .no_audio = !sound,
                             .kbps = kbps,
                             .rng = &k->rng,
                             .dtls = k->dtls,
                             .connect = on_nothing,
                             .disconnect = on_nothing,
                             .send = on_send,
                             .event = on_event,
                             .audio = on_audio,
                             .copy = on_copy,
                             .gate = on_gate,
                             .voice = on_voice,
                             .ctx = k};
  snprintf(c.link.room, sizeof c.link.room, "den");
  snprintf(c.name, sizeof c.name, "bob");
  k->s = session_create(&c);
  assert_non_null(k->s);
  session_start(k->s, k->now);
  session_connected(k->s, k->now, NULL);
  return k;
}

static void kit_free(struct kit *k) {
  session_destroy(k->s);
  forget(k);
  dtls_ctx_destroy(k->dtls);
  cert_free(&k->cert);
  free(k);
}

/* His connection was lost; it is back, and he is not in the room yet. */
static void connect_again(struct kit *k) {
  k->now += 10 * US_PER_S;
  session_tick(k->s, k->now);
  session_connected(k->s, k->now, NULL);
}

/* ---- tests ---- */

static void told_on_joining_and_again_on_coming_back(void **state) {
  (void)state;
  json_int_t kbps;
  struct kit *k = kit_make(12, true);
  assert_int_equal(wishes(k, &kbps), 0); /* there is no seat yet */
  join(k, true);
  assert_int_equal(wishes(k, &kbps), 1);
  assert_int_equal(kbps, 12);
  assert_int_equal(k->voice.ptime_ms, 120); /* his own voice follows without being asked */
  assert_true(k->voice.hush && k->voice.bitrate <= 7000);
  for (int i = 0; i < 2; i++) {
    session_closed(k->s, k->now, ERR_CONNECT);
    forget(k);
    connect_again(k);
    assert_int_equal(wishes(k, &kbps), 0);
    join(k, false);
    assert_int_equal(wishes(k, &kbps), 1);
    assert_int_equal(kbps, 12);
  }
  kit_free(k);
}

static void changed_in_the_call(void **state) {
  (void)state;
  json_int_t kbps;
  struct kit *k = kit_make(0, true);
  join(k, true);
  assert_int_equal(wishes(k, &kbps), 0); /* automatic is what the server does by itself */
  assert_int_equal(k->voice.ptime_ms, 20);
  assert_false(k->voice.hush);
  forget(k);
  session_bandwidth(k->s, k->now, 20);
  assert_int_equal(wishes(k, &kbps), 1);
  assert_int_equal(kbps, 20);
  assert_int_equal(k->voice.ptime_ms, 60);
  assert_int_equal(k->link.limit_kbps, 20);
  forget(k);
  session_bandwidth(k->s, k->now, 0);
  assert_int_equal(wishes(k, &kbps), 1);
  assert_int_equal(kbps, 0);
  assert_int_equal(k->link.limit_kbps, 0);
  kit_free(k);
}

/* What was wished while nobody listened is told when somebody does. */
static void wished_while_away(void **state) {
  (void)state;
  json_int_t kbps;
  struct kit *k = kit_make(12, true);
  join(k, true);
  session_closed(k->s, k->now, ERR_CONNECT);
  forget(k);
  session_bandwidth(k->s, k->now, 0);
  assert_int_equal(wishes(k, &kbps), 0);
  connect_again(k);
  join(k, false);
  assert_int_equal(wishes(k, &kbps), 1);
  assert_int_equal(kbps, 0);
  kit_free(k);
}

/* Nobody knows whether what was said last before the line broke was heard. */
static void the_last_wish_may_have_been_lost(void **state) {
  (void)state;
  json_int_t kbps;
  struct kit *k = kit_make(12, true);
  join(k, true);
  session_bandwidth(k->s, k->now, 0);
  session_closed(k->s, k->now, ERR_CONNECT);
  forget(k);
  connect_again(k);
  join(k, false);
  assert_int_equal(wishes(k, &kbps), 1);
  assert_int_equal(kbps, 0);
  kit_free(k);
}

static void less_than_speech_takes(void **state) {
  (void)state;
  assert_int_equal(tier_info(TIER_MIN)->wire_kbps, CLIENT_KBPS_SPEECH);
  struct kit *k = kit_make(CLIENT_KBPS_MIN, true);
  join(k, true);
  assert_int_equal(k->voice.ptime_ms, 120);
  assert_true(k->voice.bitrate >= 6000);
  kit_free(k);
}

static void who_only_moderates_has_no_line(void **state) {
  (void)state;
  json_int_t kbps;
  struct kit *k = kit_make(12, false);
  join(k, false);
  session_bandwidth(k->s, k->now, 20);
  assert_int_equal(wishes(k, &kbps), 0);
  assert_int_equal(k->voices, 0);
  kit_free(k);
}

#define MEDIA(body) "{\"jsonrpc\":\"2.0\",\"method\":\"media\",\"params\":" body "}"
static void what_the_server_sends(void **state) {
  (void)state;
  struct kit *k = kit_make(0, true);
  join(k, true);
  server(k, MEDIA("{\"state\":\"tier\",\"tier\":\"low\",\"copies\":2}"));
  assert_string_equal(k->link.tier_down, "low");
  assert_int_equal(k->link.copies_down, 2);
  assert_string_equal(k->link.tier_up, "full");
  server(k, MEDIA("{\"state\":\"tier\",\"tier\":\"splendid\",\"copies\":1}")); /* of a later server */
  assert_string_equal(k->link.tier_down, "low");
  server(k, MEDIA("{\"state\":\"tier\",\"tier\":\"min\",\"copies\":-1}"));
  assert_string_equal(k->link.tier_down, "min");
  assert_int_equal(k->link.copies_down, 0);
  server(k, MEDIA("{\"state\":\"tier\",\"tier\":\"full\",\"copies\":99999999}"));
  assert_string_equal(k->link.tier_down, "full");
  assert_int_equal(k->link.copies_down, 0);
  server(k, MEDIA("{\"state\":\"tier\",\"tier\":7}"));
  server(k, MEDIA("{\"state\":\"tier\"}"));
  assert_string_equal(k->link.tier_down, "full");
  kit_free(k);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(told_on_joining_and_again_on_coming_back),
                                     cmocka_unit_test(changed_in_the_call),
                                     cmocka_unit_test(wished_while_away),
                                     cmocka_unit_test(the_last_wish_may_have_been_lost),
                                     cmocka_unit_test(less_than_speech_takes),
                                     cmocka_unit_test(who_only_moderates_has_no_line),
                                     cmocka_unit_test(what_the_server_sends)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
