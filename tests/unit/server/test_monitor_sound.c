/* The two tones that say that somebody listens: everybody in the room hears them, also who talks; and who
 * listens in silence changes nothing of what the others get. */
#include "tests/unit/server/mediaport_kit.h"

#include "core/room/room.h"

#include <math.h>

#define LOW 880.0
#define HIGH 1320.0

struct ear {
  struct decoder *decoder;
  unsigned before;
  float pcm[AUDIO_RATE * 2];
  size_t n;
};

static void hear(struct ear *e, const struct party *p) {
  float pcm[AUDIO_FRAME_MAX];
  if (p->packets == e->before)
    return;
  e->before = p->packets;
  int n = decoder_run(e->decoder, p->last, p->last_len, pcm);
  assert_true(n > 0);
  assert_true(e->n + (size_t)n <= sizeof e->pcm / sizeof e->pcm[0]);
  memcpy(e->pcm + e->n, pcm, (size_t)n * sizeof pcm[0]);
  e->n += (size_t)n;
}

static double amplitude(const float *pcm, size_t n, double hz) { /* Goertzel */
  double w = 2 * cos(2 * M_PI * hz / AUDIO_RATE), s1 = 0, s2 = 0;
  for (size_t i = 0; i < n; i++) {
    double s = pcm[i] + w * s1 - s2;
    s2 = s1;
    s1 = s;
  }
  return 2 * sqrt(s1 * s1 + s2 * s2 - w * s1 * s2) / (double)n;
}

/* What of both tones was heard, one letter each time it changes: "LH" rises. */
static void order_of(const struct ear *e, char out[16]) {
  const size_t n = AUDIO_MS(60);
  size_t len = 0;
  for (size_t i = 0; i + n <= e->n && len < 15; i += n / 2) {
    double low = amplitude(e->pcm + i, n, LOW), high = amplitude(e->pcm + i, n, HIGH);
    char c = low > 0.1 && low > 3 * high ? 'L' : high > 0.1 && high > 3 * low ? 'H' : 0;
    if (c && (len == 0 || out[len - 1] != c))
      out[len++] = c;
  }
  out[len] = 0;
}

static void tone(struct kit *k, bool rising) {
  struct media_cmd cmd = {.kind = MEDIA_TONE, .room = 1, .rising = rising};
  mediaport_command(k->m, k->now, &cmd);
}

static void run(struct kit *k, struct ear *a, struct ear *b, unsigned frames, struct encoder *talks) {
  uint8_t payload[AUDIO_PACKET_MAX];
  for (unsigned i = 0; i < frames; i++) {
    us_t until = k->now + 20 * US_PER_MS;
    if (talks) {
      talk(k, &k->a, talks, &k->a.at, payload);
      deliver(k);
      hear(a, &k->a);
      hear(b, &k->b);
    }
    for (us_t t; (t = mediaport_next_timeout(k->m)) <= until;) {
      k->now = t > k->now ? t : k->now;
      mediaport_handle_timeout(k->m, k->now);
      deliver(k);
      hear(a, &k->a);
      hear(b, &k->b);
    }
    k->now = until;
    k->n_ev = 0;
  }
}

static void begin(struct kit *k, struct ear *a, struct ear *b) {
  connect_party(k, &k->a);
  connect_party(k, &k->b);
  k->n_ev = 0;
  *a = *b = (struct ear){0};
  a->decoder = decoder_create();
  b->decoder = decoder_create();
  a->before = k->a.packets;
  b->before = k->b.packets;
}

static struct ear ear_a, ear_b;

static void test_in_silence(void **state) {
  struct kit *k = *state;
  char order[16];
  begin(k, &ear_a, &ear_b);
  tone(k, true);
  run(k, &ear_a, &ear_b, 60, NULL);
  order_of(&ear_a, order);
  assert_string_equal(order, "LH");
  order_of(&ear_b, order);
  assert_string_equal(order, "LH");
  ear_a.n = ear_b.n = 0;
  tone(k, false);
  run(k, &ear_a, &ear_b, 60, NULL);
  order_of(&ear_b, order);
  assert_string_equal(order, "HL");
  size_t heard = ear_b.n;
  run(k, &ear_a, &ear_b, 100, NULL);
  assert_int_equal(ear_b.n, heard); /* and then nothing more */
  decoder_destroy(ear_a.decoder);
  decoder_destroy(ear_b.decoder);
}

static void test_while_somebody_talks(void **state) {
  struct kit *k = *state;
  char order[16];
  struct encoder *e = voice();
  begin(k, &ear_a, &ear_b);
  run(k, &ear_a, &ear_b, 20, e);
  assert_int_equal(ear_a.n, 0); /* nobody hears himself */
  tone(k, true);
  run(k, &ear_a, &ear_b, 40, e);
  order_of(&ear_a, order);
  assert_string_equal(order, "LH"); /* he hears them too */
  order_of(&ear_b, order);
  assert_string_equal(order, "LH");
  encoder_destroy(e);
  decoder_destroy(ear_a.decoder);
  decoder_destroy(ear_b.decoder);
}

static void test_a_room_that_closes_meanwhile(void **state) {
  struct kit *k = *state;
  struct media_cmd close = {.kind = MEDIA_ROOM_CLOSE, .room = 1}, nowhere = {.kind = MEDIA_TONE, .room = 99};
  begin(k, &ear_a, &ear_b);
  tone(k, true);
  tone(k, false); /* begun and ended at once */
  run(k, &ear_a, &ear_b, 5, NULL);
  mediaport_command(k->m, k->now, &close);
  mediaport_command(k->m, k->now, &nowhere);
  assert_int_equal(mediaport_next_timeout(k->m), US_NEVER);
  decoder_destroy(ear_a.decoder);
  decoder_destroy(ear_b.decoder);
}

/* From three on the audience of this room gets larger packets: whoever is hidden is not one of them. */
static unsigned tiers_told(struct kit *k, bool third_is_hidden) {
  struct mediaport_config c = {
      .dtls = k->server_ctx, .rng = &k->rng, .send = on_send, .tell = on_tell, .ctx = k, .packed_from = 3};
  mediaport_destroy(k->m);
  k->m = mediaport_create(&c);
  k->n_ev = 0;
  struct media_cmd room = {.kind = MEDIA_ROOM_OPEN, .room = 1};
  mediaport_command(k->m, k->now, &room);
  add(k, &k->a, 1, 1);
  set(k, &k->a, MEDIA_PEER_SET, false, true);
  add(k, &k->b, 2, 1);
  k->n_ev = 0;
  struct media_cmd third = order(&k->c, MEDIA_PEER_ADD, 1);
  third.peer = 3;
  third.member = third_is_hidden ? ROOM_SILENT : 3;
  third.hidden = third_is_hidden;
  third.may_send = false;
  third.params = k->b.p;
  snprintf(third.params.local_ufrag, sizeof third.params.local_ufrag, "ufrag003");
  mediaport_command(k->m, k->now, &third);
  unsigned n = 0;
  for (size_t i = 0; i < k->n_ev; i++)
    n += k->ev[i].kind == MEDIA_TIER && k->ev[i].peer != 3;
  struct media_cmd gone = {.kind = MEDIA_PEER_DEL, .room = 1, .peer = 3};
  mediaport_command(k->m, k->now, &gone);
  return n;
}

static void test_silence_is_not_counted(void **state) {
  struct kit *k = *state;
  assert_int_equal(tiers_told(k, false), 1); /* a third one who is seen makes the room a large one */
  assert_int_equal(tiers_told(k, true), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_in_silence, make, unmake),
      cmocka_unit_test_setup_teardown(test_while_somebody_talks, make, unmake),
      cmocka_unit_test_setup_teardown(test_silence_is_not_counted, make, unmake),
      cmocka_unit_test_setup_teardown(test_a_room_that_closes_meanwhile, make, unmake)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
