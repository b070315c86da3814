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

static void visit_until(struct kit *k, const char *pid, int64_t to_ms) {
  struct access_visit v = {
      .pid = pid, .app = "shop", .room = "blue", .from_ms = to_ms - 1000, .to_ms = to_ms, .kbps = 40};
  access_visit(k->a, &v);
}

/* Identified or not, in the order of their ends; when there are too many, the last of both. */
static void test_visits_come_by_time(void **state) {
  struct kit *k = *state;
  const int64_t T = NOW_MS / HOUR_MS * HOUR_MS + HOUR_MS;
  visit_until(k, "", T + 50 * 60000); /* kept as T: by the hour */
  visit_until(k, ANN, T + 20 * 60000);
  visit_until(k, BOB, T - 5 * 60000);
  visit_until(k, ANN, T + 10 * 60000);
  kit_commit(k);
  json_t *rows = access_visits(k->a, "shop", "blue", T + 15 * 60000);
  assert_int_equal(json_array_size(rows), 2); /* nobody's, of which only the hour is known, and the later */
  assert_int_equal(json_int(json_array_get(rows, 0), "to_ms", 0), T);
  assert_int_equal(json_int(json_array_get(rows, 1), "to_ms", 0), T + 20 * 60000);
  assert_int_equal(json_int(json_array_get(rows, 1), "kbps", 0), 40);
  json_decref(rows);
  for (int i = 0; i < ACCESS_VISITS_MAX + 200; i++)
    visit_until(k, i % 2 ? ANN : "", T + 2 * HOUR_MS + i * 1000);
  kit_commit(k);
  rows = access_visits(k->a, "shop", "blue", 0);
  assert_int_equal(json_array_size(rows), ACCESS_VISITS_MAX);
  for (size_t i = 1; i < ACCESS_VISITS_MAX; i++)
    assert_true(json_int(json_array_get(rows, i - 1), "to_ms", 0) <=
                json_int(json_array_get(rows, i), "to_ms", 0));
  assert_true(json_int(json_array_get(rows, 0), "to_ms", 0) >= T + 2 * HOUR_MS);
  json_decref(rows);
  rows = access_visits(k->a, "", "blue", 0);
  assert_int_equal(json_array_size(rows), 0);
  json_decref(rows);
}

static void test_a_visit_of_nobody_is_anonymous_at_once(void **state) {
  struct kit *k = *state;
  kit_visit(k, "", "blue", 10);
  assert_int_equal(kit_docs(k, "visit", NULL), 0);
  json_t *docs = privacy_docs(k->a, "usage", NULL);
  assert_int_equal(json_array_size(docs), 1);
  const json_t *doc = json_object_get(json_array_get(docs, 0), "doc");
  assert_int_equal(json_int(doc, "seconds", 1), 0);
  assert_int_equal(json_int(doc, "to_ms", 1) % HOUR_MS, 0);
  json_decref(docs);
}

static void test_visits_lose_the_person_and_then_go(void **state) {
  struct kit *k = *state;
  k->now_ms = NOW_MS + 1234567;
  kit_visit(k, ANN, "blue", 77);
  kit_pass(k, 29 * DAY_MS);
  assert_int_equal(kit_docs(k, "visit", ANN), 1);
  kit_pass(k, 2 * DAY_MS);
  assert_int_equal(kit_docs(k, "visit", NULL), 0);
  json_t *docs = privacy_docs(k->a, "usage", NULL);
  const json_t *doc = json_object_get(json_array_get(docs, 0), "doc");
  assert_int_equal(json_array_size(docs), 1);
  assert_int_equal(json_int(doc, "from_ms", 1) % HOUR_MS, 0);
  assert_int_equal(json_int(doc, "to_ms", 1) % HOUR_MS, 0);
  assert_int_equal(json_int(doc, "loss_permille", 0), 12);
  assert_int_equal(json_int(doc, "seconds", 0), 60); /* exact ones would lead back to him */
  assert_string_equal(json_str(json_array_get(docs, 0), "pid", "?"), "");
  json_decref(docs);
  assert_int_equal(purges(k), 1);
  kit_pass(k, 360 * DAY_MS);
  assert_int_equal(seconds_in(k, "{}", "blue"), 60);
  kit_pass(k, 10 * DAY_MS);
  assert_int_equal(seconds_in(k, "{}", "blue"), 0);
  assert_int_equal(kit_docs(k, "usage", NULL), 0);
  kit_pass(k, 2 * DAY_MS);
  assert_in_range(purges(k), 1, 2); /* this one; that of the first goes when the audit log is pruned next */
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

/* ---- rooms that go on ---- */

#define LIVE "room:live@1800000000000"
static void test_a_meeting_ends_when_all_have_left(void **state) {
  struct kit *k = *state;
  struct access_purged kept = {0};
  int64_t ends[2] = {NOW_MS + HOUR_MS, NOW_MS + 3 * DAY_MS};
  k->cfg.chat_days = 2;
  access_configure(k->a, &k->cfg);
  kit_event(k, LIVE, 1, "member.joined", ANN, "name");
  kit_event(k, LIVE, 2, "chat.sent", ANN, "first meeting");
  kit_event(k, LIVE, 3, "room.topic", ANN, "topic");
  kit_pass(k, 2 * DAY_MS);
  kit_event(k, LIVE, 4, "chat.sent", BOB, "second meeting");
  assert_true(access_purge_next_ms(k->a, ends, 0, &kept) == INT64_MAX);
  assert_true(access_purge_next_ms(k->a, ends, 2, &kept) == NOW_MS + 2 * DAY_MS + 2 * HOUR_MS);
  assert_int_equal(access_purge_room(k->a, LIVE, ends, 2, &kept), 0);
  kit_pass(k, 2 * HOUR_MS);
  assert_int_equal(access_purge_room(k->a, LIVE, ends, 2, &kept), 1);
  assert_int_equal(access_purge_room(k->a, LIVE, ends, 2, &kept), 0);
  assert_true(access_purge_next_ms(k->a, ends, 2, &kept) == NOW_MS + 5 * DAY_MS + HOUR_MS);
  kit_pass(k, 4 * DAY_MS);
  assert_int_equal(access_purge_room(k->a, LIVE, ends, 2, &kept), 1);
  assert_int_equal(kit_left(k, LIVE).payloads, 2);
  kit_pass(k, 27 * DAY_MS);
  assert_int_equal(access_purge_room(k->a, LIVE, ends, 2, &kept), 1); /* the name; the topic still stands */
  assert_int_equal(kit_left(k, LIVE).payloads, 1);
  assert_true(access_purge_next_ms(k->a, ends, 2, &kept) == INT64_MAX);
  kit_commit(k);
  assert_int_equal(purges(k), 4); /* and one of a key under which nothing was left */
}

static void test_a_hold_keeps_a_meeting(void **state) {
  struct kit *k = *state;
  struct access_purged kept = {0};
  int64_t end = NOW_MS + 1000;
  kit_event(k, LIVE, 1, "chat.sent", ANN, "words");
  assert_int_equal(kit_call(k, "hold.add", "{\"user\":\"" ANN "\",\"reason\":\"x\",\"for\":86400}", NULL),
                   ERR_OK);
  kit_pass(k, 2 * HOUR_MS);
  assert_int_equal(access_purge_room(k->a, LIVE, &end, 1, &kept), 0);
  assert_true(access_purge_next_ms(k->a, &end, 1, &kept) == k->now_ms + DAY_MS); /* not at once again */
  kit_pass(k, DAY_MS);
  assert_int_equal(access_purge_room(k->a, LIVE, &end, 1, &kept), 1);
}

/* ---- many ---- */

static void ended_rooms(struct kit *k, unsigned n) {
  for (unsigned i = 0; i < n; i++) {
    char stream[48];
    snprintf(stream, sizeof stream, "room:r%04u@1", i);
    for (uint64_t seq = 1; seq <= 3; seq++) {
      struct store_record r = {.stream = stream,
                               .seq = seq,
                               .ts_ms = k->now_ms,
                               .actor = "m:1",
                               .kind = seq == 3 ? "room.ended" : "chat.sent",
                               .target = "",
                               .data = "{}",
                               .payload = seq < 3 ? "{}" : NULL,
                               .subject = ANN};
      assert_int_equal(store_append(k->s, &r), ERR_OK);
    }
  }
  kit_commit(k);
}

/* What was done with a room is known after a restart, and a lost group is done again. */
static void test_nothing_is_walked_twice(void **state) {
  struct kit *k = *state;
  ended_rooms(k, 40);
  k->now_ms += HOUR_MS;
  access_tick(k->a, k->now_ms);
  assert_true(json_array_size(k->a->privacy->queue) > 0); /* some a tick */
  store_rollback(k->s);
  access_reload(k->a);
  assert_int_equal(json_object_size(k->a->privacy->swept), 0);
  assert_int_equal(kit_left(k, "room:r0039@1").payloads, 2);
  kit_pass(k, HOUR_MS);
  assert_int_equal(json_object_size(k->a->privacy->swept), 40);
  assert_int_equal(kit_left(k, "room:r0000@1").payloads, 0);
  kit_close(k);
  kit_open(k);
  k->now_ms += HOUR_MS;
  access_tick(k->a, k->now_ms);
  assert_null(k->a->privacy->queue); /* one tick: nothing to do */
  kit_pass(k, 31 * DAY_MS);
  kit_pass(k, 150 * DAY_MS);
  assert_int_equal(kit_left(k, "room:r0000@1").events, 1);
  assert_int_equal(json_object_size(k->a->privacy->swept), 0); /* of what is pruned nothing is kept */
  assert_int_equal(kit_docs(k, "swept", NULL), 0);
}

/* ---- who does not come again ---- */

static bool has_key(struct kit *k, const char *pid) {
  bool has;
  assert_int_equal(store_has_subject(k->s, pid, &has), ERR_OK);
  return has;
}

static void test_visitors_leave_nothing(void **state) {
  struct kit *k = *state;
  static const uint8_t DEVICE[16] = {7}, NONE[16];
  struct grant visitor, guest;
  k->cfg.consent_text = "text";
  k->cfg.consent_version = "1";
  access_configure(k->a, &k->cfg);
  assert_int_equal(access_guest(k->a, "", NONE, &visitor), ERR_OK);
  assert_int_equal(access_guest(k->a, "", DEVICE, &guest), ERR_OK);
  assert_int_equal(access_consent(k->a, visitor.pid, "1", "join"), ERR_OK);
  assert_int_equal(access_enter(k->a, &visitor), ERR_OK);
  assert_int_equal(access_consent(k->a, guest.pid, "1", "join"), ERR_OK);
  assert_int_equal(access_enter(k->a, &guest), ERR_OK);
  kit_visit(k, visitor.pid, "blue", 60);
  kit_pass(k, 20 * DAY_MS);
  assert_int_equal(access_enter(k->a, &guest), ERR_OK); /* he comes again */
  assert_int_equal(kit_docs(k, "consent", visitor.pid), 1);
  kit_pass(k, 11 * DAY_MS);
  assert_int_equal(kit_docs(k, "consent", visitor.pid), 0);
  assert_int_equal(kit_docs(k, "consent", guest.pid), 1);
  kit_pass(k, HOUR_MS);
  assert_false(has_key(k, visitor.pid));
  assert_int_equal(access_consent(k->a, guest.pid, NULL, "join"), ERR_OK);
  kit_pass(k, 25 * DAY_MS); /* 30 days and more after his last visit */
  kit_pass(k, HOUR_MS);
  assert_int_equal(kit_docs(k, "consent", NULL) + kit_docs(k, "user", NULL), 0);
  assert_false(has_key(k, guest.pid));
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
      T(test_visits_come_by_time),
      T(test_a_visit_of_nobody_is_anonymous_at_once),
      T(test_visits_lose_the_person_and_then_go),
      T(test_the_sweeper_comes_every_hour),
      T(test_chat_goes_with_the_room),
      T(test_chat_days_count_from_the_end),
      T(test_a_hold_stops_the_sweeper),
      T(test_a_meeting_ends_when_all_have_left),
      T(test_a_hold_keeps_a_meeting),
      T(test_nothing_is_walked_twice),
      T(test_visitors_leave_nothing),
      T(test_the_list_is_the_schema),
      T(test_no_column_is_for_a_name),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
