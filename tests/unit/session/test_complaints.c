/* What hosts of other systems complain of, as far as the client's engine answers for it: docs/complaints.md.
 */
#include "core/session/session.h"
#include "core/wire/json.h"
#include "core/wire/room_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW (100 * US_PER_S)

struct kit {
  struct session *s;
  struct rng rng;
  us_t now;
  unsigned connects, requests;
  bool gate;
  char sent[2048];
  enum client_state state;
  enum err why;
};

static void on_connect(void *ctx) {
  ((struct kit *)ctx)->connects++;
}
static void on_disconnect(void *ctx) {
  (void)ctx;
}
static void on_send(void *ctx, char *text) {
  struct kit *k = ctx;
  k->requests++;
  snprintf(k->sent, sizeof k->sent, "%s", text);
  free(text);
}
static void on_event(void *ctx, struct client_event *ev) {
  struct kit *k = ctx;
  if (ev->kind == CLIENT_EV_STATE) {
    k->state = ev->state;
    k->why = ev->why;
  }
  client_event_free(ev);
}
static void on_audio(void *ctx, const struct rtp *h) {
  (void)ctx, (void)h;
}
static struct ice *no_ice(void *env, const struct ice_events *ev, const struct ice_relays *relays) {
  (void)env, (void)ev, (void)relays;
  return NULL;
}
static void on_voice(void *ctx, const struct session_voice *v) {
  (void)ctx, (void)v;
}
static void on_gate(void *ctx, bool open) {
  ((struct kit *)ctx)->gate = open;
}

static void server(struct kit *k, const char *text) {
  session_message(k->s, k->now, text, strlen(text));
}

/* Bob, a speaker, inside; his own button is as `mic_open` says. */
static struct kit *kit_joined(bool mic_open) {
  struct kit *k = calloc(1, sizeof *k);
  assert_non_null(k);
  rng_seed(&k->rng, 3);
  k->now = NOW;
  struct session_config c = {.ice = {.create = no_ice},
                             .mic_open = mic_open,
                             .has_input = true,
                             .rng = &k->rng,
                             .connect = on_connect,
                             .disconnect = on_disconnect,
                             .send = on_send,
                             .event = on_event,
                             .audio = on_audio,
                             .gate = on_gate,
                             .voice = on_voice,
                             .ctx = k};
  snprintf(c.link.room, sizeof c.link.room, "den");
  snprintf(c.name, sizeof c.name, "bob");
  k->s = session_create(&c);
  assert_non_null(k->s);
  session_start(k->s, k->now);
  session_connected(k->s, k->now, NULL);
  server(k, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"state\":\"joined\",\"me\":2,\"resume\":\"ticket\","
            "\"room\":{\"room\":\"den\",\"seq\":9,\"members\":[{\"id\":1,\"role\":\"owner\",\"name\":\"ann\","
            "\"floor\":true},{\"id\":2,\"role\":\"speaker\",\"name\":\"bob\",\"floor\":true}]}}}");
  assert_int_equal(k->state, CLIENT_JOINED);
  return k;
}

static void kit_free(struct kit *k) {
  session_destroy(k->s);
  free(k);
}

static void wait_10_minutes(struct kit *k) {
  for (int s = 0; s < 600; s++) {
    k->now += US_PER_S;
    session_tick(k->s, k->now);
  }
}

static void complaint_03_who_was_put_out_does_not_come_back_by_itself(void **state) {
  static const struct {
    const char *code;
    enum err why;
  } BYE[] = {{"removed", ERR_REMOVED},       {"banned", ERR_REMOVED},    {"denied", ERR_DENIED},
             {"room_ended", ERR_ROOM_ENDED}, {"replaced", ERR_REPLACED}, {"cannot_resume", ERR_NO_RESUME}};
  (void)state;
  for (size_t i = 0; i < sizeof BYE / sizeof BYE[0]; i++) {
    struct kit *k = kit_joined(false);
    char text[200];
    snprintf(text, sizeof text,
             "{\"jsonrpc\":\"2.0\",\"method\":\"bye\",\"params\":{\"code\":\"%s\",\"text\":\"enough\"}}",
             BYE[i].code);
    unsigned connects = k->connects, requests = k->requests;
    server(k, text);
    assert_int_equal(k->state, CLIENT_ENDED);
    assert_int_equal(k->why, BYE[i].why);
    session_closed(k->s, k->now, ERR_CONNECT);
    wait_10_minutes(k);
    session_network_changed(k->s, k->now);
    wait_10_minutes(k);
    assert_int_equal(k->connects, connects);
    assert_int_equal(k->requests, requests);
    kit_free(k);
  }
}

static void complaint_06_a_lost_line_is_taken_up_with_the_ticket(void **state) {
  struct kit *k = kit_joined(false);
  (void)state;
  unsigned connects = k->connects;
  session_closed(k->s, k->now, ERR_CONNECT);
  assert_int_equal(k->state, CLIENT_RECONNECTING);
  for (int s = 0; s < 60 && k->connects == connects; s++) {
    k->now += US_PER_S;
    session_tick(k->s, k->now);
  }
  assert_true(k->connects > connects);
  session_connected(k->s, k->now, NULL);
  assert_non_null(strstr(k->sent, "\"resume\":\"ticket\""));
  assert_null(strstr(k->sent, "\"name\"")); /* as himself, not as somebody new */
  kit_free(k);
}

static void event(struct kit *k, enum room_ev kind, bool on_him, int64_t num) {
  uint32_t bob = 2;
  struct room_event ev = {
      .seq = session_room(k->s)->seq + 1, .kind = kind, .actor = 1, .ts_ms = 1, .num = num};
  ev.group = ev.seq;
  ev.targets = &bob;
  ev.n_targets = on_him;
  json_t *body = room_event_to_wire(&ev);
  json_object_set_new(body, "room", json_string("den"));
  char *text = rpc_notify("event", body);
  server(k, text);
  free(text);
  assert_int_equal(session_room(k->s)->seq, ev.seq); /* it was understood */
}

/* Whatever the server says, the microphone opens only when its owner wants it open. */
static void complaint_12_the_server_cannot_open_the_microphone(void **state) {
  (void)state;
  struct kit *k = kit_joined(false);
  event(k, ROOM_EV_MUTED, true, 0);
  event(k, ROOM_EV_ASKED, true, 0);
  event(k, ROOM_EV_UNMUTED, true, 0);
  event(k, ROOM_EV_FLOOR, true, 1);
  event(k, ROOM_EV_MUTE_ALL, false, 1);
  event(k, ROOM_EV_MUTE_ALL, false, 0);
  assert_true(room_may_send(session_room(k->s), 2)); /* he could speak now */
  assert_false(k->gate);
  session_gate(k->s, k->now, true); /* his own doing */
  assert_true(k->gate);
  event(k, ROOM_EV_MUTED, true, 0);
  assert_false(k->gate); /* closing it, though, takes effect at once */
  kit_free(k);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(complaint_03_who_was_put_out_does_not_come_back_by_itself),
      cmocka_unit_test(complaint_06_a_lost_line_is_taken_up_with_the_ticket),
      cmocka_unit_test(complaint_12_the_server_cannot_open_the_microphone),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
