/* ways.c and ice_tunnel.c: which way the sound takes, and when another is tried. The direct agent is the
 * test's; the tunnel's is the real one, answered by the test with real STUN. */
#include "core/media/cert.h"
#include "core/session/ice_tunnel.h"
#include "core/session/session_private.h"
#include "core/wire/stun.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW (100 * US_PER_S)
#define PWD "passwordpasswordpassword"
#define AGENTS 16

struct ice { /* a direct agent */
  struct ice_events ev;
  bool told, gone;
};
struct kit {
  struct session *s;
  struct rng rng;
  struct cert cert;
  struct dtls_ctx *dtls, *server_ctx;
  struct dtls *server; /* the server's side of the path */
  us_t now;
  struct ice agent[AGENTS];
  size_t n_agents;
  struct ice_tunnel_env tunnel;
  uint8_t up[1500]; /* the last check into the tunnel */
  bool answers;     /* each is answered at once */
  size_t n_up, n_direct, aborts, n_text;
  char text[16][4096];
  char via[16];
};

static struct ice *direct_create(void *env, const struct ice_events *ev, const struct ice_relays *relays) {
  struct kit *k = env;
  (void)relays;
  assert_true(k->n_agents < AGENTS);
  struct ice *i = &k->agent[k->n_agents++];
  i->ev = *ev;
  return i;
}
static size_t direct_local(struct ice *i, char ufrag[257], char pwd[257], struct sdp_candidate *out,
                           size_t max) {
  (void)i, (void)out, (void)max;
  snprintf(ufrag, 257, "ours");
  snprintf(pwd, 257, "ourpasswordourpassword");
  return 0;
}
static void direct_remote(struct ice *i, const struct sdp *answer) {
  assert_string_equal(answer->pwd, PWD);
  assert_false(i->told);
  i->told = true;
}
static struct kit *the_kit;
static void direct_send(struct ice *i, const uint8_t *p, size_t n) {
  (void)p, (void)n;
  assert_false(i->gone);
  the_kit->n_direct++;
}
static void direct_destroy(struct ice *i) {
  assert_false(i->gone);
  i->gone = true;
}

static void on_tunnel(void *ctx, const uint8_t *p, size_t n) {
  struct kit *k = ctx;
  assert_true(n <= sizeof k->up);
  if (!stun_looks_like(p, n)) {
    dtls_handle_packet(k->server, k->now, p, n);
    return;
  }
  memcpy(k->up, p, n);
  k->n_up = n;
}
static void on_nothing(void *ctx) {
  (void)ctx;
}
static void on_abort(void *ctx) {
  ((struct kit *)ctx)->aborts++;
}
static void on_send(void *ctx, char *text) {
  struct kit *k = ctx;
  assert_true(k->n_text < 16);
  snprintf(k->text[k->n_text++], sizeof k->text[0], "%s", text);
  free(text);
}
static void on_event(void *ctx, struct client_event *ev) {
  struct kit *k = ctx;
  if (ev->kind == CLIENT_EV_LINK)
    snprintf(k->via, sizeof k->via, "%s", ev->link.via);
  client_event_free(ev);
}
static void on_audio(void *ctx, const struct rtp *h) {
  (void)ctx, (void)h;
}
static void on_gate(void *ctx, bool open) {
  (void)ctx, (void)open;
}
static void on_voice(void *ctx, const struct session_voice *v) {
  (void)ctx, (void)v;
}

/* The id of the request of that method that was sent last, 0: none was. */
static json_int_t asked(struct kit *k, const char *method) {
  json_int_t id = 0;
  for (size_t i = 0; i < k->n_text; i++) {
    json_t *o = json_loads(k->text[i], 0, NULL);
    if (strcmp(json_str(o, "method", ""), method) == 0)
      id = json_int(o, "id", 0);
    json_decref(o);
  }
  return id;
}

static void answer_to(struct kit *k, const char *method, json_t *result) {
  json_int_t id = asked(k, method);
  assert_true(id > 0);
  k->n_text = 0;
  char *text = rpc_result(id, result);
  session_message(k->s, k->now, text, strlen(text));
  free(text);
}

/* The server's answer to the check that came last. */
static void answer_check(struct kit *k, const char *pwd) {
  struct stun s;
  uint8_t buf[STUN_MAX];
  struct sockaddr_in at = {.sin_family = AF_INET};
  assert_int_equal(stun_parse(k->up, k->n_up, &s), ERR_OK);
  assert_true(s.request && s.controlling && s.use_candidate && stun_check(k->up, k->n_up, &s, PWD));
  assert_int_equal(strncmp(s.username, "serv:", 5), 0);
  size_t n = stun_build_success(buf, sizeof buf, s.tid, (const struct sockaddr *)&at, pwd);
  ice_tunnel_packet(&k->tunnel, k->now, buf, n);
}

static void serve(struct kit *k) {
  uint8_t buf[1500];
  for (size_t n; (n = dtls_poll_packet(k->server, buf, sizeof buf));)
    ice_tunnel_packet(&k->tunnel, k->now, buf, n);
  if (k->answers && k->n_up > 0)
    answer_check(k, PWD);
  k->n_up = k->answers ? 0 : k->n_up;
}

static void wait_us(struct kit *k, us_t t) {
  for (us_t until = k->now + t; k->now < until;) {
    us_t due = session_next_timeout(k->s), tunnel = ice_tunnel_due(&k->tunnel);
    due = tunnel < due ? tunnel : due;
    k->now = due > k->now ? (due < until ? due : until) : k->now + 1;
    session_tick(k->s, k->now);
    ice_tunnel_timeout(&k->tunnel, k->now);
    serve(k);
  }
}

static struct sdp offered(struct kit *k) {
  struct sdp offer;
  json_t *o = json_loads(k->text[k->n_text - 1], 0, NULL);
  const char *text = json_str(json_object_get(o, "params"), "sdp", "");
  assert_int_equal(sdp_parse(text, strlen(text), &offer, NULL), ERR_OK);
  json_decref(o);
  return offer;
}

/* In the room, with the server's answer. */
static void join(struct kit *k) {
  k->agent[0].ev.gathered(k->agent[0].ev.ctx, k->now);
  struct sdp offer = offered(k);
  struct sdp_local me = {.ufrag = "serv", .pwd = PWD, .fingerprint = k->cert.sha256, .ssrc = 7, .lite = true};
  char *sdp = sdp_write_answer(&offer, &me);
  answer_to(k, "room.join",
            json_pack("{s:s,s:i,s:s,s:s,s:{s:s,s:i,s:[{s:i,s:s,s:s,s:b}]}}", "state", "joined", "me", 1,
                      "resume", "ticket", "sdp", sdp, "room", "room", "den", "seq", 9, "members", "id", 1,
                      "role", "speaker", "name", "bob", "floor", true));
  free(sdp);
  assert_int_equal(session_state(k->s), CLIENT_JOINED);
}

static int make(void **state) {
  struct kit *k = calloc(1, sizeof *k);
  assert_non_null(k);
  the_kit = k;
  rng_seed(&k->rng, 3);
  k->now = NOW;
  assert_int_equal(cert_make("peer.example", 2, &k->cert), ERR_OK);
  k->dtls = dtls_ctx_create(&k->cert, false);
  k->server_ctx = dtls_ctx_create(&k->cert, false);
  k->server = dtls_create(k->server_ctx, true, "sha-256", k->cert.sha256, 32);
  k->tunnel = (struct ice_tunnel_env){.rng = &k->rng, .send = on_tunnel, .ctx = k};
  struct session_config c = {
      .ice = {direct_create, direct_local, direct_remote, direct_send, NULL, direct_destroy, k},
      .tunnel = ice_tunnel_kind(&k->tunnel),
      .rng = &k->rng,
      .dtls = k->dtls,
      .connect = on_nothing,
      .disconnect = on_nothing,
      .abort = on_abort,
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
  join(k);
  *state = k;
  return 0;
}

static int unmake(void **state) {
  struct kit *k = *state;
  session_destroy(k->s);
  for (size_t i = 0; i < k->n_agents; i++)
    assert_true(k->agent[i].gone);
  assert_null(k->tunnel.agent);
  dtls_destroy(k->server);
  dtls_ctx_destroy(k->server_ctx);
  dtls_ctx_destroy(k->dtls);
  cert_free(&k->cert);
  free(k);
  return 0;
}

static void into_the_tunnel(struct kit *k) {
  wait_us(k, 2600 * US_PER_MS);
  answer_to(k, "media.tunnel", json_object());
  wait_us(k, 300 * US_PER_MS);
  assert_true(k->n_up > 0);
  answer_check(k, PWD);
  assert_string_equal(ways_via(k->s), "tunnel");
  k->answers = true;
  k->n_up = 0;
  wait_us(k, 10 * US_PER_MS);
  assert_true(session_media_up(k->s)); /* the handshake went through it */
}

static void direct_up(struct kit *k, size_t i) {
  k->agent[i].ev.gathered(k->agent[i].ev.ctx, k->now);
  assert_true(k->agent[i].told);
  k->agent[i].ev.up(k->agent[i].ev.ctx, k->now);
}

static void the_direct_way_needs_no_other(void **state) {
  struct kit *k = *state;
  assert_true(k->agent[0].told);
  assert_string_equal(ways_via(k->s), "");
  k->agent[0].ev.up(k->agent[0].ev.ctx, k->now);
  assert_string_equal(ways_via(k->s), "udp");
  wait_us(k, 3 * US_PER_S);
  assert_int_equal(asked(k, "media.tunnel"), 0);
  assert_true(k->n_direct > 0); /* the handshake */
}

static void the_tunnel_comes_when_nothing_else_does(void **state) {
  struct kit *k = *state;
  wait_us(k, 2 * US_PER_S);
  assert_int_equal(asked(k, "media.tunnel"), 0);
  into_the_tunnel(k);
  session_tick(k->s, k->now);
  assert_false(k->agent[0].gone); /* it may still come up */
  direct_up(k, 0);
  assert_string_equal(ways_via(k->s), "udp");
  session_tick(k->s, k->now);
  assert_null(k->tunnel.agent);
}

static void only_the_server_answers_a_check(void **state) {
  struct kit *k = *state;
  wait_us(k, 2600 * US_PER_MS);
  answer_to(k, "media.tunnel", json_object());
  wait_us(k, 300 * US_PER_MS);
  answer_check(k, "anotherpasswordanother");
  assert_string_equal(ways_via(k->s), "");
  uint8_t rubbish[20] = {1, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42};
  ice_tunnel_packet(&k->tunnel, k->now, rubbish, sizeof rubbish);
  assert_string_equal(ways_via(k->s), "");
  answer_check(k, PWD);
  assert_string_equal(ways_via(k->s), "tunnel");
}

static void a_better_way_is_looked_for_every_minute(void **state) {
  struct kit *k = *state;
  into_the_tunnel(k);
  wait_us(k, 40 * US_PER_S);
  assert_string_equal(ways_via(k->s), "tunnel");
  assert_true(k->agent[0].gone); /* not for ever */
  size_t before = k->n_agents;
  k->n_text = 0;
  for (int s = 0; s < 50 && k->n_agents == before; s++)
    wait_us(k, US_PER_S);
  assert_int_equal(k->n_agents, before + 1);
  assert_string_equal(ways_via(k->s), "tunnel"); /* meanwhile */
  direct_up(k, before);
  assert_string_equal(ways_via(k->s), "udp");
}

static void a_new_network_is_tried_while_the_old_one_carries(void **state) {
  struct kit *k = *state;
  k->agent[0].ev.up(k->agent[0].ev.ctx, k->now);
  session_network_changed(k->s, k->now);
  assert_int_equal(k->n_agents, 2);
  assert_false(k->agent[0].gone);
  assert_true(asked(k, "ping") > 0); /* does the connection live? */
  direct_up(k, 1);
  assert_string_equal(ways_via(k->s), "udp");
  session_tick(k->s, k->now);
  assert_true(k->agent[0].gone);
  assert_int_equal(asked(k, "room.media"), 0); /* the path is the same */
  wait_us(k, 2 * US_PER_S);
  assert_int_equal(k->aborts, 1); /* nothing came on it */
}

static void the_tunnel_ends_with_its_connection(void **state) {
  struct kit *k = *state;
  into_the_tunnel(k);
  session_closed(k->s, k->now, ERR_CONNECT);
  wait_us(k, 10);
  assert_null(k->tunnel.agent);
  assert_string_equal(ways_via(k->s), "");
  wait_us(k, 400 * US_PER_MS);
  k->n_text = 0;
  session_connected(k->s, k->now, NULL);
  answer_to(k, "room.join",
            json_pack("{s:s,s:i,s:s,s:{s:s,s:i,s:[{s:i,s:s,s:s,s:b}]}}", "state", "joined", "me", 1, "resume",
                      "ticket", "room", "room", "den", "seq", 9, "members", "id", 1, "role", "speaker",
                      "name", "bob", "floor", true));
  answer_to(k, "media.tunnel", json_object()); /* at once this time */
  wait_us(k, 300 * US_PER_MS);
  assert_string_equal(ways_via(k->s), "tunnel");
}

static void no_tunnel_where_the_server_has_none(void **state) {
  struct kit *k = *state;
  wait_us(k, 2600 * US_PER_MS);
  json_int_t id = asked(k, "media.tunnel");
  k->n_text = 0;
  char *no = rpc_error(id, ERR_BAD_METHOD, NULL, 0);
  session_message(k->s, k->now, no, strlen(no));
  free(no);
  assert_null(k->tunnel.agent);
  wait_us(k, 30 * US_PER_S);
  assert_true(k->n_agents > 1); /* it begins anew, with a new offer */
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make, unmake)
int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(the_direct_way_needs_no_other),
      TEST(the_tunnel_comes_when_nothing_else_does),
      TEST(only_the_server_answers_a_check),
      TEST(a_better_way_is_looked_for_every_minute),
      TEST(a_new_network_is_tried_while_the_old_one_carries),
      TEST(the_tunnel_ends_with_its_connection),
      TEST(no_tunnel_where_the_server_has_none),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
