/* The client's state machine without sound, against a server written by hand. */
#include "core/session/session.h"
#include "core/wire/json.h"

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
  struct session_config cfg;
  char sent[4096]; /* the last request */
  struct client_event ev[32];
  size_t n, at;
};

static void on_nothing(void *ctx) {
  (void)ctx;
}
static void on_send(void *ctx, char *text) {
  struct kit *k = ctx;
  snprintf(k->sent, sizeof k->sent, "%s", text);
  free(text);
}
static void on_event(void *ctx, struct client_event *ev) {
  struct kit *k = ctx;
  assert_true(k->n < sizeof k->ev / sizeof k->ev[0]);
  k->ev[k->n++] = *ev;
}
static void on_audio(void *ctx, const struct rtp *h) {
  (void)ctx, (void)h;
}
static void on_voice(void *ctx, const struct session_voice *v) {
  (void)ctx, (void)v;
}
static void on_gate(void *ctx, bool open) {
  (void)ctx, (void)open;
}

static void forget(struct kit *k) {
  for (size_t i = 0; i < k->n; i++)
    client_event_free(&k->ev[i]);
  k->n = k->at = 0;
}

/* The next event of that kind; the test fails when there is none. */
static struct client_event *event(struct kit *k, int kind) {
  while (k->at < k->n)
    if ((int)k->ev[k->at++].kind == kind)
      return &k->ev[k->at - 1];
  fail_msg("no event of kind %d", kind);
  return NULL;
}

static void server(struct kit *k, const char *text) {
  forget(k);
  session_message(k->s, NOW, text, strlen(text));
}

static json_int_t sent_id(const struct kit *k) {
  json_t *o = json_loads(k->sent, 0, NULL);
  json_int_t id = json_int(o, "id", 0);
  json_decref(o);
  return id;
}

#define ROOM                                                                                                 \
  "{\"room\":\"den\",\"seq\":9,\"members\":[{\"id\":1,\"role\":\"owner\",\"name\":\"ann\",\"floor\":true},"  \
  "{\"id\":2,\"role\":\"speaker\",\"name\":\"bob\",\"floor\":true}],\"chat\":[{\"id\":8,\"chat\":"           \
  "\"public\","                                                                                              \
  "\"from\":1,\"name\":\"ann\",\"text\":\"eight\"}]}"

static struct kit *kit_make(const char *password) {
  struct kit *k = calloc(1, sizeof *k);
  assert_non_null(k);
  rng_seed(&k->rng, 1);
  k->cfg = (struct session_config){.no_audio = true,
                                   .password = password,
                                   .rng = &k->rng,
                                   .connect = on_nothing,
                                   .disconnect = on_nothing,
                                   .send = on_send,
                                   .event = on_event,
                                   .audio = on_audio,
                                   .gate = on_gate,
                                   .voice = on_voice,
                                   .ctx = k};
  snprintf(k->cfg.link.room, sizeof k->cfg.link.room, "den");
  snprintf(k->cfg.name, sizeof k->cfg.name, "bob");
  k->s = session_create(&k->cfg);
  assert_non_null(k->s);
  session_start(k->s, NOW);
  session_connected(k->s, NOW, NULL);
  return k;
}

static struct kit *kit_joined(void) {
  struct kit *k = kit_make(NULL);
  server(k, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"state\":\"joined\",\"me\":2,\"resume\":\"r\","
            "\"room\":" ROOM "}}");
  assert_int_equal(session_state(k->s), CLIENT_JOINED);
  return k;
}

static void kit_free(struct kit *k) {
  session_destroy(k->s);
  forget(k);
  free(k);
}

/* More come than the server can take at once: he tries again when it said, and not with all the others. */
static void test_come_again_later(void **state) {
  (void)state;
  us_t first = 0;
  for (unsigned seed = 1; seed <= 8; seed++) {
    struct kit *k = kit_make(NULL);
    rng_seed(&k->rng, seed);
    server(k, "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32000,\"message\":\"m\",\"data\":{\"code\":"
              "\"try_later\",\"retry_ms\":8000}}}");
    session_closed(k->s, NOW, ERR_OK);
    us_t at = session_next_timeout(k->s);
    assert_in_range(at, NOW + 4 * US_PER_S, NOW + 12 * US_PER_S);
    assert_true(seed == 1 || at != first);
    first = at;
    session_tick(k->s, at);
    session_connected(k->s, at, NULL);
    assert_non_null(strstr(k->sent, "room.join"));
    kit_free(k);
  }
}

/* However often he is asked to: he gives up when nobody answers, and he never waits for a year. */
static void test_who_is_asked_to_wait_does_not_give_up(void **state) {
  struct kit *k = kit_make(NULL);
  us_t now = NOW;
  char text[300];
  (void)state;
  for (int i = 1; i <= 60; i++) {
    snprintf(text, sizeof text,
             "{\"jsonrpc\":\"2.0\",\"id\":%d,\"error\":{\"code\":-32000,\"message\":\"m\",\"data\":{\"code\":"
             "\"try_later\",\"retry_ms\":%d}}}",
             i, i < 60 ? 1500 : INT_MAX);
    forget(k);
    session_message(k->s, now, text, strlen(text));
    session_closed(k->s, now, ERR_OK);
    assert_in_range(session_next_timeout(k->s), now, now + 90 * US_PER_S);
    now = session_next_timeout(k->s);
    session_tick(k->s, now);
    assert_int_equal(session_state(k->s), CLIENT_CONNECTING);
    session_connected(k->s, now, NULL);
  }
  session_closed(k->s, now, ERR_CONNECT);
  for (int i = 0; i < 1000 && session_state(k->s) == CLIENT_CONNECTING; i++) {
    now = session_next_timeout(k->s);
    session_tick(k->s, now);
    session_closed(k->s, now, ERR_CONNECT);
  }
  assert_int_equal(session_state(k->s), CLIENT_ENDED);
  kit_free(k);
}

/* What a server that goes down says of when to come again is no more than a wish. */
static void test_the_time_to_come_again_has_bounds(void **state) {
  static const char *const WISHES[] = {"-9007199254740991", "-1", "0", "9007199254740991"};
  (void)state;
  for (size_t i = 0; i < sizeof WISHES / sizeof WISHES[0]; i++) {
    struct kit *k = kit_joined();
    char text[200];
    snprintf(text, sizeof text,
             "{\"jsonrpc\":\"2.0\",\"method\":\"bye\",\"params\":{\"code\":\"try_later\",\"retry_ms\":%s}}",
             WISHES[i]);
    server(k, text);
    session_closed(k->s, NOW, ERR_OK);
    assert_in_range(session_next_timeout(k->s), NOW, NOW + 90 * US_PER_S);
    kit_free(k);
  }
}

/* A line that breaks again and again: the server lets nobody resume without end, and the seat is still his.
 */
static void test_too_many_resumes_are_no_end(void **state) {
  struct kit *k = kit_joined();
  (void)state;
  session_closed(k->s, NOW, ERR_CONNECT);
  session_connected(k->s, NOW, NULL);
  const char *id = strstr(k->sent, "\"id\":");
  char text[200];
  assert_non_null(id);
  snprintf(text, sizeof text,
           "{\"jsonrpc\":\"2.0\",\"id\":%d,\"error\":{\"code\":-32000,\"message\":\"m\",\"data\":{\"code\":"
           "\"rate_limited\"}}}",
           (int)strtol(id + 5, NULL, 10));
  server(k, text);
  assert_int_equal(session_state(k->s), CLIENT_RECONNECTING);
  session_closed(k->s, NOW, ERR_OK);
  assert_int_equal(session_state(k->s), CLIENT_RECONNECTING);
  session_connected(k->s, NOW, NULL);
  assert_non_null(strstr(k->sent, "\"resume\":\"r\""));
  kit_free(k);
}

static void test_password_goes_with_the_first_join_only(void **state) {
  struct kit *k = kit_make("open sesame");
  (void)state;
  assert_non_null(strstr(k->sent, "\"password\":\"open sesame\""));
  server(k, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"state\":\"joined\",\"me\":2,\"resume\":\"r\","
            "\"room\":" ROOM "}}");
  session_closed(k->s, NOW, ERR_CONNECT);
  session_connected(k->s, NOW, NULL);
  assert_non_null(strstr(k->sent, "\"resume\":\"r\""));
  assert_null(strstr(k->sent, "password"));
  kit_free(k);
  k = kit_make(NULL);
  assert_null(strstr(k->sent, "password"));
  server(k, "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32000,\"message\":\"m\",\"data\":{\"code\":"
            "\"password_needed\"}}}");
  assert_int_equal(event(k, CLIENT_EV_STATE)->why, ERR_NEED_PASSWORD);
  assert_int_equal(session_state(k->s), CLIENT_ENDED);
  kit_free(k);
}

static void test_held(void **state) {
  struct kit *k = kit_joined();
  (void)state;
  server(k, "{\"jsonrpc\":\"2.0\",\"method\":\"lobby\",\"params\":{\"place\":1,\"waiting\":3,\"held\":true,"
            "\"by\":\"ann\",\"text\":\"one moment\"}}");
  struct client_event *ev = event(k, CLIENT_EV_STATE);
  assert_int_equal(ev->state, CLIENT_LOBBY);
  assert_int_equal(ev->place, 1);
  assert_int_equal(ev->waiting, 3);
  assert_string_equal(ev->text, "ann put you back into the lobby: one moment");
  assert_string_equal(event(k, CLIENT_EV_NOTICE)->text, "ann put you back into the lobby: one moment");
  assert_int_equal(session_room(k->s)->n_members, 0); /* nothing of the room stays */
  assert_int_equal(session_room(k->s)->n_chat, 0);
  server(k, "{\"jsonrpc\":\"2.0\",\"method\":\"lobby\",\"params\":{\"place\":2,\"waiting\":3}}");
  assert_string_equal(event(k, CLIENT_EV_STATE)->text, "");
  server(k, "{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{\"seq\":12,\"ts\":1,\"kind\":\"chat."
            "sent\",\"actor\":1,\"chat\":\"lobby\",\"text\":\"soon\"}}");
  assert_string_equal(event(k, CLIENT_EV_NOTICE)->text, "a host writes: soon");
  server(k, "{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{\"seq\":13,\"ts\":1,\"kind\":\"room."
            "topic\",\"actor\":1,\"text\":\"x\"}}");
  assert_int_equal(k->n, 0);
  struct room_cmd cmd = {.act = ACT_HAND};
  session_act(k->s, NOW, 5, &cmd);
  assert_int_equal(event(k, CLIENT_EV_REPLY)->why, ERR_IN_LOBBY);
  server(k, "{\"jsonrpc\":\"2.0\",\"method\":\"admitted\",\"params\":{\"room\":" ROOM "}}");
  assert_int_equal(session_state(k->s), CLIENT_JOINED);
  assert_int_equal(event(k, CLIENT_EV_ROOM)->room->n_members, 2);
  kit_free(k);
}

static void test_held_while_the_connection_was_lost(void **state) {
  struct kit *k = kit_joined();
  (void)state;
  session_closed(k->s, NOW, ERR_CONNECT);
  session_connected(k->s, NOW, NULL);
  char text[200];
  snprintf(text, sizeof text,
           "{\"jsonrpc\":\"2.0\",\"id\":%d,\"result\":{\"state\":\"lobby\",\"me\":2,\"resume\":\"r\","
           "\"place\":1,\"waiting\":1}}",
           (int)sent_id(k));
  server(k, text);
  assert_int_equal(session_state(k->s), CLIENT_LOBBY);
  assert_int_equal(session_room(k->s)->n_members, 0);
  kit_free(k);
}

static void test_goodbyes(void **state) {
  static const struct {
    const char *params, *text;
    enum err why;
  } BYES[] = {
      {"{\"code\":\"removed\",\"text\":\"too loud\",\"by\":\"ann\"}",
       "you were removed from the room by ann: too loud", ERR_REMOVED},
      {"{\"code\":\"removed\",\"text\":\"a host removed you from the room\"}",
       "you were removed from the room by a host", ERR_REMOVED},
      {"{\"code\":\"banned\",\"text\":\"spam\",\"by\":\"ann\"}",
       "you were removed from the room and are kept out by ann: spam", ERR_REMOVED},
      {"{\"code\":\"room_ended\"}", "the room has ended", ERR_ROOM_ENDED},
  };
  (void)state;
  for (size_t i = 0; i < sizeof BYES / sizeof BYES[0]; i++) {
    struct kit *k = kit_joined();
    char text[300];
    snprintf(text, sizeof text, "{\"jsonrpc\":\"2.0\",\"method\":\"bye\",\"params\":%s}", BYES[i].params);
    server(k, text);
    struct client_event *ev = event(k, CLIENT_EV_STATE);
    assert_int_equal(ev->state, CLIENT_ENDED);
    assert_int_equal(ev->why, BYES[i].why);
    assert_string_equal(ev->text, BYES[i].text);
    kit_free(k);
  }
}

static struct client_event *act_reply(struct kit *k, uint32_t ticket, const char *result) {
  struct room_cmd cmd = {.act = ACT_HAND};
  session_act(k->s, NOW, ticket, &cmd);
  size_t n = strlen(result) + 80;
  char *text = malloc(n);
  assert_non_null(text);
  snprintf(text, n, "{\"jsonrpc\":\"2.0\",\"id\":%d,\"result\":%s}", (int)sent_id(k), result);
  server(k, text);
  free(text);
  struct client_event *ev = event(k, CLIENT_EV_REPLY);
  assert_int_equal(ev->ticket, ticket);
  assert_int_equal(ev->why, ERR_OK);
  return ev;
}

static void test_what_acts_hand_out(void **state) {
  struct kit *k = kit_joined();
  (void)state;
  assert_string_equal(act_reply(k, 1, "{\"seq\":1,\"link\":\"https://x\"}")->text, "https://x");
  assert_string_equal(act_reply(k, 2, "{\"seq\":1,\"code\":\"ABCDE23456\"}")->text, "ABCDE23456");
  assert_string_equal(act_reply(k, 3, "{\"seq\":1,\"also\":[\"eve\",\"tom\"]}")->text, "eve, tom");
  assert_string_equal(act_reply(k, 4, "{\"seq\":1,\"also\":[]}")->text, "");
  struct client_event *ev = act_reply(k, 5, "{\"seq\":1,\"csv\":\"name\\r\\nann\\r\\n\"}");
  assert_string_equal(ev->text, "name\r\nann\r\n");
  assert_null(ev->data);
  static char big[60100];
  int n = snprintf(big, sizeof big, "{\"seq\":1,\"csv\":\"");
  memset(big + n, 'x', 60000);
  snprintf(big + n + 60000, sizeof big - (size_t)n - 60000, "\"}");
  ev = act_reply(k, 6, big);
  assert_non_null(ev->data);
  assert_int_equal(strlen(ev->data), 60000);
  assert_int_equal(strlen(ev->text), sizeof ev->text - 1);
  kit_free(k);
}

/* Who missed events is sent the room again: with all that only he may know. */
static void test_repeated_room(void **state) {
  struct kit *k = kit_make(NULL);
  (void)state;
  forget(k);
  session_repeat_room(k->s); /* nothing yet */
  assert_int_equal(k->n, 0);
  server(k,
         "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"state\":\"joined\",\"me\":2,\"resume\":\"r\",\"room\":"
         "{\"room\":\"den\",\"seq\":9,\"members\":[{\"id\":1,\"role\":\"owner\",\"name\":\"ann\",\"floor\":"
         "true},"
         "{\"id\":2,\"role\":\"speaker\",\"name\":\"bob\",\"floor\":true}],\"chat\":[{\"id\":8,\"chat\":"
         "\"private\",\"from\":1,\"to\":2,\"name\":\"ann\",\"text\":\"psst\"}],\"poll\":{\"id\":7,\"by\":1,"
         "\"open\":true,\"anonymous\":true,\"text\":\"tea?\\nyes\\nno\",\"votes\":[[],[2]]}}}}");
  assert_int_equal(session_state(k->s), CLIENT_JOINED);
  forget(k);
  session_repeat_room(k->s);
  const struct client_event *ev = event(k, CLIENT_EV_ROOM);
  assert_int_equal(ev->me, 2);
  assert_int_equal(ev->room->n_members, 2);
  assert_string_equal(room_chat_by_id(ev->room, 8)->text, "psst");
  assert_int_equal(ev->room->poll.n_votes, 1);
  assert_int_equal(ev->room->poll.votes[0].member, 2);
  assert_int_equal(ev->room->poll.votes[0].answer, 2);
  kit_free(k);
}

/* ---- older messages ---- */

static void test_history(void **state) {
  struct kit *k = kit_joined();
  (void)state;
  session_history(k->s, NOW, 8);
  assert_non_null(strstr(k->sent, "\"before\":8"));
  char first[sizeof k->sent], text[700];
  memcpy(first, k->sent, sizeof first);
  session_history(k->s, NOW, 3); /* one page at a time */
  assert_string_equal(k->sent, first);
  snprintf(text, sizeof text,
           "{\"jsonrpc\":\"2.0\",\"id\":%d,\"result\":{\"more\":true,\"chat\":[{\"id\":3,\"chat\":\"public\","
           "\"from\":1,"
           "\"name\":\"ann\",\"text\":\"three\"},{\"id\":5,\"chat\":\"private\",\"from\":1,\"to\":2,\"name\":"
           "\"ann\","
           "\"text\":\"five\"}]}}",
           (int)sent_id(k));
  server(k, text);
  struct client_event *ev = event(k, CLIENT_EV_HISTORY);
  assert_int_equal(ev->why, ERR_OK);
  assert_true(ev->more);
  assert_int_equal(ev->n_chat, 2);
  struct room replica;
  room_init(&replica);
  assert_int_equal(client_history_into(&replica, ev), 2);
  assert_int_equal(client_history_into(&replica, ev), 0); /* they are there already */
  assert_int_equal(replica.n_chat, 2);
  assert_string_equal(room_chat_by_id(&replica, 5)->text, "five");
  struct room_event del = {.seq = 20, .group = 20, .kind = ROOM_EV_CHAT_DELETED, .num = 3};
  room_apply(&replica, &del);
  assert_true(room_chat_by_id(&replica, 3)->deleted);
  room_free(&replica);
  session_history(k->s, NOW, 3);
  forget(k);
  session_closed(k->s, NOW, ERR_CONNECT);
  assert_int_equal(event(k, CLIENT_EV_HISTORY)->why, ERR_AGAIN);
  kit_free(k);
}

/* Another's line: one question at a time; a refusal, nobody's line and figures out of range are no harm. */
static void test_other(void **state) {
  (void)state;
  struct kit *k = kit_joined();
  char text[400];
  session_other(k->s, NOW, 1);
  assert_non_null(strstr(k->sent, "room.quality"));
  assert_non_null(strstr(k->sent, "\"member\":1"));
  json_int_t id = sent_id(k);
  session_other(k->s, NOW, 7);
  assert_int_equal(sent_id(k), id);
  snprintf(
      text, sizeof text,
      "{\"jsonrpc\":\"2.0\",\"id\":%d,\"result\":{\"lines\":[{\"member\":1,\"tier\":\"a very long word\","
      "\"mos_up_tenths\":41,\"loss_down\":-3,\"rtt_ms\":99999999,\"kbps_up\":\"no\"}]}}",
      (int)id);
  server(k, text);
  const struct client_other *o = &event(k, CLIENT_EV_OTHER)->other;
  assert_true(o->member == 1 && o->mos_up == 41 && o->loss_down_pct == 0 && o->rtt_ms == UINT16_MAX &&
              o->kbps_up == 0);
  assert_string_equal(o->tier, "a very ");
  static const char *const ENDS[] = {
      "\"error\":{\"code\":-32000,\"message\":\"m\",\"data\":{\"code\":\"not_allowed\"}}",
      "\"result\":{\"lines\":[]}", "\"result\":{}"};
  for (size_t i = 0; i < 3; i++) {
    session_other(k->s, NOW, 1); /* the next look asks again */
    assert_true(sent_id(k) > id);
    id = sent_id(k);
    snprintf(text, sizeof text, "{\"jsonrpc\":\"2.0\",\"id\":%d,%s}", (int)id, ENDS[i]);
    server(k, text);
    for (size_t e = 0; e < k->n; e++)
      assert_true(k->ev[e].kind != CLIENT_EV_OTHER && k->ev[e].kind != CLIENT_EV_NOTICE);
  }
  session_other(k->s, NOW, 1);
  session_closed(k->s, NOW, ERR_OK); /* lost with the connection, and not asked without one */
  id = sent_id(k);
  session_other(k->s, NOW, 1);
  assert_int_equal(sent_id(k), id);
  kit_free(k);
}

static void test_history_that_is_none(void **state) {
  static const char *const BAD[] = {"{}", "{\"chat\":7}", "{\"chat\":[{\"id\":0}]}",
                                    "{\"chat\":[{\"id\":1,\"chat\":\"loud\"}]}"};
  (void)state;
  for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
    struct kit *k = kit_joined();
    char text[200];
    session_history(k->s, NOW, 8);
    snprintf(text, sizeof text, "{\"jsonrpc\":\"2.0\",\"id\":%d,\"result\":%s}", (int)sent_id(k), BAD[i]);
    server(k, text);
    struct client_event *ev = event(k, CLIENT_EV_HISTORY);
    assert_int_equal(ev->why, ERR_PROTOCOL);
    assert_int_equal(ev->n_chat, 0);
    kit_free(k);
  }
}

static struct chat message(uint64_t id) {
  return (struct chat){.id = id, .from = 1, .text = strdup("x")};
}

static void test_history_fills_up_to_the_limit(void **state) {
  struct room r;
  struct client_event ev = {.kind = CLIENT_EV_HISTORY};
  (void)state;
  room_init(&r);
  r.chat = calloc(ROOM_CHAT_KEPT, sizeof *r.chat);
  assert_non_null(r.chat);
  r.cap_chat = ROOM_CHAT_KEPT;
  for (size_t i = 0; i < ROOM_CHAT_KEPT - 2; i++)
    r.chat[r.n_chat++] = message(100 + i);
  ev.chat = calloc(5, sizeof *ev.chat);
  assert_non_null(ev.chat);
  for (size_t i = 0; i < 5; i++)
    ev.chat[ev.n_chat++] = message(97 + i); /* the last two are known */
  assert_int_equal(client_history_into(&r, &ev), 2);
  assert_int_equal(r.n_chat, ROOM_CHAT_KEPT);
  assert_int_equal(r.chat[0].id, 98);
  assert_int_equal(r.chat[1].id, 99);
  assert_int_equal(r.chat[2].id, 100);
  client_event_free(&ev);
  room_free(&r);
}

/* ---- an operator who listens ---- */

static struct kit *kit_monitor(const char *mode) {
  struct kit *k = kit_make(NULL);
  session_destroy(k->s);
  forget(k);
  k->cfg.token = "cs1_x";
  k->cfg.link.has_secret = true; /* of the link he was given: it is not his right to be there */
  snprintf(k->cfg.monitor.mode, sizeof k->cfg.monitor.mode, "%s", mode);
  snprintf(k->cfg.monitor.reason, sizeof k->cfg.monitor.reason, "complaint");
  snprintf(k->cfg.monitor.ticket, sizeof k->cfg.monitor.ticket, "T-1");
  k->cfg.monitor.minutes = 5;
  k->s = session_create(&k->cfg);
  assert_non_null(k->s);
  session_start(k->s, NOW);
  session_connected(k->s, NOW, NULL);
  return k;
}

static void test_listening_in(void **state) {
  (void)state;
  struct kit *k = kit_monitor("silent");
  json_t *o = json_loads(k->sent, 0, NULL), *p = json_object_get(o, "params"),
         *m = json_object_get(p, "monitor");
  assert_string_equal(json_str(m, "mode", ""), "silent");
  assert_string_equal(json_str(m, "reason", ""), "complaint");
  assert_string_equal(json_str(m, "ticket", ""), "T-1");
  assert_int_equal(json_int(m, "minutes", 0), 5);
  assert_string_equal(json_str(p, "token", ""), "cs1_x");
  assert_null(json_object_get(p, "invite"));
  json_decref(o);
  server(k, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"state\":\"listening\",\"me\":4294967294,"
            "\"ends_ms\":1,\"room\":" ROOM "}}");
  assert_int_equal(session_state(k->s), CLIENT_JOINED);
  assert_int_equal(event(k, CLIENT_EV_ROOM)->room->n_members, 2);
  server(k, "{\"jsonrpc\":\"2.0\",\"method\":\"bye\",\"params\":{\"code\":\"monitor_over\",\"text\":\"x\"}}");
  const struct client_event *ev = event(k, CLIENT_EV_STATE);
  assert_int_equal(ev->state, CLIENT_ENDED);
  assert_int_equal(ev->why, ERR_MONITOR_OVER);
  kit_free(k);
}

/* Who listens in silence does not begin anew by himself; who is announced has a seat to come back to. */
static void test_listening_when_the_line_breaks(void **state) {
  (void)state;
  struct kit *k = kit_monitor("silent");
  server(k, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"state\":\"listening\",\"me\":4294967294,"
            "\"ends_ms\":1,\"room\":" ROOM "}}");
  session_closed(k->s, NOW, ERR_CONNECT);
  assert_int_equal(session_state(k->s), CLIENT_ENDED);
  kit_free(k);
  k = kit_monitor("listen");
  server(k, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"state\":\"joined\",\"me\":2,\"resume\":\"r\","
            "\"room\":" ROOM "}}");
  session_closed(k->s, NOW, ERR_CONNECT);
  session_connected(k->s, NOW, NULL);
  assert_non_null(strstr(k->sent, "\"resume\":\"r\""));
  assert_null(strstr(k->sent, "monitor"));
  kit_free(k);
}

static void test_a_notice(void **state) {
  (void)state;
  struct kit *k = kit_joined();
  server(k,
         "{\"jsonrpc\":\"2.0\",\"method\":\"notice\",\"params\":{\"code\":\"monitored\",\"text\":\"somebody "
         "listens\"}}");
  assert_string_equal(event(k, CLIENT_EV_NOTICE)->text, "somebody listens");
  kit_free(k);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_too_many_resumes_are_no_end),
      cmocka_unit_test(test_password_goes_with_the_first_join_only),
      cmocka_unit_test(test_held),
      cmocka_unit_test(test_held_while_the_connection_was_lost),
      cmocka_unit_test(test_come_again_later),
      cmocka_unit_test(test_who_is_asked_to_wait_does_not_give_up),
      cmocka_unit_test(test_the_time_to_come_again_has_bounds),
      cmocka_unit_test(test_goodbyes),
      cmocka_unit_test(test_what_acts_hand_out),
      cmocka_unit_test(test_repeated_room),
      cmocka_unit_test(test_history),
      cmocka_unit_test(test_other),
      cmocka_unit_test(test_history_that_is_none),
      cmocka_unit_test(test_history_fills_up_to_the_limit),
      cmocka_unit_test(test_listening_in),
      cmocka_unit_test(test_listening_when_the_line_breaks),
      cmocka_unit_test(test_a_notice),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
