/* What a crowd costs the server: a whole lobby let in at once, acts that everybody sees, one attacker, a long
 * log. */
#include "core/server/control_private.h"
#include "tests/unit/server/control_kit.h"

#include <time.h>

#define ACT(act, params) RPC(9, "room." act, params)
#define INSIDE 1000
#define WAITING 500

static const char LOBBY_ON[] = RPC(9, "room.lobby", "{\"room\":\"den\",\"on\":true}");

static uint32_t come(struct kit *k, const struct link *l, unsigned n) {
  char name[32];
  const uint8_t addr[16] = {[10] = 0xff, 0xff, 10, 0, (uint8_t)(n >> 8), (uint8_t)n};
  memcpy(k->addr, addr, sizeof addr);
  snprintf(name, sizeof name, "person %u", n);
  return join(k, l, name);
}

static json_t *notified(struct kit *k, uint32_t conn, const char *method) {
  json_t *found = NULL, *o;
  while ((o = next(k, conn))) {
    if (strcmp(json_str(o, "method", ""), method) == 0 && !found)
      found = json_incref(json_object_get(o, "params"));
    json_decref(o);
  }
  return found;
}

static void ok(struct kit *k, uint32_t conn, const char *text) {
  tick(k, US_PER_S / 10);
  expect(k, conn, 9, text, "ok");
}

/* ---- a whole lobby at once ---- */

static double cpu_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec * 1000 + (double)t.tv_nsec / 1000000;
}

/* Bytes behind those outboxes: what several have in common counts once. */
static size_t bytes_held(struct kit *k, const uint32_t *conn, size_t n) {
  size_t bytes = 0, cap = 1 << 16, n_seen = 0;
  struct msg **seen = calloc(cap, sizeof(struct msg *));
  assert_non_null(seen);
  for (size_t i = 0; i < n; i++) {
    const struct conn *c = map_get_u32(k->c->conns, conn[i]);
    for (size_t m = 0; m < c->out.n; m++) {
      size_t at = 0;
      while (at < n_seen && seen[at] != c->out.v[m])
        at++;
      if (at < n_seen)
        continue;
      assert_true(n_seen < cap);
      seen[n_seen++] = c->out.v[m];
      bytes += c->out.v[m]->len;
    }
  }
  free(seen);
  return bytes;
}

/* A replica that was just admitted is the one who comes back would be sent. */
static void assert_whole(struct kit *k, uint32_t conn, size_t members) {
  json_t *p = notified(k, conn, "admitted"), *room = json_object_get(p, "room");
  assert_int_equal(json_array_size(json_object_get(room, "members")), members);
  const struct conn *c = map_get_u32(k->c->conns, conn);
  assert_int_equal(json_int(room, "seq", 0), (json_int_t)c->room->room.seq);
  json_decref(p);
}

static void test_a_full_lobby_is_let_in(void **state) {
  (void)state;
  struct kit *k = kit_make(NULL);
  static uint32_t waits[WAITING], inside[INSIDE];
  uint32_t ann = join(k, &k->host, "ann"), op = open_conn(k, true);
  for (unsigned i = 0; i < INSIDE; i++) {
    inside[i] = come(k, &k->guest, i);
    for (unsigned o = 0; o <= i; o++)
      drain(k, inside[o]), o += i % 50 ? i : 0;
  }
  ok(k, op, LOBBY_ON);
  for (unsigned i = 0; i < WAITING; i++)
    waits[i] = come(k, &k->guest, INSIDE + i);
  ok(k, ann, ACT("msg", "{\"who\":1010,\"text\":\"for you alone\"}"));
  for (unsigned i = 0; i < WAITING; i++)
    drain(k, waits[i]);
  for (unsigned i = 0; i < INSIDE; i++)
    drain(k, inside[i]);
  uint64_t events = k->c->count.events, commits = k->c->count.commits;
  double before = cpu_ms();
  ok(k, ann, ACT("admit_all", "{}"));
  double ms = cpu_ms() - before;
  size_t bytes = bytes_held(k, waits, WAITING);
  print_message("%u let in to %u: %.0f ms of CPU, %zu KB wait for them\n", WAITING, INSIDE, ms, bytes / 1000);
  assert_int_equal(k->c->count.events - events, WAITING);
  assert_int_equal(k->c->count.commits - commits, 1);
  assert_true(bytes < 3 * 400 * 1000); /* the room once for all, and once for who has something of his own */
  json_t *p = notified(k, waits[8], "admitted"), *chat = json_object_get(json_object_get(p, "room"), "chat");
  assert_int_equal(json_array_size(chat), 1);
  json_decref(p);
  p = notified(k, waits[9], "admitted");
  assert_int_equal(json_array_size(json_object_get(json_object_get(p, "room"), "chat")), 0);
  json_decref(p);
  assert_whole(k, waits[0], INSIDE + WAITING + 1);
  assert_whole(k, waits[WAITING - 1], INSIDE + WAITING + 1);
  assert_int_equal(drain(k, inside[0]), WAITING); /* the others heard of each */
  kit_free(k);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_full_lobby_is_let_in),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
