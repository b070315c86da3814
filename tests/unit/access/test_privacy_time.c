/* Retention, class by class, on a clock of the test; and the list of what is stored against the schema. */
#include "tests/unit/access/privacy_kit.h"

static enum err count_purge(void *ctx, const struct store_record *r) {
  *(unsigned *)ctx += strcmp(r->kind, "retention.purge") == 0;
  return ERR_OK;
}
static unsigned purges(struct kit *k) {
  unsigned n = 0;
  assert_int_equal(store_replay(k->s, "audit", 0, count_purge, &n), ERR_OK);
  return n;
}

static json_int_t seconds_in(struct kit *k, const char *params, const char *room) {
  json_t *reply, *row;
  json_int_t n = 0;
  size_t i;
  assert_int_equal(kit_call(k, "metering.list", params, &reply), ERR_OK);
  json_array_foreach(json_object_get(reply, "metering"), i,
                     row) if (strcmp(json_str(row, "room", ""), room) == 0) n += json_int(row, "seconds", 0);
  json_decref(reply);
  return n;
}

static void test_visits_are_counted_by_room(void **state) {
  struct kit *k = *state;
  kit_visit(k, ANN, "blue", 10);
  kit_visit(k, BOB, "blue", 20);
  kit_visit(k, BOB, "red", 5);
  struct access_visit back = {
      .pid = ANN, .app = "shop", .room = "blue", .from_ms = k->now_ms, .to_ms = k->now_ms - 1};
  access_visit(k->a, &back); /* a clock that went back counts nothing */
  assert_int_equal(seconds_in(k, "{}", "blue"), 30);
  assert_int_equal(seconds_in(k, "{}", "red"), 5);
  assert_int_equal(seconds_in(k, "{\"app\":\"shop\"}", "red"), 5);
  assert_int_equal(seconds_in(k, "{\"app\":\"other\"}", "red"), 0);
}

static void test_a_visit_of_nobody_is_anonymous_at_once(void **state) {
  struct kit *k = *state;
  kit_visit(k, "", "blue", 10);
  assert_int_equal(kit_docs(k, "visit", NULL), 0);
  assert_int_equal(kit_docs(k, "usage", NULL), 1);
}

static void test_visits_lose_the_person_and_then_go(void **state) {
  struct kit *k = *state;
  k->now_ms = NOW_MS + 1234567;
  kit_visit(k, ANN, "blue", 77);
  kit_pass(k, 29 * DAY_MS);
  assert_int_equal(kit_docs(k, "visit", ANN), 1);
  kit_pass(k, 2 * DAY_MS);
  assert_int_equal(kit_docs(k, "visit", NULL), 0);
  json_t *docs = privacy_docs(k->a, "usage", NULL, NULL);
  const json_t *doc = json_object_get(json_array_get(docs, 0), "doc");
  assert_int_equal(json_array_size(docs), 1);
  assert_int_equal(json_int(doc, "from_ms", 1) % HOUR_MS, 0);
  assert_int_equal(json_int(doc, "to_ms", 1) % HOUR_MS, 0);
  assert_int_equal(json_int(doc, "loss_permille", 0), 12);
  assert_int_equal(json_int(doc, "seconds", 0), 77);
  assert_string_equal(json_str(json_array_get(docs, 0), "pid", "?"), "");
  json_decref(docs);
  assert_int_equal(purges(k), 1);
  kit_pass(k, 360 * DAY_MS);
  assert_int_equal(seconds_in(k, "{}", "blue"), 77);
  kit_pass(k, 10 * DAY_MS);
  assert_int_equal(seconds_in(k, "{}", "blue"), 0);
  assert_int_equal(kit_docs(k, "usage", NULL), 0);
  assert_int_equal(purges(k), 1); /* this one; the line of the first is older than 180 days, and gone */
}

static void test_the_sweeper_comes_every_hour(void **state) {
  struct kit *k = *state;
  assert_true(access_next_ms(k->a) <= NOW_MS + HOUR_MS);
  kit_pass(k, HOUR_MS);
  assert_true(privacy_next_ms(k->a) == NOW_MS + 2 * HOUR_MS);
  assert_int_equal(purges(k), 0); /* nothing was due: no line */
}

#define ROOM "room:blue@1800000000000"
static void ended_room(struct kit *k) {
  kit_event(k, ROOM, 1, "room.created", "", "");
  kit_event(k, ROOM, 2, "member.joined", ANN, "name-of-ann");
  kit_event(k, ROOM, 3, "chat.sent", ANN, "words-of-ann");
  kit_event(k, ROOM, 4, "chat.sent", BOB, "words-of-bob");
  kit_event(k, ROOM, 5, "room.ended", "", "");
}

static void test_chat_goes_with_the_room(void **state) {
  struct kit *k = *state;
  kit_event(k, "room:live@1800000000000", 1, "chat.sent", ANN, "words");
  ended_room(k);
  assert_int_equal(kit_left(k, ROOM).payloads, 3);
  kit_pass(k, HOUR_MS);
  assert_int_equal(kit_left(k, ROOM).payloads, 1);
  assert_int_equal(kit_left(k, "room:live@1800000000000").payloads, 1);
  kit_pass(k, 29 * DAY_MS);
  assert_int_equal(kit_left(k, ROOM).payloads, 1);
  kit_pass(k, DAY_MS);
  assert_int_equal(kit_left(k, ROOM).payloads, 0);
  assert_int_equal(kit_left(k, ROOM).events, 5);
  kit_pass(k, 148 * DAY_MS);
  assert_int_equal(kit_left(k, ROOM).events, 5);
  kit_pass(k, 3 * DAY_MS);
  assert_int_equal(kit_left(k, ROOM).events, 1); /* the last one stays: the chain has an end */
  assert_int_equal(kit_left(k, "room:live@1800000000000").payloads, 1);
  assert_int_equal(store_verify(k->s, k->why), ERR_OK);
}

static void test_chat_days_count_from_the_end(void **state) {
  struct kit *k = *state;
  kit_close(k);
  k->cfg.chat_days = 40;
  kit_open(k);
  ended_room(k);
  kit_pass(k, 39 * DAY_MS);
  assert_int_equal(kit_left(k, ROOM).payloads, 3);
  kit_pass(k, 2 * DAY_MS);
  assert_int_equal(kit_left(k, ROOM).payloads, 0);
}

static void test_a_hold_stops_the_sweeper(void **state) {
  struct kit *k = *state;
  ended_room(k);
  kit_visit(k, ANN, "blue", 5);
  kit_visit(k, BOB, "blue", 5);
  assert_int_equal(
      kit_call(k, "hold.add", "{\"user\":\"" ANN "\",\"reason\":\"suit\",\"for\":17280000}", NULL), ERR_OK);
  kit_pass(k, 60 * DAY_MS);
  assert_int_equal(kit_left(k, ROOM).payloads, 2);
  assert_int_equal(kit_docs(k, "visit", ANN), 1);
  assert_int_equal(kit_docs(k, "visit", BOB), 0);
  kit_pass(k, 125 * DAY_MS);
  assert_int_equal(kit_left(k, ROOM).events, 5);
  kit_pass(k, 20 * DAY_MS); /* 205: the hold ended after 200 */
  assert_int_equal(kit_left(k, ROOM).events, 1);
  assert_int_equal(kit_left(k, ROOM).payloads, 0);
  assert_int_equal(kit_docs(k, "visit", ANN), 0);
}

/* ---- the list of what is stored ---- */

static enum err take_table(void *ctx, const char *table, const char *columns) {
  json_object_set_new(ctx, table, json_string(columns));
  return ERR_OK;
}

static void test_the_list_is_the_schema(void **state) {
  struct kit *k = *state;
  json_t *schema = json_object(), *records = privacy_records(k->a), *r, *columns;
  size_t i;
  const char *table;
  assert_int_equal(store_schema(k->s, take_table, schema), ERR_OK);
  assert_true(json_object_size(schema) >= 6);
  json_array_foreach(records, i, r) {
    assert_true(strlen(json_str(r, "category", "")) > 5 && strlen(json_str(r, "purpose", "")) > 5);
    assert_true(strlen(json_str(r, "retention", "")) > 5);
    if (strcmp(json_str(r, "kind", ""), "table") != 0)
      continue;
    if (!json_object_get(schema, json_str(r, "name", "")))
      fail_msg("there is no table %s", json_str(r, "name", ""));
    json_object_del(schema, json_str(r, "name", ""));
  }
  json_object_foreach(schema, table, columns) fail_msg("table %s is not in privacy_records.def", table);
  json_decref(schema);
  json_decref(records);
}

static void test_no_column_is_for_a_name(void **state) {
  struct kit *k = *state;
  static const char *const WORDS[] = {"mail", "phone", "address", "addr", "user", "display", "nick", "ip"};
  json_t *schema = json_object(), *columns;
  const char *table;
  assert_int_equal(store_schema(k->s, take_table, schema), ERR_OK);
  json_object_foreach(schema, table, columns) {
    char list[256], *rest = NULL;
    snprintf(list, sizeof list, "%s", json_string_value(columns));
    for (char *c = strtok_r(list, ", ", &rest); c; c = strtok_r(NULL, ", ", &rest)) {
      for (size_t w = 0; w < sizeof WORDS / sizeof WORDS[0]; w++)
        if (strcmp(c, WORDS[w]) == 0)
          fail_msg("column %s of %s", c, table);
      if (strcmp(c, "name") == 0)
        assert_string_equal(table, "secret"); /* of a key of the server */
    }
  }
  json_decref(schema);
}

#define T(f) cmocka_unit_test_setup_teardown(f, kit_setup, kit_teardown)
int main(void) {
  const struct CMUnitTest tests[] = {
      T(test_visits_are_counted_by_room),
      T(test_a_visit_of_nobody_is_anonymous_at_once),
      T(test_visits_lose_the_person_and_then_go),
      T(test_the_sweeper_comes_every_hour),
      T(test_chat_goes_with_the_room),
      T(test_chat_days_count_from_the_end),
      T(test_a_hold_stops_the_sweeper),
      T(test_the_list_is_the_schema),
      T(test_no_column_is_for_a_name),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
