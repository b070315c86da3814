/* The rooms of `gavel watch`: what an update changes, and what it costs. */
#include "tests/unit/tui/watch_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

static const char *at(const struct wf *f, size_t i) {
  return i < f->m->n_shown ? f->m->shown[i]->row.room : "";
}

static json_t *names(const char *name) {
  return json_pack("[s]", name);
}

static void test_worst_first(void **state) {
  (void)state;
  struct wf f;
  wf_begin(&f, WF_ROOMS, WF_N);
  assert_int_equal(f.m->n, WF_N);
  assert_string_equal(at(&f, 0), "acme/standup"); /* two alerts, then the room with more people */
  assert_string_equal(at(&f, 1), "support-1");
  assert_string_equal(at(&f, 2), "globex/lunch");
  assert_int_equal(f.m->alerting, 3);
  watch_model_sort(f.m, WATCH_F_PEOPLE, false, f.now);
  assert_string_equal(at(&f, 0), "globex/all-hands");
  watch_model_sort(f.m, WATCH_F_PEOPLE, true, f.now);
  assert_string_equal(at(&f, 0), "globex/lunch");
  watch_model_sort(f.m, WATCH_F_ROOM, false, f.now);
  assert_string_equal(at(&f, 0), "acme/retro");
  watch_model_sort(f.m, WATCH_F_MOS, false, f.now); /* the worst is the lowest; not known comes last */
  assert_string_equal(at(&f, 0), "acme/standup");
  assert_int_equal(f.m->shown[WF_N - 1]->row.mos_tenths.worst, 0);
  watch_model_sort(f.m, WATCH_F_MOS, true, f.now);
  assert_string_equal(at(&f, 0), "board");
  assert_int_equal(f.m->shown[WF_N - 1]->row.mos_tenths.worst, 0);
  wf_end(&f);
}

/* The list turns over completely: the selected room stays selected, and stays in its line of the screen. */
static void test_selection_is_a_room(void **state) {
  (void)state;
  struct wf f;
  struct wf_room many[60];
  char name[60][24];
  for (int i = 0; i < 60; i++) {
    snprintf(name[i], sizeof name[i], "room-%02d", i);
    many[i] = (struct wf_room){.name = name[i], .people = 100 - i};
  }
  wf_begin(&f, many, 60);
  watch_model_sort(f.m, WATCH_F_PEOPLE, false, f.now);
  assert_null(f.m->selected);
  wf_key(&f, "Down"); /* from nothing: the first */
  assert_string_equal(f.m->selected->row.room, "room-00");
  for (int i = 0; i < 25; i++)
    wf_key(&f, "Down");
  assert_string_equal(f.m->selected->row.room, "room-25");
  size_t line = f.m->at - f.m->top;
  for (int i = 0; i < 60; i++) {
    many[i].people = 40 + i;
    assert_int_equal(wf_change(&f, &many[i]), ERR_OK);
    assert_string_equal(f.m->selected->row.room, "room-25");
    wf_step(&f, 1100);
    assert_ptr_equal(f.m->shown[f.m->at], f.m->selected);
    line = line < f.m->at ? line : f.m->at; /* above the first row there is nothing */
    assert_int_equal(f.m->at - f.m->top, line);
  }
  assert_string_equal(at(&f, 0), "room-59");
  assert_int_equal(f.m->at, 34);
  assert_int_equal(wf_take(&f, wf_feed(json_array(), names("room-25")), false), ERR_OK);
  assert_null(f.m->selected);
  wf_key(&f, "Enter"); /* nobody is looked into by surprise: it chooses what stands there now */
  assert_int_equal(watch_pilot_take(&f.u), WATCH_ORDER_NONE);
  assert_string_equal(f.m->selected->row.room, "room-24");
  wf_key(&f, "Esc");
  assert_null(f.m->selected);
  assert_int_equal(f.m->top, 0);
  wf_end(&f);
}

struct changes {
  unsigned opened, over, changed;
};

static void count(void *ctx, const struct watch_row *before, const struct watch_row *after) {
  struct changes *c = ctx;
  c->opened += before == NULL;
  c->over += after == NULL;
  c->changed += before != NULL && after != NULL;
}

/* After a pause or a lost connection the whole list comes: what it does not name is over. */
static void test_whole_list(void **state) {
  (void)state;
  struct wf f;
  struct changes c = {0};
  wf_begin(&f, WF_ROOMS, WF_N);
  f.m->changed = count;
  f.m->ctx = &c;
  json_t *list = json_array();
  json_array_append_new(list, wf_row(&WF_ROOMS[2]));
  json_array_append_new(list, wf_row(&(struct wf_room){.name = "new", .people = 1}));
  assert_int_equal(wf_take(&f, wf_feed(list, NULL), true), ERR_OK);
  assert_int_equal(f.m->n, 2);
  assert_int_equal(f.m->alerting, 0);
  assert_int_equal(c.opened, 1);
  assert_int_equal(c.changed, 1);
  assert_int_equal(c.over, WF_N - 1);
  wf_end(&f);
}

static void test_filter(void **state) {
  (void)state;
  struct wf f;
  struct watch_fault fault;
  wf_begin(&f, WF_ROOMS, WF_N);
  assert_int_equal(watch_model_filter(f.m, "app=acme", f.now, &fault), ERR_OK);
  assert_int_equal(f.m->n_shown, 2);
  assert_int_equal(watch_model_filter(f.m, "loss>>", f.now, &fault), ERR_BAD_ARG);
  assert_int_equal(f.m->n_shown, 2); /* as it was */
  assert_int_equal(watch_model_filter(f.m, "waiting>2", f.now, &fault), ERR_OK);
  assert_int_equal(f.m->n_shown, 2);
  assert_int_equal(wf_change(&f, &(struct wf_room){.name = "board", .people = 4, .waiting = 9}), ERR_OK);
  wf_step(&f, 1100);
  assert_int_equal(f.m->n_shown, 3); /* it has begun to fit */
  assert_int_equal(watch_model_filter(f.m, "  ", f.now, &fault), ERR_OK);
  assert_int_equal(f.m->n_shown, WF_N);
  wf_end(&f);
}

/* A condition on a time comes to hold although nothing happens in the room. */
static void test_filter_by_time(void **state) {
  (void)state;
  struct wf f;
  struct watch_fault fault;
  wf_begin(&f, WF_ROOMS, WF_N);
  assert_int_equal(watch_model_filter(f.m, "time>13m people<10", f.now, &fault), ERR_OK);
  size_t before = f.m->n_shown;
  f.now += 120 * US_PER_S;
  json_t *news = wf_feed(json_array(), NULL);
  json_object_set_new(json_object_get(news, "server"), "now_ms", json_integer(WF_WALL_MS + 120000));
  assert_int_equal(wf_take(&f, news, false), ERR_OK);
  wf_step(&f, 1000);
  assert_int_equal(f.m->n_shown, before + 1); /* retro: 12 minutes, now 14 */
  wf_end(&f);
}

/* A clock at the end of time is refused, before anything is reckoned with it. */
static void test_clock_beyond(void **state) {
  (void)state;
  struct wf f;
  wf_begin(&f, WF_ROOMS, WF_N);
  json_t *news = wf_feed(json_array(), NULL);
  json_object_set_new(json_object_get(news, "server"), "now_ms", json_integer(INT64_MAX));
  assert_int_equal(wf_take(&f, news, false), ERR_PROTOCOL);
  assert_int_equal(watch_model_now_ms(f.m, f.now + US_PER_S), WF_WALL_MS + 1000);
  wf_end(&f);
}

static void test_past(void **state) {
  (void)state;
  struct wf f;
  wf_begin(&f, WF_ROOMS, WF_N);
  struct watch_room *r = f.m->shown[0];
  wf_step(&f, 5000);
  assert_int_equal(wf_change(&f, &(struct wf_room){.name = "acme/standup", .people = 20}), ERR_OK);
  wf_step(&f, 15000); /* nothing came: it was so all the time */
  assert_int_equal(watch_past_at(&r->people, f.now, 0), 20);
  assert_int_equal(watch_past_at(&r->people, f.now, 3), 20);
  assert_int_equal(watch_past_at(&r->people, f.now, 4), 12);
  assert_int_equal(watch_past_at(&r->people, f.now, 5), 0);
  assert_int_equal(wf_change(&f, &(struct wf_room){.name = "acme/standup", .people = 70000}), ERR_OK);
  assert_int_equal(watch_past_at(&r->people, f.now, 0), UINT16_MAX);
  assert_int_equal(watch_past_at(&r->people, f.now, 1), 20);
  wf_step(&f, 3600000); /* an hour without a word */
  for (size_t i = 0; i < WATCH_PAST; i++)
    assert_int_equal(watch_past_at(&r->people, f.now, i), UINT16_MAX);
  assert_int_equal(wf_change(&f, &(struct wf_room){.name = "acme/standup", .people = 1}), ERR_OK);
  assert_int_equal(watch_past_at(&r->people, f.now, 0), 1);
  assert_int_equal(watch_past_at(&r->people, f.now, WATCH_PAST - 1), UINT16_MAX);
  wf_end(&f);
}

/* One member after the other is left out, made another type, or out of range: each is refused, whole. */
static void test_strict(void **state) {
  (void)state;
  struct wf f;
  const char *key;
  json_t *v, *good = wf_row(&WF_ROOMS[0]), *keep;
  size_t tried = 0;
  wf_begin(&f, NULL, 0);
  keep = json_deep_copy(good);
  json_object_foreach(keep, key, v) {
    struct watch_row row;
    json_t *bad = json_deep_copy(good);
    bool optional = strcmp(key, "region") == 0;
    json_object_del(bad, key);
    assert_int_equal(watch_row_read(bad, &row), optional ? ERR_OK : ERR_PROTOCOL);
    json_object_set_new(bad, key, json_pack("{s:i}", "x", 1));
    assert_int_equal(watch_row_read(bad, &row), optional ? ERR_OK : ERR_PROTOCOL);
    json_object_set_new(bad, key, json_integer(-1));
    assert_int_equal(watch_row_read(bad, &row), optional ? ERR_OK : ERR_PROTOCOL);
    json_decref(bad);
    tried++;
  }
  assert_true(tried >= 25);
  json_object_set_new(good, "newer", json_true()); /* a newer server says more */
  json_object_set_new(good, "alerts", wf_words("mos,future"));
  struct watch_row row;
  assert_int_equal(watch_row_read(good, &row), ERR_OK);
  assert_int_equal(row.alerts, 1U << WATCH_ALERT_MOS);
  json_object_set_new(good, "room", json_string("a\x1b[2Jb")); /* would be another room on the screen */
  assert_int_equal(watch_row_read(good, &row), ERR_PROTOCOL);
  static const char *const FEEDS[] = {"[]", "{}", "{\"server\":{},\"rooms\":[]}",
                                      "{\"rooms\":[],\"gone\":[]}"};
  for (size_t i = 0; i < sizeof FEEDS / sizeof FEEDS[0]; i++)
    assert_int_equal(wf_take(&f, json_loads(FEEDS[i], 0, NULL), true), ERR_PROTOCOL);
  assert_int_equal(wf_take(&f, wf_feed(json_pack("[i]", 1), NULL), false), ERR_PROTOCOL);
  assert_int_equal(wf_take(&f, wf_feed(json_array(), json_pack("[i]", 1)), false), ERR_PROTOCOL);
  json_decref(good);
  json_decref(keep);
  wf_end(&f);
}

/* ---- 5000 rooms ---- */

#define ROOMS 5000
#define CHANGED 50

static void big(struct wf *f, char (*name)[24], struct wf_room *rooms) {
  for (int i = 0; i < ROOMS; i++) {
    snprintf(name[i], sizeof name[i], "room-%04d", i);
    rooms[i] = (struct wf_room){.name = name[i], .people = i % 97, .lines = 3, .loss_up = i % 7, .mos = 40};
  }
  wf_begin(f, rooms, ROOMS);
  watch_model_sort(f->m, WATCH_F_PEOPLE, false, f->now);
}

static double seconds(void) {
  struct timespec t;
  assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t), 0);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static json_t *some(const struct wf_room *rooms, int from, int n) {
  json_t *list = json_array();
  for (int i = 0; i < n; i++)
    json_array_append_new(list, wf_row(&rooms[(from + i) % ROOMS]));
  return wf_feed(list, NULL);
}

/* An update costs what it brings: rows, not rooms; sorting is once a second, and not for what the order does
 * not depend on. As counts, and as time against taking the whole list. */
static void test_work_follows_change(void **state) {
  (void)state;
  struct wf f;
  static char name[ROOMS][24];
  static struct wf_room rooms[ROOMS];
  big(&f, name, rooms);
  json_t *all = some(rooms, 0, ROOMS);
  double t0 = seconds();
  assert_int_equal(wf_take(&f, all, true), ERR_OK);
  double whole = seconds() - t0, part = 0;
  struct watch_work before = f.m->work;
  for (int i = 0; i < 20; i++) { /* 5 a second */
    for (int k = 0; k < CHANGED; k++)
      rooms[(i * CHANGED + k) % ROOMS].loss_up = 20 + i;
    json_t *feed = some(rooms, i * CHANGED, CHANGED);
    double t = seconds();
    assert_int_equal(wf_take(&f, feed, false), ERR_OK);
    wf_step(&f, 200);
    part += seconds() - t;
  }
  assert_int_equal(f.m->work.rows - before.rows, 20 * CHANGED);
  assert_int_equal(f.m->work.sorts, before.sorts); /* sorted by people, who are the same */
  assert_int_equal(f.m->work.compared, before.compared);
  for (int i = 0; i < 20; i++) {
    rooms[i].people = 200 + i;
    assert_int_equal(wf_take(&f, some(rooms, i, 1), false), ERR_OK);
    wf_step(&f, 200);
  }
  uint64_t sorts = f.m->work.sorts - before.sorts;
  assert_in_range(sorts, 3, 5); /* 4 s */
  assert_true(f.m->work.compared - before.compared < sorts * ROOMS * 14);
  wf_step(&f, 1000);
  assert_string_equal(at(&f, 0), "room-0019");
  print_message("5000 rooms: the whole list / an update of %d: %.0f\n", CHANGED, whole / (part / 20));
  assert_true(whole > 10 * (part / 20)); /* 100 times the rows */
  wf_end(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_worst_first),
                                     cmocka_unit_test(test_selection_is_a_room),
                                     cmocka_unit_test(test_whole_list),
                                     cmocka_unit_test(test_filter),
                                     cmocka_unit_test(test_filter_by_time),
                                     cmocka_unit_test(test_clock_beyond),
                                     cmocka_unit_test(test_past),
                                     cmocka_unit_test(test_strict),
                                     cmocka_unit_test(test_work_follows_change)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
