/* A clock that jumps ahead deletes nothing for a day; one that goes back again does not stop the sweeps. */
#include "core/access/access_private.h"
#include "privacy_kit.h"

static void tick(struct kit *k, int64_t at_ms) {
  k->now_ms = at_ms;
  access_tick(k->a, at_ms);
  kit_commit(k);
}

static void test_ahead_for_good(void **state) {
  struct kit *k = *state;
  kit_visit(k, ANN, "blue", 77);
  kit_event(k, "room:old", 1, "chat.sent", ANN, "words");
  kit_event(k, "room:old", 2, "room.ended", NULL, "");
  kit_commit(k);
  tick(k, NOW_MS + HOUR_MS);
  for (int hour = 0; hour < 24; hour++) {
    tick(k, NOW_MS + 400 * DAY_MS + hour * HOUR_MS);
    assert_int_equal(kit_docs(k, "visit", ANN), 1);
  }
  kit_pass(k, 2 * DAY_MS); /* it stays so: it is so */
  assert_int_equal(kit_docs(k, "visit", NULL), 0);
}

static void test_ahead_and_back(void **state) {
  struct kit *k = *state;
  kit_visit(k, ANN, "blue", 77);
  tick(k, NOW_MS + HOUR_MS);
  tick(k, NOW_MS + 400 * DAY_MS);
  tick(k, NOW_MS + 2 * HOUR_MS); /* someone set it right */
  kit_pass(k, 29 * DAY_MS);
  assert_int_equal(kit_docs(k, "visit", ANN), 1);
  kit_pass(k, 2 * DAY_MS);
  assert_int_equal(kit_docs(k, "visit", ANN), 0);
}

/* gaveld starts with a clock far ahead of its newest audit entry. */
static void test_ahead_at_the_start(void **state) {
  struct kit *k = *state;
  kit_visit(k, ANN, "blue", 77);
  audit_note(k->a, &(struct audit_entry){.action = "room.lock"});
  kit_commit(k);
  kit_close(k);
  k->now_ms += 400 * DAY_MS;
  kit_open(k);
  for (int hour = 0; hour < 24; hour++) {
    tick(k, k->now_ms + (hour > 0) * HOUR_MS);
    assert_int_equal(kit_docs(k, "visit", ANN), 1);
  }
  kit_pass(k, 2 * DAY_MS);
  assert_int_equal(kit_docs(k, "visit", ANN), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, kit_setup, kit_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_ahead_for_good),
      TEST(test_ahead_and_back),
      TEST(test_ahead_at_the_start),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
