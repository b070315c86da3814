/* What is deleted because somebody deleted it, and keys under which nothing is left. */
#include "store_kit.h"

#define ADA "p-00000000000000aa"
#define BOB "p-00000000000000bb"
#define GONE "p-00000000000000cc"

static void say(struct kit *k, const char *stream, uint64_t seq, const char *actor, const char *kind,
                const char *pid) {
  struct store_record r = {stream, seq, 1700000000000, actor, kind, "", "{}", "words", pid};
  assert_int_equal(store_append(k->s, &r), ERR_OK);
}

static enum err take_left(void *ctx, const struct store_record *r) {
  size_t n = strlen(ctx);
  if (r->payload)
    snprintf((char *)ctx + n, 64 - n, "%" PRIu64 " ", r->seq);
  return ERR_OK;
}
static void expect_left(struct kit *k, const char *stream, const char *want) {
  char left[64] = "";
  assert_int_equal(store_replay(k->s, stream, 0, take_left, left), ERR_OK);
  assert_string_equal(left, want);
}

static void fill(struct kit *k) {
  kit_open(k);
  say(k, "room:a", 1, "m:1", "chat.sent", ADA);
  say(k, "room:a", 2, "m:2", "chat.sent", BOB);
  say(k, "room:a", 3, "m:1", "chat.edited", ADA);
  say(k, "room:a", 4, "m:1", "member.joined", ADA);
  say(k, "room:a", 5, "m:11", "chat.sent", "");
  say(k, "room:b", 1, "m:1", "chat.sent", ADA);
  assert_int_equal(store_commit(k->s), ERR_OK);
}

static void test_one_message(void **state) {
  struct kit *k = *state;
  static const char *const held[] = {BOB, NULL};
  fill(k);
  assert_int_equal(store_erase_payload(k->s, "room:a", 1, held), ERR_OK);
  assert_int_equal(store_erase_payload(k->s, "room:a", 2, held), ERR_OK); /* kept */
  assert_int_equal(store_erase_payload(k->s, "room:a", 5, held), ERR_OK);
  assert_int_equal(store_erase_payload(k->s, "room:a", 99, NULL), ERR_OK);
  expect_left(k, "room:a", "2 3 4 ");
  store_rollback(k->s);
  expect_left(k, "room:a", "1 2 3 4 5 "); /* part of the group */
  assert_int_equal(store_erase_payload(k->s, "room:a", 2, NULL), ERR_OK);
  assert_int_equal(store_commit(k->s), ERR_OK);
  kit_reopen(k);
  expect_left(k, "room:a", "1 3 4 5 ");
  expect_left(k, "room:b", "1 ");
  assert_int_equal(store_verify(k->s, k->why), ERR_OK);
}

static void test_all_of_one(void **state) {
  struct kit *k = *state;
  static const char *const held[] = {ADA, NULL};
  fill(k);
  assert_int_equal(store_erase_by(k->s, "room:a", "m:1", "chat.sent,chat.edited", held), ERR_OK);
  expect_left(k, "room:a", "1 2 3 4 5 ");
  assert_int_equal(store_erase_by(k->s, "room:a", "m:1", "chat.sent,chat.edited", NULL), ERR_OK);
  assert_int_equal(store_commit(k->s), ERR_OK);
  expect_left(k, "room:a", "2 4 5 ");
  expect_left(k, "room:b", "1 ");
  assert_int_equal(store_verify(k->s, k->why), ERR_OK);
}

static bool known(struct kit *k, const char *pid) {
  bool has;
  assert_int_equal(store_has_subject(k->s, pid, &has), ERR_OK);
  return has;
}

static void test_keys_of_nothing(void **state) {
  struct kit *k = *state;
  char pid[STORE_PID_MAX + 1] = "";
  uint64_t n, all = 0;
  unsigned rounds = 0;
  fill(k);
  assert_int_equal(store_put_doc(k->s, "c", "1", GONE, "text"), ERR_OK);
  assert_int_equal(store_put_doc(k->s, "c", "2", BOB, "text"), ERR_OK);
  assert_int_equal(store_commit(k->s), ERR_OK);
  assert_int_equal(store_del_doc(k->s, "c", "1"), ERR_OK);
  assert_int_equal(store_erase_before(k->s, "room:a", "*", INT64_MAX, NULL, &n), ERR_OK);
  do {
    assert_int_equal(store_drop_keys(k->s, pid, 1, &n), ERR_OK);
    all += n;
  } while (pid[0] && ++rounds < 10);
  assert_int_equal(all, 1);
  assert_int_equal(rounds, 3);
  assert_true(known(k, ADA) && known(k, BOB)); /* ada's words in b, bob's document */
  assert_false(known(k, GONE));
  say(k, "room:b", 2, "m:3", "chat.sent", GONE); /* he comes again: a key of its own, and it is stored */
  assert_int_equal(store_commit(k->s), ERR_OK);
  kit_reopen(k);
  expect_left(k, "room:b", "1 2 ");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, kit_setup, kit_teardown)
int main(void) {
  const struct CMUnitTest tests[] = {TEST(test_one_message), TEST(test_all_of_one),
                                     TEST(test_keys_of_nothing)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
