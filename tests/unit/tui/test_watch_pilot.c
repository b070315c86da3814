/* The keys of `gavel watch`: looking in and back, questions and orders, what a filter may be; and what a
 * changed screen costs. */
#include "tests/unit/tui/watch_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void look(struct wf *f, const struct wf_room *r) {
  json_t *o = wf_inside(r);
  assert_int_equal(watch_inside_take(&f->u.in, o), ERR_OK);
  json_decref(o);
}

static void test_in_and_back(void **state) {
  (void)state;
  struct wf f;
  wf_begin(&f, WF_ROOMS, WF_N);
  wf_key(&f, "Down");
  wf_key(&f, "Enter");
  assert_int_equal(watch_pilot_take(&f.u), WATCH_ORDER_LOOK);
  assert_string_equal(f.u.in.room, "acme/standup");
  look(&f, &WF_ROOMS[0]);
  assert_int_equal(f.u.in.n, 6);
  assert_int_equal(f.u.in.n_listeners, 1);
  assert_string_equal(f.u.in.people[0].name, "bob"); /* by loss */
  wf_key(&f, "Enter");                               /* the first chooses */
  assert_int_equal(f.u.page, WATCH_PAGE_INSIDE);
  wf_key(&f, "Enter");
  assert_int_equal(f.u.page, WATCH_PAGE_CARD);
  assert_string_equal(watch_inside_person(&f.u.in)->name, "bob");
  for (int i = 0; i < WATCH_P__COUNT; i++) {
    wf_key(&f, ">"); /* sorted anew under the card: still he */
    assert_string_equal(watch_inside_person(&f.u.in)->name, "bob");
    wf_key(&f, "r");
    assert_string_equal(watch_inside_person(&f.u.in)->name, "bob");
  }
  wf_key(&f, "Esc");
  wf_key(&f, "Esc");
  assert_int_equal(f.u.page, WATCH_PAGE_ROOMS);
  wf_key(&f, "Esc");
  wf_key(&f, "Esc");
  assert_int_equal(watch_pilot_take(&f.u), WATCH_ORDER_NONE); /* Esc never quits */
  wf_key(&f, "q");
  assert_int_equal(watch_pilot_take(&f.u), WATCH_ORDER_QUIT);
  wf_end(&f);
}

/* The order is about the room that was selected when the question came up. */
static void test_listening_asks(void **state) {
  (void)state;
  struct wf f;
  wf_begin(&f, WF_ROOMS, WF_N);
  wf_key(&f, "l");
  assert_int_equal(f.u.asks, WATCH_ASKS_NOTHING); /* nothing is selected */
  assert_true(f.u.toast_bad);
  wf_key(&f, "Down");
  wf_key(&f, "L");
  wf_key(&f, "Enter");
  assert_int_equal(f.u.asks, WATCH_ASKS_REASON); /* a reason cannot be empty */
  wf_type(&f, "quality complaint");              /* with q, l and w: letters, no keys */
  wf_key(&f, "Enter");
  wf_type(&f, "OPS-7");
  assert_int_equal(wf_take(&f, wf_feed(json_array(), json_pack("[s]", "acme/standup")), false), ERR_OK);
  wf_key(&f, "Enter");
  for (const char *const *p = (const char *const[]){"", "0", "11", "3x", "-1", NULL}; *p; p++) {
    lineedit_set(f.u.edit, *p);
    wf_key(&f, "Enter");
    assert_int_equal(watch_pilot_take(&f.u), WATCH_ORDER_NONE);
  }
  lineedit_set(f.u.edit, "10");
  wf_key(&f, "Enter");
  assert_int_equal(watch_pilot_take(&f.u), WATCH_ORDER_LISTEN);
  assert_string_equal(f.u.target, "acme/standup");
  assert_string_equal(f.u.reason, "quality complaint");
  assert_string_equal(f.u.ticket, "OPS-7");
  assert_true(f.u.silent);
  assert_int_equal(f.u.minutes, 10);
  wf_key(&f, "Down");
  wf_key(&f, "l");
  wf_key(&f, "Esc");
  assert_int_equal(f.u.asks, WATCH_ASKS_NOTHING);
  f.u.readonly = true;
  wf_key(&f, "w");
  assert_string_equal(f.u.toast, "read-only");
  f.u.readonly = false;
  wf_key(&f, "w");
  wf_type(&f, "please mute");
  wf_key(&f, "Enter");
  assert_int_equal(watch_pilot_take(&f.u), WATCH_ORDER_WHISPER);
  assert_string_equal(f.u.text, "please mute");
  wf_end(&f);
}

static void test_filter_and_sort(void **state) {
  (void)state;
  struct wf f;
  wf_begin(&f, WF_ROOMS, WF_N);
  wf_key(&f, "/");
  wf_type(&f, "loss>>");
  wf_key(&f, "Enter");
  assert_int_equal(f.u.asks, WATCH_ASKS_FILTER); /* to be mended */
  assert_string_equal(f.u.toast, "character 6: a number is wanted here");
  wf_key(&f, "Backspace");
  wf_type(&f, "3");
  wf_key(&f, "Enter");
  assert_string_equal(f.m->filter_text, "loss>3");
  assert_int_equal(f.m->n_shown, 2);
  wf_key(&f, "Esc");
  assert_int_equal(f.m->n_shown, WF_N);
  for (int i = 0; i < 3 * WATCH_FIELD__COUNT; i++) { /* round and round, columns only */
    wf_key(&f, i % 2 ? "s" : ">");
    assert_true(watch_field_info(f.m->sort)->rank > 0);
  }
  enum watch_field at = f.m->sort;
  wf_key(&f, ">");
  assert_int_not_equal(f.m->sort, at);
  wf_key(&f, "<");
  assert_int_equal(f.m->sort, at);
  wf_key(&f, "r");
  assert_true(f.m->reverse);
  wf_key(&f, "Space");
  assert_int_equal(watch_pilot_take(&f.u), WATCH_ORDER_PAUSE);
  assert_true(f.u.paused);
  wf_end(&f);
}

/* Every key of the table does something on some page, and every page says how to get help. */
static void test_every_key(void **state) {
  (void)state;
  struct wf f;
  char name[24];
  struct key k;
  wf_begin(&f, WF_ROOMS, WF_N);
  for (int i = 0; i < WATCH_KEY__COUNT; i++) {
    assert_true(keymap_key(f.keys, KEY_CONTEXT_WATCH, WATCH_KEYS[i].name, 0, name));
    assert_true(key_from_name(name, &k));
    assert_string_equal(keymap_lookup(f.keys, KEY_CONTEXT_WATCH, k), WATCH_KEYS[i].name);
    assert_true(strlen(WATCH_KEYS[i].help) > 4);
  }
  char why[256];
  assert_int_equal(keymap_load_text(f.keys, "k", "[watch]\npause = p\n", why), ERR_OK);
  wf_key(&f, "p");
  assert_true(f.u.paused);
  wf_end(&f);
}

/* Bad answers of ops.room leave what was shown. */
static void test_strict_inside(void **state) {
  (void)state;
  struct wf f;
  wf_begin(&f, WF_ROOMS, WF_N);
  watch_inside_begin(&f.u.in, "acme/standup");
  look(&f, &WF_ROOMS[0]);
  json_t *good = wf_inside(&WF_ROOMS[0]), *people = json_object_get(good, "people");
  const char *key;
  json_t *v, *keep = json_deep_copy(json_array_get(people, 0));
  json_object_foreach(keep, key, v) {
    json_t *bad = json_deep_copy(keep);
    json_object_set_new(bad, key, json_integer(-3));
    json_array_set_new(people, 0, bad);
    bool optional = strcmp(key, "side") == 0 || strcmp(key, "via") == 0 || strcmp(key, "line") == 0;
    if (optional)
      continue;
    assert_int_equal(watch_inside_take(&f.u.in, good), ERR_PROTOCOL);
    assert_int_equal(f.u.in.n, 6);
  }
  json_object_set_new(good, "people", json_object());
  assert_int_equal(watch_inside_take(&f.u.in, good), ERR_PROTOCOL);
  assert_int_equal(f.u.in.n, 6);
  json_decref(keep);
  json_decref(good);
  wf_end(&f);
}

static size_t cells_changed(const struct canvas *a, const struct canvas *b) {
  size_t n = 0;
  for (int i = 0; i < a->w * a->h; i++)
    n += memcmp(&a->cells[i], &b->cells[i], sizeof a->cells[i]) != 0;
  return n;
}

/* 5000 rooms: a room far below the screen that changes changes nothing on it; one in sight a few cells. And
 * whatever the size, views stay inside. */
static void test_screen_changes_little(void **state) {
  (void)state;
  struct wf f;
  static char name[5000][24];
  static struct wf_room rooms[5000];
  for (int i = 0; i < 5000; i++) {
    snprintf(name[i], sizeof name[i], "room-%04d", i);
    rooms[i] = (struct wf_room){.name = name[i], .people = 6000 - i, .lines = 1};
  }
  wf_begin(&f, rooms, 5000);
  watch_model_sort(f.m, WATCH_F_ROOM, false, f.now);
  struct canvas *a = canvas_create(120, 40, false), *b = canvas_create(120, 40, false);
  watch_view(&(struct watch_scene){&f.u, a, pace_tier_info(PACE_FAST), f.now});
  rooms[3000].people = 1;
  assert_int_equal(wf_change(&f, &rooms[3000]), ERR_OK);
  watch_view(&(struct watch_scene){&f.u, b, pace_tier_info(PACE_FAST), f.now});
  assert_int_equal(cells_changed(a, b), 0);
  rooms[2].people = 5999;
  rooms[2].talkers = 1;
  assert_int_equal(wf_change(&f, &rooms[2]), ERR_OK);
  watch_view(&(struct watch_scene){&f.u, b, pace_tier_info(PACE_FAST), f.now});
  assert_in_range(cells_changed(a, b), 1, 6);
  canvas_destroy(a);
  canvas_destroy(b);
  wf_key(&f, "End");
  watch_inside_begin(&f.u.in, "acme/standup");
  look(&f, &WF_ROOMS[0]);
  for (int w = 1; w < 200; w += 7)
    for (int h = 1; h < 60; h += 5)
      for (int page = WATCH_PAGE_ROOMS; page <= WATCH_PAGE_CARD; page++) {
        f.u.page = (enum watch_page)page;
        f.u.help = (w + h + page) % 5 == 0;
        a = canvas_create(w, h, w % 2);
        watch_model_page(f.m, watch_view_rows(h));
        watch_inside_page(&f.u.in, watch_view_rows(h));
        watch_view(&(struct watch_scene){&f.u, a, pace_tier_info(PACE_FAST), f.now});
        canvas_destroy(a);
      }
  wf_end(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_in_and_back),     cmocka_unit_test(test_listening_asks),
      cmocka_unit_test(test_filter_and_sort), cmocka_unit_test(test_every_key),
      cmocka_unit_test(test_strict_inside),   cmocka_unit_test(test_screen_changes_little)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
