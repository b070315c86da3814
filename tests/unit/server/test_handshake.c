/* handshakes on threads of their own: the worker alone (with real threads: run under ThreadSanitizer too),
 * and what the media port does before, while and after somebody else has the handshake. */
#include "core/base/mailbox.h"
#include "core/media/secure.h"
#include "core/server/shell_handshake.h"
#include "mediaport_kit.h"

#include <poll.h>

/* ---- the worker ---- */

struct note { /* what a worker says to its media thread */
  bool done;
  uint32_t peer;
  struct secure *secure;
  size_t n;
  uint8_t data[DTLS_DATAGRAM_MAX];
};
struct work {
  struct cert cert, other;
  struct dtls_ctx *ctx, *other_ctx;
  struct handshakes *h;
  struct handshake_home home;
  struct mailbox *notes;
  struct media_peer_params params;
  struct sockaddr_in at;
};

static void note_send(void *ctx, const struct sockaddr *to, socklen_t to_len, const uint8_t *p, size_t n) {
  struct work *w = ctx;
  struct note note = {.n = n};
  assert_int_equal(to_len, sizeof w->at);
  assert_memory_equal(to, &w->at, sizeof w->at);
  memcpy(note.data, p, n);
  assert_true(mailbox_put(w->notes, &note));
}

static void note_done(void *ctx, uint32_t peer, struct secure *s) {
  struct work *w = ctx;
  struct note note = {.done = true, .peer = peer, .secure = s};
  assert_true(mailbox_put(w->notes, &note));
}

static int begin(void **state) {
  struct work *w = calloc(1, sizeof *w);
  assert_non_null(w);
  assert_int_equal(cert_make("one", 1, &w->cert), ERR_OK);
  assert_int_equal(cert_make("other", 1, &w->other), ERR_OK);
  w->ctx = dtls_ctx_create(&w->cert, false);
  w->other_ctx = dtls_ctx_create(&w->other, false);
  w->notes = mailbox_create(sizeof(struct note), 1024);
  w->home = (struct handshake_home){.send = note_send, .done = note_done, .ctx = w};
  w->at = address(7, 700);
  memcpy(w->params.hash, "sha-256", 8);
  memcpy(w->params.fingerprint, w->cert.sha256, 32);
  w->params.fingerprint_len = 32;
  w->params.ssrc_in = 77;
  assert_int_equal(handshakes_start(w->ctx, 2, &w->h), ERR_OK);
  *state = w;
  return 0;
}

static int end(void **state) {
  struct work *w = *state;
  struct note note;
  handshakes_stop(w->h);
  while (mailbox_get(w->notes, &note))
    secure_destroy(note.secure);
  handshakes_free(w->h);
  mailbox_destroy(w->notes);
  dtls_ctx_destroy(w->ctx);
  dtls_ctx_destroy(w->other_ctx);
  cert_free(&w->cert);
  cert_free(&w->other);
  free(w);
  return 0;
}

static bool give(struct work *w, uint32_t peer, bool first, const uint8_t *p, size_t n) {
  struct mediaport_hello hello = {.peer = peer,
                                  .first = first,
                                  .params = first ? &w->params : NULL,
                                  .from = (const struct sockaddr *)&w->at,
                                  .from_len = sizeof w->at,
                                  .p = p,
                                  .n = n};
  return handshakes_give(w->h, &w->home, &hello);
}

static struct note next_note(struct work *w) {
  struct pollfd p = {mailbox_fd(w->notes), POLLIN, 0};
  struct note note;
  while (!mailbox_get(w->notes, &note))
    assert_int_equal(poll(&p, 1, 20000), 1);
  return note;
}

static bool give_all(struct work *w, uint32_t peer, bool first, struct secure *client) {
  uint8_t buf[DTLS_DATAGRAM_MAX];
  for (size_t n; (n = secure_poll(client, buf, sizeof buf)); first = false)
    assert_true(give(w, peer, first, buf, n));
  return first;
}

/* Until the worker is done with the peer; what it hands over. */
static struct secure *shake_hands(struct work *w, uint32_t peer, struct secure *client) {
  secure_start(client, START);
  bool first = give_all(w, peer, true, client);
  for (;;) {
    struct note note = next_note(w);
    if (note.done) {
      assert_int_equal(note.peer, peer);
      return note.secure;
    }
    secure_handle_dtls(client, START, note.data, note.n);
    first = give_all(w, peer, first, client);
  }
}

static void test_up(void **state) {
  struct work *w = *state;
  for (uint32_t peer = 1; peer <= 2; peer++) { /* one on each worker */
    struct secure *client = secure_create(w->ctx, false, "sha-256", w->cert.sha256, 32, 88);
    struct secure *server = shake_hands(w, peer, client);
    uint8_t buf[1500], packet[] = {0x80, 111, 0, 1, 0, 0, 0, 0, 0, 0, 0, 77, 'v', 'o', 'i', 'c', 'e'};
    size_t n = sizeof packet;
    assert_true(secure_up(server));
    for (size_t k;
         (k = secure_poll(server, buf, sizeof buf));) /* the last flight is the media thread's to send */
      secure_handle_dtls(client, START, buf, k);
    assert_true(secure_up(client));
    memcpy(buf, packet, n);
    assert_int_equal(secure_protect(client, buf, &n, sizeof buf), ERR_OK);
    assert_int_equal(secure_unprotect(server, START, buf, &n), ERR_OK);
    assert_int_equal(n, sizeof packet);
    assert_memory_equal(buf, packet, n);
    /* He repeats himself: the worker has forgotten him and begins nothing. */
    assert_true(give(w, peer, false, buf, 40));
    secure_destroy(client);
    secure_destroy(server);
  }
}

static void test_wrong_certificate(void **state) {
  struct work *w = *state;
  struct secure *client = secure_create(w->other_ctx, false, "sha-256", w->cert.sha256, 32, 88);
  struct secure *server = shake_hands(w, 5, client);
  assert_false(secure_up(server));
  assert_int_equal(secure_failure(server), ERR_FINGERPRINT);
  secure_destroy(client);
  secure_destroy(server);
}

/* He is removed between two flights: no word of him after that. */
static void test_cancelled(void **state) {
  struct work *w = *state;
  struct secure *gone = secure_create(w->ctx, false, "sha-256", w->cert.sha256, 32, 88);
  struct secure *other = secure_create(w->ctx, false, "sha-256", w->cert.sha256, 32, 88);
  secure_start(gone, START);
  (void)give_all(w, 2, true, gone);
  struct note note = next_note(w);
  while (note.n) { /* his whole first flight */
    secure_handle_dtls(gone, START, note.data, note.n);
    note = (struct note){0};
    (void)mailbox_get(w->notes, &note);
  }
  assert_true(give(w, 2, false, NULL, 0));
  (void)give_all(w, 2, false, gone);
  struct secure *server = shake_hands(w, 4, other); /* the same worker: it has seen all that by now */
  assert_true(secure_up(server));
  secure_destroy(server);
  secure_destroy(gone);
  secure_destroy(other);
}

/* The end comes while handshakes are under way and datagrams wait; a place that is full refuses. */
static void test_stop_and_full(void **state) {
  struct work *w = *state;
  struct secure *client = secure_create(w->ctx, false, "sha-256", w->cert.sha256, 32, 88);
  uint8_t buf[DTLS_DATAGRAM_MAX];
  secure_start(client, START);
  size_t n = secure_poll(client, buf, sizeof buf);
  for (uint32_t peer = 1; peer <= 40; peer++)
    assert_true(give(w, peer, true, buf, n));
  handshakes_stop(w->h);
  unsigned before = handshakes_waiting(w->h), taken = 0;
  assert_true(before <= 42);
  while (give(w, 2, true, buf, n))
    taken++;
  assert_true(taken >= HANDSHAKE_QUEUE - 42 && taken <= HANDSHAKE_QUEUE);
  assert_int_equal(handshakes_waiting(w->h), before + taken);
  assert_true(give(w, 3, true, buf, n)); /* the other worker's */
  secure_destroy(client);
}

/* ---- the media port ---- */

struct elsewhere { /* stands for the worker */
  struct secure *secure;
  unsigned begun, given, gone;
  bool full;
};
struct apart {
  struct kit *k; /* of its own: `m` is another port */
  struct elsewhere e;
};
static struct apart *now_apart; /* the port's callbacks get the kit */

static bool on_shake(void *ctx, const struct mediaport_hello *h) {
  struct kit *k = ctx;
  struct elsewhere *e = &now_apart->e;
  if (e->full)
    return false;
  if (h->n == 0) {
    e->gone++;
    return true;
  }
  e->given++;
  e->begun += h->first;
  assert_true(h->first == (h->params != NULL));
  if (h->first)
    e->secure = secure_create(k->server_ctx, true, h->params->hash, h->params->fingerprint,
                              h->params->fingerprint_len, h->params->ssrc_in);
  if (e->secure)
    secure_handle_dtls(e->secure, k->now, h->p, h->n);
  return true;
}

static int make_apart(void **state) {
  assert_int_equal(make(state), 0);
  struct kit *k = *state;
  mediaport_destroy(k->m);
  struct mediaport_config c = {
      .dtls = k->server_ctx, .rng = &k->rng, .send = on_send, .tell = on_tell, .shake = on_shake, .ctx = k};
  k->m = mediaport_create(&c);
  mediaport_command(k->m, k->now, &(struct media_cmd){.kind = MEDIA_ROOM_OPEN, .room = 1});
  add(k, &k->a, 1, 1);
  now_apart = calloc(1, sizeof *now_apart);
  assert_non_null(now_apart);
  return 0;
}

static int unmake_apart(void **state) {
  int rc = unmake(state);
  secure_destroy(now_apart->e.secure);
  free(now_apart);
  now_apart = NULL;
  return rc;
}

/* The client's datagrams to the port, the worker's answers to the client, until the worker is up. */
static void shake_through(struct kit *k, struct party *p) {
  struct elsewhere *e = &now_apart->e;
  uint8_t buf[1500];
  check(k, p, &p->at, p->p.local_pwd);
  k->n_out = 0;
  p->dtls = dtls_create(k->client_ctx, false, "sha-256", k->server.sha256, 32);
  dtls_start(p->dtls, k->now);
  for (int i = 0; i < 10 && !(e->secure && secure_up(e->secure)); i++) {
    for (size_t n; (n = dtls_poll_packet(p->dtls, buf, sizeof buf));)
      put(k, &p->at, buf, n);
    for (size_t n; !secure_up(e->secure) && (n = secure_poll(e->secure, buf, sizeof buf));)
      dtls_handle_packet(p->dtls, k->now, buf, n);
  }
  assert_int_equal(k->n_out, 0); /* the port itself says nothing meanwhile */
  assert_int_equal(secure_news(e->secure), SECURE_UP);
}

static void secured(struct kit *k, uint32_t peer, struct secure *s) {
  struct media_cmd cmd = {.kind = MEDIA_SECURED, .peer = peer, .secure = s};
  mediaport_command(k->m, k->now, &cmd);
}

static void test_handed_over(void **state) {
  struct kit *k = *state;
  struct elsewhere *e = &now_apart->e;
  struct encoder *enc = voice();
  struct dtls_keys keys;
  uint8_t payload[AUDIO_PACKET_MAX];
  add(k, &k->b, 2, 1);
  shake_through(k, &k->a);
  assert_int_equal(e->begun, 1);
  assert_true(e->given >= 2);
  assert_int_equal(k->n_ev, 0);

  secured(k, 1, e->secure); /* sends the last flight, which the client waits for */
  e->secure = NULL;
  assert_int_equal(k->n_ev, 1);
  assert_int_equal(k->ev[0].kind, MEDIA_CONNECTED);
  assert_true(k->n_out > 0);
  deliver(k);
  assert_true(dtls_take_keys(k->a.dtls, &keys));
  k->a.srtp = srtp_session_create(&keys, k->a.p.ssrc_out);
  talk(k, &k->a, enc, &k->a.at, payload);
  struct mediaport_counters n = counters(k);
  assert_int_equal(n.srtp_auth + n.srtp_replay + n.wrong_ssrc + n.bad_rtp + n.dtls_bad, 0);
  assert_int_equal(n.dtls_ok, 1);

  unsigned given = e->given; /* his handshake is the port's own now, repeated flights and all */
  uint8_t hello[14] = {22, 254, 253};
  put(k, &k->a.at, hello, sizeof hello);
  assert_int_equal(e->given, given);
  encoder_destroy(enc);
}

/* Sound under keys the media thread does not have yet is dropped, without a count against anybody. */
static void test_early_sound(void **state) {
  struct kit *k = *state;
  uint8_t rtp[60] = {0x80, PT, 0, 1};
  shake_through(k, &k->a);
  put(k, &k->a.at, rtp, sizeof rtp);
  struct mediaport_counters n = counters(k);
  assert_int_equal(n.srtp_auth + n.srtp_replay + n.wrong_ssrc + n.bad_rtp + n.dtls_bad, 0);
  assert_int_equal(k->n_out, 0);
}

static void test_removed_meanwhile(void **state) {
  struct kit *k = *state;
  struct elsewhere *e = &now_apart->e;
  shake_through(k, &k->a);
  set(k, &k->a, MEDIA_PEER_DEL, false, false);
  assert_int_equal(e->gone, 1);
  secured(k, 1, e->secure); /* it was on its way: freed, and nobody is connected */
  e->secure = NULL;
  assert_int_equal(k->n_ev, 0);
  assert_int_equal(counters(k).dtls_ok, 0);
}

static void test_no_place(void **state) {
  struct kit *k = *state;
  struct elsewhere *e = &now_apart->e;
  uint8_t hello[14] = {22, 254, 253};
  check(k, &k->a, &k->a.at, k->a.p.local_pwd);
  e->full = true;
  put(k, &k->a.at, hello, sizeof hello);
  assert_int_equal(counters(k).dtls_dropped, 1);
  assert_int_equal(e->begun, 0);
  e->full = false;
  k->n_out = 0;
  shake_through(k, &k->a); /* begins all the same */
  assert_int_equal(e->begun, 1);
}

/* Who sends hello upon hello has only so many: the queue is everybody's. */
static void test_one_peer_has_only_so_many(void **state) {
  struct kit *k = *state;
  struct elsewhere *e = &now_apart->e;
  uint8_t hello[14] = {22, 254, 253};
  check(k, &k->a, &k->a.at, k->a.p.local_pwd);
  for (int i = 0; i < 1000; i++)
    put(k, &k->a.at, hello, sizeof hello);
  assert_int_equal(e->given, 100);
  assert_int_equal(counters(k).dtls_dropped, 900);
  secure_destroy(e->secure);
  e->secure = NULL;
  secured(k, 1, NULL); /* it came to nothing */
  k->n_out = 0;
  shake_through(k, &k->a);
  assert_int_equal(e->begun, 2);
}

/* Nothing came of it: his next hello begins anew. */
static void test_given_up(void **state) {
  struct kit *k = *state;
  struct elsewhere *e = &now_apart->e;
  uint8_t hello[14] = {22, 254, 253};
  check(k, &k->a, &k->a.at, k->a.p.local_pwd);
  put(k, &k->a.at, hello, sizeof hello);
  assert_int_equal(e->begun, 1);
  secure_destroy(e->secure);
  e->secure = NULL;
  secured(k, 1, NULL);
  assert_int_equal(k->n_ev, 0);
  k->n_out = 0;
  shake_through(k, &k->a);
  assert_int_equal(e->begun, 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_up, begin, end),
      cmocka_unit_test_setup_teardown(test_wrong_certificate, begin, end),
      cmocka_unit_test_setup_teardown(test_cancelled, begin, end),
      cmocka_unit_test_setup_teardown(test_stop_and_full, begin, end),
      cmocka_unit_test_setup_teardown(test_handed_over, make_apart, unmake_apart),
      cmocka_unit_test_setup_teardown(test_early_sound, make_apart, unmake_apart),
      cmocka_unit_test_setup_teardown(test_removed_meanwhile, make_apart, unmake_apart),
      cmocka_unit_test_setup_teardown(test_no_place, make_apart, unmake_apart),
      cmocka_unit_test_setup_teardown(test_one_peer_has_only_so_many, make_apart, unmake_apart),
      cmocka_unit_test_setup_teardown(test_given_up, make_apart, unmake_apart),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
