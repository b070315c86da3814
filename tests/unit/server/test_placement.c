/* placement: which media thread a room gets when it begins to sound: by what the threads really do, and by
 * the paths on them; and that it stays there while anybody has a path. */
#define on_media kit_on_media
#include "control_kit.h"
#undef on_media

#define THREADS 3

static unsigned busy[THREADS]; /* thousandths of a core */
static unsigned added, closed; /* the thread of the last PEER_ADD, of the last ROOM_CLOSE */
static unsigned adds[THREADS], removed;
static char resume[64]; /* the secret of who came last */

static void on_media(void *ctx, unsigned thread, const struct media_cmd *cmd) {
  (void)ctx;
  assert_true(thread < THREADS);
  if (cmd->kind == MEDIA_PEER_ADD) {
    added = thread;
    adds[thread]++;
  } else if (cmd->kind == MEDIA_PEER_DEL)
    removed++;
  else if (cmd->kind == MEDIA_ROOM_CLOSE)
    closed = thread;
}

static unsigned on_load(void *ctx, unsigned thread) {
  (void)ctx;
  return busy[thread];
}

static int begin(void **state) {
  struct kit *k = calloc(1, sizeof *k);
  static const uint8_t KEY[32] = {7};
  char why[256] = "";
  assert_non_null(k);
  k->now = START;
  rng_seed(&k->rng, 42);
  memset(busy, 0, sizeof busy);
  memset(adds, 0, sizeof adds);
  added = closed = THREADS;
  removed = 0;
  assert_int_equal(store_open(":memory:", KEY, &k->rng, &k->store, why), ERR_OK);
  struct control_config c = {.store = k->store,
                             .rng = &k->rng,
                             .media_threads = THREADS,
                             .media = on_media,
                             .media_load = on_load,
                             .want_write = on_want_write,
                             .ctx = k};
  assert_int_equal(control_create(&c, k->now, WALL, &k->c, why), ERR_OK);
  *state = k;
  return 0;
}

static int end(void **state) {
  struct kit *k = *state;
  control_destroy(k->c);
  store_close(k->store);
  free(k);
  return 0;
}

static void room(struct kit *k, const char *name) {
  assert_int_equal(control_room_create(k->c, name, false, &k->host, &k->guest), ERR_OK);
  control_commit(k->c);
}

/* join_with_sound of the kit is of the room "den". */
static uint32_t come(struct kit *k, const char *name) {
  char *text = sound_text(k, k->guest.room, name);
  uint32_t conn = open_conn(k, false);
  say(k, conn, text);
  json_t *o = answer(k, conn, 1), *result = json_object_get(o, "result");
  assert_non_null(json_str(result, "sdp", NULL));
  snprintf(resume, sizeof resume, "%s", json_str(result, "resume", ""));
  json_decref(o);
  free(text);
  return conn;
}

/* Rooms that were made long before, as after a restart, are spread when they begin to sound. */
static void test_spread(void **state) {
  struct kit *k = *state;
  char name[16];
  for (int i = 0; i < 9; i++) {
    snprintf(name, sizeof name, "room%d", i);
    room(k, name);
    come(k, "a");
    come(k, "b");
  }
  for (unsigned t = 0; t < THREADS; t++)
    assert_int_equal(adds[t], 6);
}

static void test_by_what_they_do(void **state) {
  struct kit *k = *state;
  busy[0] = 500; /* one room with many talkers, say */
  busy[1] = 20;
  busy[2] = 30;
  for (int i = 0; i < 4; i++) {
    char name[16];
    snprintf(name, sizeof name, "room%d", i);
    room(k, name);
    come(k, "a");
    assert_int_equal(added, 1); /* a few paths are nothing against a hundredth of a core */
  }
  busy[1] = 400;
  room(k, "later");
  come(k, "a");
  assert_int_equal(added, 2);
}

static void test_stays_while_in_use(void **state) {
  struct kit *k = *state;
  room(k, "den");
  uint32_t a = come(k, "a");
  unsigned home = added;
  busy[home] = 900;
  uint32_t b = come(k, "b");
  assert_int_equal(added, home); /* two of one room who sit together */
  say(k, a, RPC(5, "room.leave", "{}"));
  control_commit(k->c);
  uint32_t c = come(k, "c");
  assert_int_equal(added, home);
  say(k, b, RPC(5, "room.leave", "{}"));
  say(k, c, RPC(5, "room.leave", "{}"));
  control_commit(k->c);
  assert_int_equal(closed, THREADS);
  come(k, "d"); /* nobody was left: it moves to where there is time */
  assert_int_not_equal(added, home);
  assert_int_equal(closed, home);
}

/* His line broke, his sound did not: who comes back without an offer keeps his path, with no new handshake.
 */
static void test_resume_keeps_the_path(void **state) {
  struct kit *k = *state;
  char text[300];
  room(k, "den");
  uint32_t a = come(k, "a");
  unsigned home = added;
  control_closed(k->c, a);
  tick(k, 30 * US_PER_S);
  control_commit(k->c);
  snprintf(text, sizeof text, RPC(1, "room.join", "{\"room\":\"den\",\"resume\":\"%s\"}"), resume);
  a = open_conn(k, false);
  expect(k, a, 1, text, "ok");
  assert_int_equal(adds[home], 1);
  assert_int_equal(removed, 0);
  struct media_event ev = {.kind = MEDIA_STATS, .peer = 1}; /* it is his as before */
  control_media_event(k->c, home, &ev);
  say(k, a, RPC(5, "room.leave", "{}"));
  control_commit(k->c);
  assert_int_equal(removed, 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_spread, begin, end),
      cmocka_unit_test_setup_teardown(test_by_what_they_do, begin, end),
      cmocka_unit_test_setup_teardown(test_stays_while_in_use, begin, end),
      cmocka_unit_test_setup_teardown(test_resume_keeps_the_path, begin, end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
