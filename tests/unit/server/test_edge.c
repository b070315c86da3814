/* A room on two media threads: the home with the mixer and an edge, each with people of its own. */
#include "tests/unit/server/mediaport_kit.h"

#define HOME 0
#define EDGE 1
#define QUEUE 64

struct two {
  struct kit *port[2]; /* parties a, b at home and a, b on the edge, by handle 1, 2 and 11, 12 */
  struct {
    unsigned to;
    struct media_edge e;
  } queue[QUEUE];
  size_t n;
  int lose; /* messages of this kind are lost; -1: none */
  bool full;
};
static struct two two; /* the callback's context is a kit */

static bool on_edge(void *ctx, unsigned thread, const struct media_edge *e) {
  (void)ctx;
  assert_true(thread == HOME || thread == EDGE);
  if (two.full)
    return false;
  if (two.lose == (int)e->kind)
    return true;
  assert_true(two.n < QUEUE);
  two.queue[two.n].to = thread;
  two.queue[two.n++].e = *e;
  return true;
}

static void pump(void) {
  for (size_t i = 0; i < two.n; i++) { /* grows on the way */
    struct media_edge e = two.queue[i].e;
    struct kit *k = two.port[two.queue[i].to];
    mediaport_handle_edge(k->m, k->now, &e);
  }
  two.n = 0;
  deliver(two.port[HOME]);
  deliver(two.port[EDGE]);
}

static void tell_room(struct kit *k, int kind, unsigned thread) {
  struct media_cmd cmd = {.room = 1, .thread = thread};
  cmd.kind = (unsigned)kind;
  mediaport_command(k->m, k->now, &cmd);
}

static void remote(const struct party *p, bool may_send) {
  struct media_cmd cmd = {.kind = MEDIA_REMOTE, .room = 1, .thread = EDGE, .member = p->handle};
  cmd.may_send = may_send;
  mediaport_command(two.port[HOME]->m, two.port[HOME]->now, &cmd);
}

static int make_two(void **state) {
  two = (struct two){.lose = -1};
  for (unsigned i = 0; i < 2; i++) {
    void *made = NULL;
    assert_int_equal(make(&made), 0);
    struct kit *k = two.port[i] = made;
    mediaport_destroy(k->m);
    struct mediaport_config c = {
        .dtls = k->server_ctx, .rng = &k->rng, .send = on_send, .tell = on_tell, .edge = on_edge, .ctx = k};
    k->m = mediaport_create(&c);
    tell_room(k, i == HOME ? MEDIA_ROOM_OPEN : MEDIA_EDGE_OPEN, HOME);
    add(k, &k->a, 10 * i + 1, 1);
    add(k, &k->b, 10 * i + 2, 1);
    connect_party(k, &k->a);
    connect_party(k, &k->b);
    k->n_out = k->n_ev = 0;
  }
  tell_room(two.port[HOME], MEDIA_EDGE_ADD, EDGE);
  remote(&two.port[EDGE]->a, true);
  remote(&two.port[EDGE]->b, true);
  *state = &two;
  return 0;
}

static int unmake_two(void **state) {
  (void)state;
  for (unsigned i = 0; i < 2; i++) {
    void *made = two.port[i];
    (void)unmake(&made);
  }
  return 0;
}

static void timeouts(us_t until) {
  for (unsigned i = 0; i < 2; i++) {
    struct kit *k = two.port[i];
    for (us_t t; (t = mediaport_next_timeout(k->m)) <= until;) {
      k->now = t > k->now ? t : k->now;
      mediaport_handle_timeout(k->m, k->now);
      pump();
    }
    k->now = until;
  }
}

/* n times 20 ms in which x, and y unless NULL, speak. */
static void speak(struct kit *kx, struct party *x, struct kit *ky, struct party *y, unsigned n) {
  struct encoder *e = voice(), *f = voice();
  uint8_t payload[AUDIO_PACKET_MAX];
  for (unsigned i = 0; i < n; i++) {
    us_t at = two.port[HOME]->now;
    talk(kx, x, e, &x->at, payload);
    if (y) {
      ky->now = at;
      talk(ky, y, f, &y->at, payload);
    }
    two.port[HOME]->now = two.port[EDGE]->now = at;
    pump();
    timeouts(at + 20 * US_PER_MS);
  }
  encoder_destroy(e);
  encoder_destroy(f);
}

static void forget(void) {
  for (unsigned i = 0; i < 2; i++)
    two.port[i]->a.packets = two.port[i]->b.packets = 0;
}

static void test_home_is_heard_on_the_edge(void **state) {
  (void)state;
  struct kit *h = two.port[HOME], *g = two.port[EDGE];
  speak(h, &h->a, NULL, NULL, 50);
  assert_int_equal(h->a.packets, 0); /* not himself */
  assert_int_equal(h->b.packets, 50);
  assert_int_equal(g->a.packets, 50);
  assert_int_equal(g->b.packets, 50);
  assert_int_equal(g->b.h.n_csrc, 1);
  assert_int_equal(g->b.h.csrc[0], 1);
  assert_int_equal(g->b.seq_gap, 0);
}

static void test_the_edge_is_heard_everywhere(void **state) {
  (void)state;
  struct kit *h = two.port[HOME], *g = two.port[EDGE];
  speak(g, &g->a, NULL, NULL, 50);
  assert_int_equal(g->a.packets, 0);
  assert_int_equal(g->b.packets, 50);
  assert_int_equal(h->a.packets, 50);
  assert_int_equal(h->b.packets, 50);
  assert_int_equal(h->b.h.csrc[0], 11);
}

/* Each of two gets the other, everyone else both. */
static void test_two_talk(void **state) {
  (void)state;
  struct kit *h = two.port[HOME], *g = two.port[EDGE];
  speak(h, &h->a, g, &g->a, 20);
  forget();
  speak(h, &h->a, g, &g->a, 50);
  assert_int_equal(h->a.packets, 50);
  assert_int_equal(h->a.h.n_csrc, 1);
  assert_int_equal(h->a.h.csrc[0], 11);
  assert_int_equal(g->a.packets, 50);
  assert_int_equal(g->a.h.n_csrc, 1);
  assert_int_equal(g->a.h.csrc[0], 1);
  struct party *others[] = {&h->b, &g->b};
  for (size_t i = 0; i < 2; i++) {
    assert_true(others[i]->packets >= 49 && others[i]->packets <= 51);
    assert_int_equal(others[i]->h.n_csrc, 2);
  }
}

/* Levels are told by the home alone. */
static void test_levels_come_from_home(void **state) {
  (void)state;
  struct kit *h = two.port[HOME], *g = two.port[EDGE];
  speak(g, &g->a, NULL, NULL, 30);
  unsigned seen = 0;
  for (size_t i = 0; i < h->n_ev; i++)
    if (h->ev[i].kind == MEDIA_LEVELS && h->ev[i].n == 1)
      seen += h->ev[i].level[0].member == 11;
  assert_true(seen > 0);
  for (size_t i = 0; i < g->n_ev; i++)
    assert_int_not_equal(g->ev[i].kind, MEDIA_LEVELS);
}

/* The home decides: who is not known there is not heard, whatever the edge believes; and not from the order
 * on. */
static void test_home_decides(void **state) {
  (void)state;
  struct kit *h = two.port[HOME], *g = two.port[EDGE];
  speak(g, &g->a, NULL, NULL, 30);
  remote(&g->a, false);
  pump();
  forget();
  speak(g, &g->a, NULL, NULL, 30); /* the edge lets him still */
  assert_int_equal(h->a.packets + h->b.packets + g->b.packets, 0);
  struct mediaport_counters n;
  mediaport_counters(h->m, &n);
  assert_int_equal(n.no_right, 30);
  remote(&g->a, true);
  speak(g, &g->a, NULL, NULL, 30);
  assert_true(h->b.packets > 25 && g->b.packets > 25);
}

/* The edge enforces as well: what it was told not to let through does not leave it. */
static void test_edge_enforces(void **state) {
  (void)state;
  struct kit *h = two.port[HOME], *g = two.port[EDGE];
  set(g, &g->a, MEDIA_PEER_SET, false, true);
  speak(g, &g->a, NULL, NULL, 30);
  assert_int_equal(h->a.packets + h->b.packets + g->b.packets, 0);
  struct mediaport_counters n;
  mediaport_counters(h->m, &n);
  assert_int_equal(n.no_right, 0);
}

static void slow_ear(struct kit *k, struct party *p) {
  struct media_cmd cmd = order(p, MEDIA_PEER_SET, 1);
  cmd.kbps = 11; /* TIER_MIN: 120 ms are held */
  mediaport_command(k->m, k->now, &cmd);
}

/* A listener in the slowest tier on the edge: whoever loses his right is not in what comes later, even if
 * the message that says so is lost. */
static void test_silence_reaches_the_edge(void **state) {
  (void)state;
  struct kit *h = two.port[HOME], *g = two.port[EDGE];
  slow_ear(g, &g->b);
  for (unsigned i = 0; i < 12; i++) {
    bool lost = i % 2;
    speak(h, &h->a, NULL, NULL, 31 + i / 2);
    two.lose = lost ? EDGE_SILENCE : -1;
    set(h, &h->a, MEDIA_PEER_SET, false, true);
    pump();
    forget();
    for (unsigned n = 0; lost && n < 20; n++) { /* the next one's sound brings it */
      speak(h, &h->b, NULL, NULL, 1);
      assert_true(g->b.packets == 0 || n >= 5); /* six make 120 ms: all of it is the next one's */
      assert_true(g->b.packets == 0 || (g->b.h.n_csrc == 1 && g->b.h.csrc[0] == h->b.handle));
    }
    if (!lost)
      timeouts(h->now + US_PER_S);
    assert_int_equal(g->b.packets > 0, lost);
    two.lose = -1;
    set(h, &h->a, MEDIA_PEER_SET, true, true);
    timeouts(h->now + US_PER_S);
    for (unsigned t = 0; t < 2; t++) {
      struct kit *k = two.port[t];
      check(k, &k->a, &k->a.at, k->a.p.local_pwd);
      check(k, &k->b, &k->b.at, k->b.p.local_pwd);
      k->n_out = k->n_ev = 0;
    }
  }
}

/* A thread that does not keep up costs sound there and nothing here. */
static void test_full_mailbox(void **state) {
  (void)state;
  struct kit *h = two.port[HOME], *g = two.port[EDGE];
  two.full = true;
  speak(h, &h->a, NULL, NULL, 30);
  assert_int_equal(h->b.packets, 30);
  assert_int_equal(g->b.packets, 0);
  struct mediaport_counters n;
  mediaport_counters(h->m, &n);
  assert_int_equal(n.edge_dropped, 30);
  two.full = false;
  speak(h, &h->a, NULL, NULL, 30);
  assert_int_equal(g->b.packets, 30);
}

/* Messages for rooms that are not there, or of the wrong side. */
static void test_stray_messages(void **state) {
  (void)state;
  struct kit *h = two.port[HOME], *g = two.port[EDGE];
  struct media_edge e = {.kind = EDGE_SOUND, .room = 9};
  mediaport_handle_edge(h->m, h->now, &e);
  e.room = 1;
  mediaport_handle_edge(h->m, h->now, &e); /* sound, to the home */
  e.kind = EDGE_PACKET;
  mediaport_handle_edge(g->m, g->now, &e); /* a packet, to an edge */
  e.in.member = 77;
  mediaport_handle_edge(h->m, h->now, &e);
  tell_room(h, MEDIA_ROOM_CLOSE, 0);
  e.in.member = 11;
  mediaport_handle_edge(h->m, h->now, &e);
  tell_room(g, MEDIA_ROOM_CLOSE, 0);
  e.kind = EDGE_SOUND;
  mediaport_handle_edge(g->m, g->now, &e);
  assert_int_equal(h->n_out + g->n_out, 0);
}

int main(void) {
#define CASE(f) cmocka_unit_test_setup_teardown(f, make_two, unmake_two)
  const struct CMUnitTest tests[] = {CASE(test_home_is_heard_on_the_edge),
                                     CASE(test_the_edge_is_heard_everywhere),
                                     CASE(test_two_talk),
                                     CASE(test_levels_come_from_home),
                                     CASE(test_home_decides),
                                     CASE(test_edge_enforces),
                                     CASE(test_silence_reaches_the_edge),
                                     CASE(test_full_mailbox),
                                     CASE(test_stray_messages)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
